/* SMS that go out: when, to whom, again, by whom, and what became of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "dispatcher/ladder.h"
#include "tests/dispatcher/support/model.h"

/* anna, bob and cleo near, dora further; boss a manager.  Nobody is heard any more when GONE. */
static struct model *region(unsigned dispatchers, bool gone)
{
        static const char *const names[] = { "anna", "bob", "cleo", "dora" };
        struct model *model = model_new(dispatchers, NULL);

        model->options.sms = true;
        model_begin(model);
        model_enrol(model, 1, HANDSET_CARRIER, "carl");
        model_enrol(model, 11, HANDSET_SUPERVISOR, "anna");
        model_put_supervisor(model, "boss", "", true);
        for (size_t i = 0; i < 4; i++) {
                model_put_supervisor(model, names[i], "", false);
                model_on_duty(model, names[i], 45.751 + 0.001 * (double)i, 4.85);
        }
        if (gone)
                model_pass(model, 40000);
        return model;
}

static void press(struct model *model, uint8_t id[ALERT_ID_SIZE])
{
        struct alert alert = model_alert_default(model, 1);

        model_alert_id(1, 1, id);
        model_press(model, model_login(model, 0, 1), 1, &alert);
}

static size_t said(const struct model *model, const char *person, uint8_t kind)
{
        char number[NUMBER_MAX + 1];

        model_person_number(model, person, number);
        return model_said(model, kind, number);
}

static void text(struct model *model, const char *person, const char *what)
{
        char number[NUMBER_MAX + 1];

        model_person_number(model, person, number);
        assert_true(model_sms_text(model, 0, number, what));
}

static void order(struct model *model, const char *login, uint8_t verb, const uint8_t id[ALERT_ID_SIZE])
{
        struct command command = model_command(verb, id);

        assert_int_equal(model_order(model, 0, login, &command), -1);
}

/* Who is reachable has 5 s to see it; who is not gets it at once. */
static void test_when(void **state)
{
        for (int gone = 0; gone < 2; gone++) {
                struct model *model = region(1, gone == 1);
                uint8_t id[ALERT_ID_SIZE];
                struct record record;

                press(model, id);
                order(model, "anna", COMMAND_SEEN, id);
                assert_int_equal(model_said(model, SMS_ALERT, NULL), gone == 1 ? 3 : 0);
                model_pass(model, 4900);
                assert_int_equal(model_said(model, SMS_ALERT, NULL), gone == 1 ? 3 : 0);
                model_pass(model, 100);
                record = model_record(model, id);
                assert_int_equal(said(model, "anna", SMS_ALERT), gone);
                assert_int_equal(said(model, "bob", SMS_ALERT), 1); /* once */
                assert_int_equal(said(model, "cleo", SMS_ALERT), 1);
                assert_int_equal(record.asked_count, 4); /* dora for bob, and nobody for cleo */
                assert_int_equal(record.asked[1].sms_state, SMS_HANDED);
                assert_int_equal(record.asked[1].flags & ASKED_SMS_DUE, ASKED_SMS_DUE);
                assert_int_equal(said(model, "dora", SMS_ALERT), gone);
                model_free(model);
        }
}

/* Who was asked by SMS and never answered is told when somebody else has it, once; not who has seen it, declined, or has it. */
static void test_not_in_vain(void **state)
{
        struct model *model = region(1, true);
        uint8_t id[ALERT_ID_SIZE];

        press(model, id);
        model_pass(model, 5000); /* nobody has seen it: dora is asked too */
        order(model, "anna", COMMAND_SEEN, id);
        text(model, "bob", "non");
        assert_int_equal(said(model, "dora", SMS_ALERT), 1);
        assert_int_equal(model_said(model, SMS_TAKEN_BY, NULL), 0);
        order(model, "anna", COMMAND_TAKE, id);
        assert_int_equal(said(model, "cleo", SMS_TAKEN_BY), 1);
        assert_string_equal(model_last_said(model, SMS_TAKEN_BY, NULL)->say.who, "Anna");
        assert_int_equal(said(model, "dora", SMS_TAKEN_BY), 1);
        assert_int_equal(said(model, "bob", SMS_TAKEN_BY), 0);
        assert_int_equal(said(model, "anna", SMS_TAKEN_BY), 0);
        order(model, "anna", COMMAND_EN_ROUTE, id);
        order(model, "anna", COMMAND_CLOSE, id);
        assert_int_equal(model_said(model, SMS_TAKEN_BY, NULL), 2);
        assert_int_equal(model_said(model, SMS_CLOSED, NULL), 0); /* they know that it is not theirs */
        model_free(model);
}

/* Closed before anybody had it: they are told that; one whose SMS may still be on its way too. */
static void test_closed_in_vain(void **state)
{
        for (int reported = 0; reported < 2; reported++) {
                struct model *model = region(1, true);
                uint8_t id[ALERT_ID_SIZE];

                model->gateway = reported == 1 ? SMS_HANDED : SMS_NONE;
                press(model, id);
                order(model, "anna", COMMAND_SEEN, id);
                order(model, "control", COMMAND_CLOSE, id);
                assert_int_equal(said(model, "bob", SMS_CLOSED), 1);
                assert_int_equal(said(model, "cleo", SMS_CLOSED), 1);
                assert_int_equal(model_said(model, SMS_CLOSED, NULL), 2);
                model_free(model);
        }
}

/* Given back, asked again and taken again: told again. */
static void test_asked_again_told_again(void **state)
{
        struct model *model = region(1, true);
        uint8_t id[ALERT_ID_SIZE];

        press(model, id);
        order(model, "anna", COMMAND_TAKE, id);
        assert_int_equal(said(model, "cleo", SMS_TAKEN_BY), 1);
        order(model, "anna", COMMAND_RELEASE, id);
        order(model, "bob", COMMAND_TAKE, id);
        assert_int_equal(said(model, "cleo", SMS_TAKEN_BY), 1); /* nothing was asked since */
        order(model, "bob", COMMAND_RELEASE, id);
        model_pass(model, 2 * LADDER_SMS_AGAIN_MS);
        assert_true(said(model, "cleo", SMS_ALERT) > 1);
        order(model, "anna", COMMAND_TAKE, id);
        assert_int_equal(said(model, "cleo", SMS_TAKEN_BY), 2);
        model_free(model);
}

/* The store is away here, and people are asked by SMS; elsewhere it was raised, and is closed: whom this one asked is told. */
static void test_closed_where_we_did_not_see_it(void **state)
{
        struct model *model = region(2, true);
        uint64_t here = model_login(model, 0, 1), there = model_login(model, 1, 1);
        struct alert alert = model_alert_default(model, 1);
        uint8_t id[ALERT_ID_SIZE];
        struct command close;

        model_alert_id(1, 1, id);
        close = model_command(COMMAND_CLOSE, id);
        model_store_of(model, 0, false);
        model_press(model, here, 1, &alert);
        model_pass(model, CORE_KEPT_MS + 100);
        assert_int_equal(said(model, "cleo", SMS_ALERT), 1);
        model_press(model, there, 1, &alert);
        assert_int_equal(said(model, "cleo", SMS_ALERT), 2);
        assert_int_equal(model_order(model, 1, "control", &close), -1);
        assert_int_equal(said(model, "cleo", SMS_CLOSED), 1);
        model_store_of(model, 0, true);
        assert_int_equal(said(model, "cleo", SMS_CLOSED), 2); /* the one who asked by itself knows of no other */
        model_free(model);
}

/* The gateway says nothing: again after ten seconds, by whichever dispatcher finds it so; never when nobody needs it any more. */
static void test_again(void **state)
{
        static const struct {
                bool dies, taken;
                size_t again;
        } cases[] = { { false, false, 1 }, { true, false, 1 }, { false, true, 0 } };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct model *model = region(2, true);
                uint8_t id[ALERT_ID_SIZE];
                struct record record;
                size_t before;

                model->gateway = SMS_NONE;
                press(model, id);
                record = model_record(model, id);
                assert_int_equal(record.asked[0].sms_state, SMS_DUE);
                assert_int_equal(record.asked[0].sms_at_ms, record.raised_at_ms);
                before = said(model, "cleo", SMS_ALERT);
                assert_int_equal(before, 1);
                if (cases[i].taken)
                        order(model, "control", COMMAND_TAKE, id);
                if (cases[i].dies)
                        model_kill(model, 0);
                model_pass(model, LADDER_SMS_MS - 100);
                assert_int_equal(said(model, "cleo", SMS_ALERT) - before, 0);
                model_pass(model, 100 + CORE_RANK_MS);
                assert_int_equal(said(model, "cleo", SMS_ALERT) - before, cases[i].again);
                record = model_record(model, id);
                assert_int_equal(record.asked[2].sms_state, cases[i].taken ? SMS_NONE : SMS_DUE);
                model->gateway = SMS_HANDED;
                model_pass(model, LADDER_SMS_MS + CORE_RANK_MS);
                record = model_record(model, id);
                assert_int_equal(record.asked[2].sms_state, cases[i].taken ? SMS_NONE : SMS_HANDED);
                before = said(model, "cleo", SMS_ALERT);
                model_pass(model, 2 * LADDER_SMS_MS);
                assert_int_equal(said(model, "cleo", SMS_ALERT), before);
                model_free(model);
        }
}

/* Committed, and the dispatcher dies before a word: another one says it. */
static void test_death_after_the_commit(void **state)
{
        for (size_t at = 1; at < 12; at++) {
                struct model *model = region(2, true);
                struct alert alert = model_alert_default(model, 1);
                uint64_t session = model_login(model, 0, 1);
                uint8_t id[ALERT_ID_SIZE];

                model_alert_id(1, 1, id);
                model->actions = 0;
                model->kill_at = at;
                model_press(model, session, 1, &alert);
                if (model->dispatchers[0].core == NULL)
                        model_start(model, 0);
                model->kill_at = 0;
                model_pass(model, LADDER_SMS_MS + 2 * CORE_RANK_MS);
                if (model_open(model) == 1) { /* it was in the journal */
                        assert_true(said(model, "anna", SMS_ALERT) >= 1);
                        assert_true(said(model, "bob", SMS_ALERT) >= 1);
                        assert_true(said(model, "cleo", SMS_ALERT) >= 1);
                        assert_int_equal(model_record(model, id).asked[2].sms_state, SMS_HANDED);
                }
                model_free(model);
        }
}

/* It failed: the next one is asked at once where there was no other way, a notice tells, and the next step tries again. */
static void test_failed(void **state)
{
        struct model *model = region(1, true);
        uint8_t id[ALERT_ID_SIZE];
        struct record record;

        model->gateway = SMS_FAILED;
        press(model, id);
        record = model_record(model, id);
        assert_int_equal(record.asked[0].sms_state, SMS_FAILED);
        assert_int_equal(record.asked_count, 4);
        assert_int_equal(record.version < 10, 1);
        assert_true(model_notice(model, "tech:a:sms_failed")->count >= 1);
        assert_int_equal(model_notice(model, "tech:a:sms_failed")->kind, NOTICE_TECHNICAL);
        model->gateway = SMS_HANDED;
        model_pass(model, 30000);
        record = model_record(model, id);
        assert_int_equal(record.step, 1);
        assert_int_equal(record.asked[0].sms_state, SMS_HANDED);
        assert_int_equal(said(model, "anna", SMS_ALERT), 2);
        model->now_ms += 700000;
        model_scan(model);
        assert_null(model_notice(model, "tech:a:sms_failed"));
        model_free(model);
}

/* What a report may change: later news, never earlier; of nobody known, or of nothing owed, nothing. */
static void test_reports(void **state)
{
        static const struct {
                uint8_t first, then, is;
        } cases[] = {
                { SMS_HANDED, SMS_DELIVERED, SMS_DELIVERED }, { SMS_DELIVERED, SMS_HANDED, SMS_DELIVERED },
                { SMS_HANDED, SMS_FAILED, SMS_FAILED },       { SMS_FAILED, SMS_HANDED, SMS_FAILED },
                { SMS_FAILED, SMS_DELIVERED, SMS_DELIVERED }, { SMS_DELIVERED, SMS_FAILED, SMS_DELIVERED },
                { SMS_HANDED, SMS_HANDED, SMS_HANDED },       { SMS_HANDED, 99, SMS_HANDED },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct model *model = region(2, true);
                struct sms_ref about = { .person = "bob", .what = SMS_TO_ASKED }, nobody = about;
                uint8_t id[ALERT_ID_SIZE];
                uint32_t version;

                model->gateway = SMS_NONE;
                press(model, id);
                memcpy(about.alert, id, ALERT_ID_SIZE);
                memcpy(nobody.alert, id, ALERT_ID_SIZE);
                memcpy(nobody.person, "nobody", 7);
                model_sms_report(model, 1, &about, cases[i].first); /* to whichever the gateway tells */
                model_pump(model);
                model_sms_report(model, 0, &about, cases[i].then);
                model_pump(model);
                assert_int_equal(model_record(model, id).asked[1].sms_state, cases[i].is);
                version = model_record(model, id).version;
                model_sms_report(model, 0, &nobody, SMS_DELIVERED);
                memset(about.alert, 1, ALERT_ID_SIZE);
                model_sms_report(model, 0, &about, SMS_DELIVERED);
                model_pump(model);
                assert_int_equal(model_record(model, id).version, version);
                model_free(model);
        }
}

/* What became of SMS is nobody's alarm: no phone hears of it. */
static void test_reports_are_quiet(void **state)
{
        struct model *model = region(1, true);
        uint64_t anna = model_login(model, 0, 11);
        uint8_t id[ALERT_ID_SIZE];
        size_t rings, receipts;

        model->gateway = SMS_NONE;
        press(model, id);
        rings = model_session(model, anna)->ring_count;
        receipts = model_session(model, model->session_count)->receipt_count;
        for (size_t i = 0; i < 3; i++)
                model_sms_report(model, 0, &model->sms[i].about, SMS_HANDED);
        model_pump(model);
        assert_int_equal(model_record(model, id).asked[2].sms_state, SMS_HANDED);
        assert_int_equal(model_session(model, anna)->ring_count, rings);
        assert_int_equal(model_session(model, model->session_count)->receipt_count, receipts);
        model_free(model);
}

/* More reports on one alert than are kept, while the store is slow: what is owed goes out again, and nothing breaks. */
static void test_reports_bound(void **state)
{
        struct model *model = region(1, true);
        struct sms_ref about = { .person = "bob", .what = SMS_TO_ASKED };
        uint8_t id[ALERT_ID_SIZE];

        model->gateway = SMS_NONE;
        press(model, id);
        memcpy(about.alert, id, ALERT_ID_SIZE);
        model_store(model, false);
        for (int i = 0; i < 2 * RECORD_ASKED_MAX; i++)
                model_sms_report(model, 0, &about, SMS_HANDED);
        memcpy(about.person, "cleo", 5);
        model_sms_report(model, 0, &about, SMS_HANDED); /* one more */
        model_pump(model);
        model_store(model, true);
        assert_int_equal(model_record(model, id).asked[1].sms_state, SMS_HANDED);
        assert_int_equal(model_record(model, id).asked[2].sms_state, SMS_DUE);
        model->gateway = SMS_HANDED;
        model_pass(model, LADDER_SMS_MS);
        assert_int_equal(model_record(model, id).asked[2].sms_state, SMS_HANDED);
        model_free(model);
}

/* Who took it by SMS has no presence: not unheard after 2 minutes.  After 5 without progress it rings again, and they are asked by
 * SMS; a yes is news. */
static void test_owner_by_sms(void **state)
{
        struct model *model = region(1, true);
        uint8_t id[ALERT_ID_SIZE];
        struct record record;

        press(model, id);
        text(model, "bob", "oui");
        model_pass(model, LADDER_TAKEN_MS - 100);
        record = model_record(model, id);
        assert_string_equal(record.owner_id, "bob");
        assert_int_equal(record.marks & RECORD_NO_NEWS, 0);
        model_pass(model, 100);
        record = model_record(model, id);
        assert_int_equal(record.marks & RECORD_NO_NEWS, RECORD_NO_NEWS);
        assert_int_equal(said(model, "bob", SMS_NO_NEWS), 1);
        model_pass(model, 60000);
        assert_int_equal(said(model, "bob", SMS_NO_NEWS), 1); /* not each minute */
        text(model, "bob", "oui");
        record = model_record(model, id);
        assert_int_equal(record.marks & RECORD_NO_NEWS, 0);
        assert_int_equal(said(model, "bob", SMS_YOURS), 2);
        model_pass(model, LADDER_TAKEN_MS);
        assert_int_equal(said(model, "bob", SMS_NO_NEWS), 2);
        text(model, "cleo", "oui"); /* anybody may, now; and bob hears it */
        assert_string_equal(model_record(model, id).owner_id, "cleo");
        assert_int_equal(said(model, "bob", SMS_TAKEN_BY), 1);
        assert_string_equal(model_last_said(model, SMS_TAKEN_BY, NULL)->say.who, "Cleo");
        order(model, "cleo", COMMAND_EN_ROUTE, id); /* by a console: from then on its presence counts */
        assert_int_equal(model_record(model, id).owner_path, BY_CONSOLE);
        model_pass(model, LADDER_UNHEARD_MS);
        assert_int_equal(model_record(model, id).marks & RECORD_NO_NEWS, RECORD_NO_NEWS);
        model_free(model);
}

/* Nobody takes it: at the ladder's top each gets another SMS every five minutes, not each minute. */
static void test_exhausted(void **state)
{
        struct model *model = region(1, true);
        uint8_t id[ALERT_ID_SIZE];

        press(model, id);
        text(model, "anna", "non");
        model_pass(model, 120000);
        assert_int_equal(said(model, "boss", SMS_ALERT), 1);
        model_pass(model, 240000);
        assert_int_equal(model_record(model, id).marks & RECORD_EXHAUSTED, RECORD_EXHAUSTED);
        assert_in_range(said(model, "bob", SMS_ALERT), 2, 2);
        assert_int_equal(said(model, "anna", SMS_ALERT), 1); /* who declined has said so */
        model_pass(model, 300000);
        assert_int_equal(said(model, "bob", SMS_ALERT), 3);
        model_free(model);
}

/* The receipt of a handset that has nothing else: owed until it is handed over; data ends that. */
static void test_owed_receipt(void **state)
{
        struct model *model = region(2, true);
        struct alert alert = model_alert_default(model, 1);
        char number[NUMBER_MAX + 1];
        uint8_t id[ALERT_ID_SIZE];

        model_alert_id(1, 1, id);
        model_number(1, number);
        model->gateway = SMS_NONE;
        assert_true(model_sms_press(model, 0, number, 1, &alert));
        assert_int_equal(model_sms_receipts(model, number), 1);
        assert_int_equal(model_record(model, id).told_sms_state, SMS_DUE);
        model_kill(model, 0);
        model_pass(model, LADDER_SMS_MS + CORE_RANK_MS);
        assert_int_equal(model_sms_receipts(model, number), 2);
        model->gateway = SMS_HANDED;
        model_pass(model, LADDER_SMS_MS + CORE_RANK_MS);
        assert_int_equal(model_sms_receipts(model, number), 3);
        assert_int_equal(model_record(model, id).told_sms_state, SMS_HANDED);
        model_pass(model, 2 * LADDER_SMS_MS);
        assert_int_equal(model_sms_receipts(model, number), 3);
        model_free(model);
}

/* A drill: whom it names, by SMS where there is nothing else. */
static void test_drill(void **state)
{
        static const char *const named[] = { "dora" };
        struct model *model = model_new(1, NULL);
        struct alert alert = model_alert_default(model, 1);

        model->options.sms = true;
        model->options.drill_people = named;
        model->options.drill_people_count = 1;
        model_begin(model);
        model_enrol(model, 1, HANDSET_CARRIER, "carl");
        model_put_supervisor(model, "dora", "", false);
        model_put_supervisor(model, "anna", "", false);
        model_on_duty(model, "anna", 45.75, 4.85);
        alert.kind = ALERT_DRILL;
        model_press(model, model_login(model, 0, 1), 1, &alert);
        model_pass(model, 10000);
        assert_int_equal(said(model, "dora", SMS_ALERT), 1);
        assert_int_equal(model_last_said(model, SMS_ALERT, NULL)->say.marks & RECORD_DRILL, RECORD_DRILL);
        assert_int_equal(model_said(model, SMS_ALERT, NULL), 1);
        model_free(model);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_when),
                cmocka_unit_test(test_not_in_vain),
                cmocka_unit_test(test_closed_in_vain),
                cmocka_unit_test(test_asked_again_told_again),
                cmocka_unit_test(test_closed_where_we_did_not_see_it),
                cmocka_unit_test(test_again),
                cmocka_unit_test(test_death_after_the_commit),
                cmocka_unit_test(test_failed),
                cmocka_unit_test(test_reports),
                cmocka_unit_test(test_reports_are_quiet),
                cmocka_unit_test(test_reports_bound),
                cmocka_unit_test(test_owner_by_sms),
                cmocka_unit_test(test_exhausted),
                cmocka_unit_test(test_owed_receipt),
                cmocka_unit_test(test_drill),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
