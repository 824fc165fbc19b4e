#include "ops/vigie/archive_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "ops/vigie/say.h"

void archive_name(const struct archive_header *header, char to[32])
{
        time_t at = (time_t)(header->at_ms / 1000);
        struct tm utc;
        char day[16];

        strftime(day, sizeof(day), "%Y%m%d", gmtime_r(&at, &utc));
        snprintf(to, 32, "%06u-%s" ARCHIVE_FILE_END, header->file, day);
}

int archive_path(const char *dir, const char *name, char *to)
{
        return snprintf(to, REGION_PATH_MAX, "%s/%s", dir, name) < REGION_PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* The number in a name of ours; 0: none. */
static uint32_t number_of(const char *name)
{
        unsigned number, day;
        char end[16], again[64];

        if (sscanf(name, "%u-%8u%15s", &number, &day, end) != 3 || strcmp(end, ARCHIVE_FILE_END) != 0)
                return 0;
        snprintf(again, sizeof(again), "%06u-%08u" ARCHIVE_FILE_END, number, day);
        return strcmp(name, again) == 0 && strlen(name) < sizeof(((struct archive_file *)0)->name) ? number : 0;
}

static bool begins(const char *name, const char *with)
{
        return strncmp(name, with, strlen(with)) == 0;
}

/* A file that was being written: file_write()'s, or an erasure's. */
static bool is_half(const char *name)
{
        size_t len = strlen(name), end = strlen(ARCHIVE_FILE_END ".new");

        return begins(name, ARCHIVE_HEAD ".tmp.") || begins(name, ARCHIVE_PUBLIC ".tmp.") ||
               (len > end && strcmp(name + len - end, ARCHIVE_FILE_END ".new") == 0);
}

static bool is_ours(const char *name)
{
        static const char *const names[] = { ".", "..", ARCHIVE_HEAD, ARCHIVE_PUBLIC, "tail.lock", "write.lock" };

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                if (strcmp(name, names[i]) == 0)
                        return true;
        return is_half(name);
}

int archive_sweep(const char *dir)
{
        DIR *d = opendir(dir);
        struct dirent *found;
        int r = 0;

        if (d == NULL)
                return -errno;
        while (r == 0 && (found = readdir(d)) != NULL)
                if (is_half(found->d_name) && unlinkat(dirfd(d), found->d_name, 0) < 0 && errno != ENOENT)
                        r = -errno;
        closedir(d);
        return r;
}

static int by_number(const void *a, const void *b)
{
        const struct archive_file *x = a, *y = b;

        return x->number != y->number ? (x->number < y->number ? -1 : 1) : strcmp(x->name, y->name);
}

static int list_add(struct archive_list *list, size_t *room, uint32_t number, const char *name)
{
        struct archive_file *more;

        if (list->count == *room) {
                *room = *room == 0 ? 64 : 2 * *room;
                more = realloc(list->files, *room * sizeof(*more));
                if (more == NULL)
                        return -ENOMEM;
                list->files = more;
        }
        list->files[list->count].number = number;
        list->files[list->count].until = 0;
        snprintf(list->files[list->count++].name, sizeof(list->files[0].name), "%.31s", name);
        return 0;
}

int archive_list(const char *dir, struct archive_list *ret_list)
{
        DIR *d = opendir(dir);
        struct dirent *found;
        size_t room = 0;
        int r = 0;

        memset(ret_list, 0, sizeof(*ret_list));
        if (d == NULL)
                return -errno;
        while (r == 0 && (found = readdir(d)) != NULL) {
                uint32_t number = number_of(found->d_name);

                if (number > 0)
                        r = list_add(ret_list, &room, number, found->d_name);
                else if (!is_ours(found->d_name) && ret_list->odd[0] == 0)
                        snprintf(ret_list->odd, sizeof(ret_list->odd), "%.63s", found->d_name);
        }
        closedir(d);
        if (r < 0) {
                free(ret_list->files);
                memset(ret_list, 0, sizeof(*ret_list));
        }
        if (ret_list->count > 0)
                qsort(ret_list->files, ret_list->count, sizeof(ret_list->files[0]), by_number);
        return r;
}

static int tell_torn(const struct archive_visitor *v, const struct archive_file *file, size_t at, size_t size)
{
        return v->torn != NULL ? v->torn(v->user, file, at, size) : 0;
}

int archive_walk(const char *dir, const struct archive_file *file, const struct archive_visitor *v)
{
        char path[REGION_PATH_MAX], *data = NULL;
        uint8_t link[ARCHIVE_LINK_SIZE];
        struct archive_header header;
        struct archive_entry entry;
        size_t size, at = 0;
        int r = archive_path(dir, file->name, path);

        if (r < 0)
                return r;
        if ((r = file_read(path, ARCHIVE_FILE_MAX, &data, &size)) < 0) {
                say_wrong("%s: %s", path, strerror(-r));
                return r;
        }
        if (file->until > 0 && size > (size_t)file->until)
                size = (size_t)file->until;
        r = archive_header_read((struct cbor_span){ (const uint8_t *)data, size }, &header, link);
        if (r > 0) {
                at = (size_t)r;
                r = v->header != NULL ? v->header(v->user, file, &header, link) : 0;
        } else {
                r = tell_torn(v, file, 0, size);
                at = size;
        }
        while (r == 0 && at < size) {
                struct cbor_span rest = { (const uint8_t *)data + at, size - at };

                if (archive_entry_read(rest, &entry) < 0) {
                        r = tell_torn(v, file, at, size);
                        break;
                }
                r = v->entry != NULL ? v->entry(v->user, &entry) : 0;
                at += entry.size;
        }
        free(data);
        return r;
}

int archive_walk_all(const char *dir, const struct archive_list *list, const struct archive_visitor *visitor)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < list->count; i++)
                r = archive_walk(dir, &list->files[i], visitor);
        return r;
}

int archive_read_head(const char *dir, const struct key *key, struct archive_checkpoint *ret_head)
{
        char path[REGION_PATH_MAX], *data = NULL;
        size_t len;
        int r = archive_path(dir, ARCHIVE_HEAD, path);

        if (r < 0 || (r = file_read(path, COSE_MAX, &data, &len)) < 0)
                return r;
        r = archive_checkpoint_open((struct cbor_span){ (const uint8_t *)data, len }, key, ret_head);
        free(data);
        return r;
}
