#include "console/link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int link_open(struct loop *loop, const struct config_redis *redis, struct redis_options options,
              struct redis_link **ret_link)
{
        options.address = redis->address;
        options.user = redis->user;
        options.password = redis->password;
        return redis_open(loop, &options, ret_link);
}

void args_last_entry(struct redis_args *args, const char *key)
{
        redis_args_init(args, "XREVRANGE");
        redis_arg(args, key);
        redis_arg(args, "+");
        redis_arg(args, "-");
        redis_arg(args, "COUNT");
        redis_arg(args, "1");
}

bool reply_is(const struct redisReply *reply, int type, size_t min)
{
        return reply != NULL && reply->type == type && (type != REDIS_REPLY_ARRAY || reply->elements >= min);
}

int reply_text(const struct redisReply *reply, char *to, size_t size)
{
        if (reply == NULL || (reply->type != REDIS_REPLY_STRING && reply->type != REDIS_REPLY_STATUS))
                return -EBADMSG;
        size_t len = (size_t)reply->len;
        if (len >= size || memchr(reply->str, '\0', len) != NULL)
                return -EBADMSG;
        memcpy(to, reply->str, len);
        to[len] = '\0';
        return 0;
}

int64_t reply_time_ms(const struct redisReply *reply)
{
        char s[24], us[24];

        if (!reply_is(reply, REDIS_REPLY_ARRAY, 2) || reply_text(reply->element[0], s, sizeof(s)) < 0 ||
            reply_text(reply->element[1], us, sizeof(us)) < 0)
                return 0;
        return strtoll(s, NULL, 10) * 1000 + strtoll(us, NULL, 10) / 1000;
}
