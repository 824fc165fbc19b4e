#include "wire/key.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <string.h>

struct key {
        EVP_PKEY *pkey;
        enum key_alg alg;
        bool is_private;
        uint8_t public_len;
        uint8_t public[KEY_PUBLIC_MAX];
};

/* libcrypto keeps errors per thread and TLS reads them: what failed here must not look like a failed connection
 * there. */
static int failed(int error)
{
        ERR_clear_error();
        return error;
}

static int alg_of(const EVP_PKEY *pkey, enum key_alg *ret_alg)
{
        char group[32] = "";

        switch (EVP_PKEY_get_base_id(pkey)) {
        case EVP_PKEY_ED25519:
                *ret_alg = KEY_EDDSA;
                return 0;
        case EVP_PKEY_X25519:
                *ret_alg = KEY_ECDH_ES;
                return 0;
        case EVP_PKEY_EC:
                if (EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group), NULL) != 1 ||
                    strcmp(group, SN_X9_62_prime256v1) != 0)
                        return -EOPNOTSUPP;
                *ret_alg = KEY_ES256;
                return 0;
        default:
                return -EOPNOTSUPP;
        }
}

/* The public point uncompressed, whatever form the PEM had it in. */
static int public_fill(struct key *key)
{
        uint8_t x[32], y[32];
        BIGNUM *bx = NULL, *by = NULL;
        size_t len = sizeof(key->public);
        int r = -EIO;

        if (key->alg != KEY_ES256) {
                if (EVP_PKEY_get_raw_public_key(key->pkey, key->public, &len) != 1)
                        return -EIO;
                key->public_len = (uint8_t)len;
                return 0;
        }
        if (EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_EC_PUB_X, &bx) != 1 ||
            EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_EC_PUB_Y, &by) != 1 ||
            BN_bn2binpad(bx, x, sizeof(x)) < 0 || BN_bn2binpad(by, y, sizeof(y)) < 0)
                goto out;
        key->public[0] = POINT_CONVERSION_UNCOMPRESSED;
        memcpy(key->public + 1, x, sizeof(x));
        memcpy(key->public + 33, y, sizeof(y));
        key->public_len = 65;
        r = 0;
out:
        BN_free(by);
        BN_free(bx);
        return r;
}

static bool has_private(const struct key *key)
{
        BIGNUM *scalar = NULL;
        size_t len;

        if (key->alg != KEY_ES256)
                return EVP_PKEY_get_raw_private_key(key->pkey, NULL, &len) == 1;
        if (EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_PRIV_KEY, &scalar) != 1)
                return false;
        BN_clear_free(scalar);
        return true;
}

int key_from_pkey(EVP_PKEY *pkey, struct key **ret_key)
{
        struct key *key = OPENSSL_zalloc(sizeof(*key)); /* libcrypto's heap: a door gives that a fixed one */
        int r = key != NULL ? alg_of(pkey, &key->alg) : -ENOMEM;

        if (r < 0)
                goto out;
        EVP_PKEY_up_ref(pkey);
        key->pkey = pkey;
        if ((r = public_fill(key)) < 0)
                goto out;
        key->is_private = has_private(key);
        ERR_clear_error();
        *ret_key = key;
        key = NULL;
out:
        key_free(key);
        return r < 0 ? failed(r) : 0;
}

/* Make a key of PKEY, whose reference is taken; ERROR is the answer where PKEY is NULL. */
static int key_take_pkey(EVP_PKEY *pkey, int error, struct key **ret_key)
{
        int r;

        if (pkey == NULL)
                return failed(error);
        r = key_from_pkey(pkey, ret_key);
        EVP_PKEY_free(pkey);
        return r;
}

void key_free(struct key *key)
{
        if (key == NULL)
                return;
        EVP_PKEY_free(key->pkey);
        OPENSSL_free(key);
}

int key_generate(enum key_alg alg, struct key **ret_key)
{
        switch (alg) {
        case KEY_ES256:
                return key_take_pkey(EVP_EC_gen("P-256"), -EIO, ret_key);
        case KEY_EDDSA:
                return key_take_pkey(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), -EIO, ret_key);
        case KEY_ECDH_ES:
                return key_take_pkey(EVP_PKEY_Q_keygen(NULL, NULL, "X25519"), -EIO, ret_key);
        }
        return -EINVAL;
}

/* A P-256 key from its public point, and from its scalar where there is one. */
static EVP_PKEY *p256_pkey(const uint8_t *point, const BIGNUM *scalar)
{
        OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
        OSSL_PARAM *params = NULL;
        EVP_PKEY *pkey = NULL;

        if (build == NULL || ctx == NULL ||
            OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) != 1 ||
            OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, 65) != 1 ||
            (scalar != NULL && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, scalar) != 1) ||
            (params = OSSL_PARAM_BLD_to_param(build)) == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
            EVP_PKEY_fromdata(ctx, &pkey, scalar != NULL ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params) != 1)
                pkey = NULL;
        OSSL_PARAM_free(params);
        EVP_PKEY_CTX_free(ctx);
        OSSL_PARAM_BLD_free(build);
        return pkey;
}

int key_from_public(enum key_alg alg, struct cbor_span raw, struct key **ret_key)
{
        EVP_PKEY *pkey = NULL;

        if (alg == KEY_ES256 && raw.len == 65 && raw.at[0] == POINT_CONVERSION_UNCOMPRESSED)
                pkey = p256_pkey(raw.at, NULL);
        if (alg == KEY_EDDSA && raw.len == 32)
                pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, raw.at, raw.len);
        if (alg == KEY_ECDH_ES && raw.len == 32)
                pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, raw.at, raw.len);
        return key_take_pkey(pkey, -EINVAL, ret_key);
}

static EVP_PKEY *p256_from_scalar(const uint8_t raw[KEY_PRIVATE_SIZE])
{
        EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
        EC_POINT *point = group != NULL ? EC_POINT_new(group) : NULL;
        BIGNUM *scalar = BN_secure_new();
        EVP_PKEY *pkey = NULL;
        uint8_t octets[65];

        if (point != NULL && scalar != NULL && BN_bin2bn(raw, KEY_PRIVATE_SIZE, scalar) != NULL &&
            !BN_is_zero(scalar) && BN_cmp(scalar, EC_GROUP_get0_order(group)) < 0 &&
            EC_POINT_mul(group, point, scalar, NULL, NULL, NULL) == 1 &&
            EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, octets, sizeof(octets), NULL) ==
                    sizeof(octets))
                pkey = p256_pkey(octets, scalar);
        BN_clear_free(scalar);
        EC_POINT_free(point);
        EC_GROUP_free(group);
        return pkey;
}

int key_from_private(enum key_alg alg, const uint8_t raw[KEY_PRIVATE_SIZE], struct key **ret_key)
{
        switch (alg) {
        case KEY_ES256:
                return key_take_pkey(p256_from_scalar(raw), -EINVAL, ret_key);
        case KEY_EDDSA:
                return key_take_pkey(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, raw, KEY_PRIVATE_SIZE), -EIO,
                                     ret_key);
        case KEY_ECDH_ES:
                return key_take_pkey(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, raw, KEY_PRIVATE_SIZE), -EIO,
                                     ret_key);
        }
        return -EINVAL;
}

EVP_PKEY *key_pkey(const struct key *key)
{
        return key->pkey;
}

enum key_alg key_alg(const struct key *key)
{
        return key->alg;
}

bool key_is_private(const struct key *key)
{
        return key->is_private;
}

size_t key_public(const struct key *key, uint8_t to[KEY_PUBLIC_MAX])
{
        memcpy(to, key->public, key->public_len);
        return key->public_len;
}

int key_kid(const struct key *key, uint8_t kid[KEY_KID_SIZE])
{
        uint8_t *der = NULL, hash[SHA256_DIGEST_LENGTH];
        int len = i2d_PUBKEY(key->pkey, &der);

        if (len <= 0)
                return failed(-EIO);
        SHA256(der, (size_t)len, hash);
        OPENSSL_free(der);
        memcpy(kid, hash, KEY_KID_SIZE);
        return 0;
}
