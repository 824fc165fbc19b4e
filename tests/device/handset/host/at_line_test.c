/* Lines that modems say, each with what it means. */
#include "device/handset/host/at_line.h"

#include <string.h>

#include "tests/device/handset/host/support.h"

static void lines(void **state)
{
        static const struct {
                const char *text;
                struct at_line line;
        } cases[] = {
                { "OK", { .kind = AT_LINE_OK } },
                { "OKAY", { 0 } },
                { "ok", { 0 } },
                { "", { 0 } },
                { "RING", { 0 } },
                { "ERROR", { .kind = AT_LINE_ERROR } },
                { "ERRORS", { 0 } },
                { "+CME ERROR: 10", { .kind = AT_LINE_ERROR, .cme = 10 } },
                { "+CMS ERROR:38", { .kind = AT_LINE_ERROR, .cms = 38 } },
                { "+CMS ERROR: SIM busy", { .kind = AT_LINE_ERROR } },
                { "+CREG: 0,1", { .kind = AT_LINE_NETWORK, .answer = true, .yes = true } },
                { "+CREG: 2,5,\"00C3\",\"02A1\",7", { .kind = AT_LINE_NETWORK, .answer = true, .yes = true } },
                { "+CEREG: 0 , 7", { .kind = AT_LINE_NETWORK, .answer = true, .yes = true } },
                { "+CREG: 0,2", { .kind = AT_LINE_NETWORK, .answer = true } },
                { "+CREG: 0,8", { .kind = AT_LINE_NETWORK, .answer = true } }, /* emergency calls alone */
                { "+CREG: 1", { .kind = AT_LINE_NETWORK } },
                { "+CREG: 1,\"00C3\"", { .kind = AT_LINE_NETWORK } },
                { "+CPIN: READY", { .kind = AT_LINE_PIN, .yes = true } },
                { "+CPIN:SIM PIN", { .kind = AT_LINE_PIN, .locked = true } },
                { "+CPIN: PH-SIM PUK", { .kind = AT_LINE_PIN, .locked = true } },
                { "+CPIN: NOT READY", { .kind = AT_LINE_PIN } },
                { "+CMTI: \"SM\",3", { .kind = AT_LINE_NEWS, .memory = "SM", .index = 3 } },
                { "+CMTI:\"ME\" , 255", { .kind = AT_LINE_NEWS, .memory = "ME", .index = 255 } },
                { "+CMTI: SM,3", { 0 } },
                { "+CMTI: \"SMSMSMSM\",3", { 0 } },
                { "+CMTI: \"S\"M\",3", { 0 } },
                { "+CMGL: 17,1,\"Me\",30", { .kind = AT_LINE_LISTED, .index = 17 } },
                { "+CMGL: x", { 0 } },
                { "+CMGR: 0,,30", { .kind = AT_LINE_READ } },
                { "+CMGS: 5", { 0 } },
                { "07913306091093f0", { .kind = AT_LINE_HEX } },
                { "07913306091093F0 ", { 0 } },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct at_line line = at_line_read(cases[i].text);
                const struct at_line *wanted = &cases[i].line;

                if (line.kind != wanted->kind || line.yes != wanted->yes || line.locked != wanted->locked ||
                    line.answer != wanted->answer || line.cme != wanted->cme || line.cms != wanted->cms)
                        fail_msg("'%s'", cases[i].text);
                if (line.kind == AT_LINE_NEWS || line.kind == AT_LINE_LISTED)
                        assert_int_equal(line.index, wanted->index);
                if (line.kind == AT_LINE_NEWS)
                        assert_string_equal(line.memory, wanted->memory);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(lines) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
