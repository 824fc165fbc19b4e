#include "tests/console/support.h"

#include "console/ask.h"

#define C "\"c\":\"0102030405060708\""
#define A "\"alert\":\"000102030405060708090a0b0c0d0e0f\""

static int read_text(const char *text, struct ask *ask)
{
        return ask_read(text, strlen(text), ask);
}

static void test_verbs(void **state)
{
        static const struct {
                const char *text;
                uint8_t verb;
        } cases[] = {
                { "{\"t\":\"take\"," C "," A ",\"owner\":\"ines\"}", COMMAND_TAKE },
                { "{\"t\":\"take\"," C "," A "}", COMMAND_TAKE },
                { "{\"t\":\"release\"," C "," A "}", COMMAND_RELEASE },
                { "{\"t\":\"join\"," C "," A "}", COMMAND_JOIN },
                { "{\"t\":\"en_route\"," C "," A "}", COMMAND_EN_ROUTE },
                { "{\"t\":\"on_scene\"," C "," A "}", COMMAND_ON_SCENE },
                { "{\"t\":\"seen\"," C "," A "}", COMMAND_SEEN },
                { "{\"t\":\"close\"," C "," A ",\"reason\":\"helped\",\"note\":\"é\"}", COMMAND_CLOSE },
                { "{\"t\":\"duty_on\"," C ",\"until\":1700000000000}", COMMAND_DUTY_ON },
                { "{\"t\":\"duty_off\"," C "}", COMMAND_DUTY_OFF },
                { "{\"t\":\"decline\"," C "," A "}", COMMAND_DECLINE },
                { "{\"t\":\"ack\"," C ",\"notice\":\"overdue:x\"}", COMMAND_ACK },
        };
        struct ask ask;

        for (size_t i = 0; i < COUNT(cases); i++) {
                if (read_text(cases[i].text, &ask) != 0)
                        fail_msg("%s", cases[i].text);
                assert_false(ask.visible);
                assert_int_equal(ask.command.verb, cases[i].verb);
                assert_memory_equal(ask.command.id, "\1\2\3\4\5\6\7\10", EVENT_ID_SIZE);
        }
        assert_int_equal(read_text(cases[0].text, &ask), 0);
        assert_string_equal(ask.command.owner_seen, "ines");
        assert_int_equal(ask.command.alert[15], 15);
        assert_int_equal(read_text(cases[7].text, &ask), 0);
        assert_int_equal(ask.command.reason, CLOSE_HELPED);
        assert_string_equal(ask.command.note, "é");
        assert_int_equal(read_text(cases[8].text, &ask), 0);
        assert_int_equal(ask.command.until_s, 1700000000);
        assert_int_equal(read_text(cases[11].text, &ask), 0);
        assert_string_equal(ask.command.notice, "overdue:x");
}

static void test_refused(void **state)
{
        static const char *const texts[] = {
                "",
                "null",
                "[]",
                "7",
                "{",
                "{}",
                "{\"t\":7}",
                "{\"t\":\"nonsense\"," C "}",
                "{\"t\":\"take\"}",
                "{\"t\":\"take\"," C "}",
                "{\"t\":\"take\"," A "}",
                "{\"t\":\"take\"," C "," A ",\"extra\":1}",
                "{\"t\":\"take\",\"t\":\"take\"," C "," A "}",
                "{\"t\":\"take\",\"c\":\"01\"," A "}",
                "{\"t\":\"take\",\"c\":\"01020304050607zz\"," A "}",
                "{\"t\":\"take\"," C ",\"alert\":\"00\"}",
                "{\"t\":\"take\"," C "," A ",\"owner\":\"012345678901234567890123456789012\"}",
                "{\"t\":\"take\"," C "," A ",\"owner\":\"a\\u0000b\"}",
                "{\"t\":\"close\"," C "," A "}",
                "{\"t\":\"close\"," C "," A ",\"reason\":\"because\"}",
                "{\"t\":\"close\"," C "," A ",\"reason\":16}",
                "{\"t\":\"release\"," C "," A ",\"note\":\"no note here\"}",
                "{\"t\":\"duty_on\"," C "}",
                "{\"t\":\"duty_on\"," C ",\"until\":\"soon\"}",
                "{\"t\":\"duty_on\"," C ",\"until\":1}",
                "{\"t\":\"duty_on\"," C ",\"until\":99999999999999}",
                "{\"t\":\"duty_on\"," C ",\"until\":1700000000000.5}",
                "{\"t\":\"presence\"," C "}",
                "{\"t\":\"ack\"," C "}",
                "{\"t\":\"visible\",\"position\":{\"lat\":91,\"lon\":0,\"accuracy_m\":1,\"at\":1700000000000}}",
                "{\"t\":\"visible\",\"position\":{\"lat\":1,\"lon\":181,\"accuracy_m\":1,\"at\":1700000000000}}",
                "{\"t\":\"visible\",\"position\":{\"lat\":1,\"lon\":1,\"accuracy_m\":-1,\"at\":1700000000000}}",
                "{\"t\":\"visible\",\"position\":{\"lat\":1,\"lon\":1,\"at\":1700000000000}}",
                "{\"t\":\"visible\",\"position\":{\"lat\":1,\"lon\":1,\"accuracy_m\":1,\"at\":1700000000000,\"x\":1}}",
                "{\"t\":\"visible\",\"position\":[1,2]}",
                "{\"t\":\"visible\"," C "}",
        };
        struct ask ask;

        for (size_t i = 0; i < COUNT(texts); i++)
                if (read_text(texts[i], &ask) != -EBADMSG)
                        fail_msg("taken: %s", texts[i]);
}

static void test_note_has_a_bound(void **state)
{
        char note[NOTE_MAX + 2], text[512];
        struct ask ask;

        memset(note, 'n', sizeof(note));
        note[NOTE_MAX] = '\0';
        snprintf(text, sizeof(text), "{\"t\":\"close\"," C "," A ",\"reason\":\"other\",\"note\":\"%s\"}", note);
        assert_int_equal(read_text(text, &ask), 0);
        snprintf(text, sizeof(text), "{\"t\":\"close\"," C "," A ",\"reason\":\"other\",\"note\":\"%sn\"}", note);
        assert_int_equal(read_text(text, &ask), -EBADMSG);
}

static void test_position(void **state)
{
        struct ask ask;

        assert_int_equal(read_text("{\"t\":\"visible\",\"position\":{\"lat\":45.7640123,\"lon\":-4,\"accuracy_m\":12.1,"
                                   "\"at\":1700000000999}}",
                                   &ask),
                         0);
        assert_true(ask.visible);
        assert_true(ask.command.has_position);
        assert_int_equal(ask.command.at.lat_e7, 457640123);
        assert_int_equal(ask.command.at.lon_e7, -40000000);
        assert_int_equal(ask.command.at.accuracy_m, 13);
        assert_int_equal(ask.command.at.at_s, 1700000000);
        assert_int_equal(read_text("{\"t\":\"visible\",\"position\":{\"lat\":1,\"lon\":1,\"accuracy_m\":1e6,"
                                   "\"at\":1700000000999}}",
                                   &ask),
                         0);
        assert_int_equal(ask.command.at.accuracy_m, UINT16_MAX);
        assert_int_equal(read_text("{\"t\":\"visible\"}", &ask), 0);
        assert_false(ask.command.has_position);
        assert_int_equal(read_text("{\"t\":\"visible\",\"position\":null}", &ask), 0);
        assert_false(ask.command.has_position);
}

static void test_who_asks_comes_from_the_session(void **state)
{
        struct viewer v = test_viewer(ROLE_SUPERVISOR, "paul");
        struct ask ask;

        strcpy(v.login, "paul.g");
        assert_int_equal(read_text("{\"t\":\"take\"," C "," A "}", &ask), 0);
        ask_sign(&ask.command, &v, 5000);
        assert_string_equal(ask.command.person, "paul");
        assert_string_equal(ask.command.login, "paul.g");
        assert_int_equal(ask.command.role, ROLE_SUPERVISOR);
        assert_int_equal(ask.command.expires_ms, 5000 + COMMAND_TERM_MS);
        assert_int_equal(read_text("{\"t\":\"take\"," C "," A ",\"person\":\"ines\"}", &ask), -EBADMSG);
}

static void test_presence(void **state)
{
        struct viewer supervisor = test_viewer(ROLE_SUPERVISOR, "paul"), control = test_viewer(ROLE_CONTROL, "ctl");
        struct command command, second;
        struct ask ask;

        assert_int_equal(
                read_text(
                        "{\"t\":\"visible\",\"position\":{\"lat\":1,\"lon\":1,\"accuracy_m\":1,\"at\":1700000000000}}",
                        &ask),
                0);
        assert_int_equal(ask_presence(&ask, &supervisor, true, &command), 0);
        assert_int_equal(command.verb, COMMAND_PRESENCE);
        assert_true(command.has_position);
        assert_int_equal(ask_presence(&ask, &supervisor, false, &second), 0);
        assert_false(second.has_position); /* off duty nobody is told where they are */
        assert_int_equal(second.at.lat_e7, 0);
        assert_memory_not_equal(command.id, second.id, sizeof(command.id));
        assert_int_equal(ask_presence(&ask, &control, true, &command), -EPERM);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_verbs),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_note_has_a_bound),
                cmocka_unit_test(test_position),
                cmocka_unit_test(test_who_asks_comes_from_the_session),
                cmocka_unit_test(test_presence),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
