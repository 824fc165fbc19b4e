/* The last good fix.  No fix, an old one or a wild one never delays an alert, and never replaces a good one. */
#include <math.h>

#include "device/handset/core.h"

/* 540 km/h: no carrier travels so; a fix that implies it is a reflection, a simulator's jump, or a cold start. */
#define SPEED_MAX_M_S  150
/* But when so many fixes in a row agree with each other, over so long, it is the old one that was wrong. */
#define JUMPS_AGREEING 5
#define JUMPS_SPAN_MS  4000
/* A fix three times worse than a fresh good one (and worse than 100 m: a mast's, not a satellite's) does not replace
 * it. */
#define WORSE_TIMES    3
#define WORSE_M        100
#define FRESH_MS       20000
/* A fix after so long without one is told to the region at once: those who choose must know where we are. */
#define STALE_S        60
/* A day and more: beyond it the age that travels is saturated three times over. */
#define AGE_MAX_MS     (4 * 86400000)

#define EARTH_RADIUS_M 6371008.8
#define RADIANS        (3.14159265358979323846 / 180)

double my_fix_distance_m(double lat_a_deg, double lon_a_deg, double lat_b_deg, double lon_b_deg)
{
        double sin_lat = sin((lat_b_deg - lat_a_deg) * RADIANS / 2),
               sin_lon = sin((lon_b_deg - lon_a_deg) * RADIANS / 2);
        double h = sin_lat * sin_lat + cos(lat_a_deg * RADIANS) * cos(lat_b_deg * RADIANS) * sin_lon * sin_lon;

        return 2 * EARTH_RADIUS_M * asin(sqrt(fmin(h, 1)));
}

/* 0, 0 exactly is what receivers give before they know. */
static bool possible(const struct my_fix *f)
{
        return f->lat_deg >= -90 && f->lat_deg <= 90 && f->lon_deg >= -180 && f->lon_deg <= 180 &&
               !(f->lat_deg == 0 && f->lon_deg == 0);
}

static double accuracy_or_0(const struct my_fix *f)
{
        return isnan(f->accuracy_m) ? 0 : f->accuracy_m;
}

/* The time between two fixes: by the receiver where it says, so that a log played back faster is no jump. */
static double between_s(const struct my_fix *from, const struct my_fix *to)
{
        int64_t ms = from->mono_ms == INT64_MIN ? to->at_ms - from->at_ms : to->mono_ms - from->mono_ms;

        if (from->receiver_ms != 0 && to->receiver_ms > from->receiver_ms)
                ms = to->receiver_ms - from->receiver_ms;
        return ms < 1000 ? 1 : ms / 1000.0;
}

static bool is_jump(const struct my_fix *from, const struct my_fix *to)
{
        double moved_m = my_fix_distance_m(from->lat_deg, from->lon_deg, to->lat_deg, to->lon_deg);

        if (from->mono_ms == INT64_MIN && to->at_ms < from->at_ms)
                return false; /* of the run before, and the clock has gone back: the time between is not known */
        return moved_m - accuracy_or_0(from) - accuracy_or_0(to) > SPEED_MAX_M_S * between_s(from, to);
}

static bool is_older(const struct my_fix *held, const struct my_fix *f, int64_t age_ms)
{
        if (held->mono_ms != INT64_MIN)
                return f->mono_ms < held->mono_ms;
        return age_ms > 0 && f->at_ms < held->at_ms; /* one of the run before, by a clock that may have been wrong */
}

static bool is_worse(const struct my_fix *held, const struct my_fix *f)
{
        return held->mono_ms != INT64_MIN && f->mono_ms - held->mono_ms < FRESH_MS && f->accuracy_m > WORSE_M &&
               f->accuracy_m > WORSE_TIMES * held->accuracy_m;
}

static bool jumps_agree(struct vigie *vigie, const struct my_fix *f)
{
        bool agrees = vigie->jumps > 0 && !is_older(&vigie->jump, f, 0) && !is_jump(&vigie->jump, f);

        if (!agrees) {
                vigie->jumps = 0;
                vigie->jump_mono_ms = f->mono_ms;
        }
        vigie->jump = *f;
        vigie->jumps += vigie->jumps < UINT8_MAX;
        return vigie->jumps >= JUMPS_AGREEING && f->mono_ms - vigie->jump_mono_ms >= JUMPS_SPAN_MS;
}

void my_fix_on_fix(struct vigie *vigie, const struct vigie_event *event)
{
        int64_t age_ms = event->u.fix.age_ms > 0 ? event->u.fix.age_ms : 0;
        struct my_fix f = { .has = true, .lat_deg = event->u.fix.lat_deg, .lon_deg = event->u.fix.lon_deg };
        bool exact;

        f.accuracy_m = event->u.fix.accuracy_m >= 0 ? event->u.fix.accuracy_m : NAN;
        f.receiver_ms = event->u.fix.at_ms > 0 && event->u.fix.at_ms <= VIGIE_CLOCK_MAX_MS ? event->u.fix.at_ms : 0;
        if (age_ms > AGE_MAX_MS)
                age_ms = AGE_MAX_MS;
        f.mono_ms = vigie->now_mono_ms - age_ms;
        f.at_ms = vigie->now_ms - age_ms;
        if (!possible(&f))
                return;
        if (vigie->fix.has) {
                if (is_older(&vigie->fix, &f, age_ms))
                        return;
                if (is_jump(&vigie->fix, &f) ? !jumps_agree(vigie, &f) : is_worse(&vigie->fix, &f))
                        return;
        }
        if (!vigie->fix.has || my_fix_age_s(vigie) > STALE_S)
                my_duty_beat(vigie); /* where we are was not known: tell it now, not with the next beat */
        vigie->jumps = 0;
        vigie->fix = f;
        vigie->fix_number++;
        exact = !isnan(f.accuracy_m); /* the first report of a second often is not: the next is worth a record */
        if (vigie->fix_kept_mono_ms != 0 && vigie->now_mono_ms - vigie->fix_kept_mono_ms < MY_FIX_KEEP_MS &&
            (vigie->fix_kept_exact || !exact))
                return;
        vigie->fix_kept_mono_ms = vigie->now_mono_ms;
        vigie->fix_kept_exact = exact;
        my_diary_write(vigie, MY_FIX, false);
}

void my_fix_entered(struct vigie *vigie, const struct vigie_place *place)
{
        int64_t ago_ms = vigie->now_ms - place->at_s * INT64_C(1000);
        struct my_fix f = { .has = true, .lat_deg = place->lat_e7 / 1e7, .lon_deg = place->lon_e7 / 1e7 };

        ago_ms = ago_ms < 0 ? 0 : my_earlier(ago_ms, AGE_MAX_MS);
        f.accuracy_m = place->accuracy_m < UINT16_MAX ? place->accuracy_m : NAN;
        f.mono_ms = vigie->now_mono_ms - ago_ms;
        f.at_ms = vigie->now_ms - ago_ms;
        if (!possible(&f) || (vigie->fix.has && vigie->fix.mono_ms != INT64_MIN && vigie->fix.mono_ms >= f.mono_ms))
                return;
        vigie->jumps = 0;
        vigie->fix = f;
        vigie->fix_number++;
}

uint16_t my_fix_age_s(const struct vigie *vigie)
{
        const struct my_fix *f = &vigie->fix;
        int64_t ms = f->mono_ms == INT64_MIN ? vigie->now_ms - f->at_ms : vigie->now_mono_ms - f->mono_ms;

        return ms < 0 || ms / 1000 > UINT16_MAX ? UINT16_MAX : (uint16_t)(ms / 1000);
}

static int32_t to_e7(double deg)
{
        return (int32_t)(deg * 1e7 + (deg < 0 ? -0.5 : 0.5));
}

struct vigie_place my_fix_place(const struct vigie *vigie)
{
        const struct my_fix *f = &vigie->fix;
        struct vigie_place place = { .lat_e7 = to_e7(f->lat_deg),
                                     .lon_e7 = to_e7(f->lon_deg),
                                     .accuracy_m = UINT16_MAX };

        if (f->accuracy_m < UINT16_MAX)
                place.accuracy_m = (uint16_t)ceil(f->accuracy_m);
        place.at_s = my_seconds(f->at_ms);
        return place;
}
