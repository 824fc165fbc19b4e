#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/base/folder.h"

#define GROWS_TO 100000

static void replaces_and_reads_back(void **state)
{
        struct folder folder;
        char path[128], *data;
        struct stat st;
        mode_t before = umask(077);
        size_t len;

        folder_make(&folder);
        folder_file(&folder, "f", path);
        assert_int_equal(file_write(path, "one", 3, 0644), 0);
        assert_int_equal(file_write(path, "a\0b\n", 4, 0640), 0);
        umask(before);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0640);
        assert_int_equal(file_read(path, 4, &data, &len), 0);
        assert_int_equal(len, 4);
        assert_memory_equal(data, "a\0b\n", 5);
        free(data);
        assert_int_equal(file_read(path, 3, &data, &len), -EFBIG);
        assert_int_equal(folder_count(&folder), 1);
        folder_remove(&folder);
}

static void an_empty_file_is_one(void **state)
{
        struct folder folder;
        char path[128], *data;
        size_t len = 9;

        folder_make(&folder);
        assert_int_equal(file_write(folder_file(&folder, "f", path), "", 0, 0600), 0);
        assert_int_equal(file_read(path, 0, &data, &len), 0);
        assert_int_equal(len, 0);
        assert_string_equal(data, "");
        free(data);
        folder_remove(&folder);
}

static void errors_come_back(void **state)
{
        struct folder folder;
        char path[128], *data;
        size_t len;

        folder_make(&folder);
        assert_int_equal(file_read(folder_file(&folder, "none", path), 10, &data, &len), -ENOENT);
        assert_int_equal(file_read(folder.path, 10, &data, &len), -EISDIR);
        assert_int_equal(file_write(folder_file(&folder, "no/f", path), "x", 1, 0600), -ENOENT);
        assert_int_equal(mkdir(folder_file(&folder, "d", path), 0700), 0);
        assert_int_equal(file_write(path, "x", 1, 0600), -EISDIR); /* rename over a folder; nothing is left behind */
        assert_int_equal(folder_count(&folder), 1);
        rmdir(path);
        folder_remove(&folder);
}

/* A file that is written on while it is read is not "larger than max": what it holds by then is read. */
static void a_file_that_grows(void **state)
{
        struct folder folder;
        char path[128], *data;
        size_t len = 0;
        pid_t writer;
        int fd, r, ended;

        folder_make(&folder);
        assert_int_equal(file_write(folder_file(&folder, "f", path), "x", 1, 0600), 0);
        fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
        assert_true(fd >= 0);
        writer = fork();
        assert_true(writer >= 0);
        if (writer == 0) {
                for (int i = 1; i < GROWS_TO; i++)
                        if (write(fd, "x", 1) != 1)
                                _exit(1);
                _exit(0);
        }
        close(fd);
        while (len < GROWS_TO && (r = file_read(path, GROWS_TO, &data, &len)) == 0)
                free(data);
        assert_int_equal(r, 0);
        assert_int_equal(waitpid(writer, &ended, 0), writer);
        assert_int_equal(ended, 0);
        folder_remove(&folder);
}

static void reads_a_pipe_and_proc(void **state)
{
        char path[64], *data;
        int ends[2];
        size_t len;

        assert_int_equal(pipe(ends), 0);
        assert_int_equal(write(ends[1], "hello", 5), 5);
        close(ends[1]);
        snprintf(path, sizeof(path), "/dev/fd/%d", ends[0]);
        assert_int_equal(file_read(path, 100, &data, &len), 0);
        assert_string_equal(data, "hello");
        free(data);
        close(ends[0]);
        assert_int_equal(file_read("/proc/self/status", 100000, &data, &len), 0);
        assert_true(len > 0);
        free(data);
}

static int refuse(int fd)
{
        errno = EIO;
        return -1;
}

static void the_folder_is_synced(void **state)
{
        struct folder folder;
        char path[128];

        folder_make(&folder);
        folder_file(&folder, "f", path);
        assert_int_equal(file_sync_folder(path, fsync), 0);
        assert_int_equal(file_sync_folder(path, refuse), -EIO);
        assert_int_equal(file_sync_folder("f", fsync), 0);
        assert_int_equal(file_sync_folder("/f", refuse), -EIO);
        assert_int_equal(file_sync_folder("/no/such/f", fsync), -ENOENT);
        folder_remove(&folder);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(replaces_and_reads_back), cmocka_unit_test(an_empty_file_is_one),
                cmocka_unit_test(a_file_that_grows),       cmocka_unit_test(errors_come_back),
                cmocka_unit_test(reads_a_pipe_and_proc),   cmocka_unit_test(the_folder_is_synced),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
