/* A press: it goes to the journal, and is synced; one in silence is silent. */
#include <string.h>

#include "tests/sim/check.h"

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
