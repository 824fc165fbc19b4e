/* The zones: read for their teams (geo/), and their outlines as the map wants them. */
#ifndef CONSOLE_OUTLINE_H
#define CONSOLE_OUTLINE_H

#include <stddef.h>

#include "geo/zone.h"

/* Files of one zones folder; more is an error at the start. */
#define OUTLINE_FILES_MAX 256

struct outline {
        struct zones *zones; /* NULL: none are configured */
        char *json;          /* PROTOCOL.md section 6: {"zones":[{"name","shape"}]}; the map's precision is a metre */
        size_t len;
        char etag[20];
};

/* outline_load: read the zones at PATH: one GeoJSON file, or all *.geojson of a folder taken together; "" is none.
 *   ret_outline  freed by outline_free
 *   ret_error    the feature and the rule, where that is why it failed; else ""
 * Returns 0, -EBADMSG, -EFBIG, -ENOENT (an empty folder), -ENOMEM, or what reading gave. */
int outline_load(const char *path, struct outline *ret_outline, struct geo_error *ret_error);

/* outline_free: a zeroed one is fine. */
void outline_free(struct outline *outline);

#endif
