/* Comparing secrets.  Pure; asks for libcrypto. */
#ifndef BASE_EQUAL_H
#define BASE_EQUAL_H

#include <stdbool.h>
#include <stddef.h>

/* bytes_equal: compare in a time that depends on LEN alone (CRYPTO_memcmp): for tags, tokens, hashes. */
bool bytes_equal(const void *a, const void *b, size_t len);

#endif
