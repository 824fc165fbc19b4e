/* What pass_view.c (texts, what is found) and pass_view_get.c (one thing with all that hangs on it) share. */
#ifndef CONSOLE_PASS_VIEW_INSIDE_H
#define CONSOLE_PASS_VIEW_INSIDE_H

#include "console/pass_view.h"
#include "console/view_json.h"

/* An item of each kind; a new reference, NULL when it cannot be read or memory is short.
 *   carrier   either of the two may be NULL: a carrier without a phone; a shared phone */
json_t *pass_json_carrier(const struct pass_scene *scene, const struct book_item *carrier,
                          const struct book_item *phone);
json_t *pass_json_round(const struct pass_scene *scene, const struct book_item *item);
json_t *pass_json_building(const struct book_item *item);
json_t *pass_json_pass(const struct pass_scene *scene, const struct book_item *item);

/* json_put: VALUE (taken) into OBJECT under NAME. */
static inline void json_put(json_t *object, const char *name, json_t *value)
{
        (void)json_object_set_new(object, name, value);
}

/* json_s: seconds as ms; 0: null. */
static inline json_t *json_s(uint32_t seconds)
{
        return view_time((int64_t)seconds * 1000);
}

#endif
