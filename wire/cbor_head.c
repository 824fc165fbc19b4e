#include "wire/cbor_head.h"

#include <stdbool.h>
#include <stddef.h>

/* The smallest argument that needs each of the four longer forms; below it the form is not the shortest. */
static const uint64_t form_min[] = { 24, 0x100, 0x10000, 0x100000000 };

/* A NaN has one form, and what half or single can say exactly is not said longer (RFC 8949 4.1, 4.2.2). */
static bool float_is_shortest(uint8_t info, uint64_t bits)
{
        const int mantissa = info == INFO_2 ? 10 : info == INFO_4 ? 23 : 52;
        const int exponent_max = info == INFO_2 ? 31 : info == INFO_4 ? 255 : 2047;
        uint64_t significand = bits & ((1ull << mantissa) - 1);
        int exponent = (int)(bits >> mantissa) & exponent_max;
        int width;

        if (exponent == exponent_max)
                return info == INFO_2 && (significand == 0 || bits == 0x7E00);
        if (info == INFO_2)
                return true;
        if (exponent != 0)
                significand |= 1ull << mantissa;
        if (significand == 0)
                return false;                                      /* zero */
        exponent += (exponent == 0) - exponent_max / 2 - mantissa; /* of the last bit */
        for (; (significand & 1) == 0; significand >>= 1)
                exponent++;
        for (width = 0; (significand >> width) != 0;)
                width++;
        if (info == INFO_4)
                return width > 11 || exponent < -24 || exponent + width - 1 > 15;
        return width > 24 || exponent < -149 || exponent + width - 1 > 127;
}

const char *cbor_head_read(const uint8_t *at, const uint8_t *end, struct cbor_head *head)
{
        size_t more;

        if (at == end)
                return "truncated";
        *head = (struct cbor_head){ .major = *at >> 5, .info = *at & 31, .len = 1, .arg = *at & 31 };
        if (head->info < INFO_1)
                return NULL;
        if (head->info == INFO_INDEFINITE && head->major >= MAJOR_BYTES && head->major != MAJOR_TAG)
                return head->major == MAJOR_OTHER ? "a break with nothing to end" : "indefinite length";
        if (head->info > INFO_8)
                return "a reserved head";
        more = (size_t)1 << (head->info - INFO_1);
        if ((size_t)(end - at) - 1 < more)
                return "truncated";
        head->arg = 0;
        for (size_t i = 1; i <= more; i++)
                head->arg = head->arg << 8 | at[i];
        head->len = (uint8_t)(1 + more);
        if (head->major != MAJOR_OTHER)
                return head->arg < form_min[head->info - INFO_1] ? "an integer or length not in its shortest form"
                                                                 : NULL;
        if (head->info == INFO_1)
                return head->arg < 32 ? "a simple value in a reserved form" : NULL;
        return float_is_shortest(head->info, head->arg) ? NULL : "a float not in its shortest form";
}
