/* What view.c and view_alert.c share: jansson values out of the wire's fields. */
#ifndef CONSOLE_VIEW_JSON_H
#define CONSOLE_VIEW_JSON_H

#include <jansson.h>

#include "console/outbound.h"
#include "wire/record.h"

/* view_dump: JSON (taken, NULL allowed) as an outbound text.  NULL when JSON was or memory is short. */
struct outbound *view_dump(json_t *json);

/* view_point: `{"lat", "lon", "accuracy_m", "at"}` in degrees and ms; accuracy null where it is 65535.  A new
 * reference. */
json_t *view_point(const struct track_point *point);

/* view_or_null: TEXT, or NULL for "": what json_pack's `s?` takes. */
static inline const char *view_or_null(const char *text)
{
        return text[0] != '\0' ? text : NULL;
}

/* view_time: a time in ms as a number, 0 as null.  A new reference. */
json_t *view_time(int64_t ms);

#endif
