/* The simulator: a whole region in one thread, in virtual time, every fault from a seed (DESIGN section 11).
 *
 *      plan.c     what a seed draws, or a tape says: rates, then orders (who does or suffers what, when)
 *      sched.c    events in order of time, chance, the hash of all that was decided
 *      process*.c a dispatcher: the core of the daemon, its sessions, its journal      store.c   the alerts' Redis, twice
 *      phone.c    a handset: libvigie-handset, its journal, key, modem                 net.c     sockets between the two
 *      people.c   carriers, supervisors, the control room                              sms.c     the SMS centre
 *      disk.c     a disk that forgets, under the journal's own format                  check.c   what must hold
 *      trace.c    what the store was asked, to be asked of a real one
 *      chart.c    a failing run drawn                                                  shrink.c  and made small
 *
 * The cores are the very objects of the daemons.  The same plan gives the same run, octet for octet, on any compiler. */
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include <stdio.h>

#include "device/handset/vigie.h"
#include "dispatcher/core.h"
#include "tests/sim/disk.h"
#include "tests/sim/plan.h"
#include "tests/sim/store.h"

#define SIM_CARRIERS    4  /* the first phones */
#define SIM_SUPERVISORS 8  /* the next; the last of them is a manager */
#define SIM_PHONES      20 /* the others are carriers too, as many as the plan has: phone_count */
#define SIM_PROCESSES   4  /* two, and two of the alert port where the plan has them: process_count */
#define SIM_ORDINARY    2
#define SIM_ADDRESSES   3      /* of the region, as a phone knows them; the last is the alert port */
#define SIM_OVERDUE_MS  150000 /* a sixth of what it is, so that silence fits into a run */
#define SIM_QUESTION_MS 30000
#define SIM_START_MS    INT64_C(1800000000000)
#define SIM_CONNS_MAX   65536
#define SIM_KNOWN_MAX   8192
#define SIM_PRESSES_MAX 8192
#define SIM_SMS_MAX     65536

/* What a run is to come across now and then; over many seeds each must be seen. */
enum sim_mark {
        MARK_RECEIVED,
        MARK_TAKEN_BY_TWO,
        MARK_FAILOVER_LOST_COMMIT,
        MARK_STALE_PRIMARY_WROTE,
        MARK_COMMIT_REPLY_LOST,
        MARK_CONFLICT,
        MARK_TOMBSTONE_ANSWERED,
        MARK_TORN_TAIL,
        MARK_PHONE_DIED_IN_ACTIONS,
        MARK_PROCESS_DIED_IN_ACTIONS,
        MARK_SYNC_FAILED,
        MARK_DISK_FULL,
        MARK_KEPT_SHOWN,
        MARK_EXHAUSTED,
        MARK_ALIAS,
        MARK_PRESSED_AGAIN,
        MARK_UNSIGNED,
        MARK_RESTORED_PHONE_PRESSED,
        MARK_HALF_OPEN,
        MARK_ALERT_PORT,
        MARK_FENCED,
        MARK_SMS_RECEIVED,
        MARK_SMS_BEAT_SOCKET,
        MARK_OVERDUE,
        MARK_DURESS,
        MARK_CLOSED_SHOWN,
        MARK_TOUCH_CUT,
        MARK_COMPACTED,
        MARK_RAISED_TWICE,
        MARK_BROUGHT_BACK,
        MARK_QUEUE_FULL,
        MARK_WAITED,
        MARK_NO_REPLICA,
        MARK_DRAINED,
        MARK_SPARED,
        MARK_COPIED,
        MARK_MAN_DOWN,
        MARK_NOT_CHECKED_IN,
        MARK_STRANGER_RAISED,
        MARK_LIMITED,
        MARK_END
};

struct sim;

/* What the region thinks of a handset. */
enum standing { STANDING_GOOD, STANDING_REVOKED, STANDING_EXPIRED, STANDING_UNKNOWN, STANDING_END };

/* Something that will happen.  OCTETS are the event's. */
struct happening {
        int64_t at_ms;
        uint64_t order; /* of two at one time, the one that was put first */
        void (*fn)(struct sim *sim, struct happening *it);
        unsigned who;
        uint64_t a, b;
        uint8_t *octets;
        size_t len;
};

struct conn {
        unsigned phone, process, run; /* run: of the phone */
        uint8_t address;
        bool phone_open, process_open; /* each end thinks so */
        bool half_open;                /* nothing passes any more, and nobody is told */
        int64_t last_ms[2];            /* what was sent before arrives before: to the process, to the phone */
        int64_t held_ms[2];            /* and nothing before this: what stands in front was put off */
        int64_t heard_ms;              /* by the process */
};

struct phone {
        char person[16];
        uint8_t id[HANDSET_ID_SIZE];
        unsigned of; /* whose handset it is: its own number, or of whom it is a copy; SIM_PHONES: nobody's yet */
        bool supervisor, alive, has_modem, was_restored;
        enum standing standing;
        bool was_stranger, was_unknown; /* it was not good, once; not known */
        unsigned run;
        struct vigie *vigie;
        struct vigie_options options;
        struct vigie_status status;
        struct disk disk, backup;
        bool has_backup;
        int64_t skew_ms, booted_ms, timer_ms; /* timer_ms: true time of the tick */
        uint64_t timer_order;
        int conns[SIM_ADDRESSES]; /* -1 none */
        bool network, out_cut, in_cut, gps, signs, modem;
        int64_t drip_ms, disk_ms, asleep_until_ms;
        int64_t arrived_ms; /* when something of it came to a dispatcher last: by SMS, or off a line that it had given up */
        bool disk_full, fsync_fails, journal_bad, syncing;
        long kill_in; /* dies before the so many-th action from now; 0 not */
        bool kill_power;
        uint64_t syncs;
        size_t base; /* entries that were there before those below */
        uint32_t seqs[4096];
        size_t appended; /* seqs: journal entry -> seq of the append */
        uint32_t last_seq;
        uint32_t modem_ticket;
        uint64_t chance; /* of its random octets */
        double lat_deg, lon_deg;
        int battery;
        uint8_t shown[ALERT_ID_SIZE], shown_word; /* the alert on the page, and the furthest that was said of it */
        bool shown_closed;
        unsigned wrong_s; /* it believes to have what it has not */
};

/* Commands and rings of one person for one alert. */
struct habit {
        uint8_t alert[ALERT_ID_SIZE];
        unsigned stage;
        unsigned before; /* of the same person: index + 1, 0 none */
};

struct process {
        struct core *core; /* NULL: dead */
        unsigned run;
        struct disk disk;
        bool serving, replayed, draining;
        int64_t began_ms, tick_ms; /* ticks come each CORE_TICK_MS from the beginning on; tick_ms: of the next */
        int64_t paused_until_ms, disk_ms;
        int64_t asks_ms, answers_ms; /* when the last question arrives at the store, the last answer here */
        bool disk_full, disk_away, fsync_fails, syncing, slow; /* slow: the sync under way */
        uint64_t syncs;                                        /* begun, in all its runs */
        uint64_t refused;                                      /* APPEND that found no room */
        size_t base;                                           /* entries that were there before those below */
        struct {
                uint64_t number; /* the core's */
                uint8_t *octets;
                size_t len;
        } appended[4096];
        size_t appended_count, appended_durable;
        uint64_t durable_number; /* of the last durable one, in this run */
        long kill_in;
        bool kill_power;
        int store;          /* which of the two Redis it talks to; -1: none */
        unsigned store_run; /* counts connections */
        bool store_up, feeding;
        uint8_t standings[SIM_PHONES]; /* as it was told last; what its snapshot says at a start */
        int64_t up_since_ms, epoch;    /* epoch: as read at the connection */
        size_t fed;
        uint64_t flights[512];
        size_t flight_count;
        char name[8];
};

/* What an observer outside knows of one alert id. */
struct known {
        uint8_t id[ALERT_ID_SIZE];
        unsigned phone;
        int64_t first_ms; /* first handed to the network */
        bool journaled;   /* its press is durable with a dispatcher */
        bool is_written;  /* it was found in the journal of `written_by`, rewritten so often: `written_since` */
        unsigned written_by, written_since;
        bool unwritten;      /* no phone's journal took it: it goes with the phone */
        unsigned journals;   /* with which: bit i */
        bool committed;      /* in some store, once */
        bool unjournaled_ok; /* a dispatcher had a full disk: it may go without */
        bool told_received, told_closed, by_sms, by_data, is_drill, is_test, unsigned_;
        bool stranger;       /* its phone's standing was not good, once */
        bool pressed_by_bad; /* it was not when this was first sent, and all dispatchers knew */
        uint32_t told_version;
        unsigned closed_runs[SIM_PROCESSES]; /* who ran when it was first told closed: run + 1 */
        unsigned closed_failovers;           /* that there had been when that was committed last, before */
        struct {
                uint32_t version;
                uint16_t revision; /* of this id's press */
                uint8_t state, store;
                char who[RECEIPT_WHO_MAX + 1];
        } versions[256];
        uint16_t highest[2]; /* revision that came to a dispatcher; from its phone, from a copy of that */
        struct {
                uint32_t version; /* the highest of a receipt that its phone said to have; */
                unsigned run;     /* to a dispatcher in this run, + 1; 0: to none */
        } held[SIM_PROCESSES];
        size_t version_count;
        unsigned safe;      /* seen in the store in this generation of it, + 1 */
        int64_t text_ms;    /* when the last SMS of it came that is to be answered; 0: the last was */
        unsigned text_to;   /* to this dispatcher */
        int64_t answer_ms;  /* when one went back, last; 0 never */
        int64_t crowded_ms; /* a dispatcher held as many facts of it as it may, last */
        int64_t missed_ms;  /* told received, and not in the store since; 0: it is */
};

struct press {
        unsigned phone;
        int64_t at_ms;
        uint8_t id[ALERT_ID_SIZE];
        bool durable, drill, has_id, excused; /* excused: the phone was set back to before it */
        size_t entries;                       /* durable once the journal has so many */
};

struct chart;
struct checks; /* check.h */

struct sim {
        const struct plan *plan;
        int64_t now_ms; /* true time */
        uint64_t orders;
        struct happening *heap;
        size_t heap_count, heap_room;
        uint64_t hash, happened;
        uint64_t chance; /* for what belongs to nobody */
        unsigned phone_count, process_count;
        struct phone phones[SIM_PHONES];
        struct process processes[SIM_PROCESSES];
        struct region_store store;
        struct conn *conns;
        size_t conn_count;
        struct ids known_ids;
        struct known known[SIM_KNOWN_MAX];
        size_t known_count;
        struct press presses[SIM_PRESSES_MAX];
        size_t press_count;
        struct habit habits[8192];
        size_t habit_count;
        unsigned newest_habit[SIM_PHONES];  /* index + 1, 0 none */
        struct core_found duty[SIM_PHONES]; /* positions' Redis: carriers on duty */
        size_t duty_count;
        struct presence presence[SIM_SUPERVISORS];
        bool positions_up, failing_over;
        struct zones *zones;
        struct vigie_actions *actions;
        bool calm; /* no more faults */
        int64_t calm_ms, healthy_ms;
        unsigned failovers;
        struct {
                char carrier[PERSON_ID_MAX + 1];
                int64_t heard_ms;
        } silences[256];
        size_t silence_count;
        uint64_t marks[MARK_END];
        uint64_t alerts, sms_count, commands;
        bool sms_taken[SIM_SMS_MAX]; /* by a dispatcher, by number */
        char failed[160];            /* "" not */
        char failure[24];            /* which invariant, a stable word */
        struct chart *chart;         /* NULL: not drawn */
        FILE *trace;                 /* NULL: none */
        struct checks *checks;
        uint8_t trust[TRUST_MAX];
        size_t trust_len;
};

/* sim_is_enrolled: PHONE is a handset of its own, no copy. */
static inline bool sim_is_enrolled(const struct sim *sim, unsigned phone)
{
        return phone < sim->phone_count && sim->phones[phone].of == phone;
}

static inline bool sim_is_supervisor(unsigned phone)
{
        return phone >= SIM_CARRIERS && phone < SIM_CARRIERS + SIM_SUPERVISORS;
}

/* ---- sched.c */

/* sim_at: FN happens in MS.  Returns it, to be filled in; good until the next sim_at. */
struct happening *sim_at(struct sim *sim, int64_t ms, void (*fn)(struct sim *, struct happening *), unsigned who);

/* sim_put_off: what is just happening happens MS later instead, in its place among what happens then; its octets go along. */
void sim_put_off(struct sim *sim, struct happening *it, int64_t ms);

/* sim_at_first: the same, before all else of that time; of several the lowest WHO. */
struct happening *sim_at_first(struct sim *sim, int64_t ms, void (*fn)(struct sim *, struct happening *), unsigned who);

/* sim_octets: give IT a copy of DATA. */
void sim_octets(struct happening *it, const void *data, size_t len);

/* sim_step: the next happening.  False: none is left. */
bool sim_step(struct sim *sim);

/* sim_chance: the next of the stream STATE.  sim_below: 0..LIMIT - 1.  sim_permille: true N times in a thousand. */
uint64_t sim_chance(uint64_t *state);
uint64_t sim_below(uint64_t *state, uint64_t limit);
bool sim_permille(uint64_t *state, unsigned n);
/* sim_between: FROM..TO. */
int64_t sim_between(uint64_t *state, int64_t from, int64_t to);

/* sim_note: DATA was decided by WHO. */
void sim_note(struct sim *sim, unsigned who, unsigned what, const void *data, size_t len);

/* sim_fail: the invariant WHICH does not hold; the first one counts. */
void sim_fail(struct sim *sim, const char *which, const char *format, ...) __attribute__((format(printf, 3, 4)));

void sim_mark(struct sim *sim, enum sim_mark mark);
const char *sim_mark_name(enum sim_mark mark);

/* ---- run.c */

/* sim_run: the whole of PLAN.  CHART NULL or where to draw.  Returns the run, to be freed. */
struct sim *sim_run(const struct plan *plan, struct chart *chart);
void sim_free(struct sim *sim);

/* ---- phone.c */

const char *phone_name(unsigned number);
void phone_begin(struct sim *sim, unsigned number);
void phone_start(struct sim *sim, unsigned number);
void phone_stop(struct sim *sim, unsigned number, bool power); /* power: what was not synced is lost, torn or kept */
void phone_tell(struct sim *sim, unsigned number, struct vigie_event *event);
void phone_press(struct sim *sim, unsigned number, uint8_t how, uint8_t press);
void phone_compact(struct sim *sim, unsigned number);
void phone_free(struct phone *phone);

/* ---- process.c */

void process_begin(struct sim *sim, unsigned number);
void process_start(struct sim *sim, unsigned number);
void process_stop(struct sim *sim, unsigned number, bool power);
void process_tell(struct sim *sim, unsigned number, struct core_event *event);
/* process_arm: its next tick is when its core waits for time; to be asked when its clock changes. */
void process_arm(struct sim *sim, unsigned number);
void process_compact(struct sim *sim, unsigned number);
int64_t process_now_ms(const struct sim *sim, unsigned number);
void process_free(struct process *process);
/* process_connect: to the store STORE (-1: lost) in MS. */
void process_leave_store(struct sim *sim, unsigned number);
void process_join_store(struct sim *sim, unsigned number, int64_t ms);
void process_feed(struct sim *sim, unsigned number);

/* ---- drain.c: a dispatcher ends in order */

void drain_order(struct sim *sim, const struct plan_order *order);

/* ---- standing.c: handsets that are revoked, expired, unknown; and good again */

void standing_order(struct sim *sim, const struct plan_order *order);
void standing_good(struct sim *sim, unsigned phone); /* what there was is put right */
/* standing_load: tell the core of PROCESS what it knows of PHONE; as the store has it where IS_NEW. */
void standing_load(struct sim *sim, unsigned process, unsigned phone, bool is_new);
/* standing_is_known: all dispatchers, the dead ones' snapshots too, know how PHONE stands. */
bool standing_is_known(const struct sim *sim, unsigned phone);

/* ---- net.c */

void net_connect(struct sim *sim, unsigned phone, uint8_t address);
void net_disconnect(struct sim *sim, unsigned phone, uint8_t address);
void net_send_up(struct sim *sim, unsigned phone, uint8_t address, const uint8_t *data, size_t len);
void net_send_down(struct sim *sim, uint64_t session, const uint8_t *data, size_t len);
void net_close_down(struct sim *sim, uint64_t session);
void net_process_died(struct sim *sim, unsigned process);
void net_phone_died(struct sim *sim, unsigned phone);
/* net_cut: every connection of PHONE is gone; SILENT: neither end is told. */
void net_cut(struct sim *sim, unsigned phone, bool silent);

/* ---- sms.c */

void sms_send(struct sim *sim, unsigned phone, const struct vigie_action *action);
void sms_do(struct sim *sim, unsigned process, const struct core_action *action);

/* ---- trace.c: what the store was asked, for tests/sim/redis_test; nothing without sim->trace */

struct trace_asked {
        int64_t epoch, due_in_ms;
        uint32_t expected;
        enum core_result result;
        struct cbor_span data; /* of the answer: a record; a struct tombstone */
};
void trace_commit(struct sim *sim, unsigned number, const struct op *op, const struct trace_asked *asked);
void trace_look(struct sim *sim, unsigned number, const uint8_t id[ALERT_ID_SIZE], enum core_result result,
                struct cbor_span data);
void trace_fact(struct sim *sim, unsigned number, const struct op *op, bool changed);
void trace_epoch(struct sim *sim, const char *word, unsigned number); /* "epoch", "clear" */
void trace_open(struct sim *sim, unsigned number, const uint8_t *ids, size_t count);
void trace_copy(struct sim *sim, unsigned number);
void trace_end(struct sim *sim);

/* ---- people.c */

void people_begin(struct sim *sim);
void people_look(struct sim *sim, unsigned phone); /* the page changed */
void people_order(struct sim *sim, const struct plan_order *order);
void people_control(struct sim *sim);

/* ---- sign.c: signatures that are cheap, and fail when one octet is another */

#define SIM_ROOT    200 /* keys: a phone's number, or one of these */
#define SIM_RECEIPT 201
void sign_key(unsigned who, uint8_t ret_key[P256_POINT_SIZE]);
void sign_octets(unsigned who, struct cbor_span message, uint8_t ret_signature[64]);
bool sign_verify_alert(void *user, const uint8_t key[P256_POINT_SIZE], const struct alert_signed *alert);
bool sign_verify_handset(void *user, const struct vigie_check *check);
void sign_hash(void *user, struct cbor_span data, uint8_t hash[32]);
size_t sign_trust(uint8_t to[TRUST_MAX]);
size_t sign_receipt(const struct receipt *receipt, uint8_t to[RECEIPT_MAX]);

/* ---- check*.c: what must hold */

void check_begin(struct sim *sim);
void check_free(struct sim *sim);
struct known *check_known(struct sim *sim, const uint8_t id[ALERT_ID_SIZE], bool make);
/* A phone: what it is about to be told; what came of it; what it does; that it is up; that PIN is given to it. */
void check_before(struct sim *sim, unsigned phone, const struct vigie_event *event);
void check_phone(struct sim *sim, unsigned phone, const struct vigie_event *event);
void check_action(struct sim *sim, unsigned phone, const struct vigie_action *action);
void check_started(struct sim *sim, unsigned phone);
void check_pin(struct sim *sim, unsigned phone, uint8_t pin);
/* A dispatcher: what comes to it; what it does, and what of it is durable. */
void check_came(struct sim *sim, unsigned process, const struct core_event *event);
void check_text_came(struct sim *sim, unsigned process, const struct core_event *event);
void check_handled(struct sim *sim, unsigned process); /* what came, before what it makes it do */
void check_died(struct sim *sim, unsigned process);    /* with what it heard and did not write down */
void check_did(struct sim *sim, unsigned process, const struct core_action *action);
void check_durable(struct sim *sim, unsigned process, struct cbor_span record);
/* The store. */
/* OLD: the record that RECORD replaced, or NULL. */
void check_committed(struct sim *sim, unsigned store, const struct record *record, const struct record *old,
                     bool was_closed);
void check_notice(struct sim *sim, const char *key, const struct notice *notice, const struct notice *before);
/* What people ask by a console. */
void check_asked(struct sim *sim, const struct command *command);
void check_second(struct sim *sim); /* each second */
void check_end(struct sim *sim);

/* ---- chart.c */

struct chart *chart_new(void);
void chart_free(struct chart *chart);
/* chart_arrow: FROM tells TO (columns: enum chart_column + number).  chart_note: something happens at ONE. */
enum { CHART_PHONE = 0, CHART_PROCESS = SIM_PHONES, CHART_STORE = SIM_PHONES + SIM_PROCESSES, CHART_COLUMNS };
void chart_arrow(struct sim *sim, unsigned from, unsigned to, const char *format, ...)
        __attribute__((format(printf, 4, 5)));
void chart_note(struct sim *sim, unsigned at, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* chart_print: the last LINES lines. */
void chart_print(const struct chart *chart, size_t lines, FILE *to);

#endif
