/* A dispatcher: nothing is committed that no journal has, and no receipt says what no store had. */
#include <assert.h>
#include <string.h>

#include "tests/sim/check.h"

#define KEPT_MS   4000 /* CORE_KEPT_MS, a tick, a second's look */
#define TRY_AGAIN 1013 /* RFC 6455 */
#define PLACE_MS  2000 /* a commit may stand in the way for so long */

/* ---- Journals ----------------------------------------------------------------------------------------------------------------- */

static size_t nonce_bit(const uint8_t *octets)
{
        uint64_t nonce;

        memcpy(&nonce, octets, sizeof(nonce));
        return nonce * UINT64_C(0x9e3779b97f4a7c15) >> 32 & (CHECK_NONCES_BITS - 1);
}

void check_nonce_known(struct sim *sim, const uint8_t nonce[ALERT_NONCE_SIZE])
{
        sim->checks->nonces[nonce_bit(nonce) / 64] |= UINT64_C(1) << nonce_bit(nonce) % 64;
}

static void nonce_is_durable(struct sim *sim, unsigned process, const uint8_t *octets)
{
        for (size_t i = 0; i < sim->known_count; i++) {
                struct known *k = &sim->known[i];

                if (memcmp(octets, k->id + HANDSET_ID_SIZE, ALERT_NONCE_SIZE) != 0)
                        continue;
                k->journaled = true;
                k->journals |= 1u << process;
        }
}

/* Wherever in RECORD the nonce of a known alert stands. */
void check_durable(struct sim *sim, unsigned process, struct cbor_span record)
{
        check_said_durable(sim, record);
        for (size_t at = 0; at + ALERT_NONCE_SIZE <= record.len; at++) {
                size_t bit = nonce_bit(record.at + at);

                if ((sim->checks->nonces[bit / 64] >> bit % 64 & 1) != 0)
                        nonce_is_durable(sim, process, record.at + at);
        }
}

static bool is_written(const struct sim *sim, struct known *k)
{
        const struct disk *last = &sim->processes[k->written_by].disk;

        if (k->is_written && last->rewritten == k->written_since)
                return true; /* as when it was looked for: durable stays, until it is rewritten */
        for (unsigned i = 0; i < sim->process_count; i++) {
                const struct disk *disk = &sim->processes[i].disk;

                if (!disk_has(disk, k->id + HANDSET_ID_SIZE, ALERT_NONCE_SIZE))
                        continue;
                k->is_written = true;
                k->written_by = i;
                k->written_since = disk->rewritten;
                return true;
        }
        return false;
}

/* ---- Receipts ----------------------------------------------------------------------------------------------------------------- */

/* Kept: it is in the journal here, or (that being full) in the store. */
static void check_kept(struct sim *sim, unsigned process, const struct known *k)
{
        if ((k->journals >> process & 1) == 0 && !k->committed)
                sim_fail(sim, "early", "%s says that it keeps what it has not written down",
                         sim->processes[process].name);
}

/* CORE has the press ID; WRITTEN: and waits for the journal no more, which has it, or is full. */
static bool has_fact(const struct core *core, const uint8_t id[ALERT_ID_SIZE], bool written)
{
        const struct open_alert *alert;

        for (size_t i = 0; (alert = table_next(&core->alerts, &i)) != NULL;)
                for (size_t j = 0; j < alert->queued; j++)
                        if (alert->queue[j]->type == FACT_ALERT &&
                            memcmp(alert->queue[j]->id, id, ALERT_ID_SIZE) == 0 &&
                            (!written || alert->queue[j]->state != FACT_WAITS))
                                return true;
        return false;
}

/* A dispatcher that was brought a press has it in its own journal before it says that it is received; or (the feed says that another
 * one has it in its own) is about to. */
static void check_copy(struct sim *sim, unsigned process, const struct receipt *receipt)
{
        const struct process *p = &sim->processes[process];
        const struct known *k = check_known(sim, receipt->alert.octets, false);

        if (receipt->state == RECEIPT_PROVED || receipt_is_closed(receipt->state) ||
            !receipt_is_received(receipt->state) || k == NULL || k->unsigned_ || k->is_test || k->unjournaled_ok ||
            p->disk_full || p->disk_away)
                return;
        if (k->journals != 0 && k->crowded_ms != 0)
                return; /* no room for it here; who committed it has it */
        if ((k->journals >> process & 1) == 0 && !has_fact(p->core, k->id, false))
                sim_fail(sim, "unwritten", "%s signs for a press that it has not written down", p->name);
}

/* Before somebody has it, received means that a journal could bring it back: who has the press knows whether one could. */
static void check_received(struct sim *sim, unsigned process, const struct known *k, const struct receipt *receipt)
{
        const struct process *p = &sim->processes[process];

        if (receipt->state < RECEIPT_TAKEN && !k->journaled && !k->is_test && k->first_ms != 0 &&
            has_fact(p->core, k->id, true))
                sim_fail(sim, "unwritten", "%s signs \"%s\" for ..%02x, which no journal has", p->name,
                         receipt_state_name(receipt->state), k->id[15]);
}

static void check_receipt(struct sim *sim, unsigned process, const struct receipt *receipt)
{
        struct known *k = check_known(sim, receipt->alert.octets, false);
        bool closed = receipt_is_closed(receipt->state);

        check_receipt_signed(sim, receipt);
        if (receipt->state == RECEIPT_PROVED && k != NULL && (k->journals >> process & 1) == 0)
                sim_fail(sim, "early", "%s says that a test came through, and has not written it down",
                         sim->processes[process].name);
        if (receipt->state == RECEIPT_PROVED || k == NULL || k->unsigned_) /* unsigned: raised under an id of its own */
                return;
        if (!receipt_is_received(receipt->state)) {
                if (receipt->state == RECEIPT_KEPT)
                        check_kept(sim, process, k);
                return;
        }
        check_received(sim, process, k, receipt);
        for (size_t i = k->version_count; i-- > 0;)
                if (k->versions[i].state == receipt->state &&
                    (closed ||
                     (k->versions[i].version == receipt->version && k->versions[i].revision == receipt->revision &&
                      strcmp(k->versions[i].who, receipt->who) == 0)))
                        return; /* closed is final at any version, also below one that a stale store had */
        if (k->version_count < sizeof(k->versions) / sizeof(k->versions[0]))
                sim_fail(sim, "receipt", "%s signs \"%s\" by \"%s\", version %u, revision %u, that no store ever had",
                         sim->processes[process].name, receipt_state_name(receipt->state), receipt->who,
                         receipt->version, receipt->revision);
}

/* ---- Commits -------------------------------------------------------------------------------------------------------------------- */

/* What the phone is to hear, and can by SMS alone, is owed by SMS. */
static void check_owed(struct sim *sim, const struct core *core, const struct record *record)
{
        const struct handset *handset = directory_handset(&core->directory, record->handset);
        const struct open_alert *alert = hold_find(core, record->id);
        struct record old;

        if (record->sms_at_ms <= record->data_at_ms || handset == NULL || handset->sessions != NULL ||
            !handset->known || /* its number went with it */
            memcmp(record->id, record->handset, HANDSET_ID_SIZE) != 0 || record->told_sms_state == SMS_DUE ||
            alert == NULL || (record->marks & RECORD_UNVERIFIED) != 0) /* told at the sending number alone */
                return;
        hold_record(alert, &old);
        if (old.version != 0 && (strcmp(old.owner_id, record->owner_id) != 0 || record->state == ALERT_CLOSED))
                sim_fail(sim, "sms", "alert ..%02x: the phone, reached by SMS alone, is not told", record->id[15]);
}

/* A press that nobody can vouch for is an alert of its own: never another press that names the same id. */
static void check_stranger(struct sim *sim, const struct core_action *action, const struct record *record)
{
        struct checks *checks = sim->checks;
        struct alert_signed in;

        if (record->why_unverified != UNVERIFIED_SIGNATURE || action->u.commit.alert.len == 0 ||
            alert_read(action->u.commit.alert, &in, NULL) < 0)
                return;
        for (size_t i = 0; i < checks->claim_count; i++)
                if (memcmp(checks->claims[i].id, record->id, ALERT_ID_SIZE) == 0 &&
                    memcmp(checks->claims[i].nonce, in.alert.nonce, ALERT_NONCE_SIZE) != 0)
                        sim_fail(sim, "identity", "..%02x is raised for two presses that nobody can vouch for",
                                 record->id[15]);
        if (checks->claim_count == CHECK_CLAIMS_MAX)
                return;
        memcpy(checks->claims[checks->claim_count].id, record->id, ALERT_ID_SIZE);
        memcpy(checks->claims[checks->claim_count++].nonce, in.alert.nonce, ALERT_NONCE_SIZE);
}

/* Whether CORE has the press ID in the alert of that id. */
static bool has_in_its_own(const struct core *core, const uint8_t id[ALERT_ID_SIZE])
{
        const struct open_alert *alert = hold_find(core, id);

        for (size_t i = 0; alert != NULL && i < alert->queued; i++)
                if (alert->queue[i]->type == FACT_ALERT && memcmp(alert->queue[i]->id, id, ALERT_ID_SIZE) == 0)
                        return true;
        return false;
}

/* Who was told by a phone which receipt it has goes on above that, as long as it has that press there: the phone takes nothing older.  What a phone
 * says whose press nobody vouches for does not count. */
static void check_above(struct sim *sim, unsigned process, const struct known *k, const struct record *record)
{
        uint32_t version = record->version;

        if (k != NULL && record->why_unverified == UNVERIFIED_NOT &&
            k->held[process].run == sim->processes[process].run + 1 && version <= k->held[process].version &&
            has_in_its_own(sim->processes[process].core, k->id) && !check_closed_anywhere(sim, k->id))
                sim_fail(sim, "receipt", "%s makes ..%02x version %u, and its phone says that it was told %u",
                         sim->processes[process].name, k->id[15], version, k->held[process].version);
}

static void check_commit(struct sim *sim, unsigned process, const struct core_action *action)
{
        struct process *p = &sim->processes[process];
        struct known *k = check_known(sim, action->u.commit.id, false);
        struct record record;

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
        assert(record_decode(action->u.commit.record.at, action->u.commit.record.len, &record) == 0);
        check_chosen(sim, p->core, action, &record);
        check_owed(sim, p->core, &record);
        check_stranger(sim, action, &record);
        check_merged(sim, process, &record);
        check_above(sim, process, k, &record);
        if (action->u.commit.event == EVENT_RAISE)
                check_apart(sim, process, &record);
}

static void note_version(struct sim *sim, const uint8_t id[ALERT_ID_SIZE], const struct record *record, unsigned store)
{
        struct known *k = check_known(sim, id, true);
        int alias = alert_alias_find(record, id + HANDSET_ID_SIZE);
        struct receipt receipt = { 0 };

        if (k == NULL)
                return;
        k->committed = true;
        if (record->state == ALERT_CLOSED && !k->told_closed)
                k->closed_failovers = sim->failovers - (store != sim->store.primary && sim->failovers > 0);
        if (k->version_count == sizeof(k->versions) / sizeof(k->versions[0]))
                return;
        receipt_set_who(&receipt, record->state == ALERT_CLOSED ? record->closed_by_name : record->owner_name);
        k->versions[k->version_count].version = record->version;
        k->versions[k->version_count].revision = memcmp(id, record->id, ALERT_ID_SIZE) != 0 && alias >= 0
                                                         ? record->aliases[alias].revision
                                                         : record->revision;
        memcpy(k->versions[k->version_count].who, receipt.who, sizeof(receipt.who));
        k->versions[k->version_count].state = record_receipt_state(record);
        k->versions[k->version_count++].store = (uint8_t)store;
}

/* Somebody holds ID as an alert of its own: where a failover took that one it is brought back. */
static bool is_held(const struct sim *sim, const uint8_t id[ALERT_ID_SIZE])
{
        for (unsigned i = 0; i < sim->process_count; i++) {
                const struct core *core = sim->processes[i].core;
                const struct open_alert *alert = core != NULL ? hold_find(core, id) : NULL;

                if (alert != NULL && alert->version != 0)
                        return true;
        }
        return false;
}

/* Where it stands beside its record: when it is due; and once it is closed, under each id of it. */
static void check_place(struct sim *sim, unsigned store, const struct stored *stored, const struct record *record)
{
        struct instance *in = &sim->store.instances[store];
        int64_t due_ms = record->due_ms > store_now_ms(sim, store) ? record->due_ms : store_now_ms(sim, store);
        uint8_t alias[ALERT_ID_SIZE];

        if (record->state != ALERT_CLOSED) {
                if (stored->due_ms >
                    due_ms + sim->plan->rates[RATE_STORE_MS] + sim->plan->rates[RATE_STORE_SKEW_MS] + PLACE_MS)
                        sim_fail(sim, "deadline", "alert ..%02x is due later than its record says", record->id[15]);
                return;
        }
        memcpy(alias, record->handset, HANDSET_ID_SIZE);
        for (size_t i = 0; i < record->alias_count; i++) {
                memcpy(alias + HANDSET_ID_SIZE, record->aliases[i].nonce, ALERT_NONCE_SIZE);
                if (store_grave(in, alias) == NULL && store_find(in, alias) == NULL && !is_held(sim, alias))
                        sim_fail(sim, "unburied", "..%02x, a press in the closed alert ..%02x, has no tombstone",
                                 alias[15], record->id[15]);
        }
}

/* A press that nobody can vouch for is never part of an alert that rings. */
static void check_alias(struct sim *sim, const struct record *record, const uint8_t alias[ALERT_ID_SIZE])
{
        const struct known *k = check_known(sim, alias, false);

        if (k != NULL && k->pressed_by_bad && sim->phones[k->phone].standing != STANDING_GOOD &&
            (record->marks & RECORD_UNVERIFIED) == 0)
                sim_fail(sim, "unverified", "..%02x, of a handset that is not good, is merged into ..%02x", alias[15],
                         record->id[15]);
}

void check_committed(struct sim *sim, unsigned store, const struct record *record, const struct record *old,
                     bool was_closed)
{
        const struct stored *stored = store_find(&sim->store.instances[store], record->id);
        uint8_t alias[ALERT_ID_SIZE];

        note_version(sim, record->id, record, store);
        memcpy(alias, record->handset, HANDSET_ID_SIZE);
        for (size_t i = 0; i < record->alias_count; i++) {
                memcpy(alias + HANDSET_ID_SIZE, record->aliases[i].nonce, ALERT_NONCE_SIZE);
                note_version(sim, alias, record, store);
                check_alias(sim, record, alias);
                sim_mark(sim, MARK_ALIAS);
        }
        if ((record->marks & RECORD_EXHAUSTED) != 0)
                sim_mark(sim, MARK_EXHAUSTED);
        if ((record->marks & RECORD_PRESSED_AGAIN) != 0)
                sim_mark(sim, MARK_PRESSED_AGAIN);
        if (old != NULL && record->version <= old->version)
                sim_fail(sim, "version", "version %u after %u", record->version, old->version);
        if (was_closed)
                sim_fail(sim, "reopened", "a closed alert was changed");
        check_transition(sim, old, record, stored->last->event);
        check_place(sim, store, stored, record);
}

/* Nobody is sent away where there is room, or room was made. */
static void check_room(struct sim *sim, unsigned process, const struct core_action *action)
{
        const struct process *p = &sim->processes[process];

        if (action->u.close_session.code == TRY_AGAIN && p->core->sessions.count < p->core->sessions.max)
                sim_fail(sim, "room", "%s has room, and sends a phone away", p->name);
}

/* ---- Each second, and all that it does ------------------------------------------------------------------------------------------ */

/* A handset that is revoked, as PROCESS knows, does not go on duty, and its heartbeat is none. */
static void check_allowed(struct sim *sim, unsigned process, const struct core_action *action)
{
        const struct core *core = sim->processes[process].core;
        const struct handset *handset = directory_handset(&core->directory, action->u.carrier_duty.handset);

        if (action->u.carrier_duty.duty != NULL && action->u.carrier_duty.asked_ms == 0 && handset != NULL &&
            handset->entry.revoked_at_s != 0)
                sim_fail(sim, "unverified", "%s lets a revoked handset be on duty", sim->processes[process].name);
}

void check_did(struct sim *sim, unsigned process, const struct core_action *action)
{
        switch (action->kind) {
        case DO_COMMIT:
                check_commit(sim, process, action);
                break;
        case DO_RECEIPT:
                check_receipt(sim, process, &action->u.receipt.receipt);
                if (action->u.receipt.stamp != 0)
                        check_copy(sim, process, &action->u.receipt.receipt);
                break;
        case DO_SMS_RECEIPT:
                check_receipt(sim, process, &action->u.sms_receipt.receipt);
                check_text_told(sim, &action->u.sms_receipt.receipt);
                break;
        case DO_CLOSE_SESSION:
                check_room(sim, process, action);
                break;
        case DO_SMS_SAY:
                check_sms_said(sim, process, action);
                break;
        case DO_SEND:
                check_answer_frame(sim, process, action->u.send.session, action->u.send.frame);
                break;
        case DO_APPEND:
                check_crowded(sim, process);
                break;
        case DO_ACKNOWLEDGE:
                check_acknowledged(sim, process, action->u.acknowledge.ref);
                break;
        case DO_ANSWER:
                check_answer_feed(sim, process, action->u.answer.command, action->u.answer.code);
                break;
        case DO_CARRIER_DUTY:
                check_allowed(sim, process, action);
                break;
        default:
                break;
        }
}

/* What was told as received and is open is in some journal: a failover must not be the end of it. */
static void check_written(struct sim *sim)
{
        for (size_t i = 0; i < sim->known_count; i++) {
                struct known *k = &sim->known[i];

                if (!k->told_received || k->told_closed || k->is_test || k->unjournaled_ok || k->unsigned_ ||
                    !k->journaled || check_closed_anywhere(sim, k->id))
                        continue;
                if (!is_written(sim, k))
                        sim_fail(sim, "unwritten", "alert ..%02x is open, was told received, and is in no journal",
                                 k->id[15]);
        }
}

/* A dispatcher that is well holds what is open in the store, as it is there. */
static void check_held(struct sim *sim, unsigned process, const struct stored *stored)
{
        const struct process *p = &sim->processes[process];
        const struct open_alert *alert = hold_find(p->core, stored->id);

        if (sim->now_ms - stored->last->at_ms < 2000 + sim->plan->rates[RATE_STORE_MS])
                return;
        if (alert == NULL || alert->version == 0)
                sim_fail(sim, "feed", "%s does not know the open alert ..%02x", p->name, stored->id[15]);
        else if (alert->flight == FLIGHT_NONE && alert->version != stored->version)
                sim_fail(sim, "feed", "%s has version %u of ..%02x, the store %u", p->name, alert->version,
                         stored->id[15], stored->version);
}

/* The disk was slow and has it just now: it is said at the next tick. */
static bool is_looked_at(const struct sim *sim, unsigned process, const struct open_alert *alert)
{
        int64_t now_ms = process_now_ms(sim, process);

        return wheel_timer_is_armed(&alert->kept) && alert->kept.due_mono_ms <= now_ms &&
               alert->kept.due_mono_ms > now_ms - 2 * CORE_TICK_MS;
}

/* Who pressed, while the store is away, was told that it is kept. */
static void check_kept_told(struct sim *sim, unsigned process)
{
        const struct process *p = &sim->processes[process];
        const struct open_alert *alert;

        if (p->core == NULL || p->store_up || !p->replayed || p->paused_until_ms > sim->now_ms - KEPT_MS)
                return;
        for (size_t i = 0; (alert = table_next(&p->core->alerts, &i)) != NULL;) {
                bool waits = false, told = false;

                for (size_t j = 0; alert->version == 0 && j < alert->queued; j++) {
                        const struct fact *fact = alert->queue[j];

                        told |= fact->kept;
                        waits |= fact->type == FACT_ALERT && fact->state == FACT_READY && !fact->bare &&
                                 !fact->replayed && !is_looked_at(sim, process, alert) &&
                                 p->core->now_ms - fact->at_ms > KEPT_MS &&
                                 p->core->now_ms - p->core->store_away_ms > KEPT_MS &&
                                 sim->now_ms - p->began_ms > KEPT_MS;
                }
                if (waits && !told)
                        sim_fail(sim, "unkept", "%s keeps the press ..%02x and does not say so", p->name,
                                 alert->id[15]);
        }
}

void check_core_second(struct sim *sim, unsigned process)
{
        struct checks *checks = sim->checks;
        const struct process *p = &sim->processes[process];
        struct instance *in = &sim->store.instances[sim->store.primary];
        uint64_t by = (uint64_t)p->run << 32 | p->store_run;

        check_kept_told(sim, process);
        if (process == 0 && sim->now_ms / 1000 % 7 == 0)
                check_written(sim);
        if (!check_process_is_well(sim, process) || by != checks->calm_by[process]) {
                checks->calm_since_ms[process] = sim->now_ms;
                checks->calm_by[process] = by;
        }
        if (sim->now_ms - checks->calm_since_ms[process] < 3000)
                return;
        for (size_t i = 0; i < in->alert_count; i++)
                if (!in->alerts[i].closed)
                        check_held(sim, process, &in->alerts[i]);
}
