#include "console/pass_store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/loop.h"
#include "console/link.h"
#include "console/pass_store_inside.h"

/* A question of one load, or one entry that changed. */
struct ask {
        struct pass_store *store;
        unsigned number;
        enum book book;
        bool alone; /* one book is loaded anew, and the others stay */
        uint32_t load;
        char key[LOOKUP_NAME_MAX + 1];
};

void pass_store_key(const struct pass_store *store, const char *name, const char *suffix, char to[PASS_STORE_KEY_SIZE])
{
        snprintf(to, PASS_STORE_KEY_SIZE, "{%s}:%s%s", store->options.config->region, name, suffix);
}

bool pass_store_is_ready(const struct pass_store *store)
{
        return store != NULL && store->ready;
}

struct redis_link *pass_store_link(struct pass_store *store)
{
        return store->link;
}

struct redis_link *pass_store_positions(struct pass_store *store)
{
        return store->positions;
}

static void set_ready(struct pass_store *store, bool ready)
{
        if (store->ready == ready)
                return;
        store->ready = ready;
        store->options.ready(store->options.user, ready);
}

static void fail(struct pass_store *store, const char *why)
{
        if (store->closing)
                return;
        log_warn(NULL, "pass desk: %s; loading anew", why);
        store->loading = false;
        set_ready(store, false);
        loop_timer_arm(store->options.loop, &store->rest, clock_mono_ms() + PASS_STORE_REST_MS);
}

static int put(struct pass_store *store, enum book book, const char *key, const struct redisReply *value)
{
        uint32_t hidden;
        int r = books_put(store->options.books, book, key, (const uint8_t *)(value != NULL ? value->str : NULL),
                          value != NULL ? (size_t)value->len : 0);

        if (r < 0 && log_limit_pass(&store->refused, clock_mono_ms(), &hidden))
                log_warn(NULL, "pass desk: %s %s not understood: %s (%u more not shown)", books_name(book), key,
                         strerror(-r), hidden);
        return r;
}

/* give: a command that belongs to this load.  ASK is freed by its answer, or here. */
static void give(struct pass_store *store, const struct redis_args *args, redis_fn *done, const struct ask *ask)
{
        struct ask *kept = malloc(sizeof(*kept));

        if (kept != NULL) {
                *kept = *ask;
                if (redis_command(store->link, args, done, kept) == 0)
                        return;
        }
        free(kept);
        fail(store, "Redis takes no more questions");
}

/* ---- loading */

static void scan(struct pass_store *store, const struct ask *ask, const char *cursor);

static void begin(struct pass_store *store, enum book book, bool alone);

static void tail_begin(struct pass_store *store);

static void on_scanned(void *user, struct redisReply *reply)
{
        struct ask ask = *(struct ask *)user;
        struct pass_store *store = ask.store;
        const struct redisReply *list;
        char cursor[32], key[LOOKUP_NAME_MAX + 1];

        free(user);
        if (store->closing || store->loading == ask.alone || ask.number != store->number || reply == NULL ||
            !books_loads(store->options.books, ask.book, ask.load))
                return; /* the link's state tells; or the book is loaded anew already */
        if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
            reply_text(reply->element[0], cursor, sizeof(cursor)) < 0) {
                fail(store, reply->type == REDIS_REPLY_ERROR ? reply->str : "no answer to HSCAN");
                return;
        }
        list = reply->element[1];
        for (size_t i = 0; i + 1 < list->elements; i += 2)
                if (reply_text(list->element[i], key, sizeof(key)) == 0 &&
                    list->element[i + 1]->type == REDIS_REPLY_STRING)
                        (void)put(store, ask.book, key, list->element[i + 1]);
        if (strcmp(cursor, "0") != 0) {
                scan(store, &ask, cursor);
                return;
        }
        books_sweep(store->options.books, ask.book);
        if (ask.alone) {
                store->options.changed(store->options.user, ask.book, NULL);
        } else if (ask.book + 1 < BOOKS) {
                begin(store, ask.book + 1, false);
        } else {
                store->loading = false;
                set_ready(store, true);
                tail_begin(store);
        }
}

static void scan(struct pass_store *store, const struct ask *ask, const char *cursor)
{
        char key[PASS_STORE_KEY_SIZE];
        struct redis_args args;

        pass_store_key(store, books_name(ask->book), "", key);
        redis_args_init(&args, "HSCAN");
        redis_arg(&args, key);
        redis_arg(&args, cursor);
        redis_arg(&args, "COUNT");
        redis_arg_int(&args, PASS_STORE_SCAN);
        give(store, &args, on_scanned, ask);
}

static void begin(struct pass_store *store, enum book book, bool alone)
{
        struct ask ask = { .store = store, .number = store->number, .book = book, .alone = alone };

        ask.load = books_begin(store->options.books, book);
        scan(store, &ask, "0");
}

static void on_stands(void *user, struct redisReply *reply)
{
        struct ask ask = *(struct ask *)user;
        struct pass_store *store = ask.store;

        free(user);
        if (store->closing || ask.number != store->number || reply == NULL)
                return;
        strcpy(store->at, "0-0");
        if (reply->type != REDIS_REPLY_ARRAY ||
            (reply->elements > 0 && (reply->element[0]->elements < 1 ||
                                     reply_text(reply->element[0]->element[0], store->at, sizeof(store->at)) < 0))) {
                fail(store, reply->type == REDIS_REPLY_ERROR ? reply->str : "no answer to XREVRANGE");
                return;
        }
        begin(store, 0, false);
}

static void load(struct pass_store *store)
{
        char key[PASS_STORE_KEY_SIZE];
        struct redis_args args;

        store->number++;
        store->loading = true;
        set_ready(store, false);
        pass_store_key(store, "people:changes", "", key);
        args_last_entry(&args, key);
        give(store, &args, on_stands, &(struct ask){ .store = store, .number = store->number });
}

/* ---- keeping fresh */

static void on_value(void *user, struct redisReply *reply)
{
        struct ask ask = *(struct ask *)user;
        struct pass_store *store = ask.store;

        free(user);
        if (store->closing || ask.number != store->number || reply == NULL || store->loading)
                return;
        if (reply->type == REDIS_REPLY_ERROR) {
                fail(store, reply->str);
                return;
        }
        (void)put(store, ask.book, ask.key, reply->type == REDIS_REPLY_STRING ? reply : NULL);
        if (store->ready)
                store->options.changed(store->options.user, ask.book, ask.key);
}

/* changed: one entry of people:changes; "*": many of that hash. */
static void changed(struct pass_store *store, const struct redisReply *pairs)
{
        struct ask ask = { .store = store, .number = store->number, .book = BOOKS };
        char name[16], key[PASS_STORE_KEY_SIZE];
        struct redis_args args;

        for (size_t i = 0; i + 1 < pairs->elements; i += 2) {
                const struct redisReply *field = pairs->element[i], *value = pairs->element[i + 1];

                if (field->len == 1 && field->str[0] == 'h' && reply_text(value, name, sizeof(name)) == 0)
                        ask.book = books_parse(name);
                if (field->len == 1 && field->str[0] == 'k' && reply_text(value, ask.key, sizeof(ask.key)) < 0)
                        ask.key[0] = '\0';
        }
        if (ask.book == BOOKS || ask.key[0] == '\0')
                return;
        if (strcmp(ask.key, "*") == 0) {
                begin(store, ask.book, true);
                return;
        }
        pass_store_key(store, books_name(ask.book), "", key);
        redis_args_init(&args, "HGET");
        redis_arg(&args, key);
        redis_arg(&args, ask.key);
        give(store, &args, on_value, &ask);
}

static void on_tail(void *user, struct redisReply *reply)
{
        struct pass_store *store = user;
        const struct redisReply *list;

        if (store->closing)
                return;
        store->tail_waits = false;
        if (reply == NULL || !store->ready)
                return;
        if (reply->type == REDIS_REPLY_ERROR) {
                fail(store, reply->str);
                return;
        }
        list = reply->type == REDIS_REPLY_ARRAY && reply->elements > 0 && reply->element[0]->elements == 2
                       ? reply->element[0]->element[1]
                       : NULL;
        for (size_t i = 0; list != NULL && i < list->elements; i++) {
                const struct redisReply *one = list->element[i];

                if (one->elements != 2 || reply_text(one->element[0], store->at, sizeof(store->at)) < 0)
                        continue;
                if (one->element[1]->type == REDIS_REPLY_ARRAY && store->ready)
                        changed(store, one->element[1]);
        }
        tail_begin(store);
}

static void tail_begin(struct pass_store *store)
{
        char key[PASS_STORE_KEY_SIZE];
        struct redis_args args;

        if (store->tail_waits || !store->ready)
                return;
        pass_store_key(store, "people:changes", "", key);
        redis_args_init(&args, "XREAD");
        redis_arg(&args, "COUNT");
        redis_arg_int(&args, PASS_STORE_SCAN);
        redis_arg(&args, "BLOCK");
        redis_arg_int(&args, REDIS_BLOCK_MS);
        redis_arg(&args, "STREAMS");
        redis_arg(&args, key);
        redis_arg(&args, store->at);
        store->tail_waits = redis_command(store->tail, &args, on_tail, store) == 0;
}

/* ---- beginning and end */

static void on_rested(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct pass_store *store = timer->user;

        if (redis_is_up(store->link) && !store->loading && !store->ready)
                load(store);
}

static void on_link(void *user, bool up, const char *why)
{
        struct pass_store *store = user;

        store->loading = false;
        set_ready(store, false);
        if (up)
                load(store);
}

static void on_tail_link(void *user, bool up, const char *why)
{
        if (up)
                tail_begin(user);
}

int pass_store_open(const struct pass_store_options *options, struct pass_store **ret_store)
{
        struct pass_store *store = calloc(1, sizeof(*store));
        const struct config *c = options->config;
        int r;

        if (store == NULL)
                return -ENOMEM;
        store->options = *options;
        wheel_timer_init(&store->rest, on_rested, store);
        if ((r = link_open(options->loop, &c->alerts, (struct redis_options){ .state = on_link, .user_data = store },
                           &store->link)) < 0 ||
            (r = link_open(options->loop, &c->alerts,
                           (struct redis_options){ .blocking = true, .state = on_tail_link, .user_data = store },
                           &store->tail)) < 0 ||
            (r = link_open(options->loop, &c->positions, (struct redis_options){ 0 }, &store->positions)) < 0) {
                pass_store_close(store);
                return r;
        }
        *ret_store = store;
        return 0;
}

void pass_store_close(struct pass_store *store)
{
        if (store == NULL)
                return;
        store->closing = true;
        store->ready = false;
        loop_timer_cancel(store->options.loop, &store->rest);
        redis_close(store->link);
        redis_close(store->tail);
        redis_close(store->positions);
        free(store);
}
