#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/histogram.h"

static int by_value(const void *a, const void *b)
{
        const uint64_t *x = a, *y = b;

        return *x < *y ? -1 : *x > *y;
}

static uint64_t draw(uint64_t *seed)
{
        *seed = *seed * 6364136223846793005u + 1442695040888963407u;
        return *seed >> 33;
}

/* Each quantile against the sorted values: never below, at most 1.6 % above. */
static void quantiles_are_within_bounds(void **state)
{
        static const double q[] = { 0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1 };
        struct histogram *h = calloc(1, sizeof(*h));
        enum { COUNT = 20000 };
        uint64_t *value = calloc(COUNT, sizeof(*value)), seed = 7;

        for (size_t i = 0; i < COUNT; i++) {
                value[i] = draw(&seed) >> (draw(&seed) % 31); /* every size from 1 us on */
                histogram_add(h, (int64_t)value[i]);
        }
        qsort(value, COUNT, sizeof(*value), by_value);
        for (size_t i = 0; i < sizeof(q) / sizeof(q[0]); i++) {
                size_t at = (size_t)(q[i] * COUNT + 0.999999);
                uint64_t exact = value[at > 0 ? at - 1 : 0], got = histogram_quantile(h, q[i]);

                if (exact >= HISTOGRAM_MAX_US)
                        exact = got;
                assert_true(got >= exact);
                assert_true((double)got <= (double)exact * 1.016 + 1);
        }
        assert_int_equal(histogram_quantile(h, 1), value[COUNT - 1]);
        free(value);
        free(h);
}

static void small_values_are_exact(void **state)
{
        struct histogram *h = calloc(1, sizeof(*h));

        assert_int_equal(histogram_quantile(h, 0.5), 0);
        for (int64_t us = 1; us <= 100; us++)
                histogram_add(h, us);
        assert_int_equal(histogram_quantile(h, 0.5), 50);
        assert_int_equal(histogram_quantile(h, 0.99), 99);
        assert_int_equal(histogram_quantile(h, 1), 100);
        assert_int_equal(h->sum_us, 5050);
        free(h);
}

static void extremes_are_kept(void **state)
{
        struct histogram *h = calloc(1, sizeof(*h));

        histogram_add(h, -5);
        histogram_add(h, 0);
        histogram_add(h, HISTOGRAM_MAX_US - 1);
        histogram_add(h, HISTOGRAM_MAX_US);
        histogram_add(h, INT64_MAX);
        assert_int_equal(h->count, 5);
        assert_int_equal(histogram_quantile(h, 0.4), 0);
        assert_int_equal(histogram_quantile(h, 1), INT64_MAX);
        assert_int_equal(histogram_count_to(h, UINT64_MAX), 2);
        free(h);
}

static void counts_up_to_an_edge(void **state)
{
        struct histogram *h = calloc(1, sizeof(*h));

        for (int64_t us = 0; us < 100000; us++)
                histogram_add(h, us);
        for (int shift = 0; shift < 17; shift++)
                assert_int_equal(histogram_count_to(h, (UINT64_C(1) << shift) - 1), UINT64_C(1) << shift);
        free(h);
}

static void merges(void **state)
{
        struct histogram *a = calloc(1, sizeof(*a)), *b = calloc(1, sizeof(*b)), *both = calloc(1, sizeof(*both));
        uint64_t seed = 3;

        for (int i = 0; i < 1000; i++) {
                int64_t us = (int64_t)draw(&seed) % 5000000;

                histogram_add(i % 3 == 0 ? a : b, us);
                histogram_add(both, us);
        }
        histogram_merge(a, b);
        assert_memory_equal(a, both, sizeof(*a));
        free(a);
        free(b);
        free(both);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(quantiles_are_within_bounds),
                cmocka_unit_test(small_values_are_exact),
                cmocka_unit_test(extremes_are_kept),
                cmocka_unit_test(counts_up_to_an_edge),
                cmocka_unit_test(merges),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
