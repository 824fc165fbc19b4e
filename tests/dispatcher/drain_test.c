/* The orderly end of a dispatcher that holds handsets. */
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

#define PHONES 8

struct crowd {
        struct phone phone[PHONES]; /* of handsets 10, 11 ... */
        bool open[PHONES];
};

/* enrol: before a dispatcher starts, so that it knows them all. */
static void enrol(struct region *region)
{
        for (unsigned i = 0; i < PHONES; i++)
                region_handset(region, &(struct region_handset){ .number = 10 + i, .person = "c1", .days_to = 9 });
}

static void gather(struct region *region, struct crowd *crowd)
{
        for (unsigned i = 0; i < PHONES; i++) {
                assert_int_equal(region_dial(region, 0, 10 + i, &crowd->phone[i]), 0);
                assert_int_equal(region_hello(&crowd->phone[i], HANDSET_CARRIER), 0);
                crowd->open[i] = true;
        }
}

/* look: how many sessions are open, each looked at for so long; all closed ones were told why. */
static int look(struct crowd *crowd, int each_ms)
{
        uint8_t buf[FRAME_REGION_MAX];
        int open = 0;

        for (int i = 0; i < PHONES; i++) {
                int len = 0;

                while (crowd->open[i] && (len = phone_receive(&crowd->phone[i], buf, sizeof(buf), each_ms)) >= 0)
                        ;
                if (crowd->open[i] && len == PHONE_CLOSED) {
                        assert_int_equal(crowd->phone[i].close_code, 1012);
                        crowd->open[i] = false;
                }
                open += crowd->open[i];
        }
        return open;
}

static void leave(struct crowd *crowd)
{
        for (int i = 0; i < PHONES; i++)
                phone_hang_up(&crowd->phone[i]);
}

/* A part goes each second, the others press and get their receipts; nobody is taken in; at the second signal all go. */
static void test_some_each_second(void **state)
{
        struct region *region = *state;
        struct crowd crowd;
        struct receipt receipt;
        struct phone late;
        int64_t began, end;
        int last = PHONES - 1, open;

        enrol(region);
        region_start(region, 0, NULL);
        gather(region, &crowd);
        region_signal(region, 0, SIGTERM);
        began = clock_mono_ms();
        sleep(2); /* nobody answers a close frame meanwhile: those told to go are as good as gone */
        open = look(&crowd, 1);
        assert_in_range(open, 1, PHONES - 1);
        assert_true(PHONES - open <= 2 + (clock_mono_ms() - began) / 1000);
        assert_int_equal(region_dial(region, 0, 1, &late), -1);
        phone_hang_up(&late);
        while (!crowd.open[last])
                last--;
        play_press(region, &crowd.phone[last], &(struct region_press){ .number = 10 + (unsigned)last, .nonce = 1 });
        assert_int_equal(region_receipt(region, &crowd.phone[last], &receipt), 0);
        assert_true(receipt_is_received(receipt.state));
        region_signal(region, 0, SIGTERM);
        end = clock_mono_ms() + 5000;
        while (look(&crowd, 1) > 0)
                assert_true(clock_mono_ms() < end);
        assert_int_equal(region_wait(region, 0), 0);
        leave(&crowd);
}

/* With the store away a press waits: its session is there when all others are closed, and gets its receipt. */
static void test_who_waits_goes_last(void **state)
{
        struct region *region = *state;
        struct crowd crowd;
        struct receipt receipt;
        int64_t end;

        enrol(region);
        region_start(region, 0, "drain.percent=100");
        gather(region, &crowd);
        place_redis_stop(&region->place);
        play_press(region, &crowd.phone[3], &(struct region_press){ .number = 13, .nonce = 1 });
        assert_int_equal(region_receipt(region, &crowd.phone[3], &receipt), 0);
        assert_int_equal(receipt.state, RECEIPT_KEPT);
        region_signal(region, 0, SIGTERM);
        end = clock_mono_ms() + 10000;
        while (look(&crowd, 1) > 1)
                assert_true(clock_mono_ms() < end);
        assert_true(crowd.open[3]);
        place_redis(&region->place, "alerts");
        do
                assert_int_equal(region_receipt(region, &crowd.phone[3], &receipt), 0);
        while (!receipt_is_received(receipt.state));
        end = clock_mono_ms() + 5000;
        while (look(&crowd, 1) > 0)
                assert_true(clock_mono_ms() < end);
        assert_int_equal(region_wait(region, 0), 0);
        leave(&crowd);
}

/* All of a port's sessions go to its other process. */
static void test_the_other_takes_them(void **state)
{
        struct region *region = *state;
        struct crowd crowd;
        struct receipt receipt;
        char port[32];

        enrol(region);
        region_start(region, 0, "drain.percent=100");
        snprintf(port, sizeof(port), "listen.port=%d", region->port[0]);
        gather(region, &crowd);
        region_start(region, 1, port);
        region_signal(region, 0, SIGTERM);
        for (int64_t end = clock_mono_ms() + 10000; look(&crowd, 1) > 0;)
                assert_true(clock_mono_ms() < end);
        assert_int_equal(region_wait(region, 0), 0);
        leave(&crowd);
        for (unsigned i = 0; i < PHONES; i++) {
                assert_int_equal(region_dial(region, 0, 10 + i, &crowd.phone[i]), 0); /* never refused */
                play_press(region, &crowd.phone[i], &(struct region_press){ .number = 10 + i, .nonce = 1 });
                assert_int_equal(region_receipt(region, &crowd.phone[i], &receipt), 0);
        }
        leave(&crowd);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, play_set_up, play_tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE(test_some_each_second),
                CASE(test_who_waits_goes_last),
                CASE(test_the_other_takes_them),
        };

        signal(SIGPIPE, SIG_IGN);
        if (region_dispatcher() == NULL) {
                printf("skip: vigie-dispatcher is not built\n");
                return 0;
        }
        return cmocka_run_group_tests(tests, NULL, NULL);
}
