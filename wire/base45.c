#include "wire/base45.h"

#include <errno.h>
#include <string.h>

static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

/* The value of COUNT digits, the first the lowest; -1 where one is none. */
static int32_t group_value(const char *text, size_t count)
{
        const char *digit;
        int32_t value = 0;

        for (size_t i = count; i > 0; i--) {
                digit = text[i - 1] != '\0' ? strchr(digits, text[i - 1]) : NULL;
                if (digit == NULL)
                        return -1;
                value = value * 45 + (int32_t)(digit - digits);
        }
        return value;
}

int base45_read(const char *text, size_t len, uint8_t *to, size_t size, size_t *ret_len)
{
        size_t used = 0, count, octets;
        int32_t value;

        if (len % 3 == 1)
                return -EINVAL;
        for (; len > 0; text += count, len -= count) {
                count = len < 3 ? len : 3;
                octets = count - 1;
                value = group_value(text, count);
                if (value < 0 || value >= (1l << (8 * octets)))
                        return -EINVAL;
                if (size - used < octets)
                        return -ENOBUFS;
                if (octets == 2)
                        to[used++] = (uint8_t)(value >> 8);
                to[used++] = (uint8_t)value;
        }
        *ret_len = used;
        return 0;
}

int base45_write(struct cbor_span octets, char *text, size_t size)
{
        size_t need = 3 * (octets.len / 2) + 2 * (octets.len % 2), pair;
        unsigned value;

        if (size <= need)
                return -ENOBUFS;
        for (size_t i = 0; i < octets.len; i += pair) {
                pair = octets.len - i < 2 ? 1 : 2;
                value = pair == 2 ? (unsigned)octets.at[i] << 8 | octets.at[i + 1] : octets.at[i];
                for (size_t k = 0; k <= pair; k++, value /= 45)
                        *text++ = digits[value % 45];
        }
        *text = '\0';
        return 0;
}
