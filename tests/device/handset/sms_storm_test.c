/* Whatever network and modem do, in a seeded order: the alert and every mark on it reach the region once either path
 * works, as one alert; no word is shown early.  A seed that fails is printed. */
#include "tests/device/handset/phone.h"

#define SEEDS   300
#define STEPS   40
#define HEAL_MS 600000 /* a retry of 120 s, a hung modem of 90 s, and an SMS each way: with room to spare */

static uint64_t draw(uint64_t *seed, uint64_t below)
{
        *seed = *seed * 6364136223846793005 + 1442695040888963407;
        return (*seed >> 33) % below;
}

static void network(struct phone *p, uint64_t *seed)
{
        switch (draw(seed, 8)) {
        case 0:
        case 1:
                phone_network(p, draw(seed, 2));
                return;
        case 2:
                p->region = draw(seed, 2);
                return;
        case 3:
                p->sms_lost = draw(seed, 2);
                p->receipt_lost = draw(seed, 2);
                return;
        case 4:
                p->sms_way_ms = (int64_t)draw(seed, 120000);
                return;
        case 5:
                phone_modem(p, draw(seed, 2) ? VIGIE_MODEM_READY : (uint8_t)draw(seed, VIGIE_MODEM_END));
                return;
        case 6:
                p->sms_code = draw(seed, 2) ? 0 : (uint16_t)draw(seed, 600);
                p->sms_silent = draw(seed, 4) == 0;
                p->sms_takes_ms = (int64_t)draw(seed, 30000);
                return;
        default:
                p->keeps = draw(seed, 2);
        }
}

/* What a person does; gives the marks that must arrive. */
static uint16_t person(struct phone *p, uint64_t *seed)
{
        switch (draw(seed, 6)) {
        case 0:
                phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
                return ALERT_PRESSED_AGAIN;
        case 1:
                phone_pin(p, VIGIE_PIN_RIGHT);
                return ALERT_MISTAKE;
        case 2:
                phone_pin(p, VIGIE_PIN_DURESS);
                return ALERT_DURESS;
        case 3:
                phone_just(p, VIGIE_ON_POWER_OFF);
                return ALERT_LAST_WORDS;
        default:
                phone_fix(p, 45.76 + (double)draw(seed, 100) / 10000, 4.83, 5);
                return 0;
        }
}

static void heal(struct phone *p, bool by_sms)
{
        p->region = true;
        p->keeps = p->sms_lost = p->receipt_lost = p->sms_silent = false;
        p->sms_code = 0;
        p->sms_takes_ms = 2000;
        p->sms_way_ms = 7000;
        phone_network(p, !by_sms);
        phone_modem(p, by_sms ? VIGIE_MODEM_READY : VIGIE_MODEM_ABSENT);
}

static bool storm(uint64_t number)
{
        struct phone *p = phone_new();
        uint64_t seed = number;
        uint16_t marks = 0;
        bool good;

        phone_start(p);
        phone_modem(p, VIGIE_MODEM_READY);
        for (int i = 0; i < 4; i++)
                network(p, &seed);
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        for (int i = 0; i < STEPS; i++) {
                phone_run(p, (int64_t)draw(&seed, 20000));
                if (p->status.alert.word > VIGIE_KEPT)
                        assert_true(p->known_count == 1);
                if (draw(&seed, 4) == 0)
                        marks |= person(p, &seed);
                else
                        network(p, &seed);
                if (draw(&seed, 16) == 0)
                        phone_start(p); /* kill -9; the modem says nothing until it changes */
        }
        heal(p, number & 1);
        phone_run(p, HEAL_MS);
        good = p->known_count == 1 && p->status.alert.word >= VIGIE_RECEIVED && (p->known[0].marks & marks) == marks &&
               p->known[0].revision == p->status.alert.revision;
        phone_free(p);
        return good;
}

static void storms(void **state)
{
        for (uint64_t number = 1; number <= SEEDS; number++)
                if (!storm(number))
                        fail_msg("seed %llu", (unsigned long long)number);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(storms) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
