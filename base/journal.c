#include "base/journal.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "base/journal_file.h"
#include "base/log.h"
#include "base/loop.h"

/* While no further chunk is to be had it is asked for again so often: somebody may have freed the disk. */
#define RETRY_S 1

/* Entries on their way: what is being filled, and what the thread writes. */
struct batch {
        uint8_t *data;
        size_t len;
        uint64_t last; /* number of its last entry */
        uint64_t size; /* in the file */
};

struct journal {
        struct journal_options options;
        struct journal_file file; /* the thread's alone while it runs */
        size_t buffer_size;
        uv_async_t *wake; /* the loop, with what is new; NULL = no loop, no thread */
        pthread_t thread;
        pthread_mutex_t lock; /* for all below */
        pthread_cond_t work, progress;
        struct batch filling, writing;
        uint64_t given, synced; /* sequence numbers */
        uint64_t end, allocated;
        bool stopping, low, full;
        int error; /* of the write or fdatasync that failed */
        bool compacting, compacted;
        int compaction_result;
        uint64_t compaction_upto; /* what keep() is asked about */
        struct journal_compaction compaction;
        /* What the owner was told; the loop's thread. */
        uint64_t told_synced;
        enum journal_state told_state;
};

static enum journal_state state_of(const struct journal *j)
{
        return j->error != 0 ? JOURNAL_FAILED : j->full ? JOURNAL_FULL : j->low ? JOURNAL_LOW : JOURNAL_GOOD;
}

/* Say on the loop's thread, and to who waits in journal_sync_now, that there is something new; locked. */
static void tell(struct journal *j)
{
        pthread_cond_broadcast(&j->progress);
        if (j->wake != NULL)
                uv_async_send(j->wake);
}

/* Take over where the file stands; locked. */
static void publish(struct journal *j)
{
        if (j->file.allocated > j->allocated || j->file.end < j->end)
                j->full = false;
        j->end = j->file.end;
        j->allocated = j->file.allocated;
        if (j->allocated - j->end >= j->file.chunk / 2)
                j->low = false;
}

/* What was not synced is not known to be on the disk and never will be; locked. */
static void fail(struct journal *j, int error)
{
        if (j->wake != NULL && j->options.failed == NULL) {
                log_error(NULL, "journal %s: %s: ending at once, nothing unsynced was promised", j->options.path,
                          strerror(-error));
                _exit(EX_IOERR);
        }
        j->error = error;
        tell(j);
}

/* Write and sync all that is queued; locked, and unlocked while it writes. */
static void commit(struct journal *j)
{
        struct batch batch = j->filling;
        int r;

        j->filling = (struct batch){ .data = j->writing.data };
        j->writing = batch;
        pthread_mutex_unlock(&j->lock);
        r = journal_file_write(&j->file, batch.data, batch.len);
        pthread_mutex_lock(&j->lock);
        j->writing.len = j->writing.size = 0;
        publish(j);
        if (r < 0)
                fail(j, r);
        else
                j->synced = batch.last;
        tell(j);
}

/* Keep a chunk ahead; locked, and unlocked while it asks. */
static void extend(struct journal *j)
{
        enum journal_state before = state_of(j);
        int r;

        pthread_mutex_unlock(&j->lock);
        r = journal_file_extend(&j->file);
        pthread_mutex_lock(&j->lock);
        j->low = r < 0;
        publish(j);
        if (state_of(j) != before)
                tell(j);
}

/* Do a step of the compaction; locked, and unlocked while it works. */
static void compact(struct journal *j)
{
        bool fatal = false;
        int r = 0;

        pthread_mutex_unlock(&j->lock);
        if (j->file.rewrite == NULL)
                r = journal_file_rewrite(&j->file, &j->compaction, j->compaction_upto);
        if (r == 0)
                r = journal_file_rewrite_step(&j->file, &fatal);
        pthread_mutex_lock(&j->lock);
        if (r == 1)
                return;
        publish(j);
        if (r < 0 && fatal)
                fail(j, r);
        j->compacting = false;
        j->compacted = true;
        j->compaction_result = r;
        tell(j);
}

static void wait_for_work(struct journal *j)
{
        struct timespec until;

        if (!j->low) {
                pthread_cond_wait(&j->work, &j->lock);
                return;
        }
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += RETRY_S;
        pthread_cond_timedwait(&j->work, &j->lock, &until);
}

static void *journal_thread(void *user)
{
        struct journal *j = user;

        pthread_mutex_lock(&j->lock);
        while (j->error == 0) {
                if (j->filling.len > 0)
                        commit(j);
                else if (j->stopping)
                        break;
                else if (j->compacting)
                        compact(j);
                else
                        wait_for_work(j);
                if (j->error == 0 && (j->low || j->allocated - j->end < j->file.chunk / 2))
                        extend(j);
        }
        pthread_mutex_unlock(&j->lock);
        return NULL;
}

/* Tell the owner what is new, on the loop's thread, without the lock. */
static void deliver(struct journal *j)
{
        struct journal_compaction compaction;
        enum journal_state state;
        bool compacted;
        uint64_t synced;
        int error, result;

        pthread_mutex_lock(&j->lock);
        synced = j->synced;
        state = state_of(j);
        error = j->error;
        compacted = j->compacted;
        compaction = j->compaction;
        result = j->compaction_result;
        j->compacted = false;
        pthread_mutex_unlock(&j->lock);

        if (synced > j->told_synced) {
                j->told_synced = synced;
                if (j->options.synced != NULL)
                        j->options.synced(j->options.user, synced);
        }
        if (compacted && compaction.done != NULL)
                compaction.done(compaction.user, result);
        if (state == j->told_state)
                return;
        j->told_state = state;
        if (state == JOURNAL_FAILED)
                j->options.failed(j->options.user, error);
        else if (j->options.state != NULL)
                j->options.state(j->options.user, state);
}

static void woken(uv_async_t *wake)
{
        if (wake->data != NULL)
                deliver(wake->data);
}

static void free_wake(uv_handle_t *handle)
{
        free(handle);
}

static int start_thread(struct journal *j)
{
        sigset_t all, before;
        int r;

        if ((j->wake = calloc(1, sizeof(*j->wake))) == NULL)
                return -ENOMEM;
        if ((r = uv_async_init(loop_uv(j->options.loop), j->wake, woken)) < 0) {
                free(j->wake);
                j->wake = NULL;
                return r;
        }
        j->wake->data = j;
        sigfillset(&all); /* signals are the loop's */
        pthread_sigmask(SIG_SETMASK, &all, &before);
        r = -pthread_create(&j->thread, NULL, journal_thread, j);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (r < 0) {
                uv_close((uv_handle_t *)j->wake, free_wake);
                j->wake = NULL;
        }
        return r;
}

static void destroy(struct journal *j)
{
        journal_file_close(&j->file);
        free(j->filling.data);
        free(j->writing.data);
        pthread_cond_destroy(&j->work);
        pthread_cond_destroy(&j->progress);
        pthread_mutex_destroy(&j->lock);
        free(j);
}

static struct journal *new_journal(const struct journal_options *options)
{
        struct journal *j = calloc(1, sizeof(*j));
        pthread_condattr_t monotonic;

        if (j == NULL)
                return NULL;
        j->options = *options;
        pthread_mutex_init(&j->lock, NULL);
        pthread_cond_init(&j->progress, NULL);
        pthread_condattr_init(&monotonic);
        pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
        pthread_cond_init(&j->work, &monotonic);
        pthread_condattr_destroy(&monotonic);
        return j;
}

/* The queue is so small that what is queued and what is being written always fit the half chunk kept ahead. */
static int make_buffers(struct journal *j)
{
        j->buffer_size = j->file.chunk / 4 < JOURNAL_BUFFER_SIZE ? j->file.chunk / 4 : JOURNAL_BUFFER_SIZE;
        j->filling.data = malloc(j->buffer_size);
        j->writing.data = malloc(j->buffer_size);
        return j->filling.data != NULL && j->writing.data != NULL ? 0 : -ENOMEM;
}

int journal_open(const struct journal_options *options, struct journal **ret_journal, struct journal_report *ret_report)
{
        struct journal *j = new_journal(options);
        struct journal_report report;
        int r;

        if (j == NULL)
                return -ENOMEM;
        if ((r = journal_file_open(&j->file, options, &report)) < 0 || (r = make_buffers(j)) < 0) {
                destroy(j);
                return r;
        }
        j->options.path = j->file.path;
        j->given = j->synced = j->told_synced = report.last;
        j->low = j->file.allocated - j->file.end < j->file.chunk / 2;
        publish(j);
        if (options->loop != NULL && (r = start_thread(j)) < 0) {
                destroy(j);
                return r;
        }
        if (j->low)
                tell(j);
        *ret_journal = j;
        if (ret_report != NULL)
                *ret_report = report;
        return 0;
}

/* Octets that may still be appended; locked. */
static uint64_t room_of(const struct journal *j)
{
        uint64_t used = j->end + j->writing.size + j->filling.size;

        return j->error != 0 || used >= j->allocated ? 0 : j->allocated - used; /* more: size_max became less */
}

static int append(struct journal *j, const void *payload, size_t len, uint64_t *ret_seq)
{
        struct batch *batch = &j->filling;
        uint64_t size = ENTRY_OVERHEAD + len;

        if (j->error != 0)
                return -EIO;
        if (batch->size + size > j->buffer_size)
                return -ENOBUFS;
        if (size > room_of(j)) {
                j->full = true;
                tell(j);
                return -ENOSPC;
        }
        batch->last = ++j->given;
        batch->len += journal_batch_add(batch->data + batch->len, batch->last, payload, len);
        batch->size += size;
        *ret_seq = batch->last;
        return 0;
}

int journal_append(struct journal *j, const void *payload, size_t len, uint64_t *ret_seq)
{
        int r;

        if (len == 0 || len > ENTRY_PAYLOAD_MAX)
                return -EMSGSIZE;
        pthread_mutex_lock(&j->lock);
        r = append(j, payload, len, ret_seq);
        pthread_mutex_unlock(&j->lock);
        if (j->wake != NULL && r == 0)
                pthread_cond_signal(&j->work);
        return r;
}

int journal_sync_now(struct journal *j)
{
        uint64_t wanted;
        int r;

        pthread_mutex_lock(&j->lock);
        wanted = j->given;
        if (j->wake == NULL && j->error == 0) {
                if (j->filling.len > 0)
                        commit(j);
                if (j->error == 0)
                        extend(j);
        }
        while (j->wake != NULL && j->error == 0 && j->synced < wanted)
                pthread_cond_wait(&j->progress, &j->lock);
        r = j->error;
        pthread_mutex_unlock(&j->lock);
        return r;
}

enum journal_state journal_state(struct journal *j)
{
        enum journal_state state;

        pthread_mutex_lock(&j->lock);
        state = state_of(j);
        pthread_mutex_unlock(&j->lock);
        return state;
}

uint64_t journal_room(struct journal *j)
{
        uint64_t room;

        pthread_mutex_lock(&j->lock);
        room = room_of(j);
        pthread_mutex_unlock(&j->lock);
        return room;
}

uint64_t journal_size(struct journal *j)
{
        uint64_t size;

        pthread_mutex_lock(&j->lock);
        size = j->end + j->writing.size + j->filling.size;
        pthread_mutex_unlock(&j->lock);
        return size;
}

int journal_compact(struct journal *j, const struct journal_compaction *compaction)
{
        int r = 0, result = 0;

        assert(compaction->keep != NULL);
        pthread_mutex_lock(&j->lock);
        if (j->error != 0)
                r = -EIO;
        else if (j->compacting || j->compacted)
                r = -EBUSY;
        if (r == 0) {
                j->compaction = *compaction;
                j->compaction_upto = j->given;
                j->compacting = true;
        }
        while (r == 0 && j->wake == NULL && j->compacting)
                compact(j);
        if (r == 0 && j->wake == NULL) {
                j->compacted = false;
                result = j->compaction_result;
        }
        pthread_mutex_unlock(&j->lock);
        if (j->wake != NULL)
                pthread_cond_signal(&j->work);
        else if (r == 0 && compaction->done != NULL)
                compaction->done(compaction->user, result);
        return r;
}

void journal_close(struct journal *j)
{
        if (j == NULL)
                return;
        if (j->wake == NULL) {
                journal_sync_now(j);
                destroy(j);
                return;
        }
        pthread_mutex_lock(&j->lock);
        j->stopping = true;
        pthread_mutex_unlock(&j->lock);
        pthread_cond_signal(&j->work);
        pthread_join(j->thread, NULL);
        if (j->compacting) {
                j->compacting = false;
                j->compacted = true;
                j->compaction_result = -ECANCELED;
        }
        deliver(j);
        j->wake->data = NULL;
        uv_close((uv_handle_t *)j->wake, free_wake);
        destroy(j);
}
