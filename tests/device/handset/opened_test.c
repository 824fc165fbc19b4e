/* What the keeper opened of this phone: shown, once each, until it is old; nothing of it tells of a silent alert. */
#include "tests/device/handset/phone.h"

#include "tests/device/handset/phone_ask.h"

#define DAY_MS INT64_C(86400000)

static void opened(struct phone *p, int64_t at_ms, uint8_t why)
{
        phone_frame(p, &(struct frame){ .type = FRAME_OPENED, .u.opened = { at_ms, why } });
}

static void have_read(struct phone *p, int64_t until_ms)
{
        phone_event(p, (struct vigie_event){ .type = VIGIE_ON_OPENED_READ, .u.opened_until_ms = until_ms });
}

static struct phone *phone_up(void)
{
        struct phone *p = phone_new();

        phone_start(p);
        phone_run(p, 1000);
        return p;
}

/* Newest first; a copy is no other one; as many as may be, and one more. */
static void newest_are_kept(void **state)
{
        struct phone *p = phone_up();

        assert_int_equal(p->status.opened_count, 0);
        phone_mark(p);
        opened(p, UTC0 + 1000, VIGIE_OPENED_OVERDUE);
        assert_int_equal(phone_count(p, VIGIE_DO_SHOW), 1);
        opened(p, UTC0 + 3000, VIGIE_OPENED_ALERT);
        opened(p, UTC0 + 2000, 99);
        phone_mark(p);
        opened(p, UTC0 + 2000, VIGIE_OPENED_TIMER);
        assert_int_equal(phone_count(p, VIGIE_DO_APPEND) + phone_count(p, VIGIE_DO_SHOW), 0);
        assert_int_equal(p->status.opened_count, 3);
        assert_int_equal(p->status.opened[0].at_ms, UTC0 + 3000);
        assert_int_equal(p->status.opened[0].why, VIGIE_OPENED_ALERT);
        assert_int_equal(p->status.opened[1].why, 99);
        assert_int_equal(p->status.opened[2].why, VIGIE_OPENED_OVERDUE);
        for (int i = 3; i < VIGIE_OPENED_MAX + 1; i++)
                opened(p, UTC0 + 1000 + 1000 * i, VIGIE_OPENED_TIMER);
        assert_int_equal(p->status.opened_count, VIGIE_OPENED_MAX);
        assert_int_equal(p->status.opened[VIGIE_OPENED_MAX - 1].at_ms, UTC0 + 2000);
        phone_mark(p);
        opened(p, UTC0 + 1000, VIGIE_OPENED_OVERDUE); /* older than all: told again by the region, perhaps */
        assert_int_equal(phone_count(p, VIGIE_DO_SHOW), 0);
        opened(p, INT64_MAX, VIGIE_OPENED_OVERDUE);
        assert_int_equal(p->status.refused, 1);
        phone_free(p);
}

/* Read, it stays so: across a restart, and a compaction.  One that comes later, and was earlier, is unread. */
static void read_stays_read(void **state)
{
        struct phone *p = phone_up();

        opened(p, UTC0 + 1000, VIGIE_OPENED_OVERDUE);
        opened(p, UTC0 + 3000, VIGIE_OPENED_ALERT);
        have_read(p, UTC0 + 1000);
        assert_false(p->status.opened[0].read);
        assert_true(p->status.opened[1].read);
        have_read(p, UTC0 + 3000);
        opened(p, UTC0 + 2000, VIGIE_OPENED_TIMER);
        for (int i = 0; i < 2; i++) {
                phone_compact(p);
                phone_start(p);
                phone_run(p, 1000);
                assert_int_equal(p->status.opened_count, 3);
                assert_true(p->status.opened[0].read);
                assert_false(p->status.opened[1].read);
                assert_int_equal(p->status.opened[1].why, VIGIE_OPENED_TIMER);
                assert_true(p->status.opened[2].read);
        }
        phone_free(p);
}

/* After 30 days, by the region's clock, it goes. */
static void old_ones_go(void **state)
{
        struct phone *p = phone_up();
        struct frame welcome = { .type = FRAME_WELCOME, .u.welcome = { .version = 1, .region = "r" } };

        opened(p, UTC0, VIGIE_OPENED_OVERDUE);
        opened(p, UTC0 + 1, VIGIE_OPENED_OVERDUE);
        welcome.u.welcome.time_ms = UTC0 + 30 * DAY_MS;
        phone_frame(p, &welcome);
        assert_int_equal(p->status.opened_count, 2);
        welcome.u.welcome.time_ms++;
        phone_frame(p, &welcome);
        assert_int_equal(p->status.opened_count, 1);
        assert_int_equal(p->status.opened[0].at_ms, UTC0 + 1);
        phone_free(p);
}

/* Opened for a silent alert: nothing is shown, felt or counted as read while it is open, nor when it is closed; at the next duty it is there.
 * What stood on the page before stays. */
static void silent_alert_is_not_told(void **state)
{
        struct phone *p = phone_up();
        struct vigie_status before;

        opened(p, UTC0, VIGIE_OPENED_OVERDUE);
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_SILENT);
        phone_run(p, 5000);
        before = p->status;
        phone_mark(p);
        opened(p, UTC0 + 1000, VIGIE_OPENED_ALERT);
        opened(p, UTC0 + 2000, 99);
        have_read(p, INT64_MAX);
        assert_true(p->status.opened[0].read); /* the one of before alone */
        phone_compact(p);
        phone_start(p);
        phone_run(p, 5000);
        assert_int_equal(p->status.opened_count, 1);
        phone_duty(p, true);
        assert_int_equal(p->status.opened_count, 1);
        phone_duty(p, false);
        p->known_count = 1; /* of that alert, not of the test press */
        phone_receipt(p, RECEIPT_CLOSED, 9, "Zoe");
        phone_run(p, 5000);
        assert_int_equal(p->status.opened_count, before.opened_count);
        phone_duty(p, true);
        assert_int_equal(p->status.opened_count, 3);
        assert_false(p->status.opened[0].read || p->status.opened[1].read);
        phone_free(p);
}

/* Overdue during a silent alert is no news of it; and of a loud one everything is shown. */
static void others_are_told(void **state)
{
        struct phone *p = phone_up();

        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_SILENT);
        opened(p, UTC0, VIGIE_OPENED_OVERDUE);
        opened(p, UTC0 + 1, VIGIE_OPENED_TIMER);
        assert_int_equal(p->status.opened_count, 2);
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        opened(p, UTC0 + 2, VIGIE_OPENED_ALERT);
        assert_int_equal(p->status.opened_count, 3);
        phone_free(p);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(newest_are_kept), cmocka_unit_test(read_stays_read),
                cmocka_unit_test(old_ones_go),     cmocka_unit_test(silent_alert_is_not_told),
                cmocka_unit_test(others_are_told),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
