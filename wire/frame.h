/* frame: what travels in one binary WebSocket message of subprotocol `vigie.1`: a CBOR array `[type, ...]`.  PROTOCOL.md section 7.
 * A frame that is no signed object counts for the handset of its TLS session only.  Unknown types and trailing elements of a newer
 * version are skipped and counted; a malformed frame is answered by FRAME_ERROR and, after 8 of them, the session is closed (1002). */
#ifndef WIRE_FRAME_H
#define WIRE_FRAME_H

#include "wire/alert.h"
#include "wire/command.h"
#include "wire/feed.h"
#include "wire/receipt.h"
#include "wire/trust.h"

#define FRAME_SUBPROTOCOL  "vigie.1"
#define FRAME_VERSION      1
#define FRAME_HANDSET_MAX  1024  /* largest frame a handset may send; larger: closed with 1009 */
#define FRAME_REGION_MAX   10240 /* largest a dispatcher sends: a record, its envelope, the trust list */
#define SIGNED_MAX         133   /* alert and receipt, whole */

enum frame_type {
        /* from a handset */
        FRAME_HELLO = 1,     /* [1, version, trust number, role, app text]: first on every connection; answered by WELCOME */
        FRAME_ALERT = 2,     /* [2, COSE_Sign1]: one revision; allowed before HELLO and on sessions that get no WELCOME */
        FRAME_DUTY = 3,      /* [3, request, on, person id, round id, until s]: answered by DUTY_ANSWER */
        FRAME_HEARTBEAT = 4, /* [4, battery, sealed position or null]: a carrier on duty, each minute; off duty never */
        FRAME_PRESENCE = 5,  /* [5, battery, lat, lon, accuracy, fix s] or nulls: a supervisor on duty, each 15 s */
        FRAME_COMMAND = 6,   /* [6, request, command id, verb, alert id, owner seen, reason, note]: answered by ANSWER */
        FRAME_SAFE = 7,      /* [7, request]: "I am fine", the answer to QUESTION */
        /* from a dispatcher */
        FRAME_WELCOME = 64,  /* [64, version, time ms, region, trust number, person name or ""] */
        FRAME_RECEIPT = 65,  /* [65, COSE_Sign1] */
        FRAME_DUTY_ANSWER = 66, /* [66, request, code, name, since ms, until s] */
        FRAME_RING = 67,     /* [67, record, ring]: to one who is asked, and again at each change; ring: 0 show, 1 ring, 2 ring loudest */
        FRAME_ANSWER = 68,   /* [68, request, code, alert id, who] */
        FRAME_QUESTION = 69, /* [69, request]: "are you all right?", to an overdue carrier */
        FRAME_TRUST = 70,    /* [70, COSE_Sign1] a newer trust list */
        FRAME_ERROR = 71,    /* [71, code, text]: a frame could not be read or is not allowed here */
};

enum frame_error { FRAME_ERROR_MALFORMED = 1, FRAME_ERROR_TOO_LARGE, FRAME_ERROR_NOT_ALLOWED, FRAME_ERROR_OFF_DUTY_POSITION, FRAME_ERROR_TOO_MANY };
enum duty_code { DUTY_OK = 0, DUTY_UNKNOWN_PERSON, DUTY_UNKNOWN_ROUND, DUTY_NOT_YOURS, DUTY_BAD_END };

struct span { /* borrowed octets */
        const uint8_t *data;
        size_t size;
};

struct frame {
        uint8_t type;
        union {
                struct { uint32_t version, trust_number; uint8_t role; char app[33]; } hello;
                struct { struct span cose; } cose;            /* ALERT, RECEIPT, TRUST */
                struct { uint32_t request; bool on; char person[PERSON_ID_MAX + 1], round[PERSON_ID_MAX + 1]; uint32_t until_s; } duty;
                struct { uint8_t battery; struct span sealed; } heartbeat; /* sealed.data NULL = none */
                struct { uint8_t battery; bool has_position; struct track_point at; } presence;
                struct { uint32_t request; struct command command; } command; /* id, verb, alert, owner_seen, reason, note only */
                struct { uint32_t request; } request;         /* SAFE, QUESTION */
                struct { uint32_t version; int64_t time_ms; char region[PERSON_ID_MAX + 1]; uint32_t trust_number; char name[NAME_MAX_OCTETS + 1]; } welcome;
                struct { uint32_t request; uint8_t code; char name[NAME_MAX_OCTETS + 1]; int64_t since_ms; uint32_t until_s; } duty_answer;
                struct { struct span record; uint8_t ring; } ring;
                struct { uint32_t request; uint8_t code; uint8_t alert[ALERT_ID_SIZE]; char who[NAME_MAX_OCTETS + 1]; } answer;
                struct { uint8_t code; char text[65]; } error;
        } u;
};

/* frame_encode: write FRAME into BUF of SIZE octets.  Returns the length, -ENOBUFS, or -EINVAL (a type or value that has no form). */
int frame_encode(const struct frame *frame, uint8_t *buf, size_t size);

/* frame_decode: read one frame.  Spans in RET_FRAME point into DATA.  Elements after those known are skipped (a newer version's).
 * Returns 0; -EBADMSG (malformed); -EPROTONOSUPPORT (a type we do not know: skip and count it, do not close). */
int frame_decode(const uint8_t *data, size_t size, struct frame *ret_frame);

const char *frame_type_name(uint8_t type);

#endif
