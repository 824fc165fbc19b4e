/* POST /desk/edit: rounds, buildings and doors, all or nothing (PROTOCOL.md 7.6).  The text is read by another thread; its rows are judged
 * in the loop, a slice a turn; what is left to be looked at as a whole, and the write, are one turn's. */
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "console/pass_edit_inside.h"

static const char *const list_names[LISTS] = { "buildings", "rounds", "doors" };
static const enum book list_books[LISTS] = { BOOK_BUILDINGS, BOOK_ROUNDS, BOOK_DOORS };

static void edit_free(struct edit *e)
{
        for (struct row *row = e->rows, *next; row != NULL; row = next) {
                next = row->next;
                free(row);
        }
        for (unsigned i = 0; i < LISTS; i++) {
                lookup_free(e->made[i]);
                lookup_free(e->gone[i]);
                free(e->how[i]);
        }
        still_free(e);
        json_decref(e->root);
        json_decref(e->wrong);
        free(e);
}

void edit_wrong(struct edit *e, const char *what, size_t index, const char *why)
{
        e->wrong_count++;
        if (json_array_size(e->wrong) < EDIT_WRONG_MAX)
                json_array_append_new(
                        e->wrong, json_pack("{s:s, s:I, s:s}", "what", what, "index", (json_int_t)index, "why", why));
}

char edit_put(struct edit *e, enum book book, const char *key, const uint8_t *data, size_t size)
{
        const struct book_item *item = books_get(e->desk->books, book, key);
        struct row *row;

        if (size > 0 && item != NULL && item->size == size && memcmp(item->data, data, size) == 0)
                return 's';
        if (strlen(key) > PERSON_ID_MAX || (row = malloc(sizeof(*row) + size)) == NULL)
                return 0;
        *row = (struct row){ .book = book, .size = size };
        strcpy(row->key, key);
        if (size > 0)
                memcpy(row->data, data, size);
        *e->last = row;
        e->last = &row->next;
        return item == NULL ? 'n' : 'c';
}

bool edit_knows(const struct edit *e, enum list list, const char *key)
{
        if (lookup_get(e->gone[list], key, strlen(key)) != NULL)
                return false;
        return lookup_get(e->made[list], key, strlen(key)) != NULL ||
               books_get(e->desk->books, list_books[list], key) != NULL;
}

/* ---- row by row */

enum phase { PHASE_NOTE, PHASE_DROP, PHASE_READ, PHASE_STILL };

/* note_row: what the edit makes, before any row is read: rounds name buildings of the same edit.  An id twice is wrong. */
static void note_row(struct edit *e, enum list list, size_t index, json_t *row)
{
        const char *id = json_string_value(json_object_get(row, "id"));
        void *old = NULL;

        if (id == NULL || id[0] == '\0' || strlen(id) > PERSON_ID_MAX)
                return; /* its reader says so */
        if (lookup_put(e->made[list], id, strlen(id), e, &old) < 0)
                edit_wrong(e, list_names[list], index, "memory");
        else if (old != NULL)
                edit_wrong(e, list_names[list], index, "twice");
}

/* drop_row: an id to be dropped: known, once, and not made by the same edit. */
static void drop_row(struct edit *e, enum list list, size_t index, json_t *row)
{
        const char *id = json_string_value(row);
        void *old;

        if (id == NULL || strlen(id) == 0 || strlen(id) > PERSON_ID_MAX || !edit_knows(e, list, id) ||
            lookup_get(e->made[list], id, strlen(id)) != NULL) {
                edit_wrong(e, "drop", index, "drop_unknown");
                return;
        }
        if (lookup_put(e->gone[list], id, strlen(id), e, &old) < 0 || edit_put(e, list_books[list], id, NULL, 0) == 0 ||
            (list == LIST_ROUNDS && (edit_put(e, BOOK_STOPS, id, NULL, 0) == 0 || !still_note(e, id, NULL))))
                edit_wrong(e, "drop", index, "memory");
        e->dropped++;
}

static void read_row(struct edit *e, enum list list, size_t index, json_t *row)
{
        const char *why = edit_read_row(e, list, row, &e->how[list][index]);

        if (why == NULL)
                return;
        edit_wrong(e, list_names[list], index, why);
        e->how[list][index] = '?';
}

/* step: one row of one phase, then one pass that may still open what goes.  Gives false when all is done. */
static bool step(struct edit *e)
{
        static void (*const phases[PHASE_STILL])(struct edit *, enum list, size_t, json_t *) = { note_row, drop_row,
                                                                                                 read_row };
        json_t *rows = e->phase == PHASE_DROP ? e->drops[e->list] : e->lists[e->list];

        if (e->phase == PHASE_STILL)
                return e->wrong_count == 0 && still_step(e);
        if (e->at < json_array_size(rows)) {
                phases[e->phase](e, (enum list)e->list, e->at, json_array_get(rows, e->at));
                e->at++;
                return true;
        }
        e->at = 0;
        if (++e->list < LISTS)
                return true;
        e->list = 0;
        e->phase++;
        return true;
}

/* ---- the whole */

/* take_lists: the lists of buildings, rounds and doors in T; absent ones are NULL.  Gives how many rows they have. */
static size_t take_lists(struct take *t, json_t *lists[LISTS])
{
        size_t count = 0;

        for (unsigned i = 0; i < LISTS; i++) {
                lists[i] = take_any(t, list_names[i]);
                t->bad |= lists[i] != NULL && !json_is_array(lists[i]);
                count += json_array_size(lists[i]);
        }
        return count;
}

/* read_body: what the edit has.  Gives NULL or the rule that it breaks. */
static const char *read_body(struct edit *e)
{
        struct take t = { .object = e->root }, of_drop = { 0 };

        if (!json_is_object(e->root))
                return "body";
        e->check = take_bool(&t, "check");
        e->count = take_lists(&t, e->lists);
        of_drop.object = take_any(&t, "drop");
        if (of_drop.object != NULL)
                e->count += take_lists(&of_drop, e->drops);
        if (!take_end(&t) || (of_drop.object != NULL && (!json_is_object(of_drop.object) || !take_end(&of_drop))))
                return "body";
        if (e->count > EDIT_ROWS_MAX)
                return "rows";
        for (unsigned i = 0; i < LISTS; i++)
                if ((e->how[i] = calloc(1, json_array_size(e->lists[i]) + 1)) == NULL)
                        return "memory";
        return NULL;
}

/* check_drops: no round that stays, and is not of this edit, has a dropped building; doors of dropped buildings go along. */
static void check_drops(struct edit *e)
{
        const struct book_item *item;
        struct stops_entry stops;
        struct door_entry door;
        char key[2 * BUILDING_ID_SIZE + 1];
        size_t place = 0;

        if (lookup_count(e->gone[LIST_BUILDINGS]) == 0)
                return;
        while ((item = books_next(e->desk->books, BOOK_STOPS, &place)) != NULL) {
                if (lookup_get(e->gone[LIST_ROUNDS], item->key, strlen(item->key)) != NULL ||
                    lookup_get(e->made[LIST_ROUNDS], item->key, strlen(item->key)) != NULL ||
                    stops_entry_decode(item->data, item->size, &stops) < 0)
                        continue;
                for (unsigned i = 0; i < stops.count; i++) {
                        hex_encode(stops.buildings[i], BUILDING_ID_SIZE, key);
                        if (lookup_get(e->gone[LIST_BUILDINGS], key, strlen(key)) != NULL)
                                edit_wrong(e, "drop", 0, "drop_on_round");
                }
        }
        place = 0;
        while ((item = books_next(e->desk->books, BOOK_DOORS, &place)) != NULL) {
                if (door_entry_decode(item->data, item->size, &door) < 0)
                        continue;
                hex_encode(door.building, BUILDING_ID_SIZE, key);
                if (lookup_get(e->gone[LIST_BUILDINGS], key, strlen(key)) != NULL &&
                    lookup_get(e->gone[LIST_DOORS], item->key, strlen(item->key)) == NULL &&
                    edit_put(e, BOOK_DOORS, item->key, NULL, 0) == 0)
                        edit_wrong(e, "drop", 0, "memory");
        }
}

static void finish(struct edit *e, int status, json_t *answer)
{
        char *text = answer != NULL ? json_dumps(answer, JSON_COMPACT) : NULL;

        json_decref(answer);
        for (struct edit **p = &e->desk->edits; *p != NULL; p = &(*p)->next)
                if (*p == e) {
                        *p = e->next;
                        break;
                }
        loop_timer_cancel(e->desk->options.loop, &e->turn);
        e->desk->jobs--;
        e->done(e->user, status, text);
        edit_free(e);
}

static void finish_away(struct edit *e)
{
        finish(e, 503, json_pack("{s:s}", "result", "away"));
}

static void finish_good(struct edit *e, const char *result)
{
        finish(e, 200,
               json_pack("{s:s, s:{s:s, s:s, s:s}, s:I, s:o}", "result", result, "how", list_names[LIST_BUILDINGS],
                         e->how[LIST_BUILDINGS], list_names[LIST_ROUNDS], e->how[LIST_ROUNDS], list_names[LIST_DOORS],
                         e->how[LIST_DOORS], "dropped", (json_int_t)e->dropped, "still", still_json(e)));
}

static void finish_wrong(struct edit *e)
{
        finish(e, 422,
               json_pack("{s:s, s:O, s:I}", "result", "wrong", "wrong", e->wrong, "rest",
                         (json_int_t)(e->wrong_count - json_array_size(e->wrong))));
}

static void on_written(void *user, int written)
{
        if (written == 1)
                finish_good(user, "done");
        else
                finish_away(user);
}

/* write_each: every row, told by itself. */
static void write_each(struct edit *e)
{
        for (const struct row *row = e->rows; row != NULL; row = row->next)
                pass_write_put(e->desk->store, row->book, row->key, row->data, row->size);
}

/* write_many: book by book, and the daemons are told to load each anew. */
static void write_many(struct edit *e)
{
        for (unsigned book = 0; book < BOOKS; book++) {
                bool some = false;

                for (const struct row *row = e->rows; row != NULL; row = row->next)
                        if (row->book == (enum book)book) {
                                pass_write_quietly(e->desk->store, row->book, row->key, row->data, row->size);
                                some = true;
                        }
                if (some)
                        pass_write_all(e->desk->store, (enum book)book);
        }
}

static int write_rows(struct edit *e)
{
        size_t rows = 0;

        for (const struct row *row = e->rows; row != NULL; row = row->next)
                rows++;
        pass_write_begin(e->desk->store);
        if (rows <= EDIT_EACH_MAX)
                write_each(e);
        else
                write_many(e);
        return pass_write_end(e->desk->store, on_written, e);
}

/* conclude: every row was read: the whole is judged, and written where nothing is wrong. */
static void conclude(struct edit *e)
{
        check_drops(e);
        if (e->wrong_count > 0)
                finish_wrong(e);
        else if (e->check || e->rows == NULL)
                finish_good(e, e->check ? "good" : "done");
        else if (write_rows(e) < 0)
                finish_away(e);
}

/* on_turn: one slice; the next is due at once, with the loop's next turn. */
static void on_turn(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct edit *e = timer->user;
        int64_t until_us = clock_mono_us() + EDIT_SLICE_US;

        if (store_away(e->desk)) {
                finish_away(e);
                return;
        }
        while (step(e))
                if (clock_mono_us() >= until_us) {
                        loop_timer_arm(e->desk->options.loop, timer, now_mono_ms);
                        return;
                }
        conclude(e);
}

static struct edit *edit_new(struct pass_desk *desk)
{
        struct edit *e = desk->jobs < PASS_JOBS_MAX ? calloc(1, sizeof(*e)) : NULL;
        int r;

        if (e == NULL)
                return NULL;
        e->desk = desk;
        e->last = &e->rows;
        e->wrong = json_array();
        wheel_timer_init(&e->turn, on_turn, e);
        r = lookup_new(EDIT_ROWS_MAX, 0, &e->lost);
        for (unsigned i = 0; i < LISTS && r == 0; i++)
                if ((r = lookup_new(EDIT_ROWS_MAX, 0, &e->made[i])) == 0)
                        r = lookup_new(EDIT_ROWS_MAX, 0, &e->gone[i]);
        if (r < 0) {
                edit_free(e);
                return NULL;
        }
        desk->jobs++;
        e->next = desk->edits;
        desk->edits = e;
        return e;
}

static void parse(uv_work_t *work)
{
        struct edit *e = work->data;

        e->root = json_loadb(e->body, e->len, JSON_REJECT_DUPLICATES, NULL);
}

static void on_parsed(uv_work_t *work, int status)
{
        struct edit *e = work->data;
        const char *why = read_body(e);

        e->parsed = true;
        if (why != NULL) {
                edit_wrong(e, "body", 0, why);
                finish_wrong(e);
        } else if (e->desk->closing) {
                finish_away(e);
        } else {
                loop_timer_arm(e->desk->options.loop, &e->turn, clock_mono_ms());
        }
}

void edits_close(struct pass_desk *desk)
{
        for (struct edit *e = desk->edits, *next; e != NULL; e = next) {
                next = e->next;
                if (e->parsed && wheel_timer_is_armed(&e->turn))
                        finish_away(e);
        }
}

void pass_desk_edit(struct pass_desk *desk, const struct viewer *viewer, const char *body, size_t len,
                    pass_edit_fn *done, void *user)
{
        struct edit *e = pass_may_edit(viewer->role) && !store_away(desk) ? edit_new(desk) : NULL;

        if (e == NULL) {
                done(user, pass_may_edit(viewer->role) ? 503 : 403,
                     strdup(pass_may_edit(viewer->role) ? "{\"result\":\"away\"}" : "{\"result\":\"refused\"}"));
                return;
        }
        e->done = done;
        e->user = user;
        e->body = body;
        e->len = len;
        e->work.data = e;
        if (uv_queue_work(loop_uv(desk->options.loop), &e->work, parse, on_parsed) < 0)
                finish_away(e);
}
