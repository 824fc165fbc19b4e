/* The SMS door: where the gateway brings what came by SMS and what became of ours, over HTTP on one loopback port
 * that all dispatchers of the machine share by SO_REUSEPORT.  A message is answered 200 when it is taken (durable, or
 * nothing to keep), else 503 after SMS_DOOR_TERM_MS, and the gateway brings it again.  Loop's thread only.
 *
 * Not limited here: objects.  What they are worth is their signature's to say, not the sender's number: the core
 * verifies, and limits what is not signed.  Limited: texts, per number. */
#ifndef DISPATCHER_SMS_DOOR_H
#define DISPATCHER_SMS_DOOR_H

#include <stddef.h>
#include <stdint.h>

#include "dispatcher/sms_request.h"

struct loop;
struct sms_door;

/* Connections: smsbox has one for each request under way, 512 by default.  At the bound the longest idle one gives way,
 * and where none is idle the new one is closed: the gateway asks again. */
#define SMS_DOOR_CONNECTIONS_MAX 640
/* Messages not yet taken; the next is answered 503.  SMS_DOOR_STRANGERS_MAX of the places are for anybody: from then
 * on a message whose number the region does not know is answered 503, so that junk leaves room for a real one. */
#define SMS_DOOR_PENDING_MAX     64
#define SMS_DOOR_STRANGERS_MAX   48
#define SMS_DOOR_TERM_MS         10000
/* The same for a text: while the store is away it may be another dispatcher that knows what it answers to.  Told to come
 * again, it comes by a new connection, which the kernel may give to the other. */
#define SMS_DOOR_TEXT_TERM_MS    2000
/* A connection that has sent half a request for so long is closed; one without a request, after this long. */
#define SMS_DOOR_READ_MS         5000
#define SMS_DOOR_IDLE_MS         60000
/* Texts of one number: so many at once, then one more each SMS_DOOR_TEXT_REFILL_MS.  More are taken and forgotten, and
 * counted.  Numbers are told apart by SMS_DOOR_NUMBERS places of a seeded hash; known ones have places of their own. */
#define SMS_DOOR_TEXT_BURST      20
#define SMS_DOOR_TEXT_REFILL_MS  3000
#define SMS_DOOR_NUMBERS         4096

struct sms_door_options {
        struct loop *loop;
        int port; /* on 127.0.0.1; 0: the system chooses (tests) */
        const char *secret;
        int64_t term_ms; /* 0: SMS_DOOR_TERM_MS; tests are less patient */
        uint64_t seed;
        void *user;
        /* Say whether the region knows NUMBER; NULL: all are known. */
        bool (*knows)(void *user, const char *number);
        /* An object or text came: answer with sms_door_taken(REF), now or later.  A report: nothing to answer. */
        void (*arrived)(void *user, const struct sms_request *request, uint64_t ref);
};

struct sms_door_counts {
        uint64_t objects, texts, reports; /* given on */
        uint64_t junk;                    /* nothing for us: another port, torn, no number */
        uint64_t limited;                 /* texts over their number's limit */
        uint64_t late, busy;              /* answered 503: not taken in time; no place */
        uint64_t refused;                 /* requests answered 4xx */
        int64_t pending, connections;     /* now */
};

/* sms_door_open: bind; nobody is answered before sms_door_start.
 * Returns 0 or what socket, bind and listen give, -ENOMEM. */
int sms_door_open(const struct sms_door_options *options, struct sms_door **ret_door);

/* sms_door_start, sms_door_stop: take connections, or close port and connections, so that the gateway finds another
 * dispatcher.  Start returns 0 or as open. */
int sms_door_start(struct sms_door *door);
void sms_door_stop(struct sms_door *door);

/* sms_door_close: NULL does nothing.  Memory goes in the loop's next turns. */
void sms_door_close(struct sms_door *door);

/* sms_door_taken: answer 200.  A reference that is no more (late, or hung up) is skipped. */
void sms_door_taken(struct sms_door *door, uint64_t ref);

/* sms_door_port: the port bound.  sms_door_counts: borrowed for the door's life. */
int sms_door_port(const struct sms_door *door);
const struct sms_door_counts *sms_door_counts(const struct sms_door *door);

#endif
