/* archive_feed: one entry of {r}:feed as an entry of the archive.  No I/O. */
#ifndef OPS_VIGIE_ARCHIVE_FEED_H
#define OPS_VIGIE_ARCHIVE_FEED_H

#include "ops/vigie/archive_folder.h"

struct redisReply;

/* What becomes of a feed entry; the parts point into `octets`. */
struct archive_feed_entry {
        struct archive_meta meta;
        struct cbor_span parts[ARCHIVE_PARTS];
        uint8_t octets[ARCHIVE_ENTRY_MAX];
        uint8_t content[8]; /* of what the feed has, as struct archive_recent has it */
};

/* archive_feed_read: read ENTRY, an id and an array of names and values as XRANGE gives it.  Whatever is no alert,
 * notice, answer or duty is kept as it is; what is too large without its content, and that is said.
 * Returns 0; -EBADMSG (no entry of a stream), -EIO. */
int archive_feed_read(const struct redisReply *entry, struct archive_feed_entry *ret_entry);

/* archive_feed_compare: which of two ids of a stream comes first: <0, 0, >0; "" is before all. */
int archive_feed_compare(const char *a, const char *b);

/* archive_feed_add: append what ENTRY became to FOLDER; before an alert that does not follow, a break that says so.
 * Returns as archive_folder_append(). */
int archive_feed_add(struct archive_folder *folder, struct archive_feed_entry *entry);

#endif
