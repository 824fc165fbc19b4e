#include "console/listener.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "base/loop.h"

struct listener {
        struct listener_options options;
        uv_poll_t poll;
        bool has_poll, polls;
        int fd, port;
        size_t held;
        struct wheel_timer rest;
};

static void on_connection(uv_poll_t *poll, int status, int events);

/* poll_again: accept when there is room, and only then. */
static void poll_again(struct listener *l)
{
        bool room = l->held < l->options.held_max;

        if (!l->has_poll || room == l->polls)
                return;
        l->polls = room;
        if (room)
                uv_poll_start(&l->poll, UV_READABLE, on_connection);
        else
                uv_poll_stop(&l->poll);
}

static void rest(struct listener *l)
{
        uv_poll_stop(&l->poll);
        l->polls = false;
        loop_timer_arm(l->options.loop, &l->rest, clock_mono_ms() + LISTENER_REST_MS);
}

static void on_rested(struct wheel_timer *timer, int64_t now_mono_ms)
{
        poll_again(timer->user);
}

static void on_connection(uv_poll_t *poll, int status, int events)
{
        struct listener *l = poll->data;

        for (int i = 0; i < LISTENER_BATCH && l->held < l->options.held_max; i++) {
                int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

                if (fd < 0) {
                        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
                                rest(l);
                                return;
                        }
                        break; /* EAGAIN, or a connection that is gone already */
                }
                setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
                setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &(unsigned){ LISTENER_DEAD_MS }, sizeof(unsigned));
                l->held++;
                l->options.accepted(l->options.user, fd);
        }
        poll_again(l);
}

static int bind_address(struct listener *l, const char *address, int port)
{
        struct sockaddr_in in4 = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
        struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
        socklen_t len = sizeof(in6);
        bool is_4 = inet_pton(AF_INET, address, &in4.sin_addr) == 1;
        int r;

        if (!is_4 && inet_pton(AF_INET6, address, &in6.sin6_addr) != 1)
                return -EINVAL;
        if ((l->fd = socket(is_4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) < 0)
                return -errno;
        setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
        if (!is_4)
                setsockopt(l->fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){ 0 }, sizeof(int));
        r = is_4 ? bind(l->fd, (struct sockaddr *)&in4, sizeof(in4))
                 : bind(l->fd, (struct sockaddr *)&in6, sizeof(in6));
        if (r < 0 || listen(l->fd, LISTENER_BACKLOG) < 0 || getsockname(l->fd, (struct sockaddr *)&in6, &len) < 0)
                return -errno;
        l->port = ntohs(in6.sin6_port); /* at the same place in both */
        return 0;
}

int listener_open(const struct listener_options *options, struct listener **ret_listener)
{
        struct listener *l = calloc(1, sizeof(*l));
        int r;

        if (l == NULL)
                return -ENOMEM;
        l->options = *options;
        l->options.address = NULL;
        l->fd = -1;
        wheel_timer_init(&l->rest, on_rested, l);
        if ((r = bind_address(l, options->address, options->port)) < 0) {
                listener_close(l);
                return r;
        }
        *ret_listener = l;
        return 0;
}

int listener_start(struct listener *l)
{
        int r = uv_poll_init(loop_uv(l->options.loop), &l->poll, l->fd);

        if (r < 0)
                return r;
        l->poll.data = l;
        l->has_poll = true;
        poll_again(l);
        return 0;
}

int listener_port(const struct listener *l)
{
        return l->port;
}

void listener_gone(struct listener *l)
{
        assert(l->held > 0);
        l->held--;
        if (!wheel_timer_is_armed(&l->rest))
                poll_again(l);
}

size_t listener_held(const struct listener *l)
{
        return l->held;
}

static void on_closed(uv_handle_t *handle)
{
        free(handle->data);
}

void listener_close(struct listener *l)
{
        if (l == NULL)
                return;
        loop_timer_cancel(l->options.loop, &l->rest);
        if (l->has_poll) {
                l->has_poll = false;
                uv_close((uv_handle_t *)&l->poll, on_closed);
                close(l->fd);
                return;
        }
        if (l->fd >= 0)
                close(l->fd);
        free(l);
}
