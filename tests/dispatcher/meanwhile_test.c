/* The store away: presses ring all the same, by session and by SMS; nothing rings twice when it is there again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/ladder.h"
#include "tests/dispatcher/support/model.h"

#define CONTROL_NUMBER "+33140000000"

/* anna and bob near, cleo further, dora furthest; carl's handset is 1.  anna's handset is 11. */
static struct model *region(unsigned dispatchers)
{
        static const char *const names[] = { "anna", "bob", "cleo", "dora" };
        struct model *model = model_new(dispatchers, NULL);

        model->options.sms = true;
        model->options.control_number = CONTROL_NUMBER;
        model_begin(model);
        model_enrol(model, 1, HANDSET_CARRIER, "carl");
        model_put_carrier(model, "carl");
        for (size_t i = 0; i < 4; i++) {
                model_put_supervisor(model, names[i], "", false);
                model_on_duty(model, names[i], 45.751 + 0.001 * (double)i, 4.85);
        }
        model_enrol(model, 11, HANDSET_SUPERVISOR, "anna");
        return model;
}

static size_t asked_by_sms(const struct model *model, const char *person)
{
        char number[NUMBER_MAX + 1];

        model_person_number(model, person, number);
        return model_said(model, SMS_ALERT, number);
}

static bool text(struct model *model, const char *person, const char *what)
{
        char number[NUMBER_MAX + 1];

        model_person_number(model, person, number);
        return model_sms_text(model, 0, number, what);
}

static size_t heard(const struct model *model, const char *person, uint8_t kind)
{
        char number[NUMBER_MAX + 1];

        model_person_number(model, person, number);
        return model_said(model, kind, number);
}

static void test_a_press_rings(void **state)
{
        struct model *model = region(1);
        uint64_t carrier = model_login(model, 0, 1), anna = model_login(model, 0, 11);
        struct alert alert = model_alert_default(model, 1);
        uint8_t id[ALERT_ID_SIZE];
        struct record record;
        const struct model_sms *sms;

        model_alert_id(1, 1, id);
        model_store(model, false);
        model_press(model, carrier, 1, &alert);
        model_pass(model, CORE_KEPT_MS - 100);
        assert_int_equal(model_session(model, anna)->ring_count, 0);
        assert_int_equal(model->sms_sent, 0);
        model_pass(model, 100);
        assert_int_equal(model_session(model, carrier)->receipt.state, RECEIPT_KEPT);
        assert_int_equal(model_session(model, anna)->ring_count, 1);
        assert_int_equal(model_session(model, anna)->ring, RING_RING);
        assert_memory_equal(model_session(model, anna)->rung.id, id, ALERT_ID_SIZE);
        assert_int_equal(asked_by_sms(model, "anna"), 0); /* her phone rings */
        assert_int_equal(asked_by_sms(model, "bob"), 1);
        assert_int_equal(asked_by_sms(model, "cleo"), 1);
        assert_int_equal(asked_by_sms(model, "dora"), 0);
        sms = model_last_said(model, SMS_CONTROL, CONTROL_NUMBER);
        assert_non_null(sms);
        assert_string_equal(sms->about.person, SMS_CONTROL_ID);
        assert_string_equal(sms->say.name, "carl");
        assert_string_equal(sms->say.number, "+33622222222");
        assert_int_equal(core_counters(model->dispatchers[0].core)->meanwhile, 1);

        model_store(model, true);
        record = model_record(model, id);
        assert_int_equal(record.asked_count, 3);
        assert_int_equal(record.asked[1].sms_state, SMS_HANDED);
        assert_int_equal(record.rings, 0);
        assert_true(record.version > model_session(model, anna)->rung.version - 1);
        assert_int_equal(model_session(model, anna)->rung.version, record.version);
        assert_int_equal(model_session(model, carrier)->receipt.state, RECEIPT_ASKED);
        assert_int_equal(asked_by_sms(model, "bob"), 1); /* and not again */
        assert_int_equal(model_said(model, SMS_CONTROL, NULL), 1);
        model_pass(model, 4900);
        assert_int_equal(model_said(model, SMS_ALERT, NULL), 2);
        model_pass(model, 100); /* 5 s after they were asked */
        assert_int_equal(model_said(model, SMS_ALERT, NULL), 3);
        assert_int_equal(model_record(model, id).asked_count, 4);
        assert_int_equal(asked_by_sms(model, "anna"), 1);
        model_free(model);
}

/* The dispatcher dies and starts while the store is away: what it has in its journal alone rings, as if pressed then. */
static void test_a_start_without_the_store(void **state)
{
        struct model *model = region(1);
        struct alert alert = model_alert_default(model, 1);

        model_store(model, false);
        model_press(model, model_login(model, 0, 1), 1, &alert);
        model_kill(model, 0);
        model_pass(model, 60000);
        assert_int_equal(model->sms_sent, 0);
        model_start(model, 0);
        model_pass(model, CORE_KEPT_MS);
        assert_int_equal(asked_by_sms(model, "anna"), 1);
        assert_int_equal(asked_by_sms(model, "bob"), 1);
        assert_int_equal(model_said(model, SMS_CONTROL, CONTROL_NUMBER), 1);
        model_store(model, true);
        model_pass(model, 1000);
        assert_int_equal(asked_by_sms(model, "bob"), 1);
        assert_int_equal(model_open(model), 1);
        model_free(model);
}

/* A second away is no outage. */
static void test_a_blip(void **state)
{
        struct model *model = region(1);
        uint64_t carrier = model_login(model, 0, 1), anna = model_login(model, 0, 11);
        struct alert alert = model_alert_default(model, 1);

        model_store(model, false);
        model_press(model, carrier, 1, &alert);
        model_pass(model, 1000);
        model_store(model, true);
        model_pass(model, 2000);
        assert_int_equal(model_session(model, anna)->ring_count, 1);
        assert_int_equal(model->sms_sent, 0);
        assert_int_equal(core_counters(model->dispatchers[0].core)->meanwhile, 0);
        model_free(model);
}

/* An alert that the store has, and nobody: the ladder goes on; those it asked meanwhile are in the record afterwards. */
static void test_the_ladder_goes_on(void **state)
{
        struct model *model = region(2);
        uint64_t carrier = model_login(model, 0, 1);
        struct alert alert = model_alert_default(model, 1);
        uint8_t id[ALERT_ID_SIZE];
        struct record record;

        model_alert_id(1, 1, id);
        model_press(model, carrier, 1, &alert);
        assert_int_equal(model_record(model, id).asked_count, 3);
        model_store(model, false);
        model_pass(model, CORE_KEPT_MS);
        assert_int_equal(model_said(model, SMS_ALERT, NULL), 3); /* one dispatcher alone: it holds the press */
        model_pass(model, 3000);
        assert_int_equal(asked_by_sms(model, "dora"), 1);
        assert_int_equal(model_record(model, id).asked_count, 3);
        model_pass(model, 30000);
        model_store(model, true);
        record = model_record(model, id);
        assert_int_equal(record.asked_count, 4);
        assert_string_equal(record.asked[3].id, "dora");
        assert_int_equal(record.asked[3].sms_state, SMS_HANDED);
        assert_int_equal(record.step, 1);
        assert_int_equal(asked_by_sms(model, "dora"), 1);
        assert_int_equal(model_said(model, SMS_CONTROL, NULL), 1);
        model_pass(model, 100);
        assert_int_equal(model->alerts[0].version, record.version); /* and no more than that */
        model_free(model);
}

/* Somebody comes: noted, not promised; the ladder waits for them; the store says who has it. */
static void test_coming(void **state)
{
        struct model *model = region(1);
        uint64_t carrier = model_login(model, 0, 1);
        struct alert alert = model_alert_default(model, 1);
        uint8_t id[ALERT_ID_SIZE];
        size_t said;

        model_alert_id(1, 1, id);
        model_store(model, false);
        model_press(model, carrier, 1, &alert);
        model_pass(model, CORE_KEPT_MS);
        assert_true(text(model, "bob", "oui"));
        model_pass(model, 100);
        assert_int_equal(heard(model, "bob", SMS_BUSY), 1);
        assert_int_equal(model_session(model, carrier)->receipt.state, RECEIPT_COMING);
        assert_string_equal(model_session(model, carrier)->receipt.who, "Bob");
        assert_true(text(model, "cleo", "oui"));
        said = model->sms_sent;
        model_pass(model, 60000);
        assert_int_equal(model->sms_sent, said); /* nobody else is asked */
        assert_int_equal(heard(model, "bob", SMS_YOURS), 0);
        model_store(model, true);
        assert_int_equal(heard(model, "bob", SMS_YOURS), 1);
        assert_int_equal(heard(model, "cleo", SMS_TAKEN_BY), 1);
        assert_string_equal(model_record(model, id).owner_id, "bob");
        assert_int_equal(model_record(model, id).owner_path, BY_SMS);
        assert_int_equal(model_session(model, carrier)->receipt.state, RECEIPT_TAKEN);
        model_free(model);
}

/* The answer reaches the dispatcher that does not hold the press: not taken there, so that the gateway brings it again. */
static void test_an_answer_elsewhere(void **state)
{
        struct model *model = region(2);
        struct alert alert = model_alert_default(model, 1);
        char number[NUMBER_MAX + 1];
        uint8_t id[ALERT_ID_SIZE];

        model_alert_id(1, 1, id);
        model_person_number(model, "bob", number);
        model_store(model, false);
        model_press(model, model_login(model, 0, 1), 1, &alert);
        model_pass(model, CORE_KEPT_MS);
        assert_false(model_sms_text(model, 1, number, "oui"));
        assert_int_equal(model_said(model, 0, number), 1); /* that asked */
        assert_true(model_sms_text(model, 0, number, "oui"));
        model_store(model, true);
        assert_string_equal(model_record(model, id).owner_id, "bob");
        assert_true(model_sms_text(model, 1, number, "oui"));
        assert_int_equal(heard(model, "bob", SMS_YOURS), 2);
        model_free(model);
}

/* Who declines meanwhile is passed over at once. */
static void test_declined(void **state)
{
        struct model *model = region(1);
        struct alert alert = model_alert_default(model, 1);
        uint8_t id[ALERT_ID_SIZE];

        model_alert_id(1, 1, id);
        model_store(model, false);
        model_press(model, model_login(model, 0, 1), 1, &alert);
        model_pass(model, CORE_KEPT_MS);
        assert_true(text(model, "bob", "non"));
        model_pass(model, 100);
        model_pass(model, 100);
        assert_int_equal(asked_by_sms(model, "dora"), 1);
        model_store(model, true);
        assert_int_equal(heard(model, "bob", SMS_PASSED_ON), 1);
        assert_int_equal(model_record(model, id).asked[1].flags & ASKED_DECLINED, ASKED_DECLINED);
        assert_int_equal(model_record(model, id).asked_count, 4);
        assert_int_equal(asked_by_sms(model, "dora"), 1);
        model_free(model);
}

/* Who comes with a session while the store is away is rung. */
static void test_a_session_comes(void **state)
{
        struct model *model = region(1);
        struct alert alert = model_alert_default(model, 1);
        uint64_t anna;

        model_store(model, false);
        model_press(model, model_login(model, 0, 1), 1, &alert);
        model_pass(model, CORE_KEPT_MS);
        anna = model_login(model, 0, 11);
        assert_int_equal(model_session(model, anna)->ring_count, 1);
        assert_int_equal(model_session(model, anna)->ring, RING_RING);
        model_free(model);
}

/* The gateway says nothing, or no: again, and the record knows. */
static void test_reports_meanwhile(void **state)
{
        struct model *model = region(1);
        struct alert alert = model_alert_default(model, 1);
        uint8_t id[ALERT_ID_SIZE];

        model_alert_id(1, 1, id);
        model->gateway = SMS_NONE;
        model_store(model, false);
        model_press(model, model_login(model, 0, 1), 1, &alert);
        model_pass(model, CORE_KEPT_MS);
        assert_int_equal(asked_by_sms(model, "bob"), 1);
        model_pass(model, LADDER_SMS_MS + 100);
        assert_int_equal(asked_by_sms(model, "bob"), 2);
        model->gateway = SMS_FAILED;
        model_pass(model, LADDER_SMS_MS + 100);
        assert_int_equal(asked_by_sms(model, "bob"), 3);
        model_store(model, true);
        assert_int_equal(model_record(model, id).asked[1].sms_state, SMS_FAILED);
        assert_non_null(model_notice(model, "tech:a:sms_failed"));
        model_free(model);
}

/* One dispatcher without the store, another with it: what the one asked is in what the other raised. */
static void test_two_dispatchers(void **state)
{
        struct model *model = region(2);
        uint64_t carrier = model_login(model, 0, 1), anna = model_login(model, 0, 11), other;
        struct alert alert = model_alert_default(model, 1);
        struct core_event store = { .kind = CORE_STORE };
        uint8_t id[ALERT_ID_SIZE];
        struct record record;

        model_alert_id(1, 1, id);
        model_event(model, 0, &store);
        model_press(model, carrier, 1, &alert);
        model_pass(model, 8000); /* dora is asked too, by now */
        assert_int_equal(asked_by_sms(model, "dora"), 1);
        other = model_login(model, 1, 1);
        model_press(model, other, 1, &alert);
        assert_int_equal(model_record(model, id).asked_count, 3);
        store.u.state.up = true;
        model_event(model, 0, &store);
        model_pump(model);
        record = model_record(model, id);
        assert_int_equal(record.asked_count, 4);
        assert_int_equal(record.asked[3].sms_state, SMS_HANDED);
        assert_int_equal(asked_by_sms(model, "dora"), 1);
        assert_int_equal(model_session(model, anna)->rung.version, record.version);
        assert_int_equal(model_open(model), 1);
        assert_int_equal(core_counters(model->dispatchers[0].core)->waiting, 0);
        model_free(model);
}

/* It was closed long ago: whoever was rung meanwhile hears it. */
static void test_closed_before(void **state)
{
        struct model *model = region(1);
        uint64_t carrier = model_login(model, 0, 1), anna = model_login(model, 0, 11);
        struct alert alert = model_alert_default(model, 1);

        model_store(model, false);
        model_press(model, carrier, 1, &alert);
        model_pass(model, CORE_KEPT_MS);
        assert_int_equal(model_session(model, anna)->ring_count, 1);
        model_alert_id(1, 1, model->tombstones[0].id);
        model->tombstones[0].tombstone = (struct tombstone){ .version = 9, .state = CLOSE_HELPED, .closed_at_ms = 5 };
        model->tombstone_count = 1;
        model_store(model, true);
        assert_int_equal(model_session(model, anna)->ring, RING_SHOW);
        assert_int_equal(model_session(model, anna)->rung.state, ALERT_CLOSED);
        assert_int_equal(model_session(model, carrier)->receipt.state, RECEIPT_CLOSED_HELPED);
        assert_int_equal(model_open(model), 0);
        model_free(model);
}

/* Closed, and the PIN comes when the store is away: it waits, and rings nobody; then the duress rings in the control room. */
static void test_late_pin_rings_nobody(void **state)
{
        for (int another = 0; another < 2; another++) {
                struct model *model = region(1);
                uint64_t carrier = model_login(model, 0, 1), anna = model_login(model, 0, 11);
                struct alert alert = model_alert_default(model, 1), next = model_alert_default(model, 2);
                uint8_t id[ALERT_ID_SIZE];
                struct command close;
                size_t rings, sent;

                model_alert_id(1, 1, id);
                model_press(model, carrier, 1, &alert);
                close = model_command(COMMAND_CLOSE, id);
                assert_int_equal(model_order(model, 0, "control", &close), -1);
                if (another == 1)
                        model_press(model, carrier, 1, &next); /* an open one beside it */
                model_store(model, false);
                rings = model_session(model, anna)->ring_count;
                sent = model->sms_sent;
                alert.revision++;
                alert.marks = ALERT_DURESS;
                model_press(model, carrier, 1, &alert);
                model_pass(model, 4900);
                assert_int_equal(model_session(model, anna)->ring_count, rings);
                if (another == 0)
                        assert_int_equal(model->sms_sent, sent);
                model_store(model, true);
                assert_int_equal(model_open(model), another);
                assert_int_equal(model_session(model, carrier)->receipt.state, RECEIPT_CLOSED_HELPED);
                assert_int_equal(core_counters(model->dispatchers[0].core)->open_alerts, another);
                assert_true(model->notice_actions > 0);
                model_free(model);
        }
}

/* A failover lost the closure, and the store goes away again before it is closed once more: nobody is called for what is over. */
static void test_lost_closure_calls_nobody(void **state)
{
        struct model *model = region(1);
        uint64_t carrier = model_login(model, 0, 1);
        struct alert alert = model_alert_default(model, 1);
        uint8_t id[ALERT_ID_SIZE];
        struct command close;
        size_t sent;
        int raised;

        model_alert_id(1, 1, id);
        model_press(model, carrier, 1, &alert);
        raised = (int)model->feed_count - 1;
        close = model_command(COMMAND_CLOSE, id);
        assert_int_equal(model_order(model, 0, "control", &close), -1);
        model_store(model, false);
        alert.revision++;
        alert.marks = ALERT_MISTAKE;
        model_press(model, carrier, 1, &alert);
        model_lose(model, id, raised);
        model->hold_commits = true;
        model_store(model, true);
        model_store(model, false);
        sent = model->sms_sent;
        model_pass(model, 120000);
        assert_int_equal(model->sms_sent, sent);
        model->hold_commits = false;
        model_release(model);
        model_store(model, true);
        assert_int_equal(model_open(model), 0);
        model_free(model);
}

/* More presses at once than a step can tell: all are kept, all ring, none is lost. */
static void test_many_at_once(void **state)
{
        enum { MANY = 900 };
        struct model *model = region(1);
        static uint64_t sessions[MANY];

        for (unsigned i = 0; i < MANY; i++) {
                model_enrol(model, 100 + i, HANDSET_CARRIER, "");
                sessions[i] = model_login(model, 0, 100 + i);
        }
        model_store(model, false);
        for (unsigned i = 0; i < MANY; i++) {
                struct alert alert = model_alert_default(model, 1);

                model_press(model, sessions[i], 100 + i, &alert);
        }
        model_pass(model, CORE_KEPT_MS);
        for (unsigned i = 0; i < MANY; i++)
                assert_int_equal(model_session(model, sessions[i])->receipt.state, RECEIPT_KEPT);
        assert_int_equal(core_counters(model->dispatchers[0].core)->meanwhile, MANY);
        assert_int_equal(model_said(model, SMS_CONTROL, NULL), MANY);
        model_store(model, true);
        assert_int_equal(model_open(model), MANY);
        model_free(model);
}

/* One more than may ring meanwhile: kept, and it rings when the store has it. */
static void test_bound(void **state)
{
        struct model *model = region(1);
        uint64_t session = model_connect(model, 0, 1, CERTIFICATE_UNKNOWN); /* brings them all */
        struct alert alert = model_alert_default(model, 1);

        for (unsigned i = 0; i <= CORE_MEANWHILE_MAX; i++)
                model_enrol(model, 100 + i, HANDSET_CARRIER, "");
        model_store(model, false);
        for (unsigned i = 0; i <= CORE_MEANWHILE_MAX; i++)
                model_press(model, session, 100 + i, &alert);
        model_pass(model, CORE_KEPT_MS);
        assert_int_equal(model_session(model, session)->receipt_count, CORE_MEANWHILE_MAX + 1);
        assert_int_equal(model_session(model, session)->receipt.state, RECEIPT_KEPT);
        assert_int_equal(core_counters(model->dispatchers[0].core)->meanwhile, CORE_MEANWHILE_MAX);
        assert_int_equal(core_counters(model->dispatchers[0].core)->meanwhile_refused, 1);
        model_store(model, true);
        assert_int_equal(model_open(model), CORE_MEANWHILE_MAX + 1);
        model_store(model, false);
        model_pass(model, CORE_KEPT_MS); /* there is room again */
        assert_int_equal(core_counters(model->dispatchers[0].core)->meanwhile, 2 * CORE_MEANWHILE_MAX);
        model_free(model);
}

/* A drill is not the control room's emergency; without a gateway nothing is asked for. */
static void test_no_sms(void **state)
{
        struct model *model = region(1);
        struct alert alert = model_alert_default(model, 1);

        alert.kind = ALERT_DRILL;
        model_store(model, false);
        model_press(model, model_login(model, 0, 1), 1, &alert);
        model_pass(model, CORE_KEPT_MS);
        assert_int_equal(model_said(model, SMS_CONTROL, NULL), 0);
        model_free(model);

        model = region(1);
        model->options.sms = false;
        model_kill(model, 0);
        model_start(model, 0);
        alert.kind = ALERT_PANIC;
        model_store(model, false);
        model_press(model, model_login(model, 0, 1), 1, &alert);
        model_pass(model, 60000);
        model_store(model, true);
        model_pass(model, 60000);
        assert_int_equal(model->sms_sent, 0);
        assert_int_equal(model_open(model), 1);
        model_free(model);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_press_rings),
                cmocka_unit_test(test_a_start_without_the_store),
                cmocka_unit_test(test_a_blip),
                cmocka_unit_test(test_the_ladder_goes_on),
                cmocka_unit_test(test_coming),
                cmocka_unit_test(test_declined),
                cmocka_unit_test(test_a_session_comes),
                cmocka_unit_test(test_reports_meanwhile),
                cmocka_unit_test(test_two_dispatchers),
                cmocka_unit_test(test_closed_before),
                cmocka_unit_test(test_late_pin_rings_nobody),
                cmocka_unit_test(test_lost_closure_calls_nobody),
                cmocka_unit_test(test_many_at_once),
                cmocka_unit_test(test_an_answer_elsewhere),
                cmocka_unit_test(test_no_sms),
                cmocka_unit_test(test_bound),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
