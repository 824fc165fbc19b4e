/* What the pass desk's pages are told: the JSON of PROTOCOL.md section 7, made from the books, and of it what the viewer may see.  Pure. */
#ifndef CONSOLE_PASS_VIEW_H
#define CONSOLE_PASS_VIEW_H

#include <jansson.h>

#include "console/books.h"
#include "console/outbound.h"
#include "console/pass_ask.h"
#include "console/pass_rule.h"
#include "console/view.h"

/* What a view is made from; all borrowed. */
struct pass_scene {
        const struct books *books;
        const struct viewer *viewer;
        const char *region;
        const uint8_t *root; /* the region's root key, 32 octets; NULL: not configured */
        uint32_t now_s, list_good_s;
};

/* pass_view_found: `desk_found` for ASK (FIND).  NULL when memory is short. */
struct outbound *pass_view_found(const struct pass_scene *scene, const struct pass_ask *ask);

/* pass_view_got: `desk_got` for ASK (GET).  Returns 0, -ENOENT (unknown, or not this viewer's to know), -ENOMEM. */
int pass_view_got(const struct pass_scene *scene, const struct pass_ask *ask, struct outbound **ret_out);

/* pass_view_answer: `answer`; MORE is taken, NULL: none. */
struct outbound *pass_view_answer(const uint8_t command[EVENT_ID_SIZE], enum pass_code code, json_t *more);

/* pass_view_why: a list of "long", "sensitive", as PLAN has it.  A new reference. */
json_t *pass_view_why(bool is_long, bool is_sensitive);

/* pass_view_desk: `desk`.  KEEPER: why no pass can be issued, or NULL. */
struct pass_setup {
        const char *keeper;
        bool ready;
        uint32_t shift_s;
};
struct outbound *pass_view_desk(uint8_t role, const struct pass_setup *setup);

/* pass_view_changed: `desk_changed`; WHATS is a bit for each enum pass_what. */
struct outbound *pass_view_changed(unsigned whats);

#endif
