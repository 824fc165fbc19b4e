#include "ops/vigie/secret.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "ops/vigie/say.h"

/* Longest line that is compared with its repetition on a terminal. */
#define TYPED_MAX 512

static int read_line(char *to, size_t size)
{
        size_t len = 0;
        ssize_t n;
        char c;

        while ((n = read(STDIN_FILENO, &c, 1)) == 1 && c != '\n') {
                if (c == 0)
                        return -EBADMSG;
                if (len + 1 >= size)
                        return -EMSGSIZE;
                to[len++] = c;
        }
        if (n <= 0 && len == 0)
                return -ENODATA;
        if (len > 0 && to[len - 1] == '\r')
                len--;
        to[len] = 0;
        return (int)len;
}

/* One line from the terminal, not shown.  Ctrl-C does nothing meanwhile: it would leave a terminal that is mute. */
static int read_hidden(const char *what, const char *again, char *to, size_t size)
{
        struct termios before, hidden;
        int r;

        if (tcgetattr(STDIN_FILENO, &before) < 0)
                return -errno;
        hidden = before;
        hidden.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden); /* first: what is typed at the question counts */
        fprintf(stderr, "%s%s: ", what, again);
        r = read_line(to, size);
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        fputc('\n', stderr);
        return r;
}

static int read_twice(const char *what, char *to, size_t size)
{
        char again[TYPED_MAX] = "";
        int r = read_hidden(what, "", to, size);

        if (r >= 0 && (read_hidden(what, ", again", again, sizeof(again)) < 0 || strcmp(to, again) != 0))
                r = -EBADMSG;
        explicit_bzero(again, sizeof(again));
        return r;
}

int secret_read(const char *what, char *to, size_t size)
{
        int r = isatty(STDIN_FILENO) ? read_twice(what, to, size) : read_line(to, size);

        if (r >= 0)
                return r;
        explicit_bzero(to, size);
        if (r == -EMSGSIZE)
                say_wrong("%s: at most %zu octets", what, size - 1);
        else if (r == -EBADMSG)
                say_wrong("%s: not twice the same, or a NUL in it", what);
        else
                say_wrong("%s: a line is expected on standard input", what);
        return r;
}

bool pin_is_valid(const char *pin)
{
        size_t len = strlen(pin);

        return len >= 4 && len <= 8 && strspn(pin, "0123456789") == len;
}

bool pins_too_alike(const char *a, const char *b)
{
        size_t la = strlen(a), lb = strlen(b), same = 0;

        while (a[same] != 0 && a[same] == b[same])
                same++;
        a += same;
        b += same;
        if (la == lb)
                return *a == 0 || strcmp(a + 1, b + 1) == 0 ||
                       (a[0] == b[1] && a[1] == b[0] && strcmp(a + 2, b + 2) == 0);
        return la + 1 == lb ? strcmp(a, b + 1) == 0 : lb + 1 == la && strcmp(a + 1, b) == 0;
}
