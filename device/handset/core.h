/* The inside of libvigie-handset.  One file per idea, each with a run (do what is due now) and a due (when next):
 *
 *      vigie.c   events in, everything run in one order, SHOW and TIMER last
 *      alert.c   this phone's own alerts: press, touch, key, PIN, receipts
 *      send.c    their revisions on their way         link.c    which address, when
 *      diary.c   journal records                      fix.c     the last good fix
 *      trust.c   whose signature counts               watch.c   man-down, check-in, last words
 *      duty.c    duty, heartbeat, presence, the proof of the button
 *      rings.c   others' alerts, for a supervisor     status.c  what a page shows
 *
 * Names begin with my_, "this phone's", so that hosts and the simulator may link them beside anything.  All of it is
 * pure but crypto.c (make check-pure). */
#ifndef DEVICE_HANDSET_CORE_H
#define DEVICE_HANDSET_CORE_H

#include "device/handset/vigie.h"
#include "wire/alert.h"
#include "wire/frame.h"
#include "wire/receipt.h"
#include "wire/record.h"
#include "wire/trust.h"

#define NEVER INT64_MAX

/* After sending: 1 s, 2 s, 4 s, 5 s, 5 s ... until a receipt.  Exact copies cost the region one look-up. */
#define MY_RETRY_MIN_MS     1000
#define MY_RETRY_MAX_MS     5000
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

/* Octets of a journal record other than a trust list. */
#define MY_RECORD_MAX 512

/* ---- what is in the journal -------------------------------------------------------------------------------------- */

/* Each record is the whole state of one subject; the last of a subject counts. */
enum my_subject {
        MY_REAL,  /* the alert: panic, silent, man-down, missed check-in */
        MY_DRILL, /* the drill */
        MY_TEST,  /* the press that proves the button */
        MY_TOUCH, /* a finger is down */
        MY_ALERTS = MY_TOUCH,
        MY_DUTY,
        MY_CHECK_IN,
        MY_FIX,
        MY_TRUST,
        MY_SUBJECTS
};

struct my_written {
        uint32_t serial;  /* of its newest record; 0 = none */
        uint32_t seq;     /* its APPEND in this run, 0 = restored */
        uint32_t durable; /* serial of the newest record known durable */
        bool lost;        /* the newest could not be written: to be written again */
};

/* ---- own alerts -------------------------------------------------------------------------------------------------- */

enum my_state { MY_NONE, MY_OPEN, MY_CLOSED };

enum my_lane { MY_ORDINARY, MY_ALERT_PORT, MY_LANES };

/* The newest signed revision on one link. */
struct my_sent {
        uint32_t link; /* number of the link it was sent on; 0 = never */
        uint16_t revision;
        uint8_t tries;
        int64_t first_mono_ms; /* on this link, since no receipt came */
        int64_t last_mono_ms;
};

struct my_alert {
        enum my_state state;
        struct alert alert; /* nonce, kind, marks as wanted; revision and position as in the newest revision made */
        bool hidden;        /* silent: not shown */
        bool mute;          /* pressed silently last: not felt */
        bool made;          /* a revision was made in this run */
        uint16_t presses;
        uint16_t reserved; /* revisions up to this may be used: the journal knows */
        int64_t raised_mono_ms;

        bool wait; /* the newest press or mark waits for its record */
        uint32_t wait_seq;
        int64_t wait_mono_ms; /* since */

        bool want; /* a mark or press is not in a revision yet */
        int64_t made_mono_ms;
        uint32_t made_fix; /* the fix of that time */
        struct alert signing;
        uint32_t ticket; /* 0 = nothing is being signed */
        int64_t sign_mono_ms, sign_since_mono_ms, sign_retry_mono_ms;
        bool urgent;          /* a revision with a mark is not known to the region */
        uint16_t urgent_from; /* the first one that has it */

        uint16_t revision; /* of OCTETS */
        uint8_t octets_len;
        uint8_t octets[ALERT_MAX]; /* the one copy that is offered: the newest */
        struct my_sent sent[MY_LANES];
        int64_t sent_at_ms; /* 0 = not in this run */

        bool received; /* durable there, said by a verified receipt */
        bool has_receipt;
        struct receipt receipt; /* the one that counts */
        int64_t received_at_ms;
        bool felt_received, felt_taken;
};

struct my_touch {
        bool down;
        uint8_t press;
        uint8_t nonce[ALERT_NONCE_SIZE];
        uint32_t pressed_at_s;
        int64_t since_mono_ms;
        uint32_t seq;           /* its record */
        bool again;             /* found in the journal: raise it */
        int64_t raised_mono_ms; /* the last one held to the end: a late VIGIE_TOUCH_HELD is no other press */
};

/* ---- the rest ---------------------------------------------------------------------------------------------------- */

struct my_fix {
        bool has;
        double lat_deg, lon_deg, accuracy_m; /* accuracy NaN = not known */
        int64_t receiver_ms;                 /* UTC by the receiver; 0 = not known */
        int64_t mono_ms;                     /* when it was so; INT64_MIN = before this run */
        int64_t at_ms;                       /* the same by the phone's UTC */
};

enum my_link_state { MY_IDLE, MY_CONNECTING, MY_UP };

struct my_link {
        enum my_link_state state;
        uint8_t address;
        uint8_t attempts;      /* without one word from the region */
        uint32_t number;       /* of this link, from 1 */
        int64_t since_mono_ms; /* of the state */
        int64_t since_ms;
        int64_t tried_mono_ms; /* the last attempt */
        int64_t due_mono_ms;   /* IDLE: the next */
        bool hello, welcome;   /* sent, come */
};

struct my_sms {
        uint8_t modem; /* enum vigie_modem */
};

struct my_duty {
        bool on, refused, confirmed, ends; /* confirmed: on, and the region has said so */
        char person[VIGIE_PERSON_SIZE], round[VIGIE_PERSON_SIZE], name[VIGIE_NAME_SIZE];
        int64_t since_ms;
        uint32_t until_s;
        int64_t until_mono_ms;
        uint8_t code;
        bool announce;    /* the region is to be told */
        uint32_t request; /* of the announcement, 0 = not sent on this link */
        uint8_t told_tries;
        int64_t told_mono_ms;
        int64_t beat_mono_ms;      /* next heartbeat or presence */
        int64_t disbelief_mono_ms; /* the last one; 0 = none */
        int64_t beat_from_mono_ms; /* after it: no heartbeat before */
        int64_t off_mono_ms;       /* the phone is being switched off since; 0 = it is not */
        uint32_t seal;             /* ticket, 0 = none */
        int64_t seal_mono_ms;
        bool question, safe; /* asked; the answer is to be sent */
        uint32_t question_request;
        struct vigie_proof_status proof;
};

struct my_watch {
        int64_t moved_mono_ms;                /* NEVER = no motion seen since duty on */
        int64_t man_down_mono_ms;             /* raise then; NEVER = not asked */
        int64_t check_in_at_ms;               /* UTC; 0 = none */
        int64_t check_in_mono_ms;             /* NEVER = none */
        int64_t missed_mono_ms;               /* raise then; NEVER = not asked */
        int64_t man_down_at_ms, missed_at_ms; /* the same by the phone's UTC, as they were shown */
        uint8_t battery;
        bool battery_low;
};

struct my_ring {
        struct vigie_ring shown;
        char owner_id[VIGIE_PERSON_SIZE];
        double urgency;
        int64_t heard_mono_ms;
        bool unconfirmed; /* not named since the last welcome */
        bool want_seen;
        uint8_t seen_id[EVENT_ID_SIZE];
        uint32_t seen_link; /* link on which seen was said */
        uint32_t request;
        struct command command; /* verb 0 = none waits */
        int64_t asked_mono_ms, told_mono_ms;
        uint32_t told_link;
};

struct vigie {
        struct vigie_options options; /* trust pointer cleared */
        struct handset_id handset;
        bool started;
        int64_t now_ms, now_mono_ms;
        uint8_t random[VIGIE_RANDOM_SIZE];
        struct vigie_actions *out; /* during an event only */

        struct my_written written[MY_SUBJECTS];
        uint32_t serial;      /* of the newest record */
        uint32_t seq, synced; /* APPENDs given; durable */
        bool journal_bad;
        int64_t journal_retry_mono_ms;
        uint32_t tickets, requests;

        struct my_alert alert[MY_ALERTS];
        struct my_touch touch;
        int64_t key_mono_ms[VIGIE_KEY_PRESSES]; /* newest last */
        bool key_bad;                           /* the alert key does not sign */
        uint32_t wrong_pins, refused;

        struct my_link link[MY_LANES];
        int64_t down_mono_ms; /* since when there is no ordinary link; NEVER = there is */
        bool no_path, not_known;
        char region[VIGIE_PERSON_SIZE], name[VIGIE_NAME_SIZE];

        struct my_fix fix, jump; /* the last good one; one that jumped away from it */
        uint32_t fix_number;     /* of the last good one, from 1; 0 = before this run */
        uint8_t jumps;           /* fixes in a row that agree with JUMP */
        int64_t jump_mono_ms;    /* the first of them */
        int64_t fix_kept_mono_ms;
        bool fix_kept_exact; /* with an accuracy */

        bool trusted;
        struct trust trust;
        struct my_sms sms;
        struct my_duty duty;
        struct my_watch watch;
        struct my_ring ring[VIGIE_RINGS_MAX];
        uint8_t ring_count, ring_level;
        int64_t ring_confirm_mono_ms;
        uint16_t rings_more;

        uint64_t shown; /* hash of the status last shown */
        int64_t timer_mono_ms;
};

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

/* my_alert_mark: add MARKS to an open alert; they leave at once. */
void my_alert_mark(struct vigie *vigie, enum my_subject subject, uint16_t marks);

/* my_alert_last_words: mark what is open and not marked so already. */
void my_alert_last_words(struct vigie *vigie);

/* my_alert_receipt: a signed receipt came, by whatever path. */
void my_alert_receipt(struct vigie *vigie, struct cbor_span cose);

/* my_alert_run: raise what was held for a second.  my_alert_due: when. */
void my_alert_run(struct vigie *vigie);
int64_t my_alert_due(const struct vigie *vigie);

/* my_alert_open: the open alert that a tap or a PIN means: the real one before the drill; MY_TOUCH if there is none. */
enum my_subject my_alert_open(const struct vigie *vigie);

/* my_alert_waits: say whether an alert (no test) is open and not received. */
bool my_alert_waits(const struct vigie *vigie);

/* ---- send.c ------------------------------------------------------------------------------------------------------ */

/* my_send_run: make revisions, have them signed, send them, send them again.  my_send_due: when next. */
void my_send_run(struct vigie *vigie);
int64_t my_send_due(const struct vigie *vigie);

/* my_send_on_signed: a signature came back, or could not be made. */
void my_send_on_signed(struct vigie *vigie, const struct vigie_event *event);

/* my_send_unanswered: since when something sent on this link waits for a receipt; NEVER if nothing does. */
int64_t my_send_unanswered(const struct vigie *vigie, enum my_lane lane);

/* my_send_answered: a receipt for ALERT came: what was sent so far is not unanswered any more. */
void my_send_answered(struct my_alert *alert);

/* ---- link.c ------------------------------------------------------------------------------------------------------ */

/* my_link_start: both lanes idle, the first attempt due now. */
void my_link_start(struct vigie *vigie);

/* my_link_on_link: the host says that a link is up or down; about a link that is not ours any more: nothing. */
void my_link_on_link(struct vigie *vigie, uint8_t address, bool up);

/* my_link_on_welcome: the region knows us on the ordinary link. */
void my_link_on_welcome(struct vigie *vigie, const struct frame *frame);

/* my_link_on_refused: the region does not let us in on this link: the answer to the hello, or to nothing else we say. */
void my_link_on_refused(struct vigie *vigie, uint8_t address);

/* my_link_heard: a message came by this address: the back-off begins anew. */
void my_link_heard(struct vigie *vigie, uint8_t address);

/* my_link_run: connect, give up, say hello.  my_link_due: when next. */
void my_link_run(struct vigie *vigie);
int64_t my_link_due(const struct vigie *vigie);

/* my_link_ready: say whether the region has welcomed us on the ordinary link. */
bool my_link_ready(const struct vigie *vigie);

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

/* my_watch_on_motion: the phone moved, or (MOVED false) a sensor says man-down. */
void my_watch_on_motion(struct vigie *vigie, bool moved);

/* my_watch_on_deadline: the timed check-in is set (IN_S 60..28800), cleared, or expired by the host's word.
 * Returns 0, -EINVAL. */
int my_watch_on_deadline(struct vigie *vigie, uint8_t what, uint32_t in_s);

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

#endif
