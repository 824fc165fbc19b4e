#include "base/hex.h"

#include <errno.h>
#include <string.h>

void hex_encode(const void *data, size_t len, char *out)
{
        static const char digits[] = "0123456789abcdef";
        const uint8_t *in = data;

        for (size_t i = 0; i < len; i++) {
                out[2 * i] = digits[in[i] >> 4];
                out[2 * i + 1] = digits[in[i] & 15];
        }
        out[2 * len] = '\0';
}

static int hex_digit(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return -1;
}

int hex_decode(const char *text, uint8_t *out, size_t len)
{
        for (size_t i = 0; i < len; i++) {
                int high = hex_digit(text[2 * i]);
                int low = high < 0 ? -1 : hex_digit(text[2 * i + 1]);

                if (low < 0)
                        return -EINVAL;
                out[i] = (uint8_t)(high << 4 | low);
        }
        return text[2 * len] == '\0' ? 0 : -EINVAL;
}
