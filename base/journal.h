/* The journal: an append-only file of entries (base/entry.h) that are durable when it says so.
 *
 *      append -> bounded buffer -> the journal's own thread: write, fdatasync -> synced(up_to) on the loop's thread
 *
 * What was appended while an fdatasync runs goes out with the next one (group commit).  The file is preallocated in
 * chunks: fdatasync of a preallocated file takes 85-117 us, of one that grows 134-168 us, and a full disk is known
 * while there still is room.  One process per journal (flock on NAME.lock); the file is 0600.
 *
 * A write or fdatasync that fails is final: what the kernel has dropped cannot be synced by trying again.  Nothing
 * not synced is ever reported as synced.  Opened again, what the file says is written and synced anew before it counts: a
 * failed fdatasync may have left it in memory alone, where only a power cut would show that it is on no disk.  Without a `failed` callback the process ends at once with one log line and
 * EX_IOERR. */
#ifndef BASE_JOURNAL_H
#define BASE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/entry.h"

struct loop;
struct journal;

/* Preallocation step in octets: some 15,000 alerts' events; one posix_fallocate each takes well under 1 ms.  The next
 * chunk is asked for when less than half of one is left, so a full disk is known with JOURNAL_CHUNK / 2 still to
 * write. */
#define JOURNAL_CHUNK       (4 * 1024 * 1024)
/* Default for size_max in octets.  At it append gives -ENOSPC until a compaction made room. */
#define JOURNAL_SIZE_MAX    (256 * 1024 * 1024)
/* Octets appended and not yet taken by the journal's thread: 2 s at 1,000 alerts/s with a 500 octet event each; at
 * most a quarter of a chunk, so that what waits and what is being written always fit what is preallocated.  When full
 * append gives -ENOBUFS. */
#define JOURNAL_BUFFER_SIZE (1024 * 1024)

enum journal_state {
        JOURNAL_GOOD,
        JOURNAL_LOW,    /* the disk or size_max gives no further chunk, less than half of one is left: compact, warn */
        JOURNAL_FULL,   /* the last append was refused for want of room: append gives -ENOSPC until there is room */
        JOURNAL_FAILED, /* a write or fdatasync failed: append gives -EIO for ever */
};

/* The system calls that can be made to fail by tests; NULL members are the real ones.  Tests only. */
struct journal_calls {
        ssize_t (*pwrite)(int fd, const void *buf, size_t len, off_t offset);
        int (*fdatasync)(int fd);
        int (*fsync)(int fd);
        int (*posix_fallocate)(int fd, off_t offset, off_t len); /* gives an errno, as the real one does */
        int (*rename)(const char *from, const char *to);
};

/* What journal_open found. */
struct journal_report {
        uint64_t entries; /* whole entries, all replayed */
        uint64_t last;    /* sequence number of the last one, or the one the file began after */
        /* After them: cut off, and kept in NAME.torn for a person to look at.  0 after a clean end; a crash in the
         * middle of a write leaves some, of which nobody was told that they are durable. */
        uint64_t torn_octets;
};

struct journal_options {
        const char *path;  /* NAME; its folder must exist.  NAME.lock, NAME.new, NAME.torn may appear beside it */
        char owner[4];     /* see entry_header_encode */
        uint64_t size_max; /* octets, at least one chunk; 0 = JOURNAL_SIZE_MAX */
        size_t chunk;      /* octets, at least 64 KiB; 0 = JOURNAL_CHUNK; a handset takes a small one */
        /* NULL: no thread; only journal_sync_now writes, and there is no synced callback: for tools and small
         * hosts. */
        struct loop *loop;
        void *user; /* given to every callback */
        /* Each entry found at open, in order; NULL = none.  A negative answer ends journal_open with it. */
        int (*replay)(void *user, const struct entry *entry);
        /* On the loop's thread: everything up to this sequence number is durable.  Rising; may skip numbers. */
        void (*synced)(void *user, uint64_t up_to);
        /* On the loop's thread, once: JOURNAL_FAILED with this negative errno.  NULL: log and _exit(EX_IOERR)
         * instead, from the journal's thread and at once.  With no loop journal_sync_now returns it and this is not
         * called. */
        void (*failed)(void *user, int error);
        /* On the loop's thread: state became GOOD, LOW or FULL; NULL = not told. */
        void (*state)(void *user, enum journal_state state);
        const struct journal_calls *calls; /* tests; NULL = real */
};

/* journal_open: create or open, lock, replay, cut a torn tail, make durable what was replayed, preallocate, start the
 * thread.
 *   options      copied, path too
 *   ret_report   may be NULL; written on success
 * Returns 0; -EWOULDBLOCK (another process has it); -EBADMSG, -EPROTONOSUPPORT, -EINVAL (not such a journal: see
 * entry_header_decode; the file is left as it is); -EIO (what was replayed cannot be made durable: nothing of it
 * counts); -ENOSPC (no room for the first chunk); what replay gave; an errno
 * of the file system; -ENOMEM. */
int journal_open(const struct journal_options *options, struct journal **ret_journal,
                 struct journal_report *ret_report);

/* journal_append: give an entry a number and queue it.  The payload is copied.  Not durable before synced() says so.
 *   len       1..ENTRY_PAYLOAD_MAX
 *   ret_seq   its number, higher than any before, across restarts and compactions
 * Returns 0, -EMSGSIZE, -ENOBUFS (buffer full: the disk is behind), -ENOSPC (disk or size_max), -EIO (failed).
 * Loop's thread. */
int journal_append(struct journal *journal, const void *payload, size_t len, uint64_t *ret_seq);

/* journal_sync_now: block until all that was appended is durable (with a loop, synced() comes as well, later).
 * Returns 0 or the negative errno of the failure. */
int journal_sync_now(struct journal *journal);

/* journal_state: how it stands.  Loop's thread. */
enum journal_state journal_state(struct journal *journal);

/* journal_room: octets that may still be appended before -ENOSPC, entries' overhead included; with size_max far, the
 * next chunk is not counted.  Loop's thread. */
uint64_t journal_room(struct journal *journal);

/* journal_size: octets of the file that are in use, for deciding when to compact.  Loop's thread. */
uint64_t journal_size(struct journal *journal);

/* What to keep, and whom to tell. */
struct journal_compaction {
        bool (*keep)(void *user, const struct entry *entry);
        void (*done)(void *user, int result);
        void *user;
};

/* journal_compact: rewrite the file with only the entries worth keeping, while appends go on.
 * It is done by the journal's thread in steps between commits: written to NAME.new, fsynced, renamed, the folder
 * fsynced; a crash at any moment leaves the old file or the new one.  Kept entries keep their numbers.  Entries
 * appended after this call are always kept.
 *   keep   says whether to keep an entry that was in the journal at this call.  It RUNS ON THE JOURNAL'S THREAD: it
 *          may look at `user` only, a snapshot that the caller leaves alone until done.  (Without a loop: in this
 *          call.)
 *   done   on the loop's thread, once (without a loop: before this returns): 0, or a negative errno (-ENOSPC: the kept
 *          entries fit neither the disk nor size_max), then the old file stays in use.  May be NULL.
 *   user   for both
 * Returns 0 (begun), -EBUSY (one runs), -EIO (failed).  A failed fsync of the folder is a failure of the journal. */
int journal_compact(struct journal *journal, const struct journal_compaction *compaction);

/* journal_close: write and sync what is queued, end the thread, unlock, free; NULL does nothing.  A compaction that
 * runs is dropped (its done is called with -ECANCELED before this returns).  synced() for what this made durable is
 * called before it returns.  The uv handle is freed by the loop's next turns: call it before loop_close, and not from
 * one of its callbacks. */
void journal_close(struct journal *journal);

#endif
