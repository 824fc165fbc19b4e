/* archive: the files that `vigie archive` keeps of the feed (PROTOCOL.md 12).  A file is a CBOR sequence (RFC 8742): a
 * header, then entries.
 *
 *      header   [1, "vigie archive", archive id 16, file u32, first entry, at ms, link before 32]
 *      entry    [meta bytes, commitments 4 x 32, [part bytes / null, 4 of them], link 32]
 *      meta     [1, number, kind, at ms, feed id, alert id 16, version, state, event, before 32, hash 32, parts,
 *      count, text] part     salt 16, then its content; its commitment is SHA-256 of both; no part ever: 32 zeros
 *      link     SHA-256(link before | SHA-256(meta) | commitments); behind a header: SHA-256(header)
 *
 * So an erased part leaves its commitment, and the chain still verifies.  A checkpoint is a COSE_Sign1 over a link:
 *
 *      [1, archive id 16, region, number, link 32, file, at ms, feed id]      aad "vigie archive"
 *
 * No I/O, no clock; SHA-256 is libcrypto's. */
#ifndef WIRE_ARCHIVE_H
#define WIRE_ARCHIVE_H

#include "wire/cose.h"
#include "wire/id.h"
#include "wire/trust.h"

#define ARCHIVE_FORMAT    1
#define ARCHIVE_AAD       "vigie archive"
#define ARCHIVE_ID_SIZE   16
#define ARCHIVE_LINK_SIZE 32 /* SHA-256 */
#define ARCHIVE_SALT_SIZE 16

/* Largest encoded entry: a record is at most 8 KiB and a notice 3; four times that.  A feed entry that would give a
 * larger one is kept without its content, and says so; one read that is larger is malformed. */
#define ARCHIVE_ENTRY_MAX      32768
#define ARCHIVE_HEADER_MAX     128
#define ARCHIVE_META_MAX       512
#define ARCHIVE_FEED_ID_MAX    41 /* two u64 and '-' */
#define ARCHIVE_EVENT_MAX      24
#define ARCHIVE_TEXT_MAX       255 /* run ids before and after, a term's name */
#define ARCHIVE_CHECKPOINT_MAX (COSE_OVERHEAD + 192)

enum archive_kind {
        ARCHIVE_ALERT = 1, /* a version of an alert */
        ARCHIVE_NOTICE,
        ARCHIVE_ANSWER,
        ARCHIVE_DUTY,
        ARCHIVE_OTHER,  /* an entry of the feed that could not be read as one of these: kept as it was */
        ARCHIVE_SOURCE, /* from here on the feed is read from the server `text` (run and replication id); in the first
                         * one `count` entries of the feed were gone before the archive began */
        ARCHIVE_BREAK,  /* with an alert: what comes next does not follow `version` and `hash`, the last known; without:
                            * the feed is another one: it goes on after `feed`, and the last `count` entries of the feed
                            * here are not in it; `text` names the servers before and after */
        ARCHIVE_GAP,    /* the feed was trimmed behind our back: entries after `feed` are missing; `text` */
        ARCHIVE_ERASE,  /* `parts` of the entries up to number `count`, of `alert` or (zeros) of all that have none,
                            * are erased under the term `text` */
        ARCHIVE_HOLD,   /* nothing of `alert` is erased from here */
        ARCHIVE_RELEASE,   /* ... to here */
        ARCHIVE_RESTORE,   /* the store was restored: `count` the new epoch, `version` trust list, `text` from what */
        ARCHIVE_RECOVERED, /* `count` entries before this one were found behind the last checkpoint after a crash;
                            * `version` of them were in the feed as they are here */
        ARCHIVE_KIND_END
};

/* The parts of an entry, each with a salt, a commitment and a term of its own.  The record's own salt is a part because
 * its hash stays: whichever part goes first, the salt goes with it, and the hash says nothing of what is gone. */
enum archive_part {
        ARCHIVE_SALT,      /* record: key 51 */
        ARCHIVE_POSITIONS, /* record: position and track */
        ARCHIVE_ABOUT,     /* record: who pressed and all else; a notice; what could not be read */
        ARCHIVE_PROOF,     /* record: who was asked, saw, took, closed, why; a duty, an answer, a hold's reason */
        ARCHIVE_PARTS
};

struct archive_header {
        char what[16]; /* "vigie archive" */
        uint8_t id[ARCHIVE_ID_SIZE];
        uint32_t file;                     /* 1, 2, 3 ... */
        uint64_t first;                    /* number of the first entry */
        int64_t at_ms;                     /* UTC, when the file was begun: its day is in its name */
        uint8_t before[ARCHIVE_LINK_SIZE]; /* the link that the file before ended with; zeros in file 1 */
};

/* What stays for ever of an entry.  Which kind uses what: enum archive_kind; the rest is zero and "". */
struct archive_meta {
        uint64_t number; /* 1, 2, 3 ... over all files */
        uint8_t kind;
        int64_t at_ms; /* Redis's, of the feed entry; else ours */
        char feed[ARCHIVE_FEED_ID_MAX + 1];
        uint8_t alert[ALERT_ID_SIZE];
        uint32_t version;
        uint8_t state;
        char event[ARCHIVE_EVENT_MAX + 1];
        uint8_t before[ARCHIVE_LINK_SIZE], hash[ARCHIVE_LINK_SIZE]; /* of the record before, of the record */
        uint8_t parts;                                              /* bits of enum archive_part */
        uint64_t count;
        char text[ARCHIVE_TEXT_MAX + 1];
};

/* An entry read; spans point into the file's octets. */
struct archive_entry {
        struct archive_meta meta;
        struct cbor_span octets; /* meta as it stands there */
        uint8_t commitments[ARCHIVE_PARTS][ARCHIVE_LINK_SIZE];
        struct cbor_span parts[ARCHIVE_PARTS]; /* with their salts; at NULL: erased, or none */
        uint8_t link[ARCHIVE_LINK_SIZE];
        size_t size; /* of the whole entry in the file */
};

struct archive_checkpoint {
        uint8_t id[ARCHIVE_ID_SIZE];
        char region[TRUST_REGION_MAX + 1];
        uint64_t number; /* of the last entry; 0 before the first */
        uint8_t link[ARCHIVE_LINK_SIZE];
        uint32_t file;
        int64_t at_ms;
        char feed[ARCHIVE_FEED_ID_MAX + 1]; /* the last feed entry that is in it */
};

/* archive_hash: SHA-256 of COUNT spans one after the other.  Returns 0, -EIO (libcrypto). */
int archive_hash(const struct cbor_span *spans, size_t count, uint8_t ret_hash[ARCHIVE_LINK_SIZE]);

/* archive_header_write: write a header to TO of ARCHIVE_HEADER_MAX octets, and the link behind it.
 * Returns its length, -EINVAL, -EIO. */
int archive_header_write(const struct archive_header *header, uint8_t *to, uint8_t ret_link[ARCHIVE_LINK_SIZE]);

/* archive_header_read: read the header that IN begins with.
 * Returns its length, -EBADMSG, -EPROTONOSUPPORT (a newer format), -EIO. */
int archive_header_read(struct cbor_span in, struct archive_header *ret_header, uint8_t ret_link[ARCHIVE_LINK_SIZE]);

/* archive_entry_write: write an entry of META and the contents of its PARTS (with their salts; at NULL: none) after
 * LINK, and move LINK on.  TO has ARCHIVE_ENTRY_MAX octets.
 * Returns its length, -ENOBUFS (larger than that: LINK is as it was), -EINVAL (a value out of its range), -EIO. */
int archive_entry_write(const struct archive_meta *meta, const struct cbor_span parts[ARCHIVE_PARTS],
                        uint8_t link[ARCHIVE_LINK_SIZE], uint8_t *to);

/* archive_entry_read: read the entry that IN begins with; that its link and commitments hold is
 * archive_entry_check()'s.
 * Returns 0; -EBADMSG (malformed, or cut off). */
int archive_entry_read(struct cbor_span in, struct archive_entry *ret_entry);

/* archive_entry_check: say whether ENTRY's link follows BEFORE and its parts fit their commitments.
 * Returns NULL, or what is wrong: static English text. */
const char *archive_entry_check(const struct archive_entry *entry, const uint8_t before[ARCHIVE_LINK_SIZE]);

/* archive_entry_erase: write ENTRY again without the parts in the bit set PARTS.  TO has ARCHIVE_ENTRY_MAX octets.
 * Returns its length, -ENOBUFS. */
int archive_entry_erase(const struct archive_entry *entry, uint8_t parts, uint8_t *to);

/* archive_had_part: say whether ENTRY was written with PART, erased since or not. */
bool archive_had_part(const struct archive_entry *entry, enum archive_part part);

/* archive_record_split: write the entries of the map RECORD (strict CBOR, any format) into four maps, one for each
 * part, each behind room for a salt (ARCHIVE_SALT_SIZE octets of zeros); a part without any has at NULL, but the
 * proof's: it is always there, and last in TO, so that what else proves it may be written behind its map.
 *   to    the texts of all four: record.len + 128 octets are enough
 * Returns 0, -EBADMSG (no such map), -ENOBUFS. */
int archive_record_split(struct cbor_span record, struct cbor_writer *to, struct cbor_span ret_parts[ARCHIVE_PARTS]);

/* archive_record_add_signed: put what the phone SIGNED behind the map of the positions in PARTS (it says where the phone was:
 * it goes when they go), a map of its own where there is none.  TO is the writer of archive_record_split(); it takes
 * that part again.  to->full says that there was no room. */
void archive_record_add_signed(struct cbor_span signed_alert, struct cbor_writer *to,
                               struct cbor_span parts[ARCHIVE_PARTS]);

/* archive_record_signed: what archive_record_add_signed() put there; at NULL: nothing, or erased. */
struct cbor_span archive_record_signed(const struct cbor_span parts[ARCHIVE_PARTS]);

/* archive_record_facts: what an entry says of the map RECORD: alert, version, state, before, hash; the rest of META
 * is left.
 * Returns 0, -EBADMSG (no map of a record: id, version or state missing, or out of range), -EIO. */
int archive_record_facts(struct cbor_span record, struct archive_meta *meta);

/* archive_record_join: the record again from its four parts, all there (salts in front; what stands behind a map is
 * left out).  Returns its length, -EBADMSG, -ENOBUFS. */
int archive_record_join(const struct cbor_span parts[ARCHIVE_PARTS], uint8_t *to, size_t size);

/* archive_checkpoint_sign: the signed checkpoint into TO of ARCHIVE_CHECKPOINT_MAX octets.
 * Returns its length, or as signing does. */
int archive_checkpoint_sign(const struct archive_checkpoint *checkpoint, const struct key *key, uint8_t *to);

/* archive_checkpoint_read: read the payload of a checkpoint.  Returns 0, -EBADMSG, -EPROTONOSUPPORT. */
int archive_checkpoint_read(struct cbor_span payload, struct archive_checkpoint *ret_checkpoint);

/* archive_checkpoint_open: read and verify a signed one, its kid being KEY's.
 * Returns 0; -EBADMSG, -EPROTONOSUPPORT; -EKEYREJECTED (another key's, or altered); as verifying does. */
int archive_checkpoint_open(struct cbor_span in, const struct key *key, struct archive_checkpoint *ret_checkpoint);

/* archive_kind_name, archive_part_name: stable words; "unknown" beyond. */
const char *archive_kind_name(unsigned kind);
const char *archive_part_name(unsigned part);

#endif
