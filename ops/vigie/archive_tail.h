/* archive_tail: from {r}:feed into the archive's folder, and what follows once it is there.
 *
 * One pass: lock; read the feed from its last archived entry on, that one included: if it is there as it was, nothing
 * is missing between; append; commit (fsync, sign); unlock; tell {r}:archive.  The feed is trimmed only here. */
#ifndef OPS_VIGIE_ARCHIVE_TAIL_H
#define OPS_VIGIE_ARCHIVE_TAIL_H

#include "ops/vigie/archive_folder.h"

struct archive_tail;

/* archive_tail_new: for REGION's feed, into DIR; borrowed, as KEY is (private).  TAKE_OVER: although another archive
 * follows this feed.  Returns 0, -ENOMEM. */
struct archive_tail_options {
        struct region *region;
        const char *dir;
        const struct key *key;
        bool take_over;
};
int archive_tail_new(const struct archive_tail_options *options, struct archive_tail **ret_tail);

/* archive_tail_free: NULL does nothing. */
void archive_tail_free(struct archive_tail *tail);

/* archive_tail_pass: archive what came.
 * Returns 1 (there may be more), 0 (all is archived), -EBADMSG (the archive is altered or of another key), -EEXIST
 * (another archive follows this feed), -ENOTCONN, -EACCES, -EIO (Redis), or the disk's errno; all told. */
int archive_tail_pass(struct archive_tail *tail);

/* archive_tail_wait: until something comes, at most a second.  Returns 0, or as a lost Redis. */
int archive_tail_wait(struct archive_tail *tail);

/* archive_tail_trim: take away what is archived: feed entries older than archive.keep.  Returns 0, or a negative
 * errno. */
int archive_tail_trim(struct archive_tail *tail);

/* archive_tail_clean: hashes of alerts that were closed a day ago and are archived; tombstones of 400 days; notices
 * of ours that somebody has read.  Returns 0, or a negative errno. */
int archive_tail_clean(struct archive_tail *tail);

/* archive_tail_notice: set or end the notice tech:archive:WHAT, if Redis takes it; said once until it changes. */
void archive_tail_notice(struct archive_tail *tail, const char *what, bool on);

#endif
