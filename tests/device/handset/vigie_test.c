#include <errno.h>

#include "tests/device/handset/phone.h"
#include "wire/record.h"

/* A host built with another vigie.h is refused, by number and by every size. */
static void abi(void **state)
{
        struct phone *p = phone_new();
        struct vigie_options o = p->options;

        assert_int_equal(vigie_abi(), VIGIE_ABI);
        assert_int_equal(vigie_init(p->vigie, &o), 0);
        o.abi++;
        assert_int_equal(vigie_init(p->vigie, &o), -EPROTO);
        for (int i = 0; i < 4; i++) {
                o = p->options;
                o.sizes[i] += 8;
                assert_int_equal(vigie_init(p->vigie, &o), -EPROTO);
        }
        phone_free(p);
}

static void options_out_of_range(void **state)
{
        struct phone *p = phone_new();
        struct vigie_options o = p->options;

        o.address_count = VIGIE_ADDRESSES_MAX + 1;
        assert_int_equal(vigie_init(p->vigie, &o), -E2BIG);
        o = p->options;
        o.verify = NULL;
        assert_int_equal(vigie_init(p->vigie, &o), -EINVAL);
        o = p->options;
        o.role = 2;
        assert_int_equal(vigie_init(p->vigie, &o), -EINVAL);
        o = p->options;
        o.man_down_s = 29;
        assert_int_equal(vigie_init(p->vigie, &o), -EINVAL);
        o = p->options;
        memset(o.person, 'x', sizeof(o.person));
        assert_int_equal(vigie_init(p->vigie, &o), -EINVAL);
        o = p->options;
        o.root_len = 66;
        assert_int_equal(vigie_init(p->vigie, &o), -EINVAL);
        phone_free(p);
}

static void events_out_of_range(void **state)
{
        struct phone *p = phone_started();
        static const uint32_t types[] = { 0, VIGIE_ON_END, 1000, UINT32_MAX };
        struct vigie_status before = p->status;

        phone_mark(p);
        for (int i = 0; i < 4; i++)
                assert_int_equal(phone_event(p, (struct vigie_event){ .type = types[i] }), -EINVAL);
        assert_int_equal(phone_event(p, (struct vigie_event){ .type = VIGIE_ON_PIN, .u.pin = 3 }), -EINVAL);
        phone_just(p, VIGIE_ON_START); /* a second start */
        assert_int_equal(p->did_count, p->mark);
        assert_memory_equal(&before, &p->status, sizeof(before));
        phone_free(p);
}

/* Frames that are none, too large, unknown, or of a handset: counted or stepped over, never more. */
static void frames_out_of_range(void **state)
{
        static uint8_t large[VIGIE_FRAME_MAX + 1];
        static const struct {
                const char *octets;
                size_t len;
                unsigned refused;
        } cases[] = {
                { "", 0, 1 },
                { "\x80", 1, 1 },
                { "\x81\x18\x41", 3, 1 },
                { "\x82\x18\x63\x00", 4, 0 },
                { "\x82\x07\x01", 3, 1 },
                { "\xff", 1, 1 },
                { (const char *)large, sizeof(large), 1 },
                { "\x82\x18\x41\x41\x00", 5, 1 },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct phone *p = phone_started();
                struct vigie_event e = { .type = VIGIE_ON_FRAME };

                e.u.frame.data = (const uint8_t *)cases[i].octets;
                e.u.frame.len = cases[i].len;
                assert_int_equal(phone_event(p, e), 0);
                assert_int_equal(p->status.refused, cases[i].refused);
                e.u.frame.address = 1;
                assert_int_equal(phone_event(p, e), -EINVAL);
                phone_free(p);
        }
}

/* A press before the start is no press lost. */
static void press_before_start(void **state)
{
        struct phone *p = phone_new();

        assert_int_equal(vigie_init(p->vigie, &p->options), 0);
        p->timer_mono_ms = INT64_MAX;
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        assert_int_equal(p->status.alert.word, VIGIE_NOT_SENT);
        phone_just(p, VIGIE_ON_START);
        assert_int_equal(p->status.alert.word, VIGIE_RECEIVED);
        phone_free(p);
}

/* Ticking each 10 ms instead of when asked for changes nothing that is sent. */
static void ticks_when_asked_for_are_enough(void **state)
{
        struct phone *p[2] = { phone_started(), phone_started() };

        for (int i = 0; i < 2; i++) {
                p[i]->region = false;
                phone_duty(p[i], true);
                phone_press(p[i], VIGIE_TOUCH_DOWN, VIGIE_PRESS_LOUD);
                for (int64_t ms = 0; ms < 40000; ms += 10) {
                        if (i == 1)
                                phone_just(p[i], VIGIE_ON_TICK);
                        p[i]->seed = (uint64_t)ms; /* the same random octets at the same time */
                        phone_run(p[i], 10);
                        p[i]->region = ms > 20000;
                }
        }
        assert_int_equal(phone_count(p[0], VIGIE_DO_SEND), phone_count(p[1], VIGIE_DO_SEND));
        for (size_t n = 0; phone_did(p[0], VIGIE_DO_SEND, n) != NULL; n++) {
                const struct did *a = phone_did(p[0], VIGIE_DO_SEND, n), *b = phone_did(p[1], VIGIE_DO_SEND, n);

                assert_int_equal(a->at_mono_ms, b->at_mono_ms);
                assert_int_equal(a->action.len, b->action.len);
        }
        phone_free(p[0]);
        phone_free(p[1]);
}

/* The phone's clock jumps: what is timed by it is not, but the words about it. */
static void clock_jumps(void **state)
{
        struct phone *p = phone_started();

        phone_press(p, VIGIE_TOUCH_DOWN, VIGIE_PRESS_LOUD);
        p->utc_ms = 5;
        phone_run(p, 1000);
        assert_int_equal(p->status.alert.word, VIGIE_RECEIVED);
        p->utc_ms = INT64_MAX / 2;
        phone_mark(p);
        phone_run(p, 10000);
        assert_int_equal(phone_sent_count(p, FRAME_ALERT), 1);
        p->mono_ms -= 5000; /* and a monotonic clock that is none */
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        p->mono_ms += 5300;
        phone_just(p, VIGIE_ON_TICK);
        assert_int_equal(p->status.alert.presses, 2);
        phone_free(p);
}

/* Copied octet by octet, a phone is the same phone: a host may ask a copy what to keep while the first goes on. */
static void plain_memory(void **state)
{
        struct phone *p = phone_started();
        struct vigie *copy = malloc(vigie_size());
        struct vigie_status status;

        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        memcpy(copy, p->vigie, vigie_size());
        phone_receipt(p, RECEIPT_CLOSED_HELPED, 9, "A");
        vigie_status(copy, &status);
        assert_int_equal(status.alert.word, VIGIE_RECEIVED);
        assert_true(vigie_keep(copy, p->records[0].octets, p->records[0].len));
        free(copy);
        phone_free(p);
}

/* Everything at once: sixteen rings with long notes and unsaid seens, a drill, a real alert, a test, duty, a question:
 * all of it leaves in the actions of few events, and fits. */
static void worst_case_fits(void **state)
{
        static uint8_t octets[RECORD_MAX];
        struct phone *p = phone_new();
        struct frame ring = { .type = FRAME_RING }, question = { .type = FRAME_QUESTION };
        struct frame welcome = { .type = FRAME_WELCOME, .u.welcome.version = FRAME_VERSION };
        struct vigie_event e = { .type = VIGIE_ON_SUPERVISE, .u.supervise = { .reason = VIGIE_OTHER } };

        p->options.role = VIGIE_SUPERVISOR;
        p->options.sms_test = true;
        phone_start(p);
        phone_modem(p, VIGIE_MODEM_READY);
        phone_duty(p, true);
        phone_run(p, 20000); /* a test SMS is answered: that has a record as well */
        phone_duty(p, false);
        for (int i = 0; i < VIGIE_RINGS_MAX; i++) {
                struct record r = { .version = 1, .state = ALERT_ASKED, .due_ms = 1, .id = { (uint8_t)i } };
                int len = record_encode(&r, octets, sizeof(octets));

                ring.u.ring.record = (struct cbor_span){ octets, (size_t)len };
                phone_frame(p, &ring);
        }
        phone_frame(p, &question);
        p->network = p->region = false;
        phone_network(p, false);
        p->journal_works = false;
        memset(e.u.supervise.note, 'x', NOTE_MAX);
        for (int i = 0; i < VIGIE_RINGS_MAX; i++) {
                e.u.supervise.alert[0] = (uint8_t)i;
                e.u.supervise.verb = VIGIE_SEEN;
                phone_event(p, e);
                e.u.supervise.verb = VIGIE_CLOSE;
                phone_event(p, e);
        }
        phone_duty(p, true);
        phone_fix(p, 45.76, 4.83, 5);
        phone_event(p, (struct vigie_event){ .type = VIGIE_ON_DEADLINE, .u.deadline = { VIGIE_DEADLINE_SET, 60 } });
        phone_just(p, VIGIE_ON_FINE);
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_DRILL);
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        phone_run(p, 6500);
        p->network = true;
        phone_run(p, 1100);
        assert_int_equal(p->status.link, VIGIE_LINK_UP);
        p->mono_ms += 4000; /* the phone slept: retries of journal and alerts are due, and then all else may leave */
        p->most_actions = 0;
        phone_frame(p, &welcome);
        assert_in_range(p->most_actions, 40, 75);
        assert_in_range(p->most_octets, 4096, VIGIE_OCTETS_MAX - VIGIE_RECORD_MAX); /* and a trust list */
        assert_int_equal(phone_sent_count(p, FRAME_COMMAND), 2 * VIGIE_RINGS_MAX);
        phone_free(p);
}

static void sms_receipt(void **state)
{
        struct phone *p = phone_started();
        struct vigie_event e = { .type = VIGIE_ON_SMS };
        struct receipt r = { .version = 3, .state = RECEIPT_TAKEN, .time_s = UTC0 / 1000, .who = "Amina" };
        uint8_t octets[RECEIPT_MAX];

        p->region = false;
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        memcpy(r.alert.octets, p->status.alert.id, ALERT_ID_SIZE);
        e.u.sms.len = receipt_octets(&r, receipt_key, octets);
        e.u.sms.data = octets;
        phone_event(p, e);
        assert_int_equal(p->status.alert.word, VIGIE_TAKEN);
        phone_free(p);
}

static void names(void **state)
{
        assert_string_equal(vigie_word_name(VIGIE_NOTHING), "none");
        assert_string_equal(vigie_word_name(VIGIE_EN_ROUTE), "en_route");
        assert_string_equal(vigie_word_name(VIGIE_CLOSED), "closed");
        assert_null(vigie_word_name(VIGIE_WORD_END));
        assert_string_equal(vigie_trouble_name(VIGIE_TROUBLE_NO_PATH), "no_path");
        assert_string_equal(vigie_trouble_name(VIGIE_TROUBLE_BATTERY), "battery");
        assert_null(vigie_trouble_name(0));
        assert_null(vigie_trouble_name(3));
        assert_string_equal(vigie_trouble_name(VIGIE_TROUBLE_NOT_KNOWN), "not_known");
        assert_null(vigie_trouble_name(0x100));
        assert_string_equal(vigie_modem_name(VIGIE_MODEM_NONE), "none");
        assert_string_equal(vigie_modem_name(VIGIE_MODEM_SIM_LOCKED), "sim_locked");
        assert_string_equal(vigie_modem_name(VIGIE_MODEM_READY), "ready");
        assert_null(vigie_modem_name(VIGIE_MODEM_END));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(abi),
                cmocka_unit_test(options_out_of_range),
                cmocka_unit_test(events_out_of_range),
                cmocka_unit_test(frames_out_of_range),
                cmocka_unit_test(press_before_start),
                cmocka_unit_test(ticks_when_asked_for_are_enough),
                cmocka_unit_test(clock_jumps),
                cmocka_unit_test(plain_memory),
                cmocka_unit_test(worst_case_fits),
                cmocka_unit_test(sms_receipt),
                cmocka_unit_test(names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
