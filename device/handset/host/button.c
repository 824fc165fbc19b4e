#include "device/handset/host/button.h"

#include <errno.h>
#include <fcntl.h>
#include <libevdev/libevdev.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

#include "base/log.h"
#include "base/loop.h"

#define EVENTS_MAX 1024 /* read in one turn of the loop: more than libevdev holds */

struct button {
        struct button_options options;
        struct libevdev *device;
        int fd;
        uv_poll_t *poll;
        struct wheel_timer retry;
};

static void free_poll(uv_handle_t *handle)
{
        free(handle);
}

static void drop(struct button *button)
{
        if (button->poll != NULL) {
                uv_poll_stop(button->poll);
                uv_close((uv_handle_t *)button->poll, free_poll);
                button->poll = NULL;
        }
        libevdev_free(button->device);
        button->device = NULL;
        if (button->fd >= 0)
                close(button->fd);
        button->fd = -1;
}

static void lose(struct button *button)
{
        drop(button);
        loop_timer_arm(button->options.loop, &button->retry, clock_mono_ms() + BUTTON_RETRY_MS);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
        struct button *button = poll->data;
        unsigned flag = LIBEVDEV_READ_FLAG_NORMAL;
        struct input_event event;
        int r = status < 0 ? status : LIBEVDEV_READ_STATUS_SUCCESS;

        for (int i = 0; i < EVENTS_MAX && r >= 0; i++) {
                r = libevdev_next_event(button->device, flag, &event);
                if (r ==
                    LIBEVDEV_READ_STATUS_SYNC) /* the kernel dropped events: what they amount to comes by this flag */
                        flag = LIBEVDEV_READ_FLAG_SYNC;
                if (r == -EAGAIN && flag == LIBEVDEV_READ_FLAG_SYNC) {
                        flag = LIBEVDEV_READ_FLAG_NORMAL;
                        r = LIBEVDEV_READ_STATUS_SUCCESS;
                        continue;
                }
                if (r >= 0 && event.type == EV_KEY && event.code == button->options.code && event.value == 1)
                        button->options.down(button->options.user);
        }
        if (r < 0 && r != -EAGAIN) {
                log_warn("button", "the device is gone; looking for it");
                lose(button);
        }
}

static int open_device(struct button *button)
{
        button->fd = open(button->options.device, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        if (button->fd < 0)
                return -errno;
        return libevdev_new_from_fd(button->fd, &button->device);
}

static void try_open(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct button *button = timer->user;

        if (open_device(button) < 0) {
                lose(button);
                return;
        }
        button->poll = calloc(1, sizeof(*button->poll));
        if (button->poll == NULL || uv_poll_init(loop_uv(button->options.loop), button->poll, button->fd) < 0) {
                free(button->poll);
                button->poll = NULL;
                lose(button);
                return;
        }
        button->poll->data = button;
        uv_poll_start(button->poll, UV_READABLE, on_readable);
        if (libevdev_has_event_code(button->device, EV_KEY, button->options.code))
                log_info("button", "found");
        else
                log_error("button", "the device has no key %u: presses will not be seen", button->options.code);
}

int button_start(const struct button_options *options, struct button **ret_button)
{
        struct button *button = calloc(1, sizeof(*button));

        if (button == NULL)
                return -ENOMEM;
        button->options = *options;
        button->fd = -1;
        wheel_timer_init(&button->retry, try_open, button);
        loop_timer_arm(options->loop, &button->retry, clock_mono_ms());
        *ret_button = button;
        return 0;
}

void button_stop(struct button *button)
{
        if (button == NULL)
                return;
        loop_timer_cancel(button->options.loop, &button->retry);
        drop(button);
        free(button);
}
