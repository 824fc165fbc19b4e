/* The talk with a modem, word for word: each state of SIM and network, silence, junk.  Messages: at_message_test. */
#include "device/handset/host/at.h"

#include "tests/device/handset/host/talk.h"

/* ---- looks ------------------------------------------------------------------------------------------------------- */

static void it_looks_again(void **state)
{
        struct talk *t = *state;

        assert_int_equal(at_due(t->at), t->now_mono_ms + AT_LOOK_MS);
        passes(t, AT_LOOK_MS - 1);
        says(t, "");
        passes(t, 1);
        exchange(t, WAKE, OK);
        look(t);
        says(t, ""); /* no list: it would have told */
        assert_int_equal(t->states, 0);
}

static void the_sim(void **state)
{
        static const struct {
                const char *reply;
                enum vigie_modem expected;
        } cases[] = {
                { "\r\n+CME ERROR: 10\r\n", VIGIE_MODEM_NO_SIM },
                { "\r\n+CME ERROR: 13\r\n", VIGIE_MODEM_NO_SIM },
                { "\r\nERROR\r\n", VIGIE_MODEM_NO_SIM },
                { "\r\n+CPIN: NOT INSERTED\r\n" OK, VIGIE_MODEM_NO_SIM },
                { "\r\n+CPIN: SIM PIN\r\n" OK, VIGIE_MODEM_SIM_LOCKED },
                { "\r\n+CPIN: SIM PUK\r\n" OK, VIGIE_MODEM_SIM_LOCKED },
                { "\r\n+CPIN:SIM PIN\r\n" OK, VIGIE_MODEM_SIM_LOCKED },
                { "\r\n+CME ERROR: 11\r\n", VIGIE_MODEM_SIM_LOCKED },
                { "\r\n+CME ERROR: 12\r\n", VIGIE_MODEM_SIM_LOCKED },
                { "\r\n+CME ERROR: 14\r\n", VIGIE_MODEM_NONE }, /* busy: not known yet */
                { OK, VIGIE_MODEM_NONE },                       /* says nothing */
        };
        struct talk *t = *state;

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                drop(state);
                make(state);
                t = *state;
                begin(t);
                exchange(t, "AT+CMEE=1", OK);
                exchange(t, "AT+CPIN?", cases[i].reply);
                assert_int_equal(t->state, cases[i].expected);
                says(t, "");
                send_one(t); /* fails at once, and says why */
                assert_int_equal(t->sent, 1);
                assert_false(t->ok);
                passes(t, AT_LOOK_BAD_MS); /* and then it is there */
                exchange(t, WAKE, OK);
                look(t);
                exchange(t, "AT+CMGL=4", OK);
                assert_int_equal(t->state, VIGIE_MODEM_READY);
        }
}

static void the_network(void **state)
{
        static const struct {
                const char *gsm, *lte;
                enum vigie_modem expected;
        } cases[] = {
                { "\r\n+CREG: 1,5\r\n" OK, NULL, VIGIE_MODEM_READY },
                { "\r\n+CREG: 0,6\r\n" OK, NULL, VIGIE_MODEM_READY },
                { "\r\n+CREG: 2,7,\"00A1\",\"1\",7\r\n" OK, NULL, VIGIE_MODEM_READY },
                { "\r\nERROR\r\n", NULL, VIGIE_MODEM_READY }, /* cannot say: is tried */
                { "\r\n+CREG: 1,0\r\n" OK, "\r\n+CEREG: 0,1\r\n" OK, VIGIE_MODEM_READY },
                { "\r\n+CREG: 1,2\r\n" OK, "\r\n+CEREG: 0,2\r\n" OK, VIGIE_MODEM_NO_NETWORK },
                { "\r\n+CREG: 1,3\r\n" OK, "\r\nERROR\r\n", VIGIE_MODEM_NO_NETWORK },
                { "\r\n+CREG: 1,8\r\n" OK, "\r\n+CME ERROR: 4\r\n",
                  VIGIE_MODEM_NO_NETWORK }, /* emergency calls alone */
        };
        struct talk *t = *state;

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                passes(t, at_due(t->at) - t->now_mono_ms);
                exchange(t, WAKE, OK);
                exchange(t, "AT+CMEE=1", OK);
                exchange(t, "AT+CPIN?", "\r\n+CPIN: READY\r\n" OK);
                exchange(t, "AT+CMGF=0", OK);
                exchange(t, "AT+CNMI=2,1,0,0,0", OK);
                exchange(t, "AT+CREG=1", OK);
                exchange(t, "AT+CREG?", cases[i].gsm);
                if (cases[i].lte != NULL)
                        exchange(t, "AT+CEREG?", cases[i].lte);
                says(t, "");
                assert_int_equal(t->state, cases[i].expected);
        }
}

/* News of the network or the SIM: a look soon, and not over and over. */
static void news(void **state)
{
        struct talk *t = *state;

        hears(t, "\r\n+CREG: 2\r\n");
        says(t, "");
        assert_int_equal(at_due(t->at), t->now_mono_ms + AT_LOOK_SOON_MS);
        passes(t, AT_LOOK_SOON_MS);
        exchange(t, WAKE, OK);
        exchange(t, "AT+CMEE=1", OK);
        exchange(t, "AT+CPIN?", "\r\n+CREG: 2\r\n\r\n+CPIN: READY\r\n" OK); /* meanwhile it means nothing */
        exchange(t, "AT+CMGF=0", OK);
        exchange(t, "AT+CNMI=2,1,0,0,0", OK);
        exchange(t, "AT+CREG=1", "\r\n+CREG: 2\r\n" OK);
        exchange(t, "AT+CREG?", "\r\n+CREG: 1,2\r\n" OK);
        exchange(t, "AT+CEREG?", OK);
        assert_int_equal(t->state, VIGIE_MODEM_NO_NETWORK);
        assert_int_equal(at_due(t->at), t->now_mono_ms + AT_LOOK_BAD_MS);
        passes(t, 3000);
        hears(t, "\r\n+CPIN: NOT READY\r\n");
        says(t, WAKE "\r");
}

static void one_that_knows_less(void **state)
{
        struct talk *t = *state;

        begin(t);
        exchange(t, "AT+CMEE=1", "\r\nERROR\r\n");
        exchange(t, "AT+CPIN?", "\r\n+CPIN: READY\r\n" OK);
        exchange(t, "AT+CMGF=0", OK);
        exchange(t, "AT+CNMI=2,1,0,0,0", "\r\nERROR\r\n");
        exchange(t, "AT+CNMI=1,1", "\r\nERROR\r\n");
        exchange(t, "AT+CREG=1", "\r\nERROR\r\n");
        exchange(t, "AT+CREG?", "\r\nERROR\r\n");
        exchange(t, "AT+CMGL=0", OK);
        assert_int_equal(t->state, VIGIE_MODEM_READY);
        for (int i = 0; i < 2; i++) {
                passes(t, AT_LOOK_MS); /* it tells nothing: listed at each look */
                exchange(t, WAKE, OK);
                exchange(t, "AT+CMEE=1", "\r\nERROR\r\n");
                exchange(t, "AT+CPIN?", "\r\n+CPIN: READY\r\n" OK);
                exchange(t, "AT+CMGF=0", OK);
                exchange(t, "AT+CNMI=2,1,0,0,0", "\r\nERROR\r\n");
                exchange(t, "AT+CNMI=1,1", "\r\nERROR\r\n");
                exchange(t, "AT+CREG=1", "\r\nERROR\r\n");
                exchange(t, "AT+CREG?", "\r\nERROR\r\n");
                exchange(t, i == 0 ? "AT+CMGL=4" : "AT+CMGL=0", OK);
        }
        passes(t, AT_LOOK_MS); /* now it does */
        exchange(t, WAKE, OK);
        look(t);
        says(t, "");
        passes(t, AT_LOOK_MS);
        exchange(t, WAKE, OK);
        exchange(t, "AT+CMEE=1", OK);
        exchange(t, "AT+CPIN?", "\r\n+CPIN: READY\r\n" OK);
        exchange(t, "AT+CMGF=0", "\r\n+CMS ERROR: 303\r\n"); /* in no way that we understand */
        assert_int_equal(t->state, VIGIE_MODEM_SILENT);
}

/* ---- silence ----------------------------------------------------------------------------------------------------- */

static void one_that_hangs(void **state)
{
        struct talk *t = *state;

        at_begin(t->at, t->now_mono_ms);
        for (int i = 0; i < AT_WAKES_MAX; i++) {
                assert_false(at_is_lost(t->at));
                says(t, WAKE "\r");
                passes(t, AT_WAKE_MS);
        }
        assert_true(at_is_lost(t->at));
        assert_int_equal(t->state, VIGIE_MODEM_SILENT);
        assert_int_equal(at_due(t->at), INT64_MAX);
        hears(t, OK);
        passes(t, 100000);
        says(t, "");
        send_one(t);
        assert_int_equal(t->sent, 1);
        begin(t);
        look(t);
        exchange(t, "AT+CMGL=0", OK);
        assert_int_equal(t->state, VIGIE_MODEM_READY);
        passes(t, AT_LOOK_MS);
        hears(t, OK);
        says(t, WAKE "\rAT+CMEE=1\r");
        passes(t, AT_ANSWER_MS - 1);
        assert_int_equal(t->state, VIGIE_MODEM_READY);
        passes(t, 1);
        assert_int_equal(t->state, VIGIE_MODEM_SILENT);
        assert_true(at_is_lost(t->at));
}

/* What it still says to others, or to us before a hang, answers nothing that we ask. */
static void late_answers(void **state)
{
        struct talk *t = *state;

        at_begin(t->at, t->now_mono_ms);
        says(t, WAKE "\r");
        hears(t, "\r\n+CMS ERROR: 500\r\n" OK);
        passes(t, AT_QUIET_MS - 1);
        hears(t, OK "\r\n+CPIN: SIM PUK\r\n" OK);
        says(t, "");
        passes(t, 1);
        look(t);
        assert_int_equal(t->state, VIGIE_MODEM_READY);
}

/* It answers, and late: the first words are said twice, and both are answered. */
static void one_that_is_slow(void **state)
{
        struct talk *t = *state;

        at_begin(t->at, t->now_mono_ms);
        says(t, WAKE "\r");
        passes(t, AT_WAKE_MS);
        says(t, WAKE "\r");
        passes(t, 100);
        hears(t, OK);
        passes(t, AT_ANSWER_MS - 1);
        hears(t, OK);
        says(t, "");
        passes(t, 1);
        look(t);
        assert_int_equal(t->state, VIGIE_MODEM_READY);
        exchange(t, "AT+CMGL=0", OK);
        passes(t, AT_LOOK_MS);
        says(t, WAKE "\r");
        passes(t, AT_WAKE_MS);
        exchange(t, WAKE, OK);
        passes(t, AT_ANSWER_MS - 1);
        hears(t, OK);
        passes(t, 1);
        look(t);
        assert_int_equal(t->states, 1);
}

static void unplugged(void **state)
{
        struct talk *t = *state;

        send_one(t);
        says(t, "AT+CMGS=23\r");
        at_end(t->at);
        assert_int_equal(t->state, VIGIE_MODEM_ABSENT);
        assert_int_equal(t->sent, 1);
        assert_false(t->ok);
        assert_int_equal(at_due(t->at), INT64_MAX);
        send_one(t);
        assert_int_equal(t->sent, 2);
        begin(t);
        look(t);
        exchange(t, "AT+CMGL=0", OK);
        assert_int_equal(t->state, VIGIE_MODEM_READY);
}

/* ---- junk -------------------------------------------------------------------------------------------------------- */

static void junk(void **state)
{
        static const char *const lines[] = { "RING",
                                             "^RSSI:17",
                                             "+CMTI:",
                                             "+CMTI: SM,3",
                                             "+CMTI: \"SM\"",
                                             "+CMTI: \"SMSMSMSMSM\",1",
                                             "+CMGR: 0,,3",
                                             "+CMGL: x",
                                             "+CREG: x",
                                             "> ",
                                             "OK",
                                             "ERROR",
                                             "+CME ERROR: 10",
                                             "\x1b\x01",
                                             OURS };
        struct talk *t = *state;
        char line[2 * AT_LINE_SIZE + 8];

        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
                snprintf(line, sizeof(line), "\r\n%s\r\n", lines[i]);
                hears(t, line);
        }
        memset(line, 'A', 2 * AT_LINE_SIZE);
        strcpy(line + 2 * AT_LINE_SIZE, "\r\n");
        hears(t, line);
        says(t, "");
        assert_int_equal(t->states + t->sms + t->sent, 0);
        passes(t, AT_LOOK_MS); /* and all is as it was */
        exchange(t, WAKE, OK);
        look(t);
        send_one(t);
        exchange(t, "AT+CMGS=23", "\r\n> ");
        says(t, PDU);
}

/* The longest line that counts, and one octet more. */
static void longest_line(void **state)
{
        struct talk *t = *state;
        char line[AT_LINE_SIZE + 3];

        memset(line, ' ', sizeof(line));
        memcpy(line, "+CMTI: \"SM\",3", 13);
        memcpy(line + AT_LINE_SIZE, "\r\n", 3);
        hears(t, line);
        says(t, "");
        memcpy(line + AT_LINE_SIZE - 1, "\r\n", 3);
        hears(t, line);
        says(t, "AT+CPMS=\"SM\"\r");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                T_READY(it_looks_again), T(the_sim),        T_READY(the_network), T_READY(news),
                T(one_that_knows_less),  T(one_that_hangs), T(late_answers),      T(one_that_is_slow),
                T_READY(unplugged),      T_READY(junk),     T_READY(longest_line)
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
