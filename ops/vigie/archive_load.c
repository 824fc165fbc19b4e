/* Opening an archive to write it: everything verified, and what a crash left mended. */
#include <errno.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "ops/vigie/archive_folder_inside.h"
#include "ops/vigie/say.h"

struct loading {
        struct archive_folder *f;
        const struct archive_list *list;
        bool has_head, head_good; /* the entry that it names was met, with its link */
        uint64_t unsigned_count;  /* entries behind the head */
        uint32_t unsigned_seen;
        bool is_torn;
        size_t torn; /* octets behind what is whole in the last file; 0: it is empty */
};

static int on_erasure(void *user, const struct archive_entry *entry)
{
        const struct loading *l = user;

        return archive_audit_erasure(l->f->audit, entry);
}

static int on_header(void *user, const struct archive_file *file, const struct archive_header *header,
                     const uint8_t link[ARCHIVE_LINK_SIZE])
{
        struct loading *l = user;
        struct archive_folder *f = l->f;
        uint8_t again[ARCHIVE_HEADER_MAX], unused[ARCHIVE_LINK_SIZE];
        char name[32];

        archive_name(header, name);
        if (strcmp(name, file->name) != 0) {
                say_wrong("archive: %s/%s: by its header this is %s", f->options.dir, file->name, name);
                return -EBADMSG;
        }
        memcpy(f->id, header->id, sizeof(f->id));
        f->file = header->file;
        f->day = header->at_ms / 86400000;
        strcpy(f->file_name, name);
        f->size = archive_header_write(header, again, unused);
        return archive_audit_header(f->audit, header, link);
}

static int on_entry(void *user, const struct archive_entry *entry)
{
        struct loading *l = user;
        struct archive_folder *f = l->f;

        f->size += (off_t)entry->size;
        if (entry->meta.number == f->head.number)
                l->head_good = memcmp(entry->link, f->head.link, ARCHIVE_LINK_SIZE) == 0;
        if (entry->meta.number > f->head.number) {
                l->unsigned_count++;
                l->unsigned_seen += f->options.seen != NULL && f->options.seen(f->options.user, &entry->meta);
        }
        folder_recent_note(f, &entry->meta, entry->parts);
        return archive_audit_entry(f->audit, entry);
}

/* Only behind the last file's end, and only what nobody was told of: a crash left it. */
static int on_torn(void *user, const struct archive_file *file, size_t at, size_t size)
{
        struct loading *l = user;
        bool is_last = file == &l->list->files[l->list->count - 1];

        if (is_last && archive_audit_number(l->f->audit) >= l->f->head.number) {
                l->is_torn = true;
                l->torn = size - at;
                return 0;
        }
        say_wrong("archive: %s/%s: cannot be read from octet %zu", l->f->options.dir, file->name, at);
        return -EBADMSG;
}

/* ---- mending */

static int cut_torn(struct loading *l)
{
        const struct archive_file *last = &l->list->files[l->list->count - 1];
        struct archive_folder *f = l->f;
        char path[REGION_PATH_MAX];
        int r = archive_path(f->options.dir, last->name, path);

        if (r < 0)
                return r;
        if (last->number == f->file)
                r = truncate(path, f->size) < 0 ? -errno : 0;
        else
                r = unlink(path) < 0 ? -errno : 0;
        if (r == 0)
                r = file_sync_folder(path, fsync);
        say_wrong("archive: %s: %zu octets of an entry that a crash cut short were cut off", path, l->torn);
        return r;
}

/* Nothing that was signed is missing, and nothing that stands there is wrong. */
static int judge(struct loading *l)
{
        const struct archive_folder *f = l->f;
        uint64_t number = archive_audit_number(f->audit);

        if (archive_audit_wrong(f->audit) > 0) {
                say_wrong("archive: %s: altered: not written to; `vigie verify-audit` says all of it", f->options.dir);
                return -EBADMSG;
        }
        if (!l->has_head && l->list->count > 0) {
                say_wrong("archive: %s: %s is missing: not written to", f->options.dir, ARCHIVE_HEAD);
                return -EBADMSG;
        }
        if (f->head.number > number || (f->head.number > 0 && !l->head_good)) {
                say_wrong("archive: %s: %s names entry %llu with another end; %llu entries are here: cut off or "
                          "altered; not "
                          "written to",
                          f->options.dir, ARCHIVE_HEAD, (unsigned long long)f->head.number, (unsigned long long)number);
                return -EBADMSG;
        }
        if (l->has_head && f->file > 0 && memcmp(f->head.id, f->id, ARCHIVE_ID_SIZE) != 0) {
                say_wrong("archive: %s: %s is of another archive: not written to", f->options.dir, ARCHIVE_HEAD);
                return -EBADMSG;
        }
        return 0;
}

/* What was written and not signed before a crash is kept, and signed as that. */
static int adopt(struct loading *l)
{
        struct archive_meta meta = { .kind = ARCHIVE_RECOVERED,
                                     .count = l->unsigned_count,
                                     .version = l->unsigned_seen };
        int r;

        if (l->unsigned_count == 0)
                return 0;
        say_wrong("archive: %s: %llu entries stayed unsigned at a crash: kept, and said so", l->f->options.dir,
                  (unsigned long long)l->unsigned_count);
        r = archive_folder_append(l->f, &meta, NULL);
        return r < 0 ? r : archive_folder_commit(l->f);
}

/* ---- a new one */

static int put_public(const struct archive_folder *f)
{
        char path[REGION_PATH_MAX], pem[KEY_PEM_MAX];
        int r = archive_path(f->options.dir, ARCHIVE_PUBLIC, path);

        if (r < 0 || (r = key_to_pem(f->options.key, false, pem, sizeof(pem))) < 0)
                return r;
        return file_write(path, pem, strlen(pem), 0644);
}

static int begin(struct archive_folder *f)
{
        int r = RAND_bytes(f->id, sizeof(f->id)) == 1 ? put_public(f) : -EIO;

        memcpy(f->head.id, f->id, sizeof(f->id));
        return r < 0 ? r : folder_sign(f);
}

/* The newest checkpoint; none is fine in a folder without entries. */
static int load_head(struct loading *l)
{
        struct archive_folder *f = l->f;
        char path[REGION_PATH_MAX], region[TRUST_REGION_MAX + 1], *data = NULL;
        size_t len;
        int r = archive_path(f->options.dir, ARCHIVE_HEAD, path);

        strcpy(region, f->head.region);
        if (r < 0 || (r = file_read(path, sizeof(f->head_octets), &data, &len)) == -ENOENT)
                return r == -ENOENT ? 0 : r;
        if (r == 0)
                r = archive_checkpoint_open((struct cbor_span){ (const uint8_t *)data, len }, f->options.key, &f->head);
        if (r == 0 && strcmp(region, f->head.region) != 0)
                r = -EXDEV;
        if (r == 0) {
                memcpy(f->head_octets, data, len);
                f->head_len = len;
                l->has_head = true;
                memcpy(f->id, f->head.id, sizeof(f->id));
        } else {
                say_wrong("archive: %s: %s", path,
                          r == -EKEYREJECTED ? "another key signed it, or it was altered"
                          : r == -EXDEV      ? "of another region"
                                             : strerror(-r));
        }
        free(data);
        return r == 0 ? 0 : -EBADMSG;
}

int folder_load(struct archive_folder *f)
{
        struct archive_list list;
        struct loading l = { .f = f, .list = &list };
        struct archive_visitor first = { .entry = on_erasure, .user = &l };
        struct archive_visitor second = { .header = on_header, .entry = on_entry, .torn = on_torn, .user = &l };
        int r = archive_sweep(f->options.dir);

        if (r < 0)
                say_wrong("archive: %s: what a kill left there stays: %s", f->options.dir, strerror(-r));
        if ((r = archive_list(f->options.dir, &list)) < 0)
                return r;
        if ((r = load_head(&l)) == 0 && (r = archive_walk_all(f->options.dir, &list, &first)) == 0 &&
            (r = archive_walk_all(f->options.dir, &list, &second)) == 0 && (r = judge(&l)) == 0) {
                if (l.is_torn)
                        r = cut_torn(&l);
                if (r == 0)
                        r = l.has_head ? adopt(&l) : begin(f);
        }
        free(list.files);
        return r;
}
