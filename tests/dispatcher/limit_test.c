#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "dispatcher/core.h"
#include "dispatcher/limit.h"

#define NOW INT64_C(1800000000000)

static void test_bucket(void **state)
{
        struct bucket bucket = { 0 };

        for (int i = 0; i < 3; i++)
                assert_true(bucket_take(&bucket, NOW, 3, 1000));
        assert_false(bucket_take(&bucket, NOW, 3, 1000));
        assert_false(bucket_take(&bucket, NOW + 999, 3, 1000));
        assert_true(bucket_take(&bucket, NOW + 1000, 3, 1000));
        assert_false(bucket_take(&bucket, NOW + 1000, 3, 1000));
        for (int i = 0; i < 3; i++) /* full again, and not fuller */
                assert_true(bucket_take(&bucket, NOW + 100000, 3, 1000));
        assert_false(bucket_take(&bucket, NOW + 100000, 3, 1000));
        assert_false(bucket_take(&bucket, NOW, 3, 1000)); /* a clock that steps back gives nothing */
}

static bool take(struct senders *senders, uint8_t number, int64_t now_ms)
{
        const uint8_t id[SENDER_SIZE] = { number };
        bool allowed;

        assert_memory_equal(senders_take(senders, id, now_ms, &allowed)->id, id, SENDER_SIZE);
        return allowed;
}

static void test_senders_are_apart(void **state)
{
        struct senders senders;

        senders_init(&senders, 4, 1);
        for (int i = 0; i < CORE_SENDER_BURST; i++)
                assert_true(take(&senders, 1, NOW));
        assert_false(take(&senders, 1, NOW));
        assert_true(take(&senders, 2, NOW));
        assert_true(take(&senders, 1, NOW + CORE_SENDER_REFILL_MS));
        senders_free(&senders);
}

/* One more than the table holds: who was unused for longest goes. */
static void test_bound(void **state)
{
        struct senders senders;
        const uint8_t second[SENDER_SIZE] = { 2 };

        senders_init(&senders, 4, 1);
        for (int i = 0; i < CORE_SENDER_BURST; i++)
                assert_true(take(&senders, 1, NOW));
        for (uint8_t i = 2; i <= 4; i++)
                take(&senders, i, NOW);
        assert_false(take(&senders, 1, NOW)); /* used again: 2 is the oldest now */
        take(&senders, 5, NOW);
        assert_null(senders_find(&senders, second));
        assert_false(take(&senders, 1, NOW));
        assert_int_equal(senders.table.count, 4);
        senders_free(&senders);
}

static void test_what_all_share(void **state)
{
        struct senders senders;
        unsigned allowed = 0;

        senders_init(&senders, 4, 1);
        senders.all_burst = 10;
        senders.all_refill_ms = 1000;
        for (uint8_t i = 0; i < 200; i++)
                allowed += take(&senders, i, NOW);
        assert_int_equal(allowed, 10);
        assert_true(take(&senders, 201, NOW + 1000));
        senders_free(&senders);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_bucket),
                cmocka_unit_test(test_senders_are_apart),
                cmocka_unit_test(test_bound),
                cmocka_unit_test(test_what_all_share),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
