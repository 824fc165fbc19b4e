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
#include "wire/order.h"
#include "wire/receipt.h"
#include "wire/trust.h"

#define MONO0       INT64_C(1000000)
#define DID_MAX     16384
#define RECORDS_MAX 1024
#define EVENTS_MAX  64
#define ALERTS_MAX  8
#define LATER_MAX   64
#define BY_SMS      UINT8_MAX /* where a link's address stands */

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

/* What comes later: an event, or, with octets and no event, an SMS at the region. */
struct later {
        int64_t at_mono_ms;
        struct vigie_event event;
        const uint8_t *octets;
        size_t len;
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

        /* the modem and the mobile network */
        bool sms_silent, sms_lost, receipt_lost; /* never says that it has sent; no SMS arrives there; or back here */
        uint16_t sms_code;                       /* the modem refuses with this; 0 = it sends */
        int64_t sms_takes_ms, sms_way_ms;        /* until the modem says so; each way */
        int64_t sms_since_mono_ms;               /* one is with the modem; -1 = none */
        struct later later[LATER_MAX];
        size_t later_count;

        struct did did[DID_MAX];
        uint32_t most_actions, most_octets; /* of one event */
        size_t did_count, mark;             /* mark: did before it is not counted */
        struct phone_record *records;
        size_t record_count, not_synced;
        uint32_t journal_seq;
        struct known known[ALERTS_MAX];
        size_t known_count;
        struct confirm_signed confirmed; /* the last confirmation that came by SMS, and how many did */
        unsigned confirmed_sms;
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

static inline void phone_later(struct phone *p, int64_t ms, struct later later)
{
        assert_true(p->later_count < LATER_MAX);
        later.at_mono_ms = p->mono_ms + ms;
        p->later[p->later_count++] = later;
}

static inline void phone_queue_receipt(struct phone *p, uint8_t address, const struct receipt *receipt)
{
        uint8_t octets[RECEIPT_MAX];
        struct frame frame = { .type = FRAME_RECEIPT };
        struct vigie_event e = { .type = VIGIE_ON_SMS };

        if (address == BY_SMS) {
                e.u.sms.len = receipt_octets(receipt, receipt_key, octets);
                e.u.sms.data = phone_copy(p, octets, e.u.sms.len);
                if (!p->receipt_lost)
                        phone_later(p, p->sms_way_ms, (struct later){ .event = e });
                return;
        }
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
        assert_true(address == BY_SMS || a.alert.revision >= k->revision); /* never an older one after a newer */
        if (a.alert.revision == k->revision && k->payload_len > 0) {       /* a number is used once */
                assert_int_equal(a.cose.payload.len, k->payload_len);
                assert_memory_equal(a.cose.payload.at, k->payload, k->payload_len);
        }
        if (a.alert.revision >= k->revision) {
                k->payload_len = a.cose.payload.len;
                memcpy(k->payload, a.cose.payload.at, a.cose.payload.len);
        }
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

/* ---- the mobile network ------------------------------------------------------------------------------------------ */

/* One at a time; the next after the answer to the last, or 90 s without. */
static inline void phone_sms(struct phone *p, const struct vigie_action *a)
{
        struct vigie_event e = { .type = VIGIE_ON_SMS_SENT,
                                 .u.sms_sent = { a->ticket, p->sms_code == 0, p->sms_code } };

        assert_true(a->len > 0 && a->len <= VIGIE_SMS_MAX);
        assert_true(a->ticket != 0);
        assert_true(p->sms_since_mono_ms < 0 || p->mono_ms - p->sms_since_mono_ms >= VIGIE_SMS_WAIT_MS);
        p->sms_since_mono_ms = p->mono_ms;
        if (!p->sms_silent)
                phone_later(p, p->sms_takes_ms, (struct later){ .event = e });
        if (p->sms_code == 0 && !p->sms_lost)
                phone_later(p, p->sms_takes_ms + p->sms_way_ms,
                            (struct later){ .octets = phone_copy(p, a->data, a->len), .len = a->len });
}

/* The next of what comes later; NULL if there is none. */
static inline struct later *later_next(struct phone *p)
{
        struct later *next = NULL;

        for (size_t i = 0; i < p->later_count; i++)
                if (next == NULL || p->later[i].at_mono_ms < next->at_mono_ms)
                        next = &p->later[i];
        return next;
}

static inline int phone_event(struct phone *p, struct vigie_event event);

static inline void later_happens(struct phone *p, struct later *at)
{
        struct later later = *at;

        *at = p->later[--p->later_count];
        if (later.octets != NULL &&
            confirm_read((struct cbor_span){ later.octets, later.len }, &p->confirmed, NULL) == 0) {
                p->confirmed_sms++;
                return;
        }
        if (later.octets != NULL) {
                region_alert(p, BY_SMS, (struct cbor_span){ later.octets, later.len });
                return;
        }
        if (later.event.type == VIGIE_ON_SMS_SENT)
                p->sms_since_mono_ms = -1;
        phone_event(p, later.event);
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
        case VIGIE_DO_SEND_SMS:
                phone_sms(p, a);
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
                if (p->actions->count > p->most_actions)
                        p->most_actions = p->actions->count;
                if (p->actions->octets_len > p->most_octets)
                        p->most_octets = p->actions->octets_len;
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
        int64_t until = p->mono_ms + ms, to;

        while (p->mono_ms < until && !p->dead) {
                struct later *later = later_next(p);

                to = p->timer_mono_ms < until ? p->timer_mono_ms : until;
                if (later != NULL && later->at_mono_ms < to)
                        to = later->at_mono_ms;
                p->utc_ms += to - p->mono_ms;
                p->mono_ms = to;
                while ((later = later_next(p)) != NULL && later->at_mono_ms <= p->mono_ms)
                        later_happens(p, later);
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
        p->sms_since_mono_ms = -1;
        for (size_t i = p->later_count; i-- > 0;) /* what its process was told; SMS under way go on */
                if (p->later[i].event.type == VIGIE_ON_SMS_SENT)
                        p->later[i] = p->later[--p->later_count];
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
        p->sms_takes_ms = 2000;
        p->sms_way_ms = 7000;
        p->sms_since_mono_ms = -1;
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

#include "tests/device/handset/phone_ask.h"

#endif
