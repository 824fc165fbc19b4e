/* The simulator's short run: every tape in tests/sim/seeds, some seeds, and the same run twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>

#include "tests/sim/everywhere.h"
#include "tests/sim/shrink.h"

#define SEEDS            60 /* some 5 s with sanitizers on the slowest machine we have */
#define EVERY_TICK_SEEDS 6
#define KILL_STRIDE      7

static void must_hold(const struct plan *plan, const char *name)
{
        struct outcome outcome;

        outcome_of(plan, NULL, &outcome);
        if (outcome.failed)
                fail_msg("%s, seed %llu: %s: %s", name, (unsigned long long)plan->seed, outcome.which, outcome.what);
}

static void test_seeds(void **state)
{
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
                struct plan plan;

                plan_draw(&plan, seed);
                must_hold(&plan, "drawn");
        }
}

/* Every run that ever failed, as it was. */
static void test_tapes(void **state)
{
        DIR *folder = opendir("tests/sim/seeds");
        struct dirent *entry;
        char path[320];
        unsigned line, count = 0;

        assert_non_null(folder);
        while ((entry = readdir(folder)) != NULL) {
                struct plan plan;
                FILE *from;

                if (strstr(entry->d_name, ".tape") == NULL)
                        continue;
                snprintf(path, sizeof(path), "tests/sim/seeds/%s", entry->d_name);
                from = fopen(path, "r");
                assert_non_null(from);
                if (plan_read(from, &plan, &line) < 0)
                        fail_msg("%s:%u cannot be read", path, line);
                fclose(from);
                must_hold(&plan, entry->d_name);
                count++;
        }
        closedir(folder);
        assert_true(count > 0);
}

static void test_same_seed_same_run(void **state)
{
        struct plan plan;
        struct outcome one, two;

        plan_draw(&plan, 4711);
        outcome_of(&plan, NULL, &one);
        outcome_of(&plan, NULL, &two);
        assert_true(one.hash == two.hash && one.happened == two.happened);
        plan_draw(&plan, 4712);
        outcome_of(&plan, NULL, &two);
        assert_true(one.hash != two.hash);
}

/* A tick that core_due_ms does not ask for does nothing: without those the run is the same. */
static void test_ticks_left_out_do_nothing(void **state)
{
        for (uint64_t seed = 1; seed <= EVERY_TICK_SEEDS; seed++) {
                struct plan plan;
                struct outcome one, two;

                plan_draw(&plan, seed);
                outcome_of(&plan, NULL, &one);
                plan.every_tick = true;
                outcome_of(&plan, NULL, &two);
                if (one.hash != two.hash)
                        fail_msg("seed %llu", (unsigned long long)seed);
        }
}

static void must_survive(void *user, const struct plan *plan, const struct outcome *outcome)
{
        const struct plan_order *kill = &plan->orders[plan->count - 1];

        if (outcome->failed)
                fail_msg("%s %u at its action %lld, power %lld: %s: %s", plan_order_name(kill->kind), kill->who,
                         (long long)kill->a, (long long)kill->b, outcome->which, outcome->what);
}

/* Somebody dies between two actions, at one boundary after the other (vigie-sim --kill-everywhere 1: at each). */
static void test_killed_everywhere(void **state)
{
        struct everywhere how = { .first = 1, .stride = KILL_STRIDE, .fn = must_survive };
        struct plan plan;
        size_t runs;

        everywhere_plan(&plan);
        assert_int_equal(everywhere_run(&plan, &how, &runs), 0);
        assert_true(runs > 12 * 5);
}

/* A plan comes back from its tape as it was; what is no tape is refused, with the line. */
static void test_tape_format(void **state)
{
        struct plan plan, again;
        unsigned line;
        FILE *tape = tmpfile();

        assert_non_null(tape);
        plan_draw(&plan, 12);
        plan_write(&plan, tape);
        rewind(tape);
        assert_int_equal(plan_read(tape, &again, &line), 0);
        assert_memory_equal(plan.rates, again.rates, sizeof(plan.rates));
        assert_int_equal(plan.count, again.count);
        for (size_t i = 0; i < plan.count; i++)
                assert_int_equal(plan.orders[i].at_ms, again.orders[i].at_ms);
        fputs("at noon press 0 0 0\n", tape);
        rewind(tape);
        assert_int_equal(plan_read(tape, &again, &line), -EBADMSG);
        assert_int_equal(line, 1 + RATE_END + plan.count + 1);
        fclose(tape);
}

/* A disk that loses what was not synced: the entries before it are read, and no half of one. */
static void count_entry(void *user, const struct entry *entry)
{
        assert_int_equal(entry->payload_len, 300);
        ++*(unsigned *)user;
}

static void test_disk_forgets(void **state)
{
        uint8_t payload[300];
        uint64_t chance = 5;
        struct disk disk = { 0 };
        unsigned count = 0;

        memset(payload, 7, sizeof(payload));
        assert_false(disk_open(&disk, "TEST", count_entry, &count));
        for (unsigned i = 0; i < 10; i++)
                disk_append(&disk, payload, sizeof(payload));
        disk_sync(&disk, 4);
        disk_power_cut(&disk, &chance, 1000);
        (void)disk_open(&disk, "TEST", count_entry, &count);
        assert_int_equal(count, 4);
        assert_int_equal(disk.entries, 4);
        disk_free(&disk);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_seeds),
                cmocka_unit_test(test_tapes),
                cmocka_unit_test(test_same_seed_same_run),
                cmocka_unit_test(test_ticks_left_out_do_nothing),
                cmocka_unit_test(test_killed_everywhere),
                cmocka_unit_test(test_tape_format),
                cmocka_unit_test(test_disk_forgets),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
