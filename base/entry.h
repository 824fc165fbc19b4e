/* The journal's format, over octets in memory: no file, no clock; libc and libcrypto only (libvigie-handset uses it).
 *
 *      header  magic "VIGIEJNL" 8 | format u32 | owner 4 | sequence u64 | zeros 4 | CRC-32C of these u32
 *      entry   length u32 | CRC-32C u32 of the rest and the length | sequence u64 | link 16 | payload
 *
 * Numbers are big-endian; a header takes 32 octets, an entry 32 and its payload.  An entry's link is the first 16
 * octets of SHA-256(link before | sequence | payload); the first one follows the SHA-256 of the header.  So an entry
 * that reads well is the one that was written there, after those before it: not a piece of an older file, not a
 * half-written one.  Sequence numbers rise by any amount (compaction leaves gaps), and the header says the highest
 * number given when the file was made, so that they rise even when a compaction keeps nothing.  Length 0 is the end:
 * the file is preallocated with zeros.  Reading stops at the first entry that is not whole. */
#ifndef BASE_ENTRY_H
#define BASE_ENTRY_H

#include <stddef.h>
#include <stdint.h>

#define ENTRY_FORMAT      1 /* written; this and the one before are read */
#define ENTRY_HEADER_SIZE 32
#define ENTRY_OVERHEAD    32
#define ENTRY_LINK_SIZE   16
/* Largest payload in octets: one event with a signed object (at most 1 KiB) many times over.  A larger one is
 * -EMSGSIZE when writing, torn when reading. */
#define ENTRY_PAYLOAD_MAX 8192
#define ENTRY_MAX         (ENTRY_OVERHEAD + ENTRY_PAYLOAD_MAX)

/* Where a chain of entries stands: after the header, or after an entry. */
struct entry_chain {
        uint64_t sequence; /* the highest number given: the header's or the last entry's; the next one is one more */
        uint64_t last;     /* the last entry's number, 0 before the first */
        uint8_t link[ENTRY_LINK_SIZE];
};

struct entry {
        uint64_t sequence;
        const uint8_t *payload; /* in the caller's buffer */
        size_t payload_len;     /* 1..ENTRY_PAYLOAD_MAX */
        size_t size;            /* octets it takes in the file */
};

enum entry_result {
        ENTRY_FOUND,
        ENTRY_END,  /* nothing but zeros (or nothing at all) left: a clean end */
        ENTRY_TORN, /* half-written, altered, cut short, or not of this chain: nothing after it is to be trusted */
        ENTRY_UNREAD, /* libcrypto had no memory: nothing is known of what stands there */
};

/* entry_header_encode: write a header.
 *   owner       four letters that say whose journal it is ("DISP", "HAND"): another owner's file is refused at reading
 *   sequence    the highest number already given; the next new entry gets a higher one.  0 for a new journal
 *   out         ENTRY_HEADER_SIZE octets
 *   ret_chain   where the first entry goes on
 * Returns 0 or -ENOMEM (libcrypto). */
int entry_header_encode(const char owner[4], uint64_t sequence, uint8_t *out, struct entry_chain *ret_chain);

/* entry_header_decode: read a header.
 * Returns 0, -EBADMSG (shorter than a header, not a journal, or altered), -EPROTONOSUPPORT (a format newer than ours),
 * -EINVAL (another owner's), -ENOMEM (libcrypto). */
int entry_header_decode(const uint8_t *buf, size_t len, const char owner[4], struct entry_chain *ret_chain);

/* Where an entry is written. */
struct entry_out {
        uint8_t *data;
        size_t size;
};

/* entry_encode: write one entry after CHAIN, numbered chain->sequence + 1, and move CHAIN on.  (Who keeps old
 * numbers, as compaction does, sets chain->sequence to one below the number before the call.)
 *   payload_len  1..ENTRY_PAYLOAD_MAX
 *   out          must hold ENTRY_OVERHEAD + payload_len
 *   ret_len      octets written
 * Returns 0, -EMSGSIZE (payload empty or too large), -ENOBUFS (out too small), -ENOMEM (libcrypto).  CHAIN moves on 0
 * only. */
int entry_encode(struct entry_chain *chain, const void *payload, size_t payload_len, struct entry_out out,
                 size_t *ret_len);

/* entry_next: read the entry at BUF after CHAIN, and move CHAIN on when one is found.
 *   buf, len  what is left of the file, or at least ENTRY_MAX octets of it: shorter, and a whole entry reads as torn
 * For ENTRY_END all LEN octets were zeros; a reader in windows checks the rest of the file itself.
 * ret_entry is written when found; its payload points into BUF. */
enum entry_result entry_next(struct entry_chain *chain, const uint8_t *buf, size_t len, struct entry *ret_entry);

/* entry_crc32c: CRC-32C (Castagnoli, RFC 3720 appendix B.4) of DATA going on from CRC; begin with 0. */
uint32_t entry_crc32c(uint32_t crc, const void *data, size_t len);

#endif
