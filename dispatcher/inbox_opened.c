/* What the keeper opened of a handset: written for its phone as soon as the store takes it, and told to its session. */
#include "dispatcher/inbox_inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/hex.h"

/* ---- Written. */

static struct inbox_untold *untold_find(struct inbox *inbox, const struct inbox_call *call)
{
        for (size_t i = 0; i < inbox->untold_count; i++)
                if (inbox->untold[i].entry.at_ms == call->opened_ms &&
                    memcmp(inbox->untold[i].handset, call->handset, HANDSET_ID_SIZE) == 0)
                        return &inbox->untold[i];
        return NULL;
}

static void on_written(void *user, struct redisReply *reply)
{
        struct inbox_call *call = user;
        struct inbox *inbox = call->inbox;
        bool good = inbox_call_came(call, reply);
        struct inbox_untold *untold = inbox->run->closing ? NULL : untold_find(inbox, call);

        if (untold != NULL && good)
                *untold = inbox->untold[--inbox->untold_count];
        else if (untold != NULL)
                untold->asked = false; /* the next step */
        free(call);
}

static int give(struct inbox_call *call, struct cbor_span value)
{
        struct inbox *inbox = call->inbox;
        char key[STORE_KEY_SIZE], changes[STORE_KEY_SIZE], handset[2 * HANDSET_ID_SIZE + 1];
        struct redis_args args;
        int r;

        inbox_call_key(call, "opened:", key);
        store_key(inbox->run->options.config, "people:changes", changes);
        hex_encode(call->handset, HANDSET_ID_SIZE, handset);
        redis_args_init(&args, "EVALSHA");
        redis_arg(&args, inbox->scripts.opened.sha1);
        redis_arg_int(&args, 2);
        redis_arg(&args, key);
        redis_arg(&args, changes);
        redis_arg_int(&args, call->opened_ms);
        redis_arg_data(&args, value.at, value.len);
        redis_arg_int(&args, OPENED_MAX);
        redis_arg_int(&args, OPENED_KEPT_MS);
        redis_arg(&args, handset);
        redis_arg(&args, INBOX_CHANGES_MAX);
        r = redis_eval(store_alerts(inbox->run->store), &inbox->scripts.opened, &args, on_written, call);
        call->pending += r == 0;
        return r;
}

/* Returns false: the store takes nothing now. */
static bool write_one(struct inbox *inbox, struct inbox_untold *untold)
{
        struct inbox_call *call = inbox_call_new(inbox, untold->handset);
        uint8_t buf[DESK_SMALL_MAX];
        int n = opened_entry_encode(&untold->entry, buf, sizeof(buf));

        if (call == NULL)
                return false;
        call->opened_ms = untold->entry.at_ms;
        untold->asked = true;
        if (n > 0 && give(call, (struct cbor_span){ buf, (size_t)n }) == 0)
                return true;
        untold->asked = false;
        free(call);
        return false;
}

void inbox_opened_due(struct inbox *inbox, bool again)
{
        bool takes = inbox->up;

        for (size_t i = 0; i < inbox->untold_count; i++) {
                inbox->untold[i].asked &= !again;
                if (takes && !inbox->untold[i].asked)
                        takes = write_one(inbox, &inbox->untold[i]);
        }
}

void inbox_opened(struct run *run, const uint8_t handset[HANDSET_ID_SIZE], uint8_t why)
{
        struct inbox *inbox = run->inbox;
        struct inbox_untold *untold = &inbox->untold[inbox->untold_count];

        if (inbox->untold_count == INBOX_UNTOLD_MAX) {
                inbox_say(inbox, handset,
                          "its place was opened, and its phone is not told: too many wait for the store");
                return;
        }
        inbox->untold_count++;
        memcpy(untold->handset, handset, HANDSET_ID_SIZE);
        untold->entry = (struct opened_entry){ .at_ms = run_now_ms(run), .why = why };
        untold->asked = false;
        inbox_opened_due(inbox, false);
        inbox_arm(inbox, INBOX_STEP_MS);
}

/* ---- Told. */

static void tell(struct inbox *inbox, uint64_t session, const struct inbox_opened *opened)
{
        for (size_t i = 0; i < opened->count; i++) {
                struct frame frame = { .type = FRAME_OPENED, .u.opened = opened->entries[i] };
                uint8_t bytes[32];
                int len = frame_encode(&frame, bytes, sizeof(bytes));

                if (len > 0)
                        link_send(inbox->run->link, session, bytes, (size_t)len);
        }
}

static void on_read(void *user, struct redisReply *reply)
{
        struct inbox_call *call = user;
        struct inbox *inbox = call->inbox;
        bool good = inbox_call_came(call, reply);
        struct inbox_peer *peer = inbox->run->closing ? NULL : table_find(&inbox->peers, &call->session);
        struct inbox_opened opened = { 0 };
        struct opened_entry entry;

        for (size_t i = 0; good && peer != NULL && i < reply_count(reply); i++) {
                struct cbor_span bytes = reply_bytes(reply_at(reply, i));

                if (opened_entry_decode(bytes.at, bytes.len, &entry) == 0)
                        inbox_opened_add(&opened, &entry, run_now_ms(inbox->run));
        }
        if (peer != NULL) {
                peer->asking = false;
                peer->look_opened |= !good;
                tell(inbox, call->session, &opened);
        }
        if (peer != NULL && good)
                inbox_work(inbox, peer);
        free(call);
}

int inbox_opened_read(struct inbox_call *call)
{
        char key[STORE_KEY_SIZE];
        struct redis_args args;

        inbox_call_key(call, "opened:", key);
        redis_args_init(&args, "HVALS");
        redis_arg(&args, key);
        return inbox_call_give(call, &args, on_read);
}
