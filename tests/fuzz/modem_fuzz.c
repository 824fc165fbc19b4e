/* A modem that says anything at any time.  The talk neither breaks nor talks without end, tells once what came of each message,
 * and deletes nothing but what it has given up as ours.
 *
 * Input: operations.  0xff n: n * 100 ms pass; 0xfe: a message is to be sent; 0xfd: unplugged and plugged in; 0xfc n: one of the
 * things that modems say; anything else is an octet from the modem. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/handset/host/at.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OURS "00440B913307900009F00004625050019295800A0605043F130000D28401"

static const char *const sayings[] = {
        "\r\nOK\r\n",
        "\r\nERROR\r\n",
        "\r\n> ",
        "\r\n+CPIN: READY\r\n",
        "\r\n+CREG: 1,1\r\n",
        "\r\n+CME ERROR: 10\r\n",
        "\r\n+CMS ERROR: 38\r\n",
        "\r\n+CMTI: \"SM\",3\r\n",
        "\r\n+CMTI: \"ME\",4\r\n",
        "\r\n+CMGR: 0,,30\r\n",
        "\r\n+CMGL: 5,1,,30\r\n",
        OURS "\r\n",
        "0004" OURS "\r\n",
        "\r\n+CREG: 2\r\n",
        "\r\n+CMGS: 7\r\n",
        "\r\nOK\r\n\r\n+CPIN: READY\r\n\r\nOK\r\n\r\nOK\r\n\r\nOK\r\n\r\nOK\r\n\r\n+CREG: 1,1\r\n\r\nOK\r\n",
};

struct talk {
        unsigned sending, given, deleted, written;
};

static void on_write(void *user, const char *octets, size_t len)
{
        struct talk *t = user;

        assert(len > 0 && len < PDU_HEX_SIZE + 2);
        t->written++;
        if (len > 8 && memcmp(octets, "AT+CMGD=", 8) == 0)
                t->deleted++;
        assert(t->deleted <= t->given);
}

static void on_state(void *user, enum vigie_modem state)
{
        assert(state > VIGIE_MODEM_NONE && state < VIGIE_MODEM_END);
}

static void on_sms(void *user, const uint8_t *data, size_t len)
{
        struct talk *t = user;

        assert(len >= 1 && len <= SMS_DATA_MAX);
        t->given++;
}

static void on_sent(void *user, uint32_t ticket, bool ok, uint16_t code)
{
        struct talk *t = user;

        assert(t->sending == 1 && ticket == 7 && (!ok || code == 0));
        t->sending = 0;
}

static void say(struct at *at, unsigned which, int64_t now_mono_ms)
{
        const char *text = sayings[which % (sizeof(sayings) / sizeof(sayings[0]))];

        at_hear(at, text, strlen(text), now_mono_ms);
}

static void send_one(struct at *at, struct talk *t, int64_t now_mono_ms)
{
        if (t->sending)
                return;
        t->sending = 1;
        at_send(at, 7, CBOR_LITERAL("\xd2\x84\x01"), now_mono_ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct talk t = { 0 };
        struct at_options options = { "+33700900900", &t, on_write, on_state, on_sms, on_sent };
        struct at *at = at_new(&options);
        int64_t now_mono_ms = 1000;

        at_begin(at, now_mono_ms);
        for (size_t i = 0; i < size; i++) {
                unsigned what = data[i], operand = i + 1 < size ? data[i + 1] : 0, before = t.written;

                if (what == 0xff)
                        at_tick(at, now_mono_ms += 100 * operand);
                else if (what == 0xfe)
                        send_one(at, &t, now_mono_ms);
                else if (what == 0xfd)
                        at_end(at);
                else if (what == 0xfc)
                        say(at, operand, now_mono_ms);
                else
                        at_hear(at, (const char *)&data[i], 1, now_mono_ms);
                i += what == 0xff || what == 0xfc;
                if (what == 0xfd || at_is_lost(at))
                        at_begin(at, now_mono_ms);
                assert(t.written - before <= 20);
                assert(at_due(at) < INT64_MAX);
        }
        at_tick(at, now_mono_ms + AT_SEND_MS + 10 * AT_ANSWER_MS); /* whatever was under way is over by then */
        at_end(at);
        assert(!t.sending);
        at_free(at);
        return 0;
}
