/* Inside the link: for link.c (libwebsockets and the service) and conn.c (one connection) alone. */
#ifndef DISPATCHER_LINK_INSIDE_H
#define DISPATCHER_LINK_INSIDE_H

#include <libwebsockets.h>

#include "base/loop.h"
#include "dispatcher/link.h"

struct out_frame {
        struct out_frame *next;
        size_t len;
        uint8_t data[]; /* LWS_PRE octets for libwebsockets, then the frame */
};

/* One connection given on by the listener; a session once `established`. */
struct conn {
        struct link *link;
        struct lws *wsi;
        uint64_t number;
        struct wheel_timer timer;
        bool established, heard, pinged, ping_wanted, closing, close_sent, spared;
        unsigned code;
        uint16_t queued;
        uint32_t queued_octets;
        struct out_frame *first, **end;
        uint8_t *partial; /* a frame that came in pieces; NULL between frames */
        size_t partial_len;
};

struct slot {
        struct conn *conn;
        uint32_t generation;
        uint32_t next_free;
};

struct link {
        struct link_options options;
        struct lws_context *context;
        struct lws_vhost *vhost;
        SSL_CTX *ctx;
        const char *tls_error; /* why tls_setup failed inside libwebsockets' callback */
        int tls_result;
        struct listener *listener;
        struct slot *slots;
        uint32_t first_free;
        bool dying;
        struct link_counts counts;
};

#define NO_SLOT UINT32_MAX
/* libwebsockets carries a session's number, not a pointer: it may call back late for a connection given up
 * meanwhile. */
_Static_assert(sizeof(void *) == sizeof(uint64_t), "a session's number travels as a pointer");

/* conn_find: the connection with this number, or NULL. */
struct conn *conn_find(const struct link *link, uint64_t number);

/* conn_new: a connection in a free slot; NULL where there is none.  conn_free: its slot is free again. */
struct conn *conn_new(struct link *link);
void conn_free(struct conn *conn);

/* conn_arm: conn's timer goes off in so many ms, unless it is heard before. */
void conn_arm(struct conn *conn, int64_t in_ms);

/* conn_heard: a frame or a pong has come. */
void conn_heard(struct conn *conn);

/* conn_cut: end it without a word, from outside its callbacks.  conn_shut: with a close frame, once its queue is
 * sent. */
void conn_cut(struct conn *conn);
void conn_shut(struct conn *conn, unsigned code);

/* conn_queue: queue one frame, copied.  Returns 0, -ENOBUFS (it is being closed for that), -ENOMEM. */
int conn_queue(struct conn *conn, const uint8_t *data, size_t len);

#endif
