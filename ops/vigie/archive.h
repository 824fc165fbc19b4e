/* vigie archive: the feed into files, for ever. */
#ifndef OPS_VIGIE_ARCHIVE_H
#define OPS_VIGIE_ARCHIVE_H

#include "ops/vigie/archive_folder.h"

/* archive_main: `archive [--once] [--checkpoint] [--take-over]`.  Returns the exit status. */
int archive_main(struct region *region, int argc, char **argv);

/* archive_where: the archive's folder by the region's configuration.  Returns 0, -ENAMETOOLONG (told). */
int archive_where(const struct region *region, char to[REGION_PATH_MAX]);

/* archive_key: the region's archive.key; the caller frees it.  Returns 0, or a negative errno (told). */
int archive_key(const struct region *region, struct key **ret_key);

/* archive_as_user: from now on the region's Redis are connected to as the archive's user. */
void archive_as_user(struct region *region);

#endif
