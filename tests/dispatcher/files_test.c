/* What a dispatcher reads from files: good ones, and each of the ways they can be wrong. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "dispatcher/files.h"
#include "tests/dispatcher/support/place.h"
#include "wire/signing.h"

#define SQUARE(id, x)                                        \
        "{\"type\":\"Feature\",\"properties\":{\"id\":\"" id \
        "\"},\"geometry\":{\"type\":\"Polygon\",\"coordinates\":[[[" x ",1],[" x ",2],[9,2],[" x ",1]]]}}"
#define ALL(features) "{\"type\":\"FeatureCollection\",\"features\":[" features "]}"

struct shelf {
        struct place place;
        struct config config;
        struct files files;
        struct files_error error;
        struct key *root;
};

static void put(struct shelf *s, const char *name, const char *text)
{
        place_write(&s->place, name, text, strlen(text));
}

static void put_trust(struct shelf *s, uint32_t number, uint32_t not_after_s)
{
        static struct trust trust;
        static uint8_t bytes[TRUST_MAX];
        struct key *key;
        struct cbor_writer to;

        assert_int_equal(key_from_file(place_path(&s->place, "receipt.key"), &key), 0);
        memset(&trust, 0, sizeof(trust));
        trust.number = number;
        snprintf(trust.region, sizeof(trust.region), "r");
        trust.count = 1;
        trust.keys[0].use = TRUST_RECEIPT;
        trust.keys[0].alg = KEY_EDDSA;
        trust.keys[0].not_after_s = not_after_s;
        trust.keys[0].public_len = (uint8_t)key_public(key, trust.keys[0].public);
        key_kid(key, trust.keys[0].kid);
        key_free(key);
        cbor_writer_init(&to, bytes, sizeof(bytes));
        assert_int_equal(trust_sign(&trust, s->root, &to), 0);
        place_write(&s->place, "trust", bytes, to.len);
}

/* The public key of the root that signs from now on. */
static void put_root(struct shelf *s)
{
        char pem[KEY_PEM_MAX];

        assert_int_equal(key_to_pem(s->root, false, pem, sizeof(pem)), 0);
        put(s, "root.pem", pem);
}

static int set_up(void **state)
{
        struct shelf *s = calloc(1, sizeof(*s));
        char pem[KEY_PEM_MAX];
        struct key *key;

        place_open(&s->place);
        assert_int_equal(key_generate(KEY_EDDSA, &s->root), 0);
        assert_int_equal(key_generate(KEY_EDDSA, &key), 0);
        assert_int_equal(key_to_pem(key, true, pem, sizeof(pem)), 0);
        key_free(key);
        put(s, "receipt.key", pem);
        put_trust(s, 5, 1000);
        mkdir(place_path(&s->place, "zones"), 0755);
        snprintf(s->config.zones_path, sizeof(s->config.zones_path), "%s/zones", s->place.dir);
        snprintf(s->config.receipt_key, sizeof(s->config.receipt_key), "%s/receipt.key", s->place.dir);
        snprintf(s->config.trust_path, sizeof(s->config.trust_path), "%s/trust", s->place.dir);
        snprintf(s->config.trust_root, sizeof(s->config.trust_root), "%s/root.pem", s->place.dir);
        snprintf(s->config.region, sizeof(s->config.region), "r");
        put_root(s);
        *state = s;
        return 0;
}

static int tear_down(void **state)
{
        struct shelf *s = *state;

        files_free(&s->files);
        key_free(s->root);
        place_close(&s->place);
        free(s);
        return 0;
}

static int read_all(struct shelf *s)
{
        files_free(&s->files);
        return files_read(&s->config, &s->files, &s->error);
}

static void test_all_zone_files_of_a_folder_are_one_map(void **state)
{
        struct shelf *s = *state;

        put(s, "zones/a.geojson", ALL(SQUARE("a", "1") "," SQUARE("b", "2")));
        put(s, "zones/c.geojson", "\xEF\xBB\xBF" SQUARE("c", "3")); /* one feature, with a byte order mark */
        put(s, "zones/.hidden.geojson", "rubbish");
        put(s, "zones/readme.txt", "rubbish");
        assert_int_equal(read_all(s), 0);
        assert_int_equal(zones_count(s->files.zones), 3);
        assert_non_null(zones_find(s->files.zones, "c"));
        assert_null(s->files.barriers);
        assert_int_equal(s->files.trust_number, 5);
}

static void test_an_empty_folder_is_no_zones_and_one_file_is_a_map(void **state)
{
        struct shelf *s = *state;

        assert_int_equal(read_all(s), 0);
        assert_int_equal(zones_count(s->files.zones), 0);
        put(s, "one.geojson", ALL(SQUARE("a", "1")));
        snprintf(s->config.zones_path, sizeof(s->config.zones_path), "%s/one.geojson", s->place.dir);
        assert_int_equal(read_all(s), 0);
        assert_int_equal(zones_count(s->files.zones), 1);
}

static void test_a_mistake_names_its_file(void **state)
{
        struct shelf *s = *state;

        put(s, "zones/a.geojson", ALL(SQUARE("a", "1")));
        put(s, "zones/b.geojson", ALL(SQUARE("b", "1")) "trailing");
        assert_int_equal(read_all(s), -EBADMSG);
        assert_non_null(strstr(s->error.text, "b.geojson: "));
        put(s, "zones/b.geojson", ALL(SQUARE("a", "1"))); /* good alone, twice together */
        assert_int_equal(read_all(s), -EBADMSG);
        assert_non_null(strstr(s->error.text, "zones: "));
        snprintf(s->config.zones_path, sizeof(s->config.zones_path), "/nonexistent");
        assert_int_equal(read_all(s), -ENOENT);
        assert_string_equal(s->error.text, "/nonexistent: No such file or directory");
}

static void test_barriers_keys_and_lists_that_are_none(void **state)
{
        struct shelf *s = *state;
        char pem[KEY_PEM_MAX];
        struct key *key;

        put(s, "barriers", "{}");
        snprintf(s->config.barriers_path, sizeof(s->config.barriers_path), "%s/barriers", s->place.dir);
        assert_int_equal(read_all(s), -EBADMSG);
        assert_non_null(strstr(s->error.text, "barriers: "));
        put(s, "barriers", ALL(""));
        assert_int_equal(read_all(s), 0);
        assert_int_equal(key_generate(KEY_ES256, &key), 0);
        assert_int_equal(key_to_pem(key, true, pem, sizeof(pem)), 0);
        key_free(key);
        put(s, "receipt.key", pem);
        assert_int_equal(read_all(s), -EBADMSG);
        assert_non_null(strstr(s->error.text, "not a private Ed25519 key"));
        put(s, "receipt.key", "rubbish");
        assert_int_equal(read_all(s), -EINVAL);
        assert_non_null(strstr(s->error.text, "receipt.key: no key or certificate in PEM"));
}

static void test_a_list_that_is_none_or_older_is_not_taken(void **state)
{
        struct shelf *s = *state;

        assert_int_equal(read_all(s), 0);
        assert_true(files_receipt_listed(&s->files, 1000));
        assert_false(files_receipt_listed(&s->files, 1001));
        put_trust(s, 6, 2000);
        assert_int_equal(files_read_trust(&s->config, &s->files, &s->error), 0);
        assert_int_equal(s->files.trust_number, 6);
        assert_true(files_receipt_listed(&s->files, 1001));
        put_trust(s, 5, 3000);
        assert_int_equal(files_read_trust(&s->config, &s->files, &s->error), -EBADMSG);
        put(s, "trust", "rubbish");
        assert_int_equal(files_read_trust(&s->config, &s->files, &s->error), -EBADMSG);
        assert_int_equal(s->files.trust_number, 6);
        assert_true(files_receipt_listed(&s->files, 2000));
        assert_int_equal(read_all(s), -EBADMSG);
}

/* A list that another key signed, or changed after it was, or of another region, is a clear error; the one held stays. */
static void test_a_list_that_the_root_has_not_signed(void **state)
{
        struct shelf *s = *state;
        struct key *root = s->root;

        assert_int_equal(read_all(s), 0);
        assert_int_equal(key_generate(KEY_EDDSA, &s->root), 0);
        put_trust(s, 6, 2000);
        assert_int_equal(files_read_trust(&s->config, &s->files, &s->error), -EKEYREJECTED);
        assert_non_null(strstr(s->error.text, "trust: not signed by the root that trust.root names"));
        assert_int_equal(s->files.trust_number, 5);
        assert_true(files_receipt_listed(&s->files, 1000));
        assert_int_equal(read_all(s), -EKEYREJECTED); /* no start */
        put_root(s);
        assert_int_equal(read_all(s), 0);
        snprintf(s->config.region, sizeof(s->config.region), "q");
        assert_int_equal(files_read_trust(&s->config, &s->files, &s->error), -EXDEV);
        assert_non_null(strstr(s->error.text, "of another region"));
        assert_int_equal(s->files.trust_number, 6);
        key_free(root);
}

static void test_a_root_that_is_none(void **state)
{
        struct shelf *s = *state;
        char pem[KEY_PEM_MAX];
        struct key *key;

        assert_int_equal(key_generate(KEY_ES256, &key), 0);
        assert_int_equal(key_to_pem(key, false, pem, sizeof(pem)), 0);
        key_free(key);
        put(s, "root.pem", pem);
        assert_int_equal(read_all(s), -EBADMSG);
        assert_non_null(strstr(s->error.text, "root.pem: not an Ed25519 key"));
        unlink(place_path(&s->place, "root.pem"));
        assert_int_equal(read_all(s), -ENOENT);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE(test_all_zone_files_of_a_folder_are_one_map),
                CASE(test_an_empty_folder_is_no_zones_and_one_file_is_a_map),
                CASE(test_a_mistake_names_its_file),
                CASE(test_barriers_keys_and_lists_that_are_none),
                CASE(test_a_list_that_is_none_or_older_is_not_taken),
                CASE(test_a_list_that_the_root_has_not_signed),
                CASE(test_a_root_that_is_none),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
