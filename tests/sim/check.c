/* What must hold (DESIGN section 3), seen from outside: by what phones were told, what dispatchers ask for, what the store has. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/core_state.h"
#include "tests/geo/oracle.h"
#include "tests/sim/sim.h"

#define LATE_MS     5000  /* a deadline may be acted on so late where the region is well */
#define HEALTHY_MS  10000 /* for so long */
#define SMS_LATE_MS 45000 /* an SMS is due 10 s at most; each dispatcher may fail once */

struct known *check_known(struct sim *sim, const uint8_t id[ALERT_ID_SIZE], bool make)
{
        struct known *k;

        for (size_t i = 0; i < sim->known_count; i++)
                if (memcmp(sim->known[i].id, id, ALERT_ID_SIZE) == 0)
                        return &sim->known[i];
        if (!make || sim->known_count == SIM_KNOWN_MAX)
                return NULL;
        k = &sim->known[sim->known_count++];
        memcpy(k->id, id, ALERT_ID_SIZE);
        k->phone = id[7] % SIM_PHONES;
        return k;
}

/* ---- Phones ------------------------------------------------------------------------------------------------------------------------- */

void check_sent(struct sim *sim, unsigned phone, struct cbor_span cose, bool by_sms)
{
        struct alert_signed a;
        struct alert_id id;
        struct known *k;
        uint8_t key[P256_POINT_SIZE];

        if (alert_read(cose, &a, NULL) < 0) {
                sim_fail(sim, "malformed", "phone %u sent an alert that cannot be read", phone);
                return;
        }
        id = alert_id_make(&a.handset, a.alert.nonce);
        k = check_known(sim, id.octets, true);
        if (k == NULL)
                return;
        if (k->first_ms == 0) {
                k->first_ms = sim->now_ms;
                sim->alerts += a.alert.kind != ALERT_TEST;
                if (sim->phones[phone].was_restored && a.alert.kind != ALERT_TEST)
                        sim_mark(sim, MARK_RESTORED_PHONE_PRESSED);
        }
        sign_key(phone, key);
        if (!sign_verify_alert(NULL, key, &a)) {
                k->unsigned_ = true;
                sim_mark(sim, MARK_UNSIGNED);
        }
        k->is_drill = a.alert.kind == ALERT_DRILL;
        k->is_test = a.alert.kind == ALERT_TEST;
        k->by_sms |= by_sms;
        k->by_data |= !by_sms;
}

void check_phone(struct sim *sim, unsigned number)
{
        struct phone *phone = &sim->phones[number];
        const struct vigie_alert_status *a = &phone->status.alert;
        bool same = memcmp(a->id, phone->shown, ALERT_ID_SIZE) == 0;
        struct known *k;

        if (a->word == VIGIE_NOTHING)
                return;
        if (same && phone->shown_closed && a->word != VIGIE_CLOSED)
                sim_fail(sim, "reopened", "%s showed a closed alert as %s", phone->person, vigie_word_name(a->word));
        if (same && phone->shown_word >= VIGIE_RECEIVED && a->word < VIGIE_RECEIVED)
                sim_fail(sim, "unsaid", "%s showed %s, then %s", phone->person, vigie_word_name(phone->shown_word),
                         vigie_word_name(a->word));
        if (!same || phone->shown_word != a->word)
                chart_note(sim, CHART_PHONE + number, "\"%s\"", vigie_word_name(a->word));
        if (a->word == VIGIE_KEPT && phone->shown_word != VIGIE_KEPT)
                sim_mark(sim, MARK_KEPT_SHOWN);
        if (a->word == VIGIE_CLOSED && !phone->shown_closed)
                sim_mark(sim, MARK_CLOSED_SHOWN);
        memcpy(phone->shown, a->id, ALERT_ID_SIZE);
        phone->shown_word = a->word;
        phone->shown_closed = a->word == VIGIE_CLOSED;
        if (a->word < VIGIE_RECEIVED || a->word == VIGIE_COMING)
                return;
        k = check_known(sim, a->id, false);
        if (k == NULL || (!k->committed && !k->unsigned_)) {
                sim_fail(sim, "early", "%s shows %s, and no store ever had it", phone->person,
                         vigie_word_name(a->word));
                return;
        }
        if (!k->told_received) {
                sim_mark(sim, MARK_RECEIVED);
                if (a->received_path == VIGIE_PATH_SMS)
                        sim_mark(sim, MARK_SMS_RECEIVED);
                if (a->received_path == VIGIE_PATH_SMS && a->sent_data_at_ms != 0)
                        sim_mark(sim, MARK_SMS_BEAT_SOCKET);
        }
        k->told_received = true;
        k->told_closed |= a->word == VIGIE_CLOSED;
}

/* ---- Dispatchers -------------------------------------------------------------------------------------------------------------------- */

void check_durable(struct sim *sim, unsigned process, struct cbor_span record)
{
        for (size_t i = 0; i < sim->known_count; i++)
                if (!sim->known[i].journaled &&
                    memmem(record.at, record.len, sim->known[i].id + HANDSET_ID_SIZE, ALERT_NONCE_SIZE) != NULL)
                        sim->known[i].journaled = true;
}

void check_receipt(struct sim *sim, unsigned process, const struct receipt *receipt)
{
        struct known *k = check_known(sim, receipt->alert.octets, false);

        if (!receipt_is_received(receipt->state) || receipt->state == RECEIPT_PROVED || k == NULL)
                return;
        if (k->unsigned_) /* raised under an id of its own */
                return;
        for (size_t i = k->version_count;
             i-- > 0;) /* closed is final at any version, also below one that a stale store had */
                if (k->versions[i].state == receipt->state &&
                    (k->versions[i].version == receipt->version || receipt_is_closed(receipt->state)))
                        return;
        if (k->version_count < sizeof(k->versions) / sizeof(k->versions[0]))
                sim_fail(sim, "receipt", "%s signs \"%s\", version %u, that no store ever had",
                         sim->processes[process].name, receipt_state_name(receipt->state), receipt->version);
}

/* Those asked at once are those whom the slow and obvious choice names. */
static void check_chosen(struct sim *sim, const struct core *core, const struct record *record)
{
        const struct zone *zones[ZONES_AT_MAX];
        struct position at;
        struct choose_request request = {
                .now_ms = record->stepped_at_ms, .zones = zones, .carrier_id = record->carrier_id, .count = 3
        };
        struct oracle_question question = { .step = ORACLE_NEAREST, .zones = sim->zones, .request = &request };
        struct oracle_person people[SIM_SUPERVISORS];

        assert(roster_count(core->directory.roster) <= SIM_SUPERVISORS);
        if (record->has_position && position_from_e7(record->at.lat_e7, record->at.lon_e7, &at) == 0) {
                request.at = &at;
                (void)zones_at(sim->zones, &at, ZONES_AT_MAX, zones, &request.zone_count);
        }
        oracle_choose(core->directory.roster, &question, people);
        for (size_t i = 0; i < 3 && i < roster_count(core->directory.roster); i++) {
                bool asked = i < record->asked_count;

                if (people[i].eligible != asked || (asked && strcmp(people[i].who->id, record->asked[i].id) != 0))
                        sim_fail(sim, "chosen", "number %zu is %s, and %s was asked", i,
                                 people[i].eligible ? people[i].who->id : "nobody",
                                 asked ? record->asked[i].id : "nobody");
        }
}

void check_commit(struct sim *sim, unsigned process, const struct core_action *action)
{
        struct process *p = &sim->processes[process];
        struct known *k = check_known(sim, action->u.commit.id, false);
        struct record record;

        assert(record_decode(action->u.commit.record.at, action->u.commit.record.len, &record) == 0);
        if (action->u.commit.version <= action->u.commit.expected)
                sim_fail(sim, "version", "%s commits version %u over %u", p->name, action->u.commit.version,
                         action->u.commit.expected);
        if (k != NULL && (p->disk_full || p->disk_away))
                k->unjournaled_ok = true;
        if (k != NULL && k->first_ms != 0 && action->u.commit.event == EVENT_RAISE && !k->journaled &&
            !k->unjournaled_ok)
                sim_fail(sim, "unsynced", "%s commits a press that no journal has", p->name);
        if (action->u.commit.event == EVENT_UPDATE && action->u.commit.expected == 0)
                sim_mark(sim, MARK_BROUGHT_BACK);
        if (action->u.commit.event == EVENT_RAISE && record.step == 0 &&
            record.stepped_at_ms == p->core->now_ms && /* not begun while the store was away */
            (record.marks & (RECORD_DRILL | RECORD_UNVERIFIED)) == 0)
                check_chosen(sim, p->core, &record);
}

static void note_version(struct sim *sim, const uint8_t id[ALERT_ID_SIZE], const struct record *record, unsigned store)
{
        struct known *k = check_known(sim, id, true);

        if (k == NULL)
                return;
        k->committed = true;
        if (k->version_count == sizeof(k->versions) / sizeof(k->versions[0]))
                return;
        k->versions[k->version_count].version = record->version;
        k->versions[k->version_count].state = record_receipt_state(record);
        k->versions[k->version_count++].store = (uint8_t)store;
}

void check_committed(struct sim *sim, unsigned store, const struct record *record, const struct stored *before)
{
        static const uint32_t may_go = RECORD_NO_NEWS | RECORD_UNVERIFIED;
        struct record old;
        uint8_t alias[ALERT_ID_SIZE];

        note_version(sim, record->id, record, store);
        memcpy(alias, record->handset, HANDSET_ID_SIZE);
        for (size_t i = 0; i < record->alias_count; i++) {
                memcpy(alias + HANDSET_ID_SIZE, record->aliases[i].nonce, ALERT_NONCE_SIZE);
                note_version(sim, alias, record, store);
                sim_mark(sim, MARK_ALIAS);
        }
        if ((record->marks & RECORD_EXHAUSTED) != 0)
                sim_mark(sim, MARK_EXHAUSTED);
        if ((record->marks & RECORD_PRESSED_AGAIN) != 0)
                sim_mark(sim, MARK_PRESSED_AGAIN);
        if (record->state != ALERT_CLOSED && record->due_ms == 0)
                sim_fail(sim, "deadline", "an open alert has no deadline");
        if (before == NULL)
                return;
        if (record->version <= before->version)
                sim_fail(sim, "version", "version %u after %u", record->version, before->version);
        if (before->closed)
                sim_fail(sim, "reopened", "a closed alert was changed");
        assert(record_decode(before->last->octets, before->last->len, &old) == 0);
        if ((old.marks & ~may_go & ~record->marks) != 0)
                sim_fail(sim, "marks", "marks 0x%x went away", old.marks & ~may_go & ~record->marks);
}

/* A carrier's silence is told once: a name comes into a group again only when something was heard in between. */
void check_notice(struct sim *sim, const char *key, const struct notice *notice, const struct notice *before)
{
        if (strncmp(key, "overdue:", 8) != 0 || notice == NULL)
                return;
        sim_mark(sim, MARK_OVERDUE);
        chart_note(sim, CHART_STORE, "%s", key);
        for (size_t i = 0; before == NULL && i < notice->name_count; i++) {
                const struct overdue_name *name = &notice->names[i];
                size_t j = 0;

                while (j < sim->silence_count && (strcmp(sim->silences[j].carrier, name->carrier_id) != 0 ||
                                                  sim->silences[j].heard_ms != name->heard_at_ms))
                        j++;
                if (j < sim->silence_count && sim->failovers == 0)
                        sim_fail(sim, "silence", "%s's silence is reported a second time", name->carrier_id);
                if (j == sim->silence_count && j < sizeof(sim->silences) / sizeof(sim->silences[0])) {
                        memcpy(sim->silences[j].carrier, name->carrier_id, sizeof(sim->silences[j].carrier));
                        sim->silences[sim->silence_count++].heard_ms = name->heard_at_ms;
                }
        }
}

/* ---- Each second ---------------------------------------------------------------------------------------------------------------------- */

static bool is_healthy(const struct sim *sim)
{
        bool healthy = false;

        for (unsigned i = 0; i < SIM_PROCESSES; i++) {
                const struct process *p = &sim->processes[i];

                healthy |= p->core != NULL && p->store_up && p->store == (int)sim->store.primary &&
                           p->paused_until_ms <= sim->now_ms;
        }
        return healthy && !sim->store.away && !sim->store.sick && !sim->failing_over;
}

/* Who was told "you have it" and has it not any more knows that. */
static void check_owners(struct sim *sim)
{
        for (unsigned i = SIM_CARRIERS; i < SIM_PHONES; i++) {
                struct phone *phone = &sim->phones[i];
                bool wrong = false;

                for (unsigned j = 0; phone->alive && j < phone->status.ring_count; j++) {
                        const struct vigie_ring *ring = &phone->status.rings[j];
                        const struct stored *s = store_find(&sim->store.instances[sim->store.primary], ring->id);
                        struct record record;

                        if (!ring->mine || ring->state == ALERT_CLOSED || s == NULL || s->closed ||
                            phone->status.link != VIGIE_LINK_WELCOME)
                                continue;
                        assert(record_decode(s->last->octets, s->last->len, &record) == 0);
                        wrong |= strcmp(record.owner_id, phone->person) != 0;
                }
                phone->wrong_s = wrong && is_healthy(sim) ? phone->wrong_s + 1 : 0;
                if (phone->wrong_s > 12 && sim->calm)
                        sim_fail(sim, "owners", "%s still believes to have an alert that another has", phone->person);
        }
}

/* Where the store has ID: its own record, one that has it as an alias, or a tombstone; with when that was closed. */
static bool is_in_store(struct sim *sim, const struct known *k, int64_t *ret_closed_ms)
{
        struct instance *in = &sim->store.instances[sim->store.primary];
        const struct grave *grave = store_grave(in, k->id);
        struct record record;

        *ret_closed_ms = INT64_MAX;
        if (grave != NULL) {
                *ret_closed_ms = grave->tombstone.closed_at_ms;
                return true;
        }
        if (store_find(in, k->id) != NULL)
                return true;
        for (size_t i = 0; i < in->alert_count; i++) {
                assert(record_decode(in->alerts[i].last->octets, in->alerts[i].last->len, &record) == 0);
                if (memcmp(record.handset, k->id, HANDSET_ID_SIZE) != 0)
                        continue;
                if (record.alias_count == RECORD_ALIASES_MAX || record.why_unverified >= UNVERIFIED_SIGNATURE)
                        return true; /* one may have given way; one unsigned goes under an id of its own */
                for (size_t j = 0; j < record.alias_count; j++)
                        if (memcmp(record.aliases[j].nonce, k->id + HANDSET_ID_SIZE, ALERT_NONCE_SIZE) == 0)
                                return true;
        }
        return false;
}

/* An SMS that is due is sent: by whoever wrote so, or 10 s later by another. */
static void check_sms(struct sim *sim, const struct stored *alert)
{
        int64_t since_ms = store_now_ms(sim, sim->store.primary) - SMS_LATE_MS;
        struct record record;

        assert(record_decode(alert->last->octets, alert->last->len, &record) == 0);
        for (size_t i = 0; i < record.asked_count; i++)
                if (record.asked[i].sms_state == SMS_DUE && record.asked[i].sms_at_ms < since_ms)
                        sim_fail(sim, "sms", "alert ..%02x: the SMS to %s is due for ever", record.id[15],
                                 record.asked[i].id);
        if (record.told_sms_state == SMS_DUE && record.told_sms_at_ms < since_ms)
                sim_fail(sim, "sms", "alert ..%02x: the receipt by SMS is due for ever", record.id[15]);
}

void check_second(struct sim *sim)
{
        const struct instance *in = &sim->store.instances[sim->store.primary];

        if (!is_healthy(sim))
                sim->healthy_ms = sim->now_ms;
        check_owners(sim);
        if (sim->now_ms - sim->healthy_ms < HEALTHY_MS)
                return;
        for (size_t i = 0; i < sim->known_count; i++) {
                int64_t closed_ms;

                if (sim->known[i].told_received && !sim->known[i].is_test &&
                    !is_in_store(sim, &sim->known[i], &closed_ms))
                        sim_fail(sim, "lost", "alert ..%02x was told received, and is nowhere", sim->known[i].id[15]);
        }
        for (size_t i = 0; i < in->alert_count; i++) {
                const struct known *k = check_known(sim, in->alerts[i].id, false);

                if (in->alerts[i].closed)
                        continue;
                if (sim->now_ms - sim->healthy_ms > SMS_LATE_MS)
                        check_sms(sim, &in->alerts[i]);
                if (store_now_ms(sim, sim->store.primary) - in->alerts[i].due_ms > LATE_MS)
                        sim_fail(sim, "late", "alert ..%02x: nobody acts on its deadline", in->alerts[i].id[15]);
                if (k != NULL && k->told_closed && sim->calm)
                        sim_fail(sim, "reopened", "alert ..%02x was told closed, and is open", k->id[15]);
        }
}

/* ---- The end ---------------------------------------------------------------------------------------------------------------------------- */

static void check_promises(struct sim *sim)
{
        for (size_t i = 0; i < sim->known_count; i++) {
                const struct known *k = &sim->known[i];
                int64_t closed_ms;

                if (k->is_test || is_in_store(sim, k, &closed_ms))
                        continue;
                if (k->told_received)
                        sim_fail(sim, "lost", "alert ..%02x of %s was told received, and is nowhere", k->id[15],
                                 sim->phones[k->phone].person);
                else if (!sim->phones[k->phone].was_restored)
                        sim_fail(sim, "never", "alert ..%02x of %s never arrived", k->id[15],
                                 sim->phones[k->phone].person);
        }
}

/* The phone itself raised a new alert for a press that the closure of the older one did not know. */
static bool is_raised_anew(struct sim *sim, const struct press *p)
{
        struct instance *in = &sim->store.instances[sim->store.primary];
        struct record record;

        for (size_t i = 0; i < in->alert_count; i++) {
                assert(record_decode(in->alerts[i].last->octets, in->alerts[i].last->len, &record) == 0);
                if (memcmp(record.handset, sim->phones[p->phone].id, HANDSET_ID_SIZE) == 0 &&
                    (record.closed_at_ms == 0 || record.closed_at_ms > p->at_ms))
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
                if (k == NULL || !is_in_store(sim, k, &closed_ms))
                        sim_fail(sim, "swallowed", "%s's press at %.3f s came to nothing", sim->phones[p->phone].person,
                                 (double)(p->at_ms - SIM_START_MS) / 1000);
                else if (closed_ms < p->at_ms - 5000 && !is_raised_anew(sim, p))
                        sim_fail(sim, "swallowed", "%s's press at %.3f s went into an alert closed at %.3f s",
                                 sim->phones[p->phone].person, (double)(p->at_ms - SIM_START_MS) / 1000,
                                 (double)(closed_ms - SIM_START_MS) / 1000);
        }
}

static void check_processes(struct sim *sim)
{
        for (unsigned i = 0; i < SIM_PROCESSES; i++) {
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
        for (unsigned i = 0; i < SIM_CARRIERS; i++) {
                const struct phone *phone = &sim->phones[i];

                if (phone->status.alert.word != VIGIE_NOTHING && phone->status.alert.word != VIGIE_CLOSED)
                        sim_fail(sim, "stuck", "%s still shows %s", phone->person,
                                 vigie_word_name(phone->status.alert.word));
        }
        for (unsigned i = 0; i < SIM_PHONES; i++)
                if (sim->phones[i].status.duty.state == VIGIE_DUTY_ASKED)
                        sim_fail(sim, "duty", "%s's duty is not confirmed", sim->phones[i].person);
        for (size_t i = 0; i < in->notice_count; i++)
                if (in->notices[i]->on && strncmp(in->notices[i]->key, "overdue:", 8) == 0)
                        sim_fail(sim, "silence", "%s is not over", in->notices[i]->key);
}
