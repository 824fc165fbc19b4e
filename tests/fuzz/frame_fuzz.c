/* Any octets are refused, or are a frame that is written again and read as it was.  Not always the same octets: elements of a
 * newer version go, and those that an older one left out come. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "tests/wire/held.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static struct held held, again;
        static uint8_t written[FRAME_REGION_MAX], twice[FRAME_REGION_MAX];
        int r = held_decode(data, size, &held), len;

        if (r < 0) {
                assert(r == -EBADMSG ||
                       (r == -EPROTONOSUPPORT && cbor_validate((struct cbor_span){ data, size }, NULL) == 0));
                return 0;
        }
        len = held_encode(&held, written, sizeof(written));
        assert(len > 0);
        assert(held_decode(written, (size_t)len, &again) == 0);
        assert(memcmp(&held, &again, sizeof(held)) == 0);
        assert(held_encode(&again, twice, sizeof(twice)) == len && memcmp(twice, written, (size_t)len) == 0);
        assert(frame_type_name(held.frame.type) != NULL);
        return 0;
}
