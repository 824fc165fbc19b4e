/* backup_file: what `vigie backup` writes and `vigie restore` reads: a CBOR sequence (PROTOCOL.md 12.2).
 *
 *      header   [1, "vigie backup", region, at ms, archive number, epoch, trust list number]
 *      item     [kind, key without "{r}:", [octets, octets, ...]]      ... any number
 *      end      COSE_Sign1 of [1, items, SHA-256 of all that stands before it], aad "vigie backup", the archive's key
 *      */
#ifndef OPS_VIGIE_BACKUP_FILE_H
#define OPS_VIGIE_BACKUP_FILE_H

#include "ops/vigie/region.h"
#include "wire/archive.h"

#define BACKUP_AAD      "vigie backup"
#define BACKUP_KEY_MAX  128 /* octets of a key; ours have at most 40 */
/* One item: a page of a hash, some hundred values of at most 8 KiB.  A larger one is refused, writing and reading. */
#define BACKUP_ITEM_MAX (8 * 1024 * 1024)
#define BACKUP_FILE_MAX (1024 * 1024 * 1024) /* read whole; a region of 250,000 handsets has 100 MB */
#define BACKUP_FILE_END ".backup"

enum backup_kind {
        BACKUP_STRING = 1, /* value */
        BACKUP_HASH,       /* field, value, ...; a hash may be several items */
        BACKUP_ZSET,       /* member, score in text, ... */
        BACKUP_STREAM,     /* id, name, value, ...: one entry */
        BACKUP_EXPIRY,     /* behind the key's items: when it ends, UTC in ms, text; none: never */
        BACKUP_KIND_END
};

struct backup_header {
        char what[16], region[REGION_NAME_MAX + 1];
        int64_t at_ms;
        uint64_t number; /* what the archive had before the first item was read: behind it, the archive knows better */
        uint64_t epoch;
        uint32_t trust;
};

struct backup_item {
        uint8_t kind;
        char key[BACKUP_KEY_MAX + 1];
        struct cbor_span values; /* the array, encoded */
};

struct backup_writer;

/* backup_create: begin PATH (as PATH.tmp).  Returns 0, or a negative errno. */
int backup_create(const char *path, const struct backup_header *header, struct backup_writer **ret_writer);

/* backup_put: one item of COUNT values.  Returns 0, -EMSGSIZE, or write's errno. */
int backup_put(struct backup_writer *writer, const struct backup_item *item, const struct cbor_span *values,
               size_t count);

/* backup_finish: sign, fsync, rename.  Returns 0, or a negative errno.  backup_free: what is not finished goes; NULL
 * is fine. */
int backup_finish(struct backup_writer *writer, const struct key *key, uint64_t *ret_items);
void backup_free(struct backup_writer *writer);

/* backup_read: read a whole backup and verify it; then tell its items one by one.
 *   item   NULL: verified only; a negative answer ends it
 * Returns 0; -EBADMSG (malformed, or cut off), -EKEYREJECTED (altered, or another key's), -EIO; what ITEM gave. */
int backup_read(struct cbor_span file, const struct key *key, struct backup_header *ret_header,
                int (*item)(void *user, const struct backup_item *item), void *user);

#endif
