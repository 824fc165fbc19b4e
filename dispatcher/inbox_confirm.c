/* What handsets say to the inbox: an order done, which is noted in {r}:vaults and taken out of the inbox; a pass asked for, which is put into
 * {r}:asked for the desk. */
#include "dispatcher/inbox_inside.h"

#include <stdlib.h>
#include <string.h>

#include "wire/signing.h"

/* ---- An order is done. */

static bool is_signed(const struct handset_entry *entry, const struct confirm_signed *confirm)
{
        static const char aad[] = CONFIRM_AAD;
        const uint8_t *points[] = { entry->key, entry->has_previous ? entry->previous : NULL };
        bool good = false;

        for (size_t i = 0; i < 2 && !good; i++) {
                struct key *key = NULL;

                good = points[i] != NULL &&
                       key_from_public(KEY_ES256, (struct cbor_span){ points[i], P256_POINT_SIZE }, &key) == 0 &&
                       cose_sign1_verify(&confirm->cose, key,
                                         (struct cbor_span){ (const uint8_t *)aad, sizeof(aad) - 1 }) == 0;
                key_free(key);
        }
        return good;
}

/* confirmed: all is written: the gateway may forget it. */
static void confirmed(struct inbox_call *call)
{
        struct inbox *inbox = call->inbox;
        struct inbox_peer *peer = inbox_peer_of(inbox, call->handset);

        if (call->ref != 0 && inbox->run->door != NULL)
                sms_door_taken(inbox->run->door, call->ref);
        if (peer != NULL) {
                if (peer->vault.taken < call->confirm.number) {
                        peer->vault.taken = call->confirm.number;
                        peer->vault.result = call->confirm.result;
                }
                if (peer->order != NULL && peer->order->order.number <= call->confirm.number)
                        inbox_let_go(inbox, peer);
                peer->look = true;
                inbox_work(inbox, peer);
        }
}

/* What is up to the confirmed number goes. */
static void drop_done(struct inbox_call *call, const struct redisReply *entries)
{
        struct order_signed in;
        char id[STREAM_ID_TEXT];

        for (size_t i = 0; i < reply_count(entries); i++) {
                const struct redisReply *entry = reply_at(entries, i);

                if (reply_text(reply_at(entry, 0), id, sizeof(id)) &&
                    order_read(reply_bytes(reply_field(reply_at(entry, 1), "o")), &in, NULL) == 0 &&
                    in.order.number <= call->confirm.number)
                        inbox_drop(call->inbox->run, call->handset, id);
        }
}

static void on_done_entries(void *user, struct redisReply *reply)
{
        struct inbox_call *call = user;

        if (inbox_call_came(call, reply))
                drop_done(call, reply);
        if (call->pending == 0) /* the other could not be asked */
                free(call);
}

static void on_done_vault(void *user, struct redisReply *reply);

/* on_confirmed: it is there; or another process wrote meanwhile: then all begins anew. */
static void on_confirmed(void *user, struct redisReply *reply)
{
        struct inbox_call *call = user;
        bool good = inbox_call_came(call, reply);

        if (good && reply_int(reply) == 0 && inbox_call_field(call, "vaults", on_done_vault) == 0)
                return;
        if (good && reply_int(reply) != 0)
                confirmed(call);
        free(call);
}

static void on_done_vault(void *user, struct redisReply *reply)
{
        struct inbox_call *call = user;
        struct cbor_span bytes = reply_bytes(reply);
        struct vault_entry held = { 0 };
        uint8_t buf[DESK_SMALL_MAX];
        int n;

        if (!inbox_call_came(call, reply)) {
                free(call);
                return;
        }
        if (bytes.len > 0)
                vault_entry_decode(bytes.at, bytes.len, &held); /* all zero where it is none */
        if (!inbox_confirm(&held, &call->confirm)) {
                confirmed(call); /* known */
                free(call);
                return;
        }
        n = vault_entry_encode(&held, buf, sizeof(buf));
        if (n <= 0 || inbox_call_write(call, "vaults", (struct cbor_span){ buf, (size_t)n }, &bytes, on_confirmed) < 0)
                free(call);
}

void inbox_done(struct run *run, const struct core_action *action)
{
        struct confirm_signed in;
        const struct handset_entry *entry = NULL;
        struct inbox_call *call;

        if (confirm_read(action->u.done.bytes, &in, NULL) == 0)
                entry = core_handset(run->core, in.confirm.handset.octets);
        if (entry == NULL || memcmp(entry->enrolment, in.confirm.enrolment, ENROLMENT_SIZE) != 0 ||
            !is_signed(entry, &in)) {
                if (entry != NULL)
                        inbox_say(run->inbox, in.confirm.handset.octets, "a confirmation that is not its own");
                if (action->u.done.ref != 0 && run->door != NULL)
                        sms_door_taken(run->door, action->u.done.ref);
                return;
        }
        call = inbox_call_new(run->inbox, in.confirm.handset.octets);
        if (call == NULL)
                return;
        call->confirm = in.confirm;
        call->ref = action->u.done.ref;
        /* Answers come in this order; a link that breaks answers both. */
        if (inbox_call_entries(call, INBOX_ENTRIES_MAX, on_done_entries) < 0 ||
            inbox_call_field(call, "vaults", on_done_vault) < 0) {
                if (call->pending == 0)
                        free(call);
        }
}

/* ---- A pass is asked for. */

static void answer_asked(struct inbox *inbox, uint64_t session, uint32_t request, uint8_t code)
{
        struct frame frame = { .type = FRAME_ASKED, .u.asked = { request, code } };
        uint8_t bytes[64];
        int len = frame_encode(&frame, bytes, sizeof(bytes));

        if (len > 0)
                link_send(inbox->run->link, session, bytes, (size_t)len);
}

static void on_asked(void *user, struct redisReply *reply)
{
        struct inbox_call *call = user;
        bool good = inbox_call_came(call, reply);

        if (!call->inbox->run->closing)
                answer_asked(call->inbox, call->session, call->request, good ? ASK_TOLD : ASK_NOT_NOW);
        free(call);
}

void inbox_ask_pass(struct run *run, const struct core_action *action)
{
        struct inbox_call *call = inbox_call_new(run->inbox, action->u.vault.handset);
        uint8_t buf[DESK_SMALL_MAX];
        int n = asked_entry_encode(&action->u.vault.asked, buf, sizeof(buf));

        if (call == NULL)
                return;
        call->session = action->u.vault.session;
        call->request = action->u.vault.request;
        if (n > 0 && inbox_call_write(call, "asked", (struct cbor_span){ buf, (size_t)n }, NULL, on_asked) == 0)
                return;
        answer_asked(run->inbox, call->session, call->request, ASK_NOT_NOW);
        free(call);
}
