/* hiredis on libuv: our own adapter.  The one that comes with hiredis forgets to tell it of a refused connect (libuv stops polling
 * and says UV_EBADF).  For base/redis.c. */
#ifndef BASE_REDIS_POLL_H
#define BASE_REDIS_POLL_H

struct redisAsyncContext;
struct uv_loop_s;

/* redis_poll_attach: let UV drive AC.
 *   gone   called once, when hiredis lets go of AC (AC can still be read in it)
 *   freed  called once, in a later turn of the loop, when nothing of the adapter is left; USER may go then
 * Returns 0 or a negative errno; neither is called then. */
struct redis_poll_owner {
        void (*gone)(void *user);
        void (*freed)(void *user);
        void *user;
};
int redis_poll_attach(struct uv_loop_s *uv, struct redisAsyncContext *ac, const struct redis_poll_owner *owner);

#endif
