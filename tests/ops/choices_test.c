#include "ops/vigie/command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/geo/cmocka_first.h"

/* What is said goes to a file, both streams. */
struct said {
        FILE *file;
        int out, err;
        char text[4096];
};

static int set_up(void **state)
{
        static struct said s;

        s.file = tmpfile();
        s.out = dup(1);
        s.err = dup(2);
        *state = &s;
        return s.file != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
        struct said *s = *state;

        close(s->out);
        close(s->err);
        return fclose(s->file);
}

static void begin(struct said *s)
{
        fflush(stdout);
        assert_int_equal(ftruncate(fileno(s->file), 0), 0);
        rewind(s->file);
        dup2(fileno(s->file), 1);
        dup2(fileno(s->file), 2);
}

/* Give the streams back; R was -EINVAL and the input and the rule were named, or WORDS is NULL and nothing was said. */
static void end(struct said *s, int r, const char *words)
{
        size_t len;

        fflush(stdout);
        dup2(s->out, 1);
        dup2(s->err, 2);
        rewind(s->file);
        len = fread(s->text, 1, sizeof(s->text) - 1, s->file);
        s->text[len] = '\0';
        assert_int_equal(r < 0, words != NULL);
        if (words == NULL)
                assert_string_equal(s->text, "");
        else if (strstr(s->text, words) == NULL)
                assert_string_equal(s->text, words);
}

struct answers {
        const char *name, *word[2];
        bool flag;
};

static int read_all(struct answers *a, int words_wanted, char **argv)
{
        const struct choice list[] = { { "name", &a->name, NULL, "a name" }, { "flag", NULL, &a->flag, "a flag" } };
        int argc = 0;

        while (argv[argc] != NULL)
                argc++;
        return choices_read(&(struct choices){ "thing ...", list, 2, words_wanted }, argc, argv, a->word);
}
#define READ(a, wanted, ...) read_all(a, wanted, (char *[]){ "thing", __VA_ARGS__ __VA_OPT__(, ) NULL })

static void test_options_and_words(void **state)
{
        struct answers a = { 0 };

        assert_int_equal(READ(&a, 0), 0);
        assert_true(a.name == NULL && !a.flag);
        assert_int_equal(READ(&a, 2, "one", "--name", "N", "--flag", "two"), 0);
        assert_string_equal(a.name, "N");
        assert_string_equal(a.word[0], "one");
        assert_string_equal(a.word[1], "two");
        assert_true(a.flag);
        assert_int_equal(READ(&a, 1, "--name=", "--", "--flag"), 0);
        assert_string_equal(a.name, "");
        assert_string_equal(a.word[0], "--flag");
}

static void test_options_refused(void **state)
{
        struct said *s = *state;
        struct answers a = { 0 };

        begin(s);
        end(s, READ(&a, 0, "--nome", "N"), "--nome: no such option");
        begin(s);
        end(s, READ(&a, 0, "--name"), "--name: no such option, or its value is missing");
        begin(s);
        end(s, READ(&a, 0, "--flag=yes"), "--flag=yes: no such option");
        begin(s);
        end(s, READ(&a, 0, "-n"), "-n: no such option");
        begin(s);
        end(s, READ(&a, 0, "word"), "usage: vigie thing");
        begin(s);
        end(s, READ(&a, 2, "word"), "usage: vigie thing");
        begin(s);
        end(s, READ(&a, 0, "--help"), "--name");
        begin(s);
        end(s, READ(&a, 0, "--\033[31m"), "--\\u{1b}[31m: no such option");
}

static void test_texts(void **state)
{
        struct said *s = *state;
        char to[33], number[21];

        begin(s);
        end(s, text_fit("name", "12345678901234567890123456789012", to, 33), NULL);
        begin(s);
        end(s, text_fit("name", "123456789012345678901234567890123", to, 33), "name '1234567890123456789012345678901");
        begin(s);
        end(s, text_fit("name", NULL, to, 33), NULL);
        assert_string_equal(to, "");
        begin(s);
        end(s, text_fit("name", "\033\u202e", to, 33), NULL); /* hostile names pass; what shows them is careful */
        begin(s);
        end(s, text_fit("name", "\xff", to, 33), "name '\\xff': not UTF-8");
        begin(s);
        end(s, id_fit("id", "Lyon-3_a.b", false, to), NULL);
        begin(s);
        end(s, id_fit("id", "", true, to), NULL);
        begin(s);
        end(s, id_fit("id", NULL, false, to), "id '': 1 to 32");
        begin(s);
        end(s, id_fit("id", "a b", true, to), "id 'a b': 1 to 32");
        begin(s);
        end(s, id_fit("id", "é", true, to), "letters, digits");
        begin(s);
        end(s, id_fit("id", "a:b", true, to), "id 'a:b'");
        begin(s);
        end(s, team_fit("team", "Lyon 3e – équipe", to), NULL);
        begin(s);
        end(s, team_fit("team", "a\nb", to), "team 'a\\u{a}b'");
        begin(s);
        end(s, number_fit("+33612345678", number), NULL);
        begin(s);
        end(s, number_fit("0612345678", number), "number '0612345678': '+' and 6 to 15 digits");
        begin(s);
        end(s, number_fit("+1234567890123456", number), "6 to 15 digits");
}

static void test_numbers(void **state)
{
        static const struct bounds bounds = { -5, 100 };
        static const char *const bad[] = { "", "x", "1x", "1 ", "101", "-6", "99999999999999999999", "1.0", "0x1" };
        struct said *s = *state;
        long n;

        assert_int_equal(whole_number("n", "-5", &bounds, &n), 0);
        assert_int_equal(n, -5);
        assert_int_equal(whole_number("n", "100", &bounds, &n), 0);
        assert_int_equal(n, 100);
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                begin(s);
                end(s, whole_number("n", bad[i], &bounds, &n), "a whole number, -5 to 100");
        }
}

static void test_addresses(void **state)
{
        static const char *const bad[] = { "",           "host",    "host:", ":1",   "host:0",
                                           "host:65536", "host:1x", "a b:1", "[]:1", "ho/st:1" };
        struct said *s = *state;
        char host[ADDRESS_HOST_SIZE], path[120];

        assert_int_equal(address_split("a", "redis.example:6379", host), 6379);
        assert_string_equal(host, "redis.example");
        assert_int_equal(address_split("a", "[::1]:443", host), 443);
        assert_string_equal(host, "::1");
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                begin(s);
                end(s, address_split("--servers", bad[i], host), "--servers");
                begin(s);
                end(s, redis_address_check("--alerts", bad[i]), "--alerts");
        }
        assert_int_equal(redis_address_check("a", "host:1"), 0);
        memset(path, 'a', sizeof(path));
        path[0] = '/';
        path[107] = '\0';
        assert_int_equal(redis_address_check("a", path), 0);
        path[107] = 'a';
        path[108] = '\0';
        begin(s);
        end(s, redis_address_check("--alerts", path), "at most 107 octets");
}

static int verb_run(struct region *region, const void *of, int argc, char **argv)
{
        return (int)(intptr_t)of + argc;
}

static void test_verbs(void **state)
{
        const struct verb verbs[] = { { "add", "ID", verb_run, (void *)10 },
                                      { "list", "", verb_run, (void *)20 },
                                      { 0 } };
        struct said *s = *state;

        assert_int_equal(verbs_main(verbs, NULL, 3, (char *[]){ "thing", "add", "x", NULL }), 12);
        assert_int_equal(verbs_main(verbs, NULL, 2, (char *[]){ "thing", "list", NULL }), 21);
        begin(s);
        assert_int_equal(verbs_main(verbs, NULL, 2, (char *[]){ "thing", "ad", NULL }), EXIT_USAGE);
        end(s, -EINVAL, "usage: vigie thing add ID\n       vigie thing list");
        begin(s);
        assert_int_equal(verbs_main(verbs, NULL, 1, (char *[]){ "thing", NULL }), EXIT_USAGE);
        end(s, -EINVAL, "usage: vigie thing add ID");
        assert_int_equal(refused(0), EXIT_DONE);
        assert_int_equal(refused(5), EXIT_DONE);
        assert_int_equal(refused(-EINVAL), EXIT_USAGE);
        assert_int_equal(refused(-EIO), EXIT_REFUSED);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_options_and_words),
                cmocka_unit_test(test_options_refused),
                cmocka_unit_test(test_texts),
                cmocka_unit_test(test_numbers),
                cmocka_unit_test(test_addresses),
                cmocka_unit_test(test_verbs),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
