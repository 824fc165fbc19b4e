/* Choosing once more, slow and obvious: every distance worked out, everything sorted.  What choose.c must equal, and
 * the peer it is measured against.  Shares no code with it but the geodesic and the records. */
#ifndef TESTS_GEO_ORACLE_H
#define TESTS_GEO_ORACLE_H

#include "geo/choose.h"

struct oracle_barrier {
        struct position a, b;
        double penalty;
};

enum oracle_step { ORACLE_NEAREST, ORACLE_AREA, ORACLE_MANAGERS };

struct oracle_question {
        enum oracle_step step;
        const struct zones *zones;
        const struct oracle_barrier *barriers;
        size_t barrier_count;
        const struct choose_request *request;
};

struct oracle_person {
        const struct supervisor *who;
        bool eligible;
        enum passed_reason reason; /* where not eligible, or not chosen */
        int rank;                  /* where eligible: 0 first */
        double distance_m, effective_m;
};

/* oracle_choose: everyone of ROSTER into ret_people (room for all): the eligible in order, then the others.  The first
 * request->count eligible ones are the choice. */
void oracle_choose(const struct roster *roster, const struct oracle_question *question,
                   struct oracle_person *ret_people);

#endif
