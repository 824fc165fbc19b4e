/* What the console and the dispatchers ask of the keeper, and its answers: one datagram each over its unix socket (PROTOCOL.md
 * 15).  The keeper alone has the region's private keys; who may ask for what is known by the socket's peer, not by what is said here.
 * Pure. */
#ifndef WIRE_KEEPER_H
#define WIRE_KEEPER_H
#include "wire/order.h"
#include "wire/pass.h"
#include "wire/people.h"
#include "wire/sealed.h"

/* One request or answer: the largest is a status list, COSE_MAX and its heads. */
#define KEEPER_MESSAGE_MAX     (COSE_MAX + 256)
#define KEEPER_SECRET_SIZE     32
/* A handset's certificate, DER: P-256, some 450 octets. */
#define KEEPER_CERTIFICATE_MAX 2048
#define KEEPER_ALERT_MAX       256

enum keeper_kind { KEEPER_PASS = 1, KEEPER_REVOKE, KEEPER_LIST, KEEPER_ORDER, KEEPER_OPEN, KEEPER_MARK, KEEPER_KIND_END };

enum keeper_code {
        KEEPER_DONE,
        KEEPER_MALFORMED, /* the request cannot be read, or is of a newer format */
        KEEPER_NOT_YOURS, /* this peer may not ask for this */
        KEEPER_TOO_LONG,  /* longer than a pass may be */
        KEEPER_NEEDS_TWO, /* another person has to say yes too */
        KEEPER_TOO_MANY,  /* this person, or all together, asked too often in an hour */
        KEEPER_NOT_NOW,   /* it begins or ends at an impossible time */
        KEEPER_NOT_FOUND, /* no such pass */
        KEEPER_NO_REASON, /* neither an alert of that handset nor a position old enough */
        KEEPER_NO_PLACE,  /* every bit of the status list is in use, or the audit can take no more */
        KEEPER_FAILED,    /* libcrypto, the disk */
        KEEPER_CLOCK,     /* the keeper's clock cannot be right: no pass, no list, and nobody is overdue by it */
        KEEPER_CODE_END
};

/* `[1, kind, ref, by, second, ...]`, and by kind:
 *   PASS    handset, carrier, pass key 64, not before s, not after s, [[from s, to s], ...], policy, building ids (8 octets each), renews
 *   REVOKE  handset, pass id / null: all of that handset's
 *   LIST    expires s
 *   ORDER   handset, enrolment, what (enum order_kind), challenge 8, digest 16, trust list, renews
 *   OPEN    handset, sealed position, signed alert / null, the handset's certificate (DER) / null
 *   MARK    what stands in a door's log, 20 octets a proof: pass id 8, counter u32, marker 8 */
struct keeper_request {
        uint8_t kind;                                          /* enum keeper_kind */
        uint32_t ref;                                          /* the asker's, given back */
        char by[PERSON_ID_MAX + 1], second[PERSON_ID_MAX + 1]; /* logins; second "": nobody */
        uint8_t handset[HANDSET_ID_SIZE];
        char carrier[PERSON_ID_MAX + 1];
        uint8_t key[PASS_KEY_SIZE];
        uint32_t not_before_s, not_after_s;
        uint8_t window_count;
        struct pass_window windows[PASS_WINDOWS_MAX];
        uint32_t policy;
        struct cbor_span buildings;
        struct cbor_span pass_id; /* 8 octets or none */
        uint32_t expires_s;
        uint8_t enrolment[ORDER_ENROLMENT_SIZE], what, challenge[ORDER_CHALLENGE_SIZE], digest[ORDER_DIGEST_SIZE];
        uint32_t trust_number;
        uint8_t renews; /* PASS, ORDER that brings one: 1 where nobody asked for it now: a pass goes on, or comes again after an unlock */
        struct cbor_span sealed, alert, certificate;
        struct cbor_span marks;
};

/* Proofs that one MARK asks about; of more the asker asks again. */
#define KEEPER_MARKS_MAX 1024
#define KEEPER_MARK_SIZE (PASS_ID_SIZE + 4 + PASS_MARKER_SIZE)
/* What one octet of the answer to MARK says. */
enum keeper_mark { MARK_NORMAL, MARK_DURESS, MARK_STRANGE /* of no pass of this keeper's key */ };

/* `[1, kind, ref, code, ...]`, and where the code is DONE, by kind:
 *   PASS    signed pass, salt key 32, marker key 32, status index
 *   REVOKE  how many     LIST, ORDER  the signed object     OPEN  lat, lon, accuracy m, fix at s
 *   MARK    an octet for each, enum keeper_mark (`object`) */
struct keeper_answer {
        uint8_t kind;
        uint32_t ref;
        uint8_t code; /* enum keeper_code; a newer keeper's is a refusal */
        struct cbor_span object;
        uint8_t salt_key[KEEPER_SECRET_SIZE], marker_key[KEEPER_SECRET_SIZE];
        uint32_t status, count;
        struct sealed_position position;
};

/* keeper_request_encode, keeper_answer_encode: write one into BUF of SIZE octets (KEEPER_MESSAGE_MAX always does).
 * Return the length, -EINVAL (a value out of its range), -ENOBUFS. */
int keeper_request_encode(const struct keeper_request *request, uint8_t *buf, size_t size);
int keeper_answer_encode(const struct keeper_answer *answer, uint8_t *buf, size_t size);

/* keeper_request_decode, keeper_answer_decode: read one; spans point into IN, the rest is zero.  Elements behind those known are
 * stepped over.  Return 0, -EBADMSG, -EPROTONOSUPPORT (a newer format, or a kind that we do not know). */
int keeper_request_decode(struct cbor_span in, struct keeper_request *ret_request);
int keeper_answer_decode(struct cbor_span in, struct keeper_answer *ret_answer);

/* keeper_kind_name, keeper_code_name: stable words ("pass", "too_many"); "unknown" beyond. */
const char *keeper_kind_name(unsigned kind);
const char *keeper_code_name(unsigned code);
#endif
