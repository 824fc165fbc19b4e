/* This phone's own alerts: a touch, a press, a key, a PIN. */
#include <string.h>

#include "device/handset/core.h"

enum my_subject my_alert_open(const struct vigie *vigie)
{
        if (vigie->alert[MY_REAL].state == MY_OPEN)
                return MY_REAL;
        return vigie->alert[MY_DRILL].state == MY_OPEN ? MY_DRILL : MY_TOUCH;
}

bool my_alert_speaks(const struct vigie *vigie, const struct my_alert *alert)
{
        return alert->state == MY_OPEN || alert->late_until_mono_ms > vigie->now_mono_ms;
}

bool my_alert_waits(const struct vigie *vigie)
{
        for (int i = MY_REAL; i <= MY_DRILL; i++)
                if (vigie->alert[i].state == MY_OPEN && !vigie->alert[i].received)
                        return true;
        return false;
}

/* The time is mixed in: a host whose generator fails must not make two presses one, least of all a new one and one
 * closed. */
static void nonce_draw(const struct vigie *vigie, uint8_t nonce[ALERT_NONCE_SIZE])
{
        uint64_t mix = (uint64_t)vigie->now_ms << 24 ^ (uint64_t)vigie->now_mono_ms;
        bool known;

        memcpy(nonce, vigie->random, ALERT_NONCE_SIZE);
        do {
                mix = mix * 6364136223846793005 + 1442695040888963407;
                for (int i = 0; i < ALERT_NONCE_SIZE; i++)
                        nonce[i] ^= (uint8_t)(mix >> 8 * i);
                known = memcmp(nonce, vigie->touch.nonce, ALERT_NONCE_SIZE) == 0;
                for (int i = 0; i < MY_ALERTS; i++)
                        known |= memcmp(nonce, vigie->alert[i].alert.nonce, ALERT_NONCE_SIZE) == 0;
        } while (known);
}

/* The sending of a press or a mark waits for its record. The wait is counted from the oldest: who hammers on the button
 * with a slow disk is not made to wait for the last blow. */
static void record_wait(struct vigie *vigie, struct my_alert *a, uint32_t seq)
{
        if (!a->wait)
                a->wait_mono_ms = vigie->now_mono_ms;
        a->wait = true;
        a->wait_seq = seq;
}

void my_alert_mark(struct vigie *vigie, enum my_subject subject, uint16_t marks)
{
        struct my_alert *a = &vigie->alert[subject];

        a->alert.marks = alert_marks_add(a->alert.marks, marks);
        a->want = true;
        record_wait(vigie, a, my_diary_write(vigie, subject, true));
}

/* One press, and where it goes. */
struct press {
        enum alert_kind kind;
        uint16_t marks;
        const uint8_t *nonce;
        uint32_t pressed_at_s;
        uint32_t seq; /* its touch-down's record, 0 = none */
        bool again;   /* that was found in the journal: the run before may have sent revisions of it */
};

static void raise_new(struct vigie *vigie, enum my_subject subject, const struct press *press)
{
        struct my_alert *a = &vigie->alert[subject];
        uint32_t seq;

        memset(a, 0, sizeof(*a));
        a->state = MY_OPEN;
        memcpy(a->alert.nonce, press->nonce, ALERT_NONCE_SIZE);
        a->alert.pressed_at_s = press->pressed_at_s;
        a->alert.kind = press->kind;
        a->alert.marks = press->marks;
        if (subject != MY_TEST && !vigie->duty.on)
                a->alert.marks |= ALERT_HOLDER_UNSURE;
        a->alert.battery_percent = ALERT_BATTERY_UNKNOWN;
        a->hidden = a->mute = press->kind == ALERT_SILENT;
        a->presses = 1;
        a->reserved = MY_RESERVE - 1;
        if (press->again) {
                a->alert.revision = a->reserved;
                a->made = true;
                a->reserved += MY_RESERVE;
        }
        a->raised_mono_ms = vigie->now_mono_ms;
        a->want = true;
        seq = my_diary_write(vigie, subject, true);
        record_wait(vigie, a, press->seq != 0 ? press->seq : seq);
}

/* An alert is open: the press is news of it.  An alarm of the phone's own (man-down) changes nothing about what shows.
 */
static void press_again(struct vigie *vigie, enum my_subject subject, const struct press *press)
{
        struct my_alert *a = &vigie->alert[subject];

        if (a->presses < UINT16_MAX)
                a->presses++;
        if (press->kind == ALERT_SILENT)
                a->mute = true;
        else if (press->kind == ALERT_PANIC)
                a->mute = a->hidden = false;
        a->again_at_s = press->pressed_at_s != 0 ? press->pressed_at_s : 1;
        a->again_from = UINT32_MAX;
        a->again_known = false;
        my_alert_mark(vigie, subject, ALERT_PRESSED_AGAIN | press->marks);
}

static void raise(struct vigie *vigie, const struct press *press)
{
        bool drill = press->kind == ALERT_DRILL && vigie->alert[MY_REAL].state != MY_OPEN;
        enum my_subject subject = press->kind == ALERT_TEST ? MY_TEST : drill ? MY_DRILL : MY_REAL;

        if (subject != MY_TEST && vigie->alert[subject].state == MY_OPEN)
                press_again(vigie, subject, press);
        else
                raise_new(vigie, subject, press);
}

void my_alert_raise_anew(struct vigie *vigie, enum my_subject subject)
{
        struct my_alert *a = &vigie->alert[subject];
        uint8_t nonce[ALERT_NONCE_SIZE];
        struct press press = { a->alert.kind, a->alert.marks, nonce, a->again_at_s, 0, false };

        if (a->mute)
                press.kind = ALERT_SILENT;
        else if (press.kind == ALERT_SILENT)
                press.kind = ALERT_PANIC; /* pressed loud since */
        nonce_draw(vigie, nonce);
        raise_new(vigie, subject, &press);
}

void my_alert_raise(struct vigie *vigie, enum alert_kind kind, uint16_t marks)
{
        uint8_t nonce[ALERT_NONCE_SIZE];
        struct press press = { kind, marks, nonce, my_seconds(vigie->now_ms), 0, false };

        nonce_draw(vigie, nonce);
        raise(vigie, &press);
}

static enum alert_kind press_kind(uint8_t press)
{
        if (press == VIGIE_PRESS_DURESS)
                return ALERT_SILENT;
        return press == VIGIE_PRESS_SILENT ? ALERT_SILENT : press == VIGIE_PRESS_DRILL ? ALERT_DRILL : ALERT_PANIC;
}

/* ---- touch ------------------------------------------------------------------------------------------------------- */

static void touch_down(struct vigie *vigie, uint8_t press)
{
        struct my_touch *t = &vigie->touch;
        uint8_t nonce[ALERT_NONCE_SIZE];

        if (t->down)
                return;
        nonce_draw(vigie, nonce);
        memcpy(t->nonce, nonce, sizeof(nonce));
        t->down = true;
        t->press = press;
        t->pressed_at_s = my_seconds(vigie->now_ms);
        t->since_mono_ms = vigie->now_mono_ms;
        t->seq = my_diary_write(vigie, MY_TOUCH, true);
        if (press != VIGIE_PRESS_SILENT)
                my_vibrate(vigie, VIGIE_VIBRATE_RISING);
}

static void touch_raise(struct vigie *vigie)
{
        struct my_touch *t = &vigie->touch;
        uint8_t nonce[ALERT_NONCE_SIZE];
        struct press press = { press_kind(t->press), 0, nonce, t->pressed_at_s, t->seq, t->again };

        memcpy(nonce, t->nonce, sizeof(nonce));
        memset(t->nonce, 0, sizeof(t->nonce));
        t->down = t->again = false;
        t->raised_mono_ms = vigie->now_mono_ms;
        raise(vigie, &press);
        my_diary_write(vigie, MY_TOUCH, false);
}

static void touch_up(struct vigie *vigie)
{
        struct my_touch *t = &vigie->touch;

        if (!t->down)
                return;
        t->down = false;
        my_diary_write(vigie, MY_TOUCH, true);
        if (t->press != VIGIE_PRESS_SILENT)
                my_vibrate(vigie, VIGIE_VIBRATE_STOP);
}

void my_alert_run(struct vigie *vigie)
{
        if (vigie->touch.down && vigie->now_mono_ms - vigie->touch.since_mono_ms >= VIGIE_HOLD_MS)
                touch_raise(vigie);
}

int64_t my_alert_due(const struct vigie *vigie)
{
        return vigie->touch.down ? vigie->touch.since_mono_ms + VIGIE_HOLD_MS : NEVER;
}

void my_alert_on_press(struct vigie *vigie, uint8_t how, uint8_t press)
{
        if (press == VIGIE_PRESS_DURESS) { /* never by a finger */
                my_alert_raise(vigie, ALERT_SILENT, ALERT_DURESS);
                return;
        }
        if (press > VIGIE_PRESS_DRILL)
                press = VIGIE_PRESS_LOUD;
        if (how == VIGIE_TOUCH_DOWN) {
                touch_down(vigie, press);
        } else if (how == VIGIE_TOUCH_UP) {
                my_alert_run(vigie); /* a late tick: it was held long enough */
                touch_up(vigie);
        } else if (how == VIGIE_TOUCH_HELD && vigie->touch.down) {
                touch_raise(vigie);
        } else if (how != VIGIE_TOUCH_HELD || vigie->now_mono_ms - vigie->touch.raised_mono_ms > VIGIE_HOLD_MS) {
                my_alert_raise(vigie, press_kind(press), 0);
        }
}

void my_alert_on_key(struct vigie *vigie)
{
        int64_t *at = vigie->key_mono_ms;

        memmove(at, at + 1, (VIGIE_KEY_PRESSES - 1) * sizeof(*at));
        at[VIGIE_KEY_PRESSES - 1] = vigie->now_mono_ms;
        if (vigie->now_mono_ms - at[0] > VIGIE_KEY_WINDOW_MS)
                return;
        for (int i = 0; i < VIGIE_KEY_PRESSES; i++)
                at[i] = INT64_MIN / 2; /* the next four are another press */
        my_alert_raise(vigie, ALERT_SILENT, 0);
}

/* ---- after the press --------------------------------------------------------------------------------------------- */

void my_alert_on_category(struct vigie *vigie, uint8_t category)
{
        enum my_subject subject = my_alert_open(vigie);

        if (subject != MY_TOUCH && alert_category(vigie->alert[subject].alert.marks) != category)
                my_alert_mark(vigie, subject, (uint16_t)(category << ALERT_CATEGORY_SHIFT));
}

/* Normal and duress take the very same way: same actions, same lengths, same time. */
void my_alert_on_pin(struct vigie *vigie, uint8_t pin)
{
        static const uint16_t mark[] = { [VIGIE_PIN_RIGHT] = ALERT_MISTAKE, [VIGIE_PIN_DURESS] = ALERT_DURESS };
        enum my_subject subject = my_alert_open(vigie);

        if (pin == VIGIE_PIN_WRONG)
                vigie->wrong_pins++;
        if (pin == VIGIE_PIN_WRONG || subject == MY_TOUCH)
                return;
        my_alert_mark(vigie, subject, mark[pin]);
        vigie->alert[subject].pin = vigie->alert[subject].pin_owed = true;
}

void my_alert_on_still(struct vigie *vigie)
{
        my_alert_raise(vigie, ALERT_PANIC, ALERT_STILL);
}

void my_alert_on_dismiss(struct vigie *vigie)
{
        for (int i = MY_REAL; i <= MY_DRILL; i++) {
                if (vigie->alert[i].state != MY_CLOSED)
                        continue;
                vigie->alert[i].state = MY_NONE;
                my_diary_write(vigie, i, false);
        }
}

void my_alert_last_words(struct vigie *vigie)
{
        for (int i = MY_REAL; i <= MY_DRILL; i++) {
                if (vigie->alert[i].state == MY_OPEN && !(vigie->alert[i].alert.marks & ALERT_LAST_WORDS))
                        my_alert_mark(vigie, i, ALERT_LAST_WORDS);
        }
}

/* Revisions of the run before may be out up to the reserved one, and the journal does not know what was in them: the
 * next is above.  A test press proves nothing any more. */
void my_alert_start(struct vigie *vigie)
{
        vigie->alert[MY_TEST].state = MY_NONE;
        for (int i = MY_REAL; i <= MY_DRILL; i++) {
                struct my_alert *a = &vigie->alert[i];

                if (a->state != MY_OPEN)
                        continue;
                a->alert.revision = a->reserved;
                a->made = a->want = true;
                a->pin = a->pin_owed = (a->alert.marks & (ALERT_MISTAKE | ALERT_DURESS)) != 0;
                a->reserved = a->reserved > UINT16_MAX - MY_RESERVE ? UINT16_MAX : a->reserved + MY_RESERVE;
                a->raised_mono_ms = vigie->now_mono_ms;
                record_wait(vigie, a, my_diary_write(vigie, i, true));
        }
        if (!vigie->touch.again)
                return;
        if (memcmp(vigie->touch.nonce, vigie->alert[MY_REAL].alert.nonce, ALERT_NONCE_SIZE) == 0 ||
            memcmp(vigie->touch.nonce, vigie->alert[MY_DRILL].alert.nonce, ALERT_NONCE_SIZE) == 0) {
                vigie->touch.again = false; /* raised already; only the touch's own last record was lost */
                my_diary_write(vigie, MY_TOUCH, false);
        } else {
                touch_raise(vigie);
        }
}
