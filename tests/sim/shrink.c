#include "tests/sim/shrink.h"

#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#define SHRINK_S 15 /* of processor time: a busy plan has hundreds of orders */

/* An assert of a core ends the run, not the simulator; what that run held in memory is left behind. */
static sigjmp_buf aborted;

static void on_abort(int number)
{
        siglongjmp(aborted, 1);
}

void outcome_of(const struct plan *plan, struct chart *chart, struct outcome *ret_outcome)
{
        struct sigaction act = { .sa_handler = on_abort, .sa_flags = SA_NODEFER }, before;
        struct sim *sim;

        memset(ret_outcome, 0, sizeof(*ret_outcome));
        sigaction(SIGABRT, &act, &before);
        if (sigsetjmp(aborted, 1) != 0) {
                ret_outcome->failed = true;
                snprintf(ret_outcome->which, sizeof(ret_outcome->which), "assert");
                snprintf(ret_outcome->what, sizeof(ret_outcome->what), "an assertion failed");
        } else {
                sim = sim_run(plan, chart);
                ret_outcome->failed = sim->failed[0] != '\0';
                memcpy(ret_outcome->which, sim->failure, sizeof(sim->failure));
                memcpy(ret_outcome->what, sim->failed, sizeof(sim->failed));
                ret_outcome->hash = sim->hash;
                ret_outcome->happened = sim->happened;
                ret_outcome->alerts = sim->alerts;
                memcpy(ret_outcome->marks, sim->marks, sizeof(sim->marks));
                sim_free(sim);
        }
        sigaction(SIGABRT, &before, NULL);
}

/* What shrinking may still cost. */
struct budget {
        unsigned runs;
        clock_t end;
};

static bool still_fails(const struct plan *plan, const struct outcome *outcome, struct budget *budget)
{
        struct outcome now;

        if (budget->runs == 0 || clock() > budget->end)
                return false;
        budget->runs--;
        outcome_of(plan, NULL, &now);
        return now.failed && strcmp(now.which, outcome->which) == 0;
}

static unsigned leave_out(struct plan *plan, const struct outcome *outcome, size_t piece, struct budget *budget)
{
        unsigned gone = 0;

        for (size_t at = 0; at < plan->count; at += piece) {
                struct plan smaller = *plan;
                bool any = false;

                for (size_t i = at; i < at + piece && i < plan->count; i++) {
                        any |= !smaller.orders[i].left_out;
                        smaller.orders[i].left_out = true;
                }
                if (any && still_fails(&smaller, outcome, budget)) {
                        *plan = smaller;
                        gone++;
                }
        }
        return gone;
}

void shrink(struct plan *plan, const struct outcome *outcome, unsigned runs)
{
        struct budget budget = { runs, clock() + SHRINK_S * CLOCKS_PER_SEC };

        for (size_t piece = plan->count > 1 ? plan->count / 2 : 1; piece > 0; piece /= 2)
                leave_out(plan, outcome, piece, &budget);
        for (unsigned i = 1; i < RATE_END; i++) {
                struct plan quieter = *plan;

                quieter.rates[i] = i == RATE_LATENCY_MS ? 20 : i == RATE_STORE_MS || i == RATE_DISK_MS ? 2 : 0;
                if (i == RATE_SMS_MS)
                        quieter.rates[i] = 2500;
                if (quieter.rates[i] != plan->rates[i] && still_fails(&quieter, outcome, &budget))
                        *plan = quieter;
        }
        while (leave_out(plan, outcome, 1, &budget) > 0)
                ;
}
