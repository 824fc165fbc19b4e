#include "dispatcher/tail.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/redis.h"
#include "dispatcher/store.h"

/* A reading: its answer is dropped when another has begun since. */
struct tail {
        struct tail_options options;
        struct redis_link *link;
        bool reading, under_way, closing;
        bool again; /* started anew while an old answer is under way: that one is dropped */
        struct wheel_timer rest;
        struct stream_id at[TAIL_STREAMS];
        char key[TAIL_STREAMS][STORE_KEY_SIZE];
};

static void read_on(struct tail *tail);

static void rest(struct tail *tail)
{
        loop_timer_arm(tail->options.loop, &tail->rest, clock_mono_ms() + TAIL_REST_MS);
}

static size_t find_stream(const struct tail *tail, const struct redisReply *name)
{
        struct cbor_span bytes = reply_bytes(name);
        size_t i = 0;

        while (i < TAIL_STREAMS && (tail->options.name[i] == NULL || bytes.len != strlen(tail->key[i]) ||
                                    memcmp(bytes.at, tail->key[i], bytes.len) != 0))
                i++;
        return i;
}

/* take: hand on the entries of one stream; stops where the owner stops the tail. */
static void take(struct tail *tail, size_t stream, const struct redisReply *entries)
{
        for (size_t i = 0; i < reply_count(entries) && tail->reading && !tail->again; i++) {
                const struct redisReply *entry = reply_at(entries, i);
                struct stream_id id;

                if (!stream_id_read(reply_at(entry, 0), &id))
                        continue;
                tail->at[stream] = id;
                tail->options.entry(tail->options.user, stream, id, reply_at(entry, 1));
        }
}

static void on_entries(void *user, struct redisReply *reply)
{
        struct tail *tail = user;

        tail->under_way = false;
        if (tail->closing)
                return;
        if (!tail->again) {
                for (size_t i = 0; i < reply_count(reply); i++) {
                        size_t stream = find_stream(tail, reply_at(reply_at(reply, i), 0));

                        if (stream < TAIL_STREAMS)
                                take(tail, stream, reply_at(reply_at(reply, i), 1));
                }
        }
        if (!tail->reading || reply == NULL)
                return;
        tail->again = false;
        if (reply_is_good(reply)) {
                read_on(tail);
        } else {
                log_error("store", "tail of %s: %s", tail->options.name[0], reply->str);
                rest(tail);
        }
}

static void read_on(struct tail *tail)
{
        size_t count = tail->options.name[1] != NULL ? 2 : 1;
        char id[TAIL_STREAMS][STREAM_ID_TEXT];
        struct redis_args args;

        if (!tail->reading || tail->under_way)
                return;
        redis_args_init(&args, "XREAD");
        redis_arg(&args, "COUNT");
        redis_arg_int(&args, TAIL_PAGE);
        redis_arg(&args, "BLOCK");
        redis_arg_int(&args, REDIS_BLOCK_MS);
        redis_arg(&args, "STREAMS");
        for (size_t i = 0; i < count; i++)
                redis_arg(&args, tail->key[i]);
        for (size_t i = 0; i < count; i++) {
                stream_id_write(tail->at[i], id[i]);
                redis_arg(&args, id[i]);
        }
        if (redis_command(tail->link, &args, on_entries, tail) == 0)
                tail->under_way = true;
        else
                rest(tail);
}

static void on_rested(struct wheel_timer *timer, int64_t now_mono_ms)
{
        read_on(timer->user);
}

static void on_state(void *user, bool up, const char *why)
{
        struct tail *tail = user;

        if (!up)
                tail_stop(tail);
        tail->options.state(tail->options.user, up, why);
}

int tail_open(const struct tail_options *options, struct tail **ret_tail)
{
        struct tail *tail = calloc(1, sizeof(*tail));
        int r;

        if (tail == NULL)
                return -ENOMEM;
        tail->options = *options;
        wheel_timer_init(&tail->rest, on_rested, tail);
        for (size_t i = 0; i < TAIL_STREAMS && options->name[i] != NULL; i++)
                store_key(options->config, options->name[i], tail->key[i]);
        r = redis_open(options->loop,
                       &(struct redis_options){ .address = options->redis->address,
                                                .user = options->redis->user,
                                                .password = options->redis->password,
                                                .blocking = true,
                                                .state = on_state,
                                                .user_data = tail },
                       &tail->link);
        if (r < 0) {
                free(tail);
                return r;
        }
        *ret_tail = tail;
        return 0;
}

void tail_close(struct tail *tail)
{
        if (tail == NULL)
                return;
        tail->closing = true;
        tail_stop(tail);
        redis_close(tail->link);
        free(tail);
}

bool tail_is_up(const struct tail *tail)
{
        return redis_is_up(tail->link);
}

void tail_start(struct tail *tail, const struct stream_id after[TAIL_STREAMS])
{
        for (size_t i = 0; i < TAIL_STREAMS; i++)
                tail->at[i] = after[i];
        tail->reading = true;
        tail->again = tail->under_way;
        read_on(tail);
}

void tail_stop(struct tail *tail)
{
        tail->reading = false;
        loop_timer_cancel(tail->options.loop, &tail->rest);
}
