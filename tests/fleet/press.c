/* An open-loop load: presses leave at their planned times whatever the region does, and latency counts from the planned time
 * (else a slow region would be asked less).  Each alert is closed by the control room once it was received, so that the next press
 * of that handset is a new alert. */
#include <errno.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/histogram.h"
#include "base/loop.h"
#include "base/redis.h"
#include "tests/fleet/fleet.h"
#include "wire/signing.h"

#define OPENING_AT_ONCE 200
#define SETTLE_MS       1500
#define READY_MS        120000 /* all connected by then, or there is nothing to measure */
#define DRAIN_MS        10000
#define FSYNC_TIMES     500

struct load;

struct presser {
        struct load *load;
        struct member *member;
        struct peer *peer;
        struct peer_options options;
        bool open, pressed, received, shown;
        int64_t planned_us;
        struct alert alert;
};

struct load {
        const struct fleet_options *options;
        struct region region;
        struct loop *loop;
        struct redis_link *redis;
        size_t count, opened, next;
        struct presser *pressers;
        struct peer *console;
        struct peer_options console_options;
        char console_headers[512];
        bool console_open;
        struct wheel_timer timer;
        int64_t begin_us, ready_by_ms;
        uint64_t planned, sent, received, shown, refused;
        struct histogram receipt, screen, fsync;
};

static void on_asked(void *user, struct redisReply *reply)
{
        if (reply != NULL && reply->type == REDIS_REPLY_ERROR)
                fprintf(stderr, "fleet: closing: %s\n", reply->str);
}

/* As a console does it: a command of the control room's, with the console's own right (a page may ask only so often). */
static void close_alert(struct presser *p)
{
        struct load *load = p->load;
        struct command command = { .verb = COMMAND_CLOSE, .role = ROLE_CONTROL, .reason = CLOSE_OTHER };
        struct alert_id id = alert_id_make(&p->member->handset, p->alert.nonce);
        uint8_t data[COMMAND_MAX];
        struct redis_args args;
        char key[96];
        int n;

        RAND_bytes(command.id, EVENT_ID_SIZE);
        command.expires_ms = clock_utc_ms() + COMMAND_TERM_MS;
        snprintf(command.person, sizeof(command.person), "%s", load->options->login);
        snprintf(command.login, sizeof(command.login), "%s", load->options->login);
        memcpy(command.alert, id.octets, ALERT_ID_SIZE);
        n = command_encode(&command, data, sizeof(data));
        region_key(&load->region, "commands", key);
        redis_args_init(&args, "XADD");
        redis_arg(&args, key);
        redis_arg(&args, "*");
        redis_arg(&args, "f");
        redis_arg(&args, "1");
        redis_arg(&args, "r");
        redis_arg_data(&args, data, n > 0 ? (size_t)n : 0);
        if (n < 0 || redis_command(load->redis, &args, on_asked, NULL) < 0)
                load->refused++;
}

static void maybe_over(struct presser *p)
{
        if (p->received && p->shown)
                close_alert(p);
}

static void on_receipt(struct presser *p, const struct frame *frame)
{
        struct receipt_signed receipt;
        struct alert_id id = alert_id_make(&p->member->handset, p->alert.nonce);

        if (receipt_read(frame->u.cose.cose, &receipt, NULL) < 0 || !alert_id_equal(&receipt.receipt.alert, &id))
                return;
        if (receipt_is_closed(receipt.receipt.state)) {
                p->pressed = false;
        } else if (p->pressed && !p->received && receipt_is_received(receipt.receipt.state)) {
                p->received = true;
                p->load->received++;
                histogram_add(&p->load->receipt, clock_mono_us() - p->planned_us);
                maybe_over(p);
        }
}

static void on_message(void *user, const uint8_t *data, size_t len)
{
        struct presser *p = user;
        struct frame frame;

        if (frame_decode(data, len, &frame) == 0 && frame.type == FRAME_RECEIPT)
                on_receipt(p, &frame);
}

static void on_opened(void *user)
{
        struct presser *p = user;

        p->open = true;
        p->load->opened++;
        fleet_hello(p->peer, p->member);
        fleet_duty(p->peer, p->member, "bellecour-3");
}

static void on_closed(void *user)
{
        struct presser *p = user;

        if (p->open)
                p->load->opened--;
        p->open = false;
        p->peer = NULL;
}

static struct presser *find(struct load *load, const char *id)
{
        uint8_t handset[HANDSET_ID_SIZE];
        char text[2 * HANDSET_ID_SIZE + 1];

        memcpy(text, id, sizeof(text) - 1);
        text[sizeof(text) - 1] = 0;
        if (hex_decode(text, handset, sizeof(handset)) < 0)
                return NULL;
        for (size_t i = 0; i < load->count; i++)
                if (memcmp(load->pressers[i].member->handset.octets, handset, sizeof(handset)) == 0)
                        return &load->pressers[i];
        return NULL;
}

/* A message of the console: which of our alerts does it show for the first time? */
static void on_console(void *user, const uint8_t *data, size_t len)
{
        struct load *load = user;
        const char *text = (const char *)data, *end = text + len, *at = text;
        int64_t now_us = clock_mono_us();

        while ((at = memmem(at, (size_t)(end - at), "\"id\":\"", 6)) != NULL && end - at > 38) {
                struct presser *p = find(load, at += 6);

                if (p == NULL || !p->pressed || p->shown)
                        continue;
                p->shown = true;
                load->shown++;
                histogram_add(&load->screen, now_us - p->planned_us);
                maybe_over(p);
        }
}

static void on_console_opened(void *user)
{
        struct load *load = user;

        load->console_open = true;
}

static void on_console_closed(void *user)
{
        struct load *load = user;

        if (load->console_open)
                fprintf(stderr, "fleet: the console closed the socket\n");
        load->console_open = false;
}

static void press(struct load *load, int64_t planned_us)
{
        struct presser *p = NULL;
        uint8_t signed_alert[ALERT_MAX], buf[FRAME_HANDSET_MAX];
        struct frame frame = { .type = FRAME_ALERT };
        struct cbor_writer w;
        int n;

        for (size_t i = 0; i < load->count && p == NULL; i++) {
                struct presser *candidate = &load->pressers[load->next++ % load->count];

                if (candidate->open && !candidate->pressed)
                        p = candidate;
        }
        if (p == NULL) { /* every handset waits for its last alert to be closed: the region is behind */
                load->refused++;
                return;
        }
        p->alert = (struct alert){ .kind = ALERT_PANIC, .pressed_at_s = (uint32_t)time(NULL), .has_fix = true, .lat_e7 = 457590000,
                                   .lon_e7 = 48330000, .accuracy_m = 12, .fix_age_s = 1, .battery_percent = 80 };
        RAND_bytes(p->alert.nonce, ALERT_NONCE_SIZE);
        cbor_writer_init(&w, signed_alert, sizeof(signed_alert));
        if (alert_sign(&p->alert, &p->member->handset, p->member->key, &w) < 0)
                return;
        frame.u.cose.cose = (struct cbor_span){ signed_alert, w.len };
        n = frame_encode(&frame, buf, sizeof(buf));
        p->pressed = true;
        p->received = p->shown = false;
        p->planned_us = planned_us;
        if (n > 0 && peer_send(p->peer, buf, (size_t)n, false) == 0)
                load->sent++;
}

static void on_timer(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct load *load = timer->user;
        uint64_t total = (uint64_t)load->options->rate * load->options->seconds;

        if (load->begin_us == 0) {
                bool ready = load->opened == load->count && load->console_open && redis_is_up(load->redis);

                for (size_t i = 0, begun = 0; i < load->count && begun < OPENING_AT_ONCE; i++)
                        if (load->pressers[i].peer == NULL && peer_open(&load->pressers[i].options, &load->pressers[i].peer) == 0)
                                begun++;
                if (now_mono_ms > load->ready_by_ms) {
                        fprintf(stderr, "fleet: %zu of %zu handsets connected, console %d: giving up\n", load->opened, load->count,
                                load->console_open);
                        loop_stop(load->loop);
                        return;
                }
                if (ready)
                        load->begin_us = clock_mono_us() + SETTLE_MS * 1000;
                loop_timer_arm(load->loop, timer, now_mono_ms + (ready ? SETTLE_MS : 100));
                return;
        }
        while (load->planned < total) {
                int64_t planned_us = load->begin_us + (int64_t)(load->planned * 1000000 / load->options->rate);

                if (planned_us - clock_mono_us() > 1000)
                        break;
                while (planned_us > clock_mono_us()) /* timers know milliseconds; the rest is waited out here */
                        ;
                load->planned++;
                press(load, planned_us);
        }
        if (load->planned < total)
                loop_timer_arm(load->loop, timer, (load->begin_us + (int64_t)(load->planned * 1000000 / load->options->rate)) / 1000);
        else if (load->received == load->sent && load->shown == load->sent)
                loop_stop(load->loop);
        else if (clock_mono_us() > load->begin_us + ((int64_t)load->options->seconds * 1000 + DRAIN_MS) * 1000)
                loop_stop(load->loop);
        else
                loop_timer_arm(load->loop, timer, now_mono_ms + 10);
}

/* The disk's own time for what the journal does: 256 octets into a preallocated file, then fdatasync. */
static void measure_disk(struct load *load)
{
        char path[REGION_PATH_MAX];
        uint8_t block[256] = { 1 };
        int fd;

        if (region_path(&load->region, "fsync.tmp", path) < 0 || (fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600)) < 0)
                return;
        unlink(path);
        if (posix_fallocate(fd, 0, FSYNC_TIMES * 256) == 0)
                for (int i = 0; i < FSYNC_TIMES; i++) {
                        int64_t before = clock_mono_us();

                        if (pwrite(fd, block, sizeof(block), i * 256) != sizeof(block) || fdatasync(fd) < 0)
                                break;
                        histogram_add(&load->fsync, clock_mono_us() - before);
                }
        close(fd);
}

static void print_row(const char *name, const struct histogram *h)
{
        printf("  %-28s %8" PRIu64 "  %8.2f %8.2f %8.2f %8.2f\n", name, h->count, (double)histogram_quantile(h, 0.5) / 1000,
               (double)histogram_quantile(h, 0.99) / 1000, (double)histogram_quantile(h, 0.999) / 1000, (double)h->max_us / 1000);
}

static void print_json(const char *name, const struct histogram *h, const char *end)
{
        printf("\"%s\": {\"count\": %" PRIu64 ", \"p50_us\": %" PRIu64 ", \"p99_us\": %" PRIu64 ", \"p999_us\": %" PRIu64 ", \"max_us\": %" PRIu64 "}%s",
               name, h->count, histogram_quantile(h, 0.5), histogram_quantile(h, 0.99), histogram_quantile(h, 0.999), h->max_us, end);
}

static void report(const struct load *load)
{
        if (load->options->json) {
                printf("{\"handsets\": %zu, \"rate\": %u, \"planned\": %" PRIu64 ", \"sent\": %" PRIu64 ", \"received\": %" PRIu64 ", \"behind\": %" PRIu64 ", ",
                       load->count, load->options->rate, load->planned, load->sent, load->received, load->refused);
                print_json("receipt", &load->receipt, ", ");
                print_json("console", &load->screen, ", ");
                print_json("fdatasync", &load->fsync, "}\n");
                return;
        }
        printf("%zu handsets, %u presses/s for %u s: %" PRIu64 " sent, %" PRIu64 " received, %" PRIu64 " behind\n", load->count,
               load->options->rate, load->options->seconds, load->sent, load->received, load->refused);
        printf("  %-28s %8s  %8s %8s %8s %8s  (ms)\n", "", "count", "p50", "p99", "p99.9", "max");
        print_row("press to durable receipt", &load->receipt);
        print_row("press to console frame", &load->screen);
        print_row("the disk's own fdatasync", &load->fsync);
}

static int set_up(struct load *load, struct member *members, SSL_CTX *ctx)
{
        const struct fleet_options *o = load->options;

        struct redis_options redis = { .address = load->region.config.alerts, .user = "console", .password = o->store_password };

        load->pressers = calloc(load->count, sizeof(*load->pressers));
        if (load->pressers == NULL || loop_open(&load->loop) < 0 || redis_open(load->loop, &redis, &load->redis) < 0)
                return -ENOMEM;
        for (size_t i = 0; i < load->count; i++) {
                struct presser *p = &load->pressers[i];

                p->load = load;
                p->member = &members[i];
                p->options = (struct peer_options){ .loop = load->loop, .ctx = ctx, .certificate = members[i].certificate,
                                                    .key = key_pkey(members[i].key), .port = (uint16_t)o->port, .path = "/",
                                                    .subprotocol = FRAME_SUBPROTOCOL, .headers = "", .user = p, .opened = on_opened,
                                                    .message = on_message, .closed = on_closed };
        }
        snprintf(load->console_headers, sizeof(load->console_headers), "Origin: https://localhost:%u\r\nCookie: %s\r\n", o->console_port,
                 o->console_cookie);
        load->console_options = (struct peer_options){ .loop = load->loop, .ctx = ctx, .port = (uint16_t)o->console_port, .path = "/ws",
                                                       .subprotocol = "vigie-desk.1", .headers = load->console_headers, .user = load,
                                                       .opened = on_console_opened, .message = on_console, .closed = on_console_closed };
        load->ready_by_ms = clock_mono_ms() + READY_MS;
        wheel_timer_init(&load->timer, on_timer, load);
        loop_timer_arm(load->loop, &load->timer, clock_mono_ms());
        return peer_open(&load->console_options, &load->console);
}

int press_main(const struct fleet_options *options)
{
        struct load load = { .options = options, .count = options->carriers };
        struct member *members = NULL;
        SSL_CTX *ctx = NULL;

        if (region_open(options->region, &load.region) < 0 || (ctx = people_tls(&load.region)) == NULL ||
            people_make(&load.region, options->prefix, load.count, 0, &members) < 0)
                return 1;
        usleep(500000); /* the dispatchers hear of the new people */
        measure_disk(&load);
        if (set_up(&load, members, ctx) < 0)
                return 1;
        loop_run(load.loop);
        report(&load);
        return load.received == load.sent && load.sent > 0 ? 0 : 1;
}
