#include "geo/choose.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "geo/nearest.h"
#include "geo/roster_rows.h"

/* Two passes.  First the few nearest, found by a chord of the unit sphere that costs three products each: they are
 * judged one by one, make the list of those passed over, and mostly fill the choice.  Then whoever else could still
 * come before the last of the choice: nearly nobody once it is full of free people with a fresh fix.  The geodesic is
 * worked out only for those that the chord, with its margin, cannot rule out; a barrier makes a way longer, never
 * shorter. */

enum step { STEP_NEAREST, STEP_AREA, STEP_MANAGERS };

struct choosing {
        const struct choose_ground *ground;
        const struct choose_request *request;
        struct choose_result *result;
        struct roster *roster;
        enum step step;
        int carrier; /* a number, or -1 */
        struct unit_vector at;
        size_t near_count;
        float near2;  /* everyone with a squared chord of at most this is among the near */
        bool full;    /* request->count are chosen: only who comes before the last gets in */
        float limit2; /* then: of the last one's rank, nobody with a greater chord comes before */
        int error;    /* of GEOS */
};

/* The near are at least as many as are asked for, and these: enough that some are mostly eligible. */
#define NEAR_MIN 16

/* The ring around them is so many times as large. */
#define RING 8

/* A verdict is a rank, or this + a reason. */
#define PASSED RANK_COUNT

const char *passed_reason_name(enum passed_reason reason)
{
        static const char *const names[PASSED_REASON_COUNT] = {
                [PASSED_CARRIER] = "is the carrier",
                [PASSED_NOT_MANAGER] = "not a manager",
                [PASSED_OFF_DUTY] = "off duty",
                [PASSED_UNREACHABLE] = "unreachable",
                [PASSED_ASKED] = "already asked",
                [PASSED_NOT_ALLOWED] = "not allowed in zone",
                [PASSED_BUSY] = "busy",
                [PASSED_NO_FIX] = "no fix",
                [PASSED_OLD_FIX] = "old fix",
                [PASSED_FURTHER] = "further",
        };

        return (size_t)reason < PASSED_REASON_COUNT ? names[reason] : "?";
}

/* ---- who is eligible ---- */

static bool allowed_in_zones(const struct choose_request *request, const char *team, uint64_t hash)
{
        bool allowed = request->zone_count == 0;

        for (size_t i = 0; i < request->zone_count && !allowed; i++)
                allowed = zone_allows_team(request->zones[i], team, hash);
        return allowed;
}

/* Whether ZONE makes supervisor NUMBER one of its area; see choose_area. */
static bool zone_counts_in(struct choosing *c, const struct zone *zone, size_t number)
{
        const struct supervisor *s = &c->roster->all[number];
        bool inside = false;
        int r;

        if (zone->team_count > 0)
                return zone_names_team(zone, s->team, c->roster->rows[number].team_hash);
        if (!s->has_fix)
                return false;
        r = zone_covers(c->ground->zones, zone, &s->fix, &inside);
        if (r < 0)
                c->error = r;
        return r == 0 && inside;
}

static bool allowed_in_area(struct choosing *c, size_t number)
{
        bool allowed = c->request->zone_count == 0;

        for (size_t i = 0; i < c->request->zone_count && !allowed; i++) {
                const struct zone *zone = c->request->zones[i];

                allowed = zone_counts_in(c, zone, number);
                for (size_t k = 0; k < zone->neighbour_count && !allowed; k++)
                        allowed = zone_counts_in(c, zone->neighbours[k], number);
        }
        return allowed;
}

static bool is_allowed(struct choosing *c, size_t number)
{
        switch (c->step) {
        case STEP_NEAREST:
                return allowed_in_zones(c->request, c->roster->all[number].team, c->roster->rows[number].team_hash);
        case STEP_AREA:
                return allowed_in_area(c, number);
        case STEP_MANAGERS:
                break;
        }
        return true;
}

static enum choose_rank rank_of(const struct roster_row *row, int64_t now_ms)
{
        bool fresh = row->has_fix && row->fix_at_ms >= now_ms - CHOOSE_FRESH_MS &&
                     row->fix_at_ms <= now_ms + CHOOSE_FRESH_MS;

        return (row->busy ? RANK_BUSY : RANK_FREE) + (fresh ? 0 : 1);
}

static uint8_t judge(struct choosing *c, size_t number)
{
        const struct roster_row *row = &c->roster->rows[number];

        if ((int)number == c->carrier)
                return PASSED + PASSED_CARRIER;
        if (c->step == STEP_MANAGERS && !row->manager)
                return PASSED + PASSED_NOT_MANAGER;
        if (c->step != STEP_MANAGERS && !row->on_duty)
                return PASSED + PASSED_OFF_DUTY;
        if (row->reachable_until_ms <= c->request->now_ms)
                return PASSED + PASSED_UNREACHABLE;
        if (c->roster->asked[number])
                return PASSED + PASSED_ASKED;
        if (!is_allowed(c, number))
                return PASSED + PASSED_NOT_ALLOWED;
        return (uint8_t)rank_of(row, c->request->now_ms);
}

/* ---- the choice: an array kept in order ---- */

static bool comes_before(const struct chosen *a, const struct chosen *b)
{
        if (a->rank != b->rank)
                return a->rank < b->rank;
        if ((a->effective_m < 0) != (b->effective_m < 0))
                return b->effective_m < 0;
        if (a->effective_m != b->effective_m)
                return a->effective_m < b->effective_m;
        return strcmp(a->who->id, b->who->id) < 0;
}

static void choice_put(struct choosing *c, const struct chosen *who)
{
        struct choose_result *result = c->result;
        size_t i;

        if (!c->full)
                i = result->chosen_count++;
        else if (comes_before(who, &result->chosen[result->chosen_count - 1]))
                i = result->chosen_count - 1;
        else
                return;
        for (; i > 0 && comes_before(who, &result->chosen[i - 1]); i--)
                result->chosen[i] = result->chosen[i - 1];
        result->chosen[i] = *who;
        c->full = result->chosen_count == c->request->count;
        if (c->full) {
                double last_m = result->chosen[result->chosen_count - 1].effective_m;

                c->limit2 = last_m < 0 ? FLT_MAX : sift_chord2(last_m);
        }
}

static float chord2_of(const struct choosing *c, size_t number)
{
        return nearest_chord2(c->roster, number, &c->at);
}

/* Whether the chord, without the geodesic, says that NUMBER cannot come before the last of a full choice of his rank,
 * on a way PENALTY times as long. */
static bool is_sifted_out(const struct choosing *c, size_t number, double penalty)
{
        double last_m = c->result->chosen[c->result->chosen_count - 1].effective_m;

        return chord2_of(c, number) > (penalty > 1 && last_m >= 0 ? sift_chord2(last_m / penalty) : c->limit2);
}

/* Put supervisor NUMBER, eligible with RANK, where he belongs in the choice, if he does. */
static void consider(struct choosing *c, size_t number, enum choose_rank rank)
{
        const struct chosen *last = c->full ? &c->result->chosen[c->result->chosen_count - 1] : NULL;
        struct chosen who = { &c->roster->all[number], rank, -1, -1 };
        bool sift = last != NULL && rank == last->rank;
        double penalty;

        if (last != NULL && rank > last->rank)
                return;
        if (c->request->at != NULL && c->roster->rows[number].has_fix) {
                if (sift && is_sifted_out(c, number, 1))
                        return;
                penalty = barriers_penalty(c->ground->barriers, c->request->at, &who.who->fix);
                if (sift && penalty > 1 && is_sifted_out(c, number, penalty))
                        return;
                who.distance_m = globe_distance_m(&c->roster->globe, c->request->at, &who.who->fix);
                who.effective_m = who.distance_m * penalty;
        }
        choice_put(c, &who);
}

/* ---- the scan ---- */

/* The block minima, then roster->near: everyone with a squared chord of at most c->near2, nearest first; at least
 * WANTED of them, or all. */
static void find_near(struct choosing *c, size_t wanted)
{
        struct roster *roster = c->roster;

        c->near2 = FLT_MAX;
        if (c->request->at == NULL) {
                c->near_count = wanted < roster->count ? wanted : roster->count;
                for (size_t i = 0; i < c->near_count; i++)
                        roster->near[i].number = (uint32_t)i;
                return;
        }
        c->at = position_unit_vector(c->request->at);
        nearest_measure(roster, &c->at);
        c->near_count = nearest_find(roster, &c->at, wanted, &c->near2);
}

/* Best rank first, so that no geodesic is worked out for somebody whom the next would push out. */
static void consider_near(struct choosing *c)
{
        struct roster *roster = c->roster;

        for (size_t i = 0; i < c->near_count; i++)
                roster->verdicts[i] = judge(c, roster->near[i].number);
        for (uint8_t rank = 0; rank < RANK_COUNT && !c->full; rank++)
                for (size_t i = 0; i < c->near_count; i++)
                        if (roster->verdicts[i] == rank)
                                consider(c, roster->near[i].number, rank);
}

static void consider_one(struct choosing *c, size_t number)
{
        uint8_t verdict = judge(c, number);

        if (verdict < PASSED)
                consider(c, number, verdict);
}

/* The squared chord beyond which nobody can come before the last of the choice, whatever his rank.  It only falls. */
static float limit_of(const struct choosing *c)
{
        bool best = c->full && c->result->chosen[c->result->chosen_count - 1].rank == RANK_FREE;

        return best ? c->limit2 : FLT_MAX;
}

/* Those further than OVER2 and not further than UP_TO2. */
static void consider_ring(struct choosing *c, float over2, float up_to2)
{
        for (size_t first = 0; first < c->roster->count; first += ROSTER_BLOCK) {
                float limit2 = limit_of(c) < up_to2 ? limit_of(c) : up_to2;

                if (limit2 <= over2)
                        return;
                if (c->roster->block_min[first / ROSTER_BLOCK] > limit2)
                        continue;
                for (size_t i = first; i < first + ROSTER_BLOCK; i++) {
                        float chord2 = chord2_of(c, i);

                        if (chord2 > over2 && chord2 <= limit2)
                                consider_one(c, i);
                }
        }
}

/* Everyone but the near.  First a ring around those: where a zone allows few teams, it mostly completes the choice. */
static void consider_rest(struct choosing *c)
{
        if (c->request->at == NULL) {
                for (size_t i = c->near_count; i < c->roster->count; i++)
                        consider_one(c, i);
                return;
        }
        consider_ring(c, c->near2, RING * c->near2);
        consider_ring(c, RING * c->near2, FLT_MAX);
}

/* ---- why not the others ---- */

/* For someone eligible: what the last of the choice has and he has not. */
static enum passed_reason reason_behind(const struct chosen *last, uint8_t rank, bool has_fix)
{
        if (rank >= RANK_BUSY && last->rank < RANK_BUSY)
                return PASSED_BUSY;
        if (rank != last->rank || (last->effective_m >= 0 && !has_fix))
                return has_fix ? PASSED_OLD_FIX : PASSED_NO_FIX;
        return PASSED_FURTHER;
}

static enum passed_reason reason_of(const struct choosing *c, size_t number, uint8_t verdict)
{
        if (verdict >= PASSED)
                return verdict - PASSED;
        return reason_behind(&c->result->chosen[c->result->chosen_count - 1], verdict, c->roster->rows[number].has_fix);
}

static void list_passed(struct choosing *c)
{
        struct choose_result *result = c->result;
        struct roster *roster = c->roster;

        for (size_t i = 0; i < result->chosen_count; i++)
                roster->taken[result->chosen[i].who - roster->all] = true;
        for (size_t i = 0; i < c->near_count && result->passed_count < result->passed_max; i++) {
                size_t number = roster->near[i].number;
                bool measured = c->request->at != NULL && roster->rows[number].has_fix;

                if (!roster->taken[number])
                        result->passed[result->passed_count++] = (struct passed_over){
                                &roster->all[number],
                                reason_of(c, number, roster->verdicts[i]),
                                measured ? sift_distance_m(roster->near[i].chord2) : -1,
                        };
        }
        for (size_t i = 0; i < result->chosen_count; i++)
                roster->taken[result->chosen[i].who - roster->all] = false;
        result->rest_count = roster->count - result->chosen_count - result->passed_count;
}

static bool request_is_valid(const struct choosing *c)
{
        const struct choose_request *request = c->request;

        return request->count >= 1 && request->count <= CHOOSE_MAX && request->count <= c->result->chosen_max &&
               request->asked_count <= CHOOSE_ASKED_MAX && request->zone_count <= ZONES_AT_MAX &&
               (request->at == NULL || position_is_valid(request->at)) &&
               (c->step != STEP_AREA || request->zone_count == 0 || c->ground->zones != NULL);
}

static void mark_asked(const struct choosing *c, bool asked)
{
        for (size_t i = 0; i < c->request->asked_count; i++) {
                int number = roster_number(c->roster, c->request->asked[i]);

                if (number >= 0)
                        c->roster->asked[number] = asked;
        }
}

static int choose(struct choosing *c)
{
        struct choose_result *result = c->result;
        const char *carrier_id = c->request->carrier_id;

        if (!request_is_valid(c))
                return -EINVAL;
        c->roster = c->ground->roster;
        c->carrier = carrier_id != NULL ? roster_number(c->roster, carrier_id) : -1;
        result->chosen_count = result->passed_count = 0;
        mark_asked(c, true);
        find_near(c, c->request->count + (result->passed_max > NEAR_MIN ? result->passed_max : NEAR_MIN));
        consider_near(c);
        consider_rest(c);
        list_passed(c);
        mark_asked(c, false);
        if (c->error < 0)
                result->chosen_count = result->passed_count = 0;
        return c->error;
}

int choose_nearest(const struct choose_ground *ground, const struct choose_request *request,
                   struct choose_result *result)
{
        struct choosing c = { .ground = ground, .request = request, .result = result, .step = STEP_NEAREST };

        return choose(&c);
}

int choose_area(const struct choose_ground *ground, const struct choose_request *request, struct choose_result *result)
{
        struct choosing c = { .ground = ground, .request = request, .result = result, .step = STEP_AREA };

        return choose(&c);
}

int choose_managers(const struct choose_ground *ground, const struct choose_request *request,
                    struct choose_result *result)
{
        struct choosing c = { .ground = ground, .request = request, .result = result, .step = STEP_MANAGERS };

        return choose(&c);
}
