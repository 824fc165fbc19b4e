/* Signing passes and what goes with them, and the SHA-256 and signature check of wire/pass_verify.h: with libcrypto. */
#ifndef WIRE_PASS_SIGNING_H
#define WIRE_PASS_SIGNING_H
#include "wire/pass_verify.h"

/* pass_crypto_init: fill CRYPTO with libcrypto's.  What libcrypto cannot do (no memory) verifies nothing. */
void pass_crypto_init(struct pass_crypto *crypto);

/* x_sign: write the whole object.  pass_sign and mandate_sign by a key of the trust list, KID being key_kid() of it; hello_sign by
 * the door's key, which its mandate names; proof_sign by the pass key, AAD from proof_aad(), PASS_ID of the pass.
 * Return 0, -EINVAL (a value out of its range, a key without private part), -ENOBUFS (x_MAX always does), -EIO. */
int pass_sign(const struct pass *pass, const uint8_t kid[KEY_KID_SIZE], const struct key *key, struct cbor_writer *to);
int mandate_sign(const struct mandate *mandate, const uint8_t kid[KEY_KID_SIZE], const struct key *key,
                 struct cbor_writer *to);
int hello_sign(const struct hello *hello, const uint8_t door[DOOR_ID_SIZE], const struct key *key,
               struct cbor_writer *to);
int proof_sign(const struct proof *proof, const uint8_t pass_id[PASS_ID_SIZE], const uint8_t aad[PROOF_AAD_SIZE],
               const struct key *key, struct cbor_writer *to);
#endif
