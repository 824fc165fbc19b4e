#include "tests/dispatcher/support/model.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct model_mail {
        unsigned dispatcher, run;
        struct core_event event;
        struct model_bytes bytes; /* that the event points into */
        struct model_mail *next;
};

static struct model_bytes copy(struct cbor_span span)
{
        struct model_bytes bytes = { malloc(span.len + 1), span.len };

        if (span.len > 0)
                memcpy(bytes.at, span.at, span.len);
        return bytes;
}

static struct cbor_span span(struct model_bytes bytes)
{
        return (struct cbor_span){ bytes.at, bytes.len };
}

/* ---- Stand-ins for signature and hash ------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t hash, const void *data, size_t len)
{
        for (size_t i = 0; i < len; i++)
                hash = (hash ^ ((const uint8_t *)data)[i]) * UINT64_C(1099511628211);
        return hash ^ hash >> 29;
}

static void model_hash(void *user, struct cbor_span data, uint8_t hash[32])
{
        for (size_t i = 0; i < 4; i++) {
                uint64_t part = mix(UINT64_C(14695981039346656037) + i, data.at, data.len) * (2 * i + 3);

                memcpy(hash + 8 * i, &part, 8);
        }
}

static void key_of(unsigned handset, uint8_t key[P256_POINT_SIZE])
{
        memset(key, (int)(handset * 7 + 1), P256_POINT_SIZE);
        memcpy(key + 1, &handset, sizeof(handset));
}

static void signature_of(const uint8_t key[P256_POINT_SIZE], struct cbor_span payload, uint8_t signature[64])
{
        for (size_t i = 0; i < 8; i++) {
                uint64_t part =
                        mix(mix(UINT64_C(0xcbf29ce484222325) + i, key, P256_POINT_SIZE), payload.at, payload.len);

                memcpy(signature + 8 * i, &part, 8);
        }
}

static bool model_verify(void *user, const uint8_t key[P256_POINT_SIZE], const struct alert_signed *alert)
{
        uint8_t signature[64];

        signature_of(key, alert->cose.payload, signature);
        return alert->cose.signature.len == 64 && memcmp(signature, alert->cose.signature.at, 64) == 0;
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

static struct model_entry *feed(struct model *model, int kind)
{
        struct model_entry *entry = &model->feed[model->feed_count++];

        assert(model->feed_count < sizeof(model->feed) / sizeof(model->feed[0]));
        entry->kind = kind;
        return entry;
}

static void mail(struct model *model, unsigned dispatcher, const struct core_event *event, struct model_bytes bytes)
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
        struct model_bytes bytes = copy(record);

        event->kind = CORE_COMMITTED;
        event->u.committed.record = span(bytes);
        if (model->lose_replies)
                event->u.committed.result = CORE_UNKNOWN;
        mail(model, dispatcher, event, bytes);
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
        alert->record = copy(action->u.commit.record);
        alert->version = action->u.commit.version;
        alert->due_ms = model->now_ms + action->u.commit.due_in_ms;
        alert->urgency = action->u.commit.urgency;
        alert->closed = action->u.commit.closed;
        if (action->u.commit.alert.len > 0) {
                free(alert->signed_alert.at);
                alert->signed_alert = copy(action->u.commit.alert);
        }
        for (size_t i = 0; alert->closed && i < action->u.commit.gone_count; i++)
                bury(model, action->u.commit.gone[i], &action->u.commit.tombstone);
        entry = feed(model, CORE_FEED_ALERT);
        entry->event = action->u.commit.event;
        entry->record = copy(action->u.commit.record);
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
                answer(model, dispatcher, &event, alert != NULL ? span(alert->record) : (struct cbor_span){ 0 });
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

static void look(struct model *model, unsigned dispatcher, const struct core_action *action)
{
        struct model_alert *alert = model_stored(model, action->u.look.id);
        const struct tombstone *tombstone = model_tombstone(model, action->u.look.id);
        struct core_event event = { .u.committed.token = action->u.look.token };

        model->looks++;
        event.u.committed.result = tombstone != NULL ? CORE_TOMBSTONE : CORE_CONFLICT;
        if (tombstone != NULL)
                event.u.committed.tombstone = *tombstone;
        answer(model, dispatcher, &event, alert != NULL ? span(alert->record) : (struct cbor_span){ 0 });
}

/* ---- The rest that actions do --------------------------------------------------------------------------------------- */

static void append(struct model *model, unsigned dispatcher, const struct core_action *action)
{
        struct model_dispatcher *d = &model->dispatchers[dispatcher];

        assert(action->u.append.number == ++d->numbered);
        assert(action->u.append.bytes.len <= CORE_APPEND_MAX);
        model->appends++;
        d->unsynced[d->unsynced_count++] = copy(action->u.append.bytes);
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
        found->on_duty = action->u.carrier_duty.duty != NULL;
        if (found->on_duty)
                found->duty = *action->u.carrier_duty.duty;
        found->heard_at_ms = action->u.carrier_duty.heard_at_ms;
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
        mail(model, dispatcher, &event, (struct model_bytes){ 0 });
}

static void set_duty(struct model *model, const char *person, bool on, const struct duty_entry *duty)
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

static void set_presence(struct model *model, const char *person, const struct presence *presence)
{
        struct core_event event = { .kind = CORE_PRESENCE };

        for (size_t i = 0; i < model->duty_count; i++)
                if (strcmp(model->duty[i].id, person) == 0)
                        model->duty[i].presence = *presence;
        for (unsigned d = 0; d < model->count; d++) {
                struct model_bytes name = copy((struct cbor_span){ (const uint8_t *)person, strlen(person) + 1 });

                event.u.presence.person = (const char *)name.at;
                event.u.presence.presence = *presence;
                mail(model, d, &event, name);
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
                entry = feed(model, CORE_FEED_NOTICE);
                memcpy(entry->key, action->u.notice.key, strlen(action->u.notice.key) + 1);
                entry->on = action->u.notice.notice != NULL;
                if (entry->on)
                        entry->notice = *action->u.notice.notice;
                break;
        case DO_DUTY:
                entry = feed(model, CORE_FEED_DUTY);
                memcpy(entry->key, action->u.duty.person, sizeof(action->u.duty.person));
                entry->on = action->u.duty.on;
                entry->duty = action->u.duty.duty;
                set_duty(model, entry->key, entry->on, &entry->duty);
                break;
        case DO_ANSWER:
                got_answer(model, action);
                break;
        default:
                abort();
        }
}

static void hold(struct model *model, unsigned dispatcher, const struct core_action *action);

static void done(struct model *model, unsigned dispatcher, const struct core_action *action)
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
                        set_presence(model, action->u.presence.person, &action->u.presence.presence);
                break;
        case DO_CARRIER_DUTY:
                if (model->positions_up)
                        set_carrier_duty(model, action);
                break;
        case DO_HEARD:
                model->heard_actions++;
                if (carrier(model, action->u.heard.handset, false) != NULL)
                        carrier(model, action->u.heard.handset, false)->heard_at_ms = action->u.heard.heard_at_ms;
                break;
        case DO_FIND_DUTY:
                find_duty(model, dispatcher, action);
                break;
        case DO_SMS_DUE:
                model->sms_due++;
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
                if (model->store_up)
                        commit(model, held->dispatcher, (struct core_action *)held->bytes.at);
                free(held->bytes.at);
                free(held);
        }
        model_pump(model);
}

/* ---- Events ---------------------------------------------------------------------------------------------------------- */

static void close_sessions(struct model *model, unsigned dispatcher)
{
        for (size_t i = 0; i < model->session_count; i++)
                if (model->sessions[i].dispatcher == dispatcher)
                        model->sessions[i].open = false;
}

void model_kill(struct model *model, unsigned dispatcher)
{
        struct model_dispatcher *d = &model->dispatchers[dispatcher];

        core_free(d->core);
        d->core = NULL;
        d->run++;
        while (d->unsynced_count > 0)
                free(d->unsynced[--d->unsynced_count].at);
        close_sessions(model, dispatcher);
}

void model_event(struct model *model, unsigned dispatcher, struct core_event *event)
{
        struct model_dispatcher *d = &model->dispatchers[dispatcher];
        struct core_action action;

        if (d->core == NULL)
                return;
        event->now_ms = model->now_ms;
        event->now_mono_ms = model->now_ms - MODEL_NOW_MS;
        core_handle(d->core, event);
        while (d->core != NULL && core_next(d->core, &action)) {
                if (dispatcher == 0 && model->kill_at != 0 && ++model->actions >= model->kill_at) {
                        model->kill_at = 0;
                        model_kill(model, dispatcher);
                        return;
                }
                done(model, dispatcher, &action);
        }
}

static void sync(struct model *model, unsigned dispatcher)
{
        struct model_dispatcher *d = &model->dispatchers[dispatcher];
        struct core_event event = { .kind = CORE_SYNCED, .u.synced.up_to = d->numbered };

        if (d->core == NULL || d->unsynced_count == 0)
                return;
        for (size_t i = 0; i < d->unsynced_count; i++)
                d->journal[d->journal_count++] = d->unsynced[i];
        d->unsynced_count = 0;
        model_event(model, dispatcher, &event);
}

static bool feed_some(struct model *model, unsigned dispatcher)
{
        struct model_dispatcher *d = &model->dispatchers[dispatcher];
        const struct model_entry *entry = &model->feed[d->fed];
        struct core_event event = { .kind = (enum core_event_kind)entry->kind };

        if (d->core == NULL || !model->store_up || d->fed == model->feed_count)
                return false;
        d->fed++;
        if (entry->kind == CORE_FEED_ALERT) {
                event.u.feed_alert.record = span(entry->record);
                event.u.feed_alert.event = entry->event;
        } else if (entry->kind == CORE_FEED_NOTICE) {
                event.u.feed_notice.key = entry->key;
                event.u.feed_notice.notice = entry->on ? &entry->notice : NULL;
        } else {
                event.u.feed_duty.person = entry->key;
                event.u.feed_duty.duty = entry->on ? &entry->duty : NULL;
        }
        model_event(model, dispatcher, &event);
        return true;
}

static bool deliver(struct model *model)
{
        struct model_mail *letter = model->mail;

        if (letter == NULL)
                return false;
        model->mail = letter->next;
        if (model->mail == NULL)
                model->mail_end = &model->mail;
        if (letter->run == model->dispatchers[letter->dispatcher].run)
                model_event(model, letter->dispatcher, &letter->event);
        free(letter->bytes.at);
        free(letter);
        return true;
}

void model_pump(struct model *model)
{
        bool busy = true;

        while (busy) {
                busy = deliver(model);
                for (unsigned d = 0; d < model->count; d++) {
                        busy |= feed_some(model, d);
                        if (!model->hold_sync && model->dispatchers[d].unsynced_count > 0) {
                                sync(model, d);
                                busy = true;
                        }
                }
        }
}

void model_sync(struct model *model)
{
        for (unsigned d = 0; d < model->count; d++)
                sync(model, d);
        model_pump(model);
}

void model_pass(struct model *model, int64_t ms)
{
        int64_t until_ms = model->now_ms + ms;

        while (model->now_ms < until_ms) {
                model->now_ms += until_ms - model->now_ms < CORE_TICK_MS ? until_ms - model->now_ms : CORE_TICK_MS;
                for (unsigned d = 0; d < model->count; d++) {
                        struct core_event event = { .kind = CORE_TICK };

                        model_event(model, d, &event);
                }
                model_pump(model);
        }
}

static void state(struct model *model, unsigned dispatcher, enum core_event_kind kind, bool up)
{
        struct core_event event = { .kind = kind, .u.state.up = up };

        model_event(model, dispatcher, &event);
}

static void load_alerts(struct model *model, unsigned dispatcher)
{
        struct model_dispatcher *d = &model->dispatchers[dispatcher];

        core_load_begin(d->core);
        d->fed = model->feed_count;
        for (size_t i = 0; i < model->alert_count; i++)
                if (!model->alerts[i].closed)
                        assert(core_load_record(d->core, span(model->alerts[i].record)) == 0);
        for (size_t i = 0; i < model->feed_count; i++)
                if (model->feed[i].kind == CORE_FEED_NOTICE)
                        (void)core_load_notice(d->core, model->feed[i].key,
                                               model->feed[i].on ? &model->feed[i].notice : NULL);
        for (size_t i = 0; i < model->duty_count; i++)
                (void)core_load_duty(d->core, model->duty[i].id, model->duty[i].on ? &model->duty[i].duty : NULL);
        core_load_end(d->core);
}

void model_store(struct model *model, bool up)
{
        model->store_up = up;
        for (unsigned d = 0; d < model->count; d++) {
                if (up && model->dispatchers[d].core != NULL)
                        load_alerts(model, d);
                state(model, d, CORE_STORE, up);
        }
        model_pump(model);
}

void model_positions(struct model *model, bool up)
{
        model->positions_up = up;
        for (unsigned d = 0; d < model->count; d++)
                state(model, d, CORE_POSITIONS, up);
        model_pump(model);
}

void model_disk(struct model *model, bool good)
{
        model->disk_good = good;
        for (unsigned d = 0; d < model->count; d++)
                state(model, d, CORE_DISK, good);
        model_pump(model);
}

void model_scan(struct model *model)
{
        struct core_found *late = calloc(CORE_SCAN_MAX, sizeof(*late));
        struct core_event event = { .kind = CORE_SCAN, .u.scan.late = late };

        for (size_t i = 0; i < model->carrier_count; i++) {
                event.u.scan.total += model->carriers[i].on_duty;
                if (model->carriers[i].on_duty && model->carriers[i].heard_at_ms <= model->now_ms - CORE_OVERDUE_MS)
                        late[event.u.scan.count++] = model->carriers[i];
        }
        event.u.scan.late_total = event.u.scan.count;
        for (unsigned d = 0; d < model->count; d++)
                model_event(model, d, &event);
        free(late);
        model_pump(model);
}

/* ---- Set up ---------------------------------------------------------------------------------------------------------- */

struct model *model_new(unsigned count, const char *zones)
{
        struct model *model = calloc(1, sizeof(*model));
        struct geo_error error;

        assert(model != NULL && count <= MODEL_DISPATCHERS);
        model->now_ms = MODEL_NOW_MS;
        model->count = count;
        model->store_up = model->positions_up = model->disk_good = true;
        model->mail_end = &model->mail;
        if (zones != NULL && zones_read(zones, strlen(zones), &model->zones, &error) < 0) {
                fprintf(stderr, "zones: %s\n", error.text);
                abort();
        }
        model->options = (struct core_options){
                .region = "test", .seed = 42, .zones = model->zones, .verify = model_verify, .hash = model_hash
        };
        return model;
}

static void load_people(struct model *model, struct core *core)
{
        for (size_t i = 0; i < model->handset_count; i++)
                assert(core_load_handset(core, model->handsets[i].id, &model->handsets[i].entry) == 0);
        for (size_t i = 0; i < model->people_count; i++)
                assert(core_load_supervisor(core, model->people[i].id, &model->people[i].entry) == 0);
        for (size_t i = 0; i < model->user_count; i++)
                assert(core_load_user(core, model->users[i].login, &model->users[i].entry) == 0);
        for (size_t i = 0; i < model->carrier_name_count; i++)
                assert(core_load_carrier(core, model->carrier_names[i].id, &model->carrier_names[i].entry) == 0);
        for (size_t i = 0; i < model->round_count; i++)
                assert(core_load_round(core, model->rounds[i].id, &model->rounds[i].entry) == 0);
}

void model_start(struct model *model, unsigned dispatcher)
{
        struct model_dispatcher *d = &model->dispatchers[dispatcher];
        char name[2] = { (char)('a' + dispatcher), 0 };

        model->options.rank = dispatcher;
        model->options.name = name;
        assert(core_new(&model->options, &d->core) == 0);
        d->numbered = 0;
        load_people(model, d->core);
        for (size_t i = 0; i < d->journal_count; i++)
                assert(core_replay(d->core, span(d->journal[i])) == 0);
        if (model->store_up)
                load_alerts(model, dispatcher);
        for (size_t i = 0; i < model->duty_count; i++)
                (void)core_load_presence(d->core, model->duty[i].id, &model->duty[i].presence);
        state(model, dispatcher, CORE_DISK, model->disk_good);
        state(model, dispatcher, CORE_POSITIONS, model->positions_up);
        state(model, dispatcher, CORE_STORE, model->store_up);
        model_pump(model);
}

void model_begin(struct model *model)
{
        for (unsigned d = 0; d < model->count; d++)
                model_start(model, d);
        model_put_user(model, "control", ROLE_CONTROL);
}

void model_free(struct model *model)
{
        for (unsigned d = 0; d < model->count; d++) {
                model_kill(model, d);
                while (model->dispatchers[d].journal_count > 0)
                        free(model->dispatchers[d].journal[--model->dispatchers[d].journal_count].at);
        }
        while (deliver(model))
                ;
        model->store_up = false;
        model_release(model);
        for (size_t i = 0; i < model->alert_count; i++) {
                free(model->alerts[i].record.at);
                free(model->alerts[i].signed_alert.at);
        }
        for (size_t i = 0; i < model->feed_count; i++)
                free(model->feed[i].record.at);
        zones_free(model->zones);
        free(model);
}

void model_handset_id(unsigned number, uint8_t ret_id[HANDSET_ID_SIZE])
{
        memset(ret_id, 0xa0, HANDSET_ID_SIZE);
        ret_id[6] = (uint8_t)(number >> 8);
        ret_id[7] = (uint8_t)number;
}

void model_put_handset(struct model *model, unsigned number, const struct handset_entry *entry)
{
        uint8_t id[HANDSET_ID_SIZE];
        size_t i = 0;

        model_handset_id(number, id);
        while (i < model->handset_count && memcmp(model->handsets[i].id, id, HANDSET_ID_SIZE) != 0)
                i++;
        if (i == model->handset_count)
                model->handset_count++;
        memcpy(model->handsets[i].id, id, HANDSET_ID_SIZE);
        model->handsets[i].entry = *entry;
        for (unsigned d = 0; d < model->count; d++)
                if (model->dispatchers[d].core != NULL)
                        assert(core_load_handset(model->dispatchers[d].core, id, entry) == 0);
}

void model_enrol(struct model *model, unsigned number, uint8_t role, const char *person)
{
        struct handset_entry entry = { .not_after_s = UINT32_MAX, .role = role };

        key_of(number, entry.key);
        record_set_text(entry.person, sizeof(entry.person), person);
        record_set_text(entry.number, sizeof(entry.number), "+33600000000");
        model_put_handset(model, number, &entry);
}

void model_put_supervisor(struct model *model, const char *id, const char *team, bool manager)
{
        struct supervisor_entry entry = { .manager = manager };

        record_set_text(entry.name, sizeof(entry.name), id);
        entry.name[0] = (char)(entry.name[0] - 'a' + 'A');
        record_set_text(entry.team, sizeof(entry.team), team);
        record_set_text(entry.number, sizeof(entry.number), "+33611111111");
        memcpy(model->people[model->people_count].id, id, strlen(id) + 1);
        model->people[model->people_count++].entry = entry;
        for (unsigned d = 0; d < model->count; d++)
                if (model->dispatchers[d].core != NULL)
                        assert(core_load_supervisor(model->dispatchers[d].core, id, &entry) == 0);
        model_put_user(model, id, ROLE_SUPERVISOR);
}

void model_put_carrier(struct model *model, const char *id)
{
        struct carrier_entry entry = { 0 };

        record_set_text(entry.name, sizeof(entry.name), id);
        record_set_text(entry.number, sizeof(entry.number), "+33622222222");
        memcpy(model->carrier_names[model->carrier_name_count].id, id, strlen(id) + 1);
        model->carrier_names[model->carrier_name_count++].entry = entry;
        for (unsigned d = 0; d < model->count; d++)
                if (model->dispatchers[d].core != NULL)
                        assert(core_load_carrier(model->dispatchers[d].core, id, &entry) == 0);
}

void model_put_user(struct model *model, const char *login, uint8_t role)
{
        struct user_entry entry = { .role = role };

        record_set_text(entry.person, sizeof(entry.person), login);
        record_set_text(entry.name, sizeof(entry.name), login);
        entry.name[0] = (char)(entry.name[0] - 'a' + 'A');
        memcpy(model->users[model->user_count].login, login, strlen(login) + 1);
        model->users[model->user_count++].entry = entry;
        for (unsigned d = 0; d < model->count; d++)
                if (model->dispatchers[d].core != NULL)
                        assert(core_load_user(model->dispatchers[d].core, login, &entry) == 0);
}

void model_put_round(struct model *model, const char *id, const char *zone)
{
        struct round_entry entry = { 0 };

        record_set_text(entry.name, sizeof(entry.name), id);
        record_set_text(entry.zone_id, sizeof(entry.zone_id), zone);
        memcpy(model->rounds[model->round_count].id, id, strlen(id) + 1);
        model->rounds[model->round_count++].entry = entry;
        for (unsigned d = 0; d < model->count; d++)
                if (model->dispatchers[d].core != NULL)
                        assert(core_load_round(model->dispatchers[d].core, id, &entry) == 0);
}

void model_hear(struct model *model, const char *id)
{
        struct presence presence = { .at_ms = model->now_ms, .by = PRESENCE_HANDSET };

        set_presence(model, id, &presence);
        model_pump(model);
}

void model_on_duty(struct model *model, const char *id, double lat_deg, double lon_deg)
{
        struct model_entry *entry = feed(model, CORE_FEED_DUTY);
        struct presence presence = { .at_ms = model->now_ms, .by = PRESENCE_HANDSET, .has_position = true };

        memcpy(entry->key, id, strlen(id) + 1);
        entry->on = true;
        entry->duty.since_ms = model->now_ms;
        set_duty(model, id, true, &entry->duty);
        model_pump(model);
        presence.at = (struct track_point){ .at_s = (uint32_t)(model->now_ms / 1000),
                                            .lat_e7 = (int32_t)(lat_deg * 1e7),
                                            .lon_e7 = (int32_t)(lon_deg * 1e7),
                                            .accuracy_m = 10 };
        set_presence(model, id, &presence);
        model_pump(model);
}

/* ---- Sessions --------------------------------------------------------------------------------------------------------- */

struct model_session *model_session(struct model *model, uint64_t session)
{
        return &model->sessions[session - 1];
}

uint64_t model_connect(struct model *model, unsigned dispatcher, unsigned handset, enum core_certificate certificate)
{
        uint64_t id = ++model->session_count;
        struct core_event event = { .kind = CORE_OPENED };

        assert(id <= MODEL_SESSIONS);
        model->sessions[id - 1] = (struct model_session){ .dispatcher = dispatcher, .open = true };
        event.u.opened.session = id;
        event.u.opened.certificate = certificate;
        model_handset_id(handset, event.u.opened.handset);
        memcpy(event.u.opened.fingerprint, &handset, sizeof(handset));
        event.u.opened.fingerprint[7] = 0xf0;
        model_event(model, dispatcher, &event);
        model_pump(model);
        return id;
}

uint64_t model_login(struct model *model, unsigned dispatcher, unsigned handset)
{
        uint64_t id = model_connect(model, dispatcher, handset, CERTIFICATE_OK);
        struct frame hello = { .type = FRAME_HELLO, .u.hello = { .version = FRAME_VERSION } };

        model_send(model, id, &hello);
        assert(model->dispatchers[dispatcher].core == NULL || model->sessions[id - 1].frames[0] == FRAME_WELCOME);
        return id;
}

void model_close(struct model *model, uint64_t session)
{
        struct core_event event = { .kind = CORE_CLOSED, .u.closed.session = session };

        model->sessions[session - 1].open = false;
        model_event(model, model->sessions[session - 1].dispatcher, &event);
        model_pump(model);
}

void model_send_bytes(struct model *model, uint64_t session, struct cbor_span bytes)
{
        struct core_event event = { .kind = CORE_FRAME };

        event.u.frame.session = session;
        event.u.frame.bytes = bytes;
        event.u.frame.stamp = session * 1000;
        model_event(model, model->sessions[session - 1].dispatcher, &event);
        model_pump(model);
}

void model_send(struct model *model, uint64_t session, const struct frame *frame)
{
        uint8_t buf[FRAME_HANDSET_MAX];
        int n = frame_encode(frame, buf, sizeof(buf));

        assert(n > 0);
        model_send_bytes(model, session, (struct cbor_span){ buf, (size_t)n });
}

/* ---- Presses and commands --------------------------------------------------------------------------------------------- */

struct alert model_alert_default(const struct model *model, uint64_t nonce)
{
        struct alert alert = { .pressed_at_s = (uint32_t)(model->now_ms / 1000),
                               .kind = ALERT_PANIC,
                               .has_fix = true,
                               .lat_e7 = 457500000,
                               .lon_e7 = 48500000,
                               .accuracy_m = 12,
                               .fix_age_s = 3,
                               .battery_percent = 80 };

        memcpy(alert.nonce, &nonce, sizeof(nonce));
        return alert;
}

void model_alert_id(unsigned handset, uint64_t nonce, uint8_t ret_id[ALERT_ID_SIZE])
{
        model_handset_id(handset, ret_id);
        memcpy(ret_id + HANDSET_ID_SIZE, &nonce, sizeof(nonce));
}

size_t model_sign_payload(struct cbor_span payload, unsigned handset, uint8_t to[ALERT_MAX])
{
        uint8_t key[P256_POINT_SIZE], signature[KEY_SIGNATURE_SIZE], id[HANDSET_ID_SIZE];
        struct cose_parts parts = { .alg = KEY_ES256, .kid = id, .payload = payload, .aad = CBOR_LITERAL(ALERT_AAD) };
        struct cbor_writer w;

        model_handset_id(handset, id);
        key_of(handset, key);
        signature_of(key, payload, signature);
        cbor_writer_init(&w, to, ALERT_MAX);
        assert(cose_sign1_finish(&parts, signature, &w) == 0);
        return w.len;
}

size_t model_sign(const struct alert *alert, unsigned handset, uint8_t to[ALERT_MAX])
{
        uint8_t payload[ALERT_MAX];
        struct cbor_writer w;

        cbor_writer_init(&w, payload, sizeof(payload));
        assert(alert_write_payload(alert, &w) == 0);
        return model_sign_payload(cbor_written(&w), handset, to);
}

void model_press(struct model *model, uint64_t session, unsigned handset, const struct alert *alert)
{
        uint8_t cose[ALERT_MAX];
        struct frame frame = { .type = FRAME_ALERT };

        frame.u.cose.cose = (struct cbor_span){ cose, model_sign(alert, handset, cose) };
        model_send(model, session, &frame);
}

struct command model_command(uint8_t verb, const uint8_t id[ALERT_ID_SIZE])
{
        static const uint8_t none[ALERT_ID_SIZE];
        struct command command = { .verb = verb };

        memcpy(command.alert, id != NULL ? id : none, ALERT_ID_SIZE);
        if (verb == COMMAND_CLOSE)
                command.reason = CLOSE_HELPED;
        return command;
}

int model_order(struct model *model, unsigned dispatcher, const char *login, const struct command *order)
{
        struct core_event event = { .kind = CORE_COMMAND };
        struct command *command = &event.u.command.command;
        size_t before = model->answer_count;
        uint64_t id;

        *command = *order;
        id = mix(before + model->commits * 977, command, sizeof(*command)) + model->feed_count;
        if (memcmp(command->id, "\0\0\0\0\0\0\0", EVENT_ID_SIZE) == 0)
                memcpy(command->id, &id, sizeof(id));
        if (command->expires_ms == 0)
                command->expires_ms = model->now_ms + COMMAND_TERM_MS;
        if (command->role == 0)
                command->role = strcmp(login, "control") == 0 ? ROLE_CONTROL : ROLE_SUPERVISOR;
        if (command->person[0] == '\0')
                record_set_text(command->person, sizeof(command->person), login);
        record_set_text(command->login, sizeof(command->login), login);
        event.u.command.ref = 7;
        model_event(model, dispatcher, &event);
        model_pump(model);
        return model->answer_count > before ? model->answers[(model->answer_count - 1) % 1024].code : -1;
}

int model_ask(struct model *model, uint64_t session, const struct command *command)
{
        struct frame frame = { .type = FRAME_COMMAND };
        size_t before = model->sessions[session - 1].frame_count;
        uint64_t id = mix(before, &session, sizeof(session)) + (uint64_t)model->now_ms;

        frame.u.command.request = (uint32_t)before + 1;
        frame.u.command.command = *command;
        if (memcmp(command->id, "\0\0\0\0\0\0\0", EVENT_ID_SIZE) == 0)
                memcpy(frame.u.command.command.id, &id, sizeof(id));
        model_send(model, session, &frame);
        if (model->sessions[session - 1].frame_count == before ||
            model->sessions[session - 1].frame.type != FRAME_ANSWER)
                return -1;
        return model->sessions[session - 1].frame.u.answer.code;
}
