/* Inside the tail: for archive_tail.c and archive_clean.c alone. */
#ifndef OPS_VIGIE_ARCHIVE_TAIL_INSIDE_H
#define OPS_VIGIE_ARCHIVE_TAIL_INSIDE_H

#include "ops/vigie/archive_tail.h"

enum tail_trouble { TROUBLE_DISK, TROUBLE_FAILED, TROUBLE_GAP, TROUBLE_COUNT };

struct archive_tail {
        struct archive_tail_options options;
        struct redisContext *redis;    /* NULL: not connected; the region's */
        struct archive_folder *folder; /* NULL: not open */
        struct archive_feed_entry *entry;
        char feed_key[96], where[ARCHIVE_TEXT_MAX + 1];
        bool is_told; /* {r}:archive says `told` */
        uint64_t told;
        struct {
                bool known, on; /* as it stands in {r}:notices */
        } notices[TROUBLE_COUNT];
};

/* tail_disconnect: the next pass connects anew.  tail_forget: ... opens the folder anew. */
void tail_disconnect(struct archive_tail *tail);
void tail_forget(struct archive_tail *tail);

#endif
