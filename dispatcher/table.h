/* A table: elements found by a key, a bound on their number.  Elements are single blocks that never move, and begin with their
 * key: the first octets, compared whole (texts are padded with zeros: table_text_key).  The hash (SipHash-1-3) takes a secret
 * seed, so that nobody who chooses keys can make them collide.  Out of memory ends the process (assert): what it had
 * promised is in its journal.  Pure. */
#ifndef DISPATCHER_TABLE_H
#define DISPATCHER_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longest key: a notice's, NAME_MAX_OCTETS + 1. */
#define TABLE_KEY_MAX 65

/* Members are the table's; `count` may be read. */
struct table {
        void **slots; /* a power of two of them, at most 3/4 used; NULL before the first element */
        size_t room, count, max;
        size_t key_size, element_size;
        uint64_t seed;
        uint32_t generation; /* changes when elements change their slots: see table_next */
};

/* table_init: an empty table of elements of ELEMENT_SIZE octets, the first KEY_SIZE (1..TABLE_KEY_MAX) their key; at most
 * MAX of them.  table_free: frees every element; an all-zero table is fine. */
void table_init(struct table *table, size_t key_size, size_t element_size, size_t max, uint64_t seed);
void table_free(struct table *table);

/* table_find: the element with KEY, or NULL. */
void *table_find(const struct table *table, const void *key);

/* table_add: the element with KEY, made if there is none: then all zero but its key.  NULL: the table is full. */
void *table_add(struct table *table, const void *key);

/* table_remove: take ELEMENT, which is in the table, out and free it. */
void table_remove(struct table *table, void *element);

/* table_next: the next element, in an order that depends on the keys put in and taken out and on the seed only; begin with
 * *cursor 0; NULL at the end.  Whoever removes the element just given steps *cursor back by one; then some may be shown
 * twice.  Adding may show elements again or not at all: `generation` tells. */
void *table_next(const struct table *table, size_t *cursor);

/* table_find_text, table_add_text: the same for a text of at most key_size - 1 octets; a longer one is not found, and is
 * not added (NULL). */
void *table_find_text(const struct table *table, const char *text);
void *table_add_text(struct table *table, const char *text);

/* table_hash: the 64 bits that the table finds KEY by. */
uint64_t table_hash(uint64_t seed, const void *key, size_t size);

#endif
