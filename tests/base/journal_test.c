/* The journal without a loop: the file, its recovery, its bounds, and every way a system call can fail. */
#include "tests/base/journal_support.h"

#include <sys/wait.h>

static struct journal *open_one(struct owner *owner)
{
        struct journal_options options = owner_options(owner);
        struct journal *journal;

        owner->count = 0;
        options.calls = &fault_calls;
        assert_int_equal(journal_open(&options, &journal, NULL), 0);
        return journal;
}

static void what_was_synced_is_replayed(void **state)
{
        struct owner *owner = owner_new();
        struct journal *journal = open_one(owner);
        struct journal_report report;
        struct stat st;
        uint64_t seq;

        for (uint64_t i = 0; i < 1000; i++) {
                assert_int_equal(append(journal, i, 8 + i % 100, &seq), 0);
                assert_int_equal(seq, i + 1);
                if (i % 50 == 49)
                        assert_int_equal(journal_sync_now(journal), 0);
        }
        journal_close(journal);
        assert_int_equal(stat(owner->path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
        report = reread(owner);
        assert_int_equal(report.entries, 1000);
        assert_int_equal(report.last, 1000);
        assert_int_equal(report.torn_octets, 0);
        for (uint64_t i = 0; i < 1000; i++) {
                assert_int_equal(owner->value[i], i);
                assert_int_equal(owner->sequence[i], i + 1);
                assert_int_equal(owner->len[i], 8 + i % 100);
        }
        owner_free(owner);
}

static void closing_drains(void **state)
{
        struct owner *owner = owner_new();
        struct journal *journal = open_one(owner);
        uint64_t seq;

        assert_int_equal(append(journal, 5, 20, &seq), 0);
        journal_close(journal);
        assert_int_equal(reread(owner).entries, 1);
        owner_free(owner);
}

static void two_never_share_one(void **state)
{
        struct owner *owner = owner_new();
        struct journal *journal = open_one(owner), *second;
        struct journal_options options = owner_options(owner);

        assert_int_equal(journal_open(&options, &second, NULL), -EWOULDBLOCK);
        journal_close(journal);
        assert_int_equal(journal_open(&options, &second, NULL), 0);
        journal_close(second);
        owner_free(owner);
}

static void what_is_no_journal_is_left_alone(void **state)
{
        struct owner *owner = owner_new();
        struct journal_options options = owner_options(owner);
        struct journal *journal;
        char *data;
        size_t len;

        assert_int_equal(file_write(owner->path, "my diary", 8, 0600), 0);
        assert_int_equal(journal_open(&options, &journal, NULL), -EBADMSG);
        assert_int_equal(file_read(owner->path, 100, &data, &len), 0);
        assert_string_equal(data, "my diary");
        free(data);
        unlink(owner->path);
        journal_close(open_one(owner));
        memcpy(options.owner, "ELSE", 4);
        assert_int_equal(journal_open(&options, &journal, NULL), -EINVAL);
        owner_free(owner);
}

static int refuse_third(void *user, const struct entry *entry)
{
        return entry->sequence == 3 ? -EPROTO : 0;
}

static void the_owner_may_refuse_to_open(void **state)
{
        struct owner *owner = owner_new();
        struct journal *journal = open_one(owner);
        struct journal_options options = owner_options(owner);
        uint64_t seq;

        for (uint64_t i = 0; i < 5; i++)
                assert_int_equal(append(journal, i, 20, &seq), 0);
        journal_close(journal);
        options.replay = refuse_third;
        assert_int_equal(journal_open(&options, &journal, NULL), -EPROTO);
        assert_int_equal(reread(owner).entries, 5);
        owner_free(owner);
}

/* Cut the file at every octet of its last two entries, with and without garbage after: it opens, tells, keeps the torn
 * octets aside, and goes on; what was whole is there, and what is appended then is there as well. */
static void cut_and_open(struct owner *owner, const char *whole, size_t cut, size_t garbage)
{
        char torn[160], *bytes = calloc(1, SMALL_CHUNK);
        struct journal_report report;
        struct journal *journal;
        size_t want = (cut - ENTRY_HEADER_SIZE) / 52;
        uint64_t seq;

        snprintf(torn, sizeof(torn), "%s.torn", owner->path);
        unlink(torn);
        memcpy(bytes, whole, cut);
        memset(bytes + cut, 0xa5, garbage);
        assert_int_equal(file_write(owner->path, bytes, SMALL_CHUNK, 0600), 0);
        report = reread(owner);
        assert_int_equal(report.entries, want);
        assert_int_equal(report.torn_octets == 0, access(torn, F_OK) != 0);
        if (garbage > 0)
                assert_int_equal(report.torn_octets, cut + garbage - ENTRY_HEADER_SIZE - 52 * want);
        assert_int_equal(reread(owner).torn_octets, 0);
        journal = open_one(owner);
        assert_int_equal(append(journal, 77, 30, &seq), 0);
        assert_int_equal(seq, want + 1);
        journal_close(journal);
        assert_int_equal(reread(owner).entries, want + 1);
        assert_int_equal(owner->value[want], 77);
        free(bytes);
}

static void a_torn_tail_is_cut(void **state)
{
        struct owner *owner = owner_new();
        struct journal *journal = open_one(owner);
        char *whole;
        size_t len;
        uint64_t seq;

        for (uint64_t i = 0; i < 3; i++)
                assert_int_equal(append(journal, i + 1, 20, &seq), 0);
        journal_close(journal);
        assert_int_equal(file_read(owner->path, 1000000, &whole, &len), 0);
        for (size_t cut = ENTRY_HEADER_SIZE + 52; cut <= ENTRY_HEADER_SIZE + 3 * 52; cut += 5) {
                cut_and_open(owner, whole, cut, 0);
                cut_and_open(owner, whole, cut, 3000);
        }
        free(whole);
        owner_free(owner);
}

static void the_buffer_is_bounded(void **state)
{
        struct owner *owner = owner_new();
        struct journal *journal = open_one(owner);
        uint64_t seq, given = 0;
        int r;

        assert_int_equal(journal_append(journal, "", 0, &seq), -EMSGSIZE);
        assert_int_equal(journal_append(journal, owner->value, ENTRY_PAYLOAD_MAX + 1, &seq), -EMSGSIZE);
        while ((r = append(journal, given, 1000, &seq)) == 0)
                given++;
        assert_int_equal(r, -ENOBUFS);
        assert_int_equal(given, SMALL_CHUNK / 4 / (1000 + ENTRY_OVERHEAD));
        assert_int_equal(journal_sync_now(journal), 0);
        assert_int_equal(append(journal, given, 1000, &seq), 0);
        assert_int_equal(seq, given + 1);
        journal_close(journal);
        assert_int_equal(reread(owner).entries, given + 1);
        owner_free(owner);
}

/* Append and sync until it is refused; returns how many fitted. */
static uint64_t fill(struct journal *journal, uint64_t first)
{
        uint64_t seq, given = first;

        while (append(journal, given, 1000, &seq) == 0) {
                assert_int_equal(journal_sync_now(journal), 0);
                given++;
        }
        return given;
}

static void size_max_is_kept_until_compacted(void **state)
{
        struct owner *owner = owner_new();
        struct journal_options options = owner_options(owner);
        struct journal_compaction compaction = { keep_even, note_done, owner };
        struct journal *journal;
        struct stat st;
        uint64_t fitted, seq;

        options.size_max = 3 * SMALL_CHUNK;
        assert_int_equal(journal_open(&options, &journal, NULL), 0);
        assert_int_equal(journal_state(journal), JOURNAL_GOOD);
        fitted = fill(journal, 0);
        assert_int_equal(fitted, (3 * SMALL_CHUNK - ENTRY_HEADER_SIZE) / (1000 + ENTRY_OVERHEAD));
        assert_int_equal(append(journal, 1, 1000, &seq), -ENOSPC);
        assert_int_equal(journal_state(journal), JOURNAL_FULL);
        assert_int_equal(stat(owner->path, &st), 0);
        assert_int_equal(st.st_size, 3 * SMALL_CHUNK);
        assert_int_equal(journal_compact(journal, &compaction), 0);
        assert_int_equal(owner->done_calls, 1);
        assert_int_equal(owner->done_result, 0);
        assert_int_equal(journal_state(journal), JOURNAL_GOOD);
        assert_int_equal(append(journal, fitted, 1000, &seq), 0);
        assert_int_equal(seq, fitted + 1);
        journal_close(journal);
        assert_int_equal(reread(owner).entries, (fitted + 1) / 2 + 1);
        for (size_t i = 0; i + 1 < owner->count; i++) {
                assert_int_equal(owner->value[i], 2 * i);
                assert_int_equal(owner->sequence[i], 2 * i + 1);
        }
        owner_free(owner);
}

/* The disk fills: it is known while half a chunk is left, then appends are refused, and when there is room it goes
 * on. */
static void a_full_disk_is_known_in_time(void **state)
{
        struct owner *owner = owner_new();
        struct journal *journal = open_one(owner);
        uint64_t given = 0, seq;

        fault.full = true;
        while (journal_state(journal) == JOURNAL_GOOD) {
                assert_int_equal(append(journal, given++, 1000, &seq), 0);
                assert_int_equal(journal_sync_now(journal), 0);
        }
        assert_int_equal(journal_state(journal), JOURNAL_LOW);
        assert_true(journal_room(journal) > SMALL_CHUNK / 2 - 2000);
        given = fill(journal, given);
        assert_int_equal(journal_state(journal), JOURNAL_FULL);
        assert_true(journal_room(journal) < 1000 + ENTRY_OVERHEAD);
        fault.full = false;
        assert_int_equal(journal_sync_now(journal), 0);
        assert_int_equal(journal_state(journal), JOURNAL_GOOD);
        assert_int_equal(append(journal, given, 1000, &seq), 0);
        journal_close(journal);
        assert_int_equal(reread(owner).entries, given + 1);
        owner_free(owner);
}

static void no_room_for_the_first_chunk(void **state)
{
        struct owner *owner = owner_new();
        struct journal_options options = owner_options(owner);
        struct journal *journal;

        options.calls = &fault_calls;
        fault.full = true;
        assert_int_equal(journal_open(&options, &journal, NULL), -ENOSPC);
        fault.full = false;
        assert_int_equal(folder_count(&owner->folder), 1); /* the lock alone */
        journal_close(open_one(owner));
        fault.full = true; /* one that is there opens all the same, and says it is full */
        journal = open_one(owner);
        assert_int_equal(journal_state(journal), JOURNAL_LOW);
        fault.full = false;
        assert_int_equal(journal_sync_now(journal), 0);
        assert_int_equal(journal_state(journal), JOURNAL_GOOD);
        journal_close(journal);
        owner_free(owner);
}

static void a_failed_sync_is_final(void **state)
{
        struct owner *owner = owner_new();
        struct journal *journal = open_one(owner);
        struct journal_compaction compaction = { keep_all, NULL, NULL };
        uint64_t seq;

        assert_int_equal(append(journal, 1, 20, &seq), 0);
        fault_set(FAULT_ERROR, 2, EIO); /* pwrite, fdatasync */
        assert_int_equal(journal_sync_now(journal), -EIO);
        assert_int_equal(journal_sync_now(journal), -EIO);
        assert_int_equal(append(journal, 2, 20, &seq), -EIO);
        assert_int_equal(journal_compact(journal, &compaction), -EIO);
        assert_int_equal(journal_state(journal), JOURNAL_FAILED);
        fault_set(FAULT_NONE, 0, 0);
        journal_close(journal);
        owner_free(owner);
}

static void numbers_rise_when_nothing_is_kept(void **state)
{
        struct owner *owner = owner_new();
        struct journal *journal = open_one(owner);
        struct journal_compaction compaction = { keep_none, note_done, owner };
        uint64_t seq;

        for (uint64_t i = 0; i < 10; i++)
                assert_int_equal(append(journal, i, 20, &seq), 0);
        assert_int_equal(journal_sync_now(journal), 0);
        assert_int_equal(journal_compact(journal, &compaction), 0);
        journal_close(journal);
        assert_int_equal(reread(owner).entries, 0);
        assert_int_equal(reread(owner).last, 10);
        journal = open_one(owner);
        assert_int_equal(append(journal, 1, 20, &seq), 0);
        assert_int_equal(seq, 11);
        assert_int_equal(journal_compact(journal, &compaction),
                         0); /* a queued one is not in the file yet: it is kept */
        journal_close(journal);
        assert_int_equal(reread(owner).entries, 1);
        owner_free(owner);
}

static void what_is_too_much_to_keep_stays(void **state)
{
        struct owner *owner = owner_new();
        struct journal *journal = open_one(owner);
        struct journal_compaction compaction = { keep_all, note_done, owner };
        uint64_t seq;

        assert_int_equal(append(journal, 4, 20, &seq), 0);
        assert_int_equal(journal_sync_now(journal), 0);
        fault.full = true;
        assert_int_equal(journal_compact(journal, &compaction), 0);
        assert_int_equal(owner->done_result, -ENOSPC);
        fault.full = false;
        assert_int_equal(append(journal, 5, 20, &seq), 0);
        assert_int_equal(journal_sync_now(journal), 0);
        journal_close(journal);
        assert_int_equal(reread(owner).entries, 2);
        assert_int_equal(folder_count(&owner->folder), 2); /* no NAME.new is left */
        owner_free(owner);
}

/* The life of a journal, telling through FD each number that is durable.  Returns the first error. */
static int live(struct owner *owner, int fd)
{
        struct journal_options options = owner_options(owner);
        struct journal_compaction compaction = { keep_even, note_done, owner };
        struct journal *journal;
        uint64_t seq = 0;
        int r;

        options.calls = &fault_calls;
        options.replay = NULL;
        if ((r = journal_open(&options, &journal, NULL)) < 0)
                return r;
        for (uint64_t i = 0; i < 30 && r == 0; i++) {
                if ((r = append(journal, i, 4000, &seq)) < 0 || (r = journal_sync_now(journal)) < 0)
                        break;
                assert_int_equal(write(fd, &i, sizeof(i)), sizeof(i));
                if (i % 14 == 13) {
                        owner->done_result = 0;
                        r = journal_compact(journal, &compaction);
                        r = r < 0 ? r : owner->done_result;
                }
        }
        journal_close(journal);
        return r;
}

/* A size_max that became less: what was queued goes to the file, and nothing behind it. */
static void a_smaller_size_max_bounds_what_is_queued(void **state)
{
        struct owner *owner = owner_new();
        struct journal_options options = owner_options(owner);
        const struct journal_compaction compaction = { keep_all, note_done, owner };
        struct journal *journal;
        uint64_t seq;

        assert_int_equal(journal_open(&options, &journal, NULL), 0);
        for (uint64_t i = 0; i < 20; i++) {
                assert_int_equal(append(journal, i, 4000, &seq), 0);
                assert_int_equal(journal_sync_now(journal), 0);
        }
        options.size_max = journal_size(journal) + 1000;
        journal_close(journal);
        assert_int_equal(journal_open(&options, &journal, NULL), 0);
        assert_int_equal(append(journal, 20, 4000, &seq), 0);
        assert_int_equal(journal_compact(journal, &compaction), 0);
        assert_int_equal(owner->done_result, 0);
        assert_int_equal(journal_room(journal), 0);
        assert_int_equal(append(journal, 21, 8, &seq), -ENOSPC);
        assert_int_equal(journal_sync_now(journal), 0);
        assert_int_equal(journal_room(journal), 0);
        assert_int_equal(append(journal, 21, 8, &seq), -ENOSPC);
        assert_int_equal(journal_state(journal), JOURNAL_FULL);
        journal_close(journal);
        assert_int_equal(reread(owner).entries, 21);
        owner_free(owner);
}

/* After a life that ended anyhow: every even value told is there, in order, once; odd ones may have been compacted. */
static void check_life(struct owner *owner, int fd)
{
        uint64_t told;
        size_t at = 0;
        char path[160];

        reread(owner);
        snprintf(path, sizeof(path), "%s.new", owner->path);
        assert_int_equal(access(path, F_OK), -1); /* opening has cleared away what was half-made */
        for (size_t i = 1; i < owner->count; i++) {
                assert_true(owner->value[i] > owner->value[i - 1]);
                assert_true(owner->sequence[i] > owner->sequence[i - 1]);
        }
        lseek(fd, 0, SEEK_SET);
        while (read(fd, &told, sizeof(told)) == sizeof(told)) {
                if (told % 2 != 0)
                        continue;
                while (at < owner->count && owner->value[at] < told)
                        at++;
                assert_true(at < owner->count);
                assert_int_equal(owner->value[at], told);
        }
}

static void any_call_may_fail(void **state)
{
        static const int errors[] = { EIO, ENOSPC };

        for (size_t e = 0; e < 2; e++)
                for (int at = 1;; at++) {
                        struct owner *owner = owner_new();
                        char path[128];
                        int fd = open(folder_file(&owner->folder, "told", path), O_RDWR | O_CREAT, 0600), r;

                        fault_set(FAULT_ERROR, at, errors[e]);
                        r = live(owner, fd);
                        if (fault.count < at) {
                                assert_int_equal(r, 0);
                                assert_true(at > 75);
                                at = -1;
                        }
                        fault_set(FAULT_NONE, 0, 0);
                        check_life(owner, fd);
                        close(fd);
                        owner_free(owner);
                        if (at < 0)
                                break;
                }
}

/* Die before, or in the middle of, the nth system call. */
static void death_may_come_at_any_call(void **state)
{
        for (enum fault_kind kind = FAULT_CRASH; kind <= FAULT_CRASH_HALFWAY; kind++)
                for (int at = 1, status = -1; status != 0; at++) {
                        struct owner *owner = owner_new();
                        char path[128];
                        int fd = open(folder_file(&owner->folder, "told", path), O_RDWR | O_CREAT | O_APPEND, 0600);
                        pid_t child = fork();

                        if (child == 0) {
                                fault_set(kind, at, EIO);
                                _exit(live(owner, fd) < 0 ? 3 : 0);
                        }
                        assert_int_equal(waitpid(child, &status, 0), child);
                        assert_true(WIFEXITED(status));
                        assert_true(WEXITSTATUS(status) == 9 || WEXITSTATUS(status) == 0);
                        check_life(owner, fd);
                        close(fd);
                        owner_free(owner);
                }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_was_synced_is_replayed),
                cmocka_unit_test(closing_drains),
                cmocka_unit_test(two_never_share_one),
                cmocka_unit_test(what_is_no_journal_is_left_alone),
                cmocka_unit_test(the_owner_may_refuse_to_open),
                cmocka_unit_test(a_torn_tail_is_cut),
                cmocka_unit_test(the_buffer_is_bounded),
                cmocka_unit_test(size_max_is_kept_until_compacted),
                cmocka_unit_test(a_full_disk_is_known_in_time),
                cmocka_unit_test(no_room_for_the_first_chunk),
                cmocka_unit_test(a_failed_sync_is_final),
                cmocka_unit_test(numbers_rise_when_nothing_is_kept),
                cmocka_unit_test(what_is_too_much_to_keep_stays),
                cmocka_unit_test(a_smaller_size_max_bounds_what_is_queued),
                cmocka_unit_test(any_call_may_fail),
                cmocka_unit_test(death_may_come_at_any_call),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
