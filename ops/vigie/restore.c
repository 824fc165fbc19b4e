#include "ops/vigie/restore.h"

#include <dirent.h>
#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"
#include "ops/vigie/archive.h"
#include "ops/vigie/command.h"
#include "ops/vigie/restore_put.h"
#include "ops/vigie/say.h"
#include "ops/vigie/trust_floor.h"

/* By so much numbers move past the highest known: more were never drawn between two backups. */
#define TRUST_STEP 1000
#define EPOCH_STEP 1000 /* only where the archive, which knows each restore, is lost as well */

#define SCAN_COUNT 500

struct restoring {
        struct region *region;
        bool over, without_archive;
        struct archive_folder *folder;
        struct backup_header header;
        struct restored_alerts *alerts;
        struct restore_put put;
        uint64_t epoch;                     /* the highest known, then the new one */
        uint32_t trust;                     /* the highest number known */
        char feed[ARCHIVE_FEED_ID_MAX + 1]; /* the last that the archive has */
        struct cbor_span file;
        struct key *key;
        char **keys; /* that --over takes away */
        size_t key_count;
};

/* ---- what the backup has */

/* `alert:<id>`: its record and what its phone signed. */
static int read_alert(struct restoring *t, const struct backup_item *item)
{
        struct cbor_span record = { NULL, 0 }, signed_bytes = { NULL, 0 };
        struct cbor_reader r;
        struct alert_id id;
        int result;

        if (alert_id_from_text(item->key + strlen("alert:"), &id) < 0)
                return -EBADMSG;
        cbor_reader_init(&r, item->values);
        cbor_enter_array(&r);
        while (cbor_more(&r)) {
                struct cbor_span name = cbor_read_bytes(&r, 0, BACKUP_ITEM_MAX),
                                 data = cbor_read_bytes(&r, 0, BACKUP_ITEM_MAX);

                if (name.len == 1 && name.at[0] == 'r')
                        record = data;
                else if (name.len == 6 && memcmp(name.at, "signed", 6) == 0)
                        signed_bytes = data;
        }
        cbor_leave(&r);
        if (cbor_end(&r) < 0)
                return -EBADMSG;
        result = record.len > 0 ? restored_add(t->alerts, record) : 0;
        if (result == 0 && signed_bytes.len > 0)
                result = restored_sign(t->alerts, id.octets, signed_bytes);
        return result;
}

/* Closed before the backup came to its end. */
static int read_tombstones(struct restoring *t, const struct backup_item *item)
{
        struct cbor_reader r;
        int result = 0;

        cbor_reader_init(&r, item->values);
        cbor_enter_array(&r);
        while (result == 0 && cbor_more(&r)) {
                struct cbor_span name = cbor_read_bytes(&r, 0, BACKUP_ITEM_MAX);
                char text[ALERT_ID_TEXT] = "";
                struct alert_id id;

                (void)cbor_read_bytes(&r, 0, BACKUP_ITEM_MAX);
                if (name.len == sizeof(text) - 1)
                        memcpy(text, name.at, name.len);
                if (alert_id_from_text(text, &id) == 0)
                        result = restored_bury(t->alerts, id.octets);
        }
        return result;
}

/* First the alerts are learned; what else there is goes into the transaction. */
static int learn_item(void *user, const struct backup_item *item)
{
        struct restoring *t = user;
        int r = strncmp(item->key, "alert:", 6) == 0 && item->kind == BACKUP_HASH ? read_alert(t, item) : 0;

        if (strcmp(item->key, "tombstones") == 0 && item->kind == BACKUP_HASH)
                r = read_tombstones(t, item);
        if (r == -EBADMSG || r == -EPROTONOSUPPORT) {
                say_wrong("backup: %s: its record cannot be read: left out", item->key);
                r = 0;
        }
        return r;
}

static int put_item(void *user, const struct backup_item *item)
{
        struct restoring *t = user;

        if (strncmp(item->key, "alert:", 6) == 0 || strcmp(item->key, "epoch") == 0)
                return 0;
        return restore_put_item(&t->put, item);
}

/* ---- what the archive has */

static int learn_entry(void *user, const struct archive_entry *entry)
{
        struct restoring *t = user;
        const struct archive_meta *meta = &entry->meta;
        struct cbor_span signed_alert;
        uint8_t record[RECORD_MAX];
        int len, r;

        if (meta->kind == ARCHIVE_RESTORE) {
                t->epoch = meta->count > t->epoch ? meta->count : t->epoch;
                t->trust = meta->version > t->trust ? meta->version : t->trust;
        }
        if (archive_feed_compare(meta->feed, t->feed) > 0)
                strcpy(t->feed, meta->feed);
        if (meta->kind != ARCHIVE_ALERT || meta->number <= t->header.number || entry->parts[ARCHIVE_ABOUT].at == NULL)
                return 0;
        len = archive_record_join(entry->parts, record, sizeof(record));
        r = len > 0 ? restored_add(t->alerts, (struct cbor_span){ record, (size_t)len }) : -EBADMSG;
        signed_alert = archive_record_signed(entry->parts);
        if (r == 0 && signed_alert.len > 0)
                r = restored_sign(t->alerts, meta->alert, signed_alert);
        if (r == -EBADMSG || r == -EPROTONOSUPPORT) {
                say_wrong("archive: entry %llu: its record cannot be read: left out", (unsigned long long)meta->number);
                r = 0;
        }
        return r;
}

/* Notices and duty since the backup, in their order. */
static int put_entry(void *user, const struct archive_entry *entry)
{
        struct restoring *t = user;
        const struct archive_meta *meta = &entry->meta;
        enum archive_part part = meta->kind == ARCHIVE_DUTY ? ARCHIVE_PROOF : ARCHIVE_ABOUT;
        struct cbor_span content = entry->parts[part];

        if ((meta->kind != ARCHIVE_NOTICE && meta->kind != ARCHIVE_DUTY) || meta->number <= t->header.number ||
            content.at == NULL)
                return 0;
        content.at += ARCHIVE_SALT_SIZE;
        content.len -= ARCHIVE_SALT_SIZE;
        return restore_put_fact(&t->put, meta->kind == ARCHIVE_DUTY ? "duty:supervisors" : "notices", content);
}

static int walk(struct restoring *t, int (*entry)(void *user, const struct archive_entry *entry))
{
        const struct archive_visitor visitor = { .entry = entry, .user = t };
        struct archive_list list;
        char dir[REGION_PATH_MAX];
        int r = t->without_archive ? 1 : archive_where(t->region, dir);

        if (r != 0)
                return r > 0 ? 0 : r;
        if ((r = archive_list(dir, &list)) < 0)
                return r;
        r = archive_walk_all(dir, &list, &visitor);
        free(list.files);
        return r;
}

/* Locked, so that nobody goes on archiving meanwhile; whole and unaltered, or not used at all. */
static int open_archive(struct restoring *t)
{
        struct archive_folder_options options = { .region = t->region->config.name, .key = t->key };
        char dir[REGION_PATH_MAX], path[REGION_PATH_MAX];
        struct stat st;
        int r;

        if (t->without_archive)
                return 0;
        if ((r = archive_where(t->region, dir)) < 0 || (r = archive_path(dir, ARCHIVE_HEAD, path)) < 0)
                return r;
        if (stat(path, &st) < 0) {
                say_wrong("%s: %s: what came after the backup is only there (--without-archive restores without it)",
                          path, strerror(errno));
                return -ENOENT;
        }
        options.dir = dir;
        return archive_folder_open(&options, &t->folder);
}

/* ---- Redis */

/* As the dispatchers' user, who may write all of it: its password is in dispatcher.conf. */
static int as_dispatcher(struct region *region)
{
        char path[REGION_PATH_MAX], *text = NULL, *save, *line;
        bool in_alerts = false, found = false;
        size_t len;
        int r = region_path(region, "dispatcher.conf", path);

        if (r < 0 || (r = file_read(path, 256 * 1024, &text, &len)) < 0) {
                say_wrong("%s: %s: the dispatchers' password is needed", path, strerror(-r));
                return r;
        }
        region_disconnect(region);
        for (line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
                if (line[0] == '[')
                        in_alerts = strcmp(line, "[alerts]") == 0;
                if (in_alerts)
                        (void)sscanf(line, "user = %32s", region->config.user);
                if (in_alerts && sscanf(line, "password = %128s", region->config.password) == 1)
                        found = true;
        }
        explicit_bzero(text, len);
        free(text);
        if (!found)
                say_wrong("%s: no password in [alerts]", path);
        return found ? 0 : -EINVAL;
}

static int ask_time(struct restoring *t)
{
        redisReply *reply;
        int r = region_ask(t->put.redis, &reply, "TIME");

        if (r < 0)
                return r;
        t->put.now_ms =
                strtoll(reply->element[0]->str, NULL, 10) * 1000 + strtoll(reply->element[1]->str, NULL, 10) / 1000;
        freeReplyObject(reply);
        t->put.feed_ms = strtoull(t->feed, NULL, 10) + 1;
        if (t->put.feed_ms < (uint64_t)t->put.now_ms)
                t->put.feed_ms = (uint64_t)t->put.now_ms;
        return 0;
}

static int add_key(struct restoring *t, const char *key)
{
        char **more = realloc(t->keys, (t->key_count + 1) * sizeof(*more));

        if (more == NULL)
                return -ENOMEM;
        t->keys = more;
        t->keys[t->key_count] = strdup(key);
        return t->keys[t->key_count++] != NULL ? 0 : -ENOMEM;
}

/* The keys of the region that are there: none; or with --over they go in the transaction. */
static int look_keys(struct restoring *t)
{
        char cursor[24] = "0", match[96];
        redisReply *reply;
        int r;

        region_key(t->region, "*", match);
        do {
                if ((r = region_ask(t->put.redis, &reply, "SCAN %s MATCH %s COUNT %d", cursor, match, SCAN_COUNT)) < 0)
                        return r;
                snprintf(cursor, sizeof(cursor), "%s", reply->element[0]->str);
                if (reply->element[1]->elements > 0 && !t->over) {
                        say_wrong("Redis is not empty (%s): restore goes into an empty one (--over takes away what is "
                                  "there)",
                                  reply->element[1]->element[0]->str);
                        r = -EEXIST;
                }
                for (size_t i = 0; r == 0 && i < reply->element[1]->elements; i++)
                        r = add_key(t, reply->element[1]->element[i]->str);
                freeReplyObject(reply);
        } while (r == 0 && strcmp(cursor, "0") != 0);
        return r;
}

/* From here on a commit of anybody's ends the transaction. */
static int watch(struct restoring *t)
{
        redisReply *reply, *epoch;
        char feed[96], key[96];
        int r;

        region_key(t->region, "feed", feed);
        region_key(t->region, "epoch", key);
        if ((r = region_ask(t->put.redis, &reply, "WATCH %s %s", feed, key)) < 0)
                return r;
        freeReplyObject(reply);
        if ((r = region_ask(t->put.redis, &epoch, "GET %s", key)) < 0)
                return r;
        if (epoch->str != NULL && strtoull(epoch->str, NULL, 10) > t->epoch)
                t->epoch = strtoull(epoch->str, NULL, 10);
        freeReplyObject(epoch);
        t->epoch += t->without_archive ? EPOCH_STEP : 1;
        return look_keys(t);
}

/* ---- the transaction */

static int put_epoch(struct restoring *t)
{
        char key[96], number[24];

        region_key(t->region, "epoch", key);
        snprintf(number, sizeof(number), "%llu", (unsigned long long)t->epoch);
        return restore_put_command(&t->put,
                                   (struct cbor_span[]){ CBOR_LITERAL("SET"),
                                                         { (const uint8_t *)key, strlen(key) },
                                                         { (const uint8_t *)number, strlen(number) } },
                                   3);
}

static int put_away(struct restoring *t)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < t->key_count; i++)
                r = restore_put_command(&t->put,
                                        (struct cbor_span[]){ CBOR_LITERAL("DEL"),
                                                              { (const uint8_t *)t->keys[i], strlen(t->keys[i]) } },
                                        2);
        return r;
}

static int fill(struct restoring *t)
{
        const struct cbor_span multi = CBOR_LITERAL("MULTI");
        struct backup_header unused;
        struct restored *alert;
        size_t at = 0;
        int r = restore_put_command(&t->put, &multi, 1);

        if (r < 0 || (r = put_away(t)) < 0 || (r = put_epoch(t)) < 0 ||
            (r = backup_read(t->file, t->key, &unused, put_item, t)) < 0 || (r = walk(t, put_entry)) < 0)
                return r;
        while (r == 0 && (alert = restored_next(t->alerts, &at)) != NULL)
                r = restore_put_alert(&t->put, alert);
        return r < 0 ? r : restore_put_exec(&t->put);
}

/* In the archive first: an epoch that was written there is never taken again. */
static int note(struct restoring *t)
{
        struct archive_meta meta = { .kind = ARCHIVE_RESTORE, .count = t->epoch, .version = t->trust };
        time_t at = (time_t)(t->header.at_ms / 1000);
        struct tm utc;
        char text[32];
        int r;

        if (t->folder == NULL)
                return 0;
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&at, &utc));
        snprintf(meta.text, sizeof(meta.text), "from the backup of %s and the entries behind %llu", text,
                 (unsigned long long)t->header.number);
        r = archive_folder_append(t->folder, &meta, NULL);
        return r < 0 ? r : archive_folder_commit(t->folder);
}

static int restore(struct restoring *t)
{
        int r;

        if ((r = open_archive(t)) < 0)
                return r;
        if ((r = backup_read(t->file, t->key, &t->header, learn_item, t)) < 0) {
                say_wrong("the backup: %s", r == -EKEYREJECTED ? "altered, or another key signed it"
                                            : r == -EBADMSG    ? "no backup, or cut off"
                                                               : strerror(-r));
                return r;
        }
        if (strcmp(t->header.region, t->region->config.name) != 0) {
                say_wrong("the backup is of region %s", t->header.region);
                return -EXDEV;
        }
        t->epoch = t->header.epoch;
        t->trust = t->header.trust;
        if (trust_number(t->region) > t->trust)
                t->trust = trust_number(t->region);
        if ((r = walk(t, learn_entry)) < 0 || (r = as_dispatcher(t->region)) < 0 ||
            (r = region_alerts(t->region, &t->put.redis)) < 0 || (r = watch(t)) < 0 || (r = ask_time(t)) < 0)
                return r;
        t->trust = t->trust < UINT32_MAX - TRUST_STEP ? t->trust + TRUST_STEP : t->trust;
        if ((r = trust_floor_set(t->region, t->trust)) < 0 || (r = note(t)) < 0)
                return r;
        if ((r = fill(t)) == -EAGAIN)
                say_wrong("somebody wrote into Redis meanwhile: nothing was restored: stop the dispatchers, or try "
                          "again");
        return r;
}

/* ---- */

/* The newest backup in a folder: their names sort by time. */
static int find_backup(const char *name, char path[REGION_PATH_MAX])
{
        DIR *dir = opendir(name);
        struct dirent *found;
        char newest[256] = "";

        if (dir == NULL)
                return snprintf(path, REGION_PATH_MAX, "%s", name) < REGION_PATH_MAX ? 0 : -ENAMETOOLONG;
        while ((found = readdir(dir)) != NULL) {
                size_t len = strlen(found->d_name), end = strlen(BACKUP_FILE_END);

                if (len > end && strcmp(found->d_name + len - end, BACKUP_FILE_END) == 0 &&
                    strcmp(found->d_name, newest) > 0)
                        strcpy(newest, found->d_name);
        }
        closedir(dir);
        if (newest[0] == 0) {
                say_wrong("%s: no backup in it", name);
                return -ENOENT;
        }
        return snprintf(path, REGION_PATH_MAX, "%s/%s", name, newest) < REGION_PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int run(struct restoring *t, const char *name)
{
        char path[REGION_PATH_MAX], *data = NULL;
        size_t len;
        int r = find_backup(name, path);

        if (r < 0)
                return r;
        if ((r = file_read(path, BACKUP_FILE_MAX, &data, &len)) < 0) {
                say_wrong("%s: %s", path, strerror(-r));
                return r;
        }
        t->file = (struct cbor_span){ (const uint8_t *)data, len };
        t->put.region = t->region;
        t->alerts = restored_new();
        r = t->alerts == NULL ? -ENOMEM : archive_key(t->region, &t->key);
        if (r == 0 && (r = restore(t)) == 0)
                printf("restored from %s: %llu open alerts to be checked, %llu closed since; epoch %llu; the next "
                       "trust list is "
                       "above %u\n",
                       path, (unsigned long long)t->put.open, (unsigned long long)t->put.closed,
                       (unsigned long long)t->epoch, t->trust);
        for (size_t i = 0; i < t->key_count; i++)
                free(t->keys[i]);
        free(t->keys);
        restored_free(t->alerts);
        archive_folder_close(t->folder);
        key_free(t->key);
        free(data);
        return r;
}

int restore_main(struct region *region, int argc, char **argv)
{
        struct restoring t = { .region = region };
        const struct choice list[] = {
                { "over", NULL, &t.over, "take away what is in Redis" },
                { "without-archive", NULL, &t.without_archive, "what came after the backup is lost as well" },
        };
        const char *name;

        if (choices_read(&(struct choices){ "restore BACKUP [--over] [--without-archive]", list, 2, 1 }, argc, argv,
                         &name) < 0)
                return EXIT_USAGE;
        return run(&t, name) < 0 ? EXIT_REFUSED : EXIT_DONE;
}
