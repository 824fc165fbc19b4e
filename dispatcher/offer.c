#include <stdlib.h>
#include <string.h>

#include "dispatcher/core_state.h"
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

        if (verdict->press.why != UNVERIFIED_NOT || handset == NULL || !core->store_up || core->disk_full ||
            core->tests.count == core->tests.max ||
            !bucket_take(&handset->tests, core->now_ms, CORE_TEST_BURST, CORE_TEST_REFILL_MS)) {
                core->counters.tests_dropped++;
                return;
        }
        core->tokens = token;
        test = table_add(&core->tests, &token);
        memcpy(test->id, verdict->press.id, ALERT_ID_SIZE);
        test->revision = verdict->press.alert.revision;
        test->session = to->session;
        test->stamp = to->stamp;
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
        struct core_action *action;

        if (test == NULL || !test->asked)
                return false;
        if (event->u.committed.result != CORE_OK) {
                core->counters.tests_dropped++;
        } else if (session_find(core, test->session) != NULL) {
                action = core_do(core, DO_RECEIPT);
                action->u.receipt.session = test->session;
                action->u.receipt.stamp = test->stamp;
                action->u.receipt.receipt = (struct receipt){ .revision = test->revision,
                                                              .version = 1,
                                                              .state = RECEIPT_PROVED,
                                                              .time_s = (uint32_t)(core->now_ms / 1000) };
                memcpy(action->u.receipt.receipt.alert.octets, test->id, ALERT_ID_SIZE);
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

/* Whether ALERT has just these octets in its queue. */
static bool is_queued(const struct open_alert *alert, const uint8_t event_id[EVENT_ID_SIZE])
{
        for (size_t i = 0; i < alert->queued; i++)
                if (alert->queue[i]->state != FACT_DONE &&
                    memcmp(alert->queue[i]->event_id, event_id, EVENT_ID_SIZE) == 0)
                        return true;
        return false;
}

/* Whether this process has the press ID in its journal, or (the disk full) had it: whoever signs that it was received has. */
static bool has_press(const struct core *core, const struct open_alert *alert, const uint8_t id[ALERT_ID_SIZE])
{
        for (size_t i = 0; i < alert->queued; i++)
                if (alert->queue[i]->type == FACT_ALERT && memcmp(alert->queue[i]->id, id, ALERT_ID_SIZE) == 0)
                        return true;
        return core->disk_full || !core->store_up;
}

/* A copy of what is known, or of what waits: nothing happens but that its sender gets the receipt. */
static bool is_copy(struct core *core, struct open_alert *alert, const struct intake_verdict *verdict,
                    const struct waiting *to)
{
        const struct closed_alert *closed = hold_closed(core, verdict->press.id);
        struct record record;

        if (closed != NULL && hold_find(core, verdict->press.id) == NULL) {
                tell_closed(core, &closed->tombstone, verdict->press.alert.revision, to);
                return true;
        }
        if (alert == NULL)
                return false;
        hold_record(alert, &record);
        if (alert_knows(&record, &verdict->press) &&
            (verdict->press.why != UNVERIFIED_NOT || has_press(core, alert, verdict->press.id))) {
                tell_receipt(core, &record, to);
                return true;
        }
        if (!is_queued(alert, verdict->event_id))
                return false;
        hold_wait(alert, to);
        return true;
}

/* Whether an unverified alert may be raised now: by its sender's limit and the bound of all. */
static bool may_be_unverified(struct core *core, const struct session *session, const struct intake_verdict *verdict)
{
        bool full = core->counters.open_unverified >= CORE_UNVERIFIED_MAX, allowed;
        struct sender *sender = verdict->proved
                                        ? senders_take(&core->proved, verdict->press.handset, core->now_ms, &allowed)
                                        : senders_take(&core->strangers, session->fingerprint, core->now_ms, &allowed);

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
                   struct cbor_span bytes)
{
        struct fact *fact = fact_new(FACT_ALERT, bytes);

        memcpy(fact->event_id, verdict->event_id, EVENT_ID_SIZE);
        memcpy(fact->id, verdict->press.id, ALERT_ID_SIZE);
        memcpy(fact->handset, verdict->press.handset, HANDSET_ID_SIZE);
        fact->at_ms = core->now_ms;
        fact->path = verdict->press.paths;
        fact->why = verdict->press.why;
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

void offer_alert(struct core *core, struct session *session, struct cbor_span bytes, uint64_t stamp)
{
        struct intake_offer offer = { .bytes = bytes, .now_ms = core->now_ms };
        struct waiting to = { .session = session->id, .stamp = stamp };
        struct intake_verdict verdict;
        struct open_alert *alert;
        bool own;

        memcpy(offer.sender, session->fingerprint, SENDER_SIZE);
        offer.session_handset = session->handset != NULL ? session->handset->id : NULL;
        intake_judge(&core->options, &core->directory, &offer, &verdict);
        own = offer.session_handset != NULL && memcmp(offer.session_handset, verdict.claimed, HANDSET_ID_SIZE) == 0;
        alert = hold_find(core, verdict.press.id);
        if (alert == NULL && verdict.press.why == UNVERIFIED_NOT)
                alert = offer_route(directory_handset(&core->directory, verdict.press.handset),
                                    verdict.press.alert.kind == ALERT_DRILL);
        if (verdict.press.why == UNVERIFIED_UNKNOWN && alert != NULL && (alert->marks & RECORD_UNVERIFIED) == 0) {
                /* The handset was known when this alert was raised: without its key nobody changes that. */
                verdict.press.why = UNVERIFIED_SIGNATURE;
                intake_stranger_id(&core->options, &offer, CBOR_OCTETS(verdict.claimed), verdict.press.id);
                alert = hold_find(core, verdict.press.id);
        }
        memcpy(to.as, own ? verdict.claimed : verdict.press.id, ALERT_ID_SIZE);
        if (verdict.press.alert.kind == ALERT_TEST) {
                offer_test(core, &verdict, &to, bytes);
                return;
        }
        if (is_copy(core, alert, &verdict, &to)) {
                core->counters.copies++;
                return;
        }
        if (verdict.press.why != UNVERIFIED_NOT && (alert == NULL || (alert->marks & RECORD_UNVERIFIED) != 0) &&
            !may_be_unverified(core, session, &verdict))
                return;
        look_up_holder(core, &verdict);
        if (alert == NULL && (alert = begin(core, &verdict)) == NULL)
                return;
        hold_wait(alert, &to);
        happen(core, alert, &verdict, bytes);
}
