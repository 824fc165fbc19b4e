#include "geo/name.h"

#include <string.h>

#include "tests/geo/cmocka_first.h"

static void test_person_ids(void **state)
{
        assert_true(person_id_is_valid("a"));
        assert_true(person_id_is_valid("!~12345678901234567890123456789x"));
        assert_false(person_id_is_valid("!~12345678901234567890123456789xy"));
        assert_false(person_id_is_valid(""));
        assert_false(person_id_is_valid(NULL));
        assert_false(person_id_is_valid("a b"));
        assert_false(person_id_is_valid("a\n"));
        assert_false(person_id_is_valid("\xc3\xa9ric"));
        assert_false(person_id_is_valid("a\x7f"));
}

static void test_teams(void **state)
{
        assert_true(team_is_valid("\xc3\x89quipe nord"));
        assert_true(team_is_valid("12345678901234567890123456789012"));
        assert_false(team_is_valid("123456789012345678901234567890123"));
        assert_false(team_is_valid(""));
        assert_false(team_is_valid(NULL));
        assert_false(team_is_valid("north\n"));
        assert_false(team_is_valid("\x7f"));
}

static void test_hash(void **state)
{
        /* FNV-1a's own published values */
        assert_true(name_hash("") == UINT64_C(0xcbf29ce484222325));
        assert_true(name_hash("a") == UINT64_C(0xaf63dc4c8601ec8c));
        assert_true(name_hash("foobar") == UINT64_C(0x85944171f73967e8));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_person_ids),
                cmocka_unit_test(test_teams),
                cmocka_unit_test(test_hash),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
