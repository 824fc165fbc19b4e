#include "tests/device/handset/host/support.h"

#include "device/handset/host/wake.h"

struct seen {
        bool due;
        unsigned times;
};

static void due(void *user)
{
        struct seen *seen = user;

        seen->due = true;
        seen->times++;
}

static void comes_once_and_not_early(void **state)
{
        struct seen seen = { 0 };
        struct loop *loop;
        struct wake *wake;
        int64_t at;

        assert_int_equal(loop_open(&loop), 0);
        assert_int_equal(wake_open(loop, due, &seen, &wake), 0);
        at = clock_boot_ms() + 20;
        wake_at(wake, at);
        assert_true(spin(loop, &seen.due));
        assert_true(clock_boot_ms() >= at);
        turn(loop, 10);
        assert_int_equal(seen.times, 1);
        wake_close(wake);
        assert_int_equal(loop_close(loop), 0);
}

static void what_has_passed_is_due_now(void **state)
{
        static const int64_t times[] = { 0, -1, INT64_MIN, 1 };
        struct loop *loop;
        struct wake *wake;

        for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
                struct seen seen = { 0 };

                assert_int_equal(loop_open(&loop), 0);
                assert_int_equal(wake_open(loop, due, &seen, &wake), 0);
                wake_at(wake, times[i]);
                assert_true(spin(loop, &seen.due));
                wake_close(wake);
                assert_int_equal(loop_close(loop), 0);
        }
}

static void never_is_never_and_a_later_call_moves_it(void **state)
{
        struct seen seen = { 0 };
        struct loop *loop;
        struct wake *wake;

        assert_int_equal(loop_open(&loop), 0);
        assert_int_equal(wake_open(loop, due, &seen, &wake), 0);
        wake_at(wake, 1);
        wake_at(wake, INT64_MAX);
        turn(loop, 10);
        assert_int_equal(seen.times, 0);
        wake_at(wake, clock_boot_ms() + 3600000);
        wake_at(wake, 1);
        assert_true(spin(loop, &seen.due));
        wake_close(wake);
        assert_int_equal(loop_close(loop), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(comes_once_and_not_early),
                cmocka_unit_test(what_has_passed_is_due_now),
                cmocka_unit_test(never_is_never_and_a_later_call_moves_it),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
