/* A dispatcher and the store: loading, the feed, the connection lost. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/process_inside.h"

/* A closure that the feed brought, once its WAIT is over; where the connection broke all is read anew. */
static void settled(struct sim *sim, struct happening *it)
{
        struct process *p = &sim->processes[it->who];
        struct core_event event = { .kind = CORE_FEED_ALERT };
        struct happening *later;

        if (p->core == NULL || !p->store_up || p->store_run != it->b)
                return;
        if (p->paused_until_ms > sim->now_ms) {
                later = sim_at(sim, p->paused_until_ms - sim->now_ms, settled, it->who);
                later->b = it->b;
                sim_octets(later, it->octets, it->len);
                return;
        }
        event.u.feed_alert.record = (struct cbor_span){ it->octets, it->len };
        event.u.feed_alert.event = EVENT_CLOSE;
        process_tell(sim, it->who, &event);
}

static void hold_closure(struct sim *sim, unsigned number, const struct op *op)
{
        struct process *p = &sim->processes[number];
        int64_t ms = store_wait_ms(sim, (unsigned)p->store);
        struct happening *it = sim_at(sim, ms, settled, number);

        it->b = p->store_run;
        sim_octets(it, op->octets, op->len);
}

static void feed(struct sim *sim, struct happening *it)
{
        struct process *p = &sim->processes[it->who];
        struct instance *in;

        if (p->core == NULL || !p->store_up || p->store_run != it->b)
                return;
        p->feeding = false;
        if (p->paused_until_ms > sim->now_ms) {
                process_feed(sim, it->who);
                return;
        }
        in = &sim->store.instances[p->store];
        while (p->core != NULL && p->store_up && p->store_run == it->b && p->fed < in->op_count) {
                const struct op *op = in->ops[p->fed++];
                struct core_event event = { 0 };

                if (op->kind == OP_COMMIT && op->event == EVENT_CLOSE && sim->plan->rates[RATE_WAITS] != 0) {
                        hold_closure(sim, it->who, op);
                        continue;
                }
                if (op->kind == OP_COMMIT) {
                        event.kind = CORE_FEED_ALERT;
                        event.u.feed_alert.record = (struct cbor_span){ op->octets, op->len };
                        event.u.feed_alert.event = op->event;
                } else if (op->kind == OP_NOTICE) {
                        event.kind = CORE_FEED_NOTICE;
                        event.u.feed_notice.key = op->key;
                        event.u.feed_notice.notice = op->on ? &op->notice : NULL;
                } else if (op->kind == OP_DUTY) {
                        event.kind = CORE_FEED_DUTY;
                        event.u.feed_duty.person = op->key;
                        event.u.feed_duty.duty = op->on ? &op->duty : NULL;
                } else {
                        continue;
                }
                process_tell(sim, it->who, &event);
        }
}

void process_feed(struct sim *sim, unsigned number)
{
        struct process *p = &sim->processes[number];
        int64_t ms = sim_between(&sim->chance, 0, sim->plan->rates[RATE_STORE_MS]);

        if (p->feeding || p->core == NULL || !p->store_up)
                return;
        p->feeding = true;
        if (p->paused_until_ms > sim->now_ms + ms)
                ms = p->paused_until_ms - sim->now_ms;
        sim_at(sim, ms, feed, number)->b = p->store_run;
}

struct replay {
        struct sim *sim;
        unsigned number;
};

static void replayed(void *user, const struct entry *entry)
{
        struct replay *replay = user;
        struct cbor_span bytes = { entry->payload, entry->payload_len };

        check_durable(replay->sim, replay->number, bytes);
        assert(core_replay(replay->sim->processes[replay->number].core, bytes) == 0);
}

/* What is loaded is loaded now: a core knows the time by its events.  False: it died of it. */
static bool process_looks_at_clock(struct sim *sim, unsigned number)
{
        struct core_event event = { .kind = CORE_TICK };
        unsigned run = sim->processes[number].run;

        process_tell(sim, number, &event);
        return sim->processes[number].core != NULL && sim->processes[number].run == run;
}

/* Journal read, handsets let in. */
void process_serve(struct sim *sim, unsigned number)
{
        struct process *p = &sim->processes[number];
        struct core_event event = { .kind = CORE_POSITIONS, .u.state.up = sim->positions_up };

        if (p->replayed || !process_looks_at_clock(sim, number))
                return;
        p->replayed = true;
        p->serving = !p->draining;
        if (disk_open(&p->disk, "DISP", replayed, &(struct replay){ sim, number }))
                sim_mark(sim, MARK_TORN_TAIL);
        process_forget_appended(p);
        for (unsigned i = 0; i < SIM_SUPERVISORS; i++)
                (void)core_load_presence(p->core, sim->phones[SIM_CARRIERS + i].person, &sim->presence[i]);
        process_tell(sim, number, &event);
}

static void loaded(struct sim *sim, struct happening *it)
{
        struct process *p = &sim->processes[it->who];
        struct instance *in;
        struct core_event event = { .kind = CORE_STORE, .u.state.up = true };

        if (p->core == NULL || p->store_run != it->b || sim->store.away)
                return;
        if (!process_looks_at_clock(sim, it->who))
                return;
        in = &sim->store.instances[p->store];
        for (unsigned i = 0; i < sim->phone_count; i++)
                if (sim_is_enrolled(sim, i) && p->standings[i] != sim->phones[i].standing)
                        standing_load(sim, it->who, i, true);
        for (size_t i = 0; i + ALERT_ID_SIZE <= it->len; i += ALERT_ID_SIZE) {
                const struct stored *s = store_find(in, it->octets + i);

                assert(core_load_record(p->core, (struct cbor_span){ s->last->octets, s->last->len }) == 0);
        }
        for (size_t i = 0; i < in->notice_count; i++)
                if (in->notices[i]->on)
                        (void)core_load_notice(p->core, in->notices[i]->key, &in->notices[i]->notice);
        for (unsigned i = 0; i < SIM_SUPERVISORS; i++) {
                const struct op *duty = NULL;

                for (size_t j = 0; j < in->duty_count; j++)
                        if (strcmp(in->duty[j]->key, sim->phones[SIM_CARRIERS + i].person) == 0 && in->duty[j]->on)
                                duty = in->duty[j];
                (void)core_load_duty(p->core, sim->phones[SIM_CARRIERS + i].person, duty ? &duty->duty : NULL);
        }
        core_load_end(p->core);
        process_serve(sim, it->who);
        if (p->core == NULL)
                return;
        p->fed = it->a;
        p->store_up = true;
        p->up_since_ms = sim->now_ms;
        process_tell(sim, it->who, &event);
        process_feed(sim, it->who);
        store_commands(sim);
}

/* The feed's position was read before (A); now the list of what is open, and then those. */
static void loading(struct sim *sim, struct happening *it)
{
        struct process *p = &sim->processes[it->who];
        struct instance *in;
        uint8_t ids[STORE_ALERTS_MAX * ALERT_ID_SIZE];
        struct happening *next;
        size_t len = 0;

        if (p->core == NULL || p->store_run != it->b || sim->store.away)
                return;
        if (!process_looks_at_clock(sim, it->who))
                return;
        in = &sim->store.instances[p->store];
        for (size_t i = 0; i < in->alert_count; i++)
                if (!in->alerts[i].closed)
                        memcpy(ids + ALERT_ID_SIZE * len++, in->alerts[i].id, ALERT_ID_SIZE);
        trace_open(sim, (unsigned)p->store, ids, len);
        core_load_begin(p->core);
        next = sim_at(sim, sim_between(&sim->chance, 1, 2 * sim->plan->rates[RATE_STORE_MS]), loaded, it->who);
        next->a = it->a;
        next->b = it->b;
        sim_octets(next, ids, len * ALERT_ID_SIZE);
}

static void joined(struct sim *sim, struct happening *it)
{
        struct process *p = &sim->processes[it->who];
        struct instance *in = &sim->store.instances[sim->store.primary];
        struct happening *next;

        if (p->core == NULL || p->store_run != it->b || p->store >= 0)
                return;
        if (sim->store.away || store_is_refusing(sim, sim->store.primary)) {
                sim_at(sim, 700, joined, it->who)->b = it->b;
                return;
        }
        p->store = (int)sim->store.primary;
        p->epoch = in->epoch;
        p->asks_ms = p->answers_ms = 0;
        process_arm(sim, it->who);
        next = sim_at(sim, sim_between(&sim->chance, 1, 3 * sim->plan->rates[RATE_STORE_MS]), loading, it->who);
        next->a = in->op_count;
        next->b = it->b;
}

void process_join_store(struct sim *sim, unsigned number, int64_t ms)
{
        sim_at(sim, ms, joined, number)->b = sim->processes[number].store_run;
}

void process_leave_store(struct sim *sim, unsigned number)
{
        struct process *p = &sim->processes[number];
        struct core_event event = { .kind = CORE_STORE };
        bool was_up = p->store_up;
        unsigned run = p->run;

        p->store_run++;
        p->store_up = p->feeding = false;
        while (p->core != NULL && p->run == run && was_up && p->flight_count > 0) {
                struct core_event lost = { .kind = CORE_COMMITTED };

                lost.u.committed.token = p->flights[--p->flight_count];
                lost.u.committed.result = CORE_UNKNOWN;
                process_tell(sim, number, &lost);
        }
        p->flight_count = 0;
        if (p->core != NULL && p->run == run && was_up)
                process_tell(sim, number, &event);
        p->store = -1;
        process_arm(sim, number);
        chart_note(sim, CHART_PROCESS + number, "store away");
}
