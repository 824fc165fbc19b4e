#include "tests/device/handset/phone.h"

static size_t alerts_in(struct phone *p, int64_t ms)
{
        phone_mark(p);
        phone_run(p, ms);
        return phone_sent_count(p, FRAME_ALERT);
}

/* Better fixes follow: at most one in 2 s in the first minute, one each 10 s after it, better or not. */
static void revisions_follow(void **state)
{
        struct phone *p = phone_started();
        size_t sent = 0;

        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        assert_false(phone_alert(p).alert.has_fix);
        phone_mark(p);
        phone_fix(p, 45.76, 4.83, 50); /* the first fix: 2 s after revision 0 */
        assert_int_equal(phone_sent_count(p, FRAME_ALERT), 0);
        phone_run(p, 1999);
        assert_int_equal(phone_sent_count(p, FRAME_ALERT), 0);
        phone_run(p, 1);
        assert_int_equal(phone_sent_count(p, FRAME_ALERT), 1);
        assert_int_equal(phone_alert(p).alert.revision, 1);
        assert_int_equal(phone_alert(p).alert.fix_age_s, 2);
        phone_mark(p);
        for (int i = 0; i < 50; i++) { /* walking away at 20 m a second */
                phone_fix(p, 45.76 + i * 0.0002, 4.83, 8);
                phone_run(p, 1000);
        }
        sent = phone_sent_count(p, FRAME_ALERT);
        assert_in_range(sent, 24, 26);
        phone_run(p, 8000);
        phone_mark(p);
        for (int i = 0; i < 60; i++) {
                phone_fix(p, 45.77 + i * 0.0002, 4.83, 8);
                phone_run(p, 1000);
        }
        assert_in_range(phone_sent_count(p, FRAME_ALERT), 5, 7);
        assert_in_range(alerts_in(p, 600000), 59, 61); /* standing still, no fix: the region hears that we live */
        assert_int_equal(phone_alert(p).alert.fix_age_s > 500, 1);
        phone_free(p);
}

static void better_fix(void **state)
{
        static const struct {
                double moved_m, accuracy_m;
                bool better;
        } cases[] = {
                { 0, 20, false }, { 9, 20, false }, { 14, 20, true },    { 14, 40, false }, { 24, 40, true },
                { 0, 9, true },   { 0, 11, false }, { 40, 1000, false }, { 120, 90, true }, { 9, -1, false },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct phone *p = phone_started();

                phone_fix(p, 45.76, 4.83, 20);
                phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
                phone_run(p, 3000);
                phone_mark(p);
                phone_fix(p, 45.76 + cases[i].moved_m / 111195, 4.83, cases[i].accuracy_m);
                assert_int_equal(phone_sent_count(p, FRAME_ALERT), cases[i].better);
                phone_free(p);
        }
}

/* Nothing received: 1, 2, 4, 5 s apart on a live link; after 5 s without any receipt the link is dropped and a new one
 * carries it at once. */
static void retries(void **state)
{
        static const int64_t at_ms[] = { 0, 1000, 3000, 5000, 6000 };
        struct phone *p = phone_started();
        struct frame frame;

        p->region = false;
        phone_mark(p);
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        phone_run(p, 4999);
        assert_int_equal(phone_count(p, VIGIE_DO_DISCONNECT), 0);
        phone_run(p, 1500);
        assert_int_equal(phone_count(p, VIGIE_DO_DISCONNECT), 1);
        assert_int_equal(phone_count(p, VIGIE_DO_CONNECT), 1);
        for (size_t i = 0; i < 5; i++)
                assert_int_equal(phone_sent(p, FRAME_ALERT, i, &frame)->at_mono_ms - MONO0, at_ms[i]);
        assert_int_equal(phone_sent_count(p, FRAME_ALERT), 5);
        phone_free(p);
}

/* The region's disk has it and its store is away: copies go on, the link stays. */
static void kept_goes_on(void **state)
{
        struct phone *p = phone_started();

        p->keeps = true;
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        phone_mark(p);
        phone_run(p, 60000);
        assert_int_equal(phone_count(p, VIGIE_DO_DISCONNECT), 0);
        assert_true(phone_sent_count(p, FRAME_ALERT) >= 11);
        phone_free(p);
}

/* A PIN's revision that no receipt confirms is sent again, on another link too; one for a position alone is not. */
static void marks_are_confirmed(void **state)
{
        struct phone *p = phone_started();

        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        p->region = false;
        assert_int_equal(alerts_in(p, 19999), 1); /* at 10 s */
        phone_pin(p, VIGIE_PIN_RIGHT);
        phone_mark(p);
        phone_run(p, 5500);
        assert_int_equal(phone_count(p, VIGIE_DO_DISCONNECT), 1);
        assert_true(phone_sent_count(p, FRAME_ALERT) >= 3);
        p->region = true;
        phone_run(p, 10000);
        assert_int_equal(alerts_in(p, 9000), 0 + (phone_sent_count(p, FRAME_ALERT) > 0));
        phone_free(p);
}

/* Offered again at every reconnect until closed, with the newest receipt that there is; then never. */
static void offered_at_reconnect(void **state)
{
        struct phone *p = phone_started();
        struct frame frame;

        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        assert_non_null(phone_sent(p, FRAME_ALERT, 0, &frame));
        assert_int_equal(frame.u.cose.held_version, 0);
        phone_run(p, 3000);
        for (unsigned i = 0; i < 5; i++) {
                phone_receipt(p, RECEIPT_TAKEN, 70 + i, "A");
                phone_mark(p);
                phone_network(p, false);
                p->network = true;
                phone_run(p, 2500);
                assert_true(phone_sent_count(p, FRAME_ALERT) >= 1);
                phone_sent(p, FRAME_ALERT, 0, &frame);
                assert_int_equal(frame.u.cose.held_version, 70 + i);
                assert_int_equal(frame.u.cose.held_state, RECEIPT_TAKEN);
        }
        phone_receipt(p, RECEIPT_CLOSED_HELPED, 99, "A");
        phone_mark(p);
        phone_network(p, false);
        p->network = true;
        phone_run(p, 120000);
        assert_int_equal(phone_sent_count(p, FRAME_ALERT), 0);
        phone_free(p);
}

/* One copy, the newest, however long there is no network; and no signatures for nothing meanwhile. */
static void bounded_without_network(void **state)
{
        struct phone *p = phone_started();
        struct frame frame;
        struct alert_signed a;
        int last = -1;

        phone_network(p, false);
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        phone_mark(p);
        for (int i = 0; i < 100; i++) {
                phone_fix(p, 45.76 + i * 0.001, 4.83, 8);
                phone_run(p, 5000);
        }
        assert_int_equal(phone_count(p, VIGIE_DO_SIGN), 0);
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        phone_run(p, 1000);
        p->network = true;
        phone_run(p, 30000);
        for (size_t i = 0; phone_sent(p, FRAME_ALERT, i, &frame) != NULL; i++) {
                assert_int_equal(alert_read(frame.u.cose.cose, &a, NULL), 0);
                assert_true(a.alert.revision >= last); /* never an older one after a newer */
                last = a.alert.revision;
        }
        assert_true(last >= 1);
        phone_free(p);
}

/* ---- what the press does not wait for ---------------------------------------------------------------------------- */

static void journal_unwritable(void **state)
{
        struct phone *p = phone_started();

        p->journal_works = false;
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        assert_int_equal(p->status.alert.word, VIGIE_RECEIVED);
        assert_int_equal(p->status.trouble & VIGIE_TROUBLE_JOURNAL, VIGIE_TROUBLE_JOURNAL);
        assert_false(p->status.button);
        p->journal_works = true;
        phone_run(p, 10000);
        assert_true(p->status.button);
        phone_start(p); /* and then the journal has it after all */
        assert_int_equal(p->status.alert.word, VIGIE_RECEIVED);
        assert_int_equal(p->known_count, 1);
        phone_free(p);
}

/* A record that failed stays lost until it is written again, whatever else was written meanwhile. */
static void journal_lost_one(void **state)
{
        struct phone *p = phone_started();

        p->journal_works = p->region = false;
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        p->journal_works = true;
        phone_event(p, (struct vigie_event){ .type = VIGIE_ON_DEADLINE, .u.deadline = { VIGIE_DEADLINE_SET, 600 } });
        assert_false(p->status.button);
        assert_true(vigie_keep(p->vigie, p->records[0].octets, p->records[0].len));
        phone_run(p, 10000);
        assert_true(p->status.button);
        phone_start(p);
        assert_int_equal(p->status.alert.word, VIGIE_SENT);
        phone_free(p);
}

static void journal_hangs(void **state)
{
        struct phone *p = phone_started();

        p->journal_silent = true;
        phone_mark(p);
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        phone_run(p, 500);
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD); /* does not begin the wait again */
        phone_run(p, VIGIE_JOURNAL_WAIT_MS - 501);
        assert_int_equal(phone_sent_count(p, FRAME_ALERT), 0);
        assert_int_equal(p->status.alert.word, VIGIE_NOT_SENT);
        phone_run(p, 1);
        assert_int_equal(phone_sent_count(p, FRAME_ALERT), 1);
        assert_int_equal(p->status.alert.word, VIGIE_RECEIVED);
        phone_run(p, 3999);
        assert_true(p->status.button);
        phone_run(p, 1); /* and the button says so, until the disk has done what was asked of it */
        assert_int_equal(p->status.trouble & VIGIE_TROUBLE_BUTTON, VIGIE_TROUBLE_JOURNAL);
        phone_event(p, (struct vigie_event){ .type = VIGIE_ON_SYNCED, .u.synced = { 1, true } });
        assert_true(p->status.button);
        phone_run(p, 5000);
        assert_false(p->status.button);
        phone_event(p, (struct vigie_event){ .type = VIGIE_ON_SYNCED, .u.synced = { p->journal_seq, true } });
        assert_true(p->status.button);
        p->journal_silent = false;
        phone_run(p, 60000);
        assert_true(p->status.button);
        phone_free(p);
}

/* The key does not sign, or never answers: after 3 s the alert leaves unsigned; when it signs again, signed. */
static void key_does_not_sign(void **state)
{
        for (int silent = 0; silent < 2; silent++) {
                struct phone *p = phone_started();
                struct alert_signed a;

                p->signs = false;
                p->sign_silent = silent;
                phone_mark(p);
                phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
                phone_run(p, VIGIE_SIGN_WAIT_MS - 1);
                assert_int_equal(phone_sent_count(p, FRAME_ALERT), 0);
                phone_run(p, 1);
                assert_int_equal(phone_sent_count(p, FRAME_ALERT), 1);
                assert_int_equal(p->status.trouble & VIGIE_TROUBLE_KEY, VIGIE_TROUBLE_KEY);
                p->signs = true;
                p->sign_silent = false;
                phone_run(p, 6000);
                a = phone_alert(p);
                assert_true(a.cose.signature.at[0] != 0 || a.cose.signature.at[1] != 0);
                assert_int_equal(p->status.trouble & VIGIE_TROUBLE_KEY, 0);
                phone_free(p);
        }
}

static void unknown_ticket(void **state)
{
        struct phone *p = phone_started();
        struct vigie_event e = { .type = VIGIE_ON_SIGNED, .u.signature = { .ticket = 99, .ok = true } };

        p->sign_silent = true;
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        phone_mark(p);
        phone_event(p, e);
        assert_int_equal(phone_sent_count(p, FRAME_ALERT), 0);
        phone_free(p);
}

/* Hammering on the button: every blow journaled, four revisions a second at most, none after an older one. */
static void hammering(void **state)
{
        struct phone *p = phone_started();

        phone_mark(p);
        for (int i = 0; i < 100; i++) {
                phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
                phone_run(p, 20);
        }
        phone_run(p, 300);
        assert_in_range(phone_count(p, VIGIE_DO_SIGN), 8, 10);
        assert_true(phone_count(p, VIGIE_DO_APPEND) >= 100);
        assert_int_equal(p->status.alert.presses, 100);
        phone_free(p);
}

/* Revisions never come twice across restarts, and end at the last number. */
static void revisions_never_twice(void **state)
{
        struct phone *p = phone_started();
        uint16_t highest = 0;

        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        for (int i = 0; i < 30; i++) {
                phone_run(p, 1000000 * (i % 3));
                highest = p->known[0].revision;
                phone_mark(p);
                phone_start(p);
                phone_run(p, 100);
                assert_true(phone_alert(p).alert.revision > highest);
                p->did_count = p->pool_len = 0;
        }
        phone_free(p);
}

static void revisions_end(void **state)
{
        struct phone *p = phone_started();

        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        for (int i = 0; i < 1030; i++) {
                phone_start(p);
                p->record_count =
                        p->record_count > 20
                                ? (memmove(p->records, p->records + p->record_count - 2, 2 * sizeof(p->records[0])), 2)
                                : p->record_count;
                p->not_synced = p->record_count;
                p->did_count = p->pool_len = 0;
        }
        assert_int_equal(p->known[0].revision, UINT16_MAX);
        phone_mark(p);
        phone_run(p, 60000);
        assert_int_equal(phone_count(p, VIGIE_DO_SIGN), 0);
        assert_int_equal(p->known_count, 1);
        phone_free(p);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(revisions_follow),
                cmocka_unit_test(better_fix),
                cmocka_unit_test(retries),
                cmocka_unit_test(kept_goes_on),
                cmocka_unit_test(marks_are_confirmed),
                cmocka_unit_test(offered_at_reconnect),
                cmocka_unit_test(bounded_without_network),
                cmocka_unit_test(journal_unwritable),
                cmocka_unit_test(journal_lost_one),
                cmocka_unit_test(journal_hangs),
                cmocka_unit_test(key_does_not_sign),
                cmocka_unit_test(unknown_ticket),
                cmocka_unit_test(hammering),
                cmocka_unit_test(revisions_never_twice),
                cmocka_unit_test(revisions_end),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
