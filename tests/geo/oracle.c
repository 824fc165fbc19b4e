#include "tests/geo/oracle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_in_list(const char *id, const char *const *list, size_t count)
{
        for (size_t i = 0; i < count; i++)
                if (strcmp(id, list[i]) == 0)
                        return true;
        return false;
}

static bool zone_lists(const struct zone *zone, const char *team)
{
        for (size_t i = 0; i < zone->team_count; i++)
                if (strcmp(zone->teams[i], team) == 0)
                        return true;
        return false;
}

static bool of_area(const struct oracle_question *q, const struct supervisor *s)
{
        const struct zone *area[2000];
        size_t count = 0;

        for (size_t i = 0; i < q->request->zone_count; i++) {
                const struct zone *zone = q->request->zones[i];

                area[count++] = zone;
                for (size_t k = 0; k < zone->neighbour_count; k++)
                        area[count++] = zone->neighbours[k];
        }
        for (size_t i = 0; i < count; i++) {
                bool inside = false;

                if (zone_lists(area[i], s->team))
                        return true;
                if (area[i]->team_count == 0 && s->has_fix && zone_covers(q->zones, area[i], &s->fix, &inside) == 0 &&
                    inside)
                        return true;
        }
        return count == 0;
}

static bool of_zones(const struct oracle_question *q, const struct supervisor *s)
{
        for (size_t i = 0; i < q->request->zone_count; i++)
                if (q->request->zones[i]->team_count == 0 || zone_lists(q->request->zones[i], s->team))
                        return true;
        return q->request->zone_count == 0;
}

static bool is_eligible(const struct oracle_question *q, const struct supervisor *s, enum passed_reason *ret_reason)
{
        const struct choose_request *r = q->request;
        bool present = s->handset_until_ms > r->now_ms || s->console_until_ms > r->now_ms;

        if (r->carrier_id != NULL && strcmp(r->carrier_id, s->id) == 0)
                *ret_reason = PASSED_CARRIER;
        else if (q->step == ORACLE_MANAGERS && !s->manager)
                *ret_reason = PASSED_NOT_MANAGER;
        else if (q->step != ORACLE_MANAGERS && !s->on_duty)
                *ret_reason = PASSED_OFF_DUTY;
        else if (!present && !s->has_phone)
                *ret_reason = PASSED_UNREACHABLE;
        else if (is_in_list(s->id, r->asked, r->asked_count))
                *ret_reason = PASSED_ASKED;
        else if ((q->step == ORACLE_NEAREST && !of_zones(q, s)) || (q->step == ORACLE_AREA && !of_area(q, s)))
                *ret_reason = PASSED_NOT_ALLOWED;
        else
                return true;
        return false;
}

/* Whether p, q, r turn left (1), right (-1) or not at all, x before y, in whole 1e-7 degrees. */
static int turn(const int64_t p[2], const int64_t q[2], const int64_t r[2])
{
        __int128 a = (__int128)(q[0] - p[0]) * (r[1] - p[1]), b = (__int128)(q[1] - p[1]) * (r[0] - p[0]);

        return a > b ? 1 : a < b ? -1 : 0;
}

static bool is_between(const int64_t p[2], const int64_t q[2], const int64_t r[2])
{
        return llabs(r[0] - p[0]) + llabs(q[0] - r[0]) == llabs(q[0] - p[0]) &&
               llabs(r[1] - p[1]) + llabs(q[1] - r[1]) == llabs(q[1] - p[1]);
}

/* Whether the straight lines p-q and a-b have a point in common, in the plane: the ends of each on both sides of the
 * other, or an end of one on the other. */
static bool lines_meet(const struct position *from, const struct position *to, double shift_deg,
                       const struct oracle_barrier *w)
{
        int64_t p[2] = { llround((from->lon_deg + shift_deg) * 1e7), llround(from->lat_deg * 1e7) };
        int64_t q[2] = { llround((to->lon_deg + shift_deg) * 1e7), llround(to->lat_deg * 1e7) };
        int64_t a[2] = { llround(w->a.lon_deg * 1e7), llround(w->a.lat_deg * 1e7) };
        int64_t b[2] = { llround(w->b.lon_deg * 1e7), llround(w->b.lat_deg * 1e7) };

        return (turn(p, q, a) * turn(p, q, b) < 0 && turn(a, b, p) * turn(a, b, q) < 0) ||
               (turn(p, q, a) == 0 && is_between(p, q, a)) || (turn(p, q, b) == 0 && is_between(p, q, b)) ||
               (turn(a, b, p) == 0 && is_between(a, b, p)) || (turn(a, b, q) == 0 && is_between(a, b, q));
}

static double penalty_of(const struct oracle_question *q, const struct position *from, struct position to)
{
        double worst = 1;

        if (to.lon_deg - from->lon_deg > 180)
                to.lon_deg -= 360;
        else if (from->lon_deg - to.lon_deg > 180)
                to.lon_deg += 360;
        for (size_t i = 0; i < q->barrier_count; i++)
                for (double shift_deg = -360; shift_deg <= 360; shift_deg += 360)
                        if (lines_meet(from, &to, shift_deg, &q->barriers[i]) && q->barriers[i].penalty > worst)
                                worst = q->barriers[i].penalty;
        return worst;
}

static int in_order(const void *a, const void *b)
{
        const struct oracle_person *x = a, *y = b;

        if (x->eligible != y->eligible)
                return x->eligible ? -1 : 1;
        if (x->eligible && x->rank != y->rank)
                return x->rank < y->rank ? -1 : 1;
        if (x->eligible && x->effective_m != y->effective_m)
                return x->effective_m < y->effective_m ? -1 : 1;
        return strcmp(x->who->id, y->who->id);
}

static enum passed_reason why_behind(const struct oracle_person *last, const struct oracle_person *p)
{
        if (p->rank >= 2 && last->rank < 2)
                return PASSED_BUSY;
        if (p->rank != last->rank)
                return p->who->has_fix ? PASSED_OLD_FIX : PASSED_NO_FIX;
        if (p->effective_m == HUGE_VAL && last->effective_m < HUGE_VAL)
                return PASSED_NO_FIX;
        return PASSED_FURTHER;
}

void oracle_choose(const struct roster *roster, const struct oracle_question *question,
                   struct oracle_person *ret_people)
{
        const struct choose_request *r = question->request;
        size_t count = roster_count(roster);
        struct globe globe;

        globe_init(&globe);
        for (size_t i = 0; i < count; i++) {
                const struct supervisor *s = roster_get(roster, i);
                struct oracle_person p = { .who = s, .distance_m = HUGE_VAL, .effective_m = HUGE_VAL };

                p.eligible = is_eligible(question, s, &p.reason);
                p.rank =
                        (s->busy_count > 0 ? 2 : 0) + (s->has_fix && llabs(r->now_ms - s->fix_at_ms) <= 600000 ? 0 : 1);
                if (s->has_fix && r->at != NULL) {
                        p.distance_m = globe_distance_m(&globe, r->at, &s->fix);
                        p.effective_m = p.distance_m * penalty_of(question, r->at, s->fix);
                }
                ret_people[i] = p;
        }
        qsort(ret_people, count, sizeof(*ret_people), in_order);
        for (size_t i = r->count; i < count && ret_people[i].eligible; i++)
                ret_people[i].reason = why_behind(&ret_people[r->count - 1], &ret_people[i]);
}
