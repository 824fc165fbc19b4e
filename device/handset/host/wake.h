/* wake: one alarm on the clock that goes on while the phone sleeps (CLOCK_BOOTTIME), for the core's timer.  Where
 * we may (CAP_WAKE_ALARM) it wakes the phone; else it is due as soon as the phone is awake again. */
#ifndef DEVICE_HANDSET_HOST_WAKE_H
#define DEVICE_HANDSET_HOST_WAKE_H

#include <stdint.h>

struct loop;
struct wake;

/* clock_boot_ms: CLOCK_BOOTTIME in ms, which is vigie.h's now_mono_ms. */
int64_t clock_boot_ms(void);

/* wake_open: an alarm that is not set; DUE is called from the loop.  Returns 0 or a negative errno. */
int wake_open(struct loop *loop, void (*due)(void *user), void *user, struct wake **ret_wake);

/* wake_at: set it, or move it, to DUE; a time that has passed is due in the loop's next turn, INT64_MAX is never. */
void wake_at(struct wake *wake, int64_t due_boot_ms);

/* wake_close: end; before the loop is closed.  NULL does nothing. */
void wake_close(struct wake *wake);

#endif
