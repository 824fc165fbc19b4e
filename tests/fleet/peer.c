#include "tests/fleet/peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "base/loop.h"

enum step { CONNECTING, SHAKING, UPGRADING, OPEN, CLOSED };

struct peer {
        const struct peer_options *options;
        uv_poll_t poll;
        int fd, events;
        enum step step;
        SSL *ssl;
        uint8_t *out, *in;
        size_t out_len, in_len, in_size;
};

static void turn(struct peer *peer);

static void free_peer(uv_handle_t *handle)
{
        struct peer *peer = handle->data;

        SSL_free(peer->ssl);
        close(peer->fd);
        if (peer->options->closed != NULL)
                peer->options->closed(peer->options->user);
        free(peer->out);
        free(peer->in);
        free(peer);
}

void peer_close(struct peer *peer)
{
        if (peer == NULL || peer->step == CLOSED)
                return;
        peer->step = CLOSED;
        uv_close((uv_handle_t *)&peer->poll, free_peer);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
        struct peer *peer = poll->data;

        if (status < 0)
                peer_close(peer);
        else
                turn(peer);
}

static void want(struct peer *peer, int events)
{
        if (peer->step == CLOSED || peer->events == events)
                return;
        peer->events = events;
        uv_poll_start(&peer->poll, events, on_poll);
}

/* Grow a buffer to hold LEN more octets, up to MAX.  Returns 0 or -ENOBUFS. */
static int room(uint8_t **buf, size_t *size, size_t used, size_t len, size_t max)
{
        size_t need = used + len, bigger = *size > 0 ? *size : 1024;
        uint8_t *more;

        if (need <= *size)
                return 0;
        while (bigger < need)
                bigger *= 2;
        if (need > max || (more = realloc(*buf, bigger)) == NULL)
                return -ENOBUFS;
        *buf = more;
        *size = bigger;
        return 0;
}

static int queue(struct peer *peer, const void *data, size_t len)
{
        uint8_t *more;

        if (peer->out_len + len > PEER_OUT_MAX || (more = realloc(peer->out, peer->out_len + len)) == NULL)
                return -ENOBUFS;
        peer->out = more;
        memcpy(peer->out + peer->out_len, data, len);
        peer->out_len += len;
        return 0;
}

static void flush(struct peer *peer)
{
        while (peer->out_len > 0) {
                int n = SSL_write(peer->ssl, peer->out, (int)peer->out_len);

                if (n <= 0) {
                        if (SSL_get_error(peer->ssl, n) == SSL_ERROR_WANT_WRITE || SSL_get_error(peer->ssl, n) == SSL_ERROR_WANT_READ)
                                break;
                        peer_close(peer);
                        return;
                }
                peer->out_len -= (size_t)n;
                memmove(peer->out, peer->out + n, peer->out_len);
        }
        if (peer->out_len == 0) {
                free(peer->out); /* thousands of idle peers keep no buffer */
                peer->out = NULL;
        }
        want(peer, peer->out_len > 0 ? UV_READABLE | UV_WRITABLE : UV_READABLE);
}

static int send_frame(struct peer *peer, uint8_t first, const uint8_t *data, size_t len)
{
        uint8_t head[14] = { 0x80 | first };
        uint8_t *masked = malloc(len + 1);
        size_t at = 2;

        if (masked == NULL)
                return -ENOMEM;
        if (len < 126) {
                head[1] = (uint8_t)(0x80 | len);
        } else {
                head[1] = 0x80 | 126;
                head[2] = (uint8_t)(len >> 8);
                head[3] = (uint8_t)len;
                at = 4;
        }
        RAND_bytes(head + at, 4);
        for (size_t i = 0; i < len; i++)
                masked[i] = data[i] ^ head[at + i % 4];
        int r = queue(peer, head, at + 4);
        if (r == 0)
                r = queue(peer, masked, len);
        free(masked);
        return r;
}

int peer_send(struct peer *peer, const void *data, size_t len, bool text)
{
        int r;

        if (peer->step != OPEN || len > 65535)
                return -ENOTCONN;
        r = send_frame(peer, text ? 1 : 2, data, len);
        if (r == 0)
                flush(peer);
        else
                peer_close(peer);
        return r;
}

/* One whole frame at the front of the buffer.  Returns its length, 0 when there is none. */
static size_t take_frame(struct peer *peer)
{
        const uint8_t *in = peer->in;
        uint64_t len;
        size_t at = 2;

        if (peer->in_len < 2)
                return 0;
        len = in[1] & 127;
        if (len == 126 && peer->in_len >= 4) {
                len = (uint64_t)in[2] << 8 | in[3];
                at = 4;
        } else if (len == 127 && peer->in_len >= 10) {
                len = 0;
                for (int i = 2; i < 10; i++)
                        len = len << 8 | in[i];
                at = 10;
        } else if (len >= 126) {
                return 0;
        }
        if (len > PEER_IN_MAX) {
                peer_close(peer);
                return 0;
        }
        if (peer->in_len < at + len)
                return 0;
        if ((in[0] & 15) == 9)
                send_frame(peer, 10, in + at, len);
        else if ((in[0] & 15) == 8)
                peer_close(peer);
        else if ((in[0] & 15) <= 2 && (in[0] & 0x80)) /* our servers send whole messages in one frame */
                peer->options->message(peer->options->user, in + at, len);
        return at + len;
}

static void take_upgrade(struct peer *peer)
{
        uint8_t *end = memmem(peer->in, peer->in_len, "\r\n\r\n", 4);

        if (end == NULL)
                return;
        if (peer->in_len < 12 || memcmp(peer->in, "HTTP/1.1 101", 12) != 0) {
                peer_close(peer);
                return;
        }
        peer->in_len -= (size_t)(end + 4 - peer->in);
        memmove(peer->in, end + 4, peer->in_len);
        peer->step = OPEN;
        peer->options->opened(peer->options->user);
}

static void read_some(struct peer *peer)
{
        for (;;) {
                if (room(&peer->in, &peer->in_size, peer->in_len, 4096, PEER_IN_MAX + 4096) < 0) {
                        peer_close(peer);
                        return;
                }
                int n = SSL_read(peer->ssl, peer->in + peer->in_len, 4096);
                if (n <= 0) {
                        int why = SSL_get_error(peer->ssl, n);

                        if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
                                peer_close(peer);
                        break;
                }
                peer->in_len += (size_t)n;
                if (peer->step == UPGRADING)
                        take_upgrade(peer);
                for (size_t used; peer->step == OPEN && (used = take_frame(peer)) > 0;) {
                        peer->in_len -= used;
                        memmove(peer->in, peer->in + used, peer->in_len);
                }
                if (peer->step == CLOSED)
                        return;
        }
        if (peer->in_len == 0 && peer->step == OPEN) {
                free(peer->in);
                peer->in = NULL;
                peer->in_size = 0;
        }
}

static void ask_upgrade(struct peer *peer)
{
        char text[2048];
        int n = snprintf(text, sizeof(text),
                         "GET %s HTTP/1.1\r\nHost: localhost:%u\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                         "Sec-WebSocket-Key: dmlnaWUgZmxlZXQgcGVlcg==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: %s\r\n%s\r\n",
                         peer->options->path, peer->options->port, peer->options->subprotocol, peer->options->headers);

        if (n < 0 || (size_t)n >= sizeof(text) || queue(peer, text, (size_t)n) < 0)
                peer_close(peer);
        else
                flush(peer);
}

static void shake(struct peer *peer)
{
        int n = SSL_connect(peer->ssl), why = n == 1 ? 0 : SSL_get_error(peer->ssl, n);

        if (n == 1) {
                peer->step = UPGRADING;
                ask_upgrade(peer);
        } else if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
                want(peer, why == SSL_ERROR_WANT_READ ? UV_READABLE : UV_READABLE | UV_WRITABLE);
        } else {
                peer_close(peer);
        }
}

static void turn(struct peer *peer)
{
        int error = 0;
        socklen_t len = sizeof(error);

        if (peer->step == CONNECTING) {
                if (getsockopt(peer->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 || error != 0) {
                        peer_close(peer);
                        return;
                }
                peer->step = SHAKING;
        }
        if (peer->step == SHAKING)
                shake(peer);
        if (peer->step == UPGRADING || peer->step == OPEN)
                read_some(peer);
        if ((peer->step == UPGRADING || peer->step == OPEN) && peer->out_len > 0)
                flush(peer);
}

static int begin(struct peer *peer)
{
        struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(peer->options->port) };
        int one = 1;

        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        peer->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (peer->fd < 0)
                return -errno;
        setsockopt(peer->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        if (connect(peer->fd, (struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS)
                return -errno;
        peer->ssl = SSL_new(peer->options->ctx);
        if (peer->ssl == NULL || SSL_set_fd(peer->ssl, peer->fd) != 1)
                return -ENOMEM;
        SSL_set_mode(peer->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
        if (peer->options->certificate != NULL &&
            (SSL_use_certificate(peer->ssl, peer->options->certificate) != 1 || SSL_use_PrivateKey(peer->ssl, peer->options->key) != 1))
                return -EINVAL;
        return uv_poll_init(loop_uv(peer->options->loop), &peer->poll, peer->fd);
}

int peer_open(const struct peer_options *options, struct peer **ret_peer)
{
        struct peer *peer = calloc(1, sizeof(*peer));
        int r = peer != NULL ? 0 : -ENOMEM;

        if (r < 0)
                return r;
        peer->options = options;
        peer->fd = -1;
        r = begin(peer);
        if (r < 0) {
                SSL_free(peer->ssl);
                if (peer->fd >= 0)
                        close(peer->fd);
                free(peer);
                return r;
        }
        peer->poll.data = peer;
        *ret_peer = peer;
        want(peer, UV_WRITABLE);
        return 0;
}
