#include "base/equal.h"

#include <openssl/crypto.h>

bool bytes_equal(const void *a, const void *b, size_t len)
{
        return CRYPTO_memcmp(a, b, len) == 0;
}
