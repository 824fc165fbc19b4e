#include "geo/barrier.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Segments under one box: few enough to try them all, enough that boxes are few. */
#define BLOCK_SEGMENTS 16
/* Once round the globe, in 1e-7 degrees. */
#define ROUND_E7       (360 * (int64_t)POSITION_E7)

/* In 1e-7 degrees; 64 bits so that differences and a turn round the globe fit. */
struct point {
        int64_t x, y;
};

struct segment {
        struct point a, b;
};

struct box {
        struct point low, high;
};

struct block {
        struct box box;
        size_t first, count; /* segments */
};

struct barrier {
        struct box box;
        double penalty;
        size_t first, count; /* blocks */
};

struct barriers {
        struct barrier *all;
        size_t count;
        struct block *blocks;
        size_t block_count, block_room;
        struct segment *segments;
        size_t segment_count, segment_room;
};

static int64_t low_of(int64_t a, int64_t b)
{
        return a < b ? a : b;
}

static int64_t high_of(int64_t a, int64_t b)
{
        return a > b ? a : b;
}

static struct box box_of(const struct segment *s)
{
        return (struct box){ { low_of(s->a.x, s->b.x), low_of(s->a.y, s->b.y) },
                             { high_of(s->a.x, s->b.x), high_of(s->a.y, s->b.y) } };
}

static void box_grow(struct box *box, const struct box *by)
{
        box->low = (struct point){ low_of(box->low.x, by->low.x), low_of(box->low.y, by->low.y) };
        box->high = (struct point){ high_of(box->high.x, by->high.x), high_of(box->high.y, by->high.y) };
}

static bool boxes_meet(const struct box *a, const struct box *b)
{
        return a->low.x <= b->high.x && b->low.x <= a->high.x && a->low.y <= b->high.y && b->low.y <= a->high.y;
}

/* On which side of the line a-b lies p: -1, 0 (on it), 1.  Products need 69 bits. */
static int side(const struct segment *s, const struct point *p)
{
        __int128 turn = (__int128)(s->b.x - s->a.x) * (p->y - s->a.y) - (__int128)(s->b.y - s->a.y) * (p->x - s->a.x);

        return (turn > 0) - (turn < 0);
}

/* Of two segments whose boxes meet: whether they have a point in common. */
static bool segments_meet(const struct segment *s, const struct segment *t)
{
        return side(s, &t->a) * side(s, &t->b) <= 0 && side(t, &s->a) * side(t, &s->b) <= 0;
}

/* ---- reading ---- */

/* LIST, of elements of SIZE, with room for one more than COUNT: itself or a larger copy; NULL without memory. */
static void *with_room(void *list, size_t size, size_t count, size_t *room)
{
        size_t more = *room > 0 ? 2 * *room : 64;

        if (count < *room)
                return list;
        list = realloc(list, more * size);
        if (list != NULL)
                *room = more;
        return list;
}

static struct block *block_new(struct barriers *all, struct barrier *barrier, const struct box *box)
{
        struct block *blocks = with_room(all->blocks, sizeof(*blocks), all->block_count, &all->block_room);

        if (blocks == NULL)
                return NULL;
        all->blocks = blocks;
        blocks[all->block_count] = (struct block){ *box, all->segment_count, 0 };
        if (barrier->count++ == 0)
                barrier->box = *box;
        return &blocks[all->block_count++];
}

static int add_segment(struct barriers *all, struct barrier *barrier, struct segment segment)
{
        struct segment *segments = with_room(all->segments, sizeof(segment), all->segment_count, &all->segment_room);
        struct block *last = barrier->count > 0 ? &all->blocks[all->block_count - 1] : NULL;
        struct box box = box_of(&segment);

        if (segments == NULL)
                return -ENOMEM;
        all->segments = segments;
        if (last == NULL || last->count == BLOCK_SEGMENTS)
                last = block_new(all, barrier, &box);
        if (last == NULL)
                return -ENOMEM;
        box_grow(&last->box, &box);
        box_grow(&barrier->box, &box);
        last->count++;
        segments[all->segment_count++] = segment;
        return 0;
}

static struct point point_of(const struct position *at)
{
        return (struct point){ degrees_to_e7(at->lon_deg), degrees_to_e7(at->lat_deg) };
}

static int read_line(struct barriers *all, struct barrier *barrier, const struct geojson_feature *feature,
                     const json_t *array, struct geo_error *error)
{
        struct geojson_line line = { 0 };
        int r = geojson_positions(feature, array, 2, error, &line);

        for (size_t i = 1; i < line.count && r == 0; i++) {
                struct segment s = { point_of(&line.points[i - 1]), point_of(&line.points[i]) };

                if (llabs(s.a.x - s.b.x) == ROUND_E7) /* a step over the antimeridian, of no length */
                        s.b.x = s.a.x;
                r = add_segment(all, barrier, s);
        }
        free(line.points);
        return r;
}

static int read_barrier(struct barriers *all, const struct geojson_feature *feature, struct geo_error *error)
{
        const json_t *penalty = json_object_get(feature->properties, "penalty");
        struct barrier *barrier = &all->all[all->count++];
        size_t lines = json_array_size(feature->coordinates);
        int r = 0;

        *barrier = (struct barrier){ .penalty = BARRIER_PENALTY_DEFAULT, .first = all->block_count };
        if (json_is_number(penalty))
                barrier->penalty = json_number_value(penalty);
        if ((penalty != NULL && !json_is_number(penalty) && !json_is_null(penalty)) || barrier->penalty < 1 ||
            barrier->penalty > BARRIER_PENALTY_MAX)
                return geojson_refuse(error, feature, "penalty is no number of 1 to %g", BARRIER_PENALTY_MAX);
        if (strcmp(feature->type, "LineString") == 0)
                return read_line(all, barrier, feature, feature->coordinates, error);
        if (strcmp(feature->type, "MultiLineString") != 0 || lines == 0)
                return geojson_refuse(error, feature, "neither a LineString nor a MultiLineString of one line or more");
        for (size_t i = 0; i < lines && r == 0; i++)
                r = read_line(all, barrier, feature, json_array_get(feature->coordinates, i), error);
        return r;
}

int barriers_read(const char *text, size_t length, struct barriers **ret_barriers, struct geo_error *ret_error)
{
        struct barriers *all = calloc(1, sizeof(*all));
        struct geojson *json = NULL;
        struct geojson_feature feature;
        struct geo_error error = { "out of memory" };
        int r = all != NULL ? geojson_read(text, length, &json, &error) : -ENOMEM;

        if (r < 0)
                goto out;
        all->all = calloc(geojson_count(json) + 1, sizeof(*all->all));
        if (all->all == NULL)
                r = -ENOMEM;
        for (size_t i = 0; r == 0 && i < geojson_count(json); i++) {
                r = geojson_feature(json, i, &feature, &error);
                if (r == 0)
                        r = read_barrier(all, &feature, &error);
        }
        if (r < 0)
                goto out;
        *ret_barriers = all;
        all = NULL; /* handed over */
out:
        if (r < 0)
                *ret_error = error;
        geojson_free(json);
        barriers_free(all);
        return r;
}

void barriers_free(struct barriers *barriers)
{
        if (barriers == NULL)
                return;
        free(barriers->segments);
        free(barriers->blocks);
        free(barriers->all);
        free(barriers);
}

/* ---- the question ---- */

static bool barrier_meets(const struct barriers *all, const struct barrier *barrier, const struct segment *way,
                          const struct box *box)
{
        const struct block *end = all->blocks + barrier->first + barrier->count;

        for (const struct block *b = all->blocks + barrier->first; b < end; b++) {
                if (!boxes_meet(&b->box, box))
                        continue;
                for (size_t i = b->first; i < b->first + b->count; i++) {
                        struct box segment_box = box_of(&all->segments[i]);

                        if (boxes_meet(&segment_box, box) && segments_meet(&all->segments[i], way))
                                return true;
                }
        }
        return false;
}

static double penalty_of(const struct barriers *all, const struct segment *way)
{
        struct box box = box_of(way);
        double worst = 1;

        for (size_t i = 0; i < all->count; i++)
                if (all->all[i].penalty > worst && boxes_meet(&all->all[i].box, &box) &&
                    barrier_meets(all, &all->all[i], way, &box))
                        worst = all->all[i].penalty;
        return worst;
}

double barriers_penalty(const struct barriers *barriers, const struct position *from, const struct position *to)
{
        struct segment way;
        double worst, again;

        if (barriers == NULL || barriers->count == 0)
                return 1;
        way = (struct segment){ point_of(from), point_of(to) };
        if (way.b.x - way.a.x > ROUND_E7 / 2)
                way.b.x -= ROUND_E7;
        else if (way.a.x - way.b.x > ROUND_E7 / 2)
                way.b.x += ROUND_E7;
        worst = penalty_of(barriers, &way);
        if (llabs(way.b.x) >= ROUND_E7 / 2 || llabs(way.a.x) == ROUND_E7 / 2) { /* the part beyond the antimeridian */
                int64_t turn = high_of(way.a.x, way.b.x) >= ROUND_E7 / 2 ? -ROUND_E7 : ROUND_E7;

                way.a.x += turn;
                way.b.x += turn;
                again = penalty_of(barriers, &way);
                worst = again > worst ? again : worst;
        }
        return worst;
}
