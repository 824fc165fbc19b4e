/* vigie retain: what has a term is erased when it ends; a dispute holds it. */
#ifndef OPS_VIGIE_RETAIN_H
#define OPS_VIGIE_RETAIN_H

#include "ops/vigie/region.h"

/* retain_main: `retain`, or `retain --hold ALERT | --release ALERT --reason TEXT --by PERSON --second PERSON`.
 * Returns the exit status. */
int retain_main(struct region *region, int argc, char **argv);

#endif
