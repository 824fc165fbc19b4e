#include "device/door/chain.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "wire/pass_signing.h"
#include "wire/signing.h"

/* ---- the real calls */

static int real_create(void *user, const char *path, off_t size)
{
        int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
        int r = fd >= 0 ? posix_fallocate(fd, 0, size) : 0;

        if (fd < 0)
                return -errno;
        if (r == 0)
                return fd;
        close(fd);
        unlink(path);
        return -r;
}

static int real_write(void *user, int fd, const void *data, size_t len, off_t offset)
{
        const char *at = data;

        while (len > 0) {
                ssize_t n = pwrite(fd, at, len, offset);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                at += n;
                offset += n;
                len -= (size_t)n;
        }
        return 0;
}

static int real_sync(void *user, int fd)
{
        return fdatasync(fd) < 0 ? -errno : 0;
}

static int real_sync_folder(void *user, const char *path)
{
        return file_sync_folder(path, fsync);
}

static int real_replace(void *user, const char *path, const void *data, size_t len)
{
        return file_write(path, data, len, 0600);
}

static int real_remove(void *user, const char *path)
{
        return unlink(path) < 0 ? -errno : 0;
}

static void calls_fill(struct chain_calls *calls)
{
        static const struct chain_calls real = { NULL,         real_create, real_write, real_sync, real_sync_folder,
                                                 real_replace, real_remove };

        if (calls->create == NULL)
                *calls = real;
}

/* ---- files */

static int head_write(struct chain *chain)
{
        char path[PATH_MAX];

        snprintf(path, sizeof(path), "%s/head", chain->options.folder);
        return chain->options.calls.replace(chain->options.calls.user, path, chain->newest, chain->newest_len);
}

/* oldest_remove: where there are too many, or where the disk is full; never the newest. */
static int oldest_remove(struct chain *chain)
{
        const struct chain_calls *calls = &chain->options.calls;
        char path[PATH_MAX];
        int r;

        chain_path(chain->options.folder, chain->names[0], path);
        r = calls->remove(calls->user, path);
        if (r < 0 && r != -ENOENT)
                return r;
        chain->files--;
        memmove(chain->names, chain->names + 1, chain->files * sizeof(chain->names[0]));
        return calls->sync_folder(calls->user, path); /* or the next oldest might go and this one come back: a gap */
}

/* file_create: the next file, at the price of the oldest ones where the disk is full. */
static int file_create(struct chain *chain, const char *path)
{
        const struct chain_calls *calls = &chain->options.calls;
        int r;

        while (chain->files >= chain->options.files)
                if ((r = oldest_remove(chain)) < 0)
                        return r;
        while ((r = calls->create(calls->user, path, (off_t)chain->options.file_size)) == -ENOSPC && chain->files > 1)
                if ((r = oldest_remove(chain)) < 0)
                        return r;
        return r;
}

/* file_begin: go on in a new file: durable with its name and header before an entry is in it. */
static int file_begin(struct chain *chain)
{
        const struct chain_calls *calls = &chain->options.calls;
        uint8_t header[ENTRY_HEADER_SIZE];
        char path[PATH_MAX];
        int fd, r;

        chain_path(chain->options.folder, chain->number + 1, path);
        if ((fd = file_create(chain, path)) < 0)
                return fd;
        if (chain->fd >= 0)
                close(chain->fd);
        chain->fd = fd;
        chain->names[chain->files++] = chain->number + 1;
        chain->end = ENTRY_HEADER_SIZE;
        if ((r = entry_header_encode(CHAIN_OWNER, chain->number, header, &chain->entries)) < 0 ||
            (r = calls->write(calls->user, fd, header, sizeof(header), 0)) < 0 ||
            (r = calls->sync(calls->user, fd)) < 0)
                return r;
        return calls->sync_folder(calls->user, path);
}

/* ---- the start */

struct start {
        struct chain *chain;
        const struct chain_options *options;
};

static void on_found(void *user, const struct chain_entry *entry)
{
        struct start *start = user;

        memcpy(start->chain->newest, entry->octets.at, entry->octets.len);
        start->chain->newest_len = entry->octets.len;
        if (start->options->each != NULL)
                start->options->each(start->options->user, entry);
}

/* check_newest: its signature stands for all before it. */
static int check_newest(const struct chain *chain)
{
        struct door_log_signed e;

        if (chain->newest_len == 0)
                return 0;
        return door_log_read((struct cbor_span){ chain->newest, chain->newest_len }, &e, NULL) == 0 &&
                               cose_sign1_verify(&e.cose, chain->options.key, CBOR_LITERAL(DOOR_LOG_AAD)) == 0
                       ? 0
                       : -EBADMSG;
}

/* newest_open: go on in the newest file, without what a power cut left behind its last whole entry. */
static int newest_open(struct chain *chain, const struct chain_walk *walk)
{
        char path[PATH_MAX];
        int r;

        chain_path(chain->options.folder, chain->names[chain->files - 1], path);
        chain->fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
        if (chain->fd < 0)
                return -errno;
        chain->end = walk->end;
        chain->entries = walk->entries;
        if (walk->torn_octets == 0)
                return 0;
        if (ftruncate(chain->fd, walk->end) < 0)
                return -errno;
        r = posix_fallocate(chain->fd, 0, (off_t)chain->options.file_size);
        return r != 0 ? -r : fsync(chain->fd) < 0 ? -errno : 0;
}

static int go_on(struct chain *chain, const struct chain_walk *walk)
{
        char path[PATH_MAX];

        chain->number = walk->last;
        memcpy(chain->head, walk->head, HELLO_HEAD_SIZE);
        chain->files = walk->files;
        memcpy(chain->names, walk->names, sizeof(chain->names));
        if (chain->files > 0 && !walk->last_has_header) {
                chain_path(chain->options.folder, chain->names[--chain->files], path);
                if (unlink(path) < 0)
                        return -errno;
        }
        if (chain->files > 0) {
                int r = newest_open(chain, walk);

                if (r < 0)
                        return r;
        }
        return walk->held < walk->last ? head_write(chain) : 0;
}

/* leftovers_remove: what file_write() had begun beside `head` or `status` when the power went. */
static void leftovers_remove(const struct chain *chain)
{
        DIR *dir = opendir(chain->options.folder);
        struct dirent *entry;

        while (dir != NULL && (entry = readdir(dir)) != NULL)
                if (strncmp(entry->d_name, "head.tmp.", 9) == 0 || strncmp(entry->d_name, "status.tmp.", 11) == 0)
                        unlinkat(dirfd(dir), entry->d_name, 0);
        if (dir != NULL)
                closedir(dir);
}

static int lock(struct chain *chain)
{
        char path[PATH_MAX];

        snprintf(path, sizeof(path), "%s/" CHAIN_LOCK, chain->options.folder);
        chain->lock_fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (chain->lock_fd < 0 || flock(chain->lock_fd, LOCK_EX | LOCK_NB) < 0)
                return -errno;
        return 0;
}

int chain_open(const struct chain_options *options, struct chain *ret_chain, char why[160])
{
        struct chain *chain = ret_chain;
        struct start start = { chain, options };
        struct chain_walk walk = { .folder = chain->options.folder, .each = on_found, .user = &start };
        struct pass_crypto crypto;
        int r;

        memset(chain, 0, sizeof(*chain));
        chain->fd = chain->lock_fd = -1;
        chain->options = *options;
        if (options->file_size == 0)
                chain->options.file_size = CHAIN_FILE_SIZE;
        assert(options->files >= 2 && options->files < CHAIN_FILES_MAX);
        calls_fill(&chain->options.calls);
        pass_crypto_init(&crypto);
        chain->sha = crypto.sha;
        memcpy(walk.door, options->door, DOOR_ID_SIZE);
        if ((r = lock(chain)) < 0) {
                snprintf(why, 160, "%s", r == -EWOULDBLOCK ? "another process has it" : strerror(-r));
                return r;
        }
        leftovers_remove(chain);
        if ((r = chain_walk(&walk)) < 0) {
                snprintf(why, 160, "%s", walk.why[0] != 0 ? walk.why : strerror(-r));
                return r;
        }
        if ((r = check_newest(chain)) < 0)
                snprintf(why, 160, "its newest entry is not signed by this door's key");
        else if ((r = go_on(chain, &walk)) < 0)
                snprintf(why, 160, "%s", strerror(-r));
        return r;
}

/* ---- writing */

static int sign(struct chain *chain, struct door_log_entry *entry)
{
        uint8_t payload[DOOR_LOG_PAYLOAD_MAX];
        struct cose_parts parts = { .alg = KEY_ES256, .kid = chain->options.door, .aad = CBOR_LITERAL(DOOR_LOG_AAD) };
        struct cbor_writer w;
        int r;

        entry->number = chain->number + 1;
        memcpy(entry->previous, chain->head, HELLO_HEAD_SIZE);
        cbor_writer_init(&w, payload, sizeof(payload));
        if ((r = door_log_write_payload(entry, &w)) < 0)
                return r;
        parts.payload = cbor_written(&w);
        cbor_writer_init(&w, chain->newest, sizeof(chain->newest));
        r = cose_sign1_sign(&parts, chain->options.key, &w);
        chain->newest_len = w.len;
        return r;
}

static int write_newest(struct chain *chain)
{
        const struct chain_calls *calls = &chain->options.calls;
        uint8_t framed[ENTRY_OVERHEAD + DOOR_LOG_MAX];
        size_t len;
        int r;

        if (chain->fd < 0 || (size_t)chain->end + sizeof(framed) > chain->options.file_size)
                if ((r = file_begin(chain)) < 0)
                        return r;
        r = entry_encode(&chain->entries, chain->newest, chain->newest_len,
                         (struct entry_out){ framed, sizeof(framed) }, &len);
        if (r < 0 || (r = calls->write(calls->user, chain->fd, framed, len, chain->end)) < 0 ||
            (r = calls->sync(calls->user, chain->fd)) < 0)
                return r;
        chain->end += (off_t)len;
        return 0;
}

int chain_append(struct chain *chain, struct door_log_entry *entry)
{
        int r = chain->failed ? -EIO : 0;

        if (r < 0 || (r = sign(chain, entry)) < 0 || (r = write_newest(chain)) < 0) {
                chain->failed = true;
                return r;
        }
        chain->number = entry->number;
        door_log_head(&chain->sha, (struct cbor_span){ chain->newest, chain->newest_len }, chain->head);
        return 0;
}

int chain_settle(struct chain *chain)
{
        int r = chain->failed ? -EIO : head_write(chain);

        chain->failed |= r < 0;
        return r;
}

void chain_close(struct chain *chain)
{
        if (chain->fd >= 0)
                close(chain->fd);
        if (chain->lock_fd >= 0)
                close(chain->lock_fd);
        chain->fd = chain->lock_fd = -1;
}
