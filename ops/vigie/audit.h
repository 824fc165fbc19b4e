/* vigie verify-audit: say whether an archive is what was written. */
#ifndef OPS_VIGIE_AUDIT_H
#define OPS_VIGIE_AUDIT_H

#include <stdio.h>

struct key;

enum { AUDIT_GOOD = 0, AUDIT_NOT_GOOD = 1, AUDIT_NOT_LOOKED = 3 };

/* Findings printed; of more, the rest is counted. */
#define AUDIT_FINDINGS_MAX 100

struct audit_options {
        const char *dir;
        const char *key;        /* public key, PEM; NULL: the copy in the folder, and that is said */
        struct key *key_read;   /* the key itself, where the caller has it; borrowed; else NULL */
        const char *checkpoint; /* a checkpoint kept elsewhere (raw, hex or base45); NULL: none */
        FILE *out;
};

/* audit_run: verify the archive and print what was found, each with file, entry and alert.  Somebody may write to it
 * meanwhile: it is read as it stood between two batches, and anew where `vigie retain` came in between.
 * Returns AUDIT_GOOD, AUDIT_NOT_GOOD, AUDIT_NOT_LOOKED. */
int audit_run(const struct audit_options *options);

/* audit_main: `verify-audit FOLDER [--key FILE.pem] [--checkpoint FILE]`.  Returns the exit status: as above. */
int audit_main(int argc, char **argv);

#endif
