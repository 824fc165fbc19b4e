/* The key: by a real input device where the kernel lets us make one (uinput), and always by a pipe that passes for one: libevdev
 * reads it as it reads any, and what it asks of the kernel is answered here. */
#include "device/handset/host/button.h"

#include <fcntl.h>
#include <libevdev/libevdev-uinput.h>
#include <linux/input.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/device/handset/host/support.h"

/* Whether the key is down when libevdev asks, which it does when events were dropped.  libevdev's calls carry no pointer of ours. */
static bool key_is_down;

static void set_bit(void *octets, unsigned bit, size_t size)
{
        if (bit / 8 < size)
                ((uint8_t *)octets)[bit / 8] |= (uint8_t)(1u << bit % 8);
}

/* In the place of libc's, for this program: a pipe answers as a keyboard with two keys, all else goes to the kernel. */
int ioctl(int fd, unsigned long request, ...)
{
        size_t size = _IOC_SIZE(request);
        struct stat st;
        va_list list;
        void *to;

        va_start(list, request);
        to = va_arg(list, void *);
        va_end(list);
        if (_IOC_TYPE(request) != 'E' || fstat(fd, &st) < 0 || !S_ISFIFO(st.st_mode))
                return (int)syscall(SYS_ioctl, fd, request, to);
        if (_IOC_NR(request) == _IOC_NR(EVIOCGPHYS(0)) || _IOC_NR(request) == _IOC_NR(EVIOCGUNIQ(0))) {
                errno = ENOENT;
                return -1;
        }
        memset(to, 0, size);
        if (_IOC_NR(request) == _IOC_NR(EVIOCGBIT(0, 0))) {
                set_bit(to, EV_SYN, size);
                set_bit(to, EV_KEY, size);
        } else if (_IOC_NR(request) == _IOC_NR(EVIOCGBIT(EV_KEY, 0)) ||
                   (_IOC_NR(request) == _IOC_NR(EVIOCGKEY(0)) && key_is_down)) {
                set_bit(to, KEY_VOLUMEDOWN, size);
                if (_IOC_NR(request) != _IOC_NR(EVIOCGKEY(0)))
                        set_bit(to, KEY_VOLUMEUP, size);
        }
        return (int)size;
}

struct phone {
        struct folder folder;
        char path[128];
        struct loop *loop;
        struct button *button;
        int pipe;
        unsigned downs;
};

static void on_down(void *user)
{
        ((struct phone *)user)->downs++;
}

static void start(struct phone *p, const char *device)
{
        struct button_options options = { p->loop, device, KEY_VOLUMEDOWN, p, on_down };

        assert_int_equal(button_start(&options, &p->button), 0);
}

static int make(void **state)
{
        struct phone *p = calloc(1, sizeof(*p));

        key_is_down = false;
        p->pipe = -1;
        folder_make(&p->folder);
        folder_file(&p->folder, "event", p->path);
        assert_int_equal(loop_open(&p->loop), 0);
        *state = p;
        return 0;
}

static int drop(void **state)
{
        struct phone *p = *state;

        button_stop(p->button);
        assert_int_equal(loop_close(p->loop), 0);
        if (p->pipe >= 0)
                close(p->pipe);
        folder_remove(&p->folder);
        free(p);
        return 0;
}

static void plug(struct phone *p)
{
        unlink(p->path);
        assert_int_equal(mkfifo(p->path, 0600), 0);
        p->pipe = open(p->path, O_RDWR | O_NONBLOCK);
        assert_true(p->pipe >= 0);
}

static void event(struct phone *p, unsigned type, unsigned code, int value)
{
        struct input_event events[] = { { .type = (uint16_t)type, .code = (uint16_t)code, .value = value },
                                        { .type = EV_SYN, .code = SYN_REPORT } };

        assert_int_equal(write(p->pipe, events, sizeof(events)), sizeof(events));
}

static bool counts(struct phone *p, unsigned downs)
{
        int64_t until_mono_ms = clock_mono_ms() + SPIN_MS;

        while (p->downs < downs && clock_mono_ms() < until_mono_ms)
                turn(p->loop, 1);
        turn(p->loop, 20); /* and no more */
        return p->downs == downs;
}

static void presses(void **state)
{
        struct phone *p = *state;

        plug(p);
        start(p, p->path);
        for (int i = 0; i < 4; i++) {
                event(p, EV_KEY, KEY_VOLUMEDOWN, 1);
                event(p, EV_KEY, KEY_VOLUMEDOWN, 2); /* held: repeats */
                event(p, EV_KEY, KEY_VOLUMEDOWN, 0);
                event(p, EV_KEY, KEY_VOLUMEUP, 1); /* another */
                event(p, EV_KEY, KEY_VOLUMEUP, 0);
        }
        assert_true(counts(p, 4));
}

/* The kernel has dropped events, the key's among them. */
static void dropped(void **state)
{
        struct phone *p = *state;
        struct input_event lost[] = { { .type = EV_SYN, .code = SYN_DROPPED }, { .type = EV_SYN, .code = SYN_REPORT } };

        plug(p);
        start(p, p->path);
        event(p, EV_KEY, KEY_VOLUMEDOWN, 1);
        event(p, EV_KEY, KEY_VOLUMEDOWN, 0);
        assert_true(counts(p, 1));
        key_is_down = true;
        assert_int_equal(write(p->pipe, lost, sizeof(lost)), sizeof(lost));
        assert_true(counts(p, 2));
        key_is_down = false;
        event(p, EV_KEY, KEY_VOLUMEDOWN, 0);
        event(p, EV_KEY, KEY_VOLUMEDOWN, 1);
        assert_true(counts(p, 3));
}

/* Not there, no input device, then the button. */
static void comes_later(void **state)
{
        struct phone *p = *state;

        start(p, p->path);
        turn(p->loop, 50);
        put(&p->folder, "event", "no input device");
        turn(p->loop, BUTTON_RETRY_MS + 100);
        plug(p);
        event(p, EV_KEY, KEY_VOLUMEDOWN, 1);
        assert_true(counts(p, 1));
}

static void by_the_kernel(void **state)
{
        struct phone *p = *state;
        struct libevdev *model;
        struct libevdev_uinput *device = NULL;
        int fd = open("/dev/uinput", O_RDWR | O_CLOEXEC);

        if (fd < 0) {
                print_message("skip: /dev/uinput: %s\n", strerror(errno));
                skip();
        }
        model = libevdev_new();
        libevdev_set_name(model, "vigie test");
        libevdev_enable_event_type(model, EV_KEY);
        libevdev_enable_event_code(model, EV_KEY, KEY_VOLUMEDOWN, NULL);
        assert_int_equal(libevdev_uinput_create_from_device(model, fd, &device), 0);
        libevdev_free(model);
        start(p, libevdev_uinput_get_devnode(device));
        turn(p->loop, BUTTON_RETRY_MS + 100);
        for (int i = 0; i < 4; i++) {
                libevdev_uinput_write_event(device, EV_KEY, KEY_VOLUMEDOWN, 1);
                libevdev_uinput_write_event(device, EV_SYN, SYN_REPORT, 0);
                libevdev_uinput_write_event(device, EV_KEY, KEY_VOLUMEDOWN, 0);
                libevdev_uinput_write_event(device, EV_SYN, SYN_REPORT, 0);
        }
        assert_true(counts(p, 4));
        libevdev_uinput_destroy(device); /* pulled out */
        close(fd);
        turn(p->loop, 100);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(presses, make, drop),
                                            cmocka_unit_test_setup_teardown(dropped, make, drop),
                                            cmocka_unit_test_setup_teardown(comes_later, make, drop),
                                            cmocka_unit_test_setup_teardown(by_the_kernel, make, drop) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
