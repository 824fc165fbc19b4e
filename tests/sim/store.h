/* store: the alerts' Redis, as two instances of which one is the primary.  An instance is the list of what was written to
 * it, and the state that follows; the replica has what was written longer than the lag ago.  A failover makes the replica
 * primary and throws away the rest. */
#ifndef TESTS_SIM_STORE_H
#define TESTS_SIM_STORE_H

#include "dispatcher/core.h"
#include "tests/sim/ids.h"

#define STORE_ALERTS_MAX  4096
#define STORE_NOTICES_MAX 128
#define STORE_DUTY_MAX    16
#define STORE_STALE_MS \
        3000 /* min-replicas-max-lag 2 of ops/redis/alerts-member.conf, and the second between two looks */
#define STORE_REST_MS      250  /* likewise */
#define STORE_WAIT_MS      1000 /* of the dispatcher's store.h */
#define STORE_OPS_MAX      262144
#define STORE_COMMANDS_MAX 16384

enum op_kind { OP_COMMIT = 1, OP_NOTICE, OP_DUTY, OP_ANSWER, OP_COMMAND, OP_ACK };

/* One write.  Never changed; shared by the instances. */
struct op {
        enum op_kind kind;
        int64_t at_ms; /* true time */
        unsigned uses;
        uint64_t number; /* for the trace */
        uint8_t id[ALERT_ID_SIZE];
        uint32_t version;
        uint8_t event, state;
        int64_t due_ms;
        double urgency;
        bool closed, on;
        struct tombstone tombstone;
        size_t gone_count;
        uint8_t gone[1 + RECORD_ALIASES_MAX][ALERT_ID_SIZE];
        char key[NAME_MAX_OCTETS + 1];
        struct notice notice;
        struct duty_entry duty;
        struct command command;
        uint64_t ref;
        uint8_t code;
        size_t len, alert_len;
        uint8_t octets[]; /* the record, then the signed alert */
};

struct stored {
        uint8_t id[ALERT_ID_SIZE];
        uint32_t version;
        int64_t due_ms;
        bool closed;
        const struct op *last;
        struct record *record; /* of `last`, once store_record() was asked */
        bool decoded;
};

struct grave {
        uint8_t id[ALERT_ID_SIZE];
        struct tombstone tombstone;
        int64_t at_ms; /* when it was put here */
};

struct instance {
        int64_t skew_ms; /* its clock's */
        int64_t epoch;
        struct op **ops; /* the feed too: those a tail sees are commits, notices, duty */
        size_t op_count;
        struct ids alert_ids, grave_ids;
        struct stored alerts[STORE_ALERTS_MAX];
        size_t alert_count;
        struct grave graves[STORE_ALERTS_MAX];
        const struct op *notices[STORE_NOTICES_MAX], *duty[STORE_DUTY_MAX]; /* the last of each key */
        size_t notice_count, duty_count;
        struct {
                const struct op *op;
                int64_t given_ms; /* to a dispatcher; 0 not yet */
                bool acked;
        } commands[STORE_COMMANDS_MAX];
        size_t command_count, command_first; /* those before are acknowledged */
};

struct region_store {
        struct instance instances[2];
        unsigned primary;
        bool away, sick;
        uint64_t refs, ops;
        int64_t stale_until_ms; /* who is primary no more and has no replica left takes no write from then on */
        unsigned generation;    /* an alert that an instance has stays there in the same generation */
};

struct sim;
struct happening;

/* store_record: the record of S, read once. */
const struct record *store_record(struct stored *s);
struct stored *store_find(struct instance *in, const uint8_t id[ALERT_ID_SIZE]);
const struct grave *store_grave(const struct instance *in, const uint8_t id[ALERT_ID_SIZE]);

/* store_write: OP (taken) happens to instance NUMBER; its followers are told. */
void store_write(struct sim *sim, unsigned number, struct op *op);
struct op *store_op(struct sim *sim, enum op_kind kind, struct cbor_span record, struct cbor_span alert);

/* store_do: ACTION of PROCESS, which is connected, arrives at its instance. */
void store_do(struct sim *sim, unsigned process, const struct core_action *action);

/* store_is_refusing: instance NUMBER answers writes with an error: full, read only, loading; a primary that has lost its replicas. */
bool store_is_refusing(const struct sim *sim, unsigned number);

/* store_wait_ms: how long WAIT takes for what is written now to instance NUMBER. */
int64_t store_wait_ms(struct sim *sim, unsigned number);

/* store_failover: the replica becomes primary.  store_demote: the old one is its copy. */
void store_failover(struct sim *sim);
void store_demote(struct sim *sim);
void store_commands(struct sim *sim); /* give them to dispatchers */
/* store_forget: what IT brings to the store, if it does, never arrives. */
void store_forget(struct happening *it);
void store_free(struct region_store *store);

/* store_now_ms: TIME of instance NUMBER. */
int64_t store_now_ms(const struct sim *sim, unsigned number);

#endif
