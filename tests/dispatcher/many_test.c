/* Several dispatchers as processes: what one leaves behind another does; one that is an alert port. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/loop.h"
#include "tests/dispatcher/support/play.h"

#define PLACES 12 /* of an alert port with 16 connections: a quarter is for who shakes hands */

/* The one that raised the alert is dead: the other acts on its deadline, and answers its handset. */
static void test_the_other_acts_on_what_is_due(void **state)
{
        struct region *region = *state;
        const struct region_press one = { .number = 1, .nonce = 7 };
        static struct record record;
        struct phone carrier, supervisor;
        struct receipt receipt;
        struct alert_id id;
        uint32_t version;

        region_start(region, 0, NULL);
        region_start(region, 1, NULL);
        assert_int_equal(region_dial(region, 1, 2, &supervisor), 0);
        play_on_duty(&supervisor, "s1");
        usleep(300000); /* the roster's stream to the other dispatcher */
        assert_int_equal(region_dial(region, 0, 1, &carrier), 0);
        play_press(region, &carrier, &one);
        region_alert_id(&one, &id);
        assert_int_equal(region_receipt_of(region, &carrier, RECEIPT_ASKED, &receipt), 0);
        region_signal(region, 0, SIGKILL);
        region_wait(region, 0);
        phone_hang_up(&carrier);
        assert_int_equal(region_record(region, &id, &record), 0);
        version = record.version;
        for (int64_t end = clock_mono_ms() + 20000; record.version == version;) { /* nobody has seen it in 5 s */
                assert_true(clock_mono_ms() < end);
                usleep(100000);
                assert_int_equal(region_record(region, &id, &record), 0);
        }
        assert_int_equal(region_dial(region, 1, 1, &carrier), 0);
        play_press(region, &carrier, &one);
        assert_int_equal(region_receipt(region, &carrier, &receipt), 0);
        assert_true(receipt_is_received(receipt.state));
        assert_true(receipt.version >= record.version);
        phone_hang_up(&carrier);
        phone_hang_up(&supervisor);
}

static void start_alert_port(struct region *region)
{
        region_start_with(region, 0,
                          (const char *const[]){ "-o", "listen.alerts_only=yes", "-o", "limits.connections=16", NULL });
}

/* An alert without a hello gets its receipt; whoever says hello is sent away. */
static void test_an_alert_port_takes_alerts_alone(void **state)
{
        struct region *region = *state;
        struct receipt receipt;
        struct phone phone;
        struct frame frame;
        uint8_t buf[FRAME_REGION_MAX];

        start_alert_port(region);
        assert_int_equal(region_dial(region, 0, 1, &phone), 0);
        play_press(region, &phone, &(struct region_press){ .number = 1, .nonce = 7 });
        assert_int_equal(region_receipt(region, &phone, &receipt), 0);
        assert_true(receipt_is_received(receipt.state));
        phone_hang_up(&phone);
        assert_int_equal(region_dial(region, 0, 1, &phone), 0);
        assert_int_equal(region_send(&phone, &(struct frame){ .type = FRAME_HELLO, .u.hello.version = FRAME_VERSION }), 0);
        assert_int_equal(region_frame(&phone, FRAME_ERROR, buf, &frame), 0);
        while (phone_receive(&phone, buf, sizeof(buf), 10000) >= 0)
                ;
        assert_int_equal(phone.close_code, 1008);
        phone_hang_up(&phone);
}

/* Full of handsets that have their receipt: each newcomer finds a place all the same, and they make it. */
static void test_a_full_alert_port_takes_the_newcomer(void **state)
{
        struct region *region = *state;
        struct phone phone[PLACES + 4];
        struct receipt receipt;
        uint8_t buf[FRAME_REGION_MAX];

        for (unsigned i = 0; i < PLACES + 4; i++)
                region_handset(region, &(struct region_handset){ .number = 10 + i, .person = "c1", .days_to = 9 });
        start_alert_port(region);
        for (unsigned i = 0; i < PLACES + 4; i++) {
                assert_int_equal(region_dial(region, 0, 10 + i, &phone[i]), 0);
                play_press(region, &phone[i], &(struct region_press){ .number = 10 + i, .nonce = 1 });
                assert_int_equal(region_receipt(region, &phone[i], &receipt), 0);
                assert_true(receipt_is_received(receipt.state));
        }
        for (unsigned i = 0; i < 4; i++) {
                while (phone_receive(&phone[i], buf, sizeof(buf), 5000) >= 0)
                        ;
                assert_int_equal(phone[i].close_code, 1000); /* the longest received */
        }
        for (unsigned i = 0; i < PLACES + 4; i++)
                phone_hang_up(&phone[i]);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, play_set_up, play_tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE(test_the_other_acts_on_what_is_due),
                CASE(test_an_alert_port_takes_alerts_alone),
                CASE(test_a_full_alert_port_takes_the_newcomer),
        };

        signal(SIGPIPE, SIG_IGN);
        if (region_dispatcher() == NULL) {
                printf("skip: vigie-dispatcher is not built\n");
                return 0;
        }
        return cmocka_run_group_tests(tests, NULL, NULL);
}
