#include "geo/geojson.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

/* Octets of a label shown in an error; longer ones are cut. */
#define LABEL_SHOWN          60
/* Numbers in one position: longitude, latitude, height, and one more that old files carry. */
#define POSITION_NUMBERS_MAX 4

struct geojson {
        json_t *root;
        json_t *features; /* borrowed from root; NULL: root is the one feature */
};

/* Write a sentence, nothing in it that could steer a terminal.  All of ours fit. */
static void error_write(struct geo_error *error, const char *format, va_list args)
        __attribute__((format(printf, 2, 0)));
static int refuse_text(struct geo_error *error, int result, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

static void error_write(struct geo_error *error, const char *format, va_list args)
{
        vsnprintf(error->text, sizeof(error->text), format, args);
        for (char *c = error->text; *c != '\0'; c++)
                if ((unsigned char)*c < ' ' || *c == 0x7f)
                        *c = '?';
}

static int refuse_text(struct geo_error *error, int result, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        error_write(error, format, args);
        va_end(args);
        return result;
}

int geojson_refuse(struct geo_error *ret_error, const struct geojson_feature *feature, const char *format, ...)
{
        size_t shown = utf8_cut(feature->label, strlen(feature->label), LABEL_SHOWN);
        char rule[sizeof(ret_error->text)];
        va_list args;

        va_start(args, format);
        vsnprintf(rule, sizeof(rule), format, args);
        va_end(args);
        if (shown == 0)
                return refuse_text(ret_error, -EBADMSG, "feature %zu: %s", feature->index, rule);
        return refuse_text(ret_error, -EBADMSG, "feature %zu (%.*s): %s", feature->index, (int)shown, feature->label,
                           rule);
}

static bool is_type(const json_t *object, const char *type)
{
        const char *text = json_string_value(json_object_get(object, "type"));

        return text != NULL && strcmp(text, type) == 0;
}

static int check_root(struct geojson *json, struct geo_error *error)
{
        if (is_type(json->root, "Feature"))
                return 0;
        json->features = json_object_get(json->root, "features");
        if (!is_type(json->root, "FeatureCollection") || !json_is_array(json->features))
                return refuse_text(error, -EBADMSG, "neither a FeatureCollection with features nor a Feature");
        if (json_array_size(json->features) > GEOJSON_FEATURES_MAX)
                return refuse_text(error, -EFBIG, "more than %d features", GEOJSON_FEATURES_MAX);
        return 0;
}

int geojson_read(const char *text, size_t length, struct geojson **ret_json, struct geo_error *ret_error)
{
        struct geojson *json = NULL;
        json_error_t at;
        int r;

        if (length > GEOJSON_TEXT_MAX)
                return refuse_text(ret_error, -EFBIG, "longer than %zu MiB", GEOJSON_TEXT_MAX >> 20);
        if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
                text += 3;
                length -= 3;
        }
        json = calloc(1, sizeof(*json));
        if (json == NULL)
                return refuse_text(ret_error, -ENOMEM, "out of memory");
        json->root = json_loadb(text, length, JSON_REJECT_DUPLICATES, &at);
        if (json->root == NULL && (at.line < 0 || json_error_code(&at) == json_error_out_of_memory))
                r = refuse_text(ret_error, -ENOMEM, "out of memory");
        else if (json->root == NULL)
                r = refuse_text(ret_error, -EBADMSG, "line %d: %s", at.line, at.text);
        else
                r = check_root(json, ret_error);
        if (r < 0)
                goto out;
        *ret_json = json;
        json = NULL; /* handed over */
out:
        geojson_free(json);
        return r;
}

void geojson_free(struct geojson *json)
{
        if (json == NULL)
                return;
        json_decref(json->root);
        free(json);
}

size_t geojson_count(const struct geojson *json)
{
        return json->features != NULL ? json_array_size(json->features) : 1;
}

static const char *label_of(const struct geojson_feature *feature)
{
        static const char *const keys[] = { "name", "nom", "id", "code" };
        const char *text;

        for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
                text = json_string_value(json_object_get(feature->properties, keys[i]));
                if (text != NULL)
                        return text;
        }
        text = json_string_value(feature->id);
        return text != NULL ? text : "";
}

int geojson_feature(const struct geojson *json, size_t index, struct geojson_feature *ret_feature,
                    struct geo_error *ret_error)
{
        const json_t *object = json->features != NULL ? json_array_get(json->features, index) : json->root;
        const json_t *geometry = json_object_get(object, "geometry");
        struct geojson_feature feature = {
                .index = index,
                .label = "",
                .id = json_object_get(object, "id"),
                .properties = json_object_get(object, "properties"),
                .type = json_string_value(json_object_get(geometry, "type")),
                .coordinates = json_object_get(geometry, "coordinates"),
        };

        feature.label = label_of(&feature);
        if (!is_type(object, "Feature"))
                return geojson_refuse(ret_error, &feature, "not a Feature");
        if (feature.properties != NULL && !json_is_object(feature.properties) && !json_is_null(feature.properties))
                return geojson_refuse(ret_error, &feature, "properties is no object");
        if (!json_is_object(geometry) || feature.type == NULL)
                return geojson_refuse(ret_error, &feature, "no geometry with a type");
        if (!json_is_array(feature.coordinates))
                return geojson_refuse(ret_error, &feature, "no list of coordinates");
        *ret_feature = feature;
        return 0;
}

int geojson_text(const json_t *value, size_t max, char *ret_text)
{
        char digits[24];
        const char *text = json_string_value(value);

        if (value == NULL || json_is_null(value) || (text != NULL && *text == '\0'))
                return 0;
        if (json_is_integer(value)) {
                snprintf(digits, sizeof(digits), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
                text = digits;
        }
        if (text == NULL || strlen(text) > max)
                return -EBADMSG;
        for (const char *c = text; *c != '\0'; c++)
                if ((unsigned char)*c < ' ' || *c == 0x7f)
                        return -EBADMSG;
        strcpy(ret_text, text);
        return 1;
}

static int position_read(const struct geojson_feature *feature, const json_t *value, struct position *ret_at,
                         struct geo_error *error)
{
        size_t numbers = json_array_size(value);

        if (numbers < 2 || numbers > POSITION_NUMBERS_MAX)
                return geojson_refuse(error, feature, "a position is a list of 2 to %d numbers", POSITION_NUMBERS_MAX);
        for (size_t i = 0; i < numbers; i++)
                if (!json_is_number(json_array_get(value, i)))
                        return geojson_refuse(error, feature, "a position is a list of numbers");
        ret_at->lon_deg = json_number_value(json_array_get(value, 0));
        ret_at->lat_deg = json_number_value(json_array_get(value, 1));
        if (ret_at->lat_deg < -90 || ret_at->lat_deg > 90)
                return geojson_refuse(error, feature, "latitude %g is outside -90..90 (longitude comes first)",
                                      ret_at->lat_deg);
        if (ret_at->lon_deg < -180 || ret_at->lon_deg > 180)
                return geojson_refuse(error, feature, "longitude %g is outside -180..180", ret_at->lon_deg);
        return 0;
}

/* An edge over half the globe is one that was not split at the antimeridian; with both ends on it, a band round it. */
static bool edge_is_short(const struct position *a, const struct position *b)
{
        return fabs(a->lon_deg - b->lon_deg) <= 180 || (fabs(a->lon_deg) == 180 && fabs(b->lon_deg) == 180);
}

int geojson_positions(const struct geojson_feature *feature, const json_t *array, size_t min,
                      struct geo_error *ret_error, struct geojson_line *ret_line)
{
        size_t count = json_array_size(array);
        struct position *points = NULL;
        int r = 0;

        if (!json_is_array(array) || count < min)
                return geojson_refuse(ret_error, feature, "fewer than %zu positions", min);
        if (count > GEOJSON_POINTS_MAX)
                return geojson_refuse(ret_error, feature, "more than %d positions", GEOJSON_POINTS_MAX);
        points = calloc(count, sizeof(*points));
        if (points == NULL)
                return refuse_text(ret_error, -ENOMEM, "out of memory");
        for (size_t i = 0; i < count && r == 0; i++) {
                r = position_read(feature, json_array_get(array, i), &points[i], ret_error);
                if (r == 0 && i > 0 && !edge_is_short(&points[i - 1], &points[i]))
                        r = geojson_refuse(ret_error, feature,
                                           "an edge spans over 180 degrees of longitude: "
                                           "split at the antimeridian (RFC 7946, 3.1.9)");
        }
        if (r < 0) {
                free(points);
                return r;
        }
        *ret_line = (struct geojson_line){ points, count };
        return 0;
}
