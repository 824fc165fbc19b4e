/* One thing whole: what hangs on a round, a building, a pass, a phone. */
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "console/pass_still.h"
#include "console/pass_view_inside.h"

/* ---- who still gets in */

struct door_row {
        struct still still;
        json_t *json;
};

struct door_list {
        const struct pass_scene *scene;
        struct door_row row[STILL_MAX];
        size_t count;
};

static const char *const classes[DOOR_CLASS_END] = { "nfc", "nfc", "scanner", "caretaker" };

/* row_for: where a door that opens until UNTIL_S has its row; NULL: STILL_MAX others open as long. */
static struct door_row *row_for(struct door_list *list, uint32_t until_s)
{
        struct door_row *least = list->row;

        if (list->count < STILL_MAX)
                return &list->row[list->count++];
        for (struct door_row *row = list->row; row < list->row + STILL_MAX; row++)
                if (row->still.until_s < least->still.until_s)
                        least = row;
        if (until_s <= least->still.until_s)
                return NULL;
        json_decref(least->json);
        return least;
}

static void add_door(struct door_list *list, const struct book_item *pass_item, const struct pass_entry *pass,
                     const char *building, const struct book_item *door_item)
{
        const struct book_item *b = books_get(list->scene->books, BOOK_BUILDINGS, building);
        struct building_entry entry = { 0 };
        struct door_entry door = { .class = DOOR_PAGE };
        struct door_row *row;
        struct still still;

        if (door_item != NULL && door_entry_decode(door_item->data, door_item->size, &door) < 0)
                return;
        still = still_at(pass, door_item != NULL ? &door : NULL, list->scene->list_good_s, list->scene->now_s);
        if ((row = row_for(list, still.until_s)) == NULL)
                return;
        if (b != NULL)
                (void)building_entry_decode(b->data, b->size, &entry);
        *row = (struct door_row){ still, json_pack("{s:s, s:s, s:s?, s:s?, s:s, s:s, s:o, s:s}", "building", building,
                                                   "name", entry.name[0] != '\0' ? entry.name : building, "door",
                                                   door_item != NULL ? door_item->key : NULL, "door_name",
                                                   door_item != NULL ? door.name : NULL, "class", classes[door.class],
                                                   "pass", pass_item->key, "until", json_s(still.until_s), "why",
                                                   still_why_name(still.why)) };
}

/* add_pass: every door of every building of a pass, and the caretaker's page where one may be. */
static void add_pass(struct door_list *list, const struct book_item *item)
{
        const struct books *books = list->scene->books;
        const struct book_item *door_item;
        struct pass_entry pass;
        struct door_entry door;
        char building[2 * BUILDING_ID_SIZE + 1];
        size_t place = 0;

        if (pass_entry_decode(item->data, item->size, &pass) < 0)
                return;
        qsort(pass.buildings, pass.count, BUILDING_ID_SIZE, building_order); /* a region's doors are looked for in it */
        while ((door_item = books_next(books, BOOK_DOORS, &place)) != NULL)
                if (door_entry_decode(door_item->data, door_item->size, &door) == 0 &&
                    bsearch(door.building, pass.buildings, pass.count, BUILDING_ID_SIZE, building_order) != NULL) {
                        hex_encode(door.building, BUILDING_ID_SIZE, building);
                        add_door(list, item, &pass, building, door_item);
                }
        for (unsigned i = 0; i < pass.count && (pass.policy & PASS_CARETAKER) != 0; i++) {
                hex_encode(pass.buildings[i], BUILDING_ID_SIZE, building);
                add_door(list, item, &pass, building, NULL);
        }
}

static int later_first(const void *a, const void *b)
{
        uint32_t x = ((const struct door_row *)a)->still.until_s, y = ((const struct door_row *)b)->still.until_s;

        return x < y ? 1 : x > y ? -1 : 0;
}

/* doors_json: of one pass; or, with ITEM NULL, of all that HANDSET has had and that are not over for long. */
static json_t *doors_json(const struct pass_scene *scene, const struct book_item *item,
                          const struct handset_id *handset)
{
        struct door_list *list = calloc(1, sizeof(*list));
        json_t *to = json_array();

        if (list == NULL)
                return to;
        list->scene = scene;
        if (item != NULL)
                add_pass(list, item);
        else
                for (item = books_passes(scene->books, handset); item != NULL; item = item->next)
                        if (item->until_s + (uint64_t)PASS_GRACE_S >= scene->now_s)
                                add_pass(list, item);
        qsort(list->row, list->count, sizeof(list->row[0]), later_first);
        for (size_t i = 0; i < list->count; i++)
                json_array_append_new(to, list->row[i].json);
        free(list);
        return to;
}

/* ---- a building */

/* link_of: the caretaker's link, as console/web/caretaker/place.js reads it: [1, region, root 32, building 8, name, sensitive]. */
static json_t *link_of(const struct pass_scene *scene, const char *key, const struct building_entry *b)
{
        uint8_t buf[256], id[BUILDING_ID_SIZE];
        char text[400] = "/caretaker/#", *p = text + strlen(text);
        struct cbor_writer w;
        struct cbor_span written;

        if (scene->root == NULL || hex_decode(key, id, sizeof(id)) < 0)
                return json_null();
        cbor_writer_init(&w, buf, sizeof(buf));
        cbor_write_array(&w, 6);
        cbor_write_uint(&w, 1);
        cbor_write_string(&w, scene->region);
        cbor_write_bytes(&w, (struct cbor_span){ scene->root, 32 });
        cbor_write_bytes(&w, CBOR_OCTETS(id));
        cbor_write_string(&w, b->name);
        cbor_write_bool(&w, (b->flags & BUILDING_SENSITIVE) != 0);
        written = cbor_written(&w);
        EVP_EncodeBlock((unsigned char *)p, written.at, (int)written.len);
        for (; *p != '\0'; p++)
                *p = (char)(*p == '+' ? '-' : *p == '/' ? '_' : *p == '=' ? '\0' : *p);
        return json_string(text);
}

static json_t *building_doors(const struct pass_scene *scene, const uint8_t id[BUILDING_ID_SIZE])
{
        const struct book_item *item;
        struct door_entry d;
        json_t *list = json_array();
        size_t place = 0;

        while ((item = books_next(scene->books, BOOK_DOORS, &place)) != NULL)
                if (door_entry_decode(item->data, item->size, &d) == 0 && memcmp(d.building, id, BUILDING_ID_SIZE) == 0)
                        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:o, s:o, s:b, s:o, s:o}", "id",
                                                              item->key, "name", d.name, "class", classes[d.class],
                                                              "from", json_s(d.from_s), "until", json_s(d.to_s),
                                                              "open_old", (int)d.opens_degraded, "list_at",
                                                              json_s(d.list_s), "seen_at", json_s(d.seen_at_s)));
        return list;
}

static json_t *building_rounds(const struct pass_scene *scene, const uint8_t id[BUILDING_ID_SIZE])
{
        const struct book_item *item, *round;
        struct stops_entry stops;
        struct round_entry entry;
        json_t *list = json_array();
        size_t place = 0;

        while ((item = books_next(scene->books, BOOK_STOPS, &place)) != NULL) {
                if (stops_entry_decode(item->data, item->size, &stops) < 0)
                        continue;
                for (unsigned i = 0; i < stops.count; i++)
                        if (memcmp(stops.buildings[i], id, BUILDING_ID_SIZE) == 0) {
                                round = books_get(scene->books, BOOK_ROUNDS, item->key);
                                if (round != NULL && round_entry_decode(round->data, round->size, &entry) == 0)
                                        json_array_append_new(
                                                list, json_pack("{s:s, s:s}", "id", item->key, "name", entry.name));
                                break;
                        }
        }
        return list;
}

static json_t *got_building(const struct pass_scene *scene, const char *key)
{
        const struct book_item *item = books_get(scene->books, BOOK_BUILDINGS, key);
        struct building_entry b;
        uint8_t id[BUILDING_ID_SIZE];
        json_t *to = item != NULL ? pass_json_building(item) : NULL;

        if (to == NULL || hex_decode(key, id, sizeof(id)) < 0 || building_entry_decode(item->data, item->size, &b) < 0)
                return to;
        json_put(to, "doors", building_doors(scene, id));
        json_put(to, "rounds", building_rounds(scene, id));
        json_put(to, "link", link_of(scene, key, &b));
        return to;
}

/* ---- round, pass, phone */

static json_t *got_round(const struct pass_scene *scene, const char *key)
{
        const struct book_item *item = books_get(scene->books, BOOK_ROUNDS, key), *list, *b;
        json_t *to =
                item != NULL && pass_of_round(scene->books, scene->viewer, key) ? pass_json_round(scene, item) : NULL;
        json_t *all = json_array(), *one;
        struct stops_entry stops = { 0 };

        if (to == NULL) {
                json_decref(all);
                return NULL;
        }
        if ((list = books_get(scene->books, BOOK_STOPS, key)) != NULL)
                (void)stops_entry_decode(list->data, list->size, &stops);
        for (unsigned i = 0; i < stops.count; i++) {
                char building[2 * BUILDING_ID_SIZE + 1];

                hex_encode(stops.buildings[i], BUILDING_ID_SIZE, building);
                b = books_get(scene->books, BOOK_BUILDINGS, building);
                if (b != NULL && (one = pass_json_building(b)) != NULL)
                        json_array_append_new(all, one);
        }
        json_put(to, "stops", all);
        return to;
}

static json_t *got_pass(const struct pass_scene *scene, const char *key)
{
        const struct book_item *item = books_get(scene->books, BOOK_PASSES, key);
        struct pass_entry pass;
        json_t *to;

        if (item == NULL || pass_entry_decode(item->data, item->size, &pass) < 0 ||
            !pass_of_round(scene->books, scene->viewer, pass.round))
                return NULL;
        to = pass_json_pass(scene, item);
        json_put(to, "doors", doors_json(scene, item, NULL));
        return to;
}

static void put_vault(const struct pass_scene *scene, json_t *to, const char *key)
{
        const struct book_item *told = books_get(scene->books, BOOK_VAULTS, key);
        uint32_t wipe = books_order(scene->books, "wipe", key);
        struct vault_entry vault = { 0 };

        if (told != NULL)
                (void)vault_entry_decode(told->data, told->size, &vault);
        json_put(to, "told_at", view_time(vault.told_at_ms));
        json_put(to, "wipe", wipe == 0 ? json_null() : json_string(vault.taken >= wipe ? "done" : "sent"));
}

static json_t *got_phone(const struct pass_scene *scene, const char *key)
{
        const struct book_item *phone = books_get(scene->books, BOOK_HANDSETS, key), *item;
        struct handset_entry entry;
        struct handset_id id;
        json_t *to, *items = json_array(), *one;

        if (phone == NULL || handset_entry_decode(phone->data, phone->size, &entry) < 0 ||
            handset_id_from_text(key, &id) < 0 || !pass_of_carrier(scene->books, scene->viewer, entry.person)) {
                json_decref(items);
                return NULL;
        }
        to = pass_json_carrier(scene, books_get(scene->books, BOOK_CARRIERS, entry.person), phone);
        for (item = books_passes(scene->books, &id); item != NULL; item = item->next)
                if (json_array_size(items) < BOOK_FOUND_MAX && (one = pass_json_pass(scene, item)) != NULL)
                        json_array_append_new(items, one);
        put_vault(scene, to, key);
        json_put(to, "items", items);
        json_put(to, "doors", doors_json(scene, NULL, &id));
        return to;
}

int pass_view_got(const struct pass_scene *scene, const struct pass_ask *ask, struct outbound **ret_out)
{
        static json_t *(*const by_what[WHATS])(const struct pass_scene *, const char *) = {
                [WHAT_ROUND] = got_round,
                [WHAT_BUILDING] = got_building,
                [WHAT_PASS] = got_pass,
                [WHAT_PHONE] = got_phone,
        };
        char command[2 * EVENT_ID_SIZE + 1];
        json_t *item = by_what[ask->what](scene, ask->id);

        if (item == NULL)
                return -ENOENT;
        hex_encode(ask->command, EVENT_ID_SIZE, command);
        *ret_out = view_dump(json_pack("{s:s, s:s, s:s, s:o}", "t", "desk_got", "c", command, "what",
                                       pass_what_name(ask->what), "item", item));
        return *ret_out != NULL ? 0 : -ENOMEM;
}
