/* Inboxes in the run: {r}:inbox:<handset>, {r}:vaults, {r}:asked and the status list, read and written; frames to sessions.  What cannot be
 * done because the store is away is done when it is back: handsets repeat, and all inboxes are looked at anew. */
#include "dispatcher/inbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/hex.h"
#include "dispatcher/run_inside.h"
#include "dispatcher/script.h"
#include "dispatcher/table.h"
#include "wire/signing.h"
#include "wire/status.h"

/* While something is to be sent: so often one frame to each session whose last one is on its way. */
#define STEP_MS     50
/* Sessions looked at in one step, and frames sent in it: 10 MB/s at most. */
#define STEP_PEERS  512
#define STEP_FRAMES 64
/* Where the store takes no more, and for SMS that are to go again. */
#define AWAY_MS     1000
/* Orders in hand: 100 KiB each at most.  Other inboxes wait. */
#define HELD_MAX    64
/* Entries of one inbox: the console adds no more. */
#define ENTRIES_MAX "16"
/* {r}:people:changes, as the operator's tool keeps it. */
#define CHANGES_MAX "100000"
/* Orders that go by SMS, each at once, after 5 minutes and after an hour.  One more is not sent by SMS: data may still bring it. */
#define TEXTED_MAX  256
static const int64_t texted_ms[] = { 0, 300000, 3300000 };
enum { TEXTED_TIMES = sizeof(texted_ms) / sizeof(texted_ms[0]) };

/* The newest session of a handset. */
struct newest {
        uint8_t handset[HANDSET_ID_SIZE];
        uint64_t session;
};

struct texted {
        uint8_t handset[HANDSET_ID_SIZE];
        char number[NUMBER_MAX + 1];
        unsigned times;
        int64_t due_mono_ms;
};

struct inbox {
        struct run *run;
        struct scripts scripts;
        struct table peers, newest; /* of inbox_peer, by session; of newest */
        struct inbox_peer *work, **work_end;
        struct inbox_list list;
        size_t held;
        bool up;
        int64_t step_mono_ms; /* 0: none is due */
        struct wheel_timer step;
        struct texted texted[TEXTED_MAX];
        size_t texted_count;
        struct log_limit log;
};

/* A command under way, and what it is about. */
struct call {
        struct inbox *inbox;
        uint64_t session, ref;
        uint8_t handset[HANDSET_ID_SIZE];
        struct confirm confirm;
        uint32_t request;
        size_t pending; /* commands of it whose answers are to come */
        bool bad;
};

static struct call *call_new(struct inbox *inbox, const uint8_t handset[HANDSET_ID_SIZE])
{
        struct call *call = calloc(1, sizeof(*call));

        if (call == NULL)
                return NULL;
        call->inbox = inbox;
        memcpy(call->handset, handset, HANDSET_ID_SIZE);
        return call;
}

/* came: an answer of CALL is in. */
static bool came(struct call *call, const struct redisReply *reply)
{
        call->pending--;
        call->bad |= !reply_is_good(reply);
        return !call->bad && !call->inbox->run->closing;
}

static void say(struct inbox *inbox, const uint8_t handset[HANDSET_ID_SIZE], const char *what)
{
        char text[2 * HANDSET_ID_SIZE + 1];
        uint32_t hidden;

        hex_encode(handset, HANDSET_ID_SIZE, text);
        if (log_limit_pass(&inbox->log, clock_mono_ms(), &hidden))
                log_warn(NULL, "handset %s: %s (%u more)", text, what, hidden);
}

/* ---- Commands. */

static int give(struct call *call, struct redis_args *args, redis_fn *done)
{
        int r = redis_command(store_alerts(call->inbox->run->store), args, done, call);

        call->pending += r == 0;
        return r;
}

static void inbox_key(const struct inbox *inbox, const uint8_t handset[HANDSET_ID_SIZE], char key[STORE_KEY_SIZE])
{
        char name[6 + 2 * HANDSET_ID_SIZE + 1] = "inbox:";

        hex_encode(handset, HANDSET_ID_SIZE, name + 6);
        store_key(inbox->run->options.config, name, key);
}

static int read_inbox(struct call *call, const char *count, redis_fn *done)
{
        char key[STORE_KEY_SIZE];
        struct redis_args args;

        inbox_key(call->inbox, call->handset, key);
        redis_args_init(&args, "XRANGE");
        redis_arg(&args, key);
        redis_arg(&args, "-");
        redis_arg(&args, "+");
        redis_arg(&args, "COUNT");
        redis_arg(&args, count);
        return give(call, &args, done);
}

static int read_hash(struct call *call, const char *hash, redis_fn *done)
{
        char key[STORE_KEY_SIZE], field[2 * HANDSET_ID_SIZE + 1];
        struct redis_args args;

        store_key(call->inbox->run->options.config, hash, key);
        hex_encode(call->handset, HANDSET_ID_SIZE, field);
        redis_args_init(&args, "HGET");
        redis_arg(&args, key);
        redis_arg(&args, field);
        return give(call, &args, done);
}

/* write_hash: VALUE into the handset's field of HASH, and the entry that says so, in one. */
static int write_hash(struct call *call, const char *hash, struct cbor_span value, redis_fn *done)
{
        struct inbox *inbox = call->inbox;
        char key[STORE_KEY_SIZE], changes[STORE_KEY_SIZE], field[2 * HANDSET_ID_SIZE + 1];
        struct redis_args args;
        int r;

        store_key(inbox->run->options.config, hash, key);
        store_key(inbox->run->options.config, "people:changes", changes);
        hex_encode(call->handset, HANDSET_ID_SIZE, field);
        redis_args_init(&args, "EVALSHA");
        redis_arg(&args, inbox->scripts.change.sha1);
        redis_arg_int(&args, 2);
        redis_arg(&args, key);
        redis_arg(&args, changes);
        redis_arg(&args, hash);
        redis_arg(&args, field);
        redis_arg_data(&args, value.at, value.len);
        redis_arg(&args, CHANGES_MAX);
        r = redis_eval(store_alerts(inbox->run->store), &inbox->scripts.change, &args, done, call);
        call->pending += r == 0;
        return r;
}

/* ---- Sessions. */

static void arm(struct inbox *inbox, int64_t ms)
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

static void work(struct inbox *inbox, struct inbox_peer *peer)
{
        work_later(inbox, peer);
        arm(inbox, STEP_MS);
}

static void let_go(struct inbox *inbox, struct inbox_peer *peer)
{
        inbox->held -= peer->order != NULL;
        inbox_order_free(peer->order);
        peer->order = NULL;
}

static struct inbox_peer *peer_find(const struct inbox *inbox, uint64_t session)
{
        return table_find(&inbox->peers, &session);
}

static struct inbox_peer *peer_of(const struct inbox *inbox, const uint8_t handset[HANDSET_ID_SIZE])
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
        let_go(inbox, peer);
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
        work(inbox, peer);
}

/* ---- One step. */

/* The oldest of its inbox came. */
static void on_inbox(void *user, struct redisReply *reply)
{
        struct call *call = user;
        struct inbox *inbox = call->inbox;
        bool good = came(call, reply);
        struct inbox_peer *peer = good ? peer_find(inbox, call->session) : NULL;
        const struct redisReply *entry = reply_at(reply, 0);
        struct inbox_order *order = NULL;
        char id[STREAM_ID_TEXT];
        int r;

        if (peer != NULL)
                peer->asking = false;
        if (peer != NULL && entry != NULL && peer->order == NULL && reply_text(reply_at(entry, 0), id, sizeof(id))) {
                r = inbox_order_new(id, reply_bytes(reply_field(reply_at(entry, 1), "o")),
                                    reply_bytes(reply_field(reply_at(entry, 1), "b")), &order);
                if (r == 0 && inbox_is_for(peer, &order->order)) {
                        peer->order = order;
                        inbox->held++;
                } else if (r != -ENOMEM) {
                        say(inbox, peer->handset, "an order that is not for it, or done, is dropped from its inbox");
                        inbox_order_free(order);
                        inbox_drop(inbox->run, peer->handset, id);
                        peer->look = true;
                }
                work(inbox, peer);
        }
        free(call);
}

static void on_vault_written(void *user, struct redisReply *reply)
{
        free(user);
}

/* What {r}:vaults has of a handset that has just told of its vault, or (revoked) may be ordered. */
static void on_vault(void *user, struct redisReply *reply)
{
        struct call *call = user;
        bool good = came(call, reply);
        struct inbox_peer *peer = good ? peer_find(call->inbox, call->session) : NULL;
        struct cbor_span bytes = reply_bytes(reply);
        uint8_t buf[DESK_SMALL_MAX];
        struct vault_entry held;
        bool has, changed;
        int n = 0;

        if (peer != NULL) {
                has = bytes.len > 0 && vault_entry_decode(bytes.at, bytes.len, &held) == 0;
                changed = inbox_vault_merge(&peer->vault, has ? &held : NULL);
                peer->asking = false;
                peer->known = true;
                if (changed && peer->told)
                        n = vault_entry_encode(&peer->vault, buf, sizeof(buf));
                work(call->inbox, peer);
        }
        if (n <= 0 || write_hash(call, "vaults", (struct cbor_span){ buf, (size_t)n }, on_vault_written) < 0)
                free(call);
}

/* ask: what is to be read for PEER; at most one command at a time.  Returns false where the store is away. */
static bool ask(struct inbox *inbox, struct inbox_peer *peer)
{
        struct call *call = call_new(inbox, peer->handset);

        if (call == NULL)
                return true;
        call->session = peer->session;
        if ((peer->known ? read_inbox(call, "1", on_inbox) : read_hash(call, "vaults", on_vault)) < 0) {
                free(call);
                return false;
        }
        peer->asking = true;
        if (peer->known)
                peer->look = false;
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
        return !peer->asking && (!peer->known || (peer->look && peer->order == NULL));
}

static void text_due(struct inbox *inbox, int64_t now_mono_ms);

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
                if (is_to_ask(peer) && (!peer->known || inbox->held < HELD_MAX))
                        away = !ask(inbox, peer);
                frames += send_next(inbox, peer, now_mono_ms);
                if (inbox_has_work(peer, &inbox->list) || is_to_ask(peer))
                        work_later(inbox, peer);
        }
        text_due(inbox, now_mono_ms);
        if (inbox->work != NULL)
                arm(inbox, away ? AWAY_MS : STEP_MS);
        else if (inbox->texted_count > 0)
                arm(inbox, AWAY_MS);
}

/* ---- What handsets confirm. */

void inbox_drop(struct run *run, const uint8_t handset[HANDSET_ID_SIZE], const char *id)
{
        char key[STORE_KEY_SIZE];
        struct redis_args args;

        inbox_key(run->inbox, handset, key);
        redis_args_init(&args, "XDEL");
        redis_arg(&args, key);
        redis_arg(&args, id);
        redis_command(store_alerts(run->store), &args, NULL, NULL);
}

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

/* All is written: the gateway may forget it. */
static void on_confirmed(void *user, struct redisReply *reply)
{
        struct call *call = user;
        struct inbox *inbox = call->inbox;
        bool good = came(call, reply);
        struct inbox_peer *peer = good ? peer_of(inbox, call->handset) : NULL;

        if (good && call->ref != 0 && inbox->run->door != NULL)
                sms_door_taken(inbox->run->door, call->ref);
        if (peer != NULL) {
                if (peer->vault.taken < call->confirm.number) {
                        peer->vault.taken = call->confirm.number;
                        peer->vault.result = call->confirm.result;
                }
                if (peer->order != NULL && peer->order->order.number <= call->confirm.number)
                        let_go(inbox, peer);
                peer->look = true;
                work(inbox, peer);
        }
        free(call);
}

/* What is up to the confirmed number goes. */
static void drop_done(struct call *call, const struct redisReply *entries)
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
        struct call *call = user;

        if (came(call, reply))
                drop_done(call, reply);
        if (call->pending == 0) /* the other could not be asked */
                free(call);
}

static void on_done_vault(void *user, struct redisReply *reply)
{
        struct call *call = user;
        struct cbor_span bytes = reply_bytes(reply);
        struct vault_entry held = { 0 };
        uint8_t buf[DESK_SMALL_MAX];
        int n;

        if (!came(call, reply)) {
                free(call);
                return;
        }
        if (bytes.len > 0)
                vault_entry_decode(bytes.at, bytes.len, &held); /* all zero where it is none */
        if (!inbox_confirm(&held, &call->confirm)) {
                call->pending++;
                on_confirmed(call, reply); /* known */
                return;
        }
        n = vault_entry_encode(&held, buf, sizeof(buf));
        if (n <= 0 || write_hash(call, "vaults", (struct cbor_span){ buf, (size_t)n }, on_confirmed) < 0)
                free(call);
}

void inbox_done(struct run *run, const struct core_action *action)
{
        struct confirm_signed in;
        const struct handset_entry *entry = NULL;
        struct call *call;

        if (confirm_read(action->u.done.bytes, &in, NULL) == 0)
                entry = core_handset(run->core, in.confirm.handset.octets);
        if (entry == NULL || memcmp(entry->enrolment, in.confirm.enrolment, ENROLMENT_SIZE) != 0 ||
            !is_signed(entry, &in)) {
                if (entry != NULL)
                        say(run->inbox, in.confirm.handset.octets, "a confirmation that is not its own");
                if (action->u.done.ref != 0 && run->door != NULL)
                        sms_door_taken(run->door, action->u.done.ref);
                return;
        }
        call = call_new(run->inbox, in.confirm.handset.octets);
        if (call == NULL)
                return;
        call->confirm = in.confirm;
        call->ref = action->u.done.ref;
        /* Answers come in this order; a link that breaks answers both. */
        if (read_inbox(call, ENTRIES_MAX, on_done_entries) < 0 || read_hash(call, "vaults", on_done_vault) < 0) {
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
        struct call *call = user;
        bool good = came(call, reply);

        if (!call->inbox->run->closing)
                answer_asked(call->inbox, call->session, call->request, good ? ASK_TOLD : ASK_NOT_NOW);
        free(call);
}

void inbox_ask_pass(struct run *run, const struct core_action *action)
{
        struct call *call = call_new(run->inbox, action->u.vault.handset);
        uint8_t buf[DESK_SMALL_MAX];
        int n = asked_entry_encode(&action->u.vault.asked, buf, sizeof(buf));

        if (call == NULL)
                return;
        call->session = action->u.vault.session;
        call->request = action->u.vault.request;
        if (n > 0 && write_hash(call, "asked", (struct cbor_span){ buf, (size_t)n }, on_asked) == 0)
                return;
        answer_asked(run->inbox, call->session, call->request, ASK_NOT_NOW);
        free(call);
}

/* ---- Orders by SMS. */

static void text_one(struct inbox *inbox, const struct texted *to, const struct order_signed *order,
                     struct cbor_span cose)
{
        struct sms_ref about = { .what = SMS_ORDER };

        memcpy(about.alert, to->handset, HANDSET_ID_SIZE);
        for (int i = 0; i < 4; i++)
                about.alert[ALERT_ID_SIZE - 1 - i] = (uint8_t)(order->order.number >> 8 * i);
        sms_gate_send(inbox->run->gate,
                      &(struct sms_out){ .to = to->number, .priority = SMS_SECOND, .data = cose, .about = about });
}

static struct texted *texted_find(struct inbox *inbox, const uint8_t handset[HANDSET_ID_SIZE])
{
        for (size_t i = 0; i < inbox->texted_count; i++)
                if (memcmp(inbox->texted[i].handset, handset, HANDSET_ID_SIZE) == 0)
                        return &inbox->texted[i];
        return NULL;
}

static void on_texted(void *user, struct redisReply *reply)
{
        struct call *call = user;
        struct inbox *inbox = call->inbox;
        bool good = came(call, reply);
        struct texted *to = good ? texted_find(inbox, call->handset) : NULL;
        struct order_signed in;
        bool found = false;

        for (size_t i = 0; i < reply_count(reply) && to != NULL && inbox->run->gate != NULL; i++) {
                struct cbor_span cose = reply_bytes(reply_field(reply_at(reply_at(reply, i), 1), "o"));

                if (cose.len > COSE_SMS_MAX || order_read(cose, &in, NULL) < 0 ||
                    (in.order.kind != ORDER_WIPE && in.order.kind != ORDER_UNLOCK))
                        continue;
                text_one(inbox, to, &in, cose);
                found = true;
        }
        if (to != NULL && (!found || to->times >= TEXTED_TIMES))
                *to = inbox->texted[--inbox->texted_count]; /* confirmed, or said often enough */
        free(call);
}

static void text_due(struct inbox *inbox, int64_t now_mono_ms)
{
        for (size_t i = 0; i < inbox->texted_count; i++) {
                struct texted *to = &inbox->texted[i];
                struct call *call;

                if (to->times >= TEXTED_TIMES || to->due_mono_ms > now_mono_ms)
                        continue;
                if ((call = call_new(inbox, to->handset)) == NULL)
                        return;
                if (read_inbox(call, ENTRIES_MAX, on_texted) < 0) {
                        free(call);
                        return;
                }
                to->times++;
                to->due_mono_ms = now_mono_ms + (to->times < TEXTED_TIMES ? texted_ms[to->times] : 0);
        }
}

void inbox_order(struct run *run, const struct core_action *action)
{
        struct inbox *inbox = run->inbox;
        struct texted *to = texted_find(inbox, action->u.order.handset);

        if (to == NULL && inbox->texted_count == TEXTED_MAX) {
                say(inbox, action->u.order.handset, "too many orders by SMS at once: by data alone");
                return;
        }
        if (to == NULL)
                to = &inbox->texted[inbox->texted_count++];
        memcpy(to->handset, action->u.order.handset, HANDSET_ID_SIZE);
        memcpy(to->number, action->u.order.number, sizeof(to->number));
        to->times = 0;
        to->due_mono_ms = clock_mono_ms();
        arm(inbox, STEP_MS);
}

/* ---- The status list, and what changes. */

static void on_list(void *user, struct redisReply *reply)
{
        struct call *call = user;
        struct inbox *inbox = call->inbox;
        struct cbor_span bytes = reply_bytes(reply);
        struct inbox_peer *peer;
        struct status_signed in;
        uint8_t *kept = NULL;
        size_t cursor = 0;

        if (came(call, reply) && bytes.len > 0 && status_read(bytes, &in, NULL) == 0 &&
            in.list.issued_at_s > inbox->list.issued_s && (kept = malloc(bytes.len)) != NULL) {
                memcpy(kept, bytes.at, bytes.len);
                free(inbox->list.bytes);
                inbox->list = (struct inbox_list){ in.list.issued_at_s, kept, (uint32_t)bytes.len };
                while ((peer = table_next(&inbox->peers, &cursor)) != NULL)
                        if (inbox_has_work(peer, &inbox->list))
                                work(inbox, peer);
        }
        free(call);
}

static void read_list(struct inbox *inbox)
{
        static const uint8_t nobody[HANDSET_ID_SIZE];
        struct call *call = call_new(inbox, nobody);
        char key[STORE_KEY_SIZE];
        struct redis_args args;

        if (call == NULL)
                return;
        store_key(inbox->run->options.config, "lists", key);
        redis_args_init(&args, "HGET");
        redis_arg(&args, key);
        redis_arg(&args, "status");
        if (give(call, &args, on_list) < 0)
                free(call);
}

void inbox_changed(struct run *run, const char *hash, const char *field)
{
        struct inbox *inbox = run->inbox;
        uint8_t handset[HANDSET_ID_SIZE];
        struct inbox_peer *peer;

        if (strcmp(hash, "lists") == 0 && strcmp(field, "status") == 0)
                read_list(inbox);
        if (strcmp(hash, "inbox") != 0 || strlen(field) != 2 * HANDSET_ID_SIZE ||
            hex_decode(field, handset, HANDSET_ID_SIZE) < 0 || (peer = peer_of(inbox, handset)) == NULL)
                return;
        peer->look = true;
        work(inbox, peer);
}

void inbox_up(struct run *run, bool up)
{
        struct inbox *inbox = run->inbox;
        struct inbox_peer *peer;
        size_t cursor = 0;

        inbox->up = up;
        if (!up)
                return;
        read_list(inbox);
        while ((peer = table_next(&inbox->peers, &cursor)) != NULL) {
                peer->look = true;
                peer->asking = false;
                work(inbox, peer);
        }
        if (inbox->texted_count > 0)
                arm(inbox, STEP_MS);
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
                let_go(inbox, peer);
        table_free(&inbox->peers);
        table_free(&inbox->newest);
        free(inbox->list.bytes);
        free(inbox);
        run->inbox = NULL;
}
