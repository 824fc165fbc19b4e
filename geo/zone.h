/* Zones: the areas supervisors answer for, read from GeoJSON once, then only asked.  Pure.
 * A struct zones has one GEOS handle inside (shape.h): one thread at a time. */
#ifndef GEO_ZONE_H
#define GEO_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "geo/geojson.h"
#include "geo/name.h"
#include "geo/position.h"

/* Octets of a zone's id and name; longer ones are refused. */
#define ZONE_ID_MAX         40
#define ZONE_NAME_MAX       120
/* Teams one zone may name.  One more is refused. */
#define ZONE_TEAMS_MAX      32
/* Zones that may cover one place.  Real maps overlap two or three deep; of more, the lowest ids are given. */
#define ZONES_AT_MAX        16
/* Neighbours kept for a zone.  Real ones have up to 30; of more, the lowest ids are kept. */
#define ZONE_NEIGHBOURS_MAX 256
/* Zones whose outlines come this near are neighbours: outlines drawn apart leave slivers of some metres. */
#define ZONE_NEIGHBOUR_M    50

/* The ladder an alert climbs (DESIGN section 6).  Times are seconds after the alert was raised, except sms_after_s. */
struct zone_ladder {
        uint16_t ask_count;        /* asked at once, and again at each step: 1..20; 3 */
        uint16_t sms_after_s;      /* not confirmed seen this long after being asked: SMS, and the next one: 1..60; 5 */
        uint16_t next_after_s;     /* the next ask_count: 5..900; 30 */
        uint16_t all_after_s;      /* everyone on duty in the zone and its neighbours: next_after_s..1800; 60 */
        uint16_t managers_after_s; /* the managers: all_after_s..3600; 120 */
};

/* zone_ladder_default: the ladder where no zone says otherwise, or there is no zone: the last figure of each line. */
struct zone_ladder zone_ladder_default(void);

/* A zone, to be read only; lives as long as its struct zones. */
struct zone {
        char id[ZONE_ID_MAX + 1];     /* unique; see zones_read */
        char name[ZONE_NAME_MAX + 1]; /* UTF-8 for people, no control characters; the id where there is none */
        bool no_coverage;             /* known to have no network: overdue comes later here */
        struct zone_ladder ladder;
        size_t team_count; /* 0: all teams are allowed */
        char (*teams)[TEAM_MAX + 1];
        uint64_t *team_hashes; /* name_hash of each team */
        size_t neighbour_count;
        const struct zone **neighbours; /* those that touch it, overlap it or come within ZONE_NEIGHBOUR_M; by id */
        size_t index;                   /* its rank by id: zones_get(zones, index) is this zone */
};

struct zones;

/* zones_read: all zones of TEXT (GeoJSON, see geojson.h), or none at all.  Geometry: Polygon or MultiPolygon, holes
 * allowed, each ring closed and of at least 4 positions, valid as GEOS says (no self-intersection), no edge over 180
 * degrees of longitude.  Properties, all optional, others ignored:
 *   name, nom    text; else the id
 *   id, code     text or whole number, the first that is there; else the feature's own `id`, else its name,
 *                else "feature-00012" (its index).  Two zones with one id are refused.
 *   teams        list of team names; absent, null or empty: all teams allowed
 *   no_coverage  true or false
 *   ladder       object with fields of struct zone_ladder, whole numbers in their bounds; unknown fields are refused
 *   ret_zones    freed by zones_free.  No feature at all is no error: zero zones
 *   ret_error    written on failure only: the feature (index from 0, and name) and the rule
 * Returns 0, -EBADMSG (refused), -EFBIG (a bound), -ENOMEM, -EIO (GEOS failed otherwise).
 * Cost: about 0.2 s for 1,000 zones of 200 positions.  Source: RFC 7946; GEOS C API. */
int zones_read(const char *text, size_t length, struct zones **ret_zones, struct geo_error *ret_error);
void zones_free(struct zones *zones);

/* zones_count, zones_get: how many there are; number INDEX (below the count) in the order of ids (strcmp). */
size_t zones_count(const struct zones *zones);
const struct zone *zones_get(const struct zones *zones, size_t index);

/* zones_find: the zone with this id, or NULL. */
const struct zone *zones_find(const struct zones *zones, const char *id);

/* zones_at: every zone that covers AT, lowest id first; a boundary counts as inside, a hole does not.
 *   max        room in ret_zones, 1..ZONES_AT_MAX; of more zones, those with the lowest ids
 *   ret_count  how many were written; 0 where there is no zone
 * Returns 0, -EINVAL (AT not valid), -EIO (GEOS raised an exception).  About 1 us.  Source: GEOSPreparedCovers_r. */
int zones_at(const struct zones *zones, const struct position *at, size_t max, const struct zone **ret_zones,
             size_t *ret_count);

/* zone_covers: say whether AT (valid) lies in ZONE, a zone of ZONES; the boundary counts as inside.
 * Returns 0, -EINVAL, -EIO as zones_at. */
int zone_covers(const struct zones *zones, const struct zone *zone, const struct position *at, bool *ret_inside);

/* zone_names_team: say whether ZONE's list holds TEAM (HASH: its name_hash).  A zone without a list names none. */
bool zone_names_team(const struct zone *zone, const char *team, uint64_t hash);

/* zone_allows_team: the same, or the zone has no list. */
bool zone_allows_team(const struct zone *zone, const char *team, uint64_t hash);

#endif
