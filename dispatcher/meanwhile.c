/* While the store is away a press rings all the same: who would be asked is asked by session and SMS, the control room by its number.
 * `meanwhile` is ALERT's record as it will be: the store's, and what waits for it.  Of what people do it has only that they have seen
 * it, or declined: nobody has an alert, and nobody closes one, before the store says so.  When the store is there again those asked
 * go into its record, and `meanwhile` ends.  The process that holds the press does it, and no other. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/core_parts.h"

/* Unverified alerts told to the control room's number: so many at once, then one each. */
#define CONTROL_BURST     5
#define CONTROL_REFILL_MS 60000

void meanwhile_late(struct core *core, struct open_alert *alert)
{
        if (alert->in_late)
                return;
        alert->in_late = true;
        alert->next_late = NULL;
        *core->late_end = alert;
        core->late_end = &alert->next_late;
}

static bool has_press(const struct open_alert *alert)
{
        for (size_t i = 0; i < alert->queued; i++)
                if (alert->queue[i]->type == FACT_ALERT)
                        return true;
        return false;
}

void meanwhile_away(struct core *core)
{
        struct open_alert *alert;

        for (size_t i = 0; (alert = table_next(&core->alerts, &i)) != NULL;)
                if (has_press(alert))
                        hold_look_at(core, alert, core->now_ms + CORE_KEPT_MS);
}

/* ---- As it will be -------------------------------------------------------------------------------------------------- */

/* What somebody did, as far as it counts already. */
static bool apply_command(struct core *core, const struct fact *fact, struct record *record)
{
        struct alert_actor actor;
        struct command command;
        struct alert_change change = {
                .now_ms = core->now_ms, .at_ms = fact->at_ms, .actor = &actor, .command = &command
        };

        if (record->version == 0 || command_decode(fact->bytes, fact->size, &command) < 0 ||
            right_actor(core, &command, fact, &actor) < 0)
                return false;
        switch (command.verb) {
        case COMMAND_SEEN:
        case COMMAND_TAKE:
        case COMMAND_JOIN:
                change.event = EVENT_SEEN;
                break;
        case COMMAND_DECLINE:
                change.event = EVENT_DECLINE;
                break;
        default:
                return false;
        }
        return alert_apply(record, &change, &core->ground) > 0;
}

static bool apply_facts(struct core *core, struct open_alert *alert, struct record *record)
{
        struct flow_change change;
        bool changed = false;

        for (size_t i = 0; i < alert->queued; i++) {
                struct fact *fact = alert->queue[i];

                if (hold_closed(core, fact->id) != NULL) /* of what is over: it waits, and rings nobody */
                        continue;
                if (fact->meant || (fact->state != FACT_READY && fact->state != FACT_FLYING))
                        continue;
                if (fact->type == FACT_COMMAND)
                        changed |= apply_command(core, fact, record);
                else if (record->version != 0 || memcmp(fact->id, alert->id, ALERT_ID_SIZE) == 0)
                        changed |= flow_apply(core, alert, fact, record, &change) > 0;
                fact->meant = true;
        }
        return changed;
}

/* Somebody says they are coming: the ladder waits. */
static bool is_coming(const struct open_alert *alert)
{
        for (size_t i = 0; i < alert->queued; i++)
                if (alert->queue[i]->coming && alert->queue[i]->state != FACT_DONE)
                        return true;
        return false;
}

static bool apply_deadline(struct core *core, const struct open_alert *alert, struct record *record)
{
        struct alert_change change = { .event = EVENT_DUE, .now_ms = core->now_ms, .at_ms = core->now_ms };

        return record->version != 0 && core->now_ms >= record->due_ms && !is_coming(alert) &&
               alert_apply(record, &change, &core->ground) > 0;
}

/* ---- Who is told ---------------------------------------------------------------------------------------------------- */

/* Whoever has no session here may be on another dispatcher, which knows nothing: by SMS. */
static void owe(struct core *core, struct record *record)
{
        for (size_t i = 0; i < record->asked_count; i++) {
                struct asked *asked = &record->asked[i];
                const struct person *person = directory_person(&core->directory, asked->id);

                if (person != NULL && person->sessions == NULL && asked->sms_state == SMS_NONE &&
                    asked->seen_at_ms == 0 && record->owner_id[0] == '\0')
                        ladder_owe_sms(asked, &core->ground, core->now_ms);
        }
}

static void tell_control(struct core *core, struct open_alert *alert, const struct record *record)
{
        struct sms_ref about = { .person = SMS_CONTROL_ID, .what = SMS_TO_CONTROL };

        if (!core->options.sms || core->control_number[0] == '\0' || alert->control_told ||
            (record->marks & RECORD_DRILL) != 0 ||
            ((record->marks & RECORD_UNVERIFIED) != 0 &&
             !bucket_take(&core->control_sms, core->now_ms, CONTROL_BURST, CONTROL_REFILL_MS)))
                return;
        alert->control_told = true;
        memcpy(about.alert, record->id, ALERT_ID_SIZE);
        sms_fill(sms_say_to(core, core->control_number, SMS_CONTROL, &about), record, core->now_ms);
}

/* Bit i: the i-th asked is owed an SMS since this very moment. */
static uint32_t owed_now(const struct core *core, const struct record *record)
{
        uint32_t bits = 0;

        _Static_assert(RECORD_ASKED_MAX <= 32, "one bit each");
        for (size_t i = 0; i < record->asked_count; i++)
                if (record->asked[i].sms_state == SMS_DUE && record->asked[i].sms_at_ms == core->now_ms)
                        bits |= UINT32_C(1) << i;
        return bits;
}

/* SENT: those who were owed one before this step. */
static void tell(struct core *core, struct open_alert *alert, uint32_t sent, bool changed)
{
        struct record *record = alert->meanwhile;
        uint32_t owed;

        owe(core, record);
        record->due_ms = ladder_due(record, &core->ground, ladder_heard(record, &core->ground, core->now_ms));
        owed = owed_now(core, record) & ~sent;
        for (size_t i = 0; i < record->asked_count; i++)
                if ((owed >> i & 1) != 0)
                        sms_ask(core, record, &record->asked[i]);
        tell_control(core, alert, record);
        if (changed)
                tell_who_is_asked(core, record);
}

/* ALERT's record of meanwhile, as the one that is known. */
static void begin(struct core *core, struct open_alert *alert)
{
        alert->meanwhile = malloc(sizeof(*alert->meanwhile));
        assert(alert->meanwhile != NULL);
        core->meanwhile_count++;
        hold_record(alert, alert->meanwhile);
}

static void go_on(struct core *core, struct open_alert *alert)
{
        bool begins = alert->meanwhile == NULL, changed;
        struct record *record;
        uint32_t sent;

        if (alert->noted_gone ||
            hold_closed(core, alert->id) != NULL) /* closed it stays, whatever the store has lost */
                return;
        if (begins && core->meanwhile_count == CORE_MEANWHILE_MAX) {
                core->counters.meanwhile_refused++;
                return;
        }
        if (begins)
                begin(core, alert);
        record = alert->meanwhile;
        sent = owed_now(core, record);
        changed = apply_facts(core, alert, record);
        if (record->version == 0) { /* no press of its own yet */
                meanwhile_end(core, alert);
                return;
        }
        changed |= apply_deadline(core, alert, record);
        tell(core, alert, sent, changed);
        core->counters.meanwhile += begins;
        if (record->version > alert->highest)
                alert->highest = record->version;
        hold_look_at(core, alert, record->due_ms > core->now_ms ? record->due_ms : core->now_ms + CORE_TICK_MS);
}

static bool waits(const struct open_alert *alert)
{
        for (size_t i = 0; i < alert->queued; i++)
                if (flow_waits(alert->queue[i]))
                        return true;
        return false;
}

bool meanwhile_step(struct core *core)
{
        struct open_alert *alert = core->late;

        if (alert == NULL)
                return false;
        core->late = alert->next_late;
        if (core->late == NULL)
                core->late_end = &core->late;
        alert->in_late = false;
        if (core->store_up && !waits(alert))
                return true;
        tell_kept(core, alert);
        if (core->store_up && alert->flight == FLIGHT_COMMIT && alert->version != 0)
                /* Its next record is there in a moment: below what would ring now, and without whom that asks.  A first press does not wait. */
                hold_look_at(core, alert, core->now_ms + CORE_TICK_MS);
        else
                go_on(core, alert);
        return true;
}

/* ---- The store is there again --------------------------------------------------------------------------------------- */

static bool merge_asked(struct record *record, const struct asked *from)
{
        int found = record_asked_find(record, from->id);
        struct asked *to = found >= 0 ? &record->asked[found] : &record->asked[record->asked_count];

        if (found < 0 && record->asked_count == RECORD_ASKED_MAX)
                return false; /* everybody near is asked already */
        if (found < 0) {
                *to = *from;
                to->seen_at_ms = 0; /* that waits, and comes */
                to->answer_path = BY_NONE;
                to->flags &= ASKED_HANDSET | ASKED_CONSOLE | ASKED_SMS_DUE | ASKED_MANAGER;
                record->asked_count++;
                return true;
        }
        if (from->sms_state == SMS_NONE || to->sms_state != SMS_NONE || (to->flags & ASKED_SMS_DUE) != 0)
                return false; /* it was in the record already, and is needed no more */
        to->sms_state = from->sms_state;
        to->sms_at_ms = from->sms_at_ms;
        to->flags |= ASKED_SMS_DUE;
        return true;
}

/* Whether RECORD, ALERT's in the store or (version 0) as its first press is about to raise it, is one that asks nobody: what has lifted it
 * meanwhile comes after. */
static bool is_unlifted(const struct open_alert *alert, const struct record *record)
{
        bool unverified = (record->marks & RECORD_UNVERIFIED) != 0;

        if (record->version == 0 && alert->queued > 0)
                unverified = alert->queue[0]->type == FACT_ALERT && alert->queue[0]->why != UNVERIFIED_NOT;
        return unverified && (alert->meanwhile->marks & RECORD_UNVERIFIED) == 0;
}

bool meanwhile_merge(const struct open_alert *alert, struct record *record)
{
        const struct record *from = alert->meanwhile;
        bool changed = false;

        if (from == NULL || record->state == ALERT_CLOSED || is_unlifted(alert, record))
                return false;
        if (record->version == 0)
                record->sms_checked = from->sms_checked; /* the same people, in the same order */
        for (size_t i = 0; i < from->asked_count; i++)
                changed |= merge_asked(record, &from->asked[i]);
        if (record->owner_id[0] == '\0' && from->stepped_at_ms > record->stepped_at_ms) {
                changed = true; /* also where it only rings once more: its deadline is another */
                record->step = from->step > record->step ? from->step : record->step;
                record->rings = from->rings > record->rings ? from->rings : record->rings;
                record->marks |= from->marks & RECORD_EXHAUSTED;
                record->stepped_at_ms = from->stepped_at_ms;
        }
        return changed;
}

void meanwhile_rebase(struct core *core, struct open_alert *alert, const struct record *record)
{
        struct record *base;

        if (alert->meanwhile == NULL || is_unlifted(alert, record))
                return;
        base = malloc(sizeof(*base));
        assert(base != NULL);
        *base = *record;
        (void)meanwhile_merge(alert, base);
        free(alert->meanwhile);
        alert->meanwhile = base;
        for (size_t i = 0; i < alert->queued; i++)
                alert->queue[i]->meant = false;
        hold_look_at(core, alert, core->now_ms);
}

void meanwhile_keep(struct core *core, struct open_alert *alert)
{
        if (alert->meanwhile != NULL || alert->version == 0 || core->meanwhile_count == CORE_MEANWHILE_MAX)
                return;
        begin(core, alert);
}

void meanwhile_follow(struct core *core, struct open_alert *alert, const struct record *record)
{
        for (size_t i = 0; i < alert->asked_count; i++) {
                if (i < record->asked_count && alert->asked[i] == person_mark(record->asked[i].id))
                        continue;
                meanwhile_keep(core, alert);
                flow_ready(core, alert);
                return;
        }
}

void meanwhile_over(struct core *core, struct open_alert *alert)
{
        struct record *record = alert->meanwhile;

        if (record == NULL)
                return;
        record->state = ALERT_CLOSED;
        record->close_reason = CLOSE_OTHER;
        record->closed_at_ms = core->now_ms;
        record->due_ms = 0;
        tell_who_is_asked(core, record);
}

void meanwhile_hear(const struct open_alert *alert, struct record *told)
{
        for (size_t i = 0; alert->meanwhile != NULL && i < alert->meanwhile->asked_count; i++)
                (void)merge_asked(told, &alert->meanwhile->asked[i]);
}

void meanwhile_end(struct core *core, struct open_alert *alert)
{
        core->meanwhile_count -= alert->meanwhile != NULL;
        free(alert->meanwhile);
        alert->meanwhile = NULL;
        alert->control_told = false;
        for (size_t i = 0; i < alert->queued; i++)
                alert->queue[i]->meant = false;
}
