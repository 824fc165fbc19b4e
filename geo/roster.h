/* The roster: the supervisors of a region in memory, from whom choosing picks.  Pure: times come in as data. */
#ifndef GEO_ROSTER_H
#define GEO_ROSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "geo/name.h"
#include "geo/position.h"

/* Supervisors in one region.  A region has some 5,000; four times that.  At it roster_put refuses whoever is new, and
 * the caller logs it; those already in stay and are kept fresh. */
#define ROSTER_MAX        20000
/* The presence lease: added by the caller to when a handset or a visible console was last heard (DESIGN section 6). */
#define PRESENCE_LEASE_MS 30000

/* All times are UTC milliseconds by the same clock as choose_request.now_ms. */
struct supervisor {
        char id[PERSON_ID_MAX + 1];
        char team[TEAM_MAX + 1]; /* "": no team, allowed where a zone names none */
        bool on_duty;
        bool manager;             /* asked last (choose_managers), and before that like everyone */
        bool has_phone;           /* a phone number is known: reachable by SMS without any presence */
        uint16_t busy_count;      /* alerts this person has taken, other than the one being chosen for */
        int64_t handset_until_ms; /* end of the handset's presence lease; 0 none */
        int64_t console_until_ms; /* end of the visible console's */
        bool has_fix;
        struct position fix; /* the last one known; valid where has_fix */
        int64_t fix_at_ms;   /* when it was taken */
};

struct roster;

/* roster_new: an empty roster.  Returns 0, -ENOMEM.  Freed by roster_free.  Some 5 MiB, touched as it fills. */
int roster_new(struct roster **ret_roster);
void roster_free(struct roster *roster);

/* roster_put: add SUPERVISOR, or replace whoever has that id.  Copied.
 * Any put or remove moves records: pointers into the roster are good until then only.
 * Returns 0, -EINVAL (id, team or fix not valid; nothing changed), -ENOBUFS (new, and ROSTER_MAX reached). */
int roster_put(struct roster *roster, const struct supervisor *supervisor);

/* roster_remove: take ID out.  Returns 0, -ENOENT. */
int roster_remove(struct roster *roster, const char *id);

/* roster_find: the record of ID, or NULL.  To change it: copy, change, roster_put. */
const struct supervisor *roster_find(const struct roster *roster, const char *id);

/* roster_count, roster_get: how many; number INDEX (below the count), in no order. */
size_t roster_count(const struct roster *roster);
const struct supervisor *roster_get(const struct roster *roster, size_t index);

#endif
