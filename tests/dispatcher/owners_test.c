/* Two owners that a failover made: the newer stays, the other is told, the record shows both. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tests/dispatcher/support/model.h"

struct scene {
        struct model *model;
        uint8_t id[ALERT_ID_SIZE];
        uint64_t anna, bob;
        int raised; /* the feed's entry: what a failover goes back to */
};

/* Anna on the first dispatcher, Bob on the second, one alert that neither has. */
static struct scene scene(void)
{
        struct scene s = { .model = model_new(2, NULL) };
        struct alert alert = model_alert_default(s.model, 1);

        s.model->options.sms = true;
        model_begin(s.model);
        model_alert_id(1, 1, s.id);
        model_enrol(s.model, 1, HANDSET_CARRIER, "carl");
        model_put_supervisor(s.model, "anna", "", false);
        model_put_supervisor(s.model, "bob", "", false);
        model_enrol(s.model, 11, HANDSET_SUPERVISOR, "anna");
        model_enrol(s.model, 12, HANDSET_SUPERVISOR, "bob");
        model_on_duty(s.model, "anna", 45.751, 4.85);
        model_on_duty(s.model, "bob", 45.752, 4.85);
        s.anna = model_login(s.model, 0, 11);
        s.bob = model_login(s.model, 1, 12);
        model_press(s.model, model_login(s.model, 1, 1), 1, &alert);
        s.raised = (int)s.model->feed_count - 1;
        return s;
}

static int ask(struct scene *s, uint64_t session, uint8_t verb)
{
        struct command command = model_command(verb, s->id);

        command.id[0] = (uint8_t)session; /* nobody gives an order that was given */
        command.id[1] = verb;
        return model_ask(s->model, session, &command);
}

static uint8_t flags_of(struct scene *s, const char *person)
{
        struct record record = model_record(s->model, s->id);
        int found = record_asked_find(&record, person);

        return found >= 0 ? record.asked[found].flags : 0;
}

static const struct record *rung(struct scene *s, uint64_t session)
{
        return &model_session(s->model, session)->rung;
}

/* Anna takes it; that is lost; Bob takes it before Anna's dispatcher is back. */
static void make_two(struct scene *s)
{
        assert_int_equal(ask(s, s->anna, COMMAND_TAKE), ANSWER_DONE);
        model_store_of(s->model, 0, false);
        model_lose(s->model, s->id, s->raised);
        model_store_of(s->model, 1, false);
        model_store_of(s->model, 1, true);
        assert_string_equal(model_record(s->model, s->id).owner_id, "");
        model_pass(s->model, 1000);
        assert_int_equal(ask(s, s->bob, COMMAND_TAKE), ANSWER_DONE);
}

static void assert_both(struct scene *s)
{
        struct record record = model_record(s->model, s->id);

        assert_string_equal(record.owner_id, "bob");
        assert_int_equal(flags_of(s, "anna") & ASKED_OWNED, ASKED_OWNED);
        assert_int_equal(flags_of(s, "bob") & ASKED_OWNED, 0);
}

static void test_newer_stays(void **state)
{
        struct scene s = scene();
        size_t feed;

        make_two(&s);
        model_session(s.model, s.anna)->frame.type = 0;
        model_store_of(s.model, 0, true);
        assert_both(&s);
        assert_int_equal(model_session(s.model, s.anna)->frame.type, FRAME_ANSWER);
        assert_int_equal(model_session(s.model, s.anna)->frame.u.answer.code, ANSWER_TAKEN_BY_OTHER);
        assert_string_equal(model_session(s.model, s.anna)->frame.u.answer.who, "Bob");
        assert_string_equal(rung(&s, s.anna)->owner_id, "bob");
        feed = s.model->feed_count;
        model_store(s.model, false); /* once: the next time it is known */
        model_store(s.model, true);
        assert_int_equal(s.model->feed_count, feed);
        model_free(s.model);
}

/* The store has gone on far beyond the version that Anna's dispatcher knew. */
static void test_store_went_on(void **state)
{
        struct scene s = scene();

        make_two(&s);
        assert_int_equal(ask(&s, s.bob, COMMAND_EN_ROUTE), ANSWER_DONE);
        assert_int_equal(ask(&s, s.bob, COMMAND_ON_SCENE), ANSWER_DONE);
        model_store_of(s.model, 0, true);
        assert_both(&s);
        assert_int_equal(model_record(s.model, s.id).state, ALERT_ON_SCENE);
        assert_string_equal(rung(&s, s.anna)->owner_id, "bob");
        model_free(s.model);
}

/* Anna's dispatcher died as well; its journal says it when it is back.  She was not asked: she gets a line of her own, and so is told. */
static void test_by_the_journal(void **state)
{
        struct scene s = scene();
        struct record record;

        model_put_supervisor(s.model, "zoe", "", false);
        model_enrol(s.model, 13, HANDSET_SUPERVISOR, "zoe");
        model_on_duty(s.model, "zoe", 45.9, 4.85);
        s.anna = model_login(s.model, 0, 13);
        model_pass(s.model, 1000);
        assert_int_equal(ask(&s, s.anna, COMMAND_TAKE), ANSWER_DONE);
        model_kill(s.model, 0);
        model_lose(s.model, s.id, s.raised);
        model_store_of(s.model, 1, false);
        model_store_of(s.model, 1, true);
        model_pass(s.model, 1000);
        assert_int_equal(ask(&s, s.bob, COMMAND_TAKE), ANSWER_DONE);
        s.anna = model_login(s.model, 1, 13);
        model_start(s.model, 0);
        model_pump(s.model);
        record = model_record(s.model, s.id);
        assert_string_equal(record.owner_id, "bob");
        assert_true(record_asked_find(&record, "zoe") >= 0);
        assert_int_equal(flags_of(&s, "zoe") & ASKED_OWNED, ASKED_OWNED);
        assert_string_equal(rung(&s, s.anna)->owner_id, "bob");
        model_free(s.model);
}

/* Both wait for the store: the one who comes second is refused as ever, and no journal says later that they had it. */
static void test_who_was_refused_never_had_it(void **state)
{
        struct scene s = scene();
        struct command take = model_command(COMMAND_TAKE, s.id);

        s.model->hold_commits = true;
        (void)model_ask(s.model, s.bob, &take);
        (void)model_ask(s.model, s.anna, &take);
        s.model->hold_commits = false;
        model_release(s.model);
        for (unsigned d = 0; d < 2; d++) {
                model_kill(s.model, d);
                model_start(s.model, d);
                model_pump(s.model);
        }
        assert_int_equal((flags_of(&s, "anna") | flags_of(&s, "bob")) & ASKED_OWNED, 0);
        model_free(s.model);
}

/* Bob had it and gave it back: Anna, who thinks that it is hers, is rung again. */
static void test_nobody_has_it_now(void **state)
{
        struct scene s = scene();

        make_two(&s);
        assert_int_equal(ask(&s, s.bob, COMMAND_RELEASE), ANSWER_DONE);
        model_store_of(s.model, 0, true);
        assert_string_equal(model_record(s.model, s.id).owner_id, "");
        assert_int_equal(flags_of(&s, "anna") & ASKED_OWNED, ASKED_OWNED);
        assert_int_equal(flags_of(&s, "bob") & ASKED_OWNED, ASKED_OWNED);
        assert_string_equal(rung(&s, s.anna)->owner_id, "");
        model_free(s.model);
}

/* Anna took it by SMS, minutes ago: she is told by SMS. */
static void test_by_sms(void **state)
{
        struct scene s = scene();
        char number[NUMBER_MAX + 1];

        model_person_number(s.model, "anna", number);
        assert_true(model_sms_text(s.model, 0, number, "OUI"));
        assert_string_equal(model_record(s.model, s.id).owner_id, "anna");
        model_store_of(s.model, 0, false);
        model_lose(s.model, s.id, s.raised);
        model_store_of(s.model, 1, false);
        model_store_of(s.model, 1, true);
        assert_int_equal(ask(&s, s.bob, COMMAND_TAKE), ANSWER_DONE);
        model_pass(s.model, 120000);
        model_store_of(s.model, 0, true);
        assert_both(&s);
        assert_int_equal(model_said(s.model, SMS_TAKEN_BY, number), 1);
        assert_string_equal(model_last_said(s.model, SMS_TAKEN_BY, number)->say.who, "Bob");
        model_free(s.model);
}

/* No failover: what was taken and given back says nothing new when a dispatcher loads, or starts again. */
static void test_nothing_lost(void **state)
{
        struct scene s = scene();
        size_t feed, frames;

        assert_int_equal(ask(&s, s.anna, COMMAND_TAKE), ANSWER_DONE);
        assert_int_equal(ask(&s, s.anna, COMMAND_RELEASE), ANSWER_DONE);
        assert_int_equal(ask(&s, s.bob, COMMAND_TAKE), ANSWER_DONE);
        frames = model_session(s.model, s.anna)->frame_count;
        model_store_of(s.model, 0, false);
        assert_int_equal(ask(&s, s.bob, COMMAND_EN_ROUTE), ANSWER_DONE);
        feed = s.model->feed_count;
        model_store_of(s.model, 0, true);
        assert_int_equal(model_session(s.model, s.anna)->frame_count, frames); /* no answer twice */
        model_kill(s.model, 0);
        model_start(s.model, 0);
        model_pump(s.model);
        assert_int_equal(s.model->feed_count, feed);
        model_free(s.model);
}

/* Bob's phone was shown a version that a failover took back together with the dispatcher that committed it: the store goes above it, so
 * that he sees what comes next. */
static void test_above_what_was_shown(void **state)
{
        struct scene s = scene();
        uint32_t shown;

        assert_int_equal(ask(&s, s.anna, COMMAND_SEEN), ANSWER_DONE);
        shown = rung(&s, s.bob)->version;
        model_kill(s.model, 0);
        model_store_of(s.model, 1, false);
        model_lose(s.model, s.id, s.raised);
        assert_true(model_record(s.model, s.id).version < shown);
        model_store_of(s.model, 1, true);
        assert_true(model_record(s.model, s.id).version > shown);
        assert_int_equal(rung(&s, s.bob)->version, model_record(s.model, s.id).version);
        model_free(s.model);
}

/* Handset 1's alert NONCE once more, from a phone that holds the receipt VERSION of STATE. */
static void offer(struct model *model, uint64_t session, uint64_t nonce, uint32_t version, uint8_t state)
{
        struct alert alert = model_alert_default(model, nonce);
        struct frame frame = { .type = FRAME_ALERT };
        uint8_t cose[ALERT_MAX];

        frame.u.cose.cose = (struct cbor_span){ cose, model_sign(&alert, 1, cose) };
        frame.u.cose.held_version = version;
        frame.u.cose.held_state = state;
        model_send(model, session, &frame);
}

/* The carrier's phone was told what a failover took back together with all dispatchers that knew: its copy says so, and what it is told from
 * then on is above. */
static void test_above_what_the_carrier_was_told(void **state)
{
        static const struct {
                int ahead;
                uint8_t state;
                bool goes_above;
        } cases[] = {
                { 0, RECEIPT_ASKED, false },  { -1, RECEIPT_RAISED, false }, { 0, RECEIPT_KEPT, false },
                { 0, RECEIPT_COMING, false }, { 0, RECEIPT_SEEN, true },     { 1, RECEIPT_ASKED, true },
                { 1, RECEIPT_KEPT, true },    { 1000, RECEIPT_TAKEN, true }, { 1001, RECEIPT_TAKEN, false },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct scene s = scene();
                uint64_t carl = model_login(s.model, 0, 1);
                uint32_t version = model_record(s.model, s.id).version,
                         held = (uint32_t)((int)version + cases[i].ahead);

                offer(s.model, s.bob, 1, held, cases[i].state); /* no word of the phone's */
                assert_int_equal(model_record(s.model, s.id).version, version);
                offer(s.model, carl, 1, held, cases[i].state);
                assert_int_equal(model_record(s.model, s.id).version > held, cases[i].goes_above || cases[i].ahead < 0);
                assert_int_equal(model_record(s.model, s.id).version > version, cases[i].goes_above);
                assert_int_equal(model_session(s.model, carl)->receipt.version, model_record(s.model, s.id).version);
                model_free(s.model);
        }
}

/* The store's record of the alert is of VERSION, and the dispatchers begin anew. */
static void at_version(struct scene *s, uint32_t version)
{
        struct model_alert *stored = model_stored(s->model, s->id);
        struct record record = model_record(s->model, s->id);
        uint8_t *octets = malloc(RECORD_MAX);

        assert_non_null(octets);
        model_kill(s->model, 0);
        model_kill(s->model, 1);
        record.version = stored->version = version;
        stored->record.len = (size_t)record_encode(&record, octets, RECORD_MAX);
        free(stored->record.at);
        stored->record.at = octets;
        model_start(s->model, 0);
}

/* A phone cannot run versions to their end. */
static void test_versions_do_not_end(void **state)
{
        for (uint32_t over = 0; over < 2; over++) {
                struct scene s = scene();
                uint32_t held = INT32_MAX + over, version;

                at_version(&s, INT32_MAX - 5);
                version = model_record(s.model, s.id).version;
                assert_in_range(version, INT32_MAX - 5, INT32_MAX - 1);
                offer(s.model, model_login(s.model, 0, 1), 1, held, RECEIPT_TAKEN);
                assert_int_equal(model_record(s.model, s.id).version, over == 0 ? held + 1 : version);
                model_free(s.model);
        }
}

/* The same where the failover took all of it. */
static void test_raised_above_what_was_told(void **state)
{
        struct scene s = scene();
        uint8_t id[ALERT_ID_SIZE];
        struct command close = model_command(COMMAND_CLOSE, s.id);

        assert_int_equal(model_order(s.model, 1, "control", &close), -1);
        model_alert_id(1, 2, id);
        offer(s.model, model_login(s.model, 0, 1), 2, 3, RECEIPT_SEEN);
        assert_int_equal(model_record(s.model, id).version, 4);
        model_free(s.model);
}

/* The same of a press that was about to become part of another alert, which is closed before. */
static void test_moved_above_what_was_told(void **state)
{
        struct scene s = scene();
        uint8_t id[ALERT_ID_SIZE];
        struct command close = model_command(COMMAND_CLOSE, s.id);
        uint64_t carl = model_login(s.model, 0, 1);

        model_alert_id(1, 2, id);
        s.model->hold_sync = true;
        offer(s.model, carl, 2, 27, RECEIPT_SEEN);
        offer(s.model, carl, 2, 29, RECEIPT_SEEN); /* it waits, and the phone has heard more since */
        assert_int_equal(model_order(s.model, 1, "control", &close), -1);
        assert_null(model_stored(s.model, id));
        s.model->hold_sync = false;
        model_sync(s.model);
        model_pump(s.model);
        assert_int_equal(model_record(s.model, id).version, 30);
        model_free(s.model);
}

/* The same where another dispatcher has raised it as an alert of its own. */
static void test_found_below_what_was_told(void **state)
{
        struct model *model = model_region(2, 2);
        uint64_t carl = model_login(model, 0, 1);
        struct alert first = model_alert_default(model, 1), second = model_alert_default(model, 2);
        uint8_t id[ALERT_ID_SIZE];

        model_alert_id(1, 2, id);
        model_store_of(model, 0, false);
        model_press(model, carl, 1, &first);
        offer(model, carl, 2, 5, RECEIPT_SEEN);
        model_press(model, model_login(model, 1, 1), 1, &second);
        assert_int_equal(model_record(model, id).version, 1);
        model_store_of(model, 0, true);
        model_pass(model, 1000);
        assert_int_equal(model_record(model, id).version, 6);
        model_free(model);
}

/* Anna's take was in the store when her dispatcher lost it, and a failover lost it before somebody closed the alert: she is not told that it
 * is hers. */
static void test_lost_and_closed(void **state)
{
        struct scene s = scene();
        struct command close = model_command(COMMAND_CLOSE, s.id);

        s.model->lose_replies = true;
        assert_int_equal(ask(&s, s.anna, COMMAND_TAKE), -1);
        assert_string_equal(model_record(s.model, s.id).owner_id, "anna");
        model_store_of(s.model, 0, false);
        s.model->lose_replies = false;
        model_kill(s.model, 1);
        model_lose(s.model, s.id, s.raised);
        model_start(s.model, 1);
        assert_int_equal(model_order(s.model, 1, "control", &close), -1);
        assert_int_equal(model_record(s.model, s.id).state, ALERT_CLOSED);
        model_store_of(s.model, 0, true);
        assert_int_equal(model_session(s.model, s.anna)->frame.type, FRAME_ANSWER);
        assert_int_equal(model_session(s.model, s.anna)->frame.u.answer.code, ANSWER_CLOSED);
        model_free(s.model);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_newer_stays),
                cmocka_unit_test(test_store_went_on),
                cmocka_unit_test(test_by_the_journal),
                cmocka_unit_test(test_who_was_refused_never_had_it),
                cmocka_unit_test(test_nobody_has_it_now),
                cmocka_unit_test(test_by_sms),
                cmocka_unit_test(test_nothing_lost),
                cmocka_unit_test(test_above_what_was_shown),
                cmocka_unit_test(test_lost_and_closed),
                cmocka_unit_test(test_above_what_the_carrier_was_told),
                cmocka_unit_test(test_raised_above_what_was_told),
                cmocka_unit_test(test_moved_above_what_was_told),
                cmocka_unit_test(test_found_below_what_was_told),
                cmocka_unit_test(test_versions_do_not_end),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
