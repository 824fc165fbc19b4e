/* feel: how a Linux phone vibrates and rings: a command of the device's own (feedbackd's fbcli, a script), run as
 * `COMMAND vibrate PATTERN` and `COMMAND ring LEVEL`.  It is to begin and return.  One runs at a time: meanwhile
 * only the newest of each waits, ringing first. */
#ifndef DEVICE_HANDSET_HOST_FEEL_H
#define DEVICE_HANDSET_HOST_FEEL_H

struct feel;
struct loop;

/* A command that runs so long is killed: what waits behind it may be an alert that must ring. */
#define FEEL_TERM_MS 10000

/* feel_open: COMMAND is borrowed; "" = nothing is run.  Returns 0, -ENOMEM. */
int feel_open(struct loop *loop, const char *command, struct feel **ret_feel);

/* feel_vibrate: PATTERN as view_pattern_name() gives it. */
void feel_vibrate(struct feel *feel, const char *pattern);

/* feel_ring: LEVEL 0 stop, 1 ring, 2 loudest. */
void feel_ring(struct feel *feel, int level);

/* feel_close: run no more; what runs goes on by itself.  Before the loop is closed, which frees the rest.  NULL
 * does nothing. */
void feel_close(struct feel *feel);

#endif
