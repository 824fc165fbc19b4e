#include "tests/wire/octets.h"

#include <errno.h>
#include <stdio.h>

#include "wire/base45.h"
#include "wire/inspect.h"

static void diagnostic(void **state)
{
        /* clang-format off */
        static const struct {
                const char *hex, *text;
        } cases[] = {
                { "00", "0" },
                { "1bffffffffffffffff", "18446744073709551615" },
                { "20", "-1" },
                { "3bffffffffffffffff", "-18446744073709551616" },
                { "3bfffffffffffffffe", "-18446744073709551615" },
                { "4401020304", "h'01020304'" },
                { "40", "h''" },
                { "6449455446", "\"IETF\"" },
                { "62225c", "\"\\\"\\\\\"" },
                { "62c3bc", "\"\xc3\xbc\"" },
                { "64f09f9880", "\"\xf0\x9f\x98\x80\"" },
                { "650a1b00617f", "\"\\u000a\\u001b\\u0000a\\u007f\"" },        /* nothing of it acts on a terminal */
                { "62c29b", "\"\\u009b\"" },
                { "63e280ae", "\"\\u202e\"" },
                { "63e281a6", "\"\\u2066\"" },
                { "80", "[]" },
                { "83010203", "[1, 2, 3]" },
                { "8301820203820405", "[1, [2, 3], [4, 5]]" },
                { "a0", "{}" },
                { "a26161016162820203", "{\"a\": 1, \"b\": [2, 3]}" },
                { "a20500" "01f6", "{5: 0, 1: null}" },                          /* order is not held against it here */
                { "c11a514b67b0", "1(1363896240)" },
                { "d28180", "18([[]])" },
                { "f4", "false" }, { "f5", "true" }, { "f6", "null" }, { "f7", "undefined" },
                { "f0", "simple(16)" }, { "f8ff", "simple(255)" },
                { "f90000", "0.0" }, { "f98000", "-0.0" }, { "f93c00", "1.0" }, { "f93e00", "1.5" },
                { "f97bff", "65504.0" },
                { "fa47c35000", "1e+05" }, { "f90001", "5.9604644775390625e-08" }, { "f90400", "6.103515625e-05" },
                { "f9c400", "-4.0" }, { "fb3ff199999999999a", "1.1" }, { "fb7e37e43c8800759c", "1e+300" },
                { "f97c00", "Infinity" }, { "f9fc00", "-Infinity" }, { "f97e00", "NaN" },
        };
        /* clang-format on */

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct octets o = octets_from(cases[i].hex);
                struct inspect_text text;
                char to[128];

                inspect_text_init(&text, to, sizeof(to));
                assert_int_equal(inspect_diagnostic(octets_span(&o), &text, NULL), 0);
                assert_string_equal(to, cases[i].text);
                for (size_t size = 1; size <= text.len; size++) { /* cut, closed, and said so */
                        inspect_text_init(&text, to, size);
                        inspect_diagnostic(octets_span(&o), &text, NULL);
                        assert_true(text.full && strlen(to) < size);
                }
        }
}

static void malformed(void **state)
{
        /* clang-format off */
        static const char *const cases[] = { "", "1817", "9f00ff", "a200000000", "6180", "810000", "81", "c1",
                                             "81818181818181818100" };
        /* clang-format on */

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct octets o = octets_from(cases[i]);
                struct inspect_text text;
                const char *why = NULL;
                char to[128];

                inspect_text_init(&text, to, sizeof(to));
                assert_int_equal(inspect_print(octets_span(&o), &text, &why), -EBADMSG);
                assert_non_null(why);
        }
}

/* Hex before base45 before raw; the first that is CBOR wins. */
static void forms(void **state)
{
        /* clang-format off */
        static const struct {
                const char *in;
                enum inspect_form form;
                const char *hex;
        } cases[] = {
                { "8301 0203\n", INSPECT_HEX, "83010203" },
                { "D28180", INSPECT_HEX, "d28180" },
                { "d28180", INSPECT_HEX, "d28180" },
                { "83010204ff", INSPECT_HEX, "83010204ff" },            /* neither is CBOR: hex is what it looks like */
                { "8301020", INSPECT_RAW, "38333031303230" },           /* an odd number of digits */
                { "6a%6\n", INSPECT_RAW, "366125360a" },
                { "\x83\x01\x02\x03", INSPECT_RAW, "83010203" },
                { "\xd2\x81\x80", INSPECT_RAW, "d28180" },
                { "", INSPECT_RAW, "" },
                { "\n", INSPECT_RAW, "0a" },
                { "bdf6", INSPECT_HEX, "bdf6" },
        };
        /* clang-format on */
        const uint8_t item[] = { 0x83, 1, 2, 3 };
        char text[16];
        uint8_t to[64];
        size_t len;

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                char hex[64];
                enum inspect_form form = inspect_decode(
                        (struct cbor_span){ (const uint8_t *)cases[i].in, strlen(cases[i].in) }, to, &len);

                hex_encode(to, len, hex);
                if (form != cases[i].form || strcmp(hex, cases[i].hex) != 0)
                        fail_msg("%s: %d %s", cases[i].in, form, hex);
        }
        assert_int_equal(base45_write(CBOR_OCTETS(item), text, sizeof(text) - 2), 0);
        strcat(text, "\r\n");
        assert_int_equal(inspect_decode((struct cbor_span){ (uint8_t *)text, strlen(text) }, to, &len), INSPECT_BASE45);
        assert_int_equal(len, sizeof(item));
        assert_memory_equal(to, item, len);
}

/* The vectors of this folder by name: each line is what must be printed for it. */
static void names(void **state)
{
        /* clang-format off */
        static const char *const expected[][2] = {
                { "alert", "\nalert\n  handset: 5a17c0de00000001\n  nonce: 0102030405060708\n  revision: 2\n"
                           "  pressed at: 2025-10-09T08:53:20Z (1760000000)\n  kind: silent\n"
                           "  marks: 0x0204, holder unsure\n  category: aggression\n  position: 45.7640430, 4.8356590\n"
                           "  accuracy: 12 m\n  fix age: 3 s\n  battery: 71 %\n" },
                { "alert-no-fix", "\n  position: none\n  battery: unknown\n" },
                { "alert-impossible", "\n  kind: panic\n" },
                { "alert-impossible", "\n  impossible, left out: kind\n  impossible, left out: position\n"
                                      "  impossible, left out: battery\n" },
                { "alert-newer", "\n  parts of a newer format: 2\n" },
                { "alert-largest", "\n  position: -90.0000000, -180.0000000\n" },
                { "receipt", "\nreceipt\n  alert: 5a17c0de000000010102030405060708\n  revision: 65535\n"
                             "  version: 4294967295\n"
                             "  state: closed: other (21)\n  time: 2106-02-07T06:28:15Z (4294967295)\n"
                             "  who: \"Zo\xc3\xa9 Lef\xc3\xa8vre-D\"\n" },
                { "trust", "\ntrust list\n  number: 7\n" },
                { "trust", "\n  key for position, ECDH-ES + HKDF-256\n    kid: " },
                { "tagged", "\nCOSE_Sign1, tag 18\n" },
                { "tagged", "\n  not by our profile: tagged; ours are not\n" },
                { "alg-nowhere", "\n  algorithm: none named\n" },
                { "alg-unknown", "\n  algorithm: not supported (-20)\n" },
                { "alg-by-text", "\n  algorithm: named by text, not supported\n" },
                { "detached", "\n  payload: detached\n" },
                { "critical-unknown", "\n  a critical header that is not known here\n" },
        };
        /* clang-format on */
        static char line[4096], text[16384];
        unsigned seen = 0;
        char *name, *octets;
        FILE *file = fopen("tests/wire/vectors/cose.txt", "r");

        assert_non_null(file);
        while (fgets(line, sizeof(line), file) != NULL) {
                if (line[0] == '#')
                        continue;
                line[strcspn(line, "\n")] = '\0';
                octets = strrchr(line, ' ') + 1;
                name = strtok(line, " ");
                for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
                        struct octets o;
                        struct inspect_text out;

                        if (strcmp(name, expected[i][0]) != 0)
                                continue;
                        o = octets_from(octets);
                        inspect_text_init(&out, text, sizeof(text));
                        assert_int_equal(inspect_print(octets_span(&o), &out, NULL), 0);
                        if (strstr(text, expected[i][1]) == NULL)
                                fail_msg("%s is not in:\n%s", expected[i][1], text);
                        seen++;
                }
        }
        fclose(file);
        assert_int_equal(seen, sizeof(expected) / sizeof(expected[0]));
}

static void sealed(void **state)
{
        char hex[512] = "", text[2048];
        struct inspect_text out;
        struct octets o;
        FILE *file = fopen("tests/wire/vectors/sealed.txt", "r");

        assert_non_null(file);
        assert_non_null(fgets(hex, sizeof(hex), file));
        fclose(file);
        hex[strcspn(hex, "\n")] = '\0';
        o = octets_from(hex);
        inspect_text_init(&out, text, sizeof(text));
        assert_int_equal(inspect_print(octets_span(&o), &out, NULL), 0);
        assert_non_null(strstr(text, "\nsealed position\n  to the position key: "));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(diagnostic), cmocka_unit_test(malformed), cmocka_unit_test(forms),
                cmocka_unit_test(names),      cmocka_unit_test(sealed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
