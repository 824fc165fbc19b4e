/* Choosing against the oracle on a million seeded cases.  A failing case prints its seed; `choose_oracle_test SEED`
 * runs that world alone (in the same build: compilers draw in their own order).  Each world is a roster and barriers
 * somewhere on earth, asked several times. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/geo/cmocka_first.h"
#include "tests/geo/oracle.h"
#include "tests/sanitized.h"

#define WORLDS       (SANITIZED ? 5000 : 26000)
#define ASKS         40
#define NOW_MS       INT64_C(1700000000000)
#define BARRIERS_MAX 6
#define LISTED_MAX   64
#define LARGE        3000

struct world {
        uint64_t seed, random;
        struct position centre;
        double spread_deg;
        bool grid; /* places on a coarse grid: ties */
        struct roster *roster;
        const struct zones *zones;
        struct barriers *barriers;
        struct oracle_barrier lines[BARRIERS_MAX];
        size_t line_count;
        struct oracle_person *people;
        unsigned long cases, chosen, nobody; /* what was met, to know that it was */
};

static uint64_t draw(struct world *w, uint64_t below)
{
        w->random += 0x9e3779b97f4a7c15; /* splitmix64 */
        uint64_t z = w->random;

        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return (z ^ (z >> 31)) % below;
}

static double uniform(struct world *w)
{
        return (double)draw(w, UINT64_C(1) << 53) / (double)(UINT64_C(1) << 53);
}

/* A place on the 1e-7 degree grid, as positions come; a coarse one where ties are wanted. */
static struct position place(struct world *w)
{
        double step = w->grid ? w->spread_deg / 4 : 1e-7;
        double lat = w->centre.lat_deg + w->spread_deg * (2 * uniform(w) - 1);
        double lon = w->centre.lon_deg + w->spread_deg * (2 * uniform(w) - 1);

        lat = fmax(-90, fmin(90, step > 0 ? round(lat / step) * step : lat));
        lon = step > 0 ? round(lon / step) * step : lon;
        lon = lon > 180 ? lon - 360 : lon < -180 ? lon + 360 : lon;
        lon = draw(w, 40) == 0 ? -lon : lon; /* now and then the other side; of 180, the same place */
        return (struct position){ round(lat * 1e7) / 1e7, round(lon * 1e7) / 1e7 };
}

static void make_place(struct world *w)
{
        static const struct position centres[] = { { 45.75, 4.85 },   { 0, 180 },    { 89.999, 20 }, { -90, 0 },
                                                   { 17.5, -179.99 }, { 45.7, 4.9 }, { 0.5, 0.5 } };
        static const double spreads[] = { 0, 1e-6, 0.001, 0.05, 0.3, 3, 40, 180 };

        w->centre = centres[draw(w, sizeof(centres) / sizeof(*centres))];
        w->spread_deg = spreads[draw(w, sizeof(spreads) / sizeof(*spreads))];
        w->grid = draw(w, 3) == 0;
}

static void make_roster(struct world *w)
{
        static const int64_t ages_ms[] = { 0, 1000, 599999, 600000, 600001, 90000000, -600000, -600001 };
        static const char *const teams[] = { "", "n", "s", "x" };
        size_t count = draw(w, 200) == 0 ? 200 + draw(w, LARGE - 200) : draw(w, 10) == 0 ? draw(w, 120) : draw(w, 12);
        unsigned good = 60 + (unsigned)draw(w, 41); /* percent of those who are on duty, reachable, free ... */

        while (roster_count(w->roster) > 0)
                assert_int_equal(roster_remove(w->roster, roster_get(w->roster, 0)->id), 0);
        for (size_t i = 0; i < count; i++) {
                struct supervisor s = {
                        .on_duty = draw(w, 100) < good,
                        .manager = draw(w, 5) == 0,
                        .has_phone = draw(w, 4) == 0,
                        .busy_count = draw(w, 100) < good ? 0 : (uint16_t)draw(w, 3),
                        .handset_until_ms = draw(w, 100) < good ? NOW_MS + 1 + (int64_t)draw(w, 30000) : NOW_MS,
                        .console_until_ms = draw(w, 10) == 0 ? NOW_MS + 1 : 0,
                        .has_fix = draw(w, 8) != 0,
                        .fix = place(w),
                        .fix_at_ms = NOW_MS - ages_ms[draw(w, 100) < good ? draw(w, 3) : draw(w, 8)],
                };

                snprintf(s.id, sizeof(s.id), "%s%u", draw(w, 2) ? "s" : "S", (unsigned)draw(w, 4 * count));
                strcpy(s.team, teams[draw(w, 4)]);
                assert_int_equal(roster_put(w->roster, &s), 0); /* a drawn id twice replaces the first */
        }
}

static void make_barriers(struct world *w)
{
        char *text = NULL;
        size_t length = 0;
        FILE *f = open_memstream(&text, &length);
        struct geo_error error = { "" };

        w->line_count = 0;
        fputs("{\"type\":\"FeatureCollection\",\"features\":[", f);
        for (size_t i = draw(w, 3) == 0 ? draw(w, BARRIERS_MAX + 1) : 0; i > 0; i--) {
                struct oracle_barrier l = { place(w), place(w), 1 + (double)draw(w, 20) };

                if (fabs(l.a.lon_deg - l.b.lon_deg) > 180)
                        continue;
                fprintf(f,
                        "%s{\"type\":\"Feature\",\"properties\":{\"penalty\":%g},\"geometry\":{\"type\":\"LineString\","
                        "\"coordinates\":[[%.7f,%.7f],[%.7f,%.7f]]}}",
                        w->line_count > 0 ? "," : "", l.penalty, l.a.lon_deg, l.a.lat_deg, l.b.lon_deg, l.b.lat_deg);
                w->lines[w->line_count++] = l;
        }
        fputs("]}", f);
        fclose(f);
        barriers_free(w->barriers);
        w->barriers = NULL;
        if (barriers_read(text, length, &w->barriers, &error) != 0)
                fail_msg("seed %llu: barriers: %s", (unsigned long long)w->seed, error.text);
        free(text);
}

/* The request of one case, and what its pointers point to. */
struct asking {
        struct choose_request request;
        struct position at;
        const struct zone *zones[ZONES_AT_MAX];
        const char *asked[8];
        enum oracle_step step;
};

static const char *some_id(struct world *w)
{
        size_t count = roster_count(w->roster);

        return count > 0 && draw(w, 5) != 0 ? roster_get(w->roster, draw(w, count))->id : "nobody";
}

static void make_asking(struct world *w, struct asking *a)
{
        struct choose_request *r = &a->request;

        *r = (struct choose_request){ .now_ms = NOW_MS, .zones = a->zones, .asked = a->asked };
        a->at = place(w);
        a->step = draw(w, 8) == 0 ? ORACLE_AREA : draw(w, 8) == 0 ? ORACLE_MANAGERS : ORACLE_NEAREST;
        r->at = draw(w, 12) == 0 ? NULL : &a->at;
        r->carrier_id = draw(w, 3) == 0 ? NULL : some_id(w);
        r->asked_count = draw(w, 3) == 0 ? draw(w, 8) : 0;
        r->count = draw(w, 10) == 0 ? 1 + draw(w, LISTED_MAX) : 1 + draw(w, 5);
        for (size_t i = 0; i < r->asked_count; i++)
                a->asked[i] = some_id(w);
        if (draw(w, 2) == 0)
                assert_int_equal(zones_at(w->zones, &a->at, ZONES_AT_MAX, a->zones, &r->zone_count), 0);
        else if (draw(w, 2) == 0)
                a->zones[r->zone_count++] = zones_get(w->zones, draw(w, zones_count(w->zones)));
}

static void wrong(const struct world *w, unsigned ask, const char *what)
{
        fail_msg("seed %llu, ask %u: %s", (unsigned long long)w->seed, ask, what);
}

static void compare_chosen(struct world *w, unsigned ask, const struct choose_request *request,
                           const struct choose_result *result)
{
        size_t eligible = 0, count = roster_count(w->roster);

        while (eligible < count && w->people[eligible].eligible)
                eligible++;
        if (result->chosen_count != (eligible < request->count ? eligible : request->count))
                wrong(w, ask, "another number of chosen");
        for (size_t i = 0; i < result->chosen_count; i++) {
                const struct chosen *c = &result->chosen[i];
                const struct oracle_person *o = &w->people[i];
                bool known = o->distance_m < HUGE_VAL;

                if (c->who != o->who)
                        wrong(w, ask, "somebody else is chosen");
                if ((int)c->rank != o->rank || c->distance_m != (known ? o->distance_m : -1) ||
                    c->effective_m != (known ? o->effective_m : -1))
                        wrong(w, ask, "another rank or distance");
        }
        w->chosen += result->chosen_count;
        w->nobody += eligible == 0;
}

/* Everyone listed has the oracle's reason, nobody is listed twice or chosen as well, and nobody left out is nearer than
 * somebody listed, but for what the sift cannot tell. */
static void compare_passed(struct world *w, unsigned ask, const struct choose_request *request,
                           const struct choose_result *result)
{
        size_t count = roster_count(w->roster), listed = 0;
        double furthest_m = 0, nearest_m = HUGE_VAL;

        if (result->chosen_count + result->passed_count + result->rest_count != count)
                wrong(w, ask, "counts do not add up");
        if (result->rest_count > 0 && result->passed_count < result->passed_max)
                wrong(w, ask, "the list is not full");
        for (size_t i = 0; i < count; i++) {
                const struct oracle_person *o = &w->people[i];
                const struct passed_over *p = NULL;
                double m = o->distance_m < HUGE_VAL ? o->distance_m : -1;

                for (size_t k = 0; k < result->passed_count; k++)
                        if (result->passed[k].who == o->who)
                                p = &result->passed[k];
                if (p == NULL && i >= result->chosen_count)
                        nearest_m = m >= 0 && m < nearest_m ? m : nearest_m;
                if (p == NULL)
                        continue;
                listed++;
                furthest_m = m < 0 && request->at != NULL ? HUGE_VAL : m > furthest_m ? m : furthest_m;
                if (i < result->chosen_count || p->reason != o->reason)
                        wrong(w, ask, "another reason");
                if (m < 0 ? p->about_m >= 0 : fabs(p->about_m - m) > 7 + m * SIFT_MARGIN)
                        wrong(w, ask, "not about that far");
        }
        if (listed != result->passed_count)
                wrong(w, ask, "somebody is listed twice");
        if (request->at != NULL && furthest_m * (1 - SIFT_MARGIN) > nearest_m * (1 + SIFT_MARGIN) + 14)
                wrong(w, ask, "somebody nearer is left out");
}

static void ask_once(struct world *w, unsigned ask)
{
        static struct passed_over passed[LARGE];
        struct chosen chosen[LISTED_MAX];
        struct choose_result result = { .chosen = chosen, .chosen_max = LISTED_MAX, .passed = passed };
        struct asking a;
        struct choose_ground ground = { w->roster, w->zones, w->barriers };
        struct oracle_question question = {
                .zones = w->zones, .barriers = w->lines, .barrier_count = w->line_count, .request = &a.request
        };
        int r;

        make_asking(w, &a);
        question.step = a.step;
        result.passed_max = (size_t[]){ 0, 1, 16, LARGE }[draw(w, 4)];
        r = a.step == ORACLE_AREA       ? choose_area(&ground, &a.request, &result)
            : a.step == ORACLE_MANAGERS ? choose_managers(&ground, &a.request, &result)
                                        : choose_nearest(&ground, &a.request, &result);
        if (r != 0)
                wrong(w, ask, "an error");
        oracle_choose(w->roster, &question, w->people);
        compare_chosen(w, ask, &a.request, &result);
        if (roster_count(w->roster) <= 200 || ask == 0) /* comparing the lists takes the square of that */
                compare_passed(w, ask, &a.request, &result);
        w->cases++;
}

/* Squares that share borders and overlap, at every centre; every third names teams. */
static struct zones *make_zones(void)
{
        static const struct position corners[] = { { 45.5, 4.5 }, { -0.5, -180 }, { -0.5, 179 }, { 89, 19 },
                                                   { -90, -1 },   { 17, -180 },   { 0, 0 } };
        static const char *const teams[] = { "", ",\"teams\":[\"n\"]", ",\"teams\":[\"s\",\"x\"]" };
        char *text = NULL;
        size_t length = 0;
        FILE *f = open_memstream(&text, &length);
        struct geo_error error = { "" };
        struct zones *zones = NULL;

        fputs("{\"type\":\"FeatureCollection\",\"features\":[", f);
        for (int i = 0; i < 7 * 6; i++) {
                const struct position *c = &corners[i % 7];
                int cell = i / 7;
                double w = c->lon_deg + (cell % 3) * 0.25, s = c->lat_deg + (double)(cell / 3) * 0.25;
                double e = w + (cell == 5 ? 0.5 : 0.25), n = s + 0.25;

                fprintf(f,
                        "%s{\"type\":\"Feature\",\"properties\":{\"id\":\"z%02d\"%s},\"geometry\":{\"type\":"
                        "\"Polygon\","
                        "\"coordinates\":[[[%g,%g],[%g,%g],[%g,%g],[%g,%g],[%g,%g]]]}}",
                        i > 0 ? "," : "", i, teams[i % 3], w, s, e, s, e, n, w, n, w, s);
        }
        fputs("]}", f);
        fclose(f);
        if (zones_read(text, length, &zones, &error) != 0)
                fail_msg("zones: %s", error.text);
        free(text);
        return zones;
}

static void run_world(struct world *w, uint64_t seed)
{
        w->seed = w->random = seed;
        make_place(w);
        make_roster(w);
        make_barriers(w);
        for (unsigned ask = 0; ask < ASKS; ask++)
                ask_once(w, ask);
}

static void test_equals_oracle(void **state)
{
        const char *only = *state;
        struct zones *zones = make_zones();
        struct world w = { .zones = zones, .people = calloc(LARGE, sizeof(*w.people)) };

        assert_int_equal(roster_new(&w.roster), 0);
        if (only != NULL)
                run_world(&w, strtoull(only, NULL, 10));
        for (uint64_t seed = 1; seed <= WORLDS && only == NULL; seed++)
                run_world(&w, seed);
        print_message("%lu cases, %lu chosen, nobody eligible in %lu\n", w.cases, w.chosen, w.nobody);
        assert_true(only != NULL || (w.nobody > w.cases / 100 && w.chosen > w.cases));
        roster_free(w.roster);
        barriers_free(w.barriers);
        zones_free(zones);
        free(w.people);
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_prestate(test_equals_oracle, argc > 1 ? argv[1] : NULL),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
