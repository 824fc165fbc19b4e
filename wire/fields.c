#include "wire/fields.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/utf8.h"
#include "wire/record.h"

static const struct field point[] = {
        F_INT(struct track_point, lat_e7, -900000000, 900000000),
        F_INT(struct track_point, lon_e7, -1800000000, 1800000000),
        F_U16(struct track_point, accuracy_m),
        F_U32(struct track_point, at_s),
};
const struct fields fields_point = FIELDS(point);

/* ---- members of any size */

static int64_t load(const void *at, size_t size)
{
        switch (size) {
        case 1:
                return *(const uint8_t *)at;
        case 2:
                return *(const uint16_t *)at;
        case 4:
                return *(const uint32_t *)at;
        default:
                assert(size == 8);
                return *(const int64_t *)at;
        }
}

static void store(void *at, size_t size, int64_t value)
{
        switch (size) {
        case 1:
                *(uint8_t *)at = (uint8_t)value;
                break;
        case 2:
                *(uint16_t *)at = (uint16_t)value;
                break;
        case 4:
                *(uint32_t *)at = (uint32_t)value;
                break;
        default:
                assert(size == 8);
                *(int64_t *)at = value;
        }
}

static int64_t number_of(const struct field *field, const uint8_t *at)
{
        return field->type == FIELD_INT ? *(const int32_t *)(const void *)at : load(at, field->size);
}

static bool in_range(const struct field *field, int64_t value)
{
        return (value >= field->min && value <= field->max) || value == field->also;
}

static bool is_text(const struct field *field)
{
        return field->type == FIELD_ID || field->type == FIELD_TEXT;
}

/* Octets of the text at AT that may be in it, from its begin. */
static size_t text_good(const struct field *field, const char *at)
{
        size_t len = 0, step;

        while (len < field->size - 1u && at[len] != 0) {
                step = field->type == FIELD_TEXT ? utf8_sequence(at + len, field->size - 1u - len)
                                                 : at[len] >= '!' && at[len] <= '~';
                if (step == 0)
                        break;
                len += step;
        }
        return len;
}

/* ---- writing */

static void fields_write(struct fields_writer *w, const struct fields *fields, const void *object)
{
        cbor_write_array(&w->cbor, fields->count);
        for (size_t i = 0; i < fields->count; i++)
                field_write(w, &fields->at[i], object);
}

static void text_write(struct fields_writer *w, const struct field *field, const char *at)
{
        size_t len = text_good(field, at);

        w->bad |= !w->cut && len < strnlen(at, field->size);
        cbor_write_text(&w->cbor, (struct cbor_span){ (const uint8_t *)at, len });
}

static void number_write(struct fields_writer *w, const struct field *field, const uint8_t *at)
{
        int64_t value = number_of(field, at);

        w->bad |= !in_range(field, value);
        cbor_write_int(&w->cbor, value);
}

static void span_write(struct fields_writer *w, const struct field *field, struct cbor_span span)
{
        w->bad |= span.len < (size_t)field->min || span.len > (size_t)field->max;
        if (span.len == 0)
                cbor_write_null(&w->cbor);
        else if (!w->bad)
                cbor_write_bytes(&w->cbor, span);
}

static void blob_write(struct fields_writer *w, const struct field *field, const uint8_t *at, int64_t count)
{
        w->bad |= count > field->max;
        if (count == 0)
                cbor_write_null(&w->cbor);
        else if (!w->bad)
                cbor_write_bytes(&w->cbor, (struct cbor_span){ at, (size_t)count * field->step });
}

static void list_write(struct fields_writer *w, const struct field *field, const uint8_t *at, int64_t count)
{
        w->bad |= count > field->max;
        if (w->bad)
                return;
        cbor_write_array(&w->cbor, (uint64_t)count);
        for (int64_t i = 0; i < count; i++)
                fields_write(w, field->of, at + i * field->step);
}

static void part_write(struct fields_writer *w, const struct field *field, const uint8_t *at, bool has)
{
        if (has)
                fields_write(w, field->of, at);
        else
                cbor_write_null(&w->cbor);
}

void field_write(struct fields_writer *w, const struct field *field, const void *object)
{
        const uint8_t *at = (const uint8_t *)object + field->offset;
        int64_t has = field->has_size > 0 ? load((const uint8_t *)object + field->has, field->has_size) : 0;

        switch ((enum field_type)field->type) {
        case FIELD_UINT:
        case FIELD_INT:
                number_write(w, field, at);
                break;
        case FIELD_BOOL:
                cbor_write_bool(&w->cbor, *at != 0);
                break;
        case FIELD_ID:
        case FIELD_TEXT:
                text_write(w, field, (const char *)at);
                break;
        case FIELD_OCTETS:
        case FIELD_DIGEST:
                cbor_write_bytes(&w->cbor, (struct cbor_span){ at, field->size });
                break;
        case FIELD_BLOB:
                blob_write(w, field, at, has);
                break;
        case FIELD_SPAN:
                span_write(w, field, *(const struct cbor_span *)(const void *)at);
                break;
        case FIELD_PART:
        case FIELD_LATER_PART:
                part_write(w, field, at, has != 0);
                break;
        case FIELD_LIST:
                list_write(w, field, at, has);
                break;
        case FIELD_LATER:
                number_write(w, field, at);
                break;
        }
}

static bool digest_is_zero(const struct field *field, const uint8_t *at)
{
        size_t i = 0;

        while (i < field->size && at[i] == 0)
                i++;
        return i == field->size;
}

bool field_is_zero(const struct field *field, const void *object)
{
        const uint8_t *at = (const uint8_t *)object + field->offset;

        if (field->has_size > 0)
                return load((const uint8_t *)object + field->has, field->has_size) == 0;
        if (is_text(field))
                return text_good(field, (const char *)at) == 0;
        if (field->type == FIELD_DIGEST)
                return digest_is_zero(field, at);
        return field->type <= FIELD_BOOL && number_of(field, at) == 0;
}

bool field_may_be_zero(const struct field *field)
{
        if (field->type == FIELD_UINT || field->type == FIELD_INT)
                return in_range(field, 0);
        return field->type != FIELD_OCTETS && (field->type != FIELD_SPAN || field->min == 0);
}

int fields_written(const struct fields_writer *w)
{
        if (w->bad)
                return -EINVAL;
        return w->cbor.full ? -ENOBUFS : (int)w->cbor.len;
}

int fields_write_all(const struct fields *fields, uint64_t first, const void *object, uint8_t *buf, size_t size)
{
        struct fields_writer w = { .cut = false };

        cbor_writer_init(&w.cbor, buf, size);
        cbor_write_array(&w.cbor, 1 + fields->count);
        cbor_write_uint(&w.cbor, first);
        for (size_t i = 0; i < fields->count; i++)
                field_write(&w, &fields->at[i], object);
        return fields_written(&w);
}

/* ---- reading */

static void fields_read(struct cbor_reader *r, const struct fields *fields, void *object)
{
        cbor_enter_array(r);
        for (size_t i = 0; i < fields->count; i++)
                field_read(r, &fields->at[i], object);
        cbor_leave(r);
}

static void number_read(struct cbor_reader *r, const struct field *field, uint8_t *at)
{
        int64_t value = cbor_read_int(r, INT64_MIN, INT64_MAX);

        if (!in_range(field, value))
                cbor_refuse(r, "a number out of its range");
        else
                store(at, field->size, value);
}

static void text_read(struct cbor_reader *r, const struct field *field, char *at)
{
        cbor_read_string(r, at, field->size);
        if (at[text_good(field, at)] != 0)
                cbor_refuse(r, "an id with other than visible ASCII in it");
}

static void span_read(struct cbor_reader *r, const struct field *field, struct cbor_span *at)
{
        if (field->min > 0 || !cbor_read_null(r))
                *at = cbor_read_bytes(r, field->min > 0 ? (size_t)field->min : 1, (size_t)field->max);
}

static size_t blob_read(struct cbor_reader *r, const struct field *field, uint8_t *at)
{
        struct cbor_span in;

        if (cbor_read_null(r))
                return 0;
        in = cbor_read_bytes(r, field->step, (size_t)field->max * field->step);
        if (in.len % field->step != 0)
                cbor_refuse(r, "octets that are not whole pieces");
        else if (in.len > 0)
                memcpy(at, in.at, in.len);
        return in.len / field->step;
}

static size_t list_read(struct cbor_reader *r, const struct field *field, uint8_t *at)
{
        uint64_t count = cbor_enter_array(r);

        if (count > (uint64_t)field->max) {
                cbor_refuse(r, "a list too long");
                count = 0;
        }
        for (size_t i = 0; i < count && r->broken == NULL; i++)
                fields_read(r, field->of, at + i * field->step);
        cbor_leave(r);
        return (size_t)count;
}

static bool part_read(struct cbor_reader *r, const struct field *field, uint8_t *at)
{
        if (cbor_read_null(r))
                return false;
        fields_read(r, field->of, at);
        return true;
}

static int64_t later_read(struct cbor_reader *r, const struct field *field)
{
        uint64_t value = cbor_more(r) ? cbor_read_uint(r, UINT64_MAX) : 0;

        return value <= (uint64_t)field->max ? (int64_t)value : 0;
}

void field_read(struct cbor_reader *r, const struct field *field, void *object)
{
        uint8_t *at = (uint8_t *)object + field->offset;
        uint8_t *has = (uint8_t *)object + field->has;

        switch ((enum field_type)field->type) {
        case FIELD_UINT:
        case FIELD_INT:
                number_read(r, field, at);
                break;
        case FIELD_BOOL:
                store(at, field->size, cbor_read_bool(r));
                break;
        case FIELD_ID:
        case FIELD_TEXT:
                text_read(r, field, (char *)at);
                break;
        case FIELD_OCTETS:
        case FIELD_DIGEST:
                cbor_read_octets(r, at, field->size);
                break;
        case FIELD_BLOB:
                store(has, field->has_size, (int64_t)blob_read(r, field, at));
                break;
        case FIELD_SPAN:
                span_read(r, field, (struct cbor_span *)(void *)at);
                break;
        case FIELD_PART:
                store(has, field->has_size, part_read(r, field, at));
                break;
        case FIELD_LATER_PART:
                store(has, field->has_size, cbor_more(r) && part_read(r, field, at));
                break;
        case FIELD_LIST:
                store(has, field->has_size, (int64_t)list_read(r, field, at));
                break;
        case FIELD_LATER:
                store(at, field->size, later_read(r, field));
                break;
        }
}

int fields_read_rest(struct cbor_reader *r, const struct fields *fields, void *object)
{
        for (size_t i = 0; i < fields->count; i++)
                field_read(r, &fields->at[i], object);
        cbor_leave(r);
        return cbor_end(r);
}

int fields_format(struct cbor_reader *r, uint64_t ours)
{
        uint64_t format = cbor_read_uint(r, UINT64_MAX);

        if (r->broken != NULL || format == 0 || format < ours - 1)
                return -EBADMSG;
        return format <= ours ? 0 : -EPROTONOSUPPORT;
}

int fields_encode(const struct fields_kind *kind, const void *object, uint8_t *buf, size_t size)
{
        return fields_write_all(&kind->fields, kind->format, object, buf, size);
}

int fields_decode(const struct fields_kind *kind, struct cbor_span in, void *ret_object)
{
        struct cbor_reader r;
        int result;

        memset(ret_object, 0, kind->size);
        cbor_reader_init(&r, in);
        cbor_enter_array(&r);
        result = fields_format(&r, kind->format);
        if (result == -EPROTONOSUPPORT)
                return cbor_validate(in, NULL) == 0 ? result : -EBADMSG;
        if (result == 0 && in.len > kind->max)
                result = -EBADMSG;
        if (result == 0 && (result = fields_read_rest(&r, &kind->fields, ret_object)) < 0)
                memset(ret_object, 0, kind->size);
        return result;
}
