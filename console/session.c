#include "console/session.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "wire/cbor.h"

#define SESSION_FORMAT 1
#define SESSION_PARTS  4

int session_token(char token[SESSION_TOKEN_SIZE])
{
        uint8_t bits[32];

        if (RAND_bytes(bits, sizeof(bits)) != 1)
                return -EIO;
        hex_encode(bits, sizeof(bits), token);
        return 0;
}

int session_hash(const char *token, uint8_t hash[SESSION_HASH_SIZE])
{
        return EVP_Digest(token, strlen(token), hash, NULL, EVP_sha256(), NULL) == 1 ? 0 : -ENOMEM;
}

/* value_is_token: say whether VALUE up to its ';' or end is 64 lower-case hex digits. */
static int value_is_token(const char *value)
{
        size_t n = strspn(value, "0123456789abcdef");

        return n == SESSION_TOKEN_SIZE - 1 && (value[n] == '\0' || value[n] == ';' || value[n] == ' ');
}

int session_from_cookies(const char *cookies, char token[SESSION_TOKEN_SIZE])
{
        static const char name[] = SESSION_COOKIE "=";
        const char *found = NULL;

        for (const char *p = cookies; p != NULL && *p != '\0';) {
                p += strspn(p, "; ");
                if (strncmp(p, name, sizeof(name) - 1) == 0) {
                        if (found != NULL)
                                return -EINVAL;
                        found = p + sizeof(name) - 1;
                }
                p += strcspn(p, ";");
        }
        if (found == NULL)
                return -ENOENT;
        if (!value_is_token(found))
                return -EINVAL;
        memcpy(token, found, SESSION_TOKEN_SIZE - 1);
        token[SESSION_TOKEN_SIZE - 1] = '\0';
        return 0;
}

void session_set_cookie(const char *token, int64_t max_age_s, char text[SESSION_SET_COOKIE_SIZE])
{
        snprintf(text, SESSION_SET_COOKIE_SIZE,
                 SESSION_COOKIE "=%s; Path=/; Max-Age=%" PRId64 "; Secure; HttpOnly; SameSite=Strict",
                 token != NULL ? token : "", token != NULL ? max_age_s : 0);
}

int64_t session_ttl_ms(const struct session *session, int64_t idle_ms, int64_t now_ms)
{
        int64_t left = session->ends_ms - now_ms;

        if (left <= 0)
                return 0;
        return left < idle_ms ? left : idle_ms;
}

int session_encode(const struct session *session, uint8_t *buf, size_t size)
{
        struct cbor_writer w;

        cbor_writer_init(&w, buf, size);
        cbor_write_array(&w, SESSION_PARTS);
        cbor_write_uint(&w, SESSION_FORMAT);
        cbor_write_string(&w, session->login);
        cbor_write_uint(&w, (uint64_t)session->begun_ms);
        cbor_write_uint(&w, (uint64_t)session->ends_ms);
        return w.full ? -ENOBUFS : (int)w.len;
}

int session_decode(const uint8_t *data, size_t size, struct session *ret_session)
{
        struct session s = { 0 };
        struct cbor_reader r;

        cbor_reader_init(&r, (struct cbor_span){ data, size });
        if (cbor_enter_array(&r) < SESSION_PARTS)
                return -EBADMSG;
        if (cbor_read_uint(&r, UINT32_MAX) != SESSION_FORMAT)
                return r.broken != NULL ? -EBADMSG : -EPROTONOSUPPORT;
        cbor_read_string(&r, s.login, sizeof(s.login));
        s.begun_ms = (int64_t)cbor_read_uint(&r, INT64_MAX);
        s.ends_ms = (int64_t)cbor_read_uint(&r, INT64_MAX);
        cbor_leave(&r);
        if (cbor_end(&r) < 0)
                return -EBADMSG;
        *ret_session = s;
        return 0;
}
