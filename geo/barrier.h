/* Barriers: lines that a way cannot cross as the crow flies (river, motorway, railway).  Pure.
 * Crossing is decided in whole 1e-7 degrees: exact, without heap, and at no cost where no barrier is near. */
#ifndef GEO_BARRIER_H
#define GEO_BARRIER_H

#include "geo/geojson.h"
#include "geo/position.h"

/* How much longer a way is that crosses: 1..20.  Outside is refused. */
#define BARRIER_PENALTY_MAX     20.0
#define BARRIER_PENALTY_DEFAULT 3.0

struct barriers;

/* barriers_read: all barriers of TEXT (GeoJSON, see geojson.h), or none at all.  Geometry: LineString or
 * MultiLineString, lines of at least 2 positions, no edge over 180 degrees of longitude.  Properties, optional, others
 * ignored: `name` (or `nom`), for errors; `penalty`, a number 1..BARRIER_PENALTY_MAX.
 *   ret_barriers  freed by barriers_free
 *   ret_error     written on failure only: the feature and the rule
 * Returns 0, -EBADMSG (refused), -EFBIG (a bound), -ENOMEM.  Source: RFC 7946. */
int barriers_read(const char *text, size_t length, struct barriers **ret_barriers, struct geo_error *ret_error);
void barriers_free(struct barriers *barriers);

/* barriers_penalty: the largest penalty of the barriers that the straight line between two valid positions meets, or
 * 1.  Not their product: a river that winds, or the motorway beside it, is one detour.  Straight means straight in
 * longitude and latitude, the short way round the globe; touching a barrier is meeting it.  barriers NULL: 1.
 * About 0.1 us where no barrier is near.  No heap. */
double barriers_penalty(const struct barriers *barriers, const struct position *from, const struct position *to);

#endif
