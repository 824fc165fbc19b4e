/* A dispatcher that is told to end: it takes nobody any more, gives its sessions away one after the other - those whose alert waits for
 * its receipt last - finishes what is under way, and ends (dispatcher/drain.c). */
#include <string.h>

#include "tests/sim/sim.h"

#define END_MS  5000 /* RUN_DRAIN_MS of the dispatcher: longer than its sessions take it waits for nothing */
#define STEP_MS 100

struct looking {
        uint64_t waiting[SIM_PHONES * SIM_ADDRESSES];
        size_t count;
};

static void note_waiting(void *user, uint64_t session)
{
        struct looking *looking = user;

        if (looking->count < SIM_PHONES * SIM_ADDRESSES)
                looking->waiting[looking->count++] = session;
}

static bool is_waiting(const struct looking *looking, uint64_t session)
{
        for (size_t i = 0; i < looking->count; i++)
                if (looking->waiting[i] == session)
                        return true;
        return false;
}

/* The session to go next; 0: none is left. */
static uint64_t next_session(struct sim *sim, unsigned number)
{
        struct looking looking = { .count = 0 };
        uint64_t last = 0;

        core_each_waiting(sim->processes[number].core, note_waiting, &looking);
        for (size_t i = 0; i < sim->conn_count; i++) {
                if (sim->conns[i].process != number || !sim->conns[i].process_open)
                        continue;
                if (!is_waiting(&looking, i + 1))
                        return i + 1;
                sim_mark(sim, MARK_SPARED);
                last = i + 1;
        }
        return last;
}

static void close_one(struct sim *sim, unsigned number, uint64_t session)
{
        struct core_event event = { .kind = CORE_CLOSED, .u.closed.session = session };

        net_close_down(sim, session);
        process_tell(sim, number, &event);
}

/* A: between two sessions; B: the run, and when it ends anyhow. */
static void step(struct sim *sim, struct happening *it)
{
        struct process *p = &sim->processes[it->who];
        struct happening *next;
        uint64_t session;
        int64_t end_ms = SIM_START_MS + (int64_t)(it->b >> 16);

        if (p->core == NULL || (p->run & 0xffff) != (it->b & 0xffff))
                return;
        session = p->paused_until_ms <= sim->now_ms ? next_session(sim, it->who) : 0;
        if (session != 0)
                close_one(sim, it->who, session);
        else if (p->paused_until_ms <= sim->now_ms && p->appended_durable == p->appended_count && !p->syncing &&
                 core_counters(p->core)->commits == 0)
                end_ms = 0;
        if (p->core == NULL || (p->run & 0xffff) != (it->b & 0xffff))
                return;
        if (sim->now_ms >= end_ms) {
                sim_mark(sim, MARK_DRAINED);
                process_stop(sim, it->who, false);
                return;
        }
        next = sim_at(sim, session != 0 ? (int64_t)it->a : STEP_MS, step, it->who);
        next->a = it->a;
        next->b = it->b;
}

void drain_order(struct sim *sim, const struct plan_order *o)
{
        unsigned number = o->who % sim->process_count;
        struct process *p = &sim->processes[number];
        int64_t end_ms = sim->now_ms - SIM_START_MS + END_MS + o->a * SIM_PHONES * SIM_ADDRESSES;
        struct happening *it;

        if (p->core == NULL || p->draining)
                return;
        chart_note(sim, CHART_PROCESS + number, "drains");
        p->draining = true;
        p->serving = false;
        it = sim_at(sim, 0, step, number);
        it->a = (uint64_t)o->a;
        it->b = (uint64_t)end_ms << 16 | (p->run & 0xffff);
}
