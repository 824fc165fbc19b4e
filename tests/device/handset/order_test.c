#include <errno.h>

#include "tests/device/handset/phone_order.h"

static const uint8_t beside[3 * FRAME_PART_MAX] = "what comes beside";

static void part(struct phone *p, uint32_t number, uint32_t offset, size_t len)
{
        struct frame f = { .type = FRAME_PART, .u.part = { number, offset, { beside + offset, len } } };

        phone_frame(p, &f);
}

/* An unlock: the host is given the challenge, does it, and it is confirmed, once it is in the journal. */
static void unlock(void **state)
{
        struct phone *p = phone_enrolled();
        struct order o = order_of(ORDER_UNLOCK, 7);
        const struct did *did;
        struct confirm c;

        phone_mark(p);
        give(p, &o, 0);
        assert_int_equal(phone_count(p, VIGIE_DO_ORDER), 1);
        did = phone_did(p, VIGIE_DO_ORDER, 0);
        assert_int_equal(did->action.kind, VIGIE_ORDER_UNLOCK);
        assert_int_equal(did->action.number, 7);
        assert_memory_equal(did->action.argument, "question", 8);
        assert_int_equal(confirmed(p, &c), 0);
        p->journal_silent = true;
        ordered(p, 7, VIGIE_ORDER_COULD_NOT);
        assert_int_equal(confirmed(p, &c), 0);
        p->journal_silent = false;
        phone_event(p, (struct vigie_event){ .type = VIGIE_ON_SYNCED, .u.synced = { p->journal_seq, true } });
        assert_int_equal(confirmed(p, &c), 1);
        assert_int_equal(c.number, 7);
        assert_int_equal(c.kind, ORDER_UNLOCK);
        assert_int_equal(c.result, ORDER_COULD_NOT);
        assert_memory_equal(c.enrolment, enrolment, 8);
        phone_free(p);
}

/* A copy, and an older one, are answered by the confirmation of the last one taken, after a restart too; nothing is done twice. */
static void copies(void **state)
{
        struct phone *p = phone_enrolled();
        struct order o = order_of(ORDER_UNLOCK, 7), older = order_of(ORDER_WIPE, 6);
        struct confirm c;

        give(p, &o, 0);
        ordered(p, 7, VIGIE_ORDER_DONE);
        for (int restarted = 0; restarted < 2; restarted++) {
                phone_run(p, 3000);
                phone_mark(p);
                give(p, &o, 0);
                give(p, &o, 0); /* at once: not answered twice */
                assert_int_equal(confirmed(p, &c), 1);
                assert_int_equal(c.number, 7);
                phone_run(p, 3000);
                give(p, &older, 0);
                assert_int_equal(confirmed(p, &c), 2);
                assert_int_equal(c.number, 7);
                assert_int_equal(phone_count(p, VIGIE_DO_ORDER), 0);
                phone_compact(p);
                phone_start(p);
                phone_run(p, 1000);
        }
        phone_free(p);
}

/* What is another's, signed by another key, or not in its turn, does nothing. */
static void not_ours(void **state)
{
        struct phone *p = phone_enrolled();
        struct order o = order_of(ORDER_UNLOCK, 7);
        uint8_t octets[ORDER_MAX];
        struct frame f = { .type = FRAME_ORDER };
        struct confirm c;

        phone_mark(p);
        o.enrolment[0] ^= 1;
        give(p, &o, 0);
        o = order_of(ORDER_UNLOCK, 7);
        o.handset.octets[7] ^= 1;
        give(p, &o, 0);
        assert_int_equal(p->status.refused, 0);
        o = order_of(ORDER_UNLOCK, 7);
        f.u.order.cose = (struct cbor_span){ octets, order_octets(&o, receipt_key, octets) };
        phone_frame(p, &f); /* a key for receipts */
        assert_int_equal(p->status.refused, 1);
        f.u.order.cose.len = order_octets(&o, order_key, octets);
        octets[f.u.order.cose.len - 1] ^= 1;
        phone_frame(p, &f);
        assert_int_equal(p->status.refused, 2);
        o = order_of(ORDER_PASS, 7);
        give(p, &o, 0); /* a pass with nothing beside it; an unlock with something */
        o = order_of(ORDER_UNLOCK, 7);
        give(p, &o, 10);
        ordered(p, 7, VIGIE_ORDER_DONE); /* nobody asked */
        assert_int_equal(phone_count(p, VIGIE_DO_ORDER), 0);
        assert_int_equal(confirmed(p, &c), 0);
        phone_free(p);
}

/* Of a newer region's kind, with something beside it: confirmed as not understood, once it is in the journal, and so forgotten there; the host
 * hears nothing of it, and the next order is done. */
static void unknown_kind(void **state)
{
        struct phone *p = phone_enrolled();
        struct order o = order_of(ORDER_WIPE, 7), next = order_of(ORDER_UNLOCK, 8);
        uint8_t payload[ORDER_PAYLOAD_MAX], octets[ORDER_MAX];
        struct frame f = { .type = FRAME_ORDER, .u.order.beside = FRAME_PART_MAX };
        struct cbor_writer w;
        struct confirm c;

        cbor_writer_init(&w, payload, sizeof(payload));
        assert_int_equal(order_write_payload(&o, &w), 0);
        assert_int_equal(payload[w.len - 7], ORDER_WIPE);
        payload[w.len - 7] = ORDER_KIND_END;
        f.u.order.cose =
                (struct cbor_span){ octets, toy_cose(order_key, cbor_written(&w), ORDER_AAD, octets, ORDER_MAX) };
        phone_mark(p);
        phone_frame(p, &f);
        part(p, 7, 0, FRAME_PART_MAX);
        assert_int_equal(confirmed(p, &c), 1);
        assert_int_equal(c.number, 7);
        assert_int_equal(c.kind, ORDER_KIND_END);
        assert_int_equal(c.result, ORDER_NOT_UNDERSTOOD);
        phone_compact(p);
        phone_start(p);
        phone_run(p, 3000);
        phone_mark(p);
        phone_frame(p, &f);
        assert_int_equal(confirmed(p, &c), 1);
        assert_int_equal(c.result, ORDER_NOT_UNDERSTOOD);
        assert_int_equal(phone_count(p, VIGIE_DO_BESIDE) + phone_count(p, VIGIE_DO_ORDER), 0);
        give(p, &next, 0);
        assert_int_equal(phone_count(p, VIGIE_DO_ORDER), 1);
        phone_free(p);
}

/* What comes beside a pass goes to the host in pieces, without gap; a new link begins it anew. */
static void pass_in_pieces(void **state)
{
        struct phone *p = phone_enrolled();
        struct order o = order_of(ORDER_PASS, 8);
        const uint32_t total = 2 * FRAME_PART_MAX + 5;
        const struct did *did;
        struct confirm c;

        phone_mark(p);
        give(p, &o, total);
        part(p, 8, 0, FRAME_PART_MAX);
        part(p, 8, 0, FRAME_PART_MAX);              /* again: nothing */
        part(p, 8, 2 * FRAME_PART_MAX, 5);          /* a gap: nothing */
        part(p, 9, FRAME_PART_MAX, FRAME_PART_MAX); /* another order's */
        assert_int_equal(phone_count(p, VIGIE_DO_BESIDE), 1);
        give(p, &o, total);
        part(p, 8, 0, FRAME_PART_MAX);
        part(p, 8, FRAME_PART_MAX, FRAME_PART_MAX);
        part(p, 8, 2 * FRAME_PART_MAX, 6); /* more than was said */
        assert_int_equal(phone_count(p, VIGIE_DO_ORDER), 0);
        part(p, 8, 2 * FRAME_PART_MAX, 5);
        assert_int_equal(phone_count(p, VIGIE_DO_BESIDE), 4);
        did = phone_did(p, VIGIE_DO_BESIDE, 3);
        assert_int_equal(did->action.offset, 2 * FRAME_PART_MAX);
        assert_int_equal(did->action.total, total);
        assert_int_equal(did->action.len, 5);
        did = phone_did(p, VIGIE_DO_ORDER, 0);
        assert_non_null(did);
        assert_memory_equal(did->action.argument, "sixteen octets..", 16);
        ordered(p, 8, VIGIE_ORDER_DONE);
        assert_int_equal(confirmed(p, &c), 1);
        assert_true(p->most_octets < VIGIE_OCTETS_MAX / 2);
        phone_free(p);
}

/* A trust list is taken here: believed by the root's signature, and said to be taken where its number is there. */
static void trust_list(void **state)
{
        struct phone *p = phone_enrolled();
        struct order o = order_of(ORDER_TRUST, 3);
        static uint8_t list[TRUST_MAX];
        uint32_t len = (uint32_t)toy_trust(root_key, 9, list, sizeof(list));
        struct frame f = { .type = FRAME_PART, .u.part = { 3, 0, { list, len } } };
        struct confirm c;

        phone_mark(p);
        give(p, &o, TRUST_MAX + 1); /* no list is so long */
        phone_frame(p, &f);
        assert_int_equal(confirmed(p, &c), 0);
        give(p, &o, len);
        phone_frame(p, &f);
        assert_int_equal(confirmed(p, &c), 1);
        assert_int_equal(c.result, ORDER_DONE);
        assert_int_equal(vigie_trust(p->vigie)->number, 9);
        o = order_of(ORDER_TRUST, f.u.part.number = 4);
        o.trust_number = 10;
        f.u.part.octets.len = toy_trust(receipt_key, 10, list, sizeof(list));
        give(p, &o, len);
        phone_frame(p, &f);
        assert_int_equal(confirmed(p, &c), 2);
        assert_int_equal(c.result, ORDER_COULD_NOT);
        assert_int_equal(vigie_trust(p->vigie)->number, 9);
        phone_free(p);
}

/* No data: the order comes by SMS, and so does the confirmation, once; a copy is answered again, a minute later. */
static void by_sms(void **state)
{
        struct phone *p = phone_enrolled();
        struct order o = order_of(ORDER_UNLOCK, 5);

        give_without_data(p, &o);
        assert_int_equal(phone_count(p, VIGIE_DO_ORDER), 1);
        ordered(p, 5, VIGIE_ORDER_DONE);
        phone_run(p, 30000);
        assert_int_equal(p->confirmed_sms, 1);
        assert_int_equal(p->confirmed.confirm.number, 5);
        for (int i = 0; i < 5; i++)
                give_sms(p, &o);
        phone_run(p, 20000);
        assert_int_equal(p->confirmed_sms, 1);
        phone_run(p, 60000);
        give_sms(p, &o);
        phone_run(p, 30000);
        assert_int_equal(p->confirmed_sms, 2);
        phone_free(p);
}

/* What the vault says goes out at each welcome and each change; a pass is asked for once a link until it is answered. */
static void vault_and_asking(void **state)
{
        struct phone *p = phone_enrolled();
        struct vigie_event vault = { .type = VIGIE_ON_VAULT,
                                     .u.vault = { .state = VIGIE_VAULT_LOCKED, .has_key = true } };
        struct vigie_event ask = { .type = VIGIE_ON_ASK_PASS, .u.ask_pass = { "lyon-3", UTC0 / 1000 + 3600 } };
        struct frame f, answer = { .type = FRAME_ASKED };

        phone_mark(p);
        phone_event(p, vault);
        assert_non_null(phone_sent(p, FRAME_VAULT, 0, &f));
        assert_int_equal(f.u.vault.state, VAULT_LOCKED);
        assert_true(f.u.vault.has_key);
        phone_event(p, ask);
        assert_non_null(phone_sent(p, FRAME_ASK_PASS, 0, &f));
        assert_string_equal(f.u.ask_pass.round, "lyon-3");
        assert_int_equal(p->status.asked_pass, VIGIE_ASKING);
        phone_network(p, false);
        p->network = true;
        phone_run(p, 5000);
        assert_non_null(phone_sent(p, FRAME_VAULT, 1, &f));
        assert_non_null(phone_sent(p, FRAME_ASK_PASS, 1, &f));
        answer.u.asked.request = f.u.ask_pass.request;
        phone_frame(p, &answer);
        assert_int_equal(p->status.asked_pass, VIGIE_ASKED_TOLD);
        phone_network(p, false);
        p->network = true;
        phone_run(p, 5000);
        assert_null(phone_sent(p, FRAME_ASK_PASS, 2, &f));
        vault.u.vault.state = VIGIE_VAULT_DESTROYED + 1;
        assert_int_equal(phone_event(p, vault), -EINVAL);
        ask.u.ask_pass.round[0] = 0;
        assert_int_equal(phone_event(p, ask), -EINVAL);
        phone_free(p);
}

/* A quiet timer: the region gets its end and a sealed place, is told when it is over, also after a restart; missed, the building is
 * where the carrier is. */
static void quiet_timer(void **state)
{
        struct phone *p = phone_enrolled();
        struct vigie_event in = { .type = VIGIE_ON_ENTERED, .u.entered = { 60, true, { 457640430, 48356590, 30, 0 } } };
        struct frame f;

        phone_mark(p);
        phone_event(p, in);
        assert_non_null(phone_sent(p, FRAME_TIMER, 0, &f));
        assert_int_equal(f.u.timer.due_s, UTC0 / 1000 + 60);
        assert_int_equal(f.u.timer.place.len, 2);
        assert_int_equal(p->status.entered_at_ms, UTC0);
        phone_network(p, false);
        phone_event(p, (struct vigie_event){ .type = VIGIE_ON_DEADLINE, .u.deadline = { VIGIE_DEADLINE_CLEAR, 0 } });
        assert_int_equal(p->status.entered_at_ms, 0);
        phone_mark(p);
        p->network = true;
        phone_start(p);
        phone_run(p, 5000);
        assert_non_null(phone_sent(p, FRAME_TIMER, 0, &f));
        assert_int_equal(f.u.timer.due_s, 0);
        assert_int_equal(f.u.timer.place.len, 0);
        phone_network(p, false);
        p->network = true;
        phone_run(p, 5000);
        assert_null(phone_sent(p, FRAME_TIMER, 1, &f));
        phone_event(p, in);
        phone_start(p);
        phone_run(p, 5000); /* said again */
        assert_non_null(phone_sent(p, FRAME_TIMER, 2, &f));
        assert_int_equal(f.u.timer.place.len, 2);
        phone_run(p, 60000 + VIGIE_ASK_S * 1000);
        assert_int_equal(p->known_count, 1);
        assert_int_equal(p->known[0].kind, ALERT_MISSED_CHECK_IN);
        assert_true(p->status.has_fix);
        assert_int_equal(p->status.fix.lat_e7, 457640430);
        in.u.entered.in_s = 59;
        assert_int_equal(phone_event(p, in), -EINVAL);
        in.u.entered.in_s = 28801;
        assert_int_equal(phone_event(p, in), -EINVAL);
        phone_free(p);
}

/* The vault opened under duress: a silent alert, marked from its first revision, and nothing on the screen. */
static void duress(void **state)
{
        struct phone *p = phone_enrolled();

        phone_mark(p);
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_DURESS);
        phone_run(p, 1000);
        assert_int_equal(p->known_count, 1);
        assert_int_equal(p->known[0].kind, ALERT_SILENT);
        assert_true(p->known[0].marks & ALERT_DURESS);
        assert_int_equal(p->known[0].revision, 0);
        assert_int_equal(p->status.alert.word, VIGIE_NOTHING);
        assert_int_equal(phone_count(p, VIGIE_DO_VIBRATE), 0);
        phone_free(p);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(unlock),           cmocka_unit_test(copies),      cmocka_unit_test(not_ours),
                cmocka_unit_test(pass_in_pieces),   cmocka_unit_test(trust_list),  cmocka_unit_test(by_sms),
                cmocka_unit_test(vault_and_asking), cmocka_unit_test(quiet_timer), cmocka_unit_test(duress),
                cmocka_unit_test(unknown_kind),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
