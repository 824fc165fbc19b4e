#include "tests/dispatcher/support/model_inside.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct model_bytes model_copy(struct cbor_span span)
{
        struct model_bytes bytes = { malloc(span.len + 1), span.len };

        if (span.len > 0)
                memcpy(bytes.at, span.at, span.len);
        return bytes;
}

struct cbor_span model_span(struct model_bytes bytes)
{
        return (struct cbor_span){ bytes.at, bytes.len };
}

/* ---- The store ------------------------------------------------------------------------------------------------------ */

struct model_alert *model_stored(struct model *model, const uint8_t id[ALERT_ID_SIZE])
{
        for (size_t i = 0; i < model->alert_count; i++)
                if (memcmp(model->alerts[i].id, id, ALERT_ID_SIZE) == 0)
                        return &model->alerts[i];
        return NULL;
}

const struct tombstone *model_tombstone(struct model *model, const uint8_t id[ALERT_ID_SIZE])
{
        for (size_t i = 0; i < model->tombstone_count; i++)
                if (memcmp(model->tombstones[i].id, id, ALERT_ID_SIZE) == 0)
                        return &model->tombstones[i].tombstone;
        return NULL;
}

struct record model_record(struct model *model, const uint8_t id[ALERT_ID_SIZE])
{
        const struct model_alert *alert = model_stored(model, id);
        struct record record = { 0 };

        if (alert != NULL)
                assert(record_decode(alert->record.at, alert->record.len, &record) == 0);
        return record;
}

size_t model_open(const struct model *model)
{
        size_t count = 0;

        for (size_t i = 0; i < model->alert_count; i++)
                count += !model->alerts[i].closed;
        return count;
}

const struct notice *model_notice(const struct model *model, const char *key)
{
        for (size_t i = model->feed_count; i-- > 0;)
                if (model->feed[i].kind == CORE_FEED_NOTICE && strcmp(model->feed[i].key, key) == 0)
                        return model->feed[i].on ? &model->feed[i].notice : NULL;
        return NULL;
}

struct model_entry *model_feed(struct model *model, int kind)
{
        struct model_entry *entry = &model->feed[model->feed_count++];

        assert(model->feed_count < sizeof(model->feed) / sizeof(model->feed[0]));
        entry->kind = kind;
        return entry;
}

void model_mail(struct model *model, unsigned dispatcher, const struct core_event *event, struct model_bytes bytes)
{
        struct model_mail *letter = calloc(1, sizeof(*letter));

        letter->dispatcher = dispatcher;
        letter->run = model->dispatchers[dispatcher].run;
        letter->event = *event;
        letter->bytes = bytes;
        *model->mail_end = letter;
        model->mail_end = &letter->next;
}

static void answer(struct model *model, unsigned dispatcher, struct core_event *event, struct cbor_span record)
{
        struct model_bytes bytes;

        if (model->asker_is_dead)
                return;
        bytes = model_copy(record);
        event->kind = CORE_COMMITTED;
        event->u.committed.record = model_span(bytes);
        if (model->lose_replies)
                event->u.committed.result = CORE_UNKNOWN;
        model_mail(model, dispatcher, event, bytes);
}

static void bury(struct model *model, const uint8_t id[ALERT_ID_SIZE], const struct tombstone *tombstone)
{
        memcpy(model->tombstones[model->tombstone_count].id, id, ALERT_ID_SIZE);
        model->tombstones[model->tombstone_count++].tombstone = *tombstone;
}

static void write_alert(struct model *model, struct model_alert *alert, const struct core_action *action)
{
        struct model_entry *entry;

        free(alert->record.at);
        alert->record = model_copy(action->u.commit.record);
        alert->version = action->u.commit.version;
        alert->due_ms = model->now_ms + action->u.commit.due_in_ms;
        alert->urgency = action->u.commit.urgency;
        alert->closed = action->u.commit.closed;
        if (action->u.commit.alert.len > 0) {
                free(alert->signed_alert.at);
                alert->signed_alert = model_copy(action->u.commit.alert);
        }
        for (size_t i = 0; alert->closed && i < action->u.commit.gone_count; i++)
                if (i == 0 || model_stored(model, action->u.commit.gone[i]) == NULL)
                        bury(model, action->u.commit.gone[i], &action->u.commit.tombstone);
        entry = model_feed(model, CORE_FEED_ALERT);
        entry->event = action->u.commit.event;
        entry->record = model_copy(action->u.commit.record);
}

static void commit(struct model *model, unsigned dispatcher, const struct core_action *action)
{
        struct model_alert *alert = model_stored(model, action->u.commit.id);
        const struct tombstone *tombstone = model_tombstone(model, action->u.commit.id);
        struct core_event event = { .u.committed.token = action->u.commit.token, .u.committed.time_ms = model->now_ms };

        model->commits++;
        if (tombstone != NULL) {
                event.u.committed.result = CORE_TOMBSTONE;
                event.u.committed.tombstone = *tombstone;
                answer(model, dispatcher, &event, (struct cbor_span){ 0 });
        } else if ((alert != NULL ? alert->version : 0) != action->u.commit.expected) {
                event.u.committed.result = CORE_CONFLICT;
                answer(model, dispatcher, &event, alert != NULL ? model_span(alert->record) : (struct cbor_span){ 0 });
        } else {
                if (alert == NULL) {
                        alert = &model->alerts[model->alert_count++];
                        *alert = (struct model_alert){ 0 };
                        memcpy(alert->id, action->u.commit.id, ALERT_ID_SIZE);
                }
                write_alert(model, alert, action);
                event.u.committed.result = CORE_OK;
                event.u.committed.version = alert->version;
                answer(model, dispatcher, &event, (struct cbor_span){ 0 });
        }
}

void model_lose(struct model *model, const uint8_t id[ALERT_ID_SIZE], int entry)
{
        struct model_alert *alert = model_stored(model, id);
        struct record record;

        for (size_t i = 0; i < model->tombstone_count; i++)
                if (memcmp(model->tombstones[i].id, id, ALERT_ID_SIZE) == 0)
                        model->tombstones[i] = model->tombstones[--model->tombstone_count];
        free(alert->record.at);
        if (entry < 0) {
                free(alert->signed_alert.at);
                *alert = model->alerts[--model->alert_count];
                return;
        }
        alert->record = model_copy(model_span(model->feed[entry].record));
        assert(record_decode(alert->record.at, alert->record.len, &record) == 0);
        alert->version = record.version;
        alert->due_ms = record.due_ms;
        alert->closed = record.state == ALERT_CLOSED;
}

static void look(struct model *model, unsigned dispatcher, const struct core_action *action)
{
        struct model_alert *alert = model_stored(model, action->u.look.id);
        const struct tombstone *tombstone = model_tombstone(model, action->u.look.id);
        struct core_event event = { .u.committed.token = action->u.look.token };

        model->looks++;
        event.u.committed.result = tombstone != NULL ? CORE_TOMBSTONE : CORE_CONFLICT;
        if (tombstone != NULL)
                event.u.committed.tombstone = *tombstone;
        answer(model, dispatcher, &event, alert != NULL ? model_span(alert->record) : (struct cbor_span){ 0 });
}

/* ---- The rest that actions do --------------------------------------------------------------------------------------- */

static void append(struct model *model, unsigned dispatcher, const struct core_action *action)
{
        struct model_dispatcher *d = &model->dispatchers[dispatcher];

        assert(action->u.append.number == ++d->numbered);
        assert(action->u.append.bytes.len <= CORE_APPEND_MAX);
        model->appends++;
        d->unsynced[d->unsynced_count++] = model_copy(action->u.append.bytes);
}

static void got_frame(struct model *model, uint64_t id, struct cbor_span bytes)
{
        struct model_session *session = &model->sessions[id - 1];
        struct frame frame;

        assert(id != 0 && bytes.len <= sizeof(session->bytes));
        assert(frame_decode(bytes.at, bytes.len, &frame) == 0);
        if (frame.type == FRAME_RING) {
                session->ring_count++;
                session->ring = frame.u.ring.ring;
                assert(record_decode(frame.u.ring.record.at, frame.u.ring.record.len, &session->rung) == 0);
                if (session->rung.state == ALERT_CLOSED)
                        session->rung_closed = session->rung;
                return;
        }
        memcpy(session->bytes, bytes.at, bytes.len);
        assert(frame_decode(session->bytes, bytes.len, &session->frame) == 0);
        if (session->frame_count < sizeof(session->frames))
                session->frames[session->frame_count] = frame.type;
        session->frame_count++;
}

static void got_receipt(struct model *model, const struct core_action *action)
{
        struct model_session *session = &model->sessions[action->u.receipt.session - 1];

        if (session->receipt_count < sizeof(session->receipts) / sizeof(session->receipts[0]))
                session->receipts[session->receipt_count] = action->u.receipt.receipt;
        session->receipt_count++;
        session->receipt = action->u.receipt.receipt;
        session->stamp = action->u.receipt.stamp;
}

static void got_answer(struct model *model, const struct core_action *action)
{
        struct model_answer *to = &model->answers[model->answer_count++ % 1024];

        memcpy(to->command, action->u.answer.command, EVENT_ID_SIZE);
        to->code = action->u.answer.code;
        memcpy(to->who, action->u.answer.who, sizeof(to->who));
}

static struct core_found *carrier(struct model *model, const uint8_t id[HANDSET_ID_SIZE], bool make)
{
        for (size_t i = 0; i < model->carrier_count; i++)
                if (memcmp(model->carriers[i].handset, id, HANDSET_ID_SIZE) == 0)
                        return &model->carriers[i];
        if (!make)
                return NULL;
        memcpy(model->carriers[model->carrier_count].handset, id, HANDSET_ID_SIZE);
        return &model->carriers[model->carrier_count++];
}

static void set_carrier_duty(struct model *model, const struct core_action *action)
{
        struct core_found *found = carrier(model, action->u.carrier_duty.handset, true);

        model->carrier_duty_actions++;
        if (action->u.carrier_duty.asked_ms != 0) {
                if (found->on_duty && found->heard_at_ms == action->u.carrier_duty.heard_at_ms)
                        found->duty.asked_ms = action->u.carrier_duty.asked_ms;
                return;
        }
        found->on_duty = action->u.carrier_duty.duty != NULL;
        if (found->on_duty)
                found->duty = *action->u.carrier_duty.duty;
        found->heard_at_ms = action->u.carrier_duty.heard_at_ms;
}

static void set_heard(struct model *model, const struct core_action *action)
{
        struct core_found *found = carrier(model, action->u.heard.handset, false);

        if (found != NULL && action->u.heard.heard_at_ms > found->heard_at_ms)
                found->heard_at_ms = action->u.heard.heard_at_ms;
}

static void find_duty(struct model *model, unsigned dispatcher, const struct core_action *action)
{
        const struct core_found *found = carrier(model, action->u.find_duty.handset, false);
        struct core_event event = { .kind = CORE_DUTY_FOUND };

        if (!model->positions_up)
                return;
        if (found != NULL)
                event.u.found = *found;
        memcpy(event.u.found.handset, action->u.find_duty.handset, HANDSET_ID_SIZE);
        model_mail(model, dispatcher, &event, (struct model_bytes){ 0 });
}

void model_set_duty(struct model *model, const char *person, bool on, const struct duty_entry *duty)
{
        size_t i = 0;

        while (i < model->duty_count && strcmp(model->duty[i].id, person) != 0)
                i++;
        if (i == model->duty_count)
                model->duty_count++;
        memcpy(model->duty[i].id, person, strlen(person) + 1);
        model->duty[i].on = on;
        model->duty[i].duty = *duty;
}

void model_set_presence(struct model *model, const char *person, const struct presence *presence)
{
        struct core_event event = { .kind = CORE_PRESENCE };

        for (size_t i = 0; i < model->duty_count; i++)
                if (strcmp(model->duty[i].id, person) == 0)
                        model->duty[i].presence = *presence;
        for (unsigned d = 0; d < model->count; d++) {
                struct model_bytes name = model_copy((struct cbor_span){ (const uint8_t *)person, strlen(person) + 1 });

                event.u.presence.person = (const char *)name.at;
                event.u.presence.presence = *presence;
                model_mail(model, d, &event, name);
        }
}

static void done_store(struct model *model, unsigned dispatcher, const struct core_action *action)
{
        struct core_event event = { .u.committed.result = CORE_OK };
        struct model_entry *entry;

        switch (action->kind) {
        case DO_COMMIT:
                commit(model, dispatcher, action);
                break;
        case DO_LOOK:
                look(model, dispatcher, action);
                break;
        case DO_PROVE:
                model->tests++;
                event.u.committed.token = action->u.prove.token;
                answer(model, dispatcher, &event, (struct cbor_span){ 0 });
                break;
        case DO_NOTICE:
                model->notice_actions++;
                if (model->refuses_notices)
                        break;
                entry = model_feed(model, CORE_FEED_NOTICE);
                memcpy(entry->key, action->u.notice.key, strlen(action->u.notice.key) + 1);
                entry->on = action->u.notice.notice != NULL;
                if (entry->on)
                        entry->notice = *action->u.notice.notice;
                break;
        case DO_DUTY:
                entry = model_feed(model, CORE_FEED_DUTY);
                memcpy(entry->key, action->u.duty.person, sizeof(action->u.duty.person));
                entry->on = action->u.duty.on;
                entry->duty = action->u.duty.duty;
                model_set_duty(model, entry->key, entry->on, &entry->duty);
                break;
        case DO_ANSWER:
                got_answer(model, action);
                break;
        default:
                abort();
        }
}

static void hold(struct model *model, unsigned dispatcher, const struct core_action *action);

void model_do(struct model *model, unsigned dispatcher, const struct core_action *action)
{
        switch (action->kind) {
        case DO_APPEND:
                append(model, dispatcher, action);
                break;
        case DO_COMMIT:
        case DO_LOOK:
        case DO_PROVE:
        case DO_NOTICE:
        case DO_DUTY:
        case DO_ANSWER:
                if (model->store_up && model->hold_commits && action->kind == DO_COMMIT)
                        hold(model, dispatcher, action);
                else if (model->store_up)
                        done_store(model, dispatcher, action);
                break;
        case DO_SEND:
                got_frame(model, action->u.send.session, action->u.send.frame);
                break;
        case DO_RECEIPT:
                got_receipt(model, action);
                break;
        case DO_CLOSE_SESSION:
                model->sessions[action->u.close_session.session - 1].open = false;
                model->sessions[action->u.close_session.session - 1].closed_code = action->u.close_session.code;
                break;
        case DO_ACKNOWLEDGE:
                model->acknowledged++;
                break;
        case DO_PRESENCE:
                model->presence_actions++;
                if (model->positions_up)
                        model_set_presence(model, action->u.presence.person, &action->u.presence.presence);
                break;
        case DO_CARRIER_DUTY:
                if (model->positions_up)
                        set_carrier_duty(model, action);
                break;
        case DO_HEARD:
                model->heard_actions++;
                if (model->positions_up)
                        set_heard(model, action);
                break;
        case DO_FIND_DUTY:
                find_duty(model, dispatcher, action);
                break;
        case DO_SMS_TAKEN:
        case DO_SMS_RECEIPT:
        case DO_SMS_SAY:
                model_sms(model, dispatcher, action);
                break;
        case DO_VAULT:
        case DO_DONE:
        case DO_ASK_PASS:
        case DO_TIMER:
        case DO_OPEN:
        case DO_ORDER:
                model->pass_actions++;
                model->pass_action = *action;
                break;
        }
}

/* ---- Commits that the store takes its time for: the action is kept whole ---------------------------------------------- */

static void hold(struct model *model, unsigned dispatcher, const struct core_action *action)
{
        struct model_mail *letter = calloc(1, sizeof(*letter));
        struct core_action *kept =
                malloc(sizeof(*kept) + action->u.commit.record.len + action->u.commit.alert.len + 16);
        uint8_t *at = (uint8_t *)(kept + 1);

        *kept = *action;
        memcpy(at, action->u.commit.record.at, action->u.commit.record.len);
        kept->u.commit.record.at = at;
        at += action->u.commit.record.len;
        if (action->u.commit.alert.len > 0)
                memcpy(at, action->u.commit.alert.at, action->u.commit.alert.len);
        kept->u.commit.alert.at = at;
        letter->dispatcher = dispatcher;
        letter->run = model->dispatchers[dispatcher].run;
        letter->bytes.at = (uint8_t *)kept;
        letter->next = model->held;
        model->held = letter;
}

void model_release(struct model *model)
{
        struct model_mail *held = model->held, *next;

        model->held = NULL;
        for (; held != NULL; held = next) {
                next = held->next;
                model->asker_is_dead = held->run != model->dispatchers[held->dispatcher].run;
                if (model->store_up)
                        commit(model, held->dispatcher, (struct core_action *)held->bytes.at);
                model->asker_is_dead = false;
                free(held->bytes.at);
                free(held);
        }
        model_pump(model);
}
