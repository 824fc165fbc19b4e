#include "ops/vigie/feed_text.h"

#include <hiredis/hiredis.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ops/vigie/say.h"
#include "wire/cbor.h"
#include "wire/feed.h"

/* ---- fields of an entry */

static const char *field(const redisReply *fields, const char *name, size_t *ret_len)
{
        for (size_t i = 0; i + 1 < fields->elements; i += 2)
                if (strcmp(fields->element[i]->str, name) == 0) {
                        *ret_len = fields->element[i + 1]->len;
                        return fields->element[i + 1]->str;
                }
        *ret_len = 0;
        return "";
}

static const char *text_field(const redisReply *fields, const char *name)
{
        size_t len;

        return field(fields, name, &len);
}

static const char *known(const char *name)
{
        return name != NULL ? name : "unknown";
}

/* ---- as JSON */

static void put_json(FILE *out, json_t *json)
{
        if (json == NULL) /* a field that is no UTF-8 */
                fputs("{\"t\":\"unreadable\"}", out);
        else
                json_dumpf(json, out, JSON_COMPACT | JSON_ENSURE_ASCII);
        fputc('\n', out);
        json_decref(json);
}

static const struct {
        uint32_t mark;
        const char *name;
} mark_names[] = {
        { RECORD_SILENT, "silent" },
        { RECORD_DURESS, "duress" },
        { RECORD_DRILL, "drill" },
        { RECORD_UNVERIFIED, "unverified" },
        { RECORD_MISTAKE, "mistake" },
        { RECORD_PRESSED_AGAIN, "pressed again" },
        { RECORD_EXHAUSTED, "exhausted" },
        { RECORD_HOLDER_UNSURE, "holder unsure" },
        { RECORD_LAST_WORDS, "last words" },
        { RECORD_STILL, "still" },
        { RECORD_BAD_POSITION, "bad position" },
        { RECORD_BAD_TIME, "bad time" },
        { RECORD_NO_NEWS, "no news" },
        { RECORD_RESTORED, "restored" },
};
#define MARKS (sizeof(mark_names) / sizeof(mark_names[0]))

static json_t *alert_json(const struct record *r, const char *event)
{
        struct alert_id number;
        char id[ALERT_ID_TEXT];
        json_t *marks = json_array();

        memcpy(number.octets, r->id, sizeof(number.octets));
        alert_id_to_text(&number, id);
        for (size_t i = 0; i < MARKS; i++)
                if (r->marks & mark_names[i].mark)
                        json_array_append_new(marks, json_string(mark_names[i].name));
        return json_pack("{ss ss si ss ss sI sI ss ss ss ss si ss ss ss so}", "t", "alert", "id", id, "version",
                         (int)r->version, "event", event, "state", known(alert_state_name(r->state)), "at_ms",
                         (json_int_t)r->changed_at_ms, "raised_ms", (json_int_t)r->raised_at_ms, "carrier",
                         r->carrier_id, "carrier_name", r->carrier_name, "zone", r->zone_id, "zone_name", r->zone_name,
                         "asked", (int)r->asked_count, "owner", r->owner_id, "owner_name", r->owner_name, "closed_as",
                         r->close_reason != 0 ? known(close_reason_name(r->close_reason)) : "", "marks", marks);
}

/* ---- as a line */

static void put_time(FILE *out, int64_t ms)
{
        time_t s = ms / 1000;
        char text[16];
        struct tm tm;

        strftime(text, sizeof(text), "%H:%M:%S ", localtime_r(&s, &tm));
        fputs(text, out);
}

static void alert_line(FILE *out, const struct record *r, const char *event)
{
        char handset[HANDSET_ID_TEXT], nonce[HANDSET_ID_TEXT];
        struct handset_id half;

        memcpy(half.octets, r->id, HANDSET_ID_SIZE);
        handset_id_to_text(&half, handset);
        memcpy(half.octets, r->id + HANDSET_ID_SIZE, ALERT_NONCE_SIZE);
        handset_id_to_text(&half, nonce);
        put_time(out, r->changed_at_ms);
        fprintf(out, "alert %.4s..%.4s v%u ", handset, nonce, r->version);
        say_safe(out, event);
        fprintf(out, " -> %s  ", known(alert_state_name(r->state)));
        say_safe(out, r->carrier_name[0] != 0 ? r->carrier_name : "(carrier not known)");
        fputs(" in ", out);
        say_safe(out, r->zone_name[0] != 0 ? r->zone_name : "(no zone)");
        fprintf(out, ", %u asked", r->asked_count);
        if (r->owner_id[0] != 0) {
                fputs(", taken by ", out);
                say_safe(out, r->owner_name);
        }
        if (r->close_reason != 0) {
                fprintf(out, ", closed as %s by ", known(close_reason_name(r->close_reason)));
                say_safe(out, r->closed_by_name);
        }
        for (size_t i = 0; i < MARKS; i++)
                if (r->marks & mark_names[i].mark)
                        fprintf(out, " [%s]", mark_names[i].name);
        fputc('\n', out);
}

/* ---- entries */

static void put_unread(FILE *out, bool as_json, const char *what)
{
        if (as_json)
                put_json(out, json_pack("{ss ss}", "t", "unreadable", "what", what));
        else
                fprintf(out, "%s: cannot be read\n", what);
}

static void put_alert(FILE *out, bool as_json, struct cbor_span bytes, const char *event)
{
        struct record record;

        if (record_decode(bytes.at, bytes.len, &record) < 0)
                put_unread(out, as_json, "alert");
        else if (as_json)
                put_json(out, alert_json(&record, event));
        else
                alert_line(out, &record, event);
}

static void put_notice(FILE *out, bool as_json, const redisReply *fields)
{
        const char *key = text_field(fields, "k"), *data;
        struct notice notice = { 0 };
        size_t len;

        data = field(fields, "r", &len);
        if (len > 0 && notice_decode((const uint8_t *)data, len, &notice) < 0) {
                put_unread(out, as_json, "notice");
                return;
        }
        if (as_json) {
                put_json(out, json_pack("{ss ss sb ss si sb}", "t", "notice", "key", key, "over", len == 0, "cause",
                                        notice.cause, "count", (int)notice.count, "rings", notice.rings));
                return;
        }
        put_time(out, atoll(text_field(fields, "at")));
        fputs("notice ", out);
        say_safe(out, key);
        if (len > 0) {
                fprintf(out, ": %s, %u", notice.cause, notice.count);
                fputs(notice.rings ? " [rings]\n" : "\n", out);
        } else {
                fputs(" over\n", out);
        }
}

static void put_duty(FILE *out, bool as_json, const redisReply *fields)
{
        const char *person = text_field(fields, "k");
        size_t len;

        (void)field(fields, "r", &len);
        if (as_json) {
                put_json(out, json_pack("{ss ss sb}", "t", "duty", "person", person, "on", len > 0));
                return;
        }
        put_time(out, atoll(text_field(fields, "at")));
        fputs("duty ", out);
        say_safe(out, person);
        fputs(len > 0 ? " on\n" : " off\n", out);
}

static void put_answer(FILE *out, bool as_json, const redisReply *fields)
{
        const char *code = known(answer_code_name((uint8_t)atoi(text_field(fields, "a"))));
        const char *command = text_field(fields, "c");

        if (as_json) {
                put_json(out, json_pack("{ss ss ss}", "t", "answer", "command", command, "answer", code));
                return;
        }
        put_time(out, atoll(text_field(fields, "at")));
        fputs("answer to ", out);
        say_safe(out, command);
        fprintf(out, ": %s\n", code);
}

void feed_text_entry(FILE *out, bool as_json, const struct redisReply *fields)
{
        const char *type = text_field(fields, "t"), *format, *record;
        size_t format_len, len;

        format = field(fields, "f", &format_len);
        record = field(fields, "r", &len);
        if (feed_format_check(format, format_len) < 0)
                put_unread(out, as_json, "entry of another format");
        else if (strcmp(type, "alert") == 0)
                put_alert(out, as_json, (struct cbor_span){ (const uint8_t *)record, len }, text_field(fields, "e"));
        else if (strcmp(type, "notice") == 0)
                put_notice(out, as_json, fields);
        else if (strcmp(type, "duty") == 0)
                put_duty(out, as_json, fields);
        else if (strcmp(type, "answer") == 0)
                put_answer(out, as_json, fields);
}

void feed_text_open(FILE *out, bool as_json, const uint8_t *record, size_t size)
{
        put_alert(out, as_json, (struct cbor_span){ record, size }, "open");
}
