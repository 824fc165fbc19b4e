/* The core: what a dispatcher decides (DESIGN sections 3, 5, 6).  Pure: an event in, actions out; no I/O, no clock, no
 * signing; the very same objects run in the daemon and in the simulator.  Deterministic: the same events give the same
 * actions.  Memory is taken by core_new, core_load_... and core_handle only, and within the bounds of core_bounds.h.
 *
 *      alert frame -> APPEND -> SYNCED -> COMMIT -> COMMITTED or FEED -> RECEIPT, SEND (rings), ANSWER
 *
 * One commit of an alert is in flight; what else happens to that alert waits in its own queue.  What the shell is to do:
 *      core_handle(core, &event);
 *      while (core_next(core, &action))
 *              do it;
 * Every int64_t _ms is UTC by Redis's clock, _mono_ms monotonic.  One thread. */
#ifndef DISPATCHER_CORE_H
#define DISPATCHER_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dispatcher/core_bounds.h"
#include "dispatcher/sms.h"
#include "geo/barrier.h"
#include "geo/zone.h"
#include "wire/alert.h"
#include "wire/desk.h"
#include "wire/feed.h"
#include "wire/frame.h"
#include "wire/people.h"
#include "wire/receipt.h"
#include "wire/record.h"

/* ---- Set up ----------------------------------------------------------------------------------------------------- */

struct core;

struct core_options {
        const char *region;              /* for WELCOME */
        const char *name;                /* of this process: notices "tech:NAME:..." */
        unsigned rank;                   /* 0 for the first dispatcher */
        uint64_t seed;                   /* of the hash tables: drawn by the shell, fixed in a simulator */
        uint8_t salt_seed[32];           /* of the records' salts: likewise; who knows it can guess what was erased */
        struct zones *zones;             /* borrowed for the core's life; NULL: none */
        const struct barriers *barriers; /* likewise */
        const char *const *drill_people; /* ids that a drill asks; copied */
        size_t drill_people_count;       /* 0..CHOOSE_MAX; 0: the nearest, as for an alert */
        bool drill_announced;            /* a drill climbs the ladder like an alert */
        int64_t overdue_ms, overdue_no_coverage_ms, question_ms; /* 0: CORE_OVERDUE_MS and so on */
        bool alerts_only; /* an alert port: a session carries alert objects and receipts.  Any other frame, hello too, is refused
                           * (FRAME_ERROR_NOT_ALLOWED) and closes the session (1008); a test press is dropped; by SMS
                           * all is as elsewhere */
        uint32_t sessions_max;      /* 1..CORE_SESSIONS_MAX; 0: CORE_SESSIONS_MAX */
        bool opens;                 /* there is a keeper to open sealed places */
        bool sms;                   /* a gateway is there; false: no SMS is asked for */
        const char *control_number; /* of the control room, rung by SMS while its consoles are blind; NULL: none */
        void *user;                 /* for the two below */
        /* Say whether ALERT is signed by the P-256 key KEY (alert_verify of wire/signing.h). */
        bool (*verify)(void *user, const uint8_t key[P256_POINT_SIZE], const struct alert_signed *alert);
        /* SHA-256. */
        void (*hash)(void *user, struct cbor_span data, uint8_t ret_hash[32]);
};

/* core_new: a core that knows nobody and holds the store, positions and disk for away, away, good.
 *   options   copied; what its members point to is borrowed or copied as said there
 * Returns 0, -ENOMEM, -EINVAL (a text too long).  core_free: NULL does nothing. */
int core_new(const struct core_options *options, struct core **ret_core);
void core_free(struct core *core);

/* core_load_...: tell the core who there is: before listening, and again whenever it changes, between any two events.  ENTRY
 * NULL: gone.  Ids as in Redis.  Return 0, -EINVAL (id), -ENOBUFS (bound), -ENOMEM.  A handset that becomes revoked loses
 * its sessions with the next core_next. */
int core_load_handset(struct core *core, const uint8_t id[HANDSET_ID_SIZE], const struct handset_entry *entry);
int core_load_carrier(struct core *core, const char *id, const struct carrier_entry *entry);
int core_load_supervisor(struct core *core, const char *id, const struct supervisor_entry *entry);
int core_load_user(struct core *core, const char *login, const struct user_entry *entry);
int core_load_round(struct core *core, const char *id, const struct round_entry *entry);

/* core_load_people_begin, core_load_people_end: all people are going to be loaded, and were: who is known and was not among them is gone, as
 * with ENTRY NULL.  A begin without an end changes nothing.  core_load_unread: FIELD of the hash KIND is there and cannot be read: it
 * stays as it was; unknown ones are skipped. */
void core_load_people_begin(struct core *core);
void core_load_people_end(struct core *core);
void core_load_unread(struct core *core, enum people_kind kind, const char *field);

/* core_load_trust: the trust list that handsets with an older number are sent.  COSE is copied, at most TRUST_MAX; empty:
 * none.  Returns 0, -EMSGSIZE, -ENOMEM. */
int core_load_trust(struct core *core, uint32_t number, struct cbor_span cose);

/* core_load_duty, core_load_presence, core_load_notice: what {r}:duty:supervisors, the roster stream and {r}:notices hold;
 * NULL: off duty, over.  Unknown people are -ENOENT (the supervisors are loaded first), otherwise as above. */
int core_load_duty(struct core *core, const char *person, const struct duty_entry *duty);
int core_load_presence(struct core *core, const char *person, const struct presence *presence);
int core_load_notice(struct core *core, const char *key, const struct notice *notice);

/* core_load_begin, core_load_record, core_load_end: the open alerts, at the start and after each lost connection: read the
 * feed's position, begin, every open record, end, the notices (begin forgets them), then CORE_STORE up and the feed from that
 * position.  A record older than
 * one known means that a failover lost commits: this process's own events are offered again.  What was open and is not
 * among them is looked up (LOOK).  core_load_record returns 0, -EBADMSG, -EPROTONOSUPPORT, -ENOBUFS, -ENOMEM. */
void core_load_begin(struct core *core);
int core_load_record(struct core *core, struct cbor_span record);
void core_load_end(struct core *core);

/* core_replay: one record of this process's own journal, at the start, in order; before or after the open alerts.  What of
 * it is not in the store is offered again when the store is up, and changes nothing if it is there.
 * Returns 0, -EBADMSG, -EPROTONOSUPPORT (a newer format: keep the journal, do not start), -ENOMEM. */
int core_replay(struct core *core, struct cbor_span record);

/* core_keep_new: what of the journal must stay, for journal_compact: a snapshot, which another thread may use until
 * core_keep_free.  core_keep: say whether the journal's record must stay.  Returns 0, -ENOMEM. */
struct core_keep;
int core_keep_new(const struct core *core, struct core_keep **ret_keep);
bool core_keep(const struct core_keep *keep, struct cbor_span record);
void core_keep_free(struct core_keep *keep);

/* ---- Events ----------------------------------------------------------------------------------------------------- */

enum core_event_kind {
        CORE_OPENED = 1, /* a TLS session is there */
        CORE_FRAME,      /* one binary message; the shell closes with 1009 what is over FRAME_HANDSET_MAX */
        CORE_CLOSED,     /* a session is gone, by whoever's wish.  Unknown sessions are skipped */
        CORE_COMMAND,    /* an entry of {r}:commands */
        CORE_SYNCED,     /* the journal is durable up to this APPEND number */
        CORE_COMMITTED,  /* the answer to COMMIT, LOOK or PROVE */
        CORE_FEED_ALERT, /* entries of {r}:feed, this process's own too; skipped where not newer */
        CORE_FEED_NOTICE,
        CORE_FEED_DUTY,
        CORE_PRESENCE,   /* an entry of {r}:roster */
        CORE_DUTY_FOUND, /* the answer to FIND_DUTY */
        CORE_SCAN,       /* carriers on duty and not heard for the options' overdue_ms, every CORE_SCAN_MS */
        CORE_STORE,      /* the alerts' Redis is up (after loading, see core_load_begin) or away */
        CORE_POSITIONS,  /* the positions' Redis is up or away */
        CORE_DISK,       /* up: the journal takes records; away: it is full, and events go to the store without it */
        CORE_TICK,       /* time has passed */
        CORE_SMS_OBJECT, /* an 8-bit SMS to our port; answered by DO_SMS_TAKEN, or never: then it is to come again */
        CORE_SMS_TEXT,   /* a text; likewise */
        CORE_PLACE, /* the keeper opened what DO_OPEN asked for.  What it refuses, or does not answer, is not told */
        CORE_TIMER, /* a quiet timer is past its end; told again with each scan until DO_TIMER erases it */
        CORE_SMS_REPORT, /* what became of a DO_SMS_SAY or DO_SMS_RECEIPT; each SMS has one of the last two at least */
};

enum core_certificate {
        CERTIFICATE_OK,      /* of this region, in its dates; `handset` is its CN */
        CERTIFICATE_EXPIRED, /* of this region, out of its dates; `handset` is its CN */
        CERTIFICATE_FOREIGN, /* of another region */
        CERTIFICATE_UNKNOWN, /* of nobody we know; so is one of an enrolment that is not the handset's any more */
};

enum core_result {
        CORE_OK,        /* committed, at `version` and `time_ms`; or a test press is noted */
        CORE_CONFLICT,  /* another version is there: `record`; empty: no such alert */
        CORE_TOMBSTONE, /* closed: `tombstone` */
        CORE_FENCED,    /* the epoch is a later one: no more commits until CORE_STORE up */
        CORE_UNKNOWN,   /* no reply: repeated when the store is up, and CORE_TICK_MS later at the earliest */
};

struct core_found { /* a carrier's duty as the positions' Redis has it */
        uint8_t handset[HANDSET_ID_SIZE];
        bool on_duty;
        struct carrier_duty duty; /* where on_duty */
        int64_t heard_at_ms;
};

/* Spans and pointers are borrowed for the call. */
struct core_event {
        enum core_event_kind kind;
        int64_t now_ms, now_mono_ms;
        union {
                struct {
                        uint64_t session; /* the shell's, never used twice */
                        enum core_certificate certificate;
                        uint8_t handset[HANDSET_ID_SIZE];
                        uint8_t enrolment[ENROLMENT_SIZE]; /* that the certificate names; zeros: none */
                        uint8_t fingerprint[8];            /* of the certificate; of the address where there is none */
                } opened;
                struct {
                        uint64_t session;
                        struct cbor_span bytes;
                        uint64_t stamp; /* the shell's; given back with the first receipt that it leads to */
                } frame;
                struct {
                        uint64_t session;
                } closed;
                struct {
                        struct command command;
                        uint64_t ref; /* the shell's, for ACKNOWLEDGE */
                } command;
                struct {
                        uint64_t up_to;
                } synced;
                struct {
                        uint64_t token;
                        enum core_result result;
                        uint32_t version;
                        int64_t time_ms;
                        struct cbor_span record;
                        struct tombstone tombstone;
                } committed;
                struct {
                        struct cbor_span record;
                        uint8_t event; /* enum alert_event, 0 unknown */
                } feed_alert;
                struct {
                        const char *key;
                        const struct notice *notice; /* NULL: over */
                } feed_notice;
                struct {
                        const char *person;
                        const struct duty_entry *duty; /* NULL: off */
                } feed_duty;
                struct {
                        const char *person;
                        struct presence presence;
                } presence;
                struct core_found found;
                struct {
                        const struct core_found *late; /* those not heard for overdue_ms; any order */
                        size_t count;                  /* 0..CORE_SCAN_MAX */
                        size_t late_total;             /* count, or more where there are too many */
                        size_t total;                  /* all carriers on duty */
                } scan;
                struct {
                        bool up;
                } state; /* STORE, POSITIONS, DISK */
                struct {
                        const char *from; /* E.164, "+" and digits; at most NUMBER_MAX */
                        struct cbor_span bytes;
                        uint64_t ref; /* the shell's, for SMS_TAKEN */
                } sms_object;
                struct {
                        const char *from;
                        const char *text;          /* UTF-8 */
                        uint8_t id[EVENT_ID_SIZE]; /* the same for a copy from the gateway */
                        uint64_t ref;
                } sms_text;
                struct {
                        uint8_t alert[ALERT_ID_SIZE]; /* as DO_OPEN said */
                        uint8_t handset[HANDSET_ID_SIZE];
                        struct track_point at;
                } place;
                struct {
                        struct core_found found; /* by the store; its duty's sealed place is the timer's, where that has one */
                        int64_t due_ms;
                } timer;
                struct {
                        struct sms_ref about;
                        uint8_t what; /* SMS_HANDED: the gateway has it; SMS_DELIVERED; SMS_FAILED */
                } sms_report;
        } u;
};

/* core_handle: take one event.  The actions of the one before must all have been taken by core_next (assert).  Never fails;
 * what is wrong with an event is counted, or answered by an action. */
void core_handle(struct core *core, const struct core_event *event);

/* ---- Actions ---------------------------------------------------------------------------------------------------- */

enum core_action_kind {
        DO_APPEND = 1, /* journal_append; -ENOBUFS: journal_sync_now and again.  Answer CORE_SYNCED */
        DO_COMMIT,     /* the commit script.  Answer CORE_COMMITTED */
        DO_LOOK,    /* read alert and tombstone.  Answer CORE_COMMITTED: CONFLICT with the record or none, TOMBSTONE */
        DO_PROVE,   /* note a test press in {r}:tests.  Answer CORE_COMMITTED: OK or UNKNOWN */
        DO_SEND,    /* a frame to a session */
        DO_RECEIPT, /* sign, and send in FRAME_RECEIPT */
        DO_CLOSE_SESSION, /* the core has forgotten it already; no CORE_CLOSED is needed */
        DO_ACKNOWLEDGE,   /* XACK a command: it is in the journal, or answered */
        DO_ANSWER,        /* feed entry t=answer */
        DO_NOTICE,        /* {r}:notices and feed entry t=notice, in one script */
        DO_DUTY,          /* {r}:duty:supervisors and feed entry t=duty, in one script */
        DO_PRESENCE,      /* entry of {r}:roster */
        DO_CARRIER_DUTY,  /* {r}:duty and {r}:duty:info */
        DO_HEARD,         /* {r}:duty alone, only if the handset is in it (ZADD XX) */
        DO_FIND_DUTY,     /* read {r}:duty and {r}:duty:info.  Answer CORE_DUTY_FOUND; not needed while it is away */
        DO_SMS_TAKEN,     /* what that SMS said is durable, or needs nothing more: the gateway may forget it */
        DO_SMS_RECEIPT,   /* sign like RECEIPT, 8-bit to SMS_PORT of a handset's number.  Answer CORE_SMS_REPORT */
        DO_SMS_SAY,       /* a text to a person.  Answer CORE_SMS_REPORT */
        DO_VAULT,    /* `vault`: it is told of its vault (`told`), or may be given orders alone: look what is in its inbox */
        DO_DONE,     /* a confirmation, not checked; of `session`, or (0) by SMS: then SMS_TAKEN is the shell's */
        DO_ASK_PASS, /* `asked`: for {r}:asked; then FRAME_ASKED */
        DO_TIMER,    /* `timer`: for {r}:timers; due 0: erase it */
        DO_OPEN,     /* have a sealed place opened by the keeper: `sealed`, or (empty) the last that {r}:duty:info has.  Answer CORE_PLACE */
        DO_ORDER,    /* wipe and unlock in that inbox, by SMS to `number` */
};

/* Spans and pointers are good until the next core_next or core_handle. */
struct core_action {
        enum core_action_kind kind;
        union {
                struct {
                        uint64_t number; /* 1, 2, 3 ... of this run; CORE_SYNCED says up to which */
                        struct cbor_span bytes;
                } append;
                struct {
                        uint64_t token;
                        uint8_t id[ALERT_ID_SIZE];
                        uint32_t expected;      /* the version that must be there; 0: none, and no tombstone */
                        uint32_t version;       /* the one to write; above expected, not always by 1 */
                        uint8_t event;          /* feed: e */
                        const char *by;         /* feed: by; "" */
                        const uint8_t *command; /* feed: c, EVENT_ID_SIZE octets; NULL: none */
                        int64_t due_in_ms;      /* from Redis's time on; 0 or more.  Nothing where closed */
                        double urgency;         /* score in {r}:open */
                        uint8_t state;          /* enum alert_state of `record`: `s` */
                        struct cbor_span record;
                        struct cbor_span alert; /* `signed`; empty: leave what is there */
                        bool closed;            /* out of {r}:open and {r}:due; `tombstone` for each of `gone` */
                        struct tombstone tombstone;
                        size_t gone_count; /* 1.. : its own id, then other ids of it: left alone where open themselves */
                        uint8_t gone[1 + RECORD_ALIASES_MAX][ALERT_ID_SIZE];
                } commit;
                struct {
                        uint64_t token;
                        uint8_t id[ALERT_ID_SIZE];
                } look;
                struct {
                        uint64_t token;
                        uint8_t handset[HANDSET_ID_SIZE];
                        int64_t at_ms;
                } prove;
                struct {
                        uint64_t session;
                        struct cbor_span frame; /* at most FRAME_REGION_MAX */
                } send;
                struct {
                        uint64_t session;
                        struct receipt receipt;
                        uint64_t stamp; /* of the CORE_FRAME that this is the first receipt for; 0 none */
                } receipt;
                struct {
                        uint64_t session;
                        uint16_t code; /* RFC 6455 close code */
                } close_session;
                struct {
                        uint64_t ref;
                } acknowledge;
                struct {
                        uint8_t command[EVENT_ID_SIZE];
                        uint8_t code; /* enum answer_code */
                        char who[NAME_MAX_OCTETS + 1];
                } answer;
                struct {
                        const char *key;
                        const struct notice *notice; /* NULL: over */
                } notice;
                struct {
                        char person[PERSON_ID_MAX + 1];
                        bool on;
                        struct duty_entry duty;
                } duty;
                struct {
                        char person[PERSON_ID_MAX + 1];
                        struct presence presence;
                } presence;
                struct {
                        uint8_t handset[HANDSET_ID_SIZE];
                        const struct carrier_duty *duty; /* NULL: off */
                        int64_t heard_at_ms;             /* what {r}:duty has is never set back */
                        int64_t asked_ms; /* not 0: `duty` is what was found there: this is noted in it if it still is so, else nothing */
                } carrier_duty;
                struct {
                        uint8_t handset[HANDSET_ID_SIZE];
                        int64_t heard_at_ms;
                } heard;
                struct {
                        uint8_t handset[HANDSET_ID_SIZE];
                } find_duty;
                struct {
                        uint64_t ref;
                } sms_taken;
                struct {
                        uint64_t session;
                        uint8_t handset[HANDSET_ID_SIZE];
                        bool told;
                        struct vault_entry vault; /* all but taken and result; not told: its enrolment alone */
                        uint32_t request;         /* of ASK_PASS */
                        struct asked_entry asked;
                        struct timer_entry timer;
                } vault; /* VAULT, ASK_PASS, TIMER */
                struct {
                        uint64_t session, ref;
                        struct cbor_span bytes;
                } done;
                struct {
                        uint8_t handset[HANDSET_ID_SIZE];
                        char number[NUMBER_MAX + 1];
                } order;
                struct {
                        uint8_t alert[ALERT_ID_SIZE]; /* zeros: for an overdue carrier */
                        uint8_t handset[HANDSET_ID_SIZE];
                        struct cbor_span sealed, press; /* press: the signed alert */
                        uint8_t why;                    /* enum opened_why */
                } open;
                struct {
                        char to[NUMBER_MAX + 1];
                        struct receipt receipt;
                        struct sms_ref about;
                } sms_receipt;
                struct {
                        char to[NUMBER_MAX + 1];
                        struct sms_say say;
                        struct sms_ref about;
                } sms_say;
        } u;
};

/* core_next: the next thing to do.  Returns false when all is done. */
bool core_next(struct core *core, struct core_action *ret_action);

/* core_due_ms: when the next CORE_TICK will find something to do, UTC by Redis's clock; INT64_MAX: nothing is waited for. */
int64_t core_due_ms(const struct core *core);

/* ---- To look at ------------------------------------------------------------------------------------------------- */

/* core_handset: what is known of the handset with that id; NULL: not enrolled.  Borrowed, until the next core_load_handset. */
const struct handset_entry *core_handset(const struct core *core, const uint8_t id[HANDSET_ID_SIZE]);

/* core_knows_number: say whether NUMBER (E.164) is a carrier's, a supervisor's or an enrolled handset's. */
bool core_knows_number(const struct core *core, const char *number);

/* core_others_tell: say whether a technical notice CAUSE of another process than this one stands. */
bool core_others_tell(const struct core *core, const char *cause);

/* core_each_waiting: call FN with each session that waits for the receipt of an alert, some twice.  In no order. */
void core_each_waiting(const struct core *core, void (*fn)(void *user, uint64_t session), void *user);

/* core_each_record: call FN with each open record as committed, for the snapshot.  In no order. */
void core_each_record(const struct core *core, void (*fn)(void *user, struct cbor_span record), void *user);

/* Counters only rise; the last line are gauges, of now (open_alerts: all of them). */
struct core_counters {
        uint64_t raised, updated, copies, pressed_again,
                closed; /* alerts, by what this process committed or answered */
        uint64_t seen, taken, released, joined, progressed, climbed, declined;
        uint64_t unverified, suppressed;                      /* raised as such; kept back by the limits */
        uint64_t drills_refused, notices_refused, queue_full; /* bounds reached */
        uint64_t tests, tests_dropped;
        uint64_t kept, receipts, rings, conflicts, unknown_replies, fenced, replayed;
        uint64_t commands, commands_refused;
        uint64_t frames, frames_malformed, frames_unknown, frames_refused, off_duty_positions;
        uint64_t sessions_refused, questions;
        uint64_t sms_objects, sms_texts, sms_unknown, sms_said, sms_receipts, sms_failed;
        uint64_t meanwhile, meanwhile_refused; /* alerts that rang before the store had them; that did not */
        int64_t open_alerts, open_unverified, open_drills, sessions, waiting, commits, overdue;
};
const struct core_counters *core_counters(const struct core *core);

#endif
