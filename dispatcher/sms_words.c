#include "dispatcher/sms_words.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "wire/alert.h"

/* ---- Characters.  GSM 03.38: the basic alphabet beyond ASCII; its extension, two septets each; and what stands for
 * letters of our languages that it lacks. */

static const char basic[] =
        "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
        "abcdefghijklmnopqrstuvwxyzäöñüà";
static const char extension[] = "^{}\\[~]|€";
static const struct {
        const char *letter, *plain;
} plain_letters[] = {
        { "á", "a" },  { "â", "a" },  { "ã", "a" }, { "ç", "c" },   { "ê", "e" }, { "ë", "e" },  { "í", "i" },
        { "î", "i" },  { "ï", "i" },  { "ó", "o" }, { "ô", "o" },   { "õ", "o" }, { "ú", "u" },  { "û", "u" },
        { "ý", "y" },  { "ÿ", "y" },  { "À", "A" }, { "Á", "A" },   { "Â", "A" }, { "Ã", "A" },  { "È", "E" },
        { "Ê", "E" },  { "Ë", "E" },  { "Ì", "I" }, { "Í", "I" },   { "Î", "I" }, { "Ï", "I" },  { "Ò", "O" },
        { "Ó", "O" },  { "Ô", "O" },  { "Õ", "O" }, { "Ù", "U" },   { "Ú", "U" }, { "Û", "U" },  { "Ý", "Y" },
        { "œ", "oe" }, { "Œ", "OE" }, { "ł", "l" }, { "Ł", "L" },   { "š", "s" }, { "Š", "S" },  { "ž", "z" },
        { "Ž", "Z" },  { "č", "c" },  { "Č", "C" }, { "ć", "c" },   { "ń", "n" }, { "ő", "o" },  { "ű", "u" },
        { "ş", "s" },  { "ğ", "g" },  { "ı", "i" }, { "’", "'" },   { "‘", "'" }, { "“", "\"" }, { "”", "\"" },
        { "–", "-" },  { "—", "-" },  { "`", "'" }, { "…", "..." }, { " ", " " }, { " ", " " },  { "«", "\"" },
        { "»", "\"" },
};

static bool stands_in(const char *alphabet, const char *at, size_t len)
{
        char letter[5] = "";

        memcpy(letter, at, len);
        return strstr(alphabet, letter) != NULL; /* in UTF-8 no letter stands across two others */
}

static const char *plain_of(const char *at, size_t len)
{
        for (size_t i = 0; i < sizeof(plain_letters) / sizeof(plain_letters[0]); i++)
                if (strlen(plain_letters[i].letter) == len && memcmp(plain_letters[i].letter, at, len) == 0)
                        return plain_letters[i].plain;
        return NULL;
}

int sms_septets(const char *text)
{
        const char *end = text + strlen(text);
        int septets = 0;

        for (size_t len; text < end; text += len) {
                len = utf8_sequence(text, (size_t)(end - text));
                if (len == 0 || (!stands_in(basic, text, len) && !stands_in(extension, text, len)))
                        return -1;
                septets += stands_in(basic, text, len) ? 1 : 2;
        }
        return septets;
}

/* is_hidden: control characters (C0, DEL, C1), and those that hide or turn text around. */
static bool is_hidden(const char *at, size_t len)
{
        const uint8_t *c = (const uint8_t *)at;
        uint32_t point = len == 1   ? c[0]
                         : len == 2 ? (uint32_t)(c[0] & 0x1f) << 6 | (c[1] & 0x3f)
                         : len == 3 ? (uint32_t)(c[0] & 0xf) << 12 | (uint32_t)(c[1] & 0x3f) << 6 | (c[2] & 0x3f)
                                    : 0x10000;

        return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0xad || point == 0x61c || point == 0xfeff ||
               (point >= 0x200b && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
               (point >= 0x2060 && point <= 0x206f);
}

/* ---- A text in the making. */

struct draft {
        char text[SMS_WORDS_SIZE];
        size_t len;
        size_t name_max; /* characters of a name */
        bool english;
};

/* put_letter: as GSM 03.38 has it, where it can.  What finds no room makes the draft far too long anyway. */
static void put_letter(struct draft *draft, const char *at, size_t len)
{
        const char *plain = stands_in(basic, at, len) || stands_in(extension, at, len) ? NULL : plain_of(at, len);

        if (plain != NULL)
                at = plain, len = strlen(plain);
        if (len >= sizeof(draft->text) - draft->len)
                return;
        memcpy(draft->text + draft->len, at, len);
        draft->len += len;
        draft->text[draft->len] = '\0';
}

/* put_cut: TEXT without what hides, MAX characters of it, to the first octet that is no UTF-8. */
static void put_cut(struct draft *draft, const char *text, size_t max)
{
        const char *end = text + strlen(text);

        for (size_t len, count = 0; count < max && (len = utf8_sequence(text, (size_t)(end - text))) > 0; text += len)
                if (!is_hidden(text, len)) {
                        put_letter(draft, text, len);
                        count++;
                }
}

static void put(struct draft *draft, const char *text)
{
        put_cut(draft, text, SIZE_MAX);
}

/* A name, or what stands for one that is not known. */
static void put_name(struct draft *draft, const char *name, const char *unknown)
{
        put_cut(draft, name[0] != '\0' ? name : unknown, draft->name_max);
}

__attribute__((format(printf, 2, 3))) static void say(struct draft *draft, const char *format, ...)
{
        char text[256];
        va_list words;

        va_start(words, format);
        vsnprintf(text, sizeof(text), format, words);
        va_end(words);
        put(draft, text);
}

/* ---- The parts of an alert, each left out when the text is too long: the later the sooner. */

enum part {
        PART_AGE = 0x1,
        PART_ACCURACY = 0x2,
        PART_ROUND = 0x4,
        PART_ZONE = 0x8,
        PART_DISTANCE = 0x10,
        PART_KIND = 0x20,
        PART_ALL = 0x3f
};

static const char *kind_word(const struct sms_say *s, bool english)
{
        static const char *const categories[][2] = { { NULL, NULL },
                                                     { "chute ou blessure", "fall or injury" },
                                                     { "agression", "assault" },
                                                     { "chien", "dog" },
                                                     { "malaise", "illness" },
                                                     { NULL, NULL } };
        static const char *const kinds[][2] = { { NULL, NULL },
                                                { "silencieuse", "silent" },
                                                { "homme à terre", "man down" },
                                                { "pas de nouvelles", "missed check-in" } };

        if (s->category < sizeof(categories) / sizeof(categories[0]) && categories[s->category][0] != NULL)
                return categories[s->category][english];
        return s->alert_kind < sizeof(kinds) / sizeof(kinds[0]) ? kinds[s->alert_kind][english] : NULL;
}

static void say_marks(struct draft *draft, const struct sms_say *s)
{
        if ((s->marks & RECORD_DURESS) != 0)
                put(draft, draft->english ? ", UNDER DURESS" : ", SOUS LA CONTRAINTE");
        else if ((s->marks & RECORD_MISTAKE) != 0)
                put(draft, draft->english ? ", says it was a mistake" : ", dit s'être trompé");
}

static void say_who(struct draft *draft, const struct sms_say *s)
{
        put_name(draft, s->name, draft->english ? "unknown carrier" : "porteur inconnu");
        if (s->number[0] != '\0')
                say(draft, " %s", s->number);
}

static void say_age(struct draft *draft, uint32_t from_s, uint32_t now_s)
{
        uint32_t age_s = now_s > from_s ? now_s - from_s : 0;

        if (age_s < 120)
                say(draft, draft->english ? "%u s ago" : "il y a %u s", age_s);
        else if (age_s < 7200)
                say(draft, draft->english ? "%u min ago" : "il y a %u min", age_s / 60);
        else
                say(draft, draft->english ? "%u h ago" : "il y a %u h", age_s / 3600);
}

/* 1e-7 degree as 1e-5, a metre. */
static void say_degrees(struct draft *draft, int32_t e7)
{
        int32_t e5 = (e7 + (e7 < 0 ? -50 : 50)) / 100, whole = (e5 < 0 ? -e5 : e5) / 100000;

        say(draft, "%s%d.%05d", e5 < 0 ? "-" : "", (int)whole, (int)((e5 < 0 ? -e5 : e5) % 100000));
}

static void say_place(struct draft *draft, const struct sms_say *s, unsigned parts)
{
        if (!s->has_position) {
                put(draft, draft->english ? " No position." : " Position inconnue.");
                return;
        }
        put(draft, " geo:");
        say_degrees(draft, s->at.lat_e7);
        put(draft, ",");
        say_degrees(draft, s->at.lon_e7);
        if ((parts & PART_ACCURACY) != 0)
                say(draft, ";u=%u", s->at.accuracy_m);
        if ((parts & PART_AGE) == 0 || s->now_s < s->at.at_s + 30)
                return;
        put(draft, " (");
        say_age(draft, s->at.at_s, s->now_s);
        put(draft, ")");
}

static void say_where(struct draft *draft, const struct sms_say *s, unsigned parts)
{
        if (s->zone[0] != '\0' && (parts & PART_ZONE) != 0) {
                put(draft, ", ");
                put_cut(draft, s->zone, draft->name_max);
        }
        if (s->round[0] != '\0' && (parts & PART_ROUND) != 0) {
                put(draft, draft->english ? ", round " : ", tournée ");
                put_cut(draft, s->round, draft->name_max);
        }
        if (s->distance_m != UINT32_MAX && (parts & PART_DISTANCE) != 0)
                say(draft, s->distance_m < 10000 ? ", %u m" : ", %u km",
                    s->distance_m < 10000 ? s->distance_m : s->distance_m / 1000);
}

static void say_alert(struct draft *draft, const struct sms_say *s, unsigned parts)
{
        const char *kind = kind_word(s, draft->english);

        if (s->kind == SMS_CONTROL)
                put(draft, draft->english ? "Consoles blind. " : "Pupitres aveugles. ");
        if ((s->marks & RECORD_DRILL) != 0)
                put(draft, draft->english ? "DRILL" : "EXERCICE");
        else
                put(draft, draft->english ? "ALERT" : "ALERTE");
        if (kind != NULL && (parts & PART_KIND) != 0)
                say(draft, " %s", kind);
        say_marks(draft, s);
        put(draft, ": ");
        say_who(draft, s);
        say_where(draft, s, parts);
        put(draft, ".");
        say_place(draft, s, parts);
        if (s->code[0] != '\0')
                say(draft, draft->english ? " Answer YES %s or NO %s" : " Répondez OUI %s ou NON %s", s->code, s->code);
}

/* ---- All that is said. */

static void say_yours(struct draft *draft, const struct sms_say *s, unsigned parts)
{
        put(draft, draft->english ? "It is yours: " : "C'est pour vous : ");
        say_who(draft, s);
        put(draft, ".");
        say_place(draft, s, parts);
}

static void say_codes(struct draft *draft, const struct sms_say *s)
{
        for (size_t i = 0; i < s->code_count && i < SMS_CODES_MAX; i++) {
                say(draft, "%s%s ", i > 0 ? ", " : "", s->codes[i]);
                put_cut(draft, s->names[i], draft->name_max);
        }
}

/* What is said in whole phrases: before the carrier's name, and behind it; no name where nothing comes behind. */
static const struct {
        const char *before, *behind;
} phrases[SMS_KIND_END][2] = {
        [SMS_TAKEN_BY] = { { " a pris l'alerte de ", ". Merci" }, { " has taken the alert of ", ". Thank you" } },
        [SMS_CLOSED] = { { "L'alerte de ", " est terminée" }, { "The alert of ", " is over" } },
        [SMS_WHICH] = { { "Plusieurs alertes. Répondez OUI et le code : ", NULL },
                        { "Several alerts. Answer YES and the code: ", NULL } },
        [SMS_NO_SUCH_CODE] = { { "Aucune alerte en cours ne vous appelle", NULL },
                               { "No open alert is calling you", NULL } },
        [SMS_NOT_ALLOWED] = { { "Vous ne pouvez pas prendre l'alerte de ", "" },
                              { "You cannot take the alert of ", "" } },
        [SMS_NOT_UNDERSTOOD] = { { "Pas compris. Répondez OUI ou NON et le code, ou OK", NULL },
                                 { "Not understood. Answer YES or NO and the code, or OK", NULL } },
        [SMS_PASSED_ON] = { { "Noté. Quelqu'un d'autre est appelé pour ", "" },
                            { "Noted. Somebody else is asked for ", "" } },
        [SMS_BUSY] = { { "Noté que vous venez pour ", ". C'est à vous quand nous le confirmons" },
                       { "Noted that you are coming for ", ". It is yours when we say so" } },
        [SMS_OVERDUE] = { { "Tout va bien ? Plus de nouvelles de votre téléphone. Répondez OK. En danger : 112", NULL },
                          { "Are you all right? No news of your phone. Answer OK. In danger: 112", NULL } },
        [SMS_FINE] = { { "Merci, c'est noté", NULL }, { "Thank you, noted", NULL } },
        [SMS_NO_NEWS] = { { "Sans nouvelles de vous, d'autres sont appelés pour ", ". Si vous y êtes, répondez OUI " },
                          { "No news of you: others are called for ", ". If you are on it, answer YES " } },
};

static void say_phrase(struct draft *draft, const struct sms_say *s)
{
        bool en = draft->english;

        if (s->kind == SMS_TAKEN_BY)
                put_name(draft, s->who, en ? "Somebody" : "Quelqu'un");
        put(draft, phrases[s->kind][en].before);
        if (phrases[s->kind][en].behind != NULL) {
                put_name(draft, s->name, en ? "unknown carrier" : "porteur inconnu");
                put(draft, phrases[s->kind][en].behind);
        }
        if (s->kind == SMS_CLOSED && s->who[0] != '\0') {
                put(draft, en ? ", closed by " : ", close par ");
                put_name(draft, s->who, "");
        }
        if (s->kind == SMS_NO_SUCH_CODE && s->code[0] != '\0')
                say(draft, en ? " by code %s" : " avec le code %s", s->code);
        if (s->kind == SMS_NO_NEWS)
                put(draft, s->code);
        if (s->kind == SMS_NOT_UNDERSTOOD && s->code_count > 0)
                put(draft, en ? ". Open: " : ". En cours : ");
        if (s->kind == SMS_NOT_UNDERSTOOD || s->kind == SMS_WHICH)
                say_codes(draft, s);
}

static void say_all(struct draft *draft, const struct sms_say *s, unsigned parts)
{
        draft->len = 0;
        draft->text[0] = '\0';
        if (s->kind == SMS_ALERT || s->kind == SMS_CONTROL)
                say_alert(draft, s, parts);
        else if (s->kind == SMS_YOURS)
                say_yours(draft, s, parts);
        else
                say_phrase(draft, s);
}

/* units: UTF-16 units of valid UTF-8. */
static int units(const char *text)
{
        int count = 0;

        for (size_t len; *text != '\0'; text += len) {
                len = utf8_sequence(text, strlen(text));
                assert(len > 0);
                count += len == 4 ? 2 : 1;
        }
        return count;
}

static bool fits(const char *text, bool *ret_gsm)
{
        int septets = sms_septets(text);

        *ret_gsm = septets >= 0;
        return septets >= 0 ? septets <= SMS_SEPTETS_MAX : units(text) <= SMS_UNITS_MAX;
}

int sms_words(const struct sms_say *s, enum sms_language language, struct sms_words *ret_words)
{
        static const unsigned leave_out[] = { PART_ALL,
                                              PART_KIND | PART_ZONE | PART_ROUND | PART_AGE,
                                              PART_KIND | PART_ZONE | PART_ROUND,
                                              PART_KIND | PART_ZONE,
                                              PART_KIND,
                                              0 };
        struct draft draft = { .english = language == SMS_ENGLISH };
        size_t tries = sizeof(leave_out) / sizeof(leave_out[0]);
        bool done = false;

        if (s->kind < SMS_ALERT || s->kind >= SMS_KIND_END)
                return -EINVAL;
        for (draft.name_max = SMS_NAME_MAX; !done; draft.name_max = SMS_NAME_SHORT) {
                for (size_t i = 0; i < tries && !done; i++) {
                        say_all(&draft, s, leave_out[i]);
                        done = fits(draft.text, &ret_words->gsm);
                }
                done = done || draft.name_max == SMS_NAME_SHORT; /* two parts, then */
        }
        memcpy(ret_words->text, draft.text, draft.len + 1);
        return 0;
}
