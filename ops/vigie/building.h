/* building: what other commands know of buildings. */
#ifndef OPS_VIGIE_BUILDING_H
#define OPS_VIGIE_BUILDING_H

#include "ops/vigie/region.h"
#include "wire/desk.h"

/* Octets of an id as text, with its NUL. */
#define BUILDING_ID_TEXT (2 * BUILDING_ID_SIZE + 1)

/* building_find: the entry of the building that WORD, 16 hex digits, names; its octets to ID.
 * Returns 0, -EINVAL (no id), -ENOENT, -EBADMSG, what Redis gave: told on stderr. */
int building_find(struct region *region, const char *word, uint8_t id[BUILDING_ID_SIZE],
                  struct building_entry *ret_entry);

/* round_stops: the verb `stops` of `round`; building_import: `import` of `building`.  Return the exit status. */
int round_stops(struct region *region, const void *of, int argc, char **argv);
int building_import(struct region *region, const void *of, int argc, char **argv);

/* building_main: add, list, import FILE, remove ID. */
int building_main(struct region *region, int argc, char **argv);

#endif
