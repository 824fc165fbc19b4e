#include <assert.h>
#include <string.h>

#include "tests/sim/sim.h"
#include "wire/cose.h"

static uint64_t mix(uint64_t hash, const uint8_t *data, size_t len)
{
        for (size_t i = 0; i < len; i++)
                hash = (hash ^ data[i]) * UINT64_C(1099511628211);
        return hash ^ hash >> 29;
}

void sign_hash(void *user, struct cbor_span data, uint8_t hash[32])
{
        uint64_t h = mix(UINT64_C(14695981039346656037), data.at, data.len);

        for (size_t i = 0; i < 32; i++) { /* all 64 bits of it: with fewer, two events of a storm are one */
                h = i % 8 == 0 ? (h ^ h >> 31) * UINT64_C(0x9e3779b97f4a7c15) : h;
                hash[i] = (uint8_t)(h >> 8 * (i % 8));
        }
}

void sign_key(unsigned who, uint8_t ret_key[P256_POINT_SIZE])
{
        memset(ret_key, (int)(who * 7 + 1), P256_POINT_SIZE);
        ret_key[0] = 4;
        ret_key[1] = (uint8_t)who;
}

static void sign_by(const uint8_t *key, size_t key_len, struct cbor_span message, uint8_t ret_signature[64])
{
        uint64_t h = mix(mix(UINT64_C(0xcbf29ce484222325), key, key_len), message.at, message.len);

        for (size_t i = 0; i < 64; i++)
                ret_signature[i] = (uint8_t)((h >> 8 * (i % 8)) + i);
}

void sign_octets(unsigned who, struct cbor_span message, uint8_t ret_signature[64])
{
        uint8_t key[P256_POINT_SIZE];

        sign_key(who, key);
        sign_by(key, who >= SIM_ROOT ? 32 : P256_POINT_SIZE, message, ret_signature);
}

bool sign_verify_alert(void *user, const uint8_t key[P256_POINT_SIZE], const struct alert_signed *alert)
{
        uint8_t tbs[COSE_TBS_OVERHEAD + COSE_SMS_MAX], signature[64];
        struct cbor_writer w;

        cbor_writer_init(&w, tbs, sizeof(tbs));
        if (alert->cose.signature.len != 64 || cose_sig_structure(&alert->cose, CBOR_LITERAL(ALERT_AAD), &w) < 0)
                return false;
        sign_by(key, P256_POINT_SIZE, cbor_written(&w), signature);
        return memcmp(signature, alert->cose.signature.at, 64) == 0;
}

bool sign_verify_handset(void *user, const struct vigie_check *check)
{
        uint8_t signature[64];

        sign_by(check->key, check->key_len, (struct cbor_span){ check->message, check->message_len }, signature);
        return memcmp(signature, check->signature, 64) == 0;
}

static size_t sign_cose(unsigned who, struct cbor_span payload, struct cbor_span aad, uint8_t *to, size_t size)
{
        uint8_t tbs[TRUST_MAX + COSE_TBS_OVERHEAD], key[P256_POINT_SIZE], signature[64];
        struct cose_parts parts = { .alg = KEY_EDDSA, .kid = key, .payload = payload, .aad = aad };
        struct cbor_writer w;

        sign_key(who, key);
        cbor_writer_init(&w, tbs, sizeof(tbs));
        assert(cose_sign1_tbs(&parts, &w) == 0);
        sign_octets(who, cbor_written(&w), signature);
        cbor_writer_init(&w, to, size);
        assert(cose_sign1_finish(&parts, signature, &w) == 0);
        return w.len;
}

size_t sign_receipt(const struct receipt *receipt, uint8_t to[RECEIPT_MAX])
{
        uint8_t payload[RECEIPT_PAYLOAD_MAX];
        struct cbor_writer w;

        cbor_writer_init(&w, payload, sizeof(payload));
        assert(receipt_write_payload(receipt, &w) == 0);
        return sign_cose(SIM_RECEIPT, cbor_written(&w), CBOR_LITERAL(RECEIPT_AAD), to, RECEIPT_MAX);
}

size_t sign_trust(uint8_t to[TRUST_MAX])
{
        static const enum trust_use uses[] = { TRUST_RECEIPT, TRUST_POSITION };
        uint8_t payload[TRUST_PAYLOAD_MAX], point[P256_POINT_SIZE];
        struct trust trust = { .number = 1, .issued_at_s = SIM_START_MS / 1000 - 86400, .region = "sim", .count = 2 };
        struct cbor_writer w;

        for (unsigned i = 0; i < 2; i++) {
                struct trust_key *key = &trust.keys[i];

                sign_key(SIM_RECEIPT + i, point);
                *key = (struct trust_key){ .use = uses[i], .alg = i ? KEY_ECDH_ES : KEY_EDDSA, .public_len = 32 };
                memcpy(key->kid, point, KEY_KID_SIZE);
                memcpy(key->public, point, 32);
                key->not_after_s = UINT32_MAX;
        }
        cbor_writer_init(&w, payload, sizeof(payload));
        assert(trust_write_payload(&trust, &w) == 0);
        return sign_cose(SIM_ROOT, cbor_written(&w), CBOR_LITERAL(TRUST_AAD), to, TRUST_MAX);
}
