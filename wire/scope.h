/* The scope of a pass: which buildings it opens, as the root of a Merkle tree over their salted ids (PROTOCOL.md 13.2).  A
 * door sees one salt and one path, and nothing of the other stops of the round.  Pure: SHA-256 comes in.
 *
 *      leaf = SHA-256(00, salt 16, building id 8)     node = SHA-256(01, left 16, right 16)     each cut to 16 octets
 *
 * The first octet keeps leaf and node apart (RFC 9162 section 2.1.1).  16 octets are enough: the keeper alone makes trees, so a
 * forger needs a second preimage.  A tree is filled up to a power of two with leaves of zeros, which are the hash of nothing. */
#ifndef WIRE_SCOPE_H
#define WIRE_SCOPE_H
#include "wire/cbor.h"

#define BUILDING_ID_SIZE 8
#define SCOPE_HASH_SIZE  16
#define SCOPE_SALT_SIZE  16

/* Levels of a tree: 1,024 buildings; the largest round has some 400 doors.  scope_build gives -E2BIG for more. */
#define SCOPE_DEPTH_MAX     10
#define SCOPE_BUILDINGS_MAX (1 << SCOPE_DEPTH_MAX)
#define SCOPE_PATH_MAX      (SCOPE_DEPTH_MAX * SCOPE_HASH_SIZE)

/* SHA-256 of DATA. */
struct scope_hash {
        void *user;
        void (*hash)(void *user, struct cbor_span data, uint8_t ret_hash[32]);
};

/* One building of a scope, with the salt that hides it. */
struct scope_leaf {
        uint8_t building[BUILDING_ID_SIZE], salt[SCOPE_SALT_SIZE];
};

/* scope_build: the root over COUNT leaves (1..SCOPE_BUILDINGS_MAX), in their order.
 *   nodes   room to work in, at least scope_nodes(COUNT) hashes
 * Returns 0, -EINVAL (none), -E2BIG. */
int scope_build(const struct scope_hash *sha, const struct scope_leaf *leaves, size_t count,
                uint8_t (*nodes)[SCOPE_HASH_SIZE], uint8_t ret_root[SCOPE_HASH_SIZE]);

/* scope_nodes: how many hashes scope_build and scope_path work in: COUNT rounded up to a power of two. */
size_t scope_nodes(size_t count);

/* scope_path: the hashes that lead from leaf INDEX to the root, lowest first; NODES as above.
 *   ret_len  octets at PATH, a multiple of SCOPE_HASH_SIZE; 0 where there is one building
 * Returns 0, -EINVAL (none, or no such leaf), -E2BIG. */
int scope_path(const struct scope_hash *sha, const struct scope_leaf *leaves, size_t count, size_t index,
               uint8_t (*nodes)[SCOPE_HASH_SIZE], uint8_t path[SCOPE_PATH_MAX], size_t *ret_len);

/* scope_holds: say whether LEAF stands at INDEX of the tree with this ROOT, by PATH.  A path that is no whole number of hashes,
 * longer than SCOPE_PATH_MAX, or too short for INDEX holds nothing. */
bool scope_holds(const struct scope_hash *sha, const uint8_t root[SCOPE_HASH_SIZE], const struct scope_leaf *leaf,
                 uint32_t index, struct cbor_span path);
#endif
