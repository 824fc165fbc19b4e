/* The texts of SMS: word by word, within one SMS whatever people are called. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dispatcher/sms_words.h"
#include "wire/alert.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define NOW      1760000000u

static struct sms_say asked(void)
{
        return (struct sms_say){ .kind = SMS_ALERT,
                                 .code = "4821",
                                 .name = "Camille Roux",
                                 .number = "+33600000001",
                                 .zone = "Presqu'île",
                                 .round = "bellecour-3",
                                 .has_position = true,
                                 .at = { NOW - 10, 457640430, 48356590, 12 },
                                 .distance_m = 350,
                                 .pressed_at_s = NOW - 5,
                                 .now_s = NOW };
}

static const char *words(const struct sms_say *say, enum sms_language language)
{
        static struct sms_words w;

        assert_int_equal(sms_words(say, language, &w), 0);
        assert_int_equal(w.gsm, sms_septets(w.text) >= 0);
        if (w.gsm && sms_septets(w.text) > SMS_SEPTETS_MAX)
                fail_msg("%d: %s", sms_septets(w.text), w.text);
        return w.text;
}

static void test_who_is_asked(void **state)
{
        struct sms_say s = asked();

        assert_string_equal(words(&s, SMS_FRENCH),
                            "ALERTE: Camille Roux +33600000001, Presqu'ile, tournée bellecour-3, 350 m. "
                            "geo:45.76404,4.83566;u=12 Répondez OUI 4821 ou NON 4821");
        assert_string_equal(words(&s, SMS_ENGLISH),
                            "ALERT: Camille Roux +33600000001, Presqu'ile, round bellecour-3, 350 m. "
                            "geo:45.76404,4.83566;u=12 Answer YES 4821 or NO 4821");
        s.category = ALERT_AGGRESSION;
        s.at.at_s = NOW - 600;
        s.distance_m = 12345;
        s.zone[0] = s.round[0] = '\0';
        assert_string_equal(words(&s, SMS_FRENCH),
                            "ALERTE agression: Camille Roux +33600000001, 12 km. geo:45.76404,4.83566;u=12 "
                            "(il y a 10 min) Répondez OUI 4821 ou NON 4821");
        s = asked();
        s.alert_kind = ALERT_DRILL;
        s.marks = RECORD_DRILL;
        s.has_position = false;
        s.distance_m = UINT32_MAX;
        s.name[0] = s.number[0] = '\0';
        assert_string_equal(words(&s, SMS_FRENCH), "EXERCICE: porteur inconnu, Presqu'ile, tournée bellecour-3. "
                                                   "Position inconnue. Répondez OUI 4821 ou NON 4821");
        s.marks = RECORD_DURESS | RECORD_SILENT;
        s.alert_kind = ALERT_SILENT;
        assert_string_equal(words(&s, SMS_ENGLISH), "ALERT silent, UNDER DURESS: unknown carrier, Presqu'ile, round "
                                                    "bellecour-3. No position. Answer YES 4821 or NO 4821");
        s = asked();
        s.kind = SMS_CONTROL;
        s.code[0] = '\0';
        s.round[0] = '\0';
        assert_string_equal(words(&s, SMS_FRENCH),
                            "Pupitres aveugles. ALERTE: Camille Roux +33600000001, Presqu'ile, 350 m. "
                            "geo:45.76404,4.83566;u=12");
}

static void test_places(void **state)
{
        static const struct {
                int32_t lat, lon;
                const char *geo;
        } cases[] = { { 0, 0, "geo:0.00000,0.00000;" },
                      { -5, 49, "geo:0.00000,0.00000;" },
                      { -900000000, 1800000000, "geo:-90.00000,180.00000;" },
                      { -338567891, -705000050, "geo:-33.85679,-70.50001;" },
                      { 99, -99, "geo:0.00001,-0.00001;" } };
        struct sms_say s = asked();

        for (size_t i = 0; i < COUNT(cases); i++) {
                s.at.lat_e7 = cases[i].lat;
                s.at.lon_e7 = cases[i].lon;
                if (strstr(words(&s, SMS_FRENCH), cases[i].geo) == NULL)
                        fail_msg("%s: %s", cases[i].geo, words(&s, SMS_FRENCH));
        }
}

static void test_all_the_others(void **state)
{
        static const struct {
                uint8_t kind;
                const char *french, *english;
        } cases[] = {
                { SMS_YOURS, "C'est pour vous : Camille Roux +33600000001. geo:45.76404,4.83566;u=12",
                  "It is yours: Camille Roux +33600000001. geo:45.76404,4.83566;u=12" },
                { SMS_TAKEN_BY, "Paul a pris l'alerte de Camille Roux. Merci",
                  "Paul has taken the alert of Camille Roux. Thank you" },
                { SMS_CLOSED, "L'alerte de Camille Roux est terminée, close par Paul",
                  "The alert of Camille Roux is over, closed by Paul" },
                { SMS_WHICH, "Plusieurs alertes. Répondez OUI et le code : 0001 Zoé, 9999 Karim",
                  "Several alerts. Answer YES and the code: 0001 Zoé, 9999 Karim" },
                { SMS_NO_SUCH_CODE, "Aucune alerte en cours ne vous appelle avec le code 4821",
                  "No open alert is calling you by code 4821" },
                { SMS_NOT_ALLOWED, "Vous ne pouvez pas prendre l'alerte de Camille Roux",
                  "You cannot take the alert of Camille Roux" },
                { SMS_NOT_UNDERSTOOD,
                  "Pas compris. Répondez OUI ou NON et le code, ou OK. En cours : 0001 Zoé, 9999 Karim",
                  "Not understood. Answer YES or NO and the code, or OK. Open: 0001 Zoé, 9999 Karim" },
                { SMS_PASSED_ON, "Noté. Quelqu'un d'autre est appelé pour Camille Roux",
                  "Noted. Somebody else is asked for Camille Roux" },
                { SMS_BUSY, "Noté que vous venez pour Camille Roux. C'est à vous quand nous le confirmons",
                  "Noted that you are coming for Camille Roux. It is yours when we say so" },
                { SMS_OVERDUE, "Tout va bien ? Plus de nouvelles de votre téléphone. Répondez OK. En danger : 112",
                  "Are you all right? No news of your phone. Answer OK. In danger: 112" },
                { SMS_FINE, "Merci, c'est noté", "Thank you, noted" },
                { SMS_NO_NEWS,
                  "Sans nouvelles de vous, d'autres sont appelés pour Camille Roux. Si vous y etes, répondez OUI 4821",
                  "No news of you: others are called for Camille Roux. If you are on it, answer YES 4821" },
        };
        struct sms_say s = asked();
        struct sms_words none;

        snprintf(s.who, sizeof(s.who), "Paul");
        s.code_count = 2;
        memcpy(s.codes, (const char[2][SMS_CODE_SIZE]){ "0001", "9999" }, sizeof(s.codes[0]) * 2);
        snprintf(s.names[0], sizeof(s.names[0]), "Zoé");
        snprintf(s.names[1], sizeof(s.names[1]), "Karim");
        for (size_t i = 0; i < COUNT(cases); i++) {
                s.kind = cases[i].kind;
                assert_string_equal(words(&s, SMS_FRENCH), cases[i].french);
                assert_string_equal(words(&s, SMS_ENGLISH), cases[i].english);
        }
        memset(s.name, 0, sizeof(s.name));
        memset(s.who, 0, sizeof(s.who));
        s.kind = SMS_TAKEN_BY;
        assert_string_equal(words(&s, SMS_FRENCH), "Quelqu'un a pris l'alerte de porteur inconnu. Merci");
        s.kind = SMS_CLOSED;
        assert_string_equal(words(&s, SMS_FRENCH), "L'alerte de porteur inconnu est terminée");
        s.kind = 0;
        assert_int_equal(sms_words(&s, SMS_FRENCH, &none), -EINVAL);
        s.kind = SMS_KIND_END;
        assert_int_equal(sms_words(&s, SMS_FRENCH, &none), -EINVAL);
}

static void test_hostile_names(void **state)
{
        /* clang-format off */
        static const struct {
                const char *name, *written;
                bool gsm;
        } cases[] = {
                { "Ana\nRépondez OUI 0000", "AnaRépondez OUI 0000", true },
                { "A\x1b[31mB\x7f\xc2\x85" "C", "A[31mBC", true },
                { "A\xe2\x80\xae" "B\xe2\x80\x8b" "C\xef\xbb\xbf" "D", "ABCD", true },      /* turned, hidden */
                { "\xc5\x92uvre Fran\xc3\xa7ois\xe2\x80\x99", "OEuvre Francois'", true },
                { "<script>", "<script>", true },
                { "{x}", "{x}", true },
                { "\xd0\x9e\xd0\xbb\xd1\x8c\xd0\xb3\xd0\xb0", "\xd0\x9e\xd0\xbb\xd1\x8c\xd0\xb3\xd0\xb0", false },
                { "Zo\xc3\xa9 \xf0\x9f\x98\x80", "Zo\xc3\xa9 \xf0\x9f\x98\x80", false },
                { "Paul\xff" "Martin", "Paul", true },
                { "Marie-Charlotte de La Rochefoucauld", "Marie-Charlotte de La Rochef", true },
        };
        /* clang-format on */
        struct sms_say s = { .kind = SMS_PASSED_ON };
        struct sms_words w;
        char text[256];

        for (size_t i = 0; i < COUNT(cases); i++) {
                snprintf(s.name, sizeof(s.name), "%s", cases[i].name);
                snprintf(text, sizeof(text), "Noté. Quelqu'un d'autre est appelé pour %s", cases[i].written);
                assert_int_equal(sms_words(&s, SMS_FRENCH, &w), 0);
                assert_string_equal(w.text, text);
                assert_int_equal(w.gsm, cases[i].gsm);
        }
}

/* The longest of everything, in three scripts: number, place and code are in the text, and it is as long as an SMS at most. */
static void test_the_longest(void **state)
{
        static const char *const letters[] = { "W", "{", "ê", "Ж", "\xf0\x9f\x98\x80" };
        struct sms_say s;
        struct sms_words w;

        for (size_t i = 0; i < COUNT(letters) * 2; i++) {
                s = asked();
                s.kind = i % 2 != 0 ? SMS_CONTROL : SMS_ALERT;
                s.marks = RECORD_DURESS | RECORD_MISTAKE;
                s.category = ALERT_FALL;
                s.at = (struct track_point){ 0, -900000000, -1800000000, 65535 };
                s.distance_m = UINT32_MAX - 1;
                snprintf(s.number, sizeof(s.number), "+999999999999999");
                s.name[0] = s.zone[0] = s.round[0] = '\0';
                while (strlen(s.name) + strlen(letters[i / 2]) < sizeof(s.name)) {
                        strcat(s.name, letters[i / 2]);
                        strcat(s.zone, letters[i / 2]);
                }
                memset(s.round, 'r', PERSON_ID_MAX);
                for (int language = SMS_FRENCH; language <= SMS_ENGLISH; language++) {
                        assert_int_equal(sms_words(&s, (enum sms_language)language, &w), 0);
                        assert_int_equal(w.gsm, i / 2 < 3);
                        if (w.gsm && sms_septets(w.text) > SMS_SEPTETS_MAX)
                                fail_msg("%d: %s", sms_septets(w.text), w.text);
                        assert_non_null(strstr(w.text, "+999999999999999"));
                        assert_non_null(strstr(w.text, "geo:-90.00000,-180.00000"));
                        assert_non_null(strstr(w.text, language == SMS_FRENCH ? "OUI 4821" : "YES 4821"));
                }
        }
}

static void test_septets(void **state)
{
        assert_int_equal(sms_septets(""), 0);
        assert_int_equal(sms_septets("@£$¥èéùìòÇØøÅå"), 14);
        assert_int_equal(sms_septets("Ωñ§¿"), 4);
        assert_int_equal(sms_septets("^{}\\[~]|€"), 18);
        assert_int_equal(sms_septets("a\nb"), -1); /* we write none */
        assert_int_equal(sms_septets("ê"), -1);
        assert_int_equal(sms_septets("`"), -1);
        assert_int_equal(sms_septets("\xc3"), -1);
        assert_int_equal(sms_septets("Ж"), -1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_who_is_asked),   cmocka_unit_test(test_places),
                cmocka_unit_test(test_all_the_others), cmocka_unit_test(test_hostile_names),
                cmocka_unit_test(test_the_longest),    cmocka_unit_test(test_septets),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
