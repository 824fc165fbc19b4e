#include "device/handset/host/link_tls.h"

#include <openssl/x509v3.h>

/* A copy of its own, in and out: OpenSSL marks the session of a connection that was cut as one that cannot be
 * resumed, and cut is how most of ours end. */
static void keep(struct link_tls *tls, const SSL_SESSION *session)
{
        SSL_SESSION_free(tls->session);
        tls->session = SSL_SESSION_dup(session);
}

/* A ticket.  One that comes before link_tls_done is taken there, if the certificate counts: whose does not is never
 * resumed, since nobody shows one then. */
static int on_session(SSL *ssl, SSL_SESSION *session)
{
        struct link_tls *tls = SSL_get_app_data(ssl);

        if (tls != NULL)
                keep(tls, session);
        return 0; /* its reference stays libcrypto's */
}

/* libwebsockets 4.1 makes the SSL itself and has no session cache for clients: offer the session as the handshake
 * begins. */
static void on_handshake(const SSL *ssl, int where, int ret)
{
        struct link_tls *tls = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
        SSL_SESSION *copy;

        if (!(where & SSL_CB_HANDSHAKE_START) || tls->session == NULL || SSL_get_session(ssl) != NULL ||
            !SSL_SESSION_is_resumable(tls->session))
                return;
        copy = SSL_SESSION_dup(tls->session);
        if (copy != NULL)
                SSL_set_session((SSL *)ssl, copy); /* takes a reference of its own */
        SSL_SESSION_free(copy);
}

void link_tls_set_up(struct link_tls *tls, SSL_CTX *ctx)
{
        SSL_CTX_set_app_data(ctx, tls);
        SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
        SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(ctx, on_session);
        SSL_CTX_set_info_callback(ctx, on_handshake);
}

/* Who resumes our session holds the region's ticket key, and showed a certificate when the session began. */
bool link_tls_done(struct link_tls *tls, SSL *ssl, const char *host, bool literal)
{
        bool resumed = SSL_session_reused(ssl) == 1, theirs = !literal || resumed;
        X509 *x = theirs ? NULL : SSL_get1_peer_certificate(ssl);

        tls->handshakes++;
        tls->resumed += resumed;
        if (x != NULL)
                theirs = X509_check_ip_asc(x, host, 0) == 1;
        X509_free(x);
        if (theirs) {
                SSL_set_app_data(ssl, tls);
                if (SSL_SESSION_is_resumable(SSL_get_session(ssl)))
                        keep(tls, SSL_get_session(ssl));
        }
        return theirs;
}

void link_tls_clear(struct link_tls *tls)
{
        SSL_SESSION_free(tls->session);
        tls->session = NULL;
}
