/* restore_alerts: every alert as it was last known, by the backup and by the archive.  No I/O. */
#ifndef OPS_VIGIE_RESTORE_ALERTS_H
#define OPS_VIGIE_RESTORE_ALERTS_H

#include "wire/archive.h"
#include "wire/feed.h"
#include "wire/record.h"

/* The restored version of an open alert is so much above its last known one: what was lost between had fewer (an
 * alert of hours has some 100), so that every reader, which goes by the highest version, takes the restored one for
 * the newer. */
#define RESTORE_VERSION_STEP 1000

struct restored {
        uint8_t id[ALERT_ID_SIZE];
        struct record record;
        uint8_t hash[ARCHIVE_LINK_SIZE]; /* of it as it was encoded */
        uint8_t *extra;                  /* the backup's `signed`; NULL: none */
        size_t extra_len;
        bool buried; /* the backup has its tombstone */
};

struct restored_alerts;

/* restored_new, restored_free: none yet; NULL does nothing.  Returns NULL without memory. */
struct restored_alerts *restored_new(void);
void restored_free(struct restored_alerts *alerts);

/* restored_add: an alert's record is known.  The highest version counts, of two the later one; but closed stays closed.
 * Returns 0, -ENOMEM, -EIO; -EBADMSG, -EPROTONOSUPPORT (not a record that is read here). */
int restored_add(struct restored_alerts *alerts, struct cbor_span record);

/* restored_sign: the signed alert of ID, which is there.  Returns 0, -ENOMEM. */
int restored_sign(struct restored_alerts *alerts, const uint8_t id[ALERT_ID_SIZE], struct cbor_span bytes);

/* restored_bury: the backup has a tombstone of ID: it is not open, whatever was read before.  Returns 0, -ENOMEM. */
int restored_bury(struct restored_alerts *alerts, const uint8_t id[ALERT_ID_SIZE]);

/* restored_next: the one behind *AT (begin with 0); NULL at the end. */
struct restored *restored_next(struct restored_alerts *alerts, size_t *at);

/* restored_mark: make of an open alert its restored version, due now, marked to be checked.  SALT is drawn by the
 * caller. */
void restored_mark(struct restored *alert, int64_t now_ms, const uint8_t salt[16]);

/* restored_tombstone: what says that a closed one is closed. */
void restored_tombstone(const struct restored *alert, struct tombstone *ret_tombstone);

#endif
