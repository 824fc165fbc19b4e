/* One entry of a door's log (PROTOCOL.md 13.9): who was let in and who was not, by pseudonym.  Each names the one
 * before it and is signed by the door, so each is a signed head of all before.  Pure.
 *
 *   [1, number, previous 16, time s, floor s, status list issued s, refusal, class, degraded, subject 8 | null,
 *    pass id 8 | null, counter | null, marker 8 | null, unwritten]
 *
 * Signed by the door, kid its door id.
 *
 * The head of the chain is the first 16 octets of SHA-256 over the newest signed entry; zeros before the first. */
#ifndef WIRE_DOOR_LOG_H
#define WIRE_DOOR_LOG_H
#include "wire/pass_verify.h"

#define DOOR_LOG_AAD         "vigie door log"
#define DOOR_LOG_PAYLOAD_MAX (1 + 1 + 9 + 17 + 5 + 5 + 5 + 1 + 1 + 1 + 9 + 9 + 5 + 9 + 5)
#define DOOR_LOG_MAX         (COSE_OVERHEAD + DOOR_LOG_PAYLOAD_MAX)

struct door_log_entry {
        uint64_t number; /* from 1, one more each */
        uint8_t previous[HELLO_HEAD_SIZE];
        uint32_t time_s;           /* the door's clock */
        uint32_t floor_s;          /* the newest time that the region signed, below which it never goes */
        uint32_t list_issued_at_s; /* the status list held; 0 none */
        uint8_t refusal;           /* enum pass_refusal */
        uint8_t class;             /* enum door_class: one way is weaker, NFC is not */
        bool degraded;
        bool has_pass;  /* the pass is the region's: refusals after `forged`, and good ones */
        bool has_proof; /* and the proof the phone's: good ones, and `replayed` */
        uint8_t subject[PASS_SUBJECT_SIZE], pass[PASS_ID_SIZE];
        uint32_t counter;
        uint8_t marker[PASS_MARKER_SIZE];
        uint32_t unwritten; /* refusals since the entry before that were too many to write */
};
struct door_log_signed {
        struct cose_sign1 cose;
        struct door_log_entry entry;
};

/* door_log_write_payload: write a payload.  Returns 0, -ENOBUFS. */
int door_log_write_payload(const struct door_log_entry *entry, struct cbor_writer *to);

/* door_log_read: take a signed entry apart; checks no signature.  Returns 0, -EBADMSG, -EMSGSIZE; WHY may be NULL,
 * static text. */
int door_log_read(struct cbor_span in, struct door_log_signed *ret_entry, const char **why);

/* door_log_head: the head after this signed entry. */
void door_log_head(const struct scope_hash *sha, struct cbor_span entry, uint8_t ret_head[HELLO_HEAD_SIZE]);
#endif
