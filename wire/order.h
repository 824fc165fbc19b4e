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

/* What comes beside an order: the largest parcel (PROTOCOL.md 14.1, 1,024 buildings with name and place) is some 87 KiB.  More is refused by
 * who writes or reads the frame. */
#define ORDER_BESIDE_MAX 98304

#define CONFIRM_AAD         "vigie done"
#define CONFIRM_PAYLOAD_MAX (1 + 1 + 9 + 9 + 5 + 2 + 2 + 5)
#define CONFIRM_MAX         (COSE_OVERHEAD + CONFIRM_PAYLOAD_MAX) /* 118: one SMS */
#define CONFIRM_TBS_MAX     (CONFIRM_PAYLOAD_MAX + 64)            /* its Sig_structure */

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

/* order_read: take a signed order apart; checks no signature.  Elements behind the seventh are a newer format's.  A kind that
 * we do not know is 0, or ORDER_KIND_END or above; its argument is not looked into: nobody can do half an order, and who does it says so.
 *   why   may be NULL; on failure the rule broken, static English text
 * Returns 0, -EBADMSG, -EMSGSIZE. */
int order_read(struct cbor_span in, struct order_signed *ret_order, const char **why);

/* What the phone says when an order is done, signed by its alert key (PROTOCOL.md 14.2):
 *
 *   [1, handset id 8, enrolment 8, order number u32, kind u8, result u8, at s] */
enum order_result { ORDER_DONE = 0, ORDER_COULD_NOT, ORDER_NOT_UNDERSTOOD };

struct confirm {
        struct handset_id handset;
        uint8_t enrolment[ORDER_ENROLMENT_SIZE];
        uint32_t number;
        uint8_t kind, result; /* enum order_kind, enum order_result; others are a newer phone's */
        uint32_t at_s;        /* UTC by the phone */
};

struct confirm_signed {
        struct cose_sign1 cose;
        struct confirm confirm;
};

/* confirm_write_payload: write the payload.  Returns 0, -ENOBUFS. */
int confirm_write_payload(const struct confirm *confirm, struct cbor_writer *to);

/* confirm_tbs, confirm_finish: for a key that lives elsewhere: the octets that it signs (CONFIRM_TBS_MAX), and the whole object with
 * its signature (CONFIRM_MAX).  Return 0, -ENOBUFS. */
int confirm_tbs(const struct confirm *confirm, struct cbor_writer *to);
int confirm_finish(const struct confirm *confirm, const uint8_t signature[KEY_SIGNATURE_SIZE], struct cbor_writer *to);

/* confirm_read: take a signed one apart; checks no signature: cose_sign1_verify with the handset's key and CONFIRM_AAD does.
 * Elements behind the seventh are stepped over.  A kid other than its handset is refused.  WHY as above.
 * Returns 0, -EBADMSG, -EMSGSIZE. */
int confirm_read(struct cbor_span in, struct confirm_signed *ret_confirm, const char **why);

/* order_kind_name: "wipe", "unlock", "pass", "trust"; "unknown" beyond. */
const char *order_kind_name(unsigned kind);
#endif
