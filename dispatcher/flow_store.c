/* Facts on their way to the store: what is proposed, by which record; what comes of a fact that changes nothing. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/core_parts.h"
#include "dispatcher/intake.h"

/* What is to be committed, and by whom. */
struct proposal {
        struct record record;
        struct fact *fact; /* NULL: a deadline, SMS, or a record brought back */
        struct flow_change change;
        struct cbor_span alert;                     /* the signed alert, where it is the highest revision */
        int64_t owed_ms[RECORD_ASKED_MAX], told_ms; /* SMS that were owed before: since when; 0 not */
        uint32_t told;                              /* bit i: the i-th asked was told before */
        uint8_t before;                             /* what a receipt would have said */
};

static int apply_alert(struct core *core, const struct open_alert *alert, const struct fact *fact,
                       struct record *record, enum alert_event *ret_event)
{
        struct alert_press press;
        struct alert_change change = {
                .now_ms = core->now_ms, .at_ms = fact->at_ms, .replayed = fact->replayed, .press = &press
        };

        (void)intake_read((struct cbor_span){ fact->bytes, fact->size }, &press);
        assert(record->version != 0 ||
               memcmp(fact->id, alert->id, ALERT_ID_SIZE) == 0); /* its own press is the first */
        memcpy(press.id, fact->id, ALERT_ID_SIZE);
        memcpy(press.handset, fact->handset, HANDSET_ID_SIZE);
        press.why = fact->why;
        press.paths = fact->path;
        press.came_ms = fact->at_ms;
        *ret_event = change.event = record->version == 0 ? EVENT_RAISE : EVENT_UPDATE;
        return alert_apply(record, &change, &core->ground);
}

static int apply_command(struct core *core, const struct fact *fact, struct record *record, enum alert_event *ret_event,
                         struct alert_actor *ret_actor)
{
        struct command command;
        struct alert_change change = { .now_ms = core->now_ms,
                                       .at_ms = fact->at_ms,
                                       .event_id = fact->event_id,
                                       .replayed = fact->replayed,
                                       .actor = ret_actor,
                                       .command = &command };
        int r = command_decode(fact->bytes, fact->size, &command);

        assert(r == 0); /* we wrote it */
        r = right_actor(core, &command, fact, ret_actor);
        if (r < 0)
                return r;
        change.event = alert_event_of(command.verb);
        change.had = alert_is_past_take(record, &change);
        if (change.had)
                change.event = EVENT_SEEN;
        *ret_event = change.event;
        return alert_apply(record, &change, &core->ground);
}

int flow_apply(struct core *core, const struct open_alert *alert, const struct fact *fact, struct record *record,
               struct flow_change *ret_change)
{
        return fact->type == FACT_ALERT ? apply_alert(core, alert, fact, record, &ret_change->event)
                                        : apply_command(core, fact, record, &ret_change->event, &ret_change->actor);
}

static void fly(struct core *core, struct open_alert *alert, enum flight flight)
{
        struct flying *flying;

        alert->token = ++core->tokens;
        alert->flight = flight;
        alert->expected = flight == FLIGHT_COMMIT ? alert->stored : 0;
        if (flight == FLIGHT_LOOK)
                alert->proposal_event = 0;
        flying = table_add(&core->flights, &alert->token);
        memcpy(flying->id, alert->id, ALERT_ID_SIZE);
        core->counters.commits = (int64_t)core->flights.count;
}

static void fill_gone(const struct core *core, struct core_action *action, const struct record *record)
{
        action->u.commit.closed = true;
        action->u.commit.tombstone = hold_tombstone(record);
        action->u.commit.gone_count = hold_ids(core, record, action->u.commit.gone);
}

/* Bit i: the i-th asked is told that somebody has RECORD, or that it is over. */
static uint32_t told_of(const struct record *record)
{
        uint32_t told = 0;

        for (size_t i = 0; i < record->asked_count; i++)
                if ((record->asked[i].flags & ASKED_TOLD) != 0)
                        told |= UINT32_C(1) << i;
        return told;
}

/* What is sent once PROPOSAL is in the store: the SMS that it owes and that were not owed before. */
static void note_owed(struct open_alert *alert, const struct proposal *proposal)
{
        const struct record *record = &proposal->record;

        _Static_assert(RECORD_ASKED_MAX <= 32, "one bit each");
        alert->owes = 0;
        for (size_t i = 0; i < record->asked_count; i++)
                if (record->asked[i].sms_state == SMS_DUE && record->asked[i].sms_at_ms != proposal->owed_ms[i])
                        alert->owes |= UINT32_C(1) << i;
        alert->news = told_of(record) & ~proposal->told;
        alert->owes_receipt = record->told_sms_state == SMS_DUE && (record->told_sms_at_ms != proposal->told_ms ||
                                                                    record_receipt_state(record) != proposal->before);
}

/* RECORD, which replaces ALERT's, in the chain of its records (PROTOCOL.md 8). */
static void chain(const struct core *core, const struct open_alert *alert, struct record *record)
{
        const struct core_options *options = &core->options;
        uint8_t from[sizeof(options->salt_seed) + ALERT_ID_SIZE + sizeof(record->version)], hash[RECORD_HASH_SIZE];

        memset(record->before, 0, sizeof(record->before));
        if (alert->version != 0)
                options->hash(options->user, (struct cbor_span){ alert->record, alert->record_size }, record->before);
        memcpy(from, options->salt_seed, sizeof(options->salt_seed));
        memcpy(from + sizeof(options->salt_seed), alert->id, ALERT_ID_SIZE);
        memcpy(from + sizeof(options->salt_seed) + ALERT_ID_SIZE, &record->version, sizeof(record->version));
        options->hash(options->user, CBOR_OCTETS(from), hash);
        memcpy(record->salt, hash, sizeof(record->salt));
}

static void commit(struct core *core, struct open_alert *alert, struct proposal *proposal)
{
        struct record *record = &proposal->record;
        struct core_action *action = core_do(core, DO_COMMIT);
        uint8_t *buf = malloc(RECORD_MAX);
        int n;

        if (record->version <= alert->highest)
                record->version = alert->highest + 1;
        chain(core, alert, record);
        n = buf != NULL ? record_encode(record, buf, RECORD_MAX) : -ENOMEM;
        assert(n > 0);
        alert->proposal = realloc(buf, (size_t)n);
        assert(alert->proposal != NULL);
        alert->proposal_size = (size_t)n;
        alert->proposal_event = (uint8_t)proposal->change.event;
        alert->flying = proposal->fact;
        if (proposal->fact != NULL)
                proposal->fact->state = FACT_FLYING;
        else
                alert->due_now = false;
        note_owed(alert, proposal);
        fly(core, alert, FLIGHT_COMMIT);
        action->u.commit.token = alert->token;
        memcpy(action->u.commit.id, alert->id, ALERT_ID_SIZE);
        action->u.commit.expected = alert->expected;
        action->u.commit.version = record->version;
        action->u.commit.event = (uint8_t)proposal->change.event;
        action->u.commit.by = (const char *)core_keep_octets(core, proposal->change.actor.person, PERSON_ID_MAX + 1).at;
        if (proposal->fact != NULL && proposal->fact->type == FACT_COMMAND)
                action->u.commit.command = core_keep_octets(core, proposal->fact->event_id, EVENT_ID_SIZE).at;
        action->u.commit.due_in_ms = record->due_ms > core->now_ms ? record->due_ms - core->now_ms : 0;
        action->u.commit.urgency = record_urgency(record);
        action->u.commit.state = (uint8_t)record->state;
        action->u.commit.record = core_keep_octets(core, alert->proposal, alert->proposal_size);
        action->u.commit.alert = core_keep_octets(core, proposal->alert.at, proposal->alert.len);
        if (record->state == ALERT_CLOSED)
                fill_gone(core, action, record);
}

/* A command that is refused is not offered again, whatever happens to the store. */
static void note_refused(struct core *core, struct fact *fact)
{
        uint8_t buf[FACT_MAX];

        if (fact->type != FACT_COMMAND || fact->bare)
                return;
        fact->refused = true;
        (void)core_append(core, (struct cbor_span){ buf, fact_encode(fact, buf) });
}

void flow_settle(struct core *core, struct open_alert *alert, struct fact *fact, int r)
{
        struct record record;

        hold_record(alert, &record);
        flow_done(core, fact);
        if (fact->type == FACT_COMMAND)
                right_answer(core, fact, (uint8_t)-r, &record);
        else if (fact->owed)
                tell_handset(core, alert, &record);
        else
                tell_waiting(core, alert, &record);
        fact->owed = false;
        if (r < 0) {
                note_refused(core, fact);
                flow_remove(core, alert, fact);
                free(fact);
        }
}

/* The record that ALERT's PROPOSAL begins with. */
static void begin(struct core *core, struct open_alert *alert, struct proposal *proposal)
{
        struct record *record = &proposal->record;

        hold_record(alert, record);
        record_set_text(alert->owner_before, sizeof(alert->owner_before),
                        record->owner_path == BY_SMS ? record->owner_id : "");
        alert->proposal_merged = meanwhile_merge(alert, record);
        if (alert->proposal_merged) /* an SMS that it owes since may be due sooner */
                record->due_ms = ladder_due(record, &core->ground, ladder_heard(record, &core->ground, core->now_ms));
        for (size_t i = 0; i < record->asked_count; i++)
                proposal->owed_ms[i] = record->asked[i].sms_state == SMS_DUE ? record->asked[i].sms_at_ms : 0;
        proposal->told = told_of(record);
        proposal->told_ms = record->told_sms_state == SMS_DUE ? record->told_sms_at_ms : 0;
        proposal->before = record_receipt_state(record);
}

static void offer_fact(struct core *core, struct open_alert *alert, struct fact *fact)
{
        struct proposal proposal = { .fact = fact };
        bool own = memcmp(fact->id, alert->id, ALERT_ID_SIZE) == 0;
        uint16_t revision;
        int r;

        begin(core, alert, &proposal);
        revision = proposal.record.revision;
        r = flow_apply(core, alert, fact, &proposal.record, &proposal.change);
        if (r > 0 && fact->type == FACT_ALERT && own && (alert->version == 0 || proposal.record.revision > revision))
                proposal.alert = (struct cbor_span){ fact->bytes, fact->size };
        if (r > 0) {
                commit(core, alert, &proposal);
                return;
        }
        flow_settle(core, alert, fact, r);
        flow_ready(core, alert); /* what else waits */
}

/* The newest signed alert that we have of ALERT. */
static struct cbor_span last_alert(const struct open_alert *alert)
{
        for (size_t i = alert->queued; i-- > 0;)
                if (alert->queue[i]->type == FACT_ALERT && memcmp(alert->queue[i]->id, alert->id, ALERT_ID_SIZE) == 0)
                        return (struct cbor_span){ alert->queue[i]->bytes, alert->queue[i]->size };
        return (struct cbor_span){ 0 };
}

static void offer_deadline(struct core *core, struct open_alert *alert)
{
        struct alert_change change = { .event = EVENT_DUE, .now_ms = core->now_ms, .at_ms = core->now_ms };
        struct proposal proposal = { .change.event = alert->bring_back ? EVENT_UPDATE : EVENT_DUE };

        begin(core, alert, &proposal);
        if (alert->bring_back)
                proposal.alert = last_alert(alert);
        if (alert->bring_back || alert_apply(&proposal.record, &change, &core->ground) > 0) {
                commit(core, alert, &proposal);
                return;
        }
        /* Early by the clock, or done meanwhile, which is to be noted: it will be due. */
        alert->due_now = false;
        if (alert->meanwhile != NULL)
                flow_ready(core, alert);
        wheel_arm(&core->wheel, &alert->due,
                  (proposal.record.due_ms > core->now_ms ? proposal.record.due_ms : core->now_ms) + CORE_RANK_MS);
}

/* Phones were shown a version above the store's, which a failover took back: they see no news below it. */
static void offer_above(struct core *core, struct open_alert *alert)
{
        struct proposal proposal = { .change.event = EVENT_UPDATE };

        begin(core, alert, &proposal);
        commit(core, alert, &proposal);
}

/* What became of SMS, and who was asked meanwhile. */
static void offer_note(struct core *core, struct open_alert *alert)
{
        struct proposal proposal = { .change.event = EVENT_SMS };
        struct alert_change change = { .event = EVENT_SMS, .now_ms = core->now_ms, .at_ms = core->now_ms };
        struct alert_sms sms;

        begin(core, alert, &proposal);
        sms = sms_collect(alert, &proposal.record);
        change.sms = &sms;
        change.merged = alert->proposal_merged;
        if (alert_apply(&proposal.record, &change, &core->ground) > 0)
                commit(core, alert, &proposal);
        else
                sms_landed(alert, true); /* nothing new */
        if (!alert->proposal_merged)
                meanwhile_end(core, alert); /* the store has all of it */
        flow_ready(core, alert);
}

/* It was closed, and a failover lost that: closed it stays. */
static void offer_closure(struct core *core, struct open_alert *alert)
{
        struct proposal proposal = { .change.event = EVENT_CLOSE };
        const struct closed_alert *closed = hold_closed(core, alert->id);

        alert->close_again = false;
        if (closed == NULL) {
                flow_ready(core, alert); /* what waited behind it */
                return;
        }
        begin(core, alert, &proposal);
        hold_close(&proposal.record, &closed->tombstone);
        reclose_fill(closed, &proposal.record);
        proposal.record.version++;
        proposal.record.changed_at_ms = core->now_ms;
        alert_owe_receipt(&proposal.record, &core->ground, core->now_ms); /* what was told by SMS was lost with it */
        commit(core, alert, &proposal);
}

/* The keeper has opened where the carrier was last. */
static void offer_place(struct core *core, struct open_alert *alert)
{
        struct proposal proposal = { .change.event = EVENT_UPDATE };

        begin(core, alert, &proposal);
        if (!place_fill(alert, &proposal.record)) {
                flow_ready(core, alert);
                return;
        }
        proposal.record.version++;
        proposal.record.changed_at_ms = core->now_ms;
        commit(core, alert, &proposal);
}

static struct fact *next_fact(const struct open_alert *alert)
{
        for (size_t i = 0; i < alert->queued; i++)
                if (alert->queue[i]->state != FACT_DONE)
                        return alert->queue[i];
        return NULL;
}

/* A press whose alert is not there, on a handset that has another one open, belongs to that one. */
static bool route_again(struct core *core, struct open_alert *alert, struct fact *fact)
{
        struct handset *handset = directory_handset(&core->directory, fact->handset);
        struct alert_press press;
        struct open_alert *other;

        if (alert->version != 0 || fact->type != FACT_ALERT || fact->why != UNVERIFIED_NOT || handset == NULL)
                return false;
        (void)intake_read((struct cbor_span){ fact->bytes, fact->size }, &press);
        other = offer_route(handset, press.alert.kind == ALERT_DRILL);
        if (other == NULL || other == alert || other->version == 0 || flow_queue(core, other, fact) < 0)
                return false;
        if (memcmp(alert->id, fact->id, ALERT_ID_SIZE) == 0)
                fact->shown = alert->highest;
        hold_wait_move(alert, other, fact->id);
        flow_remove(core, alert, fact); /* it is counted there now */
        return true;
}

/* Before a press on another phone becomes part of ALERT, the store is asked whether it is one that was closed long ago, or raised
 * by another dispatcher. */
static bool must_look_up(const struct open_alert *alert, const struct fact *fact)
{
        struct record record;

        if (fact->type != FACT_ALERT || fact->looked_up || memcmp(fact->id, alert->id, ALERT_ID_SIZE) == 0)
                return false;
        hold_record(alert, &record);
        return alert_alias_find(&record, fact->id + HANDSET_ID_SIZE) < 0;
}

/* Ask the store for the alert ID, because of FACT, or (NULL) because ALERT was not among the open ones. */
static void look_up(struct core *core, struct open_alert *alert, const uint8_t id[ALERT_ID_SIZE], struct fact *fact)
{
        struct core_action *action = core_do(core, DO_LOOK);

        alert->flying = fact;
        if (fact != NULL)
                fact->state = FACT_FLYING;
        fly(core, alert, FLIGHT_LOOK);
        action->u.look.token = alert->token;
        memcpy(action->u.look.id, id, ALERT_ID_SIZE);
}

static void step(struct core *core, struct open_alert *alert)
{
        struct fact *fact = next_fact(alert);

        if (alert->look)
                look_up(core, alert, alert->id, NULL);
        else if (!core->disk_full && flow_has_bare(alert))
                flow_write_down_later(core, alert);
        else if (alert->close_again)
                offer_closure(core, alert);
        else if (fact != NULL && fact->state != FACT_READY && alert->version != 0 && alert->due_now)
                offer_deadline(core, alert); /* no deadline waits for a slow disk */
        else if (fact != NULL && fact->state != FACT_READY)
                return; /* the journal has it not yet; those behind wait too */
        else if (fact != NULL && route_again(core, alert, fact))
                flow_ready(core, alert);
        else if (fact != NULL && must_look_up(alert, fact))
                look_up(core, alert, fact->id, fact);
        else if (fact != NULL)
                offer_fact(core, alert, fact);
        else if (alert->version == 0 && alert->queued == 0) {
                meanwhile_over(core, alert);
                hold_drop(core, alert);
        } else if (alert->version != 0 && (alert->bring_back || alert->due_now))
                offer_deadline(core, alert);
        else if (alert->version != 0 && (alert->report_count > 0 || alert->meanwhile != NULL))
                offer_note(core, alert);
        else if (alert->version != 0 && alert->has_place)
                offer_place(core, alert);
        else if (alert->version != 0 && alert->version < alert->highest)
                offer_above(core, alert);
}

bool flow_step(struct core *core)
{
        struct open_alert *alert = core->ready;

        if (!core->store_up || core->fenced || alert == NULL || core->now_ms < core->rest_ms ||
            core->flights.count >= CORE_COMMITS_MAX)
                return false;
        core->ready = alert->next_ready;
        if (core->ready == NULL)
                core->ready_end = &core->ready;
        alert->in_ready = false;
        if (alert->flight == FLIGHT_NONE && !alert->unreadable)
                step(core, alert);
        return true;
}
