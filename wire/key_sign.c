/* Signing, verifying and agreeing: the part of wire/key.h that uses keys. */
#include <errno.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <string.h>

#include "wire/key.h"

#define HALF          (KEY_SIGNATURE_SIZE / 2)
#define ES256_DER_MAX 72 /* SEQUENCE of two INTEGERs of at most 33 octets */

/* Order of P-256 (SEC 2, section 2.4.2). */
static const uint8_t p256_order[HALF] = {
        0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17, 0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51,
};

static bool in_range(const uint8_t number[HALF])
{
        static const uint8_t zero[HALF];

        return memcmp(number, zero, HALF) != 0 && memcmp(number, p256_order, HALF) < 0;
}

static const EVP_MD *digest_of(const struct key *key)
{
        return key_alg(key) == KEY_ES256 ? EVP_sha256() : NULL;
}

static int raw_from_der(const uint8_t *der, size_t len, uint8_t raw[KEY_SIGNATURE_SIZE])
{
        ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);
        bool done = sig != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, HALF) == HALF &&
                    BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + HALF, HALF) == HALF;

        ECDSA_SIG_free(sig);
        return done ? 0 : -EIO;
}

/* One INTEGER of a number in range: leading zeros go, and one comes back where the first bit is set. */
static size_t der_integer(const uint8_t number[HALF], uint8_t *to)
{
        size_t skip = 0, pad;

        while (number[skip] == 0)
                skip++;
        pad = number[skip] >> 7;
        to[0] = 2;
        to[1] = (uint8_t)(pad + HALF - skip);
        to[2] = 0;
        memcpy(to + 2 + pad, number + skip, HALF - skip);
        return 2 + pad + HALF - skip;
}

static size_t der_from_raw(const uint8_t raw[KEY_SIGNATURE_SIZE], uint8_t der[ES256_DER_MAX])
{
        size_t len = 2;

        len += der_integer(raw, der + len);
        len += der_integer(raw + HALF, der + len);
        der[0] = 0x30;
        der[1] = (uint8_t)(len - 2);
        return len;
}

int key_sign(const struct key *key, struct cbor_span bytes, uint8_t signature[KEY_SIGNATURE_SIZE])
{
        uint8_t der[ES256_DER_MAX];
        size_t len = key_alg(key) == KEY_ES256 ? sizeof(der) : KEY_SIGNATURE_SIZE;
        EVP_MD_CTX *ctx;
        int r = -EIO;

        if (key_alg(key) == KEY_ECDH_ES || !key_is_private(key))
                return -EINVAL;
        ctx = EVP_MD_CTX_new();
        if (ctx != NULL && EVP_DigestSignInit(ctx, NULL, digest_of(key), NULL, key_pkey(key)) == 1 &&
            EVP_DigestSign(ctx, key_alg(key) == KEY_ES256 ? der : signature, &len, bytes.at, bytes.len) == 1)
                r = key_alg(key) == KEY_ES256 ? raw_from_der(der, len, signature) : 0;
        EVP_MD_CTX_free(ctx);
        if (r < 0)
                ERR_clear_error();
        return r;
}

int key_verify(const struct key *key, struct cbor_span bytes, const uint8_t signature[KEY_SIGNATURE_SIZE])
{
        uint8_t der[ES256_DER_MAX];
        const uint8_t *sig = signature;
        size_t len = KEY_SIGNATURE_SIZE;
        EVP_MD_CTX *ctx;
        int r = -EIO, answer;

        if (key_alg(key) == KEY_ECDH_ES)
                return -EINVAL;
        if (key_alg(key) == KEY_ES256) {
                if (!in_range(signature) || !in_range(signature + HALF))
                        return -EKEYREJECTED;
                len = der_from_raw(signature, der);
                sig = der;
        }
        ctx = EVP_MD_CTX_new();
        if (ctx != NULL && EVP_DigestVerifyInit(ctx, NULL, digest_of(key), NULL, key_pkey(key)) == 1) {
                answer = EVP_DigestVerify(ctx, sig, len, bytes.at, bytes.len);
                r = answer == 1 ? 0 : answer == 0 ? -EKEYREJECTED : -EIO;
        }
        EVP_MD_CTX_free(ctx);
        if (r < 0)
                ERR_clear_error();
        return r;
}

int key_agree(const struct key *key, const uint8_t peer[32], uint8_t ret_secret[32])
{
        EVP_PKEY *other;
        EVP_PKEY_CTX *ctx;
        size_t len = 32;
        int r = -EIO;

        if (key_alg(key) != KEY_ECDH_ES || !key_is_private(key))
                return -EINVAL;
        other = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, peer, 32);
        ctx = EVP_PKEY_CTX_new(key_pkey(key), NULL);
        if (other != NULL && ctx != NULL && EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_derive_set_peer(ctx, other) == 1)
                r = EVP_PKEY_derive(ctx, ret_secret, &len) == 1 && len == 32 ? 0 : -EKEYREJECTED;
        EVP_PKEY_CTX_free(ctx);
        EVP_PKEY_free(other);
        if (r < 0)
                ERR_clear_error();
        return r;
}
