#include "dispatcher/table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 64

static uint64_t rotate(uint64_t x, unsigned by)
{
        return x << by | x >> (64 - by);
}

static void sip_round(uint64_t v[4])
{
        v[0] += v[1];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[0] = rotate(v[0], 32);
        v[2] += v[3];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] += v[3];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] += v[1];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[2] = rotate(v[2], 32);
}

/* SipHash-1-3 with the seed as both halves of its key.  Source: Aumasson and Bernstein, "SipHash", 2012. */
uint64_t table_hash(uint64_t seed, const void *key, size_t size)
{
        uint64_t v[4] = { seed ^ 0x736f6d6570736575, ~seed ^ 0x646f72616e646f6d, seed ^ 0x6c7967656e657261,
                          ~seed ^ 0x7465646279746573 };
        const uint8_t *at = key;
        size_t left = size;

        for (bool last = false; !last;) {
                uint64_t word = 0;

                last = left < 8;
                for (size_t i = 0; i < (last ? left : 8); i++)
                        word |= (uint64_t)at[i] << (8 * i);
                if (last)
                        word |= (uint64_t)size << 56;
                v[3] ^= word;
                sip_round(v);
                v[0] ^= word;
                at += last ? left : 8;
                left -= last ? left : 8;
        }
        v[2] ^= 0xff;
        for (int i = 0; i < 3; i++)
                sip_round(v);
        return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void table_init(struct table *table, size_t key_size, size_t element_size, size_t max, uint64_t seed)
{
        assert(key_size >= 1 && key_size <= TABLE_KEY_MAX && element_size >= key_size);
        *table = (struct table){ .max = max, .key_size = key_size, .element_size = element_size, .seed = seed };
}

void table_free(struct table *table)
{
        for (size_t i = 0; i < table->room; i++)
                free(table->slots[i]);
        free(table->slots);
        table->slots = NULL;
        table->room = table->count = 0;
}

/* The slot that holds KEY, or the free one where it would go.  There is always a free one. */
static size_t slot_of(const struct table *table, const void *key)
{
        size_t slot = table_hash(table->seed, key, table->key_size) & (table->room - 1);

        while (table->slots[slot] != NULL && memcmp(table->slots[slot], key, table->key_size) != 0)
                slot = (slot + 1) & (table->room - 1);
        return slot;
}

void *table_find(const struct table *table, const void *key)
{
        return table->count == 0 ? NULL : table->slots[slot_of(table, key)];
}

static void grow(struct table *table)
{
        void **old = table->slots;
        size_t old_room = table->room;

        table->room = old_room == 0 ? ROOM_FIRST : 2 * old_room;
        table->slots = calloc(table->room, sizeof(*table->slots));
        assert(table->slots != NULL);
        for (size_t i = 0; i < old_room; i++)
                if (old[i] != NULL)
                        table->slots[slot_of(table, old[i])] = old[i];
        free(old);
        table->generation++;
}

void *table_add(struct table *table, const void *key)
{
        void *element = table_find(table, key);

        if (element != NULL || table->count == table->max)
                return element;
        if (4 * (table->count + 1) > 3 * table->room)
                grow(table);
        element = calloc(1, table->element_size);
        assert(element != NULL);
        memcpy(element, key, table->key_size);
        table->slots[slot_of(table, key)] = element;
        table->count++;
        return element;
}

void table_remove(struct table *table, void *element)
{
        size_t hole = slot_of(table, element), mask = table->room - 1;

        assert(table->slots[hole] == element);
        table->slots[hole] = NULL;
        table->count--;
        free(element);
        /* Those behind that only stood there because the hole was taken move up. */
        for (size_t slot = (hole + 1) & mask; table->slots[slot] != NULL; slot = (slot + 1) & mask) {
                size_t home = table_hash(table->seed, table->slots[slot], table->key_size) & mask;

                if (((slot - home) & mask) < ((slot - hole) & mask))
                        continue;
                table->slots[hole] = table->slots[slot];
                table->slots[slot] = NULL;
                hole = slot;
        }
}

void *table_next(const struct table *table, size_t *cursor)
{
        while (*cursor < table->room)
                if (table->slots[(*cursor)++] != NULL)
                        return table->slots[*cursor - 1];
        return NULL;
}

static bool text_key(const struct table *table, const char *text, char key[TABLE_KEY_MAX])
{
        size_t len = strlen(text);

        memset(key, 0, TABLE_KEY_MAX);
        if (len >= table->key_size)
                return false;
        memcpy(key, text, len);
        return true;
}

void *table_find_text(const struct table *table, const char *text)
{
        char key[TABLE_KEY_MAX];

        return text_key(table, text, key) ? table_find(table, key) : NULL;
}

void *table_add_text(struct table *table, const char *text)
{
        char key[TABLE_KEY_MAX];

        return text_key(table, text, key) ? table_add(table, key) : NULL;
}
