/* command: what somebody asks of the dispatchers.  A console adds it to the stream {r}:commands; a supervisor's
 * handset sends it as a session frame; SMS answers become one.  The dispatcher that reads it checks right and duty
 * itself and answers in the feed: by the change asked for, or by an answer entry that names the command
 * (wire/feed.h).  PROTOCOL.md section 9. */
#ifndef WIRE_COMMAND_H
#define WIRE_COMMAND_H

#include "wire/people.h"

#define COMMAND_FORMAT  1
#define COMMAND_MAX     512   /* largest encoded command: 434 octets with every text full; more octets are no command */
#define COMMAND_TERM_MS 30000 /* a console's command is worth nothing after that: the person has looked again */

enum command_verb {
        COMMAND_SEEN = 1, /* on this person's screen now */
        COMMAND_TAKE,
        COMMAND_RELEASE,
        COMMAND_JOIN, /* comes too; does not own */
        COMMAND_EN_ROUTE,
        COMMAND_ON_SCENE,
        COMMAND_CLOSE,   /* `reason` and `note` */
        COMMAND_DUTY_ON, /* a supervisor's duty, by console or handset; `until_s` */
        COMMAND_DUTY_OFF,
        COMMAND_PRESENCE, /* a visible console, at least every 10 s; with a position where the browser gives one */
        COMMAND_ACK,      /* a notice was read: `notice` names it; stops its ringing for all */
        COMMAND_DECLINE,  /* not this person: the next nearest is asked; its owner gives it back */
        COMMAND_ORDER, /* wipe and unlock that wait in the inbox of a handset go by SMS now; `alert`: its id, then eight zeros */
        COMMAND_END
};

/* `[1, id, expires ms, verb, role, person, login, alert, owner seen, reason, note, position|null, until s, notice]` */
struct command {
        uint8_t id[EVENT_ID_SIZE]; /* drawn by who asks; also the event id, so that repeating it changes nothing */
        int64_t expires_ms;        /* Redis's clock; 0 = from a live session, never stale */
        uint8_t verb;
        uint8_t role; /* enum user_role the asker claims; checked against {r}:users or {r}:supervisors */
        char person[PERSON_ID_MAX + 1]; /* supervisor id, or login of a control-room user */
        char login[PERSON_ID_MAX + 1];  /* the console's login; "" when a handset asks */
        uint8_t alert[ALERT_ID_SIZE];   /* all zero where the verb needs none */
        /* owner this person saw when asking: a take against another owner is a take-over */
        char owner_seen[PERSON_ID_MAX + 1];
        uint8_t reason;          /* enum close_reason, COMMAND_CLOSE; else 0 */
        char note[NOTE_MAX + 1]; /* COMMAND_CLOSE */
        bool has_position;
        struct track_point at;            /* of the supervisor: duty on, presence */
        uint32_t until_s;                 /* planned end of duty, UTC s */
        char notice[NAME_MAX_OCTETS + 1]; /* COMMAND_ACK */
};

/* Why a command changed nothing; 0 = done.  Unknown ones are a newer server's, and mean "not done". */
enum answer_code {
        ANSWER_DONE = 0,
        ANSWER_TAKEN_BY_OTHER, /* `who` has it */
        ANSWER_NOT_ALLOWED,    /* role or zone */
        ANSWER_NOT_ON_DUTY,
        ANSWER_OWN_ALERT, /* nobody takes their own */
        ANSWER_CLOSED,
        ANSWER_UNKNOWN_ALERT,
        ANSWER_EXPIRED, /* too old; or (a closure) the carrier has pressed again since */
        ANSWER_NOT_OWNER, /* progress or release by somebody who has not taken it */
        ANSWER_BUSY,      /* bound reached or store away: ask again */
        ANSWER_MALFORMED,
        ANSWER_END
};

/* command_encode: CBOR array into BUF of SIZE octets (COMMAND_MAX is always enough).
 * Returns the length, -ENOBUFS, -EINVAL (a value out of its range, a text that is not UTF-8). */
int command_encode(const struct command *command, uint8_t *buf, size_t size);

/* command_decode: read a command of format 1.  Elements behind those known are stepped over.  On failure
 * *ret_command is all zero.
 * Returns 0, -EBADMSG (malformed, or a value out of its range, an unknown verb among
 * them), -EPROTONOSUPPORT (a newer format). */
int command_decode(const uint8_t *data, size_t size, struct command *ret_command);

/* command_verb_name: "take", "en_route" ...: stable words; NULL if none. */
const char *command_verb_name(uint8_t verb);

/* command_verb_parse: the verb of that name, or -EINVAL. */
int command_verb_parse(const char *name);

/* answer_code_name: "done", "taken_by_other" ...: stable words that pages translate; NULL if none. */
const char *answer_code_name(uint8_t code);

#endif
