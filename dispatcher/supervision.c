/* Who is not heard: what is to be done about each, noted in a scan. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/core_parts.h"

/* More than this share of all on duty overdue at once, and more than so many: not hundreds of people in need, but something
 * between them and us.  One notice, and nobody is asked. */
#define MASS_PERCENT     10
#define MASS_MIN         20
/* Nobody is overdue before presence could come in for a fifth of the time that makes one so (3 min): the positions' Redis was away, or
 * we have just begun. */
#define HEARING_PART     5
/* A duty ends by itself so long after its planned end; of one who was overdue by then, so long after that. */
#define DUTY_AFTER_MS    1800000
#define OVERDUE_AFTER_MS 43200000

const char *supervision_number(const struct core *core, const struct core_found *found)
{
        const struct handset *handset = directory_handset(&core->directory, found->handset);
        const char *number = directory_number(&core->directory, found->duty.carrier_id);

        return number[0] == '\0' && handset != NULL && handset->known ? handset->entry.number : number;
}

/* One carrier on duty, not heard. */
struct silence {
        const struct core_found *found;
        const struct zone *zone;  /* of the round; NULL: none known */
        int64_t heard_ms, due_ms; /* asked from then on */
};

static struct silence silence_of(const struct core *core, const struct core_found *found)
{
        const struct handset *handset = directory_handset(&core->directory, found->handset);
        struct silence silence = { .found = found, .heard_ms = found->heard_at_ms };
        const struct timed *timed;
        const struct fine *fine;

        if (core->ground.zones != NULL)
                silence.zone = zones_find(core->ground.zones, found->duty.zone_id);
        if (handset != NULL && handset->heard_at_ms > silence.heard_ms)
                silence.heard_ms = handset->heard_at_ms;
        fine = table_find_text(&core->scan.fine, supervision_number(core, found));
        if (fine != NULL && fine->at_ms > silence.heard_ms)
                silence.heard_ms = fine->at_ms;
        silence.due_ms = silence.heard_ms + (silence.zone != NULL && silence.zone->no_coverage
                                                     ? core->options.overdue_no_coverage_ms
                                                     : core->options.overdue_ms);
        timed = place_timed(core, found->handset, silence.heard_ms);
        if (timed != NULL && timed->due_ms < silence.due_ms)
                silence.due_ms = timed->due_ms;
        return silence;
}

static bool is_duty_over(const struct core *core, const struct silence *silence)
{
        int64_t end_ms = (int64_t)silence->found->duty.until_s * 1000 + DUTY_AFTER_MS;

        return core->now_ms > (silence->due_ms < end_ms ? end_ms + OVERDUE_AFTER_MS : end_ms);
}

/* Where a carrier was, as the keeper opened it for us, or for another dispatcher, which said so in the notice that stands; NULL: not known. */
static const struct track_point *place_of(const struct core *core, const char *key, const struct silence *silence)
{
        const struct opened *opened = place_opened(core, silence->found, silence->heard_ms);
        const struct standing_notice *standing = table_find_text(&core->notices, key);

        if (opened != NULL)
                return &opened->at;
        for (size_t i = 0; standing != NULL && i < standing->notice.name_count; i++) {
                const struct overdue_name *name = &standing->notice.names[i];

                if (name->has_place && name->heard_at_ms == silence->heard_ms &&
                    strcmp(name->carrier_id, silence->found->duty.carrier_id) == 0)
                        return &name->at;
        }
        return NULL;
}

/* The first NOTICE_NAMES_MAX by when they were last heard, then by id. */
static void add_name(struct core *core, const char *key, struct notice *notice, const struct silence *silence)
{
        const struct carrier_duty *duty = &silence->found->duty;
        const struct track_point *place = place_of(core, key, silence);
        size_t at = notice->name_count;
        struct overdue_name *name;

        while (at > 0 && (notice->names[at - 1].heard_at_ms > silence->heard_ms ||
                          (notice->names[at - 1].heard_at_ms == silence->heard_ms &&
                           strcmp(notice->names[at - 1].carrier_id, duty->carrier_id) > 0)))
                at--;
        if (at == NOTICE_NAMES_MAX)
                return;
        if (notice->name_count < NOTICE_NAMES_MAX)
                notice->name_count++;
        memmove(notice->names + at + 1, notice->names + at, (notice->name_count - 1u - at) * sizeof(*name));
        name = &notice->names[at];
        *name = (struct overdue_name){ .heard_at_ms = silence->heard_ms };
        record_set_text(name->carrier_id, sizeof(name->carrier_id), duty->carrier_id);
        record_set_text(name->carrier_name, sizeof(name->carrier_name),
                        directory_name(&core->directory, duty->carrier_id));
        record_set_text(name->number, sizeof(name->number), directory_number(&core->directory, duty->carrier_id));
        record_set_text(name->round, sizeof(name->round), duty->round);
        name->has_place = place != NULL;
        if (place != NULL)
                name->at = *place;
}

/* Why there is silence, as far as one knows: by the last words, else by the zone. */
static const char *cause_of(const struct silence *silence)
{
        switch (silence->found->duty.cause) {
        case HEARTBEAT_BATTERY_LOW:
                return "battery_low";
        case HEARTBEAT_POWER_OFF:
                return "power_off";
        default:
                return silence->zone != NULL && silence->zone->no_coverage ? "no_coverage" : "silent";
        }
}

/* "overdue:ZONE", and behind it ":CAUSE" where there were last words. */
static void group_key(char key[NAME_MAX_OCTETS + 1], const struct silence *silence)
{
        const char *zone_id = silence->found->duty.zone_id;
        char zone[NAME_MAX_OCTETS + 1], before[NAME_MAX_OCTETS + 1];

        notice_key(key, "overdue:", zone_id[0] != '\0' ? zone_id : "none");
        if (silence->found->duty.cause != HEARTBEAT_BATTERY_LOW && silence->found->duty.cause != HEARTBEAT_POWER_OFF)
                return;
        memcpy(zone, key, sizeof(zone));
        notice_key(before, zone, ":");
        notice_key(key, before, cause_of(silence));
}

static void add_to_group(struct core *core, const struct silence *silence)
{
        const char *zone_id = silence->found->duty.zone_id;
        char key[NAME_MAX_OCTETS + 1];
        struct standing_notice *group;
        struct notice *notice;

        group_key(key, silence);
        group = table_add_text(&core->scan.groups, key);
        if (group == NULL)
                return; /* as many groups as notices: there are not so many zones */
        notice = &group->notice;
        if (notice->count++ == 0) {
                notice->kind = NOTICE_OVERDUE;
                notice->rings = true;
                notice->since_ms = silence->due_ms + core->options.question_ms;
                record_set_text(notice->zone_id, sizeof(notice->zone_id), zone_id);
                record_set_text(notice->zone_name, sizeof(notice->zone_name),
                                silence->zone != NULL ? silence->zone->name : "");
                record_set_text(notice->cause, sizeof(notice->cause), cause_of(silence));
        }
        if (silence->due_ms + core->options.question_ms < notice->since_ms)
                notice->since_ms = silence->due_ms + core->options.question_ms;
        add_name(core, key, notice, silence);
}

/* In a later step: WHAT is to be done about SILENCE. */
static void later(struct core *core, const struct silence *silence, enum later what)
{
        struct later_item *item;

        assert(core->scan.later_count < SCAN_LATER_MAX);
        item = &core->scan.later[core->scan.later_count++];
        *item = (struct later_item){ .found = *silence->found, .what = what };
        item->found.heard_at_ms = silence->heard_ms;
}

/* One dispatcher asks by SMS, and notes it where the others look; the next one does if that one is gone. */
static bool is_sms_due(const struct core *core, const struct handset *handset, const struct silence *silence)
{
        return core->options.sms && handset->sms_heard_ms != silence->heard_ms &&
               silence->found->duty.asked_ms <= silence->heard_ms &&
               core->now_ms >= silence->due_ms + core->options.rank * CORE_QUESTION_RANK_MS;
}

static void ask(struct core *core, struct handset *handset, const struct silence *silence)
{
        const char *number = supervision_number(core, silence->found);
        struct overdue *overdue = number[0] != '\0' ? table_add_text(&core->scan.overdue, number) : NULL;

        if (overdue != NULL)
                memcpy(overdue->handset, handset->id, HANDSET_ID_SIZE);
        if (handset->asked_heard_ms != silence->heard_ms) {
                handset->asked_heard_ms = silence->heard_ms;
                later(core, silence, LATER_ASK);
        }
        if (number[0] != '\0' && is_sms_due(core, handset, silence)) {
                handset->sms_heard_ms = silence->heard_ms;
                later(core, silence, LATER_ASK_BY_SMS);
        }
}

/* It rings by now: one dispatcher has the place opened, of the timer where there is one, and says it in the notice; the next one does if that
 * one is gone. */
static void open_later(struct core *core, const struct silence *silence)
{
        const struct timed *timed = place_timed(core, silence->found->handset, silence->heard_ms);
        struct silence opened = *silence;
        char key[NAME_MAX_OCTETS + 1];

        if (timed != NULL)
                opened.found = &timed->found;
        group_key(key, silence);
        if (core->now_ms >= silence->due_ms + core->options.question_ms + core->options.rank * CORE_QUESTION_RANK_MS &&
            place_of(core, key, silence) == NULL && place_is_to_be_asked(core, opened.found, silence->heard_ms))
                later(core, &opened, LATER_OPEN);
}

static void look_at(struct core *core, const struct silence *silence)
{
        struct handset *handset = directory_handset(&core->directory, silence->found->handset);

        if (silence->heard_ms > silence->found->heard_at_ms)
                later(core, silence, LATER_HEARD); /* else another one says, by {r}:duty, what we would take back */
        if (handset != NULL && handset->real != NULL)
                return; /* its alert shows since when it is silent */
        if (is_duty_over(core, silence)) {
                later(core, silence, LATER_END);
                return;
        }
        if (core->now_ms < silence->due_ms)
                return;
        core->counters.overdue++;
        if (handset != NULL)
                ask(core, handset, silence);
        if (core->now_ms < silence->due_ms + core->options.question_ms)
                return;
        add_to_group(core, silence);
        open_later(core, silence);
}

/* So many overdue at once that it is one cause. */
static bool is_mass(const struct core *core, const struct core_event *event)
{
        size_t late = 0, limit = event->u.scan.total * MASS_PERCENT / 100;

        if (event->u.scan.late_total > event->u.scan.count)
                return true;
        for (size_t i = 0; i < event->u.scan.count; i++) {
                struct silence silence = silence_of(core, &event->u.scan.late[i]);

                late += core->now_ms >= silence.due_ms && !is_duty_over(core, &silence);
        }
        return late > (limit > MASS_MIN ? limit : MASS_MIN);
}

static void tell_mass(struct core *core, const struct core_event *event, bool mass)
{
        const char *key = "tech:region:mass_silence";
        const struct standing_notice *standing = table_find_text(&core->notices, key);
        struct notice notice = { .kind = NOTICE_TECHNICAL, .rings = true, .since_ms = core->now_ms };

        if (standing != NULL)
                notice = standing->notice;
        notice.count = (uint32_t)event->u.scan.late_total;
        record_set_text(notice.cause, sizeof(notice.cause), "mass_silence");
        notice_publish(core, key, mass ? &notice : NULL);
}

/* Those whose timer is past its end, and who are not silent for so long that the scan has them anyway. */
static void look_at_timers(struct core *core, const struct core_event *event)
{
        const struct timed *timed;
        size_t cursor = 0, i;

        while ((timed = table_next(&core->scan.timed, &cursor)) != NULL) {
                struct silence silence = silence_of(core, &timed->found);

                for (i = 0; i < event->u.scan.count; i++)
                        if (memcmp(event->u.scan.late[i].handset, timed->handset, HANDSET_ID_SIZE) == 0)
                                break;
                if (i == event->u.scan.count && place_timed(core, timed->handset, silence.heard_ms) != NULL)
                        look_at(core, &silence);
        }
}

static void forget_fine(struct core *core)
{
        struct fine *fine;
        size_t cursor = 0;

        while ((fine = table_next(&core->scan.fine, &cursor)) != NULL)
                if (fine->at_ms + FINE_KEPT_MS < core->now_ms) {
                        table_remove(&core->scan.fine, fine);
                        cursor--;
                }
}

void supervision_scan(struct core *core, const struct core_event *event)
{
        struct scan *scan = &core->scan;
        int64_t hearing_ms = core->positions_up ? core->now_ms - core->ground.hearing_since_ms : 0;
        int64_t enough_ms = core->options.overdue_ms / HEARING_PART;
        bool mass = false;

        duty_retell(core);
        forget_fine(core);
        scan->ends = true;
        scan->end_cursor = 0;
        if (hearing_ms < enough_ms || event->u.scan.count > CORE_SCAN_MAX)
                return;
        if (scan->later == NULL) {
                scan->later = calloc(SCAN_LATER_MAX, sizeof(*scan->later));
                assert(scan->later != NULL);
        }
        table_free(&scan->groups);
        table_free(&scan->overdue);
        scan->later_count = scan->later_done = 0;
        scan->publish_cursor = 0;
        core->counters.overdue = 0;
        mass = is_mass(core, event);
        scan->publishes = hearing_ms >= enough_ms + core->options.question_ms;
        if (scan->publishes)
                tell_mass(core, event, mass);
        scan->publishes = scan->publishes && !mass;
        for (size_t i = 0; !mass && i < event->u.scan.count; i++) {
                struct silence silence = silence_of(core, &event->u.scan.late[i]);

                look_at(core, &silence);
        }
        if (!mass)
                look_at_timers(core, event);
}
