/* shrink: make a failing plan small: leave orders out, and quieten rates, while the same thing still fails. */
#ifndef TESTS_SIM_SHRINK_H
#define TESTS_SIM_SHRINK_H

#include "tests/sim/sim.h"

/* What came of one run, with aborts caught. */
struct outcome {
        bool failed;
        char which[24], what[200];
        uint64_t hash, happened, alerts;
        uint64_t marks[MARK_END];
};

/* outcome_of: run PLAN.  An assertion that fails is a failure "assert".  CHART NULL or drawn into. */
void outcome_of(const struct plan *plan, struct chart *chart, struct outcome *ret_outcome);

/* shrink: make PLAN, which fails as OUTCOME says, smaller in at most RUNS runs. */
void shrink(struct plan *plan, const struct outcome *outcome, unsigned runs);

#endif
