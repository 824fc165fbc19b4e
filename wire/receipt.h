/* The receipt: the region's signed word on an alert (PROTOCOL.md 5).  Pure.
 *
 *   [1, alert id 16, revision, alert version, state, time s, who]
 *
 * The handset shows the one with the highest alert version; an older one changes nothing, but that closed is closed. */
#ifndef WIRE_RECEIPT_H
#define WIRE_RECEIPT_H
#include "wire/cbor.h"
#include "wire/cose.h"
#include "wire/id.h"

#define RECEIPT_AAD         "vigie receipt"
#define RECEIPT_WHO_MAX     15 /* octets of UTF-8; what is longer is cut at a code point */
#define RECEIPT_PAYLOAD_MAX 49 /* 1 head, 1 format, 17 id, 3, 5, 1, 5, 16 */
#define RECEIPT_MAX         (COSE_OVERHEAD + RECEIPT_PAYLOAD_MAX) /* 133, COSE_SMS_MAX exactly */

enum receipt_state {
        RECEIPT_KEPT = 0,   /* on one disk; the store is away: "sent, being confirmed", all legs go on */
        RECEIPT_RAISED = 1, /* durable and in the feed: this is "received" */
        RECEIPT_ASKED = 2,
        RECEIPT_SEEN = 3,
        RECEIPT_TAKEN = 4,
        RECEIPT_EN_ROUTE = 5,
        RECEIPT_ON_SCENE = 6,
        RECEIPT_CLOSED = 7,
        RECEIPT_COMING = 8, /* somebody says they are coming; the store is away */
        RECEIPT_PROVED = 9, /* a test press reached journal and store; nobody was rung */
        RECEIPT_CLOSED_HELPED = 16,
        RECEIPT_CLOSED_MISTAKE = 17,
        RECEIPT_CLOSED_HANDED_OVER = 18, /* to 112 or another emergency service */
        RECEIPT_CLOSED_DRILL_OVER = 19,
        RECEIPT_CLOSED_NO_DANGER = 20,
        RECEIPT_CLOSED_OTHER = 21,
        RECEIPT_STATE_MAX = 23 /* the largest that takes one octet; a receipt with more would not fit an SMS */
};

struct receipt {
        struct alert_id alert;
        uint16_t revision;             /* the highest revision of the alert that is in this version */
        uint32_t version;              /* of the alert */
        uint8_t state;                 /* enum receipt_state; a newer server's number is kept */
        uint32_t time_s;               /* UTC, when the alert came into this state */
        char who[RECEIPT_WHO_MAX + 1]; /* who took it or closed it; "" where nobody */
};

/* A receipt as it came. */
struct receipt_signed {
        struct cose_sign1 cose;    /* spans into the message */
        uint8_t kid[KEY_KID_SIZE]; /* of the region's receipt key */
        struct receipt receipt;
};

/* receipt_set_who: put NAME (UTF-8) into the receipt, cut at the last code point that fits; it ends at the first
 * octet that is not UTF-8.  NULL is "". */
void receipt_set_who(struct receipt *receipt, const char *name);

/* receipt_write_payload: write the payload.  Returns 0, -EINVAL (state over RECEIPT_STATE_MAX), -ENOBUFS. */
int receipt_write_payload(const struct receipt *receipt, struct cbor_writer *to);

/* receipt_read_payload: read a payload; elements after the seventh are a newer format's and are stepped over.
 * Returns 0, -EBADMSG (then WHY, may be NULL, has the rule broken). */
int receipt_read_payload(struct cbor_span payload, struct receipt *ret_receipt, const char **why);

/* receipt_read: take a signed receipt apart.  Checks no signature: see receipt_verify_trusted() in wire/signing.h.
 * Returns 0, -EBADMSG, -EMSGSIZE; WHY as above. */
int receipt_read(struct cbor_span in, struct receipt_signed *ret_receipt, const char **why);

/* receipt_is_received: say whether a state means that the alert is durable: every state but kept and coming. */
bool receipt_is_received(unsigned state);

/* receipt_is_closed: say whether a state means closed, with a reason or without. */
bool receipt_is_closed(unsigned state);

/* receipt_state_name: a word for log and inspect ("en route"); "unknown" beyond. */
const char *receipt_state_name(unsigned state);
#endif
