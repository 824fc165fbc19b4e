#include "tests/wire/door.h"

#include <errno.h>
#include <openssl/hmac.h>

#include "wire/parcel.h"

static struct parcel_building rooms[SCOPE_BUILDINGS_MAX + 1], read_rooms[SCOPE_BUILDINGS_MAX];
static uint8_t octets[PARCEL_MAX + 16];

static struct parcel some(size_t count)
{
        struct parcel p = { .pass = CBOR_LITERAL("a pass"), .salt_key = "salts", .marker_key = "markers", .count = count };

        for (size_t i = 0; i < count; i++) {
                rooms[i] = (struct parcel_building){ .has_place = i % 2 == 0, .lat_e7 = 457600000, .lon_e7 = -48300000 };
                memcpy(rooms[i].id, &i, sizeof(i));
                snprintf(rooms[i].name, sizeof(rooms[i].name), "12, rue n° %zu", i);
        }
        p.buildings = rooms;
        return p;
}

static void there_and_back(void **state)
{
        static const size_t counts[] = { 1, 2, 40, SCOPE_BUILDINGS_MAX };

        for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
                struct parcel p = some(counts[c]), got = { .buildings = read_rooms };
                struct cbor_writer w;

                cbor_writer_init(&w, octets, sizeof(octets));
                assert_int_equal(parcel_write(&p, &w), 0);
                assert_true(w.len <= PARCEL_MAX);
                assert_int_equal(parcel_read(cbor_written(&w), &got, NULL), 0);
                assert_int_equal(got.count, counts[c]);
                assert_memory_equal(got.pass.at, "a pass", 6);
                assert_memory_equal(got.marker_key, p.marker_key, PARCEL_KEY_SIZE);
                for (size_t i = 0; i < got.count; i++) {
                        assert_memory_equal(got.buildings[i].id, rooms[i].id, BUILDING_ID_SIZE);
                        assert_string_equal(got.buildings[i].name, rooms[i].name);
                        assert_int_equal(got.buildings[i].has_place, i % 2 == 0);
                        if (i % 2 == 0)
                                assert_int_equal(got.buildings[i].lon_e7, -48300000);
                }
                for (size_t cut = 0; cut < w.len; cut += 1 + w.len / 97)
                        assert_int_equal(parcel_read((struct cbor_span){ octets, cut }, &got, NULL), -EBADMSG);
        }
}

static void bounds(void **state)
{
        struct parcel p = some(SCOPE_BUILDINGS_MAX), got = { .buildings = read_rooms };
        struct cbor_writer w;
        const char *why = NULL;

        cbor_writer_init(&w, octets, sizeof(octets));
        p.count = SCOPE_BUILDINGS_MAX + 1;
        assert_int_equal(parcel_write(&p, &w), -EINVAL);
        p.count = 0;
        assert_int_equal(parcel_write(&p, &w), -EINVAL);
        p.count = 1;
        memset(rooms[0].name, 'x', sizeof(rooms[0].name));
        assert_int_equal(parcel_write(&p, &w), -EINVAL);
        rooms[0].name[PARCEL_NAME_MAX] = 0;
        rooms[0].lat_e7 = 900000001;
        assert_int_equal(parcel_write(&p, &w), -EINVAL);
        rooms[0].lat_e7 = 900000000;
        cbor_writer_init(&w, octets, 40);
        assert_int_equal(parcel_write(&p, &w), -ENOBUFS);
        cbor_writer_init(&w, octets, sizeof(octets));
        assert_int_equal(parcel_write(&p, &w), 0);
        assert_int_equal(parcel_read((struct cbor_span){ octets, PARCEL_MAX + 1 }, &got, NULL), -EMSGSIZE);
        octets[1] = 2;
        assert_int_equal(parcel_read(cbor_written(&w), &got, &why), -EBADMSG);
        assert_string_equal(why, "a parcel format other than 1");
}

/* A building without a place (the format before), and one with half of it. */
static void places(void **state)
{
        struct parcel got = { .buildings = read_rooms };

        for (int items = 2; items <= 4; items++) {
                struct cbor_writer w;

                cbor_writer_init(&w, octets, sizeof(octets));
                cbor_write_array(&w, 5);
                cbor_write_uint(&w, 1);
                cbor_write_bytes(&w, CBOR_LITERAL("p"));
                cbor_write_bytes(&w, (struct cbor_span){ (const uint8_t *)rooms, 32 });
                cbor_write_bytes(&w, (struct cbor_span){ (const uint8_t *)rooms, 32 });
                cbor_write_array(&w, 1);
                cbor_write_array(&w, (uint64_t)items);
                cbor_write_bytes(&w, CBOR_LITERAL("building"));
                cbor_write_string(&w, "name");
                if (items >= 3)
                        cbor_write_null(&w);
                if (items == 4)
                        cbor_write_uint(&w, 7);
                assert_int_equal(parcel_read(cbor_written(&w), &got, NULL), items == 2 ? 0 : -EBADMSG);
        }
}

/* Against libcrypto's HMAC. */
static void hmacs(void **state)
{
        uint8_t key[PARCEL_KEY_SIZE] = "a key of thirty-two octets long", id[8] = "building", want[32];
        uint8_t salt[SCOPE_SALT_SIZE], marker[PASS_MARKER_SIZE], text[13] = "pass id.\x01\x02\x03\x04";
        struct pass_crypto crypto;

        pass_crypto_init(&crypto);
        HMAC(EVP_sha256(), key, sizeof(key), id, sizeof(id), want, NULL);
        parcel_salt(&crypto.sha, key, id, salt);
        assert_memory_equal(salt, want, sizeof(salt));
        for (int duress = 0; duress < 2; duress++) {
                text[12] = (uint8_t)duress;
                HMAC(EVP_sha256(), key, sizeof(key), text, sizeof(text), want, NULL);
                parcel_marker(&crypto.sha, key, &(struct parcel_marked){ text, 0x01020304, duress }, marker);
                assert_memory_equal(marker, want, sizeof(marker));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(there_and_back),
                cmocka_unit_test(bounds),
                cmocka_unit_test(places),
                cmocka_unit_test(hmacs),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
