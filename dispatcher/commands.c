#include "dispatcher/commands.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/redis.h"
#include "dispatcher/reply.h"
#include "dispatcher/store.h"

/* After an error, and when all places are taken, the next look. */
#define REST_MS 200

struct held {
        struct stream_id id; /* 0-0: free */
        uint32_t generation;
};

struct commands {
        struct commands_options options;
        struct redis_link *link;
        bool reading, under_way, closing;
        bool grouped; /* the group is known to be there */
        bool own;     /* first what this consumer was given and has not acknowledged */
        bool stale;   /* started anew while an old answer is under way: that one is dropped, its entries are our own */
        int64_t claim_mono_ms;
        struct stream_id claim_from; /* 0-0: the oldest */
        struct stream_id own_after;
        struct wheel_timer rest;
        char key[STORE_KEY_SIZE];
        size_t held_count;
        struct held held[COMMANDS_HELD_MAX];
        uint64_t malformed;
};

static void next(struct commands *c);

static void rest(struct commands *c)
{
        loop_timer_arm(c->options.loop, &c->rest, clock_mono_ms() + REST_MS);
}

static void acknowledge(struct commands *c, struct stream_id id)
{
        char text[STREAM_ID_TEXT];
        struct redis_args args;

        stream_id_write(id, text);
        redis_args_init(&args, "XACK");
        redis_arg(&args, c->key);
        redis_arg(&args, COMMANDS_GROUP);
        redis_arg(&args, text);
        redis_command(c->options.acknowledge, &args, NULL, NULL); /* not sent: the entry comes again, and is known */
}

/* hold: remember ID.  Returns its ref; 0 where no place is free, or it is held already. */
static uint64_t hold(struct commands *c, struct stream_id id)
{
        size_t at = COMMANDS_HELD_MAX;

        for (size_t i = 0; i < COMMANDS_HELD_MAX; i++) {
                if (stream_id_compare(c->held[i].id, id) == 0)
                        return 0;
                if (c->held[i].id.ms == 0 && at == COMMANDS_HELD_MAX)
                        at = i;
        }
        if (at == COMMANDS_HELD_MAX)
                return 0;
        c->held[at].id = id;
        c->held[at].generation++;
        c->held_count++;
        return (uint64_t)c->held[at].generation << 32 | (at + 1);
}

static void take(struct commands *c, const struct redisReply *entry)
{
        const struct redisReply *fields = reply_at(entry, 1);
        struct cbor_span format = reply_bytes(reply_field(fields, "f")), bytes = reply_bytes(reply_field(fields, "r"));
        struct command command;
        struct stream_id id;
        uint64_t ref;

        if (!stream_id_read(reply_at(entry, 0), &id))
                return;
        if (format.at == NULL || feed_format_check((const char *)format.at, format.len) < 0 || bytes.at == NULL ||
            command_decode(bytes.at, bytes.len, &command) < 0) {
                c->malformed++;
                acknowledge(c, id);
                return;
        }
        ref = hold(c, id);
        if (ref != 0)
                c->options.command(c->options.user, &command, ref);
}

static void take_all(struct commands *c, const struct redisReply *entries)
{
        if (c->stale)
                return;
        for (size_t i = 0; i < reply_count(entries) && c->reading; i++)
                take(c, reply_at(entries, i));
}

/* finish: an answer is in; go on, unless it was none. */
static void finish(struct commands *c, const struct redisReply *reply)
{
        c->stale = false;
        if (!c->reading || reply == NULL)
                return;
        if (reply_is_good(reply)) {
                next(c);
                return;
        }
        if (strncmp(reply->str, "NOGROUP", 7) == 0)
                c->grouped = false;
        else
                log_error("store", "commands: %s", reply->str);
        rest(c);
}

static void on_group(void *user, struct redisReply *reply)
{
        struct commands *c = user;

        c->under_way = c->stale = false;
        if (c->closing || reply == NULL)
                return;
        c->grouped = reply_is_good(reply) || strncmp(reply->str, "BUSYGROUP", 9) == 0;
        if (!c->grouped)
                finish(c, reply);
        else if (c->reading)
                next(c);
}

static void on_read(void *user, struct redisReply *reply)
{
        struct commands *c = user;
        const struct redisReply *entries = reply_at(reply_at(reply, 0), 1);

        c->under_way = false;
        if (c->closing)
                return;
        take_all(c, entries);
        if (c->own && !c->stale && reply_is_good(reply)) {
                c->own = reply_count(entries) > 0;
                if (c->own)
                        stream_id_read(reply_at(reply_at(entries, reply_count(entries) - 1), 0), &c->own_after);
        }
        finish(c, reply);
}

/* on_claimed: those that were claimed, and where the next look goes on: one look sees the beginning of the list alone, and that may be what
 * we hold ourselves. */
static void on_claimed(void *user, struct redisReply *reply)
{
        struct commands *c = user;

        c->under_way = false;
        if (c->closing)
                return;
        take_all(c, reply_at(reply, 1));
        stream_id_read(reply_at(reply, 0), &c->claim_from); /* 0-0: it was the last */
        if (c->claim_from.ms != 0)
                c->claim_mono_ms = clock_mono_ms();
        finish(c, reply);
}

static int make_group(struct commands *c)
{
        struct redis_args args;

        redis_args_init(&args, "XGROUP");
        redis_arg(&args, "CREATE");
        redis_arg(&args, c->key);
        redis_arg(&args, COMMANDS_GROUP);
        redis_arg(&args, "0");
        redis_arg(&args, "MKSTREAM");
        return redis_command(c->link, &args, on_group, c);
}

static int claim(struct commands *c)
{
        char from[STREAM_ID_TEXT];
        struct redis_args args;

        c->claim_mono_ms = clock_mono_ms() + COMMANDS_IDLE_MS;
        stream_id_write(c->claim_from, from);
        redis_args_init(&args, "XAUTOCLAIM");
        redis_arg(&args, c->key);
        redis_arg(&args, COMMANDS_GROUP);
        redis_arg(&args, c->options.config->name);
        redis_arg_int(&args, COMMANDS_IDLE_MS);
        redis_arg(&args, from);
        redis_arg(&args, "COUNT");
        redis_arg_int(&args, COMMANDS_PAGE);
        return redis_command(c->link, &args, on_claimed, c);
}

static int read_on(struct commands *c)
{
        char own[STREAM_ID_TEXT];
        struct redis_args args;

        redis_args_init(&args, "XREADGROUP");
        redis_arg(&args, "GROUP");
        redis_arg(&args, COMMANDS_GROUP);
        redis_arg(&args, c->options.config->name);
        redis_arg(&args, "COUNT");
        redis_arg_int(&args, COMMANDS_PAGE);
        if (!c->own) {
                redis_arg(&args, "BLOCK");
                redis_arg_int(&args, REDIS_BLOCK_MS);
        }
        redis_arg(&args, "STREAMS");
        redis_arg(&args, c->key);
        stream_id_write(c->own_after, own);
        redis_arg(&args, c->own ? own : ">");
        return redis_command(c->link, &args, on_read, c);
}

/* next: the group, or a claim when it is time, or reading. */
static void next(struct commands *c)
{
        int r;

        if (!c->reading || c->under_way || !redis_is_up(c->link))
                return;
        if (!c->grouped)
                r = make_group(c);
        else if (c->held_count + COMMANDS_PAGE > COMMANDS_HELD_MAX)
                r = -ENOBUFS;
        else if (clock_mono_ms() >= c->claim_mono_ms)
                r = claim(c);
        else
                r = read_on(c);
        if (r == 0)
                c->under_way = true;
        else
                rest(c);
}

static void on_rested(struct wheel_timer *timer, int64_t now_mono_ms)
{
        next(timer->user);
}

static void on_state(void *user, bool up, const char *why)
{
        struct commands *c = user;

        c->grouped = false;
        c->own = true; /* an answer that was lost with the link may have given us some */
        c->own_after = (struct stream_id){ 0, 0 };
        if (up)
                next(c);
}

int commands_open(const struct commands_options *options, struct commands **ret_commands)
{
        struct commands *c = calloc(1, sizeof(*c));
        const struct config_redis *redis = &options->config->alerts;
        int r;

        if (c == NULL)
                return -ENOMEM;
        c->options = *options;
        wheel_timer_init(&c->rest, on_rested, c);
        store_key(options->config, "commands", c->key);
        r = redis_open(options->loop,
                       &(struct redis_options){ .address = redis->address,
                                                .user = redis->user,
                                                .password = redis->password,
                                                .blocking = true,
                                                .state = on_state,
                                                .user_data = c },
                       &c->link);
        if (r < 0) {
                free(c);
                return r;
        }
        *ret_commands = c;
        return 0;
}

void commands_close(struct commands *c)
{
        if (c == NULL)
                return;
        c->closing = true;
        commands_stop(c);
        redis_close(c->link);
        free(c);
}

void commands_start(struct commands *c)
{
        for (size_t i = 0; i < COMMANDS_HELD_MAX; i++)
                c->held[i].id = (struct stream_id){ 0, 0 };
        c->held_count = 0;
        c->own = true;
        c->own_after = (struct stream_id){ 0, 0 };
        c->stale = c->under_way;
        c->reading = true;
        next(c);
}

void commands_stop(struct commands *c)
{
        c->reading = false;
        loop_timer_cancel(c->options.loop, &c->rest);
}

void commands_acknowledge(struct commands *c, uint64_t ref)
{
        size_t at = (size_t)(ref & UINT32_MAX) - 1;

        if (at >= COMMANDS_HELD_MAX || c->held[at].id.ms == 0 || c->held[at].generation != ref >> 32)
                return;
        acknowledge(c, c->held[at].id);
        c->held[at].id = (struct stream_id){ 0, 0 };
        c->held_count--;
}

uint64_t commands_malformed(const struct commands *c)
{
        return c->malformed;
}
