#include <string.h>

#include "dispatcher/core_parts.h"

struct sms_say *sms_say_to(struct core *core, const char *to, uint8_t kind, const struct sms_ref *about)
{
        struct core_action *action = core_do(core, DO_SMS_SAY);

        record_set_text(action->u.sms_say.to, sizeof(action->u.sms_say.to), to);
        action->u.sms_say.say.kind = kind;
        action->u.sms_say.about = *about;
        core->counters.sms_said++;
        return &action->u.sms_say.say;
}

void sms_receipt(struct core *core, const char *to, const struct receipt *receipt, const struct sms_ref *about)
{
        struct core_action *action = core_do(core, DO_SMS_RECEIPT);

        record_set_text(action->u.sms_receipt.to, sizeof(action->u.sms_receipt.to), to);
        action->u.sms_receipt.receipt = *receipt;
        action->u.sms_receipt.about = *about;
        core->counters.sms_receipts++;
}

static struct sms_ref ref_of(const struct record *record, const char *person, uint8_t what)
{
        struct sms_ref about = { .what = what };

        if (record != NULL)
                memcpy(about.alert, record->id, ALERT_ID_SIZE);
        record_set_text(about.person, sizeof(about.person), person);
        return about;
}

/* ---- Those asked ---------------------------------------------------------------------------------------------------- */

void sms_ask(struct core *core, const struct record *record, const struct asked *asked)
{
        const struct person *person = directory_person(&core->directory, asked->id);
        struct sms_ref about = ref_of(record, asked->id, SMS_TO_ASKED);
        bool owner = strcmp(record->owner_id, asked->id) == 0;
        struct sms_say *say;

        if (person == NULL || person->entry.number[0] == '\0')
                return;
        say = sms_say_to(core, person->entry.number, owner ? SMS_NO_NEWS : SMS_ALERT, &about);
        sms_fill(say, record, core->now_ms);
        say->distance_m = asked->distance_m;
}

/* PERSON, who was asked by SMS or had it, hears that RECORD is over, or whose it is. */
static void tell_news(struct core *core, const struct record *record, const char *id)
{
        const struct person *person = directory_person(&core->directory, id);
        bool over = record->state == ALERT_CLOSED;
        struct sms_ref about;
        struct sms_say *say;

        if (!core->options.sms || person == NULL || person->entry.number[0] == '\0')
                return;
        about = ref_of(record, id, SMS_NEWS);
        say = sms_say_to(core, person->entry.number, over ? SMS_CLOSED : SMS_TAKEN_BY, &about);
        sms_fill(say, record, core->now_ms);
        record_set_text(say->who, sizeof(say->who), over ? record->closed_by_name : record->owner_name);
}

void sms_closed_unseen(struct core *core, const struct record *meanwhile, const struct record *closed)
{
        for (size_t i = 0; i < meanwhile->asked_count; i++) {
                const struct asked *asked = &meanwhile->asked[i];
                int found = record_asked_find(closed, asked->id);

                if (asked->sms_state != SMS_NONE && asked->sms_state != SMS_FAILED && asked->seen_at_ms == 0 &&
                    (asked->flags & (ASKED_DECLINED | ASKED_TOLD)) == 0 &&
                    (found < 0 || (closed->asked[found].flags & ASKED_TOLD) == 0))
                        tell_news(core, closed, asked->id);
        }
}

/* Who had it by SMS, and is not told by a phone or screen: that it is over, or another's now. */
static void tell_owner_before(struct core *core, const struct open_alert *alert, const struct record *record)
{
        bool over = record->state == ALERT_CLOSED, own = strcmp(record->closed_by_id, alert->owner_before) == 0;
        bool taken = record->owner_id[0] != '\0' && strcmp(record->owner_id, alert->owner_before) != 0;

        if (over ? !own : taken)
                tell_news(core, record, alert->owner_before);
}

/* ---- The handset ---------------------------------------------------------------------------------------------------- */

const char *sms_number(const struct core *core, const struct record *record)
{
        const struct handset *handset = directory_handset(&core->directory, record->handset);
        bool proved = memcmp(record->id, record->handset, HANDSET_ID_SIZE) == 0;

        return proved && handset != NULL && handset->known ? handset->entry.number : "";
}

bool sms_is_owed(const struct core *core, const struct record *record, const char *to)
{
        return record->told_sms_state == SMS_DUE && record->told_sms_at_ms == record->changed_at_ms &&
               strcmp(sms_number(core, record), to) == 0;
}

/* Whether PERSON's answer by SMS to ALERT waits: what comes of it says enough. */
static bool has_answered(const struct open_alert *alert, const char *person)
{
        struct command command;

        for (size_t i = 0; i < alert->queued; i++)
                if (alert->queue[i]->type == FACT_COMMAND && alert->queue[i]->path == PATH_SMS &&
                    alert->queue[i]->state != FACT_DONE &&
                    command_decode(alert->queue[i]->bytes, alert->queue[i]->size, &command) == 0 &&
                    strcmp(command.person, person) == 0)
                        return true;
        return false;
}

/* Under its first id, and under the one of the newest press in it: who has set up their phone anew, or pressed anew, knows that one alone. */
static void tell_phone(struct core *core, const struct record *record, const char *number)
{
        struct sms_ref about = ref_of(record, "", SMS_TO_HANDSET);
        struct receipt receipt = tell_what(core, record, record->id);
        uint8_t as[ALERT_ID_SIZE];

        sms_receipt(core, number, &receipt, &about);
        if (record->alias_count == 0)
                return;
        memcpy(as, record->handset, HANDSET_ID_SIZE);
        memcpy(as + HANDSET_ID_SIZE, record->aliases[record->alias_count - 1].nonce, ALERT_NONCE_SIZE);
        receipt = tell_what(core, record, as);
        sms_receipt(core, number, &receipt, &about);
}

void sms_owed(struct core *core, const struct open_alert *alert, const struct record *record)
{
        const char *number = sms_number(core, record);

        for (size_t i = 0; i < record->asked_count; i++) {
                if ((alert->owes >> i & 1) != 0)
                        sms_ask(core, record, &record->asked[i]);
                if ((alert->news >> i & 1) != 0 && !has_answered(alert, record->asked[i].id))
                        tell_news(core, record, record->asked[i].id);
        }
        if (alert->owner_before[0] != '\0')
                tell_owner_before(core, alert, record);
        if (alert->owes_receipt && number[0] != '\0')
                tell_phone(core, record, number);
}

/* ---- Answers to texts ----------------------------------------------------------------------------------------------- */

static uint8_t kind_of(uint8_t verb, uint8_t code, const struct record *record, const char *person)
{
        switch (code) {
        case ANSWER_DONE:
                if (record != NULL && record->state == ALERT_CLOSED)
                        return SMS_CLOSED;
                if (verb == COMMAND_DECLINE)
                        return SMS_PASSED_ON;
                return record != NULL && strcmp(record->owner_id, person) == 0 ? SMS_YOURS : SMS_TAKEN_BY;
        case ANSWER_TAKEN_BY_OTHER:
                return SMS_TAKEN_BY;
        case ANSWER_CLOSED:
                return SMS_CLOSED;
        case ANSWER_UNKNOWN_ALERT:
                return SMS_NO_SUCH_CODE;
        default:
                return SMS_NOT_ALLOWED;
        }
}

void sms_answer(struct core *core, const struct sms_asker *asker, uint8_t code, const struct record *record)
{
        struct sms_ref about = ref_of(record, asker->person, SMS_ANSWER);
        uint8_t kind = kind_of(asker->verb, code, record, asker->person);
        struct sms_say *say = sms_say_to(core, asker->number, kind, &about);

        if (record == NULL || record->version == 0)
                return;
        sms_fill(say, record, core->now_ms);
        record_set_text(say->who, sizeof(say->who),
                        record->state == ALERT_CLOSED ? record->closed_by_name : record->owner_name);
}
