/* Whole small files: reading one into memory, replacing one so that a crash leaves the old or the new. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stddef.h>
#include <sys/types.h>

/* file_read: read a regular file (or pipe) whole.
 *   max       largest size in octets; a larger one is -EFBIG, never cut
 *   ret_data  malloc'ed with a NUL after the last octet; the caller frees it
 * Returns 0, -EFBIG, -ENOMEM, or open's or read's errno. */
int file_read(const char *path, size_t max, char **ret_data, size_t *ret_len);

/* file_write: replace (or create) a file: PATH.tmp.PID, write, fsync, rename, fsync of the folder.
 *   mode  permissions of the new file, whatever the umask: 0600 for secrets
 * Returns 0 or a negative errno; then the old file is as it was (after a failed last fsync: the old or the new). */
int file_write(const char *path, const void *data, size_t len, mode_t mode);

/* file_sync_folder: make a rename or creation of PATH durable: fsync the folder that it lies in.
 *   sync  fsync, or what a test puts in its place
 * Returns 0 or a negative errno. */
int file_sync_folder(const char *path, int (*sync)(int fd));

#endif
