/* What handsets say of vaults, orders and timers: whose it is, and what is made of it. */
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

        model->options.sms = true;
        model_begin(model);
        model_enrol(model, 1, HANDSET_CARRIER, "carl");
        model_put_carrier(model, "carl");
        model_put_supervisor(model, "anna", "", false);
        model_enrol(model, 11, HANDSET_SUPERVISOR, "anna");
        model_put_user(model, "odile", ROLE_ISSUER);
        model_put_user(model, "audit", ROLE_AUDITOR);
        return model;
}

static const struct frame vault = { .type = FRAME_VAULT,
                                    .u.vault = { .state = VAULT_LOCKED, .has_key = true, .key = { 7 }, .list_s = 9 } };

/* A confirmation by shape; its signature is the shell's to check. */
static struct cbor_span confirmation(unsigned handset)
{
        static const uint8_t none[KEY_SIGNATURE_SIZE];
        static uint8_t octets[CONFIRM_MAX];
        struct confirm confirm = { .number = 7, .kind = ORDER_WIPE };
        struct cbor_writer w;

        model_handset_id(handset, confirm.handset.octets);
        cbor_writer_init(&w, octets, sizeof(octets));
        assert_int_equal(confirm_finish(&confirm, none, &w), 0);
        return cbor_written(&w);
}

static void test_vault(void **state)
{
        struct model *model = region();
        uint64_t session = model_login(model, 0, 1);
        const struct handset_entry *entry;

        model_send(model, session, &vault);
        assert_int_equal(model->pass_actions, 1);
        assert_int_equal(model->pass_action.kind, DO_VAULT);
        assert_true(model->pass_action.u.vault.told);
        assert_int_equal(model->pass_action.u.vault.session, session);
        assert_int_equal(model->pass_action.u.vault.vault.key[0], 7);
        assert_int_equal(model->pass_action.u.vault.vault.told_at_ms, model->now_ms);
        entry = core_handset(model->dispatchers[0].core, model->pass_action.u.vault.handset);
        assert_non_null(entry);
        assert_memory_equal(model->pass_action.u.vault.vault.enrolment, entry->enrolment, ENROLMENT_SIZE);
        model_free(model);
}

/* Each is written down: not more than so many at once, and then one each two seconds. */
static void test_too_many(void **state)
{
        struct model *model = region();
        uint64_t session = model_login(model, 0, 1);

        for (int i = 0; i < 20; i++)
                model_send(model, session, &vault);
        assert_int_equal(model->pass_actions, 20);
        model_send(model, session, &vault);
        assert_int_equal(model->pass_actions, 20);
        assert_int_equal(model_session(model, session)->frame.type, FRAME_ERROR);
        assert_int_equal(model_session(model, session)->frame.u.error.code, FRAME_ERROR_TOO_MANY);
        model_pass(model, 2000);
        model_send(model, session, &vault);
        assert_int_equal(model->pass_actions, 21);
        model_free(model);
}

/* Before the welcome nothing of it is taken. */
static void test_hello_first(void **state)
{
        struct model *model = region();
        uint64_t session = model_connect(model, 0, 1, CERTIFICATE_OK);
        struct frame done = { .type = FRAME_DONE, .u.cose.cose = confirmation(1) };

        model_send(model, session, &vault);
        model_send(model, session, &done);
        assert_int_equal(model->pass_actions, 0);
        assert_int_equal(model_session(model, session)->frame.type, FRAME_ERROR);
        model_free(model);
}

/* Revoked or expired: refused, and ordered; confirms, and says nothing else.  A stranger is nobody to be ordered. */
static void test_refused_and_ordered(void **state)
{
        struct model *model = region();
        struct frame hello = { .type = FRAME_HELLO, .u.hello = { .version = 1 } };
        struct frame done = { .type = FRAME_DONE, .u.cose.cose = confirmation(1) };
        uint64_t session = model_connect(model, 0, 1, CERTIFICATE_EXPIRED);

        model_send(model, session, &hello);
        assert_int_equal(model_session(model, session)->frame.type, FRAME_ERROR);
        assert_int_equal(model->pass_actions, 1);
        assert_int_equal(model->pass_action.kind, DO_VAULT);
        assert_false(model->pass_action.u.vault.told);
        model_send(model, session, &vault);
        assert_int_equal(model->pass_actions, 1);
        model_send(model, session, &done);
        assert_int_equal(model->pass_actions, 2);
        assert_int_equal(model->pass_action.kind, DO_DONE);
        session = model_connect(model, 0, 77, CERTIFICATE_OK);
        model_send(model, session, &hello);
        session = model_connect(model, 0, 1, CERTIFICATE_UNKNOWN);
        model_send(model, session, &hello);
        model_send(model, session, &done);
        assert_int_equal(model->pass_actions, 2);
        model_free(model);
}

/* By SMS a confirmation is no alert, and nothing is raised; the shell says when it is taken. */
static void test_confirmed_by_sms(void **state)
{
        struct model *model = region();

        model_sms_bytes(model, 0, "+33600000001", confirmation(1));
        assert_int_equal(model->pass_actions, 1);
        assert_int_equal(model->pass_action.kind, DO_DONE);
        assert_int_equal(model->pass_action.u.done.session, 0);
        assert_int_equal(model_open(model), 0);
        model_free(model);
}

static void test_pass_is_asked(void **state)
{
        struct model *model = region();
        struct frame ask = { .type = FRAME_ASK_PASS, .u.ask_pass = { 4, "lyon-3", 1800000000 } };
        uint64_t session = model_login(model, 0, 1);

        model_send(model, session, &ask);
        assert_int_equal(model->pass_action.kind, DO_ASK_PASS);
        assert_string_equal(model->pass_action.u.vault.asked.carrier, "carl");
        assert_string_equal(model->pass_action.u.vault.asked.round, "lyon-3");
        assert_int_equal(model->pass_action.u.vault.request, 4);
        session = model_login(model, 0, 11); /* a supervisor's */
        model_send(model, session, &ask);
        assert_int_equal(model->pass_actions, 1);
        assert_int_equal(model_session(model, session)->frame.type, FRAME_ASKED);
        assert_int_equal(model_session(model, session)->frame.u.asked.code, ASK_NOT_NOW);
        model_free(model);
}

static void test_timer(void **state)
{
        struct model *model = region();
        struct frame timer = { .type = FRAME_TIMER, .u.timer = { .due_s = 1800000000 } };

        model_send(model, model_login(model, 0, 1), &timer);
        assert_int_equal(model->pass_action.kind, DO_TIMER);
        assert_int_equal(model->pass_action.u.vault.timer.due_s, 1800000000);
        model_free(model);
}

/* Orders go by SMS for those of the desk; not for an auditor, not for a handset, not to one that nobody knows. */
static void test_order_by_sms(void **state)
{
        struct model *model = region();
        uint8_t about[ALERT_ID_SIZE] = { 0 };
        struct command command;

        model_handset_id(1, about);
        command = model_command(COMMAND_ORDER, about);
        assert_int_equal(model_order(model, 0, "odile", &command), ANSWER_DONE);
        assert_int_equal(model->pass_action.kind, DO_ORDER);
        assert_memory_equal(model->pass_action.u.order.handset, about, HANDSET_ID_SIZE);
        assert_int_equal(model->pass_action.u.order.number[0], '+');
        assert_int_equal(model_order(model, 0, "audit", &command), ANSWER_NOT_ALLOWED);
        assert_int_equal(model_order(model, 0, "nobody", &command), ANSWER_NOT_ALLOWED);
        assert_int_equal(model_ask(model, model_login(model, 0, 11), &command), ANSWER_NOT_ALLOWED);
        core_load_user(model->dispatchers[0].core, "odile",
                       &(struct user_entry){ .role = ROLE_ISSUER, .disabled = true });
        assert_int_equal(model_order(model, 0, "odile", &command), ANSWER_NOT_ALLOWED);
        core_load_user(model->dispatchers[0].core, "odile", &(struct user_entry){ .role = ROLE_ISSUER });
        command.alert[0] ^= 0xff;
        assert_int_equal(model_order(model, 0, "odile", &command), ANSWER_UNKNOWN_ALERT);
        assert_int_equal(model->pass_actions, 1);
        model_free(model);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_vault),
                cmocka_unit_test(test_too_many),
                cmocka_unit_test(test_hello_first),
                cmocka_unit_test(test_refused_and_ordered),
                cmocka_unit_test(test_confirmed_by_sms),
                cmocka_unit_test(test_pass_is_asked),
                cmocka_unit_test(test_timer),
                cmocka_unit_test(test_order_by_sms),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
