/* The listener's waiting room, with plain sockets that send hellos, halves of them, rubbish, or nothing. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <uv.h>

#include "base/listener.h"
#include "base/loop.h"

#define CLIENTS_MAX 32

struct hall {
        struct loop *loop;
        struct listener *listener;
        const struct listener_counts *counts;
        int given[CLIENTS_MAX];
        size_t given_count;
        bool drop; /* what is given on is closed at once */
        size_t full_count;
        int client[CLIENTS_MAX];
        size_t client_count;
};

/* A TLS record of type handshake that says 4 octets; only its frame matters here. */
static const char hello[] = "\x16\x03\x01\x00\x04"
                            "abcd";

static void on_ready(void *user, int fd)
{
        struct hall *h = user;

        if (h->drop) {
                close(fd);
                h->given_count++;
                listener_gone(h->listener, false);
        } else {
                h->given[h->given_count++] = fd;
        }
}

/* on_full: the first that was given on goes, once. */
static bool on_full(void *user)
{
        struct hall *h = user;

        if (h->full_count++ > 0)
                return false;
        shutdown(h->given[0], SHUT_RDWR);
        listener_gone(h->listener, true);
        return true;
}

static void open_hall_with(struct hall *h, size_t connections, size_t handshakes, bool (*full)(void *user))
{
        memset(h, 0, sizeof(*h));
        assert_int_equal(loop_open(&h->loop), 0);
        assert_int_equal(listener_open(&(struct listener_options){ .loop = h->loop,
                                                                   .address = "127.0.0.1",
                                                                   .connections_max = connections,
                                                                   .handshakes_max = handshakes,
                                                                   .user = h,
                                                                   .ready = on_ready,
                                                                   .full = full },
                                       &h->listener),
                         0);
        h->counts = listener_counts(h->listener);
        assert_int_equal(listener_start(h->listener), 0);
}

static void open_hall(struct hall *h, size_t connections, size_t handshakes)
{
        open_hall_with(h, connections, handshakes, NULL);
}

static void close_hall(struct hall *h)
{
        listener_close(h->listener);
        for (size_t i = 0; i < h->given_count && !h->drop; i++)
                close(h->given[i]);
        for (size_t i = 0; i < h->client_count; i++)
                close(h->client[i]);
        assert_int_equal(loop_close(h->loop), 0);
}

/* come: one more client that sends these octets.  Its number, or -1 where nobody listens. */
static int come(struct hall *h, const char *data, size_t len)
{
        struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)listener_port(h->listener)) };
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
                close(fd);
                return -1;
        }
        if (len > 0)
                assert_int_equal(send(fd, data, len, MSG_NOSIGNAL), len);
        h->client[h->client_count] = fd;
        return (int)h->client_count++;
}

/* turn: run the loop for a while: what can happen at once has happened then. */
static void turn(struct hall *h)
{
        for (int i = 0; i < 50; i++) {
                uv_run(loop_uv(h->loop), UV_RUN_NOWAIT);
                usleep(1000);
        }
}

static bool is_closed(struct hall *h, int client)
{
        char octet;

        return recv(h->client[client], &octet, 1, MSG_DONTWAIT) == 0 || errno == ECONNRESET;
}

static void test_a_whole_hello_is_given_on_untouched(void **state)
{
        struct hall h;
        char data[16];

        open_hall(&h, 10, 10);
        come(&h, hello, sizeof(hello) - 1);
        turn(&h);
        assert_int_equal(h.given_count, 1);
        assert_int_equal(recv(h.given[0], data, sizeof(data), 0), 9);
        assert_memory_equal(data, hello, 9);
        assert_int_equal(h.counts->handshakes, 1);
        listener_established(h.listener);
        assert_int_equal(h.counts->handshakes, 0);
        assert_int_equal(h.counts->held, 1);
        listener_gone(h.listener, true);
        assert_int_equal(h.counts->held, 0);
        close_hall(&h);
}

static void test_a_hello_in_pieces_is_waited_for(void **state)
{
        struct hall h;
        int client;

        open_hall(&h, 10, 10);
        client = come(&h, hello, 1);
        turn(&h);
        for (size_t i = 1; i < sizeof(hello) - 1; i++) {
                assert_int_equal(h.given_count, 0);
                assert_int_equal(send(h.client[client], hello + i, 1, 0), 1);
                uv_run(loop_uv(h.loop), UV_RUN_NOWAIT);
        }
        for (int i = 0; i < 200 && h.given_count == 0; i++)
                turn(&h);
        assert_int_equal(h.given_count, 1);
        close_hall(&h);
}

static void test_what_is_no_tls_is_closed(void **state)
{
        static const char too_long[] = "\x16\x03\x01\xff\xff";
        struct hall h;
        int one, other;

        open_hall(&h, 10, 10);
        one = come(&h, "GET /", 5);
        other = come(&h, too_long, 5);
        turn(&h);
        assert_true(is_closed(&h, one) && is_closed(&h, other));
        assert_int_equal(h.counts->refused, 2);
        assert_int_equal(h.counts->waiting, 0);
        close_hall(&h);
}

static void test_halves_and_silence_hold_no_handshake_place(void **state)
{
        struct hall h;

        open_hall(&h, 20, 2);
        for (int i = 0; i < 5; i++) {
                come(&h, "", 0);
                come(&h, hello, 7);
        }
        turn(&h);
        come(&h, hello, 9);
        turn(&h);
        assert_int_equal(h.given_count, 1);
        assert_int_equal(h.counts->waiting, 10);
        close_hall(&h);
}

static void test_over_the_handshakes_they_wait_in_order(void **state)
{
        struct hall h;

        open_hall(&h, 20, 2);
        for (int i = 0; i < 5; i++)
                come(&h, hello, 9);
        turn(&h);
        assert_int_equal(h.given_count, 2);
        assert_true(listener_is_crowded(h.listener));
        listener_established(h.listener);
        assert_int_equal(h.given_count, 3);
        listener_gone(h.listener, false);
        listener_gone(h.listener, false);
        assert_int_equal(h.given_count, 5);
        assert_false(listener_is_crowded(h.listener));
        close_hall(&h);
}

static void test_many_that_fail_at_once_do_not_nest(void **state)
{
        struct hall h;

        open_hall(&h, 40, 1);
        h.drop = true;
        for (int i = 0; i < 30; i++)
                come(&h, hello, 9);
        turn(&h);
        assert_int_equal(h.given_count, 30);
        assert_int_equal(h.counts->held, 0);
        close_hall(&h);
}

static void test_at_the_limit_the_longest_silent_gives_way(void **state)
{
        struct hall h;
        int first, second, last;

        open_hall(&h, 4, 4);
        come(&h, hello, 9);
        first = come(&h, "", 0);
        second = come(&h, "", 0);
        come(&h, hello, 9);
        turn(&h);
        come(&h, hello, 9);
        turn(&h);
        assert_true(is_closed(&h, first));
        assert_false(is_closed(&h, second));
        come(&h, hello, 9);
        turn(&h);
        assert_int_equal(h.given_count, 4);
        last = come(&h, hello, 9); /* nobody is silent any more */
        turn(&h);
        assert_true(is_closed(&h, last));
        assert_int_equal(h.counts->turned_away, 3);
        close_hall(&h);
}

static void test_where_all_speak_the_owner_is_asked_who_goes(void **state)
{
        struct hall h;
        int silent, last;

        open_hall_with(&h, 3, 3, on_full);
        come(&h, hello, 9);
        come(&h, hello, 9);
        silent = come(&h, "", 0);
        turn(&h);
        listener_established(h.listener);
        listener_established(h.listener);
        come(&h, hello, 9);
        turn(&h);
        assert_true(is_closed(&h, silent));
        assert_int_equal(h.full_count, 0);
        come(&h, hello, 9);
        turn(&h);
        assert_int_equal(h.full_count, 1);
        assert_int_equal(h.given_count, 4);
        assert_int_equal(h.counts->held, 3);
        assert_true(is_closed(&h, 0));
        last = come(&h, hello, 9); /* the owner has nobody more */
        turn(&h);
        assert_int_equal(h.full_count, 2);
        assert_true(is_closed(&h, last));
        assert_int_equal(h.given_count, 4);
        close_hall(&h);
}

static void test_stopped_nobody_gets_in_and_the_port_stays(void **state)
{
        struct hall h;
        int silent, port;

        open_hall(&h, 10, 10);
        port = listener_port(h.listener);
        silent = come(&h, "", 0);
        turn(&h);
        listener_stop(h.listener);
        turn(&h);
        assert_true(is_closed(&h, silent));
        assert_int_equal(come(&h, "", 0), -1);
        assert_int_equal(listener_start(h.listener), 0);
        assert_int_equal(listener_port(h.listener), port);
        come(&h, hello, 9);
        turn(&h);
        assert_int_equal(h.given_count, 1);
        close_hall(&h);
}

/* Of what it may have it gets all; that it is too little is said, with how much it is. */
static void test_open_files(void **state)
{
        struct rlimit before, limit;
        uint64_t max = 0;

        assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
        limit = (struct rlimit){ 100, before.rlim_max < 1000 ? before.rlim_max : 1000 };
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
        assert_int_equal(listener_raise_files(limit.rlim_max, &max), 0);
        assert_int_equal(listener_raise_files(limit.rlim_max + 1, &max), -EMFILE);
        assert_int_equal(max, limit.rlim_max);
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
        assert_int_equal(limit.rlim_cur, limit.rlim_max);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_whole_hello_is_given_on_untouched),
                cmocka_unit_test(test_a_hello_in_pieces_is_waited_for),
                cmocka_unit_test(test_what_is_no_tls_is_closed),
                cmocka_unit_test(test_halves_and_silence_hold_no_handshake_place),
                cmocka_unit_test(test_over_the_handshakes_they_wait_in_order),
                cmocka_unit_test(test_many_that_fail_at_once_do_not_nest),
                cmocka_unit_test(test_at_the_limit_the_longest_silent_gives_way),
                cmocka_unit_test(test_where_all_speak_the_owner_is_asked_who_goes),
                cmocka_unit_test(test_stopped_nobody_gets_in_and_the_port_stays),
                cmocka_unit_test(test_open_files), /* the last: fewer may be opened after it */
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
