#include "tests/console/support.h"

#include "console/lookup.h"

#define NAMES 500

static int things[NAMES];

/* Puts and removals at random against a plain array of flags, with a table so small that names crowd. */
static void test_against_an_array(void **state)
{
        struct lookup *lookup;
        bool in[NAMES] = { false };
        size_t count = 0;
        void *old;

        assert_int_equal(lookup_new(NAMES / 2, 7, &lookup), 0);
        srand(1);
        for (int step = 0; step < 200000; step++) {
                int i = rand() % NAMES;
                char name[16];
                size_t len = (size_t)snprintf(name, sizeof(name), "n%d", i);

                if (rand() % 2) {
                        int r = lookup_put(lookup, name, len, &things[i], &old);

                        assert_int_equal(r, !in[i] && count == NAMES / 2 ? -ENOBUFS : 0);
                        if (r == 0) {
                                assert_ptr_equal(old, in[i] ? &things[i] : NULL);
                                count += !in[i];
                                in[i] = true;
                        }
                } else {
                        assert_ptr_equal(lookup_remove(lookup, name, len), in[i] ? &things[i] : NULL);
                        count -= in[i];
                        in[i] = false;
                }
                i = rand() % NAMES;
                len = (size_t)snprintf(name, sizeof(name), "n%d", i);
                assert_ptr_equal(lookup_get(lookup, name, len), in[i] ? &things[i] : NULL);
                assert_int_equal(lookup_count(lookup), count);
        }
        size_t place = 0, walked = 0;
        for (int *thing; (thing = lookup_next(lookup, &place)) != NULL; walked++)
                assert_true(in[thing - things]);
        assert_int_equal(walked, count);
        lookup_clear(lookup);
        assert_int_equal(lookup_count(lookup), 0);
        assert_null(lookup_get(lookup, "n1", 2));
        lookup_free(lookup);
}

static void test_names(void **state)
{
        struct lookup *lookup;
        char name[LOOKUP_NAME_MAX + 1];
        void *old;

        memset(name, 'x', sizeof(name));
        assert_int_equal(lookup_new(2, 7, &lookup), 0);
        assert_int_equal(lookup_put(lookup, name, LOOKUP_NAME_MAX, &things[0], &old), 0);
        assert_int_equal(lookup_put(lookup, name, LOOKUP_NAME_MAX - 1, &things[1], &old), 0);
        assert_int_equal(lookup_put(lookup, name, LOOKUP_NAME_MAX + 1, &things[2], &old), -EINVAL);
        assert_int_equal(lookup_put(lookup, name, 0, &things[2], &old), -EINVAL);
        assert_ptr_equal(lookup_get(lookup, name, LOOKUP_NAME_MAX), &things[0]);
        assert_ptr_equal(lookup_get(lookup, name, LOOKUP_NAME_MAX - 1), &things[1]);
        assert_null(lookup_get(lookup, name, LOOKUP_NAME_MAX + 1));
        assert_null(lookup_remove(lookup, name, 0));
        lookup_free(lookup);
        lookup_free(NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_against_an_array), cmocka_unit_test(test_names) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
