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

#define WHY_SIZE 160

struct redis_link {
        struct loop *loop;
        struct redis_options options; /* its texts are the copies below */
        char *host, *user, *password;
        int port;              /* 0 = a unix socket */
        unsigned references;   /* the owner's, and one for the adapter */
        redisAsyncContext *ac; /* NULL = waiting for the next attempt */
        struct wheel_timer tick;
        int64_t heard_mono_ms, ping_mono_ms; /* last answer or attempt; when the next PING goes */
        bool asked;                          /* an answer to our own PING or AUTH is due */
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
        free(link->host);
        free(link->user);
        free(link->password);
        free(link);
}

/* split_address: the host in "host:port" or "[IPv6]:port", LEN octets from *RET_HOST; its port, or -EINVAL. */
static int split_address(const char *address, const char **ret_host, size_t *ret_len)
{
        const char *colon = strrchr(address, ':');
        size_t len = colon != NULL ? (size_t)(colon - address) : 0;
        char *rest = NULL;
        long port = colon != NULL && colon[1] >= '0' && colon[1] <= '9' ? strtol(colon + 1, &rest, 10) : 0;
        bool bracketed = len > 2 && address[0] == '[' && address[len - 1] == ']';

        *ret_host = address + bracketed;
        *ret_len = len - 2 * bracketed;
        if (port < 1 || port > 65535 || *rest != '\0' || *ret_len == 0 || strcspn(*ret_host, " /[]") < *ret_len ||
            (!bracketed && memchr(address, ':', len) != NULL))
                return -EINVAL;
        return (int)port;
}

bool redis_address_valid(const char *address)
{
        const char *host;
        size_t len;

        return address[0] == '/' ? strlen(address) <= REDIS_SOCKET_MAX : split_address(address, &host, &len) > 0;
}

static int parse_address(struct redis_link *link, const char *address)
{
        const char *host = address;
        size_t len = strlen(address);

        if (!redis_address_valid(address))
                return -EINVAL;
        link->port = address[0] == '/' ? 0 : split_address(address, &host, &len);
        return (link->host = strndup(host, len)) != NULL ? 0 : -ENOMEM;
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

        if (reply != NULL && reply->type == REDIS_REPLY_ERROR)
                give_up(link, reply->str);
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
        return r == REDIS_OK ? send_ping(link) : -EIO;
}

static void attempt(struct redis_link *link)
{
        const struct redis_poll_owner owner = { gone, freed, link };
        redisAsyncContext *ac;

        ac = link->port == 0 ? redisAsyncConnectUnix(link->host) : redisAsyncConnect(link->host, link->port);
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

static void ticked(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct redis_link *link = timer->user;

        if (link->ac == NULL) {
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

int redis_open(struct loop *loop, const struct redis_options *options, struct redis_link **ret_link)
{
        struct redis_link *link = calloc(1, sizeof(*link));
        int r;

        if (link == NULL)
                return -ENOMEM;
        link->references = 1;
        link->loop = loop;
        link->options = *options;
        if (link->options.pending_max == 0)
                link->options.pending_max = REDIS_PENDING_MAX;
        link->user = strdup(options->user != NULL ? options->user : "");
        link->password = strdup(options->password != NULL ? options->password : "");
        r = parse_address(link, options->address);
        if (r == 0 && (link->user == NULL || link->password == NULL))
                r = -ENOMEM;
        if (r < 0) {
                unref(link);
                return r;
        }
        wheel_timer_init(&link->tick, ticked, link);
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
