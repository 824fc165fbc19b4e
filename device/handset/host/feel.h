/* feel: how a Linux phone vibrates and rings: a command of the device's own (feedbackd's fbcli, a script), run as
 * `COMMAND vibrate PATTERN` and `COMMAND ring LEVEL`.  One at a time: while one runs, only the newest waits. */
#ifndef DEVICE_HANDSET_HOST_FEEL_H
#define DEVICE_HANDSET_HOST_FEEL_H

struct feel;
struct loop;

/* feel_open: COMMAND is borrowed; "" = nothing is run.  Returns 0, -ENOMEM. */
int feel_open(struct loop *loop, const char *command, struct feel **ret_feel);

/* feel_vibrate: PATTERN as view_pattern_name() gives it.  feel_ring: LEVEL 0 stop, 1 ring, 2 loudest. */
void feel_vibrate(struct feel *feel, const char *pattern);
void feel_ring(struct feel *feel, int level);

/* feel_close: run no more; NULL does nothing. */
void feel_close(struct feel *feel);

#endif
