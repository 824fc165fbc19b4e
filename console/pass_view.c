#include "console/pass_view.h"

#include <errno.h>
#include <string.h>

#include "base/hex.h"
#include "console/pass_view_inside.h"

/* ---- names */

static void put_carrier_name(const struct pass_scene *scene, json_t *to, const char *id)
{
        const struct book_item *item = books_get(scene->books, BOOK_CARRIERS, id);
        struct carrier_entry entry = { 0 };

        if (item != NULL)
                (void)carrier_entry_decode(item->data, item->size, &entry);
        json_put(to, "name", entry.name[0] != '\0' ? json_string(entry.name) : json_null());
        json_put(to, "team", entry.team[0] != '\0' ? json_string(entry.team) : json_null());
}

static void put_round(const struct pass_scene *scene, json_t *to, const char *id)
{
        const struct book_item *item = books_get(scene->books, BOOK_ROUNDS, id);
        struct round_entry entry = { 0 };

        if (item != NULL)
                (void)round_entry_decode(item->data, item->size, &entry);
        json_put(to, "round", json_string(id));
        json_put(to, "round_name", entry.name[0] != '\0' ? json_string(entry.name) : json_null());
}

static json_t *user_name(const struct pass_scene *scene, const char *login)
{
        const struct book_item *item = books_get(scene->books, BOOK_USERS, login);
        struct user_entry entry;

        return item != NULL && user_entry_decode(item->data, item->size, &entry) == 0 && entry.name[0] != '\0'
                       ? json_string(entry.name)
                       : json_null();
}

/* ---- items */

static const char *vault_word(const struct vault_entry *vault)
{
        static const char *const words[VAULT_STATES] = { "none", "locked", "open", "destroyed" };

        return vault != NULL ? words[vault->state] : "unknown";
}

/* phone_passes: how many live passes PHONE has, and the round of the newest that it had. */
static unsigned phone_passes(const struct pass_scene *scene, const struct handset_id *phone,
                             char round[PERSON_ID_MAX + 1])
{
        const struct book_item *item, *newest = NULL;
        struct pass_entry pass;
        unsigned live = 0;

        for (item = books_passes(scene->books, phone); item != NULL; item = item->next) {
                live += item->revoked_s == 0 && item->until_s >= scene->now_s;
                if (newest == NULL || item->issued_s > newest->issued_s)
                        newest = item;
        }
        round[0] = '\0';
        if (newest != NULL && pass_entry_decode(newest->data, newest->size, &pass) == 0)
                strcpy(round, pass.round);
        return live;
}

static void put_phone(const struct pass_scene *scene, json_t *to, const struct book_item *phone)
{
        const struct book_item *told = books_get(scene->books, BOOK_VAULTS, phone->key);
        struct handset_entry entry;
        struct vault_entry vault;
        struct handset_id id;
        char round[PERSON_ID_MAX + 1];
        bool known, has_vault;

        known = handset_entry_decode(phone->data, phone->size, &entry) == 0 &&
                handset_id_from_text(phone->key, &id) == 0;
        has_vault = known && told != NULL && vault_entry_decode(told->data, told->size, &vault) == 0 &&
                    memcmp(vault.enrolment, entry.enrolment, ENROLMENT_SIZE) == 0;
        json_put(to, "handset", json_string(phone->key));
        json_put(to, "phone", known && entry.number[0] != '\0' ? json_string(entry.number) : json_null());
        json_put(to, "revoked", json_boolean(known && entry.revoked_at_s != 0));
        json_put(to, "vault", json_string(vault_word(has_vault ? &vault : NULL)));
        json_put(to, "ready", json_boolean(has_vault && vault.has_key && entry.revoked_at_s == 0));
        json_put(to, "passes", json_integer(known ? phone_passes(scene, &id, round) : 0));
        json_put(to, "round", known && round[0] != '\0' ? json_string(round) : json_null());
}

json_t *pass_json_carrier(const struct pass_scene *scene, const struct book_item *carrier,
                          const struct book_item *phone)
{
        struct carrier_entry entry = { 0 };
        json_t *to = json_object();

        if (carrier != NULL)
                (void)carrier_entry_decode(carrier->data, carrier->size, &entry);
        json_put(to, "carrier", carrier != NULL ? json_string(carrier->key) : json_null());
        json_put(to, "name", entry.name[0] != '\0' ? json_string(entry.name) : json_null());
        json_put(to, "number", entry.number[0] != '\0' ? json_string(entry.number) : json_null());
        json_put(to, "team", entry.team[0] != '\0' ? json_string(entry.team) : json_null());
        if (phone != NULL) {
                put_phone(scene, to, phone);
                return to;
        }
        json_put(to, "handset", json_null());
        json_put(to, "phone", json_null());
        json_put(to, "revoked", json_false());
        json_put(to, "vault", json_string("unknown"));
        json_put(to, "ready", json_false());
        json_put(to, "passes", json_integer(0));
        json_put(to, "round", json_null());
        return to;
}

json_t *pass_json_round(const struct pass_scene *scene, const struct book_item *item)
{
        const struct book_item *list = books_get(scene->books, BOOK_STOPS, item->key), *b;
        struct building_entry building;
        struct stops_entry stops = { 0 };
        struct round_entry round;
        bool sensitive = false;

        if (round_entry_decode(item->data, item->size, &round) < 0)
                return NULL;
        if (list != NULL)
                (void)stops_entry_decode(list->data, list->size, &stops);
        for (unsigned i = 0; i < stops.count && !sensitive; i++) {
                char key[2 * BUILDING_ID_SIZE + 1];

                hex_encode(stops.buildings[i], BUILDING_ID_SIZE, key);
                b = books_get(scene->books, BOOK_BUILDINGS, key);
                sensitive = b != NULL && building_entry_decode(b->data, b->size, &building) == 0 &&
                            (building.flags & BUILDING_SENSITIVE) != 0;
        }
        return json_pack("{s:s, s:s, s:s, s:s, s:i, s:b}", "id", item->key, "name", round.name, "zone", round.zone_id,
                         "team", round.team, "buildings", (int)stops.count, "sensitive", (int)sensitive);
}

json_t *pass_json_building(const struct book_item *item)
{
        struct building_entry b;

        if (building_entry_decode(item->data, item->size, &b) < 0)
                return NULL;
        return json_pack("{s:s, s:s, s:s, s:o, s:o, s:b, s:b, s:b}", "id", item->key, "name", b.name, "address",
                         b.address, "lat", b.has_place ? json_real(b.place.lat_e7 / 1e7) : json_null(), "lon",
                         b.has_place ? json_real(b.place.lon_e7 / 1e7) : json_null(), "sensitive",
                         (b.flags & BUILDING_SENSITIVE) != 0, "qr", (b.policy & PASS_ONE_WAY) != 0, "caretaker",
                         (b.policy & PASS_CARETAKER) != 0);
}

static const char *pass_state(const struct pass_scene *scene, const struct pass_entry *pass)
{
        char key[HANDSET_ID_TEXT];
        const struct book_item *told;
        struct vault_entry vault;

        if (pass->revoked_at_s != 0)
                return "revoked";
        if (pass->not_after_s < scene->now_s)
                return "over";
        handset_id_to_text(&pass->handset, key);
        told = books_get(scene->books, BOOK_VAULTS, key);
        if (told == NULL || vault_entry_decode(told->data, told->size, &vault) < 0 || vault.taken < pass->order)
                return "waiting";
        return vault.taken == pass->order && vault.result != ORDER_DONE ? "failed" : "phone";
}

json_t *pass_json_pass(const struct pass_scene *scene, const struct book_item *item)
{
        struct pass_entry p;
        char handset[HANDSET_ID_TEXT];
        json_t *to;

        if (pass_entry_decode(item->data, item->size, &p) < 0)
                return NULL;
        handset_id_to_text(&p.handset, handset);
        to = json_pack("{s:s, s:s, s:s, s:s, s:s?, s:o, s:o, s:o, s:s, s:o, s:s?, s:i}", "id", item->key, "handset",
                       handset, "carrier", p.carrier, "by", p.by, "second", view_or_null(p.second), "from",
                       json_s(p.not_before_s), "until", json_s(p.not_after_s), "issued_at", json_s(p.issued_at_s),
                       "state", pass_state(scene, &p), "revoked_at", json_s(p.revoked_at_s), "revoked_by",
                       view_or_null(p.revoked_by), "buildings", (int)p.count);
        put_carrier_name(scene, to, p.carrier);
        put_round(scene, to, p.round);
        return to;
}

static json_t *json_consent(const struct pass_scene *scene, const struct book_item *item)
{
        struct consent_entry c;
        char handset[HANDSET_ID_TEXT];
        json_t *to;

        if (consent_entry_decode(item->data, item->size, &c) < 0)
                return NULL;
        handset_id_to_text(&c.handset, handset);
        to = json_pack("{s:s, s:s, s:o, s:o, s:o, s:s, s:s, s:o, s:o, s:o, s:b}", "id", item->key, "by", c.by,
                       "by_name", user_name(scene, c.by), "at", json_s(c.at_s), "ends", json_s(c.at_s + PASS_CONSENT_S),
                       "handset", handset, "carrier", c.carrier, "from", json_s(c.not_before_s), "until",
                       json_s(c.not_after_s), "why",
                       pass_view_why(c.not_after_s - c.not_before_s > PASS_ALONE_S, (c.policy & PASS_SENSITIVE) != 0),
                       "own", strcmp(c.by, scene->viewer->login) == 0);
        put_carrier_name(scene, to, c.carrier);
        put_round(scene, to, c.round);
        return to;
}

static json_t *json_asked(const struct pass_scene *scene, const struct book_item *item)
{
        struct asked_entry a;
        json_t *to;

        if (asked_entry_decode(item->data, item->size, &a) < 0)
                return NULL;
        to = json_pack("{s:s, s:s, s:o, s:o}", "handset", item->key, "carrier", a.carrier, "until", json_s(a.until_s),
                       "at", view_time(a.at_ms));
        put_carrier_name(scene, to, a.carrier);
        put_round(scene, to, a.round);
        return to;
}

/* ---- finding */

/* team_fits: of carriers and rounds. */
static bool team_fits(void *user, const struct book_item *item)
{
        const struct pass_scene *scene = user;

        return pass_of_team(scene->viewer, item->group);
}

static bool shared_fits(void *user, const struct book_item *item)
{
        return item->group[0] == '\0';
}

static bool pass_fits(void *user, const struct book_item *item)
{
        const struct pass_scene *scene = user;

        return item->until_s + (uint64_t)PASS_KEPT_S >= scene->now_s &&
               pass_of_round(scene->books, scene->viewer, item->group);
}

static bool consent_fits(void *user, const struct book_item *item)
{
        const struct pass_scene *scene = user;

        return item->issued_s + (uint64_t)PASS_CONSENT_S >= scene->now_s &&
               pass_of_round(scene->books, scene->viewer, item->group);
}

static bool asked_fits(void *user, const struct book_item *item)
{
        const struct pass_scene *scene = user;

        return item->until_s > scene->now_s && pass_of_round(scene->books, scene->viewer, item->group);
}

/* unlock_of: what waits at the phone whose vault ITEM is; NULL: nothing that somebody could do.  Gives the phone's entries. */
static const char *unlock_of(const struct pass_scene *scene, const struct book_item *item, struct vault_entry *vault,
                             struct handset_entry *phone)
{
        const struct book_item *handset = item->rank != 0 ? books_get(scene->books, BOOK_HANDSETS, item->key) : NULL;

        if (handset == NULL || vault_entry_decode(item->data, item->size, vault) < 0 ||
            handset_entry_decode(handset->data, handset->size, phone) < 0 || phone->role != HANDSET_CARRIER ||
            phone->revoked_at_s != 0 || memcmp(vault->enrolment, phone->enrolment, ENROLMENT_SIZE) != 0)
                return NULL;
        return vault->has_challenge ? "asked" : vault->state == VAULT_DESTROYED ? "destroyed" : NULL;
}

static bool unlock_fits(void *user, const struct book_item *item)
{
        const struct pass_scene *scene = user;
        struct handset_entry phone;
        struct vault_entry vault;

        return unlock_of(scene, item, &vault, &phone) != NULL &&
               pass_of_carrier(scene->books, scene->viewer, phone.person);
}

static json_t *json_unlock(const struct pass_scene *scene, const struct book_item *item)
{
        struct handset_entry phone = { 0 };
        struct vault_entry vault = { 0 };
        const char *waits = unlock_of(scene, item, &vault, &phone);
        json_t *to = pass_json_carrier(scene, books_get(scene->books, BOOK_CARRIERS, phone.person),
                                       books_get(scene->books, BOOK_HANDSETS, item->key));

        json_put(to, "waits", json_string(waits));
        json_put(to, "sent", json_boolean(books_order(scene->books, "again", item->key) > vault.taken));
        json_put(to, "told_at", view_time(vault.told_at_ms));
        return to;
}

static json_t *found_item(const struct pass_scene *scene, enum pass_what what, const struct book_item *item)
{
        switch (what) {
        case WHAT_CARRIER:
                if (books_get(scene->books, BOOK_HANDSETS, item->key) == item) /* a shared phone */
                        return pass_json_carrier(scene, NULL, item);
                return pass_json_carrier(scene, item, books_phone(scene->books, item->key));
        case WHAT_ROUND:
                return pass_json_round(scene, item);
        case WHAT_BUILDING:
                return pass_json_building(item);
        case WHAT_PASS:
                return pass_json_pass(scene, item);
        case WHAT_CONSENT:
                return json_consent(scene, item);
        case WHAT_UNLOCK:
                return json_unlock(scene, item);
        case WHAT_SHARED:
                return pass_json_carrier(scene, NULL, item);
        default:
                return json_asked(scene, item);
        }
}

static json_t *header(const char *t, const struct pass_ask *ask)
{
        char command[2 * EVENT_ID_SIZE + 1];

        hex_encode(ask->command, EVENT_ID_SIZE, command);
        return json_pack("{s:s, s:s, s:s}", "t", t, "c", command, "what", pass_what_name(ask->what));
}

struct outbound *pass_view_found(const struct pass_scene *scene, const struct pass_ask *ask)
{
        static const struct {
                enum book book;
                bool (*fits)(void *, const struct book_item *);
        } by_what[WHAT_PHONE] = {
                [WHAT_CARRIER] = { BOOK_CARRIERS, team_fits },    [WHAT_ROUND] = { BOOK_ROUNDS, team_fits },
                [WHAT_BUILDING] = { BOOK_BUILDINGS, NULL },       [WHAT_PASS] = { BOOK_PASSES, pass_fits },
                [WHAT_CONSENT] = { BOOK_CONSENTS, consent_fits }, [WHAT_ASKED] = { BOOK_ASKED, asked_fits },
                [WHAT_UNLOCK] = { BOOK_VAULTS, unlock_fits },     [WHAT_SHARED] = { BOOK_HANDSETS, shared_fits },
        };
        char words[PASS_WORDS_MAX + 1];
        struct book_search search = { .words = words, .fits = by_what[ask->what].fits, .user = (void *)scene };
        json_t *items = json_array(), *to = header("desk_found", ask), *one;

        book_fold(ask->words, words, sizeof(words));
        books_search(scene->books, by_what[ask->what].book, &search);
        if (ask->what == WHAT_CARRIER && scene->viewer->role != ROLE_SUPERVISOR) {
                search.fits = shared_fits;
                books_search(scene->books, BOOK_HANDSETS, &search);
        }
        for (size_t i = 0; i < search.count; i++)
                if ((one = found_item(scene, ask->what, search.found[i])) != NULL)
                        json_array_append_new(items, one);
        json_put(to, "items", items);
        json_put(to, "rest", json_integer((json_int_t)search.rest));
        return view_dump(to);
}

/* ---- small texts */

json_t *pass_view_why(bool is_long, bool is_sensitive)
{
        json_t *why = json_array();

        if (is_long)
                json_array_append_new(why, json_string("long"));
        if (is_sensitive)
                json_array_append_new(why, json_string("sensitive"));
        return why;
}

struct outbound *pass_view_answer(const uint8_t command[EVENT_ID_SIZE], enum pass_code code, json_t *more)
{
        char c[2 * EVENT_ID_SIZE + 1];

        hex_encode(command, EVENT_ID_SIZE, c);
        return view_dump(json_pack("{s:s, s:s, s:s, s:n, s:o}", "t", "answer", "c", c, "a", pass_code_name(code), "who",
                                   "more", more != NULL ? more : json_null()));
}

struct outbound *pass_view_desk(uint8_t role, const struct pass_setup *setup)
{
        const char *words = pass_may_words(role);
        json_t *may = json_array();

        while (*words != '\0') {
                size_t len = strcspn(words, " ");

                json_array_append_new(may, json_stringn(words, len));
                words += len + strspn(words + len, " ");
        }
        return view_dump(json_pack("{s:s, s:o, s:s?, s:b, s:I, s:I, s:I}", "t", "desk", "may", may, "keeper",
                                   setup->keeper, "ready", (int)setup->ready, "shift_ms",
                                   (json_int_t)setup->shift_s * 1000, "alone_ms", (json_int_t)PASS_ALONE_S * 1000,
                                   "longest_ms", (json_int_t)PASS_SECONDS_MAX * 1000));
}

struct outbound *pass_view_changed(unsigned whats)
{
        json_t *list = json_array();

        for (unsigned i = 0; i < WHAT_PHONE; i++)
                if ((whats & (1u << i)) != 0)
                        json_array_append_new(list, json_string(pass_what_name((enum pass_what)i)));
        return view_dump(json_pack("{s:s, s:o}", "t", "desk_changed", "what", list));
}
