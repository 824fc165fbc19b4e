#include "dispatcher/store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/loop.h"
#include "dispatcher/reply.h"
#include "dispatcher/store_inside.h"

void store_key(const struct config *config, const char *name, char to[STORE_KEY_SIZE])
{
        snprintf(to, STORE_KEY_SIZE, "{%s}:%s", config->region, name);
}

static void set_alerts(struct store *store, bool up, const char *why)
{
        if (store->alerts_up == up)
                return;
        store->alerts_up = up;
        store->options.alerts(store->options.user, up, why);
}

static void rest(struct store *store, const char *why)
{
        set_alerts(store, false, why);
        loop_timer_arm(store->options.loop, &store->rest, clock_mono_ms() + STORE_REST_MS);
}

static void on_epoch(void *user, struct redisReply *reply)
{
        struct store *store = user;
        int64_t epoch = reply_int(reply);

        if (reply == NULL || store->closing)
                return; /* the link's state tells */
        if (!reply_is_good(reply)) {
                store_refused(store, "read the epoch", reply);
        } else if (epoch < store->epoch) {
                log_error("store",
                          "alerts: its epoch is %" PRId64 ", %" PRId64 " was seen: an older state; not written to",
                          epoch, store->epoch);
                rest(store, "older state");
        } else {
                store->epoch = epoch;
                set_alerts(store, true, NULL);
        }
}

static void ask_epoch(struct store *store)
{
        char key[STORE_KEY_SIZE];
        struct redis_args args;

        store_key(store->options.config, "epoch", key);
        redis_args_init(&args, "GET");
        redis_arg(&args, key);
        if (redis_command(store->alerts, &args, on_epoch, store) < 0)
                rest(store, "epoch not read");
}

static void on_rested(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct store *store = timer->user;

        if (redis_is_up(store->alerts))
                ask_epoch(store);
}

void store_refused(struct store *store, const char *what, const struct redisReply *reply)
{
        uint32_t hidden;

        store->counts.refused++;
        if (log_limit_pass(&store->refusals, clock_mono_ms(), &hidden))
                log_error("store", "alerts: %s: %s (%u more)", what, reply != NULL ? reply->str : "not sent", hidden);
        rest(store, what);
}

void store_trouble(struct store *store, const char *what, bool on)
{
        static const char *const words[] = STORE_TROUBLES;
        unsigned bit = 1;

        for (size_t i = 0; strcmp(words[i], what) != 0; i++)
                bit <<= 1;
        if (((store->troubles & bit) != 0) == on)
                return;
        store->troubles ^= bit;
        if (store->options.trouble != NULL)
                store->options.trouble(store->options.user, what, on);
}

static void on_alerts(void *user, bool up, const char *why)
{
        struct store *store = user;

        loop_timer_cancel(store->options.loop, &store->rest);
        if (up)
                ask_epoch(store);
        else
                set_alerts(store, false, why);
}

static void on_positions(void *user, bool up, const char *why)
{
        struct store *store = user;

        if (!up)
                store_scan_free(store);
        store->options.positions(store->options.user, up, why);
}

static void on_time(void *user, struct redisReply *reply)
{
        struct store *store = user;
        int64_t now = clock_mono_ms(), rtt = now - store->clock_sent_ms;

        if (store->closing || reply_count(reply) != 2 || rtt > STORE_CLOCK_RTT_MS)
                return;
        store->options.clock(store->options.user,
                             reply_int(reply_at(reply, 0)) * 1000 + reply_int(reply_at(reply, 1)) / 1000,
                             now - rtt / 2);
}

static void on_clock(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct store *store = timer->user;
        struct redis_args args;

        store->clock_sent_ms = clock_mono_ms();
        redis_args_init(&args, "TIME");
        redis_command(store->alerts, &args, on_time, store);
        loop_timer_arm(store->options.loop, timer, now_mono_ms + STORE_CLOCK_MS);
}

static void on_failing(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct store *store = timer->user;
        struct store_call *call = store->failed;

        store->failed = NULL; /* answering may put others there */
        while (call != NULL) {
                struct store_call *next = call->next;

                store_unknown(call);
                call = next;
        }
}

static int open_link(struct store *store, const struct config_redis *redis, void (*state)(void *, bool, const char *),
                     struct redis_link **ret_link)
{
        return redis_open(store->options.loop,
                          &(struct redis_options){ .address = redis->address,
                                                   .user = redis->user,
                                                   .password = redis->password,
                                                   .state = state,
                                                   .user_data = store },
                          ret_link);
}

int store_open(const struct store_options *options, struct store **ret_store)
{
        struct store *store = calloc(1, sizeof(*store));
        int r;

        if (store == NULL)
                return -ENOMEM;
        store->options = *options;
        store->epoch = -1;
        wheel_timer_init(&store->rest, on_rested, store);
        wheel_timer_init(&store->clock, on_clock, store);
        wheel_timer_init(&store->failing, on_failing, store);
        if ((r = store_takes_open(store)) < 0 || (r = scripts_init(&store->scripts)) < 0 ||
            (r = open_link(store, &options->config->alerts, on_alerts, &store->alerts)) < 0 ||
            (r = open_link(store, &options->config->positions, on_positions, &store->positions)) < 0) {
                store_close(store);
                return r;
        }
        loop_timer_arm(options->loop, &store->clock, clock_mono_ms());
        *ret_store = store;
        return 0;
}

void store_close(struct store *store)
{
        if (store == NULL)
                return;
        store->closing = true;
        redis_close(store->alerts); /* answers what waits, which is then freed */
        store_takes_close(store);
        redis_close(store->positions);
        loop_timer_cancel(store->options.loop, &store->rest);
        loop_timer_cancel(store->options.loop, &store->clock);
        loop_timer_cancel(store->options.loop, &store->failing);
        on_failing(&store->failing, 0);
        store_scan_free(store);
        free(store);
}

struct redis_link *store_alerts(struct store *store)
{
        return store->alerts;
}

struct redis_link *store_positions(struct store *store)
{
        return store->positions;
}

int64_t store_epoch(const struct store *store)
{
        return store->epoch;
}

const struct store_counts *store_counts(const struct store *store)
{
        return &store->counts;
}
