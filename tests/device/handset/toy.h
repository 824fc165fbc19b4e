/* Toy signatures for the tests of libvigie-handset, a hash over key and message: runs are the same each time, and an
 * altered octet shows.  Real ones are in crypto_test.c. */
#ifndef TESTS_DEVICE_HANDSET_TOY_H
#define TESTS_DEVICE_HANDSET_TOY_H

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "device/handset/vigie.h"
#include "wire/cose.h"
#include "wire/receipt.h"
#include "wire/trust.h"

#define UTC0 INT64_C(1760000000000)

static const uint8_t root_key[32] = "root", receipt_key[32] = "receipt", position_key[32] = "position",
                     order_key[32] = "order...";
static const uint8_t our_handset[8] = { 0xca, 0xfe, 0, 0, 0, 0, 0, 1 };

static inline void toy_sign(const uint8_t *key, size_t key_len, struct cbor_span message, uint8_t signature[64])
{
        uint64_t hash = 0xcbf29ce484222325;

        for (size_t i = 0; i < key_len + message.len; i++)
                hash = (hash ^ (i < key_len ? key[i] : message.at[i - key_len])) * 0x100000001b3;
        for (int i = 0; i < 64; i++)
                signature[i] = (uint8_t)(hash >> 8 * (i % 8)) ^ (uint8_t)i;
}

static inline bool toy_verify(void *user, const struct vigie_check *check)
{
        uint8_t signature[64];

        toy_sign(check->key, check->key_len, (struct cbor_span){ check->message, check->message_len }, signature);
        return check->alg == KEY_EDDSA && memcmp(signature, check->signature, 64) == 0;
}

/* PAYLOAD as a COSE_Sign1 by KEY. */
static inline size_t toy_cose(const uint8_t *key, struct cbor_span payload, const char *aad, uint8_t *to, size_t size)
{
        static uint8_t tbs[COSE_MAX];
        uint8_t signature[64];
        struct cose_parts parts = { KEY_EDDSA, key, payload, { (const uint8_t *)aad, strlen(aad) } };
        struct cbor_writer w;

        cbor_writer_init(&w, tbs, sizeof(tbs));
        assert_int_equal(cose_sign1_tbs(&parts, &w), 0);
        toy_sign(key, 32, cbor_written(&w), signature);
        cbor_writer_init(&w, to, size);
        assert_int_equal(cose_sign1_finish(&parts, signature, &w), 0);
        return w.len;
}

static inline size_t toy_trust(const uint8_t *root, uint32_t number, uint8_t *to, size_t size)
{
        static uint8_t payload[TRUST_PAYLOAD_MAX];
        static const struct {
                const uint8_t *key;
                enum trust_use use;
                enum key_alg alg;
        } keys[] = { { receipt_key, TRUST_RECEIPT, KEY_EDDSA },
                     { position_key, TRUST_POSITION, KEY_ECDH_ES },
                     { order_key, TRUST_ORDER, KEY_EDDSA } };
        struct trust trust = { .number = number, .issued_at_s = UTC0 / 1000, .region = "r1", .count = 3 };
        struct cbor_writer w;

        for (int i = 0; i < 3; i++) {
                struct trust_key *k = &trust.keys[i];

                *k = (struct trust_key){ .use = keys[i].use, .alg = keys[i].alg };
                memcpy(k->kid, keys[i].key, 8);
                memcpy(k->public, keys[i].key, 32);
                k->public_len = 32;
                k->not_after_s = UINT32_MAX;
        }
        cbor_writer_init(&w, payload, sizeof(payload));
        assert_int_equal(trust_write_payload(&trust, &w), 0);
        return toy_cose(root, cbor_written(&w), TRUST_AAD, to, size);
}

static inline size_t receipt_octets(const struct receipt *receipt, const uint8_t *key, uint8_t to[RECEIPT_MAX])
{
        uint8_t payload[RECEIPT_PAYLOAD_MAX];
        struct cbor_writer w;

        cbor_writer_init(&w, payload, sizeof(payload));
        assert_int_equal(receipt_write_payload(receipt, &w), 0);
        return toy_cose(key, cbor_written(&w), RECEIPT_AAD, to, RECEIPT_MAX);
}

#endif
