#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/utf8.h"

static void knows_valid_text(void **state)
{
        static const char *const good[] = { "",
                                            "a",
                                            "\x7f",
                                            "\xc2\x80",
                                            "\xdf\xbf",
                                            "\xe0\xa0\x80",
                                            "\xed\x9f\xbf",
                                            "\xee\x80\x80",
                                            "\xef\xbf\xbf",
                                            "\xf0\x90\x80\x80",
                                            "\xf4\x8f\xbf\xbf",
                                            "No\xc3\xabl \xf0\x9f\x9a\xb2" };

        for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
                assert_true(utf8_is_valid(good[i], strlen(good[i])));
        assert_true(utf8_is_valid("a\0b", 3));
}

static void refuses_the_rest(void **state)
{
        static const char *const bad[] = {
                "\x80",             /* a tail alone */
                "\xc0\x80",         /* overlong NUL */
                "\xc1\xbf",         /* overlong */
                "\xe0\x9f\xbf",     /* overlong */
                "\xf0\x8f\xbf\xbf", /* overlong */
                "\xed\xa0\x80",     /* surrogate */
                "\xed\xbf\xbf",     /* surrogate */
                "\xf4\x90\x80\x80", /* over U+10FFFF */
                "\xf5\x80\x80\x80",
                "\xff",
                "\xc3",         /* cut */
                "\xe2\x82",     /* cut */
                "\xf0\x9f\x9a", /* cut */
                "\xc3\x28",
                "\xe2\x28\xa1",
                "\xe2\x82\x28",
                "\xf0\x9f\x28\xb2",
                "\xf0\x9f\x9a\x28",
        };

        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                assert_false(utf8_is_valid(bad[i], strlen(bad[i])));
}

/* The decoder that is slow and obvious: RFC 3629 through the code point. */
static int obvious(const unsigned char *in, size_t len)
{
        uint32_t point;
        size_t size;

        if (in[0] < 0x80)
                return 1;
        size = (in[0] & 0xe0) == 0xc0 ? 2 : (in[0] & 0xf0) == 0xe0 ? 3 : (in[0] & 0xf8) == 0xf0 ? 4 : 0;
        if (size == 0 || len < size)
                return 0;
        point = in[0] & (0xff >> (size + 1));
        for (size_t i = 1; i < size; i++) {
                if ((in[i] & 0xc0) != 0x80)
                        return 0;
                point = point << 6 | (in[i] & 0x3f);
        }
        if (point < (size == 2   ? 0x80u
                     : size == 3 ? 0x800u
                                 : 0x10000u) ||
            point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
                return 0;
        return (int)size;
}

static void agrees_with_the_obvious_one(void **state)
{
        static const unsigned char third[] = { 0x00, 0x28, 0x7f, 0x80, 0x9f, 0xbf, 0xc0, 0xff };
        unsigned char in[4];

        for (int a = 0; a < 256; a++)
                for (int b = 0; b < 256; b++)
                        for (size_t c = 0; c < sizeof(third); c++)
                                for (size_t len = 1; len <= 4; len++) {
                                        in[0] = (unsigned char)a;
                                        in[1] = (unsigned char)b;
                                        in[2] = third[c];
                                        in[3] = third[(c + 3) % sizeof(third)];
                                        assert_int_equal(utf8_sequence((char *)in, len), obvious(in, len));
                                }
}

static void cuts_between_code_points(void **state)
{
        const char *text = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x9a\xb2"; /* 1 + 2 + 3 + 4 */
        static const size_t want[] = { 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10 };

        for (size_t max = 0; max < sizeof(want) / sizeof(want[0]); max++)
                assert_int_equal(utf8_cut(text, 10, max), want[max]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(knows_valid_text),
                cmocka_unit_test(refuses_the_rest),
                cmocka_unit_test(agrees_with_the_obvious_one),
                cmocka_unit_test(cuts_between_code_points),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
