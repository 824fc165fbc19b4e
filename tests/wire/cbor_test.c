#include "tests/wire/octets.h"

#include <errno.h>
#include <stdlib.h>

#include "tests/wire/oracle.h"

/* What is refused, and by which rule.  The shared vectors of RFC 8949 appendix A are in vectors_test.c. */
static void refused(void **state)
{
        /* clang-format off */
        static const struct {
                const char *hex, *why;
        } cases[] = {
                { "", "truncated" },
                { "18", "truncated" },
                { "1817", "an integer or length not in its shortest form" },
                { "1900ff", "an integer or length not in its shortest form" },
                { "1a0000ffff", "an integer or length not in its shortest form" },
                { "1b00000000ffffffff", "an integer or length not in its shortest form" },
                { "3817", "an integer or length not in its shortest form" },
                { "5801aa", "an integer or length not in its shortest form" },
                { "980100", "an integer or length not in its shortest form" },
                { "b8010000", "an integer or length not in its shortest form" },
                { "d81700", "an integer or length not in its shortest form" },
                { "1c", "a reserved head" },
                { "1f", "a reserved head" },
                { "3f", "a reserved head" },
                { "df00", "a reserved head" },
                { "fc", "a reserved head" },
                { "5f41aaff", "indefinite length" },
                { "7f6161ff", "indefinite length" },
                { "9f00ff", "indefinite length" },
                { "bf0000ff", "indefinite length" },
                { "ff", "a break with nothing to end" },
                { "81ff", "a break with nothing to end" },
                { "0000", "bytes after the item" },
                { "8000", "bytes after the item" },
                { "41", "truncated" },
                { "5bffffffffffffffff", "truncated" },
                { "8200", "truncated" },
                { "9bffffffffffffffff", "truncated" },
                { "bb8000000000000000", "truncated" },
                { "a100", "truncated" },
                { "c1", "truncated" },
                { "81c1", "truncated" },
                { "a2000000", "truncated" },
                { "a201000000", "map keys not sorted" },
                { "a2000000ff", "a map key stands twice" },
                { "a2616100616100", "a map key stands twice" },
                { "a262616100616200", "map keys not sorted" },
                { "a282000100820001f6", "a map key stands twice" },
                { "61ff", "text that is not UTF-8" },
                { "62c080", "text that is not UTF-8" },
                { "63eda080", "text that is not UTF-8" },
                { "64f4908080", "text that is not UTF-8" },
                { "f800", "a simple value in a reserved form" },
                { "f818", "a simple value in a reserved form" },
                { "f814", "a simple value in a reserved form" },
                { "f97e01", "a float not in its shortest form" },
                { "f97c01", "a float not in its shortest form" },
                { "fa7fc00000", "a float not in its shortest form" },
                { "fa00000000", "a float not in its shortest form" },
                { "fa7f800000", "a float not in its shortest form" },
                { "fa477fe000", "a float not in its shortest form" },
                { "fa33800000", "a float not in its shortest form" },
                { "fa3f802000", "a float not in its shortest form" },
                { "fb3ff0000000000000", "a float not in its shortest form" },
                { "fb47efffffe0000000", "a float not in its shortest form" },
                { "fb36a0000000000000", "a float not in its shortest form" },
                { "fb7ff0000000000000", "a float not in its shortest form" },
                { "fb0000000000000000", "a float not in its shortest form" },
                { "81818181818181818100", "nested deeper than 8" },
                { "818181818181818180", "nested deeper than 8" },
                { "c1c1c1c1c1c1c1c1c100", "nested deeper than 8" },
                { "81c181c181c181c1a0", "nested deeper than 8" },
        };
        /* clang-format on */

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct octets o = octets_from(cases[i].hex);
                const char *why = NULL;

                if (cbor_validate(octets_span(&o), &why) != -EBADMSG)
                        fail_msg("%s was accepted", cases[i].hex);
                if (strcmp(why, cases[i].why) != 0)
                        fail_msg("%s: %s, not: %s", cases[i].hex, why, cases[i].why);
        }
}

static void accepted(void **state)
{
        /* clang-format off */
        static const char *const cases[] = {
                "00", "17", "1818", "18ff", "190100", "1a00010000", "1b0000000100000000", "20", "3bffffffffffffffff",
                "40", "60", "80", "a0", "f4", "f5", "f6", "f7", "e0", "f3", "f820", "f8ff",
                "a2000001f6", "a3000018640020f5", "a2617a00626161f5", "a1a1000000", "8181818181818180",
                "c1c1c1c1c1c1c1c100",
                "8281808180", "62c3a9", "64f09f9880", "f97e00", "f97c00", "f9fc00", "f90001", "fa477fe001",
                "fa33800001",
                "fa7f7fffff", "fa3f801000", "fa33000000", "fb3ff199999999999a", "fb3690000000000000",
                "fb36a0000000000001",
                "fb47efffffe0000001",
        };
        /* clang-format on */

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct octets o = octets_from(cases[i]);
                const char *why = "";

                if (cbor_validate(octets_span(&o), &why) != 0)
                        fail_msg("%s: %s", cases[i], why);
        }
}

static void any_order(void **state)
{
        struct octets unsorted = octets_from("a3050001002000");
        struct octets twice = octets_from("a3050001000500"), twice_inside = octets_from("a1a205000500f6");
        struct octets many = { .len = 0 };
        struct cbor_writer w;
        struct cbor_reader r;

        cbor_reader_init(&r, octets_span(&unsorted));
        r.order = CBOR_ANY_ORDER;
        cbor_skip(&r);
        assert_int_equal(cbor_end(&r), 0);
        assert_int_equal(cbor_validate(octets_span(&unsorted), NULL), -EBADMSG);
        cbor_reader_init(&r, octets_span(&twice));
        r.order = CBOR_ANY_ORDER;
        cbor_skip(&r);
        assert_string_equal(r.broken, "a map key stands twice");
        cbor_reader_init(&r, octets_span(&twice_inside));
        r.order = CBOR_ANY_ORDER;
        cbor_skip(&r);
        assert_string_equal(r.broken, "a map key stands twice");
        for (unsigned keys = CBOR_ANY_ORDER_KEYS_MAX; keys <= CBOR_ANY_ORDER_KEYS_MAX + 1; keys++) {
                cbor_writer_init(&w, many.at, sizeof(many.at));
                cbor_write_map(&w, keys);
                for (unsigned i = keys; i > 0; i--) {
                        cbor_write_uint(&w, i);
                        cbor_write_null(&w);
                }
                cbor_reader_init(&r, cbor_written(&w));
                r.order = CBOR_ANY_ORDER;
                cbor_skip(&r);
                assert_int_equal(cbor_end(&r), keys > CBOR_ANY_ORDER_KEYS_MAX ? -EBADMSG : 0);
        }
}

/* One of each, read typed; then the same with every read wrong. */
static void typed(void **state)
{
        /* clang-format off */
        struct octets o = octets_from("8c" "1864" "3863" "43010203" "63616263" "f5" "f6" "c11a514b67b0" "f93e00"
                                      "a10102"                                       "81" "f7" "3b7fffffffffffffff" "00");
        /* clang-format on */
        uint8_t three[3];
        char text[4];
        struct cbor_reader r;

        cbor_reader_init(&r, octets_span(&o));
        assert_int_equal(cbor_enter_array(&r), 12);
        assert_int_equal(cbor_read_uint(&r, 100), 100);
        assert_int_equal(cbor_read_int(&r, -100, 0), -100);
        cbor_read_octets(&r, three, 3);
        assert_memory_equal(three, "\1\2\3", 3);
        cbor_read_string(&r, text, sizeof(text));
        assert_string_equal(text, "abc");
        assert_true(cbor_read_bool(&r));
        assert_true(cbor_read_null(&r));
        assert_int_equal(cbor_read_tag(&r), 1);
        assert_int_equal(cbor_read_uint(&r, UINT64_MAX), 1363896240);
        assert_true(cbor_read_float(&r) == 1.5);
        assert_int_equal(cbor_enter_map(&r), 1);
        assert_int_equal(cbor_read_uint(&r, 1), 1);
        assert_int_equal(cbor_read_uint(&r, 2), 2);
        assert_false(cbor_more(&r));
        assert_int_equal(cbor_peek(&r), CBOR_NOTHING);
        cbor_leave(&r);
        cbor_enter_array(&r);
        assert_int_equal(cbor_peek(&r), CBOR_UNDEFINED);
        cbor_leave(&r); /* over the undefined */
        assert_true(cbor_read_int(&r, INT64_MIN, 0) == INT64_MIN);
        assert_false(cbor_read_null(&r));
        assert_int_equal(cbor_read_uint(&r, 0), 0);
        cbor_leave(&r);
        assert_int_equal(cbor_end(&r), 0);
}

static void typed_wrong(void **state)
{
        /* clang-format off */
        static const struct {
                const char *hex;
                int read;       /* which, below */
                const char *why;
        } cases[] = {
                { "1865", 'u', "number out of range" },    { "20", 'u', "not an unsigned integer" },
                { "1865", 'i', "number out of range" },    { "3864", 'i', "number out of range" },
                { "1b8000000000000000", 'i', "number out of range" },
                { "3b8000000000000000", 'i', "number out of range" },
                { "40", 'i', "not an integer" },           { "00", 'n', "not a negative integer" },
                { "420102", 'o', "string too short or too long" },
                { "4401020304", 'o', "string too short or too long" },
                { "63616263", 'o', "not a byte string" },  { "6461626364", 's', "string too short or too long" },
                { "620061", 's', "U+0000 in a text" },     { "43010203", 's', "not a text string" },
                { "f6", 'b', "neither true nor false" },   { "01", 'b', "neither true nor false" },
                { "00", 't', "not a tag" },                { "00", 'f', "not a float" },
                { "f4", 'f', "not a float" },              { "f93e00", 'p', "not a simple value" },
                { "a0", 'a', "not an array" },             { "80", 'm', "not a map" },
        };
        /* clang-format on */

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct octets o = octets_from(cases[i].hex);
                struct cbor_reader r;
                uint8_t three[3] = { 9, 9, 9 };
                char text[4] = "no";
                uint64_t got = 0;

                cbor_reader_init(&r, octets_span(&o));
                /* clang-format off */
                switch (cases[i].read) {
                case 'u': got = cbor_read_uint(&r, 100); break;
                case 'i': got = (uint64_t)cbor_read_int(&r, -100, 100); break;
                case 'n': got = cbor_read_nint(&r); break;
                case 'o': cbor_read_octets(&r, three, 3); got = three[0] | three[1] | three[2]; break;
                case 's': cbor_read_string(&r, text, sizeof(text)); got = (uint64_t)strlen(text); break;
                case 'b': got = cbor_read_bool(&r); break;
                case 't': got = cbor_read_tag(&r); break;
                case 'f': got = cbor_read_float(&r) != 0; break;
                case 'p': got = cbor_read_simple(&r); break;
                case 'a': got = cbor_enter_array(&r); break;
                case 'm': got = cbor_enter_map(&r); break;
                }
                /* clang-format on */
                assert_int_equal(got, 0);
                assert_non_null(r.broken);
                if (strcmp(r.broken, cases[i].why) != 0)
                        fail_msg("%s %c: %s", cases[i].hex, cases[i].read, r.broken);
                cbor_leave(&r); /* does nothing on a broken reader */
                assert_int_equal(cbor_end(&r), -EBADMSG);
        }
}

static void sticky(void **state)
{
        struct octets o = octets_from("83200102");
        struct cbor_reader r;

        cbor_reader_init(&r, octets_span(&o));
        cbor_enter_array(&r);
        assert_int_equal(cbor_read_uint(&r, 9), 0);
        assert_int_equal(cbor_read_uint(&r, 9), 0); /* would be 1 */
        assert_int_equal(cbor_peek(&r), CBOR_NOTHING);
        assert_false(cbor_more(&r));
        cbor_refuse(&r, "later");
        assert_string_equal(r.broken, "not an unsigned integer");
}

static void missing_and_left_over(void **state)
{
        struct octets o = octets_from("8101"), two = octets_from("820102");
        struct cbor_reader r;

        cbor_reader_init(&r, octets_span(&o));
        cbor_enter_array(&r);
        cbor_read_uint(&r, 9);
        cbor_read_uint(&r, 9);
        assert_string_equal(r.broken, "an item is missing");
        cbor_reader_init(&r, octets_span(&two));
        cbor_enter_array(&r);
        cbor_read_uint(&r, 9);
        assert_int_equal(cbor_end(&r), -EBADMSG);
        cbor_reader_init(&r, octets_span(&two));
        cbor_enter_array(&r);
        cbor_leave(&r);
        assert_int_equal(cbor_end(&r), 0);
        cbor_reader_init(&r, octets_span(&two));
        assert_int_equal(cbor_end(&r), -EBADMSG);
}

static void writer(void **state)
{
        /* clang-format off */
        static const char expected[] = "8c"
                                       "00" "17" "1818" "18ff" "190100" "1bffffffffffffffff" "3b7fffffffffffffff"
                                       "43010203" "63c3a961" "a1f4f5" "d903e8f6" "80";
        /* clang-format on */
        uint8_t to[64];
        char hex[129];
        struct cbor_writer w;
        size_t whole;

        for (size_t size = 0; size <= sizeof(to); size++) {
                cbor_writer_init(&w, to, size);
                cbor_write_array(&w, 12);
                cbor_write_uint(&w, 0);
                cbor_write_uint(&w, 23);
                cbor_write_uint(&w, 24);
                cbor_write_uint(&w, 255);
                cbor_write_int(&w, 256);
                cbor_write_uint(&w, UINT64_MAX);
                cbor_write_int(&w, INT64_MIN);
                cbor_write_bytes(&w, CBOR_LITERAL("\1\2\3"));
                cbor_write_string(&w, "\xc3\xa9"
                                      "a");
                cbor_write_map(&w, 1);
                cbor_write_bool(&w, false);
                cbor_write_bool(&w, true);
                cbor_write_tag(&w, 1000);
                cbor_write_null(&w);
                cbor_write_array(&w, 0);
                whole = sizeof(expected) / 2;
                assert_int_equal(w.full, size < whole);
                assert_int_equal(cbor_written(&w).len, size < whole ? 0 : whole);
        }
        hex_encode(to, w.len, hex);
        assert_string_equal(hex, expected);
        assert_int_equal(cbor_validate(cbor_written(&w), NULL), 0);
}

/* After what did not fit nothing more is written, were it ever so small. */
static void writer_stays_full(void **state)
{
        uint8_t to[4];
        struct cbor_writer w;

        cbor_writer_init(&w, to, sizeof(to));
        cbor_write_array(&w, 2);
        cbor_write_raw(&w, CBOR_LITERAL("12345"));
        cbor_write_uint(&w, 1);
        assert_true(w.full);
        assert_int_equal(w.len, 1);
        assert_int_equal(cbor_written(&w).len, 0);
}

/* ---- against libcbor: random items, whole and damaged */

static uint32_t next(uint64_t *seed)
{
        *seed = *seed * 6364136223846793005u + 1442695040888963407u;
        return (uint32_t)(*seed >> 33);
}

static void random_item(struct cbor_writer *w, uint64_t *seed, int depth)
{
        static const char *const odd[] = { "\xf9\x3e\x00", "\xf7", "\xfa\x47\x7f\xe0\x01",
                                           "\xfb\x3f\xf1\x99\x99\x99\x99\x99\x9a" };
        const struct cbor_span text = CBOR_LITERAL("text and more text, and still more");
        static const size_t odd_len[] = { 3, 1, 5, 9 };
        const unsigned shift = next(seed) % 64;
        const uint64_t number = (uint64_t)next(seed) << 32 >> shift;
        const uint32_t count = next(seed) % 4;

        /* clang-format off */
        switch (next(seed) % (depth < 6 ? 8 : 5)) {
        case 0: cbor_write_uint(w, number); break;
        case 1: cbor_write_int(w, -1 - (int64_t)(number >> 1)); break;
        case 2: cbor_write_bytes(w, (struct cbor_span){ text.at, number % 31 }); break;
        case 3: cbor_write_text(w, (struct cbor_span){ text.at, number % 33 }); break;
        case 4: cbor_write_raw(w, (struct cbor_span){ (const uint8_t *)odd[count], odd_len[count] }); break;
        case 5:
                cbor_write_array(w, count);
                for (uint32_t i = 0; i < count; i++)
                        random_item(w, seed, depth + 1);
                break;
        case 6:
                cbor_write_map(w, count);
                for (uint32_t i = 0; i < count; i++) {
                        cbor_write_uint(w, 10 * i + next(seed) % 10);
                        random_item(w, seed, depth + 1);
                }
                break;
        default:
                cbor_write_tag(w, number);
                random_item(w, seed, depth + 1);
        }
        /* clang-format on */
}

static void agrees_with_libcbor(void **state)
{
        uint64_t seed = 20260101;
        unsigned whole = 0, damaged = 0;
        bool yes;

        for (int i = 0; i < 60000; i++) {
                uint8_t bytes[1024];
                struct cbor_writer w;
                char hex[2 * sizeof(bytes) + 1];

                cbor_writer_init(&w, bytes, sizeof(bytes));
                random_item(&w, &seed, 0);
                if (w.full)
                        continue;
                hex_encode(bytes, w.len, hex);
                if (!oracle_agrees(cbor_written(&w), CBOR_STRICT, &yes) || !yes)
                        fail_msg("whole: %s", hex);
                whole += yes;
                for (uint32_t hits = 1 + next(&seed) % 2; hits > 0; hits--)
                        bytes[next(&seed) % w.len] = (uint8_t)next(&seed);
                hex_encode(bytes, w.len, hex);
                if (!oracle_agrees(cbor_written(&w), i % 2 == 0 ? CBOR_STRICT : CBOR_ANY_ORDER, &yes))
                        fail_msg("damaged: %s", hex);
                damaged += yes;
        }
        assert_true(whole > 50000 && damaged > 5000);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(refused),
                cmocka_unit_test(accepted),
                cmocka_unit_test(any_order),
                cmocka_unit_test(typed),
                cmocka_unit_test(typed_wrong),
                cmocka_unit_test(sticky),
                cmocka_unit_test(missing_and_left_over),
                cmocka_unit_test(writer),
                cmocka_unit_test(writer_stays_full),
                cmocka_unit_test(agrees_with_libcbor),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
