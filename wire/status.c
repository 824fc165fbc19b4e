#include "wire/status.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "wire/signing.h"

static size_t octets_of(uint32_t count)
{
        return (count + 7) / 8;
}

/* pack: [1, region, issued, expires, count, bits] into W; PACKED is room for zlib. */
static int payload_write(const struct status_list *list, const uint8_t *bits, uint8_t *packed, uLongf packed_len,
                         struct cbor_writer *w)
{
        int r = compress2(packed, &packed_len, bits, octets_of(list->count), Z_BEST_COMPRESSION);

        if (r != Z_OK)
                return r == Z_MEM_ERROR ? -ENOMEM : -EIO;
        cbor_write_array(w, 6);
        cbor_write_uint(w, 1);
        cbor_write_string(w, list->region);
        cbor_write_uint(w, list->issued_at_s);
        cbor_write_uint(w, list->expires_s);
        cbor_write_uint(w, list->count);
        cbor_write_bytes(w, (struct cbor_span){ packed, packed_len });
        return w->full ? -ENOBUFS : 0;
}

int status_sign(const struct status_list *list, const uint8_t *bits, const uint8_t kid[KEY_KID_SIZE],
                const struct key *key, struct cbor_writer *to)
{
        uLong room = compressBound(STATUS_OCTETS_MAX);
        uint8_t *packed, *payload;
        struct cose_parts parts = { .alg = key_alg(key), .kid = kid, .aad = CBOR_LITERAL(STATUS_AAD) };
        struct cbor_writer w;
        int r;

        if (list->count > STATUS_COUNT_MAX)
                return -E2BIG;
        if (list->issued_at_s > list->expires_s)
                return -EINVAL;
        packed = malloc(room);
        payload = malloc(STATUS_MAX);
        r = packed != NULL && payload != NULL ? 0 : -ENOMEM;
        if (r == 0) {
                cbor_writer_init(&w, payload, STATUS_MAX);
                r = payload_write(list, bits, packed, room, &w);
                parts.payload = cbor_written(&w);
        }
        if (r == 0)
                r = cose_sign1_sign(&parts, key, to);
        free(payload);
        free(packed);
        return r;
}

int status_read(struct cbor_span in, struct status_signed *ret_list, const char **why)
{
        struct status_list *list = &ret_list->list;
        struct cbor_reader r;
        int error = cose_sign1_parse(in, COSE_OURS, &ret_list->cose, why);

        if (error < 0)
                return error;
        memset(list, 0, sizeof(*list));
        cbor_reader_init(&r, ret_list->cose.payload);
        cbor_enter_array(&r);
        if (cbor_read_uint(&r, UINT64_MAX) != 1)
                cbor_refuse(&r, "a status list format other than 1");
        cbor_read_string(&r, list->region, sizeof(list->region));
        list->issued_at_s = (uint32_t)cbor_read_uint(&r, UINT32_MAX);
        list->expires_s = (uint32_t)cbor_read_uint(&r, UINT32_MAX);
        list->count = (uint32_t)cbor_read_uint(&r, STATUS_COUNT_MAX);
        list->packed = cbor_read_bytes(&r, 1, STATUS_MAX);
        if (list->issued_at_s > list->expires_s)
                cbor_refuse(&r, "a list that ends before it is issued");
        cbor_leave(&r);
        error = cbor_end(&r);
        if (error < 0 && why != NULL)
                *why = r.broken;
        return error;
}

int status_verify(const struct status_signed *list, const struct trust *trust, uint32_t now_s)
{
        int r = cose_sign1_verify_trusted(&list->cose, trust, TRUST_STATUS, now_s, CBOR_LITERAL(STATUS_AAD));

        return r == 0 && strcmp(list->list.region, trust->region) != 0 ? -EXDEV : r;
}

bool status_supersedes(const struct status_list *list, uint32_t held_s)
{
        return list->issued_at_s > held_s;
}

/* zlib's memory: pieces of the caller's room, never given back. */
struct room {
        uint8_t *at;
        size_t left;
};

static voidpf room_take(voidpf user, uInt items, uInt size)
{
        struct room *room = user;
        size_t octets = ((size_t)items * size + 15) & ~(size_t)15;
        uint8_t *piece = room->at;

        if (octets > room->left)
                return Z_NULL;
        room->at += octets;
        room->left -= octets;
        return piece;
}

static void room_give(voidpf user, voidpf piece)
{
}

int status_unpack(const struct status_list *list, uint8_t room[STATUS_ROOM], uint8_t bits[STATUS_OCTETS_MAX],
                  struct status_bits *ret_bits)
{
        size_t skip = -(uintptr_t)room & 15;
        struct room left = { room + skip, STATUS_ROOM - skip };
        z_stream z = { .zalloc = room_take, .zfree = room_give, .opaque = &left };
        size_t octets = octets_of(list->count);
        bool good;

        z.next_in = (z_const Bytef *)list->packed.at;
        z.avail_in = (uInt)list->packed.len;
        z.next_out = bits;
        z.avail_out = (uInt)octets;
        if (inflateInit(&z) != Z_OK)
                return -EBADMSG;
        good = inflate(&z, Z_FINISH) == Z_STREAM_END && z.avail_out == 0 && z.avail_in == 0;
        inflateEnd(&z);
        if (!good)
                return -EBADMSG;
        *ret_bits = (struct status_bits){ list->issued_at_s, list->expires_s, list->count, bits };
        return 0;
}
