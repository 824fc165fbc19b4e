#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "dispatcher/table.h"

struct element {
        uint32_t key;
        uint32_t value;
};

/* Random adds and removes against a plain array, with few keys so that runs of slots form and break. */
static void test_against_an_array(void **state)
{
        struct table table;
        bool there[500] = { false };
        uint32_t random = 1;
        size_t count = 0;

        table_init(&table, sizeof(uint32_t), sizeof(struct element), 400, 7);
        for (int i = 0; i < 200000; i++) {
                uint32_t key = (random = random * 1664525 + 1013904223) >> 16;
                struct element *element;

                key %= 500;
                element = table_find(&table, &key);
                assert_int_equal(element != NULL, there[key]);
                if (element != NULL) {
                        assert_int_equal(element->value, key + 1);
                        table_remove(&table, element);
                        there[key] = false;
                        count--;
                } else {
                        element = table_add(&table, &key);
                        assert_int_equal(element == NULL, count == 400);
                        if (element == NULL)
                                continue;
                        assert_int_equal(element->value, 0);
                        element->value = key + 1;
                        there[key] = true;
                        count++;
                }
                assert_int_equal(table.count, count);
        }
        table_free(&table);
}

static void test_next_shows_each_once(void **state)
{
        struct table table;
        struct element *element;
        size_t seen = 0;
        uint64_t sum = 0;

        table_init(&table, sizeof(uint32_t), sizeof(struct element), 1000, 7);
        for (size_t i = 0; table_next(&table, &i) != NULL;)
                fail();
        for (uint32_t key = 1; key <= 1000; key++)
                assert_non_null(table_add(&table, &key));
        for (size_t i = 0; (element = table_next(&table, &i)) != NULL; seen++)
                sum += element->key;
        assert_int_equal(seen, 1000);
        assert_int_equal(sum, 500500);
        for (size_t i = 0; (element = table_next(&table, &i)) != NULL; i--) /* emptied while it is walked */
                table_remove(&table, element);
        assert_int_equal(table.count, 0);
        table_free(&table);
}

/* One more than the bound; who is in stays findable, and adding who is in gives it. */
static void test_bound(void **state)
{
        struct table table;
        uint32_t key = 1;
        struct element *first;

        table_init(&table, sizeof(uint32_t), sizeof(struct element), 2, 7);
        first = table_add(&table, &key);
        key = 2;
        assert_non_null(table_add(&table, &key));
        key = 3;
        assert_null(table_add(&table, &key));
        assert_null(table_find(&table, &key));
        key = 1;
        assert_ptr_equal(table_add(&table, &key), first);
        table_free(&table);
        table_free(&table);
}

static void test_texts(void **state)
{
        struct table table;
        char *a, *b;

        table_init(&table, 5, 8, 10, 7);
        a = table_add_text(&table, "ab");
        b = table_add_text(&table, "abcd");
        assert_non_null(a);
        assert_non_null(b);
        assert_string_equal(a, "ab");
        assert_ptr_equal(table_find_text(&table, "ab"), a);
        assert_ptr_equal(table_find_text(&table, "abcd"), b);
        assert_null(table_find_text(&table, "abc"));
        assert_null(table_add_text(&table, "abcde")); /* one octet too long */
        assert_null(table_find_text(&table, "abcde"));
        table_free(&table);
}

static void test_hash_takes_its_seed_and_length(void **state)
{
        assert_int_not_equal(table_hash(1, "abc", 3), table_hash(2, "abc", 3));
        assert_int_not_equal(table_hash(1, "abc", 3), table_hash(1, "abc\0", 4));
        assert_int_not_equal(table_hash(1, "abcdefgh", 8), table_hash(1, "abcdefgh\0", 9));
        assert_int_equal(table_hash(1, "abc", 3), table_hash(1, "abc", 3));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_against_an_array),
                cmocka_unit_test(test_next_shows_each_once),
                cmocka_unit_test(test_bound),
                cmocka_unit_test(test_texts),
                cmocka_unit_test(test_hash_takes_its_seed_and_length),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
