#include "dispatcher/sms.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_what_a_person_wrote(void **state)
{
        static const struct {
                const char *text;
                uint8_t word;
                const char *code;
        } cases[] = {
                { "OUI", SMS_WORD_YES, "" },
                { "oui 4821", SMS_WORD_YES, "4821" },
                { "4821 oui", SMS_WORD_YES, "4821" },
                { "Oui4821", SMS_WORD_YES, "4821" },
                { " o\n4821.", SMS_WORD_YES, "4821" },
                { "y", SMS_WORD_YES, "" },
                { "Yes!", SMS_WORD_YES, "" },
                { "\"OU\xc3\x8f\" 48 21", SMS_WORD_YES, "4821" }, /* OU\u00cf */
                { "non", SMS_WORD_NO, "" },
                { "N\xc3\xb2n, 0007", SMS_WORD_NO, "0007" },
                { "NO", SMS_WORD_NO, "" },
                { "n", SMS_WORD_NO, "" },
                { "ok", SMS_WORD_OK, "" },
                { "O.K.", SMS_WORD_OK, "" },
                { "O. 4821", SMS_WORD_YES, "4821" },
                { "Ok merci", SMS_WORD_OK, "" },
                { "oui j'arrive dans 10 min", SMS_WORD_YES, "" },
                { "oui 10 min, 4821", SMS_WORD_YES, "4821" },
                { "oui 0612345678", SMS_WORD_YES, "" },
                { "oui 482", SMS_WORD_YES, "" },
                { "oui 48215", SMS_WORD_YES, "" },
                { "ouiii", SMS_WORD_NONE, "" },
                { "ouvre", SMS_WORD_NONE, "" },
                { "o\xffui", SMS_WORD_YES, "" }, /* not UTF-8: O, and more */
                { "je ne peux pas", SMS_WORD_NONE, "" },
                { "4821", SMS_WORD_NONE, "4821" },
                { "", SMS_WORD_NONE, "" },
                { "\xf0\x9f\x91\x8d", SMS_WORD_NONE, "" },
                { "\xc3", SMS_WORD_NONE, "" },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct sms_answer answer = sms_read(cases[i].text);

                if (answer.word != cases[i].word || strcmp(answer.code, cases[i].code) != 0)
                        fail_msg("'%s': word %u, code '%s'", cases[i].text, answer.word, answer.code);
        }
}

/* Its end is looked for no further than SMS_TEXT_MAX octets. */
static void test_a_long_text(void **state)
{
        char text[SMS_TEXT_MAX + 16];

        memset(text, '.', sizeof(text));
        memcpy(text, "oui", 3);
        memcpy(text + SMS_TEXT_MAX - 4, "4821", 5);
        assert_string_equal(sms_read(text).code, "4821");
        memset(text + 3, '.', sizeof(text) - 3);
        memcpy(text + SMS_TEXT_MAX - 3, "4821", 5); /* one past it */
        assert_string_equal(sms_read(text).code, "");
        assert_int_equal(sms_read(text).word, SMS_WORD_YES);
}

static void test_codes(void **state)
{
        uint8_t id[ALERT_ID_SIZE] = { 1, 2, 3, 4, 5, 6, 7, 8 };
        char code[SMS_CODE_SIZE];
        bool seen[10000] = { false };
        size_t different = 0;

        sms_code(id, code);
        assert_string_equal(code, "0001"); /* never 0000 */
        id[15] = 41;
        sms_code(id, code);
        assert_string_equal(code, "0042");
        for (uint32_t i = 0; i < 20000; i++) {
                unsigned number;

                memcpy(id + 12, &i, sizeof(i));
                sms_code(id, code);
                assert_int_equal(strlen(code), 4);
                assert_int_equal(sscanf(code, "%u", &number), 1);
                assert_in_range(number, 1, 9999);
                different += !seen[number];
                seen[number] = true;
        }
        assert_true(different > 5000);
}

static void test_what_a_record_tells(void **state)
{
        static struct record record = {
                .id = { 0 }, .kind = 2, .category = 1, .marks = RECORD_SILENT, .has_position = true
        };
        struct sms_say say = { .kind = SMS_ALERT };

        record.id[15] = 9;
        record.at.lat_e7 = 457000000;
        record.pressed_at_s = 1000;
        strcpy(record.carrier_name, "Carl");
        strcpy(record.carrier_number, "+33600000001");
        strcpy(record.zone_name, "Lyon 3e");
        strcpy(record.round, "r12");
        sms_fill(&say, &record, 1060500);
        assert_int_equal(say.kind, SMS_ALERT);
        assert_string_equal(say.code, "0010");
        assert_string_equal(say.name, "Carl");
        assert_string_equal(say.number, "+33600000001");
        assert_string_equal(say.zone, "Lyon 3e");
        assert_string_equal(say.round, "r12");
        assert_int_equal(say.alert_kind, 2);
        assert_int_equal(say.category, 1);
        assert_int_equal(say.marks, RECORD_SILENT);
        assert_true(say.has_position);
        assert_int_equal(say.at.lat_e7, 457000000);
        assert_int_equal(say.distance_m, UINT32_MAX);
        assert_int_equal(say.pressed_at_s, 1000);
        assert_int_equal(say.now_s, 1060);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_a_person_wrote),
                cmocka_unit_test(test_a_long_text),
                cmocka_unit_test(test_codes),
                cmocka_unit_test(test_what_a_record_tells),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
