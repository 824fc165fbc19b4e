/* The pages' files, read whole at the start and served from memory by their exact path: no request ever opens one. */
#ifndef CONSOLE_FILES_H
#define CONSOLE_FILES_H

#include <stddef.h>

/* Files of the pages, octets of the largest (the caretaker's page has a decoder of 950 KB), folders below each other.  More is an error at the
 * start. */
#define FILES_MAX       128
#define FILES_ONE_MAX   (1024 * 1024)
#define FILES_DEPTH_MAX 4
#define FILES_PATH_MAX  128

struct file {
        char path[FILES_PATH_MAX]; /* "/text/fr.json" */
        const char *type;          /* "text/html; charset=utf-8" */
        char etag[20];             /* with its quotes */
        char *data;
        size_t len;
};

struct files;

/* files_load: read every file below FOLDER with a suffix we know (html js css json svg png txt wasm); others, and names that
 * begin with a dot, are left out.
 * Returns 0, -ENOENT (no /index.html in it), -EFBIG, -ENAMETOOLONG, -ENOMEM or what reading gave. */
int files_load(const char *folder, struct files **ret_files);
void files_free(struct files *files);

/* files_find: the file at PATH, byte for byte; "/" is /index.html, "/caretaker/" its.  NULL if there is none. */
const struct file *files_find(const struct files *files, const char *path);

/* files_type: the content type of a file's name by its suffix, or NULL. */
const char *files_type(const char *name);

/* files_etag: a quoted tag of DATA: 64 bits of its SHA-256.  Returns 0 or -ENOMEM (libcrypto). */
int files_etag(const char *data, size_t len, char etag[20]);

#endif
