/* vigie restore: a backup and what the archive has beyond it, into an empty Redis. */
#ifndef OPS_VIGIE_RESTORE_H
#define OPS_VIGIE_RESTORE_H

#include "ops/vigie/region.h"

/* restore_main: `restore BACKUP [--over] [--without-archive]`.  Returns the exit status. */
int restore_main(struct region *region, int argc, char **argv);

#endif
