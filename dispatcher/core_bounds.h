/* The core's bounds and times: each with its reason, and what happens at it.  For core.h, which has the rest. */
#ifndef DISPATCHER_CORE_BOUNDS_H
#define DISPATCHER_CORE_BOUNDS_H

/* ---- Bounds ---------------------------------------------------------------------------------------------------- */

/* Sessions of one process: open files are often capped at 20,000.  At it a new session is closed at once (1013): the
 * handset tries another process. */
#define CORE_SESSIONS_MAX         20000
/* Sessions of one handset: a phone that changes networks leaves a dead one or two behind.  At the fifth the oldest is
 * closed (1008). */
#define CORE_HANDSET_SESSIONS_MAX 4
/* An alert port (options.alerts_only) closes a session (1000) that has offered nothing for so long, or has its receipt for so long;
 * one that waits for its receipt and offers nothing any more (a handset repeats every 5 s) later.  At the bound of sessions the one
 * longest received is closed at once, else the one longest without an offer, if that is a second: the newcomer stays.  Where all wait
 * for their receipts it is closed (1013). */
#define CORE_ALERT_PORT_IDLE_MS   10000
#define CORE_ALERT_PORT_WAIT_MS   60000
/* Malformed frames of one session; the next closes it (1002). */
#define CORE_MALFORMED_MAX        8
/* Handsets of a region, DESIGN section 8.  At it core_load_handset gives -ENOBUFS. */
#define CORE_HANDSETS_MAX         262144
/* Carriers, rounds, users; as many as handsets at most.  -ENOBUFS. */
#define CORE_PEOPLE_MAX           262144
/* Open alerts.  A handset has at most one real alert open (a press meanwhile is an update), so real ones always fit;
 * unverified ones and drills are held to the share below.  Beyond: a drill is not raised and counted, an unverified one
 * is counted in a notice. */
#define CORE_ALERTS_MAX           (CORE_HANDSETS_MAX + CORE_UNVERIFIED_MAX + CORE_DRILLS_MAX)
#define CORE_UNVERIFIED_MAX       8192
#define CORE_DRILLS_MAX           8192
/* Events of one alert held by the process that got them: waiting for journal or store, or done and kept until the alert is
 * closed (a failover may lose what was acknowledged).  When full the oldest done one goes; when all wait, an alert revision
 * replaces a waiting one of the same nonce, first one that says nothing more (every revision carries everything, but of a phone set
 * back to its backup), and a command is answered ANSWER_BUSY. */
#define CORE_QUEUE_MAX            16
/* Commits in flight.  More alerts than that wait for their turn. */
#define CORE_COMMITS_MAX          4096
/* Actions that one step of work can cause; core_next does further steps when those are taken.  A step that would need more
 * is put off; nothing is dropped. */
#define CORE_ACTIONS_MAX          1024
/* Senders of unverified alerts that are told apart: CORE_SENDER_BURST at once, then one more each CORE_SENDER_REFILL_MS.
 * Those whose handset is proved (good signature of a revoked or expired handset, or its own TLS session) have a table of
 * their own, which strangers cannot fill.  All strangers together: CORE_STRANGERS_BURST, then one a second. */
#define CORE_SENDERS_MAX          4096
#define CORE_SENDER_BURST         5
#define CORE_SENDER_REFILL_MS     60000
#define CORE_STRANGERS_BURST      64
#define CORE_STRANGERS_REFILL_MS  1000
/* Notices held.  A region has some 1,000 zones.  Beyond, a new one is not published, and counted. */
#define CORE_NOTICES_MAX          4096
/* Closed alerts remembered, so that a late offer is answered without the store; of more the oldest is forgotten, and the
 * store's tombstone answers. */
#define CORE_CLOSED_MAX           8192
/* Their records are kept for so long, so that a closure which a failover loses whole is committed again: it loses seconds. */
#define CORE_CLOSED_KEPT_MS       120000
/* Closed alerts of the journal whose facts are kept at the start until the store says that it has the closure; of more the oldest is
 * taken for closed. */
#define CORE_REPLAY_GONE_MAX      256
/* Test presses under way: 15,500 handsets going on duty in a quarter of an hour are 20 a second.  Beyond, a test is not
 * answered (and not proved: the handset tries again); likewise a handset's fourth within CORE_TEST_REFILL_MS of another. */
#define CORE_TESTS_MAX            4096
#define CORE_TEST_BURST           3
#define CORE_TEST_REFILL_MS       10000
/* Overdue carriers in one CORE_SCAN; of more only the count is looked at, and it is a mass silence. */
#define CORE_SCAN_MAX             4096
/* Alerts that ring before the store has them, 8 KiB each.  Of more, presses are kept, and ring when it has. */
#define CORE_MEANWHILE_MAX        4096
/* Largest record for the journal that APPEND gives. */
#define CORE_APPEND_MAX           1400

/* ---- Times ------------------------------------------------------------------------------------------------------ */

#define CORE_RANK_MS                300   /* dispatcher number k acts on a deadline k times that late */
#define CORE_KEPT_MS                2000  /* not committed for so long: the receipt says "kept" */
#define CORE_TICK_MS                100   /* CORE_TICK at least that often, and see core_due_ms */
#define CORE_SCAN_MS                15000 /* CORE_SCAN that often */
#define CORE_QUIET_MS               180000
#define CORE_OVERDUE_MS             900000  /* not heard for so long: asked */
#define CORE_OVERDUE_NO_COVERAGE_MS 3600000 /* the same where the round's zone is known to have no coverage */
#define CORE_QUESTION_MS            120000  /* asked and no answer for so long: it rings */
#define CORE_QUESTION_RANK_MS       20000 /* dispatcher number k asks by SMS k times that late, if none before it did */

#endif
