/* Places that are sealed to the region, and opened by the keeper alone, for a reason: an alert without a position, a carrier who is overdue.
 * And quiet timers that nobody ended. */
#include <stdlib.h>
#include <string.h>

#include "dispatcher/core_parts.h"

/* A fix so old at the press says less than the place that the phone sealed each minute. */
#define OLD_S         600
/* What could not be opened for an overdue carrier (too fresh yet, the keeper away) is tried again. */
#define AGAIN_MS      300000
/* A timer that was found due so lately counts; the shell tells it again with each scan. */
#define TIMER_KEPT_MS 60000
/* It is erased unopened so long after its end: where its carrier was heard since it is the phone's own affair, which has asked by then, and
 * raised; where nobody is on duty for it. */
#define TIMER_OVER_MS  300000
#define TIMER_STALE_MS 3600000

/* ---- For an alert. */

/* The newest signed alert of ALERT's own press that this process has. */
static struct cbor_span signed_alert(const struct open_alert *alert)
{
        for (size_t i = alert->queued; i-- > 0;)
                if (alert->queue[i]->type == FACT_ALERT && memcmp(alert->queue[i]->id, alert->id, ALERT_ID_SIZE) == 0)
                        return (struct cbor_span){ alert->queue[i]->bytes, alert->queue[i]->size };
        return (struct cbor_span){ 0 };
}

static bool needs_place(const struct record *record)
{
        if ((record->marks & (RECORD_UNVERIFIED | RECORD_DRILL)) != 0 || record->state == ALERT_CLOSED)
                return false;
        return !record->has_position || (int64_t)record->at.at_s + OLD_S < record->pressed_at_s;
}

void place_landed(struct core *core, struct open_alert *alert, const struct record *record)
{
        struct cbor_span press = signed_alert(alert);
        struct core_action *action;

        if (!core->options.opens || alert->place_asked || press.len == 0 || !needs_place(record))
                return;
        alert->place_asked = true;
        action = core_do(core, DO_OPEN);
        memcpy(action->u.open.alert, alert->id, ALERT_ID_SIZE);
        memcpy(action->u.open.handset, record->handset, HANDSET_ID_SIZE);
        action->u.open.press = core_keep_octets(core, press.at, press.len);
        action->u.open.why = OPENED_ALERT;
}

bool place_fill(struct open_alert *alert, struct record *record)
{
        bool newer = !record->has_position || record->at.at_s < alert->place.at_s;

        alert->has_place = false;
        if (!newer || record->state == ALERT_CLOSED)
                return false;
        record->has_position = true;
        record->at = alert->place;
        return true;
}

/* ---- For a carrier who is overdue. */

const struct opened *place_opened(const struct core *core, const struct core_found *found, int64_t heard_ms)
{
        const struct opened *opened = table_find(&core->scan.opened, found->handset);

        return opened != NULL && opened->has && opened->heard_ms == heard_ms ? opened : NULL;
}

bool place_is_to_be_asked(struct core *core, const struct core_found *found, int64_t heard_ms)
{
        struct opened *opened;

        if (!core->options.opens || found->duty.sealed_size == 0)
                return false;
        if (core->scan.opened.count >= core->scan.opened.max)
                table_free(&core->scan.opened); /* all anew: asked twice at most */
        opened = table_add(&core->scan.opened, found->handset);
        if (opened == NULL ||
            (opened->heard_ms == heard_ms && (opened->has || core->now_ms - opened->asked_ms < AGAIN_MS)))
                return false;
        *opened = (struct opened){ .heard_ms = heard_ms, .asked_ms = core->now_ms };
        memcpy(opened->handset, found->handset, HANDSET_ID_SIZE);
        record_set_text(opened->carrier, sizeof(opened->carrier), found->duty.carrier_id);
        return true;
}

/* Whether the sealed place of FOUND is the one of its quiet timer. */
static bool is_of_timer(const struct core *core, const struct core_found *found)
{
        const struct timed *timed = table_find(&core->scan.timed, found->handset);

        return timed != NULL && timed->found.duty.sealed_size == found->duty.sealed_size &&
               memcmp(timed->found.duty.sealed, found->duty.sealed, found->duty.sealed_size) == 0;
}

void place_ask(struct core *core, const struct core_found *found)
{
        struct core_action *action = core_do(core, DO_OPEN);

        action->u.open.why = is_of_timer(core, found) ? OPENED_TIMER : OPENED_OVERDUE;
        memcpy(action->u.open.handset, found->handset, HANDSET_ID_SIZE);
        action->u.open.sealed = core_keep_octets(core, found->duty.sealed, found->duty.sealed_size);
}

void place_came(struct core *core, const struct core_event *event)
{
        static const uint8_t none[ALERT_ID_SIZE];
        bool for_alert = memcmp(event->u.place.alert, none, ALERT_ID_SIZE) != 0;
        struct open_alert *alert = for_alert ? hold_find(core, event->u.place.alert) : NULL;
        struct opened *opened = for_alert ? NULL : table_find(&core->scan.opened, event->u.place.handset);

        if (alert != NULL) {
                alert->has_place = true;
                alert->place = event->u.place.at;
                flow_ready(core, alert);
        } else if (opened != NULL) {
                opened->has = true;
                opened->at = event->u.place.at;
                supervision_placed(core, opened);
        }
}

/* ---- Quiet timers. */

/* Whether FOUND's timer, which ended at DUE_MS, asks nothing of anybody any more; erased once that has been so for a while. */
static bool is_ended(struct core *core, const struct core_found *found, int64_t due_ms)
{
        struct core_action *action;

        if (found->on_duty && found->heard_at_ms < due_ms)
                return false;
        if (core->now_ms - due_ms > (found->on_duty ? TIMER_OVER_MS : TIMER_STALE_MS)) {
                action = core_do(core, DO_TIMER);
                memcpy(action->u.vault.handset, found->handset, HANDSET_ID_SIZE);
        }
        return true;
}

/* make_room: for a timer that ended at DUE_MS, where all places are taken: those not told again go, else the one that ended last, where that
 * was later. */
static void make_room(struct core *core, int64_t due_ms)
{
        struct table *table = &core->scan.timed;
        struct timed *timed, *last = NULL;

        for (size_t i = 0; (timed = table_next(table, &i)) != NULL;)
                if (core->now_ms - timed->told_ms > TIMER_KEPT_MS) {
                        table_remove(table, timed);
                        i--;
                }
        if (table->count < table->max)
                return;
        for (size_t i = 0; (timed = table_next(table, &i)) != NULL;)
                if (last == NULL || timed->due_ms > last->due_ms)
                        last = timed;
        if (last->due_ms > due_ms)
                table_remove(table, last);
}

void place_timer(struct core *core, const struct core_event *event)
{
        struct table *table = &core->scan.timed;
        struct timed *timed = table_find(table, event->u.timer.found.handset);

        if (is_ended(core, &event->u.timer.found, event->u.timer.due_ms))
                return;
        if (timed == NULL && table->count == table->max)
                make_room(core, event->u.timer.due_ms);
        timed = table_add(table, event->u.timer.found.handset);
        if (timed == NULL)
                return; /* it is told again with each scan, and has a place when another has ended */
        timed->found = event->u.timer.found;
        timed->due_ms = event->u.timer.due_ms;
        timed->told_ms = core->now_ms;
}

const struct timed *place_timed(const struct core *core, const uint8_t handset[HANDSET_ID_SIZE], int64_t heard_ms)
{
        const struct timed *timed = table_find(&core->scan.timed, handset);

        return timed != NULL && core->now_ms - timed->told_ms <= TIMER_KEPT_MS && heard_ms < timed->due_ms ? timed
                                                                                                           : NULL;
}
