/* The sealed position: where a handset on duty is, readable by the region's position key alone (PROTOCOL.md 6.2).
 * COSE_Encrypt, one recipient by direct ECDH-ES + HKDF-256 over X25519, content A256GCM.
 *
 *   [1, lat 1e-7, lon 1e-7, accuracy m, fix time s]         external_aad: "vigie position" and the handset id
 *
 * so that one handset's cannot be passed off as another's. */
#ifndef WIRE_SEALED_H
#define WIRE_SEALED_H
#include "wire/cbor.h"
#include "wire/id.h"
#include "wire/key.h"

#define SEALED_AAD         "vigie position"
#define SEALED_PLAIN_MAX   20  /* 1 head, 1 format, 5, 5, 3, 5 */
#define SEALED_MAX         118 /* the whole; sealed_open() refuses more: -EMSGSIZE */
#define SEALED_RANDOM_SIZE 44  /* 32 for the ephemeral key, 12 for the IV */

struct sealed_position {
        int32_t lat_e7, lon_e7; /* WGS 84, 1e-7 degree */
        uint16_t accuracy_m;    /* 95 %; 65535 is that or more */
        uint32_t fix_at_s;      /* UTC */
};

/* Whom a position is sealed to, and whose it is. */
struct sealed_to {
        const uint8_t *kid;    /* KEY_KID_SIZE octets: the position key's kid, from the trust list */
        const uint8_t *public; /* 32 octets */
        const struct handset_id *handset;
};

/* sealed_seal: seal POSITION; at most SEALED_MAX octets are written.
 *   random       fresh octets from the system's generator, never used twice; the caller forgets them
 * Returns 0, -EINVAL (position out of range), -EKEYREJECTED (a public key of small order), -ENOBUFS, -EIO. */
int sealed_seal(const struct sealed_position *position, const struct sealed_to *to,
                const uint8_t random[SEALED_RANDOM_SIZE], struct cbor_writer *out);

/* sealed_kid: the kid of the key that IN is sealed to, to find it by; also checks the shape of IN.
 * Returns 0, -EBADMSG, -EMSGSIZE. */
int sealed_kid(struct cbor_span in, uint8_t ret_kid[KEY_KID_SIZE]);

/* sealed_open: open IN, which came from HANDSET, with the region's private position key.
 * Returns 0, -EBADMSG (malformed, or the content is), -EMSGSIZE, -EKEYREJECTED (not sealed to this key, not this
 * handset's, or altered), -EINVAL (KEY is no X25519 private key), -EIO. */
int sealed_open(struct cbor_span in, const struct handset_id *handset, const struct key *key,
                struct sealed_position *ret_position);
#endif
