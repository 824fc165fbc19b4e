#include "tests/wire/door.h"

#include <errno.h>
#include <stdlib.h>

#include <zlib.h>

#include "wire/status.h"

static uint8_t whole[STATUS_MAX], room[STATUS_ROOM], back[STATUS_OCTETS_MAX], bits[STATUS_OCTETS_MAX];

struct region {
        struct key *key;
        uint8_t kid[KEY_KID_SIZE];
        struct trust trust;
        struct status_list list;
        struct cbor_writer w;
        struct status_signed read;
};

static void region_open(struct region *region)
{
        struct trust_key *listed = &region->trust.keys[0];

        memset(region, 0, sizeof(*region));
        assert_int_equal(key_generate(KEY_EDDSA, &region->key), 0);
        strcpy(region->trust.region, "lyon");
        region->trust.count = 1;
        *listed = (struct trust_key){ .use = TRUST_STATUS, .alg = KEY_EDDSA, .not_after_s = UINT32_MAX };
        listed->public_len = (uint8_t)key_public(region->key, listed->public);
        assert_int_equal(key_kid(region->key, listed->kid), 0);
        memcpy(region->kid, listed->kid, KEY_KID_SIZE);
        region->list =
                (struct status_list){ .region = "lyon", .issued_at_s = NOW_S, .expires_s = NOW_S + 3600, .count = 100 };
}

/* say: sign, and read what was signed. */
static void say(struct region *region)
{
        cbor_writer_init(&region->w, whole, sizeof(whole));
        assert_int_equal(status_sign(&region->list, bits, region->kid, region->key, &region->w), 0);
        assert_int_equal(status_read(cbor_written(&region->w), &region->read, NULL), 0);
}

/* Lists of every size around an octet and the largest, with revocations at random, are read back bit by bit. */
static void there_and_back(void **state)
{
        static const uint32_t counts[] = { 0, 1, 7, 8, 9, 64, 4097, STATUS_COUNT_MAX };
        struct region region;
        struct status_bits got;

        region_open(&region);
        for (size_t c = 0; c < sizeof(counts) / sizeof(*counts); c++) {
                memset(bits, 0, sizeof(bits));
                for (unsigned i = 0; i < counts[c] / 50; i++) {
                        uint32_t n = (uint32_t)rand() % counts[c];

                        bits[n / 8] |= (uint8_t)(1 << n % 8);
                }
                region.list.count = counts[c];
                say(&region);
                assert_int_equal(status_verify(&region.read, &region.trust, NOW_S), 0);
                memset(back, 0x55, sizeof(back));
                assert_int_equal(status_unpack(&region.read.list, room, back, &got), 0);
                assert_int_equal(got.count, counts[c]);
                assert_int_equal(got.issued_at_s, NOW_S);
                assert_int_equal(got.expires_s, NOW_S + 3600);
                assert_memory_equal(back, bits, (counts[c] + 7) / 8);
        }
        region.list.count = STATUS_COUNT_MAX + 1;
        assert_int_equal(status_sign(&region.list, bits, region.kid, region.key, &region.w), -E2BIG);
        region.list.count = 8;
        region.list.expires_s = NOW_S - 1;
        assert_int_equal(status_sign(&region.list, bits, region.kid, region.key, &region.w), -EINVAL);
        key_free(region.key);
}

static void not_the_regions(void **state)
{
        struct region region;

        region_open(&region);
        say(&region);
        region.trust.keys[0].use = TRUST_PASS;
        assert_int_equal(status_verify(&region.read, &region.trust, NOW_S), -ENOKEY);
        region.trust.keys[0].use = TRUST_STATUS;
        region.trust.keys[0].not_after_s = NOW_S - 1;
        assert_int_equal(status_verify(&region.read, &region.trust, NOW_S), -ENOKEY);
        region.trust.keys[0].not_after_s = NOW_S;
        strcpy(region.trust.region, "nice");
        assert_int_equal(status_verify(&region.read, &region.trust, NOW_S), -EXDEV);
        strcpy(region.trust.region, "lyon");
        for (size_t i = 0; i < region.w.len; i++) {
                struct status_signed read;

                whole[i] ^= 0x10;
                if (status_read(cbor_written(&region.w), &read, NULL) == 0)
                        assert_true(status_verify(&read, &region.trust, NOW_S) < 0);
                whole[i] ^= 0x10;
        }
        assert_int_equal(status_verify(&region.read, &region.trust, NOW_S), 0);
        key_free(region.key);
}

static void its_time_only_rises(void **state)
{
        struct status_list list = { .issued_at_s = NOW_S };

        assert_true(status_supersedes(&list, 0));
        assert_true(status_supersedes(&list, NOW_S - 1));
        assert_false(status_supersedes(&list, NOW_S));
        assert_false(status_supersedes(&list, NOW_S + 1));
}

/* What unpacks to more than it says stops there; so does what is less, is followed by more, or is no zlib. */
static void bombs(void **state)
{
        size_t large = 64 * 1024 * 1024;
        uint8_t *zeros = calloc(1, large), *packed = malloc(compressBound(large));
        uLongf len = compressBound(large);
        struct status_list list = { .count = 800 };
        struct status_bits got;

        assert_true(zeros != NULL && packed != NULL);
        assert_int_equal(compress(packed, &len, zeros, large), Z_OK);
        list.packed = (struct cbor_span){ packed, len };
        memset(back, 0x55, sizeof(back));
        assert_int_equal(status_unpack(&list, room, back, &got), -EBADMSG);
        assert_int_equal(back[100], 0x55);
        len = compressBound(large);
        assert_int_equal(compress(packed, &len, zeros, 99), Z_OK);
        list.packed.len = len;
        assert_int_equal(status_unpack(&list, room, back, &got), -EBADMSG);
        len = compressBound(large);
        assert_int_equal(compress(packed, &len, zeros, 100), Z_OK);
        list.packed.len = len;
        assert_int_equal(status_unpack(&list, room, back, &got), 0);
        packed[len] = 0;
        list.packed.len = len + 1;
        assert_int_equal(status_unpack(&list, room, back, &got), -EBADMSG);
        for (list.packed.len = 0; list.packed.len < len; list.packed.len++)
                assert_int_equal(status_unpack(&list, room, back, &got), -EBADMSG);
        packed[2] ^= 0xff;
        assert_int_equal(status_unpack(&list, room, back, &got), -EBADMSG);
        free(packed);
        free(zeros);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(there_and_back),
                cmocka_unit_test(not_the_regions),
                cmocka_unit_test(its_time_only_rises),
                cmocka_unit_test(bombs),
        };

        srand(1);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
