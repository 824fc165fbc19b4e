/* The ladder: who is asked next, and when (DESIGN section 6).  It changes `asked`, `passed`, `step`, `rings`, `stepped_at_ms`, the
 * marks exhausted and no news of a record, and which SMS it owes; never its state.  Pure.
 *
 *      step 0  at once: the control room (which sees everything) and the nearest; 1, 2, 3 as struct zone_ladder says; 4 exhausted
 *
 * Deadlines count from `stepped_at_ms`, the last step: after an outage, or when an owner gives it back, the ladder goes on from
 * where it stood and does not run up at once. */
#ifndef DISPATCHER_LADDER_H
#define DISPATCHER_LADDER_H

#include "dispatcher/alert.h"

#define LADDER_EXHAUSTED    4
/* After the managers were asked; and then, while nobody has it or there is no news of who has, everybody is rung again. */
#define LADDER_RING_MS      60000
/* An unverified alert is shown again, and any open drill looked at, each: */
#define LADDER_SHOW_MS      900000
/* No news of the owner: taken and no progress, en route, on scene for so long; or neither handset nor console heard. */
#define LADDER_TAKEN_MS     300000
#define LADDER_EN_ROUTE_MS  1200000
#define LADDER_ON_SCENE_MS  1800000
#define LADDER_UNHEARD_MS   120000
/* Places of `asked` kept for the managers. */
#define LADDER_MANAGERS     8
/* An SMS that is owed and not handed over for so long is owed anew: whoever finds it so sends it. */
#define LADDER_SMS_MS       10000
/* While nobody has it at the ladder's top, or there is no news of who has, an SMS is repeated after so long. */
#define LADDER_SMS_AGAIN_MS 300000
/* A step done this late counts as done in time, so that delays do not add up. */
#define LADDER_LATE_MS      5000

/* ladder_begin: an alert was raised (its kind, marks, position and people are set): ask the first.
 * Where nobody at all can be asked it climbs at once, until somebody is or it is exhausted. */
void ladder_begin(struct record *record, const struct alert_ground *ground, int64_t now_ms);

/* ladder_climb: the deadline of an alert that nobody has.  Returns whether anything changed. */
bool ladder_climb(struct record *record, const struct alert_ground *ground, int64_t now_ms);

/* ladder_watch: the deadline of an alert that somebody has.  Returns whether anything changed, the deadline included. */
bool ladder_watch(struct record *record, const struct alert_ground *ground, int64_t now_ms);

/* ladder_release: its owner gave it back: the next one is asked at once, and the ladder goes on from here. */
void ladder_release(struct record *record, const struct alert_ground *ground, int64_t now_ms);

/* ladder_pass_on: one who was asked declined: the next nearest is asked at once. */
void ladder_pass_on(struct record *record, const struct alert_ground *ground, int64_t now_ms);

/* ladder_note: what became of SMS, as SMS says.  Where one failed that was the only way to somebody, the next one is asked.
 * Returns whether anything changed. */
bool ladder_note(struct record *record, const struct alert_sms *sms, const struct alert_ground *ground, int64_t now_ms);

/* ladder_owe_sms: ASKED, a line of a record, is to get an SMS, where there is a gateway and a number.
 * ladder_owe_receipt: likewise the record's handset its receipt. */
void ladder_owe_sms(struct asked *asked, const struct alert_ground *ground, int64_t now_ms);
void ladder_owe_receipt(struct record *record, const struct alert_ground *ground, int64_t now_ms);

/* ladder_note_told: somebody has RECORD, or it is closed: who was asked by SMS and never answered is told so, once: ASKED_TOLD. */
void ladder_note_told(struct record *record);

/* ladder_sms_again: SMS owed for too long are owed anew; those that nobody needs any more are not.  Returns whether any was. */
bool ladder_sms_again(struct record *record, int64_t now_ms);

/* ladder_heard: when the owner was last heard, never before the last news in RECORD, and NOW where silence means nothing
 * (no presence can come in); INT64_MAX: no owner, or one whose presence nobody counts on: the control room, and who answered by
 * SMS, from whom none comes. */
int64_t ladder_heard(const struct record *record, const struct alert_ground *ground, int64_t now_ms);

/* ladder_due: the one next deadline of RECORD; 0 when closed. */
int64_t ladder_due(const struct record *record, const struct alert_ground *ground, int64_t owner_heard_ms);

/* ladder_of: the times that hold for RECORD: of the zone of its position, else of its round. */
struct zone_ladder ladder_of(const struct record *record, const struct alert_ground *ground);

/* ladder_is_still: an alert that asks nobody and climbs nothing: unverified, or a drill not announced. */
bool ladder_is_still(const struct record *record, const struct alert_ground *ground);

/* ladder_zones: the zones that RECORD is in: those that cover its position, else its round's; room for ZONES_AT_MAX.
 * Returns how many. */
size_t ladder_zones(const struct record *record, const struct alert_ground *ground, const struct zone **ret_zones);

#endif
