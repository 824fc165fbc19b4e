/* What goes into the journal: one record is the whole state of one subject, so the last of each is enough.  diary_read.c reads it.
 *
 *      [1, subject, serial, ...]       CBOR; serial rises by one a record
 *      alerts    state, nonce, pressed at s, kind, marks, reserved revision, quiet (1 hidden, 2 mute), received,
 *                null or [revision, version, state, time s, who], last press again s that the region may not have (0 none)
 *      touch     down, press, nonce, pressed at s
 *      duty      on, to be told, person, round, name, since ms, until s
 *      check-in  at ms (0 none), quiet timer (0 none, 1 on, 2 over and the region is to be told), sealed place or null,
 *                [lat 1e-7, lon 1e-7, accuracy m, entered at s] or null; of before: at ms alone
 *      fix       lat 1e-7, lon 1e-7, accuracy m, at ms
 *      trust     the signed list
 *      SMS       last good one at ms (0 never), last test SMS at ms (0 never)
 *      order     number of the last one taken, kind, result, at s
 *      opened    [at ms, why, read, hushed, at ms, ...]
 */
#include <assert.h>
#include <string.h>

#include "device/handset/core.h"

static void write_receipt(const struct my_alert *a, struct cbor_writer *w)
{
        const struct receipt *r = &a->receipt;

        if (!a->has_receipt) {
                cbor_write_null(w);
                return;
        }
        cbor_write_array(w, 5);
        cbor_write_uint(w, r->revision);
        cbor_write_uint(w, r->version);
        cbor_write_uint(w, r->state);
        cbor_write_uint(w, r->time_s);
        cbor_write_string(w, r->who);
}

static void write_alert(const struct my_alert *a, struct cbor_writer *w)
{
        cbor_write_uint(w, a->state);
        cbor_write_bytes(w, CBOR_OCTETS(a->alert.nonce));
        cbor_write_uint(w, a->alert.pressed_at_s);
        cbor_write_uint(w, a->alert.kind);
        cbor_write_uint(w, a->alert.marks);
        cbor_write_uint(w, a->reserved);
        cbor_write_uint(w, (a->hidden ? 1 : 0) | (a->mute ? 2 : 0));
        cbor_write_bool(w, a->received);
        write_receipt(a, w);
        cbor_write_uint(w, a->again_known ? 0 : a->again_at_s);
}

static void write_touch(const struct my_touch *t, struct cbor_writer *w)
{
        cbor_write_bool(w, t->down);
        cbor_write_uint(w, t->press);
        cbor_write_bytes(w, CBOR_OCTETS(t->nonce));
        cbor_write_uint(w, t->pressed_at_s);
}

static void write_duty(const struct my_duty *d, struct cbor_writer *w)
{
        cbor_write_bool(w, d->on);
        cbor_write_bool(w, d->announce);
        cbor_write_string(w, d->person);
        cbor_write_string(w, d->round);
        cbor_write_string(w, d->name);
        cbor_write_uint(w, (uint64_t)d->since_ms);
        cbor_write_uint(w, d->until_s);
}

static void write_check_in(const struct my_watch *c, struct cbor_writer *w)
{
        cbor_write_uint(w, (uint64_t)c->check_in_at_ms);
        cbor_write_uint(w, c->quiet);
        if (c->quiet_sealed_len > 0)
                cbor_write_bytes(w, (struct cbor_span){ c->quiet_sealed, c->quiet_sealed_len });
        else
                cbor_write_null(w);
        if (!c->quiet_has_place) {
                cbor_write_null(w);
                return;
        }
        cbor_write_array(w, 4);
        cbor_write_int(w, c->quiet_place.lat_e7);
        cbor_write_int(w, c->quiet_place.lon_e7);
        cbor_write_uint(w, c->quiet_place.accuracy_m);
        cbor_write_uint(w, c->quiet_place.at_s);
}

static void write_order(const struct confirm *taken, struct cbor_writer *w)
{
        cbor_write_uint(w, taken->number);
        cbor_write_uint(w, taken->kind);
        cbor_write_uint(w, taken->result);
        cbor_write_uint(w, taken->at_s);
}

static void write_opened(const struct my_opened *opened, struct cbor_writer *w)
{
        cbor_write_array(w, 4 * opened->count);
        for (size_t i = 0; i < opened->count; i++) {
                cbor_write_uint(w, (uint64_t)opened->entries[i].at_ms);
                cbor_write_uint(w, opened->entries[i].why);
                cbor_write_bool(w, opened->entries[i].read);
                cbor_write_bool(w, opened->entries[i].hushed);
        }
}

static void write_fix(const struct vigie *vigie, struct cbor_writer *w)
{
        struct vigie_place place = my_fix_place(vigie);

        cbor_write_int(w, place.lat_e7);
        cbor_write_int(w, place.lon_e7);
        cbor_write_uint(w, place.accuracy_m);
        cbor_write_uint(w, (uint64_t)(vigie->fix.at_ms > 0 ? vigie->fix.at_ms : 0));
}

/* Elements of each subject's record, the three of the head included. */
static const uint8_t elements[MY_SUBJECTS] = { 13, 13, 13, 7, 10, 7, 7, 4, 5, 7, 4 };

static void write_head(struct vigie *vigie, enum my_subject subject, struct cbor_writer *w)
{
        cbor_write_array(w, elements[subject]);
        cbor_write_uint(w, MY_DIARY_FORMAT);
        cbor_write_uint(w, subject);
        cbor_write_uint(w, ++vigie->serial);
}

static void write_subject(const struct vigie *vigie, enum my_subject subject, struct cbor_writer *w)
{
        switch (subject) {
        case MY_REAL:
        case MY_DRILL:
        case MY_TEST:
                write_alert(&vigie->alert[subject], w);
                return;
        case MY_TOUCH:
                write_touch(&vigie->touch, w);
                return;
        case MY_DUTY:
                write_duty(&vigie->duty, w);
                return;
        case MY_CHECK_IN:
                write_check_in(&vigie->watch, w);
                return;
        case MY_FIX:
                write_fix(vigie, w);
                return;
        case MY_SMS:
                cbor_write_uint(w, (uint64_t)vigie->sms.good_at_ms);
                cbor_write_uint(w, (uint64_t)vigie->sms.tested_at_ms);
                return;
        case MY_ORDER:
                write_order(&vigie->order.taken, w);
                return;
        case MY_OPENED:
                write_opened(&vigie->opened, w);
                return;
        default:
                return;
        }
}

static uint32_t append(struct vigie *vigie, enum my_subject subject, struct cbor_span record, bool sync)
{
        struct my_written *written = &vigie->written[subject];
        struct vigie_action *append;

        assert(record.len > 0);
        if (vigie->order.wiped) { /* there is no journal any more */
                written->serial = written->durable = vigie->serial;
                return vigie->seq;
        }
        append = my_act(vigie, VIGIE_DO_APPEND);
        append->data = memcpy(my_room(vigie, record.len), record.at, record.len);
        append->len = record.len;
        append->sync = sync;
        append->seq = written->seq = ++vigie->seq;
        written->serial = vigie->serial;
        written->lost = false;
        if (sync && vigie->asked_mono_ms == NEVER)
                vigie->asked_mono_ms = vigie->now_mono_ms;
        if (sync)
                vigie->asked = append->seq;
        return append->seq;
}

uint32_t my_diary_write(struct vigie *vigie, enum my_subject subject, bool sync)
{
        uint8_t octets[MY_RECORD_MAX];
        struct cbor_writer w;

        cbor_writer_init(&w, octets, sizeof(octets));
        write_head(vigie, subject, &w);
        write_subject(vigie, subject, &w);
        return append(vigie, subject, cbor_written(&w), sync);
}

uint32_t my_diary_trust(struct vigie *vigie, struct cbor_span list)
{
        uint8_t octets[VIGIE_RECORD_MAX];
        struct cbor_writer w;

        cbor_writer_init(&w, octets, sizeof(octets));
        write_head(vigie, MY_TRUST, &w);
        cbor_write_bytes(&w, list);
        return append(vigie, MY_TRUST, cbor_written(&w), true);
}

static bool any_lost(const struct vigie *vigie)
{
        for (int i = 0; i < MY_SUBJECTS; i++)
                if (vigie->written[i].lost)
                        return true;
        return false;
}

void my_diary_on_synced(struct vigie *vigie, uint32_t seq, bool ok)
{
        if (seq > vigie->seq || (seq != 0 && seq <= vigie->synced)) /* 0: of the journal as a whole */
                return;
        if (ok && seq != 0)
                vigie->synced = seq;
        if (seq != 0) /* it does something: what waits still, waits from now on */
                vigie->asked_mono_ms = seq >= vigie->asked ? NEVER : vigie->now_mono_ms;
        for (int i = 0; i < MY_SUBJECTS; i++) {
                struct my_written *w = &vigie->written[i];

                if (w->seq > seq || w->durable == w->serial)
                        continue;
                if (ok && !w->lost)
                        w->durable = w->serial;
                else
                        w->lost = true;
        }
        if (!vigie->journal_bad)
                vigie->journal_retry_mono_ms = vigie->now_mono_ms + MY_DIARY_RETRY_MS;
        vigie->journal_bad = !ok || any_lost(vigie);
}

static int64_t hangs_due(const struct vigie *vigie)
{
        return vigie->asked_mono_ms == NEVER ? NEVER : vigie->asked_mono_ms + MY_DIARY_HANGS_MS;
}

/* A trust list is not held as it came: one that could not be written is asked for again after the next start. */
void my_diary_run(struct vigie *vigie)
{
        vigie->journal_hangs = hangs_due(vigie) <= vigie->now_mono_ms;
        if (!vigie->journal_bad || vigie->journal_retry_mono_ms > vigie->now_mono_ms)
                return;
        vigie->journal_retry_mono_ms = vigie->now_mono_ms + MY_DIARY_RETRY_MS;
        for (int i = 0; i < MY_SUBJECTS; i++)
                if (i != MY_TRUST && vigie->written[i].durable != vigie->written[i].serial)
                        my_diary_write(vigie, i, true);
        vigie->written[MY_TRUST].lost = false;
}

int64_t my_diary_due(const struct vigie *vigie)
{
        int64_t at = vigie->journal_hangs ? NEVER : hangs_due(vigie);

        return vigie->journal_bad ? my_earlier(at, vigie->journal_retry_mono_ms) : at;
}
