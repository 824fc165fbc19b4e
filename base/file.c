#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_all(int fd, char *data, size_t max, size_t *ret_len)
{
        size_t len = 0;

        while (len <= max) {
                ssize_t n = read(fd, data + len, max + 1 - len);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0) {
                        data[len] = '\0';
                        *ret_len = len;
                        return 0;
                }
                len += (size_t)n;
        }
        return -EFBIG;
}

static int read_into(int fd, size_t room, char **ret_data, size_t *ret_len)
{
        char *data = malloc(room + 1);
        int r = data == NULL ? -ENOMEM : read_all(fd, data, room, ret_len);

        if (r == 0)
                *ret_data = data;
        else
                free(data);
        return r;
}

int file_read(const char *path, size_t max, char **ret_data, size_t *ret_len)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC), r = 0;
        struct stat st;
        size_t room = max;

        if (fd < 0)
                return -errno;
        if (fstat(fd, &st) < 0)
                r = -errno;
        else if (S_ISREG(st.st_mode) && (uint64_t)st.st_size > max)
                r = -EFBIG;
        else if (S_ISREG(st.st_mode) && st.st_size > 0) /* /proc says 0 */
                room = (size_t)st.st_size;              /* what it holds now, not all that it might */
        if (r == 0)
                r = read_into(fd, room, ret_data, ret_len);
        if (r == -EFBIG && room < max) /* it grew meanwhile */
                r = lseek(fd, 0, SEEK_SET) < 0 ? -errno : read_into(fd, max, ret_data, ret_len);
        close(fd);
        return r;
}

static int write_all(int fd, const char *data, size_t len)
{
        while (len > 0) {
                ssize_t n = write(fd, data, len);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                data += n;
                len -= (size_t)n;
        }
        return 0;
}

int file_sync_folder(const char *path, int (*sync)(int fd))
{
        char folder[PATH_MAX];
        const char *slash = strrchr(path, '/');
        size_t len = slash == NULL ? 0 : (size_t)(slash - path);
        int fd, r = 0;

        if (len >= sizeof(folder))
                return -ENAMETOOLONG;
        memcpy(folder, path, len);
        folder[len] = '\0';
        fd = open(slash == NULL ? "." : len == 0 ? "/" : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        if (sync(fd) < 0)
                r = -errno;
        close(fd);
        return r;
}

int file_write(const char *path, const void *data, size_t len, mode_t mode)
{
        char temporary[PATH_MAX];
        int size = snprintf(temporary, sizeof(temporary), "%s.tmp.%ld", path, (long)getpid());
        int fd, r;

        if (size < 0 || (size_t)size >= sizeof(temporary))
                return -ENAMETOOLONG;
        fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return -errno;
        r = write_all(fd, data, len);
        if (r == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0))
                r = -errno;
        if (close(fd) < 0 && r == 0)
                r = -errno;
        if (r == 0 && rename(temporary, path) < 0)
                r = -errno;
        if (r < 0) {
                unlink(temporary);
                return r;
        }
        return file_sync_folder(path, fsync);
}
