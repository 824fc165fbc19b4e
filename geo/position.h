/* A place on the earth and the distance between two.  Pure.  The one place that calls PROJ's geodesic.h. */
#ifndef GEO_POSITION_H
#define GEO_POSITION_H

#include <geodesic.h>
#include <stdbool.h>
#include <stdint.h>

/* WGS 84.  lat_deg -90..90, lon_deg -180..180; both 180 and -180 name the antimeridian. */
struct position {
        double lat_deg, lon_deg;
};

/* What travels and is stored: whole 1e-7 degrees (1.1 cm), as in the alert. */
#define POSITION_E7 10000000

/* position_is_valid: finite and in range.  NULL is not valid. */
bool position_is_valid(const struct position *at);

/* degrees_to_e7: one coordinate, valid, rounded half away from zero; like lround, which takes ten times as long. */
static inline int32_t degrees_to_e7(double deg)
{
        return (int32_t)(deg * POSITION_E7 + (deg < 0 ? -0.5 : 0.5));
}

/* position_to_e7: round AT to whole 1e-7 degrees.
 * Returns 0, -EINVAL (AT not valid; nothing written). */
int position_to_e7(const struct position *at, int32_t *ret_lat_e7, int32_t *ret_lon_e7);

/* position_from_e7: the position of two whole numbers of 1e-7 degrees.
 * Returns 0, -ERANGE (outside +-90, +-180 degrees; nothing written). */
int position_from_e7(int32_t lat_e7, int32_t lon_e7, struct position *ret_at);

/* The ellipsoid's constants.  Made once (0.1 us), then only read. */
struct globe {
        struct geod_geodesic wgs84;
};

/* globe_init: work out the constants of WGS 84.  Cannot fail. */
void globe_init(struct globe *ret_globe);

/* globe_distance_m: metres along the geodesic between two valid positions, 0..20,003,932; exact to 15 nm, about 0.6 us.
 * The same two positions in the same order always give the same bits.  Source: PROJ geodesic.h, geod_inverse. */
double globe_distance_m(const struct globe *globe, const struct position *from, const struct position *to);

/* position_distance_m: the same, for one distance now and then (makes the constants each time). */
double position_distance_m(const struct position *from, const struct position *to);

/* The sift: a point of the unit sphere as three floats, so that many distances cost three products each.
 * The chord between two of them tells the great circle, and with the margins below bounds the geodesic. */
struct unit_vector {
        float x, y, z;
};

/* position_unit_vector: AT (valid) on the unit sphere. */
struct unit_vector position_unit_vector(const struct position *at);

/* Great circle (mean radius) and geodesic differ by at most 0.56 %: 1 % is asked for, always on the safe side. */
#define SIFT_MARGIN 0.01

/* sift_chord2: the square of the chord beyond which a point is certainly further than DISTANCE_M along the geodesic,
 * whatever floats round away.  distance_m >= 0, HUGE_VAL allowed.  A point at most that far never has a greater one. */
float sift_chord2(double distance_m);

/* sift_distance_m: metres of great circle for the squared chord CHORD2 (0..4): right to within SIFT_MARGIN and 7 m. */
double sift_distance_m(float chord2);

#endif
