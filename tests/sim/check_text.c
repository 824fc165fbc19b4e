/* Who offers an alert by SMS hears of it by SMS. */
#include <string.h>

#include "tests/sim/check.h"

#define TEXT_MS 6000  /* the answer to a text, where journal and store are well; CORE_KEPT_MS is in it */
#define COPY_MS 11000 /* so soon after another a copy gets none: offer.c */

void check_text_came(struct sim *sim, unsigned process, const struct core_event *event)
{
        struct alert_signed in;
        struct alert_id id;
        struct known *k;

        if (event->kind != CORE_SMS_OBJECT || alert_read(event->u.sms_object.bytes, &in, NULL) < 0)
                return;
        id = alert_id_make(&in.handset, in.alert.nonce);
        k = check_known(sim, id.octets, false);
        if (k == NULL || k->is_test || k->unsigned_ || k->stranger || k->text_ms != 0 ||
            strncmp(event->u.sms_object.from, "+3360000", 8) != 0 || /* a foe's */
            (k->text_told_ms != 0 && sim->now_ms - k->text_told_ms < COPY_MS))
                return;
        k->text_ms = sim->now_ms;
        k->text_by = process;
}

void check_text_told(struct sim *sim, const struct receipt *receipt)
{
        struct known *k = check_known(sim, receipt->alert.octets, false);

        if (k == NULL)
                return;
        k->text_ms = 0;
        k->text_told_ms = sim->now_ms;
}

void check_text_second(struct sim *sim)
{
        const int64_t *rates = sim->plan->rates;
        int64_t late_ms = TEXT_MS + 4 * (rates[RATE_STORE_MS] + rates[RATE_DISK_MS]) + rates[RATE_LAG_MS];

        for (size_t i = 0; i < sim->known_count; i++) {
                struct known *k = &sim->known[i];

                if (k->text_ms == 0 || k->unsigned_ || k->stranger)
                        continue;
                if (sim->checks->calm_since_ms[k->text_by] > k->text_ms)
                        k->text_ms = 0; /* what it was about to say went with it, perhaps */
                else if (sim->now_ms - k->text_ms > late_ms)
                        sim_fail(sim, "untold", "%s wrote an SMS of ..%02x, and gets none",
                                 sim->phones[k->phone].person, k->id[15]);
        }
}
