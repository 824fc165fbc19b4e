#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/core_parts.h"

struct open_alert *hold_find(const struct core *core, const uint8_t id[ALERT_ID_SIZE])
{
        return table_find(&core->alerts, id);
}

static void on_due(struct wheel_timer *timer, int64_t now_ms)
{
        struct core *core = timer->user;
        struct open_alert *alert = (struct open_alert *)((char *)timer - offsetof(struct open_alert, due));

        alert->due_now = true;
        flow_ready(core, alert);
}

static void on_kept(struct wheel_timer *timer, int64_t now_ms)
{
        struct open_alert *alert = (struct open_alert *)((char *)timer - offsetof(struct open_alert, kept));

        meanwhile_late(timer->user, alert);
}

void hold_look_at(struct core *core, struct open_alert *alert, int64_t at_ms)
{
        if (!wheel_timer_is_armed(&alert->kept) || at_ms < alert->kept.due_mono_ms)
                wheel_arm(&core->wheel, &alert->kept, at_ms);
}

struct open_alert *hold_need(struct core *core, const uint8_t id[ALERT_ID_SIZE])
{
        size_t before = core->alerts.count;
        struct open_alert *alert = table_add(&core->alerts, id);

        if (core->alerts.count > before) {
                wheel_timer_init(&alert->due, on_due, core);
                wheel_timer_init(&alert->kept, on_kept, core);
        }
        return alert;
}

void hold_record(const struct open_alert *alert, struct record *ret_record)
{
        *ret_record = (struct record){ 0 };
        if (alert->version != 0) {
                int r = record_decode(alert->record, alert->record_size, ret_record);

                assert(r == 0); /* it was read before it was kept */
        }
}

void hold_meant(const struct open_alert *alert, struct record *ret_record)
{
        if (alert->meanwhile != NULL)
                *ret_record = *alert->meanwhile;
        else
                hold_record(alert, ret_record);
}

bool hold_is_there(const struct open_alert *alert)
{
        return alert->version != 0 || alert->meanwhile != NULL;
}

/* ---- Who is on it ------------------------------------------------------------------------------------------------- */

/* The place in its handset where an alert with MARKS stands; NULL: none, it is unverified. */
static struct open_alert **place_of(struct handset *handset, uint32_t marks)
{
        return (marks & RECORD_UNVERIFIED) != 0 ? NULL : (marks & RECORD_DRILL) != 0 ? &handset->drill : &handset->real;
}

static void gauge(struct core *core, uint32_t marks, int by)
{
        core->counters.open_alerts += by;
        if ((marks & RECORD_UNVERIFIED) != 0)
                core->counters.open_unverified += by;
        else if ((marks & RECORD_DRILL) != 0)
                core->counters.open_drills += by;
}

void hold_unplace(struct core *core, struct open_alert *alert)
{
        struct open_alert **place = alert->handset != NULL ? place_of(alert->handset, alert->marks) : NULL, *other;

        if (place == NULL || *place != alert)
                return;
        *place = NULL;
        for (size_t i = 0;
             alert->handset->alert_count > 1 && *place == NULL && (other = table_next(&core->alerts, &i)) != NULL;)
                if (other != alert && other->handset == alert->handset &&
                    place_of(other->handset, other->marks) == place)
                        *place = other;
}

void hold_unclaim(struct core *core, struct open_alert *alert)
{
        if (alert->handset == NULL)
                return;
        hold_unplace(core, alert);
        alert->handset->alert_count--;
        gauge(core, alert->marks, -1);
        directory_handset_tidy(&core->directory, alert->handset);
        alert->handset = NULL;
}

void hold_claim(struct core *core, struct open_alert *alert, const uint8_t id[HANDSET_ID_SIZE], uint32_t marks)
{
        struct handset *handset = directory_handset_need(&core->directory, id);
        struct open_alert **place;

        if (handset == NULL)
                return;
        place = place_of(handset, marks);
        if (alert->handset != handset || ((alert->marks ^ marks) & (RECORD_UNVERIFIED | RECORD_DRILL)) != 0) {
                handset->alert_count++; /* so that hold_unclaim() does not forget it */
                hold_unclaim(core, alert);
                alert->handset = handset;
                gauge(core, marks, 1);
        }
        alert->marks = marks;
        if (place != NULL && *place == NULL)
                *place = alert;
}

static void set_owner(struct core *core, struct open_alert *alert, const char *owner)
{
        struct person *before = directory_person(&core->directory, alert->owner);
        struct person *now = directory_person(&core->directory, owner);

        if (before != now && before != NULL && before->busy_count > 0)
                person_take_alert(&core->directory, before, -1);
        if (before != now && now != NULL)
                person_take_alert(&core->directory, now, 1);
        record_set_text(alert->owner, sizeof(alert->owner), owner);
}

void hold_set(struct core *core, struct open_alert *alert, const struct record *record, struct cbor_span bytes)
{
        uint8_t *copy = malloc(bytes.len);

        assert(copy != NULL);
        hold_raised(core, record);
        meanwhile_follow(core, alert, record);
        memcpy(copy, bytes.at, bytes.len);
        free(alert->record);
        alert->record = copy;
        alert->record_size = bytes.len;
        alert->version = alert->stored = record->version;
        if (record->version > alert->highest)
                alert->highest = record->version;
        else if (record->version < alert->highest)
                flow_ready(core, alert); /* once more, above that */
        hold_claim(core, alert, record->handset, record->marks);
        alert->state = (uint8_t)record->state;
        alert->marks = record->marks;
        set_owner(core, alert, record->owner_id);
        alert->asked_count = record->asked_count;
        for (size_t i = 0; i < record->asked_count; i++)
                alert->asked[i] = person_mark(record->asked[i].id);
        alert->due_now = alert->bring_back = alert->look = alert->recloses = alert->unreadable = false;
        alert->loaded = true;
        wheel_arm(&core->wheel, &alert->due, record->due_ms + core->options.rank * CORE_RANK_MS);
        meanwhile_rebase(core, alert, record);
}

void hold_drop(struct core *core, struct open_alert *alert)
{
        meanwhile_end(core, alert);
        set_owner(core, alert, "");
        hold_unclaim(core, alert);
        wheel_cancel(&core->wheel, &alert->due);
        wheel_cancel(&core->wheel, &alert->kept);
        for (size_t i = 0; i < alert->queued; i++) {
                alert->queue[i]->alert = NULL;
                core->counters.waiting -= flow_waits(alert->queue[i]);
                if (alert->queue[i]->state != FACT_WAITS) /* else it is freed when the journal has it */
                        free(alert->queue[i]);
        }
        if (alert->flight != FLIGHT_NONE)
                table_remove(&core->flights, table_find(&core->flights, &alert->token));
        core->counters.commits = (int64_t)core->flights.count;
        for (struct open_alert **at = &core->ready; alert->in_ready && *at != NULL; at = &(*at)->next_ready)
                if (*at == alert) {
                        *at = alert->next_ready;
                        if (*at == NULL)
                                core->ready_end = at;
                        break;
                }
        for (struct open_alert **at = &core->late; alert->in_late && *at != NULL; at = &(*at)->next_late)
                if (*at == alert) {
                        *at = alert->next_late;
                        if (*at == NULL)
                                core->late_end = at;
                        break;
                }
        free(alert->reports);
        free(alert->record);
        free(alert->proposal);
        table_remove(&core->alerts, alert);
}

void hold_wait(struct open_alert *alert, const struct waiting *waiting)
{
        for (size_t i = 0; i < alert->waiting_count; i++)
                if (alert->waiting[i].session == waiting->session &&
                    strcmp(alert->waiting[i].number, waiting->number) == 0 &&
                    memcmp(alert->waiting[i].as, waiting->as, ALERT_ID_SIZE) == 0)
                        return;
        if (alert->waiting_count == ALERT_WAITING_MAX)
                memmove(alert->waiting, alert->waiting + 1, --alert->waiting_count * sizeof(*alert->waiting));
        alert->waiting[alert->waiting_count++] = *waiting;
}

void hold_wait_move(struct open_alert *from, struct open_alert *alert, const uint8_t as[ALERT_ID_SIZE])
{
        size_t kept = 0;

        for (size_t i = 0; i < from->waiting_count; i++)
                if (memcmp(from->waiting[i].as, as, ALERT_ID_SIZE) != 0)
                        from->waiting[kept++] = from->waiting[i];
                else if (alert != NULL)
                        hold_wait(alert, &from->waiting[i]);
        from->waiting_count = (uint8_t)kept;
}

/* Whether BYTES is the very record that we have.  After a failover another may have its number. */
static bool is_ours(const struct open_alert *alert, const struct record *record, struct cbor_span bytes)
{
        return record->version == alert->version && bytes.len == alert->record_size &&
               memcmp(bytes.at, alert->record, bytes.len) == 0;
}

void hold_load(struct core *core, struct open_alert *alert, const struct record *record, struct cbor_span bytes)
{
        alert->loaded = true;
        if (is_ours(alert, record, bytes)) {
                alert->stored = record->version;
                if (alert->meanwhile != NULL)
                        flow_ready(core, alert); /* who was asked in that time */
                return;
        }
        alert->untold = record->version >= alert->version && core->sessions.count > 0;
        flow_again(core, alert); /* a failover may have lost what it had acknowledged, and gone on from there */
        if (record->version <= alert->version)
                meanwhile_keep(core, alert);
        hold_set(core, alert, record, bytes);
        alert->close_again = hold_closed(core, alert->id) != NULL; /* a closure too: it is final */
        if (alert->close_again)
                flow_ready(core, alert);
}

bool hold_step(struct core *core)
{
        struct open_alert *alert;
        struct record record;

        if (!core->tells_loaded)
                return false;
        if (core->loaded_generation != core->alerts.generation)
                core->loaded_cursor = 0;
        core->loaded_generation = core->alerts.generation;
        while ((alert = table_next(&core->alerts, &core->loaded_cursor)) != NULL && !alert->untold)
                ;
        core->tells_loaded = alert != NULL;
        if (alert == NULL)
                return true;
        alert->untold = false;
        hold_record(alert, &record);
        tell_alert(core, alert, &record);
        return true;
}

/* Whether RECORD, which came by EVENT right after what we have, has nothing new for people. */
static bool is_quiet(const struct open_alert *alert, const struct record *record, enum alert_event event)
{
        return event == EVENT_SMS && record->version == alert->version + 1 &&
               record->asked_count == alert->asked_count && record->marks == alert->marks;
}

void hold_adopt(struct core *core, struct open_alert *alert, const struct record *record, struct cbor_span bytes,
                enum alert_event event)
{
        struct tombstone tombstone;
        bool quiet = is_quiet(alert, record, event);

        if (record->state == ALERT_CLOSED) {
                tombstone = hold_tombstone(record);
                hold_gone(core, alert, &tombstone, record);
        } else if (is_ours(alert, record, bytes)) {
                alert->stored = record->version;
        } else if (record->version >= alert->version) {
                if (record->version == alert->version) {
                        flow_again(core, alert);
                        meanwhile_keep(core, alert);
                }
                hold_set(core, alert, record, bytes);
                if (quiet)
                        tell_waiting(core, alert, record);
                else
                        tell_alert(core, alert, record);
        }
}
