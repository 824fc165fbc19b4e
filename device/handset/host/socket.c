#include "device/handset/host/socket.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include "base/loop.h"
#include "device/handset/host/host.h"

struct client {
        uv_pipe_t pipe; /* first: libuv gives it back */
        uv_write_t write;
        struct socket_server *server;
        bool used;
        struct wheel_timer term;   /* then it is cut off */
        struct wheel_timer settle; /* then its answer leaves, settled or not */
        char *answer;
        size_t len;
        char line[SOCKET_REQUEST_MAX];
};

struct socket_server {
        uv_pipe_t pipe; /* first */
        struct loop *loop;
        struct host *host;
        char path[108];
        bool waiting; /* somebody knocks, and there is no room */
        bool closing;
        size_t handles; /* not closed yet, the server's own too */
        struct client client[SOCKET_CLIENTS_MAX];
};

static void accept_one(struct socket_server *server);

static void forget(struct socket_server *server)
{
        if (--server->handles == 0)
                free(server);
}

static void on_client_closed(uv_handle_t *handle)
{
        struct client *client = (struct client *)handle;
        struct socket_server *server = client->server;

        free(client->answer);
        client->answer = NULL;
        client->used = false;
        if (server->waiting && !server->closing) {
                server->waiting = false;
                accept_one(server);
        }
        forget(server);
}

static void end_client(struct client *client)
{
        loop_timer_cancel(client->server->loop, &client->term);
        loop_timer_cancel(client->server->loop, &client->settle);
        if (!uv_is_closing((uv_handle_t *)&client->pipe))
                uv_close((uv_handle_t *)&client->pipe, on_client_closed);
}

static void on_term(struct wheel_timer *timer, int64_t now_mono_ms)
{
        end_client(timer->user);
}

static void on_written(uv_write_t *write, int status)
{
        end_client((struct client *)write->handle);
}

static void send_answer(struct client *client)
{
        uv_buf_t parts[] = { uv_buf_init(client->answer, (unsigned)strlen(client->answer)), uv_buf_init("\n", 1) };

        loop_timer_cancel(client->server->loop, &client->settle);
        if (uv_write(&client->write, (uv_stream_t *)&client->pipe, parts, 2, on_written) < 0)
                end_client(client);
}

static void on_settle(struct wheel_timer *timer, int64_t now_mono_ms)
{
        send_answer(timer->user);
}

void socket_settled(struct socket_server *server)
{
        for (size_t i = 0; server != NULL && i < SOCKET_CLIENTS_MAX; i++)
                if (wheel_timer_is_armed(&server->client[i].settle))
                        send_answer(&server->client[i]);
}

static void answer_line(struct client *client)
{
        struct socket_server *server = client->server;
        json_t *request = json_loadb(client->line, client->len, JSON_REJECT_DUPLICATES, NULL);
        json_t *json = host_ask(server->host, request);

        explicit_bzero(client->line, sizeof(client->line)); /* it may have been a PIN */
        client->answer = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
        json_decref(request);
        json_decref(json);
        if (client->answer == NULL)
                end_client(client);
        else if (host_settled(server->host))
                send_answer(client);
        else
                loop_timer_arm(server->loop, &client->settle, clock_mono_ms() + VIGIE_JOURNAL_WAIT_MS);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
        struct client *client = (struct client *)handle;

        *buf = uv_buf_init(client->line + client->len, (unsigned)(sizeof(client->line) - client->len));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
        struct client *client = (struct client *)stream;
        char *end;

        if (n < 0) {
                end_client(client);
                return;
        }
        client->len += (size_t)n;
        end = memchr(client->line, '\n', client->len);
        if (end == NULL && client->len < sizeof(client->line))
                return;
        uv_read_stop(stream);
        client->len = end != NULL ? (size_t)(end - client->line) : 0;
        answer_line(client);
}

static struct client *find_room(struct socket_server *server)
{
        for (size_t i = 0; i < SOCKET_CLIENTS_MAX; i++)
                if (!server->client[i].used)
                        return &server->client[i];
        return NULL;
}

static void accept_one(struct socket_server *server)
{
        struct client *client = find_room(server);

        if (client == NULL) {
                server->waiting = true;
                return;
        }
        client->used = true;
        client->len = 0;
        server->handles++;
        uv_pipe_init(loop_uv(server->loop), &client->pipe, 0);
        loop_timer_arm(server->loop, &client->term, clock_mono_ms() + SOCKET_TERM_MS);
        if (uv_accept((uv_stream_t *)&server->pipe, (uv_stream_t *)&client->pipe) < 0 ||
            uv_read_start((uv_stream_t *)&client->pipe, on_alloc, on_read) < 0)
                end_client(client);
}

static void on_connection(uv_stream_t *stream, int status)
{
        if (status == 0)
                accept_one((struct socket_server *)stream);
}

/* 0: nothing is in the way any more. */
static int make_way(const char *path)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        struct stat st;
        int fd, r = 0;

        if (strlen(path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        if (lstat(path, &st) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (!S_ISSOCK(st.st_mode))
                return -EEXIST;
        strcpy(address.sun_path, path);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 || errno == EAGAIN)
                r = -EADDRINUSE;
        close(fd);
        if (r == 0 && unlink(path) < 0 && errno != ENOENT)
                r = -errno;
        return r;
}

static void on_server_closed(uv_handle_t *handle)
{
        forget((struct socket_server *)handle);
}

int socket_open(struct loop *loop, struct host *host, const char *path, struct socket_server **ret_server)
{
        struct socket_server *server;
        mode_t before;
        int r = make_way(path);

        if (r < 0)
                return r;
        server = calloc(1, sizeof(*server));
        if (server == NULL)
                return -ENOMEM;
        server->host = host;
        server->loop = loop;
        server->handles = 1;
        strcpy(server->path, path);
        for (size_t i = 0; i < SOCKET_CLIENTS_MAX; i++) {
                server->client[i].server = server;
                wheel_timer_init(&server->client[i].term, on_term, &server->client[i]);
                wheel_timer_init(&server->client[i].settle, on_settle, &server->client[i]);
        }
        uv_pipe_init(loop_uv(loop), &server->pipe, 0);
        before = umask(0177);
        r = uv_pipe_bind(&server->pipe, path);
        umask(before);
        if (r == 0)
                r = uv_listen((uv_stream_t *)&server->pipe, SOCKET_CLIENTS_MAX, on_connection);
        if (r < 0) {
                uv_close((uv_handle_t *)&server->pipe, on_server_closed);
                return r;
        }
        *ret_server = server;
        return 0;
}

void socket_close(struct socket_server *server)
{
        if (server == NULL)
                return;
        server->closing = true;
        unlink(server->path);
        for (size_t i = 0; i < SOCKET_CLIENTS_MAX; i++)
                if (server->client[i].used)
                        end_client(&server->client[i]);
        uv_close((uv_handle_t *)&server->pipe, on_server_closed);
}
