/* Inside the archive's folder: for archive_folder.c, archive_load.c and archive_erase.c alone. */
#ifndef OPS_VIGIE_ARCHIVE_FOLDER_INSIDE_H
#define OPS_VIGIE_ARCHIVE_FOLDER_INSIDE_H

#include <time.h>

#include "ops/vigie/archive_folder.h"

/* What another writer would have changed. */
struct folder_state {
        ino_t head, file;
        struct timespec head_at;
        off_t size;
};

struct archive_folder {
        struct archive_folder_options options;
        char dir[REGION_PATH_MAX];
        int lock_fd;
        struct archive_audit *audit;
        unsigned findings; /* said so far */
        uint8_t id[ARCHIVE_ID_SIZE];
        struct archive_checkpoint head;
        uint8_t head_octets[ARCHIVE_CHECKPOINT_MAX];
        size_t head_len;
        uint32_t file; /* the last one; 0: none */
        char file_name[32];
        int64_t day; /* since 1970, of its header */
        off_t size;  /* of what is whole in it */
        uint8_t *batch;
        size_t batch_len;
        bool is_new; /* the batch begins a file */
        struct folder_state state;
        char feed[ARCHIVE_FEED_ID_MAX + 1], where[ARCHIVE_TEXT_MAX + 1];
        struct archive_recent *recent; /* a ring, the newest at recent_at */
        size_t recent_at, recent_count;
};

/* folder_load: verify all of a locked folder and learn its end; mend what a crash left; begin an empty one.
 * Returns 0, or a negative errno after telling. */
int folder_load(struct archive_folder *folder);

/* folder_recent_note: an entry is in the archive: what the feed had last. */
void folder_recent_note(struct archive_folder *folder, const struct archive_meta *meta, const struct cbor_span *parts);

/* folder_sign: sign the end as it is and put it into head.cose.  Returns 0, or a negative errno. */
int folder_sign(struct archive_folder *folder);

/* folder_write: all of DATA to FD.  Returns 0, or a negative errno. */
int folder_write(int fd, const uint8_t *data, size_t len);

#endif
