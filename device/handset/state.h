/* What libvigie-handset knows: struct vigie and its parts.  */
#ifndef DEVICE_HANDSET_STATE_H
#define DEVICE_HANDSET_STATE_H

#include "device/handset/vigie.h"
#include "wire/alert.h"
#include "wire/frame.h"
#include "wire/order.h"
#include "wire/receipt.h"
#include "wire/record.h"
#include "wire/trust.h"

#define NEVER INT64_MAX

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
        MY_SMS,
        MY_ORDER,
        MY_OPENED,
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

/* What of an alert went by SMS in this run. */
struct my_texted {
        uint8_t tries;     /* handed over since there was news; 0 = none ever */
        uint16_t revision; /* of the last one, and what was in it */
        uint16_t marks;
        bool fix;
        int64_t last_mono_ms;  /* handed over then */
        uint8_t failures;      /* in a row */
        int64_t retry_mono_ms; /* after a failure, not before */
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
        bool urgent;                /* a revision with a mark is not known to the region */
        uint16_t urgent_from;       /* the first one that has it */
        bool pin;                   /* a PIN was given that is not in a revision yet */
        uint32_t pin_from;          /* the first revision after the last PIN */
        bool pin_owed;              /* the region has not said that it knows that one */
        uint8_t late_answers;       /* closed, and that said since: answers */
        int64_t late_until_mono_ms; /* closed, and that is said until then; 0 = nothing is owed */
        uint32_t again_at_s;        /* the last press again, UTC; 0 = none */
        uint32_t again_from;        /* the first revision that has it; UINT32_MAX: not made yet */
        bool again_known;           /* the region has said that it has it; what was closed may still be without it */

        uint16_t revision; /* of OCTETS */
        uint8_t octets_len;
        uint8_t octets[ALERT_MAX]; /* the one copy that is offered: the newest */
        uint16_t octets_marks;     /* in it */
        bool octets_fix;
        struct my_sent sent[MY_LANES];
        struct my_texted texted;
        int64_t sent_at_ms; /* by either leg; 0 = not in this run */
        int64_t sent_data_at_ms, sent_sms_at_ms;

        bool received; /* durable there, said by a verified receipt */
        bool has_receipt;
        struct receipt receipt; /* the one that counts */
        int64_t received_at_ms;
        uint8_t received_path; /* enum vigie_path; 0 = not in this run */
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
        uint8_t modem;   /* enum vigie_modem */
        uint32_t ticket; /* of the SMS that is with the modem, 0 = none; whose it is and what is in it: */
        enum my_subject subject;
        uint8_t nonce[ALERT_NONCE_SIZE];
        uint16_t revision, marks;
        bool fix, hidden;
        int64_t since_mono_ms;
        uint16_t code; /* of the last failure, as it is shown */
        int64_t failed_at_ms, failed_mono_ms;
        int64_t good_at_ms;   /* the last that was answered by SMS; 0 = never */
        bool test;            /* the test press is to go by SMS too */
        int64_t test_mono_ms; /* asked for then */
        int64_t tested_at_ms; /* the last that went; 0 = never */
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

/* A quiet timer: a check-in that the region knows of, with a place that it cannot read. */
enum my_quiet { MY_QUIET_NONE, MY_QUIET_ON, MY_QUIET_OVER /* the region is to be told */ };

struct my_watch {
        int64_t moved_mono_ms;                /* NEVER = no motion seen since duty on */
        int64_t man_down_mono_ms;             /* raise then; NEVER = not asked */
        int64_t check_in_at_ms;               /* UTC; 0 = none */
        int64_t check_in_mono_ms;             /* NEVER = none */
        int64_t missed_mono_ms;               /* raise then; NEVER = not asked */
        int64_t man_down_at_ms, missed_at_ms; /* the same by the phone's UTC, as they were shown */
        uint8_t quiet;                        /* of the check-in: enum my_quiet */
        bool quiet_has_place;
        struct vigie_place quiet_place; /* of the building; at_s: entered then */
        uint32_t quiet_seal;            /* ticket, 0 = none; quiet_seal_mono_ms: asked then */
        int64_t quiet_seal_mono_ms;
        uint8_t quiet_sealed_len, quiet_sealed[SEALED_POSITION_MAX - 1];
        uint32_t quiet_link; /* the region was told on this link */
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

enum my_step {
        MY_ORDER_NONE,
        MY_ORDER_COLLECT, /* what comes beside it */
        MY_ORDER_SIGN,    /* a wipe: its confirmation first */
        MY_ORDER_HOST     /* the host does it */
};

struct my_order {
        struct confirm taken; /* the last one; number 0 = none ever.  In the journal */
        enum my_step step;
        struct order now;
        uint32_t beside, got;
        int64_t step_mono_ms;
        uint8_t trust[TRUST_MAX];

        struct confirm confirming;
        uint32_t ticket; /* 0 = nothing is being signed */
        int64_t sign_mono_ms;
        uint8_t octets_len; /* signed and not sent; 0 = none */
        uint8_t octets[CONFIRM_MAX];
        bool by_sms; /* it came so */
        uint8_t sms_tries;
        int64_t sms_retry_mono_ms, confirmed_mono_ms; /* 0 = not in this run */
        bool wiped;
        int64_t wiped_mono_ms;
        uint8_t unsure_len; /* of OCTETS, a wipe's, said by data; 0 = not, or heard */
        bool forget;        /* told: the host is to be told */
};

/* When the keeper opened a place of ours: the newest, oldest first. */
struct my_opening {
        int64_t at_ms; /* by the region's clock; it tells one from another */
        uint8_t why;   /* enum opened_why, or a newer region's */
        bool read;
        bool hushed; /* it came while a silent alert was open: not shown before the next duty */
};
struct my_opened {
        size_t count;
        struct my_opening entries[OPENED_MAX];
};

/* A frame that is said once on each link. */
struct my_telling {
        bool has;      /* the vault's */
        uint8_t state; /* of asking: enum vigie_asked */
        uint32_t told_link;
        struct frame frame;
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
        bool journal_bad, journal_hangs;
        uint32_t asked;        /* the newest APPEND that is to be durable now */
        int64_t asked_mono_ms; /* since when such a one waits; NEVER = none does */
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
        struct my_order order;
        struct my_telling vault, asking;
        struct my_opened opened;
        struct my_ring ring[VIGIE_RINGS_MAX];
        uint8_t ring_count, ring_level;
        int64_t ring_confirm_mono_ms;
        uint16_t rings_more;

        uint64_t shown; /* hash of the status last shown */
        int64_t timer_mono_ms;
};

#endif
