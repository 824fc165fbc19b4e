/* Signing and verifying what wire/ carries: the part that needs libcrypto, kept out of the pure codecs.
 *
 * Verifying.  The algorithm is the key's.  A message that names another one is refused; so is one with a critical
 * header that we do not know, and one without its payload.  All verify functions return
 *   0              the signature is the key's, over these bytes and this kind
 *   -EKEYREJECTED  it is not
 *   -EOPNOTSUPP    the message names an algorithm that is not the key's, or has a critical header we do not know
 *   -ENODATA       the payload is detached
 *   -EINVAL        the key is an X25519 key;  -EIO libcrypto failed, nothing is known
 * Signing writes the whole object; returns 0, -EINVAL (key without private part, impossible fields), -ENOBUFS, -EIO. */
#ifndef WIRE_SIGNING_H
#define WIRE_SIGNING_H
#include "wire/alert.h"
#include "wire/cose.h"
#include "wire/key.h"
#include "wire/order.h"
#include "wire/receipt.h"
#include "wire/trust.h"

/* cose_sign1_verify: check MESSAGE, parsed by either profile, against KEY and external_aad (at most COSE_AAD_MAX).
 * Whether its kid is KEY's is the caller's to know: it is by the kid that the key was found. */
int cose_sign1_verify(const struct cose_sign1 *message, const struct key *key, struct cbor_span aad);

/* cose_sign1_verify_trusted: the same with the look-up of the key: the one of MESSAGE's kid (8 octets, as by our profile) for
 * this USE, valid at AT_S, in TRUST.  Returns as above, -ENOKEY (no such key). */
int cose_sign1_verify_trusted(const struct cose_sign1 *message, const struct trust *trust, enum trust_use use,
                              uint32_t at_s, struct cbor_span aad);

/* cose_sign1_sign: sign in one step with a key that is here; parts->alg must be KEY's, else -EINVAL. */
int cose_sign1_sign(const struct cose_parts *parts, const struct key *key, struct cbor_writer *to);

/* alert_sign: sign ALERT as HANDSET.  At most ALERT_MAX octets. */
int alert_sign(const struct alert *alert, const struct handset_id *handset, const struct key *key,
               struct cbor_writer *to);

/* alert_verify: check the signature of an alert read by alert_read() against its handset's key. */
int alert_verify(const struct alert_signed *alert, const struct key *key);

/* receipt_sign: sign RECEIPT with the region's receipt key; KID is that key's.  At most RECEIPT_MAX octets. */
int receipt_sign(const struct receipt *receipt, const uint8_t kid[KEY_KID_SIZE], const struct key *key,
                 struct cbor_writer *to);

/* receipt_verify: check a receipt read by receipt_read() against the receipt key that its kid names in the trust
 * list. */
int receipt_verify(const struct receipt_signed *receipt, const struct key *key);

/* receipt_verify_trusted: the same with the look-up: kid, use receipt, valid at the receipt's own time_s, in TRUST.
 * Returns as above, -ENOKEY (no such key). */
int receipt_verify_trusted(const struct receipt_signed *receipt, const struct trust *trust);

/* order_sign: sign ORDER with the region's key for orders; KID is that key's.  At most ORDER_MAX octets. */
int order_sign(const struct order *order, const uint8_t kid[KEY_KID_SIZE], const struct key *key,
               struct cbor_writer *to);

/* order_verify_trusted: check an order read by order_read(): kid, use order, valid at NOW_S, in TRUST.
 * Returns as above, -ENOKEY (no such key). */
int order_verify_trusted(const struct order_signed *order, const struct trust *trust, uint32_t now_s);

/* trust_sign: sign a trust list with the region's root; the kid is key_kid() of ROOT.  At most TRUST_MAX octets. */
int trust_sign(const struct trust *trust, const struct key *root, struct cbor_writer *to);

/* trust_open: read and check a trust list against the region's root key.
 * Returns as verifying does, and -EBADMSG, -EMSGSIZE, -E2BIG as trust_read() does. */
int trust_open(struct cbor_span in, const struct key *root, struct trust *ret_trust);
#endif
