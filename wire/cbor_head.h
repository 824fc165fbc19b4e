/* The head of a CBOR item (RFC 8949 section 3): for wire/cbor.c alone. */
#ifndef WIRE_CBOR_HEAD_H
#define WIRE_CBOR_HEAD_H
#include <stdint.h>

enum { MAJOR_UINT, MAJOR_NINT, MAJOR_BYTES, MAJOR_TEXT, MAJOR_ARRAY, MAJOR_MAP, MAJOR_TAG, MAJOR_OTHER };
enum { INFO_1 = 24, INFO_2, INFO_4, INFO_8, INFO_INDEFINITE = 31 };

struct cbor_head {
        uint8_t major, info;
        uint8_t len;  /* octets of the head itself */
        uint64_t arg; /* value, length, count, tag, simple value or the bits of a float */
};

/* cbor_head_read: read the head at AT, before END, and hold it to the shortest form.
 * Returns NULL, or the rule broken, static English text; *head is then undefined. */
const char *cbor_head_read(const uint8_t *at, const uint8_t *end, struct cbor_head *head);
#endif
