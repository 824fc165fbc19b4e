/* Any octets are refused, or are a record that is written again and read as it was.  Not always the same octets: what a
 * newer program added inside an entry or beyond the room for unknown ones goes, entries that an older one did not know come. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "wire/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static struct record record, again;
        static uint8_t written[RECORD_MAX], twice[RECORD_MAX];
        int r = record_decode(data, size, &record), len;

        if (r < 0) {
                assert(r == -EBADMSG || r == -EPROTONOSUPPORT);
                return 0;
        }
        len = record_encode(&record, written, sizeof(written));
        assert(len > 0);
        assert(record_decode(written, (size_t)len, &again) == 0);
        assert(memcmp(&record, &again, sizeof(record)) == 0);
        assert(record_encode(&again, twice, sizeof(twice)) == len && memcmp(twice, written, (size_t)len) == 0);
        (void)record_urgency(&record);
        (void)record_receipt_state(&record);
        return 0;
}
