/* The orderly end.  At the first signal nobody is accepted any more - the kernel gives newcomers to the other processes of the
 * port - and a part of the sessions is closed each second, so that the others do not get them all at once; a handset
 * whose alert waits for its receipt keeps its session to the last.  At the second signal all are closed now. */
#include "dispatcher/run_inside.h"

/* Sessions are closed that often; at least one a second. */
#define STEP_MS 100

static bool is_idle(const struct run *run)
{
        return link_counts(run->link)->sessions == 0 && run->appended_count == 0 &&
               core_counters(run->core)->commits == 0;
}

static void spare(void *user, uint64_t session)
{
        struct run *run = user;

        link_spare(run->link, session);
}

/* close_some: as many as may have been closed by now, less those that were; some of these may still be on their way. */
static void close_some(struct run *run, int64_t now_mono_ms)
{
        int64_t percent = run->options.config->drain_percent;
        int64_t share = (run->drain_count * percent + 99) / 100;
        int64_t a_second = share > 0 ? share : 1; /* who was still shaking hands has come since */
        int64_t may_go = (a_second * (now_mono_ms - run->drain_from_mono_ms + STEP_MS) + 999) / 1000;

        if (may_go <= run->drain_closed)
                return;
        core_each_waiting(run->core, spare, run);
        run->drain_closed += (int64_t)link_drain(run->link, (size_t)(may_go - run->drain_closed), LINK_SERVICE_RESTART);
}

static void on_step(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct run *run = timer->user;
        int64_t left_ms = run->drain_until_mono_ms - now_mono_ms;

        if (is_idle(run) || left_ms <= 0) {
                run_stop(run, 0);
                return;
        }
        if (left_ms <= RUN_DRAIN_MS / 2)
                link_stop(run->link, LINK_SERVICE_RESTART);
        else
                close_some(run, now_mono_ms);
        loop_timer_arm(run->options.loop, timer, now_mono_ms + (link_counts(run->link)->sessions > 0 ? STEP_MS : 20));
}

/* on_again: somebody cannot wait. */
static void on_again(void *user, int signal)
{
        struct run *run = user;

        log_info(NULL, "signal %d again: closes its sessions", signal);
        link_stop(run->link, LINK_SERVICE_RESTART);
        run->drain_until_mono_ms = clock_mono_ms() + RUN_DRAIN_MS;
}

static void on_stop(void *user, int signal)
{
        struct run *run = user;
        int64_t now = clock_mono_ms(), percent = run->options.config->drain_percent;

        run->drain_count = link_counts(run->link)->sessions;
        log_info(NULL, "signal %d: stops; drains %lld sessions", signal, (long long)run->drain_count);
        run->off |= OFF_STOPPING;
        run->serving = 0;
        link_leave(run->link);
        sms_stop(run);
        commands_stop(run->commands);
        run->drain_from_mono_ms = now;
        run->drain_until_mono_ms = now + 100000 / percent + RUN_DRAIN_MS;
        loop_timer_arm(run->options.loop, &run->drain, now);
        loop_on_stop(run->options.loop, on_again, run);
}

void drain_init(struct run *run)
{
        wheel_timer_init(&run->drain, on_step, run);
        loop_on_stop(run->options.loop, on_stop, run);
}
