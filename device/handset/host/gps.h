/* gps: fixes from gpsd through libgps, over its socket (its shared memory still gives the last fix after gpsd's
 * death). No gpsd, a gpsd without a fix, one that dies and comes back, one that talks nonsense: all are simply no
 * fix for now. */
#ifndef DEVICE_HANDSET_HOST_GPS_H
#define DEVICE_HANDSET_HOST_GPS_H

#include <stdint.h>

struct loop;
struct gps;

/* Between two attempts to reach gpsd: from the first, doubling, to the second. */
#define GPS_RETRY_MS     500
#define GPS_RETRY_MAX_MS 15000
/* Reports read in one turn of the loop: more than libgps's buffer of 10 KiB holds.  The rest in the next. */
#define GPS_READS_MAX    256

struct gps_place {
        double lat_deg, lon_deg; /* WGS 84, finite */
        double accuracy_m;       /* 95 %, NaN = not known */
        int64_t at_ms;           /* UTC by the receiver, 0 = not known: years off in a recorded log */
        int64_t age_ms;          /* since gpsd first told us this fix: 0 for one that just came */
};

struct gps_options {
        struct loop *loop;
        const char *host; /* borrowed; of this machine: connecting to it must not wait */
        uint16_t port;
        void *user;
        void (*fix)(void *user, const struct gps_place *place);
        void (*moved)(void *user); /* the receiver says we move: motion without a sensor of its own */
};

/* gps_start: begin to reach gpsd.  Returns 0, -ENOMEM. */
int gps_start(const struct gps_options *options, struct gps **ret_gps);

/* gps_stop: end; before the loop is closed.  NULL does nothing. */
void gps_stop(struct gps *gps);

#endif
