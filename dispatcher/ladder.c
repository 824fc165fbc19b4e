#include "dispatcher/ladder.h"

#include <string.h>

#include "geo/choose.h"

enum who { WHO_NEAREST, WHO_AREA, WHO_MANAGERS };

bool ladder_is_still(const struct record *record, const struct alert_ground *ground)
{
        return (record->marks & RECORD_UNVERIFIED) != 0 ||
               ((record->marks & RECORD_DRILL) != 0 && !ground->drill_announced);
}

static bool record_position(const struct record *record, struct position *ret_at)
{
        return record->has_position && position_from_e7(record->at.lat_e7, record->at.lon_e7, ret_at) == 0;
}

size_t ladder_zones(const struct record *record, const struct alert_ground *ground, const struct zone **ret_zones)
{
        const struct round *round = directory_round(ground->people, record->round);
        struct position at;
        size_t count = 0;

        if (ground->zones == NULL)
                return 0;
        if (record_position(record, &at))
                return zones_at(ground->zones, &at, ZONES_AT_MAX, ret_zones, &count) == 0 ? count : 0;
        if (round != NULL && (ret_zones[0] = zones_find(ground->zones, round->entry.zone_id)) != NULL)
                count = 1;
        return count;
}

struct zone_ladder ladder_of(const struct record *record, const struct alert_ground *ground)
{
        const struct zone *zones[ZONES_AT_MAX];

        return ladder_zones(record, ground, zones) > 0 ? zones[0]->ladder : zone_ladder_default();
}

/* ---- SMS that are owed ---------------------------------------------------------------------------------------------- */

void ladder_owe_sms(struct asked *asked, const struct alert_ground *ground, int64_t now_ms)
{
        asked->flags |= ASKED_SMS_DUE;
        if (!ground->sms || directory_person_number(ground->people, asked->id)[0] == '\0')
                return;
        asked->sms_state = SMS_DUE;
        asked->sms_at_ms = now_ms;
        asked->flags &= (uint8_t)~ASKED_TOLD;
}

/* Whether ASKED got an SMS that asks, as far as we know; one that is on its way when it is closed may still arrive. */
static bool was_sent(const struct asked *asked, bool over)
{
        return asked->sms_state == SMS_HANDED || asked->sms_state == SMS_DELIVERED ||
               (asked->sms_state == SMS_DUE && over);
}

void ladder_note_told(struct record *record)
{
        bool over = record->state == ALERT_CLOSED;

        if (!over && (record->owner_id[0] == '\0' || (record->marks & RECORD_NO_NEWS) != 0))
                return;
        for (struct asked *asked = record->asked; asked < record->asked + record->asked_count; asked++)
                if (asked->seen_at_ms == 0 && (asked->flags & ASKED_DECLINED) == 0 && was_sent(asked, over) &&
                    strcmp(asked->id, over ? record->closed_by_id : record->owner_id) != 0)
                        asked->flags |= ASKED_TOLD;
}

void ladder_owe_receipt(struct record *record, const struct alert_ground *ground, int64_t now_ms)
{
        const struct handset *handset = directory_handset(ground->people, record->handset);

        if (!ground->sms || handset == NULL || !handset->known || handset->entry.number[0] == '\0' ||
            memcmp(record->id, record->handset, HANDSET_ID_SIZE) != 0)
                return;
        record->told_sms_state = SMS_DUE;
        record->told_sms_at_ms = now_ms;
}

static bool is_needed(const struct record *record, const struct asked *asked)
{
        if (strcmp(record->owner_id, asked->id) == 0)
                return (record->marks & RECORD_NO_NEWS) != 0;
        return (asked->flags & ASKED_DECLINED) == 0 &&
               ((record->marks & RECORD_NO_NEWS) != 0 || (record->owner_id[0] == '\0' && asked->seen_at_ms == 0));
}

bool ladder_sms_again(struct record *record, int64_t now_ms)
{
        bool changed = false;

        for (struct asked *asked = record->asked; asked < record->asked + record->asked_count; asked++) {
                if (asked->sms_state != SMS_DUE || now_ms < asked->sms_at_ms + LADDER_SMS_MS)
                        continue;
                changed = true;
                asked->sms_state = is_needed(record, asked) ? SMS_DUE : SMS_NONE;
                asked->sms_at_ms = asked->sms_state == SMS_DUE ? now_ms : 0;
        }
        if (record->told_sms_state == SMS_DUE && now_ms >= record->told_sms_at_ms + LADDER_SMS_MS) {
                changed = true;
                record->told_sms_state = record->sms_at_ms > record->data_at_ms ? SMS_DUE : SMS_NONE;
                record->told_sms_at_ms = record->told_sms_state == SMS_DUE ? now_ms : 0;
        }
        return changed;
}

/* Everybody is rung: by SMS those again whose last one failed, or is long ago; and the owner, of whom there is no news and who has
 * nothing else. */
static void sms_round(struct record *record, const struct alert_ground *ground, int64_t now_ms)
{
        for (struct asked *asked = record->asked; asked < record->asked + record->asked_count; asked++) {
                bool only = strcmp(record->owner_id, asked->id) == 0 && record->owner_path == BY_SMS;

                if (!is_needed(record, asked) || asked->sms_state == SMS_DUE)
                        continue;
                if (only ? asked->sms_at_ms < record->progress_at_ms || now_ms - asked->sms_at_ms >= LADDER_SMS_AGAIN_MS
                         : asked->sms_state == SMS_FAILED ||
                                    (asked->sms_state != SMS_NONE && now_ms - asked->sms_at_ms >= LADDER_SMS_AGAIN_MS))
                        ladder_owe_sms(asked, ground, now_ms);
        }
}

static int64_t owed_due(const struct record *record)
{
        int64_t due_ms = record->told_sms_state == SMS_DUE ? record->told_sms_at_ms : INT64_MAX - LADDER_SMS_MS;

        for (size_t i = 0; i < record->asked_count; i++)
                if (record->asked[i].sms_state == SMS_DUE && record->asked[i].sms_at_ms < due_ms)
                        due_ms = record->asked[i].sms_at_ms;
        return due_ms + LADDER_SMS_MS;
}

/* ---- Who is asked --------------------------------------------------------------------------------------------------- */

static void note_asked(struct record *record, const struct chosen *chosen, const struct alert_ground *ground,
                       int64_t now_ms)
{
        struct asked *asked = &record->asked[record->asked_count++];

        *asked = (struct asked){ .asked_at_ms = now_ms, .distance_m = UINT32_MAX };
        memcpy(asked->id, chosen->who->id, sizeof(asked->id));
        record_set_text(asked->name, sizeof(asked->name), directory_name(ground->people, asked->id));
        if (chosen->distance_m >= 0)
                asked->distance_m = (uint32_t)chosen->distance_m;
        if (chosen->who->handset_until_ms > now_ms)
                asked->flags |= ASKED_HANDSET;
        if (chosen->who->console_until_ms > now_ms)
                asked->flags |= ASKED_CONSOLE;
        if ((asked->flags & (ASKED_HANDSET | ASKED_CONSOLE)) == 0)
                ladder_owe_sms(asked, ground, now_ms);
}

/* Who was considered this time; those already asked stand in `asked`. */
static void note_passed(struct record *record, const struct choose_result *result)
{
        size_t rest = result->rest_count;

        record->passed_count = 0;
        for (size_t i = 0; i < result->passed_count; i++) {
                const struct passed_over *passed = &result->passed[i];
                struct record_passed *to = &record->passed[record->passed_count];

                if (passed->reason == PASSED_ASKED)
                        continue;
                if (record->passed_count == RECORD_PASSED_MAX) {
                        rest++;
                        continue;
                }
                *to = (struct record_passed){ .reason = (uint8_t)passed->reason };
                memcpy(to->id, passed->who->id, sizeof(to->id));
                record->passed_count++;
        }
        record->passed_rest = rest > UINT16_MAX ? UINT16_MAX : (uint16_t)rest;
}

/* Ask at most COUNT more.  Returns how many were found. */
static size_t ask(struct record *record, const struct alert_ground *ground, enum who who, size_t count, int64_t now_ms)
{
        size_t places = who == WHO_MANAGERS ? RECORD_ASKED_MAX : RECORD_ASKED_MAX - LADDER_MANAGERS;
        const struct zone *zones[ZONES_AT_MAX];
        const char *asked[RECORD_ASKED_MAX];
        struct chosen chosen[RECORD_ASKED_MAX];
        struct passed_over passed[RECORD_PASSED_MAX + RECORD_ASKED_MAX];
        struct choose_result result = { .chosen = chosen,
                                        .chosen_max = RECORD_ASKED_MAX,
                                        .passed = passed,
                                        .passed_max = RECORD_PASSED_MAX + RECORD_ASKED_MAX };
        struct choose_ground where = { ground->people->roster, ground->zones, ground->barriers };
        struct choose_request request = {
                .now_ms = now_ms, .zones = zones, .carrier_id = record->carrier_id, .asked = asked
        };
        struct position at;
        int r;

        if (record->asked_count >= places)
                return 0;
        request.count = count < places - record->asked_count ? count : places - record->asked_count;
        request.zone_count = ladder_zones(record, ground, zones);
        for (; request.asked_count < record->asked_count; request.asked_count++)
                asked[request.asked_count] = record->asked[request.asked_count].id;
        request.at = record_position(record, &at) ? &at : NULL;
        r = who == WHO_NEAREST ? choose_nearest(&where, &request, &result)
            : who == WHO_AREA  ? choose_area(&where, &request, &result)
                               : choose_managers(&where, &request, &result);
        if (r < 0) /* GEOS failed: the next step comes */
                return 0;
        for (size_t i = 0; i < result.chosen_count; i++) {
                note_asked(record, &result.chosen[i], ground, now_ms);
                record->asked[record->asked_count - 1].step = record->step < 3 ? record->step : 3;
                if (who == WHO_MANAGERS)
                        record->asked[record->asked_count - 1].flags |= ASKED_MANAGER;
        }
        if (who != WHO_MANAGERS) /* that somebody is no manager is no reason to keep */
                note_passed(record, &result);
        return result.chosen_count;
}

static void ask_named(struct record *record, const struct alert_ground *ground, int64_t now_ms)
{
        for (size_t i = 0; i < ground->drill_people_count && record->asked_count < RECORD_ASKED_MAX; i++) {
                const struct supervisor *who = roster_find(ground->people->roster, ground->drill_people[i]);
                struct chosen chosen = { .who = who, .distance_m = -1 };
                struct position at;

                if (who == NULL || strcmp(who->id, record->carrier_id) == 0 || record_asked_find(record, who->id) >= 0)
                        continue;
                if (who->has_fix && record_position(record, &at))
                        chosen.distance_m = position_distance_m(&at, &who->fix);
                note_asked(record, &chosen, ground, now_ms);
        }
}

static void exhaust(struct record *record)
{
        record->step = LADDER_EXHAUSTED;
        record->marks |= RECORD_EXHAUSTED;
}

/* The next step. */
static void step(struct record *record, const struct alert_ground *ground, int64_t now_ms)
{
        struct zone_ladder ladder = ladder_of(record, ground);

        switch (++record->step) {
        case 1:
                ask(record, ground, WHO_NEAREST, ladder.ask_count, now_ms);
                break;
        case 2:
                ask(record, ground, WHO_AREA, RECORD_ASKED_MAX, now_ms);
                break;
        case 3:
                if (ask(record, ground, WHO_MANAGERS, LADDER_MANAGERS, now_ms) == 0 && record->owner_id[0] == '\0')
                        exhaust(record); /* nobody to wait for */
                break;
        default:
                exhaust(record);
        }
}

void ladder_begin(struct record *record, const struct alert_ground *ground, int64_t now_ms)
{
        if (record->asked_count > 0) /* asked while the store was away: it goes on from there */
                return;
        record->stepped_at_ms = now_ms;
        record->step = 0;
        if ((record->marks & RECORD_UNVERIFIED) != 0)
                return;
        if ((record->marks & RECORD_DRILL) != 0 && ground->drill_people_count > 0)
                ask_named(record, ground, now_ms);
        else
                ask(record, ground, WHO_NEAREST, ladder_of(record, ground).ask_count, now_ms);
        while (record->asked_count == 0 && record->step < 3 && !ladder_is_still(record, ground))
                step(record, ground, now_ms);
}

void ladder_release(struct record *record, const struct alert_ground *ground, int64_t now_ms)
{
        record->stepped_at_ms = now_ms;
        ladder_pass_on(record, ground, now_ms);
}

void ladder_pass_on(struct record *record, const struct alert_ground *ground, int64_t now_ms)
{
        if (!ladder_is_still(record, ground))
                ask(record, ground, WHO_NEAREST, 1, now_ms);
}

static bool is_later(uint8_t known, uint8_t told)
{
        return known == SMS_DUE || (known == SMS_HANDED && told > SMS_HANDED) ||
               (known == SMS_FAILED && told == SMS_DELIVERED);
}

bool ladder_note(struct record *record, const struct alert_sms *sms, const struct alert_ground *ground, int64_t now_ms)
{
        size_t count = record->asked_count;
        bool changed = false;

        for (size_t i = 0; i < count; i++) {
                struct asked *asked = &record->asked[i];

                if (sms->asked[i] == SMS_NONE || !is_later(asked->sms_state, sms->asked[i]))
                        continue;
                changed = true;
                asked->sms_state = sms->asked[i];
                asked->sms_at_ms = now_ms;
                if (asked->sms_state == SMS_FAILED && (asked->flags & (ASKED_HANDSET | ASKED_CONSOLE)) == 0 &&
                    asked->seen_at_ms == 0 && record->owner_id[0] == '\0')
                        ladder_pass_on(record, ground, now_ms);
        }
        if (sms->told == SMS_NONE || !is_later(record->told_sms_state, sms->told))
                return changed;
        record->told_sms_state = sms->told;
        record->told_sms_at_ms = now_ms;
        return true;
}

static int64_t step_due(const struct record *record, const struct zone_ladder *ladder)
{
        const int64_t after_s[] = { ladder->next_after_s, ladder->all_after_s - ladder->next_after_s,
                                    ladder->managers_after_s - ladder->all_after_s };

        return record->stepped_at_ms + (record->step < 3 ? after_s[record->step] * 1000 : LADDER_RING_MS);
}

static int64_t sms_due(const struct record *record, const struct zone_ladder *ladder)
{
        return record->sms_checked < record->asked_count
                       ? record->asked[record->sms_checked].asked_at_ms + ladder->sms_after_s * 1000
                       : INT64_MAX;
}

static int64_t progress_due(const struct record *record)
{
        return record->progress_at_ms + (record->state == ALERT_ON_SCENE   ? LADDER_ON_SCENE_MS
                                         : record->state == ALERT_EN_ROUTE ? LADDER_EN_ROUTE_MS
                                                                           : LADDER_TAKEN_MS);
}

static int64_t earlier(int64_t a, int64_t b)
{
        return a < b ? a : b;
}

static int64_t ladder_next(const struct record *record, const struct alert_ground *ground, int64_t owner_heard_ms)
{
        struct zone_ladder ladder = ladder_of(record, ground);

        if (ladder_is_still(record, ground))
                return record->stepped_at_ms + LADDER_SHOW_MS;
        if (record->owner_id[0] == '\0')
                return earlier(step_due(record, &ladder), sms_due(record, &ladder));
        if ((record->marks & RECORD_NO_NEWS) != 0)
                return record->stepped_at_ms + LADDER_RING_MS;
        return owner_heard_ms > INT64_MAX - LADDER_UNHEARD_MS
                       ? progress_due(record)
                       : earlier(progress_due(record), owner_heard_ms + LADDER_UNHEARD_MS);
}

int64_t ladder_due(const struct record *record, const struct alert_ground *ground, int64_t owner_heard_ms)
{
        return record->state == ALERT_CLOSED ? 0
                                             : earlier(ladder_next(record, ground, owner_heard_ms), owed_due(record));
}

/* When a step counts as done: in time, unless it is very late. */
static int64_t on_time(int64_t due_ms, int64_t now_ms)
{
        return now_ms - due_ms < LADDER_LATE_MS ? due_ms : now_ms;
}

static bool show_again(struct record *record, int64_t now_ms)
{
        int64_t due_ms = record->stepped_at_ms + LADDER_SHOW_MS;

        if (now_ms < due_ms)
                return false;
        record->stepped_at_ms = on_time(due_ms, now_ms);
        if ((record->marks & RECORD_DRILL) == 0 && record->owner_id[0] == '\0')
                record->rings++;
        return true;
}

/* Those asked so long ago and not seen: an SMS, and the next one.  Returns whether there were any to look at. */
static bool check_seen(struct record *record, const struct alert_ground *ground, int64_t now_ms)
{
        struct zone_ladder ladder = ladder_of(record, ground);
        bool changed = false;

        while (sms_due(record, &ladder) <= now_ms) {
                struct asked *asked = &record->asked[record->sms_checked++];

                changed = true;
                if (asked->seen_at_ms != 0)
                        continue;
                if ((asked->flags & (ASKED_SMS_DUE | ASKED_DECLINED)) == 0)
                        ladder_owe_sms(asked, ground, now_ms);
                ask(record, ground, WHO_NEAREST, 1, now_ms);
        }
        return changed;
}

bool ladder_climb(struct record *record, const struct alert_ground *ground, int64_t now_ms)
{
        struct zone_ladder ladder = ladder_of(record, ground);
        int64_t due_ms;
        bool changed;

        if (ladder_is_still(record, ground))
                return show_again(record, now_ms);
        changed = check_seen(record, ground, now_ms);
        due_ms = step_due(record, &ladder);
        if (now_ms < due_ms)
                return changed;
        record->stepped_at_ms = on_time(due_ms, now_ms);
        if (record->step == LADDER_EXHAUSTED) {
                record->rings++;
                ask(record, ground, WHO_NEAREST, ladder.ask_count, now_ms); /* who has come on duty since */
        } else {
                step(record, ground, now_ms);
        }
        sms_round(record, ground, now_ms);
        return true;
}

int64_t ladder_heard(const struct record *record, const struct alert_ground *ground, int64_t now_ms)
{
        const struct person *owner = directory_person(ground->people, record->owner_id);
        int64_t heard_ms;

        if (owner == NULL || record->owner_path == BY_SMS)
                return INT64_MAX;
        if (ground->hearing_since_ms > now_ms)
                return now_ms;
        heard_ms = owner->heard_at_ms > ground->hearing_since_ms ? owner->heard_at_ms : ground->hearing_since_ms;
        return heard_ms > record->progress_at_ms ? heard_ms : record->progress_at_ms;
}

/* There is no news: everybody is rung, and more people are asked each time. */
static void ring_again(struct record *record, const struct alert_ground *ground, int64_t now_ms)
{
        record->stepped_at_ms = now_ms;
        record->rings++;
        if (record->step < 3)
                step(record, ground, now_ms);
        sms_round(record, ground, now_ms);
}

bool ladder_watch(struct record *record, const struct alert_ground *ground, int64_t now_ms)
{
        int64_t heard_ms = ladder_heard(record, ground, now_ms);
        bool marked = (record->marks & RECORD_NO_NEWS) != 0;
        bool silent =
                now_ms >= progress_due(record) || (heard_ms != INT64_MAX && now_ms >= heard_ms + LADDER_UNHEARD_MS);

        if (ladder_is_still(record, ground))
                return show_again(record, now_ms);
        if (marked != silent) {
                record->marks ^= RECORD_NO_NEWS;
                if (silent)
                        ring_again(record, ground, now_ms);
                return true;
        }
        if (!marked) /* heard since: only the deadline moves */
                return now_ms >= record->due_ms;
        if (now_ms < record->stepped_at_ms + LADDER_RING_MS)
                return false;
        ring_again(record, ground, now_ms);
        return true;
}
