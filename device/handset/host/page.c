#include "device/handset/host/page.h"

#include <errno.h>
#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POLICY_SIZE   1024
#define FIXED_HEADERS 4

struct socket {
        struct socket *next;
        struct lws *wsi;
        bool open, stale; /* stale: has not been sent the present status */
        json_t *answers;  /* array, waiting */
        const char *feel; /* waiting; NULL: nothing */
        char message[PAGE_MESSAGE_MAX];
        size_t len;
        bool too_long;
};

struct page {
        struct page_options options;
        struct lws_vhost *vhost;
        int port;
        size_t count;
        struct socket *sockets;
        char policy[POLICY_SIZE];
        struct lws_protocol_vhost_options headers[1 + FIXED_HEADERS];
        struct lws_http_mount mount;
};

static bool header_is(struct lws *wsi, enum lws_token_indexes token, const char *prefix, int port)
{
        static const char *const hosts[] = { "127.0.0.1", "localhost" };
        char value[128], wanted[128];

        if (lws_hdr_copy(wsi, value, sizeof(value), token) <= 0)
                return false;
        for (size_t i = 0; i < 2; i++) {
                snprintf(wanted, sizeof(wanted), "%s%s:%d", prefix, hosts[i], port);
                if (strcmp(value, wanted) == 0)
                        return true;
        }
        return false;
}

static bool is_ours(const struct page *page, struct lws *wsi)
{
        return header_is(wsi, WSI_TOKEN_HOST, "", page->port) &&
               header_is(wsi, WSI_TOKEN_ORIGIN, "http://", page->port);
}

static int open_socket(struct page *page, struct socket *s, struct lws *wsi)
{
        if (page->count >= PAGE_SOCKETS_MAX || (s->answers = json_array()) == NULL)
                return -1;
        s->wsi = wsi;
        s->open = s->stale = true;
        s->next = page->sockets;
        page->sockets = s;
        page->count++;
        lws_callback_on_writable(wsi);
        return 0;
}

static void close_socket(struct page *page, struct socket *s)
{
        struct socket **at = &page->sockets;

        if (!s->open) /* closed comes for what never was open, too */
                return;
        while (*at != s)
                at = &(*at)->next;
        *at = s->next;
        page->count--;
        s->open = false;
        json_decref(s->answers);
}

static void take_message(struct page *page, struct socket *s)
{
        json_t *request = s->too_long ? NULL : json_loadb(s->message, s->len, JSON_REJECT_DUPLICATES, NULL);
        json_t *answer = host_ask(page->options.host, request), *number = json_object_get(request, "n");

        if (answer != NULL && json_is_integer(number))
                json_object_set(answer, "answer", number);
        json_array_append_new(s->answers, answer);
        json_decref(request);
        if (json_array_size(s->answers) > PAGE_ANSWERS_MAX)
                lws_set_timeout(s->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
        else
                lws_callback_on_writable(s->wsi);
}

static void receive(struct page *page, struct socket *s, const void *in, size_t len)
{
        if (s->len + len > sizeof(s->message))
                s->too_long = true;
        if (!s->too_long) {
                memcpy(s->message + s->len, in, len);
                s->len += len;
        }
        if (!lws_is_final_fragment(s->wsi) || lws_remaining_packet_payload(s->wsi) > 0)
                return;
        take_message(page, s);
        explicit_bzero(s->message, s->len); /* it may have been a PIN */
        s->len = 0;
        s->too_long = false;
}

static int send_json(struct socket *s, json_t *message)
{
        char *text = message != NULL ? json_dumps(message, JSON_COMPACT) : NULL;
        size_t len = text != NULL ? strlen(text) : 0;
        uint8_t *room = malloc(LWS_PRE + len);
        int r = -1;

        if (text != NULL && room != NULL) {
                memcpy(room + LWS_PRE, text, len);
                r = lws_write(s->wsi, room + LWS_PRE, len, LWS_WRITE_TEXT) < 0 ? -1 : 0;
        }
        free(room);
        free(text);
        json_decref(message);
        return r;
}

static int writeable(struct page *page, struct socket *s)
{
        const char *feel = s->feel;
        int r = 0;

        if (feel != NULL) {
                s->feel = NULL;
                r = send_json(s, json_pack("{s:s}", "vibrate", feel));
        } else if (json_array_size(s->answers) > 0) {
                json_t *first = json_incref(json_array_get(s->answers, 0));

                json_array_remove(s->answers, 0);
                r = send_json(s, first);
        } else if (s->stale) {
                s->stale = false;
                r = send_json(s, json_pack("{s:o}", "status", host_status(page->options.host)));
        }
        if (s->stale || s->feel != NULL || json_array_size(s->answers) > 0)
                lws_callback_on_writable(s->wsi);
        return r;
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *pss, void *in, size_t len)
{
        struct lws_vhost *vhost = lws_get_vhost(wsi);
        struct page *page = vhost != NULL ? lws_get_vhost_user(vhost) : NULL;
        struct socket *s = pss;

        switch (reason) {
        case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
                return is_ours(page, wsi) ? 0 : -1;
        case LWS_CALLBACK_ESTABLISHED:
                return open_socket(page, s, wsi);
        case LWS_CALLBACK_RECEIVE:
                if (s->open)
                        receive(page, s, in, len);
                return 0;
        case LWS_CALLBACK_SERVER_WRITEABLE:
                return s->open ? writeable(page, s) : 0;
        case LWS_CALLBACK_CLOSED:
                close_socket(page, s);
                return 0;
        default:
                return lws_callback_http_dummy(wsi, reason, pss, in, len);
        }
}

/* on_http: files are only for a browser that asked for us by our own name. */
static int on_http(struct lws *wsi, enum lws_callback_reasons reason, void *pss, void *in, size_t len)
{
        struct lws_vhost *vhost = lws_get_vhost(wsi);
        struct page *page = vhost != NULL ? lws_get_vhost_user(vhost) : NULL;

        if (reason == LWS_CALLBACK_FILTER_HTTP_CONNECTION)
                return header_is(wsi, WSI_TOKEN_HOST, "", page->port) ? 0 : -1;
        if (reason == LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION)
                return -1; /* a WebSocket without our subprotocol */
        return lws_callback_http_dummy(wsi, reason, pss, in, len);
}

static void make_headers(struct page *page)
{
        static const char *const fixed[FIXED_HEADERS][2] = {
                { "x-content-type-options:", "nosniff" },
                { "referrer-policy:", "no-referrer" },
                { "cache-control:", "no-cache" },
                /* no other page learns that a phone is here */
                { "cross-origin-resource-policy:", "same-origin" },
        };

        for (size_t i = 0; i < FIXED_HEADERS; i++)
                page->headers[i + 1] = (struct lws_protocol_vhost_options){
                        .next = i < FIXED_HEADERS - 1 ? &page->headers[i + 2] : NULL, .name = fixed[i][0], .value = fixed[i][1]
                };
        page->headers[0] = (struct lws_protocol_vhost_options){
                .next = &page->headers[1], .name = "content-security-policy:", .value = page->policy
        };
}

/* The headers hold only a pointer to it: it is written when the port is known. */
static void make_policy(struct page *page)
{
        const struct conf_list *ancestors = page->options.frame_ancestors;
        int n = snprintf(page->policy, POLICY_SIZE,
                         "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' "
                         "ws://127.0.0.1:%d ws://localhost:%d; base-uri 'none'; form-action 'none'; frame-ancestors%s",
                         page->port, page->port, ancestors->count == 0 ? " 'none'" : "");

        for (size_t i = 0; i < ancestors->count && n < POLICY_SIZE; i++)
                n += snprintf(page->policy + n, (size_t)(POLICY_SIZE - n), " %s", ancestors->item[i]);
}

static const struct lws_protocols protocols[] = {
        { "http", on_http, 0, 0, 0, NULL, 0 }, /* must be first */
        { "vigie-page", callback, sizeof(struct socket), PAGE_MESSAGE_MAX, 0, NULL, 65536 },
        { NULL, NULL, 0, 0, 0, NULL, 0 },
};

int page_open(const struct page_options *options, struct page **ret_page)
{
        struct page *page = calloc(1, sizeof(*page));
        struct lws_context_creation_info info = { 0 };

        if (page == NULL)
                return -ENOMEM;
        page->options = *options;
        make_headers(page);
        page->mount = (struct lws_http_mount){ .mountpoint = "/",
                                               .mountpoint_len = 1,
                                               .origin = options->path,
                                               .def = "index.html",
                                               .origin_protocol = LWSMPRO_FILE };
        info.vhost_name = "page";
        info.port = options->port;
        info.iface = "127.0.0.1";
        info.protocols = protocols;
        info.mounts = &page->mount;
        info.headers = page->headers;
        info.user = page;
        page->vhost = lws_create_vhost(options->context, &info);
        page->port = page->vhost != NULL ? lws_get_vhost_listen_port(page->vhost) : 0;
        make_policy(page);
        *ret_page = page; /* also on failure: libwebsockets may hold the pointer */
        return page->vhost != NULL && page->port > 0 ? 0 : -EADDRINUSE;
}

int page_port(const struct page *page)
{
        return page->port;
}

void page_show(struct page *page)
{
        for (struct socket *s = page->sockets; s != NULL; s = s->next) {
                s->stale = true;
                lws_callback_on_writable(s->wsi);
        }
}

void page_feel(struct page *page, const char *pattern)
{
        for (struct socket *s = page->sockets; s != NULL; s = s->next) {
                s->feel = pattern;
                lws_callback_on_writable(s->wsi);
        }
}

void page_free(struct page *page)
{
        free(page);
}
