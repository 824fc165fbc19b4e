/* What a journal makes of entries that the page cache has and no disk: a process died between write and sync, or its sync
 * failed; and of entries that it could not check. */
#include "tests/base/journal_support.h"

#include <openssl/crypto.h>

/* A disk as it is after a power cut: what was written since the last good sync is not on it, and what a failed one should have
 * written never will be, unless it is written again. */
static struct {
        uint8_t on_disk[4 * SMALL_CHUNK];
        uint64_t first, end; /* dirty: from, to */
        bool failing, renamed;
} disk;

static ssize_t disk_pwrite(int fd, const void *buf, size_t len, off_t offset)
{
        disk.first = (uint64_t)offset < disk.first ? (uint64_t)offset : disk.first;
        disk.end = (uint64_t)offset + len > disk.end ? (uint64_t)offset + len : disk.end;
        return pwrite(fd, buf, len, offset);
}

static int disk_sync(int fd)
{
        struct stat st;
        ssize_t n = 0;

        if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
                disk.renamed = false;
                return 0;
        }
        if (!disk.failing && disk.end > disk.first)
                n = pread(fd, disk.on_disk + disk.first, disk.end - disk.first, (off_t)disk.first);
        assert_true(n >= 0);
        disk.first = UINT64_MAX; /* clean, failed or not */
        disk.end = 0;
        errno = EIO;
        return disk.failing ? -1 : 0;
}

static int disk_rename(const char *from, const char *to)
{
        disk.renamed = true;
        return rename(from, to);
}

static const struct journal_calls disk_calls = {
        .pwrite = disk_pwrite, .fdatasync = disk_sync, .fsync = disk_sync, .rename = disk_rename
};

/* Open it, with what is on the disk looked at as soon as it counts: all that was replayed is there. */
static void open_and_compare(struct owner *owner, uint64_t entries)
{
        struct journal_options options = owner_options(owner);
        struct journal_report report;
        struct journal *journal;
        uint8_t now[4 * SMALL_CHUNK];
        uint64_t size;
        int fd = open(owner->path, O_RDONLY | O_CLOEXEC);

        options.calls = &disk_calls;
        owner->count = 0;
        assert_int_equal(journal_open(&options, &journal, &report), 0);
        assert_int_equal(report.entries, entries);
        assert_false(disk.renamed);
        size = journal_size(journal);
        assert_int_equal(pread(fd, now, size, 0), size);
        assert_memory_equal(now, disk.on_disk, size);
        journal_close(journal);
        close(fd);
}

/* A process whose fdatasync failed ends; the next one replays what the page cache has.  It counts only once it is on the disk. */
static void what_a_failed_sync_left_is_written_anew(void **state)
{
        struct owner *owner = owner_new();
        struct journal_options options = owner_options(owner);
        struct journal *journal;
        uint64_t seq;

        memset(&disk, 0, sizeof(disk));
        disk.first = UINT64_MAX;
        options.calls = &disk_calls;
        assert_int_equal(journal_open(&options, &journal, NULL), 0);
        for (uint64_t i = 0; i < 3; i++)
                assert_int_equal(append(journal, i, 4000, &seq), 0);
        assert_int_equal(journal_sync_now(journal), 0);
        assert_int_equal(append(journal, 3, 8000, &seq), 0);
        disk.failing = true;
        assert_int_equal(journal_sync_now(journal), -EIO);
        journal_close(journal);
        assert_int_equal(journal_open(&options, &journal, NULL), -EIO); /* it is no better yet */
        disk.failing = false;
        disk.renamed = true; /* and the folder was not synced */
        open_and_compare(owner, 4);
        owner_free(owner);
}

/* libcrypto's heap, the nth piece of which is refused: 0, none. */
static struct {
        size_t pieces, refused;
} heap;

static void *heap_take(size_t size, const char *file, int line)
{
        return ++heap.pieces == heap.refused ? NULL : malloc(size);
}

static void *heap_change(void *piece, size_t size, const char *file, int line)
{
        return ++heap.pieces == heap.refused ? NULL : realloc(piece, size);
}

static void heap_give(void *piece, const char *file, int line)
{
        free(piece);
}

/* An entry whose link could not be worked out is no torn one: it must not be cut off with all behind it. */
static void without_memory_nothing_is_cut_off(void **state)
{
        struct owner *owner = owner_new();
        struct journal_options options = owner_options(owner);
        struct journal_report report;
        struct journal *journal;
        uint64_t seq, n = 0;
        int r;

        assert_int_equal(journal_open(&options, &journal, NULL), 0);
        for (uint64_t i = 0; i < 5; i++)
                assert_int_equal(append(journal, i, 100, &seq), 0);
        journal_close(journal);
        do {
                owner->count = 0;
                heap.pieces = 0;
                heap.refused = ++n;
                r = journal_open(&options, &journal, &report);
                heap.refused = 0;
                assert_true(r == 0 || r == -ENOMEM);
                if (r == 0) {
                        assert_int_equal(report.entries, 5);
                        assert_int_equal(report.torn_octets, 0);
                        journal_close(journal);
                }
        } while (heap.pieces >= n);
        assert_true(n > 5); /* some were refused */
        assert_int_equal(reread(owner).entries, 5);
        owner_free(owner);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_a_failed_sync_left_is_written_anew),
                cmocka_unit_test(without_memory_nothing_is_cut_off),
        };

        if (CRYPTO_set_mem_functions(heap_take, heap_change, heap_give) != 1)
                return 1; /* libcrypto has taken some already */
        return cmocka_run_group_tests(tests, NULL, NULL);
}
