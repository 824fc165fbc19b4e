/* vigie-sim: run seeds, say what failed and how to see it again.
 *
 *      vigie-sim [--from SEED] [--seeds N] [--keep FOLDER]   each failing seed is shrunk, drawn and (--keep) kept as a tape
 *      vigie-sim --tape FILE                                 one tape, drawn
 *      vigie-sim --failures [--seeds N]                      only say which seeds fail: "SEED INVARIANT" a line
 *      vigie-sim --until-failure [--skip SEED,SEED...]       stop at the first; prints "caught SEEDS INVARIANT" (for mutants) */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/sim/shrink.h"

struct options {
        uint64_t from, seeds;
        const char *keep, *tape, *skip;
        bool until_failure, failures, hash;
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

static void tell_failure(struct plan *plan, const struct outcome *outcome, const struct options *options)
{
        printf("\nseed %" PRIu64 " FAILED, %s: %s\n", plan->seed, outcome->which, outcome->what);
        printf("again: make sim SEEDS=1 SEED_FROM=%" PRIu64 "\n", plan->seed);
        shrink(plan, outcome, 400);
        plan_write(plan, stdout);
        draw(plan, 80);
        if (options->keep != NULL)
                keep_tape(plan, outcome, options->keep);
        fflush(stdout);
}

static int play_tape(const char *path)
{
        FILE *from = fopen(path, "r");
        struct plan plan;
        struct outcome outcome;
        unsigned line;
        int r;

        if (from == NULL) {
                fprintf(stderr, "%s: %s\n", path, strerror(errno));
                return 2;
        }
        r = plan_read(from, &plan, &line);
        fclose(from);
        if (r < 0) {
                fprintf(stderr, "%s:%u: cannot be read\n", path, line);
                return 2;
        }
        draw(&plan, SIZE_MAX);
        outcome_of(&plan, NULL, &outcome);
        printf("hash %016" PRIx64 "\n", outcome.hash);
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

static int run(const struct options *options)
{
        uint64_t alerts = 0, happened = 0, failures = 0, hash = 0, marks[MARK_END] = { 0 }, ran = 0;
        double start_s = now_s(), took_s;

        for (uint64_t i = 0; i < options->seeds; i++) {
                struct plan plan;
                struct outcome outcome;

                if (is_skipped(options, options->from + i))
                        continue;
                plan_draw(&plan, options->from + i);
                outcome_of(&plan, NULL, &outcome);
                ran++;
                alerts += outcome.alerts;
                happened += outcome.happened;
                hash = hash * 31 + outcome.hash;
                for (unsigned m = 0; m < MARK_END; m++)
                        marks[m] += outcome.marks[m] > 0;
                if (options->hash)
                        printf("%" PRIu64 " %016" PRIx64 "\n", plan.seed, outcome.hash);
                if (outcome.failed && options->until_failure) {
                        printf("caught %" PRIu64 " %s\n", ran, outcome.which);
                        return 1;
                }
                failures += outcome.failed;
                if (outcome.failed && options->failures)
                        printf("%" PRIu64 " %s\n", plan.seed, outcome.which);
                else if (outcome.failed) {
                        tell_failure(&plan, &outcome, options);
                }
        }
        if (options->failures)
                return failures > 0;
        took_s = now_s() - start_s;
        printf("sometimes, in so many of %" PRIu64 " seeds:\n", ran);
        for (unsigned m = 0; m < MARK_END; m++)
                printf("%8" PRIu64 "  %s%s\n", marks[m], sim_mark_name(m), marks[m] == 0 ? "   NEVER" : "");
        printf("%" PRIu64 " seeds, %" PRIu64 " alerts, %" PRIu64
               " events in %.1f s: %.0f alerts/s, %.0f events/s; hash %016" PRIx64 "; %" PRIu64 " failed\n",
               ran, alerts, happened, took_s, (double)alerts / took_s, (double)happened / took_s, hash, failures);
        return failures > 0;
}

int main(int argc, char **argv)
{
        struct options options = { .from = 1, .seeds = 100 };

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
                else if (strcmp(argv[i], "--from") == 0)
                        options.from = strtoull(value, NULL, 10), i++;
                else if (strcmp(argv[i], "--seeds") == 0)
                        options.seeds = strtoull(value, NULL, 10), i++;
                else if (strcmp(argv[i], "--keep") == 0)
                        options.keep = value, i++;
                else if (strcmp(argv[i], "--tape") == 0)
                        options.tape = value, i++;
                else {
                        fprintf(stderr, "vigie-sim: %s is no option; see tests/sim/main.c\n", argv[i]);
                        return 2;
                }
        }
        return options.tape != NULL ? play_tape(options.tape) : run(&options);
}
