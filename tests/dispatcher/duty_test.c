/* Duty and presence: of carriers and of supervisors, here and at another dispatcher, on time and over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "geo/choose.h"
#include "tests/dispatcher/support/model.h"

static struct model *region(unsigned dispatchers)
{
        struct model *model = model_new(dispatchers, NULL);

        model_begin(model);
        model_enrol(model, 1, HANDSET_CARRIER, "carl");
        model_enrol(model, 11, HANDSET_SUPERVISOR, "anna");
        model_put_carrier(model, "carl");
        model_put_carrier(model, "mona");
        model_put_round(model, "r7", "west");
        model_put_supervisor(model, "anna", "", false);
        return model;
}

static struct frame go(const struct model *model, const char *person, const char *round, int64_t hours)
{
        struct frame frame = { .type = FRAME_DUTY, .u.duty = { .request = 9, .on = true } };

        record_set_text(frame.u.duty.person, sizeof(frame.u.duty.person), person);
        record_set_text(frame.u.duty.round, sizeof(frame.u.duty.round), round);
        frame.u.duty.until_s = (uint32_t)(model->now_ms / 1000 + hours * 3600);
        return frame;
}

static uint8_t answered(struct model *model, uint64_t session)
{
        const struct frame *frame = &model_session(model, session)->frame;

        assert_int_equal(frame->type, FRAME_DUTY_ANSWER);
        assert_int_equal(frame->u.duty_answer.request, 9);
        return frame->u.duty_answer.code;
}

static struct frame beat(const char *sealed)
{
        struct frame frame = { .type = FRAME_HEARTBEAT, .u.heartbeat.battery = 77 };

        if (sealed != NULL)
                frame.u.heartbeat.sealed = (struct cbor_span){ (const uint8_t *)sealed, strlen(sealed) };
        return frame;
}

static void test_carrier_on_and_off(void **state)
{
        struct model *model = region(1);
        uint64_t session = model_login(model, 0, 1);
        struct frame frame = go(model, "mona", "r7", 8);

        model_send(model, session, &frame);
        assert_int_equal(answered(model, session), DUTY_OK);
        assert_string_equal(model_session(model, session)->frame.u.duty_answer.name, "mona");
        assert_int_equal(model_session(model, session)->frame.u.duty_answer.since_ms, model->now_ms);
        assert_true(model->carriers[0].on_duty);
        assert_string_equal(model->carriers[0].duty.zone_id, "west");
        frame = beat("sealed");
        model_send(model, session, &frame);
        assert_int_equal(model->carriers[0].duty.sealed_size, 6);
        assert_int_equal(model->carriers[0].duty.battery, 77);
        model_pass(model, 60000);
        frame = go(model, "mona", "r7", 8); /* again: the same duty */
        model_send(model, session, &frame);
        assert_int_equal(model_session(model, session)->frame.u.duty_answer.since_ms, model->now_ms - 60000);
        frame.u.duty.on = false;
        model_send(model, session, &frame);
        assert_int_equal(answered(model, session), DUTY_OK);
        assert_false(model->carriers[0].on_duty);
        model_free(model);
}

static void test_what_is_wrong_with_it(void **state)
{
        struct model *model = region(1);
        uint64_t session = model_login(model, 0, 1), anna = model_login(model, 0, 11);
        struct frame frame = go(model, "nobody", "r7", 8);

        model_send(model, session, &frame);
        assert_int_equal(answered(model, session), DUTY_UNKNOWN_PERSON);
        frame = go(model, "carl", "r8", 8);
        model_send(model, session, &frame);
        assert_int_equal(answered(model, session), DUTY_UNKNOWN_ROUND);
        frame = go(model, "carl", "r7", 0);
        model_send(model, session, &frame);
        assert_int_equal(answered(model, session), DUTY_BAD_END);
        frame = go(model, "carl", "r7", 25);
        model_send(model, session, &frame);
        assert_int_equal(answered(model, session), DUTY_BAD_END);
        frame = go(model, "carl", "", 8);
        model_send(model, anna, &frame);
        assert_int_equal(answered(model, anna), DUTY_NOT_YOURS);
        assert_int_equal(model->carrier_count, 0);
        model_free(model);
}

static void test_position_off_duty_is_refused(void **state)
{
        struct model *model = region(1);
        uint64_t session = model_login(model, 0, 1), anna = model_login(model, 0, 11);
        struct frame frame = beat("sealed"), presence = { .type = FRAME_PRESENCE, .u.presence.has_position = true };

        model_send(model, session, &frame);
        assert_int_equal(model_session(model, session)->frame.type, FRAME_ERROR);
        assert_int_equal(model_session(model, session)->frame.u.error.code, FRAME_ERROR_OFF_DUTY_POSITION);
        assert_int_equal(model->carrier_duty_actions, 0);
        frame = beat(NULL); /* without a position: harmless */
        model_send(model, session, &frame);
        assert_int_equal(model_session(model, session)->frame_count, 2);
        model_send(model, anna, &presence);
        assert_int_equal(model_session(model, anna)->frame.u.error.code, FRAME_ERROR_OFF_DUTY_POSITION);
        assert_int_equal(model->presence_actions, 0);
        assert_int_equal(core_counters(model->dispatchers[0].core)->off_duty_positions, 2);
        model_free(model);
}

/* On duty at one dispatcher, connected to another after that: it finds out, and the press names who holds the phone. */
static void test_duty_is_found(void **state)
{
        struct model *model = region(2);
        uint64_t first = model_login(model, 0, 1), second;
        struct frame frame = go(model, "mona", "r7", 8);
        struct alert alert = model_alert_default(model, 1);
        uint8_t id[ALERT_ID_SIZE];

        model_send(model, first, &frame);
        model_close(model, first);
        second = model_login(model, 1, 1);
        frame = beat("other");
        model_send(model, second, &frame);
        assert_int_equal(model_session(model, second)->frame_count, 1); /* no refusal */
        assert_int_equal(model->carriers[0].duty.sealed_size, 5);
        model_press(model, second, 1, &alert);
        model_alert_id(1, 1, id);
        assert_string_equal(model_record(model, id).carrier_id, "mona");
        assert_string_equal(model_record(model, id).round, "r7");
        assert_int_equal(model_record(model, id).marks & RECORD_HOLDER_UNSURE, 0);
        model_free(model);
}

/* What Redis said is older than what the handset has said since. */
static void test_found_too_late(void **state)
{
        struct model *model = region(1);
        uint64_t session = model_login(model, 0, 1);
        struct frame frame = go(model, "mona", "r7", 8), position = beat("sealed");
        struct core_event event = { .kind = CORE_DUTY_FOUND };

        model_send(model, session, &frame);
        model_handset_id(1, event.u.found.handset);
        model_event(model, 0, &event); /* off, it says */
        model_send(model, session, &position);
        assert_int_equal(model_session(model, session)->frame.type, FRAME_DUTY_ANSWER);
        assert_int_equal(model->carriers[0].duty.sealed_size, 6);
        model_free(model);
}

/* By the alert port, without any hello: the duty is looked for as soon as the session is there. */
static void test_press_without_hello(void **state)
{
        struct model *model = region(2);
        uint64_t first = model_login(model, 0, 1), second;
        struct frame frame = go(model, "mona", "r7", 8);
        struct alert alert = model_alert_default(model, 1);

        model_send(model, first, &frame);
        second = model_connect(model, 1, 1, CERTIFICATE_OK);
        model_press(model, second, 1, &alert);
        assert_string_equal(model_record(model, model->alerts[0].id).carrier_id, "mona");
        model_free(model);
}

static void test_off_duty_press_names_the_usual_holder(void **state)
{
        struct model *model = region(1);
        uint64_t session = model_login(model, 0, 1);
        struct alert alert = model_alert_default(model, 1);
        struct record record;

        model_press(model, session, 1, &alert);
        record = model_record(model, model->alerts[0].id);
        assert_string_equal(record.carrier_id, "carl");
        assert_string_equal(record.carrier_number, "+33622222222");
        assert_int_equal(record.marks & RECORD_HOLDER_UNSURE, RECORD_HOLDER_UNSURE);
        model_free(model);
}

/* What this process had found out is old when the phone has been elsewhere. */
static void test_duty_changed_elsewhere(void **state)
{
        struct model *model = region(2);
        uint64_t here = model_login(model, 0, 1), there;
        struct frame on = go(model, "mona", "r7", 8), off = on, position = beat("sealed");

        off.u.duty.on = false;
        model_send(model, here, &on);
        model_close(model, here);
        there = model_login(model, 1, 1);
        model_send(model, there, &off);
        model_close(model, there);
        here = model_login(model, 0, 1);
        model_send(model, here, &position);
        assert_int_equal(model_session(model, here)->frame.type, FRAME_ERROR);
        assert_false(model->carriers[0].on_duty);
        model_free(model);
}

static void test_duty_ends_by_itself(void **state)
{
        struct model *model = region(1);
        uint64_t session = model_login(model, 0, 1);
        struct frame frame = go(model, "mona", "r7", 1), position = beat("sealed");

        model_send(model, session, &frame);
        model->now_ms += 3600000 + 1800000;
        model_send(model, session, &position);
        assert_true(model->carriers[0].on_duty);
        model->now_ms += 1;
        model_send(model, session, &position);
        assert_false(model->carriers[0].on_duty);
        assert_int_equal(model_session(model, session)->frame.u.error.code, FRAME_ERROR_OFF_DUTY_POSITION);
        model_free(model);
}

/* The positions' Redis lost everything: the next heartbeat brings it back.  What was asked meanwhile is asked again. */
static void test_positions_come_back(void **state)
{
        struct model *model = region(1);
        uint64_t session = model_login(model, 0, 1);
        struct frame frame = go(model, "mona", "r7", 8), position = beat("sealed");

        model_send(model, session, &frame);
        model_positions(model, false);
        model->carrier_count = 0;
        memset(model->carriers, 0, sizeof(model->carriers));
        model_positions(model, true);
        model_send(model, session, &position);
        assert_true(model->carriers[0].on_duty);
        assert_string_equal(model->carriers[0].duty.carrier_id, "mona");
        model_free(model);
}

/* While nobody can say whether it is on duty, a position is neither kept nor refused. */
static void test_duty_not_known(void **state)
{
        struct model *model = region(1);
        struct frame position = beat("sealed");
        uint64_t session;

        model_positions(model, false);
        session = model_login(model, 0, 1);
        model_send(model, session, &position);
        assert_int_equal(model_session(model, session)->frame.type, FRAME_WELCOME);
        assert_int_equal(model->carrier_duty_actions, 0);
        model_positions(model, true);
        model_send(model, session, &position); /* asked for now, and off */
        model_send(model, session, &position);
        assert_int_equal(model_session(model, session)->frame.type, FRAME_ERROR);
        model_free(model);
}

/* Asked, and the answer was lost with the connection: asked again. */
static void test_answer_was_lost(void **state)
{
        struct model *model = region(2);
        uint64_t session = model_login(model, 1, 1);
        struct frame frame = go(model, "mona", "r7", 8), position = beat("sealed");

        model_send(model, session, &frame);
        model->positions_up = false; /* and nobody has noticed yet */
        session = model_login(model, 0, 1);
        model_positions(model, false);
        model_positions(model, true);
        model_send(model, session, &position);
        model_send(model, session, &position);
        assert_int_equal(model->carriers[0].duty.sealed_size, 6);
        model_free(model);
}

/* Whatever comes from a handset on duty is a sign of life, an alert too. */
static void test_alert_is_a_sign_of_life(void **state)
{
        struct model *model = region(1);
        uint64_t session = model_login(model, 0, 1);
        struct frame frame = go(model, "mona", "r7", 8);
        struct alert alert = model_alert_default(model, 1);

        model_send(model, session, &frame);
        model->now_ms += 600000;
        model_press(model, session, 1, &alert);
        assert_int_equal(model->carriers[0].heard_at_ms, model->now_ms);
        model_free(model);
}

/* The newest fix counts, in whatever order they come. */
static void test_older_fix_comes_later(void **state)
{
        struct model *model = region(1);
        uint64_t anna = model_login(model, 0, 11), carrier = model_login(model, 0, 1);
        struct frame presence = { .type = FRAME_PRESENCE, .u.presence.has_position = true };
        struct alert alert = model_alert_default(model, 1);

        model_on_duty(model, "anna", 45.751, 4.85);
        presence.u.presence.at =
                (struct track_point){ .at_s = (uint32_t)(model->now_ms / 1000) - 60, .lat_e7 = 460000000 };
        model_send(model, anna, &presence);
        model_press(model, carrier, 1, &alert);
        assert_in_range(model_record(model, model->alerts[0].id).asked[0].distance_m, 100, 120);
        model_free(model);
}

/* Off duty nothing of where somebody was is left. */
static void test_off_duty_forgets_the_position(void **state)
{
        struct model *model = region(1);
        uint64_t anna = model_login(model, 0, 11), carrier = model_login(model, 0, 1);
        struct frame frame = go(model, "anna", "", 8);
        struct alert alert = model_alert_default(model, 1);

        model_on_duty(model, "anna", 45.751, 4.85);
        frame.u.duty.on = false;
        model_send(model, anna, &frame);
        frame.u.duty.on = true;
        model_send(model, anna, &frame);
        model_hear(model, "anna");
        model_press(model, carrier, 1, &alert);
        assert_int_equal(model_record(model, model->alerts[0].id).asked_count, 1);
        assert_int_equal(model_record(model, model->alerts[0].id).asked[0].distance_m, UINT32_MAX);
        model_free(model);
}

static void test_heard_without_heartbeats(void **state)
{
        struct model *model = region(1);
        uint64_t session = model_login(model, 0, 1);
        struct frame frame = go(model, "mona", "r7", 8), safe = { .type = FRAME_SAFE, .u.request.request = 1 };

        model_send(model, session, &frame);
        for (int i = 0; i < 10; i++) {
                model->now_ms += 10000;
                model_send(model, session, &safe);
        }
        assert_int_equal(model->heard_actions, 3); /* each half minute at most */
        assert_true(model->now_ms - model->carriers[0].heard_at_ms < 30000);
        model_free(model);
}

static void test_supervisor_on_and_off(void **state)
{
        struct model *model = region(2);
        uint64_t anna = model_login(model, 0, 11), carrier = model_login(model, 1, 1);
        struct frame frame = go(model, "anna", "", 8), presence = { .type = FRAME_PRESENCE };
        struct alert alert = model_alert_default(model, 1);

        model_send(model, anna, &frame);
        assert_int_equal(answered(model, anna), DUTY_OK);
        assert_true(model->duty[0].on);
        presence.u.presence.has_position = true;
        presence.u.presence.at = (struct track_point){ .at_s = (uint32_t)(model->now_ms / 1000),
                                                       .lat_e7 = 457510000,
                                                       .lon_e7 = 48500000 };
        model_send(model, anna, &presence);
        assert_int_equal(model->presence_actions, 1);
        model_press(model, carrier, 1, &alert); /* at the other dispatcher */
        assert_int_equal(model_record(model, model->alerts[0].id).asked_count, 1);
        assert_in_range(model_record(model, model->alerts[0].id).asked[0].distance_m, 100, 120);
        assert_int_equal(model_record(model, model->alerts[0].id).asked[0].flags, ASKED_HANDSET);
        assert_int_equal(model_session(model, anna)->ring, RING_RING);
        frame.u.duty.on = false;
        model_send(model, anna, &frame);
        assert_false(model->duty[0].on);
        frame.u.duty.on = true;
        model_session(model, anna)->ring_count = 0;
        model_send(model, anna, &frame); /* on again: shown what is open */
        assert_int_equal(model_session(model, anna)->ring_count, 1);
        model_free(model);
}

/* A phone that comes back says its duty again.  The store would not tell what it has already. */
static void test_supervisor_same_duty_again(void **state)
{
        struct model *model = region(2);
        uint64_t anna = model_login(model, 0, 11);
        struct frame frame = go(model, "anna", "", 8);
        size_t told;

        model_send(model, anna, &frame);
        assert_int_equal(answered(model, anna), DUTY_OK);
        told = model->feed_count;
        anna = model_login(model, 0, 11);
        model_send(model, anna, &frame);
        assert_int_equal(answered(model, anna), DUTY_OK);
        assert_int_equal(model->feed_count, told);
        model_free(model);
}

/* Asked while the store is away: said when it is there. */
static void test_supervisor_duty_waits_for_the_store(void **state)
{
        struct model *model = region(1);
        uint64_t anna = model_login(model, 0, 11);
        struct frame frame = go(model, "", "", 8);

        model_store(model, false);
        model_send(model, anna, &frame);
        assert_int_equal(model_session(model, anna)->frame.type, FRAME_WELCOME);
        assert_int_equal(model->duty_count, 0);
        model_store(model, true);
        assert_int_equal(answered(model, anna), DUTY_OK);
        assert_true(model->duty[0].on);
        model_free(model);
}

static void test_supervisor_duty_ends_by_itself(void **state)
{
        struct model *model = region(1);
        uint64_t anna = model_login(model, 0, 11);
        struct frame frame = go(model, "anna", "", 1);

        model_send(model, anna, &frame);
        model->now_ms += 3600000 + 1800000;
        model_scan(model);
        assert_true(model->duty[0].on);
        model->now_ms += 1000;
        model_scan(model);
        assert_false(model->duty[0].on);
        model_free(model);
}

/* A presence lease ends by itself: then only the phone number is left, and without one nobody. */
static void test_lease(void **state)
{
        struct model *model = region(1);
        struct supervisor_entry entry = { .name = "Anna" };
        uint64_t carrier = model_login(model, 0, 1);
        struct alert alert = model_alert_default(model, 1);

        assert_int_equal(core_load_supervisor(model->dispatchers[0].core, "anna", &entry), 0);
        model_on_duty(model, "anna", 45.751, 4.85);
        model->now_ms += PRESENCE_LEASE_MS + 1;
        model_press(model, carrier, 1, &alert);
        assert_int_equal(model_record(model, model->alerts[0].id).asked_count, 0);
        assert_int_equal(model_record(model, model->alerts[0].id).passed_count, 1);
        assert_int_equal(model_record(model, model->alerts[0].id).passed[0].reason, PASSED_UNREACHABLE);
        model_free(model);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_carrier_on_and_off),
                cmocka_unit_test(test_what_is_wrong_with_it),
                cmocka_unit_test(test_position_off_duty_is_refused),
                cmocka_unit_test(test_duty_is_found),
                cmocka_unit_test(test_found_too_late),
                cmocka_unit_test(test_press_without_hello),
                cmocka_unit_test(test_off_duty_press_names_the_usual_holder),
                cmocka_unit_test(test_duty_changed_elsewhere),
                cmocka_unit_test(test_duty_ends_by_itself),
                cmocka_unit_test(test_positions_come_back),
                cmocka_unit_test(test_duty_not_known),
                cmocka_unit_test(test_answer_was_lost),
                cmocka_unit_test(test_alert_is_a_sign_of_life),
                cmocka_unit_test(test_older_fix_comes_later),
                cmocka_unit_test(test_off_duty_forgets_the_position),
                cmocka_unit_test(test_heard_without_heartbeats),
                cmocka_unit_test(test_supervisor_on_and_off),
                cmocka_unit_test(test_supervisor_same_duty_again),
                cmocka_unit_test(test_supervisor_duty_waits_for_the_store),
                cmocka_unit_test(test_supervisor_duty_ends_by_itself),
                cmocka_unit_test(test_lease),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
