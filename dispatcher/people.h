/* The people hashes: from Redis's octets, or a snapshot's, into the core. */
#ifndef DISPATCHER_PEOPLE_H
#define DISPATCHER_PEOPLE_H

#include "dispatcher/core.h"
#include "wire/cbor.h"

/* people_name: the hash's name behind the region's prefix: "handsets".  people_kind_of: the other way; PEOPLE_KINDS
 * if none. */
const char *people_name(enum people_kind kind);
enum people_kind people_kind_of(const char *name);

/* people_load: tell the core one entry.
 *   field  a handset's id in hex, a person's, a login, a round's
 *   value  the encoded entry; empty: it is gone
 * Returns 0; -EBADMSG, -EPROTONOSUPPORT (cannot be read: it stays as it was, and counts as loaded); -EINVAL (field); -ENOBUFS, -ENOMEM of the
 * core. */
int people_load(struct core *core, enum people_kind kind, const char *field, struct cbor_span value);

#endif
