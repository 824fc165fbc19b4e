/* The store's inside, shared by store.c (links, clock, commands), look.c, load.c, tail.c and who.c. */
#ifndef CONSOLE_STORE_INSIDE_H
#define CONSOLE_STORE_INSIDE_H

#include "base/loop.h"
#include "console/link.h"
#include "console/store.h"

#define STORE_KEY_SIZE    160
#define STORE_STREAM_SIZE 48 /* "1700000000000-0" */

struct store_load {
        bool running, failed, again;
        unsigned waiting;   /* answers outstanding */
        size_t next, count; /* of ids */
        char (*ids)[ALERT_ID_TEXT];
};

/* What the alerts' Redis says of itself, and what was seen. */
struct store_look {
        int64_t epoch, epoch_seen;
        bool people, people_seen, refused;
};

struct store {
        struct store_options options;
        struct redis_link *alerts, *feed, *positions, *roster;
        bool alerts_up, feed_up, loaded, up, closing;
        int64_t offset_ms; /* Redis's clock minus ours */
        struct counts carriers;
        struct store_stats stats;
        struct store_load load;
        struct store_look look;
        const char *trouble; /* a word of redis_trouble(); NULL: none */
        struct wheel_timer poll, rest;
        struct log_limit refused;

        unsigned load_number; /* counts loads, so that an XREAD of an earlier one is told */
        unsigned tail_number; /* load_number when the XREAD under way was given */
        bool tail_waits, roster_waits;
        char feed_at[STORE_STREAM_SIZE], roster_at[STORE_STREAM_SIZE];
        char people_at[STORE_STREAM_SIZE]; /* last entry of {r}:people:changes that we loaded after */
};

/* store_key: "{region}:NAME" (and SUFFIX) into TO. */
void store_key(const struct store *store, const char *name, const char *suffix, char to[STORE_KEY_SIZE]);

/* store_lost: what we know is not whole any more: blind.  store_begin_again: the same, and load anew after
 * STORE_REST_MS. */
void store_lost(struct store *store);
void store_begin_again(struct store *store, const char *why);
/* store_refused: count and log (limited) an entry that was not understood. */
void store_refused(struct store *store, const char *what, int error);

/* store_trouble: the store is away for ERROR (base/redis_trouble.h); NULL: it is not. */
void store_trouble(struct store *store, const char *error);

/* look_begin: ask the alerts' Redis who it is, and let it take a write.  Well: load_begin, where nothing is loaded; else blind, and
 * again after STORE_REST_MS. */
void look_begin(struct store *store);

/* load_begin: load everything; when done tail_begin.  load_people: the supervisors alone. */
void load_begin(struct store *store);
void load_people(struct store *store);

/* tail_begin: read the feed from feed_at.  roster_begin: read the roster from roster_at, unless that is under way, or is not known yet. */
void tail_begin(struct store *store);
void roster_begin(struct store *store);

#endif
