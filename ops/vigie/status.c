#include <errno.h>
#include <hiredis/hiredis.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "ops/vigie/command.h"
#include "ops/vigie/pki.h"
#include "ops/vigie/say.h"
#include "wire/signing.h"

/* How a region is, as one JSON object; without --json its values one a line, "open.taken  2". */

/* Open alerts whose states are looked at, the most urgent; a region with more has them counted. */
#define OPEN_MAX 1000

/* ---- the stores */

/* The number behind "NAME:" in what INFO said; -1 if it is not there. */
static long long info_number(const char *info, const char *name)
{
        size_t len = strlen(name);

        for (const char *at = strstr(info, name); at != NULL; at = strstr(at + len, name))
                if (at[len] == ':' && (at == info || at[-1] == '\n'))
                        return atoll(at + len + 1);
        return -1;
}

static void add_text(json_t *to, const char *name, const char *text)
{
        json_object_set_new(to, name, json_string(text));
}

static void add_number(json_t *to, const char *name, long long number)
{
        json_object_set_new(to, name, json_integer(number));
}

/* Reachable, role, memory and whether it keeps what it is told. */
static int add_store(json_t *to, redisContext *c)
{
        redisReply *role = NULL, *info = NULL;
        int r;

        if ((r = region_ask(c, &role, "ROLE")) < 0 || (r = region_ask(c, &info, "INFO")) < 0)
                goto out;
        add_text(to, "role", role->elements > 0 && role->element[0]->str != NULL ? role->element[0]->str : "unknown");
        add_number(to, "replicas", info_number(info->str, "connected_slaves"));
        add_number(to, "clients", info_number(info->str, "connected_clients"));
        add_number(to, "memory_octets", info_number(info->str, "used_memory"));
        add_number(to, "memory_max_octets", info_number(info->str, "maxmemory"));
        json_object_set_new(to, "append_only", json_boolean(info_number(info->str, "aof_enabled") == 1));
        json_object_set_new(to, "last_write_good",
                            json_boolean(strstr(info->str, "aof_last_write_status:err") == NULL));
        add_number(to, "up_s", info_number(info->str, "uptime_in_seconds"));
out:
        freeReplyObject(role);
        freeReplyObject(info);
        return r;
}

/* One store and its address; C is NULL where it cannot be reached. */
static int put_store(json_t *all, const char *name, const char *address, redisContext *c)
{
        json_t *to = json_object();
        int r = c != NULL ? 0 : -ENOTCONN;

        add_text(to, "address", address);
        if (r == 0)
                r = add_store(to, c);
        json_object_set_new(to, "reachable", json_boolean(r == 0));
        json_object_set_new(all, name, to);
        return r;
}

/* ---- what they hold */

static int put_counts(json_t *all, const struct region *region, redisContext *alerts, redisContext *positions)
{
        static const struct {
                const char *name, *command, *key;
                bool in_positions;
        } rows[] = {
                { "notices", "HLEN", "notices", false },
                { "closed_remembered", "HLEN", "tombstones", false },
                { "handsets", "HLEN", "handsets", false },
                { "carriers", "HLEN", "carriers", false },
                { "carriers_on_duty", "ZCARD", "duty", true },
                { "supervisors", "HLEN", "supervisors", false },
                { "supervisors_on_duty", "HLEN", "duty:supervisors", false },
                { "rounds", "HLEN", "rounds", false },
                { "users", "HLEN", "users", false },
        };
        redisReply *reply;
        char key[96];
        int r = 0;

        for (size_t i = 0; r == 0 && i < sizeof(rows) / sizeof(rows[0]); i++) {
                redisContext *c = rows[i].in_positions ? positions : alerts;

                region_key(region, rows[i].key, key);
                if (c == NULL)
                        continue;
                if ((r = region_ask(c, &reply, "%s %s", rows[i].command, key)) == 0) {
                        add_number(all, rows[i].name, reply->integer);
                        freeReplyObject(reply);
                }
        }
        return r;
}

/* Count the alert of ID in COUNTS by its state. */
static int count_state(const struct region *region, redisContext *c, const char *id, long long counts[ALERT_STATE_END])
{
        char key[96], what[64];
        redisReply *reply;
        int r;

        snprintf(what, sizeof(what), "alert:%.32s", id);
        region_key(region, what, key);
        if ((r = region_ask(c, &reply, "HGET %s s", key)) < 0)
                return r;
        if (reply->type == REDIS_REPLY_STRING && atoi(reply->str) > 0 && atoi(reply->str) < ALERT_STATE_END)
                counts[atoi(reply->str)]++;
        freeReplyObject(reply);
        return 0;
}

static int put_open(json_t *all, const struct region *region, redisContext *c)
{
        long long counts[ALERT_STATE_END] = { 0 };
        redisReply *count = NULL, *ids = NULL;
        json_t *to = json_object();
        char key[96];
        int r;

        region_key(region, "open", key);
        if ((r = region_ask(c, &count, "ZCARD %s", key)) < 0 ||
            (r = region_ask(c, &ids, "ZREVRANGE %s 0 %d", key, OPEN_MAX - 1)) < 0)
                goto out;
        for (size_t i = 0; r == 0 && i < ids->elements; i++)
                r = count_state(region, c, ids->element[i]->str, counts);
        add_number(to, "count", count->integer);
        for (int state = ALERT_RAISED; state < ALERT_CLOSED; state++)
                if (counts[state] > 0)
                        add_number(to, alert_state_name((uint8_t)state), counts[state]);
out:
        json_object_set_new(all, "open", to);
        freeReplyObject(count);
        freeReplyObject(ids);
        return r;
}

/* Entries of the feed, and the age of the last one by Redis's clock. */
static int put_feed(json_t *all, const struct region *region, redisContext *c)
{
        redisReply *count = NULL, *last = NULL, *now = NULL;
        json_t *to = json_object();
        char key[96];
        int r;

        region_key(region, "feed", key);
        if ((r = region_ask(c, &count, "XLEN %s", key)) < 0 ||
            (r = region_ask(c, &last, "XREVRANGE %s + - COUNT 1", key)) < 0 || (r = region_ask(c, &now, "TIME")) < 0)
                goto out;
        add_number(to, "entries", count->integer);
        if (last->elements > 0)
                add_number(to, "last_age_s",
                           atoll(now->element[0]->str) - atoll(last->element[0]->element[0]->str) / 1000);
out:
        json_object_set_new(all, "feed", to);
        freeReplyObject(count);
        freeReplyObject(last);
        freeReplyObject(now);
        return r;
}

/* What is archived and signed, and when it was; nothing where nobody archives. */
static int put_archive(json_t *all, const struct region *region, redisContext *c)
{
        json_t *to = json_object();
        redisReply *reply;
        char key[96];
        int r;

        json_object_set_new(all, "archive", to);
        region_key(region, "archive", key);
        if ((r = region_ask(c, &reply, "HMGET %s number at feed", key)) < 0)
                return r;
        if (reply->elements == 3 && reply->element[2]->str != NULL && reply->element[1]->str != NULL &&
            reply->element[0]->str != NULL) {
                add_number(to, "entries", atoll(reply->element[0]->str));
                add_number(to, "signed_age_s", time(NULL) - atoll(reply->element[1]->str) / 1000);
                add_text(to, "feed", reply->element[2]->str);
        }
        freeReplyObject(reply);
        return 0;
}

/* ---- keys and certificates: days until they end */

static long long days_until(int64_t at_s)
{
        return (at_s - time(NULL)) / 86400;
}

static void put_trust(json_t *all, const struct region *region)
{
        char root_path[REGION_PATH_MAX], path[REGION_PATH_MAX], *data = NULL;
        struct trust *trust = calloc(1, sizeof(*trust));
        const struct trust_key *key;
        struct key *root = NULL;
        size_t len;

        if (trust != NULL && region_path(region, "root.pem", root_path) == 0 &&
            region_path(region, REGION_TRUST, path) == 0 && key_from_file(root_path, &root) == 0 &&
            file_read(path, TRUST_MAX, &data, &len) == 0 &&
            trust_open((struct cbor_span){ (const uint8_t *)data, len }, root, trust) == 0) {
                add_number(all, "trust_list", trust->number);
                key = trust_current(trust, TRUST_RECEIPT, (uint32_t)time(NULL));
                add_number(all, "receipt_key_days", key != NULL ? days_until(key->not_after_s) : -1);
        } else {
                add_text(all, "trust_list", "not good");
        }
        key_free(root);
        free(data);
        free(trust);
}

static void put_ends(json_t *all, const struct region *region)
{
        static const char *const names[][2] = { { "server_certificate_days", "server.pem" }, { "ca_days", "ca.pem" } };
        char path[REGION_PATH_MAX];
        int64_t at_s;

        for (size_t i = 0; i < 2; i++)
                if (region_path(region, names[i][1], path) == 0 && pki_ends(path, &at_s) == 0)
                        add_number(all, names[i][0], days_until(at_s));
}

/* ---- the whole */

static void print(const char *before, const json_t *object)
{
        const char *name;
        char full[128];
        json_t *value;

        json_object_foreach((json_t *)object, name, value)
        {
                snprintf(full, sizeof(full), "%s%s%s", before, before[0] != 0 ? "." : "", name);
                if (json_is_object(value)) {
                        print(full, value);
                        continue;
                }
                printf("%-28s ", full);
                if (json_is_string(value))
                        say_safe(stdout, json_string_value(value));
                else if (json_is_boolean(value))
                        fputs(json_is_true(value) ? "yes" : "no", stdout);
                else
                        printf("%lld", (long long)json_integer_value(value));
                putchar('\n');
        }
}

static int look(struct region *region, json_t *all)
{
        redisContext *alerts = NULL, *positions = NULL;
        int r, first;

        add_text(all, "region", region->config.name);
        (void)region_alerts(region, &alerts); /* told; what can be seen is shown */
        (void)region_positions(region, &positions);
        first = put_store(all, "alerts", region->config.alerts, alerts);
        r = put_store(all, "positions", region->config.positions, positions);
        first = first < 0 ? first : r;
        if (alerts != NULL && ((r = put_open(all, region, alerts)) < 0 || (r = put_feed(all, region, alerts)) < 0 ||
                               (r = put_archive(all, region, alerts)) < 0 ||
                               (r = put_counts(all, region, alerts, positions)) < 0))
                first = r;
        put_trust(all, region);
        put_ends(all, region);
        return first;
}

int status_main(struct region *region, int argc, char **argv)
{
        bool as_json = false;
        const struct choice list[] = { { "json", NULL, &as_json, "one JSON object" } };
        json_t *all;
        int r;

        if (choices_read(&(struct choices){ "status [--json]", list, 1, 0 }, argc, argv, NULL) < 0)
                return EXIT_USAGE;
        all = json_object();
        r = look(region, all);
        if (!as_json)
                print("", all);
        else if (json_dumpf(all, stdout, JSON_COMPACT | JSON_ENSURE_ASCII) == 0)
                putchar('\n');
        json_decref(all);
        return r == 0 ? EXIT_DONE : EXIT_REFUSED;
}
