/* The configuration: defaults, what is refused, and the man page beside it. */
#include "tests/wire/octets.h"

#include <stdio.h>

#include "device/door/config.h"
#include "tests/base/man_page.h"

#define GOOD                                                                                                 \
        "[region]\nname = r\n[door]\nkey = k\nmandate = m\n[trust]\npath = t\nroot = r\n[state]\npath = s\n" \
        "[open]\ncommand = /bin/latch open 4\n"

static int parse(const char *override, struct config *config, char *errors)
{
        const struct conf_source source = { .text = GOOD,
                                            .len = strlen(GOOD),
                                            .file = "test.conf",
                                            .overrides = &override,
                                            .override_count = override != NULL };

        return conf_parse(config_table(), &source, config, errors);
}

static void good(void **state)
{
        struct config config;
        char errors[CONF_ERRORS_SIZE];

        assert_int_equal(parse(NULL, &config, errors), 0);
        assert_false(config.sensitive || config.degraded);
        assert_int_equal(config.log_files, 16);
        assert_int_equal(config.timeout_ms, 10000);
        assert_int_equal(config.command.count, 3);
        assert_string_equal(config.scanner, "-");
        assert_int_equal(parse("log.files=1000", &config, errors), 0);
        assert_int_equal(parse("scanner.baud=115200", &config, errors), 0);
}

static void refused(void **state)
{
        static const char *const bad[] = { "log.level=loud",   "log.files=1",         "log.files=1001",
                                           "open.command=",    "open.command=latch",  "open.timeout=99ms",
                                           "open.timeout=61s", "scanner.baud=9601",   "region.name=",
                                           "door.key=",        "door.sensitive=maybe" };
        struct config config;
        char errors[CONF_ERRORS_SIZE];

        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                if (parse(bad[i], &config, errors) == 0)
                        fail_msg("%s was taken", bad[i]);
                assert_true(errors[0] != 0);
        }
}

static void man_page(void **state)
{
        man_page_check("ops/man/vigie-door.8", config_table());
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(good), cmocka_unit_test(refused),
                                            cmocka_unit_test(man_page) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
