/* What raises by itself, each asked first: no motion, and a timed check-in that was missed.  And last words. */
#include <errno.h>
#include <string.h>

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
        if (w->quiet == MY_QUIET_ON) {
                w->quiet = MY_QUIET_OVER;
                w->quiet_link = 0;
        }
        w->quiet_seal = 0;
        w->quiet_has_place = false;
        w->quiet_sealed_len = 0;
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

/* ---- quiet timer: a check-in of which the region has the deadline, and the place where it cannot read it ------------- */

int my_watch_on_entered(struct vigie *vigie, const struct vigie_event *event)
{
        struct my_watch *w = &vigie->watch;
        const struct vigie_place *place = &event->u.entered.place;
        const struct trust_key *key = NULL;
        uint32_t in_s = event->u.entered.in_s;

        if (in_s < CHECK_IN_MIN_S || in_s > CHECK_IN_MAX_S ||
            (event->u.entered.has_place && (place->lat_e7 < -900000000 || place->lat_e7 > 900000000 ||
                                            place->lon_e7 < -1800000000 || place->lon_e7 > 1800000000)))
                return -EINVAL;
        check_in_set(vigie, (int64_t)in_s * 1000);
        w->quiet = MY_QUIET_ON;
        w->quiet_link = 0;
        w->quiet_has_place = event->u.entered.has_place;
        w->quiet_place = *place;
        w->quiet_place.at_s = my_seconds(vigie->now_ms);
        my_diary_write(vigie, MY_CHECK_IN, true);
        if (w->quiet_has_place && vigie->trusted)
                key = trust_current(&vigie->trust, TRUST_POSITION, my_seconds(vigie->now_ms));
        if (key == NULL)
                return 0;
        w->quiet_seal = my_duty_seal(vigie, key, &w->quiet_place);
        w->quiet_seal_mono_ms = vigie->now_mono_ms;
        return 0;
}

void my_watch_on_sealed(struct vigie *vigie, uint32_t ticket, struct cbor_span sealed)
{
        struct my_watch *w = &vigie->watch;

        if (w->quiet_seal == 0 || w->quiet_seal != ticket)
                return;
        w->quiet_seal = 0;
        if (sealed.len == 0 || sealed.len > sizeof(w->quiet_sealed))
                return;
        w->quiet_sealed_len = (uint8_t)sealed.len;
        memcpy(w->quiet_sealed, sealed.at, sealed.len);
        my_diary_write(vigie, MY_CHECK_IN, true);
}

void my_watch_tell(struct vigie *vigie)
{
        struct my_watch *w = &vigie->watch;
        struct frame frame = { .type = FRAME_TIMER };

        if (w->quiet_seal != 0 && vigie->now_mono_ms - w->quiet_seal_mono_ms >= MY_SEAL_WAIT_MS)
                w->quiet_seal = 0;
        if (!vigie->started || w->quiet == MY_QUIET_NONE || w->quiet_seal != 0 || !my_link_ready(vigie) ||
            w->quiet_link == vigie->link[MY_ORDINARY].number)
                return;
        if (w->quiet == MY_QUIET_ON) {
                frame.u.timer.due_s = my_seconds(w->check_in_at_ms);
                frame.u.timer.place = (struct cbor_span){ w->quiet_sealed, w->quiet_sealed_len };
        }
        my_send_frame(vigie, MY_ORDINARY, &frame);
        w->quiet_link = vigie->link[MY_ORDINARY].number;
        if (w->quiet != MY_QUIET_OVER)
                return;
        w->quiet = MY_QUIET_NONE;
        my_diary_write(vigie, MY_CHECK_IN, false);
}

void my_watch_restore(struct vigie *vigie, const struct my_watch *from)
{
        struct my_watch *w = &vigie->watch;

        w->check_in_at_ms = from->check_in_at_ms;
        w->quiet = from->quiet;
        w->quiet_has_place = from->quiet_has_place;
        w->quiet_place = from->quiet_place;
        w->quiet_sealed_len = from->quiet_sealed_len;
        memcpy(w->quiet_sealed, from->quiet_sealed, sizeof(w->quiet_sealed));
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
                if (w->quiet == MY_QUIET_ON && w->quiet_has_place)
                        my_fix_entered(vigie, &w->quiet_place);
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
        if (w->quiet_seal != 0)
                at = my_earlier(at, w->quiet_seal_mono_ms + MY_SEAL_WAIT_MS);
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
