/* Reading the journal back, record by record; diary.c says what stands in it. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "device/handset/core.h"

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

/* As many as there are: those over our number are a newer program's, and the oldest. */
static void read_opened(struct my_opened *opened, struct cbor_reader *r)
{
        cbor_enter_array(r);
        while (cbor_more(r)) {
                struct my_opening one = { .at_ms = (int64_t)cbor_read_uint(r, VIGIE_CLOCK_MAX_MS) };

                one.why = (uint8_t)cbor_read_uint(r, UINT8_MAX);
                one.read = cbor_read_bool(r);
                one.hushed = cbor_read_bool(r);
                my_opened_add(opened, &one);
        }
        cbor_leave(r);
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
        struct my_opened opened;
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
        case MY_OPENED:
                read_opened(&p->opened, r);
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
        if (r->broken == NULL && format > MY_DIARY_FORMAT)
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
        case MY_OPENED:
                vigie->opened = p->opened;
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
        case MY_OPENED:
                return vigie->opened.count > 0;
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
