/* GeoJSON text (RFC 7946) into features and arrays of positions; zones and barriers are made of them.  Pure: takes
 * text, opens no file.  Strict: duplicate keys, anything after the object, wrong types and values out of bounds are
 * refused with a sentence that names the feature and the rule. */
#ifndef GEO_GEOJSON_H
#define GEO_GEOJSON_H

#include <jansson.h>
#include <stddef.h>

#include "geo/position.h"

/* The largest text read: France's 35,000 communes are 50 MiB.  Longer is refused before it is parsed. */
#define GEOJSON_TEXT_MAX     ((size_t)64 << 20)
/* Features in one text: the same communes.  One more is refused. */
#define GEOJSON_FEATURES_MAX 50000
/* Positions in one line or ring: the most detailed coast of a department has some 100,000.  One more is refused. */
#define GEOJSON_POINTS_MAX   200000

/* Why a text was refused, for a person: "feature 12 (Lyon): ring 1 is not closed".  Control characters of names are
 * shown as '?'.  The caller puts the file's name before it. */
struct geo_error {
        char text[256];
};

/* A feature being read.  Borrowed from the text; gone with it. */
struct geojson_feature {
        size_t index;              /* 0 for the first */
        const char *label;         /* its name (`name`, `nom`), else its id, else ""; for errors */
        const json_t *id;          /* the feature's own `id` member or NULL */
        const json_t *properties;  /* an object, null or NULL */
        const char *type;          /* the geometry's, "Polygon" */
        const json_t *coordinates; /* the geometry's, an array */
};

struct geojson;

/* geojson_read: parse TEXT (LENGTH octets, UTF-8, a leading byte order mark allowed): a FeatureCollection or a Feature.
 *   ret_json   freed by geojson_free
 *   ret_error  written on failure only
 * Returns 0, -EBADMSG (not GeoJSON as above, or jansson out of memory within a token), -EFBIG (a bound), -ENOMEM.
 * Keeps nothing of TEXT. */
int geojson_read(const char *text, size_t length, struct geojson **ret_json, struct geo_error *ret_error);
void geojson_free(struct geojson *json);

/* geojson_count: how many features, 0..GEOJSON_FEATURES_MAX. */
size_t geojson_count(const struct geojson *json);

/* geojson_feature: feature INDEX (below the count).
 * Returns 0, -EBADMSG (no object of type Feature with a geometry that has type and coordinates). */
int geojson_feature(const struct geojson *json, size_t index, struct geojson_feature *ret_feature,
                    struct geo_error *ret_error);

/* geojson_text: VALUE as text: a string of 1..max octets without control characters, or a whole number as digits.
 * Written to ret_text (max + 1 octets, max >= 20).
 * Returns 1 found, 0 absent, null or empty, -EBADMSG (anything else). */
int geojson_text(const json_t *value, size_t max, char *ret_text);

/* A run of positions, allocated; freed with free(points). */
struct geojson_line {
        struct position *points;
        size_t count;
};

/* geojson_positions: an array of positions (longitude first; a height is ignored) into ret_line.  Refused: fewer than
 * MIN or more than GEOJSON_POINTS_MAX, not numbers, out of range, an edge over 180 degrees of longitude (it should have
 * been split at the antimeridian; RFC 7946, 3.1.9) unless both its ends are at longitude 180 or -180.
 * Returns 0, -EBADMSG, -ENOMEM. */
int geojson_positions(const struct geojson_feature *feature, const json_t *array, size_t min,
                      struct geo_error *ret_error, struct geojson_line *ret_line);

/* geojson_refuse: write "feature 12 (Lyon): " and the rule in the words of FORMAT to ret_error; returns -EBADMSG. */
int geojson_refuse(struct geo_error *ret_error, const struct geojson_feature *feature, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

#endif
