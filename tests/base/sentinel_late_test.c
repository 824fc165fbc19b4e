/* A Sentinel that answers when the question is over: what it said then must not count for the next one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "base/loop.h"
#include "base/sentinel.h"

#define PATIENCE_MS 20000
#define LATER_MS    50 /* between the late answer and the one to the newer question */

#define ANSWER_OLD "*2\r\n$8\r\n10.0.0.1\r\n$4\r\n1111\r\n"
#define ANSWER_NEW "*2\r\n$8\r\n10.0.0.2\r\n$4\r\n2222\r\n"

struct fixture {
        struct loop *loop;
        struct wheel_timer patience, later;
        uv_tcp_t listener, tcp;
        uv_write_t write[4];
        size_t writes;
        char received[512];
        int questions, told;
        struct sentinel *sentinel;
        struct redis_place primary;
};

static void say(struct fixture *f, const char *text)
{
        uv_buf_t buffer = uv_buf_init((char *)text, (unsigned)strlen(text));

        assert_true(f->writes < sizeof(f->write) / sizeof(f->write[0]));
        assert_int_equal(uv_write(&f->write[f->writes++], (uv_stream_t *)&f->tcp, &buffer, 1, NULL), 0);
}

static void later(struct wheel_timer *timer, int64_t now_mono_ms)
{
        say(timer->user, ANSWER_NEW);
}

static void room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
        struct fixture *f = handle->data;

        *buffer = uv_buf_init(f->received, sizeof(f->received) - 1);
}

/* PING is answered at once; the first question once the second is there. */
static void received(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
        struct fixture *f = stream->data;

        if (n <= 0)
                return;
        f->received[n] = '\0';
        if (strstr(f->received, "PING") != NULL)
                say(f, "+PONG\r\n");
        if (strstr(f->received, "GET-MASTER-ADDR-BY-NAME") == NULL || ++f->questions != 2)
                return;
        say(f, ANSWER_OLD);
        loop_timer_arm(f->loop, &f->later, clock_mono_ms() + LATER_MS);
}

static void connected(uv_stream_t *listener, int status)
{
        struct fixture *f = listener->data;

        assert_int_equal(status, 0);
        uv_tcp_init(loop_uv(f->loop), &f->tcp);
        f->tcp.data = f;
        assert_int_equal(uv_accept(listener, (uv_stream_t *)&f->tcp), 0);
        assert_int_equal(uv_read_start((uv_stream_t *)&f->tcp, room, received), 0);
}

static void out_of_patience(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct fixture *f = timer->user;

        fail_msg("waited for nothing; %d questions, told %d times", f->questions, f->told);
}

static void named(void *user, const struct redis_place *primary, const char *why)
{
        struct fixture *f = user;

        f->told++;
        if (primary == NULL) {
                sentinel_ask(f->sentinel);
                return;
        }
        f->primary = *primary;
        loop_stop(f->loop);
}

static int open_listener(struct fixture *f)
{
        struct sockaddr_in address;
        int len = sizeof(address);

        uv_tcp_init(loop_uv(f->loop), &f->listener);
        f->listener.data = f;
        uv_ip4_addr("127.0.0.1", 0, &address);
        assert_int_equal(uv_tcp_bind(&f->listener, (struct sockaddr *)&address, 0), 0);
        assert_int_equal(uv_listen((uv_stream_t *)&f->listener, 1, connected), 0);
        assert_int_equal(uv_tcp_getsockname(&f->listener, (struct sockaddr *)&address, &len), 0);
        return ntohs(address.sin_port);
}

static void a_late_answer_is_not_one_to_the_next_question(void **state)
{
        struct fixture f = { 0 };
        struct redis_address address;
        char text[64];

        assert_int_equal(loop_open(&f.loop), 0);
        snprintf(text, sizeof(text), "sentinel:m@127.0.0.1:%d", open_listener(&f));
        assert_int_equal(redis_address_parse(text, &address), 0);
        wheel_timer_init(&f.patience, out_of_patience, &f);
        wheel_timer_init(&f.later, later, &f);
        loop_timer_arm(f.loop, &f.patience, clock_mono_ms() + PATIENCE_MS);
        assert_int_equal(sentinel_open(f.loop,
                                       &(struct sentinel_options){ .address = &address,
                                                                   .user = "",
                                                                   .password = "",
                                                                   .named = named,
                                                                   .user_data = &f },
                                       &f.sentinel),
                         0);
        sentinel_ask(f.sentinel);
        loop_run(f.loop);
        assert_string_equal(f.primary.host, "10.0.0.2");
        assert_int_equal(f.primary.port, 2222);
        sentinel_close(f.sentinel);
        uv_close((uv_handle_t *)&f.tcp, NULL);
        uv_close((uv_handle_t *)&f.listener, NULL);
        assert_int_equal(loop_close(f.loop), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_late_answer_is_not_one_to_the_next_question),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
