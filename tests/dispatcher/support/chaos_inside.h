/* What the files of the chaos do for each other. */
#ifndef TESTS_DISPATCHER_CHAOS_INSIDE_H
#define TESTS_DISPATCHER_CHAOS_INSIDE_H

#include "tests/dispatcher/support/chaos.h"
#include "tests/dispatcher/support/model.h"

#define HANDSETS             6
#define SUPERVISORS          4 /* handsets 11.. */
#define SESSIONS             16
#define CHAOS_CONTROL_NUMBER "+33140000000"
/* SMS in the network and at the gateway.  Of more the newest gives way: it is lost, as SMS are. */
#define LETTERS              24
/* Of those taken, so many are looked at in the end. */
#define PROMISES             512

/* An SMS on its way. */
struct chaos_letter {
        bool is_text, has_ref; /* has_ref: a dispatcher has it, and has not taken it yet */
        uint64_t ref;
        char from[NUMBER_MAX + 1], text[16];
        uint8_t id[EVENT_ID_SIZE];
        uint8_t cose[ALERT_MAX];
        size_t size;
        uint8_t alert[ALERT_ID_SIZE]; /* that it is about: must be in the store once taken; zeros: not looked at */
        bool is_answer;               /* a text that must be answered */
        uint32_t number;              /* of the text */
};

struct chaos {
        struct model *model;
        const uint8_t *at, *end;
        uint64_t sessions[SESSIONS];
        unsigned handsets[SESSIONS];
        size_t session_count;
        bool calm; /* nobody dies: then every answer is answered */
        struct chaos_letter letters[LETTERS];
        size_t letter_count;
        uint64_t refs;
        uint32_t ids;
        uint8_t promised[PROMISES][ALERT_ID_SIZE]; /* alerts whose SMS was taken */
        size_t promise_count;
        size_t answers_owed[SUPERVISORS]; /* texts taken that must be answered; a copy is not another */
        bool seen[4096];                  /* by text's number */
};

/* chaos_next: the next order, 0..below - 1; 0 when there are no more.  chaos_wrong: what must hold does not: ends the process. */
uint8_t chaos_next(struct chaos *chaos, unsigned below);
void chaos_wrong(const char *what);

/* chaos_is_in_store: say whether the press ID is there: as an alert, a part of one, or closed. */
bool chaos_is_in_store(struct model *model, const uint8_t id[ALERT_ID_SIZE]);

/* chaos_sms: something happens in the SMS network.  chaos_check_sms: what must hold of it in the end. */
void chaos_sms(struct chaos *chaos);
void chaos_check_sms(struct chaos *chaos);

#endif
