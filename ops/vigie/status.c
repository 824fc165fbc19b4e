#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <string.h>

#include "ops/vigie/command.h"

/* One number of the stores, or -1 after telling why. */
static long long ask(redisContext *c, const char *command, const char *key)
{
        redisReply *reply = redisCommand(c, "%s %s", command, key);
        long long n = -1;

        if (reply != NULL && reply->type == REDIS_REPLY_INTEGER)
                n = reply->integer;
        else
                fprintf(stderr, "vigie: Redis: %s %s: %s\n", command, key, reply != NULL && reply->str != NULL ? reply->str : c->errstr);
        freeReplyObject(reply);
        return n;
}

int status_main(struct region *region, int argc, char **argv)
{
        static const struct {
                const char *name, *command, *key;
                bool positions;
        } rows[] = {
                { "open alerts", "ZCARD", "open", false },
                { "closed alerts remembered", "HLEN", "tombstones", false },
                { "notices", "HLEN", "notices", false },
                { "feed entries", "XLEN", "feed", false },
                { "handsets", "HLEN", "handsets", false },
                { "carriers", "HLEN", "carriers", false },
                { "carriers on duty", "ZCARD", "duty", true },
                { "supervisors", "HLEN", "supervisors", false },
                { "supervisors on duty", "HLEN", "duty:supervisors", false },
                { "console users", "HLEN", "users", false },
        };
        redisContext *alerts, *positions;

        if (choices_read(&(struct choices){ .usage = "status" }, argc, argv, NULL) < 0)
                return EXIT_USAGE;
        if (region_alerts(region, &alerts) < 0 || region_positions(region, &positions) < 0)
                return EXIT_REFUSED;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                char key[96];
                long long n;

                region_key(region, rows[i].key, key);
                n = ask(rows[i].positions ? positions : alerts, rows[i].command, key);
                if (n < 0)
                        return EXIT_REFUSED;
                printf("%-26s %lld\n", rows[i].name, n);
        }
        return EXIT_DONE;
}
