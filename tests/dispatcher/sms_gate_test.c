/* The SMS gate against a gateway of the test's own: what it is asked, what is tried again, what is given up. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <uv.h>

#include "base/loop.h"
#include "dispatcher/http.h"
#include "dispatcher/sms_gate.h"

#define ASKED_MAX 32

struct bench {
        struct loop *loop;
        struct sms_gate *gate;
        char url[64];
        uv_tcp_t gateway;
        bool listens, mute; /* mute: no answer */
        int status;
        char asked[ASKED_MAX][2048]; /* request lines */
        size_t asked_count, under_way, most_under_way;
        struct {
                struct sms_ref about;
                uint8_t what;
        } told[ASKED_MAX];
        size_t told_count;
        int up; /* as last told; -1 never */
};

/* ---- The gateway. */

struct peer {
        struct bench *bench;
        uv_tcp_t tcp;
        uv_write_t write;
        uv_timer_t think;
        char text[8192], answer[128];
        size_t len;
};

static void free_peer(uv_handle_t *handle)
{
        free(handle->data);
}

static void thought_closed(uv_handle_t *handle)
{
        struct peer *p = handle->data;

        uv_close((uv_handle_t *)&p->tcp, free_peer);
}

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
        struct peer *p = handle->data;

        *buffer = uv_buf_init(p->text + p->len, (unsigned)(sizeof(p->text) - p->len - 1));
}

static void on_thought(uv_timer_t *timer)
{
        struct peer *p = timer->data;
        uv_buf_t buffer = uv_buf_init(p->answer, (unsigned)snprintf(p->answer, sizeof(p->answer),
                                                                    "HTTP/1.1 %d x\r\nContent-Length: 2\r\n\r\nno",
                                                                    p->bench->status));

        p->bench->under_way--;
        p->len = 0;
        uv_write(&p->write, (uv_stream_t *)&p->tcp, &buffer, 1, NULL);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
        struct peer *p = stream->data;
        struct bench *b = p->bench;

        if (n < 0) {
                if (!uv_is_closing((uv_handle_t *)&p->think))
                        uv_close((uv_handle_t *)&p->think, thought_closed);
                return;
        }
        p->len += (size_t)n;
        p->text[p->len] = '\0';
        if (strstr(p->text, "\r\n\r\n") == NULL)
                return;
        assert_true(b->asked_count < ASKED_MAX);
        snprintf(b->asked[b->asked_count++], sizeof(b->asked[0]), "%.*s", (int)strcspn(p->text, "\r"), p->text);
        if (++b->under_way > b->most_under_way)
                b->most_under_way = b->under_way;
        if (!b->mute)
                uv_timer_start(&p->think, on_thought, 5, 0);
}

static void on_connection(uv_stream_t *listener, int status)
{
        struct bench *b = listener->data;
        struct peer *p = calloc(1, sizeof(*p));

        p->bench = b;
        p->tcp.data = p->think.data = p;
        uv_tcp_init(loop_uv(b->loop), &p->tcp);
        uv_timer_init(loop_uv(b->loop), &p->think);
        assert_int_equal(uv_accept(listener, (uv_stream_t *)&p->tcp), 0);
        assert_int_equal(uv_read_start((uv_stream_t *)&p->tcp, give_room, on_read), 0);
}

/* listen_on: PORT, 0 a new one; returns it. */
static int listen_on(struct bench *b, int port)
{
        struct sockaddr_in at;
        int len = sizeof(at);

        uv_ip4_addr("127.0.0.1", port, &at);
        uv_tcp_init(loop_uv(b->loop), &b->gateway);
        b->gateway.data = b;
        assert_int_equal(uv_tcp_bind(&b->gateway, (struct sockaddr *)&at, 0), 0);
        assert_int_equal(uv_listen((uv_stream_t *)&b->gateway, 16, on_connection), 0);
        assert_int_equal(uv_tcp_getsockname(&b->gateway, (struct sockaddr *)&at, &len), 0);
        b->listens = true;
        return ntohs(at.sin_port);
}

/* ---- The gate. */

static void on_report(void *told, const struct sms_ref *about, uint8_t what)
{
        struct bench *b = told;

        assert_true(b->told_count < ASKED_MAX);
        b->told[b->told_count].about = *about;
        b->told[b->told_count++].what = what;
}

static void on_state(void *told, bool up, const char *why)
{
        struct bench *b = told;

        assert_true(up || strlen(why) > 0);
        b->up = up;
}

static int set_up(void **state)
{
        struct bench *b = calloc(1, sizeof(*b));
        int port;

        b->status = 202;
        b->up = -1;
        assert_int_equal(loop_open(&b->loop), 0);
        port = listen_on(b, 0);
        snprintf(b->url, sizeof(b->url), "http://127.0.0.1:%d/cgi-bin/sendsms", port);
        assert_int_equal(sms_gate_open(&(struct sms_gate_options){ .loop = b->loop,
                                                                   .url = b->url,
                                                                   .user = "vi&gie",
                                                                   .password = "p w",
                                                                   .from = "+33700000000",
                                                                   .report_port = 8123,
                                                                   .report_secret = "0123456789abcdef",
                                                                   .told = b,
                                                                   .report = on_report,
                                                                   .state = on_state },
                                       &b->gate),
                         0);
        *state = b;
        return 0;
}

static int tear_down(void **state)
{
        struct bench *b = *state;

        sms_gate_close(b->gate);
        if (b->listens)
                uv_close((uv_handle_t *)&b->gateway, NULL);
        assert_int_equal(loop_close(b->loop), 0);
        free(b);
        return 0;
}

/* run_until: let the loop run until *COUNT is WANTED; fails after 20 s. */
static void run_until(struct bench *b, const size_t *count, size_t wanted)
{
        int64_t end = clock_mono_ms() + 20000;

        while (*count < wanted && clock_mono_ms() < end)
                uv_run(loop_uv(b->loop), UV_RUN_NOWAIT);
        assert_int_equal(*count, wanted);
}

static void send_text(struct bench *b, const char *to, const char *text, uint8_t what)
{
        struct sms_out sms = {
                .to = to, .text = text, .gsm = true, .about = { .alert = { 0xab }, .person = "anna", .what = what }
        };

        sms.priority = what == SMS_TO_ASKED ? SMS_FIRST : what == SMS_TO_HANDSET ? SMS_SECOND : SMS_THIRD;
        sms_gate_send(b->gate, &sms);
}

static void test_what_is_asked(void **state)
{
        struct bench *b = *state;
        uint8_t object[] = { 0x84, 0x43, 0x00, 'a', '&' };

        send_text(b, "+33611111111", "Répondez OUI 4821 & vite", SMS_TO_ASKED);
        run_until(b, &b->told_count, 1);
        assert_string_equal(
                b->asked[0],
                "GET /cgi-bin/sendsms?username=vi%26gie&password=p%20w&from=%2B33700000000&to=%2B33611111111"
                "&coding=0&charset=UTF-8&text=R%C3%A9pondez%20OUI%204821%20%26%20vite&dlr-mask=19&dlr-url="
                "http%3A%2F%2F127.0.0.1%3A8123%2Fsms%2Freport%3Fsecret%3D0123456789abcdef%26about%3D"
                "ab00000000000000000000000000000001616e6e61%26status%3D%25d HTTP/1.1");
        assert_int_equal(b->told[0].what, SMS_HANDED);
        assert_string_equal(b->told[0].about.person, "anna");
        assert_int_equal(b->told[0].about.alert[0], 0xab);
        sms_gate_send(b->gate, &(struct sms_out){ .to = "+33622222222",
                                                  .priority = SMS_SECOND,
                                                  .data = { object, sizeof(object) },
                                                  .about = { .what = SMS_TO_HANDSET } });
        run_until(b, &b->told_count, 2);
        assert_non_null(
                strstr(b->asked[1], "&to=%2B33622222222&coding=1&udh=%06%05%04%3F%13%00%00&text=%84C%00a%26&dlr-mask"));
        sms_gate_send(b->gate, &(struct sms_out){ .to = "+33633333333", .text = "Ж", .about = { .what = SMS_ANSWER } });
        run_until(b, &b->told_count, 3);
        assert_non_null(strstr(b->asked[2], "&coding=2&charset=UTF-8&text=%D0%96&"));
        assert_int_equal(b->up, -1); /* it was never in doubt */
        assert_int_equal(sms_gate_counts(b->gate)->handed, 3);
        assert_int_equal(sms_gate_counts(b->gate)->waiting, 0);
}

static void test_the_urgent_first_and_not_too_many_at_once(void **state)
{
        struct bench *b = *state;
        char to[16];

        for (unsigned i = 0; i < 12; i++) {
                snprintf(to, sizeof(to), "+3360000%04u", i);
                send_text(b, to, "x", i < 11 ? SMS_ANSWER : SMS_TO_ASKED);
        }
        run_until(b, &b->told_count, 12);
        assert_int_equal(b->most_under_way, HTTP_FLIGHTS_MAX);
        for (size_t i = 0; i < HTTP_FLIGHTS_MAX; i++) /* the last came among the first */
                if (strstr(b->asked[i], "33600000011") != NULL)
                        return;
        fail();
}

static void test_the_newest_word_counts(void **state)
{
        struct bench *b = *state;
        size_t seconds = 0;

        b->status = 503;
        send_text(b, "+33611111111", "first", SMS_TO_HANDSET);
        run_until(b, &b->asked_count, 1);
        send_text(b, "+33699999999", "another", SMS_TO_HANDSET);
        send_text(b, "+33611111111", "answer", SMS_ANSWER);
        while (sms_gate_counts(b->gate)->retried == 0)
                uv_run(loop_uv(b->loop), UV_RUN_NOWAIT);
        send_text(b, "+33611111111", "second", SMS_TO_HANDSET);
        assert_int_equal(sms_gate_counts(b->gate)->replaced, 1);
        assert_int_equal(sms_gate_counts(b->gate)->waiting, 3);
        b->status = 202;
        run_until(b, &b->told_count, 3);
        for (size_t i = 1; i < b->asked_count; i++) {
                assert_null(strstr(b->asked[i], "text=first"));
                seconds += strstr(b->asked[i], "text=second") != NULL;
        }
        assert_int_equal(seconds, 1);
}

/* Away: one at a time, further and further apart, said once; the first that is taken lets all go. */
static void test_away_and_back(void **state)
{
        struct bench *b = *state;
        int64_t began = clock_mono_ms();

        b->status = 500;
        for (unsigned i = 0; i < 4; i++) {
                char to[16];

                snprintf(to, sizeof(to), "+3360000%04u", i);
                send_text(b, to, "x", SMS_TO_ASKED);
        }
        run_until(b, &b->asked_count, 4); /* at first nobody knows */
        while (b->up != 0 && clock_mono_ms() < began + 20000)
                uv_run(loop_uv(b->loop), UV_RUN_NOWAIT);
        assert_int_equal(b->up, 0);
        assert_true(clock_mono_ms() - began >= SMS_GATE_AWAY_MS);
        assert_int_equal(b->asked_count, 7); /* after 1, 2 and 4 s */
        assert_int_equal(b->told_count, 0);
        b->status = 202;
        run_until(b, &b->told_count, 4);
        assert_int_equal(b->up, 1);
        assert_int_equal(b->asked_count, 11);
}

static void test_what_the_gateway_will_not_have(void **state)
{
        struct bench *b = *state;

        b->status = 400;
        send_text(b, "+33611111111", "x", SMS_TO_ASKED);
        run_until(b, &b->told_count, 1);
        assert_int_equal(b->told[0].what, SMS_FAILED);
        assert_int_equal(sms_gate_counts(b->gate)->failed, 1);
        b->status = 403; /* ours: a wrong password is not the SMS's fault */
        send_text(b, "+33611111111", "x", SMS_TO_ASKED);
        run_until(b, &b->asked_count, 2);
        b->status = 202;
        run_until(b, &b->told_count, 2);
        assert_int_equal(b->told[1].what, SMS_HANDED);
}

/* The term of one is over while the gateway is away: it has failed, once, and is not sent any more. */
static void test_given_up(void **state)
{
        struct bench *b = *state;
        struct sms_gate *hasty;

        b->status = 503;
        assert_int_equal(sms_gate_open(&(struct sms_gate_options){ .loop = b->loop,
                                                                   .url = b->url,
                                                                   .user = "u",
                                                                   .password = "p",
                                                                   .from = "36000",
                                                                   .report_secret = "",
                                                                   .term_ms = 500,
                                                                   .told = b,
                                                                   .report = on_report,
                                                                   .state = on_state },
                                       &hasty),
                         0);
        sms_gate_close(b->gate);
        b->gate = hasty;
        send_text(b, "+33611111111", "x", SMS_TO_ASKED);
        run_until(b, &b->told_count, 1);
        assert_int_equal(b->told[0].what, SMS_FAILED);
        assert_int_equal(b->asked_count, 1);
        assert_int_equal(sms_gate_counts(b->gate)->failed, 1);
        assert_int_equal(sms_gate_counts(b->gate)->waiting, 0);
}

static void test_nobody_there(void **state)
{
        struct bench *b = *state;
        int port = atoi(strrchr(b->url, ':') + 1);

        uv_close((uv_handle_t *)&b->gateway, NULL);
        uv_run(loop_uv(b->loop), UV_RUN_NOWAIT);
        send_text(b, "+33611111111", "x", SMS_TO_ASKED);
        while (sms_gate_counts(b->gate)->retried < 2)
                uv_run(loop_uv(b->loop), UV_RUN_NOWAIT);
        listen_on(b, port);
        run_until(b, &b->told_count, 1);
        assert_int_equal(b->told[0].what, SMS_HANDED);
}

static void test_the_queue_is_full(void **state)
{
        struct bench *b = *state;
        char to[16];

        b->mute = true;
        for (unsigned i = 0; i < SMS_GATE_QUEUE_MAX; i++) {
                snprintf(to, sizeof(to), "+3360000%04u", i);
                send_text(b, to, "x", SMS_ANSWER);
        }
        assert_int_equal(sms_gate_counts(b->gate)->waiting, SMS_GATE_QUEUE_MAX);
        send_text(b, "+33611111111", "x", SMS_TO_ASKED);
        assert_int_equal(b->told_count, 0); /* not from within */
        run_until(b, &b->told_count, 1);
        assert_int_equal(b->told[0].what, SMS_FAILED);
        assert_int_equal(b->told[0].about.what, SMS_ANSWER);
        assert_int_equal(sms_gate_counts(b->gate)->dropped, 1);
        assert_int_equal(sms_gate_counts(b->gate)->waiting, SMS_GATE_QUEUE_MAX);
        run_until(b, &b->asked_count, HTTP_FLIGHTS_MAX);
        assert_non_null(strstr(b->asked[0], "33611111111"));
} /* and closed with questions under way */

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE(test_what_is_asked),
                CASE(test_the_urgent_first_and_not_too_many_at_once),
                CASE(test_the_newest_word_counts),
                CASE(test_away_and_back),
                CASE(test_what_the_gateway_will_not_have),
                CASE(test_nobody_there),
                CASE(test_given_up),
                CASE(test_the_queue_is_full),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
