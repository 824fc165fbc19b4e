/* SMS through the dispatcher as a process: the test is the gateway on both sides. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/loop.h"
#include "tests/dispatcher/support/play.h"
#include "wire/signing.h"
#include "wire/sms.h"

#define SECRET "0123456789abcdef"

struct gateway {
        int listener; /* where sendsms is asked */
        int port;     /* of it */
        int door;     /* the dispatcher's */
};

static int listen_here(int *ret_port)
{
        struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t len = sizeof(at);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
        assert_int_equal(listen(fd, 16), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
        *ret_port = ntohs(at.sin_port);
        return fd;
}

static void start(struct region *region, struct gateway *gateway)
{
        char port[32], url[64];
        const char *more[] = { "-o", port,
                               "-o", url,
                               "-o", "sms.secret=" SECRET,
                               "-o", "sms.user=u",
                               "-o", "sms.password=p",
                               "-o", "sms.from=+33700000000",
                               NULL };

        gateway->listener = listen_here(&gateway->port);
        close(listen_here(&gateway->door)); /* free a moment ago */
        snprintf(port, sizeof(port), "sms.port=%d", gateway->door);
        snprintf(url, sizeof(url), "sms.url=http://127.0.0.1:%d/send", gateway->port);
        region_start_with(region, 0, more);
}

/* post: bring an SMS to the door; the status of its answer. */
static int post(const struct gateway *gateway, const char *headers, const uint8_t *body, size_t len)
{
        struct sockaddr_in at = { .sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)gateway->door),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        char text[1024];
        ssize_t n = snprintf(text, sizeof(text),
                             "POST /sms/in?secret=" SECRET "&id=%d HTTP/1.1\r\n%sContent-Length: %zu\r\nConnection: "
                             "close\r\n\r\n",
                             rand(), headers, len);

        memcpy(text + n, body, len);
        assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
        assert_int_equal(send(fd, text, (size_t)n + len, 0), n + (ssize_t)len);
        n = recv(fd, text, sizeof(text) - 1, 0);
        close(fd);
        assert_true(n > 12);
        text[n] = '\0';
        return atoi(text + 9);
}

/* asked: the next request line of the dispatcher's, answered 202; false: none in 15 s. */
static bool asked(const struct gateway *gateway, char *line, size_t size)
{
        static const char accepted[] = "HTTP/1.1 202 Accepted\r\nContent-Length: 1\r\nConnection: close\r\n\r\n0";
        struct pollfd wait = { gateway->listener, POLLIN, 0 };
        size_t len = 0;
        int fd;

        if (poll(&wait, 1, 15000) != 1)
                return false;
        fd = accept(gateway->listener, NULL, NULL);
        do {
                ssize_t n = recv(fd, line + len, size - 1 - len, 0);

                assert_true(n > 0);
                len += (size_t)n;
                line[len] = '\0';
        } while (strstr(line, "\r\n\r\n") == NULL);
        assert_int_equal(send(fd, accepted, sizeof(accepted) - 1, 0), sizeof(accepted) - 1);
        close(fd);
        *strchr(line, '\r') = '\0';
        return true;
}

/* octets_of: the value of NAME in a URL, unescaped. */
static size_t octets_of(const char *url, const char *name, uint8_t *to, size_t size)
{
        const char *at = strstr(url, name);
        size_t len = 0;

        assert_non_null(at);
        for (at += strlen(name); *at != '&' && *at != ' ' && *at != '\0'; at++) {
                unsigned octet = (unsigned char)*at;

                if (*at == '%') {
                        assert_int_equal(sscanf(at + 1, "%2x", &octet), 1);
                        at += 2;
                }
                assert_true(len < size);
                to[len++] = (uint8_t)octet;
        }
        return len;
}

/* object_of: the alert of PRESS as an SMS carries it, out of the frame that a session would. */
static size_t object_of(struct region *region, const struct region_press *press, uint8_t object[SMS_DATA_MAX])
{
        uint8_t bytes[FRAME_HANDSET_MAX];
        struct frame frame;
        int len = region_press(region, press, bytes);

        assert_int_equal(frame_decode(bytes, (size_t)len, &frame), 0);
        assert_true(frame.u.cose.cose.len <= SMS_DATA_MAX);
        memcpy(object, frame.u.cose.cose.at, frame.u.cose.cose.len);
        return frame.u.cose.cose.len;
}

static void test_an_alert_by_sms_gets_its_receipt_by_sms(void **state)
{
        struct region *region = *state;
        const struct region_press one = { .number = 1, .nonce = 7 };
        uint8_t object[SMS_DATA_MAX], receipt[SMS_DATA_MAX];
        static struct record record;
        struct receipt_signed read;
        struct gateway gateway;
        struct alert_id id;
        char line[4096];
        size_t len;

        start(region, &gateway);
        len = object_of(region, &one, object);
        assert_int_equal(post(&gateway,
                              "X-Kannel-From: +33655555555\r\nX-Kannel-UDH: %06%05%04%3F%13%00%00\r\n"
                              "X-Kannel-Coding: 1\r\n",
                              object, len),
                         200);
        region_alert_id(&one, &id);
        for (int i = 0; i < 500 && region_record(region, &id, &record) < 0; i++)
                usleep(10000); /* it was in the journal at the 200, and is in the store soon */
        assert_int_equal(record.why_unverified, UNVERIFIED_NOT);
        assert_int_equal(record.paths, PATH_SMS);
        do /* the handset has no number of its own here: to whoever sent it */
                assert_true(asked(&gateway, line, sizeof(line)));
        while (strstr(line, "&to=%2B33655555555&coding=1&udh=%06%05%04%3F%13%00%00&") == NULL);
        len = octets_of(line, "&text=", receipt, sizeof(receipt));
        assert_int_equal(receipt_read((struct cbor_span){ receipt, len }, &read, NULL), 0);
        assert_int_equal(receipt_verify(&read, region->receipt_key), 0);
        assert_true(alert_id_equal(&read.receipt.alert, &id));
        assert_true(receipt_is_received(read.receipt.state));
        assert_int_equal(post(&gateway, "X-Kannel-Coding: 1\r\n", (const uint8_t *)"\x06\x05", 2), 200); /* junk */
        close(gateway.listener);
        region_signal(region, 0, SIGTERM);
        assert_int_equal(region_wait(region, 0), 0);
}

/* Somebody is to be answered, and the gateway takes nothing: the consoles are told. */
static void test_a_gateway_that_is_away_is_said(void **state)
{
        struct region *region = *state;
        uint8_t text[] = "OUI 1234";
        struct gateway gateway;
        redisReply *notice = NULL;

        start(region, &gateway);
        close(gateway.listener); /* and nobody to send by */
        assert_int_equal(post(&gateway, "X-Kannel-From: +33600000002\r\n", text, sizeof(text) - 1), 200);
        for (int i = 0; i < 150 && (notice == NULL || notice->type != REDIS_REPLY_STRING); i++) {
                freeReplyObject(notice);
                usleep(100000);
                notice = region_ask(region, "HGET {r}:notices tech:d0:sms_away");
        }
        assert_int_equal(notice->type, REDIS_REPLY_STRING); /* its answer could not leave */
        freeReplyObject(notice);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, play_set_up, play_tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE(test_an_alert_by_sms_gets_its_receipt_by_sms),
                CASE(test_a_gateway_that_is_away_is_said),
        };

        signal(SIGPIPE, SIG_IGN);
        if (region_dispatcher() == NULL) {
                printf("skip: vigie-dispatcher is not built\n");
                return 0;
        }
        return cmocka_run_group_tests(tests, NULL, NULL);
}
