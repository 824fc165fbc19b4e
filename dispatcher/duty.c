#include <string.h>

#include "dispatcher/core_parts.h"

/* A duty ends by itself so long after its planned end (DESIGN section 5). */
#define DUTY_AFTER_MS 1800000
/* The longest duty that can be planned. */
#define DUTY_MAX_S    86400
/* How often {r}:duty is told that a carrier was heard by something else than a heartbeat. */
#define DUTY_HEARD_MS 30000

static void answer(struct core *core, const struct session *session, const struct frame *asked, uint8_t code)
{
        const struct carrier_duty *duty = session->handset->duty;
        struct frame frame = { .type = FRAME_DUTY_ANSWER };

        frame.u.duty_answer.request = asked->u.duty.request;
        frame.u.duty_answer.code = code;
        if (code == DUTY_OK && duty != NULL) {
                frame.u.duty_answer.since_ms = duty->since_ms;
                frame.u.duty_answer.until_s = duty->until_s;
                record_set_text(frame.u.duty_answer.name, sizeof(frame.u.duty_answer.name),
                                directory_name(&core->directory, duty->carrier_id));
        }
        core_send(core, session, &frame);
}

/* ---- Carriers ------------------------------------------------------------------------------------------------------- */

static void tell_duty(struct core *core, struct handset *handset)
{
        struct core_action *action = core_do(core, DO_CARRIER_DUTY);

        memcpy(action->u.carrier_duty.handset, handset->id, HANDSET_ID_SIZE);
        action->u.carrier_duty.duty = handset->duty;
        action->u.carrier_duty.heard_at_ms = handset->heard_at_ms;
        handset->heard_told_ms = handset->heard_at_ms;
}

void duty_find(struct core *core, struct handset *handset)
{
        struct core_action *action;

        if (!handset->known || handset->entry.role != HANDSET_CARRIER || handset->duty_known != DUTY_NOT_KNOWN ||
            !core->positions_up)
                return;
        handset->duty_known = DUTY_ASKED;
        action = core_do(core, DO_FIND_DUTY);
        memcpy(action->u.find_duty.handset, handset->id, HANDSET_ID_SIZE);
}

void duty_found(struct core *core, const struct core_found *found)
{
        struct handset *handset = directory_handset(&core->directory, found->handset);

        if (handset == NULL || handset->duty_known != DUTY_ASKED)
                return; /* it has said itself, meanwhile */
        handset_set_duty(handset, found->on_duty ? &found->duty : NULL);
        if (found->on_duty && found->heard_at_ms > handset->heard_at_ms)
                handset->heard_at_ms = found->heard_at_ms;
}

void duty_forget_asked(struct core *core)
{
        struct handset *handset;

        for (size_t i = 0; (handset = table_next(&core->directory.handsets, &i)) != NULL;)
                if (handset->duty_known == DUTY_ASKED)
                        handset->duty_known = DUTY_NOT_KNOWN;
}

void duty_heard(struct core *core, struct handset *handset)
{
        struct core_action *action;

        handset->heard_at_ms = core->now_ms;
        if (handset->duty == NULL || core->now_ms - handset->heard_told_ms < DUTY_HEARD_MS)
                return;
        handset->heard_told_ms = core->now_ms;
        action = core_do(core, DO_HEARD);
        memcpy(action->u.heard.handset, handset->id, HANDSET_ID_SIZE);
        action->u.heard.heard_at_ms = core->now_ms;
}

/* Which duty FRAME asks for.  Returns an enum duty_code. */
static uint8_t carrier_plan(const struct core *core, const struct session *session, const struct frame *frame,
                            struct carrier_duty *ret_duty)
{
        const struct round *round = directory_round(&core->directory, frame->u.duty.round);
        const struct carrier_duty *now = session->handset->duty;
        int64_t until_s = frame->u.duty.until_s, now_s = core->now_ms / 1000;

        if (directory_carrier(&core->directory, frame->u.duty.person) == NULL)
                return DUTY_UNKNOWN_PERSON;
        if (frame->u.duty.round[0] != '\0' && round == NULL)
                return DUTY_UNKNOWN_ROUND;
        if (until_s <= now_s || until_s > now_s + DUTY_MAX_S)
                return DUTY_BAD_END;
        *ret_duty = (struct carrier_duty){ .since_ms = core->now_ms,
                                           .until_s = frame->u.duty.until_s,
                                           .battery = ALERT_BATTERY_UNKNOWN };
        record_set_text(ret_duty->carrier_id, sizeof(ret_duty->carrier_id), frame->u.duty.person);
        record_set_text(ret_duty->round, sizeof(ret_duty->round), frame->u.duty.round);
        record_set_text(ret_duty->zone_id, sizeof(ret_duty->zone_id), round != NULL ? round->entry.zone_id : "");
        if (now != NULL && strcmp(now->carrier_id, ret_duty->carrier_id) == 0)
                ret_duty->since_ms = now->since_ms;
        return DUTY_OK;
}

static void carrier_duty_frame(struct core *core, struct session *session, const struct frame *frame)
{
        struct carrier_duty duty;
        uint8_t code = frame->u.duty.on ? carrier_plan(core, session, frame, &duty) : DUTY_OK;

        if (code == DUTY_OK) {
                handset_set_duty(session->handset, frame->u.duty.on ? &duty : NULL);
                tell_duty(core, session->handset);
        }
        answer(core, session, frame, code);
}

static bool is_over(const struct core *core, uint32_t until_s)
{
        return until_s != 0 && core->now_ms > (int64_t)until_s * 1000 + DUTY_AFTER_MS;
}

void duty_heartbeat(struct core *core, struct session *session, const struct frame *frame)
{
        struct handset *handset = session->handset;
        struct cbor_span sealed = frame->u.heartbeat.sealed;

        duty_find(core, handset);
        if (handset->duty != NULL && is_over(core, handset->duty->until_s)) {
                handset_set_duty(handset, NULL);
                tell_duty(core, handset);
        }
        if (handset->duty == NULL) {
                /* Not known yet: neither stored nor refused; the next one is in a minute. */
                if (handset->duty_known != DUTY_OFF || sealed.len == 0)
                        return;
                core->counters.off_duty_positions++;
                session_refuse(core, session, FRAME_ERROR_OFF_DUTY_POSITION, "off duty");
                return;
        }
        handset->duty->battery = frame->u.heartbeat.battery;
        handset->duty->cause = frame->u.heartbeat.cause;
        if (sealed.len > 0 && sealed.len <= SEALED_POSITION_MAX) {
                handset->duty->sealed_size = (uint16_t)sealed.len;
                memcpy(handset->duty->sealed, sealed.at, sealed.len);
        }
        tell_duty(core, handset);
}

/* ---- Supervisors ---------------------------------------------------------------------------------------------------- */

static void tell_person(struct core *core, struct person *person)
{
        struct core_action *action;

        if (!core->store_up)
                return; /* duty_step does, when it is up */
        person->told_epoch = core->store_epoch;
        action = core_do(core, DO_DUTY);
        memcpy(action->u.duty.person, person->id, sizeof(action->u.duty.person));
        action->u.duty.on = person->wants_on;
        action->u.duty.duty = person->wanted;
}

void duty_ask(struct core *core, struct person *person, const struct duty_entry *entry)
{
        person->wants = true;
        person->wants_on = entry != NULL;
        person->wanted = entry != NULL ? *entry : (struct duty_entry){ 0 };
        tell_person(core, person);
}

void duty_answer(struct core *core, struct session *session)
{
        struct frame frame = { .type = FRAME_DUTY_ANSWER };

        frame.u.duty_answer.request = session->duty_request;
        frame.u.duty_answer.code = DUTY_OK;
        frame.u.duty_answer.since_ms = session->person->duty.since_ms;
        frame.u.duty_answer.until_s = session->person->duty.until_s;
        record_set_text(frame.u.duty_answer.name, sizeof(frame.u.duty_answer.name), session->person->entry.name);
        core_send(core, session, &frame);
        session->owed_duty = false;
}

void duty_fed(struct core *core, const char *id, const struct duty_entry *duty)
{
        struct person *person = directory_person(&core->directory, id);
        bool came;

        if (person == NULL)
                return;
        came = duty != NULL && !person->on_duty;
        if (person->wants_on == (duty != NULL))
                person->wants = false;
        person_set_duty(&core->directory, person, duty);
        for (struct session *s = person->sessions; s != NULL; s = s->next_of_person) {
                if (came) {
                        s->owed_rings = true;
                        s->rings_cursor = 0;
                }
                if (came || s->owed_duty)
                        session_work(core, s);
        }
}

/* The store tells of changes only: what it has already is answered without it. */
static bool is_known(const struct person *person, bool on, const struct duty_entry *duty)
{
        return !person->wants && person->on_duty == on &&
               (!on || (person->duty.since_ms == duty->since_ms && person->duty.until_s == duty->until_s &&
                        memcmp(person->duty.handset, duty->handset, HANDSET_ID_SIZE) == 0));
}

static void person_duty_frame(struct core *core, struct session *session, const struct frame *frame)
{
        struct person *person = session->person;
        struct duty_entry duty = { .since_ms = person->on_duty ? person->duty.since_ms : core->now_ms,
                                   .until_s = frame->u.duty.until_s };
        int64_t until_s = frame->u.duty.until_s, now_s = core->now_ms / 1000;

        if (frame->u.duty.person[0] != '\0' && strcmp(frame->u.duty.person, person->id) != 0) {
                answer(core, session, frame, DUTY_NOT_YOURS);
                return;
        }
        if (frame->u.duty.on && until_s != 0 && (until_s <= now_s || until_s > now_s + DUTY_MAX_S)) {
                answer(core, session, frame, DUTY_BAD_END);
                return;
        }
        memcpy(duty.handset, session->handset->id, HANDSET_ID_SIZE);
        session->owed_duty = true;
        session->duty_request = frame->u.duty.request;
        if (is_known(person, frame->u.duty.on, &duty))
                session_work(core, session);
        else
                duty_ask(core, person, frame->u.duty.on ? &duty : NULL);
}

void duty_frame(struct core *core, struct session *session, const struct frame *frame)
{
        if (session->person != NULL)
                person_duty_frame(core, session, frame);
        else if (session->handset->entry.role == HANDSET_SUPERVISOR)
                answer(core, session, frame, DUTY_UNKNOWN_PERSON);
        else
                carrier_duty_frame(core, session, frame);
}

void duty_presence(struct core *core, struct session *session, const struct frame *frame)
{
        struct presence presence = { .at_ms = core->now_ms,
                                     .by = PRESENCE_HANDSET,
                                     .has_position = frame->u.presence.has_position,
                                     .at = frame->u.presence.at };
        struct core_action *action;

        if (session->person == NULL || !session->person->on_duty) {
                if (!presence.has_position)
                        return;
                core->counters.off_duty_positions++;
                session_refuse(core, session, FRAME_ERROR_OFF_DUTY_POSITION, "off duty");
                return;
        }
        person_set_presence(&core->directory, session->person, &presence);
        action = core_do(core, DO_PRESENCE);
        memcpy(action->u.presence.person, session->person->id, sizeof(action->u.presence.person));
        action->u.presence.presence = presence;
}

void duty_retell(struct core *core)
{
        core->retells_duty = true;
        core->retell_cursor = 0;
}

bool duty_step(struct core *core)
{
        struct person *person;

        if (!core->retells_duty || !core->store_up)
                return false;
        for (size_t i = 0; i < CORE_STEP; i++) {
                person = table_next(&core->directory.people, &core->retell_cursor);
                if (person == NULL) {
                        core->retells_duty = false;
                        return true;
                }
                if (person->wants && person->told_epoch != core->store_epoch)
                        tell_person(core, person);
                else if (!person->wants && person->on_duty && is_over(core, person->duty.until_s))
                        duty_ask(core, person, NULL);
        }
        return true;
}
