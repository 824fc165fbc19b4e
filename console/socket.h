/* libwebsockets' callback for the WebSocket: checks where it comes from, asks the store who it is, then is one page of
 * the desk. */
#ifndef CONSOLE_SOCKET_H
#define CONSOLE_SOCKET_H

#include <libwebsockets.h>
#include <stdint.h>

#include "console/session.h"

struct server;
struct socket;

/* What lws keeps per connection. */
struct socket_session {
        struct socket *socket;
};

/* socket_callback: as lws calls it, for SERVER_SUBPROTOCOL. */
int socket_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len);

/* socket_end_session: close the pages of one session.  socket_end_all: close all with CODE. */
void socket_end_session(struct server *server, const uint8_t hash[SESSION_HASH_SIZE]);
void socket_end_all(struct server *server, int code);

#endif
