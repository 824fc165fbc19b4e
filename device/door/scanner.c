#include "device/door/scanner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/loop.h"

static const struct {
        int64_t baud;
        speed_t code;
} speeds[] = { { 9600, B9600 },   { 19200, B19200 },   { 38400, B38400 },
               { 57600, B57600 }, { 115200, B115200 }, { 230400, B230400 } };

#define SPEEDS (sizeof(speeds) / sizeof(speeds[0]))

static size_t speed_of(int64_t baud)
{
        size_t i = 0;

        while (i < SPEEDS && speeds[i].baud != baud)
                i++;
        return i;
}

bool scanner_can_baud(int64_t baud)
{
        return speed_of(baud) < SPEEDS;
}

void scanner_init(struct scanner *scanner, const char *path, int64_t baud)
{
        memset(scanner, 0, sizeof(*scanner));
        scanner->path = path;
        scanner->baud = baud;
        scanner->fd = -1;
}

static bool is_stdin(const struct scanner *scanner)
{
        return strcmp(scanner->path, "-") == 0;
}

void scanner_close(struct scanner *scanner)
{
        if (scanner->fd >= 0 && !is_stdin(scanner))
                close(scanner->fd);
        scanner->fd = -1;
        scanner->len = 0;
        scanner->too_long = false;
}

static int start(struct scanner *scanner)
{
        struct termios t;
        speed_t code = speeds[speed_of(scanner->baud)].code;

        scanner->fd =
                is_stdin(scanner) ? STDIN_FILENO : open(scanner->path, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
        if (scanner->fd < 0)
                return -errno;
        if (is_stdin(scanner) || tcgetattr(scanner->fd, &t) < 0)
                return 0; /* a pipe: as it is */
        cfmakeraw(&t);
        t.c_cflag |= CLOCAL | CREAD;
        if (cfsetispeed(&t, code) < 0 || cfsetospeed(&t, code) < 0 || tcsetattr(scanner->fd, TCSANOW, &t) < 0)
                return -errno;
        return 0;
}

/* take: one octet.  Returns true at the end of a line. */
static bool take(struct scanner *scanner, char c)
{
        if (c == '\n' || c == '\r')
                return scanner->len > 0 || scanner->too_long;
        if (scanner->len == sizeof(scanner->line))
                scanner->too_long = true;
        else
                scanner->line[scanner->len++] = c;
        return false;
}

/* finish: what the line holds. */
static struct cbor_span finish(struct scanner *scanner)
{
        struct cbor_span octets = { scanner->octets, 0 };
        int r = scanner->too_long
                        ? -EMSGSIZE
                        : pass_text_read(scanner->line, scanner->len, scanner->octets, PRESENTATION_MAX, &octets.len);

        if (r < 0) /* -ENOBUFS: more octets than any presentation has */
                octets.len = r == -EMSGSIZE || r == -ENOBUFS ? PRESENTATION_MAX + 1 : 0;
        scanner->len = 0;
        scanner->too_long = false;
        return octets;
}

/* read_line: what is there, up to the end of one line; no more at once than a line is long. */
static int read_line(struct scanner *scanner, struct cbor_span *ret_presentation)
{
        ssize_t n = 1;
        char c;

        for (size_t i = 0; i < sizeof(scanner->line) && (n = read(scanner->fd, &c, 1)) == 1; i++) {
                struct pollfd more = { .fd = scanner->fd, .events = POLLIN };

                scanner->last_mono_ms = clock_mono_ms();
                if (take(scanner, c)) {
                        *ret_presentation = finish(scanner);
                        return 1;
                }
                if (poll(&more, 1, 0) <= 0)
                        return 0;
        }
        if (n == 1)
                return 0; /* who sends without an end keeps the door from nothing else */
        return n == 0 ? -EPIPE : errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

int scanner_wait(struct scanner *scanner, int timeout_ms, struct cbor_span *ret_presentation)
{
        struct pollfd wait;
        int r = scanner->fd >= 0 ? 0 : start(scanner);

        if (r == 0) {
                wait = (struct pollfd){ .fd = scanner->fd, .events = POLLIN };
                r = poll(&wait, 1, timeout_ms);
                if (r <= 0) {
                        if (scanner->len > 0 && clock_mono_ms() - scanner->last_mono_ms >= SCANNER_LINE_MS) {
                                scanner->len = 0;
                                scanner->too_long = false;
                        }
                        return r < 0 && errno != EINTR ? -errno : 0;
                }
                r = read_line(scanner, ret_presentation);
        }
        if (r < 0) {
                if (r == -EPIPE && !is_stdin(scanner))
                        r = -EIO; /* unplugged */
                scanner_close(scanner);
        }
        return r;
}
