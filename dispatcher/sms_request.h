/* What a gateway asks of the SMS door: an HTTP/1 request as octets, taken apart.  Pure.  Written for Kannel 1.4's
 * smsbox (docs/DESIGN.md says what it was seen to send), and for any other gateway that says the same:
 *
 *      POST /sms/in?secret=S&id=I   one SMS: X-Kannel-From, X-Kannel-UDH, X-Kannel-Coding, Content-Type, body
 *      GET|POST /sms/report?secret=S&about=A&status=N   what became of one of ours */
#ifndef DISPATCHER_SMS_REQUEST_H
#define DISPATCHER_SMS_REQUEST_H

#include "dispatcher/sms.h"
#include "wire/cbor.h"

/* Octets of request line and headers: smsbox's have some 600.  More: 431. */
#define SMS_REQUEST_HEAD_MAX 4096
/* Octets of a body: an SMS has 140, a text of three in UTF-8 480.  More: 413. */
#define SMS_REQUEST_BODY_MAX 1024
#define SMS_REQUEST_MAX      (SMS_REQUEST_HEAD_MAX + SMS_REQUEST_BODY_MAX)
/* Octets of what tells two SMS apart: the gateway's id, else the time it names.  More is cut. */
#define SMS_REQUEST_KEY_SIZE 64
/* Octets of a reference as text, its NUL too. */
#define SMS_ABOUT_SIZE       (2 * (ALERT_ID_SIZE + 1 + PERSON_ID_MAX) + 1)

enum sms_request_kind {
        SMS_REQUEST_NONE,   /* refused */
        SMS_REQUEST_OBJECT, /* an object to our port */
        SMS_REQUEST_TEXT,
        SMS_REQUEST_REPORT,
        SMS_REQUEST_JUNK /* an SMS that is nothing for us, now or if it came again: taken and forgotten */
};

struct sms_request {
        enum sms_request_kind kind;
        bool keep_alive;
        char from[NUMBER_MAX + 1];      /* "+" and digits; "": not a number */
        char key[SMS_REQUEST_KEY_SIZE]; /* the same for a copy of the same SMS; "" where the gateway names none */
        struct cbor_span object;        /* into the request */
        char text[SMS_TEXT_MAX + 1];    /* UTF-8; what is longer is cut */
        struct sms_ref about;
        uint8_t report; /* enum sms_state: SMS_DELIVERED or SMS_FAILED; SMS_HANDED: on its way, nothing new */
};

/* sms_request_read: take the first request of DATA apart.
 *   secret       what `secret=` must be, compared in constant time
 *   ret_used     its octets, on any result but -EAGAIN
 *   ret_request  written always
 * Returns 0; -EAGAIN (more octets are needed); or the HTTP status to refuse it with: 400, 403, 404, 405, 411, 413, 431.
 * After 400, 411, 413 and 431 what follows cannot be told apart: close (keep_alive is false). */
int sms_request_read(struct cbor_span data, const char *secret, struct sms_request *ret_request, size_t *ret_used);

/* sms_number_read: TEXT (LEN octets) as "+" and digits: "+33612345678", "0033612345678" or "33612345678"; 6 to 15
 * digits. A short code, a national number or a name gives false and "". */
bool sms_number_read(const char *text, size_t len, char ret_number[NUMBER_MAX + 1]);

/* sms_about_write: a reference as text that goes through a URL as it is.  sms_about_read: back; false: it is none. */
void sms_about_write(const struct sms_ref *about, char ret_text[SMS_ABOUT_SIZE]);
bool sms_about_read(const char *text, struct sms_ref *ret_about);

#endif
