/* Diagnostic notation, RFC 8949 section 8: the part of wire/inspect.h that knows no object. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "wire/inspect.h"

void inspect_text_init(struct inspect_text *out, char *to, size_t size)
{
        *out = (struct inspect_text){ .to = to, .size = size };
        to[0] = '\0';
}

void inspect_put(struct inspect_text *out, const char *format, ...)
{
        size_t room = out->size - out->len;
        va_list args;
        int len;

        if (out->full)
                return;
        va_start(args, format);
        len = vsnprintf(out->to + out->len, room, format, args);
        va_end(args);
        if (len < 0 || (size_t)len >= room) {
                out->to[out->len] = '\0';
                out->full = true;
                return;
        }
        out->len += (size_t)len;
}

void inspect_put_hex(struct inspect_text *out, struct cbor_span octets)
{
        for (size_t i = 0; i < octets.len && !out->full; i++)
                inspect_put(out, "%02x", octets.at[i]);
}

/* The number of the code point in the LEN octets at AT, valid UTF-8. */
static uint32_t code_point(const uint8_t *at, size_t len)
{
        uint32_t point = len == 1 ? *at : *at & (0x7Fu >> len);

        for (size_t i = 1; i < len; i++)
                point = point << 6 | (at[i] & 0x3Fu);
        return point;
}

static bool acts_on_terminal(uint32_t point)
{
        return point < 0x20 || (point >= 0x7F && point < 0xA0) || point == 0x061C || point == 0x200E ||
               point == 0x200F || (point >= 0x2028 && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069) ||
               point == 0xFEFF;
}

void inspect_put_text(struct inspect_text *out, struct cbor_span text)
{
        size_t step;

        inspect_put(out, "\"");
        for (size_t i = 0; i < text.len && !out->full; i += step) {
                step = utf8_sequence((const char *)text.at + i, text.len - i);
                if (step == 0)
                        step = 1;
                if (acts_on_terminal(code_point(text.at + i, step)))
                        inspect_put(out, "\\u%04x", code_point(text.at + i, step));
                else
                        inspect_put(out, "%s%.*s", step == 1 && strchr("\"\\", text.at[i]) != NULL ? "\\" : "",
                                    (int)step, (const char *)text.at + i);
        }
        inspect_put(out, "\"");
}

/* The shortest decimal that reads back as the same number, with a point or an exponent. */
static void put_float(struct inspect_text *out, double value)
{
        char text[32];

        if (value != value) {
                inspect_put(out, "NaN");
                return;
        }
        if (value - value != 0) {
                inspect_put(out, value < 0 ? "-Infinity" : "Infinity");
                return;
        }
        for (int digits = 1; digits <= 17; digits++) {
                snprintf(text, sizeof(text), "%.*g", digits, value);
                if (strtod(text, NULL) == value)
                        break;
        }
        inspect_put(out, strpbrk(text, ".e") != NULL ? "%s" : "%s.0", text);
}

static void put_simple(struct inspect_text *out, uint8_t value)
{
        static const char *const names[] = { "false", "true", "null", "undefined" };

        if (value >= 20 && value <= 23)
                inspect_put(out, "%s", names[value - 20]);
        else
                inspect_put(out, "simple(%u)", value);
}

static void put_nint(struct inspect_text *out, uint64_t n)
{
        if (n == UINT64_MAX)
                inspect_put(out, "-18446744073709551616");
        else
                inspect_put(out, "-%" PRIu64, n + 1);
}

static void put_item(struct inspect_text *out, struct cbor_reader *r);

/* The items of an array or map, to its end. */
static void put_items(struct inspect_text *out, struct cbor_reader *r, bool is_map)
{
        for (const char *before = ""; cbor_more(r); before = ", ") {
                inspect_put(out, "%s", before);
                put_item(out, r);
                if (!is_map)
                        continue;
                inspect_put(out, ": ");
                put_item(out, r);
        }
        cbor_leave(r);
}

/* One item; calls itself at most CBOR_DEPTH_MAX deep. */
static void put_item(struct inspect_text *out, struct cbor_reader *r)
{
        switch (cbor_peek(r)) {
        case CBOR_UINT:
                inspect_put(out, "%" PRIu64, cbor_read_uint(r, UINT64_MAX));
                break;
        case CBOR_NINT:
                put_nint(out, cbor_read_nint(r));
                break;
        case CBOR_BYTES:
                inspect_put(out, "h'");
                inspect_put_hex(out, cbor_read_bytes(r, 0, SIZE_MAX));
                inspect_put(out, "'");
                break;
        case CBOR_TEXT:
                inspect_put_text(out, cbor_read_text(r, SIZE_MAX));
                break;
        case CBOR_ARRAY:
                cbor_enter_array(r);
                inspect_put(out, "[");
                put_items(out, r, false);
                inspect_put(out, "]");
                break;
        case CBOR_MAP:
                cbor_enter_map(r);
                inspect_put(out, "{");
                put_items(out, r, true);
                inspect_put(out, "}");
                break;
        case CBOR_TAG:
                inspect_put(out, "%" PRIu64 "(", cbor_read_tag(r));
                put_item(out, r);
                inspect_put(out, ")");
                break;
        case CBOR_FLOAT:
                put_float(out, cbor_read_float(r));
                break;
        case CBOR_NOTHING:
                cbor_skip(r); /* says what is wrong */
                break;
        default:
                put_simple(out, cbor_read_simple(r));
        }
}

int inspect_diagnostic(struct cbor_span in, struct inspect_text *out, const char **why)
{
        struct cbor_reader r;
        int error;

        cbor_reader_init(&r, in);
        r.order = CBOR_ANY_ORDER;
        put_item(out, &r);
        error = cbor_end(&r);
        if (error < 0 && why != NULL)
                *why = r.broken;
        return error;
}
