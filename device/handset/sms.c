/* The SMS leg: the same signed revision as one 8-bit SMS, when data is known to be down or says nothing for 3 s.  One
 * at a time is with the modem.  It goes on until a receipt comes by either leg, however long that takes; what a silent
 * alert does here is not shown. */
#include <string.h>

#include "device/handset/core.h"

/* A clock that was wrong must not stop the test press for ever, nor make it daily. */
static bool is_recent(const struct vigie *vigie, int64_t at_ms, int64_t span_ms)
{
        return at_ms != 0 && at_ms <= vigie->now_ms && vigie->now_ms - at_ms < span_ms;
}

static int64_t later(int64_t a, int64_t b)
{
        return a > b ? a : b;
}

/* Handed over and not answered: 20 s, 40 s, 60 s, then each 120 s.  An SMS takes 6 to 8 s, and as long back. */
static int64_t retry_ms(unsigned tries)
{
        return tries > 3 ? 6 * MY_SMS_RETRY_MS : tries * MY_SMS_RETRY_MS;
}

/* Refused by the modem: no credit, no network, busy. */
static int64_t refused_ms(unsigned failures)
{
        static const int64_t after_s[] = { 2, 5, 10, 30, 60 };
        unsigned last = sizeof(after_s) / sizeof(after_s[0]) - 1;

        return 1000 * after_s[failures > last ? last : failures - 1];
}

/* ---- when -------------------------------------------------------------------------------------------------------- */

/* From when on an alert goes by SMS as well. */
static int64_t leg_due(const struct vigie *vigie, const struct my_alert *a)
{
        if (my_link_is_down(vigie))
                return INT64_MIN;
        return a->received ? NEVER : a->raised_mono_ms + VIGIE_SMS_AFTER_MS;
}

/* When what is to be said goes out: a mark or the first position at the next slot, an unanswered copy at its retry, and
 * where there is an UPDATE, a better position, once a minute.  A PIN given again is news as well: whether it was the one of duress
 * must not be seen from what is sent. */
static int64_t content_due(const struct my_alert *a, bool update)
{
        const struct my_texted *t = &a->texted;
        bool needs = my_send_needs_answer(a), pin = a->revision >= a->pin_from && t->revision < a->pin_from;
        int64_t at = NEVER;

        if (t->tries == 0)
                return needs || update ? INT64_MIN : NEVER;
        if (needs && (pin || a->octets_marks != t->marks || (a->octets_fix && !t->fix)))
                return INT64_MIN;
        if (needs)
                at = t->last_mono_ms + retry_ms(t->tries);
        return update ? my_earlier(at, t->last_mono_ms + VIGIE_SMS_REVISION_MS) : at;
}

static int64_t slot(const struct vigie *vigie, enum my_subject subject, bool update)
{
        const struct my_alert *a = &vigie->alert[subject];
        int64_t at;

        if (!my_alert_speaks(vigie, a) || a->octets_len == 0 || a->wait || vigie->sms.ticket != 0 ||
            vigie->sms.modem != VIGIE_MODEM_READY)
                return NEVER;
        if (subject == MY_TEST)
                return vigie->sms.test ? INT64_MIN : NEVER;
        at = later(leg_due(vigie, a), content_due(a, update));
        return later(at, a->texted.retry_mono_ms);
}

int64_t my_sms_update_due(const struct vigie *vigie, enum my_subject subject)
{
        return subject == MY_TEST ? NEVER : slot(vigie, subject, true);
}

/* What is being signed goes instead of what was. */
static int64_t copy_due(const struct vigie *vigie, enum my_subject subject)
{
        const struct my_alert *a = &vigie->alert[subject];
        bool update = a->revision > a->texted.revision && (!a->received || a->revision > a->receipt.revision);

        return a->ticket != 0 ? NEVER : slot(vigie, subject, update);
}

/* ---- out --------------------------------------------------------------------------------------------------------- */

void my_sms_give(struct vigie *vigie, enum my_subject subject, struct cbor_span octets)
{
        struct my_sms *s = &vigie->sms;
        struct vigie_action *send = my_act(vigie, VIGIE_DO_SEND_SMS);

        send->data = memcpy(my_room(vigie, octets.len), octets.at, octets.len);
        send->len = octets.len;
        send->ticket = s->ticket = ++vigie->tickets;
        s->subject = subject;
        s->hidden = false;
        s->since_mono_ms = vigie->now_mono_ms;
}

static void copy_send(struct vigie *vigie, enum my_subject subject)
{
        const struct my_alert *a = &vigie->alert[subject];
        struct my_sms *s = &vigie->sms;

        my_sms_give(vigie, subject, (struct cbor_span){ a->octets, a->octets_len });
        memcpy(s->nonce, a->alert.nonce, ALERT_NONCE_SIZE);
        s->revision = a->revision;
        s->marks = a->octets_marks;
        s->fix = a->octets_fix;
        s->hidden = a->hidden;
        if (subject == MY_TEST)
                s->test = false; /* once */
}

static void handed_over(struct vigie *vigie, struct my_alert *a)
{
        struct my_sms *s = &vigie->sms;
        struct my_texted *t = &a->texted;

        if (t->tries > 0 &&
            (t->marks != s->marks || t->fix != s->fix || (t->revision < a->pin_from && s->revision >= a->pin_from)))
                t->tries = 0; /* news: its retries begin anew */
        t->tries += t->tries < UINT8_MAX;
        t->revision = s->revision;
        t->marks = s->marks;
        t->fix = s->fix;
        t->last_mono_ms = vigie->now_mono_ms;
        t->failures = 0;
        if (a->sent_sms_at_ms == 0)
                a->sent_sms_at_ms = vigie->now_ms;
        my_send_left(vigie, s->subject);
        if (s->subject != MY_TEST)
                return;
        s->tested_at_ms = vigie->now_ms;
        my_diary_write(vigie, MY_SMS, false);
}

static void not_sent(struct vigie *vigie, struct my_alert *a)
{
        struct my_texted *t = &a->texted;

        t->failures += t->failures < UINT8_MAX;
        t->retry_mono_ms = vigie->now_mono_ms + refused_ms(t->failures);
}

static void ended(struct vigie *vigie, bool ok, uint16_t code)
{
        struct my_sms *s = &vigie->sms;
        struct my_alert *a = s->subject < MY_ALERTS ? &vigie->alert[s->subject] : NULL;

        s->ticket = 0;
        if (!s->hidden) {
                s->code = ok ? 0 : code;
                s->failed_at_ms = ok ? 0 : vigie->now_ms;
                s->failed_mono_ms = vigie->now_mono_ms;
        }
        if (a == NULL)
                my_order_on_sms_sent(vigie, ok);
        if (a == NULL || memcmp(a->alert.nonce, s->nonce, ALERT_NONCE_SIZE) != 0 ||
            (a->state == MY_NONE && !my_alert_speaks(vigie, a)))
                return; /* another alert by now */
        if (ok)
                handed_over(vigie, a);
        else
                not_sent(vigie, a);
}

void my_sms_on_sent(struct vigie *vigie, const struct vigie_event *event)
{
        if (vigie->sms.ticket != 0 && event->u.sms_sent.ticket == vigie->sms.ticket)
                ended(vigie, event->u.sms_sent.ok, event->u.sms_sent.code);
}

/* A modem that has become ready is not made to wait for what it refused before. */
void my_sms_on_modem(struct vigie *vigie, uint8_t modem)
{
        bool ready = modem == VIGIE_MODEM_READY && vigie->sms.modem != VIGIE_MODEM_READY;

        vigie->sms.modem = modem;
        for (int i = 0; i < MY_ALERTS && ready; i++) {
                struct my_texted *t = &vigie->alert[i].texted;

                t->failures = 0;
                t->retry_mono_ms = my_earlier(t->retry_mono_ms, vigie->now_mono_ms + refused_ms(1));
        }
}

void my_sms_answered(struct vigie *vigie, enum my_subject subject)
{
        if (vigie->alert[subject].hidden)
                return;
        vigie->sms.good_at_ms = vigie->now_ms;
        my_diary_write(vigie, MY_SMS, false);
}

void my_sms_on_duty(struct vigie *vigie)
{
        struct my_sms *s = &vigie->sms;

        s->test = vigie->options.sms_test && !is_recent(vigie, s->good_at_ms, VIGIE_SMS_TEST_S * INT64_C(1000)) &&
                  !is_recent(vigie, s->tested_at_ms, MY_SMS_TEST_AGAIN_MS);
        s->test_mono_ms = vigie->now_mono_ms;
}

bool my_sms_tests(const struct vigie *vigie)
{
        const struct my_sms *s = &vigie->sms;

        return s->test || (s->ticket != 0 && s->subject == MY_TEST) || vigie->alert[MY_TEST].texted.tries > 0;
}

int64_t my_sms_path_due(const struct vigie *vigie)
{
        const struct my_sms *s = &vigie->sms;

        if (s->modem != VIGIE_MODEM_READY)
                return NEVER;
        return s->failed_at_ms == 0 ? INT64_MIN : s->failed_mono_ms + MY_SMS_REFUSED_MS;
}

/* ---- time -------------------------------------------------------------------------------------------------------- */

void my_sms_run(struct vigie *vigie)
{
        struct my_sms *s = &vigie->sms;

        if (!vigie->started || (!vigie->options.enrolled && !vigie->order.wiped))
                return;
        if (s->ticket != 0 && vigie->now_mono_ms - s->since_mono_ms >= VIGIE_SMS_WAIT_MS)
                ended(vigie, false, 0);
        if (s->test && vigie->now_mono_ms - s->test_mono_ms >= MY_SMS_TEST_WAIT_MS)
                s->test = false;
}

void my_sms_send(struct vigie *vigie)
{
        if (!vigie->started || !vigie->options.enrolled)
                return;
        for (int i = 0; i < MY_ALERTS; i++)
                if (copy_due(vigie, i) <= vigie->now_mono_ms)
                        copy_send(vigie, i);
}

int64_t my_sms_due(const struct vigie *vigie)
{
        const struct my_sms *s = &vigie->sms;
        int64_t at = NEVER;

        if (!vigie->started || (!vigie->options.enrolled && !vigie->order.wiped))
                return NEVER;
        if (s->ticket != 0)
                at = s->since_mono_ms + VIGIE_SMS_WAIT_MS;
        if (s->test)
                at = my_earlier(at, s->test_mono_ms + MY_SMS_TEST_WAIT_MS);
        for (int i = 0; i < MY_ALERTS && vigie->options.enrolled; i++)
                at = my_earlier(at, copy_due(vigie, i));
        return at;
}
