/* Keys: P-256 that handsets and doors sign with, Ed25519 that the region signs with, X25519 that positions are sealed
 * to. The one file of wire/ that owns EVP_PKEYs.  A key is never changed after it is made: any thread may use it. */
#ifndef WIRE_KEY_H
#define WIRE_KEY_H
#include "wire/cbor.h"
#include <openssl/evp.h>

#define KEY_KID_SIZE       8
#define KEY_SIGNATURE_SIZE 64
#define KEY_PRIVATE_SIZE   32 /* raw: P-256 scalar, Ed25519 seed, X25519 scalar */
#define KEY_PUBLIC_MAX     65 /* P-256: 04, X, Y uncompressed; the other two: 32 */

/* PEM text read or written.  A certificate chain of four P-256 certificates is 3 KiB.  Above: -EMSGSIZE. */
#define KEY_PEM_MAX 16384

/* The algorithm that a key is for, by its COSE number (RFC 9053).  The key fixes it, never the message. */
enum key_alg {
        KEY_ES256 = -7,   /* P-256, ECDSA with SHA-256 */
        KEY_EDDSA = -8,   /* Ed25519 */
        KEY_ECDH_ES = -25 /* X25519, ECDH-ES + HKDF-256 */
};

struct key;

/* key_generate: draw a new key pair from libcrypto's generator.  The caller frees it.
 * Returns 0, -EINVAL (no such algorithm), -EIO (libcrypto failed). */
int key_generate(enum key_alg alg, struct key **ret_key);

/* key_from_pem: the key of PEM text: of its first private key, else of its first public key, else of its first
 * certificate.  One under a password is refused.  The caller frees it.
 * Returns 0, -EINVAL (no key in it), -EMSGSIZE, -EOPNOTSUPP (a key of another kind or curve), -ENOMEM. */
int key_from_pem(struct cbor_span pem, struct key **ret_key);

/* key_from_file: key_from_pem() on a file.  Returns what that does, or what open and read do, negative. */
int key_from_file(const char *path, struct key **ret_key);

/* key_trouble: what key_from_file() returned below 0, in words for people; static text. */
const char *key_trouble(int error);

/* key_from_public: a public key from its raw octets: 65 (04 X Y) for P-256, 32 for the others.  A point off the curve
 * is refused.  The caller frees it.  Returns 0, -EINVAL. */
int key_from_public(enum key_alg alg, struct cbor_span raw, struct key **ret_key);

/* key_from_private: a key pair from 32 raw octets.  The caller frees it.  Returns 0, -EINVAL (out of range), -EIO. */
int key_from_private(enum key_alg alg, const uint8_t raw[KEY_PRIVATE_SIZE], struct key **ret_key);

/* key_from_pkey: a key that shares PKEY (a certificate's, say); PKEY stays the caller's as well.
 * Returns 0, -EOPNOTSUPP (another kind or curve), -ENOMEM, -EIO (libcrypto). */
int key_from_pkey(EVP_PKEY *pkey, struct key **ret_key);

/* key_free: end a key; NULL does nothing. */
void key_free(struct key *key);

/* key_pkey: the EVP_PKEY inside, borrowed, for certificates and TLS. */
EVP_PKEY *key_pkey(const struct key *key);

/* key_alg: the algorithm the key is for. */
enum key_alg key_alg(const struct key *key);

/* key_is_private: say whether it can sign or open. */
bool key_is_private(const struct key *key);

/* key_public: the raw public octets to TO; gives their number, 65 or 32. */
size_t key_public(const struct key *key, uint8_t to[KEY_PUBLIC_MAX]);

/* key_kid: the kid of a region key: the first 8 octets of SHA-256 over its DER SubjectPublicKeyInfo.  (A handset's
 * kid is its handset id.)  Returns 0, -EIO. */
int key_kid(const struct key *key, uint8_t kid[KEY_KID_SIZE]);

/* key_to_pem: write the key as PEM text with a closing NUL: PKCS 8 unencrypted if WITH_PRIVATE, else
 * SubjectPublicKeyInfo.
 * Returns 0, -EINVAL (no private part), -ENOBUFS (SIZE too small; KEY_PEM_MAX always does), -EIO, -ENOMEM. */
int key_to_pem(const struct key *key, bool with_private, char *to, size_t size);

/* key_sign: sign BYTES: ES256 gives r and s, 32 octets each, big-endian; EdDSA its 64 octets (RFC 9053 2).
 * Returns 0, -EINVAL (no private part, or an X25519 key), -EIO. */
int key_sign(const struct key *key, struct cbor_span bytes, uint8_t signature[KEY_SIGNATURE_SIZE]);

/* key_verify: check a signature made as key_sign() does.  r or s outside 1..n-1 does not verify.
 * Returns 0, -EKEYREJECTED (does not verify), -EINVAL (an X25519 key), -EIO (libcrypto failed: nothing is known). */
int key_verify(const struct key *key, struct cbor_span bytes, const uint8_t signature[KEY_SIGNATURE_SIZE]);

/* key_agree: the X25519 shared secret of a private key and a peer's 32 public octets.
 * Returns 0, -EINVAL (not an X25519 private key), -EKEYREJECTED (a peer of small order: the secret would be zero),
 * -EIO. */
int key_agree(const struct key *key, const uint8_t peer[32], uint8_t ret_secret[32]);
#endif
