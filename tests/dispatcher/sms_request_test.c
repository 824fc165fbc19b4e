/* What the SMS door understands: requests as smsbox was seen to send them, and all the ways they can be wrong. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dispatcher/sms_request.h"
#include "wire/sms.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define SECRET   "0123456789abcdef"
#define IN       "POST /sms/in?secret=" SECRET "&id=af0188e3-7621 HTTP/1.1\r\n"
#define UDH      "X-Kannel-UDH: %06%05%04%3F%13%00%00\r\n"
/* As smsbox 1.4.5 says it. */
#define SMSBOX(coding, type, len)                                                                    \
        "Connection: keep-alive\r\nUser-Agent: Kannel/1.4.5\r\nContent-Type: " type                  \
        "\r\nX-Kannel-From: +33600000001\r\n"                                                        \
        "X-Kannel-To: +33700000000\r\nX-Kannel-Time: 2026-11-21 23:03:26\r\nX-Kannel-SMSC: FAKE\r\n" \
        "X-Kannel-Coding: " coding "\r\nX-Kannel-Service: default\r\nContent-Length: " len "\r\nHost: 127.0.0.1\r\n"

static int read_octets(const void *data, size_t len, struct sms_request *request)
{
        uint8_t *copy = malloc(len + 1); /* of its own: a step past it is seen */
        size_t used = 0;
        int r;

        memcpy(copy, data, len);
        copy = realloc(copy, len > 0 ? len : 1);
        r = sms_request_read((struct cbor_span){ copy, len }, SECRET, request, &used);
        if (r == 0)
                assert_int_equal(used, len);
        if (request->object.len > 0) { /* keep what it points to */
                static uint8_t kept[SMS_REQUEST_BODY_MAX];

                memcpy(kept, request->object.at, request->object.len);
                request->object.at = kept;
        }
        free(copy);
        return r;
}

#define READ(text, request) read_octets(text, sizeof(text) - 1, request)

static void test_an_object_as_smsbox_brings_it(void **state)
{
        struct sms_request r;

        assert_int_equal(READ(IN UDH SMSBOX("1", "application/octet-stream", "5") "\r\n\x84\x43\xa1\x00\x0a", &r), 0);
        assert_int_equal(r.kind, SMS_REQUEST_OBJECT);
        assert_true(r.keep_alive);
        assert_string_equal(r.from, "+33600000001");
        assert_string_equal(r.key, "af0188e3-7621");
        assert_int_equal(r.object.len, 5);
        assert_memory_equal(r.object.at, "\x84\x43\xa1\x00\x0a", 5);
        /* in front of the body, as one SMSC does it */
        assert_int_equal(
                READ(IN SMSBOX("1", "application/octet-stream", "9") "\r\n\x06\x05\x04\x3f\x13\x00\x00\x84\x43", &r),
                0);
        assert_int_equal(r.kind, SMS_REQUEST_OBJECT);
        assert_memory_equal(r.object.at, "\x84\x43", 2);
        /* in bare hex, and nowhere */
        assert_int_equal(
                READ(IN "X-Kannel-UDH: 0605043F130000\r\n" SMSBOX("1", "application/octet-stream", "1") "\r\n\x84", &r),
                0);
        assert_int_equal(r.kind, SMS_REQUEST_OBJECT);
        assert_int_equal(READ(IN SMSBOX("1", "application/octet-stream", "1") "\r\n\x84", &r), 0);
        assert_int_equal(r.kind, SMS_REQUEST_OBJECT);
        /* a sender that is no number: its signature is what counts */
        assert_int_equal(READ(IN UDH "X-Kannel-From: vigie\r\nX-Kannel-Coding: 1\r\nContent-Length: 1\r\n\r\n\x84", &r),
                         0);
        assert_int_equal(r.kind, SMS_REQUEST_OBJECT);
        assert_string_equal(r.from, "");
}

static void test_objects_that_are_none(void **state)
{
        static const char *const heads[] = {
                IN "X-Kannel-UDH: %06%05%04%0B%84%00%00\r\n" SMSBOX("1", "a/b", "1") "\r\n\x84", /* another port */
                IN "X-Kannel-UDH: %05%00%03%42%02%01\r\n" SMSBOX("1", "a/b", "1") "\r\n\x84",    /* a part of two */
                IN "X-Kannel-UDH: %06%05\r\n" SMSBOX("1", "a/b", "1") "\r\n\x84",
                IN "X-Kannel-UDH: %0\r\n" SMSBOX("1", "a/b", "1") "\r\n\x84",
                IN "X-Kannel-UDH: 06050\r\n" SMSBOX("1", "a/b", "1") "\r\n\x84",
                IN "X-Kannel-UDH: xx\r\n" SMSBOX("1", "a/b", "1") "\r\n\x84",
                IN UDH SMSBOX("1", "a/b", "0") "\r\n",
                IN SMSBOX("1", "a/b", "5") "\r\nhello",
        };
        char large[512];
        struct sms_request r;

        for (size_t i = 0; i < COUNT(heads); i++) {
                if (read_octets(heads[i], strlen(heads[i]), &r) != 0 || r.kind != SMS_REQUEST_JUNK)
                        fail_msg("%s", heads[i]);
        }
        memset(large, 0x84, sizeof(large));
        memcpy(large, IN UDH "Content-Length: 133\r\n\r\n", strlen(IN UDH "Content-Length: 133\r\n\r\n"));
        assert_int_equal(read_octets(large, strlen(IN UDH "Content-Length: 133\r\n\r\n") + 133, &r), 0);
        assert_int_equal(r.object.len, SMS_DATA_MAX);
        memcpy(large, IN UDH "Content-Length: 134\r\n\r\n", strlen(IN UDH "Content-Length: 134\r\n\r\n"));
        assert_int_equal(read_octets(large, strlen(IN UDH "Content-Length: 134\r\n\r\n") + 134, &r), 0);
        assert_int_equal(r.kind, SMS_REQUEST_JUNK);
}

static void test_texts(void **state)
{
        struct sms_request r;

        assert_int_equal(READ(IN SMSBOX("0", "text/plain; charset=\"UTF-8\"", "9") "\r\nOui \xc3\xa9t\xc3\xa9", &r), 0);
        assert_int_equal(r.kind, SMS_REQUEST_TEXT);
        assert_string_equal(r.text, "Oui été");
        assert_int_equal(READ(IN SMSBOX("2", "text/plain; charset=\"UTF-16BE\"", "6") "\r\n\0O\0K \xac", &r), 0);
        assert_string_equal(r.text, "OK€");
        assert_int_equal(READ(IN SMSBOX("2", "text/plain", "6") "\r\n\0O\xd8\x3d\xde\x00", &r), 0);
        assert_string_equal(r.text, "O??");
        assert_int_equal(READ(IN SMSBOX("2", "text/plain", "3") "\r\n\0O\0", &r), 0);
        assert_string_equal(r.text, "O");
        assert_int_equal(READ(IN SMSBOX("0", "text/plain", "4") "\r\n\xe9\0ok", &r), 0); /* Latin 1, and a NUL */
        assert_string_equal(r.text, "é ok");
        assert_int_equal(READ(IN SMSBOX("0", "text/plain", "0") "\r\n", &r), 0);
        assert_int_equal(r.kind, SMS_REQUEST_TEXT);
        assert_string_equal(r.text, "");
        assert_int_equal(READ(IN "X-Kannel-From: 36000\r\nContent-Length: 3\r\n\r\nOUI", &r), 0); /* a short code */
        assert_int_equal(r.kind, SMS_REQUEST_JUNK);
        /* no id of the gateway's: its time tells copies from another OUI */
        assert_int_equal(
                READ("POST /sms/in?secret=" SECRET " HTTP/1.1\r\n" SMSBOX("0", "text/plain", "3") "\r\nOUI", &r), 0);
        assert_string_equal(r.key, "2026-11-21 23:03:26");
}

/* A text of LEN octets with a letter of two over the edge of what is looked at. */
static int read_long(int len, struct sms_request *request)
{
        char text[SMS_REQUEST_MAX];
        int head = snprintf(text, sizeof(text), IN "X-Kannel-From: +33600000001\r\nContent-Length: %d\r\n\r\n", len);

        memset(text + head, 'x', (size_t)len);
        memcpy(text + head + SMS_TEXT_MAX - 1, "\xc3\xa9", 2);
        return read_octets(text, (size_t)(head + len), request);
}

static void test_a_long_text_is_cut(void **state)
{
        struct sms_request r;

        assert_int_equal(read_long(SMS_REQUEST_BODY_MAX, &r), 0);
        assert_int_equal(strlen(r.text), SMS_TEXT_MAX - 1);
        assert_int_equal(read_long(SMS_REQUEST_BODY_MAX + 1, &r), 413);
        assert_false(r.keep_alive);
}

/* What stands behind a request is the next one's. */
static void test_the_next_request(void **state)
{
        static const char two[] = IN "X-Kannel-From: +33600000001\r\nContent-Length: 2\r\n\r\nOKGET / HTTP/1.1\r\n\r\n";
        struct sms_request r;
        size_t used;

        assert_int_equal(
                sms_request_read(((struct cbor_span){ (const uint8_t *)two, sizeof(two) - 1 }), SECRET, &r, &used), 0);
        assert_string_equal(r.text, "OK");
        assert_string_equal(two + used, "GET / HTTP/1.1\r\n\r\n");
}

static void test_reports(void **state)
{
        struct sms_ref about = { .alert = { 1, 2, 0xff }, .person = "@control", .what = SMS_TO_CONTROL };
        static const struct {
                const char *status;
                uint8_t report;
        } cases[] = { { "1", SMS_DELIVERED }, { "2", SMS_FAILED }, { "16", SMS_FAILED },
                      { "8", SMS_HANDED },    { "", SMS_HANDED },  { "12345678", SMS_HANDED } };
        char text[SMS_ABOUT_SIZE], request[512];
        struct sms_request r;

        sms_about_write(&about, text);
        for (size_t i = 0; i < COUNT(cases); i++) {
                snprintf(request, sizeof(request),
                         "GET /sms/report?about=%s&status=%s&secret=" SECRET " HTTP/1.1\r\n\r\n", text,
                         cases[i].status);
                assert_int_equal(read_octets(request, strlen(request), &r), 0);
                assert_int_equal(r.kind, SMS_REQUEST_REPORT);
                assert_int_equal(r.report, cases[i].report);
                assert_memory_equal(r.about.alert, about.alert, ALERT_ID_SIZE);
                assert_string_equal(r.about.person, "@control");
                assert_int_equal(r.about.what, SMS_TO_CONTROL);
        }
}

static void test_references(void **state)
{
        static const char *const bad[] = {
                "",
                "01",
                "000102030405060708090a0b0c0d0e0f", /* no kind */
                "000102030405060708090a0b0c0d0e0f00",
                "000102030405060708090a0b0c0d0e0f09",
                "000102030405060708090a0b0c0d0e0f01f",
                "000102030405060708090a0b0c0d0e0f0100",
                "000102030405060708090a0b0c0d0e0f0120",
                "000102030405060708090a0b0c0d0e0f01c3a9",
        };
        struct sms_ref about = { .what = SMS_ANSWER }, back;
        char text[SMS_ABOUT_SIZE + 2];

        for (size_t i = 0; i < COUNT(bad); i++)
                if (sms_about_read(bad[i], &back))
                        fail_msg("%s", bad[i]);
        memset(about.person, 'p', PERSON_ID_MAX);
        sms_about_write(&about, text);
        assert_int_equal(strlen(text), SMS_ABOUT_SIZE - 1);
        assert_true(sms_about_read(text, &back));
        assert_string_equal(back.person, about.person);
        strcat(text, "70");
        assert_false(sms_about_read(text, &back));
}

static void test_refused(void **state)
{
        static const struct {
                const char *text;
                int status;
        } cases[] = {
                { "\r\n\r\n", 400 },
                { "hello\r\n\r\n", 400 },
                { "GET /\r\n\r\n", 400 },
                { "GET / HTTP/2.0\r\n\r\n", 400 },
                { "GET / HTTP/1.1\r\nno header\r\n\r\n", 400 },
                { "GET / HTTP/1.1\r\n: x\r\n\r\n", 400 },
                { "GET / HTTP/1.1\r\n\r\n", 404 },
                { "GET /sms/in?secret=" SECRET " HTTP/1.1\r\n\r\n", 405 },
                { "PUT /sms/report?secret=" SECRET " HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 405 },
                { "POST /sms/in HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 403 },
                { "POST /sms/in?secret= HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 403 },
                { "POST /sms/in?secret=0123456789abcde HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 403 },
                { "POST /sms/in?secret=0123456789abcdeg HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 403 },
                { "POST /sms/in?secret=0123456789abcdef0 HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 403 },
                { "POST /sms/in?Xsecret=0123456789abcdef HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 403 },
                { "GET /sms/report?secret=" SECRET "&about=12&status=1 HTTP/1.1\r\n\r\n", 400 },
                { IN "\r\n", 411 },
                { IN "Transfer-Encoding: chunked\r\n\r\n", 411 },
                { IN "Content-Length: -1\r\n\r\n", 400 },
                { IN "Content-Length: \r\n\r\n", 400 },
                { IN "Content-Length: 1025\r\n\r\n", 413 },
                { IN "Content-Length: 99999999999999999999\r\n\r\n", 413 },
        };
        struct sms_request r;

        for (size_t i = 0; i < COUNT(cases); i++) {
                int status = read_octets(cases[i].text, strlen(cases[i].text), &r);

                if (status != cases[i].status)
                        fail_msg("%s: %d", cases[i].text, status);
        }
        assert_int_equal(READ("GET / HTTP/1.1\r\na\0b: c\r\n\r\n", &r), 400);
}

/* Every beginning of a good request asks for more; a head that does not end is refused in the end, as are too many lines. */
static void test_pieces_and_bounds(void **state)
{
        static const char whole[] = IN UDH SMSBOX("1", "application/octet-stream", "2") "\r\n\x84\x43";
        static char endless[SMS_REQUEST_HEAD_MAX + 1];
        struct sms_request r;
        size_t len;

        for (len = 0; len < sizeof(whole) - 1; len++)
                assert_int_equal(read_octets(whole, len, &r), -EAGAIN);
        memset(endless, 'a', sizeof(endless));
        assert_int_equal(read_octets(endless, SMS_REQUEST_HEAD_MAX - 1, &r), -EAGAIN);
        assert_int_equal(read_octets(endless, SMS_REQUEST_HEAD_MAX, &r), 431);
        len = (size_t)sprintf(endless, "GET / HTTP/1.1\r\n");
        for (int i = 0; i < 65; i++)
                len += (size_t)sprintf(endless + len, "a: b\r\n");
        len += (size_t)sprintf(endless + len, "\r\n");
        assert_int_equal(read_octets(endless, len, &r), 431);
}

static void test_keep_alive(void **state)
{
        struct sms_request r;

        assert_int_equal(READ(IN "Content-Length: 0\r\nConnection: close\r\n\r\n", &r), 0);
        assert_false(r.keep_alive);
        assert_int_equal(READ(IN "Content-Length: 0\r\n\r\n", &r), 0);
        assert_true(r.keep_alive);
        assert_int_equal(READ("POST /sms/in?secret=" SECRET " HTTP/1.0\r\ncontent-length:0\r\n\r\n", &r), 0);
        assert_false(r.keep_alive);
}

static void test_numbers(void **state)
{
        static const struct {
                const char *text, *number;
        } cases[] = {
                { "+33612345678", "+33612345678" },
                { "0033612345678", "+33612345678" },
                { "33612345678", "+33612345678" },
                { "+123456", "+123456" },
                { "+123456789012345", "+123456789012345" },
                { "+12345", "" },
                { "+1234567890123456", "" },
                { "0612345678", "" },
                { "36000", "" },
                { "+0612345678", "" },
                { "+3361234567a", "" },
                { "", "" },
                { "+", "" },
                { "Vigie", "" },
        };
        char number[NUMBER_MAX + 1];

        for (size_t i = 0; i < COUNT(cases); i++) {
                bool good = sms_number_read(cases[i].text, strlen(cases[i].text), number);

                if (good != (cases[i].number[0] != '\0') || strcmp(number, cases[i].number) != 0)
                        fail_msg("%s: %s", cases[i].text, number);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_an_object_as_smsbox_brings_it),
                cmocka_unit_test(test_objects_that_are_none),
                cmocka_unit_test(test_texts),
                cmocka_unit_test(test_a_long_text_is_cut),
                cmocka_unit_test(test_the_next_request),
                cmocka_unit_test(test_reports),
                cmocka_unit_test(test_references),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_pieces_and_bounds),
                cmocka_unit_test(test_keep_alive),
                cmocka_unit_test(test_numbers),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
