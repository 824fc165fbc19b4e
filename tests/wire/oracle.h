/* The oracle of wire/cbor: libcbor, another reader by other people.  It accepts more than ours; whatever ours accepts
 * it has to accept too, with the same values.  Used by the unit test and by the fuzz target; says no by returning
 * false. */
#ifndef TESTS_WIRE_ORACLE_H
#define TESTS_WIRE_ORACLE_H
#include <cbor.h>
#include <math.h>
#include <string.h>

#include "wire/cbor.h"

static inline bool oracle_same(struct cbor_reader *r, const cbor_item_t *item);

static inline bool oracle_same_string(struct cbor_span ours, const uint8_t *theirs, size_t len)
{
        return ours.len == len && (len == 0 || memcmp(ours.at, theirs, len) == 0);
}

static inline bool oracle_same_array(struct cbor_reader *r, const cbor_item_t *item)
{
        const uint64_t count = cbor_enter_array(r);
        bool same = cbor_isa_array(item) && cbor_array_size(item) == count;

        for (uint64_t i = 0; same && i < count; i++)
                same = oracle_same(r, cbor_array_handle(item)[i]);
        cbor_leave(r);
        return same;
}

static inline bool oracle_same_map(struct cbor_reader *r, const cbor_item_t *item)
{
        const uint64_t count = cbor_enter_map(r);
        bool same = cbor_isa_map(item) && cbor_map_size(item) == count;

        for (uint64_t i = 0; same && i < count; i++)
                same = oracle_same(r, cbor_map_handle(item)[i].key) && oracle_same(r, cbor_map_handle(item)[i].value);
        cbor_leave(r);
        return same;
}

static inline bool oracle_same_float(double ours, const cbor_item_t *item)
{
        return cbor_isa_float_ctrl(item) && !cbor_float_ctrl_is_ctrl(item) &&
               (ours == cbor_float_get_float(item) || (isnan(ours) && isnan(cbor_float_get_float(item))));
}

/* Compare the reader's next item with libcbor's. */
static inline bool oracle_same(struct cbor_reader *r, const cbor_item_t *item)
{
        struct cbor_span span;

        switch (cbor_peek(r)) {
        case CBOR_UINT:
                return cbor_isa_uint(item) && cbor_read_uint(r, UINT64_MAX) == cbor_get_int(item);
        case CBOR_NINT:
                return cbor_isa_negint(item) && cbor_read_nint(r) == cbor_get_int(item);
        case CBOR_BYTES:
                span = cbor_read_bytes(r, 0, SIZE_MAX);
                return cbor_isa_bytestring(item) &&
                       oracle_same_string(span, cbor_bytestring_handle(item), cbor_bytestring_length(item));
        case CBOR_TEXT:
                span = cbor_read_text(r, SIZE_MAX);
                return cbor_isa_string(item) &&
                       oracle_same_string(span, cbor_string_handle(item), cbor_string_length(item));
        case CBOR_ARRAY:
                return oracle_same_array(r, item);
        case CBOR_MAP:
                return oracle_same_map(r, item);
        case CBOR_TAG:
                return cbor_isa_tag(item) && cbor_read_tag(r) == cbor_tag_value(item) &&
                       oracle_same(r, cbor_move(cbor_tag_item(item)));
        case CBOR_FLOAT:
                return oracle_same_float(cbor_read_float(r), item);
        case CBOR_NOTHING:
                return false;
        default:
                return cbor_isa_float_ctrl(item) && cbor_float_ctrl_is_ctrl(item) &&
                       cbor_read_simple(r) == cbor_ctrl_value(item);
        }
}

/* Whether the next item holds what libcbor 0.8 refuses though it is well-formed: a simple value that is not assigned,
 * or a tag from 6 to 20. */
static inline bool oracle_is_deaf(struct cbor_reader *r)
{
        const enum cbor_kind kind = cbor_peek(r);
        bool deaf = kind == CBOR_SIMPLE;
        uint64_t tag;

        if (kind == CBOR_TAG) {
                tag = cbor_read_tag(r);
                return oracle_is_deaf(r) || (tag >= 6 && tag <= 20);
        }
        if (kind != CBOR_ARRAY && kind != CBOR_MAP) {
                cbor_skip(r);
                return deaf;
        }
        if (kind == CBOR_ARRAY)
                cbor_enter_array(r);
        else
                cbor_enter_map(r);
        while (cbor_more(r))
                deaf |= oracle_is_deaf(r);
        cbor_leave(r);
        return deaf;
}

/* Whether libcbor agrees about IN under ORDER; true as well when ours refuses it, with *ret_accepted false. */
static inline bool oracle_agrees(struct cbor_span in, enum cbor_order order, bool *ret_accepted)
{
        struct cbor_load_result result;
        struct cbor_reader r;
        cbor_item_t *item;
        bool same;

        cbor_reader_init(&r, in);
        r.order = order;
        cbor_skip(&r);
        *ret_accepted = cbor_end(&r) == 0;
        if (!*ret_accepted)
                return true;
        item = cbor_load(in.at, in.len, &result);
        cbor_reader_init(&r, in);
        r.order = order;
        if (item == NULL)
                return oracle_is_deaf(&r);
        same = result.read == in.len && oracle_same(&r, item) && cbor_end(&r) == 0;
        cbor_decref(&item);
        return same;
}
#endif
