/* What is offered again, or by another phone of the same handset: copies, closed ones, restored phones, drills. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/hex.h"
#include "tests/dispatcher/support/model.h"

/* The one open alert; fails where there is another number of them. */
static struct record only(struct model *model)
{
        struct record none = { 0 };

        assert_int_equal(model_open(model), 1);
        for (size_t i = 0; i < model->alert_count; i++)
                if (!model->alerts[i].closed)
                        return model_record(model, model->alerts[i].id);
        return none;
}

static void test_copies_are_silent(void **state)
{
        struct model *model = model_region(1, 1);
        uint64_t session = model_login(model, 0, 1), second;
        struct alert alert = model_alert_default(model, 1);
        uint8_t id[ALERT_ID_SIZE];

        model_press(model, session, 1, &alert);
        model_alert_id(1, 1, id);
        for (int i = 0; i < 10; i++)
                model_press(model, session, 1, &alert);
        assert_int_equal(model_record(model, id).version, 1);
        assert_int_equal(model->commits, 1);
        assert_int_equal(model->appends, 1);
        assert_int_equal(model_session(model, session)->receipt_count, 11); /* each is answered */
        assert_int_equal(model_counters(model, 0)->copies, 10);
        second = model_connect(model, 0, 1, CERTIFICATE_OK); /* by the alert port, without a hello */
        model_press(model, second, 1, &alert);
        assert_int_equal(model_session(model, second)->receipt.version, 1);
        model_free(model);
}

static void test_copy_while_the_first_is_under_way(void **state)
{
        struct model *model = model_region(1, 1);
        uint64_t one = model_login(model, 0, 1), two = model_connect(model, 0, 1, CERTIFICATE_OK);
        struct alert alert = model_alert_default(model, 1);

        model->hold_sync = true;
        model_press(model, one, 1, &alert);
        model_press(model, two, 1, &alert);
        assert_int_equal(model_session(model, one)->receipt_count, 0); /* not before it is durable */
        assert_int_equal(model->appends, 1);
        model->hold_sync = false;
        model_sync(model);
        assert_int_equal(model_session(model, one)->receipt_count, 1);
        assert_int_equal(model_session(model, two)->receipt_count, 1);
        assert_int_equal(model_session(model, two)->stamp, two * 1000);
        model_free(model);
}

static void test_older_revision(void **state)
{
        struct model *model = model_region(1, 1);
        uint64_t session = model_login(model, 0, 1);
        struct alert alert = model_alert_default(model, 1);
        uint8_t id[ALERT_ID_SIZE];

        model_alert_id(1, 1, id);
        alert.revision = 4; /* any revision raises */
        alert.lat_e7 += 1000;
        model_press(model, session, 1, &alert);
        alert.revision = 0;
        alert.lat_e7 -= 1000;
        model_press(model, session, 1, &alert);
        assert_int_equal(model_record(model, id).version, 1);
        assert_int_equal(model_record(model, id).revision, 4);
        assert_int_equal(model_record(model, id).at.lat_e7, 457501000);
        assert_int_equal(model_session(model, session)->receipt.revision, 4);
        model_free(model);
}

/* Closed long ago: nothing in memory, only the tombstone. */
static void test_closed_long_ago(void **state)
{
        struct model *model = model_region(1, 1);
        uint64_t session = model_login(model, 0, 1);
        struct alert alert = model_alert_default(model, 1);
        uint8_t id[ALERT_ID_SIZE];
        struct command close;

        model_alert_id(1, 1, id);
        model_press(model, session, 1, &alert);
        close = model_command(COMMAND_CLOSE, id);
        assert_int_equal(model_order(model, 0, "control", &close), -1);
        model_kill(model, 0);
        model_start(model, 0);
        session = model_login(model, 0, 1);
        model_press(model, session, 1, &alert);
        assert_int_equal(model_open(model), 0);
        assert_int_equal(model_session(model, session)->receipt.state, RECEIPT_CLOSED_HELPED);
        assert_string_equal(model_session(model, session)->receipt.who, "Control");
        model_press(model, session, 1, &alert); /* from memory now */
        assert_int_equal(model_session(model, session)->receipt_count, 2);
        assert_int_equal(model_order(model, 0, "control", &close), ANSWER_CLOSED);
        alert = model_alert_default(model, 2); /* "I still need help" */
        alert.marks = ALERT_STILL;
        model_press(model, session, 1, &alert);
        assert_int_equal(only(model).marks & RECORD_STILL, RECORD_STILL);
        assert_int_equal(only(model).asked_count, 1);
        model_free(model);
}

/* The PIN was given out of reach, and the alert closed meanwhile.  Duress rings in the control room, once; the phone is told the
 * very same of a mistake: HOW 0 remembered by this dispatcher, 1 by the store alone, 2 while another alert is open. */
static struct receipt pin_after_close(uint16_t marks, int how)
{
        struct model *model = model_region(1, 1);
        uint64_t session = model_login(model, 0, 1);
        struct alert alert = model_alert_default(model, 1), other = model_alert_default(model, 2);
        char key[NAME_MAX_OCTETS + 1] = "duress:";
        const struct notice *notice;
        uint8_t id[ALERT_ID_SIZE];
        struct command close;
        struct receipt told;
        size_t count;

        model_alert_id(1, 1, id);
        hex_encode(id, ALERT_ID_SIZE, key + strlen(key));
        model_press(model, session, 1, &alert);
        close = model_command(COMMAND_CLOSE, id);
        assert_int_equal(model_order(model, 0, "control", &close), -1);
        if (how > 0) {
                model_kill(model, 0);
                model_start(model, 0);
                session = model_login(model, 0, 1);
        }
        if (how == 2)
                model_press(model, session, 1, &other);
        alert.revision = 1;
        alert.marks = marks;
        count = model_session(model, session)->receipt_count;
        model_press(model, session, 1, &alert);
        assert_int_equal(model_session(model, session)->receipt_count, count + 1);
        assert_int_equal(model_open(model), how == 2);
        notice = model_notice(model, key);
        if ((marks & ALERT_DURESS) == 0) {
                assert_null(notice);
        } else {
                assert_non_null(notice);
                assert_true(notice->rings);
                assert_int_equal(notice->kind, NOTICE_DURESS);
                assert_string_equal(notice->cause, "duress_after_close");
                assert_int_equal(notice->name_count, 1);
                assert_string_equal(notice->names[0].carrier_id, "carl");
        }
        count = model->notice_actions;
        model_press(model, session, 1, &alert); /* a copy of that is silent */
        assert_int_equal(model->notice_actions, count);
        assert_int_equal(model_counters(model, 0)->copies, 1);
        told = model_session(model, session)->receipt;
        assert_memory_equal(told.alert.octets, id, ALERT_ID_SIZE);
        model_free(model);
        return told;
}

static void test_duress_after_close(void **state)
{
        for (int how = 0; how < 3; how++) {
                struct receipt mistake = pin_after_close(ALERT_MISTAKE, how),
                               duress = pin_after_close(ALERT_DURESS, how);

                assert_int_equal(duress.state, RECEIPT_CLOSED_HELPED);
                assert_memory_equal(&mistake, &duress, sizeof(mistake));
        }
}

/* Duress that was in what was closed is known: nothing rings. */
static void test_duress_before_close(void **state)
{
        struct model *model = model_region(1, 1);
        uint64_t session = model_login(model, 0, 1);
        struct alert alert = model_alert_default(model, 1);
        uint8_t id[ALERT_ID_SIZE];
        struct command close;

        alert.marks = ALERT_DURESS;
        model_alert_id(1, 1, id);
        model_press(model, session, 1, &alert);
        close = model_command(COMMAND_CLOSE, id);
        assert_int_equal(model_order(model, 0, "control", &close), -1);
        for (int again = 0; again < 2; again++) {
                model_press(model, session, 1, &alert);
                assert_int_equal(model_session(model, session)->receipt.state, RECEIPT_CLOSED_HELPED);
                assert_int_equal(model->notice_actions, 0);
                model_kill(model, 0);
                model_start(model, 0);
                session = model_login(model, 0, 1);
        }
        model_free(model);
}

/* The same phone restored from an old backup presses: after the first was closed it is a new alert ... */
static void test_restored_phone(void **state)
{
        struct model *model = model_region(1, 1);
        uint64_t session = model_login(model, 0, 1);
        struct alert first = model_alert_default(model, 1), second = model_alert_default(model, 2);
        uint8_t id[ALERT_ID_SIZE], other[ALERT_ID_SIZE];
        struct command close;
        struct record record;

        model_alert_id(1, 1, id);
        model_alert_id(1, 2, other);
        model_press(model, session, 1, &first);
        /* ... while it is open it is pressed again, and gets receipts under its own id. */
        second.battery_percent = 20;
        second.revision = 3;
        model_press(model, session, 1, &second);
        record = only(model);
        assert_memory_equal(record.id, id, ALERT_ID_SIZE);
        assert_int_equal(record.presses, 2);
        assert_int_equal(record.marks & RECORD_PRESSED_AGAIN, RECORD_PRESSED_AGAIN);
        assert_int_equal(record.battery, 20);
        assert_memory_equal(model_session(model, session)->receipts[1].alert.octets, other, ALERT_ID_SIZE);
        assert_memory_equal(model_session(model, session)->receipts[2].alert.octets, id, ALERT_ID_SIZE);
        assert_int_equal(model_session(model, session)->receipts[1].version, 2);
        assert_int_equal(model_session(model, session)->receipts[1].revision, 3); /* of its own */
        assert_int_equal(model_session(model, session)->receipts[2].revision, 0);
        assert_int_equal(model_counters(model, 0)->pressed_again, 1);
        model_press(model, session, 1, &second); /* a copy */
        assert_int_equal(only(model).version, 2);
        assert_memory_equal(model_session(model, session)->receipt.alert.octets, other, ALERT_ID_SIZE);
        close = model_command(COMMAND_CLOSE, id);
        assert_int_equal(model_order(model, 0, "control", &close), -1);
        assert_non_null(model_tombstone(model, other));
        assert_memory_equal(model_session(model, session)->receipt.alert.octets, other, ALERT_ID_SIZE);
        assert_int_equal(model_session(model, session)->receipt.state, RECEIPT_CLOSED_HELPED);
        model_press(model, session, 1, &second);
        assert_int_equal(model_open(model), 0);
        second = model_alert_default(model, 3);
        model_press(model, session, 1, &second);
        assert_int_equal(model_open(model), 1);
        model_free(model);
}

/* The phone restored from a backup presses, and then offers what its old outbox had: closed long ago, and stays closed. */
static void test_old_outbox(void **state)
{
        struct model *model = model_region(1, 1);
        uint64_t session = model_login(model, 0, 1);
        struct alert old = model_alert_default(model, 1), now = model_alert_default(model, 2);
        uint8_t id[ALERT_ID_SIZE];
        struct command close;

        model_alert_id(1, 1, id);
        model_press(model, session, 1, &old);
        close = model_command(COMMAND_CLOSE, id);
        assert_int_equal(model_order(model, 0, "control", &close), -1);
        model_kill(model, 0);
        model_start(model, 0);
        session = model_login(model, 0, 1);
        model_press(model, session, 1, &now);
        model_press(model, session, 1, &old);
        assert_int_equal(only(model).presses, 1);
        assert_int_equal(only(model).alias_count, 0);
        assert_memory_equal(model_session(model, session)->receipt.alert.octets, id, ALERT_ID_SIZE);
        assert_int_equal(model_session(model, session)->receipt.state, RECEIPT_CLOSED_HELPED);
        model_kill(model, 0); /* and its note in the journal changes nothing */
        model_start(model, 0);
        assert_int_equal(only(model).presses, 1);
        model_free(model);
}

/* A press on the second phone that waits for the store while the first one's alert is closed there: an alert of its own. */
static void test_press_meets_a_closure(void **state)
{
        struct model *model = model_region(1, 1);
        uint64_t session = model_login(model, 0, 1);
        struct alert first = model_alert_default(model, 1), second = model_alert_default(model, 2);
        uint8_t id[ALERT_ID_SIZE], other[ALERT_ID_SIZE];
        struct command close;

        model_alert_id(1, 1, id);
        model_alert_id(1, 2, other);
        model_press(model, session, 1, &first);
        model->hold_commits = true;
        close = model_command(COMMAND_CLOSE, id);
        assert_int_equal(model_order(model, 0, "control", &close), -1);
        model_press(model, session, 1, &second); /* behind the closure */
        model->hold_commits = false;
        model_release(model);
        assert_memory_equal(only(model).id, other, ALERT_ID_SIZE);
        assert_int_equal(model_session(model, session)->receipt.state, RECEIPT_ASKED);
        model_free(model);
}

/* An alert closed long ago is offered, and behind it, before the store has answered, two presses of today: nobody is told that
 * those are closed, and they are one alert. */
static void test_today_behind_the_old_one(void **state)
{
        struct model *model = model_region(1, 1);
        uint64_t session = model_login(model, 0, 1);
        uint8_t ids[3][ALERT_ID_SIZE];
        struct command close;
        struct alert alert = model_alert_default(model, 1);
        bool told[3] = { false, false, false };

        for (uint64_t nonce = 1; nonce <= 3; nonce++)
                model_alert_id(1, nonce, ids[nonce - 1]);
        model_press(model, session, 1, &alert);
        close = model_command(COMMAND_CLOSE, ids[0]);
        assert_int_equal(model_order(model, 0, "control", &close), -1);
        model_kill(model, 0);
        model_start(model, 0);
        session = model_connect(model, 0, 500, CERTIFICATE_UNKNOWN);
        model->hold_sync = true;
        for (uint64_t nonce = 1; nonce <= 3; nonce++) {
                alert = model_alert_default(model, nonce);
                model_press(model, session, 1, &alert);
        }
        model->hold_sync = false;
        model_sync(model);
        assert_memory_equal(only(model).id, ids[1], ALERT_ID_SIZE);
        assert_int_equal(only(model).presses, 2);
        for (size_t i = 0; i < model_session(model, session)->receipt_count; i++)
                for (size_t j = 0; j < 3; j++)
                        if (memcmp(model_session(model, session)->receipts[i].alert.octets, ids[j], ALERT_ID_SIZE) ==
                            0) {
                                assert_int_equal(receipt_is_closed(model_session(model, session)->receipts[i].state),
                                                 j == 0);
                                told[j] = true;
                        }
        assert_true(told[0] && told[1] && told[2]);
        model_free(model);
}

static void test_real_during_a_drill(void **state)
{
        struct model *model = model_region(1, 1);
        uint64_t session = model_login(model, 0, 1);
        struct alert drill = model_alert_default(model, 1), real = model_alert_default(model, 2);
        uint8_t id[ALERT_ID_SIZE];

        drill.kind = ALERT_DRILL;
        model_press(model, session, 1, &drill);
        assert_int_equal(only(model).marks & RECORD_DRILL, RECORD_DRILL);
        model_press(model, session, 1, &real);
        assert_int_equal(model_open(model), 2);
        model_alert_id(1, 2, id);
        assert_int_equal(model_record(model, id).marks & RECORD_DRILL, 0);
        drill = model_alert_default(model, 3); /* a drill while a real one is open: it is pressed again */
        drill.kind = ALERT_DRILL;
        model_press(model, session, 1, &drill);
        assert_int_equal(model_open(model), 2);
        assert_int_equal(model_record(model, id).presses, 2);
        assert_int_equal(model_record(model, id).marks & RECORD_DRILL, 0);
        model_free(model);
}

/* It waits for a slow disk, and a copy comes by SMS: the gateway may forget that when the disk has it, and no order is taken for it. */
static void test_copy_by_sms_on_a_slow_disk(void **state)
{
        struct model *model = model_region(1, 1);
        struct alert alert = model_alert_default(model, 1);
        uint64_t session = model_login(model, 0, 1);
        char number[NUMBER_MAX + 1];

        model_number(1, number);
        model->hold_sync = true;
        model_press(model, session, 1, &alert);
        assert_false(model_sms_press(model, 0, number, 1, &alert));
        model->hold_sync = false;
        model_sync(model);
        model_pump(model);
        assert_int_equal(model->sms_taken, 1);
        assert_int_equal(model->acknowledged, 0);
        model_free(model);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_copies_are_silent),     cmocka_unit_test(test_copy_while_the_first_is_under_way),
                cmocka_unit_test(test_older_revision),        cmocka_unit_test(test_closed_long_ago),
                cmocka_unit_test(test_duress_after_close),    cmocka_unit_test(test_duress_before_close),
                cmocka_unit_test(test_restored_phone),        cmocka_unit_test(test_old_outbox),
                cmocka_unit_test(test_press_meets_a_closure), cmocka_unit_test(test_today_behind_the_old_one),
                cmocka_unit_test(test_real_during_a_drill),  cmocka_unit_test(test_copy_by_sms_on_a_slow_disk),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
