/* What a scan noted, told step by step: questions, notices that begin and end. */
#include <string.h>

#include "dispatcher/core_parts.h"

/* Notices that end or begin in one step. */
#define NOTICES_STEP 32

static void question(struct core *core, const struct core_found *found)
{
        const struct handset *handset = directory_handset(&core->directory, found->handset);
        struct frame frame = { .type = FRAME_QUESTION };

        core->counters.questions++;
        frame.u.request.request = ++core->questions;
        for (const struct session *s = handset != NULL ? handset->sessions : NULL; s != NULL; s = s->next_of_handset)
                if (s->welcome)
                        core_send(core, s, &frame);
}

static void question_by_sms(struct core *core, const struct core_found *found)
{
        struct core_action *action = core_do(core, DO_SMS_SAY);

        record_set_text(action->u.sms_say.to, sizeof(action->u.sms_say.to), supervision_number(core, found));
        action->u.sms_say.say.kind = SMS_OVERDUE;
        action->u.sms_say.about.what = SMS_QUESTION;
        record_set_text(action->u.sms_say.about.person, sizeof(action->u.sms_say.about.person),
                        found->duty.carrier_id);
        action = core_do(core, DO_CARRIER_DUTY);
        memcpy(action->u.carrier_duty.handset, found->handset, HANDSET_ID_SIZE);
        action->u.carrier_duty.duty = (const void *)core_keep_octets(core, &found->duty, sizeof(found->duty)).at;
        action->u.carrier_duty.heard_at_ms = found->heard_at_ms;
        action->u.carrier_duty.asked_ms = core->now_ms;
}

static void heard(struct core *core, const uint8_t id[HANDSET_ID_SIZE], int64_t at_ms)
{
        struct handset *handset = directory_handset(&core->directory, id);
        struct core_action *action = core_do(core, DO_HEARD);

        if (handset != NULL && at_ms > handset->heard_at_ms)
                handset->heard_at_ms = at_ms;
        if (handset != NULL && at_ms > handset->heard_told_ms)
                handset->heard_told_ms = at_ms;
        memcpy(action->u.heard.handset, id, HANDSET_ID_SIZE);
        action->u.heard.heard_at_ms = at_ms;
}

bool supervision_fine(struct core *core, const char *from)
{
        const struct overdue *overdue = table_find_text(&core->scan.overdue, from);
        struct fine *fine;

        if (overdue != NULL) {
                heard(core, overdue->handset, core->now_ms);
                return true;
        }
        fine = table_add_text(&core->scan.fine, from);
        if (fine != NULL)
                fine->at_ms = core->now_ms;
        return false;
}

static void tell_heard(struct core *core, const struct core_found *found)
{
        heard(core, found->handset, found->heard_at_ms);
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

static void publish(struct core *core, struct standing_notice *group)
{
        const struct standing_notice *standing = table_find_text(&core->notices, group->key);

        if (standing != NULL && is_known(&standing->notice, &group->notice))
                memcpy(group->notice.acked_by, standing->notice.acked_by, sizeof(group->notice.acked_by));
        notice_publish(core, group->key, &group->notice);
}

static bool publish_some(struct core *core)
{
        for (size_t i = 0; i < NOTICES_STEP; i++) {
                struct standing_notice *group = table_next(&core->scan.groups, &core->scan.publish_cursor);

                if (group == NULL)
                        return false;
                publish(core, group);
        }
        return true;
}

void supervision_placed(struct core *core, const struct opened *opened)
{
        struct standing_notice *group;
        size_t cursor = 0;

        while ((group = table_next(&core->scan.groups, &cursor)) != NULL)
                for (size_t i = 0; i < group->notice.name_count; i++) {
                        struct overdue_name *name = &group->notice.names[i];

                        if (name->heard_at_ms != opened->heard_ms || strcmp(name->carrier_id, opened->carrier) != 0)
                                continue;
                        name->has_place = true;
                        name->at = opened->at;
                        if (table_find_text(&core->notices, group->key) != NULL)
                                publish(core, group); /* else it is still to come, with the place */
                        return;
                }
}

static bool has_ended(const struct core *core, const struct standing_notice *standing)
{
        if (standing->notice.kind == NOTICE_OVERDUE)
                return core->scan.publishes && table_find(&core->scan.groups, standing->key) == NULL;
        return notice_has_ended(core, standing);
}

static bool end_some(struct core *core)
{
        for (size_t i = 0; i < NOTICES_STEP; i++) {
                struct standing_notice *standing = table_next(&core->notices, &core->scan.end_cursor);
                char key[NAME_MAX_OCTETS + 1];

                if (standing == NULL)
                        return false;
                if (!has_ended(core, standing)) {
                        notice_again(core, standing);
                        continue;
                }
                memcpy(key, standing->key, sizeof(key));
                notice_publish(core, key, NULL);
                core->scan.end_cursor--;
        }
        return true;
}

bool supervision_step(struct core *core)
{
        struct scan *scan = &core->scan;

        static void (*const does[])(struct core *, const struct core_found *) = {
                [LATER_ASK] = question,   [LATER_ASK_BY_SMS] = question_by_sms, [LATER_END] = end_duty,
                [LATER_OPEN] = place_ask, [LATER_HEARD] = tell_heard,
        };

        if (scan->later_done < scan->later_count) {
                for (size_t i = 0; i < CORE_STEP && scan->later_done < scan->later_count; i++, scan->later_done++)
                        does[scan->later[scan->later_done].what](core, &scan->later[scan->later_done].found);
                return true;
        }
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
