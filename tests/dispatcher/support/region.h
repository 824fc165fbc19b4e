/* A small region for end-to-end tests: two private Redis, keys, people, and the real vigie-dispatcher. */
#ifndef TESTS_DISPATCHER_SUPPORT_REGION_H
#define TESTS_DISPATCHER_SUPPORT_REGION_H

#include <hiredis/hiredis.h>

#include "tests/dispatcher/support/phone.h"
#include "tests/dispatcher/support/place.h"
#include "wire/frame.h"
#include "wire/key.h"

#define REGION_DISPATCHERS 2

struct region {
        struct place place;     /* with the alerts' Redis */
        struct place positions; /* with the other */
        struct key *receipt_key;
        redisContext *redis; /* the alerts' */
        pid_t dispatcher[REGION_DISPATCHERS];
        int port[REGION_DISPATCHERS];
};

/* region_open: make it all; no dispatcher runs yet.  region_close ends what runs.  Failures end the test program. */
void region_open(struct region *region);
void region_close(struct region *region);

/* region_dispatcher: the program's path, beside the tests in build/; NULL where it is not built (skip). */
const char *region_dispatcher(void);

/* region_start: start dispatcher number I (its port is then in region->port) and wait until it listens.  EXTRA: one
 * more `section.key=value`, or NULL.  region_wait: wait for its end; its exit status, or 128 + the signal. */
void region_start(struct region *region, int i, const char *extra);
/* region_start_with: the same with more words for the command line, NULL at their end. */
void region_start_with(struct region *region, int i, const char *const *more);
void region_signal(struct region *region, int i, int signal);
int region_wait(struct region *region, int i);

/* region_run: run the program with these arguments after `-c FILE`; its exit status.  Its stderr is thrown away. */
int region_run(struct region *region, const char *const *arguments);

/* region_handset: a handset number N (its id is N in eight octets), enrolled: certificate hN.pem, hN.key, entry in
 * Redis.
 *   person    whose it is; "" shared
 *   role      enum handset_role
 *   days_to   end of its certificate from now */
struct region_handset {
        unsigned number;
        const char *person;
        uint8_t role;
        int days_to;
        bool revoked, unknown; /* unknown: not put into Redis */
        bool again;            /* enrolled anew since its certificate was made */
};
void region_handset(struct region *region, const struct region_handset *handset);

/* region_put: write a people entry and tell it in people:changes. */
void region_put(struct region *region, const char *hash, const char *field, const uint8_t *value, int len);
void region_carrier(struct region *region, const char *id, const char *name);
void region_supervisor(struct region *region, const char *id, const char *name, bool manager);
void region_user(struct region *region, const char *login, uint8_t role);

/* region_dial: handset N connects to dispatcher I.  Returns as phone_dial. */
int region_dial(struct region *region, int i, unsigned number, struct phone *phone);

/* region_press: write handset N's signed alert frame; NONCE fills the nonce.  Its length. */
struct region_press {
        unsigned number;
        uint8_t nonce;
        uint16_t revision;
        uint16_t marks;
        uint8_t kind;
        bool forged; /* signed by another key */
};
int region_press(struct region *region, const struct region_press *press, uint8_t frame[FRAME_HANDSET_MAX]);

/* region_alert_id: the id of that alert. */
void region_alert_id(const struct region_press *press, struct alert_id *ret_id);

/* region_receipt: the next receipt that comes to PHONE, its signature checked; other frames are stepped over.  0 or
 * -1 (5 s). */
int region_receipt(struct region *region, struct phone *phone, struct receipt *ret_receipt);

/* region_receipt_of: receipts until one has STATE (10 s). */
int region_receipt_of(struct region *region, struct phone *phone, uint8_t state, struct receipt *ret_receipt);

/* region_frame: the next frame of TYPE into BUF (FRAME_REGION_MAX), decoded; others are stepped over.  0 or -1. */
int region_frame(struct phone *phone, uint8_t type, uint8_t *buf, struct frame *ret_frame);

/* region_hello: say hello as ROLE and read the welcome.  0 or -1. */
int region_hello(struct phone *phone, uint8_t role);

/* region_send: encode and send a frame.  0 or -1. */
int region_send(struct phone *phone, const struct frame *frame);

/* region_record: the record of an alert as it stands in Redis.  0 or -1. */
int region_record(struct region *region, const struct alert_id *id, struct record *ret_record);

/* region_ask: a Redis command that must succeed; the caller frees the reply. */
redisReply *region_ask(struct region *region, const char *format, ...);

#endif
