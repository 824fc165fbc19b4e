#include "tests/wire/octets.h"

#include <errno.h>
#include <stdio.h>

#include "wire/signing.h"

static struct trust_key listed(uint8_t kid, enum trust_use use, uint32_t from, uint32_t to)
{
        struct trust_key key = {
                .use = use, .alg = KEY_EDDSA, .public_len = 32, .not_before_s = from, .not_after_s = to
        };

        memset(key.kid, kid, sizeof(key.kid));
        memset(key.public, kid, 32);
        return key;
}

/* The largest list there is, signed and opened; one more key is refused. */
static void largest_there_and_back(void **state)
{
        static struct trust sent, back;
        static uint8_t bytes[TRUST_MAX];
        struct key *root, *other;
        struct cbor_writer w;

        assert_int_equal(key_generate(KEY_EDDSA, &root), 0);
        assert_int_equal(key_generate(KEY_EDDSA, &other), 0);
        sent.number = sent.issued_at_s = UINT32_MAX;
        memset(sent.region, 'r', TRUST_REGION_MAX);
        sent.count = TRUST_KEYS_MAX;
        for (size_t i = 0; i < TRUST_KEYS_MAX; i++) {
                sent.keys[i] = listed((uint8_t)i, TRUST_DOOR, UINT32_MAX - 1, UINT32_MAX);
                sent.keys[i].alg = KEY_ES256;
                sent.keys[i].public_len = 65;
        }
        cbor_writer_init(&w, bytes, sizeof(bytes));
        assert_int_equal(trust_sign(&sent, root, &w), 0);
        assert_int_equal(w.len, TRUST_MAX);
        assert_int_equal(trust_open(cbor_written(&w), root, &back), 0);
        assert_int_equal(back.count, sent.count);
        assert_int_equal(back.number, sent.number);
        assert_string_equal(back.region, sent.region);
        for (size_t i = 0; i < TRUST_KEYS_MAX; i++) {
                assert_memory_equal(back.keys[i].kid, sent.keys[i].kid, KEY_KID_SIZE);
                assert_memory_equal(back.keys[i].public, sent.keys[i].public, 65);
                assert_int_equal(back.keys[i].use, TRUST_DOOR);
                assert_int_equal(back.keys[i].not_before_s, UINT32_MAX - 1);
        }
        assert_int_equal(trust_open(cbor_written(&w), other, &back), -EKEYREJECTED);
        bytes[100] ^= 1;
        assert_int_equal(trust_open(cbor_written(&w), root, &back), -EKEYREJECTED);
        sent.count++;
        assert_int_equal(trust_sign(&sent, root, &w), -EINVAL);
        key_free(other);
        key_free(root);
}

static void refused_on_writing(void **state)
{
        static struct trust t;
        uint8_t bytes[1024];
        struct cbor_writer w;

        for (int i = 0; i < 6; i++) {
                t.count = 1;
                t.keys[0] = listed(1, TRUST_RECEIPT, 1, 2);
                if (i == 1)
                        t.keys[0].use = 7;
                if (i == 2)
                        t.keys[0].alg = -257;
                if (i == 3)
                        t.keys[0].public_len = 65;
                if (i == 4)
                        t.keys[0].not_before_s = 3;
                if (i == 5)
                        t.keys[0].use = 0;
                cbor_writer_init(&w, bytes, sizeof(bytes));
                assert_int_equal(trust_write_payload(&t, &w), i == 0 ? 0 : -EINVAL);
        }
}

/* Each use has its algorithms: written with no other; and read, such a key is overlooked. */
static void each_use_has_its_algorithms(void **state)
{
        static const enum key_alg algs[] = { KEY_EDDSA, KEY_ES256, KEY_ECDH_ES };
        static const unsigned good[] = { [TRUST_RECEIPT] = 1, [TRUST_ORDER] = 1,    [TRUST_PASS] = 1,
                                         [TRUST_STATUS] = 1,  [TRUST_POSITION] = 4, [TRUST_DOOR] = 3 }; /* bits of algs */
        static struct trust t, back;
        uint8_t bytes[1024];
        struct cbor_writer w;

        for (unsigned use = TRUST_RECEIPT; use <= TRUST_DOOR; use++) {
                for (unsigned a = 0; a < 3; a++) {
                        bool is_good = (good[use] >> a & 1) != 0;
                        const struct trust_key *key = &t.keys[0];

                        t.count = 1;
                        t.keys[0] = listed(1, (enum trust_use)use, 1, 2);
                        t.keys[0].alg = algs[a];
                        t.keys[0].public_len = algs[a] == KEY_ES256 ? 65 : 32;
                        cbor_writer_init(&w, bytes, sizeof(bytes));
                        assert_int_equal(trust_write_payload(&t, &w), is_good ? 0 : -EINVAL);
                        cbor_writer_init(&w, bytes, sizeof(bytes));
                        cbor_write_raw(&w, CBOR_LITERAL("\x85\x01\x07\x07\x60\x81\x86"));
                        cbor_write_bytes(&w, CBOR_OCTETS(key->kid));
                        cbor_write_uint(&w, use);
                        cbor_write_int(&w, key->alg);
                        cbor_write_bytes(&w, (struct cbor_span){ key->public, key->public_len });
                        cbor_write_raw(&w, CBOR_LITERAL("\x01\x02"));
                        assert_int_equal(trust_read_payload(cbor_written(&w), &back, NULL), 0);
                        assert_int_equal(back.count, is_good);
                }
        }
}

/* clang-format off */
#define ZERO32 "0000000000000000000000000000000000000000000000000000000000000000"
#define ZERO31 "00000000000000000000000000000000000000000000000000000000000000"
#define A32    "6161616161616161616161616161616161616161616161616161616161616161"
#define KID8   "480102030405060708"
#define LIST(keys) "8501" "07" "1a68e77800" "646c796f6e" keys
/* clang-format on */

static void read_payloads(void **state)
{
        /* clang-format off */
        static const struct {
                const char *hex, *why;
                size_t count;
        } cases[] = {
                { LIST("80"), NULL, 0 },
                { LIST("81" "86" KID8 "01" "27" "5820" ZERO32 "01" "02"), NULL, 1 },
                { LIST("81" "87" KID8 "01" "27" "5820" ZERO32 "01" "02" "f6"), NULL, 1 }, /* newer parts of a key */
                { "8601" "07" "1a68e77800" "646c796f6e" "80" "f6", NULL, 0 }, /* newer parts of the list */
                { LIST("82" "86" KID8 "07" "27" "40" "01" "02" "86" KID8 "01" "27" "5820" ZERO32 "01" "02"), NULL, 1 },
                { LIST("81" "86" KID8 "01" "32" "4101" "01" "02"), NULL, 0 }, /* an algorithm of later */
                { LIST("81" "86" KID8 "01" "27" "581f" ZERO31 "01" "02"),
                  "a public key of the wrong length", 0 },
                { LIST("81" "86" KID8 "01" "26" "5820" ZERO32 "01" "02"), "a public key of the wrong length", 0 },
                { LIST("81" "86" KID8 "01" "27" "5820" ZERO32 "03" "02"), "a key that ends before it begins", 0 },
                { LIST("81" "85" KID8 "01" "27" "5820" ZERO32 "01"), "an item is missing", 0 },
                { LIST("81" "86" "4701020304050607" "01" "27" "5820" ZERO32 "01" "02"),
                  "string too short or too long", 0 },
                { LIST("81" "86" KID8 "01" "27" "5820" ZERO32 "01" "1b0000000100000000"), "number out of range", 0 },
                { LIST("a0"), "not an array", 0 },
                { "8502" "07" "1a68e77800" "646c796f6e" "80", "a trust list format other than 1", 0 },
                { "8501" "07" "1a68e77800" "7821" A32 "61" "80",
                  "string too short or too long", 0 },
                { "8401" "07" "1a68e77800" "646c796f6e", "an item is missing", 0 },
        };
        /* clang-format on */

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                static struct trust t;
                struct octets o = octets_from(cases[i].hex);
                const char *why = NULL;
                int error = trust_read_payload(octets_span(&o), &t, &why);

                if (error != (cases[i].why != NULL ? -EBADMSG : 0) || (error < 0 && strcmp(why, cases[i].why) != 0) ||
                    (error == 0 && t.count != cases[i].count))
                        fail_msg("%s: %d %s, %zu", cases[i].hex, error, why != NULL ? why : "", t.count);
        }
}

/* 65 keys: refused, also when they are of uses that would be left out. */
static void too_many(void **state)
{
        static struct trust t;
        uint8_t bytes[1024];
        struct cbor_writer w;
        const char *why;

        cbor_writer_init(&w, bytes, sizeof(bytes));
        cbor_write_raw(&w, CBOR_LITERAL("\x85\x01\x07\x07\x60"));
        cbor_write_array(&w, TRUST_KEYS_MAX + 1);
        for (int i = 0; i <= TRUST_KEYS_MAX; i++)
                cbor_write_raw(&w, CBOR_LITERAL("\x86\x48"
                                                "12345678"
                                                "\x09\x27\x40\x01\x02"));
        assert_int_equal(trust_read_payload(cbor_written(&w), &t, &why), -E2BIG);
        assert_string_equal(why, "more than 64 keys");
}

static void found_by_kid_use_and_time(void **state)
{
        static struct trust t;
        uint8_t kid[KEY_KID_SIZE] = { 2, 2, 2, 2, 2, 2, 2, 2 }, none[KEY_KID_SIZE] = { 9 };

        t.count = 4;
        t.keys[0] = listed(1, TRUST_RECEIPT, 100, 200);
        t.keys[1] = listed(2, TRUST_RECEIPT, 150, 300);
        t.keys[2] = listed(2, TRUST_POSITION, 100, 200);
        t.keys[3] = listed(3, TRUST_POSITION, 100, 150);
        assert_ptr_equal(trust_find(&t, kid, TRUST_RECEIPT, 150), &t.keys[1]);
        assert_ptr_equal(trust_find(&t, kid, TRUST_RECEIPT, 300), &t.keys[1]);
        assert_null(trust_find(&t, kid, TRUST_RECEIPT, 149));
        assert_null(trust_find(&t, kid, TRUST_RECEIPT, 301));
        assert_ptr_equal(trust_find(&t, kid, TRUST_POSITION, 149), &t.keys[2]);
        assert_null(trust_find(&t, kid, TRUST_ORDER, 150));
        assert_null(trust_find(&t, none, TRUST_RECEIPT, 150));
        assert_ptr_equal(trust_current(&t, TRUST_RECEIPT, 149), &t.keys[0]);
        assert_ptr_equal(trust_current(&t, TRUST_RECEIPT, 150), &t.keys[1]);
        assert_ptr_equal(trust_current(&t, TRUST_POSITION, 120), &t.keys[2]);
        assert_null(trust_current(&t, TRUST_POSITION, 201));
        assert_null(trust_current(&t, TRUST_DOOR, 150));
        assert_string_equal(trust_use_name(TRUST_POSITION), "position");
        assert_string_equal(trust_use_name(0), "unknown");
        assert_string_equal(trust_use_name(7), "unknown");
}

static void number_only_rises(void **state)
{
        static struct trust held = { .number = 7, .region = "lyon" }, incoming = { .number = 7, .region = "lyon" };
        struct cbor_span a = CBOR_LITERAL("aaaa"), b = CBOR_LITERAL("bbbb"), none = { NULL, 0 };

        assert_int_equal(trust_supersedes(NULL, none, &incoming, b), 1);
        assert_int_equal(trust_supersedes(&held, a, &incoming, a), 0);
        assert_int_equal(trust_supersedes(&held, a, &incoming, b), -ESTALE);
        incoming.number = 6;
        assert_int_equal(trust_supersedes(&held, a, &incoming, b), -ESTALE);
        incoming.number = 8;
        assert_int_equal(trust_supersedes(&held, a, &incoming, b), 1);
        snprintf(incoming.region, sizeof(incoming.region), "paris");
        assert_int_equal(trust_supersedes(&held, a, &incoming, b), -EXDEV);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(largest_there_and_back),
                cmocka_unit_test(refused_on_writing),
                cmocka_unit_test(each_use_has_its_algorithms),
                cmocka_unit_test(read_payloads),
                cmocka_unit_test(too_many),
                cmocka_unit_test(found_by_kid_use_and_time),
                cmocka_unit_test(number_only_rises),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
