#include "wire/scope.h"

#include <errno.h>
#include <string.h>

static void cut(const struct scope_hash *sha, const uint8_t *data, size_t len, uint8_t to[SCOPE_HASH_SIZE])
{
        uint8_t whole[32];

        sha->hash(sha->user, (struct cbor_span){ data, len }, whole);
        memcpy(to, whole, SCOPE_HASH_SIZE);
}

static void leaf_hash(const struct scope_hash *sha, const struct scope_leaf *leaf, uint8_t to[SCOPE_HASH_SIZE])
{
        uint8_t data[1 + SCOPE_SALT_SIZE + BUILDING_ID_SIZE] = { 0x00 };

        memcpy(data + 1, leaf->salt, SCOPE_SALT_SIZE);
        memcpy(data + 1 + SCOPE_SALT_SIZE, leaf->building, BUILDING_ID_SIZE);
        cut(sha, data, sizeof(data), to);
}

/* TO may be LEFT or RIGHT. */
static void node_hash(const struct scope_hash *sha, const uint8_t *left, const uint8_t *right,
                      uint8_t to[SCOPE_HASH_SIZE])
{
        uint8_t data[1 + 2 * SCOPE_HASH_SIZE] = { 0x01 };

        memcpy(data + 1, left, SCOPE_HASH_SIZE);
        memcpy(data + 1 + SCOPE_HASH_SIZE, right, SCOPE_HASH_SIZE);
        cut(sha, data, sizeof(data), to);
}

size_t scope_nodes(size_t count)
{
        size_t width = 1;

        while (width < count)
                width *= 2;
        return width;
}

int scope_path(const struct scope_hash *sha, const struct scope_leaf *leaves, size_t count, size_t index,
               uint8_t (*nodes)[SCOPE_HASH_SIZE], uint8_t path[SCOPE_PATH_MAX], size_t *ret_len)
{
        size_t width = scope_nodes(count), len = 0;

        if (count == 0 || index >= count)
                return -EINVAL;
        if (count > SCOPE_BUILDINGS_MAX)
                return -E2BIG;
        memset(nodes, 0, width * sizeof(*nodes));
        for (size_t i = 0; i < count; i++)
                leaf_hash(sha, &leaves[i], nodes[i]);
        for (; width > 1; width /= 2, index /= 2) {
                memcpy(path + len, nodes[index ^ 1], SCOPE_HASH_SIZE);
                len += SCOPE_HASH_SIZE;
                for (size_t i = 0; i < width / 2; i++)
                        node_hash(sha, nodes[2 * i], nodes[2 * i + 1], nodes[i]);
        }
        *ret_len = len;
        return 0;
}

int scope_build(const struct scope_hash *sha, const struct scope_leaf *leaves, size_t count,
                uint8_t (*nodes)[SCOPE_HASH_SIZE], uint8_t ret_root[SCOPE_HASH_SIZE])
{
        uint8_t path[SCOPE_PATH_MAX];
        size_t len;
        int r = scope_path(sha, leaves, count, 0, nodes, path, &len);

        if (r == 0)
                memcpy(ret_root, nodes[0], SCOPE_HASH_SIZE);
        return r;
}

bool scope_holds(const struct scope_hash *sha, const uint8_t root[SCOPE_HASH_SIZE], const struct scope_leaf *leaf,
                 uint32_t index, struct cbor_span path)
{
        uint8_t node[SCOPE_HASH_SIZE];

        if (path.len > SCOPE_PATH_MAX || path.len % SCOPE_HASH_SIZE != 0)
                return false;
        leaf_hash(sha, leaf, node);
        for (size_t at = 0; at < path.len; at += SCOPE_HASH_SIZE, index /= 2)
                if (index % 2 == 0)
                        node_hash(sha, node, path.at + at, node);
                else
                        node_hash(sha, path.at + at, node, node);
        return index == 0 && memcmp(node, root, SCOPE_HASH_SIZE) == 0;
}
