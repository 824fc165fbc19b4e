/* Sessions: who a browser is, between login and logout.  The browser holds 256 random bits in a cookie; Redis holds,
 * under their SHA-256 alone, who that is and until when, so that whoever reads Redis cannot become anybody.  Pure but
 * for the random bits. */
#ifndef CONSOLE_SESSION_H
#define CONSOLE_SESSION_H

#include <stddef.h>
#include <stdint.h>

#include "wire/record.h"

#define SESSION_COOKIE          "__Host-vigie"
/* 256 bits in hex with the NUL: the cookie's value. */
#define SESSION_TOKEN_SIZE      65
#define SESSION_HASH_SIZE       32
/* Octets of an encoded entry, with room to spare. */
#define SESSION_ENTRY_MAX       96
/* Octets of a Set-Cookie value with its NUL. */
#define SESSION_SET_COOKIE_SIZE 192

/* What {r}:session:<hash> holds: `[1, login, begun ms, ends ms]`; times are UTC of the console that made it. */
struct session {
        char login[PERSON_ID_MAX + 1];
        int64_t begun_ms, ends_ms;
};

/* session_token: draw a new token.  Returns 0 or -EIO (no randomness: refuse the login). */
int session_token(char token[SESSION_TOKEN_SIZE]);

/* session_hash: what Redis and our memory know of TOKEN.  Returns 0 or -ENOMEM (libcrypto). */
int session_hash(const char *token, uint8_t hash[SESSION_HASH_SIZE]);

/* session_from_cookies: find the session in a Cookie header.
 * Returns 0, -ENOENT (none), -EINVAL (not 64 lower-case hex digits, or twice). */
int session_from_cookies(const char *cookies, char token[SESSION_TOKEN_SIZE]);

/* session_set_cookie: the Set-Cookie value that gives TOKEN for MAX_AGE_S, or takes it back when TOKEN is NULL. */
void session_set_cookie(const char *token, int64_t max_age_s, char text[SESSION_SET_COOKIE_SIZE]);

/* session_ttl_ms: how long Redis shall keep it from NOW on: idle_ms, but not past its end; 0 = it is over. */
int64_t session_ttl_ms(const struct session *session, int64_t idle_ms, int64_t now_ms);

/* session_encode: into BUF.  Returns the length or -ENOBUFS.  session_decode: 0, -EBADMSG, -EPROTONOSUPPORT (newer
 * format). */
int session_encode(const struct session *session, uint8_t *buf, size_t size);
int session_decode(const uint8_t *data, size_t size, struct session *ret_session);

#endif
