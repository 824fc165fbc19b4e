#include <errno.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/password.h"
#include "ops/vigie/command.h"
#include "ops/vigie/pki.h"
#include "wire/people.h"

#define TERM_DAYS_MAX 3650

struct enrolment {
        const char *person, *role, *number, *site, *servers, *out, *pin, *duress, *days;
        char handset[HANDSET_ID_TEXT], enrolment[2 * ENROLMENT_SIZE + 1];
        char folder[REGION_PATH_MAX];
        struct handset_entry entry;
        struct key *key;
        char certificate[PKI_CERTIFICATE_MAX];
};

/* The one difference of a digit or one swap between PIN and duress PIN would be pressed by mistake one day. */
static bool too_alike(const char *a, const char *b)
{
        size_t different = 0, at[2] = { 0 };

        if (strlen(a) != strlen(b))
                return false;
        for (size_t i = 0; a[i] != 0; i++)
                if (a[i] != b[i]) {
                        if (different < 2)
                                at[different] = i;
                        different++;
                }
        return different <= 1 || (different == 2 && at[1] == at[0] + 1 && a[at[0]] == b[at[1]] && a[at[1]] == b[at[0]]);
}

static int check_pins(const struct enrolment *e)
{
        const char *pins[] = { e->pin, e->duress };

        for (size_t i = 0; i < 2; i++)
                if (pins[i] != NULL && (strlen(pins[i]) < 4 || strlen(pins[i]) > 8 || strspn(pins[i], "0123456789") != strlen(pins[i]))) {
                        fprintf(stderr, "vigie: %s: 4 to 8 digits\n", i == 0 ? "--pin" : "--duress");
                        return -EINVAL;
                }
        if (e->duress != NULL && (e->pin == NULL || too_alike(e->pin, e->duress))) {
                fprintf(stderr, "vigie: --duress: needs --pin, and must differ from it by more than one digit or one swap\n");
                return -EINVAL;
        }
        return 0;
}

static int check(struct enrolment *e)
{
        long days = strtol(e->days, NULL, 10);
        int r;

        e->entry.role = strcmp(e->role, "supervisor") == 0 ? HANDSET_SUPERVISOR : HANDSET_CARRIER;
        if (strcmp(e->role, "supervisor") != 0 && strcmp(e->role, "carrier") != 0) {
                fprintf(stderr, "vigie: --role '%s': carrier or supervisor\n", e->role);
                return -EINVAL;
        }
        if (days < -TERM_DAYS_MAX || days > TERM_DAYS_MAX) {
                fprintf(stderr, "vigie: --days '%s': at most %d (a negative number makes an expired one, for tests)\n", e->days,
                        TERM_DAYS_MAX);
                return -EINVAL;
        }
        if (e->number != NULL && !number_valid(e->number)) {
                fprintf(stderr, "vigie: --number '%s': '+' and 6 to 15 digits\n", e->number);
                return -EINVAL;
        }
        if ((r = id_check("person", e->person, e->entry.role == HANDSET_CARRIER)) < 0 || (r = id_check("site", e->site, true)) < 0 ||
            (r = text_fit("person", e->person, e->entry.person, sizeof(e->entry.person))) < 0 ||
            (r = text_fit("site", e->site, e->entry.site, sizeof(e->entry.site))) < 0 ||
            (r = text_fit("number", e->number, e->entry.number, sizeof(e->entry.number))) < 0)
                return r;
        e->entry.not_after_s = (uint32_t)(time(NULL) + days * 86400);
        return check_pins(e);
}

/* A fresh id, enrolment, key and certificate. */
static int draw(const struct region *region, struct enrolment *e)
{
        char certificate[REGION_PATH_MAX], key[REGION_PATH_MAX];
        uint8_t id[HANDSET_ID_SIZE];
        struct pki_handset who = { e->handset, e->enrolment, time(NULL) - 86400, e->entry.not_after_s };
        struct pki_ca *ca = NULL;
        int r;

        if (who.not_before_s >= who.not_after_s)
                who.not_before_s = who.not_after_s - 86400;
        if (RAND_bytes(id, sizeof(id)) != 1 || RAND_bytes(e->entry.enrolment, ENROLMENT_SIZE) != 1)
                return -EIO;
        hex_encode(id, sizeof(id), e->handset);
        hex_encode(e->entry.enrolment, ENROLMENT_SIZE, e->enrolment);
        if ((r = region_path(region, "ca.pem", certificate)) < 0 || (r = region_path(region, "ca.key", key)) < 0 ||
            (r = pki_ca_read(certificate, key, &ca)) < 0 || (r = key_generate(KEY_ES256, &e->key)) < 0)
                goto out;
        key_public(e->key, e->entry.key);
        r = pki_handset(ca, &who, e->key, e->certificate, sizeof(e->certificate));
out:
        pki_ca_free(ca);
        if (r < 0)
                fprintf(stderr, "vigie: certificate: %s\n", strerror(-r));
        return r;
}

static int put(const struct enrolment *e, const char *name, const char *text, size_t len)
{
        char path[REGION_PATH_MAX + 32];
        int r;

        snprintf(path, sizeof(path), "%s/%s", e->folder, name);
        r = file_write(path, text, len, 0600);
        if (r < 0)
                fprintf(stderr, "vigie: %s: %s\n", path, strerror(-r));
        return r;
}

static int copy(const struct region *region, const struct enrolment *e, const char *name)
{
        char path[REGION_PATH_MAX], *data = NULL;
        size_t len;
        int r = region_path(region, name, path);

        if (r < 0)
                return r;
        if ((r = file_read(path, 65536, &data, &len)) == 0)
                r = put(e, name, data, len);
        else
                fprintf(stderr, "vigie: %s: %s\n", path, strerror(-r));
        free(data);
        return r;
}

static int hash_pin(const char *pin, char *to)
{
        to[0] = 0;
        return pin != NULL ? password_hash(pin, strlen(pin), to) : 0;
}

static int put_configuration(const struct region *region, const struct enrolment *e)
{
        char text[8192], pin[PASSWORD_TEXT_SIZE], duress[PASSWORD_TEXT_SIZE], real[REGION_PATH_MAX];
        int n, r;

        if ((r = hash_pin(e->pin, pin)) < 0 || (r = hash_pin(e->duress, duress)) < 0)
                return r;
        if ((r = region_real(e->folder, real)) < 0)
                return r;
        n = snprintf(text, sizeof(text),
                     "; handset %s of region %s\n"
                     "[identity]\nrole = %s\nholder = %s\nkey = %s/key.pem\ncertificate = %s/certificate.pem\n"
                     "[region]\nname = %s\nca = %s/ca.pem\nroot = %s/root.pem\ntrust = %s/trust.cose\n"
                     "[link]\naddresses = %s\n"
                     "[journal]\npath = %s/journal\n"
                     "[command]\nsocket = %s/command.sock\n"
                     "[pin]\nhash = %s\nduress = %s\n",
                     e->handset, region->config.name, e->role, e->entry.person, real, real, region->config.name, real, real, real,
                     e->servers, real, real, pin, duress);
        if (n < 0 || (size_t)n >= sizeof(text))
                return -ENOBUFS;
        return put(e, "handset.conf", text, (size_t)n);
}

static int put_folder(const struct region *region, struct enrolment *e)
{
        char key[KEY_PEM_MAX];
        int r;

        if (e->out != NULL)
                snprintf(e->folder, sizeof(e->folder), "%s", e->out);
        else
                snprintf(e->folder, sizeof(e->folder), "%.400s/handsets/%s", region->dir, e->handset);
        if (mkdir(e->folder, 0700) < 0) {
                fprintf(stderr, "vigie: %s: %s\n", e->folder, strerror(errno));
                return -errno;
        }
        if ((r = key_to_pem(e->key, true, key, sizeof(key))) < 0 || (r = put(e, "key.pem", key, strlen(key))) < 0 ||
            (r = put(e, "certificate.pem", e->certificate, strlen(e->certificate))) < 0 || (r = copy(region, e, "ca.pem")) < 0 ||
            (r = copy(region, e, "root.pem")) < 0 || (r = copy(region, e, "trust.cose")) < 0)
                goto out;
        r = put_configuration(region, e);
out:
        explicit_bzero(key, sizeof(key));
        return r;
}

static int put_entry(struct region *region, const char *handset, const struct handset_entry *handset_entry)
{
        uint8_t data[PEOPLE_MAX];
        int r = handset_entry_encode(handset_entry, data, sizeof(data));

        if (r < 0)
                return r;
        struct region_entry entry = { "handsets", handset, data, (size_t)r };
        return region_people_set(region, &entry);
}

int enrol_main(struct region *region, int argc, char **argv)
{
        struct enrolment e = { .role = "carrier", .servers = "localhost:8443", .days = "730" };
        const struct choice list[] = {
                { "role", &e.role, NULL, "carrier (default) or supervisor" },
                { "person", &e.person, NULL, "the supervisor's id; for a carrier's phone the usual holder, if any" },
                { "number", &e.number, NULL, "the SIM's number, +33..." },
                { "site", &e.site, NULL, "site id" },
                { "servers", &e.servers, NULL, "dispatchers, host:port[,host:port...]" },
                { "pin", &e.pin, NULL, "4 to 8 digits: says 'it was a mistake'" },
                { "duress", &e.duress, NULL, "PIN under threat: looks the same, calls louder" },
                { "days", &e.days, NULL, "term of the certificate (730)" },
                { "out", &e.out, NULL, "folder to make (default: handsets/ID in the region)" },
        };
        const struct choices choices = { "enrol [--role ROLE] [--person ID] [...]", list, sizeof(list) / sizeof(list[0]), 0 };
        int status = EXIT_REFUSED;

        if (choices_read(&choices, argc, argv, NULL) < 0 || check(&e) < 0)
                return EXIT_USAGE;
        if (draw(region, &e) == 0 && put_folder(region, &e) == 0 && put_entry(region, e.handset, &e.entry) == 0) {
                printf("%s\t%s\n", e.handset, e.folder);
                status = EXIT_DONE;
        }
        key_free(e.key);
        return status;
}

static int list_handsets(struct region *region)
{
        redisReply *reply;
        redisContext *c;
        char key[96];

        if (region_alerts(region, &c) < 0)
                return EXIT_REFUSED;
        region_key(region, "handsets", key);
        reply = redisCommand(c, "HGETALL %s", key);
        for (size_t i = 0; reply != NULL && i + 1 < reply->elements; i += 2) {
                struct handset_entry e;

                if (handset_entry_decode((uint8_t *)reply->element[i + 1]->str, reply->element[i + 1]->len, &e) < 0)
                        fprintf(stderr, "vigie: handset %s: entry cannot be read\n", reply->element[i]->str);
                else
                        printf("%s\t%s\t%s\t%s%s\n", reply->element[i]->str, e.role == HANDSET_SUPERVISOR ? "supervisor" : "carrier",
                               e.person, e.number, e.revoked_at_s != 0 ? "\trevoked" : "");
        }
        freeReplyObject(reply);
        return reply != NULL ? EXIT_DONE : EXIT_REFUSED;
}

static int revoke_handset(struct region *region, const char *handset)
{
        uint8_t data[PEOPLE_MAX];
        struct handset_entry e;
        int r = region_people_get(region, "handsets", handset, data, sizeof(data));

        if (r >= 0)
                r = handset_entry_decode(data, (size_t)r, &e);
        if (r < 0) {
                fprintf(stderr, "vigie: handset %s: %s\n", handset, r == -ENOENT ? "not enrolled" : strerror(-r));
                return EXIT_REFUSED;
        }
        if (e.revoked_at_s == 0)
                e.revoked_at_s = (uint32_t)time(NULL);
        return put_entry(region, handset, &e) == 0 ? EXIT_DONE : EXIT_REFUSED;
}

int handset_main(struct region *region, int argc, char **argv)
{
        if (argc == 2 && strcmp(argv[1], "list") == 0)
                return list_handsets(region);
        if (argc == 3 && strcmp(argv[1], "revoke") == 0)
                return revoke_handset(region, argv[2]);
        fprintf(stderr, "usage: vigie handset list | revoke HANDSET\n");
        return EXIT_USAGE;
}
