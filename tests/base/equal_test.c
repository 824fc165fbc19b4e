#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/equal.h"

static void compares(void **state)
{
        assert_true(bytes_equal("abc", "abc", 3));
        assert_false(bytes_equal("abc", "abd", 3));
        assert_false(bytes_equal("abc", "bbc", 3));
        assert_true(bytes_equal("abc", "abd", 2));
        assert_true(bytes_equal("a", "b", 0));
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(compares) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
