/* archive_files: the files of an archive's folder, and a walk through what is in them.
 *
 *      000001-20261122.archive ...   number and day (UTC) as in the header; wire/archive.h
 *      head.cose                     the newest checkpoint
 *      archive.pem                   the public key, a copy; who verifies should have one from elsewhere
 *      tail.lock  write.lock         one daemon; one writer at a time
 *      *.new  *.tmp.PID              a file being written: what a kill leaves of it goes at the next opening to write */
#ifndef OPS_VIGIE_ARCHIVE_FILES_H
#define OPS_VIGIE_ARCHIVE_FILES_H

#include "ops/vigie/region.h"
#include "wire/archive_audit.h"

#define ARCHIVE_HEAD      "head.cose"
#define ARCHIVE_PUBLIC    "archive.pem"
#define ARCHIVE_FILE_END  ".archive"
/* A file that is larger is followed by the next one: it is read whole. */
#define ARCHIVE_FILE_SIZE (16 * 1024 * 1024)
/* A larger one is refused: the size above and one batch behind it. */
#define ARCHIVE_FILE_MAX  (64 * 1024 * 1024)

struct archive_file {
        uint32_t number;
        char name[32];
        off_t until; /* read no further; 0: to its end */
};

struct archive_list {
        struct archive_file *files; /* by number; two with one number both stand there */
        size_t count;
        char odd[64]; /* the first name that is none of ours, or "" */
};

/* archive_name: the name of a file by its header. */
void archive_name(const struct archive_header *header, char to[32]);

/* archive_path: DIR/NAME into TO of REGION_PATH_MAX octets.  Returns 0, -ENAMETOOLONG. */
int archive_path(const char *dir, const char *name, char *to);

/* archive_list: the files in DIR; free(ret_list->files).  Returns 0, or opendir's errno, -ENOMEM. */
int archive_list(const char *dir, struct archive_list *ret_list);

/* What a walk tells.  A negative answer ends it. */
struct archive_visitor {
        int (*header)(void *user, const struct archive_file *file, const struct archive_header *header,
                      const uint8_t link[ARCHIVE_LINK_SIZE]);
        int (*entry)(void *user, const struct archive_entry *entry);
        /* What stands behind octet AT of SIZE can not be read, and is passed over. */
        int (*torn)(void *user, const struct archive_file *file, size_t at, size_t size);
        void *user;
};

/* archive_sweep: delete what a kill left of files that were being written (*.new, head.cose.tmp.*, archive.pem.tmp.*);
 * for who has the lock.  Returns 0, or a negative errno. */
int archive_sweep(const char *dir);

/* archive_walk: read FILE and tell all that is in it; a member of VISITOR may be NULL.
 * Returns 0, what a visitor gave, or reading's errno (told). */
int archive_walk(const char *dir, const struct archive_file *file, const struct archive_visitor *visitor);

/* archive_walk_all: every file of LIST, one after the other. */
int archive_walk_all(const char *dir, const struct archive_list *list, const struct archive_visitor *visitor);

/* archive_read_head: read and verify DIR/head.cose.  Returns 0, -ENOENT, as archive_checkpoint_open(). */
int archive_read_head(const char *dir, const struct key *key, struct archive_checkpoint *ret_head);

#endif
