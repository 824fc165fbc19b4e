/* The log: one logfmt line per message on stderr, where systemd's journal picks it up.
 *
 *      ts=2026-05-04T10:22:31.004Z level=warn prog=vigie-dispatcher obj=alert:7f3a09c1 msg="ask supervisor: timed out"
 *
 * Rule for callers: NEVER a position, a person's name, a phone number or a PIN in a message.  Objects are named by
 * kind and hex id (`alert:7f3a...`, `handset:...`, `supervisor:...`).  Libraries do not log, they return errors; the
 * program that decides what happens next logs once.
 *
 * log.c holds the only mutable file-scope state of the house: the program's name and the level, set once by log_open
 * before any thread exists.  Passing them to every function that may log would put a parameter everywhere for
 * nothing. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longest line in octets with its newline.  PIPE_BUF is 4096, so that one write(2) is never mixed with another
 * process's.  A longer message is cut at a code point and ends in "...". */
#define LOG_LINE_MAX 2048

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* log_open: set the program's name (borrowed for ever: a literal) and the level; messages below the level are dropped.
 * Before it the name is "vigie" and the level info.  Call it once, before any thread. */
void log_open(const char *program, enum log_level level);

/* log_level_from_name: "error", "warn", "info" or "debug".  Returns 0 or -EINVAL. */
int log_level_from_name(const char *name, enum log_level *ret_level);

/* log_write: write one line; called as log_error(obj, fmt, ...) and so on.
 *   obj   the object's name, or NULL
 *   fmt   printf; any octets may come out of it: control characters, quotes, backslashes and invalid UTF-8 are escaped
 * Any thread.  errno is kept.  A failed write is dropped: there is nobody to tell. */
void log_write(enum log_level level, const char *obj, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_write(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

/* What a line says. */
struct log_fields {
        int64_t now_utc_ms; /* since 1970 */
        enum log_level level;
        const char *program, *obj, *msg; /* obj may be NULL */
};

/* log_line: format one line as log_write does, without writing it: the pure part, for tests.
 *   line         size octets, at least 128; ends in "\n" and NUL
 * Returns the length without the NUL, at most size - 1. */
size_t log_line(const struct log_fields *fields, char *line, size_t size);

/* A message that may repeat for ever (a peer's mistakes): LOG_LIMIT_BURST of them in each window, the rest counted.
 * Zero the struct to begin; one per kind of message, in the program's own state. */
#define LOG_LIMIT_BURST     5
#define LOG_LIMIT_WINDOW_MS 10000
struct log_limit {
        int64_t window_mono_ms; /* end of the current window */
        uint32_t shown, hidden;
};

/* log_limit_pass: say whether this message may be written.
 *   now_mono_ms  monotonic clock
 *   ret_hidden   how many were kept back since the last one that passed; say it in the message when not 0 */
bool log_limit_pass(struct log_limit *limit, int64_t now_mono_ms, uint32_t *ret_hidden);

#endif
