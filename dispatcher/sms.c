#include "dispatcher/sms.h"

#include <string.h>

#include "base/utf8.h"

void sms_code(const uint8_t id[ALERT_ID_SIZE], char ret_code[SMS_CODE_SIZE])
{
        uint64_t drawn = 0;
        unsigned number;

        for (size_t i = 0; i < ALERT_NONCE_SIZE; i++)
                drawn = drawn << 8 | id[HANDSET_ID_SIZE + i];
        number = (unsigned)(drawn % 9999) + 1;
        for (int i = SMS_CODE_SIZE - 2; i >= 0; i--, number /= 10)
                ret_code[i] = (char)('0' + number % 10);
        ret_code[SMS_CODE_SIZE - 1] = '\0';
}

/* ---- What a person wrote -------------------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
        return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
        return c >= 'A' && c <= 'Z';
}

/* The letter of U+00C0 to U+00FF without its accent. */
static char plain(unsigned letter)
{
        static const char letters[] = "AAAAAAACEEEEIIII NOOOOO OUUUUY  AAAAAAACEEEEIIII NOOOOO OUUUUY Y";

        return letters[letter - 0xc0];
}

/* The next letter, in capitals and without its accent, digit or '.' of *TEXT; ' ' for anything else; 0 at the end. */
static char next(const char **text, const char *end)
{
        const uint8_t *at = (const uint8_t *)*text;
        size_t step = *text < end ? utf8_sequence(*text, (size_t)(end - *text)) : 0;

        if (*text >= end)
                return '\0';
        *text += step > 0 ? step : 1;
        if (step == 2 && at[0] == 0xc3)
                return plain(0xc0u + (at[1] & 0x3f));
        if (step != 1)
                return ' ';
        if (at[0] >= 'a' && at[0] <= 'z')
                return (char)(at[0] - 'a' + 'A');
        return (at[0] >= 'A' && at[0] <= 'Z') || is_digit((char)at[0]) || at[0] == '.' ? (char)at[0] : ' ';
}

static uint8_t word_of(const char *word)
{
        static const struct {
                char text[4];
                uint8_t word;
        } words[] = { { "OUI", SMS_WORD_YES }, { "YES", SMS_WORD_YES }, { "O", SMS_WORD_YES }, { "Y", SMS_WORD_YES },
                      { "NON", SMS_WORD_NO },  { "NO", SMS_WORD_NO },   { "N", SMS_WORD_NO },  { "OK", SMS_WORD_OK } };

        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
                if (strcmp(words[i].text, word) == 0)
                        return words[i].word;
        return SMS_WORD_NONE;
}

/* Digits that only blanks and punctuation part are one number. */
static void read_code(const char *text, const char *end, char ret_code[SMS_CODE_SIZE])
{
        char digits[SMS_CODE_SIZE] = "";
        size_t count = 0;
        char c;

        do {
                c = next(&text, end);
                if (is_digit(c) && count < SMS_CODE_SIZE - 1)
                        digits[count] = c;
                count += is_digit(c);
                if (is_digit(c) || c == ' ' || c == '.')
                        continue;
                if (count == SMS_CODE_SIZE - 1) {
                        memcpy(ret_code, digits, SMS_CODE_SIZE);
                        return;
                }
                count = 0;
        } while (c != '\0');
}

struct sms_answer sms_read(const char *text)
{
        const char *at = text, *end = text + strnlen(text, SMS_TEXT_MAX);
        struct sms_answer answer = { 0 };
        char word[4] = "", c;
        size_t len = 0;

        while ((c = next(&at, end)) != '\0' && (len == 0 || is_letter(c) || (len == 1 && c == '.'))) {
                if (!is_letter(c)) /* before the word, or "O.K." */
                        continue;
                if (len < sizeof(word) - 1)
                        word[len] = c;
                len++;
        }
        if (len < sizeof(word))
                answer.word = word_of(word);
        read_code(text, end, answer.code);
        return answer;
}

/* ---- What is said --------------------------------------------------------------------------------------------------- */

void sms_fill(struct sms_say *say, const struct record *record, int64_t now_ms)
{
        sms_code(record->id, say->code);
        memcpy(say->name, record->carrier_name, sizeof(say->name));
        memcpy(say->number, record->carrier_number, sizeof(say->number));
        memcpy(say->zone, record->zone_name, sizeof(say->zone));
        memcpy(say->round, record->round, sizeof(say->round));
        say->alert_kind = record->kind;
        say->category = record->category;
        say->marks = record->marks;
        say->has_position = record->has_position;
        say->at = record->at;
        say->distance_m = UINT32_MAX;
        say->pressed_at_s = record->pressed_at_s;
        say->now_s = (uint32_t)(now_ms / 1000);
}
