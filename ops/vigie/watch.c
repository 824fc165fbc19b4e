#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ops/vigie/command.h"
#include "ops/vigie/feed_text.h"
#include "ops/vigie/say.h"

/* The feed in a terminal, until interrupted.  As everyone (DESIGN 6): the feed's position, then the open alerts, then
 * the feed from there; after a lost connection all of it again. */

#define RETRY_S 2

struct watch {
        struct region *region;
        redisContext *redis;
        bool as_json;
        char last[64]; /* id of the last entry read */
};

static int read_position(struct watch *w)
{
        redisReply *reply;
        char key[96];
        int r;

        region_key(w->region, "feed", key);
        if ((r = region_ask(w->redis, &reply, "XREVRANGE %s + - COUNT 1", key)) < 0)
                return r;
        snprintf(w->last, sizeof(w->last), "%s", reply->elements > 0 ? reply->element[0]->element[0]->str : "0-0");
        freeReplyObject(reply);
        return 0;
}

static int show_alert(struct watch *w, const char *id)
{
        char what[64], key[96];
        redisReply *reply;
        int r;

        snprintf(what, sizeof(what), "alert:%.32s", id);
        region_key(w->region, what, key);
        if ((r = region_ask(w->redis, &reply, "HGET %s r", key)) < 0)
                return r;
        if (reply->type == REDIS_REPLY_STRING)
                feed_text_open(stdout, w->as_json, (const uint8_t *)reply->str, reply->len);
        freeReplyObject(reply);
        return 0;
}

static int show_open(struct watch *w)
{
        redisReply *ids;
        char key[96];
        int r;

        region_key(w->region, "open", key);
        if ((r = region_ask(w->redis, &ids, "ZREVRANGE %s 0 -1", key)) < 0)
                return r;
        for (size_t i = 0; r == 0 && i < ids->elements; i++)
                r = show_alert(w, ids->element[i]->str);
        freeReplyObject(ids);
        return r;
}

static int show_new(struct watch *w)
{
        const redisReply *entries;
        redisReply *reply;
        char key[96];
        int r;

        region_key(w->region, "feed", key);
        if ((r = region_ask(w->redis, &reply, "XREAD COUNT 100 BLOCK 1000 STREAMS %s %s", key, w->last)) < 0)
                return r;
        entries = reply->type == REDIS_REPLY_ARRAY && reply->elements > 0 ? reply->element[0]->element[1] : NULL;
        for (size_t i = 0; entries != NULL && i < entries->elements; i++) {
                const redisReply *entry = entries->element[i];

                feed_text_entry(stdout, w->as_json, entry->element[1]);
                snprintf(w->last, sizeof(w->last), "%s", entry->element[0]->str);
        }
        freeReplyObject(reply);
        return 0;
}

/* Connect, and show the feed until the connection or stdout is lost. */
static int show(struct watch *w)
{
        int r = region_alerts(w->region, &w->redis);

        if (r < 0 || (r = read_position(w)) < 0 || (r = show_open(w)) < 0)
                return r;
        do {
                if (fflush(stdout) != 0)
                        return -EPIPE;
        } while ((r = show_new(w)) == 0);
        return r;
}

int watch_main(struct region *region, int argc, char **argv)
{
        struct watch w = { .region = region };
        const struct choice list[] = { { "json", NULL, &w.as_json, "one JSON object an entry" } };
        bool seen = false;

        if (choices_read(&(struct choices){ "watch [--json]", list, 1, 0 }, argc, argv, NULL) < 0)
                return EXIT_USAGE;
        for (;;) {
                w.last[0] = 0;
                if (show(&w) == -EPIPE)
                        return EXIT_REFUSED;
                seen = seen || w.last[0] != 0;
                if (!seen)
                        return EXIT_REFUSED; /* never got as far as the feed: told */
                say_wrong("the feed is lost; trying again");
                region_disconnect(region);
                sleep(RETRY_S);
        }
}
