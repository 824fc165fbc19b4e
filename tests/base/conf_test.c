#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"

struct config {
        char name[8];
        char path[64];
        int64_t port, lease_ms;
        bool drill;
        struct conf_list redis;
};

static const struct conf_option options[] = {
        CONF_STRING(struct config, name, "region.name", 1, NULL, "the region's short name"),
        CONF_PATH(struct config, path, "log.path", "", "where to"),
        CONF_INT(struct config, port, "listen.port", 1, 65535, "8443", "TCP port"),
        CONF_DURATION(struct config, lease_ms, "presence.lease", 1000, 600000, "30s", "lease"),
        CONF_BOOL(struct config, drill, "drill.allowed", "yes", "drills"),
        CONF_LIST(struct config, redis, "store.addresses", 1, 3, "/run/redis.sock", "addresses"),
};

static int check(const void *data, char *why, size_t why_size)
{
        const struct config *config = data;

        if (config->port != 13)
                return 0;
        snprintf(why, why_size, "listen.port 13 brings bad luck");
        return -EINVAL;
}

static const struct conf_table table = { .program = "vigie-test",
                                         .usage = "",
                                         .summary = "a test",
                                         .options = options,
                                         .count = sizeof(options) / sizeof(options[0]),
                                         .config_size = sizeof(struct config),
                                         .check = check };

static struct config config;
static char errors[CONF_ERRORS_SIZE];

static int parse_with(const char *text, size_t len, const char *const *overrides, size_t count)
{
        const struct conf_source source = {
                .text = text, .len = len, .file = "test.conf", .overrides = overrides, .override_count = count
        };

        memset(&config, 0x5a, sizeof(config));
        return conf_parse(&table, &source, &config, errors);
}

static int parse(const char *text)
{
        return parse_with(text, strlen(text), NULL, 0);
}

static void is_untouched(void)
{
        for (size_t i = 0; i < sizeof(config); i++)
                assert_int_equal(((unsigned char *)&config)[i], 0x5a);
}

/* TEXT is refused with exactly ERROR, and nothing is applied. */
static void refused(const char *text, const char *error)
{
        assert_int_equal(parse(text), -EINVAL);
        assert_string_equal(errors, error);
        is_untouched();
}

static void reads_all_types(void **state)
{
        assert_int_equal(parse("; a comment\n"
                               "[region]\nname = Lyon-3 ; and one more\n\n"
                               "[log]\r\npath: /var/log/x y\r\n"
                               "[listen]\nport=443\n"
                               "  # an indented comment\n"
                               "[presence]\nlease\t=\t2min\n"
                               "[drill]\nallowed = off\n"
                               "[store] ; two\naddresses = 127.0.0.1:6379, /run/b.sock  [::1]:7"),
                         0);
        assert_string_equal(errors, "");
        assert_string_equal(config.name, "Lyon-3");
        assert_string_equal(config.path, "/var/log/x y");
        assert_int_equal(config.port, 443);
        assert_int_equal(config.lease_ms, 120000);
        assert_false(config.drill);
        assert_int_equal(config.redis.count, 3);
        assert_string_equal(config.redis.item[0], "127.0.0.1:6379");
        assert_string_equal(config.redis.item[1], "/run/b.sock");
        assert_string_equal(config.redis.item[2], "[::1]:7");
}

static void defaults_are_taken(void **state)
{
        assert_int_equal(parse("\xef\xbb\xbf[region]\nname=x\n"), 0);
        assert_string_equal(config.path, "");
        assert_int_equal(config.port, 8443);
        assert_int_equal(config.lease_ms, 30000);
        assert_true(config.drill);
        assert_string_equal(config.redis.item[0], "/run/redis.sock");
}

static void every_mistake_is_told(void **state)
{
        refused("[region]\n"
                "nom = x\n"
                "[listen]\n"
                "port = 70000\n"
                "port = 80\n"
                "[presence]\n"
                "lease = 5\n",
                "test.conf:2: region.nom: there is no such key\n"
                "test.conf:4: listen.port: must be a whole number, 1 to 65535\n"
                "test.conf:5: listen.port: given already in line 4\n"
                "test.conf:7: presence.lease: must be a duration (ms, s, min, h, d), 1s to 10min\n"
                "test.conf: region.name: must be given: the region's short name\n");
}

#define GOOD "[region]\nname=x\n"

static void bounds_are_kept(void **state)
{
        static const struct {
                const char *text;
                bool good;
        } cases[] = {
                { "[listen]\nport=1", true },
                { "[listen]\nport=0", false },
                { "[listen]\nport=65535", true },
                { "[listen]\nport=65536", false },
                { "[listen]\nport=-1", false },
                { "[listen]\nport=+1", false },
                { "[listen]\nport=", false },
                { "[listen]\nport=1x", false },
                { "[listen]\nport=0x10", false },
                { "[listen]\nport=1 2", false },
                { "[listen]\nport=99999999999999999999999", false },
                { "[presence]\nlease=1s", true },
                { "[presence]\nlease=1000ms", true },
                { "[presence]\nlease=999ms", false },
                { "[presence]\nlease=10min", true },
                { "[presence]\nlease=601s", false },
                { "[presence]\nlease=1h", false },
                { "[presence]\nlease=1m", false },
                { "[presence]\nlease=1 s", false },
                { "[presence]\nlease=-5s", false },
                { "[presence]\nlease=0", false },
                { "[presence]\nlease=5", false },
                { "[presence]\nlease=9223372036854775807d", false },
                { "[drill]\nallowed=true", true },
                { "[drill]\nallowed=1", true },
                { "[drill]\nallowed=maybe", false },
                { "[drill]\nallowed=", false },
                { "[store]\naddresses=a", true },
                { "[store]\naddresses=", false },
                { "[store]\naddresses=,", false },
                { "[store]\naddresses=a,b,c", true },
                { "[store]\naddresses=a,b,c,d", false },
                { "[log]\npath=", true },
                { "[log]\npath=/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s/t/u/v/w/x/y/z/0/1/2/3/4", true },
                { "[log]\npath=/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s/t/u/v/w/x/y/z/0/1/2/3/4/", true },
                { "[log]\npath=/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s/t/u/v/w/x/y/z/0/1/2/3/4/5", false },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                char text[256];

                snprintf(text, sizeof(text), GOOD "%s\n", cases[i].text);
                if (parse(text) != (cases[i].good ? 0 : -EINVAL))
                        fail_msg("%s", cases[i].text);
        }
        assert_int_equal(parse("[region]\nname=1234567\n"), 0);
        assert_int_equal(parse("[region]\nname=12345678\n"), -EINVAL);
        assert_int_equal(parse("[region]\nname=\n"), -EINVAL);
}

static void odd_lines_are_refused(void **state)
{
        char text[512] = GOOD;

        refused(GOOD "name\n", "test.conf:3: neither [section] nor key = value\n");
        refused(GOOD "[listen\nport=1\n", "test.conf:3: [ without ]\n"
                                          "test.conf:4: region.port: there is no such key\n");
        refused(GOOD "[listen] port=1\n", "test.conf:3: only a comment may follow [section]\n");
        refused(GOOD " more\n", "test.conf:3: a line may not begin with a blank\n");
        refused(GOOD "[log]\npath=a\x01\n", "test.conf:4: must be UTF-8 without control characters\n");
        refused(GOOD "[log]\npath=\xff\n", "test.conf:4: must be UTF-8 without control characters\n");
        refused("name=x\n", "test.conf:1: name: there is no such key\n"
                            "test.conf: region.name: must be given: the region's short name\n");
        assert_int_equal(parse_with(GOOD "[log]\npath=a\0b\n", strlen(GOOD) + 15, NULL, 0), -EINVAL);
        assert_string_equal(errors, "test.conf:4: must be UTF-8 without control characters\n");
        /* one octet more than the longest line; the longest one ends in a comment */
        strcat(text, "[log]\npath = a ;");
        memset(text + strlen(text), 'x', CONF_LINE_MAX - 10);
        assert_int_equal(parse(text), 0);
        assert_string_equal(config.path, "a");
        strcat(text, "x\n[drill]\nallowed=no\n");
        refused(text, "test.conf:4: the line is too long: at most 197 octets\n");
}

static void overrides_replace(void **state)
{
        static const char *const overrides[] = { "listen.port=1", "region.name=B", "listen.port=2" };
        static const char *const wrong[] = { "listen.port=0", "x.y=z", "region.name", "log.path=a\nb" };

        assert_int_equal(parse_with(GOOD, strlen(GOOD), overrides, 3), 0);
        assert_string_equal(config.name, "B");
        assert_int_equal(config.port, 2);
        assert_int_equal(parse_with(NULL, 0, overrides, 3), 0);
        assert_int_equal(parse_with(GOOD, strlen(GOOD), wrong, 4), -EINVAL);
        assert_string_equal(errors, "-o: listen.port: must be a whole number, 1 to 65535\n"
                                    "-o: x.y: there is no such key\n"
                                    "-o: region.name: must be section.key=value\n"
                                    "-o: must be UTF-8 without control characters\n");
        is_untouched();
}

static void the_programs_own_rule_is_asked(void **state)
{
        refused(GOOD "[listen]\nport=13\n", "test.conf: listen.port 13 brings bad luck\n");
        /* it sees good values only */
        refused(GOOD "[listen]\nport=13\n[drill]\nallowed=perhaps\n",
                "test.conf:6: drill.allowed: must be yes or no\n");
}

/* More mistakes than fit: the rest is counted. */
static void errors_are_bounded(void **state)
{
        char text[8000] = "[no]\n";
        size_t len;
        int shown = 0;
        unsigned more = 0;

        for (int i = 0; i < 500; i++)
                sprintf(text + strlen(text), "key%d = 1\n", i);
        assert_int_equal(parse(text), -EINVAL);
        len = strlen(errors);
        assert_true(len < CONF_ERRORS_SIZE && len > CONF_ERRORS_SIZE / 2);
        for (const char *at = errors; (at = strchr(at, '\n')) != NULL; at++)
                shown++;
        assert_int_equal(sscanf(strstr(errors, "and "), "and %u more\n", &more), 1);
        assert_int_equal(shown - 1 + more, 501);
}

static void a_file_too_large_is_refused(void **state)
{
        char *text = malloc(CONF_FILE_MAX + 1);

        memset(text, '\n', CONF_FILE_MAX + 1);
        memcpy(text, GOOD, strlen(GOOD));
        assert_int_equal(parse_with(text, CONF_FILE_MAX, NULL, 0), 0);
        assert_int_equal(parse_with(text, CONF_FILE_MAX + 1, NULL, 0), -EINVAL);
        free(text);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(reads_all_types),
                cmocka_unit_test(defaults_are_taken),
                cmocka_unit_test(every_mistake_is_told),
                cmocka_unit_test(bounds_are_kept),
                cmocka_unit_test(odd_lines_are_refused),
                cmocka_unit_test(overrides_replace),
                cmocka_unit_test(the_programs_own_rule_is_asked),
                cmocka_unit_test(errors_are_bounded),
                cmocka_unit_test(a_file_too_large_is_refused),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
