#include "geo/position.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "tests/geo/cmocka_first.h"

static void test_validity(void **state)
{
        const struct {
                struct position at;
                bool valid;
        } cases[] = {
                { { 0, 0 }, true },           { { 90, 180 }, true },       { { -90, -180 }, true },
                { { 90.0000001, 0 }, false }, { { 0, 180.1 }, false },     { { 0, -180.1 }, false },
                { { -91, 0 }, false },        { { NAN, 0 }, false },       { { 0, NAN }, false },
                { { INFINITY, 0 }, false },   { { 0, -INFINITY }, false },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
                assert_int_equal(position_is_valid(&cases[i].at), cases[i].valid);
        assert_false(position_is_valid(NULL));
}

static void test_e7(void **state)
{
        struct position at = { 45.7578123, -4.83200005 }, wrong = { 90.1, 0 };
        int32_t lat_e7 = 7, lon_e7 = 7;

        assert_int_equal(position_to_e7(&at, &lat_e7, &lon_e7), 0);
        assert_int_equal(lat_e7, 457578123);
        assert_true(lon_e7 == -48320000 || lon_e7 == -48320001);
        assert_int_equal(position_to_e7(&(struct position){ -90, 180 }, &lat_e7, &lon_e7), 0);
        assert_int_equal(lat_e7, -900000000);
        assert_int_equal(lon_e7, 1800000000);
        assert_int_equal(position_to_e7(&(struct position){ 0.00000006, -0.00000006 }, &lat_e7, &lon_e7), 0);
        assert_int_equal(lat_e7, 1);
        assert_int_equal(lon_e7, -1);
        assert_int_equal(position_to_e7(&wrong, &lat_e7, &lon_e7), -EINVAL);

        assert_int_equal(position_from_e7(457578123, -48320000, &at), 0);
        assert_true(fabs(at.lat_deg - 45.7578123) < 1e-12 && fabs(at.lon_deg + 4.832) < 1e-12);
        assert_int_equal(position_from_e7(900000000, -1800000000, &at), 0);
        assert_int_equal(position_from_e7(900000001, 0, &at), -ERANGE);
        assert_int_equal(position_from_e7(0, INT32_MIN, &at), -ERANGE);
}

/* Known lengths on WGS 84: the quarter meridian, a degree of the equator, and a pair worked out by GeodSolve
 * (JFK to LHR, in GeographicLib's own documentation). */
static void test_distance(void **state)
{
        const struct {
                struct position a, b;
                double m, within_m;
        } cases[] = {
                { { 0, 0 }, { 90, 123 }, 10001965.729, 0.001 },
                { { 0, 0 }, { 0, 1 }, 111319.4908, 0.001 },
                { { 40.6, -73.8 }, { 51.6, -0.5 }, 5551759.4, 0.1 },
                { { 0, 180 }, { 0, -180 }, 0, 1e-6 },
                { { 0, 179.9999 }, { 0, -179.9999 }, 22.2639, 0.0001 },
                { { 90, 10 }, { 90, -170 }, 0, 1e-6 },
                { { 45, 5 }, { 45, 5 }, 0, 0 },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                double m = position_distance_m(&cases[i].a, &cases[i].b);

                assert_true(fabs(m - cases[i].m) <= cases[i].within_m);
        }
}

static float chord2(const struct position *a, const struct position *b)
{
        struct unit_vector u = position_unit_vector(a), v = position_unit_vector(b);
        float dx = u.x - v.x, dy = u.y - v.y, dz = u.z - v.z;

        return dx * dx + dy * dy + dz * dz;
}

/* The sift never loses anyone, and does not keep far too many: near, far, at the poles and across the antimeridian. */
static void test_sift(void **state)
{
        struct globe globe;

        globe_init(&globe);
        srand48(20260101);
        for (int i = 0; i < 200000; i++) {
                double spread = pow(10, -6 + 8 * drand48());
                struct position a = { 180 * drand48() - 90, 360 * drand48() - 180 };
                struct position b = { a.lat_deg + spread * (drand48() - 0.5), a.lon_deg + spread * (drand48() - 0.5) };
                double m, about_m;

                b.lat_deg = fmax(-90, fmin(90, b.lat_deg));
                b.lon_deg = remainder(b.lon_deg, 360);
                m = globe_distance_m(&globe, &a, &b);
                about_m = sift_distance_m(chord2(&a, &b));
                assert_true(chord2(&a, &b) <= sift_chord2(m));
                assert_true(about_m <= m * (1 + SIFT_MARGIN) + 7 && about_m >= m * (1 - SIFT_MARGIN) - 7);
                assert_true(m > 1.9e7 || chord2(&a, &b) >= sift_chord2(m * 0.97 - 20) || m < 30);
        }
        assert_true(sift_chord2(HUGE_VAL) >= 4);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_validity),
                cmocka_unit_test(test_e7),
                cmocka_unit_test(test_distance),
                cmocka_unit_test(test_sift),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
