/* Inboxes in the run: sessions that may be given orders, what of {r}:vaults and {r}:inbox:<handset> is read for each, frames to them.  What
 * cannot be done because the store is away is done when it is back: handsets repeat, and all inboxes are looked at anew. */
#include "dispatcher/inbox_inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/hex.h"

/* Sessions looked at in one step, and frames sent in it: 10 MB/s at most. */
#define STEP_PEERS  512
#define STEP_FRAMES 64
/* Where the store takes no more, and for SMS that are to go again. */
#define AWAY_MS     1000
/* Orders in hand: 100 KiB each at most.  Other inboxes wait. */
#define HELD_MAX    64

/* The newest session of a handset. */
struct newest {
        uint8_t handset[HANDSET_ID_SIZE];
        uint64_t session;
};

/* ---- Sessions. */

void inbox_arm(struct inbox *inbox, int64_t ms)
{
        int64_t at = clock_mono_ms() + ms;

        if (!inbox->up || (inbox->step_mono_ms != 0 && inbox->step_mono_ms <= at))
                return;
        inbox->step_mono_ms = at;
        loop_timer_arm(inbox->run->options.loop, &inbox->step, at);
}

static void work_later(struct inbox *inbox, struct inbox_peer *peer)
{
        if (peer->in_work)
                return;
        peer->in_work = true;
        peer->next_work = NULL;
        *inbox->work_end = peer;
        inbox->work_end = &peer->next_work;
}

void inbox_work(struct inbox *inbox, struct inbox_peer *peer)
{
        work_later(inbox, peer);
        inbox_arm(inbox, INBOX_STEP_MS);
}

void inbox_let_go(struct inbox *inbox, struct inbox_peer *peer)
{
        inbox->held -= peer->order != NULL;
        inbox_order_free(peer->order);
        peer->order = NULL;
}

static struct inbox_peer *peer_find(const struct inbox *inbox, uint64_t session)
{
        return table_find(&inbox->peers, &session);
}

struct inbox_peer *inbox_peer_of(const struct inbox *inbox, const uint8_t handset[HANDSET_ID_SIZE])
{
        const struct newest *newest = table_find(&inbox->newest, handset);

        return newest != NULL ? peer_find(inbox, newest->session) : NULL;
}

void inbox_left(struct run *run, uint64_t session)
{
        struct inbox *inbox = run->inbox;
        struct inbox_peer *peer = peer_find(inbox, session);
        struct newest *newest;

        if (peer == NULL)
                return;
        for (struct inbox_peer **at = &inbox->work; peer->in_work && *at != NULL; at = &(*at)->next_work)
                if (*at == peer) {
                        *at = peer->next_work;
                        if (*at == NULL)
                                inbox->work_end = at;
                        break;
                }
        newest = table_find(&inbox->newest, peer->handset);
        if (newest != NULL && newest->session == session)
                table_remove(&inbox->newest, newest);
        inbox_let_go(inbox, peer);
        table_remove(&inbox->peers, peer);
}

void inbox_vault(struct run *run, const struct core_action *action)
{
        struct inbox *inbox = run->inbox;
        struct inbox_peer *peer = table_add(&inbox->peers, &action->u.vault.session);
        struct newest *newest = table_add(&inbox->newest, action->u.vault.handset);

        if (peer == NULL || newest == NULL)
                return; /* as many as there may be sessions: it has just gone */
        newest->session = action->u.vault.session;
        memcpy(peer->handset, action->u.vault.handset, HANDSET_ID_SIZE);
        peer->told = action->u.vault.told;
        peer->vault = action->u.vault.vault;
        peer->known = false;
        peer->look = true;
        peer->look_opened = peer->told;
        inbox_work(inbox, peer);
}

/* ---- One step. */

/* answered: the session that CALL asked for may ask again.  Returns it where the answer is GOOD; where not, it is asked anew when something
 * of it changes, and with the next load. */
static struct inbox_peer *answered(const struct inbox_call *call, bool good)
{
        struct inbox_peer *peer = call->inbox->run->closing ? NULL : peer_find(call->inbox, call->session);

        if (peer == NULL)
                return NULL;
        peer->asking = false;
        peer->look |= !good;
        if (good && !peer->known)
                inbox_work(call->inbox, peer); /* it was not to be asked while this was under way */
        return good ? peer : NULL;
}

static const uint8_t *enrolment_now(const struct inbox *inbox, const struct inbox_peer *peer)
{
        const struct handset_entry *entry = core_handset(inbox->run->core, peer->handset);

        return entry != NULL ? entry->enrolment : NULL;
}

/* The oldest of its inbox came. */
static void on_inbox(void *user, struct redisReply *reply)
{
        struct inbox_call *call = user;
        struct inbox *inbox = call->inbox;
        bool good = inbox_call_came(call, reply);
        struct inbox_peer *peer = answered(call, good);
        const struct redisReply *entry = reply_at(reply, 0);
        struct inbox_order *order = NULL;
        char id[STREAM_ID_TEXT];
        int r;

        if (peer != NULL && entry != NULL && peer->order == NULL && reply_text(reply_at(entry, 0), id, sizeof(id))) {
                r = inbox_order_new(id, reply_bytes(reply_field(reply_at(entry, 1), "o")),
                                    reply_bytes(reply_field(reply_at(entry, 1), "b")), &order);
                if (r == 0 && inbox_is_for(peer, &order->order)) {
                        peer->order = order;
                        inbox->held++;
                } else if (r == 0 && !inbox_is_waste(peer, &order->order, enrolment_now(inbox, peer))) {
                        inbox_order_free(order);
                } else if (r != -ENOMEM) {
                        inbox_say(inbox, peer->handset,
                                  "an order that is not for it, or done, is dropped from its inbox");
                        inbox_order_free(order);
                        inbox_drop(inbox->run, peer->handset, id);
                        peer->look = true;
                }
                inbox_work(inbox, peer);
        }
        free(call);
}

/* on_vault_written: what the phone told is there; or another process wrote meanwhile, and it is read anew; with the next load where Redis
 * refused it. */
static void on_vault_written(void *user, struct redisReply *reply)
{
        struct inbox_call *call = user;
        bool good = inbox_call_came(call, reply);
        struct inbox_peer *peer = call->inbox->run->closing ? NULL : peer_find(call->inbox, call->session);

        if (peer != NULL && (!good || reply_int(reply) == 0))
                peer->known = false;
        if (peer != NULL && good)
                inbox_work(call->inbox, peer);
        free(call);
}

/* What {r}:vaults has of a handset that has just told of its vault, or (revoked) may be ordered. */
static void on_vault(void *user, struct redisReply *reply)
{
        struct inbox_call *call = user;
        bool good = inbox_call_came(call, reply);
        struct inbox_peer *peer = answered(call, good);
        struct cbor_span bytes = reply_bytes(reply);
        uint8_t buf[DESK_SMALL_MAX];
        struct vault_entry held;
        bool has, changed;
        int n = 0;

        if (peer != NULL) {
                has = bytes.len > 0 && vault_entry_decode(bytes.at, bytes.len, &held) == 0;
                changed = inbox_vault_merge(&peer->vault, has ? &held : NULL);
                peer->known = true;
                if (changed && peer->told)
                        n = vault_entry_encode(&peer->vault, buf, sizeof(buf));
                inbox_work(call->inbox, peer);
        }
        if (n <= 0 || inbox_call_write(call, "vaults", (struct cbor_span){ buf, (size_t)n }, &bytes, on_vault_written) < 0)
                free(call);
}

/* ask: what is to be read for PEER; at most one command at a time.  Returns false where the store is away. */
static bool ask(struct inbox *inbox, struct inbox_peer *peer)
{
        struct inbox_call *call = inbox_call_new(inbox, peer->handset);
        int r;

        if (call == NULL)
                return true;
        call->session = peer->session;
        r = !peer->known        ? inbox_call_field(call, "vaults", on_vault)
            : peer->look_opened ? inbox_opened_read(call)
                                : inbox_call_entries(call, "1", on_inbox);
        if (r < 0) {
                free(call);
                return false;
        }
        peer->asking = true;
        if (peer->known && !peer->look_opened)
                peer->look = false;
        if (peer->known)
                peer->look_opened = false;
        return true;
}

/* Returns how many frames went: one, or none. */
static size_t send_next(struct inbox *inbox, struct inbox_peer *peer, int64_t now_mono_ms)
{
        uint8_t bytes[FRAME_REGION_MAX];
        bool held = peer->order != NULL;
        struct frame frame;
        int len;

        if (link_waiting(inbox->run->link, peer->session) > 0)
                return 0; /* a slow one has its time */
        if (!inbox_next(peer, &inbox->list, now_mono_ms, &frame)) {
                inbox->held -= held && peer->order == NULL;
                return 0;
        }
        len = frame_encode(&frame, bytes, sizeof(bytes));
        if (len > 0)
                link_send(inbox->run->link, peer->session, bytes, (size_t)len);
        return 1;
}

/* Whether something is to be read for PEER. */
static bool is_to_ask(const struct inbox_peer *peer)
{
        return !peer->asking && (!peer->known || peer->look_opened || (peer->look && peer->order == NULL));
}

static void on_step(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct inbox *inbox = timer->user;
        struct inbox_peer *first = inbox->work;
        size_t frames = 0;

        bool away = false;

        inbox->step_mono_ms = 0;
        for (size_t i = 0; i < STEP_PEERS && inbox->work != NULL && frames < STEP_FRAMES && !away; i++) {
                struct inbox_peer *peer = inbox->work;

                if (i > 0 && peer == first)
                        break; /* round once */
                inbox->work = peer->next_work;
                if (inbox->work == NULL)
                        inbox->work_end = &inbox->work;
                peer->in_work = false;
                if (is_to_ask(peer) && (!peer->known || peer->look_opened || inbox->held < HELD_MAX))
                        away = !ask(inbox, peer);
                frames += send_next(inbox, peer, now_mono_ms);
                if (inbox_has_work(peer, &inbox->list) || is_to_ask(peer))
                        work_later(inbox, peer);
        }
        inbox_text_due(inbox, now_mono_ms);
        inbox_opened_due(inbox, false);
        if (inbox->work != NULL)
                inbox_arm(inbox, away ? AWAY_MS : INBOX_STEP_MS);
        else if (inbox->texted_count > 0 || inbox->untold_count > 0)
                inbox_arm(inbox, AWAY_MS);
}

/* ---- What changes in the store. */

void inbox_changed(struct run *run, const char *hash, const char *field)
{
        struct inbox *inbox = run->inbox;
        uint8_t handset[HANDSET_ID_SIZE];
        struct inbox_peer *peer;

        if (strcmp(hash, "lists") == 0 && strcmp(field, "status") == 0)
                inbox_read_list(inbox);
        if ((strcmp(hash, "inbox") != 0 && strcmp(hash, "opened") != 0) || strlen(field) != 2 * HANDSET_ID_SIZE ||
            hex_decode(field, handset, HANDSET_ID_SIZE) < 0 || (peer = inbox_peer_of(inbox, handset)) == NULL)
                return;
        if (strcmp(hash, "opened") == 0)
                peer->look_opened = peer->told;
        else
                peer->look = true;
        inbox_work(inbox, peer);
}

void inbox_up(struct run *run, bool up)
{
        struct inbox *inbox = run->inbox;
        struct inbox_peer *peer;
        size_t cursor = 0;

        inbox->up = up;
        if (!up)
                return;
        inbox_read_list(inbox);
        while ((peer = table_next(&inbox->peers, &cursor)) != NULL) {
                peer->look = true;
                peer->look_opened = peer->told;
                peer->asking = false;
                inbox_work(inbox, peer);
        }
        inbox_opened_due(inbox, true);
        if (inbox->texted_count > 0 || inbox->untold_count > 0)
                inbox_arm(inbox, INBOX_STEP_MS);
}

/* ---- Beginning and end. */

int inbox_open(struct run *run)
{
        struct inbox *inbox = calloc(1, sizeof(*inbox));
        uint64_t seed;

        if (inbox == NULL)
                return -ENOMEM;
        if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed)) {
                free(inbox);
                return -EIO;
        }
        run->inbox = inbox;
        inbox->run = run;
        inbox->work_end = &inbox->work;
        table_init(&inbox->peers, sizeof(uint64_t), sizeof(struct inbox_peer), CORE_SESSIONS_MAX, seed);
        table_init(&inbox->newest, HANDSET_ID_SIZE, sizeof(struct newest), CORE_SESSIONS_MAX, seed);
        wheel_timer_init(&inbox->step, on_step, inbox);
        return scripts_init(&inbox->scripts);
}

void inbox_close(struct run *run)
{
        struct inbox *inbox = run->inbox;
        struct inbox_peer *peer;
        size_t cursor = 0;

        if (inbox == NULL)
                return;
        loop_timer_cancel(run->options.loop, &inbox->step);
        while ((peer = table_next(&inbox->peers, &cursor)) != NULL)
                inbox_let_go(inbox, peer);
        table_free(&inbox->peers);
        table_free(&inbox->newest);
        free(inbox->list.bytes);
        free(inbox);
        run->inbox = NULL;
}
