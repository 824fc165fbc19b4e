#include "dispatcher/alert_act.h"

#include <string.h>

#include "dispatcher/ladder.h"

static bool is_owner(const struct record *record, const struct alert_actor *actor)
{
        return record->owner_id[0] != '\0' && strcmp(record->owner_id, actor->person) == 0;
}

/* The carrier, whoever holds the phone, or the phone itself. */
static bool is_own(const struct record *record, const struct alert_actor *actor, const struct alert_ground *ground)
{
        const struct handset *handset = directory_handset(ground->people, record->handset);

        return strcmp(record->carrier_id, actor->person) == 0 ||
               (handset != NULL && handset->known && strcmp(handset->entry.person, actor->person) == 0) ||
               (actor->path == BY_HANDSET && memcmp(record->handset, actor->handset, HANDSET_ID_SIZE) == 0);
}

bool alert_allows(const struct record *record, const struct alert_actor *actor, const struct alert_ground *ground)
{
        const char *team = directory_team(ground->people, actor->person);
        const struct zone *zones[ZONES_AT_MAX];
        size_t count;

        if (actor->control || (record->marks & RECORD_UNVERIFIED) != 0)
                return actor->control;
        if (record_asked_find(record, actor->person) >= 0 || is_owner(record, actor))
                return true;
        if ((record->marks & RECORD_DRILL) != 0 && ground->drill_people_count > 0)
                return false;
        count = ladder_zones(record, ground, zones);
        for (size_t i = 0; i < count; i++)
                if (zone_allows_team(zones[i], team, name_hash(team)))
                        return true;
        return count == 0;
}

/* ACTOR's line in `asked`, made if there is room and it is a supervisor; NULL else. */
static struct asked *asked_line(struct record *record, const struct alert_change *change,
                                const struct alert_ground *ground)
{
        const struct alert_actor *actor = change->actor;
        int found = record_asked_find(record, actor->person);
        struct asked *asked;

        if (found >= 0)
                return &record->asked[found];
        if (record->asked_count == RECORD_ASKED_MAX || directory_person(ground->people, actor->person) == NULL)
                return NULL;
        asked = &record->asked[record->asked_count++];
        *asked = (struct asked){ .asked_at_ms = change->now_ms,
                                 .distance_m = UINT32_MAX,
                                 .step = record->step < 3 ? record->step : 3 };
        record_set_text(asked->id, sizeof(asked->id), actor->person);
        record_set_text(asked->name, sizeof(asked->name), actor->name);
        return asked;
}

/* Who is behind ASKED answered: has seen it, so that an SMS not yet sent is not needed any more. */
static void note_answer(struct asked *asked, const struct alert_change *change)
{
        if (asked == NULL)
                return;
        if (asked->seen_at_ms == 0)
                asked->seen_at_ms = change->at_ms;
        asked->answer_path = change->actor->path;
        if (asked->sms_state == SMS_DUE) {
                asked->sms_state = SMS_NONE;
                asked->sms_at_ms = 0;
        }
}

/* Who had taken it, which a failover lost, stands in the record beside who has it.  Nobody has it: by SMS they are asked again. */
static int see_who_had(struct record *record, const struct alert_change *change, const struct alert_ground *ground)
{
        struct asked *asked = asked_line(record, change, ground);

        if (asked == NULL || (asked->flags & ASKED_OWNED) != 0)
                return ACT_NOTHING;
        note_answer(asked, change);
        asked->flags |= ASKED_OWNED;
        if (record->owner_id[0] == '\0' && change->actor->path == BY_SMS)
                ladder_owe_sms(asked, ground, change->now_ms);
        return ACT_NEXT;
}

int alert_see(struct record *record, const struct alert_change *change, const struct alert_ground *ground)
{
        int found = record_asked_find(record, change->actor->person);

        if (!alert_allows(record, change->actor, ground))
                return -ANSWER_NOT_ALLOWED;
        if (change->had)
                return see_who_had(record, change, ground);
        if (found >= 0 && record->asked[found].seen_at_ms != 0)
                return ACT_NOTHING;
        if (found < 0 && record->state >= ALERT_SEEN)
                return ACT_NOTHING;
        if (found >= 0)
                note_answer(&record->asked[found], change);
        return ACT_NEXT;
}

static void own(struct record *record, const struct alert_change *change, const struct alert_ground *ground)
{
        struct asked *asked = asked_line(record, change, ground);

        note_answer(asked, change);
        if (asked != NULL)
                asked->flags &= (uint8_t)~ASKED_DECLINED;
        record->owner_path = change->actor->path;
        record_set_text(record->owner_id, sizeof(record->owner_id), change->actor->person);
        record_set_text(record->owner_name, sizeof(record->owner_name), change->actor->name);
        record->taken_at_ms = record->progress_at_ms = change->at_ms;
        record->marks &= ~(uint32_t)RECORD_NO_NEWS;
}

static int may_take(const struct record *record, const struct alert_change *change, const struct alert_ground *ground)
{
        if (is_own(record, change->actor, ground))
                return -ANSWER_OWN_ALERT;
        return alert_allows(record, change->actor, ground) ? 0 : -ANSWER_NOT_ALLOWED;
}

int alert_take(struct record *record, const struct alert_change *change, const struct alert_ground *ground)
{
        int r = may_take(record, change, ground);

        if (r < 0)
                return r;
        own(record, change, ground);
        return ACT_NEXT;
}

static void disown(struct record *record)
{
        int found = record_asked_find(record, record->owner_id);

        if (found >= 0)
                record->asked[found].flags |= ASKED_OWNED;
        record->owner_id[0] = record->owner_name[0] = '\0';
        record->owner_path = BY_NONE;
        record->marks &= ~(uint32_t)RECORD_NO_NEWS;
}

int alert_take_over(struct record *record, const struct alert_change *change, const struct alert_ground *ground)
{
        bool no_news = (record->marks & RECORD_NO_NEWS) != 0;
        bool informed = change->actor->control && strcmp(change->command->owner_seen, record->owner_id) == 0;
        int r = may_take(record, change, ground);

        if (is_owner(record, change->actor)) {
                if (!no_news)
                        return ACT_NOTHING;
                record->marks &= ~(uint32_t)RECORD_NO_NEWS; /* here is the news */
                record->progress_at_ms = change->at_ms;
                record->owner_path = change->actor->path;
                return ACT_OTHER;
        }
        if (r < 0)
                return r;
        if (!no_news && !informed)
                return -ANSWER_TAKEN_BY_OTHER;
        disown(record);
        own(record, change, ground);
        return ACT_NEXT;
}

int alert_release(struct record *record, const struct alert_change *change, const struct alert_ground *ground)
{
        if (!is_owner(record, change->actor) && !change->actor->control)
                return -ANSWER_NOT_OWNER;
        disown(record);
        record->progress_at_ms = change->at_ms;
        ladder_release(record, ground, change->now_ms);
        return record->asked_count > 0 ? ACT_NEXT : ACT_OTHER;
}

int alert_join(struct record *record, const struct alert_change *change, const struct alert_ground *ground)
{
        int r = may_take(record, change, ground);
        struct asked *asked;

        if (r < 0)
                return r;
        if (is_owner(record, change->actor))
                return ACT_NOTHING;
        asked = asked_line(record, change, ground);
        if (asked == NULL)
                return directory_person(ground->people, change->actor->person) != NULL ? -ANSWER_BUSY
                                                                                       : -ANSWER_NOT_ALLOWED;
        if ((asked->flags & ASKED_JOINED) != 0)
                return ACT_NOTHING;
        asked->flags |= ASKED_JOINED;
        asked->flags &= (uint8_t)~ASKED_DECLINED;
        note_answer(asked, change);
        return ACT_NEXT;
}

int alert_decline(struct record *record, const struct alert_change *change, const struct alert_ground *ground)
{
        int found = record_asked_find(record, change->actor->person);
        bool owner = is_owner(record, change->actor);

        if (found < 0)
                return -ANSWER_NOT_ALLOWED;
        if ((record->asked[found].flags & ASKED_DECLINED) != 0 && !owner)
                return ACT_NOTHING;
        note_answer(&record->asked[found], change);
        record->asked[found].flags |= ASKED_DECLINED;
        record->asked[found].flags &= (uint8_t)~ASKED_JOINED;
        if (owner) {
                disown(record);
                record->progress_at_ms = change->at_ms;
                ladder_release(record, ground, change->now_ms);
        } else if (record->owner_id[0] == '\0') {
                ladder_pass_on(record, ground, change->now_ms);
        }
        return owner ? ACT_OTHER : ACT_NEXT;
}

int alert_progress(struct record *record, const struct alert_change *change, const struct alert_ground *ground)
{
        if (!is_owner(record, change->actor) && !change->actor->control)
                return -ANSWER_NOT_OWNER;
        record->progress_at_ms = change->at_ms > record->progress_at_ms ? change->at_ms : record->progress_at_ms;
        if (is_owner(record, change->actor))
                record->owner_path = change->actor->path;
        record->marks &= ~(uint32_t)RECORD_NO_NEWS;
        return change->command->verb == COMMAND_EN_ROUTE ? ACT_NEXT : ACT_OTHER;
}

int alert_close(struct record *record, const struct alert_change *change, const struct alert_ground *ground)
{
        const struct command *command = change->command;

        if (!is_owner(record, change->actor) && !change->actor->control)
                return -ANSWER_NOT_OWNER;
        if (record->again_at_ms > change->at_ms)
                return -ANSWER_EXPIRED; /* who closed it did not know that: the store was away */
        record->close_reason =
                command->reason >= CLOSE_HELPED && command->reason <= CLOSE_REASON_MAX ? command->reason : CLOSE_OTHER;
        record_set_text(record->closed_by_id, sizeof(record->closed_by_id), change->actor->person);
        record_set_text(record->closed_by_name, sizeof(record->closed_by_name), change->actor->name);
        record_set_text(record->note, sizeof(record->note), command->note);
        record->closed_at_ms = change->at_ms;
        alert_leave_later(record);
        record->marks &= ~(uint32_t)RECORD_NO_NEWS;
        return ACT_NEXT;
}
