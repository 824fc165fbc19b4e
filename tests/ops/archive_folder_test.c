/* The folder that is written: what a crash leaves is mended, what is altered is not written to, two writers take
 * turns. */
#include "tests/ops/archive_made.h"

#define FIRST "000001-20261118.archive"
#define LAST  "000003-20261120.archive"

static void assert_good(struct made *m, const char *text)
{
        if (made_audit_fast(m) != AUDIT_GOOD || strstr(m->out, text) == NULL)
                fail_msg("wanted '%s':\n%s", text, m->out);
}

/* The batch after the last checkpoint, of which a crash leaves any number of octets: cut off, or kept and said so. */
static void test_every_crash_in_a_batch(void **state)
{
        struct made *m = *state;
        struct archive_folder *f;
        size_t before_len, after_len, head_len;
        uint8_t *before = made_get(m, LAST, &before_len), *after, *head = made_get(m, ARCHIVE_HEAD, &head_len);

        assert_int_equal(made_open(m, &f), 0);
        made_notice(m, f);
        made_notice(m, f);
        assert_int_equal(archive_folder_commit(f), 0);
        archive_folder_close(f);
        after = made_get(m, LAST, &after_len);
        for (size_t len = before_len; len <= after_len; len += 7) {
                made_put(m, LAST, after, len);
                made_put(m, ARCHIVE_HEAD, head, head_len);
                assert_int_equal(made_open(m, &f), 0);
                made_notice(m, f);
                assert_int_equal(archive_folder_commit(f), 0);
                archive_folder_close(f);
                assert_good(m, "good:");
                if (len < after_len && len >= before_len + (after_len - before_len) / 2)
                        assert_good(m, "1 entries before this one stayed unsigned at a crash; 1 were in the feed so");
        }
        made_put(m, LAST, after, after_len);
        made_put(m, ARCHIVE_HEAD, head, head_len);
        m->feed_has_all = false;
        assert_int_equal(made_open(m, &f), 0);
        archive_folder_close(f);
        assert_good(m, "2 entries before this one stayed unsigned at a crash; 0 were in the feed so");
        free(before);
        free(after);
        free(head);
}

/* A file that a crash left without its header. */
static void test_torn_header(void **state)
{
        struct made *m = *state;
        struct archive_folder *f;

        for (size_t len = 0; len < 90; len += 10) {
                uint8_t junk[90] = { 0x87, 1, 0x6d, 'v', 'i', 'g', 'i', 'e' };

                made_put(m, "000004-20261120.archive", junk, len);
                assert_int_equal(made_open(m, &f), 0);
                archive_folder_close(f);
                assert_good(m, "good: 3 files, 6 entries");
        }
        assert_int_equal(made_open(m, &f), 0);
        made_notice(m, f);
        assert_int_equal(archive_folder_commit(f), 0);
        archive_folder_close(f);
        assert_good(m, "good: 3 files, 7 entries");
}

/* A kill while the head, the key's copy or a file was written leaves a piece under a name of its own. */
static void test_pieces_go(void **state)
{
        static const char *const pieces[] = { ARCHIVE_HEAD ".tmp.4711", ARCHIVE_HEAD ".tmp.4712",
                                              ARCHIVE_PUBLIC ".tmp.4711", LAST ".new" };
        static const char *const others[] = { "notes", "head.cose.kept", "x.new" };
        struct made *m = *state;
        struct archive_folder *f;
        char path[512];

        for (size_t i = 0; i < 4; i++)
                made_put(m, pieces[i], "half", 4);
        for (size_t i = 0; i < 3; i++)
                made_put(m, others[i], "not ours", 8);
        assert_int_equal(made_open(m, &f), 0);
        archive_folder_close(f);
        for (size_t i = 0; i < 4; i++)
                assert_int_equal(access(made_path(m, pieces[i], path), F_OK), -1);
        for (size_t i = 0; i < 3; i++)
                assert_int_equal(access(made_path(m, others[i], path), F_OK), 0);
        assert_good(m, "6 entries");
}

static void assert_refused(struct made *m)
{
        struct archive_folder *f;

        assert_int_equal(made_open(m, &f), -EBADMSG);
}

static void test_altered_is_refused(void **state)
{
        struct made *m = *state;
        char a[512], b[512];
        size_t len;
        uint8_t *data = made_get(m, LAST, &len);
        struct key *other, *ours = m->key;

        made_put(m, LAST, data, len - 1);
        assert_refused(m);
        data[len / 2] ^= 1;
        made_put(m, LAST, data, len);
        assert_refused(m);
        data[len / 2] ^= 1;
        made_put(m, LAST, data, len);
        assert_int_equal(rename(made_path(m, FIRST, a), made_path(m, "away", b)), 0);
        assert_refused(m);
        assert_int_equal(rename(b, a), 0);
        assert_int_equal(rename(made_path(m, ARCHIVE_HEAD, a), b), 0);
        assert_refused(m);
        assert_int_equal(rename(b, a), 0);
        assert_int_equal(key_generate(KEY_EDDSA, &other), 0);
        m->key = other;
        assert_refused(m);
        m->key = ours;
        key_free(other);
        free(data);
        assert_good(m, "6 entries");
}

/* Two writers take turns; the one whose folder the other has changed is told. */
static void test_two_writers(void **state)
{
        struct made *m = *state;
        struct archive_folder *a, *b;

        assert_int_equal(made_open(m, &a), 0);
        archive_folder_release(a);
        assert_int_equal(archive_folder_take(a), 0);
        archive_folder_release(a);
        assert_int_equal(made_open(m, &b), 0);
        made_notice(m, b);
        assert_int_equal(archive_folder_commit(b), 0);
        archive_folder_close(b);
        assert_int_equal(archive_folder_take(a), -ESTALE);
        archive_folder_close(a);
        assert_good(m, "7 entries");
}

/* Rotation by size: a file that is large enough is followed by the next, and all reads as one chain. */
static void test_size(void **state)
{
        struct made *m = *state;
        static uint8_t content[20000];
        struct archive_folder *f;

        assert_int_equal(made_open(m, &f), 0);
        for (int batch = 0; batch < 3; batch++) {
                for (size_t octets = 0; octets < ARCHIVE_BATCH_MAX - 100000; octets += sizeof(content) + 500) {
                        struct archive_meta meta = { .kind = ARCHIVE_OTHER };
                        struct cbor_span parts[ARCHIVE_PARTS] = { [ARCHIVE_ABOUT] = CBOR_OCTETS(content) };

                        assert_int_equal(archive_folder_append(f, &meta, parts), 0);
                }
                assert_int_equal(archive_folder_commit(f), 0);
        }
        archive_folder_close(f);
        assert_good(m, "good: 4 files");
}

static void test_batch_is_bounded(void **state)
{
        struct made *m = *state;
        static uint8_t content[30000];
        struct archive_folder *f;
        int r = 0, count = 0;

        assert_int_equal(made_open(m, &f), 0);
        for (; r == 0; count++) {
                struct archive_meta meta = { .kind = ARCHIVE_OTHER };
                struct cbor_span parts[ARCHIVE_PARTS] = { [ARCHIVE_ABOUT] = CBOR_OCTETS(content) };

                r = archive_folder_append(f, &meta, parts);
        }
        assert_int_equal(r, -ENOBUFS);
        assert_in_range(count, 500, 600);
        assert_int_equal(archive_folder_commit(f), 0);
        made_notice(m, f);
        assert_int_equal(archive_folder_commit(f), 0);
        archive_folder_close(f);
        assert_good(m, "good:");
}

#define MADE(test) cmocka_unit_test_setup_teardown(test, made_days_setup, made_teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                MADE(test_every_crash_in_a_batch), MADE(test_torn_header), MADE(test_pieces_go),
                MADE(test_altered_is_refused),     MADE(test_two_writers), MADE(test_size),
                MADE(test_batch_is_bounded),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
