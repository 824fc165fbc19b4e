/* Shapes: the outlines of zones as GEOS keeps them, a tree of their boxes, and what is asked of them.  Inside geo/
 * only; zone.h is what others use.  The one place that calls GEOS; its handle serves one thread at a time. */
#ifndef GEO_SHAPE_H
#define GEO_SHAPE_H

#include <stdbool.h>
#include <stddef.h>

#include "geo/geojson.h"
#include "geo/position.h"

struct shapes;

/* A short list of shape numbers, ascending.  Full, it keeps the lowest. */
struct shape_list {
        size_t *numbers; /* the caller's, of MAX */
        size_t max, count;
};

/* shapes_new: room for CAPACITY shapes.  Returns 0, -ENOMEM, -EIO.  Freed by shapes_free. */
int shapes_new(size_t capacity, struct shapes **ret_shapes);
void shapes_free(struct shapes *shapes);

/* shapes_add: the next shape, numbered from 0, of a feature that is a Polygon or a MultiPolygon; see zones_read.
 * Returns 0, -EBADMSG (refused), -ENOMEM, -EIO; ret_error is written on each. */
int shapes_add(struct shapes *shapes, const struct geojson_feature *feature, struct geo_error *ret_error);

/* shapes_build: after the last shapes_add and before any question: the tree, by a first query (GEOS ignores whatever
 * is inserted later).  Returns 0, -EIO. */
int shapes_build(struct shapes *shapes);

/* shapes_at: the numbers of all shapes that cover AT (valid); a boundary is inside.  Returns 0, -EIO. */
int shapes_at(const struct shapes *shapes, const struct position *at, struct shape_list *ret_list);

/* shape_covers: the same for one shape.  Returns 0, -EIO. */
int shape_covers(const struct shapes *shapes, size_t number, const struct position *at, bool *ret_inside);

/* shape_neighbours: the numbers of all other shapes that touch or overlap shape NUMBER or come within DISTANCE_M of it,
 * the antimeridian no obstacle; along the meridian up to 1 / cos(latitude) further.  Returns 0, -EIO. */
int shape_neighbours(const struct shapes *shapes, size_t number, double distance_m, struct shape_list *ret_list);

#endif
