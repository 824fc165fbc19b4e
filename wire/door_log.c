#include "wire/door_log.h"

#include <errno.h>
#include <string.h>

static void write_optional(struct cbor_writer *to, bool is_there, struct cbor_span octets)
{
        if (is_there)
                cbor_write_bytes(to, octets);
        else
                cbor_write_null(to);
}

int door_log_write_payload(const struct door_log_entry *e, struct cbor_writer *to)
{
        cbor_write_array(to, 14);
        cbor_write_uint(to, 1);
        cbor_write_uint(to, e->number);
        cbor_write_bytes(to, CBOR_OCTETS(e->previous));
        cbor_write_uint(to, e->time_s);
        cbor_write_uint(to, e->floor_s);
        cbor_write_uint(to, e->list_issued_at_s);
        cbor_write_uint(to, e->refusal);
        cbor_write_uint(to, e->class);
        cbor_write_bool(to, e->degraded);
        write_optional(to, e->has_pass, CBOR_OCTETS(e->subject));
        write_optional(to, e->has_pass, CBOR_OCTETS(e->pass));
        if (e->has_proof)
                cbor_write_uint(to, e->counter);
        else
                cbor_write_null(to);
        write_optional(to, e->has_proof, CBOR_OCTETS(e->marker));
        cbor_write_uint(to, e->unwritten);
        return to->full ? -ENOBUFS : 0;
}

/* read_optional: octets or null; says whether they are there. */
static bool read_optional(struct cbor_reader *r, uint8_t *to, size_t len)
{
        if (cbor_read_null(r))
                return false;
        cbor_read_octets(r, to, len);
        return true;
}

static void read_body(struct cbor_reader *r, struct door_log_entry *e)
{
        bool has_id, has_counter;

        e->number = cbor_read_uint(r, UINT64_MAX);
        cbor_read_octets(r, e->previous, sizeof(e->previous));
        e->time_s = (uint32_t)cbor_read_uint(r, UINT32_MAX);
        e->floor_s = (uint32_t)cbor_read_uint(r, UINT32_MAX);
        e->list_issued_at_s = (uint32_t)cbor_read_uint(r, UINT32_MAX);
        e->refusal = (uint8_t)cbor_read_uint(r, UINT8_MAX);
        e->class = (uint8_t)cbor_read_uint(r, DOOR_CLASS_END - 1);
        e->degraded = cbor_read_bool(r);
        e->has_pass = read_optional(r, e->subject, sizeof(e->subject));
        has_id = read_optional(r, e->pass, sizeof(e->pass));
        has_counter = !cbor_read_null(r);
        if (has_counter)
                e->counter = (uint32_t)cbor_read_uint(r, UINT32_MAX);
        e->has_proof = read_optional(r, e->marker, sizeof(e->marker));
        e->unwritten = (uint32_t)cbor_read_uint(r, UINT32_MAX);
        if (has_id != e->has_pass || has_counter != e->has_proof)
                cbor_refuse(r, "half a pass or half a proof");
        if (e->number == 0)
                cbor_refuse(r, "an entry number of 0");
}

int door_log_read(struct cbor_span in, struct door_log_signed *ret_entry, const char **why)
{
        struct cbor_reader r;
        int error = in.len <= DOOR_LOG_MAX ? 0 : -EMSGSIZE;

        if (error < 0 && why != NULL)
                *why = "longer than an entry";
        if (error < 0 || (error = cose_sign1_parse(in, COSE_OURS, &ret_entry->cose, why)) < 0)
                return error;
        memset(&ret_entry->entry, 0, sizeof(ret_entry->entry));
        cbor_reader_init(&r, ret_entry->cose.payload);
        cbor_enter_array(&r);
        if (cbor_read_uint(&r, UINT64_MAX) != 1)
                cbor_refuse(&r, "an entry format other than 1");
        read_body(&r, &ret_entry->entry);
        cbor_leave(&r);
        error = cbor_end(&r);
        if (error < 0 && why != NULL)
                *why = r.broken;
        return error;
}

void door_log_head(const struct scope_hash *sha, struct cbor_span entry, uint8_t ret_head[HELLO_HEAD_SIZE])
{
        uint8_t hash[32];

        sha->hash(sha->user, entry, hash);
        memcpy(ret_head, hash, HELLO_HEAD_SIZE);
}
