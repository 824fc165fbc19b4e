#include "ops/vigie/backup.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "ops/vigie/archive.h"
#include "ops/vigie/backup_file.h"
#include "ops/vigie/command.h"
#include "ops/vigie/say.h"
#include "ops/vigie/trust_floor.h"
#include "wire/signing.h"

/* What is not worth keeping: logins, what is asked this half minute, what is made of the rest; and the feed, which the
 * archive has. */
static const char *const left_out[] = { "session:", "feed", "commands", "people:changes", "waits", "probes",
                                        "archive",  "open", "due" };

#define SCAN_COUNT 500 /* keys or fields of one question: Redis serves others between two */

struct backing_up {
        struct region *region;
        redisContext *redis;
        struct backup_writer *writer;
        size_t prefix; /* octets of "{r}:" */
};

static bool is_left_out(const char *key)
{
        for (size_t i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++) {
                size_t len = strlen(left_out[i]);

                if (strncmp(key, left_out[i], len) == 0 && (key[len] == 0 || left_out[i][len - 1] == ':'))
                        return true;
        }
        return false;
}

/* ---- one key */

/* The strings of an array as one item. */
static int put_array(struct backing_up *b, const struct backup_item *item, const redisReply *array)
{
        struct cbor_span *values = calloc(array->elements + 1, sizeof(*values));
        int r = values != NULL ? 0 : -ENOMEM;

        for (size_t i = 0; r == 0 && i < array->elements; i++)
                values[i] = (struct cbor_span){ (const uint8_t *)array->element[i]->str, array->element[i]->len };
        if (r == 0 && array->elements > 0)
                r = backup_put(b->writer, item, values, array->elements);
        free(values);
        return r;
}

static int put_string(struct backing_up *b, const struct backup_item *item, const char *key)
{
        struct cbor_span value;
        redisReply *reply;
        int r = region_ask(b->redis, &reply, "GET %s", key);

        if (r < 0)
                return r;
        value = (struct cbor_span){ (const uint8_t *)reply->str, reply->len };
        if (reply->type == REDIS_REPLY_STRING)
                r = backup_put(b->writer, item, &value, 1);
        freeReplyObject(reply);
        return r;
}

/* A hash or a sorted set, page by page: each field is as it was at one moment; a whole alert, being small, is one
 * page. */
static int put_pages(struct backing_up *b, const struct backup_item *item, const char *key, const char *scan)
{
        char cursor[24] = "0";
        redisReply *reply;
        int r;

        do {
                if ((r = region_ask(b->redis, &reply, "%s %s %s COUNT %d", scan, key, cursor, SCAN_COUNT)) < 0)
                        return r;
                snprintf(cursor, sizeof(cursor), "%s", reply->element[0]->str);
                r = put_array(b, item, reply->element[1]);
                freeReplyObject(reply);
        } while (r == 0 && strcmp(cursor, "0") != 0);
        return r;
}

static int put_entry(struct backing_up *b, const struct backup_item *item, const redisReply *entry)
{
        const redisReply *fields = entry->element[1];
        struct cbor_span values[64] = { { (const uint8_t *)entry->element[0]->str, entry->element[0]->len } };

        if (fields->elements >= sizeof(values) / sizeof(values[0]))
                return -EMSGSIZE;
        for (size_t i = 0; i < fields->elements; i++)
                values[i + 1] = (struct cbor_span){ (const uint8_t *)fields->element[i]->str, fields->element[i]->len };
        return backup_put(b->writer, item, values, 1 + fields->elements);
}

static int put_stream(struct backing_up *b, const struct backup_item *item, const char *key)
{
        char from[64] = "-";
        redisReply *reply;
        size_t count;
        int r;

        do {
                if ((r = region_ask(b->redis, &reply, "XRANGE %s %s + COUNT %d", key, from, SCAN_COUNT)) < 0)
                        return r;
                count = reply->elements;
                for (size_t i = 0; r == 0 && i < count; i++)
                        r = put_entry(b, item, reply->element[i]);
                if (count > 0)
                        snprintf(from, sizeof(from), "(%s", reply->element[count - 1]->element[0]->str);
                freeReplyObject(reply);
        } while (r == 0 && count == SCAN_COUNT);
        return r;
}

static int put_value(struct backing_up *b, struct backup_item item, const char *key)
{
        redisReply *type;
        int r = region_ask(b->redis, &type, "TYPE %s", key);

        if (r < 0)
                return r;
        if (strcmp(type->str, "string") == 0) {
                item.kind = BACKUP_STRING;
                r = put_string(b, &item, key);
        } else if (strcmp(type->str, "hash") == 0) {
                item.kind = BACKUP_HASH;
                r = put_pages(b, &item, key, "HSCAN");
        } else if (strcmp(type->str, "zset") == 0) {
                item.kind = BACKUP_ZSET;
                r = put_pages(b, &item, key, "ZSCAN");
        } else if (strcmp(type->str, "stream") == 0) {
                item.kind = BACKUP_STREAM;
                r = put_stream(b, &item, key);
        } else if (strcmp(type->str, "none") != 0) { /* it went meanwhile */
                say_wrong("%s: a %s is not known here", key, type->str);
                r = -EINVAL;
        }
        freeReplyObject(type);
        return r;
}

/* What it has, and when it ends.  The end is asked first: a lease that ends meanwhile is not kept for ever. */
static int put_key(struct backing_up *b, const char *key)
{
        struct backup_item item = { 0 };
        redisReply *end;
        char text[24];
        int r;

        if (strlen(key) - b->prefix > BACKUP_KEY_MAX)
                return -EMSGSIZE;
        snprintf(item.key, sizeof(item.key), "%s", key + b->prefix);
        if (is_left_out(item.key))
                return 0;
        if ((r = region_ask(b->redis, &end, "PEXPIRETIME %s", key)) < 0)
                return r;
        snprintf(text, sizeof(text), "%lld", end->integer);
        r = end->integer == -2 ? 0 : put_value(b, item, key); /* -2: it is gone; -1: it never ends */
        item.kind = BACKUP_EXPIRY;
        if (r == 0 && end->integer >= 0)
                r = backup_put(b->writer, &item, &(struct cbor_span){ (const uint8_t *)text, strlen(text) }, 1);
        freeReplyObject(end);
        return r;
}

/* ---- all of it */

static int put_all(struct backing_up *b)
{
        char cursor[24] = "0", match[96];
        redisReply *reply;
        int r;

        region_key(b->region, "*", match);
        do {
                if ((r = region_ask(b->redis, &reply, "SCAN %s MATCH %s COUNT %d", cursor, match, SCAN_COUNT)) < 0)
                        return r;
                snprintf(cursor, sizeof(cursor), "%s", reply->element[0]->str);
                for (size_t i = 0; r == 0 && i < reply->element[1]->elements; i++)
                        r = put_key(b, reply->element[1]->element[i]->str);
                freeReplyObject(reply);
        } while (r == 0 && strcmp(cursor, "0") != 0);
        return r;
}

/* Where the archive is, before anything is read: what changes from here on, it has. */
static int read_header(struct backing_up *b, struct backup_header *header)
{
        char archive[96], epoch[96];
        redisReply *number = NULL, *fence = NULL;
        int r;

        region_key(b->region, "archive", archive);
        region_key(b->region, "epoch", epoch);
        if ((r = region_ask(b->redis, &number, "HGET %s number", archive)) == 0 &&
            (r = region_ask(b->redis, &fence, "GET %s", epoch)) == 0) {
                header->number = number->str != NULL ? strtoull(number->str, NULL, 10) : 0;
                header->epoch = fence->str != NULL ? strtoull(fence->str, NULL, 10) : 0;
        }
        snprintf(header->region, sizeof(header->region), "%s", b->region->config.name);
        header->trust = trust_number(b->region);
        freeReplyObject(number);
        freeReplyObject(fence);
        return r;
}

static int make_path(const struct region *region, const char *folder, int64_t at_ms, char path[REGION_PATH_MAX])
{
        time_t at = (time_t)(at_ms / 1000);
        struct tm utc;
        char text[32];

        strftime(text, sizeof(text), "%Y%m%dT%H%M%SZ", gmtime_r(&at, &utc));
        if (snprintf(path, REGION_PATH_MAX, "%s/%s-%s" BACKUP_FILE_END, folder, region->config.name, text) <
            REGION_PATH_MAX)
                return 0;
        return -ENAMETOOLONG;
}

static int run(struct region *region, const char *folder)
{
        struct backing_up b = { .region = region };
        struct backup_header header = { .at_ms = (int64_t)time(NULL) * 1000 };
        char path[REGION_PATH_MAX], prefix[96];
        struct key *key = NULL;
        uint64_t items = 0;
        int r;

        region_key(region, "", prefix);
        b.prefix = strlen(prefix);
        archive_as_user(region);
        if ((r = archive_key(region, &key)) < 0 || (r = region_alerts(region, &b.redis)) < 0 ||
            (r = read_header(&b, &header)) < 0 || (r = make_path(region, folder, header.at_ms, path)) < 0)
                goto out;
        if ((r = backup_create(path, &header, &b.writer)) == 0 && (r = put_all(&b)) == 0)
                r = backup_finish(b.writer, key, &items);
        if (r < 0)
                say_wrong("%s: %s: not backed up", path, strerror(-r));
        else
                printf("%s: %llu items\n", path, (unsigned long long)items);
out:
        backup_free(b.writer);
        key_free(key);
        return r;
}

int backup_main(struct region *region, int argc, char **argv)
{
        const char *folder;

        if (choices_read(&(struct choices){ "backup FOLDER", NULL, 0, 1 }, argc, argv, &folder) < 0)
                return EXIT_USAGE;
        return run(region, folder) < 0 ? EXIT_REFUSED : EXIT_DONE;
}
