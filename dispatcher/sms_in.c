#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/core_parts.h"

/* A number is told how to answer so often, by each dispatcher: the gateway gives one SMS to one of them, and what the others said is
 * not worth a place in the store.  Each is the answer to one that came; two machines that answer each other end there. */
#define EXPLAIN_MS     3600000
/* And so often that it has no such alert: at once, then one more each.  A person who mistypes is answered; a machine is not. */
#define LOST_BURST     10
#define LOST_REFILL_MS 60000
/* Somebody without an open alert who answers so soon after one was closed hears that it is over. */
#define CLOSED_MS      86400000

void sms_taken(struct core *core, uint64_t ref)
{
        core_do(core, DO_SMS_TAKEN)->u.sms_taken.ref = ref;
}

/* What a number is counted by. */
static void sender_of(const struct core *core, const char *number, uint8_t ret_sender[SENDER_SIZE])
{
        uint8_t hash[32];

        core->options.hash(core->options.user, (struct cbor_span){ (const uint8_t *)number, strlen(number) }, hash);
        memcpy(ret_sender, hash, SENDER_SIZE);
}

/* ---- Objects -------------------------------------------------------------------------------------------------------- */

void sms_object_came(struct core *core, const struct core_event *event)
{
        bool valid = number_valid(event->u.sms_object.from); /* a short code or a name is nobody to answer */
        struct offerer from = { .number = valid ? event->u.sms_object.from : "", .ref = event->u.sms_object.ref };

        core->counters.sms_objects++;
        if (vault_by_sms(core, from.ref, event->u.sms_object.bytes))
                return;
        if (event->u.sms_object.bytes.len > FACT_BYTES_MAX) {
                core->counters.sms_unknown++;
                sms_taken(core, from.ref);
                return;
        }
        sender_of(core, from.number, from.sender);
        offer_alert(core, &from, event->u.sms_object.bytes);
}

/* ---- Texts ---------------------------------------------------------------------------------------------------------- */

struct text {
        const char *from;
        const uint8_t *id;
        uint64_t ref;
        struct sms_answer answer;
        const struct number *who;
};

/* Open alerts that may be meant, the most urgent first. */
struct meant {
        size_t count; /* of all; `at` holds the first SMS_CODES_MAX */
        struct {
                uint8_t id[ALERT_ID_SIZE];
                double urgency;
                char code[SMS_CODE_SIZE], name[NAME_MAX_OCTETS + 1];
                char person[PERSON_ID_MAX + 1]; /* who is asked */
        } at[SMS_CODES_MAX];
};

static const struct person *asked_of(const struct number *who, const struct record *record)
{
        for (size_t i = 0; i < who->people_count; i++)
                if (record_asked_find(record, who->people[i]->id) >= 0 ||
                    strcmp(record->owner_id, who->people[i]->id) == 0)
                        return who->people[i];
        return NULL;
}

static void add_meant(struct meant *meant, const struct record *record, const char *person)
{
        double urgency = record_urgency(record);
        size_t count = meant->count < SMS_CODES_MAX ? meant->count : SMS_CODES_MAX, at = count;

        meant->count++;
        while (at > 0 && meant->at[at - 1].urgency < urgency)
                at--;
        if (at == SMS_CODES_MAX)
                return;
        memmove(meant->at + at + 1, meant->at + at, (count - at - (count == SMS_CODES_MAX)) * sizeof(meant->at[0]));
        memcpy(meant->at[at].id, record->id, ALERT_ID_SIZE);
        meant->at[at].urgency = urgency;
        sms_code(record->id, meant->at[at].code);
        record_set_text(meant->at[at].name, sizeof(meant->at[at].name), record->carrier_name);
        record_set_text(meant->at[at].person, sizeof(meant->at[at].person), person);
}

/* Whether one of WHO's may be among those that ALERT asks: what matches is looked at again. */
static bool may_ask(const struct open_alert *alert, const struct number *who)
{
        for (size_t i = 0; i < who->people_count; i++) {
                uint32_t mark = person_mark(who->people[i]->id);

                if (alert->meanwhile != NULL || strcmp(alert->owner, who->people[i]->id) == 0)
                        return true;
                for (size_t j = 0; j < alert->asked_count; j++)
                        if (alert->asked[j] == mark)
                                return true;
        }
        return false;
}

/* The open alerts that ask one of TEXT's people; with a code, those that have it, asked or not. */
static void find_meant(const struct core *core, const struct text *text, struct meant *ret_asked,
                       struct meant *ret_others)
{
        const struct open_alert *alert;
        char code[SMS_CODE_SIZE];
        struct record record;

        *ret_asked = *ret_others = (struct meant){ 0 };
        for (size_t i = 0; (alert = table_next(&core->alerts, &i)) != NULL;) {
                const struct person *asked;

                sms_code(alert->id, code);
                if (!hold_is_there(alert) ||
                    (text->answer.code[0] != '\0' ? strcmp(code, text->answer.code) != 0 : !may_ask(alert, text->who)))
                        continue;
                hold_meant(alert, &record);
                asked = asked_of(text->who, &record);
                if (asked != NULL)
                        add_meant(ret_asked, &record, asked->id);
                else if (text->who->people_count > 0)
                        add_meant(ret_others, &record, text->who->people[0]->id);
        }
}

static struct sms_say *say(struct core *core, const struct text *text, uint8_t kind)
{
        struct sms_ref about = { .what = SMS_ANSWER };

        if (text->who != NULL && text->who->people_count > 0)
                record_set_text(about.person, sizeof(about.person), text->who->people[0]->id);
        return sms_say_to(core, text->from, kind, &about);
}

static void say_codes(struct core *core, const struct text *text, uint8_t kind, const struct meant *meant)
{
        struct sms_say *to = say(core, text, kind);

        to->code_count = (uint8_t)(meant->count < SMS_CODES_MAX ? meant->count : SMS_CODES_MAX);
        for (size_t i = 0; i < to->code_count; i++) {
                memcpy(to->codes[i], meant->at[i].code, SMS_CODE_SIZE);
                memcpy(to->names[i], meant->at[i].name, sizeof(to->names[i]));
        }
}

/* Nothing open is meant: closed already, or a wrong code. */
static void say_lost(struct core *core, const struct text *text)
{
        const struct closed_alert *closed = NULL;
        char code[SMS_CODE_SIZE] = "";
        uint8_t id[SENDER_SIZE];
        struct sender *sender;
        struct sms_say *to;
        bool over = false, allowed;

        for (size_t i = 0; text->answer.code[0] != '\0' && (closed = table_next(&core->closed, &i)) != NULL;) {
                sms_code(closed->id, code);
                if (strcmp(code, text->answer.code) == 0)
                        break;
        }
        for (size_t i = 0; text->answer.code[0] == '\0' && i < text->who->people_count; i++)
                over |= text->who->people[i]->closed_ms != 0 &&
                        core->now_ms - text->who->people[i]->closed_ms < CLOSED_MS;
        sender_of(core, text->from, id);
        sender = senders_take(&core->texters, id, core->now_ms, &allowed);
        if (!bucket_take(&sender->other, core->now_ms, LOST_BURST, LOST_REFILL_MS))
                return;
        to = say(core, text, closed != NULL || over ? SMS_CLOSED : SMS_NO_SUCH_CODE);
        memcpy(to->code, text->answer.code, SMS_CODE_SIZE);
        if (closed != NULL)
                record_set_text(to->who, sizeof(to->who), closed->tombstone.who);
}

static void explain(struct core *core, const struct text *text)
{
        struct meant asked, others;
        struct text any = *text;
        uint8_t id[SENDER_SIZE];
        struct sender *sender;
        bool allowed;

        sender_of(core, text->from, id);
        sender = senders_take(&core->texters, id, core->now_ms, &allowed);
        if (sender->told_ms != 0 && core->now_ms - sender->told_ms < EXPLAIN_MS)
                return;
        sender->told_ms = core->now_ms;
        any.answer.code[0] = '\0';
        find_meant(core, &any, &asked, &others);
        say_codes(core, text, SMS_NOT_UNDERSTOOD, &asked);
}

static void command(struct core *core, const struct text *text, const struct meant *meant)
{
        struct asking asking = { .path = BY_SMS, .number = text->from, .ref = text->ref };
        struct command asked = { .verb = text->answer.word == SMS_WORD_YES ? COMMAND_TAKE : COMMAND_DECLINE,
                                 .role = ROLE_SUPERVISOR };
        struct open_alert *alert = hold_find(core, meant->at[0].id);
        struct fact *before = flow_find(alert, text->id);

        if (before != NULL) { /* the gateway brings it again: answered when it is committed */
                before->has_ref = true;
                before->ref = text->ref;
                if (before->state != FACT_WAITS && !before->bare)
                        flow_release(core, before);
                return;
        }
        memcpy(asked.id, text->id, EVENT_ID_SIZE);
        memcpy(asked.alert, meant->at[0].id, ALERT_ID_SIZE);
        memcpy(asked.person, meant->at[0].person, sizeof(asked.person));
        right_command(core, &asked, &asking);
}

/* YES or NO.  Returns whether the SMS is done with. */
static bool answer(struct core *core, const struct text *text)
{
        struct meant asked, others;

        find_meant(core, text, &asked, &others);
        if (asked.count == 0 && text->answer.word == SMS_WORD_YES &&
            (supervision_fine(core, text->from) || text->who->people_count == 0)) {
                say(core, text, SMS_FINE); /* "are you all right?" "yes" */
                return true;
        }
        if (asked.count > 1 && text->answer.code[0] == '\0') {
                say_codes(core, text, SMS_WHICH, &asked);
                return true;
        }
        if (asked.count + others.count == 0 && !core->store_up)
                return false; /* another dispatcher may hold it: the gateway brings it again, there or when the store is back */
        if (asked.count + others.count == 0) {
                say_lost(core, text);
                return true;
        }
        command(core, text, asked.count > 0 ? &asked : &others);
        return false;
}

void sms_text_came(struct core *core, const struct core_event *event)
{
        struct text text = { .from = event->u.sms_text.from,
                             .id = event->u.sms_text.id,
                             .ref = event->u.sms_text.ref,
                             .answer = sms_read(event->u.sms_text.text) };
        bool done = true;

        core->counters.sms_texts++;
        text.who = number_valid(text.from) ? directory_who(&core->directory, text.from) : NULL;
        if (text.who == NULL) {
                core->counters.sms_unknown++;
                notice_counted(core, &core->sms_unknown, "sms_unknown");
        } else if (text.answer.word == SMS_WORD_OK &&
                   (supervision_fine(core, text.from) || text.who->people_count == 0)) {
                say(core, &text, SMS_FINE);
        } else if (text.answer.word == SMS_WORD_YES || text.answer.word == SMS_WORD_NO) {
                done = answer(core, &text);
        } else {
                explain(core, &text);
        }
        if (done)
                sms_taken(core, text.ref);
}

/* ---- What became of ours -------------------------------------------------------------------------------------------- */

static void report(struct open_alert *alert, uint32_t person, uint8_t what)
{
        if (alert->reports == NULL)
                alert->reports = calloc(ALERT_REPORTS_MAX, sizeof(*alert->reports));
        assert(alert->reports != NULL);
        if (alert->report_count < ALERT_REPORTS_MAX)
                alert->reports[alert->report_count++] = (struct sms_report){ person, what };
}

static void find_place(const struct record *record, const struct sms_report *report, struct alert_sms *sms)
{
        if (report->person == 0)
                sms->told = report->what;
        for (size_t i = 0; i < record->asked_count; i++)
                if (person_mark(record->asked[i].id) == report->person && report->what > sms->asked[i])
                        sms->asked[i] = report->what;
}

struct alert_sms sms_collect(struct open_alert *alert, const struct record *record)
{
        struct alert_sms sms = { 0 };

        for (size_t i = 0; i < alert->report_count; i++)
                find_place(record, &alert->reports[i], &sms);
        alert->reports_flying = alert->report_count;
        return sms;
}

void sms_landed(struct open_alert *alert, bool landed)
{
        if (landed && alert->reports_flying > 0) {
                alert->report_count = (uint8_t)(alert->report_count - alert->reports_flying);
                memmove(alert->reports, alert->reports + alert->reports_flying,
                        alert->report_count * sizeof(*alert->reports));
        }
        alert->reports_flying = 0;
}

void sms_reported(struct core *core, const struct core_event *event)
{
        const struct sms_ref *about = &event->u.sms_report.about;
        struct open_alert *alert = hold_find(core, about->alert);
        struct sms_report one = { .what = event->u.sms_report.what };
        struct alert_sms sms = { 0 };

        if (one.what == SMS_FAILED) {
                core->counters.sms_failed++;
                notice_counted(core, &core->sms_failed, "sms_failed");
        }
        if (alert == NULL || one.what < SMS_HANDED || one.what >= SMS_STATE_END)
                return;
        if (about->what == SMS_TO_CONTROL && one.what == SMS_FAILED)
                alert->control_told = false; /* once more, with the next step */
        if (about->what != SMS_TO_ASKED && about->what != SMS_TO_HANDSET)
                return;
        one.person = about->what == SMS_TO_ASKED ? person_mark(about->person) : 0;
        if (alert->meanwhile != NULL) {
                find_place(alert->meanwhile, &one, &sms);
                (void)ladder_note(alert->meanwhile, &sms, &core->ground, core->now_ms);
                hold_look_at(core, alert, core->now_ms);
        }
        report(alert, one.person, one.what);
        flow_ready(core, alert);
}
