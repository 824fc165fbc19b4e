#include "ops/vigie/conf_text.h"

#include <errno.h>
#include <string.h>

#include "base/conf.h"
#include "tests/geo/cmocka_first.h"

struct config {
        char value[512];
};
static const struct conf_option options[] = { CONF_STRING(struct config, value, "part.key", 0, NULL, "a value") };
static const struct conf_table table = { "test", "", "", NULL, options, 1, sizeof(struct config), NULL };

/* Write VALUE, and read it back with what daemons read with.  Returns 0 or what was wrong in writing. */
static int round_trip(const char *value)
{
        static struct conf_text text;
        struct config config;
        char errors[CONF_ERRORS_SIZE];

        conf_text_init(&text, "; a comment\n; of two lines");
        conf_text_section(&text, "part");
        conf_text_key(&text, "key", "%s", value);
        if (text.error < 0)
                return text.error;
        if (conf_parse(&table, &(struct conf_source){ .text = text.text, .len = text.len, .file = "file" }, &config,
                       errors) < 0)
                fail_msg("%s", errors);
        assert_string_equal(config.value, value);
        return 0;
}

static void test_what_is_written_is_read(void **state)
{
        static const char *const good[] = { "",      "a",     "a b", "a;b", "/srv/Vigie été/ca.pem",
                                            "\"q\"", "a = b", "[a]", "#a",  "a #b" };

        for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
                assert_int_equal(round_trip(good[i]), 0);
}

static void test_what_would_not_be_is_refused(void **state)
{
        static const char *const bad[] = {
                " a", "a ", "\ta", "a ;b", "a\t;b", ";a", "a\nb", "a\rb", "\033", "\xff", " "
        };

        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                assert_int_equal(round_trip(bad[i]), -EINVAL);
}

static void test_longest_line(void **state)
{
        char value[CONF_LINE_MAX + 1];

        memset(value, 'a', sizeof(value));
        value[CONF_LINE_MAX - strlen("key = ")] = '\0';
        assert_int_equal(round_trip(value), 0);
        value[CONF_LINE_MAX - strlen("key = ")] = 'a';
        value[CONF_LINE_MAX - strlen("key = ") + 1] = '\0';
        assert_int_equal(round_trip(value), -EINVAL);
}

static void test_one_mistake_is_enough(void **state)
{
        static struct conf_text text;

        conf_text_init(&text, "");
        conf_text_key(&text, "key", "%s", "a\nb");
        conf_text_key(&text, "key", "%s", "good");
        assert_int_equal(text.error, -EINVAL);
        assert_int_equal(text.len, 0);
}

static void test_full(void **state)
{
        static struct conf_text text;
        size_t lines = 0;

        conf_text_init(&text, "");
        for (; text.error == 0; lines++)
                conf_text_key(&text, "key", "value"); /* 12 octets */
        assert_int_equal(text.error, -ENOBUFS);
        assert_in_range(lines, CONF_TEXT_SIZE / 12, CONF_TEXT_SIZE / 12 + 1);
        assert_true(text.len < CONF_TEXT_SIZE);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_is_written_is_read),
                cmocka_unit_test(test_what_would_not_be_is_refused),
                cmocka_unit_test(test_longest_line),
                cmocka_unit_test(test_one_mistake_is_enough),
                cmocka_unit_test(test_full),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
