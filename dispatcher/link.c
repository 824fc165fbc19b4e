#include "dispatcher/link.h"

#include <errno.h>
#include <libwebsockets.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "dispatcher/link_inside.h"

/* libwebsockets' buffers for each session: a frame and what the protocol adds; what we send goes out in one piece. */
#define RX_BUFFER   1100
#define TX_PACKET   16384
/* Of libwebsockets' write protocols the one for close frames is private; its number has not changed since 1.0, and
 * tests/dispatcher/link_test.c sees such a frame arrive. */
#define WRITE_CLOSE ((enum lws_write_protocol)4)

static struct conn *find_wsi(struct lws *wsi)
{
        return conn_find(lws_context_user(lws_get_context(wsi)), (uint64_t)(uintptr_t)lws_get_opaque_user_data(wsi));
}

/* on_destroy: libwebsockets has forgotten the connection. */
static void on_destroy(struct conn *conn)
{
        struct link *link = conn->link;
        bool established = conn->established;

        conn_free(conn);
        link->counts.refused += !established;
        if (!link->dying)
                listener_gone(link->listener, established);
}

/* on_ready: adopt a socket whose peer has begun to speak. */
static void on_ready(void *user, int fd)
{
        struct link *link = user;
        struct conn *conn = conn_new(link);
        uint64_t number;
        struct lws *wsi;

        if (conn == NULL) {
                close(fd);
                link->counts.refused++;
                listener_gone(link->listener, false);
                return;
        }
        number = conn->number;
        conn_arm(conn, LINK_HURRY_MS);
        wsi = lws_adopt_descriptor_vhost_via_info(&(lws_adopt_desc_t){
                .vh = link->vhost,
                .type = LWS_ADOPT_HTTP | LWS_ADOPT_SOCKET | LWS_ADOPT_ALLOW_SSL,
                .fd = { .sockfd = fd },
                .opaque = (void *)(uintptr_t)number,
        });
        conn = conn_find(link, number);
        if (conn != NULL && wsi != NULL)
                conn->wsi = wsi;
        else if (conn != NULL)
                on_destroy(conn);
}

static int on_established(struct conn *conn)
{
        struct link *link = conn->link;
        struct tls_peer peer;
        SSL *ssl = lws_get_ssl(conn->wsi);

        if (tls_peer_read(ssl, clock_utc_ms() / 1000, &peer) < 0)
                return -1;
        tls_peer_forget(ssl);
        conn->established = true;
        conn->pinged = false;
        link->counts.established++;
        link->counts.resumed += SSL_session_reused(ssl) == 1;
        link->counts.sessions++;
        listener_established(link->listener);
        conn_arm(conn, LINK_FIRST_FRAME_MS);
        link->options.opened(link->options.user, conn->number, &peer);
        return 0;
}

/* gather: add a piece to the frame that is coming.  Returns 0, or the close code that it earns. */
static unsigned gather(struct conn *conn, const uint8_t *data, size_t len)
{
        if (conn->partial_len + len > conn->link->options.frame_max)
                return LINK_TOO_BIG;
        if (conn->partial == NULL && (conn->partial = malloc(conn->link->options.frame_max)) == NULL)
                return LINK_TRY_LATER;
        memcpy(conn->partial + conn->partial_len, data, len);
        conn->partial_len += len;
        return 0;
}

static void give_frame(struct conn *conn, const uint8_t *data, size_t len)
{
        struct link *link = conn->link;

        link->counts.frames_in++;
        conn_heard(conn);
        link->options.frame(link->options.user, conn->number, data, len);
}

static void on_receive(struct conn *conn, const uint8_t *data, size_t len)
{
        bool whole = lws_is_final_fragment(conn->wsi) && lws_remaining_packet_payload(conn->wsi) == 0;
        unsigned code = 0;

        if (conn->closing)
                return;
        if (!lws_frame_is_binary(conn->wsi)) {
                conn_shut(conn, LINK_PROTOCOL_ERROR);
                return;
        }
        if (whole && conn->partial == NULL && len <= conn->link->options.frame_max) {
                give_frame(conn, data, len);
                return;
        }
        code = gather(conn, data, len);
        if (code == LINK_TOO_BIG)
                conn->link->counts.too_big++;
        if (code == 0 && !whole)
                return;
        if (code == 0)
                give_frame(conn, conn->partial, conn->partial_len);
        else
                conn_shut(conn, code);
        free(conn->partial);
        conn->partial = NULL;
        conn->partial_len = 0;
}

/* send_close: by hand, and then wait for the peer's or for on_timer.  Debian's libwebsockets 4.1.6 is a debug build:
 * after a callback that returns -1 it closes a second time "as a test" on libuv, before its own close frame has
 * left. */
static int send_close(struct conn *conn)
{
        uint8_t frame[LWS_PRE + 2];

        if (conn->close_sent)
                return 0;
        conn->close_sent = true;
        frame[LWS_PRE] = (uint8_t)(conn->code >> 8);
        frame[LWS_PRE + 1] = (uint8_t)conn->code;
        return lws_write(conn->wsi, frame + LWS_PRE, 2, WRITE_CLOSE) < 0 ? -1 : 0;
}

/* on_writeable: send one thing.  Returns 0, or -1 to end the connection. */
static int on_writeable(struct conn *conn)
{
        struct out_frame *frame = conn->first;
        uint8_t ping[LWS_PRE + 1] = { 0 };

        if (frame != NULL) {
                conn->first = frame->next;
                if (conn->first == NULL)
                        conn->end = &conn->first;
                conn->queued--;
                conn->queued_octets -= (uint32_t)frame->len;
                conn->link->counts.frames_out++;
                int sent = lws_write(conn->wsi, frame->data + LWS_PRE, frame->len, LWS_WRITE_BINARY);
                free(frame);
                if (sent < 0)
                        return -1;
        } else if (conn->closing) {
                return send_close(conn);
        } else if (conn->ping_wanted) {
                conn->ping_wanted = false;
                if (lws_write(conn->wsi, ping + LWS_PRE, 1, LWS_WRITE_PING) /* an empty pong is not told */ < 0)
                        return -1;
        }
        if (conn->first != NULL || conn->closing)
                lws_callback_on_writable(conn->wsi);
        return 0;
}

static void on_closed(struct conn *conn)
{
        struct link *link = conn->link;

        if (!conn->established) /* libwebsockets says closed of what never was open, too */
                return;
        link->counts.sessions--;
        conn->closing = true;
        if (!link->dying)
                link->options.closed(link->options.user, conn->number);
}

/* on_session: libwebsockets' callback for the subprotocol. */
static int on_session(struct lws *wsi, enum lws_callback_reasons reason, void *pss, void *in, size_t len)
{
        struct conn *conn = find_wsi(wsi);

        if (conn == NULL)
                return 0;
        conn->wsi = wsi;
        switch (reason) {
        case LWS_CALLBACK_ESTABLISHED:
                return on_established(conn);
        case LWS_CALLBACK_RECEIVE:
                if (conn->established)
                        on_receive(conn, in, len);
                return 0;
        case LWS_CALLBACK_RECEIVE_PONG:
                conn_heard(conn);
                return 0;
        case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
                return conn->close_sent ? -1 : 0; /* the answer to ours: done */
        case LWS_CALLBACK_SERVER_WRITEABLE:
                return conn->established ? on_writeable(conn) : 0;
        case LWS_CALLBACK_CLOSED:
                on_closed(conn);
                return 0;
        default:
                return 0;
        }
}

/* on_http: libwebsockets' callback before the upgrade, and for what belongs to no protocol. */
static int on_http(struct lws *wsi, enum lws_callback_reasons reason, void *pss, void *in, size_t len)
{
        struct link *link = lws_context_user(lws_get_context(wsi));
        struct conn *conn;

        switch (reason) {
        case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS:
                link->ctx = pss;
                link->tls_result = tls_setup(link->ctx, &link->options.files, &link->tls_error);
                return link->tls_result < 0 ? -1 : 0;
        case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
                return -1; /* a WebSocket without our subprotocol */
        case LWS_CALLBACK_WSI_DESTROY:
                conn = find_wsi(wsi);
                if (conn != NULL)
                        on_destroy(conn);
                return 0;
        default:
                return lws_callback_http_dummy(wsi, reason, pss, in, len);
        }
}

static void say(int level, const char *line)
{
        log_debug("libwebsockets", "%s", line);
}

/* open_service: libwebsockets on our loop, with one vhost that has TLS and no port of its own. */
static int open_service(struct link *link)
{
        static const lws_retry_bo_t no_idle = { .secs_since_valid_ping = 0, .secs_since_valid_hangup = 0 };
        const struct lws_protocols protocols[] = {
                { "http", on_http, 0, 0, 0, NULL, 0 }, /* must be first */
                { link->options.subprotocol, on_session, 0, RX_BUFFER, 0, NULL, TX_PACKET },
                { NULL, NULL, 0, 0, 0, NULL, 0 },
        };
        struct lws_context_creation_info info = { 0 };
        void *loops[] = { loop_uv(link->options.loop) };

        lws_set_log_level(LLL_ERR | LLL_WARN, say);
        info.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
                       LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | LWS_SERVER_OPTION_UV_NO_SIGSEGV_SIGFPE_SPIN |
                       LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS;
        info.foreign_loops = loops;
        info.user = link;
        info.port = CONTEXT_PORT_NO_LISTEN_SERVER;
        info.retry_and_idle_policy = &no_idle; /* libwebsockets' own timers are one sorted list */
        info.uid = (uid_t)-1;
        info.gid = (gid_t)-1;
        link->context = lws_create_context(&info);
        if (link->context == NULL)
                return -EIO;
        info.options |= LWS_SERVER_OPTION_CREATE_VHOST_SSL_CTX;
        info.vhost_name = "handsets";
        info.protocols = protocols;
        info.alpn = "http/1.1";
        info.timeout_secs = LINK_HANDSHAKE_MS / 1000;
        link->vhost = lws_create_vhost(link->context, &info);
        return link->vhost != NULL ? 0 : link->tls_result < 0 ? link->tls_result : -EIO;
}

int link_open(const struct link_options *options, struct link **ret_link, const char **ret_why)
{
        struct link *link = calloc(1, sizeof(*link));
        int r;

        *ret_why = "no memory";
        if (link == NULL)
                return -ENOMEM;
        link->options = *options;
        link->slots = calloc(options->connections_max, sizeof(link->slots[0]));
        if (link->slots == NULL) {
                free(link);
                return -ENOMEM;
        }
        for (uint32_t i = 0; i < options->connections_max; i++)
                link->slots[i].next_free = i + 1 < options->connections_max ? i + 1 : NO_SLOT;
        *ret_why = options->address;
        r = listener_open(&(struct listener_options){ .loop = options->loop,
                                                      .address = options->address,
                                                      .port = options->port,
                                                      .connections_max = options->connections_max,
                                                      .handshakes_max = options->handshakes_max,
                                                      .user = link,
                                                      .ready = on_ready },
                          &link->listener);
        if (r == 0) {
                r = open_service(link);
                *ret_why = link->tls_error != NULL ? link->tls_error : "libwebsockets";
        }
        *ret_link = link; /* on failure too: libwebsockets may still hold on to it */
        if (r == 0)
                *ret_why = NULL;
        return r;
}

int link_start(struct link *link)
{
        return listener_start(link->listener);
}

void link_stop(struct link *link, unsigned code)
{
        listener_stop(link->listener);
        for (size_t i = 0; i < link->options.connections_max; i++) {
                struct conn *conn = link->slots[i].conn;

                if (conn != NULL && conn->established)
                        conn_shut(conn, code);
                else if (conn != NULL)
                        conn_cut(conn);
        }
}

void link_leave(struct link *link)
{
        listener_leave(link->listener);
}

void link_spare(struct link *link, uint64_t session)
{
        struct conn *conn = conn_find(link, session);

        if (conn != NULL)
                conn->spared = true;
}

size_t link_drain(struct link *link, size_t count, unsigned code)
{
        size_t closed = 0;

        for (size_t i = 0; i < link->options.connections_max; i++) {
                struct conn *conn = link->slots[i].conn;

                if (conn == NULL)
                        continue;
                if (closed < count && conn->established && !conn->closing && !conn->spared) {
                        conn_shut(conn, code);
                        closed++;
                }
                conn->spared = false;
        }
        return closed;
}

void link_close(struct link *link)
{
        if (link == NULL || link->dying)
                return;
        link->dying = true;
        listener_close(link->listener);
        link->listener = NULL;
        if (link->context != NULL)
                lws_context_destroy(link->context);
}

void link_free(struct link *link)
{
        if (link == NULL)
                return;
        if (link->context != NULL)
                lws_context_destroy(link->context); /* the second call: the loop has let go of it */
        free(link->slots);
        free(link);
}

int link_reload(struct link *link, const char **ret_why)
{
        SSL_CTX *trial = SSL_CTX_new(TLS_server_method()); /* a key that does not fit would cost the one that serves */
        int r = trial != NULL ? tls_setup(trial, &link->options.files, ret_why) : -ENOMEM;

        if (trial == NULL)
                *ret_why = "no memory";
        SSL_CTX_free(trial);
        return r < 0 ? r : tls_setup(link->ctx, &link->options.files, ret_why);
}

int link_send(struct link *link, uint64_t session, const uint8_t *data, size_t len)
{
        struct conn *conn = conn_find(link, session);

        if (conn == NULL || conn->closing || !conn->established)
                return -ENOENT;
        return conn_queue(conn, data, len);
}

size_t link_waiting(const struct link *link, uint64_t session)
{
        const struct conn *conn = conn_find(link, session);

        return conn != NULL ? conn->queued : 0;
}

int link_end(struct link *link, uint64_t session, unsigned code)
{
        struct conn *conn = conn_find(link, session);

        if (conn == NULL || !conn->established)
                return -ENOENT;
        conn_shut(conn, code);
        return 0;
}

int link_port(const struct link *link)
{
        return listener_port(link->listener);
}

const struct link_counts *link_counts(const struct link *link)
{
        return &link->counts;
}

const struct listener_counts *link_listener_counts(const struct link *link)
{
        return listener_counts(link->listener);
}
