/* The writer of wire/cbor.h. */
#include <string.h>

#include "wire/cbor.h"

void cbor_writer_init(struct cbor_writer *w, uint8_t *to, size_t size)
{
        *w = (struct cbor_writer){ .to = to, .size = size };
}

void cbor_write_raw(struct cbor_writer *w, struct cbor_span bytes)
{
        if (bytes.len > w->size - w->len)
                w->full = true;
        if (w->full || bytes.len == 0)
                return;
        memcpy(w->to + w->len, bytes.at, bytes.len);
        w->len += bytes.len;
}

static void head_write(struct cbor_writer *w, unsigned major, uint64_t arg)
{
        uint8_t head[9];
        unsigned form = arg < 24 ? 0 : arg < 0x100 ? 1 : arg < 0x10000 ? 2 : arg < 0x100000000 ? 3 : 4;
        size_t more = form == 0 ? 0 : (size_t)1 << (form - 1);

        head[0] = (uint8_t)(major << 5 | (form == 0 ? arg : 23 + form));
        for (size_t i = more; i > 0; i--, arg >>= 8)
                head[i] = (uint8_t)arg;
        cbor_write_raw(w, (struct cbor_span){ head, 1 + more });
}

void cbor_write_uint(struct cbor_writer *w, uint64_t value)
{
        head_write(w, 0, value);
}

void cbor_write_int(struct cbor_writer *w, int64_t value)
{
        head_write(w, value < 0, value < 0 ? (uint64_t)(-1 - value) : (uint64_t)value);
}

void cbor_write_bytes(struct cbor_writer *w, struct cbor_span bytes)
{
        head_write(w, 2, bytes.len);
        cbor_write_raw(w, bytes);
}

void cbor_write_text(struct cbor_writer *w, struct cbor_span text)
{
        head_write(w, 3, text.len);
        cbor_write_raw(w, text);
}

void cbor_write_string(struct cbor_writer *w, const char *text)
{
        cbor_write_text(w, (struct cbor_span){ (const uint8_t *)text, strlen(text) });
}

void cbor_write_array(struct cbor_writer *w, uint64_t count)
{
        head_write(w, 4, count);
}

void cbor_write_map(struct cbor_writer *w, uint64_t count)
{
        head_write(w, 5, count);
}

void cbor_write_tag(struct cbor_writer *w, uint64_t tag)
{
        head_write(w, 6, tag);
}

void cbor_write_bool(struct cbor_writer *w, bool value)
{
        head_write(w, 7, value ? 21 : 20);
}

void cbor_write_null(struct cbor_writer *w)
{
        head_write(w, 7, 22);
}

struct cbor_span cbor_written(const struct cbor_writer *w)
{
        return w->full ? (struct cbor_span){ NULL, 0 } : (struct cbor_span){ w->to, w->len };
}
