/* Loading the board: where the feed stands, then all that is open, people, notices; then the feed from there. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "console/store_inside.h"

static void ask_alerts(struct store *store);

/* ask: give a command of the load; when it cannot be given the load has failed. */
static void ask(struct store *store, const struct redis_args *args, redis_fn *done)
{
        if (redis_command(store->alerts, args, done, store) < 0)
                store->load.failed = true;
        else
                store->load.waiting++;
}

static void finish(struct store *store)
{
        struct store_load *load = &store->load;

        load->running = false;
        free(load->ids);
        load->ids = NULL;
        load->count = load->next = 0;
        if (!store->alerts_up)
                return; /* its next rise loads */
        if (load->failed || load->again) {
                store_begin_again(store, load->failed ? "loading failed" : "lost while loading");
                return;
        }
        store->loaded = true;
        tail_begin(store);
}

/* answered: note one answer of the load; the last one ends it.  Says whether REPLY is good to read. */
static bool answered(struct store *store, const struct redisReply *reply)
{
        if (store->closing)
                return false;
        store->load.waiting--;
        if (reply == NULL || reply->type == REDIS_REPLY_ERROR) {
                if (reply != NULL && !store->load.failed)
                        log_error(NULL, "alerts: loading: %s", reply->str);
                store->load.failed = true;
                return false;
        }
        return true;
}

static void finish_if_last(struct store *store)
{
        if (!store->closing && store->load.waiting == 0)
                finish(store);
}

static void on_time(void *user, struct redisReply *reply)
{
        struct store *store = user;
        int64_t now = answered(store, reply) ? reply_time_ms(reply) : 0;

        if (now != 0)
                store->offset_ms = now - clock_utc_ms();
        finish_if_last(store);
}

static void on_position(void *user, struct redisReply *reply)
{
        struct store *store = user;

        strcpy(store->feed_at, "0-0");
        if (answered(store, reply) && reply_is(reply, REDIS_REPLY_ARRAY, 1) &&
            (!reply_is(reply->element[0], REDIS_REPLY_ARRAY, 1) ||
             reply_text(reply->element[0]->element[0], store->feed_at, sizeof(store->feed_at)) < 0))
                store->load.failed = true;
        finish_if_last(store);
}

/* each: call PUT with every field and value of a hash. */
static void each(struct store *store, struct redisReply *reply, const char *what,
                 int (*put)(struct board *board, const char *key, const uint8_t *data, size_t size))
{
        if (!reply_is(reply, REDIS_REPLY_ARRAY, 0))
                return;
        for (size_t i = 0; i + 1 < reply->elements; i += 2) {
                const struct redisReply *value = reply->element[i + 1];
                char key[NAME_MAX_OCTETS + 1];
                int r = reply_text(reply->element[i], key, sizeof(key));

                if (r == 0 && value->type == REDIS_REPLY_STRING)
                        r = put(store->options.board, key, (const uint8_t *)value->str, (size_t)value->len);
                if (r < 0)
                        store_refused(store, what, r);
        }
}

static int put_supervisor(struct board *board, const char *key, const uint8_t *data, size_t size)
{
        struct person *person;

        return board_supervisor(board, key, data, size, &person);
}

static int put_duty(struct board *board, const char *key, const uint8_t *data, size_t size)
{
        struct person *person;

        return board_duty(board, key, data, size, &person);
}

static int put_notice(struct board *board, const char *key, const uint8_t *data, size_t size)
{
        const struct notice_item *item;

        return board_notice(board, key, data, size, &item);
}

static void on_supervisors(void *user, struct redisReply *reply)
{
        struct store *store = user;

        if (answered(store, reply))
                each(store, reply, "a supervisor", put_supervisor);
        finish_if_last(store);
}

static void on_duty(void *user, struct redisReply *reply)
{
        struct store *store = user;

        if (answered(store, reply))
                each(store, reply, "a supervisor's duty", put_duty);
        finish_if_last(store);
}

static void on_notices(void *user, struct redisReply *reply)
{
        struct store *store = user;

        if (answered(store, reply))
                each(store, reply, "a notice", put_notice);
        finish_if_last(store);
}

static void on_alert(void *user, struct redisReply *reply)
{
        struct store *store = user;

        if (answered(store, reply) && reply->type == REDIS_REPLY_STRING) { /* else closed meanwhile: the feed tells */
                static const struct change none;
                const struct alert_item *item;
                int r = board_alert(store->options.board, (const uint8_t *)reply->str, (size_t)reply->len, &none,
                                    &item);

                if (r < 0)
                        store_refused(store, "an alert's record", r);
        }
        if (!store->closing)
                ask_alerts(store);
        finish_if_last(store);
}

/* ask_alerts: the records of the ids not yet asked for, STORE_LOAD_WINDOW at a time. */
static void ask_alerts(struct store *store)
{
        struct store_load *load = &store->load;
        char key[STORE_KEY_SIZE];
        struct redis_args args;

        while (!load->failed && load->next < load->count && load->waiting < STORE_LOAD_WINDOW) {
                store_key(store, "alert:", load->ids[load->next++], key);
                redis_args_init(&args, "HGET");
                redis_arg(&args, key);
                redis_arg(&args, "r");
                ask(store, &args, on_alert);
        }
}

static void on_open(void *user, struct redisReply *reply)
{
        struct store *store = user;
        struct store_load *load = &store->load;

        if (answered(store, reply) && reply_is(reply, REDIS_REPLY_ARRAY, 1)) {
                load->ids = calloc(reply->elements, sizeof(*load->ids));
                load->failed |= load->ids == NULL;
                for (size_t i = 0; load->ids != NULL && i < reply->elements; i++)
                        if (reply_text(reply->element[i], load->ids[load->count], sizeof(*load->ids)) == 0)
                                load->count++;
                ask_alerts(store);
        }
        finish_if_last(store);
}

static void ask_hash(struct store *store, const char *name, redis_fn *done)
{
        char key[STORE_KEY_SIZE];
        struct redis_args args;

        store_key(store, name, "", key);
        redis_args_init(&args, "HGETALL");
        redis_arg(&args, key);
        ask(store, &args, done);
}

static void ask_position(struct store *store)
{
        char key[STORE_KEY_SIZE];
        struct redis_args args;

        store_key(store, "feed", "", key);
        args_last_entry(&args, key);
        ask(store, &args, on_position);
}

static void ask_open(struct store *store)
{
        char key[STORE_KEY_SIZE];
        struct redis_args args;

        store_key(store, "open", "", key);
        redis_args_init(&args, "ZREVRANGE");
        redis_arg(&args, key);
        redis_arg(&args, "0");
        redis_arg_int(&args, BOARD_ALERTS_MAX - 1);
        ask(store, &args, on_open);
}

void load_begin(struct store *store)
{
        struct redis_args args;

        store_lost(store);
        if (store->load.running) { /* answers of the one before are still to come */
                store->load.again = true;
                return;
        }
        store->load = (struct store_load){ .running = true };
        store->load_number++;
        store->stats.loads++;
        board_clear(store->options.board);
        redis_args_init(&args, "TIME");
        ask(store, &args, on_time);
        ask_position(store); /* before all that the feed may change */
        ask_hash(store, "supervisors", on_supervisors);
        ask_hash(store, "duty:supervisors", on_duty);
        ask_hash(store, "notices", on_notices);
        ask_open(store);
        if (store->load.waiting == 0)
                finish(store);
}

static void on_people(void *user, struct redisReply *reply)
{
        struct store *store = user;

        if (!store->closing)
                each(store, reply, "a supervisor", put_supervisor);
}

void load_people(struct store *store)
{
        char key[STORE_KEY_SIZE];
        struct redis_args args;

        store_key(store, "supervisors", "", key);
        redis_args_init(&args, "HGETALL");
        redis_arg(&args, key);
        (void)redis_command(store->alerts, &args, on_people, store);
}
