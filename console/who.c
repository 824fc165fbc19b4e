/* Sessions and users in the alerts Redis. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "console/store_inside.h"

/* One question under way. */
struct question {
        struct store *store;
        struct store_who who;
        char session_key[STORE_KEY_SIZE];
        struct session session;
        bool has_session;
};

static void answer(struct question *question, int result, const struct user_entry *entry)
{
        question->who.done(question->who.user, result, question->has_session ? &question->session : NULL, entry);
        free(question);
}

static struct question *question_new(struct store *store, const struct store_who *who)
{
        struct question *question = calloc(1, sizeof(*question));

        if (question != NULL) {
                question->store = store;
                question->who = *who;
        }
        return question;
}

/* is_trusted: say whether its word counts: not before it was looked at, nor when it has lost its data (look.c).  "No such session"
 * would log everybody out. */
static bool is_trusted(const struct store *store)
{
        const char *word = store->trouble;

        return word == NULL || (strcmp(word, "store_away") != 0 && strcmp(word, "store_older") != 0);
}

/* send: give the command; QUESTION is freed when that fails.  Returns 0, -EAGAIN. */
static int send(struct question *question, const struct redis_args *args, redis_fn *done)
{
        if (is_trusted(question->store) && redis_command(question->store->alerts, args, done, question) == 0)
                return 0;
        free(question);
        return -EAGAIN;
}

static void session_key(const struct store *store, const uint8_t hash[SESSION_HASH_SIZE], char to[STORE_KEY_SIZE])
{
        char hex[2 * SESSION_HASH_SIZE + 1];

        hex_encode(hash, SESSION_HASH_SIZE, hex);
        store_key(store, "session:", hex, to);
}

static void on_user(void *user, struct redisReply *reply)
{
        struct question *question = user;
        struct user_entry entry;
        int r = -EAGAIN;

        if (reply_is(reply, REDIS_REPLY_STRING, 0))
                r = user_entry_decode((const uint8_t *)reply->str, (size_t)reply->len, &entry);
        else if (reply_is(reply, REDIS_REPLY_NIL, 0))
                r = -ENOENT;
        if (r == 0 && entry.disabled && question->has_session)
                r = -ENOENT;
        answer(question, r == -EPROTONOSUPPORT ? -EBADMSG : r, r == 0 ? &entry : NULL);
}

static int ask_user(struct question *question, const char *login)
{
        char key[STORE_KEY_SIZE];
        struct redis_args args;

        store_key(question->store, "users", "", key);
        redis_args_init(&args, "HGET");
        redis_arg(&args, key);
        redis_arg(&args, login);
        return send(question, &args, on_user);
}

int store_user(struct store *store, const char *login, const struct store_who *who)
{
        struct question *question = question_new(store, who);

        return question != NULL ? ask_user(question, login) : -EAGAIN;
}

static void on_put(void *user, struct redisReply *reply)
{
        answer(user, reply_is(reply, REDIS_REPLY_STATUS, 0) ? 0 : -EAGAIN, NULL);
}

int store_session_put(struct store *store, const uint8_t hash[SESSION_HASH_SIZE], const struct session *session,
                      int64_t ttl_ms, const struct store_who *who)
{
        struct question *question = question_new(store, who);
        uint8_t buf[SESSION_ENTRY_MAX];
        int n = session_encode(session, buf, sizeof(buf));
        char key[STORE_KEY_SIZE];
        struct redis_args args;

        if (question == NULL || n < 0) {
                free(question);
                return -EAGAIN;
        }
        session_key(store, hash, key);
        redis_args_init(&args, "SET");
        redis_arg(&args, key);
        redis_arg_data(&args, buf, (size_t)n);
        redis_arg(&args, "PX");
        redis_arg_int(&args, ttl_ms);
        redis_arg(&args, "NX");
        return send(question, &args, on_put);
}

/* let_live: push the session's end by idleness away. */
static void let_live(struct question *question, int64_t ttl_ms)
{
        struct redis_args args;

        redis_args_init(&args, "PEXPIRE");
        redis_arg(&args, question->session_key);
        redis_arg_int(&args, ttl_ms);
        (void)redis_command(question->store->alerts, &args, NULL, NULL); /* lost: it is asked again within a minute */
}

static void on_session(void *user, struct redisReply *reply)
{
        struct question *question = user;
        struct store *store = question->store;
        int64_t ttl;
        int r = -EAGAIN;

        if (reply_is(reply, REDIS_REPLY_STRING, 0))
                r = session_decode((const uint8_t *)reply->str, (size_t)reply->len, &question->session);
        else if (reply_is(reply, REDIS_REPLY_NIL, 0))
                r = -ENOENT;
        ttl = r == 0 ? session_ttl_ms(&question->session, store->options.config->session_idle_ms, clock_utc_ms()) : 0;
        if (r == 0 && ttl == 0)
                r = -ENOENT;
        if (r < 0 || store->closing) {
                answer(question, r == -EPROTONOSUPPORT ? -ENOENT : r, NULL);
                return;
        }
        question->has_session = true;
        let_live(question, ttl);
        struct store_who who = question->who;
        if (ask_user(question, question->session.login) < 0)
                who.done(who.user, -EAGAIN, NULL, NULL);
}

int store_session_get(struct store *store, const uint8_t hash[SESSION_HASH_SIZE], const struct store_who *who)
{
        struct question *question = question_new(store, who);
        struct redis_args args;

        if (question == NULL)
                return -EAGAIN;
        session_key(store, hash, question->session_key);
        redis_args_init(&args, "GET");
        redis_arg(&args, question->session_key);
        return send(question, &args, on_session);
}

int store_session_drop(struct store *store, const uint8_t hash[SESSION_HASH_SIZE])
{
        char key[STORE_KEY_SIZE];
        struct redis_args args;

        session_key(store, hash, key);
        redis_args_init(&args, "DEL");
        redis_arg(&args, key);
        return redis_command(store->alerts, &args, NULL, NULL) < 0 ? -EAGAIN : 0;
}
