#include "console/files.h"

#include <dirent.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/hex.h"

struct files {
        size_t count;
        struct file file[FILES_MAX];
};

const char *files_type(const char *name)
{
        static const struct {
                const char *suffix, *type;
        } types[] = {
                { ".html", "text/html; charset=utf-8" },
                { ".js", "text/javascript; charset=utf-8" },
                { ".css", "text/css; charset=utf-8" },
                { ".json", "application/json" },
                { ".svg", "image/svg+xml" },
                { ".png", "image/png" },
                { ".txt", "text/plain; charset=utf-8" },
                { ".wasm", "application/wasm" },
        };
        const char *dot = strrchr(name, '.');

        for (size_t i = 0; dot != NULL && i < sizeof(types) / sizeof(types[0]); i++)
                if (strcmp(dot, types[i].suffix) == 0)
                        return types[i].type;
        return NULL;
}

int files_etag(const char *data, size_t len, char etag[20])
{
        uint8_t hash[EVP_MAX_MD_SIZE];
        char hex[17];

        if (EVP_Digest(data, len, hash, NULL, EVP_sha256(), NULL) != 1)
                return -ENOMEM;
        hex_encode(hash, 8, hex);
        snprintf(etag, 20, "\"%s\"", hex);
        return 0;
}

static int load_file(struct files *files, const char *full, const char *path)
{
        struct file *file = &files->file[files->count];
        int r;

        if (files->count == FILES_MAX)
                return -EFBIG;
        if (strlen(path) >= sizeof(file->path))
                return -ENAMETOOLONG;
        strcpy(file->path, path);
        file->type = files_type(path);
        if ((r = file_read(full, FILES_ONE_MAX, &file->data, &file->len)) < 0)
                return r;
        files->count++;
        return files_etag(file->data, file->len, file->etag);
}

static int load_folder(struct files *files, const char *root, const char *path, unsigned depth)
{
        char full[4096], below[FILES_PATH_MAX + 256];
        struct dirent *entry;
        struct stat st;
        DIR *dir;
        int r = 0;

        snprintf(full, sizeof(full), "%s%s", root, path);
        if ((dir = opendir(full)) == NULL)
                return -errno;
        while (r == 0 && (entry = readdir(dir)) != NULL) {
                if (entry->d_name[0] == '.')
                        continue;
                snprintf(below, sizeof(below), "%s/%s", path, entry->d_name);
                if (snprintf(full, sizeof(full), "%s%s", root, below) >= (int)sizeof(full))
                        r = -ENAMETOOLONG;
                else if (stat(full, &st) < 0)
                        r = -errno;
                else if (S_ISDIR(st.st_mode))
                        r = depth < FILES_DEPTH_MAX ? load_folder(files, root, below, depth + 1) : -ELOOP;
                else if (S_ISREG(st.st_mode) && files_type(below) != NULL)
                        r = load_file(files, full, below);
        }
        closedir(dir);
        return r;
}

static int by_path(const void *a, const void *b)
{
        return strcmp(((const struct file *)a)->path, ((const struct file *)b)->path);
}

int files_load(const char *folder, struct files **ret_files)
{
        struct files *files = calloc(1, sizeof(*files));
        int r;

        if (files == NULL)
                return -ENOMEM;
        r = load_folder(files, folder, "", 1);
        qsort(files->file, files->count, sizeof(files->file[0]), by_path);
        if (r == 0 && files_find(files, "/") == NULL)
                r = -ENOENT;
        if (r < 0) {
                files_free(files);
                return r;
        }
        *ret_files = files;
        return 0;
}

void files_free(struct files *files)
{
        if (files == NULL)
                return;
        for (size_t i = 0; i < files->count; i++)
                free(files->file[i].data);
        free(files);
}

const struct file *files_find(const struct files *files, const char *path)
{
        struct file key;

        if (strcmp(path, "/") == 0)
                path = "/index.html";
        if (strcmp(path, "/caretaker/") == 0)
                path = "/caretaker/index.html";
        if (strlen(path) >= sizeof(key.path))
                return NULL;
        strcpy(key.path, path);
        return bsearch(&key, files->file, files->count, sizeof(files->file[0]), by_path);
}
