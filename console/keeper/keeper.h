/* The keeper: judges a request, writes it down, signs or opens, answers.  It holds the region's private keys for passes, status
 * lists, orders and positions; nobody else does.  One thread. */
#ifndef KEEPER_KEEPER_H
#define KEEPER_KEEPER_H
#include <openssl/x509.h>

#include "console/keeper/ledger.h"

/* A pass of more than that, or for sensitive buildings, asks for a second person. */
#define KEEPER_ALONE_S  (12 * 3600)
/* A pass may begin that far in the past (a clock that is off) and in the future (tomorrow's round). */
#define KEEPER_PAST_S   3600
#define KEEPER_FUTURE_S (48 * 3600)
/* A status list is good for so long at most. */
#define KEEPER_LIST_S   (72 * 3600)
/* An alert opens its handset's position for so long after the press. */
#define KEEPER_ALERT_S  (24 * 3600)
/* A position older than that is opened for nothing: who kept what passed by cannot read last week's ways out of it. */
#define KEEPER_FIX_S    (24 * 3600)

/* The clock may have gone that far ahead of the time that passed since the keeper began (one that was slewed or stepped a little), and be
 * that far behind the newest pass or list: beyond, no pass and no list is signed, and nobody is overdue by it. */
#define KEEPER_CLOCK_S  (10 * 60)
/* Consoles ask for a list every six hours: where the newest pass or list is older than that at a start, the keeper rested, or the clock is ahead. */
#define KEEPER_RESTED_S 86400

/* Refused requests that are written down in one hour; of more nothing is. */
#define KEEPER_REFUSED_MAX 1000

struct keeper_limits {              /* an hour, of one person; of all */
        int64_t passes, passes_all; /* also of orders that bring one */
        int64_t orders, orders_all; /* wipes, unlocks */
        int64_t opens, opens_all;
        int64_t overdue_s; /* a position that old is an overdue carrier's */
        /* of one handset, without an alert, in an hour and in a day: who is silent for 15 minutes each time is so four times an hour
         * at most, and nobody is twelve times in a shift */
        int64_t overdue, overdue_day;
        int64_t renewals, renewals_all; /* an hour, in the name of one person; of all: passes that go on, or come again */
};

struct keeper_time {
        uint32_t utc_s;
        int64_t up_s; /* of a clock that nobody sets, and that goes on while the machine sleeps */
};

struct keeper_options {
        const char *region;
        struct keeper_time start;
        const struct key *pass, *status, *order, *position; /* private; borrowed until keeper_free */
        X509 *handset_ca; /* borrowed; whose signature makes a handset's certificate */
        struct keeper_limits limits;
        /* Write ENTRY down, durable when this returns.  Returns 0 or a negative errno: then nothing is signed. */
        int (*write)(void *user, struct cbor_span entry);
        /* SIZE fresh random octets.  Returns 0 or a negative errno. */
        int (*random)(void *user, void *to, size_t size);
        void *user;
};

struct keeper;

/* keeper_new: OPTIONS are copied.  Returns 0, -EINVAL (a key that is of the wrong kind or not private), -ENOMEM, -EIO. */
int keeper_new(const struct keeper_options *options, struct keeper **ret_keeper);
void keeper_free(struct keeper *keeper);

/* keeper_replay: one entry of the journal, at the start, in order.  Returns 0, -EBADMSG, -EPROTONOSUPPORT, -ENOMEM. */
int keeper_replay(struct keeper *keeper, struct cbor_span entry);

/* keeper_keeps: say whether a rewritten journal needs this entry at NOW_S. */
bool keeper_keeps(const struct keeper *keeper, struct cbor_span entry, uint32_t now_s);

/* keeper_clock: by how many seconds the clock is wrong at NOW: above 0 ahead of what passed since the start, below 0 behind the newest
 * pass or list, 0 neither by more than KEEPER_CLOCK_S. */
int64_t keeper_clock(const struct keeper *keeper, const struct keeper_time *now);

/* keeper_rested: for how many seconds nothing that was signed says when, by the clock at NOW_S; 0: for KEEPER_RESTED_S at most, or nothing
 * was signed yet. */
int64_t keeper_rested(const struct keeper *keeper, uint32_t now_s);

/* keeper_answer: do what REQUEST asks, if the keeper's own rules allow it.
 *   peer     who it is
 *   to       KEEPER_MESSAGE_MAX octets
 * Returns the answer's length; 0 where the request cannot be read so far that it could be answered: the peer is closed. */
size_t keeper_answer(struct keeper *keeper, enum keeper_peer peer, struct cbor_span request,
                     const struct keeper_time *now, uint8_t *to);
#endif
