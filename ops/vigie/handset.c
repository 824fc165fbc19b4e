#include "ops/vigie/handset.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hex.h"
#include "ops/vigie/command.h"
#include "ops/vigie/say.h"

#define DAY_S 86400

/* ---- keys and files */

int handset_folder(const struct region *region, const char *given, const char *handset,
                   char folder[HANDSET_FOLDER_MAX + 1])
{
        int n = given != NULL ? snprintf(folder, HANDSET_FOLDER_MAX + 1, "%s", given)
                              : snprintf(folder, HANDSET_FOLDER_MAX + 1, "%s/handsets/%s", region->dir, handset);

        if (n > HANDSET_FOLDER_MAX)
                return say_wrong(
                        "%s: a handset's folder has a name of at most %d octets: its command socket lies in it",
                        given != NULL ? given : region->dir, HANDSET_FOLDER_MAX);
        return 0;
}

int handset_days(const char *text, struct handset_entry *entry)
{
        static const struct bounds bounds = { -HANDSET_DAYS_MAX, HANDSET_DAYS_MAX };
        long days;
        int r = whole_number("--days", text, &bounds, &days);

        if (r == 0)
                entry->not_after_s = (uint32_t)(time(NULL) + days * DAY_S);
        return r;
}

int handset_certify(const struct region *region, const char *handset, struct handset_entry *entry,
                    struct handset_pair *ret_pair)
{
        char certificate[REGION_PATH_MAX], key[REGION_PATH_MAX], enrolment[2 * ENROLMENT_SIZE + 1];
        struct pki_handset who = { handset, enrolment, time(NULL) - DAY_S, entry->not_after_s };
        struct pki_ca *ca = NULL;
        int r;

        if (who.not_before_s >= who.not_after_s)
                who.not_before_s = who.not_after_s - DAY_S;
        hex_encode(entry->enrolment, ENROLMENT_SIZE, enrolment);
        if ((r = region_path(region, "ca.pem", certificate)) < 0 || (r = region_path(region, "ca.key", key)) < 0)
                return r;
        if ((r = pki_ca_read(certificate, key, &ca)) < 0)
                say_wrong("%s, %s: %s (the certificate authority is needed)", certificate, key, strerror(-r));
        else if ((r = key_generate(KEY_ES256, &ret_pair->key)) < 0 ||
                 (r = pki_handset(ca, &who, ret_pair->key, ret_pair->certificate, sizeof(ret_pair->certificate))) < 0)
                say_wrong("handset %s: certificate: %s", handset, strerror(-r));
        else
                key_public(ret_pair->key, entry->key);
        pki_ca_free(ca);
        return r;
}

int handset_put(const struct handset_file *file, const char *text, size_t len)
{
        char path[REGION_PATH_MAX];
        int r;

        snprintf(path, sizeof(path), "%.*s/%s", HANDSET_FOLDER_MAX, file->folder, file->name);
        r = file_write(path, text, len, file->mode);
        if (r < 0)
                say_wrong("%s: %s", path, strerror(-r));
        return r;
}

int handset_put_pair(const struct handset_pair *pair, const char *folder, const char *suffix)
{
        char pem[KEY_PEM_MAX], key_name[32], certificate_name[32];
        int r = key_to_pem(pair->key, true, pem, sizeof(pem));

        snprintf(key_name, sizeof(key_name), "key.pem%s", suffix);
        snprintf(certificate_name, sizeof(certificate_name), "certificate.pem%s", suffix);
        if (r == 0)
                r = handset_put(&(struct handset_file){ folder, key_name, 0600 }, pem, strlen(pem));
        if (r == 0)
                r = handset_put(&(struct handset_file){ folder, certificate_name, 0644 }, pair->certificate,
                                strlen(pair->certificate));
        explicit_bzero(pem, sizeof(pem));
        return r;
}

int handset_set(struct region *region, const char *handset, const struct handset_entry *handset_entry)
{
        uint8_t data[PEOPLE_MAX];
        int r = handset_entry_encode(handset_entry, data, sizeof(data));

        if (r < 0)
                return r;
        return region_people_set(region, &(struct region_entry){ "handsets", handset, data, (size_t)r });
}

int handset_set_pair(struct region *region, const char *handset, const struct handset_entry *handset_entry,
                     const struct handset_pair *pair)
{
        uint8_t data[PEOPLE_MAX], der[PKI_CERTIFICATE_MAX];
        int r = handset_entry_encode(handset_entry, data, sizeof(data)), len = pki_der(pair->certificate, der);

        if (r < 0 || len < 0)
                return r < 0 ? r : len;
        const struct region_entry entries[] = { { "handsets", handset, data, (size_t)r },
                                                { "certificates", handset, der, (size_t)len } };
        return region_people_put(region, entries, 2);
}

/* ---- list, revoke */

static void print(void *user, const char *field, const uint8_t *data, size_t size)
{
        struct handset_entry e;
        char end[32];
        time_t at;
        struct tm tm;

        if (handset_entry_decode(data, size, &e) < 0) {
                say_wrong("handset %s: entry cannot be read", field);
                return;
        }
        at = e.not_after_s;
        strftime(end, sizeof(end), "until %Y-%m-%d", gmtime_r(&at, &tm));
        say_row(field, e.role == HANDSET_SUPERVISOR ? "supervisor" : "carrier", e.person, e.number, e.site, end,
                e.revoked_at_s != 0          ? "revoked"
                : e.not_after_s < time(NULL) ? "expired"
                                             : "",
                NULL);
}

static int list(struct region *region, const void *of, int argc, char **argv)
{
        if (choices_read(&(struct choices){ .usage = "handset list" }, argc, argv, NULL) < 0)
                return EXIT_USAGE;
        return refused(region_people_each(region, "handsets", print, NULL));
}

/* The entry of the handset that WORD names, whose id in lower case goes to HANDSET. */
static int find(struct region *region, const char *word, char handset[HANDSET_ID_TEXT], struct handset_entry *ret_entry)
{
        uint8_t data[PEOPLE_MAX];
        struct handset_id id;
        int r;

        if (handset_id_from_text(word, &id) < 0)
                return say_wrong("handset '%s': an id has 16 hex digits", word);
        handset_id_to_text(&id, handset);
        r = region_people_get(region, "handsets", handset, data, sizeof(data));
        if (r >= 0)
                r = handset_entry_decode(data, (size_t)r, ret_entry);
        if (r < 0)
                say_wrong("handset %s: %s", handset, r == -ENOENT ? "not enrolled" : strerror(-r));
        return r;
}

static int shut_out(struct region *region, const void *of, int argc, char **argv)
{
        char handset[HANDSET_ID_TEXT];
        struct handset_entry e;
        const char *word;
        int r;

        if (choices_read(&(struct choices){ .usage = "handset revoke ID", .words_wanted = 1 }, argc, argv, &word) < 0)
                return EXIT_USAGE;
        if ((r = find(region, word, handset, &e)) < 0)
                return refused(r);
        if (e.revoked_at_s == 0)
                e.revoked_at_s = (uint32_t)time(NULL);
        return refused(handset_set(region, handset, &e));
}

/* ---- renew.  The new pair is on disk before the region hears of it, under names of its own; the handset's files
 * change last.  Cut short anywhere, the handset has a key that the region accepts, and doing it again ends well. */

#define NEW ".new"

static int move_in(const char *folder)
{
        static const char *const names[] = { "key.pem", "certificate.pem" };
        char from[REGION_PATH_MAX], to[REGION_PATH_MAX];
        int r = 0;

        for (size_t i = 0; r == 0 && i < 2; i++) {
                snprintf(from, sizeof(from), "%.*s/%s" NEW, HANDSET_FOLDER_MAX, folder, names[i]);
                snprintf(to, sizeof(to), "%.*s/%s", HANDSET_FOLDER_MAX, folder, names[i]);
                if (rename(from, to) < 0 && errno != ENOENT) /* not there: moved before it was cut short */
                        r = -errno;
                else
                        r = file_sync_folder(to, fsync);
        }
        if (r < 0)
                say_wrong("%s: %s", to, strerror(-r));
        return r;
}

/* Say whether FOLDER holds a new pair that the region took already: a renewal was cut short. */
static bool is_taken(const char *folder, const struct handset_entry *e)
{
        static const char *const names[] = { "key.pem" NEW, "key.pem" };
        uint8_t public[KEY_PUBLIC_MAX];
        char path[REGION_PATH_MAX];
        struct key *key = NULL;
        bool taken = false;

        snprintf(path, sizeof(path), "%.*s/certificate.pem" NEW, HANDSET_FOLDER_MAX, folder);
        if (access(path, F_OK) < 0)
                return false;
        for (size_t i = 0; key == NULL && i < 2; i++) {
                snprintf(path, sizeof(path), "%.*s/%s", HANDSET_FOLDER_MAX, folder, names[i]);
                if (key_from_file(path, &key) == 0)
                        taken = key_public(key, public) == P256_POINT_SIZE &&
                                memcmp(public, e->key, P256_POINT_SIZE) == 0;
        }
        key_free(key);
        return taken;
}

static int renew_in(struct region *region, const char *handset, struct handset_entry *e, const char *folder)
{
        struct handset_pair pair = { 0 };
        int r;

        if (is_taken(folder, e))
                return move_in(folder);
        memcpy(e->previous, e->key, sizeof(e->previous));
        e->has_previous = true;
        if ((r = handset_certify(region, handset, e, &pair)) == 0 && (r = handset_put_pair(&pair, folder, NEW)) == 0 &&
            (r = handset_set_pair(region, handset, e, &pair)) == 0)
                r = move_in(folder);
        key_free(pair.key);
        return r;
}

static int renew(struct region *region, const void *of, int argc, char **argv)
{
        const char *out = NULL, *days = HANDSET_DAYS_DEFAULT, *word;
        const struct choice options[] = {
                { "days", &days, NULL, "term of the certificate (" HANDSET_DAYS_DEFAULT ")" },
                { "folder", &out, NULL, "the handset's folder (default: handsets/ID in the region)" },
        };
        const struct choices choices = { "handset renew ID [--days DAYS] [--folder FOLDER]", options, 2, 1 };
        char handset[HANDSET_ID_TEXT], folder[HANDSET_FOLDER_MAX + 1];
        struct handset_entry e;
        int r;

        if (choices_read(&choices, argc, argv, &word) < 0)
                return EXIT_USAGE;
        if ((r = find(region, word, handset, &e)) < 0 || (r = handset_days(days, &e)) < 0 ||
            (r = handset_folder(region, out, handset, folder)) < 0)
                return refused(r);
        if (e.revoked_at_s != 0) {
                say_wrong("handset %s: revoked: a phone that comes back is enrolled anew", handset);
                return EXIT_REFUSED;
        }
        if (renew_in(region, handset, &e, folder) < 0)
                return EXIT_REFUSED;
        say_row(handset, folder, NULL);
        return EXIT_DONE;
}

int handset_main(struct region *region, int argc, char **argv)
{
        static const struct verb verbs[] = {
                { "list", "", list, NULL },
                { "revoke", "ID", shut_out, NULL },
                { "renew", "ID [--days DAYS] [--folder FOLDER]", renew, NULL },
                { 0 },
        };

        return verbs_main(verbs, region, argc, argv);
}
