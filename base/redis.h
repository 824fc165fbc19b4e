/* A link to one Redis: hiredis async on our loop with our own adapter (the stock one never reports a refused connect).
 * It finds the server (by Sentinels, where the address says so), connects, authenticates, PINGs, and is then up; it notices a server that is gone or stopped within
 * REDIS_WATCHDOG_MS, and tries again for ever.  A command is answered exactly once: with a reply, or with NULL, which
 * means UNKNOWN: it may or may not have been done; repeat it only if it is idempotent.  For hiredis 0.14 and 1.x.
 * Loop's thread only. */
#ifndef BASE_REDIS_H
#define BASE_REDIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/redis_address.h"

struct loop;
struct redis_link;
struct redisReply; /* <hiredis/hiredis.h> */

/* Between two attempts: 200 ms and up to 100 more at random, so that a fleet of processes does not come back in
 * step. */
#define REDIS_RETRY_MS         200
#define REDIS_RETRY_JITTER_MS  100
/* Behind Sentinels: so often they are asked whether the primary is still the same one; while not up, at every retry. */
#define REDIS_LOOK_MS          1000
/* PING each second; no answer (or not up) within 2 s and the link is dropped.  A server under SIGSTOP gives no
 * error. */
#define REDIS_PING_MS          1000
#define REDIS_WATCHDOG_MS      2000
/* Commands that may wait for their answer on one link, unless the options say another number: 2 s at 5,000/s.  The
 * next one gives -ENOBUFS. */
#define REDIS_PENDING_MAX      10000
/* Largest BLOCK for XREAD and XREADGROUP on a blocking link: so short that the PING behind it is answered in time. */
#define REDIS_BLOCK_MS         1000
/* Words of one command, and octets of all of them.  Over either gives -E2BIG. */
#define REDIS_ARGS_MAX         128
#define REDIS_COMMAND_SIZE_MAX (1024 * 1024)
/* Numbers among the words.  One more gives -E2BIG. */
#define REDIS_NUMBERS_MAX      32

struct redis_options {
        /* As base/redis_address.h reads it; a host's name is looked up while the loop waits.  Behind Sentinels the
         * primary is asked for at each attempt and each second, the server must say that it is one (ROLE) before the
         * link is up, and the link is dropped where it is one no more. */
        const char *address;
        const char *user;     /* ACL user; NULL or "" = default */
        const char *password; /* NULL or "" = no AUTH */
        size_t pending_max;   /* 0 = REDIS_PENDING_MAX */
        bool auth_may_fail;   /* a refused AUTH alone is no reason not to come up: for Sentinels without users */
        bool blocking;        /* for XREAD BLOCK and the like: the watchdog allows REDIS_BLOCK_MS more */
        /* The link came up, or went down (or an attempt failed with another reason than the one before): WHY is a
         * short text, NULL when up.  May be NULL.  Commands may be given from it. */
        void (*state)(void *user_data, bool up, const char *why);
        void *user_data;
};

/* redis_address_valid: say whether ADDRESS has a shape that redis_address_parse reads: for a configuration's check. */
bool redis_address_valid(const char *address);

/* redis_open: begin to connect.  Options are copied.  Never waits; the state callback tells.
 * Returns 0, -EINVAL (address cannot be read), -E2BIG (it is over a bound of base/redis_address.h), -ENOMEM. */
int redis_open(struct loop *loop, const struct redis_options *options, struct redis_link **ret_link);

/* redis_close: end the link; NULL does nothing.  Waiting commands are answered NULL before this returns (in a
 * callback of this link: before the loop's next turn); no state callback comes.  Memory goes in the loop's next
 * turns: before loop_close. */
void redis_close(struct redis_link *link);

/* redis_is_up: say whether commands are taken. */
bool redis_is_up(const struct redis_link *link);

/* redis_pending: how many commands wait for their answer. */
size_t redis_pending(const struct redis_link *link);

/* The answer.  REPLY is hiredis's, freed after this returns; an error of Redis is a reply of type REDIS_REPLY_ERROR;
 * NULL = unknown (the link broke).  May give further commands, and may close the link. */
typedef void redis_fn(void *user, struct redisReply *reply);

/* The words of a command, put together without heap: redis_args_init(&a, "XADD"), redis_arg(&a, key) ...  Pointers
 * are borrowed until the command is given; numbers are written into the struct, which must not be copied.  Too many
 * words are remembered and reported by redis_command. */
struct redis_args {
        int argc;
        int numbers;
        const char *argv[REDIS_ARGS_MAX];
        size_t len[REDIS_ARGS_MAX];
        char number[REDIS_NUMBERS_MAX][24];
};

/* redis_args_init: begin with the command's name. */
void redis_args_init(struct redis_args *args, const char *command);

/* redis_arg: add a text. */
void redis_arg(struct redis_args *args, const char *text);

/* redis_arg_data: add LEN octets. */
void redis_arg_data(struct redis_args *args, const void *data, size_t len);

/* redis_arg_int: add a number. */
void redis_arg_int(struct redis_args *args, int64_t number);

/* redis_command: send a command.
 *   done  called once with the answer, never from within this call; NULL = nobody asks
 * Returns 0, -ENOTCONN (not up), -ENOBUFS (pending_max wait already), -E2BIG (too many words or octets), -ENOMEM.  On
 * an error DONE is not called. */
int redis_command(struct redis_link *link, const struct redis_args *args, redis_fn *done, void *user);

/* A Lua script and its SHA-1. */
struct redis_script {
        const char *text; /* borrowed for ever */
        char sha1[41];
};

/* redis_script_init: compute the SHA-1.  Returns 0 or -ENOMEM (libcrypto). */
int redis_script_init(struct redis_script *script, const char *text);

/* redis_eval: run SCRIPT: EVALSHA, and where Redis does not know it (restarted, flushed) EVAL.  The fallback runs
 * after commands given meanwhile.
 *   args  begun with redis_args_init(&args, "EVALSHA"), redis_arg(&args, script->sha1), then the number of keys,
 *         keys, arguments
 * Errors and DONE as redis_command; the words are copied for the fallback. */
int redis_eval(struct redis_link *link, const struct redis_script *script, const struct redis_args *args,
               redis_fn *done, void *user);

#endif
