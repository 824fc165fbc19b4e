/* Choosing by example: each case is a roster in a few lines and the ids expected, in order, chosen | passed over. */
#include "geo/choose.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/geo/cmocka_first.h"

/* the tables say what a case is about; the rest is 0 */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

#define NOW_MS  INT64_C(1700000000000)
#define FRESH   (NOW_MS - CHOOSE_FRESH_MS)
#define OLD     (FRESH - 1)
#define PRESENT (NOW_MS + 1)
#define PEOPLE  8

static const struct position lyon = { 45.75, 4.85 };

/* Most are on duty, present, free, with a fresh fix so many thousandths of a degree east of the press. */
struct person {
        const char *id;
        double east;       /* NAN: no fix */
        int64_t fix_at_ms; /* 0: fresh */
        uint16_t busy;
        const char *team;
        enum { REACHED, OFF_DUTY, GONE, PHONE, CONSOLE, MANAGER, MANAGER_OFF } state;
};

static struct roster *roster_of(const struct person *people)
{
        struct roster *roster;

        assert_int_equal(roster_new(&roster), 0);
        for (const struct person *p = people; p < people + PEOPLE && p->id != NULL; p++) {
                struct supervisor s = {
                        .on_duty = p->state != OFF_DUTY && p->state != MANAGER_OFF,
                        .manager = p->state == MANAGER || p->state == MANAGER_OFF,
                        .has_phone = p->state == PHONE,
                        .busy_count = p->busy,
                        .handset_until_ms =
                                p->state == GONE || p->state == PHONE || p->state == CONSOLE ? NOW_MS : PRESENT,
                        .console_until_ms = p->state == CONSOLE ? PRESENT : 0,
                        .has_fix = !isnan(p->east),
                        .fix = { lyon.lat_deg, lyon.lon_deg + p->east / 1000 },
                        .fix_at_ms = p->fix_at_ms != 0 ? p->fix_at_ms : FRESH,
                };

                strcpy(s.id, p->id);
                strcpy(s.team, p->team != NULL ? p->team : "");
                assert_int_equal(roster_put(roster, &s), 0);
        }
        return roster;
}

/* "a b | c: off duty, d: further +1": the chosen, those passed over, how many more. */
static const char *in_words(const struct choose_result *result)
{
        static char words[2000];
        char *end = words;

        *end = '\0';
        for (size_t i = 0; i < result->chosen_count; i++)
                end += sprintf(end, "%s ", result->chosen[i].who->id);
        end += sprintf(end, "|");
        for (size_t i = 0; i < result->passed_count; i++)
                end += sprintf(end, "%s %s: %s", i > 0 ? "," : "", result->passed[i].who->id,
                               passed_reason_name(result->passed[i].reason));
        if (result->rest_count > 0)
                sprintf(end, " +%zu", result->rest_count);
        return words;
}

typedef int choosing(const struct choose_ground *, const struct choose_request *, struct choose_result *);

static void check(choosing *choose, const struct choose_ground *ground, const struct choose_request *request,
                  const char *expected)
{
        struct chosen chosen[PEOPLE];
        struct passed_over passed[PEOPLE];
        struct choose_result result = {
                .chosen = chosen, .chosen_max = PEOPLE, .passed = passed, .passed_max = PEOPLE
        };

        assert_int_equal(choose(ground, request, &result), 0);
        assert_string_equal(in_words(&result), expected);
}

static void test_order(void **state)
{
        static const struct {
                struct person people[PEOPLE];
                size_t count;
                const char *expected;
        } cases[] = {
                { { { "a", 1 }, { "b", 3 }, { "c", 2 } }, 3, "a c b |" },
                { { { "a", 1 }, { "b", 3 }, { "c", 2 } }, 2, "a c | b: further" },
                { { { 0 } }, 3, "|" },
                { { { "b", 1 }, { "a", 1 }, { "c", 1 } }, 2, "a b | c: further" }, /* one place: by id */
                { { { "a", 1, OLD }, { "b", 9 } }, 1, "b | a: old fix" },
                { { { "a", 1, OLD }, { "b", 2, OLD }, { "c", NAN } }, 1, "a | b: further, c: no fix" },
                { { { "a", 1, OLD }, { "b", NAN }, { "c", 9 } }, 3, "c a b |" },
                { { { "a", NAN }, { "b", NAN } }, 1, "a | b: further" },
                { { { "a", NAN }, { "b", 9 } }, 1, "b | a: no fix" },
                { { { "a", 1, 0, 1 }, { "b", 9, OLD } }, 1, "b | a: busy" },
                { { { "a", 1, 0, 1 }, { "b", NAN } }, 1, "b | a: busy" },
                { { { "a", 1, OLD, 2 }, { "b", 9, 0, 1 } }, 1, "b | a: old fix" },
                { { { "a", 1, OLD, 1 }, { "b", 9, 0, 1 }, { "c", NAN, 0, 3 }, { "d", 99 } }, 4, "d b a c |" },
                { { { "a", 1, NOW_MS + CHOOSE_FRESH_MS },
                    { "b", 2, NOW_MS + CHOOSE_FRESH_MS + 1 },
                    { "c", 3, NOW_MS } },
                  3,
                  "a c b |" }, /* a clock gone wrong is no fresh fix */
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                struct choose_ground ground = { .roster = roster_of(cases[i].people) };
                struct choose_request request = { .now_ms = NOW_MS, .at = &lyon, .count = cases[i].count };

                check(choose_nearest, &ground, &request, cases[i].expected);
                roster_free(ground.roster);
        }
}

static void test_eligible(void **state)
{
        static const char *const asked[] = { "f", "nobody" };
        static const struct person people[PEOPLE] = { { "a", 1, .state = OFF_DUTY },
                                                      { "b", 2, .state = GONE },
                                                      { "c", 3, .state = PHONE },
                                                      { "d", 4, .state = CONSOLE },
                                                      { "e", 5 },
                                                      { "f", 6 },
                                                      { "g", 7 } };
        struct choose_ground ground = { .roster = roster_of(people) };
        struct choose_request request = {
                .now_ms = NOW_MS, .at = &lyon, .count = 3, .carrier_id = "e", .asked = asked, .asked_count = 2
        };

        check(choose_nearest, &ground, &request,
              "c d g | a: off duty, b: unreachable, e: is the carrier, f: already asked");
        request.carrier_id = "not in the roster";
        request.asked_count = 0;
        check(choose_nearest, &ground, &request, "c d e | a: off duty, b: unreachable, f: further, g: further");
        request.now_ms = PRESENT; /* every lease has ended */
        request.carrier_id = NULL;
        check(choose_nearest, &ground, &request,
              "c | a: off duty, b: unreachable, d: unreachable, e: unreachable, f: unreachable, g: unreachable");
        roster_free(ground.roster);
}

/* north names the team n, south the team s, both at the same square; open names none, beside them; far is elsewhere. */
static const char zones_text[] =
        "{\"type\":\"FeatureCollection\",\"features\":["
        "{\"type\":\"Feature\",\"properties\":{\"id\":\"north\",\"teams\":[\"n\"]},\"geometry\":{\"type\":\"Polygon\","
        "\"coordinates\":[[[4.8,45.7],[4.9,45.7],[4.9,45.8],[4.8,45.8],[4.8,45.7]]]}},"
        "{\"type\":\"Feature\",\"properties\":{\"id\":\"open\"},\"geometry\":{\"type\":\"Polygon\","
        "\"coordinates\":[[[4.9,45.7],[5,45.7],[5,45.8],[4.9,45.8],[4.9,45.7]]]}},"
        "{\"type\":\"Feature\",\"properties\":{\"id\":\"south\",\"teams\":[\"s\"]},\"geometry\":{\"type\":\"Polygon\","
        "\"coordinates\":[[[4.8,45.7],[4.9,45.7],[4.9,45.8],[4.8,45.8],[4.8,45.7]]]}},"
        "{\"type\":\"Feature\",\"properties\":{\"id\":\"far\",\"teams\":[\"f\"]},\"geometry\":{\"type\":\"Polygon\","
        "\"coordinates\":[[[14.8,45.7],[14.9,45.7],[14.9,45.8],[14.8,45.8],[14.8,45.7]]]}}]}";

static struct zones *read_zones(void)
{
        struct geo_error error;
        struct zones *zones = NULL;

        assert_int_equal(zones_read(zones_text, strlen(zones_text), &zones, &error), 0);
        return zones;
}

static void test_teams(void **state)
{
        static const struct person people[PEOPLE] = {
                { "none", 1 }, { "n1", 2, .team = "n" }, { "s1", 3, .team = "s" }, { "f1", 4, .team = "f" }
        };
        struct zones *zones = read_zones();
        const struct zone *list[2] = { zones_find(zones, "north"), zones_find(zones, "south") };
        struct choose_ground ground = { .roster = roster_of(people), .zones = zones };
        struct choose_request request = { .now_ms = NOW_MS, .at = &lyon, .count = 4, .zones = list, .zone_count = 1 };

        check(choose_nearest, &ground, &request,
              "n1 | none: not allowed in zone, s1: not allowed in zone, f1: not allowed in zone");
        request.zone_count = 2; /* allowed in one of two is allowed */
        check(choose_nearest, &ground, &request, "n1 s1 | none: not allowed in zone, f1: not allowed in zone");
        list[1] = zones_find(zones, "open");
        check(choose_nearest, &ground, &request, "none n1 s1 f1 |");
        request.zone_count = 0;
        check(choose_nearest, &ground, &request, "none n1 s1 f1 |");
        roster_free(ground.roster);
        zones_free(zones);
}

static void test_no_position(void **state)
{
        static const struct person people[PEOPLE] = {
                { "d", 1 }, { "c", 2 }, { "b", 1, OLD }, { "a", NAN }, { "e", 1, 0, 1 }
        };
        struct choose_ground ground = { .roster = roster_of(people) };
        struct choose_request request = { .now_ms = NOW_MS, .count = 1 };
        struct chosen chosen[5];
        struct passed_over passed[4];
        struct choose_result result = { .chosen = chosen, .chosen_max = 5, .passed = passed, .passed_max = 4 };

        check(choose_nearest, &ground, &request, "c | d: further, b: old fix, a: no fix, e: busy");
        request.count = 3;
        check(choose_nearest, &ground, &request, "c d a | b: further, e: busy");
        assert_int_equal(choose_nearest(&ground, &request, &result), 0);
        assert_true(chosen[0].distance_m < 0 && chosen[0].effective_m < 0 && passed[0].about_m < 0);
        roster_free(ground.roster);
}

static void test_barrier(void **state)
{
        static const char text[] =
                "{\"type\":\"Feature\",\"properties\":{\"penalty\":2},\"geometry\":{\"type\":\"LineString\","
                "\"coordinates\":[[4.8505,45],[4.8505,46]]}}";
        static const struct person people[PEOPLE] = { { "over", 1 }, { "c", -1.5 }, { "d", -2.5 } };
        struct barriers *barriers = NULL;
        struct geo_error error;
        struct choose_ground ground = { .roster = roster_of(people) };
        struct choose_request request = { .now_ms = NOW_MS, .at = &lyon, .count = 2 };
        struct chosen chosen[2];
        struct choose_result result = { .chosen = chosen, .chosen_max = 2 };

        check(choose_nearest, &ground, &request, "over c | d: further");
        assert_int_equal(barriers_read(text, strlen(text), &barriers, &error), 0);
        ground.barriers = barriers;
        check(choose_nearest, &ground, &request, "c over | d: further");
        assert_int_equal(choose_nearest(&ground, &request, &result), 0);
        assert_true(fabs(chosen[0].distance_m - 116.7) < 0.2 && chosen[0].effective_m == chosen[0].distance_m);
        assert_true(fabs(chosen[1].distance_m - 77.8) < 0.2 && chosen[1].effective_m == 2 * chosen[1].distance_m);
        assert_int_equal(result.rest_count, 1);
        barriers_free(barriers);
        roster_free(ground.roster);
}

static void test_area(void **state)
{
        /* 49 thousandths east is the border to `open`, 60 well inside it, 400 outside everything */
        static const struct person people[PEOPLE] = {
                { "n1", 400, .team = "n" },
                { "in-open", 60, .team = "x" },
                { "s-off", 1, .team = "s", .state = OFF_DUTY },
                { "x-north", 1, .team = "x" },
                { "x-nofix", NAN, .team = "x" },
                { "s1", NAN, .team = "s" },
                { "f1", 2, .team = "f" },
                { "old-open", 61, OLD },
        };
        struct zones *zones = read_zones();
        const struct zone *list[2] = { zones_find(zones, "north"), zones_find(zones, "far") };
        struct choose_ground ground = { .roster = roster_of(people), .zones = zones };
        struct choose_request request = {
                .now_ms = NOW_MS, .at = &lyon, .count = PEOPLE, .zones = list, .zone_count = 1
        };
        struct choose_result none = { 0 };

        check(choose_area, &ground, &request,
              "in-open n1 old-open s1 | s-off: off duty, x-north: not allowed in zone, f1: not allowed in zone, "
              "x-nofix: not allowed in zone");
        request.count = 1;
        check(choose_area, &ground, &request,
              "in-open | s-off: off duty, x-north: not allowed in zone, f1: not allowed in zone, old-open: old fix, "
              "n1: further, x-nofix: not allowed in zone, s1: no fix");
        list[0] = list[1];
        check(choose_area, &ground, &request,
              "f1 | s-off: off duty, x-north: not allowed in zone, in-open: not allowed in zone, "
              "old-open: not allowed in zone, n1: not allowed in zone, x-nofix: not allowed in zone, "
              "s1: not allowed in zone");
        request.zone_count = 0;
        request.count = PEOPLE;
        check(choose_area, &ground, &request, "x-north f1 in-open n1 old-open s1 x-nofix | s-off: off duty");
        request.zone_count = 1;
        ground.zones = NULL;
        assert_int_equal(choose_area(&ground, &request, &none), -EINVAL);
        roster_free(ground.roster);
        zones_free(zones);
}

static void test_managers(void **state)
{
        static const struct person people[PEOPLE] = { { "a", 1 },
                                                      { "m2", 3, .team = "n", .state = MANAGER_OFF },
                                                      { "m1", 2, .state = MANAGER },
                                                      { "m3", 1, .state = MANAGER, .busy = 1 } };
        struct zones *zones = read_zones();
        const struct zone *far = zones_find(zones, "far");
        struct choose_ground ground = { .roster = roster_of(people) };
        struct choose_request request = { .now_ms = NOW_MS, .at = &lyon, .count = 3, .zones = &far, .zone_count = 1 };

        check(choose_managers, &ground, &request, "m1 m2 m3 | a: not a manager");
        request.carrier_id = "m1";
        check(choose_managers, &ground, &request, "m2 m3 | a: not a manager, m1: is the carrier");
        roster_free(ground.roster);
        zones_free(zones);
}

static void test_refused(void **state)
{
        static const char *const asked[CHOOSE_ASKED_MAX + 1];
        static const struct zone *const zones[ZONES_AT_MAX + 1];
        static const struct person people[PEOPLE] = { { "a", 1 } };
        struct position wrong = { 91, 0 };
        struct chosen chosen[2];
        struct choose_ground ground = { .roster = roster_of(people) };
        struct choose_request good = { .now_ms = NOW_MS, .at = &lyon, .count = 2, .asked = asked, .zones = zones }, bad;
        struct choose_result result = { .chosen = chosen, .chosen_max = 2, .chosen_count = 77 };

        bad = good, bad.count = 0;
        assert_int_equal(choose_nearest(&ground, &bad, &result), -EINVAL);
        bad = good, bad.count = 3;
        assert_int_equal(choose_nearest(&ground, &bad, &result), -EINVAL);
        bad = good, bad.at = &wrong;
        assert_int_equal(choose_nearest(&ground, &bad, &result), -EINVAL);
        bad = good, bad.asked_count = CHOOSE_ASKED_MAX + 1;
        assert_int_equal(choose_nearest(&ground, &bad, &result), -EINVAL);
        bad = good, bad.zone_count = ZONES_AT_MAX + 1;
        assert_int_equal(choose_nearest(&ground, &bad, &result), -EINVAL);
        result.chosen_max = CHOOSE_MAX + 1;
        bad = good, bad.count = CHOOSE_MAX + 1;
        assert_int_equal(choose_nearest(&ground, &bad, &result), -EINVAL);
        assert_int_equal(result.chosen_count, 77);
        roster_free(ground.roster);
}

/* The list stops where its room does, at the nearest; the rest is counted. */
static void test_list_bound(void **state)
{
        struct choose_request request = { .now_ms = NOW_MS, .at = &lyon, .count = 3 };
        struct choose_ground ground = { 0 };
        struct chosen chosen[3];
        struct passed_over passed[CHOOSE_PASSED_KEPT];
        struct choose_result result = {
                .chosen = chosen, .chosen_max = 3, .passed = passed, .passed_max = CHOOSE_PASSED_KEPT
        };

        assert_int_equal(roster_new(&ground.roster), 0);
        for (int i = 0; i < 1000; i++) { /* every second one off duty, each 78 m further than the one before */
                struct supervisor s = { .on_duty = i % 2,
                                        .has_phone = true,
                                        .has_fix = true,
                                        .fix_at_ms = NOW_MS,
                                        .fix = { lyon.lat_deg, lyon.lon_deg + 0.001 * i } };

                sprintf(s.id, "s%03d", i * 7 % 1000);
                assert_int_equal(roster_put(ground.roster, &s), 0);
        }
        assert_int_equal(choose_nearest(&ground, &request, &result), 0);
        assert_int_equal(result.chosen_count, 3);
        assert_string_equal(chosen[0].who->id, "s007");
        assert_string_equal(chosen[2].who->id, "s035");
        assert_int_equal(result.passed_count, CHOOSE_PASSED_KEPT);
        assert_int_equal(result.rest_count, 1000 - 3 - CHOOSE_PASSED_KEPT);
        assert_string_equal(passed[0].who->id, "s000");
        assert_string_equal(passed[3].who->id, "s042");
        assert_int_equal(passed[3].reason, PASSED_OFF_DUTY);
        assert_string_equal(passed[4].who->id, "s049");
        assert_int_equal(passed[4].reason, PASSED_FURTHER);
        roster_free(ground.roster);
}

static void test_reason_names(void **state)
{
        for (int reason = 0; reason < PASSED_REASON_COUNT; reason++)
                assert_true(strlen(passed_reason_name(reason)) > 3);
        assert_string_equal(passed_reason_name(PASSED_REASON_COUNT), "?");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_order),        cmocka_unit_test(test_eligible), cmocka_unit_test(test_teams),
                cmocka_unit_test(test_no_position),  cmocka_unit_test(test_barrier),  cmocka_unit_test(test_area),
                cmocka_unit_test(test_managers),     cmocka_unit_test(test_refused),  cmocka_unit_test(test_list_bound),
                cmocka_unit_test(test_reason_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
