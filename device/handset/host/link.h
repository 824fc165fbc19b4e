/* link: WebSocket links to dispatchers, over mutual TLS, by libwebsockets on our loop.  It translates: up, down and
 * frames go up; connect, end and frames come down.  What to connect to and when is the core's.  At most one link to
 * an address.
 *
 * Names are looked up beside the loop: a resolver that hangs must not hold the button.  A link is alive as long as
 * what is sent on it is heard of: each batch of messages is followed by a ping. */
#ifndef DEVICE_HANDSET_HOST_LINK_H
#define DEVICE_HANDSET_HOST_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lws_context;
struct loop;
struct links;

/* Name, TCP, TLS and upgrade must be over so soon; else it is down.  A cold handshake over 3G takes some 2 s. */
#define LINK_CONNECT_MS 8000
/* Frames that wait for one link.  The core sends three alerts and a hello at the most; beyond, the link is dropped. */
#define LINK_QUEUE_MAX  16
/* Something must be heard so soon after we sent something; else it is down.  Two of the slowest round trips of a 2G
 * network. */
#define LINK_ANSWER_MS  8000
/* Nothing heard for so long: a ping.  Under the 60 s after which some networks forget a connection. */
#define LINK_IDLE_MS    55000
/* Addresses of one name that are tried in turn. */
#define LINK_FOUND_MAX  4

struct links_options {
        struct loop *loop;
        struct lws_context *context;
        const char *certificate, *key, *ca; /* PEM files; no other CA counts */
        const char *const *addresses;       /* host:port, borrowed; "[::1]:8443" */
        size_t count;                       /* 0..VIGIE_ADDRESSES_MAX */
        void *user;
        /* A link came up, or went down (refused, timed out, closed by the peer).  Never from within a call of this
         * file. */
        void (*state)(void *user, unsigned address, bool up);
        /* One whole message, borrowed; larger ones are dropped here. */
        void (*frame)(void *user, unsigned address, const uint8_t *data, size_t len);
};

/* links_open: TLS and the addresses; connects to none.
 * Returns 0, -EIO (certificate, key or CA cannot be used), -EINVAL (an address), -ENOMEM.  RET_LINKS is written in
 * any case and is to be freed: libwebsockets may hold it. */
int links_open(const struct links_options *options, struct links **ret_links);

/* links_close: end all; no state is told any more.  Before the lws context is destroyed.  NULL does nothing. */
void links_close(struct links *links);

/* links_free: after the loop is closed and the lws context is gone (its second lws_context_destroy).  NULL does
 * nothing. */
void links_free(struct links *links);

/* link_connect: begin to connect to ADDRESS (below count); what there is to it already is ended first, silently. */
void link_connect(struct links *links, unsigned address);

/* link_end: end the link or attempt; nothing more is told of it. */
void link_end(struct links *links, unsigned address);

/* link_send: queue one message for ADDRESS; copied.
 *   len  at most VIGIE_SEND_MAX
 * Returns 0, -ENOTCONN, -ENOBUFS (the link is dropped, and told down). */
int link_send(struct links *links, unsigned address, const uint8_t *data, size_t len);

/* links_resumed: handshakes that resumed a TLS session, and all of them. */
void links_resumed(const struct links *links, unsigned *ret_resumed, unsigned *ret_all);

#endif
