#include "tests/device/handset/phone.h"

static uint8_t list[TRUST_MAX];

static void give(struct phone *p, size_t len)
{
        struct frame frame = { .type = FRAME_TRUST, .u.cose.cose = { list, len } };

        phone_frame(p, &frame);
}

static uint32_t number_said(struct phone *p)
{
        struct frame frame;

        phone_mark(p);
        phone_network(p, false);
        p->network = true;
        phone_run(p, 130000);
        assert_non_null(phone_sent(p, FRAME_HELLO, 0, &frame));
        return frame.u.hello.trust_number;
}

/* A newer list is taken, journaled, and there after a restart; an older one, the root's of another region, an altered
 * one not. */
static void newer_lists(void **state)
{
        struct phone *p = phone_started();
        size_t len;

        assert_int_equal(number_said(p), 7);
        phone_mark(p);
        give(p, toy_trust(root_key, 9, list, sizeof(list)));
        assert_int_equal(phone_count(p, VIGIE_DO_APPEND), 1);
        assert_int_equal(number_said(p), 9);
        phone_mark(p);
        give(p, toy_trust(root_key, 9, list, sizeof(list)));
        assert_int_equal(phone_count(p, VIGIE_DO_APPEND), 0);
        give(p, toy_trust(root_key, 8, list, sizeof(list)));
        assert_int_equal(p->status.refused, 0);
        give(p, toy_trust(receipt_key, 10, list, sizeof(list)));
        assert_int_equal(p->status.refused, 1);
        len = toy_trust(root_key, 10, list, sizeof(list));
        list[len - 100] ^= 1;
        give(p, len);
        assert_int_equal(p->status.refused, 2);
        assert_int_equal(number_said(p), 9);
        phone_start(p);
        assert_int_equal(number_said(p), 9);
        p->options.trust_len = 0; /* the journal alone has it */
        phone_start(p);
        assert_int_equal(number_said(p), 9);
        assert_int_equal(p->status.trouble & VIGIE_TROUBLE_TRUST, 0);
        phone_free(p);
}

/* The first list may come by a frame; until then no receipt is believed. */
static void first_list_by_frame(void **state)
{
        struct phone *p = phone_new();

        p->options.trust_len = 0;
        phone_start(p);
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        assert_int_equal(p->status.alert.word, VIGIE_SENT);
        assert_int_equal(p->status.refused, 1);
        give(p, toy_trust(root_key, 1, list, sizeof(list)));
        phone_run(p, 3000);
        assert_int_equal(p->status.alert.word, VIGIE_RECEIVED);
        phone_free(p);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(newer_lists),
                cmocka_unit_test(first_list_by_frame),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
