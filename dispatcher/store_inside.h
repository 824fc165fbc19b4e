/* Inside the store: for store.c, store_write.c and store_duty.c alone. */
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
        struct store_call *next; /* in `failed` */
        uint64_t token;
        uint8_t handset[HANDSET_ID_SIZE];
        int64_t sent_mono_us, heard_at_ms;
};

struct store_scanning; /* store_duty.c */

struct store {
        struct store_options options;
        struct scripts scripts;
        struct redis_link *alerts, *positions;
        bool alerts_up, closing;
        int64_t epoch; /* the highest seen; -1 before the first */
        struct wheel_timer rest, clock, failing;
        int64_t clock_sent_ms;
        struct store_call *failed; /* could not be sent: answered CORE_UNKNOWN in the loop's next turn */
        struct store_scanning *scanning;
        struct log_limit refusals;
        struct store_counts counts;
};

/* store_refused: an answer was an error: say so, and let the alerts' Redis count as away for STORE_REST_MS. */
void store_refused(struct store *store, const char *what, const struct redisReply *reply);

/* store_scan_free: forget a scan under way. */
void store_scan_free(struct store *store);

/* store_unknown: answer CORE_UNKNOWN for CALL and free it. */
void store_unknown(struct store_call *call);

#endif
