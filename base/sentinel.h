/* Sentinels: who is the primary now?  For base/redis.c, which asks at each attempt to connect and each second while it is
 * connected, and for the operator's tool, which asks by itself and lets sentinel_decide judge.
 *
 * All are asked at once.  What more than half of those configured name is taken in the same moment; where so many do not
 * answer, what those say that did, if they agree.  A Sentinel that was asleep, or cut off, with an old primary so never wins
 * against two others, and one that is dead or stopped costs nothing or, when others are missing too, SENTINEL_ASK_MS. */
#ifndef BASE_SENTINEL_H
#define BASE_SENTINEL_H

#include <stdbool.h>

#include "base/redis_address.h"

struct loop;
struct sentinel;

/* So long a Sentinel has to answer: far above what one needs, and below what a press may lose. */
#define SENTINEL_ASK_MS 400

/* What each Sentinel of the address said, by its place in it. */
struct sentinel_votes {
        struct redis_place place[REDIS_SENTINELS_MAX];
        enum { SENTINEL_SILENT, SENTINEL_NAMED, SENTINEL_KNOWS_NONE } said[REDIS_SENTINELS_MAX];
};

/* sentinel_decide: who is the primary by VOTES of COUNT Sentinels.
 *   over  no more answers come
 * Returns the index in votes->place of one that names it, -EAGAIN (not yet), -ENOENT (over, and nobody names one), -EEXIST
 * (over, and they disagree).  Pure. */
int sentinel_decide(const struct sentinel_votes *votes, size_t count, bool over);

struct redisReply;

/* sentinel_read: REPLY to SENTINEL GET-MASTER-ADDR-BY-NAME as vote number I.  NULL and what is no answer to that leave
 * it silent. */
void sentinel_read(struct sentinel_votes *votes, size_t i, const struct redisReply *reply);

/* Once per sentinel_ask: the PRIMARY; or NULL, and WHY there is none.  Borrowed for the call. */
typedef void sentinel_fn(void *user, const struct redis_place *primary, const char *why);

struct sentinel_options {
        const struct redis_address *address; /* with a name; copied */
        const char *user, *password;         /* sent to Sentinels too; one that does not know them may still answer */
        sentinel_fn *named;
        void *user_data;
};

/* sentinel_open: hold a link to each of the Sentinels.  Returns 0, -ENOMEM.  sentinel_close: NULL does nothing; named() comes
 * no more. */
int sentinel_open(struct loop *loop, const struct sentinel_options *options, struct sentinel **ret_sentinel);
void sentinel_close(struct sentinel *sentinel);

/* sentinel_ask: ask them all.  named() comes within SENTINEL_ASK_MS, never from within this call; nothing happens where a
 * question is under way. */
void sentinel_ask(struct sentinel *sentinel);

#endif
