#include "base/redis.h"

#include <errno.h>
#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/loop.h"
#include "base/redis_poll.h"
#include "base/sentinel.h"

#define WHY_SIZE 160

struct redis_link {
        struct loop *loop;
        struct redis_options options; /* its texts are the copies below */
        char *user, *password;
        struct redis_place place;  /* where it is, or was last named */
        struct sentinel *sentinel; /* NULL: `place` is for ever */
        struct wheel_timer look;   /* asks the Sentinels again */
        unsigned references;       /* the owner's, and one for the adapter */
        redisAsyncContext *ac;     /* NULL = waiting for the next attempt */
        struct wheel_timer tick;
        int64_t heard_mono_ms, ping_mono_ms; /* last answer or attempt; when the next PING goes */
        bool asked;                          /* an answer to our own PING or AUTH is due */
        bool naming;                         /* an attempt waits for the Sentinels */
        bool up, told_up, closed;
        char why[WHY_SIZE];      /* we ourselves end this connection */
        char told_why[WHY_SIZE]; /* what the owner heard last */
        size_t pending;
};

/* A command that waits. */
struct call {
        struct redis_link *link;
        redis_fn *done;
        void *user;
        char *eval; /* the same as EVAL, for when Redis does not know the script */
        size_t eval_len;
};

static void unref(struct redis_link *link)
{
        if (--link->references > 0)
                return;
        free(link->user);
        free(link->password);
        free(link);
}

bool redis_address_valid(const char *address)
{
        struct redis_address any;

        return redis_address_parse(address, &any) == 0;
}

static int64_t watchdog_ms(const struct redis_link *link)
{
        return REDIS_WATCHDOG_MS + (link->options.blocking ? REDIS_BLOCK_MS : 0);
}

/* Tell the owner what changed: up, down, or still down for another reason. */
static void tell(struct redis_link *link, bool up, const char *why)
{
        if (link->closed || (up == link->told_up && strcmp(why, link->told_why) == 0))
                return;
        link->told_up = up;
        snprintf(link->told_why, sizeof(link->told_why), "%s", why);
        if (link->options.state != NULL)
                link->options.state(link->options.user_data, up, up ? NULL : link->told_why);
}

static void retry_later(struct redis_link *link)
{
        unsigned char random = 0;

        if (getrandom(&random, 1, GRND_NONBLOCK) != 1)
                random = 0; /* no jitter, nothing worse */
        loop_timer_arm(link->loop, &link->tick,
                       clock_mono_ms() + REDIS_RETRY_MS + REDIS_RETRY_JITTER_MS * random / 256);
}

/* hiredis lets go of the connection: refused, lost, or freed by us. */
static void gone(void *user)
{
        struct redis_link *link = user;
        char why[WHY_SIZE];

        if (link->why[0] != '\0')
                snprintf(why, sizeof(why), "%s", link->why);
        else
                snprintf(why, sizeof(why), "%s", link->ac->c.err != 0 ? link->ac->c.errstr : "closed");
        link->ac = NULL;
        link->up = false;
        if (link->closed)
                return;
        retry_later(link);
        tell(link, false, why);
}

static void freed(void *user)
{
        unref(user);
}

/* End this connection in the next turn: not from within hiredis's callbacks. */
static void give_up(struct redis_link *link, const char *why)
{
        if (link->why[0] == '\0')
                snprintf(link->why, sizeof(link->why), "%s", why);
        link->up = false;
        loop_timer_arm(link->loop, &link->tick, clock_mono_ms());
}

/* When the watchdog looks again: for the next PING, or for the answer to the one on its way. */
static void arm_watchdog(struct redis_link *link)
{
        loop_timer_arm(link->loop, &link->tick,
                       link->asked ? link->heard_mono_ms + watchdog_ms(link) : link->ping_mono_ms);
}

static void authenticated(redisAsyncContext *ac, void *data, void *user)
{
        struct redis_link *link = user;
        redisReply *reply = data;

        if (reply != NULL && reply->type == REDIS_REPLY_ERROR && !link->options.auth_may_fail)
                give_up(link, reply->str);
}

/* role_told: behind Sentinels only a primary will do. */
static void role_told(redisAsyncContext *ac, void *data, void *user)
{
        struct redis_link *link = user;
        redisReply *reply = data;

        if (reply == NULL)
                return;
        if (reply->type == REDIS_REPLY_ERROR)
                give_up(link, reply->str);
        else if (reply->type != REDIS_REPLY_ARRAY || reply->elements == 0 ||
                 reply->element[0]->type != REDIS_REPLY_STRING || strcmp(reply->element[0]->str, "master") != 0)
                give_up(link, "it is no primary");
}

static void ponged(redisAsyncContext *ac, void *data, void *user)
{
        struct redis_link *link = user;
        redisReply *reply = data;

        if (reply == NULL || link->why[0] != '\0')
                return;
        if (reply->type == REDIS_REPLY_ERROR) { /* LOADING, MASTERDOWN, NOAUTH ... */
                give_up(link, reply->str);
                return;
        }
        link->asked = false;
        link->heard_mono_ms = clock_mono_ms();
        link->ping_mono_ms = link->heard_mono_ms + REDIS_PING_MS;
        arm_watchdog(link);
        link->up = true;
        tell(link, true, "");
}

static int send_ping(struct redis_link *link)
{
        link->asked = true;
        return redisAsyncCommand(link->ac, ponged, link, "PING") == REDIS_OK ? 0 : -EIO;
}

static int send_hello(struct redis_link *link)
{
        const char *argv[] = { "AUTH", link->user, link->password };
        int r = REDIS_OK;

        if (link->password[0] != '\0' && link->user[0] != '\0') {
                r = redisAsyncCommandArgv(link->ac, authenticated, link, 3, argv, NULL);
        } else if (link->password[0] != '\0') {
                argv[1] = link->password;
                r = redisAsyncCommandArgv(link->ac, authenticated, link, 2, argv, NULL);
        }
        if (r == REDIS_OK && link->sentinel != NULL)
                r = redisAsyncCommand(link->ac, role_told, link, "ROLE");
        return r == REDIS_OK ? send_ping(link) : -EIO;
}

static void attempt(struct redis_link *link)
{
        const struct redis_poll_owner owner = { gone, freed, link };
        const struct redis_place *place = &link->place;
        redisAsyncContext *ac;

        ac = place->port == 0 ? redisAsyncConnectUnix(place->host) : redisAsyncConnect(place->host, place->port);
        link->why[0] = '\0';
        if (ac == NULL || ac->err != 0 || redis_poll_attach(loop_uv(link->loop), ac, &owner) < 0) {
                char why[WHY_SIZE];

                snprintf(why, sizeof(why), "%s", ac != NULL && ac->err != 0 ? ac->errstr : "out of memory");
                if (ac != NULL)
                        redisAsyncFree(ac);
                retry_later(link);
                tell(link, false, why);
                return;
        }
        link->references++;
        link->ac = ac;
        link->heard_mono_ms = clock_mono_ms();
        if (send_hello(link) < 0)
                give_up(link, "out of memory");
        else
                arm_watchdog(link);
}

/* named: the Sentinels answered: connect there, or see whether it is still there that we are. */
static void named(void *user, const struct redis_place *primary, const char *why)
{
        struct redis_link *link = user;
        bool waits = link->naming;

        link->naming = false;
        loop_timer_arm(link->loop, &link->look, clock_mono_ms() + (link->up ? REDIS_LOOK_MS : REDIS_RETRY_MS));
        if (link->ac != NULL) {
                if (primary != NULL &&
                    (primary->port != link->place.port || strcmp(primary->host, link->place.host) != 0))
                        give_up(link, "another is the primary now");
        } else if (waits && primary != NULL) {
                link->place = *primary;
                attempt(link);
        } else if (waits) {
                retry_later(link);
                tell(link, false, why);
        }
}

static void looked(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct redis_link *link = timer->user;

        sentinel_ask(link->sentinel);
}

static void ticked(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct redis_link *link = timer->user;

        if (link->ac == NULL) {
                link->naming = link->sentinel != NULL;
                if (link->naming)
                        sentinel_ask(link->sentinel);
                else
                        attempt(link);
                return;
        }
        if (link->why[0] == '\0' && link->asked && now_mono_ms - link->heard_mono_ms >= watchdog_ms(link))
                snprintf(link->why, sizeof(link->why), "no answer in %d ms", (int)watchdog_ms(link));
        if (link->why[0] == '\0' && !link->asked && send_ping(link) < 0)
                snprintf(link->why, sizeof(link->why), "out of memory");
        if (link->why[0] != '\0')
                redisAsyncFree(link->ac); /* gone() arms the next attempt */
        else
                arm_watchdog(link);
}

static int open_sentinel(struct redis_link *link, const struct redis_address *address)
{
        const struct sentinel_options options = { address, link->user, link->password, named, link };

        link->place = address->place[0];
        return address->name[0] == '\0' ? 0 : sentinel_open(link->loop, &options, &link->sentinel);
}

int redis_open(struct loop *loop, const struct redis_options *options, struct redis_link **ret_link)
{
        struct redis_address address;
        struct redis_link *link;
        int r = redis_address_parse(options->address, &address);

        if (r < 0)
                return r;
        if ((link = calloc(1, sizeof(*link))) == NULL)
                return -ENOMEM;
        link->references = 1;
        link->loop = loop;
        link->options = *options;
        if (link->options.pending_max == 0)
                link->options.pending_max = REDIS_PENDING_MAX;
        link->user = strdup(options->user != NULL ? options->user : "");
        link->password = strdup(options->password != NULL ? options->password : "");
        if (link->user == NULL || link->password == NULL || (r = open_sentinel(link, &address)) < 0) {
                unref(link);
                return r < 0 ? r : -ENOMEM;
        }
        wheel_timer_init(&link->tick, ticked, link);
        wheel_timer_init(&link->look, looked, link);
        loop_timer_arm(loop, &link->tick, clock_mono_ms());
        *ret_link = link;
        return 0;
}

void redis_close(struct redis_link *link)
{
        if (link == NULL)
                return;
        link->closed = true;
        link->up = false;
        loop_timer_cancel(link->loop, &link->tick);
        loop_timer_cancel(link->loop, &link->look);
        sentinel_close(link->sentinel);
        link->sentinel = NULL;
        if (link->ac != NULL)
                redisAsyncFree(link->ac); /* inside one of its callbacks hiredis does it right after */
        unref(link);
}

bool redis_is_up(const struct redis_link *link)
{
        return link->up;
}

size_t redis_pending(const struct redis_link *link)
{
        return link->pending;
}

static void free_call(struct call *call)
{
        if (call->eval != NULL)
                redisFreeCommand(call->eval);
        free(call);
}

static void replied(redisAsyncContext *ac, void *data, void *user)
{
        struct call *call = user;
        struct redis_link *link = call->link;
        redisReply *reply = data;

        if (reply == NULL)
                link->up = false; /* the connection is going: a callback must not give new commands to it */
        else
                link->heard_mono_ms = clock_mono_ms();
        if (reply != NULL && reply->type == REDIS_REPLY_ERROR && call->eval != NULL &&
            strncmp(reply->str, "NOSCRIPT", 8) == 0 && !link->closed) {
                char *eval = call->eval;
                int r;

                call->eval = NULL;
                r = redisAsyncFormattedCommand(ac, replied, call, eval, call->eval_len);
                redisFreeCommand(eval);
                if (r == REDIS_OK)
                        return;
                reply = NULL;
        }
        if (reply != NULL && reply->type == REDIS_REPLY_ERROR && link->sentinel != NULL &&
            strncmp(reply->str, "READONLY", 8) == 0)
                give_up(link, reply->str); /* it was the primary */
        link->pending--;
        if (call->done != NULL)
                call->done(call->user, reply);
        free_call(call);
}

static int check(const struct redis_link *link, const struct redis_args *args)
{
        size_t size = 0;

        if (args->argc > REDIS_ARGS_MAX)
                return -E2BIG;
        for (int i = 0; i < args->argc; i++) {
                if (args->len[i] > REDIS_COMMAND_SIZE_MAX)
                        return -E2BIG;
                size += args->len[i];
        }
        if (size > REDIS_COMMAND_SIZE_MAX)
                return -E2BIG;
        if (!link->up || link->ac == NULL)
                return -ENOTCONN;
        return link->pending >= link->options.pending_max ? -ENOBUFS : 0;
}

static int give(struct redis_link *link, const struct redis_args *args, struct call *call)
{
        /* hiredis 0.14 wants the pointers without const */
        if (redisAsyncCommandArgv(link->ac, replied, call, args->argc, (const char **)args->argv, args->len) !=
            REDIS_OK) {
                free_call(call);
                return -ENOTCONN;
        }
        link->pending++;
        return 0;
}

static struct call *new_call(struct redis_link *link, redis_fn *done, void *user)
{
        struct call *call = calloc(1, sizeof(*call));

        if (call != NULL)
                *call = (struct call){ .link = link, .done = done, .user = user };
        return call;
}

int redis_command(struct redis_link *link, const struct redis_args *args, redis_fn *done, void *user)
{
        struct call *call;
        int r = check(link, args);

        if (r < 0)
                return r;
        if ((call = new_call(link, done, user)) == NULL)
                return -ENOMEM;
        return give(link, args, call);
}

int redis_eval(struct redis_link *link, const struct redis_script *script, const struct redis_args *args,
               redis_fn *done, void *user)
{
        const char *argv[REDIS_ARGS_MAX];
        size_t len[REDIS_ARGS_MAX];
        struct call *call;
        long long size;
        int r = check(link, args);

        if (r < 0)
                return r;
        memcpy(argv, args->argv, (size_t)args->argc * sizeof(argv[0]));
        memcpy(len, args->len, (size_t)args->argc * sizeof(len[0]));
        argv[0] = "EVAL";
        len[0] = 4;
        argv[1] = script->text;
        len[1] = strlen(script->text);
        if ((call = new_call(link, done, user)) == NULL)
                return -ENOMEM;
        if ((size = redisFormatCommandArgv(&call->eval, args->argc, argv, len)) < 0) {
                call->eval = NULL;
                free_call(call);
                return -ENOMEM;
        }
        call->eval_len = (size_t)size;
        return give(link, args, call);
}
