/* The keeper's audit on disk: base/journal, synced at each entry.  When half of it is used the old file is put aside under a number
 * (PATH.1, PATH.2 ...) for the auditor, and a new one goes on with what is still needed. */
#ifndef KEEPER_AUDIT_H
#define KEEPER_AUDIT_H
#include <stdint.h>

#include "base/journal.h"
#include "console/keeper/keeper.h"

#define AUDIT_OWNER "KEEP"

struct audit {
        struct journal *journal;
        struct keeper *keeper; /* whose it is */
        char path[256];
        uint64_t size_max, turn_at; /* octets */
};

/* audit_open: open PATH and tell KEEPER what is in it.  Says on the log what was torn.  Returns 0 or a negative errno. */
int audit_open(struct audit *audit, const char *path, uint64_t size_max, struct keeper *keeper);

/* audit_write: append ENTRY; durable when this returns 0.  For keeper_options.write; USER is the audit. */
int audit_write(void *user, struct cbor_span entry);

/* audit_turn: put the old file aside where half of it is used.  NOW_S as keeper_answer's. */
void audit_turn(struct audit *audit, uint32_t now_s);

void audit_close(struct audit *audit);
#endif
