#include "device/handset/host/identity.h"

#include <errno.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/version.h"
#include "wire/trust.h"

/* Which enrolment it is, in hex; an older certificate does not say. */
static void read_enrolment(const X509 *x, uint8_t enrolment[VIGIE_ENROLMENT_SIZE])
{
        char name[64] = "";

        if (X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_serialNumber, name, sizeof(name)) < 0 ||
            hex_decode(name, enrolment, VIGIE_ENROLMENT_SIZE) < 0)
                memset(enrolment, 0, VIGIE_ENROLMENT_SIZE);
}

/* The certificate's CN is the handset id in hex. */
static int read_name(const char *path, struct identity *id)
{
        char *text = NULL, name[64] = "";
        size_t len;
        int r = file_read(path, KEY_PEM_MAX, &text, &len);
        BIO *bio = r == 0 ? BIO_new_mem_buf(text, (int)len) : NULL;
        X509 *x = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

        if (r == 0 &&
            (x == NULL || X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, name, sizeof(name)) < 0 ||
             hex_decode(name, id->handset, VIGIE_HANDSET_ID_SIZE) < 0))
                r = -EBADMSG;
        if (r == 0)
                read_enrolment(x, id->enrolment);
        X509_free(x);
        BIO_free(bio);
        free(text);
        return r;
}

static int refuse(const char *path, const char *why)
{
        log_error(NULL, "%s: %s", path, why);
        return -EINVAL;
}

static int tell(const char *path, int r)
{
        if (r < 0)
                log_error(NULL, "%s: %s", path, r == -EBADMSG ? "not a handset's certificate" : key_trouble(r));
        return r;
}

static int read_files(const struct config *config, struct identity *id)
{
        uint8_t theirs[KEY_PUBLIC_MAX] = { 0 }, ours[KEY_PUBLIC_MAX] = { 0 };
        char *trust = NULL;
        struct key *certified = NULL;
        int r;

        if ((r = tell(config->key, key_from_file(config->key, &id->key))) < 0 ||
            (r = tell(config->root, key_from_file(config->root, &id->root))) < 0 ||
            (r = tell(config->certificate, read_name(config->certificate, id))) < 0 ||
            (r = tell(config->certificate, key_from_file(config->certificate, &certified))) < 0)
                return r;
        if (key_alg(id->key) != KEY_ES256 || !key_is_private(id->key))
                r = refuse(config->key, "not a private P-256 key");
        else if (key_public(certified, theirs) != key_public(id->key, ours) || memcmp(theirs, ours, sizeof(ours)) != 0)
                r = refuse(config->certificate, "of another key");
        key_free(certified);
        if (r < 0)
                return r;
        r = file_read(config->trust, TRUST_MAX, &trust, &id->trust_len);
        if (r < 0) /* the journal may have one; without any the page says that receipts cannot be believed */
                log_warn(NULL, "%s: %s", config->trust, strerror(-r));
        id->trust = (uint8_t *)trust;
        id->pkey = key_pkey(id->key);
        return 0;
}

void identity_read(const struct config *config, struct identity *ret_identity)
{
        memset(ret_identity, 0, sizeof(*ret_identity));
        ret_identity->enrolled = config->key[0] != 0 && read_files(config, ret_identity) == 0;
}

void identity_options(const struct identity *id, const struct config *config, struct vigie_options *options)
{
        options->enrolled = id->enrolled;
        options->role = strcmp(config->role, "supervisor") == 0 ? VIGIE_SUPERVISOR : VIGIE_CARRIER;
        strcpy(options->person, config->holder);
        options->verify = vigie_verify;
        options->man_down_s = (uint16_t)config->man_down_s;
        options->silent_pulse = config->silent_pulse;
        options->sms_test = config->sms_test;
        snprintf(options->app, sizeof(options->app), "vigie-handset %s", VIGIE_VERSION);
        if (!id->enrolled)
                return;
        memcpy(options->handset, id->handset, sizeof(options->handset));
        memcpy(options->enrolment, id->enrolment, sizeof(options->enrolment));
        options->root_alg = key_alg(id->root);
        options->root_len = (uint8_t)key_public(id->root, options->root);
        options->trust = id->trust;
        options->trust_len = id->trust_len;
        options->address_count = (uint8_t)(config->addresses.count + config->alert_addresses.count);
        options->address_alert = (uint8_t)((1u << config->alert_addresses.count) - 1) << config->addresses.count;
}

void identity_clear(struct identity *identity)
{
        key_free(identity->key);
        key_free(identity->root);
        free(identity->trust);
        memset(identity, 0, sizeof(*identity));
}
