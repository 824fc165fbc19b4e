#include "wire/signing.h"

#include <errno.h>

/* Almost everything that travels is an alert or a receipt: for these the large buffer is not touched. */
#define SMALL_TBS 1024

static int verify_in(const struct cose_sign1 *m, const struct key *key, struct cbor_span aad, struct cbor_writer *tbs)
{
        int r = cose_sig_structure(m, aad, tbs);

        return r < 0 ? r : key_verify(key, cbor_written(tbs), m->signature.at);
}

static int verify_small(const struct cose_sign1 *m, const struct key *key, struct cbor_span aad)
{
        uint8_t bytes[SMALL_TBS];
        struct cbor_writer tbs;

        cbor_writer_init(&tbs, bytes, sizeof(bytes));
        return verify_in(m, key, aad, &tbs);
}

static int verify_large(const struct cose_sign1 *m, const struct key *key, struct cbor_span aad)
{
        uint8_t bytes[COSE_MAX + COSE_TBS_OVERHEAD];
        struct cbor_writer tbs;

        cbor_writer_init(&tbs, bytes, sizeof(bytes));
        return verify_in(m, key, aad, &tbs);
}

int cose_sign1_verify(const struct cose_sign1 *message, const struct key *key, struct cbor_span aad)
{
        if (key_alg(key) == KEY_ECDH_ES)
                return -EINVAL;
        if (message->critical_unknown || (message->alg != 0 && message->alg != (int64_t)key_alg(key)))
                return -EOPNOTSUPP;
        if (message->detached)
                return -ENODATA;
        if (message->signature.len != KEY_SIGNATURE_SIZE || aad.len > COSE_AAD_MAX)
                return -EKEYREJECTED;
        if (message->protected.len + message->payload.len + aad.len + COSE_TBS_OVERHEAD - COSE_AAD_MAX <= SMALL_TBS)
                return verify_small(message, key, aad);
        return verify_large(message, key, aad);
}

static int sign_in(const struct cose_parts *parts, const struct key *key, struct cbor_writer *tbs,
                   struct cbor_writer *to)
{
        uint8_t signature[KEY_SIGNATURE_SIZE];
        int r;

        if ((r = cose_sign1_tbs(parts, tbs)) < 0 || (r = key_sign(key, cbor_written(tbs), signature)) < 0)
                return r;
        return cose_sign1_finish(parts, signature, to);
}

static int sign_small(const struct cose_parts *parts, const struct key *key, struct cbor_writer *to)
{
        uint8_t bytes[SMALL_TBS];
        struct cbor_writer tbs;

        cbor_writer_init(&tbs, bytes, sizeof(bytes));
        return sign_in(parts, key, &tbs, to);
}

static int sign_large(const struct cose_parts *parts, const struct key *key, struct cbor_writer *to)
{
        uint8_t bytes[COSE_MAX + COSE_TBS_OVERHEAD];
        struct cbor_writer tbs;

        cbor_writer_init(&tbs, bytes, sizeof(bytes));
        return sign_in(parts, key, &tbs, to);
}

int cose_sign1_verify_trusted(const struct cose_sign1 *message, const struct trust *trust, enum trust_use use,
                              uint32_t at_s, struct cbor_span aad)
{
        const struct trust_key *listed = trust_find(trust, message->kid.at, use, at_s);
        struct key *key;
        int r;

        if (listed == NULL)
                return -ENOKEY;
        r = key_from_public(listed->alg, (struct cbor_span){ listed->public, listed->public_len }, &key);
        if (r < 0)
                return r;
        r = cose_sign1_verify(message, key, aad);
        key_free(key);
        return r;
}

int cose_sign1_sign(const struct cose_parts *parts, const struct key *key, struct cbor_writer *to)
{
        if (parts->alg != key_alg(key))
                return -EINVAL;
        if (parts->payload.len > COSE_MAX)
                return -ENOBUFS;
        if (parts->payload.len + parts->aad.len + COSE_TBS_OVERHEAD - COSE_AAD_MAX <= SMALL_TBS)
                return sign_small(parts, key, to);
        return sign_large(parts, key, to);
}

int alert_sign(const struct alert *alert, const struct handset_id *handset, const struct key *key,
               struct cbor_writer *to)
{
        uint8_t bytes[ALERT_TBS_MAX], signature[KEY_SIGNATURE_SIZE];
        struct cbor_writer tbs;
        int r;

        if (key_alg(key) != KEY_ES256)
                return -EINVAL;
        cbor_writer_init(&tbs, bytes, sizeof(bytes));
        if ((r = alert_tbs(alert, handset, &tbs)) < 0 || (r = key_sign(key, cbor_written(&tbs), signature)) < 0)
                return r;
        return alert_finish(alert, handset, signature, to);
}

int alert_verify(const struct alert_signed *alert, const struct key *key)
{
        return cose_sign1_verify(&alert->cose, key, CBOR_LITERAL(ALERT_AAD));
}

int receipt_sign(const struct receipt *receipt, const uint8_t kid[KEY_KID_SIZE], const struct key *key,
                 struct cbor_writer *to)
{
        uint8_t bytes[RECEIPT_PAYLOAD_MAX];
        struct cbor_writer payload;
        struct cose_parts parts = { .alg = KEY_EDDSA, .kid = kid, .aad = CBOR_LITERAL(RECEIPT_AAD) };
        int r;

        cbor_writer_init(&payload, bytes, sizeof(bytes));
        if ((r = receipt_write_payload(receipt, &payload)) < 0)
                return r;
        parts.payload = cbor_written(&payload);
        return cose_sign1_sign(&parts, key, to);
}

int receipt_verify(const struct receipt_signed *receipt, const struct key *key)
{
        return cose_sign1_verify(&receipt->cose, key, CBOR_LITERAL(RECEIPT_AAD));
}

int receipt_verify_trusted(const struct receipt_signed *receipt, const struct trust *trust)
{
        return cose_sign1_verify_trusted(&receipt->cose, trust, TRUST_RECEIPT, receipt->receipt.time_s,
                                         CBOR_LITERAL(RECEIPT_AAD));
}

int order_sign(const struct order *order, const uint8_t kid[KEY_KID_SIZE], const struct key *key,
               struct cbor_writer *to)
{
        uint8_t bytes[ORDER_PAYLOAD_MAX];
        struct cbor_writer payload;
        struct cose_parts parts = { .alg = KEY_EDDSA, .kid = kid, .aad = CBOR_LITERAL(ORDER_AAD) };
        int r;

        cbor_writer_init(&payload, bytes, sizeof(bytes));
        if ((r = order_write_payload(order, &payload)) < 0)
                return r;
        parts.payload = cbor_written(&payload);
        return cose_sign1_sign(&parts, key, to);
}

int order_verify_trusted(const struct order_signed *order, const struct trust *trust, uint32_t now_s)
{
        return cose_sign1_verify_trusted(&order->cose, trust, TRUST_ORDER, now_s, CBOR_LITERAL(ORDER_AAD));
}

int trust_sign(const struct trust *trust, const struct key *root, struct cbor_writer *to)
{
        uint8_t bytes[TRUST_PAYLOAD_MAX], kid[KEY_KID_SIZE];
        struct cbor_writer payload;
        struct cose_parts parts = { .alg = KEY_EDDSA, .kid = kid, .aad = CBOR_LITERAL(TRUST_AAD) };
        int r;

        cbor_writer_init(&payload, bytes, sizeof(bytes));
        if ((r = trust_write_payload(trust, &payload)) < 0 || (r = key_kid(root, kid)) < 0)
                return r;
        parts.payload = cbor_written(&payload);
        return cose_sign1_sign(&parts, root, to);
}

int trust_open(struct cbor_span in, const struct key *root, struct trust *ret_trust)
{
        struct cose_sign1 message;
        int r;

        if ((r = cose_sign1_parse(in, COSE_OURS, &message, NULL)) < 0 ||
            (r = cose_sign1_verify(&message, root, CBOR_LITERAL(TRUST_AAD))) < 0)
                return r;
        return trust_read_payload(message.payload, ret_trust, NULL);
}
