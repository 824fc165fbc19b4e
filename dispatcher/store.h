/* The store: what this process writes to the two Redis, and the answers.  It holds one link to each for that; reading
 * streams has links of its own (tail.h, commands.h).  It decides nothing: it turns the core's actions into commands
 * and scripts, and answers into results.  Loop's thread only. */
#ifndef DISPATCHER_STORE_H
#define DISPATCHER_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/histogram.h"
#include "dispatcher/config.h"
#include "dispatcher/core.h"

struct loop;
struct redis_link;
struct store;

/* "{" region "}:" and the longest name behind it. */
#define STORE_KEY_SIZE      96
/* After an answer that is an error (read-only, out of memory, loading ...) the store counts as away for so long,
 * then is asked again from the start: who it is, and whether it takes a write. */
#define STORE_REST_MS       250
/* An answer that takes so long makes it slow, until none did for STORE_CALM_MS. */
#define STORE_SLOW_MS       1000
#define STORE_CALM_MS       10000
/* The roster keeps about so many entries: 5,000 supervisors, each 15 s, are ten minutes. */
#define STORE_ROSTER_LENGTH 200000
/* Redis's clock is asked each second; an answer that took longer than this tells too little and is not used. */
#define STORE_CLOCK_MS      1000
#define STORE_CLOCK_RTT_MS  200

/* A take waits for a replica so long; without one it counts all the same, and no_replica is told. */
#define STORE_WAIT_MS 1000
/* Entries of the feed that wait likewise: closures of 4 s at 1,000 a second.  One more does not wait. */
#define STORE_SETTLE_MAX    4096
/* What store_options.trouble tells; NULL ends them.  Away: not there, for no reason below; it was before.  Full: out of memory.
 * Read-only: a replica, or one that cannot write its disk.  Loading: reads its files.  Alone: a primary without the replica that it
 * must have.  Login, rights: it refuses our password, or a command.  Older: it has lost what it had.  In all of these it
 * counts as away, and presses are kept.  Slow, no_replica (no take was confirmed): it goes on; unread too: the tombstone of an alert, which the
 * log names, is none that we can read.  That alert alone waits; told until the next start. */
#define STORE_TROUBLES                                                                                       \
        {                                                                                                    \
                "store_away", "store_full", "store_readonly", "store_loading", "store_alone", "store_login", \
                        "store_rights", "store_older", "store_slow", "no_replica", "store_unread", NULL      \
        }

struct store_answer {
        uint64_t token;
        enum core_result result;
        uint32_t version;
        int64_t time_ms;
        struct cbor_span record;    /* CORE_CONFLICT; empty: no such alert.  Borrowed for the call.  Of an unreadable tombstone no record */
        struct tombstone tombstone; /* CORE_TOMBSTONE */
};

/* The carriers on duty and not heard since; see CORE_SCAN. */
struct store_scan {
        const struct core_found *late; /* borrowed for the call */
        size_t count, late_total, total;
};

struct store_options {
        struct loop *loop;
        const struct config *config; /* borrowed until store_close */
        void *user;
        /* What an earlier life of this process saw (snapshot_peek): an epoch (0: none); that there are people.  A store that
         * has a lower one, or nobody, has lost its data and is not taken for the truth. */
        int64_t epoch_seen;
        bool people_seen;
        /* The alerts' Redis: its link is up, its epoch known, and it takes writes; or away.  WHY is NULL when up.  Nothing may be
         * taken for loaded any more when it goes. */
        void (*alerts)(void *user, bool up, const char *why);
        /* The positions' Redis likewise. */
        void (*positions)(void *user, bool up, const char *why);
        /* To store_commit, store_look, store_prove: exactly one each, never from within the call. */
        void (*answered)(void *user, const struct store_answer *answer);
        void (*found)(void *user, const struct core_found *found);
        void (*scanned)(void *user, const struct store_scan *scan);
        /* Each second while the alerts' Redis is there: its clock, UTC ms, at this moment of ours. */
        void (*clock)(void *user, int64_t redis_ms, int64_t mono_ms);
        /* One of STORE_TROUBLES began, or is over.  NULL: nobody asks. */
        void (*trouble)(void *user, const char *what, bool on);
};

struct store_counts {
        struct histogram commit;   /* us from the script's sending to its answer */
        uint64_t commits, refused; /* scripts answered; commands that could not be sent or were answered by an error */
};

/* store_open: begin to connect.  Returns 0, -EINVAL (an address), -ENOMEM.  store_close: NULL does nothing; commits
 * under way are not answered any more.  Memory goes in the loop's next turns. */
int store_open(const struct store_options *options, struct store **ret_store);
void store_close(struct store *store);

/* store_key: "{region}:NAME" into TO. */
void store_key(const struct config *config, const char *name, char to[STORE_KEY_SIZE]);

/* store_alerts, store_positions: the links, for loading. */
struct redis_link *store_alerts(struct store *store);
struct redis_link *store_positions(struct store *store);

/* store_epoch: the epoch read when the alerts' Redis came up; a restore raises it. */
int64_t store_epoch(const struct store *store);

/* The rest does one action of the core each (core.h says what).  None fails: what cannot be sent is answered
 * CORE_UNKNOWN (commit, look, prove) or counted. */
void store_commit(struct store *store, const struct core_action *action);
void store_look(struct store *store, const struct core_action *action);
void store_prove(struct store *store, const struct core_action *action);
void store_answer(struct store *store, const struct core_action *action, int64_t now_ms);
void store_notice(struct store *store, const char *key, const struct notice *notice);
void store_duty(struct store *store, const struct core_action *action);
void store_presence(struct store *store, const struct core_action *action);
void store_carrier_duty(struct store *store, const struct core_action *action);
void store_heard(struct store *store, const struct core_action *action);
void store_find_duty(struct store *store, const struct core_action *action);
void store_timer(struct store *store, const struct core_action *action);

/* store_scan: look for carriers on duty not heard since BEFORE_MS; scanned() answers, or nothing where the positions
 * are away or a scan runs already. */
void store_scan(struct store *store, int64_t before_ms);

/* store_settle: call SETTLED once what is in the alerts' Redis by now is on a replica too, or none confirmed it in
 * STORE_WAIT_MS; KNOWN false: the link broke, or the store is closed.  Exactly once, maybe from within this call.  Returns false
 * where nothing is to be waited for (no replica, none that confirms): then it is not called. */
bool store_settle(struct store *store, void (*settled)(void *user, bool known), void *user);

const struct store_counts *store_counts(const struct store *store);

#endif
