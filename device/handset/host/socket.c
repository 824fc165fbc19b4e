#include "device/handset/host/socket.h"

#include <errno.h>
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
        struct socket_server *server;
        size_t len;
        char line[SOCKET_REQUEST_MAX];
};

struct socket_server {
        uv_pipe_t pipe; /* first */
        struct host *host;
        char path[108];
        size_t clients;
        bool waiting;
        uv_loop_t *loop;
};

static void accept_one(struct socket_server *server);

static void free_client(uv_handle_t *handle)
{
        struct client *client = (struct client *)handle;
        struct socket_server *server = client->server;

        free(client);
        server->clients--;
        if (server->waiting && !uv_is_closing((uv_handle_t *)&server->pipe)) {
                server->waiting = false;
                accept_one(server);
        }
}

static void end_client(struct client *client)
{
        if (!uv_is_closing((uv_handle_t *)&client->pipe))
                uv_close((uv_handle_t *)&client->pipe, free_client);
}

struct answer {
        uv_write_t write; /* first */
        char *text;
};

static void on_written(uv_write_t *write, int status)
{
        struct answer *answer = (struct answer *)write;
        struct client *client = write->handle->data;

        free(answer->text);
        free(answer);
        end_client(client);
}

static void answer_line(struct client *client)
{
        json_t *request = json_loadb(client->line, client->len, JSON_REJECT_DUPLICATES, NULL);
        json_t *json = host_ask(client->server->host, request);
        struct answer *answer = calloc(1, sizeof(*answer));
        char *text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;

        json_decref(request);
        json_decref(json);
        if (answer == NULL || text == NULL) {
                free(answer);
                free(text);
                end_client(client);
                return;
        }
        answer->text = text;
        uv_buf_t parts[] = { uv_buf_init(text, (unsigned)strlen(text)), uv_buf_init("\n", 1) };
        if (uv_write(&answer->write, (uv_stream_t *)&client->pipe, parts, 2, on_written) < 0) {
                free(text);
                free(answer);
                end_client(client);
        }
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

static void accept_one(struct socket_server *server)
{
        struct client *client;

        if (server->clients == SOCKET_CLIENTS_MAX) {
                server->waiting = true;
                return;
        }
        client = calloc(1, sizeof(*client));
        if (client == NULL)
                return;
        client->server = server;
        uv_pipe_init(server->loop, &client->pipe, 0);
        client->pipe.data = client;
        server->clients++;
        if (uv_accept((uv_stream_t *)&server->pipe, (uv_stream_t *)&client->pipe) < 0 ||
            uv_read_start((uv_stream_t *)&client->pipe, on_alloc, on_read) < 0)
                end_client(client);
}

static void on_connection(uv_stream_t *stream, int status)
{
        if (status == 0)
                accept_one((struct socket_server *)stream);
}

static int connect_to(const char *path)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd, r;

        if (strlen(path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        strcpy(address.sun_path, path);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
                return fd;
        r = -errno;
        close(fd);
        return r;
}

int socket_open(struct loop *loop, struct host *host, const char *path, struct socket_server **ret_server)
{
        struct socket_server *server;
        int r = connect_to(path);

        if (r >= 0) {
                close(r);
                return -EADDRINUSE;
        }
        if (r == -ENAMETOOLONG)
                return r;
        unlink(path);
        server = calloc(1, sizeof(*server));
        if (server == NULL)
                return -ENOMEM;
        server->host = host;
        server->loop = loop_uv(loop);
        strcpy(server->path, path);
        uv_pipe_init(server->loop, &server->pipe, 0);
        mode_t before = umask(0177);
        r = uv_pipe_bind(&server->pipe, path);
        umask(before);
        if (r == 0)
                r = uv_listen((uv_stream_t *)&server->pipe, SOCKET_CLIENTS_MAX, on_connection);
        *ret_server = server; /* closed by socket_close, whatever R is */
        return r;
}

static void free_server(uv_handle_t *handle)
{
        free(handle);
}

static void close_clients(uv_handle_t *handle, void *user)
{
        struct socket_server *server = user;

        if (handle->type == UV_NAMED_PIPE && handle != (uv_handle_t *)&server->pipe && !uv_is_closing(handle))
                end_client((struct client *)handle);
}

void socket_close(struct socket_server *server)
{
        if (server == NULL)
                return;
        uv_walk(server->loop, close_clients, server);
        while (server->clients > 0) /* their memory needs the server's */
                uv_run(server->loop, UV_RUN_ONCE);
        unlink(server->path);
        uv_close((uv_handle_t *)&server->pipe, free_server);
}
