/* The scan under choosing: how far everyone is, as squared chords of the unit sphere, and who is nearest.  Inside geo/
 * only.  Pure, no heap: works in the roster's scratch space. */
#ifndef GEO_NEAREST_H
#define GEO_NEAREST_H

#include <stddef.h>

#include "geo/position.h"
#include "geo/roster_rows.h"

/* nearest_chord2: the squared chord from AT to record NUMBER: 0..4; 49 and more without a fix; infinite where there is
 * no record.  The same bits as in block_min and near. */
static inline float nearest_chord2(const struct roster *roster, size_t number, const struct unit_vector *at)
{
        float dx = roster->x[number] - at->x, dy = roster->y[number] - at->y, dz = roster->z[number] - at->z;

        return dx * dx + dy * dy + dz * dz;
}

/* nearest_measure: fill roster->block_min with the least squared chord from AT of each block.  0.3 ns a record. */
void nearest_measure(struct roster *roster, const struct unit_vector *at);

/* nearest_find: after nearest_measure: fill roster->near with everyone up to some squared chord, nearest first: at
 * least WANTED (or all there are), and few more unless many stand at one distance.
 *   ret_near2  that squared chord: whoever is not in the list is further
 * Returns how many. */
size_t nearest_find(struct roster *roster, const struct unit_vector *at, size_t wanted, float *ret_near2);

#endif
