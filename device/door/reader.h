/* The door's side of a contact over NFC (PROTOCOL.md 13.7): which command comes next, and what the answers make of it.
 * Pure and without heap; who owns the reader carries the octets (device/door/pcsc.h) and the time.
 *
 *      next = reader_begin(&r, hello, list);
 *      READER_SEND    send r.command, then next = reader_answer(&r, answer)
 *      READER_AGAIN   wait READER_AGAIN_MS, then next = reader_again(&r)
 *      READER_SHOWN   judge reader_shown(&r), then next = reader_verdict(&r, ...)
 *      READER_END     r.why says how it ended; r.list_len octets of a status list are there
 *
 * Nothing that a phone says makes a contact endless: each answer must bring what was asked for, the PIN has a
 * minute. */
#ifndef DEVICE_DOOR_READER_H
#define DEVICE_DOOR_READER_H
#include "wire/iso7816.h"
#include "wire/pass.h"
#include "wire/status.h"

/* While the carrier types the PIN: a minute in all.  At the last one the contact ends: READER_NO_PROOF. */
#define READER_AGAIN_MS  250
#define READER_AGAIN_MAX 240

enum reader_next { READER_SEND, READER_AGAIN, READER_SHOWN, READER_END };

enum reader_why {
        READER_GOOD,
        READER_NOT_OURS, /* no phone of ours: another card */
        READER_DECLINED, /* the phone answers no door like this one, or the carrier said no */
        READER_NO_PROOF, /* the PIN did not come */
        READER_BROKEN    /* an answer outside the protocol */
};

enum reader_step { READER_SELECTING, READER_GREETING, READER_PROVING, READER_JUDGING, READER_TELLING, READER_LISTING };

/* One contact.  The caller reads command, command_len, why, offered_at_s and list_len. */
struct reader {
        enum reader_step step;
        enum reader_why why;
        uint8_t command[ISO7816_COMMAND_MAX];
        size_t command_len;
        struct cbor_span hello; /* borrowed */
        size_t greeted;         /* octets of it that were sent */
        unsigned asked;         /* times that the proof was asked for */
        uint8_t got[PRESENTATION_MAX];
        size_t got_len;
        uint32_t offered_at_s, offered; /* the status list that the phone has, octets */
        uint8_t *list;                  /* borrowed, STATUS_MAX octets */
        size_t list_len;                /* whole when the end is READER_GOOD, else 0 */
        bool wants_list;
};

/* reader_begin: a phone is there.  HELLO: signed, this door's, with a nonce of its own; LIST: room for STATUS_MAX
 * octets.  Both are borrowed until the end. */
enum reader_next reader_begin(struct reader *r, struct cbor_span hello, uint8_t *list);

/* reader_answer: the answer to the command, status word included. */
enum reader_next reader_answer(struct reader *r, struct cbor_span answer);

/* reader_again: the time of READER_AGAIN is over. */
enum reader_next reader_again(struct reader *r);

/* reader_shown: the presentation, after READER_SHOWN; nothing about it is known. */
struct cbor_span reader_shown(const struct reader *r);

/* reader_verdict: tell the phone, and fetch its status list where WANTS_LIST. */
enum reader_next reader_verdict(struct reader *r, unsigned refusal, uint32_t now_s, bool wants_list);

/* reader_why_text: a phrase for the log. */
const char *reader_why_text(enum reader_why why);
#endif
