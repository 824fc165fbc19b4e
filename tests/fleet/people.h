/* people: made-up handsets for load and for the demo, enrolled like real ones: a key, a certificate of the region's CA, an entry in the
 * region's store; and a carrier or supervisor for each. */
#ifndef TESTS_FLEET_PEOPLE_H
#define TESTS_FLEET_PEOPLE_H

#include <openssl/ssl.h>

#include "ops/vigie/region.h"
#include "wire/id.h"
#include "wire/key.h"

struct member {
        bool supervisor;
        char person[32], number[16]; /* number: carriers only, "+33619......"; "" none */
        struct handset_id handset;
        struct key *key;
        X509 *certificate;
};

/* people_make: enrol COUNT members, the first SUPERVISORS of them supervisors, into REGION; ids begin with PREFIX.
 * Returns 0 or a negative errno after telling on stderr.  Freed by people_free. */
int people_make(struct region *region, const char *prefix, size_t count, size_t supervisors, struct member **ret_members);
void people_free(struct member *members, size_t count);

/* people_save, people_load: what the phones hold of their enrolment, in FOLDER: N.pem is key and certificate, N.id who they are.
 * Both return 0 or a negative errno after telling on stderr; people_load -ENOENT in silence where nobody was saved.  The COUNT of both
 * is the same.  Freed by people_free. */
int people_save(const char *folder, const struct member *members, size_t count);
int people_load(const char *folder, size_t count, struct member **ret_members);

/* people_tls: a client context that trusts the region's CA and checks no name (all is loopback).  NULL after telling. */
SSL_CTX *people_tls(const struct region *region);

#endif
