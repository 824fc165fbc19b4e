/* Takes and closures wait for a replica: who is told "you have it", or that it is over, must not lose that to a failover a moment
 * later.  They are committed as everything else is, and told once a WAIT sent after it is answered, on a link of its own: WAIT
 * holds the link that it is sent on, and so would hold every commit behind it.  One WAIT runs at a time, for all that is held
 * when it begins.  A closure that the feed brings is held likewise (store_settle), or it would be told before its WAIT is over.
 *
 *      commit -> held -> (HSET waits, WAIT 1 1000) -> told
 *
 * Where the link breaks meanwhile it is not known who has it: a commit is UNKNOWN, and the core offers it again; an entry of the
 * feed is forgotten, since everything is loaded anew.  At most CORE_COMMITS_MAX commits are held: the core has no more in
 * flight; and STORE_SETTLE_MAX entries.
 * WAIT counts what its own client wrote before; the HSET, later than the takes in the stream of replication, stands for
 * them.  Source: redis.io/commands/wait. */
#include <stdlib.h>
#include <string.h>

#include "base/loop.h"
#include "dispatcher/reply.h"
#include "dispatcher/store_inside.h"

/* Looked for replicas that often, and, while none answers, whether one does again. */
#define LOOK_MS 1000

/* tell_all: those in LIST count; KNOWN false: nobody knows. */
static void tell_all(struct store *store, struct store_call **list, bool known)
{
        struct store_call *call = *list;

        *list = NULL;
        while (call != NULL) {
                struct store_call *next = call->next;

                if (call->settled != NULL) {
                        store->takes.entries--;
                        call->settled(call->user, known);
                        free(call);
                } else if (known) {
                        store_give(call, &(struct store_answer){ .token = call->token,
                                                                 .result = CORE_OK,
                                                                 .version = call->version,
                                                                 .time_ms = call->time_ms });
                } else {
                        store_unknown(call);
                }
                call = next;
        }
}

static void set_alone(struct store *store, bool alone)
{
        store->takes.alone = alone;
        store_trouble(store, "no_replica", alone);
}

static void begin(struct store *store);

/* on_waited: how many replicas have it; an error, or no answer, is none.  The takes count in any case: they are in one
 * Redis's AOF and in a journal. */
static void on_waited(void *user, struct redisReply *reply)
{
        struct store *store = user;
        struct store_takes *takes = &store->takes;

        takes->waiting = false;
        tell_all(store, &takes->round, reply != NULL);
        if (store->closing)
                return;
        if (reply != NULL)
                set_alone(store, reply_int(reply) < 1);
        if (takes->alone || reply == NULL)
                tell_all(store, &takes->held, reply != NULL);
        else if (takes->held != NULL && !takes->waiting) /* whoever was told may have begun one */
                begin(store);
}

/* begin: a WAIT for all that are held. */
static void begin(struct store *store)
{
        struct store_takes *takes = &store->takes;
        char key[STORE_KEY_SIZE];
        struct redis_args args;
        int r;

        takes->round = takes->held;
        takes->held = NULL;
        store_key(store->options.config, "waits", key);
        redis_args_init(&args, "HSET");
        redis_arg(&args, key);
        redis_arg(&args, store->options.config->name);
        redis_arg_int(&args, clock_utc_ms());
        r = redis_command(takes->link, &args, NULL, NULL);
        if (r == 0) {
                redis_args_init(&args, "WAIT");
                redis_arg_int(&args, 1);
                redis_arg_int(&args, STORE_WAIT_MS);
                r = redis_command(takes->link, &args, on_waited, store);
        }
        takes->waiting = r == 0;
        if (r < 0)
                tell_all(store, &takes->round, false);
}

static bool is_to_wait(const struct store *store)
{
        return !store->closing && store->takes.replicas > 0 && !store->takes.alone && redis_is_up(store->takes.link);
}

static void hold(struct store_call *call)
{
        struct store_takes *takes = &call->store->takes;

        call->next = takes->held;
        takes->held = call;
        if (!takes->waiting)
                begin(call->store);
}

bool store_take_wait(struct store_call *call, const struct store_answer *answer)
{
        if (!is_to_wait(call->store))
                return false;
        call->version = answer->version;
        call->time_ms = answer->time_ms;
        hold(call);
        return true;
}

bool store_settle(struct store *store, void (*settled)(void *user, bool known), void *user)
{
        struct store_call *call = is_to_wait(store) && store->takes.entries < STORE_SETTLE_MAX ? calloc(1, sizeof(*call))
                                                                                                : NULL;

        if (call == NULL)
                return false;
        call->store = store;
        call->settled = settled;
        call->user = user;
        store->takes.entries++;
        hold(call);
        return true;
}

/* on_role: ["master", offset, [replica ...]]; anything else has none. */
static void on_role(void *user, struct redisReply *reply)
{
        struct store *store = user;
        struct store_takes *takes = &store->takes;
        uint32_t hidden;

        if (store->closing || reply == NULL)
                return;
        if (!reply_is_good(reply) && log_limit_pass(&store->refusals, clock_mono_ms(), &hidden))
                log_error("store", "alerts: looking for replicas: %s (%u more)", reply->str, hidden);
        takes->replicas = reply_count(reply_at(reply, 2));
        takes->seen = takes->seen || takes->replicas > 0;
        if (takes->replicas == 0 && takes->seen && !takes->alone)
                set_alone(store, true);
        else if (takes->replicas > 0 && takes->alone && !takes->waiting)
                begin(store); /* does one answer again? */
}

static void on_look(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct store *store = timer->user;
        struct redis_args args;

        redis_args_init(&args, "ROLE");
        if (!store->takes.waiting)
                redis_command(store->takes.link, &args, on_role, store);
        loop_timer_arm(store->options.loop, timer, now_mono_ms + LOOK_MS);
}

static void on_link(void *user, bool up, const char *why)
{
        struct store *store = user;

        if (!up)
                store->takes.replicas = 0; /* until they are counted again */
        if (store->takes.link != NULL)
                loop_timer_arm(store->options.loop, &store->takes.look, clock_mono_ms());
}

int store_takes_open(struct store *store)
{
        const struct config_redis *redis = &store->options.config->alerts;

        wheel_timer_init(&store->takes.look, on_look, store);
        return redis_open(store->options.loop,
                          &(struct redis_options){ .address = redis->address,
                                                   .user = redis->user,
                                                   .password = redis->password,
                                                   .blocking = true,
                                                   .state = on_link,
                                                   .user_data = store },
                          &store->takes.link);
}

void store_takes_close(struct store *store)
{
        redis_close(store->takes.link); /* answers what waits */
        loop_timer_cancel(store->options.loop, &store->takes.look);
        tell_all(store, &store->takes.round, false);
        tell_all(store, &store->takes.held, false);
}
