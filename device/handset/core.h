/* The inside of libvigie-handset.  One file per idea, each with a run (do what is due now) and a due (when next):
 *
 *      vigie.c   events in, everything run in one order, SHOW and TIMER last
 *      alert.c   this phone's own alerts: press, touch, key, PIN
 *      receipt.c what the region says of them
 *      send.c    their revisions on their way         link.c    which address, when
 *      sms.c     the same by SMS
 *      diary.c   journal records                      fix.c     the last good fix
 *      trust.c   whose signature counts               watch.c   man-down, check-in, last words
 *      duty.c    duty, heartbeat, presence, the proof of the button
 *      order.c   what the region orders, and the vault
 *      rings.c   others' alerts, for a supervisor     status.c  what a page shows
 *
 * Names begin with my_, "this phone's", so that hosts and the simulator may link them beside anything.  All of it is
 * pure but crypto.c (make check-pure). */
#ifndef DEVICE_HANDSET_CORE_H
#define DEVICE_HANDSET_CORE_H

#include "device/handset/state.h"

/* After sending: 1 s, 2 s, 4 s, 5 s, 5 s ... until a receipt.  Exact copies cost the region one look-up. */
#define MY_RETRY_MIN_MS     1000
#define MY_RETRY_MAX_MS     5000
/* A PIN's word that is said when the alert is closed: each copy is answered.  So many answers mean that the region has it; one or two may be to what
 * was sent before. */
#define MY_LATE_ANSWERS     3
/* Between revisions for a mark (pressed again, PIN, category): hammering on the button makes 4 signatures a second. */
#define MY_REVISION_MARK_MS 250
/* The first minute after a press, when better fixes come quickly. */
#define MY_FIRST_MINUTE_MS  60000
/* Revisions are reserved in the journal this many ahead, so that a restart never uses one twice without a record for
 * each.  After a restart up to as many are skipped; at 65535 (a week of 10 s) no new ones are made, copies go on. */
#define MY_RESERVE          64
#define MY_RESERVE_LOW      8
/* A signature that failed is asked for again. */
#define MY_SIGN_RETRY_MS    1000
/* An attempt to connect is given up: 93,000 phones coming back together take minutes of handshakes, so not too soon;
 * while an alert waits and there is another address, sooner. */
#define MY_CONNECT_WAIT_MS  10000
#define MY_CONNECT_ALERT_MS 5000
/* Back-off begins with up to this, doubled each time. */
#define MY_BACKOFF_MS       1000
/* With an alert open and received, the link comes back within this: who is coming should be seen. */
#define MY_BACKOFF_OPEN_MS  2000
/* A region that thinks us off duty is told otherwise at once, but no more often than this. */
#define MY_DISBELIEF_MS     60000
/* A frame without its answer is sent again. */
#define MY_ANSWER_WAIT_MS   3000
/* A supervisor's command without answer: the person has looked again. */
#define MY_COMMAND_TERM_MS  30000
/* The host seals within this, or the heartbeat leaves without position. */
#define MY_SEAL_WAIT_MS     2000
/* A phone that lives on so long after it was to be switched off was not: its heartbeats do not say so any more. */
#define MY_OFF_MS           10000
/* Heartbeats after a welcome are spread over this, so that a fleet that reconnects does not beat in step. */
#define MY_BEAT_SPREAD_MS   5000
/* A record that is not durable after so long: the disk hangs, and a press would not survive a reboot. */
#define MY_DIARY_HANGS_MS   5000
/* What could not be journaled is tried again. */
#define MY_DIARY_RETRY_MS   10000
/* The last good fix goes to the journal at most each minute. */
#define MY_FIX_KEEP_MS      60000
/* Closed alerts of others stay in a supervisor's list so long; others without a word from the region so long. */
#define MY_RING_CLOSED_MS   600000
#define MY_RING_STALE_MS    7200000
/* After a welcome the region rings again for every open alert this person is asked about or has; one it does not name
 * within this is closed, or somebody else's, and goes. */
#define MY_RING_CONFIRM_MS  10000

/* A copy by SMS without receipt is sent again after this, twice, three times, then six times as long. */
#define MY_SMS_RETRY_MS      20000
/* Whoever sees that the modem has refused an SMS (no credit) is not told for so long that SMS would work. */
#define MY_SMS_REFUSED_MS    600000
/* The test SMS waits so long for a modem to be ready; one that was not answered goes again at a duty of another day. */
#define MY_SMS_TEST_WAIT_MS  60000
#define MY_SMS_TEST_AGAIN_MS (20 * INT64_C(3600000))

/* A confirmation is said again at most so often, whoever repeats the order: by data; by SMS, which costs.  One that the modem refuses is tried
 * so many times. */
#define MY_CONFIRM_MS        1000
#define MY_CONFIRM_SMS_MS    60000
#define MY_CONFIRM_SMS_TRIES 5
/* The host has done an order, and the next piece of what comes beside it is there, within this; or it is taken up anew when it comes again. */
#define MY_ORDER_WAIT_MS     60000
/* A wiped phone lets go of its link so long after it has said so by it, and is sure then that it was heard; or so long after the wipe, if it
 * cannot say so. */
#define MY_WIPED_MS          5000
#define MY_WIPED_UNTOLD_MS   60000

/* Octets of a journal record other than a trust list; its format. */
#define MY_RECORD_MAX   512
#define MY_DIARY_FORMAT 1

/* ---- vigie.c ----------------------------------------------------------------------------------------------------- */

/* my_act: put an action of TYPE on the list.  It is there to be filled in. */
struct vigie_action *my_act(struct vigie *vigie, enum vigie_action_type type);

/* my_room: SIZE octets in the list to write an action's data to. */
uint8_t *my_room(struct vigie *vigie, size_t size);

/* my_send_frame: send FRAME on the link of LANE. */
void my_send_frame(struct vigie *vigie, enum my_lane lane, const struct frame *frame);

/* my_vibrate: PATTERN, unless an open silent alert forbids it. */
void my_vibrate(struct vigie *vigie, enum vigie_pattern pattern);

/* my_jitter: 0 .. BELOW - 1 out of this event's random octets; 0 for BELOW 0. */
int64_t my_jitter(const struct vigie *vigie, int64_t below);

/* my_earlier: the smaller. */
static inline int64_t my_earlier(int64_t a, int64_t b)
{
        return a < b ? a : b;
}

/* my_seconds: UTC ms as the u32 seconds that travel; 0 for what does not fit. */
uint32_t my_seconds(int64_t ms);

/* my_name_copy: copy a text of at most SIZE - 1 octets and zero what is behind it (the status is compared whole). */
void my_name_copy(char *to, size_t size, const char *text);

/* ---- alert.c ----------------------------------------------------------------------------------------------------- */

/* my_alert_on_press: a finger, a button or a command.  HOW is enum vigie_how, PRESS enum vigie_press; out of range they
 * are a loud press at once: a press is never refused. */
void my_alert_on_press(struct vigie *vigie, uint8_t how, uint8_t press);

/* my_alert_on_key: the key went down once. */
void my_alert_on_key(struct vigie *vigie);

/* my_alert_on_category: the tap after the press, 1..5; without an open alert nothing. */
void my_alert_on_category(struct vigie *vigie, uint8_t category);

/* my_alert_on_pin: a PIN, enum vigie_pin, for the open alert if there is one. */
void my_alert_on_pin(struct vigie *vigie, uint8_t pin);

/* my_alert_on_still: "I still need help". */
void my_alert_on_still(struct vigie *vigie);

/* my_alert_on_dismiss: the closed alert was read. */
void my_alert_on_dismiss(struct vigie *vigie);

/* my_alert_start: after restoring: what is open is offered, a touch left down is raised. */
void my_alert_start(struct vigie *vigie);

/* my_alert_raise: raise an alert of KIND with MARKS, or add PRESSED AGAIN to the one that is open. */
void my_alert_raise(struct vigie *vigie, enum alert_kind kind, uint16_t marks);

/* my_alert_raise_anew: the alert of SUBJECT was closed before its last press again was known there: that press is a new
 * alert, of its time, with its marks. */
void my_alert_raise_anew(struct vigie *vigie, enum my_subject subject);

/* my_alert_mark: add MARKS to an open alert; they leave at once. */
void my_alert_mark(struct vigie *vigie, enum my_subject subject, uint16_t marks);

/* my_alert_last_words: mark what is open and not marked so already. */
void my_alert_last_words(struct vigie *vigie);

/* my_alert_run: raise what was held for a second.  my_alert_due: when. */
void my_alert_run(struct vigie *vigie);
int64_t my_alert_due(const struct vigie *vigie);

/* my_alert_open: the open alert that a tap or a PIN means: the real one before the drill; MY_TOUCH if there is none. */
enum my_subject my_alert_open(const struct vigie *vigie);

/* my_alert_speaks: say whether ALERT is open, or closed and owes the region a PIN's word (VIGIE_PIN_LATE_MS). */
bool my_alert_speaks(const struct vigie *vigie, const struct my_alert *alert);

/* my_alert_waits: say whether an alert (no test) is open and not received. */
bool my_alert_waits(const struct vigie *vigie);

/* ---- receipt.c --------------------------------------------------------------------------------------------------- */

/* my_receipt_take: a signed receipt came, by PATH.  One that is not the region's is counted; an old one, or one about
 * another alert than those here, changes nothing. */
void my_receipt_take(struct vigie *vigie, struct cbor_span cose, enum vigie_path path);

/* ---- send.c ------------------------------------------------------------------------------------------------------ */

/* my_send_run: make revisions, have them signed, send them, send them again.  my_send_due: when next. */
void my_send_run(struct vigie *vigie);
int64_t my_send_due(const struct vigie *vigie);

/* my_send_on_signed: a signature came back, or could not be made. */
void my_send_on_signed(struct vigie *vigie, const struct vigie_event *event);

/* my_send_unanswered: since when something sent on this link waits for a receipt by data; NEVER if nothing does. */
int64_t my_send_unanswered(const struct vigie *vigie, enum my_lane lane);

/* my_send_needs_answer: say whether the newest copy waits for a receipt. */
bool my_send_needs_answer(const struct my_alert *alert);

/* my_send_left: a copy has left the phone: the first one is felt. */
void my_send_left(struct vigie *vigie, enum my_subject subject);

/* my_send_answered: a receipt for ALERT came by data: what was sent so far is not unanswered any more. */
void my_send_answered(struct my_alert *alert);

/* ---- link.c ------------------------------------------------------------------------------------------------------ */

/* my_link_start: both lanes idle, the first attempt due now. */
void my_link_start(struct vigie *vigie);

/* my_link_on_link: the host says that a link is up or down; about a link that is not ours any more: nothing. */
void my_link_on_link(struct vigie *vigie, uint8_t address, bool up);

/* my_link_on_welcome: the region knows us on the ordinary link. */
void my_link_on_welcome(struct vigie *vigie, const struct frame *frame);

/* my_link_on_refused: the region does not let us do something; said before a welcome, it does not know us. */
void my_link_on_refused(struct vigie *vigie, uint8_t address);

/* my_link_heard: a message came by this address: the back-off begins anew. */
void my_link_heard(struct vigie *vigie, uint8_t address);

/* my_link_is_down: say whether data is known to be down: no link stands, and one that stood fell or one that was tried
 * failed, or there is none to try. */
bool my_link_is_down(const struct vigie *vigie);

/* my_link_run: connect, give up, say hello.  my_link_due: when next. */
void my_link_run(struct vigie *vigie);
int64_t my_link_due(const struct vigie *vigie);

/* my_link_ready: say whether the region has welcomed us on the ordinary link. */
bool my_link_ready(const struct vigie *vigie);

/* my_link_hello: say hello on a link that stands; after alerts. */
void my_link_hello(struct vigie *vigie);

/* ---- sms.c ------------------------------------------------------------------------------------------------------- */

/* my_sms_on_modem: what the modem can do, enum vigie_modem. */
void my_sms_on_modem(struct vigie *vigie, uint8_t modem);

/* my_sms_on_sent: what came of the SMS that is with the modem; of another one: nothing. */
void my_sms_on_sent(struct vigie *vigie, const struct vigie_event *event);

/* my_sms_on_duty: on duty: is it time for the test SMS? */
void my_sms_on_duty(struct vigie *vigie);

/* my_sms_tests: say whether the test press goes by SMS, or has gone, and waits for its receipt there. */
bool my_sms_tests(const struct vigie *vigie);

/* my_sms_answered: a receipt about SUBJECT came by SMS: out and in both work. */
void my_sms_answered(struct vigie *vigie, enum my_subject subject);

/* my_sms_update_due: when a better position of this alert would go by SMS; NEVER while it would not. */
int64_t my_sms_update_due(const struct vigie *vigie, enum my_subject subject);

/* my_sms_path_due: when SMS counts as a path: in the past, or some time after the modem has refused one; NEVER while it
 * is not ready. */
int64_t my_sms_path_due(const struct vigie *vigie);

/* my_sms_run: give up on what the modem does not tell of.  my_sms_send, after revisions are made: give it what is due.
 * my_sms_due: when next either. */
void my_sms_run(struct vigie *vigie);
void my_sms_send(struct vigie *vigie);
int64_t my_sms_due(const struct vigie *vigie);

/* my_sms_give: give the modem these octets for SUBJECT, which is no alert: my_order_on_sms_sent says what came of it.  None may be with it. */
void my_sms_give(struct vigie *vigie, enum my_subject subject, struct cbor_span octets);

/* ---- order.c ----------------------------------------------------------------------------------------------------- */

/* my_order_take: a signed order came by PATH, with so many octets BESIDE it to follow. */
void my_order_take(struct vigie *vigie, struct cbor_span cose, uint32_t beside, enum vigie_path path);

/* my_order_wiped: an earlier run was wiped, and its CONFIRMATION, at most CONFIRM_MAX octets, is still to be told. */
void my_order_wiped(struct vigie *vigie, struct cbor_span confirmation);

/* my_order_on_part, my_order_on_list: a piece of what comes beside the order; of the status list, for the host. */
void my_order_on_part(struct vigie *vigie, const struct frame *frame);
void my_order_on_list(struct vigie *vigie, const struct frame *frame);

/* my_order_on_ordered: the host did it, or could not.  my_order_on_vault: what is to be said of the vault.  my_order_on_ask_pass: a pass is
 * asked for.  Return 0, -EINVAL. */
int my_order_on_ordered(struct vigie *vigie, const struct vigie_event *event);
int my_order_on_vault(struct vigie *vigie, const struct vigie_event *event);
int my_order_on_ask_pass(struct vigie *vigie, const struct vigie_event *event);

/* my_order_on_asked: the desk was told of it, or not. */
void my_order_on_asked(struct vigie *vigie, const struct frame *frame);

/* my_order_on_signed: a signature came back; another ticket's: nothing. */
void my_order_on_signed(struct vigie *vigie, const struct vigie_event *event);

/* my_order_on_sms_sent: what came of the confirmation that is with the modem. */
void my_order_on_sms_sent(struct vigie *vigie, bool ok);

/* my_order_run: confirm, tell, give up.  my_order_due: when next. */
void my_order_run(struct vigie *vigie);
int64_t my_order_due(const struct vigie *vigie);

/* ---- opened.c ---------------------------------------------------------------------------------------------------- */

/* my_opened_on_frame: the keeper opened a place of ours; a copy of what is known, and what is older than OPENED_MAX others, changes nothing. */
void my_opened_on_frame(struct vigie *vigie, const struct opened_entry *entry);

/* my_opened_on_welcome: what is older than OPENED_KEPT_MS by the region's clock, NOW_MS, goes. */
void my_opened_on_welcome(struct vigie *vigie, int64_t now_ms);

/* my_opened_on_duty: somebody goes on duty: what was hushed is shown, unless a silent alert is open. */
void my_opened_on_duty(struct vigie *vigie);

/* my_opened_on_read: the person has read what was shown.  Returns 0. */
int my_opened_on_read(struct vigie *vigie, const struct vigie_event *event);

/* my_opened_add: ENTRY into OPENED, where it has its place.  Returns whether OPENED changed. */
bool my_opened_add(struct my_opened *opened, const struct my_opening *entry);

/* my_opened_status: what the page shows of them, newest first. */
void my_opened_status(const struct vigie *vigie, struct vigie_status *to);

/* ---- take.c ------------------------------------------------------------------------------------------------------ */

/* my_take_frame, my_take_sms: VIGIE_ON_FRAME, VIGIE_ON_SMS.  Return 0, -EINVAL. */
int my_take_frame(struct vigie *vigie, const struct vigie_event *event);
int my_take_sms(struct vigie *vigie, const struct vigie_event *event);

/* ---- diary.c ----------------------------------------------------------------------------------------------------- */

/* my_diary_write: append the whole state of SUBJECT (not MY_TRUST) to the journal; SYNC: durable before it counts.
 * Gives the APPEND's number. */
uint32_t my_diary_write(struct vigie *vigie, enum my_subject subject, bool sync);

/* my_diary_trust: append a trust list as it came.  Gives the APPEND's number. */
uint32_t my_diary_trust(struct vigie *vigie, struct cbor_span list);

/* my_diary_on_synced: the host says how far the journal is, or that it cannot be written. */
void my_diary_on_synced(struct vigie *vigie, uint32_t seq, bool ok);

/* my_diary_run: write again what could not be written.  my_diary_due: when. */
void my_diary_run(struct vigie *vigie);
int64_t my_diary_due(const struct vigie *vigie);

/* ---- fix.c ------------------------------------------------------------------------------------------------------- */

/* my_fix_on_fix: take a fix, or leave the last good one where it is older, impossible or a wild jump. */
void my_fix_on_fix(struct vigie *vigie, const struct vigie_event *event);

/* my_fix_entered: the building that the carrier went into (at_s: then) is where they are, unless a fix is newer. */
void my_fix_entered(struct vigie *vigie, const struct vigie_place *place);

/* my_fix_age_s: how old the last good fix is, 65535 for that or more or not known. */
uint16_t my_fix_age_s(const struct vigie *vigie);

/* my_fix_place: the last good fix as it travels.  There is one. */
struct vigie_place my_fix_place(const struct vigie *vigie);

/* my_fix_distance_m: metres between two places, great circle (0.6 % off at most): to tell jumps and show distances. */
double my_fix_distance_m(double lat_a_deg, double lon_a_deg, double lat_b_deg, double lon_b_deg);

/* ---- trust.c ----------------------------------------------------------------------------------------------------- */

/* my_trust_take: take a signed trust list if it is the root's, of our region and newer.
 * Returns 1 (taken), 0 (nothing new), -EBADMSG, -EKEYREJECTED. */
int my_trust_take(struct vigie *vigie, struct cbor_span list);

/* my_trust_receipt: say whether a receipt is signed by a receipt key of the region, valid at the receipt's own time. */
bool my_trust_receipt(const struct vigie *vigie, const struct receipt_signed *receipt);

/* my_trust_order: say whether an order is signed by an order key of the region, valid when it was issued. */
bool my_trust_order(const struct vigie *vigie, const struct order_signed *order);

/* my_trust_is_order: say whether the key that signed this object is one for orders; nothing is checked. */
bool my_trust_is_order(const struct vigie *vigie, struct cbor_span cose);

/* ---- duty.c ------------------------------------------------------------------------------------------------------ */

/* my_duty_set: go on duty with a proof of the button; or, on as the same person on the same round, give another end.
 * PERSON "" is the one of the options.  Returns 0, -EINVAL (an id that is none, an end that is over). */
int my_duty_set(struct vigie *vigie, const char *person, const char *round, uint32_t until_s);

/* my_duty_off: end duty here and tell the region as soon as it can be told. */
void my_duty_off(struct vigie *vigie);

/* my_duty_start: after restoring. */
void my_duty_start(struct vigie *vigie);

/* my_duty_on_welcome: a new link: the region is told of duty again (it may have lost its positions). */
void my_duty_on_welcome(struct vigie *vigie);

/* my_duty_on_answer: the region confirms or refuses. */
void my_duty_on_answer(struct vigie *vigie, const struct frame *frame);

/* my_duty_on_disbelief: the region refused a position because it thinks us off duty: told again, no position before. */
void my_duty_on_disbelief(struct vigie *vigie);

/* my_duty_on_question: "are you all right?"; my_duty_on_fine: the person is. */
void my_duty_on_question(struct vigie *vigie, uint32_t request);
void my_duty_on_fine(struct vigie *vigie);

/* my_duty_on_sealed: a sealed position came back, empty if it could not be made; the heartbeat leaves with it. */
void my_duty_on_sealed(struct vigie *vigie, uint32_t ticket, struct cbor_span sealed);

/* my_duty_seal: have PLACE sealed to KEY; gives the ticket. */
uint32_t my_duty_seal(struct vigie *vigie, const struct trust_key *key, const struct vigie_place *place);

/* my_duty_run: the end of duty, announcements, heartbeats, presence.  my_duty_due: when next. */
void my_duty_run(struct vigie *vigie);
int64_t my_duty_due(const struct vigie *vigie);

/* my_duty_last_words: a heartbeat at once, with its cause: the battery is low, or (OFF) the phone is switched off. */
void my_duty_last_words(struct vigie *vigie, bool off);

/* my_duty_beat: a heartbeat or presence as soon as duty and the link allow. */
void my_duty_beat(struct vigie *vigie);

/* my_duty_person: who holds the phone: on duty, or by enrolment; "" if not known. */
const char *my_duty_person(const struct vigie *vigie);

/* ---- watch.c ----------------------------------------------------------------------------------------------------- */

/* my_watch_start: after restoring: a check-in goes on. */
void my_watch_start(struct vigie *vigie);

/* my_watch_restore: the check-in that the journal has. */
void my_watch_restore(struct vigie *vigie, const struct my_watch *from);

/* my_watch_on_motion: the phone moved, or (MOVED false) a sensor says man-down. */
void my_watch_on_motion(struct vigie *vigie, bool moved);

/* my_watch_on_deadline: the timed check-in is set (IN_S 60..28800), cleared, or expired by the host's word.
 * Returns 0, -EINVAL. */
int my_watch_on_deadline(struct vigie *vigie, uint8_t what, uint32_t in_s);

/* my_watch_on_entered: into a building: a timed check-in that the region knows of too.  Returns 0, -EINVAL. */
int my_watch_on_entered(struct vigie *vigie, const struct vigie_event *event);

/* my_watch_on_sealed: its place, sealed; another ticket's: nothing. */
void my_watch_on_sealed(struct vigie *vigie, uint32_t ticket, struct cbor_span sealed);

/* my_watch_tell: tell the region of a quiet timer, or that it is over, where that is to be told and can be. */
void my_watch_tell(struct vigie *vigie);

/* my_watch_on_battery: percent 0..100 or 255; falling below 5 the phone says its last words. */
void my_watch_on_battery(struct vigie *vigie, uint8_t percent);

/* my_watch_on_power_off: last words. */
void my_watch_on_power_off(struct vigie *vigie);

/* my_watch_on_fine: the person is fine: man-down and check-in are answered. */
void my_watch_on_fine(struct vigie *vigie);

/* my_watch_run: ask, and raise what was not answered.  my_watch_due: when next. */
void my_watch_run(struct vigie *vigie);
int64_t my_watch_due(const struct vigie *vigie);

/* ---- rings.c ----------------------------------------------------------------------------------------------------- */

/* my_ring_on_ring: the record of another's alert, and how loud it rings here. */
void my_ring_on_ring(struct vigie *vigie, const struct frame *frame);

/* my_ring_on_answer: the region answers a command of this person. */
void my_ring_on_answer(struct vigie *vigie, const struct frame *frame);

/* my_ring_on_welcome: a new link: what the region does not ring again within MY_RING_CONFIRM_MS goes. */
void my_ring_on_welcome(struct vigie *vigie);

/* my_ring_on_dismiss: closed alerts and refusals were read. */
void my_ring_on_dismiss(struct vigie *vigie);

/* my_ring_on_supervise: the person does something about an alert; one that is not here, or closed: nothing.
 * Returns 0, -EINVAL (verb, reason or note out of range). */
int my_ring_on_supervise(struct vigie *vigie, const struct vigie_event *event);

/* my_ring_run: send commands, give them up, let go of what is over, ring.  my_ring_due: when next. */
void my_ring_run(struct vigie *vigie);
int64_t my_ring_due(const struct vigie *vigie);

/* ---- status.c ---------------------------------------------------------------------------------------------------- */

/* my_status_head: what vigie_status gives, up to the rings; those are not written. */
void my_status_head(const struct vigie *vigie, struct vigie_status *ret_status);

#endif
