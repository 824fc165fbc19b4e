/* trust_floor: below which no trust list is signed any more: a restore cannot know every number that was. */
#ifndef OPS_VIGIE_TRUST_FLOOR_H
#define OPS_VIGIE_TRUST_FLOOR_H

#include "ops/vigie/region.h"

/* trust_number: the number of the region's trust list, or the floor that a restore left, whichever is higher; 0:
 * neither. */
uint32_t trust_number(const struct region *region);

/* trust_floor: the floor alone; 0: none. */
uint32_t trust_floor(const struct region *region);

/* trust_floor_set: the next list signed has a higher number than NUMBER; a lower floor changes nothing.
 * Returns 0, or a negative errno (told). */
int trust_floor_set(const struct region *region, uint32_t number);

#endif
