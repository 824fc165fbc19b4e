#include "tests/sim/ids.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* The last octets were drawn by the phone; the first are the handset's. */
static size_t place_of(const struct ids *ids, const uint8_t id[ALERT_ID_SIZE])
{
        size_t mask = 2 * ids->room - 1, at;
        uint64_t hash, who;

        memcpy(&who, id, sizeof(who));
        memcpy(&hash, id + HANDSET_ID_SIZE, sizeof(hash));
        hash = (hash ^ who) * UINT64_C(0x9e3779b97f4a7c15);
        at = (size_t)(hash >> 32) & mask;
        while (ids->slots[at] != 0 && memcmp(ids->octets[ids->slots[at] - 1], id, ALERT_ID_SIZE) != 0)
                at = (at + 1) & mask;
        return at;
}

size_t ids_find(const struct ids *ids, const uint8_t id[ALERT_ID_SIZE])
{
        size_t at = ids->room > 0 ? ids->slots[place_of(ids, id)] : 0;

        return at > 0 ? at - 1 : IDS_NONE;
}

static void grow(struct ids *ids)
{
        ids->room = ids->room > 0 ? 2 * ids->room : 64;
        ids->octets = realloc(ids->octets, ids->room * sizeof(*ids->octets));
        free(ids->slots);
        ids->slots = calloc(2 * ids->room, sizeof(*ids->slots));
        assert(ids->octets != NULL && ids->slots != NULL);
        for (size_t i = 0; i < ids->count; i++)
                ids->slots[place_of(ids, ids->octets[i])] = (uint32_t)i + 1;
}

size_t ids_need(struct ids *ids, const uint8_t id[ALERT_ID_SIZE])
{
        size_t at = ids_find(ids, id);

        if (at != IDS_NONE)
                return at;
        if (ids->count == ids->room)
                grow(ids);
        memcpy(ids->octets[ids->count], id, ALERT_ID_SIZE);
        ids->slots[place_of(ids, id)] = (uint32_t)++ids->count;
        return ids->count - 1;
}

void ids_clear(struct ids *ids)
{
        ids->count = 0;
        if (ids->room > 0)
                memset(ids->slots, 0, 2 * ids->room * sizeof(*ids->slots));
}

void ids_free(struct ids *ids)
{
        free(ids->octets);
        free(ids->slots);
        *ids = (struct ids){ 0 };
}
