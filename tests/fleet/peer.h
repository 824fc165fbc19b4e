/* peer: one client among thousands: TCP, TLS and WebSocket without waiting, on the loop.  OpenSSL itself, because each peer shows a
 * certificate of its own, which libwebsockets 4.1 ties to a vhost.  Not hardened: it talks to our own servers on loopback. */
#ifndef TESTS_FLEET_PEER_H
#define TESTS_FLEET_PEER_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct peer;

#define PEER_OUT_MAX 65536 /* octets that wait to be written; beyond, the peer is closed */
#define PEER_IN_MAX  (1024 * 1024) /* largest message; a console's snapshot is the largest */

struct peer_options {
        struct loop *loop;
        SSL_CTX *ctx;                   /* shared */
        X509 *certificate;              /* NULL: none */
        EVP_PKEY *key;
        uint16_t port;                  /* on 127.0.0.1 */
        const char *path, *subprotocol; /* of the upgrade */
        const char *headers;            /* more lines, each with CRLF; "" none */
        void *user;
        void (*opened)(void *user);
        void (*message)(void *user, const uint8_t *data, size_t len);
        void (*closed)(void *user);     /* once, also when it never opened; the peer is freed after it */
};

/* peer_open: begin to connect.  OPTIONS is borrowed until closed.  Returns 0, a negative errno. */
int peer_open(const struct peer_options *options, struct peer **ret_peer);

/* peer_send: one message, binary or text.  Returns 0, -ENOTCONN, -ENOBUFS. */
int peer_send(struct peer *peer, const void *data, size_t len, bool text);

/* peer_close: end it; closed() is called in the loop's next turn.  NULL does nothing. */
void peer_close(struct peer *peer);

#endif
