/* The roster's inside: roster.c keeps it, nearest.c and choose.c scan it.  Inside geo/ only. */
#ifndef GEO_ROSTER_ROWS_H
#define GEO_ROSTER_ROWS_H

#include "geo/roster.h"

/* Supervisors whose distances are worked out together, and known by the nearest of them.  Divides ROSTER_MAX. */
#define ROSTER_BLOCK            16
#define ROSTER_BLOCKS           (ROSTER_MAX / ROSTER_BLOCK)
/* Blocks that hold COUNT records, the last one perhaps in part. */
#define ROSTER_BLOCKS_OF(count) (((count) + ROSTER_BLOCK - 1) / ROSTER_BLOCK)
/* Places of the table from ids to numbers: a power of two, at least three times ROSTER_MAX so that runs stay short. */
#define ROSTER_PLACES           65536

/* Whoever has no fix stands off the unit sphere: further from any place of it than any two places are from each other
 * (squared chord 49 and more against 4).  A place of the arrays that holds nobody is infinitely far. */
#define ROSTER_NO_FIX_X 8.0f

/* What decides whether somebody is eligible, beside the distance: the part of a record that a scan reads. */
struct roster_row {
        uint64_t id_hash, team_hash;
        int64_t reachable_until_ms; /* the longer presence lease; INT64_MAX with a phone number */
        int64_t fix_at_ms;
        bool on_duty, manager, busy, has_fix;
};

/* One of the near: his squared chord and his number. */
struct roster_near {
        float chord2;
        uint32_t number;
};

struct roster {
        size_t count;
        struct globe globe;
        /* record k: its fix on the unit sphere, its row, all of it */
        float x[ROSTER_MAX], y[ROSTER_MAX], z[ROSTER_MAX];
        struct roster_row rows[ROSTER_MAX];
        struct supervisor all[ROSTER_MAX];
        /* open addressing, linear: number + 1 of whoever hashes to here or before, 0 none */
        uint16_t places[ROSTER_PLACES];

        /* scratch of one choosing (nearest.c, choose.c) */
        float block_min[ROSTER_BLOCKS];            /* the least squared chord of each block */
        uint16_t hits[ROSTER_BLOCKS + 1];          /* blocks with somebody near */
        struct roster_near near[ROSTER_MAX + 1];   /* nearest first; both have room for one that does not count */
        float chord2[ROSTER_MAX];                  /* of each of `near`, while they are found */
        uint8_t verdicts[ROSTER_MAX];              /* on each of `near` */
        bool asked[ROSTER_MAX], taken[ROSTER_MAX]; /* by number: already asked; chosen */
};

/* roster_number: the number of ID, or -1. */
int roster_number(const struct roster *roster, const char *id);

#endif
