/* Commands of the control room: each goes to one dispatcher; one that it has not acknowledged for 5 s to another. */
#include <string.h>

#include "tests/sim/sim.h"

static void command_arrives(struct sim *sim, struct happening *it)
{
        struct core_event event = { .kind = CORE_COMMAND };

        memcpy(&event.u.command.command, it->octets, sizeof(event.u.command.command));
        event.u.command.ref = it->a;
        if (sim->processes[it->who].core != NULL && sim->processes[it->who].store_up &&
            sim->processes[it->who].paused_until_ms <= sim->now_ms)
                process_tell(sim, it->who, &event);
}

static bool takes_commands(const struct sim *sim, unsigned process)
{
        const struct process *p = &sim->processes[process];

        return p->core != NULL && p->store_up && !p->draining && p->store == (int)sim->store.primary;
}

void store_commands(struct sim *sim)
{
        unsigned primary = sim->store.primary;
        struct instance *in = &sim->store.instances[primary];

        for (size_t i = in->command_first; i < in->command_count; i++) {
                unsigned to = (unsigned)sim_below(&sim->chance, sim->process_count);
                struct happening *it;

                if (in->commands[i].acked ||
                    (in->commands[i].given_ms != 0 && sim->now_ms - in->commands[i].given_ms < 5000))
                        continue;
                if (!takes_commands(sim, to))
                        to = (to + 1) % sim->process_count;
                if (!takes_commands(sim, to))
                        continue;
                in->commands[i].given_ms = sim->now_ms;
                it = sim_at(sim, sim_between(&sim->chance, 0, sim->plan->rates[RATE_STORE_MS]), command_arrives, to);
                it->a = in->commands[i].op->ref;
                sim_octets(it, &in->commands[i].op->command, sizeof(struct command));
        }
}
