/* Inside the store: for store.c, store_trouble.c, store_write.c, store_take.c and store_duty.c alone. */
#ifndef DISPATCHER_STORE_INSIDE_H
#define DISPATCHER_STORE_INSIDE_H

#include "base/log.h"
#include "base/redis.h"
#include "base/wheel.h"
#include "dispatcher/script.h"
#include "dispatcher/store.h"

/* A command under way whose answer somebody waits for. */
struct store_call {
        struct store *store;
        struct store_call *next; /* in `failed`, or among the takes */
        uint64_t token;
        uint8_t id[ALERT_ID_SIZE]; /* of a commit or a look */
        uint8_t handset[HANDSET_ID_SIZE];
        int64_t sent_mono_us, heard_at_ms;
        bool take; /* or closure: waits for a replica */
        uint32_t version;
        int64_t time_ms;
        void (*settled)(void *user, bool known); /* of store_settle; NULL: a commit */
        void *user;
};

/* Takes that are committed and not told yet; store_take.c. */
struct store_takes {
        struct redis_link *link;         /* of their own: WAIT holds it */
        struct store_call *held, *round; /* no WAIT is sent for them yet; one is under way */
        struct wheel_timer look;
        size_t entries;  /* of store_settle, held */
        size_t replicas; /* connected, as last seen */
        bool seen;       /* there were some */
        bool alone;      /* none confirms: takes do not wait until one does again */
        bool waiting;    /* a WAIT is under way */
};

/* What the alerts' Redis said of itself, before it counts as up. */
struct store_looked {
        int64_t epoch;
        bool people;
        char error[120]; /* the first; "" none */
};

struct store_scanning; /* store_duty.c */

struct store {
        struct store_options options;
        struct scripts scripts;
        struct redis_link *alerts, *positions;
        struct store_takes takes;
        unsigned troubles; /* bits of those that are on */
        bool alerts_up, closing;
        bool was_up;
        int64_t epoch;    /* the highest seen */
        bool people_seen; /* the region has people; what has none is another store */
        struct store_looked looked;
        struct wheel_timer rest, clock, failing, calm;
        int64_t clock_sent_ms;
        bool clock_asked; /* its answer is to come */
        struct store_call *failed; /* could not be sent: answered CORE_UNKNOWN in the loop's next turn */
        struct store_scanning *scanning;
        struct log_limit refusals;
        struct store_counts counts;
};

/* store_refused: an answer was an error: say so, and let the alerts' Redis count as away for STORE_REST_MS. */
void store_refused(struct store *store, const char *what, const struct redisReply *reply);

/* store_scan_free: forget a scan under way. */
void store_scan_free(struct store *store);

/* store_trouble: WHAT of STORE_TROUBLES is on, or over; the owner is told of changes. */
void store_trouble(struct store *store, const char *what, bool on);

/* store_cause: the alerts' Redis is away for ERROR, its own or the link's words: that trouble, and no other of its kind, is on.  NULL:
 * it is not away. */
void store_cause(struct store *store, const char *error);

/* store_took: it answered after so many us: slow, or not.  store_calmed: the timer `calm`. */
void store_took(struct store *store, int64_t us);
void store_calmed(struct wheel_timer *timer, int64_t now_mono_ms);

/* store_takes_open, store_takes_close: as store_open and store_close.  store_take_wait: the take CALL is committed: keep its
 * ANSWER until a replica has it.  Returns false where nothing is to be waited for: it can be given. */
int store_takes_open(struct store *store);
void store_takes_close(struct store *store);
bool store_take_wait(struct store_call *call, const struct store_answer *answer);

/* store_give: answer CALL and free it. */
void store_give(struct store_call *call, const struct store_answer *answer);

/* store_unknown: answer CORE_UNKNOWN for CALL and free it. */
void store_unknown(struct store_call *call);

#endif
