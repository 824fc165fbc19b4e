/* What comes by SMS: objects on either path, texts of people, reports; and floods of junk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/ladder.h"
#include "tests/dispatcher/support/model.h"

#define STRANGER "+33799999999"

/* anna, bob and cleo near, dora further; carl's handset is 1, and 2 is shared.  anna's handset is 11. */
static struct model *region(unsigned dispatchers)
{
        static const char *const names[] = { "anna", "bob", "cleo", "dora", "emil" };
        struct model *model = model_new(dispatchers, NULL);

        model->options.sms = true;
        model_begin(model);
        model_enrol(model, 1, HANDSET_CARRIER, "carl");
        model_enrol(model, 2, HANDSET_CARRIER, "");
        model_put_carrier(model, "carl");
        for (size_t i = 0; i < 5; i++) {
                model_put_supervisor(model, names[i], "", false);
                if (i < 4)
                        model_on_duty(model, names[i], 45.751 + 0.001 * (double)i, 4.85);
        }
        model_enrol(model, 11, HANDSET_SUPERVISOR, "anna");
        return model;
}

static const char *own(unsigned handset)
{
        static char number[NUMBER_MAX + 1];

        model_number(handset, number);
        return number;
}

static const char *of(const struct model *model, const char *person)
{
        static char numbers[4][NUMBER_MAX + 1];
        static unsigned next;
        char *number = numbers[next++ % 4];

        model_person_number(model, person, number);
        return number;
}

/* ---- Objects -------------------------------------------------------------------------------------------------------- */

static void test_a_press(void **state)
{
        struct model *model = region(2);
        struct alert alert = model_alert_default(model, 1);
        const struct model_sms *sms;
        uint8_t id[ALERT_ID_SIZE];
        struct record record;

        model_alert_id(1, 1, id);
        model->hold_sync = true;
        assert_false(model_sms_press(model, 0, own(1), 1, &alert)); /* not taken before it is durable */
        assert_false(model_sms_press(model, 0, own(1), 1, &alert)); /* nor is the gateway's second try */
        model->hold_sync = false;
        model_sync(model);
        assert_int_equal(model->sms_taken, 1);
        assert_int_equal(model->sms_ref, 1000);
        record = model_record(model, id);
        assert_int_equal(record.state, ALERT_ASKED);
        assert_int_equal(record.paths, PATH_SMS);
        assert_int_equal(record.sms_at_ms, model->now_ms);
        assert_int_equal(record.data_at_ms, 0);
        assert_int_equal(record.told_sms_state, SMS_HANDED);
        assert_int_equal(model_sms_receipts(model, NULL), 1);
        sms = model_last_receipt(model, own(1));
        assert_int_equal(sms->receipt.state, RECEIPT_ASKED);
        assert_memory_equal(sms->receipt.alert.octets, id, ALERT_ID_SIZE);
        assert_int_equal(sms->about.what, SMS_TO_HANDSET);
        model_free(model);
}

/* A receipt for each copy, so that a handset whose receipt was lost gets one; not more than one in ten seconds. */
static void test_copies(void **state)
{
        struct model *model = region(2);
        struct alert alert = model_alert_default(model, 1);
        uint8_t id[ALERT_ID_SIZE];

        model_alert_id(1, 1, id);
        assert_true(model_sms_press(model, 0, own(1), 1, &alert));
        assert_true(model_sms_press(model, 0, own(1), 1, &alert));
        assert_int_equal(model_sms_receipts(model, own(1)), 2);
        assert_true(model_sms_press(model, 0, own(1), 1, &alert));
        assert_int_equal(model_sms_receipts(model, own(1)), 2);
        model->now_ms += 10000;
        assert_true(model_sms_press(model, 0, STRANGER, 1, &alert)); /* by another's phone: both are told */
        assert_int_equal(model_sms_receipts(model, own(1)), 3);
        assert_int_equal(model_sms_receipts(model, STRANGER), 1);
        assert_true(model_sms_press(model, 1, own(1), 1, &alert)); /* to the other one: it writes it down first */
        assert_int_equal(model_sms_receipts(model, own(1)), 4);
        assert_int_equal(model_record(model, id).presses, 1);
        assert_int_equal(model_record(model, id).sms_at_ms, MODEL_NOW_MS);
        assert_int_equal(model_open(model), 1);
        model_free(model);
}

/* Data, then SMS, then data again: one alert, both paths and their times, nobody rung for it. */
static void test_two_paths(void **state)
{
        struct model *model = region(1);
        uint64_t carrier = model_login(model, 0, 1), anna = model_login(model, 0, 11);
        struct alert alert = model_alert_default(model, 1);
        uint8_t id[ALERT_ID_SIZE];
        struct record record;
        int64_t begin_ms = model->now_ms;

        model_alert_id(1, 1, id);
        model_press(model, carrier, 1, &alert);
        model->now_ms += 1000;
        assert_true(model_sms_press(model, 0, own(1), 1, &alert));
        record = model_record(model, id);
        assert_int_equal(record.paths, PATH_DATA | PATH_SMS);
        assert_int_equal(record.data_at_ms, begin_ms);
        assert_int_equal(record.sms_at_ms, begin_ms + 1000);
        assert_int_equal(record.rings, 0);
        model->now_ms += 1000;
        model_press(model, carrier, 1, &alert); /* it is there again */
        assert_int_equal(model_record(model, id).data_at_ms, begin_ms + 2000);
        record = model_record(model, id);
        model->now_ms += 1000;
        model_press(model, carrier, 1, &alert);
        assert_true(model_sms_press(model, 0, own(1), 1, &alert)); /* late, and again: silent */
        assert_int_equal(model_record(model, id).version, record.version);
        assert_int_equal(model_open(model), 1);
        assert_true(model_session(model, anna)->ring_count > 0);
        model_free(model);
}

/* What happens later is told by SMS while that is where the last news came from, and no more when data is back. */
static void test_later_changes(void **state)
{
        static const struct {
                uint8_t verb, state;
                bool told;
        } steps[] = {
                { COMMAND_SEEN, RECEIPT_SEEN, false },          { COMMAND_TAKE, RECEIPT_TAKEN, true },
                { COMMAND_RELEASE, RECEIPT_ASKED, true },       { COMMAND_TAKE, RECEIPT_TAKEN, true },
                { COMMAND_EN_ROUTE, RECEIPT_EN_ROUTE, true },   { COMMAND_ON_SCENE, RECEIPT_ON_SCENE, true },
                { COMMAND_CLOSE, RECEIPT_CLOSED_HELPED, true },
        };

        for (int run = 0; run < 4; run++) {
                int data = run % 2;
                struct model *model = region(1 + (unsigned)run / 2);
                struct alert alert = model_alert_default(model, 1);
                uint64_t session = 0;
                uint8_t id[ALERT_ID_SIZE];
                size_t told;

                model->feed_first = run >= 2;
                model_alert_id(1, 1, id);
                assert_true(model_sms_press(model, 0, own(1), 1, &alert));
                model->now_ms += 1000;
                if (data == 1) {
                        session = model_login(model, 0, 1);
                        model_press(model, session, 1, &alert);
                }
                for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
                        struct command command = model_command(steps[i].verb, id);

                        told = model_sms_receipts(model, own(1));
                        model->now_ms += 1000;
                        assert_int_equal(model_order(model, 0, "anna", &command), -1);
                        assert_int_equal(model_sms_receipts(model, own(1)) - told, data == 0 && steps[i].told);
                        if (data == 0 && steps[i].told)
                                assert_int_equal(model_last_receipt(model, NULL)->receipt.state, steps[i].state);
                        if (data == 1)
                                assert_int_equal(model_session(model, session)->receipt.state, steps[i].state);
                }
                /* A late copy: it stays closed, and its sender hears that; once in a while. */
                told = model_sms_receipts(model, NULL);
                for (int i = 0; i < 3; i++)
                        assert_true(model_sms_press(model, 0, STRANGER, 1, &alert));
                assert_int_equal(model_sms_receipts(model, NULL) - told, 1);
                assert_int_equal(model_last_receipt(model, STRANGER)->receipt.state, RECEIPT_CLOSED_HELPED);
                model->now_ms += 10000;
                assert_true(model_sms_press(model, 0, STRANGER, 1, &alert));
                assert_int_equal(model_sms_receipts(model, NULL) - told, 2);
                assert_int_equal(model_open(model), 0);
                model_free(model);
        }
}

/* Taken and closed within the same millisecond: both are told. */
static void test_closed_at_once(void **state)
{
        for (int feed_first = 0; feed_first < 2; feed_first++) {
                struct model *model = region(2);
                struct alert alert = model_alert_default(model, 1);
                uint8_t id[ALERT_ID_SIZE];
                struct command command;

                model->feed_first = feed_first == 1;
                model->gateway = SMS_NONE;
                model_alert_id(1, 1, id);
                assert_true(model_sms_press(model, 0, own(1), 1, &alert));
                command = model_command(COMMAND_TAKE, id);
                assert_int_equal(model_order(model, 1, "anna", &command), -1);
                assert_int_equal(model_last_receipt(model, own(1))->receipt.state, RECEIPT_TAKEN);
                command = model_command(COMMAND_CLOSE, id);
                assert_int_equal(model_order(model, 1, "anna", &command), -1);
                assert_int_equal(model_last_receipt(model, own(1))->receipt.state, RECEIPT_CLOSED_HELPED);
                assert_int_equal(model_sms_receipts(model, NULL), 3);
                model_free(model);
        }
}

/* A phone that was set up anew presses, and its press becomes part of the open alert: it knows that one alone, and is told by SMS what becomes of
 * it under that.  The report of either SMS is the alert's. */
static void test_told_under_the_newest_id(void **state)
{
        struct model *model = region(2);
        struct alert first = model_alert_default(model, 1), second = model_alert_default(model, 2);
        uint8_t id[ALERT_ID_SIZE], newest[ALERT_ID_SIZE];
        struct command command;
        const struct model_sms *sms;
        size_t told;

        model_alert_id(1, 1, id);
        model_alert_id(1, 2, newest);
        assert_true(model_sms_press(model, 0, own(1), 1, &first));
        assert_true(model_sms_press(model, 0, own(1), 1, &second));
        assert_memory_equal(model_last_receipt(model, own(1))->receipt.alert.octets, newest, ALERT_ID_SIZE);
        told = model_sms_receipts(model, own(1));
        command = model_command(COMMAND_TAKE, id);
        assert_int_equal(model_order(model, 1, "anna", &command), -1);
        assert_int_equal(model_sms_receipts(model, own(1)), told + 2);
        sms = model_last_receipt(model, own(1));
        assert_int_equal(sms->receipt.state, RECEIPT_TAKEN);
        assert_memory_equal(sms->receipt.alert.octets, newest, ALERT_ID_SIZE);
        assert_memory_equal(sms->about.alert, id, ALERT_ID_SIZE);
        assert_int_equal(model_record(model, id).told_sms_state, SMS_HANDED);
        model_free(model);
}

/* Closed so long ago that only the store knows. */
static void test_closed_long_ago(void **state)
{
        struct model *model = region(1);
        struct alert alert = model_alert_default(model, 1);

        model_alert_id(1, 1, model->tombstones[0].id);
        model->tombstones[0].tombstone = (struct tombstone){ .version = 9, .state = CLOSE_HELPED, .closed_at_ms = 5 };
        model->tombstone_count = 1;
        assert_true(model_sms_press(model, 0, own(1), 1, &alert));
        assert_int_equal(model_open(model), 0);
        assert_int_equal(model_last_receipt(model, own(1))->receipt.state, RECEIPT_CLOSED_HELPED);
        model_free(model);
}

/* The store away: kept, by SMS too; once, and received when it is there. */
static void test_kept(void **state)
{
        struct model *model = region(1);
        struct alert alert = model_alert_default(model, 1);

        model_store(model, false);
        assert_true(model_sms_press(model, 0, own(1), 1, &alert));
        model_pass(model, CORE_KEPT_MS);
        assert_int_equal(model_last_receipt(model, own(1))->receipt.state, RECEIPT_KEPT);
        assert_true(model_sms_press(model, 0, own(1), 1, &alert));
        model_pass(model, 60000);
        assert_int_equal(model_sms_receipts(model, NULL), 1);
        model_store(model, true);
        assert_int_equal(model_sms_receipts(model, NULL), 2);
        assert_int_equal(model_last_receipt(model, own(1))->receipt.state, RECEIPT_ASKED);
        model_free(model);
}

/* The disk full and the store away: the SMS is nobody's yet, and the gateway brings it again. */
static void test_nowhere(void **state)
{
        struct model *model = region(1);
        struct alert alert = model_alert_default(model, 1);

        model_disk(model, false);
        model_store(model, false);
        assert_false(model_sms_press(model, 0, own(1), 1, &alert));
        assert_false(model_sms_press(model, 0, own(1), 1, &alert));
        model_store(model, true);
        assert_int_equal(model->sms_taken, 1);
        assert_int_equal(model_open(model), 1);
        model_free(model);
}

/* Forged, altered, torn, unknown, revoked, by another's number: raised for the control room, and told to who sent it. */
static void test_not_proved(void **state)
{
        static const struct {
                unsigned handset;
                int flip, cut;
                uint8_t why;
                bool to_own; /* the enrolled number hears of it as well */
        } cases[] = {
                { 1, 60, 0, UNVERIFIED_SIGNATURE, false },  { 1, 110, 0, UNVERIFIED_SIGNATURE, false },
                { 1, -1, 70, UNVERIFIED_MALFORMED, false }, { 1, -1, 1, UNVERIFIED_MALFORMED, false },
                { 77, -1, 0, UNVERIFIED_UNKNOWN, false },   { 2, -1, 0, UNVERIFIED_REVOKED, true },
                { 1, -1, 0, UNVERIFIED_NOT, true },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct model *model = region(1);
                struct alert alert = model_alert_default(model, 1);
                struct handset_entry revoked = model->handsets[1].entry;
                uint8_t cose[ALERT_MAX];
                size_t size = model_sign(&alert, cases[i].handset, cose);
                struct record record;

                revoked.revoked_at_s = 1;
                model_put_handset(model, 2, &revoked);
                if (cases[i].flip >= 0)
                        cose[cases[i].flip] ^= 1;
                assert_true(
                        model_sms_bytes(model, 0, STRANGER,
                                        (struct cbor_span){ cose, cases[i].cut > 0 ? (size_t)cases[i].cut : size }));
                assert_int_equal(model_open(model), 1);
                record = model_record(model, model->alerts[0].id);
                assert_int_equal(record.why_unverified, cases[i].why);
                assert_int_equal((record.marks & RECORD_UNVERIFIED) != 0, cases[i].why != UNVERIFIED_NOT);
                assert_int_equal(record.asked_count > 0, cases[i].why == UNVERIFIED_NOT);
                assert_int_equal(model_sms_receipts(model, STRANGER), 1);
                assert_int_equal(model_sms_receipts(model, own(cases[i].handset)), cases[i].to_own);
                model_free(model);
        }
}

/* The monthly test: proved, and told by SMS; by an alert port's process as well, if the gateway brings it there. */
static void test_a_test(void **state)
{
        for (int port = 0; port < 2; port++) {
                struct model *model = region(1);
                struct alert alert = model_alert_default(model, 1);

                model_kill(model, 0);
                model->options.alerts_only = port == 1;
                model_start(model, 0);
                alert.kind = ALERT_TEST;
                assert_true(model_sms_press(model, 0, own(1), 1, &alert));
                assert_int_equal(model_open(model), 0);
                assert_int_equal(model->tests, 1);
                assert_int_equal(model_last_receipt(model, own(1))->receipt.state, RECEIPT_PROVED);
                model_free(model);
        }
}

/* Junk from ten thousand numbers: a handful raised, one notice each for some and one for the rest; all of it taken, so that it does
 * not come again.  A real press and a known number go through in the midst of it. */
static void test_flood(void **state)
{
        struct model *model = region(1);
        struct alert alert = model_alert_default(model, 1);
        uint8_t junk[120], id[ALERT_ID_SIZE];
        char number[NUMBER_MAX + 1];

        model_alert_id(1, 1, id);
        for (unsigned i = 0; i < 10000; i++) {
                memset(junk, (int)i, sizeof(junk));
                memcpy(junk, &i, sizeof(i));
                snprintf(number, sizeof(number), "+3379%07u", i);
                assert_true(model_sms_bytes(model, 0, number, CBOR_OCTETS(junk)));
                if (i == 5000) {
                        assert_true(model_sms_press(model, 0, own(1), 1, &alert));
                        assert_int_equal(model_record(model, id).state, ALERT_ASKED);
                        junk[1] = 0xff;
                        assert_true(model_sms_bytes(model, 0, own(2), CBOR_OCTETS(junk)));
                        assert_int_equal(model_open(model), CORE_STRANGERS_BURST + 2);
                }
        }
        assert_int_equal(model_open(model), CORE_STRANGERS_BURST + 2);
        assert_int_equal(core_counters(model->dispatchers[0].core)->suppressed, 10000 - CORE_STRANGERS_BURST);
        model_free(model);
}

/* More than an object can have: counted, and done with.  No number to answer: the signature is what counts. */
static void test_no_object(void **state)
{
        static uint8_t large[2000];
        struct model *model = region(1);
        struct alert alert = model_alert_default(model, 1);

        assert_true(model_sms_bytes(model, 0, own(1), CBOR_OCTETS(large)));
        assert_true(model_sms_bytes(model, 0, own(1), (struct cbor_span){ large, 0 }));
        assert_int_equal(core_counters(model->dispatchers[0].core)->sms_unknown, 1);
        assert_int_equal(model_open(model), 1); /* empty: malformed, and raised as such */
        for (int i = 0; i < 2; i++) {
                size_t told = model_sms_receipts(model, own(1));

                assert_true(model_sms_press(model, 0, i == 0 ? "" : "ORANGE", 1, &alert));
                assert_int_equal(model_open(model), 2);
                assert_int_equal(model_sms_receipts(model, own(1)) - told, 1);
                assert_null(model_last_receipt(model, ""));
        }
        model_free(model);
}

/* ---- Texts ---------------------------------------------------------------------------------------------------------- */

static const char *code(const uint8_t id[ALERT_ID_SIZE])
{
        static char to[SMS_CODE_SIZE];

        sms_code(id, to);
        return to;
}

/* Nobody's phone or screen: those asked get an SMS at once, and answer. */
static void test_yes(void **state)
{
        static const char *const texts[][3] = { { "OUI", "", "" },    { "yes", "", "" },   { "o", "", "" },
                                                { "Oui ", "#", "!" }, { "", "#", " oui" }, { "y", "#", "" } };

        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
                struct model *model = region(2);
                struct alert alert = model_alert_default(model, 1);
                uint8_t id[ALERT_ID_SIZE];
                struct record record;
                char text[64];

                model_alert_id(1, 1, id);
                model_pass(model, 40000); /* their leases are over */
                alert.pressed_at_s = (uint32_t)(model->now_ms / 1000);
                model_press(model, model_login(model, 0, 1), 1, &alert);
                assert_int_equal(model_said(model, SMS_ALERT, NULL), 3);
                assert_string_equal(model_last_said(model, SMS_ALERT, of(model, "bob"))->say.code, code(id));
                assert_string_equal(model_last_said(model, SMS_ALERT, of(model, "bob"))->say.name, "carl");
                assert_int_equal(model_last_said(model, SMS_ALERT, of(model, "bob"))->say.distance_m, 222);
                assert_int_equal(model_record(model, id).asked[1].sms_state, SMS_HANDED);
                snprintf(text, sizeof(text), "%s%s%s", texts[i][0], texts[i][1][0] == '#' ? code(id) : "", texts[i][2]);
                assert_true(model_sms_text(model, 1, of(model, "bob"), text));
                record = model_record(model, id);
                assert_string_equal(record.owner_id, "bob");
                assert_int_equal(record.owner_path, BY_SMS);
                assert_int_equal(record.asked[1].answer_path, BY_SMS);
                assert_int_equal(record.asked[1].seen_at_ms, model->now_ms);
                assert_int_equal(model_said(model, SMS_YOURS, of(model, "bob")), 1);
                assert_int_equal(model_said(model, SMS_TAKEN_BY, of(model, "cleo")), 1); /* not to run in vain */
                assert_true(model_sms_text(model, 0, of(model, "cleo"), text));          /* too late */
                assert_int_equal(model_said(model, SMS_TAKEN_BY, of(model, "cleo")), 2);
                assert_string_equal(model_last_said(model, SMS_TAKEN_BY, NULL)->say.who, "Bob");
                model->now_ms += 5;
                assert_true(model_sms_text(model, 0, of(model, "bob"), text)); /* once more: still */
                assert_int_equal(model_said(model, SMS_YOURS, of(model, "bob")), 2);
                model_free(model);
        }
}

static void test_no(void **state)
{
        struct model *model = region(1);
        struct alert alert = model_alert_default(model, 1);
        uint8_t id[ALERT_ID_SIZE];
        struct record record;

        model_alert_id(1, 1, id);
        model_press(model, model_login(model, 0, 1), 1, &alert);
        assert_true(model_sms_text(model, 0, of(model, "anna"), "non"));
        record = model_record(model, id);
        assert_int_equal(record.asked[0].flags & ASKED_DECLINED, ASKED_DECLINED);
        assert_int_equal(record.asked_count, 4); /* the next nearest, at once */
        assert_int_equal(record.state, ALERT_SEEN);
        assert_int_equal(model_said(model, SMS_PASSED_ON, of(model, "anna")), 1);
        model->now_ms += 5;
        assert_true(model_sms_text(model, 0, of(model, "anna"), "NON")); /* again: answered, and nothing else */
        assert_int_equal(model_said(model, SMS_PASSED_ON, of(model, "anna")), 2);
        assert_int_equal(model_record(model, id).asked_count, 4);
        model->now_ms += 5;
        assert_true(model_sms_text(model, 0, of(model, "anna"), "oui")); /* after all */
        record = model_record(model, id);
        assert_string_equal(record.owner_id, "anna");
        assert_int_equal(record.asked[0].flags & ASKED_DECLINED, 0);
        model->now_ms += 5;
        assert_true(model_sms_text(model, 0, of(model, "anna"), "non")); /* and not: given back */
        record = model_record(model, id);
        assert_string_equal(record.owner_id, "");
        assert_int_equal(record.state, ALERT_ASKED);
        assert_int_equal(record.asked[0].flags & (ASKED_DECLINED | ASKED_OWNED), ASKED_DECLINED | ASKED_OWNED);
        model_free(model);
}

/* The wrong code, that of a closed one, several open, nobody's business: each has its answer. */
static void test_other_answers(void **state)
{
        struct model *model = region(1);
        struct alert alert = model_alert_default(model, 1);
        uint8_t one[ALERT_ID_SIZE], two[ALERT_ID_SIZE];
        char text[64];
        struct command close;

        model_alert_id(1, 1, one);
        model_alert_id(2, 1, two);
        two[15] = 7;
        assert_true(model_sms_text(model, 0, of(model, "anna"), "oui"));
        assert_int_equal(model_said(model, SMS_NO_SUCH_CODE, of(model, "anna")), 1); /* nothing is open */
        model_press(model, model_login(model, 0, 1), 1, &alert);
        alert.nonce[7] = 7;
        model_press(model, model_login(model, 0, 2), 2, &alert);
        assert_int_equal(model_open(model), 2);
        assert_true(model_sms_text(model, 0, of(model, "anna"), "oui"));
        assert_int_equal(model_last_said(model, SMS_WHICH, of(model, "anna"))->say.code_count, 2);
        assert_true(model_sms_text(model, 0, of(model, "anna"), "oui 0000"));
        assert_int_equal(model_said(model, SMS_NO_SUCH_CODE, of(model, "anna")), 2);
        assert_string_equal(model_last_said(model, SMS_NO_SUCH_CODE, NULL)->say.code, "0000");
        snprintf(text, sizeof(text), "oui %s", code(two));
        assert_true(model_sms_text(model, 0, of(model, "anna"), text));
        assert_string_equal(model_record(model, two).owner_id, "anna");
        assert_string_equal(model_record(model, one).owner_id, "");
        assert_true(model_sms_text(model, 0, of(model, "emil"), text)); /* off duty, and not asked */
        assert_int_equal(model_said(model, SMS_NOT_ALLOWED, of(model, "emil")), 1);
        close = model_command(COMMAND_CLOSE, two);
        assert_int_equal(model_order(model, 0, "control", &close), -1);
        assert_int_equal(model_said(model, SMS_CLOSED, of(model, "anna")), 1); /* who had it by SMS is told */
        assert_true(model_sms_text(model, 0, of(model, "bob"), text));
        assert_int_equal(model_said(model, SMS_CLOSED, of(model, "bob")), 1);
        close = model_command(COMMAND_CLOSE, one);
        assert_int_equal(model_order(model, 0, "control", &close), -1);
        assert_true(model_sms_text(model, 0, of(model, "bob"), "oui")); /* too late, and without a code */
        assert_int_equal(model_said(model, SMS_CLOSED, of(model, "bob")), 2);
        model_free(model);
}

/* Not understood: how to answer, once an hour.  An unknown number: a count, a notice, no answer. */
static void test_not_understood(void **state)
{
        struct model *model = region(1);
        struct alert alert = model_alert_default(model, 1);
        size_t said;

        model_press(model, model_login(model, 0, 1), 1, &alert);
        for (int i = 0; i < 3; i++)
                assert_true(model_sms_text(model, 0, of(model, "anna"), "j'arrive"));
        assert_int_equal(model_said(model, SMS_NOT_UNDERSTOOD, of(model, "anna")), 1);
        assert_int_equal(model_last_said(model, SMS_NOT_UNDERSTOOD, NULL)->say.code_count, 1);
        assert_true(model_sms_text(model, 0, of(model, "bob"), "ok")); /* OK is no take */
        assert_int_equal(model_said(model, SMS_NOT_UNDERSTOOD, of(model, "bob")), 1);
        model->now_ms += 3600000;
        assert_true(model_sms_text(model, 0, of(model, "anna"), "?"));
        assert_int_equal(model_said(model, SMS_NOT_UNDERSTOOD, of(model, "anna")), 2);
        said = model->sms_sent;
        for (int i = 0; i < 100; i++)
                assert_true(model_sms_text(model, 0, STRANGER, "OUI"));
        assert_true(model_sms_text(model, 0, "ORANGE", "Votre solde"));
        assert_int_equal(model->sms_sent, said);
        assert_int_equal(core_counters(model->dispatchers[0].core)->sms_unknown, 101);
        assert_int_equal(model_notice(model, "tech:a:sms_unknown")->count, 1);
        model_pass(model, 10000);
        assert_true(model_sms_text(model, 0, STRANGER, "OUI"));
        assert_int_equal(model_notice(model, "tech:a:sms_unknown")->count, 102);
        for (int i = 0; i < 20; i++) /* a machine that answers itself is not answered for ever */
                assert_true(model_sms_text(model, 0, of(model, "cleo"), "oui 0000"));
        assert_int_equal(model_said(model, SMS_NO_SUCH_CODE, of(model, "cleo")), 10);
        model_free(model);
}

/* Carl, on duty for eight hours, went away and is overdue by now; nobody has looked yet. */
static struct model *silent_carrier(void)
{
        struct model *model = region(2);
        uint64_t session = model_login(model, 0, 1);
        struct frame frame = { .type = FRAME_DUTY, .u.duty = { .request = 9, .on = true } };

        frame.u.duty.until_s = (uint32_t)(model->now_ms / 1000 + 8 * 3600);
        record_set_text(frame.u.duty.person, sizeof(frame.u.duty.person), "carl");
        model_send(model, session, &frame);
        model_close(model, session);
        model_pass(model, 1000);
        model->now_ms += CORE_OVERDUE_MS;
        return model;
}

/* Overdue: OK, or yes, is an answer, to whichever dispatcher it comes. */
static void test_overdue(void **state)
{
        static const char *const texts[] = { "OK", "o.k.", "oui" };

        for (size_t i = 0; i < 3; i++) {
                struct model *model = silent_carrier();

                model_scan(model);
                assert_int_equal(model_said(model, SMS_OVERDUE, "+33622222222"), 1);
                assert_true(model_sms_text(model, 1, "+33622222222", texts[i]));
                assert_int_equal(model_said(model, SMS_FINE, "+33622222222"), 1);
                model->now_ms += CORE_QUESTION_MS;
                model_scan(model);
                assert_null(model_notice(model, "overdue:none"));
                model_free(model);
        }
}

/* The other dispatcher has not looked yet: what it thanked for holds all the same, there and for who asked. */
static void test_overdue_at_the_other(void **state)
{
        static const char *const texts[] = { "OK", "oui" };

        for (size_t i = 0; i < 2; i++) {
                struct model *model = silent_carrier();

                model_scan_at(model, 0);
                assert_int_equal(model_said(model, SMS_OVERDUE, "+33622222222"), 1);
                model->now_ms += 1000;
                assert_true(model_sms_text(model, 1, "+33622222222", texts[i]));
                assert_int_equal(model_said(model, SMS_FINE, "+33622222222"), 1);
                model->now_ms += CORE_SCAN_MS;
                model_scan_at(model, 1);
                model->now_ms += CORE_QUESTION_MS;
                model_scan(model);
                assert_null(model_notice(model, "overdue:none"));
                assert_int_equal(model_said(model, SMS_OVERDUE, "+33622222222"), 1);
                model_free(model);
        }
}

/* The same text twice from the gateway, before and after it is done: one take, an answer each time, nothing lost. */
static void test_the_gateway_repeats(void **state)
{
        struct model *model = region(1);
        struct alert alert = model_alert_default(model, 1);
        struct core_event event = { .kind = CORE_SMS_TEXT,
                                    .u.sms_text = { .text = "oui", .id = "abcdefg", .ref = 70 } };
        uint8_t id[ALERT_ID_SIZE];
        uint32_t version;

        model_alert_id(1, 1, id);
        model_press(model, model_login(model, 0, 1), 1, &alert);
        event.u.sms_text.from = of(model, "anna");
        model->hold_sync = true;
        model_event(model, 0, &event);
        event.u.sms_text.ref = 71;
        model_event(model, 0, &event);
        model_pump(model);
        assert_int_equal(model->sms_taken, 0);
        model->hold_sync = false;
        model_sync(model);
        assert_int_equal(model->sms_taken, 1);
        assert_int_equal(model->sms_ref, 71); /* who still listens */
        version = model_record(model, id).version;
        assert_string_equal(model_record(model, id).owner_id, "anna");
        model_event(model, 0, &event);
        model_pump(model);
        assert_int_equal(model->sms_taken, 2);
        assert_int_equal(model_record(model, id).version, version);
        assert_int_equal(model_said(model, SMS_YOURS, NULL), 2);
        model_free(model);
}

/* Killed between the answer's arrival and its end: after the restart it is answered. */
static void test_an_answer_across_a_death(void **state)
{
        struct model *model = region(1);
        struct alert alert = model_alert_default(model, 1);
        uint8_t id[ALERT_ID_SIZE];

        model_alert_id(1, 1, id);
        model_press(model, model_login(model, 0, 1), 1, &alert);
        model->hold_commits = true;
        assert_true(model_sms_text(model, 0, of(model, "anna"), "oui"));
        model_kill(model, 0);
        model->hold_commits = false;
        model_start(model, 0);
        assert_string_equal(model_record(model, id).owner_id, "anna");
        assert_int_equal(model_record(model, id).owner_path, BY_SMS);
        assert_int_equal(model_said(model, SMS_YOURS, of(model, "anna")), 1);
        model->now_ms += 3600000;
        model_kill(model, 0); /* and not for ever */
        model_start(model, 0);
        assert_int_equal(model_said(model, SMS_YOURS, of(model, "anna")), 1);
        model_free(model);
}

/* Two supervisors with one number: who is asked is meant.  A fifth is not found by it. */
static void test_one_number(void **state)
{
        struct supervisor_entry entry = { .name = "X", .number = "+33655555555" };
        struct model *model = region(1);
        struct alert alert = model_alert_default(model, 1);
        struct core *core = model->dispatchers[0].core;
        uint8_t id[ALERT_ID_SIZE];

        model_alert_id(1, 1, id);
        model_press(model, model_login(model, 0, 1), 1, &alert); /* asks anna, bob, cleo */
        assert_int_equal(core_load_supervisor(core, "emil", &entry), 0);
        assert_int_equal(core_load_supervisor(core, "bob", &entry), 0);
        assert_true(model_sms_text(model, 0, "+33655555555", "oui"));
        assert_string_equal(model_record(model, id).owner_id, "bob");
        assert_true(model_sms_text(model, 0, of(model, "emil"), "oui")); /* the old one is nobody's now */
        assert_int_equal(core_counters(core)->sms_unknown, 1);
        assert_int_equal(core_load_supervisor(core, "anna", &entry), 0);
        assert_int_equal(core_load_supervisor(core, "dora", &entry), 0);
        assert_int_equal(core_load_supervisor(core, "cleo", &entry), 0); /* the fifth */
        assert_int_equal(core_load_supervisor(core, "emil", NULL), 0);
        assert_true(model_sms_text(model, 0, "+33655555555", "oui")); /* bob's again */
        assert_int_equal(model_said(model, SMS_YOURS, "+33655555555"), 2);
        model_free(model);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_press),
                cmocka_unit_test(test_copies),
                cmocka_unit_test(test_two_paths),
                cmocka_unit_test(test_later_changes),
                cmocka_unit_test(test_closed_at_once),
                cmocka_unit_test(test_told_under_the_newest_id),
                cmocka_unit_test(test_closed_long_ago),
                cmocka_unit_test(test_kept),
                cmocka_unit_test(test_nowhere),
                cmocka_unit_test(test_not_proved),
                cmocka_unit_test(test_a_test),
                cmocka_unit_test(test_flood),
                cmocka_unit_test(test_no_object),
                cmocka_unit_test(test_yes),
                cmocka_unit_test(test_no),
                cmocka_unit_test(test_other_answers),
                cmocka_unit_test(test_not_understood),
                cmocka_unit_test(test_overdue),
                cmocka_unit_test(test_overdue_at_the_other),
                cmocka_unit_test(test_the_gateway_repeats),
                cmocka_unit_test(test_an_answer_across_a_death),
                cmocka_unit_test(test_one_number),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
