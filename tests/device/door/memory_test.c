/* What is taken is not taken twice, by each way; what happens when it is full. */
#include "tests/wire/octets.h"

#include "device/door/memory.h"

static struct memory memory;

static void take(uint32_t n, uint32_t counter)
{
        uint8_t pass[PASS_ID_SIZE] = { 0 };

        memcpy(pass, &n, sizeof(n));
        memory_take(&memory, pass, counter);
}

static bool was_here(uint32_t n, uint32_t counter)
{
        uint8_t pass[PASS_ID_SIZE] = { 0 };

        memcpy(pass, &n, sizeof(n));
        return memory_was_here(&memory, pass, counter);
}

static void nfc(void **state)
{
        memory_init(&memory, DOOR_NFC);
        assert_false(was_here(1, 0));
        take(1, 5);
        assert_true(was_here(1, 0));
        assert_true(was_here(1, 5));
        assert_false(was_here(1, 6));
        assert_false(was_here(2, 5));
        take(1, UINT32_MAX);
        assert_true(was_here(1, UINT32_MAX));
        assert_int_equal(memory.count, 1);
}

static void one_way(void **state)
{
        memory_init(&memory, DOOR_SCANNER);
        take(1, 5);
        assert_true(was_here(1, 5));
        assert_false(was_here(1, 4));
        assert_false(was_here(2, 5));
        take(1, 4);
        assert_true(was_here(1, 5));
        assert_int_equal(memory.count, 2);
}

/* One more than it holds: the one not seen for longest goes, and no other. */
static void full(void **state)
{
        memory_init(&memory, DOOR_NFC);
        for (uint32_t i = 0; i < MEMORY_ROWS; i++)
                take(i, 1);
        take(0, 2); /* seen again */
        take(MEMORY_ROWS, 1);
        assert_int_equal(memory.count, MEMORY_ROWS);
        assert_true(was_here(0, 2));
        assert_false(was_here(1, 1));
        for (uint32_t i = 2; i <= MEMORY_ROWS; i++)
                assert_true(was_here(i, 1));
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(nfc), cmocka_unit_test(one_way), cmocka_unit_test(full) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
