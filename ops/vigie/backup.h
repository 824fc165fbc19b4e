/* vigie backup: the alerts' Redis into one signed file, while everything runs. */
#ifndef OPS_VIGIE_BACKUP_H
#define OPS_VIGIE_BACKUP_H

#include "ops/vigie/region.h"

/* backup_main: `backup FOLDER`.  Returns the exit status. */
int backup_main(struct region *region, int argc, char **argv);

#endif
