#include "console/books.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One entry: the item, then its key, words and value in the same piece of memory. */
struct books {
        struct lookup *book[BOOKS];
        struct lookup *phones; /* handsets by the carrier whose they are */
        struct lookup *passes; /* the first pass of each phone */
        uint32_t load[BOOKS];
};

static const char *const names[BOOKS] = {
        [BOOK_USERS] = "users",       [BOOK_HANDSETS] = "handsets", [BOOK_CARRIERS] = "carriers",
        [BOOK_ROUNDS] = "rounds",     [BOOK_STOPS] = "stops",       [BOOK_BUILDINGS] = "buildings",
        [BOOK_DOORS] = "doors",       [BOOK_VAULTS] = "vaults",     [BOOK_PASSES] = "passes",
        [BOOK_CONSENTS] = "consents", [BOOK_ASKED] = "asked",       [BOOK_LISTS] = "lists",
};

const char *books_name(enum book book)
{
        return names[book];
}

enum book books_parse(const char *name)
{
        enum book book = 0;

        while (book < BOOKS && strcmp(names[book], name) != 0)
                book++;
        return book;
}

int books_new(uint64_t seed, struct books **ret_books)
{
        struct books *books = calloc(1, sizeof(*books));
        int r = books != NULL ? lookup_new(BOOK_ENTRIES_MAX, seed, &books->phones) : -ENOMEM;

        if (r == 0)
                r = lookup_new(BOOK_ENTRIES_MAX, seed, &books->passes);
        for (unsigned i = 0; r == 0 && i < BOOKS; i++)
                r = lookup_new(BOOK_ENTRIES_MAX, seed, &books->book[i]);
        if (r < 0) {
                books_free(books);
                return r;
        }
        *ret_books = books;
        return 0;
}

void books_free(struct books *books)
{
        if (books == NULL)
                return;
        for (unsigned i = 0; i < BOOKS; i++) {
                size_t place = 0;

                for (void *item; books->book[i] != NULL && (item = lookup_next(books->book[i], &place)) != NULL;)
                        free(item);
                lookup_free(books->book[i]);
        }
        lookup_free(books->phones);
        lookup_free(books->passes);
        free(books);
}

/* ---- words */

/* Letters of Latin-1 (C3 80..BF) and Latin Extended-A (C4, C5) without their accents; 0: no letter. */
static const char latin1[] = "aaaaaaaceeeeiiiidnooooo\0ouuuuy\0saaaaaaaceeeeiiiidnooooo\0ouuuuy\0y";
static const char latin_a[] = "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkkllllllllllnnnnnnnnn"
                              "oooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

static char folded(unsigned char first, unsigned char second)
{
        if (first == 0xc3)
                return latin1[second - 0x80];
        if (first == 0xc4 || first == 0xc5)
                return latin_a[(first - 0xc4) * 64 + second - 0x80];
        return 0;
}

size_t book_fold(const char *text, char *to, size_t size)
{
        size_t len = 0;

        for (const unsigned char *p = (const unsigned char *)text; *p != '\0' && len + 1 < size;) {
                unsigned more = *p >= 0xf0 ? 3 : *p >= 0xe0 ? 2 : *p >= 0xc0 ? 1 : 0;
                char letter = more == 1 && (p[1] & 0xc0) == 0x80 ? folded(p[0], p[1]) : 0;

                if (letter != 0) {
                        to[len++] = letter;
                        p += 2;
                        continue;
                }
                if (len + more + 1 >= size)
                        break;
                to[len++] = (char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
                for (p++; more > 0 && (*p & 0xc0) == 0x80; more--)
                        to[len++] = (char)*p++;
        }
        to[len] = '\0';
        return len;
}

struct words {
        char text[BOOK_WORDS_MAX];
        size_t len;
};

static void add(struct words *words, const char *text)
{
        if (text[0] == '\0')
                return;
        if (words->len > 0 && words->len + 1 < sizeof(words->text))
                words->text[words->len++] = ' ';
        words->len += book_fold(text, words->text + words->len, sizeof(words->text) - words->len);
}

/* ---- what each book wants known of its entries: words, and for passes the numbers by which they are looked through */

struct reading {
        const struct books *books;
        struct book_item item; /* data, size: what is kept */
        struct words words;
        uint8_t kept[PEOPLE_MAX];
        char group[PERSON_ID_MAX + 1];
};

static int read_user(struct reading *r)
{
        struct user_entry user;
        int n = user_entry_decode(r->item.data, r->item.size, &user);

        if (n < 0)
                return n;
        memset(user.password, 0, sizeof(user.password));
        if ((n = user_entry_encode(&user, r->kept, sizeof(r->kept))) < 0)
                return n;
        r->item.data = r->kept;
        r->item.size = (uint32_t)n;
        return 0;
}

static int read_handset(struct reading *r)
{
        struct handset_entry handset;
        int n = handset_entry_decode(r->item.data, r->item.size, &handset);

        if (n < 0)
                return n;
        add(&r->words, r->item.key);
        add(&r->words, handset.number);
        add(&r->words, handset.site);
        r->item.revoked_s = handset.revoked_at_s;
        strcpy(r->group, handset.role == HANDSET_CARRIER ? handset.person : BOOK_NO_CARRIER);
        return 0;
}

static int read_carrier(struct reading *r)
{
        struct carrier_entry carrier;
        int n = carrier_entry_decode(r->item.data, r->item.size, &carrier);

        add(&r->words, carrier.name);
        add(&r->words, r->item.key);
        add(&r->words, carrier.number);
        add(&r->words, carrier.team);
        if (n == 0)
                strcpy(r->group, carrier.team);
        return n;
}

static int read_round(struct reading *r)
{
        struct round_entry round;
        int n = round_entry_decode(r->item.data, r->item.size, &round);

        add(&r->words, round.name);
        add(&r->words, r->item.key);
        add(&r->words, round.team);
        if (n == 0)
                strcpy(r->group, round.team);
        return n;
}

static int read_building(struct reading *r)
{
        struct building_entry building;
        int n = building_entry_decode(r->item.data, r->item.size, &building);

        add(&r->words, building.name);
        add(&r->words, building.address);
        add(&r->words, r->item.key);
        return n;
}

/* add_who: the name of carrier ID into the words, beside the id. */
static void add_who(struct reading *r, const char *id)
{
        const struct book_item *item = books_get(r->books, BOOK_CARRIERS, id);
        struct carrier_entry carrier;

        if (item != NULL && carrier_entry_decode(item->data, item->size, &carrier) == 0)
                add(&r->words, carrier.name);
        add(&r->words, id);
}

static int read_pass(struct reading *r)
{
        struct pass_entry pass;
        int n = pass_entry_decode(r->item.data, r->item.size, &pass);

        if (n < 0)
                return n;
        add_who(r, pass.carrier);
        add(&r->words, pass.round);
        add(&r->words, r->item.key);
        strcpy(r->group, pass.round);
        r->item.phone = pass.handset;
        r->item.until_s = pass.not_after_s;
        r->item.issued_s = pass.not_before_s;
        r->item.revoked_s = pass.revoked_at_s;
        r->item.rank = -(int64_t)pass.not_before_s;
        return 0;
}

static int read_consent(struct reading *r)
{
        struct consent_entry consent;
        int n = consent_entry_decode(r->item.data, r->item.size, &consent);

        add_who(r, consent.carrier);
        add(&r->words, consent.round);
        if (n == 0)
                strcpy(r->group, consent.round);
        r->item.rank = consent.at_s;
        r->item.issued_s = consent.at_s;
        return n;
}

static int read_asked(struct reading *r)
{
        struct asked_entry asked;
        int n = asked_entry_decode(r->item.data, r->item.size, &asked);

        add_who(r, asked.carrier);
        add(&r->words, asked.round);
        if (n == 0)
                strcpy(r->group, asked.round);
        r->item.rank = asked.at_ms;
        r->item.until_s = asked.until_s;
        return n;
}

/* Vaults are as many as phones and told of often: those that wait for an unlock are known by their rank. */
static int read_vault(struct reading *r)
{
        struct vault_entry vault;
        int n = vault_entry_decode(r->item.data, r->item.size, &vault);

        if (n == 0 && (vault.has_challenge || vault.state == VAULT_DESTROYED))
                r->item.rank = vault.told_at_ms;
        return n;
}

static int read_value(enum book book, struct reading *r)
{
        static int (*const by_book[BOOKS])(struct reading *) = {
                [BOOK_USERS] = read_user,       [BOOK_HANDSETS] = read_handset,   [BOOK_CARRIERS] = read_carrier,
                [BOOK_ROUNDS] = read_round,     [BOOK_BUILDINGS] = read_building, [BOOK_PASSES] = read_pass,
                [BOOK_CONSENTS] = read_consent, [BOOK_ASKED] = read_asked,        [BOOK_VAULTS] = read_vault,
        };

        return by_book[book] != NULL ? by_book[book](r) : 0;
}

/* item_new: READING in one piece of memory. */
static struct book_item *item_new(const struct reading *r)
{
        size_t key = strlen(r->item.key) + 1, group = strlen(r->group) + 1;
        struct book_item *item = malloc(sizeof(*item) + r->item.size + r->words.len + 1 + key + group);
        uint8_t *rest = (uint8_t *)(item + 1);

        if (item == NULL)
                return NULL;
        *item = r->item;
        item->data = memcpy(rest, r->item.data, r->item.size);
        item->words = memcpy(rest += r->item.size, r->words.text, r->words.len + 1);
        item->key = memcpy(rest += r->words.len + 1, r->item.key, key);
        item->group = memcpy(rest + key, r->group, group);
        return item;
}

/* ---- phones by carrier */

/* person_of: whose PHONE is; "" nobody's own, or no carrier's. */
static const char *person_of(const struct book_item *phone)
{
        return strcmp(phone->group, BOOK_NO_CARRIER) != 0 ? phone->group : "";
}

static void note_phone(struct books *books, struct book_item *phone, const char *person)
{
        struct book_item *known = person[0] != '\0' ? lookup_get(books->phones, person, strlen(person)) : NULL;
        void *old;

        if (person[0] != '\0' && (known == NULL || phone->revoked_s == 0 || known->revoked_s != 0))
                (void)lookup_put(books->phones, person, strlen(person), phone, &old);
}

/* forget_phone: PHONE goes: another one of the same person takes its place.  Rare: phones change hands some times a day. */
static void forget_phone(struct books *books, const struct book_item *phone)
{
        const char *person = person_of(phone);
        size_t place = 0;

        if (person[0] == '\0' || lookup_get(books->phones, person, strlen(person)) != phone)
                return;
        lookup_remove(books->phones, person, strlen(person));
        for (struct book_item *other; (other = lookup_next(books->book[BOOK_HANDSETS], &place)) != NULL;)
                if (other != phone && strcmp(person_of(other), person) == 0)
                        note_phone(books, other, person);
}

/* ---- passes by phone */

/* link_pass: where memory is short it is found by its id alone. */
static void link_pass(struct books *books, struct book_item *pass)
{
        void *old = NULL;

        pass->next = lookup_get(books->passes, pass->phone.octets, HANDSET_ID_SIZE);
        (void)lookup_put(books->passes, pass->phone.octets, HANDSET_ID_SIZE, pass, &old);
}

static void unlink_pass(struct books *books, const struct book_item *pass)
{
        struct book_item *first = lookup_get(books->passes, pass->phone.octets, HANDSET_ID_SIZE);
        void *old = NULL;

        if (first == pass && pass->next == NULL)
                lookup_remove(books->passes, pass->phone.octets, HANDSET_ID_SIZE);
        else if (first == pass)
                (void)lookup_put(books->passes, pass->phone.octets, HANDSET_ID_SIZE, (void *)pass->next, &old);
        for (struct book_item *p = first; p != NULL && first != pass; p = (struct book_item *)p->next)
                if (p->next == pass)
                        p->next = pass->next;
}

const struct book_item *books_passes(const struct books *books, const struct handset_id *phone)
{
        return lookup_get(books->passes, phone->octets, HANDSET_ID_SIZE);
}

int books_put(struct books *books, enum book book, const char *key, const uint8_t *data, size_t size)
{
        struct reading reading = {
                .books = books, .item = { .data = data, .size = (uint32_t)size, .key = key, .load = books->load[book] }
        };
        struct book_item *item = NULL;
        void *old = NULL;
        int r = 0;

        if (strlen(key) == 0 || strlen(key) > LOOKUP_NAME_MAX)
                return -EINVAL;
        for (const char *p = key; *p != '\0'; p++)
                if (*p <= ' ' || *p > '~')
                        return -EINVAL;
        if (size > 0 && (r = read_value(book, &reading)) == 0 && (item = item_new(&reading)) == NULL)
                return -ENOMEM;
        if (book == BOOK_HANDSETS && (old = lookup_get(books->book[book], key, strlen(key))) != NULL)
                forget_phone(books, old);
        if (book == BOOK_PASSES && (old = lookup_get(books->book[book], key, strlen(key))) != NULL)
                unlink_pass(books, old);
        old = NULL;
        if (item == NULL)
                old = lookup_remove(books->book[book], key, strlen(key));
        else if ((r = lookup_put(books->book[book], key, strlen(key), item, &old)) < 0)
                free(item);
        else if (book == BOOK_HANDSETS)
                note_phone(books, item, person_of(item));
        else if (book == BOOK_PASSES)
                link_pass(books, item);
        free(old);
        return r;
}

uint32_t books_begin(struct books *books, enum book book)
{
        return ++books->load[book];
}

bool books_loads(const struct books *books, enum book book, uint32_t load)
{
        return load == books->load[book];
}

void books_sweep(struct books *books, enum book book)
{
        size_t place = 0, count = 0, max = lookup_count(books->book[book]);
        const struct book_item *item, **gone = calloc(max + 1, sizeof(*gone));
        char key[LOOKUP_NAME_MAX + 1];

        while (gone != NULL && (item = books_next(books, book, &place)) != NULL)
                if (item->load != books->load[book])
                        gone[count++] = item;
        for (size_t i = 0; i < count; i++) {
                strcpy(key, gone[i]->key);
                (void)books_put(books, book, key, NULL, 0);
        }
        free(gone);
}

const struct book_item *books_get(const struct books *books, enum book book, const char *key)
{
        return lookup_get(books->book[book], key, strlen(key));
}

const struct book_item *books_next(const struct books *books, enum book book, size_t *place)
{
        return lookup_next(books->book[book], place);
}

size_t books_count(const struct books *books, enum book book)
{
        return lookup_count(books->book[book]);
}

const struct book_item *books_phone(const struct books *books, const char *person)
{
        return person[0] != '\0' ? lookup_get(books->phones, person, strlen(person)) : NULL;
}

uint32_t books_order(const struct books *books, const char *what, const char *handset)
{
        char field[8 + HANDSET_ID_TEXT], number[16] = "";
        const struct book_item *item;

        snprintf(field, sizeof(field), "%s:%s", what, handset);
        item = books_get(books, BOOK_LISTS, field);
        if (item == NULL || item->size >= sizeof(number))
                return 0;
        memcpy(number, item->data, item->size);
        return (uint32_t)strtoul(number, NULL, 10);
}

/* ---- searching */

/* holds: say whether every word of WANTED, which are kept apart by white space, occurs in WORDS. */
static bool holds(const char *words, const char *wanted)
{
        char word[PERSON_ID_MAX * 2 + 1];

        while (*(wanted += strspn(wanted, " \t\n")) != '\0') {
                size_t len = strcspn(wanted, " \t\n");

                if (len >= sizeof(word))
                        return false;
                memcpy(word, wanted, len);
                word[len] = '\0';
                if (strstr(words, word) == NULL)
                        return false;
                wanted += len;
        }
        return true;
}

static bool before(const struct book_item *a, const struct book_item *b)
{
        return a->rank != b->rank ? a->rank < b->rank : strcmp(a->words, b->words) < 0;
}

static void insert(struct book_search *search, const struct book_item *item)
{
        size_t at;

        if (search->count == BOOK_FOUND_MAX) {
                search->rest++;
                if (!before(item, search->found[BOOK_FOUND_MAX - 1]))
                        return;
                search->count--;
        }
        for (at = search->count; at > 0 && before(item, search->found[at - 1]); at--)
                search->found[at] = search->found[at - 1];
        search->found[at] = item;
        search->count++;
}

void books_search(const struct books *books, enum book book, struct book_search *search)
{
        const struct book_item *item;
        size_t place = 0;

        while ((item = books_next(books, book, &place)) != NULL)
                if (holds(item->words, search->words) && (search->fits == NULL || search->fits(search->user, item)))
                        insert(search, item);
}
