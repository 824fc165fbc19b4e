#include "dispatcher/sms_request.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hex.h"
#include "base/utf8.h"
#include "wire/sms.h"

/* Headers looked at in one request, others are stepped over; a request with more lines than this is refused with 431.
 * */
#define HEADERS_MAX 64

struct words {
        const char *at;
        size_t len;
};

/* What of a request's head matters. */
struct head {
        struct words method, path, query;
        struct words from, udh, coding, time, type, length, connection;
        bool chunked, old; /* HTTP/1.0 */
};

static bool is(struct words w, const char *text)
{
        return w.len == strlen(text) && strncasecmp(w.at, text, w.len) == 0;
}

static bool has(struct words w, const char *text)
{
        size_t len = strlen(text);

        for (size_t i = 0; i + len <= w.len; i++)
                if (strncasecmp(w.at + i, text, len) == 0)
                        return true;
        return false;
}

/* ---- The head. */

static bool read_request_line(const char *line, size_t len, struct head *head)
{
        const char *target = memchr(line, ' ', len), *version, *question, *end = line + len;

        if (target == NULL || (version = memchr(target + 1, ' ', (size_t)(end - target - 1))) == NULL)
                return false;
        head->method = (struct words){ line, (size_t)(target - line) };
        target++;
        question = memchr(target, '?', (size_t)(version - target));
        head->path = (struct words){ target, (size_t)((question != NULL ? question : version) - target) };
        if (question != NULL)
                head->query = (struct words){ question + 1, (size_t)(version - question - 1) };
        head->old = is((struct words){ version + 1, (size_t)(end - version - 1) }, "HTTP/1.0");
        return head->old || is((struct words){ version + 1, (size_t)(end - version - 1) }, "HTTP/1.1");
}

static bool read_header(const char *line, size_t len, struct head *head)
{
        const char *colon = memchr(line, ':', len);
        struct words name, value;
        const struct {
                const char *name;
                struct words *value;
        } known[] = {
                { "X-Kannel-From", &head->from },     { "X-Kannel-UDH", &head->udh },
                { "X-Kannel-Coding", &head->coding }, { "X-Kannel-Time", &head->time },
                { "Content-Type", &head->type },      { "Content-Length", &head->length },
                { "Connection", &head->connection },
        };

        if (colon == NULL || colon == line)
                return false;
        name = (struct words){ line, (size_t)(colon - line) };
        value = (struct words){ colon + 1, len - name.len - 1 };
        while (value.len > 0 && (*value.at == ' ' || *value.at == '\t'))
                value.at++, value.len--;
        while (value.len > 0 && (value.at[value.len - 1] == ' ' || value.at[value.len - 1] == '\t'))
                value.len--;
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
                if (is(name, known[i].name))
                        *known[i].value = value;
        head->chunked = head->chunked || is(name, "Transfer-Encoding");
        return true;
}

/* read_head: the head at TEXT, LEN octets with its empty line. */
static int read_head(const char *text, size_t len, struct head *head)
{
        const char *end = text + len - 2; /* before the empty line's CR LF */
        const char *line = memmem(text, len, "\r\n", 2);
        size_t count = 0;

        if (memchr(text, '\0', len) != NULL || !read_request_line(text, (size_t)(line - text), head))
                return 400;
        for (line += 2; line < end; count++) {
                const char *next = memmem(line, (size_t)(end + 2 - line), "\r\n", 2);

                if (count == HEADERS_MAX)
                        return 431;
                if (!read_header(line, (size_t)(next - line), head))
                        return 400;
                line = next + 2;
        }
        return 0;
}

/* body_length: how many octets follow the head; a status of HTTP as a negative number. */
static int body_length(const struct head *head)
{
        int len = 0;

        if (head->chunked)
                return -411;
        if (head->length.at == NULL)
                return is(head->method, "POST") ? -411 : 0;
        for (size_t i = 0; i < head->length.len; i++) {
                if (!isdigit((unsigned char)head->length.at[i]))
                        return -400;
                len = len * 10 + (head->length.at[i] - '0');
                if (len > SMS_REQUEST_BODY_MAX)
                        return -413;
        }
        return head->length.len > 0 ? len : -400;
}

/* ---- Values. */

static int hex_digit(char c)
{
        return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* unescape: W without its %-escapes into TO; its octets, or -1 (a broken escape, or more than SIZE). */
static int unescape(struct words w, char *to, size_t size)
{
        size_t len = 0;

        for (size_t i = 0; i < w.len; i++, len++) {
                if (len == size)
                        return -1;
                to[len] = w.at[i];
                if (w.at[i] != '%')
                        continue;
                if (i + 2 >= w.len || hex_digit(w.at[i + 1]) < 0 || hex_digit(w.at[i + 2]) < 0)
                        return -1;
                to[len] = (char)(hex_digit(w.at[i + 1]) << 4 | hex_digit(w.at[i + 2]));
                i += 2;
        }
        return (int)len;
}

/* query_value: the value of NAME in the query, unescaped; "" where there is none, it does not fit or holds a NUL. */
static void query_value(struct words query, const char *name, char *to, size_t size)
{
        size_t name_len = strlen(name);
        const char *at = query.at, *end = query.at + query.len;
        int len = 0;

        for (; at != NULL && at < end; at++) {
                const char *next = memchr(at, '&', (size_t)(end - at));
                size_t part = (size_t)((next != NULL ? next : end) - at);

                if (part > name_len && memcmp(at, name, name_len) == 0 && at[name_len] == '=') {
                        len = unescape((struct words){ at + name_len + 1, part - name_len - 1 }, to, size - 1);
                        break;
                }
                at += part;
        }
        if (len < 0 || memchr(to, '\0', (size_t)len) != NULL)
                len = 0;
        to[len] = '\0';
}

/* is_secret: in a time that does not tell how much of it is right. */
static bool is_secret(struct words query, const char *secret)
{
        char given[128];
        size_t len = strlen(secret), other;
        unsigned char differs;

        query_value(query, "secret", given, sizeof(given));
        other = strlen(given);
        differs = len != other || len == 0;
        for (size_t i = 0; i < other && len > 0; i++)
                differs |= (unsigned char)(given[i] ^ secret[i % len]);
        return differs == 0;
}

bool sms_number_read(const char *text, size_t len, char ret_number[NUMBER_MAX + 1])
{
        size_t digits = 0;

        ret_number[0] = '\0';
        if (len > 0 && text[0] == '+')
                text++, len--;
        else if (len > 1 && text[0] == '0' && text[1] == '0')
                text += 2, len -= 2;
        if (len < 6 || len > 15 || text[0] == '0')
                return false;
        while (digits < len && isdigit((unsigned char)text[digits]))
                digits++;
        if (digits < len)
                return false;
        ret_number[0] = '+';
        memcpy(ret_number + 1, text, len);
        ret_number[len + 1] = '\0';
        return true;
}

/* ---- Texts in UTF-8. */

static size_t put_point(uint32_t c, char *to)
{
        if (c < 0x80) {
                to[0] = (char)c;
                return 1;
        }
        if (c < 0x800) {
                to[0] = (char)(0xc0 | c >> 6);
                to[1] = (char)(0x80 | (c & 0x3f));
                return 2;
        }
        to[0] = (char)(0xe0 | c >> 12);
        to[1] = (char)(0x80 | (c >> 6 & 0x3f));
        to[2] = (char)(0x80 | (c & 0x3f));
        return 3;
}

/* widen: LATIN 1 (STEP 1) or UTF-16BE (STEP 2) as UTF-8.  What is outside the basic plane is no word of ours: '?'. */
static void widen(struct cbor_span body, size_t step, char *to, size_t max)
{
        size_t len = 0;

        for (size_t i = 0; i + step <= body.len && len + 3 <= max; i += step) {
                uint32_t c = step == 1 ? body.at[i] : (uint32_t)(body.at[i] << 8 | body.at[i + 1]);

                len += put_point(c >= 0xd800 && c <= 0xdfff ? '?' : c == 0 ? ' ' : c, to + len);
        }
        to[len] = '\0';
}

static void read_text(const struct head *head, struct cbor_span body, char to[SMS_TEXT_MAX + 1])
{
        size_t len;

        if (has(head->type, "utf-16") || (is(head->coding, "2") && !has(head->type, "charset"))) {
                widen(body, 2, to, SMS_TEXT_MAX);
        } else if (!utf8_is_valid((const char *)body.at, body.len)) {
                widen(body, 1, to, SMS_TEXT_MAX);
        } else {
                len = utf8_cut((const char *)body.at, body.len, SMS_TEXT_MAX);
                for (size_t i = 0; i < len; i++)
                        to[i] = body.at[i] == '\0' ? ' ' : (char)body.at[i];
                to[len] = '\0';
        }
}

/* ---- References. */

void sms_about_write(const struct sms_ref *about, char ret_text[SMS_ABOUT_SIZE])
{
        hex_encode(about->alert, ALERT_ID_SIZE, ret_text);
        hex_encode(&about->what, 1, ret_text + 2 * ALERT_ID_SIZE);
        hex_encode(about->person, strlen(about->person), ret_text + 2 * ALERT_ID_SIZE + 2);
}

bool sms_about_read(const char *text, struct sms_ref *ret_about)
{
        uint8_t octets[ALERT_ID_SIZE + 1 + PERSON_ID_MAX];
        size_t len = strlen(text) / 2, person = len - ALERT_ID_SIZE - 1;

        memset(ret_about, 0, sizeof(*ret_about));
        if (len < ALERT_ID_SIZE + 1 || len > sizeof(octets) || hex_decode(text, octets, len) < 0 ||
            octets[ALERT_ID_SIZE] == 0 || octets[ALERT_ID_SIZE] >= SMS_WHAT_END)
                return false;
        for (size_t i = 0; i < person; i++)
                if (octets[ALERT_ID_SIZE + 1 + i] <= ' ' || octets[ALERT_ID_SIZE + 1 + i] >= 0x7f)
                        return false;
        memcpy(ret_about->alert, octets, ALERT_ID_SIZE);
        ret_about->what = octets[ALERT_ID_SIZE];
        memcpy(ret_about->person, octets + ALERT_ID_SIZE + 1, person);
        return true;
}

/* ---- The two things asked. */

/* Kannel's: 1 delivered, 2 not delivered, 4 queued, 8 with the network, 16 refused by it. */
static int read_report(const struct head *head, struct sms_request *request)
{
        char about[SMS_ABOUT_SIZE], status[8];

        query_value(head->query, "about", about, sizeof(about));
        query_value(head->query, "status", status, sizeof(status));
        if (!sms_about_read(about, &request->about))
                return 400;
        request->kind = SMS_REQUEST_REPORT;
        request->report = strcmp(status, "1") == 0                                ? SMS_DELIVERED
                          : strcmp(status, "2") == 0 || strcmp(status, "16") == 0 ? SMS_FAILED
                                                                                  : SMS_HANDED;
        return 0;
}

static void read_sms(const struct head *head, struct cbor_span body, struct sms_request *request)
{
        uint8_t udh[140];
        struct cbor_span header = { udh, 0 };
        int len = 0;

        sms_number_read(head->from.at != NULL ? head->from.at : "", head->from.len, request->from);
        query_value(head->query, "id", request->key, sizeof(request->key));
        if (request->key[0] == '\0' && head->time.len < sizeof(request->key) && head->time.at != NULL)
                memcpy(request->key, head->time.at, head->time.len);
        if (head->udh.len > 0 && memchr(head->udh.at, '%', head->udh.len) != NULL) {
                len = unescape(head->udh, (char *)udh, sizeof(udh));
        } else if (head->udh.len > 0) { /* bare hex */
                char hex[2 * sizeof(udh) + 1] = "";

                len = head->udh.len < sizeof(hex) ? (int)(head->udh.len / 2) : -1;
                memcpy(hex, head->udh.at, len < 0 ? 0 : head->udh.len);
                len = len < 0 || hex_decode(hex, udh, (size_t)len) < 0 ? -1 : len;
        }
        request->kind = SMS_REQUEST_JUNK;
        header.len = len > 0 ? (size_t)len : 0;
        if (len < 0) {
                return;
        } else if (header.len > 0 || is(head->coding, "1") || has(head->type, "octet-stream")) {
                if (sms_object(body, header, &request->object) == 0)
                        request->kind = SMS_REQUEST_OBJECT;
        } else if (request->from[0] != '\0') { /* who writes without a number cannot be known */
                read_text(head, body, request->text);
                request->kind = SMS_REQUEST_TEXT;
        }
}

static int understand(const struct head *head, struct cbor_span body, const char *secret, struct sms_request *request)
{
        bool in = is(head->path, "/sms/in"), report = is(head->path, "/sms/report");

        if (!in && !report)
                return 404;
        if (!is(head->method, "POST") && !(report && is(head->method, "GET")))
                return 405;
        if (!is_secret(head->query, secret))
                return 403;
        if (report)
                return read_report(head, request);
        read_sms(head, body, request);
        return 0;
}

int sms_request_read(struct cbor_span data, const char *secret, struct sms_request *ret_request, size_t *ret_used)
{
        const char *text = (const char *)data.at;
        const char *end = data.len > 0 ? memmem(text, data.len, "\r\n\r\n", 4) : NULL;
        size_t head_len = end != NULL ? (size_t)(end - text) + 4 : data.len;
        struct head head = { 0 };
        int body, r;

        memset(ret_request, 0, sizeof(*ret_request));
        *ret_used = data.len;
        if (head_len > SMS_REQUEST_HEAD_MAX || (end == NULL && data.len == SMS_REQUEST_HEAD_MAX))
                return 431;
        if (end == NULL)
                return -EAGAIN;
        if ((r = read_head(text, head_len, &head)) != 0 || (r = -(body = body_length(&head))) > 0)
                return r;
        if (data.len - head_len < (size_t)body)
                return -EAGAIN;
        *ret_used = head_len + (size_t)body;
        ret_request->keep_alive = !is(head.connection, "close") && (!head.old || is(head.connection, "keep-alive"));
        return understand(&head, (struct cbor_span){ data.at + head_len, (size_t)body }, secret, ret_request);
}
