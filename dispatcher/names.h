/* A set of names: the keys of the notices that stand, so that after a lost connection those that are over are found out.  Pure.
 * Searched from the front: some ten of them, a thousand on the worst of days. */
#ifndef DISPATCHER_NAMES_H
#define DISPATCHER_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "wire/record.h"

typedef char name_text[NAME_MAX_OCTETS + 1];

struct names {
        name_text *list;
        size_t count, room;
};

/* names_add: put NAME in, once.  It is left out where memory has ended, or it is longer than NAME_MAX_OCTETS. */
void names_add(struct names *names, const char *name);

/* names_remove: take NAME out. */
void names_remove(struct names *names, const char *name);

/* names_hold: say whether NAME is in. */
bool names_hold(const struct names *names, const char *name);

/* names_free: empty it; a zeroed one is empty. */
void names_free(struct names *names);

#endif
