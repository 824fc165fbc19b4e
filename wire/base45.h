/* Base45 (RFC 9285): octets as the 45 characters that a QR code packs well.  Pure. */
#ifndef WIRE_BASE45_H
#define WIRE_BASE45_H
#include "wire/cbor.h"

/* base45_read: decode LEN characters to at most SIZE octets at TO.  White space is not skipped: space is a digit.
 * Returns 0, -EINVAL (a character outside the 45, a length of 3n + 1, a group over its range), -ENOBUFS. */
int base45_read(const char *text, size_t len, uint8_t *to, size_t size, size_t *ret_len);

/* base45_write: encode with a closing NUL.  Returns 0, -ENOBUFS (SIZE under 3 * (len / 2) + 2 * (len % 2) + 1). */
int base45_write(struct cbor_span octets, char *text, size_t size);
#endif
