#include <assert.h>
#include <string.h>

#include "dispatcher/core_state.h"
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
        struct core_action *action;

        if (session_find(core, to->session) == NULL)
                return;
        action = core_do(core, DO_RECEIPT);
        action->u.receipt.session = to->session;
        action->u.receipt.stamp = to->stamp;
        action->u.receipt.receipt = *receipt;
        memcpy(action->u.receipt.receipt.alert.octets, to->as, ALERT_ID_SIZE);
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

void tell_receipt(struct core *core, const struct record *record, const struct waiting *to)
{
        struct receipt receipt = { .revision = revision_as(record, to->as),
                                   .version = record->version,
                                   .state = record_receipt_state(record),
                                   .time_s = (uint32_t)(state_since_ms(record) / 1000) };

        receipt_set_who(&receipt, record->state == ALERT_CLOSED ? record->closed_by_name : record->owner_name);
        send_receipt(core, &receipt, to);
}

void tell_closed(struct core *core, const struct tombstone *tombstone, uint16_t revision, const struct waiting *to)
{
        struct receipt receipt = { .revision = revision,
                                   .version = tombstone->version,
                                   .state = tombstone->state,
                                   .time_s = (uint32_t)(tombstone->closed_at_ms / 1000) };

        receipt_set_who(&receipt, tombstone->who);
        send_receipt(core, &receipt, to);
}

static bool is_told(const struct open_alert *alert, uint64_t session, const uint8_t as[ALERT_ID_SIZE])
{
        for (size_t i = 0; i < alert->waiting_count; i++)
                if (alert->waiting[i].session == session && memcmp(alert->waiting[i].as, as, ALERT_ID_SIZE) == 0)
                        return true;
        return false;
}

/* Those who wait, and every session of its handset, under each id that its phones know the alert by.  An alert with a forged
 * signature is told to who brought it alone: the handset that it names has nothing to do with it. */
static void tell_handset(struct core *core, struct open_alert *alert, const struct record *record)
{
        bool its_own = memcmp(record->id, record->handset, HANDSET_ID_SIZE) == 0;
        struct waiting to = { 0 };

        for (size_t i = 0; i < alert->waiting_count; i++)
                tell_receipt(core, record, &alert->waiting[i]);
        if (!its_own || alert->handset == NULL)
                return;
        for (const struct session *s = alert->handset->sessions; s != NULL; s = s->next_of_handset)
                for (int i = -1; i < record->alias_count; i++) {
                        to.session = s->id;
                        memcpy(to.as, record->id, ALERT_ID_SIZE);
                        if (i >= 0)
                                memcpy(to.as + HANDSET_ID_SIZE, record->aliases[i].nonce, ALERT_NONCE_SIZE);
                        if (!is_told(alert, to.session, to.as))
                                tell_receipt(core, record, &to);
                }
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

void tell_alert(struct core *core, struct open_alert *alert, const struct record *record)
{
        struct rings rings = { .record = record };

        tell_handset(core, alert, record);
        alert->waiting_count = 0;
        for (size_t i = 0; i < record->asked_count; i++)
                ring_person(core, &rings, record->asked[i].id, &record->asked[i]);
        if (record->owner_id[0] != '\0' && record_asked_find(record, record->owner_id) < 0)
                ring_person(core, &rings, record->owner_id, NULL);
}

/* Whether ALERT may concern PERSON: what is in `asked` by its mark. */
static bool may_concern(const struct open_alert *alert, const struct person *person, uint32_t mark)
{
        for (size_t i = 0; i < alert->asked_count; i++)
                if (alert->asked[i] == mark)
                        return true;
        return strcmp(alert->owner, person->id) == 0;
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

                if (alert->version == 0 || !may_concern(alert, session->person, mark))
                        continue;
                hold_record(alert, &record);
                found = record_asked_find(&record, session->person->id);
                if (found < 0 && strcmp(record.owner_id, session->person->id) != 0)
                        continue;
                ring_session(core, &rings, session, ring_of(&record, found >= 0 ? &record.asked[found] : NULL));
                rung++;
        }
        return rung == RINGS_STEP;
}

/* ---- While the store is away ---------------------------------------------------------------------------------------- */

/* The press that waits, or the first command to take: what the carrier can be told of. */
static const struct fact *waiting_fact(const struct open_alert *alert)
{
        for (size_t i = 0; i < alert->queued; i++) {
                const struct fact *fact = alert->queue[i];
                bool waits = fact->state == FACT_READY || fact->state == FACT_FLYING;

                if (waits && alert->version == 0 && fact->type == FACT_ALERT)
                        return fact;
                if (waits && alert->version != 0 && alert->owner[0] == '\0' && fact->type == FACT_COMMAND &&
                    fact->verb == COMMAND_TAKE)
                        return fact;
        }
        return NULL;
}

static void tell_waiting(struct core *core, const struct open_alert *alert, struct receipt *receipt,
                         const struct fact *fact)
{
        struct waiting to = { 0 };

        for (size_t i = 0; i < alert->waiting_count; i++) {
                to = alert->waiting[i];
                send_receipt(core, receipt, &to);
        }
        if (alert->handset == NULL || memcmp(alert->id, alert->handset->id, HANDSET_ID_SIZE) != 0)
                return;
        memcpy(to.as, alert->version == 0 ? fact->id : alert->id, ALERT_ID_SIZE);
        to.stamp = 0;
        for (const struct session *s = alert->handset->sessions; s != NULL; s = s->next_of_handset) {
                to.session = s->id;
                if (!is_told(alert, s->id, to.as))
                        send_receipt(core, receipt, &to);
        }
}

void tell_kept(struct core *core, struct open_alert *alert)
{
        const struct fact *fact = waiting_fact(alert);
        struct receipt receipt = { .version = alert->version, .time_s = (uint32_t)(core->now_ms / 1000) };
        struct alert_actor actor;
        struct alert_press press;
        struct command command;
        struct record record;

        if (fact == NULL)
                return;
        hold_record(alert, &record);
        receipt.revision = record.revision;
        if (fact->type == FACT_ALERT) {
                (void)intake_read((struct cbor_span){ fact->bytes, fact->size }, &press);
                receipt.revision = press.alert.revision;
                receipt.state = RECEIPT_KEPT;
                core->counters.kept++;
        } else if (command_decode(fact->bytes, fact->size, &command) == 0 &&
                   right_actor(core, &command, fact->by_handset ? fact->handset : NULL, &actor) == 0) {
                receipt.state = RECEIPT_COMING;
                receipt_set_who(&receipt, actor.name);
        } else {
                return;
        }
        tell_waiting(core, alert, &receipt, fact);
}
