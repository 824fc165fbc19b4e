#include "console/outline.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "console/files.h"
#include "geo/geojson.h"

/* Degrees in the outlines: 1e-5, a metre. */
#define OUTLINE_SCALE 1e5

static int is_geojson(const struct dirent *entry)
{
        const char *dot = strrchr(entry->d_name, '.');

        return entry->d_name[0] != '.' && dot != NULL && strcmp(dot, ".geojson") == 0;
}

/* add_file: the features of one file at the end of FEATURES. */
static int add_file(json_t *features, const char *path)
{
        char *text;
        size_t len;
        int r = file_read(path, GEOJSON_TEXT_MAX, &text, &len);
        json_t *json, *list;

        if (r < 0)
                return r;
        bool mark = len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0;
        json = json_loadb(text + 3 * mark, len - 3 * mark, JSON_REJECT_DUPLICATES, NULL);
        free(text);
        list = json_object_get(json, "features");
        if (json_is_array(list))
                r = json_array_extend(features, list) < 0 ? -ENOMEM : 0;
        else
                r = json_is_object(json) && json_array_append(features, json) == 0 ? 0 : -EBADMSG;
        json_decref(json);
        return r;
}

/* read_folder: all of a folder's files as one FeatureCollection, in the order of their names. */
static int read_folder(const char *path, char **ret_text, size_t *ret_len)
{
        json_t *features = json_array(), *all;
        struct dirent **entries = NULL;
        int n = scandir(path, &entries, is_geojson, alphasort), r = n > 0 ? 0 : -ENOENT;

        for (int i = 0; i < n; i++) {
                char full[4096];

                snprintf(full, sizeof(full), "%s/%s", path, entries[i]->d_name);
                if (r == 0)
                        r = i < OUTLINE_FILES_MAX ? add_file(features, full) : -EFBIG;
                free(entries[i]);
        }
        free(entries);
        all = json_pack("{s:s, s:o}", "type", "FeatureCollection", "features", features);
        *ret_text = r == 0 && all != NULL ? json_dumps(all, JSON_COMPACT) : NULL;
        json_decref(all);
        if (r == 0 && *ret_text == NULL)
                r = -ENOMEM;
        if (r == 0)
                *ret_len = strlen(*ret_text);
        return r;
}

static json_t *ring_json(const struct geojson_feature *feature, const json_t *ring)
{
        struct geojson_line line;
        struct geo_error error; /* zones_read() has accepted it: cannot be */
        json_t *list;

        if (geojson_positions(feature, ring, 4, &error, &line) < 0)
                return NULL;
        list = json_array();
        for (size_t i = 0; i < line.count; i++)
                json_array_append_new(list,
                                      json_pack("[f, f]", round(line.points[i].lat_deg * OUTLINE_SCALE) / OUTLINE_SCALE,
                                                round(line.points[i].lon_deg * OUTLINE_SCALE) / OUTLINE_SCALE));
        free(line.points);
        return list;
}

static json_t *polygon_json(const struct geojson_feature *feature, const json_t *rings)
{
        json_t *list = json_array();

        for (size_t i = 0; i < json_array_size(rings); i++)
                json_array_append_new(list, ring_json(feature, json_array_get(rings, i)));
        return list;
}

/* shape_json: a list of polygons, each a list of rings, each a list of [lat, lon]. */
static json_t *shape_json(const struct geojson_feature *feature)
{
        json_t *list = json_array();

        if (strcmp(feature->type, "Polygon") == 0)
                json_array_append_new(list, polygon_json(feature, feature->coordinates));
        for (size_t i = 0; strcmp(feature->type, "MultiPolygon") == 0 && i < json_array_size(feature->coordinates); i++)
                json_array_append_new(list, polygon_json(feature, json_array_get(feature->coordinates, i)));
        return list;
}

/* ids_json: what a round's zone may be, by id. */
static json_t *ids_json(const struct zones *zones)
{
        json_t *list = json_array();

        for (size_t i = 0; zones != NULL && i < zones_count(zones); i++) {
                const struct zone *zone = zones_get(zones, i);

                json_array_append_new(list, json_pack("{s:s, s:s}", "id", zone->id, "name", zone->name));
        }
        return list;
}

static int make_json(struct outline *outline, const char *text, size_t len, struct geo_error *ret_error)
{
        struct geojson *geojson = NULL;
        json_t *zones = json_array(), *all;
        int r = geojson_read(text, len, &geojson, ret_error);

        for (size_t i = 0; r == 0 && i < geojson_count(geojson); i++) {
                struct geojson_feature feature;

                if ((r = geojson_feature(geojson, i, &feature, ret_error)) == 0)
                        json_array_append_new(
                                zones, json_pack("{s:s, s:o}", "name", feature.label, "shape", shape_json(&feature)));
        }
        geojson_free(geojson);
        all = json_pack("{s:o, s:o}", "zones", zones, "ids", ids_json(outline->zones));
        outline->json = r == 0 && all != NULL ? json_dumps(all, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
        json_decref(all);
        if (r < 0)
                return r;
        if (outline->json == NULL)
                return -ENOMEM;
        outline->len = strlen(outline->json);
        return files_etag(outline->json, outline->len, outline->etag);
}

int outline_load(const char *path, struct outline *ret_outline, struct geo_error *ret_error)
{
        struct outline outline = { 0 };
        char *text = NULL;
        size_t len = 0;
        struct stat st;
        int r = 0;

        ret_error->text[0] = '\0';
        if (path[0] == '\0')
                text = strdup("{\"type\":\"FeatureCollection\",\"features\":[]}"),
                len = text != NULL ? strlen(text) : 0;
        else if (stat(path, &st) < 0)
                return -errno;
        else if (S_ISDIR(st.st_mode))
                r = read_folder(path, &text, &len);
        else
                r = file_read(path, GEOJSON_TEXT_MAX, &text, &len);
        if (r == 0 && text == NULL)
                r = -ENOMEM;
        if (r < 0 || (path[0] != '\0' && (r = zones_read(text, len, &outline.zones, ret_error)) < 0) ||
            (r = make_json(&outline, text, len, ret_error)) < 0)
                outline_free(&outline);
        else
                *ret_outline = outline;
        free(text);
        return r;
}

void outline_free(struct outline *outline)
{
        zones_free(outline->zones);
        free(outline->json);
        *outline = (struct outline){ 0 };
}
