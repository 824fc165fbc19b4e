/* What a door reads from files before it serves: its key, the region's root, the trust list, its mandate, status
 * lists. */
#ifndef DEVICE_DOOR_FILES_H
#define DEVICE_DOOR_FILES_H
#include "device/door/config.h"
#include "device/door/entrance.h"

/* Why a file was refused, for a person: "/etc/vigie/mandate: not of this door's key". */
struct files_error {
        char text[CONFIG_PATH_SIZE + 160];
};

/* files_read: fill in key, trust and mandate of DOOR, and the floor that they give.  Trusted is the root key alone:
 * the trust list is signed by it, the mandate by a door key of that list, and it names our own key.  The mandate's
 * dates are for the phone to judge: this machine's clock may be anything.
 * Returns 0, -EBADMSG (a file's content), -EXDEV (another region's), an errno of reading; told in RET_ERROR. */
int files_read(const struct config *config, struct entrance *door, struct files_error *ret_error);

/* files_read_trust: the trust list again (SIGHUP).  On failure the one held stays.  One with a lower number is
 * refused.  Returns as above. */
int files_read_trust(const struct config *config, struct entrance *door, struct files_error *ret_error);

/* files_read_status: the list that is kept in the state folder (TAKEN_BEFORE), or the one in `status.path`.
 * Returns 1 (held now), 0 (none there, or not newer), a negative errno: not a list of this region; told in
 * RET_ERROR. */
int files_read_status(const char *path, bool taken_before, struct entrance *door, uint32_t clock_s,
                      struct files_error *ret_error);
#endif
