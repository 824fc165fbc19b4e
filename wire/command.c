#include "wire/command.h"

#include <errno.h>
#include <string.h>

#include "wire/fields.h"

/* ---- PROTOCOL.md 9 */

static const struct field command_fields[] = {
        F_OCTETS(struct command, id),
        F_MS(struct command, expires_ms),
        F_UINT(struct command, verb, COMMAND_SEEN, COMMAND_END - 1),
        F_UINT(struct command, role, ROLE_CONTROL, ROLE_END - 1),
        F_ID(struct command, person),
        F_ID(struct command, login),
        F_OCTETS(struct command, alert),
        F_ID(struct command, owner_seen),
        F_ALSO(struct command, reason, CLOSE_HELPED, CLOSE_REASON_MAX, 0),
        F_TEXT(struct command, note),
        F_PART(struct command, at, has_position, &fields_point),
        F_U32(struct command, until_s),
        F_TEXT(struct command, notice),
};
static const struct fields_kind command_kind = { FIELDS(command_fields), sizeof(struct command), COMMAND_MAX,
                                                 COMMAND_FORMAT };

int command_encode(const struct command *command, uint8_t *buf, size_t size)
{
        return fields_encode(&command_kind, command, buf, size);
}

int command_decode(const uint8_t *data, size_t size, struct command *ret_command)
{
        return fields_decode(&command_kind, (struct cbor_span){ data, size }, ret_command);
}

/* ---- words */

static const char *const verbs[COMMAND_END] = {
        [COMMAND_SEEN] = "seen",         [COMMAND_TAKE] = "take",         [COMMAND_RELEASE] = "release",
        [COMMAND_JOIN] = "join",         [COMMAND_EN_ROUTE] = "en_route", [COMMAND_ON_SCENE] = "on_scene",
        [COMMAND_CLOSE] = "close",       [COMMAND_DUTY_ON] = "duty_on",   [COMMAND_DUTY_OFF] = "duty_off",
        [COMMAND_PRESENCE] = "presence", [COMMAND_ACK] = "ack",           [COMMAND_DECLINE] = "decline",
        [COMMAND_ORDER] = "order",
};

const char *command_verb_name(uint8_t verb)
{
        return verb < COMMAND_END ? verbs[verb] : NULL;
}

int command_verb_parse(const char *name)
{
        for (int verb = 1; verb < COMMAND_END; verb++)
                if (strcmp(name, verbs[verb]) == 0)
                        return verb;
        return -EINVAL;
}

const char *answer_code_name(uint8_t code)
{
        static const char *const names[ANSWER_END] = {
                [ANSWER_DONE] = "done",
                [ANSWER_TAKEN_BY_OTHER] = "taken_by_other",
                [ANSWER_NOT_ALLOWED] = "not_allowed",
                [ANSWER_NOT_ON_DUTY] = "not_on_duty",
                [ANSWER_OWN_ALERT] = "own_alert",
                [ANSWER_CLOSED] = "closed",
                [ANSWER_UNKNOWN_ALERT] = "unknown_alert",
                [ANSWER_EXPIRED] = "expired",
                [ANSWER_NOT_OWNER] = "not_owner",
                [ANSWER_BUSY] = "busy",
                [ANSWER_MALFORMED] = "malformed",
        };

        return code < ANSWER_END ? names[code] : NULL;
}
