/* Sealed places: when the keeper is asked, and what its answer does; quiet timers past their end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "dispatcher/core_parts.h"
#include "tests/dispatcher/support/model.h"

static const char zones[] =
        "{\"type\":\"FeatureCollection\",\"features\":["
        "{\"type\":\"Feature\",\"properties\":{\"id\":\"west\",\"name\":\"West\"},\"geometry\":"
        "{\"type\":\"Polygon\",\"coordinates\":[[[4.8,45.7],[4.9,45.7],[4.9,45.8],[4.8,45.8],[4.8,45.7]]]}}]}";
static const struct track_point there = {
        .at_s = 1767225600, .lat_e7 = 457640430, .lon_e7 = 48356590, .accuracy_m = 30
};

/* Handset 1 on duty (c1), with a sealed place. */
static struct model *region(unsigned dispatchers, bool opens)
{
        struct model *model = model_new(dispatchers, zones);
        struct frame duty = { .type = FRAME_DUTY,
                              .u.duty = { .request = 9, .on = true, .person = "c1", .round = "rw" } };
        struct frame beat = { .type = FRAME_HEARTBEAT,
                              .u.heartbeat = { .battery = 50, .sealed = CBOR_LITERAL("sealed") } };

        model->options.opens = opens;
        model_begin(model);
        model_put_round(model, "rw", "west");
        model_put_carrier(model, "c1");
        model_enrol(model, 1, HANDSET_CARRIER, "");
        duty.u.duty.until_s = (uint32_t)(model->now_ms / 1000 + 8 * 3600);
        model_send(model, model_login(model, 0, 1), &duty);
        model_send(model, 1, &beat);
        return model;
}

static void answer(struct model *model, unsigned dispatcher, const struct track_point *at)
{
        struct core_event event = { .kind = CORE_PLACE };

        assert_int_equal(model->pass_action.kind, DO_OPEN);
        memcpy(event.u.place.alert, model->pass_action.u.open.alert, ALERT_ID_SIZE);
        memcpy(event.u.place.handset, model->pass_action.u.open.handset, HANDSET_ID_SIZE);
        event.u.place.at = *at;
        model_event(model, dispatcher, &event);
        model_pump(model);
}

/* A press without a fix: asked once, and the record has the place, for everybody who is asked. */
static void test_alert_without_position(void **state)
{
        struct model *model = region(1, true);
        struct alert alert = model_alert_default(model, 5);
        uint8_t id[ALERT_ID_SIZE];
        uint32_t version;

        alert.has_fix = false;
        model_press(model, 1, 1, &alert);
        model_alert_id(1, 5, id);
        assert_int_equal(model->pass_actions, 1);
        assert_int_equal(model->pass_action.kind, DO_OPEN);
        assert_memory_equal(model->pass_action.u.open.alert, id, ALERT_ID_SIZE);
        assert_true(model->pass_action.u.open.press.len > 0);
        assert_int_equal(model->pass_action.u.open.why, OPENED_ALERT);
        alert.revision = 1;
        model_press(model, 1, 1, &alert);
        assert_int_equal(model->pass_actions, 1);
        version = model_record(model, id).version;
        answer(model, 0, &there);
        assert_true(model_record(model, id).version > version);
        assert_true(model_record(model, id).has_position);
        assert_int_equal(model_record(model, id).at.lat_e7, there.lat_e7);
        model_free(model);
}

/* A fix that came meanwhile is not replaced by an older place. */
static void test_newer_fix_stays(void **state)
{
        struct model *model = region(1, true);
        struct alert alert = model_alert_default(model, 5);
        uint8_t id[ALERT_ID_SIZE];

        alert.has_fix = false;
        model_press(model, 1, 1, &alert);
        alert = model_alert_default(model, 5);
        alert.revision = 1;
        model_press(model, 1, 1, &alert);
        answer(model, 0, &(struct track_point){ .at_s = 1, .lat_e7 = 1, .lon_e7 = 1 });
        model_alert_id(1, 5, id);
        assert_int_equal(model_record(model, id).at.lat_e7, alert.lat_e7);
        model_free(model);
}

/* With a position, as a drill, without a keeper: nobody asks. */
static void test_not_asked(void **state)
{
        struct model *model = region(1, true);
        struct alert alert = model_alert_default(model, 5);

        model_press(model, 1, 1, &alert);
        alert = model_alert_default(model, 6);
        alert.kind = ALERT_DRILL;
        alert.has_fix = false;
        model_press(model, 1, 1, &alert);
        assert_int_equal(model->pass_actions, 0);
        model_free(model);
        model = region(1, false);
        alert.kind = ALERT_PANIC;
        model_press(model, 1, 1, &alert);
        model->now_ms += CORE_OVERDUE_MS + CORE_QUESTION_MS;
        model_scan(model);
        assert_int_equal(model->pass_actions, 0);
        model_free(model);
}

/* Overdue, asked, and rung: then one dispatcher has the place opened, and both say it. */
static void test_overdue(void **state)
{
        struct model *model = region(2, true);

        model->now_ms += CORE_OVERDUE_MS;
        model_scan(model);
        assert_int_equal(model->pass_actions, 0);
        model->now_ms += CORE_QUESTION_MS;
        model_scan(model);
        assert_int_equal(model->pass_actions, 1);
        assert_int_equal(model->pass_action.kind, DO_OPEN);
        assert_int_equal(model->pass_action.u.open.sealed.len, 6);
        assert_int_equal(model->pass_action.u.open.why, OPENED_OVERDUE);
        assert_false(model_notice(model, "overdue:west")->names[0].has_place);
        answer(model, 0, &there); /* it is there at once, not with the next scan: the other would have it opened too */
        assert_true(model_notice(model, "overdue:west")->names[0].has_place);
        assert_int_equal(model_notice(model, "overdue:west")->names[0].at.lat_e7, there.lat_e7);
        for (int i = 0; i < 8; i++) {
                model->now_ms += CORE_SCAN_MS;
                model_scan(model);
        }
        assert_int_equal(model->pass_actions, 1);
        assert_true(model_notice(model, "overdue:west")->names[0].has_place);
        model_free(model);
}

static void timer(struct model *model, int64_t due_ms)
{
        struct core_event event = { .kind = CORE_TIMER, .u.timer.due_ms = due_ms };

        event.u.timer.found = model->carriers[0];
        memcpy(event.u.timer.found.duty.sealed, "house", 5);
        event.u.timer.found.duty.sealed_size = 5;
        model_event(model, 0, &event);
        model_scan(model);
}

/* A quiet timer past its end and nothing heard since: overdue at once, long before the silence alone would make it so; its own place is
 * the one that is opened.  Heard again: over. */
static void test_timer(void **state)
{
        struct model *model = region(1, true);
        struct frame beat = { .type = FRAME_HEARTBEAT, .u.heartbeat.battery = 50 };
        int64_t due_ms = model->now_ms + CORE_OVERDUE_MS / 3;

        model->now_ms = due_ms;
        model_scan(model);
        assert_int_not_equal(model_session(model, 1)->frame.type, FRAME_QUESTION);
        timer(model, due_ms);
        assert_int_equal(model_session(model, 1)->frame.type, FRAME_QUESTION);
        model->now_ms += CORE_QUESTION_MS;
        timer(model, due_ms);
        assert_non_null(model_notice(model, "overdue:west"));
        assert_int_equal(model->pass_actions, 1);
        assert_int_equal(model->pass_action.u.open.sealed.len, 5);
        assert_int_equal(model->pass_action.u.open.why, OPENED_TIMER);
        answer(model, 0, &there);
        model->now_ms += CORE_SCAN_MS;
        timer(model, due_ms);
        assert_true(model_notice(model, "overdue:west")->names[0].has_place);
        model_send(model, 1, &beat);
        model->now_ms += CORE_SCAN_MS;
        model_scan(model);
        assert_null(model_notice(model, "overdue:west"));
        model_free(model);
}

/* EVENT is told at NOW_MS: how many erasures there were by then. */
static unsigned erased_at(struct model *model, struct core_event *event, int64_t now_ms)
{
        model->now_ms = now_ms;
        model_event(model, 0, event);
        return model->pass_actions;
}

/* A timer whose carrier was heard after its end is erased five minutes after that end, one that nobody is on duty for after an hour; until
 * then, and where nobody was heard since, it is kept. */
static void test_timer_erased(void **state)
{
        struct model *model = region(1, true);
        int64_t due_ms = model->now_ms + 1000;
        struct core_event event = { .kind = CORE_TIMER, .u.timer.due_ms = due_ms };

        event.u.timer.found = model->carriers[0];
        assert_int_equal(erased_at(model, &event, due_ms + 300001), 0);
        event.u.timer.found.heard_at_ms = due_ms;
        assert_int_equal(erased_at(model, &event, due_ms + 300000), 0);
        assert_int_equal(erased_at(model, &event, due_ms + 300001), 1);
        assert_int_equal(model->pass_action.kind, DO_TIMER);
        assert_memory_equal(model->pass_action.u.vault.handset, event.u.timer.found.handset, HANDSET_ID_SIZE);
        assert_int_equal(model->pass_action.u.vault.timer.due_s, 0);
        event.u.timer.found.on_duty = false;
        assert_int_equal(erased_at(model, &event, due_ms + 3600000), 1);
        assert_int_equal(erased_at(model, &event, due_ms + 3600001), 2);
        model_free(model);
}

/* Handset NUMBER's timer, whose carrier was not heard since DUE_MS, is told again. */
static void told(struct model *model, uint32_t number, int64_t due_ms)
{
        struct core_event event = { .kind = CORE_TIMER, .u.timer.due_ms = due_ms };

        event.u.timer.found = model->carriers[0];
        for (int i = 0; i < 4; i++)
                event.u.timer.found.handset[4 + i] = (uint8_t)(number >> 8 * (3 - i));
        model_event(model, 0, &event);
}

static const struct timed *timed(struct model *model, uint32_t number)
{
        uint8_t handset[HANDSET_ID_SIZE];

        memcpy(handset, model->carriers[0].handset, 4);
        for (int i = 0; i < 4; i++)
                handset[4 + i] = (uint8_t)(number >> 8 * (3 - i));
        return place_timed(model->dispatchers[0].core, handset, 0);
}

/* Of more timers than have room those that ended first are kept, in whatever order they are told; room comes again where one is not told any
 * more. */
static void test_more_timers_than_room(void **state)
{
        struct model *model = region(1, true);
        int64_t due_ms = model->now_ms + CORE_OVERDUE_MS;
        uint32_t first = 1000, end = first + TIMED_MAX;

        model->now_ms = due_ms + 60000;
        for (uint32_t i = first; i < end; i++)
                told(model, i, due_ms + i);
        told(model, end, due_ms + end); /* it ended last: it waits */
        assert_null(timed(model, end));
        for (uint32_t i = first; i < end; i++)
                assert_non_null(timed(model, i));
        told(model, 1, due_ms + 1); /* it ended first: the last one gives way */
        assert_non_null(timed(model, 1));
        assert_null(timed(model, end - 1));
        assert_non_null(timed(model, end - 2));
        told(model, end - 1, due_ms + end - 1); /* told again, and no room for it still */
        assert_null(timed(model, end - 1));
        told(model, first, due_ms + first + 1); /* one that has room keeps it */
        assert_int_equal(timed(model, first)->due_ms, due_ms + first + 1);
        model->now_ms += 60001; /* nobody told of these again: they ended, or their carriers were heard */
        told(model, end, due_ms + end);
        assert_non_null(timed(model, end));
        model_free(model);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_alert_without_position),
                cmocka_unit_test(test_newer_fix_stays),
                cmocka_unit_test(test_not_asked),
                cmocka_unit_test(test_overdue),
                cmocka_unit_test(test_timer),
                cmocka_unit_test(test_timer_erased),
                cmocka_unit_test(test_more_timers_than_room),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
