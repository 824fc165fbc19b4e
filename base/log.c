#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/utf8.h"

/* The one mutable file-scope state: see log.h. */
static struct {
        const char *program;
        enum log_level level;
} log_state = { "vigie", LOG_LEVEL_INFO };

static const char *const level_names[] = {
        [LOG_LEVEL_ERROR] = "error",
        [LOG_LEVEL_WARN] = "warn",
        [LOG_LEVEL_INFO] = "info",
        [LOG_LEVEL_DEBUG] = "debug",
};

void log_open(const char *program, enum log_level level)
{
        log_state.program = program;
        log_state.level = level;
}

int log_level_from_name(const char *name, enum log_level *ret_level)
{
        for (enum log_level level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++)
                if (strcmp(name, level_names[level]) == 0) {
                        *ret_level = level;
                        return 0;
                }
        return -EINVAL;
}

/* A line being written; `room` keeps space back for what must follow. */
struct line {
        char *out;
        size_t len, room;
};

static bool put(struct line *line, const char *text, size_t len)
{
        if (len > line->room - line->len)
                return false;
        memcpy(line->out + line->len, text, len);
        line->len += len;
        return true;
}

/* The code point of a good sequence of SIZE octets. */
static unsigned code_point(const char *text, size_t size)
{
        unsigned point = (unsigned char)text[0] & (size == 1 ? 0x7f : 0xff >> (size + 1));

        for (size_t i = 1; i < size; i++)
                point = point << 6 | ((unsigned char)text[i] & 0x3f);
        return point;
}

/* Controls, and the marks that break lines or turn the direction of writing: a log is read on terminals. */
static bool is_control(unsigned point)
{
        return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x200e || point == 0x200f ||
               (point >= 0x2028 && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
}

/* Write the escape of what begins at TEXT: a code point of SIZE octets, 0 = an octet that is none.  Returns its
 * length, 0 when it needs none. */
static size_t escape(const char *text, size_t size, char out[8])
{
        unsigned char c = (unsigned char)text[0];

        if (c == '"' || c == '\\')
                return (size_t)snprintf(out, 8, "\\%c", c);
        if (c == '\n' || c == '\t' || c == '\r')
                return (size_t)snprintf(out, 8, "\\%c", c == '\n' ? 'n' : c == '\t' ? 't' : 'r');
        if (size > 0 && !is_control(code_point(text, size)))
                return 0;
        if (size <= 1)
                return (size_t)snprintf(out, 8, "\\x%02x", c);
        return (size_t)snprintf(out, 8, "\\u%04x", code_point(text, size) & 0xffff);
}

/* Write TEXT inside quotes; false when it was cut. */
static bool put_escaped(struct line *line, const char *text)
{
        size_t left = strlen(text);

        while (left > 0) {
                char escaped[8];
                size_t size = utf8_sequence(text, left), escaped_len = escape(text, size, escaped);
                size_t step = size > 0 ? size : 1;

                if (!(escaped_len > 0 ? put(line, escaped, escaped_len) : put(line, text, step)))
                        return false;
                text += step;
                left -= step;
        }
        return true;
}

static void put_text(struct line *line, const char *text)
{
        put(line, text, strlen(text));
}

/* Half of what is left is the message's. */
static void put_object(struct line *line, const char *obj)
{
        struct line half = { .out = line->out, .len = line->len, .room = line->len + (line->room - line->len) / 2 };
        bool quoted = strpbrk(obj, " \"=\\") != NULL;

        put_text(&half, quoted ? " obj=\"" : " obj=");
        put_escaped(&half, obj);
        line->len = half.len;
        if (quoted)
                put_text(line, "\"");
}

size_t log_line(const struct log_fields *fields, char *out, size_t size)
{
        struct line line = { .out = out, .room = size - sizeof("...\"\n") };
        time_t seconds = (time_t)(fields->now_utc_ms / 1000);
        struct tm tm;
        char ts[40];

        gmtime_r(&seconds, &tm);
        strftime(ts, sizeof(ts), "ts=%Y-%m-%dT%H:%M:%S", &tm);
        put_text(&line, ts);
        snprintf(ts, sizeof(ts), ".%03dZ level=%s prog=", (int)(fields->now_utc_ms % 1000), level_names[fields->level]);
        put_text(&line, ts);
        put_text(&line, fields->program);
        if (fields->obj != NULL)
                put_object(&line, fields->obj);
        put_text(&line, " msg=\"");
        if (!put_escaped(&line, fields->msg)) {
                memcpy(out + line.len, "...", 3);
                line.len += 3;
        }
        memcpy(out + line.len, "\"\n", 3);
        return line.len + 2;
}

void log_write(enum log_level level, const char *obj, const char *fmt, ...)
{
        char msg[LOG_LINE_MAX], line[LOG_LINE_MAX];
        int saved_errno = errno;
        struct timespec now;
        va_list args;
        size_t len;

        if (level > log_state.level)
                return;
        va_start(args, fmt);
        vsnprintf(msg, sizeof(msg), fmt, args);
        va_end(args);
        clock_gettime(CLOCK_REALTIME, &now);
        len = log_line(&(struct log_fields){ .now_utc_ms = now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000,
                                             .level = level,
                                             .program = log_state.program,
                                             .obj = obj,
                                             .msg = msg },
                       line, sizeof(line));
        if (write(STDERR_FILENO, line, len) < 0)
                errno = 0; /* nobody to tell */
        errno = saved_errno;
}

bool log_limit_pass(struct log_limit *limit, int64_t now_mono_ms, uint32_t *ret_hidden)
{
        if (now_mono_ms >= limit->window_mono_ms) {
                limit->window_mono_ms = now_mono_ms + LOG_LIMIT_WINDOW_MS;
                limit->shown = 0;
        }
        if (limit->shown >= LOG_LIMIT_BURST) {
                limit->hidden++;
                return false;
        }
        limit->shown++;
        *ret_hidden = limit->hidden;
        limit->hidden = 0;
        return true;
}
