/* Any octets are refused with a reason, or are zones (barriers) that answer whatever is asked of them. */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "geo/barrier.h"
#include "geo/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct position places[] = { { 0, 0 }, { 45.75, 4.85 }, { 0, 180 }, { 10, -180 }, { 90, 0 }, { -90, 180 } };
#define PLACES (sizeof(places) / sizeof(*places))

static void ask_zones(const struct zones *zones)
{
        for (size_t i = 0; i < PLACES; i++) {
                const struct zone *found[ZONES_AT_MAX];
                size_t count;

                assert(zones_at(zones, &places[i], ZONES_AT_MAX, found, &count) == 0 && count <= ZONES_AT_MAX);
                for (size_t k = 0; k < count; k++) {
                        bool inside = false;

                        assert(k == 0 || found[k - 1]->index < found[k]->index);
                        assert(zone_covers(zones, found[k], &places[i], &inside) == 0 && inside);
                }
        }
        for (size_t i = 0; i < zones_count(zones); i++) {
                const struct zone *zone = zones_get(zones, i);

                assert(zones_find(zones, zone->id) == zone && zone->index == i);
                assert(zone->id[0] != '\0' && zone->name[0] != '\0');
                assert(zone->ladder.ask_count >= 1 && zone->ladder.next_after_s <= zone->ladder.managers_after_s);
                assert(zone->neighbour_count < zones_count(zones));
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct zones *zones = NULL;
        struct barriers *barriers = NULL;
        struct geo_error error = { "" };
        int r = zones_read((const char *)data, size, &zones, &error);

        assert(r == 0 || (r == -EBADMSG && zones == NULL && strlen(error.text) > 0));
        if (r == 0)
                ask_zones(zones);
        zones_free(zones);
        error.text[0] = '\0';
        r = barriers_read((const char *)data, size, &barriers, &error);
        assert(r == 0 || (r == -EBADMSG && barriers == NULL && strlen(error.text) > 0));
        for (size_t i = 0; i < PLACES && r == 0; i++) {
                double penalty = barriers_penalty(barriers, &places[i], &places[(i + 1) % PLACES]);

                assert(penalty >= 1 && penalty <= BARRIER_PENALTY_MAX);
        }
        barriers_free(barriers);
        return 0;
}
