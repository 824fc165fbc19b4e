#include <math.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/loop.h"
#include "tests/fleet/fleet.h"

#define OPEN_EVERY_MS   40    /* one new connection each: 220 are there in 9 s */
#define HEARTBEAT_MS    60000
#define PRESENCE_MS     10000
#define SEEN_MIN_MS     1500  /* a person takes so long to look */
#define SEEN_SPREAD_MS  3000
#define STEP_DEG        0.00012
#define LAT_MIN         45.735
#define LAT_MAX         45.785
#define LON_MIN         4.812
#define LON_MAX         4.866
/* Nobody of the fleet is so near to where the demo's carrier walks that the demo's own supervisor is not among the nearest. */
#define CENTRE_LAT      45.7590
#define CENTRE_LON      4.8335
#define CENTRE_DEG      0.0085

struct walk;

struct walker {
        struct walk *walk;
        struct member *member;
        struct peer *peer;
        struct peer_options options;
        struct wheel_timer timer, seen;
        uint8_t to_see[ALERT_ID_SIZE];
        double lat, lon, course;
};

struct walk {
        const struct fleet_options *options;
        struct loop *loop;
        struct trust_key position_key;
        unsigned seed;
        size_t count;
        struct walker *walkers;
};

static double draw(struct walk *walk)
{
        return rand_r(&walk->seed) / (double)RAND_MAX;
}

static bool too_near(const struct walker *w, double lat, double lon)
{
        return w->member->supervisor && hypot(lat - CENTRE_LAT, (lon - CENTRE_LON) * 0.7) < CENTRE_DEG;
}

static void step(struct walker *w)
{
        double lat, lon;

        w->course += (draw(w->walk) - 0.5) * 1.2;
        lat = w->lat + STEP_DEG * cos(w->course) * (w->member->supervisor ? 2 : 6);
        lon = w->lon + STEP_DEG * sin(w->course) * (w->member->supervisor ? 2 : 6);
        if (lat < LAT_MIN || lat > LAT_MAX || lon < LON_MIN || lon > LON_MAX || too_near(w, lat, lon)) {
                w->course += 2.5;
                return;
        }
        w->lat = lat;
        w->lon = lon;
}

static void place(struct walker *w)
{
        do {
                w->lat = LAT_MIN + draw(w->walk) * (LAT_MAX - LAT_MIN);
                w->lon = LON_MIN + draw(w->walk) * (LON_MAX - LON_MIN);
        } while (too_near(w, w->lat, w->lon));
        w->course = draw(w->walk) * 6.28;
}

static struct track_point point(const struct walker *w)
{
        return (struct track_point){ (uint32_t)time(NULL), (int32_t)(w->lat * 1e7), (int32_t)(w->lon * 1e7), 12 };
}

static void tell(struct walker *w)
{
        struct track_point at = point(w);
        struct frame frame = { .type = FRAME_PRESENCE, .u.presence = { .battery = 70, .has_position = true, .at = at } };
        uint8_t buf[FRAME_HANDSET_MAX];
        int n;

        if (!w->member->supervisor) {
                fleet_heartbeat(w->peer, w->member, &w->walk->position_key, &at);
                return;
        }
        n = frame_encode(&frame, buf, sizeof(buf));
        if (n > 0)
                peer_send(w->peer, buf, (size_t)n, false);
}

static void on_opened(void *user)
{
        struct walker *w = user;

        fleet_hello(w->peer, w->member);
        fleet_duty(w->peer, w->member, w->member->supervisor ? "" : "bellecour-3");
        loop_timer_arm(w->walk->loop, &w->timer, clock_mono_ms() + 500 + (int64_t)(draw(w->walk) * 3000));
}

static void on_closed(void *user)
{
        struct walker *w = user;

        w->peer = NULL;
        loop_timer_arm(w->walk->loop, &w->timer, clock_mono_ms() + 500 + (int64_t)(draw(w->walk) * 4000));
}

/* A ring: looked at after a moment, as people do; nobody of the fleet takes one. */
static void on_message(void *user, const uint8_t *data, size_t len)
{
        struct walker *w = user;
        struct record record;
        struct frame frame;

        if (frame_decode(data, len, &frame) < 0 || frame.type != FRAME_RING || frame.u.ring.ring == RING_SHOW ||
            record_decode(frame.u.ring.record.at, frame.u.ring.record.len, &record) < 0)
                return;
        memcpy(w->to_see, record.id, ALERT_ID_SIZE);
        loop_timer_arm(w->walk->loop, &w->seen, clock_mono_ms() + SEEN_MIN_MS + (int64_t)(draw(w->walk) * SEEN_SPREAD_MS));
}

static void on_seen(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct walker *w = timer->user;
        struct frame frame = { .type = FRAME_COMMAND, .u.command = { .request = 2, .command = { .verb = COMMAND_SEEN } } };
        uint8_t buf[FRAME_HANDSET_MAX];
        int n;

        memcpy(frame.u.command.command.alert, w->to_see, ALERT_ID_SIZE);
        RAND_bytes(frame.u.command.command.id, EVENT_ID_SIZE);
        n = frame_encode(&frame, buf, sizeof(buf));
        if (n > 0 && w->peer != NULL)
                peer_send(w->peer, buf, (size_t)n, false);
}

static void on_timer(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct walker *w = timer->user;

        if (w->peer == NULL) {
                if (peer_open(&w->options, &w->peer) < 0)
                        loop_timer_arm(w->walk->loop, timer, now_mono_ms + 1000);
                return;
        }
        step(w);
        tell(w);
        loop_timer_arm(w->walk->loop, timer, now_mono_ms + (w->member->supervisor ? PRESENCE_MS : HEARTBEAT_MS));
}

static int run(struct walk *walk, struct member *members, SSL_CTX *ctx)
{
        walk->walkers = calloc(walk->count, sizeof(*walk->walkers));
        if (walk->walkers == NULL)
                return 1;
        for (size_t i = 0; i < walk->count; i++) {
                struct walker *w = &walk->walkers[i];

                w->walk = walk;
                w->member = &members[i];
                w->options = (struct peer_options){ .loop = walk->loop, .ctx = ctx, .certificate = members[i].certificate,
                                                    .key = key_pkey(members[i].key), .port = (uint16_t)walk->options->port, .path = "/",
                                                    .subprotocol = FRAME_SUBPROTOCOL, .headers = "", .user = w, .opened = on_opened,
                                                    .message = on_message, .closed = on_closed };
                place(w);
                wheel_timer_init(&w->timer, on_timer, w);
                wheel_timer_init(&w->seen, on_seen, w);
                loop_timer_arm(walk->loop, &w->timer, clock_mono_ms() + (int64_t)i * OPEN_EVERY_MS);
        }
        printf("fleet: %zu handsets walk\n", walk->count);
        fflush(stdout);
        return loop_run(walk->loop);
}

int walk_main(const struct fleet_options *options)
{
        struct walk walk = { .options = options, .seed = options->seed, .count = options->carriers + options->supervisors };
        struct member *members = NULL;
        struct region region;
        SSL_CTX *ctx = NULL;
        int r = 1;

        if (region_open(options->region, &region) < 0)
                return 1;
        if (fleet_position_key(&region, &walk.position_key) == 0 && (ctx = people_tls(&region)) != NULL &&
            people_make(&region, options->prefix, walk.count, options->supervisors, &members) == 0 && loop_open(&walk.loop) == 0)
                r = run(&walk, members, ctx);
        region_close(&region);
        /* The process ends here: the sockets of the walkers go with it. */
        return r;
}
