/* The pass desk's store inside: pass_store.c loads and keeps fresh, pass_write.c writes. */
#ifndef CONSOLE_PASS_STORE_INSIDE_H
#define CONSOLE_PASS_STORE_INSIDE_H

#include "base/log.h"
#include "base/wheel.h"
#include "console/pass_store.h"

/* Octets of one HSET of many fields: half of what a command may have. */
#define PASS_BATCH_SIZE (REDIS_COMMAND_SIZE_MAX / 2)

/* Fields of one hash that go in one command: an edit of 20,000 rows is some hundred commands so, and its answer as many replies. */
struct pass_batch {
        struct redis_args args; /* argc 0: none */
        enum book book;
        bool drops;
        size_t octets;
        char hash[PASS_STORE_KEY_SIZE];
};

struct pass_store {
        struct pass_store_options options;
        struct redis_link *link, *tail, *positions;
        bool ready, loading, tail_waits, closing;
        unsigned number; /* counts loads: answers to an earlier one are told by it */
        char at[48];     /* of people:changes */
        struct wheel_timer rest;
        struct log_limit refused;
        int write_error;
        struct pass_batch batch;
};

#endif
