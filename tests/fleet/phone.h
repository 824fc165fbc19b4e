/* phone: one whole phone of the fleet: libvigie-handset, its links, its journal, the alert key.  What the region tells it is written
 * down line by line before the phone does anything with it: that is all the outside observer of tests/faults knows of it.
 *
 *      US press ID PLANNED_US               the thumb came down; the line is there before anything leaves
 *      US told ID VERSION REVISION STATE WHO    a receipt that the region's key signed ("-": nobody)
 *      US ring PERSON ID VERSION STATE MINE     what a supervisor's phone shows of an alert, at each change
 *      US away ID | US back ID              the phone died with this alert received; it lives again
 * US: CLOCK_MONOTONIC in microseconds.  A line is one write(2): kill -9 leaves whole lines. */
#ifndef TESTS_FLEET_PHONE_H
#define TESTS_FLEET_PHONE_H

#include "base/wheel.h"
#include "device/handset/vigie.h"
#include "tests/fleet/peer.h"
#include "tests/fleet/people.h"
#include "wire/trust.h"

#define PHONE_ADDRESSES 2  /* the ordinary port, the alert port */
#define PHONE_RINGS     32 /* of a supervisor's phone, remembered so that a line is written once; the oldest gives way */
#define PHONE_PENDING   64 /* events that follow from one event; more is a bug: assert */

/* What all phones of the fleet share. */
struct phones {
        struct loop *loop;
        SSL_CTX *ctx;
        const struct trust *trust;
        struct cbor_span trust_list; /* signed, as it came */
        const struct key *root;
        const char *folder;             /* N.journal of each phone; away/ID while one is dead */
        uint16_t port[PHONE_ADDRESSES]; /* 0: there is no such port */
        uint16_t via;                   /* the ordinary port of every second phone; 0: the same */
        int told_fd;
        struct vigie_actions actions;
        struct vigie_status status;
};

struct phone_link;

struct phone_ring {
        uint8_t id[ALERT_ID_SIZE];
        uint32_t version;
        bool mine, tried;
};

struct phone {
        struct phones *phones;
        const struct member *member;
        unsigned number;
        struct vigie *vigie;
        struct phone_link *link[PHONE_ADDRESSES];
        struct wheel_timer timer;
        int journal_fd;
        bool on, busy, shown; /* on: not dead */
        bool pressed, received;
        struct alert_id alert; /* the last pressed */
        int64_t planned_us;
        struct vigie_event pending[PHONE_PENDING];
        unsigned first, count;
        uint8_t sealed[128];
        struct phone_ring rings[PHONE_RINGS];
        unsigned next_ring;
};

/* phone_start: switch it on: restore the core from its journal, connect, go on duty.  A phone that away/ID says is dead stays off.
 * Returns 0 or a negative errno after telling on stderr. */
int phone_start(struct phone *phone);

/* phone_press: press; PLANNED_US is when it was to be.  The phone must be on, and its last alert closed. */
void phone_press(struct phone *phone, int64_t planned_us);

/* phone_is_idle: say whether it can raise a new alert now. */
bool phone_is_idle(const struct phone *phone);

/* phone_look: of a phone that is dead: start it again if somebody took away/ID away.  Cheap for others. */
void phone_look(struct phone *phone);

#endif
