#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/entry.h"

#define OWNER "TEST"

/* A small journal in memory: four entries, then some zeros. */
struct fixture {
        uint8_t data[512];
        size_t len;    /* with its zeros */
        size_t end[5]; /* where entry i begins; the last is the end */
        struct entry_chain start;
};

static const char *const payloads[4] = { "first", "the second one", "3", "the fourth and last" };

static struct fixture make(void)
{
        struct fixture f = { .len = 0 };
        struct entry_chain chain;
        size_t len;

        assert_int_equal(entry_header_encode(OWNER, 41, f.data, &chain), 0);
        f.start = chain;
        f.len = ENTRY_HEADER_SIZE;
        for (int i = 0; i < 4; i++) {
                struct entry_out out = { f.data + f.len, sizeof(f.data) - f.len };

                f.end[i] = f.len;
                assert_int_equal(entry_encode(&chain, payloads[i], strlen(payloads[i]), out, &len), 0);
                assert_int_equal(chain.sequence, 42 + i);
                assert_int_equal(len, ENTRY_OVERHEAD + strlen(payloads[i]));
                f.len += len;
        }
        f.end[4] = f.len;
        f.len += 40;
        return f;
}

/* Read a whole journal; every entry that is found must be the one that was written there.  Returns how many. */
static int read_all(const uint8_t *data, size_t len, enum entry_result *ret_result)
{
        struct entry_chain chain;
        struct entry entry;
        size_t at = ENTRY_HEADER_SIZE;
        int count = 0;

        *ret_result = ENTRY_TORN;
        if (entry_header_decode(data, len, OWNER, &chain) < 0)
                return -1;
        while ((*ret_result = entry_next(&chain, data + at, len - at, &entry)) == ENTRY_FOUND) {
                assert_true(count < 4);
                assert_int_equal(entry.sequence, 42 + count);
                assert_int_equal(entry.payload_len, strlen(payloads[count]));
                assert_memory_equal(entry.payload, payloads[count], entry.payload_len);
                at += entry.size;
                count++;
        }
        return count;
}

static void reads_what_was_written(void **state)
{
        struct fixture f = make();
        enum entry_result result;

        assert_int_equal(read_all(f.data, f.len, &result), 4);
        assert_int_equal(result, ENTRY_END);
        assert_int_equal(read_all(f.data, f.end[4], &result), 4);
        assert_int_equal(result, ENTRY_END);
}

/* The published check value of CRC-32C, and RFC 3720's 32 zeros. */
static void crc_is_castagnoli(void **state)
{
        static const uint8_t zeros[32];

        assert_int_equal(entry_crc32c(0, "123456789", 9), 0xe3069283);
        assert_int_equal(entry_crc32c(0, zeros, 32), 0x8a9136aa);
        assert_int_equal(entry_crc32c(entry_crc32c(0, "1234", 4), "56789", 5), 0xe3069283);
}

/* Cut anywhere, and cut anywhere with zeros after: the entries before are there, nothing else is. */
static void any_cut_leaves_whole_entries(void **state)
{
        struct fixture f = make();
        enum entry_result result;

        for (size_t cut = 0; cut <= f.end[4]; cut++) {
                uint8_t *copy = malloc(cut > 0 ? cut : 1), zeroed[512] = { 0 };
                int whole = -1;

                memcpy(copy, f.data, cut);
                memcpy(zeroed, f.data, cut);
                for (int i = 0; i < 5; i++)
                        if (cut >= f.end[i])
                                whole = i;
                assert_int_equal(read_all(copy, cut, &result), whole);
                if (whole >= 0)
                        /* a length begins with three zeros: so few octets are no entry yet */
                        assert_int_equal(result, cut - f.end[whole] <= 3 ? ENTRY_END : ENTRY_TORN);
                if (cut >= ENTRY_HEADER_SIZE) {
                        assert_int_equal(read_all(zeroed, f.len, &result), whole);
                        if (cut == f.end[whole])
                                assert_int_equal(result, ENTRY_END);
                }
                free(copy);
        }
}

/* Change any octet to any value: the entries before it are there, the one it is in and all after are not. */
static void any_change_is_seen(void **state)
{
        struct fixture f = make();
        enum entry_result result;

        for (size_t at = 0; at < f.end[4]; at++)
                for (int change = 1; change < 256; change++) {
                        int whole = -1;

                        for (int i = 0; i < 4; i++)
                                if (at >= f.end[i])
                                        whole = i;
                        f.data[at] ^= (uint8_t)change;
                        assert_int_equal(read_all(f.data, f.len, &result), whole);
                        assert_int_equal(result, ENTRY_TORN);
                        f.data[at] ^= (uint8_t)change;
                }
        assert_int_equal(read_all(f.data, f.len, &result), 4);
}

static void an_octet_after_the_end_is_torn(void **state)
{
        struct fixture f = make();
        enum entry_result result;

        for (size_t at = f.end[4]; at < f.len; at++) {
                f.data[at] = 1;
                assert_int_equal(read_all(f.data, f.len, &result), 4);
                assert_int_equal(result, ENTRY_TORN);
                f.data[at] = 0;
        }
}

/* A whole entry at the wrong place: repeated, left out, swapped, or of another journal. */
static void the_chain_is_kept(void **state)
{
        struct fixture f = make();
        struct entry entry;

        for (int at = 0; at < 4; at++) {
                struct entry_chain chain = f.start;

                for (int i = 0; i < at; i++)
                        assert_int_equal(entry_next(&chain, f.data + f.end[i], f.len - f.end[i], &entry), ENTRY_FOUND);
                for (int other = 0; other < 4; other++) {
                        struct entry_chain copy = chain;

                        assert_int_equal(entry_next(&copy, f.data + f.end[other], f.len - f.end[other], &entry),
                                         other == at ? ENTRY_FOUND : ENTRY_TORN);
                }
        }
}

static void another_header_begins_another_chain(void **state)
{
        struct fixture f = make();
        struct entry_chain chain;
        uint8_t header[ENTRY_HEADER_SIZE];
        struct entry entry;

        assert_int_equal(entry_header_encode(OWNER, 40, header, &chain), 0);
        assert_int_equal(entry_next(&chain, f.data + f.end[0], f.len - f.end[0], &entry), ENTRY_TORN);
}

/* A compacted file: old numbers with gaps after a header that knows a higher one; new ones go on above that. */
static void compacted_numbers_rise(void **state)
{
        uint8_t data[512] = { 0 };
        struct entry_chain chain, reading;
        struct entry entry;
        struct entry_out out = { data + ENTRY_HEADER_SIZE, 200 };
        size_t len;

        assert_int_equal(entry_header_encode(OWNER, 100, data, &chain), 0);
        chain.sequence = 7 - 1;
        assert_int_equal(entry_encode(&chain, "old", 3, out, &len), 0);
        assert_int_equal(entry_header_decode(data, sizeof(data), OWNER, &reading), 0);
        assert_int_equal(entry_next(&reading, out.data, 200, &entry), ENTRY_FOUND);
        assert_int_equal(entry.sequence, 7);
        assert_int_equal(reading.sequence, 100);
        out.data += len;
        assert_int_equal(entry_encode(&reading, "new", 3, out, &len), 0);
        assert_int_equal(reading.sequence, 101);
}

static void a_number_may_not_fall(void **state)
{
        uint8_t data[512] = { 0 };
        struct entry_chain chain, reading;
        struct entry entry;
        size_t len, first;

        assert_int_equal(entry_header_encode(OWNER, 0, data, &chain), 0);
        reading = chain;
        chain.sequence = 8;
        assert_int_equal(entry_encode(&chain, "nine", 4, (struct entry_out){ data, 200 }, &first), 0);
        chain.sequence = 8;
        assert_int_equal(entry_encode(&chain, "nine", 4, (struct entry_out){ data + first, 200 }, &len), 0);
        assert_int_equal(entry_next(&reading, data, 400, &entry), ENTRY_FOUND);
        assert_int_equal(entry_next(&reading, data + first, 200, &entry), ENTRY_TORN);
}

static void refuses_other_headers(void **state)
{
        uint8_t header[ENTRY_HEADER_SIZE];
        struct entry_chain chain;
        uint32_t crc;

        assert_int_equal(entry_header_encode(OWNER, 0, header, &chain), 0);
        assert_int_equal(entry_header_decode(header, sizeof(header), "ELSE", &chain), -EINVAL);
        header[11] = ENTRY_FORMAT + 1;
        crc = entry_crc32c(0, header, 28);
        for (int i = 0; i < 4; i++)
                header[28 + i] = (uint8_t)(crc >> (24 - 8 * i));
        assert_int_equal(entry_header_decode(header, sizeof(header), OWNER, &chain), -EPROTONOSUPPORT);
        assert_int_equal(entry_header_decode((const uint8_t *)"", 0, OWNER, &chain), -EBADMSG);
}

static void bounds(void **state)
{
        static uint8_t payload[ENTRY_PAYLOAD_MAX + 1], data[ENTRY_MAX];
        struct entry_chain chain, before;
        struct entry entry;
        size_t len;

        assert_int_equal(entry_header_encode(OWNER, 0, data, &chain), 0);
        before = chain;
        assert_int_equal(entry_encode(&chain, payload, 0, (struct entry_out){ data, sizeof(data) }, &len), -EMSGSIZE);
        assert_int_equal(entry_encode(&chain, payload, sizeof(payload), (struct entry_out){ data, sizeof(data) }, &len),
                         -EMSGSIZE);
        assert_int_equal(entry_encode(&chain, payload, 10, (struct entry_out){ data, 41 }, &len), -ENOBUFS);
        assert_memory_equal(&chain, &before, sizeof(chain));
        assert_int_equal(
                entry_encode(&chain, payload, ENTRY_PAYLOAD_MAX, (struct entry_out){ data, sizeof(data) }, &len), 0);
        assert_int_equal(len, ENTRY_MAX);
        assert_int_equal(entry_next(&before, data, len, &entry), ENTRY_FOUND);
        assert_int_equal(entry.payload_len, ENTRY_PAYLOAD_MAX);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(reads_what_was_written),
                cmocka_unit_test(crc_is_castagnoli),
                cmocka_unit_test(any_cut_leaves_whole_entries),
                cmocka_unit_test(any_change_is_seen),
                cmocka_unit_test(an_octet_after_the_end_is_torn),
                cmocka_unit_test(the_chain_is_kept),
                cmocka_unit_test(another_header_begins_another_chain),
                cmocka_unit_test(compacted_numbers_rise),
                cmocka_unit_test(a_number_may_not_fall),
                cmocka_unit_test(refuses_other_headers),
                cmocka_unit_test(bounds),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
