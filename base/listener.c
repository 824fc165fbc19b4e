#include "base/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "base/loop.h"

/* A TLS record (RFC 8446 section 5.1): type, version, length; the longest plaintext. */
#define RECORD_HEAD      5
#define RECORD_HANDSHAKE 22
#define RECORD_LONGEST   16384

/* A place in one of the two queues: silent (nothing read yet) and ready (something to read, no handshake place). */
struct guest {
        struct guest *next, *prev;
        struct listener *listener;
        uv_poll_t poll;
        struct wheel_timer timer;
        int fd;
        int64_t until_mono_ms; /* then it is closed */
        int64_t pause_ms;      /* until it is looked at again; 0: the kernel tells */
};

struct listener {
        struct listener_options options;
        struct sockaddr_storage address;
        socklen_t address_len;
        int fd; /* -1: not listening */
        uv_poll_t *poll;
        struct wheel_timer rest;
        struct guest silent, ready; /* heads of rings, oldest first */
        bool passing;               /* in pass_on: a socket that fails at once must not nest another round */
        struct listener_counts counts;
};

static void ring_init(struct guest *head)
{
        head->next = head->prev = head;
}

static void ring_add(struct guest *head, struct guest *guest)
{
        guest->prev = head->prev;
        guest->next = head;
        head->prev->next = guest;
        head->prev = guest;
}

static void ring_remove(struct guest *guest)
{
        guest->prev->next = guest->next;
        guest->next->prev = guest->prev;
}

static void free_guest(uv_handle_t *handle)
{
        free(handle->data);
}

/* leave: take GUEST out of the waiting room; gives its socket. */
static int leave(struct guest *guest)
{
        int fd = guest->fd;

        ring_remove(guest);
        loop_timer_cancel(guest->listener->options.loop, &guest->timer);
        guest->listener->counts.waiting--;
        uv_close((uv_handle_t *)&guest->poll, free_guest); /* stops polling at once, frees later */
        return fd;
}

/* close_hard: end a connection with RST: it leaves no TIME_WAIT behind, and the peer knows at once. */
static void close_hard(int fd)
{
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger));
        close(fd);
}

/* pass_on: give ready guests to the owner while there are handshake places. */
static void pass_on(struct listener *l)
{
        if (l->passing)
                return;
        l->passing = true;
        while (l->ready.next != &l->ready && (size_t)l->counts.handshakes < l->options.handshakes_max) {
                int fd = leave(l->ready.next);

                l->counts.handshakes++;
                l->counts.held++;
                l->options.ready(l->options.user, fd);
        }
        l->passing = false;
}

/* look_at_hello: say whether the whole first TLS record is there, which holds the ClientHello; it is only looked at.
 * Returns 1, 0 (more is to come), -EPROTO (no TLS, or gone). */
static int look_at_hello(const struct guest *guest)
{
        uint8_t head[RECORD_HEAD];
        ssize_t n = recv(guest->fd, head, sizeof(head), MSG_PEEK);
        int there = 0, length;

        if (n <= 0 || head[0] != RECORD_HANDSHAKE || ioctl(guest->fd, FIONREAD, &there) < 0)
                return -EPROTO;
        if (n < RECORD_HEAD)
                return 0;
        length = head[3] << 8 | head[4];
        if (length > RECORD_LONGEST)
                return -EPROTO;
        return there >= RECORD_HEAD + length;
}

/* look: go on with a guest that has sent something.  One that has sent a part is looked at again later and later: the kernel
 * would call it readable all the time. */
static void look(struct guest *guest, int64_t now_mono_ms)
{
        struct listener *l = guest->listener;
        int r = look_at_hello(guest);

        uv_poll_stop(&guest->poll);
        if (r < 0) {
                l->counts.refused++;
                close_hard(leave(guest));
        } else if (r == 0) {
                guest->pause_ms = guest->pause_ms == 0 ? LISTENER_LOOK_MS : 2 * guest->pause_ms;
                loop_timer_arm(l->options.loop, &guest->timer,
                               now_mono_ms + guest->pause_ms < guest->until_mono_ms ? now_mono_ms + guest->pause_ms
                                                                                    : guest->until_mono_ms);
        } else {
                loop_timer_arm(l->options.loop, &guest->timer, guest->until_mono_ms);
                guest->pause_ms = 0;
                ring_remove(guest);
                ring_add(&l->ready, guest);
                pass_on(l);
        }
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
        look(poll->data, clock_mono_ms());
}

static void on_timer(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct guest *guest = timer->user;

        if (now_mono_ms < guest->until_mono_ms) {
                look(guest, now_mono_ms);
        } else {
                guest->listener->counts.timed_out++;
                close_hard(leave(guest));
        }
}

/* make_room: say whether one more connection may come in; the longest silent one gives way to it, else whom the owner
 * chooses. */
static bool make_room(struct listener *l)
{
        if ((size_t)(l->counts.waiting + l->counts.held) < l->options.connections_max)
                return true;
        l->counts.turned_away++;
        if (l->silent.next == &l->silent)
                return l->options.full != NULL && l->options.full(l->options.user);
        close_hard(leave(l->silent.next));
        return true;
}

/* welcome: put FD into the waiting room.  Returns 0 or a negative errno; FD is then still the caller's. */
static int welcome(struct listener *l, int fd)
{
        struct guest *guest;
        int r;

        if (!make_room(l))
                return -EMFILE;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
        guest = calloc(1, sizeof(*guest));
        if (guest == NULL)
                return -ENOMEM;
        r = uv_poll_init(loop_uv(l->options.loop), &guest->poll, fd);
        if (r < 0) {
                free(guest);
                return r;
        }
        guest->listener = l;
        guest->fd = fd;
        guest->poll.data = guest;
        wheel_timer_init(&guest->timer, on_timer, guest);
        guest->until_mono_ms = clock_mono_ms() + LISTENER_WAIT_MS;
        loop_timer_arm(l->options.loop, &guest->timer, guest->until_mono_ms);
        ring_add(&l->silent, guest);
        l->counts.waiting++;
        uv_poll_start(&guest->poll, UV_READABLE, on_readable);
        return 0;
}

static void on_accept(uv_poll_t *poll, int status, int events)
{
        struct listener *l = poll->data;

        for (int i = 0; i < LISTENER_BATCH; i++) {
                int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

                if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
                        l->counts.turned_away++;
                        uv_poll_stop(l->poll);
                        loop_timer_arm(l->options.loop, &l->rest, clock_mono_ms() + LISTENER_REST_MS);
                }
                if (fd < 0)
                        return; /* the others are EAGAIN, or a connection that has gone meanwhile */
                l->counts.accepted++;
                if (welcome(l, fd) < 0)
                        close_hard(fd);
        }
}

static void on_rested(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct listener *l = timer->user;

        if (l->poll != NULL)
                uv_poll_start(l->poll, UV_READABLE, on_accept);
}

static int read_address(struct listener *l)
{
        struct sockaddr_in *in4 = (struct sockaddr_in *)&l->address;
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&l->address;

        if (inet_pton(AF_INET, l->options.address, &in4->sin_addr) == 1) {
                in4->sin_family = AF_INET;
                in4->sin_port = htons((uint16_t)l->options.port);
                l->address_len = sizeof(*in4);
                return 0;
        }
        if (inet_pton(AF_INET6, l->options.address, &in6->sin6_addr) != 1)
                return -EINVAL;
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons((uint16_t)l->options.port);
        l->address_len = sizeof(*in6);
        return 0;
}

/* open_socket: bind and listen on l->address, which then holds the port that was bound. */
static int open_socket(struct listener *l)
{
        int one = 1, zero = 0, r = 0;

        l->fd = socket(l->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (l->fd < 0)
                return -errno;
        setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
        if (l->address.ss_family == AF_INET6)
                setsockopt(l->fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
        if (setsockopt(l->fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) < 0 ||
            bind(l->fd, (struct sockaddr *)&l->address, l->address_len) < 0 || listen(l->fd, LISTENER_BACKLOG) < 0 ||
            getsockname(l->fd, (struct sockaddr *)&l->address, &l->address_len) < 0)
                r = -errno;
        if (r < 0) {
                close(l->fd);
                l->fd = -1;
        }
        return r;
}

int listener_open(const struct listener_options *options, struct listener **ret_listener)
{
        struct listener *l = calloc(1, sizeof(*l));
        int r;

        if (l == NULL)
                return -ENOMEM;
        l->options = *options;
        l->fd = -1;
        ring_init(&l->silent);
        ring_init(&l->ready);
        wheel_timer_init(&l->rest, on_rested, l);
        r = read_address(l);
        l->options.address = NULL; /* borrowed for this call */
        if (r < 0 || (r = open_socket(l)) < 0) {
                listener_close(l);
                return r;
        }
        *ret_listener = l;
        return 0;
}

static void free_poll(uv_handle_t *handle)
{
        free(handle);
}

int listener_start(struct listener *l)
{
        int r;

        if (l->poll != NULL)
                return 0;
        if (l->fd < 0 && (r = open_socket(l)) < 0)
                return r;
        l->poll = calloc(1, sizeof(*l->poll));
        if (l->poll == NULL)
                return -ENOMEM;
        r = uv_poll_init(loop_uv(l->options.loop), l->poll, l->fd);
        if (r < 0) {
                free(l->poll);
                l->poll = NULL;
                return r;
        }
        l->poll->data = l;
        return uv_poll_start(l->poll, UV_READABLE, on_accept);
}

void listener_leave(struct listener *l)
{
        if (l->poll != NULL)
                uv_close((uv_handle_t *)l->poll, free_poll);
        l->poll = NULL;
        if (l->fd >= 0)
                close(l->fd);
        l->fd = -1;
        loop_timer_cancel(l->options.loop, &l->rest);
}

void listener_stop(struct listener *l)
{
        listener_leave(l);
        while (l->silent.next != &l->silent)
                close_hard(leave(l->silent.next));
        while (l->ready.next != &l->ready)
                close_hard(leave(l->ready.next));
}

void listener_close(struct listener *l)
{
        if (l == NULL)
                return;
        listener_stop(l);
        free(l);
}

int listener_port(const struct listener *l)
{
        if (l->address.ss_family == AF_INET6)
                return ntohs(((const struct sockaddr_in6 *)&l->address)->sin6_port);
        return ntohs(((const struct sockaddr_in *)&l->address)->sin_port);
}

void listener_established(struct listener *l)
{
        l->counts.handshakes--;
        pass_on(l);
}

int listener_raise_files(uint64_t wanted, uint64_t *ret_max)
{
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                return -errno;
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
                return -errno;
        if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= wanted)
                return 0;
        *ret_max = limit.rlim_cur;
        return -EMFILE;
}

void listener_gone(struct listener *l, bool established)
{
        l->counts.held--;
        if (!established)
                listener_established(l);
}

bool listener_is_crowded(const struct listener *l)
{
        return l->ready.next != &l->ready;
}

const struct listener_counts *listener_counts(const struct listener *l)
{
        return &l->counts;
}
