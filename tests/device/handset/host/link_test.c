/* Links against a real TLS server, libwebsockets' own, on the same loop. */
#include "tests/device/handset/host/support.h"

#include <libwebsockets.h>

#include "device/handset/host/link.h"
#include "device/handset/vigie.h"

#define HEARD_MAX 64

struct world {
        struct folder folder;
        struct loop *loop;
        struct lws_context *lws;
        struct lws_vhost *vhost;
        struct links *links;
        char address[VIGIE_ADDRESSES_MAX][64], pem[8][128];
        const char *addresses[VIGIE_ADDRESSES_MAX];
        size_t count;

        bool changed, heard;
        unsigned ups, downs, frames, largest;
        char text[HEARD_MAX];
        struct lws *peer; /* the server's end of the last connection */
        unsigned accepted, live;
        size_t reply; /* octets that the server answers with; 0: an echo */
        size_t echo_len;
        uint8_t echo[LWS_PRE + 16384];
};

/* ---- the server -------------------------------------------------------------------------------------------------- */

static int serve(struct lws *wsi, enum lws_callback_reasons reason, void *pss, void *in, size_t len)
{
        struct lws_vhost *vhost = lws_get_vhost(wsi);
        struct world *w = vhost != NULL ? lws_get_vhost_user(vhost) : NULL;

        switch (reason) {
        case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS:
                SSL_CTX_set_session_id_context(pss, (const unsigned char *)"test", 4);
                return 0;
        case LWS_CALLBACK_ESTABLISHED:
                w->peer = wsi;
                w->accepted++;
                w->live++;
                return 0;
        case LWS_CALLBACK_CLOSED:
                w->peer = w->peer == wsi ? NULL : w->peer;
                w->live--;
                return 0;
        case LWS_CALLBACK_RECEIVE:
                memcpy(w->echo + LWS_PRE, in, len);
                w->echo_len = w->reply != 0 ? w->reply : len;
                lws_callback_on_writable(wsi);
                return lws_rx_flow_control(wsi, 0);
        case LWS_CALLBACK_SERVER_WRITEABLE:
                if (w->echo_len > 0)
                        lws_write(wsi, w->echo + LWS_PRE, w->echo_len, LWS_WRITE_BINARY);
                w->echo_len = 0;
                return lws_rx_flow_control(wsi, 1);
        default:
                return 0;
        }
}

static const struct lws_protocols protocols[] = {
        { "http", lws_callback_http_dummy, 0, 0, 0, NULL, 0 },
        { "vigie.1", serve, 0, 4096, 0, NULL, 65536 },
        { NULL, NULL, 0, 0, 0, NULL, 0 },
};

static const char *pem(struct world *w, int i, const char *name)
{
        return folder_file(&w->folder, name, w->pem[i]);
}

static void open_server(struct world *w, const char *certificate)
{
        struct lws_context_creation_info info = { 0 };
        void *loops[] = { loop_uv(w->loop) };
        char file[64];

        lws_set_log_level(0, NULL);
        info.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
                       LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | LWS_SERVER_OPTION_UV_NO_SIGSEGV_SIGFPE_SPIN;
        info.foreign_loops = loops;
        info.port = CONTEXT_PORT_NO_LISTEN;
        w->lws = lws_create_context(&info);
        assert_non_null(w->lws);
        info.vhost_name = "server";
        info.iface = "127.0.0.1";
        info.port = 0;
        info.protocols = protocols;
        info.user = w;
        info.options |= LWS_SERVER_OPTION_REQUIRE_VALID_OPENSSL_CLIENT_CERT;
        snprintf(file, sizeof(file), "%s.pem", certificate);
        info.ssl_cert_filepath = pem(w, 0, file);
        snprintf(file, sizeof(file), "%s.key", certificate);
        info.ssl_private_key_filepath = pem(w, 1, file);
        info.ssl_ca_filepath = pem(w, 2, "ca.pem");
        info.alpn = "http/1.1";
        w->vhost = lws_create_vhost(w->lws, &info);
        assert_non_null(w->vhost);
}

/* ---- the phone --------------------------------------------------------------------------------------------------- */

static void on_state(void *user, unsigned address, bool up)
{
        struct world *w = user;

        w->changed = true;
        w->ups += up;
        w->downs += !up;
}

static void on_frame(void *user, unsigned address, const uint8_t *data, size_t len)
{
        struct world *w = user;

        w->heard = true;
        if (w->frames < HEARD_MAX && len > 0)
                w->text[w->frames] = (char)data[0];
        w->frames++;
        if (len > w->largest)
                w->largest = (unsigned)len;
}

/* A server with this certificate, and a phone that knows it at HOST and trusts the CA in CA.
 *   machine  what the machine's own list of authorities is; NULL: as it is */
struct plan {
        const char *certificate, *host, *ca, *machine;
};

static void open_world(struct world *w, const struct plan *plan)
{
        memset(w, 0, sizeof(*w));
        folder_make(&w->folder);
        certify(&w->folder, "ca", &(struct certificate){ "Vigie test", NULL, NULL });
        certify(&w->folder, "other", &(struct certificate){ "Vigie other", NULL, NULL });
        certify(&w->folder, "both", &(struct certificate){ "localhost", "DNS:localhost,IP:127.0.0.1", "ca" });
        certify(&w->folder, "name", &(struct certificate){ "localhost", "DNS:localhost", "ca" });
        certify(&w->folder, "elsewhere", &(struct certificate){ "elsewhere", "DNS:elsewhere,IP:127.0.0.9", "ca" });
        certify(&w->folder, "foreign", &(struct certificate){ "localhost", "DNS:localhost,IP:127.0.0.1", "other" });
        certify(&w->folder, "phone", &(struct certificate){ "0011223344556677", NULL, "ca" });
        if (plan->machine != NULL)
                setenv("SSL_CERT_FILE", pem(w, 6, plan->machine), 1);
        assert_int_equal(loop_open(&w->loop), 0);
        open_server(w, plan->certificate);
        w->count = 2;
        snprintf(w->address[0], sizeof(w->address[0]), "%s:%d", plan->host, lws_get_vhost_listen_port(w->vhost));
        snprintf(w->address[1], sizeof(w->address[1]), "127.0.0.1:1"); /* nobody is there */
        for (size_t i = 0; i < w->count; i++)
                w->addresses[i] = w->address[i];
        struct links_options options = { .loop = w->loop,
                                         .context = w->lws,
                                         .certificate = pem(w, 3, "phone.pem"),
                                         .key = pem(w, 4, "phone.key"),
                                         .ca = pem(w, 5, plan->ca),
                                         .addresses = w->addresses,
                                         .count = w->count,
                                         .user = w,
                                         .state = on_state,
                                         .frame = on_frame };
        assert_int_equal(links_open(&options, &w->links), 0);
}

static void close_world(struct world *w)
{
        links_close(w->links);
        lws_context_destroy(w->lws);
        assert_int_equal(loop_close(w->loop), 0);
        lws_context_destroy(w->lws); /* the second call: the loop has let go of it */
        links_free(w->links);
        folder_remove(&w->folder);
}

static const struct plan usual = { "both", "127.0.0.1", "ca.pem", NULL };

/* Connect and see what becomes of it: true for up. */
static bool connects(struct world *w)
{
        unsigned ups = w->ups;

        w->changed = false;
        link_connect(w->links, 0);
        assert_false(w->changed); /* never from within the call */
        assert_true(spin(w->loop, &w->changed));
        return w->ups > ups;
}

static void messages_both_ways(void **state)
{
        struct world w;

        open_world(&w, &usual);
        assert_int_equal(link_send(w.links, 0, (const uint8_t *)"x", 1), -ENOTCONN);
        assert_true(connects(&w));
        for (char c = 'a'; c < 'k'; c++)
                assert_int_equal(link_send(w.links, 0, (const uint8_t *)&c, 1), 0);
        while (w.frames < 10) {
                w.heard = false;
                assert_true(spin(w.loop, &w.heard));
        }
        assert_memory_equal(w.text, "abcdefghij", 10);
        assert_int_equal(w.downs, 0);
        close_world(&w);
}

static void the_largest_message(void **state)
{
        uint8_t most[VIGIE_SEND_MAX] = { 'm' };
        struct world w;

        open_world(&w, &usual);
        assert_true(connects(&w));
        assert_int_equal(link_send(w.links, 0, most, sizeof(most)), 0);
        assert_true(spin(w.loop, &w.heard));
        assert_int_equal(w.largest, VIGIE_SEND_MAX);
        w.reply = VIGIE_FRAME_MAX;
        w.heard = false;
        link_send(w.links, 0, most, 1);
        assert_true(spin(w.loop, &w.heard));
        assert_int_equal(w.largest, VIGIE_FRAME_MAX);
        w.reply = VIGIE_FRAME_MAX + 1; /* dropped; the link goes on */
        link_send(w.links, 0, most, 1);
        turn(w.loop, 30);
        w.reply = 7;
        w.heard = false;
        link_send(w.links, 0, most, 1);
        assert_true(spin(w.loop, &w.heard));
        assert_int_equal(w.frames, 3);
        assert_int_equal(w.downs, 0);
        close_world(&w);
}

static void sessions_are_resumed(void **state)
{
        unsigned resumed, all;
        struct world w;

        open_world(&w, &usual);
        for (unsigned i = 0; i < 4; i++) {
                assert_true(connects(&w));
                link_send(w.links, 0, (const uint8_t *)"x",
                          1); /* the ticket comes with what is read after the handshake */
                w.heard = false;
                assert_true(spin(w.loop, &w.heard));
                links_resumed(w.links, &resumed, &all);
                assert_int_equal(all, i + 1);
                assert_int_equal(resumed, i);
                if (i % 2 == 0) { /* cut by the other end, then by us */
                        w.changed = false;
                        lws_set_timeout(w.peer, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
                        assert_true(spin(w.loop, &w.changed));
                } else {
                        link_end(w.links, 0);
                        turn(w.loop, 5);
                }
        }
        assert_int_equal(w.downs, 2);
        close_world(&w);
}

static void whose_certificate_counts(void **state)
{
        static const struct {
                struct plan plan;
                bool up;
        } cases[] = {
                { { "both", "127.0.0.1", "ca.pem", NULL }, true },
                { { "both", "localhost", "ca.pem", NULL }, true },
                { { "name", "localhost", "ca.pem", NULL }, true },
                { { "name", "127.0.0.1", "ca.pem", NULL }, false },
                { { "elsewhere", "localhost", "ca.pem", NULL }, false },
                { { "elsewhere", "127.0.0.1", "ca.pem", NULL }, false },
                { { "foreign", "127.0.0.1", "ca.pem", NULL }, false },
                { { "foreign", "localhost", "ca.pem", NULL }, false },
                { { "both", "127.0.0.1", "other.pem", NULL }, false },
                { { "both", "localhost", "other.pem", NULL }, false },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct world w;

                open_world(&w, &cases[i].plan);
                for (int time = 0; time < 3; time++) /* the session of one that does not count is not resumed */
                        if (connects(&w) != cases[i].up)
                                fail_msg("case %zu, time %d", i, time);
                if (!cases[i].up)
                        assert_int_equal(w.ups, 0);
                close_world(&w);
        }
}

/* The machine's own list of authorities does not count. */
static void no_other_authority(void **state)
{
        static const struct plan plan = { "foreign", "localhost", "ca.pem", "other.pem" };
        struct world w;

        open_world(&w, &plan);
        assert_false(connects(&w));
        close_world(&w);
        unsetenv("SSL_CERT_FILE");
}

static void nobody_is_there(void **state)
{
        struct world w;

        open_world(&w, &usual);
        for (int i = 0; i < 3; i++) {
                w.changed = false;
                link_connect(w.links, 1);
                assert_false(w.changed);
                assert_true(spin(w.loop, &w.changed));
        }
        assert_int_equal(w.downs, 3);
        assert_int_equal(w.ups, 0);
        close_world(&w);
}

static void a_name_that_is_none(void **state)
{
        static const struct plan plan = { "both", "not..a..name", "ca.pem", NULL };
        struct world w;

        open_world(&w, &plan);
        assert_false(connects(&w));
        assert_int_equal(w.downs, 1);
        close_world(&w);
}

/* What was ended is not told any more, at whatever moment. */
static void ended_at_any_moment(void **state)
{
        for (int ms = 0; ms < 12; ms++) {
                struct world w;

                open_world(&w, &usual);
                link_connect(w.links, 0);
                turn(w.loop, ms);
                w.ups = w.downs = 0;
                link_end(w.links, 0);
                turn(w.loop, 20);
                assert_int_equal(w.ups + w.downs, 0);
                assert_true(connects(&w));
                close_world(&w);
        }
}

/* Connecting anew ends what there was, silently: one link, one up. */
static void connected_anew(void **state)
{
        struct world w;

        open_world(&w, &usual);
        assert_true(connects(&w));
        link_connect(w.links, 0);
        link_connect(w.links, 0);
        w.changed = false;
        assert_true(spin(w.loop, &w.changed));
        turn(w.loop, 20);
        assert_int_equal(w.ups, 2);
        assert_int_equal(w.downs, 0);
        assert_int_equal(w.live, 1);
        close_world(&w);
}

static void a_full_queue(void **state)
{
        struct world w;

        open_world(&w, &usual);
        assert_true(connects(&w));
        for (int i = 0; i < LINK_QUEUE_MAX; i++)
                assert_int_equal(link_send(w.links, 0, (const uint8_t *)"x", 1), 0);
        w.changed = false;
        assert_int_equal(link_send(w.links, 0, (const uint8_t *)"x", 1), -ENOBUFS);
        assert_int_equal(link_send(w.links, 0, (const uint8_t *)"x", 1), -ENOTCONN);
        assert_false(w.changed);
        assert_true(spin(w.loop, &w.changed));
        turn(w.loop, 10);
        assert_int_equal(w.downs, 1);
        assert_true(connects(&w));
        close_world(&w);
}

static void closed_at_any_moment(void **state)
{
        for (int ms = 0; ms < 12; ms++) {
                struct world w;

                open_world(&w, &usual);
                link_connect(w.links, 0);
                link_connect(w.links, 1);
                turn(w.loop, ms);
                close_world(&w);
        }
}

static void files_that_cannot_be_used(void **state)
{
        struct world w;
        struct links *links = NULL;

        open_world(&w, &usual);
        put(&w.folder, "nonsense", "nonsense");
        struct links_options options = { .loop = w.loop,
                                         .context = w.lws,
                                         .certificate = pem(&w, 3, "phone.pem"),
                                         .key = pem(&w, 4, "nonsense"),
                                         .ca = pem(&w, 5, "ca.pem"),
                                         .addresses = w.addresses,
                                         .count = 1,
                                         .user = &w,
                                         .state = on_state,
                                         .frame = on_frame };
        assert_int_equal(links_open(&options, &links), -EIO);
        links_close(links);
        links_close(w.links);
        lws_context_destroy(w.lws);
        assert_int_equal(loop_close(w.loop), 0);
        lws_context_destroy(w.lws);
        links_free(links);
        links_free(w.links);
        folder_remove(&w.folder);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(messages_both_ways),   cmocka_unit_test(the_largest_message),
                cmocka_unit_test(sessions_are_resumed), cmocka_unit_test(whose_certificate_counts),
                cmocka_unit_test(no_other_authority),   cmocka_unit_test(nobody_is_there),
                cmocka_unit_test(a_name_that_is_none),  cmocka_unit_test(ended_at_any_moment),
                cmocka_unit_test(connected_anew),       cmocka_unit_test(a_full_queue),
                cmocka_unit_test(closed_at_any_moment), cmocka_unit_test(files_that_cannot_be_used),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
