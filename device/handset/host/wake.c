#include "device/handset/host/wake.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "base/loop.h"

struct wake {
        uv_poll_t poll; /* first: libuv gives it back */
        int fd;
        void (*due)(void *user);
        void *user;
};

int64_t clock_boot_ms(void)
{
        struct timespec now;

        clock_gettime(CLOCK_BOOTTIME, &now);
        return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
        struct wake *wake = (struct wake *)poll;
        uint64_t times;

        if (status == 0 && read(wake->fd, &times, sizeof(times)) == sizeof(times))
                wake->due(wake->user);
}

static void free_wake(uv_handle_t *handle)
{
        struct wake *wake = (struct wake *)handle;

        close(wake->fd);
        free(wake);
}

int wake_open(struct loop *loop, void (*due)(void *user), void *user, struct wake **ret_wake)
{
        struct wake *wake = calloc(1, sizeof(*wake));
        int r;

        if (wake == NULL)
                return -ENOMEM;
        wake->due = due;
        wake->user = user;
        wake->fd = timerfd_create(CLOCK_BOOTTIME_ALARM, TFD_NONBLOCK | TFD_CLOEXEC);
        if (wake->fd < 0)
                wake->fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
        r = wake->fd < 0 ? -errno : uv_poll_init(loop_uv(loop), &wake->poll, wake->fd);
        if (r < 0) {
                if (wake->fd >= 0)
                        close(wake->fd);
                free(wake);
                return r;
        }
        uv_poll_start(&wake->poll, UV_READABLE, on_readable);
        *ret_wake = wake;
        return 0;
}

void wake_at(struct wake *wake, int64_t due_boot_ms)
{
        struct itimerspec at = { 0 };

        if (due_boot_ms < 1)
                due_boot_ms = 1; /* all zeros would disarm it */
        if (due_boot_ms < INT64_MAX) {
                at.it_value.tv_sec = due_boot_ms / 1000;
                at.it_value.tv_nsec = due_boot_ms % 1000 * 1000000;
        }
        timerfd_settime(wake->fd, TFD_TIMER_ABSTIME, &at, NULL); /* fails for no valid time */
}

void wake_close(struct wake *wake)
{
        if (wake == NULL)
                return;
        uv_poll_stop(&wake->poll);
        uv_close((uv_handle_t *)&wake->poll, free_wake);
}
