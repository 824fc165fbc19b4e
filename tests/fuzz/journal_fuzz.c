/* Recovery.  The first octet chooses: any octets as a journal; or a good journal with the input's edits (place,
 * value) made to it, of which only what was written may be read, in order, and only as far as it is unharmed. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/entry.h"

#define OWNER   "FUZZ"
#define ENTRIES 5
#define SIZE    1024

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_any(const uint8_t *data, size_t size)
{
        struct entry_chain chain;
        struct entry entry;
        size_t at = ENTRY_HEADER_SIZE;
        uint64_t last = 0;

        if (entry_header_decode(data, size, OWNER, &chain) < 0)
                memset(&chain, 0, sizeof(chain));
        if (size < at)
                return;
        while (entry_next(&chain, data + at, size - at, &entry) == ENTRY_FOUND) {
                assert(entry.payload_len > 0 && entry.payload_len <= ENTRY_PAYLOAD_MAX);
                assert(entry.payload >= data + at && entry.payload + entry.payload_len <= data + size);
                assert(entry.size <= size - at && entry.sequence > last);
                last = entry.sequence;
                at += entry.size;
        }
}

/* Returns the offset where the entries end. */
static size_t write_good(uint8_t journal[SIZE])
{
        struct entry_chain chain;
        size_t at = ENTRY_HEADER_SIZE, len;

        memset(journal, 0, SIZE);
        assert(entry_header_encode(OWNER, 7, journal, &chain) == 0);
        for (size_t i = 0; i < ENTRIES; i++) {
                assert(entry_encode(&chain, "some octets that are the event", 5 + 5 * i,
                                    (struct entry_out){ journal + at, SIZE - at }, &len) == 0);
                at += len;
        }
        return at;
}

static void read_edited(const uint8_t *edits, size_t size)
{
        uint8_t good[SIZE], edited[SIZE];
        size_t end = write_good(good), at = ENTRY_HEADER_SIZE, harm = SIZE;
        struct entry_chain chain;
        struct entry entry;

        memcpy(edited, good, SIZE);
        for (size_t i = 0; i + 2 < size; i += 3)
                edited[(edits[i] << 8 | edits[i + 1]) % SIZE] = edits[i + 2];
        for (size_t i = SIZE; i > 0; i--)
                if (edited[i - 1] != good[i - 1])
                        harm = i - 1;
        if (entry_header_decode(edited, SIZE, OWNER, &chain) < 0) {
                assert(harm < ENTRY_HEADER_SIZE);
                return;
        }
        while (entry_next(&chain, edited + at, SIZE - at, &entry) == ENTRY_FOUND)
                at += entry.size;
        assert(at <= end && at <= harm);
        assert(harm < end || at == end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        if (size == 0)
                return 0;
        if (data[0] % 2 == 0)
                read_any(data + 1, size - 1);
        else
                read_edited(data + 1, size - 1);
        return 0;
}
