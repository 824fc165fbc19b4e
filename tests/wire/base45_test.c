#include "tests/wire/octets.h"

#include <errno.h>

#include "wire/base45.h"

/* RFC 9285 sections 4.3 and 4.4, and the edges of its groups. */
static void examples(void **state)
{
        /* clang-format off */
        static const struct {
                const char *plain, *text;
        } cases[] = {
                { "AB", "BB8" },
                { "Hello!!", "%69 VD92EX0" },
                { "base-45", "UJCLQE7W581" },
                { "ietf!", "QED8WEX0" },
                { "", "" },
                { "\xff\xff", "FGW" },
                { "\xff", "U5" },
        };
        /* clang-format on */

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct cbor_span plain = { (const uint8_t *)cases[i].plain, strlen(cases[i].plain) };
                uint8_t octets[16];
                char text[16];
                size_t len;

                assert_int_equal(base45_write(plain, text, sizeof(text)), 0);
                assert_string_equal(text, cases[i].text);
                assert_int_equal(base45_write(plain, text, strlen(cases[i].text)), -ENOBUFS);
                assert_int_equal(base45_write(plain, text, strlen(cases[i].text) + 1), 0);
                assert_int_equal(base45_read(cases[i].text, strlen(cases[i].text), octets, plain.len, &len), 0);
                assert_int_equal(len, plain.len);
                assert_memory_equal(octets, plain.at, len);
                if (len > 0)
                        assert_int_equal(base45_read(text, strlen(text), octets, len - 1, &len), -ENOBUFS);
        }
}

static void refused(void **state)
{
        static const char *const cases[] = { "GGW", ":::", "V5", "::", "A", "0", "BB8A", "BB80", "bb8", "BB\n", "B_8" };
        uint8_t octets[16];
        size_t len;

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
                assert_int_equal(base45_read(cases[i], strlen(cases[i]), octets, sizeof(octets), &len), -EINVAL);
        assert_int_equal(base45_read("BB\0", 3, octets, sizeof(octets), &len), -EINVAL);
}

static void every_octet_pair(void **state)
{
        for (unsigned value = 0; value <= 0xFFFF; value++) {
                const uint8_t in[3] = { (uint8_t)(value >> 8), (uint8_t)value, (uint8_t)(value * 7) };
                uint8_t out[3];
                char text[6];
                size_t len;

                assert_int_equal(base45_write((struct cbor_span){ in, 3 }, text, sizeof(text)), 0);
                assert_int_equal(base45_read(text, 5, out, sizeof(out), &len), 0);
                assert_memory_equal(in, out, 3);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(examples),
                cmocka_unit_test(refused),
                cmocka_unit_test(every_octet_pair),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
