#include "tests/sim/disk.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim.h"

static void make_room(struct disk *disk, size_t len)
{
        while (disk->len + len > disk->room) {
                disk->room = disk->room * 2 + 4096;
                disk->octets = realloc(disk->octets, disk->room);
                assert(disk->octets != NULL);
        }
}

static void write_header(struct disk *disk, uint64_t sequence)
{
        make_room(disk, ENTRY_HEADER_SIZE);
        assert(entry_header_encode(disk->owner, sequence, disk->octets, &disk->chain) == 0);
        disk->len = disk->durable = ENTRY_HEADER_SIZE; /* journal_open syncs it before anything else */
}

bool disk_open(struct disk *disk, const char owner[4], void (*fn)(void *user, const struct entry *entry), void *user)
{
        enum entry_result result;
        struct entry entry;
        size_t at = ENTRY_HEADER_SIZE;

        memcpy(disk->owner, owner, 4);
        disk->entries = 0;
        if (disk->len == 0)
                write_header(disk, 0);
        assert(entry_header_decode(disk->octets, disk->len, owner, &disk->chain) == 0);
        while ((result = entry_next(&disk->chain, disk->octets + at, disk->len - at, &entry)) == ENTRY_FOUND) {
                at += entry.size;
                disk->entries++;
                fn(user, &entry);
        }
        disk->len = disk->durable = at; /* cut, and synced, before anything is appended */
        disk->durable_entries = disk->entries;
        return result == ENTRY_TORN;
}

void disk_append(struct disk *disk, const void *payload, size_t len)
{
        size_t size;

        make_room(disk, ENTRY_OVERHEAD + len);
        assert(entry_encode(&disk->chain, payload, len,
                            (struct entry_out){ disk->octets + disk->len, disk->room - disk->len }, &size) == 0);
        disk->len += size;
        disk->entries++;
}

/* Where the entry after the first COUNT begins. */
static size_t offset_of(const struct disk *disk, size_t count)
{
        size_t at = ENTRY_HEADER_SIZE;

        for (size_t i = 0; i < count; i++) {
                const uint8_t *p = disk->octets + at;

                at += ENTRY_OVERHEAD + ((size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3]);
        }
        return at;
}

void disk_sync(struct disk *disk, size_t count)
{
        if (count <= disk->durable_entries)
                return;
        disk->durable = count == disk->entries ? disk->len : offset_of(disk, count);
        disk->durable_entries = count;
}

void disk_power_cut(struct disk *disk, uint64_t *chance, unsigned loss_permille)
{
        size_t at = disk->durable;

        while (at < disk->len) {
                size_t end = (at / DISK_SECTOR + 1) * DISK_SECTOR, cut;

                if (end > disk->len)
                        end = disk->len;
                if (sim_permille(chance, loss_permille)) { /* the file is preallocated: zeros were there */
                        cut = sim_permille(chance, 300) ? at + sim_below(chance, end - at) : at;
                        memset(disk->octets + cut, 0, end - cut);
                }
                at = end;
        }
}

void disk_rewrite(struct disk *disk, bool (*keep)(void *user, const struct entry *entry), void *user)
{
        struct disk old = *disk;
        struct entry_chain chain;
        struct entry entry;
        size_t at = ENTRY_HEADER_SIZE;

        assert(entry_header_decode(old.octets, old.len, old.owner, &chain) == 0);
        disk->octets = NULL;
        disk->len = disk->room = disk->entries = 0;
        write_header(disk, old.chain.sequence);
        while (entry_next(&chain, old.octets + at, old.len - at, &entry) == ENTRY_FOUND) {
                at += entry.size;
                if (!keep(user, &entry))
                        continue;
                disk->chain.sequence = entry.sequence - 1;
                disk_append(disk, entry.payload, entry.payload_len);
        }
        disk->chain.sequence = old.chain.sequence;
        disk->durable = disk->len;
        disk->durable_entries = disk->entries;
        disk->rewritten++;
        free(old.octets);
}

#define DISK_NEWEST 16384 /* looked at first */

bool disk_has(const struct disk *disk, const void *data, size_t len)
{
        size_t from = disk->durable > DISK_NEWEST ? disk->durable - DISK_NEWEST : 0;

        if (disk->durable == 0)
                return false;
        if (memmem(disk->octets + from, disk->durable - from, data, len) != NULL)
                return true;
        return from > 0 && memmem(disk->octets, from + len - 1, data, len) != NULL;
}

void disk_copy(struct disk *to, const struct disk *from)
{
        disk_free(to);
        *to = *from;
        to->octets = malloc(from->room + 1);
        if (from->len > 0)
                memcpy(to->octets, from->octets, from->len);
}

void disk_free(struct disk *disk)
{
        free(disk->octets);
        *disk = (struct disk){ 0 };
}
