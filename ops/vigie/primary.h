/* primary: whom a region's Sentinels name (base/sentinel.h), for a tool that may wait. */
#ifndef OPS_VIGIE_PRIMARY_H
#define OPS_VIGIE_PRIMARY_H

#include "base/redis_address.h"

/* Octets of the reason why there is none. */
#define PRIMARY_WHY_SIZE 200

struct redisContext;

/* primary_connect: connect to the Redis of ADDRESS, which has no name, or to the primary that its Sentinels name; logged in as USER
 * where PASSWORD is not empty.  Waits: CONNECT_TIMEOUT_S of primary.c where nobody answers, SENTINEL_ASK_MS for each Sentinel.
 *   ret_why  of PRIMARY_WHY_SIZE octets, written on an error
 * Returns 0, -ENOTCONN (nobody there, no primary), -EACCES (not let in).  The caller frees *RET_REDIS with redisFree. */
int primary_connect(const struct redis_address *address, const char *user, const char *password,
                    struct redisContext **ret_redis, char *ret_why);

#endif
