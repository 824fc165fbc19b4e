/* POST /desk/edit: rounds, buildings and doors, all or nothing (PROTOCOL.md 7.6). */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/hex.h"
#include "base/utf8.h"
#include "console/pass_inside.h"
#include "console/take.h"

/* Rows of one edit: a region's buildings four times over.  More: wrong. */
#define EDIT_ROWS_MAX  20000
/* What is wrong, told; of more only how much. */
#define EDIT_WRONG_MAX 50
/* Rows that are told to the daemons one by one; of more they load the whole book anew. */
#define EDIT_EACH_MAX  200

enum list { LIST_BUILDINGS, LIST_ROUNDS, LIST_DOORS, LISTS };

static const char *const list_names[LISTS] = { "buildings", "rounds", "doors" };
static const enum book list_books[LISTS] = { BOOK_BUILDINGS, BOOK_ROUNDS, BOOK_DOORS };

/* One value to be written; `data` NULL: dropped. */
struct row {
        struct row *next;
        enum book book;
        char key[PERSON_ID_MAX + 1];
        size_t size;
        uint8_t data[];
};

struct edit {
        struct pass_desk *desk;
        pass_edit_fn *done;
        void *user;
        uv_work_t
                work; /* reading the JSON takes a tenth of a second at worst: not on the loop, which has alerts to show */
        const char *body;
        size_t len;
        json_t *root;
        bool check;
        struct row *rows, **last;
        size_t count, dropped; /* rows of the edit; things dropped */
        struct lookup *made[LISTS], *gone[LISTS];
        json_t *wrong, *how;
        size_t wrong_rest;
};

static void edit_free(struct edit *e)
{
        for (struct row *row = e->rows, *next; row != NULL; row = next) {
                next = row->next;
                free(row);
        }
        for (unsigned i = 0; i < LISTS; i++) {
                lookup_free(e->made[i]);
                lookup_free(e->gone[i]);
        }
        json_decref(e->root);
        json_decref(e->wrong);
        json_decref(e->how);
        free(e);
}

static void wrong(struct edit *e, const char *what, size_t index, const char *why)
{
        if (json_array_size(e->wrong) == EDIT_WRONG_MAX)
                e->wrong_rest++;
        else
                json_array_append_new(
                        e->wrong, json_pack("{s:s, s:I, s:s}", "what", what, "index", (json_int_t)index, "why", why));
}

/* put: KEY of BOOK is to be DATA.  Gives how that differs: n, c, s; 0 where memory is short. */
static char put(struct edit *e, enum book book, const char *key, const uint8_t *data, size_t size)
{
        const struct book_item *item = books_get(e->desk->books, book, key);
        struct row *row;

        if (size > 0 && item != NULL && item->size == size && memcmp(item->data, data, size) == 0)
                return 's';
        if ((row = malloc(sizeof(*row) + size)) == NULL)
                return 0;
        *row = (struct row){ .book = book, .size = size };
        strcpy(row->key, key);
        if (size > 0)
                memcpy(row->data, data, size);
        *e->last = row;
        e->last = &row->next;
        return item == NULL ? 'n' : 'c';
}

static bool is_known(const struct edit *e, enum list list, const char *key)
{
        if (lookup_get(e->gone[list], key, strlen(key)) != NULL)
                return false;
        return lookup_get(e->made[list], key, strlen(key)) != NULL ||
               books_get(e->desk->books, list_books[list], key) != NULL;
}

/* ---- what each row has to be; each gives NULL or the rule broken */

static bool is_text(const char *text, size_t min, size_t max)
{
        size_t len = strlen(text);

        return len >= min && len <= max && utf8_is_valid(text, len);
}

static const char *read_place(struct take *t, struct building_entry *b)
{
        json_t *lat = json_object_get(t->object, "lat"), *lon = json_object_get(t->object, "lon");

        if (json_is_null(lat) && json_is_null(lon)) {
                t->used += 2;
                return NULL;
        }
        b->has_place = true;
        b->place.lat_e7 = (int32_t)lround(take_number(t, "lat", -90, 90) * 1e7);
        b->place.lon_e7 = (int32_t)lround(take_number(t, "lon", -180, 180) * 1e7);
        return t->bad ? "lat -90 to 90 and lon -180 to 180, or both null" : NULL;
}

static const char *read_building(struct edit *e, struct take *t, char *how)
{
        struct building_entry b = { 0 };
        uint8_t id[BUILDING_ID_SIZE], buf[DESK_SMALL_MAX];
        char key[2 * BUILDING_ID_SIZE + 1];
        const char *why;
        bool sensitive, qr, caretaker;
        int n;

        take_hex(t, "id", id, sizeof(id));
        if (t->bad)
                return "id: 16 hex digits";
        take_text(t, "name", true, b.name, sizeof(b.name));
        take_text(t, "address", true, b.address, sizeof(b.address));
        if (t->bad || !is_text(b.name, 1, NAME_MAX_OCTETS) || !is_text(b.address, 0, DESK_ADDRESS_MAX))
                return "name of 1 to 64, address of at most 128 octets";
        if ((why = read_place(t, &b)) != NULL)
                return why;
        sensitive = take_bool(t, "sensitive");
        qr = take_bool(t, "qr");
        caretaker = take_bool(t, "caretaker");
        if (!take_end(t))
                return "sensitive, qr and caretaker true or false, and no other fields";
        if (caretaker && !qr)
                return "a caretaker's page reads a QR: qr has to be true";
        b.flags = sensitive ? BUILDING_SENSITIVE : 0;
        b.policy = (qr ? PASS_ONE_WAY : 0) | (caretaker ? PASS_CARETAKER : 0);
        hex_encode(id, sizeof(id), key);
        if ((n = building_entry_encode(&b, buf, sizeof(buf))) < 0)
                return "a value out of its range";
        *how = put(e, BOOK_BUILDINGS, key, buf, (size_t)n);
        return *how != 0 ? NULL : "memory is short";
}

static const char *read_stops(struct edit *e, struct take *t, struct stops_entry *stops)
{
        json_t *list = take_any(t, "buildings");

        if (!json_is_array(list) || json_array_size(list) > SCOPE_BUILDINGS_MAX)
                return "buildings: a list of at most 1,024 ids";
        for (size_t i = 0; i < json_array_size(list); i++) {
                const char *id = json_string_value(json_array_get(list, i));

                if (id == NULL || strlen(id) != 2 * BUILDING_ID_SIZE || !is_known(e, LIST_BUILDINGS, id) ||
                    hex_decode(id, stops->buildings[i], BUILDING_ID_SIZE) < 0)
                        return "buildings: one that nobody knows, or that is dropped";
                for (size_t k = 0; k < i; k++)
                        if (memcmp(stops->buildings[k], stops->buildings[i], BUILDING_ID_SIZE) == 0)
                                return "buildings: one twice";
        }
        stops->count = (uint16_t)json_array_size(list);
        return NULL;
}

static const char *read_round(struct edit *e, struct take *t, char *how)
{
        struct round_entry r = { 0 };
        struct stops_entry stops = { 0 };
        char id[PERSON_ID_MAX + 1], stops_how;
        uint8_t buf[DESK_LONG_MAX];
        const char *why;
        int n;

        take_text(t, "id", true, id, sizeof(id));
        if (t->bad || !person_id_valid(id))
                return "id: 1 to 32 letters, digits, '.', '_' or '-'";
        take_text(t, "name", true, r.name, sizeof(r.name));
        take_text(t, "zone", true, r.zone_id, sizeof(r.zone_id));
        take_text(t, "team", true, r.team, sizeof(r.team));
        if (t->bad || !is_text(r.name, 1, NAME_MAX_OCTETS) || (n = round_entry_encode(&r, buf, sizeof(buf))) < 0)
                return "name of 1 to 64 octets, zone of at most 40, team of at most 32";
        if ((*how = put(e, BOOK_ROUNDS, id, buf, (size_t)n)) == 0)
                return "memory is short";
        if ((why = read_stops(e, t, &stops)) != NULL)
                return why;
        if (!take_end(t))
                return "a field that is not known";
        if ((n = stops_entry_encode(&stops, buf, sizeof(buf))) < 0 ||
            (stops_how = put(e, BOOK_STOPS, id, buf, (size_t)n)) == 0)
                return "memory is short";
        if (*how == 's' && stops_how != 's')
                *how = 'c';
        return NULL;
}

static const char *read_door(struct edit *e, struct take *t, char *how)
{
        static const char *const classes[DOOR_CLASS_END] = { "", "nfc", "scanner", "caretaker" };
        const struct book_item *item;
        struct door_entry d = { 0 };
        uint8_t id[DOOR_ID_SIZE], buf[DESK_SMALL_MAX];
        char key[2 * DOOR_ID_SIZE + 1], building[2 * BUILDING_ID_SIZE + 1], class[16];
        int n;

        take_hex(t, "id", id, sizeof(id));
        if (t->bad)
                return "id: 16 hex digits";
        hex_encode(id, sizeof(id), key);
        if ((item = books_get(e->desk->books, BOOK_DOORS, key)) != NULL &&
            door_entry_decode(item->data, item->size, &d) < 0)
                return "what is known of it cannot be read: a newer program's";
        take_hex(t, "building", d.building, sizeof(d.building));
        hex_encode(d.building, sizeof(d.building), building);
        if (t->bad || !is_known(e, LIST_BUILDINGS, building))
                return "building: one that nobody knows";
        take_text(t, "name", true, d.name, sizeof(d.name));
        take_text(t, "class", true, class, sizeof(class));
        d.class = DOOR_NFC;
        while (d.class < DOOR_CLASS_END && strcmp(classes[d.class], class) != 0)
                d.class ++;
        if (!take_end(t) || !is_text(d.name, 1, NAME_MAX_OCTETS) || d.class == DOOR_CLASS_END)
                return "name of 1 to 64 octets, class nfc, scanner or caretaker, and no other fields";
        if ((n = door_entry_encode(&d, buf, sizeof(buf))) < 0)
                return "a value out of its range";
        *how = put(e, BOOK_DOORS, key, buf, (size_t)n);
        return *how != 0 ? NULL : "memory is short";
}

/* ---- the whole */

/* note_ids: what the edit makes, before any row is read: rounds name buildings of the same edit.  An id twice is wrong. */
static void note_ids(struct edit *e, enum list list, json_t *rows)
{
        void *old;

        for (size_t i = 0; i < json_array_size(rows); i++) {
                const char *id = json_string_value(json_object_get(json_array_get(rows, i), "id"));

                if (id == NULL || id[0] == '\0' || strlen(id) > PERSON_ID_MAX)
                        continue; /* its reader says so */
                old = NULL;
                if (lookup_put(e->made[list], id, strlen(id), e, &old) < 0 || old != NULL)
                        wrong(e, list_names[list], i, "id: twice in this edit");
        }
}

static void read_rows(struct edit *e, enum list list, json_t *rows)
{
        static const char *(*const readers[LISTS])(struct edit *, struct take *, char *) = { read_building, read_round,
                                                                                             read_door };
        size_t count = json_array_size(rows);
        char *how = calloc(1, count + 1);

        for (size_t i = 0; how != NULL && i < count; i++) {
                struct take t = { .object = json_array_get(rows, i) };
                const char *why = readers[list](e, &t, &how[i]);

                if (why != NULL) {
                        wrong(e, list_names[list], i, why);
                        how[i] = '?';
                }
        }
        json_object_set_new(e->how, list_names[list], how != NULL ? json_string(how) : json_null());
        free(how);
}

/* note_drops: ids of DROP, each known; what hangs on them goes along. */
static void note_drops(struct edit *e, json_t *drop)
{
        struct take t = { .object = drop };
        void *old;

        for (unsigned list = 0; list < LISTS && drop != NULL; list++) {
                json_t *ids = take_any(&t, list_names[list]);

                if (ids != NULL && !json_is_array(ids))
                        wrong(e, "drop", 0, "lists of ids");
                for (size_t i = 0; i < json_array_size(ids); i++) {
                        const char *id = json_string_value(json_array_get(ids, i));

                        e->count++;
                        if (id == NULL || strlen(id) == 0 || strlen(id) > PERSON_ID_MAX || !is_known(e, list, id) ||
                            lookup_get(e->made[list], id, strlen(id)) != NULL) {
                                wrong(e, "drop", i, "one that nobody knows, twice, or that this edit makes");
                                continue;
                        }
                        (void)lookup_put(e->gone[list], id, strlen(id), e, &old);
                        (void)put(e, list_books[list], id, NULL, 0);
                        if (list == LIST_ROUNDS)
                                (void)put(e, BOOK_STOPS, id, NULL, 0);
                        e->dropped++;
                }
        }
        if (drop != NULL && !take_end(&t))
                wrong(e, "drop", 0, "a field that is not known");
}

/* check_stops: no round that stays, and is not of this edit, has a dropped building; doors of dropped buildings go along. */
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
                                wrong(e, "drop", 0, "a building is on a round that stays");
                }
        }
        place = 0;
        while ((item = books_next(e->desk->books, BOOK_DOORS, &place)) != NULL) {
                if (door_entry_decode(item->data, item->size, &door) < 0)
                        continue;
                hex_encode(door.building, BUILDING_ID_SIZE, key);
                if (lookup_get(e->gone[LIST_BUILDINGS], key, strlen(key)) != NULL &&
                    lookup_get(e->gone[LIST_DOORS], item->key, strlen(item->key)) == NULL)
                        (void)put(e, BOOK_DOORS, item->key, NULL, 0);
        }
}

static void read_edit(struct edit *e, json_t *root)
{
        struct take t = { .object = root };
        json_t *lists[LISTS], *drop;

        e->check = take_bool(&t, "check");
        for (unsigned i = 0; i < LISTS; i++) {
                lists[i] = take_any(&t, list_names[i]);
                t.bad |= lists[i] != NULL && !json_is_array(lists[i]);
                e->count += json_array_size(lists[i]);
        }
        drop = take_any(&t, "drop");
        t.bad |= drop != NULL && !json_is_object(drop);
        if (!take_end(&t) || e->count > EDIT_ROWS_MAX) {
                wrong(e, "body", 0,
                      t.bad                      ? "check true or false, lists, drop an object"
                      : e->count > EDIT_ROWS_MAX ? "at most 20,000 rows"
                                                 : "a field that is not known");
                return;
        }
        for (unsigned i = 0; i < LISTS; i++)
                note_ids(e, i, lists[i]);
        note_drops(e, drop);
        for (unsigned i = 0; i < LISTS; i++)
                read_rows(e, i, lists[i]);
        check_drops(e);
        if (e->count > EDIT_ROWS_MAX)
                wrong(e, "body", 0, "at most 20,000 rows");
}

static void finish(struct edit *e, int status, json_t *answer)
{
        char *text = answer != NULL ? json_dumps(answer, JSON_COMPACT) : NULL;

        json_decref(answer);
        e->desk->jobs--;
        e->done(e->user, status, text);
        edit_free(e);
}

static void finish_good(struct edit *e, const char *result)
{
        finish(e, 200,
               json_pack("{s:s, s:O, s:I}", "result", result, "how", e->how, "dropped", (json_int_t)e->dropped));
}

static void on_written(void *user, int written)
{
        if (written == 1)
                finish_good(user, "done");
        else
                finish(user, 503, json_pack("{s:s}", "result", "away"));
}

/* write_rows: each is told by itself; of many, the daemons are told to load the book anew (rounds: always by themselves). */
static int write_rows(struct edit *e)
{
        struct pass_store *store = e->desk->store;
        bool many[BOOKS] = { false };
        size_t rows = 0;

        for (const struct row *row = e->rows; row != NULL; row = row->next)
                rows++;
        pass_write_begin(store);
        for (const struct row *row = e->rows; row != NULL; row = row->next)
                if (rows <= EDIT_EACH_MAX) {
                        pass_write_put(store, row->book, row->key, row->data, row->size);
                } else {
                        pass_write_quietly(store, row->book, row->key, row->data, row->size);
                        many[row->book] = true;
                }
        for (unsigned book = 0; book < BOOKS; book++)
                if (many[book])
                        pass_write_all(store, book);
        return pass_write_end(store, on_written, e);
}

static struct edit *edit_new(struct pass_desk *desk)
{
        struct edit *e = desk->jobs < PASS_JOBS_MAX ? calloc(1, sizeof(*e)) : NULL;
        int r = 0;

        if (e == NULL)
                return NULL;
        e->desk = desk;
        e->last = &e->rows;
        e->wrong = json_array();
        e->how = json_object();
        for (unsigned i = 0; i < LISTS && r == 0; i++)
                if ((r = lookup_new(EDIT_ROWS_MAX, 0, &e->made[i])) == 0)
                        r = lookup_new(EDIT_ROWS_MAX, 0, &e->gone[i]);
        if (r == 0) {
                desk->jobs++;
                return e;
        }
        edit_free(e);
        return NULL;
}

static void parse(uv_work_t *work)
{
        struct edit *e = work->data;

        e->root = json_loadb(e->body, e->len, JSON_REJECT_DUPLICATES, NULL);
}

static void on_parsed(uv_work_t *work, int status)
{
        struct edit *e = work->data;

        if (json_is_object(e->root))
                read_edit(e, e->root);
        else
                wrong(e, "body", 0, "no JSON object");
        if (json_array_size(e->wrong) > 0)
                finish(e, 422,
                       json_pack("{s:s, s:O, s:I}", "result", "wrong", "wrong", e->wrong, "rest",
                                 (json_int_t)e->wrong_rest));
        else if (e->check || e->rows == NULL)
                finish_good(e, e->check ? "good" : "done");
        else if (store_away(e->desk) || write_rows(e) < 0)
                finish(e, 503, json_pack("{s:s}", "result", "away"));
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
                finish(e, 503, json_pack("{s:s}", "result", "away"));
}
