/* A tail: one or two streams of one Redis, read as they grow, on a link of their own (XREAD BLOCK holds it).
 * It remembers nothing across a lost link: who owns it loads anew and says where to go on (DESIGN section 6). */
#ifndef DISPATCHER_TAIL_H
#define DISPATCHER_TAIL_H

#include "dispatcher/config.h"
#include "dispatcher/reply.h"

struct loop;
struct tail;

#define TAIL_STREAMS 2
/* Entries read at once, of each stream. */
#define TAIL_PAGE    200
/* After an answer that is an error, the next attempt. */
#define TAIL_REST_MS 1000

struct tail_options {
        struct loop *loop;
        const struct config *config;      /* borrowed until tail_close */
        const struct config_redis *redis; /* likewise */
        const char *name[TAIL_STREAMS];   /* without prefix, literals; the second may be NULL */
        void *user;
        void (*state)(void *user, bool up, const char *why); /* the link's; reading has stopped when it goes */
        /* One entry of stream number STREAM; FIELDS is a flat array of names and values, borrowed for the call. */
        void (*entry)(void *user, size_t stream, struct stream_id id, const struct redisReply *fields);
};

/* tail_open: begin to connect.  Returns 0, -EINVAL (address), -ENOMEM.  tail_close: NULL does nothing. */
int tail_open(const struct tail_options *options, struct tail **ret_tail);
void tail_close(struct tail *tail);

/* tail_is_up: say whether the link is. */
bool tail_is_up(const struct tail *tail);

/* tail_start: read on behind these ids, until the link is lost or tail_stop; what is under way then is dropped. */
void tail_start(struct tail *tail, const struct stream_id after[TAIL_STREAMS]);
void tail_stop(struct tail *tail);

#endif
