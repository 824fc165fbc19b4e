/* What each row of an edit has to be.  A rule that it breaks is a word of PROTOCOL.md 7.6; its sentence is the page's. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/utf8.h"
#include "console/pass_edit_inside.h"

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
        return t->bad ? "position" : NULL;
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
                return "id";
        take_text(t, "name", true, b.name, sizeof(b.name));
        if (t->bad || !is_text(b.name, 1, NAME_MAX_OCTETS))
                return "name";
        take_text(t, "address", true, b.address, sizeof(b.address));
        if (t->bad || !is_text(b.address, 0, DESK_ADDRESS_MAX))
                return "address";
        if ((why = read_place(t, &b)) != NULL)
                return why;
        sensitive = take_bool(t, "sensitive");
        qr = take_bool(t, "qr");
        caretaker = take_bool(t, "caretaker");
        if (!take_end(t))
                return t->bad ? "flag" : "field";
        if (caretaker && !qr)
                return "caretaker";
        b.flags = sensitive ? BUILDING_SENSITIVE : 0;
        b.policy = (qr ? PASS_ONE_WAY : 0) | (caretaker ? PASS_CARETAKER : 0);
        hex_encode(id, sizeof(id), key);
        if ((n = building_entry_encode(&b, buf, sizeof(buf))) < 0)
                return "value";
        *how = edit_put(e, BOOK_BUILDINGS, key, buf, (size_t)n);
        return *how != 0 ? NULL : "memory";
}

/* has_twice: say whether a building is in STOPS twice. */
static bool has_twice(const struct stops_entry *stops)
{
        struct stops_entry sorted = { .count = stops->count };

        memcpy(sorted.buildings, stops->buildings, (size_t)stops->count * BUILDING_ID_SIZE);
        qsort(sorted.buildings, sorted.count, BUILDING_ID_SIZE, building_order);
        for (unsigned i = 1; i < sorted.count; i++)
                if (memcmp(sorted.buildings[i - 1], sorted.buildings[i], BUILDING_ID_SIZE) == 0)
                        return true;
        return false;
}

static const char *read_stops(struct edit *e, struct take *t, struct stops_entry *stops)
{
        json_t *list = take_any(t, "buildings");

        if (!json_is_array(list) || json_array_size(list) > SCOPE_BUILDINGS_MAX)
                return "stops";
        for (size_t i = 0; i < json_array_size(list); i++) {
                const char *id = json_string_value(json_array_get(list, i));

                if (id == NULL || strlen(id) != 2 * BUILDING_ID_SIZE || !edit_knows(e, LIST_BUILDINGS, id) ||
                    hex_decode(id, stops->buildings[i], BUILDING_ID_SIZE) < 0)
                        return "stop_unknown";
        }
        stops->count = (uint16_t)json_array_size(list);
        return has_twice(stops) ? "stop_twice" : NULL;
}

/* keep_known: what a round that is known is called and where it is stays; its team, too, where the row gives none. */
static void keep_known(const struct edit *e, const char *id, struct round_entry *r)
{
        const struct book_item *item = books_get(e->desk->books, BOOK_ROUNDS, id);
        struct round_entry known;

        if (item == NULL || round_entry_decode(item->data, item->size, &known) < 0)
                return;
        strcpy(r->name, known.name);
        strcpy(r->zone_id, known.zone_id);
        if (r->team[0] == '\0')
                strcpy(r->team, known.team);
}

static const char *read_round(struct edit *e, struct take *t, char *how)
{
        struct round_entry r = { 0 };
        json_t *keep = take_any(t, "keep");
        struct stops_entry stops = { 0 };
        char id[PERSON_ID_MAX + 1], stops_how;
        uint8_t buf[DESK_LONG_MAX];
        const char *why;
        int n;

        take_text(t, "id", true, id, sizeof(id));
        if (t->bad || !person_id_valid(id))
                return "round_id";
        take_text(t, "name", true, r.name, sizeof(r.name));
        take_text(t, "zone", true, r.zone_id, sizeof(r.zone_id));
        take_text(t, "team", true, r.team, sizeof(r.team));
        if (keep != NULL && !json_is_boolean(keep))
                return "flag";
        if (!t->bad && json_is_true(keep))
                keep_known(e, id, &r);
        if (t->bad || !is_text(r.name, 1, NAME_MAX_OCTETS) || (n = round_entry_encode(&r, buf, sizeof(buf))) < 0)
                return "round";
        if ((*how = edit_put(e, BOOK_ROUNDS, id, buf, (size_t)n)) == 0)
                return "memory";
        if ((why = read_stops(e, t, &stops)) != NULL)
                return why;
        if (!take_end(t))
                return "field";
        if ((n = stops_entry_encode(&stops, buf, sizeof(buf))) < 0 ||
            (stops_how = edit_put(e, BOOK_STOPS, id, buf, (size_t)n)) == 0 ||
            (stops_how == 'c' && !still_note(e, id, &stops)))
                return "memory";
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
                return "id";
        hex_encode(id, sizeof(id), key);
        if ((item = books_get(e->desk->books, BOOK_DOORS, key)) != NULL &&
            door_entry_decode(item->data, item->size, &d) < 0)
                return "newer";
        take_hex(t, "building", d.building, sizeof(d.building));
        hex_encode(d.building, sizeof(d.building), building);
        if (t->bad || !edit_knows(e, LIST_BUILDINGS, building))
                return "door_building";
        take_text(t, "name", true, d.name, sizeof(d.name));
        if (t->bad || !is_text(d.name, 1, NAME_MAX_OCTETS))
                return "name";
        take_text(t, "class", true, class, sizeof(class));
        d.class = DOOR_NFC;
        while (d.class < DOOR_CLASS_END && strcmp(classes[d.class], class) != 0)
                d.class ++;
        if (d.class == DOOR_CLASS_END || !take_end(t))
                return d.class == DOOR_CLASS_END ? "door_class" : "field";
        if ((n = door_entry_encode(&d, buf, sizeof(buf))) < 0)
                return "value";
        *how = edit_put(e, BOOK_DOORS, key, buf, (size_t)n);
        return *how != 0 ? NULL : "memory";
}

const char *edit_read_row(struct edit *e, enum list list, json_t *row, char *ret_how)
{
        static const char *(*const readers[LISTS])(struct edit *, struct take *, char *) = { read_building, read_round,
                                                                                             read_door };
        struct take t = { .object = row };

        return readers[list](e, &t, ret_how);
}
