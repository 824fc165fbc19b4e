/* vigie-sim: run seeds, say what failed and how to see it again.
 *
 *      vigie-sim [--from SEED] [--seeds N | --alerts N] [--jobs N] [--keep FOLDER]
 *                                                            by N processes; with --alerts until that many were simulated,
 *                                                            of storms (plan.h) where --from does not say else;
 *                                                            each failing seed is shrunk, drawn and (--keep) kept as a tape
 *      vigie-sim --kill-everywhere STRIDE [--tape FILE] [--keep FOLDER]
 *                                                            a short run, with somebody killed at each STRIDE-th action boundary
 *      vigie-sim --trace FILE [--from SEED] [--seeds N]      what the store was asked, for tests/sim/redis_test
 *      vigie-sim --tape FILE                                 one tape, drawn
 *      vigie-sim --failures [--seeds N]                      only say which seeds fail: "SEED INVARIANT" a line
 *      vigie-sim --until-failure [--skip SEED,SEED...]       stop at the first; prints "caught SEEDS INVARIANT" (for mutants) */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "tests/sim/everywhere.h"
#include "tests/sim/jobs.h"

#define FAILED_MAX 3 /* so many failing seeds are made small and drawn; of more only the line stands */
#define PROGRESS_S 20

struct options {
        uint64_t from, seeds, alerts;
        unsigned jobs, stride; /* stride: 0 not killed everywhere */
        const char *keep, *tape, *skip, *trace;
        bool until_failure, failures, hash, every_tick;
};

static double now_s(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void draw(const struct plan *plan, size_t lines)
{
        struct chart *chart = chart_new();
        struct outcome outcome;

        outcome_of(plan, chart, &outcome);
        chart_print(chart, lines, stdout);
        printf("%s: %s\n", outcome.failed ? outcome.which : "good", outcome.failed ? outcome.what : "nothing failed");
        chart_free(chart);
}

static void keep_tape(const struct plan *plan, const struct outcome *outcome, const char *folder)
{
        char path[512];
        FILE *to;

        snprintf(path, sizeof(path), "%s/%s-%" PRIu64 ".tape", folder, outcome->which, plan->seed);
        to = fopen(path, "w");
        if (to == NULL) {
                fprintf(stderr, "%s: %s\n", path, strerror(errno));
                return;
        }
        fprintf(to, "# %s\n", outcome->what);
        plan_write(plan, to);
        fclose(to);
        printf("kept as %s\n", path);
}

static void tell_failure(uint64_t seed, const struct options *options)
{
        struct plan *plan = malloc(sizeof(*plan));
        struct outcome outcome;

        plan_draw(plan, seed);
        outcome_of(plan, NULL, &outcome);
        printf("\nseed %" PRIu64 " FAILED, %s: %s\n", seed, outcome.which, outcome.what);
        printf("again: make sim SEEDS=1 SEED_FROM=%" PRIu64 "\n", seed);
        shrink(plan, &outcome, 400);
        plan_write(plan, stdout);
        draw(plan, 80);
        if (options->keep != NULL)
                keep_tape(plan, &outcome, options->keep);
        fflush(stdout);
        free(plan);
}

/* Returns 0, or -1 with a word on stderr. */
static int read_tape(const char *path, struct plan *ret_plan)
{
        FILE *from = fopen(path, "r");
        unsigned line;
        int r;

        if (from == NULL) {
                fprintf(stderr, "%s: %s\n", path, strerror(errno));
                return -1;
        }
        r = plan_read(from, ret_plan, &line);
        fclose(from);
        if (r < 0)
                fprintf(stderr, "%s:%u: cannot be read\n", path, line);
        return r < 0 ? -1 : 0;
}

static int play_tape(const char *path)
{
        struct plan *plan = malloc(sizeof(*plan));
        struct outcome outcome;

        if (read_tape(path, plan) < 0) {
                free(plan);
                return 2;
        }
        draw(plan, SIZE_MAX);
        outcome_of(plan, NULL, &outcome);
        printf("hash %016" PRIx64 "\n", outcome.hash);
        free(plan);
        return outcome.failed;
}

static bool is_skipped(const struct options *options, uint64_t seed)
{
        char text[24];
        const char *at = options->skip;

        snprintf(text, sizeof(text), "%" PRIu64, seed);
        while (at != NULL && (at = strstr(at, text)) != NULL) {
                if ((at == options->skip || at[-1] == ',') && (at[strlen(text)] == ',' || at[strlen(text)] == '\0'))
                        return true;
                at++;
        }
        return false;
}

/* What all seeds together came to. */
/* From so many seeds on it is a failure when something rare was never met. */
#define MARKS_SEEDS 3000

struct total {
        const struct options *options;
        uint64_t ran, alerts, happened, failures, hash, marks[MARK_END];
        uint64_t failed[FAILED_MAX]; /* the first */
        double start_s, told_s;
        bool caught;
};

static double cpu_s(void)
{
        struct rusage self, children;
        double s;

        getrusage(RUSAGE_SELF, &self);
        getrusage(RUSAGE_CHILDREN, &children);
        s = (double)(self.ru_utime.tv_sec + self.ru_stime.tv_sec + children.ru_utime.tv_sec + children.ru_stime.tv_sec);
        return s + 1e-6 * (double)(self.ru_utime.tv_usec + self.ru_stime.tv_usec + children.ru_utime.tv_usec +
                                   children.ru_stime.tv_usec);
}

static bool add(void *user, uint64_t seed, const struct outcome *outcome)
{
        struct total *total = user;
        const struct options *options = total->options;

        if (is_skipped(options, seed))
                return true;
        total->ran++;
        total->alerts += outcome->alerts;
        total->happened += outcome->happened;
        total->hash = total->hash * 31 + outcome->hash;
        for (unsigned m = 0; m < MARK_END; m++)
                total->marks[m] += outcome->marks[m] > 0;
        if (options->hash)
                printf("%" PRIu64 " %016" PRIx64 "\n", seed, outcome->hash);
        if (now_s() - total->told_s > PROGRESS_S && !options->failures && !options->until_failure) {
                total->told_s = now_s();
                printf("... %.0f s, up to seed %" PRIu64 ": %" PRIu64 " alerts, %" PRIu64 " events, %" PRIu64
                       " failed\n",
                       total->told_s - total->start_s, seed, total->alerts, total->happened, total->failures);
                fflush(stdout);
        }
        if (!outcome->failed)
                return true;
        if (options->until_failure)
                printf("caught %" PRIu64 " %s\n", total->ran, outcome->which);
        else if (options->failures)
                printf("%" PRIu64 " %s %s\n", seed, outcome->which, outcome->what);
        else
                printf("seed %" PRIu64 " FAILED, %s: %s\n", seed, outcome->which, outcome->what);
        fflush(stdout);
        if (total->failures < FAILED_MAX)
                total->failed[total->failures] = seed;
        total->failures++;
        return !options->until_failure;
}

static void tell_total(const struct total *total)
{
        double took_s = now_s() - total->start_s, used_s = cpu_s();

        printf("sometimes, in so many of %" PRIu64 " seeds:\n", total->ran);
        for (unsigned m = 0; m < MARK_END; m++)
                printf("%8" PRIu64 "  %s%s\n", total->marks[m], sim_mark_name(m),
                       total->marks[m] == 0 ? "   NEVER" : "");
        printf("%" PRIu64 " seeds, %" PRIu64 " alerts, %" PRIu64
               " events in %.1f s: %.0f alerts/s, %.0f events/s; a core: %.0f "
               "alerts/s, %.0f events/s\n",
               total->ran, total->alerts, total->happened, took_s, (double)total->alerts / took_s,
               (double)total->happened / took_s, (double)total->alerts / used_s, (double)total->happened / used_s);
        printf("hash %016" PRIx64 "; %" PRIu64 " failed\n", total->hash, total->failures);
        fflush(stdout);
}

/* In so many seeds all that is to be met now and then is met: the rarest was seen in one of some 300. */
static bool has_unmet(const struct total *total)
{
        for (unsigned m = 0; m < MARK_END && total->ran >= MARKS_SEEDS; m++)
                if (total->marks[m] == 0)
                        return true;
        return false;
}

static int run(const struct options *options)
{
        struct total total = { .options = options, .start_s = now_s(), .told_s = now_s() };
        struct jobs jobs = { .from = options->from,
                             .seeds = options->seeds,
                             .alerts = options->alerts,
                             .count = options->until_failure ? 1 : options->jobs,
                             .every_tick = options->every_tick,
                             .fn = add,
                             .user = &total };
        int r = jobs_run(&jobs);

        if (r < 0)
                fprintf(stderr, "vigie-sim: %s\n", r == -EPIPE ? "a process died" : strerror(-r));
        if (options->failures || options->until_failure)
                return r < 0 || total.failures > 0;
        tell_total(&total);
        for (uint64_t i = 0; i < total.failures && i < FAILED_MAX; i++)
                tell_failure(total.failed[i], options);
        return r < 0 || total.failures > 0 || has_unmet(&total);
}

/* One more death that is not survived. */
static void tell_killed(void *user, const struct plan *plan, const struct outcome *outcome)
{
        const struct options *options = user;
        const struct plan_order *kill = &plan->orders[plan->count - 1];

        if (!outcome->failed)
                return;
        printf("%s %u at its action %" PRId64 "%s: %s: %s\n", plan_order_name(kill->kind), kill->who, kill->a,
               kill->b ? ", and its power gone" : "", outcome->which, outcome->what);
        if (options->keep != NULL)
                keep_tape(plan, outcome, options->keep);
        fflush(stdout);
}

static int kill_everywhere(const struct options *options)
{
        struct everywhere how = { .first = 1, .stride = options->stride, .fn = tell_killed, .user = (void *)options };
        struct plan *plan = malloc(sizeof(*plan));
        size_t runs, failed;

        everywhere_plan(plan);
        if (options->tape != NULL && read_tape(options->tape, plan) < 0) {
                free(plan);
                return 2;
        }
        failed = everywhere_run(plan, &how, &runs);
        printf("killed at %zu action boundaries, each in a run of its own: %zu failed\n", runs, failed);
        free(plan);
        return failed > 0;
}

/* What the store was asked in each seed, one after the other; each begins with "begin". */
static int trace(const struct options *options)
{
        struct plan *plan = malloc(sizeof(*plan));
        struct outcome outcome;
        FILE *to = fopen(options->trace, "w");

        if (to == NULL) {
                fprintf(stderr, "%s: %s\n", options->trace, strerror(errno));
                free(plan);
                return 2;
        }
        for (uint64_t i = 0; i < options->seeds; i++) {
                plan_draw(plan, options->from + i);
                plan->trace = to;
                fprintf(to, "begin %" PRIu64 "\n", plan->seed);
                outcome_of(plan, NULL, &outcome);
        }
        free(plan);
        return fclose(to) == 0 ? 0 : 2;
}

int main(int argc, char **argv)
{
        struct options options = { .seeds = 100, .jobs = 1 };

        for (int i = 1; i < argc; i++) {
                const char *value = i + 1 < argc ? argv[i + 1] : "";

                if (strcmp(argv[i], "--until-failure") == 0)
                        options.until_failure = true;
                else if (strcmp(argv[i], "--failures") == 0)
                        options.failures = true;
                else if (strcmp(argv[i], "--skip") == 0)
                        options.skip = value, i++;
                else if (strcmp(argv[i], "--hash") == 0)
                        options.hash = true;
                else if (strcmp(argv[i], "--every-tick") == 0)
                        options.every_tick = true;
                else if (strcmp(argv[i], "--from") == 0)
                        options.from = strtoull(value, NULL, 10), i++;
                else if (strcmp(argv[i], "--seeds") == 0)
                        options.seeds = strtoull(value, NULL, 10), i++;
                else if (strcmp(argv[i], "--kill-everywhere") == 0)
                        options.stride = (unsigned)strtoul(value, NULL, 10), i++;
                else if (strcmp(argv[i], "--trace") == 0)
                        options.trace = value, i++;
                else if (strcmp(argv[i], "--alerts") == 0)
                        options.alerts = strtoull(value, NULL, 10), i++;
                else if (strcmp(argv[i], "--jobs") == 0)
                        options.jobs = (unsigned)strtoul(value, NULL, 10), i++;
                else if (strcmp(argv[i], "--keep") == 0)
                        options.keep = value, i++;
                else if (strcmp(argv[i], "--tape") == 0)
                        options.tape = value, i++;
                else {
                        fprintf(stderr, "vigie-sim: %s is no option; see tests/sim/main.c\n", argv[i]);
                        return 2;
                }
        }
        if (options.from == 0)
                options.from = options.alerts > 0 ? PLAN_STORM_FROM : 1;
        if (options.jobs < 1 || options.jobs > JOBS_MAX) {
                fprintf(stderr, "vigie-sim: --jobs 1..%d\n", JOBS_MAX);
                return 2;
        }
        if (options.alerts > 0) /* as many seeds as that takes */
                options.seeds = UINT64_MAX - options.from;
        if (options.stride > 0)
                return kill_everywhere(&options);
        if (options.trace != NULL)
                return trace(&options);
        return options.tape != NULL ? play_tape(options.tape) : run(&options);
}
