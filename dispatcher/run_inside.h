/* Inside the run: for run.c and the files beside it that run.h names alone. */
#ifndef DISPATCHER_RUN_INSIDE_H
#define DISPATCHER_RUN_INSIDE_H

#include <uv.h>

#include "base/histogram.h"
#include "base/journal.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/metrics.h"
#include "dispatcher/commands.h"
#include "dispatcher/core.h"
#include "dispatcher/link.h"
#include "dispatcher/load.h"
#include "dispatcher/roster_load.h"
#include "dispatcher/run.h"
#include "dispatcher/sms_door.h"
#include "dispatcher/sms_gate.h"
#include "dispatcher/snapshot.h"
#include "dispatcher/store.h"
#include "dispatcher/tail.h"

enum sync_state { SYNC_AWAY, SYNC_LOADING, SYNC_UP };

/* Why this process does not serve; it does when none is left. */
enum off_duty {
        OFF_STARTING = 0x1, /* not loaded yet */
        OFF_CLOCK = 0x2,
        OFF_DISK = 0x4, /* the journal is full */
        OFF_STOPPING = 0x8,
};

/* An APPEND on its way to the disk. */
struct appended {
        uint64_t seq;    /* the journal's */
        uint64_t number; /* the core's */
        int64_t mono_us;
};

/* A technical notice that this process has published, or will when the store is there. */
struct tech {
        int64_t on; /* 1, 0; a gauge */
        int64_t since_ms;
        bool untold; /* it began, and nobody has been told */
};
/* Their words are in tech.c. */
#define RUN_TECHS 15

struct run {
        struct run_options options;
        struct core *core;
        struct link *link;
        struct store *store;
        struct tail *feed, *roster;
        struct commands *commands;
        struct journal *journal;   /* NULL before it is replayed */
        struct snapshot *snapshot; /* NULL: none configured */
        struct sms_door *door;     /* NULL: no SMS */
        struct sms_gate *gate;
        struct inbox *inbox;
        struct openings *openings;
        struct metrics *metrics;
        struct metrics_server *metrics_server;
        uv_signal_t *hangup; /* SIGHUP */

        enum sync_state alerts, positions;
        bool alerts_link, positions_link; /* the store's links, its epoch read */
        struct load *load;
        struct roster_load *roster_load;
        int64_t people_epoch; /* the people were loaded of this epoch, up to `changes`; -1 not yet */
        struct stream_id changes;

        int64_t ahead_ms;   /* Redis's UTC minus our monotonic clock */
        int64_t wrong_ms;   /* our UTC minus Redis's */
        unsigned far;       /* readings of Redis's clock, one after the other, that were RUN_CLOCK_LEAVE_MS off */
        unsigned off;       /* enum off_duty */
        bool from_snapshot; /* started so: a notice for a minute, once the store is there */
        bool served;        /* was ready once */
        bool acting;        /* the core's actions are being done */
        bool closing;       /* run_close has begun: the core is told nothing more */
        int result;

        struct wheel_timer tick, scan, reload, roster_reload, start, drain, keep, save;
        int64_t drain_count, drain_closed; /* sessions at its begin; told to go since */
        int64_t drain_from_mono_ms, drain_until_mono_ms;
        struct tech techs[RUN_TECHS];

        struct appended *appended; /* a ring of the core's APPENDs not yet durable */
        size_t appended_first, appended_count, appended_room;
        bool disk_away;   /* as the core was told */
        uint64_t refused; /* the core's last APPEND that found no room; 0 none */
        bool compacting;
        int64_t compact_after_mono_ms;

        struct log_limit log_entry, log_clock;
        struct histogram press, sync; /* us: frame in to receipt out; append to durable */
        uint64_t entries_bad;
        int64_t alerts_up, positions_up, serving, journal_octets, sms_up; /* gauges */
};

/* run_now_ms: UTC by Redis's clock, as well as we know it. */
int64_t run_now_ms(const struct run *run);

/* run_tell: give the core one event, its times filled in here, and do what follows. */
void run_tell(struct run *run, struct core_event *event);

/* run_act: do what the core has to do. */
void run_act(struct run *run);

/* run_on_duty, run_off_duty: a reason not to serve is gone, or there.  Serving begins and ends with the last and
 * first. */
void run_on_duty(struct run *run, enum off_duty reason);
void run_off_duty(struct run *run, enum off_duty reason);

/* run_loaded: people and open alerts are known: serve, and load the roster. */
void run_loaded(struct run *run);

/* tech.c.  run_notice: publish a technical notice of this process, now or when the store is there; ON false: it is over. 
 * WHAT is one of tech.c's words.  tech_retell: the store is there.  tech_trouble: store_options.trouble.  tech_gauges: for
 * /metrics; 0 or as metrics_gauge.  tech_heard: the feed says that the notice HEARD, a key, stands: it got there. */
void run_notice(struct run *run, const char *what, bool on);
int tech_gauges(struct run *run);
void tech_heard(struct run *run, const char *heard);
void tech_retell(struct run *run);
void tech_trouble(void *user, const char *what, bool on);

/* drain.c: take SIGTERM and SIGINT. */
void drain_init(struct run *run);

/* run_stop: end the loop with RESULT. */
void run_stop(struct run *run, int result);

/* hear.c: callbacks of link, store, tails and commands. */
int hear_open(struct run *run, const char **ret_why);

/* sync.c: sync_alerts, sync_positions: look how the links stand and go on; sync_again: the alerts' Redis counts as away, and is
 * loaded anew. */
void sync_alerts(struct run *run);
void sync_again(struct run *run);
void sync_positions(struct run *run);
void sync_timers_init(struct run *run);
void sync_cancel(struct run *run);

/* keep.c: open the journal and replay it; append one record of the core, which ends the run where it fails for anything but a full disk; look
 * after its size. */
int keep_open(struct run *run);
void keep_append(struct run *run, uint64_t number, struct cbor_span bytes);
void keep_look(struct run *run);
void keep_close(struct run *run);

/* sms_run.c: nothing happens where no sms.port is configured.  sms_open: bind the door, make the gate; sms_start, sms_stop:
 * take SMS, or leave them to the others; the other three do the core's actions of that name. */
int sms_open(struct run *run);
void sms_start(struct run *run);
void sms_stop(struct run *run);
void sms_close(struct run *run);
void sms_do_taken(struct run *run, const struct core_action *action);
void sms_do_receipt(struct run *run, const struct core_action *action);
void sms_do_say(struct run *run, const struct core_action *action);

/* inbox_run.c and what stands beside it (inbox_inside.h).  inbox_up: the alerts' Redis is loaded, or away.  inbox_changed: an entry of
 * {r}:people:changes that is about no people.  inbox_left: a session is gone.  inbox_drop: take the entry ID out of a handset's inbox.
 * inbox_opened: the keeper has just opened a place of HANDSET, WHY says an enum opened_why: its phone is told.  The others do the core's
 * actions of that name. */
int inbox_open(struct run *run);
void inbox_close(struct run *run);
void inbox_up(struct run *run, bool up);
void inbox_changed(struct run *run, const char *hash, const char *field);
void inbox_left(struct run *run, uint64_t session);
void inbox_drop(struct run *run, const uint8_t handset[HANDSET_ID_SIZE], const char *id);
void inbox_opened(struct run *run, const uint8_t handset[HANDSET_ID_SIZE], uint8_t why);
void inbox_vault(struct run *run, const struct core_action *action);
void inbox_done(struct run *run, const struct core_action *action);
void inbox_ask_pass(struct run *run, const struct core_action *action);
void inbox_order(struct run *run, const struct core_action *action);

/* open_run.c: open_place does DO_OPEN; open_timers looks for quiet timers past their end.  Nothing is opened without keeper.socket. */
int open_open(struct run *run);
void open_close(struct run *run);
void open_place(struct run *run, const struct core_action *action);
void open_timers(struct run *run);

/* gauge.c: register what there is to count. */
int gauges_open(struct run *run);

#endif
