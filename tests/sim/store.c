#include "tests/sim/store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim.h"

int64_t store_now_ms(const struct sim *sim, unsigned number)
{
        return sim->now_ms + sim->store.instances[number].skew_ms;
}

struct stored *store_find(struct instance *in, const uint8_t id[ALERT_ID_SIZE])
{
        size_t at = ids_find(&in->alert_ids, id);

        return at != IDS_NONE ? &in->alerts[at] : NULL;
}

const struct record *store_record(struct stored *s)
{
        if (s->record == NULL)
                s->record = malloc(sizeof(*s->record));
        assert(s->record != NULL);
        if (!s->decoded)
                assert(record_decode(s->last->octets, s->last->len, s->record) == 0);
        s->decoded = true;
        return s->record;
}

const struct grave *store_grave(const struct instance *in, const uint8_t id[ALERT_ID_SIZE])
{
        size_t at = ids_find(&in->grave_ids, id);

        return at != IDS_NONE ? &in->graves[at] : NULL;
}

struct op *store_op(struct sim *sim, enum op_kind kind, struct cbor_span record, struct cbor_span alert)
{
        struct op *op = calloc(1, sizeof(*op) + record.len + alert.len + 1);

        assert(op != NULL);
        op->kind = kind;
        op->at_ms = sim->now_ms;
        op->number = ++sim->store.ops;
        op->len = record.len;
        op->alert_len = alert.len;
        if (record.len > 0)
                memcpy(op->octets, record.at, record.len);
        if (alert.len > 0)
                memcpy(op->octets + record.len, alert.at, alert.len);
        return op;
}

/* ---- What a write does -------------------------------------------------------------------------------------------------- */

static void bury(struct instance *in, const uint8_t id[ALERT_ID_SIZE], const struct op *op)
{
        size_t at = ids_need(&in->grave_ids, id);

        assert(at < STORE_ALERTS_MAX);
        memcpy(in->graves[at].id, id, ALERT_ID_SIZE);
        in->graves[at].tombstone = op->tombstone;
        in->graves[at].at_ms = op->at_ms;
}

static void apply_commit(struct instance *in, const struct op *op)
{
        struct stored *s = &in->alerts[ids_need(&in->alert_ids, op->id)];

        in->alert_count = in->alert_ids.count;
        assert(in->alert_count <= STORE_ALERTS_MAX);
        memcpy(s->id, op->id, ALERT_ID_SIZE);
        s->decoded = false;
        s->version = op->version;
        s->due_ms = op->due_ms;
        s->closed = op->closed;
        s->last = op;
        for (size_t i = 0; op->closed && i < op->gone_count; i++) {
                const struct stored *other = store_find(in, op->gone[i]);

                if (i == 0 || other == NULL || other->closed)
                        bury(in, op->gone[i], op);
        }
}

static size_t set_fact(const struct op **facts, size_t count, size_t max, const struct op *op)
{
        size_t i = 0;

        while (i < count && strcmp(facts[i]->key, op->key) != 0)
                i++;
        assert(i < max);
        facts[i] = op;
        return i == count ? count + 1 : count;
}

static void apply(struct instance *in, struct op *op)
{
        assert(in->op_count < STORE_OPS_MAX);
        in->ops[in->op_count++] = op;
        op->uses++;
        switch (op->kind) {
        case OP_COMMIT:
                apply_commit(in, op);
                break;
        case OP_NOTICE:
                in->notice_count = set_fact(in->notices, in->notice_count, STORE_NOTICES_MAX, op);
                break;
        case OP_DUTY:
                in->duty_count = set_fact(in->duty, in->duty_count, STORE_DUTY_MAX, op);
                break;
        case OP_COMMAND:
                assert(in->command_count < STORE_COMMANDS_MAX);
                in->commands[in->command_count].op = op;
                in->commands[in->command_count].given_ms = 0;
                in->commands[in->command_count++].acked = false;
                break;
        case OP_ACK:
                for (size_t i = in->command_first; i < in->command_count; i++)
                        in->commands[i].acked |= in->commands[i].op->ref == op->ref;
                while (in->command_first < in->command_count && in->commands[in->command_first].acked)
                        in->command_first++;
                break;
        case OP_ANSWER:
                break;
        }
}

static void clear(struct instance *in)
{
        for (size_t i = 0; i < in->op_count; i++)
                if (--in->ops[i]->uses == 0)
                        free(in->ops[i]);
        for (size_t i = 0; i < in->alert_count; i++)
                free(in->alerts[i].record);
        memset(in->alerts, 0, in->alert_count * sizeof(in->alerts[0]));
        ids_clear(&in->alert_ids);
        ids_clear(&in->grave_ids);
        in->op_count = in->alert_count = in->notice_count = in->duty_count = in->command_count = in->command_first = 0;
}

void store_write(struct sim *sim, unsigned number, struct op *op)
{
        apply(&sim->store.instances[number], op);
        for (unsigned i = 0; i < sim->process_count; i++)
                if (sim->processes[i].store == (int)number)
                        process_feed(sim, i);
        if (op->kind == OP_COMMAND)
                store_commands(sim);
}

/* ---- Failover ----------------------------------------------------------------------------------------------------------- */

void store_failover(struct sim *sim)
{
        struct region_store *st = &sim->store;
        struct instance *old = &st->instances[st->primary], *in = &st->instances[!st->primary];
        int64_t lag_ms = sim->plan->rates[RATE_LAG_MS];

        clear(in);
        for (size_t i = 0; i < old->op_count; i++) {
                if (old->ops[i]->at_ms + lag_ms <= sim->now_ms) {
                        apply(in, old->ops[i]);
                        continue;
                }
                if (old->ops[i]->kind == OP_COMMIT)
                        sim_mark(sim, MARK_FAILOVER_LOST_COMMIT);
        }
        chart_note(sim, CHART_STORE, "failover, %zu writes lost", old->op_count - in->op_count);
        in->epoch = old->epoch;
        trace_copy(sim, !st->primary);
        st->primary = !st->primary;
        st->generation++;
        st->stale_until_ms = sim->now_ms + sim_between(&sim->chance, 0, STORE_STALE_MS);
        store_commands(sim);
}

void store_demote(struct sim *sim)
{
        struct region_store *st = &sim->store;
        struct instance *in = &st->instances[!st->primary];

        clear(in);
        in->epoch = st->instances[st->primary].epoch;
        trace_epoch(sim, "clear", !st->primary);
}

void store_free(struct region_store *store)
{
        for (int i = 0; i < 2; i++) {
                clear(&store->instances[i]);
                ids_free(&store->instances[i].alert_ids);
                ids_free(&store->instances[i].grave_ids);
                free(store->instances[i].ops);
        }
}

/* ---- What a dispatcher asks ----------------------------------------------------------------------------------------------- */

/* An answer on its way back: A the token, B result and version, octets the record or tombstone. */
static void answered(struct sim *sim, struct happening *it)
{
        struct process *p = &sim->processes[it->who];
        struct core_event event = { .kind = CORE_COMMITTED };
        unsigned connection = (unsigned)(it->b >> 32);
        size_t i = 0;

        if (p->core == NULL || p->store_run != connection)
                return; /* the connection is gone, and with it the answer */
        if (p->paused_until_ms > sim->now_ms) {
                struct happening *later = sim_at(sim, p->paused_until_ms - sim->now_ms, answered, it->who);

                later->a = it->a;
                later->b = it->b;
                later->octets = it->octets;
                later->len = it->len;
                it->octets = NULL;
                return;
        }
        while (i < p->flight_count && p->flights[i] != it->a)
                i++;
        if (i < p->flight_count)
                p->flights[i] = p->flights[--p->flight_count];
        event.u.committed.token = it->a;
        event.u.committed.result = (enum core_result)(it->b & 0xff);
        event.u.committed.version = (uint32_t)(it->b >> 8 & 0xffffff);
        event.u.committed.time_ms = process_now_ms(sim, it->who);
        if (event.u.committed.result == CORE_TOMBSTONE)
                memcpy(&event.u.committed.tombstone, it->octets, sizeof(event.u.committed.tombstone));
        else
                event.u.committed.record = (struct cbor_span){ it->octets, it->len };
        if (event.u.committed.result == CORE_FENCED) { /* the epoch, and everything, is read again */
                sim_mark(sim, MARK_FENCED);
                process_tell(sim, it->who, &event);
                process_leave_store(sim, it->who);
                process_join_store(sim, it->who, 500);
                return;
        }
        process_tell(sim, it->who, &event);
}

static void answer(struct sim *sim, unsigned process, uint64_t token, enum core_result result, uint32_t version,
                   struct cbor_span data)
{
        struct process *p = &sim->processes[process];
        int64_t at_ms = sim->now_ms + sim_between(&sim->chance, 0, sim->plan->rates[RATE_STORE_MS]);
        struct happening *it;

        p->answers_ms = at_ms > p->answers_ms ? at_ms : p->answers_ms;
        it = sim_at(sim, p->answers_ms - sim->now_ms, answered, process);

        it->a = token;
        it->b = (uint64_t)result | (uint64_t)version << 8 | (uint64_t)p->store_run << 32;
        sim_octets(it, data.at, data.len);
}

int64_t store_wait_ms(struct sim *sim, unsigned number)
{
        int64_t lag_ms = sim->plan->rates[RATE_LAG_MS];
        bool has_replica = number == sim->store.primary && lag_ms <= STORE_WAIT_MS;

        sim_mark(sim, has_replica ? MARK_WAITED : MARK_NO_REPLICA);
        return has_replica ? lag_ms : STORE_WAIT_MS;
}

/* A take or closure: on a link of its own, so that nothing else waits behind it. */
static void answer_later(struct sim *sim, unsigned process, uint64_t token, uint32_t version)
{
        struct process *p = &sim->processes[process];
        int64_t ms = store_wait_ms(sim, (unsigned)p->store);
        struct happening *it;

        ms += sim_between(&sim->chance, 0, sim->plan->rates[RATE_STORE_MS]);
        it = sim_at(sim, ms, answered, process);
        it->a = token;
        it->b = (uint64_t)CORE_OK | (uint64_t)version << 8 | (uint64_t)p->store_run << 32;
        sim_octets(it, "", 0);
}

static bool is_waited_for(const struct sim *sim, uint8_t event)
{
        return sim->plan->rates[RATE_WAITS] != 0 && (event == EVENT_TAKE || event == EVENT_CLOSE);
}

bool store_is_refusing(const struct sim *sim, unsigned number)
{
        return number == sim->store.primary ? sim->store.sick : sim->now_ms > sim->store.stale_until_ms;
}

/* An error is answered: whoever gets it leaves the store, and is back once that takes a write (store_trouble.c of the dispatcher). */
static void refused(struct sim *sim, struct happening *it)
{
        struct process *p = &sim->processes[it->who];

        if (p->core == NULL || p->store_run != it->b)
                return;
        process_leave_store(sim, it->who);
        process_join_store(sim, it->who, STORE_REST_MS);
}

static void refuse(struct sim *sim, unsigned process)
{
        struct process *p = &sim->processes[process];
        int64_t at_ms = sim->now_ms + sim_between(&sim->chance, 0, sim->plan->rates[RATE_STORE_MS]);

        p->answers_ms = at_ms > p->answers_ms ? at_ms : p->answers_ms;
        sim_at(sim, p->answers_ms - sim->now_ms, refused, process)->b = p->store_run;
}

static void commit(struct sim *sim, unsigned process, struct op *op, uint64_t token, uint32_t expected)
{
        struct process *p = &sim->processes[process];
        unsigned number = (unsigned)p->store;
        struct instance *in = &sim->store.instances[number];
        const struct grave *grave = store_grave(in, op->id);
        struct stored *s = store_find(in, op->id);
        uint32_t version = s != NULL ? s->version : 0;
        struct record old;
        bool was_closed = s != NULL && s->closed;
        struct trace_asked asked = {
                .epoch = p->epoch, .due_in_ms = op->due_ms, .expected = expected, .result = CORE_OK
        };

        if (store_is_refusing(sim, number)) {
                asked.result = CORE_UNKNOWN;
        } else if (p->epoch != in->epoch) {
                asked.result = CORE_FENCED;
        } else if (grave != NULL) {
                sim_mark(sim, MARK_TOMBSTONE_ANSWERED);
                asked.result = CORE_TOMBSTONE;
                asked.data = (struct cbor_span){ (const uint8_t *)&grave->tombstone, sizeof(grave->tombstone) };
        } else if (version != expected) {
                sim_mark(sim, MARK_CONFLICT);
                if (expected == 0)
                        sim_mark(sim, MARK_RAISED_TWICE);
                asked.result = CORE_CONFLICT;
                if (s != NULL)
                        asked.data = (struct cbor_span){ s->last->octets, s->last->len };
        }
        if (asked.result != CORE_UNKNOWN)
                trace_commit(sim, number, op, &asked);
        if (asked.result == CORE_OK) {
                if (s != NULL)
                        old = *store_record(s);
                op->due_ms += store_now_ms(sim, number);
                if (number != sim->store.primary)
                        sim_mark(sim, MARK_STALE_PRIMARY_WROTE);
                chart_note(sim, CHART_STORE, "%02x v%u %s %s%s", op->id[ALERT_ID_SIZE - 1], op->version,
                           alert_event_name(op->event), alert_state_name(op->state),
                           number != sim->store.primary ? " (stale)" : "");
                store_write(sim, number, op);
                check_committed(sim, number, store_record(store_find(in, op->id)), s != NULL ? &old : NULL, was_closed);
                if (is_waited_for(sim, op->event))
                        answer_later(sim, process, token, op->version);
                else
                        answer(sim, process, token, CORE_OK, op->version, (struct cbor_span){ 0 });
                return;
        }
        if (asked.result == CORE_UNKNOWN)
                refuse(sim, process);
        else
                answer(sim, process, token, asked.result, 0, asked.data);
        free(op);
}

static void look(struct sim *sim, unsigned process, const struct core_action *action)
{
        struct instance *in = &sim->store.instances[sim->processes[process].store];
        const struct grave *grave = store_grave(in, action->u.look.id);
        const struct stored *s = store_find(in, action->u.look.id);

        enum core_result result = grave != NULL ? CORE_TOMBSTONE : CORE_CONFLICT;
        struct cbor_span data = { 0 };

        if (grave != NULL)
                data = (struct cbor_span){ (const uint8_t *)&grave->tombstone, sizeof(grave->tombstone) };
        else if (s != NULL)
                data = (struct cbor_span){ s->last->octets, s->last->len };
        trace_look(sim, (unsigned)sim->processes[process].store, action->u.look.id, result, data);
        answer(sim, process, action->u.look.token, result, 0, data);
}

/* A request on its way: octets are a struct ask, then what it points to. */
struct ask {
        struct core_action action;
        struct op *op;
};

/* As octets: a struct has holes. */
static bool same_value(const struct op *a, const struct op *b)
{
        uint8_t x[NOTICE_MAX], y[NOTICE_MAX];
        int n = a->kind == OP_NOTICE ? notice_encode(&a->notice, x, sizeof(x))
                                     : duty_entry_encode(&a->duty, x, sizeof(x));
        int m = b->kind == OP_NOTICE ? notice_encode(&b->notice, y, sizeof(y))
                                     : duty_entry_encode(&b->duty, y, sizeof(y));

        assert(n > 0 && m > 0);
        return n == m && memcmp(x, y, (size_t)n) == 0;
}

static bool same_fact(const struct instance *in, const struct op *op)
{
        const struct op *const *facts = op->kind == OP_NOTICE ? in->notices : in->duty;
        size_t count = op->kind == OP_NOTICE ? in->notice_count : in->duty_count;

        for (size_t i = 0; i < count; i++)
                if (strcmp(facts[i]->key, op->key) == 0)
                        return facts[i]->on == op->on && (!op->on || same_value(facts[i], op));
        return !op->on;
}

static void fact(struct sim *sim, unsigned number, struct op *op)
{
        struct instance *in = &sim->store.instances[number];
        const struct op *before = NULL;

        bool same = same_fact(in, op);

        trace_fact(sim, number, op, !same);
        if (same) {
                free(op);
                return;
        }
        for (size_t i = 0; op->kind == OP_NOTICE && i < in->notice_count; i++)
                if (strcmp(in->notices[i]->key, op->key) == 0 && in->notices[i]->on)
                        before = in->notices[i];
        if (op->kind == OP_NOTICE && number == sim->store.primary)
                check_notice(sim, op->key, op->on ? &op->notice : NULL, before != NULL ? &before->notice : NULL);
        store_write(sim, number, op);
}

static void arrives(struct sim *sim, struct happening *it)
{
        const struct ask *ask = (const struct ask *)(const void *)it->octets;
        struct process *p = &sim->processes[it->who];
        unsigned number = (unsigned)(it->b & 1);

        /* What was sent on a connection that broke since may still arrive; its answer finds nobody. */
        if (sim->store.away || (p->store_run != it->b >> 1 && !sim_permille(&sim->chance, 500))) {
                free(ask->op);
                return;
        }
        if (p->store_run != it->b >> 1) {
                int store = p->store;

                if (ask->action.kind == DO_COMMIT)
                        sim_mark(sim, MARK_COMMIT_REPLY_LOST);
                if (ask->op == NULL || ask->op->kind != OP_COMMIT || p->epoch != sim->store.instances[number].epoch) {
                        free(ask->op);
                        return;
                }
                p->store = (int)number;
                commit(sim, it->who, ask->op, 0, ask->action.u.commit.expected);
                p->store = store;
                return;
        }
        if (ask->action.kind == DO_COMMIT)
                commit(sim, it->who, ask->op, ask->action.u.commit.token, ask->action.u.commit.expected);
        else if (ask->action.kind == DO_LOOK)
                look(sim, it->who, &ask->action);
        else if (ask->action.kind == DO_PROVE && !store_is_refusing(sim, number))
                answer(sim, it->who, ask->action.u.prove.token, CORE_OK, 0, (struct cbor_span){ 0 });
        else if (store_is_refusing(sim, number)) {
                refuse(sim, it->who); /* a test press too: no op */
                free(ask->op);
        } else if (ask->op->kind == OP_NOTICE || ask->op->kind == OP_DUTY)
                fact(sim, number, ask->op);
        else
                store_write(sim, number, ask->op);
}

void store_forget(struct happening *it)
{
        if (it->fn == arrives)
                free(((const struct ask *)(const void *)it->octets)->op);
}

static struct op *op_of(struct sim *sim, const struct core_action *a)
{
        struct op *op;

        switch (a->kind) {
        case DO_COMMIT:
                op = store_op(sim, OP_COMMIT, a->u.commit.record, a->u.commit.alert);
                memcpy(op->id, a->u.commit.id, ALERT_ID_SIZE);
                op->version = a->u.commit.version;
                op->event = a->u.commit.event;
                op->state = a->u.commit.state;
                op->due_ms = a->u.commit.due_in_ms;
                op->urgency = a->u.commit.urgency;
                op->closed = a->u.commit.closed;
                op->tombstone = a->u.commit.tombstone;
                op->gone_count = a->u.commit.gone_count;
                memcpy(op->gone, a->u.commit.gone, sizeof(op->gone));
                return op;
        case DO_NOTICE:
                op = store_op(sim, OP_NOTICE, (struct cbor_span){ 0 }, (struct cbor_span){ 0 });
                record_set_text(op->key, sizeof(op->key), a->u.notice.key);
                op->on = a->u.notice.notice != NULL;
                if (op->on)
                        op->notice = *a->u.notice.notice;
                return op;
        case DO_DUTY:
                op = store_op(sim, OP_DUTY, (struct cbor_span){ 0 }, (struct cbor_span){ 0 });
                record_set_text(op->key, sizeof(op->key), a->u.duty.person);
                op->on = a->u.duty.on;
                op->duty = a->u.duty.duty;
                return op;
        case DO_ANSWER:
                op = store_op(sim, OP_ANSWER, (struct cbor_span){ 0 }, (struct cbor_span){ 0 });
                op->code = a->u.answer.code;
                return op;
        case DO_ACKNOWLEDGE:
                op = store_op(sim, OP_ACK, (struct cbor_span){ 0 }, (struct cbor_span){ 0 });
                op->ref = a->u.acknowledge.ref;
                return op;
        default:
                return NULL;
        }
}

void store_do(struct sim *sim, unsigned process, const struct core_action *action)
{
        struct process *p = &sim->processes[process];
        struct ask ask = { .action = *action, .op = op_of(sim, action) };
        int64_t at_ms = sim->now_ms + sim_between(&sim->chance, 0, sim->plan->rates[RATE_STORE_MS]);
        struct happening *it;

        if (action->kind == DO_COMMIT || action->kind == DO_LOOK || action->kind == DO_PROVE) {
                assert(p->flight_count < 512);
                p->flights[p->flight_count++] = action->kind == DO_COMMIT ? action->u.commit.token
                                                : action->kind == DO_LOOK ? action->u.look.token
                                                                          : action->u.prove.token;
        }
        p->asks_ms = at_ms > p->asks_ms ? at_ms : p->asks_ms; /* one connection: in order */
        it = sim_at(sim, p->asks_ms - sim->now_ms, arrives, process);
        it->b = (uint64_t)p->store | (uint64_t)p->store_run << 1;
        sim_octets(it, &ask, sizeof(ask));
}
