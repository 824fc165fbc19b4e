/* Quiet timers, in the positions' Redis: {r}:timers has each with its sealed place, {r}:timers:due when.  One that is over in time is erased
 * unopened. */
#include "base/hex.h"
#include "dispatcher/store_inside.h"
#include "wire/desk.h"

static void put(struct store *store, const struct redis_args *args)
{
        if (redis_command(store->positions, args, NULL, NULL) < 0)
                store->counts.refused++;
}

static void erase(struct store *store, const char *hash, const char *due, const char *handset)
{
        struct redis_args args;

        redis_args_init(&args, "ZREM");
        redis_arg(&args, due);
        redis_arg(&args, handset);
        put(store, &args);
        redis_args_init(&args, "HDEL");
        redis_arg(&args, hash);
        redis_arg(&args, handset);
        put(store, &args);
}

void store_timer(struct store *store, const struct core_action *action)
{
        const struct timer_entry *timer = &action->u.vault.timer;
        char handset[2 * HANDSET_ID_SIZE + 1], hash[STORE_KEY_SIZE], due[STORE_KEY_SIZE];
        uint8_t value[DESK_SMALL_MAX];
        struct redis_args args;
        int len;

        hex_encode(action->u.vault.handset, HANDSET_ID_SIZE, handset);
        store_key(store->options.config, "timers", hash);
        store_key(store->options.config, "timers:due", due);
        if (timer->due_s == 0) {
                erase(store, hash, due, handset);
                return;
        }
        len = timer_entry_encode(timer, value, sizeof(value));
        if (len < 0)
                return; /* the core gives no such */
        redis_args_init(&args, "HSET");
        redis_arg(&args, hash);
        redis_arg(&args, handset);
        redis_arg_data(&args, value, (size_t)len);
        put(store, &args);
        redis_args_init(&args, "ZADD");
        redis_arg(&args, due);
        redis_arg_int(&args, timer->due_s);
        redis_arg(&args, handset);
        put(store, &args);
}
