/* UTF-8: what people's texts must be before they are stored, and cutting them.  Pure.  Source: RFC 3629. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* utf8_is_valid: say whether all LEN octets are UTF-8 (no overlong forms, no surrogates, nothing over U+10FFFF).  NUL
 * is. */
bool utf8_is_valid(const char *text, size_t len);

/* utf8_sequence: octets (1..4) of the code point that begins at TEXT with LEN octets left, 0 if it is none. */
size_t utf8_sequence(const char *text, size_t len);

/* utf8_cut: the largest length of at most MAX octets at which valid TEXT can be cut without splitting a code point. */
size_t utf8_cut(const char *text, size_t len, size_t max);

#endif
