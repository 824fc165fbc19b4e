#include "tests/dispatcher/support/model_inside.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Stand-ins for signature and hash ------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t hash, const void *data, size_t len)
{
        for (size_t i = 0; i < len; i++)
                hash = (hash ^ ((const uint8_t *)data)[i]) * UINT64_C(1099511628211);
        return hash ^ hash >> 29;
}

void model_hash(void *user, struct cbor_span data, uint8_t hash[32])
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

bool model_verify(void *user, const uint8_t key[P256_POINT_SIZE], const struct alert_signed *alert)
{
        uint8_t signature[64];

        signature_of(key, alert->cose.payload, signature);
        return alert->cose.signature.len == 64 && memcmp(signature, alert->cose.signature.at, 64) == 0;
}

/* ---- Who there is */

void model_load_people(struct model *model, struct core *core)
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
        model_number(number, entry.number);
        model_put_handset(model, number, &entry);
}

void model_put_supervisor(struct model *model, const char *id, const char *team, bool manager)
{
        struct supervisor_entry entry = { .manager = manager };

        record_set_text(entry.name, sizeof(entry.name), id);
        entry.name[0] = (char)(entry.name[0] - 'a' + 'A');
        record_set_text(entry.team, sizeof(entry.team), team);
        snprintf(entry.number, sizeof(entry.number), "+336110%05zu", model->people_count);
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

        model_set_presence(model, id, &presence);
        model_pump(model);
}

void model_on_duty(struct model *model, const char *id, double lat_deg, double lon_deg)
{
        struct model_entry *entry = model_feed(model, CORE_FEED_DUTY);
        struct presence presence = { .at_ms = model->now_ms, .by = PRESENCE_HANDSET, .has_position = true };

        memcpy(entry->key, id, strlen(id) + 1);
        entry->on = true;
        entry->duty.since_ms = model->now_ms;
        model_set_duty(model, id, true, &entry->duty);
        model_pump(model);
        presence.at = (struct track_point){ .at_s = (uint32_t)(model->now_ms / 1000),
                                            .lat_e7 = (int32_t)(lat_deg * 1e7),
                                            .lon_e7 = (int32_t)(lon_deg * 1e7),
                                            .accuracy_m = 10 };
        model_set_presence(model, id, &presence);
        model_pump(model);
}

struct model *model_region(unsigned dispatchers, unsigned supervisors)
{
        static const char *const names[] = { "anna", "bob" };
        struct model *model = model_new(dispatchers, NULL);

        assert(supervisors <= 2);
        model_begin(model);
        model_enrol(model, 1, HANDSET_CARRIER, "carl");
        model_enrol(model, 2, HANDSET_CARRIER, "");
        for (unsigned i = 0; i < supervisors; i++) {
                model_put_supervisor(model, names[i], "", false);
                model_enrol(model, 11 + i, HANDSET_SUPERVISOR, names[i]);
                model_on_duty(model, names[i], 45.751 + 0.001 * i, 4.85);
        }
        return model;
}

const struct core_counters *model_counters(const struct model *model, unsigned dispatcher)
{
        return core_counters(model->dispatchers[dispatcher].core);
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
