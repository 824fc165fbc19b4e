/* One run: the region comes up, suffers what the plan says, is left in peace, and must be whole again. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim.h"

#define CALM_MS      420000   /* longest back-off 2 min, dead sessions 2.5 min, SMS 1 min, ladders 2 min */
#define HAPPENED_MAX 20000000 /* the busiest run has a million: two tell each other the same for ever */
#define CLOSE_MS     240000   /* of it: until then people may close by themselves, then the control room does */

/* Two zones: the town, and hills without coverage. */
static const char zones[] =
        "{\"type\":\"FeatureCollection\",\"features\":["
        "{\"type\":\"Feature\",\"properties\":{\"id\":\"town\",\"name\":\"Town\"},\"geometry\":{\"type\":\"Polygon\","
        "\"coordinates\":[[[4.80,45.70],[4.90,45.70],[4.90,45.80],[4.80,45.80],[4.80,45.70]]]}},"
        "{\"type\":\"Feature\",\"properties\":{\"id\":\"hills\",\"name\":\"Hills\"},\"geometry\":{\"type\":\"Polygon\","
        "\"coordinates\":[[[4.90,45.70],[5.00,45.70],[5.00,45.80],[4.90,45.80],[4.90,45.70]]]}}]}";

/* ---- Faults begin and end ----------------------------------------------------------------------------------------------------- */

static void net_back(struct sim *sim, struct happening *it)
{
        struct phone *phone = &sim->phones[it->who];

        phone->network = phone->modem = true;
        phone->out_cut = phone->in_cut = false;
        phone->drip_ms = 0;
}

static void net_goes(struct sim *sim, const struct plan_order *o)
{
        struct phone *phone = &sim->phones[o->who];

        chart_note(sim, CHART_PHONE + o->who, "network %s", o->b < 2 ? "gone" : o->b < 4 ? "one way" : "drips");
        if (o->b < 2) {
                phone->network = false;
                phone->modem = o->a % 2 == 0; /* SMS goes on, or not */
                net_cut(sim, o->who, o->b == 1);
        } else if (o->b == 4) {
                phone->drip_ms = 3000;
        } else {
                phone->out_cut |= o->b == 2;
                phone->in_cut |= o->b == 3;
        }
        sim_at(sim, o->a, net_back, o->who);
}

static void phone_back(struct sim *sim, struct happening *it)
{
        sim->phones[it->who].battery = 60;
        phone_start(sim, it->who);
}

static void phone_empty(struct sim *sim, struct happening *it)
{
        phone_stop(sim, it->who, true);
        sim_at(sim, (int64_t)it->a, phone_back, it->who);
}

static void phone_goes_off(struct sim *sim, const struct plan_order *o)
{
        struct vigie_event event = { .type = VIGIE_ON_BATTERY, .u.battery = 3 };

        sim->phones[o->who].battery = 3;
        phone_tell(sim, o->who, &event);
        if (o->a % 2 == 0) {
                event = (struct vigie_event){ .type = VIGIE_ON_POWER_OFF };
                phone_tell(sim, o->who, &event);
        }
        sim_at(sim, 2000, phone_empty, o->who)->a = (uint64_t)o->a;
}

static void phone_disk_back(struct sim *sim, struct happening *it)
{
        struct vigie_event event = { .type = VIGIE_ON_SYNCED, .u.synced = { 0, true } };
        struct phone *phone = &sim->phones[it->who];

        phone->disk_full = phone->fsync_fails = false;
        phone->disk_ms = 0;
        if (!phone->journal_bad)
                phone_tell(sim, it->who, &event);
}

static void phone_disk(struct sim *sim, const struct plan_order *o)
{
        struct phone *phone = &sim->phones[o->who];

        phone->disk_full |= o->b == 0;
        phone->fsync_fails |= o->b == 2;
        phone->disk_ms = o->b == 1 ? o->a : 0;
        chart_note(sim, CHART_PHONE + o->who, "disk %s", o->b == 0 ? "full" : o->b == 1 ? "slow" : "fails once");
        sim_at(sim, o->a, phone_disk_back, o->who);
}

static void fix_back(struct sim *sim, struct happening *it)
{
        sim->phones[it->who].gps = true;
}

static void key_back(struct sim *sim, struct happening *it)
{
        sim->phones[it->who].signs = true;
}

/* The phone is set back to its backup: what it knew since is gone, the id is the same. */
static void restore(struct sim *sim, unsigned number)
{
        struct phone *phone = &sim->phones[number];

        if (!phone->has_backup)
                return;
        phone_stop(sim, number, false);
        disk_copy(&phone->disk, &phone->backup);
        chart_note(sim, CHART_PHONE + number, "set back to its backup");
        for (size_t i = 0; i < sim->press_count; i++)
                sim->presses[i].excused |= sim->presses[i].phone == number;
        phone->was_restored = true;
        phone_start(sim, number);
}

/* A backup of the phone is put into another one, and both go on. */
static void copy(struct sim *sim, unsigned number)
{
        unsigned to = 0;

        while (to < sim->phone_count && sim->phones[to].of != SIM_PHONES)
                to++;
        if (to == sim->phone_count || !sim_is_enrolled(sim, number))
                return;
        sim->phones[to].of = number;
        memcpy(sim->phones[to].id, sim->phones[number].id, HANDSET_ID_SIZE);
        memcpy(sim->phones[to].person, sim->phones[number].person, sizeof(sim->phones[to].person));
        sim->phones[to].options = sim->phones[number].options;
        sim->phones[to].supervisor = sim->phones[number].supervisor;
        disk_copy(&sim->phones[to].disk, &sim->phones[number].disk);
        sim->phones[to].disk.len = sim->phones[to].disk.durable;
        sim->phones[to].was_restored = sim->phones[number].was_restored;
        chart_note(sim, CHART_PHONE + to, "starts as a copy of %s", sim->phones[number].person);
        phone_start(sim, to);
}

static void disk_back(struct sim *sim, struct happening *it)
{
        struct process *p = &sim->processes[it->who];

        p->disk_full = p->fsync_fails = false;
        p->disk_ms = 0;
}

static void process_disk(struct sim *sim, const struct plan_order *o)
{
        struct process *p = &sim->processes[o->who];

        p->disk_full |= o->b == 0;
        p->fsync_fails |= o->b == 2;
        p->disk_ms = o->b == 1 ? o->a / 4 : 0;
        chart_note(sim, CHART_PROCESS + o->who, "disk %s", o->b == 0 ? "full" : o->b == 1 ? "slow" : "fails once");
        sim_at(sim, o->a, disk_back, o->who);
}

static void moves(struct sim *sim, struct happening *it)
{
        struct process *p = &sim->processes[it->who];

        if (p->core == NULL || p->store == (int)sim->store.primary)
                return;
        process_leave_store(sim, it->who);
        process_join_store(sim, it->who, 100);
}

static void demote(struct sim *sim, struct happening *it)
{
        for (unsigned i = 0; i < sim->process_count; i++)
                if (sim->processes[i].core != NULL && sim->processes[i].store == (int)!sim->store.primary) {
                        process_leave_store(sim, i);
                        process_join_store(sim, i, 100);
                }
        store_demote(sim);
        sim->failing_over = false;
}

static void failover(struct sim *sim, const struct plan_order *o)
{
        if (sim->failing_over)
                return;
        if (o->b == 1) { /* a restore raises the epoch under everybody's feet */
                sim->store.instances[sim->store.primary].epoch++;
                trace_epoch(sim, "epoch", sim->store.primary);
                chart_note(sim, CHART_STORE, "another epoch");
                return;
        }
        sim->failing_over = true;
        sim->failovers++;
        store_failover(sim);
        for (unsigned i = 0; i < sim->process_count; i++)
                sim_at(sim, sim_between(&sim->chance, 0, o->a), moves, i);
        sim_at(sim, o->a + 1, demote, 0);
}

static void store_back(struct sim *sim, struct happening *it)
{
        sim->store.away = sim->store.sick = false;
}

static void store_away(struct sim *sim, const struct plan_order *o)
{
        sim->store.away = true;
        for (unsigned i = 0; i < sim->process_count; i++)
                if (sim->processes[i].core != NULL) {
                        process_leave_store(sim, i);
                        process_join_store(sim, i, 200);
                }
        sim_at(sim, o->a, store_back, 0);
}

static void positions(struct sim *sim, bool up)
{
        sim->positions_up = up;
        if (!up)
                sim->duty_count = 0; /* no persistence */
        for (unsigned i = 0; i < sim->process_count; i++) {
                struct core_event event = { .kind = CORE_POSITIONS, .u.state.up = up };

                if (sim->processes[i].core != NULL && sim->processes[i].replayed)
                        process_tell(sim, i, &event);
        }
}

static void positions_back(struct sim *sim, struct happening *it)
{
        positions(sim, true);
}

/* ---- Orders --------------------------------------------------------------------------------------------------------------------- */

/* When who stands still until BEFORE and now for MS more goes on: at the end of all faults, so that what waits for it comes in order. */
static int64_t until(const struct sim *sim, int64_t before_ms, int64_t ms)
{
        int64_t end_ms = SIM_START_MS + sim->plan->rates[RATE_LENGTH_S] * 1000, at_ms = sim->now_ms + ms;

        at_ms = at_ms < end_ms ? at_ms : end_ms;
        return at_ms > before_ms ? at_ms : before_ms;
}

static void order_phone(struct sim *sim, const struct plan_order *o)
{
        struct phone *phone = &sim->phones[o->who];

        switch (o->kind) {
        case ORDER_NET:
                net_goes(sim, o);
                break;
        case ORDER_PHONE_KILL:
                phone->kill_in = phone->alive ? o->a : 0;
                phone->kill_power = o->b != 0;
                break;
        case ORDER_PHONE_OFF:
                phone_goes_off(sim, o);
                break;
        case ORDER_PHONE_DISK:
                phone_disk(sim, o);
                break;
        case ORDER_PHONE_KEY:
                phone->signs = false;
                sim_at(sim, o->a, key_back, o->who);
                break;
        case ORDER_NO_FIX:
                phone->gps = false;
                sim_at(sim, o->a, fix_back, o->who);
                break;
        case ORDER_BACKUP:
                disk_copy(&phone->backup, &phone->disk);
                phone->backup.len = phone->backup.durable;
                phone->has_backup = true;
                break;
        case ORDER_RESTORE:
                restore(sim, o->who);
                break;
        case ORDER_COPY:
                copy(sim, o->who);
                break;
        case ORDER_CLOCK:
                phone->skew_ms += o->a - o->b;
                break;
        case ORDER_COMPACT_PHONE:
                phone_compact(sim, o->who);
                break;
        case ORDER_DRAIN:
                drain_order(sim, o);
                break;
        case ORDER_STANDING:
                standing_order(sim, o);
                break;
        case ORDER_SUSPEND:
                phone->asleep_until_ms = until(sim, phone->asleep_until_ms, o->a);
                chart_note(sim, CHART_PHONE + o->who, "sleeps");
                break;
        default:
                people_order(sim, o);
        }
}

static void order_region(struct sim *sim, const struct plan_order *o)
{
        struct process *p = &sim->processes[o->kind >= ORDER_KILL && o->kind <= ORDER_POSITIONS ? o->who : 0];

        switch (o->kind) {
        case ORDER_KILL:
                p->kill_in = p->core != NULL ? o->a : 0;
                p->kill_power = o->b != 0;
                break;
        case ORDER_PAUSE:
                p->paused_until_ms = until(sim, p->paused_until_ms, o->a);
                chart_note(sim, CHART_PROCESS + o->who, "stopped");
                break;
        case ORDER_DISK:
                process_disk(sim, o);
                break;
        case ORDER_COMPACT:
                process_compact(sim, o->who);
                break;
        case ORDER_STORE_CUT:
                if (p->core == NULL)
                        break;
                process_leave_store(sim, o->who);
                process_join_store(sim, o->who, o->a);
                break;
        case ORDER_STORE_AWAY:
                chart_note(sim, CHART_STORE, "away");
                store_away(sim, o);
                break;
        case ORDER_FAILOVER:
                failover(sim, o);
                break;
        case ORDER_STORE_SICK:
                chart_note(sim, CHART_STORE, "errors");
                sim->store.sick = true;
                sim_at(sim, o->a, store_back, 0);
                break;
        case ORDER_POSITIONS:
                positions(sim, false);
                sim_at(sim, o->a, positions_back, 0);
                break;
        default:
                order_phone(sim, o);
        }
}

static void ordered(struct sim *sim, struct happening *it)
{
        struct plan_order order = sim->plan->orders[it->a];

        if (order.kind >= ORDER_KILL && order.kind <= ORDER_POSITIONS)
                order.who %= sim->process_count;
        if (order.who < sim->phone_count) /* a smaller region than the orders were drawn for: shrinking makes such */
                order_region(sim, &order);
}

/* ---- The run -------------------------------------------------------------------------------------------------------------------- */

static void second(struct sim *sim, struct happening *it)
{
        sim_at(sim, 1000, second, 0);
        store_commands(sim);
        check_second(sim);
}

/* Everything works again, and stays so. */
static void calm(struct sim *sim, struct happening *it)
{
        sim->calm = true;
        sim->calm_ms = sim->now_ms;
        sim->habit_count = 0;
        memset(sim->newest_habit, 0, sizeof(sim->newest_habit));
        chart_note(sim, CHART_STORE, "faults end");
        sim->store.away = sim->store.sick = false;
        if (sim->failing_over)
                demote(sim, it);
        if (!sim->positions_up)
                positions(sim, true);
        for (unsigned i = 0; i < sim->process_count; i++) {
                it->who = i;
                disk_back(sim, it);
                sim->processes[i].kill_in = 0;
        }
        for (unsigned i = 0; i < sim->phone_count; i++) {
                struct phone *phone = &sim->phones[i];

                it->who = i;
                phone->kill_in = 0;
                phone->signs = phone->gps = true;
                standing_good(sim, i);
                net_back(sim, it);
                phone_disk_back(sim, it);
                if (phone->journal_bad)
                        phone_stop(sim, i, false);
                phone_back(sim, it);
                people_look(sim, i);
        }
}

static void control_closes(struct sim *sim, struct happening *it)
{
        people_control(sim);
        sim_at(sim, 20000, control_closes, 0);
}

struct sim *sim_run(const struct plan *plan, struct chart *chart)
{
        struct sim *sim = calloc(1, sizeof(*sim));
        struct geo_error error;
        int64_t length_ms = plan->rates[RATE_LENGTH_S] * 1000;

        sim->plan = plan;
        sim->chart = chart;
        sim->trace = plan->trace;
        sim->now_ms = SIM_START_MS;
        sim->hash = UINT64_C(14695981039346656037);
        sim->chance = plan->seed * UINT64_C(0x2545f4914f6cdd1d) + 3;
        sim->conns = calloc(SIM_CONNS_MAX, sizeof(*sim->conns));
        sim->actions = calloc(1, sizeof(*sim->actions));
        sim->positions_up = true;
        sim->phone_count = SIM_CARRIERS + SIM_SUPERVISORS + (unsigned)plan->rates[RATE_MORE_CARRIERS];
        sim->phone_count += (unsigned)plan->rates[RATE_COPIES];
        if (sim->phone_count > SIM_PHONES)
                sim->phone_count = SIM_PHONES;
        sim->process_count = plan->rates[RATE_ALERT_PORT] ? SIM_PROCESSES : SIM_ORDINARY;
        check_begin(sim);
        sim->trust_len = sign_trust(sim->trust);
        for (int i = 0; i < 2; i++)
                sim->store.instances[i].ops = calloc(STORE_OPS_MAX, sizeof(struct op *));
        sim->store.instances[1].skew_ms = plan->rates[RATE_STORE_SKEW_MS];
        assert(zones_read(zones, sizeof(zones) - 1, &sim->zones, &error) == 0);
        for (unsigned i = 0; i < sim->phone_count; i++)
                phone_begin(sim, i);
        for (unsigned i = 0; i < sim->process_count; i++)
                process_begin(sim, i);
        people_begin(sim);
        for (size_t i = 0; i < plan->count; i++)
                if (!plan->orders[i].left_out && plan->orders[i].at_ms < length_ms)
                        sim_at(sim, plan->orders[i].at_ms, ordered, 0)->a = i;
        sim_at(sim, 1000, second, 0);
        sim_at(sim, length_ms, calm, 0);
        sim_at(sim, length_ms + CLOSE_MS, control_closes, 0);
        while (sim->failed[0] == '\0' && sim->now_ms < SIM_START_MS + length_ms + CALM_MS) {
                sim_step(sim);
                if (sim->happened > HAPPENED_MAX)
                        sim_fail(sim, "endless", "%llu events", (unsigned long long)sim->happened);
        }
        if (sim->failed[0] == '\0')
                check_end(sim);
        trace_end(sim);
        return sim;
}

void sim_free(struct sim *sim)
{
        for (size_t i = 0; i < sim->heap_count; i++) {
                store_forget(&sim->heap[i]);
                free(sim->heap[i].octets);
        }
        free(sim->heap);
        for (unsigned i = 0; i < sim->phone_count; i++)
                phone_free(&sim->phones[i]);
        for (unsigned i = 0; i < sim->process_count; i++)
                process_free(&sim->processes[i]);
        store_free(&sim->store);
        zones_free(sim->zones);
        ids_free(&sim->known_ids);
        check_free(sim);
        free(sim->conns);
        free(sim->actions);
        free(sim);
}
