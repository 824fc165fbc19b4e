/* A disk with faults, put before a process by LD_PRELOAD: there is no device-mapper where tests run.  The file that $VIGIE_DISK names says
 * what the disk does now, by its first letter; no file: it is well.
 *
 *      f   full: what would take more room fails with ENOSPC, preallocated or not: a thin volume promises room that it has not
 *      s   sync fails: fsync and fdatasync give EIO
 *      h   slow ("hang"): each sync takes 300 ms
 *
 * Regular files only, and not standard output and error. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define SLOW_US 300000

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static char now(int fd)
{
        const char *path = getenv("VIGIE_DISK");
        int saved = errno, control;
        char letter = 0;
        struct stat st;

        if (path == NULL || fd == STDOUT_FILENO || fd == STDERR_FILENO)
                return 0;
        control = open(path, O_RDONLY | O_CLOEXEC);
        if (control >= 0) {
                if (read(control, &letter, 1) != 1 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
                        letter = 0;
                close(control);
        }
        errno = saved;
        return letter;
}

/* Would LEN octets at OFFSET (-1: at the end, or where the file stands) take more room than the file has? */
static int grows(int fd, off_t offset, size_t len)
{
        struct stat st;

        if (fstat(fd, &st) < 0)
                return 0;
        if (offset < 0)
                return (fcntl(fd, F_GETFL) & O_APPEND ? st.st_size : lseek(fd, 0, SEEK_CUR)) + (off_t)len > st.st_size;
        return offset + (off_t)len > st.st_size || lseek(fd, offset, SEEK_HOLE) < offset + (off_t)len;
}

static int refused(int fd, off_t offset, size_t len)
{
        if (now(fd) != 'f' || !grows(fd, offset, len))
                return 0;
        errno = ENOSPC;
        return 1;
}

ssize_t write(int fd, const void *data, size_t len)
{
        return refused(fd, -1, len) ? -1 : REAL(write)(fd, data, len);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
        size_t len = 0;

        for (int i = 0; i < count; i++)
                len += parts[i].iov_len;
        return refused(fd, -1, len) ? -1 : REAL(writev)(fd, parts, count);
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t offset)
{
        return refused(fd, offset, len) ? -1 : REAL(pwrite)(fd, data, len, offset);
}

int posix_fallocate(int fd, off_t offset, off_t len)
{
        struct stat st;

        if (now(fd) == 'f')
                return ENOSPC;
        if (getenv("VIGIE_DISK") == NULL || fstat(fd, &st) < 0)
                return REAL(posix_fallocate)(fd, offset, len);
        return st.st_size >= offset + len || ftruncate(fd, offset + len) == 0 ? 0 : errno;
}

/* What the programs call that are built with _FILE_OFFSET_BITS=64: the same, where a file offset has 64 bits anyway. */
ssize_t pwrite64(int fd, const void *data, size_t len, off_t offset) __attribute__((alias("pwrite")));
int posix_fallocate64(int fd, off_t offset, off_t len) __attribute__((alias("posix_fallocate")));

static int synced(int fd, int (*sync)(int fd))
{
        char disk = now(fd);

        if (disk == 's') {
                errno = EIO;
                return -1;
        }
        if (disk == 'h')
                usleep(SLOW_US);
        return sync(fd);
}

int fsync(int fd)
{
        return synced(fd, REAL(fsync));
}

int fdatasync(int fd)
{
        return synced(fd, REAL(fdatasync));
}
