/* The run: it holds the core and everything that touches the world, turns what happens into the core's events, does
 * its actions, and says when this process serves.
 *
 *      run.c    comes up, serves, goes down            hear.c   what happens -> core_handle
 *      sync.c   the two Redis: away, loading, up       act.c    core_next -> what is to be done
 *      keep.c   the journal, full disk, compaction     sms_run.c  SMS: dispatcher/sms_door.h in, sms_gate.h out
 *      drain.c  the orderly end                        tech.c   technical notices
 *
 * It is up to serve once the people and open alerts are loaded, or after store.wait without Redis from its snapshot. */
#ifndef DISPATCHER_RUN_H
#define DISPATCHER_RUN_H

#include "dispatcher/config.h"
#include "dispatcher/files.h"

struct loop;
struct run;

/* Redis's clock and ours: so far apart is told as a notice; so far, and the process leaves duty until it is better: it
 * accepts nobody and closes its sessions, which find another; unless another is as far from it. */
#define RUN_CLOCK_WARN_MS  2000
#define RUN_CLOCK_LEAVE_MS 30000
/* Only after so many readings, one a second: by then the others have said whether they are as far. */
#define RUN_CLOCK_READINGS 3
/* After the last sessions are to be closed, their queues and the commits under way have so long; who still waits for a
 * receipt after half of it is closed. */
#define RUN_DRAIN_MS       5000
/* After a load that came to nothing, the next. */
#define RUN_RELOAD_MS      500
#define RUN_SNAPSHOT_MS    60000

struct run_options {
        struct loop *loop;
        const struct config *config; /* borrowed until run_close */
        struct files *files;         /* likewise; its trust list is read again at SIGHUP */
        int ready_fd;                /* gets "PORT\n" when listening, and is closed; -1: none */
};

/* run_open: bind the port, open the journal's folder, begin to connect.  Says on the log what failed.
 *   ret_run  written in any case but -ENOMEM, for run_close
 * Returns 0 or a negative errno. */
int run_open(const struct run_options *options, struct run **ret_run);

/* run_result: why the loop ended: 0 an orderly end, or a negative errno. */
int run_result(const struct run *run);

/* run_close: end all of it; NULL does nothing.  run_free: its memory, after loop_close. */
void run_close(struct run *run);
void run_free(struct run *run);

#endif
