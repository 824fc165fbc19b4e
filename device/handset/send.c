/* An alert's revisions on their way: made, signed, sent, sent again.  One copy is held, the newest; an older one is
 * never sent after it. */
#include <math.h>
#include <string.h>

#include "device/handset/core.h"

static bool lane_carries(const struct vigie *vigie, enum my_lane lane, enum my_subject subject)
{
        bool received = vigie->alert[subject].received;

        if (vigie->link[lane].state != MY_UP)
                return false;
        if (subject == MY_TEST)
                return lane == MY_ORDINARY && !received;
        return lane == MY_ORDINARY || !received;
}

static bool any_lane(const struct vigie *vigie, enum my_subject subject)
{
        return lane_carries(vigie, MY_ORDINARY, subject) || lane_carries(vigie, MY_ALERT_PORT, subject);
}

bool my_send_needs_answer(const struct my_alert *a)
{
        return !a->received || (a->urgent && a->revision >= a->urgent_from);
}

static int64_t retry_ms(unsigned tries)
{
        return tries > 3 ? MY_RETRY_MAX_MS : my_earlier((int64_t)MY_RETRY_MIN_MS << (tries - 1), MY_RETRY_MAX_MS);
}

/* ---- making a revision ------------------------------------------------------------------------------------------- */

static int64_t revision_ms(const struct vigie *vigie, const struct my_alert *a)
{
        return vigie->now_mono_ms - a->raised_mono_ms < MY_FIRST_MINUTE_MS ? VIGIE_REVISION_FAST_MS : VIGIE_REVISION_MS;
}

/* Better than the one in the newest revision: there was none, we have moved, it is twice as exact, or that one was old.
 */
static bool fix_is_better(const struct vigie *vigie, const struct my_alert *a)
{
        const struct my_fix *f = &vigie->fix;
        double accuracy_m, moved_m;

        if (!f->has || vigie->fix_number == a->made_fix)
                return false;
        if (!a->alert.has_fix || a->alert.fix_age_s > VIGIE_REVISION_MS / 1000)
                return true;
        accuracy_m = my_fix_place(vigie).accuracy_m;
        moved_m = my_fix_distance_m(a->alert.lat_e7 / 1e7, a->alert.lon_e7 / 1e7, f->lat_deg, f->lon_deg);
        return moved_m > fmax(10, fmin(accuracy_m / 2, 100)) || accuracy_m * 2 <= a->alert.accuracy_m;
}

/* By SMS alone: when one goes or may go; the first position at once. */
static int64_t sms_revision_due(const struct vigie *vigie, enum my_subject subject)
{
        const struct my_alert *a = &vigie->alert[subject];
        int64_t at = my_sms_update_due(vigie, subject), soonest = a->made_mono_ms + VIGIE_REVISION_FAST_MS;

        if (at == NEVER || !fix_is_better(vigie, a))
                return NEVER;
        return !a->alert.has_fix || at < soonest ? soonest : at;
}

/* When the next revision is to be made; NEVER when nothing asks for one. */
static int64_t revision_due(const struct vigie *vigie, enum my_subject subject)
{
        const struct my_alert *a = &vigie->alert[subject];
        int64_t at;

        if (a->ticket != 0 || (a->made && a->alert.revision == UINT16_MAX && a->octets_len > 0))
                return NEVER;
        if (a->want) {
                at = a->made ? a->made_mono_ms + MY_REVISION_MARK_MS : vigie->now_mono_ms;
                return a->octets_len == 0 || at < a->sign_retry_mono_ms ? a->sign_retry_mono_ms : at;
        }
        if (subject == MY_TEST || a->state != MY_OPEN)
                return NEVER;
        if (!any_lane(vigie, subject))
                return sms_revision_due(vigie, subject);
        at = a->made_mono_ms + VIGIE_REVISION_MS;
        return fix_is_better(vigie, a) ? my_earlier(at, a->made_mono_ms + revision_ms(vigie, a)) : at;
}

static void position_fill(const struct vigie *vigie, struct alert *alert)
{
        struct vigie_place place;

        alert->has_fix = vigie->fix.has && alert->kind != ALERT_TEST; /* no alert, no position */
        alert->lat_e7 = alert->lon_e7 = 0;
        alert->accuracy_m = alert->fix_age_s = 0;
        if (!alert->has_fix)
                return;
        place = my_fix_place(vigie);
        alert->lat_e7 = place.lat_e7;
        alert->lon_e7 = place.lon_e7;
        alert->accuracy_m = place.accuracy_m;
        alert->fix_age_s = my_fix_age_s(vigie);
}

static void revision_number(struct vigie *vigie, enum my_subject subject)
{
        struct my_alert *a = &vigie->alert[subject];

        if (a->made && a->alert.revision < UINT16_MAX)
                a->alert.revision++;
        a->made = true;
        if (a->reserved == UINT16_MAX || a->alert.revision + MY_RESERVE_LOW <= a->reserved)
                return;
        a->reserved = a->reserved > a->alert.revision
                              ? a->reserved
                              : a->alert.revision; /* set back, it has gone on from the region's */
        a->reserved = a->reserved > UINT16_MAX - MY_RESERVE ? UINT16_MAX : a->reserved + MY_RESERVE;
        my_diary_write(vigie, subject, true);
}

static void revision_make(struct vigie *vigie, enum my_subject subject)
{
        struct my_alert *a = &vigie->alert[subject];
        struct vigie_action *sign;
        struct cbor_writer w;
        bool first_fix;

        revision_number(vigie, subject);
        a->alert.battery_percent = vigie->watch.battery;
        first_fix = !a->alert.has_fix;
        position_fill(vigie, &a->alert);
        first_fix &= a->alert.has_fix;
        a->signing = a->alert;
        if (a->want || first_fix) { /* where we are, when that was not known, is said until it is known */
                a->urgent = true;
                a->urgent_from = a->alert.revision;
        }
        if (a->pin)
                a->pin_from = a->alert.revision;
        a->pin = false;
        if (a->again_at_s != 0 && a->again_from == UINT32_MAX)
                a->again_from = a->alert.revision;
        a->want = false;
        a->made_fix = vigie->fix_number;
        a->made_mono_ms = a->sign_mono_ms = vigie->now_mono_ms;
        if (a->sign_since_mono_ms == 0)
                a->sign_since_mono_ms = vigie->now_mono_ms;
        a->ticket = ++vigie->tickets;
        cbor_writer_init(&w, my_room(vigie, ALERT_TBS_MAX), ALERT_TBS_MAX);
        alert_tbs(&a->signing, &vigie->handset, &w);
        sign = my_act(vigie, VIGIE_DO_SIGN);
        sign->ticket = a->ticket;
        sign->data = cbor_written(&w).at;
        sign->len = cbor_written(&w).len;
}

static void revision_finish(struct vigie *vigie, struct my_alert *a, const uint8_t signature[KEY_SIGNATURE_SIZE])
{
        struct cbor_writer w;

        cbor_writer_init(&w, a->octets, sizeof(a->octets));
        alert_finish(&a->signing, &vigie->handset, signature, &w);
        a->octets_len = (uint8_t)w.len;
        a->revision = a->signing.revision;
        a->octets_marks = a->signing.marks;
        a->octets_fix = a->signing.has_fix;
}

/* The key does not sign.  The alert leaves all the same, unsigned: the region raises it as unverified, to the control
 * room, which is more than nothing.  We go on asking for a signature. */
static void signing_failed(struct vigie *vigie, struct my_alert *a)
{
        static const uint8_t none[KEY_SIGNATURE_SIZE];
        bool late = vigie->now_mono_ms - a->sign_since_mono_ms >= VIGIE_SIGN_WAIT_MS;

        a->ticket = 0;
        a->want = true;
        vigie->key_bad = true;
        a->sign_retry_mono_ms = vigie->now_mono_ms + (late ? MY_RETRY_MAX_MS : MY_SIGN_RETRY_MS);
        if (late)
                revision_finish(vigie, a, none);
}

void my_send_on_signed(struct vigie *vigie, const struct vigie_event *event)
{
        for (int i = 0; i < MY_ALERTS; i++) {
                struct my_alert *a = &vigie->alert[i];

                if (!my_alert_speaks(vigie, a) || a->ticket == 0 || a->ticket != event->u.signature.ticket)
                        continue;
                if (!event->u.signature.ok) {
                        signing_failed(vigie, a);
                        return;
                }
                a->ticket = 0;
                a->sign_since_mono_ms = 0;
                vigie->key_bad = false;
                revision_finish(vigie, a, event->u.signature.octets);
        }
}

/* ---- sending ----------------------------------------------------------------------------------------------------- */

/* When the copy is to go out on this lane: now, at the next try, or NEVER. */
static int64_t copy_due(const struct vigie *vigie, enum my_lane lane, enum my_subject subject)
{
        const struct my_alert *a = &vigie->alert[subject];
        const struct my_sent *s = &a->sent[lane];

        if (a->octets_len == 0 || !lane_carries(vigie, lane, subject))
                return NEVER;
        if (s->link != vigie->link[lane].number || s->revision != a->revision)
                return INT64_MIN;
        return my_send_needs_answer(a) ? s->last_mono_ms + retry_ms(s->tries) : NEVER;
}

void my_send_left(struct vigie *vigie, enum my_subject subject)
{
        struct my_alert *a = &vigie->alert[subject];

        if (a->sent_at_ms != 0)
                return;
        a->sent_at_ms = vigie->now_ms;
        if (subject == MY_TEST)
                vigie->duty.proof.sent_at_ms = vigie->now_ms;
        else if (!a->mute && !a->received)
                my_act(vigie, VIGIE_DO_VIBRATE)->pattern = VIGIE_VIBRATE_LEAVING;
}

static void copy_send(struct vigie *vigie, enum my_lane lane, enum my_subject subject)
{
        struct my_alert *a = &vigie->alert[subject];
        struct my_sent *s = &a->sent[lane];
        struct frame frame = { .type = FRAME_ALERT, .u.cose.cose = { a->octets, a->octets_len } };

        if (a->has_receipt) {
                frame.u.cose.held_version = a->receipt.version;
                frame.u.cose.held_state = a->receipt.state;
        }
        my_send_frame(vigie, lane, &frame);
        if (s->link != vigie->link[lane].number || s->revision != a->revision)
                s->tries = 0;
        if (s->link != vigie->link[lane].number || s->first_mono_ms == NEVER)
                s->first_mono_ms = my_send_needs_answer(a) ? vigie->now_mono_ms : NEVER;
        s->link = vigie->link[lane].number;
        s->revision = a->revision;
        s->last_mono_ms = vigie->now_mono_ms;
        s->tries += s->tries < UINT8_MAX;
        if (a->sent_data_at_ms == 0)
                a->sent_data_at_ms = vigie->now_ms;
        my_send_left(vigie, subject);
}

static void record_waited(struct vigie *vigie, enum my_subject subject)
{
        struct my_alert *a = &vigie->alert[subject];

        if (vigie->synced >= a->wait_seq || vigie->journal_bad ||
            vigie->now_mono_ms - a->wait_mono_ms >= VIGIE_JOURNAL_WAIT_MS)
                a->wait = false;
}

static void proof_recorded(struct vigie *vigie)
{
        const struct my_written *w = &vigie->written[MY_TEST];

        if (w->durable == w->serial && vigie->duty.proof.recorded_at_ms == 0)
                vigie->duty.proof.recorded_at_ms = vigie->now_ms;
}

void my_send_run(struct vigie *vigie)
{
        for (int i = 0; i < MY_ALERTS && vigie->options.enrolled && vigie->started; i++) {
                struct my_alert *a = &vigie->alert[i];

                if (!my_alert_speaks(vigie, a))
                        continue;
                if (a->ticket != 0 && vigie->now_mono_ms - a->sign_mono_ms >= VIGIE_SIGN_WAIT_MS)
                        signing_failed(vigie, a);
                if (a->wait)
                        record_waited(vigie, i);
                if (i == MY_TEST)
                        proof_recorded(vigie);
                for (int lane = 0; lane < MY_LANES && !a->wait; lane++)
                        if (copy_due(vigie, lane, i) <= vigie->now_mono_ms)
                                copy_send(vigie, lane, i);
                if (revision_due(vigie, i) <= vigie->now_mono_ms)
                        revision_make(vigie, i);
        }
}

int64_t my_send_due(const struct vigie *vigie)
{
        int64_t at = NEVER;

        for (int i = 0; i < MY_ALERTS && vigie->options.enrolled && vigie->started; i++) {
                const struct my_alert *a = &vigie->alert[i];

                if (!my_alert_speaks(vigie, a))
                        continue;
                at = my_earlier(at, revision_due(vigie, i));
                if (a->ticket != 0)
                        at = my_earlier(at, a->sign_mono_ms + VIGIE_SIGN_WAIT_MS);
                if (a->wait)
                        at = my_earlier(at, a->wait_mono_ms + VIGIE_JOURNAL_WAIT_MS);
                for (int lane = 0; lane < MY_LANES && !a->wait; lane++)
                        at = my_earlier(at, copy_due(vigie, lane, i));
        }
        return at;
}

void my_send_answered(struct my_alert *alert)
{
        for (int lane = 0; lane < MY_LANES; lane++)
                alert->sent[lane].first_mono_ms = NEVER;
}

int64_t my_send_unanswered(const struct vigie *vigie, enum my_lane lane)
{
        int64_t since = NEVER;

        for (int i = MY_REAL; i <= MY_DRILL; i++) {
                const struct my_alert *a = &vigie->alert[i];

                if (a->state == MY_OPEN && a->sent[lane].link == vigie->link[lane].number)
                        since = my_earlier(since, a->sent[lane].first_mono_ms);
        }
        return since;
}
