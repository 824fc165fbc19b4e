#include "ops/vigie/say.h"

#include <stdlib.h>
#include <string.h>

#include "tests/geo/cmocka_first.h"

static void shows(const char *text, const char *wanted)
{
        char *said = NULL;
        size_t len;
        FILE *out = open_memstream(&said, &len);

        assert_non_null(out);
        say_safe(out, text);
        fclose(out);
        assert_string_equal(said, wanted);
        free(said);
}

static void test_what_people_write_is_shown(void **state)
{
        static const char *const plain[] = {
                "",     "Léa Martin", "O'Brien <script>", "Ελένη",  "محمد",
                "张伟", "🚲 4 octets", "a\u200db\u200c",   "\u00a0", "¡",
        };

        for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
                shows(plain[i], plain[i]);
}

static void test_what_acts_on_a_terminal_is_not(void **state)
{
        shows("\033[2J", "\\u{1b}[2J");
        shows("a\nb\tc\rd", "a\\u{a}b\\u{9}c\\u{d}d");
        shows("\x01\x1f\x7f", "\\u{1}\\u{1f}\\u{7f}");
        shows("\xc2\x80\xc2\x9b"
              "31m\xc2\x9f",
              "\\u{80}\\u{9b}31m\\u{9f}"); /* C1: 0x9b is ESC [ */
        shows("\x9b", "\\x9b");            /* the same in one octet, which is no UTF-8 */
        shows("\xc3", "\\xc3");
        shows("\xff\xfe"
              "A",
              "\\xff\\xfe"
              "A");
        shows("\xed\xa0\x80", "\\xed\\xa0\\x80"); /* a surrogate */
}

static void test_what_misleads_the_eye_is_not(void **state)
{
        shows("\u202enitraM\u202c", "\\u{202e}nitraM\\u{202c}");
        shows("\u2066\u2067\u2068\u2069", "\\u{2066}\\u{2067}\\u{2068}\\u{2069}");
        shows("\u200e\u200f\u061c", "\\u{200e}\\u{200f}\\u{61c}");
        shows("a\u2028b\u2029c", "a\\u{2028}b\\u{2029}c");
        shows("\u200b\ufeff\u2060", "\\u{200b}\\u{feff}\\u{2060}");
        shows("\U000e0041", "\\u{e0041}");
        shows("C:\\u{202e}", "C:\\\\u{202e}"); /* nobody can write what looks escaped */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_people_write_is_shown),
                cmocka_unit_test(test_what_acts_on_a_terminal_is_not),
                cmocka_unit_test(test_what_misleads_the_eye_is_not),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
