#include "console/pass_view.h"

#include "console/pass_still.h"
#include "tests/console/books_support.h"

#define PASS_A "00000000000000a1"
#define PASS_B "00000000000000b2"

static void put_pass(struct books *books, const char *id, uint32_t number, uint32_t revoked_s)
{
        static struct pass_entry pass;
        uint8_t buf[DESK_LONG_MAX];

        pass = (struct pass_entry){ .carrier = "c1",
                                    .round = "r1",
                                    .by = "odile",
                                    .not_before_s = NOW_S - 100 + number,
                                    .not_after_s = NOW_S + 3600,
                                    .issued_at_s = NOW_S - 100,
                                    .revoked_at_s = revoked_s,
                                    .order = number,
                                    .policy = PASS_ONE_WAY | PASS_CARETAKER,
                                    .count = 1 };
        assert_int_equal(handset_id_from_text(PHONE, &pass.handset), 0);
        pass.buildings[0][7] = 1;
        put(books, BOOK_PASSES, id, buf, pass_entry_encode(&pass, buf, sizeof(buf)));
}

static void put_door(struct books *books, const char *id, uint32_t list_s)
{
        struct door_entry door = { .building = { [7] = 1 }, .name = "Rue", .class = DOOR_NFC, .list_s = list_s };
        uint8_t buf[DESK_SMALL_MAX];

        put(books, BOOK_DOORS, id, buf, door_entry_encode(&door, buf, sizeof(buf)));
}

static json_t *find(const struct pass_scene *scene, enum pass_what what, const char *words)
{
        struct pass_ask ask = { .verb = PASS_FIND, .what = what, .command = { 1 } };
        json_t *text, *items;

        strcpy(ask.words, words);
        text = test_json(pass_view_found(scene, &ask));
        assert_string_equal(test_text(text, "t"), "desk_found");
        assert_string_equal(test_text(text, "c"), "0100000000000000");
        items = json_incref(json_object_get(text, "items"));
        json_decref(text);
        return items;
}

static json_t *get(const struct pass_scene *scene, enum pass_what what, const char *id)
{
        struct pass_ask ask = { .verb = PASS_GET, .what = what };
        struct outbound *out;
        json_t *text, *item;

        strcpy(ask.id, id);
        if (pass_view_got(scene, &ask, &out) < 0)
                return NULL;
        text = test_json(out);
        item = json_incref(json_object_get(text, "item"));
        json_decref(text);
        return item;
}

/* A carrier without a team. */
static void put_loner(struct books *books, const char *id)
{
        struct carrier_entry entry = { .name = "Seul" };
        uint8_t buf[PEOPLE_MAX];

        put(books, BOOK_CARRIERS, id, buf, carrier_entry_encode(&entry, buf, sizeof(buf)));
}

/* A supervisor's phone that is nobody's yet. */
static void put_other(struct books *books, const char *id)
{
        struct handset_entry entry = { .key = { 4 }, .role = HANDSET_SUPERVISOR, .not_after_s = 1 };
        uint8_t buf[PEOPLE_MAX];

        put(books, BOOK_HANDSETS, id, buf, handset_entry_encode(&entry, buf, sizeof(buf)));
}

static void test_carriers(void **state)
{
        struct books *books = books_of_a_region();
        struct viewer odile = test_viewer(ROLE_ISSUER, "odile"), paul = test_viewer(ROLE_SUPERVISOR, "paul");
        struct pass_scene scene = { .books = books, .viewer = &odile, .now_s = NOW_S, .list_good_s = 48 * 3600 };
        json_t *items, *one;

        put_pass(books, PASS_A, 1, 0);
        put_phone(books, OTHER_PHONE, "", 0);
        items = find(&scene, WHAT_CARRIER, "");
        assert_int_equal(json_array_size(items), 3); /* Camille, Zoé without a phone, and the shared phone */
        json_decref(items);
        items = find(&scene, WHAT_CARRIER, "CAMILLE nord");
        assert_int_equal(json_array_size(items), 1);
        one = json_array_get(items, 0);
        assert_string_equal(test_text(one, "handset"), PHONE);
        assert_string_equal(test_text(one, "vault"), "locked");
        assert_string_equal(test_text(one, "round"), "r1");
        assert_true(json_is_true(json_object_get(one, "ready")));
        assert_int_equal(json_integer_value(json_object_get(one, "passes")), 1);
        json_decref(items);
        put_loner(books, "c9");
        put_other(books, "00000000000000cc");
        items = find(&scene, WHAT_CARRIER, "Seul");
        assert_int_equal(json_array_size(items), 1); /* of no team, and no shared phone for that */
        assert_string_equal(test_text(json_array_get(items, 0), "carrier"), "c9");
        json_decref(items);
        items = find(&scene, WHAT_SHARED, "");
        assert_int_equal(json_array_size(items), 1); /* and a supervisor's phone is none either */
        json_decref(items);
        strcpy(paul.team, "sud");
        scene.viewer = &paul;
        items = find(&scene, WHAT_CARRIER, "");
        assert_int_equal(json_array_size(items), 1); /* their own team's, and no shared phones */
        assert_string_equal(test_text(json_array_get(items, 0), "carrier"), "c2");
        json_decref(items);
        assert_null(get(&scene, WHAT_PHONE, PHONE));
        assert_null(get(&scene, WHAT_PHONE, OTHER_PHONE));
        assert_null(get(&scene, WHAT_ROUND, "r1"));
        books_free(books);
}

static void test_passes(void **state)
{
        struct books *books = books_of_a_region();
        struct viewer odile = test_viewer(ROLE_ISSUER, "odile"), paul = test_viewer(ROLE_SUPERVISOR, "paul");
        struct pass_scene scene = { .books = books, .viewer = &odile, .now_s = NOW_S, .list_good_s = 48 * 3600 };
        static const struct {
                uint32_t taken;
                uint8_t result;
                const char *state;
        } cases[] = { { 1, 0, "waiting" }, { 2, 0, "phone" }, { 2, 1, "failed" }, { 3, 1, "phone" } };
        json_t *items;

        put_pass(books, PASS_A, 1, NOW_S - 50);
        put_pass(books, PASS_B, 2, 0);
        for (size_t i = 0; i < COUNT(cases); i++) {
                put_vault(books, PHONE,
                          (struct vault_entry){
                                  .state = VAULT_LOCKED, .taken = cases[i].taken, .result = cases[i].result });
                items = find(&scene, WHAT_PASS, "");
                assert_int_equal(json_array_size(items), 2);
                assert_string_equal(test_text(json_array_get(items, 0), "id"), PASS_B); /* the newest first */
                assert_string_equal(test_text(json_array_get(items, 0), "state"), cases[i].state);
                assert_string_equal(test_text(json_array_get(items, 1), "state"), "revoked");
                json_decref(items);
        }
        scene.now_s = NOW_S + 3601;
        items = find(&scene, WHAT_PASS, PASS_B);
        assert_string_equal(test_text(json_array_get(items, 0), "state"), "over");
        json_decref(items);
        scene.now_s = NOW_S + 3601 + 48 * 3600;
        items = find(&scene, WHAT_PASS, "");
        assert_int_equal(json_array_size(items), 0);
        json_decref(items);
        scene.now_s = NOW_S;
        strcpy(paul.team, "sud");
        scene.viewer = &paul;
        items = find(&scene, WHAT_PASS, "");
        assert_int_equal(json_array_size(items), 0);
        json_decref(items);
        assert_null(get(&scene, WHAT_PASS, PASS_B));
        books_free(books);
}

static void test_doors(void **state)
{
        struct books *books = books_of_a_region();
        struct viewer odile = test_viewer(ROLE_ISSUER, "odile");
        struct pass_scene scene = { .books = books, .viewer = &odile, .now_s = NOW_S, .list_good_s = 48 * 3600 };
        json_t *item, *doors;

        put_pass(books, PASS_A, 1, NOW_S - 50);
        put_door(books, "00000000000000d1", NOW_S - 60);
        put_door(books, "00000000000000d2", NOW_S - 50);
        item = get(&scene, WHAT_PASS, PASS_A);
        doors = json_object_get(item, "doors");
        assert_int_equal(json_array_size(doors), 3); /* two doors, and the caretaker's page */
        assert_string_equal(test_text(json_array_get(doors, 2), "why"), "told"); /* the latest first */
        assert_string_equal(test_text(json_array_get(doors, 2), "door"), "00000000000000d2");
        assert_true(json_is_null(json_object_get(json_array_get(doors, 2), "until")));
        assert_string_equal(test_text(json_array_get(doors, 0), "why"), "unheard");
        assert_string_equal(test_text(json_array_get(doors, 0), "name"), "Immeuble");
        json_decref(item);
        item = get(&scene, WHAT_PHONE, PHONE);
        assert_int_equal(json_array_size(json_object_get(item, "doors")), 3);
        assert_true(json_is_null(json_object_get(item, "wipe")));
        json_decref(item);
        assert_int_equal(books_put(books, BOOK_LISTS, "wipe:" PHONE, (const uint8_t *)"12", 2), 0);
        item = get(&scene, WHAT_PHONE, PHONE);
        assert_string_equal(test_text(item, "wipe"), "sent");
        json_decref(item);
        put_vault(books, PHONE, (struct vault_entry){ .state = VAULT_NONE, .taken = 12 });
        item = get(&scene, WHAT_PHONE, PHONE);
        assert_string_equal(test_text(item, "wipe"), "done");
        json_decref(item);
        books_free(books);
}

/* More doors than an answer has: the one that opens longest is among them. */
static void test_many_doors(void **state)
{
        static struct pass_entry pass;
        struct books *books = books_of_a_region();
        struct viewer odile = test_viewer(ROLE_ISSUER, "odile");
        struct pass_scene scene = { .books = books, .viewer = &odile, .now_s = NOW_S, .list_good_s = 48 * 3600 };
        uint8_t buf[DESK_LONG_MAX];
        char key[2 * PASS_ID_SIZE + 1];
        json_t *item, *doors;

        pass = (struct pass_entry){ .carrier = "c1", .round = "r1", .by = "odile", .policy = PASS_CARETAKER };
        assert_int_equal(handset_id_from_text(PHONE, &pass.handset), 0);
        for (unsigned n = 0; n < STILL_MAX / SCOPE_BUILDINGS_MAX + 1; n++) { /* put last, looked at first */
                pass.not_after_s = n == 0 ? NOW_S + 7200 : NOW_S + 3600;
                pass.count = n == 0 ? 1 : SCOPE_BUILDINGS_MAX;
                for (unsigned i = 0; i < pass.count; i++) {
                        pass.buildings[i][6] = (uint8_t)(i >> 8);
                        pass.buildings[i][7] = (uint8_t)i;
                }
                snprintf(key, sizeof(key), "%016x", n);
                put(books, BOOK_PASSES, key, buf, pass_entry_encode(&pass, buf, sizeof(buf)));
        }
        item = get(&scene, WHAT_PHONE, PHONE);
        doors = json_object_get(item, "doors");
        assert_int_equal(json_array_size(doors), STILL_MAX);
        assert_string_equal(test_text(json_array_get(doors, 0), "pass"), "0000000000000000");
        assert_string_equal(test_text(json_array_get(doors, 1), "pass"), "0000000000000002");
        json_decref(item);
        books_free(books);
}

/* Who waits for somebody to unlock their phone, and what was done about it. */
static void test_unlocks(void **state)
{
        struct books *books = books_of_a_region();
        struct viewer regie = test_viewer(ROLE_CONTROL, "regie"), paul = test_viewer(ROLE_SUPERVISOR, "paul");
        struct pass_scene scene = { .books = books, .viewer = &regie, .now_s = NOW_S };
        struct vault_entry asks = {
                .state = VAULT_DESTROYED, .has_challenge = true, .challenge = { 5 }, .told_at_ms = 2000, .taken = 4
        };
        struct vault_entry destroyed = { .state = VAULT_DESTROYED, .told_at_ms = 1000 };
        json_t *items;

        items = find(&scene, WHAT_UNLOCK, "");
        assert_int_equal(json_array_size(items), 0);
        json_decref(items);
        put_vault(books, PHONE, asks);
        put_phone(books, OTHER_PHONE, "", 0);
        put_vault(books, OTHER_PHONE, destroyed);
        items = find(&scene, WHAT_UNLOCK, "");
        assert_int_equal(json_array_size(items), 2); /* who waits for longest first */
        assert_string_equal(test_text(json_array_get(items, 0), "waits"), "destroyed");
        assert_string_equal(test_text(json_array_get(items, 0), "handset"), OTHER_PHONE);
        assert_true(json_is_null(json_object_get(json_array_get(items, 0), "carrier")));
        assert_string_equal(test_text(json_array_get(items, 1), "waits"), "asked");
        assert_string_equal(test_text(json_array_get(items, 1), "number"), "+33600000001");
        assert_true(json_is_false(json_object_get(json_array_get(items, 1), "sent")));
        assert_null(json_object_get(json_array_get(items, 1),
                                    "challenge")); /* the carrier reads it out, or it proves nothing */
        json_decref(items);
        assert_int_equal(books_put(books, BOOK_LISTS, "again:" PHONE, (const uint8_t *)"5", 1), 0);
        strcpy(paul.team, "nord");
        scene.viewer = &paul;
        items = find(&scene, WHAT_UNLOCK, "");
        assert_int_equal(json_array_size(items), 1); /* shared phones are of no team */
        assert_true(json_is_true(json_object_get(json_array_get(items, 0), "sent")));
        json_decref(items);
        asks.taken = 5; /* taken, and the phone asks anew */
        put_vault(books, PHONE, asks);
        items = find(&scene, WHAT_UNLOCK, "");
        assert_true(json_is_false(json_object_get(json_array_get(items, 0), "sent")));
        json_decref(items);
        strcpy(paul.team, "sud");
        items = find(&scene, WHAT_UNLOCK, "");
        assert_int_equal(json_array_size(items), 0);
        json_decref(items);
        scene.viewer = &regie;
        put_phone(books, PHONE, "c1", NOW_S);
        put_vault(books, OTHER_PHONE, (struct vault_entry){ .state = VAULT_LOCKED, .has_key = true });
        items = find(&scene, WHAT_UNLOCK, "");
        assert_int_equal(json_array_size(items), 0); /* revoked; set a new PIN */
        json_decref(items);
        items = find(&scene, WHAT_SHARED, "BB");
        assert_int_equal(json_array_size(items), 1);
        assert_true(json_is_true(json_object_get(json_array_get(items, 0), "ready")));
        json_decref(items);
        books_free(books);
}

/* As console/web/caretaker/place.js reads it. */
static void test_link(void **state)
{
        static const uint8_t root[32] = { 0xff, 0xfe };
        struct books *books = books_of_a_region();
        struct viewer adm = test_viewer(ROLE_ADMIN, "adm");
        struct pass_scene scene = { .books = books, .viewer = &adm, .region = "lyon", .now_s = NOW_S };
        json_t *item = get(&scene, WHAT_BUILDING, "0000000000000003");

        assert_true(json_is_null(json_object_get(item, "link")));
        json_decref(item);
        scene.root = root;
        item = get(&scene, WHAT_BUILDING, "0000000000000003");
        assert_string_equal(
                test_text(item, "link"),
                "/caretaker/#hgFkbHlvblgg__4AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABIAAAAAAAAAANoSW1tZXVibGX1");
        json_decref(item);
        books_free(books);
}

static void test_small_texts(void **state)
{
        struct pass_setup setup = { "away", true, 8 * 3600 };
        json_t *text = test_json(pass_view_desk(ROLE_ADMIN, &setup));

        assert_int_equal(json_array_size(json_object_get(text, "may")), 2);
        assert_string_equal(json_string_value(json_array_get(json_object_get(text, "may"), 1)), "edit");
        assert_string_equal(test_text(text, "keeper"), "away");
        json_decref(text);
        text = test_json(pass_view_changed(1u << WHAT_CARRIER | 1u << WHAT_ASKED));
        assert_int_equal(json_array_size(json_object_get(text, "what")), 2);
        json_decref(text);
        for (unsigned code = 0; code < CODES; code++) {
                text = test_json(pass_view_answer((const uint8_t[8]){ 2 }, (enum pass_code)code, NULL));
                assert_string_equal(test_text(text, "a"), pass_code_name((enum pass_code)code));
                json_decref(text);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_carriers),   cmocka_unit_test(test_passes),      cmocka_unit_test(test_doors),
                cmocka_unit_test(test_link),       cmocka_unit_test(test_small_texts), cmocka_unit_test(test_unlocks),
                cmocka_unit_test(test_many_doors),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
