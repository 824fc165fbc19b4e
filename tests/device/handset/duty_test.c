#include <errno.h>

#include "tests/device/handset/phone.h"

/* Going on duty proves the button: each tick with its time, none early, and no position with it. */
static void duty_proves_the_button(void **state)
{
        struct phone *p = phone_new();
        struct alert_signed a;

        p->network = p->journal_works = p->region = false;
        phone_start(p);
        phone_duty(p, true);
        assert_int_equal(p->status.duty.state, VIGIE_DUTY_ASKED);
        assert_true(p->status.proof.running);
        assert_int_equal(p->status.proof.recorded_at_ms, 0);
        p->journal_works = true;
        phone_run(p, 10000);
        assert_int_equal(p->status.proof.recorded_at_ms, UTC0 + 10000);
        assert_int_equal(p->status.proof.sent_at_ms, 0);
        p->network = true;
        phone_run(p, 60000);
        assert_true(p->status.proof.sent_at_ms > UTC0 + 10000);
        assert_int_equal(p->status.proof.proved_at_ms, 0);
        assert_int_equal(p->status.duty.state, VIGIE_DUTY_ASKED);
        assert_int_equal(p->status.proof.fix_at_ms, 0);
        phone_fix(p, 45.76, 4.83, 5);
        assert_int_equal(p->status.proof.fix_at_ms, p->utc_ms);
        p->region = true;
        phone_run(p, 60000);
        phone_network(p, false);
        p->network = true;
        phone_run(p, 60000);
        assert_true(p->status.proof.proved_at_ms > p->status.proof.sent_at_ms);
        assert_false(p->status.proof.running);
        assert_int_equal(p->status.proof.sms_at_ms, 0);
        assert_int_equal(p->status.alert.word, VIGIE_NOTHING);
        a = phone_alert(p);
        assert_int_equal(a.alert.kind, ALERT_TEST);
        assert_false(a.alert.has_fix);
        assert_int_equal(phone_count(p, VIGIE_DO_VIBRATE), 0);
        phone_free(p);
}

/* A test press waits for nothing of an alert's: no drop, no quick reconnects. */
static void test_press_is_patient(void **state)
{
        struct phone *p = phone_new();

        p->region = false;
        phone_start(p);
        phone_duty(p, true);
        phone_mark(p);
        phone_run(p, 60000);
        assert_int_equal(phone_count(p, VIGIE_DO_DISCONNECT), 0);
        assert_true(phone_sent_count(p, FRAME_ALERT) > 5);
        phone_free(p);
}

static void duty_is_confirmed(void **state)
{
        struct phone *p = phone_started();
        struct frame frame;

        assert_int_equal(phone_duty(p, true), 0);
        assert_int_equal(p->status.duty.state, VIGIE_DUTY_ON);
        assert_string_equal(p->status.duty.person, "zoe");
        assert_string_equal(p->status.duty.name, "Zoe");
        phone_sent(p, FRAME_DUTY, 0, &frame);
        assert_true(frame.u.duty.on);
        assert_string_equal(frame.u.duty.person, "zoe");
        assert_string_equal(frame.u.duty.round, "lyon-3");
        assert_int_equal(frame.u.duty.until_s, UTC0 / 1000 + 3600);
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        assert_int_equal(phone_alert(p).alert.marks, 0); /* the holder is sure */
        phone_mark(p);
        phone_duty(p, false);
        assert_int_equal(p->status.duty.state, VIGIE_DUTY_OFF);
        phone_sent(p, FRAME_DUTY, 0, &frame);
        assert_false(frame.u.duty.on);
        assert_int_equal(p->status.alert.word, VIGIE_RECEIVED); /* off during an alert ends nothing */
        phone_run(p, 60000);
        assert_true(phone_sent_count(p, FRAME_ALERT) >= 6);
        assert_int_equal(phone_sent_count(p, FRAME_DUTY), 1);
        phone_free(p);
}

static void duty_is_refused(void **state)
{
        struct phone *p = phone_started();
        struct frame frame, answer = { .type = FRAME_DUTY_ANSWER };

        p->region = false;
        phone_duty(p, true);
        phone_sent(p, FRAME_DUTY, 0, &frame);
        answer.u.duty_answer.request = frame.u.duty.request + 1;
        answer.u.duty_answer.code = DUTY_UNKNOWN_ROUND;
        phone_frame(p, &answer);
        assert_int_equal(p->status.duty.state, VIGIE_DUTY_ASKED); /* another request's answer */
        answer.u.duty_answer.request = frame.u.duty.request;
        phone_frame(p, &answer);
        assert_int_equal(p->status.duty.state, VIGIE_DUTY_REFUSED);
        assert_int_equal(p->status.duty.code, DUTY_UNKNOWN_ROUND);
        phone_mark(p);
        phone_run(p, 300000);
        assert_int_equal(phone_sent_count(p, FRAME_HEARTBEAT) + phone_sent_count(p, FRAME_DUTY), 0);
        phone_start(p);
        phone_run(p, 300000);
        assert_int_equal(p->status.duty.state, VIGIE_DUTY_OFF);
        phone_free(p);
}

static void duty_out_of_range(void **state)
{
        struct phone *p = phone_started();
        struct vigie_event e = { .type = VIGIE_ON_DUTY, .u.duty = { .on = true } };

        e.u.duty.until_s = (uint32_t)(UTC0 / 1000);
        assert_int_equal(phone_event(p, e), -EINVAL);
        e.u.duty.until_s = (uint32_t)(UTC0 / 1000) + 100;
        strcpy(e.u.duty.person, "no body");
        assert_int_equal(phone_event(p, e), -EINVAL);
        memset(e.u.duty.person, 'x', sizeof(e.u.duty.person));
        assert_int_equal(phone_event(p, e), -EINVAL);
        memset(e.u.duty.person, 0, sizeof(e.u.duty.person));
        memset(e.u.duty.round, 'x', sizeof(e.u.duty.round));
        assert_int_equal(phone_event(p, e), -EINVAL);
        assert_int_equal(p->status.duty.state, VIGIE_DUTY_OFF);
        memset(e.u.duty.round, 0, sizeof(e.u.duty.round));
        e.u.duty.until_s = UINT32_MAX;
        assert_int_equal(phone_event(p, e), 0);
        assert_int_equal(p->status.duty.until_s, UTC0 / 1000 + VIGIE_DUTY_MAX_S);
        phone_free(p);
}

/* Asked at the planned end, off half an hour later; another end given, on. */
static void duty_ends_by_itself(void **state)
{
        for (int longer = 0; longer < 2; longer++) {
                struct phone *p = phone_started();

                phone_duty(p, true);
                phone_run(p, 3600000 - 1);
                assert_false(p->status.duty.ends);
                phone_mark(p);
                phone_run(p, 1);
                assert_true(p->status.duty.ends);
                assert_int_equal(phone_vibrated(p, VIGIE_VIBRATE_ASK), 1);
                phone_run(p, VIGIE_DUTY_OVERTIME_S * 1000 - 1);
                assert_int_equal(p->status.duty.state, VIGIE_DUTY_ON);
                if (longer)
                        phone_duty(p, true);
                phone_run(p, 1);
                assert_int_equal(p->status.duty.state, longer ? VIGIE_DUTY_ON : VIGIE_DUTY_OFF);
                assert_int_equal(phone_sent_count(p, FRAME_DUTY), 1);
                assert_int_equal(phone_sent_count(p, FRAME_ALERT), 0); /* another end is no new proof */
                phone_free(p);
        }
}

/* Duty survives a restart; off that could not be told is told later. */
static void duty_survives(void **state)
{
        struct phone *p = phone_started();
        struct frame frame;

        phone_duty(p, true);
        phone_run(p, 1000);
        phone_start(p);
        assert_int_equal(p->status.duty.state, VIGIE_DUTY_ON);
        assert_string_equal(p->status.duty.round, "lyon-3");
        phone_network(p, false);
        phone_duty(p, false);
        p->network = true;
        phone_mark(p);
        phone_start(p);
        assert_int_equal(p->status.duty.state, VIGIE_DUTY_OFF);
        assert_non_null(phone_sent(p, FRAME_DUTY, 0, &frame));
        assert_false(frame.u.duty.on);
        phone_duty(p, true);
        p->utc_ms += 3600000 + VIGIE_DUTY_OVERTIME_S * 1000;
        phone_start(p);
        assert_int_equal(p->status.duty.state, VIGIE_DUTY_OFF);
        phone_free(p);
}

/* An answer that does not come: asked again after 3, 6, 12 s ... a minute. */
static void duty_is_told_again(void **state)
{
        struct phone *p = phone_started();

        p->region = false;
        phone_duty(p, true);
        phone_mark(p);
        phone_run(p, 600000);
        assert_in_range(phone_sent_count(p, FRAME_DUTY), 13, 15);
        phone_free(p);
}

/* ---- heartbeat --------------------------------------------------------------------------------------------------- */

static void heartbeat_on_duty_alone(void **state)
{
        struct phone *p = phone_started();
        const struct vigie_action *seal;
        struct frame frame;

        phone_fix(p, 45.76, 4.83, 5);
        phone_run(p, 600000);
        assert_int_equal(phone_sent_count(p, FRAME_HEARTBEAT) + phone_count(p, VIGIE_DO_SEAL), 0);
        phone_event(p, (struct vigie_event){ .type = VIGIE_ON_BATTERY, .u.battery = 61 });
        phone_duty(p, true);
        phone_run(p, 600000);
        assert_in_range(phone_sent_count(p, FRAME_HEARTBEAT), 10, 12);
        phone_sent(p, FRAME_HEARTBEAT, 3, &frame);
        assert_int_equal(frame.u.heartbeat.battery, 61);
        assert_int_equal(frame.u.heartbeat.sealed.len, 2);
        seal = &phone_did(p, VIGIE_DO_SEAL, 0)->action;
        assert_int_equal(seal->len, 40);
        assert_memory_equal(seal->data, position_key, 8);
        assert_memory_equal(seal->data + 8, position_key, 32);
        assert_int_equal(seal->place.lat_e7, 457600000);
        phone_duty(p, false);
        phone_mark(p);
        phone_run(p, 600000);
        assert_int_equal(phone_sent_count(p, FRAME_HEARTBEAT) + phone_count(p, VIGIE_DO_SEAL), 0);
        phone_free(p);
}

/* A seal that comes when duty is over, or not at all. */
static void seal_late_or_never(void **state)
{
        struct phone *p = phone_new();
        struct vigie_event e = { .type = VIGIE_ON_SEALED };
        struct frame frame;

        p->seal_silent = true;
        phone_start(p);
        phone_fix(p, 45.76, 4.83, 5);
        phone_duty(p, true);
        phone_run(p, 2000);
        assert_non_null(phone_sent(p, FRAME_HEARTBEAT, 0, &frame));
        assert_int_equal(frame.u.heartbeat.sealed.len, 0);
        phone_run(p, 58000);
        e.u.sealed.ticket = phone_did(p, VIGIE_DO_SEAL, 1)->action.ticket;
        e.u.sealed.data = (const uint8_t *)"x";
        e.u.sealed.len = 1;
        phone_network(p, false);
        phone_mark(p);
        phone_event(p, e);
        assert_int_equal(phone_count(p, VIGIE_DO_SEND), 0);
        p->network = true;
        phone_run(p, 70000);
        e.u.sealed.ticket = phone_did(p, VIGIE_DO_SEAL, 0)->action.ticket;
        phone_duty(p, false);
        phone_mark(p);
        phone_event(p, e);
        assert_int_equal(phone_sent_count(p, FRAME_HEARTBEAT), 0);
        phone_free(p);
}

static void no_key_no_position(void **state)
{
        struct phone *p = phone_new();
        struct frame frame;

        p->options.trust_len = 0;
        phone_start(p);
        phone_fix(p, 45.76, 4.83, 5);
        phone_duty(p, true);
        phone_run(p, 1000);
        assert_non_null(phone_sent(p, FRAME_HEARTBEAT, 0, &frame));
        assert_int_equal(frame.u.heartbeat.sealed.len, 0);
        assert_int_equal(phone_count(p, VIGIE_DO_SEAL), 0);
        assert_int_equal(p->status.trouble & VIGIE_TROUBLE_TRUST, VIGIE_TROUBLE_TRUST);
        phone_free(p);
}

static void supervisor_presence(void **state)
{
        struct phone *p = phone_new();
        struct frame frame;

        p->options.role = VIGIE_SUPERVISOR;
        phone_start(p);
        phone_fix(p, 45.76, 4.83, 5);
        phone_run(p, 60000);
        assert_int_equal(phone_sent_count(p, FRAME_PRESENCE), 0);
        phone_duty(p, true);
        phone_run(p, 60000);
        assert_in_range(phone_sent_count(p, FRAME_PRESENCE), 4, 6);
        phone_sent(p, FRAME_PRESENCE, 1, &frame);
        assert_true(frame.u.presence.has_position);
        assert_int_equal(frame.u.presence.at.lat_e7, 457600000);
        assert_int_equal(phone_sent_count(p, FRAME_HEARTBEAT), 0);
        phone_free(p);
}

/* The first fix, and one after a long time without, are told at once: who is near must be known at a press. */
static void first_fix_is_told(void **state)
{
        struct phone *p = phone_new();
        struct frame frame;

        p->options.role = VIGIE_SUPERVISOR;
        phone_start(p);
        phone_duty(p, true);
        phone_run(p, 2000);
        phone_mark(p);
        phone_fix(p, 45.76, 4.83, 5);
        phone_run(p, 100);
        assert_int_equal(phone_sent_count(p, FRAME_PRESENCE), 1);
        phone_sent(p, FRAME_PRESENCE, 0, &frame);
        assert_true(frame.u.presence.has_position);
        phone_fix(p, 45.76, 4.83, 5);
        phone_run(p, 100);
        assert_int_equal(phone_sent_count(p, FRAME_PRESENCE), 1);
        phone_free(p);
}

/* The region thinks us off duty: told again, and no heartbeat before it agrees. */
static void region_disbelieves(void **state)
{
        struct phone *p = phone_started();
        struct frame error = { .type = FRAME_ERROR, .u.error = { .code = FRAME_ERROR_OFF_DUTY_POSITION } };

        phone_duty(p, true);
        phone_mark(p);
        phone_frame(p, &error);
        assert_int_equal(phone_sent_count(p, FRAME_DUTY), 1);
        assert_int_equal(p->status.duty.state, VIGIE_DUTY_ON);
        phone_free(p);
}

/* A region that goes on disbelieving is told once a minute, not as fast as it answers. */
static void region_disbelieves_for_long(void **state)
{
        struct phone *p = phone_started();
        struct frame error = { .type = FRAME_ERROR, .u.error = { .code = FRAME_ERROR_OFF_DUTY_POSITION } };
        size_t beats = 0;

        phone_fix(p, 45.76, 4.83, 5);
        phone_duty(p, true);
        phone_mark(p);
        for (int i = 0; i < 6000; i++) {
                phone_run(p, 100);
                if (phone_sent_count(p, FRAME_HEARTBEAT) == beats)
                        continue;
                beats++;
                phone_frame(p, &error);
        }
        assert_in_range(beats, 9, 12);
        assert_int_equal(phone_sent_count(p, FRAME_DUTY), beats);
        phone_frame(p, &(struct frame){ .type = FRAME_ERROR, .u.error = { .code = FRAME_ERROR_OFF_DUTY_POSITION } });
        phone_duty(p, false);
        phone_mark(p);
        phone_frame(p, &error); /* we are off: it is right */
        assert_int_equal(phone_count(p, VIGIE_DO_SEND), 0);
        phone_free(p);
}

/* The phone comes up with its clock at 1970: duty does not last until its planned end by that clock. */
static void duty_and_a_wrong_clock(void **state)
{
        struct phone *p = phone_started();

        phone_duty(p, true);
        phone_run(p, 1000);
        p->utc_ms = 0;
        phone_start(p);
        assert_int_equal(p->status.duty.state, VIGIE_DUTY_ON);
        phone_run(p, INT64_C(1000) * (VIGIE_DUTY_MAX_S + VIGIE_DUTY_OVERTIME_S));
        assert_int_equal(p->status.duty.state, VIGIE_DUTY_OFF);
        phone_free(p);
}

/* ---- the question ------------------------------------------------------------------------------------------------ */

static void are_you_all_right(void **state)
{
        struct phone *p = phone_started();
        struct frame question = { .type = FRAME_QUESTION, .u.request.request = 77 }, safe;

        phone_duty(p, true);
        phone_just(p, VIGIE_ON_FINE);
        assert_int_equal(phone_sent_count(p, FRAME_SAFE), 0);
        phone_frame(p, &question);
        phone_frame(p, &question);
        assert_true(p->status.question);
        assert_int_equal(phone_vibrated(p, VIGIE_VIBRATE_ASK), 1);
        phone_network(p, false);
        phone_just(p, VIGIE_ON_FINE);
        assert_false(p->status.question);
        phone_mark(p);
        p->network = true;
        phone_run(p, 130000);
        assert_int_equal(phone_sent_count(p, FRAME_SAFE), 1);
        phone_sent(p, FRAME_SAFE, 0, &safe);
        assert_int_equal(safe.u.request.request, 77);
        phone_free(p);
}

/* Off duty it is no question for a person: the region took an old word for a new one, and is told again. */
static void asked_off_duty(void **state)
{
        struct phone *p = phone_started();
        struct frame question = { .type = FRAME_QUESTION, .u.request.request = 77 }, duty;
        size_t before;

        phone_duty(p, true);
        phone_run(p, 2000);
        phone_duty(p, false);
        phone_run(p, 2000);
        before = phone_sent_count(p, FRAME_DUTY);
        phone_frame(p, &question);
        phone_run(p, 1000);
        assert_false(p->status.question);
        assert_int_equal(phone_vibrated(p, VIGIE_VIBRATE_ASK), 0);
        assert_int_equal(phone_sent_count(p, FRAME_DUTY), before + 1);
        phone_sent(p, FRAME_DUTY, before, &duty);
        assert_false(duty.u.duty.on);
        phone_free(p);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(duty_proves_the_button),
                cmocka_unit_test(test_press_is_patient),
                cmocka_unit_test(duty_is_confirmed),
                cmocka_unit_test(duty_is_refused),
                cmocka_unit_test(duty_out_of_range),
                cmocka_unit_test(duty_ends_by_itself),
                cmocka_unit_test(duty_survives),
                cmocka_unit_test(duty_is_told_again),
                cmocka_unit_test(asked_off_duty),
                cmocka_unit_test(heartbeat_on_duty_alone),
                cmocka_unit_test(seal_late_or_never),
                cmocka_unit_test(no_key_no_position),
                cmocka_unit_test(supervisor_presence),
                cmocka_unit_test(first_fix_is_told),
                cmocka_unit_test(region_disbelieves),
                cmocka_unit_test(region_disbelieves_for_long),
                cmocka_unit_test(duty_and_a_wrong_clock),
                cmocka_unit_test(are_you_all_right),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
