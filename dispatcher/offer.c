#include <stdlib.h>
#include <string.h>

#include "dispatcher/core_parts.h"
#include "dispatcher/intake.h"

struct open_alert *offer_route(const struct handset *handset, bool drill)
{
        return handset->real != NULL ? handset->real : drill ? handset->drill : NULL;
}

/* ---- Test presses --------------------------------------------------------------------------------------------------- */

static void offer_test(struct core *core, const struct intake_verdict *verdict, const struct waiting *to,
                       struct cbor_span bytes)
{
        struct handset *handset = directory_handset(&core->directory, verdict->press.handset);
        uint64_t token = core->tokens + 1;
        uint8_t buf[FACT_MAX];
        struct fact *fact;
        struct test *test;

        if ((core->options.alerts_only && to->session != 0) || verdict->press.why != UNVERIFIED_NOT ||
            handset == NULL || !core->store_up || core->disk_full || core->tests.count == core->tests.max ||
            !bucket_take(&handset->tests, core->now_ms, CORE_TEST_BURST, CORE_TEST_REFILL_MS)) {
                core->counters.tests_dropped++;
                return;
        }
        core->tokens = token;
        test = table_add(&core->tests, &token);
        memcpy(test->id, verdict->press.id, ALERT_ID_SIZE);
        test->revision = verdict->press.alert.revision;
        test->to = *to;
        test->at_ms = core->now_ms;
        fact = fact_new(FACT_ALERT, bytes);
        memcpy(fact->event_id, verdict->event_id, EVENT_ID_SIZE);
        memcpy(fact->id, verdict->press.id, ALERT_ID_SIZE);
        memcpy(fact->handset, verdict->press.handset, HANDSET_ID_SIZE);
        fact->at_ms = core->now_ms;
        test->number = core_append(core, (struct cbor_span){ buf, fact_encode(fact, buf) });
        free(fact);
        *core->untested_end = test;
        core->untested_end = &test->next;
}

bool offer_synced(struct core *core)
{
        for (size_t i = 0; i < CORE_STEP; i++) {
                struct test *test = core->untested;
                struct core_action *action;

                if (test == NULL || test->number > core->synced)
                        return i > 0;
                core->untested = test->next;
                if (core->untested == NULL)
                        core->untested_end = &core->untested;
                test->asked = true;
                action = core_do(core, DO_PROVE);
                action->u.prove.token = test->token;
                action->u.prove.at_ms = test->at_ms;
                memcpy(action->u.prove.handset, test->id, HANDSET_ID_SIZE);
        }
        return true;
}

bool offer_proved(struct core *core, const struct core_event *event)
{
        struct test *test = table_find(&core->tests, &event->u.committed.token);

        if (test == NULL || !test->asked)
                return false;
        if (event->u.committed.result != CORE_OK) {
                core->counters.tests_dropped++;
        } else if (test->to.session == 0 || session_find(core, test->to.session) != NULL) {
                memcpy(test->to.as, test->id, ALERT_ID_SIZE);
                tell_proved(core, test->revision, &test->to);
                core->counters.tests++;
        }
        table_remove(&core->tests, test);
        return true;
}

void offer_drop_tests(struct core *core)
{
        struct test *test;

        core->untested = NULL;
        core->untested_end = &core->untested;
        for (size_t cursor = 0; (test = table_next(&core->tests, &cursor)) != NULL; cursor--) {
                table_remove(&core->tests, test);
                core->counters.tests_dropped++;
        }
}

/* ---- Alerts --------------------------------------------------------------------------------------------------------- */

/* By SMS a copy gets no receipt of its own so soon after another. */
#define SMS_COPY_MS 10000

static bool may_tell_copy(const struct core *core, const struct waiting *to, int64_t *told_ms)
{
        if (to->session != 0)
                return true;
        if (*told_ms != 0 && core->now_ms - *told_ms < SMS_COPY_MS)
                return false;
        *told_ms = core->now_ms;
        return true;
}

/* A copy of what is known gets its receipt; by SMS the enrolled number does too, where that is another. */
static void tell_copy(struct core *core, const struct record *record, const struct waiting *to)
{
        struct waiting also = *to;

        tell_receipt(core, record, to);
        record_set_text(also.number, sizeof(also.number), sms_number(core, record));
        if (to->session == 0 && also.number[0] != '\0' && strcmp(also.number, to->number) != 0)
                tell_receipt(core, record, &also);
}

/* Whether this process has the press ID in its journal (the disk full: as good as that): whoever signs that it was received has. */
static bool has_press(const struct open_alert *alert, const uint8_t id[ALERT_ID_SIZE])
{
        for (size_t i = 0; i < alert->queued; i++)
                if (alert->queue[i]->type == FACT_ALERT && alert->queue[i]->state != FACT_WAITS &&
                    memcmp(alert->queue[i]->id, id, ALERT_ID_SIZE) == 0)
                        return true;
        return false;
}

/* Whether ALERT's record has all that PRESS says. */
static bool is_known(const struct open_alert *alert, const struct alert_press *press)
{
        struct record record;

        hold_record(alert, &record);
        return alert_knows(&record, press);
}

/* A copy of what is known, or of what waits: nothing happens but that its sender gets the receipt. */
static bool is_copy(struct core *core, struct open_alert *alert, const struct intake_verdict *verdict,
                    const struct waiting *to)
{
        struct closed_alert *closed = hold_closed(core, verdict->press.id);
        const struct fact *fact;
        struct record record;

        if (closed != NULL && hold_find(core, verdict->press.id) == NULL &&
            !notice_brings(&verdict->press, &closed->tombstone)) {
                port_offered(core, to);
                if (may_tell_copy(core, to, &closed->sms_told_ms))
                        tell_closed(core, &closed->tombstone, to);
                return true;
        }
        if (alert == NULL)
                return false;
        if (is_known(alert, &verdict->press) && has_press(alert, verdict->press.id)) {
                hold_record(alert, &record);
                port_offered(core, to);
                if (may_tell_copy(core, to, &alert->sms_told_ms))
                        tell_copy(core, &record, to);
                return true;
        }
        fact = flow_find(alert, verdict->event_id);
        if (fact == NULL)
                return false;
        if (fact->kept)
                hold_look_at(core, alert, core->now_ms);
        port_offered(core, to);
        hold_wait(alert, to);
        return true;
}

/* Whether an unverified alert may be raised now: by its sender's limit and the bound of all. */
static bool may_be_unverified(struct core *core, const struct offerer *from, const struct intake_verdict *verdict)
{
        bool full = core->counters.open_unverified >= CORE_UNVERIFIED_MAX, allowed;
        /* A number of the region has a share of its own, which junk from others cannot fill. */
        bool known = from->session == NULL && directory_who(&core->directory, from->number) != NULL;
        struct sender *sender =
                verdict->proved
                        ? senders_take(&core->proved, verdict->press.handset, core->now_ms, &allowed)
                        : senders_take(known ? &core->proved : &core->strangers, from->sender, core->now_ms, &allowed);

        if (allowed && !full)
                return true;
        core->counters.suppressed++;
        notice_suppressed(core, sender);
        return false;
}

/* A new alert for VERDICT; NULL: a bound. */
static struct open_alert *begin(struct core *core, const struct intake_verdict *verdict)
{
        bool drill = verdict->press.alert.kind == ALERT_DRILL, verified = verdict->press.why == UNVERIFIED_NOT;
        struct open_alert *alert;

        if (verified && drill && core->counters.open_drills >= CORE_DRILLS_MAX) {
                core->counters.drills_refused++;
                return NULL;
        }
        alert = hold_need(core, verdict->press.id);
        if (alert != NULL)
                hold_claim(core, alert, verdict->press.handset,
                           (verified ? 0 : RECORD_UNVERIFIED) | (drill ? RECORD_DRILL : 0));
        return alert;
}

static void happen(struct core *core, struct open_alert *alert, const struct intake_verdict *verdict,
                   const struct offerer *from, struct cbor_span bytes)
{
        struct fact *fact = fact_new(FACT_ALERT, bytes);

        memcpy(fact->event_id, verdict->event_id, EVENT_ID_SIZE);
        memcpy(fact->id, verdict->press.id, ALERT_ID_SIZE);
        memcpy(fact->handset, verdict->press.handset, HANDSET_ID_SIZE);
        fact->at_ms = core->now_ms;
        fact->path = verdict->press.paths;
        fact->why = verdict->press.why;
        fact->has_ref = from->session == NULL;
        fact->ref = from->ref;
        if (memcmp(alert->id, fact->id, ALERT_ID_SIZE) != 0 || (verdict->press.alert.marks & ALERT_PRESSED_AGAIN) != 0)
                core->counters.pressed_again++;
        (void)flow_take_fact(core, alert, fact);
}

/* Whose duty tells who holds the handset.  It is asked for now, so that the answer is there when the journal is. */
static void look_up_holder(struct core *core, const struct intake_verdict *verdict)
{
        struct handset *handset = directory_handset(&core->directory, verdict->press.handset);

        if (handset == NULL || !handset->known)
                return;
        if (verdict->press.why == UNVERIFIED_NOT)
                duty_heard(core, handset);
        duty_find(core, handset);
}

/* The SMS of FROM says what is known, or more than may be said: the gateway may forget it, once what it says is durable. */
static void done_with(struct core *core, const struct offerer *from, struct fact *fact)
{
        if (from->session != NULL)
                return;
        if (fact != NULL && (fact->state == FACT_WAITS || fact->bare)) {
                fact->has_ref = true;
                fact->ref = from->ref;
        } else {
                sms_taken(core, from->ref);
        }
}

/* The open alert that PRESS, whose handset is not good any more, became a further press of while it was; NULL. */
static struct open_alert *find_joined(const struct core *core, const struct alert_press *press)
{
        const struct handset *handset = directory_handset(&core->directory, press->handset);
        struct open_alert *const open[] = { handset != NULL ? handset->real : NULL,
                                            handset != NULL ? handset->drill : NULL };
        struct record record;

        for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++) {
                struct open_alert *alert = open[i];

                if (alert == NULL)
                        continue;
                hold_record(alert, &record);
                if (has_press(alert, press->id) || alert_alias_find(&record, press->id + HANDSET_ID_SIZE) >= 0)
                        return alert;
        }
        return NULL;
}

/* No failover loses so many versions, and no alert has so many: a phone that says it was told of more is not believed, so that none runs
 * versions to their end. */
#define HELD_AHEAD_MAX 1000
#define HELD_MAX       INT32_MAX

/* Whether the receipt that FROM says its phone has is not of ALERT's record, nor of one before it. */
static bool is_ahead(const struct open_alert *alert, const struct offerer *from)
{
        struct record record;

        if (alert->version == 0 || from->held_version != alert->version)
                return from->held_version > alert->version;
        hold_record(alert, &record);
        return from->held_state != RECEIPT_KEPT && from->held_state != RECEIPT_COMING &&
               from->held_state != record_receipt_state(&record);
}

/* What its phone was told of ALERT is not here: a failover lost it, with all who knew, and the phone takes nothing older.  What it is told
 * from now on is above that. */
static void go_above_held(struct core *core, struct open_alert *alert, const struct offerer *from)
{
        if (from->held_version > HELD_MAX || !is_ahead(alert, from) ||
            from->held_version - alert->version > HELD_AHEAD_MAX)
                return;
        alert->highest = from->held_version > alert->highest ? from->held_version : alert->highest;
        if (alert->version == alert->highest)
                alert->highest++; /* of another state, at one version */
        if (alert->version != 0)
                flow_ready(core, alert);
}

/* The press of VERDICT is in ALERT, by this revision or another.  Where that is another alert, and the press is none of it in the end, it goes on
 * above what its phone was told under its own id. */
static void note_held(struct open_alert *alert, const struct intake_verdict *verdict, const struct offerer *from)
{
        for (size_t i = 0; alert != NULL && i < alert->queued && from->held_version <= HELD_AHEAD_MAX; i++) {
                struct fact *fact = alert->queue[i];

                if (fact->type == FACT_ALERT && memcmp(fact->id, verdict->press.id, ALERT_ID_SIZE) == 0 &&
                    fact->shown < from->held_version)
                        fact->shown = from->held_version;
        }
}

/* Which alert VERDICT is about; NULL: a new one. */
static struct open_alert *find_alert(struct core *core, const struct intake_offer *offer,
                                     struct intake_verdict *verdict)
{
        struct open_alert *alert = hold_find(core, verdict->press.id);

        if (alert == NULL && verdict->press.why == UNVERIFIED_NOT)
                alert = offer_route(directory_handset(&core->directory, verdict->press.handset),
                                    verdict->press.alert.kind == ALERT_DRILL);
        else if (alert == NULL)
                alert = find_joined(core, &verdict->press);
        if (verdict->press.why == UNVERIFIED_UNKNOWN && alert != NULL && (alert->marks & RECORD_UNVERIFIED) == 0) {
                /* The handset was known when this alert was raised: without its key nobody changes that. */
                verdict->press.why = UNVERIFIED_SIGNATURE;
                intake_stranger_id(&core->options, offer, CBOR_OCTETS(verdict->claimed), verdict->press.id);
                alert = hold_find(core, verdict->press.id);
        }
        return alert;
}

void offer_alert(struct core *core, const struct offerer *from, struct cbor_span bytes)
{
        struct intake_offer offer = { .bytes = bytes, .now_ms = core->now_ms };
        const struct handset *of_session = from->session != NULL ? from->session->handset : NULL;
        struct waiting to = { .session = from->session != NULL ? from->session->id : 0, .stamp = from->stamp };
        struct intake_verdict verdict;
        struct open_alert *alert;
        bool own, is_its; /* its: a phone's own, good press */

        memcpy(offer.sender, from->sender, SENDER_SIZE);
        offer.session_handset = of_session != NULL ? of_session->id : NULL;
        intake_judge(&core->options, &core->directory, &offer, &verdict);
        verdict.press.paths = from->session != NULL ? PATH_DATA : PATH_SMS;
        own = of_session != NULL && memcmp(of_session->id, verdict.claimed, HANDSET_ID_SIZE) == 0;
        alert = find_alert(core, &offer, &verdict);
        is_its = own && verdict.press.why == UNVERIFIED_NOT;
        memcpy(to.as, own ? verdict.claimed : verdict.press.id, ALERT_ID_SIZE);
        record_set_text(to.number, sizeof(to.number), from->number);
        if (verdict.press.alert.kind == ALERT_TEST) {
                offer_test(core, &verdict, &to, bytes);
                done_with(core, from, NULL);
                return;
        }
        if (alert != NULL && is_its)
                go_above_held(core, alert, from);
        if (is_copy(core, alert, &verdict, &to)) {
                core->counters.copies++;
                if (is_its)
                        note_held(alert, &verdict, from);
                done_with(core, from, alert != NULL ? flow_find(alert, verdict.event_id) : NULL);
                return;
        }
        if (verdict.press.why != UNVERIFIED_NOT &&
            (alert == NULL || ((alert->marks & RECORD_UNVERIFIED) != 0 && !is_known(alert, &verdict.press))) &&
            !may_be_unverified(core, from, &verdict)) {
                done_with(core, from, NULL);
                return;
        }
        look_up_holder(core, &verdict);
        if (alert != NULL && memcmp(alert->id, verdict.press.id, ALERT_ID_SIZE) != 0 &&
            !flow_has_room(alert, verdict.press.id))
                alert = NULL; /* full of what people did meanwhile: no press is refused for that, it finds its place later */
        if (alert == NULL && (alert = begin(core, &verdict)) == NULL) {
                done_with(core, from, NULL);
                return;
        }
        if (alert->version == 0 && is_its)
                go_above_held(core, alert, from);
        port_offered(core, &to);
        hold_wait(alert, &to);
        happen(core, alert, &verdict, from, bytes);
        if (is_its)
                note_held(alert, &verdict, from);
}
