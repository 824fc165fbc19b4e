#include <errno.h>

#include "tests/device/handset/phone.h"

/* A press leaves in one go: record, signature, alert; then the words rise with the receipts. */
static void press_leaves(void **state)
{
        struct phone *p = phone_started();
        struct alert_signed a;

        phone_fix(p, 45.76, 4.83, 8);
        phone_run(p, 3000);
        phone_mark(p);
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        assert_int_equal(p->status.alert.word, VIGIE_RECEIVED);
        assert_false(p->status.alert.trying);
        assert_int_equal(p->did[p->mark].action.type, VIGIE_DO_APPEND);
        assert_true(p->did[p->mark].action.sync);
        a = phone_alert(p);
        assert_memory_equal(a.handset.octets, our_handset, 8);
        assert_int_equal(a.alert.kind, ALERT_PANIC);
        assert_int_equal(a.alert.marks, ALERT_HOLDER_UNSURE);
        assert_int_equal(a.alert.revision, 0);
        assert_int_equal(a.alert.lat_e7, 457600000);
        assert_int_equal(a.alert.fix_age_s, 3);
        assert_int_equal(a.alert.pressed_at_s, (UTC0 + 3000) / 1000);
        assert_int_equal(phone_vibrated(p, VIGIE_VIBRATE_LEAVING), 1);
        assert_int_equal(phone_vibrated(p, VIGIE_VIBRATE_RECEIVED), 1);
        phone_receipt(p, RECEIPT_ASKED, 2, NULL);
        assert_int_equal(p->status.alert.word, VIGIE_ASKED);
        phone_receipt(p, RECEIPT_SEEN, 3, NULL);
        assert_int_equal(p->status.alert.word, VIGIE_SEEN_BY);
        assert_int_equal(phone_vibrated(p, VIGIE_VIBRATE_TAKEN), 0);
        phone_receipt(p, RECEIPT_TAKEN, 4, "Amina");
        assert_int_equal(p->status.alert.word, VIGIE_TAKEN);
        assert_string_equal(p->status.alert.who, "Amina");
        assert_int_equal(phone_vibrated(p, VIGIE_VIBRATE_TAKEN), 1);
        phone_receipt(p, RECEIPT_EN_ROUTE, 5, "Amina");
        phone_receipt(p, RECEIPT_ON_SCENE, 6, "Amina");
        assert_int_equal(p->status.alert.word, VIGIE_ON_SCENE);
        phone_receipt(p, RECEIPT_CLOSED_HELPED, 7, "Amina");
        assert_int_equal(p->status.alert.word, VIGIE_CLOSED);
        assert_int_equal(p->status.alert.reason, VIGIE_HELPED);
        assert_int_equal(phone_vibrated(p, VIGIE_VIBRATE_TAKEN), 1);
        assert_int_equal(phone_vibrated(p, VIGIE_VIBRATE_RECEIVED), 1);
        phone_just(p, VIGIE_ON_DISMISS);
        assert_int_equal(p->status.alert.word, VIGIE_NOTHING);
        phone_free(p);
}

/* Each word only when it is true. */
static void no_word_early(void **state)
{
        struct phone *p = phone_new();

        p->network = p->region = false;
        phone_start(p);
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        assert_int_equal(p->status.alert.word, VIGIE_NOT_SENT);
        assert_true(p->status.alert.trying);
        phone_run(p, 600000);
        assert_int_equal(p->status.alert.word, VIGIE_NOT_SENT);
        assert_int_equal(phone_count(p, VIGIE_DO_VIBRATE), 0);
        p->network = true;
        phone_run(p, 1500);
        assert_int_equal(p->status.alert.word, VIGIE_SENT);
        assert_true(p->status.alert.trying);
        assert_int_equal(phone_vibrated(p, VIGIE_VIBRATE_LEAVING), 1);
        p->region = p->keeps = true;
        phone_run(p, 6000);
        assert_int_equal(p->status.alert.word, VIGIE_KEPT);
        assert_true(p->status.alert.trying);
        assert_int_equal(phone_vibrated(p, VIGIE_VIBRATE_RECEIVED), 0);
        p->keeps = false;
        phone_run(p, 6000);
        assert_int_equal(p->status.alert.word, VIGIE_RECEIVED);
        assert_false(p->status.alert.trying);
        assert_int_equal(phone_vibrated(p, VIGIE_VIBRATE_RECEIVED), 1);
        phone_free(p);
}

/* ---- touch and key ----------------------------------------------------------------------------------------------- */

static void touch_held(void **state)
{
        struct phone *p = phone_started();

        phone_mark(p);
        phone_press(p, VIGIE_TOUCH_DOWN, VIGIE_PRESS_LOUD);
        assert_true(p->status.touching);
        assert_int_equal(phone_vibrated(p, VIGIE_VIBRATE_RISING), 1);
        assert_int_equal(p->did[p->mark].action.type, VIGIE_DO_APPEND);
        phone_run(p, VIGIE_HOLD_MS - 1);
        assert_int_equal(p->status.alert.word, VIGIE_NOTHING);
        phone_run(p, 1);
        assert_int_equal(p->status.alert.word, VIGIE_RECEIVED);
        assert_int_equal(p->status.alert.pressed_at_s, UTC0 / 1000);
        assert_false(p->status.touching);
        phone_press(p, VIGIE_TOUCH_HELD, VIGIE_PRESS_LOUD); /* the host's own timer, a little late */
        phone_press(p, VIGIE_TOUCH_UP, VIGIE_PRESS_LOUD);
        assert_int_equal(p->status.alert.presses, 1);
        phone_free(p);
}

static void touch_let_go(void **state)
{
        struct phone *p = phone_started();

        phone_mark(p);
        phone_press(p, VIGIE_TOUCH_DOWN, VIGIE_PRESS_LOUD);
        phone_run(p, VIGIE_HOLD_MS - 1);
        phone_press(p, VIGIE_TOUCH_UP, VIGIE_PRESS_LOUD);
        assert_int_equal(phone_vibrated(p, VIGIE_VIBRATE_STOP), 1);
        phone_run(p, 60000);
        assert_int_equal(p->status.alert.word, VIGIE_NOTHING);
        assert_int_equal(phone_sent_count(p, FRAME_ALERT), 0);
        phone_start(p); /* nor after a restart */
        assert_int_equal(p->status.alert.word, VIGIE_NOTHING);
        phone_free(p);
}

/* A tick that comes late: the finger was down long enough.  A held without a down: a press. */
static void touch_odd(void **state)
{
        struct phone *p = phone_started();

        phone_press(p, VIGIE_TOUCH_DOWN, VIGIE_PRESS_LOUD);
        p->mono_ms += VIGIE_HOLD_MS;
        phone_press(p, VIGIE_TOUCH_UP, VIGIE_PRESS_LOUD);
        assert_int_equal(p->status.alert.word, VIGIE_RECEIVED);
        phone_run(p, 10000);
        phone_press(p, VIGIE_TOUCH_HELD, VIGIE_PRESS_LOUD);
        assert_int_equal(p->status.alert.presses, 2);
        phone_press(p, 77, 99);
        assert_int_equal(p->status.alert.presses, 3);
        phone_free(p);
        p = phone_started();
        phone_press(p, VIGIE_TOUCH_DOWN, 99); /* and its record is read back */
        phone_start(p);
        assert_int_equal(p->status.alert.kind, ALERT_PANIC);
        assert_int_equal(p->status.alert.word, VIGIE_RECEIVED);
        phone_free(p);
}

/* Smashed in the second of holding: pressed. */
static void touch_smashed(void **state)
{
        struct phone *p = phone_started();

        phone_press(p, VIGIE_TOUCH_DOWN, VIGIE_PRESS_DRILL);
        p->mono_ms += 500;
        phone_start(p);
        assert_int_equal(p->status.alert.word, VIGIE_RECEIVED);
        assert_int_equal(p->status.alert.kind, ALERT_DRILL);
        assert_int_equal(p->status.alert.pressed_at_s, UTC0 / 1000);
        phone_start(p);
        assert_int_equal(p->known_count, 1);
        assert_int_equal(p->status.alert.presses, 1);
        phone_free(p);
}

/* The power went after the press's own record, before the one that ends the touch: one press. */
static void touch_record_lost(void **state)
{
        struct phone *p = phone_started();

        phone_press(p, VIGIE_TOUCH_DOWN, VIGIE_PRESS_LOUD);
        phone_run(p, VIGIE_HOLD_MS);
        p->record_count = 2;
        phone_start(p);
        phone_run(p, 1000);
        assert_int_equal(p->known_count, 1);
        assert_int_equal(p->known[0].marks & ALERT_PRESSED_AGAIN, 0);
        phone_free(p);
}

static void key_pressed(struct phone *p, int times, int64_t apart_ms)
{
        for (int i = 0; i < times; i++) {
                phone_just(p, VIGIE_ON_KEY);
                phone_run(p, apart_ms);
        }
}

static void key_four_in_three_seconds(void **state)
{
        struct phone *p = phone_started();

        key_pressed(p, 40, 1001);
        assert_int_equal(p->known_count, 0);
        phone_run(p, 5000);
        key_pressed(p, 3, 10);
        assert_int_equal(p->known_count, 0);
        phone_run(p, 5000);
        key_pressed(p, 4, 1000);
        assert_int_equal(p->known_count, 1);
        assert_int_equal(p->known[0].kind, ALERT_SILENT);
        assert_int_equal(p->known[0].marks & ALERT_PRESSED_AGAIN, 0);
        key_pressed(p, 3, 10);
        assert_int_equal(p->known[0].marks & ALERT_PRESSED_AGAIN, 0);
        phone_just(p, VIGIE_ON_KEY);
        phone_run(p, 1000);
        assert_int_equal(p->known[0].marks & ALERT_PRESSED_AGAIN, ALERT_PRESSED_AGAIN);
        phone_free(p);
}

/* ---- silent ------------------------------------------------------------------------------------------------------ */

/* A silent alert through its whole life: not one SHOW, ring or vibration, and the status is that of before. */
static void silent_shows_nothing(void **state)
{
        for (int pulse = 0; pulse < 2; pulse++) {
                struct phone *p = phone_new();
                struct vigie_status before;

                p->options.silent_pulse = pulse;
                phone_start(p);
                phone_run(p, 10000);
                before = p->status;
                phone_mark(p);
                phone_press(p, pulse ? VIGIE_PRESS_AT_ONCE : VIGIE_TOUCH_DOWN, VIGIE_PRESS_SILENT);
                phone_run(p, 2000);
                assert_int_equal(p->known_count, 1);
                phone_event(p, (struct vigie_event){ .type = VIGIE_ON_CATEGORY, .u.category = 2 });
                phone_receipt(p, RECEIPT_TAKEN, 5, "Amina");
                phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_SILENT);
                phone_pin(p, VIGIE_PIN_RIGHT);
                phone_run(p, 30000);
                phone_receipt(p, RECEIPT_CLOSED_HELPED, 50, "Amina");
                phone_run(p, 1000);
                assert_memory_equal(&before, &p->status, sizeof(before));
                assert_int_equal(phone_count(p, VIGIE_DO_SHOW), 0);
                assert_int_equal(phone_count(p, VIGIE_DO_RING), 0);
                assert_int_equal(phone_count(p, VIGIE_DO_VIBRATE), pulse);
                assert_int_equal(phone_vibrated(p, VIGIE_VIBRATE_MESSAGE), pulse);
                assert_int_equal(p->known[0].kind, ALERT_SILENT);
                phone_free(p);
        }
}

/* The last press says whether it shows. */
static void silent_then_loud(void **state)
{
        struct phone *p = phone_started();

        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_SILENT);
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        assert_int_equal(p->status.alert.word, VIGIE_RECEIVED);
        assert_int_equal(p->known_count, 1);
        phone_mark(p);
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_SILENT);
        phone_receipt(p, RECEIPT_TAKEN, 9, "Amina");
        assert_int_equal(p->status.alert.word, VIGIE_TAKEN); /* stays on the page */
        assert_int_equal(phone_count(p, VIGIE_DO_VIBRATE), 0);
        phone_free(p);
}

/* ---- again, drill, PIN, still ------------------------------------------------------------------------------------ */

static void press_again(void **state)
{
        struct phone *p = phone_started();

        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        phone_run(p, 1000);
        phone_mark(p);
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        assert_int_equal(p->did[p->mark].action.type, VIGIE_DO_APPEND);
        assert_int_equal(phone_alert(p).alert.marks & ALERT_PRESSED_AGAIN, ALERT_PRESSED_AGAIN);
        assert_int_equal(p->known_count, 1);
        assert_int_equal(p->known[0].revision, 1);
        assert_int_equal(p->status.alert.presses, 2);
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_DRILL); /* a drill pressed in earnest */
        assert_int_equal(p->status.alert.presses, 3);
        assert_int_equal(p->known_count, 1);
        phone_free(p);
}

static void drill_then_real(void **state)
{
        struct phone *p = phone_started();

        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_DRILL);
        assert_int_equal(p->status.alert.kind, ALERT_DRILL);
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_DRILL);
        assert_int_equal(p->known_count, 1);
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        assert_int_equal(p->known_count, 2);
        assert_int_equal(p->status.alert.kind, ALERT_PANIC);
        assert_int_equal(p->known[1].marks & ALERT_PRESSED_AGAIN, 0);
        phone_receipt(p, RECEIPT_CLOSED_HELPED, 9, "A"); /* the real one: the drill is still open, and shows */
        assert_int_equal(p->status.alert.kind, ALERT_DRILL);
        phone_free(p);
}

/* What becomes of a drill is not felt either while a silent alert is open. */
static void drill_under_a_silent_one(void **state)
{
        struct phone *p = phone_started();

        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_DRILL);
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_SILENT);
        phone_run(p, 2000);
        assert_int_equal(p->known_count, 2);
        phone_mark(p);
        p->known_count = 1; /* the region says something of the drill */
        phone_receipt(p, RECEIPT_TAKEN, 5, "Amina");
        assert_int_equal(phone_count(p, VIGIE_DO_VIBRATE), 0);
        phone_free(p);
}

/* The actions and lengths of a cancel are the same for both PINs; only the mark inside the signed alert differs. */
static void normal_and_duress_look_the_same(void **state)
{
        struct phone *p[2] = { phone_started(), phone_started() };
        static const uint16_t marks[2] = { ALERT_MISTAKE, ALERT_DURESS };

        for (int i = 0; i < 2; i++) {
                phone_fix(p[i], 45.76, 4.83, 8);
                phone_press(p[i], VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
                phone_run(p[i], 4000);
                phone_mark(p[i]);
                phone_pin(p[i], i ? VIGIE_PIN_DURESS : VIGIE_PIN_RIGHT);
                assert_true(p[i]->status.alert.mistake);
                phone_run(p[i], 60000);
                phone_start(p[i]);
                phone_run(p[i], 30000);
                assert_int_equal(p[i]->known[0].marks, ALERT_HOLDER_UNSURE | marks[i]);
        }
        assert_memory_equal(&p[0]->status, &p[1]->status, sizeof(p[0]->status));
        assert_int_equal(p[0]->did_count, p[1]->did_count);
        for (size_t i = 0; i < p[0]->did_count; i++) {
                struct did *a = &p[0]->did[i], *b = &p[1]->did[i];

                assert_int_equal(a->action.len, b->action.len);
                assert_int_equal(a->at_mono_ms, b->at_mono_ms);
                a->action.data = b->action.data = NULL;
                assert_memory_equal(&a->action, &b->action, sizeof(a->action));
        }
        phone_free(p[0]);
        phone_free(p[1]);
}

static void wrong_pin(void **state)
{
        struct phone *p = phone_started();

        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        for (int i = 0; i < 50; i++)
                phone_pin(p, VIGIE_PIN_WRONG);
        assert_int_equal(p->status.wrong_pins, 50);
        assert_false(p->status.alert.mistake);
        assert_true(p->status.button);
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        assert_int_equal(p->status.alert.presses, 2);
        phone_pin(p, VIGIE_PIN_RIGHT);
        assert_true(p->status.alert.mistake);
        assert_int_equal(p->status.alert.word, VIGIE_RECEIVED); /* it never closes */
        phone_free(p);
}

static void still_need_help(void **state)
{
        struct phone *p = phone_started();
        struct alert_id first;

        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        first = p->known[0].id;
        phone_receipt(p, RECEIPT_CLOSED_NO_DANGER, 5, "Bob");
        assert_string_equal(p->status.alert.who, "Bob");
        phone_just(p, VIGIE_ON_STILL);
        assert_int_equal(p->known_count, 2);
        assert_false(alert_id_equal(&first, &p->known[1].id));
        assert_int_equal(p->known[1].marks & ALERT_STILL, ALERT_STILL);
        assert_int_equal(p->status.alert.word, VIGIE_RECEIVED);
        assert_true(p->status.alert.still);
        phone_free(p);
}

static void category(void **state)
{
        struct phone *p = phone_started();

        assert_int_equal(phone_event(p, (struct vigie_event){ .type = VIGIE_ON_CATEGORY, .u.category = 6 }), -EINVAL);
        phone_event(p, (struct vigie_event){ .type = VIGIE_ON_CATEGORY, .u.category = 3 });
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        assert_int_equal(p->status.alert.category, 0);
        phone_event(p, (struct vigie_event){ .type = VIGIE_ON_CATEGORY, .u.category = 3 });
        phone_run(p, 300);
        phone_event(p, (struct vigie_event){ .type = VIGIE_ON_CATEGORY, .u.category = 1 });
        phone_run(p, 300);
        assert_int_equal(p->status.alert.category, 1);
        assert_int_equal(alert_category(p->known[0].marks), 1);
        phone_free(p);
}

static struct vigie_status press_with_zeros(struct phone *p, uint8_t press, int64_t now_ms)
{
        struct vigie_event e = { .type = VIGIE_ON_PRESS, .now_ms = now_ms, .now_mono_ms = MONO0 + 1 };
        struct vigie_status status;

        e.u.press.press = press;
        vigie_event(p->vigie, &e, p->actions);
        vigie_status(p->vigie, &status);
        return status;
}

/* A host whose generator gives zeros: presses stay different alerts, on one phone and after a wipe of its memory. */
static void bad_random(void **state)
{
        struct phone *p = phone_started(), *other = phone_started();
        struct vigie_status drill = press_with_zeros(p, VIGIE_PRESS_DRILL, UTC0);
        struct vigie_status real = press_with_zeros(p, VIGIE_PRESS_LOUD, UTC0);
        struct vigie_status later = press_with_zeros(other, VIGIE_PRESS_LOUD, UTC0 + 1);

        assert_memory_not_equal(drill.alert.id, real.alert.id, ALERT_ID_SIZE);
        assert_memory_not_equal(later.alert.id, drill.alert.id, ALERT_ID_SIZE);
        assert_memory_not_equal(later.alert.id, real.alert.id, ALERT_ID_SIZE);
        phone_free(p);
        phone_free(other);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(press_leaves),
                cmocka_unit_test(no_word_early),
                cmocka_unit_test(touch_held),
                cmocka_unit_test(touch_let_go),
                cmocka_unit_test(touch_odd),
                cmocka_unit_test(touch_smashed),
                cmocka_unit_test(touch_record_lost),
                cmocka_unit_test(key_four_in_three_seconds),
                cmocka_unit_test(silent_shows_nothing),
                cmocka_unit_test(silent_then_loud),
                cmocka_unit_test(press_again),
                cmocka_unit_test(drill_then_real),
                cmocka_unit_test(drill_under_a_silent_one),
                cmocka_unit_test(normal_and_duress_look_the_same),
                cmocka_unit_test(wrong_pin),
                cmocka_unit_test(still_need_help),
                cmocka_unit_test(category),
                cmocka_unit_test(bad_random),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
