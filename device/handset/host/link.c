#include "device/handset/host/link.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <libwebsockets.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/loop.h"
#include "device/handset/host/config.h"
#include "device/handset/vigie.h"

struct out {
        size_t len;
        uint8_t data[LWS_PRE + VIGIE_SEND_MAX];
};

/* One address.  `generation` tells callbacks of an ended wsi from those of the present one. */
struct link {
        struct links *links;
        unsigned address;
        uint32_t generation;
        struct lws *wsi;        /* NULL: none, or none yet */
        bool wanted, up, told_down;
        struct wheel_timer timer;
        unsigned first, count;
        struct out *queue;      /* LINK_QUEUE_MAX of them, a ring */
        uint8_t *partial;       /* VIGIE_FRAME_MAX octets */
        size_t partial_len;
        bool oversized;
};

struct links {
        struct links_options options;
        struct lws_vhost *vhost;
        SSL_SESSION *session;   /* the last ticket; the region's dispatchers share their ticket keys */
        unsigned resumed, handshakes;
        bool dying;
        struct wheel_timer later; /* tells down what went down within a call */
        struct link link[VIGIE_ADDRESSES_MAX];
};

static struct link *find(struct lws *wsi)
{
        uintptr_t tag = (uintptr_t)lws_get_opaque_user_data(wsi);
        struct lws_vhost *vhost = lws_get_vhost(wsi);
        struct links *links = vhost != NULL ? lws_get_vhost_user(vhost) : NULL;
        struct link *link;

        if (links == NULL || tag == 0 || (tag & 0xff) - 1 >= links->options.count)
                return NULL;
        link = &links->link[(tag & 0xff) - 1];
        return (uint32_t)(tag >> 8) == link->generation ? link : NULL;
}

/* forget: what callbacks still come for the present wsi are for nobody. */
static void forget(struct link *link)
{
        link->generation = (link->generation + 1) & 0xffffff;
        link->wsi = NULL;
        link->up = link->wanted = false;
        link->first = link->count = 0;
        link->partial_len = 0;
        link->oversized = false;
        loop_timer_cancel(link->links->options.loop, &link->timer);
}

static void tell_down(struct links *links, struct link *link)
{
        forget(link);
        link->told_down = true;
        loop_timer_arm(links->options.loop, &links->later, clock_mono_ms());
}

static void on_later(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct links *links = timer->user;

        for (size_t i = 0; i < links->options.count && !links->dying; i++)
                if (links->link[i].told_down) {
                        links->link[i].told_down = false;
                        links->options.state(links->options.user, (unsigned)i, false);
                }
}

static void cut(struct lws *wsi)
{
        if (wsi != NULL)
                lws_set_timeout(wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
}

static void on_timeout(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct link *link = timer->user;
        struct lws *wsi = link->wsi;

        tell_down(link->links, link);
        cut(wsi);
}

static void on_established(struct link *link, struct lws *wsi)
{
        struct links *links = link->links;
        SSL *ssl = lws_get_ssl(wsi);

        links->handshakes++;
        links->resumed += ssl != NULL && SSL_session_reused(ssl) == 1;
        link->up = true;
        loop_timer_cancel(links->options.loop, &link->timer);
        links->options.state(links->options.user, link->address, true);
}

static int on_writeable(struct link *link, struct lws *wsi)
{
        struct out *out = &link->queue[link->first];

        if (link->count == 0)
                return 0;
        link->first = (link->first + 1) % LINK_QUEUE_MAX;
        link->count--;
        if (lws_write(wsi, out->data + LWS_PRE, out->len, LWS_WRITE_BINARY) < 0)
                return -1;
        if (link->count > 0)
                lws_callback_on_writable(wsi);
        return 0;
}

static void on_receive(struct link *link, struct lws *wsi, const uint8_t *data, size_t len)
{
        struct links *links = link->links;
        bool last = lws_is_final_fragment(wsi) && lws_remaining_packet_payload(wsi) == 0;

        if (link->partial_len + len > VIGIE_FRAME_MAX)
                link->oversized = true;
        if (!link->oversized) {
                memcpy(link->partial + link->partial_len, data, len);
                link->partial_len += len;
        }
        if (!last)
                return;
        len = link->partial_len;
        link->partial_len = 0;
        if (!link->oversized)
                links->options.frame(links->options.user, link->address, link->partial, len);
        link->oversized = false;
}

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
        struct links *links = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

        SSL_SESSION_free(links->session);
        links->session = session;
        return 1; /* the reference is ours now */
}

/* libwebsockets 4.1 makes the SSL itself and has no session cache for clients: offer the last session as the handshake begins. */
static void on_handshake(const SSL *ssl, int where, int ret)
{
        struct links *links = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

        if ((where & SSL_CB_HANDSHAKE_START) && links->session != NULL && SSL_get_session(ssl) == NULL &&
            SSL_SESSION_is_resumable(links->session))
                SSL_set_session((SSL *)ssl, links->session);
}

static void set_up_tls(struct links *links, SSL_CTX *ctx)
{
        SSL_CTX_set_app_data(ctx, links);
        SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
        SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(ctx, keep_session);
        SSL_CTX_set_info_callback(ctx, on_handshake);
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
        struct link *link;

        if (reason == LWS_CALLBACK_OPENSSL_LOAD_EXTRA_CLIENT_VERIFY_CERTS) {
                set_up_tls(lws_get_vhost_user(lws_get_vhost(wsi)), user);
                return 0;
        }
        link = find(wsi);
        if (link == NULL)
                return reason == LWS_CALLBACK_CLIENT_WRITEABLE ? -1 : lws_callback_http_dummy(wsi, reason, user, in, len);
        switch (reason) {
        case LWS_CALLBACK_CLIENT_ESTABLISHED:
                on_established(link, wsi);
                return 0;
        case LWS_CALLBACK_CLIENT_RECEIVE:
                on_receive(link, wsi, in, len);
                return 0;
        case LWS_CALLBACK_CLIENT_WRITEABLE:
                return on_writeable(link, wsi);
        case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
                log_debug("link", "address %u: %.*s", link->address, (int)len, in != NULL ? (const char *)in : "");
                /* fall through */
        case LWS_CALLBACK_CLIENT_CLOSED:
        case LWS_CALLBACK_WSI_DESTROY:
                tell_down(link->links, link);
                return 0;
        default:
                return lws_callback_http_dummy(wsi, reason, user, in, len);
        }
}

static const struct lws_protocols protocols[] = {
        { "vigie.1", callback, 0, 4096, 0, NULL, 4096 },
        { NULL, NULL, 0, 0, 0, NULL, 0 },
};

static int open_vhost(struct links *links)
{
        struct lws_context_creation_info info = { 0 };

        info.vhost_name = "dispatchers";
        info.port = CONTEXT_PORT_NO_LISTEN;
        info.protocols = protocols;
        info.user = links;
        info.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
        info.client_ssl_cert_filepath = links->options.certificate;
        info.client_ssl_private_key_filepath = links->options.key;
        info.client_ssl_ca_filepath = links->options.ca;
        info.alpn = "http/1.1";
        links->vhost = lws_create_vhost(links->options.context, &info);
        if (links->vhost == NULL)
                return -EIO;
        return lws_init_vhost_client_ssl(&info, links->vhost) == 0 ? 0 : -EIO;
}

int links_open(const struct links_options *options, struct links **ret_links)
{
        struct links *links = calloc(1, sizeof(*links));
        int r = links != NULL ? 0 : -ENOMEM;

        if (r < 0)
                return r;
        assert(options->count <= VIGIE_ADDRESSES_MAX);
        links->options = *options;
        wheel_timer_init(&links->later, on_later, links);
        for (size_t i = 0; r == 0 && i < options->count; i++) {
                struct link *link = &links->link[i];

                link->links = links;
                link->address = (unsigned)i;
                wheel_timer_init(&link->timer, on_timeout, link);
                link->queue = calloc(LINK_QUEUE_MAX, sizeof(*link->queue));
                link->partial = malloc(VIGIE_FRAME_MAX);
                if (link->queue == NULL || link->partial == NULL)
                        r = -ENOMEM;
        }
        if (r == 0)
                r = open_vhost(links);
        *ret_links = links; /* also on failure: libwebsockets may hold the pointer until its context is gone */
        return r;
}

void links_close(struct links *links)
{
        if (links == NULL)
                return;
        links->dying = true;
        loop_timer_cancel(links->options.loop, &links->later);
        for (size_t i = 0; i < links->options.count; i++)
                forget(&links->link[i]);
}

void links_free(struct links *links)
{
        if (links == NULL)
                return;
        for (size_t i = 0; i < VIGIE_ADDRESSES_MAX; i++) {
                free(links->link[i].queue);
                free(links->link[i].partial);
        }
        SSL_SESSION_free(links->session);
        free(links);
}

void link_end(struct links *links, unsigned address)
{
        struct link *link = &links->link[address];
        struct lws *wsi = link->wsi;

        forget(link);
        link->told_down = false;
        cut(wsi);
}

void link_connect(struct links *links, unsigned address)
{
        struct link *link = &links->link[address];
        static const lws_retry_bo_t alive = { .secs_since_valid_ping = LINK_PING_S, .secs_since_valid_hangup = LINK_HANGUP_S };
        struct lws_client_connect_info info = { 0 };
        struct in6_addr octets;
        char host[128];
        uint32_t generation;

        link_end(links, address);
        link->wanted = true;
        generation = link->generation;
        info.context = links->options.context;
        info.vhost = links->vhost;
        info.port = config_port_of(links->options.addresses[address], host);
        info.address = info.host = info.origin = host;
        info.path = "/";
        info.protocol = info.local_protocol_name = "vigie.1";
        info.ssl_connection = LCCSCF_USE_SSL;
        if (inet_pton(AF_INET, host, &octets) == 1 || inet_pton(AF_INET6, host, &octets) == 1)
                info.ssl_connection |= LCCSCF_SKIP_SERVER_CERT_HOSTNAME_CHECK; /* lws looks among names only; the CA is the region's own */
        info.retry_and_idle_policy = &alive;
        info.opaque_user_data = (void *)((uintptr_t)generation << 8 | (address + 1));
        loop_timer_arm(links->options.loop, &link->timer, clock_mono_ms() + LINK_CONNECT_MS);
        struct lws *wsi = lws_client_connect_via_info(&info);
        if (link->generation != generation)
                return; /* it failed within the call, and is told */
        link->wsi = wsi;
        if (wsi == NULL)
                tell_down(links, link);
}

int link_send(struct links *links, unsigned address, const uint8_t *data, size_t len)
{
        struct link *link = &links->link[address];
        struct lws *wsi = link->wsi;
        struct out *out;

        assert(len <= VIGIE_SEND_MAX);
        if (!link->up)
                return -ENOTCONN;
        if (link->count == LINK_QUEUE_MAX) {
                tell_down(links, link);
                cut(wsi);
                return -ENOBUFS;
        }
        out = &link->queue[(link->first + link->count++) % LINK_QUEUE_MAX];
        out->len = len;
        memcpy(out->data + LWS_PRE, data, len);
        lws_callback_on_writable(wsi);
        return 0;
}

void links_resumed(const struct links *links, unsigned *ret_resumed, unsigned *ret_all)
{
        *ret_resumed = links->resumed;
        *ret_all = links->handshakes;
}
