#include "tests/device/handset/phone_order.h"

/* A wipe is signed while there is a key, and said when everything is gone; nothing is journaled after it. */
static void wipe(void **state)
{
        struct phone *p = phone_enrolled();
        struct order o = order_of(ORDER_WIPE, 5);
        struct confirm c;
        size_t records;

        phone_mark(p);
        give(p, &o, 0);
        assert_int_equal(phone_count(p, VIGIE_DO_SIGN), 1);
        assert_int_equal(phone_count(p, VIGIE_DO_ORDER), 1);
        assert_int_equal(confirmed(p, &c), 0);
        assert_true(p->status.enrolled);
        records = p->record_count;
        p->signs = false;
        ordered(p, 5, VIGIE_ORDER_DONE);
        assert_int_equal(confirmed(p, &c), 1);
        assert_int_equal(c.kind, ORDER_WIPE);
        assert_false(p->status.enrolled);
        phone_fix(p, 45.7, 4.8, 5);
        phone_run(p, 10000);
        assert_int_equal(p->record_count, records);
        assert_int_equal(p->up, 0);
        assert_false(p->status.button);
        phone_free(p);
}

/* A key that does not sign any more does not keep a phone from being wiped. */
static void wipe_without_key(void **state)
{
        struct phone *p = phone_enrolled();
        struct order o = order_of(ORDER_WIPE, 5);
        struct confirm c;

        p->sign_silent = true;
        phone_mark(p);
        give(p, &o, 0);
        assert_int_equal(phone_count(p, VIGIE_DO_ORDER), 0);
        phone_run(p, VIGIE_SIGN_WAIT_MS + 100);
        assert_int_equal(phone_count(p, VIGIE_DO_ORDER), 1);
        ordered(p, 5, VIGIE_ORDER_DONE);
        assert_int_equal(confirmed(p, &c), 0);
        assert_false(p->status.enrolled);
        phone_free(p);
}

/* A wipe without data says so by SMS, while there is power and time for it. */
static void wipe_by_sms(void **state)
{
        struct phone *p = phone_enrolled();
        struct order o = order_of(ORDER_WIPE, 5);

        give_without_data(p, &o);
        assert_int_equal(phone_count(p, VIGIE_DO_SEND_SMS), 0);
        ordered(p, 5, VIGIE_ORDER_DONE);
        assert_int_equal(phone_count(p, VIGIE_DO_SEND_SMS), 1);
        phone_run(p, 30000);
        assert_int_equal(p->confirmed_sms, 1);
        assert_int_equal(p->confirmed.confirm.kind, ORDER_WIPE);
        phone_free(p);
}

/* The order before this one was confirmed by data, and was shorter: the wipe's confirmation is whole all the same, also where the modem is
 * there only later. */
static void wipe_after_another(void **state)
{
        struct phone *p = phone_enrolled();
        struct order before = order_of(ORDER_UNLOCK, 23), o = order_of(ORDER_WIPE, 24); /* one octet, two octets */

        give(p, &before, 0);
        ordered(p, 23, VIGIE_ORDER_DONE);
        phone_network(p, false);
        phone_run(p, 3000);
        give_sms(p, &o);
        ordered(p, 24, VIGIE_ORDER_DONE);
        phone_run(p, 3000);
        phone_modem(p, VIGIE_MODEM_READY);
        phone_run(p, 30000);
        assert_int_equal(p->confirmed_sms, 1);
        assert_int_equal(p->confirmed.confirm.number, 24);
        assert_int_equal(p->confirmed.confirm.kind, ORDER_WIPE);
        phone_free(p);
}

/* A phone that the region knows no more gets its wipe all the same, and says that it is done. */
static void wipe_of_unknown(void **state)
{
        struct phone *p = phone_new();
        struct order o = order_of(ORDER_WIPE, 5);
        struct confirm c;

        memcpy(p->options.enrolment, enrolment, sizeof(enrolment));
        p->unknown = p->refuses = true;
        phone_start(p);
        phone_run(p, 1000);
        phone_mark(p);
        give(p, &o, 0);
        ordered(p, 5, VIGIE_ORDER_DONE);
        assert_int_equal(confirmed(p, &c), 1);
        phone_free(p);
}

/* Power cut between erasing and telling: the confirmation was given to the host with the order; the next start says it.  With the key still
 * in the links: by data, and the host may forget it once it was surely heard. */
static void wipe_told_after_restart(void **state)
{
        struct phone *p = phone_enrolled();
        struct order o = order_of(ORDER_WIPE, 5);
        uint8_t kept[VIGIE_SMS_MAX];
        const struct did *did;
        struct confirm c;

        phone_mark(p);
        give(p, &o, 0);
        did = phone_did(p, VIGIE_DO_ORDER, 0);
        assert_in_range(did->action.len, 1, sizeof(kept));
        p->options.wiped = memcpy(kept, did->action.data, did->action.len);
        p->options.wiped_len = did->action.len;
        for (int heard = 0; heard < 2; heard++) {
                p->record_count = 0;
                phone_mark(p);
                phone_start(p);
                phone_run(p, 1000);
                assert_false(p->status.enrolled);
                assert_int_equal(confirmed(p, &c), 1);
                assert_int_equal(c.number, 5);
                assert_int_equal(c.result, ORDER_DONE);
                assert_int_equal(phone_count(p, VIGIE_DO_FORGET), 0);
                if (!heard) { /* the link breaks at once: said again */
                        phone_network(p, false);
                        p->network = true;
                        phone_run(p, 3000);
                        assert_int_equal(confirmed(p, &c), 2);
                }
                phone_run(p, 10000);
                assert_int_equal(phone_count(p, VIGIE_DO_FORGET), 1);
                assert_int_equal(p->up, 0);
                assert_int_equal(p->record_count, 0);
        }
        phone_free(p);
}

/* The key is gone: by SMS, as long as it takes, and forgotten when the network has it. */
static void wipe_told_by_sms_after_restart(void **state)
{
        struct phone *p = phone_enrolled();
        struct order o = order_of(ORDER_WIPE, 5);
        uint8_t kept[VIGIE_SMS_MAX];
        const struct did *did;

        phone_mark(p);
        give(p, &o, 0);
        did = phone_did(p, VIGIE_DO_ORDER, 0);
        p->options.wiped = memcpy(kept, did->action.data, did->action.len);
        p->options.wiped_len = did->action.len;
        p->options.enrolled = false;
        p->sms_code = 21;
        phone_start(p);
        phone_mark(p);
        phone_modem(p, VIGIE_MODEM_READY);
        phone_run(p, 20 * 60000);
        assert_int_equal(p->confirmed_sms, 0);
        assert_int_equal(phone_count(p, VIGIE_DO_FORGET), 0);
        assert_in_range(phone_count(p, VIGIE_DO_SEND_SMS), 10, 20);
        p->sms_code = 0;
        phone_run(p, 2 * 60000);
        assert_int_equal(p->confirmed_sms, 1);
        assert_int_equal(p->confirmed.confirm.number, 5);
        assert_int_equal(phone_count(p, VIGIE_DO_FORGET), 1);
        phone_run(p, 10 * 60000);
        assert_int_equal(p->confirmed_sms, 1);
        assert_int_equal(phone_count(p, VIGIE_DO_CONNECT), 0);
        phone_free(p);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(wipe),
                cmocka_unit_test(wipe_without_key),
                cmocka_unit_test(wipe_by_sms),
                cmocka_unit_test(wipe_after_another),
                cmocka_unit_test(wipe_of_unknown),
                cmocka_unit_test(wipe_told_after_restart),
                cmocka_unit_test(wipe_told_by_sms_after_restart),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
