/* The talk with a modem, word for word, on a clock of its own: each state of SIM and network, messages out and in, errors,
 * silence, junk. */
#include "device/handset/host/at.h"

#include <stdio.h>
#include <string.h>

#include "tests/device/handset/host/support.h"

#define WAKE   \
        "\x1b" \
        "ATE0V1"
#define NUMBER "+33700900900"
#define OURS               \
        "0044"             \
        "0B913307900009F0" \
        "0004"             \
        "62505001929580"   \
        "0A"               \
        "0605043F130000"   \
        "D28401"
#define A_TEXT             \
        "0004"             \
        "0B913307900009F0" \
        "0000"             \
        "62505001929580"   \
        "05C8329BFD06"
#define OK "\r\nOK\r\n"

struct talk {
        struct at *at;
        int64_t now_mono_ms;
        char said[1024]; /* to the modem, since it was looked at last */
        enum vigie_modem state;
        unsigned states, sms, sent, ok, code, ticket;
};

static void on_write(void *user, const char *octets, size_t len)
{
        struct talk *t = user;
        size_t n = strlen(t->said);

        assert_true(n + len < sizeof(t->said));
        memcpy(t->said + n, octets, len);
        t->said[n + len] = 0;
}

static void on_state(void *user, enum vigie_modem state)
{
        struct talk *t = user;

        t->state = state;
        t->states++;
}

static void on_sms(void *user, const uint8_t *data, size_t len)
{
        struct talk *t = user;

        assert_int_equal(len, 3);
        assert_memory_equal(data, "\xd2\x84\x01", 3);
        t->sms++;
}

static void on_sent(void *user, uint32_t ticket, bool ok, uint16_t code)
{
        struct talk *t = user;

        t->ticket = ticket;
        t->ok = ok;
        t->code = code;
        t->sent++;
}

static void hears(struct talk *t, const char *text)
{
        at_hear(t->at, text, strlen(text), t->now_mono_ms);
}

static void passes(struct talk *t, int64_t ms)
{
        t->now_mono_ms += ms;
        at_tick(t->at, t->now_mono_ms);
}

static void says(struct talk *t, const char *expected)
{
        assert_string_equal(t->said, expected);
        t->said[0] = 0;
}

/* The modem is asked COMMAND and answers ANSWER. */
static void exchange(struct talk *t, const char *command, const char *reply)
{
        char line[128];

        snprintf(line, sizeof(line), "%s\r", command);
        says(t, line);
        hears(t, reply);
}

static void begin(struct talk *t)
{
        at_begin(t->at, t->now_mono_ms);
        exchange(t, WAKE, "ATE0V1\r" OK);
        says(t, "");
        passes(t, AT_QUIET_MS);
}

static void look(struct talk *t)
{
        exchange(t, "AT+CMEE=1", OK);
        exchange(t, "AT+CPIN?", "\r\n+CPIN: READY\r\n" OK);
        exchange(t, "AT+CMGF=0", OK);
        exchange(t, "AT+CNMI=2,1,0,0,0", OK);
        exchange(t, "AT+CREG=1", OK);
        exchange(t, "AT+CREG?", "\r\n+CREG: 1,1\r\n" OK);
}

static int make(void **state)
{
        struct talk *t = calloc(1, sizeof(*t));
        struct at_options options = { NUMBER, t, on_write, on_state, on_sms, on_sent };

        t->now_mono_ms = 1000;
        t->at = at_new(&options);
        *state = t;
        return t->at != NULL ? 0 : -1;
}

static int make_ready(void **state)
{
        struct talk *t;

        make(state);
        t = *state;
        begin(t);
        look(t);
        exchange(t, "AT+CMGL=0", OK);
        passes(t, AT_LOOK_MS);
        exchange(t, WAKE, OK);
        look(t);
        exchange(t, "AT+CMGL=4", OK); /* once: what an earlier run read and did not delete */
        assert_int_equal(t->state, VIGIE_MODEM_READY);
        t->states = 0;
        return 0;
}

static int drop(void **state)
{
        struct talk *t = *state;

        at_free(t->at);
        free(t);
        return 0;
}

static void send_one(struct talk *t)
{
        at_send(t->at, 7, CBOR_LITERAL("\xd2\x84\x01"), t->now_mono_ms);
}

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

/* ---- out --------------------------------------------------------------------------------------------------------- */

#define PDU "0041000B913307900009F000040A0605043F130000D28401\x1a"

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
#define T(f)       cmocka_unit_test_setup_teardown(f, make, drop)
#define T_READY(f) cmocka_unit_test_setup_teardown(f, make_ready, drop)
        const struct CMUnitTest tests[] = { T_READY(it_looks_again),
                                            T(the_sim),
                                            T_READY(the_network),
                                            T_READY(news),
                                            T(one_that_knows_less),
                                            T(one_that_hangs),
                                            T(late_answers),
                                            T_READY(unplugged),
                                            T_READY(a_message),
                                            T_READY(errors),
                                            T_READY(no_answer),
                                            T_READY(first_things_first),
                                            T_READY(messages_in),
                                            T(what_came_while_away),
                                            T(many),
                                            T(a_long_list),
                                            T_READY(junk),
                                            T_READY(longest_line) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
