/* handset: the keys, certificates and entries of handsets, for `vigie enrol` and `vigie handset`. */
#ifndef OPS_VIGIE_HANDSET_H
#define OPS_VIGIE_HANDSET_H

#include "ops/vigie/pki.h"
#include "ops/vigie/region.h"
#include "wire/people.h"

/* Days of a certificate. */
#define HANDSET_DAYS_DEFAULT "730"
#define HANDSET_DAYS_MAX     3650
/* Octets of a handset's folder: its command socket lies in it, and a unix socket's name has at most 107. */
#define HANDSET_FOLDER_MAX   94

/* handset_folder: GIVEN, or handsets/HANDSET in the region where it is NULL.  Returns 0, -EINVAL (too long: told on
 * stderr). */
int handset_folder(const struct region *region, const char *given, const char *handset,
                   char folder[HANDSET_FOLDER_MAX + 1]);

/* A key and its certificate. */
struct handset_pair {
        struct key *key;
        char certificate[PKI_CERTIFICATE_MAX];
};

/* handset_days: read --days into ENTRY's end.  A negative number makes an expired certificate, for tests.
 * Returns 0, -EINVAL (told on stderr). */
int handset_days(const char *text, struct handset_entry *entry);

/* handset_certify: draw a key, and certify it for HANDSET (its id in hex) with the enrolment and end in ENTRY, into
 * which the public key goes.  The caller frees the key.  Returns 0, or a negative errno after telling on stderr. */
int handset_certify(const struct region *region, const char *handset, struct handset_entry *entry,
                    struct handset_pair *ret_pair);

/* handset_put_pair: write the pair as FOLDER/key.pemSUFFIX and FOLDER/certificate.pemSUFFIX, private key 0600.
 * Returns 0, or a negative errno after telling on stderr. */
int handset_put_pair(const struct handset_pair *pair, const char *folder, const char *suffix);

/* handset_put: write a file FOLDER/NAME durably.  Returns 0, or a negative errno after telling on stderr. */
struct handset_file {
        const char *folder, *name;
        mode_t mode;
};
int handset_put(const struct handset_file *file, const char *text, size_t len);

/* handset_set: write the entry of HANDSET (its id in hex).  Returns as region_people_set(). */
int handset_set(struct region *region, const char *handset, const struct handset_entry *entry);

/* handset_set_pair: the same, and its certificate (DER, {r}:certificates): with it an alert opens a sealed position at the keeper.
 * Returns as region_people_put(), -EINVAL (no certificate). */
int handset_set_pair(struct region *region, const char *handset, const struct handset_entry *entry,
                     const struct handset_pair *pair);

#endif
