/* outbox: the phone's journal, where presses wait.  It gives the core's records to base/journal and their fate back
 * by the core's own numbers, rewrites the file when it has grown, and lives with a disk that is full, gone or
 * altered: a press leaves all the same, and the page says that it would not survive. */
#ifndef DEVICE_HANDSET_HOST_OUTBOX_H
#define DEVICE_HANDSET_HOST_OUTBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "device/handset/vigie.h"

struct journal_calls;
struct loop;
struct outbox;

/* Records whose fate is not known yet; the core has a handful.  When full the next one is told as not written. */
#define OUTBOX_WAITING_MAX 64
/* Rewritten when it has grown by so many octets; a day on duty is some 30 KiB, most of it fixes. */
#define OUTBOX_GROWN       (1024 * 1024)
/* The journal's chunk, and its largest size: then it is full until a rewrite made room. */
#define OUTBOX_CHUNK       (256 * 1024)
#define OUTBOX_SIZE_MAX    (16 * 1024 * 1024)
/* A journal that could not be opened is tried again so often. */
#define OUTBOX_RETRY_MS    2000

struct outbox_options {
        struct loop *loop;
        const char *path;    /* borrowed */
        struct vigie *vigie; /* borrowed; restored from it, and copied for a rewrite */
        void *user;
        /* The fate of every record up to SEQ, as VIGIE_ON_SYNCED has it.  From the loop, never from within a call. */
        void (*synced)(void *user, uint32_t seq, bool ok);
        const struct journal_calls *calls; /* tests; NULL = real */
};

/* outbox_open: open, and restore the core from it.  What cannot be read as a journal is put aside as PATH.bad.
 * Returns 0: open, or not to be opened now: then synced(0, false) is told, and synced(0, true) once it is.
 * -EWOULDBLOCK: another daemon has it; -ENOMEM. */
int outbox_open(const struct outbox_options *options, struct outbox **ret_outbox);

/* outbox_append: journal the record of a VIGIE_DO_APPEND.  Returns 0, and its fate is told; else a negative errno:
 * not written. */
int outbox_append(struct outbox *outbox, const struct vigie_action *action);

/* outbox_settled: say whether the fate of all that was appended is known. */
bool outbox_settled(const struct outbox *outbox);

/* outbox_tidy: begin a rewrite if the file has grown so far; between two events of the core. */
void outbox_tidy(struct outbox *outbox);

/* outbox_close: write what is queued, and end; no fate is told any more.  Before the loop is closed.  NULL does
 * nothing. */
void outbox_close(struct outbox *outbox);

#endif
