/* Messages by a modem, word for word: out, with all that may refuse them; in, ours and the person's. */
#include "device/handset/host/at.h"

#include "tests/device/handset/host/talk.h"

/* ---- out --------------------------------------------------------------------------------------------------------- */

static void a_message(void **state)
{
        struct talk *t = *state;

        for (unsigned i = 1; i <= 2; i++) {
                send_one(t);
                exchange(t, "AT+CMGS=23", "\r\n> ");
                says(t, PDU);
                hears(t, "\r\n+CMGS: 5\r\n");
                assert_int_equal(t->sent, i - 1);
                hears(t, OK);
                assert_int_equal(t->sent, i);
                assert_true(t->ok);
                assert_int_equal(t->ticket, 7);
                assert_int_equal(t->code, 0);
        }
}

static void errors(void **state)
{
        static const struct {
                const char *prompt, *pdu;
                unsigned code;
        } cases[] = {
                { "\r\n> ", "\r\n+CMS ERROR: 38\r\n", 38 },
                { "\r\n+CMS ERROR: 310\r\n", NULL, 310 },
                { "\r\n> ", "\r\n+CME ERROR: 10\r\n", 310 },
                { "\r\n> ", "\r\n+CME ERROR: 100\r\n", 500 },
                { "\r\n> ", "\r\nERROR\r\n", 0 },
                { "\r\nERROR\r\n", NULL, 0 },
                { OK, NULL, 0 },
                { "\r\n> ", "\r\n+CMS ERROR: SIM busy\r\n", 0 },
                { "\r\n> ", "\r\n+CMS ERROR: 4294967295\r\n", 65535 },
        };
        struct talk *t = *state;

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                t->ok = true;
                send_one(t);
                exchange(t, "AT+CMGS=23", cases[i].prompt);
                if (cases[i].pdu != NULL) {
                        says(t, PDU);
                        hears(t, cases[i].pdu);
                }
                assert_int_equal(t->sent, i + 1);
                assert_false(t->ok);
                assert_int_equal(t->code, cases[i].code);
                assert_true(at_due(t->at) <= t->now_mono_ms + AT_LOOK_SOON_MS); /* what is the matter? */
        }
}

static void no_answer(void **state)
{
        struct talk *t = *state;

        send_one(t);
        exchange(t, "AT+CMGS=23", "\r\n> ");
        says(t, PDU);
        passes(t, AT_SEND_MS - 1);
        assert_int_equal(t->sent, 0);
        passes(t, 1);
        assert_int_equal(t->sent, 1);
        assert_int_equal(t->code, 0);
        assert_int_equal(t->state, VIGIE_MODEM_SILENT);
        begin(t);
        look(t);
        exchange(t, "AT+CMGL=0", OK);
        send_one(t);
        says(t, "AT+CMGS=23\r");
        passes(t, AT_ANSWER_MS);
        says(t, "\x1b"); /* not to be sent an hour later */
        assert_int_equal(t->sent, 2);
        assert_true(at_is_lost(t->at));
}

/* It goes before the rest of a look, and before what is to be read. */
static void first_things_first(void **state)
{
        struct talk *t = *state;

        passes(t, AT_LOOK_MS);
        exchange(t, WAKE, "");
        send_one(t);
        hears(t, "\r\n+CMTI: \"SM\",3\r\n" OK);
        exchange(t, "AT+CMGS=23", "\r\n> ");
        says(t, PDU);
        hears(t, "\r\n+CMGS: 5\r\n\r\n+CMTI: \"SM\",4\r\n" OK);
        assert_true(t->ok);
        look(t);
        exchange(t, "AT+CPMS=\"SM\"", "\r\n+CPMS: 2,20,2,20,2,20\r\n" OK);
        says(t, "AT+CMGR=4\r");
}

/* ---- in ---------------------------------------------------------------------------------------------------------- */

static void messages_in(void **state)
{
        struct talk *t = *state;

        hears(t, "\r\n+CMTI: \"ME\",3\r\n");
        exchange(t, "AT+CPMS=\"ME\"", "\r\n+CPMS: 2,20,2,20,2,20\r\n" OK);
        exchange(t, "AT+CMGR=3", "\r\n+CMGR: 0,,30\r\n" OURS "\r\n" OK);
        assert_int_equal(t->sms, 1);
        exchange(t, "AT+CMGD=3", OK);
        hears(t, "\r\n+CMTI: \"ME\",255\r\n"); /* the person's: stays */
        exchange(t, "AT+CMGR=255", "\r\n+CMGR: 0,,30\r\n" A_TEXT "\r\n" OK);
        says(t, "");
        hears(t, "\r\n+CMTI: \"SM\",1\r\n"); /* gone before we looked */
        exchange(t, "AT+CPMS=\"SM\"", OK);
        exchange(t, "AT+CMGR=1", "\r\n+CMS ERROR: 321\r\n");
        says(t, "");
        hears(t, "\r\n+CMTI: \"XX\",1\r\n"); /* a memory that it does not let us look into */
        exchange(t, "AT+CPMS=\"XX\"", "\r\n+CMS ERROR: 302\r\n");
        says(t, "");
        hears(t, "\r\n+CMTI: \"SM\",9\r\n");
        exchange(t, "AT+CPMS=\"SM\"", OK);
        exchange(t, "AT+CMGR=9", "\r\n+CMGR: 0,,0\r\n" OK); /* empty */
        says(t, "");
        assert_int_equal(t->sms, 1);
}

static void what_came_while_away(void **state)
{
        struct talk *t = *state;

        begin(t);
        look(t);
        exchange(t, "AT+CMGL=0",
                 "\r\n+CMGL: 1,1,,30\r\n" A_TEXT "\r\n+CMGL: 2,0,,30\r\n" OURS "\r\n+CMGL: 17,1,\"Me\",30\r\n" OURS
                 "\r\n+CMGL: 5,3,,30\r\n"
                 "0011000B91"
                 "\r\n" OK);
        assert_int_equal(t->sms, 2);
        exchange(t, "AT+CMGD=17", OK);
        exchange(t, "AT+CMGD=2", "\r\n+CMS ERROR: 321\r\n");
        says(t, "");
}

/* A look between reading and deleting: the number may mean another message by then. */
static void never_by_an_old_number(void **state)
{
        struct talk *t = *state;

        hears(t, "\r\n+CMTI: \"SM\",3\r\n");
        exchange(t, "AT+CPMS=\"SM\"", OK);
        says(t, "AT+CMGR=3\r");
        t->now_mono_ms += AT_LOOK_MS; /* due while it is read */
        hears(t, "\r\n+CMGR: 0,,30\r\n" OURS "\r\n" OK);
        assert_int_equal(t->sms, 1);
        exchange(t, WAKE, OK);
        look(t);
        exchange(t, "AT+CMGL=4", "\r\n+CMGL: 3,1,,30\r\n" OURS "\r\n" OK);
        exchange(t, "AT+CMGD=3", OK);
        says(t, "");
}

/* A list that is long takes its time; one that stops does not. */
static void a_long_list(void **state)
{
        struct talk *t = *state;

        begin(t);
        look(t);
        says(t, "AT+CMGL=0\r");
        for (int i = 0; i < 100; i++) {
                passes(t, AT_ANSWER_MS - 1);
                hears(t, "\r\n+CMGL: 1,1,,30\r\n" A_TEXT "\r\n");
                assert_false(at_is_lost(t->at));
        }
        passes(t, AT_ANSWER_MS);
        assert_true(at_is_lost(t->at));
}

/* More than can be remembered: the rest at the next list, after the next look. */
static void many(void **state)
{
        struct talk *t = *state;
        char line[512], expected[32];

        begin(t);
        look(t);
        says(t, "AT+CMGL=0\r");
        for (int i = 1; i <= AT_PLACES_MAX + 1; i++) {
                snprintf(line, sizeof(line), "\r\n+CMGL: %d,0,,30\r\n" OURS "\r\n", i);
                hears(t, line);
        }
        hears(t, OK);
        assert_int_equal(t->sms, AT_PLACES_MAX);
        for (int i = AT_PLACES_MAX; i >= 1; i--) {
                snprintf(expected, sizeof(expected), "AT+CMGD=%d", i);
                exchange(t, expected, OK);
        }
        says(t, "");
        passes(t, AT_LOOK_MS);
        exchange(t, WAKE, OK);
        look(t);
        says(t, "AT+CMGL=4\r");
}

int main(void)
{
        const struct CMUnitTest tests[] = { T_READY(a_message),
                                            T_READY(errors),
                                            T_READY(no_answer),
                                            T_READY(first_things_first),
                                            T_READY(messages_in),
                                            T(what_came_while_away),
                                            T(many),
                                            T(a_long_list),
                                            T_READY(never_by_an_old_number) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
