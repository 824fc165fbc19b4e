/* keeper: what vigie-keeper alone has: the folder keeper/ with its private keys, and keeper.conf. */
#ifndef OPS_VIGIE_KEEPER_H
#define OPS_VIGIE_KEEPER_H

#include "ops/vigie/conf_text.h"
#include "ops/vigie/region.h"
#include "ops/vigie/setup.h"

/* Where console and dispatchers ask, as vigie-keeper.service has it. */
#define KEEPER_SOCKET "/run/vigie-keeper/socket"

/* keeper_make: the keys that are not there yet (keeper/NAME.key, and door.key, which is this tool's), NAME.pem of all of them, and
 * keeper.conf as CONFIGURATION says it.  A position.key of the region itself, as regions of before have it, moves into keeper/.
 * Cut short, it is done again.  Returns 0, or a negative errno after telling on stderr. */
int keeper_make(const struct region *region, const struct conf_text *configuration);

/* keeper_peers: the system users of console and dispatchers, whom the keeper answers: `vigie` and `vigie-dispatcher` where this machine
 * has them (the units' own); else whoever runs this tool, and no other for dispatchers. */
void keeper_peers(struct setup *ret_setup);

/* keeper_socket_check: the full name of a unix socket.  Returns 0, -EINVAL (told on stderr). */
int keeper_socket_check(const char *path);

/* keeper_main: make: all of this in a region that was made before. */
int keeper_main(struct region *region, int argc, char **argv);

#endif
