/* archive_folder: the archive as who writes it has it: locked, verified, and its end known.
 *
 *      append ... append, commit: the batch is written, fsynced, signed; the checkpoint fsynced and renamed to
 *      head.cose
 *
 * What a crash leaves, at any instruction: the batch not there; a piece of it (cut off at the next open: nobody was
 * told); all of it, not yet signed (kept, and a `recovered` entry says so); or all.  The feed is trimmed only behind
 * a checkpoint.  A folder in which something else is wrong is not written to. */
#ifndef OPS_VIGIE_ARCHIVE_FOLDER_H
#define OPS_VIGIE_ARCHIVE_FOLDER_H

#include "ops/vigie/archive_files.h"

/* Octets of one batch, at most: some 2,000 entries; append says -ENOBUFS, and the caller commits. */
#define ARCHIVE_BATCH_MAX (16 * 1024 * 1024)

struct archive_folder;

struct archive_folder_options {
        const char *dir, *region;      /* copied */
        const struct key *key;         /* private; borrowed for the folder's life */
        int64_t (*now_ms)(void *user); /* UTC; NULL: the machine's clock */
        /* Says whether the feed has an entry with this id and record hash; NULL: not asked. */
        bool (*seen)(void *user, const struct archive_meta *meta);
        void *user;
};

/* archive_folder_open: lock, verify all, mend what a crash left; an empty folder (or none) becomes an archive.  Waits
 * some seconds for another writer.
 * Returns 0, or a negative errno after telling on stderr: -EBADMSG (altered, or another key's), -EWOULDBLOCK, ... */
int archive_folder_open(const struct archive_folder_options *options, struct archive_folder **ret_folder);

/* archive_folder_close: unlock and free, what was not committed is dropped; NULL does nothing. */
void archive_folder_close(struct archive_folder *folder);

/* archive_folder_release: let others write for a while.  archive_folder_take: lock again.
 * Returns 0; -ESTALE: another has written: close and open anew. */
void archive_folder_release(struct archive_folder *folder);
int archive_folder_take(struct archive_folder *folder);

/* archive_folder_append: add an entry to the batch; META's number and parts are set here, its time where it is 0.
 *   parts   contents with room for a salt in front, which is drawn here into them; NULL: none
 * Returns 0, -ENOBUFS (commit first), -EMSGSIZE (an entry larger than one may be), -EIO, -ENOMEM. */
int archive_folder_append(struct archive_folder *folder, struct archive_meta *meta, const struct cbor_span *parts);

/* archive_folder_commit: make the batch durable and sign it.  Nothing in it: nothing is done.
 * Returns 0, or a negative errno (told): the folder is as before the batch; close it, and open it anew. */
int archive_folder_commit(struct archive_folder *folder);

/* archive_folder_rewrite: erase in all files what the erasures that are committed say, file by file (new, fsync,
 * rename).
 *   ret_parts   how many parts went
 * Returns 0, or a negative errno (told); done again, it goes on. */
int archive_folder_rewrite(struct archive_folder *folder, uint64_t *ret_parts);

/* archive_folder_audit: how the chain and each alert stand, the batch included; borrowed. */
struct archive_audit *archive_folder_audit(const struct archive_folder *folder);

/* archive_folder_head: the newest checkpoint; archive_folder_head_octets: as signed.  Borrowed. */
const struct archive_checkpoint *archive_folder_head(const struct archive_folder *folder);
struct cbor_span archive_folder_head_octets(const struct archive_folder *folder);

/* archive_folder_feed: id behind which the feed is read on, the batch included; "" before the first. 
 * archive_folder_where: the server that it was read from last; "" before the first; behind a restore, words that are no
 * server's.  Borrowed. */
const char *archive_folder_feed(const struct archive_folder *folder);
const char *archive_folder_where(const struct archive_folder *folder);

/* The last feed entries, newest first: AGO 0 .. ; NULL beyond what is remembered (ARCHIVE_RECENT_MAX). */
#define ARCHIVE_RECENT_MAX 65536
struct archive_recent {
        char feed[ARCHIVE_FEED_ID_MAX + 1];
        uint8_t content[8]; /* the first octets of SHA-256 of what the feed had */
};
const struct archive_recent *archive_folder_recent(const struct archive_folder *folder, size_t ago);

#endif
