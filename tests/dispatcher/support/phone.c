#include "tests/dispatcher/support/phone.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int dial_tcp(int port)
{
        struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
                close(fd);
                return -1;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
        return fd;
}

static int read_all(struct phone *p, uint8_t *to, size_t len, int timeout_ms)
{
        for (size_t got = 0; got < len;) {
                struct pollfd wait = { .fd = p->fd, .events = POLLIN };
                int n;

                if (SSL_pending(p->ssl) == 0 && poll(&wait, 1, timeout_ms) == 0)
                        return PHONE_TIMEOUT;
                n = SSL_read(p->ssl, to + got, (int)(len - got));
                if (n <= 0)
                        return PHONE_CLOSED;
                got += (size_t)n;
        }
        return 0;
}

static int upgrade(struct phone *p, const char *subprotocol)
{
        char text[512];
        size_t len = 0;

        snprintf(text, sizeof(text),
                 "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                 "Sec-WebSocket-Protocol: %s\r\n\r\n",
                 subprotocol != NULL ? subprotocol : "vigie.1");
        if (SSL_write(p->ssl, text, (int)strlen(text)) <= 0)
                return -3;
        do {
                if (len + 1 == sizeof(text) || read_all(p, (uint8_t *)text + len, 1, 10000) < 0)
                        return -3;
                text[++len] = '\0';
        } while (strstr(text, "\r\n\r\n") == NULL);
        return strncmp(text, "HTTP/1.1 101", 12) == 0 ? 0 : -3;
}

int phone_dial(struct phone *p, const struct phone_line *line)
{
        memset(p, 0, sizeof(*p));
        p->fd = dial_tcp(line->port);
        if (p->fd < 0)
                return -1;
        p->ctx = SSL_CTX_new(TLS_client_method());
        if (line->certificate != NULL &&
            (SSL_CTX_use_certificate_file(p->ctx, line->certificate, SSL_FILETYPE_PEM) != 1 ||
             SSL_CTX_use_PrivateKey_file(p->ctx, line->key, SSL_FILETYPE_PEM) != 1))
                return -2;
        p->ssl = SSL_new(p->ctx);
        SSL_set_fd(p->ssl, p->fd);
        if (line->resume != NULL)
                SSL_set_session(p->ssl, line->resume);
        if (SSL_connect(p->ssl) != 1)
                return -2;
        return upgrade(p, line->subprotocol);
}

void phone_hang_up(struct phone *p)
{
        if (p->ssl != NULL) {
                SSL_set_shutdown(p->ssl,
                                 SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN); /* else libssl forgets the session */
                SSL_free(p->ssl);
        }
        SSL_CTX_free(p->ctx);
        if (p->fd >= 0)
                close(p->fd);
        memset(p, 0, sizeof(*p));
        p->fd = -1;
}

SSL_SESSION *phone_session(struct phone *p)
{
        return SSL_get1_session(p->ssl);
}

int phone_send_piece(struct phone *p, int opcode, int fin, const void *data, size_t len)
{
        uint8_t head[8] = { (uint8_t)((fin ? 0x80 : 0) | opcode), (uint8_t)(0x80 | (len < 126 ? len : 126)) };
        size_t head_len = 2;

        if (len >= 126) {
                head[2] = (uint8_t)(len >> 8);
                head[3] = (uint8_t)len;
                head_len = 4;
        }
        head_len += 4; /* a mask of zeros */
        return SSL_write(p->ssl, head, (int)head_len) > 0 && (len == 0 || SSL_write(p->ssl, data, (int)len) > 0) ? 0
                                                                                                                 : -1;
}

int phone_send(struct phone *p, const void *data, size_t len)
{
        return phone_send_piece(p, 2, 1, data, len);
}

int phone_receive(struct phone *p, uint8_t *to, size_t size, int timeout_ms)
{
        for (;;) {
                uint8_t head[2], more[8];
                uint64_t len;
                int r = read_all(p, head, 2, timeout_ms);

                if (r < 0)
                        return r;
                len = head[1] & 0x7f;
                if (len >= 126 && read_all(p, more, len == 126 ? 2 : 8, timeout_ms) < 0)
                        return PHONE_CLOSED;
                if (len == 126)
                        len = (uint64_t)more[0] << 8 | more[1];
                if (len > size || read_all(p, to, (size_t)len, timeout_ms) < 0)
                        return PHONE_CLOSED;
                if ((head[0] & 0x0f) == 2)
                        return (int)len;
                if ((head[0] & 0x0f) == 9)
                        phone_send_piece(p, 10, 1, to, (size_t)len);
                if ((head[0] & 0x0f) == 8) {
                        p->close_code = len >= 2 ? to[0] << 8 | to[1] : 1005;
                        phone_send_piece(p, 8, 1, to, len >= 2 ? 2 : 0);
                        return PHONE_CLOSED;
                }
        }
}
