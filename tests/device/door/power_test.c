/* The power cut at every step of a door, 1,000 times: a disk that keeps what was synced and some of what was not.
 *
 * Each seed: a door that lets phones in and refuses replays until its power goes at a drawn system call; started
 * again, cut again; then started for good.  Nothing was opened that its log does not hold, nothing is taken twice, and
 * the log is whole. */
#include "tests/device/door/entrance.h"
#include "tests/sanitized.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define RUNS      (SANITIZED ? 600 : 1000)
#define LIVES     3
#define VISITS    6
#define SHOWN     (LIVES * VISITS)
/* Three entries a file: beginning a file is a step as often as any. */
#define FILE_SIZE (ENTRY_HEADER_SIZE + 3 * (ENTRY_OVERHEAD + DOOR_LOG_MAX) + 8)
#define PIECE_MAX (ENTRY_OVERHEAD + DOOR_LOG_MAX)

struct disk {
        uint64_t random;
        unsigned steps_left;
        bool dead;
        /* written and not synced: one piece at most, the newest file's */
        int fd;
        off_t offset;
        size_t len;
        uint8_t before[PIECE_MAX];
        /* made and its folder not synced */
        char made[PATH_MAX];
};

static struct post p;
static struct disk disk;
static unsigned cuts[8]; /* how often each call was the one */

static struct {
        struct bytes presentation;
        uint32_t counter;
        bool opened;
} shown[SHOWN];
static size_t shown_count;

static unsigned draw(unsigned below)
{
        disk.random = disk.random * 6364136223846793005u + 1442695040888963407u;
        return (unsigned)(disk.random >> 33) % below;
}

/* step: one system call; true: the power goes in it. */
static bool step(unsigned call)
{
        if (disk.dead)
                return true;
        if (disk.steps_left-- > 0)
                return false;
        disk.dead = true;
        cuts[call]++;
        return true;
}

static int disk_create(void *user, const char *path, off_t size)
{
        int fd;

        if (step(0) && draw(2) == 0)
                return -EIO;
        fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
        assert_true(fd >= 0);
        assert_int_equal(ftruncate(fd, size), 0);
        strcpy(disk.made, path);
        disk.len = 0;
        if (!disk.dead)
                return fd;
        close(fd);
        return -EIO;
}

static int disk_write(void *user, int fd, const void *data, size_t len, off_t offset)
{
        bool is_cut = step(1);

        if (is_cut)
                len = draw((unsigned)len + 1);
        assert_true(len <= PIECE_MAX);
        disk.fd = fd;
        disk.offset = offset;
        disk.len = len;
        assert_true(pread(fd, disk.before, len, offset) == (ssize_t)len);
        assert_true(pwrite(fd, data, len, offset) == (ssize_t)len);
        return is_cut ? -EIO : 0;
}

static int disk_sync(void *user, int fd)
{
        if (step(2))
                return -EIO;
        disk.len = 0;
        return 0;
}

static int disk_sync_folder(void *user, const char *path)
{
        if (step(3))
                return -EIO;
        disk.made[0] = 0;
        return 0;
}

static int disk_replace(void *user, const char *path, const void *data, size_t len)
{
        char temporary[PATH_MAX];
        int fd;

        if (step(4) && draw(2) == 0)
                return -EIO; /* before its rename */
        snprintf(temporary, sizeof(temporary), "%s.new", path);
        fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        assert_true(write(fd, data, len) == (ssize_t)len);
        close(fd);
        assert_int_equal(rename(temporary, path), 0);
        return disk.dead ? -EIO : 0;
}

static int disk_remove(void *user, const char *path)
{
        if (step(5) && draw(2) == 0)
                return -EIO;
        assert_int_equal(unlink(path), 0);
        return disk.dead ? -EIO : 0;
}

/* cut: what was not synced stays, or does not, or in part; the file's descriptor is open still. */
static void cut(void)
{
        if (disk.len > 0) {
                size_t kept = draw(3) == 0 ? disk.len : draw((unsigned)disk.len + 1);

                assert_true(pwrite(disk.fd, disk.before + kept, disk.len - kept, disk.offset + (off_t)kept) ==
                            (ssize_t)(disk.len - kept));
        }
        if (disk.made[0] != 0 && draw(2) == 0)
                unlink(disk.made);
        disk.len = 0;
        disk.made[0] = 0;
}

/* opens: the door is open only while the power is on. */
static int opens(void *user)
{
        if (step(6) && draw(2) == 0)
                return -EIO;
        shown[shown_count].opened = true;
        return 0;
}

static int begin(unsigned steps)
{
        disk.dead = false;
        disk.steps_left = steps;
        return post_start(&p);
}

/* twice: a proof that opened before never opens again. */
static void twice(void)
{
        for (size_t i = 0; i < shown_count; i++) {
                unsigned before = p.opens;

                p.entrance.open = post_opens;
                post_hello(&p);
                if (p.entrance.mandate.class == DOOR_NFC &&
                    shown[i].opened) { /* a dishonest phone: the counter once more */
                        p.region.proof.counter = shown[i].counter - 1;
                        assert_int_equal(post_visit(&p), PASS_REPLAYED);
                } else {
                        int r = post_show(&p, span_of(&shown[i].presentation));

                        if (shown[i].opened || p.entrance.mandate.class == DOOR_NFC)
                                assert_true(r == PASS_REPLAYED || r == PASS_UNPROVED);
                }
                if (shown[i].opened)
                        assert_int_equal(p.opens, before);
        }
}

static uint32_t accepted[4 * SHOWN];
static size_t accepted_count;

static void on_accepted(void *user, const struct chain_entry *entry)
{
        if (entry->read->entry.refusal == PASS_GOOD && accepted_count < 4 * SHOWN)
                accepted[accepted_count++] = entry->read->entry.counter;
}

/* look: the log is whole, and what was opened is in it. */
static void look(bool keeps_all)
{
        static struct chain_walk walk;

        memset(&walk, 0, sizeof(walk));
        walk.folder = p.folder.path;
        walk.key = p.region.lock;
        walk.any_door = true;
        walk.each = on_accepted;
        accepted_count = 0;
        if (chain_walk(&walk) != 0)
                fail_msg("%s", walk.why);
        for (size_t i = 0; i < shown_count && keeps_all; i++) {
                size_t n = 0;

                for (size_t k = 0; k < accepted_count; k++)
                        n += accepted[k] == shown[i].counter;
                assert_true(n <= 1);
                if (shown[i].opened)
                        assert_int_equal(n, 1);
        }
}

static void live(unsigned steps)
{
        uint32_t counter = p.region.proof.counter;

        if (begin(steps) != 0) {
                assert_true(disk.dead); /* nothing else keeps it from starting */
        } else {
                p.entrance.open = opens;
                for (int i = 0; i < VISITS && !disk.dead && shown_count < SHOWN; i++) {
                        post_visit(&p);
                        shown[shown_count].presentation = p.phone.presentation;
                        shown[shown_count++].counter = ++counter;
                        if (draw(3) == 0 && !disk.dead) {
                                p.entrance.open = post_opens; /* again at once */
                                post_show(&p, span_of(&p.phone.presentation));
                                p.entrance.open = opens;
                        }
                }
        }
        cut();
        post_stop(&p);
}

static void run(uint64_t seed)
{
        bool keeps_all = seed % 4 != 0;

        memset(&disk, 0, sizeof(disk));
        disk.random = seed * 0x9E3779B97F4A7C15u;
        memset(shown, 0, sizeof(shown));
        shown_count = 0;
        p.opens = 0;
        p.clock_s = NOW_S;
        p.options.files = keeps_all ? 100 : 2;
        for (int i = 0; i < LIVES; i++)
                live(draw(40));
        assert_int_equal(p.opens, 0); /* no replay opened */
        if (begin(UINT32_MAX) != 0)
                fail_msg("seed %llu: %s", (unsigned long long)seed, p.why);
        look(keeps_all);
        if (keeps_all)
                twice();
        p.entrance.open = post_opens;
        p.clock_s = NOW_S;
        p.region.proof.counter += 100;
        assert_int_equal(post_visit(&p), PASS_GOOD);
        look(keeps_all);
        post_stop(&p);
        folder_remove(&p.folder);
        folder_make(&p.folder);
        strcpy(p.options.folder, p.folder.path);
        p.region.proof.counter += 100;
}

static void power(void **state)
{
        static const uint8_t classes[] = { DOOR_NFC, DOOR_SCANNER };

        for (size_t c = 0; c < sizeof(classes); c++) {
                post_make(&p, classes[c]);
                p.options.file_size = FILE_SIZE;
                p.options.calls =
                        (struct chain_calls){ NULL,         disk_create, disk_write, disk_sync, disk_sync_folder,
                                              disk_replace, disk_remove };
                for (uint64_t seed = 1; seed <= RUNS / sizeof(classes); seed++)
                        run(seed + c * RUNS);
                folder_remove(&p.folder);
                door_close(&p.region);
        }
        for (size_t i = 0; i < 7; i++) {
                print_message("cut in call %zu: %u times\n", i, cuts[i]);
                assert_true(cuts[i] > 10);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(power) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
