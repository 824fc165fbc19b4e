/* What tests of libvigie-handset say to the phone of phone.h, and ask of it. */
#ifndef TESTS_DEVICE_HANDSET_PHONE_ASK_H
#define TESTS_DEVICE_HANDSET_PHONE_ASK_H

#include "tests/device/handset/phone.h"

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

static inline void phone_modem(struct phone *p, uint8_t modem)
{
        phone_event(p, (struct vigie_event){ .type = VIGIE_ON_MODEM, .u.modem = modem });
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

/* The journal keeps what is still needed. */
static inline void phone_compact(struct phone *p)
{
        size_t kept = 0;

        for (size_t i = 0; i < p->record_count; i++)
                if (vigie_keep(p->vigie, p->records[i].octets, p->records[i].len))
                        p->records[kept++] = p->records[i];
        p->record_count = p->not_synced = kept;
        for (size_t i = 0; i < kept; i++)
                p->records[i].durable = true;
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
