/* Death at every action: what was in the journal comes back, once, in the right state; what the carrier was told is true. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "dispatcher/fact.h"
#include "tests/dispatcher/support/model.h"

enum { STEPS = 9 };

struct story {
        struct model *model;
        uint64_t carrier, anna;
        uint8_t id[ALERT_ID_SIZE];
};

static struct story *story(void)
{
        static struct story s;
        struct model *model = model_new(1, NULL);

        s = (struct story){ .model = model };
        model_alert_id(1, 1, s.id);
        model_begin(model);
        model_enrol(model, 1, HANDSET_CARRIER, "carl");
        model_put_carrier(model, "carl");
        model_put_supervisor(model, "anna", "", false);
        model_put_supervisor(model, "bob", "", false);
        model_put_supervisor(model, "cleo", "", false);
        model_put_supervisor(model, "dora", "", false);
        model_enrol(model, 11, HANDSET_SUPERVISOR, "anna");
        model_on_duty(model, "anna", 45.751, 4.85);
        model_on_duty(model, "bob", 45.752, 4.85);
        model_on_duty(model, "cleo", 45.753, 4.85);
        model_on_duty(model, "dora", 45.754, 4.85);
        s.carrier = model_login(model, 0, 1);
        s.anna = model_login(model, 0, 11);
        return &s;
}

static void press(struct story *s, uint64_t nonce, uint16_t revision)
{
        struct alert alert = model_alert_default(s->model, nonce);

        alert.revision = revision;
        alert.pressed_at_s = MODEL_NOW_MS / 1000;
        alert.lat_e7 += revision;
        model_press(s->model, s->carrier, 1, &alert);
}

/* Each order has an id of its own, the same when it is given again. */
static void order(struct story *s, const char *who, uint8_t verb, uint8_t number)
{
        struct command command = model_command(verb, s->id);

        memset(command.id, number, EVENT_ID_SIZE);
        if (who == NULL)
                (void)model_ask(s->model, s->anna, &command);
        else
                (void)model_order(s->model, 0, who, &command);
}

static void act(struct story *s, int step)
{
        switch (step) {
        case 0:
                press(s, 1, 0);
                break;
        case 1:
                press(s, 1, 1);
                break;
        case 2:
                order(s, NULL, COMMAND_SEEN, 2);
                break;
        case 3:
                press(s, 2, 0); /* the same phone, restored */
                break;
        case 4:
                order(s, NULL, COMMAND_TAKE, 4);
                break;
        case 5:
                order(s, NULL, COMMAND_RELEASE, 5);
                break;
        case 6:
                order(s, "bob", COMMAND_TAKE, 6);
                break;
        case 7:
                order(s, "bob", COMMAND_ON_SCENE, 7);
                break;
        case 8:
                order(s, "bob", COMMAND_CLOSE, 8);
                break;
        }
}

/* Whether STEP has had its effect. */
static bool is_done(struct story *s, int step)
{
        struct record record = model_record(s->model, s->id);

        if (model_tombstone(s->model, s->id) != NULL)
                return true;
        switch (step) {
        case 0:
                return record.version > 0;
        case 1:
                return record.revision == 1 && record.at.lat_e7 == 457500001;
        case 2:
                return record.asked_count > 0 && record.asked[0].seen_at_ms != 0;
        case 3:
                return record.alias_count == 1 && record.presses == 2;
        case 4:
                return record.taken_at_ms != 0;
        case 5:
                return record.asked_count > 0 && (record.asked[0].flags & ASKED_OWNED) != 0;
        case 6:
                return strcmp(record.owner_id, "bob") == 0;
        case 7:
                return record.state == ALERT_ON_SCENE;
        default:
                return false;
        }
}

static void check_end(struct story *s)
{
        struct record record = model_record(s->model, s->id);

        assert_int_equal(model_open(s->model), 0);
        assert_int_equal(s->model->alert_count, 1); /* one alert, not two */
        assert_int_equal(record.state, ALERT_CLOSED);
        assert_string_equal(record.closed_by_id, "bob");
        assert_int_equal(record.presses, 2);
        assert_int_equal(record.alias_count, 1);
        assert_int_equal(record.revision, 1);
        assert_string_equal(record.owner_id, "bob");
        assert_int_equal(s->model->tombstone_count, 2);     /* its own, and the other phone's */
        for (size_t i = 1; i < s->model->feed_count; i++) { /* versions of the feed only rise, by one */
                struct record before, after;

                if (s->model->feed[i].kind != CORE_FEED_ALERT || s->model->feed[i - 1].kind != CORE_FEED_ALERT)
                        continue;
                assert_int_equal(
                        record_decode(s->model->feed[i - 1].record.at, s->model->feed[i - 1].record.len, &before), 0);
                assert_int_equal(record_decode(s->model->feed[i].record.at, s->model->feed[i].record.len, &after), 0);
                assert_int_equal(after.version, before.version + 1);
        }
}

/* The highest version that the carrier's phone was told of. */
static uint32_t told(struct story *s)
{
        uint32_t version = 0;

        for (size_t i = 0; i < s->model->session_count; i++)
                for (size_t j = 0; j < s->model->sessions[i].receipt_count && j < 64; j++)
                        if (s->model->sessions[i].receipts[j].version > version)
                                version = s->model->sessions[i].receipts[j].version;
        return version;
}

static void come_back(struct story *s)
{
        model_start(s->model, 0);
        s->carrier = model_login(s->model, 0, 1);
        s->anna = model_login(s->model, 0, 11);
}

/* Run the story with death before action number KILL_AT.  Returns whether there was one. */
static bool run(size_t kill_at)
{
        struct story *s = story();
        bool died = false;

        s->model->kill_at = kill_at;
        s->model->actions = 0;
        for (int step = 0; step < STEPS; step++) {
                size_t before = s->model->dispatchers[0].journal_count;

                act(s, step);
                if (s->model->dispatchers[0].core != NULL)
                        continue;
                died = true;
                come_back(s);
                assert_true(model_record(s->model, s->id).version >= told(s));
                if (s->model->dispatchers[0].journal_count > before && !is_done(s, step))
                        fail_msg("step %d, death before action %zu: in the journal, and not done", step, kill_at);
                act(s, step); /* and it is asked again, as phones and people do */
                assert_true(is_done(s, step));
        }
        check_end(s);
        model_free(s->model);
        return died;
}

static void test_death_at_every_action(void **state)
{
        size_t n = 1;

        while (run(n))
                n++;
        assert_true(n > 40); /* it did happen */
        assert_true(n < 400);
}

/* The whole journal once more, at the end and in the middle: nothing changes. */
static void test_replay_changes_nothing(void **state)
{
        for (int last = 0; last < STEPS; last++) {
                struct story *s = story();
                struct record before, after;
                size_t answers;

                for (int step = 0; step <= last; step++)
                        act(s, step);
                before = model_record(s->model, s->id);
                answers = s->model->answer_count;
                model_kill(s->model, 0);
                model_start(s->model, 0);
                model_kill(s->model, 0);
                model_start(s->model, 0);
                after = model_record(s->model, s->id);
                assert_memory_equal(&before, &after, sizeof(before));
                assert_int_equal(s->model->answer_count, answers);
                model_free(s->model);
        }
}

/* The store does it and the answer is lost: it is repeated, and is done once. */
static void test_lost_replies(void **state)
{
        for (int lost = 0; lost < STEPS; lost++) {
                struct story *s = story();
                struct record record;

                for (int step = 0; step < STEPS; step++) {
                        s->model->lose_replies = step == lost;
                        s->model->hold_commits = step == lost;
                        act(s, step);
                        if (step == lost) {
                                s->model->hold_commits = false;
                                model_release(s->model); /* done, and not said */
                                /* A press on another phone is looked up first: there it is that answer that is lost. */
                                assert_int_equal(is_done(s, step), step != 3);
                        }
                        s->model->lose_replies = false;
                        model_store(s->model, false);
                        model_store(s->model, true);
                }
                record = model_record(s->model, s->id);
                assert_int_equal(record.version, STEPS);
                check_end(s);
                model_free(s->model);
        }
}

/* A failover loses the last commits of an alert, or all of it: what this process knows and did is offered again. */
static void test_failover(void **state)
{
        for (int last = 1; last < STEPS - 1; last++)
                for (int back = 0; back < 2; back++) {
                        struct story *s = story();
                        struct model_alert saved, *stored;
                        uint8_t octets[RECORD_MAX];
                        struct record before, after;

                        act(s, 0);
                        stored = model_stored(s->model, s->id);
                        saved = *stored;
                        memcpy(octets, stored->record.at, stored->record.len);
                        for (int step = 1; step <= last; step++)
                                act(s, step);
                        before = model_record(s->model, s->id);
                        model_store(s->model, false);
                        stored->version = saved.version;
                        stored->record.len = saved.record.len;
                        memcpy(stored->record.at, octets, saved.record.len);
                        if (back == 1) {
                                free(stored->record.at);
                                free(stored->signed_alert.at);
                                s->model->alert_count = 0;
                        }
                        model_store(s->model, true);
                        assert_int_equal(model_open(s->model), 1);
                        after = model_record(s->model, s->id);
                        assert_true(after.version > before.version); /* phones follow the highest */
                        assert_int_equal(after.state, before.state);
                        assert_true(model_stored(s->model, s->id)->signed_alert.len > 0);
                        assert_string_equal(after.owner_id, before.owner_id);
                        assert_int_equal(after.presses, before.presses);
                        assert_int_equal(after.revision, before.revision);
                        for (int step = last + 1; step < STEPS; step++)
                                act(s, step);
                        assert_int_equal(model_record(s->model, s->id).state, ALERT_CLOSED);
                        model_free(s->model);
                }
}

/* A failover loses our last commit, and another dispatcher's takes its number: what that says stays, ours is offered again. */
static void test_same_version_other_record(void **state)
{
        struct story *s = story();
        struct record ours, theirs;
        struct model_alert *stored;
        uint8_t octets[RECORD_MAX];

        act(s, 0);
        theirs = model_record(s->model, s->id);
        act(s, 1);
        ours = model_record(s->model, s->id);
        assert_int_equal(ours.version, theirs.version + 1);
        theirs.version++;
        theirs.marks |= RECORD_PRESSED_AGAIN;
        model_store(s->model, false);
        stored = model_stored(s->model, s->id);
        stored->record.len = (size_t)record_encode(&theirs, octets, sizeof(octets));
        stored->record.at = realloc(stored->record.at, stored->record.len);
        memcpy(stored->record.at, octets, stored->record.len);
        model_store(s->model, true);
        theirs = model_record(s->model, s->id);
        assert_true(theirs.version > ours.version);
        assert_int_equal(theirs.state, ours.state);
        assert_int_equal(theirs.marks, ours.marks | RECORD_PRESSED_AGAIN);
        model_free(s->model);
}

/* Closed by another dispatcher while this one had no store: its phones are told when it comes back. */
static void test_closed_while_away(void **state)
{
        struct story *s = story();
        struct tombstone tombstone = { .version = 9, .state = RECEIPT_CLOSED_HELPED, .closed_at_ms = MODEL_NOW_MS };

        act(s, 0);
        model_store(s->model, false);
        s->model->alerts[0].closed = true;
        memcpy(tombstone.who, "Zoe", 4);
        memcpy(s->model->tombstones[0].id, s->id, ALERT_ID_SIZE);
        s->model->tombstones[0].tombstone = tombstone;
        s->model->tombstone_count = 1;
        model_store(s->model, true);
        assert_int_equal(s->model->looks, 1);
        assert_int_equal(model_session(s->model, s->carrier)->receipt.state, RECEIPT_CLOSED_HELPED);
        assert_int_equal(model_session(s->model, s->carrier)->receipt.version, 9);
        assert_string_equal(model_session(s->model, s->carrier)->receipt.who, "Zoe");
        assert_int_equal(model_session(s->model, s->anna)->rung.state, ALERT_CLOSED);
        assert_int_equal(core_counters(s->model->dispatchers[0].core)->open_alerts, 0);
        model_free(s->model);
}

/* What compaction keeps: the facts of open alerts, and for a while those of closed ones with the note that says so; nothing of tests. */
static void test_keep(void **state)
{
        struct story *s = story();
        struct model_dispatcher *d = &s->model->dispatchers[0];
        struct core_keep *keep;
        size_t open_facts;
        struct alert test = model_alert_default(s->model, 77);

        for (int step = 0; step < 4; step++)
                act(s, step);
        test.kind = ALERT_TEST;
        model_press(s->model, s->carrier, 1, &test);
        open_facts = d->journal_count;
        assert_int_equal(open_facts, 5);
        assert_int_equal(core_keep_new(d->core, &keep), 0);
        for (size_t i = 0; i < open_facts; i++)
                assert_int_equal(core_keep(keep, (struct cbor_span){ d->journal[i].at, d->journal[i].len }), i < 4);
        core_keep_free(keep);
        for (int step = 4; step < STEPS; step++)
                act(s, step);
        assert_int_equal(d->journal_count, STEPS + 2);
        assert_int_equal(core_keep_new(d->core, &keep), 0);
        for (size_t i = 0; i < d->journal_count; i++)
                assert_int_equal(core_keep(keep, (struct cbor_span){ d->journal[i].at, d->journal[i].len }),
                                 i != 3 && i != 4); /* the other press goes with what it joined; the test */
        core_keep_free(keep);
        model_pass(s->model, CORE_CLOSED_KEPT_MS + 1000);
        assert_int_equal(core_keep_new(d->core, &keep), 0);
        for (size_t i = 0; i < d->journal_count; i++)
                assert_false(core_keep(keep, (struct cbor_span){ d->journal[i].at, d->journal[i].len }));
        core_keep_free(keep);
        core_keep_free(NULL);
        model_free(s->model);
}

/* A command of the journal whose alert is nowhere any more is forgotten. */
static void test_command_of_nothing(void **state)
{
        struct story *s = story();
        struct command command = model_command(COMMAND_TAKE, s->id);
        uint8_t object[COMMAND_MAX], buf[FACT_MAX];
        struct core *core = s->model->dispatchers[0].core;
        struct cbor_span record = { buf, 0 };
        struct core_keep *keep;
        struct fact *fact;
        int n;

        command.role = ROLE_CONTROL;
        n = command_encode(&command, object, sizeof(object));
        fact = fact_new(FACT_COMMAND, (struct cbor_span){ object, (size_t)n });
        memset(fact->id, 0x55, ALERT_ID_SIZE);
        record.len = fact_encode(fact, buf);
        free(fact);
        assert_int_equal(core_replay(core, record), 0);
        assert_int_equal(core_keep_new(core, &keep), 0);
        assert_true(core_keep(keep, record));
        core_keep_free(keep);
        model_pass(s->model, 100);
        assert_int_equal(core_keep_new(core, &keep), 0);
        assert_false(core_keep(keep, record));
        core_keep_free(keep);
        assert_int_equal(s->model->answer_count, 0);
        model_free(s->model);
}

static void test_journal_of_another_format(void **state)
{
        struct story *s = story();
        struct core *core = s->model->dispatchers[0].core;

        assert_int_equal(core_replay(core, CBOR_LITERAL("\x83\x02\x01\x00")), -EPROTONOSUPPORT);
        assert_int_equal(core_replay(core, CBOR_LITERAL("\x83\x01\x01\x00")), -EBADMSG);
        assert_int_equal(core_replay(core, CBOR_LITERAL("\x01")), -EBADMSG);
        model_free(s->model);
}

/* More in the journal than is held, and the store has lost all of it: the newest of each kind counts. */
static void test_more_than_is_held(void **state)
{
        struct story *s = story();
        struct model *model = s->model;
        struct record record;

        for (uint16_t revision = 0; revision < 2 * CORE_QUEUE_MAX; revision++)
                press(s, 1, revision);
        order(s, "anna", COMMAND_TAKE, 1);
        press(s, 1, 2 * CORE_QUEUE_MAX);
        assert_string_equal(model_record(model, s->id).owner_id, "anna");
        model_kill(model, 0);
        free(model->alerts[0].record.at);
        free(model->alerts[0].signed_alert.at);
        model->alert_count = 0;
        model_start(model, 0);
        record = model_record(model, s->id);
        assert_int_equal(record.revision, 2 * CORE_QUEUE_MAX);
        assert_string_equal(record.owner_id, "anna");
        assert_int_equal(model_open(model), 1);
        model_free(model);
}

static void note_gone(struct core *core, const uint8_t id[ALERT_ID_SIZE])
{
        uint8_t ids[1][ALERT_ID_SIZE], buf[FACT_MAX];

        memcpy(ids[0], id, ALERT_ID_SIZE);
        assert_int_equal(core_replay(core, (struct cbor_span){ buf, fact_encode_gone(ids, 1, buf) }), 0);
}

/* note_press: a press with this nonce, as the journal has it. */
static void note_press(struct core *core, uint64_t nonce)
{
        uint8_t object[16] = { 0 }, buf[FACT_MAX];
        struct fact *fact = fact_new(FACT_ALERT, CBOR_OCTETS(object));

        model_alert_id(1, nonce, fact->id);
        assert_int_equal(core_replay(core, (struct cbor_span){ buf, fact_encode(fact, buf) }), 0);
        free(fact);
}

/* More closures in the journal than are noted, and the same one again and again: the last ones are kept, each once. */
static void test_many_closures(void **state)
{
        struct story *s = story();
        struct core *core = s->model->dispatchers[0].core;
        uint8_t id[ALERT_ID_SIZE];

        for (uint64_t nonce = 1; nonce <= CORE_REPLAY_GONE_MAX + 20; nonce++) {
                note_press(core, nonce);
                model_alert_id(1, nonce, id);
                note_gone(core, id);
                note_gone(core, id);
        }
        for (unsigned i = 0; i < 2 * CORE_REPLAY_GONE_MAX; i++)
                note_gone(core, id);
        assert_int_equal(core_counters(core)->waiting, CORE_REPLAY_GONE_MAX);
        model_pass(s->model, 100);
        model_free(s->model);
}

/* The journal's note that it was closed waits to be believed, and what comes of it meanwhile is none of what is forgotten then: its phone is
 * told, in time, and duress rings.  LATE: the disk is slower than the store. */
static void pressed_before_believed(bool late)
{
        struct story *s = story();
        char key[NAME_MAX_OCTETS + 1] = "duress:";
        struct alert alert = model_alert_default(s->model, 1);
        struct command close;

        press(s, 1, 0);
        close = model_command(COMMAND_CLOSE, s->id);
        assert_int_equal(model_order(s->model, 0, "control", &close), -1);
        model_kill(s->model, 0);
        model_store(s->model, false);
        model_start(s->model, 0);
        s->carrier = model_login(s->model, 0, 1);
        s->model->hold_sync = true;
        alert.revision = 1;
        alert.marks = ALERT_DURESS;
        model_press(s->model, s->carrier, 1, &alert);
        if (!late) {
                s->model->hold_sync = false;
                model_sync(s->model);
        }
        model_store(s->model, true);
        s->model->hold_sync = false;
        model_sync(s->model);
        model_pass(s->model, 1000);
        hex_encode(s->id, ALERT_ID_SIZE, key + strlen(key));
        assert_non_null(model_notice(s->model, key));
        assert_true(receipt_is_closed(model_session(s->model, s->carrier)->receipt.state));
        assert_int_equal(model_counters(s->model, 0)->waiting, 0);
        assert_int_equal(model_open(s->model), 0);
        model_free(s->model);
}

static void test_pressed_before_believed(void **state)
{
        pressed_before_believed(false);
        pressed_before_believed(true);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_death_at_every_action),
                cmocka_unit_test(test_replay_changes_nothing),
                cmocka_unit_test(test_lost_replies),
                cmocka_unit_test(test_failover),
                cmocka_unit_test(test_same_version_other_record),
                cmocka_unit_test(test_closed_while_away),
                cmocka_unit_test(test_keep),
                cmocka_unit_test(test_command_of_nothing),
                cmocka_unit_test(test_journal_of_another_format),
                cmocka_unit_test(test_more_than_is_held),
                cmocka_unit_test(test_many_closures),
                cmocka_unit_test(test_pressed_before_believed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
