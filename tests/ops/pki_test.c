#include "ops/vigie/pki.h"

#include <errno.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/base/folder.h"
#include "tests/geo/cmocka_first.h"

#define ID        "00112233445566aa"
#define ENROLMENT "ffeeddccbbaa9988"

struct fixture {
        struct pki_ca *ca;
        struct key *key;
        X509_STORE *store;
        int64_t now_s;
};

static X509 *parse(const char *pem)
{
        BIO *bio = BIO_new_mem_buf(pem, -1);
        X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);

        BIO_free(bio);
        assert_non_null(x);
        return x;
}

static int set_up(void **state)
{
        struct fixture *f = calloc(1, sizeof(*f));
        char pem[PKI_CERTIFICATE_MAX];
        X509 *ca;

        f->now_s = time(NULL);
        assert_int_equal(pki_ca_create("lyon", 10, &f->ca), 0);
        assert_int_equal(key_generate(KEY_ES256, &f->key), 0);
        assert_int_equal(pki_ca_pem(f->ca, pem, sizeof(pem)), 0);
        f->store = X509_STORE_new();
        ca = parse(pem);
        assert_int_equal(X509_STORE_add_cert(f->store, ca), 1);
        X509_free(ca);
        *state = f;
        return 0;
}

static int tear_down(void **state)
{
        struct fixture *f = *state;

        pki_ca_free(f->ca);
        key_free(f->key);
        X509_STORE_free(f->store);
        free(f);
        return 0;
}

/* What a strict verifier says of PEM for PURPOSE (X509_PURPOSE_SSL_CLIENT ...). */
static int verify(const struct fixture *f, const char *pem, int purpose)
{
        X509_STORE_CTX *ctx = X509_STORE_CTX_new();
        X509 *x = parse(pem);
        int error;

        assert_int_equal(X509_STORE_CTX_init(ctx, f->store, x, NULL), 1);
        X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(ctx), X509_V_FLAG_X509_STRICT);
        X509_VERIFY_PARAM_set_purpose(X509_STORE_CTX_get0_param(ctx), purpose);
        X509_verify_cert(ctx);
        error = X509_STORE_CTX_get_error(ctx);
        X509_STORE_CTX_free(ctx);
        X509_free(x);
        return error;
}

static void handset(const struct fixture *f, int64_t from_s, int64_t to_s, char *pem)
{
        const struct pki_handset who = { ID, ENROLMENT, from_s, to_s };

        assert_int_equal(pki_handset(f->ca, &who, f->key, pem, PKI_CERTIFICATE_MAX), 0);
}

static void test_handset_verifies_as_client(void **state)
{
        struct fixture *f = *state;
        char pem[PKI_CERTIFICATE_MAX];

        handset(f, f->now_s - 10, f->now_s + 100, pem);
        assert_int_equal(verify(f, pem, X509_PURPOSE_SSL_CLIENT), X509_V_OK);
        assert_int_equal(verify(f, pem, X509_PURPOSE_SSL_SERVER), X509_V_ERR_INVALID_PURPOSE);
}

static void test_handset_dates(void **state)
{
        struct fixture *f = *state;
        char pem[PKI_CERTIFICATE_MAX];

        handset(f, f->now_s - 100, f->now_s - 10, pem);
        assert_int_equal(verify(f, pem, X509_PURPOSE_SSL_CLIENT), X509_V_ERR_CERT_HAS_EXPIRED);
        handset(f, f->now_s + 100, f->now_s + 200, pem);
        assert_int_equal(verify(f, pem, X509_PURPOSE_SSL_CLIENT), X509_V_ERR_CERT_NOT_YET_VALID);
}

static void test_handset_names(void **state)
{
        struct fixture *f = *state;
        char pem[PKI_CERTIFICATE_MAX], text[64];
        X509_NAME *name;
        X509 *x;

        handset(f, f->now_s, f->now_s + 100, pem);
        x = parse(pem);
        name = X509_get_subject_name(x);
        assert_int_equal(X509_NAME_get_text_by_NID(name, NID_commonName, text, sizeof(text)), 16);
        assert_string_equal(text, ID);
        assert_int_equal(X509_NAME_get_text_by_NID(name, NID_serialNumber, text, sizeof(text)), 16);
        assert_string_equal(text, ENROLMENT);
        assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(x), key_pkey(f->key)), 1);
        assert_int_equal(X509_check_ca(x), 0);
        X509_free(x);
}

static void test_another_ca_is_not_ours(void **state)
{
        struct fixture *f = *state;
        char pem[PKI_CERTIFICATE_MAX];
        struct pki_ca *ours = f->ca;

        assert_int_equal(pki_ca_create("lyon", 10, &f->ca), 0); /* of the same name */
        handset(f, f->now_s - 10, f->now_s + 100, pem);
        pki_ca_free(f->ca);
        f->ca = ours;
        assert_int_not_equal(verify(f, pem, X509_PURPOSE_SSL_CLIENT), X509_V_OK);
}

static void test_serial_numbers_differ(void **state)
{
        struct fixture *f = *state;
        char one[PKI_CERTIFICATE_MAX], two[PKI_CERTIFICATE_MAX];
        X509 *x, *y;

        handset(f, f->now_s, f->now_s + 100, one);
        handset(f, f->now_s, f->now_s + 100, two);
        x = parse(one);
        y = parse(two);
        assert_int_not_equal(ASN1_INTEGER_cmp(X509_get0_serialNumber(x), X509_get0_serialNumber(y)), 0);
        X509_free(x);
        X509_free(y);
}

static void test_server_names(void **state)
{
        struct fixture *f = *state;
        const char *const names[] = { "desk.example", "127.0.0.1", "::1", "localhost" };
        char pem[PKI_CERTIFICATE_MAX];
        X509 *x;

        assert_int_equal(pki_server(f->ca, &(struct pki_server){ names, 4, 2 }, f->key, pem, sizeof(pem)), 0);
        assert_int_equal(verify(f, pem, X509_PURPOSE_SSL_SERVER), X509_V_OK);
        assert_int_equal(verify(f, pem, X509_PURPOSE_SSL_CLIENT), X509_V_ERR_INVALID_PURPOSE);
        x = parse(pem);
        assert_int_equal(X509_check_host(x, "desk.example", 0, 0, NULL), 1);
        assert_int_equal(X509_check_host(x, "localhost", 0, 0, NULL), 1);
        assert_int_equal(X509_check_host(x, "other.example", 0, 0, NULL), 0);
        assert_int_equal(X509_check_ip_asc(x, "127.0.0.1", 0), 1);
        assert_int_equal(X509_check_ip_asc(x, "::1", 0), 1);
        assert_int_equal(X509_check_ip_asc(x, "127.0.0.2", 0), 0);
        X509_free(x);
}

static void test_server_names_refused(void **state)
{
        struct fixture *f = *state;
        static const char *const bad[] = { "",  "a b", "a,DNS:b", "DNS:a", "*.example", "Desk.example",
                                           "é", "a/b", "1:2:3" };
        char pem[PKI_CERTIFICATE_MAX], longest[PKI_NAME_MAX + 2];
        const char *many[PKI_NAMES_MAX + 1], *name = longest;
        X509 *x;

        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                assert_int_equal(pki_server(f->ca, &(struct pki_server){ &bad[i], 1, 2 }, f->key, pem, sizeof(pem)),
                                 -EINVAL);
        assert_int_equal(pki_server(f->ca, &(struct pki_server){ bad, 0, 2 }, f->key, pem, sizeof(pem)), -EINVAL);
        memset(longest, 'a', sizeof(longest));
        longest[PKI_NAME_MAX + 1] = '\0';
        assert_false(pki_name_is_valid(longest));
        longest[PKI_NAME_MAX] = '\0';
        assert_true(pki_name_is_valid(longest));
        /* too long for a CN, which holds 64: the names of a server stand in its subjectAltName */
        assert_int_equal(pki_server(f->ca, &(struct pki_server){ &name, 1, 2 }, f->key, pem, sizeof(pem)), 0);
        assert_int_equal(verify(f, pem, X509_PURPOSE_SSL_SERVER), X509_V_OK);
        x = parse(pem);
        X509_free(x);
        for (size_t i = 0; i < PKI_NAMES_MAX + 1; i++)
                many[i] = "desk.example";
        assert_int_equal(pki_server(f->ca, &(struct pki_server){ many, PKI_NAMES_MAX, 2 }, f->key, pem, sizeof(pem)),
                         0);
        assert_int_equal(
                pki_server(f->ca, &(struct pki_server){ many, PKI_NAMES_MAX + 1, 2 }, f->key, pem, sizeof(pem)),
                -E2BIG);
        assert_int_equal(pki_server(f->ca, &(struct pki_server){ many, 1, 2 }, f->key, pem, 100), -ENOBUFS);
}

static void put(const char *path, const char *text)
{
        FILE *file = fopen(path, "w");

        assert_non_null(file);
        fputs(text, file);
        fclose(file);
}

static void test_reading_a_ca(void **state)
{
        struct fixture *f = *state;
        char dir[FOLDER_PATH], pem[KEY_PEM_MAX], certificate[96], key[96];
        struct pki_ca *ca = NULL;
        int64_t end_s;

        folder_fresh(dir);
        snprintf(certificate, sizeof(certificate), "%s/ca.pem", dir);
        snprintf(key, sizeof(key), "%s/ca.key", dir);
        assert_int_equal(pki_ca_read(certificate, key, &ca), -ENOENT);
        assert_int_equal(pki_ca_pem(f->ca, pem, sizeof(pem)), 0);
        put(certificate, pem);
        assert_int_equal(key_to_pem(pki_ca_key(f->ca), true, pem, sizeof(pem)), 0);
        put(key, pem);
        assert_int_equal(pki_ca_read(certificate, key, &ca), 0);
        pki_ca_free(ca);
        assert_int_equal(pki_ends(certificate, &end_s), 0);
        assert_in_range(end_s, f->now_s + 3650LL * 86400 - 5, f->now_s + 3650LL * 86400 + 5);
        assert_int_equal(key_to_pem(f->key, true, pem, sizeof(pem)), 0); /* a key that is not its */
        put(key, pem);
        assert_int_equal(pki_ca_read(certificate, key, &ca), -EINVAL);
        put(certificate, "no certificate\n");
        assert_int_equal(pki_ca_read(certificate, key, &ca), -EINVAL);
        assert_int_equal(pki_ends(certificate, &end_s), -EINVAL);
        unlink(certificate);
        unlink(key);
        rmdir(dir);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_handset_verifies_as_client),
                cmocka_unit_test(test_handset_dates),
                cmocka_unit_test(test_handset_names),
                cmocka_unit_test(test_another_ca_is_not_ours),
                cmocka_unit_test(test_serial_numbers_differ),
                cmocka_unit_test(test_server_names),
                cmocka_unit_test(test_server_names_refused),
                cmocka_unit_test(test_reading_a_ca),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
