#include "ops/vigie/nearest.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "geo/choose.h"
#include "ops/vigie/command.h"
#include "ops/vigie/roster_csv.h"

/* Ages count back from some time; which one changes nothing. */
#define NOW_MS INT64_C(1000000000000000)
/* Ten digits: a tenth of a millimetre on the ground, a centimetre half way round the globe. */
#define DIGITS 10

static_assert(CHOOSE_MAX == 256, "as count_read says");

/* What was asked for, and what it is answered with. */
struct nearest {
        const char *zones_path, *roster_path, *barriers_path, *at_text, *count_text;
        struct position at;
        size_t count;
        struct zones *zones;
        struct barriers *barriers;
        struct roster *roster;
        const struct zone *found[ZONES_AT_MAX];
        size_t found_count;
        struct choose_result result;
};

static int refuse(const char *what, const char *rule)
{
        fprintf(stderr, "vigie nearest: %s: %s\n", what, rule);
        return -EINVAL;
}

/* ---- the command line ---- */

static int at_read(struct nearest *n)
{
        char text[64];
        char *comma;

        if (strlen(n->at_text) >= sizeof(text))
                return refuse("--at", "two numbers, LAT,LON");
        strcpy(text, n->at_text);
        comma = strchr(text, ',');
        if (comma != NULL)
                *comma = '\0';
        if (comma == NULL || number_read(text, &n->at.lat_deg) < 0 || number_read(comma + 1, &n->at.lon_deg) < 0)
                return refuse("--at", "two numbers, LAT,LON");
        if (!position_is_valid(&n->at))
                return refuse("--at", "latitude is -90 to 90, longitude -180 to 180");
        return 0;
}

static int count_read(struct nearest *n)
{
        char *end;
        long count;

        n->count = zone_ladder_default().ask_count;
        if (n->count_text == NULL)
                return 0;
        count = strtol(n->count_text, &end, 10);
        if (*n->count_text < '0' || *n->count_text > '9' || *end != '\0' || count < 1 || count > CHOOSE_MAX)
                return refuse("--count", "a whole number of 1 to 256");
        n->count = (size_t)count;
        return 0;
}

static int line_read(struct nearest *n, int argc, char **argv)
{
        const struct choice list[] = {
                { "zones", &n->zones_path, NULL, "GeoJSON file of the zones" },
                { "roster", &n->roster_path, NULL, "CSV file: id,lat,lon,fix_age_s,on_duty,busy[,team,reachable]" },
                { "at", &n->at_text, NULL, "LAT,LON of the press, degrees" },
                { "count", &n->count_text, NULL, "how many to choose (3)" },
                { "barriers", &n->barriers_path, NULL, "GeoJSON file of rivers, motorways" },
        };
        const struct choices choices = {
                "nearest --zones FILE --roster FILE --at LAT,LON [--count K] [--barriers FILE]", list,
                sizeof(list) / sizeof(list[0]), 0
        };
        int r = choices_read(&choices, argc, argv, NULL);

        if (r == 0 && (n->zones_path == NULL || n->roster_path == NULL || n->at_text == NULL))
                r = refuse("--zones, --roster and --at", "wanted, all three");
        if (r == 0)
                r = at_read(n);
        return r == 0 ? count_read(n) : r;
}

/* ---- the files ---- */

/* Read PATH and give its text to zones_read (with ZONES) or barriers_read. */
static int shapes_load(const char *path, struct zones **zones, struct barriers **barriers)
{
        struct geo_error error = { "" };
        char *text = NULL;
        size_t length = 0;
        int r = file_read(path, GEOJSON_TEXT_MAX, &text, &length);

        if (r < 0)
                return refuse(path, strerror(-r));
        r = zones != NULL ? zones_read(text, length, zones, &error) : barriers_read(text, length, barriers, &error);
        free(text);
        return r < 0 ? refuse(path, error.text) : 0;
}

static int roster_load(struct nearest *n)
{
        struct csv_error error = { "" };
        char *text = NULL;
        size_t length = 0;
        int r = file_read(n->roster_path, ROSTER_CSV_MAX, &text, &length);

        if (r < 0)
                return refuse(n->roster_path, strerror(-r));
        r = roster_new(&n->roster);
        if (r == 0 && roster_csv_read(text, length, NOW_MS, n->roster, &error) < 0)
                r = refuse(n->roster_path, error.text);
        free(text);
        return r;
}

static int choose(struct nearest *n)
{
        struct choose_ground ground = { n->roster, n->zones, n->barriers };
        struct choose_request request = { .now_ms = NOW_MS, .at = &n->at, .zones = n->found, .count = n->count };
        int r = zones_at(n->zones, &n->at, ZONES_AT_MAX, n->found, &n->found_count);

        if (r < 0)
                return refuse(n->zones_path, "GEOS failed");
        request.zone_count = n->found_count;
        n->result.chosen_max = n->count;
        n->result.passed_max = roster_count(n->roster);
        n->result.chosen = calloc(n->count, sizeof(*n->result.chosen));
        n->result.passed = calloc(n->result.passed_max + 1, sizeof(*n->result.passed));
        if (n->result.chosen == NULL || n->result.passed == NULL)
                return refuse("roster", "out of memory");
        return choose_nearest(&ground, &request, &n->result);
}

/* ---- the answer ---- */

static json_t *metres(double m)
{
        return m < 0 ? json_null() : json_real(m);
}

static json_t *answer(const struct nearest *n)
{
        json_t *zones = json_array(), *chosen = json_array(), *passed = json_array();

        for (size_t i = 0; i < n->found_count; i++)
                json_array_append_new(zones, json_pack("{ss ss}", "id", n->found[i]->id, "name", n->found[i]->name));
        for (size_t i = 0; i < n->result.chosen_count; i++) {
                const struct chosen *c = &n->result.chosen[i];

                json_array_append_new(chosen, json_pack("{ss so so}", "id", c->who->id, "distance_m",
                                                        metres(c->distance_m), "effective_m", metres(c->effective_m)));
        }
        for (size_t i = 0; i < n->result.passed_count; i++) {
                const struct passed_over *p = &n->result.passed[i];

                json_array_append_new(passed, json_pack("{ss ss so}", "id", p->who->id, "reason",
                                                        passed_reason_name(p->reason), "about_m", metres(p->about_m)));
        }
        return json_pack("{s{sf sf} ss? so so so}", "at", "lat", n->at.lat_deg, "lon", n->at.lon_deg, "zone",
                         n->found_count > 0 ? n->found[0]->id : NULL, "zones", zones, "chosen", chosen, "passed_over",
                         passed);
}

static int print(const struct nearest *n)
{
        json_t *json = answer(n);
        int r = json == NULL || json_dumpf(json, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(DIGITS)) != 0 ? -EIO : 0;

        if (r < 0 || putchar('\n') == EOF || fflush(stdout) != 0)
                r = refuse("stdout", "cannot write");
        json_decref(json);
        return r;
}

int nearest_main(int argc, char **argv)
{
        struct nearest n = { 0 };
        int status = EXIT_REFUSED;

        if (line_read(&n, argc, argv) < 0)
                return EXIT_USAGE;
        if (shapes_load(n.zones_path, &n.zones, NULL) == 0 &&
            (n.barriers_path == NULL || shapes_load(n.barriers_path, NULL, &n.barriers) == 0) && roster_load(&n) == 0 &&
            choose(&n) == 0 && print(&n) == 0)
                status = EXIT_DONE;
        free(n.result.chosen);
        free(n.result.passed);
        roster_free(n.roster);
        barriers_free(n.barriers);
        zones_free(n.zones);
        return status;
}
