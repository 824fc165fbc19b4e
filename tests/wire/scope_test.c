#include "tests/wire/octets.h"

#include <errno.h>

#include "wire/pass_signing.h"

static struct pass_crypto crypto;
static struct scope_leaf leaves[SCOPE_BUILDINGS_MAX + 1];
static uint8_t nodes[SCOPE_BUILDINGS_MAX][SCOPE_HASH_SIZE];

/* Each leaf of trees of every size around a power of two is found by its path, at its place alone; no other is. */
static void every_leaf(void **state)
{
        static const size_t counts[] = { 1, 2, 3, 4, 5, 7, 8, 9, 31, 33, 400, SCOPE_BUILDINGS_MAX };
        uint8_t root[SCOPE_HASH_SIZE], path[SCOPE_PATH_MAX];
        size_t len;

        for (size_t c = 0; c < sizeof(counts) / sizeof(*counts); c++) {
                assert_int_equal(scope_build(&crypto.sha, leaves, counts[c], nodes, root), 0);
                for (size_t i = 0; i < counts[c]; i++) {
                        struct scope_leaf other = leaves[i];
                        struct cbor_span span = { path, 0 };

                        assert_int_equal(scope_path(&crypto.sha, leaves, counts[c], i, nodes, path, &len), 0);
                        assert_memory_equal(nodes[0], root, SCOPE_HASH_SIZE);
                        span.len = len;
                        assert_int_equal((size_t)1 << len / SCOPE_HASH_SIZE, scope_nodes(counts[c]));
                        assert_true(scope_holds(&crypto.sha, root, &leaves[i], (uint32_t)i, span));
                        assert_false(scope_holds(&crypto.sha, root, &leaves[i], (uint32_t)(i ^ 1), span));
                        assert_false(scope_holds(&crypto.sha, root, &leaves[i], (uint32_t)(i + scope_nodes(counts[c])),
                                                 span));
                        other.building[3] ^= 1;
                        assert_false(scope_holds(&crypto.sha, root, &other, (uint32_t)i, span));
                        other = leaves[i];
                        other.salt[15] ^= 0x80;
                        assert_false(scope_holds(&crypto.sha, root, &other, (uint32_t)i, span));
                        span.len = len > 0 ? len - 1 : SCOPE_HASH_SIZE;
                        assert_false(scope_holds(&crypto.sha, root, &leaves[i], (uint32_t)i, span));
                        span.len = SCOPE_PATH_MAX + SCOPE_HASH_SIZE;
                        assert_false(scope_holds(&crypto.sha, root, &leaves[i], (uint32_t)i, span));
                }
        }
}

/* A node is never taken for a leaf: what a path ends in cannot be shown as a building of its own. */
static void a_node_is_no_leaf(void **state)
{
        uint8_t root[SCOPE_HASH_SIZE], path[SCOPE_PATH_MAX];
        struct scope_leaf forged;
        size_t len;

        assert_int_equal(scope_build(&crypto.sha, leaves, 2, nodes, root), 0);
        assert_int_equal(scope_path(&crypto.sha, leaves, 2, 1, nodes, path, &len), 0); /* the hash of leaf 0 */
        memcpy(forged.salt, path, SCOPE_SALT_SIZE);
        memset(forged.building, 0, BUILDING_ID_SIZE);
        assert_false(scope_holds(&crypto.sha, root, &forged, 0, (struct cbor_span){ NULL, 0 }));
        /* and the zeros that fill a tree up are the hash of nothing that anybody knows */
        assert_int_equal(scope_build(&crypto.sha, leaves, 3, nodes, root), 0);
        assert_int_equal(scope_path(&crypto.sha, leaves, 3, 2, nodes, path, &len), 0);
        memset(&forged, 0, sizeof(forged));
        assert_false(scope_holds(&crypto.sha, root, &forged, 3, (struct cbor_span){ path, len }));
}

static void bounds(void **state)
{
        uint8_t root[SCOPE_HASH_SIZE], path[SCOPE_PATH_MAX];
        size_t len;

        assert_int_equal(scope_build(&crypto.sha, leaves, 0, nodes, root), -EINVAL);
        assert_int_equal(scope_path(&crypto.sha, leaves, 3, 3, nodes, path, &len), -EINVAL);
        assert_int_equal(scope_build(&crypto.sha, leaves, SCOPE_BUILDINGS_MAX + 1, nodes, root), -E2BIG);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_leaf),
                cmocka_unit_test(a_node_is_no_leaf),
                cmocka_unit_test(bounds),
        };

        pass_crypto_init(&crypto);
        for (size_t i = 0; i <= SCOPE_BUILDINGS_MAX; i++) {
                memcpy(leaves[i].building, &i, BUILDING_ID_SIZE);
                memset(leaves[i].salt, (int)(i * 31 + 5), SCOPE_SALT_SIZE);
        }
        return cmocka_run_group_tests(tests, NULL, NULL);
}
