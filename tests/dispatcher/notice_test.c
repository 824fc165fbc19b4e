/* Notices, where nobody else's test has them: one that the store refuses, or has lost, is told again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/hex.h"
#include "tests/dispatcher/support/model.h"

/* A region whose alert is closed; PRESS is to say duress of it, and KEY is that notice's. */
static struct model *closed_region(char key[NAME_MAX_OCTETS + 1], struct alert *ret_press)
{
        struct model *model = model_region(2, 1);
        uint8_t id[ALERT_ID_SIZE];
        struct command close;

        *ret_press = model_alert_default(model, 1);
        model_alert_id(1, 1, id);
        strcpy(key, "duress:");
        hex_encode(id, ALERT_ID_SIZE, key + strlen(key));
        model_press(model, model_login(model, 0, 1), 1, ret_press);
        close = model_command(COMMAND_CLOSE, id);
        assert_int_equal(model_order(model, 0, "control", &close), -1);
        ret_press->revision = 1;
        ret_press->marks = ALERT_DURESS;
        return model;
}

/* Duress after the closure, while the store is full: the notice is all that says so.  It is told when the store has been away for that, or
 * (nobody noticed) at the next scan; and once it is there, no more. */
static void test_refused(void **state)
{
        for (int scans = 0; scans < 2; scans++) {
                char key[NAME_MAX_OCTETS + 1];
                struct alert press;
                struct model *model = closed_region(key, &press);
                size_t told;

                model->refuses_notices = true;
                model_press(model, model_login(model, 0, 1), 1, &press);
                assert_null(model_notice(model, key));
                model_pass(model, 3000);
                model->refuses_notices = false;
                if (scans) {
                        model_scan(model);
                } else {
                        model_store(model, false);
                        model_store(model, true);
                }
                assert_non_null(model_notice(model, key));
                assert_int_equal(model_notice(model, key)->kind, NOTICE_DURESS);
                told = model->notice_actions;
                model_pass(model, 3000);
                model_scan(model);
                assert_int_equal(model->notice_actions, told);
                model_free(model);
        }
}

/* A failover loses the notice KEY. */
static void lose(struct model *model, const char *key)
{
        for (size_t i = 0; i < model->feed_count; i++)
                if (model->feed[i].kind == CORE_FEED_NOTICE && strcmp(model->feed[i].key, key) == 0)
                        strcpy(model->feed[i].key, "lost");
}

/* It was told, and fed, and is lost all the same: who told it, or saw it, tells it again, if that was lately; a restart between the two
 * makes no difference to who has the press in the journal. */
static void test_lost(void **state)
{
        static const struct {
                bool told_dies, restarts;
                int64_t later_ms;
                bool again;
        } cases[] = { { false, false, 5000, true },
                      { true, false, 5000, true },
                      { false, false, CORE_CLOSED_KEPT_MS + 5000, false },
                      { true, true, 5000, true },
                      { true, true, 700000, false } };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                char key[NAME_MAX_OCTETS + 1];
                struct alert press;
                struct model *model = closed_region(key, &press);

                model_press(model, model_login(model, 0, 1), 1, &press);
                assert_non_null(model_notice(model, key));
                if (cases[i].told_dies)
                        model_kill(model, 0);
                if (cases[i].restarts)
                        model_kill(model, 1);
                model_pass(model, cases[i].later_ms);
                model_store(model, false);
                lose(model, key);
                model_store(model, true);
                if (cases[i].restarts)
                        model_start(model, 0);
                model_pass(model, 3000);
                assert_int_equal(model_notice(model, key) != NULL, cases[i].again);
                model_free(model);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_lost),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
