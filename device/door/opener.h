/* Opening: a configured command is run, without a shell, with a time-out. */
#ifndef DEVICE_DOOR_OPENER_H
#define DEVICE_DOOR_OPENER_H
#include <sys/types.h>

#include "base/conf.h"

/* Commands that run at once: who comes while the latch is still held starts it anew.  At it the door is being opened
 * by four already: no fifth is started, which is logged. */
#define OPENER_MAX 4

struct opener {
        char *argv[CONF_LIST_MAX + 1]; /* into the configuration */
        int64_t timeout_ms;
        struct {
                pid_t pid; /* 0: free */
                int64_t due_mono_ms;
        } running[OPENER_MAX];
};

/* opener_init: COMMAND is borrowed for ever: the program's path and its arguments. */
void opener_init(struct opener *opener, struct conf_list *command, int64_t timeout_ms);

/* opener_start: begin to open; waits for nothing.  USER is the opener.  Returns 0, -EAGAIN (OPENER_MAX run), fork's
 * errno; each logged.  A command that cannot be run is logged when it ends. */
int opener_start(void *user);

/* opener_tick: log what has ended, kill what is over its time (its whole process group).  Call it at least each
 * second. */
void opener_tick(struct opener *opener);
#endif
