/* An object in an SMS: 8-bit user data behind a header with our port (PROTOCOL.md 11).  Pure.
 *
 *   06 05 04 destination 2 source 2 | object, at most 133 */
#ifndef WIRE_SMS_H
#define WIRE_SMS_H
#include "wire/cbor.h"

/* Destination port of what is ours, in the range that 3GPP TS 23.040 9.2.3.24.4 leaves to applications
 * (16000..16999). */
#define SMS_PORT     16147
#define SMS_UDH_SIZE 7   /* what Android's sendDataMessage writes, with source port 0 */
#define SMS_DATA_MAX 133 /* 140 octets less the header: COSE_SMS_MAX.  A longer body is -EMSGSIZE */

/* sms_udh_write: write the user data header that carries destination PORT; source port 0. */
void sms_udh_write(uint16_t port, uint8_t ret_udh[SMS_UDH_SIZE]);

/* sms_udh_port: the destination port that UDH names, its length octet first and nothing behind it.  Elements that are
 * no port are stepped over; of several ports the last counts (TS 23.040 9.2.3.24).
 * Returns 0..65535, -ENOENT (names no port), -EBADMSG (malformed), -EOPNOTSUPP (one part of several: no object of ours
 * is longer than one SMS). */
int sms_udh_port(struct cbor_span udh);

/* sms_object: the object in what a gateway hands over: UDH apart; or, UDH empty, still in front of BODY; or, when BODY
 * begins with 0x80 or more as every object does and no header can, nowhere at all.
 *   ret_object  points into BODY; 1..SMS_DATA_MAX octets, not looked at any further
 * Returns 0, -EBADMSG (header malformed, in parts, or nothing behind it), -EMSGSIZE, -ENOENT (no port, or another). */
int sms_object(struct cbor_span body, struct cbor_span udh, struct cbor_span *ret_object);
#endif
