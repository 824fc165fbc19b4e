#include "ops/vigie/retain.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hex.h"
#include "ops/vigie/archive.h"
#include "ops/vigie/command.h"
#include "ops/vigie/say.h"

/* Octets of a hold's reason, as of an alert's note; a longer one is refused. */
#define REASON_MAX NOTE_MAX

/* An erasure that is due.  As many as alerts had their term since the last run, at worst all of a region's first years: 32 octets of each,
 * beside the some 130 that the archive's check holds of every alert. */
struct due {
        uint8_t alert[ALERT_ID_SIZE];
        uint64_t until;
        uint8_t parts;
};

struct retention {
        struct region *region;
        struct archive_folder *folder;
        int64_t now_ms, terms_ms[ARCHIVE_PARTS];
        uint64_t until[ARCHIVE_PARTS]; /* of entries without an alert, the last whose term is over */
        struct due *due;               /* erasures to write */
        size_t count, room;
        redisContext *redis;
        int first_error;
};

static const uint8_t no_alert[ALERT_ID_SIZE];

/* ---- what is due */

static int add_due(struct retention *t, const uint8_t alert[ALERT_ID_SIZE], uint8_t parts, uint64_t until)
{
        struct due *due;

        if (t->count == t->room) {
                t->room = t->room == 0 ? 64 : 2 * t->room;
                due = realloc(t->due, t->room * sizeof(*due));
                if (due == NULL)
                        return -ENOMEM;
                t->due = due;
        }
        due = &t->due[t->count++];
        *due = (struct due){ .parts = parts, .until = until };
        memcpy(due->alert, alert, ALERT_ID_SIZE);
        return 0;
}

/* erasure_of: DUE as it is written. */
static struct archive_meta erasure_of(const struct retention *t, const struct due *due)
{
        struct archive_meta meta = { .kind = ARCHIVE_ERASE, .parts = due->parts, .count = due->until };
        size_t len = 0;

        memcpy(meta.alert, due->alert, ALERT_ID_SIZE);
        for (unsigned part = ARCHIVE_POSITIONS; part < ARCHIVE_PARTS; part++)
                if ((due->parts >> part & 1) != 0)
                        len += (size_t)snprintf(meta.text + len, sizeof(meta.text) - len, "%s%s: term of %lld days",
                                                len > 0 ? ", " : "", archive_part_name(part),
                                                (long long)(t->terms_ms[part] / 86400000));
        return meta;
}

/* The parts of ALERT whose term is over: it counts from its last change; with the first one its salt goes. */
static int look_alert(struct retention *t, const struct archive_alert *alert)
{
        uint8_t parts = 0;

        if (alert->held || alert->last == 0)
                return 0;
        for (unsigned part = ARCHIVE_POSITIONS; part < ARCHIVE_PARTS; part++)
                if (alert->last_at_ms <= t->now_ms - t->terms_ms[part] && alert->erased[part] < alert->last)
                        parts |= (uint8_t)(1 << part);
        if (parts != 0 && alert->erased[ARCHIVE_SALT] < alert->last)
                parts |= 1 << ARCHIVE_SALT;
        return parts != 0 ? add_due(t, alert->id, parts, alert->last) : 0;
}

static int look_entry(void *user, const struct archive_entry *entry)
{
        const struct archive_meta *meta = &entry->meta;
        struct retention *t = user;

        for (unsigned part = ARCHIVE_POSITIONS; part < ARCHIVE_PARTS && meta->kind <= ARCHIVE_OTHER; part++)
                if (memcmp(meta->alert, no_alert, ALERT_ID_SIZE) == 0 && entry->parts[part].at != NULL &&
                    meta->at_ms <= t->now_ms - t->terms_ms[part])
                        t->until[part] = meta->number;
        return 0;
}

static int walk(struct retention *t, int (*entry)(void *user, const struct archive_entry *entry))
{
        const struct archive_visitor visitor = { .entry = entry, .user = t };
        struct archive_list list;
        char dir[REGION_PATH_MAX];
        int r = archive_where(t->region, dir);

        if (r < 0 || (r = archive_list(dir, &list)) < 0)
                return r;
        r = archive_walk_all(dir, &list, &visitor);
        free(list.files);
        return r;
}

static int find_due(struct retention *t)
{
        const struct archive_audit *audit = archive_folder_audit(t->folder);
        const struct archive_alert *alert;
        size_t at = 0;
        int r = 0;

        while (r == 0 && (alert = archive_audit_next(audit, &at)) != NULL)
                r = look_alert(t, alert);
        if (r == 0)
                r = walk(t, look_entry);
        for (unsigned part = ARCHIVE_POSITIONS; r == 0 && part < ARCHIVE_PARTS; part++)
                if (t->until[part] > archive_audit_erased(audit, (enum archive_part)part))
                        r = add_due(t, no_alert, (uint8_t)(1 << part), t->until[part]);
        return r;
}

/* ---- erasing */

static int note_due(struct retention *t)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < t->count; i++) {
                struct archive_meta meta = erasure_of(t, &t->due[i]);

                r = archive_folder_append(t->folder, &meta, NULL);
                if (r == -ENOBUFS && (r = archive_folder_commit(t->folder)) == 0)
                        r = archive_folder_append(t->folder, &meta, NULL);
                if (r == 0)
                        r = archive_audit_note_erasure(archive_folder_audit(t->folder), &meta);
        }
        return r < 0 ? r : archive_folder_commit(t->folder);
}

/* What of an entry that is to be erased Redis still has: its place in the feed, and the closed alert's hash. */
static int clear_entry(void *user, const struct archive_entry *entry)
{
        struct retention *t = user;
        const struct archive_meta *meta = &entry->meta;
        const struct archive_alert *alert;
        char key[96], what[64], id[ALERT_ID_TEXT];
        redisReply *reply;
        int r;

        if (archive_audit_due(archive_folder_audit(t->folder), entry) == 0 || meta->feed[0] == 0)
                return 0;
        region_key(t->region, "feed", key);
        if ((r = region_ask(t->redis, &reply, "XDEL %s %s", key, meta->feed)) < 0)
                return r;
        freeReplyObject(reply);
        alert = archive_audit_alert(archive_folder_audit(t->folder), meta->alert);
        if (meta->kind != ARCHIVE_ALERT || alert == NULL || alert->state != ALERT_CLOSED)
                return 0;
        hex_encode(meta->alert, ALERT_ID_SIZE, id);
        snprintf(what, sizeof(what), "alert:%s", id);
        region_key(t->region, what, key);
        if ((r = region_ask(t->redis, &reply, "DEL %s", key)) == 0)
                freeReplyObject(reply);
        return r;
}

/* The earlier of the machine's clock and Redis's: what a clock that jumped ahead erases never comes back. */
static int ask_now(struct retention *t)
{
        redisReply *reply;
        int64_t now_ms;
        int r = region_ask(t->redis, &reply, "TIME");

        if (r < 0)
                return r;
        now_ms = strtoll(reply->element[0]->str, NULL, 10) * 1000;
        t->now_ms = now_ms < t->now_ms ? now_ms : t->now_ms;
        freeReplyObject(reply);
        return 0;
}

/* First said, signed and durable; then gone from Redis; last from the files: cut short anywhere, the next run ends
 * it. */
static int erase(struct retention *t)
{
        uint64_t parts = 0;
        int r;

        if ((r = region_alerts(t->region, &t->redis)) < 0 || (r = ask_now(t)) < 0 || (r = find_due(t)) < 0 ||
            (r = note_due(t)) < 0)
                return r;
        if ((r = walk(t, clear_entry)) < 0 || (r = archive_folder_rewrite(t->folder, &parts)) < 0) {
                say_wrong("retain: not finished: run it again");
                return r;
        }
        printf("%zu erasures, %llu parts erased\n", t->count, (unsigned long long)parts);
        return 0;
}

/* ---- hold, release */

struct dispute {
        const char *hold, *release, *reason, *by, *second;
};

/* Whether anything of one was said: then nothing is erased, whatever word was forgotten. */
static bool is_said(const struct dispute *d)
{
        return d->hold != NULL || d->release != NULL || d->reason != NULL || d->by != NULL || d->second != NULL;
}

static int read_dispute(const struct dispute *d, uint8_t alert[ALERT_ID_SIZE])
{
        const char *text = d->hold != NULL ? d->hold : d->release;
        char unused[REASON_MAX + 1], person[PERSON_ID_MAX + 1];
        struct alert_id id;

        if (d->hold != NULL && d->release != NULL)
                return say_wrong("--hold and --release: one of them");
        if (text == NULL)
                return say_wrong("--hold or --release: which alert --reason, --by and --second are for");
        if (alert_id_from_text(text, &id) < 0)
                return say_wrong("alert '%s': 32 hex digits", text);
        if (d->reason == NULL || d->reason[0] == 0)
                return say_wrong("--reason: why it is held or released");
        if (text_fit("--reason", d->reason, unused, sizeof(unused)) < 0 || id_fit("--by", d->by, false, person) < 0 ||
            id_fit("--second", d->second, false, person) < 0)
                return -EINVAL;
        if (strcmp(d->by, d->second) == 0)
                return say_wrong("--by and --second: two persons");
        memcpy(alert, id.octets, ALERT_ID_SIZE);
        return 0;
}

static int put_dispute(struct retention *t, const struct dispute *d, const uint8_t id[ALERT_ID_SIZE])
{
        const struct archive_alert *alert = archive_audit_alert(archive_folder_audit(t->folder), id);
        struct archive_meta meta = { .kind = d->hold != NULL ? ARCHIVE_HOLD : ARCHIVE_RELEASE };
        uint8_t octets[1024] = { 0 };
        struct cbor_span parts[ARCHIVE_PARTS] = { 0 };
        struct cbor_writer w;
        int r;

        if (alert == NULL || alert->last == 0 || alert->held == (d->hold != NULL)) {
                say_wrong("alert %s: %s", d->hold != NULL ? d->hold : d->release,
                          alert == NULL || alert->last == 0 ? "not in the archive"
                          : alert->held                     ? "it is held already"
                                                            : "it is not held");
                return -ENOENT;
        }
        memcpy(meta.alert, id, ALERT_ID_SIZE);
        cbor_writer_init(&w, octets, sizeof(octets));
        w.len = ARCHIVE_SALT_SIZE;
        cbor_write_array(&w, 3);
        cbor_write_string(&w, d->by);
        cbor_write_string(&w, d->second);
        cbor_write_string(&w, d->reason);
        parts[ARCHIVE_PROOF] = (struct cbor_span){ w.to, w.len };
        r = archive_folder_append(t->folder, &meta, parts);
        return r < 0 ? r : archive_folder_commit(t->folder);
}

/* ---- */

static int run(struct region *region, const struct dispute *d)
{
        struct retention t = { .region = region,
                               .now_ms = (int64_t)time(NULL) * 1000,
                               .terms_ms = { 0, region->config.positions_ms, region->config.alerts_ms,
                                             region->config.proof_ms } };
        bool is_dispute = is_said(d);
        struct archive_folder_options options = { .region = region->config.name };
        uint8_t alert[ALERT_ID_SIZE];
        char dir[REGION_PATH_MAX];
        struct key *key = NULL;
        int r = is_dispute ? read_dispute(d, alert) : 0;

        if (r < 0 || (r = archive_where(region, dir)) < 0 || (r = archive_key(region, &key)) < 0)
                return r;
        options.dir = dir;
        options.key = key;
        archive_as_user(region);
        if ((r = archive_folder_open(&options, &t.folder)) == 0) {
                r = is_dispute ? put_dispute(&t, d, alert) : erase(&t);
                if (r < 0 && r != -ENOENT)
                        say_wrong("retain: %s", strerror(-r));
        }
        archive_folder_close(t.folder);
        free(t.due);
        key_free(key);
        return r;
}

int retain_main(struct region *region, int argc, char **argv)
{
        struct dispute d = { 0 };
        const struct choice list[] = {
                { "hold", &d.hold, NULL, "an alert: nothing of it is erased from now on" },
                { "release", &d.release, NULL, "an alert that was held: its terms count again" },
                { "reason", &d.reason, NULL, "why" },
                { "by", &d.by, NULL, "who decides" },
                { "second", &d.second, NULL, "the second person" },
        };
        const struct choices choices = {
                "retain [--hold ALERT | --release ALERT --reason TEXT --by PERSON --second PERSON]", list, 5, 0
        };

        if (choices_read(&choices, argc, argv, NULL) < 0)
                return EXIT_USAGE;
        return refused(run(region, &d));
}
