#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/core_parts.h"
#include "dispatcher/intake.h"

/* Facts that the journal has, in one step: while the store is away each may be told to all the sessions of a handset, under all ids. */
#define SYNCED_STEP 16

bool flow_waits(const struct fact *fact)
{
        return fact->state != FACT_DONE;
}

void flow_release(struct core *core, struct fact *fact)
{
        bool by_sms = fact->type == FACT_ALERT ||
                      fact->path == PATH_SMS; /* what came by data may wait when its copy comes by SMS */

        if (fact->has_ref && by_sms)
                sms_taken(core, fact->ref);
        else if (fact->has_ref)
                core_do(core, DO_ACKNOWLEDGE)->u.acknowledge.ref = fact->ref;
        fact->has_ref = false;
}

void flow_done(struct core *core, struct fact *fact)
{
        core->counters.waiting -= flow_waits(fact);
        fact->state = FACT_DONE;
        flow_release(core, fact);
}

struct fact *flow_find(const struct open_alert *alert, const uint8_t event_id[EVENT_ID_SIZE])
{
        for (size_t i = 0; i < alert->queued; i++)
                if (alert->queue[i]->state != FACT_DONE &&
                    memcmp(alert->queue[i]->event_id, event_id, EVENT_ID_SIZE) == 0)
                        return alert->queue[i];
        return NULL;
}

void flow_ready(struct core *core, struct open_alert *alert)
{
        if (alert->in_ready)
                return;
        alert->in_ready = true;
        alert->next_ready = NULL;
        *core->ready_end = alert;
        core->ready_end = &alert->next_ready;
}

static void take_out(struct open_alert *alert, size_t at)
{
        memmove(alert->queue + at, alert->queue + at + 1, (--alert->queued - at) * sizeof(*alert->queue));
}

void flow_remove(struct core *core, struct open_alert *alert, struct fact *fact)
{
        for (size_t i = 0; i < alert->queued; i++)
                if (alert->queue[i] == fact) {
                        take_out(alert, i);
                        core->counters.waiting -= flow_waits(fact);
                        return;
                }
}

/* How well FACT replaces OLDER, another revision of the same press: best where it says all that the other does; then where it is newer, else the
 * other the oldest.  At least 1. */
static int replaces(const struct fact *fact, const struct fact *older)
{
        struct alert_press its, before;

        (void)intake_read((struct cbor_span){ fact->bytes, fact->size }, &its);
        (void)intake_read((struct cbor_span){ older->bytes, older->size }, &before);
        return 4 * UINT16_MAX * alert_says_all(&its, &before) +
               (its.alert.revision >= before.alert.revision ? 2 * UINT16_MAX : 1 + UINT16_MAX - before.alert.revision);
}

/* The place of a waiting revision that FACT replaces; -1: none. */
static int replaced(const struct open_alert *alert, const struct fact *fact)
{
        int place = -1, best = 0;

        for (int i = 0; i < alert->queued && fact->type == FACT_ALERT; i++) {
                const struct fact *older = alert->queue[i];

                if (older->state != FACT_READY || older->type != FACT_ALERT ||
                    memcmp(older->id, fact->id, ALERT_ID_SIZE) != 0 || replaces(fact, older) <= best)
                        continue;
                place = i;
                best = replaces(fact, older);
        }
        return place;
}

/* Whether somebody closed ALERT after what is at PLACE had come: that closure is of what they knew then. */
static bool is_closed_behind(const struct open_alert *alert, int place)
{
        for (int i = place + 1; i < alert->queued; i++)
                if (alert->queue[i]->state != FACT_DONE && alert->queue[i]->type == FACT_COMMAND &&
                    alert->queue[i]->verb == COMMAND_CLOSE)
                        return true;
        return false;
}

bool flow_has_room(const struct open_alert *alert, const uint8_t id[ALERT_ID_SIZE])
{
        for (size_t i = 0; alert->queued == CORE_QUEUE_MAX && i < alert->queued; i++) {
                const struct fact *fact = alert->queue[i];

                if (fact->state == FACT_DONE ||
                    (fact->state == FACT_READY && fact->type == FACT_ALERT && memcmp(fact->id, id, ALERT_ID_SIZE) == 0))
                        return true;
        }
        return alert->queued < CORE_QUEUE_MAX;
}

/* Forget the oldest that is done. */
static bool forget_done(struct open_alert *alert)
{
        for (size_t i = 0; i < alert->queued; i++)
                if (alert->queue[i]->state == FACT_DONE) {
                        free(alert->queue[i]);
                        take_out(alert, i);
                        return true;
                }
        return false;
}

/* Whether FACT says nothing that ALERT's record, as committed, has not. */
static bool is_known(const struct open_alert *alert, const struct fact *fact)
{
        struct alert_press press;
        struct record record;

        if (fact->type != FACT_ALERT || alert->version == 0)
                return false;
        hold_record(alert, &record);
        (void)intake_read((struct cbor_span){ fact->bytes, fact->size }, &press);
        memcpy(press.id, fact->id, ALERT_ID_SIZE);
        press.why = fact->why;
        press.paths = fact->path;
        return alert_knows(&record, &press);
}

/* FACT waits for the store; a copy of what is there needs the journal alone.  One that stays there too long is told: see tell_kept. */
static void fact_is_ready(struct core *core, struct fact *fact)
{
        struct open_alert *alert = fact->alert;
        int64_t kept_ms = fact->at_ms + CORE_KEPT_MS;

        if (!fact->bare)
                flow_release(core, fact);
        fact->state = FACT_READY;
        if (!core->store_up && is_known(alert, fact)) {
                flow_settle(core, alert, fact, 0);
                flow_ready(core, alert); /* what stands behind it */
                return;
        }
        if (!core->store_up && core->store_away_ms + CORE_KEPT_MS < kept_ms)
                kept_ms = core->store_away_ms + CORE_KEPT_MS;
        hold_look_at(core, alert, kept_ms > core->now_ms ? kept_ms : core->now_ms);
        flow_ready(core, alert);
}

int flow_queue(struct core *core, struct open_alert *alert, struct fact *fact)
{
        int place = replaced(alert, fact);

        if (alert->queued < CORE_QUEUE_MAX || forget_done(alert)) {
                alert->queue[alert->queued++] = fact;
                core->counters.waiting += flow_waits(fact);
        } else if (place >= 0) {
                flow_release(core, alert->queue[place]);
                free(alert->queue[place]);
                if (alert->version != 0 && is_closed_behind(alert, place)) {
                        take_out(alert, (size_t)place);
                        place = alert->queued++;
                } /* else it keeps its turn: nothing goes before an alert's first press */
                alert->queue[place] = fact;
        } else {
                core->counters.queue_full++;
                return -ENOBUFS;
        }
        fact->alert = alert;
        if (memcmp(alert->id, fact->id, ALERT_ID_SIZE) == 0 && alert->highest < fact->shown)
                alert->highest = fact->shown; /* it is not the first time that it is one */
        if (fact->state == FACT_READY)
                flow_ready(core, alert);
        return 0;
}

/* To the journal; or, the disk full, straight on: it rings all the same, and its receipt says less (tell.c). */
void flow_write_down(struct core *core, struct fact *fact)
{
        uint8_t buf[FACT_MAX];

        fact->number = core_append(core, (struct cbor_span){ buf, fact_encode(fact, buf) });
        fact->bare = fact->number == 0;
        if (fact->bare) {
                fact_is_ready(core, fact);
                return;
        }
        *core->unsynced_end = fact;
        core->unsynced_end = &fact->next;
}

int flow_take_fact(struct core *core, struct open_alert *alert, struct fact *fact)
{
        if (flow_queue(core, alert, fact) < 0) {
                free(fact);
                return -ENOBUFS;
        }
        flow_write_down(core, fact);
        return 0;
}

bool flow_synced(struct core *core)
{
        for (size_t i = 0; i < SYNCED_STEP; i++) {
                struct fact *fact = core->unsynced;

                if (fact == NULL || fact->number > core->synced)
                        return i > 0;
                core->unsynced = fact->next;
                if (core->unsynced == NULL)
                        core->unsynced_end = &core->unsynced;
                fact->next = NULL;
                if (fact->alert != NULL) {
                        fact_is_ready(core, fact);
                        continue;
                }
                flow_release(core, fact);
                free(fact);
        }
        return true;
}

void flow_again(struct core *core, struct open_alert *alert)
{
        for (size_t i = 0; i < alert->queued; i++)
                if (alert->queue[i]->state == FACT_DONE) {
                        alert->queue[i]->state = FACT_READY;
                        alert->queue[i]->replayed = true;
                        core->counters.replayed++;
                        core->counters.waiting++;
                }
        flow_ready(core, alert);
}
