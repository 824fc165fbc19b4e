/* The alert port: what a session may do there, how long it stays, who makes room for whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/dispatcher/support/model.h"

enum { ROOM = 4 };

/* Two dispatchers: the first an alert port with room for ROOM sessions, the second an ordinary one. */
static struct model *region(void)
{
        struct model *model = model_new(2, NULL);

        model_begin(model);
        model_kill(model, 0);
        model->options.alerts_only = true;
        model->options.sessions_max = ROOM;
        model_start(model, 0);
        for (unsigned i = 1; i <= 8; i++)
                model_enrol(model, i, HANDSET_CARRIER, "");
        model_put_supervisor(model, "anna", "", false);
        model_enrol(model, 11, HANDSET_SUPERVISOR, "anna");
        model_on_duty(model, "anna", 45.751, 4.85);
        return model;
}

static uint64_t connect(struct model *model, unsigned handset)
{
        return model_connect(model, 0, handset, CERTIFICATE_OK);
}

static void press(struct model *model, uint64_t session, unsigned handset)
{
        struct alert alert = model_alert_default(model, handset);

        model_press(model, session, handset, &alert);
}

static bool is_open(struct model *model, uint64_t session)
{
        return model_session(model, session)->open;
}

/* As a handset does it there: no hello, the alert at once, its receipt; then it is in the way. */
static void test_press(void **state)
{
        struct model *model = region();
        uint64_t anna = model_login(model, 1, 11), carrier = connect(model, 1);

        model_pass(model, 9000);
        press(model, carrier, 1);
        assert_int_equal(model_session(model, carrier)->receipt_count, 1);
        assert_int_equal(model_session(model, carrier)->receipt.state, RECEIPT_ASKED);
        assert_int_equal(model_session(model, anna)->ring_count, 1); /* by the other, through the feed */
        model_pass(model, CORE_ALERT_PORT_IDLE_MS - 200);
        assert_true(is_open(model, carrier));
        model_pass(model, 200);
        assert_false(is_open(model, carrier));
        assert_int_equal(model_session(model, carrier)->closed_code, 1000);
        model_free(model);
}

static void test_nothing_offered(void **state)
{
        struct model *model = region();
        uint64_t session = connect(model, 1);

        assert_int_equal(core_due_ms(model->dispatchers[0].core), model->now_ms + CORE_ALERT_PORT_IDLE_MS);
        model_pass(model, CORE_ALERT_PORT_IDLE_MS - 100);
        assert_true(is_open(model, session));
        model_pass(model, 100);
        assert_false(is_open(model, session));
        assert_int_equal(model_session(model, session)->closed_code, 1000);
        model_free(model);
}

/* A copy of what is open, or closed long ago, has its receipt at once. */
static void test_copies(void **state)
{
        struct model *model = region();
        uint64_t session = model_connect(model, 1, 1, CERTIFICATE_OK);
        struct command close;
        uint8_t id[ALERT_ID_SIZE];
        size_t told;

        model_alert_id(1, 1, id);
        press(model, session, 1);
        for (int i = 0; i < 2; i++) {
                session = connect(model, 1);
                model_pass(model, 9900);
                told = model_session(model, session)
                               ->receipt_count; /* it climbs, and every session of the handset hears */
                press(model, session, 1);
                assert_int_equal(model_session(model, session)->receipt_count, told + 1);
                model_pass(model, 9900);
                assert_true(is_open(model, session));
                model_pass(model, 200);
                assert_false(is_open(model, session));
                close = model_command(COMMAND_CLOSE, id);
                assert_int_equal(model_order(model, 1, "control", &close), i == 0 ? -1 : ANSWER_CLOSED);
        }
        model_free(model);
}

/* Nothing but alerts: the rest is refused, and the session ends. */
static void test_other_frames(void **state)
{
        const uint8_t types[] = { FRAME_HELLO, FRAME_DUTY, FRAME_HEARTBEAT, FRAME_PRESENCE, FRAME_COMMAND, FRAME_SAFE };
        uint8_t id[ALERT_ID_SIZE] = { 1 };

        for (size_t i = 0; i < sizeof(types); i++) {
                struct model *model = region();
                uint64_t session = connect(model, 11);
                struct frame frame = { .type = types[i] };

                if (frame.type == FRAME_HELLO)
                        frame.u.hello.version = FRAME_VERSION;
                if (frame.type == FRAME_COMMAND)
                        frame.u.command.command = model_command(COMMAND_TAKE, id);
                model_send(model, session, &frame);
                assert_int_equal(model_session(model, session)->frame.type, FRAME_ERROR);
                assert_int_equal(model_session(model, session)->frame.u.error.code, FRAME_ERROR_NOT_ALLOWED);
                assert_false(is_open(model, session));
                assert_int_equal(model_session(model, session)->closed_code, 1008);
                assert_int_equal(core_counters(model->dispatchers[0].core)->frames_refused, 1);
                model_free(model);
        }
}

static void test_test_press(void **state)
{
        struct model *model = region();
        uint64_t session = connect(model, 1);
        struct alert alert = model_alert_default(model, 1);

        alert.kind = ALERT_TEST;
        model_press(model, session, 1, &alert);
        assert_int_equal(model_session(model, session)->receipt_count, 0);
        assert_int_equal(core_counters(model->dispatchers[0].core)->tests_dropped, 1);
        model_pass(model, CORE_ALERT_PORT_IDLE_MS);
        assert_false(is_open(model, session));
        model_free(model);
}

/* The store away: "kept" is no receipt; who waits stays, even when the port is full, and is let go when it is told. */
static void test_who_waits_stays(void **state)
{
        struct model *model = region();
        uint64_t sessions[ROOM + 1];

        model_store(model, false);
        for (unsigned i = 0; i < ROOM; i++) {
                sessions[i] = connect(model, i + 1);
                press(model, sessions[i], i + 1);
        }
        model_pass(model, 3 * CORE_ALERT_PORT_IDLE_MS);
        assert_int_equal(model_session(model, sessions[0])->receipt.state, RECEIPT_KEPT);
        sessions[ROOM] = connect(model, ROOM + 1);
        assert_false(is_open(model, sessions[ROOM]));
        assert_int_equal(model_session(model, sessions[ROOM])->closed_code, 1013);
        for (unsigned i = 0; i < ROOM; i++)
                assert_true(is_open(model, sessions[i]));
        press(model, sessions[0], 1); /* one still offers; the others have fallen silent */
        model_pass(model, CORE_ALERT_PORT_WAIT_MS - 3 * CORE_ALERT_PORT_IDLE_MS);
        assert_true(is_open(model, sessions[0]));
        assert_false(is_open(model, sessions[1]));
        model_store(model, true);
        assert_int_equal(model_session(model, sessions[0])->receipt.state, RECEIPT_ASKED);
        assert_true(is_open(model, sessions[0]));
        model_pass(model, CORE_ALERT_PORT_IDLE_MS);
        assert_false(is_open(model, sessions[0]));
        model_free(model);
}

/* Full: the one longest received goes first, then who has offered nothing for a second; the newcomer stays. */
static void test_room(void **state)
{
        struct model *model = region();
        uint64_t idle = connect(model, 1), second, first, waits, newcomer;

        model_pass(model, 500);
        second = connect(model, 2);
        first = connect(model, 3);
        waits = connect(model, 4);
        press(model, first, 3);
        model_pass(model, 100);
        press(model, second, 2);
        model->hold_commits = true;
        press(model, waits, 4);
        newcomer = connect(model, 5);
        assert_false(is_open(model, first));
        assert_int_equal(model_session(model, first)->closed_code, 1000);
        assert_true(is_open(model, second));
        newcomer = connect(model, 6);
        assert_false(is_open(model, second));
        newcomer = connect(model, 7); /* those left have come just now, or wait */
        assert_false(is_open(model, newcomer));
        assert_int_equal(model_session(model, newcomer)->closed_code, 1013);
        model_pass(model, 400);
        newcomer = connect(model, 8);
        assert_true(is_open(model, newcomer));
        assert_false(is_open(model, idle));
        assert_true(is_open(model, waits));
        assert_int_equal(core_counters(model->dispatchers[0].core)->sessions, ROOM);
        model_free(model);
}

/* Certificates of any time: what they bring is raised, as what it is. */
static void test_any_certificate(void **state)
{
        static const enum core_certificate certificates[] = { CERTIFICATE_EXPIRED, CERTIFICATE_FOREIGN,
                                                              CERTIFICATE_UNKNOWN };
        struct model *model = region();
        struct handset_entry revoked = { .revoked_at_s = 1, .role = HANDSET_CARRIER };
        uint64_t session;

        for (unsigned i = 0; i < 3; i++) {
                session = model_connect(model, 0, i + 1, certificates[i]);
                press(model, session, i + 1);
                assert_int_equal(model_session(model, session)->receipt_count, 1);
        }
        model_put_handset(model, 4, &revoked);
        session = connect(model, 4);
        press(model, session, 4);
        assert_int_equal(model_session(model, session)->receipt_count, 1);
        assert_int_equal(model_open(model), 4);
        assert_int_equal(core_counters(model->dispatchers[0].core)->unverified, 1);
        model_free(model);
}

/* An ordinary port keeps what says nothing. */
static void test_ordinary_port(void **state)
{
        struct model *model = region();
        uint64_t session = model_connect(model, 1, 1, CERTIFICATE_OK);

        model_pass(model, 2 * CORE_ALERT_PORT_WAIT_MS);
        assert_true(is_open(model, session));
        model_free(model);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_press),         cmocka_unit_test(test_nothing_offered),
                cmocka_unit_test(test_copies),        cmocka_unit_test(test_other_frames),
                cmocka_unit_test(test_test_press),    cmocka_unit_test(test_who_waits_stays),
                cmocka_unit_test(test_room),          cmocka_unit_test(test_any_certificate),
                cmocka_unit_test(test_ordinary_port),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
