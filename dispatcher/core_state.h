/* The core's state.  For the files of the core alone, by core_parts.h, which says what they do for each other; core.h is the contract.
 *
 *      core.c         events to where they belong, the queue of actions, the steps of work
 *      known.c        who and what is known, as it is loaded
 *      hold.c         open alerts in memory                                                 replay.c  loading and replay
 *      gone.c         closed ones: what stays of them                                       reclose.c  closed they stay
 *      flow.c         facts in: to the journal, into their alert's queue
 *      flow_store.c   to the store, one commit of an alert in flight                        land.c    what comes back
 *      flow_disk.c    a full disk
 *      tell.c         who is told of an alert: receipts, rings
 *      offer.c        alert objects that come in                                            right.c   commands, and who may
 *      port.c         the sessions of an alert port
 *      session.c      sessions and their frames                                             duty.c    duty and presence
 *      place.c        sealed places that are opened, quiet timers
 *      vault.c        what handsets say of vaults, orders and timers
 *      meanwhile.c    what is done while the store is away
 *      sms_in.c       SMS that come in, and what became of ours                             sms_out.c  who is told by SMS
 *      supervision.c  quiet and overdue carriers                                            supervision_step.c  telling it
 *      notice.c       notices */
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
        uint32_t news;        /* likewise: the SMS that somebody has it, or that it is over */
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
        bool noted_gone;  /* the journal says that it was closed: the store is asked before its facts are offered */
        bool recloses;    /* it is looked up for that, see reclose.c */
        bool untold;      /* came by loading: those concerned are told step by step */
        bool place_asked, has_place; /* the keeper is asked where it is, once; `place` is to be in the record */
        struct track_point place;
        bool unreadable; /* the store's record is none that we can read: it waits for a newer feed entry */
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
        struct bucket frames, passes; /* passes: of frames that write to the store, see vault.c */
        bool owed_duty;               /* DUTY_ANSWER to `duty_request`, when the feed says so */
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
        int64_t sms_told_ms;  /* last receipt by SMS */
        int64_t learnt_ms;    /* when we heard of it */
        int64_t raised_at_ms; /* where `record` was seen */
        uint8_t *record;      /* as it was closed; NULL: never known, or long ago.  See reclose.c */
        bool seen;            /* `record` is what was closed; else what was known of it before */
        bool guessed; /* a press in one that was closed where we did not see it, and of which we knew: it may have been none of it */
        bool open; /* it was none: it stands open */
        size_t record_size;
        struct closed_alert *newer;
};

struct standing_notice {
        char key[NAME_MAX_OCTETS + 1];
        struct notice notice;
        int64_t touched_ms; /* last published, or suppressed for: see supervision_step */
        bool unconfirmed; /* published by this process, and the feed has not said so yet: the store may have refused it */
};

/* What is to be told of one carrier not heard. */
enum later { LATER_ASK, LATER_ASK_BY_SMS, LATER_END, LATER_OPEN, LATER_HEARD };
struct later_item {
        struct core_found found; /* heard_at_ms: as this process knows it */
        enum later what;
};

/* What is done about each that was scanned, and about those of the timers: told when it was heard, asked, by SMS too, and the place opened. */
#define SCAN_LATER_MAX (4 * (CORE_SCAN_MAX + 1024))

/* Who may answer OK from a number: a carrier overdue. */
struct overdue {
        char number[NUMBER_MAX + 1];
        uint8_t handset[HANDSET_ID_SIZE];
};

/* OK from a number of which no scan of this process knows yet that somebody is overdue: another one asked.  The next scan takes it; of more
 * than FINE_MAX the rest is as if not said, and rings. */
#define FINE_MAX     1024
#define FINE_KEPT_MS (4 * CORE_SCAN_MS)
struct fine {
        char number[NUMBER_MAX + 1];
        int64_t at_ms;
};

/* Overdue carriers whose places were asked for; of more all begin anew.  Quiet timers past their end: of more those that ended first, the
 * others when these are over, and they are overdue by their silence before that. */
#define PLACES_MAX 1024
#define TIMED_MAX  1024

/* Where an overdue carrier was, once the keeper has opened it. */
struct opened {
        uint8_t handset[HANDSET_ID_SIZE];
        char carrier[PERSON_ID_MAX + 1];
        int64_t heard_ms, asked_ms; /* the silence that it is for */
        bool has;
        struct track_point at;
};

/* A quiet timer past its end. */
struct timed {
        uint8_t handset[HANDSET_ID_SIZE];
        struct core_found found;
        int64_t due_ms, told_ms;
};

/* What a scan found, and how far its telling is. */
struct scan {
        struct table opened, timed; /* of those, by handset */
        struct table groups;        /* of struct standing_notice, by key: carriers overdue */
        struct table overdue;       /* of struct overdue, by number */
        struct table fine;          /* of struct fine, by number */
        size_t later_count, later_done;
        struct later_item *later; /* SCAN_LATER_MAX, from the first scan on */
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
        bool replayed;           /* since the last event: core_replay */
        bool fenced, was_fenced; /* another epoch: nothing is committed until all is loaded anew; not yet told */
        int64_t store_away_ms;   /* since when */
        int64_t rest_ms;         /* nothing is asked of the store before: it gave no reply */
        uint32_t trust_number;
        uint8_t *trust;
        size_t trust_size;

        struct table sessions, alerts, flights, tests, closed, notices;
        uint8_t noted_gone[CORE_REPLAY_GONE_MAX][ALERT_ID_SIZE]; /* a ring */
        size_t noted_count;
        struct closed_alert *closed_oldest, *closed_newest, *closed_kept; /* kept: the oldest that may have a record */
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

#endif
