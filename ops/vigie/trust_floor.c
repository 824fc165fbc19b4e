#include "ops/vigie/trust_floor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "wire/signing.h"

#define FLOOR_FILE "trust.floor"

uint32_t trust_floor(const struct region *region)
{
        char path[REGION_PATH_MAX], *text = NULL;
        unsigned long number = 0;
        size_t len;

        if (region_path(region, FLOOR_FILE, path) == 0 && file_read(path, 64, &text, &len) == 0)
                number = strtoul(text, NULL, 10);
        free(text);
        return number < UINT32_MAX ? (uint32_t)number : UINT32_MAX - 1;
}

/* Of the list itself, unverified: it only keeps numbers from going back. */
static uint32_t list_number(const struct region *region)
{
        struct trust *trust = calloc(1, sizeof(*trust));
        char path[REGION_PATH_MAX], *data = NULL;
        struct cose_sign1 m;
        uint32_t number = 0;
        size_t len;

        if (trust != NULL && region_path(region, REGION_TRUST, path) == 0 &&
            file_read(path, TRUST_MAX, &data, &len) == 0 &&
            cose_sign1_parse((struct cbor_span){ (const uint8_t *)data, len }, COSE_OURS, &m, NULL) == 0 &&
            trust_read_payload(m.payload, trust, NULL) == 0)
                number = trust->number;
        free(data);
        free(trust);
        return number;
}

uint32_t trust_number(const struct region *region)
{
        uint32_t list = list_number(region), floor = trust_floor(region);

        return list > floor ? list : floor;
}

int trust_floor_set(const struct region *region, uint32_t number)
{
        char text[24];

        if (number <= trust_floor(region))
                return 0;
        snprintf(text, sizeof(text), "%u\n", number);
        return region_write(region, FLOOR_FILE, text, strlen(text), 0644);
}
