/* What comes back from the store: conflicts, races, failovers, what cannot be read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/ladder.h"
#include "tests/dispatcher/support/model.h"

/* Both take at once, by different dispatchers: the first commit owns, the other is told who it is. */
static void test_two_take(void **state)
{
        struct model *model = model_region(2, 2);
        uint64_t carrier = model_login(model, 0, 1), anna = model_login(model, 0, 11), bob = model_login(model, 1, 12);
        struct alert alert = model_alert_default(model, 1);
        struct command take;
        uint8_t id[ALERT_ID_SIZE];
        struct model_session *winner, *loser;

        model_alert_id(1, 1, id);
        model_press(model, carrier, 1, &alert);
        model->hold_commits = true;
        take = model_command(COMMAND_TAKE, id);
        assert_int_equal(model_ask(model, anna, &take), -1);
        assert_int_equal(model_ask(model, bob, &take), -1);
        model->hold_commits = false;
        model_release(model);
        winner = model_session(model, strcmp(model_record(model, id).owner_id, "anna") == 0 ? anna : bob);
        loser = model_session(model, strcmp(model_record(model, id).owner_id, "anna") == 0 ? bob : anna);
        assert_int_equal(winner->frame.u.answer.code, ANSWER_DONE);
        assert_int_equal(loser->frame.u.answer.code, ANSWER_TAKEN_BY_OTHER);
        assert_string_equal(loser->frame.u.answer.who, model_record(model, id).owner_name);
        assert_int_equal(model_counters(model, 0)->conflicts + model_counters(model, 1)->conflicts, 1);
        assert_int_equal(model_record(model, id).version, 2);
        model_free(model);
}

/* A failover lost it all.  Who knows it is about to bring it back, and another, which does not, raises it anew before: what has happened is
 * brought to that. */
static void test_raised_anew_before_it_is_brought_back(void **state)
{
        struct model *model = model_region(2, 2);
        uint64_t carrier = model_login(model, 0, 1), anna = model_login(model, 0, 11);
        struct alert alert = model_alert_default(model, 1);
        struct command take;
        uint8_t id[ALERT_ID_SIZE];

        model_alert_id(1, 1, id);
        model_press(model, carrier, 1, &alert);
        take = model_command(COMMAND_TAKE, id);
        assert_int_equal(model_ask(model, anna, &take), ANSWER_DONE);
        model_store_of(model, 0, false);
        model_kill(model, 1);
        model_lose(model, id, -1);
        model_start(model, 1); /* knows nothing of it */
        model->hold_commits = true;
        model_store_of(model, 0, true);
        model->hold_commits = false;
        model_press(model, model_login(model, 1, 1), 1, &alert);
        assert_int_equal(model_record(model, id).version, 1);
        model_release(model);
        assert_string_equal(model_record(model, id).owner_id, "anna");
        model_free(model);
}

/* A failover lost it all, and another has raised it anew after the list of what is open was read: what is found under its id is another record,
 * though its versions are below ours and reach them a moment later. */
static void test_raised_anew_after_the_list_was_read(void **state)
{
        struct model *model = model_region(2, 2);
        struct model_dispatcher *d = &model->dispatchers[0];
        uint64_t carrier = model_login(model, 0, 1), anna = model_login(model, 0, 11);
        struct core_event up = { .kind = CORE_STORE, .u.state.up = true };
        struct alert alert = model_alert_default(model, 1);
        struct command command;
        uint8_t id[ALERT_ID_SIZE];
        int64_t raised_ms;

        model_alert_id(1, 1, id);
        model_press(model, carrier, 1, &alert);
        command = model_command(COMMAND_TAKE, id);
        assert_int_equal(model_ask(model, anna, &command), ANSWER_DONE);
        model_store_of(model, 0, false);
        model_kill(model, 1);
        model_lose(model, id, -1);
        model_pass(model, 3000);
        core_load_begin(d->core);
        core_load_end(d->core);
        model_start(model, 1);
        model_press(model, model_login(model, 1, 1), 1, &alert);
        raised_ms = model_record(model, id).raised_at_ms;
        model->hold_commits = true;
        d->cut_off = false;
        model_event(model, 0, &up);
        model_pump(model);
        model->hold_commits = false;
        command = model_command(COMMAND_SEEN, id);
        assert_int_equal(model_order(model, 1, "bob", &command), -1);
        assert_int_equal(model_record(model, id).version, 2);
        model_release(model);
        assert_true(model_record(model, id).version > 2);
        assert_string_equal(model_record(model, id).owner_id, "anna");
        assert_int_equal(model_record(model, id).raised_at_ms, raised_ms);
        model_free(model);
}

/* The same alert comes by two dispatchers at once: raised once, and both sessions are told. */
static void test_raised_twice(void **state)
{
        struct model *model = model_region(2, 2);
        uint64_t one = model_login(model, 0, 1), two = model_connect(model, 1, 1, CERTIFICATE_OK);
        struct alert alert = model_alert_default(model, 1);

        model->hold_commits = true;
        model_press(model, one, 1, &alert);
        model_press(model, two, 1, &alert);
        model->hold_commits = false;
        model_release(model);
        assert_int_equal(model_open(model), 1);
        assert_int_equal(model->alerts[0].version, 1);
        assert_int_equal(model_session(model, one)->receipt.version, 1);
        assert_int_equal(model_session(model, two)->receipt.version, 1);
        model_free(model);
}

/* Both act on a deadline in the same moment: one wins, the other sees that it is no longer due. */
static void test_deadline_race(void **state)
{
        struct model *model = model_region(2, 2);
        uint64_t carrier = model_login(model, 0, 1);
        struct alert alert = model_alert_default(model, 1);
        uint8_t id[ALERT_ID_SIZE];

        model_alert_id(1, 1, id);
        model_press(model, carrier, 1, &alert);
        model->hold_commits = true;
        model_pass(model, 5500);
        model->hold_commits = false;
        model_release(model);
        assert_int_equal(model_record(model, id).version, 2);
        assert_int_equal(model_counters(model, 0)->conflicts + model_counters(model, 1)->conflicts, 1);
        assert_int_equal(model_counters(model, 0)->climbed + model_counters(model, 1)->climbed, 1);
        model_pass(model, 5000);
        assert_int_equal(model_record(model, id).sms_checked, 2); /* two were there, and nobody else to ask */
        model_free(model);
}

/* In flight when the store goes away: not known; repeated, and there once. */
static void test_in_flight_when_it_goes(void **state)
{
        for (int done = 0; done < 2; done++) {
                struct model *model = model_region(1, 2);
                uint64_t carrier = model_login(model, 0, 1);
                struct alert alert = model_alert_default(model, 1);

                model->hold_commits = true;
                model_press(model, carrier, 1, &alert);
                if (done) {
                        model->lose_replies = true;
                        model->hold_commits = false;
                        model_release(model);
                        model->lose_replies = false;
                }
                model_store(model, false);
                model->hold_commits = false;
                model_release(model); /* the other case: lost on the way */
                model_store(model, true);
                assert_int_equal(model_open(model), 1);
                assert_int_equal(model->alerts[0].version, 1);
                assert_int_equal(model_session(model, carrier)->receipt.state, RECEIPT_ASKED);
                model_free(model);
        }
}

static void test_fenced(void **state)
{
        struct model *model = model_region(1, 2);
        uint64_t carrier = model_login(model, 0, 1);
        struct alert alert = model_alert_default(model, 1);
        struct core_event event = { .kind = CORE_COMMITTED, .u.committed.result = CORE_FENCED };

        model->hold_commits = true;
        model_press(model, carrier, 1, &alert);
        for (uint64_t token = 1; token < 5; token++) {
                event.u.committed.token = token;
                model_event(model, 0, &event);
        }
        assert_int_equal(model_counters(model, 0)->fenced, 1);
        model->hold_commits = false;
        model_pass(model, 10000);
        assert_int_equal(model_open(model), 0); /* nothing is committed under an old epoch */
        model_store(model, false);
        model_release(model);
        model_store(model, true);
        assert_int_equal(model_open(model), 1);
        assert_int_equal(model_session(model, carrier)->receipt.state, RECEIPT_ASKED);
        assert_string_equal(model_notice(model, "tech:a:fenced")->cause, "fenced"); /* and it is said */
        model->now_ms += 601000;
        model_scan(model);
        assert_null(model_notice(model, "tech:a:fenced"));
        model_free(model);
}

/* A deadline's commit is lost with the connection: it is acted upon when the store is there again. */
static void test_deadline_when_it_goes(void **state)
{
        struct model *model = model_region(1, 2);
        uint64_t carrier = model_login(model, 0, 1);
        struct alert alert = model_alert_default(model, 1);

        model_press(model, carrier, 1, &alert);
        model->hold_commits = true;
        model_pass(model, 5000);
        model_store(model, false);
        model->hold_commits = false;
        model_release(model);
        assert_int_equal(model->alerts[0].version, 1);
        model_store(model, true);
        assert_int_equal(model->alerts[0].version, 2);
        model_free(model);
}

/* A failover behind our back: the next commit meets an older version, and what was lost is offered again first. */
static void test_older_version_in_the_store(void **state)
{
        struct model *model = model_region(1, 2);
        uint64_t carrier = model_login(model, 0, 1), anna = model_login(model, 0, 11);
        struct alert alert = model_alert_default(model, 1);
        uint8_t id[ALERT_ID_SIZE], octets[RECORD_MAX];
        struct command command;
        size_t size;

        model_alert_id(1, 1, id);
        model_press(model, carrier, 1, &alert);
        size = model->alerts[0].record.len;
        memcpy(octets, model->alerts[0].record.at, size);
        command = model_command(COMMAND_TAKE, id);
        assert_int_equal(model_ask(model, anna, &command), ANSWER_DONE);
        memcpy(model->alerts[0].record.at, octets, size);
        model->alerts[0].record.len = size;
        model->alerts[0].version = 1;
        command = model_command(COMMAND_ON_SCENE, id);
        assert_int_equal(model_ask(model, anna, &command), ANSWER_DONE);
        assert_string_equal(model_record(model, id).owner_id, "anna");
        assert_int_equal(model_record(model, id).state, ALERT_ON_SCENE);
        assert_int_equal(model_record(model, id).version, 4); /* above all that phones have been told */
        model_free(model);
}

/* The store's answer and the feed come by ways of their own: an answer that is older than what the feed has told is no failover. */
static void test_feed_overtakes_an_answer(void **state)
{
        struct model *model = model_region(2, 2);
        uint64_t carrier = model_login(model, 0, 1), anna = model_login(model, 0, 11);
        struct alert alert = model_alert_default(model, 1);
        uint8_t id[ALERT_ID_SIZE], octets[RECORD_MAX];
        struct core_event event = { .kind = CORE_COMMITTED, .u.committed.result = CORE_CONFLICT };
        struct command command;
        size_t size;

        model_alert_id(1, 1, id);
        model_press(model, carrier, 1, &alert);
        size = model->alerts[0].record.len;
        memcpy(octets, model->alerts[0].record.at, size);
        model->hold_commits = true;
        command = model_command(COMMAND_TAKE, id);
        assert_int_equal(model_ask(model, anna, &command), -1);
        model->hold_commits = false;
        command = model_command(COMMAND_SEEN, id);
        assert_int_equal(model_order(model, 1, "bob", &command), -1); /* version 2, which the feed tells */
        for (uint64_t token = 1; model_counters(model, 0)->conflicts == 0; token++) { /* the one in flight */
                event.u.committed.token = token;
                event.u.committed.record = (struct cbor_span){ octets, size };
                model_event(model, 0, &event);
        }
        model_pump(model);
        assert_int_equal(model_counters(model, 0)->replayed, 0);
        assert_int_equal(model_record(model, id).version, 3);
        assert_string_equal(model_record(model, id).owner_id, "anna");
        assert_true(model_record(model, id).asked[1].seen_at_ms != 0);
        model_release(model);
        model_free(model);
}

/* An entry of the feed that comes after the closure is no new alert. */
static void test_old_entry_after_closure(void **state)
{
        struct model *model = model_region(2, 2);
        uint64_t carrier = model_login(model, 0, 1);
        struct alert alert = model_alert_default(model, 1);
        struct core_event event = { .kind = CORE_FEED_ALERT };
        struct command close;

        model_press(model, carrier, 1, &alert);
        close = model_command(COMMAND_CLOSE, model->alerts[0].id);
        assert_int_equal(model_order(model, 0, "control", &close), -1);
        for (size_t i = 0; i < model->feed_count; i++)
                if (model->feed[i].kind == CORE_FEED_ALERT) {
                        event.u.feed_alert.record =
                                (struct cbor_span){ model->feed[i].record.at, model->feed[i].record.len };
                        model_event(model, 0, &event);
                        model_event(model, 1, &event);
                        assert_int_equal(model_counters(model, 0)->open_alerts, 0);
                }
        assert_int_equal(model_counters(model, 0)->open_alerts, 0);
        assert_int_equal(model_counters(model, 1)->open_alerts, 0);
        model_free(model);
}

/* The owner was heard by another dispatcher, in the command itself: this one sees that in the record. */
static void test_owner_heard_elsewhere(void **state)
{
        struct model *model = model_region(2, 2);
        uint64_t carrier = model_login(model, 0, 1);
        struct alert alert = model_alert_default(model, 1);
        struct command take;

        model->now_ms += 600000; /* nobody has a presence left; they have phones */
        alert.pressed_at_s = (uint32_t)(model->now_ms / 1000);
        model_press(model, carrier, 1, &alert);
        take = model_command(COMMAND_TAKE, model->alerts[0].id);
        assert_int_equal(model_order(model, 1, "anna", &take), -1);
        alert.revision = 1;
        model_press(model, carrier, 1, &alert); /* this one works the deadline out anew */
        model_pass(model, LADDER_UNHEARD_MS - 100);
        assert_int_equal(model_record(model, model->alerts[0].id).marks & RECORD_NO_NEWS, 0);
        model_pass(model, 500);
        assert_int_equal(model_record(model, model->alerts[0].id).marks & RECORD_NO_NEWS, RECORD_NO_NEWS);
        model_free(model);
}

/* A record that we cannot read is not written over. */
static void test_unreadable(void **state)
{
        struct model *model = model_region(1, 2);
        uint64_t carrier = model_login(model, 0, 1);
        struct alert alert = model_alert_default(model, 1);
        uint8_t first;

        model_press(model, carrier, 1, &alert);
        first = model->alerts[0].record.at[0];
        model->alerts[0].record.at[0] = 0xff;
        model->alerts[0].version = 7;
        model_pass(model, 60000);
        assert_int_equal(model->alerts[0].version, 7);
        assert_true(model->commits < 10);
        model->alerts[0].record.at[0] = first;
        model_free(model);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_raised_anew_before_it_is_brought_back),
                cmocka_unit_test(test_raised_anew_after_the_list_was_read),
                cmocka_unit_test(test_two_take),
                cmocka_unit_test(test_raised_twice),
                cmocka_unit_test(test_deadline_race),
                cmocka_unit_test(test_in_flight_when_it_goes),
                cmocka_unit_test(test_fenced),
                cmocka_unit_test(test_deadline_when_it_goes),
                cmocka_unit_test(test_older_version_in_the_store),
                cmocka_unit_test(test_feed_overtakes_an_answer),
                cmocka_unit_test(test_old_entry_after_closure),
                cmocka_unit_test(test_owner_heard_elsewhere),
                cmocka_unit_test(test_unreadable),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
