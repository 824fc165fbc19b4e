#include "device/handset/host/vault_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "wire/status.h"

#define PATH_SIZE   600
#define MACHINE_MAX 256 /* octets of the machine's file that count */
#define VAULT_MAX   (VAULT_LOCK_SIZE + VAULT_BODY_MAX + VAULT_BODY_OVERHEAD)
#define PUBLIC_SIZE (PASS_KEY_SIZE + VAULT_INBOX_KEY_SIZE)

static const char *path_of(const struct vault_place *place, const char *name, char path[PATH_SIZE])
{
        snprintf(path, PATH_SIZE, "%s/%s", place->folder, name);
        return path;
}

static const char *box_of(const struct vault_place *place, int n, char path[PATH_SIZE])
{
        snprintf(path, PATH_SIZE, "%s/box-%d", place->folder, n);
        return path;
}

static int read_file(const struct vault_place *place, const char *name, size_t max, char **ret_data, size_t *ret_len)
{
        char path[PATH_SIZE];

        return file_read(path_of(place, name, path), max, ret_data, ret_len);
}

static void wipe_free(char *data, size_t len)
{
        if (data != NULL)
                OPENSSL_cleanse(data, len);
        free(data);
}

int vault_files_put(const struct vault_place *place, const char *name, const void *data, size_t len)
{
        char path[PATH_SIZE];

        return file_write(path_of(place, name, path), data, len, 0600);
}

int vault_files_list(const struct vault_place *place, char **ret_list, size_t *ret_len)
{
        return read_file(place, "list", STATUS_MAX, ret_list, ret_len);
}

/* exact: a file of exactly SIZE octets to TO. */
static bool exact(const struct vault_place *place, const char *name, void *to, size_t size)
{
        char *data = NULL;
        size_t len = 0;
        bool good = read_file(place, name, size, &data, &len) == 0 && len == size;

        if (good)
                memcpy(to, data, size);
        wipe_free(data, len);
        return good;
}

static int64_t wiped_at(const struct vault_place *place)
{
        char *text = NULL;
        size_t len;
        int64_t at_s = read_file(place, "wiped", 32, &text, &len) == 0 ? atoll(text) : 0;

        free(text);
        return at_s > 0 ? at_s : 0;
}

int vault_files_look(const struct vault_place *place, struct vault_seen *ret_seen)
{
        uint8_t public[PUBLIC_SIZE];
        char path[PATH_SIZE];
        int r = 0;

        memset(ret_seen, 0, sizeof(*ret_seen));
        if (mkdir(place->folder, 0700) < 0 && errno != EEXIST)
                return -errno;
        ret_seen->there = access(path_of(place, "vault", path), F_OK) == 0;
        if (!exact(place, "tries", &ret_seen->wrong, 1))
                ret_seen->wrong = ret_seen->there ? VAULT_TRIES - 1 : 0;
        if (ret_seen->wrong >= VAULT_TRIES) {
                r = vault_files_destroy(place);
                ret_seen->there = access(path, F_OK) == 0;
        }
        ret_seen->has_challenge = exact(place, "challenge", ret_seen->challenge, VAULT_CHALLENGE_SIZE);
        ret_seen->has_public = exact(place, "public", public, sizeof(public));
        if (ret_seen->has_public) {
                memcpy(ret_seen->pass_public, public, PASS_KEY_SIZE);
                memcpy(ret_seen->inbox_public, public + PASS_KEY_SIZE, VAULT_INBOX_KEY_SIZE);
        }
        ret_seen->wiped_at_s = wiped_at(place);
        return r;
}

/* ---- the secret */

/* bound: the secret as PINs are mixed with it, tied to the machine; where MAKE, drawn if there is none. */
static int bound(const struct vault_place *place, bool make, uint8_t ret_bound[VAULT_SECRET_SIZE])
{
        uint8_t secret[VAULT_SECRET_SIZE];
        char *machine = NULL;
        size_t len = 0;
        int r = 0;

        if (!exact(place, "secret", secret, sizeof(secret))) {
                if (!make)
                        return -ENOKEY;
                r = RAND_priv_bytes(secret, sizeof(secret)) == 1
                            ? vault_files_put(place, "secret", secret, sizeof(secret))
                            : -EIO;
        }
        if (r == 0 && place->machine[0] != 0 && file_read(place->machine, MACHINE_MAX, &machine, &len) < 0)
                len = 0;
        if (r == 0)
                r = vault_bind(secret, (const uint8_t *)machine, len, ret_bound);
        free(machine);
        OPENSSL_cleanse(secret, sizeof(secret));
        return r;
}

/* ---- lock and body */

int vault_files_save(const struct vault_place *place, const uint8_t lock[VAULT_LOCK_SIZE], const uint8_t *sealed,
                     size_t len)
{
        uint8_t *both = malloc(VAULT_LOCK_SIZE + len);
        int r = both != NULL ? 0 : -ENOMEM;

        if (r == 0) {
                memcpy(both, lock, VAULT_LOCK_SIZE);
                memcpy(both + VAULT_LOCK_SIZE, sealed, len);
                r = vault_files_put(place, "vault", both, VAULT_LOCK_SIZE + len);
        }
        free(both);
        return r;
}

/* save: seal the content and write it; its counters are then set aside. */
static int save(const struct vault_place *place, const struct vault_opened *o)
{
        uint8_t *plain = malloc(VAULT_BODY_MAX), *sealed = malloc(VAULT_BODY_MAX + VAULT_BODY_OVERHEAD);
        struct cbor_writer w = { 0 };
        int r = plain != NULL && sealed != NULL ? 0 : -ENOMEM;

        if (r == 0) {
                cbor_writer_init(&w, plain, VAULT_BODY_MAX);
                r = content_write(o->content, &w);
        }
        if (r == 0)
                r = vault_seal(o->key, plain, w.len, sealed);
        if (r == 0)
                r = vault_files_save(place, o->lock, sealed, w.len + VAULT_BODY_OVERHEAD);
        if (r == 0)
                content_written(o->content);
        if (plain != NULL)
                OPENSSL_cleanse(plain, VAULT_BODY_MAX);
        free(plain);
        free(sealed);
        return r;
}

static int put_public(const struct vault_place *place, const struct content *content)
{
        uint8_t public[PUBLIC_SIZE], old[PUBLIC_SIZE];

        memcpy(public, content->pass_public, PASS_KEY_SIZE);
        memcpy(public + PASS_KEY_SIZE, content->inbox_public, VAULT_INBOX_KEY_SIZE);
        if (exact(place, "public", old, sizeof(old)) && memcmp(public, old, sizeof(old)) == 0)
                return 0;
        return vault_files_put(place, "public", public, sizeof(public));
}

static int put_tries(const struct vault_place *place, uint8_t wrong)
{
        return vault_files_put(place, "tries", &wrong, 1);
}

int vault_files_make(const struct vault_place *place, const char *pin, const char *duress, struct vault_opened *opened)
{
        uint8_t secret[VAULT_SECRET_SIZE];
        struct vault_opened fresh = { .content = opened->content, .duress = opened->duress };
        int r = bound(place, true, secret);

        if (r == 0)
                r = vault_new(pin, duress, secret, fresh.lock, fresh.key);
        OPENSSL_cleanse(secret, sizeof(secret));
        if (r == 0 && (r = put_tries(place, 0)) == 0 && (r = save(place, &fresh)) == 0)
                r = put_public(place, fresh.content);
        if (r == 0)
                *opened = fresh;
        OPENSSL_cleanse(fresh.key, sizeof(fresh.key));
        return r;
}

/* ---- opening */

/* take_boxes: what came while it was locked.  One that cannot be read, or is not for this pass key, is worth nothing. */
static void take_boxes(const struct vault_place *place, struct content *content)
{
        for (int n = 1; n <= VAULT_BOXES_MAX; n++) {
                char path[PATH_SIZE], *box = NULL;
                size_t len = 0;
                uint8_t *plain;

                if (file_read(box_of(place, n, path), VAULT_BODY_MAX + VAULT_BOX_OVERHEAD, &box, &len) < 0)
                        continue;
                plain = malloc(len);
                if (plain != NULL &&
                    vault_fetch(content->inbox_private, (const uint8_t *)box, len, plain) == 0)
                        content_take(content, (struct cbor_span){ plain, len - VAULT_BOX_OVERHEAD });
                wipe_free((char *)plain, len);
                free(box);
        }
}

static int erase_boxes(const struct vault_place *place)
{
        char path[PATH_SIZE];
        int first = 0;

        for (int n = 1; n <= VAULT_BOXES_MAX; n++) {
                int r = file_erase(box_of(place, n, path));

                first = first < 0 ? first : r;
        }
        return first;
}

/* open_body: the content behind the lock.  A body that cannot be read is lost: new keys, and the region is told. */
static int open_body(const struct vault_place *place, const uint8_t *body, size_t len, uint32_t now_s,
                     struct vault_opened *o)
{
        uint8_t *plain = malloc(len);
        int r = plain != NULL ? vault_read(o->key, body, len, plain) : -ENOMEM;

        if (r == 0)
                r = content_read((struct cbor_span){ plain, len - VAULT_BODY_OVERHEAD }, &o->content);
        wipe_free((char *)plain, len);
        o->renewed = r == -EBADMSG;
        if (o->renewed)
                r = content_new(&o->content);
        if (r < 0)
                return r;
        take_boxes(place, o->content);
        content_drop(o->content, now_s);
        if ((r = save(place, o)) == 0 && (r = put_public(place, o->content)) == 0)
                erase_boxes(place);
        return r;
}

static int try_pin(const struct vault_place *place, const char *pin, const uint8_t *lock, uint8_t *key, bool *duress)
{
        uint8_t secret[VAULT_SECRET_SIZE];
        int r = bound(place, false, secret);

        if (r == 0)
                r = vault_open(lock, pin, secret, key, duress);
        OPENSSL_cleanse(secret, sizeof(secret));
        return r;
}

int vault_files_check(const struct vault_place *place, const char *pin, uint8_t wrong, uint32_t now_s,
                      struct vault_opened *ret_opened, bool *ret_duress)
{
        struct vault_opened o = { 0 };
        char *both = NULL;
        size_t len = 0;
        int r = read_file(place, "vault", VAULT_MAX, &both, &len);

        if (r == 0 && len < VAULT_LOCK_SIZE + VAULT_BODY_OVERHEAD)
                r = -EBADMSG;
        if (r == 0)
                r = put_tries(place, wrong); /* durable before the PIN is looked at */
        if (r < 0)
                goto out;
        memcpy(o.lock, both, VAULT_LOCK_SIZE);
        r = try_pin(place, pin, o.lock, o.key, &o.duress);
        if (r == 0)
                r = put_tries(place, 0);
        *ret_duress = o.duress;
        if (r == 0 && ret_opened != NULL)
                r = open_body(place, (uint8_t *)both + VAULT_LOCK_SIZE, len - VAULT_LOCK_SIZE, now_s, &o);
        if (r == 0 && ret_opened != NULL)
                *ret_opened = o;
        else
                content_free(o.content);
out:
        OPENSSL_cleanse(&o, sizeof(o));
        free(both);
        return r;
}

/* box_room: the number of a box that is free; where there is none the first one goes, and the others move up. */
static int box_room(const struct vault_place *place)
{
        char path[PATH_SIZE], before[PATH_SIZE];

        for (int n = 1; n <= VAULT_BOXES_MAX; n++)
                if (access(box_of(place, n, path), F_OK) < 0)
                        return n;
        for (int n = 2; n <= VAULT_BOXES_MAX; n++)
                if (rename(box_of(place, n, path), box_of(place, n - 1, before)) < 0)
                        return -errno;
        return VAULT_BOXES_MAX;
}

int vault_files_post(const struct vault_place *place, const uint8_t inbox[VAULT_INBOX_KEY_SIZE],
                     struct cbor_span parcel)
{
        char path[PATH_SIZE];
        uint8_t *box = malloc(parcel.len + VAULT_BOX_OVERHEAD);
        int r = box != NULL ? vault_post(inbox, parcel.at, parcel.len, box) : -ENOMEM;
        int n = r == 0 ? box_room(place) : r;

        r = n < 0 ? n : file_write(box_of(place, n, path), box, parcel.len + VAULT_BOX_OVERHEAD, 0600);
        free(box);
        return r;
}

/* ---- taking away */

static int overwrite(int fd)
{
        static const uint8_t zeros[4096];
        struct stat about;

        if (fstat(fd, &about) < 0)
                return -errno;
        for (off_t at = 0; at < about.st_size; at += (off_t)sizeof(zeros)) {
                size_t n = about.st_size - at < (off_t)sizeof(zeros) ? (size_t)(about.st_size - at) : sizeof(zeros);

                if (pwrite(fd, zeros, n, at) != (ssize_t)n)
                        return errno != 0 ? -errno : -EIO;
        }
        return fsync(fd) == 0 ? 0 : -errno;
}

int file_erase(const char *path)
{
        struct stat about;
        int fd, r = 0;

        if (lstat(path, &about) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (S_ISREG(about.st_mode)) {
                fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
                r = fd >= 0 ? overwrite(fd) : -errno;
                if (fd >= 0)
                        close(fd);
        }
        if (unlink(path) < 0 && r == 0)
                r = -errno;
        return r < 0 ? r : file_sync_folder(path, fsync);
}

static int erase(const struct vault_place *place, const char *const *names, size_t count)
{
        char path[PATH_SIZE];
        int first = 0;

        for (size_t i = 0; i < count; i++) {
                int r = file_erase(path_of(place, names[i], path));

                first = first < 0 ? first : r;
        }
        return first;
}

/* erase_halves: what file_write() had begun beside a file when the power went. */
static int erase_halves(const struct vault_place *place)
{
        DIR *dir = opendir(place->folder);
        char path[PATH_SIZE];
        struct dirent *entry;
        int first = 0;

        if (dir == NULL)
                return errno == ENOENT ? 0 : -errno;
        while ((entry = readdir(dir)) != NULL)
                if (strstr(entry->d_name, ".tmp.") != NULL) {
                        int r = file_erase(path_of(place, entry->d_name, path));

                        first = first < 0 ? first : r;
                }
        closedir(dir);
        return first;
}

int vault_files_destroy(const struct vault_place *place)
{
        static const char *const names[] = { "secret", "vault", "public" };
        int r = erase(place, names, 3), boxes = erase_boxes(place), halves = erase_halves(place);

        return r < 0 ? r : boxes < 0 ? boxes : halves;
}

int vault_files_reset(const struct vault_place *place)
{
        static const char *const names[] = { "challenge" };
        int r = vault_files_destroy(place);

        if (r == 0)
                r = put_tries(place, 0);
        return r == 0 ? erase(place, names, 1) : r;
}

int vault_files_wipe(const struct vault_place *place, uint32_t now_s)
{
        static const char *const names[] = { "tries", "challenge", "list" };
        char text[16];
        int r = vault_files_destroy(place), rest = erase(place, names, 3), said;

        said = vault_files_put(place, "wiped", text, (size_t)snprintf(text, sizeof(text), "%u\n", now_s));
        return r < 0 ? r : rest < 0 ? rest : said;
}
