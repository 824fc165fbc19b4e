#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/redis_address.h"

static void one_place(void **state)
{
        struct redis_address a;

        assert_int_equal(redis_address_parse("localhost:65535", &a), 0);
        assert_int_equal(a.count, 1);
        assert_string_equal(a.name, "");
        assert_string_equal(a.place[0].host, "localhost");
        assert_int_equal(a.place[0].port, 65535);
        assert_int_equal(redis_address_parse("[::1]:1", &a), 0);
        assert_string_equal(a.place[0].host, "::1");
        assert_int_equal(redis_address_parse("/run/vigie/alerts.sock", &a), 0);
        assert_string_equal(a.place[0].host, "/run/vigie/alerts.sock");
        assert_int_equal(a.place[0].port, 0);
}

static void sentinels(void **state)
{
        struct redis_address a;

        assert_int_equal(redis_address_parse("sentinel:alerts-1.x_y@10.0.0.1:26379,[fd00::2]:26379,c:1", &a), 0);
        assert_string_equal(a.name, "alerts-1.x_y");
        assert_int_equal(a.count, 3);
        assert_string_equal(a.place[0].host, "10.0.0.1");
        assert_string_equal(a.place[1].host, "fd00::2");
        assert_int_equal(a.place[1].port, 26379);
        assert_string_equal(a.place[2].host, "c");
        assert_int_equal(a.place[2].port, 1);
        assert_int_equal(redis_address_parse("sentinel:a@b:1", &a), 0);
        assert_int_equal(a.count, 1);
}

static void wrong_ones(void **state)
{
        static const char *const wrong[] = {
                "",
                "localhost",
                "localhost:",
                "localhost:0",
                "localhost:65536",
                "localhost:100000",
                ":1",
                "a:+1",
                "::1:6379",
                "[]:6379",
                "[a:1",
                "a b:1",
                "a/b:1",
                "a@b:1",
                "a,b:1",
                "sentinel:",
                "sentinel:@a:1",
                "sentinel:alerts",
                "sentinel:alerts@",
                "sentinel:alerts@a:1,",
                "sentinel:alerts@,a:1",
                "sentinel:alerts@/run/sock",
                "sentinel:al erts@a:1",
                "sentinel:alerts@a:1,b",
                "sentinel:alerts@a:1,b:1,a:1",
        };
        struct redis_address a;

        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
                if (redis_address_parse(wrong[i], &a) != -EINVAL)
                        fail_msg("'%s' is not refused", wrong[i]);
}

/* longest: a text whose part has N octets, between HEAD and TAIL. */
static const char *longest(const char *head, int n, const char *tail, char *to, size_t size)
{
        snprintf(to, size, "%s%0*d%s", head, n, 0, tail);
        return to;
}

static void bounds(void **state)
{
        static const struct {
                const char *head, *tail;
                int most;
        } rows[] = {
                { "/", "", REDIS_SOCKET_MAX - 1 },
                { "", ":1", REDIS_HOST_SIZE - 1 },
                { "sentinel:", "@a:1", REDIS_NAME_MAX },
                { "sentinel:a@", ":1", REDIS_HOST_SIZE - 1 },
        };
        char text[400];
        struct redis_address a;

        for (int i = 0; i < 8; i++) {
                longest(rows[i / 2].head, rows[i / 2].most + i % 2, rows[i / 2].tail, text, sizeof(text));
                assert_int_equal(redis_address_parse(text, &a), i % 2 == 0 ? 0 : -E2BIG);
        }
        strcpy(text, "sentinel:a@b:1");
        for (int i = 2; i <= REDIS_SENTINELS_MAX; i++)
                snprintf(text + strlen(text), 16, ",b:%d", i);
        assert_int_equal(redis_address_parse(text, &a), 0);
        assert_int_equal(a.count, REDIS_SENTINELS_MAX);
        strcat(text, ",c:1");
        assert_int_equal(redis_address_parse(text, &a), -E2BIG);
        assert_int_equal(a.count, REDIS_SENTINELS_MAX); /* not written */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(one_place),
                cmocka_unit_test(sentinels),
                cmocka_unit_test(wrong_ones),
                cmocka_unit_test(bounds),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
