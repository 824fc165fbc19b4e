#include "ops/vigie/say.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

/* The code point of SIZE octets of good UTF-8. */
static uint32_t code_point(const char *text, size_t size)
{
        static const uint8_t first_bits[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
        uint32_t c = (uint8_t)text[0] & first_bits[size];

        for (size_t i = 1; i < size; i++)
                c = c << 6 | ((uint8_t)text[i] & 0x3f);
        return c;
}

static bool is_shown(uint32_t c)
{
        static const struct {
                uint32_t first, last;
        } hidden[] = {
                { 0x0000, 0x001f }, { 0x007f, 0x009f }, { 0x061c, 0x061c },   { 0x180e, 0x180e },
                { 0x200b, 0x200b }, { 0x200e, 0x200f }, { 0x2028, 0x202e },   { 0x2060, 0x206f },
                { 0xfeff, 0xfeff }, { 0xfff0, 0xfffb }, { 0xe0000, 0xe0fff },
        };

        for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
                if (c >= hidden[i].first && c <= hidden[i].last)
                        return false;
        return true;
}

void say_safe(FILE *out, const char *text)
{
        size_t left = strlen(text), size;

        for (; left > 0; text += size, left -= size) {
                uint32_t c;

                size = utf8_sequence(text, left);
                if (size == 0) {
                        fprintf(out, "\\x%02x", (uint8_t)*text);
                        size = 1;
                } else if (!is_shown(c = code_point(text, size))) {
                        fprintf(out, "\\u{%x}", c);
                } else if (c == '\\') {
                        fputs("\\\\", out);
                } else {
                        fwrite(text, 1, size, out);
                }
        }
}

void say_row(const char *first, ...)
{
        const char *text = first;
        va_list ap;

        va_start(ap, first);
        while (text != NULL) {
                say_safe(stdout, text);
                text = va_arg(ap, const char *);
                putchar(text != NULL ? '\t' : '\n');
        }
        va_end(ap);
}

int say_wrong(const char *format, ...)
{
        char text[SAY_WRONG_MAX];
        va_list ap;

        va_start(ap, format);
        vsnprintf(text, sizeof(text), format, ap);
        va_end(ap);
        fputs("vigie: ", stderr);
        say_safe(stderr, text);
        fputc('\n', stderr);
        return -EINVAL;
}

int say_end(int status, int failed)
{
        if ((fflush(stdout) == 0 && !ferror(stdout)) || status != 0)
                return status;
        say_wrong("standard output: cannot write");
        return failed;
}
