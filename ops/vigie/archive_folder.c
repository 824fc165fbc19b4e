#include "ops/vigie/archive_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "ops/vigie/archive_folder_inside.h"
#include "ops/vigie/say.h"

/* Another writer has it for the time of a batch, or of an erasure. */
#define LOCK_TRIES   300
#define LOCK_WAIT_US 100000
/* Lines about what is wrong or not finished: of an erasure cut short that is each part.  More are not said. */
#define FINDINGS_MAX 20

static int64_t machine_ms(void *user)
{
        struct timespec now;

        clock_gettime(CLOCK_REALTIME, &now);
        return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- locks, and whether another has written */

static int lock(struct archive_folder *f)
{
        for (int i = 0; i < LOCK_TRIES; i++) {
                if (flock(f->lock_fd, LOCK_EX | LOCK_NB) == 0)
                        return 0;
                if (errno != EWOULDBLOCK && errno != EINTR)
                        return -errno;
                usleep(LOCK_WAIT_US);
        }
        return -EWOULDBLOCK;
}

static void state_of(const struct archive_folder *f, struct folder_state *ret_state)
{
        char path[REGION_PATH_MAX];
        struct stat st;

        memset(ret_state, 0, sizeof(*ret_state));
        if (archive_path(f->options.dir, ARCHIVE_HEAD, path) == 0 && stat(path, &st) == 0) {
                ret_state->head = st.st_ino;
                ret_state->head_at = st.st_ctim;
        }
        if (f->file_name[0] != 0 && archive_path(f->options.dir, f->file_name, path) == 0 && stat(path, &st) == 0) {
                ret_state->file = st.st_ino;
                ret_state->size = st.st_size;
        }
}

void archive_folder_release(struct archive_folder *f)
{
        state_of(f, &f->state);
        flock(f->lock_fd, LOCK_UN);
}

int archive_folder_take(struct archive_folder *f)
{
        struct folder_state now;
        int r = lock(f);

        if (r < 0)
                return r;
        state_of(f, &now);
        return now.head == f->state.head && now.head_at.tv_sec == f->state.head_at.tv_sec &&
                               now.head_at.tv_nsec == f->state.head_at.tv_nsec && now.file == f->state.file &&
                               now.size == f->state.size
                       ? 0
                       : -ESTALE;
}

/* ---- the feed's last entries */

void folder_recent_note(struct archive_folder *f, const struct archive_meta *meta, const struct cbor_span *parts)
{
        struct archive_recent *recent;
        uint8_t hash[ARCHIVE_LINK_SIZE] = { 0 };

        if (meta->kind == ARCHIVE_BREAK && memcmp(meta->alert, (uint8_t[ALERT_ID_SIZE]){ 0 }, ALERT_ID_SIZE) == 0)
                f->recent_count -= meta->count < f->recent_count ? (size_t)meta->count : f->recent_count;
        if (meta->kind == ARCHIVE_GAP)
                f->recent_count = 0;
        if (meta->kind == ARCHIVE_SOURCE)
                strcpy(f->where, meta->text);
        if (meta->kind == ARCHIVE_RESTORE)
                strcpy(f->where, "before the restore"); /* the same server has another feed from here on */
        if (meta->feed[0] != 0)
                strcpy(f->feed, meta->feed);
        if (meta->kind > ARCHIVE_OTHER)
                return;
        if (meta->kind == ARCHIVE_ALERT)
                memcpy(hash, meta->hash, sizeof(hash));
        for (size_t i = 0; meta->kind != ARCHIVE_ALERT && parts != NULL && i < ARCHIVE_PARTS; i++)
                if (parts[i].at != NULL)
                        (void)archive_hash(&(struct cbor_span){ parts[i].at + ARCHIVE_SALT_SIZE,
                                                                parts[i].len - ARCHIVE_SALT_SIZE },
                                           1, hash);
        f->recent_at = (f->recent_at + 1) % ARCHIVE_RECENT_MAX;
        f->recent_count += f->recent_count < ARCHIVE_RECENT_MAX;
        recent = &f->recent[f->recent_at];
        strcpy(recent->feed, meta->feed);
        memcpy(recent->content, hash, sizeof(recent->content));
}

const struct archive_recent *archive_folder_recent(const struct archive_folder *f, size_t ago)
{
        return ago < f->recent_count ? &f->recent[(f->recent_at + ARCHIVE_RECENT_MAX - ago) % ARCHIVE_RECENT_MAX]
                                     : NULL;
}

/* ---- a batch */

/* Begin the next file: its header goes in front of the batch. */
static int begin_file(struct archive_folder *f, int64_t now_ms)
{
        struct archive_header header = { .file = f->file + 1,
                                         .first = archive_audit_number(f->audit) + 1,
                                         .at_ms = now_ms };
        uint8_t link[ARCHIVE_LINK_SIZE];
        int len;

        memcpy(header.id, f->id, sizeof(header.id));
        memcpy(header.before, archive_audit_link(f->audit), sizeof(header.before));
        len = archive_header_write(&header, f->batch, link);
        if (len < 0)
                return len;
        archive_name(&header, f->file_name);
        f->batch_len = (size_t)len;
        f->is_new = true;
        f->file = header.file;
        f->day = now_ms / 86400000;
        f->size = 0;
        return archive_audit_header(f->audit, &header, link);
}

static int draw_salts(const struct cbor_span *parts)
{
        for (size_t i = 0; parts != NULL && i < ARCHIVE_PARTS; i++)
                if (parts[i].at != NULL && RAND_bytes((uint8_t *)parts[i].at, ARCHIVE_SALT_SIZE) != 1)
                        return -EIO;
        return 0;
}

int archive_folder_append(struct archive_folder *f, struct archive_meta *meta, const struct cbor_span *parts)
{
        static const struct cbor_span none[ARCHIVE_PARTS];
        uint8_t octets[ARCHIVE_ENTRY_MAX], link[ARCHIVE_LINK_SIZE];
        struct archive_entry entry;
        int64_t now_ms = f->options.now_ms(f->options.user);
        int len, r = draw_salts(parts);

        if (f->batch_len > ARCHIVE_BATCH_MAX - ARCHIVE_ENTRY_MAX - ARCHIVE_HEADER_MAX)
                return -ENOBUFS;
        if (r == 0 && f->batch_len == 0 &&
            (f->file == 0 || f->size >= ARCHIVE_FILE_SIZE || now_ms / 86400000 != f->day))
                r = begin_file(f, now_ms);
        if (r < 0)
                return r;
        meta->number = archive_audit_number(f->audit) + 1;
        meta->at_ms = meta->at_ms != 0 ? meta->at_ms : now_ms;
        for (size_t i = 0; parts != NULL && i < ARCHIVE_PARTS; i++)
                meta->parts |= (uint8_t)((parts[i].at != NULL) << i);
        memcpy(link, archive_audit_link(f->audit), sizeof(link));
        len = archive_entry_write(meta, parts != NULL ? parts : none, link, octets);
        if (len < 0 || archive_entry_read((struct cbor_span){ octets, (size_t)len }, &entry) < 0)
                return len == -ENOBUFS ? -EMSGSIZE : len < 0 ? len : -EIO;
        if ((r = archive_audit_entry(f->audit, &entry)) < 0)
                return r;
        memcpy(f->batch + f->batch_len, octets, (size_t)len);
        f->batch_len += (size_t)len;
        folder_recent_note(f, meta, parts);
        return 0;
}

int folder_write(int fd, const uint8_t *data, size_t len)
{
        while (len > 0) {
                ssize_t n = write(fd, data, len);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return n < 0 ? -errno : -EIO;
                data += n;
                len -= (size_t)n;
        }
        return 0;
}

/* Put the batch behind the last file, or into a new one, durably; or leave all as it was. */
static int put_batch(struct archive_folder *f, const char *path)
{
        int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | (f->is_new ? O_CREAT | O_EXCL : 0), 0600);
        int r = fd < 0 ? -errno : folder_write(fd, f->batch, f->batch_len);

        if (fd < 0)
                return r;
        if (r == 0 && fsync(fd) < 0)
                r = -errno;
        if (r == 0 && f->is_new)
                r = file_sync_folder(path, fsync);
        if (r < 0 && f->is_new)
                unlink(path);
        else if (r < 0 && ftruncate(fd, f->size) < 0)
                say_wrong("%s: what was half written stays for the next start to cut off: %s", path, strerror(errno));
        close(fd);
        return r;
}

int folder_sign(struct archive_folder *f)
{
        char path[REGION_PATH_MAX];
        int len, r;

        f->head.number = archive_audit_number(f->audit);
        memcpy(f->head.link, archive_audit_link(f->audit), sizeof(f->head.link));
        if (f->head.number == 0)
                memset(f->head.link, 0, sizeof(f->head.link)); /* no entry: the header's link is no entry's */
        f->head.file = f->file;
        f->head.at_ms = f->options.now_ms(f->options.user);
        strcpy(f->head.feed, f->feed);
        len = archive_checkpoint_sign(&f->head, f->options.key, f->head_octets);
        if (len < 0)
                return len;
        f->head_len = (size_t)len;
        r = archive_path(f->options.dir, ARCHIVE_HEAD, path);
        return r < 0 ? r : file_write(path, f->head_octets, f->head_len, 0644);
}

int archive_folder_commit(struct archive_folder *f)
{
        char path[REGION_PATH_MAX];
        int r = archive_path(f->options.dir, f->file_name, path);

        if (f->batch_len == 0)
                return 0;
        if (r < 0 || (r = put_batch(f, path)) < 0) {
                say_wrong("archive: %s: %s: nothing is archived, the feed is not trimmed", path, strerror(-r));
                return r;
        }
        f->size += (off_t)f->batch_len;
        f->batch_len = 0;
        f->is_new = false;
        if ((r = folder_sign(f)) < 0)
                say_wrong("archive: %s/%s: %s: not signed, the feed is not trimmed", f->options.dir, ARCHIVE_HEAD,
                          strerror(-r));
        return r;
}

/* ---- beginning and end */

static int open_lock(struct archive_folder *f)
{
        char path[REGION_PATH_MAX];
        int r = archive_path(f->options.dir, "write.lock", path);

        if (r == 0 && mkdir(f->options.dir, 0700) < 0 && errno != EEXIST)
                r = -errno;
        if (r == 0 && (f->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)) < 0)
                r = -errno;
        if (r == 0)
                r = lock(f);
        if (r < 0)
                say_wrong("archive: %s: %s", f->options.dir,
                          r == -EWOULDBLOCK ? "another is writing to it" : strerror(-r));
        return r;
}

static void found(void *user, const struct archive_finding *finding)
{
        struct archive_folder *f = user;

        if (finding->weight == ARCHIVE_TOLD || f->findings > FINDINGS_MAX)
                return;
        if (f->findings++ == FINDINGS_MAX)
                say_wrong("archive: %s: and more: `vigie verify-audit` says all of it", f->options.dir);
        else
                say_wrong("archive: %s: entry %llu: %s", f->options.dir, (unsigned long long)finding->number,
                          finding->text);
}

static int make(const struct archive_folder_options *options, struct archive_folder **ret_folder)
{
        struct archive_folder *f = calloc(1, sizeof(*f));

        if (f == NULL)
                return -ENOMEM;
        f->lock_fd = -1;
        f->options = *options;
        snprintf(f->dir, sizeof(f->dir), "%s", options->dir);
        f->options.dir = f->dir;
        snprintf(f->head.region, sizeof(f->head.region), "%s", options->region);
        if (options->now_ms == NULL)
                f->options.now_ms = machine_ms;
        f->batch = malloc(ARCHIVE_BATCH_MAX);
        f->recent = malloc(ARCHIVE_RECENT_MAX * sizeof(*f->recent));
        f->audit = archive_audit_new(found, f);
        *ret_folder = f;
        return f->batch != NULL && f->recent != NULL && f->audit != NULL ? 0 : -ENOMEM;
}

void archive_folder_close(struct archive_folder *f)
{
        if (f == NULL)
                return;
        if (f->lock_fd >= 0)
                close(f->lock_fd);
        archive_audit_free(f->audit);
        free(f->recent);
        free(f->batch);
        free(f);
}

int archive_folder_open(const struct archive_folder_options *options, struct archive_folder **ret_folder)
{
        struct archive_folder *f = NULL;
        int r = make(options, &f);

        if (r < 0 || (r = open_lock(f)) < 0 || (r = folder_load(f)) < 0) {
                archive_folder_close(f);
                return r;
        }
        *ret_folder = f;
        return 0;
}

/* ---- what it is asked */

struct archive_audit *archive_folder_audit(const struct archive_folder *f)
{
        return f->audit;
}

const struct archive_checkpoint *archive_folder_head(const struct archive_folder *f)
{
        return &f->head;
}

struct cbor_span archive_folder_head_octets(const struct archive_folder *f)
{
        return (struct cbor_span){ f->head_octets, f->head_len };
}

const char *archive_folder_feed(const struct archive_folder *f)
{
        return f->feed;
}

const char *archive_folder_where(const struct archive_folder *f)
{
        return f->where;
}
