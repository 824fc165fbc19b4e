/* What the region's signed receipts say of this phone's alerts: by whichever path, in whatever order, none before it is
 * verified. */
#include <string.h>

#include "device/handset/core.h"

/* At one version "kept" and "coming" are what a dispatcher says while its store is away; of two who say that they are
 * coming, the later. */
static int rank(uint8_t state)
{
        return state == RECEIPT_KEPT ? 0 : state == RECEIPT_COMING ? 2 : 1;
}

static bool receipt_counts(const struct my_alert *a, const struct receipt *r)
{
        const struct receipt *held = &a->receipt;

        if (!a->has_receipt)
                return true;
        if (receipt_is_closed(held->state) != receipt_is_closed(r->state))
                return receipt_is_closed(r->state); /* close is final, and of any version: what is closed stays so */
        if (r->version != held->version)
                return r->version > held->version;
        if (r->state != held->state)
                return rank(r->state) > rank(held->state);
        return r->revision > held->revision || (r->state == RECEIPT_COMING && r->time_s > held->time_s);
}

static bool is_taken(uint8_t state)
{
        return state == RECEIPT_TAKEN || state == RECEIPT_EN_ROUTE || state == RECEIPT_ON_SCENE;
}

static void receipt_feel(struct vigie *vigie, struct my_alert *a, uint8_t state)
{
        bool taken = is_taken(state) && !a->felt_taken;
        bool received = a->received && !a->felt_received;

        a->felt_taken |= taken;
        a->felt_received |= received;
        if (a->mute && received && vigie->options.silent_pulse)
                my_vibrate(vigie, VIGIE_VIBRATE_MESSAGE);
        else if (!a->mute && (taken || received))
                my_vibrate(vigie, taken ? VIGIE_VIBRATE_TAKEN : VIGIE_VIBRATE_RECEIVED);
}

/* Whether the last press again is not in what R closed.  Its revision says so; but not where the phone was set back to a backup and counts
 * from an old one, nor where the region knows the tombstone alone: then a press that was never confirmed, and is later than the closure. */
static bool again_is_beside(const struct my_alert *a, const struct receipt *r)
{
        return a->again_at_s != 0 && (r->revision < a->again_from || (!a->again_known && a->again_at_s > r->time_s));
}

/* R knows a revision that this phone has not made: it was set back to a backup, and counts from an old one.  It goes on above; what the
 * region has not said that it knows goes into a revision of its own, and a press again was in none. */
static void count_on(struct my_alert *a, const struct receipt *r)
{
        if (a->state != MY_OPEN || !a->made || r->revision <= a->alert.revision || r->revision == UINT16_MAX)
                return;
        a->alert.revision = r->revision;
        a->want |= a->urgent;
        if (a->again_at_s == 0 || a->again_known)
                return;
        a->again_from = UINT32_MAX;
        a->want = true;
}

/* What R says of the last PIN's word: known; or, closed without it, answered often enough. */
static void pin_heard(struct my_alert *a, const struct receipt *r, enum vigie_path path)
{
        const struct my_sent *s = &a->sent[MY_ORDINARY];

        if (!a->pin_owed || a->pin || !receipt_is_received(r->state))
                return;
        if (a->late_until_mono_ms != 0 && path == VIGIE_PATH_DATA && s->link != 0 && s->revision >= a->pin_from)
                a->late_answers++;
        if (r->revision < a->pin_from && a->late_answers < MY_LATE_ANSWERS)
                return;
        a->pin_owed = false;
        a->late_until_mono_ms = 0;
}

static void receipt_apply(struct vigie *vigie, enum my_subject subject, const struct receipt *r, enum vigie_path path)
{
        struct my_alert *a = &vigie->alert[subject];
        bool news = a->receipt.state != r->state || strcmp(a->receipt.who, r->who) != 0 || !a->has_receipt;
        bool closed = receipt_is_closed(r->state), anew;

        count_on(a, r);
        anew = closed && again_is_beside(a, r);
        if (path == VIGIE_PATH_DATA)
                my_send_answered(a);
        pin_heard(a, r, path);
        if (receipt_is_received(r->state) && a->urgent && r->revision >= a->urgent_from)
                a->urgent = false;
        if (a->again_at_s != 0 && !a->again_known && receipt_is_received(r->state) && r->revision >= a->again_from) {
                a->again_known = true;
                news = true;
        }
        if (!receipt_counts(a, r))
                return;
        a->has_receipt = true;
        a->receipt = *r;
        if (receipt_is_received(r->state) && !a->received) {
                a->received = true;
                a->received_at_ms = vigie->now_ms;
                a->received_path = path;
        }
        if (closed && a->pin_owed && a->state == MY_OPEN)
                a->late_until_mono_ms = vigie->now_mono_ms + VIGIE_PIN_LATE_MS;
        if (closed)
                a->state = MY_CLOSED;
        receipt_feel(vigie, a, r->state);
        /* Also one that was received: a failover may have lost it before the other side closed.  One record says both, that the old one
         * is closed and that it is pressed anew: a phone that dies between two would know of no press. */
        if (anew)
                my_alert_raise_anew(vigie, subject);
        else if (news)
                my_diary_write(vigie, subject, false);
}

/* It goes on only for its SMS: that a test SMS is answered is another proof. */
static void test_proved(struct vigie *vigie, enum vigie_path path)
{
        struct my_alert *a = &vigie->alert[MY_TEST];

        if (!a->received)
                vigie->duty.proof.proved_at_ms = vigie->now_ms;
        a->received = true;
        if (path == VIGIE_PATH_SMS || !my_sms_tests(vigie))
                a->state = MY_NONE;
}

/* Which alert of ours a receipt is about; MY_TOUCH: none, an old one's. */
static enum my_subject receipt_subject(const struct vigie *vigie, const struct receipt *r)
{
        for (int i = 0; i < MY_ALERTS; i++) {
                struct alert_id id = alert_id_make(&vigie->handset, vigie->alert[i].alert.nonce);

                if (vigie->alert[i].state != MY_NONE && alert_id_equal(&id, &r->alert))
                        return i;
        }
        return MY_TOUCH;
}

void my_receipt_take(struct vigie *vigie, struct cbor_span cose, enum vigie_path path)
{
        struct receipt_signed r;
        enum my_subject subject;

        if (receipt_read(cose, &r, NULL) < 0) {
                vigie->refused++;
                return;
        }
        subject = receipt_subject(vigie, &r.receipt);
        if (subject == MY_TOUCH || (subject == MY_TEST) != (r.receipt.state == RECEIPT_PROVED))
                return;
        if (!my_trust_receipt(vigie, &r)) {
                vigie->refused++;
                return;
        }
        if (path == VIGIE_PATH_SMS)
                my_sms_answered(vigie, subject);
        if (subject == MY_TEST)
                test_proved(vigie, path);
        else
                receipt_apply(vigie, subject, &r.receipt, path);
}
