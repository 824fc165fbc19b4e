/* One alert as pages get it: PROTOCOL.md section 4. */
#include "console/view.h"

#include <string.h>

#include "console/view_json.h"
#include "geo/choose.h"
#include "wire/alert.h"

static const struct {
        uint32_t mark;
        const char *name;
} marks[] = {
        { RECORD_SILENT, "silent" },
        { RECORD_DURESS, "duress" },
        { RECORD_DRILL, "drill" },
        { RECORD_UNVERIFIED, "unverified" },
        { RECORD_MISTAKE, "mistake" },
        { RECORD_PRESSED_AGAIN, "pressed_again" },
        { RECORD_EXHAUSTED, "exhausted" },
        { RECORD_HOLDER_UNSURE, "holder_unsure" },
        { RECORD_LAST_WORDS, "last_words" },
        { RECORD_STILL, "still" },
        { RECORD_BAD_POSITION, "bad_position" },
        { RECORD_BAD_TIME, "bad_time" },
        { RECORD_NO_NEWS, "no_news" },
        { RECORD_RESTORED, "restored" },
};

static const struct {
        uint8_t flag;
        const char *name;
} asked_flags[] = {
        { ASKED_HANDSET, "handset" },   { ASKED_CONSOLE, "console" }, { ASKED_SMS_DUE, "sms_due" },
        { ASKED_JOINED, "joined" },     { ASKED_OWNED, "owned" },     { ASKED_MANAGER, "manager" },
        { ASKED_DECLINED, "declined" },
};

/* Stable words: wire/alert.h's names are for people. */
static const char *const kinds[ALERT_KIND_COUNT] = {
        "panic", "silent", "man_down", "missed_check_in", "drill", "test"
};
static const char *const categories[ALERT_OTHER + 1] = { "none", "fall", "aggression", "dog", "illness", "other" };

/* Stable words: geo/choose.h's names are for people, too. */
static const char *const passed_reasons[PASSED_REASON_COUNT] = {
        [PASSED_CARRIER] = "carrier",   [PASSED_NOT_MANAGER] = "not_manager",
        [PASSED_OFF_DUTY] = "off_duty", [PASSED_UNREACHABLE] = "unreachable",
        [PASSED_ASKED] = "asked",       [PASSED_NOT_ALLOWED] = "not_allowed",
        [PASSED_BUSY] = "busy",         [PASSED_NO_FIX] = "no_fix",
        [PASSED_OLD_FIX] = "old_fix",   [PASSED_FURTHER] = "further",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static json_t *marks_json(uint32_t bits)
{
        json_t *list = json_array();

        for (size_t i = 0; i < COUNT(marks); i++)
                if (bits & marks[i].mark)
                        json_array_append_new(list, json_string(marks[i].name));
        return list;
}

static json_t *paths_json(uint8_t bits)
{
        json_t *list = json_array();

        if (bits & PATH_DATA)
                json_array_append_new(list, json_string("data"));
        if (bits & PATH_SMS)
                json_array_append_new(list, json_string("sms"));
        return list;
}

/* sms_json: what became of an SMS of ours: null where there was none. */
static json_t *sms_json(uint8_t state, int64_t at_ms)
{
        const char *word = sms_state_name(state);

        if (state == SMS_NONE)
                return json_null();
        return json_pack("{s:s, s:o}", "state", word != NULL ? word : "unknown", "at", view_time(at_ms));
}

static json_t *asked_json(const struct asked *asked)
{
        json_t *flags = json_array();

        for (size_t i = 0; i < COUNT(asked_flags); i++)
                if (asked->flags & asked_flags[i].flag)
                        json_array_append_new(flags, json_string(asked_flags[i].name));
        return json_pack("{s:s, s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:s?}", "id", asked->id, "name", asked->name, "step",
                         (int)asked->step, "flags", flags, "asked_at", view_time(asked->asked_at_ms), "seen_at",
                         view_time(asked->seen_at_ms), "distance_m",
                         asked->distance_m != UINT32_MAX ? json_integer(asked->distance_m) : json_null(), "sms",
                         sms_json(asked->sms_state, asked->sms_at_ms), "answered_by",
                         answer_path_name(asked->answer_path));
}

/* The carrier, the place and the marks: what the phone said. */
static json_t *what_json(const struct record *r)
{
        return json_pack("{s:s, s:s, s:o, s:s?, s:o, s:o, s:o, s:o, s:i, s:I, s:I, s:o, s:o}", "kind",
                         r->kind < COUNT(kinds) ? kinds[r->kind] : "unknown", "category",
                         r->category < COUNT(categories) ? categories[r->category] : "other", "marks",
                         marks_json(r->marks), "why_unverified",
                         r->why_unverified != UNVERIFIED_NOT ? unverified_why_name(r->why_unverified) : NULL, "paths",
                         paths_json(r->paths), "data_at", view_time(r->data_at_ms), "sms_at", view_time(r->sms_at_ms),
                         "told_sms", sms_json(r->told_sms_state, r->told_sms_at_ms), "presses", (int)r->presses,
                         "pressed_at", (json_int_t)r->pressed_at_s * 1000, "raised_at", (json_int_t)r->raised_at_ms,
                         "heard_at", view_time(r->heard_at_ms), "battery",
                         r->battery != ALERT_BATTERY_UNKNOWN ? json_integer(r->battery) : json_null());
}

static json_t *where_json(const struct record *r)
{
        json_t *track = json_array(), *position = r->has_position ? view_point(&r->at) : json_null();

        for (unsigned i = 0; i < r->track_count; i++)
                json_array_append_new(track, view_point(&r->track[i]));
        return json_pack("{s:o, s:o, s:s?, s:s?, s:s?, s:s?}", "position", position, "track", track, "zone",
                         view_or_null(r->zone_id), "zone_name", view_or_null(r->zone_name), "round",
                         view_or_null(r->round), "team", view_or_null(r->team));
}

static const char *passed_word(uint8_t reason)
{
        return reason < COUNT(passed_reasons) ? passed_reasons[reason] : "other";
}

static json_t *who_json(const struct record *r)
{
        json_t *asked = json_array(), *passed = json_array();

        for (unsigned i = 0; i < r->asked_count; i++)
                json_array_append_new(asked, asked_json(&r->asked[i]));
        for (unsigned i = 0; i < r->passed_count; i++)
                json_array_append_new(passed, json_pack("{s:s, s:s}", "id", r->passed[i].id, "reason",
                                                        passed_word(r->passed[i].reason)));
        return json_pack("{s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:o, s:o, s:o, s:o, s:i}", "carrier",
                         view_or_null(r->carrier_id), "carrier_name", view_or_null(r->carrier_name), "number",
                         view_or_null(r->carrier_number), "owner", view_or_null(r->owner_id), "owner_name",
                         view_or_null(r->owner_name), "owner_by", answer_path_name(r->owner_path), "taken_at",
                         view_time(r->taken_at_ms), "progress_at", view_time(r->progress_at_ms), "asked", asked,
                         "passed", passed, "passed_rest", (int)r->passed_rest);
}

static json_t *closed_json(const struct record *r)
{
        const char *reason = close_reason_name(r->close_reason);

        if (r->state != ALERT_CLOSED)
                return json_null();
        return json_pack("{s:s, s:s, s:s, s:s?, s:I}", "by", r->closed_by_id, "name", r->closed_by_name, "reason",
                         reason != NULL ? reason : "other", "note", view_or_null(r->note), "at",
                         (json_int_t)r->closed_at_ms);
}

struct outbound *view_alert(const struct record *record, const struct change *change)
{
        struct alert_id id;
        char text[ALERT_ID_TEXT];
        const char *state = alert_state_name(record->state);
        json_t *alert, *part;

        memcpy(id.octets, record->id, sizeof(id.octets));
        alert_id_to_text(&id, text);
        alert = json_pack("{s:s, s:I, s:s, s:f, s:I, s:i, s:i, s:o, s:o}", "id", text, "v", (json_int_t)record->version,
                          "state", state != NULL ? state : "unknown", "urgency", record_urgency(record), "changed_at",
                          (json_int_t)record->changed_at_ms, "step", (int)record->step, "rings", (int)record->rings,
                          "due_at", view_time(record->due_ms), "closed", closed_json(record));
        json_t *parts[] = { what_json(record), where_json(record), who_json(record) };
        for (size_t i = 0; i < COUNT(parts); i++) {
                part = parts[i];
                if (json_object_update(alert, part) < 0) {
                        json_decref(alert);
                        alert = NULL;
                }
                json_decref(part);
        }
        if (alert == NULL)
                return NULL;
        return view_dump(json_pack("{s:s, s:s?, s:s?, s:s?, s:o}", "t", "alert", "e", view_or_null(change->event), "by",
                                   view_or_null(change->by), "c", view_or_null(change->command), "alert", alert));
}
