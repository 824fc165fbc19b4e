#include "dispatcher/fact.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct fact *fact_new(enum fact_type type, struct cbor_span bytes)
{
        struct fact *fact = calloc(1, sizeof(*fact) + bytes.len);

        assert(fact != NULL && bytes.len <= FACT_BYTES_MAX);
        fact->type = type;
        fact->size = bytes.len;
        if (bytes.len > 0)
                memcpy(fact->bytes, bytes.at, bytes.len);
        return fact;
}

static void write_octets(struct cbor_writer *w, const uint8_t *octets, size_t size)
{
        cbor_write_bytes(w, (struct cbor_span){ octets, size });
}

size_t fact_encode(const struct fact *fact, uint8_t buf[FACT_MAX])
{
        struct cbor_writer w;

        cbor_writer_init(&w, buf, FACT_MAX);
        cbor_write_array(&w, fact->type == FACT_ALERT || fact->refused ? 9 : fact->path != 0 ? 8 : 7);
        cbor_write_uint(&w, FACT_FORMAT);
        cbor_write_uint(&w, fact->type);
        write_octets(&w, fact->event_id, EVENT_ID_SIZE);
        cbor_write_int(&w, fact->at_ms);
        write_octets(&w, fact->id, ALERT_ID_SIZE);
        if (fact->type == FACT_ALERT) {
                cbor_write_uint(&w, fact->path);
                cbor_write_uint(&w, fact->why);
        }
        if (fact->type == FACT_ALERT || fact->by_handset)
                write_octets(&w, fact->handset, HANDSET_ID_SIZE);
        else
                cbor_write_null(&w);
        write_octets(&w, fact->bytes, fact->size);
        if (fact->type == FACT_COMMAND && (fact->path != 0 || fact->refused))
                cbor_write_uint(&w, fact->path);
        if (fact->type == FACT_COMMAND && fact->refused)
                cbor_write_uint(&w, 1);
        assert(!w.full);
        return w.len;
}

size_t fact_encode_gone(const uint8_t (*ids)[ALERT_ID_SIZE], size_t count, uint8_t buf[FACT_MAX])
{
        struct cbor_writer w;

        cbor_writer_init(&w, buf, FACT_MAX);
        cbor_write_array(&w, 2 + count);
        cbor_write_uint(&w, FACT_FORMAT);
        cbor_write_uint(&w, FACT_GONE);
        for (size_t i = 0; i < count; i++)
                write_octets(&w, ids[i], ALERT_ID_SIZE);
        assert(!w.full);
        return w.len;
}

static void read_gone(struct cbor_reader *r, struct fact_read *read)
{
        while (cbor_more(r) && read->gone_count < sizeof(read->gone) / sizeof(read->gone[0]))
                cbor_read_octets(r, read->gone[read->gone_count++], ALERT_ID_SIZE);
        if (read->gone_count == 0)
                cbor_refuse(r, "no id");
}

static void read_fact(struct cbor_reader *r, enum fact_type type, struct fact_read *read)
{
        struct fact head = { .type = type, .state = FACT_READY, .replayed = true };
        struct cbor_span bytes;
        struct command command;

        cbor_read_octets(r, head.event_id, EVENT_ID_SIZE);
        head.at_ms = cbor_read_int(r, 0, INT64_MAX);
        cbor_read_octets(r, head.id, ALERT_ID_SIZE);
        if (type == FACT_ALERT) {
                head.path = (uint8_t)cbor_read_uint(r, UINT8_MAX);
                head.why = (uint8_t)cbor_read_uint(r, UINT8_MAX);
        }
        head.by_handset = type == FACT_COMMAND && !cbor_read_null(r);
        if (type == FACT_ALERT || head.by_handset)
                cbor_read_octets(r, head.handset, HANDSET_ID_SIZE);
        bytes = cbor_read_bytes(r, 0, FACT_BYTES_MAX);
        if (type == FACT_COMMAND && cbor_more(r))
                head.path = (uint8_t)cbor_read_uint(r, UINT8_MAX);
        head.refused = type == FACT_COMMAND && cbor_more(r) && cbor_read_uint(r, UINT8_MAX) != 0;
        if (type == FACT_COMMAND && command_decode(bytes.at, bytes.len, &command) == 0)
                head.verb = command.verb;
        else if (type == FACT_COMMAND)
                cbor_refuse(r, "not a command");
        if (r->broken != NULL)
                return;
        read->fact = fact_new(type, bytes);
        head.size = bytes.len;
        memcpy(read->fact, &head, offsetof(struct fact, bytes));
}

int fact_decode(struct cbor_span in, struct fact_read *ret_read)
{
        struct cbor_reader r;
        uint64_t format;

        *ret_read = (struct fact_read){ 0 };
        cbor_reader_init(&r, in);
        cbor_enter_array(&r);
        format = cbor_read_uint(&r, UINT64_MAX);
        ret_read->type = (enum fact_type)cbor_read_uint(&r, INT32_MAX);
        if (r.broken == NULL && (format > FACT_FORMAT || ret_read->type > FACT_GONE))
                return -EPROTONOSUPPORT;
        if (format != FACT_FORMAT || ret_read->type < FACT_ALERT)
                return -EBADMSG;
        if (ret_read->type == FACT_GONE)
                read_gone(&r, ret_read);
        else
                read_fact(&r, ret_read->type, ret_read);
        cbor_leave(&r);
        if (cbor_end(&r) == 0)
                return 0;
        free(ret_read->fact);
        ret_read->fact = NULL;
        return -EBADMSG;
}

int fact_peek_id(struct cbor_span in, uint8_t ret_id[ALERT_ID_SIZE])
{
        struct cbor_reader r;

        cbor_reader_init(&r, in);
        cbor_enter_array(&r);
        cbor_read_uint(&r, FACT_FORMAT);
        if (cbor_read_uint(&r, FACT_GONE) != FACT_GONE) {
                cbor_skip(&r);
                cbor_skip(&r);
        }
        cbor_read_octets(&r, ret_id, ALERT_ID_SIZE);
        return r.broken == NULL ? 0 : -EBADMSG;
}
