/* One transaction at a time, in one turn of the loop: MULTI, what is to be written and who is to hear of it, EXEC. */
#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>

#include "console/pass_store_inside.h"

static void give(struct pass_store *store, const struct redis_args *args)
{
        if (store->write_error == 0)
                store->write_error = redis_command(store->link, args, NULL, NULL);
}

static void flush(struct pass_store *store)
{
        if (store->batch.args.argc > 0)
                give(store, &store->batch.args);
        store->batch.args.argc = 0;
}

/* queue: behind what the batch has. */
static void queue(struct pass_store *store, const struct redis_args *args)
{
        flush(store);
        give(store, args);
}

void pass_write_begin(struct pass_store *store)
{
        struct redis_args args;

        store->write_error = store->ready ? 0 : -ENOTCONN;
        store->batch.args.argc = 0;
        redis_args_init(&args, "MULTI");
        queue(store, &args);
}

static void tell(struct pass_store *store, const char *hash, const char *key)
{
        char changes[PASS_STORE_KEY_SIZE];
        struct redis_args args;

        pass_store_key(store, "people:changes", "", changes);
        redis_args_init(&args, "XADD");
        redis_arg(&args, changes);
        redis_arg(&args, "MAXLEN");
        redis_arg(&args, "~");
        redis_arg(&args, PASS_CHANGES_KEPT);
        redis_arg(&args, "*");
        redis_arg(&args, "h");
        redis_arg(&args, hash);
        redis_arg(&args, "k");
        redis_arg(&args, key);
        queue(store, &args);
}

void pass_write_quietly(struct pass_store *store, enum book book, const char *key, const uint8_t *data, size_t size)
{
        struct pass_batch *batch = &store->batch;
        bool drops = size == 0;

        if (batch->args.argc + 2 > REDIS_ARGS_MAX || batch->book != book || batch->drops != drops ||
            batch->octets + size > PASS_BATCH_SIZE)
                flush(store);
        if (batch->args.argc == 0) {
                batch->book = book;
                batch->drops = drops;
                batch->octets = 0;
                pass_store_key(store, books_name(book), "", batch->hash);
                redis_args_init(&batch->args, drops ? "HDEL" : "HSET");
                redis_arg(&batch->args, batch->hash);
        }
        redis_arg(&batch->args, key);
        if (!drops)
                redis_arg_data(&batch->args, data, size);
        batch->octets += strlen(key) + size;
}

void pass_write_all(struct pass_store *store, enum book book)
{
        tell(store, books_name(book), "*");
}

void pass_write_put(struct pass_store *store, enum book book, const char *key, const uint8_t *data, size_t size)
{
        pass_write_quietly(store, book, key, data, size);
        tell(store, books_name(book), key);
}

void pass_write_order(struct pass_store *store, const char *handset, struct cbor_span order, struct cbor_span beside)
{
        char inbox[PASS_STORE_KEY_SIZE];
        struct redis_args args;

        pass_store_key(store, "inbox:", handset, inbox);
        redis_args_init(&args, "XADD");
        redis_arg(&args, inbox);
        redis_arg(&args, "MAXLEN");
        redis_arg_int(&args, PASS_INBOX_MAX); /* a wipe goes in whatever waits */
        redis_arg(&args, "*");
        redis_arg(&args, "o");
        redis_arg_data(&args, order.at, order.len);
        if (beside.len > 0) {
                redis_arg(&args, "b");
                redis_arg_data(&args, beside.at, beside.len);
        }
        queue(store, &args);
        redis_args_init(&args, "PEXPIRE");
        redis_arg(&args, inbox);
        redis_arg_int(&args, PASS_INBOX_MS);
        queue(store, &args);
        tell(store, "inbox", handset);
}

struct written {
        pass_write_fn *done;
        void *user;
};

static void on_written(void *user, struct redisReply *reply)
{
        struct written w = *(struct written *)user;
        int written = reply == NULL ? -1 : reply->type == REDIS_REPLY_ARRAY;

        free(user);
        if (reply != NULL && reply->type == REDIS_REPLY_ERROR)
                log_error(NULL, "pass desk: Redis: %s", reply->str);
        for (size_t i = 0; written == 1 && i < reply->elements; i++)
                if (reply->element[i]->type == REDIS_REPLY_ERROR) {
                        log_error(NULL, "pass desk: Redis: %s", reply->element[i]->str);
                        written = 0;
                }
        w.done(w.user, written);
}

int pass_write_end(struct pass_store *store, pass_write_fn *done, void *user)
{
        struct written *w = malloc(sizeof(*w));
        struct redis_args args;

        if (w == NULL)
                store->write_error = -ENOMEM;
        else
                *w = (struct written){ done, user };
        flush(store);
        if (store->write_error == 0) {
                redis_args_init(&args, "EXEC");
                store->write_error = redis_command(store->link, &args, on_written, w);
        }
        if (store->write_error == 0)
                return 0;
        free(w);
        if (store->write_error != -ENOTCONN) { /* something may be queued already */
                redis_args_init(&args, "DISCARD");
                (void)redis_command(store->link, &args, NULL, NULL);
        }
        return store->write_error;
}
