/* A press: it goes to the journal, and is synced; one in silence is silent; by SMS alone it says where it is as soon as it can. */
#include <string.h>

#include "tests/sim/check.h"

#define PLACE_S 6 /* a modem takes 3 s for one; far below the 20 s after which it goes again anyhow */

static bool is_synced(const struct sim *sim)
{
        for (unsigned i = 0; i < sim->actions->count; i++)
                if (sim->actions->action[i].type == VIGIE_DO_APPEND && sim->actions->action[i].sync)
                        return true;
        return false;
}

/* What begins with this event is to be synced by it: a finger down, an alert, one that is raised anew. */
static void check_synced(struct sim *sim, unsigned number)
{
        const struct watched *w = &sim->checks->phones[number];
        const struct vigie *vigie = sim->phones[number].vigie;

        for (unsigned i = MY_REAL; i <= MY_DRILL; i++) {
                const struct my_alert *before = &w->before[i], *a = &vigie->alert[i];

                if (a->state == MY_OPEN && !is_synced(sim) &&
                    (before->state == MY_NONE || memcmp(before->alert.nonce, a->alert.nonce, ALERT_NONCE_SIZE) != 0))
                        sim_fail(sim, "journal", "%s presses, and the journal is not synced",
                                 sim->phones[number].person);
        }
}

/* An alert that was pressed in silence, and in no other way since, is not shown, and not felt: but by one ordinary pulse where that was chosen. */
static void check_silent(struct sim *sim, unsigned number)
{
        const struct phone *phone = &sim->phones[number];
        const struct my_alert *a = &phone->vigie->alert[MY_REAL];
        struct alert_id id = alert_id_make(&phone->vigie->handset, a->alert.nonce);

        if (a->state != MY_OPEN || a->alert.kind != ALERT_SILENT || (a->alert.marks & ALERT_PRESSED_AGAIN) != 0 ||
            phone->vigie->alert[MY_DRILL].state != MY_NONE)
                return;
        if (memcmp(phone->status.alert.id, id.octets, ALERT_ID_SIZE) == 0)
                sim_fail(sim, "loud", "%s pressed in silence, and its phone shows it", phone->person);
        for (unsigned i = 0; i < sim->actions->count; i++) {
                const struct vigie_action *action = &sim->actions->action[i];

                if (action->type == VIGIE_DO_VIBRATE && action->pattern >= VIGIE_VIBRATE_LEAVING &&
                    (action->pattern != VIGIE_VIBRATE_MESSAGE || !phone->options.silent_pulse))
                        sim_fail(sim, "loud", "%s pressed in silence, and its phone buzzes", phone->person);
        }
}

void check_press(struct sim *sim, unsigned number, const struct vigie_event *event)
{
        check_silent(sim, number);
        if (event->type != VIGIE_ON_START)
                check_synced(sim, number);
}

/* ---- Its first position ------------------------------------------------------------------------------------------------------- */

void check_text(struct sim *sim, unsigned number, const struct alert *alert)
{
        if (alert->has_fix && alert->kind != ALERT_DRILL)
                memcpy(sim->checks->phones[number].placed, alert->nonce, ALERT_NONCE_SIZE);
}

/* The copy that A sends says where it is, an SMS is due, and the modem has none. */
static bool could_say_where(const struct vigie *vigie, const struct my_alert *a)
{
        struct alert_signed in;

        return a->state == MY_OPEN && !a->received && a->ticket == 0 && !a->wait && a->texted.tries > 0 &&
               a->texted.retry_mono_ms <= vigie->now_mono_ms && vigie->sms.modem == VIGIE_MODEM_READY &&
               vigie->sms.ticket == 0 && my_link_is_down(vigie) &&
               alert_read((struct cbor_span){ a->octets, a->octets_len }, &in, NULL) == 0 && in.alert.has_fix;
}

void check_place_second(struct sim *sim, unsigned number)
{
        struct watched *w = &sim->checks->phones[number];
        const struct vigie *vigie = sim->phones[number].vigie;
        const struct my_alert *a = &vigie->alert[MY_REAL];

        if (!could_say_where(vigie, a) || memcmp(w->placed, a->alert.nonce, ALERT_NONCE_SIZE) == 0)
                w->unplaced_s = 0;
        else if (++w->unplaced_s > PLACE_S)
                sim_fail(sim, "gives_up", "%s knows where it is, and its SMS do not say so",
                         sim->phones[number].person);
}
