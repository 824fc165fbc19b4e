#include "tests/wire/octets.h"

#include <errno.h>

#include "wire/id.h"

static void made_of_handset_and_nonce(void **state)
{
        const struct handset_id handset = { { 0x5a, 0x17, 0xc0, 0xde, 0, 0, 0, 1 } };
        const uint8_t nonce[ALERT_NONCE_SIZE] = { 1, 2, 3, 4, 5, 6, 7, 0xff };
        struct alert_id id = alert_id_make(&handset, nonce), other = id;
        struct handset_id back = alert_id_handset(&id);
        char text[ALERT_ID_TEXT], short_text[HANDSET_ID_TEXT];

        alert_id_to_text(&id, text);
        handset_id_to_text(&handset, short_text);
        assert_string_equal(text, "5a17c0de0000000101020304050607ff");
        assert_string_equal(short_text, "5a17c0de00000001");
        assert_true(handset_id_equal(&back, &handset));
        assert_true(alert_id_equal(&id, &other));
        other.octets[ALERT_ID_SIZE - 1] ^= 1;
        assert_false(alert_id_equal(&id, &other));
        back.octets[0] ^= 1;
        assert_false(handset_id_equal(&back, &handset));
}

static void read_from_text(void **state)
{
        struct handset_id handset = { { 9 } };
        struct alert_id alert;
        char text[ALERT_ID_TEXT];

        assert_int_equal(handset_id_from_text("5A17c0de00000001", &handset), 0);
        assert_int_equal(handset.octets[0], 0x5a);
        assert_int_equal(alert_id_from_text("5a17c0de0000000101020304050607ff", &alert), 0);
        alert_id_to_text(&alert, text);
        assert_string_equal(text, "5a17c0de0000000101020304050607ff");
        assert_int_equal(handset_id_from_text("ff17c0de0000000", &handset), -EINVAL);
        assert_int_equal(handset_id_from_text("ff17c0de000000011", &handset), -EINVAL);
        assert_int_equal(handset_id_from_text("ff17c0de0000000g", &handset), -EINVAL);
        assert_int_equal(handset_id_from_text("", &handset), -EINVAL);
        assert_int_equal(handset.octets[0], 0x5a); /* as it was */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(made_of_handset_and_nonce),
                cmocka_unit_test(read_from_text),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
