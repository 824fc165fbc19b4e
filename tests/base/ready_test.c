#include "base/ready.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void test_takes_it_out(void **state)
{
        char *argv[] = { "p", "-n", "--ready-fd", "2", "last", NULL };
        int argc = 5;

        assert_int_equal(ready_take("p", &argc, argv), 2);
        assert_int_equal(argc, 3);
        assert_string_equal(argv[1], "-n");
        assert_string_equal(argv[2], "last");
        assert_null(argv[3]);
        assert_int_equal(ready_take("p", &argc, argv), -1);
        assert_int_equal(argc, 3);
}

static void test_refuses_what_is_no_open_file(void **state)
{
        static char *const bad[] = { "", "x", "1x", "-1", "65536", "60000", NULL };

        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                char *argv[] = { "p", "--ready-fd", bad[i], NULL };
                int argc = bad[i] != NULL ? 3 : 2, before = argc;

                assert_int_equal(ready_take("p", &argc, argv), -EINVAL);
                assert_int_equal(argc, before);
        }
}

static void test_tells_the_port_and_closes(void **state)
{
        char text[16] = "";
        int ends[2];

        assert_int_equal(pipe(ends), 0);
        assert_int_equal(ready_tell(ends[1], 8443), 0);
        assert_int_equal(read(ends[0], text, sizeof(text)), 5);
        assert_string_equal(text, "8443\n");
        assert_int_equal(read(ends[0], text, sizeof(text)), 0);
        assert_int_equal(fcntl(ends[1], F_GETFD), -1);
        close(ends[0]);
        assert_int_equal(ready_tell(-1, 1), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_takes_it_out),
                cmocka_unit_test(test_refuses_what_is_no_open_file),
                cmocka_unit_test(test_tells_the_port_and_closes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
