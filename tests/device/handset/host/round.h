/* A round for the tests of the vault: a region, a pass for the vault's own key, and the parcel that it comes in. */
#ifndef TESTS_DEVICE_HANDSET_HOST_ROUND_H
#define TESTS_DEVICE_HANDSET_HOST_ROUND_H
#include "tests/wire/door.h"

#include <errno.h>

#include "wire/parcel.h"

struct round {
        struct door region;
        struct parcel_building buildings[SCOPE_BUILDINGS_MAX];
        uint8_t salt_key[PARCEL_KEY_SIZE], marker_key[PARCEL_KEY_SIZE];
        uint8_t octets[PARCEL_MAX];
        size_t len;
};

/* round_make: a pass with this id and end, for KEY, of COUNT buildings. */
static inline void round_make(struct round *r, const char id[PASS_ID_SIZE], const uint8_t key[PASS_KEY_SIZE], size_t count)
{
        struct parcel parcel = { .buildings = r->buildings, .count = count };
        struct door *d = &r->region;
        struct cbor_writer w;

        memcpy(r->salt_key, "the key of the salts of a round", PARCEL_KEY_SIZE);
        memcpy(r->marker_key, "the key of the marks of a round", PARCEL_KEY_SIZE);
        memcpy(d->pass.id, id, PASS_ID_SIZE);
        memcpy(d->pass.key, key, PASS_KEY_SIZE);
        d->buildings = count;
        d->here = count - 1;
        for (size_t i = 0; i < count; i++) {
                struct parcel_building *b = &r->buildings[i];

                memset(b, 0, sizeof(*b));
                memcpy(b->id, "bldg", 4);
                b->id[6] = (uint8_t)(i >> 8);
                b->id[7] = (uint8_t)i;
                snprintf(b->name, sizeof(b->name), "%zu, rue des Merveilles", i + 1);
                b->has_place = i % 3 != 0;
                b->lat_e7 = 457600000 + (int32_t)i * 1000;
                b->lon_e7 = 48300000;
                memcpy(d->leaves[i].building, b->id, BUILDING_ID_SIZE);
                parcel_salt(&d->crypto.sha, r->salt_key, b->id, d->leaves[i].salt);
        }
        memcpy(d->mandate.building, r->buildings[d->here].id, BUILDING_ID_SIZE);
        door_pass(d);
        parcel.pass = span_of(&d->signed_pass);
        memcpy(parcel.salt_key, r->salt_key, PARCEL_KEY_SIZE);
        memcpy(parcel.marker_key, r->marker_key, PARCEL_KEY_SIZE);
        cbor_writer_init(&w, r->octets, sizeof(r->octets));
        assert_int_equal(parcel_write(&parcel, &w), 0);
        r->len = w.len;
}

static inline void round_open(struct round *r)
{
        door_open(&r->region, 4, DOOR_PAGE);
}

static inline void round_close(struct round *r)
{
        door_close(&r->region);
}

static inline struct cbor_span round_parcel(const struct round *r)
{
        return (struct cbor_span){ r->octets, r->len };
}

/* round_judge: what a door of CLASS at the building `here` says of PRESENTATION, at NOW_S. */
static inline unsigned round_judge(struct round *r, struct cbor_span presentation, uint8_t class, struct cbor_span hello)
{
        struct pass_question q = { .trust = &r->region.trust, .status = &r->region.status, .now_s = NOW_S, .class = class,
                                   .hello = hello };

        memcpy(q.building, r->buildings[r->region.here].id, BUILDING_ID_SIZE);
        if (presentation_read(presentation, &q.pass, &q.proof) < 0)
                return PASS_MALFORMED;
        pass_verify(&r->region.crypto, &q, &r->region.verdict);
        return r->region.verdict.refusal;
}
#endif
