#include "tests/dispatcher/support/chaos_inside.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/alert.h"
#include "tests/dispatcher/support/model.h"

static const char *const names[SUPERVISORS] = { "anna", "bob", "cleo", "boss" };

uint8_t chaos_next(struct chaos *chaos, unsigned below)
{
        return chaos->at < chaos->end ? (uint8_t)(*chaos->at++ % below) : 0;
}

void chaos_wrong(const char *what)
{
        fprintf(stderr, "chaos: %s\n", what);
        abort();
}

/* ---- Orders --------------------------------------------------------------------------------------------------------- */

static bool is_alive(const struct chaos *chaos, uint64_t session)
{
        const struct model_session *s = &chaos->model->sessions[session - 1];

        return s->open && chaos->model->dispatchers[s->dispatcher].core != NULL;
}

static void connect(struct chaos *chaos)
{
        unsigned dispatcher = chaos_next(chaos, 2), number = chaos_next(chaos, HANDSETS + SUPERVISORS);
        enum core_certificate certificate = (enum core_certificate)chaos_next(chaos, 8);
        unsigned handset = number < HANDSETS ? number + 1 : 11 + number - HANDSETS;
        struct frame hello = { .type = FRAME_HELLO, .u.hello = { .version = 1 } };
        size_t slot = chaos->session_count < SESSIONS ? chaos->session_count++ : chaos_next(chaos, SESSIONS);

        if (chaos->model->dispatchers[dispatcher].core == NULL || chaos->model->session_count >= MODEL_SESSIONS - 1) {
                chaos->session_count -= slot == chaos->session_count - 1 && chaos->sessions[slot] == 0;
                return;
        }
        chaos->handsets[slot] = handset;
        chaos->sessions[slot] = model_connect(chaos->model, dispatcher, handset,
                                              certificate > CERTIFICATE_UNKNOWN ? CERTIFICATE_OK : certificate);
        if (chaos_next(chaos, 4) != 0)
                model_send(chaos->model, chaos->sessions[slot], &hello);
}

/* A session that lives, or 0. */
static uint64_t some_session(struct chaos *chaos, unsigned *ret_handset)
{
        size_t slot = chaos->session_count > 0 ? chaos_next(chaos, (unsigned)chaos->session_count) : 0;

        *ret_handset = 0;
        if (chaos->session_count == 0 || chaos->sessions[slot] == 0 || !is_alive(chaos, chaos->sessions[slot]))
                return 0;
        *ret_handset = chaos->handsets[slot];
        return chaos->sessions[slot];
}

static void press(struct chaos *chaos)
{
        unsigned handset;
        uint64_t session = some_session(chaos, &handset);
        struct alert alert = model_alert_default(chaos->model, chaos_next(chaos, 4) + 1);
        uint8_t cose[ALERT_MAX];
        struct frame frame = { .type = FRAME_ALERT };
        size_t size, flip;

        alert.revision = chaos_next(chaos, 8);
        alert.kind = (enum alert_kind)(chaos_next(chaos, 8) % ALERT_KIND_COUNT);
        alert.marks = chaos_next(chaos, 64);
        alert.has_fix = chaos_next(chaos, 4) != 0;
        if (!alert.has_fix)
                alert.lat_e7 = alert.lon_e7 = alert.accuracy_m = alert.fix_age_s = 0;
        if (chaos_next(chaos, 8) == 0)
                handset =
                        chaos_next(chaos, HANDSETS + 3) + 1; /* brought for another; the last three are not enrolled */
        if (session == 0)
                return;
        size = model_sign(&alert, handset, cose);
        flip = chaos_next(chaos, 255);
        if (flip < size && chaos_next(chaos, 4) == 0)
                cose[flip] ^= (uint8_t)(1u << chaos_next(chaos, 8));
        frame.u.cose.cose = (struct cbor_span){ cose, size };
        model_send(chaos->model, session, &frame);
}

static const uint8_t *some_alert(struct chaos *chaos)
{
        size_t count = chaos->model->alert_count;

        return count > 0 ? chaos->model->alerts[chaos_next(chaos, count < 250 ? (unsigned)count : 250)].id : NULL;
}

static void order(struct chaos *chaos)
{
        static const char *const logins[] = {
                "anna", "bob", "cleo", "boss", "control", "control", "nobody", "auditor"
        };
        const uint8_t *id = some_alert(chaos);
        struct command command = model_command((uint8_t)(chaos_next(chaos, COMMAND_END - 1) + 1), id);
        unsigned handset, dispatcher = chaos_next(chaos, 2);
        const char *login = logins[chaos_next(chaos, 8)];
        uint64_t session = some_session(chaos, &handset);

        if (id != NULL && chaos_next(chaos, 2) == 0)
                record_set_text(command.owner_seen, sizeof(command.owner_seen),
                                model_record(chaos->model, id).owner_id);
        memset(command.id, chaos_next(chaos, 32) + 1, EVENT_ID_SIZE); /* now and then the same again */
        if (chaos_next(chaos, 2) == 0 && session != 0 && handset > HANDSETS)
                (void)model_ask(chaos->model, session, &command);
        else if (chaos->model->store_up && chaos->model->dispatchers[dispatcher].core != NULL)
                (void)model_order(chaos->model, dispatcher, login, &command);
}

static void other_frame(struct chaos *chaos)
{
        unsigned handset;
        uint64_t session = some_session(chaos, &handset);
        struct frame frame = { .type = FRAME_DUTY };
        uint8_t garbage[16];

        switch (chaos_next(chaos, 5)) {
        case 0:
                frame.u.duty.on = chaos_next(chaos, 4) != 0;
                frame.u.duty.until_s = (uint32_t)(chaos->model->now_ms / 1000) + 60u * chaos_next(chaos, 200);
                record_set_text(frame.u.duty.person, sizeof(frame.u.duty.person),
                                handset > HANDSETS ? names[handset - 11] : "carl");
                break;
        case 1:
                frame.type = FRAME_HEARTBEAT;
                frame.u.heartbeat.battery = 50;
                frame.u.heartbeat.sealed = CBOR_LITERAL("sealed");
                break;
        case 2:
                frame.type = FRAME_PRESENCE;
                frame.u.presence.has_position = true;
                frame.u.presence.at.at_s = (uint32_t)(chaos->model->now_ms / 1000);
                frame.u.presence.at.lat_e7 = 457500000 + 1000 * chaos_next(chaos, 100);
                frame.u.presence.at.lon_e7 = 48500000;
                break;
        case 3:
                frame.type = FRAME_SAFE;
                break;
        default:
                for (size_t i = 0; i < sizeof(garbage); i++)
                        garbage[i] = chaos_next(chaos, 256);
                if (session != 0)
                        model_send_bytes(chaos->model, session, (struct cbor_span){ garbage, sizeof(garbage) });
                return;
        }
        if (session != 0)
                model_send(chaos->model, session, &frame);
}

static void fault(struct chaos *chaos)
{
        struct model *model = chaos->model;
        unsigned dispatcher = chaos_next(chaos, 2);

        static const uint8_t calm[] = { 0, 1, 2, 6, 7, 7, 8 };

        switch (chaos->calm ? calm[chaos_next(chaos, sizeof(calm))] : chaos_next(chaos, 10)) {
        case 0:
                model_store(model, !model->store_up);
                break;
        case 1:
                model_positions(model, !model->positions_up);
                break;
        case 2:
                model_disk(model, !model->disk_good);
                break;
        case 3:
                model_kill(model, dispatcher);
                break;
        case 4:
        case 5:
                if (model->dispatchers[dispatcher].core == NULL)
                        model_start(model, dispatcher);
                break;
        case 6:
                model->hold_sync = !model->hold_sync;
                model_sync(model);
                break;
        case 7:
                model->hold_commits = !model->hold_commits;
                if (!model->hold_commits)
                        model_release(model);
                break;
        case 8:
                model_scan(model);
                break;
        default:
                model->kill_at = model->actions + 1 + chaos_next(chaos, 20);
        }
}

static void change_people(struct chaos *chaos)
{
        unsigned number = chaos_next(chaos, HANDSETS);
        struct handset_entry entry = chaos->model->handsets[number].entry;

        entry.revoked_at_s = chaos_next(chaos, 2);
        model_put_handset(chaos->model, number + 1, &entry);
}

/* ---- What must hold -------------------------------------------------------------------------------------------------- */

bool chaos_is_in_store(struct model *model, const uint8_t id[ALERT_ID_SIZE])
{
        if (model_stored(model, id) != NULL || model_tombstone(model, id) != NULL)
                return true;
        for (size_t i = 0; i < model->alert_count; i++) {
                struct record record = model_record(model, model->alerts[i].id);

                if (memcmp(record.handset, id, HANDSET_ID_SIZE) == 0 &&
                    (record.alias_count == RECORD_ALIASES_MAX || /* may have given way */
                     alert_alias_find(&record, id + HANDSET_ID_SIZE) >= 0))
                        return true;
                /* Told under its claimed id: it is there under one of its own. */
                if (record.why_unverified >= UNVERIFIED_SIGNATURE && memcmp(record.handset, id, HANDSET_ID_SIZE) == 0)
                        return true;
        }
        return false;
}

static void nowhere(uint64_t session, const struct receipt *receipt)
{
        char id[ALERT_ID_TEXT];

        alert_id_to_text(&receipt->alert, id);
        fprintf(stderr, "chaos: session %llu, alert %s, version %u, state %u: ", (unsigned long long)session, id,
                receipt->version, receipt->state);
        chaos_wrong("told as received, and nowhere");
}

static void check_promises(struct model *model)
{
        for (size_t i = 0; i < model->session_count; i++)
                for (size_t j = 0; j < model->sessions[i].receipt_count && j < 64; j++) {
                        const struct receipt *receipt = &model->sessions[i].receipts[j];

                        if (receipt_is_received(receipt->state) && receipt->state != RECEIPT_PROVED &&
                            !chaos_is_in_store(model, receipt->alert.octets))
                                nowhere(i + 1, receipt);
                }
}

static void check_feed(struct model *model)
{
        for (size_t i = 0; i < model->alert_count; i++) {
                struct record record, last = { 0 };

                for (size_t j = 0; j < model->feed_count; j++) {
                        const struct model_entry *entry = &model->feed[j];

                        if (entry->kind != CORE_FEED_ALERT)
                                continue;
                        assert(record_decode(entry->record.at, entry->record.len, &record) == 0);
                        if (memcmp(record.id, model->alerts[i].id, ALERT_ID_SIZE) != 0)
                                continue;
                        if (record.version <= last.version)
                                chaos_wrong("a version that does not rise");
                        if (last.state == ALERT_CLOSED)
                                chaos_wrong("closed, and changed");
                        if ((record.marks & last.marks) !=
                                    (last.marks & ~(uint32_t)(RECORD_NO_NEWS | RECORD_UNVERIFIED)) &&
                            (record.marks & last.marks) != last.marks && (last.marks & RECORD_NO_NEWS) == 0)
                                chaos_wrong("a mark that went away");
                        if ((record.state >= ALERT_TAKEN && record.state < ALERT_CLOSED) !=
                                    (record.owner_id[0] != '\0') &&
                            record.state != ALERT_CLOSED)
                                chaos_wrong("an owner without a state, or the other way round");
                        last = record;
                }
        }
}

struct held {
        struct model *model;
        size_t count;
};

static void check_held(void *user, struct cbor_span bytes)
{
        struct held *held = user;
        struct record record;
        const struct model_alert *alert;

        assert(record_decode(bytes.at, bytes.len, &record) == 0);
        alert = model_stored(held->model, record.id);
        if (alert == NULL || alert->closed)
                chaos_wrong("held, and not open in the store");
        if (alert->version != record.version) {
                char id[ALERT_ID_TEXT];

                alert_id_to_text((const struct alert_id *)record.id, id);
                fprintf(stderr, "chaos: alert %s, version %u held, %u in the store: ", id, record.version,
                        alert->version);
                chaos_wrong("held in another version than the store has");
        }
        held->count++;
}

static void check_cores(struct model *model)
{
        for (unsigned d = 0; d < model->count; d++) {
                const struct core_counters *counters = core_counters(model->dispatchers[d].core);
                struct held held = { .model = model };

                core_each_record(model->dispatchers[d].core, check_held, &held);
                if (held.count != model_open(model))
                        chaos_wrong("open in the store, and not held");
                if (counters->waiting != 0 || counters->commits != 0)
                        chaos_wrong("something waits");
                if (counters->open_alerts != (int64_t)held.count)
                        chaos_wrong("the gauge of open alerts");
        }
}

static void repair(struct model *model)
{
        model->kill_at = 0;
        model->hold_sync = model->hold_commits = false;
        model_release(model);
        model_sync(model);
        model_positions(model, true);
        model_disk(model, true);
        model_store(model, false);
        model_store(model, true);
        for (unsigned d = 0; d < model->count; d++)
                if (model->dispatchers[d].core == NULL)
                        model_start(model, d);
        model_pass(model, 1000);
}

static struct model *begin(void)
{
        struct model *model = model_new(2, NULL);

        model->options.sms = true;
        model->options.control_number = CHAOS_CONTROL_NUMBER;
        model_begin(model);
        model_put_user(model, "auditor", ROLE_AUDITOR);
        model_put_carrier(model, "carl");
        for (unsigned i = 1; i <= HANDSETS; i++)
                model_enrol(model, i, HANDSET_CARRIER, i == 1 ? "carl" : "");
        for (unsigned i = 0; i < SUPERVISORS; i++) {
                model_put_supervisor(model, names[i], "", i == 3);
                model_enrol(model, 11 + i, HANDSET_SUPERVISOR, names[i]);
                if (i < 2)
                        model_on_duty(model, names[i], 45.751 + i * 0.001, 4.85);
        }
        return model;
}

void chaos_run(const uint8_t *orders, size_t size)
{
        struct chaos chaos = { .model = begin(), .at = orders, .end = orders + size };

        chaos.calm = chaos_next(&chaos, 2) == 0;
        chaos.model->feed_first = chaos_next(&chaos, 2) == 0;
        while (chaos.at < chaos.end && chaos.model->feed_count < 12000 && chaos.model->answer_count < 100000)
                switch (chaos_next(&chaos, 20)) {
                case 0:
                case 1:
                        connect(&chaos);
                        break;
                case 2:
                case 3:
                case 4:
                case 5:
                        press(&chaos);
                        break;
                case 6:
                case 7:
                case 8:
                case 9:
                        order(&chaos);
                        break;
                case 10:
                case 11:
                        other_frame(&chaos);
                        break;
                case 12:
                        model_pass(chaos.model, (int64_t)chaos_next(&chaos, 50) * chaos_next(&chaos, 50) * 10);
                        break;
                case 13:
                case 14:
                        fault(&chaos);
                        break;
                case 15:
                        change_people(&chaos);
                        break;
                default:
                        chaos_sms(&chaos);
                }
        repair(chaos.model);
        chaos_check_sms(&chaos);
        check_promises(chaos.model);
        check_feed(chaos.model);
        check_cores(chaos.model);
        model_free(chaos.model);
}
