/* A look at the alerts' Redis before its word is taken: it is the region's, not an older or empty one, and it takes writes.  One that
 * takes none has no news: presses are then kept by the dispatchers, and no page here knows of them. */
#include <stdlib.h>

#include "base/redis_trouble.h"
#include "console/store_inside.h"

static void refuse(struct store *store, const char *error)
{
        uint32_t hidden;

        if (log_limit_pass(&store->refused, clock_mono_ms(), &hidden))
                log_error(NULL, "alerts: %s (%u more not shown)", error, hidden);
        store_trouble(store, error);
        store_lost(store);
        loop_timer_arm(store->options.loop, &store->rest, clock_mono_ms() + STORE_REST_MS);
}

/* good: say whether an answer before the last can be read; an error of one is enough. */
static bool good(struct store *store, const struct redisReply *reply)
{
        if (reply != NULL && reply->type == REDIS_REPLY_ERROR && !store->closing) {
                store->look.refused = true;
                refuse(store, reply->str);
        }
        return reply != NULL && reply->type != REDIS_REPLY_ERROR;
}

static void on_epoch(void *user, struct redisReply *reply)
{
        struct store *store = user;
        char text[24] = "0";

        store->look.refused = false;
        if (good(store, reply) && reply->type == REDIS_REPLY_STRING)
                reply_text(reply, text, sizeof(text));
        store->look.epoch = strtoll(text, NULL, 10);
}

static void on_people(void *user, struct redisReply *reply)
{
        struct store *store = user;

        store->look.people = good(store, reply) && reply->type == REDIS_REPLY_INTEGER && reply->integer > 0;
}

static void on_probed(void *user, struct redisReply *reply)
{
        struct store *store = user;
        struct store_look *look = &store->look;

        if (reply == NULL || store->closing || look->refused)
                return; /* the link's state tells, or it is told */
        if (reply->type == REDIS_REPLY_ERROR) {
                refuse(store, reply->str);
        } else if (look->epoch < look->epoch_seen || (look->people_seen && !look->people)) {
                refuse(store, REDIS_OLDER);
        } else {
                look->epoch_seen = look->epoch;
                look->people_seen = look->people_seen || look->people;
                store_trouble(store, NULL);
                if (!store->loaded && !store->load.running)
                        load_begin(store);
        }
}

/* A session that nobody has: what a console may write. */
static void probe(struct store *store)
{
        char key[STORE_KEY_SIZE];
        struct redis_args args;

        store_key(store, "session:probe", "", key);
        redis_args_init(&args, "SET");
        redis_arg(&args, key);
        redis_arg(&args, "");
        redis_arg(&args, "PX");
        redis_arg_int(&args, STORE_POLL_MS);
        (void)redis_command(store->alerts, &args, on_probed, store);
}

void look_begin(struct store *store)
{
        static const char *const people[] = { "people:changes", "handsets", "carriers", "supervisors", "users" };
        char key[sizeof(people) / sizeof(people[0])][STORE_KEY_SIZE];
        struct redis_args args;

        store_key(store, "epoch", "", key[0]);
        redis_args_init(&args, "GET");
        redis_arg(&args, key[0]);
        (void)redis_command(store->alerts, &args, on_epoch, store);
        redis_args_init(&args, "EXISTS");
        for (size_t i = 0; i < sizeof(people) / sizeof(people[0]); i++) {
                store_key(store, people[i], "", key[i]);
                redis_arg(&args, key[i]);
        }
        (void)redis_command(store->alerts, &args, on_people, store);
        probe(store);
}
