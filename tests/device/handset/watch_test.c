#include <errno.h>

#include "tests/device/handset/phone.h"

static void motion(struct phone *p, bool moved)
{
        phone_event(p, (struct vigie_event){ .type = VIGIE_ON_MOTION, .u.motion = { moved } });
}

static int deadline(struct phone *p, uint8_t what, uint32_t in_s)
{
        return phone_event(p, (struct vigie_event){ .type = VIGIE_ON_DEADLINE, .u.deadline = { what, in_s } });
}

static struct phone *on_duty(uint16_t man_down_s)
{
        struct phone *p = phone_new();

        p->options.man_down_s = man_down_s;
        phone_start(p);
        phone_duty(p, true);
        phone_run(p, 1000);
        phone_mark(p);
        return p;
}

/* No motion, asked, counted down, raised. */
static void man_down(void **state)
{
        struct phone *p = on_duty(60);

        phone_run(p, 600000); /* no sensor, no alarm */
        assert_int_equal(p->status.man_down_at_ms, 0);
        motion(p, true);
        phone_run(p, 59999);
        assert_int_equal(p->status.man_down_at_ms, 0);
        phone_run(p, 1);
        assert_int_equal(p->status.man_down_at_ms, p->utc_ms + VIGIE_ASK_S * 1000);
        assert_int_equal(phone_vibrated(p, VIGIE_VIBRATE_ASK), 1);
        phone_run(p, VIGIE_ASK_S * 1000 - 1);
        assert_int_equal(p->status.alert.word, VIGIE_NOTHING);
        phone_run(p, 1);
        assert_int_equal(p->status.alert.word, VIGIE_RECEIVED);
        assert_int_equal(p->status.alert.kind, ALERT_MAN_DOWN);
        assert_int_equal(p->status.man_down_at_ms, 0);
        phone_receipt(p, RECEIPT_CLOSED_OTHER, 99, "A");
        phone_run(p, 600000); /* not again until it moves */
        assert_int_equal(p->status.alert.word, VIGIE_CLOSED);
        phone_free(p);
}

static void man_down_answered(void **state)
{
        for (int how = 0; how < 4; how++) {
                struct phone *p = on_duty(60);

                motion(p, true);
                phone_run(p, 70000);
                assert_true(p->status.man_down_at_ms != 0);
                if (how == 0)
                        phone_just(p, VIGIE_ON_FINE);
                else if (how == 1)
                        motion(p, true);
                else if (how == 2)
                        phone_duty(p, false);
                else
                        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
                phone_run(p, 59000);
                assert_int_equal(p->status.alert.word, how == 3 ? VIGIE_RECEIVED : VIGIE_NOTHING);
                phone_run(p, 2000); /* and it is watched again, on duty and without an alert */
                assert_int_equal(p->status.man_down_at_ms != 0, how < 2);
                phone_free(p);
        }
}

static void man_down_by_a_sensor(void **state)
{
        struct phone *p = on_duty(60), *off = on_duty(0);

        motion(p, false);
        assert_true(p->status.man_down_at_ms != 0);
        motion(off, false);
        assert_int_equal(off->status.man_down_at_ms, 0);
        phone_duty(p, false);
        motion(p, false);
        assert_int_equal(p->status.man_down_at_ms, 0);
        phone_free(p);
        phone_free(off);
}

/* ---- timed check-in ---------------------------------------------------------------------------------------------- */

static void check_in_missed(void **state)
{
        struct phone *p = phone_started();

        assert_int_equal(deadline(p, VIGIE_DEADLINE_SET, 59), -EINVAL);
        assert_int_equal(deadline(p, VIGIE_DEADLINE_SET, 28801), -EINVAL);
        assert_int_equal(deadline(p, 3, 600), -EINVAL);
        assert_int_equal(deadline(p, VIGIE_DEADLINE_SET, 600), 0);
        assert_int_equal(p->status.check_in_at_ms, UTC0 + 600000);
        phone_run(p, 599999);
        assert_int_equal(p->status.missed_at_ms, 0);
        phone_run(p, 1);
        assert_int_equal(p->status.missed_at_ms, p->utc_ms + VIGIE_ASK_S * 1000);
        phone_run(p, VIGIE_ASK_S * 1000);
        assert_int_equal(p->status.alert.kind, ALERT_MISSED_CHECK_IN);
        assert_int_equal(p->status.alert.word, VIGIE_RECEIVED);
        assert_int_equal(p->status.check_in_at_ms, 0);
        phone_start(p);
        phone_run(p, 120000);
        assert_int_equal(p->status.alert.presses, 1); /* raised once */
        phone_free(p);
}

static void check_in_ends(void **state)
{
        for (int how = 0; how < 4; how++) {
                struct phone *p = phone_started();

                deadline(p, VIGIE_DEADLINE_SET, 600);
                if (how == 0)
                        deadline(p, VIGIE_DEADLINE_CLEAR, 0);
                if (how == 1)
                        phone_just(p, VIGIE_ON_FINE);
                phone_run(p, 601000);
                if (how == 2)
                        phone_just(p, VIGIE_ON_FINE);
                if (how == 3)
                        deadline(p, VIGIE_DEADLINE_SET, 600);
                phone_run(p, 60000);
                assert_int_equal(p->status.alert.word, VIGIE_NOTHING);
                assert_int_equal(p->status.missed_at_ms, 0);
                assert_int_equal(p->status.check_in_at_ms != 0, how == 3);
                phone_free(p);
        }
}

static void check_in_expired_by_the_host(void **state)
{
        struct phone *p = phone_started();

        deadline(p, VIGIE_DEADLINE_EXPIRED, 0);
        assert_int_equal(p->status.missed_at_ms, 0);
        deadline(p, VIGIE_DEADLINE_SET, 600);
        deadline(p, VIGIE_DEADLINE_EXPIRED, 0);
        assert_int_equal(p->status.missed_at_ms, UTC0 + VIGIE_ASK_S * 1000);
        phone_free(p);
}

/* It goes on across a restart; one that expired meanwhile is asked at once. */
static void check_in_survives(void **state)
{
        struct phone *p = phone_started();

        deadline(p, VIGIE_DEADLINE_SET, 600);
        p->mono_ms = 1000;
        p->utc_ms += 300000;
        phone_start(p);
        phone_run(p, 299999);
        assert_int_equal(p->status.missed_at_ms, 0);
        phone_run(p, 1);
        assert_true(p->status.missed_at_ms != 0);
        p->utc_ms += 86400000;
        phone_start(p);
        assert_int_equal(p->status.missed_at_ms, p->utc_ms + VIGIE_ASK_S * 1000);
        phone_run(p, VIGIE_ASK_S * 1000);
        assert_int_equal(p->status.alert.kind, ALERT_MISSED_CHECK_IN);
        phone_free(p);
}

/* ---- last words -------------------------------------------------------------------------------------------------- */

static void battery(struct phone *p, uint8_t percent)
{
        phone_event(p, (struct vigie_event){ .type = VIGIE_ON_BATTERY, .u.battery = percent });
}

static void last_words_of_an_alert(void **state)
{
        for (int off = 0; off < 2; off++) {
                struct phone *p = phone_started();

                battery(p, 5);
                phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
                phone_run(p, 1000);
                assert_int_equal(phone_alert(p).alert.battery_percent, 5);
                phone_mark(p);
                if (off)
                        phone_just(p, VIGIE_ON_POWER_OFF);
                else
                        battery(p, 4);
                assert_int_equal(phone_sent_count(p, FRAME_ALERT), 1);
                assert_int_equal(phone_alert(p).alert.marks & ALERT_LAST_WORDS, ALERT_LAST_WORDS);
                battery(p, 6);
                battery(p, 3);
                battery(p, 255);
                assert_int_equal(phone_sent_count(p, FRAME_ALERT), 1);
                phone_free(p);
        }
}

static void last_words_on_duty(void **state)
{
        struct phone *p = on_duty(0), *off = phone_started();

        battery(p, 30);
        assert_int_equal(phone_sent_count(p, FRAME_HEARTBEAT), 0);
        battery(p, 4);
        assert_int_equal(phone_sent_count(p, FRAME_HEARTBEAT), 1);
        assert_int_equal(p->status.trouble & VIGIE_TROUBLE_BATTERY, VIGIE_TROUBLE_BATTERY);
        battery(p, 7);
        battery(p, 4); /* it swings: no new last words */
        assert_int_equal(phone_sent_count(p, FRAME_HEARTBEAT), 1);
        battery(p, 50);
        assert_int_equal(p->status.trouble & VIGIE_TROUBLE_BATTERY, 0);
        phone_just(p, VIGIE_ON_POWER_OFF);
        assert_int_equal(phone_sent_count(p, FRAME_HEARTBEAT), 2);
        battery(off, 1); /* off duty, no alert: nothing leaves */
        phone_just(off, VIGIE_ON_POWER_OFF);
        assert_int_equal(phone_sent_count(off, FRAME_HEARTBEAT) + phone_sent_count(off, FRAME_ALERT), 0);
        assert_int_equal(phone_event(off, (struct vigie_event){ .type = VIGIE_ON_BATTERY, .u.battery = 101 }), -EINVAL);
        phone_free(p);
        phone_free(off);
}

static uint8_t cause(const struct phone *p, size_t nth)
{
        struct frame frame = { .u.heartbeat.cause = 99 };

        phone_sent(p, FRAME_HEARTBEAT, nth, &frame);
        return frame.u.heartbeat.cause;
}

/* Last words say why: a low battery for as long as it is low, switching off for those few seconds; one heartbeat, not
 * another behind it that takes the words back. */
static void last_words_say_why(void **state)
{
        struct phone *p = phone_started();

        phone_fix(p, 45.76, 4.83, 5);
        phone_duty(p, true);
        phone_run(p, 5000);
        phone_mark(p);
        battery(p, 4);
        phone_run(p, VIGIE_HEARTBEAT_MS);
        assert_int_equal(phone_sent_count(p, FRAME_HEARTBEAT), 2);
        assert_int_equal(cause(p, 0), HEARTBEAT_BATTERY_LOW);
        assert_int_equal(cause(p, 1), HEARTBEAT_BATTERY_LOW);
        phone_run(p, 1000);
        phone_mark(p);
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD); /* an alert says it too, and that in its own way */
        phone_just(p, VIGIE_ON_POWER_OFF);
        assert_int_equal(phone_sent_count(p, FRAME_HEARTBEAT), 1);
        assert_int_equal(cause(p, 0), HEARTBEAT_POWER_OFF);
        battery(p, 90);
        phone_run(p, VIGIE_HEARTBEAT_MS); /* it was not switched off */
        assert_int_equal(phone_sent_count(p, FRAME_HEARTBEAT), 2);
        assert_int_equal(cause(p, 1), HEARTBEAT_ORDINARY);
        phone_free(p);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(man_down),
                cmocka_unit_test(man_down_answered),
                cmocka_unit_test(man_down_by_a_sensor),
                cmocka_unit_test(check_in_missed),
                cmocka_unit_test(check_in_ends),
                cmocka_unit_test(check_in_expired_by_the_host),
                cmocka_unit_test(check_in_survives),
                cmocka_unit_test(last_words_of_an_alert),
                cmocka_unit_test(last_words_on_duty),
                cmocka_unit_test(last_words_say_why),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
