#include "console/pass_ask.h"

#include "tests/console/support.h"

#define C "\"c\":\"0011223344556677\""
#define A "\"00000000000000aa\""

static int read_text(const char *text, struct pass_ask *ask)
{
        return pass_ask_read(text, strlen(text), ask);
}

static void test_good(void **state)
{
        static const struct {
                const char *text;
                enum pass_verb verb;
        } cases[] = {
                { "{\"t\":\"desk_find\"," C ",\"what\":\"asked\",\"words\":\"\"}", PASS_FIND },
                { "{\"t\":\"desk_get\"," C ",\"what\":\"round\",\"id\":\"bellecour-3\"}", PASS_GET },
                { "{\"t\":\"desk_get\"," C ",\"what\":\"phone\",\"id\":" A "}", PASS_GET },
                { "{\"t\":\"pass_asked\"," C ",\"handset\":" A ",\"yes\":false}", PASS_ASKED },
                { "{\"t\":\"pass_consent\"," C ",\"consent\":" A ",\"yes\":true}", PASS_CONSENT },
                { "{\"t\":\"pass_revoke\"," C ",\"pass\":" A "}", PASS_REVOKE },
                { "{\"t\":\"phone_lost\"," C ",\"handset\":" A "}", PASS_LOST },
                { "{\"t\":\"phone_unlock\"," C ",\"handset\":" A ",\"challenge\":" A "}", PASS_UNLOCK },
                { "{\"t\":\"pass_issue\"," C ",\"carrier\":\"c1\",\"handset\":" A ",\"round\":\"r1\"}", PASS_ISSUE },
        };
        struct pass_ask ask;

        for (size_t i = 0; i < COUNT(cases); i++) {
                assert_int_equal(read_text(cases[i].text, &ask), 0);
                assert_int_equal(ask.verb, cases[i].verb);
                assert_int_equal(ask.command[7], 0x77);
        }
        assert_int_equal(
                read_text("{\"t\":\"pass_issue\"," C ",\"carrier\":\"c1\",\"handset\":" A ",\"round\":\"r1\","
                          "\"from\":1700000000999,\"until\":1700020000000,\"windows\":[[1700000000000,1700001000000]]}",
                          &ask),
                0);
        assert_int_equal(ask.from_s, 1700000000);
        assert_int_equal(ask.until_s, 1700020000);
        assert_int_equal(ask.window_count, 1);
        assert_int_equal(ask.windows[0].to_s, 1700001000);
        assert_string_equal(ask.handset, "00000000000000aa");
}

#define ISSUE(more) "{\"t\":\"pass_issue\"," C ",\"carrier\":\"c1\",\"handset\":" A ",\"round\":\"r1\"" more "}"
#define W           "[1700000000000,1700001000000]"

static void test_malformed(void **state)
{
        static const char *const cases[] = {
                "",
                "[]",
                "{}",
                "{\"t\":\"desk_find\"}",
                "{\"t\":\"take\"," C ",\"alert\":" A "}",
                "{\"t\":\"desk_find\"," C ",\"what\":\"phone\",\"words\":\"\"}", /* got alone */
                "{\"t\":\"desk_find\"," C ",\"what\":\"carrier\"}",
                "{\"t\":\"desk_find\"," C ",\"what\":\"carrier\",\"words\":1}",
                "{\"t\":\"desk_find\"," C ",\"what\":\"carrier\",\"words\":\"a\\u0000b\"}",
                "{\"t\":\"desk_find\"," C ",\"what\":\"carrier\",\"words\":\"\",\"words\":\"\"}",
                "{\"t\":\"desk_find\"," C ",\"what\":\"carrier\",\"words\":\"\",\"team\":\"x\"}",
                "{\"t\":\"desk_find\",\"c\":\"00\",\"what\":\"carrier\",\"words\":\"\"}",
                "{\"t\":\"desk_find\",\"c\":\"001122334455667G\",\"what\":\"carrier\",\"words\":\"\"}",
                "{\"t\":\"desk_get\"," C ",\"what\":\"carrier\",\"id\":\"c1\"}",
                "{\"t\":\"desk_get\"," C ",\"what\":\"round\",\"id\":\"a b\"}",
                "{\"t\":\"desk_get\"," C ",\"what\":\"pass\",\"id\":\"00000000000000AA\"}",
                "{\"t\":\"pass_asked\"," C ",\"handset\":" A ",\"yes\":1}",
                "{\"t\":\"pass_revoke\"," C ",\"pass\":" A ",\"yes\":true}",
                "{\"t\":\"phone_unlock\"," C ",\"handset\":" A "}",
                ISSUE(",\"until\":null"),
                ISSUE(",\"until\":1.5"),
                ISSUE(",\"until\":1577836799999"),
                ISSUE(",\"until\":4102444801000"),
                ISSUE(",\"windows\":{}"),
                ISSUE(",\"windows\":[[1700000000000]]"),
                ISSUE(",\"windows\":[[1700000000000,1700000000000,1]]"),
                ISSUE(",\"windows\":[[1,2]]"),
                ISSUE(",\"windows\":[" W "," W "," W "," W "," W "]"),
                ISSUE(",\"by\":\"odile\""),
        };
        struct pass_ask ask;
        char text[200];

        for (size_t i = 0; i < COUNT(cases); i++)
                if (read_text(cases[i], &ask) != -EBADMSG)
                        fail_msg("%s", cases[i]);
        assert_int_equal(read_text(ISSUE(",\"windows\":[" W "," W "," W "," W "]"), &ask), 0);
        snprintf(text, sizeof(text), "{\"t\":\"desk_find\"," C ",\"what\":\"pass\",\"words\":\"%064d\"}", 0);
        assert_int_equal(read_text(text, &ask), 0);
        snprintf(text, sizeof(text), "{\"t\":\"desk_find\"," C ",\"what\":\"pass\",\"words\":\"%065d\"}", 0);
        assert_int_equal(read_text(text, &ask), -EBADMSG);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_good), cmocka_unit_test(test_malformed) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
