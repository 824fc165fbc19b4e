#include "base/ready.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FD_MAX 65535 /* a longer number is a slip of the keyboard */

static int read_fd(const char *text)
{
        char *end = NULL;
        long fd = text != NULL ? strtol(text, &end, 10) : -1;

        return text != NULL && end != text && *end == '\0' && fd >= 0 && fd <= FD_MAX && fcntl((int)fd, F_GETFD) >= 0 ? (int)fd
                                                                                                              : -EINVAL;
}

int ready_take(const char *program, int *argc, char **argv)
{
        for (int i = 1; i < *argc; i++) {
                int fd;

                if (strcmp(argv[i], "--ready-fd") != 0)
                        continue;
                fd = read_fd(argv[i + 1]); /* argv ends in NULL */
                if (fd < 0) {
                        fprintf(stderr, "%s: --ready-fd needs the number of an open file\n", program);
                        return -EINVAL;
                }
                memmove(&argv[i], &argv[i + 2], (size_t)(*argc - i - 1) * sizeof(argv[0])); /* the closing NULL too */
                *argc -= 2;
                return fd;
        }
        return -1;
}

int ready_tell(int fd, int port)
{
        int r = 0;

        if (fd < 0)
                return 0;
        if (dprintf(fd, "%d\n", port) < 0)
                r = -errno;
        close(fd);
        return r;
}
