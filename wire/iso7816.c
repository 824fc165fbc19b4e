#include "wire/iso7816.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define HEAD 4 /* CLA INS P1 P2 */

int iso7816_command_read(struct cbor_span in, struct iso7816_command *ret_command)
{
        struct iso7816_command *c = ret_command;
        size_t data = in.len > HEAD + 1 ? in.at[HEAD] : 0;
        bool has_le = in.len == HEAD + 1 || in.len == HEAD + 1 + data + 1;
        uint8_t le = has_le ? in.at[in.len - 1] : 0;

        if (in.len < HEAD || (in.len > HEAD + 1 && data == 0) ||
            (in.len > HEAD + 1 && !has_le && in.len != HEAD + 1 + data))
                return -EBADMSG;
        *c = (struct iso7816_command){ .cla = in.at[0], .ins = in.at[1], .p1 = in.at[2], .p2 = in.at[3] };
        c->data = (struct cbor_span){ data > 0 ? in.at + HEAD + 1 : NULL, data };
        c->expected = le == 0 ? ISO7816_PIECE_MAX : le;
        return 0;
}

size_t iso7816_command_write(const struct iso7816_command *c, uint8_t to[ISO7816_COMMAND_MAX])
{
        size_t len = HEAD;

        assert(c->data.len <= ISO7816_DATA_MAX);
        to[0] = c->cla;
        to[1] = c->ins;
        to[2] = c->p1;
        to[3] = c->p2;
        if (c->data.len > 0) {
                to[len++] = (uint8_t)c->data.len;
                memcpy(to + len, c->data.at, c->data.len);
                len += c->data.len;
        }
        to[len++] = 0;
        return len;
}

/* Both payloads are [1, number, number]. */
static size_t pair_write(uint32_t a, uint32_t b, uint8_t *to, size_t size)
{
        struct cbor_writer w;

        cbor_writer_init(&w, to, size);
        cbor_write_array(&w, 3);
        cbor_write_uint(&w, 1);
        cbor_write_uint(&w, a);
        cbor_write_uint(&w, b);
        return cbor_written(&w).len;
}

static int pair_read(struct cbor_span in, uint32_t *ret_a, uint32_t *ret_b)
{
        struct cbor_reader r;
        uint32_t a, b;

        cbor_reader_init(&r, in);
        cbor_enter_array(&r);
        if (cbor_read_uint(&r, UINT32_MAX) != 1)
                cbor_refuse(&r, "a format other than 1");
        a = (uint32_t)cbor_read_uint(&r, UINT32_MAX);
        b = (uint32_t)cbor_read_uint(&r, UINT32_MAX);
        cbor_leave(&r);
        if (cbor_end(&r) < 0)
                return -EBADMSG;
        *ret_a = a;
        *ret_b = b;
        return 0;
}

size_t iso7816_offer_write(uint32_t issued_at_s, uint32_t octets, uint8_t to[ISO7816_OFFER_MAX])
{
        return pair_write(issued_at_s, octets, to, ISO7816_OFFER_MAX);
}

int iso7816_offer_read(struct cbor_span in, uint32_t *ret_issued_at_s, uint32_t *ret_octets)
{
        return pair_read(in, ret_issued_at_s, ret_octets);
}

size_t iso7816_verdict_write(unsigned refusal, uint32_t time_s, uint8_t to[ISO7816_VERDICT_MAX])
{
        return pair_write(refusal, time_s, to, ISO7816_VERDICT_MAX);
}

int iso7816_verdict_read(struct cbor_span in, unsigned *ret_refusal, uint32_t *ret_time_s)
{
        uint32_t refusal = 0;
        int r = pair_read(in, &refusal, ret_time_s);

        if (r == 0)
                *ret_refusal = refusal;
        return r;
}
