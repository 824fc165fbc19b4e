/* Redis as both stores of a console have it: links as its configuration says, and what replies hold. */
#ifndef CONSOLE_LINK_H
#define CONSOLE_LINK_H

#include <hiredis/hiredis.h>

#include "base/redis.h"
#include "console/config.h"

/* link_open: redis_open with REDIS's address, user and password; the rest of OPTIONS is the caller's.  REDIS is borrowed for the link's life.
 * Returns redis_open's. */
int link_open(struct loop *loop, const struct config_redis *redis, struct redis_options options,
              struct redis_link **ret_link);

/* args_last_entry: the command for the last entry of the stream KEY (borrowed): its answer is an array of one entry or none. */
void args_last_entry(struct redis_args *args, const char *key);

/* reply_is: TYPE and, of arrays, at least MIN elements.  NULL is nothing. */
bool reply_is(const struct redisReply *reply, int type, size_t min);
/* reply_text: the text of a string or status that fits SIZE - 1 octets without NUL, into TO.  Returns 0 or -EBADMSG. */
int reply_text(const struct redisReply *reply, char *to, size_t size);
/* reply_time_ms: TIME's answer as UTC ms.  0 when it is none. */
int64_t reply_time_ms(const struct redisReply *reply);

#endif
