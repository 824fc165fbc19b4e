/* Erasing: files written again without the parts that an erasure names. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "ops/vigie/archive_folder_inside.h"
#include "ops/vigie/say.h"

struct rewriting {
        struct archive_folder *f;
        uint8_t *to;
        size_t len;
        uint64_t parts;
};

static int on_header(void *user, const struct archive_file *file, const struct archive_header *header,
                     const uint8_t link[ARCHIVE_LINK_SIZE])
{
        struct rewriting *w = user;
        uint8_t unused[ARCHIVE_LINK_SIZE];
        int len = archive_header_write(header, w->to, unused);

        w->len = len > 0 ? (size_t)len : 0;
        return len < 0 ? len : 0;
}

static int on_entry(void *user, const struct archive_entry *entry)
{
        struct rewriting *w = user;
        uint8_t due = archive_audit_due(w->f->audit, entry);
        int len;

        if (w->len + ARCHIVE_ENTRY_MAX > ARCHIVE_FILE_MAX)
                return -EFBIG;
        len = archive_entry_erase(entry, due, w->to + w->len);
        if (len < 0)
                return len;
        w->len += (size_t)len;
        for (; due != 0; due &= (uint8_t)(due - 1))
                w->parts++;
        return 0;
}

/* Another's file: it was verified a moment ago, and the lock is ours. */
static int on_torn(void *user, const struct archive_file *file, size_t at, size_t size)
{
        return -EBADMSG;
}

/* file_write() with a name that a crash may leave and the next start takes away. */
static int replace(const char *path, const uint8_t *data, size_t len)
{
        char new[REGION_PATH_MAX + 8];
        int fd, r;

        snprintf(new, sizeof(new), "%s.new", path);
        fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return -errno;
        r = folder_write(fd, data, len);
        if (r == 0 && fsync(fd) < 0)
                r = -errno;
        if (close(fd) < 0 && r == 0)
                r = -errno;
        if (r == 0 && rename(new, path) < 0)
                r = -errno;
        if (r < 0)
                unlink(new);
        return r < 0 ? r : file_sync_folder(path, fsync);
}

static int rewrite_file(struct rewriting *w, const struct archive_file *file)
{
        struct archive_visitor visitor = { .header = on_header, .entry = on_entry, .torn = on_torn, .user = w };
        uint64_t before = w->parts;
        char path[REGION_PATH_MAX], new[REGION_PATH_MAX + 8];
        int r = archive_path(w->f->options.dir, file->name, path);

        snprintf(new, sizeof(new), "%s.new", path);
        if (r < 0 || (unlink(new) < 0 && errno != ENOENT))
                return r < 0 ? r : -errno;
        w->len = 0;
        if ((r = archive_walk(w->f->options.dir, file, &visitor)) < 0 || w->parts == before)
                return r;
        if ((r = replace(path, w->to, w->len)) == 0 && file->number == w->f->file)
                w->f->size = (off_t)w->len;
        return r;
}

int archive_folder_rewrite(struct archive_folder *f, uint64_t *ret_parts)
{
        struct rewriting w = { .f = f, .to = malloc(ARCHIVE_FILE_MAX) };
        struct archive_list list = { 0 };
        int r = w.to != NULL ? archive_list(f->options.dir, &list) : -ENOMEM;

        for (size_t i = 0; r == 0 && i < list.count; i++)
                if ((r = rewrite_file(&w, &list.files[i])) < 0)
                        say_wrong("archive: %s/%s: %s: not erased; run it again", f->options.dir, list.files[i].name,
                                  strerror(-r));
        free(list.files);
        free(w.to);
        *ret_parts = w.parts;
        return r;
}
