#include "console/lookup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Open addressing, linear probing, at most half full; removal moves the ones behind it up. */
struct slot {
        uint64_t hash;
        void *thing; /* NULL = free */
        uint8_t len;
        uint8_t name[LOOKUP_NAME_MAX];
};

/* A table begins with so many slots and doubles. */
#define SLOTS_FIRST 64

struct lookup {
        uint64_t seed;
        size_t max, count, mask;
        struct slot *slots;
};

int lookup_new(size_t max, uint64_t seed, struct lookup **ret_lookup)
{
        struct lookup *lookup = calloc(1, sizeof(*lookup));

        if (lookup == NULL)
                return -ENOMEM;
        *lookup = (struct lookup){
                .seed = seed, .max = max, .mask = SLOTS_FIRST - 1, .slots = calloc(SLOTS_FIRST, sizeof(struct slot))
        };
        if (lookup->slots == NULL) {
                free(lookup);
                return -ENOMEM;
        }
        *ret_lookup = lookup;
        return 0;
}

void lookup_free(struct lookup *lookup)
{
        if (lookup == NULL)
                return;
        free(lookup->slots);
        free(lookup);
}

static uint64_t hash_of(const struct lookup *lookup, const uint8_t *name, size_t len)
{
        uint64_t h = lookup->seed ^ UINT64_C(0xcbf29ce484222325);

        for (size_t i = 0; i < len; i++)
                h = (h ^ name[i]) * UINT64_C(0x100000001b3);
        return h ^ (h >> 32);
}

/* find: the slot of NAME, or the free one where it would go. */
static struct slot *find(const struct lookup *lookup, const void *name, size_t len, uint64_t hash)
{
        for (size_t i = hash & lookup->mask;; i = (i + 1) & lookup->mask) {
                struct slot *s = &lookup->slots[i];

                if (s->thing == NULL || (s->hash == hash && s->len == len && memcmp(s->name, name, len) == 0))
                        return s;
        }
}

void *lookup_get(const struct lookup *lookup, const void *name, size_t len)
{
        if (len == 0 || len > LOOKUP_NAME_MAX)
                return NULL;
        return find(lookup, name, len, hash_of(lookup, name, len))->thing;
}

/* grow: twice the slots.  Returns 0 or -ENOMEM: all stays as it was. */
static int grow(struct lookup *lookup)
{
        struct lookup bigger = *lookup;

        bigger.mask = 2 * lookup->mask + 1;
        if ((bigger.slots = calloc(bigger.mask + 1, sizeof(struct slot))) == NULL)
                return -ENOMEM;
        for (size_t i = 0; i <= lookup->mask; i++)
                if (lookup->slots[i].thing != NULL)
                        *find(&bigger, lookup->slots[i].name, lookup->slots[i].len, lookup->slots[i].hash) =
                                lookup->slots[i];
        free(lookup->slots);
        *lookup = bigger;
        return 0;
}

int lookup_put(struct lookup *lookup, const void *name, size_t len, void *thing, void **ret_old)
{
        uint64_t hash;
        struct slot *s;

        if (len == 0 || len > LOOKUP_NAME_MAX)
                return -EINVAL;
        hash = hash_of(lookup, name, len);
        s = find(lookup, name, len, hash);
        if (s->thing == NULL) {
                if (lookup->count == lookup->max)
                        return -ENOBUFS;
                if (2 * (lookup->count + 1) > lookup->mask) {
                        if (grow(lookup) < 0)
                                return -ENOMEM;
                        s = find(lookup, name, len, hash);
                }
                lookup->count++;
        }
        *ret_old = s->thing;
        s->hash = hash;
        s->thing = thing;
        s->len = (uint8_t)len;
        memcpy(s->name, name, len);
        return 0;
}

void *lookup_remove(struct lookup *lookup, const void *name, size_t len)
{
        struct slot *s;
        void *thing;

        if (len == 0 || len > LOOKUP_NAME_MAX)
                return NULL;
        s = find(lookup, name, len, hash_of(lookup, name, len));
        thing = s->thing;
        if (thing == NULL)
                return NULL;
        lookup->count--;
        size_t hole = (size_t)(s - lookup->slots);
        for (size_t i = (hole + 1) & lookup->mask; lookup->slots[i].thing != NULL; i = (i + 1) & lookup->mask) {
                size_t home = lookup->slots[i].hash & lookup->mask;

                if (((i - home) & lookup->mask) < ((i - hole) & lookup->mask))
                        continue; /* its home lies behind the hole: it stays reachable */
                lookup->slots[hole] = lookup->slots[i];
                hole = i;
        }
        lookup->slots[hole].thing = NULL;
        return thing;
}

size_t lookup_count(const struct lookup *lookup)
{
        return lookup->count;
}

void *lookup_next(const struct lookup *lookup, size_t *place)
{
        while (*place <= lookup->mask) {
                void *thing = lookup->slots[(*place)++].thing;

                if (thing != NULL)
                        return thing;
        }
        return NULL;
}

void lookup_clear(struct lookup *lookup)
{
        memset(lookup->slots, 0, (lookup->mask + 1) * sizeof(struct slot));
        lookup->count = 0;
}
