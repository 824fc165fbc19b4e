#include "tests/ops/place.h"

#include <time.h>

#include "wire/signing.h"

/* The region's list, verified by its root. */
static void read_list(const struct place *p, struct trust *trust)
{
        uint8_t list[TRUST_MAX + 1];
        struct key *root = NULL;
        char path[256];
        size_t len = place_get(p, "region/trust.cose", (char *)list, sizeof(list));

        assert_int_equal(key_from_file(place_path(p, "region/root.pem", path), &root), 0);
        assert_int_equal(trust_open((struct cbor_span){ list, len }, root, trust), 0);
        key_free(root);
}

/* A new key pair of the region: NAME.pem, and NAME.key. */
static void make_key(const struct place *p, const char *name, enum key_alg alg)
{
        struct key *key = NULL;
        char pem[KEY_PEM_MAX], file[64];

        assert_int_equal(key_generate(alg, &key), 0);
        for (int private = 0; private < 2; private ++) {
                assert_int_equal(key_to_pem(key, private, pem, sizeof(pem)), 0);
                snprintf(file, sizeof(file), "%s.%s", name, private ? "key" : "pem");
                place_put(p, file, pem, strlen(pem));
        }
        key_free(key);
}

static void move(const struct place *p, const char *from, const char *to)
{
        char a[256], b[256];

        assert_int_equal(rename(place_path(p, from, a), place_path(p, to, b)), 0);
}

static void test_numbers_rise_and_dates_stay(void **state)
{
        struct place *p = *state;
        static struct trust first, next;

        read_list(p, &first);
        assert_int_equal(first.number, 1);
        usleep(1100000); /* dates are in seconds: those of a key that was listed must not be today's */
        for (uint32_t n = 2; n < 5; n++) {
                assert_int_equal(VIGIE(p, "trust", "sign"), 0);
                read_list(p, &next);
                assert_int_equal(next.number, n);
        }
        assert_true(next.issued_at_s > first.issued_at_s);
        assert_int_equal(next.count, first.count);
        for (size_t i = 0; i < next.count; i++) {
                assert_memory_equal(next.keys[i].kid, first.keys[i].kid, KEY_KID_SIZE);
                assert_int_equal(next.keys[i].not_before_s, first.keys[i].not_before_s);
                assert_int_equal(next.keys[i].not_after_s, first.keys[i].not_after_s);
        }
}

static void test_a_successor_is_listed_with_dates_of_its_own(void **state)
{
        struct place *p = *state;
        static struct trust first, next;
        size_t receipts = 0;

        read_list(p, &first);
        usleep(1100000);
        make_key(p, "region/receipt-next", KEY_EDDSA);
        assert_int_equal(VIGIE(p, "trust", "sign"), 0);
        assert_string_equal(p->out, "trust list 2: 7 keys\n");
        read_list(p, &next);
        for (size_t i = 0; i < next.count; i++)
                if (next.keys[i].use == TRUST_RECEIPT)
                        receipts++;
        assert_int_equal(receipts, 2);
        assert_true(trust_current(&next, TRUST_RECEIPT, next.issued_at_s)->not_after_s >
                    trust_current(&first, TRUST_RECEIPT, first.issued_at_s)->not_after_s);
        /* the successor takes over: it keeps the dates it was listed with, the old one goes on as -old */
        move(p, "region/receipt.pem", "region/receipt-old.pem");
        move(p, "region/receipt-next.pem", "region/receipt.pem");
        assert_int_equal(VIGIE(p, "trust", "sign"), 0);
        read_list(p, &first);
        assert_int_equal(first.count, 7);
        for (size_t i = 0; i < first.count; i++)
                assert_non_null(trust_find(&next, first.keys[i].kid, first.keys[i].use, first.keys[i].not_after_s));
}

static void test_the_root_is_needed(void **state)
{
        struct place *p = *state;
        static struct trust list;
        char path[256];

        move(p, "region/root.key", "root.key"); /* as vigie init asks */
        REFUSED(p, 1, "root.key: No such file", "trust", "sign");
        assert_int_equal(VIGIE(p, "trust", "sign", "--root", place_path(p, "root.key", path)), 0);
        read_list(p, &list);
        assert_int_equal(list.number, 2);
        make_key(p, "other", KEY_EDDSA);
        REFUSED(p, 1, "other.key: Key was rejected", "trust", "sign", "--root", place_path(p, "other.key", path));
        REFUSED(p, 1, "root.pem: Key was rejected", "trust", "sign", "--root", place_path(p, "region/root.pem", path));
        read_list(p, &list);
        assert_int_equal(list.number, 2);
}

static void test_what_cannot_be_listed(void **state)
{
        struct place *p = *state;
        static struct trust list;

        make_key(p, "region/pass", KEY_ES256); /* the region signs passes by Ed25519 */
        REFUSED(p, 1, "pass.pem: not a key of the kind that a pass key is", "trust", "sign");
        place_put(p, "region/pass.pem", "nothing", 7);
        REFUSED(p, 1, "pass.pem: ", "trust", "sign");
        make_key(p, "region/pass", KEY_EDDSA);
        assert_int_equal(VIGIE(p, "trust", "sign"), 0);
        read_list(p, &list);
        assert_int_equal(list.number, 2);
        assert_int_equal(list.count, 6);
        place_put(p, "region/trust.cose", "nothing", 7); /* numbers must rise, and what was last is not known */
        REFUSED(p, 1, "trust.cose: the list to follow", "trust", "sign");
        REFUSED(p, 2, "usage: vigie trust sign", "trust");
}

#define WITH_REGION(test) cmocka_unit_test_setup_teardown(test, place_open_region, place_close)

int main(void)
{
        const struct CMUnitTest tests[] = {
                WITH_REGION(test_numbers_rise_and_dates_stay),
                WITH_REGION(test_a_successor_is_listed_with_dates_of_its_own),
                WITH_REGION(test_the_root_is_needed),
                WITH_REGION(test_what_cannot_be_listed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
