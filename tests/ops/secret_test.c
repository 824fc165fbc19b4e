#include "ops/vigie/secret.h"

#include <errno.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/geo/cmocka_first.h"

static void test_pin(void **state)
{
        static const char *const good[] = { "0000", "2468", "12345678" };
        static const char *const bad[] = { "", "123", "123456789", "12a4", "12 4", "-123", "1234\n", "١٢٣٤" };

        for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
                assert_true(pin_is_valid(good[i]));
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                assert_false(pin_is_valid(bad[i]));
}

static void test_pins_one_slip_apart(void **state)
{
        static const struct {
                const char *a, *b;
                bool alike;
        } cases[] = {
                { "2468", "2468", true },  { "2468", "2469", true },    { "2468", "1468", true },
                { "2468", "4268", true },  { "2468", "2486", true },    { "2468", "24680", true },
                { "2468", "02468", true }, { "2468", "24568", true },   { "24568", "2468", true },
                { "2468", "2459", false }, { "2468", "8642", false },   { "2468", "6428", false },
                { "2468", "9713", false }, { "2468", "246801", false }, { "2468", "13579", false },
                { "2468", "8246", false },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                assert_int_equal(pins_too_alike(cases[i].a, cases[i].b), cases[i].alike);
                assert_int_equal(pins_too_alike(cases[i].b, cases[i].a), cases[i].alike);
        }
}

/* Say whether one slip makes B of A, by making every slip. */
static bool slips_to(const char *a, const char *b)
{
        size_t len = strlen(a);
        char t[64];

        if (strcmp(a, b) == 0)
                return true;
        for (size_t i = 0; i <= len; i++)
                for (char digit = '0'; digit <= '9'; digit++) {
                        snprintf(t, sizeof(t), "%.*s%c%s", (int)i, a, digit, a + i); /* too many */
                        if (strcmp(t, b) == 0)
                                return true;
                        snprintf(t, sizeof(t), "%.*s%c%s", (int)i, a, digit, i < len ? a + i + 1 : ""); /* another */
                        if (i < len && strcmp(t, b) == 0)
                                return true;
                }
        for (size_t i = 0; i < len; i++) {
                snprintf(t, sizeof(t), "%.*s%s", (int)i, a, a + i + 1); /* missing */
                if (strcmp(t, b) == 0)
                        return true;
                strcpy(t, a);
                if (i + 1 < len) {
                        t[i] = a[i + 1];
                        t[i + 1] = a[i];
                }
                if (strcmp(t, b) == 0)
                        return true;
        }
        return false;
}

static void test_pins_equal_the_obvious_way(void **state)
{
        char a[32], b[32];
        int alike = 0;

        srandom(2468);
        for (int i = 0; i < 200000; i++) {
                snprintf(a, sizeof(a), "%0*ld", 4 + i % 2, random() % 10000);
                snprintf(b, sizeof(b), "%0*ld", 4 + i / 2 % 2,
                         i % 3 == 0 ? random() % 10000 : labs(atol(a) + random() % 200 - 100));
                assert_int_equal(pins_too_alike(a, b), slips_to(a, b));
                alike += pins_too_alike(a, b);
        }
        assert_true(alike > 5000); /* both answers were met */
}

/* Standard input becomes a pipe with LEN octets of TEXT in it. */
static void feed(const char *text, size_t len)
{
        int fds[2];

        assert_int_equal(pipe(fds), 0);
        assert_int_equal(write(fds[1], text, len), len);
        close(fds[1]);
        dup2(fds[0], 0);
        close(fds[0]);
}

static void test_lines(void **state)
{
        char to[9];

        feed("12345678\n\nthird\r\nlast", 21);
        assert_int_equal(secret_read("x", to, sizeof(to)), 8);
        assert_string_equal(to, "12345678");
        assert_int_equal(secret_read("x", to, sizeof(to)), 0); /* nothing read beyond its line */
        assert_string_equal(to, "");
        assert_int_equal(secret_read("x", to, sizeof(to)), 5);
        assert_string_equal(to, "third");
        assert_int_equal(secret_read("x", to, sizeof(to)), 4);
        assert_string_equal(to, "last");
        assert_int_equal(secret_read("x", to, sizeof(to)), -ENODATA);
        feed("123456789\n", 10);
        assert_int_equal(secret_read("x", to, sizeof(to)), -EMSGSIZE);
        for (size_t i = 0; i < sizeof(to); i++)
                assert_int_equal(to[i], 0); /* wiped */
        feed("ab\0cd\n", 6);
        assert_int_equal(secret_read("x", to, sizeof(to)), -EBADMSG);
}

/* What a person at a terminal who types WORDS sees, and what secret_read() gives. */
static int at_terminal(const char *words, char *seen, size_t size)
{
        size_t len = 0;
        int fd, status;
        ssize_t n;
        pid_t pid = forkpty(&fd, NULL, NULL, NULL);

        if (pid == 0) {
                char to[64];
                int r = secret_read("word", to, sizeof(to));

                _exit(r == 6 && strcmp(to, "sesame") == 0 ? 0 : r == -EBADMSG ? 1 : 2);
        }
        assert_true(pid > 0);
        for (const char *at = words; *at != 0;) { /* a line for each question, once it is asked */
                size_t line = strcspn(at, "\n") + 1;

                n = read(fd, seen + len, size - len - 1);
                assert_true(n > 0);
                len += (size_t)n;
                if (seen[len - 2] != ':')
                        continue;
                assert_int_equal(write(fd, at, line), line);
                at += line;
        }
        while ((n = read(fd, seen + len, size - len - 1)) > 0)
                len += (size_t)n;
        seen[len] = '\0';
        assert_int_equal(waitpid(pid, &status, 0), pid);
        close(fd);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_terminal_shows_nothing(void **state)
{
        char seen[1024];

        assert_int_equal(at_terminal("sesame\nsesame\n", seen, sizeof(seen)), 0);
        assert_non_null(strstr(seen, "word: "));
        assert_non_null(strstr(seen, "word, again: "));
        assert_null(strstr(seen, "sesam"));
        assert_int_equal(at_terminal("sesame\nsesamo\n", seen, sizeof(seen)), 1);
        assert_non_null(strstr(seen, "not twice the same"));
        assert_null(strstr(seen, "sesam"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_pin),
                cmocka_unit_test(test_pins_one_slip_apart),
                cmocka_unit_test(test_pins_equal_the_obvious_way),
                cmocka_unit_test(test_lines),
                cmocka_unit_test(test_terminal_shows_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
