#include "dispatcher/core.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/core_parts.h"
#include "geo/choose.h"

/* ---- Set up --------------------------------------------------------------------------------------------------------- */

static void init_tables(struct core *core)
{
        uint64_t seed = core->options.seed;

        table_init(&core->sessions, sizeof(uint64_t), sizeof(struct session), core->options.sessions_max, seed);
        table_init(&core->alerts, ALERT_ID_SIZE, sizeof(struct open_alert), CORE_ALERTS_MAX, seed);
        table_init(&core->flights, sizeof(uint64_t), sizeof(struct flying), CORE_COMMITS_MAX, seed);
        table_init(&core->tests, sizeof(uint64_t), sizeof(struct test), CORE_TESTS_MAX, seed);
        table_init(&core->closed, ALERT_ID_SIZE, sizeof(struct closed_alert), CORE_CLOSED_MAX, seed);
        table_init(&core->notices, NAME_MAX_OCTETS + 1, sizeof(struct standing_notice), CORE_NOTICES_MAX, seed);
        table_init(&core->scan.groups, NAME_MAX_OCTETS + 1, sizeof(struct standing_notice), CORE_NOTICES_MAX, seed);
        table_init(&core->scan.opened, HANDSET_ID_SIZE, sizeof(struct opened), PLACES_MAX, seed);
        table_init(&core->scan.timed, HANDSET_ID_SIZE, sizeof(struct timed), TIMED_MAX, seed);
        table_init(&core->scan.overdue, NUMBER_MAX + 1, sizeof(struct overdue), CORE_SCAN_MAX, seed);
        table_init(&core->scan.fine, NUMBER_MAX + 1, sizeof(struct fine), FINE_MAX, seed);
        senders_init(&core->proved, CORE_SENDERS_MAX, seed);
        senders_init(&core->strangers, CORE_SENDERS_MAX, seed);
        senders_init(&core->texters, CORE_SENDERS_MAX, seed);
        core->strangers.all_burst = CORE_STRANGERS_BURST;
        core->strangers.all_refill_ms = CORE_STRANGERS_REFILL_MS;
}

static int copy_drill_people(struct core *core)
{
        size_t count = core->options.drill_people_count;

        if (count > CHOOSE_MAX)
                return -EINVAL;
        core->drill_ids = calloc(count + 1, sizeof(*core->drill_ids));
        core->drill_people = calloc(count + 1, sizeof(*core->drill_people));
        if (core->drill_ids == NULL || core->drill_people == NULL)
                return -ENOMEM;
        for (size_t i = 0; i < count; i++) {
                if (!person_id_is_valid(core->options.drill_people[i]))
                        return -EINVAL;
                record_set_text(core->drill_ids[i], sizeof(core->drill_ids[i]), core->options.drill_people[i]);
                core->drill_people[i] = core->drill_ids[i];
        }
        core->options.drill_people = core->drill_people;
        return 0;
}

static void set_defaults(struct core_options *options)
{
        if (options->sessions_max == 0 || options->sessions_max > CORE_SESSIONS_MAX)
                options->sessions_max = CORE_SESSIONS_MAX;
        if (options->overdue_ms == 0)
                options->overdue_ms = CORE_OVERDUE_MS;
        if (options->overdue_no_coverage_ms == 0)
                options->overdue_no_coverage_ms = CORE_OVERDUE_NO_COVERAGE_MS;
        if (options->question_ms == 0)
                options->question_ms = CORE_QUESTION_MS;
}

int core_new(const struct core_options *options, struct core **ret_core)
{
        struct core *core = calloc(1, sizeof(*core));
        int r = core != NULL ? 0 : -ENOMEM;

        if (r < 0)
                goto out;
        core->options = *options;
        set_defaults(&core->options);
        record_set_text(core->region, sizeof(core->region), options->region);
        record_set_text(core->name, sizeof(core->name), options->name);
        record_set_text(core->control_number, sizeof(core->control_number), options->control_number);
        if (strcmp(core->region, options->region) != 0 || strcmp(core->name, options->name) != 0)
                r = -EINVAL;
        if (r < 0 || (r = copy_drill_people(core)) < 0 || (r = directory_init(&core->directory, options->seed)) < 0)
                goto out;
        init_tables(core);
        wheel_init(&core->wheel, 0);
        core->ready_end = &core->ready;
        core->late_end = &core->late;
        core->work_end = &core->work;
        core->unsynced_end = &core->unsynced;
        core->untested_end = &core->untested;
        core->ground = (struct alert_ground){ .people = &core->directory,
                                              .zones = options->zones,
                                              .barriers = options->barriers,
                                              .drill_people = core->drill_people,
                                              .drill_people_count = options->drill_people_count,
                                              .drill_announced = options->drill_announced,
                                              .hearing_since_ms = INT64_MAX,
                                              .sms = options->sms };
        *ret_core = core;
        core = NULL;
out:
        core_free(core);
        return r;
}

void core_free(struct core *core)
{
        struct open_alert *alert;
        struct fact *fact;

        if (core == NULL)
                return;
        for (size_t i = 0; (alert = table_next(&core->alerts, &i)) != NULL; i--)
                hold_drop(core, alert);
        while ((fact = core->unsynced) != NULL) {
                core->unsynced = fact->next;
                free(fact);
        }
        table_free(&core->sessions);
        table_free(&core->alerts);
        table_free(&core->flights);
        table_free(&core->tests);
        for (struct closed_alert *closed = core->closed_oldest; closed != NULL; closed = closed->newer)
                reclose_forget(core, closed);
        table_free(&core->closed);
        table_free(&core->notices);
        table_free(&core->scan.groups);
        table_free(&core->scan.opened);
        table_free(&core->scan.timed);
        table_free(&core->scan.overdue);
        table_free(&core->scan.fine);
        senders_free(&core->proved);
        senders_free(&core->strangers);
        senders_free(&core->texters);
        directory_free(&core->directory);
        free(core->scan.later);
        free(core->drill_ids);
        free(core->drill_people);
        free(core->trust);
        free(core);
}

/* ---- Actions -------------------------------------------------------------------------------------------------------- */

struct core_action *core_do(struct core *core, enum core_action_kind kind)
{
        struct core_action *action = &core->actions[core->action_count];

        assert(core->action_count < CORE_ACTIONS_MAX);
        core->action_count++;
        *action = (struct core_action){ .kind = kind };
        return action;
}

uint8_t *core_octets(struct core *core, size_t size)
{
        uint8_t *octets = core->octets + core->octet_count;
        size_t taken = (size + 7) & ~(size_t)7; /* what is put here may be a struct */

        assert(taken <= sizeof(core->octets) - core->octet_count);
        core->octet_count += taken;
        return octets;
}

struct cbor_span core_keep_octets(struct core *core, const void *data, size_t size)
{
        uint8_t *octets = size > 0 ? core_octets(core, size) : NULL;

        if (size > 0)
                memcpy(octets, data, size);
        return (struct cbor_span){ octets, size };
}

void core_send(struct core *core, const struct session *session, const struct frame *frame)
{
        uint8_t buf[FRAME_REGION_MAX];
        struct core_action *action;
        int n = frame_encode(frame, buf, sizeof(buf));

        assert(n > 0);
        action = core_do(core, DO_SEND);
        action->u.send.session = session->id;
        action->u.send.frame = core_keep_octets(core, buf, (size_t)n);
}

uint64_t core_append(struct core *core, struct cbor_span record)
{
        struct core_action *action;

        if (core->disk_full)
                return 0;
        action = core_do(core, DO_APPEND);
        action->u.append.number = ++core->appended;
        action->u.append.bytes = core_keep_octets(core, record.at, record.len);
        return core->appended;
}

/* One step of what there is to do.  False: nothing, or nothing that can be done now. */
static bool step(struct core *core)
{
        return session_step(core) || hold_step(core) || flow_synced(core) || offer_synced(core) || flow_step(core) ||
               meanwhile_step(core) || supervision_step(core) || duty_step(core);
}

bool core_next(struct core *core, struct core_action *ret_action)
{
        while (core->action_next == core->action_count) {
                core->action_next = core->action_count = core->octet_count = 0;
                if (!step(core))
                        return false;
        }
        *ret_action = core->actions[core->action_next++];
        return true;
}

int64_t core_due_ms(const struct core *core)
{
        int64_t due_ms = wheel_next((struct wheel *)&core->wheel), port_ms = port_due_ms(core);

        if (core->rest_ms > core->now_ms && core->rest_ms < due_ms)
                due_ms = core->rest_ms;
        return port_ms < due_ms ? port_ms : due_ms;
}

bool core_knows_number(const struct core *core, const char *number)
{
        return directory_who(&core->directory, number) != NULL;
}

const struct core_counters *core_counters(const struct core *core)
{
        return &core->counters;
}

/* ---- Events --------------------------------------------------------------------------------------------------------- */

static void positions(struct core *core, const struct core_event *event)
{
        bool up = event->u.state.up;

        if (up && !core->positions_up)
                duty_forget_asked(core);
        core->positions_up = up;
        core->ground.hearing_since_ms = up ? core->now_ms : INT64_MAX;
}

static void store(struct core *core, const struct core_event *event)
{
        bool up = event->u.state.up;

        land_store(core, up);
        if (!up) {
                offer_drop_tests(core);
                return;
        }
        core->store_epoch++;
        reclose_all(core);
        replay_look(core);
        duty_retell(core);
        notice_store_up(core);
}

static void disk(struct core *core, const struct core_event *event)
{
        bool good = event->u.state.up;

        core->disk_full = !good;
        if (good)
                flow_disk_good(core);
        else
                flow_disk_full(core);
        notice_technical(core, "disk_full", !good);
}

static void presence(struct core *core, const struct core_event *event)
{
        (void)core_load_presence(core, event->u.presence.person, &event->u.presence.presence);
}

static void committed(struct core *core, const struct core_event *event)
{
        if (!offer_proved(core, event))
                land(core, event);
}

static void command(struct core *core, const struct core_event *event)
{
        struct asking asking = { .path = BY_CONSOLE, .ref = event->u.command.ref };

        right_command(core, &event->u.command.command, &asking);
}

static void closed(struct core *core, const struct core_event *event)
{
        session_closed(core, event->u.closed.session);
}

static void synced(struct core *core, const struct core_event *event)
{
        core->synced = event->u.synced.up_to > core->synced ? event->u.synced.up_to : core->synced;
}

static void feed_alert(struct core *core, const struct core_event *event)
{
        land_feed(core, event->u.feed_alert.record, (enum alert_event)event->u.feed_alert.event);
}

static void feed_notice(struct core *core, const struct core_event *event)
{
        notice_fed(core, event->u.feed_notice.key, event->u.feed_notice.notice);
}

static void feed_duty(struct core *core, const struct core_event *event)
{
        duty_fed(core, event->u.feed_duty.person, event->u.feed_duty.duty);
}

static void found(struct core *core, const struct core_event *event)
{
        duty_found(core, &event->u.found);
}

static void tick(struct core *core, const struct core_event *event)
{
        port_tick(core);
}

static void (*const takes[])(struct core *core, const struct core_event *event) = {
        [CORE_OPENED] = session_opened,
        [CORE_FRAME] = session_frame,
        [CORE_CLOSED] = closed,
        [CORE_COMMAND] = command,
        [CORE_SYNCED] = synced,
        [CORE_COMMITTED] = committed,
        [CORE_FEED_ALERT] = feed_alert,
        [CORE_FEED_NOTICE] = feed_notice,
        [CORE_FEED_DUTY] = feed_duty,
        [CORE_PRESENCE] = presence,
        [CORE_DUTY_FOUND] = found,
        [CORE_SCAN] = supervision_scan,
        [CORE_PLACE] = place_came,
        [CORE_TIMER] = place_timer,
        [CORE_STORE] = store,
        [CORE_POSITIONS] = positions,
        [CORE_DISK] = disk,
        [CORE_TICK] = tick,
        [CORE_SMS_OBJECT] = sms_object_came,
        [CORE_SMS_TEXT] = sms_text_came,
        [CORE_SMS_REPORT] = sms_reported,
};

void core_handle(struct core *core, const struct core_event *event)
{
        assert(core->action_next == core->action_count);
        core->action_next = core->action_count = core->octet_count = 0;
        core->now_ms = event->now_ms;
        core->now_mono_ms = event->now_mono_ms;
        (void)wheel_advance(&core->wheel, event->now_ms);
        if (core->replayed)
                meanwhile_away(core); /* it may be away since before we began, and so for long */
        core->replayed = false;
        assert((size_t)event->kind < sizeof(takes) / sizeof(takes[0]) && takes[event->kind] != NULL);
        takes[event->kind](core, event);
}
