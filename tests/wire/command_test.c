#include "wire/command.h"

#include "tests/wire/codec.h"
#include "tests/wire/example.h"

CODEC(command, struct command, COMMAND_MAX)

static void draw_command(uint64_t *seed, struct command *c)
{
        memset(c, 0, sizeof(*c));
        draw_octets(seed, c->id, sizeof(c->id));
        c->expires_ms = draw_ms(seed);
        c->verb = (uint8_t)(1 + draw_to(seed, COMMAND_END - 2));
        c->role = (uint8_t)(1 + draw_to(seed, ROLE_END - 2));
        draw_id(seed, c->person, sizeof(c->person));
        draw_id(seed, c->login, sizeof(c->login));
        draw_octets(seed, c->alert, sizeof(c->alert));
        draw_id(seed, c->owner_seen, sizeof(c->owner_seen));
        c->reason = draw_bool(seed) ? 0 : (uint8_t)(CLOSE_HELPED + draw_to(seed, CLOSE_REASON_MAX - CLOSE_HELPED));
        draw_text(seed, c->note, sizeof(c->note));
        if ((c->has_position = draw_bool(seed)))
                c->at = draw_point(seed);
        c->until_s = (uint32_t)draw_to(seed, UINT32_MAX);
        draw_text(seed, c->notice, sizeof(c->notice));
}

static void test_round_trip(void **state)
{
        uint8_t buf[COMMAND_MAX];
        struct command c;
        uint64_t seed = 30;

        for (int i = 0; i < 5000; i++) {
                draw_command(&seed, &c);
                codec_round(&command_codec, &c, buf);
        }
}

/* The figure of wire/command.h. */
static void test_largest(void **state)
{
        uint8_t buf[COMMAND_MAX];
        struct command c;

        memset(&c, 0, sizeof(c));
        c.expires_ms = INT64_MAX;
        c.verb = COMMAND_ACK;
        c.role = ROLE_CARETAKER;
        c.reason = CLOSE_REASON_MAX;
        c.until_s = UINT32_MAX;
        c.has_position = true;
        c.at = full_point();
        fill_id(c.person, sizeof(c.person));
        fill_id(c.login, sizeof(c.login));
        fill_id(c.owner_seen, sizeof(c.owner_seen));
        fill_text(c.note, sizeof(c.note));
        fill_text(c.notice, sizeof(c.notice));
        assert_int_equal(codec_round(&command_codec, &c, buf), 434);
}

static void test_hostile(void **state)
{
        uint8_t buf[COMMAND_MAX];
        struct command c;
        uint64_t seed = 31;

        for (int i = 0; i < 8; i++) {
                draw_command(&seed, &c);
                codec_hostile(&command_codec, buf, codec_round(&command_codec, &c, buf));
        }
}

static void test_example(void **state)
{
        static struct command c = { .id = { 1, 2, 3, 4, 5, 6, 7, 8 },
                                    .expires_ms = 1767225630000,
                                    .verb = COMMAND_TAKE,
                                    .role = ROLE_SUPERVISOR,
                                    .person = "benali",
                                    .login = "benali",
                                    .owner_seen = "petit" };
        uint8_t fixture[COMMAND_MAX], buf[COMMAND_MAX];
        size_t len = example("command", fixture, sizeof(fixture));

        for (uint8_t i = 0; i < ALERT_ID_SIZE; i++)
                c.alert[i] = (uint8_t)(0xa0 + i);
        assert_int_equal(codec_round(&command_codec, &c, buf), len);
        assert_memory_equal(buf, fixture, len);
}

static void test_refused(void **state)
{
        struct command c = { .id = "verb-id.", .verb = COMMAND_TAKE, .role = ROLE_CONTROL, .person = "p" };
        uint8_t buf[COMMAND_MAX];
        int len = command_encode(&c, buf, sizeof(buf));

#define READ(from, to)                                                                                   \
        codec_replaced(&command_codec, buf, (size_t)len, "\x48verb-id.\x00" from, 10 + sizeof(from) - 1, \
                       "\x48verb-id.\x00" to, 10 + sizeof(to) - 1)
        assert_int_equal(READ("\x02\x01", "\x0c\x01"), 0);
        assert_int_equal(READ("\x02\x01", "\x0e\x01"), -EBADMSG); /* a verb we do not know */
        assert_int_equal(READ("\x02\x01", "\x00\x01"), -EBADMSG);
        assert_int_equal(READ("\x02\x01", "\x02\x07"), -EBADMSG); /* a role likewise */
        assert_int_equal(READ("\x02\x01", "\x02\x00"), -EBADMSG);
        assert_int_equal(READ("\x02\x01\x61p", "\x02\x01\x61 "), -EBADMSG);
        assert_int_equal(READ("\x02\x01\x61p", "\x02\x01\x62p\n"), -EBADMSG); /* a line break, into a log */
#undef READ
        assert_int_equal(codec_replaced(&command_codec, buf, (size_t)len, "\x8e\x01", 2, "\x8e\x02", 2),
                         -EPROTONOSUPPORT);
        c.verb = COMMAND_END;
        assert_int_equal(command_encode(&c, buf, sizeof(buf)), -EINVAL);
        c.verb = COMMAND_TAKE;
        c.reason = 1;
        assert_int_equal(command_encode(&c, buf, sizeof(buf)), -EINVAL);
        c.reason = 0;
        c.expires_ms = -1;
        assert_int_equal(command_encode(&c, buf, sizeof(buf)), -EINVAL);
        c.expires_ms = 0;
        c.note[0] = (char)0x80;
        assert_int_equal(command_encode(&c, buf, sizeof(buf)), -EINVAL);
}

static void test_words(void **state)
{
        for (uint8_t verb = 1; verb < COMMAND_END; verb++)
                assert_int_equal(command_verb_parse(command_verb_name(verb)), verb);
        assert_null(command_verb_name(0));
        assert_null(command_verb_name(COMMAND_END));
        assert_int_equal(command_verb_parse("fire"), -EINVAL);
        for (uint8_t code = 0; code < ANSWER_END; code++)
                assert_non_null(answer_code_name(code));
        assert_null(answer_code_name(ANSWER_END));
        assert_string_equal(answer_code_name(ANSWER_TAKEN_BY_OTHER), "taken_by_other");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_round_trip), cmocka_unit_test(test_largest), cmocka_unit_test(test_hostile),
                cmocka_unit_test(test_example),    cmocka_unit_test(test_refused), cmocka_unit_test(test_words),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
