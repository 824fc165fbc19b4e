#include "console/socket.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/equal.h"
#include "base/log.h"
#include "base/loop.h"
#include "console/ask.h"
#include "console/exchange.h"
#include "console/http.h"
#include "console/server.h"

static_assert(OUTBOUND_PRE >= LWS_PRE, "room for the frame's head");

/* A close that the peer does not answer within so long is ended without it. */
#define CLOSE_WAIT_S   5
/* A close frame.  lws 4.1 to 4.3 keep the number to themselves (LWS_WRITE_CLOSE); the browser test holds us to it. */
#define WRITE_CLOSE    ((enum lws_write_protocol)4)
#define CLOSE_TOO_BIG  1009
#define CLOSE_NOT_TEXT 1003

/* On the heap: the store's answer may come when the connection is gone. */
struct socket {
        struct socket *next, *prev;
        unsigned refs;
        struct lws *wsi; /* NULL once it is gone */
        struct server *server;
        struct page *page; /* NULL until the store said who it is */
        bool passes;       /* a page of the pass desk */
        struct pass_page *pass_page;
        bool has_cookie, asking;
        uint8_t hash[SESSION_HASH_SIZE];
        struct wheel_timer recheck;
        int close_code; /* 0 = open */
        bool close_sent;
        size_t rx_len;
        char rx[ASK_MAX];
};

static struct server *server_of(struct lws *wsi)
{
        return lws_context_user(lws_get_context(wsi));
}

static void unref(struct socket *s)
{
        if (--s->refs == 0)
                free(s);
}

static void close_with(void *user, int code)
{
        struct socket *s = user;

        if (s->wsi == NULL || s->close_code != 0)
                return;
        s->close_code = code;
        lws_set_timeout(s->wsi, PENDING_TIMEOUT_USER_REASON_BASE, CLOSE_WAIT_S);
        lws_callback_on_writable(s->wsi);
}

static void wake(void *user)
{
        struct socket *s = user;

        if (s->wsi != NULL)
                lws_callback_on_writable(s->wsi);
}

/* ---- who it is */

static void fill_viewer(const struct socket *s, const struct session *session, const struct user_entry *entry,
                        struct viewer *viewer)
{
        const struct person *person;

        *viewer = (struct viewer){ .role = entry->role, .ends_ms = session->ends_ms };
        strcpy(viewer->login, session->login);
        strcpy(viewer->person, entry->person[0] != '\0' ? entry->person : session->login);
        strcpy(viewer->name, entry->name);
        strcpy(viewer->language, entry->language);
        person = desk_supervisor(s->server->options.desk, viewer->person);
        if (entry->role == ROLE_SUPERVISOR && person != NULL)
                strcpy(viewer->team, person->team);
}

/* open_page: of the one desk or the other.  Returns 0 or -ENOMEM. */
static int open_page(struct socket *s, const struct viewer *viewer)
{
        const struct server_options *options = &s->server->options;
        struct page_hooks hooks = { s, wake, close_with };
        int r;

        if (!s->passes)
                return desk_open(options->desk, viewer, &hooks, &s->page);
        r = desk_open_quiet(options->desk, viewer, &hooks, &s->page);
        return r == 0 ? pass_desk_page(options->passes, s->page, &s->pass_page) : r;
}

static void on_who(void *user, int result, const struct session *session, const struct user_entry *entry)
{
        struct socket *s = user;
        struct viewer viewer;

        s->asking = false;
        if (s->wsi == NULL || s->close_code != 0) {
                /* gone or going */
        } else if (result == -EAGAIN) {
                if (s->page == NULL)
                        close_with(s, DESK_TRY_LATER);
                /* else it stays: the store is away, and the page is told so */
        } else if (result < 0) {
                close_with(s, DESK_NO_SESSION);
        } else if (!gate_has_page(entry->role) || (entry->role == ROLE_ISSUER && !s->passes)) {
                close_with(s, DESK_NO_ROLE);
        } else {
                fill_viewer(s, session, entry, &viewer);
                if (s->page != NULL && page_viewer(s->page)->role == viewer.role &&
                    strcmp(page_viewer(s->page)->person, viewer.person) == 0)
                        page_set_viewer(s->page, &viewer);
                else if (s->page != NULL)
                        close_with(s, DESK_NO_SESSION); /* somebody else now: log in again */
                else if (open_page(s, &viewer) < 0)
                        close_with(s, DESK_TRY_LATER);
                else {
                        s->server->counts.opened++;
                        server_known(s->server, s->wsi);
                }
        }
        unref(s);
}

static void ask_who(struct socket *s)
{
        struct store_who who = { s, on_who };

        if (s->asking)
                return;
        s->refs++;
        if (store_session_get(s->server->options.store, s->hash, &who) == 0) {
                s->asking = true;
                return;
        }
        s->refs--;
        if (s->page == NULL)
                close_with(s, DESK_TRY_LATER);
}

static void on_recheck(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct socket *s = timer->user;

        if (s->page == NULL)
                close_with(s, DESK_TRY_LATER);
        else if (page_viewer(s->page)->ends_ms <= clock_utc_ms())
                close_with(s, DESK_NO_SESSION);
        else
                ask_who(s);
        loop_timer_arm(s->server->options.loop, timer, now_mono_ms + SERVER_RECHECK_MS);
}

/* ---- lws */

static bool is_path(struct lws *wsi, const char *path)
{
        char text[16];

        return http_header(wsi, WSI_TOKEN_GET_URI, text, sizeof(text)) == 0 && strcmp(text, path) == 0;
}

/* may_upgrade: our own pages only, at our own name, at the two paths. */
static bool may_upgrade(struct lws *wsi)
{
        const struct server *server = server_of(wsi);
        char origin[EXCHANGE_HEADER_MAX], host[EXCHANGE_HEADER_MAX], cookies[EXCHANGE_COOKIE_MAX];

        return http_header(wsi, WSI_TOKEN_ORIGIN, origin, sizeof(origin)) == 0 &&
               origins_has(&server->origins, origin) && http_header(wsi, WSI_TOKEN_HOST, host, sizeof(host)) == 0 &&
               origins_has_host(&server->origins, host) &&
               (is_path(wsi, SERVER_SOCKET_PATH) || is_path(wsi, SERVER_PASSES_PATH)) &&
               http_header(wsi, WSI_TOKEN_HTTP_COOKIE, cookies, sizeof(cookies)) == 0;
}

static int on_upgrade(struct lws *wsi)
{
        if (may_upgrade(wsi))
                return 0;
        server_of(wsi)->counts.turned++;
        lws_return_http_status(wsi, HTTP_STATUS_FORBIDDEN, NULL);
        return -1;
}

static int on_established(struct lws *wsi, struct socket_session *session)
{
        struct socket *s = calloc(1, sizeof(*s));
        char cookies[EXCHANGE_COOKIE_MAX], token[SESSION_TOKEN_SIZE];

        if (s == NULL)
                return -1;
        *s = (struct socket){ .refs = 1, .wsi = wsi, .server = server_of(wsi) };
        session->socket = s;
        s->passes = is_path(wsi, SERVER_PASSES_PATH);
        s->next = s->server->sockets;
        if (s->next != NULL)
                s->next->prev = s;
        s->server->sockets = s;
        wheel_timer_init(&s->recheck, on_recheck, s);
        loop_timer_arm(s->server->options.loop, &s->recheck, clock_mono_ms() + SERVER_TIMEOUT_S * 1000);
        if (http_header(wsi, WSI_TOKEN_HTTP_COOKIE, cookies, sizeof(cookies)) < 0 ||
            session_from_cookies(cookies, token) < 0 || session_hash(token, s->hash) < 0) {
                close_with(s, DESK_NO_SESSION);
                return 0;
        }
        s->has_cookie = true;
        ask_who(s);
        return 0;
}

static void on_closed(struct socket_session *session)
{
        struct socket *s = session != NULL ? session->socket : NULL;

        if (s == NULL) /* lws says CLOSED of some that never were ESTABLISHED */
                return;
        session->socket = NULL;
        s->wsi = NULL;
        loop_timer_cancel(s->server->options.loop, &s->recheck);
        pass_page_close(s->pass_page);
        desk_page_close(s->page);
        s->page = NULL;
        if (s->prev != NULL)
                s->prev->next = s->next;
        else
                s->server->sockets = s->next;
        if (s->next != NULL)
                s->next->prev = s->prev;
        unref(s);
}

static int on_receive(struct lws *wsi, struct socket *s, const char *in, size_t len)
{
        int code;

        if (s == NULL || s->close_code != 0)
                return 0;
        if (lws_frame_is_binary(wsi) || s->page == NULL) { /* a page of ours speaks when spoken to */
                close_with(s, lws_frame_is_binary(wsi) ? CLOSE_NOT_TEXT : DESK_MALFORMED);
                return 0;
        }
        if (s->rx_len + len > sizeof(s->rx)) {
                close_with(s, CLOSE_TOO_BIG);
                return 0;
        }
        memcpy(s->rx + s->rx_len, in, len);
        s->rx_len += len;
        if (!lws_is_final_fragment(wsi) || lws_remaining_packet_payload(wsi) > 0)
                return 0;
        code = s->pass_page != NULL ? pass_page_said(s->pass_page, s->rx, s->rx_len, clock_mono_ms())
                                    : page_said(s->page, s->rx, s->rx_len, clock_mono_ms());
        s->rx_len = 0;
        if (code != 0)
                close_with(s, code);
        return 0;
}

/* send_close: our close frame; the peer's answer, or the timeout that close_with has set, ends the connection.  Not by
 * lws_close_reason and -1: on libuv this lws then closes twice, and the frame with the code never leaves. */
static int send_close(struct lws *wsi, struct socket *s)
{
        unsigned char buf[LWS_PRE + 2];

        if (s->close_sent)
                return 0;
        s->close_sent = true;
        buf[LWS_PRE] = (unsigned char)(s->close_code >> 8);
        buf[LWS_PRE + 1] = (unsigned char)s->close_code;
        return lws_write(wsi, buf + LWS_PRE, 2, WRITE_CLOSE) < 0 ? -1 : 0;
}

static int on_writable(struct lws *wsi, struct socket *s)
{
        struct outbound *out;
        int n;

        if (s == NULL)
                return 0;
        if (s->close_code != 0)
                return send_close(wsi, s);
        if (s->page == NULL || (out = page_next(s->page)) == NULL)
                return 0;
        n = lws_write(wsi, out->data + OUTBOUND_PRE, out->len, LWS_WRITE_TEXT);
        outbound_unref(out);
        if (n < 0)
                return -1;
        lws_callback_on_writable(wsi); /* cheap where nothing waits */
        return 0;
}

int socket_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
        struct socket_session *session = user;

        switch (reason) {
        case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
                return on_upgrade(wsi);
        case LWS_CALLBACK_ESTABLISHED:
                return on_established(wsi, session);
        case LWS_CALLBACK_RECEIVE:
                return on_receive(wsi, session->socket, in, len);
        case LWS_CALLBACK_SERVER_WRITEABLE:
                return on_writable(wsi, session->socket);
        case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE: /* -1: the answer to ours; lws would answer it once more */
                return session->socket != NULL && session->socket->close_sent ? -1 : 0;
        case LWS_CALLBACK_CLOSED:
                on_closed(session);
                return 0;
        default:
                return 0;
        }
}

void socket_end_session(struct server *server, const uint8_t hash[SESSION_HASH_SIZE])
{
        for (struct socket *s = server->sockets; s != NULL; s = s->next)
                if (s->has_cookie && bytes_equal(s->hash, hash, SESSION_HASH_SIZE))
                        close_with(s, DESK_NO_SESSION);
}

void socket_end_all(struct server *server, int code)
{
        for (struct socket *s = server->sockets; s != NULL; s = s->next)
                close_with(s, code);
}
