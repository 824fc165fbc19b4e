/* link_tls: the client's side of TLS for links: one session ticket kept for the next handshake (a resumed one costs
 * the region 0.94 ms instead of 1.5), and whose certificate counts. */
#ifndef DEVICE_HANDSET_HOST_LINK_TLS_H
#define DEVICE_HANDSET_HOST_LINK_TLS_H

#include <openssl/ssl.h>
#include <stdbool.h>

struct link_tls {
        SSL_SESSION *session; /* the last ticket; the region's dispatchers share their ticket keys */
        unsigned resumed, handshakes;
};

/* link_tls_set_up: prepare CTX, which libwebsockets made; TLS is borrowed for as long as CTX lives. */
void link_tls_set_up(struct link_tls *tls, SSL_CTX *ctx);

/* link_tls_done: a handshake is over: count it, and say whether the certificate is HOST's.  Its chain and, for a
 * name, the name are libwebsockets' to check, and are checked before this; for an IP literal this is the check.
 * From then on its tickets are kept; of one whose certificate does not count none is.
 *   literal  HOST is an IP address */
bool link_tls_done(struct link_tls *tls, SSL *ssl, const char *host, bool literal);

/* link_tls_clear: forget the session. */
void link_tls_clear(struct link_tls *tls);

#endif
