#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/hex.h"

static void encodes(void **state)
{
        char out[9];

        hex_encode("\x00\x7f\x80\xff", 4, out);
        assert_string_equal(out, "007f80ff");
        hex_encode("", 0, out);
        assert_string_equal(out, "");
}

static void decodes_either_case(void **state)
{
        uint8_t out[4];

        assert_int_equal(hex_decode("00aBcDfF", out, 4), 0);
        assert_memory_equal(out, "\x00\xab\xcd\xff", 4);
        assert_int_equal(hex_decode("", out, 0), 0);
}

static void refuses_other_lengths_and_digits(void **state)
{
        static const char *const wrong[] = { "",           "0",        "00112",    "0011223",  "001122334",
                                             "0011223344", "0011223g", "00 1122 ", "0x112233", "001122-3" };
        uint8_t out[4];

        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
                assert_int_equal(hex_decode(wrong[i], out, 4), -EINVAL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(encodes),
                cmocka_unit_test(decodes_either_case),
                cmocka_unit_test(refuses_other_lengths_and_digits),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
