/* The phone as a card: every command in every state, chaining, long answers, wrong lengths, what comes too late. */
#include "tests/wire/octets.h"

#include <errno.h>

#include "device/handset/apdu.h"

struct scene {
        struct apdu_card card;
        struct apdu_todo todo;
        uint8_t answer[ISO7816_ANSWER_MAX];
        size_t len;
        uint8_t hello[HELLO_MAX + 1], presentation[PRESENTATION_MAX + 1], list[65537];
};

static unsigned word_of(const struct scene *s)
{
        return s->len < 2 ? 0 : (unsigned)s->answer[s->len - 2] << 8 | s->answer[s->len - 1];
}

/* say: one command; the status word of its answer, 0 where there is none yet. */
static unsigned say(struct scene *s, uint8_t cla, uint8_t ins, struct cbor_span data)
{
        uint8_t apdu[ISO7816_COMMAND_MAX];
        struct iso7816_command c = { .cla = cla, .ins = ins, .data = data };

        if (ins == ISO7816_SELECT)
                c.p1 = 4;
        s->len = apdu_command(&s->card, (struct cbor_span){ apdu, iso7816_command_write(&c, apdu) }, s->answer,
                              &s->todo);
        return word_of(s);
}

static unsigned say_hex(struct scene *s, const char *hex)
{
        struct octets apdu = octets_from(hex);

        s->len = apdu_command(&s->card, octets_span(&apdu), s->answer, &s->todo);
        return word_of(s);
}

static unsigned select_us(struct scene *s)
{
        return say(s, 0, ISO7816_SELECT, CBOR_LITERAL(ISO7816_APPLICATION));
}

static unsigned ask(struct scene *s, uint8_t ins)
{
        return say(s, ISO7816_CLA_OURS, ins, (struct cbor_span){ NULL, 0 });
}

static unsigned verdict(struct scene *s)
{
        return say(s, ISO7816_CLA_OURS, ISO7816_VERDICT, CBOR_LITERAL("\x83\x01\x08\x1A\x6B\x49\xD2\x00"));
}

static const struct cbor_span short_hello = { (const uint8_t *)"hello", 5 };

/* reach: bring a fresh card to STATE. */
static void reach(struct scene *s, enum apdu_state state)
{
        memset(s, 0, sizeof(*s));
        memset(s->presentation, 0x5A, sizeof(s->presentation));
        apdu_init(&s->card);
        if (state >= APDU_SELECTED)
                assert_int_equal(select_us(s), 0x9000);
        if (state >= APDU_JUDGING) {
                assert_int_equal(say(s, ISO7816_CLA_OURS, ISO7816_HELLO, short_hello), 0);
                assert_int_equal(s->todo.kind, APDU_JUDGE_HELLO);
        }
        if (state >= APDU_GREETED) {
                s->len = apdu_greet(&s->card, true, s->answer);
                assert_int_equal(word_of(s), 0x9000);
        }
        if (state >= APDU_SHOWN) {
                assert_int_equal(apdu_present(&s->card, s->todo.session, CBOR_LITERAL("shown")), 0);
                assert_int_equal(ask(s, ISO7816_PROOF), 0x9000);
        }
        if (state >= APDU_DONE)
                assert_int_equal(verdict(s), 0x9000);
        assert_int_equal(s->card.state, state);
}

/* Every command in every state: its answer, and the state after. */
static void table(void **state)
{
        static const struct {
                uint8_t ins;
                unsigned word[APDU_STATE_COUNT];
                enum apdu_state next[APDU_STATE_COUNT];
        } rows[] = {
                { ISO7816_HELLO,
                  { 0x6985, 0, 0x6985, 0x6985, 0x6985, 0x6985 },
                  { APDU_OFF, APDU_JUDGING, APDU_JUDGING, APDU_GREETED, APDU_SHOWN, APDU_DONE } },
                { ISO7816_PROOF,
                  { 0x6985, 0x6985, 0x6985, 0x6982, 0x6985, 0x6985 },
                  { APDU_OFF, APDU_SELECTED, APDU_JUDGING, APDU_GREETED, APDU_SHOWN, APDU_DONE } },
                { ISO7816_LIST,
                  { 0x6985, 0x9000, 0x6985, 0x9000, 0x9000, 0x9000 },
                  { APDU_OFF, APDU_SELECTED, APDU_JUDGING, APDU_GREETED, APDU_SHOWN, APDU_DONE } },
                { ISO7816_VERDICT,
                  { 0x6985, 0x6985, 0x6985, 0x6985, 0x9000, 0x6985 },
                  { APDU_OFF, APDU_SELECTED, APDU_JUDGING, APDU_GREETED, APDU_DONE, APDU_DONE } },
        };

        for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++)
                for (unsigned from = 0; from < APDU_STATE_COUNT; from++) {
                        struct scene s;
                        unsigned word;

                        reach(&s, from);
                        word = rows[row].ins == ISO7816_VERDICT ? verdict(&s)
                               : rows[row].ins == ISO7816_HELLO ? say(&s, ISO7816_CLA_OURS, ISO7816_HELLO, short_hello)
                                                                : ask(&s, rows[row].ins);
                        assert_int_equal(word, rows[row].word[from]);
                        assert_int_equal(s.card.state, rows[row].next[from]);
                        assert_int_equal(select_us(&s), 0x9000); /* always */
                        assert_int_equal(s.card.state, APDU_SELECTED);
                }
}

static void the_whole_way(void **state)
{
        struct scene s;

        reach(&s, APDU_GREETED);
        assert_int_equal(s.todo.hello.len, 5);
        assert_int_equal(ask(&s, ISO7816_PROOF), 0x6982);
        assert_int_equal(apdu_present(&s.card, s.todo.session, (struct cbor_span){ s.presentation, PRESENTATION_MAX }),
                         0);
        assert_int_equal(ask(&s, ISO7816_PROOF), 0x6100); /* 256 and more are left */
        assert_int_equal(s.len, 258);
        assert_int_equal(say_hex(&s, "00C0000000"), 0x6100 | (PRESENTATION_MAX - 512));
        assert_int_equal(say_hex(&s, "00C0000004"), 0x6100 | (PRESENTATION_MAX - 516));
        assert_int_equal(s.len, 6);
        assert_int_equal(say_hex(&s, "00C0000000"), 0x9000);
        assert_int_equal(s.len, PRESENTATION_MAX - 516 + 2);
        assert_int_equal(say_hex(&s, "00C0000000"), 0x6985);
        assert_int_equal(verdict(&s), 0x9000);
        assert_int_equal(s.todo.kind, APDU_VERDICT);
        assert_int_equal(s.todo.refusal, 8);
        assert_int_equal(s.todo.time_s, 1800000000);
}

/* A long answer that is not fetched goes when anything else is asked. */
static void answer_dropped(void **state)
{
        struct scene s;

        reach(&s, APDU_GREETED);
        assert_int_equal(apdu_present(&s.card, s.todo.session, (struct cbor_span){ s.presentation, 300 }), 0);
        assert_int_equal(ask(&s, ISO7816_PROOF), 0x6100 | 44);
        assert_int_equal(ask(&s, ISO7816_LIST), 0x9000);
        assert_int_equal(say_hex(&s, "00C0000000"), 0x6985);

        reach(&s, APDU_GREETED);
        assert_int_equal(apdu_present(&s.card, s.todo.session, (struct cbor_span){ s.presentation, 300 }), 0);
        assert_int_equal(ask(&s, ISO7816_PROOF), 0x6100 | 44);
        assert_int_equal(verdict(&s), 0x9000);
        assert_int_equal(say_hex(&s, "00C0000000"), 0x6985);
}

static void chaining(void **state)
{
        struct scene s;
        const uint8_t more = ISO7816_CLA_OURS | ISO7816_CHAIN;

        reach(&s, APDU_SELECTED);
        for (size_t i = 0; i < sizeof(s.hello); i++)
                s.hello[i] = (uint8_t)i;
        assert_int_equal(say(&s, more, ISO7816_HELLO, (struct cbor_span){ s.hello, 255 }), 0x9000);
        assert_int_equal(say(&s, ISO7816_CLA_OURS, ISO7816_HELLO, (struct cbor_span){ s.hello + 255, HELLO_MAX - 255 }),
                         0);
        assert_int_equal(s.todo.hello.len, HELLO_MAX);
        assert_memory_equal(s.todo.hello.at, s.hello, HELLO_MAX);

        /* one octet more than any hello; the chain is then forgotten */
        assert_int_equal(select_us(&s), 0x9000);
        assert_int_equal(say(&s, more, ISO7816_HELLO, (struct cbor_span){ s.hello, 255 }), 0x9000);
        assert_int_equal(say(&s, ISO7816_CLA_OURS, ISO7816_HELLO, (struct cbor_span){ s.hello, HELLO_MAX - 254 }),
                         0x6700);
        assert_int_equal(say(&s, ISO7816_CLA_OURS, ISO7816_HELLO, short_hello), 0);
        assert_int_equal(s.todo.hello.len, 5);

        /* something else in the middle of a chain; no chain for any other command */
        assert_int_equal(select_us(&s), 0x9000);
        assert_int_equal(say(&s, more, ISO7816_HELLO, short_hello), 0x9000);
        assert_int_equal(ask(&s, ISO7816_LIST), 0x6985);
        assert_int_equal(say(&s, ISO7816_CLA_OURS, ISO7816_HELLO, short_hello), 0);
        assert_int_equal(s.todo.hello.len, 5);
        reach(&s, APDU_SHOWN);
        assert_int_equal(say(&s, more, ISO7816_VERDICT, short_hello), 0x6E00);
}

static void lengths_and_forms(void **state)
{
        struct scene s;

        reach(&s, APDU_SELECTED);
        for (size_t len = 0; len < 4; len++) {
                s.len = apdu_command(&s.card, (struct cbor_span){ (const uint8_t *)"\x80\x12\0\0", len }, s.answer,
                                     &s.todo);
                assert_int_equal(word_of(&s), 0x6700);
        }
        assert_int_equal(say_hex(&s, "8010000005AABBCCDD"), 0x6700);       /* says 5, has 4 */
        assert_int_equal(say_hex(&s, "8010000002AABBCCDDEE"), 0x6700);     /* says 2, has 5 */
        assert_int_equal(say_hex(&s, "80100000000005AABBCCDDEE"), 0x6700); /* extended */
        assert_int_equal(say_hex(&s, "802000000000"), 0x6700);             /* likewise, and nothing in it */
        assert_int_equal(say_hex(&s, "8010000000"), 0x6700);               /* a hello of nothing */
        assert_int_equal(say_hex(&s, "8020000001AA"), 0x6700);             /* LIST takes no data */
        assert_int_equal(say_hex(&s, "80990000"), 0x6D00);
        assert_int_equal(say_hex(&s, "84200000"), 0x6E00);
        assert_int_equal(say_hex(&s, "00200000"), 0x6E00);
        assert_int_equal(say_hex(&s, "80A4040007F0564947494531"), 0x6D00);
        assert_int_equal(say_hex(&s, "8010010001AA"), 0x6A86);
        assert_int_equal(say_hex(&s, "00A4000007F0564947494531"), 0x6A86);
        assert_int_equal(s.card.state, APDU_SELECTED); /* none of them changed anything */
        assert_int_equal(say_hex(&s, "00A4040007F0564947494532"), 0x6A82);
        assert_int_equal(s.card.state, APDU_OFF);
        reach(&s, APDU_GREETED);
        assert_int_equal(say_hex(&s, "8012000001AA"), 0x6700);
        reach(&s, APDU_SHOWN);
        assert_int_equal(say_hex(&s, "8030000001AA"), 0x6700);
        assert_int_equal(s.todo.kind, APDU_NOTHING);
        assert_int_equal(s.card.state, APDU_SHOWN);
}

/* What was made for an earlier hello is never shown to a later one. */
static void too_late(void **state)
{
        struct scene s;
        uint32_t session;

        reach(&s, APDU_GREETED);
        session = s.todo.session;
        assert_int_equal(apdu_present(&s.card, session, CBOR_LITERAL("first")), 0);
        select_us(&s);
        assert_int_equal(apdu_present(&s.card, session, CBOR_LITERAL("first")), -ESTALE);
        assert_int_equal(say(&s, ISO7816_CLA_OURS, ISO7816_HELLO, short_hello), 0);
        assert_int_equal(apdu_present(&s.card, session, CBOR_LITERAL("first")), -ESTALE);
        assert_int_not_equal(s.todo.session, session);
        apdu_withdraw(&s.card, session);
        apdu_greet(&s.card, true, s.answer);
        assert_int_equal(ask(&s, ISO7816_PROOF), 0x6982);

        /* refused, but a proof had been made: the next hello does not get it */
        reach(&s, APDU_JUDGING);
        session = s.todo.session;
        assert_int_equal(apdu_present(&s.card, session, CBOR_LITERAL("first")), 0);
        s.len = apdu_greet(&s.card, false, s.answer);
        assert_int_equal(word_of(&s), 0x6985);
        assert_int_equal(say(&s, ISO7816_CLA_OURS, ISO7816_HELLO, short_hello), 0);
        assert_int_equal(apdu_present(&s.card, session, CBOR_LITERAL("first")), -ESTALE);
        apdu_greet(&s.card, true, s.answer);
        assert_int_equal(ask(&s, ISO7816_PROOF), 0x6982);
        apdu_withdraw(&s.card, s.card.session);
        assert_int_equal(ask(&s, ISO7816_PROOF), 0x6985);

        /* the field went while the host looked at the hello */
        reach(&s, APDU_JUDGING);
        apdu_power_off(&s.card);
        s.len = apdu_greet(&s.card, true, s.answer);
        assert_int_equal(word_of(&s), 0x6985);
        assert_int_equal(apdu_present(&s.card, s.todo.session, CBOR_LITERAL("first")), -ESTALE);
        assert_int_equal(s.card.state, APDU_OFF);

        reach(&s, APDU_GREETED);
        assert_int_equal(apdu_present(&s.card, s.todo.session, (struct cbor_span){ s.presentation, 0 }), -EMSGSIZE);
        assert_int_equal(
                apdu_present(&s.card, s.todo.session, (struct cbor_span){ s.presentation, PRESENTATION_MAX + 1 }),
                -EMSGSIZE);
}

static void list(void **state)
{
        struct scene s;
        uint32_t issued, octets;

        reach(&s, APDU_OFF);
        for (size_t i = 0; i < sizeof(s.list); i++)
                s.list[i] = (uint8_t)(i / 240);
        apdu_offer_list(&s.card, (struct cbor_span){ s.list, 65537 }, 7);
        select_us(&s);
        assert_int_equal(iso7816_offer_read((struct cbor_span){ s.answer, s.len - 2 }, &issued, &octets), 0);
        assert_int_equal(issued + octets, 0);
        apdu_offer_list(&s.card, (struct cbor_span){ s.list, 500 }, 7);
        assert_int_equal(ask(&s, ISO7816_LIST), 0x9000); /* this session has none */
        assert_int_equal(s.len, 2);
        select_us(&s);
        assert_int_equal(iso7816_offer_read((struct cbor_span){ s.answer, s.len - 2 }, &issued, &octets), 0);
        assert_int_equal(issued, 7);
        assert_int_equal(octets, 500);
        assert_int_equal(say_hex(&s, "8020000100"), 0x9000);
        assert_int_equal(s.len, 242);
        assert_int_equal(s.answer[0], 1);
        assert_int_equal(say_hex(&s, "8020000200"), 0x9000);
        assert_int_equal(s.len, 22);
        assert_int_equal(say_hex(&s, "8020FFFF00"), 0x9000);
        assert_int_equal(s.len, 2);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(table),    cmocka_unit_test(the_whole_way),     cmocka_unit_test(answer_dropped),
                cmocka_unit_test(chaining), cmocka_unit_test(lengths_and_forms), cmocka_unit_test(too_late),
                cmocka_unit_test(list),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
