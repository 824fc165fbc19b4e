/* The dispatcher as a process: real TLS, real Redis, real signatures; handsets played by tests/dispatcher/support/phone.c. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/loop.h"
#include "tests/dispatcher/support/region.h"

static int set_up(void **state)
{
        struct region *region = calloc(1, sizeof(*region));

        region_open(region);
        region_carrier(region, "c1", "Carole");
        region_supervisor(region, "s1", "Paul", false);
        region_user(region, "anne", ROLE_CONTROL);
        region_handset(region, &(struct region_handset){ .number = 1, .person = "c1", .role = HANDSET_CARRIER, .days_to = 9 });
        region_handset(region, &(struct region_handset){ .number = 2, .person = "s1", .role = HANDSET_SUPERVISOR, .days_to = 9 });
        *state = region;
        return 0;
}

static int tear_down(void **state)
{
        struct region *region = *state;

        region_close(region);
        free(region);
        return 0;
}

static void press(struct region *region, struct phone *phone, const struct region_press *press)
{
        uint8_t frame[FRAME_HANDSET_MAX];
        int len = region_press(region, press, frame);

        assert_int_equal(phone_send(phone, frame, (size_t)len), 0);
}

static void test_a_press_gets_its_receipt(void **state)
{
        struct region *region = *state;
        const struct region_press one = { .number = 1, .nonce = 7 };
        static struct record record;
        struct alert_id id;
        struct receipt receipt;
        struct phone phone;

        region_start(region, 0, NULL);
        assert_int_equal(region_dial(region, 0, 1, &phone), 0);
        press(region, &phone, &one);
        assert_int_equal(region_receipt(region, &phone, &receipt), 0);
        region_alert_id(&one, &id);
        assert_true(alert_id_equal(&receipt.alert, &id));
        assert_true(receipt_is_received(receipt.state));
        assert_int_equal(region_record(region, &id, &record), 0);
        assert_string_equal(record.carrier_name, "Carole");
        assert_int_equal(record.marks & RECORD_UNVERIFIED, 0);
        assert_string_equal(record.zone_id, "lyon");
        press(region, &phone, &one); /* a copy is answered, and changes nothing */
        assert_int_equal(region_receipt(region, &phone, &receipt), 0);
        phone_hang_up(&phone);
        region_signal(region, 0, SIGTERM);
        assert_int_equal(region_wait(region, 0), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE(test_a_press_gets_its_receipt),
        };

        signal(SIGPIPE, SIG_IGN);
        if (region_dispatcher() == NULL) {
                printf("skip: vigie-dispatcher is not built\n");
                return 0;
        }
        return cmocka_run_group_tests(tests, NULL, NULL);
}
