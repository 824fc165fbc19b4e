#include "tests/wire/octets.h"

#include <errno.h>

#include "wire/cose.h"
#include "wire/sms.h"

#define UDH "0605043f130000"

static void ports(void **state)
{
        /* clang-format off */
        static const struct {
                const char *hex;
                int port;
        } cases[] = {
                { UDH, 16147 },
                { "0605043f13abcd", 16147 },                    /* any source port */
                { "0605040b8423f0", 2948 },
                { "06050400000000", 0 },
                { "060504ffff0000", 65535 },
                { "0404020102", 1 },                            /* 8-bit ports */
                { "0b" "0003420101" "05043f130000", 16147 },    /* the one part of one */
                { "0c" "080412340101" "05043f130000", 16147 },
                { "0a" "24020102" "05043f130000", 16147 },      /* an element we do not know */
                { "08" "2400" "05043f130000", 16147 },          /* an empty one */
                { "0c" "05040b840000" "05043f130000", 16147 },  /* the last counts */
                { "0a" "05043f130000" "04020102", 1 },
                { "0b" "0003420201" "05043f130000", -EOPNOTSUPP },
                { "0b" "05043f130000" "0003420202", -EOPNOTSUPP },
                { "0c" "080412340201" "05043f130000", -EOPNOTSUPP },
                { "00", -ENOENT },
                { "0500034201" "01", -ENOENT },
                { "", -EBADMSG },
                { "06", -EBADMSG },
                { "0705043f130000", -EBADMSG },                 /* the length says more */
                { "0505043f130000", -EBADMSG },                 /* and less */
                { "0605053f130000", -EBADMSG },                 /* an element longer than the header */
                { "0505033f1300", -EBADMSG },                   /* ports of three octets */
                { "0705053f13000000", -EBADMSG },
                { "0304010100", -EBADMSG },
                { "0304" "0101", -EBADMSG },
                { "0400024202", -EBADMSG },
                { "0508034202" "01", -EBADMSG },
                { "0105", -EBADMSG },                           /* an element without its length */
                { "0705043f13000024", -EBADMSG },
        };
        /* clang-format on */

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct octets o = octets_from(cases[i].hex);
                int port = sms_udh_port(octets_span(&o));

                if (port != cases[i].port)
                        fail_msg("%s: %d, not %d", cases[i].hex, port, cases[i].port);
        }
}

static void written_as_android_does(void **state)
{
        struct octets o = octets_from(UDH);
        uint8_t udh[SMS_UDH_SIZE];

        sms_udh_write(SMS_PORT, udh);
        assert_memory_equal(udh, o.at, sizeof(udh));
        assert_int_equal(o.len, sizeof(udh));
        sms_udh_write(65535, udh);
        assert_int_equal(sms_udh_port((struct cbor_span)CBOR_OCTETS(udh)), 65535);
}

static void objects(void **state)
{
        /* clang-format off */
        static const struct {
                const char *body, *udh;
                int result;
                const char *object;
        } cases[] = {
                { "8443a101", UDH, 0, "8443a101" },
                { UDH "8443a101", "", 0, "8443a101" },
                { "8443a101", "", 0, "8443a101" },
                { "d28443a1", "", 0, "d28443a1" },              /* tagged: no header either, and for the salvage */
                { "0143a101", UDH, 0, "0143a101" },             /* behind a header anything goes on */
                { "0b0003420101" "05043f130000" "84", "", 0, "84" },
                { "8443a101", "0605040b840000", -ENOENT, NULL },
                { "0605040b840000" "84", "", -ENOENT, NULL },
                { "8443a101", "0500034201" "01", -ENOENT, NULL },
                { "0084", "", -ENOENT, NULL },
                { "8443a101", "0b0003420201" "05043f130000", -EBADMSG, NULL },
                { "8443a101", "0605043f1300", -EBADMSG, NULL },
                { "0605043f13", "", -EBADMSG, NULL },           /* torn in the header */
                { "48656c6c6f", "", -EBADMSG, NULL },           /* Hello */
                { "", UDH, -EBADMSG, NULL },
                { UDH, "", -EBADMSG, NULL },
                { "", "", -EBADMSG, NULL },
        };
        /* clang-format on */

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct octets body = octets_from(cases[i].body), udh = octets_from(cases[i].udh);
                struct octets want = octets_from(cases[i].object != NULL ? cases[i].object : "");
                struct cbor_span object = { 0 };
                int r = sms_object(octets_span(&body), octets_span(&udh), &object);

                if (r != cases[i].result || !cbor_equal(object, octets_span(&want)))
                        fail_msg("%s behind %s: %d", cases[i].body, cases[i].udh, r);
        }
}

/* The largest, and one more, whichever way the header comes. */
static void sizes(void **state)
{
        uint8_t whole[SMS_UDH_SIZE + SMS_DATA_MAX + 1];
        struct cbor_span udh = { whole, SMS_UDH_SIZE }, object;

        assert_int_equal(SMS_DATA_MAX, COSE_SMS_MAX);
        assert_int_equal(SMS_UDH_SIZE + SMS_DATA_MAX, 140);
        memset(whole, 0x84, sizeof(whole));
        sms_udh_write(SMS_PORT, whole);
        for (size_t len = SMS_DATA_MAX; len <= SMS_DATA_MAX + 1; len++) {
                struct cbor_span body = { whole + SMS_UDH_SIZE, len }, both = { whole, SMS_UDH_SIZE + len };
                struct cbor_span none = { NULL, 0 };
                int want = len > SMS_DATA_MAX ? -EMSGSIZE : 0;

                object.len = 0;
                assert_int_equal(sms_object(body, udh, &object), want);
                assert_int_equal(sms_object(body, none, &object), want);
                assert_int_equal(sms_object(both, none, &object), want);
                assert_int_equal(object.len, want == 0 ? len : 0);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(ports),
                cmocka_unit_test(written_as_android_does),
                cmocka_unit_test(objects),
                cmocka_unit_test(sizes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
