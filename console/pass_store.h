/* The pass desk's side of the alerts' Redis: it loads the books, keeps them fresh from {r}:people:changes, and writes changes as one
 * transaction each.  Whatever breaks, it loads anew.  Loop's thread only. */
#ifndef CONSOLE_PASS_STORE_H
#define CONSOLE_PASS_STORE_H

#include "base/redis.h"
#include "console/books.h"
#include "console/config.h"

struct loop;
struct pass_store;

#define PASS_STORE_KEY_SIZE 160
/* Fields read at a time while a book is loaded. */
#define PASS_STORE_SCAN     1000
/* After an error of Redis it loads again so much later. */
#define PASS_STORE_REST_MS  1000
/* Orders that wait for one phone at most; one more is refused before it is signed.  They wait for a week. */
#define PASS_INBOX_MAX      16
#define PASS_INBOX_MS       INT64_C(604800000)
/* {r}:people:changes keeps so many, as the operator's tool has it. */
#define PASS_CHANGES_KEPT   "100000"

struct pass_store_options {
        struct loop *loop;
        const struct config *config; /* borrowed */
        struct books *books;         /* borrowed; the store alone writes them */
        /* The books are whole and fresh; or they are not. */
        void (*ready)(void *user, bool ready);
        /* KEY of BOOK changed while ready; NULL: much of it did. */
        void (*changed)(void *user, enum book book, const char *key);
        void *user;
};

/* pass_store_open: begin to connect.  Returns 0, -EINVAL, -ENOMEM.  pass_store_close: NULL does nothing. */
int pass_store_open(const struct pass_store_options *options, struct pass_store **ret_store);
void pass_store_close(struct pass_store *store);

/* pass_store_is_ready: of NULL: no. */
bool pass_store_is_ready(const struct pass_store *store);

/* pass_store_link, pass_store_positions: for questions.  pass_store_key: "{region}:NAME" and SUFFIX. */
struct redis_link *pass_store_link(struct pass_store *store);
struct redis_link *pass_store_positions(struct pass_store *store);
void pass_store_key(const struct pass_store *store, const char *name, const char *suffix, char to[PASS_STORE_KEY_SIZE]);

/* A transaction: pass_write_begin, then what is to be written, then pass_write_end in the same turn of the loop; errors are remembered.
 *   pass_write_put      KEY of BOOK is DATA; SIZE 0: gone; and the entry of people:changes
 *   pass_write_quietly  the same without that entry: many follow, and pass_write_all tells of them together.  Those of one book that
 *                       follow each other go as one command.  KEY and DATA are borrowed until pass_write_end
 *   pass_write_order    ORDER (signed) and what comes beside it (LEN 0: nothing) into the inbox of HANDSET (hex)
 * pass_write_end: DONE is called once, never from within the call: 1 written, 0 refused, -1 unknown.  Returns 0, or a negative errno:
 * nothing is written, and DONE is not called. */
typedef void pass_write_fn(void *user, int written);
void pass_write_begin(struct pass_store *store);
void pass_write_put(struct pass_store *store, enum book book, const char *key, const uint8_t *data, size_t size);
void pass_write_quietly(struct pass_store *store, enum book book, const char *key, const uint8_t *data, size_t size);
void pass_write_all(struct pass_store *store, enum book book);
void pass_write_order(struct pass_store *store, const char *handset, struct cbor_span order, struct cbor_span beside);
int pass_write_end(struct pass_store *store, pass_write_fn *done, void *user);

#endif
