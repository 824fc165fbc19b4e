/* ids: alert ids, each with the number it got, found by hash. */
#ifndef TESTS_SIM_IDS_H
#define TESTS_SIM_IDS_H

#include <stddef.h>
#include <stdint.h>

#include "wire/id.h"

#define IDS_NONE SIZE_MAX

/* All zeros: none. */
struct ids {
        uint8_t (*octets)[ALERT_ID_SIZE]; /* in the order in which they came */
        uint32_t *slots;                  /* number + 1; 0 free */
        size_t count, room;               /* room: of octets; twice as many slots */
};

/* ids_find: the number of ID, or IDS_NONE.  ids_need: the same, a new one where there is none. */
size_t ids_find(const struct ids *ids, const uint8_t id[ALERT_ID_SIZE]);
size_t ids_need(struct ids *ids, const uint8_t id[ALERT_ID_SIZE]);

/* ids_clear: none again; ids_free: and its memory. */
void ids_clear(struct ids *ids);
void ids_free(struct ids *ids);

#endif
