/* The store's writes: the core's actions as commands and scripts, and their answers as results. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/loop.h"
#include "base/redis_trouble.h"
#include "dispatcher/reply.h"
#include "dispatcher/store_inside.h"

#define HANDSET_TEXT (2 * HANDSET_ID_SIZE + 1)
#define ALERT_TEXT   (2 * ALERT_ID_SIZE + 1)

void store_give(struct store_call *call, const struct store_answer *answer)
{
        struct store *store = call->store;

        if (!store->closing)
                store->options.answered(store->options.user, answer);
        free(call);
}

void store_unknown(struct store_call *call)
{
        store_give(call, &(struct store_answer){ .token = call->token, .result = CORE_UNKNOWN });
}

static struct store_call *call_new(struct store *store, uint64_t token)
{
        struct store_call *call = calloc(1, sizeof(*call));

        if (call == NULL)
                abort(); /* 100 octets: there is nothing left to answer with */
        call->store = store;
        call->token = token;
        call->sent_mono_us = clock_mono_us();
        return call;
}

/* put_off: CALL could not be sent: it is answered in the loop's next turn. */
static void put_off(struct store_call *call)
{
        struct store *store = call->store;

        store->counts.refused++;
        call->next = store->failed;
        store->failed = call;
        loop_timer_arm(store->options.loop, &store->failing, clock_mono_ms());
}

/* read_tombstone: BYTES, of the alert that CALL is about.  One that cannot be read is that alert's trouble alone: it is told, and the core
 * learns that something is there, which is no record. */
static void read_tombstone(struct store_call *call, struct cbor_span bytes, struct store_answer *answer)
{
        static const uint8_t no_record[] = { 0xff };
        char id[ALERT_TEXT];

        answer->result = CORE_TOMBSTONE;
        if (tombstone_decode(bytes.at, bytes.len, &answer->tombstone) == 0)
                return;
        answer->result = CORE_CONFLICT;
        answer->record = (struct cbor_span){ no_record, sizeof(no_record) };
        hex_encode(call->id, ALERT_ID_SIZE, id);
        log_error("store", "alert %s: the store's word of its closure cannot be read", id);
        store_trouble(call->store, "store_unread", true);
}

/* read_commit: the script's answer.  Returns false where it is none of those agreed. */
static bool read_commit(struct store_call *call, const struct redisReply *reply, struct store_answer *answer)
{
        if (reply_count(reply) < 2)
                return false;
        switch (reply_int(reply_at(reply, 0))) {
        case 1:
                answer->result = CORE_OK;
                answer->version = (uint32_t)reply_int(reply_at(reply, 1));
                answer->time_ms = reply_int(reply_at(reply, 2));
                return true;
        case 0:
                answer->result = CORE_CONFLICT;
                answer->version = (uint32_t)reply_int(reply_at(reply, 1));
                answer->record = reply_bytes(reply_at(reply, 2));
                return true;
        case -1:
                read_tombstone(call, reply_bytes(reply_at(reply, 1)), answer);
                return true;
        case -2:
                answer->result = CORE_FENCED;
                return true;
        default:
                return false;
        }
}

/* on_script: the answer of commit.lua or look.lua. */
static void on_script(void *user, struct redisReply *reply)
{
        struct store_call *call = user;
        struct store *store = call->store;
        struct store_answer answer = { .token = call->token };
        bool fenced;

        store->counts.commits++;
        histogram_add(&store->counts.commit, clock_mono_us() - call->sent_mono_us);
        if (reply != NULL && !store->closing)
                store_took(store, clock_mono_us() - call->sent_mono_us);
        if (reply == NULL || !reply_is_good(reply) || !read_commit(call, reply, &answer)) {
                store_unknown(call);
                if (reply != NULL && !store->closing)
                        store_refused(store, "commit", reply);
                return;
        }
        if (call->take && answer.result == CORE_OK && store_take_wait(call, &answer))
                return;
        fenced = answer.result == CORE_FENCED;
        store_give(call, &answer);
        if (fenced && !store->closing) /* a restore: read the epoch and everything again */
                store_refused(store, "another epoch", NULL);
}

/* The texts of one commit, which the command borrows until it is sent. */
struct commit_text {
        char key[6][STORE_KEY_SIZE];
        char id[ALERT_TEXT], gone[1 + RECORD_ALIASES_MAX][ALERT_TEXT];
        char urgency[32], command[2 * EVENT_ID_SIZE + 1];
        uint8_t tombstone[TOMBSTONE_MAX];
        int tombstone_len;
};

/* write_texts: fill TEXT.  Returns 0, or what encoding the tombstone gave. */
static int write_texts(const struct store *store, const struct core_action *action, struct commit_text *text)
{
        static const char *const names[] = { "open", "due", "tombstones", "feed", "epoch" };
        char name[8 + ALERT_TEXT];

        memset(text, 0, sizeof(*text));
        hex_encode(action->u.commit.id, ALERT_ID_SIZE, text->id);
        snprintf(name, sizeof(name), "alert:%s", text->id);
        store_key(store->options.config, name, text->key[0]);
        for (size_t i = 0; i < 5; i++)
                store_key(store->options.config, names[i], text->key[i + 1]);
        snprintf(text->urgency, sizeof(text->urgency), "%.0f", action->u.commit.urgency);
        if (action->u.commit.command != NULL)
                hex_encode(action->u.commit.command, EVENT_ID_SIZE, text->command);
        if (!action->u.commit.closed)
                return 0;
        for (size_t i = 0; i < action->u.commit.gone_count; i++)
                hex_encode(action->u.commit.gone[i], ALERT_ID_SIZE, text->gone[i]);
        text->tombstone_len = tombstone_encode(&action->u.commit.tombstone, text->tombstone, sizeof(text->tombstone));
        return text->tombstone_len < 0 ? text->tombstone_len : 0;
}

void store_commit(struct store *store, const struct core_action *action)
{
        const char *event = alert_event_name(action->u.commit.event);
        struct store_call *call = call_new(store, action->u.commit.token);
        struct commit_text text;
        struct redis_args args;
        int r = write_texts(store, action, &text);

        if (r < 0) {
                log_error("store", "a tombstone cannot be written: %s", strerror(-r));
                put_off(call);
                return;
        }
        call->take = action->u.commit.event == EVENT_TAKE || action->u.commit.closed;
        memcpy(call->id, action->u.commit.id, ALERT_ID_SIZE);
        redis_args_init(&args, "EVALSHA");
        redis_arg(&args, store->scripts.commit.sha1);
        redis_arg(&args, "6");
        for (size_t i = 0; i < 6; i++)
                redis_arg(&args, text.key[i]);
        redis_arg(&args, text.id);
        redis_arg_int(&args, action->u.commit.expected);
        redis_arg_int(&args, store->epoch);
        redis_arg_int(&args, action->u.commit.version);
        redis_arg_int(&args, action->u.commit.state);
        redis_arg_int(&args, action->u.commit.due_in_ms);
        redis_arg(&args, text.urgency);
        redis_arg_data(&args, action->u.commit.record.at, action->u.commit.record.len);
        redis_arg_data(&args, action->u.commit.alert.at, action->u.commit.alert.len);
        redis_arg(&args, event != NULL ? event : "");
        redis_arg(&args, action->u.commit.by);
        redis_arg(&args, text.command);
        redis_arg_data(&args, text.tombstone, (size_t)text.tombstone_len);
        for (size_t i = 0; i < action->u.commit.gone_count && action->u.commit.closed; i++)
                redis_arg(&args, text.gone[i]);
        if (redis_eval(store->alerts, &store->scripts.commit, &args, on_script, call) < 0)
                put_off(call);
}

void store_look(struct store *store, const struct core_action *action)
{
        struct store_call *call = call_new(store, action->u.look.token);
        char id[ALERT_TEXT], name[8 + ALERT_TEXT], alert[STORE_KEY_SIZE], tombstones[STORE_KEY_SIZE];
        struct redis_args args;

        hex_encode(action->u.look.id, ALERT_ID_SIZE, id);
        snprintf(name, sizeof(name), "alert:%s", id);
        store_key(store->options.config, name, alert);
        store_key(store->options.config, "tombstones", tombstones);
        memcpy(call->id, action->u.look.id, ALERT_ID_SIZE);
        redis_args_init(&args, "EVALSHA");
        redis_arg(&args, store->scripts.look.sha1);
        redis_arg(&args, "2");
        redis_arg(&args, alert);
        redis_arg(&args, tombstones);
        redis_arg(&args, id);
        if (redis_eval(store->alerts, &store->scripts.look, &args, on_script, call) < 0)
                put_off(call);
}

static void on_proved(void *user, struct redisReply *reply)
{
        struct store_call *call = user;

        if (reply_is_good(reply))
                store_give(call, &(struct store_answer){ .token = call->token, .result = CORE_OK });
        else
                store_unknown(call);
}

void store_prove(struct store *store, const struct core_action *action)
{
        struct store_call *call = call_new(store, action->u.prove.token);
        char handset[HANDSET_TEXT], key[STORE_KEY_SIZE];
        struct redis_args args;

        hex_encode(action->u.prove.handset, HANDSET_ID_SIZE, handset);
        store_key(store->options.config, "tests", key);
        redis_args_init(&args, "HSET");
        redis_arg(&args, key);
        redis_arg(&args, handset);
        redis_arg_int(&args, action->u.prove.at_ms);
        if (redis_command(store->alerts, &args, on_proved, call) < 0)
                put_off(call);
}

/* on_written: the answer to a command that nobody waits for: counted, and told, where it was refused. */
static void on_written(void *user, struct redisReply *reply)
{
        struct store *store = user;
        uint32_t hidden;

        if (store->closing || reply_is_good(reply))
                return;
        store->counts.refused++;
        if (reply != NULL && log_limit_pass(&store->refusals, clock_mono_ms(), &hidden))
                log_error("store", "%s (%u more)", reply->str, hidden);
}

/* on_fact: a standing fact that is refused because of what passes must be told again: the store counts as away, and when it is up again all
 * is loaded, and what is not so any more is said anew. */
static void on_fact(void *user, struct redisReply *reply)
{
        static const char *const passing[] = { "store_full", "store_readonly", "store_loading", "store_alone" };
        struct store *store = user;

        on_written(user, reply);
        if (reply == NULL || store->closing || reply_is_good(reply))
                return;
        for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++)
                if (strcmp(redis_trouble(reply->str), passing[i]) == 0)
                        store_refused(store, "a standing fact", reply);
}

static void put(struct store *store, struct redis_link *link, const struct redis_args *args)
{
        if (redis_command(link, args, on_written, store) < 0)
                store->counts.refused++;
}

void store_answer(struct store *store, const struct core_action *action, int64_t now_ms)
{
        char command[2 * EVENT_ID_SIZE + 1], key[STORE_KEY_SIZE];
        struct redis_args args;

        hex_encode(action->u.answer.command, EVENT_ID_SIZE, command);
        store_key(store->options.config, "feed", key);
        redis_args_init(&args, "XADD");
        redis_arg(&args, key);
        redis_arg(&args, "*");
        redis_arg(&args, "f");
        redis_arg(&args, "1");
        redis_arg(&args, "t");
        redis_arg(&args, "answer");
        redis_arg(&args, "c");
        redis_arg(&args, command);
        redis_arg(&args, "a");
        redis_arg_int(&args, action->u.answer.code);
        redis_arg(&args, "at");
        redis_arg_int(&args, now_ms);
        redis_arg(&args, "r");
        redis_arg(&args, action->u.answer.who);
        put(store, store->alerts, &args);
}

/* A standing fact of a hash, told in the feed as TYPE; VALUE empty: over. */
struct fact {
        const char *hash, *type, *field;
        const uint8_t *value;
        size_t len;
};

static void write_fact(struct store *store, const struct fact *fact)
{
        char hash[STORE_KEY_SIZE], feed[STORE_KEY_SIZE];
        struct redis_args args;

        store_key(store->options.config, fact->hash, hash);
        store_key(store->options.config, "feed", feed);
        redis_args_init(&args, "EVALSHA");
        redis_arg(&args, store->scripts.fact.sha1);
        redis_arg(&args, "2");
        redis_arg(&args, hash);
        redis_arg(&args, feed);
        redis_arg(&args, fact->type);
        redis_arg(&args, fact->field);
        redis_arg_data(&args, fact->value, fact->len);
        if (redis_eval(store->alerts, &store->scripts.fact, &args, on_fact, store) < 0)
                store->counts.refused++;
}

void store_notice(struct store *store, const char *key, const struct notice *notice)
{
        uint8_t value[NOTICE_MAX];
        int len = notice != NULL ? notice_encode(notice, value, sizeof(value)) : 0;

        if (len < 0)
                log_error("store", "a notice cannot be written: %s", strerror(-len));
        else
                write_fact(store, &(struct fact){ "notices", "notice", key, value, (size_t)len });
}

void store_duty(struct store *store, const struct core_action *action)
{
        uint8_t value[DUTY_ENTRY_MAX];
        int len = action->u.duty.on ? duty_entry_encode(&action->u.duty.duty, value, sizeof(value)) : 0;

        if (len < 0)
                log_error("store", "a duty cannot be written: %s", strerror(-len));
        else
                write_fact(store,
                           &(struct fact){ "duty:supervisors", "duty", action->u.duty.person, value, (size_t)len });
}

/* write_place: keep {r}:geo:supervisors beside the roster, for tools; Redis takes latitudes to 85 degrees only. */
static void write_place(struct store *store, const char *person, const struct presence *presence)
{
        char key[STORE_KEY_SIZE], lat[24], lon[24];
        struct redis_args args;

        store_key(store->options.config, "geo:supervisors", key);
        if (presence->by != PRESENCE_GONE && !presence->has_position)
                return;
        if (presence->by == PRESENCE_GONE || presence->at.lat_e7 > 850000000 || presence->at.lat_e7 < -850000000) {
                redis_args_init(&args, "ZREM");
                redis_arg(&args, key);
        } else {
                snprintf(lat, sizeof(lat), "%.7f", presence->at.lat_e7 / 1e7);
                snprintf(lon, sizeof(lon), "%.7f", presence->at.lon_e7 / 1e7);
                redis_args_init(&args, "GEOADD");
                redis_arg(&args, key);
                redis_arg(&args, lon);
                redis_arg(&args, lat);
        }
        redis_arg(&args, person);
        put(store, store->positions, &args);
}

void store_presence(struct store *store, const struct core_action *action)
{
        uint8_t value[PRESENCE_MAX];
        int len = presence_encode(&action->u.presence.presence, value, sizeof(value));
        char key[STORE_KEY_SIZE];
        struct redis_args args;

        if (len < 0) {
                log_error("store", "a presence cannot be written: %s", strerror(-len));
                return;
        }
        store_key(store->options.config, "roster", key);
        redis_args_init(&args, "XADD");
        redis_arg(&args, key);
        redis_arg(&args, "MAXLEN");
        redis_arg(&args, "~");
        redis_arg_int(&args, STORE_ROSTER_LENGTH);
        redis_arg(&args, "*");
        redis_arg(&args, "f");
        redis_arg(&args, "1");
        redis_arg(&args, "id");
        redis_arg(&args, action->u.presence.person);
        redis_arg(&args, "r");
        redis_arg_data(&args, value, (size_t)len);
        put(store, store->positions, &args);
        write_place(store, action->u.presence.person, &action->u.presence.presence);
}
