#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/core_parts.h"
#include "dispatcher/intake.h"

/* ---- The open alerts ------------------------------------------------------------------------------------------------ */

void core_load_begin(struct core *core)
{
        struct open_alert *alert;

        for (size_t i = 0; (alert = table_next(&core->alerts, &i)) != NULL;)
                alert->loaded = false;
        notice_forget(core);
}

int core_load_record(struct core *core, struct cbor_span bytes)
{
        struct record record;
        int r = record_decode(bytes.at, bytes.len, &record);
        struct open_alert *alert;

        if (r < 0 || record.state == ALERT_CLOSED)
                return r;
        alert = hold_need(core, record.id);
        if (alert == NULL)
                return -ENOBUFS;
        hold_load(core, alert, &record, bytes);
        return 0;
}

void core_load_end(struct core *core)
{
        struct open_alert *alert;

        for (size_t i = 0; (alert = table_next(&core->alerts, &i)) != NULL;) {
                alert->look = alert->version != 0 && !alert->loaded;
                if (!alert->look)
                        continue;
                alert->stored =
                        0; /* what is there under its id, if anything, is not what we know: of whatever version */
                flow_ready(core, alert);
        }
        core->tells_loaded = true;
        core->loaded_cursor = 0;
}

void core_each_record(const struct core *core, void (*fn)(void *user, struct cbor_span record), void *user)
{
        const struct open_alert *alert;

        for (size_t i = 0; (alert = table_next(&core->alerts, &i)) != NULL;)
                if (alert->version != 0)
                        fn(user, (struct cbor_span){ alert->record, alert->record_size });
}

/* ---- The journal ---------------------------------------------------------------------------------------------------- */

/* What came since the start stays. */
static void forget(struct core *core, struct open_alert *alert)
{
        size_t kept = 0;

        for (size_t i = 0; i < alert->queued; i++) {
                struct fact *fact = alert->queue[i];

                if (!fact->replayed) {
                        alert->queue[kept++] = fact;
                        continue;
                }
                core->counters.waiting -= flow_waits(fact);
                free(fact);
        }
        alert->queued = (uint8_t)kept;
}

void replay_settle(struct core *core, struct open_alert *alert, struct tombstone *tombstone)
{
        for (size_t i = 0; i < alert->queued; i++)
                if (alert->queue[i]->replayed)
                        notice_replayed(core, alert->queue[i], tombstone);
        forget(core, alert);
}

/* The alert ID is closed for good, as far as the journal is concerned. */
static void drop(struct core *core, const uint8_t id[ALERT_ID_SIZE])
{
        struct open_alert *alert = hold_find(core, id);

        if (alert == NULL)
                return;
        forget(core, alert);
        alert->noted_gone = false;
        if (alert->version == 0)
                hold_drop(core, alert);
}

/* ID was closed: its facts are kept until the store is seen to have that, which a failover may have lost. */
static void note_gone(struct core *core, const uint8_t id[ALERT_ID_SIZE])
{
        uint8_t *place = core->noted_gone[core->noted_count % CORE_REPLAY_GONE_MAX];
        struct open_alert *alert = hold_find(core, id);

        if (alert == NULL || alert->queued == 0) {
                drop(core, id);
                return;
        }
        if (alert->noted_gone)
                return; /* it has its place: each closure that is committed again is noted again */
        if (core->noted_count >= CORE_REPLAY_GONE_MAX && memcmp(place, id, ALERT_ID_SIZE) != 0)
                drop(core, place);
        core->noted_count++;
        memcpy(place, id, ALERT_ID_SIZE);
        alert->noted_gone = true;
}

void replay_look(struct core *core)
{
        size_t count = core->noted_count < CORE_REPLAY_GONE_MAX ? core->noted_count : CORE_REPLAY_GONE_MAX;

        for (size_t i = 0; i < count; i++) {
                struct open_alert *alert = hold_find(core, core->noted_gone[i]);

                if (alert == NULL || !alert->noted_gone)
                        continue;
                alert->look = alert->version == 0;
                alert->noted_gone = alert->look;
                flow_ready(core, alert);
        }
}

static bool is_test(const struct fact *fact)
{
        struct alert_press press;

        return fact->type == FACT_ALERT && intake_read((struct cbor_span){ fact->bytes, fact->size }, &press) &&
               press.alert.kind == ALERT_TEST;
}

static bool has_fact(const struct open_alert *alert, const struct fact *fact)
{
        for (size_t i = 0; i < alert->queued; i++)
                if (memcmp(alert->queue[i]->event_id, fact->event_id, EVENT_ID_SIZE) == 0)
                        return true;
        return false;
}

static struct alert_press press_of(const struct fact *fact)
{
        struct alert_press press;

        (void)intake_read((struct cbor_span){ fact->bytes, fact->size }, &press);
        return press;
}

/* Whether ALERT has a press with the id of the one at AT behind it that says all that the one there does. */
static bool is_superseded(const struct open_alert *alert, size_t at)
{
        struct alert_press press = press_of(alert->queue[at]);

        for (size_t i = at + 1; i < alert->queued; i++) {
                struct alert_press newer;

                if (alert->queue[i]->type != FACT_ALERT ||
                    memcmp(alert->queue[i]->id, alert->queue[at]->id, ALERT_ID_SIZE) != 0)
                        continue;
                newer = press_of(alert->queue[i]);
                if (alert_says_all(&newer, &press))
                        return true;
        }
        return false;
}

/* More than are held: the oldest goes that is a command, or a press of which there is a newer revision; the store has it. */
static void make_room(struct core *core, struct open_alert *alert)
{
        for (size_t i = 0; alert->queued == CORE_QUEUE_MAX && i < alert->queued; i++) {
                struct fact *fact = alert->queue[i];

                if (fact->type == FACT_ALERT && !is_superseded(alert, i))
                        continue;
                flow_remove(core, alert, fact);
                free(fact);
        }
}

/* FACT says that the one there was of no use. */
static void replay_refused(struct core *core, const struct fact *fact)
{
        struct open_alert *alert = hold_find(core, fact->id);
        struct fact *there = alert != NULL ? flow_find(alert, fact->event_id) : NULL;

        if (there == NULL)
                return;
        flow_remove(core, alert, there);
        free(there);
}

int core_replay(struct core *core, struct cbor_span bytes)
{
        struct open_alert *alert;
        struct fact_read read;
        int r = fact_decode(bytes, &read);

        if (r < 0)
                return r;
        if (read.type == FACT_GONE) {
                for (size_t i = 0; i < read.gone_count; i++) /* what came from another phone has an id of its own */
                        note_gone(core, read.gone[i]);
                return 0;
        }
        if (read.fact->refused) {
                replay_refused(core, read.fact);
                free(read.fact);
                return 0;
        }
        alert = is_test(read.fact) ? NULL : hold_need(core, read.fact->id);
        if (alert != NULL && !has_fact(alert, read.fact))
                make_room(core, alert);
        if (alert == NULL || has_fact(alert, read.fact) || flow_queue(core, alert, read.fact) < 0)
                free(read.fact);
        else
                core->counters.replayed++;
        core->replayed = true;
        return 0;
}

struct core_keep {
        struct table ids; /* of 16 octets each */
};

int core_keep_new(const struct core *core, struct core_keep **ret_keep)
{
        struct core_keep *keep = calloc(1, sizeof(*keep));
        const struct closed_alert *closed;
        const struct open_alert *alert;

        if (keep == NULL)
                return -ENOMEM;
        table_init(&keep->ids, ALERT_ID_SIZE, ALERT_ID_SIZE, SIZE_MAX, core->options.seed);
        for (size_t i = 0; (alert = table_next(&core->alerts, &i)) != NULL;) {
                (void)table_add(&keep->ids, alert->id);
                for (size_t j = 0; j < alert->queued; j++) /* pressed on another phone: an id of its own */
                        (void)table_add(&keep->ids, alert->queue[j]->id);
        }
        /* replay_gone; on a full disk room for new presses comes first */
        for (size_t i = 0; !core->disk_full && (closed = table_next(&core->closed, &i)) != NULL;)
                if (reclose_is_kept(core, closed))
                        (void)table_add(&keep->ids, closed->id);
        *ret_keep = keep;
        return 0;
}

bool core_keep(const struct core_keep *keep, struct cbor_span record)
{
        uint8_t id[ALERT_ID_SIZE];

        return fact_peek_id(record, id) < 0 || table_find(&keep->ids, id) != NULL;
}

void core_keep_free(struct core_keep *keep)
{
        if (keep != NULL)
                table_free(&keep->ids);
        free(keep);
}
