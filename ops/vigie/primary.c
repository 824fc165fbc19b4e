#include "ops/vigie/primary.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

#include "base/sentinel.h"

#define CONNECT_TIMEOUT_S 2
/* An answer that takes longer is none.  The largest, every handset of a region, takes well under a second. */
#define ANSWER_TIMEOUT_S  10

static int open_place(const struct redis_place *place, struct timeval timeout, redisContext **ret, char *why)
{
        redisContext *c = place->port == 0 ? redisConnectUnixWithTimeout(place->host, timeout)
                                           : redisConnectWithTimeout(place->host, place->port, timeout);

        if (c != NULL && c->err == 0) {
                *ret = c;
                return 0;
        }
        snprintf(why, PRIMARY_WHY_SIZE, "%s", c != NULL ? c->errstr : "out of memory");
        if (c != NULL)
                redisFree(c);
        return -ENOTCONN;
}

/* log_in: returns 0 or -EACCES. */
static int log_in(redisContext *c, const char *user, const char *password, char *why)
{
        redisReply *reply;
        int r = 0;

        if (password[0] == '\0')
                return 0;
        reply = redisCommand(c, "AUTH %s %s", user, password);
        if (reply == NULL || reply->type == REDIS_REPLY_ERROR) {
                snprintf(why, PRIMARY_WHY_SIZE, "%s", reply != NULL ? reply->str : c->errstr);
                r = -EACCES;
        }
        freeReplyObject(reply);
        return r;
}

/* ask: let one Sentinel vote; one without users refuses the login and answers all the same. */
static void ask(const struct redis_address *address, size_t i, const char *user, const char *password,
                struct sentinel_votes *votes, char *why)
{
        struct timeval timeout = { .tv_usec = SENTINEL_ASK_MS * 1000 };
        redisContext *c;
        redisReply *reply;

        if (open_place(&address->place[i], timeout, &c, why) < 0)
                return;
        redisSetTimeout(c, timeout);
        if (log_in(c, user, password, why) == 0 || c->err == 0) {
                reply = redisCommand(c, "SENTINEL GET-MASTER-ADDR-BY-NAME %s", address->name);
                sentinel_read(votes, i, reply);
                if (reply == NULL || reply->type == REDIS_REPLY_ERROR)
                        snprintf(why, PRIMARY_WHY_SIZE, "%s", reply != NULL ? reply->str : c->errstr);
                freeReplyObject(reply);
        }
        redisFree(c);
}

/* find: whom they name.  Returns 0 or -ENOTCONN. */
static int find(const struct redis_address *address, const char *user, const char *password, struct redis_place *ret,
                char *why)
{
        struct sentinel_votes votes = { 0 };
        char last[PRIMARY_WHY_SIZE] = "they do not know it";
        int at = -EAGAIN;

        for (size_t i = 0; i < address->count && at < 0; i++) {
                ask(address, i, user, password, &votes, last);
                at = sentinel_decide(&votes, address->count, i + 1 == address->count);
        }
        if (at < 0)
                snprintf(why, PRIMARY_WHY_SIZE, "no primary '%s' by its Sentinels: %.100s", address->name,
                         at == -EEXIST ? "they do not agree" : last);
        else
                *ret = votes.place[at];
        return at < 0 ? -ENOTCONN : 0;
}

/* is_primary: by its own word; one that was may still be named for a moment. */
static bool is_primary(redisContext *c, char *why)
{
        redisReply *reply = redisCommand(c, "ROLE");
        bool is = reply != NULL && reply->type == REDIS_REPLY_ARRAY && reply->elements > 0 &&
                  reply->element[0]->type == REDIS_REPLY_STRING && strcmp(reply->element[0]->str, "master") == 0;

        if (!is)
                snprintf(why, PRIMARY_WHY_SIZE, "%s",
                         reply == NULL                      ? c->errstr
                         : reply->type == REDIS_REPLY_ERROR ? reply->str
                                                            : "who the Sentinels name is no primary: a failover?");
        freeReplyObject(reply);
        return is;
}

int primary_connect(const struct redis_address *address, const char *user, const char *password,
                    struct redisContext **ret_redis, char *ret_why)
{
        struct redis_place place = address->place[0];
        redisContext *c;
        int r = address->name[0] == '\0' ? 0 : find(address, user, password, &place, ret_why);

        if (r < 0 || (r = open_place(&place, (struct timeval){ .tv_sec = CONNECT_TIMEOUT_S }, &c, ret_why)) < 0)
                return r;
        redisSetTimeout(c, (struct timeval){ .tv_sec = ANSWER_TIMEOUT_S });
        r = log_in(c, user, password, ret_why);
        if (r == 0 && address->name[0] != '\0' && !is_primary(c, ret_why))
                r = -ENOTCONN;
        if (r < 0)
                redisFree(c);
        else
                *ret_redis = c;
        return r;
}
