#include "ops/vigie/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hex.h"
#include "ops/vigie/archive_tail.h"
#include "ops/vigie/command.h"
#include "ops/vigie/say.h"

#define RETRY_S       2  /* after Redis was lost, or a disk refused */
#define TRIM_EVERY_S  10 /* the feed grows by as much */
#define CLEAN_EVERY_S 600
#define LINE_OCTETS   32 /* of a checkpoint, on a line in hex */

struct wanted {
        bool once, checkpoint, take_over;
};

int archive_where(const struct region *region, char to[REGION_PATH_MAX])
{
        if (region->config.archive[0] == 0)
                return region_path(region, "archive", to);
        snprintf(to, REGION_PATH_MAX, "%s", region->config.archive);
        return 0;
}

int archive_key(const struct region *region, struct key **ret_key)
{
        char path[REGION_PATH_MAX];
        int r = region_path(region, "archive.key", path);

        if (r < 0)
                return r;
        r = key_from_file(path, ret_key);
        if (r == 0 && (key_alg(*ret_key) != KEY_EDDSA || !key_is_private(*ret_key))) {
                key_free(*ret_key);
                *ret_key = NULL;
                r = -EKEYREJECTED;
        }
        if (r < 0)
                say_wrong("%s: %s", path, r == -EKEYREJECTED ? "no private Ed25519 key" : key_trouble(r));
        return r;
}

void archive_as_user(struct region *region)
{
        if (region->config.archive_password[0] == 0)
                return;
        region_disconnect(region);
        strcpy(region->config.user, region->config.archive_user);
        strcpy(region->config.password, region->config.archive_password);
}

/* ---- --checkpoint */

static int print_checkpoint(const char *dir)
{
        char path[REGION_PATH_MAX], text[2 * LINE_OCTETS + 1], *data = NULL;
        size_t len;
        int r = archive_path(dir, ARCHIVE_HEAD, path);

        if (r < 0 || (r = file_read(path, ARCHIVE_CHECKPOINT_MAX, &data, &len)) < 0) {
                say_wrong("%s: %s", path, strerror(-r));
                return r;
        }
        for (size_t at = 0; at < len; at += LINE_OCTETS) {
                hex_encode(data + at, len - at < LINE_OCTETS ? len - at : LINE_OCTETS, text);
                puts(text);
        }
        free(data);
        return 0;
}

/* ---- the daemon */

static time_t now_s(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return now.tv_sec;
}

/* Two never follow one feed into one folder. */
static int lock_tail(const char *dir)
{
        char path[REGION_PATH_MAX];
        int fd = -1, r = archive_path(dir, "tail.lock", path);

        if (r == 0 && mkdir(dir, 0700) < 0 && errno != EEXIST)
                r = -errno;
        if (r == 0 && (fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)) < 0)
                r = -errno;
        if (r == 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
                r = -errno;
                close(fd);
        }
        if (r < 0)
                say_wrong("archive: %s: %s", dir,
                          r == -EWOULDBLOCK ? "another vigie archive follows the feed into it" : strerror(-r));
        return r < 0 ? r : fd;
}

struct times {
        time_t trimmed, cleaned;
};

static int tidy(struct archive_tail *tail, struct times *times, bool now)
{
        int r = 0;

        if (now || now_s() - times->trimmed >= TRIM_EVERY_S) {
                r = archive_tail_trim(tail);
                times->trimmed = now_s();
        }
        if (r == 0 && (now || now_s() - times->cleaned >= CLEAN_EVERY_S)) {
                r = archive_tail_clean(tail);
                times->cleaned = now_s();
        }
        return r;
}

/* Trouble that time does not mend: somebody must look. */
static bool is_final(int r)
{
        return r == -EBADMSG || r == -EEXIST;
}

static int run(struct archive_tail *tail, const struct wanted *asked)
{
        struct times times = { 0 };

        for (;;) {
                int r = archive_tail_pass(tail);

                if (r == 1)
                        continue;
                if (r == 0 && (r = tidy(tail, &times, asked->once)) == 0) {
                        if (asked->once)
                                return 0;
                        r = archive_tail_wait(tail);
                }
                if (r < 0 && (asked->once || is_final(r)))
                        return r;
                if (r < 0)
                        sleep(RETRY_S);
        }
}

static int start(struct region *region, const struct wanted *asked, const char *dir)
{
        struct archive_tail_options options = { .region = region, .dir = dir, .take_over = asked->take_over };
        struct archive_tail *tail = NULL;
        struct key *key = NULL;
        int lock = lock_tail(dir), r = lock;

        if (r < 0 || (r = archive_key(region, &key)) < 0)
                goto out;
        options.key = key;
        archive_as_user(region);
        if ((r = archive_tail_new(&options, &tail)) == 0)
                r = run(tail, asked);
out:
        archive_tail_free(tail);
        key_free(key);
        if (lock >= 0)
                close(lock);
        return r;
}

int archive_main(struct region *region, int argc, char **argv)
{
        struct wanted asked = { 0 };
        const struct choice list[] = {
                { "once", NULL, &asked.once, "archive what is there, and end" },
                { "checkpoint", NULL, &asked.checkpoint, "print the newest checkpoint, in hex: to be kept elsewhere" },
                { "take-over", NULL, &asked.take_over, "follow the feed although another archive did" },
        };
        char dir[REGION_PATH_MAX];
        int r;

        if (choices_read(&(struct choices){ "archive [--once | --checkpoint] [--take-over]", list, 3, 0 }, argc, argv,
                         NULL) < 0)
                return EXIT_USAGE;
        signal(SIGPIPE, SIG_IGN); /* Redis dies under a command: an error like any other */
        r = archive_where(region, dir);
        if (r == 0)
                r = asked.checkpoint ? print_checkpoint(dir) : start(region, &asked, dir);
        return r < 0 ? EXIT_REFUSED : EXIT_DONE;
}
