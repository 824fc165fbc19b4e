/* The metrics server where memory is refused as somebody connects: that reader waits, and nobody is shut out for good. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <unistd.h>

#include "tests/scarce.h"

#include "base/metrics_server.c"

struct bench {
        struct loop *loop;
        struct metrics *metrics;
        struct metrics_server *server;
        struct sockaddr_in at;
};

static int set_up(void **state)
{
        struct bench *b = calloc(1, sizeof(*b));
        int any = socket(AF_INET, SOCK_STREAM, 0);
        socklen_t size = sizeof(b->at);

        b->at = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        assert_int_equal(bind(any, (struct sockaddr *)&b->at, sizeof(b->at)), 0);
        assert_int_equal(getsockname(any, (struct sockaddr *)&b->at, &size), 0); /* a port that is free */
        close(any);
        assert_int_equal(loop_open(&b->loop), 0);
        assert_int_equal(metrics_new(&b->metrics), 0);
        assert_int_equal(metrics_serve(b->loop, b->metrics, ntohs(b->at.sin_port), &b->server), 0);
        *state = b;
        return 0;
}

static int tear_down(void **state)
{
        struct bench *b = *state;

        metrics_server_close(b->server);
        assert_int_equal(loop_close(b->loop), 0);
        metrics_free(b->metrics);
        free(b);
        return 0;
}

static int dial(const struct bench *b)
{
        static const char request[] = "GET /health HTTP/1.1\r\n\r\n";
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        assert_int_equal(connect(fd, (const struct sockaddr *)&b->at, sizeof(b->at)), 0);
        assert_int_equal(write(fd, request, sizeof(request) - 1), sizeof(request) - 1);
        return fd;
}

static void served(struct bench *b, int fd)
{
        char text[16] = "";
        int64_t end = clock_mono_ms() + 20000;

        while (recv(fd, text, 12, MSG_DONTWAIT) <= 0) {
                if (clock_mono_ms() > end)
                        fail_msg("no answer in 20 s; %zu readers", b->server->count);
                uv_run(loop_uv(b->loop), UV_RUN_NOWAIT);
                usleep(1000);
        }
        assert_string_equal(text, "HTTP/1.1 200");
        close(fd);
}

static void refused_and_served_later(void **state)
{
        struct bench *b = *state;
        int one, two;

        scarce = 2;
        one = dial(b);
        two = dial(b);
        served(b, one);
        served(b, two);
        assert_int_equal(scarce, 0);
        served(b, dial(b));
}

static void closed_while_somebody_waits(void **state)
{
        struct bench *b = *state;
        int fd = dial(b);

        for (scarce = 1; scarce > 0;)
                uv_run(loop_uv(b->loop), UV_RUN_NOWAIT);
        close(fd); /* tear_down closes the server, and the loop must end */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(refused_and_served_later, set_up, tear_down),
                cmocka_unit_test_setup_teardown(closed_while_somebody_waits, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
