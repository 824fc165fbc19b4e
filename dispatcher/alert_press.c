#include "dispatcher/alert_act.h"

#include <errno.h>
#include <string.h>

#include "dispatcher/ladder.h"

static const struct {
        uint16_t alert;
        uint32_t record;
} mark_names[] = {
        { ALERT_MISTAKE, RECORD_MISTAKE },
        { ALERT_DURESS, RECORD_DURESS },
        { ALERT_HOLDER_UNSURE, RECORD_HOLDER_UNSURE },
        { ALERT_PRESSED_AGAIN, RECORD_PRESSED_AGAIN },
        { ALERT_LAST_WORDS, RECORD_LAST_WORDS },
        { ALERT_STILL, RECORD_STILL },
};

/* The marks of RECORD and what PRESS adds.  Under duress nobody is told that it was a mistake. */
static uint32_t marks_with(const struct record *record, const struct alert_press *press)
{
        uint32_t marks = record->marks;

        for (size_t i = 0; i < sizeof(mark_names) / sizeof(mark_names[0]); i++)
                if ((press->alert.marks & mark_names[i].alert) != 0)
                        marks |= mark_names[i].record;
        if (press->alert.kind == ALERT_SILENT)
                marks |= RECORD_SILENT;
        if ((press->odd & ALERT_ODD_POSITION) != 0)
                marks |= RECORD_BAD_POSITION;
        if ((marks & RECORD_DURESS) != 0 && (record->marks & RECORD_MISTAKE) == 0)
                marks &= ~(uint32_t)RECORD_MISTAKE;
        return marks;
}

static bool is_alias(const struct record *record, const struct alert_press *press)
{
        return memcmp(record->id, press->id, ALERT_ID_SIZE) != 0;
}

int alert_alias_find(const struct record *record, const uint8_t nonce[ALERT_NONCE_SIZE])
{
        for (int i = 0; i < record->alias_count; i++)
                if (memcmp(record->aliases[i].nonce, nonce, ALERT_NONCE_SIZE) == 0)
                        return i;
        return -ENOENT;
}

void alert_leave_later(struct record *record)
{
        size_t kept = 0;

        for (size_t i = 0; i < record->alias_count; i++)
                if (record->aliases[i].at_ms <= record->closed_at_ms)
                        record->aliases[kept++] = record->aliases[i];
        record->alias_count = (uint8_t)kept;
}

/* The highest revision known of the nonce that PRESS has; -1 none. */
static int known_revision(const struct record *record, const struct alert_press *press)
{
        int alias = alert_alias_find(record, press->id + HANDSET_ID_SIZE);

        if (!is_alias(record, press))
                return record->revision;
        return alias >= 0 ? record->aliases[alias].revision : -1;
}

static bool lifts(const struct record *record, const struct alert_press *press)
{
        return (record->marks & RECORD_UNVERIFIED) != 0 && press->why == UNVERIFIED_NOT;
}

static bool tells_category(const struct record *record, const struct alert_press *press)
{
        return record->category == ALERT_CATEGORY_NONE && alert_category(press->alert.marks) != ALERT_CATEGORY_NONE;
}

/* Whether the path that PRESS came by says something new: see alert.h. */
static bool tells_path(const struct record *record, const struct alert_press *press)
{
        if (press->paths == PATH_SMS)
                return record->sms_at_ms == 0;
        return record->data_at_ms == 0 ||
               (record->sms_at_ms > record->data_at_ms && press->came_ms > record->sms_at_ms);
}

bool alert_says_all(const struct alert_press *newer, const struct alert_press *older)
{
        return alert_marks_add(older->alert.marks, newer->alert.marks) == newer->alert.marks;
}

bool alert_knows(const struct record *record, const struct alert_press *press)
{
        return record->version != 0 && press->alert.revision <= known_revision(record, press) &&
               marks_with(record, press) == record->marks && !lifts(record, press) && !tells_category(record, press) &&
               !tells_path(record, press);
}

static void note_path(struct record *record, const struct alert_press *press, const struct alert_change *change,
                      const struct alert_ground *ground)
{
        int64_t *at_ms = press->paths == PATH_SMS ? &record->sms_at_ms : &record->data_at_ms;

        record->paths |= press->paths;
        *at_ms = change->at_ms > *at_ms ? change->at_ms : *at_ms;
        if (press->paths == PATH_SMS && !change->replayed)
                ladder_owe_receipt(record, ground, change->now_ms);
}

static struct track_point fix_of(const struct alert_press *press, const struct record *record, int64_t at_ms)
{
        uint32_t came_s = (uint32_t)(at_ms / 1000), age_s = press->alert.fix_age_s;
        /* The first revision was signed at the press, which may have waited for coverage; later ones are sent as they are made. */
        uint32_t signed_s = press->alert.revision == 0 && (record->marks & RECORD_BAD_TIME) == 0
                                    ? press->alert.pressed_at_s
                                    : came_s;

        return (struct track_point){ .at_s = signed_s > age_s ? signed_s - age_s : 0,
                                     .lat_e7 = press->alert.lat_e7,
                                     .lon_e7 = press->alert.lon_e7,
                                     .accuracy_m = press->alert.accuracy_m };
}

/* Every second point goes when the track is full; the way stays, with less detail. */
static void track_thin(struct record *record)
{
        record->track_count = RECORD_TRACK_MAX / 2;
        for (size_t i = 0; i < record->track_count; i++)
                record->track[i] = record->track[2 * i];
}

static void set_zone(struct record *record, const struct alert_ground *ground)
{
        const struct zone *zones[ZONES_AT_MAX];
        bool found = ladder_zones(record, ground, zones) > 0;

        record_set_text(record->zone_id, sizeof(record->zone_id), found ? zones[0]->id : "");
        record_set_text(record->zone_name, sizeof(record->zone_name), found ? zones[0]->name : "");
}

static void set_position(struct record *record, const struct alert_press *press, const struct alert_change *change,
                         const struct alert_ground *ground)
{
        struct track_point at = fix_of(press, record, change->at_ms);

        if (!press->alert.has_fix || (is_alias(record, press) && record->has_position && at.at_s < record->at.at_s))
                return;
        if (record->has_position && record->at.at_s != at.at_s) {
                if (record->track_count == RECORD_TRACK_MAX)
                        track_thin(record);
                record->track[record->track_count++] = record->at;
        }
        record->has_position = true;
        record->at = at;
        set_zone(record, ground);
}

static void set_carrier(struct record *record, const struct alert_ground *ground)
{
        const struct handset *handset = directory_handset(ground->people, record->handset);
        bool sure = false;
        const char *id = handset != NULL ? handset_holder(handset, &sure) : "";
        const char *number = directory_number(ground->people, id);

        if (!sure)
                record->marks |= RECORD_HOLDER_UNSURE;
        if (number[0] == '\0' && handset != NULL && handset->known)
                number = handset->entry.number;
        record_set_text(record->carrier_id, sizeof(record->carrier_id), id);
        record_set_text(record->carrier_name, sizeof(record->carrier_name), directory_name(ground->people, id));
        record_set_text(record->carrier_number, sizeof(record->carrier_number), number);
        record_set_text(record->team, sizeof(record->team), directory_team(ground->people, id));
        if (handset != NULL && handset->duty != NULL)
                record_set_text(record->round, sizeof(record->round), handset->duty->round);
}

static void set_time(struct record *record, const struct alert_press *press, int64_t at_ms)
{
        int64_t came_s = at_ms / 1000, pressed_s = press->alert.pressed_at_s;
        bool bad = (press->odd & ALERT_ODD_TIME) != 0 || pressed_s > came_s + ALERT_AHEAD_MAX_S ||
                   pressed_s < came_s - ALERT_AGE_MAX_S;

        record->pressed_at_s = (uint32_t)(bad ? came_s : pressed_s);
        if (bad)
                record->marks |= RECORD_BAD_TIME;
}

static void note_again(struct record *record, const struct alert_press *press, int64_t at_ms)
{
        if ((press->alert.marks & ALERT_PRESSED_AGAIN) != 0)
                record->again_at_ms = at_ms;
}

int alert_raise(struct record *record, const struct alert_change *change, const struct alert_ground *ground)
{
        const struct alert_press *press = change->press;

        memcpy(record->id, press->id, ALERT_ID_SIZE);
        memcpy(record->handset, press->handset, HANDSET_ID_SIZE);
        record->kind = (uint8_t)press->alert.kind;
        record->category = (uint8_t)alert_category(press->alert.marks);
        record->revision = press->alert.revision;
        record->presses = 1;
        record->battery = press->alert.battery_percent;
        record->raised_at_ms = change->now_ms;
        record->heard_at_ms = change->at_ms;
        note_again(record, press, change->at_ms);
        record->why_unverified = press->why;
        record->marks = marks_with(record, press);
        if (press->why != UNVERIFIED_NOT)
                record->marks |= RECORD_UNVERIFIED;
        if (press->alert.kind == ALERT_DRILL)
                record->marks |= RECORD_DRILL;
        set_time(record, press, change->at_ms);
        set_carrier(record, ground);
        set_position(record, press, change, ground);
        if (!record->has_position)
                set_zone(record, ground);
        note_path(record, press, change, ground);
        ladder_begin(record, ground, change->now_ms);
        return record->asked_count > 0 ? ACT_OTHER : ACT_NEXT;
}

/* A press on another phone of the same handset: its nonce is kept, so that it gets receipts of its own. */
static void update_alias(struct record *record, const struct alert_press *press, int64_t at_ms)
{
        int alias = alert_alias_find(record, press->id + HANDSET_ID_SIZE);

        if (alias < 0) {
                if (record->alias_count == RECORD_ALIASES_MAX)
                        memmove(record->aliases, record->aliases + 1, --record->alias_count * sizeof(*record->aliases));
                alias = record->alias_count++;
                memcpy(record->aliases[alias].nonce, press->id + HANDSET_ID_SIZE, ALERT_NONCE_SIZE);
                record->aliases[alias].at_ms = at_ms;
                record->marks |= RECORD_PRESSED_AGAIN;
                record->presses++;
        }
        record->aliases[alias].revision = press->alert.revision;
}

int alert_update(struct record *record, const struct alert_change *change, const struct alert_ground *ground)
{
        const struct alert_press *press = change->press;
        bool newer = press->alert.revision > known_revision(record, press);
        bool lifted = lifts(record, press);
        uint32_t marks = marks_with(record, press);

        if (alert_knows(record, press))
                return ACT_NOTHING;
        if ((marks & ~record->marks & RECORD_PRESSED_AGAIN) != 0 && !is_alias(record, press))
                record->presses++;
        if (newer && !is_alias(record, press))
                note_again(record, press, change->at_ms);
        record->marks = marks;
        if (tells_category(record, press) || (newer && alert_category(press->alert.marks) != ALERT_CATEGORY_NONE))
                record->category = (uint8_t)alert_category(press->alert.marks);
        if (newer) {
                if (is_alias(record, press))
                        update_alias(record, press, change->at_ms);
                else
                        record->revision = press->alert.revision;
                record->battery = press->alert.battery_percent;
                record->heard_at_ms = change->at_ms > record->heard_at_ms ? change->at_ms : record->heard_at_ms;
                set_position(record, press, change, ground);
        }
        note_path(record, press, change, ground);
        if (record->carrier_id[0] == '\0')
                set_carrier(record, ground);
        if (!lifted)
                return ACT_NEXT;
        /* Its handset was enrolled here too late, and the signature is good after all: now it is asked for. */
        record->marks &= ~(uint32_t)RECORD_UNVERIFIED;
        record->why_unverified = UNVERIFIED_NOT;
        if (record->owner_id[0] == '\0')
                ladder_begin(record, ground, change->now_ms);
        return record->asked_count > 0 ? ACT_OTHER : ACT_NEXT;
}
