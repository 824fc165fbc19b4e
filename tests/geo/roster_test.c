#include "geo/roster.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/geo/cmocka_first.h"

static struct supervisor someone(unsigned number)
{
        struct supervisor s = { .on_duty = true, .busy_count = (uint16_t)number };

        snprintf(s.id, sizeof(s.id), "s%u", number);
        return s;
}

static void test_put_find_remove(void **state)
{
        struct roster *roster;
        struct supervisor s = someone(1);

        assert_int_equal(roster_new(&roster), 0);
        assert_null(roster_find(roster, "s1"));
        assert_int_equal(roster_remove(roster, "s1"), -ENOENT);
        assert_int_equal(roster_put(roster, &s), 0);
        s.busy_count = 7;
        assert_int_equal(roster_put(roster, &s), 0);
        assert_int_equal(roster_count(roster), 1);
        assert_int_equal(roster_find(roster, "s1")->busy_count, 7);
        assert_string_equal(roster_get(roster, 0)->id, "s1");
        assert_int_equal(roster_remove(roster, "s1"), 0);
        assert_int_equal(roster_count(roster), 0);
        assert_null(roster_find(roster, "s1"));
        roster_free(roster);
        roster_free(NULL);
}

static void test_refused(void **state)
{
        struct roster *roster;
        struct supervisor s = someone(1);

        assert_int_equal(roster_new(&roster), 0);
        s.id[0] = '\0';
        assert_int_equal(roster_put(roster, &s), -EINVAL);
        s = someone(1);
        memset(s.team, 'x', sizeof(s.team)); /* no end */
        assert_int_equal(roster_put(roster, &s), -EINVAL);
        s = someone(1);
        s.has_fix = true;
        s.fix = (struct position){ NAN, 0 };
        assert_int_equal(roster_put(roster, &s), -EINVAL);
        s.has_fix = false;
        assert_int_equal(roster_put(roster, &s), 0);
        s.has_fix = true;
        s.fix = (struct position){ 91, 0 };
        assert_int_equal(roster_put(roster, &s), -EINVAL);
        assert_false(roster_find(roster, "s1")->has_fix);
        roster_free(roster);
}

static void test_full(void **state)
{
        struct roster *roster;
        struct supervisor s;

        assert_int_equal(roster_new(&roster), 0);
        for (unsigned i = 0; i < ROSTER_MAX; i++) {
                s = someone(i);
                assert_int_equal(roster_put(roster, &s), 0);
        }
        s = someone(ROSTER_MAX);
        assert_int_equal(roster_put(roster, &s), -ENOBUFS);
        s = someone(77);
        s.busy_count = 1234;
        assert_int_equal(roster_put(roster, &s), 0);
        assert_int_equal(roster_find(roster, "s77")->busy_count, 1234);
        assert_int_equal(roster_remove(roster, "s19999"), 0);
        s = someone(ROSTER_MAX);
        assert_int_equal(roster_put(roster, &s), 0);
        assert_int_equal(roster_count(roster), ROSTER_MAX);
        roster_free(roster);
}

/* Any order of puts and removes against a plain table. */
static void test_against_table(void **state)
{
        enum { PEOPLE = 18000, STEPS = 200000 }; /* enough for long runs in the table */
        static uint16_t held[PEOPLE];            /* busy_count, 0 absent */
        struct roster *roster;
        size_t count = 0;

        assert_int_equal(roster_new(&roster), 0);
        srand48(7);
        for (int step = 0; step < STEPS; step++) {
                unsigned who = (unsigned)(drand48() * PEOPLE);
                struct supervisor s = someone(who);

                s.busy_count = (uint16_t)(1 + step % 60000);
                if (drand48() < (step < STEPS / 2 ? 0.3 : 0.7)) {
                        assert_int_equal(roster_remove(roster, s.id), held[who] != 0 ? 0 : -ENOENT);
                        count -= held[who] != 0;
                        held[who] = 0;
                } else {
                        assert_int_equal(roster_put(roster, &s), 0);
                        count += held[who] == 0;
                        held[who] = s.busy_count;
                }
                assert_int_equal(roster_count(roster), count);
        }
        for (unsigned who = 0; who < PEOPLE; who++) {
                const struct supervisor *s = roster_find(roster, someone(who).id);

                assert_int_equal(s != NULL ? s->busy_count : 0, held[who]);
        }
        roster_free(roster);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_put_find_remove),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_full),
                cmocka_unit_test(test_against_table),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
