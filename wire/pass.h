/* The pass and what is shown with it (PROTOCOL.md 13; DESIGN section 9).  Pure.
 *
 *   pass     [1, region, subject 8, pass id 8, not before s, not after s, issued s, pass key 64, status index, scope 16,
 *             [[from s, to s], ...], policy]                                    signed by the keeper, kid of its pass key
 *   mandate  [1, region, door id 8, building id 8, class, door key 64, not before s, not after s]
 *                                                                              signed by the region's door key
 *   hello    [1, mandate, nonce 16, time s, status list issued s, log head 16]  signed by the door, kid its door id
 *   proof    [1, pass digest 16, salt 16, leaf index, path, time s, counter, marker 8]
 *                                                                              signed by the pass key, kid the pass id
 *   presentation  [1, pass, proof]                                             what NFC carries; as text "VG1:" + base45
 *
 * Keys of phones and doors are P-256: x and y, 32 octets each.  A door's class says how it is spoken to. */
#ifndef WIRE_PASS_H
#define WIRE_PASS_H
#include "wire/cose.h"
#include "wire/scope.h"
#include "wire/trust.h"

#define PASS_AAD    "vigie pass"
#define MANDATE_AAD "vigie door"
#define HELLO_AAD   "vigie hello"
#define PROOF_AAD   "vigie proof" /* and 32 octets: see proof_aad */

#define PASS_ID_SIZE      8
#define PASS_SUBJECT_SIZE 8
#define PASS_KEY_SIZE     64
#define PASS_DIGEST_SIZE  16 /* of SHA-256 over the whole signed pass */
#define PASS_MARKER_SIZE  8
#define DOOR_ID_SIZE      8
#define HELLO_NONCE_SIZE  16
#define HELLO_HEAD_SIZE   16

/* Windows of one pass: a split shift has two, with a spare each.  More: refused. */
#define PASS_WINDOWS_MAX 4
/* The longest pass, with a second person's consent; without one 12 h.  A longer one is refused by who reads it. */
#define PASS_SECONDS_MAX (24 * 3600)

/* A one-way proof is good in its slot and a neighbour: it changes on the screen each slot. */
#define PASS_SLOT_S 15

#define PASS_PAYLOAD_MAX \
        (1 + 1 + 2 + TRUST_REGION_MAX + 9 + 9 + 5 + 5 + 5 + 66 + 5 + 17 + 1 + PASS_WINDOWS_MAX * 11 + 5)
#define PASS_MAX            (COSE_OVERHEAD + PASS_PAYLOAD_MAX)
#define MANDATE_PAYLOAD_MAX (1 + 1 + 2 + TRUST_REGION_MAX + 9 + 9 + 1 + 66 + 5 + 5)
#define MANDATE_MAX         (COSE_OVERHEAD + MANDATE_PAYLOAD_MAX)
#define HELLO_PAYLOAD_MAX   (1 + 1 + 2 + MANDATE_MAX + 17 + 5 + 5 + 17)
#define HELLO_MAX           (COSE_OVERHEAD + 1 + HELLO_PAYLOAD_MAX)
#define PROOF_PAYLOAD_MAX   (1 + 1 + 17 + 17 + 3 + 2 + SCOPE_PATH_MAX + 5 + 5 + 9)
#define PROOF_MAX           (COSE_OVERHEAD + PROOF_PAYLOAD_MAX)
#define PROOF_AAD_SIZE      (sizeof(PROOF_AAD) - 1 + 32)
#define PRESENTATION_MAX    (1 + 1 + 3 + PASS_MAX + 3 + PROOF_MAX)

/* "VG1:", base45 and a closing NUL. */
#define PASS_TEXT_PREFIX "VG1:"
#define PASS_TEXT_SIZE   (4 + 3 * ((PRESENTATION_MAX + 1) / 2) + 1)

enum pass_policy {
        PASS_ONE_WAY = 0x1,   /* may be shown as QR, where the door takes that */
        PASS_CARETAKER = 0x2, /* and on a caretaker's page */
        PASS_SENSITIVE = 0x4, /* issued with a second person's consent: opens buildings marked sensitive */
};

enum door_class {
        DOOR_NFC = 1,     /* interactive: says hello */
        DOOR_SCANNER = 2, /* one way: reads a QR */
        DOOR_PAGE = 3,    /* one way: a caretaker's page */
        DOOR_CLASS_END
};

struct pass_window {
        uint32_t from_s, to_s; /* UTC, both inside */
};

struct pass {
        char region[TRUST_REGION_MAX + 1];
        uint8_t subject[PASS_SUBJECT_SIZE]; /* a pseudonym, new with each pass: the log of a door names nobody */
        uint8_t id[PASS_ID_SIZE];
        uint32_t not_before_s, not_after_s, issued_at_s; /* UTC; the first two both inside */
        uint8_t key[PASS_KEY_SIZE];
        uint32_t status; /* its bit in the status list */
        uint8_t scope[SCOPE_HASH_SIZE];
        uint8_t window_count; /* 0: the whole time */
        struct pass_window windows[PASS_WINDOWS_MAX];
        uint32_t policy; /* enum pass_policy; unknown bits of a newer format are kept and mean nothing here */
};

struct mandate {
        char region[TRUST_REGION_MAX + 1];
        uint8_t door[DOOR_ID_SIZE], building[BUILDING_ID_SIZE];
        uint8_t class; /* enum door_class */
        uint8_t key[PASS_KEY_SIZE];
        uint32_t not_before_s, not_after_s;
};

struct hello {
        struct cbor_span mandate; /* signed, as it stands in the hello */
        uint8_t nonce[HELLO_NONCE_SIZE];
        uint32_t time_s;               /* the door's clock */
        uint32_t list_issued_at_s;     /* of the status list it holds; 0 none */
        uint8_t head[HELLO_HEAD_SIZE]; /* of its log's chain */
};

struct proof {
        uint8_t digest[PASS_DIGEST_SIZE]; /* of the pass that it goes with */
        uint8_t salt[SCOPE_SALT_SIZE];
        uint16_t index; /* of the building among the scope's leaves */
        struct cbor_span path;
        uint32_t time_s;                  /* the phone's clock */
        uint32_t counter;                 /* of this pass, one more at each proof: no proof is taken twice */
        uint8_t marker[PASS_MARKER_SIZE]; /* normal or under duress: the region alone can tell */
};

/* A signed one as it came; spans into the message. */
struct pass_signed {
        struct cose_sign1 cose;
        struct pass pass;
};
struct mandate_signed {
        struct cose_sign1 cose;
        struct mandate mandate;
};
struct hello_signed {
        struct cose_sign1 cose;
        struct hello hello;
};
struct proof_signed {
        struct cose_sign1 cose;
        struct proof proof;
};

/* x_write_payload: write a payload.  Returns 0, -EINVAL (a value out of its range), -ENOBUFS. */
int pass_write_payload(const struct pass *pass, struct cbor_writer *to);
int mandate_write_payload(const struct mandate *mandate, struct cbor_writer *to);
int hello_write_payload(const struct hello *hello, struct cbor_writer *to);
int proof_write_payload(const struct proof *proof, struct cbor_writer *to);

/* x_read: take a signed one apart; elements behind those known are a newer format's and are stepped over.  Checks no
 * signature.  Refused as malformed: what ends before it begins, a window likewise, a class or count out of range.
 *   why   may be NULL; on failure the rule broken, static English text
 * Returns 0, -EBADMSG, -EMSGSIZE (over its MAX). */
int pass_read(struct cbor_span in, struct pass_signed *ret_pass, const char **why);
int mandate_read(struct cbor_span in, struct mandate_signed *ret_mandate, const char **why);
int hello_read(struct cbor_span in, struct hello_signed *ret_hello, const char **why);
int proof_read(struct cbor_span in, struct proof_signed *ret_proof, const char **why);

/* proof_aad: the external_aad of a proof: "vigie proof" and the SHA-256 of what it answers: the whole signed HELLO; or, where that
 * is empty (one way), of [class, slot as 4 octets big-endian], slot being TIME_S / PASS_SLOT_S. */
void proof_aad(const struct scope_hash *sha, struct cbor_span hello, uint8_t class, uint32_t time_s,
               uint8_t ret_aad[PROOF_AAD_SIZE]);

/* pass_digest: of a whole signed pass, for its proofs. */
void pass_digest(const struct scope_hash *sha, struct cbor_span pass, uint8_t ret_digest[PASS_DIGEST_SIZE]);

/* presentation_write, presentation_read: pass and proof together.  Spans of the second point into IN.
 * Return 0, -ENOBUFS; -EBADMSG, -EMSGSIZE. */
int presentation_write(struct cbor_span pass, struct cbor_span proof, struct cbor_writer *to);
int presentation_read(struct cbor_span in, struct cbor_span *ret_pass, struct cbor_span *ret_proof);

/* pass_text_write: a presentation as "VG1:" and base45, closing NUL.  pass_text_read: back, to TO of SIZE octets.  White space
 * around it, which scanners add, is skipped, but for spaces behind it: a space is a digit of base45.
 * Return 0, -ENOBUFS; -EINVAL (another prefix, no base45), -EMSGSIZE. */
int pass_text_write(struct cbor_span presentation, char *text, size_t size);
int pass_text_read(const char *text, size_t len, uint8_t *to, size_t size, size_t *ret_len);
#endif
