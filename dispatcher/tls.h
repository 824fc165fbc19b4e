/* TLS: what handsets' connections must offer, and who a connection's certificate says it is.  Any client certificate
 * is let through the handshake, for an alert is never refused (DESIGN rule 4); what it is worth is this file's
 * verdict, made anew for every connection, resumed ones too: the certificate comes back out of the session ticket, its
 * dates are looked at again. */
#ifndef DISPATCHER_TLS_H
#define DISPATCHER_TLS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

#include "wire/id.h"

#define TLS_TICKET_KEY_SIZE  80
#define TLS_FINGERPRINT_SIZE 8
#define TLS_ENROLMENT_SIZE   8

enum tls_verdict {
        TLS_TRUSTED,       /* signed by the region's CA, and within its dates */
        TLS_EXPIRED,       /* signed by it, too old */
        TLS_NOT_YET_VALID, /* signed by it, too young: a clock is wrong */
        TLS_FOREIGN,       /* not signed by it */
};

/* Whom a certificate names. */
struct tls_peer {
        enum tls_verdict verdict;
        bool has_handset; /* its CN is a handset id */
        struct handset_id handset;
        bool has_enrolment; /* serialNumber of its subject, or a URI among its names, ends in 16 hex digits */
        uint8_t enrolment[TLS_ENROLMENT_SIZE];
        uint8_t fingerprint[TLS_FINGERPRINT_SIZE]; /* first octets of SHA-256 over the certificate */
};

/* Files, each PEM but the ticket key. */
struct tls_files {
        const char *certificate, *key, *client_ca, *ticket_key;
};

/* tls_setup: make CTX ours: certificate, key, CA of the clients, a client certificate demanded, TLS 1.2 and above,
 * shared ticket keys.  On a context that serves already (SIGHUP) it changes what new connections get: an authority that the file has no more
 * is not believed, and where that file is another one (by its octets), tickets from before are not resumed.
 *   ret_why  static text or the file's name, on failure
 * Returns 0; -EBADMSG (a file is not what it should be, or key and certificate do not fit); an errno of reading;
 * -ENOMEM. */
int tls_setup(SSL_CTX *ctx, const struct tls_files *files, const char **ret_why);

/* tls_peer_read: say whom the client certificate of a finished handshake names.
 *   now_s  UTC
 * Returns 0; -ENOENT (no certificate: cannot happen after tls_setup); -EIO (libcrypto). */
int tls_peer_read(const SSL *ssl, int64_t now_s, struct tls_peer *ret_peer);

/* tls_peer_forget: empty the certificate that SSL keeps for as long as the connection lives, 6 KiB with the tables of its
 * public key.  After the handshake only, when its ticket has been sent: tls_peer_read reads nothing of it any more. */
void tls_peer_forget(const SSL *ssl);

#endif
