#include "console/server.h"

#include <errno.h>
#include <inttypes.h>
#include <libwebsockets.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/loop.h"
#include "console/ask.h"
#include "console/http.h"
#include "console/socket.h"

/* No idle list of lws's own (it costs O(n) per connection); TCP_USER_TIMEOUT finds dead peers. */
static const lws_retry_bo_t no_idle = { .secs_since_valid_ping = 0, .secs_since_valid_hangup = 0 };

static const struct lws_protocols protocols[] = {
        { "http", http_callback, sizeof(struct http_session), FORM_BODY_MAX, 0, NULL, 16384 },
        { SERVER_SUBPROTOCOL, socket_callback, sizeof(struct socket_session), ASK_MAX, 0, NULL, 16384 },
        { 0 },
};

static void on_lws_log(int level, const char *line)
{
        static const char noise[] = "Ran out of header data space"; /* what strangers send is no error of ours */
        size_t len = strcspn(line, "\n");

        log_write(strstr(line, noise) != NULL ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR, NULL, "libwebsockets: %.*s",
                  (int)len, line);
}

static int open_lws(struct server *server)
{
        struct lws_context_creation_info info = { 0 };
        const struct config *config = server->options.config;
        void *loops[] = { loop_uv(server->options.loop) };

        lws_set_log_level(LLL_ERR, on_lws_log);
        info.port = CONTEXT_PORT_NO_LISTEN;
        info.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
                       LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | LWS_SERVER_OPTION_UV_NO_SIGSEGV_SIGFPE_SPIN;
        info.foreign_loops = loops;
        info.retry_and_idle_policy = &no_idle;
        info.user = server;
        info.gid = (gid_t)-1;
        info.uid = (uid_t)-1;
        if ((server->lws = lws_create_context(&info)) == NULL)
                return -ENOMEM;
        info.port = CONTEXT_PORT_NO_LISTEN_SERVER;
        info.vhost_name = "desk";
        info.protocols = protocols;
        info.alpn = "http/1.1";
        info.ssl_cert_filepath = config->tls_certificate;
        info.ssl_private_key_filepath = config->tls_key;
        info.ssl_options_set = SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1 | SSL_OP_NO_RENEGOTIATION;
        info.timeout_secs = SERVER_TIMEOUT_S;
        info.keepalive_timeout = 2 * SERVER_TIMEOUT_S;
        info.options |= LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS;
        server->vhost = lws_create_vhost(server->lws, &info);
        return server->vhost != NULL ? 0 : -EINVAL;
}

int server_check(const struct config *config)
{
        SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
        const char *why = NULL;

        if (ctx == NULL || SSL_CTX_use_certificate_chain_file(ctx, config->tls_certificate) != 1)
                why = "tls.certificate cannot be read";
        else if (SSL_CTX_use_PrivateKey_file(ctx, config->tls_key, SSL_FILETYPE_PEM) != 1)
                why = "tls.key cannot be read, or is not that of tls.certificate";
        SSL_CTX_free(ctx);
        ERR_clear_error();
        if (why == NULL)
                return 0;
        log_error(NULL, "%s", why);
        return -EINVAL;
}

/* One connection that was given on.  At the limit the stranger gives way whose last request is oldest: an idle one of
 * some browser, which comes back, or one of those who only mean to fill the places. */
struct visitor {
        struct visitor *older, *newer;
        struct lws *wsi;
        bool stranger; /* in the server's list */
};

static void add_stranger(struct server *server, struct visitor *v)
{
        v->stranger = true;
        v->newer = NULL;
        v->older = server->strangers;
        if (v->older != NULL)
                v->older->newer = v;
        else
                server->oldest = v;
        server->strangers = v;
}

static void remove_stranger(struct server *server, struct visitor *v)
{
        if (!v->stranger)
                return;
        v->stranger = false;
        *(v->newer != NULL ? &v->newer->older : &server->strangers) = v->older;
        *(v->older != NULL ? &v->older->newer : &server->oldest) = v->newer;
}

/* on_ready: a browser's first octets are there: TLS and the rest are libwebsockets'. */
static void on_ready(void *user, int fd)
{
        struct server *server = user;
        struct visitor *v = calloc(1, sizeof(*v));

        setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &(unsigned){ SERVER_DEAD_MS }, sizeof(unsigned));
        if (v == NULL)
                close(fd);
        else
                v->wsi = lws_adopt_socket_vhost(server->vhost, fd);
        if (v == NULL || v->wsi == NULL) { /* lws has closed FD */
                free(v);
                listener_gone(server->listener, false);
                return;
        }
        lws_set_opaque_user_data(v->wsi,
                                 v); /* lws tells the end of things that we never accepted, too: they have none */
        add_stranger(server, v);
}

static bool on_full(void *user)
{
        struct server *server = user;
        struct visitor *v = server->oldest;

        if (v == NULL)
                return false;
        remove_stranger(server, v);
        shutdown(lws_get_socket_fd(v->wsi),
                 SHUT_RDWR); /* lws ends it in its own time, also one that it is ending already */
        return true;
}

void server_asked(struct server *server, struct lws *wsi)
{
        struct visitor *v = lws_get_opaque_user_data(wsi);

        if (v == NULL || !v->stranger)
                return;
        remove_stranger(server, v);
        add_stranger(server, v);
}

void server_known(struct server *server, struct lws *wsi)
{
        struct visitor *v = lws_get_opaque_user_data(wsi);

        if (v != NULL)
                remove_stranger(server, v);
}

void server_gone(struct server *server, struct lws *wsi)
{
        struct visitor *v = lws_get_opaque_user_data(wsi);

        if (v == NULL)
                return;
        lws_set_opaque_user_data(wsi, NULL);
        remove_stranger(server, v);
        free(v);
        if (server->listener != NULL)
                listener_gone(server->listener, false);
}

int server_open(const struct server_options *options, struct server **ret_server)
{
        struct server *server = calloc(1, sizeof(*server));
        const struct config *config = options->config;
        struct listener_options listen = {
                .loop = options->loop,
                .address = config->listen_address,
                .port = (int)config->listen_port,
                .connections_max = (size_t)config->limit_connections,
                .handshakes_max = (size_t)config->limit_connections, /* no second bound: nobody is told established */
                .user = server,
                .ready = on_ready,
                .full = on_full,
        };
        int r;

        *ret_server = server;
        if (server == NULL)
                return -ENOMEM;
        server->options = *options;
        if ((r = listener_open(&listen, &server->listener)) == 0) {
                origins_init(&config->origins, listener_port(server->listener), &server->origins);
                r = origin_policy(&server->origins, config->tile_url, &config->frame_ancestors, server->policy);
        }
        if (config->hsts_ms > 0)
                snprintf(server->hsts, sizeof(server->hsts), "max-age=%" PRId64, config->hsts_ms / 1000);
        return r < 0 ? r : open_lws(server);
}

int server_start(struct server *server)
{
        return listener_start(server->listener);
}

int server_port(const struct server *server)
{
        return listener_port(server->listener);
}

const struct listener_counts *server_connections(const struct server *server)
{
        return listener_counts(server->listener);
}

void server_end_session(struct server *server, const uint8_t hash[SESSION_HASH_SIZE])
{
        socket_end_session(server, hash);
}

void server_leave(struct server *server)
{
        server->closing = true;
        listener_stop(server->listener);
        socket_end_all(server, DESK_GOING_AWAY);
}

void server_close(struct server *server)
{
        if (server == NULL)
                return;
        server->closing = true;
        listener_close(server->listener);
        server->listener = NULL;
        if (server->lws != NULL)
                lws_context_destroy(server->lws);
}

void server_free(struct server *server)
{
        if (server == NULL)
                return;
        if (server->lws != NULL)
                lws_context_destroy(server->lws); /* the second call: the loop has let go of it */
        free(server);
}
