/* A folder of its own for a test, and what the tests of files share. */
#ifndef TESTS_BASE_FOLDER_H
#define TESTS_BASE_FOLDER_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FOLDER_PATH 64

struct folder {
        char path[FOLDER_PATH];
};

/* Make a fresh folder below $TMPDIR (/tmp), of which ops/in-tmp says what stayed there. */
static inline void folder_fresh(char path[FOLDER_PATH])
{
        const char *tmp = getenv("TMPDIR");

        snprintf(path, FOLDER_PATH, "%.40s/vigie-test-XXXXXX", tmp != NULL ? tmp : "/tmp");
        if (mkdtemp(path) == NULL)
                abort();
}

static inline void folder_make(struct folder *folder)
{
        folder_fresh(folder->path);
}

/* The name of a file in it; the text lives as long as OUT. */
static inline const char *folder_file(const struct folder *folder, const char *name, char out[128])
{
        snprintf(out, 128, "%s/%s", folder->path, name);
        return out;
}

static inline int folder_count(const struct folder *folder)
{
        DIR *dir = opendir(folder->path);
        struct dirent *entry;
        int count = 0;

        while ((entry = readdir(dir)) != NULL)
                if (entry->d_name[0] != '.')
                        count++;
        closedir(dir);
        return count;
}

static inline void folder_remove(const struct folder *folder)
{
        DIR *dir = opendir(folder->path);
        struct dirent *entry;
        char path[512];

        while (dir != NULL && (entry = readdir(dir)) != NULL) {
                snprintf(path, sizeof(path), "%s/%s", folder->path, entry->d_name);
                if (entry->d_name[0] != '.')
                        unlink(path);
        }
        if (dir != NULL)
                closedir(dir);
        rmdir(folder->path);
}

#endif
