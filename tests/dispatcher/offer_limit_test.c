/* Limits of what comes in: floods of unverified alerts; test presses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/dispatcher/support/model.h"

static struct handset_entry entry_of(struct model *model, unsigned number)
{
        return model->handsets[number - 1].entry;
}

/* One stranger's flood: five, then one a minute; the rest is a count that the control room sees.  A real press goes through. */
static void test_flood(void **state)
{
        struct model *model = model_region(1, 1);
        uint64_t flood = model_connect(model, 0, 99, CERTIFICATE_UNKNOWN), real = model_login(model, 0, 1);
        uint8_t id[ALERT_ID_SIZE];
        const struct notice *notice;
        struct alert alert;

        for (uint64_t i = 0; i < 500; i++) {
                alert = model_alert_default(model, 1000 + i);
                model_press(model, flood, 99, &alert);
        }
        assert_int_equal(model_open(model), CORE_SENDER_BURST);
        assert_int_equal(model_counters(model, 0)->suppressed, 500 - CORE_SENDER_BURST);
        notice = model_notice(model, "unverified:63000000000000f0");
        assert_non_null(notice);
        assert_int_equal(notice->kind, NOTICE_UNVERIFIED);
        assert_int_equal(notice->count, 1);
        assert_int_equal(model->notice_actions, 1); /* brought up to date every ten seconds */
        model_pass(model, 10000);
        alert = model_alert_default(model, 5000);
        model_press(model, flood, 99, &alert);
        assert_int_equal(model_notice(model, "unverified:63000000000000f0")->count, 501 - CORE_SENDER_BURST);
        assert_int_equal(model->notice_actions, 2);
        alert = model_alert_default(model, 1);
        model_press(model, real, 1, &alert);
        model_alert_id(1, 1, id);
        assert_int_equal(model_record(model, id).asked_count, 1);
        model_pass(model, CORE_SENDER_REFILL_MS);
        alert = model_alert_default(model, 9999);
        model_press(model, flood, 99, &alert);
        assert_int_equal(model_open(model), CORE_SENDER_BURST + 2);
        model_pass(model, 700000);
        model_scan(model);
        assert_null(model_notice(model, "unverified:63000000000000f0"));
        model_free(model);
}

/* Many strangers, each with a few: what all share holds them; a revoked handset, which is proved, still gets through. */
static void test_flood_of_many(void **state)
{
        struct model *model = model_region(1, 1);
        struct handset_entry entry = entry_of(model, 2);
        struct alert alert;
        uint8_t id[ALERT_ID_SIZE];
        uint64_t session;

        entry.revoked_at_s = 5;
        model_put_handset(model, 2, &entry);
        for (unsigned i = 0; i < 150; i++) {
                session = model_connect(model, 0, 1000 + i, CERTIFICATE_UNKNOWN);
                alert = model_alert_default(model, i);
                model_press(model, session, 1000 + i, &alert);
        }
        assert_int_equal(model_open(model), CORE_STRANGERS_BURST);
        session = model_connect(model, 0, 2, CERTIFICATE_OK);
        alert = model_alert_default(model, 1);
        model_press(model, session, 2, &alert);
        model_alert_id(2, 1, id);
        assert_int_equal(model_record(model, id).why_unverified, UNVERIFIED_REVOKED);
        assert_int_equal(model->notice_actions, 65); /* 64 of them by name, one for all others */
        assert_non_null(model_notice(model, "unverified:others"));
        model_free(model);
}

/* As many open as the bound, as another dispatcher's feed would bring them. */
static void fill(struct model *model, size_t count, uint32_t marks)
{
        for (size_t i = 0; i < count; i++) {
                struct record record = {
                        .version = 1, .state = ALERT_RAISED, .marks = marks, .due_ms = model->now_ms + 900000
                };
                uint8_t octets[RECORD_MAX];
                int n;

                memset(record.id, 0x77, ALERT_ID_SIZE);
                memcpy(record.id, &i, sizeof(i));
                memcpy(record.handset, record.id, HANDSET_ID_SIZE);
                n = record_encode(&record, octets, sizeof(octets));
                assert_int_equal(core_load_record(model->dispatchers[0].core, (struct cbor_span){ octets, (size_t)n }),
                                 0);
        }
}

/* One drill more than the bound is not raised; a real alert is. */
static void test_too_many_drills(void **state)
{
        struct model *model = model_region(1, 1);
        uint64_t session = model_login(model, 0, 1);
        struct alert alert = model_alert_default(model, 1);

        fill(model, CORE_DRILLS_MAX - 1, RECORD_DRILL);
        alert.kind = ALERT_DRILL;
        model_press(model, session, 1, &alert);
        assert_int_equal(model_open(model), 1);
        alert = model_alert_default(model, 2);
        alert.kind = ALERT_DRILL;
        model_press(model, model_login(model, 0, 2), 2, &alert);
        assert_int_equal(model_open(model), 1);
        assert_int_equal(model_counters(model, 0)->drills_refused, 1);
        alert = model_alert_default(model, 3);
        model_press(model, model_login(model, 0, 2), 2, &alert);
        assert_int_equal(model_open(model), 2);
        model_free(model);
}

static void test_too_many_unverified(void **state)
{
        struct model *model = model_region(1, 1);
        uint64_t session = model_connect(model, 0, 99, CERTIFICATE_UNKNOWN);
        struct alert alert = model_alert_default(model, 1);

        fill(model, CORE_UNVERIFIED_MAX - 1, RECORD_UNVERIFIED);
        model_press(model, session, 99, &alert);
        assert_int_equal(model_open(model), 1);
        alert = model_alert_default(model, 2);
        model_press(model, session, 99, &alert);
        assert_int_equal(model_open(model), 1);
        assert_int_equal(model_counters(model, 0)->suppressed, 1);
        model_press(model, model_login(model, 0, 1), 1, &alert);
        assert_int_equal(model_open(model), 2);
        model_free(model);
}

static void test_proof_of_the_button(void **state)
{
        struct model *model = model_region(1, 1);
        uint64_t session = model_login(model, 0, 1), anna;
        struct alert alert = model_alert_default(model, 1);
        struct receipt *receipt = &model_session(model, session)->receipt;
        uint8_t id[ALERT_ID_SIZE];

        model_enrol(model, 11, HANDSET_SUPERVISOR, "anna");
        anna = model_login(model, 0, 11);
        model_alert_id(1, 1, id);
        alert.kind = ALERT_TEST;
        model->hold_sync = true;
        model_press(model, session, 1, &alert);
        assert_int_equal(model->tests, 0); /* the journal first */
        model->hold_sync = false;
        model_sync(model);
        assert_int_equal(model->tests, 1);
        assert_int_equal(receipt->state, RECEIPT_PROVED);
        assert_memory_equal(receipt->alert.octets, id, ALERT_ID_SIZE);
        assert_int_equal(model_open(model), 0);
        assert_int_equal(model_session(model, anna)->ring_count, 0);
        for (uint64_t i = 0; i < 20; i++) {
                memcpy(alert.nonce, &i, sizeof(i));
                model_press(model, session, 1, &alert);
        }
        assert_int_equal(model->tests, CORE_TEST_BURST);
        assert_int_equal(model_counters(model, 0)->tests_dropped, 21 - CORE_TEST_BURST);
        model_pass(model, CORE_TEST_REFILL_MS);
        model_press(model, session, 1, &alert);
        assert_int_equal(model->tests, CORE_TEST_BURST + 1);
        model_kill(model, 0); /* and it is none after a restart either */
        model_start(model, 0);
        assert_int_equal(model_open(model), 0);
        model_free(model);
}

static void test_no_proof_without_a_good_signature(void **state)
{
        struct model *model = model_region(1, 1);
        struct handset_entry entry = entry_of(model, 1);
        struct alert alert = model_alert_default(model, 1);
        uint64_t session;

        alert.kind = ALERT_TEST;
        entry.revoked_at_s = 5;
        model_put_handset(model, 1, &entry);
        session = model_connect(model, 0, 1, CERTIFICATE_OK);
        model_press(model, session, 1, &alert);
        assert_int_equal(model_session(model, session)->receipt_count, 0);
        assert_int_equal(model_open(model), 0);
        entry.revoked_at_s = 0;
        model_put_handset(model, 1, &entry);
        model_store(model, false);
        session = model_connect(model, 0, 1, CERTIFICATE_OK);
        model_press(model, session, 1, &alert);
        assert_int_equal(model_session(model, session)->receipt_count, 0);
        model_free(model);
}

/* One test press more than may be under way: it is not answered, and counted; the others are, when the disk is done. */
static void test_too_many_tests(void **state)
{
        struct model *model = model_region(1, 1);
        uint64_t session = model_login(model, 0, 1);
        struct alert alert = model_alert_default(model, 1);
        uint64_t nonce = 1;

        alert.kind = ALERT_TEST;
        model->hold_sync = true;
        for (unsigned i = 3; i <= 1000; i++)
                model_enrol(model, i, HANDSET_CARRIER, "");
        for (unsigned i = 0; i <= CORE_TESTS_MAX; i++) {
                if (i == 3000 || i == 4000)
                        model_pass(model, CORE_TEST_REFILL_MS);
                nonce++;
                memcpy(alert.nonce, &nonce, sizeof(nonce));
                model_press(model, session, 1 + i % 1000, &alert);
                assert_int_equal(model_counters(model, 0)->tests_dropped, i == CORE_TESTS_MAX);
        }
        model->hold_sync = false;
        model_sync(model);
        assert_int_equal(model_counters(model, 0)->tests, CORE_TESTS_MAX);
        assert_int_equal(model_counters(model, 0)->tests_dropped, 1);
        model_press(model, session, 900, &alert); /* and there is room again */
        assert_int_equal(model_counters(model, 0)->tests, CORE_TESTS_MAX + 1);
        model_free(model);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_flood),
                cmocka_unit_test(test_flood_of_many),
                cmocka_unit_test(test_too_many_drills),
                cmocka_unit_test(test_too_many_unverified),
                cmocka_unit_test(test_proof_of_the_button),
                cmocka_unit_test(test_no_proof_without_a_good_signature),
                cmocka_unit_test(test_too_many_tests),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
