#include "tests/wire/octets.h"

#include <errno.h>

#include "wire/signing.h"

#define ID                 \
        "50"               \
        "5a17c0de00000001" \
        "0102030405060708"

static struct receipt largest(void)
{
        struct receipt r = {
                .revision = 65535, .version = UINT32_MAX, .state = RECEIPT_STATE_MAX, .time_s = UINT32_MAX
        };

        memset(r.alert.octets, 0xff, sizeof(r.alert.octets));
        receipt_set_who(&r, "Marie-Amandine de la Tour");
        return r;
}

/* Signed by a key of the trust list, read back, verified through the list; the worst case is one SMS to the octet. */
static void there_and_back(void **state)
{
        struct receipt sent = largest();
        struct receipt_signed back;
        struct trust trust = { .count = 1 };
        struct trust_key *listed = &trust.keys[0];
        struct key *key, *other;
        uint8_t bytes[RECEIPT_MAX];
        struct cbor_writer w;

        assert_int_equal(key_generate(KEY_EDDSA, &key), 0);
        assert_int_equal(key_generate(KEY_EDDSA, &other), 0);
        *listed = (struct trust_key){
                .use = TRUST_RECEIPT, .alg = KEY_EDDSA, .not_before_s = 1, .not_after_s = UINT32_MAX
        };
        listed->public_len = (uint8_t)key_public(key, listed->public);
        assert_int_equal(key_kid(key, listed->kid), 0);
        cbor_writer_init(&w, bytes, sizeof(bytes));
        assert_int_equal(receipt_sign(&sent, listed->kid, key, &w), 0);
        assert_int_equal(w.len, RECEIPT_MAX);
        assert_int_equal(RECEIPT_MAX, COSE_SMS_MAX);
        assert_int_equal(receipt_read(cbor_written(&w), &back, NULL), 0);
        assert_memory_equal(back.receipt.alert.octets, sent.alert.octets, ALERT_ID_SIZE);
        assert_int_equal(back.receipt.revision, sent.revision);
        assert_int_equal(back.receipt.version, sent.version);
        assert_int_equal(back.receipt.state, sent.state);
        assert_int_equal(back.receipt.time_s, sent.time_s);
        assert_string_equal(back.receipt.who, "Marie-Amandine ");
        assert_int_equal(receipt_verify(&back, key), 0);
        assert_int_equal(receipt_verify(&back, other), -EKEYREJECTED);
        assert_int_equal(receipt_verify_trusted(&back, &trust), 0);
        listed->not_after_s = UINT32_MAX - 1;
        assert_int_equal(receipt_verify_trusted(&back, &trust), -ENOKEY);
        listed->not_after_s = UINT32_MAX;
        listed->use = TRUST_ORDER;
        assert_int_equal(receipt_verify_trusted(&back, &trust), -ENOKEY);
        listed->use = TRUST_RECEIPT;
        listed->public_len = (uint8_t)key_public(other, listed->public);
        assert_int_equal(receipt_verify_trusted(&back, &trust), -EKEYREJECTED);
        cbor_writer_init(&w, bytes, sizeof(bytes) - 1);
        assert_int_equal(receipt_sign(&sent, listed->kid, key, &w), -ENOBUFS);
        sent.state = RECEIPT_STATE_MAX + 1;
        cbor_writer_init(&w, bytes, sizeof(bytes));
        assert_int_equal(receipt_sign(&sent, listed->kid, key, &w), -EINVAL);
        key_free(other);
        key_free(key);
}

static void who_is_cut_at_a_code_point(void **state)
{
        /* clang-format off */
        static const struct {
                const char *name, *who;
        } cases[] = {
                { "", "" },
                { NULL, "" },
                { "Zoé Lefèvre-D", "Zoé Lefèvre-D" },           /* 15 octets */
                { "Zoé Lefèvre-DX", "Zoé Lefèvre-D" },
                { "12345678901234é", "12345678901234" },        /* é would be octets 15 and 16 */
                { "123456789012€", "123456789012€" },
                { "1234567890123€", "1234567890123" },
                { "12345678901😀", "12345678901😀" },
                { "123456789012😀", "123456789012" },
                { "😀😀😀😀", "😀😀😀" },
                { "ab\xff" "cd", "ab" },
                { "ab\xc3", "ab" },
                { "\xed\xa0\x80", "" },
        };
        /* clang-format on */

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct receipt r = { .who = "somebody before" };
                uint8_t bytes[RECEIPT_PAYLOAD_MAX];
                struct cbor_writer w;

                receipt_set_who(&r, cases[i].name);
                assert_string_equal(r.who, cases[i].who);
                cbor_writer_init(&w, bytes, sizeof(bytes));
                assert_int_equal(receipt_write_payload(&r, &w), 0);
                assert_int_equal(cbor_validate(cbor_written(&w), NULL), 0);
        }
}

static void read_payloads(void **state)
{
        /* clang-format off */
        static const struct {
                const char *hex, *why;
        } cases[] = {
                { "8701" ID "00" "01" "04" "1a68e77800" "60", NULL },
                { "8701" ID "00" "01" "18ff" "1a68e77800" "60", NULL }, /* a newer server's state */
                { "8901" ID "00" "01" "04" "1a68e77800" "60" "f6" "80", NULL }, /* newer parts */
                { "8702" ID "00" "01" "04" "1a68e77800" "60", "a receipt format other than 1" },
                { "8701" "4f" "5a17c0de00000001" "01020304050607" "00" "01" "04" "1a68e77800" "60",
                  "string too short or too long" },
                { "8701" ID "1a00010000" "01" "04" "1a68e77800" "60", "number out of range" },
                { "8701" ID "00" "1b0000000100000000" "04" "1a68e77800" "60", "number out of range" },
                { "8701" ID "00" "01" "190100" "1a68e77800" "60", "number out of range" },
                { "8701" ID "00" "01" "04" "20" "60", "not an unsigned integer" },
                { "8701" ID "00" "01" "04" "1a68e77800" "70" "31323334353637383930313233343536",
                  "string too short or too long" },
                { "8701" ID "00" "01" "04" "1a68e77800" "620061", "U+0000 in a text" },
                { "8701" ID "00" "01" "04" "1a68e77800" "61ff", "text that is not UTF-8" },
                { "8601" ID "00" "01" "04" "1a68e77800", "an item is missing" },
                { "8701" ID "00" "01" "04" "1a68e77800" "60" "00", "bytes after the item" },
                { "a0", "not an array" },
        };
        /* clang-format on */

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct octets o = octets_from(cases[i].hex);
                struct receipt r;
                const char *why = NULL;
                int error = receipt_read_payload(octets_span(&o), &r, &why);

                if (error != (cases[i].why != NULL ? -EBADMSG : 0) || (error < 0 && strcmp(why, cases[i].why) != 0))
                        fail_msg("%s: %d %s", cases[i].hex, error, why != NULL ? why : "");
        }
}

static void states(void **state)
{
        assert_false(receipt_is_received(RECEIPT_KEPT));
        assert_false(receipt_is_received(RECEIPT_COMING));
        for (unsigned s = 0; s <= RECEIPT_STATE_MAX; s++) {
                if (s != RECEIPT_KEPT && s != RECEIPT_COMING)
                        assert_true(receipt_is_received(s));
                assert_int_equal(receipt_is_closed(s), s == RECEIPT_CLOSED || s >= RECEIPT_CLOSED_HELPED);
        }
        assert_string_equal(receipt_state_name(RECEIPT_EN_ROUTE), "en route");
        assert_string_equal(receipt_state_name(9), "unknown");
        assert_string_equal(receipt_state_name(RECEIPT_STATE_MAX), "unknown");
        assert_string_equal(receipt_state_name(200), "unknown");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(there_and_back),
                cmocka_unit_test(who_is_cut_at_a_code_point),
                cmocka_unit_test(read_payloads),
                cmocka_unit_test(states),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
