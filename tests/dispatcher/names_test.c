#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dispatcher/names.h"

static void test_a_name_is_in_once_until_it_is_taken_out(void **state)
{
        struct names names = { 0 };
        char name[16];

        names_remove(&names, "nobody");
        for (int round = 0; round < 2; round++)
                for (int i = 0; i < 100; i++) {
                        snprintf(name, sizeof(name), "n%d", i);
                        names_add(&names, name);
                }
        assert_int_equal(names.count, 100);
        names_remove(&names, "n0");
        names_remove(&names, "n99");
        names_remove(&names, "n0");
        assert_int_equal(names.count, 98);
        assert_false(names_hold(&names, "n0") || names_hold(&names, "n99"));
        assert_true(names_hold(&names, "n1") && names_hold(&names, "n98"));
        names_free(&names);
        assert_int_equal(names.count, 0);
}

static void test_a_name_too_long_is_left_out(void **state)
{
        struct names names = { 0 };
        char name[NAME_MAX_OCTETS + 2];

        memset(name, 'x', sizeof(name) - 1);
        name[NAME_MAX_OCTETS + 1] = '\0';
        names_add(&names, name);
        assert_int_equal(names.count, 0);
        name[NAME_MAX_OCTETS] = '\0';
        names_add(&names, name);
        assert_true(names_hold(&names, name));
        names_free(&names);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_name_is_in_once_until_it_is_taken_out),
                cmocka_unit_test(test_a_name_too_long_is_left_out),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
