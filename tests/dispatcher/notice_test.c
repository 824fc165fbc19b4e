/* Notices, where nobody else's test has them: one that the store refuses is told again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/hex.h"
#include "tests/dispatcher/support/model.h"

/* Duress after the closure, while the store is full: the notice is all that says so.  It is told when the store has been away for that, or
 * (nobody noticed) at the next scan; and once it is there, no more. */
static void test_refused(void **state)
{
        for (int scans = 0; scans < 2; scans++) {
                struct model *model = model_region(1, 1);
                uint64_t session = model_login(model, 0, 1);
                struct alert alert = model_alert_default(model, 1);
                char key[NAME_MAX_OCTETS + 1] = "duress:";
                uint8_t id[ALERT_ID_SIZE];
                struct command close;
                size_t told;

                model_alert_id(1, 1, id);
                hex_encode(id, ALERT_ID_SIZE, key + strlen(key));
                model_press(model, session, 1, &alert);
                close = model_command(COMMAND_CLOSE, id);
                assert_int_equal(model_order(model, 0, "control", &close), -1);
                model->refuses_notices = true;
                alert.revision = 1;
                alert.marks = ALERT_DURESS;
                model_press(model, session, 1, &alert);
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

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
