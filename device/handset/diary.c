/* What goes into the journal: one record is the whole state of one subject, so the last of each is enough.
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
 */
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "device/handset/core.h"

#define DIARY_FORMAT 1

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

static void write_fix(const struct vigie *vigie, struct cbor_writer *w)
{
        struct vigie_place place = my_fix_place(vigie);

        cbor_write_int(w, place.lat_e7);
        cbor_write_int(w, place.lon_e7);
        cbor_write_uint(w, place.accuracy_m);
        cbor_write_uint(w, (uint64_t)(vigie->fix.at_ms > 0 ? vigie->fix.at_ms : 0));
}

/* Elements of each subject's record, the three of the head included. */
static const uint8_t elements[MY_SUBJECTS] = { 13, 13, 13, 7, 10, 7, 7, 4, 5, 7 };

static void write_head(struct vigie *vigie, enum my_subject subject, struct cbor_writer *w)
{
        cbor_write_array(w, elements[subject]);
        cbor_write_uint(w, DIARY_FORMAT);
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

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static void read_receipt(struct my_alert *a, struct cbor_reader *r)
{
        a->has_receipt = !cbor_read_null(r);
        if (!a->has_receipt)
                return;
        cbor_enter_array(r);
        a->receipt.revision = (uint16_t)cbor_read_uint(r, UINT16_MAX);
        a->receipt.version = (uint32_t)cbor_read_uint(r, UINT32_MAX);
        a->receipt.state = (uint8_t)cbor_read_uint(r, UINT8_MAX);
        a->receipt.time_s = (uint32_t)cbor_read_uint(r, UINT32_MAX);
        cbor_read_string(r, a->receipt.who, sizeof(a->receipt.who));
        cbor_leave(r);
}

static void read_alert(struct my_alert *a, struct cbor_reader *r)
{
        uint8_t quiet;

        a->state = (enum my_state)cbor_read_uint(r, MY_CLOSED);
        cbor_read_octets(r, a->alert.nonce, ALERT_NONCE_SIZE);
        a->alert.pressed_at_s = (uint32_t)cbor_read_uint(r, UINT32_MAX);
        a->alert.kind = (enum alert_kind)cbor_read_uint(r, ALERT_KIND_COUNT - 1);
        a->alert.marks = (uint16_t)cbor_read_uint(r, UINT16_MAX);
        a->reserved = (uint16_t)cbor_read_uint(r, UINT16_MAX);
        quiet = (uint8_t)cbor_read_uint(r, 3);
        a->hidden = quiet & 1;
        a->mute = quiet & 2;
        a->received = a->felt_received = cbor_read_bool(r);
        read_receipt(a, r);
        a->again_at_s = cbor_more(r) ? (uint32_t)cbor_read_uint(r, UINT32_MAX) : 0; /* records of before have none */
        a->again_from = UINT32_MAX;
        a->felt_taken = a->received; /* felt, or too late to be news */
        a->presses = 1;
}

static void read_duty(struct my_duty *d, struct cbor_reader *r)
{
        d->on = cbor_read_bool(r);
        d->announce = cbor_read_bool(r);
        cbor_read_string(r, d->person, sizeof(d->person));
        cbor_read_string(r, d->round, sizeof(d->round));
        cbor_read_string(r, d->name, sizeof(d->name));
        d->since_ms = (int64_t)cbor_read_uint(r, VIGIE_CLOCK_MAX_MS);
        d->until_s = (uint32_t)cbor_read_uint(r, UINT32_MAX);
}

static void read_check_in(struct my_watch *c, struct cbor_reader *r)
{
        struct cbor_span sealed = { 0 };

        c->check_in_at_ms = (int64_t)cbor_read_uint(r, VIGIE_CLOCK_MAX_MS);
        if (!cbor_more(r))
                return;
        c->quiet = (uint8_t)cbor_read_uint(r, MY_QUIET_OVER);
        if (!cbor_read_null(r))
                sealed = cbor_read_bytes(r, 1, sizeof(c->quiet_sealed));
        c->quiet_sealed_len = (uint8_t)sealed.len;
        if (sealed.len > 0)
                memcpy(c->quiet_sealed, sealed.at, sealed.len);
        if (cbor_read_null(r))
                return;
        c->quiet_has_place = true;
        cbor_enter_array(r);
        c->quiet_place.lat_e7 = (int32_t)cbor_read_int(r, -900000000, 900000000);
        c->quiet_place.lon_e7 = (int32_t)cbor_read_int(r, -1800000000, 1800000000);
        c->quiet_place.accuracy_m = (uint16_t)cbor_read_uint(r, UINT16_MAX);
        c->quiet_place.at_s = (uint32_t)cbor_read_uint(r, UINT32_MAX);
        cbor_leave(r);
}

static void read_order(struct confirm *taken, struct cbor_reader *r)
{
        taken->number = (uint32_t)cbor_read_uint(r, UINT32_MAX);
        taken->kind = (uint8_t)cbor_read_uint(r, UINT8_MAX);
        taken->result = (uint8_t)cbor_read_uint(r, UINT8_MAX);
        taken->at_s = (uint32_t)cbor_read_uint(r, UINT32_MAX);
}

static void read_fix(struct my_fix *f, struct cbor_reader *r)
{
        double accuracy_m;

        f->lat_deg = cbor_read_int(r, -900000000, 900000000) / 1e7;
        f->lon_deg = cbor_read_int(r, -1800000000, 1800000000) / 1e7;
        accuracy_m = (double)cbor_read_uint(r, UINT16_MAX);
        f->accuracy_m = accuracy_m < UINT16_MAX ? accuracy_m : NAN;
        f->at_ms = (int64_t)cbor_read_uint(r, VIGIE_CLOCK_MAX_MS);
        f->mono_ms = INT64_MIN;
        f->has = true;
}

/* One record, read as a whole before anything of it counts. */
struct page {
        struct my_alert alert;
        struct my_touch touch;
        struct my_duty duty;
        struct my_fix fix;
        struct my_watch check_in;
        struct confirm taken;
        int64_t good_at_ms, tested_at_ms;
        struct cbor_span trust;
};

static void read_subject(struct page *p, enum my_subject subject, struct cbor_reader *r)
{
        switch (subject) {
        case MY_REAL:
        case MY_DRILL:
        case MY_TEST:
                read_alert(&p->alert, r);
                return;
        case MY_TOUCH:
                p->touch.again = cbor_read_bool(r);
                p->touch.press = (uint8_t)cbor_read_uint(r, VIGIE_PRESS_DRILL);
                cbor_read_octets(r, p->touch.nonce, ALERT_NONCE_SIZE);
                p->touch.pressed_at_s = (uint32_t)cbor_read_uint(r, UINT32_MAX);
                return;
        case MY_DUTY:
                read_duty(&p->duty, r);
                return;
        case MY_CHECK_IN:
                read_check_in(&p->check_in, r);
                return;
        case MY_FIX:
                read_fix(&p->fix, r);
                return;
        case MY_SMS:
                p->good_at_ms = (int64_t)cbor_read_uint(r, VIGIE_CLOCK_MAX_MS);
                p->tested_at_ms = (int64_t)cbor_read_uint(r, VIGIE_CLOCK_MAX_MS);
                return;
        case MY_ORDER:
                read_order(&p->taken, r);
                return;
        default:
                p->trust = cbor_read_bytes(r, 1, VIGIE_RECORD_MAX);
        }
}

static int read_head(struct cbor_reader *r, enum my_subject *ret_subject, uint32_t *ret_serial)
{
        uint64_t format;

        cbor_enter_array(r);
        format = cbor_read_uint(r, UINT32_MAX);
        if (r->broken == NULL && format > DIARY_FORMAT)
                return -EPROTONOSUPPORT;
        *ret_subject = (enum my_subject)cbor_read_uint(r, MY_SUBJECTS - 1);
        *ret_serial = (uint32_t)cbor_read_uint(r, UINT32_MAX);
        return r->broken != NULL || format == 0 ? -EBADMSG : 0;
}

static void page_take(struct vigie *vigie, enum my_subject subject, const struct page *p)
{
        switch (subject) {
        case MY_REAL:
        case MY_DRILL:
        case MY_TEST:
                vigie->alert[subject] = p->alert;
                return;
        case MY_TOUCH:
                vigie->touch.again = p->touch.again;
                vigie->touch.press = p->touch.press;
                vigie->touch.pressed_at_s = p->touch.pressed_at_s;
                memcpy(vigie->touch.nonce, p->touch.nonce, ALERT_NONCE_SIZE);
                return;
        case MY_DUTY:
                vigie->duty = p->duty;
                vigie->duty.until_mono_ms = NEVER;
                return;
        case MY_CHECK_IN:
                my_watch_restore(vigie, &p->check_in);
                return;
        case MY_FIX:
                vigie->fix = p->fix;
                return;
        case MY_SMS:
                vigie->sms.good_at_ms = p->good_at_ms;
                vigie->sms.tested_at_ms = p->tested_at_ms;
                return;
        case MY_ORDER:
                vigie->order.taken = p->taken;
                vigie->order.taken.handset = vigie->handset;
                memcpy(vigie->order.taken.enrolment, vigie->options.enrolment, ENROLMENT_SIZE);
                return;
        default:
                my_trust_take(vigie, p->trust);
        }
}

int vigie_restore(struct vigie *vigie, const uint8_t *record, size_t len)
{
        struct page page = { 0 };
        struct my_written *written;
        enum my_subject subject;
        struct cbor_reader r;
        uint32_t serial;
        int error;

        if (vigie->started)
                return -EINVAL;
        cbor_reader_init(&r, (struct cbor_span){ record, len });
        if ((error = read_head(&r, &subject, &serial)) < 0)
                return error;
        read_subject(&page, subject, &r);
        cbor_leave(&r);
        if (cbor_end(&r) < 0)
                return -EBADMSG;
        page_take(vigie, subject, &page);
        written = &vigie->written[subject];
        written->serial = written->durable = serial;
        if (serial > vigie->serial)
                vigie->serial = serial;
        return 0;
}

static bool is_alive(const struct vigie *vigie, enum my_subject subject)
{
        switch (subject) {
        case MY_REAL:
        case MY_DRILL:
                return vigie->alert[subject].state == MY_OPEN;
        case MY_TOUCH:
                return vigie->touch.down || vigie->touch.again;
        case MY_DUTY:
                return vigie->duty.on || vigie->duty.announce;
        case MY_CHECK_IN:
                return vigie->watch.check_in_at_ms != 0 || vigie->watch.quiet != MY_QUIET_NONE;
        case MY_FIX:
        case MY_TRUST:
        case MY_SMS:
        case MY_ORDER:
                return true;
        default:
                return false;
        }
}

/* What is newer than the newest durable record is kept too: until that is durable, the older one is what would be
 * found. */
bool vigie_keep(const struct vigie *vigie, const uint8_t *record, size_t len)
{
        const struct my_written *written;
        enum my_subject subject;
        struct cbor_reader r;
        uint32_t serial;

        cbor_reader_init(&r, (struct cbor_span){ record, len });
        if (read_head(&r, &subject, &serial) < 0)
                return false;
        written = &vigie->written[subject];
        return serial >= written->durable && (written->durable != written->serial || is_alive(vigie, subject));
}
