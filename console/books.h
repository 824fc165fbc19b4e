/* The books: what the pass desk knows of its region, a copy in memory of the hashes of wire/desk.h and of people, as they came, with
 * words to search by.  Pure: no Redis, no clock.  At 93,000 handsets and 80,000 passes some 250 MB. */
#ifndef CONSOLE_BOOKS_H
#define CONSOLE_BOOKS_H

#include "console/lookup.h"
#include "wire/desk.h"

enum book {
        BOOK_USERS, /* names only: passwords are left out */
        BOOK_HANDSETS,
        BOOK_CARRIERS,
        BOOK_ROUNDS,
        BOOK_STOPS,
        BOOK_BUILDINGS,
        BOOK_DOORS,
        BOOK_VAULTS,
        BOOK_PASSES,
        BOOK_CONSENTS,
        BOOK_ASKED,
        BOOK_LISTS, /* `status`, `trust`; and by phone the numbers of orders: books_order */
        BOOKS
};

/* Entries of one book: a region's phones (250,000) and room.  Further ones are not known here: -ENOBUFS. */
#define BOOK_ENTRIES_MAX 300000
/* Found at a time (PROTOCOL.md section 7). */
#define BOOK_FOUND_MAX   50
/* Octets of an entry's searchable words. */
#define BOOK_WORDS_MAX   320

/* The group of a handset that is no carrier's: no person's id. */
#define BOOK_NO_CARRIER  " "

struct book_item {
        struct handset_id phone;               /* passes */
        uint32_t until_s, issued_s, revoked_s; /* passes: begins; consents: `issued_s` asked; requests: `until_s`; handsets: `revoked_s` */
        uint32_t size, load;                   /* load: the one that it was seen in */
        const uint8_t *data;                   /* the value, as it came (users: without the password) */
        const char *words, *key;
        const char *group; /* carriers, rounds: their team; passes, consents, requests: their round; handsets: whose it is, "" nobody's own; else "" */
        const struct book_item *next; /* passes: another one of the same phone */
        int64_t rank; /* lower is found first; the same: by words.  Vaults: when it told, 0: needs no unlock */
};

struct books;

/* books_new: empty ones.  SEED is random.  Returns 0, -ENOMEM. */
int books_new(uint64_t seed, struct books **ret_books);
void books_free(struct books *books);

/* books_begin: BOOK is loaded anew: what books_put does not say again until books_sweep goes then (where memory is short, with the next
 * load).  Nothing is missing meanwhile.  Gives the load's number.  books_loads: say whether LOAD is the newest of BOOK: what an older one
 * still says is not to be put, nor swept by. */
uint32_t books_begin(struct books *books, enum book book);
bool books_loads(const struct books *books, enum book book, uint32_t load);
void books_sweep(struct books *books, enum book book);

/* books_put: what KEY of BOOK is now; SIZE 0: gone.
 * Returns 0, -EBADMSG or -EPROTONOSUPPORT (cannot be read: as if it were not there), -EINVAL (key: 1..64 visible ASCII), -ENOMEM, -ENOBUFS. */
int books_put(struct books *books, enum book book, const char *key, const uint8_t *data, size_t size);

/* books_get: an entry, good until it is put anew; NULL: none.  books_next: walk over all; begin with *PLACE 0; NULL at the end. */
const struct book_item *books_get(const struct books *books, enum book book, const char *key);
const struct book_item *books_next(const struct books *books, enum book book, size_t *place);

/* books_count: how many entries BOOK has. */
size_t books_count(const struct books *books, enum book book);

/* books_phone: the phone of carrier PERSON that is not revoked, else one that is; NULL: none of their own. */
const struct book_item *books_phone(const struct books *books, const char *person);

/* books_order: the number of the last order of WHAT ("wipe", "again": an unlock whose passes did not come again yet) to the phone HANDSET
 * (hex); 0: none. */
uint32_t books_order(const struct books *books, const char *what, const char *handset);

/* books_passes: a pass of PHONE; the others follow by `next`.  NULL: none. */
const struct book_item *books_passes(const struct books *books, const struct handset_id *phone);

struct book_search {
        const char *words;                                      /* folded already: book_fold */
        bool (*fits)(void *user, const struct book_item *item); /* NULL: all */
        void *user;
        const struct book_item *found[BOOK_FOUND_MAX];
        size_t count, rest;
};

/* books_search: add to SEARCH the entries of BOOK that hold all words and fit, first ones first; `rest` counts those that had no room. */
void books_search(const struct books *books, enum book book, struct book_search *search);

/* book_fold: TEXT without case and accents (of Latin letters), other signs as they are, into TO of SIZE octets, cut at a whole letter.
 * Gives the length. */
size_t book_fold(const char *text, char *to, size_t size);

/* books_name: the name of a book's hash ("passes"); books_parse: the book of that hash, or BOOKS. */
const char *books_name(enum book book);
enum book books_parse(const char *name);

#endif
