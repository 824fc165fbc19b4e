#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

#include "base/loop.h"

struct fixture {
        struct loop *loop;
        struct wheel_timer a, b, patience;
        int64_t due[3], fired_at[3];
        int fired, signals;
};

static void out_of_patience(struct wheel_timer *timer, int64_t now_mono_ms)
{
        fail_msg("waited for nothing");
}

static void setup(struct fixture *f)
{
        *f = (struct fixture){ 0 };
        assert_int_equal(loop_open(&f->loop), 0);
        wheel_timer_init(&f->patience, out_of_patience, f);
        loop_timer_arm(f->loop, &f->patience, clock_mono_ms() + 30000);
}

static void fire(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct fixture *f = timer->user;

        assert_true(clock_mono_ms() >= timer->due_mono_ms); /* never early */
        f->due[f->fired] = timer->due_mono_ms;
        f->fired_at[f->fired++] = now_mono_ms;
        if (timer == &f->b)
                loop_stop(f->loop);
}

static void timers_fire_in_order_and_never_early(void **state)
{
        struct fixture f;
        int64_t now;

        setup(&f);
        now = clock_mono_ms();
        wheel_timer_init(&f.a, fire, &f);
        wheel_timer_init(&f.b, fire, &f);
        loop_timer_arm(f.loop, &f.b, now + 30);
        loop_timer_arm(f.loop, &f.a, now + 5); /* earlier than what the uv timer is set to */
        loop_run(f.loop);
        assert_int_equal(f.fired, 2);
        assert_int_equal(f.due[0], now + 5);
        assert_int_equal(f.due[1], now + 30);
        assert_int_equal(loop_close(f.loop), 0);
}

static void a_cancelled_timer_does_not_fire(void **state)
{
        struct fixture f;

        setup(&f);
        wheel_timer_init(&f.a, fire, &f);
        wheel_timer_init(&f.b, fire, &f);
        loop_timer_arm(f.loop, &f.a, clock_mono_ms() + 2);
        loop_timer_arm(f.loop, &f.b, clock_mono_ms() + 10);
        loop_timer_cancel(f.loop, &f.a);
        loop_run(f.loop);
        assert_int_equal(f.fired, 1);
        assert_int_equal(loop_close(f.loop), 0);
}

/* A timer for the past, armed from a timer: it fires in the next turn. */
static void arm_past(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct fixture *f = timer->user;

        loop_timer_arm(f->loop, &f->b, now_mono_ms - 100);
}

static void the_past_fires_at_once(void **state)
{
        struct fixture f;

        setup(&f);
        wheel_timer_init(&f.a, arm_past, &f);
        wheel_timer_init(&f.b, fire, &f);
        loop_timer_arm(f.loop, &f.a, 0);
        loop_run(f.loop);
        assert_int_equal(f.fired, 1);
        assert_int_equal(loop_close(f.loop), 0);
}

static void raise_term(struct wheel_timer *timer, int64_t now_mono_ms)
{
        raise(SIGTERM);
}

static void raise_int(struct wheel_timer *timer, int64_t now_mono_ms)
{
        raise(SIGINT);
}

static void on_stop(void *user, int signal)
{
        struct fixture *f = user;

        assert_int_equal(signal, SIGTERM);
        f->signals++;
        loop_timer_arm(f->loop, &f->b, clock_mono_ms()); /* an orderly end that hangs; then a second signal */
}

struct turns {
        struct fixture f;
        uv_check_t check; /* once a turn */
        int turns, at[3];
};

static void turn(uv_check_t *check)
{
        ((struct turns *)check->data)->turns++;
}

static void fire_again(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct turns *t = timer->user;

        t->at[t->f.fired++] = t->turns;
        if (t->f.fired < 3)
                loop_timer_arm(t->f.loop, timer, now_mono_ms);
        else
                loop_stop(t->f.loop);
}

/* A timer that is always due leaves the others their turns. */
static void the_past_waits_a_turn(void **state)
{
        struct turns t = { 0 };

        setup(&t.f);
        uv_check_init(loop_uv(t.f.loop), &t.check);
        t.check.data = &t;
        uv_check_start(&t.check, turn);
        wheel_timer_init(&t.f.a, fire_again, &t);
        loop_timer_arm(t.f.loop, &t.f.a, clock_mono_ms());
        loop_run(t.f.loop);
        assert_int_equal(t.f.fired, 3);
        assert_true(t.at[0] < t.at[1] && t.at[1] < t.at[2]);
        uv_close((uv_handle_t *)&t.check, NULL);
        assert_int_equal(loop_close(t.f.loop), 0);
}

static void a_signal_stops(void **state)
{
        struct fixture f;

        setup(&f);
        wheel_timer_init(&f.a, raise_int, &f);
        loop_timer_arm(f.loop, &f.a, 0);
        loop_run(f.loop);
        assert_int_equal(loop_close(f.loop), 0);
}

static void on_first(void *user, int signal)
{
        struct fixture *f = user;

        loop_on_stop(f->loop, on_stop, f);
        loop_timer_arm(f->loop, &f->a, clock_mono_ms()); /* the second */
}

/* Who asks for the second signal gets it; the third stops for sure. */
static void a_second_signal_may_be_asked_for(void **state)
{
        struct fixture f;

        setup(&f);
        loop_on_stop(f.loop, on_first, &f);
        wheel_timer_init(&f.a, raise_term, &f);
        wheel_timer_init(&f.b, raise_int, &f);
        loop_timer_arm(f.loop, &f.a, 0);
        loop_run(f.loop);
        assert_int_equal(f.signals, 1);
        assert_int_equal(loop_close(f.loop), 0);
}

static void a_second_signal_stops_for_sure(void **state)
{
        struct fixture f;

        setup(&f);
        loop_on_stop(f.loop, on_stop, &f);
        wheel_timer_init(&f.a, raise_term, &f);
        wheel_timer_init(&f.b, raise_int, &f);
        loop_timer_arm(f.loop, &f.a, 0);
        loop_run(f.loop);
        assert_int_equal(f.signals, 1);
        assert_int_equal(loop_close(f.loop), 0);
}

static void sigpipe_is_ignored(void **state)
{
        struct fixture f;
        int ends[2];

        setup(&f);
        assert_int_equal(pipe(ends), 0);
        close(ends[0]);
        assert_int_equal(write(ends[1], "x", 1), -1);
        assert_int_equal(errno, EPIPE);
        close(ends[1]);
        assert_int_equal(loop_close(f.loop), 0);
}

static void a_forgotten_handle_is_said(void **state)
{
        struct fixture f;
        uv_timer_t timer;
        uv_loop_t *uv;

        setup(&f);
        uv = loop_uv(f.loop);
        uv_timer_init(uv, &timer);
        uv_timer_start(&timer, NULL, 1000000, 0);
        assert_int_equal(loop_close(f.loop), -EBUSY);
        uv_close((uv_handle_t *)&timer, NULL);
        uv_run(uv, UV_RUN_DEFAULT);
        assert_int_equal(uv_loop_close(uv), 0);
        free(f.loop);
}

static void clocks_agree(void **state)
{
        int64_t us = clock_mono_us(), ms = clock_mono_ms();

        assert_true(ms >= us / 1000 && ms - us / 1000 < 10000);
        assert_true(clock_utc_ms() > INT64_C(1577836800000)); /* 2020 */
        loop_close(NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(timers_fire_in_order_and_never_early),
                cmocka_unit_test(a_cancelled_timer_does_not_fire),
                cmocka_unit_test(the_past_fires_at_once),
                cmocka_unit_test(the_past_waits_a_turn),
                cmocka_unit_test(a_signal_stops),
                cmocka_unit_test(a_second_signal_stops_for_sure),
                cmocka_unit_test(a_second_signal_may_be_asked_for),
                cmocka_unit_test(sigpipe_is_ignored),
                cmocka_unit_test(a_forgotten_handle_is_said),
                cmocka_unit_test(clocks_agree),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
