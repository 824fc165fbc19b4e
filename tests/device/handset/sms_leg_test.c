/* The SMS leg as a table: what happens to network, modem and phone, and when SMS go to the modem. */
#include "tests/device/handset/phone.h"

/* What happens at a time: to the network, the modem, the region, the phone. */
enum happens {
        END,
        NET,      /* data works (1) or not (0) */
        DEAF,     /* the region hears data (0) or, the link standing, does not (1) */
        MODEM,    /* enum vigie_modem */
        CODE,     /* the modem refuses with this; 0 = sends */
        HUNG,     /* the modem says nothing of what it sent */
        LOST,     /* SMS to the region are lost */
        NO_REPLY, /* SMS to the phone are lost */
        WAY,      /* seconds that an SMS takes, each way */
        KEEPS,    /* the region's store is away: "kept" */
        PRESS,    /* enum vigie_press */
        PIN,      /* enum vigie_pin */
        CATEGORY, /* 1..5 */
        FIX,      /* a fix, so many 1e-3 degrees north */
        KILL      /* kill -9 and start; the modem is told of as before */
};

struct step {
        int64_t at_ms;
        uint8_t what;
        int64_t arg;
};

struct scenario {
        const char *name;
        struct step steps[12];
        int64_t for_ms;     /* from the first press on */
        int64_t sms_ms[16]; /* when SMS go to the modem, after the press; -1 ends the list */
        uint8_t word, path;
};

/* clang-format off */
#define READY { -60000, MODEM, VIGIE_MODEM_READY }
#define OFF   { -30000, NET, 0 }

static const struct scenario scenarios[] = {
        { "data works: no SMS",
          { READY, { 0, PRESS, 0 } },
          600000, { -1 }, VIGIE_RECEIVED, VIGIE_PATH_DATA },
        { "data down before the press: at once, and none after the receipt",
          { READY, OFF, { 0, PRESS, 0 } },
          600000, { 0, -1 }, VIGIE_RECEIVED, VIGIE_PATH_SMS },
        { "data says nothing: 3 s",
          { READY, { -30000, DEAF, 1 }, { 0, PRESS, 0 } },
          60000, { 3000, -1 }, VIGIE_RECEIVED, VIGIE_PATH_SMS },
        { "data dies between press and receipt",
          { READY, { -1, DEAF, 1 }, { 0, PRESS, 0 }, { 1000, NET, 0 } },
          60000, { 1000, -1 }, VIGIE_RECEIVED, VIGIE_PATH_SMS },
        { "data back while the SMS is under way: received by data, one SMS",
          { READY, OFF, { 0, PRESS, 0 }, { 3000, NET, 1 } },
          600000, { 0, -1 }, VIGIE_RECEIVED, VIGIE_PATH_DATA },
        { "the store is away: \"kept\" does not end it",
          { READY, OFF, { 0, KEEPS, 1 }, { 0, PRESS, 0 } },
          100000, { 0, 22000, 64000, -1 }, VIGIE_KEPT, 0 },
        { "SMS are lost: 20 s, 40 s, 60 s after the last was handed over, then every 120 s, for ever",
          { READY, OFF, { 0, LOST, 1 }, { 0, PRESS, 0 } },
          760000, { 0, 22000, 64000, 126000, 248000, 370000, 492000, 614000, 736000, -1 }, VIGIE_SENT, 0 },
        { "the receipt is lost, and comes at the third",
          { READY, OFF, { 0, NO_REPLY, 1 }, { 0, PRESS, 0 }, { 50000, NO_REPLY, 0 } },
          600000, { 0, 22000, 64000, -1 }, VIGIE_RECEIVED, VIGIE_PATH_SMS },
        { "out of credit, then paid: 2, 5, 10, 30, 60, 60 s",
          { READY, OFF, { 0, CODE, 38 }, { 0, PRESS, 0 }, { 150000, CODE, 0 } },
          600000, { 0, 4000, 11000, 23000, 55000, 117000, 179000, -1 }, VIGIE_RECEIVED, VIGIE_PATH_SMS },
        { "the modem says nothing of it: taken as not sent after 90 s",
          { READY, OFF, { 0, HUNG, 1 }, { 0, LOST, 1 }, { 0, PRESS, 0 } },
          190000, { 0, 92000, 187000, -1 }, VIGIE_NOT_SENT, 0 },
        { "no SIM, then one; no modem: nothing",
          { { -60000, MODEM, VIGIE_MODEM_NO_SIM }, OFF, { 0, PRESS, 0 }, { 9000, MODEM, VIGIE_MODEM_READY } },
          60000, { 9000, -1 }, VIGIE_RECEIVED, VIGIE_PATH_SMS },
        { "a modem that becomes ready does not wait for what it refused before",
          { READY, OFF, { 0, CODE, 500 }, { 0, PRESS, 0 }, { 60000, MODEM, VIGIE_MODEM_SILENT },
            { 70000, MODEM, VIGIE_MODEM_READY }, { 75000, CODE, 0 } },
          120000, { 0, 4000, 11000, 23000, 55000, 72000, 76000, -1 }, VIGIE_RECEIVED, VIGIE_PATH_SMS },
        { "unplugged for good: the press waits for any path",
          { { -60000, MODEM, VIGIE_MODEM_ABSENT }, OFF, { 0, PRESS, 0 } },
          600000, { -1 }, VIGIE_NOT_SENT, 0 },
        { "killed with an SMS in flight: goes on",
          { READY, OFF, { 0, LOST, 1 }, { 0, PRESS, 0 }, { 500, KILL, 0 } },
          60000, { 0, 500, 22500, -1 }, VIGIE_SENT, 0 },
        { "killed before the modem was ready",
          { { -60000, MODEM, VIGIE_MODEM_NO_NETWORK }, OFF, { 0, PRESS, 0 }, { 500, KILL, 0 },
            { 5000, MODEM, VIGIE_MODEM_READY } },
          60000, { 5000, -1 }, VIGIE_RECEIVED, VIGIE_PATH_SMS },
        { "silent: the same, and nothing shows",
          { READY, OFF, { 0, LOST, 1 }, { 0, PRESS, VIGIE_PRESS_SILENT } },
          60000, { 0, 22000, -1 }, VIGIE_NOTHING, 0 },
        { "a drill: like an alert",
          { READY, OFF, { 0, PRESS, VIGIE_PRESS_DRILL } },
          600000, { 0, -1 }, VIGIE_RECEIVED, VIGIE_PATH_SMS },
        { "a mistake before the receipt: at the next slot, its retries begin anew",
          { READY, OFF, { 0, LOST, 1 }, { 0, PRESS, 0 }, { 70000, PIN, VIGIE_PIN_RIGHT } },
          130000, { 0, 22000, 64000, 70000, 92000, -1 }, VIGIE_SENT, 0 },
        { "a mistake after the receipt, the link down: one, answered",
          { READY, OFF, { 0, PRESS, 0 }, { 70000, PIN, VIGIE_PIN_RIGHT } },
          600000, { 0, 70000, -1 }, VIGIE_RECEIVED, VIGIE_PATH_SMS },
        { "the category while the first is with the modem: when that one is handed over",
          { READY, OFF, { 0, PRESS, 0 }, { 500, CATEGORY, 2 } },
          600000, { 0, 2000, -1 }, VIGIE_RECEIVED, VIGIE_PATH_SMS },
        { "received by data, then the link falls: urgent news alone goes by SMS",
          { READY, { 0, PRESS, 0 }, { 10000, NET, 0 }, { 400000, CATEGORY, 2 } },
          600000, { 400000, -1 }, VIGIE_RECEIVED, VIGIE_PATH_DATA },
        { "pressed again and again: one says so at once, the later presses go with its retry",
          { READY, OFF, { 0, PRESS, 0 }, { 20000, PRESS, 0 }, { 22000, PRESS, 0 }, { 24000, PRESS, 0 },
            { 26000, PRESS, 0 } },
          60000, { 0, 20000, 42000, -1 }, VIGIE_RECEIVED, VIGIE_PATH_SMS },
        { "the first position at the next slot, better ones once a minute",
          { READY, OFF, { 0, PRESS, 0 }, { 10000, FIX, 1 }, { 15000, FIX, 2 }, { 20000, FIX, 3 }, { 40000, FIX, 4 },
            { 80000, FIX, 5 } },
          600000, { 0, 10000, 72000, 134000, -1 }, VIGIE_RECEIVED, VIGIE_PATH_SMS },
        { "the first position after the receipt is lost: said until it is known",
          { READY, OFF, { 0, PRESS, 0 }, { 30000, LOST, 1 }, { 40000, FIX, 1 }, { 70000, LOST, 0 } },
          600000, { 0, 40000, 62000, 104000, -1 }, VIGIE_RECEIVED, VIGIE_PATH_SMS },
        { "a retry carries the newest position",
          { READY, OFF, { -1000, FIX, 1 }, { 0, LOST, 1 }, { 0, PRESS, 0 }, { 5000, FIX, 2 } },
          30000, { 0, 22000, -1 }, VIGIE_SENT, 0 },
        { "the SMS takes an hour, data is back meanwhile: one alert, and nothing changes when all that comes in",
          { READY, OFF, { 0, WAY, 3600 }, { 0, PRESS, 0 }, { 60000, NET, 1 } },
          7600000, { 0, 22000, -1 }, VIGIE_RECEIVED, VIGIE_PATH_DATA },
};
/* clang-format on */

static void happen(struct phone *p, const struct step *s)
{
        uint8_t before;

        switch (s->what) {
        case NET:
                phone_network(p, s->arg != 0);
                return;
        case DEAF:
                p->region = s->arg == 0;
                return;
        case MODEM:
                phone_modem(p, (uint8_t)s->arg);
                return;
        case CODE:
                p->sms_code = (uint16_t)s->arg;
                return;
        case HUNG:
                p->sms_silent = s->arg;
                return;
        case LOST:
                p->sms_lost = s->arg;
                return;
        case NO_REPLY:
                p->receipt_lost = s->arg;
                return;
        case WAY:
                p->sms_way_ms = 1000 * s->arg;
                return;
        case KEEPS:
                p->keeps = s->arg;
                return;
        case PRESS:
                phone_press(p, VIGIE_PRESS_AT_ONCE, (uint8_t)s->arg);
                return;
        case PIN:
                phone_pin(p, (uint8_t)s->arg);
                return;
        case CATEGORY:
                phone_event(p, (struct vigie_event){ .type = VIGIE_ON_CATEGORY, .u.category = (uint8_t)s->arg });
                return;
        case FIX:
                phone_fix(p, 45.76 + (double)s->arg / 1000, 4.83, 5);
                return;
        case KILL:
                before = p->status.sms.modem;
                phone_start(p);
                phone_modem(p, before);
                return;
        }
}

static void assert_sms_times(struct phone *p, const struct scenario *s, int64_t press_mono_ms)
{
        size_t n = 0;
        const struct did *did;

        for (; (did = phone_did(p, VIGIE_DO_SEND_SMS, n)) != NULL; n++) {
                if (n == 16 || s->sms_ms[n] < 0 || did->at_mono_ms - press_mono_ms != s->sms_ms[n])
                        fail_msg("%s: SMS %zu at %lld ms", s->name, n, (long long)(did->at_mono_ms - press_mono_ms));
        }
        if (n < 16 && s->sms_ms[n] >= 0)
                fail_msg("%s: SMS %zu does not come", s->name, n);
}

static void play(const struct scenario *s)
{
        struct phone *p = phone_new();
        int64_t press_mono_ms = MONO0 + 120000;

        p->unfinished_lost = false;
        phone_start(p);
        for (const struct step *step = s->steps; step->what != END; step++) {
                phone_run(p, press_mono_ms + step->at_ms - p->mono_ms);
                if (step->what == PRESS && step->at_ms == 0)
                        phone_mark(p);
                happen(p, step);
        }
        phone_run(p, press_mono_ms + s->for_ms - p->mono_ms);
        assert_sms_times(p, s, press_mono_ms);
        if (p->status.alert.word != s->word || p->status.alert.received_path != s->path)
                fail_msg("%s: word %u, path %u", s->name, p->status.alert.word, p->status.alert.received_path);
        assert_true(p->known_count <= 1);
        phone_free(p);
}

static void scenarios_play(void **state)
{
        for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
                play(&scenarios[i]);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(scenarios_play) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
