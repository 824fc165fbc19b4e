/* The talk with a modem that the tests of at.h have: what is said to it, what it answers, on a clock of their own. */
#ifndef TESTS_DEVICE_HANDSET_HOST_TALK_H
#define TESTS_DEVICE_HANDSET_HOST_TALK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/handset/host/at.h"
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

static inline void on_write(void *user, const char *octets, size_t len)
{
        struct talk *t = user;
        size_t n = strlen(t->said);

        assert_true(n + len < sizeof(t->said));
        memcpy(t->said + n, octets, len);
        t->said[n + len] = 0;
}

static inline void on_state(void *user, enum vigie_modem state)
{
        struct talk *t = user;

        t->state = state;
        t->states++;
}

static inline void on_sms(void *user, const uint8_t *data, size_t len)
{
        struct talk *t = user;

        assert_int_equal(len, 3);
        assert_memory_equal(data, "\xd2\x84\x01", 3);
        t->sms++;
}

static inline void on_sent(void *user, uint32_t ticket, bool ok, uint16_t code)
{
        struct talk *t = user;

        t->ticket = ticket;
        t->ok = ok;
        t->code = code;
        t->sent++;
}

static inline void hears(struct talk *t, const char *text)
{
        at_hear(t->at, text, strlen(text), t->now_mono_ms);
}

static inline void passes(struct talk *t, int64_t ms)
{
        t->now_mono_ms += ms;
        at_tick(t->at, t->now_mono_ms);
}

static inline void says(struct talk *t, const char *expected)
{
        assert_string_equal(t->said, expected);
        t->said[0] = 0;
}

/* The modem is asked COMMAND and answers ANSWER. */
static inline void exchange(struct talk *t, const char *command, const char *reply)
{
        char line[128];

        snprintf(line, sizeof(line), "%s\r", command);
        says(t, line);
        hears(t, reply);
}

static inline void begin(struct talk *t)
{
        at_begin(t->at, t->now_mono_ms);
        exchange(t, WAKE, "ATE0V1\r" OK);
        says(t, "");
        passes(t, AT_QUIET_MS);
}

static inline void look(struct talk *t)
{
        exchange(t, "AT+CMEE=1", OK);
        exchange(t, "AT+CPIN?", "\r\n+CPIN: READY\r\n" OK);
        exchange(t, "AT+CMGF=0", OK);
        exchange(t, "AT+CNMI=2,1,0,0,0", OK);
        exchange(t, "AT+CREG=1", OK);
        exchange(t, "AT+CREG?", "\r\n+CREG: 1,1\r\n" OK);
}

static inline int make(void **state)
{
        struct talk *t = calloc(1, sizeof(*t));
        struct at_options options = { NUMBER, t, on_write, on_state, on_sms, on_sent };

        t->now_mono_ms = 1000;
        t->at = at_new(&options);
        *state = t;
        return t->at != NULL ? 0 : -1;
}

static inline int make_ready(void **state)
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

static inline int drop(void **state)
{
        struct talk *t = *state;

        at_free(t->at);
        free(t);
        return 0;
}

static inline void send_one(struct talk *t)
{
        at_send(t->at, 7, CBOR_LITERAL("\xd2\x84\x01"), t->now_mono_ms);
}

#define PDU "0041000B913307900009F000040A0605043F130000D28401\x1a"

#define T(f)       cmocka_unit_test_setup_teardown(f, make, drop)
#define T_READY(f) cmocka_unit_test_setup_teardown(f, make_ready, drop)

#endif
