#include "wire/cbor.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/utf8.h"
#include "wire/cbor_head.h"

enum { SIMPLE_FALSE = 20, SIMPLE_TRUE, SIMPLE_NULL, SIMPLE_UNDEFINED };

/* ---- the frame around an item */

void cbor_reader_init(struct cbor_reader *r, struct cbor_span in)
{
        r->at = in.at;
        r->end = in.len > 0 ? in.at + in.len : in.at;
        r->broken = NULL;
        r->order = CBOR_STRICT;
        r->frame = r->depth = 0;
        r->frames[0] = (struct cbor_frame){ .left = 1, .begin = in.at };
}

void cbor_refuse(struct cbor_reader *r, const char *why)
{
        if (r->broken == NULL)
                r->broken = why;
}

static size_t remaining(const struct cbor_reader *r)
{
        return (size_t)(r->end - r->at);
}

/* Read the head of the next item and step over it. */
static bool item_begin(struct cbor_reader *r, struct cbor_head *head)
{
        struct cbor_frame *f = &r->frames[r->frame];

        if (r->broken != NULL)
                return false;
        if (!cbor_more(r)) {
                cbor_refuse(r, "an item is missing");
                return false;
        }
        cbor_refuse(r, cbor_head_read(r->at, r->end, head));
        if (r->broken != NULL)
                return false;
        if (!f->in_item) {
                f->in_item = true;
                f->item = r->at;
                f->left--;
        }
        r->at += head->len;
        return true;
}

static int key_compare(struct cbor_span a, struct cbor_span b)
{
        int order = memcmp(a.at, b.at, a.len < b.len ? a.len : b.len);

        return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* Keys in any order: walk over those before this one.  They are whole and checked, so nothing is checked again. */
static void key_check_any_order(struct cbor_reader *r, const struct cbor_frame *f, struct cbor_span key)
{
        struct cbor_reader before;
        struct cbor_span in = { f->begin, (size_t)(f->item - f->begin) };

        cbor_reader_init(&before, in);
        before.order = CBOR_UNCHECKED;
        before.frames[0].left = UINT64_MAX;
        for (int keys = 1; remaining(&before) > 0; keys++) {
                if (keys >= CBOR_ANY_ORDER_KEYS_MAX)
                        cbor_refuse(r, "too many keys in one map");
                if (cbor_equal(cbor_skip(&before), key))
                        cbor_refuse(r, "a map key stands twice");
                if (r->broken != NULL)
                        return;
                cbor_skip(&before);
        }
}

static void key_check(struct cbor_reader *r, struct cbor_frame *f)
{
        struct cbor_span key = { f->item, (size_t)(r->at - f->item) };
        int order;

        if (r->order == CBOR_ANY_ORDER)
                key_check_any_order(r, f, key);
        if (r->order == CBOR_STRICT && f->key.at != NULL) {
                order = key_compare(f->key, key);
                if (order >= 0)
                        cbor_refuse(r, order == 0 ? "a map key stands twice" : "map keys not sorted");
        }
        f->key = key;
}

/* The item begun in this frame is whole. */
static void item_end(struct cbor_reader *r)
{
        struct cbor_frame *f = &r->frames[r->frame];

        if (r->broken != NULL)
                return;
        r->depth -= f->tags;
        f->tags = 0;
        f->in_item = false;
        if (f->is_map && f->left % 2 == 1)
                key_check(r, f);
}

static bool go_deeper(struct cbor_reader *r)
{
        if (r->depth == CBOR_DEPTH_MAX)
                cbor_refuse(r, "nested deeper than 8");
        else
                r->depth++;
        return r->broken == NULL;
}

bool cbor_more(const struct cbor_reader *r)
{
        const struct cbor_frame *f = &r->frames[r->frame];

        return r->broken == NULL && (f->in_item || f->left > 0);
}

enum cbor_kind cbor_peek(const struct cbor_reader *r)
{
        static const enum cbor_kind of_major[] = { CBOR_UINT,  CBOR_NINT, CBOR_BYTES, CBOR_TEXT,
                                                   CBOR_ARRAY, CBOR_MAP,  CBOR_TAG };

        if (!cbor_more(r) || remaining(r) == 0)
                return CBOR_NOTHING;
        if (*r->at >> 5 != MAJOR_OTHER)
                return of_major[*r->at >> 5];
        switch (*r->at & 31) {
        case SIMPLE_FALSE:
        case SIMPLE_TRUE:
                return CBOR_BOOL;
        case SIMPLE_NULL:
                return CBOR_NULL;
        case SIMPLE_UNDEFINED:
                return CBOR_UNDEFINED;
        case INFO_2:
        case INFO_4:
        case INFO_8:
                return CBOR_FLOAT;
        default:
                return CBOR_SIMPLE;
        }
}

/* ---- single items */

/* Begin an item that must be of MAJOR; WHY is what is wrong if it is not. */
static bool item_of(struct cbor_reader *r, uint8_t major, struct cbor_head *head, const char *why)
{
        if (!item_begin(r, head))
                return false;
        if (head->major != major)
                cbor_refuse(r, why);
        return r->broken == NULL;
}

uint64_t cbor_read_uint(struct cbor_reader *r, uint64_t max)
{
        struct cbor_head head;

        if (!item_of(r, MAJOR_UINT, &head, "not an unsigned integer"))
                return 0;
        if (head.arg > max)
                cbor_refuse(r, "number out of range");
        item_end(r);
        return r->broken == NULL ? head.arg : 0;
}

int64_t cbor_read_int(struct cbor_reader *r, int64_t min, int64_t max)
{
        struct cbor_head head;
        int64_t value;

        if (!item_begin(r, &head))
                return 0;
        value = head.major == MAJOR_NINT ? -1 - (int64_t)(head.arg & INT64_MAX) : (int64_t)(head.arg & INT64_MAX);
        if (head.major > MAJOR_NINT)
                cbor_refuse(r, "not an integer");
        if (head.arg > INT64_MAX || value < min || value > max)
                cbor_refuse(r, "number out of range");
        item_end(r);
        return r->broken == NULL ? value : 0;
}

uint64_t cbor_read_nint(struct cbor_reader *r)
{
        struct cbor_head head;

        if (!item_of(r, MAJOR_NINT, &head, "not a negative integer"))
                return 0;
        item_end(r);
        return r->broken == NULL ? head.arg : 0;
}

/* Take the content that a string's head promises. */
static struct cbor_span content(struct cbor_reader *r, const struct cbor_head *head)
{
        struct cbor_span span = { r->at, (size_t)head->arg };

        if (head->arg > remaining(r)) {
                cbor_refuse(r, "truncated");
                return (struct cbor_span){ NULL, 0 };
        }
        r->at += span.len;
        if (head->major == MAJOR_TEXT && !utf8_is_valid((const char *)span.at, span.len))
                cbor_refuse(r, "text that is not UTF-8");
        return span;
}

static struct cbor_span string(struct cbor_reader *r, const struct cbor_head *head, size_t min, size_t max)
{
        struct cbor_span span = content(r, head);

        if (head->arg < min || head->arg > max)
                cbor_refuse(r, "string too short or too long");
        item_end(r);
        return r->broken == NULL ? span : (struct cbor_span){ NULL, 0 };
}

struct cbor_span cbor_read_bytes(struct cbor_reader *r, size_t min, size_t max)
{
        struct cbor_head head;

        if (!item_of(r, MAJOR_BYTES, &head, "not a byte string"))
                return (struct cbor_span){ NULL, 0 };
        return string(r, &head, min, max);
}

void cbor_read_octets(struct cbor_reader *r, uint8_t *to, size_t len)
{
        struct cbor_span span = cbor_read_bytes(r, len, len);

        memset(to, 0, len);
        if (span.at != NULL)
                memcpy(to, span.at, span.len);
}

struct cbor_span cbor_read_text(struct cbor_reader *r, size_t max)
{
        struct cbor_head head;

        if (!item_of(r, MAJOR_TEXT, &head, "not a text string"))
                return (struct cbor_span){ NULL, 0 };
        return string(r, &head, 0, max);
}

void cbor_read_string(struct cbor_reader *r, char *to, size_t size)
{
        struct cbor_span span = cbor_read_text(r, size - 1);

        if (span.len > 0 && memchr(span.at, 0, span.len) != NULL) {
                cbor_refuse(r, "U+0000 in a text");
                span.len = 0;
        }
        if (span.len > 0)
                memcpy(to, span.at, span.len);
        to[span.len] = '\0';
}

bool cbor_read_bool(struct cbor_reader *r)
{
        bool value;

        if (r->broken == NULL && cbor_peek(r) != CBOR_BOOL)
                cbor_refuse(r, "neither true nor false");
        value = cbor_read_simple(r) == SIMPLE_TRUE;
        return r->broken == NULL && value;
}

bool cbor_read_null(struct cbor_reader *r)
{
        if (cbor_peek(r) != CBOR_NULL)
                return false;
        cbor_read_simple(r);
        return r->broken == NULL;
}

uint64_t cbor_read_tag(struct cbor_reader *r)
{
        struct cbor_head head;

        if (!item_of(r, MAJOR_TAG, &head, "not a tag") || !go_deeper(r))
                return 0;
        r->frames[r->frame].tags++;
        return head.arg;
}

uint8_t cbor_read_simple(struct cbor_reader *r)
{
        struct cbor_head head;

        if (!item_of(r, MAJOR_OTHER, &head, "not a simple value"))
                return 0;
        if (head.info > INFO_1)
                cbor_refuse(r, "not a simple value");
        item_end(r);
        return r->broken == NULL ? (uint8_t)head.arg : 0;
}

/* A half's value: its bits are moved to where a double has them; the smallest ones are counts of 2^-24. */
static double half_value(uint64_t bits)
{
        uint64_t mantissa = bits & 0x3FF, exponent = bits >> 10 & 31;
        double value;

        if (exponent == 0) {
                value = (double)mantissa * 0x1p-24;
        } else {
                exponent = exponent == 31 ? 2047 : exponent - 15 + 1023;
                mantissa = exponent << 52 | mantissa << 42;
                memcpy(&value, &mantissa, sizeof(value));
        }
        return bits >> 15 != 0 ? -value : value;
}

double cbor_read_float(struct cbor_reader *r)
{
        struct cbor_head head;
        double value = 0;
        float single;
        uint32_t bits;

        if (!item_of(r, MAJOR_OTHER, &head, "not a float"))
                return 0;
        bits = (uint32_t)head.arg;
        if (head.info < INFO_2) {
                cbor_refuse(r, "not a float");
        } else if (head.info == INFO_2) {
                value = half_value(head.arg);
        } else if (head.info == INFO_4) {
                memcpy(&single, &bits, sizeof(single));
                value = single;
        } else {
                memcpy(&value, &head.arg, sizeof(value));
        }
        item_end(r);
        return r->broken == NULL ? value : 0;
}

/* ---- arrays and maps */

/* Go into a container of ITEMS items, each of at least one octet. */
static void frame_push(struct cbor_reader *r, uint64_t count, unsigned per)
{
        if (count > remaining(r) / per)
                cbor_refuse(r, "truncated");
        if (r->broken != NULL || !go_deeper(r))
                return;
        r->frame++;
        r->frames[r->frame] = (struct cbor_frame){ .left = count * per, .begin = r->at, .is_map = per == 2 };
}

static void frame_pop(struct cbor_reader *r)
{
        r->frame--;
        r->depth--;
        item_end(r);
}

uint64_t cbor_enter_array(struct cbor_reader *r)
{
        struct cbor_head head;

        if (!item_of(r, MAJOR_ARRAY, &head, "not an array"))
                return 0;
        frame_push(r, head.arg, 1);
        return r->broken == NULL ? head.arg : 0;
}

uint64_t cbor_enter_map(struct cbor_reader *r)
{
        struct cbor_head head;

        if (!item_of(r, MAJOR_MAP, &head, "not a map"))
                return 0;
        frame_push(r, head.arg, 2);
        return r->broken == NULL ? head.arg : 0;
}

void cbor_leave(struct cbor_reader *r)
{
        while (cbor_more(r))
                cbor_skip(r);
        if (r->broken != NULL)
                return;
        assert(r->frame > 0);
        frame_pop(r);
}

struct cbor_span cbor_skip(struct cbor_reader *r)
{
        const uint8_t *begin = r->at;
        const uint8_t base = r->frame;
        struct cbor_head head;

        do {
                if (!item_begin(r, &head))
                        return (struct cbor_span){ NULL, 0 };
                switch (head.major) {
                case MAJOR_BYTES:
                case MAJOR_TEXT:
                        content(r, &head);
                        item_end(r);
                        break;
                case MAJOR_ARRAY:
                case MAJOR_MAP:
                        frame_push(r, head.arg, head.major == MAJOR_MAP ? 2 : 1);
                        break;
                case MAJOR_TAG:
                        if (go_deeper(r))
                                r->frames[r->frame].tags++;
                        break;
                default:
                        item_end(r);
                }
                while (r->broken == NULL && r->frame > base && !cbor_more(r))
                        frame_pop(r);
        } while (r->broken == NULL && (r->frame > base || r->frames[base].in_item));
        if (r->broken != NULL)
                return (struct cbor_span){ NULL, 0 };
        return (struct cbor_span){ begin, (size_t)(r->at - begin) };
}

int cbor_end(struct cbor_reader *r)
{
        const struct cbor_frame *f = &r->frames[0];

        if (r->frame > 0 || f->in_item || f->left > 0)
                cbor_refuse(r, remaining(r) == 0 ? "truncated" : "an item is not read to its end");
        if (remaining(r) > 0)
                cbor_refuse(r, "bytes after the item");
        return r->broken == NULL ? 0 : -EBADMSG;
}

int cbor_validate(struct cbor_span in, const char **why)
{
        struct cbor_reader r;
        int error;

        cbor_reader_init(&r, in);
        cbor_skip(&r);
        error = cbor_end(&r);
        if (error < 0 && why != NULL)
                *why = r.broken;
        return error;
}

bool cbor_equal(struct cbor_span a, struct cbor_span b)
{
        return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}
