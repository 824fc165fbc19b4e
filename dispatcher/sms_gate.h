/* The SMS gate: what the region sends by SMS, through the gateway's sendsms (Kannel's smsbox).  A bounded queue by
 * priority; what the gateway does not take is tried again until its term is over.  Nothing here is remembered by a
 * restart: the core knows from the store what is still due.  Loop's thread only. */
#ifndef DISPATCHER_SMS_GATE_H
#define DISPATCHER_SMS_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "dispatcher/sms.h"
#include "wire/cbor.h"

struct loop;
struct sms_gate;

/* SMS that wait.  An alert asks 3 at first and at most everyone on duty in some zones; a mass of alerts, some
 * hundreds a minute.  When full the youngest of the lowest priority fails, which may be the new one. */
#define SMS_GATE_QUEUE_MAX    2048
/* A gateway that does not answer, or answers 5xx: tried again after 1, 2, 4 ... s, all others waiting; the first that
 * it takes lets all go. */
#define SMS_GATE_RETRY_MS     1000
#define SMS_GATE_RETRY_MAX_MS 8000
/* Not taken for so long: failed.  Whoever is asked by an SMS older than that is asked by another by then. */
#define SMS_GATE_TERM_MS      300000
/* So long without the gateway taking anything that it is asked, and it is said to be away. */
#define SMS_GATE_AWAY_MS      5000
/* Octets of a text in UTF-8: what sms_words writes. */
#define SMS_GATE_TEXT_MAX     640

/* The lower goes first. */
enum sms_priority {
        SMS_FIRST /* who is asked, the control room */,
        SMS_SECOND /* receipts */,
        SMS_THIRD /* answers */
};

struct sms_gate_options {
        struct loop *loop;
        const char *url, *user, *password, *from; /* of sendsms; borrowed for the gate's life */
        int report_port;                          /* of our door, for delivery reports */
        const char *report_secret;                /* of our door */
        int64_t term_ms;                          /* 0: SMS_GATE_TERM_MS; tests are less patient */
        void *told;
        /* What became of an SMS: SMS_HANDED or SMS_FAILED of enum sms_state. */
        void (*report)(void *told, const struct sms_ref *about, uint8_t what);
        /* The gateway is away, WHY in words; or takes again. */
        void (*state)(void *told, bool up, const char *why);
};

/* One SMS; copied. */
struct sms_out {
        const char *to;
        enum sms_priority priority;
        const char *text;      /* NULL: an object */
        bool gsm;              /* the text is all GSM 03.38; else it goes as UCS-2 */
        struct cbor_span data; /* an object for SMS_PORT, at most SMS_DATA_MAX */
        struct sms_ref about;
};

struct sms_gate_counts {
        uint64_t handed, failed, retried, replaced,
                dropped; /* dropped: of the failed, those the queue had no room for */
        int64_t waiting;
};

/* sms_gate_open: returns 0, -ENOMEM.  sms_gate_close: what waits is forgotten, nothing more is told; NULL does
 * nothing. */
int sms_gate_open(const struct sms_gate_options *options, struct sms_gate **ret_gate);
void sms_gate_close(struct sms_gate *gate);

/* sms_gate_send: queue one.  One that waits with the same `about` and `to` is replaced: the newest word counts.  Never
 * waits, never fails: what cannot be queued is reported SMS_FAILED, not before this returns. */
void sms_gate_send(struct sms_gate *gate, const struct sms_out *sms);

/* sms_gate_counts: borrowed for the gate's life. */
const struct sms_gate_counts *sms_gate_counts(const struct sms_gate *gate);

#endif
