/* link: WebSocket links to dispatchers, over mutual TLS, by libwebsockets on our loop.  It translates: up, down and frames go up;
 * connect, end and frames come down.  What to connect to and when is the core's.  At most one link to an address. */
#ifndef DEVICE_HANDSET_HOST_LINK_H
#define DEVICE_HANDSET_HOST_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lws_context;
struct loop;
struct links;

/* TCP, TLS and upgrade must be over so soon; else it is down.  A cold handshake over 3G takes some 2 s. */
#define LINK_CONNECT_MS 8000
/* Frames that wait for one link.  The core sends three alerts and a hello at the most; beyond, the link is dropped. */
#define LINK_QUEUE_MAX 16
/* Without anything from the dispatcher so long: a ping; then so long: down. */
#define LINK_PING_S   55
#define LINK_HANGUP_S 70

struct links_options {
        struct loop *loop;
        struct lws_context *context;
        const char *certificate, *key, *ca; /* PEM files */
        const char *const *addresses;       /* host:port, borrowed */
        size_t count;                       /* 0..VIGIE_ADDRESSES_MAX */
        void *user;
        /* A link came up, or went down (refused, timed out, closed by the peer).  Never from within a call of this file. */
        void (*state)(void *user, unsigned address, bool up);
        /* One whole message, borrowed. */
        void (*frame)(void *user, unsigned address, const uint8_t *data, size_t len);
};

/* links_open: TLS and the addresses; connects to none.  Returns 0, -EIO (certificate, key or CA cannot be used), -ENOMEM. */
int links_open(const struct links_options *options, struct links **ret_links);

/* links_close: end all; no state is told any more.  Memory is freed by links_free, after the lws context is gone. */
void links_close(struct links *links);
void links_free(struct links *links);

/* link_connect: begin to connect to ADDRESS (below count); what there is to it already is ended first, silently. */
void link_connect(struct links *links, unsigned address);

/* link_end: end the link or attempt; nothing more is told of it. */
void link_end(struct links *links, unsigned address);

/* link_send: queue one message for ADDRESS; copied.  Returns 0, -ENOTCONN, -ENOBUFS (the link is dropped, and told down). */
int link_send(struct links *links, unsigned address, const uint8_t *data, size_t len);

/* links_resumed: handshakes that resumed a TLS session, and all of them. */
void links_resumed(const struct links *links, unsigned *ret_resumed, unsigned *ret_all);

#endif
