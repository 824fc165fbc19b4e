#include "geo/zone.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "ops/vigie/command.h"
#include "ops/vigie/say.h"
#include "ops/vigie/shapes.h"

/* All zones of a region stand in one file: they are valid or refused together. */

/* Numbers are written back with these digits: coordinates of 1e-7 degree and more come back as they were. */
#define DIGITS 15

/* ---- the features of a file, and their ids as zones_read() gives them */

/* The array of the features of TEXT, which zones_read() has accepted; NULL without memory. */
static json_t *features_of(const char *text, size_t len)
{
        size_t mark = len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
        json_t *root = json_loadb(text + mark, len - mark, 0, NULL), *list;

        list = json_object_get(root, "features");
        if (json_is_array(list))
                json_incref(list);
        else if (root != NULL && (list = json_array()) != NULL)
                json_array_append(list, root);
        json_decref(root);
        return list;
}

/* The zone's id: `id` or `code`, else the feature's own, else `name` or `nom`.  Returns false where there is none. */
static bool id_of(const json_t *feature, char id[ZONE_ID_MAX + 1])
{
        const json_t *p = json_object_get(feature, "properties");
        const json_t *candidates[] = { json_object_get(p, "id"), json_object_get(p, "code"),
                                       json_object_get(feature, "id"), json_object_get(p, "name"),
                                       json_object_get(p, "nom") };

        int r = 0;

        for (size_t i = 0; r == 0 && i < sizeof(candidates) / sizeof(candidates[0]); i++)
                r = geojson_text(candidates[i], ZONE_ID_MAX, id);
        return r == 1; /* a name that is too long for an id is none */
}

/* Check one text by the dispatcher's own reader. */
static int check_text(const char *path, const char *text, size_t len, size_t *ret_count)
{
        struct zones *zones = NULL;
        struct geo_error error = { "" };
        int r = zones_read(text, len, &zones, &error);

        if (r < 0)
                say_wrong("%s: %s", path, error.text);
        else
                *ret_count = zones_count(zones);
        zones_free(zones);
        return r;
}

/* Read PATH and check it.  Returns its features. */
static int read_features(const char *path, json_t **ret_list)
{
        char *text = NULL;
        size_t len, count;
        int r = shapes_read(path, &text, &len);

        if (r == 0 && (r = check_text(path, text, len, &count)) == 0) {
                *ret_list = features_of(text, len);
                r = *ret_list != NULL ? 0 : -ENOMEM;
        }
        free(text);
        return r;
}

static int write_features(struct region *region, json_t *list, size_t *ret_count)
{
        json_t *all = json_pack("{s:s, s:O}", "type", "FeatureCollection", "features", list);
        char *text = all != NULL ? json_dumps(all, JSON_COMPACT | JSON_REAL_PRECISION(DIGITS)) : NULL;
        int r = text != NULL ? check_text(REGION_ZONES, text, strlen(text), ret_count) : -ENOMEM;

        if (r == 0)
                r = region_write(region, REGION_ZONES, text, strlen(text), 0644);
        free(text);
        json_decref(all);
        return r;
}

/* ---- import */

/* Where each id of LIST stands: an object of numbers.  NULL after telling of a feature without an id. */
static json_t *index_of(const char *path, const json_t *list)
{
        json_t *index = json_object();
        char id[ZONE_ID_MAX + 1];

        for (size_t i = 0; index != NULL && i < json_array_size(list); i++) {
                if (id_of(json_array_get(list, i), id)) {
                        json_object_set_new(index, id, json_integer((json_int_t)i));
                        continue;
                }
                say_wrong("%s: feature %zu has no id, code or name: a zone of a region needs one to be replaced by",
                          path, i);
                json_decref(index);
                index = NULL;
        }
        return index;
}

/* Put the features of LIST into ALL: in place of the one with the same id, else behind. */
static int merge(const char *path, json_t *all, const json_t *list)
{
        json_t *places = index_of(REGION_ZONES, all), *ids = index_of(path, list), *at;
        char id[ZONE_ID_MAX + 1];
        int r = places != NULL && ids != NULL ? 0 : -EBADMSG;

        for (size_t i = 0; r == 0 && i < json_array_size(list); i++) {
                json_t *feature = json_array_get(list, i);

                id_of(feature, id);
                at = json_object_get(places, id);
                r = at != NULL ? json_array_set(all, (size_t)json_integer_value(at), feature)
                               : json_array_append(all, feature);
                if (r < 0)
                        r = -ENOMEM;
        }
        json_decref(places);
        json_decref(ids);
        return r;
}

static int import(struct region *region, const void *of, int argc, char **argv)
{
        json_t *all = NULL, *list = NULL;
        char path[REGION_PATH_MAX];
        const char *file;
        size_t count = 0;
        int r;

        if (choices_read(&(struct choices){ .usage = "zone import FILE.geojson", .words_wanted = 1 }, argc, argv,
                         &file) < 0)
                return EXIT_USAGE;
        if ((r = region_path(region, REGION_ZONES, path)) < 0 || (r = read_features(file, &list)) < 0 ||
            (r = read_features(path, &all)) < 0 || (r = merge(file, all, list)) < 0 ||
            (r = write_features(region, all, &count)) < 0)
                goto out;
        printf("%zu zones; dispatchers and consoles take them when they start\n", count);
out:
        json_decref(all);
        json_decref(list);
        return r == 0 ? EXIT_DONE : EXIT_REFUSED;
}

/* ---- remove, list */

static int take_away(struct region *region, const void *of, int argc, char **argv)
{
        char path[REGION_PATH_MAX], id[ZONE_ID_MAX + 1];
        json_t *all = NULL, *feature;
        const char *wanted;
        size_t i, before, count;
        int r;

        if (choices_read(&(struct choices){ .usage = "zone remove ID", .words_wanted = 1 }, argc, argv, &wanted) < 0)
                return EXIT_USAGE;
        if ((r = region_path(region, REGION_ZONES, path)) < 0 || (r = read_features(path, &all)) < 0)
                return EXIT_REFUSED;
        before = json_array_size(all);
        json_array_foreach(all, i, feature) if (id_of(feature, id) && strcmp(id, wanted) == 0)
        {
                json_array_remove(all, i);
                break;
        }
        if (json_array_size(all) == before) {
                say_wrong("zones: there is no %s", wanted);
                r = -ENOENT;
        } else {
                r = write_features(region, all, &count);
        }
        json_decref(all);
        return r == 0 ? EXIT_DONE : EXIT_REFUSED;
}

static int list(struct region *region, const void *of, int argc, char **argv)
{
        char path[REGION_PATH_MAX], *text = NULL, teams[32], neighbours[32];
        struct geo_error error = { "" };
        struct zones *zones = NULL;
        size_t len;
        int r;

        if (choices_read(&(struct choices){ .usage = "zone list" }, argc, argv, NULL) < 0)
                return EXIT_USAGE;
        if ((r = region_path(region, REGION_ZONES, path)) < 0 || (r = shapes_read(path, &text, &len)) < 0)
                return EXIT_REFUSED;
        r = zones_read(text, len, &zones, &error);
        if (r < 0)
                say_wrong("%s: %s", path, error.text);
        for (size_t i = 0; r == 0 && i < zones_count(zones); i++) {
                const struct zone *z = zones_get(zones, i);

                snprintf(teams, sizeof(teams), "teams=%zu", z->team_count);
                snprintf(neighbours, sizeof(neighbours), "neighbours=%zu", z->neighbour_count);
                say_row(z->id, z->name, teams, neighbours, z->no_coverage ? "no coverage" : "", NULL);
        }
        zones_free(zones);
        free(text);
        return r == 0 ? EXIT_DONE : EXIT_REFUSED;
}

int zone_main(struct region *region, int argc, char **argv)
{
        static const struct verb verbs[] = {
                { "import", "FILE.geojson", import, NULL },
                { "list", "", list, NULL },
                { "remove", "ID", take_away, NULL },
                { 0 },
        };

        return verbs_main(verbs, region, argc, argv);
}
