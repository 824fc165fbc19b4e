#include "dispatcher/alert.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "dispatcher/alert_act.h"
#include "dispatcher/ladder.h"

static int climb(struct record *record, const struct alert_change *change, const struct alert_ground *ground)
{
        bool again = ladder_sms_again(record, change->now_ms);

        if (!ladder_climb(record, ground, change->now_ms) && !again)
                return ACT_NOTHING;
        return record->asked_count > 0 ? ACT_OTHER : ACT_NEXT;
}

static int watch(struct record *record, const struct alert_change *change, const struct alert_ground *ground)
{
        bool again = ladder_sms_again(record, change->now_ms);

        return ladder_watch(record, ground, change->now_ms) || again ? ACT_NEXT : ACT_NOTHING;
}

int alert_note(struct record *record, const struct alert_change *change, const struct alert_ground *ground)
{
        bool changed = change->merged;

        if (change->sms != NULL)
                changed |= ladder_note(record, change->sms, ground, change->now_ms);
        if (!changed)
                return ACT_NOTHING;
        return record->asked_count > 0 ? ACT_OTHER : ACT_NEXT;
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
                     { alert_decline, SEEN, SEEN },
                     { alert_note, RAISED, ASKED } },
        [ASKED] = { { alert_update, ASKED, ASKED },
                    { alert_update, ASKED, ASKED },
                    { alert_see, SEEN, SEEN },
                    { alert_take, TAKEN, TAKEN },
                    { not_owner, ASKED, ASKED },
                    { alert_join, SEEN, SEEN },
                    { not_owner, ASKED, ASKED },
                    { alert_close, CLOSED, CLOSED },
                    { climb, ASKED, ASKED },
                    { alert_decline, SEEN, SEEN },
                    { alert_note, ASKED, ASKED } },
        [SEEN] = { { alert_update, SEEN, SEEN },
                   { alert_update, SEEN, SEEN },
                   { alert_see, SEEN, SEEN },
                   { alert_take, TAKEN, TAKEN },
                   { not_owner, SEEN, SEEN },
                   { alert_join, SEEN, SEEN },
                   { not_owner, SEEN, SEEN },
                   { alert_close, CLOSED, CLOSED },
                   { climb, SEEN, SEEN },
                   { alert_decline, SEEN, SEEN },
                   { alert_note, SEEN, SEEN } },
        [TAKEN] = { { alert_update, TAKEN, TAKEN },
                    { alert_update, TAKEN, TAKEN },
                    { alert_see, TAKEN, TAKEN },
                    { alert_take_over, TAKEN, TAKEN },
                    { alert_release, ASKED, RAISED },
                    { alert_join, TAKEN, TAKEN },
                    { alert_progress, ROUTE, SCENE },
                    { alert_close, CLOSED, CLOSED },
                    { watch, TAKEN, TAKEN },
                    { alert_decline, TAKEN, ASKED },
                    { alert_note, TAKEN, TAKEN } },
        [ROUTE] = { { alert_update, ROUTE, ROUTE },
                    { alert_update, ROUTE, ROUTE },
                    { alert_see, ROUTE, ROUTE },
                    { alert_take_over, TAKEN, ROUTE },
                    { alert_release, ASKED, RAISED },
                    { alert_join, ROUTE, ROUTE },
                    { alert_progress, ROUTE, SCENE },
                    { alert_close, CLOSED, CLOSED },
                    { watch, ROUTE, ROUTE },
                    { alert_decline, ROUTE, ASKED },
                    { alert_note, ROUTE, ROUTE } },
        [SCENE] = { { alert_update, SCENE, SCENE },
                    { alert_update, SCENE, SCENE },
                    { alert_see, SCENE, SCENE },
                    { alert_take_over, TAKEN, SCENE },
                    { alert_release, ASKED, RAISED },
                    { alert_join, SCENE, SCENE },
                    { alert_progress, SCENE, SCENE },
                    { alert_close, CLOSED, CLOSED },
                    { watch, SCENE, SCENE },
                    { alert_decline, SCENE, ASKED },
                    { alert_note, SCENE, SCENE } },
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

/* Whether who declines by CHANGE has RECORD, had it or comes too: which was first is not known. */
static bool has_come(const struct record *record, const struct alert_change *change)
{
        int found = record_asked_find(record, change->actor->person);

        return strcmp(record->owner_id, change->actor->person) == 0 ||
               (found >= 0 && (record->asked[found].flags & (ASKED_JOINED | ASKED_OWNED)) != 0);
}

/* A command from the journal that is older than what the owner did since: the store has lost nothing of it. */
static bool is_stale(const struct record *record, const struct alert_change *change)
{
        return change->replayed && change->at_ms < record->progress_at_ms &&
               ((change->event >= EVENT_TAKE && change->event <= EVENT_PROGRESS && change->event != EVENT_JOIN) ||
                (change->event == EVENT_DECLINE && has_come(record, change)));
}

bool alert_is_past_take(const struct record *record, const struct alert_change *change)
{
        bool other = record->owner_id[0] != '\0' && strcmp(record->owner_id, change->actor->person) != 0;

        return change->event == EVENT_TAKE && change->replayed && record->state != ALERT_CLOSED &&
               !record_applied(record, change->event_id) &&
               (is_stale(record, change) ? other || record->owner_id[0] == '\0'
                                         : other && (record->marks & RECORD_NO_NEWS) == 0);
}

void alert_owe_receipt(struct record *record, const struct alert_ground *ground, int64_t now_ms)
{
        const struct handset *handset = directory_handset(ground->people, record->handset);

        if (record->sms_at_ms > record->data_at_ms && (handset == NULL || handset->sessions == NULL))
                ladder_owe_receipt(record, ground, now_ms);
}

/* What the carrier is to hear: that somebody has it, what that one does, that nobody has it any more, that it is closed. */
static void owe_receipt(struct record *record, const struct alert_change *change, const struct alert_ground *ground,
                        enum alert_state before, const char *owner_before)
{
        bool news = strcmp(owner_before, record->owner_id) != 0 ||
                    (before != record->state && (record->state >= ALERT_TAKEN || before >= ALERT_TAKEN));

        if (news)
                alert_owe_receipt(record, ground, change->now_ms);
}

/* A state never goes back because of a copy: "en route" from somebody on the scene is news, not a step back (see the table). */
int alert_apply(struct record *record, const struct alert_change *change, const struct alert_ground *ground)
{
        char owner[PERSON_ID_MAX + 1];
        enum alert_state before;
        int r;

        assert(record->state < ALERT_STATE_END && change->event >= EVENT_RAISE && change->event < EVENT_END);
        if (change->event_id != NULL && record_applied(record, change->event_id))
                return 0;
        if (is_stale(record, change))
                return 0;
        before = record->state;
        memcpy(owner, record->owner_id, sizeof(owner));
        r = steps[before][change->event - 1].act(record, change, ground);
        if (r <= 0)
                return r;
        record->state = r == ACT_NEXT ? steps[record->state][change->event - 1].next
                                      : steps[record->state][change->event - 1].other;
        owe_receipt(record, change, ground, before, owner);
        ladder_note_told(record);
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
        case COMMAND_DECLINE:
                return EVENT_DECLINE;
        default:
                return 0;
        }
}
