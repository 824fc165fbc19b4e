/* restore_put: what a restore writes, gathered as commands of one transaction: Redis has all of it or nothing. */
#ifndef OPS_VIGIE_RESTORE_PUT_H
#define OPS_VIGIE_RESTORE_PUT_H

#include "ops/vigie/archive_feed.h"
#include "ops/vigie/backup_file.h"
#include "ops/vigie/restore_alerts.h"

struct restore_put {
        const struct region *region;
        struct redisContext *redis;
        size_t commands; /* appended */
        int64_t now_ms;
        uint64_t feed_ms; /* ids of the feed entries: above all that the archive has */
        uint32_t feed_seq;
        uint64_t open, closed;
        char stream[BACKUP_KEY_MAX + 1], entry[ARCHIVE_FEED_ID_MAX + 1]; /* the last entry of a stream, its key */
};

/* Each returns 0, -EBADMSG (not what is expected there), -ENOMEM, -EIO. */

/* restore_put_command: COUNT words. */
int restore_put_command(struct restore_put *put, const struct cbor_span *words, size_t count);

/* restore_put_item: an item of the backup that is no alert and no tombstone's. */
int restore_put_item(struct restore_put *put, const struct backup_item *item);

/* restore_put_alert: an alert as it was last known: open and marked, or a tombstone. */
int restore_put_alert(struct restore_put *put, struct restored *alert);

/* restore_put_fact: a notice or a duty of the archive: FIELDS, the content of its part. */
int restore_put_fact(struct restore_put *put, const char *hash, struct cbor_span fields);

/* restore_put_exec: send all, and read what came of it.
 * Returns 0; -EAGAIN (what was watched changed: nothing is written); -EIO (told; nothing is written, or after a lost
 * connection all or nothing). */
int restore_put_exec(struct restore_put *put);

#endif
