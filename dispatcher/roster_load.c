#include "dispatcher/roster_load.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/redis.h"
#include "dispatcher/store.h"

struct roster_load {
        struct roster_load_options options;
        struct stream_id last;
        bool dead;
};

static int ask(struct roster_load *load, const char *from);

int roster_entry_read(const struct redisReply *fields, char person[PERSON_ID_MAX + 1], struct presence *ret_presence)
{
        struct cbor_span format = reply_bytes(reply_field(fields, "f")), value = reply_bytes(reply_field(fields, "r"));
        int r = format.at != NULL ? feed_format_check((const char *)format.at, format.len) : -EBADMSG;

        if (r < 0)
                return r;
        if (!reply_text(reply_field(fields, "id"), person, PERSON_ID_MAX + 1) || value.at == NULL)
                return -EBADMSG;
        return presence_decode(value.at, value.len, ret_presence);
}

static void take(struct roster_load *load, const struct redisReply *entry)
{
        char person[PERSON_ID_MAX + 1];
        struct presence presence;

        if (stream_id_read(reply_at(entry, 0), &load->last) &&
            roster_entry_read(reply_at(entry, 1), person, &presence) == 0)
                load->options.presence(load->options.user, person, &presence);
}

static void finish(struct roster_load *load, int error)
{
        load->options.done(load->options.user, error, load->last);
        free(load);
}

static void on_page(void *user, struct redisReply *reply)
{
        struct roster_load *load = user;
        char from[STREAM_ID_TEXT + 1] = "(";
        int r;

        if (load->dead) {
                free(load);
                return;
        }
        for (size_t i = 0; i < reply_count(reply); i++)
                take(load, reply_at(reply, i));
        if (!reply_is_good(reply)) {
                finish(load, -EIO);
        } else if (reply_count(reply) < ROSTER_LOAD_PAGE) {
                finish(load, 0);
        } else {
                stream_id_write(load->last, from + 1);
                r = ask(load, from);
                if (r < 0)
                        finish(load, r);
        }
}

static int ask(struct roster_load *load, const char *from)
{
        char key[STORE_KEY_SIZE];
        struct redis_args args;

        store_key(load->options.config, "roster", key);
        redis_args_init(&args, "XRANGE");
        redis_arg(&args, key);
        redis_arg(&args, from);
        redis_arg(&args, "+");
        redis_arg(&args, "COUNT");
        redis_arg_int(&args, ROSTER_LOAD_PAGE);
        return redis_command(load->options.link, &args, on_page, load);
}

int roster_load_begin(const struct roster_load_options *options, struct roster_load **ret_load)
{
        struct roster_load *load = calloc(1, sizeof(*load));
        char from[STREAM_ID_TEXT];
        int r;

        if (load == NULL)
                return -ENOMEM;
        load->options = *options;
        load->last = (struct stream_id){ (uint64_t)options->since_ms, 0 };
        stream_id_write(load->last, from);
        r = ask(load, from);
        if (r < 0)
                free(load);
        else
                *ret_load = load;
        return r;
}

void roster_load_cancel(struct roster_load *load)
{
        if (load != NULL)
                load->dead = true;
}
