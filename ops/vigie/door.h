/* vigie door: the doors of a region, and what each of them is given; vigie door-log: what a door wrote down. */
#ifndef OPS_VIGIE_DOOR_H
#define OPS_VIGIE_DOOR_H

#include "ops/vigie/region.h"
#include "wire/desk.h"

/* Octets of a door's id as text, with its NUL. */
#define DOOR_ID_TEXT (2 * DOOR_ID_SIZE + 1)

/* door_link: the link of the caretaker's page for a building: PAGE, '#', and in base64url what the page believes from then on (the
 * region, its root key, the building), into TO of DOOR_LINK_MAX octets.
 * Returns 0, -ENOBUFS, -EINVAL (PAGE is no https:// or http:// address: told), what reading root.pem gave (told). */
#define DOOR_LINK_MAX 1024
struct door_place {
        const char *page; /* https://.../caretaker/ */
        const uint8_t *building;
        const struct building_entry *entry;
};
int door_link(const struct region *region, const struct door_place *place, char to[DOOR_LINK_MAX]);

/* door_main: add, list, remove ID.  door_log_main: `door-log FOLDER`.  Return the exit status. */
int door_main(struct region *region, int argc, char **argv);
int door_log_main(struct region *region, int argc, char **argv);

#endif
