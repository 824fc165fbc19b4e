/* One SMS in hex: ours written to the octet, theirs told from ours, all that is broken refused. */
#include "device/handset/host/pdu.h"

#include <string.h>

#include "base/hex.h"
#include "tests/device/handset/host/support.h"

#define SUBMIT  "0041000B913307900009F00004"
#define UDH     "0605043F130000"
/* Centre +33609001390, DELIVER with header from +33700900900, 8-bit, 5 May 2026 10:29:59 +2 h. */
#define CENTRE  "07913306091093F0"
#define SENDER  "0B913307900009F0"
#define TIME    "62505001929580"
#define DELIVER CENTRE "44" SENDER "0004" TIME

static void ours(void **state)
{
        static const uint8_t data[] = { 0xd2, 0x84, 0x01 };
        uint8_t most[SMS_DATA_MAX + 1] = { 0 };
        char hex[PDU_HEX_SIZE], all[PDU_HEX_SIZE];

        assert_int_equal(pdu_submit("+33700900900", CBOR_OCTETS(data), hex), 23);
        assert_string_equal(hex, SUBMIT "0A" UDH "D28401");
        assert_int_equal(pdu_submit("+1", CBOR_OCTETS(data), hex), 18);
        assert_string_equal(hex, "0041000191F100040A" UDH "D28401");
        assert_int_equal(pdu_submit("+123456789012345", (struct cbor_span){ most, SMS_DATA_MAX }, hex), 155);
        hex_encode(most, SMS_DATA_MAX, all);
        assert_string_equal(hex + strlen(hex) - 2 * SMS_DATA_MAX, all);
}

static void what_cannot_be_sent(void **state)
{
        static const char *const numbers[] = { "",      "+",    "33700900900", "+1234567890123456",
                                               "+33 7", "+33a", "++3",         "+33\n" };
        uint8_t data[SMS_DATA_MAX + 1] = { 0 };
        char hex[PDU_HEX_SIZE];

        for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
                assert_int_equal(pdu_submit(numbers[i], (struct cbor_span){ data, 1 }, hex), -EINVAL);
        assert_int_equal(pdu_submit("+33", (struct cbor_span){ data, 0 }, hex), -EINVAL);
        assert_int_equal(pdu_submit("+33", (struct cbor_span){ data, SMS_DATA_MAX + 1 }, hex), -EINVAL);
}

static void theirs(void **state)
{
        static const struct {
                const char *hex;
                int r;
        } cases[] = {
                { DELIVER "0A" UDH "D28401", 0 },
                { CENTRE "64" SENDER "0004" TIME "0A" UDH "D28401", 0 }, /* asks for a reply path, and more */
                { "0044" SENDER "00F5" TIME "0A" UDH "D28401", 0 },      /* no centre; data of class 1 */
                { CENTRE "4404912143"
                         "0004" TIME "0A" UDH "D28401",
                  0 }, /* a short number */
                { CENTRE "440CD0D637396C7E01"
                         "0004" TIME "0A" UDH "D28401",
                  0 }, /* a sender in letters */
                { CENTRE "44" SENDER "0004" TIME "0A"
                         "0605043F140000"
                         "D28401",
                  -ENOENT }, /* another port */
                { CENTRE "44" SENDER "0004" TIME "09"
                         "050003AA0201"
                         "D28401",
                  -ENOENT },                                                   /* one part of two */
                { CENTRE "04" SENDER "0004" TIME "03D28401", -ENOENT },        /* no header */
                { CENTRE "04" SENDER "0000" TIME "05C8329BFD06", -ENOENT },    /* a text */
                { CENTRE "44" SENDER "0008" TIME "0A" UDH "D28401", -ENOENT }, /* UCS-2 */
                { CENTRE "44" SENDER "0024" TIME "0A" UDH "D28401", -ENOENT }, /* compressed */
                { CENTRE "06"
                         "07"
                         "0B913307900009F0" TIME TIME "00",
                  -ENOENT }, /* a status report */
                { DELIVER "0B" UDH "D28401", -EBADMSG },
                { DELIVER "09" UDH "D28401", -EBADMSG },
                { DELIVER "07" UDH, -EBADMSG },
                { DELIVER "00", -EBADMSG },
                { DELIVER, -EBADMSG },
                { DELIVER "0A" UDH "D2840", -EBADMSG },
                { DELIVER "0A" UDH "D2840G", -EBADMSG },
                { "", -EBADMSG },
                { "07", -EBADMSG },
                { "FF00", -EBADMSG },
        };
        uint8_t data[SMS_DATA_MAX];
        size_t len;

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                len = 0;
                assert_int_equal(pdu_deliver(cases[i].hex, data, &len), cases[i].r);
                if (cases[i].r == 0) {
                        assert_int_equal(len, 3);
                        assert_memory_equal(data, "\xd2\x84\x01", 3);
                }
        }
}

/* The largest there can be, one octet less anywhere, one more. */
static void lengths(void **state)
{
        char hex[PDU_HEX_SIZE + 4] = DELIVER "8C" UDH;
        uint8_t data[SMS_DATA_MAX];
        size_t len, head = strlen(hex), all = head + 2 * SMS_DATA_MAX;

        memset(hex + head, 'A', 2 * SMS_DATA_MAX);
        hex[all] = 0;
        assert_int_equal(pdu_deliver(hex, data, &len), 0);
        assert_int_equal(len, SMS_DATA_MAX);
        for (size_t n = 0; n < all; n++) {
                char cut = hex[n];

                hex[n] = 0;
                assert_true(pdu_deliver(hex, data, &len) < 0);
                hex[n] = cut;
        }
        memset(hex + all, 'A', PDU_HEX_SIZE + 3 - all);
        hex[PDU_HEX_SIZE + 1] = 0;
        assert_int_equal(pdu_deliver(hex, data, &len), -EBADMSG);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(ours), cmocka_unit_test(what_cannot_be_sent),
                                            cmocka_unit_test(theirs), cmocka_unit_test(lengths) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
