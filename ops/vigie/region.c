#include "ops/vigie/region.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/file.h"
#include "ops/vigie/command.h"
#include "ops/vigie/primary.h"
#include "ops/vigie/say.h"
#include "wire/people.h"

#define CHANGES_KEPT "100000" /* entries of {r}:people:changes; a daemon further behind loads everything again */

/* ---- the folder */

static const struct conf_option options[] = {
        CONF_STRING(struct region_config, name, "region.name", 1, NULL,
                    "the region's short name, the hash tag of its keys"),
        CONF_STRING(struct region_config, alerts, "alerts.address", 1, NULL,
                    "Redis of the alerts: /socket, host:port or sentinel:NAME@host:port,..."),
        CONF_STRING(struct region_config, positions, "positions.address", 1, NULL, "Redis of the positions: the same"),
        CONF_STRING(struct region_config, user, "store.user", 0, "", "ACL user of this tool"),
        CONF_STRING(struct region_config, password, "store.password", 0, "", "its password"),
        CONF_PATH(struct region_config, archive, "archive.path", "",
                  "the archive's folder; empty: archive, in the region's"),
        CONF_STRING(struct region_config, archive_user, "archive.user", 0, "", "ACL user of the archive"),
        CONF_STRING(struct region_config, archive_password, "archive.password", 0, "", "its password"),
        CONF_DURATION(struct region_config, keep_ms, "archive.keep", 0, INT64_C(7) * 86400000, "1h",
                      "how long the feed keeps what is archived, for who reconnects"),
        CONF_DURATION(struct region_config, positions_ms, "retain.positions", 0, INT64_C(3650) * 86400000, "60d",
                      "positions are erased so long after an alert's last change"),
        CONF_DURATION(struct region_config, alerts_ms, "retain.alerts", 0, INT64_C(3650) * 86400000, "730d",
                      "who pressed, and all else of the alert, notices"),
        CONF_DURATION(struct region_config, proof_ms, "retain.proof", 0, INT64_C(3650) * 86400000, "365d",
                      "who was asked, saw, took and closed it, duty"),
        CONF_INT(struct region_config, alert_port, "servers.alert_port", 0, 65535, "0",
                 "the alert port that phones enrolled are told of; 0: none"),
        CONF_STRING(struct region_config, sms_number, "sms.number", 0, "", "the region's number; empty: no SMS"),
};
static const struct conf_table table = {
        .program = "vigie",
        .usage = "",
        .summary = "the operator's tool",
        .options = options,
        .count = sizeof(options) / sizeof(options[0]),
        .config_size = sizeof(struct region_config),
};

int region_path(const struct region *region, const char *name, char *to)
{
        int n = snprintf(to, REGION_PATH_MAX, "%s/%s", region->dir, name);

        if (n < REGION_PATH_MAX)
                return 0;
        say_wrong("%s/%s: path longer than %d octets", region->dir, name, REGION_PATH_MAX - 1);
        return -ENAMETOOLONG;
}

int region_real(const char *path, char *to)
{
        char *real = realpath(path, NULL); /* PATH_MAX may be longer than ours */
        int r = real == NULL ? -errno : strlen(real) >= REGION_PATH_MAX ? -ENAMETOOLONG : 0;

        if (r < 0)
                say_wrong("%s: %s", path, strerror(-r));
        else
                strcpy(to, real);
        free(real);
        return r;
}

int region_open(const char *dir, struct region *ret_region)
{
        char path[REGION_PATH_MAX], errors[CONF_ERRORS_SIZE], *text = NULL;
        struct conf_source source = { .file = path };
        int r;

        memset(ret_region, 0, sizeof(*ret_region));
        if (strlen(dir) >= sizeof(ret_region->dir)) {
                say_wrong("%s: a region's folder has a name of at most %zu octets", dir, sizeof(ret_region->dir) - 1);
                return -ENAMETOOLONG;
        }
        strcpy(ret_region->dir, dir);
        if ((r = region_path(ret_region, "vigie.conf", path)) < 0)
                return r;
        r = file_read(path, CONF_FILE_MAX, &text, &source.len);
        if (r < 0) {
                say_wrong("%s: %s (make a region with `vigie -C DIR init`, or name its folder with -C)", path,
                          strerror(-r));
                return r;
        }
        source.text = text;
        r = conf_parse(&table, &source, &ret_region->config, errors);
        explicit_bzero(text, source.len);
        free(text);
        if (r < 0)
                fputs(errors, stderr);
        if (r == 0 && ((r = redis_address_check("alerts.address", ret_region->config.alerts)) < 0 ||
                       (r = redis_address_check("positions.address", ret_region->config.positions)) < 0))
                say_wrong("%s: see the line above", path);
        return r;
}

void region_disconnect(struct region *region)
{
        if (region->alerts != NULL)
                redisFree(region->alerts);
        if (region->positions != NULL)
                redisFree(region->positions);
        region->alerts = region->positions = NULL;
}

void region_close(struct region *region)
{
        region_disconnect(region);
        explicit_bzero(&region->config, sizeof(region->config));
}

int region_write(const struct region *region, const char *name, const char *text, size_t len, mode_t mode)
{
        char path[REGION_PATH_MAX];
        int r = region_path(region, name, path);

        if (r < 0)
                return r;
        r = file_write(path, text, len, mode);
        if (r < 0)
                say_wrong("%s: %s", path, strerror(-r));
        return r;
}

/* ---- Redis */

static int connect_redis(const struct region *region, const char *address, redisContext **ret)
{
        char why[PRIMARY_WHY_SIZE];
        struct redis_address where;
        int r = redis_address_parse(address, &where);

        if (r == 0)
                r = primary_connect(&where, region->config.user, region->config.password, ret, why);
        else
                snprintf(why, sizeof(why), "%s", strerror(-r));
        if (r < 0)
                say_wrong("Redis at %s: %s", address, why);
        return r;
}

int region_alerts(struct region *region, struct redisContext **ret_redis)
{
        int r = region->alerts != NULL ? 0 : connect_redis(region, region->config.alerts, &region->alerts);

        *ret_redis = region->alerts;
        return r;
}

int region_positions(struct region *region, struct redisContext **ret_redis)
{
        int r = region->positions != NULL ? 0 : connect_redis(region, region->config.positions, &region->positions);

        *ret_redis = region->positions;
        return r;
}

void region_key(const struct region *region, const char *what, char to[96])
{
        snprintf(to, 96, "{%s}:%s", region->config.name, what);
}

int region_ask(struct redisContext *redis, struct redisReply **ret_reply, const char *format, ...)
{
        redisReply *reply;
        va_list ap;

        va_start(ap, format);
        reply = redisvCommand(redis, format, ap);
        va_end(ap);
        if (reply != NULL && reply->type != REDIS_REPLY_ERROR) {
                *ret_reply = reply;
                return 0;
        }
        say_wrong("Redis: %s", reply != NULL ? reply->str : redis->errstr);
        freeReplyObject(reply);
        return -EIO;
}

/* ---- people */

/* The answer of EXEC: an array without an error in it. */
static int exec_result(redisContext *c, const redisReply *reply)
{
        const char *why = reply == NULL ? c->errstr : NULL;

        if (reply != NULL && reply->type != REDIS_REPLY_ARRAY)
                why = reply->type == REDIS_REPLY_ERROR ? reply->str : "transaction not done";
        for (size_t i = 0; why == NULL && i < reply->elements; i++)
                if (reply->element[i]->type == REDIS_REPLY_ERROR)
                        why = reply->element[i]->str;
        if (why == NULL)
                return 0;
        say_wrong("Redis: %s", why);
        return -EIO;
}

int region_people_set(struct region *region, const struct region_entry *entry)
{
        char hash[96], changes[96];
        redisReply *reply = NULL;
        redisContext *c;
        int r = region_alerts(region, &c);

        if (r < 0)
                return r;
        region_key(region, entry->hash, hash);
        region_key(region, "people:changes", changes);
        redisAppendCommand(c, "MULTI");
        if (entry->data != NULL)
                redisAppendCommand(c, "HSET %s %s %b", hash, entry->field, entry->data, entry->size);
        else
                redisAppendCommand(c, "HDEL %s %s", hash, entry->field);
        redisAppendCommand(c, "XADD %s MAXLEN ~ " CHANGES_KEPT " * h %s k %s", changes, entry->hash, entry->field);
        redisAppendCommand(c, "EXEC");
        for (int i = 0; i < 4; i++) {
                freeReplyObject(reply);
                reply = NULL;
                if (redisGetReply(c, (void **)&reply) != REDIS_OK)
                        break;
        }
        r = exec_result(c, reply);
        if (r == 0 && entry->data == NULL && reply->element[0]->integer == 0)
                r = -ENOENT;
        freeReplyObject(reply);
        return r;
}

int region_people_put(struct region *region, const struct region_entry *entries, size_t count)
{
        char hash[96], changes[96];
        redisReply *reply = NULL;
        size_t asked = 2 + count;
        redisContext *c;
        int r = region_alerts(region, &c);

        if (r < 0)
                return r;
        region_key(region, "people:changes", changes);
        redisAppendCommand(c, "MULTI");
        for (size_t i = 0; i < count; i++) {
                region_key(region, entries[i].hash, hash);
                redisAppendCommand(c, "HSET %s %s %b", hash, entries[i].field, entries[i].data, entries[i].size);
        }
        for (size_t i = 0; i < count; i++) {
                bool each = count <= REGION_CHANGES_EACH;

                if (!each && i > 0 && strcmp(entries[i - 1].hash, entries[i].hash) == 0)
                        continue;
                asked++;
                redisAppendCommand(c, "XADD %s MAXLEN ~ " CHANGES_KEPT " * h %s k %s", changes, entries[i].hash,
                                   each ? entries[i].field : "*");
        }
        redisAppendCommand(c, "EXEC");
        for (size_t i = 0; i < asked; i++) {
                freeReplyObject(reply);
                reply = NULL;
                if (redisGetReply(c, (void **)&reply) != REDIS_OK)
                        break;
        }
        r = exec_result(c, reply);
        freeReplyObject(reply);
        return r;
}

int region_people_get(struct region *region, const char *hash, const char *field, uint8_t *to, size_t size)
{
        redisReply *reply = NULL;
        redisContext *c;
        char key[96];
        int r = region_alerts(region, &c);

        region_key(region, hash, key);
        if (r < 0 || (r = region_ask(c, &reply, "HGET %s %s", key, field)) < 0)
                return r;
        if (reply->type != REDIS_REPLY_STRING) {
                r = -ENOENT;
        } else if (reply->len > size) {
                r = -EMSGSIZE;
        } else {
                memcpy(to, reply->str, reply->len);
                r = (int)reply->len;
        }
        freeReplyObject(reply);
        return r;
}

struct pair {
        const redisReply *field, *value;
};

static int by_field(const void *a, const void *b)
{
        const struct pair *x = a, *y = b;

        return strcmp(x->field->str, y->field->str);
}

int region_people_each(struct region *region, const char *hash, region_person_fn *each, void *user)
{
        redisReply *reply = NULL;
        struct pair *pairs;
        redisContext *c;
        size_t count;
        char key[96];
        int r = region_alerts(region, &c);

        region_key(region, hash, key);
        if (r < 0 || (r = region_ask(c, &reply, "HGETALL %s", key)) < 0)
                return r;
        count = reply->elements / 2;
        pairs = calloc(count + 1, sizeof(*pairs));
        for (size_t i = 0; pairs != NULL && i < count; i++)
                pairs[i] = (struct pair){ reply->element[2 * i], reply->element[2 * i + 1] };
        if (pairs != NULL)
                qsort(pairs, count, sizeof(*pairs), by_field);
        for (size_t i = 0; pairs != NULL && i < count; i++)
                each(user, pairs[i].field->str, (const uint8_t *)pairs[i].value->str, pairs[i].value->len);
        r = pairs != NULL ? 0 : -ENOMEM;
        free(pairs);
        freeReplyObject(reply);
        return r;
}
