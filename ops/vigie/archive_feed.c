#include "ops/vigie/archive_feed.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "wire/feed.h"
#include "wire/people.h"

/* Room that an entry takes besides its content. */
#define AROUND 1024

int archive_feed_compare(const char *a, const char *b)
{
        unsigned long long am = 0, as = 0, bm = 0, bs = 0;

        if (a[0] == 0 || b[0] == 0)
                return (a[0] != 0) - (b[0] != 0);
        sscanf(a, "%llu-%llu", &am, &as);
        sscanf(b, "%llu-%llu", &bm, &bs);
        return am != bm ? (am < bm ? -1 : 1) : as != bs ? (as < bs ? -1 : 1) : 0;
}

/* The value of NAME; empty where there is none. */
static struct cbor_span field(const redisReply *fields, const char *name)
{
        for (size_t i = 0; i + 1 < fields->elements; i += 2) {
                const redisReply *value = fields->element[i + 1];

                if (fields->element[i]->type == REDIS_REPLY_STRING && strcmp(fields->element[i]->str, name) == 0 &&
                    value->type == REDIS_REPLY_STRING)
                        return (struct cbor_span){ (const uint8_t *)value->str, value->len };
        }
        return (struct cbor_span){ NULL, 0 };
}

static bool is(struct cbor_span value, const char *text)
{
        return value.len == strlen(text) && value.len > 0 && memcmp(value.at, text, value.len) == 0;
}

static int64_t number(struct cbor_span value)
{
        char text[24] = "";

        if (value.len > 0 && value.len < sizeof(text))
                memcpy(text, value.at, value.len);
        return strtoll(text, NULL, 10);
}

static bool is_zero(const uint8_t *at, size_t len)
{
        while (len > 0 && at[len - 1] == 0)
                len--;
        return len == 0;
}

/* ---- an alert */

static void read_event(struct cbor_span event, char to[ARCHIVE_EVENT_MAX + 1])
{
        bool fits = event.len > 0 && event.len <= ARCHIVE_EVENT_MAX;

        for (size_t i = 0; fits && i < event.len; i++)
                fits = event.at[i] > ' ' && event.at[i] <= '~';
        memset(to, 0, ARCHIVE_EVENT_MAX + 1);
        if (fits)
                memcpy(to, event.at, event.len);
}

/* An alert whose record is what the entry says it is; else -EBADMSG. */
static int read_alert(const redisReply *fields, struct archive_feed_entry *e)
{
        struct cbor_span id = field(fields, "id"), record = field(fields, "r");
        struct cbor_span signed_alert = field(fields, "signed");
        struct cbor_writer w;
        char text[ALERT_ID_TEXT], said[ALERT_ID_TEXT];
        int r;

        if (record.len > ARCHIVE_ENTRY_MAX - AROUND || id.len != ALERT_ID_TEXT - 1)
                return -EBADMSG;
        if ((r = archive_record_facts(record, &e->meta)) < 0)
                return r;
        hex_encode(e->meta.alert, ALERT_ID_SIZE, text);
        memcpy(said, id.at, ALERT_ID_TEXT - 1);
        said[ALERT_ID_TEXT - 1] = 0;
        if (strcmp(text, said) != 0 || number(field(fields, "v")) != e->meta.version ||
            is_zero(e->meta.alert, ALERT_ID_SIZE))
                return -EBADMSG;
        cbor_writer_init(&w, e->octets, sizeof(e->octets) - AROUND);
        if (archive_record_split(record, &w, e->parts) < 0)
                return -EBADMSG;
        cbor_write_array(&w, 2); /* behind the proof's map: who did it, by which command */
        cbor_write_bytes(&w, field(fields, "by"));
        cbor_write_bytes(&w, field(fields, "c"));
        e->parts[ARCHIVE_PROOF].len = (size_t)(w.to + w.len - e->parts[ARCHIVE_PROOF].at);
        if (signed_alert.len > 0)
                archive_record_add_signed(signed_alert, &w, e->parts);
        if (w.full)
                return -EBADMSG;
        read_event(field(fields, "e"), e->meta.event);
        e->meta.kind = ARCHIVE_ALERT;
        memcpy(e->content, e->meta.hash, sizeof(e->content));
        return 0;
}

/* ---- anything else: its fields as they are */

static uint8_t kind_of(const redisReply *fields)
{
        struct cbor_span type = field(fields, "t");

        if (!is(field(fields, "f"), "1"))
                return ARCHIVE_OTHER;
        return is(type, "notice")   ? ARCHIVE_NOTICE
               : is(type, "answer") ? ARCHIVE_ANSWER
               : is(type, "duty")   ? ARCHIVE_DUTY
                                    : ARCHIVE_OTHER;
}

static int read_fields(const redisReply *fields, struct archive_feed_entry *e)
{
        static const uint8_t room[ARCHIVE_SALT_SIZE];
        uint8_t hash[ARCHIVE_LINK_SIZE];
        struct cbor_writer w;
        enum archive_part part;

        e->meta.kind = kind_of(fields);
        part = e->meta.kind == ARCHIVE_ANSWER || e->meta.kind == ARCHIVE_DUTY ? ARCHIVE_PROOF : ARCHIVE_ABOUT;
        cbor_writer_init(&w, e->octets, sizeof(e->octets) - AROUND);
        cbor_write_raw(&w, CBOR_OCTETS(room));
        cbor_write_array(&w, fields->elements);
        for (size_t i = 0; i < fields->elements; i++)
                cbor_write_bytes(
                        &w, (struct cbor_span){ (const uint8_t *)fields->element[i]->str, fields->element[i]->len });
        if (w.full) {
                snprintf(e->meta.text, sizeof(e->meta.text), "larger than %d octets: kept without its content",
                         ARCHIVE_ENTRY_MAX);
                return 0;
        }
        e->parts[part] = (struct cbor_span){ w.to, w.len };
        if (archive_hash(&(struct cbor_span){ w.to + ARCHIVE_SALT_SIZE, w.len - ARCHIVE_SALT_SIZE }, 1, hash) < 0)
                return -EIO;
        memcpy(e->content, hash, sizeof(e->content));
        return 0;
}

int archive_feed_read(const struct redisReply *entry, struct archive_feed_entry *e)
{
        const redisReply *fields;
        char id[ARCHIVE_FEED_ID_MAX + 1];
        int r;

        if (entry->type != REDIS_REPLY_ARRAY || entry->elements != 2 || entry->element[1]->type != REDIS_REPLY_ARRAY ||
            entry->element[0]->type != REDIS_REPLY_STRING || entry->element[0]->len > ARCHIVE_FEED_ID_MAX)
                return -EBADMSG;
        fields = entry->element[1];
        strcpy(id, entry->element[0]->str);
        memset(&e->meta, 0, sizeof(e->meta));
        memset(e->parts, 0, sizeof(e->parts));
        memset(e->content, 0, sizeof(e->content));
        r = is(field(fields, "t"), "alert") && is(field(fields, "f"), "1") ? read_alert(fields, e) : -EBADMSG;
        if (r == -EBADMSG) {
                memset(&e->meta, 0, sizeof(e->meta));
                memset(e->parts, 0, sizeof(e->parts));
                r = read_fields(fields, e);
        }
        strcpy(e->meta.feed, id);
        e->meta.at_ms = number(field(fields, "at"));
        if (e->meta.at_ms <= 0)
                e->meta.at_ms = strtoll(id, NULL, 10);
        return r;
}

/* ---- into the archive */

static int add_break(struct archive_folder *folder, const struct archive_meta *meta)
{
        const struct archive_alert *alert = archive_audit_alert(archive_folder_audit(folder), meta->alert);
        struct archive_meta lost = { .kind = ARCHIVE_BREAK };

        if (archive_follows(alert, meta->version, meta->before))
                return 0;
        memcpy(lost.alert, meta->alert, sizeof(lost.alert));
        if (alert != NULL) {
                lost.version = alert->version;
                memcpy(lost.hash, alert->hash, sizeof(lost.hash));
        }
        snprintf(lost.text, sizeof(lost.text), "%s; read from %.180s",
                 alert == NULL || alert->version == 0 ? "nothing of it was known here"
                 : meta->version <= alert->version    ? "a version came again"
                                                      : "versions between are not in the feed",
                 archive_folder_where(folder));
        return archive_folder_append(folder, &lost, NULL);
}

int archive_feed_add(struct archive_folder *folder, struct archive_feed_entry *e)
{
        int r = e->meta.kind == ARCHIVE_ALERT ? add_break(folder, &e->meta) : 0;

        return r < 0 ? r : archive_folder_append(folder, &e->meta, e->parts);
}
