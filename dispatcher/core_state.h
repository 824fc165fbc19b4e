/* The core's state, and what its files do for each other.  For the files of the core alone; core.h is the contract.
 *
 *      core.c         events to where they belong, the queue of actions, the steps of work
 *      hold.c         open alerts in memory                                                 replay.c  loading and replay
 *      flow.c         facts in, one commit of an alert in flight                            land.c    what comes back
 *      flow_disk.c    a full disk
 *      tell.c         who is told of an alert: receipts, rings
 *      offer.c        alert objects that come in                                            right.c   commands, and who may
 *      port.c         the sessions of an alert port
 *      session.c      sessions and their frames                                             duty.c    duty and presence
 *      meanwhile.c    what is done while the store is away
 *      sms_in.c       SMS that come in, and what became of ours                             sms_out.c  who is told by SMS
 *      supervision.c  quiet and overdue carriers                                            notice.c  notices */
#ifndef DISPATCHER_CORE_STATE_H
#define DISPATCHER_CORE_STATE_H

#include "base/wheel.h"
#include "dispatcher/alert.h"
#include "dispatcher/core.h"
#include "dispatcher/directory.h"
#include "dispatcher/fact.h"
#include "dispatcher/ladder.h"
#include "dispatcher/limit.h"
#include "dispatcher/table.h"

/* Octets that the actions of one step point to: three rings of a record, a commit and what else is small, twice. */
#define CORE_OCTETS_MAX     (16 * FRAME_REGION_MAX)
/* Sessions that are owed a receipt of one alert although they are not its handset's; the oldest gives way. */
#define ALERT_WAITING_MAX   4
/* Sessions of one supervisor, who may have more than one handset.  At the ninth the oldest is closed (1008). */
#define PERSON_SESSIONS_MAX 8
/* Things looked at in one step of a longer piece of work. */
#define CORE_STEP           64

struct waiting {
        uint64_t session, stamp;     /* session 0: it came by SMS */
        char number[NUMBER_MAX + 1]; /* then: from whom */
        uint8_t as[ALERT_ID_SIZE];   /* the id that it knows the alert by */
        bool kept;                   /* it was told that the press is kept */
};

/* What became of an SMS, not yet in the store.  Of more than so many for one alert the rest is not kept: what is owed still goes out
 * again. */
#define ALERT_REPORTS_MAX (2 * RECORD_ASKED_MAX)
struct sms_report {
        uint32_t person; /* person_mark() of who was asked; 0: its handset */
        uint8_t what;    /* enum sms_state */
};

/* What is in flight to the store for one alert. */
enum flight { FLIGHT_NONE, FLIGHT_COMMIT, FLIGHT_LOOK };

struct open_alert {
        uint8_t id[ALERT_ID_SIZE];
        uint32_t version; /* of `record`; 0: there is none yet */
        uint32_t stored;  /* the version that the store has, as far as we know; below `version`: lost by it */
        uint32_t highest; /* ever seen: what we write is above */
        uint8_t state;
        uint32_t marks;
        uint8_t *record; /* encoded */
        size_t record_size;
        struct handset *handset; /* that it names; NULL before there is a record */
        char owner[PERSON_ID_MAX + 1];
        uint8_t asked_count;
        uint32_t asked[RECORD_ASKED_MAX]; /* person_mark() of those asked */

        enum flight flight;
        uint64_t token;
        uint32_t expected;   /* by the commit in flight; 0: a look */
        struct fact *flying; /* NULL: a deadline, or a record that is brought back */
        uint8_t *proposal;   /* the record in the commit */
        size_t proposal_size;
        uint8_t proposal_event;
        bool proposal_merged; /* what was done meanwhile is in it */
        uint32_t owes;        /* bit i: it owes the i-th asked an SMS, to be sent when it is there */
        bool owes_receipt;

        char owner_before[PERSON_ID_MAX +
                          1]; /* of the record that the commit is based on, who has it by SMS; "" nobody */

        struct record
                *meanwhile; /* as it will be: what was done while the store is away, see meanwhile.c; NULL nothing */
        bool in_late, control_told;
        struct open_alert *next_late;
        uint8_t report_count, reports_flying; /* flying: the first ones, in the commit under way */
        struct sms_report *reports;           /* ALERT_REPORTS_MAX; NULL none */
        int64_t sms_told_ms;                  /* last receipt by SMS for a copy */

        uint8_t queued;
        struct fact *queue[CORE_QUEUE_MAX]; /* as they came */
        uint8_t waiting_count;
        struct waiting waiting[ALERT_WAITING_MAX];
        struct wheel_timer due, kept;
        bool due_now, look, bring_back, loaded, in_ready;
        bool close_again; /* the store lost its closure */
        bool untold;      /* came by loading: those concerned are told step by step */
        bool unreadable;  /* the store's record is none that we can read: it waits for a newer feed entry */
        struct open_alert *next_ready;
};

/* Sessions of an alert port, see port.c. */
struct port_list {
        struct session *first, *last;
};

struct session {
        uint64_t id;
        enum core_certificate certificate;
        uint8_t fingerprint[SENDER_SIZE];
        struct handset *handset; /* by its certificate; NULL: none */
        struct person *person;   /* the supervisor it belongs to, once welcome */
        struct session *next_of_handset, *next_of_person, *next_work;
        bool welcome, in_work, doomed, owed_rings;
        uint16_t doom_code;
        unsigned malformed;
        struct bucket frames;
        bool owed_duty; /* DUTY_ANSWER to `duty_request`, when the feed says so */
        uint32_t duty_request;
        size_t rings_cursor;
        uint32_t rings_generation;
        struct port_list *spare; /* of an alert port: where it stands, since when; the press that it waits for */
        struct session *spare_before, *spare_next;
        int64_t spare_ms;
        uint8_t awaited[ALERT_ID_SIZE];
};

/* A commit or test press in flight, found by its token. */
struct flying {
        uint64_t token;
        uint8_t id[ALERT_ID_SIZE];
};

/* A test press under way: in the journal, then in the store. */
struct test {
        uint64_t token;
        uint8_t id[ALERT_ID_SIZE];
        uint16_t revision;
        struct waiting to;
        uint64_t number; /* of its APPEND */
        int64_t at_ms;
        bool asked;        /* of the store */
        struct test *next; /* in the list of those that wait for the journal */
};

/* An alert closed lately. */
struct closed_alert {
        uint8_t id[ALERT_ID_SIZE];
        struct tombstone tombstone;
        int64_t sms_told_ms; /* last receipt by SMS */
        struct closed_alert *newer;
};

struct standing_notice {
        char key[NAME_MAX_OCTETS + 1];
        struct notice notice;
        int64_t touched_ms; /* last published, or suppressed for: see supervision_step */
};

/* What is to be told of one carrier not heard. */
enum later { LATER_ASK, LATER_ASK_BY_SMS, LATER_END };
struct later_item {
        struct core_found found;
        enum later what;
};

/* Who may answer OK from a number: a carrier overdue. */
struct overdue {
        char number[NUMBER_MAX + 1];
        uint8_t handset[HANDSET_ID_SIZE];
};

/* What a scan found, and how far its telling is. */
struct scan {
        struct table groups;  /* of struct standing_notice, by key: carriers overdue */
        struct table overdue; /* of struct overdue, by number */
        size_t later_count, later_done;
        struct later_item *later; /* 2 * CORE_SCAN_MAX, from the first scan on */
        size_t publish_cursor, end_cursor;
        bool publishes, ends;
};

struct core {
        struct core_options options;
        char region[PERSON_ID_MAX + 1], name[PERSON_ID_MAX + 1], control_number[NUMBER_MAX + 1];
        char (*drill_ids)[PERSON_ID_MAX + 1];
        const char **drill_people;
        struct directory directory;
        struct alert_ground ground;
        int64_t now_ms, now_mono_ms;
        bool store_up, positions_up, disk_full;
        bool fenced, was_fenced; /* another epoch: nothing is committed until all is loaded anew; not yet told */
        int64_t store_away_ms;   /* since when */
        int64_t rest_ms;         /* nothing is asked of the store before: it gave no reply */
        uint32_t trust_number;
        uint8_t *trust;
        size_t trust_size;

        struct table sessions, alerts, flights, tests, closed, notices;
        struct closed_alert *closed_oldest, *closed_newest;
        struct senders strangers, proved;
        struct sender others;                  /* of whom no notice of their own tells */
        struct sender sms_failed, sms_unknown; /* counters of notices */
        struct senders texters;                /* whose texts could not be understood, or named no alert */
        struct bucket control_sms;             /* for unverified alerts */
        struct wheel wheel;                    /* in UTC ms */
        struct open_alert *ready, **ready_end;
        struct open_alert *late, **late_end;
        size_t meanwhile_count;
        struct session *work, **work_end;
        struct port_list port_quiet, port_waiting, port_received;
        struct fact *unsynced, **unsynced_end;
        struct test *untested, **untested_end;
        uint64_t appended, synced, tokens;
        uint32_t questions;
        uint32_t store_epoch; /* counts CORE_STORE up */
        bool tells_loaded;
        size_t loaded_cursor;
        uint32_t loaded_generation;
        bool retells_duty;
        size_t retell_cursor;
        struct scan scan;

        struct core_action actions[CORE_ACTIONS_MAX];
        size_t action_count, action_next;
        uint8_t octets[CORE_OCTETS_MAX];
        size_t octet_count;
        struct core_counters counters;
};

/* ---- core.c */

/* core_do: a new action of KIND at the end of the queue; there is room by the steps' bounds (assert). */
struct core_action *core_do(struct core *core, enum core_action_kind kind);

/* core_octets: room for SIZE octets that live as long as the actions (assert).  core_keep_octets: a copy there. */
uint8_t *core_octets(struct core *core, size_t size);
struct cbor_span core_keep_octets(struct core *core, const void *data, size_t size);

/* core_send: encode FRAME and send it to SESSION. */
void core_send(struct core *core, const struct session *session, const struct frame *frame);

/* core_append: give RECORD to the journal.  Returns its number; 0: the disk is full, and it goes without. */
uint64_t core_append(struct core *core, struct cbor_span record);

/* ---- hold.c */

/* hold_find, hold_need: the open alert with that id; made if there is none (NULL at the bound). */
struct open_alert *hold_find(const struct core *core, const uint8_t id[ALERT_ID_SIZE]);
struct open_alert *hold_need(struct core *core, const uint8_t id[ALERT_ID_SIZE]);

/* hold_claim: ALERT is of the handset HANDSET; MARKS (RECORD_DRILL, RECORD_UNVERIFIED) say in which way. */
void hold_claim(struct core *core, struct open_alert *alert, const uint8_t handset[HANDSET_ID_SIZE], uint32_t marks);

/* hold_record: read ALERT's record; all zero where there is none.  hold_meant: the same, or as it will be, where the store is away.
 * hold_is_there: there is one of the two. */
void hold_record(const struct open_alert *alert, struct record *ret_record);
void hold_meant(const struct open_alert *alert, struct record *ret_record);
bool hold_is_there(const struct open_alert *alert);

/* hold_set: RECORD, encoded as BYTES, is what the store has of ALERT, newer or (after a failover) older than what we had. */
void hold_set(struct core *core, struct open_alert *alert, const struct record *record, struct cbor_span bytes);

/* hold_load: the same at loading.  Actions have no place there: who is concerned is told by hold_step. */
void hold_load(struct core *core, struct open_alert *alert, const struct record *record, struct cbor_span bytes);

/* hold_step: tell some of what was loaded; false: all told. */
bool hold_step(struct core *core);

/* hold_look_at: at AT_MS at the latest, see whether ALERT waits for the store too long. */
void hold_look_at(struct core *core, struct open_alert *alert, int64_t at_ms);

/* hold_adopt: the same where it is newer, or closed: everyone concerned is told; of EVENT_SMS alone, those who wait.  EVENT 0: not
 * known.  ALERT may be gone afterwards. */
void hold_adopt(struct core *core, struct open_alert *alert, const struct record *record, struct cbor_span bytes,
                enum alert_event event);

/* hold_gone: ALERT is closed, as TOMBSTONE says; RECORD as closed, or NULL if that was not seen.  ALERT is gone afterwards. */
void hold_gone(struct core *core, struct open_alert *alert, const struct tombstone *tombstone,
               const struct record *record);

/* hold_drop: forget ALERT and its facts. */
void hold_drop(struct core *core, struct open_alert *alert);

/* hold_wait: a session is owed a receipt of ALERT with the next change.  hold_wait_move: those that wait for the press AS wait for
 * ALERT's now (NULL: no more), not for FROM's. */
void hold_wait(struct open_alert *alert, const struct waiting *waiting);
void hold_wait_move(struct open_alert *from, struct open_alert *alert, const uint8_t as[ALERT_ID_SIZE]);

/* hold_ids: what goes with RECORD when it is closed: its id, then those of its aliases that are not open alerts of their own (two
 * dispatchers may have raised two phones' presses apart).  Room for 1 + RECORD_ALIASES_MAX.  Returns how many. */
size_t hold_ids(const struct core *core, const struct record *record, uint8_t (*ret_ids)[ALERT_ID_SIZE]);

/* hold_remember: the alert of RECORD is closed, under each of its ids; hold_remember_id: one id.  hold_closed: what is remembered,
 * or NULL. */
void hold_remember(struct core *core, const struct record *record, const struct tombstone *tombstone);
void hold_remember_id(struct core *core, const uint8_t id[ALERT_ID_SIZE], const struct tombstone *tombstone);
const struct closed_alert *hold_closed(const struct core *core, const uint8_t id[ALERT_ID_SIZE]);

/* hold_close: RECORD is closed, as TOMBSTONE says: what we know of an alert that was closed where we did not see it. */
void hold_close(struct record *record, const struct tombstone *tombstone);

/* hold_tombstone: what stays of RECORD, which is closed. */
struct tombstone hold_tombstone(const struct record *record);

/* ---- flow.c */

/* flow_take_fact: FACT happens to ALERT: to the journal, then to the store.  Takes FACT in any case.
 * Returns 0, or -ENOBUFS: the queue is full of others that wait, and FACT is dropped. */
int flow_take_fact(struct core *core, struct open_alert *alert, struct fact *fact);

/* flow_queue: put FACT into ALERT's queue.  Returns 0 or, FACT untouched, -ENOBUFS. */
int flow_queue(struct core *core, struct open_alert *alert, struct fact *fact);

/* flow_apply: let FACT happen to RECORD, ALERT's or all zero; *ret_change is what happened, and (a command) who did it.
 * Returns what alert_apply does. */
struct flow_change {
        enum alert_event event;
        struct alert_actor actor;
};
int flow_apply(struct core *core, const struct open_alert *alert, const struct fact *fact, struct record *record,
               struct flow_change *ret_change);

/* flow_release: what FACT came by may be forgotten there: it is durable, or done with. */
void flow_release(struct core *core, struct fact *fact);

/* flow_find: the fact with that event id that ALERT has and that waits; NULL. */
struct fact *flow_find(const struct open_alert *alert, const uint8_t event_id[EVENT_ID_SIZE]);

/* flow_remove: take FACT, which stays the caller's, out of ALERT's queue. */
void flow_remove(struct core *core, struct open_alert *alert, struct fact *fact);

/* flow_disk_full: what waits for the journal may not find room there.  flow_disk_good: what went without is written down now.
 * flow_is_bare: say whether the presses that this process has of ALERT are in no journal. */
void flow_disk_full(struct core *core);
void flow_disk_good(struct core *core);
bool flow_is_bare(const struct open_alert *alert);

/* flow_write_down: FACT to the journal; or, the disk full, straight on.  flow_has_bare: say whether something of ALERT went without
 * it and is not in flight.  flow_write_down_later: that is written down now, and then told. */
void flow_write_down(struct core *core, struct fact *fact);
bool flow_has_bare(const struct open_alert *alert);
void flow_write_down_later(struct core *core, struct open_alert *alert);

/* flow_again: what this process committed of ALERT is to be offered once more. */
void flow_again(struct core *core, struct open_alert *alert);

/* flow_done: FACT is committed, or needs no commit.  flow_waits: say whether it waits for journal or store. */
void flow_done(struct core *core, struct fact *fact);
bool flow_waits(const struct fact *fact);

/* flow_ready: ALERT has something for the store.  flow_step: one of those that have; false: none can go on now. */
void flow_ready(struct core *core, struct open_alert *alert);
bool flow_step(struct core *core);

/* flow_synced: facts become ready, some at a time; false: none left. */
bool flow_synced(struct core *core);

/* ---- land.c */

/* land: the store's answer to what is in flight.  land_feed: an entry of the feed.  land_store: the store is up or away. */
void land(struct core *core, const struct core_event *event);
void land_feed(struct core *core, struct cbor_span record, enum alert_event event);
void land_store(struct core *core, bool up);

/* ---- tell.c */

/* tell_receipt: the receipt of RECORD to SESSION, which knows the alert as AS. */
void tell_receipt(struct core *core, const struct record *record, const struct waiting *to);

/* tell_what: what a receipt for the press AS says of RECORD. */
struct receipt tell_what(const struct core *core, const struct record *record, const uint8_t as[ALERT_ID_SIZE]);

/* tell_proved: a test press, revision REVISION, is in journal and store. */
void tell_proved(struct core *core, uint16_t revision, const struct waiting *to);

/* tell_closed: the receipt of a closed alert. */
void tell_closed(struct core *core, const struct tombstone *tombstone, const struct waiting *to);

/* tell_alert: RECORD is news of ALERT: receipts to its handset's sessions and those that wait, rings to who is asked. */
void tell_alert(struct core *core, struct open_alert *alert, const struct record *record);

/* tell_handset: receipts of RECORD to its handset's sessions and those that wait. */
void tell_handset(struct core *core, struct open_alert *alert, const struct record *record);

/* tell_waiting: those who wait for a receipt of ALERT get that of RECORD. */
void tell_waiting(struct core *core, struct open_alert *alert, const struct record *record);

/* tell_kept: ALERT waits for the store: receipts say so. */
void tell_kept(struct core *core, struct open_alert *alert);

/* tell_who_is_asked: RECORD rings with those who are asked, and who has it. */
void tell_who_is_asked(struct core *core, const struct record *record);

/* tell_rings: some of the alerts that ask SESSION's person; false: that were all. */
bool tell_rings(struct core *core, struct session *session);

/* person_mark: 32 bits to find a person by in `asked`; what matches is looked at again. */
uint32_t person_mark(const char *id);

/* ---- meanwhile.c */

/* meanwhile_late: ALERT waits for the store for too long, or the ladder of its record of meanwhile is due: a step looks at it.
 * meanwhile_step: that step; false: none. */
void meanwhile_late(struct core *core, struct open_alert *alert);
bool meanwhile_step(struct core *core);

/* meanwhile_away: the store went away: the alerts that this process holds a press of are looked at when that is too long. */
void meanwhile_away(struct core *core);

/* meanwhile_merge: put into RECORD, the store's, who was asked meanwhile, and how far the ladder is.  Returns whether it changed.
*/
bool meanwhile_merge(const struct open_alert *alert, struct record *record);

/* meanwhile_hear: CLOSED, as it is told, names those who were rung meanwhile too. */
void meanwhile_hear(const struct open_alert *alert, struct record *closed);

/* meanwhile_end: that is in the store. */
void meanwhile_end(struct core *core, struct open_alert *alert);

/* ---- sms_in.c */

void sms_object_came(struct core *core, const struct core_event *event);
void sms_text_came(struct core *core, const struct core_event *event);
void sms_reported(struct core *core, const struct core_event *event);

/* sms_collect: the reports on ALERT by their places in RECORD.  sms_landed: those collected are in the store, or (false) are not. */
struct alert_sms sms_collect(struct open_alert *alert, const struct record *record);
void sms_landed(struct open_alert *alert, bool landed);

/* sms_taken: what came by SMS with REF is durable, or needs nothing more. */
void sms_taken(struct core *core, uint64_t ref);

/* ---- sms_out.c */

/* sms_say: a text of KIND for the number TO about SMS ABOUT; the caller fills the rest in.  Never NULL. */
struct sms_say *sms_say_to(struct core *core, const char *to, uint8_t kind, const struct sms_ref *about);

/* sms_answer: the answer CODE to what was asked by SMS; RECORD may be NULL. */
struct sms_asker {
        const char *number, *person;
        uint8_t verb; /* enum command_verb */
};
void sms_answer(struct core *core, const struct sms_asker *asker, uint8_t code, const struct record *record);

/* sms_receipt: RECEIPT to the number TO; WHAT is an enum sms_what. */
void sms_receipt(struct core *core, const char *to, const struct receipt *receipt, uint8_t what);

/* sms_owed: what RECORD, committed just now, owes since then; and what an owner by SMS is to hear of it. */
void sms_owed(struct core *core, const struct open_alert *alert, const struct record *record);

/* sms_ask: the SMS that asks ASKED, a line of RECORD. */
void sms_ask(struct core *core, const struct record *record, const struct asked *asked);

/* sms_is_owed: say whether who committed RECORD sends its receipt to the number TO. */
bool sms_is_owed(const struct core *core, const struct record *record, const char *to);

/* sms_number: the number that RECORD's handset is enrolled with; "" none, or not proved. */
const char *sms_number(const struct core *core, const struct record *record);

/* ---- offer.c */

/* Who brings an alert object. */
struct offerer {
        struct session *session; /* NULL: it came by SMS */
        uint64_t stamp;
        const char *number;
        uint8_t sender[SENDER_SIZE];
        uint64_t ref;
};

/* offer_alert: BYTES came as an alert object. */
void offer_alert(struct core *core, const struct offerer *from, struct cbor_span bytes);

/* offer_route: the open alert that a press of HANDSET with an id of its own is a further press of; NULL: a new one. */
struct open_alert *offer_route(const struct handset *handset, bool drill);

/* offer_synced: test presses that the journal has, some at a time; false: none left.  offer_proved: the store's answer, if it is
 * to a test press.  offer_drop_tests: the store is away: nothing is proved, and the handsets try again. */
bool offer_synced(struct core *core);
bool offer_proved(struct core *core, const struct core_event *event);
void offer_drop_tests(struct core *core);

/* ---- right.c */

/* right_command: COMMAND came by the stream (REF), by a session (REQUEST) or by SMS (NUMBER and REF). */
struct asking {
        uint8_t path; /* enum answer_path: BY_CONSOLE the stream */
        struct session *session;
        uint32_t request;
        const char *number;
        uint64_t ref;
};
void right_command(struct core *core, const struct command *command, const struct asking *asking);

/* right_actor: who asks the COMMAND of FACT.  Returns 0 or an answer code, negative. */
int right_actor(const struct core *core, const struct command *command, const struct fact *fact,
                struct alert_actor *ret_actor);

/* right_answer: answer the command in FACT; RECORD may be NULL. */
void right_answer(struct core *core, const struct fact *fact, uint8_t code, const struct record *record);

/* ---- session.c */

void session_opened(struct core *core, const struct core_event *event);
void session_frame(struct core *core, const struct core_event *event);
void session_closed(struct core *core, uint64_t id);
struct session *session_find(const struct core *core, uint64_t id);

/* session_doom: close SESSION with CODE at the next step.  session_work: give SESSION a step.  session_step: one of those. */
void session_doom(struct core *core, struct session *session, uint16_t code);
void session_work(struct core *core, struct session *session);
bool session_step(struct core *core);

/* session_is_allowed: more than alert objects: its handset is enrolled and not revoked, its certificate good. */
bool session_is_allowed(const struct session *session);

/* session_refuse: FRAME_ERROR. */
void session_refuse(struct core *core, const struct session *session, uint8_t code, const char *text);

/* ---- port.c: nothing happens where this is no alert port */

/* port_came, port_left: SESSION begins, ends.  port_offered: BY brought an alert that is raised, or known.  port_told: TO gets a receipt
 * of STATE. */
void port_came(struct core *core, struct session *session);
void port_left(struct core *core, struct session *session);
void port_offered(struct core *core, const struct waiting *by);
void port_told(struct core *core, const struct waiting *to, uint8_t state);

/* port_make_room: close a session that can be spared; false: none. */
bool port_make_room(struct core *core);

/* port_tick: those end that were there long enough.  port_due_ms: when the next one does; INT64_MAX: none. */
void port_tick(struct core *core);
int64_t port_due_ms(const struct core *core);

/* ---- duty.c */

void duty_frame(struct core *core, struct session *session, const struct frame *frame);
void duty_heartbeat(struct core *core, struct session *session, const struct frame *frame);
void duty_presence(struct core *core, struct session *session, const struct frame *frame);
void duty_heard(struct core *core, struct handset *handset);
void duty_find(struct core *core, struct handset *handset);
void duty_found(struct core *core, const struct core_found *found);
/* duty_fed: a supervisor's duty, by feed or loading.  duty_answer: SESSION is told so, in a step. */
void duty_fed(struct core *core, const char *person, const struct duty_entry *duty);
void duty_answer(struct core *core, struct session *session);
/* duty_ask: PERSON goes on (ENTRY) or off (NULL) duty, when the store says so. */
void duty_ask(struct core *core, struct person *person, const struct duty_entry *entry);
/* duty_retell: begin to look at all supervisors: whose change of duty the store has missed, whose duty is over by the clock.
 * duty_step: some of them; false: all done. */
void duty_retell(struct core *core);
bool duty_step(struct core *core);
/* duty_forget_asked: the positions' Redis was away: what it was asked it did not hear. */
void duty_forget_asked(struct core *core);

/* ---- supervision.c */

void supervision_scan(struct core *core, const struct core_event *event);
bool supervision_step(struct core *core);
/* supervision_fine: somebody answered OK from the number FROM.  Returns whether an overdue carrier has it. */
bool supervision_fine(struct core *core, const char *from);

/* ---- notice.c */

/* notice_fed: what the feed or the store says of the notice KEY. */
void notice_fed(struct core *core, const char *key, const struct notice *notice);
/* notice_publish: the notice KEY is now NOTICE (NULL: over), if that is news. */
void notice_publish(struct core *core, const char *key, const struct notice *notice);
/* notice_ack: ACTOR has read the notice.  Returns 0 or an answer code, negative. */
int notice_ack(struct core *core, const char *key, const struct alert_actor *actor);
/* notice_suppressed: an unverified alert of SENDER was kept back. */
void notice_suppressed(struct core *core, struct sender *sender);
/* notice_technical: a standing fact of this process begins or is over.  notice_counted: one more of what COUNTER counts; it is over
 * when there were none for a while. */
void notice_technical(struct core *core, const char *cause, bool on);
void notice_counted(struct core *core, struct sender *counter, const char *cause);
/* notice_store_up: what could not be told while the store was away. */
void notice_store_up(struct core *core);
/* notice_has_ended: say whether one that counts, or of duress that somebody has read, is over. */
bool notice_has_ended(const struct core *core, const struct standing_notice *standing);
/* notice_brings: say whether PRESS, a copy of what was closed, says "a mistake" or duress first: TOMBSTONE has it not. */
bool notice_brings(const struct alert_press *press, const struct tombstone *tombstone);
/* notice_late: FACT, if a verified press, is about what was closed: duress that TOMBSTONE has not rings; it gets the mark. */
void notice_late(struct core *core, const struct fact *fact, struct tombstone *tombstone);
/* notice_key: KIND and NAME, cut to fit. */
void notice_key(char key[NAME_MAX_OCTETS + 1], const char *kind, const char *name);

#endif
