#include "tests/console/support.h"

#include "console/config.h"

#define GOOD \
        "[region]\nname = lyon\n[tls]\ncertificate = c.pem\nkey = k.pem\n[web]\norigins = https://desk.example\n" \
        "[alerts]\naddress = /run/a.sock\n[positions]\naddress = localhost:6379\n"

static int parse(const char *override, struct config *config, char *errors)
{
        const char *overrides[] = { override };
        const struct conf_source source = { .text = GOOD, .len = strlen(GOOD), .file = "test.conf", .overrides = overrides,
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
        const struct conf_table *table = config_table();
        FILE *file = fopen("ops/man/vigie-console.8", "r");
        static char text[65536];
        size_t len, named = 0;
        char word[128];

        assert_non_null(file);
        len = fread(text, 1, sizeof(text) - 1, file);
        text[len] = '\0';
        fclose(file);
        for (size_t i = 0; i < table->count; i++) {
                snprintf(word, sizeof(word), "\n.B %s\n", table->options[i].key);
                if (strstr(text, word) == NULL)
                        fail_msg("ops/man/vigie-console.8 does not say %s", table->options[i].key);
        }
        for (const char *p = text; (p = strstr(p, "\n.B ")) != NULL; p++)
                named += strchr(p + 4, '.') != NULL && strchr(p + 4, '.') < strchr(p + 4, '\n');
        assert_int_equal(named, table->count);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_good), cmocka_unit_test(test_bad), cmocka_unit_test(test_man_page) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
