/* The trust list: every key of the region with one use and its dates, signed by its offline root (PROTOCOL.md 6.1).
 * Pure.
 *
 *   [1, number, issued at s, region, [[kid 8, use, alg, public key, not before s, not after s], ...]]
 *
 * Its number only rises. */
#ifndef WIRE_TRUST_H
#define WIRE_TRUST_H
#include "wire/cbor.h"
#include "wire/cose.h"
#include "wire/key.h"

#define TRUST_AAD "vigie trust"

/* Keys in one list.  Six uses, each with its successor and the ones still needed to read what is old, are about 20;
 * three times that.  A list with more is refused whole: -E2BIG. */
#define TRUST_KEYS_MAX    64
#define TRUST_REGION_MAX  32 /* octets of UTF-8; longer: -EBADMSG, -EINVAL on signing */
#define TRUST_KEY_MAX     (1 + 9 + 1 + 1 + 67 + 5 + 5)
#define TRUST_PAYLOAD_MAX (1 + 1 + 5 + 5 + 2 + TRUST_REGION_MAX + 2 + TRUST_KEYS_MAX * TRUST_KEY_MAX)
#define TRUST_MAX         (COSE_OVERHEAD + 1 + TRUST_PAYLOAD_MAX)

enum trust_use {
        TRUST_RECEIPT = 1,
        TRUST_ORDER = 2,
        TRUST_PASS = 3,
        TRUST_STATUS = 4,
        TRUST_POSITION = 5,
        TRUST_DOOR = 6
};

struct trust_key {
        uint8_t kid[KEY_KID_SIZE];
        enum trust_use use;
        enum key_alg alg;
        uint8_t public_len; /* 65 for ES256, 32 for the others */
        uint8_t public[KEY_PUBLIC_MAX];
        uint32_t not_before_s, not_after_s; /* UTC, both inside */
};

/* The list; 6 KiB, so keep it out of small stacks. */
struct trust {
        uint32_t number, issued_at_s;
        char region[TRUST_REGION_MAX + 1];
        size_t count;
        struct trust_key keys[TRUST_KEYS_MAX];
};

/* trust_write_payload: write the payload.  Returns 0, -EINVAL (count, use, alg, also one that is not its use's, or key
 * length), -ENOBUFS. */
int trust_write_payload(const struct trust *trust, struct cbor_writer *to);

/* trust_read_payload: read a payload.  A key whose use or algorithm we do not know, or whose algorithm is none of
 * its use, is a newer format's: left out, as are elements behind the known ones.  A known one with the wrong key
 * length, or not before after not after, is refused.
 * Returns 0, -EBADMSG, -E2BIG (over TRUST_KEYS_MAX); WHY, may be NULL, then has the rule broken, and *ret_trust is
 * undefined. */
int trust_read_payload(struct cbor_span payload, struct trust *ret_trust, const char **why);

/* trust_find: the key with this kid and this use that is valid at AT_S; NULL if there is none.  Points into TRUST. */
const struct trust_key *trust_find(const struct trust *trust, const uint8_t kid[KEY_KID_SIZE], enum trust_use use,
                                   uint32_t at_s);

/* trust_current: the key of USE valid at AT_S that ends last: the one to seal to or sign with; NULL if there is
 * none. */
const struct trust_key *trust_current(const struct trust *trust, enum trust_use use, uint32_t at_s);

/* trust_supersedes: decide on a list that comes while another is held, both verified.
 *   held, held_bytes   the one held and its signed bytes; NULL and empty if none yet
 * Returns 1 (newer: take it), 0 (the same bytes: nothing to do), -ESTALE (older, or the same number with other bytes:
 * refuse), -EXDEV (another region's). */
int trust_supersedes(const struct trust *held, struct cbor_span held_bytes, const struct trust *incoming,
                     struct cbor_span incoming_bytes);

/* trust_use_name: a word for log and inspect ("receipt"); "unknown" beyond. */
const char *trust_use_name(unsigned use);
#endif
