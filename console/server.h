/* The server: one TLS port for the pages, the login and the WebSocket.  libwebsockets' callbacks (http.c, socket.c)
 * only translate and call: exchange.h and route.c decide on requests, desk.h on what pages are told. */
#ifndef CONSOLE_SERVER_H
#define CONSOLE_SERVER_H

#include <stdint.h>

#include "base/listener.h"
#include "console/config.h"
#include "console/desk.h"
#include "console/files.h"
#include "console/gate.h"
#include "console/origin.h"
#include "console/outline.h"
#include "console/pass_desk.h"
#include "console/store.h"

struct lws;
struct lws_context;
struct lws_vhost;
struct socket;
struct visitor;

/* A request's head, and a login's body, must be there within so long; an idle connection is closed after twice that. */
#define SERVER_TIMEOUT_S   10
/* A peer that acknowledges nothing for so long is gone: pages are written to every 2 s. */
#define SERVER_DEAD_MS     20000
/* A page's session is looked at again so often: logout elsewhere, a user disabled, its end. */
#define SERVER_RECHECK_MS  60000
/* WebSocket subprotocol and path (PROTOCOL.md section 2). */
#define SERVER_SUBPROTOCOL "vigie-desk.1"
#define SERVER_SOCKET_PATH "/ws"
/* The pass desk's (section 7). */
#define SERVER_PASSES_PATH "/ws/passes"

struct server_options {
        struct loop *loop;
        const struct config *config; /* all borrowed until server_close */
        const struct files *files;
        const struct outline *outline;
        struct store *store;
        struct desk *desk;
        struct gate *gate;
        struct pass_desk *passes;
};

struct server_counts {
        uint64_t requests, refused; /* HTTP requests; answered with 4xx */
        uint64_t opened, turned;    /* pages opened; upgrades refused for origin, host or path */
};

struct server {
        struct server_options options;
        struct listener *listener;
        struct lws_context *lws;
        struct lws_vhost *vhost;
        struct origins origins;
        char policy[POLICY_SIZE], hsts[64];
        unsigned edits;            /* large bodies being read */
        struct socket *sockets;    /* all open WebSockets */
        struct visitor *strangers; /* connections that are no page of anybody logged in, by their last request */
        struct visitor *oldest;    /* the last of them */
        struct server_counts counts;
        bool closing;
};

/* server_check: say whether the certificate and the key can be read and go together.  Returns 0 or -EINVAL (told in the
 * log). */
int server_check(const struct config *config);

/* server_open: read certificate and key, bind.  Nothing is accepted yet.
 *   ret_server  written in any case: on an error half open or NULL, for server_close and server_free
 * Returns 0, -EINVAL (address, certificate or key; told in the log), -EADDRINUSE, -ENOMEM, -ENOBUFS (policy). */
int server_open(const struct server_options *options, struct server **ret_server);
/* server_start: begin to accept.  Returns 0 or a negative errno. */
int server_start(struct server *server);
int server_port(const struct server *server);
/* server_connections: borrowed until server_close. */
const struct listener_counts *server_connections(const struct server *server);
/* server_leave: accept nobody more, and tell every page to come back soon (DESK_GOING_AWAY). */
void server_leave(struct server *server);
/* server_close: end every connection in the loop's next turns (loop_close runs them).  server_free: after that.  NULL
 * does nothing. */
void server_close(struct server *server);
void server_free(struct server *server);

/* server_gone: lws has ended WSI: if it was one that we accepted, there is room for another. */
void server_gone(struct server *server, struct lws *wsi);

/* server_asked: WSI has made a request: others give way before it. */
void server_asked(struct server *server, struct lws *wsi);

/* server_known: WSI is a page of somebody who is logged in: it gives way to nobody. */
void server_known(struct server *server, struct lws *wsi);

/* server_end_session: close every page of this session: it was logged out. */
void server_end_session(struct server *server, const uint8_t hash[SESSION_HASH_SIZE]);

#endif
