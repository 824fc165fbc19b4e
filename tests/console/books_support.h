/* A small region in books: carrier c1 (team nord) with PHONE and a pass key, c2 without a phone; round r1 (team nord) of two buildings,
 * r2 of a sensitive one, r3 of none; logins odile and marc. */
#ifndef TESTS_CONSOLE_BOOKS_SUPPORT_H
#define TESTS_CONSOLE_BOOKS_SUPPORT_H

#include "console/books.h"
#include "tests/console/support.h"

#define PHONE       "00000000000000aa"
#define OTHER_PHONE "00000000000000bb"
#define NOW_S       1700000000u

static inline void put(struct books *books, enum book book, const char *key, const uint8_t *buf, int n)
{
        assert_true(n > 0);
        assert_int_equal(books_put(books, book, key, buf, (size_t)n), 0);
}

static inline void put_carrier(struct books *books, unsigned number, const char *name)
{
        struct carrier_entry entry = { .team = "nord" };
        uint8_t buf[PEOPLE_MAX];
        char key[16];

        snprintf(key, sizeof(key), "x%u", number);
        strcpy(entry.name, name);
        put(books, BOOK_CARRIERS, key, buf, carrier_entry_encode(&entry, buf, sizeof(buf)));
}

static inline void put_phone(struct books *books, const char *id, const char *person, uint32_t revoked_s)
{
        struct handset_entry entry = { .key = { 4 }, .enrolment = { 7 }, .revoked_at_s = revoked_s, .not_after_s = 1 };
        uint8_t buf[PEOPLE_MAX];

        strcpy(entry.person, person);
        put(books, BOOK_HANDSETS, id, buf, handset_entry_encode(&entry, buf, sizeof(buf)));
}

static inline void put_vault(struct books *books, const char *id, struct vault_entry entry)
{
        uint8_t buf[DESK_SMALL_MAX];

        entry.enrolment[0] = 7;
        put(books, BOOK_VAULTS, id, buf, vault_entry_encode(&entry, buf, sizeof(buf)));
}

static inline void put_building(struct books *books, uint8_t number, uint32_t flags, uint32_t policy)
{
        struct building_entry entry = {
                .name = "Immeuble", .address = "1 rue Haute", .flags = flags, .policy = policy
        };
        uint8_t buf[DESK_SMALL_MAX];
        char key[17];

        snprintf(key, sizeof(key), "%016x", number);
        put(books, BOOK_BUILDINGS, key, buf, building_entry_encode(&entry, buf, sizeof(buf)));
}

static inline void put_round(struct books *books, const char *id, const char *team, const uint8_t *numbers,
                             uint16_t count)
{
        static struct stops_entry stops;
        struct round_entry entry = { .name = "Ronde" };
        uint8_t buf[DESK_LONG_MAX];

        strcpy(entry.team, team);
        put(books, BOOK_ROUNDS, id, buf, round_entry_encode(&entry, buf, sizeof(buf)));
        stops = (struct stops_entry){ .count = count };
        for (unsigned i = 0; i < count; i++)
                stops.buildings[i][BUILDING_ID_SIZE - 1] = numbers[i];
        put(books, BOOK_STOPS, id, buf, stops_entry_encode(&stops, buf, sizeof(buf)));
}

static inline void put_user(struct books *books, const char *login, const char *person, const char *name)
{
        struct user_entry entry = { .role = ROLE_ISSUER, .password = "scrypt$15$8$1$00$11", .language = "fr" };
        uint8_t buf[PEOPLE_MAX];

        strcpy(entry.person, person);
        strcpy(entry.name, name);
        put(books, BOOK_USERS, login, buf, user_entry_encode(&entry, buf, sizeof(buf)));
}

static inline struct books *books_of_a_region(void)
{
        struct carrier_entry carrier = { .name = "Camille Roux", .number = "+33600000001", .team = "nord" };
        struct books *books;
        uint8_t buf[PEOPLE_MAX];

        assert_int_equal(books_new(1, &books), 0);
        put(books, BOOK_CARRIERS, "c1", buf, carrier_entry_encode(&carrier, buf, sizeof(buf)));
        strcpy(carrier.name, "Zoé Faure");
        strcpy(carrier.team, "sud");
        put(books, BOOK_CARRIERS, "c2", buf, carrier_entry_encode(&carrier, buf, sizeof(buf)));
        put_phone(books, PHONE, "c1", 0);
        put_vault(books, PHONE, (struct vault_entry){ .state = VAULT_LOCKED, .has_key = true, .key = { 9 } });
        put_building(books, 1, 0, PASS_ONE_WAY | PASS_CARETAKER);
        put_building(books, 2, 0, PASS_ONE_WAY);
        put_building(books, 3, BUILDING_SENSITIVE, PASS_ONE_WAY);
        put_round(books, "r1", "nord", (const uint8_t[]){ 1, 2 }, 2);
        put_round(books, "r2", "sud", (const uint8_t[]){ 3 }, 1);
        put_round(books, "r3", "", NULL, 0);
        put_user(books, "odile", "odile", "Odile");
        put_user(books, "odile2", "odile", "Odile");
        put_user(books, "marc", "marc", "Marc");
        return books;
}

#endif
