/* The door's log on disk: entries of wire/door_log.h, each durable before the door opens.  It is the door's memory as
 * well: what was taken and the newest signed time are read back from it at the start, so one fdatasync makes all three
 * durable together.
 *
 *      FOLDER/log.<first number, hex>   base/entry.h's format, preallocated; each entry's payload a signed entry
 *      FOLDER/head                      the newest signed entry once more, one behind at most: a cut end is seen
 *      FOLDER/lock                      one process
 *
 * Bounded: when a file is full the next one is begun, and the oldest goes where there are too many.
 * What a power cut leaves: a half-written entry (cut off at the start: nothing was opened for it), a file without
 * header (taken away), a `head` one entry behind (written anew).  Anything else is damage, and the door does not start
 * on it. */
#ifndef DEVICE_DOOR_CHAIN_H
#define DEVICE_DOOR_CHAIN_H
#include "base/entry.h"
#include "wire/door_walk.h"

/* Octets of one file: some 5,000 entries. */
#define CHAIN_FILE_SIZE (1024 * 1024)

/* The system calls that tests make fail; `create` NULL: the real ones.  Each gives 0 or a negative errno. */
struct chain_calls {
        void *user;
        /* A new file, preallocated; gives its descriptor. */
        int (*create)(void *user, const char *path, off_t size);
        /* All of it. */
        int (*write)(void *user, int fd, const void *data, size_t len, off_t offset);
        int (*sync)(void *user, int fd);                                            /* fdatasync */
        int (*sync_folder)(void *user, const char *path);                           /* file_sync_folder */
        int (*replace)(void *user, const char *path, const void *data, size_t len); /* file_write */
        int (*remove)(void *user, const char *path);
};

struct chain_options {
        char folder[512];
        const struct key *key; /* the door's, private */
        uint8_t door[DOOR_ID_SIZE];
        unsigned files;   /* kept, 2 to CHAIN_FILES_MAX - 1 */
        size_t file_size; /* 0: CHAIN_FILE_SIZE */
        /* Each entry found at the start. */
        void (*each)(void *user, const struct chain_entry *entry);
        void *user;
        struct chain_calls calls;
};

/* For chain.c alone, but `number` and `head`. */
struct chain {
        struct chain_options options;
        struct scope_hash sha;
        int fd, lock_fd; /* fd -1: no file yet */
        struct entry_chain entries;
        off_t end;
        size_t files;
        uint64_t names[CHAIN_FILES_MAX]; /* of the files, oldest first */
        uint64_t number;                 /* of the newest entry, 0: none */
        uint8_t head[HELLO_HEAD_SIZE];   /* what the next entry follows: for the hello */
        uint8_t newest[DOOR_LOG_MAX];
        size_t newest_len;
        bool failed; /* a write failed: nothing more is written */
};

/* chain_open: go through what is there (each entry is given to `each`), put right what a power cut left, go on behind
 * it.
 *   ret_chain  to be closed whatever this returns
 *   why        160 octets: on failure what is wrong, for a person
 * Returns 0; -EBADMSG (altered, cut, or not this door's: left as it is); -EWOULDBLOCK (another process has it); an
 * errno. */
int chain_open(const struct chain_options *options, struct chain *ret_chain, char why[160]);

/* chain_append: sign ENTRY after the newest and make it durable.  Number and previous are filled in here.  No heap of
 * ours.
 * Returns 0, or a negative errno: it is not known whether the entry is there, so the process is to end; every later
 * call gives -EIO. */
int chain_append(struct chain *chain, struct door_log_entry *entry);

/* chain_settle: write `head` for the newest entry; after each append.  Returns as chain_append does. */
int chain_settle(struct chain *chain);

/* chain_close: copes with a half-opened one. */
void chain_close(struct chain *chain);
#endif
