/* The brake on guessing passwords: who failed waits, longer each time.  Pure; the table's size is fixed.
 *
 * Three counts per attempt: this login from this address (strict: it is the guesser), the address alone and the login
 * alone (mild: a whole office may share an address, and nobody shall be able to lock a control room out by guessing at
 * its name). */
#ifndef CONSOLE_LIMIT_H
#define CONSOLE_LIMIT_H

#include <stdint.h>

/* Counts kept: 1,300 guessers at a time.  When full the one untouched for longest gives its place. */
#define LIMIT_ENTRIES        4096
/* A count is forgotten so long after its last failure. */
#define LIMIT_FORGET_MS      (15 * 60 * 1000)
/* Failures that cost nothing, and the longest wait: 1 s after the first that costs, doubled each time. */
#define LIMIT_PAIR_FREE      4
#define LIMIT_PAIR_MAX_MS    60000
#define LIMIT_ADDRESS_FREE   50
#define LIMIT_ADDRESS_MAX_MS 10000
#define LIMIT_LOGIN_FREE     20
#define LIMIT_LOGIN_MAX_MS   4000

struct limit;

/* limit_new: an empty table.  SEED is random: names cannot be made to fall on one place.  Returns 0 or -ENOMEM. */
int limit_new(uint64_t seed, struct limit **ret_limit);
void limit_free(struct limit *limit);

/* limit_address: what of a peer's address counts: an IPv4 one whole (also mapped into IPv6), of an IPv6 one the first
 * 64 bits, since one subscriber has them all.  TEXT that is no address is taken as it is.
 *   out  LIMIT_ADDRESS_SIZE octets */
#define LIMIT_ADDRESS_SIZE 48
void limit_address(const char *text, char out[LIMIT_ADDRESS_SIZE]);

/* limit_attempt: may LOGIN be tried from ADDRESS now?  Counts the attempt as a failure at once, so that many at a time
 * are no way round; limit_success takes that back.
 * Returns 0, or how many ms to wait (then nothing was counted). */
int64_t limit_attempt(struct limit *limit, const char *login, const char *address, int64_t now_mono_ms);

/* limit_success: the password was right: forget the failures of this login, and of it at this address; the address's
 * own count only loses this attempt. */
void limit_success(struct limit *limit, const char *login, const char *address);

#endif
