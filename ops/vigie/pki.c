#include "ops/vigie/pki.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"

#define YEAR_S        (365 * 86400LL)
#define CLOCK_SLACK_S 86400 /* a certificate begins a day early: phones' clocks are late */

#define HOST "abcdefghijklmnopqrstuvwxyz0123456789.-" /* what a browser writes in an Origin */

struct pki_ca {
        X509 *certificate;
        struct key *key;
};

static int set_serial(X509 *x)
{
        uint8_t octets[16];
        BIGNUM *n = NULL;
        int r = -EIO;

        if (RAND_bytes(octets, sizeof(octets)) == 1) {
                octets[0] = (octets[0] & 0x7f) | 0x40; /* positive, full length: RFC 5280 4.1.2.2 */
                n = BN_bin2bn(octets, sizeof(octets), NULL);
                if (n != NULL && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x)) != NULL)
                        r = 0;
        }
        BN_free(n);
        return r;
}

static int add_name(X509_NAME *name, const char *field, const char *text)
{
        return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, (const unsigned char *)text, -1, -1, 0) == 1
                       ? 0
                       : -EIO;
}

static int add_extension(X509 *x, X509 *issuer, int nid, const char *value)
{
        X509V3_CTX ctx;
        X509_EXTENSION *e;
        int r;

        X509V3_set_ctx_nodb(&ctx);
        X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
        e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
        r = e != NULL && X509_add_ext(x, e, -1) == 1 ? 0 : -EIO;
        X509_EXTENSION_free(e);
        return r;
}

/* A version 3 certificate with serial, dates and public key; subject and extensions follow. */
static int begin(const struct key *key, int64_t not_before_s, int64_t not_after_s, X509 **ret)
{
        time_t from = (time_t)not_before_s, to = (time_t)not_after_s;
        X509 *x = X509_new();
        int r = -EIO;

        if (x != NULL && X509_set_version(x, X509_VERSION_3) == 1 && set_serial(x) == 0 &&
            ASN1_TIME_set(X509_getm_notBefore(x), from) != NULL && ASN1_TIME_set(X509_getm_notAfter(x), to) != NULL &&
            X509_set_pubkey(x, key_pkey(key)) == 1) {
                *ret = x;
                x = NULL;
                r = 0;
        }
        X509_free(x);
        return r;
}

static int finish(X509 *x, X509 *issuer, const struct key *signer)
{
        if (X509_set_issuer_name(x, X509_get_subject_name(issuer)) != 1 ||
            X509_sign(x, key_pkey(signer), EVP_sha256()) == 0)
                return -EIO;
        return 0;
}

static int to_pem(X509 *x, char *to, size_t size)
{
        BIO *bio = BIO_new(BIO_s_mem());
        char *text;
        long len;
        int r = -EIO;

        if (bio == NULL || PEM_write_bio_X509(bio, x) != 1)
                goto out;
        len = BIO_get_mem_data(bio, &text);
        if ((size_t)len >= size) {
                r = -ENOBUFS;
                goto out;
        }
        memcpy(to, text, (size_t)len);
        to[len] = 0;
        r = 0;
out:
        BIO_free(bio);
        return r;
}

int pki_ca_create(const char *region, int years, struct pki_ca **ret_ca)
{
        int64_t now_s = time(NULL);
        struct pki_ca *ca = calloc(1, sizeof(*ca));
        char name[64];
        int r = ca != NULL ? 0 : -ENOMEM;

        snprintf(name, sizeof(name), "Vigie %s", region);
        if (r < 0 || (r = key_generate(KEY_ES256, &ca->key)) < 0 ||
            (r = begin(ca->key, now_s - CLOCK_SLACK_S, now_s + years * YEAR_S, &ca->certificate)) < 0 ||
            (r = add_name(X509_get_subject_name(ca->certificate), "CN", name)) < 0 ||
            (r = add_extension(ca->certificate, ca->certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:0")) <
                    0 ||
            (r = add_extension(ca->certificate, ca->certificate, NID_key_usage, "critical,keyCertSign,cRLSign")) < 0 ||
            (r = add_extension(ca->certificate, ca->certificate, NID_subject_key_identifier, "hash")) < 0 ||
            (r = finish(ca->certificate, ca->certificate, ca->key)) < 0)
                goto out;
        *ret_ca = ca;
        ca = NULL;
out:
        pki_ca_free(ca);
        return r;
}

static int read_certificate(const char *path, X509 **ret)
{
        char *text = NULL;
        size_t len;
        BIO *bio;
        int r = file_read(path, KEY_PEM_MAX, &text, &len);

        if (r < 0)
                return r;
        bio = BIO_new_mem_buf(text, (int)len);
        *ret = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
        BIO_free(bio);
        free(text);
        return *ret != NULL ? 0 : -EINVAL;
}

int pki_ends(const char *path, int64_t *ret_at_s)
{
        X509 *x = NULL;
        struct tm tm;
        int r = read_certificate(path, &x);

        if (r == 0)
                r = ASN1_TIME_to_tm(X509_get0_notAfter(x), &tm) == 1 ? 0 : -EINVAL;
        if (r == 0)
                *ret_at_s = timegm(&tm);
        X509_free(x);
        return r;
}

int pki_ca_read(const char *certificate_path, const char *key_path, struct pki_ca **ret_ca)
{
        struct pki_ca *ca = calloc(1, sizeof(*ca));
        int r = ca != NULL ? 0 : -ENOMEM;

        if (r < 0 || (r = read_certificate(certificate_path, &ca->certificate)) < 0 ||
            (r = key_from_file(key_path, &ca->key)) < 0)
                goto out;
        if (X509_check_private_key(ca->certificate, key_pkey(ca->key)) != 1) {
                r = -EINVAL;
                goto out;
        }
        *ret_ca = ca;
        ca = NULL;
out:
        pki_ca_free(ca);
        return r;
}

void pki_ca_free(struct pki_ca *ca)
{
        if (ca == NULL)
                return;
        X509_free(ca->certificate);
        key_free(ca->key);
        free(ca);
}

int pki_ca_pem(const struct pki_ca *ca, char *to, size_t size)
{
        return to_pem(ca->certificate, to, size);
}

int pki_der(const char *pem, uint8_t *to)
{
        BIO *bio = BIO_new_mem_buf(pem, -1);
        X509 *x = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
        int len = x != NULL ? i2d_X509(x, NULL) : -1;

        if (len > 0)
                len = len <= PKI_CERTIFICATE_MAX ? i2d_X509(x, &to) : -ENOBUFS;
        X509_free(x);
        BIO_free(bio);
        return len > 0 || len == -ENOBUFS ? len : -EINVAL;
}

const struct key *pki_ca_key(const struct pki_ca *ca)
{
        return ca->key;
}

int pki_handset(const struct pki_ca *ca, const struct pki_handset *who, const struct key *key, char *to, size_t size)
{
        X509 *x = NULL;
        int r;

        if ((r = begin(key, who->not_before_s, who->not_after_s, &x)) < 0 ||
            (r = add_name(X509_get_subject_name(x), "serialNumber", who->enrolment)) < 0 ||
            (r = add_name(X509_get_subject_name(x), "CN", who->handset)) < 0 ||
            (r = add_extension(x, ca->certificate, NID_basic_constraints, "critical,CA:FALSE")) < 0 ||
            (r = add_extension(x, ca->certificate, NID_key_usage, "critical,digitalSignature")) < 0 ||
            (r = add_extension(x, ca->certificate, NID_ext_key_usage, "clientAuth")) < 0 ||
            (r = add_extension(x, ca->certificate, NID_authority_key_identifier, "keyid:always")) < 0 ||
            (r = finish(x, ca->certificate, ca->key)) < 0)
                goto out;
        r = to_pem(x, to, size);
out:
        X509_free(x);
        return r;
}

static bool is_address(const char *name)
{
        uint8_t octets[16];

        return inet_pton(AF_INET, name, octets) == 1 || inet_pton(AF_INET6, name, octets) == 1;
}

bool pki_name_is_valid(const char *name)
{
        size_t len = strlen(name);

        return len >= 1 && len <= PKI_NAME_MAX && (is_address(name) || strspn(name, HOST) == len);
}

/* "DNS:localhost,IP:127.0.0.1" */
static int alternative_names(const struct pki_server *who, char *to, size_t size)
{
        size_t len = 0;

        for (size_t i = 0; i < who->count; i++) {
                int n = snprintf(to + len, size - len, "%s%s:%s", i > 0 ? "," : "",
                                 is_address(who->names[i]) ? "IP" : "DNS", who->names[i]);

                if (n < 0 || (size_t)n >= size - len)
                        return -ENOBUFS;
                len += (size_t)n;
        }
        return 0;
}

int pki_server(const struct pki_ca *ca, const struct pki_server *who, const struct key *key, char *to, size_t size)
{
        int64_t now_s = time(NULL);
        char names[PKI_NAMES_MAX * (PKI_NAME_MAX + sizeof("DNS:,"))];
        X509 *x = NULL;
        int r;

        if (who->count == 0)
                return -EINVAL;
        if (who->count > PKI_NAMES_MAX)
                return -E2BIG;
        for (size_t i = 0; i < who->count; i++)
                if (!pki_name_is_valid(who->names[i]))
                        return -EINVAL;
        if ((r = alternative_names(who, names, sizeof(names))) < 0 ||
            (r = begin(key, now_s - CLOCK_SLACK_S, now_s + who->years * YEAR_S, &x)) < 0 ||
            (r = add_name(X509_get_subject_name(x), "CN",
                          strlen(who->names[0]) <= ub_common_name ? who->names[0] : "vigie")) < 0 ||
            (r = add_extension(x, ca->certificate, NID_basic_constraints, "critical,CA:FALSE")) < 0 ||
            (r = add_extension(x, ca->certificate, NID_key_usage, "critical,digitalSignature")) < 0 ||
            (r = add_extension(x, ca->certificate, NID_ext_key_usage, "serverAuth")) < 0 ||
            (r = add_extension(x, ca->certificate, NID_subject_alt_name, names)) < 0 ||
            (r = add_extension(x, ca->certificate, NID_authority_key_identifier, "keyid:always")) < 0 ||
            (r = finish(x, ca->certificate, ca->key)) < 0)
                goto out;
        r = to_pem(x, to, size);
out:
        X509_free(x);
        return r;
}
