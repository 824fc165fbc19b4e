#include "dispatcher/load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/redis.h"
#include "dispatcher/store.h"

typedef char person_id[PERSON_ID_MAX + 1];
typedef char alert_text[2 * ALERT_ID_SIZE + 1];

struct load {
        struct load_options options;
        struct load_result result;
        size_t under_way; /* commands whose answers are to come */
        bool dead;        /* cancelled or failed: freed with the last answer */
        enum people_kind kind;
        bool everyone; /* all kinds are read */
        person_id *supervisors;
        size_t supervisor_count, supervisor_room;
        alert_text *open;
        size_t open_count, open_next;
};

static void free_load(struct load *load)
{
        free(load->supervisors);
        free(load->open);
        free(load);
}

/* end: tell the owner, and forget all once no answer is to come. */
static void end(struct load *load, int error)
{
        load->dead = true;
        load->options.done(load->options.user, error, &load->result);
}

void load_cancel(struct load *load)
{
        if (load == NULL)
                return;
        load->dead = true;
        if (load->under_way == 0)
                free_load(load);
}

/* came: an answer is in.  Returns false where nothing more is to be done with it; LOAD may then be gone. */
static bool came(struct load *load, const struct redisReply *reply)
{
        load->under_way--;
        if (!load->dead && reply_is_good(reply))
                return true;
        if (!load->dead)
                end(load, -EIO);
        if (load->under_way == 0)
                free_load(load);
        return false;
}

/* ask: send a command of two or more words; WHAT is a key without prefix. */
static int ask(struct load *load, redis_fn *done, const char *command, const char *what, const char *const *more)
{
        char key[STORE_KEY_SIZE];
        struct redis_args args;
        int r;

        store_key(load->options.config, what, key);
        redis_args_init(&args, command);
        redis_arg(&args, key);
        while (more != NULL && *more != NULL)
                redis_arg(&args, *more++);
        r = redis_command(load->options.link, &args, done, load);
        if (r == 0)
                load->under_way++;
        return r;
}

/* go_on: the next command's sending gave R; where it failed, so did the load.  Called last by each step. */
static void go_on(struct load *load, int r)
{
        if (r < 0 && !load->dead)
                end(load, r);
        if (load->dead && load->under_way == 0)
                free_load(load);
}

/* ---- Duty and notices, the last steps. */

static int compare_ids(const void *a, const void *b)
{
        return strcmp(a, b);
}

/* take_duty: tell the core how SUPERVISORS[i] stands; BYTES empty: off duty. */
static void take_duty(struct load *load, size_t i, struct cbor_span bytes)
{
        const char *person = load->supervisors[i];
        struct duty_entry duty, *on = NULL;

        if (bytes.len > 0 && duty_entry_decode(bytes.at, bytes.len, &duty) == 0)
                on = &duty;
        load->result.bad += bytes.len > 0 && on == NULL;
        core_load_duty(load->options.core, person, on);
        if (load->options.duty != NULL)
                load->options.duty(load->options.user, person, on);
}

/* sort_supervisors: each once: HSCAN may give an entry more than once. */
static void sort_supervisors(struct load *load)
{
        size_t kept = 0;

        if (load->supervisor_count == 0)
                return; /* there is no array either */
        qsort(load->supervisors, load->supervisor_count, sizeof(person_id), compare_ids);
        for (size_t i = 1; i < load->supervisor_count; i++)
                if (strcmp(load->supervisors[kept], load->supervisors[i]) != 0 && ++kept != i)
                        memcpy(load->supervisors[kept], load->supervisors[i], sizeof(person_id));
        load->supervisor_count = kept + 1;
}

/* on_duty: who is in the hash is on duty, every other supervisor is off. */
static void on_duty(void *user, struct redisReply *reply)
{
        struct load *load = user;
        struct cbor_span *found;
        person_id id, *at;

        if (!came(load, reply))
                return;
        found = calloc(load->supervisor_count + 1, sizeof(*found));
        if (found == NULL) {
                go_on(load, -ENOMEM);
                return;
        }
        sort_supervisors(load);
        for (size_t i = 0; i + 1 < reply_count(reply) && load->supervisor_count > 0; i += 2)
                if (reply_text(reply_at(reply, i), id, sizeof(id)) &&
                    (at = bsearch(id, load->supervisors, load->supervisor_count, sizeof(person_id), compare_ids)) !=
                            NULL)
                        found[at - load->supervisors] = reply_bytes(reply_at(reply, i + 1));
        for (size_t i = 0; i < load->supervisor_count; i++)
                take_duty(load, i, found[i]);
        free(found);
        end(load, 0);
        free_load(load);
}

static void on_notices(void *user, struct redisReply *reply)
{
        struct load *load = user;

        if (!came(load, reply))
                return;
        for (size_t i = 0; i + 1 < reply_count(reply); i += 2) {
                struct cbor_span value = reply_bytes(reply_at(reply, i + 1));
                char key[NAME_MAX_OCTETS + 1];
                struct notice notice;

                if (!reply_text(reply_at(reply, i), key, sizeof(key)) ||
                    notice_decode(value.at, value.len, &notice) < 0 ||
                    core_load_notice(load->options.core, key, &notice) < 0)
                        load->result.bad++;
        }
        go_on(load, ask(load, on_duty, "HGETALL", "duty:supervisors", NULL));
}

/* ---- The open alerts. */

static int ask_records(struct load *load);

static void on_record(void *user, struct redisReply *reply)
{
        struct load *load = user;
        struct cbor_span value = reply_bytes(reply);
        int r = 0;

        if (!came(load, reply))
                return;
        if (value.at != NULL && (r = core_load_record(load->options.core, value)) == 0)
                load->result.records++;
        load->result.bad += r < 0;
        if (load->under_way == 0)
                go_on(load, ask_records(load));
}

static int ask_records(struct load *load)
{
        static const char *const record[] = { "r", NULL };
        size_t limit = load->open_next + LOAD_RECORDS;
        int r = 0;

        if (load->open_next == load->open_count) {
                core_load_end(load->options.core);
                return ask(load, on_notices, "HGETALL", "notices", NULL);
        }
        while (load->open_next < load->open_count && load->open_next < limit && r == 0) {
                char what[8 + sizeof(alert_text)];

                snprintf(what, sizeof(what), "alert:%s", load->open[load->open_next++]);
                r = ask(load, on_record, "HGET", what, record);
        }
        return r;
}

static void on_open(void *user, struct redisReply *reply)
{
        struct load *load = user;

        if (!came(load, reply))
                return;
        load->open = calloc(reply_count(reply) + 1, sizeof(load->open[0]));
        for (size_t i = 0; i < reply_count(reply) && load->open != NULL; i++)
                load->open_count += reply_text(reply_at(reply, i), load->open[load->open_count], sizeof(load->open[0]));
        if (load->everyone)
                core_load_people_end(load->options.core); /* the changes tell of who was put in meanwhile */
        core_load_begin(load->options.core);
        go_on(load, load->open != NULL ? ask_records(load) : -ENOMEM);
}

/* ---- The people. */

static void note_supervisor(struct load *load, const char *id)
{
        person_id *more;

        if (load->supervisor_count == load->supervisor_room) {
                load->supervisor_room = load->supervisor_room * 2 + 64;
                more = realloc(load->supervisors, load->supervisor_room * sizeof(more[0]));
                if (more == NULL) {
                        load->supervisor_room = load->supervisor_count;
                        return;
                }
                load->supervisors = more;
        }
        strcpy(load->supervisors[load->supervisor_count++], id);
}

static void take_person(struct load *load, const char *field, struct cbor_span value)
{
        int r = people_load(load->options.core, load->kind, field, value);

        if (r == 0 && load->kind == PEOPLE_SUPERVISORS && strlen(field) <= PERSON_ID_MAX)
                note_supervisor(load, field);
        if (r == 0 && load->everyone && load->options.person != NULL)
                load->options.person(load->options.user, load->kind, field, value);
        load->result.people += r == 0;
        load->result.bad += r < 0;
}

static int ask_page(struct load *load, const char *cursor);

static void on_page(void *user, struct redisReply *reply)
{
        struct load *load = user;
        const struct redisReply *pairs = reply_at(reply, 1);
        char cursor[24], field[NAME_MAX_OCTETS + 1];

        if (!came(load, reply))
                return;
        for (size_t i = 0; i + 1 < reply_count(pairs); i += 2)
                if (reply_text(reply_at(pairs, i), field, sizeof(field)))
                        take_person(load, field, reply_bytes(reply_at(pairs, i + 1)));
        if (!reply_text(reply_at(reply, 0), cursor, sizeof(cursor)))
                go_on(load, -EIO);
        else if (strcmp(cursor, "0") != 0)
                go_on(load, ask_page(load, cursor));
        else if (load->everyone && ++load->kind < PEOPLE_KINDS)
                go_on(load, ask_page(load, "0"));
        else
                go_on(load, ask(load, on_open, "ZRANGE", "open", (const char *const[]){ "0", "-1", NULL }));
}

static int ask_page(struct load *load, const char *cursor)
{
        char count[16];

        snprintf(count, sizeof(count), "%d", LOAD_PAGE);
        return ask(load, on_page, "HSCAN", people_name(load->kind),
                   (const char *const[]){ cursor, "COUNT", count, NULL });
}

/* ---- The streams' positions, the first step, and whether the people are to be read. */

static void begin_people(struct load *load, bool everyone)
{
        load->everyone = everyone;
        if (everyone)
                core_load_people_begin(load->options.core);
        if (everyone && load->options.people != NULL)
                load->options.people(load->options.user);
        go_on(load, ask_page(load, "0"));
}

/* on_since: the entry up to which the core knows the changes; gone means trimmed, or lost with a failover. */
static void on_since(void *user, struct redisReply *reply)
{
        struct load *load = user;

        if (came(load, reply))
                begin_people(load, reply_count(reply) == 0);
}

static void on_changes(void *user, struct redisReply *reply)
{
        struct load *load = user;
        char since[STREAM_ID_TEXT];

        if (!came(load, reply))
                return;
        stream_id_read(reply_at(reply_at(reply, 0), 0), &load->result.changes);
        if (!load->options.loaded || stream_id_compare(load->options.since, load->result.changes) == 0) {
                begin_people(load, !load->options.loaded);
                return;
        }
        stream_id_write(load->options.since, since);
        go_on(load, ask(load, on_since, "XRANGE", "people:changes", (const char *const[]){ since, since, NULL }));
}

static void on_feed(void *user, struct redisReply *reply)
{
        struct load *load = user;

        if (came(load, reply))
                stream_id_read(reply_at(reply_at(reply, 0), 0), &load->result.feed);
}

int load_begin(const struct load_options *options, struct load **ret_load)
{
        static const char *const newest[] = { "+", "-", "COUNT", "1", NULL };
        struct load *load = calloc(1, sizeof(*load));
        int r;

        if (load == NULL)
                return -ENOMEM;
        load->options = *options;
        r = ask(load, on_feed, "XREVRANGE", "feed", newest);
        if (r == 0)
                r = ask(load, on_changes, "XREVRANGE", "people:changes", newest);
        if (r < 0) {
                load_cancel(load);
                return r;
        }
        *ret_load = load;
        return 0;
}

/* ---- One person again. */

struct one {
        struct load_options options;
        enum people_kind kind;
        char field[NAME_MAX_OCTETS + 1];
};

static void end_one(struct one *one, bool lost)
{
        if (lost)
                one->options.lost(one->options.user, one->options.before);
        free(one);
}

static void on_one(void *user, struct redisReply *reply)
{
        struct one *one = user;
        struct cbor_span value = reply_bytes(reply);

        if (reply_is_good(reply) && people_load(one->options.core, one->kind, one->field, value) == 0 &&
            one->options.person != NULL)
                one->options.person(one->options.user, one->kind, one->field, value);
        end_one(one, !reply_is_good(reply));
}

void load_person(const struct load_options *options, enum people_kind kind, const char *field)
{
        struct one *one = calloc(1, sizeof(*one));
        char key[STORE_KEY_SIZE];
        struct redis_args args;

        if (one == NULL) {
                options->lost(options->user, options->before);
                return;
        }
        one->options = *options;
        one->kind = kind;
        snprintf(one->field, sizeof(one->field), "%s", field);
        store_key(options->config, people_name(kind), key);
        redis_args_init(&args, "HGET");
        redis_arg(&args, key);
        redis_arg(&args, one->field);
        if (redis_command(options->link, &args, on_one, one) < 0)
                end_one(one, true);
}
