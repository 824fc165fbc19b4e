#include "device/handset/host/link.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <libwebsockets.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/log.h"
#include "base/loop.h"
#include "device/handset/host/config.h"
#include "device/handset/host/link_tls.h"
#include "device/handset/vigie.h"

struct out {
        size_t len;
        uint8_t data[LWS_PRE + VIGIE_SEND_MAX];
};

/* One address.  `generation` tells callbacks of an ended wsi from those of the present one. */
struct link {
        struct links *links;
        unsigned address;
        char host[128];
        int port;
        bool literal; /* HOST is an IP address */
        uint32_t generation;
        struct lws *wsi; /* NULL: none, or none yet */
        bool up, told_down, dial;
        bool waiting, ping; /* for anything to be heard; a ping is to be sent */
        struct wheel_timer timer;
        unsigned first, count;
        struct out *queue; /* LINK_QUEUE_MAX of them, a ring */
        uint8_t *partial;  /* VIGIE_FRAME_MAX octets */
        size_t partial_len;
        bool oversized;

        uv_getaddrinfo_t *query; /* at most one at a time, whatever became of who asked */
        bool resolving;          /* its answer is wanted */
        char found[LINK_FOUND_MAX][64];
        unsigned found_count, found_at, found_left;
};

struct links {
        struct links_options options;
        struct lws_vhost *vhost;
        struct link_tls tls;
        bool dying;
        struct wheel_timer later; /* does what must not be done within a call */
        struct link link[VIGIE_ADDRESSES_MAX];
};

static void dial(struct link *link, const char *numeric);

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

static void arm(struct link *link, int64_t in_ms)
{
        loop_timer_arm(link->links->options.loop, &link->timer, clock_mono_ms() + in_ms);
}

/* forget: what callbacks still come for the present wsi are for nobody. */
static void forget(struct link *link)
{
        link->generation = (link->generation + 1) & 0xffffff;
        link->wsi = NULL;
        link->up = link->told_down = link->dial = link->waiting = link->ping = link->resolving = link->oversized =
                false;
        link->first = link->count = 0;
        link->partial_len = 0;
        link->found_left = 0;
        loop_timer_cancel(link->links->options.loop, &link->timer);
}

static void tell_down(struct link *link)
{
        forget(link);
        link->told_down = true;
        loop_timer_arm(link->links->options.loop, &link->links->later, clock_mono_ms());
}

static void cut(struct lws *wsi)
{
        if (wsi != NULL)
                lws_set_timeout(wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
}

static void drop(struct link *link)
{
        struct lws *wsi = link->wsi;

        tell_down(link);
        cut(wsi);
}

/* ---- an attempt -------------------------------------------------------------------------------------------------- */

static void dial_next(struct link *link)
{
        unsigned at = link->found_at;

        link->found_at = (at + 1) % link->found_count;
        link->found_left--;
        dial(link, link->found[at]);
}

/* Names may have an address that does not answer: the next attempt begins with the one after. */
static void take_found(struct link *link, const struct addrinfo *list)
{
        unsigned n = 0;

        for (; list != NULL && n < LINK_FOUND_MAX; list = list->ai_next)
                n += getnameinfo(list->ai_addr, list->ai_addrlen, link->found[n], sizeof(link->found[n]), NULL, 0,
                                 NI_NUMERICHOST) == 0;
        link->found_count = link->found_left = n;
        if (n > 0)
                link->found_at %= n;
}

static void on_found(uv_getaddrinfo_t *query, int status, struct addrinfo *list)
{
        struct link *link = query->data;

        link->query = NULL;
        if (link->resolving && !link->links->dying) {
                link->resolving = false;
                take_found(link, status == 0 ? list : NULL);
                if (link->found_left > 0)
                        dial_next(link);
                else
                        tell_down(link);
        }
        uv_freeaddrinfo(list);
        free(query);
}

static void resolve(struct link *link)
{
        static const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };

        link->resolving = true;
        if (link->query != NULL) /* of an attempt before, still under way: its answer will do */
                return;
        link->query = calloc(1, sizeof(*link->query));
        if (link->query != NULL) {
                link->query->data = link;
                if (uv_getaddrinfo(loop_uv(link->links->options.loop), link->query, on_found, link->host, NULL,
                                   &hints) == 0)
                        return;
        }
        free(link->query);
        link->query = NULL;
        tell_down(link);
}

static void dial(struct link *link, const char *numeric)
{
        static const lws_retry_bo_t no_idle = { .secs_since_valid_ping = 0,
                                                .secs_since_valid_hangup = 0 }; /* our own */
        struct lws_client_connect_info info = { 0 };
        struct lws *wsi;
        uint32_t generation;

        generation = link->generation = (link->generation + 1) & 0xffffff;
        info.context = link->links->options.context;
        info.vhost = link->links->vhost;
        info.address = numeric;
        info.port = link->port;
        info.host = info.origin = link->host; /* what the certificate must be for */
        info.path = "/";
        info.protocol = info.local_protocol_name = "vigie.1";
        info.ssl_connection = LCCSCF_USE_SSL | (link->literal ? LCCSCF_SKIP_SERVER_CERT_HOSTNAME_CHECK : 0);
        info.retry_and_idle_policy = &no_idle;
        info.opaque_user_data = (void *)((uintptr_t)generation << 8 | (link->address + 1));
        wsi = lws_client_connect_via_info(&info);
        if (link->generation == generation && wsi != NULL)
                link->wsi = wsi;
        else if (link->generation == generation)
                tell_down(link);
}

/* An attempt failed: another address of the same name, or down. */
static void fail(struct link *link)
{
        if (link->found_left == 0) {
                tell_down(link);
                return;
        }
        link->generation = (link->generation + 1) & 0xffffff;
        link->wsi = NULL;
        link->dial = true;
        loop_timer_arm(link->links->options.loop, &link->links->later, clock_mono_ms());
}

static void on_later(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct links *links = timer->user;

        for (size_t i = 0; i < links->options.count && !links->dying; i++) {
                struct link *link = &links->link[i];

                if (link->dial) {
                        link->dial = false;
                        dial_next(link);
                }
                if (link->told_down) {
                        link->told_down = false;
                        links->options.state(links->options.user, (unsigned)i, false);
                }
        }
}

/* ---- a link ------------------------------------------------------------------------------------------------------ */

/* Before it is up: the attempt took too long.  Then: time to ask whether the other end lives, or it has not
 * answered. */
static void on_timer(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct link *link = timer->user;

        if (!link->up || link->waiting) {
                if (link->up)
                        log_info("link", "address %u does not answer", link->address);
                drop(link);
                return;
        }
        link->waiting = link->ping = true;
        arm(link, LINK_ANSWER_MS);
        lws_callback_on_writable(link->wsi);
}

static void heard(struct link *link)
{
        link->waiting = false;
        arm(link, LINK_IDLE_MS);
}

static int on_established(struct link *link, struct lws *wsi)
{
        struct links *links = link->links;

        if (!link_tls_done(&links->tls, lws_get_ssl(wsi), link->host, link->literal)) {
                log_warn("link", "address %u: the certificate is not for it", link->address);
                tell_down(link);
                return -1;
        }
        link->up = true;
        heard(link);
        links->options.state(links->options.user, link->address, true);
        return 0;
}

static int on_writeable(struct link *link, struct lws *wsi)
{
        uint8_t none[LWS_PRE + 1];
        struct out *out;
        int r = 0;

        if (link->count > 0) {
                out = &link->queue[link->first];
                link->first = (link->first + 1) % LINK_QUEUE_MAX;
                link->count--;
                r = lws_write(wsi, out->data + LWS_PRE, out->len, LWS_WRITE_BINARY);
        } else if (link->ping) {
                link->ping = false;
                r = lws_write(wsi, none + LWS_PRE, 0, LWS_WRITE_PING);
        }
        if (link->count > 0 || link->ping)
                lws_callback_on_writable(wsi);
        return r < 0 ? -1 : 0;
}

static void on_receive(struct link *link, struct lws *wsi, const uint8_t *data, size_t len)
{
        struct links *links = link->links;
        bool last = lws_is_final_fragment(wsi) && lws_remaining_packet_payload(wsi) == 0;

        if (link->partial_len + len > VIGIE_FRAME_MAX)
                link->oversized = true;
        if (!link->oversized && len > 0) {
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

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
        struct link *link;

        if (reason == LWS_CALLBACK_OPENSSL_LOAD_EXTRA_CLIENT_VERIFY_CERTS) {
                struct links *links = lws_get_vhost_user(lws_get_vhost(wsi));

                link_tls_set_up(&links->tls, user);
                return 0;
        }
        link = find(wsi);
        if (link == NULL)
                return reason == LWS_CALLBACK_CLIENT_WRITEABLE || reason == LWS_CALLBACK_CLIENT_ESTABLISHED
                               ? -1
                               : lws_callback_http_dummy(wsi, reason, user, in, len);
        switch (reason) {
        case LWS_CALLBACK_CLIENT_ESTABLISHED:
                return on_established(link, wsi);
        case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
                heard(link);
                return 0;
        case LWS_CALLBACK_CLIENT_RECEIVE:
                heard(link);
                on_receive(link, wsi, in, len);
                return 0;
        case LWS_CALLBACK_CLIENT_WRITEABLE:
                return on_writeable(link, wsi);
        case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
                log_debug("link", "address %u: %.*s", link->address, in != NULL ? (int)len : 0,
                          in != NULL ? (char *)in : "");
                fail(link);
                return 0;
        case LWS_CALLBACK_CLIENT_CLOSED:
        case LWS_CALLBACK_WSI_DESTROY:
                tell_down(link);
                return 0;
        default:
                return lws_callback_http_dummy(wsi, reason, user, in, len);
        }
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

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
        info.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS;
        info.client_ssl_cert_filepath = links->options.certificate;
        info.client_ssl_private_key_filepath = links->options.key;
        info.client_ssl_ca_filepath = links->options.ca;
        info.alpn = "http/1.1";
        links->vhost = lws_create_vhost(links->options.context, &info);
        if (links->vhost == NULL)
                return -EIO;
        return lws_init_vhost_client_ssl(&info, links->vhost) == 0 ? 0 : -EIO;
}

static int open_link(struct links *links, unsigned address)
{
        struct link *link = &links->link[address];
        struct in6_addr octets;

        link->links = links;
        link->address = address;
        wheel_timer_init(&link->timer, on_timer, link);
        link->port = config_port_of(links->options.addresses[address], link->host);
        if (link->port < 0)
                return link->port;
        link->literal = inet_pton(AF_INET, link->host, &octets) == 1 || inet_pton(AF_INET6, link->host, &octets) == 1;
        link->queue = calloc(LINK_QUEUE_MAX, sizeof(*link->queue));
        link->partial = malloc(VIGIE_FRAME_MAX);
        return link->queue != NULL && link->partial != NULL ? 0 : -ENOMEM;
}

int links_open(const struct links_options *options, struct links **ret_links)
{
        struct links *links = calloc(1, sizeof(*links));
        int r = links != NULL ? 0 : -ENOMEM;

        *ret_links = links;
        if (r < 0)
                return r;
        assert(options->count <= VIGIE_ADDRESSES_MAX);
        links->options = *options;
        wheel_timer_init(&links->later, on_later, links);
        for (unsigned i = 0; r == 0 && i < options->count; i++)
                r = open_link(links, i);
        return r == 0 ? open_vhost(links) : r;
}

void links_close(struct links *links)
{
        if (links == NULL)
                return;
        links->dying = true;
        loop_timer_cancel(links->options.loop, &links->later);
        for (size_t i = 0; i < links->options.count; i++) {
                if (links->link[i].links != NULL)
                        forget(&links->link[i]);
                if (links->link[i].query != NULL)
                        uv_cancel((uv_req_t *)links->link[i].query);
        }
}

void links_free(struct links *links)
{
        if (links == NULL)
                return;
        for (size_t i = 0; i < VIGIE_ADDRESSES_MAX; i++) {
                free(links->link[i].queue);
                free(links->link[i].partial);
        }
        link_tls_clear(&links->tls);
        free(links);
}

void link_end(struct links *links, unsigned address)
{
        struct link *link = &links->link[address];
        struct lws *wsi = link->wsi;

        forget(link);
        cut(wsi);
}

void link_connect(struct links *links, unsigned address)
{
        struct link *link = &links->link[address];

        link_end(links, address);
        arm(link, LINK_CONNECT_MS);
        if (link->literal)
                dial(link, link->host);
        else
                resolve(link);
}

int link_send(struct links *links, unsigned address, const uint8_t *data, size_t len)
{
        struct link *link = &links->link[address];
        struct out *out;

        assert(len <= VIGIE_SEND_MAX);
        if (!link->up)
                return -ENOTCONN;
        if (link->count == LINK_QUEUE_MAX) {
                drop(link);
                return -ENOBUFS;
        }
        out = &link->queue[(link->first + link->count++) % LINK_QUEUE_MAX];
        out->len = len;
        memcpy(out->data + LWS_PRE, data, len);
        if (!link->waiting) {
                link->waiting = link->ping = true;
                arm(link, LINK_ANSWER_MS);
        }
        lws_callback_on_writable(link->wsi);
        return 0;
}

void links_resumed(const struct links *links, unsigned *ret_resumed, unsigned *ret_all)
{
        *ret_resumed = links->tls.resumed;
        *ret_all = links->tls.handshakes;
}
