#include "wire/parcel.h"

#include <errno.h>
#include <string.h>

#define LAT_MAX_E7 900000000
#define LON_MAX_E7 1800000000

static bool is_placed(const struct parcel_building *b)
{
        return b->lat_e7 >= -LAT_MAX_E7 && b->lat_e7 <= LAT_MAX_E7 && b->lon_e7 >= -LON_MAX_E7 &&
               b->lon_e7 <= LON_MAX_E7;
}

int parcel_write(const struct parcel *parcel, struct cbor_writer *to)
{
        if (parcel->count == 0 || parcel->count > SCOPE_BUILDINGS_MAX)
                return -EINVAL;
        for (size_t i = 0; i < parcel->count; i++)
                if (strnlen(parcel->buildings[i].name, PARCEL_NAME_MAX + 1) > PARCEL_NAME_MAX ||
                    (parcel->buildings[i].has_place && !is_placed(&parcel->buildings[i])))
                        return -EINVAL;
        cbor_write_array(to, 5);
        cbor_write_uint(to, 1);
        cbor_write_bytes(to, parcel->pass);
        cbor_write_bytes(to, CBOR_OCTETS(parcel->salt_key));
        cbor_write_bytes(to, CBOR_OCTETS(parcel->marker_key));
        cbor_write_array(to, parcel->count);
        for (size_t i = 0; i < parcel->count; i++) {
                const struct parcel_building *b = &parcel->buildings[i];

                cbor_write_array(to, 4);
                cbor_write_bytes(to, CBOR_OCTETS(b->id));
                cbor_write_string(to, b->name);
                if (b->has_place) {
                        cbor_write_int(to, b->lat_e7);
                        cbor_write_int(to, b->lon_e7);
                } else {
                        cbor_write_null(to);
                        cbor_write_null(to);
                }
        }
        return to->full ? -ENOBUFS : 0;
}

/* A place is whole, or both are null; a format before places had neither. */
static void read_place(struct cbor_reader *r, struct parcel_building *b)
{
        bool none;

        b->has_place = false;
        if (!cbor_more(r))
                return;
        none = cbor_read_null(r);
        if (none != cbor_read_null(r) && none)
                cbor_refuse(r, "half a place");
        if (none)
                return;
        b->lat_e7 = (int32_t)cbor_read_int(r, -LAT_MAX_E7, LAT_MAX_E7);
        b->lon_e7 = (int32_t)cbor_read_int(r, -LON_MAX_E7, LON_MAX_E7);
        b->has_place = true;
}

static void read_buildings(struct cbor_reader *r, struct parcel *parcel)
{
        uint64_t count = cbor_enter_array(r);

        if (count == 0 || count > SCOPE_BUILDINGS_MAX)
                cbor_refuse(r, "1 to 1,024 buildings");
        for (parcel->count = 0; cbor_more(r); parcel->count++) {
                struct parcel_building *b = &parcel->buildings[parcel->count];

                cbor_enter_array(r);
                cbor_read_octets(r, b->id, sizeof(b->id));
                cbor_read_string(r, b->name, sizeof(b->name));
                read_place(r, b);
                cbor_leave(r);
        }
        cbor_leave(r);
}

int parcel_read(struct cbor_span in, struct parcel *ret_parcel, const char **why)
{
        struct cbor_reader r;
        int error;

        if (in.len > PARCEL_MAX)
                return -EMSGSIZE;
        cbor_reader_init(&r, in);
        cbor_enter_array(&r);
        if (cbor_read_uint(&r, UINT64_MAX) != 1)
                cbor_refuse(&r, "a parcel format other than 1");
        ret_parcel->pass = cbor_read_bytes(&r, 1, PASS_MAX);
        cbor_read_octets(&r, ret_parcel->salt_key, PARCEL_KEY_SIZE);
        cbor_read_octets(&r, ret_parcel->marker_key, PARCEL_KEY_SIZE);
        read_buildings(&r, ret_parcel);
        cbor_leave(&r);
        error = cbor_end(&r);
        if (error < 0 && why != NULL)
                *why = r.broken;
        return error;
}

/* HMAC (RFC 2104) with SHA-256, for a key of 32 octets and at most 16 of text. */
static void hmac(const struct scope_hash *sha, const uint8_t key[PARCEL_KEY_SIZE], struct cbor_span text,
                 uint8_t ret[32])
{
        uint8_t inner[64 + 16], outer[64 + 32];

        memset(inner, 0x36, 64);
        memset(outer, 0x5C, 64);
        for (size_t i = 0; i < PARCEL_KEY_SIZE; i++) {
                inner[i] ^= key[i];
                outer[i] ^= key[i];
        }
        memcpy(inner + 64, text.at, text.len);
        sha->hash(sha->user, (struct cbor_span){ inner, 64 + text.len }, outer + 64);
        sha->hash(sha->user, CBOR_OCTETS(outer), ret);
        explicit_bzero(inner, sizeof(inner));
        explicit_bzero(outer, sizeof(outer));
}

void parcel_salt(const struct scope_hash *sha, const uint8_t key[PARCEL_KEY_SIZE],
                 const uint8_t building[BUILDING_ID_SIZE], uint8_t ret_salt[SCOPE_SALT_SIZE])
{
        uint8_t all[32];

        hmac(sha, key, (struct cbor_span){ building, BUILDING_ID_SIZE }, all);
        memcpy(ret_salt, all, SCOPE_SALT_SIZE);
}

void parcel_marker(const struct scope_hash *sha, const uint8_t key[PARCEL_KEY_SIZE], const struct parcel_marked *marked,
                   uint8_t ret_marker[PASS_MARKER_SIZE])
{
        uint8_t text[PASS_ID_SIZE + 5], all[32];

        memcpy(text, marked->pass, PASS_ID_SIZE);
        for (size_t i = 0; i < 4; i++)
                text[PASS_ID_SIZE + i] = (uint8_t)(marked->counter >> (24 - 8 * i));
        text[PASS_ID_SIZE + 4] = marked->duress;
        hmac(sha, key, CBOR_OCTETS(text), all);
        memcpy(ret_marker, all, PASS_MARKER_SIZE);
}
