/* libcrypto in a fixed piece of memory: it suffices, it is not used up, and where it is full nobody is let in. */
#include "tests/wire/door.h"

#include <openssl/crypto.h>

#include "device/door/arena.h"

static void suffices(void **state)
{
        struct door d;
        size_t used;

        door_open(&d, BUILDINGS, DOOR_NFC);
        assert_int_equal(door_ask(&d), PASS_GOOD);
        d.signed_proof.at[d.signed_proof.len - 1] ^= 1;
        assert_int_equal(door_ask(&d), PASS_UNPROVED); /* libcrypto makes its tables of errors */
        d.signed_proof.at[d.signed_proof.len - 1] ^= 1;
        used = arena_used();
        for (int i = 0; i < 200; i++) {
                d.signed_proof.at[d.signed_proof.len - 1] ^= (uint8_t)(i % 2);
                assert_int_equal(door_ask(&d), i % 4 == 0 || i % 4 == 3 ? PASS_GOOD : PASS_UNPROVED);
        }
        assert_int_equal(arena_used(), used);
        assert_true(used < ARENA_SIZE / 3);
        door_close(&d);
}

static void full(void **state)
{
        static void *pieces[ARENA_SIZE / 32];
        struct door d;
        size_t count = 0, refused = 0;

        door_open(&d, 1, DOOR_NFC);
        assert_int_equal(door_ask(&d), PASS_GOOD);
        for (size_t size = 1 << 19; size >= 16; size /= 2)
                while ((pieces[count] = OPENSSL_malloc(size)) != NULL)
                        count++;
        for (int i = 0; i < 20; i++) {
                refused += door_ask(&d) != PASS_GOOD;
                if (i < 10)
                        OPENSSL_free(pieces[--count]); /* a little room: it fails later on its way */
        }
        assert_int_equal(refused, 20);
        while (count > 0)
                OPENSSL_free(pieces[--count]);
        assert_int_equal(door_ask(&d), PASS_GOOD);
        assert_null(OPENSSL_malloc(ARENA_SIZE));
        door_close(&d);
}

static void contents(void **state)
{
        uint8_t *piece = OPENSSL_malloc(10);

        memset(piece, 7, 10);
        for (size_t size = 11; size < 100000; size = size * 3 / 2) {
                piece = OPENSSL_realloc(piece, size);
                assert_non_null(piece);
                assert_int_equal((uintptr_t)piece % 16, 0);
                for (size_t i = 0; i < 10; i++)
                        assert_int_equal(piece[i], 7);
                memset(piece, 7, size);
        }
        OPENSSL_free(piece);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(contents), cmocka_unit_test(suffices),
                                            cmocka_unit_test(full) };

        return arena_install() == 0 ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
