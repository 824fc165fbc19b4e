/* The phone's side at a door over NFC: the card of PROTOCOL.md 13.7 as a state machine.  An APDU in, an answer out; no
 * heap, no clock, no libcrypto: verifying the hello and signing the proof are the host's.  How a host drives it, whole:
 *
 *      static struct apdu_card card;
 *      apdu_init(&card);
 *      apdu_offer_list(&card, signed list, when issued);          whenever it has a newer one
 *      the reader is gone, the field is off:    apdu_power_off(&card);
 *      an APDU came:
 *              len = apdu_command(&card, apdu, answer, &todo);
 *              if (todo.kind == APDU_JUDGE_HELLO) {               hello_verify(), and which pass has that building
 *                      begin to ask for the PIN and to make the proof, for todo.hello; keep todo.session
 *                      len = apdu_greet(&card, whether it answers this door, answer);
 *              } else if (todo.kind == APDU_VERDICT)
 *                      show todo.refusal;
 *              send `len` octets of `answer`
 *      the proof is made:                       apdu_present(&card, session, presentation);
 *      the carrier says no, the PIN is wrong:   apdu_withdraw(&card, session);
 *
 * Until the proof is there the door is told to come again (6982).  The hello is to be copied: it lives until the next
 * command.  A phone begins anew at each SELECT, and each hello has a session of its own: what was made for another one
 * is refused by that number. */
#ifndef DEVICE_HANDSET_APDU_H
#define DEVICE_HANDSET_APDU_H
#include "wire/iso7816.h"
#include "wire/pass.h"

enum apdu_state {
        APDU_OFF,      /* not selected */
        APDU_SELECTED, /* says hello next */
        APDU_JUDGING,  /* the host looks at the hello: any command but SELECT is out of turn */
        APDU_GREETED,  /* asked for the proof */
        APDU_SHOWN,    /* gave it: the verdict comes next */
        APDU_DONE,
        APDU_STATE_COUNT
};

enum apdu_todo_kind { APDU_NOTHING, APDU_JUDGE_HELLO, APDU_VERDICT };

/* What the host is to do; spans live until the next call. */
struct apdu_todo {
        enum apdu_todo_kind kind;
        uint32_t session;       /* for apdu_present */
        struct cbor_span hello; /* signed, not verified */
        unsigned refusal;       /* APDU_VERDICT: 0 opened, else a number of 13.6 */
        uint32_t time_s;        /* the door's clock then */
};

/* One card.  For apdu.c alone; some 1.1 KiB. */
struct apdu_card {
        enum apdu_state state;
        uint32_t session;
        struct cbor_span list, offered; /* the newest; the one of this session */
        uint32_t list_issued_at_s, offered_at_s;
        uint8_t hello[HELLO_MAX]; /* what was chained so far */
        size_t hello_len;
        bool chaining, withdrawn;
        uint8_t shown[PRESENTATION_MAX]; /* empty: not made yet */
        size_t shown_len;
        struct cbor_span left; /* of an answer longer than a piece: for GET RESPONSE */
};

/* apdu_init: a card that nobody has selected. */
void apdu_init(struct apdu_card *card);

/* apdu_power_off: the reader is gone.  What was begun is forgotten; the list stays. */
void apdu_power_off(struct apdu_card *card);

/* apdu_offer_list: the newest signed status list, from the next SELECT on; LIST is borrowed until after the SELECT
 * that follows the next call.  Empty: none.  One over 65,536 octets is not offered. */
void apdu_offer_list(struct apdu_card *card, struct cbor_span list, uint32_t issued_at_s);

/* apdu_command: answer one command.
 *   answer     written; may not overlap IN
 *   ret_todo   written; for APDU_JUDGE_HELLO there is no answer yet: apdu_greet() gives it
 * Returns the answer's length, status word included; 0 with APDU_JUDGE_HELLO. */
size_t apdu_command(struct apdu_card *card, struct cbor_span in, uint8_t answer[ISO7816_ANSWER_MAX],
                    struct apdu_todo *ret_todo);

/* apdu_greet: answer the hello: whether this phone answers that door.  Returns the answer's length. */
size_t apdu_greet(struct apdu_card *card, bool is_known, uint8_t answer[ISO7816_ANSWER_MAX]);

/* apdu_present: what the door gets: pass and proof together (presentation_write), for the hello of SESSION.  Copied.
 * Returns 0, -ESTALE (another session by now: forget it), -EMSGSIZE. */
int apdu_present(struct apdu_card *card, uint32_t session, struct cbor_span presentation);

/* apdu_withdraw: there will be none: from now on the door is told so (6985).  Another session by now: does nothing. */
void apdu_withdraw(struct apdu_card *card, uint32_t session);
#endif
