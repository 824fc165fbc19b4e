/* Passwords and PINs: scrypt (RFC 7914) through OpenSSL, N = 2^15, r = 8, p = 1: some 80 ms and 32 MiB each time.
 * Never on the loop's thread: uv_queue_work or a process of its own.  Text form: scrypt$15$8$1$SALT$HASH, salt 16 and
 * hash 32 octets in hex. */
#ifndef BASE_PASSWORD_H
#define BASE_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>

/* The text form with its NUL. */
#define PASSWORD_TEXT_SIZE (sizeof("scrypt$15$8$1$$") + 32 + 64)
/* Longest password in octets: a longer one is -EINVAL when made and never verifies.  A bound for what strangers may
 * send. */
#define PASSWORD_MAX       256

/* password_hash: make the text form of PASSWORD with a fresh random salt.
 *   password   len octets, 1..PASSWORD_MAX, any octets
 *   text       PASSWORD_TEXT_SIZE octets
 * Returns 0, -EINVAL (length), -ENOMEM or -EIO (libcrypto).  Any thread. */
int password_hash(const char *password, size_t len, char *text);

/* password_verify: say whether PASSWORD is the one of TEXT; the comparison takes a constant time.
 *   text        the text form, from a store: only these very parameters are accepted
 *   ret_match   written on success
 * Returns 0, -EBADMSG (text is no such form), -ENOMEM or -EIO (libcrypto).  Any thread. */
int password_verify(const char *password, size_t len, const char *text, bool *ret_match);

#endif
