/* Several dispatchers on one store; the store away, the disk full, queues full. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/ladder.h"
#include "tests/dispatcher/support/model.h"

static struct model *region(unsigned dispatchers)
{
        struct model *model = model_new(dispatchers, NULL);

        model_begin(model);
        model_enrol(model, 1, HANDSET_CARRIER, "carl");
        model_enrol(model, 2, HANDSET_CARRIER, "");
        model_put_supervisor(model, "anna", "", false);
        model_put_supervisor(model, "bob", "", false);
        model_enrol(model, 11, HANDSET_SUPERVISOR, "anna");
        model_enrol(model, 12, HANDSET_SUPERVISOR, "bob");
        model_on_duty(model, "anna", 45.751, 4.85);
        model_on_duty(model, "bob", 45.752, 4.85);
        return model;
}

static const struct core_counters *counters(const struct model *model, unsigned dispatcher)
{
        return core_counters(model->dispatchers[dispatcher].core);
}

/* Pressed here, rung and taken there, told here. */
static void test_two_dispatchers(void **state)
{
        struct model *model = region(2);
        uint64_t carrier = model_login(model, 0, 1), anna = model_login(model, 1, 11);
        struct alert alert = model_alert_default(model, 1);
        struct command take;
        uint8_t id[ALERT_ID_SIZE];

        model_alert_id(1, 1, id);
        model_press(model, carrier, 1, &alert);
        assert_int_equal(model_session(model, anna)->ring, RING_RING);
        take = model_command(COMMAND_TAKE, id);
        assert_int_equal(model_ask(model, anna, &take), ANSWER_DONE);
        assert_int_equal(model_session(model, carrier)->receipt.state, RECEIPT_TAKEN);
        assert_string_equal(model_session(model, carrier)->receipt.who, "Anna");
        assert_int_equal(model_session(model, carrier)->receipt_count, 2); /* once each, not by commit and feed */
        take = model_command(COMMAND_CLOSE, id);
        assert_int_equal(model_ask(model, anna, &take), ANSWER_DONE);
        assert_int_equal(counters(model, 0)->open_alerts, 0);
        assert_int_equal(counters(model, 1)->open_alerts, 0);
        model_free(model);
}

/* Both take at once, by different dispatchers: the first commit owns, the other is told who it is. */
static void test_two_take(void **state)
{
        struct model *model = region(2);
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
        assert_int_equal(counters(model, 0)->conflicts + counters(model, 1)->conflicts, 1);
        assert_int_equal(model_record(model, id).version, 2);
        model_free(model);
}

/* The same alert comes by two dispatchers at once: raised once, and both sessions are told. */
static void test_raised_twice(void **state)
{
        struct model *model = region(2);
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

/* A deadline is acted upon once; when the first dispatcher is dead the next one does it a little later. */
static void test_deadlines(void **state)
{
        struct model *model = region(3);
        uint64_t carrier = model_login(model, 2, 1);
        struct alert alert = model_alert_default(model, 1);
        uint8_t id[ALERT_ID_SIZE];
        size_t commits;

        model_alert_id(1, 1, id);
        model_press(model, carrier, 1, &alert);
        commits = model->commits;
        model_pass(model, 5000);
        assert_int_equal(model_record(model, id).version, 2);
        assert_int_equal(counters(model, 0)->climbed, 1);
        model_pass(model, 2000);
        assert_int_equal(model->commits, commits + 1); /* the others see that it is done */
        model_kill(model, 0);
        model_pass(model, 23200);
        assert_int_equal(model_record(model, id).step, 0);
        model_pass(model, 100); /* rank 1 */
        assert_int_equal(model->now_ms - model_record(model, id).raised_at_ms, 30300);
        assert_int_equal(model_record(model, id).step, 1);
        assert_int_equal(counters(model, 1)->climbed, 1);
        assert_int_equal(model_record(model, id).due_ms - model_record(model, id).raised_at_ms, 60000); /* no drift */
        model_free(model);
}

/* Both act on a deadline in the same moment: one wins, the other sees that it is no longer due. */
static void test_deadline_race(void **state)
{
        struct model *model = region(2);
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
        assert_int_equal(counters(model, 0)->conflicts + counters(model, 1)->conflicts, 1);
        assert_int_equal(counters(model, 0)->climbed + counters(model, 1)->climbed, 1);
        model_pass(model, 5000);
        assert_int_equal(model_record(model, id).sms_checked, 2); /* two were there, and nobody else to ask */
        model_free(model);
}

static void test_store_away(void **state)
{
        struct model *model = region(1);
        uint64_t carrier = model_login(model, 0, 1);
        struct receipt *receipt = &model_session(model, carrier)->receipt;
        struct alert alert = model_alert_default(model, 1);
        uint8_t id[ALERT_ID_SIZE];

        model_alert_id(1, 1, id);
        model_store(model, false);
        model_press(model, carrier, 1, &alert);
        model_pass(model, CORE_KEPT_MS - 100);
        assert_int_equal(model_session(model, carrier)->receipt_count, 0);
        model_pass(model, 100);
        assert_int_equal(model_session(model, carrier)->receipt_count, 1);
        assert_int_equal(receipt->state, RECEIPT_KEPT);
        assert_int_equal(receipt->version, 0);
        assert_memory_equal(receipt->alert.octets, id, ALERT_ID_SIZE);
        alert = model_alert_default(model, 2); /* away for long already: at once */
        model_press(model, model_login(model, 0, 2), 2, &alert);
        model_pass(model, 100);
        assert_int_equal(model_session(model, model->session_count)->receipt_count, 1);
        assert_int_equal(model_session(model, model->session_count)->receipt.state, RECEIPT_KEPT);
        model_pass(model, 60000);
        model_store(model, true);
        assert_int_equal(receipt->state, RECEIPT_ASKED);
        assert_int_equal(receipt->version, 1);
        assert_int_equal(model_open(model), 2);
        assert_int_equal(model_record(model, id).raised_at_ms, model->now_ms); /* the ladder begins now */
        model_free(model);
}

/* Kept by the journal across a death while the store is away. */
static void test_store_away_and_death(void **state)
{
        struct model *model = region(1);
        uint64_t carrier = model_login(model, 0, 1);
        struct alert alert = model_alert_default(model, 1);

        model_store(model, false);
        model_press(model, carrier, 1, &alert);
        model_kill(model, 0);
        model_start(model, 0);
        assert_int_equal(model_open(model), 0);
        model_store(model, true);
        assert_int_equal(model_open(model), 1);
        model_free(model);
}

static void test_take_while_the_store_is_away(void **state)
{
        struct model *model = region(1);
        uint64_t carrier = model_login(model, 0, 1), anna = model_login(model, 0, 11);
        struct alert alert = model_alert_default(model, 1);
        struct command take;
        uint8_t id[ALERT_ID_SIZE];

        model_alert_id(1, 1, id);
        model_press(model, carrier, 1, &alert);
        model_store(model, false);
        take = model_command(COMMAND_TAKE, id);
        assert_int_equal(model_ask(model, anna, &take), -1);
        model_pass(model, CORE_KEPT_MS);
        assert_int_equal(model_session(model, carrier)->receipt.state, RECEIPT_COMING);
        assert_string_equal(model_session(model, carrier)->receipt.who, "Anna");
        assert_int_equal(model_session(model, carrier)->receipt.version, 1);
        model_press(model, carrier, 1, &alert); /* what is known is told, store or not */
        assert_int_equal(model_session(model, carrier)->receipt.state, RECEIPT_ASKED);
        model_store(model, true);
        assert_int_equal(model_session(model, carrier)->receipt.state, RECEIPT_TAKEN);
        assert_int_equal(model_session(model, anna)->frame.u.answer.code, ANSWER_DONE);
        model_free(model);
}

/* In flight when the store goes away: not known; repeated, and there once. */
static void test_in_flight_when_it_goes(void **state)
{
        for (int done = 0; done < 2; done++) {
                struct model *model = region(1);
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
        struct model *model = region(1);
        uint64_t carrier = model_login(model, 0, 1);
        struct alert alert = model_alert_default(model, 1);
        struct core_event event = { .kind = CORE_COMMITTED, .u.committed.result = CORE_FENCED };

        model->hold_commits = true;
        model_press(model, carrier, 1, &alert);
        for (uint64_t token = 1; token < 5; token++) {
                event.u.committed.token = token;
                model_event(model, 0, &event);
        }
        assert_int_equal(counters(model, 0)->fenced, 1);
        model->hold_commits = false;
        model_pass(model, 10000);
        assert_int_equal(model_open(model), 0); /* nothing is committed under an old epoch */
        model_store(model, false);
        model_release(model);
        model_store(model, true);
        assert_int_equal(model_open(model), 1);
        model_free(model);
}

static void test_disk_full(void **state)
{
        struct model *model = region(1);
        uint64_t carrier = model_login(model, 0, 1);
        struct alert alert = model_alert_default(model, 1);
        size_t appends = model->appends;
        const struct notice *notice;

        model_disk(model, false);
        notice = model_notice(model, "tech:a:disk_full");
        assert_non_null(notice);
        assert_true(notice->rings);
        model_press(model, carrier, 1, &alert);
        assert_int_equal(model->appends, appends);
        assert_int_equal(model_session(model, carrier)->receipt.state, RECEIPT_ASKED); /* the store has it on disk */
        model_disk(model, true);
        assert_null(model_notice(model, "tech:a:disk_full"));
        model_free(model);
}

/* One more than the queue holds, while the store is away: the newest revision stays, a command is told to come again. */
static void test_queue_bound(void **state)
{
        struct model *model = region(1);
        uint64_t carrier = model_login(model, 0, 1), anna = model_login(model, 0, 11);
        struct alert alert = model_alert_default(model, 1);
        struct command seen;
        uint8_t id[ALERT_ID_SIZE];

        model_alert_id(1, 1, id);
        model_press(model, carrier, 1, &alert);
        model_store(model, false);
        for (uint16_t i = 1; i <= 3 * CORE_QUEUE_MAX; i++) {
                alert.revision = i;
                model_press(model, carrier, 1, &alert);
        }
        seen = model_command(COMMAND_SEEN, id);
        assert_int_equal(model_ask(model, anna, &seen), ANSWER_BUSY);
        assert_int_equal(counters(model, 0)->queue_full, 1);
        model_store(model, true);
        assert_int_equal(model_record(model, id).revision, 3 * CORE_QUEUE_MAX);
        assert_int_equal(model_session(model, carrier)->receipt.revision, 3 * CORE_QUEUE_MAX);
        assert_int_equal(model_ask(model, anna, &seen), ANSWER_DONE);
        model_free(model);
}

/* A press is durable before it is told, and in the journal before it is in the store. */
static void test_order(void **state)
{
        struct model *model = region(1);
        uint64_t carrier = model_login(model, 0, 1);
        struct alert alert = model_alert_default(model, 1);

        model->hold_sync = true;
        model_press(model, carrier, 1, &alert);
        assert_int_equal(model->appends, 1);
        assert_int_equal(model->commits, 0);
        model->hold_commits = true;
        model->hold_sync = false;
        model_sync(model);
        assert_int_equal(model_session(model, carrier)->receipt_count, 0);
        model->hold_commits = false;
        model_release(model);
        assert_int_equal(model_session(model, carrier)->receipt_count, 1);
        model_free(model);
}

/* A deadline's commit is lost with the connection: it is acted upon when the store is there again. */
static void test_deadline_when_it_goes(void **state)
{
        struct model *model = region(1);
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
        struct model *model = region(1);
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

/* An entry of the feed that comes after the closure is no new alert. */
static void test_old_entry_after_closure(void **state)
{
        struct model *model = region(2);
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
                        assert_int_equal(counters(model, 0)->open_alerts, 0);
                }
        assert_int_equal(counters(model, 0)->open_alerts, 0);
        assert_int_equal(counters(model, 1)->open_alerts, 0);
        model_free(model);
}

/* Who has an alert is asked after those who have none, until it is closed; one dispatcher knows it of another's. */
static void test_busy(void **state)
{
        struct model *model = region(2);
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

/* Two presses of two phones by one session that is not their handset's: each gets its receipt. */
static void test_waiting_under_two_ids(void **state)
{
        struct model *model = region(1);
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

/* A press of another phone in flight while another dispatcher closes the alert: it becomes one of its own. */
static void test_press_in_flight_meets_a_closure(void **state)
{
        struct model *model = region(2);
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
        assert_int_equal(counters(model, 0)->commits, 0);
        assert_memory_equal(model_session(model, carrier)->receipt.alert.octets, other, ALERT_ID_SIZE);
        model_free(model);
}

/* More phones than aliases: the one that gave way is not raised anew by the closure. */
static void test_alias_that_gave_way(void **state)
{
        struct model *model = region(1);
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

/* The owner was heard by another dispatcher, in the command itself: this one sees that in the record. */
static void test_owner_heard_elsewhere(void **state)
{
        struct model *model = region(2);
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

/* The first press is in the store; the one on another phone is not yet, and its phone is told no more than that. */
static void test_no_receipt_before_its_press_is_there(void **state)
{
        struct model *model = region(1);
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

/* Disk full and store away: the press is nowhere, and nobody says that it is kept. */
static void test_not_even_kept(void **state)
{
        struct model *model = region(1);
        uint64_t carrier = model_login(model, 0, 1);
        struct alert alert = model_alert_default(model, 1);

        model_disk(model, false);
        model_store(model, false);
        model_press(model, carrier, 1, &alert);
        model_pass(model, 10000);
        assert_int_equal(model_session(model, carrier)->receipt_count, 0);
        model_store(model, true);
        assert_int_equal(model_session(model, carrier)->receipt.state, RECEIPT_ASKED);
        model_free(model);
}

/* One deadline more than commits may be in flight: it waits for its turn. */
static void test_commits_in_flight(void **state)
{
        struct model *model = region(1);

        for (size_t i = 0; i <= CORE_COMMITS_MAX; i++) {
                struct record record = { .version = 1, .state = ALERT_RAISED, .marks = RECORD_UNVERIFIED, .due_ms = 1 };
                uint8_t octets[RECORD_MAX];
                int n;

                memset(record.id, 0x77, ALERT_ID_SIZE);
                memcpy(record.id, &i, sizeof(i));
                memcpy(record.handset, record.id, HANDSET_ID_SIZE);
                n = record_encode(&record, octets, sizeof(octets));
                assert_int_equal(core_load_record(model->dispatchers[0].core, (struct cbor_span){ octets, (size_t)n }),
                                 0);
        }
        model->hold_commits = true;
        model_pass(model, 300);
        assert_int_equal(counters(model, 0)->commits, CORE_COMMITS_MAX);
        model->hold_commits = false;
        model_release(model);
        assert_int_equal(counters(model, 0)->commits, 0);
        assert_int_equal(model_open(model), CORE_COMMITS_MAX + 1);
        model_free(model);
}

/* Two presses of one handset, raised by two dispatchers in the same moment, are two alerts.  Offered to the other one, each
 * stays what it is; and one's closure is not the other's. */
static void test_two_alerts_of_one_handset(void **state)
{
        struct model *model = region(2);
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
        assert_int_equal(counters(model, 0)->open_alerts, 1);
        assert_int_equal(counters(model, 1)->open_alerts, 1);
        model_free(model);
}

/* The store's answer and the feed come by ways of their own: an answer that is older than what the feed has told is no failover. */
static void test_feed_overtakes_an_answer(void **state)
{
        struct model *model = region(2);
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
        assert_int_equal(model_order(model, 1, "bob", &command), -1);           /* version 2, which the feed tells */
        for (uint64_t token = 1; counters(model, 0)->conflicts == 0; token++) { /* the one in flight */
                event.u.committed.token = token;
                event.u.committed.record = (struct cbor_span){ octets, size };
                model_event(model, 0, &event);
        }
        model_pump(model);
        assert_int_equal(counters(model, 0)->replayed, 0);
        assert_int_equal(model_record(model, id).version, 3);
        assert_string_equal(model_record(model, id).owner_id, "anna");
        assert_true(model_record(model, id).asked[1].seen_at_ms != 0);
        model_release(model);
        model_free(model);
}

/* The same with two phones, and nothing in the store yet: the first press keeps its turn, whatever replaces it. */
static void test_queue_bound_of_two_phones(void **state)
{
        struct model *model = region(1);
        uint64_t carrier = model_login(model, 0, 1);
        struct alert one = model_alert_default(model, 1), two = model_alert_default(model, 2);
        uint8_t id[ALERT_ID_SIZE];
        struct record record;

        model_alert_id(1, 1, id);
        model_store(model, false);
        model_press(model, carrier, 1, &one);
        for (uint16_t i = 1; i <= 2 * CORE_QUEUE_MAX; i++) {
                two.revision = i;
                model_press(model, carrier, 1, &two);
        }
        one.revision = 9;
        model_press(model, carrier, 1, &one);
        model_store(model, true);
        assert_int_equal(model_open(model), 1);
        record = model_record(model, id);
        assert_memory_equal(record.id, id, ALERT_ID_SIZE);
        assert_int_equal(record.revision, 9);
        assert_int_equal(record.alias_count, 1);
        assert_int_equal(record.aliases[0].revision, 2 * CORE_QUEUE_MAX);
        model_free(model);
}

/* Six hundred alerts changed while this process had no store: all are told, more than one step's actions hold. */
static void test_much_news_at_once(void **state)
{
        enum { MANY = 600 };
        struct model *model = region(1);
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

/* A record that we cannot read is not written over. */
static void test_unreadable(void **state)
{
        struct model *model = region(1);
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
                cmocka_unit_test(test_two_dispatchers),
                cmocka_unit_test(test_two_take),
                cmocka_unit_test(test_raised_twice),
                cmocka_unit_test(test_deadlines),
                cmocka_unit_test(test_deadline_race),
                cmocka_unit_test(test_store_away),
                cmocka_unit_test(test_store_away_and_death),
                cmocka_unit_test(test_take_while_the_store_is_away),
                cmocka_unit_test(test_in_flight_when_it_goes),
                cmocka_unit_test(test_fenced),
                cmocka_unit_test(test_disk_full),
                cmocka_unit_test(test_queue_bound),
                cmocka_unit_test(test_order),
                cmocka_unit_test(test_deadline_when_it_goes),
                cmocka_unit_test(test_older_version_in_the_store),
                cmocka_unit_test(test_old_entry_after_closure),
                cmocka_unit_test(test_busy),
                cmocka_unit_test(test_waiting_under_two_ids),
                cmocka_unit_test(test_press_in_flight_meets_a_closure),
                cmocka_unit_test(test_alias_that_gave_way),
                cmocka_unit_test(test_owner_heard_elsewhere),
                cmocka_unit_test(test_no_receipt_before_its_press_is_there),
                cmocka_unit_test(test_not_even_kept),
                cmocka_unit_test(test_commits_in_flight),
                cmocka_unit_test(test_two_alerts_of_one_handset),
                cmocka_unit_test(test_feed_overtakes_an_answer),
                cmocka_unit_test(test_queue_bound_of_two_phones),
                cmocka_unit_test(test_much_news_at_once),
                cmocka_unit_test(test_unreadable),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
