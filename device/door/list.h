/* The status list that a door holds: verified, unpacked, on disk.  Of a fixed size. */
#ifndef DEVICE_DOOR_LIST_H
#define DEVICE_DOOR_LIST_H
#include "wire/status.h"

struct list {
        char path[512];                   /* where it is kept */
        const struct status_bits *status; /* NULL: none yet */
        struct status_bits unpacked;
        uint8_t bits[2][STATUS_OCTETS_MAX]; /* the one held, and room for the next */
        unsigned at;
        uint8_t room[STATUS_ROOM];
};

/* list_take: hold the signed list IN where it is the region's and newer than the one held.
 *   store  false: it is on disk already (the start)
 * Returns 1 (taken, and durable); 0 (not newer: nothing changes); -EBADMSG, -EMSGSIZE, -ENOKEY, -EKEYREJECTED, -EXDEV
 * (not a list of this region: nothing changes); an errno of writing (likewise). */
int list_take(struct list *list, struct cbor_span in, const struct trust *trust, uint32_t now_s, bool store);
#endif
