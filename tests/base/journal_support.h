/* What the journal's tests share: an owner that remembers what it is told, and system calls that fail on demand. */
#ifndef TESTS_BASE_JOURNAL_SUPPORT_H
#define TESTS_BASE_JOURNAL_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/journal.h"
#include "tests/base/folder.h"

#define SMALL_CHUNK (64 * 1024)
#define SEEN_MAX    100000

/* Entries carry a number and filling. */
struct owner {
        struct folder folder;
        char path[128];
        size_t count;
        uint64_t sequence[SEEN_MAX], value[SEEN_MAX];
        size_t len[SEEN_MAX];
        uint64_t synced;
        int failed, failed_calls, state_calls, done_calls, done_result;
        enum journal_state state;
};

static inline int owner_replay(void *user, const struct entry *entry)
{
        struct owner *owner = user;

        assert_true(owner->count < SEEN_MAX);
        assert_true(entry->payload_len >= 8);
        owner->sequence[owner->count] = entry->sequence;
        memcpy(&owner->value[owner->count], entry->payload, 8);
        owner->len[owner->count++] = entry->payload_len;
        return 0;
}

static inline struct owner *owner_new(void)
{
        struct owner *owner = calloc(1, sizeof(*owner));

        folder_make(&owner->folder);
        folder_file(&owner->folder, "journal", owner->path);
        return owner;
}

static inline void owner_free(struct owner *owner)
{
        folder_remove(&owner->folder);
        free(owner);
}

static inline struct journal_options owner_options(struct owner *owner)
{
        return (struct journal_options){
                .path = owner->path, .owner = "TEST", .chunk = SMALL_CHUNK, .user = owner, .replay = owner_replay
        };
}

static inline int append(struct journal *journal, uint64_t value, size_t len, uint64_t *ret_seq)
{
        uint8_t payload[ENTRY_PAYLOAD_MAX] = { 0 };

        memcpy(payload, &value, 8);
        memset(payload + 8, (int)(value % 251), len - 8);
        return journal_append(journal, payload, len, ret_seq);
}

/* Open it anew, see what is there, and close it. */
static inline struct journal_report reread(struct owner *owner)
{
        struct journal_options options = owner_options(owner);
        struct journal_report report;
        struct journal *journal;

        owner->count = 0;
        options.size_max = 64 * 1024 * 1024;
        assert_int_equal(journal_open(&options, &journal, &report), 0);
        assert_int_equal(report.entries, owner->count);
        journal_close(journal);
        return report;
}

/* The nth system call does not do what it should.  The hooks get no user pointer, so this is the tests' one static. */
enum fault_kind { FAULT_NONE, FAULT_ERROR, FAULT_CRASH, FAULT_CRASH_HALFWAY };
static struct {
        enum fault_kind kind;
        int error;
        atomic_int count, at;
        atomic_bool full, slow; /* posix_fallocate says ENOSPC; fdatasync takes a while */
        atomic_bool dirty;      /* something was written since the last sync */
} fault;

/* 0 = do it; 1 = fail; 2 = do half of it and die. */
static inline int fault_hit(void)
{
        if (++fault.count != fault.at)
                return 0;
        if (fault.kind == FAULT_CRASH)
                _exit(9);
        errno = fault.error;
        return fault.kind == FAULT_CRASH_HALFWAY ? 2 : fault.kind == FAULT_ERROR;
}

static inline ssize_t fault_pwrite(int fd, const void *buf, size_t len, off_t offset)
{
        int hit = fault_hit();

        fault.dirty = true;
        if (hit == 1)
                return -1;
        if (hit == 2 && pwrite(fd, buf, len / 2, offset) >= 0)
                _exit(9);
        return pwrite(fd, buf, len, offset);
}

static inline int fault_fdatasync(int fd)
{
        int hit = fault_hit();

        if (fault.slow)
                usleep(2000);
        fault.dirty = false;
        return hit == 1 ? -1 : fdatasync(fd);
}

static inline int fault_fsync(int fd)
{
        fault.dirty = false;
        return fault_hit() == 1 ? -1 : fsync(fd);
}

static inline int fault_fallocate(int fd, off_t offset, off_t len)
{
        if (fault.full)
                return ENOSPC;
        return fault_hit() == 1 ? fault.error : posix_fallocate(fd, offset, len);
}

static inline int fault_rename(const char *from, const char *to)
{
        int hit = fault_hit();

        assert_false(fault.dirty); /* what takes a name must be on the disk */
        if (hit == 1)
                return -1;
        if (hit == 2 && rename(from, to) == 0)
                _exit(9); /* done, and then dead: the folder was not synced */
        return rename(from, to);
}

static const struct journal_calls fault_calls = { .pwrite = fault_pwrite,
                                                  .fdatasync = fault_fdatasync,
                                                  .fsync = fault_fsync,
                                                  .posix_fallocate = fault_fallocate,
                                                  .rename = fault_rename };

static inline void fault_set(enum fault_kind kind, int at, int error)
{
        fault.kind = kind;
        fault.at = at;
        fault.error = error;
        fault.count = 0;
        fault.full = fault.slow = false;
}

static inline bool keep_even(void *user, const struct entry *entry)
{
        return entry->payload[0] % 2 == 0;
}

static inline bool keep_none(void *user, const struct entry *entry)
{
        return false;
}

static inline bool keep_all(void *user, const struct entry *entry)
{
        return true;
}

static inline void note_done(void *user, int result)
{
        struct owner *owner = user;

        owner->done_calls++;
        owner->done_result = result;
}

#endif
