#include "tests/fleet/people.h"

#include <errno.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/hex.h"
#include "ops/vigie/pki.h"
#include "wire/people.h"

#define TERM_S (30 * 86400)

static const char *const first_names[] = { "Alice", "Basile", "Chloé", "David", "Élodie", "Farid", "Gaëlle", "Hugo", "Iris", "Jules",
                                           "Karim", "Léa", "Malik", "Nora", "Oscar", "Pauline", "Quentin", "Rania", "Simon", "Yasmine" };
static const char *const last_names[] = { "Aubert", "Blanc", "Chevalier", "Durand", "Estève", "Fabre", "Girard", "Haddad", "Imbert", "Joly",
                                          "Keller", "Lopez", "Moreau", "Nguyen", "Olivier", "Perrin", "Renaud", "Schmitt", "Tessier", "Vidal" };

static int put(struct region *region, const char *hash, const char *field, const uint8_t *data, int len)
{
        struct region_entry entry = { hash, field, data, (size_t)len };

        return len < 0 ? len : region_people_set(region, &entry);
}

static int put_person(struct region *region, const struct member *m, size_t n)
{
        struct supervisor_entry supervisor = { .team = "lyon" };
        struct carrier_entry carrier = { .team = "lyon" };
        uint8_t data[PEOPLE_MAX];
        char name[48];

        snprintf(name, sizeof(name), "%s %s", first_names[n % 20], last_names[n / 20 * 7 % 20]);
        if (m->supervisor) {
                strcpy(supervisor.name, name);
                return put(region, "supervisors", m->person, data, supervisor_entry_encode(&supervisor, data, sizeof(data)));
        }
        strcpy(carrier.name, name);
        return put(region, "carriers", m->person, data, carrier_entry_encode(&carrier, data, sizeof(data)));
}

static int certify(const struct pki_ca *ca, struct member *m, const uint8_t enrolment[ENROLMENT_SIZE])
{
        char handset[HANDSET_ID_TEXT], text[2 * ENROLMENT_SIZE + 1], pem[PKI_CERTIFICATE_MAX];
        struct pki_handset who = { handset, text, time(NULL) - 86400, time(NULL) + TERM_S };
        BIO *bio;
        int r;

        handset_id_to_text(&m->handset, handset);
        hex_encode(enrolment, ENROLMENT_SIZE, text);
        if ((r = pki_handset(ca, &who, m->key, pem, sizeof(pem))) < 0)
                return r;
        bio = BIO_new_mem_buf(pem, -1);
        m->certificate = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
        BIO_free(bio);
        return m->certificate != NULL ? 0 : -EIO;
}

static int enrol(struct region *region, const struct pki_ca *ca, struct member *m)
{
        struct handset_entry entry = { .not_after_s = (uint32_t)(time(NULL) + TERM_S),
                                       .role = m->supervisor ? HANDSET_SUPERVISOR : HANDSET_CARRIER };
        char handset[HANDSET_ID_TEXT];
        uint8_t data[PEOPLE_MAX];
        int r;

        if (RAND_bytes(m->handset.octets, HANDSET_ID_SIZE) != 1 || RAND_bytes(entry.enrolment, ENROLMENT_SIZE) != 1)
                return -EIO;
        if ((r = key_generate(KEY_ES256, &m->key)) < 0 || (r = certify(ca, m, entry.enrolment)) < 0)
                return r;
        key_public(m->key, entry.key);
        strcpy(entry.person, m->person);
        strcpy(entry.number, m->number);
        handset_id_to_text(&m->handset, handset);
        return put(region, "handsets", handset, data, handset_entry_encode(&entry, data, sizeof(data)));
}

int people_make(struct region *region, const char *prefix, size_t count, size_t supervisors, struct member **ret_members)
{
        struct member *members = calloc(count, sizeof(*members));
        char certificate[REGION_PATH_MAX], key[REGION_PATH_MAX];
        struct pki_ca *ca = NULL;
        int r = members != NULL ? 0 : -ENOMEM;

        if (r < 0 || (r = region_path(region, "ca.pem", certificate)) < 0 || (r = region_path(region, "ca.key", key)) < 0 ||
            (r = pki_ca_read(certificate, key, &ca)) < 0)
                goto out;
        for (size_t i = 0; r == 0 && i < count; i++) {
                members[i].supervisor = i < supervisors;
                snprintf(members[i].person, sizeof(members[i].person), "%.6s%zu", prefix, i);
                if (!members[i].supervisor)
                        snprintf(members[i].number, sizeof(members[i].number), "+33619%06zu", i % 1000000);
                r = put_person(region, &members[i], i);
                if (r == 0)
                        r = enrol(region, ca, &members[i]);
        }
out:
        pki_ca_free(ca);
        if (r < 0) {
                fprintf(stderr, "fleet: enrolling: %s\n", strerror(-r));
                people_free(members, count);
        } else {
                *ret_members = members;
        }
        return r;
}

void people_free(struct member *members, size_t count)
{
        for (size_t i = 0; members != NULL && i < count; i++) {
                key_free(members[i].key);
                X509_free(members[i].certificate);
        }
        free(members);
}

static int save(const char *folder, size_t n, const struct member *m)
{
        char path[REGION_PATH_MAX], text[KEY_PEM_MAX], id[HANDSET_ID_TEXT];
        char *certificate;
        BIO *bio = BIO_new(BIO_s_mem());
        int r = bio != NULL && PEM_write_bio_X509(bio, m->certificate) == 1 ? key_to_pem(m->key, true, text, sizeof(text)) : -EIO;

        if (r == 0) {
                size_t len = (size_t)BIO_get_mem_data(bio, &certificate), used = strlen(text);

                snprintf(text + used, sizeof(text) - used, "%.*s", (int)len, certificate);
                snprintf(path, sizeof(path), "%s/%zu.pem", folder, n);
                r = file_write(path, text, strlen(text), 0600);
        }
        BIO_free(bio);
        handset_id_to_text(&m->handset, id);
        snprintf(text, sizeof(text), "%s %s %d\n", id, m->person, m->supervisor);
        snprintf(path, sizeof(path), "%s/%zu.id", folder, n);
        return r < 0 ? r : file_write(path, text, strlen(text), 0600);
}

int people_save(const char *folder, const struct member *members, size_t count)
{
        int r = 0;

        for (size_t i = count; r == 0 && i-- > 0;) /* the first one last: where it is, all are */
                r = save(folder, i, &members[i]);
        if (r < 0)
                fprintf(stderr, "fleet: saving enrolments: %s\n", strerror(-r));
        return r;
}

static int load(const char *folder, size_t n, struct member *m)
{
        char path[REGION_PATH_MAX], id[HANDSET_ID_TEXT], *text = NULL, *pem = NULL;
        size_t len, pem_len;
        int r, supervisor;
        BIO *bio;

        snprintf(path, sizeof(path), "%s/%zu.id", folder, n);
        if ((r = file_read(path, 128, &text, &len)) < 0)
                return r;
        r = sscanf(text, "%16s %31s %d", id, m->person, &supervisor) == 3 ? handset_id_from_text(id, &m->handset) : -EBADMSG;
        free(text);
        m->supervisor = supervisor != 0;
        snprintf(path, sizeof(path), "%s/%zu.pem", folder, n);
        if (r < 0 || (r = file_read(path, KEY_PEM_MAX, &pem, &pem_len)) < 0)
                return r;
        if ((r = key_from_pem((struct cbor_span){ (uint8_t *)pem, pem_len }, &m->key)) == 0) {
                bio = BIO_new_mem_buf(pem, (int)pem_len);
                m->certificate = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
                BIO_free(bio);
                r = m->certificate != NULL ? 0 : -EBADMSG;
        }
        free(pem);
        return r;
}

int people_load(const char *folder, size_t count, struct member **ret_members)
{
        struct member *members = calloc(count, sizeof(*members));
        int r = members != NULL ? 0 : -ENOMEM;

        for (size_t i = 0; r == 0 && i < count; i++)
                if ((r = load(folder, i, &members[i])) < 0 && (r != -ENOENT || i > 0))
                        fprintf(stderr, "fleet: enrolment %zu: %s\n", i, strerror(-r));
        if (r < 0)
                people_free(members, count);
        else
                *ret_members = members;
        return r;
}

SSL_CTX *people_tls(const struct region *region)
{
        SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
        char path[REGION_PATH_MAX];

        if (ctx == NULL || region_path(region, "ca.pem", path) < 0 || SSL_CTX_load_verify_locations(ctx, path, NULL) != 1) {
                fprintf(stderr, "fleet: TLS cannot be set up\n");
                SSL_CTX_free(ctx);
                return NULL;
        }
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
        return ctx;
}
