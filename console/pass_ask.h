/* What the pass desk's page asks: one JSON text in, one thing out; strict as ask.h.  Pure.  PROTOCOL.md section 7.2. */
#ifndef CONSOLE_PASS_ASK_H
#define CONSOLE_PASS_ASK_H

#include "wire/desk.h"

/* Octets of what is searched for. */
#define PASS_WORDS_MAX 64

enum pass_verb {
        PASS_FIND,
        PASS_GET,
        PASS_ISSUE,
        PASS_ASKED,
        PASS_CONSENT,
        PASS_REVOKE,
        PASS_LOST,
        PASS_UNLOCK,
        PASS_VERBS
};

/* What is looked for or got, and what changed. */
enum pass_what {
        WHAT_CARRIER,
        WHAT_ROUND,
        WHAT_BUILDING,
        WHAT_PASS,
        WHAT_CONSENT,
        WHAT_ASKED,
        WHAT_UNLOCK, /* phones that wait for somebody to unlock them */
        WHAT_SHARED, /* phones that are nobody's own */
        WHAT_PHONE,  /* this and what follows: got alone */
        WHATS
};

struct pass_ask {
        uint8_t command[EVENT_ID_SIZE];
        enum pass_verb verb;
        enum pass_what what; /* FIND, GET */
        char words[PASS_WORDS_MAX + 1];
        char id[PERSON_ID_MAX + 1];    /* GET: as the book's key; CONSENT, REVOKE: the id */
        char handset[HANDSET_ID_TEXT]; /* hex */
        char carrier[PERSON_ID_MAX + 1], round[PERSON_ID_MAX + 1];
        uint32_t from_s, until_s; /* 0: as ever */
        uint8_t window_count;
        struct pass_window windows[PASS_WINDOWS_MAX];
        uint8_t challenge[ORDER_CHALLENGE_SIZE];
        bool yes;
};

/* pass_ask_read: read TEXT, LEN octets.  Returns 0, -EBADMSG. */
int pass_ask_read(const char *text, size_t len, struct pass_ask *ret_ask);

/* pass_what_name: "carrier" and so on; of PHONE "phone". */
const char *pass_what_name(enum pass_what what);

#endif
