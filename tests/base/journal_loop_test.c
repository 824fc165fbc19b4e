/* The journal with its own thread: group commit, order of what is told, failures, compaction under load, kill -9. */
#include "tests/base/journal_support.h"

#include <signal.h>
#include <sys/wait.h>
#include <sysexits.h>

#include "base/loop.h"

/* Bound for waiting: far more than it takes; reached only by a bug. */
#define PATIENCE_MS 30000

struct bench {
        struct loop *loop;
        struct journal *journal;
        struct owner *owner;
        struct wheel_timer patience, pulse;
        bool (*until)(struct bench *bench);
        uint64_t given, wanted;
        int report_fd;
};

static void synced(void *user, uint64_t up_to)
{
        struct owner *owner = user;

        assert_true(up_to > owner->synced);
        assert_int_equal(owner->failed_calls, 0);
        owner->synced = up_to;
}

static void failed(void *user, int error)
{
        struct owner *owner = user;

        owner->failed = error;
        owner->failed_calls++;
}

static void state_changed(void *user, enum journal_state state)
{
        struct owner *owner = user;

        owner->state = state;
        owner->state_calls++;
}

static void out_of_patience(struct wheel_timer *timer, int64_t now_mono_ms)
{
        fail_msg("waited for nothing");
}

static void pulse(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct bench *bench = timer->user;

        if (bench->until(bench))
                loop_stop(bench->loop);
        else
                loop_timer_arm(bench->loop, timer, now_mono_ms + 1);
}

/* Run the loop until UNTIL says so, asking each ms. */
static void run_until(struct bench *bench, bool (*until)(struct bench *bench))
{
        bench->until = until;
        loop_timer_arm(bench->loop, &bench->patience, clock_mono_ms() + PATIENCE_MS);
        loop_timer_arm(bench->loop, &bench->pulse, clock_mono_ms());
        loop_run(bench->loop);
        loop_timer_cancel(bench->loop, &bench->patience);
}

static struct bench *bench_new(uint64_t size_max)
{
        struct bench *bench = calloc(1, sizeof(*bench));
        struct journal_options options;

        fault_set(FAULT_NONE, 0, 0);
        bench->owner = owner_new();
        assert_int_equal(loop_open(&bench->loop), 0);
        wheel_timer_init(&bench->patience, out_of_patience, bench);
        wheel_timer_init(&bench->pulse, pulse, bench);
        options = owner_options(bench->owner);
        options.loop = bench->loop;
        options.size_max = size_max;
        options.synced = synced;
        options.failed = failed;
        options.state = state_changed;
        options.calls = &fault_calls;
        assert_int_equal(journal_open(&options, &bench->journal, NULL), 0);
        return bench;
}

static void bench_close(struct bench *bench)
{
        journal_close(bench->journal);
        assert_int_equal(loop_close(bench->loop), 0);
        free(bench);
}

static bool all_synced(struct bench *bench)
{
        return bench->owner->synced == bench->given;
}

/* Append as fast as the buffer takes them, until as many as wanted are synced. */
static bool flooded(struct bench *bench)
{
        while (bench->given < bench->wanted && append(bench->journal, bench->given, 200, &bench->given) == 0)
                ;
        assert_true(bench->owner->synced <= bench->given);
        return bench->owner->synced == bench->wanted;
}

static void all_is_synced_in_groups(void **state)
{
        struct bench *bench = bench_new(0);
        struct owner *owner = bench->owner;

        fault.slow = true;
        bench->wanted = 5000;
        run_until(bench, flooded);
        assert_true(fault.count < 1500); /* 2 and sometimes 3 calls a group: far fewer groups than entries */
        bench_close(bench);
        assert_int_equal(reread(owner).entries, 5000);
        for (size_t i = 0; i < 5000; i++)
                assert_int_equal(owner->value[i], i);
        owner_free(owner);
}

static void closing_drains_and_tells(void **state)
{
        struct bench *bench = bench_new(0);
        struct owner *owner = bench->owner;
        uint64_t seq;

        fault.slow = true;
        for (uint64_t i = 0; i < 50; i++)
                assert_int_equal(append(bench->journal, i, 100, &seq), 0);
        bench_close(bench);
        assert_int_equal(owner->synced, 50);
        assert_int_equal(reread(owner).entries, 50);
        owner_free(owner);
}

static void sync_now_waits(void **state)
{
        struct bench *bench = bench_new(0);
        struct owner *owner = bench->owner;
        uint64_t seq;

        fault.slow = true;
        for (uint64_t i = 0; i < 20; i++)
                assert_int_equal(append(bench->journal, i, 100, &bench->given), 0);
        assert_int_equal(journal_sync_now(bench->journal), 0);
        assert_int_equal(owner->synced, 0); /* that is told on the loop */
        run_until(bench, all_synced);
        fault_set(FAULT_ERROR, 2, EIO);
        assert_int_equal(append(bench->journal, 20, 100, &seq), 0);
        assert_int_equal(journal_sync_now(bench->journal), -EIO);
        bench_close(bench);
        owner_free(owner);
}

static bool has_failed(struct bench *bench)
{
        return bench->owner->failed_calls > 0;
}

/* Whichever call fails, and whether or not the next would succeed: told once, and nothing unsynced is told as
 * synced. */
static void a_failure_is_told_once(void **state)
{
        for (int at = 1; at <= 4; at++) { /* pwrite, fdatasync, and those of a second group */
                struct bench *bench = bench_new(0);
                struct owner *owner = bench->owner;
                uint64_t seq;

                fault_set(FAULT_ERROR, at, at % 2 == 0 ? EIO : ENOSPC);
                assert_int_equal(append(bench->journal, 1, 100, &bench->given), 0);
                if (at > 2)
                        run_until(bench, all_synced);
                assert_int_equal(append(bench->journal, 2, 100, &seq), 0);
                run_until(bench, has_failed);
                assert_int_equal(owner->failed, at % 2 == 0 ? -EIO : -ENOSPC);
                assert_int_equal(owner->synced, at > 2 ? 1 : 0);
                assert_int_equal(append(bench->journal, 3, 100, &seq), -EIO);
                assert_int_equal(journal_state(bench->journal), JOURNAL_FAILED);
                bench_close(bench);
                assert_int_equal(owner->failed_calls, 1);
                assert_int_equal(owner->synced, at > 2 ? 1 : 0);
                owner_free(owner);
        }
}

/* Without a failed callback the process ends at once, with EX_IOERR. */
static void by_default_the_process_ends(void **state)
{
        struct owner *owner = owner_new();
        pid_t child = fork();
        int status;

        if (child == 0) {
                struct journal_options options = owner_options(owner);
                struct journal *journal;
                struct loop *loop;
                uint64_t seq;

                close(STDERR_FILENO);
                fault_set(FAULT_NONE, 0, 0);
                options.calls = &fault_calls;
                if (loop_open(&loop) < 0)
                        _exit(1);
                options.loop = loop;
                if (journal_open(&options, &journal, NULL) < 0)
                        _exit(2);
                fault_set(FAULT_ERROR, 2, EIO);
                if (append(journal, 1, 100, &seq) < 0)
                        _exit(3);
                loop_run(loop);
                _exit(4);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), EX_IOERR);
        owner_free(owner);
}

static bool is_low(struct bench *bench)
{
        int r = bench->owner->state == JOURNAL_GOOD ? append(bench->journal, bench->given, 1000, &bench->given) : 0;

        assert_true(r == 0 || r == -ENOBUFS); /* a loaded machine's disk is behind */
        return bench->owner->state == JOURNAL_LOW;
}

static bool is_full(struct bench *bench)
{
        while (append(bench->journal, bench->given, 1000, &bench->given) == 0)
                ;
        return bench->owner->state == JOURNAL_FULL;
}

static bool is_good(struct bench *bench)
{
        return bench->owner->state == JOURNAL_GOOD;
}

static void the_state_is_told(void **state)
{
        struct bench *bench = bench_new(0);
        struct owner *owner = bench->owner;

        fault.full = true;
        run_until(bench, is_low);
        run_until(bench, is_full);
        fault.full = false;
        run_until(bench, is_good); /* the thread asks again by itself */
        assert_int_equal(append(bench->journal, bench->given, 1000, &bench->given), 0);
        run_until(bench, all_synced);
        bench_close(bench);
        owner_free(owner);
}

/* Keep appending until the compaction is done. */
static bool compacted(struct bench *bench)
{
        uint64_t given = bench->given;

        if (append(bench->journal, bench->given, 300, &given) == 0)
                bench->given = given;
        return bench->owner->done_calls > 0;
}

/* Compaction drops everything it is asked about; what is appended while it runs is neither asked about nor lost. */
static void compaction_loses_nothing_new(void **state)
{
        struct bench *bench = bench_new(64 * 1024 * 1024);
        struct owner *owner = bench->owner;
        struct journal_compaction compaction = { keep_none, note_done, owner };
        uint64_t before, given;

        bench->wanted = 20000;
        run_until(bench, flooded);
        for (int i = 0; i < 20; i++) /* queued, not yet in the file: asked about, and gone */
                assert_int_equal(append(bench->journal, bench->given, 300, &bench->given), 0);
        before = bench->given;
        assert_int_equal(journal_compact(bench->journal, &compaction), 0);
        assert_int_equal(journal_compact(bench->journal, &compaction), -EBUSY);
        run_until(bench, compacted);
        assert_int_equal(owner->done_result, 0);
        assert_true(bench->given > before);
        run_until(bench, all_synced);
        assert_true(journal_size(bench->journal) < 20000 * 232);
        given = bench->given;
        bench_close(bench);
        reread(owner);
        assert_int_equal(owner->count, given - before);
        for (size_t i = 0; i < owner->count; i++) {
                assert_int_equal(owner->sequence[i], before + 1 + i);
                assert_int_equal(owner->value[i], before + i);
        }
        owner_free(owner);
}

static void closing_drops_a_compaction(void **state)
{
        struct bench *bench = bench_new(64 * 1024 * 1024);
        struct owner *owner = bench->owner;
        struct journal_compaction compaction = { keep_all, note_done, owner };

        bench->wanted = 20000;
        run_until(bench, flooded);
        assert_int_equal(journal_compact(bench->journal, &compaction), 0);
        bench_close(bench);
        assert_int_equal(owner->done_calls, 1);
        assert_int_equal(owner->done_result, -ECANCELED);
        assert_int_equal(reread(owner).entries, 20000);
        owner_free(owner);
}

/* The child of the kill test: appends for ever, compacts now and then, and reports each synced number on a pipe. */
static void report_synced(void *user, uint64_t up_to)
{
        struct bench *bench = user;

        if (write(bench->report_fd, &up_to, sizeof(up_to)) != sizeof(up_to))
                _exit(1);
}

static bool for_ever(struct bench *bench)
{
        struct journal_compaction compaction = { keep_all, NULL, NULL };

        for (int i = 0; i < 20; i++)
                append(bench->journal, bench->given, 100, &bench->given);
        if (bench->given % 100 < 20)
                journal_compact(bench->journal, &compaction);
        return false;
}

static void live(struct owner *owner, int fd)
{
        struct bench bench = { .owner = owner, .report_fd = fd };
        struct journal_options options = owner_options(owner);
        struct journal_report report;

        if (loop_open(&bench.loop) < 0)
                _exit(1);
        wheel_timer_init(&bench.patience, out_of_patience, &bench);
        wheel_timer_init(&bench.pulse, pulse, &bench);
        options.loop = bench.loop;
        options.user = &bench;
        options.replay = NULL;
        options.synced = report_synced;
        options.size_max = 64 * 1024 * 1024;
        if (journal_open(&options, &bench.journal, &report) < 0)
                _exit(2);
        bench.given = report.last;
        run_until(&bench, for_ever);
}

static void what_was_told_survives_kill_9(void **state)
{
        struct owner *owner = owner_new();
        uint64_t told, highest = 0;

        for (int run = 0; run < 20; run++) {
                int ends[2], status;
                pid_t child;

                assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
                if ((child = fork()) == 0)
                        live(owner, ends[1]);
                close(ends[1]);
                for (int reports = 0; reports < 3 + run * 4; reports++) {
                        assert_int_equal(read(ends[0], &told, sizeof(told)), sizeof(told));
                        highest = told;
                }
                assert_int_equal(kill(child, SIGKILL), 0);
                assert_int_equal(waitpid(child, &status, 0), child);
                assert_true(WIFSIGNALED(status));
                while (read(ends[0], &told, sizeof(told)) == sizeof(told))
                        highest = told;
                close(ends[0]);
                reread(owner);
                assert_true(owner->count >= highest);
                for (size_t i = 0; i < owner->count; i++) {
                        assert_int_equal(owner->sequence[i], i + 1);
                        assert_int_equal(owner->value[i], i);
                }
        }
        owner_free(owner);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(all_is_synced_in_groups),
                cmocka_unit_test(closing_drains_and_tells),
                cmocka_unit_test(sync_now_waits),
                cmocka_unit_test(a_failure_is_told_once),
                cmocka_unit_test(by_default_the_process_ends),
                cmocka_unit_test(the_state_is_told),
                cmocka_unit_test(compaction_loses_nothing_new),
                cmocka_unit_test(closing_drops_a_compaction),
                cmocka_unit_test(what_was_told_survives_kill_9),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
