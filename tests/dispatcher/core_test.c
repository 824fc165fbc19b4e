/* One alert through the core: press, receipt, ring, take, close; and what is left of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/dispatcher/support/model.h"

/* A carrier's handset 1, supervisors anna (handset 11), bob (12), cleo, dora on duty further and further away. */
static struct model *region(unsigned dispatchers)
{
        struct model *model = model_new(dispatchers, NULL);

        model_begin(model);
        model_enrol(model, 1, HANDSET_CARRIER, "carl");
        model_put_carrier(model, "carl");
        model_put_supervisor(model, "anna", "", false);
        model_put_supervisor(model, "bob", "", false);
        model_put_supervisor(model, "cleo", "", false);
        model_put_supervisor(model, "dora", "", false);
        model_enrol(model, 11, HANDSET_SUPERVISOR, "anna");
        model_enrol(model, 12, HANDSET_SUPERVISOR, "bob");
        model_on_duty(model, "anna", 45.751, 4.85);
        model_on_duty(model, "bob", 45.752, 4.85);
        model_on_duty(model, "cleo", 45.753, 4.85);
        model_on_duty(model, "dora", 45.754, 4.85);
        return model;
}

static void test_press_to_close(void **state)
{
        struct model *model = region(1);
        uint64_t carrier = model_login(model, 0, 1), anna = model_login(model, 0, 11);
        struct alert alert = model_alert_default(model, 5);
        uint8_t id[ALERT_ID_SIZE];
        struct command command;
        struct record record;

        model_alert_id(1, 5, id);
        model_press(model, carrier, 1, &alert);
        assert_int_equal(model_session(model, carrier)->receipt_count, 1);
        assert_int_equal(model_session(model, carrier)->receipt.state, RECEIPT_ASKED);
        assert_int_equal(model_session(model, carrier)->receipt.version, 1);
        assert_memory_equal(model_session(model, carrier)->receipt.alert.octets, id, ALERT_ID_SIZE);
        assert_int_equal(model_session(model, carrier)->stamp, carrier * 1000);
        record = model_record(model, id);
        assert_int_equal(record.state, ALERT_ASKED);
        assert_int_equal(record.asked_count, 3);
        assert_string_equal(record.asked[0].id, "anna");
        assert_string_equal(record.asked[2].id, "cleo");
        assert_in_range(record.asked[0].distance_m, 100, 120);
        assert_string_equal(record.carrier_id, "carl");
        assert_int_equal(record.due_ms, model->now_ms + 5000);
        assert_int_equal(model_session(model, anna)->ring, RING_RING);
        assert_memory_equal(model_session(model, anna)->rung.id, id, ALERT_ID_SIZE);

        command = model_command(COMMAND_SEEN, id);
        assert_int_equal(model_ask(model, anna, &command), ANSWER_DONE);
        assert_int_equal(model_session(model, carrier)->receipt.state, RECEIPT_SEEN);
        assert_int_equal(model_session(model, anna)->ring, RING_SHOW);
        command = model_command(COMMAND_TAKE, id);
        assert_int_equal(model_ask(model, anna, &command), ANSWER_DONE);
        assert_int_equal(model_session(model, carrier)->receipt.state, RECEIPT_TAKEN);
        assert_string_equal(model_session(model, carrier)->receipt.who, "Anna");
        assert_int_equal(model_order(model, 0, "bob", &command), ANSWER_TAKEN_BY_OTHER);
        command = model_command(COMMAND_EN_ROUTE, id);
        assert_int_equal(model_ask(model, anna, &command), ANSWER_DONE);
        command = model_command(COMMAND_ON_SCENE, id);
        assert_int_equal(model_ask(model, anna, &command), ANSWER_DONE);
        assert_int_equal(model_session(model, carrier)->receipt.state, RECEIPT_ON_SCENE);
        command = model_command(COMMAND_CLOSE, id);
        assert_int_equal(model_order(model, 0, "bob", &command), ANSWER_NOT_OWNER);
        assert_int_equal(model_ask(model, anna, &command), ANSWER_DONE);
        assert_int_equal(model_session(model, carrier)->receipt.state, RECEIPT_CLOSED_HELPED);
        assert_int_equal(model_session(model, anna)->rung.state, ALERT_CLOSED);
        assert_non_null(model_tombstone(model, id));
        assert_int_equal(model_open(model), 0);
        assert_int_equal(core_counters(model->dispatchers[0].core)->open_alerts, 0);

        model_press(model, carrier, 1, &alert); /* offered again: stays closed */
        assert_int_equal(model_session(model, carrier)->receipt.state, RECEIPT_CLOSED_HELPED);
        assert_int_equal(model_open(model), 0);
        model_free(model);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_press_to_close),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
