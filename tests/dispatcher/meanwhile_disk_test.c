/* What was done meanwhile, and the store is there: the disk is slow, or a deadline came in between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "dispatcher/ladder.h"
#include "tests/dispatcher/support/model.h"

/* Somebody else takes it while a dispatcher's disk hangs: who comes to that dispatcher then, and who is there, sees it taken. */
static void test_taken_elsewhere(void **state)
{
        struct model *model = model_region(2, 2);
        struct alert alert = model_alert_default(model, 1);
        uint64_t carrier = model_login(model, 0, 1), anna = model_login(model, 0, 11), again;
        struct command take, seen;
        uint8_t id[ALERT_ID_SIZE];

        model_alert_id(1, 1, id);
        model_press(model, carrier, 1, &alert);
        assert_int_equal(model_session(model, anna)->rung.state, ALERT_ASKED);
        take = model_command(COMMAND_TAKE, id);
        model->hold_commits = true;
        (void)model_order(model, 1, "control", &take);
        model->hold_sync = true;
        seen = model_command(COMMAND_SEEN, id);
        (void)model_ask(model, anna, &seen);
        model_pass(model, CORE_KEPT_MS + CORE_TICK_MS);
        assert_int_equal(model_counters(model, 0)->meanwhile, 1);
        model->hold_commits = false;
        model_release(model);
        assert_int_equal(model_record(model, id).state, ALERT_TAKEN);
        assert_int_equal(model_session(model, anna)->rung.state, ALERT_TAKEN);
        again = model_login(model, 0, 11);
        assert_int_equal(model_session(model, again)->rung.state, ALERT_TAKEN);
        assert_int_equal(model_session(model, again)->ring, RING_SHOW);
        model_pass(model, CORE_KEPT_MS);
        assert_int_equal(model_session(model, anna)->rung.state, ALERT_TAKEN);
        model->hold_sync = false;
        model_sync(model);
        model_pump(model);
        assert_int_equal(model_record(model, id).state, ALERT_TAKEN);
        assert_string_equal(model_record(model, id).owner_id, "control");
        model_free(model);
}

/* The disk is slow and a commit is under way: nobody is rung above it, for who is asked then would be in no record, and a closure below what was
 * shown. */
static void test_not_beside_a_commit(void **state)
{
        struct model *model = model_region(1, 2);
        struct alert alert = model_alert_default(model, 1);
        uint64_t carrier = model_login(model, 0, 1), anna = model_login(model, 0, 11), bob = model_login(model, 0, 12);
        struct command seen;
        uint8_t id[ALERT_ID_SIZE];

        model_alert_id(1, 1, id);
        model_press(model, carrier, 1, &alert);
        seen = model_command(COMMAND_SEEN, id);
        model->hold_commits = true;
        (void)model_ask(model, anna, &seen);
        model->hold_sync = true;
        seen = model_command(COMMAND_SEEN, id);
        (void)model_ask(model, bob, &seen);
        model_pass(model, 60000); /* the ladder climbs twice in that */
        assert_int_equal(model_session(model, bob)->rung.version, 1);
        model->hold_commits = false;
        model_release(model);
        model_pass(model, CORE_TICK_MS);
        assert_int_equal(model_counters(model, 0)->meanwhile, 1);
        assert_true(model_session(model, bob)->rung.version > model_record(model, id).version - 1);
        model->hold_sync = false;
        model_sync(model);
        model_pump(model);
        model_free(model);
}

/* A step of the ladder asked one more, and a failover lost that step: the next record names him, so that he is told how it goes on. */
static void test_asked_by_what_was_lost(void **state)
{
        struct model *model = model_region(2, 1);
        struct alert alert = model_alert_default(model, 1);
        uint8_t id[ALERT_ID_SIZE];
        int64_t asked_ms;
        int raised;

        model_alert_id(1, 1, id);
        model_press(model, model_login(model, 0, 1), 1, &alert);
        raised = (int)model->feed_count - 1;
        model_put_supervisor(model, "bob", "", false);
        model_on_duty(model, "bob", 45.752, 4.85);
        model_pass(model, 31000);
        assert_int_equal(model_record(model, id).asked_count, 2);
        asked_ms = model_record(model, id).asked[1].asked_at_ms;
        model_store(model, false);
        model_kill(model, 1);
        model_lose(model, id, raised);
        assert_int_equal(model_record(model, id).asked_count, 1);
        model_pass(model, 1000);
        model_store(model, true);
        assert_int_equal(model_record(model, id).asked_count, 2);
        assert_int_equal(model_record(model, id).asked[1].asked_at_ms, asked_ms);
        model_free(model);
}

/* The first commit, with who was rung before it, is on its way for long, and the ladder in memory rings dora: she is
 * in no record when the answer comes, and hears that another dispatcher has closed it. */
static void test_rung_while_the_first_commit_flies(void **state)
{
        struct model *model = model_region(2, 2);
        struct alert alert = model_alert_default(model, 1);
        struct command close;
        uint64_t carrier = model_login(model, 0, 1), dora;
        uint8_t id[ALERT_ID_SIZE];

        model_alert_id(1, 1, id);
        model_put_supervisor(model, "cleo", "", false);
        model_on_duty(model, "cleo", 45.753, 4.85);
        model_put_supervisor(model, "dora", "", false);
        model_enrol(model, 13, HANDSET_SUPERVISOR, "dora");
        model_on_duty(model, "dora", 45.754, 4.85);
        dora = model_login(model, 0, 13);
        model_store_of(model, 0, false);
        model_press(model, carrier, 1, &alert);
        model_pass(model, CORE_KEPT_MS + CORE_TICK_MS);
        model->hold_commits = true;
        model_store_of(model, 0, true);
        for (unsigned i = 0; model_session(model, dora)->ring_count == 0 && i < 100; i++)
                model_pass(model, CORE_TICK_MS);
        assert_int_equal(model_session(model, dora)->rung.state, ALERT_ASKED);
        assert_int_equal(model_record(model, id).version, 0);
        model_release(model); /* what is to be in the next record is on its way again */
        model->hold_commits = false;
        close = model_command(COMMAND_CLOSE, id);
        (void)model_order(model, 1, "control", &close);
        assert_int_equal(model_record(model, id).state, ALERT_CLOSED);
        assert_int_equal(model_record(model, id).asked_count, 3);
        assert_int_equal(model_session(model, dora)->rung_closed.state, ALERT_CLOSED);
        model_release(model);
        model_free(model);
}

/* An SMS that was owed in memory is needed no more when it comes into the record, for somebody has the alert by then:
 * it is taken out of it once, and does not come into it again. */
static void test_owed_and_not_needed(void **state)
{
        struct model *model = model_new(2, NULL);
        struct alert alert = model_alert_default(model, 1);
        struct command take;
        uint8_t id[ALERT_ID_SIZE];
        char number[NUMBER_MAX + 1];
        uint64_t carrier;
        size_t commits;

        model->options.sms = true;
        model->gateway = SMS_NONE;
        model->feed_first = true; /* so that the deadline is due before the answer comes */
        model_begin(model);
        model_enrol(model, 1, HANDSET_CARRIER, "carl");
        model_put_supervisor(model, "anna", "", false);
        model_on_duty(model, "anna", 45.751, 4.85);
        model_put_supervisor(model, "bob", "", false);
        model_on_duty(model, "bob", 45.752, 4.85);
        model_alert_id(1, 1, id);
        carrier = model_login(model, 0, 1);
        model_press(model, carrier, 1, &alert);
        model_store_of(model, 0, false);
        alert.revision++;
        alert.marks |= ALERT_PRESSED_AGAIN;
        model_press(model, carrier, 1, &alert);
        model_pass(model, CORE_KEPT_MS + CORE_TICK_MS);
        assert_int_equal(model_said(model, SMS_ALERT, NULL), 2);
        model_person_number(model, "anna", number);
        assert_true(model_sms_text(model, 0, number, "OUI")); /* the ladder in memory waits */
        take = model_command(COMMAND_TAKE, id);
        (void)model_order(model, 1, "control", &take);
        assert_int_equal(model_record(model, id).asked[1].sms_state, SMS_NONE);
        model_pass(model, LADDER_SMS_MS);
        commits = model->commits;
        model_store_of(model, 0, true);
        model_pass(model, CORE_TICK_MS);
        assert_in_range(model->commits - commits, 1, 4);
        assert_string_equal(model_record(model, id).owner_id, "control");
        assert_int_equal(model_record(model, id).asked[1].sms_state, SMS_NONE);
        model_free(model);
}

/* As for what was lost, and another dispatcher, which knew nothing of him, has gone on above that version: bob hears
 * all the same, also where the next thing that is heard is that it is closed. */
static void goes_on_without_him(bool closed)
{
        struct model *model = model_region(2, 1);
        struct alert alert = model_alert_default(model, 1);
        struct command command;
        uint8_t id[ALERT_ID_SIZE];
        uint64_t anna, bob;
        size_t commits;
        int raised;

        model_alert_id(1, 1, id);
        model_press(model, model_login(model, 0, 1), 1, &alert);
        raised = (int)model->feed_count - 1;
        model_kill(model, 1);
        model_put_supervisor(model, "bob", "", false);
        model_enrol(model, 12, HANDSET_SUPERVISOR, "bob");
        model_on_duty(model, "bob", 45.752, 4.85);
        bob = model_login(model, 0, 12);
        model_pass(model, 6000);
        assert_int_equal(model_record(model, id).asked_count, 2);
        model_store_of(model, 0, false);
        model_lose(model, id, raised);
        model->duty[model->duty_count - 1].on = false;
        model_start(model, 1);
        anna = model_login(model, 1, 11);
        command = model_command(COMMAND_TAKE, id);
        (void)model_ask(model, anna, &command);
        command = model_command(COMMAND_EN_ROUTE, id);
        (void)model_ask(model, anna, &command);
        assert_int_equal(model_record(model, id).state, ALERT_EN_ROUTE);
        assert_int_equal(model_record(model, id).asked_count, 1);
        assert_true(model_record(model, id).version > model_session(model, bob)->rung.version);
        if (closed) { /* the feed is read from before that on, and is faster than the look for what is open no more */
                struct core_event event = { .kind = CORE_FEED_ALERT, .u.feed_alert.event = EVENT_CLOSE };
                const struct model_entry *entry;

                command = model_command(COMMAND_CLOSE, id);
                (void)model_ask(model, anna, &command);
                entry = &model->feed[model->feed_count - 1];
                event.u.feed_alert.record = (struct cbor_span){ entry->record.at, entry->record.len };
                model_event(model, 0, &event);
                assert_int_equal(model_session(model, bob)->rung.state, ALERT_CLOSED);
        } else {
                model_store_of(model, 0, true);
                assert_int_equal(model_record(model, id).asked_count, 2);
                assert_int_equal(model_session(model, bob)->rung.state, ALERT_EN_ROUTE);
                assert_int_equal(model_session(model, bob)->ring, RING_SHOW);
                commits = model->commits;
                model_pass(model, 1000);
                assert_int_equal(model->commits, commits);
        }
        model_free(model);
}

static void test_asked_by_what_was_overtaken(void **state)
{
        goes_on_without_him(false);
        goes_on_without_him(true);
}

/* A drill, rung for in memory as an alert of its own, and a part of a real one when the store is there: who was rung is told that it is over. */
static void test_a_part_when_the_store_is_there(void **state)
{
        struct model *model = model_region(2, 2);
        struct alert first = model_alert_default(model, 1), second = model_alert_default(model, 2);
        uint64_t carrier = model_login(model, 0, 1), anna = model_login(model, 0, 11);
        uint8_t id[ALERT_ID_SIZE];

        second.kind = ALERT_DRILL;
        model_alert_id(1, 2, id);
        model_store_of(model, 0, false);
        model_press(model, carrier, 1, &second);
        model_pass(model, CORE_KEPT_MS + CORE_TICK_MS);
        assert_memory_equal(model_session(model, anna)->rung.id, id, ALERT_ID_SIZE);
        assert_int_equal(model_session(model, anna)->rung.state, ALERT_ASKED);
        model_press(model, model_login(model, 1, 1), 1, &first);
        model_store_of(model, 0, true);
        assert_int_equal(model_open(model), 1);
        assert_int_equal(model_session(model, anna)->rung_closed.state, ALERT_CLOSED);
        assert_memory_equal(model_session(model, anna)->rung_closed.id, id, ALERT_ID_SIZE);
        model_free(model);
}

/* What went without the full journal is written down, and pressed again stands behind it: the store goes away until
 * the disk is done, and what was written is known.  The one behind it is committed when the store is there, and waits
 * for no deadline. */
static void test_behind_what_is_known(void **state)
{
        struct model *model = model_region(1, 1);
        struct alert alert = model_alert_default(model, 1);
        uint64_t carrier = model_login(model, 0, 1);
        uint8_t id[ALERT_ID_SIZE];

        model_alert_id(1, 1, id);
        model_disk(model, false);
        model_press(model, carrier, 1, &alert);
        assert_int_equal(model_record(model, id).version, 1);
        model_store(model, false);
        model_disk(model, true);
        alert.revision++;
        alert.marks |= ALERT_PRESSED_AGAIN;
        model_press(model, carrier, 1, &alert);
        model->hold_sync = true;
        model_store(model, true);
        model_store(model, false);
        model->hold_sync = false;
        model_sync(model);
        model_store(model, true);
        assert_int_equal(model_record(model, id).revision, alert.revision);
        assert_int_equal(model_counters(model, 0)->waiting, 0);
        model_free(model);
}

/* The store was away for a moment, and has what it had: who was asked by SMS in that time stands in the record at once. */
static void test_as_it_was(void **state)
{
        struct model *model = model_new(1, NULL);
        struct alert alert = model_alert_default(model, 1);
        uint8_t id[ALERT_ID_SIZE];

        model->options.sms = true;
        model->gateway = SMS_NONE; /* no report, which would be noted anyway */
        model_begin(model);
        model_enrol(model, 1, HANDSET_CARRIER, "carl");
        model_put_supervisor(model, "anna", "", false);
        model_on_duty(model, "anna", 45.751, 4.85);
        model_alert_id(1, 1, id);
        model_press(model, model_login(model, 0, 1), 1, &alert);
        assert_int_equal(model_record(model, id).asked[0].sms_state, SMS_NONE);
        model_store(model, false);
        model_pass(model, CORE_KEPT_MS + CORE_TICK_MS);
        assert_int_equal(model_said(model, SMS_ALERT, NULL), 1);
        model_store(model, true);
        assert_int_equal(model_record(model, id).asked[0].sms_state, SMS_DUE);
        model_free(model);
}

/* The deadline of an alert that climbs nothing comes while the store is away: done meanwhile, it is another when the store is there. */
static void test_a_deadline_in_between(void **state)
{
        struct model *model = model_region(1, 2);
        struct alert alert = model_alert_default(model, 1);
        uint64_t carrier = model_login(model, 0, 1);
        uint8_t id[ALERT_ID_SIZE];

        alert.kind = ALERT_DRILL;
        model_alert_id(1, 1, id);
        model_press(model, carrier, 1, &alert);
        model_pass(model, model_record(model, id).due_ms - model->now_ms + 100);
        model_pass(model, model_record(model, id).due_ms - model->now_ms - 3000);
        model_store(model, false);
        model_pass(model, 20000);
        model_store(model, true);
        model_pass(model, 1000);
        assert_true(model_record(model, id).due_ms > model->now_ms);
        assert_true(model_stored(model, id)->due_ms > model->now_ms);
        model_free(model);
}

/* Pressed by a revoked handset, which is good again before the store is there: those who were rung since are not asked by the record that is
 * still unverified, and are by the one that is not. */
static void test_lifted_meanwhile(void **state)
{
        struct model *model = model_region(1, 2);
        struct handset_entry entry = model->handsets[0].entry, revoked = entry;
        struct alert alert = model_alert_default(model, 1);
        uint8_t id[ALERT_ID_SIZE];
        struct record record;

        model_alert_id(1, 1, id);
        model_store(model, false);
        revoked.revoked_at_s = 5;
        model_put_handset(model, 1, &revoked);
        model_press(model, model_connect(model, 0, 1, CERTIFICATE_OK), 1, &alert);
        model_put_handset(model, 1, &entry);
        alert.revision = 1;
        model_press(model, model_login(model, 0, 1), 1, &alert);
        model_pass(model, CORE_KEPT_MS + CORE_TICK_MS);
        assert_int_equal(model_counters(model, 0)->meanwhile, 1);
        model_store(model, true);
        model_pass(model, 1000);
        for (size_t i = 0; i < model->feed_count; i++)
                if (model->feed[i].kind == CORE_FEED_ALERT) {
                        assert_int_equal(record_decode(model->feed[i].record.at, model->feed[i].record.len, &record),
                                         0);
                        assert_int_equal((record.marks & RECORD_UNVERIFIED) != 0, record.asked_count == 0);
                }
        assert_int_equal(model_record(model, id).asked_count, 2);
        assert_int_equal(model_record(model, id).why_unverified, UNVERIFIED_NOT);
        model_free(model);
}

/* The unverified record is in the store before, and the dispatcher that is without it hears that the handset is good: whom it has rung is not
 * forgotten by the record as it finds it there. */
static void test_lifted_without_the_store(void **state)
{
        struct model *model = model_region(2, 2);
        struct handset_entry entry = model->handsets[0].entry, revoked = entry;
        struct alert alert = model_alert_default(model, 1);
        uint8_t id[ALERT_ID_SIZE];

        model_alert_id(1, 1, id);
        revoked.revoked_at_s = 5;
        model_put_handset(model, 1, &revoked);
        model_store_of(model, 0, false);
        model_press(model, model_connect(model, 1, 1, CERTIFICATE_OK), 1, &alert);
        assert_int_equal(model_record(model, id).asked_count, 0);
        model_put_handset(model, 1, &entry);
        alert.revision = 1;
        model_press(model, model_login(model, 0, 1), 1, &alert);
        model_pass(model, CORE_KEPT_MS + CORE_TICK_MS);
        assert_int_equal(model_counters(model, 0)->meanwhile, 1);
        model->duty[model->duty_count - 1].on = false; /* who was rung meanwhile would not be chosen any more */
        model_store_of(model, 0, true);
        model_pass(model, 1000);
        assert_int_equal(model_record(model, id).why_unverified, UNVERIFIED_NOT);
        assert_int_equal(model_record(model, id).asked_count, 2);
        model_free(model);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_taken_elsewhere),
                cmocka_unit_test(test_not_beside_a_commit),
                cmocka_unit_test(test_asked_by_what_was_lost),
                cmocka_unit_test(test_rung_while_the_first_commit_flies),
                cmocka_unit_test(test_owed_and_not_needed),
                cmocka_unit_test(test_asked_by_what_was_overtaken),
                cmocka_unit_test(test_a_part_when_the_store_is_there),
                cmocka_unit_test(test_behind_what_is_known),
                cmocka_unit_test(test_as_it_was),
                cmocka_unit_test(test_a_deadline_in_between),
                cmocka_unit_test(test_lifted_meanwhile),
                cmocka_unit_test(test_lifted_without_the_store),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
