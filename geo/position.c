#include "geo/position.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>

/* WGS 84, and the mean radius of its sphere (IUGG R1). */
#define EQUATOR_M     6378137.0
#define FLATTENING    (1 / 298.257223563)
#define MEAN_RADIUS_M 6371008.7714

/* What rounding to floats can add to a chord of the unit sphere: 1e-7 for the six coordinates, 4e-7 for the longest
 * chord's own products.  Twice that; 6.4 m on the ground. */
#define CHORD_SLACK 1e-6

/* Up to here (640 km) two terms of the arc's series are right to a millionth. */
#define SHORT_CHORD2 0.01f

bool position_is_valid(const struct position *at)
{
        /* written so that NaN fails */
        return at != NULL && at->lat_deg >= -90 && at->lat_deg <= 90 && at->lon_deg >= -180 && at->lon_deg <= 180;
}

int position_to_e7(const struct position *at, int32_t *ret_lat_e7, int32_t *ret_lon_e7)
{
        if (!position_is_valid(at))
                return -EINVAL;
        *ret_lat_e7 = degrees_to_e7(at->lat_deg);
        *ret_lon_e7 = degrees_to_e7(at->lon_deg);
        return 0;
}

int position_from_e7(int32_t lat_e7, int32_t lon_e7, struct position *ret_at)
{
        struct position at = { (double)lat_e7 / POSITION_E7, (double)lon_e7 / POSITION_E7 };

        if (!position_is_valid(&at))
                return -ERANGE;
        *ret_at = at;
        return 0;
}

void globe_init(struct globe *ret_globe)
{
        geod_init(&ret_globe->wgs84, EQUATOR_M, FLATTENING);
}

double globe_distance_m(const struct globe *globe, const struct position *from, const struct position *to)
{
        double distance_m;

        geod_inverse(&globe->wgs84, from->lat_deg, from->lon_deg, to->lat_deg, to->lon_deg, &distance_m, NULL, NULL);
        return distance_m;
}

double position_distance_m(const struct position *from, const struct position *to)
{
        struct globe globe;

        globe_init(&globe);
        return globe_distance_m(&globe, from, to);
}

struct unit_vector position_unit_vector(const struct position *at)
{
        double lat = at->lat_deg * M_PI / 180, lon = at->lon_deg * M_PI / 180;
        double r = cos(lat);

        return (struct unit_vector){ (float)(r * cos(lon)), (float)(r * sin(lon)), (float)sin(lat) };
}

float sift_chord2(double distance_m)
{
        double angle = distance_m / (MEAN_RADIUS_M * (1 - SIFT_MARGIN));
        double chord = (angle < M_PI ? 2 * sin(angle / 2) : 2) + CHORD_SLACK;

        return (float)(chord * chord);
}

double sift_distance_m(float chord2)
{
        double chord = sqrt((double)chord2);

        if (chord2 < SHORT_CHORD2)
                return MEAN_RADIUS_M * chord * (1 + (double)chord2 / 24);
        return 2 * MEAN_RADIUS_M * asin(chord < 2 ? chord / 2 : 1);
}
