/* Alerts in memory: who is busy, who waits for which receipt, several phones of one handset, much news at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/core_state.h"
#include "dispatcher/ladder.h"
#include "tests/dispatcher/support/model.h"

/* Who has an alert is asked after those who have none, until it is closed; one dispatcher knows it of another's. */
static void test_busy(void **state)
{
        struct model *model = model_region(2, 2);
        uint64_t one = model_login(model, 0, 1), two = model_login(model, 1, 2);
        struct alert alert = model_alert_default(model, 1);
        uint8_t id[ALERT_ID_SIZE], other[ALERT_ID_SIZE];
        struct command command;

        model_alert_id(1, 1, id);
        model_alert_id(2, 1, other);
        model_press(model, one, 1, &alert);
        assert_string_equal(model_record(model, id).asked[0].id, "anna");
        command = model_command(COMMAND_TAKE, id);
        assert_int_equal(model_order(model, 0, "anna", &command), -1);
        model_press(model, two, 2, &alert);
        assert_string_equal(model_record(model, other).asked[0].id, "bob");
        command = model_command(COMMAND_CLOSE, id);
        assert_int_equal(model_order(model, 0, "anna", &command), -1);
        command = model_command(COMMAND_CLOSE, other);
        assert_int_equal(model_order(model, 0, "control", &command), -1);
        alert = model_alert_default(model, 2);
        model_alert_id(2, 2, other);
        model_press(model, two, 2, &alert);
        assert_string_equal(model_record(model, other).asked[0].id, "anna");
        model_free(model);
}

/* Who is known only after the alert, or again, is as busy as the alerts say. */
static void test_busy_when_known_later(void **state)
{
        struct model *model = model_region(1, 2);
        uint64_t session = model_login(model, 0, 1);
        struct alert alert = model_alert_default(model, 1);
        struct core *core = model->dispatchers[0].core;
        struct supervisor_entry entry = directory_person(&core->directory, "anna")->entry;
        struct command command;
        uint8_t id[ALERT_ID_SIZE];

        model_press(model, session, 1, &alert);
        model_alert_id(1, 1, id);
        command = model_command(COMMAND_TAKE, id);
        assert_int_equal(model_order(model, 0, "anna", &command), -1);
        assert_int_equal(core_load_supervisor(core, "anna", NULL), 0);
        for (int i = 0; i < 2; i++) { /* anew, and changed */
                assert_int_equal(core_load_supervisor(core, "anna", &entry), 0);
                assert_int_equal(directory_person(&core->directory, "anna")->busy_count, 1);
        }
        command = model_command(COMMAND_CLOSE, id);
        assert_int_equal(model_order(model, 0, "anna", &command), -1);
        assert_int_equal(directory_person(&core->directory, "anna")->busy_count, 0);
        model_free(model);
}

/* Two presses of two phones by one session that is not their handset's: each gets its receipt. */
static void test_waiting_under_two_ids(void **state)
{
        struct model *model = model_region(1, 2);
        uint64_t session = model_connect(model, 0, 500, CERTIFICATE_UNKNOWN);
        struct alert one = model_alert_default(model, 1), two = model_alert_default(model, 2);
        uint8_t id[ALERT_ID_SIZE];
        bool told[2] = { false, false };

        model->hold_sync = true;
        model_press(model, session, 1, &one);
        model_press(model, session, 1, &two);
        model->hold_sync = false;
        model_sync(model);
        for (uint64_t nonce = 1; nonce <= 2; nonce++) {
                model_alert_id(1, nonce, id);
                for (size_t i = 0; i < model_session(model, session)->receipt_count; i++)
                        told[nonce - 1] |=
                                memcmp(model_session(model, session)->receipts[i].alert.octets, id, ALERT_ID_SIZE) == 0;
        }
        assert_true(told[0] && told[1]);
        assert_int_equal(model_open(model), 1);
        model_free(model);
}

/* The first press is in the store; the one on another phone is not yet, and its phone is told no more than that. */
static void test_no_receipt_before_its_press_is_there(void **state)
{
        struct model *model = model_region(1, 2);
        uint64_t session = model_connect(model, 0, 500, CERTIFICATE_UNKNOWN); /* brings both */
        struct alert one = model_alert_default(model, 1), two = model_alert_default(model, 2);
        uint8_t id[ALERT_ID_SIZE];

        model_alert_id(1, 2, id);
        model_press(model, session, 1, &one);
        model->hold_commits = true;
        model_press(model, session, 1, &two);
        model_pass(model, 1000);
        assert_int_equal(model_session(model, session)->receipt_count, 1);
        model_pass(model, 1000);
        assert_memory_equal(model_session(model, session)->receipt.alert.octets, id, ALERT_ID_SIZE);
        assert_int_equal(model_session(model, session)->receipt.state, RECEIPT_KEPT);
        model->hold_commits = false;
        model_release(model);
        assert_memory_equal(model_session(model, session)->receipt.alert.octets, id, ALERT_ID_SIZE);
        assert_int_equal(model_session(model, session)->receipt.state, RECEIPT_ASKED);
        model_free(model);
}

/* A press of another phone in flight while another dispatcher closes the alert: it becomes one of its own. */
static void test_press_in_flight_meets_a_closure(void **state)
{
        struct model *model = model_region(2, 2);
        uint64_t carrier = model_login(model, 0, 1);
        struct alert one = model_alert_default(model, 1), two = model_alert_default(model, 2);
        uint8_t id[ALERT_ID_SIZE], other[ALERT_ID_SIZE];
        struct command close;

        model_alert_id(1, 1, id);
        model_alert_id(1, 2, other);
        model_press(model, carrier, 1, &one);
        model->hold_commits = true;
        model_press(model, carrier, 1, &two);
        model->hold_commits = false;
        close = model_command(COMMAND_CLOSE, id);
        assert_int_equal(model_order(model, 1, "control", &close), -1);
        model_release(model);
        assert_int_equal(model_open(model), 1);
        assert_int_equal(model_record(model, other).version, 1);
        assert_int_equal(model_counters(model, 0)->commits, 0);
        assert_memory_equal(model_session(model, carrier)->receipt.alert.octets, other, ALERT_ID_SIZE);
        model_free(model);
}

/* Two presses of one handset were raised apart, by two dispatchers at once.  One is closed: the next press is a part of the other. */
static void test_the_other_one_takes_its_place(void **state)
{
        struct model *model = model_region(2, 2);
        struct alert one = model_alert_default(model, 1), two = model_alert_default(model, 2),
                     three = model_alert_default(model, 3);
        uint64_t session = model_login(model, 0, 1), other = model_connect(model, 1, 1, CERTIFICATE_OK);
        uint8_t one_id[ALERT_ID_SIZE], two_id[ALERT_ID_SIZE];
        struct command close;

        model_alert_id(1, 1, one_id);
        model_alert_id(1, 2, two_id);
        model->hold_commits = true;
        model_press(model, session, 1, &one);
        model_press(model, other, 1, &two);
        model->hold_commits = false;
        model_release(model);
        assert_int_equal(model_open(model), 2);
        close = model_command(COMMAND_CLOSE, one_id);
        assert_int_equal(model_order(model, 1, "control", &close), -1);
        model_press(model, session, 1, &three);
        assert_int_equal(model_open(model), 1);
        assert_int_equal(model_record(model, two_id).alias_count, 1);
        model_free(model);
}

/* More phones than aliases: the one that gave way is not raised anew by the closure. */
static void test_alias_that_gave_way(void **state)
{
        struct model *model = model_region(1, 2);
        uint64_t carrier = model_login(model, 0, 1);
        struct command close;

        for (uint64_t nonce = 1; nonce <= RECORD_ALIASES_MAX + 3; nonce++) {
                struct alert alert = model_alert_default(model, nonce);

                model_press(model, carrier, 1, &alert);
        }
        assert_int_equal(model_open(model), 1);
        close = model_command(COMMAND_CLOSE, model->alerts[0].id);
        assert_int_equal(model_order(model, 0, "control", &close), -1);
        assert_int_equal(model_open(model), 0);
        model_free(model);
}

/* Two presses of one handset, raised by two dispatchers in the same moment, are two alerts.  Offered to the other one, each
 * stays what it is; and one's closure is not the other's. */
static void test_two_alerts_of_one_handset(void **state)
{
        struct model *model = model_region(2, 2);
        uint64_t here = model_login(model, 0, 1), there = model_login(model, 1, 1);
        struct alert one = model_alert_default(model, 1), two = model_alert_default(model, 2);
        uint8_t id[ALERT_ID_SIZE], other[ALERT_ID_SIZE];
        struct command close;

        model_alert_id(1, 1, id);
        model_alert_id(1, 2, other);
        model->hold_commits = true;
        model_press(model, here, 1, &one);
        model_press(model, there, 1, &two);
        model_press(model, here, 1, &two); /* before this one has heard of it */
        model->hold_commits = false;
        model_release(model);
        assert_int_equal(model_open(model), 2);
        assert_int_equal(model_record(model, id).alias_count, 0);
        close = model_command(COMMAND_CLOSE, id);
        assert_int_equal(model_order(model, 1, "control", &close), -1);
        assert_int_equal(model_open(model), 1);
        assert_null(model_tombstone(model, other));
        assert_int_equal(model_counters(model, 0)->open_alerts, 1);
        assert_int_equal(model_counters(model, 1)->open_alerts, 1);
        model_free(model);
}

/* Six hundred alerts changed while this process had no store: all are told, more than one step's actions hold. */
static void test_much_news_at_once(void **state)
{
        enum { MANY = 600 };
        struct model *model = model_region(1, 2);
        uint64_t anna = model_login(model, 0, 11);
        uint64_t sessions[MANY];

        for (unsigned i = 0; i < MANY; i++) {
                struct alert alert = model_alert_default(model, 1);

                model_enrol(model, 100 + i, HANDSET_CARRIER, "");
                sessions[i] = model_login(model, 0, 100 + i);
                model_press(model, sessions[i], 100 + i, &alert);
        }
        model_store(model, false);
        for (size_t i = 0; i < model->alert_count; i++) {
                struct record record = model_record(model, model->alerts[i].id);
                uint8_t octets[RECORD_MAX];
                int n;

                record.version = model->alerts[i].version = 5;
                record.state = ALERT_SEEN;
                n = record_encode(&record, octets, sizeof(octets));
                model->alerts[i].record.at = realloc(model->alerts[i].record.at, (size_t)n);
                model->alerts[i].record.len = (size_t)n;
                memcpy(model->alerts[i].record.at, octets, (size_t)n);
        }
        model_session(model, anna)->ring_count = 0;
        model_store(model, true);
        for (unsigned i = 0; i < MANY; i++) {
                assert_int_equal(model_session(model, sessions[i])->receipt.version, 5);
                assert_int_equal(model_session(model, sessions[i])->receipt.state, RECEIPT_SEEN);
        }
        assert_int_equal(model_session(model, anna)->ring_count, MANY);
        model_free(model);
}

/* One closed alert more than are remembered: the oldest is forgotten here, and the store's tombstone answers for it. */
static void test_closed_bound(void **state)
{
        struct model *model = model_region(1, 2);
        uint64_t session = model_login(model, 0, 1);
        struct record record = { .version = 3, .state = ALERT_CLOSED, .close_reason = CLOSE_HELPED };
        struct core_event event = { .kind = CORE_FEED_ALERT, .u.feed_alert.event = EVENT_CLOSE };
        uint8_t octets[RECORD_MAX];
        struct alert alert;

        for (uint64_t i = 0; i <= CORE_CLOSED_MAX; i++) {
                model_alert_id(1, 1 + i, record.id);
                memcpy(record.handset, record.id, HANDSET_ID_SIZE);
                event.u.feed_alert.record =
                        (struct cbor_span){ octets, (size_t)record_encode(&record, octets, sizeof(octets)) };
                model_event(model, 0, &event);
        }
        model_alert_id(1, 1, model->tombstones[0].id);
        model->tombstones[0].tombstone = (struct tombstone){ .version = 3, .state = CLOSE_HELPED, .closed_at_ms = 5 };
        model->tombstone_count = 1;
        for (uint64_t nonce = 1; nonce <= 1 + CORE_CLOSED_MAX; nonce += CORE_CLOSED_MAX / 2) {
                size_t commits = model->commits;

                alert = model_alert_default(model, nonce);
                model_press(model, session, 1, &alert);
                assert_int_equal(model_session(model, session)->receipt.state, RECEIPT_CLOSED_HELPED);
                assert_int_equal(model->commits - commits, nonce == 1);
        }
        assert_int_equal(model_open(model), 0);
        model_free(model);
}

/* The store away here, the alert closed elsewhere, the carrier presses again: that press is another, and is told nothing of the closure. */
static void test_a_press_beside_a_closure(void **state)
{
        struct model *model = model_region(2, 2);
        uint64_t carrier = model_login(model, 0, 1);
        struct alert one = model_alert_default(model, 1), two = model_alert_default(model, 2);
        struct core_event store = { .kind = CORE_STORE };
        uint8_t id[ALERT_ID_SIZE], other[ALERT_ID_SIZE];
        struct command close;

        model_alert_id(1, 1, id);
        model_alert_id(1, 2, other);
        model_press(model, carrier, 1, &one);
        model_event(model, 0, &store);
        model_press(model, carrier, 1, &two);
        close = model_command(COMMAND_CLOSE, id);
        assert_int_equal(model_order(model, 1, "control", &close), -1);
        model_session(model, carrier)->receipt_count = 0;
        store.u.state.up = true;
        model_event(model, 0, &store);
        model_pump(model);
        assert_int_equal(model_record(model, other).state, ALERT_ASKED);
        for (size_t i = 0; i < model_session(model, carrier)->receipt_count; i++) {
                const struct receipt *receipt = &model_session(model, carrier)->receipts[i];

                assert_true(memcmp(receipt->alert.octets, other, ALERT_ID_SIZE) != 0 ||
                            !receipt_is_closed(receipt->state));
        }
        assert_memory_equal(model_session(model, carrier)->receipt.alert.octets, other, ALERT_ID_SIZE);
        assert_int_equal(model_counters(model, 0)->waiting, 0);
        model_free(model);
}

/* A late revision of a closed alert: the receipt says which one was the last that counted. */
static void test_revision_of_a_closed_alert(void **state)
{
        for (int restarted = 0; restarted < 2; restarted++) {
                struct model *model = model_region(1, 2);
                uint64_t carrier = model_login(model, 0, 1);
                struct alert alert = model_alert_default(model, 1);
                uint8_t id[ALERT_ID_SIZE];
                struct command close;

                model_alert_id(1, 1, id);
                alert.revision = 3;
                model_press(model, carrier, 1, &alert);
                close = model_command(COMMAND_CLOSE, id);
                assert_int_equal(model_order(model, 0, "control", &close), -1);
                if (restarted == 1) {
                        model_kill(model, 0);
                        model_start(model, 0);
                        carrier = model_login(model, 0, 1);
                }
                alert.revision = 7;
                alert.marks = ALERT_PRESSED_AGAIN;
                model_press(model, carrier, 1, &alert);
                assert_int_equal(model_session(model, carrier)->receipt.state, RECEIPT_CLOSED_HELPED);
                assert_int_equal(model_session(model, carrier)->receipt.revision, 3);
                assert_int_equal(model_open(model), 0);
                model_free(model);
        }
}

/* A failover loses a closure that was told: closed it stays, and nobody is rung for long. */
static void test_a_lost_closure(void **state)
{
        struct model *model = model_region(2, 2);
        uint64_t carrier = model_login(model, 0, 1);
        struct alert alert = model_alert_default(model, 1);
        uint8_t id[ALERT_ID_SIZE];
        struct model_bytes before;
        struct command close;

        model_alert_id(1, 1, id);
        model_press(model, carrier, 1, &alert);
        before = (struct model_bytes){ malloc(model->alerts[0].record.len), model->alerts[0].record.len };
        memcpy(before.at, model->alerts[0].record.at, before.len);
        close = model_command(COMMAND_CLOSE, id);
        assert_int_equal(model_order(model, 0, "control", &close), -1);
        assert_int_equal(model_open(model), 0);
        model_store(model, false);
        free(model->alerts[0].record.at);
        model->alerts[0].record = before;
        model->alerts[0].version = 1;
        model->alerts[0].closed = false;
        model->tombstone_count = 0;
        model_store(model, true);
        assert_int_equal(model_open(model), 0);
        assert_int_equal(model_record(model, id).close_reason, CLOSE_HELPED);
        assert_int_equal(model_tombstone(model, id)->state, RECEIPT_CLOSED_HELPED);
        assert_int_equal(model_session(model, carrier)->receipt.state, RECEIPT_CLOSED_HELPED);
        model_free(model);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_busy),
                cmocka_unit_test(test_busy_when_known_later),
                cmocka_unit_test(test_waiting_under_two_ids),
                cmocka_unit_test(test_no_receipt_before_its_press_is_there),
                cmocka_unit_test(test_press_in_flight_meets_a_closure),
                cmocka_unit_test(test_alias_that_gave_way),
                cmocka_unit_test(test_the_other_one_takes_its_place),
                cmocka_unit_test(test_two_alerts_of_one_handset),
                cmocka_unit_test(test_much_news_at_once),
                cmocka_unit_test(test_closed_bound),
                cmocka_unit_test(test_a_press_beside_a_closure),
                cmocka_unit_test(test_revision_of_a_closed_alert),
                cmocka_unit_test(test_a_lost_closure),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
