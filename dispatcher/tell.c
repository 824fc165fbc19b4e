#include <assert.h>
#include <string.h>

#include "dispatcher/core_parts.h"
#include "dispatcher/intake.h"

/* Alerts shown in one step to a supervisor who has come. */
#define RINGS_STEP 8

uint32_t person_mark(const char *id)
{
        return (uint32_t)name_hash(id);
}

/* ---- Receipts ------------------------------------------------------------------------------------------------------- */

static void send_receipt(struct core *core, const struct receipt *receipt, const struct waiting *to)
{
        struct sms_ref about = { .what = SMS_TO_SENDER };
        struct receipt as = *receipt;
        struct core_action *action;

        memcpy(as.alert.octets, to->as, ALERT_ID_SIZE);
        memcpy(about.alert, to->as, ALERT_ID_SIZE);
        if (to->session == 0) {
                if (core->options.sms && to->number[0] != '\0')
                        sms_receipt(core, to->number, &as, &about);
                return;
        }
        if (session_find(core, to->session) == NULL)
                return;
        action = core_do(core, DO_RECEIPT);
        action->u.receipt.session = to->session;
        action->u.receipt.stamp = to->stamp;
        action->u.receipt.receipt = as;
        port_told(core, to, as.state);
        core->counters.receipts++;
}

/* When RECORD came into its state. */
static int64_t state_since_ms(const struct record *record)
{
        return record->state == ALERT_RAISED   ? record->raised_at_ms
               : record->state == ALERT_TAKEN  ? record->taken_at_ms
               : record->state == ALERT_CLOSED ? record->closed_at_ms
                                               : record->changed_at_ms;
}

static uint16_t revision_as(const struct record *record, const uint8_t as[ALERT_ID_SIZE])
{
        int alias = memcmp(record->id, as, ALERT_ID_SIZE) == 0 ? -1 : alert_alias_find(record, as + HANDSET_ID_SIZE);

        return alias >= 0 ? record->aliases[alias].revision : record->revision;
}

struct receipt tell_what(const struct core *core, const struct record *record, const uint8_t as[ALERT_ID_SIZE])
{
        const struct open_alert *alert = hold_find(core, record->id);
        struct receipt receipt = { .revision = revision_as(record, as),
                                   .version = record->version,
                                   .state = record_receipt_state(record),
                                   .time_s = (uint32_t)(state_since_ms(record) / 1000) };

        memcpy(receipt.alert.octets, as, ALERT_ID_SIZE);
        receipt_set_who(&receipt, record->state == ALERT_CLOSED ? record->closed_by_name : record->owner_name);
        if (alert != NULL && record->state < ALERT_TAKEN && flow_is_bare(alert)) {
                receipt.state = RECEIPT_KEPT; /* the store has it, and no journal that could bring it back */
                receipt.version = 0;
        }
        return receipt;
}

/* The verified alert that is open under the id AS; NULL none. */
static struct open_alert *open_itself(const struct core *core, const uint8_t as[ALERT_ID_SIZE])
{
        struct open_alert *alert = hold_find(core, as);

        return alert != NULL && alert->version != 0 && (alert->marks & RECORD_UNVERIFIED) == 0 ? alert : NULL;
}

/* An alert with a forged signature is told to who brought it alone, under the id it claims: the handset that it names has
 * nothing to do with it. */
static bool is_forged(const struct record *record)
{
        return memcmp(record->id, record->handset, HANDSET_ID_SIZE) != 0;
}

/* ITSELF is open, and RECORD, another alert, has its press too: two dispatchers met it at once.  What is true of ITSELF is told by its own
 * commits, above what the phone may have been told of RECORD in its name. */
static void tell_above(struct core *core, struct open_alert *itself, const struct record *record)
{
        if (record->version <= itself->highest)
                return;
        itself->highest = record->version;
        flow_ready(core, itself);
}

/* What an unsigned copy became, which was raised beside the verified alert of the id that it claims, is not told under that id while
 * this is open: what is true of it is. */
void tell_receipt(struct core *core, const struct record *record, const struct waiting *to)
{
        struct open_alert *itself = memcmp(to->as, record->id, ALERT_ID_SIZE) != 0 ? open_itself(core, to->as) : NULL;
        struct receipt receipt;
        struct record its;

        if (itself != NULL && !is_forged(record)) {
                tell_above(core, itself, record);
                return;
        }
        if (itself != NULL) {
                hold_record(itself, &its);
                receipt = tell_what(core, &its, to->as);
        } else {
                receipt = tell_what(core, record, to->as);
        }
        send_receipt(core, &receipt, to);
}

void tell_proved(struct core *core, uint16_t revision, const struct waiting *to)
{
        struct receipt receipt = {
                .revision = revision, .version = 1, .state = RECEIPT_PROVED, .time_s = (uint32_t)(core->now_ms / 1000)
        };

        send_receipt(core, &receipt, to);
}

void tell_closed(struct core *core, const struct tombstone *tombstone, const struct waiting *to)
{
        struct receipt receipt = { .revision = tombstone->revision,
                                   .version = tombstone->version,
                                   .state = tombstone->state,
                                   .time_s = (uint32_t)(tombstone->closed_at_ms / 1000) };

        receipt_set_who(&receipt, tombstone->who);
        if (open_itself(core, to->as) == NULL)
                send_receipt(core, &receipt, to);
}

static bool is_told(const struct open_alert *alert, uint64_t session, const uint8_t as[ALERT_ID_SIZE])
{
        for (size_t i = 0; i < alert->waiting_count; i++)
                if (alert->waiting[i].session == session && memcmp(alert->waiting[i].as, as, ALERT_ID_SIZE) == 0)
                        return true;
        return false;
}

void tell_press_closed(struct core *core, const struct open_alert *alert, const uint8_t as[ALERT_ID_SIZE],
                       const struct tombstone *tombstone)
{
        const struct handset *handset = directory_handset(&core->directory, as);
        struct waiting to = { 0 };

        for (size_t i = 0; i < alert->waiting_count; i++)
                if (memcmp(alert->waiting[i].as, as, ALERT_ID_SIZE) == 0)
                        tell_closed(core, tombstone, &alert->waiting[i]);
        memcpy(to.as, as, ALERT_ID_SIZE);
        for (const struct session *s = handset != NULL ? handset->sessions : NULL; s != NULL; s = s->next_of_handset) {
                to.session = s->id;
                if (!is_told(alert, s->id, as))
                        tell_closed(core, tombstone, &to);
        }
}

/* Whether RECORD has the press AS.  One on another phone may still be on its way to the store: no receipt before that. */
static bool has_press(const struct record *record, const uint8_t as[ALERT_ID_SIZE])
{
        return is_forged(record) || memcmp(record->id, as, ALERT_ID_SIZE) == 0 ||
               alert_alias_find(record, as + HANDSET_ID_SIZE) >= 0;
}

static void forget_told(struct open_alert *alert, const struct record *record)
{
        size_t kept = 0;

        for (size_t i = 0; i < alert->waiting_count; i++)
                if (!has_press(record, alert->waiting[i].as))
                        alert->waiting[kept++] = alert->waiting[i];
        alert->waiting_count = (uint8_t)kept;
}

static void tell_who_waits(struct core *core, const struct open_alert *alert, const struct record *record)
{
        for (size_t i = 0; i < alert->waiting_count; i++)
                if (has_press(record, alert->waiting[i].as) &&
                    (alert->waiting[i].session != 0 || !sms_is_owed(core, record, alert->waiting[i].number)))
                        tell_receipt(core, record, &alert->waiting[i]);
}

void tell_waiting(struct core *core, struct open_alert *alert, const struct record *record)
{
        tell_who_waits(core, alert, record);
        forget_told(alert, record);
}

/* Those who wait, and every session of its handset, under each id that its phones know the alert by. */
void tell_handset(struct core *core, struct open_alert *alert, const struct record *record)
{
        const struct session *first = alert->handset != NULL && !is_forged(record) ? alert->handset->sessions : NULL;
        struct waiting to = { 0 };

        tell_who_waits(core, alert, record);
        for (const struct session *s = first; s != NULL; s = s->next_of_handset)
                for (int i = -1; i < record->alias_count; i++) {
                        to.session = s->id;
                        memcpy(to.as, record->id, ALERT_ID_SIZE);
                        if (i >= 0)
                                memcpy(to.as + HANDSET_ID_SIZE, record->aliases[i].nonce, ALERT_NONCE_SIZE);
                        if (!is_told(alert, to.session, to.as))
                                tell_receipt(core, record, &to);
                }
        forget_told(alert, record);
}

/* ---- Rings ---------------------------------------------------------------------------------------------------------- */

/* How loud RECORD is for one who is asked, or has it (ASKED NULL: not among those asked). */
static uint8_t ring_of(const struct record *record, const struct asked *asked)
{
        if (record->state == ALERT_CLOSED)
                return RING_SHOW;
        if ((record->marks & RECORD_NO_NEWS) != 0)
                return RING_LOUDEST;
        if (record->owner_id[0] != '\0')
                return RING_SHOW;
        if ((record->marks & RECORD_EXHAUSTED) != 0)
                return RING_LOUDEST;
        return asked != NULL && asked->seen_at_ms == 0 ? RING_RING : RING_SHOW;
}

/* The frames of one record, made when first needed. */
struct rings {
        const struct record *record;
        struct cbor_span bytes, frames[RING_END];
};

static struct cbor_span ring_frame(struct core *core, struct rings *rings, uint8_t ring)
{
        struct frame frame = { .type = FRAME_RING };
        uint8_t *to;
        int n;

        if (rings->bytes.at == NULL) {
                to = core_octets(core, RECORD_MAX);
                n = record_encode(rings->record, to, RECORD_MAX);
                assert(n > 0);
                rings->bytes = (struct cbor_span){ to, (size_t)n };
        }
        if (rings->frames[ring].at == NULL) {
                frame.u.ring.record = rings->bytes;
                frame.u.ring.ring = ring;
                to = core_octets(core, FRAME_REGION_MAX);
                n = frame_encode(&frame, to, FRAME_REGION_MAX);
                assert(n > 0);
                rings->frames[ring] = (struct cbor_span){ to, (size_t)n };
        }
        return rings->frames[ring];
}

static void ring_session(struct core *core, struct rings *rings, const struct session *session, uint8_t ring)
{
        struct cbor_span frame = ring_frame(core, rings, ring);
        struct core_action *action = core_do(core, DO_SEND);

        action->u.send.session = session->id;
        action->u.send.frame = frame;
        core->counters.rings++;
}

static void ring_person(struct core *core, struct rings *rings, const char *id, const struct asked *asked)
{
        const struct person *person = directory_person(&core->directory, id);

        for (const struct session *s = person != NULL ? person->sessions : NULL; s != NULL; s = s->next_of_person)
                ring_session(core, rings, s, ring_of(rings->record, asked));
}

void tell_who_is_asked(struct core *core, const struct record *record)
{
        struct rings rings = { .record = record };

        for (size_t i = 0; i < record->asked_count; i++)
                ring_person(core, &rings, record->asked[i].id, &record->asked[i]);
        if (record->owner_id[0] != '\0' && record_asked_find(record, record->owner_id) < 0)
                ring_person(core, &rings, record->owner_id, NULL);
}

void tell_alert(struct core *core, struct open_alert *alert, const struct record *record)
{
        struct record told = *record;

        tell_handset(core, alert, record);
        meanwhile_hear(alert, &told);
        tell_who_is_asked(core, &told);
}

/* Whether ALERT may concern PERSON: what is in `asked` by its mark. */
static bool may_concern(const struct open_alert *alert, const struct person *person, uint32_t mark)
{
        for (size_t i = 0; i < alert->asked_count; i++)
                if (alert->asked[i] == mark)
                        return true;
        return alert->meanwhile != NULL || strcmp(alert->owner, person->id) == 0;
}

bool tell_rings(struct core *core, struct session *session)
{
        uint32_t mark = person_mark(session->person->id);
        struct open_alert *alert;
        struct record record;
        int found, rung = 0;

        if (session->rings_generation != core->alerts.generation)
                session->rings_cursor = 0;
        session->rings_generation = core->alerts.generation;
        while (rung < RINGS_STEP && (alert = table_next(&core->alerts, &session->rings_cursor)) != NULL) {
                struct rings rings = { .record = &record };

                if (!hold_is_there(alert) || !may_concern(alert, session->person, mark))
                        continue;
                hold_meant(alert, &record);
                found = record_asked_find(&record, session->person->id);
                if (found < 0 && strcmp(record.owner_id, session->person->id) != 0)
                        continue;
                ring_session(core, &rings, session, ring_of(&record, found >= 0 ? &record.asked[found] : NULL));
                rung++;
        }
        return rung == RINGS_STEP;
}

/* ---- While the store is away ---------------------------------------------------------------------------------------- */

/* Tell RECEIPT of FACT to those who wait for it, and to its handset's sessions; each once. */
static void tell_fact(struct core *core, struct open_alert *alert, const struct receipt *receipt, struct fact *fact)
{
        bool forged = memcmp(fact->id, fact->handset, HANDSET_ID_SIZE) != 0 && fact->type == FACT_ALERT;
        const struct session *first = alert->handset != NULL && !forged ? alert->handset->sessions : NULL;
        struct waiting to = { 0 };

        for (size_t i = 0; i < alert->waiting_count; i++) {
                struct waiting *waiting = &alert->waiting[i];

                if (!(forged || memcmp(waiting->as, fact->id, ALERT_ID_SIZE) == 0) ||
                    (fact->type == FACT_ALERT ? waiting->kept : fact->kept))
                        continue;
                waiting->kept |= fact->type == FACT_ALERT;
                send_receipt(core, receipt, waiting);
        }
        memcpy(to.as, fact->id, ALERT_ID_SIZE);
        for (const struct session *s = first; s != NULL && !fact->kept; s = s->next_of_handset) {
                to.session = s->id;
                if (!is_told(alert, s->id, to.as))
                        send_receipt(core, receipt, &to);
        }
        fact->kept = true;
}

/* A press that is on our disk and nowhere else. */
static void tell_press_kept(struct core *core, struct open_alert *alert, struct fact *fact)
{
        struct receipt receipt = { .state = RECEIPT_KEPT, .time_s = (uint32_t)(core->now_ms / 1000) };
        struct alert_press press;

        (void)intake_read((struct cbor_span){ fact->bytes, fact->size }, &press);
        receipt.revision = press.alert.revision;
        core->counters.kept += !fact->kept;
        tell_fact(core, alert, &receipt, fact);
}

/* A take that waits: somebody says they are coming. */
static void tell_coming(struct core *core, struct open_alert *alert, struct fact *fact)
{
        struct receipt receipt = { .state = RECEIPT_COMING,
                                   .version = alert->version,
                                   .time_s = (uint32_t)(core->now_ms / 1000) };
        struct sms_ref about = { .what = SMS_ANSWER };
        struct alert_actor actor;
        struct command command;
        struct record record;

        if (command_decode(fact->bytes, fact->size, &command) < 0 || right_actor(core, &command, fact, &actor) < 0)
                return;
        hold_meant(alert, &record);
        if (fact->path == PATH_SMS && !fact->coming) {
                memcpy(about.alert, record.id, ALERT_ID_SIZE);
                memcpy(about.person, actor.person, sizeof(about.person));
                sms_fill(sms_say_to(core, directory_person_number(&core->directory, actor.person), SMS_BUSY, &about),
                         &record, core->now_ms);
        }
        fact->coming = true;
        receipt.revision = record.revision;
        receipt_set_who(&receipt, actor.name);
        tell_fact(core, alert, &receipt, fact);
}

void tell_kept(struct core *core, struct open_alert *alert)
{
        for (size_t i = 0; i < alert->queued; i++) {
                struct fact *fact = alert->queue[i];

                if (fact->state == FACT_WAITS || fact->state == FACT_DONE || fact->bare)
                        continue; /* not on the disk, or more than that */
                if (fact->type == FACT_ALERT &&
                    (alert->version == 0 || memcmp(fact->id, alert->id, ALERT_ID_SIZE) != 0))
                        tell_press_kept(core, alert, fact);
                if (fact->type == FACT_COMMAND && hold_is_there(alert) && alert->owner[0] == '\0' &&
                    fact->verb == COMMAND_TAKE) {
                        tell_coming(core, alert, fact);
                        return; /* the first owns */
                }
        }
}
