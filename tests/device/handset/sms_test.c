#include <errno.h>

#include "tests/device/handset/phone.h"

/* ---- what goes out ----------------------------------------------------------------------------------------------- */

static struct phone *in_the_wild(void)
{
        struct phone *p = phone_new();

        p->network = false;
        phone_start(p);
        phone_modem(p, VIGIE_MODEM_READY);
        phone_run(p, 60000);
        phone_mark(p);
        return p;
}

static struct alert_signed sms_alert(const struct phone *p, size_t nth)
{
        const struct did *did = phone_did(p, VIGIE_DO_SEND_SMS, nth);
        struct alert_signed a = { 0 };

        assert_non_null(did);
        assert_int_equal(alert_read((struct cbor_span){ did->action.data, did->action.len }, &a, NULL), 0);
        assert_int_equal(a.odd, 0);
        return a;
}

/* The very octets that data carries: one alert whichever copy comes first, and the worst case fits. */
static void the_same_object(void **state)
{
        struct phone *p = in_the_wild();
        const struct did *sms;
        struct frame frame;

        p->sms_lost = true;
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        phone_run(p, 500);
        p->network = true;
        phone_run(p, 1000);
        sms = phone_did(p, VIGIE_DO_SEND_SMS, 0);
        assert_non_null(phone_sent(p, FRAME_ALERT, 0, &frame));
        assert_int_equal(sms->action.len, frame.u.cose.cose.len);
        assert_memory_equal(sms->action.data, frame.u.cose.cose.at, sms->action.len);
        phone_free(p);
}

/* Two SMS that cannot be told apart but by the region: the right PIN and the one under duress. */
static void cancels_look_the_same(void **state)
{
        struct phone *p[2] = { in_the_wild(), in_the_wild() };

        for (int i = 0; i < 2; i++) {
                phone_fix(p[i], 45.76, 4.83, 5);
                phone_press(p[i], VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
                phone_run(p[i], 30000);
                phone_pin(p[i], i == 0 ? VIGIE_PIN_RIGHT : VIGIE_PIN_DURESS);
                phone_run(p[i], 30000);
                assert_int_equal(phone_count(p[i], VIGIE_DO_SEND_SMS), 2);
                assert_int_equal(sms_alert(p[i], 1).alert.marks & (ALERT_MISTAKE | ALERT_DURESS),
                                 i == 0 ? ALERT_MISTAKE : ALERT_DURESS);
        }
        assert_int_equal(p[0]->did_count, p[1]->did_count);
        for (size_t i = 0; i < p[0]->did_count; i++) {
                assert_int_equal(p[0]->did[i].action.type, p[1]->did[i].action.type);
                assert_int_equal(p[0]->did[i].action.len, p[1]->did[i].action.len);
                assert_int_equal(p[0]->did[i].at_mono_ms, p[1]->did[i].at_mono_ms);
        }
        assert_memory_equal(&p[0]->status, &p[1]->status, sizeof(p[0]->status));
        phone_free(p[0]);
        phone_free(p[1]);
}

/* A retry and an update carry where we are now; what was pressed goes along. */
static void newest_position(void **state)
{
        struct phone *p = in_the_wild();

        p->sms_lost = true;
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        phone_run(p, 10000);
        assert_false(sms_alert(p, 0).alert.has_fix);
        phone_fix(p, 45.76, 4.83, 5);
        phone_run(p, 1);
        assert_true(sms_alert(p, 1).alert.has_fix);
        phone_run(p, 10000);
        phone_fix(p, 45.77, 4.83, 5);
        phone_run(p, 60000);
        assert_int_equal(sms_alert(p, 2).alert.lat_e7, 457700000);
        assert_true(sms_alert(p, 2).alert.revision > sms_alert(p, 1).alert.revision);
        phone_free(p);
}

/* As by data: the press waits for its record, a second at most. */
static void record_first(void **state)
{
        struct phone *p = in_the_wild();

        p->journal_silent = true;
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        phone_run(p, VIGIE_JOURNAL_WAIT_MS - 1);
        assert_int_equal(phone_count(p, VIGIE_DO_SEND_SMS), 0);
        phone_run(p, 1);
        assert_int_equal(phone_count(p, VIGIE_DO_SEND_SMS), 1);
        phone_free(p);
}

/* A phone with no address to connect to, or none but alert ports: SMS is its path. */
static void no_ordinary_address(void **state)
{
        for (uint8_t ports = 0; ports < 2; ports++) {
                struct phone *p = phone_new();

                p->options.address_count = p->options.address_alert = ports;
                p->network = false;
                phone_start(p);
                phone_modem(p, VIGIE_MODEM_READY);
                phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
                assert_int_equal(phone_count(p, VIGIE_DO_SEND_SMS), 1);
                phone_run(p, 30000);
                assert_int_equal(p->status.alert.word, VIGIE_RECEIVED);
                phone_pin(p, VIGIE_PIN_RIGHT);
                assert_int_equal(phone_count(p, VIGIE_DO_SEND_SMS), 2);
                phone_free(p);
        }
}

/* A real press in the middle of a drill whose SMS is refused: it does not wait with that one. */
static void real_before_drill(void **state)
{
        struct phone *p = in_the_wild();

        p->sms_code = 500;
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_DRILL);
        phone_run(p, 100000);
        phone_mark(p);
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        assert_int_equal(sms_alert(p, 0).alert.kind, ALERT_PANIC);
        p->sms_code = 0;
        phone_run(p, 90000);
        assert_int_equal(sms_alert(p, phone_count(p, VIGIE_DO_SEND_SMS) - 1).alert.kind, ALERT_DRILL);
        phone_free(p);
}

/* What is told late of an SMS of an alert that is over is not told of the next one. */
static void late_word_of_the_modem(void **state)
{
        struct phone *p = in_the_wild();

        p->sms_takes_ms = 80000;
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_DRILL);
        p->network = true;
        phone_run(p, 2000);
        phone_receipt(p, RECEIPT_CLOSED_DRILL_OVER, 9, "Zoe");
        phone_network(p, false);
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_DRILL);
        phone_run(p, 77000);
        assert_int_equal(p->status.alert.word, VIGIE_NOT_SENT);
        phone_run(p, 2000);
        assert_int_equal(p->status.alert.word, VIGIE_NOT_SENT);
        assert_int_equal(phone_count(p, VIGIE_DO_SEND_SMS), 2);
        phone_event(p, (struct vigie_event){ .type = VIGIE_ON_SMS_SENT, .u.sms_sent = { 99999, true, 0 } });
        assert_true(p->status.sms.sending);
        phone_free(p);
}

/* ---- what comes in ----------------------------------------------------------------------------------------------- */

static void receipt_by_sms(struct phone *p, uint8_t state, uint32_t version, const char *who)
{
        uint8_t octets[RECEIPT_MAX + 1] = { 0 };
        struct receipt r = { .alert = p->known[0].id, .revision = 9, .version = version, .state = state };
        struct vigie_event e = { .type = VIGIE_ON_SMS, .u.sms = { octets, 0 } };

        r.time_s = (uint32_t)(p->utc_ms / 1000);
        receipt_set_who(&r, who);
        e.u.sms.len = receipt_octets(&r, receipt_key, octets);
        assert_int_equal(phone_event(p, e), 0);
        e.u.sms.len = VIGIE_SMS_MAX + 1; /* and one too large, which is counted and dropped */
        assert_int_equal(phone_event(p, e), 0);
}

/* "Taken by Paul" comes an hour late and twice, when Paul has released it: nothing changes. */
static void old_receipt_late(void **state)
{
        struct phone *p = in_the_wild();
        struct vigie_alert_status before;

        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        phone_run(p, 30000);
        receipt_by_sms(p, RECEIPT_TAKEN, 5, "Paul");
        assert_string_equal(p->status.alert.who, "Paul");
        receipt_by_sms(p, RECEIPT_ASKED, 6, "");
        before = p->status.alert;
        assert_int_equal(before.word, VIGIE_ASKED);
        phone_run(p, 3600000);
        receipt_by_sms(p, RECEIPT_TAKEN, 5, "Paul");
        receipt_by_sms(p, RECEIPT_TAKEN, 5, "Paul");
        assert_memory_equal(&before, &p->status.alert, sizeof(before));
        assert_int_equal(p->status.refused, 4);
        receipt_by_sms(p, RECEIPT_TAKEN, 7, "Anna");
        assert_string_equal(p->status.alert.who, "Anna");
        assert_int_equal(p->status.alert.received_path, VIGIE_PATH_SMS);
        phone_free(p);
}

/* A receipt by SMS says nothing about the link: one that is dead is still found so. */
static void receipt_by_sms_saves_no_link(void **state)
{
        struct phone *p = phone_started();

        phone_modem(p, VIGIE_MODEM_READY);
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        phone_run(p, 1000);
        p->region = false;
        p->sms_way_ms = 100;
        phone_pin(p, VIGIE_PIN_RIGHT);
        phone_run(p, 3000);
        receipt_by_sms(p, RECEIPT_RAISED, 1, "");
        phone_mark(p);
        phone_run(p, 1999);
        assert_int_equal(phone_count(p, VIGIE_DO_DISCONNECT), 0);
        phone_run(p, 1);
        assert_int_equal(phone_count(p, VIGIE_DO_DISCONNECT), 1);
        assert_int_equal(phone_count(p, VIGIE_DO_CONNECT), 1);
        phone_free(p);
}

/* ---- what shows -------------------------------------------------------------------------------------------------- */

/* Felt and said when the network has it, not when the modem has. */
static void no_word_early(void **state)
{
        struct phone *p = in_the_wild();

        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        phone_run(p, 1999);
        assert_true(p->status.sms.sending);
        assert_int_equal(p->status.alert.word, VIGIE_NOT_SENT);
        assert_int_equal(phone_vibrated(p, VIGIE_VIBRATE_LEAVING), 0);
        phone_run(p, 1);
        assert_false(p->status.sms.sending);
        assert_int_equal(p->status.alert.word, VIGIE_SENT);
        assert_int_equal(p->status.alert.sent_sms_at_ms, p->utc_ms);
        assert_int_equal(p->status.alert.sent_at_ms, p->utc_ms);
        assert_int_equal(p->status.alert.sent_data_at_ms, 0);
        assert_int_equal(phone_vibrated(p, VIGIE_VIBRATE_LEAVING), 1);
        assert_int_equal(p->status.sms.good_at_ms, 0);
        phone_run(p, 14000);
        assert_int_equal(p->status.alert.word, VIGIE_RECEIVED);
        assert_int_equal(p->status.sms.good_at_ms, p->utc_ms);
        assert_int_equal(p->status.proof.sms_at_ms, p->utc_ms);
        phone_free(p);
}

static void failures_show(void **state)
{
        struct phone *p = in_the_wild();

        p->sms_code = 38;
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        phone_run(p, 2000);
        assert_int_equal(p->status.sms.code, 38);
        assert_int_equal(p->status.sms.failed_at_ms, p->utc_ms);
        assert_int_equal(p->status.alert.word, VIGIE_NOT_SENT);
        assert_int_equal(p->status.trouble & VIGIE_TROUBLE_NO_PATH, VIGIE_TROUBLE_NO_PATH);
        p->sms_code = 0;
        phone_run(p, 4000);
        assert_true(p->status.button);
        assert_int_equal(p->status.sms.code, 0);
        assert_int_equal(p->status.sms.failed_at_ms, 0);
        phone_free(p);
}

/* Nothing of a silent alert's SMS: not that one is with the modem, not that one failed, not when one was good. */
static void silent_shows_nothing(void **state)
{
        for (uint16_t code = 0; code < 2; code++) {
                struct phone *p = in_the_wild();
                struct vigie_sms_status before = p->status.sms;

                p->sms_code = code;
                phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_SILENT);
                for (int i = 0; i < 200; i++) {
                        phone_run(p, 100);
                        assert_memory_equal(&before, &p->status.sms, sizeof(before));
                        assert_int_equal(p->status.proof.sms_at_ms, 0);
                }
                assert_true(phone_count(p, VIGIE_DO_SEND_SMS) > 0);
                assert_int_equal(phone_count(p, VIGIE_DO_VIBRATE), 0);
                assert_int_equal(p->known_count, code == 0);
                phone_free(p);
        }
}

/* The button leans on either path; which states of the modem are one. */
static void button_and_modem(void **state)
{
        struct phone *p = phone_started();

        phone_network(p, false);
        phone_run(p, 60000);
        for (uint8_t m = 0; m < VIGIE_MODEM_END; m++) {
                phone_modem(p, m);
                assert_int_equal(p->status.sms.modem, m);
                assert_int_equal(p->status.button, m == VIGIE_MODEM_READY);
        }
        assert_int_equal(phone_event(p, (struct vigie_event){ .type = VIGIE_ON_MODEM, .u.modem = VIGIE_MODEM_END }),
                         -EINVAL);
        assert_int_equal(p->status.sms.modem, VIGIE_MODEM_READY);
        phone_free(p);
}

/* Out of credit: the button says so for ten minutes after the last refusal, or until one is sent. */
static void button_without_credit(void **state)
{
        struct phone *p = in_the_wild();
        int64_t failed_mono_ms;

        assert_true(p->status.button);
        p->sms_code = 38;
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        phone_run(p, 2000);
        assert_false(p->status.button);
        failed_mono_ms = p->mono_ms;
        p->network = true;
        phone_run(p, 1500);
        assert_true(p->status.button);
        phone_receipt(p, RECEIPT_CLOSED_OTHER, 9, "Zoe");
        phone_network(p, false);
        phone_run(p, 10000);
        assert_false(p->status.button);
        phone_run(p, failed_mono_ms + 600000 - 1 - p->mono_ms);
        assert_false(p->status.button);
        phone_run(p, 1);
        assert_true(p->status.button);
        phone_free(p);
}

/* ---- the monthly test -------------------------------------------------------------------------------------------- */

static struct phone *tester(void)
{
        struct phone *p = phone_new();

        p->options.sms_test = true;
        p->unfinished_lost = false;
        phone_start(p);
        phone_modem(p, VIGIE_MODEM_READY);
        phone_mark(p);
        return p;
}

static size_t duty_of_a_day(struct phone *p, int64_t days)
{
        phone_run(p, days * 86400000 - 3600000);
        phone_mark(p);
        phone_duty(p, true);
        phone_run(p, 1800000);
        phone_duty(p, false);
        phone_run(p, 1800000);
        return phone_count(p, VIGIE_DO_SEND_SMS);
}

/* Once, when the last good one is over 30 days old, by SMS as well as by data, no position in it; restarts know. */
static void monthly_test(void **state)
{
        struct phone *p = tester();
        int64_t good_at_ms;

        assert_int_equal(duty_of_a_day(p, 1), 1);
        assert_int_equal(sms_alert(p, 0).alert.kind, ALERT_TEST);
        assert_false(sms_alert(p, 0).alert.has_fix);
        assert_int_equal(phone_sent_count(p, FRAME_ALERT), 1);
        good_at_ms = p->status.sms.good_at_ms;
        assert_true(good_at_ms != 0);
        assert_int_equal(duty_of_a_day(p, 1), 0);
        phone_compact(p);
        phone_start(p);
        phone_modem(p, VIGIE_MODEM_READY);
        assert_int_equal(p->status.sms.good_at_ms, good_at_ms);
        assert_int_equal(duty_of_a_day(p, 28), 0);
        assert_int_equal(duty_of_a_day(p, 2), 1);
        phone_free(p);
}

/* One that is not answered goes again the next day, not at each duty of the same. */
static void test_not_answered(void **state)
{
        struct phone *p = tester();

        p->receipt_lost = true;
        assert_int_equal(duty_of_a_day(p, 1), 1);
        phone_start(p);
        phone_modem(p, VIGIE_MODEM_READY);
        phone_mark(p);
        for (int i = 0; i < 5; i++) {
                phone_duty(p, true);
                phone_run(p, 60000);
                phone_duty(p, false);
        }
        assert_int_equal(phone_count(p, VIGIE_DO_SEND_SMS), 0);
        assert_int_equal(duty_of_a_day(p, 1), 1);
        phone_free(p);
}

/* Switched off; no modem ready within a minute; refused by the modem: none, and the proof by data stands. */
static void no_test(void **state)
{
        for (int why = 0; why < 3; why++) {
                struct phone *p = tester();

                p->options.sms_test = why != 0;
                phone_start(p);
                phone_modem(p, why == 1 ? VIGIE_MODEM_NO_NETWORK : VIGIE_MODEM_READY);
                p->sms_code = why == 2 ? 500 : 0;
                phone_mark(p);
                phone_duty(p, true);
                phone_run(p, 61000);
                phone_modem(p, VIGIE_MODEM_READY);
                phone_run(p, 600000);
                assert_int_equal(phone_count(p, VIGIE_DO_SEND_SMS), why == 2);
                assert_int_equal(p->status.proof.sms_at_ms, 0);
                assert_true(p->status.proof.proved_at_ms != 0);
                assert_false(p->status.proof.running);
                phone_free(p);
        }
}

/* Without data the SMS alone proves the button. */
static void test_by_sms_alone(void **state)
{
        struct phone *p = tester();

        phone_network(p, false);
        phone_mark(p);
        phone_duty(p, true);
        phone_run(p, 30000);
        assert_true(p->status.proof.sent_at_ms != 0 && p->status.proof.proved_at_ms != 0);
        assert_false(p->status.proof.running);
        phone_run(p, 3600000);
        assert_int_equal(phone_count(p, VIGIE_DO_SEND_SMS), 1);
        phone_free(p);
}

/* The clock was in 2040 when the last one was good: the test is not put off until then, nor sent at each duty. */
static void test_and_a_wrong_clock(void **state)
{
        struct phone *p = tester();

        p->utc_ms += INT64_C(15) * 365 * 86400000;
        assert_int_equal(duty_of_a_day(p, 1), 1);
        p->utc_ms -= INT64_C(15) * 365 * 86400000;
        assert_int_equal(duty_of_a_day(p, 1), 1);
        assert_int_equal(duty_of_a_day(p, 1), 0);
        phone_free(p);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_same_object),
                cmocka_unit_test(cancels_look_the_same),
                cmocka_unit_test(newest_position),
                cmocka_unit_test(record_first),
                cmocka_unit_test(no_ordinary_address),
                cmocka_unit_test(real_before_drill),
                cmocka_unit_test(late_word_of_the_modem),
                cmocka_unit_test(old_receipt_late),
                cmocka_unit_test(receipt_by_sms_saves_no_link),
                cmocka_unit_test(no_word_early),
                cmocka_unit_test(failures_show),
                cmocka_unit_test(silent_shows_nothing),
                cmocka_unit_test(button_and_modem),
                cmocka_unit_test(button_without_credit),
                cmocka_unit_test(monthly_test),
                cmocka_unit_test(test_not_answered),
                cmocka_unit_test(no_test),
                cmocka_unit_test(test_by_sms_alone),
                cmocka_unit_test(test_and_a_wrong_clock),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
