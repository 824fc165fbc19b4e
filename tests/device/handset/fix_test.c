#include <math.h>

#include "tests/device/handset/phone.h"

#define METRE (1 / 111195.0) /* of latitude, in degrees */

struct step {
        double north_m, accuracy_m;
        int64_t after_ms, age_ms;
        bool taken;
};

static void steps_taken(const struct step *steps, size_t count)
{
        struct phone *p = phone_started();

        for (size_t i = 0; i < count; i++) {
                struct vigie_event e = { .type = VIGIE_ON_FIX };
                double lat = 45 + steps[i].north_m * METRE;

                phone_run(p, steps[i].after_ms);
                e.u.fix.lat_deg = lat;
                e.u.fix.lon_deg = 4.83;
                e.u.fix.accuracy_m = steps[i].accuracy_m;
                e.u.fix.age_ms = steps[i].age_ms;
                phone_event(p, e);
                if ((p->status.fix.lat_e7 == (int32_t)(lat * 1e7 + 0.5)) != steps[i].taken)
                        fail_msg("step %zu: taken is not %d", i, steps[i].taken);
        }
        phone_free(p);
}

#define STEPS(...)                                        \
        steps_taken((const struct step[]){ __VA_ARGS__ }, \
                    sizeof((const struct step[]){ __VA_ARGS__ }) / sizeof(struct step))

static void older_and_wild_ones_are_left(void **state)
{
        STEPS({ 0, 5, 0, 0, true }, { 140, 5, 1000, 0, true }, { 500, 5, 1000, 0, false }, { 280, 5, 1000, 0, true });
        STEPS({ 0, 5, 0, 0, true }, { 10, 5, 5000, 6000, false }, { 10, 5, 0, 4000, true }, { 20, 5, 0, -9, true });
        STEPS({ 0, 5, 0, 0, true }, { 100000, 5, 1000, 0, false }, { 0, 5, 1000, 0, true });
        STEPS({ 0, 5, 0, 0, true }, { 100000, 5, 3600000, 0, true }); /* an hour's drive */
        STEPS({ 0, 500, 0, 0, true }, { 600, 500, 1000, 0, true });   /* within what they do not know */
        STEPS({ 0, 5, 0, 0, true }, { 0.5, 2000, 1000, 0, false }, { 0.5, 2000, 20000, 0, true }); /* a mast's */
}

/* Five that agree over four seconds: it was the old one that was wild. */
static void agreeing_jumps_are_taken(void **state)
{
        STEPS({ 0, 5, 0, 0, true }, { 90000, 5, 1000, 0, false }, { 90001, 5, 1000, 0, false },
              { 90002, 5, 1000, 0, false }, { 90003, 5, 1000, 0, false }, { 90004, 5, 1000, 0, true },
              { 90005, 5, 1000, 0, true });
        STEPS({ 0, 5, 0, 0, true }, { 90000, 5, 1000, 0, false }, { -90001, 5, 1000, 0, false },
              { 90002, 5, 1000, 0, false }, { -90003, 5, 1000, 0, false }, { 90004, 5, 1000, 0, false },
              { 5, 5, 1000, 0, true });
        STEPS({ 0, 5, 0, 0, true }, { 90000, 5, 100, 0, false }, { 90001, 5, 100, 0, false },
              { 90002, 5, 100, 0, false }, { 90003, 5, 100, 0, false }, { 90004, 5, 100, 0, false });
}

static void impossible_ones_are_left(void **state)
{
        static const double bad[][2] = { { NAN, 4 },      { 45, NAN },       { 90.1, 4 },
                                         { -90.1, 4 },    { 45, 180.1 },     { 45, -180.1 },
                                         { INFINITY, 4 }, { 45, -INFINITY }, { 0, 0 } };
        struct phone *p = phone_started();

        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                phone_fix(p, bad[i][0], bad[i][1], 5);
                assert_false(p->status.has_fix);
        }
        assert_int_equal(p->status.trouble & VIGIE_TROUBLE_NO_FIX, VIGIE_TROUBLE_NO_FIX);
        phone_fix(p, 90, -180, 5);
        assert_true(p->status.has_fix);
        assert_int_equal(p->status.fix.lat_e7, 900000000);
        assert_int_equal(p->status.fix.lon_e7, -1800000000);
        assert_int_equal(p->status.trouble & VIGIE_TROUBLE_NO_FIX, 0);
        phone_free(p);
}

static void numbers_saturate(void **state)
{
        static const struct {
                double given;
                uint16_t travels;
        } cases[] = { { 0, 0 },       { 7.2, 8 },     { 65534, 65534 }, { 65535, 65535 },
                      { 1e9, 65535 }, { NAN, 65535 }, { -1, 65535 } };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct phone *p = phone_started();

                phone_fix(p, 45.76, 4.83, cases[i].given);
                assert_int_equal(p->status.fix.accuracy_m, cases[i].travels);
                phone_run(p, 70000000);
                phone_mark(p);
                phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
                assert_int_equal(phone_alert(p).alert.accuracy_m, cases[i].travels);
                assert_int_equal(phone_alert(p).alert.fix_age_s, 65535);
                phone_free(p);
        }
}

/* A log played ten times too fast, with the receiver's times: no jump.  The same without times: one. */
static void receiver_time(void **state)
{
        for (int timed = 0; timed < 2; timed++) {
                struct phone *p = phone_started();

                for (int i = 0; i < 30; i++) {
                        struct vigie_event e = { .type = VIGIE_ON_FIX };

                        e.u.fix.lat_deg = 45 + i * 200 * METRE;
                        e.u.fix.lon_deg = 4.83;
                        e.u.fix.accuracy_m = 1;
                        e.u.fix.at_ms = timed ? UTC0 - 500000000 + i * 10000 : 0;
                        phone_event(p, e);
                        p->mono_ms += 1;
                }
                assert_int_equal(p->status.fix.lat_e7 == (int32_t)((45 + 29 * 200 * METRE) * 1e7 + 0.5), timed);
                phone_free(p);
        }
}

/* The last good fix survives a restart, with its age by the clock; at most one record a minute. */
static void survives_restart(void **state)
{
        struct phone *p = phone_started();

        p->unfinished_lost = false;
        for (int i = 0; i < 600; i++) {
                phone_fix(p, 45.76 + i * METRE, 4.83, 5);
                phone_run(p, 1000);
        }
        assert_in_range(phone_count(p, VIGIE_DO_APPEND), 9, 11);
        p->mono_ms = 1000;
        p->utc_ms += 100000;
        phone_start(p);
        assert_true(p->status.has_fix);
        phone_mark(p);
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        assert_in_range(phone_alert(p).alert.fix_age_s, 100, 170);
        p->utc_ms = UTC0 - 999999; /* the clock is wrong now: the age is not known */
        phone_start(p);
        phone_mark(p);
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        phone_run(p, 300);
        assert_int_equal(phone_alert(p).alert.fix_age_s, 65535);
        phone_fix(p, 45.77, 4.83, 5); /* and a new fix replaces the old one all the same */
        assert_int_equal(p->status.fix.lat_e7, 457700000);
        phone_free(p);
}

/* Extremes from the host break nothing. */
static void extremes(void **state)
{
        static const int64_t times[] = { INT64_MIN, -1, 0, 1, INT64_MAX };
        struct phone *p = phone_started();

        for (int i = 0; i < 25; i++) {
                struct vigie_event e = { .type = VIGIE_ON_FIX, .now_ms = times[i % 5], .now_mono_ms = times[i / 5] };

                e.u.fix.lat_deg = e.u.fix.lon_deg = i;
                e.u.fix.accuracy_m = i % 2 ? INFINITY : 1e300;
                e.u.fix.at_ms = times[i / 5];
                e.u.fix.age_ms = times[i % 5];
                assert_int_equal(vigie_event(p->vigie, &e, p->actions), 0);
        }
        phone_free(p);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(older_and_wild_ones_are_left),
                cmocka_unit_test(agreeing_jumps_are_taken),
                cmocka_unit_test(impossible_ones_are_left),
                cmocka_unit_test(numbers_saturate),
                cmocka_unit_test(receiver_time),
                cmocka_unit_test(survives_restart),
                cmocka_unit_test(extremes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
