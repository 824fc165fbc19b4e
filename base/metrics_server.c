#include "base/metrics_server.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/loop.h"

/* Who comes where memory is refused is looked at again after so long; libuv accepts nobody before that. */
#define AGAIN_MS 200

struct metrics_server;

/* One reader: it asks once, is answered, and closed. */
struct reader {
        struct metrics_server *server;
        uv_tcp_t tcp;
        uv_write_t write;
        struct wheel_timer timeout;
        size_t len;
        char request[METRICS_REQUEST_MAX];
        char head[256];
        char *body; /* malloc'ed; NULL = none */
        struct reader *next;
};

struct metrics_server {
        struct loop *loop;
        struct metrics *metrics;
        uv_tcp_t tcp;
        struct wheel_timer again; /* somebody waits for memory */
        struct reader *readers;
        size_t count;
        bool closing, listening; /* listening: its handle is not yet closed */
};

static void free_when_empty(struct metrics_server *server)
{
        if (server->closing && !server->listening && server->count == 0)
                free(server);
}

static void reader_closed(uv_handle_t *handle)
{
        struct reader *reader = handle->data;
        struct metrics_server *server = reader->server;
        struct reader **at = &server->readers;

        while (*at != reader)
                at = &(*at)->next;
        *at = reader->next;
        server->count--;
        free(reader->body);
        free(reader);
        free_when_empty(server);
}

static void reader_close(struct reader *reader)
{
        loop_timer_cancel(reader->server->loop, &reader->timeout);
        if (!uv_is_closing((uv_handle_t *)&reader->tcp))
                uv_close((uv_handle_t *)&reader->tcp, reader_closed);
}

static void timed_out(struct wheel_timer *timer, int64_t now_mono_ms)
{
        reader_close(timer->user);
}

static void written(uv_write_t *write, int status)
{
        reader_close(write->data);
}

/* Send status line, headers and BODY (taken, malloc'ed; NULL = out of memory: just close). */
static void answer(struct reader *reader, const char *status, const char *type, char *body)
{
        size_t len = body != NULL ? strlen(body) : 0;
        uv_buf_t buffers[2];
        int head_len;

        uv_read_stop((uv_stream_t *)&reader->tcp);
        reader->body = body;
        head_len = snprintf(reader->head, sizeof(reader->head),
                            "HTTP/1.1 %s\r\nContent-Type: %s; charset=utf-8\r\nContent-Length: %zu\r\n"
                            "Connection: close\r\n\r\n",
                            status, type, len);
        buffers[0] = uv_buf_init(reader->head, (unsigned)head_len);
        buffers[1] = uv_buf_init(body, (unsigned)len);
        reader->write.data = reader;
        if (body == NULL || uv_write(&reader->write, (uv_stream_t *)&reader->tcp, buffers, 2, written) < 0)
                reader_close(reader);
}

static void answer_text(struct reader *reader, const char *status, const char *text)
{
        char *body;

        answer(reader, status, "text/plain", asprintf(&body, "%s\n", text) < 0 ? NULL : body);
}

static void answer_metrics(struct reader *reader)
{
        char *text;
        size_t len;

        if (metrics_text(reader->server->metrics, &text, &len) < 0)
                answer_text(reader, "500 Internal Server Error", "no room for the metrics");
        else
                answer(reader, "200 OK", "text/plain; version=0.0.4", text);
}

static void answer_health(struct reader *reader)
{
        const char *why = metrics_unwell(reader->server->metrics);

        answer_text(reader, why == NULL ? "200 OK" : "503 Service Unavailable", why == NULL ? "ok" : why);
}

static bool asks(const struct reader *reader, const char *line)
{
        return strncmp(reader->request, line, strlen(line)) == 0;
}

/* Answer once the empty line that ends the request is there. */
static void understand(struct reader *reader)
{
        reader->request[reader->len] = '\0';
        if (strstr(reader->request, "\r\n\r\n") == NULL) {
                if (reader->len == sizeof(reader->request) - 1)
                        answer_text(reader, "431 Request Header Fields Too Large", "too long");
        } else if (asks(reader, "GET /metrics HTTP/1.")) {
                answer_metrics(reader);
        } else if (asks(reader, "GET /health HTTP/1.")) {
                answer_health(reader);
        } else if (asks(reader, "GET ")) {
                answer_text(reader, "404 Not Found", "GET /metrics or /health");
        } else {
                answer_text(reader, "405 Method Not Allowed", "GET /metrics or /health");
        }
}

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
        struct reader *reader = handle->data;

        *buffer = uv_buf_init(reader->request + reader->len, (unsigned)(sizeof(reader->request) - 1 - reader->len));
}

static void received(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
        struct reader *reader = stream->data;

        if (n < 0) {
                reader_close(reader);
        } else if (n > 0) {
                reader->len += (size_t)n;
                understand(reader);
        }
}

static void connected(uv_stream_t *listener, int status)
{
        struct metrics_server *server = listener->data;
        struct reader *reader = status < 0 ? NULL : calloc(1, sizeof(*reader));

        if (reader == NULL && status == 0)
                loop_timer_arm(server->loop, &server->again, clock_mono_ms() + AGAIN_MS);
        if (reader == NULL)
                return;
        reader->server = server;
        reader->next = server->readers;
        server->readers = reader;
        server->count++;
        wheel_timer_init(&reader->timeout, timed_out, reader);
        uv_tcp_init(loop_uv(server->loop), &reader->tcp);
        reader->tcp.data = reader;
        if (uv_accept(listener, (uv_stream_t *)&reader->tcp) < 0 || server->count > METRICS_CONNECTIONS_MAX ||
            uv_read_start((uv_stream_t *)&reader->tcp, give_room, received) < 0)
                reader_close(reader);
        else
                loop_timer_arm(server->loop, &reader->timeout, clock_mono_ms() + METRICS_TIMEOUT_MS);
}

static void connected_again(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct metrics_server *server = timer->user;

        connected((uv_stream_t *)&server->tcp, 0);
}

static void listener_closed(uv_handle_t *handle)
{
        struct metrics_server *server = handle->data;

        server->listening = false;
        free_when_empty(server);
}

int metrics_serve(struct loop *loop, struct metrics *metrics, int port, struct metrics_server **ret_server)
{
        struct sockaddr_in address;
        struct metrics_server *server;
        int r;

        *ret_server = NULL;
        if (port == 0)
                return 0;
        if ((server = calloc(1, sizeof(*server))) == NULL)
                return -ENOMEM;
        server->loop = loop;
        server->metrics = metrics;
        wheel_timer_init(&server->again, connected_again, server);
        uv_tcp_init(loop_uv(loop), &server->tcp);
        server->tcp.data = server;
        server->listening = true;
        uv_ip4_addr("127.0.0.1", port, &address);
        if ((r = uv_tcp_bind(&server->tcp, (struct sockaddr *)&address, 0)) < 0 ||
            (r = uv_listen((uv_stream_t *)&server->tcp, METRICS_CONNECTIONS_MAX, connected)) < 0) {
                metrics_server_close(server);
                return r;
        }
        *ret_server = server;
        return 0;
}

void metrics_server_close(struct metrics_server *server)
{
        if (server == NULL)
                return;
        server->closing = true;
        loop_timer_cancel(server->loop, &server->again);
        uv_close((uv_handle_t *)&server->tcp, listener_closed);
        for (struct reader *reader = server->readers; reader != NULL; reader = reader->next)
                reader_close(reader);
}
