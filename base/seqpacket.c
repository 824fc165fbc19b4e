#include "base/seqpacket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include "base/loop.h"

struct question {
        struct question *next;
        seqpacket_fn *done;
        void *user;
        int64_t due_mono_ms;
        bool sent;
        size_t len;
        uint8_t data[];
};

struct seqpacket {
        struct loop *loop;
        struct seqpacket_options options;
        struct sockaddr_un address;
        struct wheel_timer timer; /* not up: the next attempt; up: the oldest question's end */
        uv_poll_t *poll;          /* NULL: not connected */
        int fd;
        struct question *first, **last;
        size_t count;
        const char *why; /* what was told last; "" when up */
        uint8_t *answer; /* answer_max + 1 octets: one that is too long shows */
};

static void tell(struct seqpacket *link, const char *why)
{
        if (link->why == why)
                return;
        link->why = why;
        if (link->options.state != NULL)
                link->options.state(link->options.user, why[0] == '\0', why[0] != '\0' ? why : NULL);
}

static void on_closed(uv_handle_t *handle)
{
        close((int)(intptr_t)handle->data);
        free(handle);
}

/* disconnect: the socket is closed by libuv's next turn, which is when nobody polls it any more. */
static void disconnect(struct seqpacket *link)
{
        if (link->poll == NULL)
                return;
        uv_poll_stop(link->poll);
        link->poll->data = (void *)(intptr_t)link->fd;
        uv_close((uv_handle_t *)link->poll, on_closed);
        link->poll = NULL;
        link->fd = -1;
}

static struct question *take_first(struct seqpacket *link)
{
        struct question *q = link->first;

        if (q == NULL)
                return NULL;
        link->first = q->next;
        if (link->first == NULL)
                link->last = &link->first;
        link->count--;
        return q;
}

/* answer_all: whoever waits now is answered NULL; questions asked meanwhile are none of them. */
static void answer_all(struct seqpacket *link)
{
        struct question *list = link->first, *next;

        link->first = NULL;
        link->last = &link->first;
        link->count = 0;
        for (; list != NULL; list = next) {
                next = list->next;
                list->done(list->user, NULL, 0);
                free(list);
        }
}

static void drop(struct seqpacket *link, const char *why)
{
        disconnect(link);
        loop_timer_arm(link->loop, &link->timer, clock_mono_ms() + SEQPACKET_RETRY_MS);
        answer_all(link);
        tell(link, why);
}

static void on_ready(uv_poll_t *poll, int status, int events);

static void watch(struct seqpacket *link, bool write)
{
        uv_poll_start(link->poll, UV_READABLE | (write ? UV_WRITABLE : 0), on_ready);
}

static void arm(struct seqpacket *link)
{
        if (link->first != NULL)
                loop_timer_arm(link->loop, &link->timer, link->first->due_mono_ms);
        else
                loop_timer_cancel(link->loop, &link->timer);
}

/* send_all: what is not sent yet, until the socket is full.  Returns 0 or a negative errno: the link is broken. */
static int send_all(struct seqpacket *link)
{
        for (struct question *q = link->first; q != NULL; q = q->next) {
                if (q->sent)
                        continue;
                if (send(link->fd, q->data, q->len, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)q->len) {
                        if (errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS && errno != EINTR)
                                return -errno;
                        watch(link, true);
                        return 0;
                }
                q->sent = true;
        }
        watch(link, false);
        return 0;
}

/* receive: one answer.  Returns 1, 0 (none there), negative: the link is broken. */
static int receive(struct seqpacket *link)
{
        struct question *q;
        ssize_t len = recv(link->fd, link->answer, link->options.answer_max + 1, MSG_DONTWAIT);

        if (len < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
                return 0;
        if (len <= 0 || (size_t)len > link->options.answer_max || link->first == NULL || !link->first->sent)
                return -EPROTO;
        q = take_first(link);
        arm(link);
        q->done(q->user, link->answer, (size_t)len);
        free(q);
        return 1;
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
        struct seqpacket *link = poll->data;
        int r = status < 0 ? status : 1;

        while (r == 1 && link->poll == poll && (events & (UV_READABLE | UV_DISCONNECT)) != 0)
                r = receive(link);
        if (r >= 0 && (events & UV_WRITABLE) != 0)
                r = send_all(link);
        if (r < 0)
                drop(link, "it hung up, or said what was not asked");
}

static void try(struct seqpacket *link)
{
        uv_poll_t *poll = malloc(sizeof(*poll));
        int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        if (poll != NULL && fd >= 0 &&
            connect(fd, (const struct sockaddr *)&link->address, sizeof(link->address)) == 0 &&
            uv_poll_init(loop_uv(link->loop), poll, fd) == 0) {
                poll->data = link;
                link->poll = poll;
                link->fd = fd;
                watch(link, false);
                tell(link, "");
                return;
        }
        if (fd >= 0)
                close(fd);
        free(poll);
        loop_timer_arm(link->loop, &link->timer, clock_mono_ms() + SEQPACKET_RETRY_MS);
        tell(link, "nobody listens there, or we may not connect");
}

static void on_timer(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct seqpacket *link = timer->user;

        if (link->poll == NULL)
                try(link);
        else
                drop(link, "no answer in time");
}

int seqpacket_open(struct loop *loop, const struct seqpacket_options *options, struct seqpacket **ret_link)
{
        struct seqpacket *link;

        if (strlen(options->path) >= sizeof(link->address.sun_path))
                return -ENAMETOOLONG;
        if ((link = calloc(1, sizeof(*link))) == NULL || (link->answer = malloc(options->answer_max + 1)) == NULL) {
                free(link);
                return -ENOMEM;
        }
        link->loop = loop;
        link->options = *options;
        link->fd = -1;
        link->last = &link->first;
        link->address.sun_family = AF_UNIX;
        strcpy(link->address.sun_path, options->path);
        wheel_timer_init(&link->timer, on_timer, link);
        loop_timer_arm(loop, &link->timer, clock_mono_ms());
        *ret_link = link;
        return 0;
}

void seqpacket_close(struct seqpacket *link)
{
        if (link == NULL)
                return;
        loop_timer_cancel(link->loop, &link->timer);
        disconnect(link);
        answer_all(link);
        free(link->answer);
        free(link);
}

bool seqpacket_is_up(const struct seqpacket *link)
{
        return link->poll != NULL;
}

int seqpacket_ask(struct seqpacket *link, const void *data, size_t len, seqpacket_fn *done, void *user)
{
        struct question *q;

        if (len == 0)
                return -EINVAL;
        if (link->poll == NULL)
                return -ENOTCONN;
        if (link->count == SEQPACKET_PENDING_MAX)
                return -ENOBUFS;
        if ((q = malloc(sizeof(*q) + len)) == NULL)
                return -ENOMEM;
        *q = (struct question){ .done = done, .user = user, .len = len };
        q->due_mono_ms = clock_mono_ms() + SEQPACKET_TIMEOUT_MS;
        memcpy(q->data, data, len);
        *link->last = q;
        link->last = &q->next;
        link->count++;
        arm(link);
        watch(link, true); /* sent in the loop's next turn: nothing is called back from within this call */
        return 0;
}
