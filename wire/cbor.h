/* CBOR (RFC 8949) by our profile: a strict cursor for hostile bytes, and a bounded writer.  No allocation, no
 * recursion.
 *
 * What the reader refuses (PROTOCOL.md 1): integers and lengths not in their shortest form, indefinite lengths, map
 * keys out of bytewise order or twice, text that is not UTF-8, reserved heads, floats not in their shortest form or a
 * NaN other than F97E00, nesting over CBOR_DEPTH_MAX, items missing from an array or map, bytes after the item. */
#ifndef WIRE_CBOR_H
#define WIRE_CBOR_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Arrays, maps and tags inside each other; DESIGN section 4.  Our deepest object, the sealed position, needs 4.  At the
 * ninth the reader is broken: "nested deeper than 8". */
#define CBOR_DEPTH_MAX 8

/* Keys of one map in CBOR_ANY_ORDER, where finding a duplicate costs a walk over the keys before it.  A COSE header
 * has a handful.  At the 65th the reader is broken.  Maps in CBOR_STRICT have no such bound. */
#define CBOR_ANY_ORDER_KEYS_MAX 64

/* Bytes that belong to somebody else; `at` may be NULL where len is 0. */
struct cbor_span {
        const uint8_t *at;
        size_t len;
};

/* A span over a string literal or an array, its closing NUL left out in the first case. */
#define CBOR_LITERAL(s) ((struct cbor_span){ (const uint8_t *)("" s), sizeof(s) - 1 })
#define CBOR_OCTETS(a)  ((struct cbor_span){ (a), sizeof(a) })

enum cbor_kind {
        CBOR_UINT,
        CBOR_NINT,
        CBOR_BYTES,
        CBOR_TEXT,
        CBOR_ARRAY,
        CBOR_MAP,
        CBOR_TAG,
        CBOR_BOOL,
        CBOR_NULL,
        CBOR_UNDEFINED,
        CBOR_SIMPLE,
        CBOR_FLOAT,
        CBOR_NOTHING /* no item left in this array or map, or the reader is broken */
};

enum cbor_order {
        CBOR_STRICT,    /* map keys sorted: everything of ours */
        CBOR_ANY_ORDER, /* keys in any order, still none twice: `vigie inspect` on what others signed */
        CBOR_UNCHECKED  /* for cbor.c alone: keys that are checked already */
};

/* One open array, map or the whole input.  For cbor.c alone. */
struct cbor_frame {
        uint64_t left;        /* items still to begin; a map counts keys and values */
        const uint8_t *begin; /* first byte after the head */
        const uint8_t *item;  /* first byte of the item being read */
        struct cbor_span key; /* the last key of a map */
        uint8_t tags;         /* tags in front of the item being read */
        bool is_map, in_item;
};

/* The cursor.  Set up by cbor_reader_init(); the caller reads `broken` only.  Copying one is how to look ahead. */
struct cbor_reader {
        const uint8_t *at, *end;
        const char *broken; /* NULL, or the first rule broken, a static English phrase */
        enum cbor_order order;
        uint8_t frame, depth;
        struct cbor_frame frames[CBOR_DEPTH_MAX + 1];
};

/* cbor_reader_init: put the cursor before the one item that IN is to hold, CBOR_STRICT.  IN must outlive the reader and
 * every span read from it.  Never fails: what is wrong shows at the first read. */
void cbor_reader_init(struct cbor_reader *r, struct cbor_span in);

/* cbor_refuse: break the reader by a rule of the caller's own (WHY: static text).  The first rule broken stays. */
void cbor_refuse(struct cbor_reader *r, const char *why);

/* cbor_peek: the kind of the next item; CBOR_NOTHING at the end of this array or map, of the input, or when broken. */
enum cbor_kind cbor_peek(const struct cbor_reader *r);

/* cbor_read_*: read one item of that kind.  An item of another kind or out of the range said breaks the reader; from
 * then on every read gives 0, false or an empty span and does nothing, so that a caller reads all its fields and asks
 * once, with cbor_end().  Spans point into the input. */

/* cbor_read_uint: an unsigned integer from 0 to MAX. */
uint64_t cbor_read_uint(struct cbor_reader *r, uint64_t max);

/* cbor_read_int: an integer, either sign, from MIN to MAX. */
int64_t cbor_read_int(struct cbor_reader *r, int64_t min, int64_t max);

/* cbor_read_nint: the raw argument N of a negative integer -1 - N, over the whole range (for printing). */
uint64_t cbor_read_nint(struct cbor_reader *r);

/* cbor_read_bytes: a byte string of MIN to MAX octets. */
struct cbor_span cbor_read_bytes(struct cbor_reader *r, size_t min, size_t max);

/* cbor_read_octets: a byte string of exactly LEN octets, copied to TO (zeroed when broken). */
void cbor_read_octets(struct cbor_reader *r, uint8_t *to, size_t len);

/* cbor_read_text: a text string of at most MAX octets, checked UTF-8; it may hold U+0000. */
struct cbor_span cbor_read_text(struct cbor_reader *r, size_t max);

/* cbor_read_string: text of at most SIZE - 1 octets, copied to TO with a closing NUL; U+0000 inside breaks the reader.
 * TO is "" when broken. */
void cbor_read_string(struct cbor_reader *r, char *to, size_t size);

/* cbor_read_bool: true or false. */
bool cbor_read_bool(struct cbor_reader *r);

/* cbor_read_null: if the next item is null, step over it and say true; else leave it and say false. */
bool cbor_read_null(struct cbor_reader *r);

/* cbor_read_tag: the number of a tag; the next read reads what it tags. */
uint64_t cbor_read_tag(struct cbor_reader *r);

/* cbor_read_simple: the number of a simple value, 0..255 (20 false, 21 true, 22 null, 23 undefined). */
uint8_t cbor_read_simple(struct cbor_reader *r);

/* cbor_read_float: a half, single or double.  No object of ours holds one; for printing. */
double cbor_read_float(struct cbor_reader *r);

/* cbor_enter_array: go into an array; gives its number of items, which the reads then take one by one.  More reads than
 * that break the reader.  0 when empty or broken; after either, cbor_leave() is right. */
uint64_t cbor_enter_array(struct cbor_reader *r);

/* cbor_enter_map: go into a map; gives its number of pairs; read key, value, key, value. */
uint64_t cbor_enter_map(struct cbor_reader *r);

/* cbor_more: say whether this array, map or input has an item left; false when broken. */
bool cbor_more(const struct cbor_reader *r);

/* cbor_leave: check and step over what is left of this array or map, a newer format's fields, and go on behind it. */
void cbor_leave(struct cbor_reader *r);

/* cbor_skip: check and step over one whole item of any kind; gives its bytes. */
struct cbor_span cbor_skip(struct cbor_reader *r);

/* cbor_end: say whether all went well: nothing broken, no array or map left open, no byte left.
 * Returns 0, -EBADMSG (r->broken says the rule; set here for what is left over). */
int cbor_end(struct cbor_reader *r);

/* cbor_validate: check that IN is exactly one item by our profile.
 * WHY may be NULL; on failure it gets the rule broken, static text.  Returns 0, -EBADMSG. */
int cbor_validate(struct cbor_span in, const char **why);

/* cbor_equal: say whether two spans hold the same octets. */
bool cbor_equal(struct cbor_span a, struct cbor_span b);

/* The writer: bytes go to a buffer of the caller's; what does not fit is not written and `full` stays set. */
struct cbor_writer {
        uint8_t *to;
        size_t size, len;
        bool full;
};

/* cbor_writer_init: write to TO, at most SIZE octets.  TO must outlive the writer. */
void cbor_writer_init(struct cbor_writer *w, uint8_t *to, size_t size);

/* cbor_write_*: append one item in its shortest form.  The caller sees to the order of map keys, and to text being
 * UTF-8. */

/* cbor_write_uint: an unsigned integer. */
void cbor_write_uint(struct cbor_writer *w, uint64_t value);
/* cbor_write_int: an integer of either sign. */
void cbor_write_int(struct cbor_writer *w, int64_t value);
/* cbor_write_bytes: a byte string. */
void cbor_write_bytes(struct cbor_writer *w, struct cbor_span bytes);
/* cbor_write_text: a text string. */
void cbor_write_text(struct cbor_writer *w, struct cbor_span text);
/* cbor_write_string: a text string from a C string. */
void cbor_write_string(struct cbor_writer *w, const char *text);
/* cbor_write_bool: true or false. */
void cbor_write_bool(struct cbor_writer *w, bool value);
/* cbor_write_null: null. */
void cbor_write_null(struct cbor_writer *w);
/* cbor_write_array: the head of an array; COUNT items are to follow. */
void cbor_write_array(struct cbor_writer *w, uint64_t count);
/* cbor_write_map: the head of a map; COUNT pairs are to follow. */
void cbor_write_map(struct cbor_writer *w, uint64_t count);
/* cbor_write_tag: a tag; the item it tags is to follow. */
void cbor_write_tag(struct cbor_writer *w, uint64_t tag);
/* cbor_write_raw: bytes that are CBOR already. */
void cbor_write_raw(struct cbor_writer *w, struct cbor_span bytes);

/* cbor_written: what the writer holds; empty when it is full.  Points into the caller's buffer. */
struct cbor_span cbor_written(const struct cbor_writer *w);
#endif
