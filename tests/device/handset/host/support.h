/* What the tests of the daemon share: cmocka, a loop that is run until something has happened, certificates. */
#ifndef TESTS_DEVICE_HANDSET_HOST_SUPPORT_H
#define TESTS_DEVICE_HANDSET_HOST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <uv.h>

#include "base/file.h"
#include "base/loop.h"
#include "tests/base/folder.h"

/* What should happen does within this, or the test fails: a machine that is busy with other things. */
#define SPIN_MS 10000

/* Run the loop until DONE; false if that did not come. */
static inline bool spin(struct loop *loop, const bool *done)
{
        int64_t until_mono_ms = clock_mono_ms() + SPIN_MS;

        while (!*done && clock_mono_ms() < until_mono_ms) {
                uv_run(loop_uv(loop), UV_RUN_NOWAIT);
                usleep(500);
        }
        return *done;
}

/* Run the loop's turns that are due now: what cannot come does not come in some time. */
static inline void turn(struct loop *loop, int ms)
{
        int64_t until_mono_ms = clock_mono_ms() + ms;

        do {
                uv_run(loop_uv(loop), UV_RUN_NOWAIT);
                usleep(500);
        } while (clock_mono_ms() < until_mono_ms);
}

static inline void put(const struct folder *folder, const char *name, const char *text)
{
        char path[128];

        assert_int_equal(file_write(folder_file(folder, name, path), text, strlen(text), 0600), 0);
}

/* A P-256 key as NAME.key and its certificate as NAME.pem.
 *   cn      the subject
 *   names   subjectAltName ("DNS:localhost,IP:127.0.0.1"); NULL: none
 *   issuer  NAME of who signs; NULL: itself, as a CA */
struct certificate {
        const char *cn, *names, *issuer;
};

static inline void extend(X509 *x, int nid, const char *value)
{
        X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

        assert_true(extension != NULL && X509_add_ext(x, extension, -1) == 1);
        X509_EXTENSION_free(extension);
}

static inline void write_pem(const struct folder *folder, const char *name, X509 *x, EVP_PKEY *key)
{
        char file[64], path[128];
        FILE *f;

        snprintf(file, sizeof(file), "%s.pem", name);
        f = fopen(folder_file(folder, file, path), "w");
        assert_true(f != NULL && PEM_write_X509(f, x) == 1 && fclose(f) == 0);
        snprintf(file, sizeof(file), "%s.key", name);
        f = fopen(folder_file(folder, file, path), "w");
        assert_true(f != NULL && PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1 && fclose(f) == 0);
}

static inline void certify(const struct folder *folder, const char *name, const struct certificate *c)
{
        EVP_PKEY *key = EVP_EC_gen("P-256"), *signer = key;
        X509 *x = X509_new(), *issuer = x;
        char file[64], path[128];
        FILE *f;

        ASN1_INTEGER_set(X509_get_serialNumber(x), (long)(random() % 1000000 + 1));
        X509_set_version(x, 2);
        X509_gmtime_adj(X509_getm_notBefore(x), -86400);
        X509_gmtime_adj(X509_getm_notAfter(x), 86400);
        X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)c->cn, -1, -1,
                                   0);
        X509_set_pubkey(x, key);
        if (c->names != NULL)
                extend(x, NID_subject_alt_name, c->names);
        if (c->issuer == NULL) {
                extend(x, NID_basic_constraints, "critical,CA:TRUE");
        } else {
                snprintf(file, sizeof(file), "%s.pem", c->issuer);
                f = fopen(folder_file(folder, file, path), "r");
                issuer = PEM_read_X509(f, NULL, NULL, NULL);
                fclose(f);
                snprintf(file, sizeof(file), "%s.key", c->issuer);
                f = fopen(folder_file(folder, file, path), "r");
                signer = PEM_read_PrivateKey(f, NULL, NULL, NULL);
                fclose(f);
        }
        X509_set_issuer_name(x, X509_get_subject_name(issuer));
        assert_true(X509_sign(x, signer, EVP_sha256()) > 0);
        write_pem(folder, name, x, key);
        if (c->issuer != NULL) {
                X509_free(issuer);
                EVP_PKEY_free(signer);
        }
        X509_free(x);
        EVP_PKEY_free(key);
}

#endif
