#include "base/sentinel.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/loop.h"
#include "base/redis.h"

#define WHY_SIZE 160

/* One of them. */
struct seat {
        struct sentinel *sentinel;
        struct redis_link *link;
        unsigned asked;   /* the question it was last sent */
        unsigned waiting; /* questions that it has not answered; answers come in their order */
};

struct sentinel {
        struct loop *loop;
        struct redis_address address;
        sentinel_fn *named;
        void *user_data;
        struct seat seat[REDIS_SENTINELS_MAX];
        struct sentinel_votes votes;
        unsigned question; /* its number; answers to those before are not counted */
        bool asking, closing;
        struct wheel_timer end;
        char why[WHY_SIZE]; /* the last thing that went wrong with one of them */
};

/* ---- Judging. */

static bool same(const struct redis_place *a, const struct redis_place *b)
{
        return a->port == b->port && strcmp(a->host, b->host) == 0;
}

int sentinel_decide(const struct sentinel_votes *votes, size_t count, bool over)
{
        int first = -ENOENT;
        bool agree = true;

        for (size_t i = 0; i < count; i++) {
                size_t with = 0;

                if (votes->said[i] != SENTINEL_NAMED)
                        continue;
                for (size_t j = 0; j < count; j++)
                        with += votes->said[j] == SENTINEL_NAMED && same(&votes->place[i], &votes->place[j]);
                if (2 * with > count)
                        return (int)i;
                if (first < 0)
                        first = (int)i;
                agree = agree && same(&votes->place[i], &votes->place[first]);
        }
        if (!over)
                return -EAGAIN;
        return agree ? first : -EEXIST;
}

void sentinel_read(struct sentinel_votes *votes, size_t i, const struct redisReply *reply)
{
        struct redis_place *place = &votes->place[i];
        const redisReply *host, *port;
        char *rest;
        long number;

        if (reply != NULL && reply->type == REDIS_REPLY_NIL)
                votes->said[i] = SENTINEL_KNOWS_NONE;
        if (reply == NULL || reply->type != REDIS_REPLY_ARRAY || reply->elements != 2)
                return;
        host = reply->element[0];
        port = reply->element[1];
        if (host->type != REDIS_REPLY_STRING || port->type != REDIS_REPLY_STRING || host->str[0] == '\0' ||
            strlen(host->str) >= sizeof(place->host))
                return;
        number = strtol(port->str, &rest, 10);
        if (number < 1 || number > 65535 || *rest != '\0')
                return;
        strcpy(place->host, host->str);
        place->port = (int)number;
        votes->said[i] = SENTINEL_NAMED;
}

/* ---- Asking. */

/* on_end: enough was said, or they had their time. */
static void on_end(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct sentinel *s = timer->user;
        int at = sentinel_decide(&s->votes, s->address.count, true);
        struct redis_place primary; /* a copy: named() may ask anew, or close us */

        s->asking = false;
        if (at >= 0)
                primary = s->votes.place[at];
        if (at == -EEXIST)
                snprintf(s->why, sizeof(s->why), "the Sentinels do not agree who is %s", s->address.name);
        for (size_t i = 0; at == -ENOENT && i < s->address.count; i++)
                if (s->votes.said[i] == SENTINEL_KNOWS_NONE)
                        snprintf(s->why, sizeof(s->why), "the Sentinels do not know '%s'", s->address.name);
        s->named(s->user_data, at >= 0 ? &primary : NULL, at >= 0 ? NULL : s->why);
}

static void trouble(struct seat *seat, const char *why)
{
        struct sentinel *s = seat->sentinel;
        const struct redis_place *place = &s->address.place[seat - s->seat];

        snprintf(s->why, sizeof(s->why), "Sentinel %.60s:%d: %.80s", place->host, place->port, why);
}

static void on_answer(void *user, struct redisReply *reply)
{
        struct seat *seat = user;
        struct sentinel *s = seat->sentinel;
        bool is_last = --seat->waiting == 0; /* else it is one to a question that is over */

        if (s->closing || !s->asking || !is_last || seat->asked != s->question || reply == NULL)
                return;
        if (reply->type == REDIS_REPLY_ERROR)
                trouble(seat, reply->str);
        sentinel_read(&s->votes, (size_t)(seat - s->seat), reply);
        /* Told by the timer: named() may close us, and must not do so from within a callback of these links. */
        if (sentinel_decide(&s->votes, s->address.count, false) != -EAGAIN)
                loop_timer_arm(s->loop, &s->end, clock_mono_ms());
}

static void ask_seat(struct seat *seat)
{
        struct redis_args args;

        redis_args_init(&args, "SENTINEL");
        redis_arg(&args, "GET-MASTER-ADDR-BY-NAME");
        redis_arg(&args, seat->sentinel->address.name);
        seat->asked = seat->sentinel->question;
        if (redis_command(seat->link, &args, on_answer, seat) < 0)
                seat->asked--; /* it is asked when its link comes up, if that is in time */
        else
                seat->waiting++;
}

static void on_state(void *user, bool up, const char *why)
{
        struct seat *seat = user;

        if (!up)
                trouble(seat, why);
        else if (seat->sentinel->asking && seat->asked != seat->sentinel->question)
                ask_seat(seat);
}

void sentinel_ask(struct sentinel *s)
{
        if (s->asking)
                return;
        s->asking = true;
        s->question++;
        memset(&s->votes, 0, sizeof(s->votes));
        loop_timer_arm(s->loop, &s->end, clock_mono_ms() + SENTINEL_ASK_MS);
        for (size_t i = 0; i < s->address.count; i++)
                ask_seat(&s->seat[i]);
}

/* ---- Opening. */

static int open_seat(struct sentinel *s, size_t i, const struct sentinel_options *options)
{
        const struct redis_place *place = &s->address.place[i];
        char address[REDIS_HOST_SIZE + 16];

        s->seat[i].sentinel = s;
        snprintf(address, sizeof(address), strchr(place->host, ':') != NULL ? "[%s]:%d" : "%s:%d", place->host,
                 place->port);
        return redis_open(s->loop,
                          &(struct redis_options){ .address = address,
                                                   .user = options->user,
                                                   .password = options->password,
                                                   .auth_may_fail = true,
                                                   .state = on_state,
                                                   .user_data = &s->seat[i] },
                          &s->seat[i].link);
}

int sentinel_open(struct loop *loop, const struct sentinel_options *options, struct sentinel **ret_sentinel)
{
        struct sentinel *s = calloc(1, sizeof(*s));
        int r = 0;

        if (s == NULL)
                return -ENOMEM;
        s->loop = loop;
        s->address = *options->address;
        s->named = options->named;
        s->user_data = options->user_data;
        snprintf(s->why, sizeof(s->why), "no Sentinel answers");
        wheel_timer_init(&s->end, on_end, s);
        for (size_t i = 0; i < s->address.count && r == 0; i++)
                r = open_seat(s, i, options);
        if (r < 0)
                sentinel_close(s);
        else
                *ret_sentinel = s;
        return r;
}

void sentinel_close(struct sentinel *s)
{
        if (s == NULL)
                return;
        s->closing = true;
        loop_timer_cancel(s->loop, &s->end);
        for (size_t i = 0; i < s->address.count; i++)
                redis_close(s->seat[i].link);
        free(s);
}
