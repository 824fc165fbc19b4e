#include "dispatcher/run.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/ready.h"
#include "dispatcher/run_inside.h"
#include "wire/signing.h"

int64_t run_now_ms(const struct run *run)
{
        return clock_mono_ms() + run->ahead_ms;
}

void run_stop(struct run *run, int result)
{
        if (run->result == 0)
                run->result = result;
        loop_stop(run->options.loop);
}

int run_result(const struct run *run)
{
        return run->result;
}

/* ---- Serving and not. */

/* say_ready: once, when the first handset may come. */
static void say_ready(struct run *run)
{
        int r;

        log_info(NULL, "listening on port %d", link_port(run->link));
        if (run->served)
                return;
        r = ready_tell(run->options.ready_fd, link_port(run->link));
        if (r < 0)
                log_warn(NULL, "--ready-fd: %s", strerror(-r));
}

void run_on_duty(struct run *run, enum off_duty reason)
{
        unsigned before = run->off;
        int r;

        run->off &= ~(unsigned)reason;
        if (before == run->off || run->off != 0)
                return;
        r = link_start(run->link);
        if (r < 0) {
                log_error(NULL, "cannot listen: %s", strerror(-r));
                run_stop(run, r);
                return;
        }
        sms_start(run);
        say_ready(run);
        run->serving = 1;
        run->served = true;
}

void run_off_duty(struct run *run, enum off_duty reason)
{
        bool was_serving = run->off == 0;

        if ((run->off & reason) != 0)
                return;
        run->off |= reason;
        if (!was_serving)
                return;
        run->serving = 0;
        log_warn(NULL, "leaves duty: %s; closes its sessions",
                 reason == OFF_CLOCK ? "clock" : "disk full");
        link_stop(run->link, LINK_GOING_AWAY);
        sms_stop(run);
}

/* ---- Timers. */

static void on_tick(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct run *run = timer->user;
        struct core_event event = { .kind = CORE_TICK };
        int64_t due_ms;

        if (run->journal != NULL)
                run_tell(run, &event);
        due_ms = core_due_ms(run->core) - run_now_ms(run);
        loop_timer_arm(run->options.loop, timer,
                       clock_mono_ms() + (due_ms < 1              ? 1
                                          : due_ms > CORE_TICK_MS ? CORE_TICK_MS
                                                                  : due_ms));
}

/* scan_ms: often enough for the time that it looks for. */
static int64_t scan_ms(const struct run *run)
{
        int64_t quarter_ms = run->options.config->overdue_ms / 4;

        return quarter_ms < CORE_SCAN_MS ? quarter_ms : CORE_SCAN_MS;
}

static void on_scan(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct run *run = timer->user;

        if (run->positions == SYNC_UP)
                open_timers(run);
        if (run->positions == SYNC_UP)
                store_scan(run->store, run_now_ms(run) - run->options.config->overdue_ms);
        loop_timer_arm(run->options.loop, timer, clock_mono_ms() + scan_ms(run));
}

static void on_save(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct run *run = timer->user;

        if (run->alerts == SYNC_UP) {
                snapshot_state(run->snapshot, run->core, run_now_ms(run));
                run_notice(run, "snapshot", false);
        }
        loop_timer_arm(run->options.loop, timer, clock_mono_ms() + RUN_SNAPSHOT_MS);
}

static void load_snapshot(struct run *run)
{
        struct snapshot_report report;
        int r = run->snapshot != NULL ? snapshot_load(run->options.config->snapshot_path, run->core, &report) : -ENOENT;

        run->from_snapshot = true;
        if (r < 0)
                log_error("snapshot", "none to start from (%s): every alert will be unverified until the store is back",
                          strerror(-r));
        else
                log_error("snapshot",
                          "starts from it: %lld minutes old, %zu people, %zu open alerts, %zu entries bad, %zu octets "
                          "torn",
                          (long long)((run_now_ms(run) - report.written_at_ms) / 60000), report.people, report.records,
                          report.bad, report.torn_octets);
}

/* on_start: Redis has not been there for store.wait: what is known from files must do. */
static void on_start(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct run *run = timer->user;
        int r;

        if (run->journal != NULL)
                return;
        if (run->alerts == SYNC_LOADING) { /* it is there, and has much to tell */
                loop_timer_arm(run->options.loop, timer, clock_mono_ms() + RUN_RELOAD_MS);
                return;
        }
        log_error("store", "away at the start");
        load_snapshot(run);
        r = keep_open(run);
        if (r < 0)
                run_stop(run, r);
        else
                run_loaded(run);
}

void run_loaded(struct run *run)
{
        run_on_duty(run, OFF_STARTING);
        sync_positions(run);
}

static void on_hangup(uv_signal_t *handle, int signal)
{
        struct run *run = handle->data;
        struct files *files = run->options.files;
        struct files_error error;
        const char *why;

        if (link_reload(run->link, &why) < 0)
                log_error(NULL, "SIGHUP: TLS: %s", why);
        if (files_read_trust(run->options.config, files, &error) < 0)
                log_error(NULL, "SIGHUP: %s", error.text);
        else
                core_load_trust(run->core, files->trust_number,
                                (struct cbor_span){ (const uint8_t *)files->trust, files->trust_len });
        run_act(run);
        log_info(NULL, "certificates, ticket key and trust list read again");
}

static void free_signal(uv_handle_t *handle)
{
        free(handle);
}

static int take_hangup(struct run *run)
{
        uv_signal_t *handle = calloc(1, sizeof(*handle));

        if (handle == NULL)
                return -ENOMEM;
        uv_signal_init(loop_uv(run->options.loop), handle);
        handle->data = run;
        run->hangup = handle;
        return uv_signal_start(handle, on_hangup, SIGHUP);
}

/* ---- What the core borrows. */

static bool verify(void *user, const uint8_t point[P256_POINT_SIZE], const struct alert_signed *alert)
{
        struct key *key = NULL;
        bool good = key_from_public(KEY_ES256, (struct cbor_span){ point, P256_POINT_SIZE }, &key) == 0 &&
                    alert_verify(alert, key) == 0;

        key_free(key);
        return good;
}

static void hash(void *user, struct cbor_span data, uint8_t ret_hash[32])
{
        if (EVP_Digest(data.at, data.len, ret_hash, NULL, EVP_sha256(), NULL) != 1)
                abort(); /* libcrypto without SHA-256 */
}

/* sessions_max: an alert port keeps places free for who shakes hands, so that the core sees each newcomer, and makes room. */
static uint32_t sessions_max(const struct config *c)
{
        int64_t shaking = c->limit_handshakes < c->limit_connections / 4 ? c->limit_handshakes : c->limit_connections / 4;
        int64_t max = c->alerts_only ? c->limit_connections - shaking : c->limit_connections;

        return (uint32_t)(max < CORE_SESSIONS_MAX ? max : CORE_SESSIONS_MAX);
}

static int open_core(struct run *run)
{
        const struct config *c = run->options.config;
        struct files *files = run->options.files;
        const char *people[CONF_LIST_MAX];
        struct core_options options = { .region = c->region,
                                        .name = c->name,
                                        .rank = (unsigned)c->rank,
                                        .zones = files->zones,
                                        .barriers = files->barriers,
                                        .drill_people = people,
                                        .drill_people_count = c->drill_people.count,
                                        .drill_announced = c->drill_announced,
                                        .overdue_ms = c->overdue_ms,
                                        .overdue_no_coverage_ms = c->overdue_no_coverage_ms,
                                        .question_ms = c->question_ms,
                                        .alerts_only = c->alerts_only,
                                        .sessions_max = sessions_max(c),
                                        .opens = c->keeper_socket[0] != '\0',
                                        .sms = c->sms_port != 0,
                                        .control_number = c->control_number[0] != '\0' ? c->control_number : NULL,
                                        .user = run,
                                        .verify = verify,
                                        .hash = hash };
        int r;

        for (size_t i = 0; i < c->drill_people.count; i++)
                people[i] = c->drill_people.item[i];
        if (getrandom(&options.seed, sizeof(options.seed), 0) != sizeof(options.seed) ||
            getrandom(options.salt_seed, sizeof(options.salt_seed), 0) != sizeof(options.salt_seed))
                return -errno;
        r = core_new(&options, &run->core);
        return r < 0 ? r
                     : core_load_trust(run->core, files->trust_number,
                                       (struct cbor_span){ (const uint8_t *)files->trust, files->trust_len });
}

static int open_snapshot(struct run *run)
{
        const char *path = run->options.config->snapshot_path;

        return path[0] == '\0' ? 0 : snapshot_open(run->options.loop, path, &run->snapshot);
}

static void start_timers(struct run *run)
{
        struct loop *loop = run->options.loop;
        int64_t now = clock_mono_ms();

        wheel_timer_init(&run->tick, on_tick, run);
        wheel_timer_init(&run->scan, on_scan, run);
        wheel_timer_init(&run->start, on_start, run);
        drain_init(run);
        wheel_timer_init(&run->save, on_save, run);
        sync_timers_init(run);
        loop_timer_arm(loop, &run->tick, now + CORE_TICK_MS);
        loop_timer_arm(loop, &run->scan, now + scan_ms(run));
        if (run->options.config->snapshot_path[0] != '\0')
                loop_timer_arm(loop, &run->save, now + RUN_SNAPSHOT_MS);
        loop_timer_arm(loop, &run->start, now + run->options.config->store_wait_ms);
}

int run_open(const struct run_options *options, struct run **ret_run)
{
        struct run *run = calloc(1, sizeof(*run));
        const char *why = "core";
        int r;

        if (run == NULL)
                return -ENOMEM;
        *ret_run = run;
        run->options = *options;
        run->off = OFF_STARTING;
        run->people_epoch = -1;
        run->ahead_ms = clock_utc_ms() - clock_mono_ms();
        start_timers(run);
        if ((r = open_core(run)) < 0 || (r = inbox_open(run)) < 0 || (r = open_open(run)) < 0 || (r = open_snapshot(run)) < 0 || (r = hear_open(run, &why)) < 0)
                log_error(NULL, "%s: %s", why, strerror(-r));
        else if ((r = sms_open(run)) == 0 && (r = gauges_open(run)) < 0)
                log_error(NULL, "metrics: %s", strerror(-r));
        else if (r == 0)
                r = take_hangup(run);
        return r;
}

void run_close(struct run *run)
{
        struct loop *loop;

        if (run == NULL)
                return;
        loop = run->options.loop;
        run->closing = true;
        sync_cancel(run);
        commands_close(run->commands);
        tail_close(run->feed);
        tail_close(run->roster);
        store_close(run->store);
        inbox_close(run);
        open_close(run);
        link_close(run->link);
        sms_close(run);
        keep_close(run);
        metrics_server_close(run->metrics_server);
        if (run->hangup != NULL)
                uv_close((uv_handle_t *)run->hangup, free_signal);
        loop_timer_cancel(loop, &run->tick);
        loop_timer_cancel(loop, &run->scan);
        loop_timer_cancel(loop, &run->start);
        loop_timer_cancel(loop, &run->drain);
        loop_timer_cancel(loop, &run->save);
        snapshot_close(run->snapshot);
}

void run_free(struct run *run)
{
        if (run == NULL)
                return;
        link_free(run->link);
        metrics_free(run->metrics);
        core_free(run->core);
        free(run);
}
