/* fields: objects as tables, one line a field, from which writing, reading and every bound follow, so that the two
 * cannot part.  For the codecs of wire/ (record, people, command, feed, frame) alone.  Pure. */
#ifndef WIRE_FIELDS_H
#define WIRE_FIELDS_H

#include "wire/cbor.h"

enum field_type {
        FIELD_UINT, /* unsigned or int64_t member of 1, 2, 4 or 8 octets, min..max, or `also` */
        FIELD_INT,  /* int32_t member, min..max, or `also` */
        FIELD_BOOL,
        FIELD_ID,     /* char array: visible ASCII, '!' to '~', and a NUL */
        FIELD_TEXT,   /* char array: UTF-8 and a NUL */
        FIELD_OCTETS, /* uint8_t array, always all of it */
        FIELD_DIGEST, /* the same; all zero is none, which a map leaves out */
        FIELD_BLOB,   /* uint8_t array of which `has` counts pieces of `step` octets; null when it is 0 */
        FIELD_SPAN,   /* struct cbor_span of min..max octets; null when empty, if min is 0 */
        FIELD_PART,   /* struct with the fields `of`, an array; null when the bool at `has` is false */
        FIELD_LIST,   /* array of such structs of `step` octets, of which `has` counts; an array of arrays */
        FIELD_LATER,  /* unsigned member, 0..max, that a version added at the end: missing, or more than max: 0 */
        FIELD_LATER_PART /* a PART that a version added at the end: missing: none */
};

struct field {
        uint8_t type;
        uint8_t has_size;      /* octets of the count or bool at `has` */
        uint16_t offset, size; /* of the member in its struct; of a PART and LIST, where the first struct is */
        uint16_t has, step;
        int64_t min, max, also; /* of BLOB and LIST, max is the largest count */
        const struct fields *of;
};

/* The fields of one object, in the order in which they travel. */
struct fields {
        const struct field *at;
        size_t count;
};

/* clang-format off */
#define FIELDS(table) { (table), sizeof(table) / sizeof((table)[0]) }

/* One line of a table.  S is the struct, M its member, H the bool or count beside it. */
#define FIELD_SIZE(s, m)        sizeof(((s *)0)->m)
#define FIELD_MEMBER(s, m)      .offset = offsetof(s, m), .size = FIELD_SIZE(s, m)
#define FIELD_HAS(s, h)         .has = offsetof(s, h), .has_size = FIELD_SIZE(s, h)
#define F_ALSO(s, m, lo, hi, a) { .type = FIELD_UINT, FIELD_MEMBER(s, m), .min = (lo), .max = (hi), .also = (a) }
#define F_UINT(s, m, lo, hi)    F_ALSO(s, m, lo, hi, lo)
#define F_INT(s, m, lo, hi)     { .type = FIELD_INT, FIELD_MEMBER(s, m), .min = (lo), .max = (hi), .also = (lo) }
#define F_LATER(s, m, hi)       { .type = FIELD_LATER, FIELD_MEMBER(s, m), .max = (hi) }
#define F_BOOL(s, m)            { .type = FIELD_BOOL, FIELD_MEMBER(s, m) }
#define F_ID(s, m)              { .type = FIELD_ID, FIELD_MEMBER(s, m) }
#define F_TEXT(s, m)            { .type = FIELD_TEXT, FIELD_MEMBER(s, m) }
#define F_OCTETS(s, m)          { .type = FIELD_OCTETS, FIELD_MEMBER(s, m) }
#define F_DIGEST(s, m)          { .type = FIELD_DIGEST, FIELD_MEMBER(s, m) }
#define F_BLOB(s, m, h, one, n) { .type = FIELD_BLOB, FIELD_MEMBER(s, m), FIELD_HAS(s, h), .step = (one), .max = (n) }
#define F_SPAN(s, m, lo, hi)    { .type = FIELD_SPAN, FIELD_MEMBER(s, m), .min = (lo), .max = (hi) }
#define F_PART(s, m, h, part)   { .type = FIELD_PART, FIELD_MEMBER(s, m), FIELD_HAS(s, h), .of = (part) }
#define F_LATER_PART(s, m, h, part) { .type = FIELD_LATER_PART, FIELD_MEMBER(s, m), FIELD_HAS(s, h), .of = (part) }
#define F_LIST(s, m, h, n, one) { .type = FIELD_LIST, FIELD_MEMBER(s, m), FIELD_HAS(s, h), \
                                  .step = FIELD_SIZE(s, m[0]), .max = (n), .of = (one) }
/* clang-format on */

#define F_U8(s, m)      F_UINT(s, m, 0, UINT8_MAX)
#define F_U16(s, m)     F_UINT(s, m, 0, UINT16_MAX)
#define F_U32(s, m)     F_UINT(s, m, 0, UINT32_MAX)
#define F_MS(s, m)      F_UINT(s, m, 0, INT64_MAX)
#define F_BATTERY(s, m) F_ALSO(s, m, 0, 100, 255)

/* A position `[lat, lon, accuracy m, fix s]`: a struct track_point. */
extern const struct fields fields_point;

/* Where fields are written to, and what came of it. */
struct fields_writer {
        struct cbor_writer cbor;
        bool cut; /* a text is cut where it is bad; else it is bad */
        bool bad; /* a value was out of its range: what is written is nothing */
};

/* field_write: append one field of OBJECT. */
void field_write(struct fields_writer *w, const struct field *field, const void *object);

/* field_read: read one field into OBJECT, which was all zero; what is out of its range breaks the reader. */
void field_read(struct cbor_reader *r, const struct field *field, void *object);

/* field_is_zero: say whether a field would be written as 0, "", an empty list or null: what a map leaves out.
 * Octets and spans never are; a digest is where all of it is 0. */
bool field_is_zero(const struct field *field, const void *object);

/* field_may_be_zero: say whether 0, "", an empty list or null is in the field's range. */
bool field_may_be_zero(const struct field *field);

/* fields_written: what W holds.  Returns its length, -EINVAL (bad), -ENOBUFS. */
int fields_written(const struct fields_writer *w);

/* fields_write_all: write the array `[first, fields of OBJECT ...]` into BUF of SIZE octets.
 * Returns its length, -ENOBUFS, -EINVAL (a value out of its range). */
int fields_write_all(const struct fields *fields, uint64_t first, const void *object, uint8_t *buf, size_t size);

/* fields_read_rest: read the fields of OBJECT, which was all zero, from R behind the first element of their array, step
 * over what stands behind them, and end the reader.  Returns 0, -EBADMSG. */
int fields_read_rest(struct cbor_reader *r, const struct fields *fields, void *object);

/* fields_format: read a format number, the first element of everything in wire/ but a frame.  OURS and the one before
 * are readable; format 1 is the first.  Returns 0, -EBADMSG, -EPROTONOSUPPORT (a newer one). */
int fields_format(struct cbor_reader *r, uint64_t ours);

/* A kind of object that travels as `[format, fields ...]`. */
struct fields_kind {
        struct fields fields;
        size_t size;     /* of the object */
        size_t max;      /* octets encoded; more are refused */
        uint64_t format; /* ours */
};

/* fields_encode: write OBJECT into BUF of SIZE octets (the kind's max is enough).
 * Returns its length, -ENOBUFS, -EINVAL (a value out of its range). */
int fields_encode(const struct fields_kind *kind, const void *object, uint8_t *buf, size_t size);

/* fields_decode: read an object of KIND from IN; on failure *ret_object is all zero.
 * Returns 0, -EBADMSG, -EPROTONOSUPPORT (a newer format). */
int fields_decode(const struct fields_kind *kind, struct cbor_span in, void *ret_object);

#endif
