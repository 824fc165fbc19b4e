#include "geo/barrier.h"

#include <errno.h>
#include <geos_c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/geo/cmocka_first.h"

#define COLLECTION(features) "{\"type\":\"FeatureCollection\",\"features\":[" features "]}"
#define FEATURE(properties, type, coordinates)                                                 \
        "{\"type\":\"Feature\",\"properties\":{" properties "},\"geometry\":{\"type\":\"" type \
        "\",\"coordinates\":" coordinates "}}"
#define LINE(properties, coordinates) COLLECTION(FEATURE(properties, "LineString", coordinates))

static struct barriers *read_all(const char *text)
{
        struct geo_error error = { "" };
        struct barriers *barriers = NULL;
        int r = barriers_read(text, strlen(text), &barriers, &error);

        if (r != 0)
                fail_msg("refused: %s", error.text);
        return barriers;
}

/* The same of a collection of some features. */
#define READ(...) read_features((const char *const[]){ __VA_ARGS__, NULL })

static struct barriers *read_features(const char *const *features)
{
        static char text[8000];
        char *end = text + sprintf(text, "\xef\xbb\xbf{\"type\":\"FeatureCollection\",\"features\":[");

        for (size_t i = 0; features[i] != NULL; i++)
                end += sprintf(end, "%s%s", i > 0 ? "," : "", features[i]);
        strcpy(end, "]}");
        return read_all(text);
}

static double penalty(const struct barriers *barriers, double lat_a, double lon_a, double lat_b, double lon_b)
{
        struct position a = { lat_a, lon_a }, b = { lat_b, lon_b };
        double there = barriers_penalty(barriers, &a, &b), back = barriers_penalty(barriers, &b, &a);

        assert_true(there == back);
        return there;
}

static void test_refused(void **state)
{
        static const struct {
                const char *text, *says;
        } cases[] = {
                { "{}", "neither a FeatureCollection" },
                { LINE("\"name\":\"Rhone\"", "[[4,45]]"), "feature 0 (Rhone): fewer than 2 positions" },
                { LINE("", "[]"), "fewer than 2" },
                { LINE("", "[[4,45],[4,95]]"), "latitude 95" },
                { LINE("", "[[4,45],[\"4\",46]]"), "list of numbers" },
                { LINE("", "[[179,45],[-179,45]]"), "antimeridian" },
                { LINE("\"penalty\":0.5", "[[4,45],[4,46]]"), "penalty is no number of 1 to 20" },
                { LINE("\"penalty\":20.5", "[[4,45],[4,46]]"), "penalty is no number" },
                { LINE("\"penalty\":\"3\"", "[[4,45],[4,46]]"), "penalty is no number" },
                { COLLECTION(FEATURE("", "Polygon", "[[[4,45],[5,45],[5,46],[4,45]]]")), "neither a LineString" },
                { COLLECTION(FEATURE("", "MultiLineString", "[]")), "neither a LineString" },
                { COLLECTION(FEATURE("", "MultiLineString", "[[[4,45],[4,46]],[[4,45]]]")), "fewer than 2" },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                struct geo_error error = { "" };
                struct barriers *barriers = NULL;

                assert_int_equal(barriers_read(cases[i].text, strlen(cases[i].text), &barriers, &error), -EBADMSG);
                assert_null(barriers);
                if (strstr(error.text, cases[i].says) == NULL)
                        fail_msg("says:   %s\nwanted: %s", error.text, cases[i].says);
        }
}

static void test_crossing(void **state)
{
        struct barriers *barriers = READ(FEATURE("\"name\":\"river\"", "LineString", "[[4,45],[4,46]]"),
                                         FEATURE("\"name\":\"motorway\",\"penalty\":5", "MultiLineString",
                                                 "[[[5,45],[5,45.4]],[[5,45.6],[5,46]]]"),
                                         FEATURE("\"penalty\":1.5", "LineString", "[[3.5,45.5],[4.5,45.5]]"));

        assert_true(penalty(barriers, 45.2, 3.9, 45.2, 4.1) == 3); /* the default */
        assert_true(penalty(barriers, 45.2, 3.9, 45.3, 3.95) == 1);
        assert_true(penalty(barriers, 45.2, 3.9, 45.2, 5.1) == 5);   /* two: the greater */
        assert_true(penalty(barriers, 45.55, 4.9, 45.55, 5.1) == 1); /* through the gap */
        assert_true(penalty(barriers, 45.4, 4.9, 45.6, 5.2) == 1);
        assert_true(penalty(barriers, 45.4, 3.8, 45.6, 3.9) == 1.5);
        assert_true(penalty(barriers, 45.2, 4, 45.2, 3.9) == 3); /* stands on it */
        assert_true(penalty(barriers, 45.2, 4, 45.3, 4) == 3);   /* walks along it */
        assert_true(penalty(barriers, 45.2, 4, 45.2, 4) == 3);
        assert_true(penalty(barriers, 46.2, 4, 46.3, 4) == 1); /* in its line, past its end */
        assert_true(penalty(barriers, 46, 3.9, 46, 4) == 3);   /* touches its end */
        assert_true(penalty(barriers, 45.2, 3.9999999, 45.3, 3.9999999) == 1);
        assert_true(penalty(NULL, 45.2, 3.9, 45.2, 4.1) == 1);
        barriers_free(barriers);
        barriers_free(NULL);
        barriers = read_all(COLLECTION(""));
        assert_true(penalty(barriers, 45.2, 3.9, 45.2, 4.1) == 1);
        barriers_free(barriers);
}

/* The way goes the short way round; the barrier may lie on either side of the antimeridian, or on it. */
static void test_antimeridian(void **state)
{
        struct barriers *barriers =
                READ(FEATURE("\"penalty\":2", "LineString", "[[179.5,0],[179.5,1]]"),
                     FEATURE("\"penalty\":4", "LineString", "[[-179.5,0],[-179.5,1]]"),
                     FEATURE("\"penalty\":6", "LineString", "[[180,10],[180,11]]"),
                     FEATURE("\"penalty\":7", "LineString", "[[-180,20],[-180,21]]"),
                     FEATURE("\"penalty\":9", "LineString", "[[179.9,30],[180,30],[-180,30],[-179.9,30]]"),
                     FEATURE("\"penalty\":20", "LineString", "[[0,-89],[0,89]]"));

        assert_true(penalty(barriers, 0.5, 179.4, 0.5, 179.9) == 2);
        assert_true(penalty(barriers, 0.5, 179.4, 0.5, -179.9) == 2);
        assert_true(penalty(barriers, 0.5, 179.6, 0.5, -179.4) == 4);
        assert_true(penalty(barriers, 0.5, 179.4, 0.5, -179.4) == 4);
        assert_true(penalty(barriers, 10.5, 179.9, 10.5, -179.9) == 6);
        assert_true(penalty(barriers, 20.5, 179.9, 20.5, -179.9) == 7);
        assert_true(penalty(barriers, 10.5, 180, 10.5, -179.9) == 6);
        assert_true(penalty(barriers, 20.5, 180, 20.5, 179.9) == 7);
        assert_true(penalty(barriers, 20.5, -180, 20.5, 180) == 7);
        assert_true(penalty(barriers, 29, 0.5, 31, 1) == 1); /* the step over it is no line round the globe */
        assert_true(penalty(barriers, 29, 179.95, 31, -179.95) == 9);
        assert_true(penalty(barriers, 5, -10, 5, 10) == 20);
        assert_true(penalty(barriers, 5, -100, 5, 100) == 1); /* the short way is over the antimeridian, not over 0 */
        barriers_free(barriers);
}

/* Winding lines on a grid of 1/128 degree, which is exact in doubles and in 1e-7 degrees, against GEOS. */
static void test_against_geos(void **state)
{
        GEOSContextHandle_t geos = GEOS_init_r();
        size_t met = 0;

        srand48(3);
        for (int world = 0; world < 60; world++) {
                size_t length = 0, points = 2 + (size_t)(drand48() * 90);
                char *text = NULL;
                FILE *f = open_memstream(&text, &length);
                GEOSCoordSequence *line = GEOSCoordSeq_create_r(geos, (unsigned)points, 2);
                const GEOSPreparedGeometry *prepared; /* else its own nodes are worked out at each call */
                GEOSGeometry *barrier;
                struct barriers *barriers;
                int side = world % 2 ? 12 : 400;

                fputs("{\"type\":\"Feature\",\"geometry\":{\"type\":\"LineString\",\"coordinates\":[", f);
                for (size_t i = 0; i < points; i++) {
                        double x = 4 + (int)(drand48() * side) / 128.0, y = 45 + (int)(drand48() * side) / 128.0;

                        fprintf(f, "%s[%.7f,%.7f]", i > 0 ? "," : "", x, y);
                        GEOSCoordSeq_setXY_r(geos, line, (unsigned)i, x, y);
                }
                fputs("]}}", f);
                fclose(f);
                barriers = read_all(text);
                free(text);
                barrier = GEOSGeom_createLineString_r(geos, line);
                prepared = GEOSPrepare_r(geos, barrier);
                for (int i = 0; i < 500; i++) {
                        double ax = 4 + (int)(drand48() * side) / 128.0, ay = 45 + (int)(drand48() * side) / 128.0;
                        double bx = ax + ((int)(drand48() * 9) - 4) / 128.0,
                               by = ay + ((int)(drand48() * 9) - 4) / 128.0;
                        GEOSCoordSequence *ends = GEOSCoordSeq_create_r(geos, 2, 2);
                        GEOSGeometry *way;

                        GEOSCoordSeq_setXY_r(geos, ends, 0, ax, ay);
                        GEOSCoordSeq_setXY_r(geos, ends, 1, bx, by);
                        way = ax == bx && ay == by
                                      ? GEOSGeom_createPointFromXY_r(geos, ax, ay)
                                      : GEOSGeom_createLineString_r(geos, GEOSCoordSeq_clone_r(geos, ends));
                        assert_int_equal(penalty(barriers, ay, ax, by, bx) > 1,
                                         GEOSPreparedIntersects_r(geos, prepared, way));
                        met += penalty(barriers, ay, ax, by, bx) > 1;
                        GEOSGeom_destroy_r(geos, way);
                        GEOSCoordSeq_destroy_r(geos, ends);
                }
                GEOSPreparedGeom_destroy_r(geos, prepared);
                GEOSGeom_destroy_r(geos, barrier);
                barriers_free(barriers);
        }
        GEOS_finish_r(geos);
        assert_in_range(met, 3000, 27000); /* both answers were asked for often */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_crossing),
                cmocka_unit_test(test_antimeridian),
                cmocka_unit_test(test_against_geos),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
