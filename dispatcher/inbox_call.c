/* The inbox's commands to the alerts' Redis: entries of {r}:inbox:<handset>, and a handset's field of a hash. */
#include "dispatcher/inbox_inside.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"

struct inbox_call *inbox_call_new(struct inbox *inbox, const uint8_t handset[HANDSET_ID_SIZE])
{
        struct inbox_call *call = calloc(1, sizeof(*call));

        if (call == NULL)
                return NULL;
        call->inbox = inbox;
        memcpy(call->handset, handset, HANDSET_ID_SIZE);
        return call;
}

bool inbox_call_came(struct inbox_call *call, const struct redisReply *reply)
{
        call->pending--;
        call->bad |= !reply_is_good(reply);
        return !call->bad && !call->inbox->run->closing;
}

void inbox_say(struct inbox *inbox, const uint8_t handset[HANDSET_ID_SIZE], const char *what)
{
        char text[2 * HANDSET_ID_SIZE + 1];
        uint32_t hidden;

        hex_encode(handset, HANDSET_ID_SIZE, text);
        if (log_limit_pass(&inbox->log, clock_mono_ms(), &hidden))
                log_warn(NULL, "handset %s: %s (%u more)", text, what, hidden);
}

int inbox_call_give(struct inbox_call *call, struct redis_args *args, redis_fn *done)
{
        int r = redis_command(store_alerts(call->inbox->run->store), args, done, call);

        call->pending += r == 0;
        return r;
}

static void handset_key(const struct inbox *inbox, const char *name, const uint8_t handset[HANDSET_ID_SIZE],
                        char key[STORE_KEY_SIZE])
{
        char text[7 + 2 * HANDSET_ID_SIZE + 1];
        size_t len = strlen(name);

        assert(len <= 7);
        memcpy(text, name, len);
        hex_encode(handset, HANDSET_ID_SIZE, text + len);
        store_key(inbox->run->options.config, text, key);
}

void inbox_call_key(const struct inbox_call *call, const char *name, char key[STORE_KEY_SIZE])
{
        handset_key(call->inbox, name, call->handset, key);
}

int inbox_call_entries(struct inbox_call *call, const char *count, redis_fn *done)
{
        char key[STORE_KEY_SIZE];
        struct redis_args args;

        inbox_call_key(call, "inbox:", key);
        redis_args_init(&args, "XRANGE");
        redis_arg(&args, key);
        redis_arg(&args, "-");
        redis_arg(&args, "+");
        redis_arg(&args, "COUNT");
        redis_arg(&args, count);
        return inbox_call_give(call, &args, done);
}

int inbox_call_field(struct inbox_call *call, const char *hash, redis_fn *done)
{
        char key[STORE_KEY_SIZE], field[2 * HANDSET_ID_SIZE + 1];
        struct redis_args args;

        store_key(call->inbox->run->options.config, hash, key);
        hex_encode(call->handset, HANDSET_ID_SIZE, field);
        redis_args_init(&args, "HGET");
        redis_arg(&args, key);
        redis_arg(&args, field);
        return inbox_call_give(call, &args, done);
}

int inbox_call_write(struct inbox_call *call, const char *hash, struct cbor_span value, const struct cbor_span *was,
                     redis_fn *done)
{
        struct inbox *inbox = call->inbox;
        char key[STORE_KEY_SIZE], changes[STORE_KEY_SIZE], field[2 * HANDSET_ID_SIZE + 1];
        struct redis_args args;
        int r;

        store_key(inbox->run->options.config, hash, key);
        store_key(inbox->run->options.config, "people:changes", changes);
        hex_encode(call->handset, HANDSET_ID_SIZE, field);
        redis_args_init(&args, "EVALSHA");
        redis_arg(&args, inbox->scripts.change.sha1);
        redis_arg_int(&args, 2);
        redis_arg(&args, key);
        redis_arg(&args, changes);
        redis_arg(&args, hash);
        redis_arg(&args, field);
        redis_arg_data(&args, value.at, value.len);
        redis_arg(&args, INBOX_CHANGES_MAX);
        if (was != NULL)
                redis_arg_data(&args, was->at, was->len);
        r = redis_eval(store_alerts(inbox->run->store), &inbox->scripts.change, &args, done, call);
        call->pending += r == 0;
        return r;
}

void inbox_drop(struct run *run, const uint8_t handset[HANDSET_ID_SIZE], const char *id)
{
        char key[STORE_KEY_SIZE];
        struct redis_args args;

        handset_key(run->inbox, "inbox:", handset, key);
        redis_args_init(&args, "XDEL");
        redis_arg(&args, key);
        redis_arg(&args, id);
        redis_command(store_alerts(run->store), &args, NULL, NULL);
}
