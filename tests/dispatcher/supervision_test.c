/* Silence: asked, then rung, in groups; what is no silence; what is a mass of it.  And notices. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/dispatcher/support/model.h"

static const char zones[] =
        "{\"type\":\"FeatureCollection\",\"features\":["
        "{\"type\":\"Feature\",\"properties\":{\"id\":\"west\",\"name\":\"West\"},\"geometry\":"
        "{\"type\":\"Polygon\",\"coordinates\":[[[4.8,45.7],[4.9,45.7],[4.9,45.8],[4.8,45.8],[4.8,45.7]]]}},"
        "{\"type\":\"Feature\",\"properties\":{\"id\":\"deep\",\"name\":\"Deep\",\"no_coverage\":true},\"geometry\":"
        "{\"type\":\"Polygon\",\"coordinates\":[[[5.8,45.7],[5.9,45.7],[5.9,45.8],[5.8,45.8],[5.8,45.7]]]}}]}";

/* Handsets 1 to 3 on duty in the west (c1, c2, c3), 4 in the deep valley (c4); since an hour, for eight. */
static struct model *region(unsigned dispatchers)
{
        struct model *model = model_new(dispatchers, zones);
        char id[8] = "c1";

        model->options.sms = true;
        model_begin(model);
        model_put_round(model, "rw", "west");
        model_put_round(model, "rd", "deep");
        for (unsigned i = 1; i <= 4; i++) {
                struct frame frame = { .type = FRAME_DUTY, .u.duty = { .request = 9, .on = true } };
                uint64_t session;

                id[1] = (char)('0' + i);
                model_put_carrier(model, id);
                model_enrol(model, i, HANDSET_CARRIER, "");
                session = model_login(model, 0, i);
                record_set_text(frame.u.duty.person, sizeof(frame.u.duty.person), id);
                record_set_text(frame.u.duty.round, sizeof(frame.u.duty.round), i == 4 ? "rd" : "rw");
                frame.u.duty.until_s = (uint32_t)(model->now_ms / 1000 + 8 * 3600);
                model_send(model, session, &frame);
        }
        return model;
}

static void beat(struct model *model, uint64_t session)
{
        struct frame frame = { .type = FRAME_HEARTBEAT, .u.heartbeat.battery = 50 };

        model_send(model, session, &frame);
}

static void later(struct model *model, int64_t ms)
{
        model->now_ms += ms;
        model_scan(model);
}

static void test_asked_then_rung(void **state)
{
        struct model *model = region(1);
        const struct notice *notice;

        later(model, CORE_OVERDUE_MS - 1000);
        for (uint64_t session = 2; session <= 4; session++)
                beat(model, session);
        assert_int_equal(model_said(model, SMS_OVERDUE, NULL), 0);
        later(model, 1000);
        assert_int_equal(model_said(model, SMS_OVERDUE, NULL), 1);
        assert_int_equal(model_session(model, 1)->frame.type, FRAME_QUESTION);
        assert_null(model_notice(model, "overdue:west"));
        later(model, CORE_QUESTION_MS - 1);
        assert_null(model_notice(model, "overdue:west"));
        assert_int_equal(model_said(model, SMS_OVERDUE, NULL), 1); /* asked once */
        later(model, 1);
        notice = model_notice(model, "overdue:west");
        assert_non_null(notice);
        assert_true(notice->rings);
        assert_int_equal(notice->count, 1);
        assert_string_equal(notice->zone_name, "West");
        assert_string_equal(notice->cause, "silent");
        assert_string_equal(notice->names[0].carrier_name, "c1");
        assert_string_equal(notice->names[0].number, "+33622222222");
        assert_string_equal(notice->names[0].round, "rw");
        assert_int_equal(notice->since_ms, model->now_ms);
        assert_int_equal(core_counters(model->dispatchers[0].core)->overdue, 1);
        beat(model, 1); /* here again */
        later(model, 1000);
        assert_null(model_notice(model, "overdue:west"));
        assert_int_equal(core_counters(model->dispatchers[0].core)->overdue, 0);
        later(model, CORE_OVERDUE_MS); /* another silence: asked again; and the others too, by now */
        assert_int_equal(model_said(model, SMS_OVERDUE, NULL), 4);
        model_free(model);
}

/* Times that the region wants otherwise. */
static void test_times_are_options(void **state)
{
        struct model *model = region(1);

        model_kill(model, 0);
        model->options.overdue_ms = 20000;
        model->options.overdue_no_coverage_ms = 40000;
        model->options.question_ms = 5000;
        model_start(model, 0);
        later(model, 19999);
        assert_int_equal(core_counters(model->dispatchers[0].core)->overdue, 0);
        later(model, 1);
        assert_int_equal(core_counters(model->dispatchers[0].core)->overdue, 3);
        later(model, 4999);
        assert_null(model_notice(model, "overdue:west"));
        later(model, 1);
        assert_int_equal(model_notice(model, "overdue:west")->count, 3);
        later(model, 19999);
        assert_null(model_notice(model, "overdue:deep"));
        later(model, 1);
        assert_int_equal(model_notice(model, "overdue:deep")->count, 1);
        model_free(model);
}

static void test_safe_is_an_answer(void **state)
{
        struct model *model = region(1);
        struct frame safe = { .type = FRAME_SAFE };

        later(model, CORE_OVERDUE_MS);
        assert_int_equal(model_session(model, 1)->frame.type, FRAME_QUESTION);
        for (uint64_t session = 1; session <= 3; session++) {
                safe.u.request.request = model_session(model, session)->frame.u.request.request;
                model_send(model, session, &safe);
        }
        later(model, CORE_QUESTION_MS);
        assert_null(model_notice(model, "overdue:west"));
        model_free(model);
}

/* Grouped by the round's zone; where there is no coverage, later, and said so. */
static void test_groups(void **state)
{
        struct model *model = region(1);
        const struct notice *notice;

        later(model, CORE_OVERDUE_MS + CORE_QUESTION_MS);
        notice = model_notice(model, "overdue:west");
        assert_int_equal(notice->count, 3);
        assert_int_equal(notice->name_count, 3);
        assert_null(model_notice(model, "overdue:deep"));
        assert_int_equal(model_said(model, SMS_OVERDUE, NULL), 3);
        later(model, CORE_OVERDUE_NO_COVERAGE_MS - CORE_OVERDUE_MS - 1);
        assert_null(model_notice(model, "overdue:deep"));
        later(model, 1);
        notice = model_notice(model, "overdue:deep");
        assert_int_equal(notice->count, 1);
        assert_string_equal(notice->cause, "no_coverage");
        model_free(model);
}

/* A carrier with an open alert is never grouped: the alert itself says since when there is silence. */
static void test_open_alert_is_not_grouped(void **state)
{
        struct model *model = region(1);
        struct alert alert = model_alert_default(model, 1);

        model_press(model, 1, 1, &alert);
        later(model, CORE_OVERDUE_MS + CORE_QUESTION_MS);
        assert_int_equal(model_notice(model, "overdue:west")->count, 2);
        model_free(model);
}

/* Acknowledged, it rings no more, until somebody else falls silent. */
static void test_acknowledged(void **state)
{
        struct model *model = region(1);
        struct command ack = model_command(COMMAND_ACK, NULL);
        size_t published;

        strcpy(ack.notice, "overdue:west");
        later(model, 60000);
        beat(model, 3);
        later(model, CORE_OVERDUE_MS + CORE_QUESTION_MS - 60000);
        assert_int_equal(model_notice(model, "overdue:west")->count, 2);
        assert_int_equal(model_order(model, 0, "control", &ack), ANSWER_DONE);
        published = model->notice_actions;
        later(model, 15000); /* nothing new: nothing is said */
        assert_int_equal(model->notice_actions, published);
        beat(model, 1); /* one less: still known */
        later(model, 15000);
        assert_int_equal(model_notice(model, "overdue:west")->count, 1);
        assert_string_equal(model_notice(model, "overdue:west")->acked_by, "control");
        later(model, 30000); /* one more: news */
        assert_int_equal(model_notice(model, "overdue:west")->count, 2);
        assert_string_equal(model_notice(model, "overdue:west")->acked_by, "");
        model_free(model);
}

/* Every dispatcher scans; what the feed has said already is not said again. */
static void test_two_dispatchers(void **state)
{
        struct model *model = region(2);

        later(model, CORE_OVERDUE_MS + CORE_QUESTION_MS);
        assert_int_equal(model_notice(model, "overdue:west")->count, 3);
        later(model, 15000);
        later(model, 15000);
        assert_in_range(model->notice_actions, 1, 2); /* two at once in the same moment, at most */
        model_kill(model, 0);
        model_start(model, 0); /* it knows what stands */
        for (int i = 0; i < 40; i++)
                later(model, 15000);
        assert_in_range(model->notice_actions, 1, 2);
        model_free(model);
}

/* Said to a store that was not there any more; when it is back all have been heard. */
static void test_over_before_it_was_told(void **state)
{
        struct model *model = region(1);

        model->refuses_notices = true;
        later(model, CORE_OVERDUE_MS + CORE_QUESTION_MS);
        assert_true(model->notice_actions > 0);
        for (uint64_t session = 1; session <= 4; session++)
                beat(model, session);
        model_pass(model, 3000); /* it would be told again */
        model_store(model, false);
        model->refuses_notices = false;
        model_store(model, true);
        assert_null(model_notice(model, "overdue:west"));
        model_free(model);
}

/* Handset 1 is heard once more after 20 s, by dispatcher 0 alone: {r}:duty is not told so often. */
static struct model *heard_by_one(void)
{
        struct model *model = region(2);
        struct frame safe = { .type = FRAME_SAFE };

        model->now_ms += 20000;
        model_send(model, 1, &safe);
        assert_int_equal(model->heard_actions, 0);
        model->now_ms += CORE_OVERDUE_MS - 20000 - 1000;
        for (uint64_t session = 2; session <= 4; session++)
                beat(model, session);
        model->now_ms += 1000;
        return model;
}

/* One dispatcher heard a carrier later than the others know: it says so before one of them rings, and no notice comes and goes. */
static void test_one_knows_better(void **state)
{
        struct model *model = heard_by_one();
        int64_t heard_ms = model->now_ms - CORE_OVERDUE_MS + 20000;
        size_t heard = model->heard_actions;

        model_scan_at(model, 1);
        model_scan_at(model, 0);
        assert_int_equal(model->carriers[0].heard_at_ms, heard_ms);
        model->now_ms += CORE_QUESTION_MS;
        model_scan_at(model, 1);
        model_scan_at(model, 0);
        assert_int_equal(model->notice_actions, 0);
        model->now_ms += 20000;
        model_scan_at(model, 1);
        assert_int_equal(model_notice(model, "overdue:west")->names[0].heard_at_ms, heard_ms);
        for (int i = 0; i < 8; i++)
                later(model, CORE_SCAN_MS);
        assert_int_equal(model->notice_actions, 1);
        assert_int_equal(model->heard_actions, heard + 1);
        model_free(model);
}

/* Who asks by SMS notes that in {r}:duty, and takes nothing back there. */
static void test_asking_forgets_nothing(void **state)
{
        struct model *model = heard_by_one();
        int64_t heard_ms = model->now_ms - CORE_OVERDUE_MS + 20000;

        model->now_ms += 20000;
        model_scan_at(model, 0);
        assert_int_equal(model_said(model, SMS_OVERDUE, NULL), 1);
        assert_int_equal(model->carriers[0].heard_at_ms, heard_ms);
        model_free(model);
}

static struct model *crowd(unsigned count)
{
        struct model *model = region(1);

        for (unsigned i = 0; i < count; i++) {
                struct core_found *found = &model->carriers[model->carrier_count++];

                found->on_duty = true;
                found->handset[0] = 0xcc;
                found->handset[7] = (uint8_t)i;
                found->handset[6] = (uint8_t)(i >> 8);
                found->heard_at_ms = model->now_ms;
                found->duty.until_s = (uint32_t)(model->now_ms / 1000 + 8 * 3600);
                snprintf(found->duty.carrier_id, sizeof(found->duty.carrier_id), "m%03u", i);
                strcpy(found->duty.zone_id, "west");
        }
        return model;
}

/* One notice more than are held is not published, and counted; those that stand can end. */
static void test_too_many_notices(void **state)
{
        struct model *model = region(1);
        struct core *core = model->dispatchers[0].core;
        struct notice notice = { .kind = NOTICE_TECHNICAL, .count = 1 };
        char key[32];

        for (int i = 0; i < CORE_NOTICES_MAX; i++) {
                snprintf(key, sizeof(key), "tech:b:%d", i);
                assert_int_equal(core_load_notice(core, key, &notice), 0);
        }
        assert_int_equal(core_load_notice(core, "tech:b:more", &notice), -ENOBUFS);
        model_disk(model, false);
        assert_int_equal(core_counters(core)->notices_refused, 1);
        assert_int_equal(model->notice_actions, 0);
        assert_int_equal(core_load_notice(core, "tech:b:0", NULL), 0);
        model_disk(model, false);
        assert_int_equal(model->notice_actions, 1);
        model_free(model);
}

/* More than a tenth at once: one technical notice, and nobody is asked. */
static void test_mass(void **state)
{
        struct model *model = crowd(100);
        const struct notice *notice;

        later(model, CORE_OVERDUE_MS + CORE_QUESTION_MS);
        notice = model_notice(model, "tech:region:mass_silence");
        assert_non_null(notice);
        assert_int_equal(notice->kind, NOTICE_TECHNICAL);
        assert_string_equal(notice->cause, "mass_silence");
        assert_int_equal(notice->count, 104);
        assert_null(model_notice(model, "overdue:west"));
        assert_int_equal(model_said(model, SMS_OVERDUE, NULL), 0);
        for (size_t i = 0; i < model->carrier_count; i++) /* it was the network */
                model->carriers[i].heard_at_ms = model->now_ms;
        later(model, 1000);
        assert_null(model_notice(model, "tech:region:mass_silence"));
        model_free(model);
}

/* Twenty is no mass, whatever share they are; sixteen of them are named, those silent for longest first. */
static void test_just_no_mass(void **state)
{
        struct model *model = crowd(16);
        const struct notice *notice;

        model->carriers[10].heard_at_ms -= 5000;
        later(model, CORE_OVERDUE_MS + CORE_QUESTION_MS);
        notice = model_notice(model, "overdue:west");
        assert_int_equal(notice->count, 19);
        assert_int_equal(notice->name_count, NOTICE_NAMES_MAX);
        assert_string_equal(notice->names[0].carrier_id, model->carriers[10].duty.carrier_id);
        for (size_t i = 2; i < NOTICE_NAMES_MAX; i++)
                assert_true(strcmp(notice->names[i - 1].carrier_id, notice->names[i].carrier_id) < 0);
        model_free(model);
}

/* The positions' Redis was away for an hour: three minutes to be heard again before anybody is asked, five before it rings. */
static void test_after_we_were_deaf(void **state)
{
        struct model *model = region(1);

        model_positions(model, false);
        later(model, 3600000);
        assert_int_equal(model->notice_actions, 0);
        model_positions(model, true);
        later(model, 179000);
        assert_int_equal(model_said(model, SMS_OVERDUE, NULL), 0);
        beat(model, 1);
        later(model, 1000);
        assert_int_equal(model_said(model, SMS_OVERDUE, NULL), 3);
        later(model, CORE_QUESTION_MS - 1);
        assert_int_equal(model->notice_actions, 0);
        later(model, 1);
        assert_int_equal(model_notice(model, "overdue:west")->count, 2);
        model_free(model);
}

/* The same while the store is away, and nothing else is to be done: those asked are asked. */
static void test_asked_while_the_store_is_away(void **state)
{
        struct model *model = region(1);

        model_positions(model, false);
        later(model, 3600000);
        model_positions(model, true);
        model_store(model, false);
        later(model, 180000);
        assert_int_equal(model_said(model, SMS_OVERDUE, NULL), 4);
        later(model, 1000);
        model_store(model, true);
        model_free(model);
}

/* Silent after the end of a duty: that duty has ended by itself.  Silent before it: still missed, for twelve hours. */
static void test_end_of_duty(void **state)
{
        struct model *model = region(1);

        later(model, 8 * 3600000);
        for (uint64_t session = 1; session <= 3; session++)
                beat(model, session);
        later(model, 1800000 + 1);
        for (size_t i = 0; i < 3; i++)
                assert_true(model->carriers[i].on_duty); /* overdue by now, before it would have ended */
        assert_int_equal(model_notice(model, "overdue:west")->count, 3);
        beat(model, 1); /* heard, and its duty is over: refused or not, it ends */
        assert_false(model->carriers[0].on_duty);
        later(model, 1000);
        assert_int_equal(model_notice(model, "overdue:west")->count, 2);
        later(model, 43200000);
        assert_false(model->carriers[1].on_duty);
        assert_null(model_notice(model, "overdue:west"));
        model_free(model);
}

static void test_forgot_to_end_it(void **state)
{
        struct model *model = region(1);

        model->now_ms += 8 * 3600000 + 1700000;
        for (uint64_t session = 1; session <= 4; session++)
                beat(model, session);
        later(model, CORE_OVERDUE_MS); /* silent since shortly before the end: at home */
        assert_int_equal(model_said(model, SMS_OVERDUE, NULL), 0);
        for (size_t i = 0; i < 3; i++)
                assert_false(model->carriers[i].on_duty);
        assert_null(model_notice(model, "overdue:west"));
        model_free(model);
}

/* Last words on duty: the silence that follows is understood, and is a group of its own. */
static void test_last_words(void **state)
{
        static const struct {
                uint8_t cause;
                const char *key, *word;
        } cases[] = {
                { HEARTBEAT_BATTERY_LOW, "overdue:west:battery_low", "battery_low" },
                { HEARTBEAT_POWER_OFF, "overdue:west:power_off", "power_off" },
                { HEARTBEAT_ORDINARY, "overdue:west", "silent" },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct model *model = region(1);
                struct frame words = { .type = FRAME_HEARTBEAT,
                                       .u.heartbeat = { .battery = 3, .cause = HEARTBEAT_POWER_OFF } };

                model_send(model, 1, &words); /* the last ones count */
                words.u.heartbeat.cause = cases[i].cause;
                model_send(model, 1, &words);
                later(model, CORE_OVERDUE_MS + CORE_QUESTION_MS);
                assert_non_null(model_notice(model, cases[i].key));
                assert_string_equal(model_notice(model, cases[i].key)->cause, cases[i].word);
                assert_int_equal(model_notice(model, cases[i].key)->count,
                                 cases[i].cause == HEARTBEAT_ORDINARY ? 3 : 1);
                assert_non_null(model_notice(model, "overdue:west"));
                beat(model, 1); /* on again */
                later(model, 1000);
                assert_true(cases[i].cause == HEARTBEAT_ORDINARY || model_notice(model, cases[i].key) == NULL);
                model_free(model);
        }
}

/* Of several dispatchers one asks by SMS; where it is gone, the next one. */
static void test_one_asks_by_sms(void **state)
{
        struct model *model = region(2);

        later(model, CORE_OVERDUE_MS);
        assert_int_equal(model_said(model, SMS_OVERDUE, "+33622222222"), 3);
        later(model, CORE_QUESTION_RANK_MS);
        later(model, CORE_QUESTION_RANK_MS);
        assert_int_equal(model_said(model, SMS_OVERDUE, NULL), 3);
        model_free(model);

        model = region(2);
        model_kill(model, 0);
        later(model, CORE_OVERDUE_MS);
        later(model, CORE_QUESTION_RANK_MS - 1);
        assert_int_equal(model_said(model, SMS_OVERDUE, NULL), 0);
        later(model, 1);
        assert_int_equal(model_said(model, SMS_OVERDUE, NULL), 3);
        assert_int_equal(model_last_said(model, SMS_OVERDUE, NULL)->about.what, SMS_QUESTION);
        model_free(model);
}

/* A full scan is looked at; one more carrier, or more than are listed, is a mass silence. */
static void test_scan_bound(void **state)
{
        struct core_found *late = calloc(CORE_SCAN_MAX + 1, sizeof(*late));
        struct core_event event = { .kind = CORE_SCAN, .u.scan = { .late = late, .total = 100000 } };
        struct model *model = region(1);

        model_pass(model, CORE_OVERDUE_MS);
        for (size_t i = 0; i <= CORE_SCAN_MAX; i++) {
                late[i].on_duty = true;
                late[i].heard_at_ms = model->now_ms - CORE_OVERDUE_MS - CORE_QUESTION_MS;
                late[i].duty.until_s = UINT32_MAX;
                memcpy(late[i].handset, &i, sizeof(i));
        }
        event.u.scan.count = event.u.scan.late_total = CORE_SCAN_MAX;
        model_event(model, 0, &event);
        assert_int_equal(core_counters(model->dispatchers[0].core)->overdue, CORE_SCAN_MAX);
        assert_null(model_notice(model, "tech:region:mass_silence"));
        event.u.scan.late_total = CORE_SCAN_MAX + 1;
        model_event(model, 0, &event);
        assert_int_equal(core_counters(model->dispatchers[0].core)->overdue, 0);
        assert_int_equal(model_notice(model, "tech:region:mass_silence")->count, CORE_SCAN_MAX + 1);
        event.u.scan.count = CORE_SCAN_MAX + 1; /* a shell that lists them all: not even looked at */
        event.u.scan.total = 10;
        model_event(model, 0, &event);
        assert_int_equal(core_counters(model->dispatchers[0].core)->overdue, 0);
        free(late);
        model_free(model);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_asked_then_rung),
                cmocka_unit_test(test_times_are_options),
                cmocka_unit_test(test_safe_is_an_answer),
                cmocka_unit_test(test_groups),
                cmocka_unit_test(test_open_alert_is_not_grouped),
                cmocka_unit_test(test_acknowledged),
                cmocka_unit_test(test_two_dispatchers),
                cmocka_unit_test(test_over_before_it_was_told),
                cmocka_unit_test(test_one_knows_better),
                cmocka_unit_test(test_asking_forgets_nothing),
                cmocka_unit_test(test_too_many_notices),
                cmocka_unit_test(test_mass),
                cmocka_unit_test(test_just_no_mass),
                cmocka_unit_test(test_after_we_were_deaf),
                cmocka_unit_test(test_asked_while_the_store_is_away),
                cmocka_unit_test(test_end_of_duty),
                cmocka_unit_test(test_forgot_to_end_it),
                cmocka_unit_test(test_last_words),
                cmocka_unit_test(test_one_asks_by_sms),
                cmocka_unit_test(test_scan_bound),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
