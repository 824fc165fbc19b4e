/* jobs: seeds run by several processes at once, each every so many-th seed; what came of them is told in one. */
#ifndef TESTS_SIM_JOBS_H
#define TESTS_SIM_JOBS_H

#include "tests/sim/shrink.h"

#define JOBS_MAX 64

struct jobs {
        uint64_t from, seeds;
        uint64_t alerts; /* enough once there were so many; 0: all SEEDS */
        unsigned count;  /* of processes, 1..JOBS_MAX; one: in this process */
        bool every_tick; /* struct plan's */
        /* told of each seed, in no order where COUNT is above one.  False: enough. */
        bool (*fn)(void *user, uint64_t seed, const struct outcome *outcome);
        void *user;
};

/* jobs_run: run them.  Returns 0, a negative errno of pipe or fork, -EPIPE (a process died of more than a failed assertion). */
int jobs_run(const struct jobs *jobs);

#endif
