/* Who offers an alert by SMS, again and again, hears of it by SMS. */
#include <string.h>

#include "tests/sim/check.h"

#define TEXT_MS 8000
#define COPY_MS 10000 /* a copy so soon after an answer to its alert gets none */

void check_text_came(struct sim *sim, unsigned process, const struct core_event *event)
{
        struct alert_signed in;
        struct alert_id id;
        struct known *k;

        if (event->kind != CORE_SMS_OBJECT || alert_read(event->u.sms_object.bytes, &in, NULL) < 0 ||
            strncmp(event->u.sms_object.from, "+3360000", 8) != 0) /* else a foe's */
                return;
        id = alert_id_make(&in.handset, in.alert.nonce);
        k = check_known(sim, id.octets, false);
        if (k == NULL || k->is_test || k->unsigned_ || k->stranger ||
            sim->now_ms - sim->checks->calm_since_ms[process] < HEALTHY_MS)
                return;
        if (k->text_ms != 0 || (k->answer_ms != 0 && sim->now_ms - k->answer_ms < COPY_MS))
                return;
        k->text_to = process;
        k->text_ms = sim->now_ms;
}

/* Two presses of one alert: its phone is told under the first and the newest. */
static bool are_one(struct sim *sim, const uint8_t a[ALERT_ID_SIZE], const uint8_t b[ALERT_ID_SIZE])
{
        struct instance *in = &sim->store.instances[sim->store.primary];
        bool found = memcmp(a, b, ALERT_ID_SIZE) == 0;

        for (size_t i = 0; i < in->alert_count && !found; i++) {
                const struct record *record = store_record(&in->alerts[i]);

                found = check_has(record, a) && check_has(record, b);
        }
        return found;
}

void check_text_told(struct sim *sim, const struct receipt *receipt)
{
        for (size_t i = 0; i < sim->known_count; i++) {
                struct known *k = &sim->known[i];

                if (!are_one(sim, k->id, receipt->alert.octets))
                        continue;
                k->text_ms = 0;
                k->answer_ms = sim->now_ms;
        }
}

void check_text_second(struct sim *sim)
{
        for (size_t i = 0; i < sim->known_count; i++) {
                struct known *k = &sim->known[i];

                if (sim->checks->calm_since_ms[k->text_to] > k->text_ms)
                        k->text_ms = 0;
                if (k->text_ms != 0 && sim->now_ms - k->text_ms > TEXT_MS && !k->unsigned_ && !k->stranger)
                        sim_fail(sim, "untold", "%s has sent an SMS of ..%02x, and gets none",
                                 sim->phones[k->phone].person, k->id[15]);
        }
}
