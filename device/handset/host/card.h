/* card: the phone held to a door: libvigie-handset's card behind pcscd's virtual reader (vsmartcard's vpcd), for Linux phones without
 * an NFC chip of their own that emulates cards, for the demo and the tests.  Over TCP on this machine: two octets of length,
 * big-endian, then an APDU; a message of one octet is control (0 power off, 1 power on, 2 reset, 4 asks for the ATR). */
#ifndef DEVICE_HANDSET_HOST_CARD_H
#define DEVICE_HANDSET_HOST_CARD_H
#include "device/handset/apdu.h"

/* The control message that wants an answer, and the answer: a card of ISO 14443 without historical bytes. */
#define CARD_ASKS_ATR 4
#define CARD_ATR      0x3B, 0x80, 0x80, 0x01, 0x01

struct card;
struct loop;

/* It is taken away so long after the last APDU that followed a verdict (the door may fetch the list yet) ... */
#define CARD_AFTER_MS 1500
/* ... and after so long in any case: a door asks for the proof for 60 s at most (PROTOCOL.md 13.7). */
#define CARD_HELD_MS  65000

struct card_options {
        struct loop *loop;
        const char *address; /* host:port, on this machine */
        void *user;
        /* A hello, as it came: whether this phone answers that door. */
        bool (*hello)(void *user, struct cbor_span hello, uint32_t session);
        void (*verdict)(void *user, unsigned refusal, uint32_t time_s);
        /* It was taken away, or there is no reader: the session is over. */
        void (*away)(void *user);
};

/* card_open: not held to anything yet.  Returns 0, -ENOMEM, -EINVAL (the address). */
int card_open(const struct card_options *options, struct card **ret_card);

/* card_hold: hold it to the reader; what cannot be reached is told by away().  Returns 0, -EALREADY, -ENOMEM, an errno. */
int card_hold(struct card *card);

/* card_is_held: say whether it is. */
bool card_is_held(const struct card *card);

/* card_away: take it away; away() is not called. */
void card_away(struct card *card);

/* card_present, card_withdraw, card_offer: apdu_present, apdu_withdraw, apdu_offer_list. */
int card_present(struct card *card, uint32_t session, struct cbor_span presentation);
void card_withdraw(struct card *card, uint32_t session);
void card_offer(struct card *card, struct cbor_span list, uint32_t issued_at_s);

/* card_reads: say whether the reader may fetch from LIST yet, offered once: it is not to be freed before card_away(). */
bool card_reads(const struct card *card, const void *list);

/* card_close: end; before the loop is closed.  NULL does nothing. */
void card_close(struct card *card);
#endif
