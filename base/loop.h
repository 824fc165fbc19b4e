/* The loop: one libuv loop per process with its signals, its clocks and one timing wheel.  libwebsockets and hiredis
 * run on the same uv loop (loop_uv).  Everything here belongs to the thread that runs the loop, but the clocks. */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <stdint.h>

#include "base/wheel.h"

/* loop_close waits at most so long for handles of others (lws, hiredis) to finish closing. */
#define LOOP_CLOSE_MS 1000

struct loop;
struct uv_loop_s;

/* clock_mono_ms: the monotonic clock (CLOCK_MONOTONIC) in ms: the clock of all timers.  Any thread. */
int64_t clock_mono_ms(void);

/* clock_mono_us: the same in us, for measuring.  Any thread. */
int64_t clock_mono_us(void);

/* clock_utc_ms: UTC since 1970 in ms; it may jump, and is for what people and other machines read.  Any thread. */
int64_t clock_utc_ms(void);

/* loop_open: make the loop, ignore SIGPIPE, take SIGTERM and SIGINT.
 * Returns 0, -ENOMEM or what libuv gives (-EMFILE).  One per process: signals are the process's.  Source: libuv
 * 1.44. */
int loop_open(struct loop **ret_loop);

/* loop_on_stop: what SIGTERM or SIGINT does: call FN (NULL = loop_stop).  It comes in the loop, not in the signal; FN
 * begins an orderly end and calls loop_stop when done.  A second signal ends the loop whatever FN does, unless FN has
 * called this again: then it calls that. */
void loop_on_stop(struct loop *loop, void (*fn)(void *user, int signal), void *user);

/* loop_run: serve until loop_stop.  Returns 0. */
int loop_run(struct loop *loop);

/* loop_stop: make loop_run return after the callback that runs now. */
void loop_stop(struct loop *loop);

/* loop_close: free the loop; NULL does nothing.  The handles of others must be closed or closing: it runs the loop
 * until they are, at most LOOP_CLOSE_MS (then it returns -EBUSY and the loop's memory is left to the process's end).
 * Armed timers are forgotten, not called.  Returns 0 or -EBUSY. */
int loop_close(struct loop *loop);

/* loop_uv: the uv loop, for lws (foreign_loops), uv handles and tests. */
struct uv_loop_s *loop_uv(struct loop *loop);

/* loop_timer_arm: arm TIMER (wheel_timer_init'ed by its owner) for DUE on clock_mono_ms, or move it there.  Never
 * fires early; a time that has passed fires in the loop's next turn.  The timer is borrowed until it fires or is
 * cancelled. */
void loop_timer_arm(struct loop *loop, struct wheel_timer *timer, int64_t due_mono_ms);

/* loop_timer_cancel: disarm; does nothing if TIMER is not armed. */
void loop_timer_cancel(struct loop *loop, struct wheel_timer *timer);

#endif
