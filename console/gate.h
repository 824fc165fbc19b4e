/* The gate: a login and a password in, a session out.  scrypt runs in libuv's worker threads, at most GATE_SCRYPT_MAX
 * at once, never on the loop's.  An unknown login costs the same time and gets the same answer as a wrong password. */
#ifndef CONSOLE_GATE_H
#define CONSOLE_GATE_H

#include "console/config.h"
#include "console/form.h"
#include "console/limit.h"
#include "console/session.h"
#include "wire/people.h"

struct loop;
struct store;
struct gate;

/* Passwords checked at once: each takes 80 ms and 32 MiB; gate_threads makes libuv keep to it. */
#define GATE_SCRYPT_MAX  "4"
/* Logins under way: those waiting for a thread for at most 1 s.  The next one is told GATE_BUSY. */
#define GATE_WAITING_MAX 48

enum gate_result {
        GATE_OK,
        GATE_WRONG, /* login or password; nobody learns which */
        GATE_WAIT,  /* tried too often: wait_ms */
        GATE_BUSY,  /* GATE_WAITING_MAX are under way, or memory is short */
        GATE_AWAY,  /* the store cannot be asked */
        GATE_ROLE,  /* the password is right, but there is no page for this role */
};

struct gate_answer {
        enum gate_result result;
        int64_t wait_ms;
        char token[SESSION_TOKEN_SIZE]; /* GATE_OK */
        const struct user_entry *entry; /* GATE_OK; borrowed for the call */
};

struct gate_counts {
        uint64_t ok, wrong, limited, failed;
};

/* gate_threads: fix libuv's worker threads at GATE_SCRYPT_MAX.  Call it first in main: libuv reads it once. */
void gate_threads(void);

/* gate_new: CONFIG and STORE are borrowed.  Takes 80 ms (one hash).  Returns 0, -ENOMEM, -EIO. */
int gate_new(struct loop *loop, struct store *store, const struct config *config, struct gate **ret_gate);

/* gate_close: what is under way is answered GATE_BUSY or GATE_AWAY in the loop's next turns; then the memory goes.
 * NULL does nothing. */
void gate_close(struct gate *gate);

/* gate_login: try FORM (copied) from ADDRESS (limit_address).
 *   done  called exactly once with USER, perhaps from within the call */
typedef void gate_fn(void *user, const struct gate_answer *answer);
void gate_login(struct gate *gate, const struct form *form, const char *address, gate_fn *done, void *user);

/* gate_has_page: say whether ROLE has pages here today. */
bool gate_has_page(uint8_t role);

const struct gate_counts *gate_counts(const struct gate *gate);

#endif
