#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/metrics.h"

static void begins(const char *text, const char *with)
{
        assert_memory_equal(text, with, strlen(with));
}

static void writes_prometheus_text(void **state)
{
        struct metrics *metrics;
        struct histogram *h = calloc(1, sizeof(*h));
        uint64_t panics = 3, drills = 0;
        int64_t connected = -1;
        char *text;
        size_t len;

        assert_int_equal(metrics_new(&metrics), 0);
        metrics_counter(metrics, (struct metrics_name){ "vigie_alerts_total", "kind=\"panic\"", "alerts raised" },
                        &panics);
        metrics_counter(metrics, (struct metrics_name){ "vigie_alerts_total", "kind=\"drill\"", "alerts raised" },
                        &drills);
        metrics_gauge(metrics, (struct metrics_name){ "vigie_handsets", NULL, "connected" }, &connected);
        metrics_histogram(metrics, (struct metrics_name){ "vigie_receipt_seconds", NULL, "press to receipt" }, h);
        histogram_add(h, 100);
        histogram_add(h, 2000);
        histogram_add(h, 500000000);
        panics = 4; /* the value is looked at when it is asked for */
        assert_int_equal(metrics_text(metrics, &text, &len), 0);
        assert_int_equal(strlen(text), len);
        begins(text, "# HELP vigie_alerts_total alerts raised\n"
                     "# TYPE vigie_alerts_total counter\n"
                     "vigie_alerts_total{kind=\"panic\"} 4\n"
                     "vigie_alerts_total{kind=\"drill\"} 0\n"
                     "# HELP vigie_handsets connected\n"
                     "# TYPE vigie_handsets gauge\n"
                     "vigie_handsets -1\n"
                     "# HELP vigie_receipt_seconds press to receipt\n"
                     "# TYPE vigie_receipt_seconds histogram\n"
                     "vigie_receipt_seconds_bucket{le=\"0.000128\"} 1\n");
        assert_non_null(strstr(text, "vigie_receipt_seconds_bucket{le=\"0.001024\"} 1\n"));
        assert_non_null(strstr(text, "vigie_receipt_seconds_bucket{le=\"0.002048\"} 2\n"));
        assert_non_null(strstr(text, "vigie_receipt_seconds_bucket{le=\"134.217728\"} 2\n"));
        assert_non_null(strstr(text, "vigie_receipt_seconds_bucket{le=\"+Inf\"} 3\n"));
        assert_non_null(strstr(text, "vigie_receipt_seconds_sum 500.002100\n"));
        assert_non_null(strstr(text, "vigie_receipt_seconds_count 3\n"));
        free(text);
        metrics_free(metrics);
        free(h);
}

static void registrations_are_bounded(void **state)
{
        struct metrics *metrics;
        uint64_t value = 1;
        char *text;
        size_t len;

        assert_int_equal(metrics_new(&metrics), 0);
        assert_int_equal(metrics_text(metrics, &text, &len), 0);
        assert_int_equal(len, 0);
        free(text);
        for (int i = 0; i < METRICS_MAX; i++)
                assert_int_equal(metrics_counter(metrics, (struct metrics_name){ "x_total", NULL, "x" }, &value), 0);
        assert_int_equal(metrics_counter(metrics, (struct metrics_name){ "x_total", NULL, "x" }, &value), -ENOBUFS);
        assert_int_equal(metrics_text(metrics, &text, &len), 0);
        free(text);
        metrics_free(metrics);
}

/* A server in the loop of a thread; this one reads. */
struct fixture {
        struct loop *loop;
        struct metrics *metrics;
        struct metrics_server *server;
        struct wheel_timer poll;
        int port, scrapes;
        uint64_t value;
        const char *unwell;
        atomic_bool done;
};

static void scrape(void *user)
{
        struct fixture *f = user;

        f->scrapes++;
        f->value = 40 + (uint64_t)f->scrapes;
}

static const char *health(void *user)
{
        struct fixture *f = user;

        return f->unwell;
}

static void poll_done(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct fixture *f = timer->user;

        if (f->done)
                loop_stop(f->loop);
        else
                loop_timer_arm(f->loop, timer, now_mono_ms + 2);
}

static int dial(const struct fixture *f)
{
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)f->port) };
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        return fd;
}

/* Read until the other side closes. */
static void read_all(int fd, char out[8192])
{
        size_t len = 0;
        ssize_t n;

        while (len < 8191 && (n = read(fd, out + len, 8191 - len)) > 0)
                len += (size_t)n;
        out[len] = '\0';
        close(fd);
}

static void ask(const struct fixture *f, const char *request, char out[8192])
{
        int fd = dial(f);

        assert_int_equal(write(fd, request, strlen(request)), strlen(request));
        read_all(fd, out);
}

static void *server_thread(void *user)
{
        struct fixture *f = user;

        loop_run(f->loop);
        return NULL;
}

/* A port that is free now. */
static int free_port(void)
{
        struct sockaddr_in address = { .sin_family = AF_INET };
        socklen_t size = sizeof(address);
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
        close(fd);
        return ntohs(address.sin_port);
}

static void serve(void (*readers)(struct fixture *f), const char *unwell)
{
        struct fixture f = { .unwell = unwell, .port = free_port() };
        pthread_t thread;

        assert_int_equal(loop_open(&f.loop), 0);
        assert_int_equal(metrics_new(&f.metrics), 0);
        metrics_counter(f.metrics, (struct metrics_name){ "vigie_x_total", NULL, "x" }, &f.value);
        metrics_on_scrape(f.metrics, scrape, &f);
        metrics_health(f.metrics, health, &f);
        assert_int_equal(metrics_serve(f.loop, f.metrics, f.port, &f.server), 0);
        wheel_timer_init(&f.poll, poll_done, &f);
        loop_timer_arm(f.loop, &f.poll, 0);
        pthread_create(&thread, NULL, server_thread, &f);
        readers(&f);
        f.done = true;
        pthread_join(thread, NULL);
        metrics_server_close(f.server);
        assert_int_equal(loop_close(f.loop), 0);
        metrics_free(f.metrics);
}

static void all_paths(struct fixture *f)
{
        char out[8192];
        int fd;

        ask(f, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", out);
        begins(out, "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
        assert_non_null(
                strstr(out, "\r\n\r\n# HELP vigie_x_total x\n# TYPE vigie_x_total counter\nvigie_x_total 41\n"));
        ask(f, "GET /health HTTP/1.0\r\n\r\n", out);
        begins(out, "HTTP/1.1 200 OK\r\n");
        assert_non_null(strstr(out, "\r\n\r\nok\n"));
        ask(f, "GET /else HTTP/1.1\r\n\r\n", out);
        begins(out, "HTTP/1.1 404 ");
        ask(f, "POST /metrics HTTP/1.1\r\n\r\n", out);
        begins(out, "HTTP/1.1 405 ");
        fd = dial(f); /* in pieces */
        assert_int_equal(write(fd, "GET /hea", 8), 8);
        usleep(20000);
        assert_int_equal(write(fd, "lth HTTP/1.1\r\n\r\n", 16), 16);
        read_all(fd, out);
        begins(out, "HTTP/1.1 200 OK\r\n");
}

static void answers(void **state)
{
        serve(all_paths, NULL);
}

static void ask_health(struct fixture *f)
{
        char out[8192];

        ask(f, "GET /health HTTP/1.1\r\n\r\n", out);
        begins(out, "HTTP/1.1 503 ");
        assert_non_null(strstr(out, "\r\n\r\nno Redis\n"));
}

static void says_when_it_is_unwell(void **state)
{
        serve(ask_health, "no Redis");
}

static void too_much(struct fixture *f)
{
        char request[METRICS_REQUEST_MAX], out[8192];
        int fd[METRICS_CONNECTIONS_MAX + 1];
        struct pollfd closed = { .events = POLLIN };

        memset(request, 'x', sizeof(request));
        request[METRICS_REQUEST_MAX - 1] = '\0';
        ask(f, request, out);
        begins(out, "HTTP/1.1 431 ");
        for (int i = 0; i <= METRICS_CONNECTIONS_MAX; i++) {
                fd[i] = dial(f);
                usleep(5000); /* let it be accepted before the next */
        }
        closed.fd = fd[METRICS_CONNECTIONS_MAX];
        assert_int_equal(poll(&closed, 1, 5000), 1);
        assert_int_equal(read(closed.fd, out, 1), 0);
        closed.fd = fd[0];
        assert_int_equal(poll(&closed, 1, 0), 0);
        for (int i = 0; i <= METRICS_CONNECTIONS_MAX; i++)
                close(fd[i]);
        usleep(20000);
        ask(f, "GET /health HTTP/1.1\r\n\r\n", out);
        begins(out, "HTTP/1.1 200 OK\r\n");
}

static void requests_and_connections_are_bounded(void **state)
{
        serve(too_much, NULL);
}

static void hang_about(struct fixture *f)
{
        dial(f); /* left open: closing the server must not wait for it */
}

static void closes_with_a_reader_waiting(void **state)
{
        serve(hang_about, NULL);
}

static void port_0_is_off_and_a_taken_one_is_said(void **state)
{
        struct metrics_server *server = (struct metrics_server *)1, *second;
        struct metrics *metrics;
        struct loop *loop;
        int port = free_port();

        assert_int_equal(loop_open(&loop), 0);
        assert_int_equal(metrics_new(&metrics), 0);
        assert_int_equal(metrics_serve(loop, metrics, 0, &server), 0);
        assert_null(server);
        metrics_server_close(server);
        assert_int_equal(metrics_serve(loop, metrics, port, &server), 0);
        assert_int_equal(metrics_serve(loop, metrics, port, &second), -EADDRINUSE);
        metrics_server_close(server);
        assert_int_equal(loop_close(loop), 0);
        metrics_free(metrics);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(writes_prometheus_text),
                cmocka_unit_test(registrations_are_bounded),
                cmocka_unit_test(answers),
                cmocka_unit_test(says_when_it_is_unwell),
                cmocka_unit_test(requests_and_connections_are_bounded),
                cmocka_unit_test(closes_with_a_reader_waiting),
                cmocka_unit_test(port_0_is_off_and_a_taken_one_is_said),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
