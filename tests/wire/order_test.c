#include "tests/wire/octets.h"

#include <errno.h>

#include "tests/wire/example.h"

#include "wire/signing.h"

static const struct order largest = { .handset = { "handset" },
                                      .enrolment = "enrolled",
                                      .number = UINT32_MAX,
                                      .kind = ORDER_PASS,
                                      .issued_at_s = UINT32_MAX,
                                      .digest = "sixteen octets.." };

struct region {
        struct key *key;
        struct trust trust;
        uint8_t bytes[ORDER_MAX];
        struct cbor_writer w;
};

static void region_open(struct region *region)
{
        struct trust_key *listed = &region->trust.keys[0];

        memset(region, 0, sizeof(*region));
        assert_int_equal(key_generate(KEY_EDDSA, &region->key), 0);
        region->trust.count = 1;
        *listed = (struct trust_key){ .use = TRUST_ORDER, .alg = KEY_EDDSA, .not_after_s = UINT32_MAX };
        listed->public_len = (uint8_t)key_public(region->key, listed->public);
        assert_int_equal(key_kid(region->key, listed->kid), 0);
}

static int sign(struct region *region, const struct order *order)
{
        cbor_writer_init(&region->w, region->bytes, sizeof(region->bytes));
        return order_sign(order, region->trust.keys[0].kid, region->key, &region->w);
}

/* sign_payload: what nobody of ours writes, in HEX, signed all the same.  Lies in REGION until the next one. */
static struct cbor_span sign_payload(struct region *region, const char *hex)
{
        struct octets payload = octets_from(hex);
        struct cose_parts parts = { .alg = KEY_EDDSA,
                                    .kid = region->trust.keys[0].kid,
                                    .payload = octets_span(&payload),
                                    .aad = CBOR_LITERAL(ORDER_AAD) };

        cbor_writer_init(&region->w, region->bytes, sizeof(region->bytes));
        assert_int_equal(cose_sign1_sign(&parts, region->key, &region->w), 0);
        return cbor_written(&region->w);
}

/* Every kind is read as it was written, verified through the list, and fits one SMS. */
static void there_and_back(void **state)
{
        struct region region;
        struct order_signed back;

        region_open(&region);
        for (int kind = ORDER_WIPE; kind < ORDER_KIND_END; kind++) {
                struct order order = largest;

                memset(order.digest, 0, sizeof(order.digest));
                order.kind = (enum order_kind)kind;
                if (kind == ORDER_UNLOCK)
                        memcpy(order.challenge, "question", sizeof(order.challenge));
                else if (kind == ORDER_PASS)
                        memcpy(order.digest, largest.digest, sizeof(order.digest));
                else if (kind == ORDER_TRUST)
                        order.trust_number = 77;
                assert_int_equal(sign(&region, &order), 0);
                assert_true(region.w.len <= COSE_SMS_MAX);
                assert_int_equal(order_read(cbor_written(&region.w), &back, NULL), 0);
                assert_memory_equal(&back.order, &order, sizeof(order));
                assert_int_equal(order_verify_trusted(&back, &region.trust, 5), 0);
                assert_string_not_equal(order_kind_name((unsigned)kind), "unknown");
        }
        assert_int_equal(sign(&region, &largest), 0);
        assert_int_equal(region.w.len, ORDER_MAX);
        region.trust.keys[0].use = TRUST_PASS;
        assert_int_equal(order_verify_trusted(&back, &region.trust, 5), -ENOKEY);
        assert_string_equal(order_kind_name(0), "unknown");
        assert_string_equal(order_kind_name(ORDER_KIND_END), "unknown");
        key_free(region.key);
}

static void every_bit(void **state)
{
        struct region region;
        struct order_signed back;

        region_open(&region);
        assert_int_equal(sign(&region, &largest), 0);
        for (size_t bit = 0; bit < 8 * region.w.len; bit++) {
                region.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
                if (order_read(cbor_written(&region.w), &back, NULL) == 0)
                        assert_true(order_verify_trusted(&back, &region.trust, 5) < 0);
                region.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        key_free(region.key);
}

/* An argument of another kind: nobody does half an order. */
static void refused(void **state)
{
        static const struct {
                const char *payload, *why;
        } cases[] = {
                { "87014868616e6473657400"
                  "48656e726f6c6c6564"
                  "0701"
                  "00"
                  "00",
                  "a wipe has no argument" },
                { "87014868616e6473657400"
                  "48656e726f6c6c6564"
                  "0702"
                  "00"
                  "f6",
                  "not a byte string" },
                { "87024868616e6473657400"
                  "48656e726f6c6c6564"
                  "0701"
                  "00"
                  "f6",
                  "an order format other than 1" },
                { "86014868616e6473657400"
                  "48656e726f6c6c6564"
                  "0701"
                  "00",
                  "a wipe has no argument" },
        };
        struct region region;
        struct order_signed back;
        struct order order = largest;

        region_open(&region);
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                const char *why = "";

                assert_int_equal(order_read(sign_payload(&region, cases[i].payload), &back, &why), -EBADMSG);
                assert_string_equal(why, cases[i].why);
        }
        order.kind = ORDER_KIND_END;
        assert_int_equal(sign(&region, &order), -EINVAL);
        key_free(region.key);
}

/* A kind of a newer region, whatever its argument is: read, so that it can be answered; never written. */
static void unknown_kind(void **state)
{
        static const struct {
                const char *payload;
                unsigned kind;
        } cases[] = {
                { "87014868616e64736574004"
                  "8656e726f6c6c6564"
                  "070500f6",
                  5 },
                { "87014868616e64736574004"
                  "8656e726f6c6c6564"
                  "070000f6",
                  0 },
                { "88014868616e64736574004"
                  "8656e726f6c6c6564"
                  "0718ff008201a10203f5",
                  255 },
        };
        struct region region;
        struct order_signed back;

        region_open(&region);
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                assert_int_equal(order_read(sign_payload(&region, cases[i].payload), &back, NULL), 0);
                assert_int_equal(back.order.kind, cases[i].kind);
                assert_int_equal(back.order.number, 7);
                assert_int_equal(order_verify_trusted(&back, &region.trust, 5), 0);
        }
        key_free(region.key);
}

/* The phone's answer: written as PROTOCOL.md shows it, signed by a key that is elsewhere, read back; another signer's is refused. */
static void confirmation(void **state)
{
        static const struct confirm given = { .handset = { { 0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7 } },
                                              .enrolment = { 0xe0, 1, 2, 3, 4, 5, 6, 7 },
                                              .number = UINT32_MAX,
                                              .kind = UINT8_MAX,
                                              .result = UINT8_MAX,
                                              .at_s = UINT32_MAX };
        uint8_t tbs[CONFIRM_TBS_MAX], whole[CONFIRM_MAX], shown[CONFIRM_PAYLOAD_MAX], signature[KEY_SIGNATURE_SIZE];
        struct confirm_signed back;
        struct cbor_writer w;
        struct key *key, *other;

        assert_int_equal(key_generate(KEY_ES256, &key), 0);
        assert_int_equal(key_generate(KEY_ES256, &other), 0);
        cbor_writer_init(&w, tbs, sizeof(tbs));
        assert_int_equal(confirm_tbs(&given, &w), 0);
        assert_int_equal(key_sign(key, cbor_written(&w), signature), 0);
        cbor_writer_init(&w, whole, sizeof(whole));
        assert_int_equal(confirm_finish(&given, signature, &w), 0);
        assert_int_equal(w.len, CONFIRM_MAX);
        assert_true(CONFIRM_MAX <= COSE_SMS_MAX);
        assert_int_equal(confirm_read(cbor_written(&w), &back, NULL), 0);
        assert_memory_equal(&back.confirm, &given, sizeof(given));
        assert_int_equal(cose_sign1_verify(&back.cose, key, CBOR_LITERAL(CONFIRM_AAD)), 0);
        assert_int_equal(cose_sign1_verify(&back.cose, other, CBOR_LITERAL(CONFIRM_AAD)), -EKEYREJECTED);
        assert_int_equal(cose_sign1_verify(&back.cose, key, CBOR_LITERAL(ORDER_AAD)), -EKEYREJECTED);
        whole[8]++; /* the kid */
        assert_int_equal(confirm_read(cbor_written(&w), &back, NULL), -EBADMSG);
        cbor_writer_init(&w, tbs, sizeof(tbs));
        assert_int_equal(confirm_write_payload(&(struct confirm){ .handset = given.handset,
                                                                  .enrolment = { 0xe0, 1, 2, 3, 4, 5, 6, 7 },
                                                                  .number = 7,
                                                                  .kind = ORDER_PASS,
                                                                  .at_s = 0x6955b900 },
                                               &w),
                         0);
        assert_int_equal(example("order-confirmation", shown, sizeof(shown)), w.len);
        assert_memory_equal(tbs, shown, w.len);
        key_free(key);
        key_free(other);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(there_and_back), cmocka_unit_test(every_bit),    cmocka_unit_test(refused),
                cmocka_unit_test(unknown_kind),   cmocka_unit_test(confirmation),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
