/* For the tests of wire/: octets from hex, and the includes that cmocka wants in this order. */
#ifndef TESTS_WIRE_OCTETS_H
#define TESTS_WIRE_OCTETS_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/hex.h"
#include "wire/cbor.h"

#define OCTETS_MAX 8192

/* Octets of its own, as large as they are: a reader that goes past them is seen by the sanitizer. */
struct octets {
        uint8_t at[OCTETS_MAX];
        size_t len;
};

/* The octets of HEX, which the test is sure of. */
static inline struct octets octets_from(const char *hex)
{
        struct octets o = { .len = strlen(hex) / 2 };

        assert_true(o.len <= OCTETS_MAX);
        assert_int_equal(hex_decode(hex, o.at, o.len), 0);
        return o;
}

static inline struct cbor_span octets_span(const struct octets *o)
{
        return (struct cbor_span){ o->at, o->len };
}
#endif
