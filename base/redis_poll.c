#include "base/redis_poll.h"

#include <errno.h>
#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <uv.h>

struct redis_poll {
        uv_poll_t handle;
        redisAsyncContext *ac; /* NULL once hiredis let go */
        int events;
        struct redis_poll_owner owner;
};

static void ready(uv_poll_t *handle, int status, int events)
{
        struct redis_poll *poll = handle->data;

        if (status < 0) /* reading or writing will find out what it is */
                events = UV_READABLE | UV_WRITABLE;
        if (poll->ac != NULL && (events & UV_READABLE) != 0)
                redisAsyncHandleRead(poll->ac);
        if (poll->ac != NULL && (events & UV_WRITABLE) != 0)
                redisAsyncHandleWrite(poll->ac);
}

static void set_events(struct redis_poll *poll, int events)
{
        if (poll->ac == NULL || poll->events == events)
                return;
        poll->events = events;
        if (events != 0)
                uv_poll_start(&poll->handle, events, ready);
        else
                uv_poll_stop(&poll->handle);
}

static void add_read(void *data)
{
        struct redis_poll *poll = data;

        set_events(poll, poll->events | UV_READABLE);
}

static void del_read(void *data)
{
        struct redis_poll *poll = data;

        set_events(poll, poll->events & ~UV_READABLE);
}

static void add_write(void *data)
{
        struct redis_poll *poll = data;

        set_events(poll, poll->events | UV_WRITABLE);
}

static void del_write(void *data)
{
        struct redis_poll *poll = data;

        set_events(poll, poll->events & ~UV_WRITABLE);
}

static void closed(uv_handle_t *handle)
{
        struct redis_poll *poll = handle->data;

        poll->owner.freed(poll->owner.user);
        free(poll);
}

/* hiredis closes the socket after this; uv has forgotten it then. */
static void cleanup(void *data)
{
        struct redis_poll *poll = data;

        if (poll->ac == NULL)
                return;
        poll->owner.gone(poll->owner.user);
        poll->ac = NULL;
        uv_close((uv_handle_t *)&poll->handle, closed);
}

int redis_poll_attach(struct uv_loop_s *uv, struct redisAsyncContext *ac, const struct redis_poll_owner *owner)
{
        struct redis_poll *poll = calloc(1, sizeof(*poll));
        int r;

        if (poll == NULL)
                return -ENOMEM;
        if ((r = uv_poll_init(uv, &poll->handle, ac->c.fd)) < 0) {
                free(poll);
                return r;
        }
        poll->handle.data = poll;
        poll->ac = ac;
        poll->owner = *owner;
        ac->ev.data = poll;
        ac->ev.addRead = add_read;
        ac->ev.delRead = del_read;
        ac->ev.addWrite = add_write;
        ac->ev.delWrite = del_write;
        ac->ev.cleanup = cleanup;
        return 0;
}
