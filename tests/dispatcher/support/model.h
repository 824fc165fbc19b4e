/* A model of what is around the core: clock, journals, store, feed, positions, sessions - in memory, one thread, no real time.
 * Every action of every core is done here in order; what it answers waits in one queue of mail.  Signatures are a cheap
 * stand-in that real verification is not needed for. */
#ifndef TESTS_DISPATCHER_MODEL_H
#define TESTS_DISPATCHER_MODEL_H

#include "dispatcher/core.h"

#define MODEL_DISPATCHERS 3
#define MODEL_SESSIONS    2048
#define MODEL_NOW_MS      INT64_C(1800000000000)

struct model_bytes {
        uint8_t *at;
        size_t len;
};

/* One alert of the store. */
struct model_alert {
        uint8_t id[ALERT_ID_SIZE];
        uint32_t version;
        int64_t due_ms;
        double urgency;
        bool closed;
        struct model_bytes record, signed_alert;
};

struct model_entry { /* of the feed */
        int kind;    /* CORE_FEED_ALERT, _NOTICE, _DUTY */
        uint8_t event;
        struct model_bytes record;
        char key[NAME_MAX_OCTETS + 1];
        bool on;
        struct notice notice;
        struct duty_entry duty;
};

/* What a session got, newest last. */
struct model_session {
        unsigned dispatcher;
        bool open;
        uint16_t closed_code;
        size_t receipt_count, frame_count, ring_count;
        struct receipt receipts[64]; /* the first ones */
        struct receipt receipt;      /* the last one */
        uint64_t stamp;              /* of the last one */
        struct frame frame;          /* the last one that is no ring; spans in `bytes` */
        uint8_t frames[64];          /* types of the first ones */
        uint8_t ring;
        struct record rung, rung_closed; /* of the last ring; of the last that said closed */
        uint8_t bytes[FRAME_REGION_MAX];
};

/* An SMS that a core asked for, as it stood in the action. */
struct model_sms {
        enum core_action_kind kind; /* DO_SMS_RECEIPT, DO_SMS_SAY */
        unsigned dispatcher;
        char to[NUMBER_MAX + 1];
        struct receipt receipt;
        struct sms_say say;
        struct sms_ref about;
};

struct model_answer {
        uint8_t command[EVENT_ID_SIZE];
        uint8_t code;
        char who[NAME_MAX_OCTETS + 1];
};

struct model_dispatcher {
        struct core *core; /* NULL: dead */
        unsigned run;
        size_t journal_count;
        struct model_bytes journal[8192]; /* synced */
        size_t unsynced_count;
        struct model_bytes unsynced[8192];
        uint64_t numbered; /* of this run's APPENDs */
        size_t fed;        /* of the feed */
        bool cut_off;      /* its link to the store is down, see model_store_of */
};

struct model {
        int64_t now_ms;
        struct core_options options;
        struct zones *zones;
        unsigned count; /* dispatchers */
        struct model_dispatcher dispatchers[MODEL_DISPATCHERS];
        bool store_up, positions_up, disk_good;
        bool hold_sync;     /* the journals take their time */
        bool hold_commits;  /* the store takes its time */
        bool feed_first;    /* the feed is faster than the store's answers */
        bool lose_replies;  /* the store does it, and says nothing */
        bool refuses_notices; /* the store does not do it */
        bool asker_is_dead; /* the store does it, and the answer finds nobody */
        size_t alert_count, feed_count, answer_count, session_count, notice_actions, commits, appends;
        size_t presence_actions, carrier_duty_actions, heard_actions, acknowledged, tests, looks;
        unsigned pass_actions; /* what is about vaults, orders and timers, and the last of it; its spans are gone */
        struct core_action pass_action;
        uint8_t gateway; /* what it reports of an SMS: SMS_HANDED; SMS_FAILED; SMS_NONE: nothing */
        size_t sms_count, sms_sent, sms_taken;
        struct model_sms sms[4096]; /* the first ones */
        uint64_t sms_ref;           /* of the last SMS_TAKEN */
        bool taken[65536];          /* by ref, where it is less than that */
        struct model_alert alerts[8192];
        struct {
                uint8_t id[ALERT_ID_SIZE];
                struct tombstone tombstone;
        } tombstones[8192];
        size_t tombstone_count;
        struct model_entry feed[16384];
        struct model_answer answers[1024];
        struct model_session sessions[MODEL_SESSIONS]; /* session id - 1 */
        struct core_found carriers[1024];
        size_t carrier_count;
        struct { /* what the directory is */
                uint8_t id[HANDSET_ID_SIZE];
                struct handset_entry entry;
        } handsets[5120];
        size_t handset_count;
        struct {
                char id[PERSON_ID_MAX + 1];
                struct supervisor_entry entry;
        } people[256];
        size_t people_count;
        struct {
                char login[PERSON_ID_MAX + 1];
                struct user_entry entry;
        } users[256];
        size_t user_count;
        struct {
                char id[PERSON_ID_MAX + 1];
                struct carrier_entry entry;
        } carrier_names[256];
        size_t carrier_name_count;
        struct {
                char id[PERSON_ID_MAX + 1];
                struct round_entry entry;
        } rounds[64];
        size_t round_count;
        struct {
                char id[PERSON_ID_MAX + 1];
                bool on;
                struct duty_entry duty;
                struct presence presence;
        } duty[256];
        size_t duty_count;
        size_t kill_at; /* dispatcher 0 dies before doing this action of it, counted from 1; 0 never */
        size_t actions; /* done by dispatcher 0 */
        struct model_mail *mail, **mail_end, *held;
};

/* model_new: COUNT dispatchers, store and positions up; ZONES GeoJSON text or NULL.  Nobody known. */
struct model *model_new(unsigned count, const char *zones);
/* model_begin: start the dispatchers with OPTIONS as they stand in the model (model->options may be changed before). */
void model_begin(struct model *model);
void model_free(struct model *model);

/* model_region: a small region that has begun: Carl's handset 1, handset 2 shared; Anna (handset 11) and, of two SUPERVISORS, Bob (12)
 * on duty near the press of model_alert_default.  model_counters: of that dispatcher. */
struct model *model_region(unsigned dispatchers, unsigned supervisors);
const struct core_counters *model_counters(const struct model *model, unsigned dispatcher);

/* Who there is; before or after model_begin. */
void model_put_handset(struct model *model, unsigned number, const struct handset_entry *entry);
void model_enrol(struct model *model, unsigned number, uint8_t role, const char *person);
void model_put_supervisor(struct model *model, const char *id, const char *team, bool manager);
void model_put_carrier(struct model *model, const char *id);
void model_put_user(struct model *model, const char *login, uint8_t role);
void model_put_round(struct model *model, const char *id, const char *zone);
void model_handset_id(unsigned number, uint8_t ret_id[HANDSET_ID_SIZE]);

/* model_on_duty: supervisor ID goes on duty at this place and is heard; model_hear: heard again. */
void model_on_duty(struct model *model, const char *id, double lat_deg, double lon_deg);
void model_hear(struct model *model, const char *id);

/* Sessions: returns the session's number.  model_connect opens it; model_login says hello as well. */
uint64_t model_connect(struct model *model, unsigned dispatcher, unsigned handset, enum core_certificate certificate);
uint64_t model_login(struct model *model, unsigned dispatcher, unsigned handset);
void model_close(struct model *model, uint64_t session);
void model_send(struct model *model, uint64_t session, const struct frame *frame);
void model_send_bytes(struct model *model, uint64_t session, struct cbor_span bytes);
struct model_session *model_session(struct model *model, uint64_t session);

/* An alert object: model_alert_default fills one as a handset would press with NONCE; model_sign makes the object (returns its
 * length), model_sign_payload the same from any payload; model_press sends it. */
struct alert model_alert_default(const struct model *model, uint64_t nonce);
size_t model_sign_payload(struct cbor_span payload, unsigned handset, uint8_t to[ALERT_MAX]);
size_t model_sign(const struct alert *alert, unsigned handset, uint8_t to[ALERT_MAX]);
void model_press(struct model *model, uint64_t session, unsigned handset, const struct alert *alert);
void model_alert_id(unsigned handset, uint64_t nonce, uint8_t ret_id[ALERT_ID_SIZE]);

/* Commands.  model_order: by a console's login; returns the answer code or -1 where there is none (the feed says it).
 * model_ask: by a supervisor's handset session; the answer is in its frame. */
struct command model_command(uint8_t verb, const uint8_t id[ALERT_ID_SIZE]);
int model_order(struct model *model, unsigned dispatcher, const char *login, const struct command *command);
int model_ask(struct model *model, uint64_t session, const struct command *command);

/* SMS.  model_number, model_person_number: of a handset's SIM, of a supervisor.  model_sms_bytes, model_sms_press, model_sms_text: one
 * comes to a dispatcher; they return whether it was taken.  model_said: how many texts of KIND (0: all) went to the number TO (NULL:
 * any); model_last_said: the last of them, or NULL.  model_sms_receipts, model_last_receipt: the same of receipts. */
void model_number(unsigned handset, char ret_number[NUMBER_MAX + 1]);
void model_person_number(const struct model *model, const char *person, char ret_number[NUMBER_MAX + 1]);
bool model_sms_bytes(struct model *model, unsigned dispatcher, const char *from, struct cbor_span bytes);
bool model_sms_press(struct model *model, unsigned dispatcher, const char *from, unsigned handset,
                     const struct alert *alert);
bool model_sms_text(struct model *model, unsigned dispatcher, const char *from, const char *text);
void model_sms_event(struct model *model, unsigned dispatcher, struct core_event *event);
void model_sms_report(struct model *model, unsigned dispatcher, const struct sms_ref *about, uint8_t what);
size_t model_said(const struct model *model, uint8_t kind, const char *to);
const struct model_sms *model_last_said(const struct model *model, uint8_t kind, const char *to);
size_t model_sms_receipts(const struct model *model, const char *to);
const struct model_sms *model_last_receipt(const struct model *model, const char *to);

/* Time and faults. */
void model_pump(struct model *model);             /* until nothing is left to do */
void model_pass(struct model *model, int64_t ms); /* time passes, in ticks */
void model_sync(struct model *model);             /* what hold_sync held */
void model_release(struct model *model);          /* what hold_commits held */
void model_store(struct model *model, bool up);
/* model_store_of: the same for one dispatcher alone: its link to the store. */
void model_store_of(struct model *model, unsigned dispatcher, bool up);
/* model_lose: a failover loses what became of the alert ID after the feed's entry ENTRY, which is one of it; -1: all of it. */
void model_lose(struct model *model, const uint8_t id[ALERT_ID_SIZE], int entry);
void model_positions(struct model *model, bool up);
void model_disk(struct model *model, bool good);
void model_kill(struct model *model, unsigned dispatcher);  /* with what was not synced; its sessions close */
void model_start(struct model *model, unsigned dispatcher); /* loads, replays, listens */
void model_scan(struct model *model);
void model_scan_at(struct model *model, unsigned dispatcher);
void model_event(struct model *model, unsigned dispatcher, struct core_event *event);

/* What the store has: the alert ID, its record (all zero if none); whether it is closed. */
struct model_alert *model_stored(struct model *model, const uint8_t id[ALERT_ID_SIZE]);
struct record model_record(struct model *model, const uint8_t id[ALERT_ID_SIZE]);
const struct tombstone *model_tombstone(struct model *model, const uint8_t id[ALERT_ID_SIZE]);
size_t model_open(const struct model *model);
const struct notice *model_notice(const struct model *model, const char *key); /* NULL: over or never */

#endif
