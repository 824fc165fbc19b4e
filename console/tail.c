/* The two streams: the feed, from which the board is kept whole, and the roster, which says where supervisors are. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "console/store_inside.h"

/* One entry: its fields as they came. */
struct entry_fields {
        const struct redisReply *pairs;
};

static const struct redisReply *field(const struct entry_fields *entry, const char *name)
{
        for (size_t i = 0; i + 1 < entry->pairs->elements; i += 2) {
                const struct redisReply *key = entry->pairs->element[i];

                if (key->type == REDIS_REPLY_STRING && strcmp(key->str, name) == 0 &&
                    entry->pairs->element[i + 1]->type == REDIS_REPLY_STRING)
                        return entry->pairs->element[i + 1];
        }
        return NULL;
}

/* text_of: the field NAME into TO; "" where it is missing, too long or no UTF-8. */
static void text_of(const struct entry_fields *entry, const char *name, char *to, size_t size)
{
        const struct redisReply *value = field(entry, name);

        if (reply_text(value, to, size) < 0 || !utf8_is_valid(to, strlen(to)))
                to[0] = '\0';
}

static const uint8_t *data_of(const struct entry_fields *entry, size_t *ret_size)
{
        const struct redisReply *value = field(entry, "r");

        *ret_size = value != NULL ? (size_t)value->len : 0;
        return value != NULL ? (const uint8_t *)value->str : NULL;
}

static int apply_alert(struct store *store, const struct entry_fields *entry)
{
        const struct store_events *events = &store->options.events;
        struct change change;
        const struct alert_item *item;
        char at[24];
        size_t size;
        const uint8_t *data = data_of(entry, &size);
        int r;

        text_of(entry, "e", change.event, sizeof(change.event));
        text_of(entry, "by", change.by, sizeof(change.by));
        text_of(entry, "c", change.command, sizeof(change.command));
        if ((r = board_alert(store->options.board, data, size, &change, &item)) <= 0)
                return r;
        if (store->up) {
                text_of(entry, "at", at, sizeof(at));
                if (at[0] != '\0')
                        histogram_add(&store->stats.lag, (store_now_ms(store) - strtoll(at, NULL, 10)) * 1000);
                events->alert(events->user, item);
        }
        return 0;
}

static int apply_notice(struct store *store, const struct entry_fields *entry)
{
        const struct store_events *events = &store->options.events;
        const struct notice_item *item;
        char key[NAME_MAX_OCTETS + 1];
        size_t size;
        const uint8_t *data = data_of(entry, &size);
        int r;

        text_of(entry, "k", key, sizeof(key));
        r = board_notice(store->options.board, key, data, size, &item);
        if (r == 1 && store->up)
                events->notice(events->user, item);
        return r < 0 ? r : 0;
}

static int apply_duty(struct store *store, const struct entry_fields *entry)
{
        const struct store_events *events = &store->options.events;
        struct person *person;
        char id[PERSON_ID_MAX + 1];
        size_t size;
        const uint8_t *data = data_of(entry, &size);
        int r;

        text_of(entry, "k", id, sizeof(id));
        r = board_duty(store->options.board, id, data, size, &person);
        if (r == 0 && store->up)
                events->person(events->user, person);
        return r;
}

static int apply_answer(struct store *store, const struct entry_fields *entry)
{
        const struct store_events *events = &store->options.events;
        char command[VIEW_COMMAND_TEXT], number[8], who[NAME_MAX_OCTETS + 1], *end;
        const char *code;
        long a;

        text_of(entry, "c", command, sizeof(command));
        text_of(entry, "a", number, sizeof(number));
        text_of(entry, "r", who, sizeof(who));
        a = strtol(number, &end, 10);
        if (number[0] == '\0' || *end != '\0' || a < 0 || a > UINT8_MAX)
                return -EBADMSG;
        code = answer_code_name((uint8_t)a);
        if (store->up) /* one that we do not know means "not done" */
                events->answer(events->user, command, code != NULL ? code : "refused", who);
        return 0;
}

static int apply_feed(struct store *store, const struct entry_fields *entry)
{
        static const struct {
                const char *type;
                int (*apply)(struct store *store, const struct entry_fields *entry);
        } types[] = {
                { "alert", apply_alert }, { "notice", apply_notice }, { "duty", apply_duty }, { "answer", apply_answer }
        };
        char format[8], type[16];
        int r;

        store->stats.entries++;
        text_of(entry, "f", format, sizeof(format));
        if ((r = feed_format_check(format, strlen(format))) < 0)
                return r;
        text_of(entry, "t", type, sizeof(type));
        for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
                if (strcmp(types[i].type, type) == 0)
                        return types[i].apply(store, entry);
        return -EPROTONOSUPPORT;
}

static int apply_roster(struct store *store, const struct entry_fields *entry)
{
        char id[PERSON_ID_MAX + 1];
        struct person *person;
        size_t size;
        const uint8_t *data = data_of(entry, &size);

        text_of(entry, "id", id, sizeof(id));
        return board_presence(store->options.board, id, data, size, &person); /* told with the next tick */
}

/* apply: call PUT with every entry of an XREAD's answer, and note the last one's id in AT.
 * Returns how many there were, or -EBADMSG. */
static int apply(struct store *store, const struct redisReply *reply, char at[STORE_STREAM_SIZE],
                 int (*put)(struct store *store, const struct entry_fields *entry))
{
        const struct redisReply *stream, *list;
        const char *what = put == apply_feed ? "an entry of the feed" : "an entry of the roster";

        if (reply->type == REDIS_REPLY_NIL)
                return 0;
        stream = reply_is(reply, REDIS_REPLY_ARRAY, 1) ? reply->element[0] : NULL;
        list = reply_is(stream, REDIS_REPLY_ARRAY, 2) ? stream->element[1] : NULL;
        if (!reply_is(list, REDIS_REPLY_ARRAY, 0))
                return -EBADMSG;
        for (size_t i = 0; i < list->elements; i++) {
                const struct redisReply *one = list->element[i];
                int r;

                if (!reply_is(one, REDIS_REPLY_ARRAY, 2) || reply_text(one->element[0], at, STORE_STREAM_SIZE) < 0)
                        return -EBADMSG;
                if (!reply_is(one->element[1], REDIS_REPLY_ARRAY, 0))
                        continue; /* deleted while it was being read */
                if ((r = put(store, &(struct entry_fields){ one->element[1] })) < 0)
                        store_refused(store, what, r);
        }
        return (int)list->elements;
}

static int read_stream(struct store *store, struct redis_link *link, const char *name, const char *at, redis_fn *done)
{
        char key[STORE_KEY_SIZE];
        struct redis_args args;

        store_key(store, name, "", key);
        redis_args_init(&args, "XREAD");
        redis_arg(&args, "COUNT");
        redis_arg_int(&args, STORE_BATCH);
        if (link != store->feed || store->up) { /* catching up is not waiting */
                redis_arg(&args, "BLOCK");
                redis_arg_int(&args, REDIS_BLOCK_MS);
        }
        redis_arg(&args, "STREAMS");
        redis_arg(&args, key);
        redis_arg(&args, at);
        return redis_command(link, &args, done, store);
}

static void on_feed(void *user, struct redisReply *reply)
{
        struct store *store = user;
        int n;

        if (store->closing)
                return;
        store->tail_waits = false;
        if (reply == NULL)
                return; /* the link is down, and says so itself */
        if (store->tail_number != store->load_number || !store->loaded) {
                if (store->loaded)
                        tail_begin(store);
                return;
        }
        n = reply->type != REDIS_REPLY_ERROR ? apply(store, reply, store->feed_at, apply_feed) : -EBADMSG;
        if (n < 0) {
                store_begin_again(store, reply->type == REDIS_REPLY_ERROR ? reply->str : "the feed cannot be read");
                return;
        }
        if (n < STORE_BATCH && !store->up) {
                store->up = true;
                store->options.events.up(store->options.events.user, true);
        }
        tail_begin(store);
}

void tail_begin(struct store *store)
{
        if (store->tail_waits || !store->feed_up || !store->loaded)
                return;
        store->tail_number = store->load_number;
        if (read_stream(store, store->feed, "feed", store->feed_at, on_feed) == 0)
                store->tail_waits = true;
}

static void on_roster(void *user, struct redisReply *reply)
{
        struct store *store = user;

        if (store->closing)
                return;
        store->roster_waits = false;
        if (reply == NULL || reply->type == REDIS_REPLY_ERROR) {
                if (reply != NULL)
                        store_refused(store, "the roster", -EBADMSG);
                return; /* the link's next rise begins anew, or the next poll */
        }
        if (apply(store, reply, store->roster_at, apply_roster) >= 0)
                roster_begin(store);
}

void roster_begin(struct store *store)
{
        if (store->roster_at[0] != '\0' && !store->roster_waits &&
            read_stream(store, store->roster, "roster", store->roster_at, on_roster) == 0)
                store->roster_waits = true;
}
