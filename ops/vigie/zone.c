#include "geo/zone.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "ops/vigie/command.h"

/* All zones of a region stand in one file: they are valid or refused together.  Import puts the features of FILE beside those
 * that are there; a feature with the `id` property of one that is there replaces it. */
#define ZONES_FILE "zones.geojson"

static json_t *features_of(json_t *root)
{
        json_t *list = json_object_get(root, "features");

        if (json_is_array(list))
                return json_incref(list);
        list = json_array();
        json_array_append(list, root);
        return list;
}

static const json_t *id_of(const json_t *feature)
{
        const json_t *properties = json_object_get(feature, "properties");
        const json_t *id = json_object_get(properties, "id");

        return id != NULL ? id : json_object_get(properties, "code");
}

static void put_feature(json_t *all, json_t *feature)
{
        const json_t *id = id_of(feature);

        for (size_t i = 0; id != NULL && i < json_array_size(all); i++)
                if (json_equal(id, id_of(json_array_get(all, i)))) {
                        json_array_set(all, i, feature);
                        return;
                }
        json_array_append(all, feature);
}

static int read_text(const char *path, char **ret_text, size_t *ret_len)
{
        int r = file_read(path, GEOJSON_TEXT_MAX, ret_text, ret_len);

        if (r < 0 && r != -ENOENT)
                fprintf(stderr, "vigie: %s: %s\n", path, strerror(-r));
        return r;
}

/* Check one text by the dispatcher's own reader. */
static int check_text(const char *path, const char *text, size_t len, size_t *ret_count)
{
        struct zones *zones = NULL;
        struct geo_error error;
        int r = zones_read(text, len, &zones, &error);

        if (r < 0)
                fprintf(stderr, "vigie: %s: %s\n", path, error.text);
        else
                *ret_count = zones_count(zones);
        zones_free(zones);
        return r;
}

static int merge(const char *old_text, size_t old_len, const char *text, size_t len, json_t **ret_all)
{
        json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL), *list = NULL, *all, *old = NULL, *feature;
        size_t i;

        *ret_all = json_pack("{s:s, s:[]}", "type", "FeatureCollection", "features");
        all = json_object_get(*ret_all, "features");
        if (old_text != NULL && (old = json_loadb(old_text, old_len, 0, NULL)) != NULL) {
                list = features_of(old);
                json_array_extend(all, list);
                json_decref(list);
        }
        list = features_of(root);
        json_array_foreach(list, i, feature) put_feature(all, feature);
        json_decref(list);
        json_decref(old);
        json_decref(root);
        return 0;
}

static int import(struct region *region, const char *file)
{
        char path[REGION_PATH_MAX], *text = NULL, *old = NULL, *merged = NULL;
        size_t len, old_len = 0, count = 0;
        json_t *all = NULL;
        int r;

        if ((r = read_text(file, &text, &len)) < 0) {
                if (r == -ENOENT)
                        fprintf(stderr, "vigie: %s: %s\n", file, strerror(-r));
                goto out;
        }
        if ((r = check_text(file, text, len, &count)) < 0 || (r = region_path(region, ZONES_FILE, path)) < 0)
                goto out;
        r = read_text(path, &old, &old_len);
        if (r < 0 && r != -ENOENT)
                goto out;
        merge(old, old_len, text, len, &all);
        merged = json_dumps(all, JSON_COMPACT | JSON_REAL_PRECISION(10));
        r = merged != NULL ? check_text(path, merged, strlen(merged), &count) : -ENOMEM;
        if (r == 0 && (r = region_write(region, ZONES_FILE, merged, strlen(merged), 0644)) == 0)
                printf("%zu zones\n", count);
out:
        json_decref(all);
        free(merged);
        free(old);
        free(text);
        return r;
}

static int list(struct region *region)
{
        char path[REGION_PATH_MAX], *text = NULL;
        struct zones *zones = NULL;
        struct geo_error error;
        size_t len;
        int r;

        if ((r = region_path(region, ZONES_FILE, path)) < 0 || (r = read_text(path, &text, &len)) < 0)
                return r == -ENOENT ? 0 : r;
        r = zones_read(text, len, &zones, &error);
        if (r < 0)
                fprintf(stderr, "vigie: %s: %s\n", path, error.text);
        for (size_t i = 0; r == 0 && i < zones_count(zones); i++) {
                const struct zone *z = zones_get(zones, i);

                printf("%s\t%s\tteams=%zu\tneighbours=%zu%s\n", z->id, z->name, z->team_count, z->neighbour_count,
                       z->no_coverage ? "\tno coverage" : "");
        }
        zones_free(zones);
        free(text);
        return r;
}

int zone_main(struct region *region, int argc, char **argv)
{
        int r = -EINVAL;

        if (argc == 2 && strcmp(argv[1], "list") == 0)
                r = list(region);
        else if (argc == 3 && strcmp(argv[1], "import") == 0)
                r = import(region, argv[2]);
        else {
                fprintf(stderr, "usage: vigie zone list | import FILE.geojson\n");
                return EXIT_USAGE;
        }
        return r == 0 ? EXIT_DONE : EXIT_REFUSED;
}
