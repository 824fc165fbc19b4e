/* The parcel on any octets: what was read can be written, and reads back the same. */
#include <stdlib.h>
#include <string.h>

#include "wire/parcel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void holds(bool condition)
{
        if (!condition)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static struct parcel_building one[SCOPE_BUILDINGS_MAX], other[SCOPE_BUILDINGS_MAX];
        static uint8_t octets[PARCEL_MAX];
        struct parcel parcel = { .buildings = one }, back = { .buildings = other };
        struct cbor_writer w;

        if (parcel_read((struct cbor_span){ data, size }, &parcel, NULL) < 0)
                return 0;
        cbor_writer_init(&w, octets, sizeof(octets));
        holds(parcel_write(&parcel, &w) == 0);
        holds(parcel_read(cbor_written(&w), &back, NULL) == 0);
        holds(back.count == parcel.count && cbor_equal(back.pass, parcel.pass));
        for (size_t i = 0; i < parcel.count; i++) {
                holds(memcmp(one[i].id, other[i].id, BUILDING_ID_SIZE) == 0 && strcmp(one[i].name, other[i].name) == 0);
                holds(one[i].has_place == other[i].has_place);
                holds(!one[i].has_place || (one[i].lat_e7 == other[i].lat_e7 && one[i].lon_e7 == other[i].lon_e7));
        }
        return 0;
}
