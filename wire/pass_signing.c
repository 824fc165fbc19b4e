#include "wire/pass_signing.h"

#include <errno.h>
#include <string.h>

#include <openssl/sha.h>

#include "wire/signing.h"

static void sha256(void *user, struct cbor_span data, uint8_t ret_hash[32])
{
        SHA256(data.at, data.len, ret_hash);
}

static bool verify(void *user, enum key_alg alg, struct cbor_span public, struct cbor_span bytes,
                   const uint8_t signature[KEY_SIGNATURE_SIZE])
{
        struct key *key;
        int r = key_from_public(alg, public, &key);

        if (r < 0)
                return false;
        r = key_verify(key, bytes, signature);
        key_free(key);
        return r == 0;
}

void pass_crypto_init(struct pass_crypto *crypto)
{
        *crypto = (struct pass_crypto){ .sha = { .hash = sha256 }, .verify = verify };
}

/* sign: PAYLOAD, written with WRITTEN as result, as an object of this kind. */
static int sign(int written, const struct cbor_writer *payload, struct cose_parts parts, const struct key *key,
                struct cbor_writer *to)
{
        if (written < 0)
                return written;
        parts.alg = key_alg(key);
        parts.payload = cbor_written(payload);
        return cose_sign1_sign(&parts, key, to);
}

int pass_sign(const struct pass *pass, const uint8_t kid[KEY_KID_SIZE], const struct key *key, struct cbor_writer *to)
{
        uint8_t bytes[PASS_PAYLOAD_MAX];
        struct cbor_writer w;
        int r;

        cbor_writer_init(&w, bytes, sizeof(bytes));
        r = pass_write_payload(pass, &w);
        return sign(r, &w, (struct cose_parts){ .kid = kid, .aad = CBOR_LITERAL(PASS_AAD) }, key, to);
}

int mandate_sign(const struct mandate *mandate, const uint8_t kid[KEY_KID_SIZE], const struct key *key,
                 struct cbor_writer *to)
{
        uint8_t bytes[MANDATE_PAYLOAD_MAX];
        struct cbor_writer w;
        int r;

        cbor_writer_init(&w, bytes, sizeof(bytes));
        r = mandate_write_payload(mandate, &w);
        return sign(r, &w, (struct cose_parts){ .kid = kid, .aad = CBOR_LITERAL(MANDATE_AAD) }, key, to);
}

int hello_sign(const struct hello *hello, const uint8_t door[DOOR_ID_SIZE], const struct key *key,
               struct cbor_writer *to)
{
        uint8_t bytes[HELLO_PAYLOAD_MAX];
        struct cbor_writer w;
        int r;

        cbor_writer_init(&w, bytes, sizeof(bytes));
        r = hello_write_payload(hello, &w);
        return sign(r, &w, (struct cose_parts){ .kid = door, .aad = CBOR_LITERAL(HELLO_AAD) }, key, to);
}

int proof_sign(const struct proof *proof, const uint8_t pass_id[PASS_ID_SIZE], const uint8_t aad[PROOF_AAD_SIZE],
               const struct key *key, struct cbor_writer *to)
{
        uint8_t bytes[PROOF_PAYLOAD_MAX];
        struct cbor_writer w;
        int r;

        cbor_writer_init(&w, bytes, sizeof(bytes));
        r = proof_write_payload(proof, &w);
        return sign(r, &w, (struct cose_parts){ .kid = pass_id, .aad = { aad, PROOF_AAD_SIZE } }, key, to);
}
