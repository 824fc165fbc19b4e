#include "dispatcher/alert.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "dispatcher/alert_act.h"
#include "dispatcher/ladder.h"

static int climb(struct record *record, const struct alert_change *change, const struct alert_ground *ground)
{
        if (!ladder_climb(record, ground, change->now_ms))
                return ACT_NOTHING;
        return record->asked_count > 0 ? ACT_OTHER : ACT_NEXT;
}

static int watch(struct record *record, const struct alert_change *change, const struct alert_ground *ground)
{
        return ladder_watch(record, ground, change->now_ms) ? ACT_NEXT : ACT_NOTHING;
}

static int not_owner(struct record *record, const struct alert_change *change, const struct alert_ground *ground)
{
        return -ANSWER_NOT_OWNER;
}

static int unknown(struct record *record, const struct alert_change *change, const struct alert_ground *ground)
{
        return -ANSWER_UNKNOWN_ALERT;
}

static int closed(struct record *record, const struct alert_change *change, const struct alert_ground *ground)
{
        return -ANSWER_CLOSED;
}

static int nothing(struct record *record, const struct alert_change *change, const struct alert_ground *ground)
{
        return ACT_NOTHING;
}

#define NONE   0
#define RAISED ALERT_RAISED
#define ASKED  ALERT_ASKED
#define SEEN   ALERT_SEEN
#define TAKEN  ALERT_TAKEN
#define ROUTE  ALERT_EN_ROUTE
#define SCENE  ALERT_ON_SCENE
#define CLOSED ALERT_CLOSED

/* What is done, and the state after ACT_NEXT and after ACT_OTHER.  The columns: raise, update, seen, take, release, join, progress,
 * close, due, decline, SMS. */
static const struct {
        alert_act *act;
        uint8_t next, other;
} steps[ALERT_STATE_END][EVENT_END - 1] = {
        [NONE] = { { alert_raise, RAISED, ASKED },
                   { alert_raise, RAISED, ASKED },
                   { unknown, NONE, NONE },
                   { unknown, NONE, NONE },
                   { unknown, NONE, NONE },
                   { unknown, NONE, NONE },
                   { unknown, NONE, NONE },
                   { unknown, NONE, NONE },
                   { nothing, NONE, NONE },
                   { unknown, NONE, NONE },
                   { nothing, NONE, NONE } },
        [RAISED] = { { alert_update, RAISED, ASKED },
                     { alert_update, RAISED, ASKED },
                     { alert_see, SEEN, SEEN },
                     { alert_take, TAKEN, TAKEN },
                     { not_owner, RAISED, RAISED },
                     { alert_join, SEEN, SEEN },
                     { not_owner, RAISED, RAISED },
                     { alert_close, CLOSED, CLOSED },
                     { climb, RAISED, ASKED },
                     { nothing, RAISED, RAISED },
                     { nothing, RAISED, RAISED } },
        [ASKED] = { { alert_update, ASKED, ASKED },
                    { alert_update, ASKED, ASKED },
                    { alert_see, SEEN, SEEN },
                    { alert_take, TAKEN, TAKEN },
                    { not_owner, ASKED, ASKED },
                    { alert_join, SEEN, SEEN },
                    { not_owner, ASKED, ASKED },
                    { alert_close, CLOSED, CLOSED },
                    { climb, ASKED, ASKED },
                    { nothing, ASKED, ASKED },
                    { nothing, ASKED, ASKED } },
        [SEEN] = { { alert_update, SEEN, SEEN },
                   { alert_update, SEEN, SEEN },
                   { alert_see, SEEN, SEEN },
                   { alert_take, TAKEN, TAKEN },
                   { not_owner, SEEN, SEEN },
                   { alert_join, SEEN, SEEN },
                   { not_owner, SEEN, SEEN },
                   { alert_close, CLOSED, CLOSED },
                   { climb, SEEN, SEEN },
                   { nothing, SEEN, SEEN },
                   { nothing, SEEN, SEEN } },
        [TAKEN] = { { alert_update, TAKEN, TAKEN },
                    { alert_update, TAKEN, TAKEN },
                    { alert_see, TAKEN, TAKEN },
                    { alert_take_over, TAKEN, TAKEN },
                    { alert_release, ASKED, RAISED },
                    { alert_join, TAKEN, TAKEN },
                    { alert_progress, ROUTE, SCENE },
                    { alert_close, CLOSED, CLOSED },
                    { watch, TAKEN, TAKEN },
                    { nothing, TAKEN, TAKEN },
                    { nothing, TAKEN, TAKEN } },
        [ROUTE] = { { alert_update, ROUTE, ROUTE },
                    { alert_update, ROUTE, ROUTE },
                    { alert_see, ROUTE, ROUTE },
                    { alert_take_over, TAKEN, ROUTE },
                    { alert_release, ASKED, RAISED },
                    { alert_join, ROUTE, ROUTE },
                    { alert_progress, ROUTE, SCENE },
                    { alert_close, CLOSED, CLOSED },
                    { watch, ROUTE, ROUTE },
                    { nothing, ROUTE, ROUTE },
                    { nothing, ROUTE, ROUTE } },
        [SCENE] = { { alert_update, SCENE, SCENE },
                    { alert_update, SCENE, SCENE },
                    { alert_see, SCENE, SCENE },
                    { alert_take_over, TAKEN, SCENE },
                    { alert_release, ASKED, RAISED },
                    { alert_join, SCENE, SCENE },
                    { alert_progress, SCENE, SCENE },
                    { alert_close, CLOSED, CLOSED },
                    { watch, SCENE, SCENE },
                    { nothing, SCENE, SCENE },
                    { nothing, SCENE, SCENE } },
        [CLOSED] = { { closed, CLOSED, CLOSED },
                     { closed, CLOSED, CLOSED },
                     { closed, CLOSED, CLOSED },
                     { closed, CLOSED, CLOSED },
                     { closed, CLOSED, CLOSED },
                     { closed, CLOSED, CLOSED },
                     { closed, CLOSED, CLOSED },
                     { closed, CLOSED, CLOSED },
                     { nothing, CLOSED, CLOSED },
                     { closed, CLOSED, CLOSED },
                     { nothing, CLOSED, CLOSED } },
};

/* A command from the journal that is older than what the owner did since: the store has lost nothing of it. */
static bool is_stale(const struct record *record, const struct alert_change *change)
{
        return change->replayed && change->event >= EVENT_TAKE && change->event <= EVENT_PROGRESS &&
               change->event != EVENT_JOIN && change->at_ms < record->progress_at_ms;
}

/* A state never goes back because of a copy: "en route" from somebody on the scene is news, not a step back (see the table). */
int alert_apply(struct record *record, const struct alert_change *change, const struct alert_ground *ground)
{
        int r;

        assert(record->state < ALERT_STATE_END && change->event >= EVENT_RAISE && change->event < EVENT_END);
        if (change->event_id != NULL && record_applied(record, change->event_id))
                return 0;
        if (is_stale(record, change))
                return 0;
        r = steps[record->state][change->event - 1].act(record, change, ground);
        if (r <= 0)
                return r;
        record->state = r == ACT_NEXT ? steps[record->state][change->event - 1].next
                                      : steps[record->state][change->event - 1].other;
        record->version++;
        record->changed_at_ms = change->now_ms;
        if (change->event_id != NULL)
                record_apply_id(record, change->event_id);
        record->due_ms = ladder_due(record, ground, ladder_heard(record, ground, change->now_ms));
        return 1;
}

enum alert_event alert_event_of(uint8_t verb)
{
        switch (verb) {
        case COMMAND_SEEN:
                return EVENT_SEEN;
        case COMMAND_TAKE:
                return EVENT_TAKE;
        case COMMAND_RELEASE:
                return EVENT_RELEASE;
        case COMMAND_JOIN:
                return EVENT_JOIN;
        case COMMAND_EN_ROUTE:
        case COMMAND_ON_SCENE:
                return EVENT_PROGRESS;
        case COMMAND_CLOSE:
                return EVENT_CLOSE;
        default:
                return 0;
        }
}
