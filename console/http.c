#include "console/http.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "console/exchange.h"
#include "console/server.h"

/* Octets of a reply's head: the policy and some 1 KiB beside it. */
#define HEAD_MAX  (POLICY_SIZE + 2048)
/* Octets of a body written at a time. */
#define PIECE_MAX 16384

static struct server *server_of(struct lws *wsi)
{
        return lws_context_user(lws_get_context(wsi));
}

int http_header(struct lws *wsi, enum lws_token_indexes token, char *to, size_t size)
{
        to[0] = '\0';
        if (lws_hdr_total_length(wsi, token) == 0)
                return 0;
        return lws_hdr_copy(wsi, to, (int)size, token) < 0 ? -EMSGSIZE : 0;
}

/* drop: the connection or its request is over. */
static void drop(struct http_session *session)
{
        if (session == NULL || session->exchange == NULL)
                return;
        if (session->exchange->large != NULL)
                session->exchange->server->edits--;
        session->exchange->wsi = NULL;
        exchange_unref(session->exchange);
        session->exchange = NULL;
}

static int read_path(struct lws *wsi, struct exchange *x)
{
        static const struct {
                enum lws_token_indexes token;
                enum exchange_method method;
        } methods[] = { { WSI_TOKEN_GET_URI, METHOD_GET },
                        { WSI_TOKEN_POST_URI, METHOD_POST },
                        { WSI_TOKEN_HEAD_URI, METHOD_HEAD } };

        x->method = METHOD_OTHER;
        for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
                if (lws_hdr_total_length(wsi, methods[i].token) > 0) {
                        x->method = methods[i].method;
                        return http_header(wsi, methods[i].token, x->path, sizeof(x->path));
                }
        return 0;
}

static int read_head(struct lws *wsi, struct exchange *x)
{
        char peer[64] = "";

        lws_get_peer_simple(wsi, peer, sizeof(peer));
        limit_address(peer, x->address);
        if (read_path(wsi, x) < 0 || http_header(wsi, WSI_TOKEN_HOST, x->host, sizeof(x->host)) < 0 ||
            http_header(wsi, WSI_TOKEN_ORIGIN, x->origin, sizeof(x->origin)) < 0 ||
            http_header(wsi, WSI_TOKEN_HTTP_CONTENT_TYPE, x->content_type, sizeof(x->content_type)) < 0 ||
            http_header(wsi, WSI_TOKEN_HTTP_IF_NONE_MATCH, x->if_none_match, sizeof(x->if_none_match)) < 0 ||
            http_header(wsi, WSI_TOKEN_HTTP_COOKIE, x->cookies, sizeof(x->cookies)) < 0)
                return -EMSGSIZE;
        return 0;
}

/* read_length: Content-Length; -1 when it is missing, a number too large for us when it is malformed. */
static long read_length(struct lws *wsi)
{
        char text[24], *end;
        long length;

        if (http_header(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH, text, sizeof(text)) < 0)
                return EDIT_BODY_MAX + 1;
        if (text[0] == '\0')
                return -1;
        length = strtol(text, &end, 10);
        return *end == '\0' && length >= 0 ? length : EDIT_BODY_MAX + 1;
}

static int on_request(struct lws *wsi, struct http_session *session)
{
        struct exchange *x;
        long length = read_length(wsi);

        drop(session);
        server_asked(server_of(wsi), wsi);
        if ((x = exchange_new(server_of(wsi), wsi)) == NULL)
                return -1;
        session->exchange = x;
        if (read_head(wsi, x) < 0) {
                x->reply.ends = true;
                exchange_status(x, 400);
        } else if (x->method == METHOD_POST && length < 0) {
                x->reply.ends = true;
                exchange_status(x, 411);
        } else if (x->method != METHOD_POST) {
                route(x);
        } else if (route_wants_body(x, (size_t)length) && length == 0) {
                route(x);
        }
        return 0;
}

static int on_body(struct http_session *session, const void *in, size_t len)
{
        struct exchange *x = session->exchange;

        if (x == NULL || x->replied)
                return x == NULL ? -1 : 0;
        if (x->body_len + len > (x->large != NULL ? x->large_size : sizeof(x->body)))
                return -1;
        memcpy((x->large != NULL ? x->large : x->body) + x->body_len, in, len);
        x->body_len += len;
        return 0;
}

struct head {
        struct lws *wsi;
        unsigned char *p, *end;
        bool full;
};

static void add(struct head *h, const char *name, const char *value)
{
        if (value != NULL && value[0] != '\0' &&
            lws_add_http_header_by_name(h->wsi, (const unsigned char *)name, (const unsigned char *)value,
                                        (int)strlen(value), &h->p, h->end) != 0)
                h->full = true;
}

/* The caretaker's page is for nobody who is logged in: it has a camera and a decoder, and speaks to its own server alone. */
static const char caretaker_policy[] =
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; connect-src "
        "'self'; "
        "media-src 'self' blob:; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'";

static void add_security(struct head *h, const struct server *server, const char *path)
{
        bool caretaker = strncmp(path, "/caretaker/", strlen("/caretaker/")) == 0;

        add(h, "content-security-policy:", caretaker ? caretaker_policy : server->policy);
        add(h, "strict-transport-security:", server->hsts);
        add(h, "x-content-type-options:", "nosniff");
        add(h, "referrer-policy:", "same-origin"); /* with no-referrer a form of ours would post with Origin: null */
        add(h, "cross-origin-opener-policy:", "same-origin");
        add(h, "cross-origin-resource-policy:", "same-origin");
        add(h, "permissions-policy:",
            caretaker ? "geolocation=(), camera=(self), microphone=(), payment=(), usb=()"
                      : "geolocation=(self), camera=(), microphone=(), payment=(), usb=()");
        if (server->options.config->frame_ancestors.count == 0)
                add(h, "x-frame-options:", "DENY");
}

static int send_head(struct lws *wsi, const struct exchange *x)
{
        unsigned char buf[LWS_PRE + HEAD_MAX], *start = buf + LWS_PRE;
        struct head h = { .wsi = wsi, .p = start, .end = buf + sizeof(buf) - 1 };
        const struct reply *r = &x->reply;
        char retry[16];

        if (lws_add_http_header_status(wsi, (unsigned)r->status, &h.p, h.end) != 0)
                return -1;
        add_security(&h, x->server, x->path);
        add(&h, "content-type:", r->len > 0 ? r->type : NULL);
        add(&h, "etag:", r->etag);
        add(&h, "cache-control:", r->cache);
        add(&h, "location:", r->location);
        add(&h, "set-cookie:", r->cookie);
        snprintf(retry, sizeof(retry), "%d", r->retry_after_s);
        add(&h, "retry-after:", r->retry_after_s > 0 ? retry : NULL);
        add(&h, "connection:", r->ends ? "close" : NULL);
        if (h.full || lws_add_http_header_content_length(wsi, r->len, &h.p, h.end) != 0 ||
            lws_finalize_http_header(wsi, &h.p, h.end) != 0)
                return -1;
        return lws_write(wsi, start, (size_t)(h.p - start), LWS_WRITE_HTTP_HEADERS) < 0 ? -1 : 0;
}

static int finish(struct lws *wsi, struct http_session *session)
{
        bool ends = session->exchange->reply.ends;

        drop(session);
        return ends || lws_http_transaction_completed(wsi) != 0 ? -1 : 0;
}

static int on_writable(struct lws *wsi, struct http_session *session)
{
        struct exchange *x = session->exchange;
        unsigned char buf[LWS_PRE + PIECE_MAX];
        size_t left, piece;
        bool has_body;

        if (x == NULL || !x->replied)
                return 0;
        has_body = x->reply.len > 0 && x->method != METHOD_HEAD && x->reply.status != 304;
        if (!x->head_sent) {
                x->head_sent = true;
                if (send_head(wsi, x) < 0)
                        return -1;
                if (!has_body)
                        return finish(wsi, session);
                lws_callback_on_writable(wsi);
                return 0;
        }
        left = x->reply.len - x->sent;
        piece = left < PIECE_MAX ? left : PIECE_MAX;
        memcpy(buf + LWS_PRE, x->reply.body + x->sent, piece);
        if (lws_write(wsi, buf + LWS_PRE, piece, piece == left ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < 0)
                return -1;
        x->sent += piece;
        if (x->sent == x->reply.len)
                return finish(wsi, session);
        lws_callback_on_writable(wsi);
        return 0;
}

/* confirm_upgrade: to WebSocket and nothing else: lws would take "Upgrade: h2c" even behind TLS, and with it its whole
 * HTTP/2.  It hangs up or lets pass, writes nothing, and does not read the callback's `in`: older lws may have freed
 *          that (CVE-2025-11677). */
static int confirm_upgrade(struct lws *wsi)
{
        char name[16];

        return http_header(wsi, WSI_TOKEN_UPGRADE, name, sizeof(name)) == 0 && strcasecmp(name, "websocket") == 0 ? 0
                                                                                                                  : -1;
}

int http_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
        struct http_session *session = user;

        switch (reason) {
        case LWS_CALLBACK_WSI_DESTROY:
                server_gone(server_of(wsi), wsi);
                return 0;
        case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
                return confirm_upgrade(wsi);
        case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION: /* no subprotocol, or none of ours */
                server_of(wsi)->counts.turned++;
                return -1;
        case LWS_CALLBACK_HTTP:
                return on_request(wsi, session);
        case LWS_CALLBACK_HTTP_BODY:
                return on_body(session, in, len);
        case LWS_CALLBACK_HTTP_BODY_COMPLETION:
                if (session->exchange != NULL && !session->exchange->replied)
                        route(session->exchange);
                return 0;
        case LWS_CALLBACK_HTTP_WRITEABLE:
                return on_writable(wsi, session);
        case LWS_CALLBACK_HTTP_DROP_PROTOCOL:
        case LWS_CALLBACK_CLOSED_HTTP:
                drop(session);
                return 0;
        default:
                return 0;
        }
}
