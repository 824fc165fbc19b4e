/* The configuration: defaults, what is refused and in which words, and the man page beside it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dispatcher/config.h"
#include "tests/base/man_page.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define GOOD                                                                                                         \
        "[region]\nname = r\n[dispatcher]\nname = d1\n[tls]\ncertificate = c\nkey = k\nclient_ca = a\nticket_key = " \
        "t\n[alerts]\naddress = /run/a.sock\n[positions]\naddress = localhost:6379\n[journal]\npath = j\n"           \
        "[zones]\npath = z\n[receipt]\nkey = r\n[trust]\npath = t\nroot = root.pem\n"

static int parse(const char *override, struct config *config, char *errors)
{
        const char *overrides[] = { override };
        const struct conf_source source = { .text = GOOD,
                                            .len = strlen(GOOD),
                                            .file = "test.conf",
                                            .overrides = overrides,
                                            .override_count = override != NULL };

        return conf_parse(config_table(), &source, config, errors);
}

static void test_good(void **state)
{
        struct config config;
        char errors[CONF_ERRORS_SIZE];

        assert_int_equal(parse(NULL, &config, errors), 0);
        assert_int_equal(config.listen_port, 8443);
        assert_string_equal(config.trust_root, "root.pem");
        assert_false(config.alerts_only);
        assert_int_equal(config.drain_percent, 1);
        assert_int_equal(config.overdue_ms, 15 * 60000);
        assert_int_equal(config.overdue_no_coverage_ms, 60 * 60000);
        assert_int_equal(config.question_ms, 2 * 60000);
        assert_int_equal(parse("silence.overdue=1s", &config, errors), 0);
        assert_int_equal(config.overdue_ms, 1000);
        assert_int_equal(parse("drain.percent=100", &config, errors), 0);
        assert_int_equal(parse("alerts.address=[::1]:6379", &config, errors), 0);
}

/* SMS is off, or wholly said. */
static void test_sms(void **state)
{
        static const char *const bad[] = { "sms.secret=",
                                           "sms.secret=012345678901234",
                                           "sms.secret=0123456789abcde&",
                                           "sms.url=localhost:13013",
                                           "sms.user=",
                                           "sms.password=",
                                           "sms.from=",
                                           "sms.from=vigie" };
        const char *overrides[] = { "sms.port=15000",
                                    "sms.secret=0123456789abcdef",
                                    "sms.url=http://localhost/",
                                    "sms.user=vigie",
                                    "sms.password=p",
                                    "sms.from=36000",
                                    "sms.language=en",
                                    "control.number=+33478000001",
                                    "sms.language=en" };
        struct conf_source source = { .text = GOOD,
                                      .len = strlen(GOOD),
                                      .file = "test.conf",
                                      .overrides = overrides,
                                      .override_count = COUNT(overrides) };
        struct config config;
        char errors[CONF_ERRORS_SIZE];

        assert_int_equal(conf_parse(config_table(), &source, &config, errors), 0);
        assert_int_equal(config.sms_port, 15000);
        assert_string_equal(config.control_number, "+33478000001");
        for (size_t i = 0; i < COUNT(bad); i++) {
                overrides[COUNT(overrides) - 1] = bad[i];
                if (conf_parse(config_table(), &source, &config, errors) != -EINVAL)
                        fail_msg("%s", bad[i]);
                if (strncmp(strstr(errors, "sms."), bad[i], 7) != 0)
                        fail_msg("%s: %s", bad[i], errors);
        }
}

static void test_bad(void **state)
{
        static const struct {
                const char *override, *says;
        } cases[] = {
                { "alerts.address=localhost", "alerts.address: 'localhost' is neither /unix/socket nor host:port" },
                { "positions.address=localhost:0", "positions.address: 'localhost:0'" },
                { "positions.address=::1:6379", "positions.address" },
                { "region.name=a b", "region.name" },
                { "drill.people=paul, p/q", "drill.people: 'p/q'" },
                { "log.level=loud", "log.level" },
                { "sms.language=de", "sms.language" },
                { "control.number=0612345678", "control.number" },
                { "sms.port=15000", "sms.secret" },
                { "drain.percent=0", "drain.percent" },
                { "drain.percent=101", "drain.percent" },
                { "silence.overdue=999ms", "silence.overdue" },
                { "silence.overdue=61min", "silence.no_coverage: at least silence.overdue" },
                { "silence.question=0", "silence.question" },
                { "silence.no_coverage=25h", "silence.no_coverage" },
        };
        struct config config;
        char errors[CONF_ERRORS_SIZE];

        for (size_t i = 0; i < COUNT(cases); i++) {
                if (parse(cases[i].override, &config, errors) != -EINVAL)
                        fail_msg("%s", cases[i].override);
                if (strstr(errors, cases[i].says) == NULL)
                        fail_msg("%s: %s", cases[i].override, errors);
        }
}

/* The man page names every key, and no other. */
static void test_man_page(void **state)
{
        man_page_check("ops/man/vigie-dispatcher.8", config_table());
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),
                cmocka_unit_test(test_sms),
                cmocka_unit_test(test_bad),
                cmocka_unit_test(test_man_page),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
