/* A handset's side of the link, blocking and plain: TLS by libssl, WebSocket by hand.  For tests: it also does what
 * no handset does. */
#ifndef TESTS_DISPATCHER_SUPPORT_PHONE_H
#define TESTS_DISPATCHER_SUPPORT_PHONE_H

#include <openssl/ssl.h>
#include <stddef.h>
#include <stdint.h>

struct phone {
        SSL_CTX *ctx;
        SSL *ssl;
        int fd;
        int close_code; /* of the close frame that came; 0 none */
};

/* What phone_receive gives beside a length. */
enum { PHONE_TIMEOUT = -1, PHONE_CLOSED = -2 };

/* phone_dial: connect, handshake, upgrade.
 *   pem     CERT and KEY, two file names; NULL: no certificate
 *   resume  a session of phone_session, or NULL
 * Returns 0, or -1 at the TCP connection, -2 at the TLS handshake, -3 at the upgrade; phone_hang_up copes with all. */
struct phone_line {
        int port;
        const char *certificate, *key;
        SSL_SESSION *resume;
        const char *subprotocol; /* NULL: vigie.1 */
};
int phone_dial(struct phone *phone, const struct phone_line *line);
void phone_hang_up(struct phone *phone);

/* phone_session: the TLS session to resume later (a reference); read something first, so that the ticket has come. */
SSL_SESSION *phone_session(struct phone *phone);

/* phone_send: one binary frame.  phone_send_piece: a fragment; OPCODE 2 first, 0 then; FIN on the last.  0 or -1. */
int phone_send(struct phone *phone, const void *data, size_t len);
int phone_send_piece(struct phone *phone, int opcode, int fin, const void *data, size_t len);

/* phone_receive: the next binary frame into TO; answers pings meanwhile.  Its length, PHONE_TIMEOUT, PHONE_CLOSED. */
int phone_receive(struct phone *phone, uint8_t *to, size_t size, int timeout_ms);

#endif
