/* Alerts that are known; each second and at the end: nothing lost, nothing late, all whole again. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/check.h"

#define LATE_MS \
        2500 /* a deadline may be acted on so late where the region is well: CORE_RANK_MS, a tick, the store's time, twice */
#define MOVES_MS    2500   /* a press that is none of what was closed is an alert of its own */
#define UNHEARD_MS  215000 /* two minutes, and time to spare: of the half-open line that ended before */
#define SMS_LATE_MS 45000  /* an SMS is due 10 s at most; each dispatcher may fail once */

void check_begin(struct sim *sim)
{
        struct checks *checks = calloc(1, sizeof(*checks));

        assert(checks != NULL);
        checks->receipts = calloc(2 * CHECK_RECEIPTS_MAX, sizeof(*checks->receipts));
        checks->revisions = calloc(CHECK_REVISIONS_MAX, sizeof(*checks->revisions));
        checks->commands = calloc(CHECK_COMMANDS_MAX, sizeof(*checks->commands));
        assert(checks->receipts != NULL && checks->revisions != NULL && checks->commands != NULL);
        for (unsigned i = 0; i < SIM_PHONES; i++)
                checks->phones[i].up_ms = checks->phones[i].well_ms = INT64_MAX;
        sim->checks = checks;
}

void check_free(struct sim *sim)
{
        for (unsigned i = 0; i < SIM_PHONES; i++)
                check_twin_end(sim, i);
        free(sim->checks->receipts);
        free(sim->checks->revisions);
        free(sim->checks->commands);
        free(sim->checks);
}

struct known *check_known(struct sim *sim, const uint8_t id[ALERT_ID_SIZE], bool make)
{
        size_t at = ids_find(&sim->known_ids, id);
        struct known *k;

        if (at != IDS_NONE)
                return &sim->known[at];
        if (!make || sim->known_count == SIM_KNOWN_MAX)
                return NULL;
        k = &sim->known[ids_need(&sim->known_ids, id)];
        sim->known_count++;
        memcpy(k->id, id, ALERT_ID_SIZE);
        check_nonce_known(sim, id + HANDSET_ID_SIZE);
        k->phone = id[7] % SIM_PHONES;
        return k;
}

/* ---- What is well ----------------------------------------------------------------------------------------------------------------- */

bool check_process_is_well(const struct sim *sim, unsigned process)
{
        const struct process *p = &sim->processes[process];

        return p->core != NULL && p->store_up && p->serving && p->store == (int)sim->store.primary &&
               p->paused_until_ms <= sim->now_ms && !p->disk_full && !p->disk_away && p->disk_ms == 0 &&
               !(p->syncing && p->slow) && !sim->store.away && !sim->store.sick && !sim->failing_over &&
               p->epoch == sim->store.instances[sim->store.primary].epoch;
}

bool check_any_is_well(const struct sim *sim)
{
        for (unsigned i = 0; i < sim->process_count; i++)
                if (check_process_is_well(sim, i))
                        return true;
        return false;
}

/* Where the store has ID: its own record, one that has it as an alias, or a tombstone; with when that was closed. */
bool check_has(const struct record *record, const uint8_t id[ALERT_ID_SIZE])
{
        return memcmp(record->id, id, ALERT_ID_SIZE) == 0 || (memcmp(record->handset, id, HANDSET_ID_SIZE) == 0 &&
                                                              alert_alias_find(record, id + HANDSET_ID_SIZE) >= 0);
}

bool check_is_in_store(struct sim *sim, const struct known *k, int64_t *ret_closed_ms)
{
        struct instance *in = &sim->store.instances[sim->store.primary];
        const struct grave *grave = store_grave(in, k->id);

        *ret_closed_ms = INT64_MAX;
        if (grave != NULL) {
                *ret_closed_ms = grave->tombstone.closed_at_ms;
                return true;
        }
        if (store_find(in, k->id) != NULL)
                return true;
        for (size_t i = 0; i < in->alert_count; i++) {
                const struct record *record = store_record(&in->alerts[i]);

                if (memcmp(record->handset, k->id, HANDSET_ID_SIZE) != 0)
                        continue;
                if (record->alias_count == RECORD_ALIASES_MAX || record->why_unverified >= UNVERIFIED_SIGNATURE)
                        return true; /* one may have given way; one unsigned goes under an id of its own */
                for (size_t j = 0; j < record->alias_count; j++)
                        if (memcmp(record->aliases[j].nonce, k->id + HANDSET_ID_SIZE, ALERT_NONCE_SIZE) == 0)
                                return true;
        }
        return false;
}

bool check_closed_anywhere(struct sim *sim, const uint8_t id[ALERT_ID_SIZE])
{
        const struct known *k = check_known(sim, id, false);

        for (unsigned i = 0; i < 2; i++)
                if (store_grave(&sim->store.instances[i], id) != NULL)
                        return true;
        for (size_t i = 0; k != NULL && i < k->version_count; i++)
                if (receipt_is_closed(k->versions[i].state))
                        return true;
        return false;
}

/* ---- Each second ---------------------------------------------------------------------------------------------------------------------- */

/* An SMS that is due is sent: by whoever wrote so, or 10 s later by another. */
static void check_sms(struct sim *sim, const struct record *record)
{
        int64_t since_ms = store_now_ms(sim, sim->store.primary) - SMS_LATE_MS;

        for (size_t i = 0; i < record->asked_count; i++)
                if (record->asked[i].sms_state == SMS_DUE && record->asked[i].sms_at_ms < since_ms)
                        sim_fail(sim, "sms", "alert ..%02x: the SMS to %s is due for ever", record->id[15],
                                 record->asked[i].id);
        if (record->told_sms_state == SMS_DUE && record->told_sms_at_ms < since_ms)
                sim_fail(sim, "sms", "alert ..%02x: the receipt by SMS is due for ever", record->id[15]);
}

/* When all dispatchers are well for a while: what one alone has in its journal is offered by it alone. */
static void check_lost(struct sim *sim)
{
        for (unsigned i = 0; i < sim->process_count; i++)
                if (sim->now_ms - sim->checks->calm_since_ms[i] < HEALTHY_MS)
                        return;
        for (size_t i = 0; i < sim->known_count; i++) {
                struct known *k = &sim->known[i];
                int64_t closed_ms;

                if (!k->told_received || k->is_test || k->safe == sim->store.generation + 1)
                        continue;
                if (check_is_in_store(sim, k, &closed_ms)) {
                        k->safe = sim->store.generation + 1; /* nothing leaves the store but by a failover */
                        k->missed_ms = 0;
                } else if (k->missed_ms == 0) {
                        k->missed_ms =
                                sim->now_ms; /* a closure given before it left it out: it is raised by a commit of its own */
                } else if (sim->now_ms - k->missed_ms > MOVES_MS)
                        sim_fail(sim, "lost", "alert ..%02x was told received, and is nowhere", k->id[15]);
        }
        check_done(sim);
}

void check_told_closed(struct sim *sim, struct known *k)
{
        if (k->told_closed)
                return;
        k->told_closed = true;
        for (unsigned i = 0; i < sim->process_count; i++)
                k->closed_runs[i] = sim->processes[i].core != NULL ? sim->processes[i].run + 1 : 0;
}

/* A failover came after K was closed, and of the dispatchers that ran when its phone was told so none has lived to say it again: who starts
 * anew believes the store before its journal, and a press is rung for rather than taken for closed. */
static bool closure_is_gone(const struct sim *sim, const struct known *k)
{
        if (sim->failovers == k->closed_failovers)
                return false;
        for (unsigned i = 0; i < sim->process_count; i++)
                if (k->closed_runs[i] != 0 && sim->processes[i].core != NULL &&
                    k->closed_runs[i] == sim->processes[i].run + 1)
                        return false;
        return true;
}

/* Who has so many alerts is chosen as such. */
static void check_busy(struct sim *sim, unsigned process)
{
        const struct core *core = sim->processes[process].core;
        const struct open_alert *alert;
        const struct person *person;
        size_t at = 0;

        while (core != NULL && (person = table_next(&core->directory.people, &at)) != NULL) {
                unsigned has = 0;

                for (size_t i = 0; (alert = table_next(&core->alerts, &i)) != NULL;)
                        has += strcmp(alert->owner, person->id) == 0;
                if (has != person->busy_count)
                        sim_fail(sim, "busy", "%s takes %s for one who has %u alerts, and it is %u",
                                 sim->processes[process].name, person->id, person->busy_count, has);
        }
}

/* Some dispatcher that is well knows since SINCE_MS who is heard. */
static bool has_listened(const struct sim *sim, int64_t since_ms)
{
        for (unsigned i = 0; i < sim->process_count; i++)
                if (sim->checks->calm_since_ms[i] <= since_ms && sim->processes[i].core->positions_up &&
                    sim->processes[i].core->ground.hearing_since_ms <= process_now_ms(sim, i) - sim->now_ms + since_ms)
                        return true;
        return false;
}

/* An owner whose phone is gone for so long has no news. */
static void check_unheard(struct sim *sim, const struct record *record)
{
        int64_t since_ms = sim->now_ms - UNHEARD_MS;

        if (record->owner_id[0] == '\0' || record->owner_path == BY_SMS ||
            (record->marks & (RECORD_NO_NEWS | RECORD_DRILL | RECORD_UNVERIFIED)) != 0 ||
            record->progress_at_ms - sim->plan->rates[RATE_STORE_SKEW_MS] > since_ms)
                return;
        if (!has_listened(sim, since_ms))
                return;
        for (unsigned i = 0; i < sim->phone_count; i++)
                if (strcmp(sim->phones[i].person, record->owner_id) == 0 && sim->checks->phones[i].met_ms < since_ms &&
                    sim->phones[i].arrived_ms < since_ms)
                        sim_fail(sim, "late", "alert ..%02x: %s has it, is not heard, and nobody is rung",
                                 record->id[15], record->owner_id);
}

static void check_open(struct sim *sim, struct stored *alert)
{
        const struct known *k = check_known(sim, alert->id, false);

        if (sim->now_ms - sim->healthy_ms > SMS_LATE_MS)
                check_sms(sim, store_record(alert));
        if (store_now_ms(sim, sim->store.primary) - alert->due_ms > LATE_MS + sim->plan->rates[RATE_STORE_MS])
                sim_fail(sim, "late", "alert ..%02x: nobody acts on its deadline", alert->id[15]);
        check_unheard(sim, store_record(alert));
        if (k != NULL && k->told_closed && !k->unsigned_ && sim->calm && !closure_is_gone(sim, k))
                sim_fail(sim, "reopened", "alert ..%02x was told closed, and is open", k->id[15]);
}

void check_second(struct sim *sim)
{
        struct instance *in = &sim->store.instances[sim->store.primary];

        if (!check_any_is_well(sim))
                sim->healthy_ms = sim->now_ms;
        for (unsigned i = 0; i < sim->process_count; i++) {
                check_core_second(sim, i);
                check_busy(sim, i);
        }
        for (unsigned i = 0; i < sim->phone_count; i++)
                check_phone_second(sim, i);
        check_told_second(sim);
        check_answer_second(sim);
        check_silence_second(sim);
        check_said_second(sim);
        check_text_second(sim);
        if (sim->now_ms - sim->healthy_ms < HEALTHY_MS)
                return;
        check_lost(sim);
        for (size_t i = 0; i < in->alert_count; i++)
                if (!in->alerts[i].closed)
                        check_open(sim, &in->alerts[i]);
}

/* ---- The end ---------------------------------------------------------------------------------------------------------------------------- */

static void check_promises(struct sim *sim)
{
        for (size_t i = 0; i < sim->known_count; i++) {
                const struct known *k = &sim->known[i];
                int64_t closed_ms;

                if (k->is_test || check_is_in_store(sim, k, &closed_ms))
                        continue;
                if (k->told_received)
                        sim_fail(sim, "lost", "alert ..%02x of %s was told received, and is nowhere", k->id[15],
                                 sim->phones[k->phone].person);
                else if (!sim->phones[k->phone].was_restored && !k->unwritten)
                        sim_fail(sim, "never", "alert ..%02x of %s never arrived", k->id[15],
                                 sim->phones[k->phone].person);
        }
}

/* The phone itself raised a new alert for a press that the closure of the older one did not know. */
static bool is_raised_anew(struct sim *sim, const struct press *p)
{
        struct instance *in = &sim->store.instances[sim->store.primary];

        for (size_t i = 0; i < in->alert_count; i++) {
                const struct record *record = store_record(&in->alerts[i]);

                if (memcmp(record->handset, sim->phones[p->phone].id, HANDSET_ID_SIZE) == 0 &&
                    (record->closed_at_ms == 0 || record->closed_at_ms > p->at_ms))
                        return true;
        }
        return false;
}

static void check_presses(struct sim *sim)
{
        for (size_t i = 0; i < sim->press_count; i++) {
                const struct press *p = &sim->presses[i];
                struct known *k = check_known(sim, p->id, false);
                int64_t closed_ms;

                if (p->excused || !p->durable || !p->has_id)
                        continue;
                if (k == NULL || !check_is_in_store(sim, k, &closed_ms))
                        sim_fail(sim, "swallowed", "%s's press at %.3f s came to nothing", sim->phones[p->phone].person,
                                 (double)(p->at_ms - SIM_START_MS) / 1000);
                else if (closed_ms < p->at_ms - sim->plan->rates[RATE_STORE_SKEW_MS] - 100 && !is_raised_anew(sim, p))
                        sim_fail(sim, "swallowed", "%s's press at %.3f s went into an alert closed at %.3f s",
                                 sim->phones[p->phone].person, (double)(p->at_ms - SIM_START_MS) / 1000,
                                 (double)(closed_ms - SIM_START_MS) / 1000);
        }
}

static void check_processes(struct sim *sim)
{
        for (unsigned i = 0; i < sim->process_count; i++) {
                const struct core_counters *c;

                if (sim->processes[i].core == NULL || !sim->processes[i].store_up) {
                        sim_fail(sim, "down", "%s is not up", sim->processes[i].name);
                        return;
                }
                c = core_counters(sim->processes[i].core);
                if (c->waiting != 0 || c->commits != 0)
                        sim_fail(sim, "waits", "%s: %lld facts wait, %lld commits", sim->processes[i].name,
                                 (long long)c->waiting, (long long)c->commits);
                if (c->open_alerts != 0)
                        sim_fail(sim, "held", "%s holds %lld alerts, and the store has none open",
                                 sim->processes[i].name, (long long)c->open_alerts);
                if (c->suppressed != 0)
                        sim_mark(sim, MARK_LIMITED);
                if (c->queue_full != 0) /* commands alone: an alert's newest revision takes the place of an older one */
                        sim_mark(sim, MARK_QUEUE_FULL);
        }
}

void check_end(struct sim *sim)
{
        const struct instance *in = &sim->store.instances[sim->store.primary];

        check_promises(sim);
        check_presses(sim);
        for (size_t i = 0; i < in->alert_count; i++)
                if (!in->alerts[i].closed)
                        sim_fail(sim, "open", "alert ..%02x was never closed", in->alerts[i].id[15]);
        check_processes(sim);
        check_answer_end(sim);
        check_said_end(sim);
        for (unsigned i = 0; i < sim->phone_count; i++) {
                const struct phone *phone = &sim->phones[i];

                if (phone->status.alert.word != VIGIE_NOTHING && phone->status.alert.word != VIGIE_CLOSED)
                        sim_fail(sim, "stuck", "%s still shows %s", phone->person,
                                 vigie_word_name(phone->status.alert.word));
        }
        for (unsigned i = 0; i < sim->phone_count; i++)
                if (sim->phones[i].status.duty.state == VIGIE_DUTY_ASKED)
                        sim_fail(sim, "duty", "%s's duty is not confirmed", sim->phones[i].person);
                else if (sim->phones[i].status.duty.state == VIGIE_DUTY_REFUSED && !sim->phones[i].was_unknown &&
                         sim->phones[i].status.duty.code != DUTY_BAD_END)
                        sim_fail(sim, "duty", "%s's duty is refused", sim->phones[i].person);
        for (size_t i = 0; i < in->notice_count; i++)
                if (in->notices[i]->on && strncmp(in->notices[i]->key, "overdue:", 8) == 0)
                        sim_fail(sim, "silence", "%s is not over", in->notices[i]->key);
}
