#include "console/store_inside.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/redis_trouble.h"

#define CARRIER_QUIET_MS (3 * 60 * 1000) /* DESIGN rule 5 */

void store_key(const struct store *store, const char *name, const char *suffix, char to[STORE_KEY_SIZE])
{
        snprintf(to, STORE_KEY_SIZE, "{%s}:%s%s", store->options.config->region, name, suffix);
}

int64_t store_now_ms(const struct store *store)
{
        return clock_utc_ms() + store->offset_ms;
}

const struct counts *store_carriers(const struct store *store)
{
        return &store->carriers;
}

const struct store_stats *store_stats(const struct store *store)
{
        return &store->stats;
}

void store_refused(struct store *store, const char *what, int error)
{
        uint32_t hidden;

        store->stats.refused++;
        if (log_limit_pass(&store->refused, clock_mono_ms(), &hidden))
                log_warn(NULL, "%s not understood: %s (%" PRIu32 " more not shown)", what, strerror(-error), hidden);
}

void store_lost(struct store *store)
{
        store->loaded = false;
        if (!store->up)
                return;
        store->up = false;
        store->options.events.up(store->options.events.user, false);
}

void store_trouble(struct store *store, const char *error)
{
        const char *word = error != NULL ? redis_trouble(error) : NULL;

        if (word == store->trouble || (word != NULL && store->trouble != NULL && strcmp(word, store->trouble) == 0))
                return;
        store->trouble = word;
        store->options.events.trouble(store->options.events.user, word);
}

void store_begin_again(struct store *store, const char *why)
{
        if (store->closing)
                return;
        log_warn(NULL, "alerts: %s; loading anew", why);
        store_lost(store);
        loop_timer_arm(store->options.loop, &store->rest, clock_mono_ms() + STORE_REST_MS);
}

static void on_rested(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct store *store = timer->user;

        if (store->alerts_up && !store->loaded)
                look_begin(store);
}

static void on_alerts(void *user, bool up, const char *why)
{
        struct store *store = user;

        store->alerts_up = up;
        if (up) {
                log_info(NULL, "alerts: connected");
                look_begin(store);
        } else {
                log_warn(NULL, "alerts: away: %s", why);
                store_trouble(store, why);
                store_lost(store);
        }
}

static void on_feed(void *user, bool up, const char *why)
{
        struct store *store = user;

        store->feed_up = up;
        if (!up) {
                bool was_up = store->up;

                store_lost(store);
                if (was_up && store->alerts_up)
                        store_begin_again(store, "the feed's link is lost");
        } else if (store->loaded) {
                tail_begin(store);
        } else if (store->alerts_up && !store->load.running) {
                look_begin(store);
        }
}

static void on_roster_time(void *user, struct redisReply *reply)
{
        struct store *store = user;
        int64_t now = reply_time_ms(reply);

        if (now == 0 || store->closing)
                return; /* the link went, or it comes again with its next rise */
        snprintf(store->roster_at, sizeof(store->roster_at), "%" PRId64 "-0", now - STORE_ROSTER_BACK_MS);
        roster_begin(store);
}

static void on_on_duty(void *user, struct redisReply *reply)
{
        struct store *store = user;

        store->carriers.known = reply_is(reply, REDIS_REPLY_INTEGER, 0);
        if (store->carriers.known)
                store->carriers.on_duty = reply->integer;
}

static void on_quiet(void *user, struct redisReply *reply)
{
        struct store *store = user;

        if (reply_is(reply, REDIS_REPLY_INTEGER, 0))
                store->carriers.quiet = reply->integer;
}

static void poll_positions(struct store *store)
{
        char key[STORE_KEY_SIZE];
        struct redis_args args;

        store_key(store, "duty", "", key);
        redis_args_init(&args, "ZCARD");
        redis_arg(&args, key);
        (void)redis_command(store->positions, &args, on_on_duty, store);
        redis_args_init(&args, "ZCOUNT");
        redis_arg(&args, key);
        redis_arg(&args, "-inf");
        redis_arg_int(&args, store_now_ms(store) - CARRIER_QUIET_MS);
        (void)redis_command(store->positions, &args, on_quiet, store);
}

static void on_positions(void *user, bool up, const char *why)
{
        struct store *store = user;

        if (up) {
                log_info(NULL, "positions: connected");
                poll_positions(store);
        } else {
                store->carriers.known = false;
                log_warn(NULL, "positions: away: %s", why);
        }
}

static void on_roster(void *user, bool up, const char *why)
{
        struct store *store = user;
        struct redis_args args;

        redis_args_init(&args, "TIME");
        if (up)
                (void)redis_command(store->roster, &args, on_roster_time, store);
}

static void on_open(void *user, struct redisReply *reply)
{
        struct store *store = user;

        if (reply_is(reply, REDIS_REPLY_INTEGER, 0))
                store->carriers.open = reply->integer;
}

static void on_time(void *user, struct redisReply *reply)
{
        struct store *store = user;
        int64_t now = reply_time_ms(reply);

        if (now != 0)
                store->offset_ms = now - clock_utc_ms();
}

/* on_people_changes: where {r}:people:changes stands; moved: load the supervisors again. */
static void on_people_changes(void *user, struct redisReply *reply)
{
        struct store *store = user;
        char at[STORE_STREAM_SIZE] = "";

        if (!reply_is(reply, REDIS_REPLY_ARRAY, 1) || !reply_is(reply->element[0], REDIS_REPLY_ARRAY, 1) ||
            reply_text(reply->element[0]->element[0], at, sizeof(at)) < 0 || strcmp(at, store->people_at) == 0)
                return;
        strcpy(store->people_at, at);
        load_people(store);
}

static void poll_alerts(struct store *store)
{
        char key[STORE_KEY_SIZE];
        struct redis_args args;

        redis_args_init(&args, "TIME");
        (void)redis_command(store->alerts, &args, on_time, store);
        store_key(store, "open", "", key);
        redis_args_init(&args, "ZCARD");
        redis_arg(&args, key);
        (void)redis_command(store->alerts, &args, on_open, store);
        store_key(store, "people:changes", "", key);
        args_last_entry(&args, key);
        (void)redis_command(store->alerts, &args, on_people_changes, store);
}

static void on_poll(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct store *store = timer->user;

        poll_positions(store); /* each fails where its link is down, and is asked again */
        poll_alerts(store);
        roster_begin(store); /* goes on where an error ended it */
        if (store->up)
                look_begin(store);
        loop_timer_arm(store->options.loop, timer, now_mono_ms + STORE_POLL_MS);
}

struct handed {
        struct store *store;
        char id[VIEW_COMMAND_TEXT];
};

static void on_handed(void *user, struct redisReply *reply)
{
        struct handed *handed = user;
        struct store *store = handed->store;

        if ((reply == NULL || reply->type == REDIS_REPLY_ERROR) && !store->closing)
                store->options.events.answer(store->options.events.user, handed->id, answer_code_name(ANSWER_BUSY), "");
        if (reply != NULL && reply->type == REDIS_REPLY_ERROR)
                log_error(NULL, "commands: %s", reply->str);
        free(handed);
}

int store_command(struct store *store, const struct command *command)
{
        uint8_t buf[COMMAND_MAX];
        int n = command_encode(command, buf, sizeof(buf)), r;
        struct handed *handed = n > 0 ? calloc(1, sizeof(*handed)) : NULL;
        char key[STORE_KEY_SIZE];
        struct redis_args args;

        if (handed == NULL)
                return n > 0 ? -ENOBUFS : -EINVAL;
        handed->store = store;
        hex_encode(command->id, sizeof(command->id), handed->id);
        store_key(store, "commands", "", key);
        redis_args_init(&args, "XADD");
        redis_arg(&args, key);
        redis_arg(&args, "MAXLEN");
        redis_arg(&args, "~");
        redis_arg(&args, STORE_COMMANDS_LENGTH);
        redis_arg(&args, "*");
        redis_arg(&args, "f");
        redis_arg(&args, "1");
        redis_arg(&args, "r");
        redis_arg_data(&args, buf, (size_t)n);
        if ((r = redis_command(store->alerts, &args, on_handed, handed)) < 0)
                free(handed);
        else
                store->stats.commands++;
        return r;
}

int store_open(const struct store_options *options, struct store **ret_store)
{
        struct store *store = calloc(1, sizeof(*store));
        const struct config *c = options->config;
        int r;

        if (store == NULL)
                return -ENOMEM;
        store->options = *options;
        wheel_timer_init(&store->poll, on_poll, store);
        wheel_timer_init(&store->rest, on_rested, store);
        if ((r = link_open(options->loop, &c->alerts, (struct redis_options){ .state = on_alerts, .user_data = store },
                           &store->alerts)) < 0 ||
            (r = link_open(options->loop, &c->alerts,
                           (struct redis_options){ .blocking = true, .state = on_feed, .user_data = store },
                           &store->feed)) < 0 ||
            (r = link_open(options->loop, &c->positions,
                           (struct redis_options){ .state = on_positions, .user_data = store }, &store->positions)) <
                    0 ||
            (r = link_open(options->loop, &c->positions,
                           (struct redis_options){ .blocking = true, .state = on_roster, .user_data = store },
                           &store->roster)) < 0) {
                store_close(store);
                return r;
        }
        loop_timer_arm(options->loop, &store->poll, clock_mono_ms() + 100);
        *ret_store = store;
        return 0;
}

void store_close(struct store *store)
{
        if (store == NULL)
                return;
        store->closing = true;
        loop_timer_cancel(store->options.loop, &store->poll);
        loop_timer_cancel(store->options.loop, &store->rest);
        redis_close(store->alerts);
        redis_close(store->feed);
        redis_close(store->positions);
        redis_close(store->roster);
        free(store->load.ids);
        free(store);
}
