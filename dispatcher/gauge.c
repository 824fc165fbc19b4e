/* What Prometheus can ask of a dispatcher: counters that lie in the state of the parts, by name. */
#include <stddef.h>

#include "dispatcher/run_inside.h"

/* A member of 8 octets, and what it is called. */
#define COUNT(of, member, name, help)                               \
        {                                                           \
                { "vigie_" name, NULL, help }, offsetof(of, member) \
        }
struct named {
        struct metrics_name name;
        size_t offset;
};
typedef struct core_counters core_t;
typedef struct link_counts link_t;
typedef struct listener_counts listener_t;
typedef struct store_counts store_t;
typedef struct run run_t;
typedef struct sms_door_counts door_t;
typedef struct sms_gate_counts gate_t;

static const struct named core_counted[] = {
        COUNT(core_t, raised, "alerts_raised_total", "alerts raised by this process"),
        COUNT(core_t, updated, "alerts_updated_total", "revisions taken"),
        COUNT(core_t, copies, "alerts_copies_total", "copies of what was known"),
        COUNT(core_t, pressed_again, "alerts_pressed_again_total", "presses while open"),
        COUNT(core_t, seen, "alerts_seen_total", "shown on a person's screen"),
        COUNT(core_t, taken, "alerts_taken_total", "taken"),
        COUNT(core_t, closed, "alerts_closed_total", "closed"),
        COUNT(core_t, climbed, "alerts_climbed_total", "deadlines acted upon"),
        COUNT(core_t, unverified, "alerts_unverified_total", "raised as unverified"),
        COUNT(core_t, suppressed, "alerts_suppressed_total", "unverified ones kept back by the limits"),
        COUNT(core_t, drills_refused, "drills_refused_total", "drills not raised: too many open"),
        COUNT(core_t, queue_full, "queue_full_total", "events that met a full queue"),
        COUNT(core_t, kept, "receipts_kept_total", "receipts that say kept"),
        COUNT(core_t, receipts, "receipts_total", "receipts given out"),
        COUNT(core_t, rings, "rings_total", "ring frames"),
        COUNT(core_t, conflicts, "commit_conflicts_total", "commits that met another version"),
        COUNT(core_t, unknown_replies, "commit_unknown_total", "commits without an answer"),
        COUNT(core_t, fenced, "commit_fenced_total", "commits refused for the epoch"),
        COUNT(core_t, replayed, "journal_replayed_total", "events offered again"),
        COUNT(core_t, tests, "tests_total", "test presses"),
        COUNT(core_t, commands, "commands_total", "commands"),
        COUNT(core_t, commands_refused, "commands_refused_total", "commands that changed nothing"),
        COUNT(core_t, frames_malformed, "frames_malformed_total", "frames that could not be read"),
        COUNT(core_t, frames_unknown, "frames_unknown_total", "frames of an unknown type"),
        COUNT(core_t, frames_refused, "frames_refused_total", "frames not allowed where they came"),
        COUNT(core_t, off_duty_positions, "positions_off_duty_total", "positions of handsets off duty, thrown away"),
        COUNT(core_t, questions, "questions_total", "overdue carriers asked"),
        COUNT(core_t, declined, "alerts_declined_total", "passed on by who was asked"),
        COUNT(core_t, meanwhile, "alerts_meanwhile_total", "alerts that rang before the store had them"),
        COUNT(core_t, meanwhile_refused, "alerts_meanwhile_refused_total", "alerts that did not, for the bound"),
        COUNT(core_t, sms_unknown, "sms_unknown_total", "SMS from numbers of nobody"),
};
static const struct named core_now[] = {
        COUNT(core_t, open_alerts, "alerts_open", "open alerts"),
        COUNT(core_t, open_unverified, "alerts_open_unverified", "of them unverified"),
        COUNT(core_t, open_drills, "alerts_open_drills", "of them drills"),
        COUNT(core_t, waiting, "events_waiting", "events not yet committed"),
        COUNT(core_t, commits, "commits_under_way", "commits under way"),
        COUNT(core_t, overdue, "carriers_overdue", "carriers overdue"),
};
static const struct named link_counted[] = {
        COUNT(link_t, established, "sessions_total", "sessions opened"),
        COUNT(link_t, resumed, "sessions_resumed_total", "of them by TLS resumption"),
        COUNT(link_t, refused, "handshakes_failed_total", "handshakes and upgrades that came to nothing"),
        COUNT(link_t, frames_in, "frames_in_total", "frames from handsets"),
        COUNT(link_t, frames_out, "frames_out_total", "frames to handsets"),
        COUNT(link_t, too_big, "sessions_too_big_total", "sessions closed for a frame too large"),
        COUNT(link_t, overrun, "sessions_overrun_total", "sessions closed for a full queue"),
        COUNT(link_t, silent, "sessions_silent_total", "sessions closed for silence"),
};
static const struct named link_now[] = { COUNT(link_t, sessions, "sessions", "sessions open") };
static const struct named listener_counted[] = {
        COUNT(listener_t, accepted, "connections_total", "connections accepted"),
        COUNT(listener_t, turned_away, "connections_turned_away_total", "connections at the limit"),
        COUNT(listener_t, timed_out, "connections_timed_out_total", "connections that sent nothing"),
        COUNT(listener_t, refused, "connections_refused_total", "connections that sent no TLS, or hung up"),
};
static const struct named listener_now[] = {
        COUNT(listener_t, waiting, "connections_waiting",
              "connections that have sent nothing, or wait for a handshake"),
        COUNT(listener_t, handshakes, "handshakes", "handshakes under way"),
};
static const struct named run_counted[] = { COUNT(run_t, entries_bad, "entries_bad_total",
                                                  "entries that could not be read") };
static const struct named run_now[] = {
        COUNT(run_t, serving, "serving", "1 while handsets are accepted"),
        COUNT(run_t, alerts_up, "store_up", "1 while the alerts' Redis is there and loaded"),
        COUNT(run_t, positions_up, "positions_up", "1 while the positions' Redis is there and loaded"),
        COUNT(run_t, wrong_ms, "clock_wrong_milliseconds", "our clock minus Redis's"),
        COUNT(run_t, sms_up, "sms_up", "1 while the SMS gateway takes what it is asked to send"),
        COUNT(run_t, journal_octets, "journal_octets", "octets in the journal"),
};

static const struct named store_counted[] = {
        COUNT(store_t, commits, "commits_total", "commit scripts answered"),
        COUNT(store_t, refused, "store_refused_total", "commands to Redis refused or not sent"),
};

static const struct named door_counted[] = {
        COUNT(door_t, objects, "sms_objects_total", "objects that came by SMS"),
        COUNT(door_t, texts, "sms_texts_total", "texts that came by SMS"),
        COUNT(door_t, reports, "sms_reports_total", "delivery reports"),
        COUNT(door_t, junk, "sms_junk_total", "SMS that were nothing for us"),
        COUNT(door_t, limited, "sms_limited_total", "texts over their number's limit, thrown away"),
        COUNT(door_t, late, "sms_late_total", "SMS not taken in time, to come again"),
        COUNT(door_t, busy, "sms_busy_total", "SMS that found no place, to come again"),
        COUNT(door_t, refused, "sms_refused_total", "requests of no gateway of ours"),
};
static const struct named door_now[] = { COUNT(door_t, pending, "sms_pending", "SMS not yet taken") };
static const struct named gate_counted[] = {
        COUNT(gate_t, handed, "sms_sent_total", "SMS that the gateway took"),
        COUNT(gate_t, failed, "sms_failed_total", "SMS given up"),
        COUNT(gate_t, dropped, "sms_dropped_total", "of them for want of room in the queue"),
        COUNT(gate_t, replaced, "sms_replaced_total", "SMS overtaken by a newer word before they left"),
        COUNT(gate_t, retried, "sms_retried_total", "attempts that came to nothing"),
};
static const struct named gate_now[] = { COUNT(gate_t, waiting, "sms_waiting", "SMS that wait for the gateway") };

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static int counters(struct metrics *metrics, const struct named *names, size_t count, const void *of)
{
        int r = 0;

        for (size_t i = 0; i < count && r == 0; i++)
                r = metrics_counter(metrics, names[i].name, (const uint64_t *)((const char *)of + names[i].offset));
        return r;
}

static int gauges(struct metrics *metrics, const struct named *names, size_t count, const void *of)
{
        int r = 0;

        for (size_t i = 0; i < count && r == 0; i++)
                r = metrics_gauge(metrics, names[i].name, (const int64_t *)((const char *)of + names[i].offset));
        return r;
}

static int histograms(struct run *run, const struct store_counts *store)
{
        static const struct metrics_name press = { "vigie_press_to_receipt_seconds", NULL,
                                                   "alert frame in to receipt out" };
        static const struct metrics_name sync = { "vigie_journal_sync_seconds", NULL, "append to durable" };
        static const struct metrics_name commit = { "vigie_commit_seconds", NULL, "commit script sent to answered" };
        int r = metrics_histogram(run->metrics, press, &run->press);

        if (r == 0)
                r = metrics_histogram(run->metrics, sync, &run->sync);
        return r < 0 ? r : metrics_histogram(run->metrics, commit, &store->commit);
}

static int sms(const struct run *run)
{
        const struct sms_door_counts *door = sms_door_counts(run->door);
        const struct sms_gate_counts *gate = sms_gate_counts(run->gate);
        int r;

        if ((r = counters(run->metrics, door_counted, LENGTH(door_counted), door)) < 0 ||
            (r = gauges(run->metrics, door_now, LENGTH(door_now), door)) < 0 ||
            (r = counters(run->metrics, gate_counted, LENGTH(gate_counted), gate)) < 0)
                return r;
        return gauges(run->metrics, gate_now, LENGTH(gate_now), gate);
}

static const char *health(void *user)
{
        const struct run *run = user;

        if (run->off != 0)
                return "not on duty";
        return run->alerts != SYNC_UP ? "store away" : NULL;
}

int gauges_open(struct run *run)
{
        const struct core_counters *core = core_counters(run->core);
        const struct link_counts *link = link_counts(run->link);
        const struct listener_counts *listener = link_listener_counts(run->link);
        const struct store_counts *store = store_counts(run->store);
        int r = metrics_new(&run->metrics);

        if (r < 0)
                return r;
        metrics_health(run->metrics, health, run);
        if ((r = counters(run->metrics, core_counted, LENGTH(core_counted), core)) < 0 ||
            (r = gauges(run->metrics, core_now, LENGTH(core_now), core)) < 0 ||
            (r = counters(run->metrics, link_counted, LENGTH(link_counted), link)) < 0 ||
            (r = gauges(run->metrics, link_now, LENGTH(link_now), link)) < 0 ||
            (r = counters(run->metrics, listener_counted, LENGTH(listener_counted), listener)) < 0 ||
            (r = gauges(run->metrics, listener_now, LENGTH(listener_now), listener)) < 0 ||
            (r = counters(run->metrics, run_counted, LENGTH(run_counted), run)) < 0 ||
            (r = gauges(run->metrics, run_now, LENGTH(run_now), run)) < 0 ||
            (r = counters(run->metrics, store_counted, LENGTH(store_counted), store)) < 0 ||
            (r = histograms(run, store)) < 0 || (r = tech_gauges(run)) < 0 || (run->door != NULL && (r = sms(run)) < 0))
                return r;
        return metrics_serve(run->options.loop, run->metrics, (int)run->options.config->metrics_port,
                             &run->metrics_server);
}
