/* The end of an alert: what stays of it, which presses have no part in it, who is told. */
#include <stdlib.h>
#include <string.h>

#include "dispatcher/core_parts.h"
#include "dispatcher/intake.h"

/* Marks that a press makes, and that only add up. */
#define PRESS_MARKS                                                                                                 \
        (RECORD_SILENT | RECORD_DURESS | RECORD_MISTAKE | RECORD_PRESSED_AGAIN | RECORD_LAST_WORDS | RECORD_STILL | \
         RECORD_BAD_POSITION)

struct tombstone hold_tombstone(const struct record *record)
{
        struct tombstone tombstone = { .version = record->version,
                                       .state = record_receipt_state(record),
                                       .closed_at_ms = record->closed_at_ms,
                                       .revision = record->revision,
                                       .marks = record->marks };

        record_set_text(tombstone.who, sizeof(tombstone.who), record->closed_by_name);
        for (size_t i = 0; i < record->alias_count; i++) /* it goes under each id of it */
                if (record->aliases[i].revision > tombstone.revision)
                        tombstone.revision = record->aliases[i].revision;
        return tombstone;
}

struct closed_alert *hold_closed(const struct core *core, const uint8_t id[ALERT_ID_SIZE])
{
        struct closed_alert *closed = table_find(&core->closed, id);

        return closed != NULL && !closed->open ? closed : NULL;
}

void hold_raised(struct core *core, const struct record *record)
{
        struct closed_alert *closed = table_find(&core->closed, record->id);

        if (closed != NULL && closed->guessed && record->state != ALERT_CLOSED &&
            record->raised_at_ms > closed->tombstone.closed_at_ms)
                closed->open = true;
}

/* What is remembered of ID, which was remembered before. */
static void remember_again(struct closed_alert *closed, const struct tombstone *tombstone, bool guessed)
{
        if (closed->open)
                closed->tombstone = *tombstone;
        closed->open = false;
        closed->guessed &= guessed;
        closed->tombstone.marks |= tombstone->marks;
}

static void remember(struct core *core, const uint8_t id[ALERT_ID_SIZE], const struct tombstone *tombstone,
                     bool guessed)
{
        struct closed_alert *closed = table_find(&core->closed, id);

        if (closed != NULL) {
                remember_again(closed, tombstone, guessed);
                return;
        }
        if (core->closed.count == core->closed.max) {
                closed = core->closed_oldest;
                core->closed_oldest = closed->newer;
                if (core->closed_kept == closed)
                        core->closed_kept = closed->newer;
                reclose_forget(core, closed);
                table_remove(&core->closed, closed);
        }
        closed = table_add(&core->closed, id);
        closed->tombstone = *tombstone;
        closed->guessed = guessed;
        closed->learnt_ms = core->now_ms;
        *(core->closed_oldest == NULL ? &core->closed_oldest : &core->closed_newest->newer) = closed;
        core->closed_newest = closed;
        if (core->closed_kept == NULL)
                core->closed_kept = closed;
}

void hold_remember_id(struct core *core, const uint8_t id[ALERT_ID_SIZE], const struct tombstone *tombstone)
{
        remember(core, id, tombstone, false);
}

size_t hold_ids(const struct core *core, const struct record *record, uint8_t (*ret_ids)[ALERT_ID_SIZE])
{
        size_t count = 1;

        memcpy(ret_ids[0], record->id, ALERT_ID_SIZE);
        for (size_t i = 0; i < record->alias_count; i++) {
                const struct open_alert *other;

                memcpy(ret_ids[count], record->handset, HANDSET_ID_SIZE);
                memcpy(ret_ids[count] + HANDSET_ID_SIZE, record->aliases[i].nonce, ALERT_NONCE_SIZE);
                other = hold_find(core, ret_ids[count]);
                count += other == NULL || other->version == 0;
        }
        return count;
}

void hold_remember(struct core *core, const struct record *record, const struct tombstone *tombstone, bool seen)
{
        uint8_t ids[1 + RECORD_ALIASES_MAX][ALERT_ID_SIZE];
        size_t count = hold_ids(core, record, ids);

        for (size_t i = 0; i < count; i++) {
                struct tombstone its = *tombstone;
                int alias = alert_alias_find(record, ids[i] + HANDSET_ID_SIZE);

                if (i == 0 && record->version != 0 && record->alias_count > 0)
                        its.revision = record->revision;
                else if (i > 0 && alias >= 0)
                        its.revision = record->aliases[alias].revision;
                remember(core, ids[i], &its, i > 0 && !seen);
        }
}

void hold_close(struct record *record, const struct tombstone *tombstone)
{
        record->state = ALERT_CLOSED;
        record->version = tombstone->version > record->version ? tombstone->version : record->version;
        record->close_reason = tombstone->state >= CLOSE_HELPED ? tombstone->state : CLOSE_OTHER;
        record->closed_at_ms = tombstone->closed_at_ms;
        alert_leave_later(record);
        record->revision =
                tombstone->revision; /* a press beyond that was not in what was closed, and its phone raises it anew */
        record->marks |= tombstone->marks & PRESS_MARKS; /* of presses that the store lost */
        record->due_ms = 0;
        record_set_text(record->closed_by_name, sizeof(record->closed_by_name), tombstone->who);
}

/* A press on another phone that came when this was closed already in the store: an alert of its own.  So is one that became part of it
 * after a failover had lost its closure. */
static bool is_another(const struct record *record, const struct fact *fact)
{
        bool full = record->alias_count == RECORD_ALIASES_MAX; /* it may have been, and was the oldest */

        return fact->type == FACT_ALERT && (fact->state != FACT_DONE || !full) &&
               memcmp(record->id, fact->id, ALERT_ID_SIZE) != 0 &&
               alert_alias_find(record, fact->id + HANDSET_ID_SIZE) < 0;
}

/* FACT is a press that ALERT, which is gone, has no part in: it goes to another open alert of its handset, or begins one. */
static bool move_on(struct core *core, struct open_alert *alert, struct fact *fact)
{
        struct handset *handset = directory_handset(&core->directory, fact->handset);
        struct open_alert *other = NULL;
        struct alert_press press;
        bool drill;

        (void)intake_read((struct cbor_span){ fact->bytes, fact->size }, &press);
        drill = press.alert.kind == ALERT_DRILL;
        if (handset != NULL)
                other = offer_route(handset, drill);
        if (other == NULL || !flow_has_room(other, fact->id)) { /* none is full for a press: see offer_alert() */
                other = hold_need(core, fact->id);
                if (other != NULL)
                        hold_claim(core, other, fact->handset, drill ? RECORD_DRILL : 0);
        }
        if (fact->state == FACT_DONE && fact->shown < alert->highest)
                fact->shown = alert->highest; /* it was a part of that, and its phone was told so */
        if (other == NULL || flow_queue(core, other, fact) < 0)
                return false;
        if (fact->state == FACT_FLYING)
                fact->state = FACT_READY;
        if (fact->state == FACT_DONE) {
                fact->state = FACT_READY;
                fact->replayed = true;
                core->counters.waiting++;
        }
        hold_wait_move(alert, other, fact->id);
        flow_ready(core, other);
        return true;
}

/* Presses that ALERT has no part in, and who waits for them, go elsewhere before anybody is told that it is closed. */
static void move_others(struct core *core, struct open_alert *alert, const struct record *record)
{
        size_t kept = 0;

        for (size_t i = 0; i < alert->queued; i++) {
                struct fact *fact = alert->queue[i];

                if (!is_another(record, fact)) {
                        alert->queue[kept++] = fact;
                        continue;
                }
                fact->meant = false;
                core->counters.waiting -= flow_waits(fact);
                if (!move_on(core, alert, fact)) {
                        core->counters.waiting += flow_waits(fact);
                        fact->alert = alert;
                        alert->queue[kept++] = fact;
                }
        }
        alert->queued = (uint8_t)kept;
}

/* SEEN: RECORD is what was closed; else it is as we knew it, and what was applied there may be lost: then that it is closed is all we know. */
static void settle_facts(struct core *core, struct open_alert *alert, const struct record *record, bool seen)
{
        for (size_t i = 0; i < alert->queued; i++) {
                struct fact *fact = alert->queue[i];

                fact->alert = NULL;
                core->counters.waiting -= flow_waits(fact);
                if (fact->type == FACT_COMMAND && fact->state != FACT_DONE)
                        right_answer(core, fact,
                                     seen && record_applied(record, fact->event_id) ? ANSWER_DONE : ANSWER_CLOSED,
                                     record);
                if (fact->state != FACT_WAITS) {
                        flow_release(core, fact);
                        free(fact);
                }
        }
        alert->queued = 0;
}

/* In the journal: what it has of this alert is worth nothing any more. */
static void note_gone(struct core *core, const struct record *record)
{
        uint8_t ids[1 + RECORD_ALIASES_MAX][ALERT_ID_SIZE], buf[FACT_MAX];
        size_t count = hold_ids(core, record, ids);

        (void)core_append(core, (struct cbor_span){ buf, fact_encode_gone(ids, count, buf) });
}

/* ALERT, of which no record was ever seen, is closed: whoever waits for that very press is told, and its phone. */
static void tell_gone(struct core *core, struct open_alert *alert, const struct tombstone *tombstone)
{
        bool forged = alert->handset != NULL && memcmp(alert->id, alert->handset->id, HANDSET_ID_SIZE) != 0;

        if (!forged && alert->queued > 0) /* else it was looked up alone: its phone was told */
                tell_press_closed(core, alert, alert->id, tombstone);
        for (size_t i = 0; forged && i < alert->waiting_count; i++)
                tell_closed(core, tombstone, &alert->waiting[i]);
}

/* Whether ALERT has the press of another phone of HANDSET's with NONCE. */
static bool has_alias_fact(const struct open_alert *alert, const uint8_t handset[HANDSET_ID_SIZE],
                           const uint8_t nonce[ALERT_NONCE_SIZE])
{
        for (size_t i = 0; i < alert->queued; i++)
                if (alert->queue[i]->type == FACT_ALERT && memcmp(alert->queue[i]->id, handset, HANDSET_ID_SIZE) == 0 &&
                    memcmp(alert->queue[i]->id + HANDSET_ID_SIZE, nonce, ALERT_NONCE_SIZE) == 0)
                        return true;
        return false;
}

/* RECORD, of an alert that was seen in no store, as its own presses in ALERT make it; nobody is asked any more.  False: there is none. */
static bool raise_unseen(struct core *core, const struct open_alert *alert, struct record *record)
{
        struct flow_change change;

        for (size_t i = 0; i < alert->queued; i++) {
                const struct fact *fact = alert->queue[i];

                if (fact->type == FACT_ALERT && memcmp(fact->id, alert->id, ALERT_ID_SIZE) == 0)
                        (void)flow_apply(core, alert, fact, record, &change);
        }
        record->asked_count = 0;
        return record->version != 0;
}

/* ALERT as it was closed where we did not see it: a press that was to become part of it is none of what was closed.  One that was, and that
 * we have, may have been lost by a failover before: the store is asked for it under its own id.  Returns whether the record is one to be
 * committed again where a failover loses it. */
static bool close_unseen(struct core *core, const struct open_alert *alert, const struct tombstone *tombstone,
                         struct record *ret_record)
{
        bool is_whole = true;
        struct record known;

        hold_meant(alert, ret_record);
        hold_record(alert, &known);
        ret_record->alias_count = 0;
        for (size_t i = 0; i < known.alias_count; i++)
                if (!has_alias_fact(alert, known.handset, known.aliases[i].nonce))
                        ret_record->aliases[ret_record->alias_count++] = known.aliases[i];
        if (ret_record->version == 0)
                is_whole = raise_unseen(core, alert, ret_record);
        memcpy(ret_record->id, alert->id, ALERT_ID_SIZE);
        hold_close(ret_record, tombstone);
        return is_whole;
}

void hold_gone(struct core *core, struct open_alert *alert, const struct tombstone *tombstone,
               const struct record *closed)
{
        struct tombstone its = *tombstone; /* with what came too late */
        bool has_facts = alert->queued > 0, is_whole = true;
        struct record record;

        if (closed != NULL)
                record = *closed;
        else
                is_whole = close_unseen(core, alert, tombstone, &record);
        hold_unplace(core, alert); /* so that none of them comes back */
        move_others(core, alert, &record);
        meanwhile_follow(core, alert, &record);
        if (alert->meanwhile != NULL)
                sms_closed_unseen(core, alert->meanwhile, &record);
        meanwhile_hear(alert, &record);
        for (size_t i = 0; i < record.asked_count; i++) {
                struct person *person = directory_person(&core->directory, record.asked[i].id);

                if (person != NULL)
                        person->closed_ms = core->now_ms;
        }
        if (alert->version != 0 || closed != NULL || alert->meanwhile != NULL)
                tell_alert(core, alert, &record);
        else
                tell_gone(core, alert, tombstone);
        hold_unclaim(core, alert);
        notice_lost(core, alert->id, &its);
        for (size_t i = 0; i < alert->queued;
             i++) /* also what was committed: a failover may have lost it before it was closed */
                notice_late(core, alert->queue[i], &its);
        settle_facts(core, alert, &record, closed != NULL);
        hold_remember(core, &record, &its, closed != NULL);
        if (is_whole)
                reclose_keep(core, &record, closed != NULL);
        if (has_facts)
                note_gone(core, &record);
        hold_drop(core, alert);
}
