#include "console/books.h"

#include "tests/console/books_support.h"

static void test_fold(void **state)
{
        static const struct {
                const char *text, *folded;
        } cases[] = { { "", "" },
                      { "Léa MARTIN", "lea martin" },
                      { "Œuvre Çà Ñ", "ouvre ca n" },
                      { "Łódź", "lodz" },
                      { "東京 A", "東京 a" },
                      { "×÷", "×÷" },
                      { "12 rue É", "12 rue e" } };
        char to[64];

        for (size_t i = 0; i < COUNT(cases); i++) {
                assert_int_equal(book_fold(cases[i].text, to, sizeof(to)), strlen(cases[i].folded));
                assert_string_equal(to, cases[i].folded);
        }
        assert_int_equal(book_fold("ab東", to, 5), 2); /* cut at a whole letter */
        assert_string_equal(to, "ab");
}

static void test_search(void **state)
{
        struct books *books = books_of_a_region();
        struct book_search search = { .words = "roux cam" };

        books_search(books, BOOK_CARRIERS, &search);
        assert_int_equal(search.count, 1);
        assert_string_equal(search.found[0]->key, "c1");
        search = (struct book_search){ .words = "roux zzz" };
        books_search(books, BOOK_CARRIERS, &search);
        assert_int_equal(search.count, 0);
        for (unsigned i = 0; i < BOOK_FOUND_MAX + 7; i++)
                put_carrier(books, i, "Xavier");
        search = (struct book_search){ .words = "xavier" };
        books_search(books, BOOK_CARRIERS, &search);
        assert_int_equal(search.count, BOOK_FOUND_MAX);
        assert_int_equal(search.rest, 7);
        for (size_t i = 1; i < search.count; i++)
                assert_true(strcmp(search.found[i - 1]->words, search.found[i]->words) < 0);
        books_free(books);
}

static void test_phones(void **state)
{
        struct books *books = books_of_a_region();

        assert_string_equal(books_phone(books, "c1")->key, PHONE);
        assert_null(books_phone(books, "c2"));
        assert_null(books_phone(books, ""));
        put_phone(books, PHONE, "c1", 1700000000); /* revoked: still theirs, until there is another */
        assert_string_equal(books_phone(books, "c1")->key, PHONE);
        put_phone(books, OTHER_PHONE, "c1", 0);
        assert_string_equal(books_phone(books, "c1")->key, OTHER_PHONE);
        put_phone(books, OTHER_PHONE, "c2", 0);
        assert_string_equal(books_phone(books, "c1")->key, PHONE);
        assert_string_equal(books_phone(books, "c2")->key, OTHER_PHONE);
        assert_int_equal(books_put(books, BOOK_HANDSETS, PHONE, NULL, 0), 0);
        assert_null(books_phone(books, "c1"));
        books_free(books);
}

static void test_refused(void **state)
{
        struct books *books = books_of_a_region();
        char key[LOOKUP_NAME_MAX + 2];

        memset(key, 'x', sizeof(key));
        key[sizeof(key) - 1] = '\0';
        assert_int_equal(books_put(books, BOOK_LISTS, key, (const uint8_t *)"x", 1), -EINVAL);
        key[sizeof(key) - 2] = '\0';
        assert_int_equal(books_put(books, BOOK_LISTS, key, (const uint8_t *)"x", 1), 0);
        assert_int_equal(books_put(books, BOOK_LISTS, "", (const uint8_t *)"x", 1), -EINVAL);
        assert_int_equal(books_put(books, BOOK_LISTS, "a\xc3", (const uint8_t *)"x", 1), -EINVAL);
        assert_int_equal(books_put(books, BOOK_ROUNDS, "r9", (const uint8_t *)"\x80", 1), -EBADMSG);
        assert_null(books_get(books, BOOK_ROUNDS, "r9"));
        assert_int_equal(books_put(books, BOOK_ROUNDS, "r1", (const uint8_t *)"\x80", 1), -EBADMSG);
        assert_null(books_get(books, BOOK_ROUNDS, "r1")); /* what cannot be read is as if it were not there */
        books_free(books);
}

/* Loaded anew: nothing is missing meanwhile, and what was not said again goes. */
static void test_sweep(void **state)
{
        struct books *books = books_of_a_region();

        put_carrier(books, 1, "Gone");
        books_begin(books, BOOK_CARRIERS);
        put_carrier(books, 2, "Stays");
        assert_non_null(books_get(books, BOOK_CARRIERS, "x1"));
        books_sweep(books, BOOK_CARRIERS);
        assert_null(books_get(books, BOOK_CARRIERS, "x1"));
        assert_null(books_get(books, BOOK_CARRIERS, "c1"));
        assert_non_null(books_get(books, BOOK_CARRIERS, "x2"));
        assert_non_null(books_get(books, BOOK_ROUNDS, "r1"));
        books_free(books);
}

/* Loaded anew twice, the second time before the first was through: the older one's answers count no more. */
static void test_loads(void **state)
{
        struct books *books = books_of_a_region();
        uint32_t first = books_begin(books, BOOK_CARRIERS), second;

        assert_true(books_loads(books, BOOK_CARRIERS, first));
        second = books_begin(books, BOOK_CARRIERS);
        assert_false(books_loads(books, BOOK_CARRIERS, first));
        assert_true(books_loads(books, BOOK_CARRIERS, second));
        assert_true(books_loads(books, BOOK_ROUNDS, 0));
        books_free(books);
}

static void test_order(void **state)
{
        struct books *books = books_of_a_region();

        assert_int_equal(books_order(books, "wipe", PHONE), 0);
        assert_int_equal(books_put(books, BOOK_LISTS, "wipe:" PHONE, (const uint8_t *)"4294967295", 10), 0);
        assert_int_equal(books_order(books, "wipe", PHONE), 4294967295);
        assert_int_equal(books_order(books, "again", PHONE), 0);
        assert_int_equal(books_put(books, BOOK_LISTS, "again:" PHONE, (const uint8_t *)"1234567890123456", 16), 0);
        assert_int_equal(books_order(books, "again", PHONE), 0); /* no number of ours */
        books_free(books);
}

static size_t passes_of(const struct books *books, const char *phone, const char **ret_first)
{
        struct handset_id id;
        size_t n = 0;

        assert_int_equal(handset_id_from_text(phone, &id), 0);
        for (const struct book_item *item = books_passes(books, &id); item != NULL; item = item->next, n++)
                *ret_first = item->key;
        return n;
}

static void put_pass(struct books *books, const char *key, const char *phone)
{
        static struct pass_entry pass;
        uint8_t buf[DESK_LONG_MAX];

        pass = (struct pass_entry){ .carrier = "c1", .round = "r1", .by = "odile", .not_after_s = 9 };
        assert_int_equal(handset_id_from_text(phone, &pass.handset), 0);
        put(books, BOOK_PASSES, key, buf, pass_entry_encode(&pass, buf, sizeof(buf)));
}

/* By phone, whatever is put, changed, or goes, in any order. */
static void test_passes(void **state)
{
        static const char *const keys[] = { "a1", "a2", "a3" };
        const char *some = NULL;

        for (unsigned gone = 0; gone < 3; gone++) {
                struct books *books = books_of_a_region();

                for (unsigned i = 0; i < 3; i++)
                        put_pass(books, keys[i], PHONE);
                put_pass(books, keys[1], PHONE);
                assert_int_equal(passes_of(books, PHONE, &some), 3);
                assert_int_equal(books_put(books, BOOK_PASSES, keys[gone], NULL, 0), 0);
                assert_int_equal(passes_of(books, PHONE, &some), 2);
                put_pass(books, keys[(gone + 1) % 3], OTHER_PHONE);
                assert_int_equal(passes_of(books, PHONE, &some), 1);
                assert_string_equal(some, keys[(gone + 2) % 3]);
                assert_int_equal(passes_of(books, OTHER_PHONE, &some), 1);
                assert_int_equal(books_put(books, BOOK_PASSES, keys[(gone + 2) % 3], NULL, 0), 0);
                assert_int_equal(passes_of(books, PHONE, &some), 0);
                books_free(books);
        }
}

static void test_no_password_is_kept(void **state)
{
        struct books *books = books_of_a_region();
        const struct book_item *item = books_get(books, BOOK_USERS, "odile");
        struct user_entry user;

        assert_int_equal(user_entry_decode(item->data, item->size, &user), 0);
        assert_string_equal(user.name, "Odile");
        assert_string_equal(user.password, "");
        books_free(books);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_fold),
                cmocka_unit_test(test_search),
                cmocka_unit_test(test_phones),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_sweep),
                cmocka_unit_test(test_loads),
                cmocka_unit_test(test_order),
                cmocka_unit_test(test_passes),
                cmocka_unit_test(test_no_password_is_kept),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
