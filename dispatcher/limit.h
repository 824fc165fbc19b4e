/* Limits: how often something may happen, and for how many senders that is counted.  Pure. */
#ifndef DISPATCHER_LIMIT_H
#define DISPATCHER_LIMIT_H

#include "dispatcher/table.h"

/* A bucket of tokens as one number: the time at which it is full again.  All zero is a full one. */
struct bucket {
        int64_t full_at_ms;
};

/* bucket_take: take one of BURST tokens, of which one comes back each REFILL_MS.  Returns whether there was one. */
bool bucket_take(struct bucket *bucket, int64_t now_ms, unsigned burst, int64_t refill_ms);

#define SENDER_SIZE 8
/* Octets of a sender in hex, its closing NUL too. */
#define SENDER_TEXT (2 * SENDER_SIZE + 1)

struct sender {
        uint8_t id[SENDER_SIZE];
        struct bucket bucket, other;
        uint32_t suppressed; /* kept back since its notice began */
        int64_t told_ms;     /* when its notice was last brought up to date */
        struct sender *older, *newer;
};

/* Senders of unverified alerts: of more than the bound the one unused for longest is forgotten, and begins with a full
 * bucket if it comes again.  Whoever can have any number of ids is held by the bucket that all share (`all_burst`). */
struct senders {
        struct table table;
        struct sender *oldest, *newest;
        struct bucket all;
        unsigned all_burst; /* 0: none shared */
        int64_t all_refill_ms;
};

/* senders_init: nobody yet.  MAX senders; ALL_BURST and ALL_REFILL_MS of the shared bucket, 0 none.
 * senders_free: an all-zero one is fine. */
void senders_init(struct senders *senders, size_t max, uint64_t seed);
void senders_free(struct senders *senders);

/* senders_take: a token of the sender's and of the shared bucket.  Returns the sender; *ret_allowed says whether. */
struct sender *senders_take(struct senders *senders, const uint8_t id[SENDER_SIZE], int64_t now_ms, bool *ret_allowed);

/* senders_find: the sender with that id, or NULL. */
struct sender *senders_find(const struct senders *senders, const uint8_t id[SENDER_SIZE]);

#endif
