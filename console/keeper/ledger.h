/* The ledger: what the keeper did and refused, an entry before each use of a key, and what follows from it: which pass has which bit
 * of the status list and until when, what is revoked, the next order's number, who asked how often.  Kept in a journal (base/journal)
 * and told to it again at each start.  Pure; one thread. */
#ifndef KEEPER_LEDGER_H
#define KEEPER_LEDGER_H
#include "wire/keeper.h"
#include "wire/status.h"

/* Who may ask, by the user of the process at the other end of the socket. */
enum keeper_peer { PEER_CONSOLE = 1, PEER_DISPATCHER, PEER_END };

/* Largest encoded entry: every text full. */
#define LEDGER_ENTRY_MAX 512

/* A bit of the status list is used again a day after its pass is over: no door asks for it any more. */
#define LEDGER_REST_S 86400

/* People who ask in one hour and are told apart; of more the one who asked longest ago gives way. */
#define LEDGER_ASKERS_MAX 256
#define LEDGER_HOUR_S     3600

/* Overdue carriers' positions told in one day, with whose they were: 2,000 an hour (limits.opens_all) are 48,000.  At that many no
 * other overdue carrier's is told until the first is a day old. */
#define LEDGER_OVERDUE_MAX 65536
#define LEDGER_DAY_S       86400

struct ledger_entry {
        uint32_t at_s;
        uint8_t peer, kind, code; /* enum keeper_peer, keeper_kind, keeper_code: DONE, or why not */
        char by[PERSON_ID_MAX + 1], second[PERSON_ID_MAX + 1];
        uint8_t handset[HANDSET_ID_SIZE];
        /* PASS; REVOKE of one has the id */
        char carrier[PERSON_ID_MAX + 1];
        uint8_t pass_id[PASS_ID_SIZE], subject[PASS_SUBJECT_SIZE];
        uint32_t status, not_before_s, not_after_s, policy, buildings;
        /* ORDER; number, of a refused OPEN: LEDGER_UNTOLD */
        uint8_t what;
        uint32_t number;
        /* LIST: issued at `at_s` */
        uint32_t expires_s;
        /* OPEN: zeros: as overdue */
        uint8_t alert[ALERT_ID_SIZE];
        /* PASS, ORDER: 1: nobody asked for it now */
        uint8_t renews;
};

/* In a refused OPEN: the entry before it was its own, and nobody was told the position (still fresh, or it does not open). */
#define LEDGER_UNTOLD 1

/* ledger_entry_encode, ledger_entry_decode: `[1, fields ...]`.  Return the length, -EINVAL, -ENOBUFS; 0, -EBADMSG,
 * -EPROTONOSUPPORT. */
int ledger_entry_encode(const struct ledger_entry *entry, uint8_t *buf, size_t size);
int ledger_entry_decode(struct cbor_span in, struct ledger_entry *ret_entry);

struct ledger;

/* ledger_new: an empty one.  Returns 0, -ENOMEM.  ledger_free: NULL does nothing. */
int ledger_new(struct ledger **ret_ledger);
void ledger_free(struct ledger *ledger);

/* ledger_apply: ENTRY is in the journal.  Returns 0, -EBADMSG (a bit beyond the list's), -ENOMEM. */
int ledger_apply(struct ledger *ledger, const struct ledger_entry *entry);

/* ledger_keep: say whether a rewritten journal needs ENTRY: a pass that still has its bit, what revoked one, the last order and
 * list, and a day of overdue carriers' positions. */
bool ledger_keep(const struct ledger *ledger, const struct ledger_entry *entry, uint32_t now_s);

/* ledger_place: a bit of the status list for a new pass, at NOW_S.  Returns it, or -ENOSPC: all STATUS_COUNT_MAX are in use. */
int64_t ledger_place(const struct ledger *ledger, uint32_t now_s);

/* ledger_count: how many passes that are not over at NOW_S and not revoked are HANDSET's; and, where PASS_ID is not NULL, are that
 * one. */
uint32_t ledger_count(const struct ledger *ledger, const uint8_t handset[HANDSET_ID_SIZE], const uint8_t *pass_id,
                      uint32_t now_s);

/* ledger_bits: the status list's bits to BITS of STATUS_OCTETS_MAX; gives how many there are. */
uint32_t ledger_bits(const struct ledger *ledger, uint8_t bits[STATUS_OCTETS_MAX]);

/* ledger_order, ledger_list_at, ledger_signed_at: the last order's number, the last list's time, that of the newest pass or list; 0 none. */
uint32_t ledger_order(const struct ledger *ledger);
uint32_t ledger_list_at(const struct ledger *ledger);
uint32_t ledger_signed_at(const struct ledger *ledger);

/* What of a request says as what it is counted; WHAT of an order. */
struct ledger_what {
        uint8_t kind, what, renews;
};

/* ledger_counted: as what a request is counted: by its kind; wipes and unlocks apart from the orders that bring a pass, so that no morning
 * full of passes stands before a lost phone; what renews apart from what is asked for. */
unsigned ledger_counted(struct ledger_what what);

/* ledger_asked: how often BY (NULL: everybody) was given what is COUNTED so, in the hour up to NOW_S. */
uint32_t ledger_asked(const struct ledger *ledger, const char *by, unsigned counted, uint32_t now_s);

/* ledger_overdue: how often HANDSET's (NULL: anybody's) position was told as an overdue carrier's in the PERIOD_S (LEDGER_DAY_S at
 * most) up to NOW_S; what was told later than NOW_S counts. */
uint32_t ledger_overdue(const struct ledger *ledger, const uint8_t *handset, uint32_t period_s, uint32_t now_s);
#endif
