#include <string.h>

#include "dispatcher/core_parts.h"

/* Whoever asks by a console: its login says who, and in which role. */
static int user_actor(const struct core *core, const struct command *command, struct alert_actor *actor)
{
        const struct user *user = directory_user(&core->directory, command->login);
        const char *person;

        if (user == NULL || user->entry.disabled)
                return -ANSWER_NOT_ALLOWED;
        person = user->entry.person[0] != '\0' ? user->entry.person : user->login;
        if (strcmp(person, command->person) != 0)
                return -ANSWER_NOT_ALLOWED;
        if (user->entry.role != ROLE_CONTROL &&
            (user->entry.role != ROLE_SUPERVISOR || directory_person(&core->directory, person) == NULL))
                return -ANSWER_NOT_ALLOWED;
        actor->path = BY_CONSOLE;
        actor->control = user->entry.role == ROLE_CONTROL;
        record_set_text(actor->person, sizeof(actor->person), person);
        record_set_text(actor->name, sizeof(actor->name), user->entry.name);
        return 0;
}

/* Whoever asks by a handset: the supervisor it belongs to. */
static int handset_actor(const struct core *core, const uint8_t *id, struct alert_actor *actor)
{
        const struct handset *handset = directory_handset(&core->directory, id);
        const struct person *person = NULL;

        if (handset != NULL && handset->known && handset->entry.role == HANDSET_SUPERVISOR)
                person = directory_person(&core->directory, handset->entry.person);
        if (person == NULL)
                return -ANSWER_NOT_ALLOWED;
        actor->path = BY_HANDSET;
        memcpy(actor->handset, id, HANDSET_ID_SIZE);
        record_set_text(actor->person, sizeof(actor->person), person->id);
        record_set_text(actor->name, sizeof(actor->name), person->entry.name);
        return 0;
}

/* Whoever asks by SMS: the supervisor whose number it came from. */
static int sms_actor(const struct core *core, const struct command *command, struct alert_actor *actor)
{
        const struct person *person = directory_person(&core->directory, command->person);

        if (person == NULL)
                return -ANSWER_NOT_ALLOWED;
        actor->path = BY_SMS;
        record_set_text(actor->person, sizeof(actor->person), person->id);
        record_set_text(actor->name, sizeof(actor->name), person->entry.name);
        return 0;
}

static int actor_of(const struct core *core, const struct command *command, uint8_t path, const uint8_t *handset,
                    struct alert_actor *ret_actor)
{
        *ret_actor = (struct alert_actor){ 0 };
        return path == BY_SMS       ? sms_actor(core, command, ret_actor)
               : path == BY_HANDSET ? handset_actor(core, handset, ret_actor)
                                    : user_actor(core, command, ret_actor);
}

int right_actor(const struct core *core, const struct command *command, const struct fact *fact,
                struct alert_actor *ret_actor)
{
        uint8_t path = fact->path == PATH_SMS ? BY_SMS : fact->by_handset ? BY_HANDSET : BY_CONSOLE;

        return actor_of(core, command, path, fact->handset, ret_actor);
}

/* ---- Answers -------------------------------------------------------------------------------------------------------- */

static void answer_session(struct core *core, const struct session *session, uint32_t request, uint8_t code,
                           const struct record *record)
{
        struct frame frame = { .type = FRAME_ANSWER };

        frame.u.answer.request = request;
        frame.u.answer.code = code;
        if (record != NULL) {
                memcpy(frame.u.answer.alert, record->id, ALERT_ID_SIZE);
                memcpy(frame.u.answer.who, record->owner_name, sizeof(frame.u.answer.who));
        }
        core_send(core, session, &frame);
}

static void answer_feed(struct core *core, const uint8_t id[EVENT_ID_SIZE], uint8_t code, const struct record *record)
{
        struct core_action *action = core_do(core, DO_ANSWER);

        memcpy(action->u.answer.command, id, EVENT_ID_SIZE);
        action->u.answer.code = code;
        if (record != NULL)
                memcpy(action->u.answer.who, record->owner_name, sizeof(action->u.answer.who));
}

/* One that the journal brought back was answered before, or should have been: not for ever. */
#define ANSWER_BY_SMS_MS 60000

static void answer_sms(struct core *core, const struct fact *fact, uint8_t code, const struct record *record)
{
        struct command command;

        if ((fact->replayed && code != ANSWER_TAKEN_BY_OTHER && core->now_ms - fact->at_ms > ANSWER_BY_SMS_MS) ||
            command_decode(fact->bytes, fact->size, &command) < 0)
                return;
        sms_answer(core,
                   &(struct sms_asker){ .number = directory_person_number(&core->directory, command.person),
                                        .person = command.person,
                                        .verb = command.verb },
                   code, record);
}

void right_answer(struct core *core, const struct fact *fact, uint8_t code, const struct record *record)
{
        const struct session *session = session_find(core, fact->session);

        if (code != ANSWER_DONE)
                core->counters.commands_refused++;
        if (fact->path == PATH_SMS)
                answer_sms(core, fact, code, record);
        else if (fact->by_handset && session != NULL && !(fact->replayed && code == ANSWER_DONE))
                answer_session(core, session, fact->request, code, record);
        else if (!fact->by_handset && !fact->replayed)
                answer_feed(core, fact->event_id, code, record);
}

/* Answer at once, before there is a fact. */
static void answer(struct core *core, const struct command *command, const struct asking *asking, uint8_t code)
{
        const struct open_alert *alert = hold_find(core, command->alert);
        struct record record = { 0 };

        memcpy(record.id, command->alert, ALERT_ID_SIZE);
        if (code != ANSWER_DONE)
                core->counters.commands_refused++;
        if (asking->path == BY_SMS) {
                if (code == ANSWER_BUSY)
                        return; /* not taken: the gateway brings it again */
                if (alert != NULL)
                        hold_meant(alert, &record);
                sms_answer(core, &(struct sms_asker){ asking->number, command->person, command->verb }, code, &record);
                sms_taken(core, asking->ref);
        } else if (asking->session != NULL) {
                answer_session(core, asking->session, asking->request, code, &record);
        } else {
                answer_feed(core, command->id, code, NULL);
                core_do(core, DO_ACKNOWLEDGE)->u.acknowledge.ref = asking->ref;
        }
}

/* ---- What is asked -------------------------------------------------------------------------------------------------- */

/* The managers are asked on duty or not, and so is who is named for a drill: then they may come. */
static bool is_asked_off_duty(const struct open_alert *alert, const struct alert_actor *actor)
{
        struct record record;
        int found;

        hold_meant(alert, &record);
        found = record_asked_find(&record, actor->person);
        return found >= 0 && ((record.asked[found].flags & ASKED_MANAGER) != 0 || (record.marks & RECORD_DRILL) != 0);
}

/* Returns 0 (it is a fact now, and is answered when it is committed) or an answer code, negative. */
static int ask_alert(struct core *core, const struct command *command, const struct asking *asking,
                     const struct alert_actor *actor)
{
        const struct person *person = directory_person(&core->directory, actor->person);
        struct open_alert *alert = hold_find(core, command->alert);
        uint8_t buf[COMMAND_MAX];
        struct fact *fact;
        int n;

        if (alert == NULL || !hold_is_there(alert))
                return hold_closed(core, command->alert) != NULL ? -ANSWER_CLOSED : -ANSWER_UNKNOWN_ALERT;
        if ((command->verb == COMMAND_TAKE || command->verb == COMMAND_JOIN) && !actor->control &&
            (person == NULL || (!person->on_duty && !is_asked_off_duty(alert, actor))))
                return -ANSWER_NOT_ON_DUTY;
        n = command_encode(command, buf, sizeof(buf));
        if (n < 0)
                return -ANSWER_MALFORMED;
        fact = fact_new(FACT_COMMAND, (struct cbor_span){ buf, (size_t)n });
        memcpy(fact->event_id, command->id, EVENT_ID_SIZE);
        memcpy(fact->id, command->alert, ALERT_ID_SIZE);
        fact->at_ms = core->now_ms;
        fact->verb = command->verb;
        fact->by_handset = actor->path == BY_HANDSET;
        memcpy(fact->handset, actor->handset, HANDSET_ID_SIZE);
        fact->request = asking->request;
        fact->session = asking->session != NULL ? asking->session->id : 0;
        fact->path = asking->path == BY_SMS ? PATH_SMS : 0;
        fact->has_ref = asking->session == NULL;
        fact->ref = asking->ref;
        return flow_take_fact(core, alert, fact) < 0 ? -ANSWER_BUSY : 0;
}

/* Duty and presence by a console. */
static int ask_duty(struct core *core, const struct command *command, const struct alert_actor *actor)
{
        struct person *person = directory_person(&core->directory, actor->person);
        struct duty_entry duty = { .since_ms = core->now_ms, .until_s = command->until_s };
        struct presence presence = {
                .at_ms = core->now_ms, .by = PRESENCE_CONSOLE, .has_position = command->has_position, .at = command->at
        };
        struct core_action *action;

        if (person == NULL)
                return -ANSWER_NOT_ALLOWED;
        if (command->verb == COMMAND_DUTY_ON && command->until_s != 0 &&
            (int64_t)command->until_s * 1000 <= core->now_ms)
                return -ANSWER_MALFORMED;
        if (command->verb == COMMAND_DUTY_OFF) {
                duty_ask(core, person, NULL);
                return 0;
        }
        if (command->verb == COMMAND_DUTY_ON) {
                if (person->on_duty)
                        duty.since_ms = person->duty.since_ms;
                duty_ask(core, person, &duty);
        }
        if (command->verb == COMMAND_PRESENCE && !person->on_duty)
                return 0; /* off duty nobody is placed anywhere */
        person_set_presence(&core->directory, person, &presence);
        action = core_do(core, DO_PRESENCE);
        memcpy(action->u.presence.person, person->id, sizeof(action->u.presence.person));
        action->u.presence.presence = presence;
        return 0;
}

static int ask_other(struct core *core, const struct command *command, const struct asking *asking,
                     const struct alert_actor *actor)
{
        switch (command->verb) {
        case COMMAND_DUTY_ON:
        case COMMAND_DUTY_OFF:
        case COMMAND_PRESENCE:
                return asking->session != NULL ? -ANSWER_MALFORMED : ask_duty(core, command, actor);
        case COMMAND_ACK:
                return notice_ack(core, command->notice, actor);
        default:
                return -ANSWER_MALFORMED;
        }
}

static void heard(struct core *core, const char *id)
{
        struct person *person = directory_person(&core->directory, id);

        if (person != NULL && core->now_ms > person->heard_at_ms)
                person->heard_at_ms = core->now_ms;
}

static void order_by_sms(struct core *core, const struct command *command, const struct asking *asking)
{
        int r = -ANSWER_NOT_ALLOWED;

        core->counters.commands++;
        if (asking->path == BY_CONSOLE)
                r = command->expires_ms != 0 && command->expires_ms < core->now_ms ? -ANSWER_EXPIRED
                                                                                   : vault_order(core, command);
        answer(core, command, asking, (uint8_t)-r);
}

void right_command(struct core *core, const struct command *command, const struct asking *asking)
{
        const uint8_t *handset = asking->path == BY_HANDSET ? asking->session->handset->id : NULL;
        bool of_alert = alert_event_of(command->verb) != 0;
        struct alert_actor actor;
        int r;

        if (command->verb == COMMAND_ORDER) {
                order_by_sms(core, command, asking);
                return;
        }
        r = command->expires_ms != 0 && command->expires_ms < core->now_ms
                        ? -ANSWER_EXPIRED
                        : actor_of(core, command, asking->path, handset, &actor);

        core->counters.commands++;
        if (r == 0) {
                heard(core, actor.person);
                r = of_alert ? ask_alert(core, command, asking, &actor) : ask_other(core, command, asking, &actor);
        }
        if (r == 0 && of_alert)
                return;                                  /* answered when it is committed */
        if (r == 0 && command->verb == COMMAND_PRESENCE) /* every 10 s from each console: not worth a word */
                core_do(core, DO_ACKNOWLEDGE)->u.acknowledge.ref = asking->ref;
        else
                answer(core, command, asking, (uint8_t)-r);
}
