/* For hosts that have libcrypto: the only file of this library that calls it. */
#include <errno.h>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>

#include "device/handset/vigie.h"
#include "wire/key.h"
#include "wire/sealed.h"

bool vigie_verify(void *user, const struct vigie_check *check)
{
        struct key *key;
        bool good;

        if (key_from_public((enum key_alg)check->alg, (struct cbor_span){ check->key, check->key_len }, &key) < 0)
                return false;
        good = key_verify(key, (struct cbor_span){ check->message, check->message_len }, check->signature) == 0;
        key_free(key);
        return good;
}

int vigie_sign(void *pkey, const uint8_t *data, size_t len, uint8_t ret_signature[VIGIE_SIGNATURE_SIZE])
{
        struct key *key;
        int r;

        if (key_from_pkey(pkey, &key) < 0)
                return -EINVAL;
        r = key_alg(key) == KEY_ES256 ? key_sign(key, (struct cbor_span){ data, len }, ret_signature) : -EINVAL;
        key_free(key);
        return r;
}

int vigie_signature_from_der(const uint8_t *der, size_t len, uint8_t ret_signature[VIGIE_SIGNATURE_SIZE])
{
        const uint8_t *at = der;
        ECDSA_SIG *signature = len <= 80 ? d2i_ECDSA_SIG(NULL, &at, (long)len) : NULL; /* 72 is the most for P-256 */
        bool good = signature != NULL && at == der + len && !BN_is_negative(ECDSA_SIG_get0_r(signature)) &&
                    !BN_is_negative(ECDSA_SIG_get0_s(signature));

        good = good && BN_bn2binpad(ECDSA_SIG_get0_r(signature), ret_signature, VIGIE_SIGNATURE_SIZE / 2) >= 0;
        good = good && BN_bn2binpad(ECDSA_SIG_get0_s(signature), ret_signature + 32, VIGIE_SIGNATURE_SIZE / 2) >= 0;
        ECDSA_SIG_free(signature);
        return good ? 0 : -EBADMSG;
}

int vigie_seal(const struct vigie_action *action, const uint8_t handset[VIGIE_HANDSET_ID_SIZE],
               const uint8_t random[VIGIE_SEAL_RANDOM_SIZE], uint8_t *ret, size_t *ret_len)
{
        struct sealed_position position = { action->place.lat_e7, action->place.lon_e7, action->place.accuracy_m,
                                            action->place.at_s };
        struct sealed_to to = { action->data, NULL, NULL };
        struct handset_id id;
        struct cbor_writer w;
        int r;

        if (action->type != VIGIE_DO_SEAL || action->len != KEY_KID_SIZE + 32)
                return -EINVAL;
        for (int i = 0; i < VIGIE_HANDSET_ID_SIZE; i++)
                id.octets[i] = handset[i];
        to.public = action->data + KEY_KID_SIZE;
        to.handset = &id;
        cbor_writer_init(&w, ret, *ret_len);
        r = sealed_seal(&position, &to, random, &w);
        if (r == 0)
                *ret_len = w.len;
        return r;
}
