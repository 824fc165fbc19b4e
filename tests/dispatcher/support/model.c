#include "tests/dispatcher/support/model_inside.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Events ---------------------------------------------------------------------------------------------------------- */

static void close_sessions(struct model *model, unsigned dispatcher)
{
        for (size_t i = 0; i < model->session_count; i++)
                if (model->sessions[i].dispatcher == dispatcher)
                        model->sessions[i].open = false;
}

void model_kill(struct model *model, unsigned dispatcher)
{
        struct model_dispatcher *d = &model->dispatchers[dispatcher];

        core_free(d->core);
        d->core = NULL;
        d->run++;
        while (d->unsynced_count > 0)
                free(d->unsynced[--d->unsynced_count].at);
        close_sessions(model, dispatcher);
}

void model_event(struct model *model, unsigned dispatcher, struct core_event *event)
{
        struct model_dispatcher *d = &model->dispatchers[dispatcher];
        struct core_action action;

        if (d->core == NULL)
                return;
        event->now_ms = model->now_ms;
        event->now_mono_ms = model->now_ms - MODEL_NOW_MS;
        core_handle(d->core, event);
        while (d->core != NULL && core_next(d->core, &action)) {
                if (dispatcher == 0 && model->kill_at != 0 && ++model->actions >= model->kill_at) {
                        model->kill_at = 0;
                        model_kill(model, dispatcher);
                        return;
                }
                model_do(model, dispatcher, &action);
        }
}

static void sync(struct model *model, unsigned dispatcher)
{
        struct model_dispatcher *d = &model->dispatchers[dispatcher];
        struct core_event event = { .kind = CORE_SYNCED, .u.synced.up_to = d->numbered };

        if (d->core == NULL || d->unsynced_count == 0)
                return;
        for (size_t i = 0; i < d->unsynced_count; i++)
                d->journal[d->journal_count++] = d->unsynced[i];
        d->unsynced_count = 0;
        model_event(model, dispatcher, &event);
}

static bool feed_some(struct model *model, unsigned dispatcher)
{
        struct model_dispatcher *d = &model->dispatchers[dispatcher];
        const struct model_entry *entry = &model->feed[d->fed];
        struct core_event event = { .kind = (enum core_event_kind)entry->kind };

        if (d->core == NULL || !model->store_up || d->cut_off || d->fed == model->feed_count)
                return false;
        d->fed++;
        if (entry->kind == CORE_FEED_ALERT) {
                event.u.feed_alert.record = model_span(entry->record);
                event.u.feed_alert.event = entry->event;
        } else if (entry->kind == CORE_FEED_NOTICE) {
                event.u.feed_notice.key = entry->key;
                event.u.feed_notice.notice = entry->on ? &entry->notice : NULL;
        } else {
                event.u.feed_duty.person = entry->key;
                event.u.feed_duty.duty = entry->on ? &entry->duty : NULL;
        }
        model_event(model, dispatcher, &event);
        return true;
}

static bool deliver(struct model *model)
{
        struct model_mail *letter = model->mail;

        if (letter == NULL)
                return false;
        model->mail = letter->next;
        if (model->mail == NULL)
                model->mail_end = &model->mail;
        if (letter->run == model->dispatchers[letter->dispatcher].run)
                model_event(model, letter->dispatcher, &letter->event);
        free(letter->bytes.at);
        free(letter);
        return true;
}

void model_pump(struct model *model)
{
        bool busy = true;

        while (busy) {
                busy = !model->feed_first && deliver(model);
                for (unsigned d = 0; d < model->count; d++) {
                        busy |= feed_some(model, d);
                        if (!model->hold_sync && model->dispatchers[d].unsynced_count > 0) {
                                sync(model, d);
                                busy = true;
                        }
                }
                busy = busy || deliver(model);
        }
}

void model_sync(struct model *model)
{
        for (unsigned d = 0; d < model->count; d++)
                sync(model, d);
        model_pump(model);
}

void model_pass(struct model *model, int64_t ms)
{
        int64_t until_ms = model->now_ms + ms;

        while (model->now_ms < until_ms) {
                model->now_ms += until_ms - model->now_ms < CORE_TICK_MS ? until_ms - model->now_ms : CORE_TICK_MS;
                for (unsigned d = 0; d < model->count; d++) {
                        struct core_event event = { .kind = CORE_TICK };

                        model_event(model, d, &event);
                }
                model_pump(model);
        }
}

static void state(struct model *model, unsigned dispatcher, enum core_event_kind kind, bool up)
{
        struct core_event event = { .kind = kind, .u.state.up = up };

        model_event(model, dispatcher, &event);
}

static void load_alerts(struct model *model, unsigned dispatcher)
{
        struct model_dispatcher *d = &model->dispatchers[dispatcher];

        core_load_begin(d->core);
        d->fed = model->feed_count;
        for (size_t i = 0; i < model->alert_count; i++)
                if (!model->alerts[i].closed)
                        assert(core_load_record(d->core, model_span(model->alerts[i].record)) == 0);
        for (size_t i = 0; i < model->feed_count; i++)
                if (model->feed[i].kind == CORE_FEED_NOTICE)
                        (void)core_load_notice(d->core, model->feed[i].key,
                                               model->feed[i].on ? &model->feed[i].notice : NULL);
        for (size_t i = 0; i < model->duty_count; i++)
                (void)core_load_duty(d->core, model->duty[i].id, model->duty[i].on ? &model->duty[i].duty : NULL);
        core_load_end(d->core);
}

void model_store(struct model *model, bool up)
{
        model->store_up = up;
        for (unsigned d = 0; d < model->count; d++) {
                if (up && model->dispatchers[d].core != NULL)
                        load_alerts(model, d);
                state(model, d, CORE_STORE, up);
        }
        model_pump(model);
}

void model_store_of(struct model *model, unsigned dispatcher, bool up)
{
        model->dispatchers[dispatcher].cut_off = !up;
        if (up)
                load_alerts(model, dispatcher);
        state(model, dispatcher, CORE_STORE, up);
        model_pump(model);
}

void model_positions(struct model *model, bool up)
{
        model->positions_up = up;
        for (unsigned d = 0; d < model->count; d++)
                state(model, d, CORE_POSITIONS, up);
        model_pump(model);
}

void model_disk(struct model *model, bool good)
{
        model->disk_good = good;
        for (unsigned d = 0; d < model->count; d++)
                state(model, d, CORE_DISK, good);
        model_pump(model);
}

static int64_t overdue_ms(const struct model *model)
{
        return model->options.overdue_ms != 0 ? model->options.overdue_ms : CORE_OVERDUE_MS;
}

/* scan: dispatchers FROM to before TO look. */
static void scan(struct model *model, unsigned from, unsigned to)
{
        struct core_found *late = calloc(CORE_SCAN_MAX, sizeof(*late));
        struct core_event event = { .kind = CORE_SCAN, .u.scan.late = late };

        for (size_t i = 0; i < model->carrier_count; i++) {
                event.u.scan.total += model->carriers[i].on_duty;
                if (model->carriers[i].on_duty && model->carriers[i].heard_at_ms <= model->now_ms - overdue_ms(model))
                        late[event.u.scan.count++] = model->carriers[i];
        }
        event.u.scan.late_total = event.u.scan.count;
        for (unsigned d = from; d < to; d++)
                model_event(model, d, &event);
        free(late);
        model_pump(model);
}

void model_scan(struct model *model)
{
        scan(model, 0, model->count);
}

void model_scan_at(struct model *model, unsigned dispatcher)
{
        scan(model, dispatcher, dispatcher + 1);
}

/* ---- Set up ---------------------------------------------------------------------------------------------------------- */

struct model *model_new(unsigned count, const char *zones)
{
        struct model *model = calloc(1, sizeof(*model));
        struct geo_error error;

        assert(model != NULL && count <= MODEL_DISPATCHERS);
        model->now_ms = MODEL_NOW_MS;
        model->count = count;
        model->store_up = model->positions_up = model->disk_good = true;
        model->mail_end = &model->mail;
        model->gateway = SMS_HANDED;
        if (zones != NULL && zones_read(zones, strlen(zones), &model->zones, &error) < 0) {
                fprintf(stderr, "zones: %s\n", error.text);
                abort();
        }
        model->options = (struct core_options){
                .region = "test", .seed = 42, .zones = model->zones, .verify = model_verify, .hash = model_hash
        };
        return model;
}

void model_start(struct model *model, unsigned dispatcher)
{
        struct model_dispatcher *d = &model->dispatchers[dispatcher];
        char name[2] = { (char)('a' + dispatcher), 0 };

        model->options.rank = dispatcher;
        model->options.name = name;
        assert(core_new(&model->options, &d->core) == 0);
        d->numbered = 0;
        model_load_people(model, d->core);
        for (size_t i = 0; i < d->journal_count; i++)
                assert(core_replay(d->core, model_span(d->journal[i])) == 0);
        if (model->store_up)
                load_alerts(model, dispatcher);
        for (size_t i = 0; !model->store_up && i < model->duty_count; i++) /* as a snapshot has it */
                (void)core_load_duty(d->core, model->duty[i].id, model->duty[i].on ? &model->duty[i].duty : NULL);
        for (size_t i = 0; i < model->duty_count; i++)
                (void)core_load_presence(d->core, model->duty[i].id, &model->duty[i].presence);
        state(model, dispatcher, CORE_DISK, model->disk_good);
        state(model, dispatcher, CORE_POSITIONS, model->positions_up);
        if (model->store_up) /* else it has not been heard of */
                state(model, dispatcher, CORE_STORE, true);
        model_pump(model);
}

void model_begin(struct model *model)
{
        for (unsigned d = 0; d < model->count; d++)
                model_start(model, d);
        model_put_user(model, "control", ROLE_CONTROL);
}

void model_free(struct model *model)
{
        for (unsigned d = 0; d < model->count; d++) {
                model_kill(model, d);
                while (model->dispatchers[d].journal_count > 0)
                        free(model->dispatchers[d].journal[--model->dispatchers[d].journal_count].at);
        }
        while (deliver(model))
                ;
        model->store_up = false;
        model_release(model);
        for (size_t i = 0; i < model->alert_count; i++) {
                free(model->alerts[i].record.at);
                free(model->alerts[i].signed_alert.at);
        }
        for (size_t i = 0; i < model->feed_count; i++)
                free(model->feed[i].record.at);
        zones_free(model->zones);
        free(model);
}
