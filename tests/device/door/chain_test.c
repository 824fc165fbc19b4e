/* The log on disk: what an attacker does to it is found, what a power cut leaves is put right, and it stays within its
 * bound. */
#include "tests/device/door/entrance.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"

#define ENTRIES   20
/* Five entries a file. */
#define FILE_SIZE (ENTRY_HEADER_SIZE + 5 * (ENTRY_OVERHEAD + DOOR_LOG_MAX) + 8)

struct scene {
        struct folder folder;
        struct key *key, *other;
        struct chain_options options;
        struct chain chain;
        struct chain_walk walk;
        char why[160];
        /* what was found by `each` */
        struct {
                uint8_t octets[DOOR_LOG_MAX];
                size_t len;
        } found[64];
        size_t count;
};

static struct scene s;

static void keep(void *user, const struct chain_entry *entry)
{
        assert_true(s.count < 64);
        memcpy(s.found[s.count].octets, entry->octets.at, entry->octets.len);
        s.found[s.count++].len = entry->octets.len;
}

static void scene_make(void)
{
        memset(&s, 0, sizeof(s));
        folder_make(&s.folder);
        assert_int_equal(key_generate(KEY_ES256, &s.key), 0);
        assert_int_equal(key_generate(KEY_ES256, &s.other), 0);
        s.options = (struct chain_options){ .key = s.key, .door = "door 7.", .files = 10, .file_size = FILE_SIZE };
        s.options.each = keep;
        strcpy(s.options.folder, s.folder.path);
        s.chain.fd = s.chain.lock_fd = -1;
}

static void scene_free(void)
{
        chain_close(&s.chain);
        key_free(s.key);
        key_free(s.other);
        folder_remove(&s.folder);
}

static int start(void)
{
        s.count = 0;
        return chain_open(&s.options, &s.chain, s.why);
}

static int append(uint32_t n)
{
        struct door_log_entry e = { .time_s = NOW_S + n, .has_pass = true, .has_proof = true, .counter = n };
        int r = chain_append(&s.chain, &e);

        return r < 0 ? r : chain_settle(&s.chain);
}

static void fill(unsigned count)
{
        assert_int_equal(start(), 0);
        for (unsigned i = 0; i < count; i++)
                assert_int_equal(append(i), 0);
}

/* look: as `vigie-door verify-log` does. */
static int look(void)
{
        memset(&s.walk, 0, sizeof(s.walk));
        s.walk.folder = s.folder.path;
        s.walk.key = s.key;
        s.walk.any_door = true;
        s.walk.each = keep;
        s.count = 0;
        return chain_walk(&s.walk);
}

/* expect: both the tool and the door itself say no, the tool in these words. */
static void expect(const char *words)
{
        assert_int_equal(look(), -EBADMSG);
        if (strstr(s.walk.why, words) == NULL)
                fail_msg("\"%s\" is not in \"%s\"", words, s.walk.why);
        assert_int_equal(start(), -EBADMSG);
        assert_true(s.why[0] != 0);
        chain_close(&s.chain);
}

static void whole(void **state)
{
        struct stat st;
        char path[128];

        scene_make();
        assert_int_equal(start(), 0);
        assert_int_equal(look(), 0); /* nothing yet */
        chain_close(&s.chain);
        fill(ENTRIES);
        assert_int_equal(look(), 0);
        assert_int_equal(s.count, ENTRIES);
        assert_int_equal(s.walk.first, 1);
        assert_int_equal(s.walk.last, ENTRIES);
        assert_int_equal(s.walk.files, 4);
        assert_memory_equal(s.walk.head, s.chain.head, HELLO_HEAD_SIZE);
        assert_int_equal(stat(folder_file(&s.folder, "head", path), &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
        chain_close(&s.chain);
        assert_int_equal(start(), 0); /* and it goes on behind a restart */
        assert_int_equal(append(99), 0);
        assert_int_equal(look(), 0);
        assert_int_equal(s.walk.last, ENTRIES + 1);

        {
                struct chain second;

                assert_int_equal(chain_open(&s.options, &second, s.why), -EWOULDBLOCK); /* one process */
                chain_close(&second);
        }
        s.walk.key = s.other;
        s.walk.held = s.walk.last = s.walk.files = 0;
        assert_int_equal(chain_walk(&s.walk), -EBADMSG);
        scene_free();
}

/* Full: the oldest files go, and what is left verifies from its first entry on. */
static void bounded(void **state)
{
        scene_make();
        s.options.files = 2;
        fill(32);
        assert_int_equal(look(), 0);
        assert_int_equal(s.walk.files, 2);
        assert_int_equal(s.walk.first, 26);
        assert_int_equal(s.walk.last, 32);
        chain_close(&s.chain);
        assert_int_equal(start(), 0);
        for (unsigned i = 0; i < 9; i++)
                assert_int_equal(append(i), 0);
        assert_int_equal(look(), 0);
        assert_int_equal(s.walk.files, 2);
        assert_int_equal(s.walk.last, 41);
        scene_free();
}

/* ---- an attacker with a hex editor: any bit of any file */

static void flip(const char *name, size_t at, unsigned bit)
{
        char path[128], octet;
        int fd = open(folder_file(&s.folder, name, path), O_RDWR);

        assert_true(fd >= 0);
        assert_int_equal(pread(fd, &octet, 1, (off_t)at), 1);
        octet = (char)(octet ^ 1 << bit);
        assert_int_equal(pwrite(fd, &octet, 1, (off_t)at), 1);
        close(fd);
}

static void bits(void **state)
{
        struct stat st;
        size_t end;
        char path[128];

        scene_make();
        fill(7); /* two files: 5 and 2 */
        end = (size_t)s.chain.end;
        chain_close(&s.chain);
        for (size_t i = 0; i < end; i++) {
                flip("log.0000000000000001", i, i % 8);
                assert_int_not_equal(look(), 0);
                flip("log.0000000000000001", i, i % 8);
                flip("log.0000000000000006", i, i % 8);
                assert_int_not_equal(look(), 0);
                assert_int_not_equal(start(), 0);
                chain_close(&s.chain);
                flip("log.0000000000000006", i, i % 8);
        }
        assert_int_equal(stat(folder_file(&s.folder, "head", path), &st), 0);
        for (off_t i = 0; i < st.st_size; i++) {
                flip("head", (size_t)i, i % 8);
                assert_int_equal(look(), -EBADMSG);
                flip("head", (size_t)i, i % 8);
        }
        assert_int_equal(look(), 0);
        scene_free();
}

/* ---- an attacker who knows the format: entries framed anew, headers and all */

/* reframe: the entries of `found` in ORDER, ended by -1, in one file with good frames. */
static void reframe(const int *order)
{
        static uint8_t file[64 * 1024];
        struct entry_chain chain;
        char path[128];
        size_t at = ENTRY_HEADER_SIZE, len;

        unlink(folder_file(&s.folder, "log.0000000000000006", path)); /* there are two, of eight entries */
        assert_int_equal(entry_header_encode(CHAIN_OWNER, 0, file, &chain), 0);
        for (; *order >= 0; order++) {
                assert_int_equal(entry_encode(&chain, s.found[*order].octets, s.found[*order].len,
                                              (struct entry_out){ file + at, sizeof(file) - at }, &len),
                                 0);
                at += len;
        }
        assert_int_equal(file_write(folder_file(&s.folder, "log.0000000000000001", path), file, at, 0600), 0);
}

static void reordered(void **state)
{
        static const int swapped[] = { 0, 1, 3, 2, 4, 5, 6, 7, -1 }, removed[] = { 0, 1, 3, 4, 5, 6, 7, -1 },
                         twice[] = { 0, 1, 2, 2, 3, 4, 5, 6, 7, -1 }, cut[] = { 0, 1, 2, 3, 4, 5, -1 },
                         first[] = { 1, 2, 3, 4, 5, 6, 7, -1 }, all[] = { 0, 1, 2, 3, 4, 5, 6, 7, -1 }, none[] = { -1 };

        scene_make();
        fill(8);
        chain_close(&s.chain);
        assert_int_equal(look(), 0);
        reframe(swapped);
        expect("at the place of");
        reframe(removed);
        expect("at the place of");
        reframe(twice);
        expect("at the place of");
        reframe(first);
        expect("at the place of");
        reframe(cut);
        expect("cut at its end");
        reframe(none);
        expect("cut at its end");
        reframe(all);
        s.walk.key = NULL;
        assert_int_equal(look(), 0);
        scene_free();
}

/* resign: entry N of `found` with another time, signed by KEY. */
static void resign(unsigned n, const struct key *key)
{
        struct door_log_signed e;
        uint8_t payload[DOOR_LOG_PAYLOAD_MAX];
        struct cose_parts parts = { KEY_ES256, s.options.door, .aad = CBOR_LITERAL(DOOR_LOG_AAD) };
        struct cbor_writer w;

        assert_int_equal(door_log_read((struct cbor_span){ s.found[n].octets, s.found[n].len }, &e, NULL), 0);
        e.entry.time_s++;
        cbor_writer_init(&w, payload, sizeof(payload));
        door_log_write_payload(&e.entry, &w);
        parts.payload = cbor_written(&w);
        cbor_writer_init(&w, s.found[n].octets, sizeof(s.found[n].octets));
        assert_int_equal(cose_sign1_sign(&parts, key, &w), 0);
        s.found[n].len = w.len;
}

/* An entry of the attacker's own, as he would like it. */
static void forged(void **state)
{
        static const int all[] = { 0, 1, 2, 3, 4, 5, 6, 7, -1 };
        char path[128];

        scene_make();
        fill(8);
        chain_close(&s.chain);
        assert_int_equal(look(), 0);
        resign(3, s.other);
        reframe(all);
        expect("not signed by this door's key");
        assert_non_null(
                strstr(s.why, "does not follow")); /* the door itself looks at the links and at the newest signature */

        /* the same by the door's own key, as somebody who had it for a moment would: the next one does not follow */
        resign(3, s.key);
        reframe(all);
        expect("does not follow");
        scene_free();

        /* the newest one, which nothing follows, and `head` with it */
        scene_make();
        fill(8);
        chain_close(&s.chain);
        assert_int_equal(look(), 0);
        resign(7, s.other);
        reframe(all);
        expect("not signed by this door's key");
        assert_int_equal(look(), -EBADMSG);
        assert_int_equal(file_write(folder_file(&s.folder, "head", path), s.found[7].octets, s.found[7].len, 0600), 0);
        expect("not signed by this door's key");
        scene_free();
}

static void files_gone(void **state)
{
        char path[128];

        scene_make();
        fill(17); /* four files */
        chain_close(&s.chain);
        assert_int_equal(unlink(folder_file(&s.folder, "log.000000000000000b", path)), 0);
        expect("some are missing");
        assert_int_equal(unlink(folder_file(&s.folder, "log.0000000000000010", path)), 0);
        expect("cut at its end");
        assert_int_equal(unlink(folder_file(&s.folder, "head", path)), 0);
        expect("not its own");
        scene_free();
}

/* ---- what a power cut leaves */

static void torn_tail(void **state)
{
        char path[128];
        int fd;

        scene_make();
        fill(7);
        {
                off_t end = s.chain.end;

                chain_close(&s.chain);
                fd = open(folder_file(&s.folder, "log.0000000000000006", path), O_RDWR);
                assert_int_equal(pwrite(fd, "\0\0\0\xA7half an entry", 17, end), 17);
                close(fd);
        }
        assert_int_equal(look(), 0);
        assert_int_equal(s.walk.torn_octets, 17);
        assert_int_equal(file_write(folder_file(&s.folder, "head.tmp.7", path), "he", 2, 0600), 0);
        assert_int_equal(start(), 0);
        assert_int_not_equal(access(path, F_OK), 0);
        assert_int_equal(look(), 0);
        assert_int_equal(s.walk.torn_octets, 0);
        assert_int_equal(append(7), 0);
        assert_int_equal(look(), 0);
        assert_int_equal(s.walk.last, 8);
        scene_free();
}

/* A next file whose header was not written; one that was, and has no entry yet. */
static void empty_file(void **state)
{
        static const char zeros[FILE_SIZE];
        uint8_t header[ENTRY_HEADER_SIZE];
        struct entry_chain chain;
        char path[128];

        scene_make();
        fill(5);
        chain_close(&s.chain);
        folder_file(&s.folder, "log.0000000000000006", path);
        assert_int_equal(file_write(path, zeros, sizeof(zeros), 0600), 0);
        assert_int_equal(start(), 0);
        assert_int_equal(append(5), 0);
        chain_close(&s.chain);
        assert_int_equal(look(), 0);
        assert_int_equal(s.walk.files, 2);
        assert_int_equal(start(), 0);
        for (unsigned i = 6; i < 10; i++)
                assert_int_equal(append(i), 0);
        chain_close(&s.chain);
        entry_header_encode(CHAIN_OWNER, 10, header, &chain);
        folder_file(&s.folder, "log.000000000000000b", path);
        assert_int_equal(file_write(path, header, sizeof(header), 0600), 0);
        assert_int_equal(start(), 0);
        assert_int_equal(append(10), 0);
        assert_int_equal(look(), 0);
        assert_int_equal(s.walk.last, 11);
        scene_free();
}

/* ---- a full disk, and one that is broken */

static int no_room(void *user, const char *path, off_t size)
{
        int *left = user;

        if ((*left)-- > 0)
                return -ENOSPC;
        *left = 0;
        return open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
}

static int plain_write(void *user, int fd, const void *data, size_t len, off_t offset)
{
        return pwrite(fd, data, len, offset) == (ssize_t)len ? 0 : -EIO;
}

static int plain_sync(void *user, int fd)
{
        return 0;
}

static unsigned unsynced; /* files that went and may come back with the power */

static int plain_sync_folder(void *user, const char *path)
{
        unsynced = 0;
        return 0;
}

static int plain_replace(void *user, const char *path, const void *data, size_t len)
{
        return file_write(path, data, len, 0600);
}

static int plain_remove(void *user, const char *path)
{
        assert_int_equal(unsynced++, 0); /* two: the older one may come back, and there is a gap */
        return unlink(path);
}

static void no_space(void **state)
{
        int left = 0;

        scene_make();
        s.options.calls = (struct chain_calls){ &left,         no_room,     plain_write, plain_sync, plain_sync_folder,
                                                plain_replace, plain_remove };
        fill(15); /* three files */
        left = 2; /* the fourth finds room when two have gone */
        assert_int_equal(append(15), 0);
        assert_int_equal(look(), 0);
        assert_int_equal(s.walk.files, 2);
        assert_int_equal(s.walk.first, 11);
        for (unsigned i = 16; i < 20; i++)
                assert_int_equal(append(i), 0);
        left = 99; /* none at all: nothing is written, what was is whole */
        assert_int_equal(append(20), -ENOSPC);
        assert_int_equal(append(21), -EIO);
        assert_int_equal(look(), 0);
        assert_int_equal(s.walk.last, 20);
        scene_free();
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(whole),     cmocka_unit_test(bounded),    cmocka_unit_test(bits),
                cmocka_unit_test(reordered), cmocka_unit_test(forged),     cmocka_unit_test(files_gone),
                cmocka_unit_test(torn_tail), cmocka_unit_test(empty_file), cmocka_unit_test(no_space),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
