/* One record after another: what an event may change, and what it may not (DESIGN section 6). */
#include <string.h>

#include "tests/sim/check.h"

#define OWED_MS    10000  /* an SMS that nobody has handed over is looked at again */
#define APART_MS   3000   /* long enough to have heard of an alert by the feed */
#define UNHEARD_MS 130000 /* two minutes, and what a session, a store that is back and a line take */
#define CLOCKS_MS  50     /* two dispatchers' clocks, both by the store's */

/* The ladder once more, in words of its own: after so long the next step, with nobody having it. */
static const int64_t step_ms[] = { 30000, 30000, 60000, 60000, 60000 };

static bool is_owned(const struct record *record)
{
        return record->owner_id[0] != '\0';
}

static bool is_control(const char *id)
{
        return strcmp(id, "control") == 0;
}

/* A failover lost its closure: a press that was taken for a part of it since is none, and must be found elsewhere (*lost*, *never*). */
static bool is_closed_again(struct sim *sim, const struct record *record)
{
        const struct known *k = check_known(sim, record->id, false);

        for (size_t i = 0; k != NULL && record->state == ALERT_CLOSED && i < k->version_count; i++)
                if (receipt_is_closed(k->versions[i].state) && k->versions[i].version < record->version)
                        return true;
        return false;
}

static void check_identity(struct sim *sim, const struct record *old, const struct record *record)
{
        if (memcmp(old->id, record->id, ALERT_ID_SIZE) != 0 ||
            memcmp(old->handset, record->handset, HANDSET_ID_SIZE) != 0 || old->kind != record->kind ||
            old->raised_at_ms != record->raised_at_ms || old->pressed_at_s != record->pressed_at_s ||
            (old->carrier_id[0] != '\0' && strcmp(old->carrier_id, record->carrier_id) != 0))
                sim_fail(sim, "identity", "alert ..%02x became another", record->id[15]);
        if ((record->revision < old->revision && record->state != ALERT_CLOSED) || record->presses < old->presses ||
            record->rings < old->rings)
                sim_fail(sim, "identity", "alert ..%02x forgot a revision, a press or a ring", record->id[15]);
        for (size_t i = 0; i < old->alias_count && record->alias_count < RECORD_ALIASES_MAX; i++)
                if (alert_alias_find(record, old->aliases[i].nonce) < 0 && !is_closed_again(sim, record) &&
                    (record->state != ALERT_CLOSED || old->aliases[i].at_ms <= record->closed_at_ms))
                        sim_fail(sim, "identity", "alert ..%02x forgot an alias", record->id[15]);
        if (old->applied_count > record->applied_count)
                sim_fail(sim, "identity", "alert ..%02x forgot what was applied", record->id[15]);
        if (old->has_position && !record->has_position)
                sim_fail(sim, "identity", "alert ..%02x forgot where", record->id[15]);
}

static void check_asked_lines(struct sim *sim, const struct record *old, const struct record *record, uint8_t event)
{
        if (record->asked_count < old->asked_count || record->step < old->step ||
            record->sms_checked < old->sms_checked)
                sim_fail(sim, "ladder", "alert ..%02x asks fewer than before", record->id[15]);
        for (size_t i = 0; i < old->asked_count; i++) {
                const struct asked *a = &old->asked[i], *b = &record->asked[i];

                if (strcmp(a->id, b->id) != 0 || a->asked_at_ms != b->asked_at_ms ||
                    (a->seen_at_ms != 0 && a->seen_at_ms != b->seen_at_ms))
                        sim_fail(sim, "ladder", "alert ..%02x: that %s was asked, or saw it, is changed",
                                 record->id[15], a->id);
                if (b->seen_at_ms != a->seen_at_ms && (event == EVENT_DUE || event == EVENT_UPDATE))
                        sim_fail(sim, "ladder", "alert ..%02x: nobody said that %s has seen it", record->id[15], a->id);
        }
        for (size_t i = old->sms_checked; i < record->sms_checked && event == EVENT_DUE; i++)
                if (record->asked[i].seen_at_ms == 0 &&
                    (record->asked[i].flags & (ASKED_SMS_DUE | ASKED_DECLINED)) == 0)
                        sim_fail(sim, "ladder", "alert ..%02x: %s has not seen it and is to get no SMS", record->id[15],
                                 record->asked[i].id);
        if ((record->marks & RECORD_UNVERIFIED) != 0 && record->asked_count > 0)
                sim_fail(sim, "unverified", "%s is asked about an unverified alert", record->asked[0].id);
}

/* An owner is made and ended by people, and replaced where there is no news, or by a control room that saw them. */
static void check_owner(struct sim *sim, const struct record *old, const struct record *record, uint8_t event)
{
        bool same = strcmp(old->owner_id, record->owner_id) == 0;

        if (strcmp(record->owner_id, record->carrier_id) == 0 && is_owned(record))
                sim_fail(sim, "owner", "%s owns their own alert", record->owner_id);
        if (!same && event != EVENT_TAKE && event != EVENT_RELEASE && event != EVENT_DECLINE)
                sim_fail(sim, "owner", "%s turns owner \"%s\" into \"%s\"", alert_event_name(event), old->owner_id,
                         record->owner_id);
        if (!same && event == EVENT_TAKE && is_owned(old) && (old->marks & RECORD_NO_NEWS) == 0 &&
            !is_control(record->owner_id))
                sim_fail(sim, "owner", "%s took it from %s, who is on it", record->owner_id, old->owner_id);
        if (!same && event != EVENT_TAKE && is_owned(record))
                sim_fail(sim, "owner", "%s owns it without having taken it", record->owner_id);
        if (event == EVENT_TAKE && !is_owned(record))
                sim_fail(sim, "owner", "taken by nobody");
        if (is_owned(record) != (record->state >= ALERT_TAKEN) && record->state != ALERT_CLOSED)
                sim_fail(sim, "owner", "%s, and its owner is \"%s\"", alert_state_name((uint8_t)record->state),
                         record->owner_id);
}

static void check_state(struct sim *sim, const struct record *old, const struct record *record, uint8_t event)
{
        bool same = strcmp(old->owner_id, record->owner_id) == 0;

        if ((record->state == ALERT_CLOSED) != (event == EVENT_CLOSE))
                sim_fail(sim, "state", "%s makes it %s", alert_event_name(event),
                         alert_state_name((uint8_t)record->state));
        if (same && record->state < old->state && event != EVENT_TAKE && event != EVENT_PROGRESS &&
            (is_owned(record) || event != EVENT_RELEASE))
                sim_fail(sim, "state", "%s: back from %s to %s", alert_event_name(event),
                         alert_state_name((uint8_t)old->state), alert_state_name((uint8_t)record->state));
        if (event == EVENT_SEEN && record->state < ALERT_SEEN)
                sim_fail(sim, "state", "seen, and it is %s", alert_state_name((uint8_t)record->state));
        if (event == EVENT_CLOSE && (record->closed_by_name[0] == '\0' || record->closed_at_ms == 0))
                sim_fail(sim, "state", "closed by nobody");
        if (event == EVENT_CLOSE && record->closed_by_id[0] != '\0' && !is_control(record->closed_by_id) &&
            strcmp(record->closed_by_id, old->owner_id) != 0)
                sim_fail(sim, "state", "%s closed it, and %s has it", record->closed_by_id, old->owner_id);
}

/* How long somebody may have RECORD without saying how it goes on. */
static int64_t progress_ms(const struct record *record)
{
        return record->state == ALERT_ON_SCENE ? 1800000 : record->state == ALERT_EN_ROUTE ? 1200000 : 300000;
}

/* Who has it, says how it goes on and is heard all the time is not one of whom there is no news. */
static void check_no_news(struct sim *sim, const struct record *old)
{
        int64_t since_ms = sim->now_ms - UNHEARD_MS;

        if (old->owner_path == BY_SMS ||
            sim->now_ms - old->progress_at_ms + sim->plan->rates[RATE_STORE_SKEW_MS] + CLOCKS_MS >= progress_ms(old))
                return;
        for (unsigned i = 0; i < sim->phone_count; i++)
                if (strcmp(sim->phones[i].person, old->owner_id) == 0 && sim->checks->phones[i].well_ms < since_ms)
                        sim_fail(sim, "marks", "no news of %s, who is heard", old->owner_id);
}

static void check_marks(struct sim *sim, const struct record *old, const struct record *record, uint8_t event)
{
        static const uint32_t may_go = RECORD_NO_NEWS | RECORD_UNVERIFIED;
        uint32_t news = record->marks & ~old->marks;

        if ((old->marks & ~may_go & ~record->marks) != 0)
                sim_fail(sim, "marks", "marks 0x%x went away", old->marks & ~may_go & ~record->marks);
        if ((news & (RECORD_UNVERIFIED | RECORD_DRILL)) != 0)
                sim_fail(sim, "marks", "alert ..%02x became a drill or unverified", record->id[15]);
        if ((news & RECORD_NO_NEWS) != 0 && (event != EVENT_DUE || !is_owned(record)))
                sim_fail(sim, "marks", "no news of nobody");
        if ((news & RECORD_NO_NEWS) != 0)
                check_no_news(sim, old);
        if ((news & RECORD_EXHAUSTED) != 0 && (is_owned(record) || record->asked_count < old->asked_count))
                sim_fail(sim, "marks", "exhausted, and %s has it", record->owner_id);
        if ((old->marks & RECORD_NO_NEWS) != 0 && (record->marks & RECORD_NO_NEWS) != 0 &&
            (event == EVENT_TAKE || event == EVENT_PROGRESS))
                sim_fail(sim, "marks", "no news of who just told of himself");
}

static bool is_still(const struct record *record)
{
        return (record->marks & (RECORD_UNVERIFIED | RECORD_DRILL)) != 0;
}

/* How long it may be until somebody looks at RECORD again. */
static int64_t longest_ms(const struct record *record)
{
        if (is_still(record))
                return 900000;
        if (is_owned(record) && (record->marks & RECORD_NO_NEWS) == 0)
                return progress_ms(record);
        return is_owned(record) ? 60000 : step_ms[record->step <= 4 ? record->step : 4];
}

/* Each deadline is there in time. */
static void check_deadline(struct sim *sim, const struct record *record)
{
        /* Brought back after a failover it is as it was changed last, and its deadline may have been set meanwhile. */
        int64_t since_ms =
                record->changed_at_ms > record->stepped_at_ms ? record->changed_at_ms : record->stepped_at_ms;
        int64_t in_ms = record->due_ms - since_ms - sim->plan->rates[RATE_STORE_SKEW_MS] - CLOCKS_MS;
        int64_t owed_ms = record->told_sms_state == SMS_DUE ? record->told_sms_at_ms : INT64_MAX;

        if (record->state == ALERT_CLOSED)
                return;
        if (record->due_ms == 0)
                sim_fail(sim, "deadline", "an open alert has no deadline");
        for (size_t i = 0; i < record->asked_count; i++)
                if (record->asked[i].sms_state == SMS_DUE && record->asked[i].sms_at_ms < owed_ms)
                        owed_ms = record->asked[i].sms_at_ms;
        if (in_ms > longest_ms(record))
                sim_fail(sim, "deadline", "alert ..%02x, %s: nobody looks at it for %.1f s", record->id[15],
                         alert_state_name((uint8_t)record->state), (double)in_ms / 1000);
        if (owed_ms != INT64_MAX &&
            record->due_ms - owed_ms > OWED_MS + sim->plan->rates[RATE_STORE_SKEW_MS] + CLOCKS_MS)
                sim_fail(sim, "deadline", "alert ..%02x owes an SMS, and nobody looks for %.1f s", record->id[15],
                         (double)(record->due_ms - owed_ms) / 1000);
        if (!is_owned(record) && !is_still(record) && record->sms_checked < record->asked_count && in_ms > 5000)
                sim_fail(sim, "deadline", "alert ..%02x: whether %s has seen it is not looked at for %.1f s",
                         record->id[15], record->asked[record->sms_checked].id, (double)in_ms / 1000);
}

/* Unverified alerts in the name of a handset are few: each dispatcher, in each of its runs, lets so many through from the handset itself
 * and from the one number that writes in its name. */
static void check_limit(struct sim *sim, const struct record *record)
{
        struct watched *w = &sim->checks->phones[record->handset[HANDSET_ID_SIZE - 1] % SIM_PHONES];
        unsigned most = 0, lately = 0;

        w->unverified_ms[w->unverified_count++ % CHECK_UNVERIFIED] = sim->now_ms;
        for (unsigned i = 0; i < sim->process_count; i++)
                most += 2 * (CORE_SENDER_BURST + 1) * (1 + sim->processes[i].run);
        for (unsigned i = 0; i < w->unverified_count && i < CHECK_UNVERIFIED; i++)
                lately += w->unverified_ms[i] > sim->now_ms - CORE_SENDER_REFILL_MS;
        if (lately > most)
                sim_fail(sim, "limited", "%u unverified alerts of handset ..%02x in a minute", lately,
                         record->handset[HANDSET_ID_SIZE - 1]);
}

/* The first of all: what it says is what the press said. */
static void check_first(struct sim *sim, const struct record *record, uint8_t event)
{
        const struct known *k = check_known(sim, record->id, false);

        if (event == EVENT_RAISE && (record->marks & RECORD_UNVERIFIED) != 0)
                check_limit(sim, record);
        if (event != EVENT_RAISE || k == NULL || k->first_ms == 0)
                return;
        if (((record->marks & RECORD_DRILL) != 0) != k->is_drill)
                sim_fail(sim, "identity", "alert ..%02x is %s drill", record->id[15], k->is_drill ? "no" : "a");
        if ((record->marks & RECORD_UNVERIFIED) != 0 && sim->phones[k->phone].was_stranger)
                sim_mark(sim, MARK_STRANGER_RAISED);
        if ((record->marks & RECORD_UNVERIFIED) == 0 && k->pressed_by_bad &&
            sim->phones[k->phone].standing != STANDING_GOOD)
                sim_fail(sim, "unverified", "alert ..%02x of a handset that is not good rings like any other",
                         record->id[15]);
        if ((record->marks & RECORD_UNVERIFIED) != 0 && !k->unsigned_ && !sim->phones[k->phone].was_stranger)
                sim_fail(sim, "unverified", "alert ..%02x, rightly signed, is raised as unverified", record->id[15]);
}

/* What the same handset's phones press is one alert: where a dispatcher that has it well for a while raises another beside it, it was not asked.
 * One that it knows as closed, and a failover opened, takes no press any more: it is closed again. */
void check_apart(struct sim *sim, unsigned process, const struct record *record)
{
        const struct core *core = sim->processes[process].core;
        const struct open_alert *alert = hold_find(core, record->id), *other;
        const struct fact *fact = alert != NULL ? alert->flying : NULL;
        struct record its;

        if (fact == NULL || (record->marks & (RECORD_UNVERIFIED | RECORD_DRILL)) != 0 || fact->replayed ||
            fact->at_ms < core->now_ms - APART_MS || sim->now_ms - sim->checks->calm_since_ms[process] < 2 * APART_MS)
                return;
        for (size_t i = 0; (other = table_next(&core->alerts, &i)) != NULL;) {
                if (other == alert || other->version == 0 || other->queued == CORE_QUEUE_MAX ||
                    hold_closed(core, other->id) != NULL || memcmp(other->id, record->handset, HANDSET_ID_SIZE) != 0 ||
                    (other->marks & (RECORD_UNVERIFIED | RECORD_DRILL)) != 0)
                        continue;
                hold_record(other, &its);
                if (its.raised_at_ms < fact->at_ms - 2 * APART_MS)
                        sim_fail(sim, "apart", "..%02x is raised beside ..%02x of the same handset", record->id[15],
                                 other->id[15]);
        }
}

/* Those asked while the store was away stand in the record that is committed when it is back. */
void check_merged(struct sim *sim, unsigned process, const struct record *record)
{
        const struct open_alert *alert = hold_find(sim->processes[process].core, record->id);
        struct record old = { 0 };

        if (alert != NULL && alert->version != 0)
                hold_record(alert, &old);
        if ((old.marks & RECORD_UNVERIFIED) != 0)
                return; /* lifted by this: those asked meanwhile come with the next */
        if (alert == NULL || alert->meanwhile == NULL || record->state == ALERT_CLOSED ||
            (record->marks & RECORD_UNVERIFIED) != 0)
                return;
        for (size_t i = 0; i < alert->meanwhile->asked_count && record->asked_count < RECORD_ASKED_MAX; i++)
                if (record_asked_find(record, alert->meanwhile->asked[i].id) < 0)
                        sim_fail(sim, "merged",
                                 "%s was asked about ..%02x while the store was away, and is not in its record",
                                 alert->meanwhile->asked[i].id, record->id[15]);
}

/* Who was asked by SMS, and did not answer, is told by SMS that somebody has it, or that it is over. */
static void check_news(struct sim *sim, const struct record *record)
{
        bool over = record->state == ALERT_CLOSED;
        const char *by = over ? record->closed_by_id : record->owner_id;

        if (over ? is_closed_again(sim, record) : !is_owned(record) || (record->marks & RECORD_NO_NEWS) != 0)
                return; /* told when it was closed first */
        for (size_t i = 0; i < record->asked_count; i++) {
                const struct asked *a = &record->asked[i];

                if ((a->sms_state == SMS_HANDED || a->sms_state == SMS_DELIVERED) && a->seen_at_ms == 0 &&
                    (a->flags & (ASKED_DECLINED | ASKED_TOLD)) == 0 && strcmp(a->id, by) != 0)
                        sim_fail(sim, "sms", "alert ..%02x: %s was asked by SMS, and is not told what became of it",
                                 record->id[15], a->id);
        }
}

/* What a command did is noted with it, so that the same one is not done again. */
static void check_once(struct sim *sim, const struct record *old, const struct record *record, uint8_t event)
{
        bool by_command = event == EVENT_SEEN || event == EVENT_TAKE || event == EVENT_RELEASE || event == EVENT_JOIN ||
                          event == EVENT_PROGRESS || event == EVENT_DECLINE;

        if (by_command && record->applied_count == old->applied_count &&
            memcmp(record->applied, old->applied, sizeof(old->applied)) == 0)
                sim_fail(sim, "twice", "alert ..%02x: a command that is done (%u) is done again", record->id[15],
                         event);
}

/* Under duress nobody hears that it was a mistake; which came first is not seen in what a failover lost and is written whole. */
static void check_duress(struct sim *sim, const struct record *old, const struct record *record)
{
        uint32_t before = old != NULL ? old->marks : 0;

        if (old == NULL && record->version > 1)
                return;
        if ((record->marks & RECORD_DURESS) != 0 && (record->marks & ~before & RECORD_MISTAKE) != 0 &&
            record->state != ALERT_CLOSED)
                sim_fail(sim, "marks", "..%02x is under duress, and called a mistake", record->id[15]);
}

void check_transition(struct sim *sim, const struct record *old, const struct record *record, uint8_t event)
{
        check_deadline(sim, record);
        check_content(sim, record);
        check_duress(sim, old, record);
        if (old == NULL) {
                check_first(sim, record, event);
                return;
        }
        check_identity(sim, old, record);
        check_asked_lines(sim, old, record, event);
        check_owner(sim, old, record, event);
        if (event == EVENT_TAKE)
                check_taken_over(sim, old, record);
        check_state(sim, old, record, event);
        check_marks(sim, old, record, event);
        check_once(sim, old, record, event);
        check_news(sim, record);
}
