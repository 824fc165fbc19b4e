/* The two Redis as the core sees them: away, loading, up.  A link that is lost, the store's or the tail's, makes it
 * away; with both there everything is loaded anew, and only then the core is told that it is up. */
#include <errno.h>
#include <string.h>

#include "dispatcher/run_inside.h"

static void tell_state(struct run *run, enum core_event_kind kind, bool up)
{
        struct core_event event = { .kind = kind };

        event.u.state.up = up;
        run_tell(run, &event);
}

/* ---- Alerts. */

static void leave_alerts(struct run *run)
{
        enum sync_state before = run->alerts;

        load_cancel(run->load);
        run->load = NULL;
        if (run->snapshot != NULL)
                snapshot_end(run->snapshot, false);
        tail_stop(run->feed);
        commands_stop(run->commands);
        run->alerts = SYNC_AWAY;
        run->alerts_up = 0;
        inbox_up(run, false);
        if (before == SYNC_UP)
                tell_state(run, CORE_STORE, false);
}

static void on_people(void *user)
{
        struct run *run = user;

        run->people_epoch = -1;
        if (run->snapshot == NULL)
                return;
        snapshot_epoch(run->snapshot, store_epoch(run->store));
        snapshot_begin(run->snapshot, run_now_ms(run));
}

static void on_person(void *user, enum people_kind kind, const char *field, struct cbor_span value)
{
        struct run *run = user;

        if (run->snapshot != NULL)
                snapshot_person(run->snapshot, kind, field, value);
}

static void on_duty(void *user, const char *person, const struct duty_entry *duty)
{
        struct run *run = user;

        if (run->snapshot != NULL)
                snapshot_duty(run->snapshot, person, duty);
}

static void on_loaded(void *user, int error, const struct load_result *result)
{
        struct run *run = user;
        int r;

        run->load = NULL;
        if (run->snapshot != NULL)
                snapshot_end(run->snapshot, error == 0);
        if (error < 0) {
                log_warn("store", "loading: %s", strerror(-error));
                run->alerts = SYNC_AWAY;
                loop_timer_arm(run->options.loop, &run->reload, clock_mono_ms() + RUN_RELOAD_MS);
                return;
        }
        log_info("store", "loaded %zu people, %zu open alerts; %zu entries cannot be read", result->people,
                 result->records, result->bad);
        run->entries_bad += result->bad;
        if (run->journal == NULL && (r = keep_open(run)) < 0) {
                run_stop(run, r);
                return;
        }
        run->alerts = SYNC_UP;
        run->alerts_up = 1;
        /* What was taken out while the link was lost is in no hash any more: it is read in the changes. */
        if (run->changes.ms == 0 || stream_id_compare(run->changes, result->changes) > 0)
                run->changes = result->changes;
        run->people_epoch = store_epoch(run->store);
        tail_start(run->feed, (struct stream_id[TAIL_STREAMS]){ result->feed, run->changes });
        tell_state(run, CORE_STORE, true);
        inbox_up(run, true);
        if ((run->off & OFF_STOPPING) == 0)
                commands_start(run->commands);
        tech_retell(run);
        run_notice(run, "snapshot", run->from_snapshot);
        run_notice(run, "positions_away", !run->positions_link);
        run->from_snapshot = false;
        run_loaded(run);
}

void sync_alerts(struct run *run)
{
        int r;

        if (run->store == NULL || run->feed == NULL || run->commands == NULL)
                return; /* coming up */
        if (!run->alerts_link || !tail_is_up(run->feed)) {
                if (run->alerts != SYNC_AWAY)
                        leave_alerts(run);
                return;
        }
        if (run->alerts != SYNC_AWAY)
                return;
        run->alerts = SYNC_LOADING;
        r = load_begin(&(struct load_options){ .link = store_alerts(run->store),
                                               .config = run->options.config,
                                               .core = run->core,
                                               .loaded = run->people_epoch == store_epoch(run->store),
                                               .since = run->changes,
                                               .user = run,
                                               .people = on_people,
                                               .person = on_person,
                                               .duty = on_duty,
                                               .done = on_loaded },
                       &run->load);
        if (r < 0)
                on_loaded(run, r, NULL);
}

void sync_again(struct run *run)
{
        if (run->alerts != SYNC_UP)
                return;
        leave_alerts(run);
        loop_timer_arm(run->options.loop, &run->reload, clock_mono_ms() + RUN_RELOAD_MS);
}

static void on_reload(struct wheel_timer *timer, int64_t now_mono_ms)
{
        sync_alerts(timer->user);
}

/* ---- Positions. */

static void leave_positions(struct run *run)
{
        enum sync_state before = run->positions;

        roster_load_cancel(run->roster_load);
        run->roster_load = NULL;
        tail_stop(run->roster);
        run->positions = SYNC_AWAY;
        run->positions_up = 0;
        if (before == SYNC_UP) {
                run_notice(run, "positions_away", true);
                tell_state(run, CORE_POSITIONS, false);
        }
}

static void on_presence(void *user, const char *person, const struct presence *presence)
{
        struct run *run = user;

        core_load_presence(run->core, person, presence);
        if (run->snapshot != NULL)
                snapshot_presence(run->snapshot, person, presence);
}

static void on_roster(void *user, int error, struct stream_id last)
{
        struct run *run = user;

        run->roster_load = NULL;
        if (error < 0) {
                run->positions = SYNC_AWAY;
                loop_timer_arm(run->options.loop, &run->roster_reload, clock_mono_ms() + RUN_RELOAD_MS);
                return;
        }
        run->positions = SYNC_UP;
        run->positions_up = 1;
        tail_start(run->roster, (struct stream_id[TAIL_STREAMS]){ last });
        run_notice(run, "positions_away", false);
        tell_state(run, CORE_POSITIONS, true);
}

void sync_positions(struct run *run)
{
        int r;

        if (run->store == NULL || run->roster == NULL)
                return;
        if (!run->positions_link || !tail_is_up(run->roster)) {
                if (run->positions != SYNC_AWAY)
                        leave_positions(run);
                return;
        }
        /* People come first: the roster of unknown ones would be lost. */
        if (run->positions != SYNC_AWAY || (run->off & OFF_STARTING) != 0)
                return;
        run->positions = SYNC_LOADING;
        r = roster_load_begin(&(struct roster_load_options){ .link = store_positions(run->store),
                                                             .config = run->options.config,
                                                             .since_ms = run_now_ms(run) - ROSTER_LOAD_MS,
                                                             .user = run,
                                                             .presence = on_presence,
                                                             .done = on_roster },
                              &run->roster_load);
        if (r < 0)
                on_roster(run, r, (struct stream_id){ 0, 0 });
}

static void on_roster_reload(struct wheel_timer *timer, int64_t now_mono_ms)
{
        sync_positions(timer->user);
}

void sync_timers_init(struct run *run)
{
        wheel_timer_init(&run->reload, on_reload, run);
        wheel_timer_init(&run->roster_reload, on_roster_reload, run);
}

void sync_cancel(struct run *run)
{
        load_cancel(run->load);
        run->load = NULL;
        roster_load_cancel(run->roster_load);
        run->roster_load = NULL;
        loop_timer_cancel(run->options.loop, &run->reload);
        loop_timer_cancel(run->options.loop, &run->roster_reload);
}
