/* SMS as the core sees it: what is said to whom, what came of it, and what a text of a person means (DESIGN section 6).  How it is
 * worded is sms_words.h's; objects by SMS are wire/sms.h's.  Pure. */
#ifndef DISPATCHER_SMS_H
#define DISPATCHER_SMS_H

#include "wire/record.h"

/* Octets of a reply code: 4 digits.  Two open alerts of the same person with one code are as good as none: see sms_code. */
#define SMS_CODE_SIZE  5
/* Codes named in one SMS_WHICH; of more the most urgent. */
#define SMS_CODES_MAX  4
/* Longest text of a person that is looked at, without its NUL: three SMS.  What stands behind is not. */
#define SMS_TEXT_MAX   480
/* Who stands in `person` of a reference for the control room's own number. */
#define SMS_CONTROL_ID "@control"

/* What an SMS of ours is for. */
enum sms_what {
        SMS_TO_ASKED = 1, /* it asks a person: `sms_state` in `asked` */
        SMS_TO_HANDSET,   /* the receipt, to its enrolled number: `told_sms_state` */
        SMS_TO_SENDER,    /* the receipt, to another number that sent the copy */
        SMS_TO_CONTROL,   /* the control room's number */
        SMS_ANSWER,       /* the answer to a text */
        SMS_NEWS,         /* to an owner: closed, taken over, no news */
        SMS_QUESTION,     /* to an overdue carrier */
        SMS_ORDER,        /* a signed order, to a handset */
        SMS_WHAT_END
};

/* Which SMS a report is about; given back by the shell as it was. */
struct sms_ref {
        uint8_t alert[ALERT_ID_SIZE];   /* all zero: about none */
        char person[PERSON_ID_MAX + 1]; /* "": the alert's handset, or an unknown sender */
        uint8_t what;                   /* enum sms_what */
};

enum sms_kind {
        SMS_ALERT =
                1, /* you are asked: name, number, kind, category, marks, zone, round, position, code, pressed, distance */
        SMS_YOURS,          /* you have it: name, number, position, code */
        SMS_TAKEN_BY,       /* `who` has it: name */
        SMS_CLOSED,         /* it is over: name ("": not known any more), who */
        SMS_WHICH,          /* several are open: codes, names */
        SMS_NO_SUCH_CODE,   /* code ("": none was given, and nothing that asks you is open) */
        SMS_NOT_ALLOWED,    /* your own alert, another team's, or you are off duty: name */
        SMS_NOT_UNDERSTOOD, /* how to answer: codes where some are open */
        SMS_PASSED_ON,      /* noted, the next one is asked: name */
        SMS_BUSY,           /* noted that you are coming; you have it when you are told so: name */
        SMS_OVERDUE,        /* are you all right?  Answer OK */
        SMS_FINE,           /* thank you, noted */
        SMS_CONTROL,        /* the consoles are blind: as SMS_ALERT */
        SMS_NO_NEWS, /* to its owner: others are being called; answer OUI code if you are still on it: name, code */
        SMS_KIND_END
};

/* What is to be said.  What does not belong to the kind is "" or 0.  Fixed size, no pointers. */
struct sms_say {
        uint8_t kind;                   /* enum sms_kind */
        char code[SMS_CODE_SIZE];       /* to answer with */
        char name[NAME_MAX_OCTETS + 1]; /* the carrier's; "" unknown */
        char number[NUMBER_MAX + 1];    /* the carrier's, to call */
        char who[NAME_MAX_OCTETS + 1];  /* who has it, or closed it */
        char zone[NAME_MAX_OCTETS + 1]; /* name */
        char round[PERSON_ID_MAX + 1];
        uint8_t alert_kind, category; /* enum alert_kind, alert_category */
        uint32_t marks;               /* enum record_mark */
        bool has_position;
        struct track_point at;        /* `at_s` of the fix */
        uint32_t distance_m;          /* from the person's last fix; UINT32_MAX unknown */
        uint32_t pressed_at_s, now_s; /* UTC */
        uint8_t code_count;           /* WHICH, NOT_UNDERSTOOD */
        char codes[SMS_CODES_MAX][SMS_CODE_SIZE];
        char names[SMS_CODES_MAX][NAME_MAX_OCTETS + 1]; /* the carriers' */
};

/* sms_code: the reply code of the alert ID: "0001" to "9999", from the octets that its phone drew. */
void sms_code(const uint8_t id[ALERT_ID_SIZE], char ret_code[SMS_CODE_SIZE]);

enum sms_word { SMS_WORD_NONE, SMS_WORD_YES, SMS_WORD_NO, SMS_WORD_OK };

/* What a person wrote. */
struct sms_answer {
        uint8_t word;             /* enum sms_word: OUI, YES, O, Y; NON, NO, N; OK */
        char code[SMS_CODE_SIZE]; /* "": none */
};

/* sms_read: what TEXT says: its first word, and its first four digits that stand together.  Case, accents, blanks and
 * punctuation do not matter, and what else is written does not either.  Octets that are not UTF-8 separate. */
struct sms_answer sms_read(const char *text);

/* sms_fill: SAY as far as RECORD tells it: all but kind, who, distance and codes.  NOW_MS by Redis's clock. */
void sms_fill(struct sms_say *say, const struct record *record, int64_t now_ms);

#endif
