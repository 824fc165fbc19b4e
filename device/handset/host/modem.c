#include "device/handset/host/modem.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "base/log.h"
#include "base/loop.h"
#include "device/handset/host/at.h"

/* Octets that the tty has not taken yet: two commands, the longest.  Over it the modem takes nothing any more: hung. */
#define UNSENT_MAX  1024
#define WAIT_MAX_MS 60000

struct message {
        uint32_t ticket;
        size_t len;
        uint8_t data[SMS_DATA_MAX];
};

/* What thread and loop tell each other: under the lock. */
struct shared {
        bool stop, has_out, has_state, has_sent;
        struct message out; /* to be sent */
        enum vigie_modem state;
        int error; /* of the line; 0 none */
        uint32_t ticket;
        bool ok;
        uint16_t code;
        size_t sms_count;
        struct message sms[MODEM_SMS_MAX];
};

struct modem {
        uv_async_t told; /* first: libuv gives it back */
        struct modem_options options;
        pthread_t thread;
        bool busy;   /* the loop's: one is under way */
        bool joined; /* the thread is over */
        int wake_fd; /* an eventfd */
        pthread_mutex_t lock;
        struct shared shared;

        struct at *at; /* from here: the thread's */
        int fd, fd_error;
        int64_t retry_mono_ms;
        size_t unsent_len;
        char unsent[UNSENT_MAX];
};

static const struct {
        int64_t baud;
        speed_t speed;
} speeds[] = { { 9600, B9600 },     { 19200, B19200 },   { 38400, B38400 },   { 57600, B57600 },
               { 115200, B115200 }, { 230400, B230400 }, { 460800, B460800 }, { 921600, B921600 } };

static const speed_t *find_speed(int64_t baud)
{
        for (size_t i = 0; i < sizeof(speeds) / sizeof(speeds[0]); i++)
                if (speeds[i].baud == baud)
                        return &speeds[i].speed;
        return NULL;
}

bool modem_can_baud(int64_t baud)
{
        return find_speed(baud) != NULL;
}

/* ---- in the thread: what the talk tells ---------------------------------------------------------------------------- */

/* Ends what began with the lock.  The loop is there for as long as nobody said stop. */
static void unlock_and_ring(struct modem *modem)
{
        if (!modem->shared.stop)
                uv_async_send(&modem->told);
        pthread_mutex_unlock(&modem->lock);
}

static void on_state(void *user, enum vigie_modem state)
{
        struct modem *modem = user;

        pthread_mutex_lock(&modem->lock);
        modem->shared.state = state;
        modem->shared.error = modem->fd_error;
        modem->shared.has_state = true;
        unlock_and_ring(modem);
}

static void on_sms(void *user, const uint8_t *data, size_t len)
{
        struct modem *modem = user;
        struct message *m;

        pthread_mutex_lock(&modem->lock);
        if (modem->shared.sms_count < MODEM_SMS_MAX) {
                m = &modem->shared.sms[modem->shared.sms_count++];
                m->len = len;
                memcpy(m->data, data, len);
        }
        unlock_and_ring(modem);
}

static void on_sent(void *user, uint32_t ticket, bool ok, uint16_t code)
{
        struct modem *modem = user;

        pthread_mutex_lock(&modem->lock);
        modem->shared.ticket = ticket;
        modem->shared.ok = ok;
        modem->shared.code = code;
        modem->shared.has_sent = true;
        unlock_and_ring(modem);
}

/* ---- in the thread: the line --------------------------------------------------------------------------------------- */

/* What the tty has not sent goes: closing it would wait for that. */
static void close_line(struct modem *modem)
{
        if (modem->fd >= 0) {
                tcflush(modem->fd, TCIOFLUSH);
                close(modem->fd);
        }
        modem->fd = -1;
        modem->unsent_len = 0;
        modem->retry_mono_ms = clock_mono_ms() + MODEM_RETRY_MS;
}

static void lose_line(struct modem *modem, int error)
{
        close_line(modem);
        modem->fd_error = error;
        at_end(modem->at);
}

static int set_up(int fd, speed_t speed)
{
        struct termios t;

        if (tcgetattr(fd, &t) < 0)
                return -errno;
        cfmakeraw(&t);
        t.c_cflag |= CLOCAL | CREAD;
        t.c_cflag &= ~(tcflag_t)CRTSCTS;
        t.c_cc[VMIN] = 1; /* nothing to read is EAGAIN, and 0 a hang-up */
        t.c_cc[VTIME] = 0;
        cfsetispeed(&t, speed);
        cfsetospeed(&t, speed);
        if (tcsetattr(fd, TCSANOW, &t) < 0)
                return -errno;
        tcflush(fd, TCIOFLUSH);
        return 0;
}

static void open_line(struct modem *modem)
{
        int r = 0;

        modem->fd = open(modem->options.device, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
        if (modem->fd < 0)
                r = -errno;
        else
                r = set_up(modem->fd, *find_speed(modem->options.baud));
        if (r < 0) {
                lose_line(modem, -r);
                return;
        }
        modem->fd_error = 0;
        at_begin(modem->at, clock_mono_ms());
}

static void flush(struct modem *modem)
{
        ssize_t n = write(modem->fd, modem->unsent, modem->unsent_len);

        if (n < 0 && errno != EAGAIN && errno != EINTR) {
                lose_line(modem, errno);
        } else if (n > 0) {
                modem->unsent_len -= (size_t)n;
                memmove(modem->unsent, modem->unsent + n, modem->unsent_len);
        }
}

/* One that takes nothing does not answer either: its talk runs out of time. */
static void on_write(void *user, const char *octets, size_t len)
{
        struct modem *modem = user;

        if (modem->unsent_len + len > sizeof(modem->unsent))
                return;
        memcpy(modem->unsent + modem->unsent_len, octets, len);
        modem->unsent_len += len;
}

static void hear(struct modem *modem)
{
        char octets[1024];
        ssize_t n = read(modem->fd, octets, sizeof(octets));

        if (n > 0)
                at_hear(modem->at, octets, (size_t)n, clock_mono_ms());
        else if (n == 0 || (errno != EAGAIN && errno != EINTR))
                lose_line(modem, n == 0 ? ENODEV : errno);
}

static int wait_ms(const struct modem *modem)
{
        int64_t due = modem->fd >= 0 ? at_due(modem->at) : modem->retry_mono_ms, left = due - clock_mono_ms();

        return left < 0 ? 0 : left > WAIT_MAX_MS ? WAIT_MAX_MS : (int)left;
}

/* Until something happens: on the line, from the loop, or in time. */
static void wait(struct modem *modem)
{
        struct pollfd p[] = { { .fd = modem->wake_fd, .events = POLLIN },
                              { .fd = modem->fd, .events = POLLIN | (modem->unsent_len > 0 ? POLLOUT : 0) } };
        uint64_t times;

        if (poll(p, 2, wait_ms(modem)) < 0)
                return;
        if ((p[0].revents & POLLIN) && read(modem->wake_fd, &times, sizeof(times)) < 0)
                return;
        if (modem->fd >= 0 && (p[1].revents & (POLLIN | POLLHUP | POLLERR)))
                hear(modem);
}

/* Take what is to be sent.  False: stop. */
static bool take_orders(struct modem *modem)
{
        struct message out;
        bool stop, has_out;

        pthread_mutex_lock(&modem->lock);
        stop = modem->shared.stop;
        has_out = modem->shared.has_out;
        modem->shared.has_out = false;
        out = modem->shared.out;
        pthread_mutex_unlock(&modem->lock);
        if (has_out && !stop)
                at_send(modem->at, out.ticket, (struct cbor_span){ out.data, out.len }, clock_mono_ms());
        return !stop;
}

static void *talk(void *user)
{
        struct modem *modem = user;

        while (take_orders(modem)) {
                if (modem->fd < 0 && clock_mono_ms() >= modem->retry_mono_ms)
                        open_line(modem);
                at_tick(modem->at, clock_mono_ms());
                if (modem->fd >= 0 && modem->unsent_len > 0)
                        flush(modem);
                if (modem->fd >= 0 && at_is_lost(modem->at))
                        close_line(modem);
                wait(modem);
        }
        close_line(modem);
        return NULL;
}

/* ---- in the loop --------------------------------------------------------------------------------------------------- */

static void tell_state(struct modem *modem, enum vigie_modem state, int error)
{
        if (error != 0)
                log_warn("modem", "%s: %s", modem->options.device, strerror(error));
        else
                log_info("modem", "%s", vigie_modem_name(state));
        modem->options.state(modem->options.user, state);
}

/* Taken out under the lock, told without it. */
static void on_told(uv_async_t *async)
{
        struct modem *modem = (struct modem *)async;
        struct shared was;

        pthread_mutex_lock(&modem->lock);
        was = modem->shared;
        modem->shared.has_state = modem->shared.has_sent = false;
        modem->shared.sms_count = 0;
        pthread_mutex_unlock(&modem->lock);
        if (was.has_state)
                tell_state(modem, was.state, was.error);
        if (was.has_sent) {
                modem->busy = false;
                modem->options.sent(modem->options.user, was.ticket, was.ok, was.code);
        }
        for (size_t i = 0; i < was.sms_count; i++)
                modem->options.sms(modem->options.user, was.sms[i].data, was.sms[i].len);
}

static void release(struct modem *modem)
{
        at_free(modem->at);
        if (modem->wake_fd >= 0)
                close(modem->wake_fd);
        pthread_mutex_destroy(&modem->lock);
        free(modem);
}

/* A thread that the kernel still holds has its memory for as long as it wants. */
static void on_closed(uv_handle_t *handle)
{
        struct modem *modem = (struct modem *)handle;

        if (modem->joined)
                release(modem);
}

/* Signals are the loop's. */
static int start(struct modem *modem)
{
        sigset_t all, before;
        int r;

        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        r = -pthread_create(&modem->thread, NULL, talk, modem);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        return r;
}

int modem_open(const struct modem_options *options, struct modem **ret_modem)
{
        struct modem *modem = calloc(1, sizeof(*modem));
        struct at_options at = { options->number, modem, on_write, on_state, on_sms, on_sent };
        int r;

        if (modem == NULL)
                return -ENOMEM;
        assert(modem_can_baud(options->baud));
        modem->options = *options;
        modem->fd = -1;
        pthread_mutex_init(&modem->lock, NULL);
        modem->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        modem->at = at_new(&at);
        r = modem->wake_fd < 0 || modem->at == NULL ? -ENOMEM
                                                    : uv_async_init(loop_uv(options->loop), &modem->told, on_told);
        if (r < 0) {
                release(modem);
                return r;
        }
        if ((r = start(modem)) < 0) {
                modem->joined = true;
                uv_close((uv_handle_t *)&modem->told, on_closed);
                return r;
        }
        *ret_modem = modem;
        return 0;
}

static void wake(struct modem *modem)
{
        uint64_t one = 1;
        ssize_t n = write(modem->wake_fd, &one, sizeof(one));

        assert(n == sizeof(one) || errno == EAGAIN); /* full: it is awake */
}

int modem_send(struct modem *modem, uint32_t ticket, struct cbor_span data)
{
        assert(data.len >= 1 && data.len <= SMS_DATA_MAX);
        if (modem->busy)
                return -EBUSY;
        modem->busy = true;
        pthread_mutex_lock(&modem->lock);
        modem->shared.out.ticket = ticket;
        modem->shared.out.len = data.len;
        memcpy(modem->shared.out.data, data.at, data.len);
        modem->shared.has_out = true;
        pthread_mutex_unlock(&modem->lock);
        wake(modem);
        return 0;
}

void modem_close(struct modem *modem)
{
        struct timespec end;

        if (modem == NULL)
                return;
        pthread_mutex_lock(&modem->lock);
        modem->shared.stop = true;
        pthread_mutex_unlock(&modem->lock);
        wake(modem);
        clock_gettime(CLOCK_MONOTONIC, &end);
        end.tv_sec += MODEM_CLOSE_MS / 1000;
        modem->joined = pthread_clockjoin_np(modem->thread, NULL, CLOCK_MONOTONIC, &end) == 0;
        if (!modem->joined) {
                log_warn("modem", "the kernel does not give its tty back");
                pthread_detach(modem->thread);
        }
        uv_close((uv_handle_t *)&modem->told, on_closed);
}
