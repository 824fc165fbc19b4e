/* Choosing among 5,000 supervisors with 1,000 zones of 200 corners, clustered as towns are, rivers between them: from
 * the place of the press to the zones that cover it, the three to ask and the nearest of those passed over.  Beside it,
 * in the same run, the slow and obvious way. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/geo/oracle.h"

#define SUPERVISORS 5000
#define ZONES       1000
#define CORNERS     200
#define TOWNS       40
#define TOWN_SIDE   5 /* zones: TOWN_SIDE squared times TOWNS is ZONES */
#define ZONE_DEG    0.04
#define CALLS       400000
#define PEER_CALLS  400
#define SLICES      20
#define ASKED       3
#define NOW_MS      INT64_C(1700000000000)

struct bench {
        uint64_t random;
        struct position towns[TOWNS];
        struct roster *roster;
        struct zones *zones;
        struct barriers *barriers;
        struct oracle_barrier lines[TOWNS];
        struct oracle_person *people;
        struct position places[4096];
};

static double uniform(struct bench *b)
{
        b->random ^= b->random << 13;
        b->random ^= b->random >> 7;
        b->random ^= b->random << 17;
        return (double)(b->random >> 11) / 9007199254740992.0;
}

static double now_ns(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* A place near one of the towns: most people close by, some far out. */
static struct position place(struct bench *b)
{
        const struct position *town = &b->towns[(size_t)(uniform(b) * TOWNS)];
        double away = 0.15 * uniform(b) * uniform(b), angle = 2 * M_PI * uniform(b);

        return (struct position){ town->lat_deg + away * sin(angle), town->lon_deg + away * 1.4 * cos(angle) };
}

static int read_zones(struct bench *b)
{
        char *text = NULL;
        size_t length = 0;
        FILE *f = open_memstream(&text, &length);
        struct geo_error error = { "" };
        int r;

        fprintf(f, "{\"type\":\"FeatureCollection\",\"features\":[");
        for (int i = 0; i < ZONES; i++) {
                const struct position *town = &b->towns[i % TOWNS];
                int cell = i / TOWNS, row = cell / TOWN_SIDE - TOWN_SIDE / 2, column = cell % TOWN_SIDE - TOWN_SIDE / 2;
                struct position c = { town->lat_deg + ZONE_DEG * row, town->lon_deg + ZONE_DEG * column };

                fprintf(f,
                        "%s{\"type\":\"Feature\",\"properties\":{\"id\":\"z%04d\"%s},\"geometry\":{\"type\":"
                        "\"Polygon\","
                        "\"coordinates\":[[",
                        i > 0 ? "," : "", i, i % 4 == 0 ? ",\"teams\":[\"north\",\"south\"]" : "");
                for (int k = 0; k <= CORNERS; k++) {
                        double angle = 2 * M_PI * (k % CORNERS) / CORNERS,
                               far = ZONE_DEG * (0.6 + 0.1 * sin(9 * angle));

                        fprintf(f, "%s[%.7f,%.7f]", k > 0 ? "," : "", c.lon_deg + far * cos(angle),
                                c.lat_deg + far * sin(angle));
                }
                fprintf(f, "]]}}");
        }
        fprintf(f, "]}");
        fclose(f);
        r = zones_read(text, length, &b->zones, &error);
        if (r < 0)
                fprintf(stderr, "zones: %s\n", error.text);
        free(text);
        return r;
}

static int read_barriers(struct bench *b)
{
        char *text = NULL;
        size_t length = 0;
        FILE *f = open_memstream(&text, &length);
        struct geo_error error = { "" };
        int r;

        fprintf(f, "{\"type\":\"FeatureCollection\",\"features\":[");
        for (int i = 0; i < TOWNS; i++) {
                struct oracle_barrier *l = &b->lines[i];

                l->a = place(b);
                l->b = (struct position){ l->a.lat_deg + 0.2, l->a.lon_deg + 0.05 };
                l->penalty = 3;
                fprintf(f,
                        "%s{\"type\":\"Feature\",\"properties\":{},\"geometry\":{\"type\":\"LineString\","
                        "\"coordinates\":"
                        "[[%.17g,%.17g],[%.17g,%.17g]]}}",
                        i > 0 ? "," : "", l->a.lon_deg, l->a.lat_deg, l->b.lon_deg, l->b.lat_deg);
        }
        fprintf(f, "]}");
        fclose(f);
        r = barriers_read(text, length, &b->barriers, &error);
        if (r < 0)
                fprintf(stderr, "barriers: %s\n", error.text);
        free(text);
        return r;
}

/* Nine of ten on duty, two of ten busy, one of ten without a fresh fix. */
static int fill_roster(struct bench *b)
{
        static const char *const teams[] = { "north", "south", "east", "west", "" };
        int r = roster_new(&b->roster);

        for (int i = 0; i < SUPERVISORS && r == 0; i++) {
                struct supervisor s = { .on_duty = uniform(b) < 0.9,
                                        .has_phone = uniform(b) < 0.5,
                                        .busy_count = uniform(b) < 0.2,
                                        .handset_until_ms = NOW_MS + 20000,
                                        .has_fix = true,
                                        .fix = place(b) };

                snprintf(s.id, sizeof(s.id), "s%05d", i);
                snprintf(s.team, sizeof(s.team), "%s", teams[i % 5]);
                s.fix_at_ms = NOW_MS - (uniform(b) < 0.9 ? 30000 : 900000);
                r = roster_put(b->roster, &s);
        }
        return r;
}

/* The rate over all of it, and over the quietest slice: other work on the machine takes its share of the former. */
static void report(const char *what, double *ns, size_t count)
{
        double sum = 0, quietest = HUGE_VAL;

        for (size_t slice = 0; slice < SLICES; slice++) {
                double part = 0;

                for (size_t i = slice * count / SLICES; i < (slice + 1) * count / SLICES; i++)
                        part += ns[i];
                sum += part;
                quietest = part < quietest ? part : quietest;
        }
        for (size_t gap = count / 2; gap > 0; gap /= 2) /* Shell's sort: enough here */
                for (size_t i = gap; i < count; i++) {
                        double held = ns[i];
                        size_t k = i;

                        for (; k >= gap && ns[k - gap] > held; k -= gap)
                                ns[k] = ns[k - gap];
                        ns[k] = held;
                }
        printf("%-33s %7.0f /s (%7.0f)  p50 %8.2f us  p99 %8.2f  p99.9 %8.2f  max %8.2f\n", what,
               1e9 * (double)count / sum, 1e9 * (double)count / SLICES / quietest, ns[count / 2] / 1e3,
               ns[count * 99 / 100] / 1e3, ns[count * 999 / 1000] / 1e3, ns[count - 1] / 1e3);
}

/* One choosing from the press on: its zones, then the choice.  Returns how many were chosen, or negative errno. */
static int choose_at(struct bench *b, const struct position *at, struct choose_request *request,
                     struct choose_result *result)
{
        struct choose_ground ground = { b->roster, b->zones, b->barriers };
        const struct zone *zones[ZONES_AT_MAX];
        int r = zones_at(b->zones, at, ZONES_AT_MAX, zones, &request->zone_count);

        request->at = at;
        request->zones = zones;
        r = r < 0 ? r : choose_nearest(&ground, request, result);
        request->zones = NULL;
        return r < 0 ? r : (int)result->chosen_count;
}

static int run_ours(struct bench *b, size_t passed_max, const char *what, double *ns)
{
        struct choose_request request = { .now_ms = NOW_MS, .count = ASKED };
        struct chosen chosen[ASKED];
        struct passed_over passed[CHOOSE_PASSED_KEPT];
        struct choose_result result = {
                .chosen = chosen, .chosen_max = ASKED, .passed = passed, .passed_max = passed_max
        };

        for (size_t i = 0; i < CALLS; i++) {
                double start_ns = now_ns();
                int r = choose_at(b, &b->places[i % 4096], &request, &result);

                ns[i] = now_ns() - start_ns;
                if (r < 0)
                        return r;
        }
        if (what != NULL)
                report(what, ns, CALLS);
        return 0;
}

/* The slow way on the first places; each answer must be the same.  Returns the mismatches. */
static int run_peer(struct bench *b, double *ns)
{
        struct choose_request request = { .now_ms = NOW_MS, .count = ASKED };
        struct oracle_question question = { ORACLE_NEAREST, b->zones, b->lines, TOWNS, &request };
        struct chosen chosen[ASKED];
        struct choose_result result = { .chosen = chosen, .chosen_max = ASKED };
        const struct zone *zones[ZONES_AT_MAX];
        int mismatches = 0;

        for (size_t i = 0; i < PEER_CALLS; i++) {
                int count = choose_at(b, &b->places[i], &request, &result);
                double start_ns = now_ns();

                if (count < 0 || zones_at(b->zones, request.at, ZONES_AT_MAX, zones, &request.zone_count) < 0)
                        return count;
                request.zones = zones;
                oracle_choose(b->roster, &question, b->people);
                ns[i] = now_ns() - start_ns;
                for (int k = 0; k < ASKED; k++)
                        mismatches += k >= count ? b->people[k].eligible : chosen[k].who != b->people[k].who;
        }
        report("every distance, all sorted (peer)", ns, PEER_CALLS);
        return mismatches;
}

int main(void)
{
        struct bench b = { .random = 20260101 };
        double *ns = calloc(CALLS, sizeof(*ns)), start_ns;
        int r = 1, mismatches = 0;

        b.people = calloc(SUPERVISORS, sizeof(*b.people));
        for (size_t i = 0; i < TOWNS; i++)
                b.towns[i] = (struct position){ 44.5 + 2.5 * uniform(&b), 3 + 3 * uniform(&b) };
        start_ns = now_ns();
        if (ns == NULL || b.people == NULL || read_zones(&b) < 0)
                goto out;
        printf("choosing %d among %d; %d zones of %d corners, read in %.0f ms; in brackets the quietest of %d slices\n",
               ASKED, SUPERVISORS, ZONES, CORNERS, (now_ns() - start_ns) / 1e6, SLICES);
        if (read_barriers(&b) < 0 || fill_roster(&b) < 0)
                goto out;
        for (size_t i = 0; i < 4096; i++)
                b.places[i] = place(&b);
        r = run_ours(&b, 0, NULL, ns) < 0 ||
            run_ours(&b, CHOOSE_PASSED_KEPT, "choosing, those passed over too", ns) < 0 ||
            run_ours(&b, 0, "choosing alone", ns) < 0;
        mismatches = r == 0 ? run_peer(&b, ns) : 0;
        printf("%d mismatches with the peer in %d choices\n", mismatches, PEER_CALLS);
out:
        zones_free(b.zones);
        barriers_free(b.barriers);
        roster_free(b.roster);
        free(b.people);
        free(ns);
        return r != 0 || mismatches != 0;
}
