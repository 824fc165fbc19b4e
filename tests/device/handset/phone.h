/* A host made of memory, for the tests of libvigie-handset: a clock, a journal, a key store, a link and a region that
 * answers.  Signatures are toys (a hash over key and message), so that runs are the same each time; crypto_test.c has
 * real ones. */
#ifndef TESTS_DEVICE_HANDSET_PHONE_H
#define TESTS_DEVICE_HANDSET_PHONE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "device/handset/vigie.h"
#include "tests/device/handset/toy.h"
#include "wire/alert.h"
#include "wire/frame.h"
#include "wire/receipt.h"
#include "wire/trust.h"

#define MONO0       INT64_C(1000000)
#define DID_MAX     4096
#define RECORDS_MAX 1024
#define EVENTS_MAX  64
#define ALERTS_MAX  8

/* What the phone did: an action, its data copied. */
struct did {
        struct vigie_action action;
        int64_t at_mono_ms;
};

struct phone_record {
        uint8_t octets[VIGIE_RECORD_MAX];
        size_t len;
        bool durable;
};

/* An alert as the region knows it. */
struct known {
        struct alert_id id;
        uint16_t revision, marks;
        unsigned copies;
        enum alert_kind kind;
        uint32_t version;
        uint8_t payload[ALERT_PAYLOAD_MAX]; /* of the newest revision */
        size_t payload_len;
        bool closed; /* the phone was told */
};

struct phone {
        struct vigie *vigie;
        struct vigie_actions *actions;
        struct vigie_options options;
        struct vigie_status status;
        int64_t mono_ms, utc_ms, timer_mono_ms;
        uint64_t seed;

        bool journal_works, journal_silent, signs, sign_silent, network, connect_silent, seal_silent, region;
        bool unknown, refuses;       /* the region knows no such handset: no welcome, and (refuses) it says so */
        bool keeps, unfinished_lost; /* the region's store is away: "kept"; not synced records are lost at a death */
        long actions_left;           /* the phone dies after so many more; -1 = never */
        bool dead;
        uint8_t up; /* bit n: address n */

        struct did did[DID_MAX];
        size_t did_count, mark; /* mark: did before it is not counted */
        struct phone_record *records;
        size_t record_count, not_synced;
        uint32_t journal_seq;
        struct known known[ALERTS_MAX];
        size_t known_count;
        struct vigie_event queue[EVENTS_MAX];
        size_t queued;
        uint8_t pool[1 << 21]; /* data of DID, and of queued frames */
        size_t pool_len;
};

static inline uint8_t *phone_copy(struct phone *p, const void *data, size_t len)
{
        uint8_t *to = p->pool + p->pool_len;

        assert_true(p->pool_len + len <= sizeof(p->pool));
        p->pool_len += len;
        return len > 0 ? memcpy(to, data, len) : to;
}

static inline void phone_queue(struct phone *p, struct vigie_event event)
{
        assert_true(p->queued < EVENTS_MAX);
        p->queue[p->queued++] = event;
}

static inline void phone_queue_frame(struct phone *p, uint8_t address, const struct frame *frame)
{
        static uint8_t octets[FRAME_REGION_MAX];
        int len = frame_encode(frame, octets, sizeof(octets));
        struct vigie_event e = { .type = VIGIE_ON_FRAME, .u.frame.address = address };

        assert_true(len > 0);
        e.u.frame.data = phone_copy(p, octets, len);
        e.u.frame.len = len;
        phone_queue(p, e);
}

static inline void phone_queue_receipt(struct phone *p, uint8_t address, const struct receipt *receipt)
{
        uint8_t octets[RECEIPT_MAX];
        struct frame frame = { .type = FRAME_RECEIPT };

        frame.u.cose.cose = (struct cbor_span){ octets, receipt_octets(receipt, receipt_key, octets) };
        phone_queue_frame(p, address, &frame);
}

/* ---- the region -------------------------------------------------------------------------------------------------- */

static inline struct known *region_find(struct phone *p, const struct alert_id *id)
{
        for (size_t i = 0; i < p->known_count; i++)
                if (alert_id_equal(&p->known[i].id, id))
                        return &p->known[i];
        return NULL;
}

static inline void region_alert(struct phone *p, uint8_t address, struct cbor_span cose)
{
        struct alert_signed a;
        struct known *k;
        struct alert_id id;
        struct receipt r = { .time_s = UTC0 / 1000 };

        assert_int_equal(alert_read(cose, &a, NULL), 0);
        assert_int_equal(a.odd, 0);
        assert_true(a.alert.kind != ALERT_TEST || !a.alert.has_fix);
        id = alert_id_make(&a.handset, a.alert.nonce);
        k = region_find(p, &id);
        if (k == NULL) {
                assert_true(p->known_count < ALERTS_MAX);
                k = &p->known[p->known_count++];
                *k = (struct known){ .id = id, .revision = a.alert.revision, .kind = a.alert.kind, .version = 1 };
        }
        k->copies++;
        assert_true(a.alert.revision >= k->revision);                /* never an older one after a newer */
        if (a.alert.revision == k->revision && k->payload_len > 0) { /* a number is used once */
                assert_int_equal(a.cose.payload.len, k->payload_len);
                assert_memory_equal(a.cose.payload.at, k->payload, k->payload_len);
        }
        k->payload_len = a.cose.payload.len;
        memcpy(k->payload, a.cose.payload.at, a.cose.payload.len);
        k->marks = alert_marks_add(k->marks, a.alert.marks);
        k->version += a.alert.revision > k->revision;
        k->revision = a.alert.revision > k->revision ? a.alert.revision : k->revision;
        r.alert = id;
        r.revision = k->revision;
        r.version = p->keeps ? 0 : k->version;
        r.state = p->keeps ? RECEIPT_KEPT : a.alert.kind == ALERT_TEST ? RECEIPT_PROVED : RECEIPT_RAISED;
        phone_queue_receipt(p, address, &r);
}

static inline void region_frame(struct phone *p, uint8_t address, const uint8_t *data, size_t len)
{
        struct frame in, out = { 0 };

        assert_int_equal(frame_decode(data, len, &in), 0);
        if (!p->region)
                return;
        switch (in.type) {
        case FRAME_HELLO:
                if (p->unknown && !p->refuses)
                        return;
                out.type = p->unknown ? FRAME_ERROR : FRAME_WELCOME;
                out.u.error.code = FRAME_ERROR_NOT_ALLOWED;
                if (p->unknown)
                        break;
                memset(&out.u, 0, sizeof(out.u));
                out.u.welcome.version = FRAME_VERSION;
                out.u.welcome.time_ms = p->utc_ms;
                strcpy(out.u.welcome.region, "r1");
                strcpy(out.u.welcome.name, "Zoe");
                break;
        case FRAME_ALERT:
                region_alert(p, address, in.u.cose.cose);
                return;
        case FRAME_DUTY:
                out.type = FRAME_DUTY_ANSWER;
                out.u.duty_answer.request = in.u.duty.request;
                strcpy(out.u.duty_answer.name, "Zoe");
                break;
        default:
                return;
        }
        phone_queue_frame(p, address, &out);
}

/* ---- the host ---------------------------------------------------------------------------------------------------- */

static inline void phone_append(struct phone *p, const struct vigie_action *a)
{
        struct vigie_event e = { .type = VIGIE_ON_SYNCED, .u.synced = { a->seq, p->journal_works } };

        assert_int_equal(a->seq, ++p->journal_seq);
        assert_true(a->len > 0 && a->len <= VIGIE_RECORD_MAX);
        if (p->journal_works) {
                assert_true(p->record_count < RECORDS_MAX);
                memcpy(p->records[p->record_count].octets, a->data, a->len);
                p->records[p->record_count].durable = false;
                p->records[p->record_count++].len = a->len;
        }
        if ((a->sync || !p->journal_works) && !p->journal_silent)
                phone_queue(p, e);
}

static inline void phone_do(struct phone *p, const struct vigie_action *a)
{
        struct vigie_event e = { 0 };

        switch (a->type) {
        case VIGIE_DO_APPEND:
                phone_append(p, a);
                return;
        case VIGIE_DO_SIGN:
                e.type = VIGIE_ON_SIGNED;
                e.u.signature.ticket = a->ticket;
                e.u.signature.ok = p->signs;
                toy_sign(our_handset, 8, (struct cbor_span){ a->data, a->len }, e.u.signature.octets);
                if (!p->sign_silent)
                        phone_queue(p, e);
                return;
        case VIGIE_DO_SEAL:
                e.type = VIGIE_ON_SEALED;
                e.u.sealed.ticket = a->ticket;
                e.u.sealed.data = phone_copy(p, "\x41\x53", 2);
                e.u.sealed.len = 2;
                if (!p->seal_silent)
                        phone_queue(p, e);
                return;
        case VIGIE_DO_CONNECT:
                e.type = VIGIE_ON_LINK;
                e.u.link.address = a->address;
                e.u.link.up = p->network;
                if (p->connect_silent)
                        return;
                p->up |= (uint8_t)(p->network << a->address);
                phone_queue(p, e);
                return;
        case VIGIE_DO_DISCONNECT:
                p->up &= (uint8_t) ~(1u << a->address);
                return;
        case VIGIE_DO_SEND:
                assert_true(p->up >> a->address & 1);
                assert_true(a->len > 0 && a->len <= VIGIE_SEND_MAX);
                region_frame(p, a->address, a->data, a->len);
                return;
        case VIGIE_DO_TIMER:
                p->timer_mono_ms = a->due_mono_ms;
                return;
        case VIGIE_DO_SHOW:
                return;
        }
}

/* One event, its actions, and the events that follow from them, all at this time. */
static inline int phone_event(struct phone *p, struct vigie_event event)
{
        size_t first = p->queued, at;
        int r = 0;

        if (p->dead)
                return 0;
        phone_queue(p, event);
        for (at = first; at < p->queued && !p->dead; at++) {
                struct vigie_event *e = &p->queue[at];
                int one;

                e->now_ms = p->utc_ms;
                e->now_mono_ms = p->mono_ms;
                for (int i = 0; i < VIGIE_RANDOM_SIZE; i++) {
                        p->seed = p->seed * 6364136223846793005 + 1442695040888963407;
                        e->random[i] = (uint8_t)(p->seed >> 56);
                }
                if (e->type == VIGIE_ON_SYNCED && e->u.synced.ok)
                        for (; p->not_synced < p->record_count; p->not_synced++)
                                p->records[p->not_synced].durable = true;
                one = vigie_event(p->vigie, e, p->actions);
                r = at == first ? one : r;
                for (uint32_t i = 0; i < p->actions->count && !p->dead; i++) {
                        struct vigie_action *a = &p->actions->action[i];
                        struct did *did = &p->did[p->did_count++];

                        if (p->actions_left >= 0 && p->actions_left-- == 0) {
                                p->dead = true;
                                p->did_count--;
                                break;
                        }
                        assert_true(p->did_count < DID_MAX);
                        did->action = *a;
                        did->action.data = phone_copy(p, a->data, a->len);
                        did->at_mono_ms = p->mono_ms;
                        phone_do(p, a);
                }
                if (!p->dead && p->timer_mono_ms <= p->mono_ms)
                        fail_msg("event %u: timer %lld is due at once, at %lld", e->type, (long long)p->timer_mono_ms,
                                 (long long)p->mono_ms);
        }
        p->queued = first;
        vigie_status(p->vigie, &p->status);
        return r;
}

/* Let time pass, with ticks when the library asked for them. */
static inline void phone_run(struct phone *p, int64_t ms)
{
        int64_t until = p->mono_ms + ms, step;

        while (p->mono_ms < until && !p->dead) {
                step = (p->timer_mono_ms < until ? p->timer_mono_ms : until) - p->mono_ms;
                p->mono_ms += step;
                p->utc_ms += step;
                if (p->timer_mono_ms <= p->mono_ms)
                        phone_event(p, (struct vigie_event){ .type = VIGIE_ON_TICK });
        }
}

/* A process begins with what the journal holds. */
static inline void phone_start(struct phone *p)
{
        size_t kept = 0;

        p->dead = false;
        p->actions_left = -1;
        p->journal_seq = 0;
        p->queued = 0;
        p->up = 0;
        p->timer_mono_ms = INT64_MAX;
        memset(p->vigie, 0xa5, vigie_size());
        assert_int_equal(vigie_init(p->vigie, &p->options), 0);
        for (size_t i = 0; i < p->record_count; i++)
                if (p->records[i].durable || !p->unfinished_lost)
                        p->records[kept++] = p->records[i];
        p->record_count = p->not_synced = kept;
        for (size_t i = 0; i < kept; i++)
                assert_int_equal(vigie_restore(p->vigie, p->records[i].octets, p->records[i].len), 0);
        phone_event(p, (struct vigie_event){ .type = VIGIE_ON_START });
}

static inline struct phone *phone_new(void)
{
        static uint8_t trust[TRUST_MAX];
        struct phone *p = calloc(1, sizeof(*p));
        struct vigie_options options = VIGIE_OPTIONS;

        assert_non_null(p);
        p->vigie = malloc(vigie_size());
        p->actions = calloc(1, sizeof(*p->actions));
        p->records = calloc(RECORDS_MAX, sizeof(*p->records));
        p->options = options;
        p->options.enrolled = true;
        memcpy(p->options.handset, our_handset, 8);
        strcpy(p->options.person, "zoe");
        strcpy(p->options.app, "test 1");
        p->options.root_alg = KEY_EDDSA;
        memcpy(p->options.root, root_key, 32);
        p->options.root_len = 32;
        p->options.trust_len = toy_trust(root_key, 7, trust, sizeof(trust));
        p->options.trust = trust;
        p->options.verify = toy_verify;
        p->options.address_count = 1;
        p->mono_ms = MONO0;
        p->utc_ms = UTC0;
        p->seed = 1;
        p->journal_works = p->signs = p->network = p->region = true;
        p->unfinished_lost = true;
        p->actions_left = -1;
        return p;
}

static inline struct phone *phone_started(void)
{
        struct phone *p = phone_new();

        phone_start(p);
        return p;
}

static inline void phone_free(struct phone *p)
{
        free(p->vigie);
        free(p->actions);
        free(p->records);
        free(p);
}

/* ---- what tests say and ask -------------------------------------------------------------------------------------- */

static inline void phone_press(struct phone *p, uint8_t how, uint8_t press)
{
        phone_event(p, (struct vigie_event){ .type = VIGIE_ON_PRESS, .u.press = { how, press } });
}

static inline void phone_just(struct phone *p, uint32_t type)
{
        phone_event(p, (struct vigie_event){ .type = type });
}

static inline void phone_pin(struct phone *p, uint8_t pin)
{
        phone_event(p, (struct vigie_event){ .type = VIGIE_ON_PIN, .u.pin = pin });
}

static inline void phone_fix(struct phone *p, double lat_deg, double lon_deg, double accuracy_m)
{
        phone_event(p, (struct vigie_event){ .type = VIGIE_ON_FIX, .u.fix = { lat_deg, lon_deg, accuracy_m, 0, 0 } });
}

static inline int phone_duty(struct phone *p, bool on)
{
        struct vigie_event e = { .type = VIGIE_ON_DUTY, .u.duty = { .on = on, .round = "lyon-3" } };

        e.u.duty.until_s = (uint32_t)(p->utc_ms / 1000 + 3600);
        return phone_event(p, e);
}

static inline void phone_frame(struct phone *p, const struct frame *frame)
{
        size_t before = p->queued;
        struct vigie_event e;

        phone_queue_frame(p, 0, frame);
        e = p->queue[before];
        p->queued = before;
        phone_event(p, e);
}

/* A receipt of the region for the alert it got last. */
static inline void phone_receipt(struct phone *p, uint8_t state, uint32_t version, const char *who)
{
        uint8_t octets[RECEIPT_MAX];
        struct known *k = &p->known[p->known_count - 1];
        struct receipt r = { .alert = k->id, .revision = k->revision, .version = version, .state = state };
        struct frame frame = { .type = FRAME_RECEIPT };

        r.time_s = (uint32_t)(p->utc_ms / 1000);
        receipt_set_who(&r, who);
        frame.u.cose.cose = (struct cbor_span){ octets, receipt_octets(&r, receipt_key, octets) };
        phone_frame(p, &frame);
}

static inline void phone_network(struct phone *p, bool works)
{
        p->network = works;
        for (uint8_t i = 0; i < 8 && !works; i++) {
                if (!(p->up >> i & 1))
                        continue;
                p->up &= (uint8_t) ~(1u << i);
                phone_event(p, (struct vigie_event){ .type = VIGIE_ON_LINK, .u.link = { i, false } });
        }
}

/* From here on is counted. */
static inline void phone_mark(struct phone *p)
{
        p->mark = p->did_count;
}

static inline size_t phone_count(const struct phone *p, uint32_t type)
{
        size_t count = 0;

        for (size_t i = p->mark; i < p->did_count; i++)
                count += p->did[i].action.type == type;
        return count;
}

/* The Nth action of this type since the mark, from 0; NULL if there are fewer. */
static inline const struct did *phone_did(const struct phone *p, uint32_t type, size_t nth)
{
        for (size_t i = p->mark; i < p->did_count; i++)
                if (p->did[i].action.type == type && nth-- == 0)
                        return &p->did[i];
        return NULL;
}

static inline size_t phone_vibrated(const struct phone *p, uint8_t pattern)
{
        size_t count = 0;

        for (size_t i = p->mark; i < p->did_count; i++)
                count += p->did[i].action.type == VIGIE_DO_VIBRATE && p->did[i].action.pattern == pattern;
        return count;
}

/* The Nth frame of this type sent since the mark; NULL if there are fewer. */
static inline const struct did *phone_sent(const struct phone *p, uint8_t frame_type, size_t nth,
                                           struct frame *ret_frame)
{
        for (size_t i = p->mark; i < p->did_count; i++) {
                const struct vigie_action *a = &p->did[i].action;

                if (a->type != VIGIE_DO_SEND || frame_decode(a->data, a->len, ret_frame) < 0)
                        continue;
                if (ret_frame->type == frame_type && nth-- == 0)
                        return &p->did[i];
        }
        return NULL;
}

static inline size_t phone_sent_count(const struct phone *p, uint8_t frame_type)
{
        struct frame frame;
        size_t count = 0;

        while (phone_sent(p, frame_type, count, &frame) != NULL)
                count++;
        return count;
}

/* The newest alert sent since the mark. */
static inline struct alert_signed phone_alert(const struct phone *p)
{
        struct alert_signed a = { 0 };
        struct frame frame;
        size_t count = phone_sent_count(p, FRAME_ALERT);

        assert_true(count > 0);
        phone_sent(p, FRAME_ALERT, count - 1, &frame);
        assert_int_equal(alert_read(frame.u.cose.cose, &a, NULL), 0);
        return a;
}

#endif
