/* The parcel: what a pass comes with, for the phone's vault alone (PROTOCOL.md 14.1).  Pure: SHA-256 comes in.
 *
 *   [1, pass (signed), salt key 32, marker key 32, [[building id 8, name, lat, lon], ...]]
 *
 * The buildings stand in the order of the leaves of the pass's tree; lat and lon, 1e-7 degree, are null where the region
 * does not know them. */
#ifndef WIRE_PARCEL_H
#define WIRE_PARCEL_H
#include "wire/pass.h"

#define PARCEL_KEY_SIZE     32
#define PARCEL_NAME_MAX     64 /* octets of UTF-8; longer: -EINVAL, -EBADMSG */
#define PARCEL_BUILDING_MAX (1 + 9 + 2 + PARCEL_NAME_MAX + 5 + 5)
/* 1,024 buildings with long names. */
#define PARCEL_MAX          (1 + 1 + 3 + PASS_MAX + 34 + 34 + 3 + SCOPE_BUILDINGS_MAX * PARCEL_BUILDING_MAX)

struct parcel_building {
        uint8_t id[BUILDING_ID_SIZE];
        char name[PARCEL_NAME_MAX + 1];
        bool has_place;
        int32_t lat_e7, lon_e7; /* WGS 84, 1e-7 degree */
};

struct parcel {
        struct cbor_span pass; /* signed */
        uint8_t salt_key[PARCEL_KEY_SIZE], marker_key[PARCEL_KEY_SIZE];
        size_t count; /* buildings, 1..SCOPE_BUILDINGS_MAX */
        struct parcel_building *buildings;
};

/* parcel_write: write PARCEL.  Returns 0, -EINVAL (count, a name too long, a place out of range), -ENOBUFS (PARCEL_MAX always
 * does). */
int parcel_write(const struct parcel *parcel, struct cbor_writer *to);

/* parcel_read: take one apart; checks no signature.  Elements behind those known are a newer format's and are stepped over.
 *   ret_parcel  its `buildings` point to room for SCOPE_BUILDINGS_MAX, the caller's; `pass` points into IN
 *   why         may be NULL; on failure the rule broken, static English text
 * Returns 0, -EBADMSG, -EMSGSIZE (over PARCEL_MAX). */
int parcel_read(struct cbor_span in, struct parcel *ret_parcel, const char **why);

/* parcel_salt: the salt of a building: the first 16 octets of HMAC-SHA-256 under the salt key over its id. */
void parcel_salt(const struct scope_hash *sha, const uint8_t key[PARCEL_KEY_SIZE],
                 const uint8_t building[BUILDING_ID_SIZE], uint8_t ret_salt[SCOPE_SALT_SIZE]);

/* What a proof's marker says, to whoever has the marker key. */
struct parcel_marked {
        const uint8_t *pass; /* PASS_ID_SIZE */
        uint32_t counter;
        bool duress;
};

/* parcel_marker: the marker of a proof (PROTOCOL.md 13.8). */
void parcel_marker(const struct scope_hash *sha, const uint8_t key[PARCEL_KEY_SIZE], const struct parcel_marked *marked,
                   uint8_t ret_marker[PASS_MARKER_SIZE]);
#endif
