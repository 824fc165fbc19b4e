/* hiredis on libuv: our own adapter.  The one that comes with hiredis forgets to tell it of a refused connect (libuv
 * stops polling and says UV_EBADF).  For base/redis.c. */
#ifndef BASE_REDIS_POLL_H
#define BASE_REDIS_POLL_H

struct redisAsyncContext;
struct uv_loop_s;

/* Who uses the context. */
struct redis_poll_owner {
        /* Once, when hiredis lets go of the context, which can still be read in it.  The answers of commands that
         * waited come before it (hiredis 0.14) or after it (1.x), with nothing in between. */
        void (*gone)(void *user);
        /* Once, in a later turn of the loop, when nothing of the adapter is left: USER may go then. */
        void (*freed)(void *user);
        void *user;
};

/* redis_poll_attach: let UV drive AC.
 * Returns 0 or a negative errno: then nothing is called. */
int redis_poll_attach(struct uv_loop_s *uv, struct redisAsyncContext *ac, const struct redis_poll_owner *owner);

#endif
