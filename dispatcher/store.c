#include "dispatcher/store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/loop.h"
#include "base/redis_trouble.h"
#include "dispatcher/reply.h"
#include "dispatcher/store_inside.h"

#define LOOK_KEYS 5

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

/* refused: ERROR, NULL none, is why WHAT was not done. */
static void refused(struct store *store, const char *what, const char *error)
{
        uint32_t hidden;

        store->counts.refused++;
        if (log_limit_pass(&store->refusals, clock_mono_ms(), &hidden))
                log_error("store", "alerts: %s: %s (%u more)", what, error != NULL ? error : "not sent", hidden);
        if (error != NULL)
                store_cause(store, error);
        rest(store, what);
}

/* older: log what is wrong with it, and let it be. */
static void older(struct store *store)
{
        uint32_t hidden;

        if (log_limit_pass(&store->refusals, clock_mono_ms(), &hidden))
                log_error("store",
                          "alerts: epoch %" PRId64 ", %s; seen were %" PRId64
                          ", %s: an older state, or none; not written to",
                          store->looked.epoch, store->looked.people ? "people" : "no people", store->epoch,
                          store->people_seen ? "people" : "no people");
        store_cause(store, REDIS_OLDER);
        rest(store, REDIS_OLDER);
}

/* note: the first error of a look. */
static void note(struct store *store, const struct redisReply *reply)
{
        if (reply != NULL && !reply_is_good(reply) && store->looked.error[0] == '\0')
                snprintf(store->looked.error, sizeof(store->looked.error), "%s", reply->str);
}

static void on_looked_epoch(void *user, struct redisReply *reply)
{
        struct store *store = user;

        store->looked = (struct store_looked){ .epoch = reply_int(reply) };
        note(store, reply);
}

static void on_looked_people(void *user, struct redisReply *reply)
{
        struct store *store = user;

        store->looked.people = reply_int(reply) > 0;
        note(store, reply);
}

/* on_probed: it took a write, or said why not.  What it said of itself came before. */
static void on_probed(void *user, struct redisReply *reply)
{
        struct store *store = user;

        if (reply == NULL || store->closing)
                return; /* the link's state tells */
        note(store, reply);
        if (store->looked.error[0] != '\0') {
                refused(store, "looking at it", store->looked.error);
        } else if (store->looked.epoch < store->epoch || (store->people_seen && !store->looked.people)) {
                older(store);
        } else {
                store->epoch = store->looked.epoch;
                store->people_seen = store->people_seen || store->looked.people;
                store->was_up = true;
                store_cause(store, NULL);
                set_alerts(store, true, NULL);
        }
}

/* ask: COMMAND of the region's keys NAMES, which NULL ends. */
static int ask(struct store *store, const char *command, const char *const *names, redis_fn *done)
{
        char key[LOOK_KEYS][STORE_KEY_SIZE];
        struct redis_args args;

        redis_args_init(&args, command);
        for (size_t i = 0; i < LOOK_KEYS && names[i] != NULL; i++) {
                store_key(store->options.config, names[i], key[i]);
                redis_arg(&args, key[i]);
        }
        return redis_command(store->alerts, &args, done, store);
}

/* probe: a write that changes nothing for anybody. */
static int probe(struct store *store)
{
        char key[STORE_KEY_SIZE];
        struct redis_args args;

        store_key(store->options.config, "probes", key);
        redis_args_init(&args, "HSET");
        redis_arg(&args, key);
        redis_arg(&args, store->options.config->name);
        redis_arg_int(&args, clock_utc_ms());
        return redis_command(store->alerts, &args, on_probed, store);
}

/* look: who is it, and does it take a write?  Read-only, full, alone: it says so at once, and nobody counts on it. */
static void look(struct store *store)
{
        static const char *const epoch[] = { "epoch", NULL };
        static const char *const people[LOOK_KEYS + 1] = { "people:changes", "handsets", "carriers",
                                                           "supervisors",    "users",    NULL };

        if (ask(store, "GET", epoch, on_looked_epoch) < 0 || ask(store, "EXISTS", people, on_looked_people) < 0 ||
            probe(store) < 0)
                rest(store, "not looked at");
}

static void on_rested(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct store *store = timer->user;

        if (!store->alerts_up && redis_is_up(store->alerts)) /* a look may have ended well meanwhile */
                look(store);
}

void store_refused(struct store *store, const char *what, const struct redisReply *reply)
{
        refused(store, what, reply != NULL ? reply->str : NULL);
}

static void on_alerts(void *user, bool up, const char *why)
{
        struct store *store = user;

        loop_timer_cancel(store->options.loop, &store->rest);
        if (up)
                look(store);
        else
                store_cause(store, why);
        if (!up)
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

        store->clock_asked = false;
        if (reply != NULL && !store->closing)
                store_took(store, rtt * 1000);
        if (store->closing || reply_count(reply) != 2 || rtt > STORE_CLOCK_RTT_MS)
                return;
        store->options.clock(store->options.user,
                             reply_int(reply_at(reply, 0)) * 1000 + reply_int(reply_at(reply, 1)) / 1000,
                             now - rtt / 2);
}

/* on_clock: one question at a time, or the answer to one would be measured from the next. */
static void on_clock(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct store *store = timer->user;
        struct redis_args args;

        redis_args_init(&args, "TIME");
        if (!store->clock_asked) {
                store->clock_sent_ms = clock_mono_ms();
                store->clock_asked = redis_command(store->alerts, &args, on_time, store) == 0;
        }
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
        store->epoch = options->epoch_seen;
        store->people_seen = options->people_seen;
        wheel_timer_init(&store->rest, on_rested, store);
        wheel_timer_init(&store->clock, on_clock, store);
        wheel_timer_init(&store->failing, on_failing, store);
        wheel_timer_init(&store->calm, store_calmed, store);
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
        loop_timer_cancel(store->options.loop, &store->calm);
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
