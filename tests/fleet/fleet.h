/* fleet: thousands of handsets in one process, for the demo (walk), the bench (press) and tests of the SMS leg (sms). */
#ifndef TESTS_FLEET_FLEET_H
#define TESTS_FLEET_FLEET_H

#include "ops/vigie/region.h"
#include "tests/fleet/peer.h"
#include "tests/fleet/people.h"
#include "wire/frame.h"
#include "wire/trust.h"

struct fleet_options {
        const char *region, *console_cookie, *prefix, *login, *store_password; /* the console's, in its Redis */
        const char *folder; /* keep: journals, enrolments, told */
        unsigned port, console_port, alert_port, via;
        unsigned carriers, supervisors, rate, seconds, seed;
        bool json;
};

/* keep_main: whole phones (libvigie-handset, a journal each) that press, hear and die, until ended; see keep.c.
 * walk_main: carriers on duty and supervisors that move and see alerts, until ended.  press_main: an open-loop load of presses and its
 * latencies.  sms_main: enrol carriers and write a signed alert of each to stdout, one a line: number, alert id, object (hex).
 * All return an exit status. */
int keep_main(const struct fleet_options *options);
int walk_main(const struct fleet_options *options);
int press_main(const struct fleet_options *options);
int sms_main(const struct fleet_options *options);

/* fleet_hello, fleet_duty, fleet_heartbeat: frames of a member, sent.  Each returns what peer_send gives. */
int fleet_hello(struct peer *peer, const struct member *member);
int fleet_duty(struct peer *peer, const struct member *member, const char *round);
int fleet_heartbeat(struct peer *peer, const struct member *member, const struct trust_key *key, const struct track_point *at);

/* fleet_trust: the region's root key and trust list: RET_LIST its signed octets, RET_TRUST what is in it.  The caller frees the key
 * and the octets.  Returns 0 or a negative errno after telling. */
int fleet_trust(const struct region *region, struct key **ret_root, struct cbor_span *ret_list, struct trust *ret_trust);

/* fleet_position_key: the region's position key out of its trust list.  Returns 0 or a negative errno after telling. */
int fleet_position_key(const struct region *region, struct trust_key *ret_key);

#endif
