/* Whose signature counts: the trust list, itself signed by the region's root. */
#include <errno.h>
#include <string.h>

#include "device/handset/core.h"

static bool signed_by(const struct vigie *vigie, const struct cose_sign1 *message, const char *aad,
                      const struct vigie_check *with)
{
        uint8_t octets[TRUST_PAYLOAD_MAX + 128]; /* the largest that is signed: a trust list and its Sig_structure */
        struct vigie_check check = *with;
        struct cbor_writer w;

        if (message->alg != check.alg || message->critical_unknown || message->detached ||
            message->signature.len != VIGIE_SIGNATURE_SIZE)
                return false;
        cbor_writer_init(&w, octets, sizeof(octets));
        if (cose_sig_structure(message, (struct cbor_span){ (const uint8_t *)aad, strlen(aad) }, &w) < 0)
                return false;
        check.message = octets;
        check.message_len = w.len;
        check.signature = message->signature.at;
        return vigie->options.verify(vigie->options.verify_user, &check);
}

int my_trust_take(struct vigie *vigie, struct cbor_span list)
{
        const struct vigie_options *o = &vigie->options;
        struct vigie_check root = { .alg = o->root_alg, .key = o->root, .key_len = o->root_len };
        struct cose_sign1 message;
        struct trust trust;

        if (cose_sign1_parse(list, COSE_OURS, &message, NULL) < 0 ||
            trust_read_payload(message.payload, &trust, NULL) < 0) {
                vigie->refused++;
                return -EBADMSG;
        }
        if (vigie->trusted && trust.number <= vigie->trust.number)
                return 0;
        if (!signed_by(vigie, &message, TRUST_AAD, &root) ||
            (vigie->trusted && strcmp(trust.region, vigie->trust.region) != 0)) {
                vigie->refused++;
                return -EKEYREJECTED;
        }
        vigie->trust = trust;
        vigie->trusted = true;
        return 1;
}

static bool trusted_by(const struct vigie *vigie, const struct cose_sign1 *message, const struct trust_key *key,
                       const char *aad)
{
        struct vigie_check with;

        if (key == NULL)
                return false;
        with = (struct vigie_check){ .alg = key->alg, .key = key->public, .key_len = key->public_len };
        return signed_by(vigie, message, aad, &with);
}

bool my_trust_receipt(const struct vigie *vigie, const struct receipt_signed *receipt)
{
        return vigie->trusted &&
               trusted_by(vigie, &receipt->cose,
                          trust_find(&vigie->trust, receipt->kid, TRUST_RECEIPT, receipt->receipt.time_s), RECEIPT_AAD);
}

bool my_trust_order(const struct vigie *vigie, const struct order_signed *order)
{
        return vigie->trusted &&
               trusted_by(vigie, &order->cose,
                          trust_find(&vigie->trust, order->cose.kid.at, TRUST_ORDER, order->order.issued_at_s),
                          ORDER_AAD);
}

bool my_trust_is_order(const struct vigie *vigie, struct cbor_span cose)
{
        struct cose_sign1 message;

        if (!vigie->trusted || cose_sign1_parse(cose, COSE_OURS, &message, NULL) < 0)
                return false;
        for (size_t i = 0; i < vigie->trust.count; i++)
                if (vigie->trust.keys[i].use == TRUST_ORDER &&
                    memcmp(vigie->trust.keys[i].kid, message.kid.at, KEY_KID_SIZE) == 0)
                        return true;
        return false;
}

const struct trust *vigie_trust(const struct vigie *vigie)
{
        return vigie->trusted ? &vigie->trust : NULL;
}
