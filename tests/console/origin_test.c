#include "tests/console/support.h"

#include "console/origin.h"

static void test_valid(void **state)
{
        static const struct {
                const char *text;
                bool valid;
        } cases[] = {
                { "https://desk.example", true },
                { "https://desk.example:8444", true },
                { "https://localhost:0", true },
                { "https://[::1]:8444", true },
                { "https://10.0.0.1", true },
                { "http://desk.example", false },
                { "https://", false },
                { "https://desk.example/", false },
                { "https://desk.example:", false },
                { "https://desk.example:65536", false },
                { "https://desk.example:080", false },
                { "https://Desk.example", false },
                { "https://a@b", false },
                { "https://a;b", false },
                { "https://*.example", false },
                { "https://[::1", false },
                { "", false },
                { "https://a b", false },
        };

        for (size_t i = 0; i < COUNT(cases); i++)
                if (origin_is_valid(cases[i].text) != cases[i].valid)
                        fail_msg("%s", cases[i].text);
}

static void make(const char *a, const char *b, struct origins *origins)
{
        static struct conf_list list;

        list.count = b != NULL ? 2 : 1;
        strcpy(list.item[0], a);
        if (b != NULL)
                strcpy(list.item[1], b);
        origins_init(&list, 8444, origins);
}

static void test_exact(void **state)
{
        struct origins o;

        make("https://desk.example:443", "https://localhost:0", &o);
        assert_true(origins_has(&o, "https://desk.example"));
        assert_true(origins_has(&o, "https://localhost:8444"));
        assert_false(origins_has(&o, "https://desk.example:443"));
        assert_false(origins_has(&o, "https://localhost"));
        assert_false(origins_has(&o, "https://desk.example.evil"));
        assert_false(origins_has(&o, "https://desk.exampl"));
        assert_false(origins_has(&o, "null"));
        assert_false(origins_has(&o, ""));
        assert_false(origins_has(&o, NULL));
        assert_true(origins_has_host(&o, "Desk.Example"));
        assert_true(origins_has_host(&o, "localhost:8444"));
        assert_false(origins_has_host(&o, "localhost:8445"));
        assert_false(origins_has_host(&o, "localhost"));
        assert_false(origins_has_host(&o, ""));
}

static void test_tiles(void **state)
{
        char origin[ORIGIN_SIZE];

        assert_int_equal(origin_of_tiles("https://tiles.example:8080/a/{z}/{x}/{y}.png", origin), 0);
        assert_string_equal(origin, "https://tiles.example:8080");
        assert_int_equal(origin_of_tiles("https://{s}.tiles.example/{z}/{x}/{y}.png", origin), -EINVAL);
        assert_int_equal(origin_of_tiles("https://tiles.example/{z}/{x}.png", origin), -EINVAL);
        assert_int_equal(origin_of_tiles("http://tiles.example/{z}/{x}/{y}.png", origin), -EINVAL);
        assert_int_equal(origin_of_tiles("https://tiles.example; script-src */{z}/{x}/{y}", origin), -EINVAL);
}

static void test_policy(void **state)
{
        struct origins o;
        struct conf_list none = { 0 }, one = { .count = 1 };
        char policy[POLICY_SIZE];

        make("https://localhost:0", NULL, &o);
        assert_int_equal(origin_policy(&o, "", &none, policy), 0);
        assert_string_equal(policy, "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
                                    "connect-src 'self' wss://localhost:8444; base-uri 'none'; form-action 'self'; "
                                    "frame-ancestors 'none'");
        strcpy(one.item[0], "https://demo.example");
        assert_int_equal(origin_policy(&o, "https://t.example/{z}/{x}/{y}", &one, policy), 0);
        assert_non_null(strstr(policy, "img-src 'self' data: https://t.example;"));
        assert_non_null(strstr(policy, "frame-ancestors https://demo.example"));
        assert_null(strstr(policy, "unsafe"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_valid),
                cmocka_unit_test(test_exact),
                cmocka_unit_test(test_tiles),
                cmocka_unit_test(test_policy),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
