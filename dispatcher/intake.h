/* Intake: what an offered alert object is worth.  Its verdict is by its signature and the handset's entry, never by the session
 * that brought it.  Pure; the signature and the hash are checked by functions of the shell's. */
#ifndef DISPATCHER_INTAKE_H
#define DISPATCHER_INTAKE_H

#include "dispatcher/alert.h"
#include "dispatcher/core.h"

/* An object and who brought it. */
struct intake_offer {
        struct cbor_span bytes;
        uint8_t sender[SENDER_SIZE];    /* the session's certificate, the number of an SMS: for ids and limits */
        const uint8_t *session_handset; /* proved by its TLS session; NULL: none */
        int64_t now_ms;
};

struct intake_verdict {
        struct alert_press press; /* id: as claimed; of a forged or unreadable one another, that nobody else has */
        uint8_t claimed[ALERT_ID_SIZE]; /* what the object says */
        bool proved;                    /* the handset is: a good signature, or its own session */
        uint8_t event_id[EVENT_ID_SIZE];
};

/* intake_read: take BYTES apart, unverified: press.alert, odd, handset, and claimed as the id.  Unreadable parts get the
 * defaults of ALERT_ODD_*.  Returns whether it is an alert object at all (else: salvaged). */
bool intake_read(struct cbor_span bytes, struct alert_press *ret_press);

/* intake_judge: read OFFER and find its verdict:
 *      signature good by the handset's key or its previous one: UNVERIFIED_NOT, _REVOKED or _EXPIRED
 *      handset not enrolled: UNVERIFIED_UNKNOWN, with the id as claimed
 *      signature bad: UNVERIFIED_SIGNATURE; not readable: UNVERIFIED_MALFORMED; both with an id of their own made from the
 *      sender and the claim, so that they never touch the true alert, and copies are copies */
void intake_judge(const struct core_options *options, const struct directory *directory,
                  const struct intake_offer *offer, struct intake_verdict *ret_verdict);

/* intake_stranger_id: the id that a forged object of SENDER gets. */
void intake_stranger_id(const struct core_options *options, const struct intake_offer *offer, struct cbor_span claim,
                        uint8_t ret_id[ALERT_ID_SIZE]);

#endif
