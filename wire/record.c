#include "wire/record.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/utf8.h"
#include "wire/fields.h"

/* ---- PROTOCOL.md 8 */

static const struct field asked_table[] = {
        F_ID(struct asked, id),
        F_TEXT(struct asked, name),
        F_UINT(struct asked, step, 0, 3),
        F_U8(struct asked, flags),
        F_MS(struct asked, asked_at_ms),
        F_MS(struct asked, seen_at_ms),
        F_U32(struct asked, distance_m),
        F_LATER(struct asked, sms_at_ms, INT64_MAX),
        F_LATER(struct asked, sms_state, UINT8_MAX),
        F_LATER(struct asked, answer_path, UINT8_MAX),
};
static const struct fields asked_fields = FIELDS(asked_table);

static const struct field passed_table[] = {
        F_ID(struct record_passed, id),
        F_U8(struct record_passed, reason),
};
static const struct fields passed_fields = FIELDS(passed_table);

static const struct field alias_table[] = {
        F_OCTETS(struct record_alias, nonce),
        F_U16(struct record_alias, revision),
        F_LATER(struct record_alias, at_ms, INT64_MAX),
};
static const struct fields alias_fields = FIELDS(alias_table);

/* The first has key 1, and so on without a gap: keys of a newer format sort behind ours.  New fields go to the end. */
static const struct field table[] = {
        F_OCTETS(struct record, id),
        F_UINT(struct record, version, 1, UINT32_MAX),
        F_UINT(struct record, state, ALERT_RAISED, ALERT_CLOSED),
        F_U32(struct record, marks),
        F_U8(struct record, why_unverified),
        F_U8(struct record, kind),
        F_UINT(struct record, category, 0, 7),
        F_U8(struct record, paths),
        F_U16(struct record, revision),
        F_U16(struct record, presses),
        F_U32(struct record, pressed_at_s),
        F_MS(struct record, raised_at_ms),
        F_MS(struct record, changed_at_ms),
        F_MS(struct record, heard_at_ms),
        F_PART(struct record, at, has_position, &fields_point),
        F_BATTERY(struct record, battery),
        F_LIST(struct record, track, track_count, RECORD_TRACK_MAX, &fields_point),
        F_OCTETS(struct record, handset),
        F_ID(struct record, carrier_id),
        F_TEXT(struct record, carrier_name),
        F_ID(struct record, carrier_number),
        F_TEXT(struct record, team),
        F_ID(struct record, round),
        F_TEXT(struct record, zone_id),
        F_TEXT(struct record, zone_name),
        F_ID(struct record, owner_id),
        F_TEXT(struct record, owner_name),
        F_MS(struct record, taken_at_ms),
        F_MS(struct record, progress_at_ms),
        F_LIST(struct record, asked, asked_count, RECORD_ASKED_MAX, &asked_fields),
        F_LIST(struct record, passed, passed_count, RECORD_PASSED_MAX, &passed_fields),
        F_U16(struct record, passed_rest),
        F_UINT(struct record, step, 0, 4),
        F_UINT(struct record, sms_checked, 0, RECORD_ASKED_MAX),
        F_U16(struct record, rings),
        F_MS(struct record, stepped_at_ms),
        F_MS(struct record, due_ms),
        F_ALSO(struct record, close_reason, CLOSE_HELPED, CLOSE_REASON_MAX, 0),
        F_ID(struct record, closed_by_id),
        F_TEXT(struct record, closed_by_name),
        F_TEXT(struct record, note),
        F_MS(struct record, closed_at_ms),
        F_LIST(struct record, aliases, alias_count, RECORD_ALIASES_MAX, &alias_fields),
        F_BLOB(struct record, applied, applied_count, EVENT_ID_SIZE, RECORD_APPLIED_MAX),
        F_MS(struct record, data_at_ms),
        F_MS(struct record, sms_at_ms),
        F_MS(struct record, told_sms_at_ms),
        F_U8(struct record, told_sms_state),
        F_U8(struct record, owner_path),
        F_DIGEST(struct record, before),
        F_DIGEST(struct record, salt),
        F_MS(struct record, again_at_ms),
};
#define FIELD_COUNT (sizeof(table) / sizeof(table[0]))

_Static_assert(FIELD_COUNT < 64, "record_decode() keeps one bit a field");
_Static_assert(sizeof(struct record) <= UINT16_MAX, "offsets in struct field");

int record_encode(const struct record *record, uint8_t *buf, size_t size)
{
        struct fields_writer w = { .cut = true };
        uint64_t count = 1u + record->unknown_count;

        for (size_t i = 0; i < FIELD_COUNT; i++)
                count += !field_is_zero(&table[i], record);
        w.bad = record->sms_checked > record->asked_count || record->unknown_size > RECORD_UNKNOWN_MAX;
        cbor_writer_init(&w.cbor, buf, size);
        cbor_write_map(&w.cbor, count);
        cbor_write_uint(&w.cbor, 0);
        cbor_write_uint(&w.cbor, RECORD_FORMAT);
        for (size_t i = 0; i < FIELD_COUNT; i++) {
                if (field_is_zero(&table[i], record)) {
                        w.bad |= !field_may_be_zero(&table[i]);
                        continue;
                }
                cbor_write_uint(&w.cbor, i + 1);
                field_write(&w, &table[i], record);
        }
        if (!w.bad)
                cbor_write_raw(&w.cbor, (struct cbor_span){ record->unknown, record->unknown_size });
        return fields_written(&w);
}

/* Keep an entry that is not ours, if there is room. */
static void unknown_keep(struct cbor_reader *r, struct record *record)
{
        struct cbor_span key = cbor_skip(r), value = cbor_skip(r);
        size_t len = key.len + value.len;

        if (r->broken != NULL || len > sizeof(record->unknown) - record->unknown_size)
                return;
        memcpy(record->unknown + record->unknown_size, key.at, len);
        record->unknown_size = (uint16_t)(record->unknown_size + len);
        record->unknown_count++;
}

/* Read one entry of the map; note in *SEEN which of ours it was. */
static void entry_read(struct cbor_reader *r, struct record *record, uint64_t *seen)
{
        struct cbor_reader ahead = *r;
        uint64_t key = cbor_peek(r) == CBOR_UINT ? cbor_read_uint(&ahead, UINT64_MAX) : 0;

        if (key == 0 || key > FIELD_COUNT) {
                unknown_keep(r, record);
                return;
        }
        *r = ahead;
        field_read(r, &table[key - 1], record);
        if (field_is_zero(&table[key - 1], record))
                cbor_refuse(r, "a field that is zero stands in the map");
        *seen |= UINT64_C(1) << key;
}

static int entries_read(struct cbor_reader *r, struct record *record)
{
        uint64_t seen = 0;
        int result;

        cbor_read_uint(r, 0);
        if ((result = fields_format(r, RECORD_FORMAT)) < 0)
                return result;
        while (cbor_more(r))
                entry_read(r, record, &seen);
        for (size_t i = 0; i < FIELD_COUNT; i++)
                if ((seen >> (i + 1) & 1) == 0 && !field_may_be_zero(&table[i]))
                        cbor_refuse(r, "a field is missing");
        if (record->sms_checked > record->asked_count)
                cbor_refuse(r, "more checked than asked");
        cbor_leave(r);
        return cbor_end(r);
}

int record_decode(const uint8_t *data, size_t size, struct record *ret_record)
{
        struct cbor_span in = { data, size };
        struct cbor_reader r;
        int result;

        memset(ret_record, 0, sizeof(*ret_record));
        cbor_reader_init(&r, in);
        cbor_enter_map(&r);
        result = entries_read(&r, ret_record);
        if (result == 0 && size > RECORD_MAX)
                result = -EBADMSG;
        if (result == -EPROTONOSUPPORT && cbor_validate(in, NULL) < 0)
                result = -EBADMSG;
        if (result < 0)
                memset(ret_record, 0, sizeof(*ret_record));
        return result;
}

/* ---- helpers */

int record_asked_find(const struct record *record, const char *person)
{
        for (int i = 0; i < record->asked_count; i++)
                if (strcmp(record->asked[i].id, person) == 0)
                        return i;
        return -ENOENT;
}

bool record_applied(const struct record *record, const uint8_t id[EVENT_ID_SIZE])
{
        for (size_t i = 0; i < record->applied_count; i++)
                if (memcmp(record->applied[i], id, EVENT_ID_SIZE) == 0)
                        return true;
        return false;
}

void record_apply_id(struct record *record, const uint8_t id[EVENT_ID_SIZE])
{
        if (record_applied(record, id))
                return;
        assert(record->applied_count <= RECORD_APPLIED_MAX);
        if (record->applied_count == RECORD_APPLIED_MAX) {
                memmove(record->applied[0], record->applied[1], (RECORD_APPLIED_MAX - 1) * EVENT_ID_SIZE);
                record->applied_count--;
        }
        memcpy(record->applied[record->applied_count++], id, EVENT_ID_SIZE);
}

void record_set_text(char *to, size_t size, const char *text)
{
        size_t len = 0, left = text != NULL ? strlen(text) : 0, step;

        assert(size > 0);
        while (left > len && (step = utf8_sequence(text + len, left - len)) > 0 && len + step < size)
                len += step;
        memset(to, 0, size);
        if (len > 0)
                memcpy(to, text, len);
}

uint8_t record_receipt_state(const struct record *record)
{
        if (record->state == ALERT_CLOSED && record->close_reason != 0)
                return record->close_reason;
        return (uint8_t)record->state;
}

double record_urgency(const struct record *record)
{
        bool taken = record->owner_id[0] != 0 && (record->marks & RECORD_NO_NEWS) == 0;
        unsigned rank = 0;

        rank = rank * 2 + ((record->marks & RECORD_DRILL) == 0);
        rank = rank * 2 + ((record->marks & RECORD_UNVERIFIED) == 0);
        rank = rank * 2 + !taken;
        rank = rank * 2 + ((record->marks & RECORD_DURESS) != 0);
        rank = rank * 2 + ((record->marks & RECORD_EXHAUSTED) != 0);
        return (double)(((uint64_t)rank << 32) + (UINT32_MAX - record->pressed_at_s));
}

/* ---- words */

const char *alert_state_name(uint8_t state)
{
        static const char *const names[ALERT_STATE_END] = {
                [ALERT_RAISED] = "raised", [ALERT_ASKED] = "asked",       [ALERT_SEEN] = "seen",
                [ALERT_TAKEN] = "taken",   [ALERT_EN_ROUTE] = "en_route", [ALERT_ON_SCENE] = "on_scene",
                [ALERT_CLOSED] = "closed",
        };

        return state < ALERT_STATE_END ? names[state] : NULL;
}

const char *alert_event_name(uint8_t event)
{
        static const char *const names[EVENT_END] = {
                [EVENT_RAISE] = "raise",       [EVENT_UPDATE] = "update",   [EVENT_SEEN] = "seen",
                [EVENT_TAKE] = "take",         [EVENT_RELEASE] = "release", [EVENT_JOIN] = "join",
                [EVENT_PROGRESS] = "progress", [EVENT_CLOSE] = "close",     [EVENT_DUE] = "due",
                [EVENT_DECLINE] = "decline",   [EVENT_SMS] = "sms",
        };

        return event < EVENT_END ? names[event] : NULL;
}

const char *close_reason_name(uint8_t reason)
{
        static const char *const names[] = { "helped",     "mistake",   "emergency_services",
                                             "drill_over", "no_danger", "other" };

        return reason >= CLOSE_HELPED && reason <= CLOSE_OTHER ? names[reason - CLOSE_HELPED] : NULL;
}

const char *unverified_why_name(uint8_t why)
{
        static const char *const names[] = { "verified", "unknown", "revoked", "expired", "signature", "malformed" };

        return why <= UNVERIFIED_MALFORMED ? names[why] : NULL;
}

const char *sms_state_name(uint8_t state)
{
        static const char *const names[SMS_STATE_END] = { NULL, "due", "handed", "delivered", "failed" };

        return state < SMS_STATE_END ? names[state] : NULL;
}

const char *answer_path_name(uint8_t path)
{
        static const char *const names[BY_END] = { NULL, "handset", "console", "sms" };

        return path < BY_END ? names[path] : NULL;
}
