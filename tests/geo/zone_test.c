#include "geo/zone.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/geo/cmocka_first.h"

#define COLLECTION(features) "{\"type\":\"FeatureCollection\",\"features\":[" features "]}"
#define FEATURE(properties, type, coordinates)                                                 \
        "{\"type\":\"Feature\",\"properties\":{" properties "},\"geometry\":{\"type\":\"" type \
        "\",\"coordinates\":" coordinates "}}"
#define POLYGON(properties, coordinates) FEATURE(properties, "Polygon", coordinates)
/* The square from the south west corner (w, s) to (e, n), all as text. */
#define RING(w, s, e, n)                 "[[" w "," s "],[" e "," s "],[" e "," n "],[" w "," n "],[" w "," s "]]"
#define SQUARE                           RING("4", "45", "5", "46")

static struct zones *read_all(const char *text)
{
        struct geo_error error = { "" };
        struct zones *zones = NULL;
        int r = zones_read(text, strlen(text), &zones, &error);

        if (r != 0)
                fail_msg("refused: %s", error.text);
        return zones;
}

/* The same of a collection of some features. */
#define READ(...) read_features((const char *const[]){ __VA_ARGS__, NULL })

static struct zones *read_features(const char *const *features)
{
        static char text[8000];
        char *end = text + sprintf(text, "\xef\xbb\xbf{\"type\":\"FeatureCollection\",\"features\":[");

        for (size_t i = 0; features[i] != NULL; i++)
                end += sprintf(end, "%s%s", i > 0 ? "," : "", features[i]);
        strcpy(end, "]}");
        return read_all(text);
}

/* The ids of the zones at a place, joined: "a b". */
static const char *ids_at(const struct zones *zones, double lat_deg, double lon_deg)
{
        static char ids[512];
        struct position at = { lat_deg, lon_deg };
        const struct zone *found[ZONES_AT_MAX];
        size_t count;

        ids[0] = '\0';
        assert_int_equal(zones_at(zones, &at, ZONES_AT_MAX, found, &count), 0);
        for (size_t i = 0; i < count; i++) {
                bool inside = false;

                strcat(ids, i > 0 ? " " : "");
                strcat(ids, found[i]->id);
                assert_int_equal(zone_covers(zones, found[i], &at, &inside), 0);
                assert_true(inside);
        }
        return ids;
}

static void test_refused(void **state)
{
        static const struct {
                const char *text, *says;
        } cases[] = {
                { "", "line 1" },
                { "[]", "neither a FeatureCollection" },
                { "{\"type\":\"FeatureCollection\"}", "neither a FeatureCollection" },
                { COLLECTION("") "x", "line 1" },
                { "{\"type\":\"FeatureCollection\",\"type\":\"FeatureCollection\",\"features\":[]}", "duplicate" },
                { COLLECTION("7"), "feature 0: not a Feature" },
                { COLLECTION("{\"type\":\"Feature\",\"properties\":{\"nom\":\"A\"},\"geometry\":null}"),
                  "feature 0 (A): no geometry" },
                { COLLECTION("{\"type\":\"Feature\",\"properties\":[],\"geometry\":null}"), "properties is no object" },
                { COLLECTION(FEATURE("\"name\":\"Pt\"", "Point", "[4,45]")), "feature 0 (Pt): neither a Polygon" },
                { COLLECTION(FEATURE("", "LineString", "[[4,45],[5,46]]")), "neither a Polygon" },
                { COLLECTION(POLYGON("", "[]")), "one ring or more" },
                { COLLECTION(FEATURE("", "MultiPolygon", "[]")), "of no polygon" },
                { COLLECTION(FEATURE("", "MultiPolygon", "[[]]")), "one ring or more" },
                { COLLECTION(POLYGON("", "[[[4,45],[5,45],[4,45]]]")), "fewer than 4" },
                { COLLECTION(POLYGON("", "[[[4,45],[5,45],[5,46],[4,46]]]")), "not closed" },
                { COLLECTION(POLYGON("\"id\":\"ok\"", "[" SQUARE "]") "," POLYGON(
                          "\"name\":\"Bow tie\"", "[[[4,45],[5,46],[5,45],[4,46],[4,45]]]")),
                  "feature 1 (Bow tie): not a valid outline: Self-intersection at latitude 45.5, longitude 4.5" },
                { COLLECTION(POLYGON("", "[" SQUARE "," RING("6", "45", "7", "46") "]")), "Hole lies outside" },
                { COLLECTION(FEATURE("", "MultiPolygon", "[[" SQUARE "],[" RING("4.5", "45.5", "6", "47") "]]")),
                  "not a valid outline" },
                { COLLECTION(POLYGON("", "[[[4,45],[5,45],[4,45],[4,45]]]")), "not a valid outline" },
                { COLLECTION(POLYGON("", "[[[4,45],[4,45],[4,45],[4,45]]]")), "not a valid outline" },
                { COLLECTION(POLYGON("", "[[[4,45],[5,91],[5,46],[4,45]]]")), "latitude 91 is outside" },
                { COLLECTION(POLYGON("", "[[[4,45],[181,45],[5,46],[4,45]]]")), "longitude 181 is outside" },
                { COLLECTION(POLYGON("", "[[[4,45],[5,NaN],[5,46],[4,45]]]")), "line 1" },
                { COLLECTION(POLYGON("", "[[[4,45],[5,1e999],[5,46],[4,45]]]")), "line 1" },
                { COLLECTION(POLYGON("", "[[[4,45],[5,\"45\"],[5,46],[4,45]]]")), "list of numbers" },
                { COLLECTION(POLYGON("", "[[[4,45],[5],[5,46],[4,45]]]")), "a position is" },
                { COLLECTION(POLYGON("", "[[[4,45],[5,45,0,0,0],[5,46],[4,45]]]")), "a position is" },
                { COLLECTION(POLYGON("", "[[[4,45],[5,45],[5,null],[4,45]]]")), "list of numbers" },
                { COLLECTION(POLYGON("", "[[[4,45],5,[5,46],[4,45]]]")), "a position is" },
                { COLLECTION(POLYGON("", "[[[[4,45],[5,45],[5,46],[4,45]]]]")), "fewer than 4" },
                { COLLECTION(POLYGON("", "[[[179,0],[-179,0],[-179,1],[179,1],[179,0]]]")), "antimeridian" },
                { COLLECTION(POLYGON("\"id\":\"a\"", "[" SQUARE "]") "," POLYGON("\"code\":\"a\",\"nom\":\"B\"",
                                                                                 "[" SQUARE "]")),
                  "feature 1 (B): id a is already that of feature 0" },
                { COLLECTION(POLYGON("\"id\":1.5", "[" SQUARE "]")), "id is neither" },
                { COLLECTION(POLYGON("\"id\":\"12345678901234567890123456789012345678901\"", "[" SQUARE "]")),
                  "id is neither" },
                { COLLECTION(POLYGON("\"name\":\"a\\u0007b\"", "[" SQUARE "]")), "feature 0 (a?b): name is neither" },
                { COLLECTION(POLYGON("\"teams\":\"north\"", "[" SQUARE "]")), "teams is no list" },
                { COLLECTION(POLYGON("\"teams\":[3]", "[" SQUARE "]")), "a team is" },
                { COLLECTION(POLYGON("\"teams\":[\"\"]", "[" SQUARE "]")), "a team is" },
                { COLLECTION(POLYGON("\"teams\":[\"a\",\"123456789012345678901234567890123\"]", "[" SQUARE "]")),
                  "a team is" },
                { COLLECTION(POLYGON("\"no_coverage\":1", "[" SQUARE "]")), "no_coverage" },
                { COLLECTION(POLYGON("\"ladder\":3", "[" SQUARE "]")), "ladder is no object" },
                { COLLECTION(POLYGON("\"ladder\":{\"ask_count\":0}", "[" SQUARE "]")), "ask_count is no whole" },
                { COLLECTION(POLYGON("\"ladder\":{\"ask_count\":21}", "[" SQUARE "]")), "ask_count is no whole" },
                { COLLECTION(POLYGON("\"ladder\":{\"next_after_s\":30.0}", "[" SQUARE "]")), "next_after_s is no" },
                { COLLECTION(POLYGON("\"ladder\":{\"managers_after_s\":3601}", "[" SQUARE "]")),
                  "managers_after_s is" },
                { COLLECTION(POLYGON("\"ladder\":{\"ask\":3}", "[" SQUARE "]")), "unknown field" },
                { COLLECTION(POLYGON("\"ladder\":{\"next_after_s\":61}", "[" SQUARE "]")), "not in this order" },
                { COLLECTION(POLYGON("\"ladder\":{\"all_after_s\":121}", "[" SQUARE "]")), "not in this order" },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                struct geo_error error = { "" };
                struct zones *zones = NULL;

                assert_int_equal(zones_read(cases[i].text, strlen(cases[i].text), &zones, &error), -EBADMSG);
                assert_null(zones);
                if (strstr(error.text, cases[i].says) == NULL)
                        fail_msg("%s\nsays:   %s\nwanted: %s", cases[i].text, error.text, cases[i].says);
        }
}

static void test_bounds(void **state)
{
        struct geo_error error = { "" };
        struct zones *zones = NULL;
        size_t length = 0, lists = 3000;
        char *text = NULL;
        FILE *f;

        assert_int_equal(zones_read("", GEOJSON_TEXT_MAX + 1, &zones, &error), -EFBIG);
        text = malloc(2 * lists + 1); /* nested deeper than any reader should follow */
        memset(text, '[', lists);
        memset(text + lists, ']', lists);
        assert_int_equal(zones_read(text, 2 * lists, &zones, &error), -EBADMSG);
        assert_non_null(strstr(error.text, "depth"));
        free(text);
        f = open_memstream(&text, &length);
        fputs("{\"type\":\"FeatureCollection\",\"features\":[0", f);
        for (int i = 0; i < GEOJSON_FEATURES_MAX; i++)
                fputs(",0", f);
        fputs("]}", f);
        fclose(f);
        assert_int_equal(zones_read(text, length, &zones, &error), -EFBIG);
        free(text);
        f = open_memstream(&text, &length);
        fputs("{\"type\":\"Feature\",\"geometry\":{\"type\":\"Polygon\",\"coordinates\":[[[4,45]", f);
        for (int i = 0; i < GEOJSON_POINTS_MAX; i++)
                fputs(",[4,45]", f);
        fputs("]]}}", f);
        fclose(f);
        assert_int_equal(zones_read(text, length, &zones, &error), -EBADMSG);
        assert_non_null(strstr(error.text, "more than 200000 positions"));
        free(text);
}

/* A label is cut between characters, and no text runs over. */
static void test_long_names_in_errors(void **state)
{
        struct geo_error error = { "" };
        struct zones *zones = NULL;
        char text[1000], name[401];

        for (size_t i = 0; i < 400; i += 2)
                memcpy(name + i, "\xc3\xa9", 2);
        name[400] = '\0';
        snprintf(text, sizeof(text), COLLECTION(FEATURE("\"name\":\"x%s\"", "Point", "[]")), name);
        assert_int_equal(zones_read(text, strlen(text), &zones, &error), -EBADMSG);
        assert_memory_equal(error.text, "feature 0 (x\xc3\xa9", 14);
        assert_non_null(strstr(error.text, "\xc3\xa9): name is neither a text of at most 120"));
}

static void test_properties(void **state)
{
        struct zones *zones = READ(
                POLYGON("\"nom\":\"Lyon\",\"code\":\"69123\",\"teams\":[\"north\",\"\xc3\x89quipe 2\"],"
                        "\"no_coverage\":true,\"ladder\":{\"ask_count\":5,\"sms_after_s\":60,\"next_after_s\":45},"
                        "\"colour\":\"red\"",
                        "[" SQUARE "]"),
                POLYGON("\"id\":7,\"name\":\"Seven\",\"teams\":[],\"no_coverage\":null,\"ladder\":null",
                        "[" SQUARE "]"),
                POLYGON("\"name\":\"Only a name\"", "[" SQUARE "]"), POLYGON("", "[" SQUARE "]"),
                "{\"type\":\"Feature\",\"id\":\"outer\",\"geometry\":{\"type\":\"Polygon\",\"coordinates\":[" SQUARE
                "]}}");
        const struct zone *zone = zones_find(zones, "69123");
        struct zone_ladder usual = zone_ladder_default();

        assert_int_equal(zones_count(zones), 5);
        assert_non_null(zone);
        assert_string_equal(zone->name, "Lyon");
        assert_true(zone->no_coverage);
        assert_int_equal(zone->team_count, 2);
        assert_true(zone_names_team(zone, "\xc3\x89quipe 2", name_hash("\xc3\x89quipe 2")));
        assert_true(zone_allows_team(zone, "north", name_hash("north")));
        assert_false(zone_allows_team(zone, "south", name_hash("south")));
        assert_false(zone_allows_team(zone, "", name_hash("")));
        assert_false(zone_names_team(zone, "south", name_hash("north"))); /* the hash alone does not do */
        assert_int_equal(zone->ladder.ask_count, 5);
        assert_int_equal(zone->ladder.sms_after_s, 60);
        assert_int_equal(zone->ladder.next_after_s, 45);
        assert_int_equal(zone->ladder.all_after_s, 60);
        assert_int_equal(zone->ladder.managers_after_s, 120);

        zone = zones_find(zones, "7");
        assert_non_null(zone);
        assert_int_equal(zone->team_count, 0);
        assert_true(zone_allows_team(zone, "south", name_hash("south")));
        assert_false(zone_names_team(zone, "south", name_hash("south")));
        assert_false(zone->no_coverage);
        assert_memory_equal(&zone->ladder, &usual, sizeof(usual));
        assert_int_equal(usual.ask_count, 3);
        assert_int_equal(usual.sms_after_s, 5);
        assert_int_equal(usual.next_after_s, 30);

        assert_string_equal(zones_find(zones, "Only a name")->name, "Only a name");
        assert_string_equal(zones_find(zones, "feature-00003")->name, "feature-00003");
        assert_string_equal(zones_find(zones, "outer")->name, "outer");
        assert_null(zones_find(zones, "6912"));
        assert_null(zones_find(zones, ""));
        for (size_t i = 0; i < 5; i++) {
                assert_int_equal(zones_get(zones, i)->index, i);
                assert_true(i == 0 || strcmp(zones_get(zones, i - 1)->id, zones_get(zones, i)->id) < 0);
        }
        zones_free(zones);
        zones_free(NULL);
}

static void test_no_zone(void **state)
{
        struct zones *zones = read_all(COLLECTION(""));

        assert_int_equal(zones_count(zones), 0);
        assert_string_equal(ids_at(zones, 45, 4), "");
        zones_free(zones);
        zones = read_all(POLYGON("\"id\":\"alone\"", "[" SQUARE "]")); /* a Feature by itself */
        assert_string_equal(ids_at(zones, 45.5, 4.5), "alone");
        zones_free(zones);
}

static void test_covers(void **state)
{
        struct zones *zones =
                READ(POLYGON("\"id\":\"hole\"",
                             "[" RING("4", "45", "5", "46") "," RING("4.25", "45.25", "4.75", "45.75") "]"),
                     FEATURE("\"id\":\"multi\"", "MultiPolygon",
                             "[[" RING("5", "45", "6", "46") "],[" RING("7", "45", "8", "46") "]]"),
                     POLYGON("\"id\":\"clockwise\"", "[[[10,45],[10,46],[11,46],[11,45],[10,45]]]"));
        struct position wrong = { 91, 0 };
        const struct zone *found[1];
        size_t count = 7;

        assert_string_equal(ids_at(zones, 45.1, 4.1), "hole");
        assert_string_equal(ids_at(zones, 45.5, 4.5), "");         /* in the hole */
        assert_string_equal(ids_at(zones, 45.25, 4.5), "hole");    /* on the hole's border */
        assert_string_equal(ids_at(zones, 45.5, 4), "hole");       /* on the border */
        assert_string_equal(ids_at(zones, 45, 4), "hole");         /* on a corner */
        assert_string_equal(ids_at(zones, 45.5, 5), "hole multi"); /* on a border of two */
        assert_string_equal(ids_at(zones, 45.5, 5.5), "multi");
        assert_string_equal(ids_at(zones, 45.5, 6.5), "");
        assert_string_equal(ids_at(zones, 46, 8), "multi");
        assert_string_equal(ids_at(zones, 46.0000001, 8), "");
        assert_string_equal(ids_at(zones, 45.5, 10.5), "clockwise");
        assert_int_equal(zones_at(zones, &wrong, 1, found, &count), -EINVAL);
        assert_int_equal(count, 7);
        zones_free(zones);
}

static void test_overlapping(void **state)
{
        char text[8000] = "", one[400];
        struct position at = { 45.5, 4.5 };
        const struct zone *found[ZONES_AT_MAX];
        struct zones *zones;
        size_t count;

        strcat(text, "{\"type\":\"FeatureCollection\",\"features\":[");
        for (int i = 19; i >= 0; i--) {
                snprintf(one, sizeof(one), POLYGON("\"id\":\"z%02d\"", "[" SQUARE "]") "%s", i, i > 0 ? "," : "]}");
                strcat(text, one);
        }
        zones = read_all(text);
        assert_int_equal(zones_at(zones, &at, ZONES_AT_MAX, found, &count), 0);
        assert_int_equal(count, ZONES_AT_MAX);
        for (size_t i = 0; i < count; i++)
                assert_ptr_equal(found[i], zones_get(zones, i));
        assert_int_equal(zones_at(zones, &at, 2, found, &count), 0);
        assert_int_equal(count, 2);
        assert_string_equal(found[1]->id, "z01");
        assert_int_equal(zones_get(zones, 3)->neighbour_count, 19);
        zones_free(zones);
}

/* Split at the antimeridian, as RFC 7946 asks: 180 and -180 are one place. */
static void test_antimeridian(void **state)
{
        struct zones *zones =
                READ(POLYGON("\"id\":\"east\"", "[" RING("179", "-1", "180", "1") "]"),
                     POLYGON("\"id\":\"west\"", "[" RING("-180", "-1", "-179", "1") "]"),
                     FEATURE("\"id\":\"both\"", "MultiPolygon",
                             "[[" RING("179", "10", "180", "11") "],[" RING("-180", "10", "-179", "11") "]]"),
                     POLYGON("\"id\":\"world\"", "[" RING("-180", "-90", "180", "90") "]"));
        const struct zone *east = zones_find(zones, "east");

        assert_string_equal(ids_at(zones, 0, 179.5), "east world");
        assert_string_equal(ids_at(zones, 0, 180), "east west world");
        assert_string_equal(ids_at(zones, 0, -180), "east west world");
        assert_string_equal(ids_at(zones, 10.5, 180), "both world");
        assert_string_equal(ids_at(zones, 10.5, -179.5), "both world");
        assert_string_equal(ids_at(zones, 90, 17), "world");
        assert_string_equal(ids_at(zones, -90, -180), "world");
        assert_int_equal(east->neighbour_count, 2);
        assert_string_equal(east->neighbours[0]->id, "west");
        assert_string_equal(east->neighbours[1]->id, "world");
        assert_int_equal(zones_find(zones, "west")->neighbour_count, 2);
        zones_free(zones);
}

static bool are_neighbours(const struct zones *zones, const char *a, const char *b)
{
        const struct zone *x = zones_find(zones, a), *y = zones_find(zones, b);
        bool forth = false, back = false;

        for (size_t i = 0; i < x->neighbour_count; i++)
                forth |= x->neighbours[i] == y;
        for (size_t i = 0; i < y->neighbour_count; i++)
                back |= y->neighbours[i] == x;
        assert_int_equal(forth, back);
        return forth;
}

/* 0.0005 degrees are 39 m from west to east at 45.5, and 56 m from south to north. */
static void test_neighbours(void **state)
{
        struct zones *zones = READ(POLYGON("\"id\":\"a\"", "[" RING("4", "45", "5", "46") "]"),
                                   POLYGON("\"id\":\"touches\"", "[" RING("5", "45.2", "6", "45.8") "]"),
                                   POLYGON("\"id\":\"corner\"", "[" RING("3", "44", "4", "45") "]"),
                                   POLYGON("\"id\":\"near\"", "[" RING("3", "45.2", "3.9995", "45.8") "]"),
                                   POLYGON("\"id\":\"far\"", "[" RING("4", "46.002", "5", "47") "]"),
                                   POLYGON("\"id\":\"inside\"", "[" RING("4.4", "45.4", "4.6", "45.6") "]"));

        assert_true(are_neighbours(zones, "a", "touches"));
        assert_true(are_neighbours(zones, "a", "corner"));
        assert_true(are_neighbours(zones, "a", "near"));
        assert_true(are_neighbours(zones, "a", "inside"));
        assert_false(are_neighbours(zones, "a", "far"));
        assert_false(are_neighbours(zones, "a", "a"));
        assert_false(are_neighbours(zones, "touches", "inside"));
        assert_int_equal(zones_find(zones, "far")->neighbour_count, 0);
        zones_free(zones);
}

static long allocations_left; /* cmocka runs one test at a time */

static void *allocate_while_any(size_t size)
{
        return allocations_left-- > 0 ? malloc(size) : NULL;
}

/* Whichever of jansson's allocations fails, nothing is half loaded and nothing leaks. */
static void test_out_of_memory(void **state)
{
        static const char text[] =
                COLLECTION(POLYGON("\"id\":7,\"teams\":[\"a\",\"b\"],\"ladder\":{\"ask_count\":2}", "[" SQUARE "]"));
        struct geo_error error = { "" };
        struct zones *zones = NULL;
        long failures = 0;
        int r;

        json_set_alloc_funcs(allocate_while_any, free);
        do {
                allocations_left = failures;
                r = zones_read(text, strlen(text), &zones, &error);
                if (r < 0) {
                        assert_true(r == -ENOMEM || r == -EBADMSG);
                        assert_null(zones);
                        assert_true(strlen(error.text) > 5);
                        failures++;
                }
        } while (r < 0 && failures < 1000);
        json_set_alloc_funcs(malloc, free);
        assert_in_range(failures, 20, 999);
        zones_free(zones);
}

/* Random rectangles with a hole, on a grid that doubles hold exactly, against four comparisons. */
static void test_against_comparisons(void **state)
{
        enum { COUNT = 60, SIDE = 32 };
        int west[COUNT], south[COUNT], east[COUNT], north[COUNT];
        size_t length = 0;
        char *text = NULL;
        FILE *f = open_memstream(&text, &length);
        struct zones *zones;

        srand48(11);
        fputs("{\"type\":\"FeatureCollection\",\"features\":[", f);
        for (int i = 0; i < COUNT; i++) {
                west[i] = (int)(drand48() * (SIDE - 4)), south[i] = (int)(drand48() * (SIDE - 4));
                east[i] = west[i] + 3 + (int)(drand48() * (SIDE - 3 - west[i]));
                north[i] = south[i] + 3 + (int)(drand48() * (SIDE - 3 - south[i]));
                fprintf(f,
                        "%s{\"type\":\"Feature\",\"properties\":{\"id\":\"z%02d\"},\"geometry\":{\"type\":\"Polygon\","
                        "\"coordinates\":[[[%d,%d],[%d,%d],[%d,%d],[%d,%d],[%d,%d]],"
                        "[[%d,%d],[%d,%d],[%d,%d],[%d,%d],[%d,%d]]]}}",
                        i > 0 ? "," : "", i, west[i], south[i], east[i], south[i], east[i], north[i], west[i], north[i],
                        west[i], south[i], west[i] + 1, south[i] + 1, east[i] - 1, south[i] + 1, east[i] - 1,
                        north[i] - 1, west[i] + 1, north[i] - 1, west[i] + 1, south[i] + 1);
        }
        fputs("]}", f);
        fclose(f);
        zones = read_all(text);
        free(text);
        for (int twice_x = 0; twice_x <= 2 * SIDE; twice_x++)
                for (int twice_y = 0; twice_y <= 2 * SIDE; twice_y++) {
                        double x = twice_x / 2.0, y = twice_y / 2.0;
                        struct position at = { y, x };
                        const struct zone *found[ZONES_AT_MAX];
                        size_t count, next = 0;

                        assert_int_equal(zones_at(zones, &at, ZONES_AT_MAX, found, &count), 0);
                        for (int i = 0; i < COUNT && next < ZONES_AT_MAX; i++) {
                                bool in = x >= west[i] && x <= east[i] && y >= south[i] && y <= north[i];
                                bool hole = x > west[i] + 1 && x < east[i] - 1 && y > south[i] + 1 && y < north[i] - 1;
                                bool covers;

                                assert_int_equal(zone_covers(zones, zones_get(zones, (size_t)i), &at, &covers), 0);
                                assert_int_equal(covers, in && !hole);
                                if (covers)
                                        assert_true(next < count && found[next++] == zones_get(zones, (size_t)i));
                        }
                        assert_int_equal(count, next);
                }
        zones_free(zones);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_bounds),
                cmocka_unit_test(test_long_names_in_errors),
                cmocka_unit_test(test_properties),
                cmocka_unit_test(test_no_zone),
                cmocka_unit_test(test_covers),
                cmocka_unit_test(test_overlapping),
                cmocka_unit_test(test_antimeridian),
                cmocka_unit_test(test_neighbours),
                cmocka_unit_test(test_out_of_memory),
                cmocka_unit_test(test_against_comparisons),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
