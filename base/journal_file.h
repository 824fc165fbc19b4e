/* The journal's file, without threads or callbacks: open and replay, write a batch, keep room ahead, rewrite in steps.
 * base/journal.c owns one and calls it from one thread at a time; programs include base/journal.h. */
#ifndef BASE_JOURNAL_FILE_H
#define BASE_JOURNAL_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/journal.h"
#include "base/journal_reader.h"

/* A rewritten file is synced each so many octets, so that its last fsync is short. */
#define JOURNAL_REWRITE_SYNC (1024 * 1024)

/* A rewrite that runs. */
struct journal_rewrite {
        int fd;
        struct entry_chain chain;
        uint64_t end, synced;
        uint64_t upto; /* entries numbered higher are kept unasked */
        struct journal_compaction compaction;
        struct journal_reader reader;
};

struct journal_file {
        struct journal_calls calls;
        char *path, *path_new, *path_torn;
        char owner[4];
        uint64_t size_max;
        size_t chunk;
        int fd, lock_fd;
        struct entry_chain chain;
        uint64_t end;                    /* where the next entry goes */
        uint64_t allocated;              /* preallocated up to here */
        struct journal_rewrite *rewrite; /* NULL = none runs */
        uint8_t *out;                    /* JOURNAL_WINDOW + ENTRY_MAX octets, for encoding */
};

/* journal_file_open: as journal_open says.  FILE need not be set before; close it whatever this returns. */
int journal_file_open(struct journal_file *file, const struct journal_options *options, struct journal_report *report);

/* journal_file_close: close, unlock, free; copes with a half-opened one. */
void journal_file_close(struct journal_file *file);

/* journal_file_write: encode entries after the last one, write them and fdatasync.
 *   batch, len  entries as journal_batch_add put them
 * Returns 0 or a negative errno: then nothing more may be written. */
int journal_file_write(struct journal_file *file, const uint8_t *batch, size_t len);

/* What an entry takes in a batch beyond its payload: number and length. */
#define JOURNAL_BATCH_OVERHEAD 12

/* journal_batch_add: put one entry at BATCH, which has room for it.  Returns the octets it took: len +
 * JOURNAL_BATCH_OVERHEAD. */
size_t journal_batch_add(uint8_t *batch, uint64_t sequence, const void *payload, size_t len);

/* journal_file_extend: preallocate the next chunk if less than half of one is left.
 * Returns 0 (room is ahead), or a negative errno (-ENOSPC also at size_max): there is what there is. */
int journal_file_extend(struct journal_file *file);

/* journal_file_rewrite: begin a compaction: NAME.new with its header.  UPTO: the last number given.
 * Returns 0 or a negative errno; the old file is as it was. */
int journal_file_rewrite(struct journal_file *file, const struct journal_compaction *compaction, uint64_t upto);

/* journal_file_rewrite_step: do one window of it; after the last one the new file is in place.
 *   ret_fatal  true when it is not known which of the two files a restart would find
 * Returns 1 (more to do), 0 (done), or a negative errno: given up; unless fatal the old file goes on. */
int journal_file_rewrite_step(struct journal_file *file, bool *ret_fatal);

/* journal_file_rewrite_drop: give up a rewrite, if one runs. */
void journal_file_rewrite_drop(struct journal_file *file);

#endif
