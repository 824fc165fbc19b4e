/* What phone and door say to each other over NFC (PROTOCOL.md 13.7): ISO 7816-4 command and response APDUs, short ones
 * alone, and the two small payloads in them.  The door is the reader, the phone the card.  Pure. */
#ifndef WIRE_ISO7816_H
#define WIRE_ISO7816_H
#include "wire/cbor.h"

/* The application that a phone answers to: F0, then "VIGIE1". */
#define ISO7816_APPLICATION "\xF0VIGIE1"

enum iso7816_ins {
        ISO7816_HELLO = 0x10,
        ISO7816_PROOF = 0x12,
        ISO7816_LIST = 0x20,
        ISO7816_VERDICT = 0x30,
        ISO7816_SELECT = 0xA4,
        ISO7816_GET_RESPONSE = 0xC0
};

#define ISO7816_CLA_INTER 0x00 /* SELECT, GET RESPONSE */
#define ISO7816_CLA_OURS  0x80
#define ISO7816_CHAIN     0x10 /* in the class: more of this command follows */

enum iso7816_status {
        ISO7816_OK = 0x9000,
        ISO7816_MORE = 0x6100, /* and in the low octet how many are ready, 00 for 256 and more */
        ISO7816_WRONG_LENGTH = 0x6700,
        ISO7816_ASKED = 0x6982, /* the carrier is asked for the PIN, or the proof is being made: again later */
        ISO7816_OUT_OF_TURN = 0x6985,
        ISO7816_NO_APPLICATION = 0x6A82,
        ISO7816_WRONG_PARAMETER = 0x6A86,
        ISO7816_WRONG_INS = 0x6D00,
        ISO7816_WRONG_CLASS = 0x6E00
};

/* Data of one short APDU either way; longer commands are chained, longer answers fetched. */
#define ISO7816_DATA_MAX    255
#define ISO7816_COMMAND_MAX (5 + ISO7816_DATA_MAX + 1)
#define ISO7816_PIECE_MAX   256
#define ISO7816_ANSWER_MAX  (ISO7816_PIECE_MAX + 2)

/* What LIST gives at a time. */
#define ISO7816_LIST_PIECE 240

/* The two payloads, with room for a newer format's. */
#define ISO7816_OFFER_MAX   32
#define ISO7816_VERDICT_MAX 32

struct iso7816_command {
        uint8_t cla, ins, p1, p2;
        struct cbor_span data;
        size_t expected; /* Le: 1..256; 256 where the command names none */
};

/* iso7816_command_read: take a short command APDU apart; DATA points into IN.  Returns 0, -EBADMSG (its length is not
 * what it says, or an extended one). */
int iso7816_command_read(struct cbor_span in, struct iso7816_command *ret_command);

/* iso7816_command_write: write COMMAND with Le 00 (all there is) to TO of ISO7816_COMMAND_MAX.  Data over
 * ISO7816_DATA_MAX is a bug (assert).  Returns the length. */
size_t iso7816_command_write(const struct iso7816_command *command, uint8_t to[ISO7816_COMMAND_MAX]);

/* iso7816_offer_write, _read: what SELECT answers, [1, list issued s, list octets]; 0, 0: the phone has none.
 * Writing returns the length; reading 0, -EBADMSG. */
size_t iso7816_offer_write(uint32_t issued_at_s, uint32_t octets, uint8_t to[ISO7816_OFFER_MAX]);
int iso7816_offer_read(struct cbor_span in, uint32_t *ret_issued_at_s, uint32_t *ret_octets);

/* iso7816_verdict_write, _read: what the door tells in the end, [1, number of 13.6 or 0, time s]; likewise. */
size_t iso7816_verdict_write(unsigned refusal, uint32_t time_s, uint8_t to[ISO7816_VERDICT_MAX]);
int iso7816_verdict_read(struct cbor_span in, unsigned *ret_refusal, uint32_t *ret_time_s);
#endif
