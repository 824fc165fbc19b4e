/* What raises by itself, each asked first: no motion, and a timed check-in that was missed.  And last words. */
#include <errno.h>

#include "device/handset/core.h"

#define CHECK_IN_MIN_S 60
#define CHECK_IN_MAX_S 28800
/* Low is below 5 %; it ends from here on, so that a battery that swings says its last words once. */
#define BATTERY_GOOD   8

static bool alert_is_open(const struct vigie *vigie)
{
        return vigie->alert[MY_REAL].state == MY_OPEN;
}

/* ---- man-down ---------------------------------------------------------------------------------------------------- */

static int64_t still_due(const struct vigie *vigie)
{
        const struct my_watch *w = &vigie->watch;

        if (w->moved_mono_ms == NEVER || w->man_down_mono_ms != NEVER || !vigie->duty.on || alert_is_open(vigie))
                return NEVER;
        return w->moved_mono_ms + vigie->options.man_down_s * 1000;
}

static void man_down_ask(struct vigie *vigie)
{
        vigie->watch.man_down_mono_ms = vigie->now_mono_ms + VIGIE_ASK_S * 1000;
        vigie->watch.man_down_at_ms = vigie->now_ms + VIGIE_ASK_S * 1000;
        my_vibrate(vigie, VIGIE_VIBRATE_ASK);
}

/* A phone without the sensor never says that it moved: it is never asked. */
void my_watch_on_motion(struct vigie *vigie, bool moved)
{
        if (vigie->options.man_down_s == 0 || !vigie->duty.on)
                return;
        if (moved) {
                vigie->watch.moved_mono_ms = vigie->now_mono_ms;
                vigie->watch.man_down_mono_ms = NEVER;
        } else if (vigie->watch.man_down_mono_ms == NEVER && !alert_is_open(vigie)) {
                man_down_ask(vigie);
        }
}

/* ---- timed check-in ---------------------------------------------------------------------------------------------- */

static void check_in_set(struct vigie *vigie, int64_t in_ms)
{
        struct my_watch *w = &vigie->watch;

        w->missed_mono_ms = NEVER;
        w->check_in_at_ms = in_ms < 0 ? 0 : vigie->now_ms + in_ms;
        w->check_in_mono_ms = in_ms < 0 ? NEVER : vigie->now_mono_ms + in_ms;
}

int my_watch_on_deadline(struct vigie *vigie, uint8_t what, uint32_t in_s)
{
        if (what > VIGIE_DEADLINE_EXPIRED ||
            (what == VIGIE_DEADLINE_SET && (in_s < CHECK_IN_MIN_S || in_s > CHECK_IN_MAX_S)))
                return -EINVAL;
        if (what == VIGIE_DEADLINE_EXPIRED) {
                if (vigie->watch.check_in_mono_ms != NEVER)
                        vigie->watch.check_in_mono_ms = vigie->now_mono_ms;
                return 0;
        }
        check_in_set(vigie, what == VIGIE_DEADLINE_SET ? (int64_t)in_s * 1000 : -1);
        my_diary_write(vigie, MY_CHECK_IN, true);
        return 0;
}

/* ---- both -------------------------------------------------------------------------------------------------------- */

void my_watch_start(struct vigie *vigie)
{
        struct my_watch *w = &vigie->watch;
        int64_t left_ms = w->check_in_at_ms - vigie->now_ms;

        if (w->check_in_at_ms == 0)
                return;
        left_ms = left_ms < 0 ? 0 : my_earlier(left_ms, CHECK_IN_MAX_S * 1000);
        w->check_in_mono_ms = vigie->now_mono_ms + left_ms; /* one that expired while we were off is asked now */
}

void my_watch_on_fine(struct vigie *vigie)
{
        struct my_watch *w = &vigie->watch;

        if (w->man_down_mono_ms != NEVER)
                w->moved_mono_ms = vigie->now_mono_ms;
        w->man_down_mono_ms = NEVER;
        if (w->check_in_mono_ms == NEVER)
                return;
        check_in_set(vigie, -1);
        my_diary_write(vigie, MY_CHECK_IN, true);
}

void my_watch_run(struct vigie *vigie)
{
        struct my_watch *w = &vigie->watch;

        if (!vigie->started)
                return;
        if (still_due(vigie) <= vigie->now_mono_ms)
                man_down_ask(vigie);
        if (w->check_in_mono_ms <= vigie->now_mono_ms && w->missed_mono_ms == NEVER) {
                w->missed_mono_ms = vigie->now_mono_ms + VIGIE_ASK_S * 1000;
                w->missed_at_ms = vigie->now_ms + VIGIE_ASK_S * 1000;
                my_vibrate(vigie, VIGIE_VIBRATE_ASK);
        }
        if (w->man_down_mono_ms <= vigie->now_mono_ms) {
                w->man_down_mono_ms = w->moved_mono_ms = NEVER; /* until it moves again */
                my_alert_raise(vigie, ALERT_MAN_DOWN, 0);
        }
        if (w->missed_mono_ms <= vigie->now_mono_ms) {
                my_alert_raise(vigie, ALERT_MISSED_CHECK_IN, 0); /* its record before the one that ends the check-in */
                check_in_set(vigie, -1);
                my_diary_write(vigie, MY_CHECK_IN, true);
        }
}

int64_t my_watch_due(const struct vigie *vigie)
{
        const struct my_watch *w = &vigie->watch;
        int64_t at = my_earlier(still_due(vigie), w->man_down_mono_ms);

        if (!vigie->started)
                return NEVER;
        return my_earlier(at, w->missed_mono_ms != NEVER ? w->missed_mono_ms : w->check_in_mono_ms);
}

/* ---- last words -------------------------------------------------------------------------------------------------- */

void my_watch_on_battery(struct vigie *vigie, uint8_t percent)
{
        struct my_watch *w = &vigie->watch;
        bool low = percent < VIGIE_BATTERY_LOW || (w->battery_low && percent < BATTERY_GOOD);
        bool words = low && !w->battery_low;

        w->battery = percent;
        w->battery_low = low;
        if (!words)
                return;
        my_alert_last_words(vigie);
        my_duty_last_words(vigie, false);
}

void my_watch_on_power_off(struct vigie *vigie)
{
        my_alert_last_words(vigie);
        my_duty_last_words(vigie, true);
}
