#include "tests/console/support.h"

#include "console/limit.h"

static struct limit *limit;

static int setup(void **state)
{
        return limit_new(42, &limit);
}

static int teardown(void **state)
{
        limit_free(limit);
        return 0;
}

static void test_pair_waits_longer_each_time(void **state)
{
        int64_t now = 1000000, expected[] = { 0, 0, 0, 0, 0, 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000 };

        for (size_t i = 0; i < COUNT(expected); i++) {
                int64_t wait = limit_attempt(limit, "paul", "10.0.0.1", now);

                if (wait > 0) { /* refused: nothing counted; after the wait it is let through */
                        assert_int_equal(wait, expected[i]);
                        assert_int_equal(limit_attempt(limit, "paul", "10.0.0.1", now + wait - 1), 1);
                        now += wait;
                        wait = limit_attempt(limit, "paul", "10.0.0.1", now);
                        assert_int_equal(wait, 0);
                } else {
                        assert_int_equal(expected[i], 0);
                }
        }
}

static void test_success_forgets(void **state)
{
        for (int i = 0; i < LIMIT_PAIR_FREE + 1; i++)
                assert_int_equal(limit_attempt(limit, "paul", "10.0.0.1", 1000), 0);
        assert_int_equal(limit_attempt(limit, "paul", "10.0.0.1", 1000), 1000);
        limit_success(limit, "paul", "10.0.0.1");
        for (int i = 0; i < LIMIT_PAIR_FREE + 1; i++)
                assert_int_equal(limit_attempt(limit, "paul", "10.0.0.1", 1000), 0);
        assert_int_equal(limit_attempt(limit, "paul", "10.0.0.1", 1000), 1000);
}

static void test_others_are_not_held_up(void **state)
{
        for (int64_t i = 0; i < 12; i++)
                (void)limit_attempt(limit, "paul", "10.0.0.1", 1000 + i * 70000);
        assert_true(limit_attempt(limit, "paul", "10.0.0.1", 1000 + 11 * 70000) > 0);
        assert_int_equal(limit_attempt(limit, "ines", "10.0.0.1", 1000 + 11 * 70000), 0);
        assert_int_equal(limit_attempt(limit, "paul", "10.0.0.2", 1000 + 11 * 70000), 0);
}

/* Guessing one name from many addresses is slowed, and its owner waits at most LIMIT_LOGIN_MAX_MS. */
static void test_login_from_many_addresses(void **state)
{
        char address[32];
        int64_t now = 1000, longest = 0;

        for (int i = 0; i < 100; i++) {
                snprintf(address, sizeof(address), "10.1.%d.%d", i / 250, i % 250);
                int64_t wait = limit_attempt(limit, "paul", address, now);

                longest = wait > longest ? wait : longest;
                now += wait;
                if (wait > 0)
                        assert_int_equal(limit_attempt(limit, "paul", address, now), 0);
        }
        assert_int_equal(longest, LIMIT_LOGIN_MAX_MS);
}

static void test_address_with_many_names(void **state)
{
        char login[32];
        int64_t now = 1000, longest = 0;

        for (int i = 0; i < 200; i++) {
                snprintf(login, sizeof(login), "name%d", i);
                int64_t wait = limit_attempt(limit, login, "10.0.0.1", now);

                longest = wait > longest ? wait : longest;
                now += wait;
                if (wait > 0)
                        assert_int_equal(limit_attempt(limit, login, "10.0.0.1", now), 0);
        }
        assert_int_equal(longest, LIMIT_ADDRESS_MAX_MS);
}

static void test_forgotten_in_time(void **state)
{
        for (int i = 0; i < LIMIT_PAIR_FREE + 1; i++)
                (void)limit_attempt(limit, "paul", "10.0.0.1", 1000);
        for (int i = 0; i < LIMIT_PAIR_FREE + 1; i++)
                assert_int_equal(limit_attempt(limit, "paul", "10.0.0.1", 1000 + LIMIT_FORGET_MS), 0);
}

/* One past the table's size: still answers, still counts newcomers. */
static void test_full_table(void **state)
{
        char login[32], address[32];

        for (int i = 0; i < 3 * LIMIT_ENTRIES; i++) {
                snprintf(login, sizeof(login), "n%d", i);
                snprintf(address, sizeof(address), "a%d", i);
                assert_int_equal(limit_attempt(limit, login, address, 1000 + i), 0);
        }
        for (int i = 0; i < LIMIT_PAIR_FREE + 1; i++)
                assert_int_equal(limit_attempt(limit, "last", "last", 100000), 0);
        assert_true(limit_attempt(limit, "last", "last", 100000) > 0);
}

static void test_addresses(void **state)
{
        static const struct {
                const char *text, *expected;
        } cases[] = {
                { "10.0.0.1", "10.0.0.1" },
                { "::ffff:10.0.0.1", "10.0.0.1" },
                { "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::" },
                { "2001:db8:1:2::9", "2001:db8:1:2::" },
                { "unknown", "unknown" },
        };
        char out[LIMIT_ADDRESS_SIZE];

        for (size_t i = 0; i < COUNT(cases); i++) {
                limit_address(cases[i].text, out);
                assert_string_equal(out, cases[i].expected);
        }
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
        const struct CMUnitTest tests[] = {
                WITH(test_pair_waits_longer_each_time),
                WITH(test_success_forgets),
                WITH(test_others_are_not_held_up),
                WITH(test_login_from_many_addresses),
                WITH(test_address_with_many_names),
                WITH(test_forgotten_in_time),
                WITH(test_full_table),
                cmocka_unit_test(test_addresses),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
