/* Random orders and faults from fixed seeds; see support/chaos.h.  CHAOS_SEED=n runs that one alone, CHAOS_RUNS=n so many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/dispatcher/support/chaos.h"

#define RUNS   150
#define ORDERS 3000

static void run(uint64_t seed)
{
        static uint8_t orders[ORDERS];
        uint64_t random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;

        for (size_t i = 0; i < ORDERS; i++) {
                random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
                orders[i] = (uint8_t)(random >> 56);
        }
        fprintf(stderr, "\rseed %llu ", (unsigned long long)seed); /* stays to be read where it ends */
        chaos_run(orders, ORDERS);
}

static void test_seeds(void **state)
{
        const char *one = getenv("CHAOS_SEED"), *runs = getenv("CHAOS_RUNS");
        uint64_t count = runs != NULL ? strtoull(runs, NULL, 10) : RUNS;

        if (one != NULL)
                run(strtoull(one, NULL, 10));
        for (uint64_t seed = 1; one == NULL && seed <= count; seed++)
                run(seed);
        fputc('\n', stderr);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_seeds) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
