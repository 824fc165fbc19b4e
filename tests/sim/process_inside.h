/* What the files of a dispatcher do for each other. */
#ifndef TESTS_SIM_PROCESS_INSIDE_H
#define TESTS_SIM_PROCESS_INSIDE_H

#include "tests/sim/sim.h"

/* process_append: do what DO_APPEND asks.  process_forget_appended: what was appended is in the file, and counted from there. */
void process_append(struct sim *sim, unsigned number, const struct core_action *action);
void process_forget_appended(struct process *process);

/* process_look_at_disk: tell the core what became of a full disk. */
void process_look_at_disk(struct sim *sim, struct happening *it);

/* process_serve: read the journal, let handsets in; once. */
void process_serve(struct sim *sim, unsigned number);

#endif
