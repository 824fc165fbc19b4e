#include "geo/shape.h"

#include <errno.h>
#include <geos_c.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* GEOS's own default: boxes per node of the tree. */
#define TREE_NODE 10
/* One degree of latitude is never shorter. */
#define DEGREE_M  110574.0
/* Near the poles (87 degrees) a degree of longitude is taken as no shorter than this part of it. */
#define COS_MIN   0.05

struct box {
        double west, south, east, north;
};

struct shape {
        size_t number;
        struct box box;
        double degree_m; /* the shortest degree of its box: of longitude, at the end nearer a pole */
        GEOSGeometry *outline;
        const GEOSPreparedGeometry *prepared; /* of outline: freed before it */
};

struct shapes {
        GEOSContextHandle_t geos;
        char reason[160]; /* the last exception GEOS told of */
        GEOSSTRtree *tree;
        size_t capacity, count;
        struct shape *all; /* never moved: the tree points into it */
};

/* What a query of the tree looks for, and what it found. */
struct query {
        const struct shapes *shapes;
        const GEOSGeometry *geometry;
        const GEOSPreparedGeometry *prepared;
        const struct shape *shape;
        double distance_m;
        struct shape_list *list;
        int result;
};

static void keep_reason(const char *message, void *user)
{
        struct shapes *s = user;

        strncpy(s->reason, message, sizeof(s->reason) - 1);
}

int shapes_new(size_t capacity, struct shapes **ret_shapes)
{
        struct shapes *s = calloc(1, sizeof(*s));
        int r = -ENOMEM;

        if (s == NULL)
                return r;
        s->capacity = capacity;
        s->all = calloc(capacity + 1, sizeof(*s->all));
        s->geos = GEOS_init_r();
        if (s->all == NULL || s->geos == NULL)
                goto out;
        GEOSContext_setErrorMessageHandler_r(s->geos, keep_reason, s);
        s->tree = GEOSSTRtree_create_r(s->geos, TREE_NODE);
        r = s->tree != NULL ? 0 : -EIO;
        if (r < 0)
                goto out;
        *ret_shapes = s;
        s = NULL; /* handed over */
out:
        shapes_free(s);
        return r;
}

void shapes_free(struct shapes *shapes)
{
        if (shapes == NULL)
                return;
        for (size_t i = 0; i < shapes->count; i++) {
                if (shapes->all[i].prepared != NULL)
                        GEOSPreparedGeom_destroy_r(shapes->geos, shapes->all[i].prepared);
                GEOSGeom_destroy_r(shapes->geos, shapes->all[i].outline);
        }
        if (shapes->tree != NULL)
                GEOSSTRtree_destroy_r(shapes->geos, shapes->tree);
        if (shapes->geos != NULL)
                GEOS_finish_r(shapes->geos);
        free(shapes->all);
        free(shapes);
}

/* ---- from GeoJSON to GEOS ---- */

/* Say that GEOS failed; what it said is in reason. */
static int geos_failed(const struct shapes *s, const struct geojson_feature *feature, struct geo_error *error)
{
        geojson_refuse(error, feature, "GEOS: %s", s->reason);
        return -EIO;
}

static int ring_make(struct shapes *s, const struct geojson_feature *feature, const json_t *array,
                     struct geo_error *error, GEOSGeometry **ret_ring)
{
        struct geojson_line line = { 0 };
        GEOSCoordSequence *sequence;
        int r = geojson_positions(feature, array, 4, error, &line);

        if (r < 0)
                return r;
        if (memcmp(&line.points[0], &line.points[line.count - 1], sizeof(*line.points)) != 0)
                r = geojson_refuse(error, feature, "a ring is not closed: its first and last positions differ");
        if (r < 0)
                goto out;
        sequence = GEOSCoordSeq_create_r(s->geos, (unsigned)line.count, 2);
        for (size_t i = 0; sequence != NULL && i < line.count; i++)
                if (GEOSCoordSeq_setXY_r(s->geos, sequence, (unsigned)i, line.points[i].lon_deg,
                                         line.points[i].lat_deg) == 0)
                        r = geos_failed(s, feature, error);
        *ret_ring = sequence != NULL ? GEOSGeom_createLinearRing_r(s->geos, sequence) : NULL; /* takes sequence */
        if (*ret_ring == NULL)
                r = geos_failed(s, feature, error);
out:
        free(line.points);
        return r;
}

static void geometries_free(struct shapes *s, GEOSGeometry **list, size_t count)
{
        for (size_t i = 0; list != NULL && i < count; i++)
                if (list[i] != NULL)
                        GEOSGeom_destroy_r(s->geos, list[i]);
        free(list);
}

static int polygon_make(struct shapes *s, const struct geojson_feature *feature, const json_t *array,
                        struct geo_error *error, GEOSGeometry **ret_polygon)
{
        size_t count = json_array_size(array);
        GEOSGeometry **rings = NULL;
        int r = 0;

        if (count < 1)
                return geojson_refuse(error, feature, "a polygon is a list of one ring or more");
        rings = calloc(count, sizeof(*rings));
        if (rings == NULL)
                return -ENOMEM;
        for (size_t i = 0; i < count && r == 0; i++)
                r = ring_make(s, feature, json_array_get(array, i), error, &rings[i]);
        if (r < 0)
                goto out;
        *ret_polygon = GEOSGeom_createPolygon_r(s->geos, rings[0], rings + 1, (unsigned)count - 1);
        if (*ret_polygon == NULL)
                r = geos_failed(s, feature, error);
        count = 0; /* the polygon has taken them, or GEOS has freed them */
out:
        geometries_free(s, rings, count);
        return r;
}

static int multipolygon_make(struct shapes *s, const struct geojson_feature *feature, struct geo_error *error,
                             GEOSGeometry **ret_outline)
{
        size_t count = json_array_size(feature->coordinates);
        GEOSGeometry **polygons = NULL;
        int r = 0;

        if (count < 1)
                return geojson_refuse(error, feature, "a MultiPolygon of no polygon");
        polygons = calloc(count, sizeof(*polygons));
        if (polygons == NULL)
                return -ENOMEM;
        for (size_t i = 0; i < count && r == 0; i++)
                r = polygon_make(s, feature, json_array_get(feature->coordinates, i), error, &polygons[i]);
        if (r < 0)
                goto out;
        *ret_outline = GEOSGeom_createCollection_r(s->geos, GEOS_MULTIPOLYGON, polygons, (unsigned)count);
        if (*ret_outline == NULL)
                r = geos_failed(s, feature, error);
        count = 0; /* taken, as above */
out:
        geometries_free(s, polygons, count);
        return r;
}

/* Refuse what GEOS calls invalid, with its reason and the place. */
static int outline_check(struct shapes *s, const struct geojson_feature *feature, const GEOSGeometry *outline,
                         struct geo_error *error)
{
        GEOSGeometry *place = NULL;
        char *reason = NULL;
        double x = NAN, y = NAN;
        char valid = GEOSisValidDetail_r(s->geos, outline, 0, &reason, &place);
        int r = 0;

        if (valid == 0 && place != NULL && GEOSGeomGetX_r(s->geos, place, &x) == 1)
                GEOSGeomGetY_r(s->geos, place, &y);
        if (valid == 0)
                r = geojson_refuse(error, feature, "not a valid outline: %s at latitude %.7g, longitude %.7g",
                                   reason != NULL ? reason : "?", y, x);
        else if (valid != 1)
                r = geos_failed(s, feature, error);
        if (reason != NULL)
                GEOSFree_r(s->geos, reason);
        if (place != NULL)
                GEOSGeom_destroy_r(s->geos, place);
        return r;
}

int shapes_add(struct shapes *shapes, const struct geojson_feature *feature, struct geo_error *ret_error)
{
        struct shape shape = { .number = shapes->count };
        struct box *box = &shape.box;
        int r;

        if (shapes->count >= shapes->capacity)
                return geojson_refuse(ret_error, feature, "more than %zu zones", shapes->capacity);
        geojson_refuse(ret_error, feature, "out of memory");
        if (strcmp(feature->type, "Polygon") == 0)
                r = polygon_make(shapes, feature, feature->coordinates, ret_error, &shape.outline);
        else if (strcmp(feature->type, "MultiPolygon") == 0)
                r = multipolygon_make(shapes, feature, ret_error, &shape.outline);
        else
                r = geojson_refuse(ret_error, feature, "neither a Polygon nor a MultiPolygon");
        if (r < 0)
                return r;
        r = outline_check(shapes, feature, shape.outline, ret_error);
        if (r == 0)
                shape.prepared = GEOSPrepare_r(shapes->geos, shape.outline);
        if (r == 0 && (shape.prepared == NULL || GEOSGeom_getExtent_r(shapes->geos, shape.outline, &box->west,
                                                                      &box->south, &box->east, &box->north) == 0))
                r = geos_failed(shapes, feature, ret_error);
        shape.degree_m = DEGREE_M * fmax(COS_MIN, cos(fmax(fabs(box->south), fabs(box->north)) * M_PI / 180));
        shapes->all[shapes->count++] = shape; /* from here shapes_free frees it */
        return r;
}

/* ---- questions ---- */

static void list_put(struct shape_list *list, size_t number)
{
        size_t at = 0;

        while (at < list->count && list->numbers[at] < number)
                at++;
        if (at == list->max || (at < list->count && list->numbers[at] == number))
                return;
        if (list->count < list->max)
                list->count++;
        memmove(&list->numbers[at + 1], &list->numbers[at], (list->count - 1 - at) * sizeof(*list->numbers));
        list->numbers[at] = number;
}

static bool box_holds(const struct box *box, const struct position *at)
{
        return at->lon_deg >= box->west && at->lon_deg <= box->east && at->lat_deg >= box->south &&
               at->lat_deg <= box->north;
}

/* A point of no size is covered where it is met, and meeting is what GEOS answers quickest. */
static void met(void *item, void *user)
{
        const struct shape *shape = item;
        struct query *q = user;
        char yes = GEOSPreparedIntersects_r(q->shapes->geos, shape->prepared, q->geometry);

        if (yes == 2)
                q->result = -EIO;
        else if (yes == 1)
                list_put(q->list, shape->number);
}

/* The greater of the two degrees, so that two shapes say the same of each other. */
static void came_near(void *item, void *user)
{
        const struct shape *shape = item;
        struct query *q = user;
        double distance_deg = q->distance_m / fmax(shape->degree_m, q->shape->degree_m);
        char yes;

        if (shape == q->shape)
                return;
        yes = GEOSPreparedIntersects_r(q->shapes->geos, q->prepared, shape->outline); /* quick, and mostly true */
        if (yes == 0)
                yes = GEOSPreparedDistanceWithin_r(q->shapes->geos, q->prepared, shape->outline, distance_deg);
        if (yes == 2)
                q->result = -EIO;
        else if (yes == 1)
                list_put(q->list, shape->number);
}

static int tree_ask(struct query *q, GEOSQueryCallback callback)
{
        if (q->geometry == NULL)
                return -EIO;
        GEOSSTRtree_query_r(q->shapes->geos, q->shapes->tree, q->geometry, callback, q);
        return q->result;
}

int shapes_build(struct shapes *shapes)
{
        static const struct position anywhere = { 0, 0 };
        struct shape_list none = { NULL, 0, 0 };

        shapes->reason[0] = '\0';
        for (size_t i = 0; i < shapes->count; i++)
                GEOSSTRtree_insert_r(shapes->geos, shapes->tree, shapes->all[i].outline, &shapes->all[i]);
        return shapes->reason[0] == '\0' ? shapes_at(shapes, &anywhere, &none) : -EIO;
}

static int ask_at(const struct shapes *shapes, double lat_deg, double lon_deg, struct shape_list *list)
{
        GEOSGeometry *point = GEOSGeom_createPointFromXY_r(shapes->geos, lon_deg, lat_deg);
        struct query q = { .shapes = shapes, .geometry = point, .list = list };
        int r = tree_ask(&q, met);

        if (point != NULL)
                GEOSGeom_destroy_r(shapes->geos, point);
        return r;
}

int shapes_at(const struct shapes *shapes, const struct position *at, struct shape_list *ret_list)
{
        int r;

        ret_list->count = 0;
        r = ask_at(shapes, at->lat_deg, at->lon_deg, ret_list);
        if (r == 0 && fabs(at->lon_deg) == 180) /* the same place, reached the other way round */
                r = ask_at(shapes, at->lat_deg, -at->lon_deg, ret_list);
        return r;
}

static int ask_shape(const struct shapes *shapes, const struct shape *shape, const struct position *at,
                     bool *ret_inside)
{
        GEOSGeometry *point;
        char yes;

        *ret_inside = false;
        if (!box_holds(&shape->box, at))
                return 0;
        point = GEOSGeom_createPointFromXY_r(shapes->geos, at->lon_deg, at->lat_deg);
        if (point == NULL)
                return -EIO;
        yes = GEOSPreparedIntersects_r(shapes->geos, shape->prepared, point);
        GEOSGeom_destroy_r(shapes->geos, point);
        *ret_inside = yes == 1;
        return yes == 2 ? -EIO : 0;
}

int shape_covers(const struct shapes *shapes, size_t number, const struct position *at, bool *ret_inside)
{
        const struct position other = { at->lat_deg, -at->lon_deg };
        bool inside;
        int r = ask_shape(shapes, &shapes->all[number], at, &inside);

        if (r == 0 && !inside && fabs(at->lon_deg) == 180)
                r = ask_shape(shapes, &shapes->all[number], &other, &inside);
        if (r == 0)
                *ret_inside = inside;
        return r;
}

/* Ask the tree for the box of the shape, moved east by SHIFT_DEG and grown by the distance. */
static int ask_near(struct query *q, double shift_deg)
{
        const struct box *box = &q->shape->box;
        double more_deg = q->distance_m / q->shape->degree_m;
        GEOSGeometry *area =
                GEOSGeom_createRectangle_r(q->shapes->geos, box->west + shift_deg - more_deg, box->south - more_deg,
                                           box->east + shift_deg + more_deg, box->north + more_deg);
        int r;

        q->geometry = area;
        r = tree_ask(q, came_near);
        if (area != NULL)
                GEOSGeom_destroy_r(q->shapes->geos, area);
        return r;
}

static int shift_east(double *x, double *y, void *user)
{
        const double *shift_deg = user;

        *x += *shift_deg;
        return 1;
}

/* The same shape once more, seen from the other side of the antimeridian. */
static int ask_near_shifted(struct query *q, double shift_deg)
{
        GEOSContextHandle_t geos = q->shapes->geos;
        GEOSGeometry *outline = GEOSGeom_transformXY_r(geos, q->shape->outline, shift_east, &shift_deg);
        int r = -EIO;

        q->prepared = outline != NULL ? GEOSPrepare_r(geos, outline) : NULL;
        if (q->prepared != NULL) {
                r = ask_near(q, shift_deg);
                GEOSPreparedGeom_destroy_r(geos, q->prepared);
        }
        if (outline != NULL)
                GEOSGeom_destroy_r(geos, outline);
        return r;
}

int shape_neighbours(const struct shapes *shapes, size_t number, double distance_m, struct shape_list *ret_list)
{
        const struct shape *shape = &shapes->all[number];
        double more_deg = distance_m / shape->degree_m;
        struct query q = { .shapes = shapes,
                           .shape = shape,
                           .distance_m = distance_m,
                           .list = ret_list,
                           .prepared = shape->prepared };
        int r;

        ret_list->count = 0;
        r = ask_near(&q, 0);
        if (r == 0 && shape->box.west <= -180 + more_deg)
                r = ask_near_shifted(&q, 360);
        if (r == 0 && shape->box.east >= 180 - more_deg)
                r = ask_near_shifted(&q, -360);
        return r;
}
