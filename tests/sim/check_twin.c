/* The PIN under duress looks like the right one: a twin of the phone is told of the right PIN where the phone is told of the other,
 * and of everything else as well.  Both must do the same, octets of the same length at the same time, and show the same. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/check.h"

void check_twin_end(struct sim *sim, unsigned number)
{
        struct watched *w = &sim->checks->phones[number];

        free(w->twin);
        free(w->twin_actions);
        w->twin = NULL;
        w->twin_actions = NULL;
}

void check_pin(struct sim *sim, unsigned number, uint8_t pin)
{
        struct watched *w = &sim->checks->phones[number];

        if (pin == VIGIE_PIN_DURESS)
                check_given(sim, number);
        if (pin != VIGIE_PIN_DURESS || w->twin != NULL || !sim->phones[number].alive)
                return;
        w->twin = malloc(vigie_size());
        w->twin_actions = malloc(sizeof(*w->twin_actions));
        assert(w->twin != NULL && w->twin_actions != NULL);
        memcpy(w->twin, sim->phones[number].vigie, vigie_size());
}

static void compare(struct sim *sim, unsigned number, const struct vigie_actions *twin)
{
        const struct vigie_actions *own = sim->actions;
        struct vigie_status status, shown;
        bool shows = false;

        if (own->count != twin->count) {
                sim_fail(sim, "duress", "%s does %u things, and %u under duress", sim->phones[number].person,
                         twin->count, own->count);
                return;
        }
        for (unsigned i = 0; i < own->count; i++) {
                const struct vigie_action *a = &own->action[i], *b = &twin->action[i];

                shows |= a->type == VIGIE_DO_SHOW;
                if (a->type != b->type || a->len != b->len || a->due_mono_ms != b->due_mono_ms ||
                    a->address != b->address || a->pattern != b->pattern || a->sync != b->sync)
                        sim_fail(sim, "duress", "%s does another thing under duress", sim->phones[number].person);
        }
        if (!shows)
                return; /* both as before */
        vigie_status(sim->checks->phones[number].twin, &status);
        vigie_status(sim->phones[number].vigie, &shown);
        if (memcmp(&status, &shown, sizeof(status)) != 0)
                sim_fail(sim, "duress", "%s shows another thing under duress", sim->phones[number].person);
}

/* EVENT was told to the phone just now; what it does stands in sim->actions. */
void check_twin_event(struct sim *sim, unsigned number, const struct vigie_event *event)
{
        struct watched *w = &sim->checks->phones[number];
        struct vigie_event same = *event;

        if (w->twin == NULL)
                return;
        if (event->type == VIGIE_ON_PIN && event->u.pin == VIGIE_PIN_DURESS)
                same.u.pin = VIGIE_PIN_RIGHT;
        (void)vigie_event(w->twin, &same, w->twin_actions);
        compare(sim, number, w->twin_actions);
}
