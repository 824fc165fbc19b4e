/* The status list: one bit for each pass, set when it is revoked (PROTOCOL.md 13.5).  Signed by the keeper; its time only rises.
 *
 *   [1, region, issued s, expires s, count, bits]     bits: zlib (RFC 1950), count / 8 octets rounded up
 *
 * Pass n is bit n % 8, from the lowest, of octet n / 8.  Bits from `count` on are passes that did not exist then. */
#ifndef WIRE_STATUS_H
#define WIRE_STATUS_H
#include "wire/cose.h"
#include "wire/key.h"
#include "wire/pass_verify.h"

#define STATUS_AAD "vigie status"

/* Bits of one list: the passes of 93,000 carriers over a week, with room; a number is used again when its pass has been over
 * for a day.  status_write gives -E2BIG for more, status_read -EBADMSG. */
#define STATUS_COUNT_MAX  (1u << 20)
#define STATUS_OCTETS_MAX (STATUS_COUNT_MAX / 8)
/* A whole signed list: what COSE_MAX allows.  Some 30,000 of a million passes revoked at random fit. */
#define STATUS_MAX        COSE_MAX
/* What zlib works in while it unpacks: its window and state, some 40 KiB; status_unpack takes no heap. */
#define STATUS_ROOM       49152

struct status_list {
        char region[TRUST_REGION_MAX + 1];
        uint32_t issued_at_s, expires_s;
        uint32_t count;
        struct cbor_span packed; /* zlib, as it came */
};
struct status_signed {
        struct cose_sign1 cose;
        struct status_list list;
};

/* status_sign: write a list over BITS, (count + 7) / 8 octets; `packed` of LIST is not looked at.  Takes heap while it packs.
 * Returns 0, -E2BIG (count), -EINVAL (it ends before it is issued), -ENOBUFS (over STATUS_MAX), -ENOMEM, -EIO. */
int status_sign(const struct status_list *list, const uint8_t *bits, const uint8_t kid[KEY_KID_SIZE],
                const struct key *key, struct cbor_writer *to);

/* status_read: take a signed list apart; checks no signature, unpacks nothing.  Returns 0, -EBADMSG, -EMSGSIZE; WHY as ever. */
int status_read(struct cbor_span in, struct status_signed *ret_list, const char **why);

/* status_verify: whether LIST is the region's: signed by a key of TRUST for status lists, valid at NOW_S.
 * Returns as cose_sign1_verify_trusted() does, -EXDEV (another region). */
int status_verify(const struct status_signed *list, const struct trust *trust, uint32_t now_s);

/* status_supersedes: say whether LIST, verified, is to take the place of one issued at HELD_S: its time only rises. */
bool status_supersedes(const struct status_list *list, uint32_t held_s);

/* status_unpack: the bits of LIST, verified, into BITS of STATUS_OCTETS_MAX.
 *   room   where zlib works
 * Returns 0; -EBADMSG (not zlib, or other than exactly `count` bits: a bomb stops there).  BITS is then undefined. */
int status_unpack(const struct status_list *list, uint8_t room[STATUS_ROOM], uint8_t bits[STATUS_OCTETS_MAX],
                  struct status_bits *ret_bits);
#endif
