/* A hierarchical timing wheel: pure, no clock (time is a parameter), no memory of its own.  Timers are intrusive: the
 * owner embeds a struct wheel_timer.  8 levels of 64 slots of 1, 64, 4096 ... ms; arm and cancel are O(1), a timer is
 * moved at most 7 times before it fires; advancing over empty time costs nothing per ms.  20,000 timers cost their
 * own 40 octets each.  Timers fire in the order of their due times, those of the same ms in the order in which they
 * were armed. */
#ifndef BASE_WHEEL_H
#define BASE_WHEEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WHEEL_LEVELS   8
#define WHEEL_SLOTS    64
/* Times are 0 <= t < 2^48 ms (8,900 years): a later due time is taken as the last one. */
#define WHEEL_TIME_MAX ((INT64_C(1) << 48) - 1)

struct wheel_timer;
/* Called when due.  The timer is no longer armed; it may be armed again, freed, and any other timer armed or
 * cancelled.
 *   now_mono_ms  the time given to wheel_advance, not before the due time */
typedef void wheel_fn(struct wheel_timer *timer, int64_t now_mono_ms);

struct wheel_link {
        struct wheel_link *next, *prev;
};

/* The members are the wheel's; `user` is the owner's, `due_mono_ms` may be read while armed. */
struct wheel_timer {
        struct wheel_link link; /* first: the wheel casts */
        int64_t due_mono_ms;
        wheel_fn *call;
        void *user;
};

struct wheel {
        int64_t now_mono_ms;
        size_t armed;
        uint64_t used[WHEEL_LEVELS]; /* bit per slot; a set bit may be stale, a clear one is not */
        struct wheel_link slot[WHEEL_LEVELS][WHEEL_SLOTS];
        struct wheel_link due; /* armed for a time not after now */
};

/* wheel_init: an empty wheel at NOW.  The struct must not move afterwards (its lists point into it). */
void wheel_init(struct wheel *wheel, int64_t now_mono_ms);

/* wheel_timer_init: set up a timer that is not armed.  Must be called before any other use. */
void wheel_timer_init(struct wheel_timer *timer, wheel_fn *call, void *user);

/* wheel_arm: arm TIMER for DUE, or move it there if it is armed.  A time not after the wheel's now fires in the next
 * wheel_advance (never in the running one: a callback that arms itself for now does not spin). */
void wheel_arm(struct wheel *wheel, struct wheel_timer *timer, int64_t due_mono_ms);

/* wheel_cancel: disarm; does nothing if TIMER is not armed. */
void wheel_cancel(struct wheel *wheel, struct wheel_timer *timer);

/* wheel_timer_is_armed: say whether TIMER waits in a wheel. */
bool wheel_timer_is_armed(const struct wheel_timer *timer);

/* wheel_advance: move time to NOW and call every timer due.  A NOW before the wheel's changes nothing but fires what
 * is due already.  Not to be called from a timer's callback.  Returns how many were called. */
size_t wheel_advance(struct wheel *wheel, int64_t now_mono_ms);

/* wheel_next: when wheel_advance should be called next: never after the first due time; it may be before it (a slot
 * of a higher level begins), then that call fires nothing.  Returns INT64_MAX when nothing is armed. */
int64_t wheel_next(struct wheel *wheel);

#endif
