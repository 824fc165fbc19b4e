/* command: what somebody asks of the dispatchers.  A console adds it to the stream {r}:commands; a supervisor's handset sends it as a
 * session frame; SMS answers become one.  The dispatcher that reads it checks right and duty itself and answers in the feed: by
 * the change asked for, or by an answer entry that names the command (notice.h).  PROTOCOL.md section 9. */
#ifndef WIRE_COMMAND_H
#define WIRE_COMMAND_H

#include "wire/record.h"

#define COMMAND_FORMAT  1
#define COMMAND_MAX     512
#define COMMAND_TERM_MS 30000 /* a console's command is worth nothing after that: the person has looked again */

enum command_verb {
        COMMAND_SEEN = 1,  /* on this person's screen now */
        COMMAND_TAKE,
        COMMAND_RELEASE,
        COMMAND_JOIN,      /* comes too; does not own */
        COMMAND_EN_ROUTE,
        COMMAND_ON_SCENE,
        COMMAND_CLOSE,     /* `reason` and `note` */
        COMMAND_DUTY_ON,   /* a supervisor's duty, by console or handset; `until_s` */
        COMMAND_DUTY_OFF,
        COMMAND_PRESENCE,  /* a visible console, at least every 10 s; with a position where the browser gives one */
        COMMAND_ACK,       /* a notice was read: `notice` names it; stops its ringing for all */
        COMMAND_END
};

struct command {
        uint8_t id[EVENT_ID_SIZE];              /* drawn by who asks; also the event id, so that repeating it changes nothing */
        int64_t expires_ms;                     /* Redis's clock; 0 = from a live session, never stale */
        uint8_t verb;
        uint8_t role;                           /* enum user_role the asker claims; checked against {r}:users / {r}:supervisors */
        char person[PERSON_ID_MAX + 1];         /* supervisor id, or login of a control-room user */
        char login[PERSON_ID_MAX + 1];          /* the console's login; "" when a handset asks */
        uint8_t alert[ALERT_ID_SIZE];           /* all zero where the verb needs none */
        char owner_seen[PERSON_ID_MAX + 1];     /* owner this person saw when asking: a take against another owner is a take-over */
        uint8_t reason;                         /* enum close_reason, COMMAND_CLOSE */
        char note[NOTE_MAX + 1];                /* COMMAND_CLOSE */
        bool has_position;
        struct track_point at;                  /* of the supervisor: duty on, presence */
        uint32_t until_s;                       /* planned end of duty, UTC s */
        char notice[NAME_MAX_OCTETS + 1];       /* COMMAND_ACK */
};

enum answer_code { /* why a command changed nothing; 0 = done */
        ANSWER_DONE = 0,
        ANSWER_TAKEN_BY_OTHER, /* `who` has it */
        ANSWER_NOT_ALLOWED,    /* role or zone */
        ANSWER_NOT_ON_DUTY,
        ANSWER_OWN_ALERT,      /* nobody takes their own */
        ANSWER_CLOSED,
        ANSWER_UNKNOWN_ALERT,
        ANSWER_EXPIRED,
        ANSWER_NOT_OWNER,      /* progress or release by somebody who has not taken it */
        ANSWER_BUSY,           /* bound reached or store away: ask again */
        ANSWER_MALFORMED,
        ANSWER_END
};

/* command_encode: CBOR array into BUF (COMMAND_MAX is always enough).  Returns the length or -ENOBUFS. */
int command_encode(const struct command *command, uint8_t *buf, size_t size);
/* command_decode: returns 0, -EBADMSG, -EPROTONOSUPPORT. */
int command_decode(const uint8_t *data, size_t size, struct command *ret_command);
/* "take", "en_route"...; NULL if none.  command_verb_parse returns the verb or -EINVAL. */
const char *command_verb_name(uint8_t verb);
int command_verb_parse(const char *name);
/* "done", "taken_by_other"...: stable words that pages translate. */
const char *answer_code_name(uint8_t code);

#endif
