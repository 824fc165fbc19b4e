/* Sessions: who is let in, what a frame may do, what too many do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/dispatcher/support/model.h"

static struct model *region(void)
{
        struct model *model = model_new(1, NULL);

        model_begin(model);
        model_enrol(model, 1, HANDSET_CARRIER, "carl");
        model_put_carrier(model, "carl");
        model_put_supervisor(model, "anna", "", false);
        model_enrol(model, 11, HANDSET_SUPERVISOR, "anna");
        model_on_duty(model, "anna", 45.751, 4.85);
        return model;
}

static struct frame last(struct model *model, uint64_t session)
{
        return model_session(model, session)->frame;
}

static void test_welcome(void **state)
{
        struct model *model = region();
        uint64_t carrier = model_login(model, 0, 1), anna = model_login(model, 0, 11);

        assert_int_equal(last(model, carrier).type, FRAME_WELCOME);
        assert_string_equal(last(model, carrier).u.welcome.region, "test");
        assert_string_equal(last(model, carrier).u.welcome.name, "carl");
        assert_int_equal(last(model, carrier).u.welcome.version, FRAME_VERSION);
        assert_int_equal(last(model, carrier).u.welcome.time_ms, model->now_ms);
        assert_string_equal(last(model, anna).u.welcome.name, "Anna");
        model_free(model);
}

static void test_newer_and_older_versions(void **state)
{
        struct model *model = region();
        uint64_t session = model_connect(model, 0, 1, CERTIFICATE_OK);
        struct frame hello = { .type = FRAME_HELLO, .u.hello = { .version = FRAME_VERSION + 3 } };

        model_send(model, session, &hello);
        assert_int_equal(last(model, session).u.welcome.version, FRAME_VERSION);
        hello.u.hello.version = FRAME_VERSION_OLDEST - 1;
        model_send(model, session, &hello);
        assert_int_equal(last(model, session).type, FRAME_ERROR);
        model_free(model);
}

static void test_trust_list(void **state)
{
        struct model *model = region();
        struct core *core = model->dispatchers[0].core;
        uint64_t session = model_connect(model, 0, 1, CERTIFICATE_OK);
        struct frame hello = { .type = FRAME_HELLO, .u.hello = { .version = 1, .trust_number = 4 } };

        assert_int_equal(core_load_trust(core, 5,
                                         CBOR_LITERAL("\x43"
                                                      "abc")),
                         0);
        model_send(model, session, &hello);
        assert_int_equal(last(model, session).type, FRAME_TRUST);
        assert_int_equal(last(model, session).u.cose.cose.len, 4);
        hello.u.hello.trust_number = 5;
        model_send(model, session, &hello);
        assert_int_equal(last(model, session).type, FRAME_WELCOME);
        assert_int_equal(last(model, session).u.welcome.trust_number, 5);
        model_free(model);
}

static void test_who_is_not_let_in(void **state)
{
        static const enum core_certificate certificates[] = { CERTIFICATE_EXPIRED, CERTIFICATE_FOREIGN,
                                                              CERTIFICATE_UNKNOWN };
        struct model *model = region();
        struct frame hello = { .type = FRAME_HELLO, .u.hello = { .version = 1 } };
        uint64_t session;

        for (size_t i = 0; i < 4; i++) {
                session = model_connect(model, 0, i < 3 ? 1 : 77, i < 3 ? certificates[i] : CERTIFICATE_OK);
                model_send(model, session, &hello);
                assert_int_equal(last(model, session).type, FRAME_ERROR);
                assert_int_equal(last(model, session).u.error.code, FRAME_ERROR_NOT_ALLOWED);
                assert_true(model_session(model, session)->open); /* an alert may come yet */
        }
        model_free(model);
}

/* A phone enrolled anew is the handset from then on: the certificate of the time before opens no session any more. */
static void test_the_certificate_of_an_enrolment_before(void **state)
{
        struct handset_entry anew = { .not_after_s = UINT32_MAX, .person = "carl", .enrolment = { 9 } };
        struct model *model = region();
        struct frame hello = { .type = FRAME_HELLO, .u.hello = { .version = 1 } };
        struct alert alert = model_alert_default(model, 1);
        uint64_t before = model_login(model, 0, 1), after;

        anew.key[0] = 4;
        model_put_handset(model, 1, &anew);
        model_pass(model, 1000);
        assert_false(model_session(model, before)->open);
        after = model_connect(model, 0, 1, CERTIFICATE_OK);
        model_send(model, after, &hello);
        assert_int_equal(last(model, after).type, FRAME_ERROR);
        assert_int_equal(last(model, after).u.error.code, FRAME_ERROR_NOT_ALLOWED);
        model_press(model, after, 1, &alert); /* an alert is never refused */
        assert_int_equal(model_open(model), 1);
        model_enrol(model, 1, HANDSET_CARRIER, "carl"); /* and back: enrolment zero, as model_connect says it */
        assert_int_equal(last(model, model_login(model, 0, 1)).type, FRAME_WELCOME);
        model_free(model);
}

static void test_hello_first(void **state)
{
        struct model *model = region();
        uint64_t session = model_connect(model, 0, 1, CERTIFICATE_OK);
        struct frame beat = { .type = FRAME_HEARTBEAT, .u.heartbeat.battery = 50 };
        struct alert alert = model_alert_default(model, 1);

        model_send(model, session, &beat);
        assert_int_equal(last(model, session).type, FRAME_ERROR);
        model_press(model, session, 1, &alert); /* an alert needs none */
        assert_int_equal(model_open(model), 1);
        model_free(model);
}

static void test_malformed_and_unknown_frames(void **state)
{
        struct model *model = region();
        uint64_t session = model_login(model, 0, 1);
        uint8_t large[FRAME_HANDSET_MAX + 1] = { 0x82, 0x02, 0x59, 0x03, 0xfc };
        struct alert alert = model_alert_default(model, 1);

        model_send_bytes(model, session, CBOR_LITERAL("\x82\x18\x30\x01")); /* [48, 1]: a newer version's */
        assert_int_equal(model_session(model, session)->frame_count, 1);
        assert_int_equal(core_counters(model->dispatchers[0].core)->frames_unknown, 1);
        model_send_bytes(model, session, (struct cbor_span){ large, sizeof(large) });
        model_send_bytes(model, session, (struct cbor_span){ 0 });
        for (size_t i = 2; i < CORE_MALFORMED_MAX; i++) {
                model_send_bytes(model, session, CBOR_LITERAL("\x82\x02"));
                assert_int_equal(last(model, session).u.error.code, FRAME_ERROR_MALFORMED);
                assert_true(model_session(model, session)->open);
        }
        model_press(model, session, 1, &alert); /* good ones still count */
        assert_int_equal(model_open(model), 1);
        model_send_bytes(model, session, CBOR_LITERAL("\xff")); /* one more than allowed */
        assert_false(model_session(model, session)->open);
        assert_int_equal(model_session(model, session)->closed_code, 1002);
        model_send_bytes(model, session, CBOR_LITERAL("\xff")); /* still on the way: skipped */
        model_free(model);
}

static void test_frames_of_the_other_direction(void **state)
{
        struct model *model = region();
        uint64_t session = model_login(model, 0, 1);
        struct frame question = { .type = FRAME_QUESTION, .u.request.request = 1 };

        model_send(model, session, &question);
        assert_int_equal(last(model, session).u.error.code, FRAME_ERROR_NOT_ALLOWED);
        model_free(model);
}

static void test_too_many_frames(void **state)
{
        struct model *model = region();
        uint64_t session = model_login(model, 0, 1);
        struct frame safe = { .type = FRAME_SAFE, .u.request.request = 1 };
        size_t i = 0;

        while (model_session(model, session)->open && i++ < 1000)
                model_send(model, session, &safe);
        assert_in_range(i, 50, 100);
        assert_int_equal(last(model, session).u.error.code, FRAME_ERROR_TOO_MANY);
        assert_int_equal(model_session(model, session)->closed_code, 1008);
        session = model_login(model, 0, 1);
        for (i = 0; i < 100; i++) { /* ten a second, all day */
                model_send(model, session, &safe);
                model_pass(model, 100);
        }
        assert_true(model_session(model, session)->open);
        model_free(model);
}

/* A fifth session of one handset: the oldest goes. */
static void test_sessions_of_one_handset(void **state)
{
        struct model *model = region();
        uint64_t first = model_login(model, 0, 1), second = model_login(model, 0, 1);
        struct alert alert = model_alert_default(model, 1);

        for (int i = 2; i < CORE_HANDSET_SESSIONS_MAX; i++)
                model_login(model, 0, 1);
        assert_true(model_session(model, first)->open);
        model_login(model, 0, 1);
        assert_false(model_session(model, first)->open);
        assert_int_equal(model_session(model, first)->closed_code, 1008);
        assert_true(model_session(model, second)->open);
        model_press(model, second, 1, &alert);
        assert_int_equal(model_session(model, second)->receipt_count, 1);
        assert_int_equal(model_session(model, model->session_count)->receipt_count, 1); /* all of them are told */
        assert_int_equal(model_session(model, first)->receipt_count, 0);
        model_close(model, second);
        model_close(model, second); /* twice is once */
        model_free(model);
}

/* A supervisor with several handsets: a ninth session in all, and the oldest goes. */
static void test_sessions_of_one_person(void **state)
{
        struct model *model = region();
        uint64_t first = 0;

        for (unsigned i = 0; i < 9; i++) {
                model_enrol(model, 20 + i / 3, HANDSET_SUPERVISOR, "anna");
                if (i == 0)
                        first = model_login(model, 0, 20);
                else
                        assert_true(model_session(model, first)->open && model_login(model, 0, 20 + i / 3) != 0);
        }
        assert_false(model_session(model, first)->open);
        assert_true(model_session(model, first + 1)->open);
        model_free(model);
}

static void test_session_bound(void **state)
{
        struct model *model = region();
        struct core *core = model->dispatchers[0].core;
        struct core_event event = { .kind = CORE_OPENED, .now_ms = model->now_ms };
        struct core_action action;

        event.u.opened.certificate = CERTIFICATE_UNKNOWN;
        for (uint64_t i = 0; i < CORE_SESSIONS_MAX; i++) {
                event.u.opened.session = 100000 + i;
                core_handle(core, &event);
                assert_false(core_next(core, &action));
        }
        event.u.opened.session = 99999;
        core_handle(core, &event);
        assert_true(core_next(core, &action));
        assert_int_equal(action.kind, DO_CLOSE_SESSION);
        assert_int_equal(action.u.close_session.session, 99999);
        assert_int_equal(action.u.close_session.code, 1013);
        assert_false(core_next(core, &action));
        assert_int_equal(core_counters(core)->sessions, CORE_SESSIONS_MAX);
        event.kind = CORE_CLOSED;
        event.u.closed.session = 100000;
        core_handle(core, &event);
        event.kind = CORE_OPENED;
        event.u.opened.session = 99998;
        event.u.opened.certificate = CERTIFICATE_UNKNOWN;
        core_handle(core, &event);
        assert_false(core_next(core, &action));
        model_free(model);
}

/* A supervisor who comes back is shown every open alert that asks them, as loud as it is by now. */
static void test_rings_on_return(void **state)
{
        struct model *model = region();
        struct alert alert;
        struct command seen;
        uint64_t anna;

        for (unsigned i = 0; i < 30; i++) {
                model_enrol(model, 100 + i, HANDSET_CARRIER, "");
                alert = model_alert_default(model, 1);
                model_press(model, model_login(model, 0, 100 + i), 100 + i, &alert);
        }
        anna = model_login(model, 0, 11);
        assert_int_equal(model_session(model, anna)->ring_count, 30);
        assert_int_equal(model_session(model, anna)->ring, RING_RING);
        seen = model_command(COMMAND_SEEN, model_session(model, anna)->rung.id);
        assert_int_equal(model_ask(model, anna, &seen), ANSWER_DONE);
        assert_int_equal(model_session(model, anna)->ring, RING_SHOW);
        assert_int_equal(model_session(model, anna)->ring_count, 31);
        model_free(model);
}

/* The handset is given to somebody else: its session ends, and begins as theirs. */
static void test_handset_changes_hands(void **state)
{
        struct model *model = region();
        uint64_t session = model_login(model, 0, 11);

        model_put_supervisor(model, "bob", "", false);
        model_enrol(model, 11, HANDSET_SUPERVISOR, "bob");
        model_pass(model, 100);
        assert_false(model_session(model, session)->open);
        session = model_login(model, 0, 11);
        assert_string_equal(last(model, session).u.welcome.name, "Bob");
        model_free(model);
}

/* A supervisor who is one no more: their session stays for alerts, and takes nothing. */
static void test_supervisor_gone(void **state)
{
        struct model *model = region();
        uint64_t carrier = model_login(model, 0, 1), anna = model_login(model, 0, 11);
        struct alert alert = model_alert_default(model, 1);
        struct command take;
        uint8_t id[ALERT_ID_SIZE];

        model_alert_id(1, 1, id);
        assert_int_equal(core_load_supervisor(model->dispatchers[0].core, "anna", NULL), 0);
        model_press(model, carrier, 1, &alert);
        assert_int_equal(model_record(model, id).asked_count, 0);
        take = model_command(COMMAND_TAKE, id);
        assert_int_equal(model_ask(model, anna, &take), ANSWER_NOT_ALLOWED);
        model_close(model, anna);
        model_free(model);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_welcome),
                cmocka_unit_test(test_newer_and_older_versions),
                cmocka_unit_test(test_trust_list),
                cmocka_unit_test(test_who_is_not_let_in),
                cmocka_unit_test(test_the_certificate_of_an_enrolment_before),
                cmocka_unit_test(test_hello_first),
                cmocka_unit_test(test_malformed_and_unknown_frames),
                cmocka_unit_test(test_frames_of_the_other_direction),
                cmocka_unit_test(test_too_many_frames),
                cmocka_unit_test(test_sessions_of_one_handset),
                cmocka_unit_test(test_sessions_of_one_person),
                cmocka_unit_test(test_session_bound),
                cmocka_unit_test(test_rings_on_return),
                cmocka_unit_test(test_handset_changes_hands),
                cmocka_unit_test(test_supervisor_gone),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
