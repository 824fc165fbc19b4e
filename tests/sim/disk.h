/* disk: an append-only file of base/entry.h's format on a disk that forgets: what was not synced is, sector by sector, kept,
 * dropped or torn when power goes.  Reading back is entry_next's own. */
#ifndef TESTS_SIM_DISK_H
#define TESTS_SIM_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/entry.h"

#define DISK_SECTOR 512

struct disk {
        char owner[4];
        uint8_t *octets;
        size_t len, room, durable; /* durable: octets that no power cut takes */
        struct entry_chain chain;
        size_t entries, durable_entries; /* written; of them durable */
        unsigned rewritten;              /* how often: only then what was durable may go */
};

/* disk_open: read what is there (a header is written on an empty one), cut a torn tail off, call FN with each entry.
 * Returns whether a tail was torn. */
bool disk_open(struct disk *disk, const char owner[4], void (*fn)(void *user, const struct entry *entry), void *user);

/* disk_append: write an entry; not durable yet. */
void disk_append(struct disk *disk, const void *payload, size_t len);

/* disk_sync: what is written up to the entry COUNT, counted from the opening, is durable. */
void disk_sync(struct disk *disk, size_t count);

/* disk_power_cut: of what is not durable sectors are lost or torn, each with LOSS_PERMILLE. */
void disk_power_cut(struct disk *disk, uint64_t *chance, unsigned loss_permille);

/* disk_rewrite: keep only the entries of which KEEP says so, as a compaction does: all durable afterwards. */
void disk_rewrite(struct disk *disk, bool (*keep)(void *user, const struct entry *entry), void *user);

/* disk_has: say whether the octets of DATA stand in what is durable. */
bool disk_has(const struct disk *disk, const void *data, size_t len);

void disk_copy(struct disk *to, const struct disk *from);
void disk_free(struct disk *disk);

#endif
