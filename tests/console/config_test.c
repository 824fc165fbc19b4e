#include "tests/console/support.h"

#include "console/config.h"
#include "tests/base/man_page.h"

#define GOOD                                                                                                      \
        "[region]\nname = lyon\n[tls]\ncertificate = c.pem\nkey = k.pem\n[web]\norigins = https://desk.example\n" \
        "[alerts]\naddress = /run/a.sock\n[positions]\naddress = localhost:6379\n"

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
        assert_int_equal(config.listen_port, 8444);
        assert_int_equal(config.session_term_ms, 12 * 3600000);
        assert_int_equal(config.session_idle_ms, 1800000);
        assert_string_equal(config.alerts.address, "/run/a.sock");
        assert_string_equal(config.positions.address, "localhost:6379");
}

static void test_bad(void **state)
{
        static const struct {
                const char *override, *says;
        } cases[] = {
                { "web.origins=http://desk.example", "web.origins" },
                { "web.origins=https://a https://b/", "web.origins" },
                { "web.frame_ancestors=*", "web.frame_ancestors" },
                { "map.tile_url=https://t.example/tiles.png", "map.tile_url" },
                { "alerts.address=", "alerts" },
                { "alerts.address=localhost", "alerts.address: 'localhost' is neither /unix/socket nor host:port" },
                { "positions.address=localhost:x", "positions.address" },
                { "region.name=a b", "region.name" },
                { "log.level=loud", "log.level" },
                { "session.idle=1s", "session.idle" },
                { "listen.port=65536", "listen.port" },
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
        man_page_check("ops/man/vigie-console.8", config_table());
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_good), cmocka_unit_test(test_bad),
                                            cmocka_unit_test(test_man_page) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
