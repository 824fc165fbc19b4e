#include "tests/wire/octets.h"

#include <errno.h>
#include <stdio.h>

#include "wire/sealed.h"

static const struct handset_id handset = { { 0x5a, 0x17, 0xc0, 0xde, 0, 0, 0, 1 } };
static const struct sealed_position lyon = { 457640430, 48356590, 12, 1760000000 };

struct fixture {
        struct key *key;
        uint8_t kid[KEY_KID_SIZE], public[KEY_PUBLIC_MAX], random[SEALED_RANDOM_SIZE];
        struct sealed_to to;
};

static void set_up(struct fixture *f)
{
        uint8_t scalar[KEY_PRIVATE_SIZE];

        memset(scalar, 0x44, sizeof(scalar));
        assert_int_equal(key_from_private(KEY_ECDH_ES, scalar, &f->key), 0);
        assert_int_equal(key_kid(f->key, f->kid), 0);
        key_public(f->key, f->public);
        for (size_t i = 0; i < sizeof(f->random); i++)
                f->random[i] = (uint8_t)(i + 1);
        f->to = (struct sealed_to){ f->kid, f->public, &handset };
}

static void same(const struct sealed_position *a, const struct sealed_position *b)
{
        assert_int_equal(a->lat_e7, b->lat_e7);
        assert_int_equal(a->lon_e7, b->lon_e7);
        assert_int_equal(a->accuracy_m, b->accuracy_m);
        assert_int_equal(a->fix_at_s, b->fix_at_s);
}

/* What another implementation sealed with the same key and randomness is what ours seals, octet for octet. */
static void as_another_implementation(void **state)
{
        struct fixture f;
        char hex[2 * SEALED_MAX + 2] = "";
        FILE *file = fopen("tests/wire/vectors/sealed.txt", "r");
        struct octets expected;
        uint8_t bytes[SEALED_MAX], kid[KEY_KID_SIZE];
        struct sealed_position back;
        struct cbor_writer w;

        set_up(&f);
        assert_non_null(file);
        assert_non_null(fgets(hex, sizeof(hex), file));
        fclose(file);
        hex[strcspn(hex, "\n")] = '\0';
        expected = octets_from(hex);
        cbor_writer_init(&w, bytes, sizeof(bytes));
        assert_int_equal(sealed_seal(&lyon, &f.to, f.random, &w), 0);
        assert_true(cbor_equal(cbor_written(&w), octets_span(&expected)));
        assert_int_equal(sealed_kid(octets_span(&expected), kid), 0);
        assert_memory_equal(kid, f.kid, KEY_KID_SIZE);
        assert_int_equal(sealed_open(octets_span(&expected), &handset, f.key, &back), 0);
        same(&back, &lyon);
        key_free(f.key);
}

static void largest(void **state)
{
        const struct sealed_position largest = { -900000000, -1800000000, 65535, UINT32_MAX };
        struct sealed_position cases[] = {
                { 900000001, 0, 0, 0 }, { -900000001, 0, 0, 0 }, { 0, 1800000001, 0, 0 }, { 0, -1800000001, 0, 0 }
        };
        struct fixture f;
        uint8_t bytes[SEALED_MAX + 1] = { 0 };
        struct sealed_position back;
        struct cbor_writer w;

        set_up(&f);
        cbor_writer_init(&w, bytes, SEALED_MAX);
        assert_int_equal(sealed_seal(&largest, &f.to, f.random, &w), 0);
        assert_int_equal(w.len, SEALED_MAX);
        assert_int_equal(sealed_open(cbor_written(&w), &handset, f.key, &back), 0);
        same(&back, &largest);
        assert_int_equal(sealed_open((struct cbor_span){ bytes, SEALED_MAX + 1 }, &handset, f.key, &back), -EMSGSIZE);
        cbor_writer_init(&w, bytes, SEALED_MAX - 1);
        assert_int_equal(sealed_seal(&largest, &f.to, f.random, &w), -ENOBUFS);
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
                assert_int_equal(sealed_seal(&cases[i], &f.to, f.random, &w), -EINVAL);
        key_free(f.key);
}

/* Another handset's, another key's, or any octet altered or missing: nothing comes out. */
static void not_opened(void **state)
{
        const struct handset_id other = { { 0x5a, 0x17, 0xc0, 0xde, 0, 0, 0, 2 } };
        const uint8_t zero[32] = { 0 };
        struct fixture f;
        struct key *another, *signing;
        uint8_t bytes[SEALED_MAX];
        struct sealed_position back;
        struct cbor_writer w;
        int r;

        set_up(&f);
        assert_int_equal(key_generate(KEY_ECDH_ES, &another), 0);
        assert_int_equal(key_generate(KEY_EDDSA, &signing), 0);
        cbor_writer_init(&w, bytes, sizeof(bytes));
        assert_int_equal(sealed_seal(&lyon, &f.to, f.random, &w), 0);
        assert_int_equal(sealed_open(cbor_written(&w), &other, f.key, &back), -EKEYREJECTED);
        assert_int_equal(sealed_open(cbor_written(&w), &handset, another, &back), -EKEYREJECTED);
        assert_int_equal(sealed_open(cbor_written(&w), &handset, signing, &back), -EINVAL);
        for (size_t i = 0; i < w.len; i++) {
                bytes[i] ^= 1;
                r = sealed_open(cbor_written(&w), &handset, f.key, &back);
                /* the kid is not authenticated: it only says which key to take */
                if (r != -EBADMSG && r != -EKEYREJECTED && !(r == 0 && i >= w.len - 50 && i < w.len - 42))
                        fail_msg("octet %zu altered: %d", i, r);
                bytes[i] ^= 1;
        }
        for (size_t len = 0; len < w.len; len++)
                assert_int_equal(sealed_open((struct cbor_span){ bytes, len }, &handset, f.key, &back), -EBADMSG);
        f.to.public = zero;
        cbor_writer_init(&w, bytes, sizeof(bytes));
        assert_int_equal(sealed_seal(&lyon, &f.to, f.random, &w), -EKEYREJECTED);
        key_free(signing);
        key_free(another);
        key_free(f.key);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(as_another_implementation),
                cmocka_unit_test(largest),
                cmocka_unit_test(not_opened),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
