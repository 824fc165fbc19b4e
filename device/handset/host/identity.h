/* identity: who this phone is: its alert key, its certificate's name, the region's root and the trust list of
 * enrolment. */
#ifndef DEVICE_HANDSET_HOST_IDENTITY_H
#define DEVICE_HANDSET_HOST_IDENTITY_H

#include "device/handset/host/config.h"
#include "wire/key.h"

struct identity {
        bool enrolled;
        uint8_t handset[VIGIE_HANDSET_ID_SIZE];
        uint8_t enrolment[VIGIE_ENROLMENT_SIZE]; /* zeros: the certificate names none, and no order is for this phone */
        struct key *key, *root;
        void *pkey; /* the alert key's EVP_PKEY, for vigie_sign */
        uint8_t *trust;
        size_t trust_len;
};

/* identity_read: read the files that CONFIG names.  A phone without a key, one that was wiped, one whose files do
 * not fit together is no error: `enrolled` is false, the log says which file and why, and the page that the button
 * does not work. */
void identity_read(const struct config *config, struct identity *ret_identity);

/* identity_options: fill in OPTIONS (begun with VIGIE_OPTIONS) for vigie_init; its pointers point into IDENTITY. */
void identity_options(const struct identity *identity, const struct config *config, struct vigie_options *options);

/* identity_clear: forget all of it. */
void identity_clear(struct identity *identity);

#endif
