/* Handsets that are revoked, expired or unknown to the region, for a while: their alerts are raised unverified, to the control room alone. */
#include <assert.h>
#include <string.h>

#include "tests/sim/sim.h"

static void entry_of(const struct sim *sim, unsigned number, enum standing standing, struct handset_entry *ret_entry)
{
        const struct phone *phone = &sim->phones[number];

        *ret_entry = (struct handset_entry){ .not_after_s = UINT32_MAX,
                                             .role = phone->supervisor ? HANDSET_SUPERVISOR : HANDSET_CARRIER };
        sign_key(number, ret_entry->key);
        record_set_text(ret_entry->person, sizeof(ret_entry->person), phone->person);
        snprintf(ret_entry->number, sizeof(ret_entry->number), "+3360000%04u", number);
        if (standing == STANDING_REVOKED)
                ret_entry->revoked_at_s = SIM_START_MS / 1000;
        if (standing == STANDING_EXPIRED)
                ret_entry->not_after_s = SIM_START_MS / 1000 - 3600;
}

void standing_load(struct sim *sim, unsigned process, unsigned number, bool is_new)
{
        struct process *p = &sim->processes[process];
        struct handset_entry entry;

        if (is_new)
                p->standings[number] = (uint8_t)sim->phones[number].standing;
        entry_of(sim, number, p->standings[number], &entry);
        if (p->core == NULL)
                return;
        if (p->standings[number] != STANDING_UNKNOWN)
                assert(core_load_handset(p->core, sim->phones[number].id, &entry) == 0);
        else if (is_new || p->replayed)
                assert(core_load_handset(p->core, sim->phones[number].id, NULL) == 0);
}

/* By the stream of changes; without the store when it is read again. */
static void told(struct sim *sim, struct happening *it)
{
        struct process *p = &sim->processes[it->who];
        struct core_event event = { .kind = CORE_TICK };

        if (p->core == NULL || !p->store_up || p->standings[it->a] == sim->phones[it->a].standing)
                return;
        if (p->paused_until_ms > sim->now_ms) {
                sim_at(sim, p->paused_until_ms - sim->now_ms, told, it->who)->a = it->a;
                return;
        }
        standing_load(sim, it->who, (unsigned)it->a, true);
        process_tell(sim, it->who, &event);
}

static void set(struct sim *sim, unsigned number, enum standing standing)
{
        struct phone *phone = &sim->phones[number];

        if (phone->standing == standing)
                return;
        phone->standing = standing;
        phone->was_stranger = true;
        phone->was_unknown |= standing == STANDING_UNKNOWN;
        chart_note(sim, CHART_PHONE + number, "is %s",
                   standing == STANDING_GOOD      ? "good again"
                   : standing == STANDING_REVOKED ? "revoked"
                   : standing == STANDING_EXPIRED ? "expired"
                                                  : "unknown");
        for (unsigned i = 0; i < sim->process_count; i++)
                sim_at(sim, sim_between(&sim->chance, 0, 3 * sim->plan->rates[RATE_STORE_MS]), told, i)->a = number;
}

void standing_good(struct sim *sim, unsigned number)
{
        set(sim, number, STANDING_GOOD);
}

static void good_again(struct sim *sim, struct happening *it)
{
        set(sim, it->who, STANDING_GOOD);
}

void standing_order(struct sim *sim, const struct plan_order *o)
{
        if (sim->phones[o->who].supervisor || o->a < 0 || o->a >= STANDING_END)
                return;
        set(sim, o->who, (enum standing)o->a);
        sim_at(sim, o->b, good_again, o->who);
}

bool standing_is_known(const struct sim *sim, unsigned number)
{
        for (unsigned i = 0; i < sim->process_count; i++)
                if (sim->processes[i].standings[number] != sim->phones[number].standing)
                        return false;
        return true;
}
