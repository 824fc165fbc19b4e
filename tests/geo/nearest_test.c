#include "geo/nearest.h"

#include <float.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/geo/cmocka_first.h"

/* COUNT people within SPREAD degrees of the middle of France, EVERY-th of them without a fix. */
static struct roster *roster_of(size_t count, double spread_deg, size_t every)
{
        struct roster *roster;

        assert_int_equal(roster_new(&roster), 0);
        for (size_t i = 0; i < count; i++) {
                struct supervisor s = { .has_fix = every == 0 || i % every != 0 };

                s.fix = (struct position){ 46.5 + spread_deg * drand48(), 2.5 + spread_deg * drand48() };
                snprintf(s.id, sizeof(s.id), "s%zu", i);
                assert_int_equal(roster_put(roster, &s), 0);
        }
        return roster;
}

/* At least so many, in order, and nobody nearer left out. */
static size_t check(struct roster *roster, size_t wanted)
{
        struct position at = { 46.6, 2.6 };
        struct unit_vector from = position_unit_vector(&at);
        size_t count = roster_count(roster), found, within = 0;
        float near2;

        nearest_measure(roster, &from);
        found = nearest_find(roster, &from, wanted, &near2);
        assert_true(found >= (wanted < count ? wanted : count) && found <= count);
        for (size_t i = 0; i < found; i++) {
                assert_true(roster->near[i].number < count);
                assert_true(roster->near[i].chord2 == nearest_chord2(roster, roster->near[i].number, &from));
                assert_true(roster->near[i].chord2 <= near2);
                assert_true(i == 0 || roster->near[i - 1].chord2 <= roster->near[i].chord2);
        }
        for (size_t i = 0; i < count; i++)
                within += nearest_chord2(roster, i, &from) <= near2;
        assert_int_equal(within, found);
        return found;
}

static void test_sizes(void **state)
{
        static const size_t counts[] = { 0, 1, 15, 16, 17, 63, 64, 65, 500, 5000, ROSTER_MAX };
        static const size_t wanted[] = { 1, 3, 19, 64, 300, ROSTER_MAX };

        srand48(5);
        for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
                struct roster *roster = roster_of(counts[i], 0.5, 3);

                for (size_t k = 0; k < sizeof(wanted) / sizeof(*wanted); k++) {
                        size_t found = check(roster, wanted[k]);

                        assert_true(counts[i] < 500 || wanted[k] > 300 || found <= 3 * wanted[k]);
                }
                roster_free(roster);
        }
}

/* Everyone at one place, everyone without a fix, and a town whose people follow each other in the roster. */
static void test_uneven(void **state)
{
        struct roster *roster = roster_of(3000, 0, 0);

        assert_int_equal(check(roster, 19), 3000);
        roster_free(roster);
        roster = roster_of(3000, 1, 1);
        assert_int_equal(check(roster, 19), 3000);
        roster_free(roster);
        roster = roster_of(3000, 1, 0);
        for (int i = 1000; i < 1400; i++) {
                struct supervisor s = { .has_fix = true, .fix = { 46.6 + 1e-6 * i, 2.6 } };

                snprintf(s.id, sizeof(s.id), "s%d", i);
                assert_int_equal(roster_put(roster, &s), 0);
        }
        assert_in_range(check(roster, 19), 19, 38);
        roster_free(roster);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_sizes),
                cmocka_unit_test(test_uneven),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
