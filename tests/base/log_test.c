#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/utf8.h"

static const char *line_of(const char *obj, const char *msg)
{
        static char line[LOG_LINE_MAX];
        const struct log_fields fields = { .now_utc_ms = INT64_C(1777890151004),
                                           .level = LOG_LEVEL_WARN,
                                           .program = "vigie-test",
                                           .obj = obj,
                                           .msg = msg };

        size_t len = log_line(&fields, line, sizeof(line));

        assert_int_equal(len, strlen(line));
        return line;
}

static void says_it_in_one_line(void **state)
{
        assert_string_equal(line_of("alert:7f3a", "ask supervisor: timed out"),
                            "ts=2026-05-04T10:22:31.004Z level=warn prog=vigie-test obj=alert:7f3a "
                            "msg=\"ask supervisor: timed out\"\n");
        assert_string_equal(line_of(NULL, ""), "ts=2026-05-04T10:22:31.004Z level=warn prog=vigie-test msg=\"\"\n");
}

/* What follows msg=" in the line, for one message. */
static void escapes_to(const char *msg, const char *want)
{
        char line[256];

        snprintf(line, sizeof(line), "ts=2026-05-04T10:22:31.004Z level=warn prog=vigie-test msg=\"%s\"\n", want);
        assert_string_equal(line_of(NULL, msg), line);
}

static void hostile_octets_are_escaped(void **state)
{
        escapes_to("a\"b\\c", "a\\\"b\\\\c");
        escapes_to("x\nlevel=error\r\t", "x\\nlevel=error\\r\\t");
        escapes_to("\x1b[31m\x7f\x01", "\\x1b[31m\\x7f\\x01");
        escapes_to("Jos\xc3\xa9 \xf0\x9f\x9a\xb2", "Jos\xc3\xa9 \xf0\x9f\x9a\xb2");
        escapes_to("\xff\xc3", "\\xff\\xc3");
        escapes_to("\xc2\x85", "\\u0085"); /* next line, C1 */
        escapes_to("\xe2\x80\xae"
                   "a\xe2\x81\xa6",
                   "\\u202ea\\u2066"); /* direction marks */
        escapes_to("\xe2\x80\xa8\xe2\x80\x8f", "\\u2028\\u200f");
        escapes_to("\xe2\x82\xac", "\xe2\x82\xac");
}

static void an_object_with_blanks_is_quoted(void **state)
{
        assert_non_null(strstr(line_of("a b", "m"), " obj=\"a b\" msg="));
        assert_non_null(strstr(line_of("a\nb", "m"), " obj=a\\nb msg="));
        assert_non_null(strstr(line_of("a\" msg=\"x", "m"), " obj=\"a\\\" msg=\\\"x\" msg=\"m\"\n"));
}

static void a_long_line_is_cut_at_a_code_point(void **state)
{
        char text[3 * LOG_LINE_MAX + 1];
        const char *line;

        for (size_t i = 0; i < LOG_LINE_MAX; i++)
                memcpy(text + 3 * i, "\xe2\x82\xac", 3);
        text[sizeof(text) - 1] = '\0';
        for (size_t shift = 0; shift < 3; shift++) {
                text[0] = text[1] = text[2] = 'x';
                line = line_of("handset:1", text + shift);
                assert_true(strlen(line) > LOG_LINE_MAX - 10 && strlen(line) < LOG_LINE_MAX);
                assert_string_equal(line + strlen(line) - 5, "...\"\n");
                assert_true(utf8_is_valid(line, strlen(line)));
        }
        line = line_of(text, "the message has its place");
        assert_non_null(strstr(line, "msg=\"the message has its place\"\n"));
}

/* What log_info and its like write to stderr. */
static size_t written(char *out, size_t size)
{
        int ends[2], before = dup(STDERR_FILENO);
        ssize_t len;

        assert_int_equal(pipe(ends), 0);
        dup2(ends[1], STDERR_FILENO);
        errno = ENOENT;
        log_error("alert:1", "first %d", 1);
        assert_int_equal(errno, ENOENT);
        log_warn(NULL, "second %s", "2");
        log_info(NULL, "third");
        log_debug(NULL, "fourth");
        dup2(before, STDERR_FILENO);
        close(before);
        close(ends[1]);
        len = read(ends[0], out, size - 1);
        close(ends[0]);
        out[len] = '\0';
        return (size_t)len;
}

static void the_level_decides(void **state)
{
        char out[4096];

        log_open("vigie-test", LOG_LEVEL_WARN);
        written(out, sizeof(out));
        assert_non_null(strstr(out, "level=error prog=vigie-test obj=alert:1 msg=\"first 1\"\n"));
        assert_non_null(strstr(out, "level=warn prog=vigie-test msg=\"second 2\"\n"));
        assert_null(strstr(out, "third"));
        log_open("vigie-test", LOG_LEVEL_DEBUG);
        written(out, sizeof(out));
        assert_non_null(strstr(out, "msg=\"fourth\"\n"));
        log_open("vigie-test", LOG_LEVEL_ERROR);
        written(out, sizeof(out));
        assert_null(strstr(out, "second"));
}

static void levels_have_names(void **state)
{
        enum log_level level;

        assert_int_equal(log_level_from_name("error", &level), 0);
        assert_int_equal(level, LOG_LEVEL_ERROR);
        assert_int_equal(log_level_from_name("debug", &level), 0);
        assert_int_equal(level, LOG_LEVEL_DEBUG);
        assert_int_equal(log_level_from_name("loud", &level), -EINVAL);
}

static void repetition_is_limited(void **state)
{
        struct log_limit limit = { 0 };
        uint32_t hidden = 99;

        for (int i = 0; i < LOG_LIMIT_BURST; i++) {
                assert_true(log_limit_pass(&limit, 1000, &hidden));
                assert_int_equal(hidden, 0);
        }
        for (int i = 0; i < 7; i++)
                assert_false(log_limit_pass(&limit, 1000 + LOG_LIMIT_WINDOW_MS - 1, &hidden));
        assert_true(log_limit_pass(&limit, 1000 + LOG_LIMIT_WINDOW_MS, &hidden));
        assert_int_equal(hidden, 7);
        assert_true(log_limit_pass(&limit, 1000 + LOG_LIMIT_WINDOW_MS, &hidden));
        assert_int_equal(hidden, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(says_it_in_one_line),
                cmocka_unit_test(hostile_octets_are_escaped),
                cmocka_unit_test(an_object_with_blanks_is_quoted),
                cmocka_unit_test(a_long_line_is_cut_at_a_code_point),
                cmocka_unit_test(the_level_decides),
                cmocka_unit_test(levels_have_names),
                cmocka_unit_test(repetition_is_limited),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
