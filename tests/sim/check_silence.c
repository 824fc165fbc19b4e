/* Carriers who are not heard: reported in time, once, and not any more when they are. */
#include <string.h>

#include "tests/sim/check.h"

#define CLOCKS_MS     50      /* a clock is put right by the store's */
#define DUTY_AFTER_MS 1800000 /* a duty is over so long after its planned end */
#define SCAN_LATE_MS  (2 * CORE_SCAN_MS + 2000)

/* Whose handset is not known any more: what was asked of it is not remembered. */
static bool is_of_unknown(const struct sim *sim, const char *carrier)
{
        for (unsigned i = 0; i < sim->phone_count; i++)
                if (strcmp(sim->phones[i].person, carrier) == 0)
                        return sim->phones[i].was_unknown;
        return false;
}

/* All whom NOTICE names are in BEFORE too, and it has no more. */
static bool is_read(const struct notice *notice, const struct notice *before)
{
        for (size_t i = 0; i < notice->name_count; i++) {
                size_t j = 0;

                while (j < before->name_count && strcmp(before->names[j].carrier_id, notice->names[i].carrier_id) != 0)
                        j++;
                if (j == before->name_count)
                        return false;
        }
        return notice->count <= before->count;
}

/* What was read stays so, while nobody more is silent; and who is silent since is not hidden by that. */
static void check_read(struct sim *sim, const char *key, const struct notice *notice, const struct notice *before)
{
        if (before->acked_by[0] == '\0' || sim->failovers > 0 || sim->store.away)
                return;
        if (!is_read(notice, before) && notice->acked_by[0] != '\0')
                sim_fail(sim, "silence", "%s counts as read, with somebody more", key);
        if (is_read(notice, before) && notice->acked_by[0] == '\0')
                sim_fail(sim, "silence", "%s was read, and rings again", key);
}

/* A name comes into a group again only when something was heard in between. */
void check_notice(struct sim *sim, const char *key, const struct notice *notice, const struct notice *before)
{
        if (strncmp(key, "overdue:", 8) != 0 || notice == NULL)
                return;
        sim_mark(sim, MARK_OVERDUE);
        if (before != NULL)
                check_read(sim, key, notice, before);
        chart_note(sim, CHART_STORE, "%s", key);
        for (size_t i = 0; before == NULL && i < notice->name_count; i++) {
                const struct overdue_name *name = &notice->names[i];
                size_t j = 0;

                while (j < sim->silence_count && (strcmp(sim->silences[j].carrier, name->carrier_id) != 0 ||
                                                  sim->silences[j].heard_ms != name->heard_at_ms))
                        j++;
                if (j < sim->silence_count && sim->failovers == 0 && !is_of_unknown(sim, name->carrier_id))
                        sim_fail(sim, "silence", "%s's silence is reported a second time", name->carrier_id);
                if (j == sim->silence_count && j < sizeof(sim->silences) / sizeof(sim->silences[0])) {
                        memcpy(sim->silences[j].carrier, name->carrier_id, sizeof(sim->silences[j].carrier));
                        sim->silences[sim->silence_count++].heard_ms = name->heard_at_ms;
                }
        }
}

static bool is_named(const struct sim *sim, const char *carrier)
{
        const struct instance *in = &sim->store.instances[sim->store.primary];

        for (size_t i = 0; i < in->notice_count; i++) {
                const struct op *op = in->notices[i];

                if (!op->on || strncmp(op->key, "overdue:", 8) != 0)
                        continue;
                for (size_t j = 0; j < op->notice.name_count; j++)
                        if (strcmp(op->notice.names[j].carrier_id, carrier) == 0)
                                return true;
        }
        return false;
}

/* Since when silence means something: every part of it has worked for so long. */
static bool is_heard_well(const struct sim *sim, int64_t ms)
{
        int64_t since_ms = INT64_MAX;

        for (unsigned i = 0; i < sim->process_count; i++)
                if (sim->processes[i].core != NULL && sim->processes[i].core->positions_up &&
                    !sim->processes[i].core->options.alerts_only && check_process_is_well(sim, i) &&
                    sim->checks->calm_since_ms[i] < since_ms)
                        since_ms = sim->checks->calm_since_ms[i];
        return since_ms != INT64_MAX && sim->positions_up && sim->now_ms - since_ms > ms;
}

/* HANDSET has an open alert, or had one less than MS ago: whose alert is closed is asked and reported as of then. */
static bool has_open_alert(const struct sim *sim, const uint8_t handset[HANDSET_ID_SIZE], int64_t ms)
{
        const struct instance *in = &sim->store.instances[sim->store.primary];

        for (size_t i = 0; i < in->alert_count; i++) {
                const struct stored *s = &in->alerts[i];

                if (memcmp(s->id, handset, HANDSET_ID_SIZE) == 0 && (!s->closed || sim->now_ms - s->last->at_ms < ms))
                        return true;
        }
        return false;
}

/* When DUTY's carrier was heard last: of one who was a stranger the presence says nothing, and a dispatcher may know better. */
static int64_t heard_ms(const struct sim *sim, const struct core_found *duty)
{
        int64_t ms = duty->heard_at_ms;

        for (unsigned i = 0; i < sim->process_count && is_of_unknown(sim, duty->duty.carrier_id); i++) {
                const struct core *core = sim->processes[i].core;
                const struct handset *handset =
                        core != NULL ? directory_handset(&core->directory, duty->handset) : NULL;

                if (handset != NULL && handset->heard_at_ms > ms)
                        ms = handset->heard_at_ms;
        }
        return ms;
}

/* A duty that is over by the clock is no duty any more; who was missed before that stays missed. */
static bool is_over(const struct sim *sim, const struct core_found *duty)
{
        int64_t end_ms = (int64_t)duty->duty.until_s * 1000 + DUTY_AFTER_MS;

        return duty->on_duty && duty->heard_at_ms + SIM_OVERDUE_MS >= end_ms &&
               store_now_ms(sim, sim->store.primary) > end_ms + SIM_OVERDUE_MS + SCAN_LATE_MS;
}

/* What is heard later is not before what was heard; but who was not known for a time may be forgotten. */
static void check_heard(struct sim *sim, unsigned process)
{
        const struct core *core = sim->processes[process].core;
        int64_t clocks_ms = 2 * sim->plan->rates[RATE_STORE_SKEW_MS] + CLOCKS_MS;

        for (unsigned i = 0; core != NULL && i < sim->phone_count; i++) {
                const struct handset *handset = directory_handset(&core->directory, sim->phones[i].id);
                int64_t at_ms = handset != NULL ? handset->heard_at_ms : 0;
                int64_t before_ms = sim->checks->heard[process][i].at_ms;

                if (sim->checks->heard[process][i].run == sim->processes[process].run &&
                    at_ms < before_ms - clocks_ms && !sim->phones[sim->phones[i].of].was_unknown)
                        sim_fail(sim, "silence", "%s takes %s for one heard %.1f s before it was",
                                 sim->processes[process].name, sim->phones[i].person,
                                 (double)(before_ms - at_ms) / 1000);
                sim->checks->heard[process][i].run = sim->processes[process].run;
                sim->checks->heard[process][i].at_ms = at_ms;
        }
}

/* The duty of a supervisor too ends by the clock. */
static void check_supervisors(struct sim *sim, int64_t now_ms)
{
        const struct instance *in = &sim->store.instances[sim->store.primary];

        for (size_t i = 0; i < in->duty_count; i++) {
                const struct op *op = in->duty[i];

                if (op->on && op->duty.until_s != 0 &&
                    now_ms > (int64_t)op->duty.until_s * 1000 + DUTY_AFTER_MS + SCAN_LATE_MS)
                        sim_fail(sim, "duty", "%s's duty is over by the clock, and is not ended", op->key);
        }
}

void check_silence_second(struct sim *sim)
{
        const struct core_options *o = NULL;
        int64_t late_ms;

        for (unsigned i = 0; i < sim->process_count; i++)
                check_heard(sim, i);
        for (unsigned i = 0; i < sim->process_count && o == NULL; i++)
                o = sim->processes[i].core != NULL ? &sim->processes[i].core->options : NULL;
        if (o == NULL)
                return;
        late_ms = o->overdue_ms + o->question_ms + SCAN_LATE_MS;
        if (is_heard_well(sim, SCAN_LATE_MS))
                check_supervisors(sim, store_now_ms(sim, sim->store.primary));
        for (size_t i = 0; i < sim->duty_count && is_heard_well(sim, late_ms); i++) {
                const struct core_found *duty = &sim->duty[i];
                int64_t silent_ms = store_now_ms(sim, sim->store.primary) - heard_ms(sim, duty);

                if (is_over(sim, duty))
                        sim_fail(sim, "silence", "%s's duty is over, and is not ended", duty->duty.carrier_id);
                if (duty->on_duty && silent_ms > late_ms &&
                    !has_open_alert(sim, duty->handset, o->question_ms + SCAN_LATE_MS) &&
                    !is_named(sim, duty->duty.carrier_id) &&
                    (int64_t)duty->duty.until_s * 1000 > store_now_ms(sim, sim->store.primary))
                        sim_fail(sim, "silence", "%s is not heard for %.0f s, and nobody says so",
                                 duty->duty.carrier_id, (double)silent_ms / 1000);
        }
}
