/* The CBOR cursor on any octets: nothing out of bounds, and libcbor agrees about whatever it accepts.  First octet:
 * even for sorted map keys, odd for any order. */
#include <stdlib.h>

#include "tests/wire/oracle.h"
#include "wire/inspect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const struct cbor_span in = { data + 1, size - 1 };
        const enum cbor_order order = size > 0 && data[0] % 2 == 1 ? CBOR_ANY_ORDER : CBOR_STRICT;
        struct inspect_text text;
        char to[512];
        bool accepted;

        if (size == 0)
                return 0;
        if (!oracle_agrees(in, order, &accepted))
                abort();
        inspect_text_init(&text, to, sizeof(to));
        if (accepted && inspect_diagnostic(in, &text, NULL) < 0)
                abort();
        return 0;
}
