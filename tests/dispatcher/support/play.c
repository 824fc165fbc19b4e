#include "tests/dispatcher/support/play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

int play_set_up(void **state)
{
        struct region *region = calloc(1, sizeof(*region));

        region_open(region);
        region_carrier(region, "c1", "Carole");
        region_supervisor(region, "s1", "Paul", false);
        region_user(region, "anne", ROLE_CONTROL);
        region_handset(region,
                       &(struct region_handset){ .number = 1, .person = "c1", .role = HANDSET_CARRIER, .days_to = 9 });
        region_handset(region, &(struct region_handset){
                                       .number = 2, .person = "s1", .role = HANDSET_SUPERVISOR, .days_to = 9 });
        *state = region;
        return 0;
}

int play_tear_down(void **state)
{
        struct region *region = *state;

        region_close(region);
        free(region);
        return 0;
}

void play_press(struct region *region, struct phone *phone, const struct region_press *press)
{
        uint8_t frame[FRAME_HANDSET_MAX];
        int len = region_press(region, press, frame);

        assert_int_equal(phone_send(phone, frame, (size_t)len), 0);
}

void play_on_duty(struct phone *phone, const char *person)
{
        static uint8_t buf[FRAME_REGION_MAX];
        struct frame duty = { .type = FRAME_DUTY,
                              .u.duty = { .request = 1, .on = true, .until_s = (uint32_t)time(NULL) + 3600 } };
        struct frame presence = { .type = FRAME_PRESENCE,
                                  .u.presence = { .battery = 90,
                                                  .has_position = true,
                                                  .at = { (uint32_t)time(NULL), 457610000, 48410000, 10 } } };
        struct frame answer;

        snprintf(duty.u.duty.person, sizeof(duty.u.duty.person), "%s", person);
        assert_int_equal(region_hello(phone, HANDSET_SUPERVISOR), 0);
        assert_int_equal(region_send(phone, &duty), 0);
        assert_int_equal(region_frame(phone, FRAME_DUTY_ANSWER, buf, &answer), 0);
        assert_int_equal(answer.u.duty_answer.code, DUTY_OK);
        assert_int_equal(region_send(phone, &presence), 0);
}

void play_raised(struct region *region, const struct region_press *one, struct record *ret_record)
{
        struct receipt receipt;
        struct alert_id id;
        struct phone phone;

        assert_int_equal(region_dial(region, 0, one->number, &phone), 0);
        play_press(region, &phone, one);
        do /* a slow store: "being confirmed" comes first */
                assert_int_equal(region_receipt(region, &phone, &receipt), 0);
        while (!receipt_is_received(receipt.state));
        region_alert_id(one, &id);
        assert_int_equal(region_record(region, &id, ret_record), 0);
        phone_hang_up(&phone);
}
