/* What pass_edit.c (an edit from its text to its answer), pass_edit_row.c (what each row has to be) and pass_edit_still.c (passes that
 * still open what the edit takes away) share. */
#ifndef CONSOLE_PASS_EDIT_INSIDE_H
#define CONSOLE_PASS_EDIT_INSIDE_H

#include <uv.h>

#include "console/pass_inside.h"
#include "console/take.h"

/* Rows of one edit: a region's buildings four times over.  More: wrong. */
#define EDIT_ROWS_MAX  20000
/* What is wrong, told; of more only how much. */
#define EDIT_WRONG_MAX 50
/* Rounds told of whose passes still open what they lose; of more only how many. */
#define EDIT_STILL_MAX 50
/* Rows that are told to the daemons one by one; of more they load the whole book anew. */
#define EDIT_EACH_MAX  200
/* Rows are judged for so long in one turn of the loop, which has alerts to show; then the next turn goes on. */
#define EDIT_SLICE_US  3000

enum list { LIST_BUILDINGS, LIST_ROUNDS, LIST_DOORS, LISTS };

/* One value to be written; SIZE 0: dropped. */
struct row {
        struct row *next;
        enum book book;
        char key[PERSON_ID_MAX + 1];
        size_t size;
        uint8_t data[];
};

/* A round that loses buildings, and the live passes that still open them. */
struct lost {
        char round[PERSON_ID_MAX + 1];
        unsigned passes;
        uint32_t until_s;
        size_t count; /* of buildings, sorted */
        uint8_t buildings[][BUILDING_ID_SIZE];
};

struct edit {
        struct edit *next; /* of the desk's */
        struct pass_desk *desk;
        pass_edit_fn *done;
        void *user;
        uv_work_t work; /* reading the JSON takes a tenth of a second at worst */
        struct wheel_timer turn;
        const char *body;
        size_t len;
        json_t *root; /* as it came; the lists are borrowed from it */
        json_t *lists[LISTS], *drops[LISTS];
        unsigned phase, list; /* how far it is: of the phases in pass_edit.c */
        size_t at;
        bool check, parsed;
        struct row *rows, **last;
        size_t count, dropped;                           /* rows of the edit; things dropped */
        struct lookup *made[LISTS], *gone[LISTS], *lost; /* lost: struct lost by round */
        char (*live)[2 * PASS_ID_SIZE + 1];              /* keys of the live passes that are looked at; NULL: not yet */
        size_t live_count;
        char *how[LISTS]; /* a letter a row */
        json_t *wrong;    /* the first EDIT_WRONG_MAX of them */
        size_t wrong_count;
};

/* edit_wrong: WHY, a word of PROTOCOL.md 7.6, about row INDEX of WHAT. */
void edit_wrong(struct edit *e, const char *what, size_t index, const char *why);

/* edit_put: KEY of BOOK is to be DATA; SIZE 0: dropped.  Gives how that differs: n, c, s; 0 where memory is short, or KEY is
 * longer than any of ours. */
char edit_put(struct edit *e, enum book book, const char *key, const uint8_t *data, size_t size);

/* edit_knows: say whether KEY of LIST is there when the edit is done. */
bool edit_knows(const struct edit *e, enum list list, const char *key);

/* edit_read_row: judge ROW of LIST and put what it asks for.  Gives NULL, and its letter; or the word of the rule that it breaks. */
const char *edit_read_row(struct edit *e, enum list list, json_t *row, char *ret_how);

/* still_note: ROUND will have the buildings STOPS (NULL: it goes); keeps which it had and loses.  Gives false where memory is short. */
bool still_note(struct edit *e, const char *round, const struct stops_entry *stops);
/* still_step: look at one live pass for what it opens of that.  Gives false when there is nothing more to look at. */
bool still_step(struct edit *e);
/* still_json: [{round, buildings, passes, until}] of the rounds whose live passes still open what they lose; a new reference. */
json_t *still_json(struct edit *e);
void still_free(struct edit *e);

#endif
