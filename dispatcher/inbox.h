/* The inbox: what waits for one handset, and which frame of it goes next to its session: the oldest order with what comes beside it, then the
 * newest status list where the phone's is older (PROTOCOL.md 7, 10.1, 14).  Pure: who reads Redis and sends is inbox_run.c and what stands beside it. */
#ifndef DISPATCHER_INBOX_H
#define DISPATCHER_INBOX_H

#include "dispatcher/reply.h"
#include "wire/desk.h"
#include "wire/frame.h"

/* An order without its confirmation is given again after so long, so often; then not before the handset says something of its vault or the
 * inbox changes. */
#define INBOX_AGAIN_MS  30000
#define INBOX_TRIES_MAX 3

/* One order of a stream, whole; at most FRAME_COSE_MAX and ORDER_BESIDE_MAX octets. */
struct inbox_order {
        char id[STREAM_ID_TEXT]; /* of its entry */
        struct order order;
        uint8_t *cose, *beside; /* beside NULL: nothing */
        uint32_t cose_len, beside_len;
        uint32_t offset; /* of what comes next beside it */
        bool begun;      /* ORDER was sent */
        uint8_t tries;
        int64_t sent_mono_ms;
};

/* The newest status list; one for all. */
struct inbox_list {
        uint32_t issued_s; /* 0: none */
        uint8_t *bytes;
        uint32_t len;
};

/* A session that may be given orders. */
struct inbox_peer {
        uint64_t session; /* the table's key */
        uint8_t handset[HANDSET_ID_SIZE];
        bool told;                /* VAULT came; false: it may be given orders alone */
        struct vault_entry vault; /* as told; taken and result as {r}:vaults has them, once `known` */
        bool known;               /* {r}:vaults was read, and written where that was needed */
        bool asking;              /* that, or the inbox, is being read */
        bool look;                /* the inbox is to be looked at */
        bool look_opened;         /* and what the keeper opened of it */
        bool in_work;
        struct inbox_peer *next_work;
        struct inbox_order *order; /* in hand; NULL none */
        uint32_t
                list_s; /* issue of the list that it was sent last in this session; list_offset: what comes next of it */
        uint32_t list_offset;
};

/* inbox_order_new: the order of one entry: COSE signed, BESIDE what comes beside it; copied.
 * Returns 0, -EBADMSG (it can be read as none, or is too large), -ENOMEM.  inbox_order_free: NULL does nothing. */
int inbox_order_new(const char *id, struct cbor_span cose, struct cbor_span beside, struct inbox_order **ret_order);
void inbox_order_free(struct inbox_order *order);

/* inbox_is_for: say whether ORDER is still something for PEER: of its handset and enrolment, above the last one taken. */
bool inbox_is_for(const struct inbox_peer *peer, const struct order *order);

/* inbox_is_waste: say whether ORDER, which is not for PEER, is for nobody else either and can be dropped.
 *   enrolment  of the phone that the region holds for this handset now; NULL: none.  PEER may be the phone before it, whose session is
 *              about to end: what is for the new one stays. */
bool inbox_is_waste(const struct inbox_peer *peer, const struct order *order, const uint8_t *enrolment);

/* inbox_next: the frame that goes to PEER next.
 *   ret_frame  its spans point into PEER's order or LIST
 * Returns true, or false: none now.  An order given up is let go of (peer->order NULL). */
bool inbox_next(struct inbox_peer *peer, const struct inbox_list *list, int64_t now_mono_ms, struct frame *ret_frame);

/* inbox_has_work: say whether inbox_next will have something for PEER by and by without anything happening. */
bool inbox_has_work(const struct inbox_peer *peer, const struct inbox_list *list);

/* What the keeper opened of one handset: the newest, oldest first. */
struct inbox_opened {
        size_t count;
        struct opened_entry entries[OPENED_MAX];
};

/* inbox_opened_add: ENTRY, as it was read, into TO; older than OPENED_KEPT_MS at NOW_MS, or older than OPENED_MAX others: it is not told. */
void inbox_opened_add(struct inbox_opened *to, const struct opened_entry *entry, int64_t now_ms);

/* inbox_vault_merge: TOLD, just said, gets taken and result of HELD, what {r}:vaults has (NULL: nothing), where that is of the same enrolment.
 * Returns whether it is worth writing: open and locked are one to the desk. */
bool inbox_vault_merge(struct vault_entry *told, const struct vault_entry *held);

/* inbox_confirm: HELD, what {r}:vaults has (all zero: nothing), takes note of CONFIRM, whose signature is good.  Returns whether it changed. */
bool inbox_confirm(struct vault_entry *held, const struct confirm *confirm);

#endif
