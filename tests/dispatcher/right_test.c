/* Commands: who may ask what, and what they are told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/dispatcher/support/model.h"

static const char zones[] = "{\"type\":\"FeatureCollection\",\"features\":["
                            "{\"type\":\"Feature\",\"properties\":{\"id\":\"west\",\"teams\":[\"blue\"]},\"geometry\":"
                            "{\"type\":\"Polygon\",\"coordinates\":"
                            "[[[4.8,45.7],[4.9,45.7],[4.9,45.8],[4.8,45.8],[4.8,45.7]]]}}]}";

struct scene {
        struct model *model;
        uint8_t id[ALERT_ID_SIZE];
        uint64_t carrier;
};

/* An alert in the west; blue may take it, red may not. */
static struct scene begin(void)
{
        struct scene scene = { .model = model_new(1, zones) };
        struct model *model = scene.model;
        struct alert alert = model_alert_default(model, 1);

        model_begin(model);
        model_enrol(model, 1, HANDSET_CARRIER, "carl");
        model_put_supervisor(model, "blue", "blue", false);
        model_put_supervisor(model, "red", "red", false);
        model_put_supervisor(model, "idle", "blue", false);
        model_put_user(model, "admin", ROLE_ADMIN);
        model_put_user(model, "auditor", ROLE_AUDITOR);
        model_put_user(model, "issuer", ROLE_ISSUER);
        model_put_user(model, "caretaker", ROLE_CARETAKER);
        model_on_duty(model, "blue", 45.751, 4.85);
        model_on_duty(model, "red", 45.752, 4.85);
        model_alert_id(1, 1, scene.id);
        scene.carrier = model_login(model, 0, 1);
        model_press(model, scene.carrier, 1, &alert);
        return scene;
}

static int order(struct scene *scene, const char *login, uint8_t verb)
{
        struct command command = model_command(verb, scene->id);

        return model_order(scene->model, 0, login, &command);
}

static void test_who_may_take(void **state)
{
        struct scene scene = begin();

        assert_int_equal(order(&scene, "nobody", COMMAND_TAKE), ANSWER_NOT_ALLOWED);
        assert_int_equal(order(&scene, "admin", COMMAND_TAKE), ANSWER_NOT_ALLOWED);
        assert_int_equal(order(&scene, "auditor", COMMAND_CLOSE), ANSWER_NOT_ALLOWED);
        assert_int_equal(order(&scene, "issuer", COMMAND_SEEN), ANSWER_NOT_ALLOWED);
        assert_int_equal(order(&scene, "caretaker", COMMAND_JOIN), ANSWER_NOT_ALLOWED);
        assert_int_equal(order(&scene, "red", COMMAND_TAKE), ANSWER_NOT_ALLOWED); /* another zone's team */
        assert_int_equal(order(&scene, "idle", COMMAND_TAKE), ANSWER_NOT_ON_DUTY);
        assert_int_equal(order(&scene, "idle", COMMAND_JOIN), ANSWER_NOT_ON_DUTY);
        assert_int_equal(order(&scene, "blue", COMMAND_RELEASE), ANSWER_NOT_OWNER);
        assert_int_equal(model_record(scene.model, scene.id).version, 1);
        assert_int_equal(order(&scene, "blue", COMMAND_TAKE), -1);
        assert_int_equal(scene.model->acknowledged, 10); /* each entry of the stream once */
        model_free(scene.model);
}

/* Managers are asked on duty or not, of any team; then they may take, and not before. */
static void test_manager_who_is_asked_may_take(void **state)
{
        struct scene scene = begin();

        model_put_supervisor(scene.model, "boss", "red", true);
        assert_int_equal(order(&scene, "boss", COMMAND_TAKE), ANSWER_NOT_ON_DUTY);
        model_pass(scene.model, 121000);
        assert_int_equal(order(&scene, "idle", COMMAND_TAKE), ANSWER_NOT_ON_DUTY);
        assert_int_equal(order(&scene, "boss", COMMAND_TAKE), -1);
        assert_string_equal(model_record(scene.model, scene.id).owner_id, "boss");
        model_free(scene.model);
}

static void test_expired(void **state)
{
        struct scene scene = begin();
        struct command command = model_command(COMMAND_TAKE, scene.id);

        command.expires_ms = scene.model->now_ms - 1;
        assert_int_equal(model_order(scene.model, 0, "blue", &command), ANSWER_EXPIRED);
        command.expires_ms = scene.model->now_ms;
        assert_int_equal(model_order(scene.model, 0, "blue", &command), -1);
        model_free(scene.model);
}

static void test_as_somebody_else(void **state)
{
        struct scene scene = begin();
        struct command command = model_command(COMMAND_TAKE, scene.id);

        strcpy(command.person, "red"); /* blue may, but not as red */
        assert_int_equal(model_order(scene.model, 0, "blue", &command), ANSWER_NOT_ALLOWED);
        command.role = ROLE_CONTROL; /* what it claims does not count */
        strcpy(command.person, "red");
        assert_int_equal(model_order(scene.model, 0, "red", &command), ANSWER_NOT_ALLOWED);
        model_free(scene.model);
}

static void test_disabled_user(void **state)
{
        struct scene scene = begin();
        struct user_entry entry = { .role = ROLE_CONTROL, .disabled = true };

        assert_int_equal(core_load_user(scene.model->dispatchers[0].core, "control", &entry), 0);
        assert_int_equal(order(&scene, "control", COMMAND_CLOSE), ANSWER_NOT_ALLOWED);
        assert_int_equal(core_load_user(scene.model->dispatchers[0].core, "control", NULL), 0);
        assert_int_equal(order(&scene, "control", COMMAND_CLOSE), ANSWER_NOT_ALLOWED);
        model_free(scene.model);
}

static void test_unknown_and_closed(void **state)
{
        struct scene scene = begin();
        uint8_t known[ALERT_ID_SIZE];

        memcpy(known, scene.id, ALERT_ID_SIZE);
        memset(scene.id, 9, ALERT_ID_SIZE);
        assert_int_equal(order(&scene, "blue", COMMAND_TAKE), ANSWER_UNKNOWN_ALERT);
        memcpy(scene.id, known, ALERT_ID_SIZE);
        assert_int_equal(order(&scene, "control", COMMAND_CLOSE), -1);
        assert_int_equal(order(&scene, "blue", COMMAND_TAKE), ANSWER_CLOSED);
        model_free(scene.model);
}

/* Given twice, with the same id or as another: done once, answered both times. */
static void test_twice(void **state)
{
        struct scene scene = begin();
        struct command command = model_command(COMMAND_TAKE, scene.id);

        memset(command.id, 5, EVENT_ID_SIZE);
        assert_int_equal(model_order(scene.model, 0, "blue", &command), -1);
        assert_int_equal(model_order(scene.model, 0, "blue", &command), ANSWER_DONE);
        assert_int_equal(order(&scene, "blue", COMMAND_TAKE), ANSWER_DONE);
        assert_int_equal(model_record(scene.model, scene.id).version, 2);
        model_free(scene.model);
}

static void test_handset_commands(void **state)
{
        struct scene scene = begin();
        struct command command = model_command(COMMAND_DUTY_ON, scene.id);
        uint64_t session;

        assert_int_equal(model_ask(scene.model, scene.carrier, &command), -1); /* no supervisor's: an error */
        assert_int_equal(model_session(scene.model, scene.carrier)->frame.u.error.code, FRAME_ERROR_NOT_ALLOWED);
        model_enrol(scene.model, 11, HANDSET_SUPERVISOR, "blue");
        session = model_login(scene.model, 0, 11);
        assert_int_equal(model_ask(scene.model, session, &command), ANSWER_MALFORMED); /* there is a frame for that */
        command = model_command(COMMAND_TAKE, scene.id);
        assert_int_equal(model_ask(scene.model, session, &command), ANSWER_DONE);
        assert_memory_equal(model_session(scene.model, session)->frame.u.answer.alert, scene.id, ALERT_ID_SIZE);
        command = model_command(COMMAND_JOIN, scene.id);
        assert_int_equal(model_ask(scene.model, session, &command), ANSWER_DONE);
        model_free(scene.model);
}

static void test_console_duty_and_presence(void **state)
{
        struct scene scene = begin();
        struct model *model = scene.model;
        struct command command = model_command(COMMAND_DUTY_ON, NULL);
        size_t presences = model->presence_actions;

        command.until_s = 1;
        assert_int_equal(model_order(model, 0, "idle", &command), ANSWER_MALFORMED);
        command.until_s = (uint32_t)(model->now_ms / 1000) + 3600;
        assert_int_equal(model_order(model, 0, "control", &command), ANSWER_NOT_ALLOWED); /* no supervisor */
        assert_int_equal(model_order(model, 0, "idle", &command), ANSWER_DONE);
        assert_int_equal(order(&scene, "idle", COMMAND_TAKE), -1);
        command = model_command(COMMAND_PRESENCE, NULL);
        assert_int_equal(model_order(model, 0, "idle", &command), -1); /* no word about each */
        assert_true(model->presence_actions > presences);
        assert_int_equal(order(&scene, "idle", COMMAND_DUTY_OFF), ANSWER_DONE);
        presences = model->presence_actions;
        command.has_position = true;
        assert_int_equal(model_order(model, 0, "idle", &command), -1);
        assert_int_equal(model->presence_actions, presences); /* off duty nobody is placed anywhere */
        model_free(model);
}

static void test_acknowledge_a_notice(void **state)
{
        struct scene scene = begin();
        struct command command = model_command(COMMAND_ACK, NULL);

        strcpy(command.notice, "tech:a:disk_full");
        assert_int_equal(model_order(scene.model, 0, "control", &command), ANSWER_UNKNOWN_ALERT);
        model_disk(scene.model, false);
        assert_int_equal(model_order(scene.model, 0, "auditor", &command), ANSWER_NOT_ALLOWED);
        assert_int_equal(model_order(scene.model, 0, "control", &command), ANSWER_DONE);
        assert_string_equal(model_notice(scene.model, "tech:a:disk_full")->acked_by, "control");
        assert_int_equal(model_order(scene.model, 0, "blue", &command), ANSWER_DONE); /* the first stays */
        assert_string_equal(model_notice(scene.model, "tech:a:disk_full")->acked_by, "control");
        model_free(scene.model);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_who_may_take),
                cmocka_unit_test(test_manager_who_is_asked_may_take),
                cmocka_unit_test(test_expired),
                cmocka_unit_test(test_as_somebody_else),
                cmocka_unit_test(test_disabled_user),
                cmocka_unit_test(test_unknown_and_closed),
                cmocka_unit_test(test_twice),
                cmocka_unit_test(test_handset_commands),
                cmocka_unit_test(test_console_duty_and_presence),
                cmocka_unit_test(test_acknowledge_a_notice),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
