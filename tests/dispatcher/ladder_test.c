/* The ladder in virtual time, through the core. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dispatcher/ladder.h"
#include "tests/dispatcher/support/model.h"

/* Two zones side by side, the first with a team of its own; a third, far away, with a hasty ladder. */
static const char zones[] =
        "{\"type\":\"FeatureCollection\",\"features\":["
        "{\"type\":\"Feature\",\"properties\":{\"id\":\"west\",\"name\":\"West\",\"teams\":[\"blue\"]},\"geometry\":"
        "{\"type\":\"Polygon\",\"coordinates\":[[[4.8,45.7],[4.9,45.7],[4.9,45.8],[4.8,45.8],[4.8,45.7]]]}},"
        "{\"type\":\"Feature\",\"properties\":{\"id\":\"east\",\"name\":\"East\",\"teams\":[\"red\"]},\"geometry\":"
        "{\"type\":\"Polygon\",\"coordinates\":[[[4.9,45.7],[5.0,45.7],[5.0,45.8],[4.9,45.8],[4.9,45.7]]]}},"
        "{\"type\":\"Feature\",\"properties\":{\"id\":\"hasty\",\"ladder\":{\"ask_count\":1,\"sms_after_s\":2,"
        "\"next_after_s\":6,\"all_after_s\":10,\"managers_after_s\":14}},\"geometry\":"
        "{\"type\":\"Polygon\",\"coordinates\":[[[2.0,48.0],[2.1,48.0],[2.1,48.1],[2.0,48.1],[2.0,48.0]]]}}]}";

/* blue0 .. blue9 and red0 .. red3 on duty, boss a manager of no team and off duty. */
static struct model *region(void)
{
        struct model *model = model_new(1, zones);
        char id[16];

        model_begin(model);
        model_enrol(model, 1, HANDSET_CARRIER, "carl");
        for (int i = 0; i < 10; i++) {
                snprintf(id, sizeof(id), "blue%d", i);
                model_put_supervisor(model, id, "blue", false);
                model_on_duty(model, id, 45.751 + i * 0.001, 4.85);
        }
        for (int i = 0; i < 4; i++) {
                snprintf(id, sizeof(id), "red%d", i);
                model_put_supervisor(model, id, "red", false);
                model_on_duty(model, id, 45.751 + i * 0.001, 4.95);
        }
        model_put_supervisor(model, "boss", "", true);
        return model;
}

static uint64_t press(struct model *model, uint8_t id[ALERT_ID_SIZE])
{
        uint64_t session = model_login(model, 0, 1);
        struct alert alert = model_alert_default(model, 1);

        model_alert_id(1, 1, id);
        model_press(model, session, 1, &alert);
        return session;
}

static void order(struct model *model, const char *login, uint8_t verb, const uint8_t id[ALERT_ID_SIZE])
{
        struct command command = model_command(verb, id);

        assert_int_equal(model_order(model, 0, login, &command), -1); /* answered by the change */
}

static size_t count_step(const struct record *record, uint8_t step)
{
        size_t count = 0;

        for (size_t i = 0; i < record->asked_count; i++)
                count += record->asked[i].step == step;
        return count;
}

/* Nobody looks at it: 3 at once; each 5 s who has not seen is owed an SMS and one more asked for each; 30, 60, 120 s. */
static void test_nobody_answers(void **state)
{
        struct model *model = region();
        uint8_t id[ALERT_ID_SIZE];
        struct record record;
        uint64_t phone;

        model_enrol(model, 12, HANDSET_SUPERVISOR, "blue9");
        phone = model_login(model, 0, 12);
        press(model, id);
        record = model_record(model, id);
        assert_int_equal(record.asked_count, 3);
        assert_int_equal(model_session(model, phone)->ring_count, 0);
        assert_string_equal(record.asked[0].id, "blue0");
        assert_string_equal(record.zone_name, "West");
        assert_int_equal(record.due_ms - record.raised_at_ms, 5000);
        model_pass(model, 4900);
        assert_int_equal(model_record(model, id).version, 1);
        model_pass(model, 100);
        record = model_record(model, id);
        assert_int_equal(record.sms_checked, 3);
        assert_int_equal(record.asked_count, 6);
        assert_int_equal(record.asked[2].flags & ASKED_SMS_DUE, ASKED_SMS_DUE);
        assert_int_equal(record.asked[3].flags & ASKED_SMS_DUE, 0);
        assert_int_equal(record.asked[3].step, 0);
        model_pass(model, 5000);
        assert_int_equal(model_record(model, id).asked_count, 9);
        model_pass(model, 5000);
        record = model_record(model, id);
        assert_int_equal(record.asked_count, 10); /* all of the zone's team */
        assert_int_equal(record.step, 0);
        model_pass(model, 15000);
        record = model_record(model, id);
        assert_int_equal(model->now_ms - record.raised_at_ms, 30000);
        assert_int_equal(record.step, 1);
        assert_int_equal(record.asked_count, 10);
        assert_int_equal(record.due_ms - record.raised_at_ms, 60000);
        model_pass(model, 30000);
        record = model_record(model, id);
        assert_int_equal(record.step, 2);
        assert_int_equal(record.asked_count, 14); /* the neighbours */
        assert_int_equal(count_step(&record, 2), 4);
        model_pass(model, 59900);
        assert_int_equal(model_record(model, id).step, 2);
        model_pass(model, 100);
        record = model_record(model, id);
        assert_int_equal(record.step, 3);
        assert_string_equal(record.asked[14].id, "boss");
        assert_int_equal(record.asked[14].flags & ASKED_MANAGER, ASKED_MANAGER);
        assert_int_equal(record.marks & RECORD_EXHAUSTED, 0);
        assert_int_equal(model_session(model, phone)->ring, RING_RING);
        model_pass(model, LADDER_RING_MS);
        record = model_record(model, id);
        assert_int_equal(record.marks & RECORD_EXHAUSTED, RECORD_EXHAUSTED);
        assert_int_equal(record.step, LADDER_EXHAUSTED);
        assert_int_equal(record.rings, 0);
        assert_int_equal(model_session(model, phone)->ring, RING_LOUDEST);
        model_pass(model, 3 * LADDER_RING_MS);
        assert_int_equal(model_record(model, id).rings, 3);
        order(model, "blue4", COMMAND_TAKE, id);
        model_pass(model, 100000);
        assert_int_equal(model_record(model, id).rings, 3);
        model_free(model);
}

/* Who has seen it is owed no SMS, and no one is asked in their place; the next 3 come at 30 s all the same. */
static void test_seen_in_time(void **state)
{
        struct model *model = region();
        uint8_t id[ALERT_ID_SIZE];
        struct record record;

        press(model, id);
        order(model, "blue0", COMMAND_SEEN, id);
        order(model, "blue1", COMMAND_SEEN, id);
        order(model, "blue2", COMMAND_SEEN, id);
        model_pass(model, 29900);
        record = model_record(model, id);
        assert_int_equal(record.asked_count, 3);
        assert_int_equal(record.asked[0].flags & ASKED_SMS_DUE, 0);
        assert_int_equal(record.state, ALERT_SEEN);
        model_pass(model, 100);
        record = model_record(model, id);
        assert_int_equal(record.asked_count, 6);
        assert_int_equal(count_step(&record, 1), 3);
        assert_int_equal(record.state, ALERT_SEEN);
        model_free(model);
}

static void test_a_zone_has_its_own_times(void **state)
{
        struct model *model = region();
        uint64_t session = model_login(model, 0, 1);
        struct alert alert = model_alert_default(model, 1);
        uint8_t id[ALERT_ID_SIZE];

        model_alert_id(1, 1, id);
        alert.lat_e7 = 480500000;
        alert.lon_e7 = 20500000;
        model_press(model, session, 1, &alert);
        assert_int_equal(model_record(model, id).asked_count, 1);
        model_pass(model, 2000);
        assert_int_equal(model_record(model, id).asked_count, 2);
        model_pass(model, 4000);
        assert_int_equal(model_record(model, id).step, 1);
        model_pass(model, 4000);
        assert_int_equal(model_record(model, id).step, 2);
        model_pass(model, 4000);
        assert_int_equal(model_record(model, id).step, 3);
        model_free(model);
}

/* Everybody is off duty: the managers at once, and without one it is exhausted at once. */
static void test_nobody_there(void **state)
{
        struct model *model = model_new(1, zones);
        uint8_t id[ALERT_ID_SIZE];
        struct record record;

        model_begin(model);
        model_enrol(model, 1, HANDSET_CARRIER, "carl");
        press(model, id);
        record = model_record(model, id);
        assert_int_equal(record.state, ALERT_RAISED);
        assert_int_equal(record.marks & RECORD_EXHAUSTED, RECORD_EXHAUSTED);
        model_put_supervisor(model, "late", "blue", false);
        model_on_duty(model, "late", 45.75, 4.85);
        model_pass(model, LADDER_RING_MS);
        record = model_record(model, id);
        assert_int_equal(record.rings, 1);
        assert_int_equal(record.asked_count, 1); /* who has come since */
        assert_int_equal(record.state, ALERT_ASKED);
        model_free(model);
}

static void test_managers_at_once_when_nobody_is_on_duty(void **state)
{
        struct model *model = model_new(1, zones);
        uint8_t id[ALERT_ID_SIZE];
        struct record record;

        model_begin(model);
        model_enrol(model, 1, HANDSET_CARRIER, "carl");
        model_put_supervisor(model, "boss", "", true);
        press(model, id);
        record = model_record(model, id);
        assert_int_equal(record.state, ALERT_ASKED);
        assert_int_equal(record.step, 3);
        assert_string_equal(record.asked[0].id, "boss");
        model_free(model);
}

static void hear_all_the_time(struct model *model, const char *id, int64_t ms)
{
        for (int64_t passed = 0; passed < ms; passed += 10000) {
                model_hear(model, id);
                model_pass(model, 10000);
        }
}

static void test_no_progress_is_no_news(void **state)
{
        struct model *model = region();
        uint8_t id[ALERT_ID_SIZE];
        struct record record;
        uint64_t phone;

        model_enrol(model, 12, HANDSET_SUPERVISOR, "blue0");
        phone = model_login(model, 0, 12);
        press(model, id);
        order(model, "blue0", COMMAND_TAKE, id);
        assert_int_equal(model_session(model, phone)->ring, RING_SHOW);
        hear_all_the_time(model, "blue0", LADDER_TAKEN_MS - 10000);
        model_hear(model, "blue0");
        model_pass(model, 9900);
        assert_int_equal(model_record(model, id).marks & RECORD_NO_NEWS, 0);
        model_pass(model, 100);
        record = model_record(model, id);
        assert_int_equal(record.marks & RECORD_NO_NEWS, RECORD_NO_NEWS);
        assert_string_equal(record.owner_id, "blue0"); /* stays shown */
        assert_int_equal(record.state, ALERT_TAKEN);
        assert_int_equal(record.rings, 1);
        assert_int_equal(record.asked_count, 6);                           /* and the next are asked */
        assert_int_equal(model_session(model, phone)->ring, RING_LOUDEST); /* the owner's too */
        hear_all_the_time(model, "blue0", LADDER_RING_MS);
        assert_int_equal(model_record(model, id).rings, 2);
        order(model, "blue0", COMMAND_EN_ROUTE, id);
        record = model_record(model, id);
        assert_int_equal(record.marks & RECORD_NO_NEWS, 0);
        hear_all_the_time(model, "blue0", LADDER_EN_ROUTE_MS - 10000);
        assert_int_equal(model_record(model, id).marks & RECORD_NO_NEWS, 0);
        hear_all_the_time(model, "blue0", 10000);
        assert_int_equal(model_record(model, id).marks & RECORD_NO_NEWS, RECORD_NO_NEWS);
        order(model, "blue1", COMMAND_TAKE, id);
        record = model_record(model, id);
        assert_string_equal(record.owner_id, "blue1");
        assert_int_equal(record.state, ALERT_TAKEN);
        assert_int_equal(record.marks & RECORD_NO_NEWS, 0);
        order(model, "blue1", COMMAND_ON_SCENE, id);
        hear_all_the_time(model, "blue1", LADDER_ON_SCENE_MS);
        assert_int_equal(model_record(model, id).marks & RECORD_NO_NEWS, RECORD_NO_NEWS);
        model_free(model);
}

static void test_owner_unheard_is_no_news(void **state)
{
        struct model *model = region();
        uint8_t id[ALERT_ID_SIZE];

        press(model, id);
        order(model, "blue0", COMMAND_TAKE, id);
        model_pass(model, 60000);
        model_hear(model, "blue0"); /* the deadline moves with it */
        model_pass(model, LADDER_UNHEARD_MS - 100);
        assert_int_equal(model_record(model, id).marks & RECORD_NO_NEWS, 0);
        model_pass(model, 100);
        assert_int_equal(model_record(model, id).marks & RECORD_NO_NEWS, RECORD_NO_NEWS);
        model_hear(model, "blue0"); /* there again */
        model_pass(model, LADDER_RING_MS);
        assert_int_equal(model_record(model, id).marks & RECORD_NO_NEWS, 0);
        model_free(model);
}

/* The control room's screen is not heard like a handset; and while no presence can come in, nobody is silent. */
static void test_silence_that_means_nothing(void **state)
{
        struct model *model = region();
        uint8_t id[ALERT_ID_SIZE];

        press(model, id);
        order(model, "control", COMMAND_TAKE, id);
        model_pass(model, LADDER_TAKEN_MS - 100);
        assert_int_equal(model_record(model, id).marks & RECORD_NO_NEWS, 0);
        model_pass(model, 100);
        assert_int_equal(model_record(model, id).marks & RECORD_NO_NEWS, RECORD_NO_NEWS);
        order(model, "blue0", COMMAND_TAKE, id);
        model_positions(model, false);
        model_pass(model, 2 * LADDER_UNHEARD_MS);
        assert_int_equal(model_record(model, id).marks & RECORD_NO_NEWS, 0);
        model_positions(model, true);
        model_pass(model, LADDER_UNHEARD_MS + 100);
        assert_int_equal(model_record(model, id).marks & RECORD_NO_NEWS, RECORD_NO_NEWS);
        model_free(model);
}

static void test_release_goes_on_from_there(void **state)
{
        struct model *model = region();
        uint8_t id[ALERT_ID_SIZE];
        struct record record;

        press(model, id);
        order(model, "blue0", COMMAND_TAKE, id);
        hear_all_the_time(model, "blue0", 200000);
        order(model, "blue0", COMMAND_RELEASE, id);
        record = model_record(model, id);
        assert_int_equal(record.state, ALERT_ASKED);
        assert_string_equal(record.owner_id, "");
        assert_int_equal(record.asked_count, 6); /* one in their place, two for those who never looked */
        assert_int_equal(record.step, 0);        /* not at the top because of the time that has passed */
        model_pass(model, 30000);
        assert_int_equal(model_record(model, id).step, 1);
        model_free(model);
}

/* All dispatchers were away for ten minutes: one step, then the next in its time; not all at once. */
static void test_after_an_outage(void **state)
{
        struct model *model = region();
        uint8_t id[ALERT_ID_SIZE];
        struct record record;

        press(model, id);
        model_kill(model, 0);
        model->now_ms += 600000;
        model_start(model, 0);
        model_pass(model, 300);
        record = model_record(model, id);
        assert_int_equal(record.step, 1);
        assert_in_range(record.due_ms, model->now_ms, model->now_ms + 30000);
        model_free(model);
}

static void test_drill_climbs_nothing(void **state)
{
        static const char *const named[] = { "blue7", "nobody", "boss" };
        struct model *model = region();
        uint64_t session;
        struct alert alert;
        uint8_t id[ALERT_ID_SIZE];
        struct record record;

        model_kill(model, 0);
        model->options.drill_people = named;
        model->options.drill_people_count = 3;
        model_start(model, 0);
        session = model_login(model, 0, 1);
        alert = model_alert_default(model, 1);
        alert.kind = ALERT_DRILL;
        model_alert_id(1, 1, id);
        model_press(model, session, 1, &alert);
        record = model_record(model, id);
        assert_int_equal(record.marks & RECORD_DRILL, RECORD_DRILL);
        assert_int_equal(record.asked_count, 2);
        assert_string_equal(record.asked[0].id, "blue7");
        assert_string_equal(record.asked[1].id, "boss"); /* named, on duty or not */
        model_pass(model, 200000);
        record = model_record(model, id);
        assert_int_equal(record.version, 1);
        assert_int_equal(record.asked_count, 2);
        {
                struct command take = model_command(COMMAND_TAKE, id);

                assert_int_equal(model_order(model, 0, "blue0", &take), ANSWER_NOT_ALLOWED); /* not named */
                assert_int_equal(model_order(model, 0, "boss", &take), -1);
        }
        model_pass(model, 2 * LADDER_TAKEN_MS);
        assert_int_equal(model_record(model, id).marks & RECORD_NO_NEWS, 0);
        model_free(model);
}

static void test_announced_drill_climbs(void **state)
{
        struct model *model = region();
        uint64_t session;
        struct alert alert;
        uint8_t id[ALERT_ID_SIZE];

        model_kill(model, 0);
        model->options.drill_announced = true;
        model_start(model, 0);
        session = model_login(model, 0, 1);
        alert = model_alert_default(model, 1);
        alert.kind = ALERT_DRILL;
        model_alert_id(1, 1, id);
        model_press(model, session, 1, &alert);
        assert_int_equal(model_record(model, id).asked_count, 3);
        model_pass(model, 30000);
        assert_int_equal(model_record(model, id).step, 1);
        model_free(model);
}

/* An unverified alert asks nobody; it is shown again each quarter of an hour. */
static void test_unverified_is_shown_again(void **state)
{
        struct model *model = region();
        uint64_t session = model_connect(model, 0, 99, CERTIFICATE_UNKNOWN);
        struct alert alert = model_alert_default(model, 1);
        uint8_t id[ALERT_ID_SIZE];
        struct record record;

        model_alert_id(99, 1, id);
        model_press(model, session, 99, &alert);
        model_pass(model, LADDER_SHOW_MS - 100);
        record = model_record(model, id);
        assert_int_equal(record.asked_count, 0);
        assert_int_equal(record.rings, 0);
        assert_int_equal(record.due_ms - record.raised_at_ms, LADDER_SHOW_MS);
        model_pass(model, 100);
        assert_int_equal(model_record(model, id).rings, 1);
        model_free(model);
}

/* `asked` keeps room for the managers, however many are near. */
static void test_room_for_managers(void **state)
{
        struct model *model = model_new(1, NULL);
        uint8_t id[ALERT_ID_SIZE];
        struct record record;
        uint64_t session;
        char name[16];

        model_begin(model);
        model_enrol(model, 1, HANDSET_CARRIER, "carl");
        for (int i = 0; i < 60; i++) {
                snprintf(name, sizeof(name), "s%02d", i);
                model_put_supervisor(model, name, "", i >= 48);
                if (i < 48)
                        model_on_duty(model, name, 45.75 + i * 0.001, 4.85);
        }
        press(model, id);
        model_pass(model, 61000);
        record = model_record(model, id);
        assert_int_equal(record.asked_count, RECORD_ASKED_MAX - LADDER_MANAGERS);
        model_pass(model, 60000);
        record = model_record(model, id);
        assert_int_equal(record.asked_count, RECORD_ASKED_MAX);
        assert_int_equal(count_step(&record, 3), LADDER_MANAGERS);
        assert_true(record.passed_count > 0);
        /* One who is not among them takes it: their handset is told all the same. */
        model_enrol(model, 12, HANDSET_SUPERVISOR, "s47");
        session = model_login(model, 0, 12);
        order(model, "s47", COMMAND_TAKE, id);
        assert_int_equal(record_asked_find(&record, "s47"), -ENOENT);
        assert_string_equal(model_record(model, id).owner_id, "s47");
        assert_int_equal(model_session(model, session)->ring_count, 1);
        assert_int_equal(model_session(model, session)->ring, RING_SHOW);
        model_free(model);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_nobody_answers),
                cmocka_unit_test(test_seen_in_time),
                cmocka_unit_test(test_a_zone_has_its_own_times),
                cmocka_unit_test(test_nobody_there),
                cmocka_unit_test(test_managers_at_once_when_nobody_is_on_duty),
                cmocka_unit_test(test_no_progress_is_no_news),
                cmocka_unit_test(test_owner_unheard_is_no_news),
                cmocka_unit_test(test_silence_that_means_nothing),
                cmocka_unit_test(test_release_goes_on_from_there),
                cmocka_unit_test(test_after_an_outage),
                cmocka_unit_test(test_drill_climbs_nothing),
                cmocka_unit_test(test_announced_drill_climbs),
                cmocka_unit_test(test_unverified_is_shown_again),
                cmocka_unit_test(test_room_for_managers),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
