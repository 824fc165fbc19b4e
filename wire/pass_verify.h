/* Whether a pass opens this door now: the one decision, in one fixed order, one refusal each (PROTOCOL.md 13.6; DESIGN section
 * 9).  Pure and without heap: SHA-256 and the check of a signature come in; the clock is a number. */
#ifndef WIRE_PASS_VERIFY_H
#define WIRE_PASS_VERIFY_H
#include "wire/pass.h"

/* A phone's clock and a door's may differ by so much where a pass begins and ends. */
#define PASS_LEEWAY_S  120
/* One way: the proof's time and the door's clock may differ by so much: its own slot and the neighbours. */
#define PASS_ONE_WAY_S (2 * PASS_SLOT_S)

/* In the order they are looked for; the number is on the wire, in the log and on the phone, and never changes. */
enum pass_refusal {
        PASS_GOOD = 0,
        PASS_TOO_LONG = 1,    /* pass or proof longer than any */
        PASS_MALFORMED = 2,   /* not the CBOR of a pass and a proof */
        PASS_UNKNOWN_KEY = 3, /* signed by a key that the trust list does not have, or not now; another region */
        PASS_WRONG_USE = 4,   /* by a key of the trust list that is for something else */
        PASS_FORGED = 5,      /* the signature is not that key's */
        PASS_NOT_YET = 6,
        PASS_OVER = 7,
        PASS_REVOKED = 8,
        PASS_LIST_TOO_OLD = 9, /* whether it is revoked is not known: no list, or one past its end */
        PASS_OTHER_BUILDING = 10,
        PASS_OUTSIDE_HOURS = 11, /* none of its windows */
        PASS_NOT_SO = 12, /* not by this way (QR, page), or a sensitive building without the second person's consent */
        PASS_OTHER_PROOF = 13, /* the proof is of another pass */
        PASS_STALE = 14,       /* one way: not of this moment: a picture of a screen */
        PASS_UNPROVED = 15,    /* the proof is not signed by the pass key, or not for this hello */
        PASS_REPLAYED = 16,    /* its counter was here: for who remembers (the door), after this function */
        PASS_REFUSAL_END
};

/* A status list that was verified and unpacked (wire/status.h). */
struct status_bits {
        uint32_t issued_at_s, expires_s;
        uint32_t count;      /* bits; beyond them nothing is revoked yet */
        const uint8_t *bits; /* bit n: octet n / 8, from the lowest; 1 = revoked */
};

struct pass_crypto {
        struct scope_hash sha;
        void *user;
        /* Say whether SIGNATURE over BYTES is made by the public key (65 or 32 octets by ALG). */
        bool (*verify)(void *user, enum key_alg alg, struct cbor_span key, struct cbor_span bytes,
                       const uint8_t signature[KEY_SIGNATURE_SIZE]);
};

/* What a door asks.  Everything is borrowed for the call. */
struct pass_question {
        struct cbor_span pass, proof;     /* as shown */
        struct cbor_span hello;           /* this door's own, signed, that the proof answers; empty: one way */
        const struct trust *trust;        /* verified */
        const struct status_bits *status; /* NULL: none */
        uint32_t now_s;                   /* the door's clock; never below the newest time the region signed */
        uint8_t building[BUILDING_ID_SIZE];
        uint8_t class;    /* enum door_class, of this door */
        bool sensitive;   /* this building asks for PASS_SENSITIVE */
        bool degraded_ok; /* a list past its end is taken for good, and said */
};

struct pass_verdict {
        enum pass_refusal refusal;
        bool degraded;    /* good, and the list was past its end */
        struct pass pass; /* all zero where it was not read */
        uint32_t counter; /* of the proof, where the verdict is good: the door remembers it */
        uint8_t marker[PASS_MARKER_SIZE];
};

/* pass_verify: answer QUESTION.  Writes all of *ret_verdict. */
void pass_verify(const struct pass_crypto *crypto, const struct pass_question *question,
                 struct pass_verdict *ret_verdict);

/* hello_verify: the phone's side: whether this is a door of the region, before it gets a proof.
 *   now_s   the phone's clock, for the dates of mandate and key; the door's own is not judged
 *   ret_mandate  the door: its building is to be in the pass's scope
 * Returns 0, -EBADMSG, -EMSGSIZE, -ENOKEY (no door key of the region), -EKEYREJECTED (a signature), -ESTALE (a mandate out of
 * its dates), -EXDEV (another region's). */
int hello_verify(const struct pass_crypto *crypto, struct cbor_span hello, const struct trust *trust, uint32_t now_s,
                 struct mandate *ret_mandate);

/* pass_refusal_name: a stable word for logs and pages ("other_building"); "unknown" beyond. */
const char *pass_refusal_name(unsigned refusal);
#endif
