#include "wire/frame.h"

#include <errno.h>
#include <string.h>

#include "wire/fields.h"

/* ---- PROTOCOL.md 7 */

static const struct field hello[] = {
        F_U32(struct frame, u.hello.version),
        F_U32(struct frame, u.hello.trust_number),
        F_U8(struct frame, u.hello.role),
        F_TEXT(struct frame, u.hello.app),
};
static const struct field cose[] = { F_SPAN(struct frame, u.cose.cose, 1, FRAME_COSE_MAX) };
static const struct field alert[] = {
        F_SPAN(struct frame, u.cose.cose, 1, FRAME_COSE_MAX),
        F_LATER(struct frame, u.cose.held_version, UINT32_MAX),
        F_LATER(struct frame, u.cose.held_state, UINT8_MAX),
};
static const struct field trust[] = { F_SPAN(struct frame, u.cose.cose, 1, TRUST_MAX) };
static const struct field duty[] = {
        F_U32(struct frame, u.duty.request), F_BOOL(struct frame, u.duty.on),     F_ID(struct frame, u.duty.person),
        F_ID(struct frame, u.duty.round),    F_U32(struct frame, u.duty.until_s),
};
static const struct field heartbeat[] = {
        F_BATTERY(struct frame, u.heartbeat.battery),
        F_SPAN(struct frame, u.heartbeat.sealed, 0, SEALED_POSITION_MAX),
        F_LATER(struct frame, u.heartbeat.cause, HEARTBEAT_CAUSES - 1),
};
static const struct field presence[] = {
        F_BATTERY(struct frame, u.presence.battery),
        F_PART(struct frame, u.presence.at, u.presence.has_position, &fields_point),
};
static const struct field command[] = {
        F_U32(struct frame, u.command.request),
        F_OCTETS(struct frame, u.command.command.id),
        F_UINT(struct frame, u.command.command.verb, COMMAND_SEEN, COMMAND_END - 1),
        F_OCTETS(struct frame, u.command.command.alert),
        F_ID(struct frame, u.command.command.owner_seen),
        F_ALSO(struct frame, u.command.command.reason, CLOSE_HELPED, CLOSE_REASON_MAX, 0),
        F_TEXT(struct frame, u.command.command.note),
};
static const struct field request[] = { F_U32(struct frame, u.request.request) };
static const struct field welcome[] = {
        F_U32(struct frame, u.welcome.version), F_MS(struct frame, u.welcome.time_ms),
        F_TEXT(struct frame, u.welcome.region), F_U32(struct frame, u.welcome.trust_number),
        F_TEXT(struct frame, u.welcome.name),
};
static const struct field duty_answer[] = {
        F_U32(struct frame, u.duty_answer.request), F_U8(struct frame, u.duty_answer.code),
        F_TEXT(struct frame, u.duty_answer.name),   F_MS(struct frame, u.duty_answer.since_ms),
        F_U32(struct frame, u.duty_answer.until_s),
};
static const struct field ring[] = {
        F_SPAN(struct frame, u.ring.record, 1, RECORD_MAX),
        F_UINT(struct frame, u.ring.ring, RING_SHOW, RING_END - 1),
};
static const struct field answer[] = {
        F_U32(struct frame, u.answer.request),
        F_U8(struct frame, u.answer.code),
        F_OCTETS(struct frame, u.answer.alert),
        F_TEXT(struct frame, u.answer.who),
};
static const struct field vault[] = {
        F_UINT(struct frame, u.vault.state, VAULT_NONE, VAULT_STATES - 1),
        F_BLOB(struct frame, u.vault.key, u.vault.has_key, PASS_KEY_SIZE, 1),
        F_BLOB(struct frame, u.vault.challenge, u.vault.has_challenge, ORDER_CHALLENGE_SIZE, 1),
        F_U32(struct frame, u.vault.list_s),
};
static const struct field ask_pass[] = {
        F_U32(struct frame, u.ask_pass.request),
        F_ID(struct frame, u.ask_pass.round),
        F_U32(struct frame, u.ask_pass.until_s),
};
static const struct field timer[] = {
        F_U32(struct frame, u.timer.due_s),
        F_SPAN(struct frame, u.timer.place, 0, SEALED_POSITION_MAX),
};
static const struct field order[] = {
        F_SPAN(struct frame, u.order.cose, 1, FRAME_COSE_MAX),
        F_UINT(struct frame, u.order.beside, 0, ORDER_BESIDE_MAX),
};
static const struct field part[] = {
        F_U32(struct frame, u.part.number),
        F_UINT(struct frame, u.part.offset, 0, ORDER_BESIDE_MAX - 1),
        F_SPAN(struct frame, u.part.octets, 1, FRAME_PART_MAX),
};
static const struct field list[] = {
        F_U32(struct frame, u.list.issued_s),
        F_UINT(struct frame, u.list.total, 1, COSE_MAX),
        F_UINT(struct frame, u.list.offset, 0, COSE_MAX - 1),
        F_SPAN(struct frame, u.list.octets, 1, FRAME_PART_MAX),
};
static const struct field asked[] = { F_U32(struct frame, u.asked.request), F_U8(struct frame, u.asked.code) };
static const struct field opened[] = { F_MS(struct frame, u.opened.at_ms), F_U8(struct frame, u.opened.why) };
static const struct field error[] = { F_U8(struct frame, u.error.code), F_TEXT(struct frame, u.error.text) };

static const struct {
        uint8_t type;
        const char *name;
        struct fields fields;
} types[] = {
        { FRAME_HELLO, "hello", FIELDS(hello) },
        { FRAME_ALERT, "alert", FIELDS(alert) },
        { FRAME_DUTY, "duty", FIELDS(duty) },
        { FRAME_HEARTBEAT, "heartbeat", FIELDS(heartbeat) },
        { FRAME_PRESENCE, "presence", FIELDS(presence) },
        { FRAME_COMMAND, "command", FIELDS(command) },
        { FRAME_SAFE, "safe", FIELDS(request) },
        { FRAME_VAULT, "vault", FIELDS(vault) },
        { FRAME_DONE, "done", FIELDS(cose) },
        { FRAME_ASK_PASS, "ask_pass", FIELDS(ask_pass) },
        { FRAME_TIMER, "timer", FIELDS(timer) },
        { FRAME_WELCOME, "welcome", FIELDS(welcome) },
        { FRAME_RECEIPT, "receipt", FIELDS(cose) },
        { FRAME_DUTY_ANSWER, "duty_answer", FIELDS(duty_answer) },
        { FRAME_RING, "ring", FIELDS(ring) },
        { FRAME_ANSWER, "answer", FIELDS(answer) },
        { FRAME_QUESTION, "question", FIELDS(request) },
        { FRAME_TRUST, "trust", FIELDS(trust) },
        { FRAME_ERROR, "error", FIELDS(error) },
        { FRAME_ORDER, "order", FIELDS(order) },
        { FRAME_PART, "part", FIELDS(part) },
        { FRAME_LIST, "list", FIELDS(list) },
        { FRAME_ASKED, "asked", FIELDS(asked) },
        { FRAME_OPENED, "opened", FIELDS(opened) },
};

/* The place of TYPE in the table, or -1. */
static int type_find(uint64_t type)
{
        for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
                if (types[i].type == type)
                        return (int)i;
        return -1;
}

int frame_encode(const struct frame *frame, uint8_t *buf, size_t size)
{
        int i = type_find(frame->type);

        return i >= 0 ? fields_write_all(&types[i].fields, frame->type, frame, buf, size) : -EINVAL;
}

int frame_decode(const uint8_t *data, size_t size, struct frame *ret_frame)
{
        struct cbor_span in = { data, size };
        struct cbor_reader r;
        uint64_t type;
        int i, result;

        memset(ret_frame, 0, sizeof(*ret_frame));
        if (size > FRAME_REGION_MAX)
                return -EBADMSG;
        cbor_reader_init(&r, in);
        cbor_enter_array(&r);
        type = cbor_read_uint(&r, UINT64_MAX);
        if (r.broken == NULL && (i = type_find(type)) < 0)
                return cbor_validate(in, NULL) == 0 ? -EPROTONOSUPPORT : -EBADMSG;
        if (r.broken != NULL || (type < FRAME_WELCOME && size > FRAME_HANDSET_MAX))
                return -EBADMSG;
        if ((result = fields_read_rest(&r, &types[i].fields, ret_frame)) < 0)
                memset(ret_frame, 0, sizeof(*ret_frame));
        else
                ret_frame->type = (uint8_t)type;
        return result;
}

const char *frame_type_name(uint8_t type)
{
        int i = type_find(type);

        return i >= 0 ? types[i].name : NULL;
}
