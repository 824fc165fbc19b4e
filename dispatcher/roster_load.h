/* Loading the roster: the newest part of {r}:roster, read into the core entry by entry before its tail goes on
 * behind it. */
#ifndef DISPATCHER_ROSTER_LOAD_H
#define DISPATCHER_ROSTER_LOAD_H

#include "dispatcher/config.h"
#include "dispatcher/reply.h"
#include "wire/feed.h"

struct redis_link;
struct roster_load;

/* A presence lease is 30 s: who was not heard of for twice that is away. */
#define ROSTER_LOAD_MS   60000
/* Entries read at once: 5,000 supervisors, each 15 s, make 20,000 in all. */
#define ROSTER_LOAD_PAGE 2000

struct roster_load_options {
        struct redis_link *link;
        const struct config *config;
        int64_t since_ms; /* UTC by Redis's clock */
        void *user;
        void (*presence)(void *user, const char *person, const struct presence *presence);
        /* Done: the tail goes on behind LAST; ERROR 0, or -EIO.  Not from within roster_load_begin. */
        void (*done)(void *user, int error, struct stream_id last);
};

/* roster_load_begin: begin.  Returns 0, -ENOMEM, or what redis_command gave.  roster_load_cancel: done() is not
 * called; NULL does nothing. */
int roster_load_begin(const struct roster_load_options *options, struct roster_load **ret_load);
void roster_load_cancel(struct roster_load *load);

/* roster_entry_read: one entry's fields.  Returns 0, -EBADMSG, -EPROTONOSUPPORT. */
int roster_entry_read(const struct redisReply *fields, char person[PERSON_ID_MAX + 1], struct presence *ret_presence);

#endif
