/* What a dispatcher reads from files before it serves: zones, barriers, the receipt key, the trust list. */
#ifndef DISPATCHER_FILES_H
#define DISPATCHER_FILES_H

#include <stddef.h>
#include <stdint.h>

#include "dispatcher/config.h"
#include "geo/barrier.h"
#include "geo/zone.h"
#include "wire/key.h"
#include "wire/trust.h"

/* Files in the folder of zones: one a department, or one a team.  One more is refused. */
#define FILES_ZONES_MAX 1024

struct files {
        struct zones *zones;
        struct barriers *barriers; /* NULL: none configured */
        struct key *root; /* the region's, public: who signs trust lists */
        struct key *receipt_key;
        uint8_t receipt_kid[KEY_KID_SIZE];
        uint32_t trust_number;
        char *trust; /* the signed list; malloc'ed */
        size_t trust_len;
};

/* Why a file was refused, for a person: "zones/lyon.geojson: feature 12: ring 1 is not closed". */
struct files_error {
        char text[CONFIG_PATH_SIZE + 320];
};

/* files_read: read them all.
 *   ret_files  freed by files_free; half-filled on failure, and files_free copes
 *   ret_error  written on failure
 * Returns 0, -EBADMSG (a file's content), -E2BIG (too many zones' files), an errno of reading, -ENOMEM. */
int files_read(const struct config *config, struct files *ret_files, struct files_error *ret_error);
void files_free(struct files *files);

/* files_read_trust: read the trust list again (SIGHUP), against the root read at the start.  On failure FILES keeps the
 * one it has.  Returns as above, and as trust_open() (the root has not signed it). */
int files_read_trust(const struct config *config, struct files *files, struct files_error *ret_error);

/* files_receipt_listed: say whether handsets that hold the trust list would believe the receipt key at AT_S (UTC). */
bool files_receipt_listed(const struct files *files, uint32_t at_s);

#endif
