/* pdu: one SMS as a modem has it in PDU mode (3GPP TS 27.005 4, TS 23.040 9.2), as hex: ours on the way out, anybody's on
 * the way in.  Pure. */
#ifndef DEVICE_HANDSET_HOST_PDU_H
#define DEVICE_HANDSET_HOST_PDU_H

#include <stddef.h>
#include <stdint.h>

#include "wire/sms.h"

/* Digits of a telephone number: E.164. */
#define PDU_NUMBER_MAX 15
/* Octets of the largest PDU either way, the centre's address (12) in front: SMS-DELIVER, 1 + 12 + 10 + 140.  A longer
 * one is malformed. */
#define PDU_MAX        (12 + 163)
#define PDU_HEX_SIZE   (2 * PDU_MAX + 1)

/* pdu_submit: write an SMS-SUBMIT, 8-bit, with the header for our port in front of DATA; the centre is the SIM's own.
 *   number   "+" and 1..15 digits
 *   data     1..SMS_DATA_MAX octets
 *   ret_hex  the PDU in hex, with its NUL
 * Returns the number that AT+CMGS wants (octets behind the centre's address), -EINVAL.  Source: TS 23.040 9.2.2.2. */
int pdu_submit(const char *number, struct cbor_span data, char ret_hex[PDU_HEX_SIZE]);

/* pdu_deliver: the data of an SMS-DELIVER that is 8-bit and for our port.
 *   hex      as AT+CMGR and AT+CMGL give it
 *   ret_len  1..SMS_DATA_MAX
 * Returns 0, -ENOENT (somebody else's: a text, another port or none, one part of several, a status report), -EBADMSG
 * (malformed; not ours either).  Source: TS 23.040 9.2.2.1, TS 23.038 4. */
int pdu_deliver(const char *hex, uint8_t ret_data[SMS_DATA_MAX], size_t *ret_len);

#endif
