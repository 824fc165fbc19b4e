#include "tests/console/support.h"

#include "base/hex.h"
#include "console/session.h"

#define TOKEN "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_token(void **state)
{
        char a[SESSION_TOKEN_SIZE], b[SESSION_TOKEN_SIZE];
        uint8_t bits[32];

        assert_int_equal(session_token(a), 0);
        assert_int_equal(session_token(b), 0);
        assert_string_not_equal(a, b);
        assert_int_equal(hex_decode(a, bits, sizeof(bits)), 0);
}

static void test_hash_is_sha256(void **state)
{
        uint8_t hash[SESSION_HASH_SIZE];
        char hex[2 * SESSION_HASH_SIZE + 1];

        assert_int_equal(session_hash("abc", hash), 0);
        hex_encode(hash, sizeof(hash), hex);
        assert_string_equal(hex,
                            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"); /* FIPS 180-4, B.1 */
}

static void test_cookies(void **state)
{
        static const struct {
                const char *cookies;
                int result;
        } cases[] = {
                { "__Host-vigie=" TOKEN, 0 },
                { "a=b; __Host-vigie=" TOKEN "; c=d", 0 },
                { "", -ENOENT },
                { "a=b", -ENOENT },
                { "x__Host-vigie=" TOKEN, -ENOENT },
                { "__Host-Vigie=" TOKEN, -ENOENT },
                { "__Host-vigie=", -EINVAL },
                { "__Host-vigie=" TOKEN "0", -EINVAL },
                { "__Host-vigie=\"" TOKEN "\"", -EINVAL },
                { "__Host-vigie=0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef", -EINVAL },
                { "__Host-vigie=" TOKEN "; __Host-vigie=" TOKEN, -EINVAL },
        };
        char token[SESSION_TOKEN_SIZE];

        for (size_t i = 0; i < COUNT(cases); i++) {
                int r = session_from_cookies(cases[i].cookies, token);

                if (r != cases[i].result)
                        fail_msg("%s: %d", cases[i].cookies, r);
                if (r == 0)
                        assert_string_equal(token, TOKEN);
        }
}

static void test_set_cookie(void **state)
{
        char text[SESSION_SET_COOKIE_SIZE];

        session_set_cookie(TOKEN, 43200, text);
        assert_string_equal(text, "__Host-vigie=" TOKEN "; Path=/; Max-Age=43200; Secure; HttpOnly; SameSite=Strict");
        session_set_cookie(NULL, 5, text);
        assert_string_equal(text, "__Host-vigie=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict");
}

static void test_ttl(void **state)
{
        const struct session s = { .begun_ms = 1000, .ends_ms = 10000 };

        assert_int_equal(session_ttl_ms(&s, 3000, 1000), 3000);
        assert_int_equal(session_ttl_ms(&s, 3000, 8000), 2000);
        assert_int_equal(session_ttl_ms(&s, 3000, 10000), 0);
        assert_int_equal(session_ttl_ms(&s, 3000, 99999), 0);
}

static void test_entry(void **state)
{
        struct session in = { .login = "paul", .begun_ms = 1700000000000, .ends_ms = 1700043200000 }, out;
        uint8_t buf[SESSION_ENTRY_MAX];
        int n;

        memset(in.login, 'x', PERSON_ID_MAX); /* the longest */
        n = session_encode(&in, buf, sizeof(buf));
        assert_true(n > 0);
        assert_int_equal(session_decode(buf, (size_t)n, &out), 0);
        assert_string_equal(in.login, out.login);
        assert_int_equal(in.begun_ms, out.begun_ms);
        assert_int_equal(in.ends_ms, out.ends_ms);
        for (int cut = 0; cut < n; cut++)
                assert_int_equal(session_decode(buf, (size_t)cut, &out), -EBADMSG);
        assert_int_equal(session_encode(&in, buf, 10), -ENOBUFS);
        assert_int_equal(session_decode((const uint8_t *)"\x84\x02\x61x\x01\x02", 6, &out), -EPROTONOSUPPORT);
        assert_int_equal(session_decode((const uint8_t *)"\x85\x01\x61x\x01\x02\xf6", 7, &out), 0); /* a newer field */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_token),   cmocka_unit_test(test_hash_is_sha256),
                cmocka_unit_test(test_cookies), cmocka_unit_test(test_set_cookie),
                cmocka_unit_test(test_ttl),     cmocka_unit_test(test_entry),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
