/* The link with real TLS and real sockets: a client in a thread of its own, the link on the loop here. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <uv.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/loop.h"
#include "dispatcher/link.h"
#include "tests/dispatcher/support/phone.h"
#include "tests/dispatcher/support/place.h"

#define HANDSET   "00112233445566aa"
#define ENROLMENT "a1a2a3a4a5a6a7a8"
#define SEEN_MAX  64

/* The service under test, and what it said. */
struct service {
        struct place place;
        struct loop *loop;
        struct link *link;
        uv_async_t over; /* the client is done */
        int (*client)(struct service *service);
        int result;
        int port;
        int opened, closed, frames;
        struct tls_peer peer[SEEN_MAX];
        size_t frame_len;
        uint8_t frame[1024];
        void (*on_frame)(struct service *service, uint64_t session);
        SSL_SESSION *kept; /* a client's */
        char files[4][160];
};

static void on_opened(void *user, uint64_t session, const struct tls_peer *peer)
{
        struct service *s = user;

        assert_int_not_equal(session, 0);
        s->peer[s->opened++ % SEEN_MAX] = *peer;
}

static void echo(struct service *s, uint64_t session)
{
        assert_int_equal(link_send(s->link, session, s->frame, s->frame_len), 0);
}

static void on_frame(void *user, uint64_t session, const uint8_t *data, size_t len)
{
        struct service *s = user;

        s->frames++;
        s->frame_len = len;
        memcpy(s->frame, data, len);
        s->on_frame(s, session);
}

static void on_closed(void *user, uint64_t session)
{
        struct service *s = user;

        s->closed++;
        assert_int_equal(link_send(s->link, session, (const uint8_t *)"x", 1), -ENOENT);
}

static void certificate(struct service *s, const char *authority, const char *name, int from, int to)
{
        place_certificate(&s->place, authority, name, &(struct place_subject){ HANDSET, ENROLMENT, NULL, from, to });
}

static int set_up(void **state)
{
        struct service *s = calloc(1, sizeof(*s));
        uint8_t tickets[TLS_TICKET_KEY_SIZE] = { 7 };

        place_open(&s->place);
        place_authority(&s->place, "ca");
        place_authority(&s->place, "other");
        certificate(s, "ca", "server", -1, 10);
        certificate(s, "ca", "good", -1, 10);
        certificate(s, "ca", "expired", -10, -1);
        certificate(s, "ca", "young", 1, 10);
        certificate(s, "other", "foreign", -1, 10);
        certificate(s, "other", "both", -10, -1);
        place_certificate(&s->place, "ca", "uri",
                          &(struct place_subject){ HANDSET, NULL, "vigie:enrolment:" ENROLMENT, -1, 10 });
        place_certificate(&s->place, "ca", "nobody", &(struct place_subject){ "not an id", NULL, NULL, -1, 10 });
        place_write(&s->place, "tickets", tickets, sizeof(tickets));
        *state = s;
        return 0;
}

static int tear_down(void **state)
{
        struct service *s = *state;

        place_close(&s->place);
        free(s);
        return 0;
}

static void *run_client(void *user)
{
        struct service *s = user;

        s->result = s->client(s);
        uv_async_send(&s->over);
        return NULL;
}

static void on_over(uv_async_t *handle)
{
        struct service *s = handle->data;

        loop_stop(s->loop);
}

static void start_link(struct service *s, size_t connections, size_t handshakes)
{
        const char *why = NULL;

        static const char *const files[] = { "server.pem", "server.key", "ca.pem", "tickets" };

        s->opened = s->closed = s->frames = 0;
        s->on_frame = echo;
        for (int i = 0; i < 4; i++) /* place_path's text is another's soon, and a reload reads them again */
                snprintf(s->files[i], sizeof(s->files[i]), "%s", place_path(&s->place, files[i]));
        assert_int_equal(loop_open(&s->loop), 0);
        assert_int_equal(link_open(&(struct link_options){ .loop = s->loop,
                                                           .files = { s->files[0], s->files[1], s->files[2],
                                                                      s->files[3] },
                                                           .address = "127.0.0.1",
                                                           .connections_max = connections,
                                                           .handshakes_max = handshakes,
                                                           .ping_ms = 300,
                                                           .silent_ms = 1500,
                                                           .frame_max = 1024,
                                                           .subprotocol = "vigie.1",
                                                           .user = s,
                                                           .opened = on_opened,
                                                           .frame = on_frame,
                                                           .closed = on_closed },
                                   &s->link, &why),
                         0);
        s->port = link_port(s->link);
        assert_int_equal(link_start(s->link), 0);
}

static void run_link(struct service *s, int (*client)(struct service *))
{
        pthread_t thread;

        s->client = client;
        uv_async_init(loop_uv(s->loop), &s->over, on_over);
        s->over.data = s;
        pthread_create(&thread, NULL, run_client, s);
        loop_run(s->loop);
        pthread_join(thread, NULL);
        uv_close((uv_handle_t *)&s->over, NULL);
}

/* settle: let the link see that its peers have gone. */
static void settle(struct service *s)
{
        const struct listener_counts *counts = link_listener_counts(s->link);

        uv_run(loop_uv(s->loop), UV_RUN_NOWAIT); /* `over` is let go of */
        for (int i = 0; i < 200 && counts->held + counts->waiting > 0; i++) {
                uv_run(loop_uv(s->loop), UV_RUN_NOWAIT);
                usleep(10000);
        }
        assert_int_equal(counts->held, 0);
        assert_int_equal(counts->handshakes, 0);
        assert_int_equal(counts->waiting, 0);
        assert_int_equal(s->opened, s->closed);
}

static void stop_link(struct service *s)
{
        settle(s);
        link_close(s->link);
        assert_int_equal(loop_close(s->loop), 0);
        link_free(s->link);
}

/* serve: run the link on 127.0.0.1 while CLIENT runs in its thread; CLIENT must give 0. */
static void serve(struct service *s, int (*client)(struct service *))
{
        start_link(s, 64, 8);
        run_link(s, client);
        assert_int_equal(s->result, 0);
        stop_link(s);
}

static int dial(struct service *s, struct phone *phone, const char *name)
{
        char certificate_name[32], key_name[32];

        snprintf(certificate_name, sizeof(certificate_name), "%s.pem", name);
        snprintf(key_name, sizeof(key_name), "%s.key", name);
        return phone_dial(phone, &(struct phone_line){ .port = s->port,
                                                       .certificate = place_path(&s->place, certificate_name),
                                                       .key = place_path(&s->place, key_name) });
}

/* say_hello: one frame there and back. */
static int say_hello(struct phone *phone)
{
        uint8_t back[16];

        return phone_send(phone, "hello", 5) == 0 && phone_receive(phone, back, sizeof(back), 5000) == 5 &&
                               memcmp(back, "hello", 5) == 0
                       ? 0
                       : 1;
}

static int everybody(struct service *s)
{
        static const char *const names[] = { "good", "expired", "young", "foreign", "both", "uri", "nobody" };

        for (size_t i = 0; i < 7; i++) {
                struct phone phone;
                int r = dial(s, &phone, names[i]);

                if (r != 0 || say_hello(&phone) != 0)
                        return 10 * (int)i + 1 - r;
                phone_hang_up(&phone);
        }
        return 0;
}

static void test_any_certificate_is_let_in_and_judged(void **state)
{
        struct service *s = *state;
        uint8_t id[8], enrolment[8];

        hex_decode(HANDSET, id, 8);
        hex_decode(ENROLMENT, enrolment, 8);
        serve(s, everybody);
        assert_int_equal(s->opened, 7);
        assert_int_equal(s->peer[0].verdict, TLS_TRUSTED);
        assert_int_equal(s->peer[1].verdict, TLS_EXPIRED);
        assert_int_equal(s->peer[2].verdict, TLS_NOT_YET_VALID);
        assert_int_equal(s->peer[3].verdict, TLS_FOREIGN);
        assert_int_equal(s->peer[4].verdict, TLS_FOREIGN);
        for (int i = 0; i < 6; i++) {
                assert_true(s->peer[i].has_handset && s->peer[i].has_enrolment);
                assert_memory_equal(s->peer[i].handset.octets, id, 8);
                assert_memory_equal(s->peer[i].enrolment, enrolment, 8);
        }
        assert_int_equal(s->peer[6].verdict, TLS_TRUSTED);
        assert_false(s->peer[6].has_handset || s->peer[6].has_enrolment);
        assert_memory_not_equal(s->peer[0].fingerprint, s->peer[1].fingerprint, 8);
}

static int strangers(struct service *s)
{
        struct phone phone;
        int r = phone_dial(&phone, &(struct phone_line){ .port = s->port });
        uint8_t octet[1];

        /* TLS 1.3: the client's handshake ends before the server refuses the missing certificate. */
        if (r == 0 || (r == -3 && SSL_read(phone.ssl, octet, 1) > 0))
                return 1;
        phone_hang_up(&phone);
        r = phone_dial(&phone, &(struct phone_line){ .port = s->port,
                                                     .certificate = place_path(&s->place, "good.pem"),
                                                     .key = place_path(&s->place, "good.key"),
                                                     .subprotocol = "chat" });
        phone_hang_up(&phone);
        return r == -3 ? 0 : 2;
}

static void test_no_certificate_or_another_protocol_is_no_session(void **state)
{
        struct service *s = *state;

        serve(s, strangers);
        assert_int_equal(s->opened, 0);
        assert_int_equal(s->closed, 0);
}

static int come_back(struct service *s)
{
        static const char *const names[] = { "good", "foreign" };

        for (int i = 0; i < 2; i++) {
                struct phone phone;
                SSL_SESSION *session;
                char certificate_name[32], key_name[32];
                int r = dial(s, &phone, names[i]);

                if (r != 0 || say_hello(&phone) != 0)
                        return 1;
                session = phone_session(&phone);
                phone_hang_up(&phone);
                snprintf(certificate_name, sizeof(certificate_name), "%s.pem", names[i]);
                snprintf(key_name, sizeof(key_name), "%s.key", names[i]);
                r = phone_dial(&phone, &(struct phone_line){ .port = s->port,
                                                             .resume = session,
                                                             .certificate = place_path(&s->place, certificate_name),
                                                             .key = place_path(&s->place, key_name) });
                if (r != 0 || SSL_session_reused(phone.ssl) != 1 || say_hello(&phone) != 0)
                        return 2;
                SSL_SESSION_free(session);
                phone_hang_up(&phone);
        }
        return 0;
}

static void test_a_resumed_session_is_judged_again(void **state)
{
        struct service *s = *state;

        start_link(s, 64, 8);
        run_link(s, come_back);
        assert_int_equal(s->result, 0);
        assert_int_equal(link_counts(s->link)->resumed, 2);
        stop_link(s);
        assert_int_equal(s->opened, 4);
        assert_int_equal(s->peer[1].verdict, TLS_TRUSTED);
        assert_int_equal(s->peer[3].verdict, TLS_FOREIGN);
        assert_true(s->peer[1].has_handset && s->peer[1].has_enrolment);
}

static int send_odd_frames(struct service *s)
{
        struct phone phone;
        uint8_t big[1025] = { 0 }, back[1100];

        if (dial(s, &phone, "good") != 0)
                return 1;
        if (phone_send(&phone, big, 1024) != 0 || phone_receive(&phone, back, sizeof(back), 5000) != 1024)
                return 2;
        if (phone_send_piece(&phone, 2, 0, "ab", 2) != 0 || phone_send_piece(&phone, 0, 0, "cd", 2) != 0 ||
            phone_send_piece(&phone, 0, 1, "ef", 2) != 0 || phone_receive(&phone, back, sizeof(back), 5000) != 6 ||
            memcmp(back, "abcdef", 6) != 0)
                return 3;
        if (phone_send(&phone, big, 1025) != 0 || phone_receive(&phone, back, sizeof(back), 5000) != PHONE_CLOSED ||
            phone.close_code != 1009)
                return 4;
        phone_hang_up(&phone);
        if (dial(s, &phone, "good") != 0 || phone_send_piece(&phone, 2, 0, big, 1000) != 0 ||
            phone_send_piece(&phone, 0, 1, big, 1000) != 0 ||
            phone_receive(&phone, back, sizeof(back), 5000) != PHONE_CLOSED || phone.close_code != 1009)
                return 5;
        phone_hang_up(&phone);
        if (dial(s, &phone, "good") != 0 || phone_send_piece(&phone, 1, 1, "text", 4) != 0 ||
            phone_receive(&phone, back, sizeof(back), 5000) != PHONE_CLOSED || phone.close_code != 1002)
                return 6;
        phone_hang_up(&phone);
        return 0;
}

static void test_frames_whole_in_pieces_and_too_big(void **state)
{
        struct service *s = *state;

        serve(s, send_odd_frames);
        assert_int_equal(s->frames, 2);
}

static void flood(struct service *s, uint64_t session)
{
        int r = 0, sent = 0;

        while ((r = link_send(s->link, session, s->frame, s->frame_len)) == 0)
                sent++;
        assert_int_equal(r, -ENOBUFS);
        assert_int_equal(sent, LINK_QUEUE_FRAMES);
        assert_int_equal(link_send(s->link, session, s->frame, s->frame_len), -ENOENT);
}

static int be_flooded(struct service *s)
{
        struct phone phone;
        uint8_t back[64];

        if (dial(s, &phone, "good") != 0 || phone_send(&phone, "x", 1) != 0)
                return 1;
        if (phone_receive(&phone, back, sizeof(back), 5000) != PHONE_CLOSED || phone.close_code != 1013)
                return 2;
        phone_hang_up(&phone);
        return 0;
}

static void test_a_full_queue_closes_the_session(void **state)
{
        struct service *s = *state;

        start_link(s, 64, 8);
        s->on_frame = flood;
        run_link(s, be_flooded);
        assert_int_equal(s->result, 0);
        assert_int_equal(link_counts(s->link)->overrun, 1);
        stop_link(s);
        assert_int_equal(s->closed, 1);
}

static void send_two_and_end(struct service *s, uint64_t session)
{
        link_send(s->link, session, (const uint8_t *)"one", 3);
        link_send(s->link, session, (const uint8_t *)"two", 3);
        assert_int_equal(link_end(s->link, session, 1008), 0);
        assert_int_equal(link_send(s->link, session, (const uint8_t *)"no", 2), -ENOENT);
}

static int be_closed(struct service *s)
{
        struct phone phone;
        uint8_t back[64];

        if (dial(s, &phone, "good") != 0 || phone_send(&phone, "x", 1) != 0)
                return 1;
        if (phone_receive(&phone, back, sizeof(back), 5000) != 3 ||
            phone_receive(&phone, back, sizeof(back), 5000) != 3 || memcmp(back, "two", 3) != 0 ||
            phone_receive(&phone, back, sizeof(back), 5000) != PHONE_CLOSED || phone.close_code != 1008)
                return 2;
        phone_hang_up(&phone);
        return 0;
}

static void test_what_is_queued_goes_out_before_the_close(void **state)
{
        struct service *s = *state;

        start_link(s, 64, 8);
        s->on_frame = send_two_and_end;
        run_link(s, be_closed);
        assert_int_equal(s->result, 0);
        stop_link(s);
        assert_int_equal(s->closed, 1);
}

/* One that answers pings is kept, one that does not is closed. */
static int be_pinged(struct service *s)
{
        struct phone alive, dead;
        uint8_t back[64];

        if (dial(s, &alive, "good") != 0 || dial(s, &dead, "good") != 0 || say_hello(&alive) != 0 ||
            say_hello(&dead) != 0)
                return 1;
        while (link_counts(s->link)->silent == 0) /* read from another thread; it only ever rises */
                if (phone_receive(&alive, back, sizeof(back), 100) == PHONE_CLOSED)
                        return 2;
        if (say_hello(&alive) != 0)
                return 3;
        phone_hang_up(&alive);
        phone_hang_up(&dead);
        return 0;
}

static void test_silence_is_asked_and_then_closed(void **state)
{
        struct service *s = *state;

        start_link(s, 64, 8);
        run_link(s, be_pinged);
        assert_int_equal(s->result, 0);
        assert_int_equal(link_counts(s->link)->silent, 1);
        stop_link(s);
}

static int be_served(struct service *s)
{
        struct phone phone;
        int r = dial(s, &phone, "good");

        if (r == 0)
                r = say_hello(&phone);
        phone_hang_up(&phone);
        return r;
}

/* A new certificate beside the old key: it is said, and handsets are served with the old pair. */
static void test_a_reload_that_fails_changes_nothing(void **state)
{
        struct service *s = *state;
        const char *why = NULL;
        char *next = NULL;
        size_t len = 0;

        certificate(s, "ca", "next", -1, 20);
        assert_int_equal(file_read(place_path(&s->place, "next.pem"), 10000, &next, &len), 0);
        start_link(s, 64, 8);
        place_write(&s->place, "server.pem", next, len);
        free(next);
        assert_int_equal(link_reload(s->link, &why), -EBADMSG);
        assert_string_equal(why, place_path(&s->place, "server.key"));
        run_link(s, be_served);
        assert_int_equal(s->result, 0);
        stop_link(s);
}

/* take_over: FILE becomes what the two others say, one behind the other; the second may be NULL. */
static void take_over(struct service *s, const char *file, const char *first, const char *second)
{
        const char *const names[] = { first, second };
        char *part[2] = { NULL, NULL }, *whole;
        size_t len[2] = { 0, 0 };

        for (int i = 0; i < 2 && names[i] != NULL; i++)
                assert_int_equal(file_read(place_path(&s->place, names[i]), 10000, &part[i], &len[i]), 0);
        whole = malloc(len[0] + len[1]);
        memcpy(whole, part[0], len[0]);
        if (len[1] > 0)
                memcpy(whole + len[0], part[1], len[1]);
        place_write(&s->place, file, whole, len[0] + len[1]);
        free(part[0]);
        free(part[1]);
        free(whole);
}

/* One of each authority; the second keeps its session, or comes back with the one kept. */
static int one_of_each(struct service *s)
{
        struct phone phone;
        int r = dial(s, &phone, "good");

        if (r != 0 || say_hello(&phone) != 0)
                return 1;
        phone_hang_up(&phone);
        r = phone_dial(&phone, &(struct phone_line){ .port = s->port,
                                                     .resume = s->kept,
                                                     .certificate = place_path(&s->place, "foreign.pem"),
                                                     .key = place_path(&s->place, "foreign.key") });
        if (r != 0 || say_hello(&phone) != 0)
                return 2;
        SSL_SESSION_free(s->kept);
        s->kept = phone_session(&phone);
        phone_hang_up(&phone);
        return 0;
}

/* Not by its own certificate, and not by a session from before. */
static void test_an_authority_that_is_gone_is_not_believed_after_a_reload(void **state)
{
        static const enum tls_verdict verdicts[] = { TLS_TRUSTED, TLS_FOREIGN, TLS_TRUSTED };
        struct service *s = *state;
        const char *why = NULL;

        take_over(s, "old.pem", "ca.pem", NULL);
        take_over(s, "ca.pem", "old.pem", "other.pem");
        start_link(s, 64, 8);
        for (int i = 0; i < 3; i++) {
                run_link(s, one_of_each);
                assert_int_equal(s->result, 0);
                settle(s);
                assert_int_equal(s->opened, 2 * i + 2);
                assert_int_equal(s->peer[2 * i].verdict, TLS_TRUSTED);
                assert_int_equal(s->peer[2 * i + 1].verdict, verdicts[i]);
                take_over(s, "ca.pem", "old.pem", i == 0 ? NULL : "other.pem"); /* without, and with it again */
                assert_int_equal(link_reload(s->link, &why), 0);
        }
        take_over(s, "ca.pem", "old.pem", NULL);
        SSL_SESSION_free(s->kept);
        s->kept = NULL;
        stop_link(s);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_any_certificate_is_let_in_and_judged),
                cmocka_unit_test(test_no_certificate_or_another_protocol_is_no_session),
                cmocka_unit_test(test_a_resumed_session_is_judged_again),
                cmocka_unit_test(test_frames_whole_in_pieces_and_too_big),
                cmocka_unit_test(test_a_full_queue_closes_the_session),
                cmocka_unit_test(test_what_is_queued_goes_out_before_the_close),
                cmocka_unit_test(test_silence_is_asked_and_then_closed),
                cmocka_unit_test(test_an_authority_that_is_gone_is_not_believed_after_a_reload),
                cmocka_unit_test(test_a_reload_that_fails_changes_nothing),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
