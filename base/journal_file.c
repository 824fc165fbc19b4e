#include "base/journal_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/journal_reader.h"

static const struct journal_calls real_calls = {
        .pwrite = pwrite,
        .fdatasync = fdatasync,
        .fsync = fsync,
        .posix_fallocate = posix_fallocate,
        .rename = rename,
};

static void set_calls(struct journal_calls *calls, const struct journal_calls *wanted)
{
        *calls = real_calls;
        if (wanted == NULL)
                return;
        if (wanted->pwrite != NULL)
                calls->pwrite = wanted->pwrite;
        if (wanted->fdatasync != NULL)
                calls->fdatasync = wanted->fdatasync;
        if (wanted->fsync != NULL)
                calls->fsync = wanted->fsync;
        if (wanted->posix_fallocate != NULL)
                calls->posix_fallocate = wanted->posix_fallocate;
        if (wanted->rename != NULL)
                calls->rename = wanted->rename;
}

static int set_options(struct journal_file *file, const struct journal_options *options)
{
        *file = (struct journal_file){ .fd = -1, .lock_fd = -1 };
        set_calls(&file->calls, options->calls);
        memcpy(file->owner, options->owner, sizeof(file->owner));
        file->chunk = options->chunk != 0 ? options->chunk : JOURNAL_CHUNK;
        file->size_max = options->size_max != 0 ? options->size_max : JOURNAL_SIZE_MAX;
        assert(file->chunk >= 64 * 1024 && file->size_max >= file->chunk);
        file->out = malloc(JOURNAL_WINDOW + ENTRY_MAX);
        if ((file->path = strdup(options->path)) == NULL || file->out == NULL ||
            asprintf(&file->path_new, "%s.new", file->path) < 0 ||
            asprintf(&file->path_torn, "%s.torn", file->path) < 0)
                return -ENOMEM;
        return 0;
}

static int take_lock(struct journal_file *file)
{
        char *path;
        int r = 0;

        if (asprintf(&path, "%s.lock", file->path) < 0)
                return -ENOMEM;
        file->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        free(path);
        if (file->lock_fd < 0 || flock(file->lock_fd, LOCK_EX | LOCK_NB) < 0)
                r = -errno;
        return r;
}

static int write_at(struct journal_file *file, int fd, const uint8_t *data, struct journal_span span)
{
        while (span.len > 0) {
                ssize_t n = file->calls.pwrite(fd, data, span.len, (off_t)span.offset);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return n < 0 ? -errno : -EIO;
                data += n;
                span.offset += (uint64_t)n;
                span.len -= (size_t)n;
        }
        return 0;
}

/* Make NAME.new with a header; the first entry goes at ENTRY_HEADER_SIZE. */
static int new_file(struct journal_file *file, uint64_t sequence, int *ret_fd, struct entry_chain *ret_chain)
{
        uint8_t header[ENTRY_HEADER_SIZE];
        int fd, r;

        if ((r = entry_header_encode(file->owner, sequence, header, ret_chain)) < 0)
                return r;
        if ((fd = open(file->path_new, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) < 0)
                return -errno;
        if ((r = write_at(file, fd, header, (struct journal_span){ 0, sizeof(header) })) < 0) {
                close(fd);
                unlink(file->path_new);
                return r;
        }
        *ret_fd = fd;
        return 0;
}

/* Preallocate one chunk after END; room already there counts. */
static int allocate(struct journal_file *file, int fd, uint64_t end, uint64_t *ret_allocated)
{
        uint64_t wanted = end + file->chunk < file->size_max ? end + file->chunk : file->size_max;
        int r;

        if (wanted <= end)
                return -ENOSPC;
        if ((r = -file->calls.posix_fallocate(fd, (off_t)end, (off_t)(wanted - end))) < 0)
                return r;
        *ret_allocated = wanted;
        return 0;
}

/* Sync NAME.new and put it in NAME's place. */
static int put_in_place(struct journal_file *file, int fd, bool *ret_fatal)
{
        int r;

        *ret_fatal = false;
        if (file->calls.fsync(fd) < 0 || file->calls.rename(file->path_new, file->path) < 0) {
                r = -errno;
                unlink(file->path_new);
                return r;
        }
        *ret_fatal = true;
        if ((r = file_sync_folder(file->path, file->calls.fsync)) < 0)
                return r;
        *ret_fatal = false;
        return 0;
}

static int create(struct journal_file *file)
{
        bool fatal;
        int r;

        if ((r = new_file(file, 0, &file->fd, &file->chain)) < 0)
                return r;
        if ((r = allocate(file, file->fd, ENTRY_HEADER_SIZE, &file->allocated)) < 0) {
                unlink(file->path_new);
                return r;
        }
        file->end = ENTRY_HEADER_SIZE;
        return put_in_place(file, file->fd, &fatal);
}

/* Give every entry to REPLAY. */
static int replay(struct journal_file *file, const struct journal_options *options, struct journal_report *report)
{
        struct journal_reader *reader = malloc(sizeof(*reader));
        struct entry entry;
        int r = reader == NULL ? -ENOMEM : journal_reader_open(reader, file->fd, file->owner);

        while (r >= 0 && (r = journal_reader_next(reader, UINT64_MAX, &entry)) == 1) {
                report->entries++;
                if (options->replay != NULL)
                        r = options->replay(options->user, &entry);
        }
        if (r == 0) {
                file->chain = reader->chain;
                file->end = reader->offset;
                report->last = file->chain.sequence;
        }
        free(reader);
        return r;
}

/* Keep the octets after the last whole entry for a person to look at.  Nothing depends on them: errors are passed
 * over. */
static void keep_torn(struct journal_file *file, uint64_t len)
{
        int fd = open(file->path_torn, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        for (uint64_t done = 0; fd >= 0 && done < len;) {
                ssize_t n = pread(file->fd, file->out, JOURNAL_WINDOW, (off_t)(file->end + done));

                if (n <= 0 || pwrite(fd, file->out, (size_t)n, (off_t)done) != n)
                        break;
                done += (uint64_t)n;
        }
        if (fd >= 0)
                close(fd);
}

/* Overwrite a torn tail with zeros.  Cutting the file would give away room that a full disk does not give back. */
static int cut_tail(struct journal_file *file, struct journal_report *report)
{
        int r = journal_tail(file->fd, file->end, &report->torn_octets);

        if (r < 0 || report->torn_octets == 0)
                return r;
        keep_torn(file, report->torn_octets);
        memset(file->out, 0, JOURNAL_WINDOW);
        for (uint64_t done = 0; r == 0 && done < report->torn_octets; done += JOURNAL_WINDOW) {
                uint64_t left = report->torn_octets - done;

                r = write_at(file, file->fd, file->out,
                             (struct journal_span){ file->end + done, left < JOURNAL_WINDOW ? left : JOURNAL_WINDOW });
        }
        return r;
}

/* What was replayed may be in the page cache alone: the process before died between write and fdatasync, or its fdatasync failed
 * and the kernel took the pages for clean, so that no other fdatasync would write them.  Writing the same octets to the same
 * place makes them dirty again, needs no room on a full disk, and can destroy nothing.  Only the last batch can be meant:
 * none is begun before the one before it is synced.  The folder too: the file's name may be that of a rename not yet synced. */
static int write_anew(struct journal_file *file)
{
        uint64_t at = file->end > JOURNAL_BUFFER_SIZE ? file->end - JOURNAL_BUFFER_SIZE : 0;
        int r = 0;

        while (r == 0 && at < file->end) {
                size_t len = file->end - at < JOURNAL_WINDOW ? (size_t)(file->end - at) : JOURNAL_WINDOW;
                ssize_t n = pread(file->fd, file->out, len, (off_t)at);

                if (n <= 0)
                        return n < 0 ? -errno : -EIO;
                r = write_at(file, file->fd, file->out, (struct journal_span){ at, (size_t)n });
                at += (uint64_t)n;
        }
        if (r == 0 && file->calls.fdatasync(file->fd) < 0)
                r = -errno;
        return r < 0 ? r : file_sync_folder(file->path, file->calls.fsync);
}

/* The room after the last entry: another chunk, or at least what the file has, made sure of (a copied file has
 * holes). */
static int claim_room(struct journal_file *file)
{
        struct stat st;
        off_t left;

        if (fstat(file->fd, &st) < 0)
                return -errno;
        file->allocated = file->end;
        left = st.st_size - (off_t)file->end;
        if (left > 0 && file->calls.posix_fallocate(file->fd, (off_t)file->end, left) == 0)
                file->allocated = (uint64_t)st.st_size;
        journal_file_extend(file); /* a full disk shows as JOURNAL_LOW */
        return 0;
}

int journal_file_open(struct journal_file *file, const struct journal_options *options, struct journal_report *report)
{
        int r;

        *report = (struct journal_report){ 0 };
        if ((r = set_options(file, options)) < 0 || (r = take_lock(file)) < 0)
                return r;
        if (unlink(file->path_new) < 0 && errno != ENOENT)
                return -errno;
        file->fd = open(file->path, O_RDWR | O_CLOEXEC);
        if (file->fd < 0)
                return errno == ENOENT ? create(file) : -errno;
        if ((r = replay(file, options, report)) < 0 || (r = cut_tail(file, report)) < 0 ||
            (r = write_anew(file)) < 0)
                return r;
        return claim_room(file);
}

void journal_file_close(struct journal_file *file)
{
        journal_file_rewrite_drop(file);
        if (file->fd >= 0)
                close(file->fd);
        if (file->lock_fd >= 0)
                close(file->lock_fd); /* and so unlock; the file stays, or two could hold locks on two files */
        free(file->path);
        free(file->path_new);
        free(file->path_torn);
        free(file->out);
}

size_t journal_batch_add(uint8_t *batch, uint64_t sequence, const void *payload, size_t len)
{
        uint32_t len32 = (uint32_t)len;

        memcpy(batch, &sequence, sizeof(sequence));
        memcpy(batch + 8, &len32, sizeof(len32));
        memcpy(batch + JOURNAL_BATCH_OVERHEAD, payload, len);
        return JOURNAL_BATCH_OVERHEAD + len;
}

static const uint8_t *batch_next(const uint8_t *batch, struct entry *ret_entry)
{
        uint32_t len;

        memcpy(&ret_entry->sequence, batch, sizeof(ret_entry->sequence));
        memcpy(&len, batch + 8, sizeof(len));
        ret_entry->payload = batch + JOURNAL_BATCH_OVERHEAD;
        ret_entry->payload_len = len;
        return ret_entry->payload + len;
}

/* Encode one entry under its own number into the out buffer. */
static int encode(struct journal_file *file, struct entry_chain *chain, const struct entry *entry, size_t *out_len)
{
        struct entry_out out = { file->out + *out_len, JOURNAL_WINDOW + ENTRY_MAX - *out_len };
        size_t len;
        int r;

        chain->sequence = entry->sequence - 1;
        if ((r = entry_encode(chain, entry->payload, entry->payload_len, out, &len)) == 0)
                *out_len += len;
        return r;
}

int journal_file_write(struct journal_file *file, const uint8_t *batch, size_t len)
{
        const uint8_t *end = batch + len;
        struct entry entry;
        size_t out_len;
        int r = 0;

        while (batch < end) {
                for (out_len = 0; batch < end && out_len < JOURNAL_WINDOW;) {
                        batch = batch_next(batch, &entry);
                        if ((r = encode(file, &file->chain, &entry, &out_len)) < 0)
                                return r;
                }
                if ((r = write_at(file, file->fd, file->out, (struct journal_span){ file->end, out_len })) < 0)
                        return r;
                file->end += out_len;
        }
        if (file->allocated < file->end) /* what was queued before a compaction to a smaller size_max */
                file->allocated = file->end;
        return file->calls.fdatasync(file->fd) < 0 ? -errno : 0;
}

int journal_file_extend(struct journal_file *file)
{
        if (file->allocated - file->end >= file->chunk / 2)
                return 0;
        if (file->allocated >= file->size_max)
                return -ENOSPC;
        return allocate(file, file->fd, file->end, &file->allocated);
}

int journal_file_rewrite(struct journal_file *file, const struct journal_compaction *compaction, uint64_t upto)
{
        struct journal_rewrite *rewrite = calloc(1, sizeof(*rewrite));
        int r;

        assert(file->rewrite == NULL);
        if (rewrite == NULL)
                return -ENOMEM;
        rewrite->compaction = *compaction;
        rewrite->upto = upto;
        rewrite->end = rewrite->synced = ENTRY_HEADER_SIZE;
        if ((r = journal_reader_open(&rewrite->reader, file->fd, file->owner)) < 0 ||
            (r = new_file(file, upto, &rewrite->fd, &rewrite->chain)) < 0) {
                free(rewrite);
                return r;
        }
        file->rewrite = rewrite;
        return 0;
}

/* Copy what is to be kept, until a window of it is full or the old file's end is reached. */
static int copy(struct journal_file *file, struct journal_rewrite *rewrite)
{
        struct entry entry;
        size_t out_len = 0, seen = 0;
        int r = 0;

        while (out_len < JOURNAL_WINDOW && seen < JOURNAL_WINDOW &&
               (r = journal_reader_next(&rewrite->reader, file->end, &entry)) == 1) {
                seen += entry.size;
                if (entry.sequence > rewrite->upto || rewrite->compaction.keep(rewrite->compaction.user, &entry))
                        r = encode(file, &rewrite->chain, &entry, &out_len);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        if (rewrite->end + out_len > file->size_max)
                return -ENOSPC;
        if ((r = write_at(file, rewrite->fd, file->out, (struct journal_span){ rewrite->end, out_len })) < 0)
                return r;
        rewrite->end += out_len;
        if (rewrite->end - rewrite->synced >= JOURNAL_REWRITE_SYNC) {
                if (file->calls.fdatasync(rewrite->fd) < 0)
                        return -errno;
                rewrite->synced = rewrite->end;
        }
        return rewrite->reader.offset < file->end ? 1 : 0;
}

/* All is copied: the new file takes the old one's place. */
static int finish(struct journal_file *file, struct journal_rewrite *rewrite, bool *ret_fatal)
{
        uint64_t allocated;
        int r;

        if ((r = allocate(file, rewrite->fd, rewrite->end, &allocated)) < 0 ||
            (r = put_in_place(file, rewrite->fd, ret_fatal)) < 0)
                return r;
        close(file->fd);
        file->fd = rewrite->fd;
        file->chain = rewrite->chain;
        file->end = rewrite->end;
        file->allocated = allocated;
        free(rewrite);
        file->rewrite = NULL;
        return 0;
}

int journal_file_rewrite_step(struct journal_file *file, bool *ret_fatal)
{
        int r = copy(file, file->rewrite);

        *ret_fatal = false;
        if (r == 0)
                r = finish(file, file->rewrite, ret_fatal);
        if (r < 0)
                journal_file_rewrite_drop(file);
        return r;
}

void journal_file_rewrite_drop(struct journal_file *file)
{
        if (file->rewrite == NULL)
                return;
        close(file->rewrite->fd);
        unlink(file->path_new);
        free(file->rewrite);
        file->rewrite = NULL;
}
