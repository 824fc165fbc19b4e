#include "tests/wire/octets.h"

#include <errno.h>
#include <stdlib.h>

#include "wire/signing.h"

/* Whole alerts, receipts and lists are in the tests of their own; vectors_test.c has what others signed. */
static const uint8_t kid[KEY_KID_SIZE] = { 1, 2, 3, 4, 5, 6, 7, 8 };

/* Signed and verified at every size around the two buffers, and at the largest object. */
static void sizes(void **state)
{
        const enum key_alg algs[] = { KEY_ES256, KEY_EDDSA };
        uint8_t *payload = calloc(1, COSE_MAX), *whole = malloc(COSE_MAX);

        assert_non_null(payload);
        assert_non_null(whole);
        for (int i = 0; i < 2; i++) {
                struct key *key, *other;

                assert_int_equal(key_generate(algs[i], &key), 0);
                assert_int_equal(key_generate(algs[i], &other), 0);
                for (size_t len = 940; len <= COSE_MAX - COSE_OVERHEAD - 1; len = len < 1030 ? len + 1 : len + 12907) {
                        struct cose_parts parts = { .alg = algs[i],
                                                    .kid = kid,
                                                    .payload = { payload, len },
                                                    .aad = CBOR_LITERAL("vigie test") };
                        struct cbor_writer w;
                        struct cose_sign1 m;

                        cbor_writer_init(&w, whole, COSE_MAX);
                        assert_int_equal(cose_sign1_sign(&parts, key, &w), 0);
                        assert_int_equal(cose_sign1_parse(cbor_written(&w), COSE_OURS, &m, NULL), 0);
                        assert_int_equal(cose_sign1_verify(&m, key, parts.aad), 0);
                        assert_int_equal(cose_sign1_verify(&m, other, parts.aad), -EKEYREJECTED);
                        assert_int_equal(cose_sign1_verify(&m, key, CBOR_LITERAL("vigie pest")), -EKEYREJECTED);
                }
                key_free(other);
                key_free(key);
        }
        free(whole);
        free(payload);
}

static void refused_on_signing(void **state)
{
        static uint8_t payload[COSE_MAX + 1], to[COSE_MAX + 256];
        struct cose_parts parts = {
                .alg = KEY_EDDSA, .kid = kid, .payload = CBOR_LITERAL("x"), .aad = { payload, COSE_AAD_MAX }
        };
        uint8_t public[KEY_PUBLIC_MAX];
        struct key *key, *half;
        struct cbor_writer w;

        assert_int_equal(key_generate(KEY_EDDSA, &key), 0);
        assert_int_equal(key_from_public(KEY_EDDSA, (struct cbor_span){ public, key_public(key, public) }, &half), 0);
        cbor_writer_init(&w, to, sizeof(to));
        assert_int_equal(cose_sign1_sign(&parts, key, &w), 0);
        assert_int_equal(cose_sign1_sign(&parts, half, &w), -EINVAL);
        parts.alg = KEY_ES256;
        assert_int_equal(cose_sign1_sign(&parts, key, &w), -EINVAL);
        parts.alg = KEY_EDDSA;
        parts.aad.len++;
        assert_int_equal(cose_sign1_sign(&parts, key, &w), -ENOBUFS);
        parts.aad.len = 0;
        parts.payload = (struct cbor_span){ payload, COSE_MAX - COSE_OVERHEAD };
        cbor_writer_init(&w, to, sizeof(to));
        assert_int_equal(cose_sign1_sign(&parts, key, &w), -ENOBUFS);
        parts.payload.len = COSE_MAX + 1;
        cbor_writer_init(&w, to, sizeof(to));
        assert_int_equal(cose_sign1_sign(&parts, key, &w), -ENOBUFS);
        key_free(half);
        key_free(key);
}

static void refused_on_verifying(void **state)
{
        static uint8_t aad[COSE_AAD_MAX + 1];
        struct key *key, *position;
        struct cose_sign1 m;
        const uint8_t signature[KEY_SIGNATURE_SIZE] = { 1 };
        const struct cose_sign1 good = { .payload = CBOR_LITERAL("x"),
                                         .signature = CBOR_OCTETS(signature),
                                         .alg = KEY_EDDSA };

        assert_int_equal(key_generate(KEY_EDDSA, &key), 0);
        assert_int_equal(key_generate(KEY_ECDH_ES, &position), 0);
        m = good;
        assert_int_equal(cose_sign1_verify(&m, key, CBOR_LITERAL("")), -EKEYREJECTED);
        assert_int_equal(cose_sign1_verify(&m, position, CBOR_LITERAL("")), -EINVAL);
        assert_int_equal(cose_sign1_verify(&m, key, (struct cbor_span){ aad, sizeof(aad) }), -EKEYREJECTED);
        m.alg = KEY_ES256;
        assert_int_equal(cose_sign1_verify(&m, key, CBOR_LITERAL("")), -EOPNOTSUPP);
        m.alg = COSE_ALG_TEXT;
        assert_int_equal(cose_sign1_verify(&m, key, CBOR_LITERAL("")), -EOPNOTSUPP);
        m.alg = 0; /* not said: the key says it */
        assert_int_equal(cose_sign1_verify(&m, key, CBOR_LITERAL("")), -EKEYREJECTED);
        m = good;
        m.critical_unknown = true;
        assert_int_equal(cose_sign1_verify(&m, key, CBOR_LITERAL("")), -EOPNOTSUPP);
        m = good;
        m.detached = true;
        assert_int_equal(cose_sign1_verify(&m, key, CBOR_LITERAL("")), -ENODATA);
        m = good;
        m.signature.len--;
        assert_int_equal(cose_sign1_verify(&m, key, CBOR_LITERAL("")), -EKEYREJECTED);
        key_free(position);
        key_free(key);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(sizes),
                cmocka_unit_test(refused_on_signing),
                cmocka_unit_test(refused_on_verifying),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
