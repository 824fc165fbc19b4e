#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "dispatcher/core_state.h"

/* More than this share of all on duty overdue at once, and more than so many: not hundreds of people in need, but something
 * between them and us.  One notice, and nobody is asked. */
#define MASS_PERCENT       10
#define MASS_MIN           20
/* Nobody is overdue before presence could come in for so long: the positions' Redis was away, or we have just begun. */
#define HEARING_MS         180000
/* A duty ends by itself so long after its planned end; of one who was overdue by then, so long after that. */
#define DUTY_AFTER_MS      1800000
#define OVERDUE_AFTER_MS   43200000
/* Notices of single senders whose unverified alerts are kept back; more senders share one. */
#define SUPPRESSED_MAX     64
/* Such a notice is brought up to date so often at most, and is over when nothing was kept back for so long. */
#define SUPPRESSED_TOLD_MS 10000
#define SUPPRESSED_END_MS  600000
/* Notices that end or begin in one step. */
#define NOTICES_STEP       32

/* ---- Notices -------------------------------------------------------------------------------------------------------- */

static bool notice_equal(const struct notice *a, const struct notice *b)
{
        uint8_t one[NOTICE_MAX], other[NOTICE_MAX];
        int n = notice_encode(a, one, sizeof(one));

        return n > 0 && notice_encode(b, other, sizeof(other)) == n && memcmp(one, other, (size_t)n) == 0;
}

void supervision_notice(struct core *core, const char *key, const struct notice *notice)
{
        struct standing_notice *standing =
                notice != NULL ? table_add_text(&core->notices, key) : table_find_text(&core->notices, key);

        if (standing == NULL)
                return;
        if (notice == NULL) {
                table_remove(&core->notices, standing);
                return;
        }
        standing->notice = *notice;
        standing->touched_ms = core->now_ms;
}

void supervision_publish(struct core *core, const char *key, const struct notice *notice)
{
        struct standing_notice *standing = table_find_text(&core->notices, key);
        struct core_action *action;

        if (standing == NULL ? notice == NULL : notice != NULL && notice_equal(&standing->notice, notice))
                return;
        if (standing == NULL && core->notices.count == core->notices.max) {
                core->counters.notices_refused++;
                return;
        }
        action = core_do(core, DO_NOTICE);
        action->u.notice.key = (const char *)core_keep_octets(core, key, strlen(key) + 1).at;
        if (notice != NULL)
                action->u.notice.notice = (const void *)core_keep_octets(core, notice, sizeof(*notice)).at;
        supervision_notice(core, key, notice);
}

int supervision_ack(struct core *core, const char *key, const struct alert_actor *actor)
{
        const struct standing_notice *standing = table_find_text(&core->notices, key);
        struct notice notice;

        if (standing == NULL)
                return -ANSWER_UNKNOWN_ALERT;
        notice = standing->notice;
        if (notice.acked_by[0] == '\0')
                record_set_text(notice.acked_by, sizeof(notice.acked_by), actor->person);
        supervision_publish(core, key, &notice);
        return 0;
}

static void key_of(char key[NAME_MAX_OCTETS + 1], const char *kind, const char *name)
{
        size_t len = strlen(kind);

        memcpy(key, kind, len);
        record_set_text(key + len, NAME_MAX_OCTETS + 1 - len, name);
}

void supervision_technical(struct core *core, const char *cause, bool on)
{
        struct notice notice = { .kind = NOTICE_TECHNICAL, .rings = true, .since_ms = core->now_ms, .count = 1 };
        char name[NAME_MAX_OCTETS + 1], key[NAME_MAX_OCTETS + 1];
        const struct standing_notice *standing;

        key_of(name, core->name, ":");
        key_of(key, "tech:", name);
        key_of(name, key, cause);
        standing = table_find_text(&core->notices, name);
        if (standing != NULL)
                notice.since_ms = standing->notice.since_ms;
        record_set_text(notice.cause, sizeof(notice.cause), cause);
        supervision_publish(core, name, on ? &notice : NULL);
}

static size_t count_suppressed(const struct core *core)
{
        const struct standing_notice *standing;
        size_t count = 0;

        for (size_t i = 0; (standing = table_next(&core->notices, &i)) != NULL;)
                count += standing->notice.kind == NOTICE_UNVERIFIED;
        return count;
}

void supervision_suppressed(struct core *core, struct sender *sender)
{
        struct notice notice = { .kind = NOTICE_UNVERIFIED, .since_ms = core->now_ms };
        char text[SENDER_TEXT], key[NAME_MAX_OCTETS + 1];
        struct standing_notice *standing;

        hex_encode(sender->id, SENDER_SIZE, text);
        key_of(key, "unverified:", text);
        standing = table_find_text(&core->notices, key);
        if (standing == NULL && count_suppressed(core) >= SUPPRESSED_MAX) {
                sender = &core->others;
                key_of(key, "unverified:", "others");
                standing = table_find_text(&core->notices, key);
        }
        sender->suppressed++;
        if (sender->told_ms != 0 && core->now_ms - sender->told_ms < SUPPRESSED_TOLD_MS)
                return;
        if (standing != NULL)
                notice = standing->notice;
        notice.count += sender->suppressed;
        sender->suppressed = 0;
        sender->told_ms = core->now_ms;
        record_set_text(notice.cause, sizeof(notice.cause), "flood");
        supervision_publish(core, key, &notice);
}

/* ---- Who is not heard ----------------------------------------------------------------------------------------------- */

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

        if (core->ground.zones != NULL)
                silence.zone = zones_find(core->ground.zones, found->duty.zone_id);
        if (handset != NULL && handset->heard_at_ms > silence.heard_ms)
                silence.heard_ms = handset->heard_at_ms;
        silence.due_ms =
                silence.heard_ms +
                (silence.zone != NULL && silence.zone->no_coverage ? CORE_OVERDUE_NO_COVERAGE_MS : CORE_OVERDUE_MS);
        return silence;
}

static bool is_duty_over(const struct core *core, const struct silence *silence)
{
        int64_t end_ms = (int64_t)silence->found->duty.until_s * 1000 + DUTY_AFTER_MS;

        return core->now_ms > (silence->due_ms < end_ms ? end_ms + OVERDUE_AFTER_MS : end_ms);
}

/* The first NOTICE_NAMES_MAX by when they were last heard, then by id. */
static void add_name(struct core *core, struct notice *notice, const struct silence *silence)
{
        const struct carrier_duty *duty = &silence->found->duty;
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
}

static void add_to_group(struct core *core, const struct silence *silence)
{
        const char *zone_id = silence->found->duty.zone_id;
        char key[NAME_MAX_OCTETS + 1];
        struct standing_notice *group;
        struct notice *notice;

        key_of(key, "overdue:", zone_id[0] != '\0' ? zone_id : "none");
        group = table_add_text(&core->scan.groups, key);
        if (group == NULL)
                return; /* as many groups as notices: there are not so many zones */
        notice = &group->notice;
        if (notice->count++ == 0) {
                notice->kind = NOTICE_OVERDUE;
                notice->rings = true;
                notice->since_ms = silence->due_ms + CORE_QUESTION_MS;
                record_set_text(notice->zone_id, sizeof(notice->zone_id), zone_id);
                record_set_text(notice->zone_name, sizeof(notice->zone_name),
                                silence->zone != NULL ? silence->zone->name : "");
                record_set_text(notice->cause, sizeof(notice->cause),
                                silence->zone != NULL && silence->zone->no_coverage ? "no_coverage" : "silent");
        }
        if (silence->due_ms + CORE_QUESTION_MS < notice->since_ms)
                notice->since_ms = silence->due_ms + CORE_QUESTION_MS;
        add_name(core, notice, silence);
}

/* FOUND is to be told something in a later step: asked, or (ON false) that its duty is over. */
static void later(struct core *core, const struct core_found *found, bool on)
{
        core->scan.ask[core->scan.ask_count] = *found;
        core->scan.ask[core->scan.ask_count++].on_duty = on;
}

static void look_at(struct core *core, const struct silence *silence)
{
        struct handset *handset = directory_handset(&core->directory, silence->found->handset);

        if (handset != NULL && handset->real != NULL)
                return; /* its alert shows since when it is silent */
        if (is_duty_over(core, silence)) {
                later(core, silence->found, false);
                return;
        }
        if (core->now_ms < silence->due_ms)
                return;
        core->counters.overdue++;
        if (handset != NULL && handset->asked_heard_ms != silence->heard_ms) {
                handset->asked_heard_ms = silence->heard_ms;
                later(core, silence->found, true);
        }
        if (core->now_ms >= silence->due_ms + CORE_QUESTION_MS)
                add_to_group(core, silence);
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
        supervision_publish(core, key, mass ? &notice : NULL);
}

void supervision_scan(struct core *core, const struct core_event *event)
{
        struct scan *scan = &core->scan;
        int64_t hearing_ms = core->positions_up ? core->now_ms - core->ground.hearing_since_ms : 0;
        bool mass = false;

        duty_retell(core);
        if (hearing_ms < HEARING_MS || event->u.scan.count > CORE_SCAN_MAX)
                return;
        if (scan->ask == NULL) {
                scan->ask = calloc(CORE_SCAN_MAX, sizeof(*scan->ask));
                assert(scan->ask != NULL);
        }
        table_free(&scan->groups);
        scan->ask_count = scan->ask_done = 0;
        scan->publish_cursor = scan->end_cursor = 0;
        core->counters.overdue = 0;
        mass = is_mass(core, event);
        scan->ends = scan->publishes = hearing_ms >= HEARING_MS + CORE_QUESTION_MS;
        if (scan->publishes)
                tell_mass(core, event, mass);
        scan->publishes = scan->publishes && !mass;
        for (size_t i = 0; !mass && i < event->u.scan.count; i++) {
                struct silence silence = silence_of(core, &event->u.scan.late[i]);

                look_at(core, &silence);
        }
}

/* ---- Telling it, step by step --------------------------------------------------------------------------------------- */

static void question(struct core *core, const struct core_found *found)
{
        const struct handset *handset = directory_handset(&core->directory, found->handset);
        const char *number = directory_number(&core->directory, found->duty.carrier_id);
        struct frame frame = { .type = FRAME_QUESTION };
        struct core_action *action = core_do(core, DO_SMS_DUE);

        core->counters.questions++;
        if (number[0] == '\0' && handset != NULL && handset->known)
                number = handset->entry.number;
        memcpy(action->u.sms_due.handset, found->handset, HANDSET_ID_SIZE);
        record_set_text(action->u.sms_due.number, sizeof(action->u.sms_due.number), number);
        frame.u.request.request = ++core->questions;
        for (const struct session *s = handset != NULL ? handset->sessions : NULL; s != NULL; s = s->next_of_handset)
                if (s->welcome)
                        core_send(core, s, &frame);
}

static void end_duty(struct core *core, const struct core_found *found)
{
        struct handset *handset = directory_handset(&core->directory, found->handset);
        struct core_action *action = core_do(core, DO_CARRIER_DUTY);

        if (handset != NULL)
                handset_set_duty(handset, NULL);
        memcpy(action->u.carrier_duty.handset, found->handset, HANDSET_ID_SIZE);
        action->u.carrier_duty.heard_at_ms = found->heard_at_ms;
}

/* Whether all whom NEWER names are in OLDER already, and no more: who acknowledged that one knows. */
static bool is_known(const struct notice *older, const struct notice *newer)
{
        bool found = newer->count <= older->count;

        for (size_t i = 0; found && i < newer->name_count; i++) {
                found = false;
                for (size_t j = 0; !found && j < older->name_count; j++)
                        found = strcmp(newer->names[i].carrier_id, older->names[j].carrier_id) == 0;
        }
        return found;
}

static bool publish_some(struct core *core)
{
        for (size_t i = 0; i < NOTICES_STEP; i++) {
                struct standing_notice *group = table_next(&core->scan.groups, &core->scan.publish_cursor);
                const struct standing_notice *standing;

                if (group == NULL)
                        return false;
                standing = table_find_text(&core->notices, group->key);
                if (standing != NULL && is_known(&standing->notice, &group->notice))
                        memcpy(group->notice.acked_by, standing->notice.acked_by, sizeof(group->notice.acked_by));
                supervision_publish(core, group->key, &group->notice);
        }
        return true;
}

static bool has_ended(const struct core *core, const struct standing_notice *standing)
{
        if (standing->notice.kind == NOTICE_OVERDUE)
                return core->scan.publishes && table_find(&core->scan.groups, standing->key) == NULL;
        return standing->notice.kind == NOTICE_UNVERIFIED && core->now_ms - standing->touched_ms > SUPPRESSED_END_MS;
}

static bool end_some(struct core *core)
{
        for (size_t i = 0; i < NOTICES_STEP; i++) {
                struct standing_notice *standing = table_next(&core->notices, &core->scan.end_cursor);
                char key[NAME_MAX_OCTETS + 1];

                if (standing == NULL)
                        return false;
                if (!has_ended(core, standing))
                        continue;
                memcpy(key, standing->key, sizeof(key));
                supervision_publish(core, key, NULL);
                core->scan.end_cursor--;
        }
        return true;
}

bool supervision_step(struct core *core)
{
        struct scan *scan = &core->scan;

        for (size_t i = 0; i < CORE_STEP && scan->ask_done < scan->ask_count; i++, scan->ask_done++)
                (scan->ask[scan->ask_done].on_duty ? question : end_duty)(core, &scan->ask[scan->ask_done]);
        if (scan->ask_done < scan->ask_count)
                return true;
        if (scan->ends) { /* before those that begin, so that they have room */
                scan->ends = end_some(core);
                return true;
        }
        if (scan->publishes) {
                scan->publishes = publish_some(core);
                return true;
        }
        return false;
}
