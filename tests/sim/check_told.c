/* What screens show is what the store says, and soon: whoever has a phone that works, a session and a dispatcher that is well sees
 * the truth.  "Soon" counts from the moment when all of these are there. */
#include <string.h>

#include "tests/sim/check.h"

#define SOON_MS \
        2500 /* a change is shown so much later, and the network's and the store's own time; CORE_RANK_MS is in it */
#define NEW_MS    4000 /* a session that is new is told of all that is open after so long */
#define ANSWER_MS 8000 /* an alert is received, where nothing stands in its way */
#define OWNER_MS  1000 /* and who has an alert no more knows it: DESIGN section 6 */
#define ALONE_MS  8000 /* without the store its press rings: CORE_KEPT_MS, and a start that reads its journal */

static int64_t ways_ms(const struct sim *sim)
{
        return 2 *
               (sim->plan->rates[RATE_LATENCY_MS] + sim->plan->rates[RATE_STORE_MS] + sim->plan->rates[RATE_DISK_MS]);
}

/* ---- Whose session is well, since when --------------------------------------------------------------------------------------- */

/* Nothing is on the way on CONN that a line that dripped holds up still. */
static bool is_quick(const struct sim *sim, const struct conn *conn)
{
        int64_t soon_ms = sim->now_ms + sim->plan->rates[RATE_LATENCY_MS];

        return conn->last_ms[0] <= soon_ms && conn->last_ms[1] <= soon_ms;
}

/* What carries PHONE now, as a number that is another when any of it is another; 0: something is not well. */
static uint64_t session_of(const struct sim *sim, unsigned number)
{
        const struct phone *phone = &sim->phones[number];
        const struct conn *conn;
        const struct process *p;
        uint64_t h = 0;

        if (!phone->alive || phone->asleep_until_ms > sim->now_ms || !phone->network || phone->out_cut ||
            phone->in_cut || phone->drip_ms > 0 || phone->disk_ms > 0 || phone->disk_full || phone->journal_bad ||
            !phone->signs || phone->status.link != VIGIE_LINK_WELCOME)
                return 0;
        for (unsigned a = 0; a < SIM_ADDRESSES - 1; a++) {
                if (phone->conns[a] < 0)
                        continue;
                conn = &sim->conns[phone->conns[a]];
                p = &sim->processes[conn->process];
                if (conn->half_open || !is_quick(sim, conn) || !conn->phone_open || !conn->process_open ||
                    !check_process_is_well(sim, conn->process))
                        return 0;
                h = ((uint64_t)phone->conns[a] + 1) << 40 | (uint64_t)(p->run & 0xfff) << 28 |
                    (uint64_t)(p->store_run & 0xffff) << 12 | (phone->run & 0xfff);
        }
        return h;
}

static void note_well(struct sim *sim, unsigned number)
{
        struct watched *w = &sim->checks->phones[number];
        uint64_t by = session_of(sim, number);

        if (by == 0)
                w->well_ms = INT64_MAX;
        else if (by != w->well_by || w->well_ms == INT64_MAX)
                w->well_ms = sim->now_ms;
        w->well_by = by;
}

static bool is_well_for(const struct sim *sim, unsigned number, int64_t ms)
{
        const struct watched *w = &sim->checks->phones[number];

        return w->well_ms != INT64_MAX && sim->now_ms - w->well_ms >= ms + ways_ms(sim);
}

/* ---- Carriers ------------------------------------------------------------------------------------------------------------------- */

/* The open alert that ID was pressed into; NULL: none. */
static struct stored *joined(struct instance *in, const uint8_t id[ALERT_ID_SIZE])
{
        for (size_t i = 0; i < in->alert_count; i++) {
                struct stored *s = &in->alerts[i];

                if (!s->closed && memcmp(s->id, id, HANDSET_ID_SIZE) == 0 &&
                    alert_alias_find(store_record(s), id + HANDSET_ID_SIZE) >= 0)
                        return s;
        }
        return NULL;
}

/* The open record that ID is in, its own before one that it was pressed into; NULL: none, or its own is closed.  (It is in both where one
 * dispatcher got another press before it and one did not, while the store was away.) */
static const struct record *record_of(struct instance *in, const uint8_t id[ALERT_ID_SIZE], int64_t *ret_at_ms)
{
        struct stored *its = store_find(in, id);

        if (its == NULL)
                its = joined(in, id);
        if (its == NULL || its->closed)
                return NULL;
        *ret_at_ms = its->last->at_ms;
        return store_record(its);
}

/* "Coming" is said of a take that waits, of the version that the store has: the dispatcher that has the take is
 * without the store, and told the phone by SMS or on a session of before.  It is more than the store knows, and is
 * committed when that dispatcher reads the store again; one that is dead may have it in its journal. */
static bool is_coming(const struct sim *sim, const struct record *record, const uint8_t id[ALERT_ID_SIZE])
{
        for (unsigned p = 0; p < sim->process_count; p++) {
                const struct core *core = sim->processes[p].core;
                const struct open_alert *alert;

                if (core == NULL)
                        return true;
                alert = hold_find(core, record->id);
                if (alert == NULL)
                        alert = hold_find(core, id);
                for (size_t i = 0; alert != NULL && i < alert->queued; i++)
                        if (alert->queue[i]->coming && flow_waits(alert->queue[i]))
                                return true;
        }
        return false;
}

static void check_own_alert(struct sim *sim, unsigned number, const struct my_alert *a)
{
        struct phone *phone = &sim->phones[number];
        struct alert_id id = alert_id_make(&phone->vigie->handset, a->alert.nonce);
        struct instance *in = &sim->store.instances[sim->store.primary];
        const struct known *k = check_known(sim, id.octets, false);
        const struct grave *grave = store_grave(in, id.octets);
        int64_t at_ms = 0;
        const struct record *record = record_of(in, id.octets, &at_ms);

        if (k == NULL || k->unsigned_ || k->stranger || k->unjournaled_ok || phone->was_restored)
                return;
        if (record == NULL && grave == NULL &&
            sim->now_ms - phone->booted_ms - a->raised_mono_ms > ANSWER_MS + ways_ms(sim))
                sim_fail(sim, "unheard", "%s's alert does not come through", phone->person);
        /* Closed, lost by a failover, said again and pressed into another before it was closed again: that one's end is its own. */
        if (record == NULL && grave != NULL && joined(in, id.octets) == NULL &&
            sim->now_ms - grave->at_ms > SOON_MS + ways_ms(sim) + sim->plan->rates[RATE_STORE_SKEW_MS])
                sim_fail(sim, "untold", "%s is not told that its alert is closed", phone->person);
        if (record == NULL || sim->now_ms - at_ms < SOON_MS + ways_ms(sim))
                return;
        if (a->received && a->receipt.state == RECEIPT_COMING && a->receipt.version >= record->version &&
            is_coming(sim, record, id.octets))
                return;
        if (!a->received || a->receipt.state != record_receipt_state(record))
                sim_fail(sim, "untold", "%s says \"%s\", and it is %s", phone->person,
                         a->has_receipt ? receipt_state_name(a->receipt.state) : "nothing",
                         receipt_state_name(record_receipt_state(record)));
}

static void check_carrier(struct sim *sim, unsigned number)
{
        const struct vigie *vigie = sim->phones[number].vigie;

        if (!is_well_for(sim, number, NEW_MS))
                return;
        for (unsigned i = MY_REAL; i <= MY_DRILL; i++)
                if (vigie->alert[i].state == MY_OPEN)
                        check_own_alert(sim, number, &vigie->alert[i]);
}

/* ---- Supervisors ---------------------------------------------------------------------------------------------------------------- */

static const struct vigie_ring *ring_of(const struct phone *phone, const uint8_t id[ALERT_ID_SIZE])
{
        for (unsigned i = 0; i < phone->status.ring_count; i++)
                if (memcmp(phone->status.rings[i].id, id, ALERT_ID_SIZE) == 0)
                        return &phone->status.rings[i];
        return NULL;
}

/* How loud it is to ring with PERSON. */
static uint8_t level_of(const struct record *record, const struct asked *asked)
{
        if ((record->marks & RECORD_NO_NEWS) != 0)
                return RING_LOUDEST;
        if (record->owner_id[0] != '\0')
                return RING_SHOW;
        if ((record->marks & RECORD_EXHAUSTED) != 0)
                return RING_LOUDEST;
        return asked != NULL && asked->seen_at_ms == 0 ? RING_RING : RING_SHOW;
}

static void check_ring(struct sim *sim, struct phone *phone, const struct record *record)
{
        int found = record_asked_find(record, phone->person);
        const struct asked *asked = found >= 0 ? &record->asked[found] : NULL;
        const struct vigie_ring *ring = ring_of(phone, record->id);
        bool mine = strcmp(record->owner_id, phone->person) == 0;

        if (found < 0 && !mine)
                return;
        if (ring == NULL) {
                if (phone->status.rings_more == 0)
                        sim_fail(sim, "unrung", "%s is asked about ..%02x, and it does not ring", phone->person,
                                 record->id[15]);
                return;
        }
        if (ring->state != record->state || ring->mine != mine || ring->marks != record->marks ||
            strcmp(ring->owner_name, record->owner_name) != 0)
                sim_fail(sim, "unrung", "%s sees ..%02x as %s (%s, 0x%x), and it is %s (%s, 0x%x)", phone->person,
                         record->id[15], alert_state_name(ring->state), ring->owner_name, ring->marks,
                         alert_state_name((uint8_t)record->state), record->owner_name, record->marks);
        if (ring->version == record->version &&
            (ring->kind != record->kind || ring->pressed_at_s != record->pressed_at_s ||
             ring->has_place != record->has_position || ring->place.lat_e7 != record->at.lat_e7 ||
             ring->place.lon_e7 != record->at.lon_e7 || ring->place.at_s != record->at.at_s ||
             ring->category != record->category || strcmp(ring->carrier_name, record->carrier_name) != 0 ||
             strcmp(ring->carrier_number, record->carrier_number) != 0 || strcmp(ring->round, record->round) != 0))
                sim_fail(sim, "unrung", "%s sees ..%02x otherwise than its record says who, where and when",
                         phone->person, record->id[15]);
        if (ring->level != level_of(record, asked))
                sim_fail(sim, "unrung", "..%02x rings with %s at level %u, not %u", record->id[15], phone->person,
                         ring->level, level_of(record, asked));
}

/* What rings with NUMBER is open, and asks that person.  Known open: who is asked in memory while a commit is on its way stands in no record,
 * and is shown versions above it: only what is shown as it stood in some store is looked at. */
static void check_rings(struct sim *sim, unsigned number)
{
        const struct phone *phone = &sim->phones[number];
        struct instance *in = &sim->store.instances[sim->store.primary];
        int64_t soon_ms = SOON_MS + ways_ms(sim) + sim->plan->rates[RATE_LAG_MS];

        for (unsigned i = 0; i < phone->status.ring_count; i++) {
                const struct vigie_ring *ring = &phone->status.rings[i];
                struct stored *s = store_find(in, ring->id);
                const struct record *record = s != NULL ? store_record(s) : NULL;
                bool asked;

                if (record == NULL || ring->state == ALERT_CLOSED || ring->asking != 0 || ring->refused != 0 ||
                    sim->now_ms - s->last->at_ms <= soon_ms)
                        continue;
                asked = record_asked_find(record, phone->person) >= 0 || strcmp(record->owner_id, phone->person) == 0;
                if (s->closed)
                        sim_fail(sim, "unrung", "..%02x is open for %s, and is closed", ring->id[15], phone->person);
                if (!s->closed && !asked && ring->level != RING_SHOW)
                        sim_fail(sim, "unrung", "..%02x rings with %s, who is not asked", ring->id[15], phone->person);
        }
}

static void check_supervisor(struct sim *sim, unsigned number)
{
        struct instance *in = &sim->store.instances[sim->store.primary];

        if (!is_well_for(sim, number, NEW_MS))
                return;
        if (is_well_for(sim, number, MY_RING_CONFIRM_MS + NEW_MS))
                check_rings(sim, number);
        for (size_t i = 0; i < in->alert_count; i++)
                if (!in->alerts[i].closed && sim->now_ms - in->alerts[i].last->at_ms > SOON_MS + ways_ms(sim))
                        check_ring(sim, &sim->phones[number], store_record(&in->alerts[i]));
}

/* How long PERSON may believe to have the alert ID: where its record does not even ask them, a failover has lost that, the dispatcher that knew it
 * died, and until that one is back no other can tell them; then their phone finds out by itself. */
static int64_t patience_ms(struct sim *sim, const struct phone *phone, const uint8_t id[ALERT_ID_SIZE])
{
        struct stored *s = store_find(&sim->store.instances[sim->store.primary], id);

        return record_asked_find(store_record(s), phone->person) >= 0 ? OWNER_MS : MY_RING_CONFIRM_MS + OWNER_MS;
}

/* PHONE believes to have the alert of RING, and has it not. */
static bool is_wrong(struct sim *sim, const struct phone *phone, const struct vigie_ring *ring)
{
        struct stored *s = store_find(&sim->store.instances[sim->store.primary], ring->id);

        return ring->mine && ring->state != ALERT_CLOSED && s != NULL && !s->closed &&
               strcmp(store_record(s)->owner_id, phone->person) != 0;
}

static int64_t wrong_since_ms(const struct sim *sim, const struct watched *w, const uint8_t id[ALERT_ID_SIZE])
{
        for (unsigned i = 0; i < w->wrong_count; i++)
                if (memcmp(w->wrong[i].id, id, ALERT_ID_SIZE) == 0)
                        return w->wrong[i].since_ms;
        return sim->now_ms;
}

/* Who was told "you have it" and has it not any more knows that within a second of the store's return: of the moment when the
 * dispatcher of that phone's session has read the store again, and beside the way to the phone.  Each alert by itself: who gives
 * one back each second is wrong about some all the time. */
static void check_owner(struct sim *sim, unsigned number)
{
        struct phone *phone = &sim->phones[number];
        struct watched *w = &sim->checks->phones[number];
        struct wrong wrong[VIGIE_RINGS_MAX];
        unsigned count = 0;

        for (unsigned j = 0; w->well_ms != INT64_MAX && j < phone->status.ring_count; j++) {
                const struct vigie_ring *ring = &phone->status.rings[j];
                int64_t since_ms = wrong_since_ms(sim, w, ring->id), patience;

                if (!is_wrong(sim, phone, ring))
                        continue;
                memcpy(wrong[count].id, ring->id, ALERT_ID_SIZE);
                wrong[count++].since_ms = since_ms;
                patience = patience_ms(sim, phone, ring->id);
                if (sim->now_ms - since_ms > patience + ways_ms(sim) && is_well_for(sim, number, patience))
                        sim_fail(sim, "owners", "%s still believes to have ..%02x, that another has", phone->person,
                                 ring->id[15]);
        }
        memcpy(w->wrong, wrong, count * sizeof(wrong[0]));
        w->wrong_count = count;
}

/* While the store is away the one that has a press asks, after a moment: CORE_KEPT_MS. */
static void check_alone(struct sim *sim, unsigned process)
{
        const struct process *p = &sim->processes[process];
        const struct core *core = p->core;
        const struct open_alert *alert;

        if (core == NULL || core->store_up || !p->serving || sim->now_ms - p->began_ms < ALONE_MS ||
            sim->now_ms - p->paused_until_ms < ALONE_MS || core->now_ms - core->store_away_ms < ALONE_MS ||
            core->meanwhile_count == CORE_MEANWHILE_MAX)
                return;
        for (size_t i = 0; (alert = table_next(&core->alerts, &i)) != NULL;) {
                const struct fact *first = alert->queued > 0 ? alert->queue[0] : NULL;

                if (first == NULL || first->type != FACT_ALERT || memcmp(first->id, alert->id, ALERT_ID_SIZE) != 0 ||
                    first->state != FACT_READY || core->now_ms - first->at_ms < ALONE_MS || alert->noted_gone ||
                    (alert->marks & (RECORD_UNVERIFIED | RECORD_DRILL)) != 0 || hold_closed(core, alert->id) != NULL)
                        continue;
                if (alert->meanwhile == NULL
                            ? !wheel_timer_is_armed(&alert->kept) ||
                                      core->now_ms - alert->kept.due_mono_ms > CORE_TICK_MS
                            : (alert->meanwhile->marks & (RECORD_UNVERIFIED | RECORD_DRILL)) == 0 &&
                                      alert->meanwhile->asked_count == 0 && alert->meanwhile->step == 0)
                        sim_fail(sim, "alone", "%s has ..%02x, the store is away, and nobody is asked", p->name,
                                 alert->id[15]);
        }
}

void check_told_second(struct sim *sim)
{
        for (unsigned i = 0; i < sim->process_count; i++)
                check_alone(sim, i);
        for (unsigned i = 0; i < sim->phone_count; i++) {
                note_well(sim, i);
                if (sim->phones[i].supervisor) {
                        check_owner(sim, i);
                        check_supervisor(sim, i);
                }
                if (sim->phones[i].alive)
                        check_carrier(sim, i); /* supervisors press too */
        }
}
