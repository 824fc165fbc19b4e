/* keys: the region's key pairs as files: private ones readable by their owner alone. */
#ifndef OPS_VIGIE_KEYS_H
#define OPS_VIGIE_KEYS_H

#include "ops/vigie/region.h"
#include "wire/key.h"

/* A key pair to make: the file of the private half, NAME.key in FOLDER ("" the region's own), and NAME.pem in the region. */
struct keys_pair {
        enum key_alg alg;
        const char *folder, *name;
};

/* keys_put: write the private KEY as NAME.key into FOLDER of the region, mode 0600.  keys_make: draw a pair and write both halves.
 * keys_take_public: write NAME.pem of a pair whose private half is there.
 * Return 0, -EIO (libcrypto), -ENAMETOOLONG, what writing or reading gave (told on stderr). */
int keys_put(const struct region *region, const struct key *key, const char *folder, const char *name);
int keys_make(const struct region *region, const struct keys_pair *pair);
int keys_take_public(const struct region *region, const struct keys_pair *pair);

#endif
