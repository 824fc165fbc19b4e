#include "tests/wire/octets.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "wire/key.h"

static const enum key_alg algs[] = { KEY_ES256, KEY_EDDSA, KEY_ECDH_ES };

static struct cbor_span span_of(const char *text)
{
        return (struct cbor_span){ (const uint8_t *)text, strlen(text) };
}

static void same_public(const struct key *a, const struct key *b)
{
        uint8_t pa[KEY_PUBLIC_MAX], pb[KEY_PUBLIC_MAX], ka[KEY_KID_SIZE], kb[KEY_KID_SIZE];
        size_t len = key_public(a, pa);

        assert_int_equal(key_public(b, pb), len);
        assert_memory_equal(pa, pb, len);
        assert_int_equal(key_kid(a, ka), 0);
        assert_int_equal(key_kid(b, kb), 0);
        assert_memory_equal(ka, kb, KEY_KID_SIZE);
}

/* Every algorithm, there and back through PEM and raw octets. */
static void there_and_back(void **state)
{
        for (size_t i = 0; i < 3; i++) {
                struct key *key, *private, *public, *raw;
                char pem[KEY_PEM_MAX];
                uint8_t octets[KEY_PUBLIC_MAX];
                size_t len;

                assert_int_equal(key_generate(algs[i], &key), 0);
                assert_int_equal(key_alg(key), algs[i]);
                assert_true(key_is_private(key));
                assert_int_equal(key_to_pem(key, true, pem, sizeof(pem)), 0);
                assert_int_equal(key_from_pem(span_of(pem), &private), 0);
                assert_true(key_is_private(private));
                assert_int_equal(key_to_pem(key, true, pem, strlen(pem)), -ENOBUFS);
                assert_int_equal(key_to_pem(key, false, pem, sizeof(pem)), 0);
                assert_int_equal(key_from_pem(span_of(pem), &public), 0);
                assert_false(key_is_private(public));
                assert_int_equal(key_to_pem(public, true, pem, sizeof(pem)), -EINVAL);
                len = key_public(key, octets);
                assert_int_equal(len, algs[i] == KEY_ES256 ? 65 : 32);
                assert_int_equal(key_from_public(algs[i], (struct cbor_span){ octets, len }, &raw), 0);
                assert_int_equal(key_alg(raw), algs[i]);
                same_public(key, private);
                same_public(key, public);
                same_public(key, raw);
                key_free(raw);
                key_free(public);
                key_free(private);
                key_free(key);
        }
}

static void from_fixed_octets(void **state)
{
        uint8_t scalar[KEY_PRIVATE_SIZE], public[KEY_PUBLIC_MAX];
        struct key *key, *file;

        memset(scalar, 0x11, sizeof(scalar));
        assert_int_equal(key_from_private(KEY_ES256, scalar, &key), 0);
        assert_int_equal(key_from_file("tests/wire/vectors/handset.pem", &file), 0);
        same_public(key, file);
        assert_int_equal(key_public(key, public), 65);
        public[64] ^= 1; /* off the curve */
        key_free(file);
        assert_int_equal(key_from_public(KEY_ES256, CBOR_OCTETS(public), &file), -EINVAL);
        assert_int_equal(key_from_public(KEY_ES256, (struct cbor_span){ public, 64 }, &file), -EINVAL);
        public[0] = 2; /* compressed: not a form of ours */
        assert_int_equal(key_from_public(KEY_ES256, (struct cbor_span){ public, 33 }, &file), -EINVAL);
        assert_int_equal(key_from_public(KEY_EDDSA, (struct cbor_span){ public, 31 }, &file), -EINVAL);
        assert_int_equal(key_from_public(-257, (struct cbor_span){ public, 32 }, &file), -EINVAL);
        memset(scalar, 0, sizeof(scalar));
        assert_int_equal(key_from_private(KEY_ES256, scalar, &file), -EINVAL);
        memset(scalar, 0xff, sizeof(scalar));
        assert_int_equal(key_from_private(KEY_ES256, scalar, &file), -EINVAL);
        assert_int_equal(key_from_file("tests/wire/vectors/none.pem", &file), -ENOENT);
        key_free(key);
        key_free(NULL);
        assert_int_equal(ERR_peek_error(), 0);
}

/* What is no key that we know: said so, and nothing left in libcrypto's error queue. */
static void refused(void **state)
{
        static char large[KEY_PEM_MAX + 2];
        EVP_PKEY *p384 = EVP_EC_gen("P-384"), *rsa = EVP_RSA_gen(2048);
        BIO *bio = BIO_new(BIO_s_mem());
        struct key *key;
        char *text;
        long len;

        assert_int_equal(key_from_pem(span_of(""), &key), -EINVAL);
        assert_int_equal(key_from_pem(span_of("no PEM\n"), &key), -EINVAL);
        assert_int_equal(key_from_pem(span_of("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"), &key),
                         -EINVAL);
        memset(large, '\n', sizeof(large) - 1);
        assert_int_equal(key_from_pem(span_of(large), &key), -EMSGSIZE);
        assert_int_equal(key_from_pkey(p384, &key), -EOPNOTSUPP);
        assert_int_equal(PEM_write_bio_PUBKEY(bio, rsa), 1);
        len = BIO_get_mem_data(bio, &text);
        assert_int_equal(key_from_pem((struct cbor_span){ (uint8_t *)text, (size_t)len }, &key), -EOPNOTSUPP);
        BIO_reset(bio);
        assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, p384, EVP_aes_128_cbc(), "word", 4, NULL, NULL), 1);
        len = BIO_get_mem_data(bio, &text);
        assert_int_equal(key_from_pem((struct cbor_span){ (uint8_t *)text, (size_t)len }, &key), -EINVAL);
        assert_int_equal(ERR_peek_error(), 0);
        BIO_free(bio);
        EVP_PKEY_free(rsa);
        EVP_PKEY_free(p384);
}

static void from_certificate(void **state)
{
        struct key *key, *back;
        X509 *x = X509_new();
        BIO *bio = BIO_new(BIO_s_mem());
        char *text;
        long len;

        assert_int_equal(key_generate(KEY_ES256, &key), 0);
        ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
        X509_gmtime_adj(X509_getm_notBefore(x), 0);
        X509_gmtime_adj(X509_getm_notAfter(x), 3600);
        X509_set_pubkey(x, key_pkey(key));
        assert_true(X509_sign(x, key_pkey(key), EVP_sha256()) > 0);
        assert_int_equal(PEM_write_bio_X509(bio, x), 1);
        len = BIO_get_mem_data(bio, &text);
        assert_int_equal(key_from_pem((struct cbor_span){ (uint8_t *)text, (size_t)len }, &back), 0);
        assert_false(key_is_private(back));
        same_public(key, back);
        key_free(back);
        key_free(key);
        BIO_free(bio);
        X509_free(x);
}

/* Sign and verify; r and s with leading zeros and high bits come up within a few hundred signatures. */
static void signatures(void **state)
{
        for (size_t i = 0; i < 2; i++) {
                struct key *key, *other, *public;
                uint8_t signature[KEY_SIGNATURE_SIZE], octets[KEY_PUBLIC_MAX], message[3] = { 1, 2, 3 };
                unsigned leading_zero = 0;

                assert_int_equal(key_generate(algs[i], &key), 0);
                assert_int_equal(key_generate(algs[i], &other), 0);
                assert_int_equal(
                        key_from_public(algs[i], (struct cbor_span){ octets, key_public(key, octets) }, &public), 0);
                for (unsigned n = 0; n < 2000; n++) {
                        message[0] = (uint8_t)n;
                        message[1] = (uint8_t)(n >> 8);
                        assert_int_equal(key_sign(key, CBOR_OCTETS(message), signature), 0);
                        assert_int_equal(key_verify(public, CBOR_OCTETS(message), signature), 0);
                        leading_zero += signature[0] == 0 || signature[32] == 0;
                }
                assert_true(algs[i] == KEY_EDDSA || leading_zero > 0);
                assert_int_equal(key_verify(other, CBOR_OCTETS(message), signature), -EKEYREJECTED);
                signature[5] ^= 1;
                assert_int_equal(key_verify(key, CBOR_OCTETS(message), signature), -EKEYREJECTED);
                signature[5] ^= 1;
                message[2] ^= 1;
                assert_int_equal(key_verify(key, CBOR_OCTETS(message), signature), -EKEYREJECTED);
                assert_int_equal(key_sign(public, CBOR_OCTETS(message), signature), -EINVAL);
                assert_int_equal(ERR_peek_error(), 0);
                key_free(public);
                key_free(other);
                key_free(key);
        }
}

/* r and s are in 1..n-1, whatever libcrypto would make of them. */
static void signature_range(void **state)
{
        struct octets order = octets_from("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
        uint8_t good[KEY_SIGNATURE_SIZE], bad[KEY_SIGNATURE_SIZE];
        struct cbor_span message = CBOR_LITERAL("message");
        struct key *key;

        assert_int_equal(key_generate(KEY_ES256, &key), 0);
        assert_int_equal(key_sign(key, message, good), 0);
        for (size_t half = 0; half < KEY_SIGNATURE_SIZE; half += 32) {
                memcpy(bad, good, sizeof(bad));
                memset(bad + half, 0, 32);
                assert_int_equal(key_verify(key, message, bad), -EKEYREJECTED);
                memcpy(bad + half, order.at, 32);
                assert_int_equal(key_verify(key, message, bad), -EKEYREJECTED);
                bad[half + 31]--; /* n - 1: in range, and not this signature */
                assert_int_equal(key_verify(key, message, bad), -EKEYREJECTED);
                memset(bad + half, 0xff, 32);
                assert_int_equal(key_verify(key, message, bad), -EKEYREJECTED);
        }
        memset(bad, 0, sizeof(bad));
        bad[31] = bad[63] = 1;
        assert_int_equal(key_verify(key, message, bad), -EKEYREJECTED);
        key_free(key);
}

/* Both sides get the same secret; a peer of small order gets none.  (Against another implementation: sealed_test.c.) */
static void agreement(void **state)
{
        struct key *one, *two;
        uint8_t pa[KEY_PUBLIC_MAX], pb[KEY_PUBLIC_MAX], sa[32], sb[32], zero[32] = { 0 };

        assert_int_equal(key_generate(KEY_ECDH_ES, &one), 0);
        assert_int_equal(key_generate(KEY_ECDH_ES, &two), 0);
        key_public(one, pa);
        key_public(two, pb);
        assert_int_equal(key_agree(one, pb, sa), 0);
        assert_int_equal(key_agree(two, pa, sb), 0);
        assert_memory_equal(sa, sb, 32);
        assert_int_equal(key_agree(one, zero, sa), -EKEYREJECTED);
        assert_int_equal(key_sign(one, CBOR_LITERAL("x"), pa), -EINVAL);
        assert_int_equal(key_verify(one, CBOR_LITERAL("x"), pa), -EINVAL);
        assert_int_equal(ERR_peek_error(), 0);
        key_free(two);
        key_free(one);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(there_and_back), cmocka_unit_test(from_fixed_octets),
                cmocka_unit_test(refused),        cmocka_unit_test(from_certificate),
                cmocka_unit_test(signatures),     cmocka_unit_test(signature_range),
                cmocka_unit_test(agreement),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
