#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "dispatcher/link_inside.h"

struct conn *conn_find(const struct link *link, uint64_t number)
{
        uint32_t slot = (uint32_t)number;

        if (slot >= link->options.connections_max || link->slots[slot].conn == NULL ||
            link->slots[slot].conn->number != number)
                return NULL;
        return link->slots[slot].conn;
}

/* cut: end a connection without a word, from outside its callbacks. */
void conn_cut(struct conn *conn)
{
        lws_set_timeout(conn->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
}

void conn_arm(struct conn *conn, int64_t in_ms)
{
        loop_timer_arm(conn->link->options.loop, &conn->timer, clock_mono_ms() + in_ms);
}

/* is_stalled: say whether it is the peer who lets this connection wait: nothing from it for a while, and nothing
 * unread. */
static bool is_stalled(const struct conn *conn)
{
        struct tcp_info info;
        socklen_t len = sizeof(info);
        int fd = lws_get_socket_fd(conn->wsi), unread = 0;

        if (fd < 0 || getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0 || ioctl(fd, FIONREAD, &unread) < 0)
                return true;
        return info.tcpi_last_data_recv >= LINK_STALLED_MS && unread == 0;
}

void conn_shut(struct conn *conn, unsigned code)
{
        if (conn->closing)
                return;
        conn->closing = true;
        conn->code = code;
        lws_callback_on_writable(conn->wsi);
        conn_arm(conn, LINK_CLOSE_MS);
}

/* on_timer: the connection has been quiet for the time its state allows. */
static void on_timer(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct conn *conn = timer->user;

        if (conn->wsi == NULL)
                return;
        if (conn->closing || (!conn->established && conn->pinged)) {
                conn_cut(conn);
        } else if (!conn->established) {
                if (listener_is_crowded(conn->link->listener) && is_stalled(conn)) {
                        conn_cut(conn);
                } else {
                        conn->pinged = true; /* looked at once: the next time is the last */
                        conn_arm(conn, LINK_HANDSHAKE_MS - LINK_HURRY_MS);
                }
        } else if (!conn->heard || conn->pinged) {
                conn->link->counts.silent++;
                conn_shut(conn, LINK_GOING_AWAY);
        } else {
                conn->pinged = conn->ping_wanted = true;
                lws_callback_on_writable(conn->wsi);
                conn_arm(conn, conn->link->options.silent_ms - conn->link->options.ping_ms);
        }
}

static void free_frames(struct conn *conn)
{
        while (conn->first != NULL) {
                struct out_frame *frame = conn->first;

                conn->first = frame->next;
                free(frame);
        }
        conn->end = &conn->first;
        conn->queued = 0;
        conn->queued_octets = 0;
}

void conn_free(struct conn *conn)
{
        struct link *link = conn->link;
        uint32_t slot = (uint32_t)conn->number;

        link->slots[slot].conn = NULL;
        link->slots[slot].next_free = link->first_free;
        link->first_free = slot;
        loop_timer_cancel(link->options.loop, &conn->timer);
        free_frames(conn);
        free(conn->partial);
        free(conn);
}

struct conn *conn_new(struct link *link)
{
        uint32_t slot = link->first_free;
        struct conn *conn = slot != NO_SLOT ? calloc(1, sizeof(*conn)) : NULL;

        if (conn == NULL)
                return NULL;
        link->first_free = link->slots[slot].next_free;
        link->slots[slot].conn = conn;
        if (++link->slots[slot].generation == 0)
                link->slots[slot].generation = 1;
        conn->link = link;
        conn->number = (uint64_t)link->slots[slot].generation << 32 | slot;
        conn->end = &conn->first;
        wheel_timer_init(&conn->timer, on_timer, conn);
        return conn;
}

void conn_heard(struct conn *conn)
{
        conn->heard = true;
        conn->pinged = conn->ping_wanted = false;
        if (!conn->closing)
                conn_arm(conn, conn->link->options.ping_ms);
}

int conn_queue(struct conn *conn, const uint8_t *data, size_t len)
{
        struct out_frame *frame;

        if (conn->queued >= LINK_QUEUE_FRAMES || conn->queued_octets + len > LINK_QUEUE_OCTETS) {
                conn->link->counts.overrun++;
                free_frames(conn);
                conn_shut(conn, LINK_TRY_LATER);
                return -ENOBUFS;
        }
        frame = malloc(sizeof(*frame) + LWS_PRE + len);
        if (frame == NULL)
                return -ENOMEM;
        frame->next = NULL;
        frame->len = len;
        memcpy(frame->data + LWS_PRE, data, len);
        *conn->end = frame;
        conn->end = &frame->next;
        conn->queued++;
        conn->queued_octets += (uint32_t)len;
        lws_callback_on_writable(conn->wsi);
        return 0;
}
