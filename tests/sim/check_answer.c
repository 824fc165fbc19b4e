/* Each command is answered, and its answer is true. */
#include <stdlib.h>
#include <string.h>

#include "tests/sim/check.h"

#define ANSWER_MS 8000  /* by a session, where phone, dispatcher and store are well */
#define TOLD_MS   1000  /* and once it is in the record, where it is answered by whom it was asked, beside the ways */
#define FEED_MS   40000 /* a console's: it is worth nothing after 30 s, and is refused then */

static uint32_t *newest_of(struct sim *sim, const uint8_t id[EVENT_ID_SIZE])
{
        uint64_t drawn;

        memcpy(&drawn, id, sizeof(drawn));
        return &sim->checks->commands_by_id[drawn * UINT64_C(0x9e3779b97f4a7c15) >> 32 & (CHECK_COMMANDS_MAX - 1)];
}

/* A phone's request about an alert: numbers alone come again where it starts again. */
static uint32_t *newest_request(struct sim *sim, unsigned phone, uint32_t request, const uint8_t alert[ALERT_ID_SIZE])
{
        uint64_t nonce;

        memcpy(&nonce, alert + HANDSET_ID_SIZE, sizeof(nonce));
        nonce ^= (uint64_t)phone << 32 | request;
        return &sim->checks->commands_by_request[nonce * UINT64_C(0x9e3779b97f4a7c15) >> 32 & (CHECK_COMMANDS_MAX - 1)];
}

static struct asked_command *command_new(struct sim *sim, const struct command *command)
{
        struct checks *checks = sim->checks;
        const struct stored *s = store_find(&sim->store.instances[sim->store.primary], command->alert);
        struct asked_command *asked;

        if (checks->command_count == CHECK_COMMANDS_MAX)
                return NULL;
        asked = &checks->commands[checks->command_count++];
        *asked = (struct asked_command){ .verb = command->verb, .at_ms = sim->now_ms };
        asked->store_ms = store_now_ms(sim, sim->store.primary);
        memcpy(asked->id, command->id, EVENT_ID_SIZE);
        memcpy(asked->alert, command->alert, ALERT_ID_SIZE);
        memcpy(asked->person, command->person, sizeof(asked->person));
        memcpy(asked->owner_seen, command->owner_seen, sizeof(asked->owner_seen));
        asked->was_there = s != NULL && !s->closed;
        asked->before = *newest_of(sim, asked->id);
        *newest_of(sim, asked->id) = (uint32_t)checks->command_count;
        return asked;
}

static struct asked_command *command_find(struct sim *sim, const uint8_t id[EVENT_ID_SIZE])
{
        struct asked_command *commands = sim->checks->commands;
        uint32_t at = *newest_of(sim, id);

        while (at != 0 && memcmp(commands[at - 1].id, id, EVENT_ID_SIZE) != 0)
                at = commands[at - 1].before;
        return at != 0 ? &commands[at - 1] : NULL;
}

void check_asked(struct sim *sim, const struct command *command)
{
        struct asked_command *asked = command_new(sim, command);

        if (asked != NULL)
                asked->by_console = true;
}

void check_command_sent(struct sim *sim, unsigned number, const struct frame *frame)
{
        struct asked_command *asked = command_find(sim, frame->u.command.command.id);
        uint32_t *newest;

        /* That it was seen is said once on each link, as a request of its own. */
        if (asked == NULL || asked->request != frame->u.command.request) {
                asked = command_new(sim, &frame->u.command.command);
                if (asked == NULL)
                        return;
                asked->phone = number;
                asked->run = sim->phones[number].run;
                asked->request = frame->u.command.request;
                newest = newest_request(sim, number, asked->request, asked->alert);
                asked->request_before = *newest;
                *newest = (uint32_t)sim->checks->command_count;
        }
        memcpy(asked->person, sim->phones[number].person, sizeof(sim->phones[number].person));
}

/* ---- Is it true? ------------------------------------------------------------------------------------------------------------------ */

static bool has_effect(const struct asked_command *asked, const struct record *record)
{
        int found = record_asked_find(record, asked->person);
        bool owner = strcmp(record->owner_id, asked->person) == 0;

        if (record_applied(record, asked->id))
                return true;
        switch (asked->verb) {
        case COMMAND_SEEN:
                return found >= 0 ? record->asked[found].seen_at_ms != 0 : record->state >= ALERT_SEEN;
        case COMMAND_TAKE:
                return owner;
        case COMMAND_JOIN:
                return owner || (found >= 0 && (record->asked[found].flags & ASKED_JOINED) != 0);
        case COMMAND_DECLINE:
                return found >= 0 && (record->asked[found].flags & ASKED_DECLINED) != 0 && !owner;
        default:
                return false;
        }
}

/* Somewhere (a failover may be under way) it is so, or was. */
static bool is_done(struct sim *sim, const struct process *p, const struct asked_command *asked)
{
        struct open_alert *alert = hold_find(p->core, asked->alert);
        struct record record;

        if (alert != NULL && alert->version != 0) {
                hold_record(alert, &record);
                if (has_effect(asked, &record))
                        return true;
        }
        for (unsigned i = 0; i < 2; i++) {
                struct stored *s = store_find(&sim->store.instances[i], asked->alert);

                if (s != NULL && has_effect(asked, store_record(s)))
                        return true;
        }
        if (sim->failovers > 0 && p->paused_until_ms == sim->now_ms)
                return true; /* it was stopped, and reads what the primary of before had answered */
        return asked->answered;
}

/* The record as the dispatcher P holds it, or the store has it. */
static void record_of(struct sim *sim, const struct process *p, const uint8_t id[ALERT_ID_SIZE],
                      struct record *ret_record)
{
        const struct open_alert *alert = hold_find(p->core, id);
        struct stored *s = store_find(&sim->store.instances[sim->store.primary], id);

        *ret_record = (struct record){ 0 };
        if (alert != NULL && alert->version != 0)
                hold_record(alert, ret_record);
        else if (s != NULL)
                *ret_record = *store_record(s);
}

static bool is_refused_rightly(struct sim *sim, const struct process *p, const struct asked_command *asked,
                               uint8_t code)
{
        const struct person *person = directory_person(&p->core->directory, asked->person);
        const struct known *k = check_known(sim, asked->alert, false);
        struct record record;

        record_of(sim, p, asked->alert, &record);
        switch (code) {
        case ANSWER_TAKEN_BY_OTHER:
                return record.owner_id[0] != '\0' && strcmp(record.owner_id, asked->person) != 0;
        case ANSWER_NOT_OWNER:
                return strcmp(record.owner_id, asked->person) != 0;
        case ANSWER_OWN_ALERT:
                return strcmp(record.carrier_id, asked->person) == 0;
        case ANSWER_NOT_ON_DUTY:
                return person == NULL || !person->on_duty;
        case ANSWER_CLOSED:
                for (size_t i = 0; k != NULL && i < k->version_count; i++)
                        if (receipt_is_closed(k->versions[i].state))
                                return true;
                return false;
        default:
                return true;
        }
}

static void check_answer(struct sim *sim, unsigned process, struct asked_command *asked, uint8_t code)
{
        const struct process *p = &sim->processes[process];
        struct record record;

        if (asked->verb >= COMMAND_DUTY_ON && asked->verb <= COMMAND_ACK)
                return;
        if (code == ANSWER_DONE && !is_done(sim, p, asked))
                sim_fail(sim, "answer", "%s tells %s \"%s: done\", and it is not", p->name, asked->person,
                         command_verb_name(asked->verb));
        else if (code != ANSWER_DONE && !is_refused_rightly(sim, p, asked, code))
                sim_fail(sim, "answer", "%s tells %s \"%s: %s\", which is not so", p->name, asked->person,
                         command_verb_name(asked->verb), answer_code_name(code));
        asked->answered = true;
        record_of(sim, p, asked->alert, &record); /* where the person has no line yet there was nothing to note */
        asked->done = asked->done || (code == ANSWER_DONE && !p->disk_full && !p->disk_away &&
                                      record_asked_find(&record, asked->person) >= 0);
}

/* Who is told that another has it is told who. */
static void check_who(struct sim *sim, unsigned process, const struct asked_command *asked, uint8_t code,
                      const char *who)
{
        struct record record;

        record_of(sim, &sim->processes[process], asked->alert, &record);
        if (code == ANSWER_TAKEN_BY_OTHER && strcmp(who, record.owner_name) != 0)
                sim_fail(sim, "answer", "%s is told that \"%s\" has it, and it is \"%s\"", asked->person, who,
                         record.owner_name);
}

void check_answer_frame(struct sim *sim, unsigned process, uint64_t session, struct cbor_span bytes)
{
        struct checks *checks = sim->checks;
        const struct conn *conn = &sim->conns[session - 1];
        unsigned phone = conn->phone;
        struct frame frame;

        if (frame_decode(bytes.at, bytes.len, &frame) < 0 || frame.type != FRAME_ANSWER)
                return;
        /* A phone that starts again counts its requests anew: an answer to one of before may still come, about another alert (the phone looks
         * at both as well) or on the connection of then. */
        for (uint32_t i = *newest_request(sim, phone, frame.u.answer.request, frame.u.answer.alert); i != 0;
             i = checks->commands[i - 1].request_before) {
                struct asked_command *asked = &checks->commands[i - 1];

                if (asked->phone != phone || asked->run != conn->run || asked->request != frame.u.answer.request ||
                    memcmp(asked->alert, frame.u.answer.alert, ALERT_ID_SIZE) != 0)
                        continue;
                check_answer(sim, process, asked, frame.u.answer.code);
                check_who(sim, process, asked, frame.u.answer.code, frame.u.answer.who);
                return;
        }
}

/* An answer that waited for a replica may come when it is given back already. */
static bool has_or_had(const struct record *record, const char *person)
{
        int found = record_asked_find(record, person);

        return strcmp(record->owner_id, person) == 0 || (found >= 0 && (record->asked[found].flags & ASKED_OWNED) != 0);
}

/* That the person of ABOUT does not come waits in CORE for the store. */
static bool is_to_decline(const struct core *core, const struct sms_ref *about)
{
        const struct open_alert *alert = hold_find(core, about->alert);
        struct command command;

        for (size_t i = 0; alert != NULL && i < alert->queued; i++) {
                const struct fact *fact = alert->queue[i];

                if (fact->type == FACT_COMMAND && fact->state != FACT_DONE &&
                    command_decode(fact->bytes, fact->size, &command) == 0 && command.verb == COMMAND_DECLINE &&
                    strcmp(command.person, about->person) == 0)
                        return true;
        }
        return false;
}

/* Who is told by SMS that it is noted that they do not come: so it is, or they came after all and their SMS came twice. */
static void check_passed_on(struct sim *sim, unsigned process, const struct sms_ref *about)
{
        static const uint8_t answered = ASKED_DECLINED | ASKED_JOINED | ASKED_OWNED;
        struct record record;
        int found;

        record_of(sim, &sim->processes[process], about->alert, &record);
        found = record_asked_find(&record, about->person);
        if (strcmp(record.owner_id, about->person) != 0 && !is_to_decline(sim->processes[process].core, about) &&
            (found < 0 || (record.asked[found].flags & answered) == 0))
                sim_fail(sim, "answer", "%s tells %s by SMS that the next one is asked about ..%02x, and it is not so",
                         sim->processes[process].name, about->person, about->alert[15]);
}

/* Who is told by SMS to have an alert has it, and that somebody's number is written to. */
void check_sms_said(struct sim *sim, unsigned process, const struct core_action *action)
{
        const struct sms_ref *about = &action->u.sms_say.about;
        uint8_t kind = action->u.sms_say.say.kind;
        unsigned phone = strncmp(action->u.sms_say.to, "+3360000", 8) == 0 ? (unsigned)atoi(action->u.sms_say.to + 8)
                                                                           : SIM_PHONES;
        struct record record;
        bool so;

        if (phone < sim->phone_count && kind == SMS_ALERT && strcmp(about->person, sim->phones[phone].person) != 0)
                sim_fail(sim, "sms", "%s asks %s at the number of %s", sim->processes[process].name, about->person,
                         sim->phones[phone].person);
        if (kind == SMS_PASSED_ON)
                check_passed_on(sim, process, about);
        record_of(sim, &sim->processes[process], about->alert, &record);
        so = kind != SMS_YOURS || has_or_had(&record, about->person);
        for (unsigned i = 0; i < 2 && !so; i++) {
                struct stored *s = store_find(&sim->store.instances[i], about->alert);

                so = s != NULL && has_or_had(store_record(s), about->person);
        }
        if (!so && sim->failovers == 0)
                sim_fail(sim, "sms", "%s is told by SMS to have ..%02x, and has it not", about->person,
                         about->alert[15]);
}

void check_answer_feed(struct sim *sim, unsigned process, const uint8_t id[EVENT_ID_SIZE], uint8_t code)
{
        struct asked_command *asked = command_find(sim, id);

        if (asked != NULL)
                check_answer(sim, process, asked, code);
}

/* What a console asked may be forgotten in the stream when it is durable here, or answered. */
void check_acknowledged(struct sim *sim, unsigned process, uint64_t ref)
{
        const struct process *p = &sim->processes[process];
        const struct instance *in = p->store >= 0 ? &sim->store.instances[p->store] : NULL;

        for (size_t i = in != NULL ? in->command_count : 0; i-- > 0;) {
                const struct command *command = &in->commands[i].op->command;
                const struct asked_command *asked;

                if (in->commands[i].op->ref != ref)
                        continue;
                asked = command_find(sim, command->id);
                if (asked != NULL && !is_done(sim, p, asked) && alert_event_of(command->verb) != 0 && !p->disk_full &&
                    !p->disk_away && !disk_has(&p->disk, command->id, EVENT_ID_SIZE))
                        sim_fail(sim, "unwritten", "%s acknowledges \"%s\", which it has not written down", p->name,
                                 command_verb_name(command->verb));
                return;
        }
}

void check_taken_over(struct sim *sim, const struct record *old, const struct record *record)
{
        const struct asked_command *asked =
                record->applied_count > 0 ? command_find(sim, record->applied[record->applied_count - 1]) : NULL;

        if (asked != NULL && old->owner_id[0] != '\0' && (old->marks & RECORD_NO_NEWS) == 0 &&
            strcmp(old->owner_id, record->owner_id) != 0 && strcmp(old->owner_id, asked->owner_seen) != 0)
                sim_fail(sim, "owner", "%s takes ..%02x from %s, and did not know of that", record->owner_id,
                         record->id[15], old->owner_id);
}

/* ---- Does it stay so? --------------------------------------------------------------------------------------------------------------- */

/* Whether what ASKED said, "done", is in RECORD: it was seen, somebody has it or had it.  What else was done may be undone by others. */
static bool is_there(const struct asked_command *asked, const struct record *record)
{
        int found = record_asked_find(record, asked->person);

        if (found < 0)
                return true;             /* no room for a line of its own */
        if (asked->verb == COMMAND_SEEN) /* asked once more since, it is to be seen once more */
                return record->asked[found].seen_at_ms != 0 || record->asked[found].asked_at_ms > asked->store_ms;
        return asked->verb != COMMAND_TAKE || strcmp(record->owner_id, asked->person) == 0 ||
               (record->asked[found].flags & ASKED_OWNED) != 0;
}

void check_crowded(struct sim *sim, unsigned process)
{
        const struct open_alert *alert;

        for (size_t i = 0; (alert = table_next(&sim->processes[process].core->alerts, &i)) != NULL;) {
                struct known *k = alert->queued == CORE_QUEUE_MAX ? check_known(sim, alert->id, false) : NULL;

                if (k != NULL)
                        k->crowded_ms = sim->now_ms;
        }
}

/* Whoever holds the alert with as many facts as it may has forgotten older ones: then, or (by its journal) since. */
static bool is_crowded(struct sim *sim, const struct asked_command *asked)
{
        const struct known *k = check_known(sim, asked->alert, false);

        for (unsigned i = 0; i < sim->process_count; i++) {
                const struct open_alert *alert =
                        sim->processes[i].core != NULL ? hold_find(sim->processes[i].core, asked->alert) : NULL;

                if (alert != NULL && alert->queued == CORE_QUEUE_MAX)
                        return true;
        }
        return k != NULL && k->crowded_ms >= asked->at_ms;
}

void check_done(struct sim *sim)
{
        for (size_t i = 0; i < sim->checks->command_count; i++) {
                struct asked_command *asked = &sim->checks->commands[i];
                struct stored *s;

                if (!asked->done || asked->safe == sim->store.generation + 1)
                        continue;
                asked->safe =
                        sim->store.generation + 1; /* as with an alert: nothing leaves the store but by a failover */
                s = store_find(&sim->store.instances[sim->store.primary], asked->alert);
                if (s != NULL && !s->closed && !is_there(asked, store_record(s)) && !is_crowded(sim, asked))
                        sim_fail(sim, "undone",
                                 "%s was told \"%s: done\" of alert ..%02x, and a failover has undone it",
                                 asked->person, command_verb_name(asked->verb), asked->alert[15]);
        }
}

/* ---- Is it shown? -------------------------------------------------------------------------------------------------------------------- */

static const struct my_ring *ring_of(const struct sim *sim, unsigned number, const uint8_t id[ALERT_ID_SIZE])
{
        const struct vigie *vigie = sim->phones[number].vigie;

        for (unsigned i = 0; i < vigie->ring_count; i++)
                if (memcmp(vigie->ring[i].shown.id, id, ALERT_ID_SIZE) == 0)
                        return &vigie->ring[i];
        return NULL;
}

void check_answer_comes(struct sim *sim, unsigned number, const struct vigie_event *event)
{
        struct watched *w = &sim->checks->phones[number];
        const struct my_ring *ring;
        struct frame frame;

        w->is_answered = false;
        if (event->type != VIGIE_ON_FRAME || frame_decode(event->u.frame.data, event->u.frame.len, &frame) < 0 ||
            frame.type != FRAME_ANSWER)
                return;
        ring = ring_of(sim, number, frame.u.answer.alert);
        if (ring == NULL || ring->shown.asking == 0 || ring->request != frame.u.answer.request)
                return;
        w->is_answered = true;
        w->answered = *ring;
        w->answer = frame.u.answer.code;
}

/* A refusal is shown as one. */
void check_answer_shown(struct sim *sim, unsigned number)
{
        const struct watched *w = &sim->checks->phones[number];
        const struct my_ring *ring = w->is_answered ? ring_of(sim, number, w->answered.shown.id) : NULL;

        if (ring != NULL && (ring->shown.refused != 0) != (w->answer != ANSWER_DONE))
                sim_fail(sim, "answer", "%s is told \"%s: %s\", and its phone shows another thing",
                         sim->phones[number].person, command_verb_name(w->answered.shown.asking),
                         answer_code_name(w->answer));
}

/* ---- Is it answered? ---------------------------------------------------------------------------------------------------------------- */

/* That RING was seen was said on a link of before, and is in the record ANSWER_MS after this one is well. */
static bool is_unseen(struct sim *sim, const struct watched *w, const struct my_ring *ring, const char *person)
{
        const struct asked_command *said =
                ring->want_seen && !ring->shown.seen ? command_find(sim, ring->seen_id) : NULL;
        struct stored *s = store_find(&sim->store.instances[sim->store.primary], ring->shown.id);
        int found;

        if (said == NULL || said->answered || w->well_ms == INT64_MAX || said->at_ms > w->well_ms ||
            sim->now_ms - w->well_ms <= ANSWER_MS || s == NULL || s->closed || ring->shown.state == ALERT_CLOSED ||
            is_crowded(sim, said))
                return false;
        found = record_asked_find(store_record(s), person);
        return found >= 0 && store_record(s)->asked[found].seen_at_ms == 0 &&
               store_record(s)->asked[found].asked_at_ms < said->store_ms;
}

/* A supervisor's phone that is well for so long waits for nothing. */
static void check_phone_waits(struct sim *sim, unsigned number)
{
        const struct watched *w = &sim->checks->phones[number];
        const struct vigie *vigie = sim->phones[number].vigie;

        for (unsigned i = 0; i < vigie->ring_count; i++) {
                const struct my_ring *ring = &vigie->ring[i];

                if (is_unseen(sim, w, ring, sim->phones[number].person))
                        sim_fail(sim, "unanswered", "%s has seen ..%02x, and the region does not hear of it",
                                 sim->phones[number].person, ring->shown.id[15]);
        }
        for (unsigned i = 0; i < vigie->ring_count; i++) {
                const struct my_ring *ring = &vigie->ring[i];
                int64_t asked_ms = sim->phones[number].booted_ms + ring->asked_mono_ms;

                if (ring->shown.asking != 0 && w->well_ms != INT64_MAX && sim->now_ms - w->well_ms > ANSWER_MS &&
                    sim->now_ms - asked_ms > ANSWER_MS)
                        sim_fail(sim, "unanswered", "%s asked to %s, and nobody answers", sim->phones[number].person,
                                 command_verb_name(ring->shown.asking));
        }
}

/* What is in the record is answered on the session that asked, where that was well all the time: not only when the phone asks once more. */
static void check_is_answered(struct sim *sim, const struct asked_command *asked)
{
        const struct watched *w = &sim->checks->phones[asked->phone];
        const int64_t *rates = sim->plan->rates;
        int64_t ways_ms =
                2 * (rates[RATE_LATENCY_MS] + rates[RATE_STORE_MS] + rates[RATE_DISK_MS]) + rates[RATE_LAG_MS];
        struct stored *s;

        if (asked->by_console || asked->answered || sim->now_ms - asked->at_ms > ANSWER_MS ||
            w->well_ms > asked->at_ms || asked->run != sim->phones[asked->phone].run)
                return;
        s = store_find(&sim->store.instances[sim->store.primary], asked->alert);
        if (s == NULL || s->closed || sim->now_ms - s->last->at_ms <= TOLD_MS + ways_ms ||
            sim->now_ms - asked->at_ms <= TOLD_MS + ways_ms || !record_applied(store_record(s), asked->id))
                return;
        if (asked->verb != COMMAND_TAKE || strcmp(store_record(s)->owner_id, asked->person) == 0)
                sim_fail(sim, "unanswered", "%s asked to %s, it is in the record, and nobody says so", asked->person,
                         command_verb_name(asked->verb));
}

void check_answer_second(struct sim *sim)
{
        for (size_t i = 0; i < sim->checks->command_count; i++)
                check_is_answered(sim, &sim->checks->commands[i]);
        for (unsigned i = 0; i < sim->phone_count; i++)
                if (sim->phones[i].supervisor && sim->phones[i].alive)
                        check_phone_waits(sim, i);
}

/* What a console asked when faults were over, and was acknowledged, is answered or done. */
void check_answer_end(struct sim *sim)
{
        const struct instance *in = &sim->store.instances[sim->store.primary];

        for (size_t i = 0; i < in->command_count; i++) {
                struct asked_command *asked = command_find(sim, in->commands[i].op->command.id);

                if (asked == NULL || !asked->by_console || asked->answered || sim->now_ms - asked->at_ms < FEED_MS ||
                    check_closed_anywhere(sim, asked->alert))
                        continue;
                if (!in->commands[i].acked)
                        sim_fail(sim, "unanswered", "%s by the control room is never looked at",
                                 command_verb_name(asked->verb));
                else if (asked->was_there && !is_done(sim, &sim->processes[0], asked))
                        sim_fail(sim, "unanswered",
                                 "%s by the control room was acknowledged, and neither done nor answered",
                                 command_verb_name(asked->verb));
        }
}
