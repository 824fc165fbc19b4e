/* The order: what the region tells one phone to do, signed by the keeper (PROTOCOL.md 14).  Pure.
 *
 *   [1, handset id 8, enrolment 8, number u32, kind, issued s, argument]
 *
 * It names the enrolment, so that a recorded one is worthless after the phone was enrolled anew.  Numbers of a region only rise. */
#ifndef WIRE_ORDER_H
#define WIRE_ORDER_H
#include "wire/cose.h"
#include "wire/id.h"
#include "wire/trust.h"

#define ORDER_AAD            "vigie order"
#define ORDER_ENROLMENT_SIZE 8
#define ORDER_CHALLENGE_SIZE 8
#define ORDER_DIGEST_SIZE    16
#define ORDER_PAYLOAD_MAX    (1 + 1 + 9 + 9 + 5 + 1 + 5 + 1 + ORDER_DIGEST_SIZE)
#define ORDER_MAX            (COSE_OVERHEAD + ORDER_PAYLOAD_MAX) /* 132: one SMS */

enum order_kind {
        ORDER_WIPE = 1,   /* argument null: both keys first, then what is Vigie's; nothing private */
        ORDER_UNLOCK = 2, /* the phone's challenge, 8 octets: the carrier sets a new PIN */
        ORDER_PASS = 3,   /* the first 16 octets of SHA-256 over a parcel (PROTOCOL.md 14.1) that comes beside it */
        ORDER_TRUST = 4,  /* number of a trust list that comes beside it */
        ORDER_KIND_END
};

struct order {
        struct handset_id handset;
        uint8_t enrolment[ORDER_ENROLMENT_SIZE];
        uint32_t number;
        enum order_kind kind;
        uint32_t issued_at_s; /* UTC */
        uint8_t challenge[ORDER_CHALLENGE_SIZE];
        uint8_t digest[ORDER_DIGEST_SIZE];
        uint32_t trust_number;
};

struct order_signed {
        struct cose_sign1 cose;
        struct order order;
};

/* order_write_payload: write the payload.  Returns 0, -EINVAL (kind), -ENOBUFS. */
int order_write_payload(const struct order *order, struct cbor_writer *to);

/* order_read: take a signed order apart; checks no signature.  Elements behind the seventh are a newer format's; a kind that
 * we do not know is refused: nobody can do half an order.
 *   why   may be NULL; on failure the rule broken, static English text
 * Returns 0, -EBADMSG, -EMSGSIZE. */
int order_read(struct cbor_span in, struct order_signed *ret_order, const char **why);

/* order_kind_name: "wipe", "unlock", "pass", "trust"; "unknown" beyond. */
const char *order_kind_name(unsigned kind);
#endif
