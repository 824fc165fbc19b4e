/* check: what must hold (DESIGN section 3 as code), seen from outside: by what phones show and send, what dispatchers ask for,
 * what the store has.
 *
 *      check.c         alerts that are known; each second and at the end: nothing lost, nothing late, all whole again
 *      check_phone.c   a phone: words, receipts, revisions, journal, legs, duress        check_twin.c    a PIN looks like another
 *      check_core.c    a dispatcher: what it commits, signs, asks                         check_record.c  one record after another
 *      check_told.c    what people's screens show is what the store says, and soon        check_answer.c  commands and answers
 *      check_press.c   a press: synced, and silent where it is to be                      check_chosen.c  who is asked
 *      check_silence.c carriers who are not heard          check_said.c      what carriers say of their alerts
 *      check_back.c    what a start must not bring back            check_text.c      an SMS is answered by one
 *
 * The first thing that does not hold ends the run, with a word of its own. */
#ifndef TESTS_SIM_CHECK_H
#define TESTS_SIM_CHECK_H

#include "device/handset/core.h"
#include "dispatcher/core_parts.h"
#include "tests/sim/sim.h"

#define CHECK_RECEIPTS_MAX  32768 /* receipts that dispatchers signed; beyond, they are not looked up */
#define CHECK_REVISIONS_MAX 8192  /* revisions that phones sent; likewise */
#define CHECK_SAID_MAX      1024  /* PINs under duress; likewise */
#define CHECK_COMMANDS_MAX  4096  /* that people asked; likewise */
#define CHECK_CLAIMS_MAX    512   /* commits of unsigned presses; likewise */
#define CHECK_NONCES_BITS   65536
#define CHECK_UNVERIFIED    64 /* looked at of one handset */

/* When something is well for so long and longer, it must do what it promises. */
#define HEALTHY_MS 10000 /* the region: a deadline is acted on */

/* An alert that a phone believes to have, and has not, since when. */
struct wrong {
        uint8_t id[ALERT_ID_SIZE];
        int64_t since_ms;
};

/* What is known of a phone. */
struct watched {
        struct my_alert before[MY_ALERTS]; /* before the event */
        uint16_t highest[MY_ALERTS];       /* revision that had come, of either life of a phone set back */
        int again_above[MY_ALERTS];        /* and when it was last pressed again; -1: none had */
        struct receipt told;               /* the signed one that the event brings; */
        bool was_told;                     /* where it does */
        bool is_lost;                      /* its very first fix was wild, and believed */
        double lost_lat_deg;               /* that fix's; 0: none was */
        int64_t fix_ms;                    /* it has a fix since */
        struct vigie *twin;                /* that was given the right PIN where it was the one of duress; NULL */
        struct vigie_actions *twin_actions, *own_actions;
        int64_t up_ms;   /* runs, and is awake, since; INT64_MAX: no */
        int64_t well_ms; /* likewise: and its session, the dispatcher there, the store */
        uint64_t well_by;
        int64_t met_ms;                                    /* some dispatcher took it for connected last */
        uint8_t placed[ALERT_NONCE_SIZE];                  /* the alert of which an SMS said where it is */
        unsigned unplaced_s;                               /* for so long it could have said so, and did not */
        struct my_touch touch;                             /* before the event */
        uint8_t let_go[ALERT_NONCE_SIZE];                  /* a touch that was let go, */
        bool is_let_go, is_off;                            /* where one was; its carrier ended the duty, */
        unsigned let_go_s, off_s;                          /* for so long */
        struct my_ring answered;                           /* before the answer that the event brings; */
        uint8_t answer;                                    /* that, */
        bool is_answered;                                  /* where it brings one */
        int64_t copy_ms, text_ms, tried_ms[SIM_ADDRESSES]; /* the last one that it sent; tried to connect to */
        int64_t unverified_ms[CHECK_UNVERIFIED];           /* the last unverified alerts that were raised in its name */
        unsigned unverified_count;
        struct wrong wrong[VIGIE_RINGS_MAX];
        unsigned wrong_count;
};

/* A revision of an alert as it was sent. */
struct revision {
        uint8_t id[ALERT_ID_SIZE];
        uint16_t revision, marks;
        unsigned phone, run;
        bool safe;      /* the journal was good then */
        unsigned heard; /* by which dispatchers of those that run: bit i; what goes with one counts no more */
        bool came;      /* in the journal of one: durable */
        bool must;      /* come: its phone could say it, and did not end or raise another */
        int64_t at_ms;
        uint64_t hash;
        struct alert alert; /* as it was sent */
};

/* What somebody asked. */
struct asked_command {
        uint8_t id[EVENT_ID_SIZE], alert[ALERT_ID_SIZE];
        uint8_t verb;
        bool answered, by_console, was_there; /* was_there: the alert was open in the primary when it was asked */
        bool done;                            /* answered so, by a dispatcher that had it in its journal */
        unsigned safe;                        /* seen in the record in this generation of the store, + 1 */
        unsigned phone, run;                  /* of a supervisor, and which of its starts */
        uint32_t request;
        int64_t at_ms, store_ms;         /* store_ms: by the primary's clock */
        uint32_t before, request_before; /* one asked before with such an id; such a request: index + 1, 0 none */
        char person[PERSON_ID_MAX + 1], owner_seen[PERSON_ID_MAX + 1];
};

struct checks {
        struct watched phones[SIM_PHONES];
        uint64_t *receipts; /* hashes of what was signed, open addressing; 0 free */
        size_t receipt_count;
        struct revision *revisions;
        size_t revision_count;
        struct revision said[CHECK_SAID_MAX]; /* duress, as the PIN was given: of no revision yet */
        size_t said_count;
        struct asked_command *commands;
        size_t command_count;
        uint32_t commands_by_id[CHECK_COMMANDS_MAX],
                commands_by_request[CHECK_COMMANDS_MAX]; /* the newest: index + 1 */
        struct {
                uint8_t id[ALERT_ID_SIZE], nonce[ALERT_NONCE_SIZE];
        } claims[CHECK_CLAIMS_MAX]; /* commits of what nobody can vouch for: as what, and which press it claims to be */
        size_t claim_count;
        uint64_t nonces[CHECK_NONCES_BITS / 64]; /* bits by hash: of no known alert where it is 0 */
        uint64_t queue_full;                     /* of the dispatcher that something comes to, before it */
        bool replaces;                           /* that is a revision which an older one gives its place to */
        int64_t calm_since_ms[SIM_PROCESSES];    /* a dispatcher is well since; INT64_MAX: no */
        uint64_t calm_by[SIM_PROCESSES];
        struct {
                int64_t at_ms;
                unsigned run;
        } heard[SIM_PROCESSES][SIM_PHONES]; /* when a dispatcher heard a phone last, as it knew in this run */
};

/* check_process_is_well: PROCESS runs, reaches the primary, and its disk is good.  check_any_is_well: some dispatcher does. */
bool check_any_is_well(const struct sim *sim);
bool check_process_is_well(const struct sim *sim, unsigned process);

/* check_has: the press ID is in RECORD, as its own or as a further one. */
bool check_has(const struct record *record, const uint8_t id[ALERT_ID_SIZE]);

/* check_is_in_store: the primary has K: its own record, one that has it as an alias, or a tombstone; with when that was closed. */
bool check_is_in_store(struct sim *sim, const struct known *k, int64_t *ret_closed_ms);

/* check_closed_anywhere: ID was closed, in some store, once. */
bool check_closed_anywhere(struct sim *sim, const uint8_t id[ALERT_ID_SIZE]);

/* check_told_closed: the phone of K was told that it is closed. */
void check_told_closed(struct sim *sim, struct known *k);

/* ---- check_phone.c */
void check_receipt_signed(struct sim *sim, const struct receipt *receipt);
void check_phone_second(struct sim *sim, unsigned phone);
/* check_own: the alert of ID as PHONE holds it; NULL. */
const struct my_alert *check_own(const struct sim *sim, unsigned phone, const uint8_t id[ALERT_ID_SIZE]);

/* ---- check_said.c */
/* check_given: the PIN of duress is given to PHONE. */
void check_given(struct sim *sim, unsigned phone);
/* check_said_durable: RECORD is durable in some dispatcher's journal. */
void check_said_durable(struct sim *sim, struct cbor_span record);
void check_said_second(struct sim *sim);
/* check_content: RECORD, which is committed, says what its press says. */
void check_content(struct sim *sim, const struct record *record);
void check_said_end(struct sim *sim);

/* ---- check_twin.c */
void check_twin_event(struct sim *sim, unsigned phone, const struct vigie_event *event);
void check_twin_end(struct sim *sim, unsigned phone);

/* ---- check_press.c */
/* check_press: after EVENT of PHONE. */
void check_press(struct sim *sim, unsigned phone, const struct vigie_event *event);
/* check_text: PHONE sends ALERT by SMS.  check_place_second: by SMS alone its first position goes at once. */
void check_text(struct sim *sim, unsigned phone, const struct alert *alert);
void check_place_second(struct sim *sim, unsigned phone);

/* ---- check_back.c */
/* check_back_before, check_back_event: before EVENT of PHONE, and after it where the phone has outlived it. */
void check_back_before(struct sim *sim, unsigned phone, const struct vigie_event *event);
void check_back_event(struct sim *sim, unsigned phone, const struct vigie_event *event);
void check_back_second(struct sim *sim, unsigned phone);

/* ---- check_text.c */
/* check_text_told: RECEIPT goes out by SMS. */
void check_text_told(struct sim *sim, const struct receipt *receipt);
void check_text_second(struct sim *sim);

/* ---- check_core.c */
/* check_nonce_known: an alert with NONCE is known from now on. */
void check_nonce_known(struct sim *sim, const uint8_t nonce[ALERT_NONCE_SIZE]);
void check_core_second(struct sim *sim, unsigned process);

/* ---- check_chosen.c */
/* check_chosen: CORE does ACTION, a commit of RECORD. */
void check_chosen(struct sim *sim, const struct core *core, const struct core_action *action,
                  const struct record *record);

/* ---- check_record.c */
/* check_merged: PROCESS commits RECORD.  check_apart: it raises it. */
void check_merged(struct sim *sim, unsigned process, const struct record *record);
void check_apart(struct sim *sim, unsigned process, const struct record *record);
void check_transition(struct sim *sim, const struct record *old, const struct record *record, uint8_t event);

/* ---- check_told.c */
void check_told_second(struct sim *sim);

/* ---- check_answer.c */
void check_command_sent(struct sim *sim, unsigned phone, const struct frame *frame);
void check_answer_frame(struct sim *sim, unsigned process, uint64_t session, struct cbor_span bytes);
void check_answer_feed(struct sim *sim, unsigned process, const uint8_t id[EVENT_ID_SIZE], uint8_t code);
/* check_answer_comes, check_answer_shown: before and after EVENT of PHONE. */
void check_answer_comes(struct sim *sim, unsigned phone, const struct vigie_event *event);
void check_answer_shown(struct sim *sim, unsigned phone);
/* check_crowded: PROCESS got one fact more. */
void check_crowded(struct sim *sim, unsigned process);
/* check_sms_said: PROCESS sends ACTION, an SMS to a person. */
void check_sms_said(struct sim *sim, unsigned process, const struct core_action *action);
/* check_taken_over: OLD is now RECORD, and who asked for it last has it. */
void check_taken_over(struct sim *sim, const struct record *old, const struct record *record);
void check_acknowledged(struct sim *sim, unsigned process, uint64_t ref);
void check_answer_second(struct sim *sim);
void check_answer_end(struct sim *sim);
/* check_done: when all dispatchers are well for a while. */
void check_done(struct sim *sim);

/* ---- check_silence.c */
void check_silence_second(struct sim *sim);

#endif
