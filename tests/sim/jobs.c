#include "tests/sim/jobs.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct told {
        uint64_t seed;
        struct outcome outcome;
};

static void one(const struct jobs *jobs, uint64_t seed, struct told *ret_told)
{
        struct plan *plan = malloc(sizeof(*plan));

        plan_draw(plan, seed);
        plan->every_tick = jobs->every_tick;
        memset(ret_told, 0, sizeof(*ret_told));
        ret_told->seed = seed;
        outcome_of(plan, NULL, &ret_told->outcome);
        free(plan);
}

static int run_here(const struct jobs *jobs)
{
        struct told told;
        uint64_t alerts = 0;

        for (uint64_t i = 0; i < jobs->seeds && (jobs->alerts == 0 || alerts < jobs->alerts); i++) {
                one(jobs, jobs->from + i, &told);
                alerts += told.outcome.alerts;
                if (!jobs->fn(jobs->user, told.seed, &told.outcome))
                        break;
        }
        return 0;
}

/* A process of its own: told is smaller than PIPE_BUF or is written whole by the one writer of its pipe. */
static void work(const struct jobs *jobs, unsigned number, int to)
{
        struct told told;

        for (uint64_t i = number; i < jobs->seeds; i += jobs->count) {
                one(jobs, jobs->from + i, &told);
                if (write(to, &told, sizeof(told)) != (ssize_t)sizeof(told))
                        break;
        }
        _exit(0);
}

static bool read_whole(int from, struct told *ret_told)
{
        size_t len = 0;
        ssize_t n = 1;

        while (len < sizeof(*ret_told) && n > 0) {
                n = read(from, (uint8_t *)ret_told + len, sizeof(*ret_told) - len);
                if (n < 0 && errno == EINTR)
                        n = 1;
                else if (n > 0)
                        len += (size_t)n;
        }
        return len == sizeof(*ret_told);
}

/* One seed of each in turn: they take about as long, and the sum does not depend on who was first. */
static void listen_to(const struct jobs *jobs, const int *from)
{
        struct told told;
        uint64_t alerts = 0;

        for (uint64_t i = 0; i < jobs->seeds && (jobs->alerts == 0 || alerts < jobs->alerts); i++) {
                if (!read_whole(from[i % jobs->count], &told))
                        break;
                alerts += told.outcome.alerts;
                if (!jobs->fn(jobs->user, told.seed, &told.outcome))
                        break;
        }
}

int jobs_run(const struct jobs *jobs)
{
        int from[JOBS_MAX], pipes[2], r = 0, status;
        pid_t pids[JOBS_MAX];
        unsigned begun = 0;

        if (jobs->count <= 1)
                return run_here(jobs);
        signal(SIGPIPE, SIG_DFL); /* who is not listened to any more ends */
        fflush(NULL);
        for (; begun < jobs->count && r == 0; begun++) {
                if (pipe(pipes) < 0) {
                        r = -errno;
                        break;
                }
                pids[begun] = fork();
                if (pids[begun] == 0) {
                        close(pipes[0]);
                        for (unsigned i = 0; i < begun; i++)
                                close(from[i]);
                        work(jobs, begun, pipes[1]);
                }
                r = pids[begun] < 0 ? -errno : 0;
                from[begun] = pipes[0];
                close(pipes[1]);
        }
        if (r == 0)
                listen_to(jobs, from);
        for (unsigned i = 0; i < begun; i++)
                close(from[i]);
        for (unsigned i = 0; i < begun; i++)
                if (pids[i] > 0 &&
                    (waitpid(pids[i], &status, 0) < 0 || (WIFSIGNALED(status) && WTERMSIG(status) != SIGPIPE) ||
                     (WIFEXITED(status) && WEXITSTATUS(status) != 0)))
                        r = r < 0 ? r : -EPIPE;
        return r;
}
