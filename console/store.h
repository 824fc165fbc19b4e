/* The store as a console has it: it loads the board from Redis, keeps it fresh from the feed, hands commands in, and
 * keeps sessions.  Four links: to the alerts' Redis for questions and the feed, to the positions' for counts and
 * the roster.
 *
 *   link up -> it is the region's and takes writes (look.c) -> where the feed stands -> people, duty, notices, open alerts -> the feed from there -> up -> the feed
 *
 * Whatever breaks, it begins again at the front: nothing is resumed by id (DESIGN section 6).  Loop's thread only. */
#ifndef CONSOLE_STORE_H
#define CONSOLE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/histogram.h"
#include "base/log.h"
#include "console/board.h"
#include "console/config.h"
#include "console/session.h"
#include "wire/command.h"

struct loop;
struct store;

/* {r}:commands keeps about so many: a minute of the worst storm.  Each is worth nothing after 30 s anyway. */
#define STORE_COMMANDS_LENGTH "20000"
/* Entries of a stream read at a time. */
#define STORE_BATCH           500
/* Alerts asked for and not yet answered while loading. */
#define STORE_LOAD_WINDOW     500
/* After an error of Redis (loading, no permission) the store begins again so much later. */
#define STORE_REST_MS         500
/* Counts, Redis's clock, changes of people, and whether it takes a write, are asked so often. */
#define STORE_POLL_MS         2000
/* Presence is read from so long before now, so that a console that starts knows who is there. */
#define STORE_ROSTER_BACK_MS  60000

struct store_events {
        void *user;
        void (*up)(void *user, bool up); /* the board is whole and fresh; or it is not (then it may be empty) */
        void (*trouble)(void *user, const char *word); /* why not, as redis_trouble() says it; NULL: over */
        /* While up: something changed. */
        void (*alert)(void *user, const struct alert_item *item);
        void (*notice)(void *user, const struct notice_item *item);
        void (*person)(void *user, struct person *person);
        void (*answer)(void *user, const char *command, const char *code, const char *who);
};

struct store_options {
        struct loop *loop;
        const struct config *config; /* borrowed */
        struct board *board;         /* borrowed; the store alone writes it */
        struct store_events events;
};

struct store_stats {
        uint64_t entries, refused, loads,
                commands;     /* feed entries read; not understood; loads begun; commands handed in */
        struct histogram lag; /* us from an alert's commit to its being here, by Redis's clock; 1 ms grain */
};

/* store_open: begin to connect.  Returns 0, -EINVAL (an address cannot be read), -ENOMEM.  store_close: NULL does
 * nothing. */
int store_open(const struct store_options *options, struct store **ret_store);
void store_close(struct store *store);

/* store_now_ms: Redis's clock now, UTC ms (our own until it was asked). */
int64_t store_now_ms(const struct store *store);

/* store_carriers: handsets on duty and quiet, and open alerts, as last polled. */
const struct counts *store_carriers(const struct store *store);
const struct store_stats *store_stats(const struct store *store);

/* store_command: hand COMMAND in.  What Redis then refuses comes back as an `answer` event "busy".
 * Returns 0, -ENOTCONN, -ENOBUFS, -EINVAL (command_encode). */
int store_command(struct store *store, const struct command *command);

/* What {r}:users and {r}:session: say.  Each calls DONE exactly once, never from within the call (store_close counts as
 * later), unless it returns an error.
 *   result  0; -ENOENT (no such user or session, or it is over); -EAGAIN (the store is away, or refuses); -EBADMSG */
struct store_who {
        void *user;
        void (*done)(void *user, int result, const struct session *session, const struct user_entry *entry);
};

/* store_user: look LOGIN up ("" is nobody's); session is NULL.  Returns 0, -EAGAIN. */
int store_user(struct store *store, const char *login, const struct store_who *who);

/* store_session_put: keep SESSION under HASH for TTL_MS; session and entry are NULL in the answer.
 * Returns 0, -EAGAIN. */
int store_session_put(struct store *store, const uint8_t hash[SESSION_HASH_SIZE], const struct session *session,
                      int64_t ttl_ms, const struct store_who *who);

/* store_session_get: look the session up, then its user, and let it live on for the idle time.  Returns 0, -EAGAIN. */
int store_session_get(struct store *store, const uint8_t hash[SESSION_HASH_SIZE], const struct store_who *who);

/* store_session_drop: logout.  Returns 0, -EAGAIN (then it lives until its time is over). */
int store_session_drop(struct store *store, const uint8_t hash[SESSION_HASH_SIZE]);

#endif
