#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/wheel.h"

#define MAX 64

/* What fired, in order. */
struct diary {
        struct wheel *wheel;
        int count;
        int64_t due[MAX], now[MAX];
        const struct wheel_timer *who[MAX];
};

static void note(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct diary *diary = timer->user;

        assert_false(wheel_timer_is_armed(timer));
        assert_true(diary->count < MAX);
        diary->due[diary->count] = timer->due_mono_ms;
        diary->now[diary->count] = now_mono_ms;
        diary->who[diary->count++] = timer;
}

static void fires_at_its_time_and_once(void **state)
{
        static const int64_t delays[] = {
                1, 2, 63, 64, 65, 4095, 4096, 4097, 262143, 262144, 262145, 86400000, 400 * INT64_C(86400000)
        };
        static const int64_t starts[] = { 0, 1, 63, 64, 4095, 123456789, INT64_C(1) << 40 };

        for (size_t s = 0; s < sizeof(starts) / sizeof(starts[0]); s++)
                for (size_t d = 0; d < sizeof(delays) / sizeof(delays[0]); d++) {
                        struct wheel wheel;
                        struct diary diary = { .wheel = &wheel };
                        struct wheel_timer timer;
                        int64_t due = starts[s] + delays[d];

                        wheel_init(&wheel, starts[s]);
                        wheel_timer_init(&timer, note, &diary);
                        wheel_arm(&wheel, &timer, due);
                        assert_true(wheel_next(&wheel) <= due && wheel_next(&wheel) > starts[s]);
                        assert_int_equal(wheel_advance(&wheel, due - 1), 0);
                        assert_int_equal(wheel_next(&wheel), due);
                        assert_int_equal(wheel_advance(&wheel, due), 1);
                        assert_int_equal(diary.now[0], due);
                        assert_int_equal(wheel_advance(&wheel, due + 1000000), 0);
                        assert_int_equal(wheel_next(&wheel), INT64_MAX);
                }
}

/* Stepping from wheel_next to wheel_next never passes a due time and takes few steps. */
static void next_leads_to_the_due_time(void **state)
{
        struct wheel wheel;
        struct diary diary = { 0 };
        struct wheel_timer timer;
        int steps = 0;

        wheel_init(&wheel, 1000);
        wheel_timer_init(&timer, note, &diary);
        wheel_arm(&wheel, &timer, INT64_C(123456789012));
        while (diary.count == 0) {
                wheel_advance(&wheel, wheel_next(&wheel));
                steps++;
        }
        assert_int_equal(diary.now[0], INT64_C(123456789012));
        assert_true(steps <= WHEEL_LEVELS);
}

static void same_ms_keeps_the_order_of_arming(void **state)
{
        struct wheel wheel;
        struct diary diary = { 0 };
        struct wheel_timer timer[6];
        static const int64_t arm_at[] = { 0, 100, 3000, 4990, 4999, 4999 };

        wheel_init(&wheel, 0);
        for (int i = 0; i < 6; i++) {
                wheel_advance(&wheel, arm_at[i]);
                wheel_timer_init(&timer[i], note, &diary);
                wheel_arm(&wheel, &timer[i], 5000);
        }
        assert_int_equal(diary.count, 0);
        wheel_advance(&wheel, 6000);
        assert_int_equal(diary.count, 6);
        for (int i = 0; i < 6; i++)
                assert_ptr_equal(diary.who[i], &timer[i]);
}

static void cancel_and_rearm(void **state)
{
        struct wheel wheel;
        struct diary diary = { 0 };
        struct wheel_timer a, b;

        wheel_init(&wheel, 0);
        wheel_timer_init(&a, note, &diary);
        wheel_timer_init(&b, note, &diary);
        wheel_cancel(&wheel, &a);
        wheel_arm(&wheel, &a, 10);
        wheel_arm(&wheel, &b, 10);
        assert_int_equal(wheel.armed, 2);
        wheel_cancel(&wheel, &a);
        assert_false(wheel_timer_is_armed(&a));
        wheel_arm(&wheel, &b, 500);
        assert_int_equal(wheel.armed, 1);
        assert_true(wheel_next(&wheel) > 10);
        assert_int_equal(wheel_advance(&wheel, 499), 0);
        wheel_arm(&wheel, &b, 600);
        assert_int_equal(wheel_advance(&wheel, 599), 0);
        assert_int_equal(wheel_advance(&wheel, 600), 1);
        assert_int_equal(wheel.armed, 0);
}

static void the_past_fires_next_time(void **state)
{
        struct wheel wheel;
        struct diary diary = { 0 };
        struct wheel_timer timer;

        wheel_init(&wheel, 1000);
        wheel_timer_init(&timer, note, &diary);
        wheel_arm(&wheel, &timer, 5);
        assert_int_equal(wheel_next(&wheel), 1000);
        assert_int_equal(wheel_advance(&wheel, 900), 1);
        assert_int_equal(diary.now[0], 1000);
        wheel_arm(&wheel, &timer, -1);
        assert_int_equal(wheel_advance(&wheel, 1000), 1);
}

static void far_future_is_clamped(void **state)
{
        struct wheel wheel;
        struct diary diary = { 0 };
        struct wheel_timer timer;

        wheel_init(&wheel, 12345);
        wheel_timer_init(&timer, note, &diary);
        wheel_arm(&wheel, &timer, INT64_MAX);
        assert_int_equal(timer.due_mono_ms, WHEEL_TIME_MAX);
        assert_int_equal(wheel_advance(&wheel, WHEEL_TIME_MAX - 1), 0);
        assert_int_equal(wheel_advance(&wheel, WHEEL_TIME_MAX), 1);
}

/* A timer that arms itself for now fires once per advance. */
static void rearm_now(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct diary *diary = timer->user;

        diary->count++;
        wheel_arm(diary->wheel, timer, now_mono_ms);
}

static void a_callback_that_arms_itself_does_not_spin(void **state)
{
        struct wheel wheel;
        struct diary diary = { .wheel = &wheel };
        struct wheel_timer timer;

        wheel_init(&wheel, 0);
        wheel_timer_init(&timer, rearm_now, &diary);
        wheel_arm(&wheel, &timer, 7);
        assert_int_equal(wheel_advance(&wheel, 100), 1);
        assert_int_equal(wheel_next(&wheel), 100);
        assert_int_equal(wheel_advance(&wheel, 100), 1);
        assert_int_equal(diary.count, 2);
}

/* Callbacks that cancel, free, and arm others of the same and of other times. */
struct pair {
        struct wheel *wheel;
        struct wheel_timer *other;
        struct diary *diary;
};

static void cancel_other(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct pair *pair = timer->user;

        wheel_cancel(pair->wheel, pair->other);
        free(pair->other);
        free(timer);
}

static void a_callback_may_cancel_and_free(void **state)
{
        struct wheel wheel;
        struct diary diary = { 0 };
        struct wheel_timer *first = malloc(sizeof(*first)), *second = malloc(sizeof(*second));
        struct pair pair = { &wheel, second, &diary };

        wheel_init(&wheel, 0);
        wheel_timer_init(first, cancel_other, &pair);
        wheel_timer_init(second, note, &diary);
        wheel_arm(&wheel, first, 50);
        wheel_arm(&wheel, second, 50);
        assert_int_equal(wheel_advance(&wheel, 60), 1);
        assert_int_equal(diary.count, 0);
        assert_int_equal(wheel.armed, 0);
}

static void move_other(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct pair *pair = timer->user;

        wheel_arm(pair->wheel, pair->other, now_mono_ms + 5);
}

static void a_callback_may_move_one_that_is_due_too(void **state)
{
        struct wheel wheel;
        struct diary diary = { 0 };
        struct wheel_timer first, second;
        struct pair pair = { &wheel, &second, &diary };

        wheel_init(&wheel, 0);
        wheel_timer_init(&first, move_other, &pair);
        wheel_timer_init(&second, note, &diary);
        wheel_arm(&wheel, &first, 50);
        wheel_arm(&wheel, &second, 60);
        assert_int_equal(wheel_advance(&wheel, 80), 1);
        assert_int_equal(wheel_advance(&wheel, 84), 0);
        assert_int_equal(wheel_advance(&wheel, 85), 1);
}

/* Against the slow and obvious list: random arming, moving, cancelling and advancing of 300 timers. */
enum { MODEL = 300 };
struct model {
        struct wheel wheel;
        struct wheel_timer timer[MODEL];
        int64_t due[MODEL]; /* -1 = not armed */
        int64_t last_due;
        uint64_t seed;
};

static uint64_t draw(struct model *model)
{
        model->seed = model->seed * 6364136223846793005u + 1442695040888963407u;
        return model->seed >> 33;
}

static void model_fire(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct model *model = timer->user;
        size_t i = (size_t)(timer - model->timer);

        assert_true(model->due[i] >= 0 && model->due[i] <= now_mono_ms);
        assert_true(timer->due_mono_ms >= model->last_due);
        model->last_due = timer->due_mono_ms;
        model->due[i] = -1;
        if (draw(model) % 4 == 0) {
                model->due[i] = now_mono_ms + 1 + (int64_t)(draw(model) % 100000);
                wheel_arm(&model->wheel, timer, model->due[i]);
        }
}

static void model_step(struct model *model)
{
        size_t i = draw(model) % MODEL;
        int64_t now = model->wheel.now_mono_ms, first = INT64_MAX;

        switch (draw(model) % 3) {
        case 0:
                model->due[i] = now + 1 + (int64_t)(draw(model) >> (draw(model) % 31));
                wheel_arm(&model->wheel, &model->timer[i], model->due[i]);
                return;
        case 1:
                model->due[i] = -1;
                wheel_cancel(&model->wheel, &model->timer[i]);
                return;
        default:
                break;
        }
        for (i = 0; i < MODEL; i++)
                if (model->due[i] >= 0 && model->due[i] < first)
                        first = model->due[i];
        assert_true(wheel_next(&model->wheel) <= first);
        now += (int64_t)(draw(model) >> (8 + draw(model) % 23));
        model->last_due = 0;
        wheel_advance(&model->wheel, now);
        for (i = 0; i < MODEL; i++)
                assert_true(model->due[i] < 0 || model->due[i] > now);
}

static void agrees_with_the_obvious_one(void **state)
{
        struct model *model = calloc(1, sizeof(*model));

        model->seed = 42;
        wheel_init(&model->wheel, 987654);
        for (size_t i = 0; i < MODEL; i++) {
                model->due[i] = -1;
                wheel_timer_init(&model->timer[i], model_fire, model);
        }
        for (int step = 0; step < 200000; step++)
                model_step(model);
        free(model);
}

static void holds_many(void **state)
{
        enum { MANY = 25000 };
        struct wheel wheel;
        struct diary diary = { 0 };
        struct wheel_timer *timer = calloc(MANY, sizeof(*timer));

        wheel_init(&wheel, 0);
        for (int i = 0; i < MANY; i++) {
                wheel_timer_init(&timer[i], note, &diary);
                wheel_arm(&wheel, &timer[i], 1 + (int64_t)i * 37);
        }
        assert_int_equal(wheel.armed, MANY);
        assert_int_equal(wheel_advance(&wheel, 37 * 10), 10);
        for (int i = 10; i < MANY; i++)
                wheel_cancel(&wheel, &timer[i]);
        assert_int_equal(wheel_next(&wheel), INT64_MAX);
        free(timer);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(fires_at_its_time_and_once),
                cmocka_unit_test(next_leads_to_the_due_time),
                cmocka_unit_test(same_ms_keeps_the_order_of_arming),
                cmocka_unit_test(cancel_and_rearm),
                cmocka_unit_test(the_past_fires_next_time),
                cmocka_unit_test(far_future_is_clamped),
                cmocka_unit_test(a_callback_that_arms_itself_does_not_spin),
                cmocka_unit_test(a_callback_may_cancel_and_free),
                cmocka_unit_test(a_callback_may_move_one_that_is_due_too),
                cmocka_unit_test(agrees_with_the_obvious_one),
                cmocka_unit_test(holds_many),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
