/* Choosing: who is asked, in which order, and why not the others (DESIGN section 6).  Pure. */
#ifndef GEO_CHOOSE_H
#define GEO_CHOOSE_H

#include <stddef.h>
#include <stdint.h>

#include "geo/barrier.h"
#include "geo/roster.h"
#include "geo/zone.h"

/* The most that one step asks.  Of more, the first in order are asked; the rest are counted. */
#define CHOOSE_MAX         256
/* How many of those passed over an alert's record keeps: the nearest; the others are counted. */
#define CHOOSE_PASSED_KEPT 16
/* A fix at most this old is fresh (DESIGN section 6).  One from the future by more than this is old as well. */
#define CHOOSE_FRESH_MS    600000
/* Persons already asked that a request may name: sixteen full steps.  More are refused. */
#define CHOOSE_ASKED_MAX   4096

/* What choosing looks at.  Borrowed. */
struct choose_ground {
        struct roster *roster;           /* its scratch space is used: one thread at a time */
        const struct zones *zones;       /* for choose_area; may be NULL elsewhere */
        const struct barriers *barriers; /* NULL: none */
};

struct choose_request {
        int64_t now_ms;                  /* UTC, the roster's clock */
        const struct position *at;       /* where help is needed; NULL: not known */
        const struct zone *const *zones; /* those that cover it, or the round's zone where it is not known */
        size_t zone_count;               /* 0..ZONES_AT_MAX; 0: in no zone, where every team is allowed */
        const char *carrier_id;          /* never chosen; NULL: not known */
        const char *const *asked;        /* ids already asked: skipped; ids not in the roster are no error */
        size_t asked_count;              /* 0..CHOOSE_ASKED_MAX */
        size_t count;                    /* how many to choose, 1..CHOOSE_MAX */
};

/* The classes of the order: all of one come before any of the next. */
enum choose_rank {
        RANK_FREE,     /* free, with a fresh fix */
        RANK_FREE_OLD, /* free, with an older fix or none */
        RANK_BUSY,     /* on another alert, with a fresh fix */
        RANK_BUSY_OLD,
        RANK_COUNT
};

/* Why somebody was passed over: the first that holds, from the top. */
enum passed_reason {
        PASSED_CARRIER,     /* is the carrier */
        PASSED_NOT_MANAGER, /* choose_managers only */
        PASSED_OFF_DUTY,    /* not in choose_managers */
        PASSED_UNREACHABLE, /* no presence lease that still runs, and no phone number */
        PASSED_ASKED,       /* already asked */
        PASSED_NOT_ALLOWED, /* the zone names teams, not this one; choose_area: has nothing to do with these zones */
        PASSED_BUSY,        /* on another alert, and enough others were free */
        PASSED_NO_FIX,      /* enough others had a fix */
        PASSED_OLD_FIX,     /* enough others had a fresh fix */
        PASSED_FURTHER,     /* further, or later by id at the same distance or at none */
        PASSED_REASON_COUNT
};

/* passed_reason_name: that in English words: "is the carrier", "off duty", "already asked", "further" ... */
const char *passed_reason_name(enum passed_reason reason);

/* Distances are metres; negative where one of the two positions is not known. */
struct chosen {
        const struct supervisor *who; /* in the roster: good until it changes */
        enum choose_rank rank;
        double distance_m;  /* geodesic */
        double effective_m; /* times the penalty of the barriers between: what was compared */
};

struct passed_over {
        const struct supervisor *who;
        enum passed_reason reason;
        double about_m; /* great circle: to within 1 % and 7 m */
};

/* The caller gives the two arrays and their room; choosing fills them. */
struct choose_result {
        struct chosen *chosen; /* in order: the first to ask first */
        size_t chosen_max;     /* at least request.count */
        size_t chosen_count;
        struct passed_over *passed; /* the nearest of those not chosen, by about_m; those without distance last */
        size_t passed_max;          /* 0 allowed */
        size_t passed_count;
        size_t rest_count; /* neither chosen nor in `passed` */
};

/* choose_nearest: of those on duty, reachable, allowed in one of the zones, not the carrier and not yet asked, the
 * first request.count in this order: by rank; within it by effective distance, those without any last; then by id
 * (strcmp).  Fewer mean that nobody else is eligible.  No heap; about 5 us among 5,000.
 * Returns 0, -EINVAL (position, count or another bound; result untouched). */
int choose_nearest(const struct choose_ground *ground, const struct choose_request *request,
                   struct choose_result *result);

/* choose_area: everyone in the zones and their neighbours, at most request.count, in the order of choose_nearest.
 * Eligible as there, but `allowed` reads: a zone of this area names the team; or one that names none covers the last
 * fix, however old; or the request has no zone at all.  GEOS uses the heap: about 1 us for each box around a fix.
 * Returns 0, -EINVAL (also: zones without ground->zones), -EIO (GEOS raised an exception; nobody chosen). */
int choose_area(const struct choose_ground *ground, const struct choose_request *request, struct choose_result *result);

/* choose_managers: managers who are reachable, on duty or not, of any team, not the carrier and not yet asked, in the
 * same order; at most request.count.  Returns 0, -EINVAL. */
int choose_managers(const struct choose_ground *ground, const struct choose_request *request,
                    struct choose_result *result);

#endif
