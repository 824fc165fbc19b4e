/* The store's side of carriers on duty: {r}:duty (last heard, ms) and {r}:duty:info, in the positions' Redis. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/loop.h"
#include "dispatcher/reply.h"
#include "dispatcher/store_inside.h"

#define HANDSET_TEXT (2 * HANDSET_ID_SIZE + 1)
/* Carriers read at once; a command holds 128 words. */
#define SCAN_CHUNK   100

struct store_scanning {
        struct store *store;
        size_t count, late_total, total, asked;
        bool dead; /* the scan was given up; what still comes in is dropped */
        size_t under_way;
        struct core_found late[];
};

static void count_refusal(void *user, struct redisReply *reply)
{
        struct store *store = user;

        if (!store->closing)
                store->counts.refused += !reply_is_good(reply);
}

static void put(struct store *store, const struct redis_args *args)
{
        if (redis_command(store->positions, args, count_refusal, store) < 0)
                store->counts.refused++;
}

void store_heard(struct store *store, const struct core_action *action)
{
        char handset[HANDSET_TEXT], key[STORE_KEY_SIZE];
        struct redis_args args;

        hex_encode(action->u.heard.handset, HANDSET_ID_SIZE, handset);
        store_key(store->options.config, "duty", key);
        redis_args_init(&args, "ZADD");
        redis_arg(&args, key);
        redis_arg(&args, "XX");
        redis_arg(&args, "GT");
        redis_arg_int(&args, action->u.heard.heard_at_ms);
        redis_arg(&args, handset);
        put(store, &args);
}

static void forget_duty(struct store *store, const char *handset, const char *duty, const char *info)
{
        struct redis_args args;

        redis_args_init(&args, "ZREM");
        redis_arg(&args, duty);
        redis_arg(&args, handset);
        put(store, &args);
        redis_args_init(&args, "HDEL");
        redis_arg(&args, info);
        redis_arg(&args, handset);
        put(store, &args);
}

/* note_asked: the carrier of HANDSET is asked, noted in the hash INFO where DUTY is what it has. */
static void note_asked(struct store *store, const char *handset, const char *info, const struct core_action *action)
{
        struct carrier_duty asked = *action->u.carrier_duty.duty;
        uint8_t was[CARRIER_DUTY_MAX], is[CARRIER_DUTY_MAX];
        int was_len = carrier_duty_encode(&asked, was, sizeof(was)), is_len;
        struct redis_args args;

        asked.asked_ms = action->u.carrier_duty.asked_ms;
        is_len = carrier_duty_encode(&asked, is, sizeof(is));
        if (was_len < 0 || is_len < 0)
                return; /* what was read can be written */
        redis_args_init(&args, "EVALSHA");
        redis_arg(&args, store->scripts.change.sha1);
        redis_arg(&args, "1");
        redis_arg(&args, info);
        redis_arg(&args, "");
        redis_arg(&args, handset);
        redis_arg_data(&args, is, (size_t)is_len);
        redis_arg(&args, "0");
        redis_arg_data(&args, was, (size_t)was_len);
        if (redis_eval(store->positions, &store->scripts.change, &args, count_refusal, store) < 0)
                store->counts.refused++;
}

void store_carrier_duty(struct store *store, const struct core_action *action)
{
        char handset[HANDSET_TEXT], duty[STORE_KEY_SIZE], info[STORE_KEY_SIZE];
        uint8_t value[CARRIER_DUTY_MAX];
        struct redis_args args;
        int len;

        hex_encode(action->u.carrier_duty.handset, HANDSET_ID_SIZE, handset);
        store_key(store->options.config, "duty", duty);
        store_key(store->options.config, "duty:info", info);
        if (action->u.carrier_duty.duty == NULL) {
                forget_duty(store, handset, duty, info);
                return;
        }
        if (action->u.carrier_duty.asked_ms != 0) {
                note_asked(store, handset, info, action);
                return;
        }
        len = carrier_duty_encode(action->u.carrier_duty.duty, value, sizeof(value));
        if (len < 0) {
                log_error("store", "a carrier's duty cannot be written: %s", strerror(-len));
                return;
        }
        redis_args_init(&args, "HSET");
        redis_arg(&args, info);
        redis_arg(&args, handset);
        redis_arg_data(&args, value, (size_t)len);
        put(store, &args);
        redis_args_init(&args, "ZADD");
        redis_arg(&args, duty);
        redis_arg(&args, "GT"); /* another dispatcher may have heard it later */
        redis_arg_int(&args, action->u.carrier_duty.heard_at_ms);
        redis_arg(&args, handset);
        put(store, &args);
}

static void on_found_info(void *user, struct redisReply *reply)
{
        struct store_call *call = user;
        struct core_found found = { .heard_at_ms = call->heard_at_ms };
        struct cbor_span bytes = reply_bytes(reply);

        memcpy(found.handset, call->handset, sizeof(found.handset));
        found.on_duty = call->heard_at_ms != 0 && bytes.at != NULL &&
                        carrier_duty_decode(bytes.at, bytes.len, &found.duty) == 0;
        if (!call->store->closing && reply_is_good(reply))
                call->store->options.found(call->store->options.user, &found);
        free(call);
}

static void on_found_heard(void *user, struct redisReply *reply)
{
        struct store_call *call = user;
        char handset[HANDSET_TEXT], key[STORE_KEY_SIZE];
        struct redis_args args;

        if (call->store->closing || !reply_is_good(reply)) {
                free(call);
                return;
        }
        call->heard_at_ms = reply_int(reply);
        hex_encode(call->handset, HANDSET_ID_SIZE, handset);
        store_key(call->store->options.config, "duty:info", key);
        redis_args_init(&args, "HGET");
        redis_arg(&args, key);
        redis_arg(&args, handset);
        if (redis_command(call->store->positions, &args, on_found_info, call) < 0)
                free(call);
}

void store_find_duty(struct store *store, const struct core_action *action)
{
        struct store_call *call = calloc(1, sizeof(*call));
        char handset[HANDSET_TEXT], key[STORE_KEY_SIZE];
        struct redis_args args;

        if (call == NULL)
                return;
        call->store = store;
        memcpy(call->handset, action->u.find_duty.handset, sizeof(call->handset));
        hex_encode(call->handset, HANDSET_ID_SIZE, handset);
        store_key(store->options.config, "duty", key);
        redis_args_init(&args, "ZSCORE");
        redis_arg(&args, key);
        redis_arg(&args, handset);
        if (redis_command(store->positions, &args, on_found_heard, call) < 0)
                free(call);
}

/* ---- The scan: count, the late ones with their times, then their duties in chunks. */

void store_scan_free(struct store *store)
{
        struct store_scanning *scan = store->scanning;

        store->scanning = NULL;
        if (scan == NULL)
                return;
        scan->dead = true;
        if (scan->under_way == 0)
                free(scan);
}

/* came: one answer of the scan is in.  Returns false where the scan is given up: then it may be freed already. */
static bool came(struct store_scanning *scan, const struct redisReply *reply)
{
        scan->under_way--;
        if (!scan->dead && !reply_is_good(reply))
                store_scan_free(scan->store);
        else if (scan->dead && scan->under_way == 0)
                free(scan);
        else
                return !scan->dead;
        return false;
}

static void finish_when_done(struct store_scanning *scan)
{
        struct store *store = scan->store;
        size_t kept = 0;

        if (scan->under_way > 0)
                return;
        for (size_t i = 0; i < scan->count; i++)
                if (scan->late[i].on_duty)
                        scan->late[kept++] = scan->late[i];
        store->options.scanned(store->options.user, &(struct store_scan){ .late = scan->late,
                                                                          .count = kept,
                                                                          .late_total = scan->late_total,
                                                                          .total = scan->total });
        store_scan_free(store);
}

static void on_infos(void *user, struct redisReply *reply)
{
        struct store_scanning *scan = user;

        if (!came(scan, reply))
                return;
        for (size_t i = 0; i < reply_count(reply) && scan->asked < scan->count; i++, scan->asked++) {
                struct cbor_span bytes = reply_bytes(reply_at(reply, i));
                struct core_found *found = &scan->late[scan->asked];

                found->on_duty = bytes.at != NULL && carrier_duty_decode(bytes.at, bytes.len, &found->duty) == 0;
        }
        finish_when_done(scan);
}

static void ask_infos(struct store_scanning *scan)
{
        char key[STORE_KEY_SIZE], handset[SCAN_CHUNK][HANDSET_TEXT];
        struct store *store = scan->store;

        store_key(store->options.config, "duty:info", key);
        for (size_t i = 0; i < scan->count; i += SCAN_CHUNK) {
                struct redis_args args;

                redis_args_init(&args, "HMGET");
                redis_arg(&args, key);
                for (size_t j = 0; j < SCAN_CHUNK && i + j < scan->count; j++) {
                        hex_encode(scan->late[i + j].handset, HANDSET_ID_SIZE, handset[j]);
                        redis_arg(&args, handset[j]);
                }
                if (redis_command(store->positions, &args, on_infos, scan) < 0) {
                        store_scan_free(store); /* the next one, in 15 s */
                        return;
                }
                scan->under_way++;
        }
        finish_when_done(scan);
}

static void on_late(void *user, struct redisReply *reply)
{
        struct store_scanning *scan = user;

        if (!came(scan, reply))
                return;
        for (size_t i = 0; i + 1 < reply_count(reply) && scan->count < CORE_SCAN_MAX; i += 2) {
                struct core_found *found = &scan->late[scan->count];
                char handset[HANDSET_TEXT];

                if (!reply_text(reply_at(reply, i), handset, sizeof(handset)) ||
                    hex_decode(handset, found->handset, HANDSET_ID_SIZE) < 0)
                        continue;
                found->heard_at_ms = reply_int(reply_at(reply, i + 1));
                scan->count++;
        }
        if (scan->late_total < scan->count)
                scan->late_total = scan->count;
        ask_infos(scan);
}

static void on_total(void *user, struct redisReply *reply)
{
        struct store_scanning *scan = user;

        if (came(scan, reply))
                scan->total = (size_t)reply_int(reply);
}

static void on_late_total(void *user, struct redisReply *reply)
{
        struct store_scanning *scan = user;

        if (came(scan, reply))
                scan->late_total = (size_t)reply_int(reply);
}

/* ask: returns whether it was given. */
static bool ask(struct store_scanning *scan, const struct redis_args *args, redis_fn *done)
{
        bool given = redis_command(scan->store->positions, args, done, scan) == 0;

        scan->under_way += given;
        return given;
}

void store_scan(struct store *store, int64_t before_ms)
{
        struct store_scanning *scan;
        char key[STORE_KEY_SIZE];
        struct redis_args args;
        bool given;

        if (store->scanning != NULL || !redis_is_up(store->positions))
                return;
        scan = calloc(1, sizeof(*scan) + CORE_SCAN_MAX * sizeof(scan->late[0]));
        if (scan == NULL)
                return;
        scan->store = store;
        store->scanning = scan;
        store_key(store->options.config, "duty", key);
        redis_args_init(&args, "ZCARD");
        redis_arg(&args, key);
        given = ask(scan, &args, on_total);
        redis_args_init(&args, "ZCOUNT");
        redis_arg(&args, key);
        redis_arg(&args, "-inf");
        redis_arg_int(&args, before_ms);
        given = ask(scan, &args, on_late_total) && given;
        redis_args_init(&args, "ZRANGEBYSCORE");
        redis_arg(&args, key);
        redis_arg(&args, "-inf");
        redis_arg_int(&args, before_ms);
        redis_arg(&args, "WITHSCORES");
        redis_arg(&args, "LIMIT");
        redis_arg(&args, "0");
        redis_arg_int(&args, CORE_SCAN_MAX);
        if (!ask(scan, &args, on_late) || !given)
                store_scan_free(store); /* the next one, in 15 s */
}
