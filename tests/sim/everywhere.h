/* everywhere: the same short run again and again, and each time one more of its action boundaries is where somebody dies. */
#ifndef TESTS_SIM_EVERYWHERE_H
#define TESTS_SIM_EVERYWHERE_H

#include "tests/sim/shrink.h"

/* everywhere_plan: an ordinary minute: a press in the street, one by the finger that slips, a PIN, a drill, who helps. */
void everywhere_plan(struct plan *plan);

struct everywhere {
        unsigned first, stride; /* from 1 */
        /* told of each run and the plan that it was; may be NULL */
        void (*fn)(void *user, const struct plan *plan, const struct outcome *outcome);
        void *user;
};

/* everywhere_run: PLAN with each dispatcher and each phone that matters in it - a carrier who presses, a supervisor who helps -
 * killed at its FIRST, FIRST + STRIDE ... th action, with and without the power gone, until its last before faults end.
 * Returns how many of the runs failed; *ret_runs: how many there were. */
size_t everywhere_run(const struct plan *plan, const struct everywhere *how, size_t *ret_runs);

#endif
