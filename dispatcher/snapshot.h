/* The snapshot: what a dispatcher needs to know when it must start while Redis is away.  Two files:
 *
 *      PATH        the people, written while they are loaded; each later change is appended
 *      PATH.state  duty, presence, open alerts: written anew each minute
 *
 * Both are the same: magic "VIGIESNP" 8 | format u32 | epoch of the store u32 | written at, UTC ms u64, then entries kind u8 |
 * field's length u8 | value's length u16 | CRC-32C of the rest u32 | field | value.  Numbers are big-endian; a later
 * entry of the same kind and field counts, an empty value means gone; reading stops at the first entry that is not
 * whole. Replacing a file syncs it on a thread of libuv's pool.  Loop's thread only. */
#ifndef DISPATCHER_SNAPSHOT_H
#define DISPATCHER_SNAPSHOT_H

#include "dispatcher/core.h"
#include "dispatcher/people.h"

struct loop;
struct snapshot;

#define SNAPSHOT_FORMAT    1
/* Octets of PATH.state: 5,000 supervisors are 1 MiB, an open alert some 2 KiB.  Alerts that do not fit are left out,
 * and the journal has this process's own in any case. */
#define SNAPSHOT_STATE_MAX (32 * 1024 * 1024)
/* Largest file read: 250,000 handsets with as many carriers are 80 MiB, their changes of a year no more. */
#define SNAPSHOT_FILE_MAX  (512 * 1024 * 1024)

/* snapshot_open: keep a snapshot at PATH, whose folder exists.  Returns 0, -ENOMEM.  snapshot_close: NULL does
 * nothing; what is being synced finishes in the loop's next turns. */
int snapshot_open(struct loop *loop, const char *path, struct snapshot **ret_snapshot);
void snapshot_close(struct snapshot *snapshot);

/* snapshot_epoch: the store's epoch, 0..2^32-1, for what is written from now on. */
void snapshot_epoch(struct snapshot *snapshot, int64_t epoch);

/* snapshot_begin: a load begins: people given from now on go to a new file; while the last one is still being put in place, behind
 * that.  snapshot_end: it is complete and takes the old one's place; or it is not, and the old one stays.  Failures are logged; the
 * next load tries again. */
void snapshot_begin(struct snapshot *snapshot, int64_t now_ms);
void snapshot_end(struct snapshot *snapshot, bool complete);

/* snapshot_person: an entry of a people hash, as loaded or changed.  VALUE empty: gone. */
void snapshot_person(struct snapshot *snapshot, enum people_kind kind, const char *field, struct cbor_span value);

/* snapshot_duty, snapshot_presence: remember for PATH.state; NULL duty: off. */
void snapshot_duty(struct snapshot *snapshot, const char *person, const struct duty_entry *duty);
void snapshot_presence(struct snapshot *snapshot, const char *person, const struct presence *presence);

/* snapshot_state: write PATH.state, with the core's open alerts; nothing while the last one is still being written. */
void snapshot_state(struct snapshot *snapshot, const struct core *core, int64_t now_ms);

/* snapshot_peek: what the people's file at PATH says of the store that it was made of: its epoch, and whether it had people.
 * Returns 0, -ENOENT (no file), -EBADMSG (it is none), -EPROTONOSUPPORT (a newer format), an errno of reading. */
int snapshot_peek(const char *path, int64_t *ret_epoch, bool *ret_people);

/* What snapshot_load found. */
struct snapshot_report {
        int64_t written_at_ms; /* of the people's file */
        size_t people, supervisors, records, bad;
        size_t torn_octets; /* behind the last whole entry, of both files */
};

/* snapshot_load: tell the core what both files hold.
 * Returns 0, -ENOENT (no people's file), -EBADMSG (it is none), -EPROTONOSUPPORT (a newer format), an errno of
 * reading, -ENOMEM.  A state file that is missing or bad is no error. */
int snapshot_load(const char *path, struct core *core, struct snapshot_report *ret_report);

#endif
