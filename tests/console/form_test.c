#include "tests/console/support.h"

#include "console/form.h"

#define JSON "application/json"
#define FORM "application/x-www-form-urlencoded; charset=utf-8"

static void test_cases(void **state)
{
        static const struct {
                const char *type, *body, *login, *password; /* login NULL: refused */
        } cases[] = {
                { JSON, "{\"login\":\"paul\",\"password\":\"s3cret é\"}", "paul", "s3cret é" },
                { "Application/JSON; charset=utf-8", "{\"login\":\"paul\",\"password\":\"x\"}", "paul", "x" },
                { JSON, "{\"login\":\"<script>\",\"password\":\"x\"}", "", "x" },
                { JSON, "{\"login\":\"012345678901234567890123456789012\",\"password\":\"x\"}", "", "x" },
                { JSON, "{\"login\":\"paul\"}", NULL, NULL },
                { JSON, "{\"login\":\"paul\",\"password\":7}", NULL, NULL },
                { JSON, "{\"login\":\"a\",\"login\":\"b\",\"password\":\"x\"}", NULL, NULL },
                { JSON, "{\"login\":\"paul\",\"password\":\"a\\u0000b\"}", NULL, NULL },
                { JSON, "[]", NULL, NULL },
                { JSON, "", NULL, NULL },
                { FORM, "login=paul&password=a%26b+c", "paul", "a&b c" },
                { FORM, "password=x&login=paul&other=1", "paul", "x" },
                { FORM, "login=p%61ul&password=%C3%A9", "paul", "é" },
                { FORM, "login=paul&password=x&password=y", NULL, NULL },
                { FORM, "login=paul&password=%0", NULL, NULL },
                { FORM, "login=paul&password=%zz", NULL, NULL },
                { FORM, "login=paul&password=a%00b", NULL, NULL },
                { FORM, "login=paul", NULL, NULL },
                { FORM, "", NULL, NULL },
                { "text/plain", "login=paul&password=x", NULL, NULL },
                { "application/jsonx", "{\"login\":\"paul\",\"password\":\"x\"}", NULL, NULL },
                { "", "login=paul&password=x", NULL, NULL },
        };
        struct form form;

        for (size_t i = 0; i < COUNT(cases); i++) {
                int r = form_read(cases[i].type, cases[i].body, strlen(cases[i].body), &form);

                if (r != (cases[i].login != NULL ? 0 : -EINVAL))
                        fail_msg("%s %s: %d", cases[i].type, cases[i].body, r);
                if (r < 0)
                        continue;
                assert_string_equal(form.login, cases[i].login);
                assert_string_equal(form.password, cases[i].password);
        }
}

static void test_longest_password(void **state)
{
        char body[1024], password[PASSWORD_MAX + 2];
        struct form form;

        memset(password, 'x', sizeof(password));
        password[PASSWORD_MAX] = '\0';
        snprintf(body, sizeof(body), "login=p&password=%s", password);
        assert_int_equal(form_read(FORM, body, strlen(body), &form), 0);
        assert_string_equal(form.password, password);
        strcat(body, "x");
        assert_int_equal(form_read(FORM, body, strlen(body), &form), -EINVAL);
        snprintf(body, sizeof(body), "{\"login\":\"p\",\"password\":\"%sx\"}", password);
        assert_int_equal(form_read(JSON, body, strlen(body), &form), -EINVAL);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_cases), cmocka_unit_test(test_longest_password) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
