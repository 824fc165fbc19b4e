#include "geo/zone.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "geo/shape.h"

struct zones {
        struct zone *all; /* in the order of ids */
        size_t count;
        struct shapes *shapes; /* shape k is the outline of zone k */
};

/* The ladder's fields: name, default, bounds.  DESIGN section 6 gives the defaults; a step under 5 s would ring before
 * the one before was heard, one over an hour is no ladder. */
static const struct {
        const char *name;
        size_t offset;
        uint16_t usual, min, max;
} ladder_fields[] = {
        { "ask_count", offsetof(struct zone_ladder, ask_count), 3, 1, 20 },
        { "sms_after_s", offsetof(struct zone_ladder, sms_after_s), 5, 1, 60 },
        { "next_after_s", offsetof(struct zone_ladder, next_after_s), 30, 5, 900 },
        { "all_after_s", offsetof(struct zone_ladder, all_after_s), 60, 5, 1800 },
        { "managers_after_s", offsetof(struct zone_ladder, managers_after_s), 120, 5, 3600 },
};
#define LADDER_FIELDS (sizeof(ladder_fields) / sizeof(*ladder_fields))

static uint16_t *ladder_field(struct zone_ladder *ladder, size_t i)
{
        return (uint16_t *)((char *)ladder + ladder_fields[i].offset);
}

struct zone_ladder zone_ladder_default(void)
{
        struct zone_ladder ladder;

        for (size_t i = 0; i < LADDER_FIELDS; i++)
                *ladder_field(&ladder, i) = ladder_fields[i].usual;
        return ladder;
}

/* ---- reading ---- */

static int read_ladder(const struct geojson_feature *feature, struct zone_ladder *ladder, struct geo_error *error)
{
        json_t *object = json_object_get(feature->properties, "ladder");
        size_t known = 0;

        if (object == NULL || json_is_null(object))
                return 0;
        if (!json_is_object(object))
                return geojson_refuse(error, feature, "ladder is no object");
        for (size_t i = 0; i < LADDER_FIELDS; i++) {
                const json_t *value = json_object_get(object, ladder_fields[i].name);
                json_int_t number = json_integer_value(value);

                if (value == NULL)
                        continue;
                known++;
                if (!json_is_integer(value) || number < ladder_fields[i].min || number > ladder_fields[i].max)
                        return geojson_refuse(error, feature, "ladder: %s is no whole number of %d to %d",
                                              ladder_fields[i].name, ladder_fields[i].min, ladder_fields[i].max);
                *ladder_field(ladder, i) = (uint16_t)number;
        }
        if (known != json_object_size(object))
                return geojson_refuse(error, feature, "ladder has an unknown field");
        if (ladder->next_after_s > ladder->all_after_s || ladder->all_after_s > ladder->managers_after_s)
                return geojson_refuse(error, feature, "ladder: next_, all_ and managers_after_s are not in this order");
        return 0;
}

static int read_teams(const struct geojson_feature *feature, struct zone *zone, struct geo_error *error)
{
        json_t *list = json_object_get(feature->properties, "teams");
        size_t count = json_array_size(list);

        if (list == NULL || json_is_null(list))
                return 0;
        if (!json_is_array(list) || count > ZONE_TEAMS_MAX)
                return geojson_refuse(error, feature, "teams is no list of at most %d names", ZONE_TEAMS_MAX);
        zone->teams = calloc(count + 1, sizeof(*zone->teams));
        zone->team_hashes = calloc(count + 1, sizeof(*zone->team_hashes));
        if (zone->teams == NULL || zone->team_hashes == NULL) {
                geojson_refuse(error, feature, "out of memory");
                return -ENOMEM;
        }
        for (size_t i = 0; i < count; i++) {
                const char *team = json_string_value(json_array_get(list, i));

                if (!team_is_valid(team))
                        return geojson_refuse(error, feature, "a team is a name of 1 to %d octets", TEAM_MAX);
                strcpy(zone->teams[i], team);
                zone->team_hashes[i] = name_hash(team);
        }
        zone->team_count = count;
        return 0;
}

/* The first of the properties KEYS that is there, as text.  Returns 1, 0 if there is none, negative errno. */
static int read_text(const struct geojson_feature *feature, const char *const keys[2], size_t max, char *ret_text,
                     struct geo_error *error)
{
        int r = 0;

        for (size_t i = 0; i < 2 && r == 0; i++) {
                r = geojson_text(json_object_get(feature->properties, keys[i]), max, ret_text);
                if (r < 0)
                        return geojson_refuse(error, feature,
                                              "%s is neither a text of at most %zu octets nor a whole number", keys[i],
                                              max);
        }
        return r;
}

static int read_names(const struct geojson_feature *feature, struct zone *zone, struct geo_error *error)
{
        static const char *const names[] = { "name", "nom" }, *const ids[] = { "id", "code" };
        int named = read_text(feature, names, ZONE_NAME_MAX, zone->name, error);
        int r = named < 0 ? named : read_text(feature, ids, ZONE_ID_MAX, zone->id, error);

        if (r != 0)
                goto out;
        r = geojson_text(feature->id, ZONE_ID_MAX, zone->id);
        if (r < 0)
                return geojson_refuse(error, feature, "id is neither a text of at most %d octets nor a whole number",
                                      ZONE_ID_MAX);
        if (r == 0 && named == 1 && strlen(zone->name) <= ZONE_ID_MAX)
                strcpy(zone->id, zone->name);
        else if (r == 0)
                snprintf(zone->id, sizeof(zone->id), "feature-%05zu", feature->index);
out:
        if (r >= 0 && named == 0)
                strcpy(zone->name, zone->id);
        return r < 0 ? r : 0;
}

/* Everything but the outline. */
static int read_zone(const struct geojson_feature *feature, struct zone *zone, struct geo_error *error)
{
        const json_t *no_coverage = json_object_get(feature->properties, "no_coverage");
        int r = read_names(feature, zone, error);

        zone->ladder = zone_ladder_default();
        if (r == 0)
                r = read_ladder(feature, &zone->ladder, error);
        if (r == 0)
                r = read_teams(feature, zone, error);
        if (r == 0 && no_coverage != NULL && !json_is_boolean(no_coverage) && !json_is_null(no_coverage))
                r = geojson_refuse(error, feature, "no_coverage is neither true nor false");
        zone->no_coverage = json_is_true(no_coverage);
        zone->index = feature->index; /* for now: until they are in order */
        return r;
}

static int by_id(const void *a, const void *b)
{
        const struct zone *x = a, *y = b;
        int order = strcmp(x->id, y->id);

        return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

static int read_zones(struct zones *zones, const struct geojson *json, struct geo_error *error)
{
        struct geojson_feature feature;
        size_t count = geojson_count(json);
        int r = 0;

        for (size_t i = 0; i < count && r == 0; i++) {
                r = geojson_feature(json, i, &feature, error);
                if (r == 0)
                        r = read_zone(&feature, &zones->all[zones->count++], error);
        }
        if (r < 0)
                return r;
        qsort(zones->all, count, sizeof(*zones->all), by_id);
        for (size_t i = 1; i < count; i++)
                if (strcmp(zones->all[i - 1].id, zones->all[i].id) == 0 &&
                    geojson_feature(json, zones->all[i].index, &feature, error) == 0)
                        return geojson_refuse(error, &feature, "id %s is already that of feature %zu", zones->all[i].id,
                                              zones->all[i - 1].index);
        return 0;
}

static int read_shapes(struct zones *zones, const struct geojson *json, struct geo_error *error)
{
        struct geojson_feature feature;
        int r = shapes_new(zones->count, &zones->shapes);

        for (size_t i = 0; i < zones->count && r == 0; i++) {
                r = geojson_feature(json, zones->all[i].index, &feature, error);
                if (r == 0)
                        r = shapes_add(zones->shapes, &feature, error);
                zones->all[i].index = i;
        }
        if (r == 0)
                snprintf(error->text, sizeof(error->text), "GEOS failed, or out of memory"); /* of what comes after */
        return r < 0 ? r : shapes_build(zones->shapes);
}

static int find_neighbours(struct zones *zones, struct zone *zone)
{
        size_t numbers[ZONE_NEIGHBOURS_MAX];
        struct shape_list list = { numbers, ZONE_NEIGHBOURS_MAX, 0 };
        int r = shape_neighbours(zones->shapes, zone->index, ZONE_NEIGHBOUR_M, &list);

        if (r < 0)
                return r;
        zone->neighbours = calloc(list.count + 1, sizeof(*zone->neighbours));
        if (zone->neighbours == NULL)
                return -ENOMEM;
        for (size_t i = 0; i < list.count; i++)
                zone->neighbours[i] = &zones->all[numbers[i]];
        zone->neighbour_count = list.count;
        return 0;
}

int zones_read(const char *text, size_t length, struct zones **ret_zones, struct geo_error *ret_error)
{
        struct zones *zones = calloc(1, sizeof(*zones));
        struct geojson *json = NULL;
        struct geo_error error = { "out of memory" };
        int r = zones != NULL ? geojson_read(text, length, &json, &error) : -ENOMEM;

        if (r < 0)
                goto out;
        zones->all = calloc(geojson_count(json) + 1, sizeof(*zones->all));
        if (zones->all == NULL)
                r = -ENOMEM;
        if (r < 0 || (r = read_zones(zones, json, &error)) < 0 || (r = read_shapes(zones, json, &error)) < 0)
                goto out;
        for (size_t i = 0; i < zones->count && r == 0; i++)
                r = find_neighbours(zones, &zones->all[i]);
        if (r < 0)
                goto out;
        *ret_zones = zones;
        zones = NULL; /* handed over */
out:
        if (r < 0)
                *ret_error = error;
        geojson_free(json);
        zones_free(zones);
        return r;
}

void zones_free(struct zones *zones)
{
        if (zones == NULL)
                return;
        shapes_free(zones->shapes);
        for (size_t i = 0; i < zones->count; i++) {
                free(zones->all[i].teams);
                free(zones->all[i].team_hashes);
                free(zones->all[i].neighbours);
        }
        free(zones->all);
        free(zones);
}

/* ---- questions ---- */

size_t zones_count(const struct zones *zones)
{
        return zones->count;
}

const struct zone *zones_get(const struct zones *zones, size_t index)
{
        return &zones->all[index];
}

const struct zone *zones_find(const struct zones *zones, const char *id)
{
        size_t low = 0, high = zones->count;

        while (low < high) {
                size_t middle = low + (high - low) / 2;
                int order = strcmp(id, zones->all[middle].id);

                if (order == 0)
                        return &zones->all[middle];
                if (order < 0)
                        high = middle;
                else
                        low = middle + 1;
        }
        return NULL;
}

int zones_at(const struct zones *zones, const struct position *at, size_t max, const struct zone **ret_zones,
             size_t *ret_count)
{
        size_t numbers[ZONES_AT_MAX];
        struct shape_list list = { numbers, max < ZONES_AT_MAX ? max : ZONES_AT_MAX, 0 };
        int r = position_is_valid(at) ? shapes_at(zones->shapes, at, &list) : -EINVAL;

        if (r < 0)
                return r;
        for (size_t i = 0; i < list.count; i++)
                ret_zones[i] = &zones->all[numbers[i]];
        *ret_count = list.count;
        return 0;
}

int zone_covers(const struct zones *zones, const struct zone *zone, const struct position *at, bool *ret_inside)
{
        return position_is_valid(at) ? shape_covers(zones->shapes, zone->index, at, ret_inside) : -EINVAL;
}

bool zone_names_team(const struct zone *zone, const char *team, uint64_t hash)
{
        for (size_t i = 0; i < zone->team_count; i++)
                if (zone->team_hashes[i] == hash && strcmp(zone->teams[i], team) == 0)
                        return true;
        return false;
}

bool zone_allows_team(const struct zone *zone, const char *team, uint64_t hash)
{
        return zone->team_count == 0 || zone_names_team(zone, team, hash);
}
