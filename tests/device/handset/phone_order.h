/* For the tests of orders: a phone that is enrolled, orders of its region, and what it confirms. */
#ifndef TESTS_DEVICE_HANDSET_PHONE_ORDER_H
#define TESTS_DEVICE_HANDSET_PHONE_ORDER_H
#include "tests/device/handset/phone.h"

static const uint8_t enrolment[8] = "enrolled";

static inline struct phone *phone_enrolled(void)
{
        struct phone *p = phone_new();

        memcpy(p->options.enrolment, enrolment, sizeof(enrolment));
        phone_start(p);
        return p;
}

static inline struct order order_of(enum order_kind kind, uint32_t number)
{
        struct order o = { .kind = kind, .number = number, .issued_at_s = UTC0 / 1000 };

        memcpy(o.handset.octets, our_handset, 8);
        memcpy(o.enrolment, enrolment, 8);
        memcpy(o.challenge, "question", 8);
        memcpy(o.digest, "sixteen octets..", 16);
        o.trust_number = 9;
        return o;
}

static inline size_t order_octets(const struct order *order, const uint8_t *key, uint8_t to[ORDER_MAX])
{
        uint8_t payload[ORDER_PAYLOAD_MAX];
        struct cbor_writer w;

        cbor_writer_init(&w, payload, sizeof(payload));
        assert_int_equal(order_write_payload(order, &w), 0);
        return toy_cose(key, cbor_written(&w), ORDER_AAD, to, ORDER_MAX);
}

static inline void give(struct phone *p, const struct order *order, uint32_t beside_len)
{
        uint8_t octets[ORDER_MAX];
        struct frame f = { .type = FRAME_ORDER, .u.order.beside = beside_len };

        f.u.order.cose = (struct cbor_span){ octets, order_octets(order, order_key, octets) };
        phone_frame(p, &f);
}

static inline void give_sms(struct phone *p, const struct order *order)
{
        uint8_t octets[ORDER_MAX];
        struct vigie_event e = { .type = VIGIE_ON_SMS };

        e.u.sms.len = order_octets(order, order_key, octets);
        e.u.sms.data = octets;
        phone_event(p, e);
}

/* The phone has a modem and no data, and the order comes by SMS. */
static inline void give_without_data(struct phone *p, const struct order *order)
{
        phone_modem(p, VIGIE_MODEM_READY);
        phone_network(p, false);
        phone_run(p, 3000);
        give_sms(p, order);
}

static inline void ordered(struct phone *p, uint32_t number, uint8_t result)
{
        phone_event(p, (struct vigie_event){ .type = VIGIE_ON_ORDERED, .u.ordered = { number, result } });
}

/* The confirmations sent by data since the mark; the last one to *RET_CONFIRM. */
static inline size_t confirmed(struct phone *p, struct confirm *ret_confirm)
{
        struct confirm_signed in;
        struct frame f;
        size_t n = 0;

        while (phone_sent(p, FRAME_DONE, n, &f) != NULL) {
                assert_int_equal(confirm_read(f.u.cose.cose, &in, NULL), 0);
                *ret_confirm = in.confirm;
                n++;
        }
        return n;
}
#endif
