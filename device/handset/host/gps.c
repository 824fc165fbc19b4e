#include "device/handset/host/gps.h"

#include <errno.h>
#include <gps.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/log.h"
#include "base/loop.h"

#define WALKING_M_S 0.8 /* faster than a receiver at rest drifts */

struct gps {
        struct gps_options options;
        struct gps_data_t data; /* 24 KiB */
        char port[8];
        bool open, told; /* told: that gpsd is away, once an outage */
        uv_poll_t *poll;
        struct wheel_timer retry;
        int64_t retry_ms;
        int64_t last_ms, last_mono_ms; /* the receiver's time of the last fix, and when it came; 0 = none */
};

static void free_poll(uv_handle_t *handle)
{
        free(handle);
}

static void drop(struct gps *gps)
{
        if (gps->poll != NULL) {
                uv_poll_stop(gps->poll);
                uv_close((uv_handle_t *)gps->poll, free_poll);
                gps->poll = NULL;
        }
        if (gps->open)
                gps_close(&gps->data);
        gps->open = false;
}

static void lose(struct gps *gps)
{
        drop(gps);
        if (!gps->told)
                log_warn("gps", "gpsd cannot be reached; trying again");
        gps->told = true;
        loop_timer_arm(gps->options.loop, &gps->retry, clock_mono_ms() + gps->retry_ms);
        gps->retry_ms = gps->retry_ms * 2 > GPS_RETRY_MAX_MS ? GPS_RETRY_MAX_MS : gps->retry_ms * 2;
}

/* gpsd may tell a fix again, also after it was restarted, and a log may be a year old: a fix's own time says which
 * of two is the newer, never how old it is.  A time that stands still is the same fix; one that goes back is an old
 * fix, or a log that begins anew: the next one, after it, counts. */
static bool is_news(struct gps *gps, struct gps_place *place)
{
        int64_t now_mono_ms = clock_mono_ms(), last_ms = gps->last_ms;

        place->age_ms = 0;
        if (place->at_ms <= 0) {
                place->at_ms = 0;
                return true;
        }
        gps->last_ms = place->at_ms;
        if (last_ms == place->at_ms)
                place->age_ms = now_mono_ms - gps->last_mono_ms;
        else
                gps->last_mono_ms = now_mono_ms;
        return last_ms <= place->at_ms;
}

/* One TPV.  Several make up a second, merged piece by piece: place and mode must be there, and finite. */
static void take(struct gps *gps)
{
        const struct gps_fix_t *fix = &gps->data.fix;
        struct gps_place place = { .lat_deg = fix->latitude, .lon_deg = fix->longitude, .accuracy_m = fix->eph };

        if (!(gps->data.set & LATLON_SET) || fix->mode < MODE_2D || !isfinite(fix->latitude) ||
            !isfinite(fix->longitude))
                return;
        if (gps->data.set & TIME_SET)
                place.at_ms = (int64_t)fix->time.tv_sec * 1000 + fix->time.tv_nsec / 1000000;
        if (!isfinite(place.accuracy_m))
                place.accuracy_m = NAN;
        if (!is_news(gps, &place))
                return;
        gps->options.fix(gps->options.user, &place);
        if ((gps->data.set & SPEED_SET) && isfinite(fix->speed) && fix->speed > WALKING_M_S)
                gps->options.moved(gps->options.user);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
        static const char tpv[] = "{\"class\":\"TPV\"";
        struct gps *gps = poll->data;
        char head[sizeof(tpv)];

        if (status < 0) {
                lose(gps);
                return;
        }
        for (int i = 0; i < GPS_READS_MAX && gps_waiting(&gps->data, 0); i++) {
                head[0] = 0;
                if (gps_read(&gps->data, head, sizeof(head)) < 0) { /* -1 with errno 0: gpsd is gone */
                        lose(gps);
                        return;
                }
                if (gps->told)
                        log_info("gps", "gpsd is back");
                gps->told = false;
                gps->retry_ms = GPS_RETRY_MS;
                if (strcmp(head, tpv) == 0) /* after any other report libgps still holds the last TPV's place */
                        take(gps);
        }
}

static void try_open(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct gps *gps = timer->user;

        if (gps_open(gps->options.host, gps->port, &gps->data) != 0) {
                lose(gps);
                return;
        }
        gps->open = true;
        gps->poll = calloc(1, sizeof(*gps->poll));
        if (gps->poll == NULL || uv_poll_init(loop_uv(gps->options.loop), gps->poll, (int)gps->data.gps_fd) < 0) {
                free(gps->poll);
                gps->poll = NULL;
                lose(gps);
                return;
        }
        gps->poll->data = gps;
        gps_stream(&gps->data, WATCH_ENABLE | WATCH_JSON, NULL);
        uv_poll_start(gps->poll, UV_READABLE, on_readable);
}

int gps_start(const struct gps_options *options, struct gps **ret_gps)
{
        struct gps *gps = calloc(1, sizeof(*gps));

        if (gps == NULL)
                return -ENOMEM;
        gps->options = *options;
        snprintf(gps->port, sizeof(gps->port), "%u", options->port);
        gps->retry_ms = GPS_RETRY_MS;
        wheel_timer_init(&gps->retry, try_open, gps);
        loop_timer_arm(options->loop, &gps->retry, clock_mono_ms());
        *ret_gps = gps;
        return 0;
}

void gps_stop(struct gps *gps)
{
        if (gps == NULL)
                return;
        loop_timer_cancel(gps->options.loop, &gps->retry);
        drop(gps);
        free(gps);
}
