#include "base/utf8.h"

#include <stdint.h>

static bool is_tail(unsigned char c)
{
        return (c & 0xc0) == 0x80;
}

/* The second octet's range depends on the first: that is where overlong forms and surrogates are. */
static bool second_is_good(unsigned char first, unsigned char second)
{
        switch (first) {
        case 0xe0:
                return second >= 0xa0 && second <= 0xbf;
        case 0xed:
                return second >= 0x80 && second <= 0x9f;
        case 0xf0:
                return second >= 0x90 && second <= 0xbf;
        case 0xf4:
                return second >= 0x80 && second <= 0x8f;
        default:
                return is_tail(second);
        }
}

size_t utf8_sequence(const char *text, size_t len)
{
        const unsigned char *in = (const unsigned char *)text;
        size_t size;

        if (len == 0)
                return 0;
        if (in[0] < 0x80)
                return 1;
        if (in[0] < 0xc2 || in[0] > 0xf4)
                return 0;
        size = in[0] < 0xe0 ? 2 : in[0] < 0xf0 ? 3 : 4;
        if (len < size || !second_is_good(in[0], in[1]))
                return 0;
        for (size_t i = 2; i < size; i++)
                if (!is_tail(in[i]))
                        return 0;
        return size;
}

bool utf8_is_valid(const char *text, size_t len)
{
        size_t step;

        for (size_t i = 0; i < len; i += step)
                if ((step = utf8_sequence(text + i, len - i)) == 0)
                        return false;
        return true;
}

size_t utf8_cut(const char *text, size_t len, size_t max)
{
        if (len <= max)
                return len;
        while (max > 0 && is_tail((unsigned char)text[max]))
                max--;
        return max;
}
