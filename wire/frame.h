/* frame: what travels in one binary WebSocket message of subprotocol `vigie.1`: a CBOR array `[type, ...]`
 * (PROTOCOL.md 7).  A frame that is no signed object counts for the handset of its TLS session only.  Unknown types
 * and trailing elements of a newer version are skipped and counted; a malformed frame is answered by FRAME_ERROR, the
 * ninth of a session closes it (1002).  Pure. */
#ifndef WIRE_FRAME_H
#define WIRE_FRAME_H

#include "wire/alert.h"
#include "wire/command.h"
#include "wire/desk.h"
#include "wire/feed.h"
#include "wire/receipt.h"
#include "wire/trust.h"

/* The version is said once, in HELLO and WELCOME, and holds for the session.  A server speaks its own and the one
 * before, and answers with the lower of its own and the handset's.  1 is the first, so today only 1. */
#define FRAME_SUBPROTOCOL    "vigie.1"
#define FRAME_VERSION        1
#define FRAME_VERSION_OLDEST 1

#define FRAME_HANDSET_MAX 1024  /* largest frame a handset may send; larger: closed with 1009 */
#define FRAME_REGION_MAX  10240 /* largest a dispatcher sends: a record or a trust list, 2 KiB for what comes */
#define FRAME_COSE_MAX    1000  /* a signed alert or receipt in a frame: 133 octets today, a newer one's may be more */
#define FRAME_APP_MAX     32    /* octets of a program's name and version */
#define FRAME_TEXT_MAX    64    /* octets of an error's text */
#define FRAME_PART_MAX    8192  /* octets of one piece of what comes beside an order, and of a status list */

enum frame_type {
        /* from a handset */
        FRAME_HELLO = 1,     /* [1, version, trust number, role, app text]: first on every connection; see WELCOME */
        FRAME_ALERT = 2,     /* [2, bytes, version, state]: a signed revision; the receipt held; without WELCOME too */
        FRAME_DUTY = 3,      /* [3, request, on, person id, round id, until s]: answered by DUTY_ANSWER */
        FRAME_HEARTBEAT = 4, /* [4, battery, bytes|null, cause]: a carrier on duty, each minute; off duty never */
        FRAME_PRESENCE = 5,  /* [5, battery, position|null]: a supervisor on duty, each 15 s */
        FRAME_COMMAND = 6,   /* [6, request, command id, verb, alert id, owner seen, reason, note]: see ANSWER */
        FRAME_SAFE = 7,      /* [7, request]: "I am fine", the answer to QUESTION */
        FRAME_VAULT =
                8,      /* [8, state, pass key|null, challenge|null, list issued s]: after WELCOME and at each change */
        FRAME_DONE = 9, /* [9, bytes]: a signed confirmation of an order */
        FRAME_ASK_PASS = 10, /* [10, request, round id, until s]: a carrier asks the desk for a pass: see ASKED */
        FRAME_TIMER = 11,    /* [11, due s (0: over), bytes|null]: a quiet timer and its sealed place */
        /* from a dispatcher */
        FRAME_WELCOME = 64,     /* [64, version, time ms, region, trust number, person name or ""] */
        FRAME_RECEIPT = 65,     /* [65, bytes] */
        FRAME_DUTY_ANSWER = 66, /* [66, request, code, name, since ms, until s] */
        FRAME_RING = 67,        /* [67, bytes of a record, ring]: to one who is asked, and again at each change */
        FRAME_ANSWER = 68,      /* [68, request, code, alert id, who] */
        FRAME_QUESTION = 69,    /* [69, request]: "are you all right?", to an overdue carrier */
        FRAME_TRUST = 70,       /* [70, bytes]: a newer trust list */
        FRAME_ERROR = 71,       /* [71, code, text]: a frame could not be read or is not allowed here */
        FRAME_ORDER = 72,       /* [72, bytes, beside]: a signed order, and how many octets come beside it in PARTs */
        FRAME_PART = 73,        /* [73, order number, offset, bytes]: a piece of that */
        FRAME_LIST = 74,        /* [74, issued s, total, offset, bytes]: a piece of the newest status list */
        FRAME_ASKED = 75,       /* [75, request, code] */
        FRAME_OPENED = 76,      /* [76, at ms, why]: the keeper opened a place of this handset */
};

/* Codes that a reader does not know are a newer server's: "not done". */
enum frame_error {
        FRAME_ERROR_MALFORMED = 1,
        FRAME_ERROR_TOO_LARGE,
        FRAME_ERROR_NOT_ALLOWED,
        FRAME_ERROR_OFF_DUTY_POSITION,
        FRAME_ERROR_TOO_MANY
};
enum duty_code { DUTY_OK = 0, DUTY_UNKNOWN_PERSON, DUTY_UNKNOWN_ROUND, DUTY_NOT_YOURS, DUTY_BAD_END };
enum ask_code { ASK_TOLD = 0, ASK_NOT_NOW };
/* Why a heartbeat is the last for now: last words on duty.  Missing, or a number not listed: none. */
enum heartbeat_cause { HEARTBEAT_ORDINARY = 0, HEARTBEAT_BATTERY_LOW, HEARTBEAT_POWER_OFF, HEARTBEAT_CAUSES };
enum frame_ring { RING_SHOW = 0, RING_RING, RING_LOUDEST, RING_END };

/* One frame; its type says which part of `u` counts.  Spans are borrowed octets. */
struct frame {
        uint8_t type;
        union {
                struct {
                        uint32_t version, trust_number;
                        uint8_t role;                /* enum handset_role, as the handset sees itself */
                        char app[FRAME_APP_MAX + 1]; /* program and version */
                } hello;
                struct {
                        struct cbor_span cose; /* not looked into: alert_read(), alert_salvage() ... do; never empty */
                        uint32_t held_version; /* ALERT alone: of the newest receipt that the handset has; 0: none */
                        uint8_t held_state;    /* likewise: enum receipt_state */
                } cose;                        /* ALERT, RECEIPT, TRUST, DONE */
                struct {
                        uint32_t request;
                        bool on;
                        char person[PERSON_ID_MAX + 1], round[PERSON_ID_MAX + 1];
                        uint32_t until_s;
                } duty;
                struct {
                        uint8_t battery;         /* percent 0..100, 255 unknown */
                        struct cbor_span sealed; /* at most SEALED_POSITION_MAX; empty = none */
                        uint8_t cause;           /* enum heartbeat_cause */
                } heartbeat;
                struct {
                        uint8_t battery;
                        bool has_position;
                        struct track_point at;
                } presence;
                struct {
                        uint32_t request;
                        struct command command; /* id, verb, alert, owner_seen, reason, note; else the session's */
                } command;
                struct {
                        uint32_t request;
                } request; /* SAFE, QUESTION */
                struct {
                        uint32_t version;
                        int64_t time_ms;
                        char region[PERSON_ID_MAX + 1];
                        uint32_t trust_number;
                        char name[NAME_MAX_OCTETS + 1];
                } welcome;
                struct {
                        uint32_t request;
                        uint8_t code; /* enum duty_code */
                        char name[NAME_MAX_OCTETS + 1];
                        int64_t since_ms;
                        uint32_t until_s;
                } duty_answer;
                struct {
                        struct cbor_span record; /* not looked into: record_decode() does; never empty */
                        uint8_t ring;            /* enum frame_ring */
                } ring;
                struct {
                        uint32_t request;
                        uint8_t code; /* enum answer_code */
                        uint8_t alert[ALERT_ID_SIZE];
                        char who[NAME_MAX_OCTETS + 1];
                } answer;
                struct {
                        uint8_t state; /* enum vault_state */
                        bool has_key, has_challenge;
                        uint8_t key[PASS_KEY_SIZE], challenge[ORDER_CHALLENGE_SIZE];
                        uint32_t list_s; /* issue of the status list that the phone carries; 0: none */
                } vault;
                struct {
                        uint32_t request;
                        char round[PERSON_ID_MAX + 1];
                        uint32_t until_s;
                } ask_pass;
                struct {
                        uint32_t due_s;         /* 0: over */
                        struct cbor_span place; /* sealed, at most SEALED_POSITION_MAX; empty = none */
                } timer;
                struct {
                        struct cbor_span cose; /* at most FRAME_COSE_MAX; never empty */
                        uint32_t beside;       /* octets, at most ORDER_BESIDE_MAX */
                } order;
                struct {
                        uint32_t number, offset;
                        struct cbor_span octets; /* 1..FRAME_PART_MAX */
                } part;
                struct {
                        uint32_t issued_s, total, offset;
                        struct cbor_span octets; /* 1..FRAME_PART_MAX */
                } list;
                struct {
                        uint32_t request;
                        uint8_t code; /* enum ask_code */
                } asked;
                struct opened_entry opened;
                struct {
                        uint8_t code; /* enum frame_error */
                        char text[FRAME_TEXT_MAX + 1];
                } error;
        } u;
};

/* frame_encode: write FRAME into BUF of SIZE octets; FRAME_HANDSET_MAX, or FRAME_REGION_MAX from a dispatcher, is
 * always enough.  Returns the length, -ENOBUFS, or -EINVAL (an unknown type, a value out of its range, a text that
 * is not UTF-8, a span that is too long, or empty where it may not be). */
int frame_encode(const struct frame *frame, uint8_t *buf, size_t size);

/* frame_decode: read one frame.  Spans in RET_FRAME point into DATA.  Elements after those known are stepped over.
 * On failure *ret_frame is all zero.  Returns 0; -EBADMSG (malformed, a value out of its range, larger than its
 * sender may send); -EPROTONOSUPPORT (a type we do not know: skip and count it, do not close). */
int frame_decode(const uint8_t *data, size_t size, struct frame *ret_frame);

/* frame_type_name: "hello", "duty_answer" ...: stable words for logs; NULL if none. */
const char *frame_type_name(uint8_t type);

#endif
