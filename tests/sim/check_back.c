/* What a start must not bring back: a touch that was let go, a duty that was ended.  And a duty ends, by the phone and in the region. */
#include <string.h>

#include "tests/sim/check.h"

#define WRITTEN_S   5    /* a good disk has it by then */
#define END_LATE_MS 5000 /* of a phone that is awake */

/* The journal took what was said, and has it still. */
static bool is_written(const struct phone *phone)
{
        return !phone->disk_full && !phone->journal_bad && !phone->fsync_fails && phone->disk_ms == 0 &&
               !phone->was_restored;
}

static const struct my_alert *own(const struct sim *sim, unsigned number, const uint8_t nonce[ALERT_NONCE_SIZE])
{
        uint8_t id[ALERT_ID_SIZE];

        memcpy(id, sim->phones[number].id, HANDSET_ID_SIZE);
        memcpy(id + HANDSET_ID_SIZE, nonce, ALERT_NONCE_SIZE);
        return check_own(sim, number, id);
}

void check_back_before(struct sim *sim, unsigned number, const struct vigie_event *event)
{
        if (event->type == VIGIE_ON_DUTY)
                sim->checks->phones[number].is_off = false; /* one that begins it and dies of it may have written so */
}

void check_back_event(struct sim *sim, unsigned number, const struct vigie_event *event)
{
        struct watched *w = &sim->checks->phones[number];
        const struct vigie *vigie = sim->phones[number].vigie;

        if (event->type == VIGIE_ON_DUTY) {
                w->is_off = !event->u.duty.on && !vigie->duty.on;
                w->off_s = 0;
        }
        if (event->type == VIGIE_ON_PRESS && event->u.press.how == VIGIE_TOUCH_UP && w->touch.down &&
            !vigie->touch.down && own(sim, number, w->touch.nonce) == NULL) {
                memcpy(w->let_go, w->touch.nonce, ALERT_NONCE_SIZE);
                w->is_let_go = true;
                w->let_go_s = 0;
        }
}

static void check_duty_end(struct sim *sim, unsigned number)
{
        const struct vigie *vigie = sim->phones[number].vigie;
        const struct watched *w = &sim->checks->phones[number];

        if (vigie->duty.on && w->up_ms != INT64_MAX && sim->now_ms - w->up_ms > END_LATE_MS &&
            vigie->now_mono_ms > vigie->duty.until_mono_ms + VIGIE_DUTY_OVERTIME_S * 1000 + END_LATE_MS)
                sim_fail(sim, "duty", "%s's duty is over by the clock, and its phone goes on with it",
                         sim->phones[number].person);
}

void check_back_second(struct sim *sim, unsigned number)
{
        const struct phone *phone = &sim->phones[number];
        struct watched *w = &sim->checks->phones[number];

        w->is_off &= is_written(phone) && (phone->alive || w->off_s >= WRITTEN_S);
        w->is_let_go &= is_written(phone) && (phone->alive || w->let_go_s >= WRITTEN_S);
        if (!phone->alive)
                return;
        check_duty_end(sim, number);
        if (w->is_off && w->off_s++ >= WRITTEN_S && phone->vigie->duty.on)
                sim_fail(sim, "duty", "%s ended its duty, and its phone has it again", phone->person);
        if (w->is_let_go && w->let_go_s++ >= WRITTEN_S && own(sim, number, w->let_go) != NULL)
                sim_fail(sim, "journal", "%s let the button go, and its phone presses", phone->person);
}
