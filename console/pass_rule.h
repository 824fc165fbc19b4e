/* What the pass desk decides before it asks the keeper: who may what, and what a pass would be.  Pure.  The keeper judges again, by
 * rules of its own.  PROTOCOL.md sections 7.3, 7.4. */
#ifndef CONSOLE_PASS_RULE_H
#define CONSOLE_PASS_RULE_H

#include "console/books.h"
#include "console/pass_ask.h"
#include "console/view.h"
#include "wire/keeper.h"

/* As the keeper has it (console/keeper/keeper.h, which no other program includes): longer asks for two; how far from now it may begin. */
#define PASS_ALONE_S   (12 * 3600)
#define PASS_PAST_S    3600
#define PASS_FUTURE_S  (48 * 3600)
/* A question to a second person is worth so long. */
#define PASS_CONSENT_S 3600
/* A door lets in so long after a pass's end: its clock may be slow (wire/PROTOCOL.md 13.6). */
#define PASS_GRACE_S   120
/* A pass stays in the books for so long after its end. */
#define PASS_KEPT_S    (48 * 3600)
/* A pass that ends within so long while its carrier is on duty is renewed, to so long after the planned end of duty. */
#define PASS_RENEW_S   (15 * 60)

/* Pages are told of changes at most so often, and ask again for what they show; what that takes is one part in so many of the loop's time at
 * most, since alerts go through the same loop. */
#define PASS_TELL_MS     1000
#define PASS_LOOK_PART   10

enum pass_code {
        CODE_DONE,
        CODE_CONSENT,
        CODE_PART,
        CODE_NOT_ALLOWED,
        CODE_UNKNOWN,
        CODE_OWN,
        CODE_REVOKED_PHONE,
        CODE_NO_PIN,
        CODE_EMPTY_ROUND,
        CODE_BAD_TIME,
        CODE_TOO_LONG,
        CODE_NOT_NOW,
        CODE_OVER,
        CODE_OTHER_CARRIER,
        CODE_WRONG_CHALLENGE,
        CODE_FULL,
        CODE_KEEPER_NONE,
        CODE_KEEPER_AWAY,
        CODE_KEEPER_MANY,
        CODE_KEEPER_FULL,
        CODE_KEEPER_FAILED,
        CODE_KEEPER_CLOCK,
        CODE_AWAY,
        CODE_BUSY,
        CODES
};

/* pass_tell_after_ms: when pages may be told of changes again, LOOKED_US having gone by since the last time in finding what they show. */
int64_t pass_tell_after_ms(int64_t looked_us);

/* pass_code_name: the word of section 7.4. */
const char *pass_code_name(enum pass_code code);

/* pass_code_of_keeper: what a keeper's code is to who asked. */
enum pass_code pass_code_of_keeper(uint8_t code);

/* pass_may: say whether VIEWER's role may give VERB at all (on WHAT: of FIND and GET). */
bool pass_may(const struct viewer *viewer, enum pass_verb verb, enum pass_what what);

/* pass_may_edit: say whether ROLE may change rounds, buildings and doors.  pass_may_words: the words of `may`, separated by spaces. */
bool pass_may_edit(uint8_t role);
const char *pass_may_words(uint8_t role);

/* pass_of_team, pass_of_round, pass_of_carrier: say whether VIEWER may know of what belongs to TEAM, ROUND or CARRIER (ids, which may be ""): all but supervisors know of
 * everything, these of their own team's. */
bool pass_of_team(const struct viewer *viewer, const char *team);
bool pass_of_round(const struct books *books, const struct viewer *viewer, const char *round);
bool pass_of_carrier(const struct books *books, const struct viewer *viewer, const char *carrier);

/* building_order: for qsort and bsearch of building ids. */
int building_order(const void *a, const void *b);

/* What a pass would be: LARGE (8 KiB of ids), so for the heap. */
struct pass_plan {
        struct consent_entry what; /* who, where, when; `by` is who asks, `at_s` when */
        char second[PERSON_ID_MAX + 1];
        uint8_t enrolment[ENROLMENT_SIZE], key[PASS_KEY_SIZE];
        bool is_long, is_sensitive; /* why a second person is needed */
        bool renews;                /* nobody asked for it now */
        uint32_t issued_s;          /* when a person said so: of a renewed one the first's */
};

struct pass_times {
        uint32_t now_s, shift_s;
};

/* pass_plan: what ASK (ISSUE) of login BY would be.
 * Gives CODE_DONE (to be signed, where neither is_long nor is_sensitive; else with a second person), or why not. */
enum pass_code pass_plan(const struct books *books, const struct pass_ask *ask, const char *by,
                         const struct pass_times *times, struct pass_plan *ret_plan);

/* pass_plan_consent: what CONSENT becomes when VIEWER says yes: buildings and phone as they are now.  DONE or why not (OWN, OVER...). */
enum pass_code pass_plan_consent(const struct books *books, const struct consent_entry *consent,
                                 const struct viewer *viewer, uint32_t now_s, struct pass_plan *ret_plan);

/* pass_renewal: until when a pass is to be renewed whose carrier is on duty until DUTY_END_S; 0: not at all: it does not end soon,
 * is revoked or over, or a person's consent does not reach further (12 h of one's, 24 h of two's). */
uint32_t pass_renewal(const struct pass_entry *pass, uint32_t duty_end_s, uint32_t now_s);

/* pass_plan_renewal: PASS anew from now (or from when it begins) until UNTIL_S, on the same consent; or on another key of the phone.  DONE or why not. */
enum pass_code pass_plan_renewal(const struct books *books, const struct pass_entry *pass, uint32_t until_s,
                                 uint32_t now_s, struct pass_plan *ret_plan);

#endif
