/* How an SMS to a person is worded, in French or English: what the core wants said, as a text of one SMS where it can
 * be. Pure.  GSM 03.38's basic alphabet with its extension, at most 160 septets; letters that it lacks lose their
 * accents.  A name in another script makes it UCS-2, in up to three parts, and is written as it is.  Control
 * characters, and those that turn text around or hide it, are cut from names.  What does not fit is left out, the
 * least needed first: number and code never. */
#ifndef DISPATCHER_SMS_WORDS_H
#define DISPATCHER_SMS_WORDS_H

#include "dispatcher/sms.h"

#define SMS_SEPTETS_MAX 160 /* of one SMS */
#define SMS_UNITS_MAX   201 /* UTF-16 units of three parts, 67 each */
/* Characters of a person's name or a zone's; what stands behind is cut.  The second where the text is too long
 * otherwise. */
#define SMS_NAME_MAX    28
#define SMS_NAME_SHORT  12
/* Octets in UTF-8, its NUL too: SMS_UNITS_MAX of at most three octets, and more than any text of ours has. */
#define SMS_WORDS_SIZE  640

enum sms_language { SMS_FRENCH, SMS_ENGLISH };

struct sms_words {
        char text[SMS_WORDS_SIZE]; /* UTF-8 */
        bool gsm;                  /* all of it is GSM 03.38: else UCS-2 */
};

/* sms_words: word SAY.  Returns 0, -EINVAL (a kind that is none; nothing is written). */
int sms_words(const struct sms_say *say, enum sms_language language, struct sms_words *ret_words);

/* sms_septets: septets that TEXT (UTF-8) takes in GSM 03.38; -1: a character that it lacks, or no UTF-8. */
int sms_septets(const char *text);

#endif
