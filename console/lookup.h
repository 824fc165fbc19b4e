/* A table from short names to things of the caller's, with a bound.  Pure.  For alerts by id, people, notices. */
#ifndef CONSOLE_LOOKUP_H
#define CONSOLE_LOOKUP_H

#include <stddef.h>
#include <stdint.h>

/* Octets of a name: an alert's 16, a person's 32, a notice's 64. */
#define LOOKUP_NAME_MAX 64

struct lookup;

/* lookup_new: an empty table for at most MAX things; it grows as they come.  SEED is random, so that names cannot be made to collide.
 * Returns 0 or -ENOMEM.  lookup_free leaves the things alone. */
int lookup_new(size_t max, uint64_t seed, struct lookup **ret_lookup);
void lookup_free(struct lookup *lookup);

/* lookup_get: the thing called NAME (1..LOOKUP_NAME_MAX octets), or NULL. */
void *lookup_get(const struct lookup *lookup, const void *name, size_t len);

/* lookup_put: call THING (not NULL) so, in the place of what was called so before; ret_old gets that, or NULL.
 * Returns 0, -ENOBUFS (new, and full), -EINVAL (length), -ENOMEM. */
int lookup_put(struct lookup *lookup, const void *name, size_t len, void *thing, void **ret_old);

/* lookup_remove: take the thing called NAME out and give it back; NULL if there is none. */
void *lookup_remove(struct lookup *lookup, const void *name, size_t len);

/* lookup_count: how many things.  lookup_next: walk over all: begin with *PLACE 0; NULL at the end.  The order is none,
 * and putting or removing while walking is not allowed, but lookup_clear after it is; a place kept over a change may miss some, or meet
 * them again. */
size_t lookup_count(const struct lookup *lookup);
void *lookup_next(const struct lookup *lookup, size_t *place);

/* lookup_clear: forget all names.  The things are the caller's. */
void lookup_clear(struct lookup *lookup);

#endif
