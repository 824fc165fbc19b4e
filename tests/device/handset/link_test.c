#include "tests/device/handset/phone.h"

/* Attempts are refused: full jitter under a span that doubles to two minutes. */
static void backoff(void **state)
{
        struct phone *p = phone_new();
        int64_t last = MONO0, span = 1000;
        size_t i = 1;

        p->network = false;
        phone_start(p);
        phone_run(p, 3600000);
        for (; phone_did(p, VIGIE_DO_CONNECT, i) != NULL; i++) {
                int64_t wait = phone_did(p, VIGIE_DO_CONNECT, i)->at_mono_ms - last;

                assert_in_range(wait, 0, span);
                last += wait;
                span = span * 2 > VIGIE_RECONNECT_MAX_MS ? VIGIE_RECONNECT_MAX_MS : span * 2;
        }
        assert_in_range(i, 45, 90); /* an hour of 0..120 s */
        phone_free(p);
}

/* One word from the region and the back-off begins anew; a connection alone does not. */
static void backoff_begins_anew(void **state)
{
        for (int region = 0; region < 2; region++) {
                struct phone *p = phone_new();
                size_t connects;

                p->region = region;
                phone_start(p);
                for (int i = 0; i < 60; i++) {
                        phone_run(p, 1000);
                        phone_event(p, (struct vigie_event){ .type = VIGIE_ON_LINK, .u.link = { 0, false } });
                        p->up = 0;
                }
                connects = phone_count(p, VIGIE_DO_CONNECT);
                assert_true(region ? connects > 40 : connects < 12);
                phone_free(p);
        }
}

/* While an alert waits: at once, then each second.  Once it is received and open: within 2 s. */
static void no_backoff_while_an_alert_waits(void **state)
{
        struct phone *p = phone_new();

        p->network = false;
        phone_start(p);
        phone_run(p, 600000);
        phone_mark(p);
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        phone_run(p, 30000);
        assert_in_range(phone_count(p, VIGIE_DO_CONNECT), 30, 40);
        for (size_t i = 1; i < 30; i++)
                assert_true(phone_did(p, VIGIE_DO_CONNECT, i)->at_mono_ms -
                                    phone_did(p, VIGIE_DO_CONNECT, i - 1)->at_mono_ms <=
                            1000);
        p->network = true;
        phone_run(p, 1500);
        assert_int_equal(p->status.alert.word, VIGIE_RECEIVED);
        phone_network(p, false);
        phone_mark(p);
        phone_run(p, 30000);
        assert_in_range(phone_count(p, VIGIE_DO_CONNECT), 15, 22);
        phone_free(p);
}

static void a_press_ends_a_long_wait(void **state)
{
        struct phone *p = phone_new();

        p->network = false;
        phone_start(p);
        phone_run(p, 600000);
        p->network = true;
        phone_mark(p);
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        phone_run(p, 1000);
        assert_int_equal(p->status.alert.word, VIGIE_RECEIVED);
        phone_free(p);
}

/* An address that says nothing is given up after 10 s, with an alert waiting and another address after 5; they are
 * taken in turn. */
static void addresses_in_turn(void **state)
{
        struct phone *p = phone_new();

        p->options.address_count = 3;
        p->network = false;
        phone_start(p);
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        phone_run(p, 10000);
        for (size_t i = 0; i < 9; i++)
                assert_int_equal(phone_did(p, VIGIE_DO_CONNECT, i)->action.address, i % 3);
        phone_free(p);
}

static void connect_hangs(void **state)
{
        static const struct {
                uint8_t addresses;
                bool alert;
                int64_t wait_ms;
        } cases[] = { { 1, false, 10000 }, { 1, true, 10000 }, { 2, false, 10000 }, { 2, true, 5000 } };

        for (size_t i = 0; i < 4; i++) {
                struct phone *p = phone_new();

                p->options.address_count = cases[i].addresses;
                p->connect_silent = true;
                phone_start(p);
                if (cases[i].alert)
                        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
                phone_run(p, cases[i].wait_ms - 1);
                assert_int_equal(phone_count(p, VIGIE_DO_DISCONNECT), 0);
                phone_run(p, 1);
                assert_int_equal(phone_count(p, VIGIE_DO_DISCONNECT), 1);
                phone_free(p);
        }
}

/* What the host says of a link that was given up, or never asked for, changes nothing. */
static void late_words_about_a_link(void **state)
{
        struct phone *p = phone_started();

        p->options.address_count = 2;
        phone_event(p, (struct vigie_event){ .type = VIGIE_ON_LINK, .u.link = { 1, true } });
        assert_int_equal(p->status.link, VIGIE_LINK_WELCOME);
        assert_int_equal(phone_event(p, (struct vigie_event){ .type = VIGIE_ON_LINK, .u.link = { 7, true } }), -22);
        phone_event(p, (struct vigie_event){ .type = VIGIE_ON_LINK, .u.link = { 0, true } });
        assert_int_equal(p->status.link, VIGIE_LINK_WELCOME);
        phone_free(p);
}

/* On a live link the alert goes before the hello. */
static void alert_before_hello(void **state)
{
        struct phone *p = phone_new();
        struct frame frame;

        p->network = false;
        phone_start(p);
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        phone_mark(p);
        p->network = true;
        phone_run(p, 1000);
        assert_true(phone_sent(p, FRAME_ALERT, 0, &frame) < phone_sent(p, FRAME_HELLO, 0, &frame));
        assert_int_equal(frame.u.hello.version, FRAME_VERSION);
        assert_int_equal(frame.u.hello.trust_number, 7);
        assert_string_equal(frame.u.hello.app, "test 1");
        phone_free(p);
}

/* ---- the alert port ---------------------------------------------------------------------------------------------- */

/* A second without receipt: the alert port is tried beside the ordinary one; nothing but alerts goes there; received,
 * it is let go. */
static void alert_port(void **state)
{
        struct phone *p = phone_new();
        const struct did *connect;

        p->options.address_count = 2;
        p->options.address_alert = 2;
        p->region = false;
        phone_start(p);
        phone_run(p, 60000);
        assert_int_equal(phone_count(p, VIGIE_DO_CONNECT), 1);
        phone_mark(p);
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        phone_run(p, 999);
        assert_int_equal(phone_count(p, VIGIE_DO_CONNECT), 0);
        phone_run(p, 1);
        connect = phone_did(p, VIGIE_DO_CONNECT, 0);
        assert_int_equal(connect->action.address, 1);
        p->region = true;
        phone_run(p, 2000);
        assert_int_equal(p->status.alert.word, VIGIE_RECEIVED);
        assert_int_equal(phone_did(p, VIGIE_DO_DISCONNECT, 0)->action.address, 1);
        for (size_t i = p->mark; i < p->did_count; i++)
                if (p->did[i].action.type == VIGIE_DO_SEND && p->did[i].action.address == 1)
                        assert_int_equal(p->did[i].action.data[1], FRAME_ALERT);
        phone_mark(p);
        phone_run(p, 60000);
        assert_int_equal(phone_count(p, VIGIE_DO_CONNECT), 0);
        phone_duty(p, true); /* a test press never goes there */
        phone_run(p, 60000);
        assert_int_equal(phone_count(p, VIGIE_DO_CONNECT), 0);
        phone_free(p);
}

/* ---- the button -------------------------------------------------------------------------------------------------- */

static void button_without_path(void **state)
{
        struct phone *p = phone_started();

        assert_true(p->status.button);
        phone_network(p, false);
        phone_run(p, VIGIE_NO_PATH_MS - 1);
        assert_true(p->status.button);
        phone_run(p, 1);
        assert_false(p->status.button);
        assert_int_equal(p->status.trouble & VIGIE_TROUBLE_NO_PATH, VIGIE_TROUBLE_NO_PATH);
        assert_true(phone_count(p, VIGIE_DO_SHOW) > 0);
        p->network = true;
        phone_run(p, 130000);
        assert_true(p->status.button);
        phone_start(p);
        phone_event(p, (struct vigie_event){ .type = VIGIE_ON_MODEM, .u.modem = VIGIE_MODEM_READY });
        phone_network(p, false);
        phone_run(p, 60000);
        assert_true(p->status.button);
        phone_free(p);
}

static void button_not_enrolled(void **state)
{
        struct phone *p = phone_new();

        p->options.enrolled = false;
        phone_start(p);
        phone_run(p, 10000);
        assert_false(p->status.button);
        assert_int_equal(p->status.trouble & VIGIE_TROUBLE_NOT_ENROLLED, VIGIE_TROUBLE_NOT_ENROLLED);
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        phone_run(p, 60000);
        assert_int_equal(p->status.alert.word, VIGIE_NOT_SENT);
        assert_int_equal(phone_count(p, VIGIE_DO_CONNECT) + phone_count(p, VIGIE_DO_SIGN), 0);
        phone_free(p);
}

/* The link stands and the region does not welcome us: the button says so, at once where the region says it, and a press
 * leaves all the same. */
static void button_not_known(void **state)
{
        for (int says = 0; says < 2; says++) {
                struct phone *p = phone_new();

                p->unknown = true;
                p->refuses = says;
                phone_start(p);
                if (!says) {
                        phone_run(p, VIGIE_WELCOME_WAIT_MS - 1);
                        assert_true(p->status.button);
                        phone_mark(p);
                        phone_run(p, 1);
                        assert_int_equal(phone_count(p, VIGIE_DO_SHOW), 1);
                }
                assert_int_equal(p->status.link, VIGIE_LINK_UP);
                assert_false(p->status.button);
                assert_int_equal(p->status.trouble & VIGIE_TROUBLE_BUTTON, VIGIE_TROUBLE_NOT_KNOWN);
                phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
                phone_run(p, 1000);
                assert_int_equal(p->status.alert.word, VIGIE_RECEIVED);
                assert_false(p->status.button);
                phone_free(p);
        }
}

/* It is tried anew each two minutes, the page saying so all the while, but not while an alert is open on that link; a
 * welcome ends it. */
static void known_in_the_end(void **state)
{
        struct phone *p = phone_new();
        size_t shown;

        p->unknown = p->refuses = true;
        phone_start(p);
        phone_run(p, 1000);
        phone_mark(p);
        for (int i = 0; i < 1200; i++) {
                phone_run(p, 1000);
                assert_int_equal(p->status.trouble & VIGIE_TROUBLE_NOT_KNOWN, VIGIE_TROUBLE_NOT_KNOWN);
        }
        shown = phone_count(p, VIGIE_DO_CONNECT);
        assert_in_range(shown, 8, 10);
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        phone_run(p, 1000);
        phone_mark(p);
        phone_run(p, 600000);
        assert_int_equal(phone_count(p, VIGIE_DO_CONNECT), 0);
        p->unknown = false;
        phone_receipt(p, RECEIPT_CLOSED_OTHER, 900, "W");
        phone_run(p, 130000);
        assert_true(p->status.button);
        assert_int_equal(p->status.link, VIGIE_LINK_WELCOME);
        phone_free(p);
}

/* What the region does not allow later is about something else. */
static void refused_after_a_welcome(void **state)
{
        struct frame error = { .type = FRAME_ERROR, .u.error = { .code = FRAME_ERROR_NOT_ALLOWED } };
        struct phone *p = phone_started();

        phone_frame(p, &error);
        assert_true(p->status.button);
        assert_int_equal(p->status.link, VIGIE_LINK_WELCOME);
        phone_free(p);
}

/* The alert port alone is a path too, while an alert has it open. */
static void button_with_the_alert_port(void **state)
{
        struct phone *p = phone_new();

        p->options.address_count = 2;
        p->options.address_alert = 2;
        p->region = false;
        phone_start(p);
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        phone_run(p, 1500);
        p->connect_silent = true;
        p->up &= 2;
        phone_event(p, (struct vigie_event){ .type = VIGIE_ON_LINK, .u.link = { 0, false } });
        p->region = p->keeps = true;
        phone_run(p, 9000);
        assert_true(p->status.button);
        p->up = 0;
        phone_event(p, (struct vigie_event){ .type = VIGIE_ON_LINK, .u.link = { 1, false } });
        assert_false(p->status.button);
        phone_free(p);
}

static void no_address(void **state)
{
        struct phone *p = phone_new();

        p->options.address_count = 0;
        phone_start(p);
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        phone_run(p, 60000);
        assert_false(p->status.button);
        assert_int_equal(p->status.alert.word, VIGIE_NOT_SENT);
        phone_free(p);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(backoff),
                cmocka_unit_test(backoff_begins_anew),
                cmocka_unit_test(no_backoff_while_an_alert_waits),
                cmocka_unit_test(a_press_ends_a_long_wait),
                cmocka_unit_test(addresses_in_turn),
                cmocka_unit_test(connect_hangs),
                cmocka_unit_test(late_words_about_a_link),
                cmocka_unit_test(alert_before_hello),
                cmocka_unit_test(alert_port),
                cmocka_unit_test(button_without_path),
                cmocka_unit_test(button_not_enrolled),
                cmocka_unit_test(button_not_known),
                cmocka_unit_test(known_in_the_end),
                cmocka_unit_test(refused_after_a_welcome),
                cmocka_unit_test(button_with_the_alert_port),
                cmocka_unit_test(no_address),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
