/* The journal as the core sees it: APPEND and SYNCED, a full disk, compaction. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/run_inside.h"

/* The size is looked at that often; compaction begins at half of what is allowed, or when the disk is getting full. */
#define KEEP_LOOK_MS         1000
/* No compaction below this: rewriting a few events gains nothing. */
#define KEEP_COMPACT_MIN     (1024 * 1024)
/* After a compaction, one that came to nothing too: it rewrites all that is kept. */
#define KEEP_COMPACT_REST_MS 10000

static int on_replay(void *user, const struct entry *entry)
{
        struct run *run = user;
        int r = core_replay(run->core, (struct cbor_span){ entry->payload, entry->payload_len });

        if (r == -EBADMSG) { /* written whole, and not ours: nothing to do with it but say so */
                log_error("journal", "entry %llu cannot be read", (unsigned long long)entry->sequence);
                run->entries_bad++;
                return 0;
        }
        return r;
}

static void on_synced(void *user, uint64_t up_to)
{
        struct run *run = user;
        struct core_event event = { .kind = CORE_SYNCED };
        int64_t now_us = clock_mono_us();

        if (run->closing || run->result != 0)
                return;
        while (run->appended_count > 0 && run->appended[run->appended_first].seq <= up_to) {
                struct appended *done = &run->appended[run->appended_first];

                event.u.synced.up_to = done->number;
                histogram_add(&run->sync, now_us - done->mono_us);
                run->appended_first = (run->appended_first + 1) % run->appended_room;
                run->appended_count--;
        }
        if (event.u.synced.up_to != 0)
                run_tell(run, &event);
}

static void tell_disk(struct run *run, bool up)
{
        struct core_event event = { .kind = CORE_DISK };

        event.u.state.up = up;
        run_tell(run, &event);
}

static void on_state(void *user, enum journal_state state)
{
        struct run *run = user;

        log_warn("journal", "%s",
                 state == JOURNAL_GOOD  ? "room again"
                 : state == JOURNAL_LOW ? "disk nearly full"
                                        : "disk full");
        keep_look(run);
}

/* let_go: an event that found no room goes on without the journal, after those before it are durable. */
static void let_go(struct run *run)
{
        struct core_event event = { .kind = CORE_SYNCED };

        event.u.synced.up_to = run->refused;
        run->refused = 0;
        if (journal_sync_now(run->journal) == 0)
                run_tell(run, &event);
}

/* look_at_disk: tell the core and the handsets what became of the disk.  Not from within the core's actions. */
static void look_at_disk(struct run *run)
{
        bool away = journal_state(run->journal) == JOURNAL_FULL;

        if (away != run->disk_away) {
                run->disk_away = away;
                tell_disk(run, !away);
                if (away)
                        run_off_duty(run, OFF_DISK);
                else
                        run_on_duty(run, OFF_DISK);
        }
        if (run->refused != 0)
                let_go(run);
}

/* One compaction.  keep_entry runs on the journal's thread, and sees the core's snapshot alone. */
struct compaction {
        struct run *run;
        struct core_keep *keep;
};

static bool keep_entry(void *user, const struct entry *entry)
{
        const struct compaction *compaction = user;

        return core_keep(compaction->keep, (struct cbor_span){ entry->payload, entry->payload_len });
}

static void on_compacted(void *user, int result)
{
        struct compaction *compaction = user;
        struct run *run = compaction->run;

        core_keep_free(compaction->keep);
        free(compaction);
        run->compacting = false;
        if (result == 0)
                log_info("journal", "compacted to %llu octets", (unsigned long long)journal_size(run->journal));
        else if (result != -ECANCELED)
                log_error("journal", "compaction: %s", strerror(-result));
}

static void compact(struct run *run)
{
        struct compaction *compaction = calloc(1, sizeof(*compaction));
        int r = compaction != NULL ? core_keep_new(run->core, &compaction->keep) : -ENOMEM;

        if (r == 0) {
                compaction->run = run;
                r = journal_compact(run->journal, &(struct journal_compaction){ keep_entry, on_compacted, compaction });
        }
        run->compacting = r == 0;
        run->compact_after_mono_ms = clock_mono_ms() + KEEP_COMPACT_REST_MS;
        if (r < 0) {
                if (compaction != NULL)
                        core_keep_free(compaction->keep);
                free(compaction);
                log_error("journal", "compaction: %s", strerror(-r));
        }
}

static void on_look(struct wheel_timer *timer, int64_t now_mono_ms)
{
        keep_look(timer->user);
}

void keep_look(struct run *run)
{
        uint64_t size = journal_size(run->journal);
        uint64_t limit = (uint64_t)run->options.config->journal_mib * 1024 * 1024 / 2;
        bool wanted = size > limit || journal_state(run->journal) != JOURNAL_GOOD;

        run->journal_octets = (int64_t)size;
        if (!run->compacting && wanted && size > KEEP_COMPACT_MIN && clock_mono_ms() >= run->compact_after_mono_ms)
                compact(run);
        if (run->acting) /* an append failed just now */
                loop_timer_arm(run->options.loop, &run->keep, clock_mono_ms());
        else {
                loop_timer_arm(run->options.loop, &run->keep, clock_mono_ms() + KEEP_LOOK_MS);
                look_at_disk(run);
        }
}

int keep_open(struct run *run)
{
        const struct config *c = run->options.config;
        struct journal_report report;
        int r;

        wheel_timer_init(&run->keep, on_look, run);
        r = journal_open(&(struct journal_options){ .path = c->journal_path,
                                                    .owner = { 'D', 'I', 'S', 'P' },
                                                    .size_max = (uint64_t)c->journal_mib * 1024 * 1024,
                                                    .loop = run->options.loop,
                                                    .user = run,
                                                    .replay = on_replay,
                                                    .synced = on_synced,
                                                    .state = on_state },
                         &run->journal, &report);
        if (r < 0) {
                log_error("journal", "%s: %s", c->journal_path,
                          r == -EWOULDBLOCK ? "another process has it" : strerror(-r));
                return r;
        }
        log_info("journal", "%llu events replayed, %llu torn octets put aside", (unsigned long long)report.entries,
                 (unsigned long long)report.torn_octets);
        run_act(run);
        keep_look(run);
        return 0;
}

static bool make_room(struct run *run)
{
        size_t room = run->appended_room * 2 + 256;
        struct appended *more = calloc(room, sizeof(*more));

        if (more == NULL)
                return false;
        for (size_t i = 0; i < run->appended_count; i++)
                more[i] = run->appended[(run->appended_first + i) % run->appended_room];
        free(run->appended);
        run->appended = more;
        run->appended_room = room;
        run->appended_first = 0;
        return true;
}

void keep_append(struct run *run, uint64_t number, struct cbor_span bytes)
{
        struct appended *last;
        uint64_t seq;
        int r = run->appended_count < run->appended_room || make_room(run) ? 0 : -ENOMEM;

        assert(run->journal != NULL); /* nothing happens before it is replayed */
        if (r == 0 && (r = journal_append(run->journal, bytes.at, bytes.len, &seq)) == -ENOBUFS) {
                journal_sync_now(run->journal); /* the disk is behind: everything waits for it, on purpose */
                r = journal_append(run->journal, bytes.at, bytes.len, &seq);
        }
        if (r < 0) {
                log_error("journal", "an event is not written: %s", strerror(-r));
                if (r != -ENOSPC) { /* no full disk, which the core is told of: no receipt may leave */
                        run_stop(run, r);
                        return;
                }
                run->refused = number;
                loop_timer_arm(run->options.loop, &run->keep, clock_mono_ms()); /* tells the core that it is full */
                return;
        }
        last = &run->appended[(run->appended_first + run->appended_count++) % run->appended_room];
        *last = (struct appended){ seq, number, clock_mono_us() };
}

void keep_close(struct run *run)
{
        loop_timer_cancel(run->options.loop, &run->keep);
        journal_close(run->journal);
        run->journal = NULL;
        free(run->appended);
        run->appended = NULL;
        run->appended_count = run->appended_room = 0;
}
