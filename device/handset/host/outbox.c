#include "device/handset/host/outbox.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/journal.h"
#include "base/log.h"
#include "base/loop.h"

struct waiting {
        uint64_t journal_seq;
        uint32_t seq;
};

struct outbox {
        struct outbox_options options;
        struct journal *journal; /* NULL: could not be opened */
        bool started;            /* opened for the first time, or tried: the core is restored no more */
        bool failed;             /* for good */
        struct vigie *snapshot;  /* for the rewrite under way */
        uint64_t tidy_at;        /* journal_size */
        struct wheel_timer later;
        size_t first, count;
        struct waiting waiting[OUTBOX_WAITING_MAX];
};

/* ---- fates ------------------------------------------------------------------------------------------------------- */

static void tell(struct outbox *outbox, uint32_t seq, bool ok)
{
        if (outbox->options.synced != NULL)
                outbox->options.synced(outbox->options.user, seq, ok);
}

static uint32_t take_first(struct outbox *outbox)
{
        uint32_t seq = outbox->waiting[outbox->first].seq;

        outbox->first = (outbox->first + 1) % OUTBOX_WAITING_MAX;
        outbox->count--;
        return seq;
}

static void on_synced(void *user, uint64_t up_to)
{
        struct outbox *outbox = user;
        uint32_t seq = 0;

        while (outbox->count > 0 && outbox->waiting[outbox->first].journal_seq <= up_to)
                seq = take_first(outbox);
        if (seq > 0)
                tell(outbox, seq, true);
}

/* The disk has lost what it was given: whether any of it is there nobody knows, and no further record can be
 * trusted to it. */
static void on_failed(void *user, int error)
{
        struct outbox *outbox = user;
        uint32_t seq = 0;

        log_error("journal", "%s; presses leave, and will not survive a restart", strerror(-error));
        outbox->failed = true;
        while (outbox->count > 0)
                seq = take_first(outbox);
        tell(outbox, seq, false);
}

static void on_state(void *user, enum journal_state state)
{
        struct outbox *outbox = user;

        if (state == JOURNAL_LOW || state == JOURNAL_FULL) {
                log_warn("journal", "the disk is %s", state == JOURNAL_LOW ? "nearly full" : "full");
                outbox->tidy_at = 0;
        }
}

int outbox_append(struct outbox *outbox, const struct vigie_action *action)
{
        uint64_t journal_seq;
        int r = -EIO;

        if (outbox->journal != NULL && outbox->count == OUTBOX_WAITING_MAX)
                r = -ENOBUFS;
        else if (outbox->journal != NULL)
                r = journal_append(outbox->journal, action->data, action->len, &journal_seq);
        if (r < 0)
                return r;
        outbox->waiting[(outbox->first + outbox->count++) % OUTBOX_WAITING_MAX] =
                (struct waiting){ journal_seq, action->seq };
        return 0;
}

bool outbox_settled(const struct outbox *outbox)
{
        return outbox->count == 0;
}

/* ---- rewriting --------------------------------------------------------------------------------------------------- */

static void on_tidied(void *user, int result)
{
        struct outbox *outbox = user;

        free(outbox->snapshot);
        outbox->snapshot = NULL;
        outbox->tidy_at = journal_size(outbox->journal) + OUTBOX_GROWN;
        if (result < 0 && result != -ECANCELED)
                log_warn("journal", "cannot be rewritten: %s", strerror(-result));
}

/* On the journal's thread, with a copy of the core that nobody else looks at. */
static bool keep(void *user, const struct entry *entry)
{
        const struct outbox *outbox = user;

        return vigie_keep(outbox->snapshot, entry->payload, entry->payload_len);
}

void outbox_tidy(struct outbox *outbox)
{
        struct journal_compaction compaction = { keep, on_tidied, outbox };

        if (outbox->journal == NULL || outbox->failed || outbox->snapshot != NULL ||
            journal_size(outbox->journal) < outbox->tidy_at)
                return;
        outbox->snapshot = malloc(vigie_size());
        if (outbox->snapshot == NULL)
                return;
        memcpy(outbox->snapshot, outbox->options.vigie, vigie_size());
        if (journal_compact(outbox->journal, &compaction) < 0) {
                free(outbox->snapshot);
                outbox->snapshot = NULL;
        }
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

static int replay(void *user, const struct entry *entry)
{
        struct outbox *outbox = user;
        int r = vigie_restore(outbox->options.vigie, entry->payload, entry->payload_len);

        if (r < 0)
                log_warn("journal", "record %llu is skipped: %s", (unsigned long long)entry->sequence, strerror(-r));
        return 0;
}

/* The core runs already: what presses this file holds cannot be given to it. */
static int refuse(void *user, const struct entry *entry)
{
        return -EEXIST;
}

static int open_file(struct outbox *outbox)
{
        struct journal_options options = { .path = outbox->options.path,
                                           .owner = { 'H', 'S', 'E', 'T' },
                                           .chunk = OUTBOX_CHUNK,
                                           .size_max = OUTBOX_SIZE_MAX,
                                           .loop = outbox->options.loop,
                                           .user = outbox,
                                           .replay = outbox->started ? refuse : replay,
                                           .synced = on_synced,
                                           .failed = on_failed,
                                           .state = on_state,
                                           .calls = outbox->options.calls };
        struct journal_report report;
        int r = journal_open(&options, &outbox->journal, &report);

        if (r < 0)
                return r;
        if (report.torn_octets > 0)
                log_warn("journal", "%llu torn octets were cut off", (unsigned long long)report.torn_octets);
        outbox->tidy_at = journal_size(outbox->journal) + OUTBOX_GROWN;
        return 0;
}

static void put_aside(const struct outbox *outbox)
{
        char aside[4096];

        log_error("journal", "%s is no journal; it is kept as %s.bad", outbox->options.path, outbox->options.path);
        snprintf(aside, sizeof(aside), "%s.bad", outbox->options.path);
        if (rename(outbox->options.path, aside) < 0)
                log_error("journal", "%s: %s", aside, strerror(errno));
}

/* Told from the loop, never from within outbox_open; and tried again. */
static void on_later(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct outbox *outbox = timer->user;

        if (!outbox->started) {
                outbox->started = true;
                tell(outbox, 0, false);
        } else if (open_file(outbox) == 0) {
                log_info("journal", "open");
                tell(outbox, 0, true);
                return;
        }
        loop_timer_arm(outbox->options.loop, timer, now_mono_ms + OUTBOX_RETRY_MS);
}

int outbox_open(const struct outbox_options *options, struct outbox **ret_outbox)
{
        struct outbox *outbox = calloc(1, sizeof(*outbox));
        int r;

        if (outbox == NULL)
                return -ENOMEM;
        outbox->options = *options;
        wheel_timer_init(&outbox->later, on_later, outbox);
        r = open_file(outbox);
        if (r == -EBADMSG) {
                put_aside(outbox);
                r = open_file(outbox);
        }
        if (r == -EWOULDBLOCK || r == -ENOMEM) {
                free(outbox);
                return r;
        }
        if (r < 0) {
                log_error("journal", "%s: %s; presses leave, and will not survive a restart", options->path,
                          strerror(-r));
                loop_timer_arm(options->loop, &outbox->later, clock_mono_ms());
        }
        outbox->started |= r == 0;
        *ret_outbox = outbox;
        return 0;
}

void outbox_close(struct outbox *outbox)
{
        if (outbox == NULL)
                return;
        outbox->options.synced = NULL;
        loop_timer_cancel(outbox->options.loop, &outbox->later);
        journal_close(outbox->journal);
        free(outbox);
}
