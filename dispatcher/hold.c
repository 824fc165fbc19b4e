#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/core_state.h"
#include "dispatcher/intake.h"

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

/* Its handset's next press is another alert. */
static void unplace(struct open_alert *alert)
{
        struct open_alert **place = alert->handset != NULL ? place_of(alert->handset, alert->marks) : NULL;

        if (place != NULL && *place == alert)
                *place = NULL;
}

static void unclaim(struct core *core, struct open_alert *alert)
{
        if (alert->handset == NULL)
                return;
        unplace(alert);
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
        handset->alert_count++; /* so that unclaim() does not forget it */
        unclaim(core, alert);
        alert->handset = handset;
        alert->marks = marks;
        place = place_of(handset, marks);
        if (place != NULL && *place == NULL)
                *place = alert;
        gauge(core, marks, 1);
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
        memcpy(copy, bytes.at, bytes.len);
        free(alert->record);
        alert->record = copy;
        alert->record_size = bytes.len;
        alert->version = alert->stored = record->version;
        if (record->version > alert->highest)
                alert->highest = record->version;
        hold_claim(core, alert, record->handset, record->marks);
        alert->state = (uint8_t)record->state;
        alert->marks = record->marks;
        set_owner(core, alert, record->owner_id);
        alert->asked_count = record->asked_count;
        for (size_t i = 0; i < record->asked_count; i++)
                alert->asked[i] = person_mark(record->asked[i].id);
        alert->due_now = alert->bring_back = alert->look = alert->unreadable = false;
        alert->loaded = true;
        wheel_arm(&core->wheel, &alert->due, record->due_ms + core->options.rank * CORE_RANK_MS);
}

void hold_drop(struct core *core, struct open_alert *alert)
{
        meanwhile_end(core, alert);
        set_owner(core, alert, "");
        unclaim(core, alert);
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

/* ---- The end ------------------------------------------------------------------------------------------------------- */

struct tombstone hold_tombstone(const struct record *record)
{
        struct tombstone tombstone = { .version = record->version,
                                       .state = record_receipt_state(record),
                                       .closed_at_ms = record->closed_at_ms,
                                       .revision = record->revision,
                                       .marks = record->marks };

        record_set_text(tombstone.who, sizeof(tombstone.who), record->closed_by_name);
        for (size_t i = 0; i < record->alias_count; i++) /* it goes under each id of it */
                if (record->aliases[i].revision > tombstone.revision)
                        tombstone.revision = record->aliases[i].revision;
        return tombstone;
}

const struct closed_alert *hold_closed(const struct core *core, const uint8_t id[ALERT_ID_SIZE])
{
        return table_find(&core->closed, id);
}

void hold_remember_id(struct core *core, const uint8_t id[ALERT_ID_SIZE], const struct tombstone *tombstone)
{
        struct closed_alert *closed = table_find(&core->closed, id);

        if (closed != NULL) {
                closed->tombstone.marks |= tombstone->marks;
                return;
        }
        if (core->closed.count == core->closed.max) {
                closed = core->closed_oldest;
                core->closed_oldest = closed->newer;
                table_remove(&core->closed, closed);
        }
        closed = table_add(&core->closed, id);
        closed->tombstone = *tombstone;
        *(core->closed_oldest == NULL ? &core->closed_oldest : &core->closed_newest->newer) = closed;
        core->closed_newest = closed;
}

size_t hold_ids(const struct core *core, const struct record *record, uint8_t (*ret_ids)[ALERT_ID_SIZE])
{
        size_t count = 1;

        memcpy(ret_ids[0], record->id, ALERT_ID_SIZE);
        for (size_t i = 0; i < record->alias_count; i++) {
                const struct open_alert *other;

                memcpy(ret_ids[count], record->handset, HANDSET_ID_SIZE);
                memcpy(ret_ids[count] + HANDSET_ID_SIZE, record->aliases[i].nonce, ALERT_NONCE_SIZE);
                other = hold_find(core, ret_ids[count]);
                count += other == NULL || other->version == 0;
        }
        return count;
}

void hold_remember(struct core *core, const struct record *record, const struct tombstone *tombstone)
{
        uint8_t ids[1 + RECORD_ALIASES_MAX][ALERT_ID_SIZE];
        size_t count = hold_ids(core, record, ids);

        for (size_t i = 0; i < count; i++) {
                struct tombstone its = *tombstone;
                int alias = alert_alias_find(record, ids[i] + HANDSET_ID_SIZE);

                if (i == 0 && record->version != 0 && record->alias_count > 0)
                        its.revision = record->revision;
                else if (i > 0 && alias >= 0)
                        its.revision = record->aliases[alias].revision;
                hold_remember_id(core, ids[i], &its);
        }
}

void hold_close(struct record *record, const struct tombstone *tombstone)
{
        record->state = ALERT_CLOSED;
        record->version = tombstone->version > record->version ? tombstone->version : record->version;
        record->close_reason = tombstone->state >= CLOSE_HELPED ? tombstone->state : CLOSE_OTHER;
        record->closed_at_ms = tombstone->closed_at_ms;
        record->revision = tombstone->revision; /* a press beyond that was not in what was closed, and its phone raises it anew */
        record->due_ms = 0;
        record_set_text(record->closed_by_name, sizeof(record->closed_by_name), tombstone->who);
}

/* A press on another phone that came when this was closed already in the store: an alert of its own. */
static bool is_another(const struct record *record, const struct fact *fact)
{
        return fact->type == FACT_ALERT && fact->state != FACT_DONE &&
               memcmp(record->id, fact->id, ALERT_ID_SIZE) != 0 &&
               alert_alias_find(record, fact->id + HANDSET_ID_SIZE) < 0;
}

/* FACT is a press that ALERT, which is gone, has no part in: it goes to another open alert of its handset, or begins one. */
static bool move_on(struct core *core, struct open_alert *alert, struct fact *fact)
{
        struct handset *handset = directory_handset(&core->directory, fact->handset);
        struct open_alert *other = NULL;
        struct alert_press press;
        bool drill;

        (void)intake_read((struct cbor_span){ fact->bytes, fact->size }, &press);
        drill = press.alert.kind == ALERT_DRILL;
        if (handset != NULL)
                other = offer_route(handset, drill);
        if (other == NULL) {
                other = hold_need(core, fact->id);
                if (other != NULL)
                        hold_claim(core, other, fact->handset, drill ? RECORD_DRILL : 0);
        }
        if (other == NULL || flow_queue(core, other, fact) < 0)
                return false;
        if (fact->state == FACT_FLYING)
                fact->state = FACT_READY;
        hold_wait_move(alert, other, fact->id);
        flow_ready(core, other);
        return true;
}

/* Presses that ALERT has no part in, and who waits for them, go elsewhere before anybody is told that it is closed. */
static void move_others(struct core *core, struct open_alert *alert, const struct record *record)
{
        size_t kept = 0;

        for (size_t i = 0; i < alert->queued; i++) {
                struct fact *fact = alert->queue[i];

                if (!is_another(record, fact)) {
                        alert->queue[kept++] = fact;
                        continue;
                }
                fact->meant = false;
                core->counters.waiting -= flow_waits(fact);
                if (!move_on(core, alert, fact)) {
                        core->counters.waiting += flow_waits(fact);
                        fact->alert = alert;
                        alert->queue[kept++] = fact;
                }
        }
        alert->queued = (uint8_t)kept;
}

static void settle_facts(struct core *core, struct open_alert *alert, const struct record *record)
{
        for (size_t i = 0; i < alert->queued; i++) {
                struct fact *fact = alert->queue[i];

                fact->alert = NULL;
                core->counters.waiting -= flow_waits(fact);
                if (fact->type == FACT_COMMAND && fact->state != FACT_DONE)
                        right_answer(core, fact, record_applied(record, fact->event_id) ? ANSWER_DONE : ANSWER_CLOSED,
                                     record);
                if (fact->state != FACT_WAITS) {
                        flow_release(core, fact);
                        free(fact);
                }
        }
        alert->queued = 0;
}

/* In the journal: what it has of this alert is worth nothing any more. */
static void note_gone(struct core *core, const struct record *record)
{
        uint8_t ids[1 + RECORD_ALIASES_MAX][ALERT_ID_SIZE], buf[FACT_MAX];
        size_t count = hold_ids(core, record, ids);

        (void)core_append(core, (struct cbor_span){ buf, fact_encode_gone(ids, count, buf) });
}

/* ALERT, of which no record was ever seen, is closed: whoever waits for that very press is told. */
static void tell_gone(struct core *core, struct open_alert *alert, const struct tombstone *tombstone)
{
        bool forged = alert->handset != NULL && memcmp(alert->id, alert->handset->id, HANDSET_ID_SIZE) != 0;

        for (size_t i = 0; i < alert->waiting_count; i++)
                if (forged || memcmp(alert->waiting[i].as, alert->id, ALERT_ID_SIZE) == 0)
                        tell_closed(core, tombstone, &alert->waiting[i]);
}

/* ALERT as it was closed where we did not see it: a press that was to become part of it is none of what was closed. */
static void close_unseen(const struct open_alert *alert, const struct tombstone *tombstone, struct record *ret_record)
{
        struct record known;

        hold_meant(alert, ret_record);
        hold_record(alert, &known);
        ret_record->alias_count = known.alias_count;
        memcpy(ret_record->aliases, known.aliases, sizeof(known.aliases));
        memcpy(ret_record->id, alert->id, ALERT_ID_SIZE);
        hold_close(ret_record, tombstone);
}

void hold_gone(struct core *core, struct open_alert *alert, const struct tombstone *tombstone,
               const struct record *closed)
{
        struct tombstone its = *tombstone; /* with what came too late */
        bool has_facts = alert->queued > 0;
        struct record record;

        if (closed != NULL)
                record = *closed;
        else
                close_unseen(alert, tombstone, &record);
        unplace(alert); /* so that none of them comes back */
        move_others(core, alert, &record);
        meanwhile_hear(alert, &record);
        for (size_t i = 0; i < record.asked_count; i++) {
                struct person *person = directory_person(&core->directory, record.asked[i].id);

                if (person != NULL)
                        person->closed_ms = core->now_ms;
        }
        if (alert->version != 0 || closed != NULL || alert->meanwhile != NULL)
                tell_alert(core, alert, &record);
        else
                tell_gone(core, alert, tombstone);
        unclaim(core, alert);
        for (size_t i = 0; i < alert->queued; i++)
                if (alert->queue[i]->state != FACT_DONE)
                        notice_late(core, alert->queue[i], &its);
        settle_facts(core, alert, &record);
        hold_remember(core, &record, &its);
        if (has_facts)
                note_gone(core, &record);
        hold_drop(core, alert);
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
                return;
        }
        alert->untold = record->version >= alert->version && core->sessions.count > 0;
        flow_again(core, alert); /* a failover may have lost what it had acknowledged, and gone on from there */
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
                if (record->version == alert->version)
                        flow_again(core, alert);
                hold_set(core, alert, record, bytes);
                if (quiet)
                        tell_waiting(core, alert, record);
                else
                        tell_alert(core, alert, record);
        }
}
