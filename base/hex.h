/* Hex.  Pure. */
#ifndef BASE_HEX_H
#define BASE_HEX_H

#include <stddef.h>
#include <stdint.h>

/* hex_encode: write DATA as 2 * len lower-case digits and a NUL.  OUT holds 2 * len + 1 octets. */
void hex_encode(const void *data, size_t len, char *out);

/* hex_decode: read exactly 2 * len digits (either case) of the NUL-terminated TEXT into OUT.
 * Returns 0, or -EINVAL (another length, or no hex digit); OUT is then undefined. */
int hex_decode(const char *text, uint8_t *out, size_t len);

#endif
