#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/core_parts.h"

static void count(struct core_counters *counters, const struct open_alert *alert, const struct record *record)
{
        uint64_t *const by_event[EVENT_END] = {
                [EVENT_RAISE] = &counters->raised,        [EVENT_UPDATE] = &counters->updated,
                [EVENT_SEEN] = &counters->seen,           [EVENT_TAKE] = &counters->taken,
                [EVENT_RELEASE] = &counters->released,    [EVENT_JOIN] = &counters->joined,
                [EVENT_PROGRESS] = &counters->progressed, [EVENT_CLOSE] = &counters->closed,
                [EVENT_DUE] = &counters->climbed,         [EVENT_DECLINE] = &counters->declined,
        };

        if (alert->proposal_event < EVENT_END && by_event[alert->proposal_event] != NULL)
                (*by_event[alert->proposal_event])++;
        if (alert->proposal_event == EVENT_RAISE && (record->marks & RECORD_UNVERIFIED) != 0)
                counters->unverified++;
}

/* FACT, a command, is in RECORD.  A take that somebody else's has replaced is none; where nobody has it by now, they ring again. */
static void answer(struct core *core, const struct open_alert *alert, const struct fact *fact,
                   const struct record *record)
{
        bool had = fact->verb == COMMAND_TAKE && alert->proposal_event == EVENT_SEEN;

        if (!had)
                right_answer(core, fact, ANSWER_DONE, record);
        else if (record->owner_id[0] != '\0')
                right_answer(core, fact, ANSWER_TAKEN_BY_OTHER, record);
}

/* The store has the proposal.  The feed may have said so before. */
static void landed(struct core *core, struct open_alert *alert)
{
        struct fact *fact = alert->flying;
        struct cbor_span bytes = { alert->proposal, alert->proposal_size };
        struct record record;
        int r = record_decode(bytes.at, bytes.len, &record);

        assert(r == 0); /* we wrote it */
        alert->proposal = NULL;
        alert->flying = NULL;
        count(&core->counters, alert, &record);
        if (fact != NULL) {
                flow_done(core, fact);
                if (fact->type == FACT_COMMAND && (fact->by_handset || fact->path == PATH_SMS))
                        answer(core, alert, fact, &record);
        }
        sms_landed(alert, true);
        sms_owed(core, alert, &record);
        place_landed(core, alert, &record);
        if (record.state != ALERT_CLOSED) /* else it is gone in a moment */
                flow_ready(core, alert);
        hold_adopt(core, alert, &record, bytes, (enum alert_event)alert->proposal_event);
        free((uint8_t *)bytes.at);
}

/* What the store has under the id of a press on another phone, which was about to become part of ALERT. */
static void looked_up(struct core *core, struct open_alert *alert, const struct core_event *event)
{
        struct cbor_span bytes = event->u.committed.record;
        struct fact *fact = alert->flying;
        struct open_alert *other;
        struct record record;

        alert->flying = NULL;
        fact->state = FACT_READY;
        flow_ready(core, alert);
        if (event->u.committed.result == CORE_TOMBSTONE) { /* closed long ago, and stays closed */
                struct tombstone tombstone = event->u.committed.tombstone;

                notice_late(core, fact, &tombstone);
                hold_remember_id(core, fact->id, &tombstone);
                tell_press_closed(core, alert, fact->id, &event->u.committed.tombstone);
                hold_wait_move(alert, NULL, fact->id);
                flow_remove(core, alert, fact);
                flow_release(core, fact);
                free(fact);
                return;
        }
        fact->looked_up = true;
        if (bytes.len == 0 || record_decode(bytes.at, bytes.len, &record) < 0 || record.state == ALERT_CLOSED)
                return;
        other = hold_need(core, record.id); /* an alert of its own, which another dispatcher raised */
        if (other == NULL)
                return;
        hold_wait_move(alert, other, fact->id);
        flow_remove(core, alert, fact);
        if (flow_queue(core, other, fact) < 0)
                free(fact);
        hold_adopt(core, other, &record, bytes, 0);
}

/* Nothing was committed: the fact is offered again. */
static void not_landed(struct core *core, struct open_alert *alert)
{
        sms_landed(alert, false);
        free(alert->proposal);
        alert->proposal = NULL;
        if (alert->flying != NULL)
                alert->flying->state = FACT_READY;
        else if (alert->proposal_event == EVENT_DUE)
                alert->due_now = true;
        else if (alert->proposal_event == EVENT_CLOSE)
                alert->close_again = true;
        alert->flying = NULL;
        flow_ready(core, alert);
}

/* The store has another version than we thought, or (empty) none.  It may be older than what the feed has told since: the two come
 * by ways of their own. */
static void conflict(struct core *core, struct open_alert *alert, struct cbor_span bytes)
{
        struct record record;

        alert->noted_gone = false;
        if (alert->recloses) {
                reclose_found(core, alert, bytes);
                return;
        }
        if (bytes.len == 0) {
                alert->stored = 0;
                alert->look = false;
                alert->bring_back = alert->version != 0;
                return;
        }
        if (record_decode(bytes.at, bytes.len, &record) < 0 || memcmp(record.id, alert->id, ALERT_ID_SIZE) != 0) {
                alert->unreadable = true; /* a newer dispatcher's, or broken: not ours to overwrite */
                return;
        }
        alert->look = false;
        if (record.version < alert->expected || alert->stored < alert->version) { /* a failover lost what we knew */
                meanwhile_keep(core, alert);
                hold_set(core, alert, &record, bytes);
                flow_again(core, alert);
        } else {
                hold_adopt(core, alert, &record, bytes, 0);
        }
}

void land(struct core *core, const struct core_event *event)
{
        struct flying *flying = table_find(&core->flights, &event->u.committed.token);
        struct open_alert *alert = flying != NULL ? hold_find(core, flying->id) : NULL;
        enum flight flight;

        if (flying == NULL)
                return;
        table_remove(&core->flights, flying);
        core->counters.commits = (int64_t)core->flights.count;
        assert(alert != NULL && alert->token == event->u.committed.token); /* hold_drop takes flights along */
        flight = alert->flight;
        alert->flight = FLIGHT_NONE;
        if (event->u.committed.result == CORE_OK && flight == FLIGHT_COMMIT) {
                landed(core, alert);
                return;
        }
        if (flight == FLIGHT_LOOK && alert->flying != NULL &&
            (event->u.committed.result == CORE_TOMBSTONE || event->u.committed.result == CORE_CONFLICT)) {
                looked_up(core, alert, event);
                return;
        }
        not_landed(core, alert);
        if (event->u.committed.result == CORE_TOMBSTONE) {
                struct tombstone tombstone = event->u.committed.tombstone;

                if (alert->noted_gone)
                        replay_settle(core, alert, &tombstone);
                hold_gone(core, alert, &tombstone, NULL);
        } else if (event->u.committed.result == CORE_CONFLICT) {
                core->counters.conflicts += flight == FLIGHT_COMMIT;
                conflict(core, alert, event->u.committed.record);
        } else if (event->u.committed.result == CORE_FENCED) {
                core->fenced = core->was_fenced = true;
                core->counters.fenced++;
        } else {
                core->counters.unknown_replies++;
                core->rest_ms = core->now_ms + CORE_TICK_MS;
        }
}

/* Whether RECORD is what we have in flight for ALERT: then the feed says that it is there, before the store's answer does. */
static bool is_own(const struct open_alert *alert, struct cbor_span bytes)
{
        return alert->flight == FLIGHT_COMMIT && alert->proposal_size == bytes.len &&
               memcmp(alert->proposal, bytes.at, bytes.len) == 0;
}

void land_feed(struct core *core, struct cbor_span bytes, enum alert_event event)
{
        struct record record;
        struct open_alert *alert;
        struct tombstone tombstone;

        if (record_decode(bytes.at, bytes.len, &record) < 0)
                return; /* a newer dispatcher's, while an upgrade runs: the store has it */
        hold_raised(core, &record);
        alert = hold_find(core, record.id);
        if (alert == NULL && record.state == ALERT_CLOSED) {
                tombstone = hold_tombstone(&record);
                notice_lost(core, record.id, &tombstone);
                hold_remember(core, &record, &tombstone, true);
                reclose_keep(core, &record, true);
                return;
        }
        if (record.state != ALERT_CLOSED && (alert == NULL || alert->recloses) && reclose_is_needed(core, &record)) {
                reclose_look(core, record.id);
                return;
        }
        if (alert == NULL && hold_closed(core, record.id) == NULL)
                alert = hold_need(core, record.id);
        if (alert != NULL && record.state == ALERT_CLOSED && is_own(alert, bytes)) {
                /* It would be gone, and nobody told what its closure owes. */
                table_remove(&core->flights, table_find(&core->flights, &alert->token));
                core->counters.commits = (int64_t)core->flights.count;
                alert->flight = FLIGHT_NONE;
                landed(core, alert);
        } else if (alert != NULL && !(alert->recloses && record.state != ALERT_CLOSED)) {
                hold_adopt(core, alert, &record, bytes, event);
        }
}

void land_store(struct core *core, bool up)
{
        size_t cursor = 0;
        struct flying *flying;

        if (!up && core->store_up)
                core->store_away_ms = core->now_ms;
        core->store_up = up;
        if (up) {
                core->fenced = false;
                core->rest_ms = 0;
        }
        while (!up && (flying = table_next(&core->flights, &cursor)) != NULL) {
                struct open_alert *alert = hold_find(core, flying->id);

                alert->flight = FLIGHT_NONE;
                not_landed(core, alert);
                table_remove(&core->flights, flying);
                cursor--;
        }
        core->counters.commits = (int64_t)core->flights.count;
        if (!up)
                meanwhile_away(core);
}
