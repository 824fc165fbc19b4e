#include "wire/archive_audit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 256 /* places of the table, a power of two; doubled when half full */

struct archive_audit {
        archive_finding_fn *found;
        void *user;
        struct archive_alert *alerts; /* open addressing */
        size_t room, count;
        struct archive_alert none; /* for entries without an alert: `erased` alone */
        uint8_t id[ARCHIVE_ID_SIZE];
        uint32_t file;
        uint64_t number, wrong;
        uint8_t link[ARCHIVE_LINK_SIZE];
        struct archive_meta last; /* the entry before */
};

static const uint8_t zeros[ARCHIVE_LINK_SIZE];

struct archive_audit *archive_audit_new(archive_finding_fn *found, void *user)
{
        struct archive_audit *audit = calloc(1, sizeof(*audit));

        if (audit == NULL)
                return NULL;
        audit->found = found;
        audit->user = user;
        audit->room = FIRST_ROOM;
        audit->alerts = calloc(audit->room, sizeof(*audit->alerts));
        if (audit->alerts != NULL)
                return audit;
        free(audit);
        return NULL;
}

void archive_audit_free(struct archive_audit *audit)
{
        if (audit != NULL)
                free(audit->alerts);
        free(audit);
}

/* ---- the alerts */

/* Where the alert ID stands in a table, or would. */
static struct archive_alert *place(struct archive_alert *alerts, size_t room, const uint8_t id[ALERT_ID_SIZE])
{
        uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */

        for (size_t i = 0; i < ALERT_ID_SIZE; i++)
                hash = (hash ^ id[i]) * UINT64_C(1099511628211);
        for (size_t i = (size_t)hash & (room - 1);; i = (i + 1) & (room - 1))
                if (!alerts[i].used || memcmp(alerts[i].id, id, ALERT_ID_SIZE) == 0)
                        return &alerts[i];
}

static int grow(struct archive_audit *audit)
{
        size_t room = 2 * audit->room;
        struct archive_alert *alerts = calloc(room, sizeof(*alerts));

        if (alerts == NULL)
                return -ENOMEM;
        for (size_t i = 0; i < audit->room; i++)
                if (audit->alerts[i].used)
                        *place(alerts, room, audit->alerts[i].id) = audit->alerts[i];
        free(audit->alerts);
        audit->alerts = alerts;
        audit->room = room;
        return 0;
}

/* How the alert ID stands; all zero: whatever has none.  NULL without memory. */
static struct archive_alert *need(struct archive_audit *audit, const uint8_t id[ALERT_ID_SIZE])
{
        struct archive_alert *alert;

        if (memcmp(id, zeros, ALERT_ID_SIZE) == 0)
                return &audit->none;
        if (2 * audit->count >= audit->room && grow(audit) < 0)
                return NULL;
        alert = place(audit->alerts, audit->room, id);
        if (!alert->used) {
                memcpy(alert->id, id, ALERT_ID_SIZE);
                alert->used = true;
                audit->count++;
        }
        return alert;
}

const struct archive_alert *archive_audit_alert(const struct archive_audit *audit, const uint8_t id[ALERT_ID_SIZE])
{
        const struct archive_alert *alert = place(audit->alerts, audit->room, id);

        return alert->used ? alert : NULL;
}

const struct archive_alert *archive_audit_next(const struct archive_audit *audit, size_t *at)
{
        while (*at < audit->room)
                if (audit->alerts[(*at)++].used)
                        return &audit->alerts[*at - 1];
        return NULL;
}

/* ---- findings */

static void say(struct archive_audit *audit, const struct archive_meta *meta, const char *text,
                enum archive_weight weight)
{
        const struct archive_finding finding = {
                .number = meta->number,
                .alert = memcmp(meta->alert, zeros, ALERT_ID_SIZE) != 0 ? meta->alert : NULL,
                .text = text,
                .weight = weight,
        };

        audit->wrong += weight == ARCHIVE_WRONG;
        audit->found(audit->user, &finding);
}

/* ---- erasures */

int archive_audit_note_erasure(struct archive_audit *audit, const struct archive_meta *meta)
{
        struct archive_alert *alert = need(audit, meta->alert);

        if (alert == NULL)
                return -ENOMEM;
        for (size_t part = 0; part < ARCHIVE_PARTS; part++)
                if ((meta->parts >> part & 1) != 0 && meta->count > alert->erased[part])
                        alert->erased[part] = meta->count;
        return 0;
}

int archive_audit_erasure(struct archive_audit *audit, const struct archive_entry *entry)
{
        const struct archive_meta *meta = &entry->meta;

        return meta->kind == ARCHIVE_ERASE && meta->count < meta->number ? archive_audit_note_erasure(audit, meta) : 0;
}

uint64_t archive_audit_erased(const struct archive_audit *audit, enum archive_part part)
{
        return audit->none.erased[part];
}

/* Up to which entry the PART of entries like META is erased. */
static uint64_t erased_to(const struct archive_audit *audit, const struct archive_meta *meta, size_t part)
{
        const struct archive_alert *alert =
                memcmp(meta->alert, zeros, ALERT_ID_SIZE) == 0 ? &audit->none : archive_audit_alert(audit, meta->alert);

        return alert != NULL ? alert->erased[part] : 0;
}

uint8_t archive_audit_due(const struct archive_audit *audit, const struct archive_entry *entry)
{
        uint8_t due = 0;

        for (size_t part = 0; part < ARCHIVE_PARTS; part++)
                if (entry->parts[part].at != NULL && entry->meta.number <= erased_to(audit, &entry->meta, part))
                        due |= (uint8_t)(1 << part);
        return due;
}

/* ---- the second walk */

int archive_audit_header(struct archive_audit *audit, const struct archive_header *header,
                         const uint8_t link[ARCHIVE_LINK_SIZE])
{
        struct archive_meta at = { .number = audit->number };

        if (header->file != audit->file + 1)
                say(audit, &at, "a file is missing before this one, or they stand in another order", ARCHIVE_WRONG);
        else if (memcmp(header->before, audit->link, ARCHIVE_LINK_SIZE) != 0)
                say(audit, &at, "the file does not begin where the one before ended: cut off, altered or another's",
                    ARCHIVE_WRONG);
        else if (header->first != audit->number + 1)
                say(audit, &at, "the file begins with another number than it should", ARCHIVE_WRONG);
        if (audit->file != 0 && memcmp(header->id, audit->id, ARCHIVE_ID_SIZE) != 0)
                say(audit, &at, "the file is of another archive", ARCHIVE_WRONG);
        memcpy(audit->id, header->id, ARCHIVE_ID_SIZE);
        memcpy(audit->link, link, ARCHIVE_LINK_SIZE);
        audit->file = header->file;
        audit->number = header->first - 1;
        return 0;
}

bool archive_follows(const struct archive_alert *alert, uint32_t version, const uint8_t before[ARCHIVE_LINK_SIZE])
{
        if (alert == NULL || alert->version == 0)
                return version == 1 && memcmp(before, zeros, ARCHIVE_LINK_SIZE) == 0;
        return version > alert->version && memcmp(before, alert->hash, ARCHIVE_LINK_SIZE) == 0;
}

/* Whether the entry before is the break that says that META does not follow ALERT. */
static bool is_explained(const struct archive_audit *audit, const struct archive_meta *meta,
                         const struct archive_alert *alert)
{
        const struct archive_meta *last = &audit->last;

        return last->kind == ARCHIVE_BREAK && memcmp(last->alert, meta->alert, ALERT_ID_SIZE) == 0 &&
               last->version == alert->version && memcmp(last->hash, alert->hash, ARCHIVE_LINK_SIZE) == 0;
}

/* While all parts are there: they are the record whose hash stands in the entry. */
static void check_record(struct archive_audit *audit, const struct archive_entry *entry)
{
        uint8_t record[ARCHIVE_ENTRY_MAX], hash[ARCHIVE_LINK_SIZE];
        int len;

        for (size_t part = 0; part < ARCHIVE_PARTS; part++)
                if (archive_had_part(entry, (enum archive_part)part) && entry->parts[part].at == NULL)
                        return;
        if (entry->parts[ARCHIVE_ABOUT].at == NULL)
                return; /* kept without its content: too large */
        len = archive_record_join(entry->parts, record, sizeof(record));
        if (len < 0 || archive_hash(&(struct cbor_span){ record, (size_t)len }, 1, hash) < 0 ||
            memcmp(hash, entry->meta.hash, ARCHIVE_LINK_SIZE) != 0)
                say(audit, &entry->meta, "the record is not the one whose hash stands there", ARCHIVE_WRONG);
}

static void check_alert(struct archive_audit *audit, const struct archive_entry *entry, struct archive_alert *alert)
{
        const struct archive_meta *meta = &entry->meta;
        char text[96];

        if (!archive_follows(alert, meta->version, meta->before) && !is_explained(audit, meta, alert)) {
                snprintf(text, sizeof(text), "version %u does not follow version %u, and no break says why",
                         meta->version, alert->version);
                say(audit, meta, text, ARCHIVE_WRONG);
        }
        check_record(audit, entry);
        alert->version = meta->version;
        alert->state = meta->state;
        memcpy(alert->hash, meta->hash, ARCHIVE_LINK_SIZE);
}

static void check_parts(struct archive_audit *audit, const struct archive_entry *entry)
{
        const struct archive_meta *meta = &entry->meta;
        char text[96];

        for (size_t part = 0; part < ARCHIVE_PARTS; part++) {
                bool is_there = entry->parts[part].at != NULL, is_erased = meta->number <= erased_to(audit, meta, part);

                if (!archive_had_part(entry, (enum archive_part)part) || is_there != is_erased)
                        continue;
                snprintf(text, sizeof(text),
                         is_there ? "its part '%s' is said to be erased, and is still there: run `vigie retain` again"
                                  : "its part '%s' is gone, and no erasure says why",
                         archive_part_name((unsigned)part));
                say(audit, meta, text, is_there ? ARCHIVE_UNFINISHED : ARCHIVE_WRONG);
        }
}

/* What people should hear of a good archive. */
static void tell(struct archive_audit *audit, const struct archive_meta *meta)
{
        char text[ARCHIVE_TEXT_MAX + 160];

        switch (meta->kind) {
        case ARCHIVE_BREAK:
                snprintf(text, sizeof(text), "break behind version %u (feed %s): %s", meta->version, meta->feed,
                         meta->text);
                break;
        case ARCHIVE_GAP:
                snprintf(text, sizeof(text), "GAP: the feed was trimmed behind %s: %s", meta->feed, meta->text);
                break;
        case ARCHIVE_RECOVERED:
                snprintf(text, sizeof(text),
                         "%llu entries before this one stayed unsigned at a crash; %u were in the feed so",
                         (unsigned long long)meta->count, meta->version);
                break;
        case ARCHIVE_RESTORE:
                snprintf(text, sizeof(text), "restored, epoch %llu: %s", (unsigned long long)meta->count, meta->text);
                break;
        case ARCHIVE_SOURCE:
                if (meta->count == 0)
                        return;
                snprintf(text, sizeof(text), "%llu entries of the feed were gone before the archive began",
                         (unsigned long long)meta->count);
                break;
        default:
                return;
        }
        say(audit, meta, text, ARCHIVE_TOLD);
}

/* What an entry says of its alert, or of none. */
static void apply(struct archive_audit *audit, const struct archive_entry *entry, struct archive_alert *alert)
{
        const struct archive_meta *meta = &entry->meta;

        switch (meta->kind) {
        case ARCHIVE_ALERT:
                check_alert(audit, entry, alert);
                break;
        case ARCHIVE_HOLD:
        case ARCHIVE_RELEASE:
                alert->held = meta->kind == ARCHIVE_HOLD;
                break;
        case ARCHIVE_ERASE:
                if (alert->held)
                        say(audit, meta, "erased while it was held", ARCHIVE_WRONG);
                if (meta->count >= meta->number)
                        say(audit, meta, "erases what came after it", ARCHIVE_WRONG);
                break;
        }
        if (meta->parts != 0 && meta->kind != ARCHIVE_ERASE) {
                alert->last = meta->number;
                alert->last_at_ms = meta->kind == ARCHIVE_ALERT ? meta->at_ms : alert->last_at_ms;
        }
}

int archive_audit_entry(struct archive_audit *audit, const struct archive_entry *entry)
{
        const char *wrong = archive_entry_check(entry, audit->link);
        const struct archive_meta *meta = &entry->meta;
        struct archive_alert *alert = need(audit, meta->alert);
        uint8_t parts = 0;

        if (alert == NULL)
                return -ENOMEM;
        if (meta->number != audit->number + 1)
                say(audit, meta, "its number does not follow the entry before it", ARCHIVE_WRONG);
        if (wrong != NULL)
                say(audit, meta, wrong, ARCHIVE_WRONG);
        for (size_t part = 0; part < ARCHIVE_PARTS; part++) {
                bool had = archive_had_part(entry, (enum archive_part)part);

                parts |= (uint8_t)(had << part);
                if (!had && entry->parts[part].at != NULL)
                        say(audit, meta, "a part stands there that was never written", ARCHIVE_WRONG);
        }
        if (meta->kind != ARCHIVE_ERASE && parts != meta->parts)
                say(audit, meta, "it does not have the parts that it says", ARCHIVE_WRONG);
        check_parts(audit, entry);
        apply(audit, entry, alert);
        tell(audit, meta);
        audit->last = *meta;
        audit->number = meta->number;
        memcpy(audit->link, entry->link, ARCHIVE_LINK_SIZE);
        return 0;
}

/* ---- where it stands */

uint64_t archive_audit_number(const struct archive_audit *audit)
{
        return audit->number;
}

const uint8_t *archive_audit_link(const struct archive_audit *audit)
{
        return audit->link;
}

const uint8_t *archive_audit_id(const struct archive_audit *audit)
{
        return audit->id;
}

uint64_t archive_audit_wrong(const struct archive_audit *audit)
{
        return audit->wrong;
}
